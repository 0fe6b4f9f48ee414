-- reports.sql - aggregate reports.

-- Whether a domain asked for its reports to come here, by the check of its DNS that is kept; NULL when that is not known.
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

-- One report as a list shows it.
CREATE FUNCTION api.report_item(r dmarc.reports) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('id', r.id::text, 'kind', 'aggregate', 'dialect', r.dialect, 'org_name', api.display(r.org_name),
		'email', api.display(r.email), 'report_id', api.display(r.report_id), 'domain', api.display(r.domain),
		'begin', api.iso(r.begin), 'end', api.iso(r."end"), 'p', api.display(r.p), 'records', r.records, 'messages', r.messages,
		'pass', r.pass, 'fail', r.messages - r.pass, 'received_at', api.iso(r.received_at),
		'notes_total', coalesce(jsonb_array_length(r.notes), 0), 'partial', r.partial, 'authentic', r.authentic,
		'solicited', api.solicited(r.domain))
$$;

-- Reports, the newest first. A report_id or a time of receipt looks at all dates, unless a window is given too.
CREATE FUNCTION api.reports(f api.filter_set, p api.page_spec, p_report_id text DEFAULT NULL, p_received_from date DEFAULT NULL,
	p_received_to date DEFAULT NULL)
RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	place api.place := api.place_of('reports', p.cursor);
	answer jsonb;
BEGIN
	PERFORM api.check_day('received_from', p_received_from), api.check_day('received_to', p_received_to);
	IF p_received_from > p_received_to THEN
		PERFORM api.refuse('received_from', format('"%s" is after "received_to", "%s"', p_received_from, p_received_to));
	ELSIF NOT f.dated AND num_nonnulls(p_report_id, p_received_from, p_received_to) > 0 THEN
		f.from_day := '1970-01-01';
		f.to_day := '9999-12-31';
	END IF;
	WITH page AS (
		SELECT r, r.begin, r.id, row_number() OVER (ORDER BY r.begin DESC, r.id DESC) AS no
		FROM api.matching_reports(f) r
		WHERE (p_report_id IS NULL OR r.report_id = p_report_id)
			AND (p_received_from IS NULL OR r.received_at >= api.at(p_received_from))
			AND (p_received_to IS NULL OR r.received_at < api.at(p_received_to))
			AND (place.at IS NULL OR r.begin <= place.at AND (r.begin < place.at OR r.id < place.id))
		ORDER BY no
		LIMIT p.size + 1
	)
	SELECT jsonb_build_object('window', api.window_json(f),
		'items', coalesce(jsonb_agg(api.report_item(g.r) ORDER BY g.no) FILTER (WHERE g.no <= p.size), '[]'),
		'next', CASE WHEN count(*) > p.size THEN max(api.place_make('reports', g.begin, g.id, 0)) FILTER (WHERE g.no = p.size) END)
	INTO answer FROM page g;
	RETURN answer;
END
$$;

-- A whole report; NULL when there is none. Of its records the first 500; next is the cursor that api.report_records() takes for the others.
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
		'partial', r.partial, 'authentic', r.authentic, 'records_total', r.records, 'messages', r.messages, 'pass', r.pass,
		'next', CASE WHEN r.records > shown THEN api.place_make('records', r."begin", r.id, shown) END,
		'sha256', encode(r.sha256, 'hex'), 'received_at', api.iso(r.received_at), 'mail', api.mail_json(r.mail));
END
$$;

-- The records of a report, in its order; NULL when there is no such report.
CREATE FUNCTION api.report_records(p_id bigint, f api.filter_set, p api.page_spec) RETURNS jsonb
LANGUAGE sql STABLE
AS $$ SELECT api.records(f, p, p_id) WHERE EXISTS (SELECT FROM dmarc.reports r WHERE r.id = p_id) $$;
