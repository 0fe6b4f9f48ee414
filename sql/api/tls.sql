-- tls.sql - SMTP TLS reports; their numbers are sessions.

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
