-- 0012_api - schema api: the JSON of the HTTP API, a function per resource. What 0005 and 0010 made of it is replaced as a whole:
-- here is what all resources share (words, parameters, filters, cursors, sums), 0013 and 0014 have the resources.
--
-- The functions are SECURITY INVOKER and read the views of schema dmarc only: role ruad_web has no right that an auditor has not, so
-- every number of the page can be had by plain SQL, and a fault in a function opens nothing.
--
-- A resource takes a filter (api.filter() makes it of the URL's parameters), mostly a page (api.page()), and parameters of its own,
-- typed and named as in the URL with a "p_" before. A value that does not fit raises 22023 (invalid_parameter_value); the words name
-- the parameter as the URL does, the HINT is its bare name. Windows are half-open UTC dates on the report's begin. Messages are
-- counted, never records. Every member of an answer is always there (server/web/openapi.yaml), null where it is not known.
--
-- Each query is planned for its parameters (plan_cache_mode): the filters left out vanish, joins that only they need with them, and
-- the window prunes partitions. That takes functions in SQL that the planner can put in the place of their call: they return a set
-- and stand in FROM, or have no subquery. What else takes a filter and reads records is PL/pgSQL with that setting.

SET LOCAL client_min_messages = warning; -- what goes with it is known
DROP SCHEMA api CASCADE;
CREATE SCHEMA api AUTHORIZATION ruad_owner;

SET LOCAL ROLE ruad_owner;

ALTER DEFAULT PRIVILEGES FOR ROLE ruad_owner IN SCHEMA api GRANT EXECUTE ON FUNCTIONS TO ruad_web;
GRANT USAGE ON SCHEMA api TO ruad_web;
COMMENT ON SCHEMA api IS 'The JSON of ruad''s HTTP API, made by functions over the views of schema dmarc';

-- Words and formats

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

-- Parameters

CREATE FUNCTION api.check_day(parameter text, value date) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	IF value < '1970-01-01' OR value > '9999-12-31' THEN
		PERFORM api.refuse(parameter, format('"%s" is outside 1970-01-01 to 9999-12-31', value));
	END IF;
END
$$;

-- The window: 30 days ending tomorrow, or what is asked for.
CREATE FUNCTION api.time_window(INOUT p_from date, INOUT p_to date)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	PERFORM api.check_day('from', p_from), api.check_day('to', p_to);
	p_to := coalesce(p_to, greatest(api.today() + 1, p_from));
	p_from := coalesce(p_from, greatest(p_to - 30, '1970-01-01'));
	IF p_from > p_to THEN
		PERFORM api.refuse('from', format('"%s" is after "to", "%s"', p_from, p_to));
	END IF;
END
$$;

-- Each value must be one of choices.
CREATE FUNCTION api.check_choice(parameter text, choices text[], VARIADIC p_values text[]) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	wrong text := (SELECT v FROM unnest(p_values) v WHERE v <> ALL (choices) LIMIT 1);
BEGIN
	IF wrong IS NOT NULL THEN
		PERFORM api.refuse(parameter, format('"%s" is not one of %s', left(wrong, 100), array_to_string(choices, ', ')));
	END IF;
END
$$;

-- The words of our own columns.
CREATE FUNCTION api.classes() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT ARRAY['pass', 'fail_overridden', 'fail_altered', 'fail_unaligned', 'fail_unauthenticated', 'unknown'] $$;

CREATE FUNCTION api.dispositions() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT ARRAY['none', 'quarantine', 'reject', 'pass', 'unknown'] $$;

CREATE FUNCTION api.source_groups() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT ARRAY['source', 'rdns', 'asn', 'country', 'ip', 'auth_domain'] $$;

-- A pattern of LIKE that only text itself fits.
CREATE FUNCTION api.like_literal(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT regexp_replace(value, '([\\%_])', '\\\1', 'g') $$;

-- Names of domains as the views have them: lower case, no final dot.
CREATE FUNCTION api.domain_names(p_values text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT array_agg(lower(rtrim(v, '.'))) FROM unnest(p_values) v $$;

-- The common filters, checked and ready for api.matching(): what was left out is NULL. The word "none", where a parameter takes it,
-- stays in the array.
CREATE TYPE api.filter_set AS (
	from_day    date,
	to_day      date,
	dated       boolean, -- the window was asked for
	by_record   boolean, -- some filter speaks of records, not only of their report
	domain      text[],  -- with those below, if they were wanted
	class       text[],
	result      text,
	dkim        text,
	spf         text,
	disposition text[],
	override    text[],
	source      text[],  -- keys but those of addresses
	source_ip   inet[],  -- the keys ip:ADDRESS
	ip          inet,
	asn         text[],
	country     text[],
	rdns        text[],  -- patterns of LIKE for a dot and the name
	auth_domain text[],
	header_from text[],
	reporter    text[],
	label       text[],
	q           text,    -- pattern of ILIKE
	q_results   jsonpath -- the same for auth_results
);

-- The addresses among keys of sources. A key must be service:NAME, domain:NAME, as:NUMBER, ip:ADDRESS or "none".
CREATE FUNCTION api.source_ips_of(p_source text[]) RETURNS inet[]
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	ips inet[];
	key text;
BEGIN
	FOREACH key IN ARRAY coalesce(p_source, '{}') LOOP
		IF key !~ '^(none|service:.+|domain:.+|as:(0|[1-9][0-9]{0,9})|ip:[0-9A-Fa-f.:]+)$' THEN
			PERFORM api.refuse('source', format('"%s" is not service:NAME, domain:NAME, as:NUMBER, ip:ADDRESS or none', left(key, 100)));
		ELSIF key LIKE 'ip:%' THEN
			ips := ips || substr(key, 4)::inet;
		END IF;
	END LOOP;
	RETURN ips;
EXCEPTION WHEN invalid_text_representation THEN
	PERFORM api.refuse('source', format('"%s" is not an address', left(substr(key, 4), 100)));
END
$$;

-- The domains, and with p_subdomains those below them that reports were ever about.
CREATE FUNCTION api.domains_of(p_domain text[], p_subdomains boolean) RETURNS text[]
LANGUAGE sql STABLE
AS $$
	SELECT array_agg(x.name) FROM (
		SELECT n.name FROM unnest(api.domain_names(p_domain)) AS n(name)
		UNION
		SELECT d.domain FROM dmarc.domains d, unnest(api.domain_names(p_domain)) AS n(name)
		WHERE p_subdomains AND d.domain LIKE '%.' || api.like_literal(n.name)
	) x
$$;

-- Check the common filters; the window is filled in.
CREATE FUNCTION api.filter(p_domain text[] DEFAULT NULL, p_subdomains boolean DEFAULT NULL, p_from date DEFAULT NULL, p_to date DEFAULT NULL,
	p_class text[] DEFAULT NULL, p_result text DEFAULT NULL, p_dkim text DEFAULT NULL, p_spf text DEFAULT NULL,
	p_disposition text[] DEFAULT NULL, p_override text[] DEFAULT NULL, p_source text[] DEFAULT NULL, p_ip inet DEFAULT NULL,
	p_asn text[] DEFAULT NULL, p_country text[] DEFAULT NULL, p_rdns text[] DEFAULT NULL, p_auth_domain text[] DEFAULT NULL,
	p_header_from text[] DEFAULT NULL, p_reporter text[] DEFAULT NULL, p_label text[] DEFAULT NULL, p_q text DEFAULT NULL)
RETURNS api.filter_set
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	f api.filter_set;
BEGIN
	PERFORM api.check_choice('class', api.classes(), VARIADIC p_class);
	PERFORM api.check_choice('result', ARRAY['pass', 'fail'], p_result);
	PERFORM api.check_choice('dkim', ARRAY['pass', 'fail'], p_dkim);
	PERFORM api.check_choice('spf', ARRAY['pass', 'fail'], p_spf);
	PERFORM api.check_choice('disposition', api.dispositions(), VARIADIC p_disposition);
	PERFORM api.check_choice('label', ARRAY['mine', 'forwarder', 'not_mine', 'none'], VARIADIC p_label);
	IF length(p_q) < 2 THEN
		PERFORM api.refuse('q', 'must have two characters at least');
	END IF;
	f.dated := p_from IS NOT NULL OR p_to IS NOT NULL;
	SELECT w.p_from, w.p_to INTO f.from_day, f.to_day FROM api.time_window(p_from, p_to) w;
	f.domain := api.domains_of(p_domain, p_subdomains);
	f.class := p_class;
	f.result := p_result;
	f.dkim := p_dkim;
	f.spf := p_spf;
	f.disposition := p_disposition;
	f.override := p_override;
	f.source_ip := api.source_ips_of(p_source);
	f.source := (SELECT array_agg(k) FROM unnest(p_source) k WHERE k NOT LIKE 'ip:%');
	f.ip := p_ip;
	f.asn := p_asn;
	f.country := (SELECT array_agg(CASE c WHEN 'none' THEN c ELSE upper(c) END) FROM unnest(p_country) c);
	f.rdns := (SELECT array_agg(CASE n WHEN 'none' THEN n ELSE '%.' || api.like_literal(n) END) FROM unnest(api.domain_names(p_rdns)) n);
	f.auth_domain := api.domain_names(p_auth_domain);
	f.header_from := api.domain_names(p_header_from);
	f.reporter := p_reporter;
	f.label := p_label;
	f.q := '%' || api.like_literal(p_q) || '%';
	f.q_results := replace('$.*[*] ? (@.domain like_regex Q flag "iq" || @.selector like_regex Q flag "iq")', 'Q', to_json(p_q)::text);
	f.by_record := num_nonnulls(p_class, p_result, p_dkim, p_spf, p_disposition, p_override, p_source, p_ip, p_asn, p_country, p_rdns,
		p_auth_domain, p_header_from, p_label, p_q) > 0;
	RETURN f;
END
$$;

-- The window of an answer.
CREATE FUNCTION api.window_json(f api.filter_set) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT jsonb_build_object('from', f.from_day, 'to', f.to_day) $$;

-- The window before, of the same length; it does not reach back behind 1970.
CREATE FUNCTION api.window_before(f api.filter_set) RETURNS api.filter_set
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
	days integer := least(f.to_day - f.from_day, f.from_day - '1970-01-01'::date);
BEGIN
	f.to_day := f.from_day;
	f.from_day := f.from_day - days;
	RETURN f;
END
$$;

-- The step of a time series, 'day' unless given. A window must not have more than 4000 of them.
CREATE FUNCTION api.bucket_of(p_bucket text, f api.filter_set) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	PERFORM api.check_choice('bucket', ARRAY['day', 'week', 'month'], p_bucket);
	p_bucket := coalesce(p_bucket, 'day');
	IF (f.to_day - f.from_day) / (CASE p_bucket WHEN 'day' THEN 1 WHEN 'week' THEN 7 ELSE 30 END) > 4000 THEN
		PERFORM api.refuse('bucket', format('%s from %s to %s would be more than 4000 points', p_bucket, f.from_day, f.to_day));
	END IF;
	RETURN p_bucket;
END
$$;

-- The steps of a window, each by its first day, and whether its reports are all here by now.
CREATE FUNCTION api.buckets(p_bucket text, f api.filter_set) RETURNS TABLE (t date, complete boolean)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT g::date, least((g + ('1 ' || p_bucket)::interval)::date, f.to_day) <= api.complete_until()
	FROM generate_series(date_trunc(p_bucket, f.from_day::timestamp), f.to_day::timestamp - interval '1 day', ('1 ' || p_bucket)::interval) AS g
$$;

-- Which part of a list is wanted: up to size items behind the cursor, for JSON or for CSV.
CREATE TYPE api.page_spec AS (size integer, cursor text, csv boolean);

CREATE FUNCTION api.page(p_limit integer DEFAULT NULL, p_cursor text DEFAULT NULL, p_format text DEFAULT NULL) RETURNS api.page_spec
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	csv boolean := p_format IS NOT DISTINCT FROM 'csv';
	most integer := CASE WHEN csv THEN 10000 ELSE 500 END;
BEGIN
	PERFORM api.check_choice('format', ARRAY['json', 'csv'], p_format);
	IF p_limit NOT BETWEEN 1 AND most THEN
		PERFORM api.refuse('limit', format('"%s" is not between 1 and %s', p_limit, most));
	END IF;
	RETURN ROW(coalesce(p_limit, CASE WHEN csv THEN most ELSE 50 END), p_cursor, csv);
END
$$;


-- Cursors

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

-- The cursor behind a page of places that is full.
CREATE FUNCTION api.place_next(list text, page api.place[], p_size integer) RETURNS text
LANGUAGE sql STABLE
AS $$
	SELECT CASE WHEN cardinality(page) > p_size THEN
		api.place_make(list, page[p_size].at, page[p_size].id, page[p_size].no) END
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

-- A key as it stands in an order and in a cursor, which must not be longer than the URL's parameter may be.
CREATE FUNCTION api.order_key(key text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN octet_length(to_json(key)::text) > 400 THEN md5(key) ELSE key END COLLATE "C" $$;

-- Whether (size, key) comes after the place, in the order size DESC, key ASC NULLS LAST; key is an order_key().
CREATE FUNCTION api.comes_after(size numeric, key text, place api.rank) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT place.size IS NULL OR size < place.size
		OR (size = place.size AND place.key IS NOT NULL AND (key IS NULL OR key COLLATE "C" > place.key COLLATE "C"))
$$;

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

-- Whether a domain asked for its reports to come here, by the check of its DNS that is kept (0017); NULL when that is not known.
CREATE FUNCTION api.solicited(p_domain text) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
BEGIN
	RETURN (SELECT (c.result -> 'solicited')::boolean FROM dmarc.dns_checks c WHERE c.domain = p_domain AND c.result -> 'solicited' <> 'null');
END
$$;

-- The delivery that brought a report.
CREATE FUNCTION api.mail_json(p_mail bigint) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('id', i.mail::text, 'received_at', api.iso(i.received_at), 'source', i.source,
		'name', api.display(i.name), 'envelope_from', api.display(i.envelope_from), 'recipients', api.display(i.recipients),
		'size', i.size, 'message_id', api.display(i.message_id), 'subject', api.display(i.subject),
		'header_from', api.display(i.header_from), 'authentic', i.authentic)
	FROM dmarc.intake i WHERE i.mail = p_mail LIMIT 1
$$;
