-- filter.sql - parameters that resources share: filters, window, page.

-- Check that a day has a year of four digits and is not before 1970.
CREATE FUNCTION api.check_day(parameter text, value date) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	IF value < '1970-01-01' OR value > '9999-12-31' THEN
		PERFORM api.refuse(parameter, format('"%s" is outside 1970-01-01 to 9999-12-31', value));
	END IF;
END
$$;

-- The window; the default is 30 days that end tomorrow.
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

-- Check that each value is one of choices.
CREATE FUNCTION api.check_choice(parameter text, choices text[], VARIADIC p_values text[]) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	wrong text := (SELECT v FROM unnest(p_values) v WHERE v <> ALL (choices) LIMIT 1);
BEGIN
	IF wrong IS NOT NULL THEN
		PERFORM api.refuse(parameter,
			format('"%s" is not one of %s', left(wrong, 100), array_to_string(choices, ', ')));
	END IF;
END
$$;

-- The values of ruad's own columns.
CREATE FUNCTION api.classes() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT ARRAY['pass', 'fail_overridden', 'fail_altered', 'fail_unaligned', 'fail_unauthenticated', 'unknown'] $$;

CREATE FUNCTION api.dispositions() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT ARRAY['none', 'quarantine', 'reject', 'pass', 'unknown'] $$;

CREATE FUNCTION api.source_groups() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT ARRAY['source', 'rdns', 'asn', 'country', 'ip', 'auth_domain'] $$;

-- What a search for a text (q) finds among the records of some months. Its names repeat: a few thousand combinations
-- stand for millions of records, so they are searched once and records are selected by number.
CREATE TYPE api.found AS (
	from_day    date,      -- of the first month that was searched
	to_day      date,
	domains     integer[],
	reporters   text[],
	addresses   boolean,   -- whether any address is found, see api.addresses_found()
	ips         inet[],    -- these; NULL if they are many
	evaluations bigint[],
	facets      bigint[],  -- those of which all evaluations are found
	summed      boolean    -- whether sums can answer: no reporter is found, and no facet in part
);

-- The common filters, checked and ready for api.conditions(); NULL if not given. Where a parameter accepts "none",
-- the word stays in the array.
CREATE TYPE api.filter_set AS (
	from_day    date,
	to_day      date,
	dated       boolean, -- the window was asked for
	by_record   boolean, -- some filter speaks of records, not only of their report
	domain      text[],  -- with those below, if they were wanted; if none is named, those that count
	named       boolean, -- domains were asked for
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
	q_results   jsonpath, -- the same for auth_results
	found       api.found -- what q finds in the window, see api.found_by()
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
			PERFORM api.refuse('source', format('"%s" is not service:NAME, domain:NAME, as:NUMBER, ip:ADDRESS or none',
				left(key, 100)));
		ELSIF key LIKE 'ip:%' THEN
			ips := ips || substr(key, 4)::inet;
		END IF;
	END LOOP;
	RETURN ips;
EXCEPTION WHEN invalid_text_representation THEN
	PERFORM api.refuse('source', format('"%s" is not an address', left(substr(key, 4), 100)));
END
$$;

-- The domains, and with p_subdomains the domains below them that any report was about.
CREATE FUNCTION api.domains_of(p_domain text[], p_subdomains boolean) RETURNS text[]
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (
		SELECT array_agg(x.name) FROM (
			SELECT n.name FROM unnest(api.domain_names(p_domain)) AS n(name)
			UNION
			SELECT d.domain FROM dmarc.domains d, unnest(api.domain_names(p_domain)) AS n(name)
			WHERE p_subdomains AND d.domain LIKE '%.' || api.like_literal(n.name)
		) x);
END
$$;

-- The domains that count where none is named: NULL if all do. p_others: what becomes of others' domains, 'exclude'
-- (the default), 'include' or 'only'.
CREATE FUNCTION api.counted_domains(p_others text) RETURNS text[]
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	PERFORM api.check_choice('others', ARRAY['exclude', 'include', 'only'], p_others);
	p_others := coalesce(p_others, 'exclude');
	IF p_others = 'include'
		OR (p_others = 'exclude' AND NOT EXISTS (SELECT 1 FROM dmarc.domains d WHERE NOT d.own)) THEN
		RETURN NULL;
	END IF;
	RETURN ARRAY(SELECT d.domain FROM dmarc.domains d WHERE d.own = (p_others = 'exclude'));
END
$$;

-- Returns whether the filter has conditions on addresses.
CREATE FUNCTION api.filters_addresses(f api.filter_set) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT num_nonnulls(f.source, f.source_ip, f.ip, f.asn, f.country, f.rdns, f.label) > 0 $$;

-- A query for the addresses that q finds: by their own name, or as part of a source whose name it is.
CREATE FUNCTION api.addresses_found(f api.filter_set) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
	SELECT format('SELECT a.source_ip FROM dmarc.addresses a WHERE a.rdns ILIKE %1$L OR a.source IN
		(SELECT b.source FROM dmarc.addresses b WHERE b.source_name ILIKE %1$L)', f.q)
$$;

-- What the filter's q finds in its window; NULL without q.
CREATE FUNCTION api.found_by(f api.filter_set) RETURNS api.found
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	most constant integer := 1000; -- addresses in a list
	found api.found := f.found;
BEGIN
	IF f.q IS NULL OR (f.from_day >= found.from_day AND f.to_day <= found.to_day) THEN
		RETURN found;
	END IF;
	found.from_day := date_trunc('month', f.from_day::timestamp)::date;
	found.to_day := (date_trunc('month', f.to_day::timestamp) + interval '1 month')::date;
	found.domains := ARRAY(SELECT d.domain_id FROM dmarc.domains d WHERE d.domain ILIKE f.q);
	found.reporters := ARRAY(SELECT o.org_name FROM dmarc.reporters o WHERE o.org_name ILIKE f.q);
	EXECUTE format('SELECT ARRAY(%s LIMIT %s)', api.addresses_found(f), most + 1) INTO found.ips;
	found.addresses := found.ips <> '{}';
	found.ips := CASE WHEN cardinality(found.ips) <= most THEN found.ips END;
	WITH evaluations AS MATERIALIZED (
		SELECT e.evaluation, e.facet, coalesce(e.header_from ILIKE f.q, false)
			OR coalesce(e.envelope_from ILIKE f.q, false)
			OR coalesce(jsonb_path_exists(e.auth_results, f.q_results), false) AS matches
		FROM api.evaluation e WHERE e.month >= found.from_day AND e.month < found.to_day
	), facets AS (
		SELECT e.facet, bool_and(e.matches) AS whole FROM evaluations e GROUP BY 1 HAVING bool_or(e.matches)
	)
	SELECT ARRAY(SELECT e.evaluation FROM evaluations e WHERE e.matches),
		ARRAY(SELECT s.facet FROM facets s WHERE s.whole),
		found.reporters = '{}' AND NOT EXISTS (SELECT 1 FROM facets s WHERE NOT s.whole)
	INTO found.evaluations, found.facets, found.summed;
	RETURN found;
END
$$;

-- Check the common filters and set the default window.
CREATE FUNCTION api.filter(p_domain text[] DEFAULT NULL, p_subdomains boolean DEFAULT NULL, p_from date DEFAULT NULL,
	p_to date DEFAULT NULL, p_class text[] DEFAULT NULL, p_result text DEFAULT NULL, p_dkim text DEFAULT NULL,
	p_spf text DEFAULT NULL, p_disposition text[] DEFAULT NULL, p_override text[] DEFAULT NULL,
	p_source text[] DEFAULT NULL, p_ip inet DEFAULT NULL, p_asn text[] DEFAULT NULL, p_country text[] DEFAULT NULL,
	p_rdns text[] DEFAULT NULL, p_auth_domain text[] DEFAULT NULL, p_header_from text[] DEFAULT NULL,
	p_reporter text[] DEFAULT NULL, p_label text[] DEFAULT NULL, p_q text DEFAULT NULL,
	p_others text DEFAULT NULL)
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
	f.named := p_domain IS NOT NULL;
	f.domain := CASE WHEN f.named THEN api.domains_of(p_domain, p_subdomains) ELSE api.counted_domains(p_others) END;
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
	f.rdns := (SELECT array_agg(CASE n WHEN 'none' THEN n ELSE '%.' || api.like_literal(n) END)
		FROM unnest(api.domain_names(p_rdns)) n);
	f.auth_domain := api.domain_names(p_auth_domain);
	f.header_from := api.domain_names(p_header_from);
	f.reporter := p_reporter;
	f.label := p_label;
	f.q := '%' || api.like_literal(p_q) || '%';
	f.q_results := replace('$.*[*] ? (@.domain like_regex Q flag "iq" || @.selector like_regex Q flag "iq")',
		'Q', to_json(p_q)::text);
	f.found := api.found_by(f);
	f.by_record := num_nonnulls(p_class, p_result, p_dkim, p_spf, p_disposition, p_override, p_source, p_ip,
		p_asn, p_country, p_rdns, p_auth_domain, p_header_from, p_label, p_q) > 0;
	RETURN f;
END
$$;

-- The window of an answer.
CREATE FUNCTION api.window_json(f api.filter_set) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT jsonb_build_object('from', f.from_day, 'to', f.to_day) $$;

-- The window of the same length before this one; it does not begin before 1970.
CREATE FUNCTION api.window_before(f api.filter_set) RETURNS api.filter_set
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	days integer := least(f.to_day - f.from_day, f.from_day - '1970-01-01'::date);
BEGIN
	f.to_day := f.from_day;
	f.from_day := f.from_day - days;
	f.found := api.found_by(f);
	RETURN f;
END
$$;

-- Check the step of a time series; the default is 'day'. A window must not have more than 4000 steps.
CREATE FUNCTION api.bucket_of(p_bucket text, f api.filter_set) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	PERFORM api.check_choice('bucket', ARRAY['day', 'week', 'month'], p_bucket);
	p_bucket := coalesce(p_bucket, 'day');
	IF (f.to_day - f.from_day) / (CASE p_bucket WHEN 'day' THEN 1 WHEN 'week' THEN 7 ELSE 30 END) > 4000 THEN
		PERFORM api.refuse('bucket', format('%s from %s to %s would be more than 4000 points', p_bucket, f.from_day,
			f.to_day));
	END IF;
	RETURN p_bucket;
END
$$;

-- The steps of a window, each with its first day and whether all its reports should have arrived.
CREATE FUNCTION api.buckets(p_bucket text, f api.filter_set) RETURNS TABLE (t date, complete boolean)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT g::date, least((g + ('1 ' || p_bucket)::interval)::date, f.to_day) <= api.complete_until()
	FROM generate_series(date_trunc(p_bucket, f.from_day::timestamp), f.to_day::timestamp - interval '1 day',
		('1 ' || p_bucket)::interval) AS g
$$;

-- The part of a list that is wanted: up to size items after the cursor (NULL is all, for streams only), as JSON or as
-- CSV.
CREATE TYPE api.page_spec AS (size integer, cursor text, csv boolean);

CREATE FUNCTION api.page(p_limit integer DEFAULT NULL, p_cursor text DEFAULT NULL, p_format text DEFAULT NULL)
RETURNS api.page_spec
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

-- The same for streamed CSV: all items unless p_limit is given.
CREATE FUNCTION api.stream(p_limit integer DEFAULT NULL, p_cursor text DEFAULT NULL) RETURNS api.page_spec
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	page api.page_spec := api.page(p_limit, p_cursor, 'csv');
BEGIN
	page.size := p_limit;
	RETURN page;
END
$$;

-- The filter's window with some domains, without the other filters: the state of a domain does not depend on them.
CREATE FUNCTION api.only_domains(f api.filter_set, p_domains text[]) RETURNS api.filter_set
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
	plain api.filter_set;
BEGIN
	plain.from_day := f.from_day;
	plain.to_day := f.to_day;
	plain.dated := f.dated;
	plain.by_record := false;
	plain.named := true;
	plain.domain := p_domains;
	RETURN plain;
END
$$;
