-- help.sql - the part of the help that is the same in every language: the SQL behind each number, records and commands. The texts
-- are in web/texts/, and ruad-web adds them.

-- The statements, for the domains and the window of a filter; number is a key of the topic "numbers".
CREATE FUNCTION api.help_queries(f api.filter_set) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
	WITH condition AS (
		SELECT format('WHERE day >= %L AND day < %L', f.from_day, f.to_day) AS days,
			CASE WHEN f.domain IS NOT NULL THEN format(' AND domain = ANY (%L)', f.domain) ELSE '' END AS of
	), where_ AS (
		SELECT days || of AS w, days || replace(of, 'domain', 'policy_domain') AS w_tls FROM condition
	)
	SELECT jsonb_agg(jsonb_build_object('number', q.number, 'sql', q.sql) ORDER BY q.no)
	FROM where_, LATERAL (VALUES
		(1, 'messages', 'SELECT sum(count) AS messages, sum(count) FILTER (WHERE dmarc_pass) AS pass, sum(count) FILTER (WHERE dkim_aligned) AS dkim_aligned, '
			'sum(count) FILTER (WHERE spf_aligned) AS spf_aligned FROM dmarc.records ' || w),
		(2, 'chart', 'SELECT day, class, sum(count) AS messages FROM dmarc.records ' || w || ' GROUP BY day, class ORDER BY day, class'),
		(3, 'sources', 'SELECT source, label, sum(count) AS messages, sum(count) FILTER (WHERE NOT dmarc_pass) AS fail FROM dmarc.records ' || w
			|| ' GROUP BY source, label ORDER BY fail DESC NULLS LAST'),
		(4, 'names', 'SELECT source_ip, source, source_name, name_basis, rdns, asn, as_name, country FROM dmarc.addresses'),
		(5, 'labels', 'SELECT source, label, note, set_by, set_at FROM dmarc.label_log ORDER BY id DESC'),
		(6, 'dispositions', 'SELECT disposition, sum(count) AS messages FROM dmarc.records ' || w || ' GROUP BY disposition'),
		(7, 'reports', 'SELECT org_name, count(*) AS reports, sum(messages) AS messages, max("end") AS last FROM dmarc.reports ' || w
			|| ' GROUP BY org_name ORDER BY reports DESC'),
		(8, 'policies', 'SELECT domain, p, sp, np, testing, adkim, aspf, first_seen, last_seen, reporters FROM dmarc.policies ORDER BY domain, first_seen'),
		(9, 'overrides', 'SELECT type, count(*) AS records FROM dmarc.record_overrides ' || w || ' GROUP BY type'),
		(10, 'failures', 'SELECT begin, auth_failure, source_ip, header_from, subject FROM dmarc.failure_reports ' || w || ' ORDER BY begin DESC'),
		(11, 'tls', 'SELECT day, policy_type, sum(total_successful_session_count) AS successful, sum(total_failure_session_count) AS failed '
			'FROM dmarc.tls_policies ' || w_tls || ' GROUP BY day, policy_type ORDER BY day'),
		(12, 'notes', 'SELECT code, org_name, count(*) AS notes FROM dmarc.notes ' || w || ' GROUP BY code, org_name ORDER BY notes DESC'),
		(13, 'intake', 'SELECT received_at, code, reason, subject FROM dmarc.intake WHERE status = ''quarantined'' AND code <> ''unrelated'' ORDER BY received_at DESC')
	) AS q(no, number, sql)
$$;

-- The records and commands of the first steps, in the order of the topic "onboarding". ruad-web replaces {lmtp}, and the page the
-- other blanks.
CREATE FUNCTION api.help_samples() RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
	SELECT jsonb_agg(jsonb_build_object('term', s.term, 'text', s.text) ORDER BY s.no)
	FROM (VALUES
		(1, 'ask', '_dmarc.{domain}. TXT "v=DMARC1; p=none; rua=mailto:dmarc-sum@{host}"'),
		(2, 'authorise', '{domain}._report._dmarc.{host}. TXT "v=DMARC1"'),
		(3, 'deliver', '{host}. MX 10 {host}.'),
		(4, 'test', 'swaks {lmtp} --protocol LMTP --to dmarc-sum@{host}'),
		(5, 'import', 'ruad import reports/')
	) AS s(no, term, text)
$$;

CREATE FUNCTION api.help(f api.filter_set) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
	SELECT jsonb_build_object('window', api.window_json(f), 'queries', api.display(api.help_queries(f)),
		'onboarding_samples', api.help_samples())
$$;
