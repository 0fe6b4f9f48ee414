-- dns.sql - reports against the DNS.

-- Whether the SPF of a domain passes addresses today: the first range that has an address decides, else its "all". NULL when there is no
-- check, SPF cannot be evaluated, or what might decide is not in the ranges: a term that depends on the mail, or more ranges than are kept.
CREATE FUNCTION api.spf_of(p_domain text, p_ips inet[]) RETURNS TABLE (source_ip inet, in_spf boolean)
LANGUAGE sql STABLE
AS $$
	WITH spf AS MATERIALIZED (
		SELECT c.result -> 'spf' AS v, jsonb_path_exists(c.result, '$.findings[*] ? (@.code == "spf_many_ranges")')
			OR jsonb_array_length(c.result #> '{spf,unlisted}') > 0 AS more
		FROM dmarc.dns_checks c WHERE c.domain = p_domain AND c.result #>> '{spf,result}' = 'ok'
	), ranges AS MATERIALIZED (
		SELECT r.no, (r.v ->> 'range')::cidr AS range, r.v ->> 'qualifier' = '+' AS passes
		FROM spf, jsonb_array_elements(spf.v -> 'ranges') WITH ORDINALITY AS r(v, no)
	)
	SELECT i.ip, CASE WHEN spf.v IS NOT NULL THEN coalesce(
		(SELECT r.passes FROM ranges r WHERE i.ip <<= r.range ORDER BY r.no LIMIT 1),
		CASE WHEN NOT spf.more THEN coalesce(spf.v ->> 'all', '?') = '+' END) END
	FROM unnest(p_ips) AS i(ip) LEFT JOIN spf ON true
$$;

-- The same for sources: whether all addresses of each that sent in the window are inside; only where one domain is asked for.
CREATE FUNCTION api.source_spf(p_group text, p_keys text[], f api.filter_set) RETURNS TABLE (key text, in_spf boolean)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	IF cardinality(f.domain) IS DISTINCT FROM 1 OR NOT EXISTS (SELECT FROM dmarc.dns_checks c WHERE c.domain = f.domain[1]) THEN
		RETURN;
	END IF;
	RETURN QUERY
		WITH members AS MATERIALIZED (
			SELECT DISTINCT m.key, m.source_ip FROM (
				SELECT api.group_key(p_group, r.domain, r.header_from, r.source, r.rdns_domain, r.asn, r.country, r.source_ip, r.auth_results,
					r.org_name) AS key, r.source_ip
				FROM api.matching(f) r OFFSET 0
			) m
			WHERE m.key = ANY (p_keys)
		)
		SELECT m.key, CASE WHEN bool_or(NOT s.in_spf) THEN false WHEN count(*) = count(s.in_spf) THEN true END
		FROM members m LEFT JOIN api.spf_of(f.domain[1], ARRAY(SELECT DISTINCT u.source_ip FROM members u)) s ON s.source_ip = m.source_ip
		GROUP BY 1;
END
$$;

-- The addresses that a domain's MX hosts have.
CREATE FUNCTION api.mx_addresses(p_check jsonb) RETURNS inet[]
LANGUAGE sql IMMUTABLE
AS $$ SELECT array_agg((a #>> '{}')::inet) FROM jsonb_path_query(p_check, '$.mx[*].addresses[*]') AS a $$;

-- Who sent with a domain itself in From, and whether that is a host of one's own: labelled so, named so, or an MX. A service is none, even
-- where it is labelled mine: it sends by return paths, and so by the SPF, of its own.
CREATE FUNCTION api.domain_senders(p_domains text[], f api.filter_set)
RETURNS TABLE (domain text, source_ip inet, source text, label text, rdns text, own boolean, messages numeric, pass numeric,
	spf_aligned numeric, last_seen timestamptz)
LANGUAGE sql STABLE
AS $$
	WITH sent AS (
		SELECT r.domain, r.source_ip, r.source, r.label, r.rdns, coalesce(sum(r.count), 0) AS messages,
			coalesce(sum(r.count) FILTER (WHERE r.dmarc_pass), 0) AS pass, coalesce(sum(r.count) FILTER (WHERE r.spf_aligned), 0) AS spf_aligned,
			max(r.begin) AS last_seen
		FROM api.matching(f) r
		WHERE r.domain = ANY (p_domains) AND r.header_from = r.domain AND r.source_ip IS NOT NULL
		GROUP BY 1, 2, 3, 4, 5
	)
	SELECT s.domain, s.source_ip, s.source, s.label, s.rdns,
		coalesce(s.label = 'mine' AND s.source NOT LIKE 'service:%' OR s.rdns = s.domain OR right(s.rdns, length(s.domain) + 1) = '.' || s.domain
			OR s.source_ip = ANY (api.mx_addresses(c.result)), false) AND coalesce(s.label, '') NOT IN ('forwarder', 'not_mine'),
		s.messages, s.pass, s.spf_aligned, s.last_seen
	FROM sent s LEFT JOIN dmarc.dns_checks c ON c.domain = s.domain
$$;

-- The selectors that signed for a domain or for one below it in the window, with what the DNS has for them. Anybody can name a selector in a
-- signature that fails: trusted are those that passed once, or that a source labelled mine used.
CREATE FUNCTION api.domain_selectors(p_domain text, f api.filter_set)
RETURNS TABLE (domain text, selector text, status text, messages numeric, last_seen timestamptz, trusted boolean)
LANGUAGE sql STABLE
AS $$
	WITH seen AS (
		SELECT s.domain, s.selector, sum(s.count) AS messages, max(s.begin) AS last_seen, bool_or(s.trusted) AS trusted
		FROM (
			SELECT r.report, r.record_no, r.count, r.begin, lower(k.v ->> 'domain') AS domain, lower(k.v ->> 'selector') AS selector,
				bool_or(k.v ->> 'result' = 'pass' OR r.label = 'mine') AS trusted
			FROM api.matching(f) r, jsonb_path_query(r.auth_results, '$.dkim[*]') AS k(v)
			WHERE r.domain = p_domain AND k.v ->> 'selector' <> ''
			GROUP BY 1, 2, 3, 4, 5, 6
		) s
		WHERE s.domain = p_domain OR right(s.domain, length(p_domain) + 1) = '.' || p_domain
		GROUP BY 1, 2
	), keys AS (
		SELECT k.v ->> 'domain' AS domain, k.v ->> 'selector' AS selector, k.v ->> 'status' AS status
		FROM dmarc.dns_checks c, jsonb_path_query(c.result, '$.dkim[*]') AS k(v)
		WHERE c.domain = p_domain
	)
	SELECT s.domain, s.selector, coalesce(k.status, 'unknown'), s.messages, s.last_seen, coalesce(s.trusted, false)
	FROM seen s LEFT JOIN keys k USING (domain, selector)
	ORDER BY s.messages DESC NULLS LAST, s.domain COLLATE "C", s.selector COLLATE "C"
	LIMIT 100
$$;

-- Hosts of one's own that sent from an address that the domain's SPF does not cover, in words.
CREATE FUNCTION api.hosts_outside_spf(p_domains text[], f api.filter_set)
RETURNS TABLE (domain text, source_ip inet, name text, messages numeric, text text, mend text)
LANGUAGE sql STABLE
AS $$
	WITH own AS MATERIALIZED (
		SELECT * FROM api.domain_senders(p_domains, f) s WHERE s.own
	)
	SELECT o.domain, o.source_ip, coalesce(o.rdns, a.source_name), o.messages,
		format('%s, a host of yours, sent %s as %s from %s, which the SPF of %s does not cover: a server with several addresses may leave by the wrong one.',
			coalesce(o.rdns, host(o.source_ip)), api.messages_words(o.messages), o.domain, host(o.source_ip), o.domain),
		format('Add ip%s:%s to the SPF record of %s, or bind outgoing mail to an address that it covers.', family(o.source_ip), host(o.source_ip), o.domain)
	FROM (SELECT DISTINCT own.domain FROM own) d
	CROSS JOIN LATERAL api.spf_of(d.domain, ARRAY(SELECT u.source_ip FROM own u WHERE u.domain = d.domain)) v
	JOIN own o ON o.domain = d.domain AND o.source_ip = v.source_ip
	LEFT JOIN dmarc.addresses a ON a.source_ip = o.source_ip
	WHERE NOT v.in_spf
$$;

-- GET domains/{name}/dns
CREATE FUNCTION api.domain_dns(p_name text, f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	check_ jsonb;
	checked timestamptz;
	signed jsonb;
BEGIN
	p_name := lower(rtrim(p_name, '.'));
	IF NOT EXISTS (SELECT FROM dmarc.domains d WHERE d.domain = p_name) THEN
		RETURN NULL;
	END IF;
	SELECT c.result, c.checked_at INTO check_, checked FROM dmarc.dns_checks c WHERE c.domain = p_name;
	f.domain := ARRAY[p_name];
	SELECT coalesce(jsonb_agg(jsonb_build_object('domain', api.display(s.domain), 'selector', api.display(s.selector), 'status', s.status,
		'messages', coalesce(s.messages, 0), 'last_seen', api.iso(s.last_seen))), '[]')
	INTO signed FROM api.domain_selectors(p_name, f) s;
	RETURN jsonb_build_object('window', api.window_json(f), 'domain', api.display(p_name), 'checked_at', api.iso(checked),
		'ok', check_ -> 'ok', 'solicited', check_ -> 'solicited',
		'findings', (SELECT coalesce(jsonb_agg(jsonb_build_object('code', 'own_host_outside_spf', 'severity', 'error',
				'place', host(o.source_ip), 'text', api.display(o.text), 'mend', api.display(o.mend)) ORDER BY o.messages DESC, o.text COLLATE "C"), '[]')
				FROM api.hosts_outside_spf(ARRAY[p_name], f) o)
			|| coalesce(api.display(check_ -> 'findings'), '[]'),
		'check', api.display(check_),
		'senders', (SELECT coalesce(jsonb_agg(jsonb_build_object('source_ip', host(s.source_ip), 'rdns', api.display(s.rdns),
				'source', api.display(s.source), 'name', api.display(a.source_name), 'label', s.label, 'own', s.own, 'in_spf', s.in_spf,
				'messages', s.messages, 'pass', s.pass, 'spf_aligned', s.spf_aligned, 'last_seen', api.iso(s.last_seen)) ORDER BY s.no), '[]')
			FROM (
				WITH sent AS MATERIALIZED (SELECT * FROM api.domain_senders(ARRAY[p_name], f))
				SELECT d.*, v.in_spf, row_number() OVER (ORDER BY v.in_spf IS FALSE AND d.own DESC, v.in_spf IS FALSE DESC, d.messages DESC, d.source_ip) AS no
				FROM sent d LEFT JOIN api.spf_of(p_name, ARRAY(SELECT u.source_ip FROM sent u)) v USING (source_ip)
			) s LEFT JOIN dmarc.addresses a ON a.source_ip = s.source_ip
			WHERE s.no <= 200),
		'selectors', signed,
		'unused', (SELECT coalesce(jsonb_agg(key), '[]')
			FROM (
				SELECT jsonb_build_object('domain', api.display(k.v ->> 'domain'), 'selector', api.display(k.v ->> 'selector')) AS key
				FROM jsonb_path_query(check_, '$.dkim[*] ? (@.status == "ok")') AS k(v)
			) k
			WHERE NOT signed @> jsonb_build_array(k.key)));
END
$$;

-- GET attention: what the DNS and the reports together say is wrong, the gravest first.
CREATE FUNCTION api.attention(f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	-- what reports are about in the window, and was checked
	names text[] := ARRAY(SELECT c.domain FROM dmarc.dns_checks c WHERE (f.domain IS NULL OR c.domain = ANY (f.domain)) AND EXISTS (
		SELECT FROM dmarc.reports r WHERE r.domain = c.domain AND r.begin >= api.at(f.from_day) AND r.begin < api.at(f.to_day)));
	answer jsonb;
BEGIN
	WITH checks AS (
		SELECT c.* FROM dmarc.dns_checks c WHERE c.domain = ANY (names)
	), things AS (
		SELECT 1 AS rank, 'own_host_outside_spf' AS code, 'error' AS severity, o.* FROM api.hosts_outside_spf(names, f) o
		UNION ALL
		SELECT 2, 'dns_error', 'error', c.domain, NULL, NULL, NULL, left(e.v ->> 'place', 300) || ': ' || left(e.v ->> 'text', 500), e.v ->> 'mend'
		FROM checks c, jsonb_path_query(c.result, '$.findings[*] ? (@.severity == "error" && @.code != "dns_failed")') AS e(v)
		WHERE c.result -> 'solicited' IS DISTINCT FROM 'false' AND e.v ->> 'code' NOT LIKE 'dkim%'
		UNION ALL
		SELECT 3, 'selector_without_key', 'warning', c.domain, NULL, s.selector, s.messages,
			format('%s signed with selector %s of %s lately, for which the DNS has no usable key (%s).', api.messages_words(s.messages), s.selector, s.domain, s.status),
			format('Publish the key at %s._domainkey.%s, or sign with another selector.', s.selector, s.domain)
		FROM checks c, api.domain_selectors(c.domain, f) s
		WHERE s.trusted AND s.status IN ('missing', 'revoked', 'invalid') AND s.last_seen > c.checked_at - interval '7 days'
		UNION ALL
		SELECT 4, 'unsolicited', 'warning', c.domain, NULL, NULL, NULL,
			format('Reports on %s come here, but its DMARC record names no mailbox of this server.', c.domain),
			'If it is yours, put the mailbox into rua; if it is not, its reports say nothing about you.'
		FROM checks c WHERE c.result -> 'solicited' = 'false'
	), best AS (
		SELECT t.*, row_number() OVER (ORDER BY t.rank, t.messages DESC NULLS LAST, t.domain COLLATE "C", t.text COLLATE "C") AS no FROM things t
	)
	SELECT jsonb_agg(jsonb_build_object('code', b.code, 'severity', b.severity, 'domain', api.display(b.domain), 'source_ip', host(b.source_ip),
			'name', api.display(b.name), 'messages', b.messages, 'text', api.display(b.text), 'mend', api.display(b.mend)) ORDER BY b.no)
	INTO answer FROM best b WHERE b.no <= 50;
	RETURN jsonb_build_object('window', api.window_json(f), 'items', coalesce(answer, '[]'));
END
$$;
