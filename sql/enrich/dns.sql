-- dns.sql - domains whose DNS is due for a check, and the results.

-- The selectors that signed for a domain or a name below it in its reports of the last 90 days: [{"domain",
-- "selector"}], at most 50, those with the most messages first.
CREATE FUNCTION ruad.dns_selectors(p_domain text) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (
		SELECT coalesce(jsonb_agg(jsonb_build_object('domain', s.domain, 'selector', s.selector)), '[]')
		FROM (
			SELECT lower(k.v ->> 'domain') AS domain, lower(k.v ->> 'selector') AS selector
			FROM ruad.record r
			JOIN ruad.evaluation e ON e.domain_id = r.domain_id AND e.id = r.evaluation
			CROSS JOIN LATERAL jsonb_path_query(e.auth_results, '$.dkim[*]') AS k(v)
			WHERE r.domain_id = (SELECT d.id FROM ruad.domain d WHERE d.name = p_domain)
				AND r.day > ruad.day_of(now()) - 90
				AND k.v ->> 'selector' ~ '^[A-Za-z0-9._-]{1,200}$'
				AND p_domain = ANY (ruad.names_above(k.v ->> 'domain'))
			GROUP BY 1, 2 ORDER BY sum(r.count) DESC LIMIT 50
		) s);
END
$$;

-- Domains whose DNS is due for a check, and the selectors that reports name (ruad.dns_selectors()). Domains that asked
-- for their reports to be sent here come first (p_own_only: no others), then those of which that is not known; of each
-- the domain with the most messages in the last 30 days. Anyone can send reports about any domains, and ours must not
-- wait for them. Others' domains are checked again after a week, in case they became ours, or never if [server] domains
-- says whose they are.
CREATE FUNCTION ruad.dns_wanted(p_limit integer, p_own_only boolean DEFAULT false)
RETURNS TABLE (domain text, selectors jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	WITH due AS MATERIALIZED (
		SELECT d.name, row_number() OVER (
			ORDER BY c.solicited IS NOT TRUE, c.solicited IS FALSE,
				m.messages DESC NULLS LAST, c.expires_at, d.name) AS no
		FROM ruad.dns_check c JOIN ruad.domain d ON d.id = c.domain_id
		CROSS JOIN LATERAL (SELECT sum(s.messages) AS messages FROM ruad.sum_day s
			WHERE s.domain_id = c.domain_id AND s.day > ruad.day_of(now()) - 30) m
		WHERE c.expires_at <= now() AND (c.solicited OR NOT p_own_only)
			AND (c.domain_id = ANY (ARRAY(SELECT o.domain_id FROM dmarc.domains o WHERE o.own))
				OR (c.expires_at <= now() - interval '7 days' AND NOT EXISTS (SELECT 1 FROM ruad.own_domain)))
		ORDER BY no LIMIT p_limit
	)
	SELECT c.name, ruad.dns_selectors(c.name) FROM due c ORDER BY c.no;
END
$$;

-- Store the result of a check for p_keep seconds. NULL: the DNS did not answer, and the known result stays.
CREATE FUNCTION ruad.dns_store(p_domain text, p_result jsonb, p_keep bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE ruad.dns_check c SET expires_at = now() + p_keep * interval '1 second',
		checked_at = CASE WHEN p_result IS NULL THEN c.checked_at ELSE now() END, result = coalesce(p_result, c.result)
	FROM ruad.domain d WHERE d.id = c.domain_id AND d.name = p_domain;
END
$$;

GRANT EXECUTE ON FUNCTION ruad.enrich_services, ruad.enrich_collect, ruad.enrich_spend, ruad.enrich_wanted,
	ruad.enrich_store, ruad.enrich_addresses, ruad.enrich_networks, ruad.dns_wanted, ruad.dns_store TO ruad_enrich;
