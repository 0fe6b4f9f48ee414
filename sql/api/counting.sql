-- counting.sql - the records that a filter leaves, and sums of their messages.

-- Counting

-- The domain that a record's mail authenticated as: a passing signature of header_from, else the first passing signature, else the
-- domain that passed SPF; NULL when nothing passed. One per record, so that each message is counted once.
CREATE FUNCTION api.auth_domain(header_from text, auth_results jsonb) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT nullif(coalesce(
		jsonb_path_query_first(auth_results, '$.dkim[*] ? (@.result == "pass" && @.domain == $from).domain',
			jsonb_object(ARRAY['from', header_from])),
		jsonb_path_query_first(auth_results, '$.dkim[*] ? (@.result == "pass" && @.domain != "").domain'),
		jsonb_path_query_first(auth_results, '$.spf[*] ? (@.result == "pass" && @.domain != "").domain')
	) #>> '{}', '')
$$;

-- The records that a filter leaves. One query without side effects: the planner puts it in the caller's place, and of a filter that is
-- a constant then, what was left out folds to true. (Called with api.filter() itself, as a query by hand may, it is no constant, and slow.)
CREATE FUNCTION api.matching(f api.filter_set) RETURNS SETOF dmarc.records
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT * FROM dmarc.records r
	WHERE r.begin >= api.at(f.from_day) AND r.begin < api.at(f.to_day)
		AND (f.domain IS NULL OR r.domain = ANY (f.domain))
		AND (f.class IS NULL OR r.class = ANY (f.class))
		AND (f.result IS NULL OR r.dmarc_pass = (f.result = 'pass'))
		AND (f.dkim IS NULL OR r.dkim_aligned = (f.dkim = 'pass'))
		AND (f.spf IS NULL OR r.spf_aligned = (f.spf = 'pass'))
		AND (f.disposition IS NULL OR r.disposition = ANY (f.disposition)
			OR 'unknown' = ANY (f.disposition) AND (r.disposition = ANY (api.dispositions())) IS NOT TRUE)
		AND (f.override IS NULL OR jsonb_path_query_array(r.reason, '$[*].type') ?| f.override
			OR 'any' = ANY (f.override) AND jsonb_path_exists(r.reason, '$[*]')
			OR 'none' = ANY (f.override) AND jsonb_path_exists(r.reason, '$[*]') IS NOT TRUE)
		AND (f.source IS NULL AND f.source_ip IS NULL
			OR f.source IS NOT NULL AND r.source = ANY (f.source)
			OR f.source_ip IS NOT NULL AND r.source_ip = ANY (f.source_ip)
			OR 'none' = ANY (f.source) AND r.source IS NULL)
		AND (f.ip IS NULL OR r.source_ip <<= f.ip)
		AND (f.asn IS NULL OR r.asn::text = ANY (f.asn) OR 'none' = ANY (f.asn) AND r.asn IS NULL)
		AND (f.country IS NULL OR r.country = ANY (f.country) OR 'none' = ANY (f.country) AND r.country IS NULL)
		AND (f.rdns IS NULL OR '.' || r.rdns LIKE ANY (f.rdns) OR 'none' = ANY (f.rdns) AND r.rdns IS NULL)
		AND (f.auth_domain IS NULL OR coalesce(api.auth_domain(r.header_from, r.auth_results), 'none') = ANY (f.auth_domain))
		AND (f.header_from IS NULL OR r.header_from = ANY (f.header_from))
		AND (f.reporter IS NULL OR r.org_name = ANY (f.reporter))
		AND (f.label IS NULL OR r.label = ANY (f.label) OR 'none' = ANY (f.label) AND r.label IS NULL)
		AND (f.q IS NULL OR r.domain ILIKE f.q OR r.org_name ILIKE f.q OR r.header_from ILIKE f.q OR r.envelope_from ILIKE f.q
			OR r.source IN (SELECT a.source FROM dmarc.addresses a WHERE a.source_name ILIKE f.q)
			OR r.rdns ILIKE f.q
			OR jsonb_path_exists(r.auth_results, f.q_results))
$$;

-- The reports that a filter leaves: where it speaks of records, those with such a record.
CREATE FUNCTION api.matching_reports(f api.filter_set) RETURNS SETOF dmarc.reports
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT * FROM dmarc.reports r
	WHERE r.begin >= api.at(f.from_day) AND r.begin < api.at(f.to_day)
		AND (f.domain IS NULL OR r.domain = ANY (f.domain))
		AND (f.reporter IS NULL OR r.org_name = ANY (f.reporter))
		AND (NOT f.by_record OR r.id IN (SELECT m.report FROM api.matching(f) m))
$$;

-- What to count by: nothing (''), or one of these.
CREATE FUNCTION api.group_key(p_group text, r_domain text, header_from text, source text, rdns_domain text, asn bigint, country text,
	source_ip inet, auth_results jsonb, org_name text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT CASE p_group
		WHEN '' THEN ''
		WHEN 'domain' THEN r_domain
		WHEN 'header_from' THEN header_from
		WHEN 'source' THEN source
		WHEN 'rdns' THEN rdns_domain
		WHEN 'asn' THEN asn::text
		WHEN 'country' THEN country
		WHEN 'ip' THEN host(source_ip)
		WHEN 'auth_domain' THEN api.auth_domain(header_from, auth_results)
		WHEN 'reporter' THEN org_name
	END
$$;

-- Sums of messages; everywhere the same columns.
CREATE TYPE api.tally AS (
	key text, messages numeric, pass numeric, dkim_aligned numeric, spf_aligned numeric,
	fail_overridden numeric, fail_altered numeric, fail_unaligned numeric, fail_unauthenticated numeric, class_unknown numeric,
	disposition_none numeric, quarantine numeric, reject numeric, disposition_pass numeric,
	first_seen timestamptz, last_seen timestamptz
);

CREATE FUNCTION api.tallies(p_group text, f api.filter_set) RETURNS SETOF api.tally
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT api.group_key(p_group, r.domain, r.header_from, r.source, r.rdns_domain, r.asn, r.country, r.source_ip, r.auth_results, r.org_name),
		coalesce(sum(r.count), 0),
		coalesce(sum(r.count) FILTER (WHERE r.dmarc_pass), 0),
		coalesce(sum(r.count) FILTER (WHERE r.dkim_aligned), 0),
		coalesce(sum(r.count) FILTER (WHERE r.spf_aligned), 0),
		coalesce(sum(r.count) FILTER (WHERE r.class = 'fail_overridden'), 0),
		coalesce(sum(r.count) FILTER (WHERE r.class = 'fail_altered'), 0),
		coalesce(sum(r.count) FILTER (WHERE r.class = 'fail_unaligned'), 0),
		coalesce(sum(r.count) FILTER (WHERE r.class = 'fail_unauthenticated'), 0),
		coalesce(sum(r.count) FILTER (WHERE r.class = 'unknown'), 0),
		coalesce(sum(r.count) FILTER (WHERE r.disposition = 'none'), 0),
		coalesce(sum(r.count) FILTER (WHERE r.disposition = 'quarantine'), 0),
		coalesce(sum(r.count) FILTER (WHERE r.disposition = 'reject'), 0),
		coalesce(sum(r.count) FILTER (WHERE r.disposition = 'pass'), 0),
		min(r.begin), max(r.begin)
	FROM api.matching(f) r
	GROUP BY 1
$$;

-- The tally of nothing.
CREATE FUNCTION api.tally_zero(key text DEFAULT '') RETURNS api.tally
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT ROW(key, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL)::api.tally $$;

CREATE FUNCTION api.by_disposition(t api.tally) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('none', t.disposition_none, 'quarantine', t.quarantine, 'reject', t.reject, 'pass', t.disposition_pass,
		'unknown', t.messages - t.disposition_none - t.quarantine - t.reject - t.disposition_pass)
$$;

-- A message passes by DKIM, by SPF or by both.
CREATE FUNCTION api.tally_json(t api.tally) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('messages', t.messages, 'pass', t.pass, 'dkim_aligned', t.dkim_aligned, 'spf_aligned', t.spf_aligned,
		'dkim_only', t.pass - t.spf_aligned, 'spf_only', t.pass - t.dkim_aligned,
		'by_class', jsonb_build_object('pass', t.pass, 'fail_overridden', t.fail_overridden, 'fail_altered', t.fail_altered,
			'fail_unaligned', t.fail_unaligned, 'fail_unauthenticated', t.fail_unauthenticated, 'unknown', t.class_unknown),
		'by_disposition', api.by_disposition(t))
$$;

-- The sums of all that a filter leaves.
CREATE FUNCTION api.totals(f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	RETURN api.tally_json(coalesce((SELECT t FROM api.tallies('', f) t), api.tally_zero()));
END
$$;

-- What tallies are sorted by, so that the largest comes first.
CREATE FUNCTION api.tally_size(t api.tally, p_sort text) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE p_sort WHEN '-messages' THEN t.messages WHEN 'messages' THEN -t.messages WHEN '-fail' THEN t.messages - t.pass
		WHEN 'fail' THEN t.pass - t.messages WHEN '-pass' THEN t.pass WHEN 'pass' THEN -t.pass END
$$;

-- What p_sort may be; '-messages' unless given.
CREATE FUNCTION api.sort_of(p_sort text) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	PERFORM api.check_choice('sort', ARRAY['-messages', 'messages', '-fail', 'fail', '-pass', 'pass'], p_sort);
	RETURN coalesce(p_sort, '-messages');
END
$$;

-- A page of tallies, one row: the first p_size + 1 that come after the place, and how many there are in all.
CREATE FUNCTION api.tally_page(p_group text, f api.filter_set, p_sort text, p_size integer, place api.rank)
RETURNS TABLE (total bigint, page api.tally[])
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	WITH t AS MATERIALIZED (
		SELECT t, api.order_key(t.key) AS key, api.tally_size(t, p_sort) AS size FROM api.tallies(p_group, f) t
	), ordered AS (
		SELECT t.* FROM t WHERE api.comes_after(t.size, t.key, place) ORDER BY t.size DESC, t.key COLLATE "C" LIMIT p_size + 1
	)
	SELECT (SELECT count(*) FROM t), array_agg(o.t ORDER BY o.size DESC, o.key COLLATE "C") FROM ordered o
$$;

-- Tallies in their order, each as one value.
CREATE FUNCTION api.numbered(tallies api.tally[]) RETURNS TABLE (no bigint, tally api.tally)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT row_number() OVER (), t FROM unnest(tallies) t $$;

-- The cursor behind a page that is full.
CREATE FUNCTION api.tally_next(list text, page api.tally[], p_sort text, p_size integer) RETURNS text
LANGUAGE sql STABLE
AS $$
	SELECT CASE WHEN cardinality(page) > p_size THEN
		api.cursor_make(list, jsonb_build_array(api.tally_size(page[p_size], p_sort), api.order_key(page[p_size].key))) END
$$;

-- Messages in up to 92 equal steps of whole days, from the window's first day: a small picture for each of p_keys.
CREATE FUNCTION api.sparks(p_group text, p_keys text[], f api.filter_set) RETURNS TABLE (key text, spark jsonb)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	WITH shape AS (
		SELECT greatest(1, (f.to_day - f.from_day + 91) / 92) AS days
	), found AS (
		SELECT coalesce(api.group_key(p_group, r.domain, r.header_from, r.source, r.rdns_domain, r.asn, r.country, r.source_ip,
			r.auth_results, r.org_name), '') AS key, r.day, r.count
		FROM api.matching(f) r
		OFFSET 0 -- the key is made once
	), sums AS (
		SELECT r.key, (r.day - f.from_day) / s.days AS step, sum(r.count) AS n
		FROM found r, shape s
		WHERE r.key IN (SELECT coalesce(k, '') FROM unnest(p_keys) k)
		GROUP BY 1, 2
	)
	SELECT k.key, jsonb_agg(coalesce(s.n, 0) ORDER BY g.step)
	FROM shape CROSS JOIN unnest(p_keys) AS k(key)
	CROSS JOIN generate_series(0, (f.to_day - f.from_day - 1) / shape.days) AS g(step)
	LEFT JOIN sums s ON s.key = coalesce(k.key, '') AND s.step = g.step
	GROUP BY k.key
$$;
