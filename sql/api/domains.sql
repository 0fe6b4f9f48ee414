-- domains.sql - policy domains and the From domains below them.

-- The number of From domains listed below a policy domain, the largest first: anybody can invent more.
CREATE FUNCTION api.from_domains_most() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT 100 $$;

-- The number of sources for each value of a column of cells (domain_id or header_from). All unreadable addresses
-- count as one source. A year may have a million pairs of domain and address, and few repeat, so grouping equal ones
-- first would not help.
CREATE FUNCTION api.source_totals(p_column text, f api.filter_set) RETURNS TABLE (key text, total bigint)
LANGUAGE plpgsql STABLE SET jit = off SET work_mem = '64MB' SET enable_sort = off SET enable_nestloop = on
AS $$
BEGIN
	PERFORM api.look_up_addresses(api.names_sources(f));
	RETURN QUERY EXECUTE format('SELECT s.key::text, count(*) FROM (SELECT DISTINCT c.%I AS key, c.source FROM %s) s '
		'GROUP BY s.key', p_column, api.cells(f, 'address'));
END
$$;

-- Policy domains as list items, one for each tally.
CREATE FUNCTION api.policy_domain_items(tallies api.tally[], f api.filter_set, csv boolean)
RETURNS TABLE (name text, item jsonb)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	keys text[] := ARRAY(SELECT t.key FROM unnest(tallies) t);
	plain api.filter_set := api.only_domains(f, keys);
	known api.domain_evidence[] := ARRAY(SELECT e FROM api.evidence(plain) e);
	sums api.source_sums := api.source_sums(plain);
	totals jsonb := sums.totals; -- of sources, by domain_id
BEGIN
	f.domain := keys;
	IF f.by_record OR f.reporter IS NOT NULL THEN
		totals := (SELECT jsonb_object_agg(s.key, s.total) FROM api.source_totals('domain_id', f) s);
	END IF;
	RETURN QUERY
	SELECT keys[i], api.tally_json(tallies[i]) || jsonb_build_object('name', api.display(keys[i]), 'kind', 'policy',
		'parent', api.display(api.parent_of(keys[i])), 'policy', n.policy, 'sources',
		coalesce((totals ->> d.domain_id::text)::bigint, 0),
		'blockers', coalesce(b.n, 0), 'sufficient', coalesce(e.sufficient, false),
		'last_report_at', api.iso(e.last_report_at), 'spark', k.spark, 'solicited', api.solicited(keys[i]))
	FROM generate_subscripts(keys, 1) i
	LEFT JOIN (SELECT r.domain, api.policy_seen(r, false) AS policy
		FROM api.newest_reports(plain) r) n ON n.domain = keys[i]
	LEFT JOIN dmarc.domains d ON d.domain = keys[i]
	LEFT JOIN (SELECT x.domain, count(*) AS n FROM api.findings(keys, f, known, sums) x GROUP BY 1) b
		ON b.domain = keys[i]
	LEFT JOIN unnest(known) e ON e.domain = keys[i]
	LEFT JOIN api.sparks('domain', CASE WHEN NOT csv THEN keys END, f) k ON k.key = keys[i];
END
$$;

-- The largest From domains below each of some policy domains that have no reports of their own. A From domain below
-- several of them belongs to the nearest.
CREATE FUNCTION api.from_domains(p_domains text[], f api.filter_set) RETURNS TABLE (parent text, name text)
LANGUAGE plpgsql STABLE SET jit = off
AS $$
BEGIN
	f.domain := p_domains;
	RETURN QUERY EXECUTE format('
		WITH sums AS MATERIALIZED (
			SELECT d.domain, s.header_from, s.messages
			FROM (SELECT c.domain_id, c.header_from, sum(c.messages) AS messages FROM %s GROUP BY 1, 2) s
			JOIN dmarc.domains d ON d.domain_id = s.domain_id
			WHERE right(s.header_from, length(d.domain) + 1) = ''.'' || d.domain
		), policy_domains AS MATERIALIZED (
			SELECT d.domain, d.domain_id FROM dmarc.domains d WHERE d.domain IN (SELECT s.header_from FROM sums s)
		), largest AS (
			SELECT s.*, row_number() OVER (PARTITION BY s.domain ORDER BY s.messages DESC, s.header_from COLLATE "C")
				AS no
			FROM sums s
			WHERE s.header_from NOT IN (SELECT d.domain FROM policy_domains d WHERE api.has_reports(d.domain_id))
		)
		SELECT DISTINCT ON (l.header_from) l.domain, l.header_from
		FROM largest l
		WHERE l.no <= api.from_domains_most()
		ORDER BY l.header_from, length(l.domain) DESC', api.cells(f, 'any'));
END
$$;

-- When the last report with each From domain of the filter was received. It is nearly always a report of the last day
-- on which the From domain was seen. A report of an earlier day may have been received later, so earlier days that
-- have a later report are searched too.
CREATE FUNCTION api.from_last_reports(f api.filter_set) RETURNS TABLE (header_from text, received_at timestamptz)
LANGUAGE plpgsql STABLE SET jit = off
AS $$
DECLARE
	-- Checks one report after another: the planner would turn EXISTS into a join with all records, and an order by
	-- received_at alone into a walk through its index.
	record_there text := format('(SELECT true FROM dmarc.records c WHERE c.domain_id = r.domain_id AND c.day = r.day
		AND c.report = r.id
		AND c.month = date_trunc(''month'', r.day::timestamp)::date AND c.header_from = h.header_from%s
			LIMIT 1)', api.conditions(f));
BEGIN
	RETURN QUERY EXECUTE format('
		WITH seen AS MATERIALIZED (
			SELECT c.header_from, c.domain_id, c.day FROM %1$s GROUP BY 1, 2, 3
		), newest AS MATERIALIZED (
			SELECT h.header_from, h.domain_id, h.first_day, h.day, n.received_at
			FROM (SELECT s.header_from, s.domain_id, min(s.day) AS first_day, max(s.day) AS day
				FROM seen s GROUP BY 1, 2) h
			CROSS JOIN LATERAL (
				SELECT r.received_at FROM (
					SELECT r.* FROM dmarc.reports r WHERE r.domain_id = h.domain_id AND r.day = h.day
					ORDER BY extract(epoch FROM r.received_at) DESC OFFSET 0) r
				WHERE %3$s
				LIMIT 1) n
		), days AS MATERIALIZED (
			SELECT r.domain_id, r.day, max(r.received_at) AS received_at FROM %2$s
			WHERE r.domain_id IN (SELECT n.domain_id FROM newest n)
				AND r.received_at > (SELECT min(n.received_at) FROM newest n) GROUP BY 1, 2
		), places AS MATERIALIZED (
			SELECT h.header_from, h.domain_id, h.received_at, array_agg(d.day) AS days
			FROM newest h
			JOIN days d ON d.domain_id = h.domain_id AND d.received_at > h.received_at AND d.day >= h.first_day
				AND d.day < h.day
			GROUP BY 1, 2, 3
		), later AS (
			SELECT h.header_from, n.received_at
			FROM places h
			CROSS JOIN LATERAL (
				SELECT r.received_at FROM (
					SELECT r.* FROM dmarc.reports r WHERE r.domain_id = h.domain_id AND r.day = ANY (h.days)
						AND r.received_at > h.received_at
					ORDER BY extract(epoch FROM r.received_at) DESC OFFSET 0) r
				WHERE ((h.header_from, r.domain_id, r.day) IN (SELECT s.header_from, s.domain_id, s.day FROM seen s)) IS
					TRUE AND %3$s
				LIMIT 1) n
		)
		SELECT n.header_from, max(n.received_at)
		FROM (SELECT h.header_from, h.received_at FROM newest h UNION ALL SELECT l.header_from, l.received_at
			FROM later l) n
		GROUP BY 1', api.cells(f, 'day'), api.reports_of(api.only_domains(f, f.domain)), record_there);
END
$$;

-- From domains as list items, the largest first, with the policy domain that each is below.
CREATE FUNCTION api.from_domain_items(p_domains text[], f api.filter_set, csv boolean)
RETURNS TABLE (parent text, no bigint, item jsonb)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	plain api.filter_set := api.only_domains(f, p_domains);
	parents jsonb;
BEGIN
	parents := (SELECT jsonb_object_agg(d.name, d.parent) FROM api.from_domains(p_domains, f) d);
	IF parents IS NULL THEN
		RETURN;
	END IF;
	f.domain := p_domains;
	f.header_from := ARRAY(SELECT jsonb_object_keys(parents));
	f.by_record := true;
	RETURN QUERY
	SELECT d.parent, row_number() OVER (PARTITION BY d.parent ORDER BY t.messages DESC, t.key COLLATE "C"),
		api.tally_json(t) || jsonb_build_object('name', api.display(t.key), 'kind', 'from',
			'parent', api.display(d.parent), 'policy', n.policy, 'sources', s.total, 'blockers', NULL,
			'sufficient', NULL, 'last_report_at', api.iso(l.received_at), 'spark', k.spark, 'solicited', NULL)
	FROM api.tallies('header_from', f) t
	CROSS JOIN LATERAL (SELECT parents ->> t.key AS parent) d
	JOIN api.source_totals('header_from', f) s ON s.key = t.key
	LEFT JOIN (SELECT r.domain, api.policy_seen(r, true) AS policy
		FROM api.newest_reports(plain) r) n ON n.domain = d.parent
	LEFT JOIN api.from_last_reports(f) l ON l.header_from = t.key
	LEFT JOIN api.sparks('header_from', CASE WHEN NOT csv THEN f.header_from END, f) k ON k.key = t.key;
END
$$;

-- What does not count because it is about others' domains; NULL if there is none, or if domains are named.
CREATE FUNCTION api.others(f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET jit = off
AS $$
DECLARE
	answer jsonb;
BEGIN
	IF f.named THEN
		RETURN NULL;
	END IF;
	f := api.only_domains(f, api.counted_domains('only'));
	IF f.domain = '{}' THEN
		RETURN NULL;
	END IF;
	EXECUTE format('SELECT jsonb_build_object(''domains'', count(DISTINCT c.domain_id), ''messages'', '
		'coalesce(sum(c.messages), 0)) FROM %s', api.cells(f, 'any')) INTO answer;
	RETURN answer;
END
$$;

-- Policy domains, each followed by the From domains below it. The page size counts policy domains only.
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
	RETURN jsonb_build_object('window', api.window_json(f), 'next', api.tally_next(list, page, p_sort, p.size),
		'total', total, 'others', api.others(f),
		'items', (SELECT coalesce(jsonb_agg(i.item ORDER BY array_position(keys, i.domain), i.no), '[]')
			FROM (
			SELECT d.name AS domain, 0 AS no, d.item FROM api.policy_domain_items(page[:p.size], f, p.csv) d
			UNION ALL
			SELECT d.parent, d.no, d.item FROM api.from_domain_items(keys, f, p.csv) d) i));
END
$$;

-- When the first report on a domain was received, ever, and how many reporters it had in the window. If the filter
-- names From domains, only reports of the window with such a record count for both.
CREATE FUNCTION api.domain_reports(f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	of_domain integer := api.domain_id_of(f.domain[1]);
	answer jsonb;
BEGIN
	EXECUTE format('SELECT jsonb_build_object(''first_report_at'', api.iso(min(r.received_at)), ''reporters'', '
		'count(DISTINCT coalesce(r.org_name, ''''))) FROM %s',
		api.reports_of(f)) INTO answer;
	IF NOT f.by_record THEN
		answer := answer || jsonb_build_object('first_report_at',
			(SELECT api.iso(min(r.received_at)) FROM dmarc.reports r WHERE r.domain_id = of_domain));
	END IF;
	RETURN answer;
END
$$;

-- One domain; NULL if there was never a report on it. A From domain below a policy domain has no policy of its own:
-- its history is empty, and its next record is that of the policy domain.
CREATE FUNCTION api.domain(p_name text, f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	name text := (api.domain_names(ARRAY[p_name]))[1];
	own boolean := api.has_reports(api.domain_id_of(name));
	governing text := CASE WHEN own THEN name ELSE api.parent_of(name) END;
	plain api.filter_set := api.only_domains(f, ARRAY[governing]);
	item jsonb;
	history jsonb;
	policies api.policy[];
BEGIN
	IF own THEN
		f := plain;
		item := (SELECT d.item
			FROM api.policy_domain_items(ARRAY[coalesce((SELECT t FROM api.tallies('domain', f) t),
				api.tally_zero(name))],
			f, false) d);
	ELSE
		f := plain;
		f.header_from := ARRAY[name];
		f.by_record := true;
		item := (SELECT d.item FROM api.from_domain_items(ARRAY[governing], f, false) d);
	END IF;
	IF item IS NULL THEN
		RETURN NULL;
	END IF;
	SELECT array_agg(h.policy),
		jsonb_agg(jsonb_build_object('from', h.first_day, 'to', h.last_day, 'reports', h.reports,
		'reporters', h.reporters, 'policy', api.display(to_jsonb(h.policy))))
	INTO policies, history FROM api.policy_history(governing, f.to_day) h;
	RETURN item || api.domain_reports(f) || jsonb_build_object('window', api.window_json(f),
		'policy_history', CASE WHEN own THEN coalesce(history, '[]') ELSE '[]' END,
		'subdomains', (SELECT coalesce(jsonb_agg(d.item ORDER BY d.no), '[]')
			FROM api.from_domain_items(ARRAY[name], f, false) d),
		'next_record', api.next_record(governing, policies[1],
			coalesce((SELECT e.sufficient FROM api.evidence(plain) e), false)));
END
$$;
