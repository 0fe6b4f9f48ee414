-- tls.sql - SMTP TLS reports; all numbers are sessions.

-- The conditions of a filter on policies c, or on their failures.
CREATE FUNCTION api.tls_conditions(f api.filter_set, p_policy_type text[]) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN format('c.day >= %L AND c.day < %L', f.from_day, f.to_day)
		|| CASE WHEN f.domain IS NOT NULL THEN format(' AND c.policy_domain = ANY (%L::text[])', f.domain) ELSE '' END
		|| CASE WHEN f.reporter IS NOT NULL THEN format(' AND c.organization_name = ANY (%L::text[])', f.reporter)
			ELSE '' END
		|| CASE WHEN p_policy_type IS NOT NULL THEN format(' AND c.policy_type = ANY (%L::text[])', p_policy_type)
			ELSE '' END;
END
$$;

-- The reports that match the same filter, as FROM item r: with a domain or type, those with such a policy.
CREATE FUNCTION api.tls_reports_of(f api.filter_set, p_policy_type text[]) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN format('(SELECT r.* FROM dmarc.tls_reports r WHERE r.day >= %L AND r.day < %L', f.from_day, f.to_day)
		|| CASE WHEN f.reporter IS NOT NULL THEN format(' AND r.organization_name = ANY (%L::text[])', f.reporter)
			ELSE '' END
		|| CASE WHEN f.domain IS NOT NULL OR p_policy_type IS NOT NULL THEN
			format(' AND r.id IN (SELECT c.report FROM dmarc.tls_policies c WHERE %s)',
				api.tls_conditions(f, p_policy_type)) ELSE '' END || ') r';
END
$$;

-- Sums of sessions; every sum has these members.
CREATE FUNCTION api.tls_tally(successful numeric, failed numeric) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('sessions', coalesce(successful, 0) + coalesce(failed, 0),
		'successful', coalesce(successful, 0), 'failed', coalesce(failed, 0))
$$;

-- The sessions of all policies that match a filter.
CREATE FUNCTION api.tls_totals(f api.filter_set, p_policy_type text[]) RETURNS jsonb
LANGUAGE plpgsql STABLE SET jit = off
AS $$
DECLARE
	answer jsonb;
BEGIN
	EXECUTE format('SELECT api.tls_tally(sum(c.total_successful_session_count), sum(c.total_failure_session_count)) '
		'FROM dmarc.tls_policies c WHERE %s', api.tls_conditions(f, p_policy_type)) INTO answer;
	RETURN answer;
END
$$;

-- Sessions by policy domain and type, the largest 100 first.
CREATE FUNCTION api.tls_domains(f api.filter_set, p_policy_type text[]) RETURNS jsonb
LANGUAGE plpgsql STABLE SET jit = off
AS $$
DECLARE
	answer jsonb;
BEGIN
	EXECUTE format($q$
		SELECT coalesce(jsonb_agg(api.tls_tally(s.successful, s.failed)
			|| jsonb_build_object('policy_domain', api.display(s.policy_domain),
				'policy_type', api.display(s.policy_type)) ORDER BY s.rank), '[]')
		FROM (
			SELECT c.policy_domain, c.policy_type, sum(c.total_successful_session_count) AS successful,
				sum(c.total_failure_session_count) AS failed,
				row_number() OVER (ORDER BY coalesce(sum(c.total_successful_session_count), 0)
					+ coalesce(sum(c.total_failure_session_count), 0) DESC,
					c.policy_domain COLLATE "C", c.policy_type COLLATE "C") AS rank
			FROM dmarc.tls_policies c WHERE %s
			GROUP BY c.policy_domain, c.policy_type
		) s
		WHERE s.rank <= 100$q$, api.tls_conditions(f, p_policy_type)) INTO answer;
	RETURN answer;
END
$$;

-- Failures by their kind, the largest 100 first, each with up to ten hosts and addresses.
CREATE FUNCTION api.tls_failures(f api.filter_set, p_policy_type text[]) RETURNS jsonb
LANGUAGE plpgsql STABLE SET jit = off
AS $$
DECLARE
	answer jsonb;
BEGIN
	EXECUTE format($q$
		WITH entries AS MATERIALIZED (
			SELECT c.result_type, c.report, c.start_datetime, coalesce(c.failed_session_count, 0) AS failed,
				c.receiving_mx_hostname AS host, host(c.sending_mta_ip) AS ip
			FROM dmarc.tls_failures c WHERE %s
		), kinds AS (
			SELECT e.result_type, sum(e.failed) AS failed, count(DISTINCT e.report) AS reports,
				max(e.start_datetime) AS last_seen,
				row_number() OVER (ORDER BY sum(e.failed) DESC, e.result_type COLLATE "C") AS rank
			FROM entries e GROUP BY e.result_type
		), hosts AS (
			SELECT e.result_type, api.display(e.host) AS host, row_number() OVER (PARTITION BY e.result_type
				ORDER BY sum(e.failed) DESC, e.host COLLATE "C") AS rank
			FROM entries e WHERE e.host IS NOT NULL GROUP BY e.result_type, e.host
		), ips AS (
			SELECT e.result_type, e.ip, row_number() OVER (PARTITION BY e.result_type ORDER BY sum(e.failed) DESC,
				e.ip COLLATE "C") AS rank
			FROM entries e WHERE e.ip IS NOT NULL GROUP BY e.result_type, e.ip
		)
		SELECT coalesce(jsonb_agg(jsonb_build_object('result_type', api.display(k.result_type), 'failed', k.failed,
			'reports', k.reports, 'receiving_mx_hostnames', (SELECT coalesce(jsonb_agg(h.host ORDER BY h.rank), '[]')
				FROM hosts h
				WHERE h.result_type IS NOT DISTINCT FROM k.result_type AND h.rank <= 10),
			'sending_mta_ips', (SELECT coalesce(jsonb_agg(i.ip ORDER BY i.rank), '[]') FROM ips i
				WHERE i.result_type IS NOT DISTINCT FROM k.result_type AND i.rank <= 10),
			'last_seen', api.iso(k.last_seen)) ORDER BY k.rank), '[]')
		FROM kinds k WHERE k.rank <= 100$q$, api.tls_conditions(f, p_policy_type)) INTO answer;
	RETURN answer;
END
$$;

-- The sessions of the window and of the window before, and why they failed.
CREATE FUNCTION api.tls_summary(f api.filter_set, p_policy_type text[] DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SET jit = off
AS $$
DECLARE
	reports jsonb;
BEGIN
	EXECUTE format('SELECT jsonb_build_object(''reports'', count(*), ''reporters'', count(DISTINCT r.organization_name),
		''last_report_at'', api.iso(max(r.received_at))) FROM %s', api.tls_reports_of(f, p_policy_type)) INTO reports;
	RETURN reports || jsonb_build_object('window', api.window_json(f), 'totals', api.tls_totals(f, p_policy_type),
		'previous', api.tls_totals(api.window_before(f), p_policy_type),
		'domains', api.tls_domains(f, p_policy_type), 'failures', api.tls_failures(f, p_policy_type));
END
$$;

-- Sessions by day, week or month; every step is present.
CREATE FUNCTION api.tls_timeseries(f api.filter_set, p_policy_type text[] DEFAULT NULL, p_bucket text DEFAULT NULL)
RETURNS jsonb
LANGUAGE plpgsql STABLE SET jit = off
AS $$
DECLARE
	points jsonb;
BEGIN
	p_bucket := api.bucket_of(p_bucket, f);
	EXECUTE format($q$
		SELECT jsonb_agg(jsonb_build_object('t', b.t, 'complete', b.complete,
			'v', jsonb_build_object('successful', coalesce(s.successful, 0), 'failed', coalesce(s.failed, 0)))
			ORDER BY b.t)
		FROM api.buckets($1, $2) b LEFT JOIN (
			SELECT date_trunc($1, c.day::timestamp)::date AS t, sum(c.total_successful_session_count) AS successful,
				sum(c.total_failure_session_count) AS failed
			FROM dmarc.tls_policies c WHERE %s
			GROUP BY 1
		) s ON s.t = b.t$q$, api.tls_conditions(f, p_policy_type)) INTO points USING p_bucket, f;
	RETURN jsonb_build_object('window', api.window_json(f), 'bucket', p_bucket,
		'keys', jsonb_build_array('successful', 'failed'), 'points', coalesce(points, '[]'));
END
$$;

-- One TLS report as a list item; its numbers are sums over all its policies.
CREATE FUNCTION api.tls_report_item(r dmarc.tls_reports) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
BEGIN
	RETURN (
		SELECT jsonb_build_object('id', r.id::text, 'organization_name', api.display(r.organization_name),
			'report_id', api.display(r.report_id), 'contact_info', api.display(r.contact_info),
			'start_datetime', api.iso(r.start_datetime), 'end_datetime', api.iso(r.end_datetime), 'policy_domains',
			(SELECT coalesce(jsonb_agg(DISTINCT api.display(d.policy_domain)), '[]') FROM dmarc.tls_policies d
				WHERE d.report = r.id AND d.start_datetime = r.start_datetime AND d.policy_domain IS NOT NULL),
			'policies', r.policies, 'successful', r.total_successful_session_count,
			'failed', r.total_failure_session_count, 'received_at', api.iso(r.received_at),
			'notes_total', coalesce(jsonb_array_length(r.notes), 0), 'authentic', r.authentic));
END
$$;

-- A query for the TLS reports that match a filter, after a place, the newest first; p_limit NULL is all.
CREATE FUNCTION api.tls_reports_query(f api.filter_set, place api.place, p_policy_type text[], p_result text,
	p_limit bigint) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN format('SELECT v.* FROM (SELECT r.domain_id, r.day, r.start_datetime, r.id FROM %s WHERE true',
		api.tls_reports_of(f, p_policy_type))
		|| CASE p_result WHEN 'fail' THEN ' AND r.total_failure_session_count > 0'
			WHEN 'pass' THEN ' AND r.total_failure_session_count <= 0' ELSE '' END
		|| CASE WHEN place.at IS NOT NULL THEN format(' AND (r.start_datetime, r.id) < (%L::timestamptz, %s)',
			place.at, place.id) ELSE '' END
		|| format(' ORDER BY r.start_datetime DESC, r.id DESC LIMIT %L) r CROSS JOIN LATERAL (
			SELECT v.* FROM dmarc.tls_reports v WHERE v.domain_id = r.domain_id AND v.day = r.day AND v.id = r.id
			LIMIT 1
		) v ORDER BY r.start_datetime DESC, r.id DESC', p_limit);
END
$$;

-- TLS reports, the newest first; p_result is fail for those with failed sessions, pass for those without.
CREATE FUNCTION api.tls_reports(f api.filter_set, p api.page_spec, p_policy_type text[] DEFAULT NULL,
	p_result text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SET jit = off
AS $$
DECLARE
	place api.place := api.place_of('tls_reports', p.cursor);
	page dmarc.tls_reports[];
BEGIN
	PERFORM api.check_choice('result', ARRAY['pass', 'fail'], p_result);
	EXECUTE format('SELECT array_agg(v::dmarc.tls_reports) FROM (%s) v',
		api.tls_reports_query(f, place, p_policy_type, p_result, p.size + 1)) INTO page;
	RETURN jsonb_build_object('window', api.window_json(f),
		'items', (SELECT coalesce(jsonb_agg(api.tls_report_item(page[n]) ORDER BY n), '[]')
			FROM generate_series(1, least(coalesce(cardinality(page), 0), p.size)) AS n),
		'next', CASE WHEN cardinality(page) > p.size THEN api.place_make('tls_reports', page[p.size].start_datetime,
			page[p.size].id, 0) END);
END
$$;

-- One policy of a TLS report.
CREATE FUNCTION api.tls_policy_json(r dmarc.tls_policies) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('policy_no', r.policy_no, 'policy_domain', api.display(r.policy_domain),
		'policy_type', api.display(r.policy_type), 'policy_string', api.display(r.policy_string),
		'mx_host', api.display(r.mx_host), 'successful', r.total_successful_session_count,
		'failed', r.total_failure_session_count, 'failure_details', coalesce(api.display(r.failure_details), '[]'))
$$;

-- A TLS report in full; NULL if there is none.
CREATE FUNCTION api.tls_report(p_id bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (
		SELECT api.tls_report_item(r) || jsonb_build_object(
			'policy', (SELECT coalesce(jsonb_agg(api.tls_policy_json(d) ORDER BY d.policy_no), '[]')
				FROM dmarc.tls_policies d
				WHERE d.report = r.id AND d.start_datetime = r.start_datetime),
			'notes', coalesce(api.display(r.notes), '[]'), 'sha256', encode(r.sha256, 'hex'),
			'mail', api.mail_json(r.mail))
		FROM dmarc.tls_reports r WHERE r.id = p_id);
END
$$;
