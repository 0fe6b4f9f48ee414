-- reporters.sql - who reports.

-- Reporters

-- The codes of the notes on the reports of some reporters and on their records: how many, and the five that come most often.
CREATE FUNCTION api.reporter_notes(p_reporters text[], f api.filter_set) RETURNS TABLE (org_name text, total bigint, codes jsonb)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	RETURN QUERY
	WITH counted AS (
		SELECT coalesce(n.org_name, '') AS org_name, n.code, count(*) AS n,
			row_number() OVER (PARTITION BY coalesce(n.org_name, '') ORDER BY count(*) DESC, n.code COLLATE "C") AS no
		FROM dmarc.notes n
		WHERE n.kind = 'aggregate' AND n.begin >= api.at(f.from_day) AND n.begin < api.at(f.to_day)
			AND coalesce(n.org_name, '') IN (SELECT coalesce(o, '') FROM unnest(p_reporters) o)
			AND (f.domain IS NULL OR n.domain = ANY (f.domain))
			AND (NOT f.by_record OR n.report IN (SELECT m.report FROM api.matching(f) m))
		GROUP BY 1, 2
	)
	SELECT c.org_name, sum(c.n)::bigint, jsonb_agg(jsonb_build_object('code', api.display(c.code), 'n', c.n) ORDER BY c.no) FILTER (WHERE c.no <= 5)
	FROM counted c GROUP BY 1;
END
$$;

-- Reports in up to 92 equal steps of whole days, from the window's first day.
CREATE FUNCTION api.coverage(p_reporters text[], f api.filter_set) RETURNS TABLE (org_name text, coverage jsonb)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	WITH shape AS (
		SELECT greatest(1, (f.to_day - f.from_day + 91) / 92) AS days
	), counts AS (
		SELECT coalesce(r.org_name, '') AS org_name, (r.day - f.from_day) / s.days AS step, count(*) AS n
		FROM api.matching_reports(f) r, shape s
		GROUP BY 1, 2
	)
	SELECT coalesce(o.org_name, ''), jsonb_agg(coalesce(c.n, 0) ORDER BY g.step)
	FROM shape CROSS JOIN unnest(p_reporters) AS o(org_name)
	CROSS JOIN generate_series(0, (f.to_day - f.from_day - 1) / shape.days) AS g(step)
	LEFT JOIN counts c ON c.org_name = coalesce(o.org_name, '') AND c.step = g.step
	GROUP BY 1
$$;

-- What their reports say about reporters.
CREATE TYPE api.reporter_tally AS (org_name text, reports bigint, records numeric, messages numeric, pass numeric, domains bigint,
	days bigint, lateness double precision, first_report_at timestamptz, last_report_at timestamptz);

-- The same for each of them.
CREATE FUNCTION api.reporter_tallies(f api.filter_set) RETURNS SETOF api.reporter_tally
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT r.org_name, count(*), sum(r.records), sum(r.messages), sum(r.pass), count(DISTINCT r.domain), count(DISTINCT r.day),
		percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM r.received_at - r."end")::double precision),
		min(r.received_at), max(r.received_at)
	FROM api.matching_reports(f) r
	GROUP BY r.org_name
$$;

-- The words that the reports of a reporter have: up to three addresses by the number of reports, and dialects.
CREATE FUNCTION api.reporter_words(p_reporters text[], f api.filter_set) RETURNS TABLE (org_name text, emails jsonb, dialects jsonb)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	WITH words AS (
		SELECT coalesce(r.org_name, '') AS org_name, r.email, r.dialect, count(*) AS n
		FROM api.matching_reports(f) r WHERE coalesce(r.org_name, '') IN (SELECT coalesce(o, '') FROM unnest(p_reporters) o)
		GROUP BY 1, 2, 3
	), emails AS (
		SELECT w.org_name, w.email, row_number() OVER (PARTITION BY w.org_name ORDER BY sum(w.n) DESC, w.email COLLATE "C") AS no
		FROM words w WHERE w.email IS NOT NULL GROUP BY 1, 2
	)
	SELECT w.org_name, (SELECT jsonb_agg(api.display(e.email) ORDER BY e.no) FROM emails e WHERE e.org_name = w.org_name AND e.no <= 3),
		jsonb_agg(DISTINCT w.dialect)
	FROM words w GROUP BY w.org_name
$$;

-- Who reports, those with the most messages first. Numbers are those of the reports that the filter leaves.
CREATE FUNCTION api.reporters(f api.filter_set, p api.page_spec) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	place api.rank := api.rank_of('reporters', p.cursor);
	page api.reporter_tally[];
	keys text[];
	total bigint;
	items jsonb;
BEGIN
	WITH t AS MATERIALIZED (
		SELECT t, t.messages, api.order_key(t.org_name) AS key FROM api.reporter_tallies(f) t
	), ordered AS (
		SELECT t.* FROM t WHERE api.comes_after(t.messages, t.key, place) ORDER BY t.messages DESC, t.key COLLATE "C" LIMIT p.size + 1
	)
	SELECT (SELECT count(*) FROM t), array_agg(o.t ORDER BY o.messages DESC, o.key COLLATE "C") INTO total, page FROM ordered o;
	keys := ARRAY(SELECT t.org_name FROM unnest(page[:p.size]) t);

	SELECT jsonb_agg(jsonb_build_object('org_name', api.display(t.org_name), 'emails', coalesce(w.emails, '[]'), 'reports', t.reports,
		'records', t.records, 'messages', t.messages, 'pass', t.pass, 'domains', t.domains, 'days', t.days,
		'coverage', coalesce(c.coverage, '[]'), 'lateness', round(t.lateness), 'dialects', w.dialects, 'notes_total', coalesce(n.total, 0),
		'notes', coalesce(n.codes, '[]'), 'first_report_at', api.iso(t.first_report_at), 'last_report_at', api.iso(t.last_report_at)) ORDER BY t.no)
	INTO items
	FROM unnest(page[:p.size]) WITH ORDINALITY AS t(org_name, reports, records, messages, pass, domains, days, lateness, first_report_at, last_report_at, no)
	LEFT JOIN api.reporter_words(keys, f) w ON w.org_name = coalesce(t.org_name, '')
	LEFT JOIN api.coverage(keys, f) c ON c.org_name = coalesce(t.org_name, '')
	LEFT JOIN api.reporter_notes(keys, f) n ON n.org_name = coalesce(t.org_name, '');

	RETURN jsonb_build_object('window', api.window_json(f), 'items', coalesce(items, '[]'), 'total', total,
		'next', CASE WHEN cardinality(page) > p.size THEN
			api.cursor_make('reporters', jsonb_build_array(page[p.size].messages, api.order_key(page[p.size].org_name))) END);
END
$$;
