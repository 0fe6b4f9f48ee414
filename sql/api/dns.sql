-- dns.sql - compares reports with the DNS.

-- Returns whether the SPF record of a domain passes addresses today: the first range that contains the address
-- decides, else "all". NULL if there is no check, if SPF cannot be evaluated, or if something outside the stored
-- ranges might decide: a term that depends on the mail, or ranges beyond those that are stored.
CREATE FUNCTION api.spf_of(p_domain text, p_ips inet[]) RETURNS TABLE (source_ip inet, in_spf boolean)
LANGUAGE plpgsql STABLE SET jit = off
AS $$
BEGIN
	RETURN QUERY
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
	FROM unnest(p_ips) AS i(ip) LEFT JOIN spf ON true;
END
$$;

-- The same for sources: whether SPF covers all addresses of each that sent in the window. Only if the filter has
-- exactly one domain.
CREATE FUNCTION api.source_spf(p_group text, p_keys text[], f api.filter_set) RETURNS TABLE (key text, in_spf boolean)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	name text := (SELECT g.name FROM api.group_column(p_group) g);
	keys text[]; -- of each address in ips
	ips inet[];
BEGIN
	IF cardinality(f.domain) IS DISTINCT FROM 1
		OR NOT EXISTS (SELECT 1 FROM dmarc.dns_checks c WHERE c.domain = f.domain[1]) THEN
		RETURN;
	END IF;
	EXECUTE format('SELECT array_agg(m.key), array_agg(m.source_ip) FROM '
		'(SELECT %1$s AS key, c.source_ip FROM %2$s WHERE %1$s = ANY ($1) GROUP BY 1, 2) m', name,
			api.cells(f, 'address')) INTO keys, ips USING p_keys;
	RETURN QUERY
		SELECT m.key, CASE WHEN bool_or(NOT s.in_spf) THEN false WHEN count(*) = count(s.in_spf) THEN true END
		FROM unnest(keys, ips) AS m(key, source_ip)
		LEFT JOIN api.spf_of(f.domain[1], ARRAY(SELECT DISTINCT u FROM unnest(ips) u)) s ON s.source_ip = m.source_ip
		GROUP BY 1;
END
$$;

-- The addresses of a domain's MX hosts.
CREATE FUNCTION api.mx_addresses(p_check jsonb) RETURNS inet[]
LANGUAGE sql IMMUTABLE
AS $$ SELECT array_agg((a #>> '{}')::inet) FROM jsonb_path_query(p_check, '$.mx[*].addresses[*]') AS a $$;

-- An address that sent mail with the domain itself in From, and whether it is one of the domain's own hosts: labelled
-- mine, named below the domain, or an MX. Services are never own hosts, even if labelled mine or named below the
-- domain: they send with return paths, and so SPF records, of their own.
CREATE TYPE api.sender AS (domain text, source_ip inet, source text, label text, rdns text, own boolean,
	messages numeric, pass numeric, spf_aligned numeric, last_seen timestamptz);

-- The last two labels of a name.
CREATE FUNCTION api.name_tail(name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT split_part(name, '.', -2) || '.' || split_part(name, '.', -1) $$;

-- The addresses that may be own hosts of some domains: those that are labelled mine or are an MX, and those whose
-- name ends like one of the domains.
CREATE FUNCTION api.own_addresses(p_domains text[]) RETURNS inet[]
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	tails text[] := ARRAY(SELECT DISTINCT api.name_tail(d) FROM unnest(p_domains) d WHERE position('.' IN d) > 0);
	roots text[] := ARRAY(SELECT d FROM unnest(p_domains) d WHERE position('.' IN d) = 0);
BEGIN
	RETURN ARRAY(
		SELECT a.source_ip FROM dmarc.addresses a
		WHERE a.label = 'mine' AND a.source NOT LIKE 'service:%' OR api.name_tail(a.rdns) = ANY (tails)
			OR roots <> '{}' AND split_part(a.rdns, '.', -1) = ANY (roots)
		UNION
		SELECT m FROM dmarc.dns_checks c CROSS JOIN LATERAL unnest(api.mx_addresses(c.result)) m
		WHERE c.domain = ANY (p_domains));
END
$$;

-- The senders of some domains; with p_own only their own hosts. Nested loops are off because the planner
-- underestimates the facets with header_from = domain and would read the sums once for each.
CREATE FUNCTION api.domain_senders(p_domains text[], f api.filter_set, p_own boolean) RETURNS SETOF api.sender
LANGUAGE plpgsql STABLE SET jit = off SET work_mem = '64MB' SET enable_nestloop = off
AS $$
BEGIN
	f.domain := p_domains;
	RETURN QUERY EXECUTE format('
		WITH sent AS (
			SELECT c.domain_id, c.source_ip, sum(c.messages) AS messages,
				coalesce(sum(c.messages) FILTER (WHERE c.dmarc_pass), 0) AS pass,
				coalesce(sum(c.messages) FILTER (WHERE c.spf_aligned), 0) AS spf_aligned, max(c.last_seen) AS last_seen
			FROM %s
			WHERE c.header_from = c.domain AND c.source_ip IS NOT NULL%s
			GROUP BY 1, 2
		), senders AS (
			SELECT d.domain, s.source_ip, coalesce(a.source, ''ip:'' || host(s.source_ip)) AS source, a.label, a.rdns,
				coalesce((a.label = ''mine'' OR a.rdns = d.domain
							OR right(a.rdns, length(d.domain) + 1) = ''.'' || d.domain)
						AND (a.source NOT LIKE ''service:%%'' OR a.source_type = ''hosting'' AND a.label IS NULL)
					OR s.source_ip = ANY (m.addresses), false) AND coalesce(a.label, '''') NOT IN (''forwarder'',
						''not_mine'') AS own,
				s.messages, s.pass, s.spf_aligned, s.last_seen
			FROM sent s
			JOIN (SELECT d.domain_id, d.domain, api.mx_addresses(c.result) AS addresses
				FROM dmarc.domains d LEFT JOIN dmarc.dns_checks c ON c.domain_id = d.domain_id
				WHERE d.domain = ANY ($1) OFFSET 0) m USING (domain_id)
			JOIN dmarc.domains d USING (domain_id)
			LEFT JOIN dmarc.addresses a ON a.source_ip = s.source_ip
		)
		SELECT s.* FROM senders s%s', api.cells(f, 'address'),
		CASE WHEN p_own THEN format(' AND c.source_ip = ANY (%L::inet[])', api.own_addresses(p_domains)) ELSE '' END,
		CASE WHEN p_own THEN ' WHERE s.own' ELSE '' END) USING p_domains;
END
$$;

-- The selectors that signed in the window for each domain or a subdomain, at most 100 for each, with their status in
-- the DNS. Anybody can name a selector in a signature that fails, so a selector is trusted only if it passed once or
-- a source labelled mine used it. A message counts once for each selector, even if several of its signatures name it.
CREATE FUNCTION api.domain_selectors(p_domains text[], f api.filter_set)
RETURNS TABLE (policy_domain text, no bigint, domain text, selector text, status text, messages numeric,
	last_seen timestamptz, trusted boolean)
LANGUAGE plpgsql STABLE SET jit = off SET work_mem = '64MB'
AS $$
BEGIN
	f.domain := p_domains;
	RETURN QUERY EXECUTE format('
		WITH signed AS (
			SELECT c.domain_id, c.auth_results, sum(c.count) AS messages, max(c.begin) AS last_seen,
				bool_or(c.source_ip IN (SELECT a.source_ip FROM dmarc.addresses a WHERE a.label = ''mine'')) AS mine
			FROM %s GROUP BY 1, 2
		), named AS (
			SELECT s.domain_id, lower(k.v ->> ''domain'') AS domain, lower(k.v ->> ''selector'') AS selector,
				s.messages, s.last_seen, bool_or(k.v ->> ''result'' = ''pass'' OR s.mine) AS trusted
			FROM signed s CROSS JOIN LATERAL jsonb_path_query(s.auth_results, ''$.dkim[*]'') AS k(v)
			WHERE k.v ->> ''selector'' <> ''''
			GROUP BY 1, 2, 3, s.auth_results, s.messages, s.last_seen
		), seen AS (
			SELECT d.domain AS policy_domain, s.domain, s.selector, sum(s.messages) AS messages,
				max(s.last_seen) AS last_seen, bool_or(s.trusted) AS trusted
			FROM named s JOIN dmarc.domains d ON d.domain_id = s.domain_id
			WHERE s.domain = d.domain OR right(s.domain, length(d.domain) + 1) = ''.'' || d.domain
			GROUP BY 1, 2, 3
		), keys AS (
			SELECT c.domain AS policy_domain, k.v ->> ''domain'' AS domain, k.v ->> ''selector'' AS selector,
				k.v ->> ''status'' AS status
			FROM dmarc.dns_checks c CROSS JOIN LATERAL jsonb_path_query(c.result, ''$.dkim[*]'') AS k(v)
			WHERE c.domain = ANY ($1)
		), largest AS (
			SELECT s.policy_domain, row_number() OVER (PARTITION BY s.policy_domain
				ORDER BY s.messages DESC NULLS LAST, s.domain COLLATE "C", s.selector COLLATE "C") AS no,
				s.domain, s.selector, coalesce(k.status, ''unknown''), s.messages, s.last_seen,
				coalesce(s.trusted, false)
			FROM seen s LEFT JOIN keys k USING (policy_domain, domain, selector)
		)
		SELECT l.* FROM largest l WHERE l.no <= 100', api.records_of(f)) USING p_domains;
END
$$;

-- The selectors that signed mail in the week before the check, but have no usable key in the DNS. The whole window is
-- read only for domains where both the check and the records of that week have such a selector.
CREATE FUNCTION api.selectors_without_key(p_domains text[], f api.filter_set)
RETURNS TABLE (domain text, selector text, signed_domain text, status text, messages numeric)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	week api.filter_set := f;
	suspects text[];
	since timestamptz;
BEGIN
	SELECT array_agg(c.domain), min(c.checked_at) - interval '7 days' INTO suspects, since FROM dmarc.dns_checks c
	WHERE c.domain = ANY (p_domains)
		AND jsonb_path_exists(c.result,
			'$.dkim[*] ? (@.status == "missing" || @.status == "revoked" || @.status == "invalid")');
	week.from_day := greatest(f.from_day, (since AT TIME ZONE 'UTC')::date);
	IF suspects IS NULL OR week.from_day >= week.to_day THEN
		RETURN;
	END IF;
	suspects := ARRAY(SELECT DISTINCT s.policy_domain FROM api.domain_selectors(suspects, week) s
		WHERE s.status IN ('missing', 'revoked', 'invalid'));
	IF suspects = '{}' THEN
		RETURN;
	END IF;
	RETURN QUERY
	SELECT s.policy_domain, s.selector, s.domain, s.status, s.messages
	FROM api.domain_selectors(suspects, f) s
	JOIN dmarc.dns_checks c ON c.domain = s.policy_domain
	WHERE s.trusted AND s.status IN ('missing', 'revoked', 'invalid')
		AND s.last_seen > c.checked_at - interval '7 days';
END
$$;

-- The own hosts among the senders whose address the domain's SPF record does not cover, described for display.
CREATE FUNCTION api.hosts_outside_spf(senders api.sender[])
RETURNS TABLE (domain text, source_ip inet, name text, messages numeric, text text, fix text)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	RETURN QUERY
	WITH own AS MATERIALIZED (
		SELECT s.* FROM unnest(senders) s WHERE s.own
	), checked AS MATERIALIZED (
		SELECT d.domain, v.source_ip, v.in_spf
		FROM (SELECT own.domain, array_agg(own.source_ip) AS ips FROM own GROUP BY 1) d
		CROSS JOIN LATERAL api.spf_of(d.domain, d.ips) v
	)
	SELECT o.domain, o.source_ip, coalesce(o.rdns, a.source_name), o.messages,
		format('%s, a host of yours, sent %s as %s from %s, which the SPF of %s does not cover: a server with several '
			'addresses may leave by the wrong one.', coalesce(o.rdns, host(o.source_ip)),
				api.counted(o.messages, 'message'), o.domain, host(o.source_ip), o.domain),
		format('Add ip%s:%s to the SPF record of %s, or bind outgoing mail to an address that it covers.',
			family(o.source_ip), host(o.source_ip), o.domain)
	FROM checked v
	JOIN own o ON o.domain = v.domain AND o.source_ip = v.source_ip
	LEFT JOIN dmarc.addresses a ON a.source_ip = o.source_ip
	WHERE NOT v.in_spf;
END
$$;

-- The versions of a domain's records, the newest first, at most 100.
CREATE FUNCTION api.dns_history(p_name text) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', h.kind, 'name', api.display(h.name),
			'value', api.display(h.value), 'since', api.iso(h.since), 'until', api.iso(h.until),
			'is_change', h.is_change) ORDER BY h.no), '[]')
		FROM (SELECT v.*, row_number() OVER (ORDER BY v.since DESC, v.kind, v.name COLLATE "C") AS no
			FROM dmarc.dns_history v WHERE v.domain = p_name ORDER BY no LIMIT 100) h);
END
$$;

-- GET domains/{name}/dns
CREATE FUNCTION api.domain_dns(p_name text, f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	check_ jsonb;
	checked timestamptz;
	signed jsonb;
	senders api.sender[];
BEGIN
	p_name := lower(rtrim(p_name, '.'));
	IF NOT EXISTS (SELECT 1 FROM dmarc.domains d WHERE d.domain = p_name) THEN
		RETURN NULL;
	END IF;
	SELECT c.result, c.checked_at INTO check_, checked FROM dmarc.dns_checks c WHERE c.domain = p_name;
	f.domain := ARRAY[p_name];
	senders := ARRAY(SELECT s FROM api.domain_senders(ARRAY[p_name], f, false) s);
	SELECT coalesce(jsonb_agg(jsonb_build_object('domain', api.display(s.domain), 'selector', api.display(s.selector),
		'status', s.status, 'messages', coalesce(s.messages, 0), 'last_seen', api.iso(s.last_seen))
		ORDER BY s.no), '[]')
	INTO signed FROM api.domain_selectors(ARRAY[p_name], f) s;
	RETURN jsonb_build_object('window', api.window_json(f), 'domain', api.display(p_name),
		'checked_at', api.iso(checked), 'ok', check_ -> 'ok', 'solicited', check_ -> 'solicited',
		'findings', (SELECT coalesce(jsonb_agg(jsonb_build_object('code', 'own_host_outside_spf', 'severity', 'error',
				'place', host(o.source_ip), 'text', api.display(o.text), 'fix', api.display(o.fix))
				ORDER BY o.messages DESC, o.text COLLATE "C"), '[]')
				FROM api.hosts_outside_spf(senders) o)
			|| coalesce(api.display(check_ -> 'findings'), '[]'),
		'check', api.display(check_),
		'senders',
		(SELECT coalesce(jsonb_agg(jsonb_build_object('source_ip', host(s.source_ip), 'rdns', api.display(s.rdns),
				'source', api.display(s.source), 'name', api.display(a.source_name), 'label', s.label,
				'own', s.own, 'in_spf', s.in_spf, 'messages', s.messages, 'pass', s.pass, 'spf_aligned', s.spf_aligned,
				'last_seen', api.iso(s.last_seen)) ORDER BY s.no), '[]')
			FROM (
				SELECT d.*, v.in_spf, row_number() OVER (ORDER BY v.in_spf IS FALSE AND d.own DESC,
					v.in_spf IS FALSE DESC, d.messages DESC, d.source_ip) AS no
				FROM unnest(senders) d LEFT JOIN api.spf_of(p_name, ARRAY(SELECT u.source_ip FROM unnest(senders) u)) v
				USING (source_ip)
			) s LEFT JOIN dmarc.addresses a ON a.source_ip = s.source_ip
			WHERE s.no <= 200),
		'selectors', signed, 'history', api.dns_history(p_name),
		'unused', (SELECT coalesce(jsonb_agg(key), '[]')
			FROM (
				SELECT jsonb_build_object('domain', api.display(k.v ->> 'domain'),
					'selector', api.display(k.v ->> 'selector')) AS key
				FROM jsonb_path_query(check_, '$.dkim[*] ? (@.status == "ok")') AS k(v)
			) k
			WHERE NOT signed @> jsonb_build_array(k.key)));
END
$$;

-- GET attention: problems that the DNS and the reports show together, the most severe first.
CREATE FUNCTION api.attention(f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	-- the checked domains with reports in the window
	names text[] := ARRAY(SELECT c.domain FROM dmarc.dns_checks c WHERE (f.domain IS NULL OR c.domain = ANY (f.domain))
		AND EXISTS (
		SELECT 1 FROM dmarc.reports r WHERE r.domain_id = c.domain_id AND r.day >= f.from_day AND r.day < f.to_day));
	senders api.sender[] := ARRAY(SELECT s FROM api.domain_senders(names, f, true) s);
	answer jsonb;
BEGIN
	WITH checks AS (
		SELECT c.* FROM dmarc.dns_checks c WHERE c.domain = ANY (names)
	), things AS (
		SELECT 1 AS rank, 'own_host_outside_spf' AS code, 'error' AS severity, o.* FROM api.hosts_outside_spf(senders) o
		UNION ALL
		SELECT 2, 'dns_error', 'error', c.domain, NULL, NULL, NULL, left(e.v ->> 'place', 300) || ': '
			|| left(e.v ->> 'text', 500), e.v ->> 'fix'
		FROM checks c,
			jsonb_path_query(c.result, '$.findings[*] ? (@.severity == "error" && @.code != "dns_failed")') AS e(v)
		WHERE c.result -> 'solicited' IS DISTINCT FROM 'false' AND e.v ->> 'code' NOT LIKE 'dkim%'
		UNION ALL
		SELECT 3, 'selector_without_key', 'warning', s.domain, NULL, s.selector, s.messages,
			format('%s signed with selector %s of %s lately, for which the DNS has no usable key (%s).',
				api.counted(s.messages, 'message'), s.selector, s.signed_domain, s.status),
			format('Publish the key at %s._domainkey.%s, or sign with another selector.', s.selector, s.signed_domain)
		FROM api.selectors_without_key(names, f) s
		UNION ALL
		SELECT 4, 'unsolicited', 'warning', c.domain, NULL, NULL, NULL,
			format('Reports on %s come here, but its DMARC record names no mailbox of this server.', c.domain),
			'If it is yours, put the mailbox into rua; if it is not, its reports say nothing about you.'
		FROM checks c WHERE c.result -> 'solicited' = 'false'
	), best AS (
		SELECT t.*, row_number() OVER (ORDER BY t.rank, t.messages DESC NULLS LAST, t.domain COLLATE "C",
			t.text COLLATE "C") AS no FROM things t
	)
	SELECT jsonb_agg(jsonb_build_object('code', b.code, 'severity', b.severity, 'domain', api.display(b.domain),
		'source_ip', host(b.source_ip),
			'name', api.display(b.name), 'messages', b.messages, 'text', api.display(b.text), 'fix', api.display(b.fix))
			ORDER BY b.no)
	INTO answer FROM best b WHERE b.no <= 50;
	RETURN jsonb_build_object('window', api.window_json(f), 'items', coalesce(answer, '[]'));
END
$$;
