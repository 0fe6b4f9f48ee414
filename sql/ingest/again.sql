-- again.sql - mail whose bytes were kept is read again, by a parser that may know more: `ruad reprocess`.

-- Add things to a mail's part of the ledger, under their numbers where these are free, else behind the last one.
CREATE FUNCTION ruad.ledger_add(to_mail bigint, things ruad.item[]) RETURNS void
LANGUAGE sql
AS $$
	INSERT INTO ruad.item (mail, item_no, kind, status, place, code, reason, report, sha256, partial)
	SELECT to_mail, CASE WHEN EXISTS (SELECT FROM ruad.item i WHERE i.mail = to_mail AND i.item_no = t.item_no)
		THEN last.no + t.ord::integer ELSE t.item_no END, t.kind, t.status, t.place, t.code, t.reason, t.report, t.sha256, t.partial
	FROM unnest(things) WITH ORDINALITY AS t(mail, item_no, kind, status, place, code, reason, report, sha256, partial, ord)
	CROSS JOIN (SELECT max(no) AS no FROM (SELECT i.item_no FROM ruad.item i WHERE i.mail = to_mail
		UNION ALL SELECT u.item_no FROM unnest(things) u) AS n(no)) AS last
$$;

-- Whether an item says that something was set aside or in conflict, or repeats such an item of another mail.
CREATE FUNCTION ruad.is_open(status text, code text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT status IN ('quarantined', 'conflict') OR status = 'duplicate' AND code IS NOT NULL $$;

-- Whether a report of any kind is stored. A body that the planner can inline, so that it may hash where many are asked for.
CREATE FUNCTION ruad.is_there(report bigint) RETURNS boolean
LANGUAGE sql STABLE
AS $$
	SELECT EXISTS (SELECT FROM ruad.report r WHERE r.id = is_there.report)
		OR EXISTS (SELECT FROM ruad.failure f WHERE f.id = is_there.report)
		OR EXISTS (SELECT FROM ruad.tls t WHERE t.id = is_there.report)
$$;

-- Take the staged mails under their old ids, and their open items and those of reports that were pruned out of the ledger. A mail whose bytes are not kept any more is passed
-- over: another session was faster. The lock makes sessions with the same mail queue.
CREATE FUNCTION ruad.again_begin() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM FROM ruad.mail m WHERE m.id IN (SELECT s.again FROM pg_temp.stage_mail s) ORDER BY m.id FOR UPDATE;
	IF EXISTS (SELECT FROM pg_temp.stage_mail s JOIN ruad.raw r ON r.mail = s.again WHERE r.sha256 IS DISTINCT FROM s.sha256) THEN
		RAISE EXCEPTION 'these are not the bytes that are kept' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	DELETE FROM pg_temp.stage_item i USING pg_temp.stage_mail s
	WHERE i.mail_no = s.mail_no AND NOT EXISTS (SELECT FROM ruad.raw r WHERE r.mail = s.again);

	INSERT INTO pg_temp.work_mail (mail_no, mail) SELECT s.mail_no, s.again FROM pg_temp.stage_mail s;
	UPDATE pg_temp.stage_mail s SET received_at = m.received_at FROM ruad.mail m WHERE m.id = s.again;
	DELETE FROM ruad.item i USING pg_temp.stage_mail s
	WHERE i.mail = s.again AND (ruad.is_open(i.status, i.code) OR NOT ruad.is_there(i.report))
		AND EXISTS (SELECT FROM ruad.raw r WHERE r.mail = s.again);
END
$$;

-- Write down what was found in a mail: all but reports that an item of it stands for already.
CREATE FUNCTION ruad.again_ledger(of_mail bigint) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM ruad.ledger_add(of_mail, ARRAY(SELECT f FROM ruad.ingest_findings() f
		WHERE f.mail = of_mail AND NOT (f.status = 'duplicate' AND f.code IS NULL
			AND EXISTS (SELECT FROM ruad.item i WHERE i.mail = of_mail AND i.report = f.report))
		ORDER BY f.item_no));
	UPDATE ruad.mail m SET message_id = coalesce(s.message_id, m.message_id), subject = coalesce(s.subject, m.subject),
		header_from = coalesce(s.header_from, m.header_from), authentic = coalesce(nullif(ruad.verdict(s.authentic), 'none'), m.authentic)
	FROM pg_temp.stage_mail s WHERE m.id = of_mail AND s.again = of_mail;
END
$$;

-- Let a mail with the same bytes follow: its open items are replaced by copies of those of the mail that was read.
CREATE FUNCTION ruad.again_follow(of_mail bigint, follower bigint) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	DELETE FROM ruad.item i WHERE i.mail = follower AND ruad.is_open(i.status, i.code);
	PERFORM ruad.ledger_add(follower, ARRAY(
		SELECT ROW(follower, i.item_no, i.kind, 'duplicate', i.place, CASE WHEN ruad.is_open(i.status, i.code) THEN i.code END,
			CASE WHEN ruad.is_open(i.status, i.code) THEN i.reason END, i.report, i.sha256, i.partial)::ruad.item
		FROM ruad.item i
		WHERE i.mail = of_mail AND (ruad.is_open(i.status, i.code)
			OR NOT EXISTS (SELECT FROM ruad.item f WHERE f.mail = follower AND f.report = i.report))
		ORDER BY i.item_no));
END
$$;

-- Take in what is staged: mails that were read again. As ruad.ingest(), once per transaction, for ruad_owner.
CREATE FUNCTION ruad.ingest_again()
RETURNS TABLE (mail_no integer, mail_id bigint, stored integer, duplicates integer, conflicts integer, unreadable integer,
	keep_raw boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	mails bigint[];
	replaced bigint[];
BEGIN
	PERFORM ruad.stage_check();
	mails := ARRAY(SELECT s.again FROM pg_temp.stage_mail s ORDER BY s.again);
	IF EXISTS (SELECT FROM unnest(mails) AS u(mail) GROUP BY u.mail HAVING u.mail IS NULL OR count(*) > 1) THEN
		RAISE EXCEPTION 'only mail that was read again, each once, is for ingest_again()'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'call ruad.ingest()';
	END IF;
	PERFORM ruad.again_begin();
	PERFORM ruad.ingest_references();
	replaced := ruad.ingest_items();
	-- from here on no session adds a mail with these bytes: all that did are seen
	PERFORM FROM ruad.raw r WHERE r.mail = ANY (mails) ORDER BY r.sha256 FOR UPDATE;
	PERFORM ruad.again_ledger(m.mail) FROM unnest(mails) AS m(mail);
	PERFORM ruad.again_follow(m.raw, m.id) FROM ruad.mail m WHERE m.raw = ANY (mails) AND m.id <> m.raw;
	PERFORM ruad.release_raw(mails || replaced);
	RETURN QUERY SELECT * FROM ruad.ingest_outcome();
END
$$;

-- The next mail behind that id whose bytes are kept: received since, with an item of that code; NULL is any.
CREATE FUNCTION ruad.kept_after(after bigint, since timestamptz DEFAULT NULL, code text DEFAULT NULL)
RETURNS TABLE (mail_id bigint, received_at timestamptz, source text, name text, envelope_from text, recipients jsonb, raw bytea)
LANGUAGE sql STABLE
AS $$
	SELECT m.id, m.received_at, m.source, m.name, m.envelope_from, m.recipients, k.raw
	FROM ruad.raw k JOIN ruad.mail m ON m.id = k.mail
	WHERE k.mail > coalesce(kept_after.after, 0)
		AND (kept_after.since IS NULL OR m.received_at >= kept_after.since)
		AND (kept_after.code IS NULL OR EXISTS (SELECT FROM ruad.item i WHERE i.mail = m.id AND i.code = kept_after.code))
	ORDER BY k.mail
	LIMIT 1
$$;
