-- again.sql - reads stored mail again, with a parser that may know more: `ruad reprocess`.

-- Add items to a mail's part of the ledger. An item keeps its number if it is free, else it gets one after the last.
CREATE FUNCTION ruad.ledger_add(to_mail bigint, things ruad.item[]) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO ruad.item (mail, item_no, kind, status, place, code, reason, report, sha256, partial)
	SELECT to_mail, CASE WHEN EXISTS (SELECT 1 FROM ruad.item i WHERE i.mail = to_mail AND i.item_no = t.item_no)
		THEN last.no + t.ord::integer ELSE t.item_no END, t.kind, t.status, t.place, t.code, t.reason,
		t.report, t.sha256, t.partial
	FROM unnest(things) WITH ORDINALITY AS t(mail, item_no, kind, status, place, code, reason, report, sha256, partial,
		ord)
	CROSS JOIN (SELECT max(no) AS no FROM (SELECT i.item_no FROM ruad.item i WHERE i.mail = to_mail
		UNION ALL SELECT u.item_no FROM unnest(things) u) AS n(no)) AS last;
END
$$;

-- Returns whether an item records something quarantined or in conflict, or repeats such an item of another mail.
CREATE FUNCTION ruad.is_open(status text, code text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT status IN ('quarantined', 'conflict') OR status = 'duplicate' AND code IS NOT NULL $$;

-- Returns whether a report of any kind is stored.
CREATE FUNCTION ruad.is_there(report bigint) RETURNS boolean
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN EXISTS (SELECT 1 FROM ruad.report r WHERE r.id = is_there.report)
		OR EXISTS (SELECT 1 FROM ruad.failure f WHERE f.id = is_there.report)
		OR EXISTS (SELECT 1 FROM ruad.tls t WHERE t.id = is_there.report);
END
$$;

-- Lock the mails, set their time of receipt, and remove from the ledger their open items and those of reports that
-- were pruned. If another session has already removed a mail's bytes, the mail keeps its place in the array, for its
-- number, and its items are ignored. The lock makes sessions with the same mail wait for each other.
CREATE FUNCTION ruad.again_begin(INOUT mails ruad.new_mail[], INOUT items ruad.new_item[])
LANGUAGE plpgsql
AS $$
DECLARE
	kept bigint[];
BEGIN
	PERFORM 1 FROM ruad.mail m WHERE m.id IN (SELECT s.id FROM unnest(mails) s) ORDER BY m.id FOR UPDATE;
	IF EXISTS (SELECT 1 FROM unnest(mails) s JOIN ruad.raw r ON r.mail = s.id WHERE r.sha256 IS DISTINCT FROM s.sha256)
		THEN
		RAISE EXCEPTION 'these are not the bytes that are kept' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	kept := ARRAY(SELECT r.mail FROM ruad.raw r WHERE r.mail IN (SELECT s.id FROM unnest(mails) s));
	items := ARRAY(SELECT i FROM unnest(items) i JOIN unnest(mails) WITH ORDINALITY s ON s.ordinality = i.mail_no
		WHERE s.id = ANY (kept));
	FOR k IN 1 .. cardinality(mails) LOOP
		mails[k].received_at := (SELECT m.received_at FROM ruad.mail m WHERE m.id = mails[k].id);
	END LOOP;
	DELETE FROM ruad.item i WHERE i.mail = ANY (kept)
		AND (ruad.is_open(i.status, i.code) OR NOT ruad.is_there(i.report));
END
$$;

-- Record what was found in a mail, except copies of reports for which the mail already has an item.
CREATE FUNCTION ruad.again_ledger(reading ruad.new_mail, work ruad.judged[]) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM ruad.ledger_add(reading.id, ARRAY(SELECT f FROM ruad.findings(work) f
		WHERE f.mail = reading.id AND NOT (f.status = 'duplicate' AND f.code IS NULL
			AND EXISTS (SELECT 1 FROM ruad.item i WHERE i.mail = reading.id AND i.report = f.report))
		ORDER BY f.item_no));
	UPDATE ruad.mail m SET message_id = coalesce(reading.message_id, m.message_id),
		subject = coalesce(reading.subject, m.subject), header_from = coalesce(reading.header_from, m.header_from),
		authentic = coalesce(nullif(ruad.verdict(reading.authentic), 'none'), m.authentic)
	WHERE m.id = reading.id;
END
$$;

-- Update a mail with the same bytes: its open items are replaced by copies of the items of the mail that was read.
CREATE FUNCTION ruad.again_follow(of_mail bigint, follower bigint) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	DELETE FROM ruad.item i WHERE i.mail = follower AND ruad.is_open(i.status, i.code);
	PERFORM ruad.ledger_add(follower, ARRAY(
		SELECT ROW(follower, i.item_no, i.kind, 'duplicate', i.place,
			CASE WHEN ruad.is_open(i.status, i.code) THEN i.code END,
			CASE WHEN ruad.is_open(i.status, i.code) THEN i.reason END, i.report, i.sha256, i.partial)::ruad.item
		FROM ruad.item i
		WHERE i.mail = of_mail AND (ruad.is_open(i.status, i.code)
			OR NOT EXISTS (SELECT 1 FROM ruad.item f WHERE f.mail = follower AND f.report = i.report))
		ORDER BY i.item_no));
END
$$;

-- Store what was found in mails that were read again. Like ruad.ingest(), once per transaction; for ruad_owner.
CREATE FUNCTION ruad.ingest_again(mails ruad.new_mail[], items ruad.new_item[])
RETURNS TABLE (mail_no integer, item_no integer, mail_id bigint, stored integer, duplicates integer, conflicts integer,
	unreadable integer, keep_raw boolean, report bigint, domain_id integer, reporter_id integer, day date, epoch bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	ids bigint[] := ARRAY(SELECT s.id FROM unnest(mails) s ORDER BY s.id);
	work ruad.judged[];
	replaced bigint[];
BEGIN
	IF EXISTS (SELECT 1 FROM unnest(ids) AS u(id) GROUP BY u.id HAVING u.id IS NULL OR count(*) > 1) THEN
		RAISE EXCEPTION 'only mail that was read again, each once, is for ingest_again()'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'call ruad.ingest()';
	END IF;
	SELECT b.mails, b.items INTO mails, items FROM ruad.again_begin(mails, items) b;
	SELECT i.work, i.replaced INTO work, replaced FROM ruad.ingest_items(mails, items) i;
	-- from here on no session can add a mail with these bytes, and all that have done so are visible
	PERFORM 1 FROM ruad.raw r WHERE r.mail = ANY (ids) ORDER BY r.sha256 FOR UPDATE;
	FOR k IN 1 .. cardinality(mails) LOOP
		PERFORM ruad.again_ledger(mails[k], work);
	END LOOP;
	PERFORM ruad.again_follow(m.raw, m.id) FROM ruad.mail m WHERE m.raw = ANY (ids) AND m.id <> m.raw;
	PERFORM ruad.release_raw(ids || replaced);
	RETURN QUERY SELECT * FROM ruad.outcome(mails, work);
END
$$;

-- The next stored mail after that id, received since then, with an item of that code; NULL is any.
CREATE FUNCTION ruad.kept_after(after bigint, since timestamptz DEFAULT NULL, code text DEFAULT NULL)
RETURNS TABLE (mail_id bigint, received_at timestamptz, source text, name text, envelope_from text, recipients jsonb,
	raw bytea)
LANGUAGE plpgsql STABLE
AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	SELECT m.id, m.received_at, m.source, m.name, m.envelope_from, m.recipients, k.raw
	FROM ruad.raw k JOIN ruad.mail m ON m.id = k.mail
	WHERE k.mail > coalesce(kept_after.after, 0)
		AND (kept_after.since IS NULL OR m.received_at >= kept_after.since)
		AND (kept_after.code IS NULL OR EXISTS (SELECT 1 FROM ruad.item i WHERE i.mail = m.id
			AND i.code = kept_after.code))
	ORDER BY k.mail
	LIMIT 1;
END
$$;

-- The sum of the bytes of the mails that kept_after() returns.
CREATE FUNCTION ruad.kept_bytes(since timestamptz DEFAULT NULL, code text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (SELECT coalesce(sum(octet_length(k.raw)), 0)
		FROM ruad.raw k JOIN ruad.mail m ON m.id = k.mail
		WHERE (kept_bytes.since IS NULL OR m.received_at >= kept_bytes.since)
			AND (kept_bytes.code IS NULL OR EXISTS (SELECT 1 FROM ruad.item i WHERE i.mail = m.id
				AND i.code = kept_bytes.code)));
END
$$;
