-- summary.sql - the summary and the time series.

-- The values of domain_id with which dmarc.seen answers for all domains that the reader sees: 0 is any domain, and
-- ruad_viewer sees the rows of its domains only.
CREATE FUNCTION api.any_domain() RETURNS integer[]
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN CASE WHEN pg_has_role('ruad_web', 'USAGE') THEN '{0}'
		ELSE ARRAY(SELECT d.domain_id FROM dmarc.domains d) END;
END
$$;

-- The same for the domains of a filter.
CREATE FUNCTION api.seen_domains(f api.filter_set) RETURNS integer[]
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN CASE WHEN f.domain IS NULL THEN api.any_domain() ELSE ARRAY(SELECT d.domain_id FROM dmarc.domains d
		WHERE d.domain = ANY (f.domain)) END;
END
$$;

-- A query for the addresses that were never seen before a window. seen is the view that is correct about it
-- (api.seen_view()). The query's parameters are the domains (api.seen_domains()) and the window's begin.
CREATE FUNCTION api.new_addresses(seen text, domains integer[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE WHEN cardinality(domains) = 1 AND seen = 'api.seen'
		THEN 'SELECT b.source_ip FROM api.seen b WHERE b.domain_id = ANY ($1) AND b.first_seen >= $2'
		ELSE format('SELECT b.source_ip FROM %s b WHERE b.domain_id = ANY ($1) GROUP BY 1 HAVING min(b.first_seen) >= '
			'$2', seen) END
$$;

-- The number of sources in a window, of those never seen before it, and of those with at least half of their messages
-- failing. A source was seen before if one of its addresses was: one that it has in the window, or another that
-- belongs to it today.
CREATE FUNCTION api.source_counts(f api.filter_set) RETURNS jsonb
-- as in api.key_page()
LANGUAGE plpgsql STABLE SET jit = off SET work_mem = '64MB' SET enable_sort = off SET enable_nestloop = on
AS $$
DECLARE
	seen constant text := api.seen_view();
	domains constant integer[] := api.seen_domains(f);
	since constant timestamptz := api.at(f.from_day);
	sources bigint;
	failing bigint;
	new bigint;
	names text[]; -- of the new ones, those that may have other addresses
	old bigint;
BEGIN
	PERFORM api.look_up_addresses(api.names_sources(f));
	EXECUTE format($q$
		WITH sums AS (
			SELECT c.source_ip, sum(c.messages::double precision) AS messages,
				sum(CASE WHEN c.dmarc_pass THEN c.messages::double precision ELSE 0 END) AS pass
			FROM %s GROUP BY 1
		), sources AS (
			SELECT coalesce(a.source, 'ip:' || host(s.source_ip)) AS key, sum(s.pass) <= sum(s.messages) * 0.5
				AND sum(s.messages) > 0 AS failing, bool_or(n.source_ip IS NULL) AS old
			FROM sums s
			LEFT JOIN dmarc.addresses a ON a.source_ip = s.source_ip
			LEFT JOIN (%s) n ON n.source_ip = s.source_ip
			GROUP BY 1
		)
		SELECT count(*), count(*) FILTER (WHERE s.failing), count(*) FILTER (WHERE NOT s.old),
			coalesce(array_agg(s.key) FILTER (WHERE NOT s.old AND s.key NOT LIKE 'ip:%%'), '{}')
		FROM sources s$q$, api.cells(f, 'address'), api.new_addresses(seen, domains))
	INTO sources, failing, new, names USING domains, since;
	-- a condition of the aggregate, so that each address is looked up
	EXECUTE format('SELECT count(DISTINCT a.source) FILTER (WHERE %s) FROM dmarc.addresses a WHERE a.source = ANY ($3)',
		CASE WHEN seen = 'api.seen'
			THEN 'EXISTS (SELECT 1 FROM api.seen b WHERE b.source_ip = a.source_ip AND b.domain_id = ANY '
				'($1) AND b.first_seen < $2)'
			ELSE 'a.source_ip IN (SELECT b.source_ip FROM dmarc.seen b WHERE b.domain_id = ANY ($1) AND '
				'b.first_seen < $2)' END)
	INTO old USING domains, since, names;
	RETURN jsonb_build_object('total', sources, 'failing', failing, 'new', new - old);
END
$$;

-- The number of reports and reporters in a window, and when the last report was received.
CREATE FUNCTION api.report_counts(f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET jit = off
AS $$
DECLARE
	answer jsonb;
BEGIN
	EXECUTE format($q$
		SELECT jsonb_build_object('reports', coalesce(sum(o.reports), 0), 'reporters', count(o.org_name),
			'last_report_at', api.iso(max(o.last)))
		FROM (SELECT r.org_name, count(*) AS reports, max(r.received_at) AS last FROM %s GROUP BY 1) o$q$,
			api.reports_of(f))
	INTO answer;
	RETURN answer;
END
$$;

CREATE FUNCTION api.summary(f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	complete date := greatest(f.from_day, least(f.to_day, api.complete_until()));
BEGIN
	RETURN jsonb_build_object('window', api.window_json(f), 'complete_until', complete, 'totals', api.totals(f),
		'previous', api.totals(api.window_before(f)), 'sources', api.source_counts(f)) || api.report_counts(f);
END
$$;

-- The value that a message counts for in a time series, as an expression over api.cells().
CREATE FUNCTION api.series_column(p_by text) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
	SELECT CASE p_by
		WHEN 'class' THEN 'c.class'
		WHEN 'disposition' THEN format('CASE WHEN c.disposition = ANY (%L) THEN c.disposition ELSE ''unknown'' END',
			api.dispositions())
		WHEN 'domain' THEN 'c.domain'
		WHEN 'reporter' THEN 'coalesce(c.org_name, ''unknown'')'
		WHEN 'alignment' THEN $q$CASE WHEN c.dkim_aligned AND c.spf_aligned THEN 'both'
			WHEN c.dkim_aligned THEN 'dkim_only'
			WHEN c.spf_aligned THEN 'spf_only' ELSE 'none' END$q$
	END
$$;

-- The messages of a time series. Reports contain their reporter and their messages, so without conditions on records
-- no record is read.
CREATE FUNCTION api.series_sums(f api.filter_set, p_bucket text, p_by text) RETURNS TABLE (t date, key text, n numeric)
LANGUAGE plpgsql STABLE SET jit = off
AS $$
DECLARE
	rows text := CASE WHEN p_by <> 'reporter' THEN api.cells(f, CASE p_bucket WHEN 'month' THEN 'month' ELSE 'day' END)
		WHEN f.by_record THEN api.cells(f, 'record')
		ELSE format('(SELECT r.day, r.org_name, r.messages FROM %s WHERE r.records > 0) c', api.reports_of(f)) END;
BEGIN
	RETURN QUERY EXECUTE format('SELECT date_trunc(%L, d.day::timestamp)::date, d.key, sum(d.n) FROM (
			SELECT c.day, %s AS key, sum(c.messages) AS n FROM %s GROUP BY 1, 2) d
		GROUP BY 1, 2', p_bucket, api.series_column(p_by), rows);
END
$$;

-- The keys of a series that do not depend on the data; NULL for domain and reporter.
CREATE FUNCTION api.series_keys(p_by text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE p_by
		WHEN 'class' THEN api.classes()
		WHEN 'disposition' THEN api.dispositions()
		WHEN 'alignment' THEN ARRAY['both', 'dkim_only', 'spf_only', 'none']
	END
$$;

CREATE FUNCTION api.timeseries(f api.filter_set, p_bucket text DEFAULT NULL, p_by text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	answer jsonb;
BEGIN
	p_bucket := api.bucket_of(p_bucket, f);
	PERFORM api.check_choice('by', ARRAY['class', 'disposition', 'domain', 'reporter', 'alignment'], p_by);
	p_by := coalesce(p_by, 'class');

	WITH raw AS MATERIALIZED (
		SELECT s.* FROM api.series_sums(f, p_bucket, p_by) s
	), shown AS (
		SELECT raw.t, api.display(raw.key) AS key, sum(raw.n) AS n FROM raw GROUP BY 1, 2
	), largest AS (
		SELECT key, row_number() OVER (ORDER BY sum(n) DESC NULLS LAST, key COLLATE "C") AS rank FROM shown GROUP BY key
	), sums AS (
		SELECT s.t, CASE WHEN api.series_keys(p_by) IS NULL AND l.rank > 10 THEN 'other' ELSE s.key END AS key,
			sum(s.n) AS n
		FROM shown s JOIN largest l USING (key)
		GROUP BY 1, 2
	), keys AS (
		SELECT k.key, k.rank FROM unnest(api.series_keys(p_by)) WITH ORDINALITY AS k(key, rank)
		UNION ALL
		SELECT s.key, min(l.rank) FROM sums s LEFT JOIN largest l ON l.key = s.key AND l.rank <= 10
		WHERE api.series_keys(p_by) IS NULL GROUP BY s.key
	), points AS (
		SELECT b.t, b.complete,
			(SELECT jsonb_object_agg(k.key, coalesce(s.n, 0)) FROM keys k
				LEFT JOIN sums s ON s.t = b.t AND s.key = k.key) AS v
		FROM api.buckets(p_bucket, f) b
	)
	SELECT jsonb_build_object('window', api.window_json(f), 'bucket', p_bucket, 'by', p_by,
		'keys', (SELECT coalesce(jsonb_agg(k.key ORDER BY k.rank NULLS LAST), '[]') FROM keys k),
		'points', coalesce(jsonb_agg(jsonb_build_object('t', p.t, 'complete', p.complete, 'v', coalesce(p.v, '{}'))
			ORDER BY p.t), '[]'))
	INTO answer FROM points p;
	RETURN answer;
END
$$;
