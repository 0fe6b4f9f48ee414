-- reports.sql - aggregate reports.

-- Returns whether a domain asked for its reports to be sent here, by the last check of its DNS; NULL if that is not
-- known.
CREATE FUNCTION api.solicited(p_domain text) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
BEGIN
	RETURN (SELECT (c.result -> 'solicited')::boolean FROM dmarc.dns_checks c WHERE c.domain = p_domain
		AND c.result -> 'solicited' <> 'null');
END
$$;

-- The delivery that brought a report.
CREATE FUNCTION api.mail_json(p_mail bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
BEGIN
	RETURN (
		SELECT jsonb_build_object('id', i.mail::text, 'received_at', api.iso(i.received_at), 'source', i.source,
			'name', api.display(i.name), 'envelope_from', api.display(i.envelope_from),
			'recipients', api.display(i.recipients), 'size', i.size, 'message_id', api.display(i.message_id),
			'subject', api.display(i.subject), 'header_from', api.display(i.header_from), 'authentic', i.authentic)
		FROM dmarc.intake i WHERE i.mail = p_mail LIMIT 1);
END
$$;

-- One report as a list item.
CREATE FUNCTION api.report_item(r api.any_report) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('id', r.id::text, 'kind', 'aggregate', 'dialect', r.dialect,
		'org_name', api.display(r.org_name), 'email', api.display(r.email), 'report_id', api.display(r.report_id),
		'domain', api.display(r.domain), 'begin', api.iso(r.begin), 'end', api.iso(r."end"), 'p', api.display(r.p),
		'records', r.records, 'messages', r.messages, 'pass', r.pass, 'fail', r.messages - r.pass,
		'received_at', api.iso(r.received_at), 'notes_total', coalesce(jsonb_array_length(r.notes), 0),
		'partial', r.partial, 'authentic', r.authentic, 'solicited', api.solicited(r.domain),
		'excluded', r.exclusion IS NOT NULL)
$$;

-- A query for the reports that match a filter, after a place, the newest first; more is a condition on report r.
-- p_limit NULL is all. Reports that were excluded are among them, unless the filter has conditions on records.
CREATE FUNCTION api.reports_query(f api.filter_set, place api.place, more text, p_limit bigint) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	keys text;
BEGIN
	IF place.at IS NOT NULL THEN
		more := more || format(' AND (r.begin, r.id) <> (%L::timestamptz, %s)', place.at, place.id);
	END IF;
	IF NOT f.by_record THEN
		keys := api.walk_of(f, place, more, 'api.any_report');
	ELSIF api.finds_few(f) THEN
		keys := api.walk_of(f, place, more || format(' AND r.id IN (SELECT c.report FROM %s)', api.records_of(f)));
	ELSE
		keys := api.walk_of(f, place, more || api.where_found(f))
			|| format(' CROSS JOIN LATERAL (SELECT 1 AS found FROM %s LIMIT 1) x', api.records_of_r(f, ''));
	END IF;
	RETURN format('SELECT v.* FROM %s CROSS JOIN LATERAL (
			SELECT v.* FROM api.any_report v WHERE v.domain_id = r.domain_id AND v.day = r.day AND v.id = r.id LIMIT 1
		) v ORDER BY r.day DESC, r.begin DESC, r.id DESC LIMIT %L', keys, p_limit);
END
$$;

-- The first p_limit of these reports.
CREATE FUNCTION api.reports_page(f api.filter_set, place api.place, more text, p_limit integer)
RETURNS api.any_report[]
LANGUAGE plpgsql STABLE SET jit = off SET max_parallel_workers_per_gather = 0
AS $$
DECLARE
	span api.filter_set;
	page api.any_report[] := '{}';
	next api.any_report[];
BEGIN
	FOR span IN SELECT * FROM api.spans(api.by_address(f), place) LOOP
		EXECUTE format('SELECT array_agg(v::api.any_report) FROM (%s) v',
			api.reports_query(span, place, more, p_limit - cardinality(page))) INTO next;
		page := page || next;
		EXIT WHEN cardinality(page) >= p_limit;
	END LOOP;
	RETURN page;
END
$$;

-- The conditions on a report r that have parameters of their own.
CREATE FUNCTION api.conditions_on_report(p_report_id text, p_received_from date, p_received_to date) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN CASE WHEN p_report_id IS NOT NULL THEN format(' AND r.report_id = %L', p_report_id) ELSE '' END
		|| CASE WHEN p_received_from IS NOT NULL THEN format(' AND r.received_at >= %L', api.at(p_received_from))
			ELSE '' END
		|| CASE WHEN p_received_to IS NOT NULL THEN format(' AND r.received_at < %L', api.at(p_received_to))
			ELSE '' END;
END
$$;

-- Check these parameters. With a report_id or a time of receipt all dates are searched unless a window is given, and
-- with a report_id others' domains, too.
CREATE FUNCTION api.filter_of_reports(f api.filter_set, p_report_id text, p_received_from date, p_received_to date)
RETURNS api.filter_set
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	PERFORM api.check_day('received_from', p_received_from), api.check_day('received_to', p_received_to);
	IF p_received_from > p_received_to THEN
		PERFORM api.refuse('received_from', format('"%s" is after "received_to", "%s"', p_received_from,
			p_received_to));
	ELSIF NOT f.dated AND num_nonnulls(p_report_id, p_received_from, p_received_to) > 0 THEN
		f.from_day := '1970-01-01';
		f.to_day := '9999-12-31';
	END IF;
	IF p_report_id IS NOT NULL AND NOT f.named THEN
		f.domain := NULL;
	END IF;
	RETURN f;
END
$$;

-- Reports, the newest first.
CREATE FUNCTION api.reports(f api.filter_set, p api.page_spec, p_report_id text DEFAULT NULL,
	p_received_from date DEFAULT NULL, p_received_to date DEFAULT NULL)
RETURNS jsonb
LANGUAGE plpgsql STABLE SET jit = off
AS $$
DECLARE
	place api.place := api.place_of('reports', p.cursor);
	page api.any_report[];
BEGIN
	f := api.filter_of_reports(f, p_report_id, p_received_from, p_received_to);
	page := api.reports_page(f, place, api.conditions_on_report(p_report_id, p_received_from, p_received_to),
		p.size + 1);
	RETURN jsonb_build_object('window', api.window_json(f),
		'items', (SELECT coalesce(jsonb_agg(api.report_item(page[n]) ORDER BY n), '[]')
			FROM generate_series(1, least(cardinality(page), p.size)) AS n),
		'next', CASE WHEN cardinality(page) > p.size THEN api.place_make('reports', page[p.size]."begin",
			page[p.size].id, 0) END);
END
$$;

-- The first p_shown records of a report.
CREATE FUNCTION api.records_listed(r api.any_report, p_shown integer) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	IF r.exclusion IS NOT NULL THEN
		RETURN (SELECT jsonb_agg(api.record_json(v::dmarc.records) ORDER BY v.record_no)
			FROM (SELECT * FROM api.excluded_records x WHERE x.domain_id = r.domain_id AND x.day = r.day
				AND x.month = date_trunc('month', r.day::timestamp)::date AND x.report = r.id
				AND x.record_no <= p_shown) v);
	END IF;
	RETURN (SELECT jsonb_agg(api.record_json(v) ORDER BY v.record_no) FROM dmarc.records v
		WHERE v.domain_id = r.domain_id AND v.day = r.day AND v.month = date_trunc('month', r.day::timestamp)::date
			AND v.report = r.id AND v.record_no <= p_shown);
END
$$;

-- Who excluded a report, when and why; NULL if nobody did.
CREATE FUNCTION api.exclusion_json(r api.any_report) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (SELECT jsonb_build_object('set_at', api.iso(l.set_at), 'set_by', api.display(l.set_by),
		'reason', api.display(l.reason)) FROM dmarc.excluded_reports l
		WHERE l.domain_id = r.domain_id AND l.day = r.day AND l.id = r.id);
END
$$;

-- A report in full, with its first 500 records; NULL if there is none. next is the cursor for api.report_records().
CREATE FUNCTION api.report(p_id bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	shown constant integer := 500;
	r api.any_report;
	repeats jsonb;
	listed jsonb;
BEGIN
	SELECT * INTO r FROM api.any_report v WHERE v.id = p_id;
	IF r.id IS NULL THEN
		RETURN NULL;
	END IF;
	SELECT jsonb_build_object('duplicates', count(*) FILTER (WHERE i.status = 'duplicate'),
		'conflicts', count(*) FILTER (WHERE i.status = 'conflict'),
		'status', CASE WHEN bool_or(i.status = 'conflict') THEN 'conflict' ELSE 'stored' END)
	INTO repeats FROM dmarc.intake i WHERE i.report = p_id AND i.status IN ('duplicate', 'conflict');
	listed := api.records_listed(r, shown);

	RETURN repeats || jsonb_build_object('id', r.id::text, 'kind', 'aggregate', 'dialect', r.dialect,
		'version', api.display(r.version), 'xmlns', api.display(r.xmlns),
		'report_metadata', jsonb_build_object('org_name', api.display(r.org_name), 'email', api.display(r.email),
			'extra_contact_info', api.display(r.extra_contact_info), 'report_id', api.display(r.report_id),
			'date_range', jsonb_build_object('begin', api.iso(r."begin"), 'end', api.iso(r."end")),
			'error', coalesce(api.display(r.error), '[]'), 'generator', api.display(r.generator)),
		'policy_published', api.display(jsonb_build_object('domain', r.domain, 'adkim', r.adkim, 'aspf', r.aspf,
			'p', r.p, 'sp', r.sp, 'np', r.np, 'pct', r.pct, 'fo', r.fo, 'testing', r.testing,
			'discovery_method', r.discovery_method)),
		'record', coalesce(listed, '[]'), 'notes', coalesce(api.display(r.notes), '[]'),
		'partial', r.partial, 'authentic', r.authentic, 'excluded', r.exclusion IS NOT NULL,
		'exclusion', api.exclusion_json(r), 'records_total', r.records, 'messages', r.messages,
		'pass', r.pass, 'next', CASE WHEN r.records > shown THEN api.place_make('records', r."begin", r.id, shown) END,
		'sha256', encode(r.sha256, 'hex'), 'received_at', api.iso(r.received_at), 'mail', api.mail_json(r.mail));
END
$$;

-- The records of a report, in its order; NULL if there is no such report.
CREATE FUNCTION api.report_records(p_id bigint, f api.filter_set, p api.page_spec) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	IF EXISTS (SELECT 1 FROM api.any_report r WHERE r.id = p_id) THEN
		RETURN api.records(f, p, p_id);
	END IF;
	RETURN NULL;
END
$$;
