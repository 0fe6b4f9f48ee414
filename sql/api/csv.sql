-- csv.sql - lists as CSV.
--
-- Lists of sums are one document, made from their JSON by api.csv(). Lists of received data may have millions of
-- rows: the functions api.…_csv() return the header line and open the cursor csv, whose rows are the other lines. A
-- page without a size has all rows.

-- The columns of a list: members of its items, in this order.
CREATE FUNCTION api.csv_members(p_list text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT replace(replace(CASE
		WHEN p_list = 'domains'
			THEN 'name parent kind policy.p policy.sp policy.np policy.testing policy.adkim policy.aspf policy.pct '
				'policy.fo '
			'policy.as_of policy.effective TALLY sources blockers sufficient solicited last_report_at spark'
		WHEN p_list = 'sources'
			THEN 'key name type name_basis source label forwarder TALLY domains domains_total ips_total first_seen '
				'last_seen new in_spf spark whose whose_reason whose_facts.name whose_facts.rdns whose_facts.domain '
			'whose_facts.messages whose_facts.pass whose_facts.dkim_aligned whose_facts.spf_aligned '
			'whose_facts.addresses whose_facts.days'
		WHEN p_list = 'source_ips' THEN 'source_ip rdns asn as_name country messages pass first_seen last_seen in_spf'
		WHEN p_list = 'source_identifiers'
			THEN 'header_from envelope_from spf dkim dkim_aligned spf_aligned messages pass last_seen'
		WHEN p_list = 'source_reporters' THEN 'org_name messages pass dkim_aligned spf_aligned DISPOSITIONS last_seen'
		WHEN p_list IN ('records', 'report_records') THEN api.record_members()
		WHEN p_list = 'reports'
			THEN 'id kind dialect org_name email report_id domain begin end p records messages pass fail received_at '
			'notes_total partial authentic solicited excluded'
		WHEN p_list = 'reporters' THEN 'org_name emails reports records messages pass domains days coverage lateness '
			'dialects notes_total notes '
			'first_report_at last_report_at'
		WHEN p_list = 'failures' THEN 'id kind domain begin received_at feedback_type auth_failure source_ip incidents '
			'reporting_mta user_agent '
			'header_from original_mail_from subject delivery_result notes_total authentic'
		WHEN p_list = 'tls_reports'
			THEN 'id organization_name report_id contact_info start_datetime end_datetime policy_domains policies '
			'successful failed received_at notes_total authentic'
		WHEN p_list = 'intake_events'
			THEN 'mail item_no received_at source name envelope_from size message_id subject header_from kind status '
			'code reason place report raw partial authentic'
		WHEN p_list = 'labels' THEN 'id source name label note set_by set_via token set_at'
		WHEN p_list = 'audit' THEN 'at user_name via token client action object detail'
		END,
		'TALLY', 'messages pass dkim_aligned spf_aligned dkim_only spf_only by_class.pass by_class.fail_overridden '
			'by_class.fail_altered '
			'by_class.fail_unaligned by_class.fail_unauthenticated by_class.unknown DISPOSITIONS'),
		'DISPOSITIONS', 'by_disposition.none by_disposition.quarantine by_disposition.reject by_disposition.pass '
			'by_disposition.unknown')
$$;

-- A text quoted as RFC 4180 requires: in quotes if it contains a comma, a quote or a line end.
CREATE FUNCTION api.csv_quoted(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN translate(value, E'",\r\n', '') = value THEN value ELSE '"' || replace(value, '"', '""')
	|| '"' END $$;

-- A text as a cell: an apostrophe is put before a text that a spreadsheet would read as a formula, and characters
-- that a reader would not see are escaped. Most texts are ASCII, which has one byte per character.
CREATE FUNCTION api.csv_text(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE WHEN octet_length(value) > length(value) THEN
			api.csv_quoted(CASE WHEN ascii(value) IN (9, 13, 43, 45, 61, 64) THEN '''' ELSE '' END
				|| api.visible(value))
		WHEN ascii(value) IN (9, 13, 43, 45, 61, 64) THEN api.csv_quoted('''' || value)
		ELSE api.csv_quoted(value) END
$$;

-- Returns whether texts are all cells as they stand, as nearly always. Each begins after a '!'.
CREATE FUNCTION api.csv_plain(texts text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT texts !~ '[^ !#-+\u002d-~]|![-+=@]' $$;

-- The texts of an array, separated by spaces.
CREATE FUNCTION api.csv_joined(value jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT string_agg(e.value, ' ' ORDER BY e.no)
	FROM jsonb_array_elements_text(value) WITH ORDINALITY AS e(value, no) $$;

-- A JSON value as a cell. Scalars of an array are separated by spaces; nested values stay JSON. One expression, so
-- that the planner can inline it: there are hundreds of thousands of cells.
CREATE FUNCTION api.csv_cell(value jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE jsonb_typeof(value)
		WHEN 'string' THEN api.csv_text(value #>> '{}')
		WHEN 'number' THEN value::text
		WHEN 'boolean' THEN value::text
		WHEN 'object' THEN api.csv_text(value::text)
		WHEN 'array' THEN CASE jsonb_typeof(value -> 0)
			WHEN 'number' THEN translate(value::text, '[],', '')
			WHEN 'string' THEN api.csv_text(api.csv_joined(value))
			WHEN 'object' THEN api.csv_text(value::text)
			ELSE '' END
		ELSE '' END
$$;

-- The document p_doc of a list (or of a time series: its points) as CSV (RFC 4180), and its cursor for the header
-- Link.
CREATE FUNCTION api.csv(p_list text, p_doc jsonb, OUT body text, OUT next text)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	series boolean := p_list IN ('timeseries', 'tls_timeseries');
BEGIN
	IF NOT series AND api.csv_members(p_list) IS NULL THEN
		RAISE EXCEPTION 'no list "%"', p_list;
	END IF;
	next := p_doc ->> 'next';
	WITH columns AS MATERIALIZED (
		SELECT replace(m.member, '.', '_') AS name, string_to_array(m.member, '.') AS path
		FROM string_to_table(CASE WHEN series THEN 't complete' ELSE api.csv_members(p_list) END, ' ') AS m(member)
		UNION ALL
		SELECT 'v_' || k.key, ARRAY['v', k.key] FROM jsonb_array_elements_text(p_doc -> 'keys') AS k(key) WHERE series
	), lines AS (
		SELECT 0 AS no, array_to_string(ARRAY(SELECT api.csv_text(c.name) FROM columns c), ',') AS line
		UNION ALL
		SELECT i.no, array_to_string(ARRAY(
			SELECT api.csv_cell(v.value) FROM (SELECT i.item #> c.path AS value FROM columns c OFFSET 0) v), ',')
		FROM jsonb_array_elements(p_doc -> CASE WHEN series THEN 'points' ELSE 'items' END) WITH ORDINALITY AS i(item,
			no)
	)
	SELECT string_agg(l.line, E'\r\n' ORDER BY l.no) || E'\r\n' INTO body FROM lines l;
END
$$;

-- Streams

-- Texts as cells for display. One regular expression checks all of them at once: usually each is plain ASCII, and the
-- only line ends are those between them.
CREATE FUNCTION api.csv_cells(VARIADIC cells text[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
	IF (E'\n' || array_to_string(cells, E'\n', '')) ~ ('^(?:\n(?:[ !#-*.-<>?A-~][ !#-+\u002d-~]*)?){'
		|| cardinality(cells) || '}$') THEN
		RETURN array_to_string(cells, ',', '');
	END IF;
	RETURN array_to_string(ARRAY(SELECT api.csv_text(api.display(c.cell))
		FROM unnest(cells) WITH ORDINALITY AS c(cell, no) ORDER BY c.no), ',', '');
END
$$;

-- The cell that csv_cell() makes of a JSON value for display. Most are arrays of objects in printable ASCII, which
-- need no walk.
CREATE FUNCTION api.csv_shown(value jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE WHEN value IS NULL THEN ''
		WHEN jsonb_typeof(value -> 0) = 'object' AND value::text ~ '^[ -\[\]-~]*"[ -\[\]-~]*$' THEN '"'
			|| replace(value::text, '"', '""') || '"'
		ELSE api.csv_cell(api.display(value)) END
$$;

-- The CSV line of a list's item.
CREATE FUNCTION api.csv_line(p_list text, item jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
	RETURN array_to_string(ARRAY(
		SELECT api.csv_cell(v.value) FROM (
			SELECT item #> string_to_array(m.member, '.') AS value
			FROM string_to_table(api.csv_members(p_list), ' ') AS m(member) OFFSET 0) v), ',')
		|| E'\r\n';
END
$$;

-- Open the cursor csv for the lines of a query's rows v, and return the header line. p_line and p_place are
-- expressions for the line and the api.place of v. If p_size is given, the query returns one row more than that if
-- there is one, and next is the cursor after the page.
CREATE FUNCTION api.csv_open(p_list text, p_cursors text, p_line text, p_place text, p_query text, p_size integer,
	OUT head text, OUT next text)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	lines refcursor := 'csv';
	places api.place[];
BEGIN
	head := replace(translate(api.csv_members(p_list), '.', '_'), ' ', ',') || E'\r\n';
	IF p_size IS NOT NULL THEN
		EXECUTE format('SELECT array_agg(x.place) FROM (SELECT %s AS place FROM (%s) v OFFSET %s) x', p_place, p_query,
			p_size - 1) INTO places;
		next := api.place_next(p_cursors, places, 1);
	END IF;
	OPEN lines NO SCROLL FOR EXECUTE format('SELECT %s FROM (%s) v LIMIT %L', p_line, p_query, p_size);
END
$$;

-- Records as a stream.
CREATE FUNCTION api.records_csv(f api.filter_set, p api.page_spec, p_report bigint DEFAULT NULL,
	OUT head text, OUT next text)
LANGUAGE plpgsql STABLE SET jit = off SET max_parallel_workers_per_gather = 0
AS $$
DECLARE
	place api.place := api.place_of('records', p.cursor);
BEGIN
	f := api.by_address(api.filter_of_report(f, p_report));
	SELECT * INTO head, next FROM api.csv_open('records', 'records', api.record_line(),
		'ROW(v.begin, v.report, v.record_no)::api.place', api.records_query(f, place, p_report, p.size + 1), p.size) o;
END
$$;

-- The records of a report as a stream; head is NULL if there is no such report.
CREATE FUNCTION api.report_records_csv(p_id bigint, f api.filter_set, p api.page_spec, OUT head text, OUT next text)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	IF EXISTS (SELECT 1 FROM api.any_report r WHERE r.id = p_id) THEN
		SELECT * INTO head, next FROM api.records_csv(f, p, p_id) o;
	END IF;
END
$$;

-- Reports as a stream, also made from the columns.
CREATE FUNCTION api.reports_csv(f api.filter_set, p api.page_spec, p_report_id text DEFAULT NULL,
	p_received_from date DEFAULT NULL, p_received_to date DEFAULT NULL, OUT head text, OUT next text)
LANGUAGE plpgsql STABLE SET jit = off SET max_parallel_workers_per_gather = 0
AS $$
DECLARE
	place api.place := api.place_of('reports', p.cursor);
BEGIN
	f := api.by_address(api.filter_of_reports(f, p_report_id, p_received_from, p_received_to));
	SELECT * INTO head, next FROM api.csv_open('reports', 'reports', $q$concat(
		api.csv_cells(v.id::text, 'aggregate', v.dialect, v.org_name, v.email, v.report_id, v.domain, api.iso(v.begin),
			api.iso(v."end"), v.p), ',',
		v.records, ',', v.messages, ',', v.pass, ',', v.messages - v.pass, ',', api.iso(v.received_at), ',',
		coalesce(jsonb_array_length(v.notes), 0), ',', v.partial::text, ',', v.authentic, ',',
		api.solicited(v.domain)::text, ',', (v.exclusion IS NOT NULL)::text,
		E'\r\n')$q$, 'ROW(v.begin, v.id, 0)::api.place', api.reports_query(f, place,
			api.conditions_on_report(p_report_id, p_received_from, p_received_to), p.size + 1), p.size) o;
END
$$;

-- Lists with fewer rows, made from their JSON.
CREATE FUNCTION api.failures_csv(f api.filter_set, p api.page_spec, p_kind text DEFAULT NULL,
	OUT head text, OUT next text)
LANGUAGE plpgsql STABLE SET jit = off
AS $$
DECLARE
	place api.place := api.place_of('failures', p.cursor);
BEGIN
	PERFORM api.check_choice('kind', ARRAY['failure', 'feedback'], p_kind);
	SELECT * INTO head, next
	FROM api.csv_open('failures', 'failures', 'api.csv_line(''failures'', api.failure_item(v::dmarc.failure_reports))',
		'ROW(v.begin, v.id, 0)::api.place', api.failures_query(f, place, p_kind, p.size + 1), p.size) o;
END
$$;

CREATE FUNCTION api.tls_reports_csv(f api.filter_set, p api.page_spec, p_policy_type text[] DEFAULT NULL,
	p_result text DEFAULT NULL, OUT head text, OUT next text)
LANGUAGE plpgsql STABLE SET jit = off
AS $$
DECLARE
	place api.place := api.place_of('tls_reports', p.cursor);
BEGIN
	PERFORM api.check_choice('result', ARRAY['pass', 'fail'], p_result);
	SELECT * INTO head, next
	FROM api.csv_open('tls_reports', 'tls_reports',
		'api.csv_line(''tls_reports'', api.tls_report_item(v::dmarc.tls_reports))',
		'ROW(v.start_datetime, v.id, 0)::api.place',
		api.tls_reports_query(f, place, p_policy_type, p_result, p.size + 1), p.size) o;
END
$$;

CREATE FUNCTION api.intake_events_csv(f api.filter_set, p api.page_spec, p_status text[] DEFAULT NULL,
	p_kind text[] DEFAULT NULL, p_code text[] DEFAULT NULL, p_report bigint DEFAULT NULL, OUT head text, OUT next text)
LANGUAGE plpgsql STABLE SET jit = off
AS $$
DECLARE
	place api.place := api.place_of('intake', p.cursor);
BEGIN
	f := api.filter_of_intake(f, p_status, p_kind, p_report);
	SELECT * INTO head, next
	FROM api.csv_open('intake_events', 'intake', 'api.csv_line(''intake_events'', api.intake_item(v::dmarc.intake))',
		'ROW(v.received_at, v.mail, v.item_no)::api.place',
		api.intake_query(f, place, p_status, p_kind, p_code, p_report, p.size + 1),
		p.size) o;
END
$$;
