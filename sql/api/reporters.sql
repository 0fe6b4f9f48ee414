-- reporters.sql - the organisations that send reports.

-- The reports that match a filter, as FROM item r. If the filter concerns records, they are looked up here once for
-- all queries.
CREATE FUNCTION api.reports_found(f api.filter_set) RETURNS text
LANGUAGE plpgsql STABLE SET jit = off
AS $$
DECLARE
	plain api.filter_set := api.only_domains(f, f.domain);
	found bigint[];
BEGIN
	IF NOT f.by_record THEN
		RETURN api.reports_of(f);
	END IF;
	plain.reporter := f.reporter;
	EXECUTE format('SELECT array_agg(DISTINCT c.report) FROM %s', api.records_of(f)) INTO found;
	RETURN format('(SELECT r.* FROM %s WHERE r.id = ANY (%L::bigint[])) r', api.reports_of(plain),
		coalesce(found, '{}'));
END
$$;

-- Sums of a reporter's reports: by domain, by day, and by email address and dialect. The columns that a sum is not
-- grouped by are NULL.
CREATE TYPE api.reporter_sum AS (by text, org_name text, domain_id integer, day date, email text, dialect text,
	reports bigint, records numeric, messages numeric, pass numeric, first_report_at timestamptz,
	last_report_at timestamptz);

-- All these sums, in one pass over the reports.
CREATE FUNCTION api.reporter_sums(reports text) RETURNS SETOF api.reporter_sum
LANGUAGE plpgsql STABLE SET jit = off
AS $$
BEGIN
	RETURN QUERY EXECUTE format('
		SELECT CASE WHEN grouping(r.domain_id) = 0 THEN ''domain'' WHEN grouping(r.day) = 0 THEN ''day'' ELSE ''words''
			END, r.org_name, r.domain_id, r.day, r.email, r.dialect, count(*), sum(r.records), sum(r.messages),
			sum(r.pass), min(r.received_at), max(r.received_at)
		FROM %s
		GROUP BY GROUPING SETS ((r.org_name, r.domain_id), (r.org_name, r.day), (r.org_name, r.email, r.dialect))',
			reports);
END
$$;

-- What is known about a reporter from its reports.
CREATE TYPE api.reporter_tally AS (org_name text, reports bigint, records numeric, messages numeric,
	pass numeric, domains bigint, days bigint, first_report_at timestamptz, last_report_at timestamptz);

-- The same for each reporter.
CREATE FUNCTION api.reporter_tallies(sums api.reporter_sum[]) RETURNS SETOF api.reporter_tally
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT s.org_name, (sum(s.reports) FILTER (WHERE s.by = 'domain'))::bigint,
		sum(s.records) FILTER (WHERE s.by = 'domain'), sum(s.messages) FILTER (WHERE s.by = 'domain'),
		sum(s.pass) FILTER (WHERE s.by = 'domain'), count(*) FILTER (WHERE s.by = 'domain'),
		count(*) FILTER (WHERE s.by = 'day'), min(s.first_report_at), max(s.last_report_at)
	FROM unnest(sums) s
	GROUP BY s.org_name
$$;

-- The number of reports in up to 92 equal steps of whole days, from the window's first day.
CREATE FUNCTION api.coverage(p_reporters text[], sums api.reporter_sum[], f api.filter_set)
RETURNS TABLE (org_name text, coverage jsonb)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	WITH shape AS (
		SELECT greatest(1, (f.to_day - f.from_day + 91) / 92) AS days
	), counts AS (
		SELECT coalesce(s.org_name, '') AS org_name, (s.day - f.from_day) / shape.days AS step, sum(s.reports) AS n
		FROM unnest(sums) s, shape
		WHERE s.by = 'day'
		GROUP BY 1, 2
	)
	SELECT coalesce(o.org_name, ''), jsonb_agg(coalesce(c.n, 0) ORDER BY g.step)
	FROM shape CROSS JOIN unnest(p_reporters) AS o(org_name)
	CROSS JOIN generate_series(0, (f.to_day - f.from_day - 1) / shape.days) AS g(step)
	LEFT JOIN counts c ON c.org_name = coalesce(o.org_name, '') AND c.step = g.step
	GROUP BY 1
$$;

-- The email addresses of each reporter's reports, up to three, the most frequent first, and their dialects.
CREATE FUNCTION api.reporter_words(p_reporters text[], sums api.reporter_sum[])
RETURNS TABLE (org_name text, emails jsonb, dialects jsonb)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	WITH words AS (
		SELECT coalesce(s.org_name, '') AS org_name, s.email, s.dialect, s.reports AS n
		FROM unnest(sums) s WHERE s.by = 'words' AND coalesce(s.org_name, '') IN (SELECT coalesce(o, '')
			FROM unnest(p_reporters) o)
	), emails AS (
		SELECT w.org_name, w.email, row_number() OVER (PARTITION BY w.org_name ORDER BY sum(w.n) DESC,
			w.email COLLATE "C") AS no
		FROM words w WHERE w.email IS NOT NULL GROUP BY 1, 2
	)
	SELECT w.org_name, (SELECT jsonb_agg(api.display(e.email) ORDER BY e.no) FROM emails e WHERE e.org_name = w.org_name
		AND e.no <= 3),
		jsonb_agg(DISTINCT w.dialect)
	FROM words w GROUP BY w.org_name
$$;

-- The median delay of each reporter, in seconds: from the end of a report's period to its receipt.
CREATE FUNCTION api.reporter_lateness(p_reporters text[], reports text)
RETURNS TABLE (org_name text, lateness double precision)
LANGUAGE plpgsql STABLE SET jit = off SET work_mem = '64MB'
AS $$
BEGIN
	RETURN QUERY EXECUTE format('
		SELECT s.org_name, (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY v) FROM unnest(s.seconds) v)
		FROM (
			SELECT coalesce(r.org_name, '''') AS org_name,
				array_agg(extract(epoch FROM r.received_at - r."end")::double precision) AS seconds
			FROM %s
			WHERE coalesce(r.org_name, '''') = ANY ($1)
			GROUP BY 1
		) s', reports) USING ARRAY(SELECT coalesce(o, '') FROM unnest(p_reporters) o);
END
$$;

-- The codes in the notes on reports and records of some reporters: their total, and the five most frequent.
CREATE FUNCTION api.reporter_notes(p_reporters text[], reports text)
RETURNS TABLE (org_name text, total bigint, codes jsonb)
LANGUAGE plpgsql STABLE SET jit = off SET work_mem = '64MB'
AS $$
BEGIN
	RETURN QUERY EXECUTE format('
		WITH found AS (
			SELECT coalesce(r.org_name, '''') AS org_name, r.notes, r.record_notes, count(*) AS reports
			FROM %s
			WHERE (r.notes IS NOT NULL OR r.record_notes IS NOT NULL) AND coalesce(r.org_name, '''') = ANY ($1)
			GROUP BY 1, 2, 3
		), counted AS (
			SELECT s.org_name, n.code, sum(n.n * s.reports) AS n,
				row_number() OVER (PARTITION BY s.org_name ORDER BY sum(n.n * s.reports) DESC, n.code COLLATE "C") AS no
			FROM found s
			CROSS JOIN LATERAL (
				SELECT v ->> ''code'' AS code, 1 AS n FROM jsonb_path_query(s.notes, ''$[*]'') v
				UNION ALL
				SELECT c.key, c.value::bigint FROM jsonb_each_text(s.record_notes) c) n
			GROUP BY 1, 2
		)
		SELECT c.org_name, sum(c.n)::bigint,
			jsonb_agg(jsonb_build_object(''code'', api.display(c.code), ''n'', c.n)
				ORDER BY c.no) FILTER (WHERE c.no <= 5)
		FROM counted c GROUP BY 1', reports) USING ARRAY(SELECT coalesce(o, '') FROM unnest(p_reporters) o);
END
$$;

-- The reporters with the most messages first. All numbers are those of the reports that match the filter.
CREATE FUNCTION api.reporters(f api.filter_set, p api.page_spec) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	place api.rank := api.rank_of('reporters', p.cursor);
	found text := api.reports_found(f);
	sums api.reporter_sum[] := ARRAY(SELECT s FROM api.reporter_sums(found) s);
	page api.reporter_tally[];
	keys text[];
	total bigint;
	items jsonb;
BEGIN
	WITH t AS MATERIALIZED (
		SELECT t, t.messages, api.order_key(t.org_name) AS key FROM api.reporter_tallies(sums) t
	), ordered AS (
		SELECT t.* FROM t WHERE api.comes_after(t.messages, t.key, place) ORDER BY t.messages DESC, t.key COLLATE "C"
		LIMIT p.size + 1
	)
	SELECT (SELECT count(*) FROM t), array_agg(o.t ORDER BY o.messages DESC, o.key COLLATE "C") INTO total, page
	FROM ordered o;
	keys := ARRAY(SELECT t.org_name FROM unnest(page[:p.size]) t);

	SELECT jsonb_agg(jsonb_build_object('org_name', api.display(t.org_name), 'emails', coalesce(w.emails, '[]'),
		'reports', t.reports, 'records', t.records, 'messages', t.messages, 'pass', t.pass, 'domains', t.domains,
		'days', t.days, 'coverage', coalesce(c.coverage, '[]'), 'lateness', round(l.lateness), 'dialects', w.dialects,
		'notes_total', coalesce(n.total, 0), 'notes', coalesce(n.codes, '[]'),
		'first_report_at', api.iso(t.first_report_at), 'last_report_at', api.iso(t.last_report_at)) ORDER BY t.no)
	INTO items
	FROM unnest(page[:p.size]) WITH ORDINALITY AS t(org_name, reports, records, messages, pass, domains, days,
		first_report_at, last_report_at, no)
	LEFT JOIN api.reporter_words(keys, sums) w ON w.org_name = coalesce(t.org_name, '')
	LEFT JOIN api.coverage(keys, sums, f) c ON c.org_name = coalesce(t.org_name, '')
	LEFT JOIN api.reporter_lateness(keys, found) l ON l.org_name = coalesce(t.org_name, '')
	LEFT JOIN api.reporter_notes(keys, found) n ON n.org_name = coalesce(t.org_name, '');

	RETURN jsonb_build_object('window', api.window_json(f), 'items', coalesce(items, '[]'), 'total', total,
		'next', CASE WHEN cardinality(page) > p.size THEN
			api.cursor_make('reporters', jsonb_build_array(page[p.size].messages,
				api.order_key(page[p.size].org_name))) END);
END
$$;
