-- 0005_api - schema api: the JSON of the HTTP API (the README lists it), a function per resource.
--
-- The functions are SECURITY INVOKER and read the views of schema dmarc only: role ruad_web has no right that an auditor has not, so
-- every number of the page can be had by plain SQL, and a fault in a function opens nothing.
--
-- Parameters are typed and named as in the URL with a "p_" before. A value that does not fit raises 22023
-- (invalid_parameter_value); the words name the parameter as the URL does, the HINT is its bare name. Windows are half-open UTC
-- dates on the report's begin. Messages are counted, never records.
--
-- Each query is planned for its parameters (plan_cache_mode): the filters left out vanish, and the window prunes partitions.

SET LOCAL ROLE ruad_owner;

-- Helpers: words and formats

CREATE FUNCTION api.refuse(parameter text, words text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('parameter "%s": %s', parameter, words),
		HINT = parameter;
END
$$;

-- For display: C0 and C1 control characters and those that change the direction of text are taken out; tab and line end become spaces.
CREATE FUNCTION api.display(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT translate(value, E'\t\n\r\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008\u000b\u000c\u000e\u000f\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c\u001d\u001e\u001f\u007f\u0080\u0081\u0082\u0083\u0084\u0085\u0086\u0087\u0088\u0089\u008a\u008b\u008c\u008d\u008e\u008f\u0090\u0091\u0092\u0093\u0094\u0095\u0096\u0097\u0098\u0099\u009a\u009b\u009c\u009d\u009e\u009f\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069', '   ')
$$;

-- The same for every text in a JSON value.
CREATE FUNCTION api.display(value jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
	CASE jsonb_typeof(value)
		WHEN 'string' THEN
			RETURN to_jsonb(api.display(value #>> '{}'));
		WHEN 'array' THEN
			RETURN (SELECT coalesce(jsonb_agg(api.display(e) ORDER BY no), '[]')
				FROM jsonb_array_elements(value) WITH ORDINALITY AS a(e, no));
		WHEN 'object' THEN
			RETURN (SELECT coalesce(jsonb_object_agg(api.display(k), api.display(e)), '{}') FROM jsonb_each(value) AS o(k, e));
		ELSE
			RETURN value;
	END CASE;
END
$$;

CREATE FUNCTION api.iso(at timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') $$;

CREATE FUNCTION api.at(day date) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT day::timestamp AT TIME ZONE 'UTC' $$;

CREATE FUNCTION api.today() RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT (now() AT TIME ZONE 'UTC')::date $$;

-- Reports for a day arrive until the end of the day after the next one; days from here on are incomplete.
CREATE FUNCTION api.complete_until() RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT api.today() - 1 $$;

-- Helpers: parameters

-- The window: 30 days ending tomorrow, or what is asked for.
CREATE FUNCTION api.time_window(INOUT p_from date, INOUT p_to date)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	IF p_from < '1970-01-01' OR p_from > '9999-12-31' THEN
		PERFORM api.refuse('from', format('"%s" is outside 1970-01-01 to 9999-12-31', p_from));
	ELSIF p_to < '1970-01-01' OR p_to > '9999-12-31' THEN
		PERFORM api.refuse('to', format('"%s" is outside 1970-01-01 to 9999-12-31', p_to));
	END IF;
	p_to := coalesce(p_to, greatest(api.today() + 1, p_from));
	p_from := coalesce(p_from, greatest(p_to - 30, '1970-01-01'));
	IF p_from > p_to THEN
		PERFORM api.refuse('from', format('"%s" is after "to", "%s"', p_from, p_to));
	END IF;
END
$$;

CREATE FUNCTION api.check_choice(parameter text, value text, choices text[]) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	IF value <> ALL (choices) THEN
		PERFORM api.refuse(parameter, format('"%s" is not one of %s', left(value, 100), array_to_string(choices, ', ')));
	END IF;
END
$$;

CREATE FUNCTION api.page_limit(p_limit integer) RETURNS integer
LANGUAGE plpgsql
AS $$
BEGIN
	IF p_limit NOT BETWEEN 1 AND 500 THEN
		PERFORM api.refuse('limit', format('"%s" is not between 1 and 500', p_limit));
	END IF;
	RETURN coalesce(p_limit, 50);
END
$$;

-- A cursor is the key of the last row of a page, and the list it belongs to: JSON in base64url.
CREATE FUNCTION api.cursor_make(list text, key jsonb) RETURNS text
LANGUAGE sql STABLE
AS $$ SELECT rtrim(translate(encode(convert_to(jsonb_build_array(list, key)::text, 'UTF8'), 'base64'), E'+/\n', '-_'), '=') $$;

-- The key in a cursor of that list. The types of its values are for the caller to check, see cursor_refuse().
CREATE FUNCTION api.cursor_key(list text, p_cursor text) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	content jsonb;
BEGIN
	content := convert_from(decode(rpad(translate(p_cursor, '-_', '+/'), (length(p_cursor) + 3) / 4 * 4, '='), 'base64'), 'UTF8')::jsonb;
	IF content ->> 0 IS DISTINCT FROM list OR jsonb_typeof(content -> 1) <> 'array' THEN
		PERFORM api.cursor_refuse();
	END IF;
	RETURN content -> 1;
EXCEPTION WHEN data_exception OR character_not_in_repertoire THEN
	PERFORM api.cursor_refuse();
END
$$;

CREATE FUNCTION api.cursor_refuse() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM api.refuse('cursor', 'not a cursor of this list');
END
$$;

-- Place in a list by time: microseconds since 1970, then two numbers.
CREATE TYPE api.place AS (at timestamptz, id bigint, no bigint);

CREATE FUNCTION api.place_make(list text, at timestamptz, id bigint, no bigint) RETURNS text
LANGUAGE sql STABLE
AS $$ SELECT api.cursor_make(list, jsonb_build_array((extract(epoch FROM at) * 1000000)::bigint, id, no)) $$;

CREATE FUNCTION api.place_of(list text, p_cursor text) RETURNS api.place
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	key jsonb;
	place api.place;
BEGIN
	IF p_cursor IS NULL THEN
		RETURN NULL;
	END IF;
	key := api.cursor_key(list, p_cursor);
	place := ROW('epoch'::timestamptz + (key ->> 0)::bigint * interval '1 microsecond', (key ->> 1)::bigint, (key ->> 2)::bigint);
	IF place IS NULL OR place.at IS NULL OR place.id IS NULL OR place.no IS NULL THEN
		PERFORM api.cursor_refuse();
	END IF;
	RETURN place;
EXCEPTION WHEN data_exception THEN
	PERFORM api.cursor_refuse();
END
$$;

-- Place in a list by size: the number sorted by, then the key (which may be NULL and then comes last).
CREATE TYPE api.rank AS (size numeric, key text);

CREATE FUNCTION api.rank_of(list text, p_cursor text) RETURNS api.rank
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	key jsonb;
BEGIN
	IF p_cursor IS NULL THEN
		RETURN NULL;
	END IF;
	key := api.cursor_key(list, p_cursor);
	IF jsonb_typeof(key -> 0) IS DISTINCT FROM 'number' OR coalesce(jsonb_typeof(key -> 1), '') NOT IN ('string', 'null') THEN
		PERFORM api.cursor_refuse();
	END IF;
	RETURN ROW((key ->> 0)::numeric, key ->> 1);
END
$$;

-- Whether (size, key) comes after the place, in the order size DESC, key ASC NULLS LAST.
CREATE FUNCTION api.comes_after(size numeric, key text, place api.rank) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT place.size IS NULL OR size < place.size
		OR (size = place.size AND place.key IS NOT NULL AND (key IS NULL OR key COLLATE "C" > place.key COLLATE "C"))
$$;

-- Helpers: counting

-- The records that the common filters leave. One query without side effects: the planner puts it in the caller's place.
CREATE FUNCTION api.matching(p_domain text[], p_from date, p_to date, p_result text, p_ip inet, p_reporter text[])
RETURNS SETOF dmarc.records
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT * FROM dmarc.records r
	WHERE r.begin >= api.at(p_from) AND r.begin < api.at(p_to)
		AND (p_domain IS NULL OR r.domain = ANY (p_domain))
		AND (p_result IS NULL OR r.dmarc_pass = (p_result = 'pass'))
		AND (p_ip IS NULL OR r.source_ip <<= p_ip)
		AND (p_reporter IS NULL OR r.org_name = ANY (p_reporter))
$$;

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

-- What to count by: nothing (''), or the key of a source or domain.
CREATE FUNCTION api.group_key(p_group text, domain text, source_ip inet, header_from text, auth_results jsonb) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT CASE p_group WHEN 'domain' THEN domain WHEN 'ip' THEN host(source_ip) WHEN 'auth_domain' THEN
		api.auth_domain(header_from, auth_results) ELSE '' END
$$;

-- Sums of messages; everywhere the same columns.
CREATE TYPE api.tally AS (
	key text, messages numeric, pass numeric, dkim_aligned numeric, spf_aligned numeric,
	fail_overridden numeric, fail_altered numeric, fail_unaligned numeric, fail_unauthenticated numeric, class_unknown numeric,
	disposition_none numeric, quarantine numeric, reject numeric, disposition_pass numeric,
	first_seen timestamptz, last_seen timestamptz
);

CREATE FUNCTION api.tallies(p_group text, p_domain text[], p_from date, p_to date, p_result text, p_ip inet, p_reporter text[])
RETURNS SETOF api.tally
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT api.group_key(p_group, r.domain, r.source_ip, r.header_from, r.auth_results),
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
	FROM api.matching(p_domain, p_from, p_to, p_result, p_ip, p_reporter) r
	GROUP BY 1
$$;

CREATE FUNCTION api.tally_json(t api.tally) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('messages', t.messages, 'pass', t.pass, 'dkim_aligned', t.dkim_aligned, 'spf_aligned', t.spf_aligned,
		'by_class', jsonb_build_object('pass', t.pass, 'fail_overridden', t.fail_overridden, 'fail_altered', t.fail_altered,
			'fail_unaligned', t.fail_unaligned, 'fail_unauthenticated', t.fail_unauthenticated, 'unknown', t.class_unknown),
		'by_disposition', jsonb_build_object('none', t.disposition_none, 'quarantine', t.quarantine, 'reject', t.reject,
			'pass', t.disposition_pass,
			'unknown', t.messages - t.disposition_none - t.quarantine - t.reject - t.disposition_pass))
$$;

-- What tallies are sorted by.
CREATE FUNCTION api.tally_size(t api.tally, p_sort text) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE p_sort WHEN '-fail' THEN t.messages - t.pass ELSE t.messages END $$;

-- A page of tallies: the largest p_limit + 1 that come after the place, and how many there are in all.
CREATE FUNCTION api.tally_page(p_group text, p_domain text[], p_from date, p_to date, p_result text, p_ip inet, p_reporter text[],
	p_sort text, p_limit integer, place api.rank, OUT total bigint, OUT page api.tally[])
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	WITH t AS MATERIALIZED (
		SELECT t, t.key, api.tally_size(t, p_sort) AS size
		FROM api.tallies(p_group, p_domain, p_from, p_to, p_result, p_ip, p_reporter) t
	), ordered AS (
		SELECT t.* FROM t WHERE api.comes_after(t.size, t.key, place) ORDER BY t.size DESC, t.key COLLATE "C" LIMIT p_limit + 1
	)
	SELECT (SELECT count(*) FROM t), array_agg(o.t ORDER BY o.size DESC, o.key COLLATE "C") FROM ordered o
$$;

-- The cursor behind a page that is full.
CREATE FUNCTION api.tally_next(list text, page api.tally[], p_sort text, p_limit integer) RETURNS text
LANGUAGE sql STABLE
AS $$
	SELECT CASE WHEN cardinality(page) > p_limit THEN
		api.cursor_make(list, jsonb_build_array(api.tally_size(page[p_limit], p_sort), page[p_limit].key)) END
$$;

-- Messages in up to 92 equal steps of whole days, from the window's first day: a small picture for each of p_keys.
CREATE FUNCTION api.sparks(p_group text, p_keys text[], p_domain text[], p_from date, p_to date, p_result text, p_ip inet,
	p_reporter text[])
RETURNS TABLE (key text, spark jsonb)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	WITH shape AS (
		SELECT greatest(1, (p_to - p_from + 91) / 92) AS days
	), sums AS (
		SELECT coalesce(api.group_key(p_group, r.domain, r.source_ip, r.header_from, r.auth_results), '') AS key,
			(r.day - p_from) / s.days AS step, sum(r.count) AS n
		FROM api.matching(p_domain, p_from, p_to, p_result, p_ip, p_reporter) r, shape s
		GROUP BY 1, 2
	)
	SELECT k.key, jsonb_agg(coalesce(s.n, 0) ORDER BY g.step)
	FROM shape CROSS JOIN unnest(p_keys) AS k(key)
	CROSS JOIN generate_series(0, (p_to - p_from - 1) / shape.days) AS g(step)
	LEFT JOIN sums s ON s.key = coalesce(k.key, '') AND s.step = g.step
	GROUP BY k.key
$$;

-- The reports that the common filters leave; with a result or address, those with such a record.
CREATE FUNCTION api.matching_reports(p_domain text[], p_from date, p_to date, p_result text, p_ip inet, p_reporter text[])
RETURNS SETOF dmarc.reports
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT * FROM dmarc.reports r
	WHERE r.begin >= api.at(p_from) AND r.begin < api.at(p_to)
		AND (p_domain IS NULL OR r.domain = ANY (p_domain))
		AND (p_reporter IS NULL OR r.org_name = ANY (p_reporter))
		AND (p_result IS NULL AND p_ip IS NULL OR r.id IN (
			SELECT m.report FROM api.matching(p_domain, p_from, p_to, p_result, p_ip, p_reporter) m))
$$;

CREATE FUNCTION api.totals(p_domain text[], p_from date, p_to date, p_result text, p_ip inet, p_reporter text[])
RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT api.tally_json(coalesce(
		(SELECT t FROM api.tallies('', p_domain, p_from, p_to, p_result, p_ip, p_reporter) t),
		ROW('', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL)::api.tally))
$$;

-- Check the common filters and fill in what was left out.
CREATE FUNCTION api.filters(INOUT p_domain text[], INOUT p_from date, INOUT p_to date, p_result text)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	PERFORM api.check_choice('result', p_result, ARRAY['pass', 'fail']);
	p_domain := (SELECT array_agg(lower(rtrim(d, '.'))) FROM unnest(p_domain) AS d);
	SELECT w.p_from, w.p_to INTO p_from, p_to FROM api.time_window(p_from, p_to) w;
END
$$;

-- Resources

CREATE FUNCTION api.summary(p_domain text[] DEFAULT NULL, p_from date DEFAULT NULL, p_to date DEFAULT NULL,
	p_result text DEFAULT NULL, p_ip inet DEFAULT NULL, p_reporter text[] DEFAULT NULL)
RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	answer jsonb;
BEGIN
	SELECT f.p_domain, f.p_from, f.p_to INTO p_domain, p_from, p_to FROM api.filters(p_domain, p_from, p_to, p_result) f;

	SELECT jsonb_build_object('total', count(*),
		'new', count(*) FILTER (WHERE t.key IS NOT NULL AND NOT EXISTS (SELECT FROM dmarc.records r
			WHERE r.source_ip = t.key::inet AND r.begin < api.at(p_from) AND (p_domain IS NULL OR r.domain = ANY (p_domain)))),
		'failing', count(*) FILTER (WHERE t.messages > 0 AND t.pass <= t.messages * 0.5))
	INTO answer FROM api.tallies('ip', p_domain, p_from, p_to, p_result, p_ip, p_reporter) t;

	answer := jsonb_build_object('sources', answer,
		'window', jsonb_build_object('from', p_from, 'to', p_to),
		'complete_until', greatest(p_from, least(p_to, api.complete_until())),
		'totals', api.totals(p_domain, p_from, p_to, p_result, p_ip, p_reporter),
		'previous', api.totals(p_domain, p_from - least(p_to - p_from, p_from - '1970-01-01'::date), p_from, p_result, p_ip, p_reporter));

	RETURN answer || (SELECT jsonb_build_object('reports', count(*), 'reporters', count(DISTINCT r.org_name),
		'last_report_at', api.iso(max(r.received_at)))
		FROM api.matching_reports(p_domain, p_from, p_to, p_result, p_ip, p_reporter) r);
END
$$;

-- What a message counts as in a time series.
CREATE FUNCTION api.series_key(p_by text, class text, disposition text, domain text, org_name text, dkim boolean, spf boolean)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT CASE p_by
		WHEN 'class' THEN class
		WHEN 'disposition' THEN CASE WHEN disposition IN ('none', 'quarantine', 'reject', 'pass') THEN disposition ELSE 'unknown' END
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
		WHEN 'class' THEN ARRAY['pass', 'fail_overridden', 'fail_altered', 'fail_unaligned', 'fail_unauthenticated', 'unknown']
		WHEN 'disposition' THEN ARRAY['none', 'quarantine', 'reject', 'pass', 'unknown']
		WHEN 'alignment' THEN ARRAY['both', 'dkim_only', 'spf_only', 'none']
	END
$$;

CREATE FUNCTION api.timeseries(p_domain text[] DEFAULT NULL, p_from date DEFAULT NULL, p_to date DEFAULT NULL,
	p_result text DEFAULT NULL, p_ip inet DEFAULT NULL, p_reporter text[] DEFAULT NULL,
	p_bucket text DEFAULT NULL, p_by text DEFAULT NULL)
RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	step interval;
	answer jsonb;
BEGIN
	SELECT f.p_domain, f.p_from, f.p_to INTO p_domain, p_from, p_to FROM api.filters(p_domain, p_from, p_to, p_result) f;
	PERFORM api.check_choice('bucket', p_bucket, ARRAY['day', 'week', 'month']);
	PERFORM api.check_choice('by', p_by, ARRAY['class', 'disposition', 'domain', 'reporter', 'alignment']);
	p_bucket := coalesce(p_bucket, 'day');
	p_by := coalesce(p_by, 'class');
	step := ('1 ' || p_bucket)::interval;
	IF (p_to - p_from) / (CASE p_bucket WHEN 'day' THEN 1 WHEN 'week' THEN 7 ELSE 30 END) > 4000 THEN
		PERFORM api.refuse('bucket', format('%s from %s to %s would be more than 4000 points', p_bucket, p_from, p_to));
	END IF;

	WITH raw AS MATERIALIZED (
		SELECT date_trunc(p_bucket, r.day::timestamp)::date AS t,
			api.series_key(p_by, r.class, r.disposition, r.domain, r.org_name, r.dkim_aligned, r.spf_aligned) AS key,
			sum(r.count) AS n
		FROM api.matching(p_domain, p_from, p_to, p_result, p_ip, p_reporter) r
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
		SELECT g::date AS t, least((g + step)::date, p_to) <= api.complete_until() AS complete,
			(SELECT jsonb_object_agg(k.key, coalesce(s.n, 0)) FROM keys k LEFT JOIN sums s ON s.t = g::date AND s.key = k.key) AS v
		FROM generate_series(date_trunc(p_bucket, p_from::timestamp), p_to::timestamp - interval '1 day', step) AS g
	)
	SELECT jsonb_build_object('window', jsonb_build_object('from', p_from, 'to', p_to), 'bucket', p_bucket, 'by', p_by,
		'keys', (SELECT coalesce(jsonb_agg(k.key ORDER BY k.rank NULLS LAST), '[]') FROM keys k),
		'points', coalesce(jsonb_agg(jsonb_build_object('t', p.t, 'complete', p.complete, 'v', coalesce(p.v, '{}')) ORDER BY p.t), '[]'))
	INTO answer FROM points p;
	RETURN answer;
END
$$;

-- How many addresses a source has.
CREATE FUNCTION api.source_addresses(p_group text, p_keys text[], p_domain text[], p_from date, p_to date, p_result text, p_ip inet,
	p_reporter text[])
RETURNS TABLE (key text, total bigint)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT api.group_key(p_group, r.domain, r.source_ip, r.header_from, r.auth_results), count(DISTINCT r.source_ip)
	FROM api.matching(p_domain, p_from, p_to, p_result, p_ip, p_reporter) r
	WHERE p_group <> 'ip' AND coalesce(api.group_key(p_group, r.domain, r.source_ip, r.header_from, r.auth_results), '')
		= ANY (SELECT coalesce(k, '') FROM unnest(p_keys) k)
	GROUP BY 1
	UNION ALL
	SELECT k, (k IS NOT NULL)::integer FROM unnest(p_keys) k WHERE p_group = 'ip'
$$;

-- The policy as a report shows it. With testing = y one step less is enforced.
CREATE FUNCTION api.policy_seen(r dmarc.reports) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT api.display(jsonb_build_object('p', r.p, 'sp', r.sp, 'np', r.np, 'testing', r.testing, 'adkim', r.adkim, 'aspf', r.aspf,
		'pct', r.pct, 'as_of', api.iso(r.begin),
		'effective', CASE WHEN r.testing = 'y' AND r.p = 'reject' THEN 'quarantine' WHEN r.testing = 'y' THEN 'none' ELSE r.p END))
$$;

-- The nearest domain above name that reports were ever about.
CREATE FUNCTION api.parent_of(name text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT api.display(d.domain) FROM dmarc.domains d
	WHERE d.domain = ANY (ARRAY(SELECT array_to_string((string_to_array(name, '.'))[i:], '.')
		FROM generate_series(2, length(name) - length(replace(name, '.', '')) + 1) i))
	ORDER BY length(d.domain) DESC LIMIT 1
$$;

CREATE FUNCTION api.domains(p_domain text[] DEFAULT NULL, p_from date DEFAULT NULL, p_to date DEFAULT NULL,
	p_result text DEFAULT NULL, p_ip inet DEFAULT NULL, p_reporter text[] DEFAULT NULL,
	p_limit integer DEFAULT NULL, p_cursor text DEFAULT NULL)
RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	place api.rank := api.rank_of('domains', p_cursor);
	page api.tally[];
	keys text[];
	total bigint;
	items jsonb;
BEGIN
	SELECT f.p_domain, f.p_from, f.p_to INTO p_domain, p_from, p_to FROM api.filters(p_domain, p_from, p_to, p_result) f;
	p_limit := api.page_limit(p_limit);
	SELECT t.total, t.page INTO total, page FROM api.tally_page('domain', p_domain, p_from, p_to, p_result, p_ip, p_reporter,
		'-messages', p_limit, place) t;
	keys := ARRAY(SELECT k.key FROM unnest(page[:p_limit]) k);

	SELECT jsonb_agg(jsonb_build_object('name', api.display(t.key),
			'parent', api.parent_of(t.key), 'policy', newest.policy, 'sources', a.total, 'blockers', NULL,
			'last_report_at', api.iso(newest.last_report_at), 'spark', s.spark) || api.tally_json(page[no::integer]) ORDER BY no)
	INTO items
	FROM unnest(page[:p_limit]) WITH ORDINALITY AS t(key, messages, pass, dkim_aligned, spf_aligned, fail_overridden, fail_altered,
		fail_unaligned, fail_unauthenticated, class_unknown, disposition_none, quarantine, reject, disposition_pass, first_seen,
		last_seen, no)
	LEFT JOIN api.sparks('domain', keys, keys, p_from, p_to, p_result, p_ip, p_reporter) s ON s.key = t.key
	LEFT JOIN api.source_addresses('domain', keys, keys, p_from, p_to, p_result, p_ip, p_reporter) a ON a.key = t.key
	LEFT JOIN (
		SELECT DISTINCT ON (r.domain) r.domain, api.policy_seen(r) AS policy,
			max(r.received_at) OVER (PARTITION BY r.domain) AS last_report_at
		FROM api.matching_reports(keys, p_from, p_to, NULL, NULL, p_reporter) r
		ORDER BY r.domain, r.begin DESC, r.id DESC
	) newest ON newest.domain = t.key;

	RETURN jsonb_build_object('window', jsonb_build_object('from', p_from, 'to', p_to), 'items', coalesce(items, '[]'),
		'next', api.tally_next('domains', page, '-messages', p_limit), 'total', total);
END
$$;

-- The policy domains of some sources: three with the most messages, and how many in all.
CREATE FUNCTION api.source_domains(p_group text, p_keys text[], p_domain text[], p_from date, p_to date, p_result text, p_ip inet,
	p_reporter text[])
RETURNS TABLE (key text, domains jsonb, domains_total bigint)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT s.key, jsonb_agg(api.display(s.domain) ORDER BY s.rank) FILTER (WHERE s.rank <= 3), count(*)
	FROM (
		SELECT api.group_key(p_group, r.domain, r.source_ip, r.header_from, r.auth_results) AS key, r.domain,
			row_number() OVER (PARTITION BY api.group_key(p_group, r.domain, r.source_ip, r.header_from, r.auth_results)
				ORDER BY coalesce(sum(r.count), 0) DESC, r.domain COLLATE "C") AS rank
		FROM api.matching(p_domain, p_from, p_to, p_result, p_ip, p_reporter) r
		GROUP BY 1, 2
	) s
	WHERE coalesce(s.key, '') = ANY (SELECT coalesce(k, '') FROM unnest(p_keys) k)
	GROUP BY s.key
$$;

-- When an address was seen first and last: in all reports, by an index probe per month; else what the window says.
CREATE FUNCTION api.source_seen(p_group text, p_key text, p_domain text[], INOUT first timestamptz, INOUT last timestamptz)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	IF p_group = 'ip' AND p_key IS NOT NULL THEN
		first := (SELECT r.begin FROM dmarc.records r WHERE r.source_ip = p_key::inet
			AND (p_domain IS NULL OR r.domain = ANY (p_domain)) ORDER BY r.begin LIMIT 1);
		last := (SELECT r.begin FROM dmarc.records r WHERE r.source_ip = p_key::inet
			AND (p_domain IS NULL OR r.domain = ANY (p_domain)) ORDER BY r.begin DESC LIMIT 1);
	END IF;
END
$$;

-- The sources in a window. For group ip, first_seen and last_seen look at all time and new says that first_seen lies in the window;
-- for auth_domain they look at the window, and new is not known.
CREATE FUNCTION api.sources(p_domain text[] DEFAULT NULL, p_from date DEFAULT NULL, p_to date DEFAULT NULL,
	p_result text DEFAULT NULL, p_ip inet DEFAULT NULL, p_reporter text[] DEFAULT NULL,
	p_group text DEFAULT NULL, p_sort text DEFAULT NULL, p_limit integer DEFAULT NULL, p_cursor text DEFAULT NULL)
RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	place api.rank;
	page api.tally[];
	keys text[];
	total bigint;
	items jsonb;
	list text;
BEGIN
	SELECT f.p_domain, f.p_from, f.p_to INTO p_domain, p_from, p_to FROM api.filters(p_domain, p_from, p_to, p_result) f;
	p_limit := api.page_limit(p_limit);
	PERFORM api.check_choice('group', p_group, ARRAY['ip', 'source_ip', 'auth_domain']);
	PERFORM api.check_choice('sort', p_sort, ARRAY['-messages', '-fail']);
	p_group := CASE WHEN p_group = 'auth_domain' THEN p_group ELSE 'ip' END;
	list := format('sources %s %s', p_group, coalesce(p_sort, '-messages'));
	place := api.rank_of(list, p_cursor);
	SELECT t.total, t.page INTO total, page FROM api.tally_page(p_group, p_domain, p_from, p_to, p_result, p_ip, p_reporter, p_sort,
		p_limit, place) t;
	keys := ARRAY(SELECT k.key FROM unnest(page[:p_limit]) k);

	SELECT jsonb_agg(jsonb_build_object('key', api.display(t.key), 'name', NULL, 'type', NULL, 'name_basis', NULL, 'label', NULL,
			'domains', d.domains, 'domains_total', d.domains_total, 'ips_total', ips.total,
			'first_seen', api.iso(seen.first), 'last_seen', api.iso(seen.last),
			'new', CASE WHEN p_group = 'ip' AND t.key IS NOT NULL THEN seen.first >= api.at(p_from) END,
			'spark', s.spark) || api.tally_json(page[no::integer]) ORDER BY no)
	INTO items
	FROM unnest(page[:p_limit]) WITH ORDINALITY AS t(key, messages, pass, dkim_aligned, spf_aligned, fail_overridden, fail_altered,
		fail_unaligned, fail_unauthenticated, class_unknown, disposition_none, quarantine, reject, disposition_pass, first_seen,
		last_seen, no)
	LEFT JOIN api.sparks(p_group, keys, p_domain, p_from, p_to, p_result, p_ip, p_reporter) s
		ON coalesce(s.key, '') = coalesce(t.key, '')
	LEFT JOIN api.source_domains(p_group, keys, p_domain, p_from, p_to, p_result, p_ip, p_reporter) d
		ON coalesce(d.key, '') = coalesce(t.key, '')
	CROSS JOIN LATERAL api.source_seen(p_group, t.key, p_domain, t.first_seen, t.last_seen) seen
	LEFT JOIN api.source_addresses(p_group, keys, p_domain, p_from, p_to, p_result, p_ip, p_reporter) ips
		ON coalesce(ips.key, '') = coalesce(t.key, '');

	RETURN jsonb_build_object('window', jsonb_build_object('from', p_from, 'to', p_to), 'group', p_group,
		'items', coalesce(items, '[]'), 'next', api.tally_next(list, page, p_sort, p_limit), 'total', total);
END
$$;

-- Both lists are always there.
CREATE FUNCTION api.auth_results(value jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT '{"dkim": [], "spf": []}' || coalesce(api.display(value), '{}') $$;

-- One record as a list shows it.
CREATE FUNCTION api.record_item(r dmarc.records) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('report', r.report::text, 'record_no', r.record_no, 'domain', api.display(r.domain),
		'org_name', api.display(r.org_name), 'begin', api.iso(r.begin), 'source_ip', host(r.source_ip), 'count', r.count,
		'disposition', api.display(r.disposition), 'dkim', api.display(r.dkim), 'spf', api.display(r.spf), 'dmarc_pass', r.dmarc_pass,
		'class', r.class, 'reason', coalesce(api.display(r.reason), '[]'), 'header_from', api.display(r.header_from),
		'envelope_from', api.display(r.envelope_from), 'envelope_to', api.display(r.envelope_to),
		'auth_results', api.auth_results(r.auth_results), 'notes', coalesce(api.display(r.notes), '[]'))
$$;

-- Records, the newest report first. With p_report, those of one report, whatever its date.
CREATE FUNCTION api.records(p_domain text[] DEFAULT NULL, p_from date DEFAULT NULL, p_to date DEFAULT NULL,
	p_result text DEFAULT NULL, p_ip inet DEFAULT NULL, p_reporter text[] DEFAULT NULL,
	p_report bigint DEFAULT NULL, p_limit integer DEFAULT NULL, p_cursor text DEFAULT NULL)
RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	place api.place := api.place_of('records', p_cursor);
	of_report dmarc.reports;
	page dmarc.records[];
BEGIN
	p_limit := api.page_limit(p_limit);
	IF p_report IS NOT NULL AND p_from IS NULL AND p_to IS NULL THEN
		SELECT * INTO of_report FROM dmarc.reports r WHERE r.id = p_report;
		p_domain := coalesce(p_domain, ARRAY[of_report.domain]);
		p_from := of_report.day;
		p_to := of_report.day + 1;
	END IF;
	SELECT f.p_domain, f.p_from, f.p_to INTO p_domain, p_from, p_to FROM api.filters(p_domain, p_from, p_to, p_result) f;

	page := ARRAY( -- sort the keys alone; a whole row is wide
		SELECT w FROM (
			SELECT r.domain, r.begin, r.report, r.record_no FROM api.matching(p_domain, p_from, p_to, p_result, p_ip, p_reporter) r
			WHERE (p_report IS NULL OR r.report = p_report)
				AND (place.at IS NULL OR r.begin <= place.at AND (r.begin < place.at OR r.report < place.id
					OR r.report = place.id AND r.record_no > place.no))
			ORDER BY r.begin DESC, r.report DESC, r.record_no
			LIMIT p_limit + 1
		) k CROSS JOIN LATERAL (
			SELECT v AS w FROM dmarc.records v
			WHERE v.domain = k.domain AND v.begin = k.begin AND v.report = k.report AND v.record_no = k.record_no
			LIMIT 1
		) found
		ORDER BY k.begin DESC, k.report DESC, k.record_no);

	RETURN jsonb_build_object('window', jsonb_build_object('from', p_from, 'to', p_to),
		'items', (SELECT coalesce(jsonb_agg(api.record_item(page[i]) ORDER BY i), '[]')
			FROM generate_series(1, least(cardinality(page), p_limit)) i),
		'next', CASE WHEN cardinality(page) > p_limit THEN
			api.place_make('records', page[p_limit].begin, page[p_limit].report, page[p_limit].record_no) END);
END
$$;

CREATE FUNCTION api.report_item(r dmarc.reports) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('id', r.id::text, 'kind', 'aggregate', 'dialect', r.dialect, 'org_name', api.display(r.org_name),
		'email', api.display(r.email), 'report_id', api.display(r.report_id), 'domain', api.display(r.domain),
		'begin', api.iso(r.begin), 'end', api.iso(r."end"), 'p', api.display(r.p), 'records', r.records, 'messages', r.messages,
		'pass', r.pass, 'fail', r.messages - r.pass, 'received_at', api.iso(r.received_at),
		'notes_total', coalesce(jsonb_array_length(r.notes), 0))
$$;

-- Reports, the newest first. A report_id or a time of receipt looks at all dates, unless a window is given too.
CREATE FUNCTION api.reports(p_domain text[] DEFAULT NULL, p_from date DEFAULT NULL, p_to date DEFAULT NULL,
	p_result text DEFAULT NULL, p_ip inet DEFAULT NULL, p_reporter text[] DEFAULT NULL,
	p_report_id text DEFAULT NULL, p_received_from date DEFAULT NULL, p_received_to date DEFAULT NULL,
	p_limit integer DEFAULT NULL, p_cursor text DEFAULT NULL)
RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	place api.place := api.place_of('reports', p_cursor);
	page dmarc.reports[];
BEGIN
	p_limit := api.page_limit(p_limit);
	IF p_received_from > p_received_to THEN
		PERFORM api.refuse('received_from', format('"%s" is after "received_to", "%s"', p_received_from, p_received_to));
	ELSIF p_from IS NULL AND p_to IS NULL AND NOT (p_report_id IS NULL AND p_received_from IS NULL AND p_received_to IS NULL) THEN
		p_from := '1970-01-01';
		p_to := '9999-12-31';
	END IF;
	SELECT f.p_domain, f.p_from, f.p_to INTO p_domain, p_from, p_to FROM api.filters(p_domain, p_from, p_to, p_result) f;

	page := ARRAY(
		SELECT r FROM api.matching_reports(p_domain, p_from, p_to, p_result, p_ip, p_reporter) r
		WHERE (p_report_id IS NULL OR r.report_id = p_report_id)
			AND (p_received_from IS NULL OR r.received_at >= api.at(p_received_from))
			AND (p_received_to IS NULL OR r.received_at < api.at(p_received_to))
			AND (place.at IS NULL OR r.begin <= place.at AND (r.begin < place.at OR r.id < place.id))
		ORDER BY r.begin DESC, r.id DESC
		LIMIT p_limit + 1);

	RETURN jsonb_build_object('window', jsonb_build_object('from', p_from, 'to', p_to),
		'items', (SELECT coalesce(jsonb_agg(api.report_item(page[i]) ORDER BY i), '[]')
			FROM generate_series(1, least(cardinality(page), p_limit)) i),
		'next', CASE WHEN cardinality(page) > p_limit THEN
			api.place_make('reports', page[p_limit].begin, page[p_limit].id, 0) END);
END
$$;

-- One record as the report has it (the canonical shape), and what we make of it.
CREATE FUNCTION api.record_json(r dmarc.records) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('record_no', r.record_no, 'class', r.class, 'dmarc_pass', r.dmarc_pass,
		'row', jsonb_build_object('source_ip', host(r.source_ip), 'count', r.count, 'policy_evaluated', jsonb_build_object(
			'disposition', api.display(r.disposition), 'dkim', api.display(r.dkim), 'spf', api.display(r.spf),
			'reason', coalesce(api.display(r.reason), '[]'))),
		'identifiers', jsonb_build_object('header_from', api.display(r.header_from), 'envelope_from', api.display(r.envelope_from),
			'envelope_to', api.display(r.envelope_to)),
		'auth_results', api.auth_results(r.auth_results),
		'notes', coalesce(api.display(r.notes), '[]'))
$$;

-- The delivery that brought a report.
CREATE FUNCTION api.mail_json(p_mail bigint) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('id', i.mail::text, 'received_at', api.iso(i.received_at), 'source', i.source,
		'name', api.display(i.name), 'envelope_from', api.display(i.envelope_from), 'recipients', api.display(i.recipients),
		'size', i.size, 'message_id', api.display(i.message_id), 'subject', api.display(i.subject),
		'header_from', api.display(i.header_from))
	FROM dmarc.intake i WHERE i.mail = p_mail LIMIT 1
$$;

-- A whole report; NULL when there is none. Of its records the first 500; next is the cursor that the list of records takes, together
-- with report, for the others.
CREATE FUNCTION api.report(p_id bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	shown constant integer := 500;
	r dmarc.reports;
	repeats jsonb;
	listed jsonb;
BEGIN
	SELECT * INTO r FROM dmarc.reports v WHERE v.id = p_id;
	IF r.id IS NULL THEN
		RETURN NULL;
	END IF;
	SELECT jsonb_build_object('duplicates', count(*) FILTER (WHERE i.status = 'duplicate'),
		'conflicts', count(*) FILTER (WHERE i.status = 'conflict'),
		'status', CASE WHEN bool_or(i.status = 'conflict') THEN 'conflict' ELSE 'stored' END)
	INTO repeats FROM dmarc.intake i WHERE i.report = p_id AND i.status IN ('duplicate', 'conflict');
	SELECT jsonb_agg(api.record_json(v) ORDER BY v.record_no) INTO listed FROM dmarc.records v
	WHERE v.domain = r.domain AND v.begin = r."begin" AND v.report = p_id AND v.record_no <= shown;

	RETURN repeats || jsonb_build_object('id', r.id::text, 'kind', 'aggregate', 'dialect', r.dialect,
		'version', api.display(r.version), 'xmlns', api.display(r.xmlns),
		'report_metadata', jsonb_build_object('org_name', api.display(r.org_name), 'email', api.display(r.email),
			'extra_contact_info', api.display(r.extra_contact_info), 'report_id', api.display(r.report_id),
			'date_range', jsonb_build_object('begin', api.iso(r."begin"), 'end', api.iso(r."end")),
			'error', coalesce(api.display(r.error), '[]'), 'generator', api.display(r.generator)),
		'policy_published', api.display(jsonb_build_object('domain', r.domain, 'adkim', r.adkim, 'aspf', r.aspf, 'p', r.p, 'sp', r.sp,
			'np', r.np, 'pct', r.pct, 'fo', r.fo, 'testing', r.testing, 'discovery_method', r.discovery_method)),
		'record', coalesce(listed, '[]'), 'notes', coalesce(api.display(r.notes), '[]'),
		'records_total', r.records, 'messages', r.messages, 'pass', r.pass,
		'next', CASE WHEN r.records > shown THEN api.place_make('records', r."begin", r.id, shown) END,
		'sha256', encode(r.sha256, 'hex'), 'received_at', api.iso(r.received_at), 'mail', api.mail_json(r.mail));
END
$$;

CREATE FUNCTION api.intake_item(i dmarc.intake) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('mail', i.mail::text, 'item_no', i.item_no, 'received_at', api.iso(i.received_at), 'source', i.source,
		'name', api.display(i.name), 'envelope_from', api.display(i.envelope_from), 'size', i.size,
		'message_id', api.display(i.message_id), 'subject', api.display(i.subject), 'header_from', api.display(i.header_from),
		'kind', i.kind, 'status', i.status, 'code', api.display(i.code), 'reason', api.display(i.reason), 'place', api.display(i.place),
		'report', i.report::text, 'raw', i.raw_mail IS NOT NULL)
$$;

-- What came in: counters of the window (by time of receipt), and the last things that were not read, or those of p_status.
CREATE FUNCTION api.intake(p_from date DEFAULT NULL, p_to date DEFAULT NULL, p_status text DEFAULT NULL,
	p_limit integer DEFAULT NULL, p_cursor text DEFAULT NULL)
RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	place api.place := api.place_of('intake', p_cursor);
	statuses constant text[] := ARRAY['stored', 'duplicate', 'conflict', 'quarantined'];
	counts jsonb;
	page dmarc.intake[];
BEGIN
	PERFORM api.check_choice('status', p_status, statuses);
	p_limit := api.page_limit(p_limit);
	SELECT w.p_from, w.p_to INTO p_from, p_to FROM api.time_window(p_from, p_to) w;

	WITH things AS MATERIALIZED (
		SELECT i.status, i.code, count(*) AS n FROM dmarc.intake i
		WHERE i.received_at >= api.at(p_from) AND i.received_at < api.at(p_to) GROUP BY 1, 2
	)
	SELECT jsonb_build_object(
		'counts', (SELECT jsonb_object_agg(s, coalesce(t.n, 0)) FROM unnest(statuses) s
			LEFT JOIN (SELECT status, sum(n) AS n FROM things GROUP BY 1) t ON t.status = s),
		'by_code', (SELECT coalesce(jsonb_object_agg(api.display(code), n), '{}')
			FROM (SELECT code, sum(n) AS n FROM things WHERE status <> 'stored' AND code IS NOT NULL GROUP BY 1) c))
	INTO counts;

	page := ARRAY(
		SELECT i FROM dmarc.intake i
		WHERE i.received_at >= api.at(p_from) AND i.received_at < api.at(p_to)
			AND (i.status = p_status OR p_status IS NULL AND i.status IN ('quarantined', 'conflict'))
			AND (place.at IS NULL OR i.received_at <= place.at AND (i.received_at < place.at OR i.mail < place.id
				OR i.mail = place.id AND i.item_no > place.no))
		ORDER BY i.received_at DESC, i.mail DESC, i.item_no
		LIMIT p_limit + 1);

	RETURN counts || jsonb_build_object('window', jsonb_build_object('from', p_from, 'to', p_to),
		'mails', (SELECT count(DISTINCT i.mail) FROM dmarc.intake i
			WHERE i.received_at >= api.at(p_from) AND i.received_at < api.at(p_to)),
		'last_mail_at', (SELECT api.iso(i.received_at) FROM dmarc.intake i ORDER BY i.received_at DESC LIMIT 1),
		'last_report_at', (SELECT api.iso(r.received_at) FROM dmarc.reports r ORDER BY r.received_at DESC LIMIT 1),
		'items', (SELECT coalesce(jsonb_agg(api.intake_item(page[i]) ORDER BY i), '[]')
			FROM generate_series(1, least(cardinality(page), p_limit)) i),
		'next', CASE WHEN cardinality(page) > p_limit THEN
			api.place_make('intake', page[p_limit].received_at, page[p_limit].mail, page[p_limit].item_no) END);
END
$$;

-- What this server can do, for clients; C adds its version.
CREATE FUNCTION api.meta() RETURNS jsonb
LANGUAGE sql STABLE
AS $$
	SELECT jsonb_build_object('schema_version', (SELECT max(version) FROM dmarc.schema_version),
		'app_version', (SELECT app_version FROM dmarc.schema_version ORDER BY version DESC LIMIT 1),
		'classes', to_jsonb(api.series_keys('class')), 'dispositions', to_jsonb(api.series_keys('disposition')),
		'thresholds', jsonb_build_object('passing', 95, 'failing', 50),
		'limits', jsonb_build_object('limit', 500, 'limit_default', 50, 'records_in_report', 500, 'points', 4000, 'window_days', 30),
		'groups', jsonb_build_array('ip', 'auth_domain'),
		'features', jsonb_build_object('failures', false, 'tls', false, 'enrich', false, 'labels', false))
$$;

-- Whether the schema is the one that the program was built with (any, when it does not say).
CREATE FUNCTION api.ready(p_schema_version integer DEFAULT NULL) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
	SELECT jsonb_build_object('ready', v IS NOT NULL AND v = coalesce(p_schema_version, v), 'schema_version', v)
	FROM (SELECT max(version) AS v FROM dmarc.schema_version) s
$$;
