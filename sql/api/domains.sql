-- domains.sql - policy domains and the From domains below them.

-- From domains listed below a policy domain, the largest: anybody can make up more.
CREATE FUNCTION api.from_domains_most() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT 100 $$;

-- Domains

-- How many sources a group has; those whose address could not be read are one.
CREATE FUNCTION api.source_totals(p_group text, f api.filter_set) RETURNS TABLE (key text, total bigint)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT s.key, count(*) FROM (
		SELECT CASE p_group WHEN 'domain' THEN r.domain ELSE r.header_from END AS key, r.source FROM api.matching(f) r GROUP BY 1, 2) s
	GROUP BY 1
$$;

-- Policy domains as lists show them, one for each tally.
CREATE FUNCTION api.policy_domain_items(tallies api.tally[], f api.filter_set, csv boolean) RETURNS TABLE (name text, item jsonb)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	keys text[] := ARRAY(SELECT t.key FROM unnest(tallies) t);
	plain api.filter_set := api.only_domains(f, keys);
BEGIN
	f.domain := keys;
	RETURN QUERY
	SELECT keys[i], api.tally_json(tallies[i]) || jsonb_build_object('name', api.display(keys[i]), 'kind', 'policy',
		'parent', api.display(api.parent_of(keys[i])), 'policy', n.policy, 'sources', coalesce(s.total, 0), 'blockers', coalesce(b.n, 0),
		'sufficient', coalesce(e.sufficient, false), 'last_report_at', api.iso(e.last_report_at), 'spark', k.spark,
		'solicited', api.solicited(keys[i]))
	FROM generate_subscripts(keys, 1) i
	LEFT JOIN (SELECT r.domain, api.policy_seen(r, false) AS policy FROM api.newest_reports(plain) r) n ON n.domain = keys[i]
	LEFT JOIN api.source_totals('domain', f) s ON s.key = keys[i]
	LEFT JOIN (SELECT x.domain, count(*) AS n FROM api.findings(keys, f) x GROUP BY 1) b ON b.domain = keys[i]
	LEFT JOIN api.evidence(plain) e ON e.domain = keys[i]
	LEFT JOIN api.sparks('domain', CASE WHEN NOT csv THEN keys END, f) k ON k.key = keys[i];
END
$$;

-- The From domains below each of some policy domains that have no reports of their own, the largest. One that is seen below two of them
-- belongs to the nearer.
CREATE FUNCTION api.from_domains(p_domains text[], f api.filter_set) RETURNS TABLE (parent text, name text)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	f.domain := p_domains;
	RETURN QUERY
	SELECT DISTINCT ON (b.header_from) b.domain, b.header_from
	FROM (
		SELECT a.*, row_number() OVER (PARTITION BY a.domain ORDER BY a.messages DESC, a.header_from COLLATE "C") AS no
		FROM (
			SELECT r.domain, r.header_from, coalesce(sum(r.count), 0) AS messages FROM api.matching(f) r
			WHERE right(r.header_from, length(r.domain) + 1) = '.' || r.domain
			GROUP BY 1, 2
		) a
		WHERE NOT EXISTS (SELECT FROM dmarc.domains d JOIN dmarc.reports r ON r.domain = d.domain WHERE d.domain = a.header_from)
	) b
	WHERE b.no <= api.from_domains_most()
	ORDER BY b.header_from, length(b.domain) DESC;
END
$$;

-- From domains as lists show them, with the policy domain that each is below, the largest first.
CREATE FUNCTION api.from_domain_items(p_domains text[], f api.filter_set, csv boolean) RETURNS TABLE (parent text, no bigint, item jsonb)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	plain api.filter_set := api.only_domains(f, p_domains);
	parents jsonb;
BEGIN
	parents := (SELECT jsonb_object_agg(d.name, d.parent) FROM api.from_domains(p_domains, f) d);
	f.domain := p_domains;
	f.header_from := ARRAY(SELECT jsonb_object_keys(parents));
	f.by_record := true;
	RETURN QUERY
	SELECT d.parent, row_number() OVER (PARTITION BY d.parent ORDER BY t.messages DESC, t.key COLLATE "C"),
		api.tally_json(t) || jsonb_build_object('name', api.display(t.key), 'kind', 'from', 'parent', api.display(d.parent),
			'policy', n.policy, 'sources', s.total, 'blockers', NULL, 'sufficient', NULL, 'last_report_at', api.iso(l.received_at), 'spark', k.spark,
			'solicited', NULL)
	FROM api.tallies('header_from', f) t
	CROSS JOIN LATERAL (SELECT parents ->> t.key AS parent) d
	JOIN api.source_totals('header_from', f) s ON s.key = t.key
	LEFT JOIN (SELECT r.domain, api.policy_seen(r, true) AS policy FROM api.newest_reports(plain) r) n ON n.domain = d.parent
	LEFT JOIN (
		SELECT x.header_from, max(r.received_at) AS received_at
		FROM (SELECT DISTINCT m.header_from, m.report, m.begin, m.domain FROM api.matching(f) m) x
		JOIN api.matching_reports(plain) r ON r.id = x.report AND r.begin = x.begin AND r.domain = x.domain
		GROUP BY 1
	) l ON l.header_from = t.key
	LEFT JOIN api.sparks('header_from', CASE WHEN NOT csv THEN f.header_from END, f) k ON k.key = t.key;
END
$$;

-- Policy domains; a page counts them, and the From domains below each come behind it.
CREATE FUNCTION api.domains(f api.filter_set, p api.page_spec, p_sort text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	list text;
	page api.tally[];
	place api.rank;
	keys text[];
	total bigint;
BEGIN
	p_sort := api.sort_of(p_sort);
	list := format('domains %s', p_sort);
	place := api.rank_of(list, p.cursor);
	SELECT t.total, t.page INTO total, page FROM api.tally_page('domain', f, p_sort, p.size, place) t;
	keys := ARRAY(SELECT t.key FROM unnest(page[:p.size]) t);
	RETURN jsonb_build_object('window', api.window_json(f), 'next', api.tally_next(list, page, p_sort, p.size), 'total', total,
		'items', (SELECT coalesce(jsonb_agg(i.item ORDER BY array_position(keys, i.domain), i.no), '[]') FROM (
			SELECT d.name AS domain, 0 AS no, d.item FROM api.policy_domain_items(page[:p.size], f, p.csv) d
			UNION ALL
			SELECT d.parent, d.no, d.item FROM api.from_domain_items(keys, f, p.csv) d) i));
END
$$;

-- One domain; NULL when there was never a report on it. A From domain below a policy domain has no policy of its own: its history is
-- empty, and the record of the next step is that of the policy domain.
CREATE FUNCTION api.domain(p_name text, f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	name text := (api.domain_names(ARRAY[p_name]))[1];
	governing text := name;
	item jsonb;
	history jsonb := '[]';
	policy api.policy;
	sufficient boolean;
BEGIN
	f := api.only_domains(f, ARRAY[name]);
	IF EXISTS (SELECT FROM dmarc.reports r WHERE r.domain = name) THEN
		item := (SELECT d.item FROM api.policy_domain_items(ARRAY[coalesce((SELECT t FROM api.tallies('domain', f) t), api.tally_zero(name))],
			f, false) d);
		history := (SELECT jsonb_agg(jsonb_build_object('from', h.first_day, 'to', h.last_day, 'reports', h.reports, 'reporters', h.reporters,
			'policy', api.display(to_jsonb(h.policy)))) FROM api.policy_history(name, f.to_day) h);
	ELSE
		governing := api.parent_of(name);
		f := api.only_domains(f, ARRAY[governing]);
		f.header_from := ARRAY[name];
		f.by_record := true;
		item := (SELECT d.item FROM api.from_domain_items(ARRAY[governing], f, false) d);
	END IF;
	IF item IS NULL THEN
		RETURN NULL;
	END IF;
	policy := (SELECT h.policy FROM api.policy_history(governing, f.to_day) h LIMIT 1);
	sufficient := (SELECT e.sufficient FROM api.evidence(api.only_domains(f, ARRAY[governing])) e);
	RETURN item || jsonb_build_object('window', api.window_json(f), 'policy_history', coalesce(history, '[]'),
		'subdomains', (SELECT coalesce(jsonb_agg(d.item ORDER BY d.no), '[]') FROM api.from_domain_items(ARRAY[name], f, false) d),
		'next_record', api.next_record(governing, policy, coalesce(sufficient, false))) || (
		SELECT jsonb_build_object('first_report_at', api.iso(min(r.received_at)),
			'reporters', count(DISTINCT coalesce(r.org_name, '')) FILTER (WHERE r.begin >= api.at(f.from_day) AND r.begin < api.at(f.to_day)))
		FROM dmarc.reports r
		WHERE r.domain = governing AND (governing = name OR r.id IN (SELECT m.report FROM api.matching(f) m)));
END
$$;
