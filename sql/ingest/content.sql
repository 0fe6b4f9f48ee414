-- content.sql - failure and TLS reports, which come as JSON.

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
