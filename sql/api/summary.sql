-- summary.sql - the summary and the time series.

-- Numbers

-- A row when an address had reports on the filter's domains before its window: an index probe per month. (In FROM it is planned with the
-- query around it; as a value it would be planned at each call.)
CREATE FUNCTION api.seen_before(ip inet, f api.filter_set) RETURNS SETOF boolean
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT true FROM dmarc.records r
	WHERE r.source_ip = ip AND r.begin < api.at(f.from_day) AND (f.domain IS NULL OR r.domain = ANY (f.domain))
	LIMIT 1
$$;

-- Sources of a window: how many, how many of them were never seen before it, and how many have half of their messages or more fail.
-- A source was seen before when any address was that it has in the window, or one of a hundred others that belong to it today. Mostly
-- the first address settles it.
CREATE FUNCTION api.source_counts(f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	RETURN (
		WITH sums AS MATERIALIZED (
			SELECT r.source_ip, sum(r.count) AS messages, sum(r.count) FILTER (WHERE r.dmarc_pass) AS pass FROM api.matching(f) r GROUP BY 1
		), addresses AS MATERIALIZED (
			SELECT coalesce(a.source, 'ip:' || host(s.source_ip)) AS key, s.* FROM sums s LEFT JOIN dmarc.addresses a USING (source_ip)
		), sources AS MATERIALIZED (
			SELECT a.key, min(a.source_ip) AS one, coalesce(sum(a.pass), 0) <= sum(a.messages) * 0.5 AND sum(a.messages) > 0 AS failing
			FROM addresses a GROUP BY 1
		), unseen AS MATERIALIZED (
			SELECT s.key FROM sources s LEFT JOIN LATERAL api.seen_before(s.one, f) AS b(seen) ON true WHERE s.key IS NOT NULL AND b.seen IS NULL
		), members AS (
			SELECT u.key, a.source_ip FROM unseen u JOIN addresses a USING (key)
			UNION
			SELECT u.key, a.source_ip FROM unseen u
			CROSS JOIN LATERAL (SELECT a.source_ip FROM dmarc.addresses a WHERE a.source = u.key LIMIT 100) a
		)
		SELECT jsonb_build_object('total', (SELECT count(*) FROM sources), 'failing', (SELECT count(*) FROM sources s WHERE s.failing),
			'new', (SELECT count(*) FROM unseen)
				- (SELECT count(DISTINCT m.key) FROM members m CROSS JOIN LATERAL api.seen_before(m.source_ip, f) b)));
END
$$;

CREATE FUNCTION api.summary(f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	previous api.filter_set := api.window_before(f);
	answer jsonb;
BEGIN
	answer := jsonb_build_object('window', api.window_json(f), 'complete_until', greatest(f.from_day, least(f.to_day, api.complete_until())));
	answer := answer || jsonb_build_object('totals', api.totals(f), 'previous', api.totals(previous), 'sources', api.source_counts(f));
	RETURN answer || (SELECT jsonb_build_object('reports', count(*), 'reporters', count(DISTINCT r.org_name),
		'last_report_at', api.iso(max(r.received_at)))
		FROM api.matching_reports(f) r);
END
$$;

-- What a message counts as in a time series.
CREATE FUNCTION api.series_key(p_by text, class text, disposition text, domain text, org_name text, dkim boolean, spf boolean)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT CASE p_by
		WHEN 'class' THEN class
		WHEN 'disposition' THEN CASE WHEN disposition = ANY (api.dispositions()) THEN disposition ELSE 'unknown' END
		WHEN 'domain' THEN domain
		WHEN 'reporter' THEN coalesce(org_name, 'unknown')
		ELSE CASE WHEN dkim AND spf THEN 'both' WHEN dkim THEN 'dkim_only' WHEN spf THEN 'spf_only' ELSE 'none' END
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
		SELECT date_trunc(p_bucket, r.day::timestamp)::date AS t,
			api.series_key(p_by, r.class, r.disposition, r.domain, r.org_name, r.dkim_aligned, r.spf_aligned) AS key,
			sum(r.count) AS n
		FROM api.matching(f) r
		GROUP BY 1, 2
	), shown AS (
		SELECT raw.t, api.display(raw.key) AS key, sum(raw.n) AS n FROM raw GROUP BY 1, 2
	), largest AS (
		SELECT key, row_number() OVER (ORDER BY sum(n) DESC NULLS LAST, key COLLATE "C") AS rank FROM shown GROUP BY key
	), sums AS (
		SELECT s.t, CASE WHEN api.series_keys(p_by) IS NULL AND l.rank > 10 THEN 'other' ELSE s.key END AS key, sum(s.n) AS n
		FROM shown s JOIN largest l USING (key)
		GROUP BY 1, 2
	), keys AS (
		SELECT k.key, k.rank FROM unnest(api.series_keys(p_by)) WITH ORDINALITY AS k(key, rank)
		UNION ALL
		SELECT s.key, min(l.rank) FROM sums s LEFT JOIN largest l ON l.key = s.key AND l.rank <= 10
		WHERE api.series_keys(p_by) IS NULL GROUP BY s.key
	), points AS (
		SELECT b.t, b.complete,
			(SELECT jsonb_object_agg(k.key, coalesce(s.n, 0)) FROM keys k LEFT JOIN sums s ON s.t = b.t AND s.key = k.key) AS v
		FROM api.buckets(p_bucket, f) b
	)
	SELECT jsonb_build_object('window', api.window_json(f), 'bucket', p_bucket, 'by', p_by,
		'keys', (SELECT coalesce(jsonb_agg(k.key ORDER BY k.rank NULLS LAST), '[]') FROM keys k),
		'points', coalesce(jsonb_agg(jsonb_build_object('t', p.t, 'complete', p.complete, 'v', coalesce(p.v, '{}')) ORDER BY p.t), '[]'))
	INTO answer FROM points p;
	RETURN answer;
END
$$;
