-- aggregate.sql - stores new aggregate reports and compares the others with the stored ones.

-- Store the reports that are new. They are sorted, so that two sessions with the same reports wait for each other
-- instead of deadlocking; the unique key lets one of them store each. Returns the ids of the stored reports.
CREATE FUNCTION ruad.insert_reports(work ruad.judged[]) RETURNS bigint[]
LANGUAGE plpgsql
AS $$
DECLARE
	stored bigint[];
BEGIN
	WITH new AS (
		INSERT INTO ruad.report (begin, "end", id, mail, received_at, records, messages, pass, day, domain_id,
			reporter_id, pct, partial, key, sha256, authentic, dialect, version, xmlns, email, extra_contact_info,
			report_id, error, generator, adkim, aspf, p, sp, np, fo, testing, discovery_method, notes, record_notes)
		SELECT i.begin, i."end", w.report, w.mail, w.received_at, i.records, i.messages, i.pass, w.day,
			w.domain_id, w.reporter_id, i.pct, i.partial IS TRUE, w.key, i.sha256, ruad.verdict(w.authentic),
			coalesce(i.dialect, 'draft'), i.version, i.xmlns, i.email, i.extra_contact_info, i.report_id, i.error,
			i.generator, i.adkim, i.aspf, i.p, i.sp, i.np, i.fo, i.testing, i.discovery_method, i.notes, i.record_notes
		FROM unnest(work) w CROSS JOIN LATERAL (SELECT (w.item).*) i
		WHERE w.status IS NULL AND w.nth = 1
		ORDER BY w.domain_id, w.day, w.key
		ON CONFLICT DO NOTHING
		RETURNING id, day, domain_id
	), tail AS (
		INSERT INTO ruad.unsummed (report, day, domain_id) SELECT n.id, n.day, n.domain_id FROM new n
	)
	SELECT coalesce(array_agg(n.id), '{}') INTO stored FROM new n;
	RETURN stored;
END
$$;

-- Update a stored report with all values of the item except key and id.
CREATE FUNCTION ruad.renew_report(w ruad.judged) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	i ruad.new_item := w.item;
BEGIN
	UPDATE ruad.report r SET mail = w.mail, received_at = w.received_at, records = i.records, messages = i.messages,
		pass = i.pass, reporter_id = w.reporter_id, pct = i.pct, sha256 = i.sha256,
		dialect = coalesce(i.dialect, 'draft'), version = i.version, xmlns = i.xmlns, email = i.email,
		extra_contact_info = i.extra_contact_info, report_id = i.report_id, error = i.error, generator = i.generator,
		adkim = i.adkim, aspf = i.aspf, p = i.p, sp = i.sp, np = i.np, fo = i.fo, testing = i.testing,
		discovery_method = i.discovery_method, notes = i.notes, record_notes = i.record_notes,
		partial = i.partial IS TRUE, authentic = ruad.verdict(w.authentic)
	WHERE r.domain_id = w.domain_id AND r.day = w.day AND r.id = w.report;
END
$$;

-- Returns whether a report replaces a stored one with the same key. Anyone can send a report, so an authenticated one
-- replaces one that is not, and never the other way round. Otherwise a truncated report is replaced by a complete or
-- longer one.
CREATE FUNCTION ruad.is_better(authentic text, partial boolean, records bigint, stored_authentic text,
	stored_partial boolean, stored_records bigint) RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$
	SELECT CASE WHEN (authentic = 'pass') <> (stored_authentic = 'pass') THEN authentic = 'pass'
		ELSE stored_partial AND (NOT partial OR records > stored_records) END
$$;

-- Update the ledger after a report was replaced: the mail that brought it now holds a duplicate. If its content
-- contradicted an authenticated report, it and its copies say so; the bytes of their mails were not kept. Earlier mails
-- in conflict with the replaced report may have the content that is stored now. Returns the mails with changed items.
CREATE FUNCTION ruad.replace_items(report bigint, mail bigint, old_mail bigint, sha256 bytea, old_sha256 bytea,
	contradicted boolean) RETURNS bigint[]
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
DECLARE
	settled bigint[];
BEGIN
	IF old_mail = replace_items.mail THEN
		DELETE FROM ruad.item i WHERE i.mail = old_mail AND i.report = replace_items.report AND i.status = 'stored';
	ELSE
		UPDATE ruad.item i SET status = 'duplicate', code = NULL, reason = NULL
		WHERE i.mail = old_mail AND i.report = replace_items.report AND i.status = 'stored';
	END IF;
	IF contradicted THEN
		UPDATE ruad.item i SET code = 'replaced', reason = ruad.fault_words('replaced', i.kind, NULL)
		WHERE i.report = replace_items.report AND i.status = 'duplicate' AND i.code IS NULL AND i.sha256 = old_sha256;
	END IF;
	WITH same AS (
		UPDATE ruad.item i SET status = 'duplicate', code = NULL, reason = NULL
		WHERE i.report = replace_items.report AND i.status IN ('duplicate', 'conflict') AND i.code IS NOT NULL
			AND i.sha256 = replace_items.sha256
		RETURNING i.mail
	)
	SELECT array_agg(s.mail) INTO settled FROM same s;
	RETURN array_prepend(old_mail, settled);
END
$$;

-- Replace stored reports by better ones with the same key. The row keeps its id, and everything else changes: its
-- records are deleted, and their sums become stale. Mails whose items changed may not need their bytes any more:
-- replaced lists them. The lock on the row makes two sessions with better copies wait for each other; the second then
-- compares with the result of the first. An excluded report is not replaced: a copy would count again.
CREATE FUNCTION ruad.replace_reports(INOUT work ruad.judged[], OUT replaced bigint[])
LANGUAGE plpgsql
AS $$
DECLARE
	better record;
	old record;
BEGIN
	replaced := '{}';
	FOR better IN
		SELECT w.ordinality AS k, w.mail, w.domain_id, w.day, w.key, (w.item).records, (w.item).sha256,
			(w.item).partial IS TRUE AS partial, ruad.verdict(w.authentic) AS authentic
		FROM unnest(work) WITH ORDINALITY w
		WHERE w.status IS NULL AND w.nth = 1 AND (SELECT r.exclusion IS NULL
				AND ruad.is_better(ruad.verdict(w.authentic), (w.item).partial IS TRUE, (w.item).records, r.authentic,
					r.partial, r.records)
			FROM ruad.report r WHERE r.domain_id = w.domain_id AND r.day = w.day AND r.key = w.key)
		ORDER BY w.domain_id, w.day, w.key
	LOOP
		SELECT r.id, r.mail, r.partial, r.records, r.authentic, r.sha256, r.exclusion INTO old FROM ruad.report r
		WHERE r.domain_id = better.domain_id AND r.day = better.day AND r.key = better.key
		FOR UPDATE;
		CONTINUE WHEN old.exclusion IS NOT NULL OR ruad.is_better(better.authentic, better.partial, better.records,
			old.authentic, old.partial, old.records) IS NOT TRUE;

		DELETE FROM ruad.record r WHERE r.domain_id = better.domain_id AND r.day = better.day AND r.report = old.id;
		INSERT INTO ruad.stale (domain_id, day) VALUES (better.domain_id, ruad.month_of(better.day));
		replaced := replaced || ruad.replace_items(old.id, better.mail, old.mail, better.sha256, old.sha256,
			NOT old.partial AND better.sha256 <> old.sha256);
		work[better.k].status := 'stored';
		work[better.k].report := old.id;
		PERFORM ruad.renew_report(work[better.k]);
	END LOOP;
END
$$;

-- Decide the remaining items, whose key is known: the same content or a truncated copy is a duplicate, other content
-- a conflict.
CREATE FUNCTION ruad.compare_reports(work ruad.judged[]) RETURNS ruad.judged[]
LANGUAGE plpgsql
AS $$
DECLARE
	known record;
BEGIN
	FOR k IN 1 .. cardinality(work) LOOP
		CONTINUE WHEN work[k].status IS NOT NULL;
		SELECT r.id, r.sha256 = (work[k].item).sha256 OR (work[k].item).partial IS TRUE AS same INTO known
		FROM ruad.report r
		WHERE r.domain_id = work[k].domain_id AND r.day = work[k].day AND r.key = work[k].key;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'a report was removed while its copy was received' USING ERRCODE = 'serialization_failure';
		END IF;
		work[k].report := known.id;
		work[k].status := CASE WHEN known.same THEN 'duplicate' ELSE 'conflict' END;
		work[k].code := CASE WHEN NOT known.same THEN 'conflict' END;
	END LOOP;
	RETURN ruad.known_conflicts(work);
END
$$;

-- Store aggregate reports. replaced: the mails whose report was replaced by a better copy.
CREATE FUNCTION ruad.ingest_aggregate(INOUT work ruad.judged[], OUT replaced bigint[])
LANGUAGE plpgsql
AS $$
BEGIN
	replaced := '{}';
	work := ruad.mark_stored(work, ruad.insert_reports(work));
	IF EXISTS (SELECT 1 FROM unnest(work) w WHERE w.status IS NULL) THEN
		SELECT r.work, r.replaced INTO work, replaced FROM ruad.replace_reports(work) r;
		work := ruad.compare_reports(work);
	END IF;
END
$$;
