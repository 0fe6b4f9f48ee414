-- aggregate.sql - aggregate reports: judged, stored, compared with those that are known; and their records.

-- Judge the items, but those that come as JSON: what is unreadable, or not what a parser in its right mind sends, is quarantined; the
-- rest gets its key. nth counts the items of the batch that have the same key: a whole report first, of partial ones the longest.
CREATE FUNCTION ruad.ingest_judge() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO pg_temp.work_item (mail_no, item_no, mail, report, begin, domain_id, reporter_id, key, nth, records, messages, pass,
		status, code)
	SELECT j.mail_no, j.item_no, j.mail, CASE WHEN j.status IS NULL THEN nextval('ruad.report_id_seq') END, j.begin, j.domain_id,
		j.reporter_id, j.key, row_number() OVER (PARTITION BY j.status, j.domain_id, j.begin, j.key
			ORDER BY j.partial, CASE WHEN j.partial THEN -j.records END, j.mail_no, j.item_no),
		j.records, j.messages, j.pass, j.status, j.code
	FROM (
		SELECT i.mail_no, i.item_no, m.mail, i.begin, i.partial IS TRUE AS partial,
			(SELECT d.id FROM ruad.domain d WHERE d.name = i.domain) AS domain_id,
			(SELECT o.id FROM ruad.reporter o WHERE o.org_name_hash = ruad.text_hash(i.org_name)) AS reporter_id,
			ruad.report_key(i.org_name, i.email, i.report_id, i."end") AS key,
			coalesce(r.records, 0) AS records,
			least(coalesce(r.messages, 0), 9223372036854775807) AS messages,
			least(coalesce(r.pass, 0), 9223372036854775807) AS pass,
			CASE WHEN i.kind = 'aggregate' AND fault.code IS NULL THEN NULL ELSE 'quarantined' END AS status,
			fault.code
		FROM pg_temp.stage_item i
		LEFT JOIN pg_temp.work_mail m ON m.mail_no = i.mail_no
		LEFT JOIN (
			SELECT s.mail_no, s.item_no, count(*) AS records, sum(s.count) AS messages, min(s.count) AS fewest,
				sum(s.count) FILTER (WHERE s.dkim = 'pass' OR s.spf = 'pass') AS pass
			FROM pg_temp.stage_record s GROUP BY 1, 2
		) r ON r.mail_no = i.mail_no AND r.item_no = i.item_no
		CROSS JOIN LATERAL (SELECT CASE
			WHEN i.kind IS DISTINCT FROM 'aggregate' THEN NULL -- the parser gave code and reason
			WHEN i.domain IS NULL OR octet_length(i.domain) NOT BETWEEN 1 AND 255 THEN 'incomplete'
			WHEN i.begin IS NULL OR i."end" IS NULL OR i.sha256 IS NULL THEN 'incomplete'
			WHEN i.records <> coalesce(r.records, 0) OR r.fewest < 0 THEN 'inconsistent'
			END AS code) AS fault
		WHERE i.kind IS NULL OR i.kind NOT IN ('failure', 'feedback', 'tls')
	) j;
END
$$;

-- Give a stored report all that the item says, but key and id.
CREATE FUNCTION ruad.ingest_renew(of_mail integer, of_item integer) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	UPDATE ruad.report r SET mail = w.mail, received_at = m.received_at, records = w.records, messages = w.messages, pass = w.pass,
		reporter_id = w.reporter_id, pct = i.pct, sha256 = i.sha256, dialect = coalesce(i.dialect, 'draft'), version = i.version,
		xmlns = i.xmlns, email = i.email, extra_contact_info = i.extra_contact_info, report_id = i.report_id, error = i.error,
		generator = i.generator, adkim = i.adkim, aspf = i.aspf, p = i.p, sp = i.sp, np = i.np, fo = i.fo, testing = i.testing,
		discovery_method = i.discovery_method, notes = i.notes, partial = i.partial IS TRUE, authentic = ruad.verdict(m.authentic)
	FROM pg_temp.work_item w
	JOIN pg_temp.stage_item i ON i.mail_no = w.mail_no AND i.item_no = w.item_no
	JOIN pg_temp.stage_mail m ON m.mail_no = w.mail_no
	WHERE w.mail_no = of_mail AND w.item_no = of_item
		AND r.domain_id = w.domain_id AND r.begin = w.begin AND r.id = w.report;
END
$$;

-- Let a report take the place of the stored one with its key that broke off, if it is whole or has more records. The row keeps its id
-- and changes all else; its records go. The mail that had brought it holds a copy from now on, and may need its bytes no longer: the result.
-- The lock on the row makes two sessions with better copies queue; the second then finds what the first made of it.
CREATE FUNCTION ruad.ingest_replace() RETURNS bigint[]
LANGUAGE plpgsql
AS $$
DECLARE
	better record;
	old record;
	mails bigint[] := '{}';
BEGIN
	FOR better IN
		SELECT w.mail_no, w.item_no, w.mail, w.domain_id, w.begin, w.key, w.records, i.partial IS TRUE AS partial
		FROM pg_temp.work_item w JOIN pg_temp.stage_item i ON i.mail_no = w.mail_no AND i.item_no = w.item_no
		WHERE w.status IS NULL AND w.nth = 1 AND (SELECT r.partial FROM ruad.report r
			WHERE r.domain_id = w.domain_id AND r.begin = w.begin AND r.key = w.key)
		ORDER BY w.domain_id, w.begin, w.key
	LOOP
		SELECT r.id, r.mail, r.partial, r.records INTO old FROM ruad.report r
		WHERE r.domain_id = better.domain_id AND r.begin = better."begin" AND r.key = better.key
		FOR UPDATE;
		CONTINUE WHEN old.partial IS NOT TRUE OR (better.partial AND better.records <= old.records);

		DELETE FROM ruad.record r WHERE r.domain_id = better.domain_id AND r.begin = better."begin" AND r.report = old.id;
		IF old.mail = better.mail THEN
			DELETE FROM ruad.item i WHERE i.mail = old.mail AND i.report = old.id AND i.status = 'stored';
		ELSE
			UPDATE ruad.item i SET status = 'duplicate', code = NULL, reason = NULL
			WHERE i.mail = old.mail AND i.report = old.id AND i.status = 'stored';
		END IF;
		UPDATE pg_temp.work_item w SET status = 'stored', report = old.id
		WHERE w.mail_no = better.mail_no AND w.item_no = better.item_no;
		PERFORM ruad.ingest_renew(better.mail_no, better.item_no);
		mails := mails || old.mail;
	END LOOP;
	RETURN mails;
END
$$;

CREATE FUNCTION ruad.ingest_reports() RETURNS bigint[]
LANGUAGE plpgsql
AS $$
DECLARE
	replaced bigint[] := '{}';
BEGIN
	WITH new AS (
		INSERT INTO ruad.report (begin, "end", id, mail, received_at, records, messages, pass, domain_id, reporter_id, pct, key,
			sha256, dialect, version, xmlns, email, extra_contact_info, report_id, error, generator, adkim, aspf, p, sp, np, fo,
			testing, discovery_method, notes, partial, authentic)
		SELECT i.begin, i."end", w.report, w.mail, m.received_at, w.records, w.messages, w.pass, w.domain_id, w.reporter_id, i.pct,
			w.key, i.sha256, coalesce(i.dialect, 'draft'), i.version, i.xmlns, i.email, i.extra_contact_info, i.report_id, i.error,
			i.generator, i.adkim, i.aspf, i.p, i.sp, i.np, i.fo, i.testing, i.discovery_method, i.notes, i.partial IS TRUE,
			ruad.verdict(m.authentic)
		FROM pg_temp.work_item w
		JOIN pg_temp.stage_item i ON i.mail_no = w.mail_no AND i.item_no = w.item_no
		JOIN pg_temp.stage_mail m ON m.mail_no = w.mail_no
		WHERE w.status IS NULL AND w.nth = 1
		ORDER BY w.domain_id, w.begin, w.key
		ON CONFLICT DO NOTHING
		RETURNING id
	)
	UPDATE pg_temp.work_item w SET status = 'stored' FROM new WHERE w.report = new.id;

	IF EXISTS (SELECT FROM pg_temp.work_item w WHERE w.status IS NULL) THEN
		replaced := ruad.ingest_replace();
		PERFORM ruad.ingest_repeats();
	END IF;
	RETURN replaced;
END
$$;

-- The same key is known: the same content, or one that breaks off, is a duplicate, other content a conflict.
CREATE FUNCTION ruad.ingest_repeats() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	UPDATE pg_temp.work_item w SET (status, code, report) = (
		SELECT CASE WHEN same.one THEN 'duplicate' ELSE 'conflict' END, CASE WHEN NOT same.one THEN 'conflict' END, r.id
		FROM ruad.report r
		CROSS JOIN LATERAL (SELECT r.sha256 = i.sha256 OR i.partial IS TRUE AS one) same
		WHERE r.domain_id = w.domain_id AND r.begin = w.begin AND r.key = w.key)
	FROM pg_temp.stage_item i
	WHERE w.status IS NULL AND i.mail_no = w.mail_no AND i.item_no = w.item_no;

	IF EXISTS (SELECT FROM pg_temp.work_item w WHERE w.status IS NULL) THEN
		RAISE EXCEPTION 'a report was removed while its copy came in' USING ERRCODE = 'serialization_failure';
	END IF;
	PERFORM ruad.ingest_known_conflicts();
END
$$;

-- A conflict that is known is a duplicate.
CREATE FUNCTION ruad.ingest_known_conflicts() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	UPDATE pg_temp.work_item w SET status = 'duplicate'
	FROM pg_temp.stage_item i
	WHERE w.status = 'conflict' AND i.mail_no = w.mail_no AND i.item_no = w.item_no AND (
		EXISTS (SELECT FROM ruad.item k WHERE k.report = w.report AND k.status = 'conflict' AND k.sha256 = i.sha256)
		OR EXISTS (SELECT FROM pg_temp.work_item e
			JOIN pg_temp.stage_item k ON k.mail_no = e.mail_no AND k.item_no = e.item_no
			WHERE e.report = w.report AND e.status = 'conflict' AND k.sha256 = i.sha256
			AND (e.mail_no, e.item_no) < (w.mail_no, w.item_no)));
END
$$;

-- The records of the reports that are new or renewed. A condition more makes the planner, who knows nothing of the staging tables, take twice
-- the time over this: records of other kinds are removed by ingest_judge_content().
CREATE FUNCTION ruad.ingest_records() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO ruad.record (begin, report, count, domain_id, reporter_id, record_no, source_ip, class, disposition, dkim, spf, reason,
		header_from, envelope_from, envelope_to, auth_results, notes)
	SELECT w.begin, w.report, r.count, w.domain_id, w.reporter_id, r.record_no, r.source_ip,
		ruad.record_class(r.dkim, r.spf, r.reason, coalesce(r.header_from, i.domain), r.auth_results),
		r.disposition, r.dkim, r.spf, r.reason, r.header_from, r.envelope_from, r.envelope_to, r.auth_results, r.notes
	FROM pg_temp.stage_record r
	JOIN pg_temp.work_item w ON w.mail_no = r.mail_no AND w.item_no = r.item_no AND w.status = 'stored'
	JOIN pg_temp.stage_item i ON i.mail_no = w.mail_no AND i.item_no = w.item_no;
END
$$;
