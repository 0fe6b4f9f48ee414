-- records.sql - records of aggregate reports, the newest report first.

-- Both lists are always present.
CREATE FUNCTION api.auth_results(value jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT '{"dkim": [], "spf": []}' || coalesce(api.display(value), '{}') $$;

-- The lists of records and reports walk along the reports of the window, the newest first, and read the records of
-- each until the page is full: a page costs the same in a month and in ten years. A filter that rarely matches would
-- make the walk long, so the sums say on which days of which domains it matches at all. If it matches few records of
-- certain addresses, these are read by the index on addresses instead, and sorted. This is decided for one span of
-- the window after another. The first span is a month long, so old months usually cost nothing.

-- A filter with another window.
CREATE FUNCTION api.filter_between(f api.filter_set, p_from date, p_to date) RETURNS api.filter_set
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
	f.from_day := p_from;
	f.to_day := p_to;
	RETURN f;
END
$$;

-- The filter for each span of its window that has reports and is not before the place, the newest first, each longer
-- than the one before.
CREATE FUNCTION api.spans(f api.filter_set, place api.place) RETURNS SETOF api.filter_set
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	-- not min() and max(): on a view they would read all reports
	first_day date := greatest(f.from_day, (SELECT r.day FROM api.any_report r ORDER BY r.day LIMIT 1));
	behind date := least(f.to_day, (SELECT r.day FROM api.any_report r ORDER BY r.day DESC LIMIT 1) + 1,
		(place.at AT TIME ZONE 'UTC')::date + 1);
	days integer := 31;
BEGIN
	WHILE first_day < behind LOOP
		RETURN NEXT api.filter_between(f, greatest(first_day, behind - days), behind);
		behind := behind - days;
		days := days * 4;
	END LOOP;
END
$$;

-- A filter without its conditions on addresses.
CREATE FUNCTION api.without_addresses(f api.filter_set) RETURNS api.filter_set
LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
	f.source := NULL;
	f.source_ip := NULL;
	f.ip := NULL;
	f.asn := NULL;
	f.country := NULL;
	f.rdns := NULL;
	f.label := NULL;
	RETURN f;
END
$$;

-- The same filter with a list of addresses instead of conditions on what is known about them, if the list is short
-- enough for index lookups.
CREATE FUNCTION api.by_address(f api.filter_set) RETURNS api.filter_set
LANGUAGE plpgsql STABLE SET jit = off
AS $$
DECLARE
	most constant integer := 1000;
	ips inet[];
	g api.filter_set := api.without_addresses(f);
BEGIN
	IF num_nonnulls(f.asn, f.country, f.rdns, f.label) = 0 OR 'none' = ANY (f.asn || f.country || f.rdns || f.label)
		THEN
		RETURN f;
	END IF;
	EXECUTE format('SELECT ARRAY(SELECT c.source_ip FROM dmarc.addresses c WHERE true%s LIMIT %s)',
		api.conditions_on_address(f), most + 1) INTO ips;
	IF cardinality(ips) > most THEN
		RETURN f;
	END IF;
	g.source_ip := ips;
	RETURN g;
END
$$;

-- Returns whether q finds nothing but addresses, if anything.
CREATE FUNCTION api.finds_addresses_only(f api.filter_set) RETURNS boolean
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	found constant api.found := api.found_by(f);
BEGIN
	RETURN f.q IS NOT NULL AND found.domains = '{}' AND found.reporters = '{}' AND found.evaluations = '{}';
END
$$;

-- Returns whether the filter has conditions on addresses and matches so few records that sorting them is faster than
-- a walk. Estimated from the sums of all months that the window touches, without the conditions that sums cannot
-- answer.
CREATE FUNCTION api.finds_few(f api.filter_set) RETURNS boolean
LANGUAGE plpgsql STABLE SET jit = off
AS $$
DECLARE
	most constant integer := 10000;
	few boolean;
BEGIN
	IF NOT (api.filters_addresses(f) OR api.finds_addresses_only(f)) THEN
		RETURN false;
	END IF;
	f.reporter := NULL;
	f.q := CASE WHEN (api.found_by(f)).summed THEN f.q END;
	EXECUTE format('SELECT coalesce(sum(n.records), 0) <= %s FROM (
			SELECT c.records FROM (
				SELECT m.*, coalesce(a.source, ''ip:'' || host(m.source_ip)) AS source, a.label, a.rdns, a.asn,
					a.country
				FROM %s m LEFT JOIN dmarc.addresses a ON a.source_ip = m.source_ip
			) c WHERE c.month >= %L AND c.month < %L%s LIMIT %s
		) n', most, (api.sums_of(f.from_day, f.to_day)).monthly, date_trunc('month', f.from_day::timestamp)::date,
		f.to_day, api.conditions(f), most + 1) INTO few;
	RETURN few;
END
$$;

-- A condition on the report r: its domain and day are among those where the sums have matches, addresses aside.
CREATE FUNCTION api.where_found(f api.filter_set) RETURNS text
LANGUAGE plpgsql STABLE SET jit = off
AS $$
DECLARE
	found constant api.found := api.found_by(f);
	keys bigint[];
BEGIN
	f.q := CASE WHEN found.summed AND NOT found.addresses THEN f.q END;
	IF num_nonnulls(f.class, f.result, f.dkim, f.spf, f.disposition, f.override, f.auth_domain, f.header_from, f.q) = 0
	THEN
		RETURN '';
	END IF;
	f := api.without_addresses(f);
	f.reporter := NULL;
	EXECUTE format('SELECT ARRAY(SELECT DISTINCT c.domain_id::bigint << 32 | c.day - date ''1970-01-01'' FROM %s c '
		'WHERE c.day >= %L AND c.day < %L%s)',
		(api.sums_of(f.from_day, f.to_day)).daily, f.from_day, f.to_day, api.conditions(f)) INTO keys;
	RETURN format(' AND (r.domain_id::bigint << 32 | r.day - date ''1970-01-01'') = ANY (%L::bigint[])', keys);
END
$$;

-- The keys of the reports that match a filter's conditions on reports, the newest first, starting with the report at
-- the place, as FROM item r; more is a condition on r. reports: the view of reports.
CREATE FUNCTION api.walk_of(f api.filter_set, place api.place, more text, reports text DEFAULT 'dmarc.reports')
RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	last_day date := (place.at AT TIME ZONE 'UTC')::date;
	ids integer[];
	words text := format('r.day >= %L AND r.day < %L', f.from_day, f.to_day);
BEGIN
	IF f.domain IS NOT NULL THEN
		ids := ARRAY(SELECT d.domain_id FROM dmarc.domains d WHERE d.domain = ANY (f.domain));
		-- an index gives its days in order
		words := words || CASE WHEN cardinality(ids) = 1 THEN format(' AND r.domain_id = %s', ids[1])
			ELSE format(' AND r.domain_id = ANY (%L::integer[])', ids) END;
	END IF;
	IF f.reporter IS NOT NULL THEN
		words := words || format(' AND r.org_name = ANY (%L::text[])', f.reporter);
	END IF;
	IF place.at IS NOT NULL THEN
		words := words
			|| format(' AND r.day <= %1$L AND (r.day, r.begin, r.id) <= (%1$L::date, %2$L::timestamptz, %3$s)',
				last_day, place.at, place.id);
	END IF;
	RETURN format('(SELECT r.domain_id, r.day, r.begin, r.id FROM %s r WHERE %s%s ORDER BY r.day DESC, '
		'r.begin DESC, r.id DESC) r', reports, words, more);
END
$$;

-- The records of report r that match a filter, as FROM item c. OFFSET forces a nested loop, which keeps the order of
-- r. records: the view of records.
CREATE FUNCTION api.records_of_r(f api.filter_set, more text, records text DEFAULT 'dmarc.records') RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN format('(SELECT c.* FROM %s c WHERE c.domain_id = r.domain_id AND c.day = r.day
		AND c.report = r.id
		AND c.month = date_trunc(''month'', r.day::timestamp)::date AND %s%s%s
			OFFSET 0) c', records, api.days_between(f.from_day, f.to_day), api.conditions(f), more);
END
$$;

-- The view that has the records of a report; NULL is any report that counts.
CREATE FUNCTION api.records_view(p_report bigint) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN CASE WHEN EXISTS (SELECT 1 FROM api.any_report r WHERE r.id = p_report AND r.exclusion IS NOT NULL)
		THEN 'api.excluded_records' ELSE 'dmarc.records' END;
END
$$;

-- A query for the records that match a filter (with p_report: of that report), after a place, in order; p_limit NULL
-- is all.
CREATE FUNCTION api.records_query(f api.filter_set, place api.place, p_report bigint, p_limit bigint) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	IF p_report IS NULL AND api.finds_few(f) THEN
		RETURN format('SELECT c.* FROM %s WHERE true%s ORDER BY c.day DESC, c.begin DESC, c.report DESC, c.record_no '
			'LIMIT %L', api.records_of(f),
			CASE WHEN place.at IS NOT NULL
				THEN format(' AND '
					'(c.begin < %1$L OR c.begin = %1$L AND '
						'(c.report < %2$s OR c.report = %2$s AND c.record_no > %3$s))',
					place.at, place.id, place.no) ELSE '' END, p_limit);
	END IF;
	RETURN format('SELECT c.* FROM %s CROSS JOIN LATERAL %s ORDER BY r.day DESC, r.begin DESC, r.id DESC, c.record_no '
		'LIMIT %L',
		api.walk_of(f, place, CASE WHEN p_report IS NULL THEN api.where_found(f)
			ELSE format(' AND r.id = %s', p_report) END, CASE WHEN p_report IS NULL THEN 'dmarc.reports'
				ELSE 'api.any_report' END),
		api.records_of_r(f, CASE WHEN place.at IS NOT NULL THEN
			format(' AND ((r.begin, r.id) <> (%L::timestamptz, %s) OR c.record_no > %s)', place.at, place.id, place.no)
				ELSE '' END, api.records_view(p_report)), p_limit);
END
$$;

-- The first p_limit of these records.
CREATE FUNCTION api.records_page(f api.filter_set, place api.place, p_report bigint, p_limit integer)
RETURNS dmarc.records[]
LANGUAGE plpgsql STABLE SET jit = off SET max_parallel_workers_per_gather = 0
AS $$
DECLARE
	span api.filter_set;
	page dmarc.records[] := '{}';
	more dmarc.records[];
BEGIN
	FOR span IN SELECT * FROM api.spans(api.by_address(f), place) LOOP
		EXECUTE format('SELECT array_agg(c::dmarc.records) FROM (%s) c',
			api.records_query(span, place, p_report, p_limit - cardinality(page))) INTO more;
		page := page || more;
		EXIT WHEN cardinality(page) >= p_limit;
	END LOOP;
	RETURN page;
END
$$;

-- One record as a list item.
CREATE FUNCTION api.record_item(r dmarc.records) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
BEGIN
	RETURN jsonb_build_object('report', r.report::text, 'record_no', r.record_no, 'domain', api.display(r.domain),
		'org_name', api.display(r.org_name), 'begin', api.iso(r."begin"), 'source_ip', host(r.source_ip),
		'source', api.display(r.source), 'source_name', (SELECT api.display(a.source_name) FROM dmarc.addresses a
			WHERE a.source_ip = r.source_ip), 'label', r.label,
		'rdns', api.display(r.rdns), 'count', r.count, 'disposition', api.display(r.disposition),
		'dkim', api.display(r.dkim), 'spf', api.display(r.spf), 'dmarc_pass', r.dmarc_pass, 'class', r.class,
		'reason', coalesce(api.display(r.reason), '[]'), 'header_from', api.display(r.header_from),
		'envelope_from', api.display(r.envelope_from), 'envelope_to', api.display(r.envelope_to),
		'auth_results', api.auth_results(r.auth_results), 'notes', coalesce(api.display(r.notes), '[]'));
END
$$;

-- The columns of records as CSV, as in api.csv_members().
CREATE FUNCTION api.record_members() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT 'report record_no domain org_name begin source_ip source source_name label rdns count disposition dkim spf '
		'dmarc_pass class reason header_from envelope_from envelope_to auth_results.dkim auth_results.spf notes'
$$;

-- The expression for the CSV line of a record v, which is made from the columns, without JSON. Texts are checked all
-- together (api.csv_plain()). Only a service, and what no name identifies, have a name that must be looked up.
CREATE FUNCTION api.record_line() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT $q$(SELECT concat(
		CASE WHEN api.csv_plain(concat('!', v.domain, '!', v.org_name, '!', v.source, '!', n.name, '!', v.label, '!',
				v.rdns, '!', v.disposition, '!', v.dkim, '!', v.spf, '!', v.class)) THEN
			concat(v.report, ',', v.record_no, ',', v.domain, ',', v.org_name, ',', api.iso(v.begin), ',',
				host(v.source_ip), ',', v.source, ',', n.name, ',', v.label, ',', v.rdns, ',', v.count, ',',
				v.disposition, ',', v.dkim, ',', v.spf, ',', v.dmarc_pass::text, ',', v.class)
		ELSE
			api.csv_cells(v.report::text, v.record_no::text, v.domain, v.org_name, api.iso(v.begin),
				host(v.source_ip), v.source, n.name, v.label, v.rdns, v.count::text, v.disposition, v.dkim, v.spf,
				v.dmarc_pass::text, v.class)
		END, ',', api.csv_shown(v.reason), ',',
		CASE WHEN api.csv_plain(concat('!', v.header_from, '!', v.envelope_from, '!', v.envelope_to)) THEN
			concat(v.header_from, ',', v.envelope_from, ',', v.envelope_to)
		ELSE api.csv_cells(v.header_from, v.envelope_from, v.envelope_to) END,
		',', api.csv_shown(v.auth_results -> 'dkim'), ',', api.csv_shown(v.auth_results -> 'spf'), ',',
		api.csv_shown(v.notes), E'\r\n')
	FROM (SELECT CASE WHEN v.source LIKE 'domain:%' THEN v.rdns_domain ELSE (
		SELECT a.source_name FROM dmarc.addresses a WHERE a.source_ip = v.source_ip) END AS name OFFSET 0) n)$q$
$$;

-- The filter for the records of one report, whatever its date, unless a window is given.
CREATE FUNCTION api.filter_of_report(f api.filter_set, p_report bigint) RETURNS api.filter_set
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	r record;
BEGIN
	IF p_report IS NOT NULL AND NOT f.dated THEN
		SELECT v.domain, v.day INTO r FROM api.any_report v WHERE v.id = p_report;
		f.domain := CASE WHEN f.named THEN f.domain ELSE ARRAY[r.domain] END;
		f.from_day := coalesce(r.day, f.from_day);
		f.to_day := coalesce(r.day + 1, f.to_day);
	END IF;
	RETURN f;
END
$$;

-- Records, the newest report first; with p_report those of one report, whatever its date.
CREATE FUNCTION api.records(f api.filter_set, p api.page_spec, p_report bigint DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SET jit = off
AS $$
DECLARE
	place api.place := api.place_of('records', p.cursor);
	page dmarc.records[];
BEGIN
	f := api.filter_of_report(f, p_report);
	page := api.records_page(f, place, p_report, p.size + 1);
	RETURN jsonb_build_object('window', api.window_json(f),
		'items', (SELECT coalesce(jsonb_agg(api.record_item(page[n]) ORDER BY n), '[]')
			FROM generate_series(1, least(cardinality(page), p.size)) AS n),
		'next', CASE WHEN cardinality(page) > p.size THEN
			api.place_make('records', page[p.size]."begin", page[p.size].report, page[p.size].record_no) END);
END
$$;

-- One record in the canonical form of a report, with its class and result.
CREATE FUNCTION api.record_json(r dmarc.records) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('record_no', r.record_no, 'class', r.class, 'dmarc_pass', r.dmarc_pass,
		'row', jsonb_build_object('source_ip', host(r.source_ip), 'count', r.count,
			'policy_evaluated', jsonb_build_object(
			'disposition', api.display(r.disposition), 'dkim', api.display(r.dkim), 'spf', api.display(r.spf),
			'reason', coalesce(api.display(r.reason), '[]'))),
		'identifiers', jsonb_build_object('header_from', api.display(r.header_from),
			'envelope_from', api.display(r.envelope_from), 'envelope_to', api.display(r.envelope_to)),
		'auth_results', api.auth_results(r.auth_results),
		'notes', coalesce(api.display(r.notes), '[]'))
$$;
