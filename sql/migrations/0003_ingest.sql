-- 0003_ingest - the only way in: sql/STAGING.md says how ruad-ingest uses it.
--
-- stage_open(), ingest() and keep_raw() run with the rights of ruad_owner (SECURITY DEFINER), so that role ruad_ingest needs no right
-- on any table. Their search_path is fixed and pg_temp stands last; all names carry their schema.
--
-- The steps of ingest() are functions of their own that nobody else may call. Every look-up into the large tables is a correlated
-- subquery, which can only become an index probe: the staging tables have no statistics, and plans are kept for the session.

SET LOCAL ROLE ruad_owner;

-- a is b, or the parent or a child of b. A parent needs two labels: "com" is nobody's organisation.
CREATE FUNCTION ruad.same_organisation(a text, b text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT a = b OR (position('.' IN b) > 0 AND right(a, length(b) + 1) = '.' || b)
		OR (position('.' IN a) > 0 AND right(b, length(a) + 1) = '.' || a)
$$;

-- Whether one of domains, a JSON array of texts, is of the same organisation as name.
CREATE FUNCTION ruad.any_same_organisation(domains jsonb, name text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
	FOR i IN 0 .. coalesce(jsonb_array_length(domains), 0) - 1 LOOP
		IF ruad.same_organisation(domains ->> i, name) THEN
			RETURN true;
		END IF;
	END LOOP;
	RETURN false;
END
$$;

-- The class of a record that did not pass. The first rule that fits decides:
--   unknown               the report gives no verdict at all
--   fail_overridden       the receiver judged it a forward or a list (type of a reason)
--   fail_altered          a signature of one's own organisation is there and did not pass ("none" is no signature)
--   fail_unaligned        something passed for another domain
--   unknown               something passed for header_from itself, or for no domain: contradicts the verdict
--   fail_unauthenticated  nothing passed
-- One expression without subqueries, so that the planner can inline it: a call would cost more than the rules.
CREATE FUNCTION ruad.failure_class(dkim text, spf text, reason jsonb, header_from text, auth_results jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE
		WHEN dkim IS NULL AND spf IS NULL THEN 'unknown'
		WHEN jsonb_path_exists(reason, '$[*].type ? (@ == "forwarded" || @ == "trusted_forwarder"
			|| @ == "mailing_list" || @ == "local_policy")') THEN 'fail_overridden'
		WHEN jsonb_path_exists(auth_results, '$.dkim[*] ? (!(@.result == "pass" || @.result == "none")).domain')
			AND ruad.any_same_organisation(jsonb_path_query_array(auth_results,
				'$.dkim[*] ? (!(@.result == "pass" || @.result == "none")).domain'), header_from) THEN 'fail_altered'
		WHEN jsonb_path_exists(auth_results, '$.*[*] ? (@.result == "pass" && @.domain != "" && @.domain != $from)',
			jsonb_object(ARRAY['from', header_from])) THEN 'fail_unaligned'
		WHEN jsonb_path_exists(auth_results, '$.*[*] ? (@.result == "pass")') THEN 'unknown'
		ELSE 'fail_unauthenticated'
	END
$$;

-- The class of a record (the README explains each); policy_evaluated is the authority.
CREATE FUNCTION ruad.record_class(dkim text, spf text, reason jsonb, header_from text, auth_results jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE WHEN dkim = 'pass' OR spf = 'pass' THEN 'pass'
		ELSE ruad.failure_class(dkim, spf, reason, header_from, auth_results) END
$$;

-- Make the session's staging tables; again is harmless. They belong to ruad_owner: ruad_ingest can add rows to three of them, and
-- can neither change nor replace them.
CREATE FUNCTION ruad.stage_open() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning
AS $$
BEGIN
	CREATE TEMPORARY TABLE IF NOT EXISTS stage_mail (
		mail_no integer, received_at timestamptz, source text, name text, envelope_from text, recipients jsonb, size bigint,
		sha256 bytea, message_id text, subject text, header_from text
	) ON COMMIT DELETE ROWS;
	CREATE TEMPORARY TABLE IF NOT EXISTS stage_item (
		mail_no integer, item_no integer, kind text, place text, code text, reason text,
		dialect text, version text, xmlns text, org_name text, email text, extra_contact_info text, report_id text,
		begin timestamptz, "end" timestamptz, error jsonb, generator text,
		domain text, adkim text, aspf text, p text, sp text, np text, pct smallint, fo text, testing text,
		discovery_method text, records bigint, sha256 bytea, notes jsonb
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

-- Refuse staging tables that somebody else made: their triggers and defaults would run with our rights.
CREATE FUNCTION ruad.stage_check() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	IF (SELECT count(*) FROM pg_catalog.pg_class
		WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r' AND relowner = CURRENT_USER::regrole
		AND relname IN ('stage_mail', 'stage_item', 'stage_record', 'work_mail', 'work_item')) <> 5
	THEN
		RAISE EXCEPTION 'the staging tables are missing or not ours'
			USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'call ruad.stage_open() first, once a session';
	END IF;
END
$$;

-- Names and partitions that the batch needs and that are not there yet.
CREATE FUNCTION ruad.ingest_references() RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	at timestamptz;
BEGIN
	INSERT INTO ruad.domain (name)
	SELECT DISTINCT i.domain FROM pg_temp.stage_item i
	WHERE i.kind = 'aggregate' AND octet_length(i.domain) BETWEEN 1 AND 255
		AND (SELECT d.id FROM ruad.domain d WHERE d.name = i.domain) IS NULL
	ORDER BY 1
	ON CONFLICT DO NOTHING;

	INSERT INTO ruad.reporter (org_name, org_name_hash)
	SELECT n.org_name, ruad.text_hash(n.org_name) AS hash
	FROM (SELECT DISTINCT i.org_name FROM pg_temp.stage_item i WHERE i.kind = 'aggregate' AND i.org_name IS NOT NULL) n
	WHERE (SELECT r.id FROM ruad.reporter r WHERE r.org_name_hash = ruad.text_hash(n.org_name)) IS NULL
	ORDER BY hash
	ON CONFLICT DO NOTHING;

	FOR at IN SELECT DISTINCT date_trunc('month', i.begin, 'UTC') FROM pg_temp.stage_item i
		WHERE i.kind = 'aggregate' AND i.begin IS NOT NULL ORDER BY 1
	LOOP
		PERFORM ruad.ensure_partition(at);
	END LOOP;
END
$$;

-- Number the mails and judge the items: what is unreadable, or not what a parser in its right mind sends, is quarantined; the
-- rest gets its key. nth counts the items of the batch that have the same key.
CREATE FUNCTION ruad.ingest_judge() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO pg_temp.work_mail (mail_no, mail)
	SELECT m.mail_no, nextval('ruad.mail_id_seq') FROM pg_temp.stage_mail m;

	INSERT INTO pg_temp.work_item (mail_no, item_no, mail, report, begin, domain_id, reporter_id, key, nth, records, messages, pass,
		status, code)
	SELECT j.mail_no, j.item_no, j.mail, CASE WHEN j.status IS NULL THEN nextval('ruad.report_id_seq') END, j.begin, j.domain_id,
		j.reporter_id, j.key, row_number() OVER (PARTITION BY j.status, j.domain_id, j.begin, j.key ORDER BY j.mail_no, j.item_no),
		j.records, j.messages, j.pass, j.status, j.code
	FROM (
		SELECT i.mail_no, i.item_no, m.mail, i.begin,
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
	) j;
END
$$;

-- Store the reports that are new; tell the others from what is there. Sorted, so that two sessions with the same reports wait for
-- each other instead of deadlocking; the unique key makes one of them lose.
CREATE FUNCTION ruad.ingest_reports() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	WITH new AS (
		INSERT INTO ruad.report (begin, "end", id, mail, received_at, records, messages, pass, domain_id, reporter_id, pct, key,
			sha256, dialect, version, xmlns, email, extra_contact_info, report_id, error, generator, adkim, aspf, p, sp, np, fo,
			testing, discovery_method, notes)
		SELECT i.begin, i."end", w.report, w.mail, m.received_at, w.records, w.messages, w.pass, w.domain_id, w.reporter_id, i.pct,
			w.key, i.sha256, coalesce(i.dialect, 'draft'), i.version, i.xmlns, i.email, i.extra_contact_info, i.report_id, i.error,
			i.generator, i.adkim, i.aspf, i.p, i.sp, i.np, i.fo, i.testing, i.discovery_method, i.notes
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
		PERFORM ruad.ingest_repeats();
	END IF;
END
$$;

-- The same key is known: the same content is a duplicate, other content a conflict, and a conflict that is known itself a duplicate.
CREATE FUNCTION ruad.ingest_repeats() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	UPDATE pg_temp.work_item w SET (status, code, report) = (
		SELECT CASE WHEN r.sha256 = i.sha256 THEN 'duplicate' ELSE 'conflict' END,
			CASE WHEN r.sha256 <> i.sha256 THEN 'conflict' END, r.id
		FROM ruad.report r
		WHERE r.domain_id = w.domain_id AND r.begin = w.begin AND r.key = w.key)
	FROM pg_temp.stage_item i
	WHERE w.status IS NULL AND i.mail_no = w.mail_no AND i.item_no = w.item_no;

	IF EXISTS (SELECT FROM pg_temp.work_item w WHERE w.status IS NULL) THEN
		RAISE EXCEPTION 'a report was removed while its copy came in' USING ERRCODE = 'serialization_failure';
	END IF;

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

-- Reserve a place for the bytes of each mail with something set aside. Bytes that are kept already make it a duplicate.
CREATE FUNCTION ruad.ingest_raw() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO ruad.raw (mail, sha256)
	SELECT DISTINCT ON (m.sha256) w.mail, m.sha256
	FROM pg_temp.work_item w JOIN pg_temp.stage_mail m ON m.mail_no = w.mail_no
	WHERE w.status IN ('quarantined', 'conflict')
	ORDER BY m.sha256, m.mail_no
	ON CONFLICT DO NOTHING;

	UPDATE pg_temp.work_item w SET status = 'duplicate'
	WHERE w.status IN ('quarantined', 'conflict') AND (SELECT r.mail FROM ruad.raw r WHERE r.mail = w.mail) IS NULL;
END
$$;

-- The words for what ingest() itself found wrong with an item; NULL for other codes.
CREATE FUNCTION ruad.fault_words(code text, domain text) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
	SELECT CASE
		WHEN code = 'conflict' THEN 'a report with the same key is stored and its content is another'
		WHEN code = 'incomplete' AND octet_length(domain) > 255 THEN
			format('policy_published/domain has %s bytes: not a domain name (RFC 1035 section 2.3.4)', octet_length(domain))
		WHEN code = 'incomplete' THEN 'no policy domain, no date range or no checksum'
		WHEN code = 'inconsistent' THEN 'the parser announced other records than it sent'
	END
$$;

-- The ledger, and the records of the new reports.
CREATE FUNCTION ruad.ingest_rows() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO ruad.mail (id, received_at, source, name, envelope_from, recipients, size, sha256, message_id, subject, header_from)
	SELECT w.mail, m.received_at, m.source, m.name, m.envelope_from, m.recipients, m.size, m.sha256, m.message_id, m.subject,
		m.header_from
	FROM pg_temp.stage_mail m JOIN pg_temp.work_mail w ON w.mail_no = m.mail_no;

	INSERT INTO ruad.item (mail, item_no, kind, status, place, code, reason, report, sha256)
	SELECT w.mail, w.item_no, CASE WHEN i.kind = 'aggregate' THEN 'aggregate' ELSE 'unreadable' END, w.status, i.place,
		coalesce(w.code, CASE WHEN w.status <> 'stored' AND i.kind <> 'aggregate' THEN coalesce(i.code, 'unreadable') END),
		coalesce(CASE WHEN w.code IS NOT NULL THEN ruad.fault_words(w.code, i.domain) END,
			CASE WHEN w.status <> 'stored' AND i.kind <> 'aggregate' THEN coalesce(i.reason, 'the parser gave no reason') END),
		w.report, i.sha256
	FROM pg_temp.stage_item i JOIN pg_temp.work_item w ON w.mail_no = i.mail_no AND w.item_no = i.item_no;

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

-- Take in what is staged; a row per mail says what became of it. Once per transaction.
CREATE FUNCTION ruad.ingest()
RETURNS TABLE (mail_no integer, mail_id bigint, stored integer, duplicates integer, conflicts integer, unreadable integer,
	keep_raw boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM ruad.stage_check();
	PERFORM ruad.ingest_references();
	PERFORM ruad.ingest_judge();
	PERFORM ruad.ingest_reports();
	IF EXISTS (SELECT FROM pg_temp.work_item w WHERE w.status IN ('quarantined', 'conflict')) THEN
		PERFORM ruad.ingest_raw();
	END IF;
	PERFORM ruad.ingest_rows();
	RETURN QUERY
		SELECT m.mail_no, m.mail,
			count(*) FILTER (WHERE w.status = 'stored')::integer,
			count(*) FILTER (WHERE w.status = 'duplicate')::integer,
			count(*) FILTER (WHERE w.status = 'conflict')::integer,
			count(*) FILTER (WHERE w.status = 'quarantined')::integer,
			coalesce(bool_or(w.status IN ('quarantined', 'conflict')), false)
		FROM pg_temp.work_mail m LEFT JOIN pg_temp.work_item w ON w.mail_no = m.mail_no
		GROUP BY m.mail_no, m.mail ORDER BY m.mail_no;
END
$$;

-- Hand over the bytes of a mail for which ingest() said keep_raw, in the same transaction.
CREATE FUNCTION ruad.keep_raw(mail_id bigint, bytes bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE ruad.raw SET raw = bytes WHERE raw.mail = mail_id AND raw.raw IS NULL AND raw.sha256 = sha256(bytes);
	IF NOT FOUND THEN
		RAISE EXCEPTION 'mail %: not waiting for its bytes, or their checksum is another', mail_id
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
END
$$;

GRANT EXECUTE ON FUNCTION ruad.stage_open(), ruad.ingest(), ruad.keep_raw(bigint, bytea) TO ruad_ingest;
