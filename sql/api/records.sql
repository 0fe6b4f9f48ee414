-- records.sql - records of aggregate reports.

-- Records and reports

-- Both lists are always there.
CREATE FUNCTION api.auth_results(value jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT '{"dkim": [], "spf": []}' || coalesce(api.display(value), '{}') $$;

-- One record as a list shows it.
CREATE FUNCTION api.record_item(r dmarc.records) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('report', r.report::text, 'record_no', r.record_no, 'domain', api.display(r.domain),
		'org_name', api.display(r.org_name), 'begin', api.iso(r.begin), 'source_ip', host(r.source_ip), 'source', api.display(r.source),
		'source_name', (SELECT api.display(a.source_name) FROM dmarc.addresses a WHERE a.source_ip = r.source_ip), 'label', r.label,
		'rdns', api.display(r.rdns), 'count', r.count, 'disposition', api.display(r.disposition), 'dkim', api.display(r.dkim),
		'spf', api.display(r.spf), 'dmarc_pass', r.dmarc_pass, 'class', r.class, 'reason', coalesce(api.display(r.reason), '[]'),
		'header_from', api.display(r.header_from), 'envelope_from', api.display(r.envelope_from),
		'envelope_to', api.display(r.envelope_to), 'auth_results', api.auth_results(r.auth_results),
		'notes', coalesce(api.display(r.notes), '[]'))
$$;

-- Records, the newest report first. With p_report, those of one report, whatever its date.
CREATE FUNCTION api.records(f api.filter_set, p api.page_spec, p_report bigint DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	place api.place := api.place_of('records', p.cursor);
	of_report dmarc.reports;
	answer jsonb;
BEGIN
	IF p_report IS NOT NULL AND NOT f.dated THEN
		SELECT * INTO of_report FROM dmarc.reports r WHERE r.id = p_report;
		f.domain := coalesce(f.domain, ARRAY[of_report.domain]);
		f.from_day := coalesce(of_report.day, f.from_day);
		f.to_day := coalesce(of_report.day + 1, f.to_day);
	END IF;
	WITH keys AS ( -- sort the keys alone; a whole row is wide
		SELECT r.domain, r.begin, r.report, r.record_no
		FROM api.matching(f) r
		WHERE (p_report IS NULL OR r.report = p_report)
			AND (place.at IS NULL OR r.begin <= place.at AND (r.begin < place.at OR r.report < place.id
				OR r.report = place.id AND r.record_no > place.no))
		ORDER BY r.begin DESC, r.report DESC, r.record_no
		LIMIT p.size + 1
	), page AS (
		SELECT k.*, row_number() OVER (ORDER BY k.begin DESC, k.report DESC, k.record_no) AS no FROM keys k
	)
	SELECT jsonb_build_object('window', api.window_json(f),
		'items', coalesce(jsonb_agg(api.record_item(v.row) ORDER BY g.no) FILTER (WHERE g.no <= p.size), '[]'),
		'next', CASE WHEN count(*) > p.size THEN
			max(api.place_make('records', g.begin, g.report, g.record_no)) FILTER (WHERE g.no = p.size) END)
	INTO answer
	FROM page g
	CROSS JOIN LATERAL (
		SELECT r AS row FROM dmarc.records r
		WHERE r.domain = g.domain AND r.begin = g.begin AND r.report = g.report AND r.record_no = g.record_no
		LIMIT 1
	) v;
	RETURN answer;
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
