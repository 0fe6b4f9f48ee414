-- 0007_ingest - ingest() takes in failure and TLS reports, and lets a whole report replace one that broke off.
--
-- The steps of 0003 that change are here whole. Locks are taken in one order by all sessions: domain, reporter, partitions, report,
-- failure_seen, tls, raw, each sorted by its key; whoever replaces a report or removes raw bytes does that behind the step's inserts.

SET LOCAL ROLE ruad_owner;

-- As in 0003, with columns for what is new. They have defaults: an older ruad-ingest does not name them, and a session of it that was
-- open while this migration ran gets them from stage_check().
CREATE OR REPLACE FUNCTION ruad.stage_open() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning
AS $$
BEGIN
	CREATE TEMPORARY TABLE IF NOT EXISTS stage_mail (
		mail_no integer, received_at timestamptz, source text, name text, envelope_from text, recipients jsonb, size bigint,
		sha256 bytea, message_id text, subject text, header_from text, authentic text DEFAULT 'none', again bigint
	) ON COMMIT DELETE ROWS;
	CREATE TEMPORARY TABLE IF NOT EXISTS stage_item (
		mail_no integer, item_no integer, kind text, place text, code text, reason text,
		dialect text, version text, xmlns text, org_name text, email text, extra_contact_info text, report_id text,
		begin timestamptz, "end" timestamptz, error jsonb, generator text,
		domain text, adkim text, aspf text, p text, sp text, np text, pct smallint, fo text, testing text,
		discovery_method text, records bigint, sha256 bytea, notes jsonb, partial boolean DEFAULT false, content jsonb
	) ON COMMIT DELETE ROWS;
	CREATE TEMPORARY TABLE IF NOT EXISTS stage_record (
		mail_no integer, item_no integer, record_no integer, source_ip inet, count bigint, disposition text, dkim text, spf text,
		reason jsonb, header_from text, envelope_from text, envelope_to text, auth_results jsonb, notes jsonb
	) ON COMMIT DELETE ROWS;
	-- What ingest() finds out, a row per mail and per item. They have no index and, their values being short, no TOAST table:
	-- each would have to be emptied at every commit.
	CREATE TEMPORARY TABLE IF NOT EXISTS work_mail (mail_no integer, mail bigint NOT NULL) ON COMMIT DELETE ROWS;
	CREATE TEMPORARY TABLE IF NOT EXISTS work_item (
		mail_no integer, item_no integer, mail bigint NOT NULL, report bigint, begin timestamptz, domain_id integer,
		reporter_id integer, key uuid, nth bigint, records bigint, messages bigint, pass bigint,
		status varchar(16), code varchar(16)
	) ON COMMIT DELETE ROWS;
	PERFORM ruad.stage_check();
	GRANT INSERT ON pg_temp.stage_mail, pg_temp.stage_item, pg_temp.stage_record TO ruad_ingest;
END
$$;

-- Refuse staging tables that somebody else made: their triggers and defaults would run with our rights. Add the columns that tables of
-- 0003 lack.
CREATE OR REPLACE FUNCTION ruad.stage_check() RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	tables integer;
	columns integer;
BEGIN
	SELECT count(*), sum(relnatts) FILTER (WHERE relname IN ('stage_mail', 'stage_item')) INTO tables, columns
	FROM pg_catalog.pg_class
	WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r' AND relowner = CURRENT_USER::regrole
		AND relname IN ('stage_mail', 'stage_item', 'stage_record', 'work_mail', 'work_item');
	IF tables <> 5 THEN
		RAISE EXCEPTION 'the staging tables are missing or not ours'
			USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'call ruad.stage_open() first, once a session';
	END IF;
	IF columns < 45 THEN
		ALTER TABLE pg_temp.stage_mail ADD COLUMN authentic text DEFAULT 'none', ADD COLUMN again bigint;
		ALTER TABLE pg_temp.stage_item ADD COLUMN partial boolean DEFAULT false, ADD COLUMN content jsonb;
	END IF;
END
$$;

-- The verdict of our MTA in the words of ruad.mail.
CREATE FUNCTION ruad.verdict(authentic text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN authentic IN ('pass', 'fail') THEN authentic ELSE 'none' END $$;

-- When a failure report begins: when the message arrived, if the reporter's clock can be believed.
CREATE FUNCTION ruad.failure_begin(content jsonb, received_at timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE
AS $$
	SELECT CASE WHEN t.at >= '2004-01-01 00:00:00+00' AND t.at <= received_at + interval '2 days' THEN t.at ELSE received_at END
	FROM (SELECT ruad.json_time(content -> 'arrival_time') AS at) t
$$;

-- The domains that the reports of the batch are about.
CREATE FUNCTION ruad.staged_domains() RETURNS SETOF text
LANGUAGE plpgsql
AS $$
BEGIN
	RETURN QUERY
		SELECT i.domain FROM pg_temp.stage_item i WHERE i.kind = 'aggregate' AND octet_length(i.domain) BETWEEN 1 AND 255
		UNION
		SELECT ruad.failure_domain(i.content) FROM pg_temp.stage_item i WHERE i.kind IN ('failure', 'feedback')
		UNION
		SELECT unnest(ruad.tls_domains(i.content)) FROM pg_temp.stage_item i WHERE i.kind = 'tls';
END
$$;

-- Who sent them.
CREATE FUNCTION ruad.staged_reporters() RETURNS SETOF text
LANGUAGE plpgsql
AS $$
BEGIN
	RETURN QUERY
		SELECT i.org_name FROM pg_temp.stage_item i WHERE i.kind = 'aggregate'
		UNION
		SELECT ruad.json_text(i.content -> 'organization_name') FROM pg_temp.stage_item i WHERE i.kind = 'tls';
END
$$;

-- The months that the batch needs, each with the tables.
CREATE FUNCTION ruad.staged_months() RETURNS TABLE (at timestamptz, parents text[])
LANGUAGE plpgsql
AS $$
BEGIN
	RETURN QUERY
		SELECT date_trunc('month', i.begin, 'UTC'), '{report,record}'::text[] FROM pg_temp.stage_item i WHERE i.kind = 'aggregate'
		UNION
		SELECT date_trunc('month', ruad.failure_begin(i.content, m.received_at), 'UTC'), '{failure}'::text[]
		FROM pg_temp.stage_item i JOIN pg_temp.stage_mail m ON m.mail_no = i.mail_no WHERE i.kind IN ('failure', 'feedback')
		UNION
		SELECT date_trunc('month', ruad.json_time(i.content -> 'date_range' -> 'start_datetime'), 'UTC'), '{tls,tls_policy}'::text[]
		FROM pg_temp.stage_item i WHERE i.kind = 'tls';
END
$$;

-- Names and partitions that the batch needs and that are not there yet.
CREATE OR REPLACE FUNCTION ruad.ingest_references() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO ruad.domain (name)
	SELECT s.name FROM ruad.staged_domains() AS s(name)
	WHERE s.name IS NOT NULL AND (SELECT d.id FROM ruad.domain d WHERE d.name = s.name) IS NULL
	ORDER BY 1
	ON CONFLICT DO NOTHING;

	INSERT INTO ruad.reporter (org_name, org_name_hash)
	SELECT s.org_name, ruad.text_hash(s.org_name) AS hash
	FROM ruad.staged_reporters() AS s(org_name)
	WHERE s.org_name IS NOT NULL
		AND (SELECT r.id FROM ruad.reporter r WHERE r.org_name_hash = ruad.text_hash(s.org_name)) IS NULL
	ORDER BY hash
	ON CONFLICT DO NOTHING;

	PERFORM ruad.ensure_partition(m.at, m.parents)
	FROM (SELECT s.at, s.parents FROM ruad.staged_months() s WHERE s.at IS NOT NULL ORDER BY s.at, s.parents) m;
END
$$;

-- Number the mails.
CREATE FUNCTION ruad.ingest_mails() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO pg_temp.work_mail (mail_no, mail)
	SELECT m.mail_no, nextval('ruad.mail_id_seq') FROM pg_temp.stage_mail m;
END
$$;

-- Judge the items, but those that come as JSON: what is unreadable, or not what a parser in its right mind sends, is quarantined; the
-- rest gets its key. nth counts the items of the batch that have the same key: a whole report first, of partial ones the longest.
CREATE OR REPLACE FUNCTION ruad.ingest_judge() RETURNS void
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

-- Store the reports that are new; tell the others from what is there. Sorted, so that two sessions with the same reports wait for
-- each other instead of deadlocking; the unique key makes one of them lose. Returns what ingest_replace() does.
DROP FUNCTION ruad.ingest_reports();
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
CREATE OR REPLACE FUNCTION ruad.ingest_repeats() RETURNS void
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

-- Judge the items that come as JSON, as ingest_judge() does the others; they have no records. Where a failure report begins is decided here.
CREATE FUNCTION ruad.ingest_judge_content() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	DELETE FROM pg_temp.stage_record r USING pg_temp.stage_item i
	WHERE i.mail_no = r.mail_no AND i.item_no = r.item_no AND i.kind IN ('failure', 'feedback', 'tls');

	INSERT INTO pg_temp.work_item (mail_no, item_no, mail, report, begin, domain_id, reporter_id, key, nth, status, code)
	SELECT j.mail_no, j.item_no, j.mail, CASE WHEN j.code IS NULL THEN nextval('ruad.report_id_seq') END, j.begin, j.domain_id,
		j.reporter_id, j.key, row_number() OVER (PARTITION BY j.code, j.tls, j.domain_id, j.begin, j.key
			ORDER BY j.mail_no, j.item_no),
		CASE WHEN j.code IS NOT NULL THEN 'quarantined' END, j.code
	FROM (
		SELECT i.mail_no, i.item_no, w.mail, true AS tls, h.begin, k.code,
			coalesce((SELECT d.id FROM ruad.domain d WHERE d.name = h.domains[1]), 0) AS domain_id,
			(SELECT o.id FROM ruad.reporter o WHERE o.org_name_hash = ruad.text_hash(h.organization_name)) AS reporter_id,
			CASE WHEN k.code IS NULL THEN
				ruad.tls_key(h.organization_name, ruad.json_text(i.content -> 'report_id'), h."end", h.domains) END AS key
		FROM pg_temp.stage_item i
		JOIN pg_temp.work_mail w ON w.mail_no = i.mail_no
		CROSS JOIN LATERAL (SELECT ruad.tls_domains(i.content), ruad.json_text(i.content -> 'organization_name'),
			ruad.json_time(i.content -> 'date_range' -> 'start_datetime'), ruad.json_time(i.content -> 'date_range' -> 'end_datetime')
			OFFSET 0) AS h(domains, organization_name, begin, "end")
		CROSS JOIN LATERAL (SELECT CASE
			WHEN h.begin IS NULL OR h."end" IS NULL OR octet_length(i.sha256) IS DISTINCT FROM 32 THEN 'incomplete'
			WHEN jsonb_typeof(i.content -> 'policies') IS DISTINCT FROM 'array' THEN 'inconsistent'
			END) AS k(code)
		WHERE i.kind = 'tls'
		UNION ALL
		SELECT i.mail_no, i.item_no, w.mail, false, ruad.failure_begin(i.content, m.received_at), k.code,
			coalesce((SELECT d.id FROM ruad.domain d WHERE d.name = ruad.failure_domain(i.content)), 0), NULL,
			CASE WHEN k.code IS NULL THEN substr(encode(i.sha256, 'hex'), 1, 32)::uuid END
		FROM pg_temp.stage_item i
		JOIN pg_temp.work_mail w ON w.mail_no = i.mail_no
		JOIN pg_temp.stage_mail m ON m.mail_no = i.mail_no
		CROSS JOIN LATERAL (SELECT CASE
			WHEN octet_length(i.sha256) IS DISTINCT FROM 32 THEN 'incomplete'
			WHEN jsonb_typeof(i.content) IS DISTINCT FROM 'object' THEN 'inconsistent'
			END) AS k(code)
		WHERE i.kind IN ('failure', 'feedback')
	) j;
END
$$;

-- Store the failure reports that are new; the others are duplicates: the bytes tell, see failure_seen. Of a copy in the same batch
-- begin may differ (it is in two mails), so nth does not tell; DISTINCT ON does.
CREATE FUNCTION ruad.ingest_failures() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	WITH new AS (
		INSERT INTO ruad.failure_seen (sha256, begin, id)
		SELECT DISTINCT ON (i.sha256) i.sha256, w.begin, w.report
		FROM pg_temp.work_item w JOIN pg_temp.stage_item i ON i.mail_no = w.mail_no AND i.item_no = w.item_no
		WHERE w.status IS NULL AND i.kind IN ('failure', 'feedback')
		ORDER BY i.sha256, w.mail_no, w.item_no
		ON CONFLICT DO NOTHING
		RETURNING id
	)
	UPDATE pg_temp.work_item w SET status = 'stored' FROM new WHERE w.report = new.id;

	PERFORM ruad.ingest_failure_rows();

	UPDATE pg_temp.work_item w SET status = 'duplicate',
		report = (SELECT s.id FROM ruad.failure_seen s WHERE s.sha256 = i.sha256)
	FROM pg_temp.stage_item i
	WHERE w.status IS NULL AND i.mail_no = w.mail_no AND i.item_no = w.item_no AND i.kind IN ('failure', 'feedback');

	IF EXISTS (SELECT FROM pg_temp.work_item w WHERE w.status = 'duplicate' AND w.report IS NULL) THEN
		RAISE EXCEPTION 'a report was removed while its copy came in' USING ERRCODE = 'serialization_failure';
	END IF;
END
$$;

-- Their rows. Every -> unpacks the whole content, so what may be large is taken out of it first.
CREATE FUNCTION ruad.ingest_failure_rows() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO ruad.failure (begin, id, mail, received_at, arrival_time, incidents, domain_id, source_port, kind, authentic, sha256,
		feedback_type, user_agent, version, auth_failure, authentication_results, identity_alignment, delivery_result,
		original_envelope_id, original_mail_from, original_rcpt_to, arrival_date, reporting_mta, source_ip, reported_domain,
		reported_uri, dkim_domain, dkim_identity, dkim_selector, dkim_canonicalized_header, dkim_canonicalized_body,
		dkim_selector_dns, dkim_adsp_dns, spf_dns, header_from, message_id, subject, original_headers, original_body, notes)
	SELECT f.begin, f.report, f.mail, f.received_at, ruad.json_time(f.c -> 'arrival_time'), ruad.json_count(f.c -> 'incidents'),
		f.domain_id, ruad.json_count(f.c -> 'source_port', 65535)::integer, f.kind, ruad.verdict(f.authentic), f.sha256,
		ruad.json_text(f.c -> 'feedback_type'), ruad.json_text(f.c -> 'user_agent'), ruad.json_text(f.c -> 'version'),
		ruad.json_text(f.c -> 'auth_failure'), ruad.json_texts(f.c -> 'authentication_results'),
		ruad.json_text(f.c -> 'identity_alignment'), ruad.json_text(f.c -> 'delivery_result'),
		ruad.json_text(f.c -> 'original_envelope_id'), ruad.json_text(f.c -> 'original_mail_from'),
		ruad.json_texts(f.c -> 'original_rcpt_to'), ruad.json_text(f.c -> 'arrival_date'), ruad.json_text(f.c -> 'reporting_mta'),
		ruad.json_inet(f.c -> 'source_ip'), ruad.json_texts(f.c -> 'reported_domain'), ruad.json_texts(f.c -> 'reported_uri'),
		ruad.json_text(f.c -> 'dkim_domain'), ruad.json_text(f.c -> 'dkim_identity'), ruad.json_text(f.c -> 'dkim_selector'),
		f.canonicalized_header, f.canonicalized_body, ruad.json_text(f.c -> 'dkim_selector_dns'),
		ruad.json_text(f.c -> 'dkim_adsp_dns'), ruad.json_texts(f.c -> 'spf_dns'), ruad.json_text(f.c -> 'header_from'),
		ruad.json_text(f.c -> 'message_id'), ruad.json_text(f.c -> 'subject'), f.headers, f.body, f.notes
	FROM (
		SELECT w.begin, w.report, w.mail, w.domain_id, m.received_at, m.authentic, i.kind, i.sha256, i.notes,
			i.content - '{original_headers,original_body,dkim_canonicalized_header,dkim_canonicalized_body}'::text[] AS c,
			ruad.json_text(i.content -> 'original_headers') AS headers, ruad.json_text(i.content -> 'original_body') AS body,
			ruad.json_text(i.content -> 'dkim_canonicalized_header') AS canonicalized_header,
			ruad.json_text(i.content -> 'dkim_canonicalized_body') AS canonicalized_body
		FROM pg_temp.work_item w
		JOIN pg_temp.stage_item i ON i.mail_no = w.mail_no AND i.item_no = w.item_no
		JOIN pg_temp.stage_mail m ON m.mail_no = w.mail_no
		WHERE w.status = 'stored' AND i.kind IN ('failure', 'feedback')
		OFFSET 0
	) f;
END
$$;

-- Store the TLS reports that are new; the same key with other content is a conflict, as with aggregate reports.
CREATE FUNCTION ruad.ingest_tls() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	WITH new AS (
		INSERT INTO ruad.tls (begin, "end", id, mail, received_at, total_successful_session_count, total_failure_session_count,
			domain_id, reporter_id, policies, authentic, key, sha256, contact_info, report_id, notes)
		SELECT w.begin, ruad.json_time(i.content -> 'date_range' -> 'end_datetime'), w.report, w.mail, m.received_at, t.good, t.bad,
			w.domain_id, w.reporter_id, t.policies, ruad.verdict(m.authentic), w.key, i.sha256,
			ruad.json_text(i.content -> 'contact_info'), ruad.json_text(i.content -> 'report_id'), i.notes
		FROM pg_temp.work_item w
		JOIN pg_temp.stage_item i ON i.mail_no = w.mail_no AND i.item_no = w.item_no
		JOIN pg_temp.stage_mail m ON m.mail_no = w.mail_no
		CROSS JOIN LATERAL (
			SELECT count(*)::integer, least(coalesce(sum(ruad.json_count(p.value -> 'summary' -> 'total_successful_session_count')), 0),
				9223372036854775807), least(coalesce(sum(ruad.json_count(p.value -> 'summary' -> 'total_failure_session_count')), 0),
				9223372036854775807)
			FROM jsonb_array_elements(i.content -> 'policies') AS p(value)) AS t(policies, good, bad)
		WHERE w.status IS NULL AND w.nth = 1 AND i.kind = 'tls'
		ORDER BY w.domain_id, w.begin, w.key
		ON CONFLICT DO NOTHING
		RETURNING id
	)
	UPDATE pg_temp.work_item w SET status = 'stored' FROM new WHERE w.report = new.id;

	INSERT INTO ruad.tls_policy (begin, report, total_successful_session_count, total_failure_session_count, domain_id, reporter_id,
		policy_no, policy_type, policy_string, mx_host, failure_details)
	SELECT w.begin, w.report, ruad.json_count(p.value -> 'summary' -> 'total_successful_session_count'),
		ruad.json_count(p.value -> 'summary' -> 'total_failure_session_count'),
		coalesce((SELECT d.id FROM ruad.domain d WHERE d.name = ruad.json_text(p.value -> 'policy' -> 'policy_domain')), 0),
		w.reporter_id, p.no, ruad.json_text(p.value -> 'policy' -> 'policy_type'),
		ruad.json_texts(p.value -> 'policy' -> 'policy_string'), ruad.json_texts(p.value -> 'policy' -> 'mx_host'),
		ruad.tls_failure_details(p.value -> 'failure_details')
	FROM pg_temp.work_item w
	JOIN pg_temp.stage_item i ON i.mail_no = w.mail_no AND i.item_no = w.item_no
	CROSS JOIN LATERAL jsonb_array_elements(i.content -> 'policies') WITH ORDINALITY AS p(value, no)
	WHERE w.status = 'stored' AND i.kind = 'tls';

	IF EXISTS (SELECT FROM pg_temp.work_item w WHERE w.status IS NULL) THEN
		PERFORM ruad.ingest_tls_repeats();
	END IF;
END
$$;

-- As ingest_repeats().
CREATE FUNCTION ruad.ingest_tls_repeats() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	UPDATE pg_temp.work_item w SET (status, code, report) = (
		SELECT CASE WHEN t.sha256 = i.sha256 THEN 'duplicate' ELSE 'conflict' END, CASE WHEN t.sha256 <> i.sha256 THEN 'conflict' END, t.id
		FROM ruad.tls t
		WHERE t.domain_id = w.domain_id AND t.begin = w.begin AND t.key = w.key)
	FROM pg_temp.stage_item i
	WHERE w.status IS NULL AND i.mail_no = w.mail_no AND i.item_no = w.item_no;

	IF EXISTS (SELECT FROM pg_temp.work_item w WHERE w.status IS NULL) THEN
		RAISE EXCEPTION 'a report was removed while its copy came in' USING ERRCODE = 'serialization_failure';
	END IF;
	PERFORM ruad.ingest_known_conflicts();
END
$$;

-- Reserve a place for the bytes of each mail with something set aside, in conflict or broken off. Where they are kept already, what was
-- set aside is a duplicate. The share lock keeps a row that another session is about to remove; when it was faster, we reserve our own.
CREATE OR REPLACE FUNCTION ruad.ingest_raw() RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	wanted bytea[];
	kept bytea[];
BEGIN
	wanted := ARRAY(SELECT DISTINCT m.sha256
		FROM pg_temp.work_item w JOIN pg_temp.stage_mail m ON m.mail_no = w.mail_no
		JOIN pg_temp.stage_item i ON i.mail_no = w.mail_no AND i.item_no = w.item_no
		WHERE w.status IN ('quarantined', 'conflict') OR w.status = 'stored' AND i.kind = 'aggregate' AND i.partial);
	LOOP
		INSERT INTO ruad.raw (mail, sha256)
		SELECT DISTINCT ON (m.sha256) w.mail, m.sha256
		FROM pg_temp.work_item w JOIN pg_temp.stage_mail m ON m.mail_no = w.mail_no
		JOIN pg_temp.stage_item i ON i.mail_no = w.mail_no AND i.item_no = w.item_no
		WHERE w.status IN ('quarantined', 'conflict') OR w.status = 'stored' AND i.kind = 'aggregate' AND i.partial
		ORDER BY m.sha256, m.mail_no
		ON CONFLICT DO NOTHING;

		kept := ARRAY(SELECT r.sha256 FROM ruad.raw r WHERE r.sha256 = ANY (wanted) ORDER BY r.sha256 FOR KEY SHARE);
		EXIT WHEN cardinality(kept) = cardinality(wanted);
	END LOOP;

	UPDATE pg_temp.work_item w SET status = 'duplicate'
	WHERE w.status IN ('quarantined', 'conflict') AND (SELECT r.mail FROM ruad.raw r WHERE r.mail = w.mail) IS NULL;
END
$$;

-- The words for what ingest() itself found with an item; NULL for other codes.
DROP FUNCTION ruad.fault_words(text, text);
CREATE FUNCTION ruad.fault_words(code text, kind text, domain text) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
	SELECT CASE
		WHEN code = 'conflict' THEN 'a report with the same key is stored and its content is another'
		WHEN code = 'partial' THEN 'the report breaks off; its whole records are stored'
		WHEN code = 'incomplete' AND kind = 'tls' THEN 'no date range or no checksum'
		WHEN code = 'incomplete' AND kind IN ('failure', 'feedback') THEN 'no checksum'
		WHEN code = 'incomplete' AND octet_length(domain) > 255 THEN
			format('policy_published/domain has %s bytes: not a domain name (RFC 1035 section 2.3.4)', octet_length(domain))
		WHEN code = 'incomplete' THEN 'no policy domain, no date range or no checksum'
		WHEN code = 'inconsistent' AND kind = 'aggregate' THEN 'the parser announced other records than it sent'
		WHEN code = 'inconsistent' THEN 'the parser sent no such report'
	END
$$;

-- What the ledger says of the batch's items.
CREATE FUNCTION ruad.ingest_findings() RETURNS SETOF ruad.item
LANGUAGE plpgsql
AS $$
BEGIN
	RETURN QUERY
	SELECT w.mail, w.item_no, k.kind, w.status::text, i.place, c.code,
		CASE
			WHEN c.code IS NULL THEN NULL
			WHEN k.kind <> 'unreadable' THEN ruad.fault_words(c.code, k.kind, i.domain)
			ELSE coalesce(i.reason, 'the parser gave no reason')
		END,
		w.report, i.sha256, k.kind = 'aggregate' AND i.partial IS TRUE
	FROM pg_temp.stage_item i
	JOIN pg_temp.work_item w ON w.mail_no = i.mail_no AND w.item_no = i.item_no
	CROSS JOIN LATERAL (SELECT CASE WHEN i.kind IN ('aggregate', 'failure', 'feedback', 'tls') THEN i.kind ELSE 'unreadable' END) AS k(kind)
	CROSS JOIN LATERAL (SELECT CASE
		WHEN k.kind = 'unreadable' THEN coalesce(i.code, 'unreadable')
		WHEN w.code IS NOT NULL THEN w.code
		WHEN w.status = 'stored' AND i.partial AND k.kind = 'aggregate' THEN 'partial' END) AS c(code);
END
$$;

-- The ledger.
DROP FUNCTION ruad.ingest_rows();
CREATE FUNCTION ruad.ingest_ledger() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO ruad.mail (id, received_at, source, name, envelope_from, recipients, size, sha256, message_id, subject, header_from,
		authentic, raw)
	SELECT w.mail, m.received_at, m.source, m.name, m.envelope_from, m.recipients, m.size, m.sha256, m.message_id, m.subject,
		m.header_from, ruad.verdict(m.authentic), (SELECT r.mail FROM ruad.raw r WHERE r.sha256 = m.sha256)
	FROM pg_temp.stage_mail m JOIN pg_temp.work_mail w ON w.mail_no = m.mail_no;

	INSERT INTO ruad.item (mail, item_no, kind, status, place, code, reason, report, sha256, partial)
	SELECT f.mail, f.item_no, f.kind, f.status, f.place, f.code, f.reason, f.report, f.sha256, f.partial
	FROM ruad.ingest_findings() f;
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

-- Remove the bytes kept for these mails, those that nothing found in a mail with the same bytes needs. The lock makes another session
-- that decides the same wait, so that the last one sees all.
CREATE FUNCTION ruad.release_raw(mails bigint[]) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	kept bigint[];
BEGIN
	kept := ARRAY(SELECT r.mail FROM ruad.raw r WHERE r.mail IN (SELECT m.raw FROM ruad.mail m WHERE m.id = ANY (mails))
		ORDER BY r.sha256 FOR UPDATE);
	DELETE FROM ruad.raw r
	WHERE r.mail = ANY (kept) AND NOT EXISTS (SELECT FROM ruad.mail m JOIN ruad.item i ON i.mail = m.id
		WHERE m.raw = r.mail AND (i.status IN ('quarantined', 'conflict') OR i.status = 'stored' AND i.partial));
	UPDATE ruad.mail m SET raw = NULL
	WHERE m.raw = ANY (kept) AND NOT EXISTS (SELECT FROM ruad.raw r WHERE r.mail = m.raw);
END
$$;

-- All of the reports' rows; the ledger, which tells new mail from mail that was read again, is the caller's. Returns the mails that may
-- need their bytes no longer.
CREATE FUNCTION ruad.ingest_items() RETURNS bigint[]
LANGUAGE plpgsql
AS $$
DECLARE
	replaced bigint[];
BEGIN
	PERFORM ruad.ingest_judge();
	replaced := ruad.ingest_reports();
	IF EXISTS (SELECT FROM pg_temp.stage_item i WHERE i.kind IN ('failure', 'feedback', 'tls')) THEN
		PERFORM ruad.ingest_judge_content();
		PERFORM ruad.ingest_failures();
		PERFORM ruad.ingest_tls();
	END IF;
	IF EXISTS (SELECT FROM pg_temp.work_item w WHERE w.status IN ('quarantined', 'conflict'))
		OR EXISTS (SELECT FROM pg_temp.stage_item i WHERE i.partial)
	THEN
		PERFORM ruad.ingest_raw();
	END IF;
	PERFORM ruad.ingest_records();
	RETURN replaced;
END
$$;

-- A row per mail says what became of it.
CREATE FUNCTION ruad.ingest_outcome() RETURNS TABLE (mail_no integer, mail_id bigint, stored integer, duplicates integer,
	conflicts integer, unreadable integer, keep_raw boolean)
LANGUAGE plpgsql
AS $$
BEGIN
	RETURN QUERY
		SELECT m.mail_no, m.mail,
			count(*) FILTER (WHERE w.status = 'stored')::integer,
			count(*) FILTER (WHERE w.status = 'duplicate')::integer,
			count(*) FILTER (WHERE w.status = 'conflict')::integer,
			count(*) FILTER (WHERE w.status = 'quarantined')::integer,
			EXISTS (SELECT FROM ruad.raw r WHERE r.mail = m.mail AND r.raw IS NULL)
		FROM pg_temp.work_mail m LEFT JOIN pg_temp.work_item w ON w.mail_no = m.mail_no
		GROUP BY m.mail_no, m.mail ORDER BY m.mail_no;
END
$$;

-- Take in what is staged. Once per transaction.
CREATE OR REPLACE FUNCTION ruad.ingest()
RETURNS TABLE (mail_no integer, mail_id bigint, stored integer, duplicates integer, conflicts integer, unreadable integer,
	keep_raw boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	replaced bigint[];
BEGIN
	PERFORM ruad.stage_check();
	IF EXISTS (SELECT FROM pg_temp.stage_mail m WHERE m.again IS NOT NULL) THEN
		RAISE EXCEPTION 'mail that was read again is not for ingest()'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'call ruad.ingest_again()';
	END IF;
	PERFORM ruad.ingest_references();
	PERFORM ruad.ingest_mails();
	replaced := ruad.ingest_items();
	PERFORM ruad.ingest_ledger();
	IF cardinality(replaced) > 0 THEN
		PERFORM ruad.release_raw(replaced);
	END IF;
	RETURN QUERY SELECT * FROM ruad.ingest_outcome();
END
$$;
