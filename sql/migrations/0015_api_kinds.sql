-- 0015_api_kinds - schema api: failure reports, TLS reports, what came in; the ways out of JSON (XML of a report, CSV of a list); labels.
--
-- Filters of failure and TLS reports are the domain, the window, the address and the reporter of api.filter_set; the others say nothing
-- of them. What 0012 says holds here.

SET LOCAL ROLE ruad_owner;

-- For display, with its lines: an original header, which is no header any more in one line.
CREATE FUNCTION api.display_lines(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT string_agg(api.display(l.line), E'\n' ORDER BY l.no) FROM string_to_table(value, E'\n') WITH ORDINALITY AS l(line, no) $$;

-- Failure reports

-- The failure reports that a filter leaves.
CREATE FUNCTION api.matching_failures(f api.filter_set) RETURNS SETOF dmarc.failure_reports
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT * FROM dmarc.failure_reports r
	WHERE r.begin >= api.at(f.from_day) AND r.begin < api.at(f.to_day)
		AND (f.domain IS NULL OR r.domain = ANY (f.domain))
		AND (f.ip IS NULL OR r.source_ip <<= f.ip)
$$;

-- One as a list shows it.
CREATE FUNCTION api.failure_item(r dmarc.failure_reports) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('id', r.id::text, 'kind', r.kind, 'domain', api.display(r.domain), 'begin', api.iso(r.begin),
		'received_at', api.iso(r.received_at), 'feedback_type', api.display(r.feedback_type), 'auth_failure', api.display(r.auth_failure),
		'source_ip', host(r.source_ip), 'incidents', r.incidents, 'reporting_mta', api.display(r.reporting_mta),
		'user_agent', api.display(r.user_agent), 'header_from', api.display(r.header_from),
		'original_mail_from', api.display(r.original_mail_from), 'subject', api.display(r.subject),
		'delivery_result', api.display(r.delivery_result), 'notes_total', coalesce(jsonb_array_length(r.notes), 0),
		'authentic', r.authentic)
$$;

-- Failure reports, the newest first. Their headers and bodies are not read for a list: keys are sorted, the rest is looked up.
CREATE FUNCTION api.failures(f api.filter_set, p api.page_spec, p_kind text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	place api.place := api.place_of('failures', p.cursor);
	page api.place[];
BEGIN
	PERFORM api.check_choice('kind', ARRAY['failure', 'feedback'], p_kind);
	page := ARRAY(
		SELECT ROW(r.begin, r.id, 0)::api.place FROM api.matching_failures(f) r
		WHERE (p_kind IS NULL OR r.kind = p_kind)
			AND (place.at IS NULL OR r.begin <= place.at AND (r.begin < place.at OR r.id < place.id))
		ORDER BY r.begin DESC, r.id DESC
		LIMIT p.size + 1);

	RETURN jsonb_build_object('window', api.window_json(f),
		'items', (SELECT coalesce(jsonb_agg(api.failure_item(r) ORDER BY k.ordinality), '[]')
			FROM unnest(page[:p.size]) WITH ORDINALITY k JOIN dmarc.failure_reports r ON r.id = k.id AND r.begin = k.at),
		'next', api.place_next('failures', page, p.size));
END
$$;

-- A whole failure report; NULL when there is none.
CREATE FUNCTION api.failure(p_id bigint) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
	SELECT api.failure_item(r) || jsonb_build_object('version', api.display(r.version),
		'authentication_results', api.display(r.authentication_results), 'identity_alignment', api.display(r.identity_alignment),
		'original_envelope_id', api.display(r.original_envelope_id), 'original_rcpt_to', api.display(r.original_rcpt_to),
		'arrival_date', api.display(r.arrival_date), 'arrival_time', api.iso(r.arrival_time), 'source_port', r.source_port,
		'reported_domain', api.display(r.reported_domain), 'reported_uri', api.display(r.reported_uri),
		'dkim_domain', api.display(r.dkim_domain), 'dkim_identity', api.display(r.dkim_identity),
		'dkim_selector', api.display(r.dkim_selector), 'dkim_selector_dns', api.display(r.dkim_selector_dns),
		'spf_dns', api.display(r.spf_dns), 'message_id', api.display(r.message_id),
		'original_headers', api.display_lines(r.original_headers), 'original_body', api.display_lines(r.original_body),
		'notes', coalesce(api.display(r.notes), '[]'), 'sha256', encode(r.sha256, 'hex'), 'mail', api.mail_json(r.mail))
	FROM dmarc.failure_reports r WHERE r.id = p_id
$$;

-- TLS reports. Numbers are sessions.

-- The policies of TLS reports that a filter leaves.
CREATE FUNCTION api.matching_tls_policies(f api.filter_set, p_policy_type text[]) RETURNS SETOF dmarc.tls_policies
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT * FROM dmarc.tls_policies r
	WHERE r.start_datetime >= api.at(f.from_day) AND r.start_datetime < api.at(f.to_day)
		AND (f.domain IS NULL OR r.policy_domain = ANY (f.domain))
		AND (f.reporter IS NULL OR r.organization_name = ANY (f.reporter))
		AND (p_policy_type IS NULL OR r.policy_type = ANY (p_policy_type))
$$;

-- The reports that the same filter leaves: with a domain or type, those with such a policy.
CREATE FUNCTION api.matching_tls_reports(f api.filter_set, p_policy_type text[]) RETURNS SETOF dmarc.tls_reports
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT * FROM dmarc.tls_reports r
	WHERE r.start_datetime >= api.at(f.from_day) AND r.start_datetime < api.at(f.to_day)
		AND (f.reporter IS NULL OR r.organization_name = ANY (f.reporter))
		AND (f.domain IS NULL AND p_policy_type IS NULL OR r.id IN (SELECT m.report FROM api.matching_tls_policies(f, p_policy_type) m))
$$;

-- Sums of sessions; everywhere the same members.
CREATE FUNCTION api.tls_tally(successful numeric, failed numeric) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('sessions', coalesce(successful, 0) + coalesce(failed, 0), 'successful', coalesce(successful, 0),
		'failed', coalesce(failed, 0))
$$;

-- The sessions of all policies that a filter leaves.
CREATE FUNCTION api.tls_totals(f api.filter_set, p_policy_type text[]) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	RETURN (
		SELECT api.tls_tally(sum(r.total_successful_session_count), sum(r.total_failure_session_count))
		FROM api.matching_tls_policies(f, p_policy_type) r);
END
$$;

-- Sessions by policy domain and type, the largest 100 first.
CREATE FUNCTION api.tls_domains(f api.filter_set, p_policy_type text[]) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	RETURN (
		SELECT coalesce(jsonb_agg(api.tls_tally(s.successful, s.failed)
			|| jsonb_build_object('policy_domain', api.display(s.policy_domain), 'policy_type', api.display(s.policy_type)) ORDER BY s.rank), '[]')
		FROM (
			SELECT r.policy_domain, r.policy_type, sum(r.total_successful_session_count) AS successful,
				sum(r.total_failure_session_count) AS failed,
				row_number() OVER (ORDER BY coalesce(sum(r.total_successful_session_count), 0) + coalesce(sum(r.total_failure_session_count), 0) DESC,
					r.policy_domain COLLATE "C", r.policy_type COLLATE "C") AS rank
			FROM api.matching_tls_policies(f, p_policy_type) r
			GROUP BY r.policy_domain, r.policy_type
		) s
		WHERE s.rank <= 100);
END
$$;

-- Failures by their kind, the largest 100 first, each with up to ten hosts and addresses.
CREATE FUNCTION api.tls_failures(f api.filter_set, p_policy_type text[]) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	RETURN (
		WITH entries AS MATERIALIZED (
			SELECT d.result_type, d.report, d.start_datetime, coalesce(d.failed_session_count, 0) AS failed, d.receiving_mx_hostname AS host,
				host(d.sending_mta_ip) AS ip
			FROM dmarc.tls_failures d
			WHERE d.start_datetime >= api.at(f.from_day) AND d.start_datetime < api.at(f.to_day)
				AND (f.domain IS NULL OR d.policy_domain = ANY (f.domain))
				AND (f.reporter IS NULL OR d.organization_name = ANY (f.reporter))
				AND (p_policy_type IS NULL OR d.policy_type = ANY (p_policy_type))
		), kinds AS (
			SELECT e.result_type, sum(e.failed) AS failed, count(DISTINCT e.report) AS reports, max(e.start_datetime) AS last_seen,
				row_number() OVER (ORDER BY sum(e.failed) DESC, e.result_type COLLATE "C") AS rank
			FROM entries e GROUP BY e.result_type
		), hosts AS (
			SELECT e.result_type, api.display(e.host) AS host, row_number() OVER (PARTITION BY e.result_type ORDER BY sum(e.failed) DESC, e.host COLLATE "C") AS rank
			FROM entries e WHERE e.host IS NOT NULL GROUP BY e.result_type, e.host
		), ips AS (
			SELECT e.result_type, e.ip, row_number() OVER (PARTITION BY e.result_type ORDER BY sum(e.failed) DESC, e.ip COLLATE "C") AS rank
			FROM entries e WHERE e.ip IS NOT NULL GROUP BY e.result_type, e.ip
		)
		SELECT coalesce(jsonb_agg(jsonb_build_object('result_type', api.display(k.result_type), 'failed', k.failed, 'reports', k.reports,
			'receiving_mx_hostnames', (SELECT coalesce(jsonb_agg(h.host ORDER BY h.rank), '[]') FROM hosts h
				WHERE h.result_type IS NOT DISTINCT FROM k.result_type AND h.rank <= 10),
			'sending_mta_ips', (SELECT coalesce(jsonb_agg(i.ip ORDER BY i.rank), '[]') FROM ips i
				WHERE i.result_type IS NOT DISTINCT FROM k.result_type AND i.rank <= 10),
			'last_seen', api.iso(k.last_seen)) ORDER BY k.rank), '[]')
		FROM kinds k WHERE k.rank <= 100);
END
$$;

-- Sessions, those of the window before, and why they failed.
CREATE FUNCTION api.tls_summary(f api.filter_set, p_policy_type text[] DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	RETURN jsonb_build_object('window', api.window_json(f), 'totals', api.tls_totals(f, p_policy_type),
			'previous', api.tls_totals(api.window_before(f), p_policy_type),
			'domains', api.tls_domains(f, p_policy_type), 'failures', api.tls_failures(f, p_policy_type))
		|| (SELECT jsonb_build_object('reports', count(*), 'reporters', count(DISTINCT r.organization_name),
			'last_report_at', api.iso(max(r.received_at)))
			FROM api.matching_tls_reports(f, p_policy_type) r);
END
$$;

-- Sessions by day, week or month; every step is there.
CREATE FUNCTION api.tls_timeseries(f api.filter_set, p_policy_type text[] DEFAULT NULL, p_bucket text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	points jsonb;
BEGIN
	p_bucket := api.bucket_of(p_bucket, f);
	WITH sums AS (
		SELECT date_trunc(p_bucket, r.day::timestamp)::date AS t, sum(r.total_successful_session_count) AS successful,
			sum(r.total_failure_session_count) AS failed
		FROM api.matching_tls_policies(f, p_policy_type) r
		GROUP BY 1
	)
	SELECT jsonb_agg(jsonb_build_object('t', b.t, 'complete', b.complete,
		'v', jsonb_build_object('successful', coalesce(s.successful, 0), 'failed', coalesce(s.failed, 0))) ORDER BY b.t)
	INTO points FROM api.buckets(p_bucket, f) b LEFT JOIN sums s ON s.t = b.t;
	RETURN jsonb_build_object('window', api.window_json(f), 'bucket', p_bucket, 'keys', jsonb_build_array('successful', 'failed'),
		'points', coalesce(points, '[]'));
END
$$;

-- One TLS report as a list shows it; its numbers are those of all its policies.
CREATE FUNCTION api.tls_report_item(r dmarc.tls_reports) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('id', r.id::text, 'organization_name', api.display(r.organization_name), 'report_id', api.display(r.report_id),
		'contact_info', api.display(r.contact_info), 'start_datetime', api.iso(r.start_datetime), 'end_datetime', api.iso(r.end_datetime),
		'policy_domains', (SELECT coalesce(jsonb_agg(DISTINCT api.display(d.policy_domain)), '[]') FROM dmarc.tls_policies d
			WHERE d.report = r.id AND d.start_datetime = r.start_datetime AND d.policy_domain IS NOT NULL),
		'policies', r.policies, 'successful', r.total_successful_session_count, 'failed', r.total_failure_session_count,
		'received_at', api.iso(r.received_at), 'notes_total', coalesce(jsonb_array_length(r.notes), 0), 'authentic', r.authentic)
$$;

-- TLS reports, the newest first; p_result fail: with failed sessions.
CREATE FUNCTION api.tls_reports(f api.filter_set, p api.page_spec, p_policy_type text[] DEFAULT NULL, p_result text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	place api.place := api.place_of('tls_reports', p.cursor);
	page api.place[];
BEGIN
	PERFORM api.check_choice('result', ARRAY['pass', 'fail'], p_result);
	page := ARRAY(
		SELECT ROW(r.start_datetime, r.id, 0)::api.place FROM api.matching_tls_reports(f, p_policy_type) r
		WHERE (p_result IS NULL OR (r.total_failure_session_count > 0) = (p_result = 'fail'))
			AND (place.at IS NULL OR r.start_datetime <= place.at AND (r.start_datetime < place.at OR r.id < place.id))
		ORDER BY r.start_datetime DESC, r.id DESC
		LIMIT p.size + 1);

	RETURN jsonb_build_object('window', api.window_json(f),
		'items', (SELECT coalesce(jsonb_agg(api.tls_report_item(r) ORDER BY k.ordinality), '[]')
			FROM unnest(page[:p.size]) WITH ORDINALITY k JOIN dmarc.tls_reports r ON r.id = k.id AND r.start_datetime = k.at),
		'next', api.place_next('tls_reports', page, p.size));
END
$$;

-- One policy of a TLS report.
CREATE FUNCTION api.tls_policy_json(r dmarc.tls_policies) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('policy_no', r.policy_no, 'policy_domain', api.display(r.policy_domain), 'policy_type', api.display(r.policy_type),
		'policy_string', api.display(r.policy_string), 'mx_host', api.display(r.mx_host), 'successful', r.total_successful_session_count,
		'failed', r.total_failure_session_count, 'failure_details', coalesce(api.display(r.failure_details), '[]'))
$$;

-- A whole TLS report; NULL when there is none.
CREATE FUNCTION api.tls_report(p_id bigint) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
	SELECT api.tls_report_item(r) || jsonb_build_object(
		'policy', (SELECT coalesce(jsonb_agg(api.tls_policy_json(d) ORDER BY d.policy_no), '[]') FROM dmarc.tls_policies d
			WHERE d.report = r.id AND d.start_datetime = r.start_datetime),
		'notes', coalesce(api.display(r.notes), '[]'), 'sha256', encode(r.sha256, 'hex'), 'mail', api.mail_json(r.mail))
	FROM dmarc.tls_reports r WHERE r.id = p_id
$$;

-- What came in, by the time that it came in

-- What may become of a thing found in a mail.
CREATE FUNCTION api.intake_statuses() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT ARRAY['stored', 'duplicate', 'conflict', 'quarantined'] $$;

-- One such thing as a list shows it.
CREATE FUNCTION api.intake_item(i dmarc.intake) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('mail', i.mail::text, 'item_no', i.item_no, 'received_at', api.iso(i.received_at), 'source', i.source,
		'name', api.display(i.name), 'envelope_from', api.display(i.envelope_from), 'size', i.size,
		'message_id', api.display(i.message_id), 'subject', api.display(i.subject), 'header_from', api.display(i.header_from),
		'kind', i.kind, 'status', i.status, 'code', api.display(i.code), 'reason', api.display(i.reason), 'place', api.display(i.place),
		'report', i.report::text, 'raw', i.raw_mail IS NOT NULL, 'partial', i.partial, 'authentic', i.authentic)
$$;

-- Each thing found in a mail and what became of it, the newest first. Unless p_status is given, what somebody should look at:
-- quarantined and conflict; with p_report what came of that report again, at any time unless a window was asked for.
CREATE FUNCTION api.intake_events(f api.filter_set, p api.page_spec, p_status text[] DEFAULT NULL, p_kind text[] DEFAULT NULL,
	p_code text[] DEFAULT NULL, p_report bigint DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	place api.place := api.place_of('intake', p.cursor);
	page api.place[];
BEGIN
	PERFORM api.check_choice('status', api.intake_statuses(), VARIADIC p_status);
	PERFORM api.check_choice('kind', ARRAY['aggregate', 'failure', 'feedback', 'tls', 'unreadable'], VARIADIC p_kind);
	p_status := coalesce(p_status, CASE WHEN p_report IS NULL THEN ARRAY['quarantined', 'conflict'] ELSE ARRAY['duplicate', 'conflict'] END);
	IF p_report IS NOT NULL AND NOT f.dated THEN
		f.from_day := '1970-01-01';
		f.to_day := '9999-12-31';
	END IF;
	page := ARRAY(
		SELECT ROW(i.received_at, i.mail, i.item_no)::api.place FROM dmarc.intake i
		WHERE i.received_at >= api.at(f.from_day) AND i.received_at < api.at(f.to_day)
			AND i.status = ANY (p_status)
			AND (p_kind IS NULL OR i.kind = ANY (p_kind))
			AND (p_code IS NULL OR i.code = ANY (p_code))
			AND (p_report IS NULL OR i.report = p_report)
			AND (place.at IS NULL OR i.received_at <= place.at AND (i.received_at < place.at OR i.mail < place.id
				OR i.mail = place.id AND i.item_no > place.no))
		ORDER BY i.received_at DESC, i.mail DESC, i.item_no
		LIMIT p.size + 1);

	RETURN jsonb_build_object('window', api.window_json(f),
		'items', (SELECT coalesce(jsonb_agg(api.intake_item(i) ORDER BY k.ordinality), '[]')
			FROM unnest(page[:p.size]) WITH ORDINALITY k JOIN dmarc.intake i ON i.mail = k.id AND i.item_no = k.no),
		'next', api.place_next('intake', page, p.size));
END
$$;

-- How many things found on each day of the window had which fate, and which kind or code they had.
CREATE FUNCTION api.intake_counts(f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	RETURN (
		WITH things AS MATERIALIZED (
			SELECT (i.received_at AT TIME ZONE 'UTC')::date AS day, i.kind, i.status, i.code, count(*) AS n FROM dmarc.intake i
			WHERE i.received_at >= api.at(f.from_day) AND i.received_at < api.at(f.to_day) GROUP BY 1, 2, 3, 4
		), days AS (
			SELECT g::date AS t, coalesce(sum(h.n) FILTER (WHERE h.status = 'stored'), 0) AS stored,
				coalesce(sum(h.n) FILTER (WHERE h.status = 'duplicate'), 0) AS duplicate,
				coalesce(sum(h.n) FILTER (WHERE h.status = 'conflict'), 0) AS conflict,
				coalesce(sum(h.n) FILTER (WHERE h.status = 'quarantined'), 0) AS quarantined
			FROM generate_series(f.from_day::timestamp, f.to_day::timestamp - interval '1 day', '1 day') AS g
			LEFT JOIN things h ON h.day = g::date
			GROUP BY 1
		)
		SELECT jsonb_build_object(
			'counts', (SELECT jsonb_object_agg(s, coalesce(t.n, 0)) FROM unnest(api.intake_statuses()) s
				LEFT JOIN (SELECT status, sum(n) AS n FROM things GROUP BY 1) t ON t.status = s),
			'by_kind', (SELECT coalesce(jsonb_object_agg(kind, n), '{}')
				FROM (SELECT kind, sum(n) AS n FROM things WHERE kind IS NOT NULL GROUP BY 1) k),
			'by_code', (SELECT coalesce(jsonb_object_agg(code, n), '{}')
				FROM (SELECT api.display(code) AS code, sum(n) AS n FROM things WHERE status <> 'stored' AND code IS NOT NULL GROUP BY 1) c),
			'by_day', (SELECT coalesce(jsonb_agg(to_jsonb(d) ORDER BY d.t), '[]') FROM days d)));
END
$$;

-- What came in; items and next are the first page of api.intake_events().
CREATE FUNCTION api.intake(f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	PERFORM api.bucket_of('day', f);
	RETURN api.intake_events(f, api.page()) || api.intake_counts(f) || jsonb_build_object(
		'mails', (SELECT count(*) FROM dmarc.mails m WHERE m.received_at >= api.at(f.from_day) AND m.received_at < api.at(f.to_day)),
		'last_mail_at', (SELECT api.iso(m.received_at) FROM dmarc.mails m ORDER BY m.received_at DESC LIMIT 1),
		'last_report_at', (SELECT api.iso(max(r.at)) FROM (
			SELECT max(received_at) AS at FROM dmarc.reports UNION ALL SELECT max(received_at) FROM dmarc.failure_reports
			UNION ALL SELECT max(received_at) FROM dmarc.tls_reports) r));
END
$$;

-- XML

-- A text without what XML 1.0 forbids.
CREATE FUNCTION api.xml_text(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT regexp_replace(value, E'[\u0001-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]', '', 'g') $$;

-- One result of auth_results, without the element around it.
CREATE FUNCTION api.auth_result_xml(value jsonb) RETURNS xml
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT coalesce(xmlforest(value ->> 'domain' AS domain, value ->> 'selector' AS selector, value ->> 'scope' AS scope,
		value ->> 'result' AS result, value ->> 'human_result' AS human_result), '')
$$;

-- One record as the report has it (RFC 9990 section 3.1.1); what is NULL has no element, so a group of nothing has none either; a
-- record of nothing is still one.
CREATE FUNCTION api.record_xml(r dmarc.records) RETURNS xml
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT xmlforest(coalesce(xmlconcat(
		xmlforest(
			xmlforest(host(r.source_ip) AS source_ip, r.count AS count, xmlconcat(
				xmlforest(r.disposition AS disposition, r.dkim AS dkim, r.spf AS spf),
				(SELECT xmlagg(xmlforest(coalesce(xmlforest(e.value ->> 'type' AS type, e.value ->> 'comment' AS comment), '') AS reason) ORDER BY e.no)
					FROM jsonb_path_query(r.reason, '$[*]') WITH ORDINALITY AS e(value, no))) AS policy_evaluated) AS row,
			xmlforest(r.header_from AS header_from, r.envelope_from AS envelope_from, r.envelope_to AS envelope_to) AS identifiers),
		xmlforest(xmlconcat(
			(SELECT xmlagg(xmlforest(api.auth_result_xml(e.value) AS dkim) ORDER BY e.no)
				FROM jsonb_path_query(r.auth_results, '$.dkim[*]') WITH ORDINALITY AS e(value, no)),
			(SELECT xmlagg(xmlforest(api.auth_result_xml(e.value) AS spf) ORDER BY e.no)
				FROM jsonb_path_query(r.auth_results, '$.spf[*]') WITH ORDINALITY AS e(value, no))) AS auth_results)), '') AS record)
$$;

-- What stands before the records.
CREATE FUNCTION api.report_head_xml(r dmarc.reports) RETURNS xml
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT xmlforest(r.version AS version,
		xmlconcat(
			xmlforest(r.org_name AS org_name, r.email AS email, r.extra_contact_info AS extra_contact_info, r.report_id AS report_id,
				xmlforest(extract(epoch FROM r.begin)::bigint AS begin, extract(epoch FROM r."end")::bigint AS "end") AS date_range),
			(SELECT xmlagg(xmlforest(e.value AS error) ORDER BY e.no) FROM jsonb_array_elements_text(r.error) WITH ORDINALITY AS e(value, no)),
			xmlforest(r.generator AS generator)) AS report_metadata,
		xmlforest(r.domain AS domain, r.adkim AS adkim, r.aspf AS aspf, r.p AS p, r.sp AS sp, r.np AS np, r.pct AS pct, r.fo AS fo,
			r.testing AS testing, r.discovery_method AS discovery_method) AS policy_published)
$$;

-- A whole report as XML; NULL when there is none. Built from its rows: values are as they were understood (trimmed, names in lower
-- case), elements that we do not know are gone. Records are put together as text, since xmlagg() copies all that it has for each.
CREATE FUNCTION api.report_xml(p_id bigint) RETURNS text
LANGUAGE sql STABLE SET jit = off
AS $$
	SELECT E'<?xml version="1.0" encoding="UTF-8"?>\n'
		|| format(E'<!-- Built again by ruad from its database%s. SHA-256 of the original: %s -->\n',
			CASE WHEN r.partial THEN '; the original breaks off' ELSE '' END, encode(r.sha256, 'hex'))
		|| '<feedback' || CASE WHEN r.dialect = 'rfc9990' THEN ' xmlns="urn:ietf:params:xml:ns:dmarc-2.0"'
			WHEN r.xmlns IS NOT NULL THEN ' xmlns="http://dmarc.org/dmarc-xml/0.1"' ELSE '' END || E'>\n'
		|| api.xml_text(api.report_head_xml(r)::text) || E'\n'
		|| coalesce((SELECT string_agg(api.xml_text(api.record_xml(d.v)::text) || E'\n', '') FROM (
			SELECT v FROM dmarc.records v WHERE v.domain = r.domain AND v.begin = r.begin AND v.report = r.id ORDER BY v.record_no) d), '')
		|| E'</feedback>\n'
	FROM dmarc.reports r WHERE r.id = p_id
$$;

-- CSV

-- The columns of a list: members of its items, in this order.
CREATE FUNCTION api.csv_members(p_list text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT replace(replace(CASE
		WHEN p_list = 'domains' THEN 'name parent kind policy.p policy.sp policy.np policy.testing policy.adkim policy.aspf policy.pct policy.fo '
			'policy.as_of policy.effective TALLY sources blockers sufficient solicited last_report_at spark'
		WHEN p_list = 'sources' THEN 'key name type name_basis source label forwarder TALLY domains domains_total ips_total first_seen last_seen new in_spf spark'
		WHEN p_list = 'source_ips' THEN 'source_ip rdns asn as_name country messages pass first_seen last_seen in_spf'
		WHEN p_list = 'source_identifiers' THEN 'header_from envelope_from spf dkim dkim_aligned spf_aligned messages pass last_seen'
		WHEN p_list = 'source_reporters' THEN 'org_name messages pass dkim_aligned spf_aligned DISPOSITIONS last_seen'
		WHEN p_list IN ('records', 'report_records') THEN 'report record_no domain org_name begin source_ip source source_name label rdns count '
			'disposition dkim spf dmarc_pass class reason header_from envelope_from envelope_to auth_results.dkim auth_results.spf notes'
		WHEN p_list = 'reports' THEN 'id kind dialect org_name email report_id domain begin end p records messages pass fail received_at '
			'notes_total partial authentic solicited'
		WHEN p_list = 'reporters' THEN 'org_name emails reports records messages pass domains days coverage lateness dialects notes_total notes '
			'first_report_at last_report_at'
		WHEN p_list = 'failures' THEN 'id kind domain begin received_at feedback_type auth_failure source_ip incidents reporting_mta user_agent '
			'header_from original_mail_from subject delivery_result notes_total authentic'
		WHEN p_list = 'tls_reports' THEN 'id organization_name report_id contact_info start_datetime end_datetime policy_domains policies '
			'successful failed received_at notes_total authentic'
		WHEN p_list = 'intake_events' THEN 'mail item_no received_at source name envelope_from size message_id subject header_from kind status '
			'code reason place report raw partial authentic'
		END,
		'TALLY', 'messages pass dkim_aligned spf_aligned dkim_only spf_only by_class.pass by_class.fail_overridden by_class.fail_altered '
			'by_class.fail_unaligned by_class.fail_unauthenticated by_class.unknown DISPOSITIONS'),
		'DISPOSITIONS', 'by_disposition.none by_disposition.quarantine by_disposition.reject by_disposition.pass by_disposition.unknown')
$$;

-- A text as RFC 4180 has it: in quotes where it holds a comma, a quote or a line end.
CREATE FUNCTION api.csv_quoted(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN translate(value, E'",\r\n', '') = value THEN value ELSE '"' || replace(value, '"', '""') || '"' END $$;

-- A text as a cell: what a spreadsheet would take for a formula has an apostrophe before it.
CREATE FUNCTION api.csv_text(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE WHEN ascii(value) IN (9, 13, 43, 45, 61, 64) THEN api.csv_quoted('''' || value) ELSE api.csv_quoted(value) END
$$;

-- The texts of an array, side by side.
CREATE FUNCTION api.csv_joined(value jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT string_agg(e.value, ' ' ORDER BY e.no) FROM jsonb_array_elements_text(value) WITH ORDINALITY AS e(value, no) $$;

-- A JSON value as a cell: scalars of an array are set side by side, what is deeper stays JSON. One expression, for the planner to put
-- in the caller's place: there are hundreds of thousands of cells.
CREATE FUNCTION api.csv_cell(value jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE jsonb_typeof(value)
		WHEN 'string' THEN api.csv_text(value #>> '{}')
		WHEN 'number' THEN value::text
		WHEN 'boolean' THEN value::text
		WHEN 'object' THEN api.csv_text(value::text)
		WHEN 'array' THEN CASE jsonb_typeof(value -> 0)
			WHEN 'number' THEN translate(value::text, '[],', '')
			WHEN 'string' THEN api.csv_text(api.csv_joined(value))
			WHEN 'object' THEN api.csv_text(value::text)
			ELSE '' END
		ELSE '' END
$$;

-- The answer p_doc of a list (or of a time series: its points) as CSV by RFC 4180, and its cursor for the header Link.
CREATE FUNCTION api.csv(p_list text, p_doc jsonb, OUT body text, OUT next text)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	series boolean := p_list IN ('timeseries', 'tls_timeseries');
BEGIN
	IF NOT series AND api.csv_members(p_list) IS NULL THEN
		RAISE EXCEPTION 'no list "%"', p_list;
	END IF;
	next := p_doc ->> 'next';
	WITH columns AS MATERIALIZED (
		SELECT replace(m.member, '.', '_') AS name, string_to_array(m.member, '.') AS path
		FROM string_to_table(CASE WHEN series THEN 't complete' ELSE api.csv_members(p_list) END, ' ') AS m(member)
		UNION ALL
		SELECT 'v_' || k.key, ARRAY['v', k.key] FROM jsonb_array_elements_text(p_doc -> 'keys') AS k(key) WHERE series
	), lines AS (
		SELECT 0 AS no, array_to_string(ARRAY(SELECT api.csv_text(c.name) FROM columns c), ',') AS line
		UNION ALL
		SELECT i.no, array_to_string(ARRAY(
			SELECT api.csv_cell(v.value) FROM (SELECT i.item #> c.path AS value FROM columns c OFFSET 0) v), ',')
		FROM jsonb_array_elements(p_doc -> CASE WHEN series THEN 'points' ELSE 'items' END) WITH ORDINALITY AS i(item, no)
	)
	SELECT string_agg(l.line, E'\r\n' ORDER BY l.no) || E'\r\n' INTO body FROM lines l;
END
$$;

-- Labels

-- Say whose a source is; p_label NULL takes the label away. For ruad_editor alone, who may call nothing else that answers.
CREATE FUNCTION api.set_label(p_source text, p_label text, p_note text, p_user text, p_via text) RETURNS jsonb
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM ruad.set_label(p_source, p_label, p_note, p_user, p_via);
	RETURN jsonb_build_object('source', CASE WHEN p_source LIKE 'ip:%' THEN 'ip:' || host(substr(p_source, 4)::inet) ELSE p_source END,
		'label', p_label, 'note', api.display(p_note), 'set_by', api.display(p_user), 'set_via', p_via, 'set_at', api.iso(now()));
END
$$;
REVOKE EXECUTE ON FUNCTION api.set_label FROM ruad_web;
GRANT USAGE ON SCHEMA api TO ruad_editor;
GRANT EXECUTE ON FUNCTION api.set_label, api.display(text), api.iso TO ruad_editor;
