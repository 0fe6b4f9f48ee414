-- counting.sql - the records that match a filter, and sums of their messages.

-- Queries are built as text. Only the filters that are set appear in them, as literals, so that each query is planned
-- for what it asks, prunes partitions, and reads the smallest view that can answer it:
--
--   dmarc.daily    sums by day, for queries that need no address
--   dmarc.monthly  sums by month and address; days of partial months at the ends of a window come from dmarc.records
--   dmarc.records  everything else
--
-- All of them give the same columns, under the alias c. Where no record of the window waits to be summed, api.sum_day
-- and api.sum_month replace the first two.

-- The conditions of a filter except its window: '' or ' AND ...'.
CREATE FUNCTION api.conditions(f api.filter_set) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	words text[];
BEGIN
	IF f.domain IS NOT NULL THEN
		words := words || format('c.domain_id = ANY (%L::integer[])', ARRAY(SELECT d.domain_id FROM dmarc.domains d
			WHERE d.domain = ANY (f.domain)));
	END IF;
	IF f.class IS NOT NULL THEN
		words := words || format('c.class = ANY (%L::text[])', f.class);
	END IF;
	IF f.result IS NOT NULL THEN
		words := words || CASE f.result WHEN 'pass' THEN 'c.dmarc_pass' ELSE 'NOT c.dmarc_pass' END;
	END IF;
	IF f.dkim IS NOT NULL THEN
		words := words || CASE f.dkim WHEN 'pass' THEN 'c.dkim_aligned' ELSE 'NOT c.dkim_aligned' END;
	END IF;
	IF f.spf IS NOT NULL THEN
		words := words || CASE f.spf WHEN 'pass' THEN 'c.spf_aligned' ELSE 'NOT c.spf_aligned' END;
	END IF;
	IF f.disposition IS NOT NULL THEN
		words := words || (format('(c.disposition = ANY (%L::text[])', f.disposition)
			|| CASE WHEN 'unknown' = ANY (f.disposition)
				THEN format(' OR (c.disposition = ANY (%L::text[])) IS NOT TRUE', api.dispositions()) ELSE '' END
				|| ')');
	END IF;
	IF f.override IS NOT NULL THEN
		words := words || (format('(c.override && %L::text[]', f.override)
			|| CASE WHEN 'any' = ANY (f.override) THEN ' OR c.override IS NOT NULL' ELSE '' END
			|| CASE WHEN 'none' = ANY (f.override) THEN ' OR c.override IS NULL' ELSE '' END || ')');
	END IF;
	IF f.auth_domain IS NOT NULL THEN
		words := words || format('coalesce(c.auth_domain, ''none'') = ANY (%L::text[])', f.auth_domain);
	END IF;
	IF f.header_from IS NOT NULL THEN
		words := words || format('c.header_from = ANY (%L::text[])', f.header_from);
	END IF;
	RETURN coalesce(' AND ' || array_to_string(words, ' AND '), '') || api.conditions_on_address(f)
		|| api.conditions_on_record(f);
END
$$;

-- The condition that selects sources through an index: as a list of addresses if there are few, else by name.
CREATE FUNCTION api.condition_on_source(p_source text[]) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	most constant integer := 1000;
	ips inet[] := ARRAY(SELECT a.source_ip FROM dmarc.addresses a WHERE a.source = ANY (p_source) LIMIT most + 1);
BEGIN
	IF cardinality(ips) > most THEN
		RETURN format('c.source = ANY (%L::text[])', p_source);
	END IF;
	RETURN format('c.source_ip = ANY (%L::inet[])', ips);
END
$$;

-- The condition that selects labels: as a list of addresses if there are few, so that no other address has to be
-- looked up. Without a label are all addresses but those with one.
CREATE FUNCTION api.condition_on_label(p_label text[]) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	most constant integer := 5000;
	none constant boolean := 'none' = ANY (p_label);
	ips inet[] := ARRAY(SELECT a.source_ip FROM dmarc.addresses a
		WHERE a.label IS NOT NULL AND (a.label = ANY (p_label)) <> none LIMIT most + 1);
BEGIN
	IF cardinality(ips) > most THEN
		RETURN format('(c.label = ANY (%L::text[])', p_label) || CASE WHEN none THEN ' OR c.label IS NULL' ELSE '' END
			|| ')';
	ELSIF none THEN
		RETURN format('(c.source_ip <> ALL (%L::inet[]) OR c.source_ip IS NULL)', ips);
	END IF;
	RETURN format('c.source_ip = ANY (%L::inet[])', ips);
END
$$;

-- The conditions of a filter that concern the address.
CREATE FUNCTION api.conditions_on_address(f api.filter_set) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	words text[];
BEGIN
	IF f.source IS NOT NULL OR f.source_ip IS NOT NULL THEN
		words := words || ('(' || concat_ws(' OR ',
			CASE WHEN f.source IS NOT NULL THEN api.condition_on_source(f.source) END,
			CASE WHEN f.source_ip IS NOT NULL THEN format('c.source_ip = ANY (%L::inet[])', f.source_ip) END,
			CASE WHEN 'none' = ANY (f.source) THEN 'c.source_ip IS NULL' END) || ')');
	END IF;
	IF f.ip IS NOT NULL THEN
		words := words || format('c.source_ip <<= %L::inet', f.ip);
	END IF;
	IF f.asn IS NOT NULL THEN
		words := words
			|| (format('(c.asn::text = ANY (%L::text[])', f.asn)
				|| CASE WHEN 'none' = ANY (f.asn) THEN ' OR c.asn IS NULL' ELSE '' END || ')');
	END IF;
	IF f.country IS NOT NULL THEN
		words := words
			|| (format('(c.country = ANY (%L::text[])', f.country)
				|| CASE WHEN 'none' = ANY (f.country) THEN ' OR c.country IS NULL' ELSE '' END || ')');
	END IF;
	IF f.rdns IS NOT NULL THEN
		words := words
			|| (format('(''.'' || c.rdns LIKE ANY (%L::text[])', f.rdns)
				|| CASE WHEN 'none' = ANY (f.rdns) THEN ' OR c.rdns IS NULL' ELSE '' END || ')');
	END IF;
	IF f.label IS NOT NULL THEN
		words := words || api.condition_on_label(f.label);
	END IF;
	RETURN coalesce(' AND ' || array_to_string(words, ' AND '), '');
END
$$;

-- The condition that q finds c: by the numbers of what it found, and its addresses as a list if there are few.
CREATE FUNCTION api.condition_on_q(f api.filter_set) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	found constant api.found := api.found_by(f);
BEGIN
	RETURN '(' || concat_ws(' OR ', 'false',
		CASE WHEN found.domains <> '{}' THEN format('c.domain_id = ANY (%L::integer[])', found.domains) END,
		CASE WHEN found.reporters <> '{}' THEN format('c.org_name = ANY (%L::text[])', found.reporters) END,
		CASE WHEN found.evaluations = '{}' THEN NULL
			WHEN found.summed THEN format('c.facet = ANY (%L::bigint[])', found.facets)
			ELSE format('c.evaluation = ANY (%L::bigint[])', found.evaluations) END,
		CASE WHEN NOT found.addresses THEN NULL
			WHEN found.ips IS NULL THEN format('c.source_ip IN (%s)', api.addresses_found(f))
			ELSE format('c.source_ip = ANY (%L::inet[])', found.ips) END) || ')';
END
$$;

-- The conditions of a filter that only a record can answer, and q, which sums can often answer.
CREATE FUNCTION api.conditions_on_record(f api.filter_set) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	words text := '';
BEGIN
	IF f.reporter IS NOT NULL THEN
		words := words || format(' AND c.reporter_id = ANY (%L::integer[])', ARRAY(SELECT o.reporter_id
			FROM dmarc.reporters o WHERE o.org_name = ANY (f.reporter)));
	END IF;
	IF f.q IS NOT NULL THEN
		words := words || ' AND ' || api.condition_on_q(f);
	END IF;
	RETURN words;
END
$$;

-- The views of sums that are correct for a window. The calling functions are STABLE, so this query and theirs see the
-- same data.
CREATE FUNCTION api.sums_of(from_day date, to_day date, OUT daily text, OUT monthly text)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	IF EXISTS (SELECT 1 FROM api.unsummed u WHERE u.day >= date_trunc('month', from_day::timestamp)
		AND u.day < to_day + 31)
		OR EXISTS (SELECT 1 FROM api.stale s WHERE s.month > from_day - 31 AND s.month < to_day)
	THEN
		daily := 'dmarc.daily';
		monthly := 'dmarc.monthly';
	ELSE
		daily := 'api.sum_day';
		monthly := 'api.sum_month';
	END IF;
END
$$;

-- The view that is correct about when addresses were seen.
CREATE FUNCTION api.seen_view() RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN CASE WHEN EXISTS (SELECT 1 FROM api.unsummed) OR EXISTS (SELECT 1 FROM api.stale) THEN 'dmarc.seen'
		ELSE 'api.seen' END;
END
$$;

-- A condition for the days from from_day until before to_day, and for the months that contain them.
CREATE FUNCTION api.days_between(from_day date, to_day date) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
	SELECT format('c.day >= %L AND c.day < %L AND c.month >= %L AND c.month < %L', from_day, to_day,
		date_trunc('month', from_day::timestamp)::date, to_day)
$$;

-- The records that match a filter, as FROM item c.
CREATE FUNCTION api.records_of(f api.filter_set) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN format('(SELECT c.* FROM dmarc.records c WHERE %s%s) c', api.days_between(f.from_day, f.to_day),
		api.conditions(f));
END
$$;

-- The whole months of a window. A partial month at either end counts as whole if no report begins on its other days.
CREATE FUNCTION api.whole_months(f api.filter_set, OUT from_month date, OUT to_month date)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	first_month date := date_trunc('month', f.from_day::timestamp)::date;
	last_month date := date_trunc('month', f.to_day::timestamp)::date;
BEGIN
	from_month := first_month;
	to_month := last_month;
	IF f.from_day > first_month AND EXISTS (SELECT 1 FROM dmarc.reports r WHERE r.day >= first_month
		AND r.day < f.from_day) THEN
		from_month := (first_month + interval '1 month')::date;
	END IF;
	IF f.to_day > last_month AND NOT EXISTS (SELECT 1 FROM dmarc.reports r WHERE r.day >= f.to_day
		AND r.day < (last_month + interval '1 month')::date) THEN
		to_month := (last_month + interval '1 month')::date;
	END IF;
	IF from_month >= to_month THEN
		from_month := f.to_day;
		to_month := f.to_day;
	END IF;
END
$$;

-- Sums by facet, and by month if by_month is set, as FROM item c. The facet's columns are joined to few rows, not to
-- each day.
CREATE FUNCTION api.facet_sums(f api.filter_set, daily text, by_month boolean) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN format('(SELECT c.* FROM (
		SELECT v.domain_id, v.domain, s.day, v.header_from, v.auth_domain, v.class, v.disposition, v.dkim_aligned,
			v.spf_aligned, v.dmarc_pass, v.override, s.messages, s.records, s.first_seen, s.last_seen, s.facet
		FROM (
			SELECT c.domain_id, c.facet, %s AS day, sum(c.messages) AS messages, sum(c.records) AS records,
				min(c.first_seen) AS first_seen, max(c.last_seen) AS last_seen
			FROM %s c WHERE c.day >= %L AND c.day < %L GROUP BY 1, 2, 3
		) s
		JOIN api.facet v ON v.domain_id = s.domain_id AND v.facet = s.facet) c WHERE true%s) c',
		CASE WHEN by_month THEN 'date_trunc(''month'', c.day::timestamp)::date' ELSE 'NULL::date' END, daily,
		f.from_day, f.to_day, api.conditions(f));
END
$$;

-- The matching records as sums, as FROM item c with the columns domain_id, domain, day, source_ip, source, label,
-- rdns, rdns_domain, asn, country, header_from, auth_domain, class, disposition, dkim_aligned, spf_aligned,
-- dmarc_pass, override, messages, records, first_seen, last_seen, facet, and org_name where records must be read.
-- p_grain is what the caller needs:
--   any      neither day nor address
--   day      the day
--   month    day is some day of the month
--   address  the month and the address
--   record   everything, including org_name
CREATE FUNCTION api.cells(f api.filter_set, p_grain text) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	found constant api.found := api.found_by(f);
	on_address constant boolean := api.filters_addresses(f) OR coalesce(found.addresses, false);
	rows constant text := 'SELECT c.domain_id, c.domain, c.day, c.source_ip, c.source, c.label, c.rdns, c.rdns_domain,
		c.asn, c.country, c.header_from, c.auth_domain, c.class, c.disposition, c.dkim_aligned, c.spf_aligned,
		c.dmarc_pass, c.override, coalesce(c.count, 0) AS messages, 1::bigint AS records, c.begin AS first_seen,
		c.begin AS last_seen, c.facet';
	sums record;
	months record;
BEGIN
	IF p_grain = 'record' OR p_grain = 'day' AND on_address OR NOT found.summed OR f.reporter IS NOT NULL THEN
		RETURN format('(%s, c.org_name FROM dmarc.records c WHERE %s%s) c', rows,
			api.days_between(f.from_day, f.to_day), api.conditions(f));
	END IF;
	sums := api.sums_of(f.from_day, f.to_day);
	IF p_grain IN ('any', 'month') AND NOT on_address THEN
		RETURN api.facet_sums(f, sums.daily, p_grain = 'month');
	ELSIF p_grain = 'day' THEN
		RETURN format('(SELECT c.* FROM %s c WHERE c.day >= %L AND c.day < %L%s) c', sums.daily, f.from_day,
			f.to_day, api.conditions(f));
	END IF;
	SELECT * INTO months FROM api.whole_months(f);
	RETURN '(' || concat_ws(' UNION ALL ',
		CASE WHEN months.from_month < months.to_month THEN format('SELECT c.* FROM (
			SELECT m.domain_id, m.domain, m.month AS day, m.source_ip, coalesce(a.source, ''ip:'' || host(m.source_ip))
				AS source, a.label, a.rdns, a.rdns_domain, a.asn, a.country, m.header_from, m.auth_domain, m.class,
				m.disposition, m.dkim_aligned, m.spf_aligned, m.dmarc_pass, m.override, m.messages, m.records,
				m.first_seen, m.last_seen, m.facet
			FROM %s m LEFT JOIN dmarc.addresses a ON a.source_ip = m.source_ip
			WHERE m.month >= %L AND m.month < %L) c WHERE true%s', sums.monthly, months.from_month, months.to_month,
			api.conditions(f)) END,
		CASE WHEN f.from_day < months.from_month THEN
			format('%s FROM dmarc.records c WHERE %s%s', rows,
				api.days_between(f.from_day, least(months.from_month, f.to_day)), api.conditions(f)) END,
		CASE WHEN months.to_month < f.to_day THEN
			format('%s FROM dmarc.records c WHERE %s%s', rows, api.days_between(months.to_month, f.to_day),
				api.conditions(f)) END,
		CASE WHEN f.from_day = f.to_day THEN format('%s FROM dmarc.records c WHERE false', rows) END) || ') c';
END
$$;

-- The reports that match a filter, as FROM item r. If the filter concerns records, only reports with a matching
-- record.
CREATE FUNCTION api.reports_of(f api.filter_set) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN format('(SELECT r.* FROM dmarc.reports r WHERE r.day >= %L AND r.day < %L%s%s%s) r', f.from_day, f.to_day,
		CASE WHEN f.domain IS NOT NULL THEN
			format(' AND r.domain_id = ANY (%L::integer[])', ARRAY(SELECT d.domain_id FROM dmarc.domains d
				WHERE d.domain = ANY (f.domain))) ELSE '' END,
		CASE WHEN f.reporter IS NOT NULL THEN format(' AND r.org_name = ANY (%L::text[])', f.reporter) ELSE '' END,
		CASE WHEN f.by_record THEN format(' AND r.id IN (SELECT c.report FROM %s)', api.records_of(f)) ELSE '' END);
END
$$;

-- The column of api.cells() to group by, and the grain that it needs; group '' is one group of everything.
CREATE FUNCTION api.group_column(p_group text, OUT name text, OUT grain text)
LANGUAGE sql IMMUTABLE
AS $$
	SELECT g.name, g.grain FROM (VALUES ('', $q$''::text$q$, 'any'), ('domain', 'c.domain', 'any'),
		('header_from', 'c.header_from', 'any'),
		('auth_domain', 'c.auth_domain', 'any'), ('source', 'c.source', 'address'),
		('rdns', 'c.rdns_domain', 'address'), ('asn', 'c.asn::text', 'address'),
		('country', 'c.country', 'address'), ('ip', 'host(c.source_ip)', 'address'),
		('reporter', 'c.org_name', 'record')) AS g(key, name, grain)
	WHERE g.key = p_group
$$;

-- Sums of messages; every tally has these columns.
CREATE TYPE api.tally AS (
	key text, messages numeric, pass numeric, dkim_aligned numeric, spf_aligned numeric,
	fail_overridden numeric, fail_altered numeric, fail_unaligned numeric, fail_unauthenticated numeric,
	class_unknown numeric, disposition_none numeric, quarantine numeric, reject numeric, disposition_pass numeric,
	first_seen timestamptz, last_seen timestamptz
);

-- The columns of a tally after its key, summed over c.
CREATE FUNCTION api.tally_columns() RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
	SELECT $q$sum(c.messages) AS messages,
		coalesce(sum(c.messages) FILTER (WHERE c.dkim_aligned OR c.spf_aligned), 0) AS pass,
		coalesce(sum(c.messages) FILTER (WHERE c.dkim_aligned), 0) AS dkim_aligned,
		coalesce(sum(c.messages) FILTER (WHERE c.spf_aligned), 0) AS spf_aligned,
		coalesce(sum(c.messages) FILTER (WHERE c.class = 'fail_overridden'), 0) AS fail_overridden,
		coalesce(sum(c.messages) FILTER (WHERE c.class = 'fail_altered'), 0) AS fail_altered,
		coalesce(sum(c.messages) FILTER (WHERE c.class = 'fail_unaligned'), 0) AS fail_unaligned,
		coalesce(sum(c.messages) FILTER (WHERE c.class = 'fail_unauthenticated'), 0) AS fail_unauthenticated,
		coalesce(sum(c.messages) FILTER (WHERE c.class = 'unknown'), 0) AS class_unknown,
		coalesce(sum(c.messages) FILTER (WHERE c.disposition = 'none'), 0) AS disposition_none,
		coalesce(sum(c.messages) FILTER (WHERE c.disposition = 'quarantine'), 0) AS quarantine,
		coalesce(sum(c.messages) FILTER (WHERE c.disposition = 'reject'), 0) AS reject,
		coalesce(sum(c.messages) FILTER (WHERE c.disposition = 'pass'), 0) AS disposition_pass,
		min(c.first_seen) AS first_seen, max(c.last_seen) AS last_seen$q$
$$;

-- A query for tallies by a group; it has no row if nothing matches the filter.
CREATE FUNCTION api.tallies_query(p_group text, f api.filter_set) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	g record;
BEGIN
	SELECT * INTO g FROM api.group_column(p_group);
	RETURN format('SELECT %s AS key, %s FROM %s GROUP BY 1', g.name, api.tally_columns(), api.cells(f, g.grain));
END
$$;

CREATE FUNCTION api.tallies(p_group text, f api.filter_set) RETURNS SETOF api.tally
LANGUAGE plpgsql STABLE SET jit = off
AS $$
BEGIN
	RETURN QUERY EXECUTE api.tallies_query(p_group, f);
END
$$;

-- A tally with all sums 0.
CREATE FUNCTION api.tally_zero(key text DEFAULT '') RETURNS api.tally
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT ROW(key, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL)::api.tally $$;

CREATE FUNCTION api.by_disposition(t api.tally) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('none', t.disposition_none, 'quarantine', t.quarantine, 'reject', t.reject,
		'pass', t.disposition_pass,
		'unknown', t.messages - t.disposition_none - t.quarantine - t.reject - t.disposition_pass)
$$;

-- A tally as JSON. A message passes by DKIM, by SPF or by both.
CREATE FUNCTION api.tally_json(t api.tally) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('messages', t.messages, 'pass', t.pass, 'dkim_aligned', t.dkim_aligned,
		'spf_aligned', t.spf_aligned, 'dkim_only', t.pass - t.spf_aligned, 'spf_only', t.pass - t.dkim_aligned,
		'by_class', jsonb_build_object('pass', t.pass, 'fail_overridden', t.fail_overridden,
			'fail_altered', t.fail_altered, 'fail_unaligned', t.fail_unaligned,
			'fail_unauthenticated', t.fail_unauthenticated, 'unknown', t.class_unknown),
		'by_disposition', api.by_disposition(t))
$$;

-- The sums of everything that matches a filter.
CREATE FUNCTION api.totals(f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	RETURN api.tally_json(coalesce((SELECT t FROM api.tallies('', f) t), api.tally_zero()));
END
$$;

-- The number that tallies are sorted by, in descending order.
CREATE FUNCTION api.size_of(messages numeric, pass numeric, p_sort text) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE p_sort WHEN '-messages' THEN messages WHEN 'messages' THEN -messages WHEN '-fail' THEN messages - pass
		WHEN 'fail' THEN pass - messages WHEN '-pass' THEN pass WHEN 'pass' THEN -pass END
$$;

CREATE FUNCTION api.tally_size(t api.tally, p_sort text) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT api.size_of(t.messages, t.pass, p_sort) $$;

-- Check p_sort; the default is '-messages'.
CREATE FUNCTION api.sort_of(p_sort text) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	PERFORM api.check_choice('sort', ARRAY['-messages', 'messages', '-fail', 'fail', '-pass', 'pass'], p_sort);
	RETURN coalesce(p_sort, '-messages');
END
$$;

-- Returns whether the keys of a group are sets of addresses.
CREATE FUNCTION api.has_addresses(p_group text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT p_group IN ('source', 'rdns', 'asn', 'country', 'ip') $$;

-- A page of keys of a group of sources, and the addresses that each has in the window.
CREATE TYPE api.key_page AS (
	total     bigint,    -- keys in all
	keys      text[],    -- the first that come after the place
	sizes     numeric[], -- what each is sorted by
	ips       bigint[],  -- how many addresses each has
	members   inet[],    -- the addresses of all of them
	member_of integer[]  -- to which of keys each belongs
);

-- Choose whether the planner looks addresses up in indexes: it estimates 200 addresses behind every sum and would
-- look up each one. The calling function must have a SET clause for enable_nestloop, which ends the effect of this
-- call.
CREATE FUNCTION api.look_up_addresses(few boolean) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM set_config('enable_nestloop', CASE WHEN few THEN 'on' ELSE 'off' END, true);
END
$$;

-- Returns whether a filter names the sources to select.
CREATE FUNCTION api.names_sources(f api.filter_set) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT num_nonnulls(f.source, f.source_ip) > 0 $$;

-- The first p_size + 1 keys after the place. This pass computes only the sums that the order needs. It groups by
-- address first, since there are far fewer addresses than rows and grouping by text is slow. There may be many
-- addresses, so no step may sort them.
CREATE FUNCTION api.key_page(p_group text, f api.filter_set, p_sort text, p_size integer, place api.rank)
RETURNS api.key_page
LANGUAGE plpgsql STABLE SET jit = off SET work_mem = '64MB' SET enable_sort = off SET enable_nestloop = on
AS $$
DECLARE
	name constant text := (api.group_column(p_group)).name;
	page api.key_page;
BEGIN
	PERFORM api.look_up_addresses(api.names_sources(f));
	EXECUTE format($q$
		WITH sums AS (
			SELECT %1$s AS key, c.source_ip, sum(c.messages) AS messages,
				coalesce(sum(c.messages) FILTER (WHERE c.dmarc_pass), 0) AS pass
			FROM %2$s GROUP BY 1, 2
		), addresses AS MATERIALIZED (
			SELECT %3$s AS key, c.source_ip, c.messages, c.pass
			FROM (
				SELECT s.*, coalesce(a.source, 'ip:' || host(s.source_ip)) AS source, a.rdns_domain, a.asn, a.country
				FROM sums s LEFT JOIN dmarc.addresses a ON a.source_ip = s.source_ip
			) c
		), sizes AS MATERIALIZED (
			SELECT a.key, api.size_of(sum(a.messages), sum(a.pass), $1) AS size, count(a.source_ip) AS ips
			FROM addresses a GROUP BY 1
		), page AS MATERIALIZED (
			SELECT s.*, row_number() OVER (ORDER BY s.size DESC, s.order_key) AS no
			FROM (
				SELECT s.key, s.ips, s.size, api.order_key(s.key) COLLATE "C" AS order_key FROM sizes s
				WHERE api.comes_after(s.size, api.order_key(s.key), $3)
				ORDER BY 3 DESC, 4 LIMIT $2 + 1
			) s
		), members AS (
			SELECT a.source_ip, p.no::integer FROM addresses a JOIN page p ON coalesce(p.key, '') = coalesce(a.key, '')
		)
		SELECT (SELECT count(*) FROM sizes), ARRAY(SELECT p.key FROM page p ORDER BY p.no),
			ARRAY(SELECT p.size FROM page p ORDER BY p.no), ARRAY(SELECT p.ips FROM page p ORDER BY p.no), m.members,
			m.member_of
		FROM (SELECT array_agg(m.source_ip) AS members, array_agg(m.no) AS member_of FROM members m) m$q$,
		CASE WHEN api.has_addresses(p_group) THEN 'NULL::text' ELSE name END, api.cells(f, 'address'),
		CASE WHEN api.has_addresses(p_group) THEN name ELSE 'c.key' END)
	INTO page USING p_sort, p_size, place;
	RETURN page;
END
$$;

-- The cells of a page's keys, as FROM items c and m, where m.no is the number of the key that a cell belongs to. The
-- query's parameters are the page's keys, members and member_of.
CREATE FUNCTION api.page_cells(p_group text, page api.key_page, f api.filter_set, p_grain text) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	most constant integer := 5000; -- a longer list costs more than it saves
	nobody boolean := array_position(page.members, NULL) IS NOT NULL;
BEGIN
	IF NOT api.has_addresses(p_group) THEN
		RETURN format('%s JOIN unnest($1) WITH ORDINALITY AS m(key, no) ON coalesce(m.key, '''') = coalesce(%s, '''')',
			api.cells(f, p_grain),
			(api.group_column(p_group)).name);
	END IF;
	-- The addresses themselves in place of what the filter says of them. With a reporter only if they are few: the
	-- records of all reporters from these addresses are read.
	IF api.has_few_members(page) OR cardinality(page.members) <= most AND f.reporter IS NULL THEN
		f := api.without_addresses(f);
		f.source_ip := page.members;
		f.source := CASE WHEN nobody THEN '{none}'::text[] END;
	END IF;
	RETURN format('%s JOIN unnest($2, $3) AS m(source_ip, no) ON %s', api.cells(f, p_grain), CASE
		WHEN nobody THEN 'coalesce(m.source_ip, ''0.0.0.0/0'') = coalesce(c.source_ip, ''0.0.0.0/0'')'
		ELSE 'm.source_ip = c.source_ip' END);
END
$$;

-- Returns whether a page has few enough addresses for index lookups of its cells.
CREATE FUNCTION api.has_few_members(page api.key_page) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT cardinality(page.members) <= 1000 $$;

-- The tallies of a page's keys, in the order of the keys.
CREATE FUNCTION api.page_tallies(p_group text, page api.key_page, f api.filter_set) RETURNS SETOF api.tally
LANGUAGE plpgsql STABLE SET jit = off SET work_mem = '64MB' SET enable_sort = off SET enable_nestloop = on
AS $$
BEGIN
	PERFORM api.look_up_addresses(api.has_few_members(page));
	RETURN QUERY EXECUTE format('SELECT ($1)[t.no], t.messages, t.pass, t.dkim_aligned, t.spf_aligned,
		t.fail_overridden, t.fail_altered, t.fail_unaligned, t.fail_unauthenticated, t.class_unknown,
		t.disposition_none, t.quarantine, t.reject, t.disposition_pass, t.first_seen, t.last_seen
		FROM (SELECT m.no, %s FROM %s GROUP BY 1) t
		ORDER BY t.no', api.tally_columns(), api.page_cells(p_group, page, f, (api.group_column(p_group)).grain))
	USING page.keys, page.members, page.member_of;
END
$$;

-- A page of tallies: the first p_size + 1 after the place, and the total number of tallies. Groups of addresses have
-- many keys, so only those of the page are summed in full.
CREATE FUNCTION api.tally_page(p_group text, f api.filter_set, p_sort text, p_size integer, place api.rank,
	OUT total bigint, OUT page api.tally[])
LANGUAGE plpgsql STABLE SET jit = off SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
	keys api.key_page;
BEGIN
	IF api.has_addresses(p_group) THEN
		keys := api.key_page(p_group, f, p_sort, p_size, place);
		total := keys.total;
		page := (SELECT array_agg(t) FROM api.page_tallies(p_group, keys, f) t);
		RETURN;
	END IF;
	WITH t AS MATERIALIZED (
		SELECT t, api.order_key(t.key) AS key, api.tally_size(t, p_sort) AS size FROM api.tallies(p_group, f) t
	), ordered AS (
		SELECT t.* FROM t WHERE api.comes_after(t.size, t.key, place) ORDER BY t.size DESC, t.key COLLATE "C"
		LIMIT p_size + 1
	)
	SELECT (SELECT count(*) FROM t), array_agg(o.t ORDER BY o.size DESC, o.key COLLATE "C") INTO total, page
	FROM ordered o;
END
$$;

-- Tallies in their order, each as one value.
CREATE FUNCTION api.numbered(tallies api.tally[]) RETURNS TABLE (no bigint, tally api.tally)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT row_number() OVER (), t FROM unnest(tallies) t $$;

-- The cursor after a full page; NULL after the last page.
CREATE FUNCTION api.tally_next(list text, page api.tally[], p_sort text, p_size integer) RETURNS text
LANGUAGE sql STABLE
AS $$
	SELECT CASE WHEN cardinality(page) > p_size THEN
		api.cursor_make(list, jsonb_build_array(api.tally_size(page[p_size], p_sort),
			api.order_key(page[p_size].key))) END
$$;

-- A spark is a small chart of messages over a window. It has one value for each day, or for each calendar month if
-- the window is longer than 92 days.
CREATE FUNCTION api.spark_of_months(f api.filter_set) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT f.to_day - f.from_day > 92 $$;

-- The index of a day's value in a spark, from 0.
CREATE FUNCTION api.spark_step(f api.filter_set, day date) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE WHEN f.to_day - f.from_day <= 92 THEN day - f.from_day
		ELSE ((extract(year FROM day) - extract(year FROM f.from_day)) * 12 + extract(month FROM day) -
			extract(month FROM f.from_day))::integer END
$$;

-- The same for c.day, as a query's expression. It is computed for each of a million rows, so it compares dates and does
-- not take them apart.
CREATE FUNCTION api.spark_step_of(f api.filter_set) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN CASE WHEN api.spark_of_months(f)
		THEN format('width_bucket(c.day, %L::date[]) - 1', ARRAY(SELECT m::date FROM generate_series(
			date_trunc('month', f.from_day::timestamp), f.to_day - interval '1 day', interval '1 month') m))
		ELSE format('c.day - %L::date', f.from_day) END;
END
$$;

-- The index of the last value; -1 for an empty window.
CREATE FUNCTION api.last_step(f api.filter_set) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT api.spark_step(f, f.to_day - 1) $$;

-- The grain that the spark of a group needs.
CREATE FUNCTION api.spark_grain(p_group text, f api.filter_set) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE WHEN g.grain <> 'any' THEN CASE WHEN api.spark_of_months(f) THEN g.grain ELSE 'record' END
		WHEN api.spark_of_months(f) THEN 'month' ELSE 'day' END
	FROM api.group_column(p_group) g
$$;

-- A spark for each of p_keys.
CREATE FUNCTION api.sparks(p_group text, p_keys text[], f api.filter_set) RETURNS TABLE (key text, spark jsonb)
LANGUAGE plpgsql STABLE SET jit = off
AS $$
BEGIN
	IF p_keys IS NULL THEN
		RETURN;
	END IF;
	RETURN QUERY EXECUTE format($q$
		WITH sums AS (
			SELECT coalesce(%1$s, '') AS key, %2$s AS step, sum(c.messages) AS n FROM %3$s
			WHERE coalesce(%1$s, '') = ANY (ARRAY(SELECT coalesce(k, '') FROM unnest($1) k))
			GROUP BY 1, 2
		)
		SELECT k.key, jsonb_agg(coalesce(s.n, 0) ORDER BY g.step)
		FROM unnest($1) AS k(key)
		CROSS JOIN generate_series(0, $2) AS g(step)
		LEFT JOIN sums s ON s.key = coalesce(k.key, '') AND s.step = g.step
		GROUP BY k.key$q$, (api.group_column(p_group)).name, api.spark_step_of(f),
			api.cells(f, api.spark_grain(p_group, f)))
	USING p_keys, api.last_step(f);
END
$$;
