-- csv.sql - lists as CSV.

-- CSV

-- The columns of a list: members of its items, in this order.
CREATE FUNCTION api.csv_members(p_list text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT replace(replace(CASE
		WHEN p_list = 'domains' THEN 'name parent kind policy.p policy.sp policy.np policy.testing policy.adkim policy.aspf policy.pct policy.fo '
			'policy.as_of policy.effective TALLY sources blockers sufficient solicited last_report_at spark'
		WHEN p_list = 'sources' THEN 'key name type name_basis source label forwarder TALLY domains domains_total ips_total first_seen last_seen new in_spf spark'
		WHEN p_list = 'source_ips' THEN 'source_ip rdns asn as_name country messages pass first_seen last_seen in_spf'
		WHEN p_list = 'source_identifiers' THEN 'header_from envelope_from spf dkim dkim_aligned spf_aligned messages pass last_seen'
		WHEN p_list = 'source_reporters' THEN 'org_name messages pass dkim_aligned spf_aligned DISPOSITIONS last_seen'
		WHEN p_list IN ('records', 'report_records') THEN 'report record_no domain org_name begin source_ip source source_name label rdns count '
			'disposition dkim spf dmarc_pass class reason header_from envelope_from envelope_to auth_results.dkim auth_results.spf notes'
		WHEN p_list = 'reports' THEN 'id kind dialect org_name email report_id domain begin end p records messages pass fail received_at '
			'notes_total partial authentic solicited'
		WHEN p_list = 'reporters' THEN 'org_name emails reports records messages pass domains days coverage lateness dialects notes_total notes '
			'first_report_at last_report_at'
		WHEN p_list = 'failures' THEN 'id kind domain begin received_at feedback_type auth_failure source_ip incidents reporting_mta user_agent '
			'header_from original_mail_from subject delivery_result notes_total authentic'
		WHEN p_list = 'tls_reports' THEN 'id organization_name report_id contact_info start_datetime end_datetime policy_domains policies '
			'successful failed received_at notes_total authentic'
		WHEN p_list = 'intake_events' THEN 'mail item_no received_at source name envelope_from size message_id subject header_from kind status '
			'code reason place report raw partial authentic'
		END,
		'TALLY', 'messages pass dkim_aligned spf_aligned dkim_only spf_only by_class.pass by_class.fail_overridden by_class.fail_altered '
			'by_class.fail_unaligned by_class.fail_unauthenticated by_class.unknown DISPOSITIONS'),
		'DISPOSITIONS', 'by_disposition.none by_disposition.quarantine by_disposition.reject by_disposition.pass by_disposition.unknown')
$$;

-- A text as RFC 4180 has it: in quotes where it holds a comma, a quote or a line end.
CREATE FUNCTION api.csv_quoted(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN translate(value, E'",\r\n', '') = value THEN value ELSE '"' || replace(value, '"', '""') || '"' END $$;

-- A text as a cell: what a spreadsheet would take for a formula has an apostrophe before it.
CREATE FUNCTION api.csv_text(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE WHEN ascii(value) IN (9, 13, 43, 45, 61, 64) THEN api.csv_quoted('''' || value) ELSE api.csv_quoted(value) END
$$;

-- The texts of an array, side by side.
CREATE FUNCTION api.csv_joined(value jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT string_agg(e.value, ' ' ORDER BY e.no) FROM jsonb_array_elements_text(value) WITH ORDINALITY AS e(value, no) $$;

-- A JSON value as a cell: scalars of an array are set side by side, what is deeper stays JSON. One expression, for the planner to put
-- in the caller's place: there are hundreds of thousands of cells.
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

-- The answer p_doc of a list (or of a time series: its points) as CSV by RFC 4180, and its cursor for the header Link.
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
		FROM jsonb_array_elements(p_doc -> CASE WHEN series THEN 'points' ELSE 'items' END) WITH ORDINALITY AS i(item, no)
	)
	SELECT string_agg(l.line, E'\r\n' ORDER BY l.no) || E'\r\n' INTO body FROM lines l;
END
$$;
