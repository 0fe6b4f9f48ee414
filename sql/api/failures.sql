-- failures.sql - failure reports.

-- One failure report as a list item.
CREATE FUNCTION api.failure_item(r dmarc.failure_reports) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('id', r.id::text, 'kind', r.kind, 'domain', api.display(r.domain),
		'begin', api.iso(r.begin), 'received_at', api.iso(r.received_at), 'feedback_type', api.display(r.feedback_type),
		'auth_failure', api.display(r.auth_failure), 'source_ip', host(r.source_ip), 'incidents', r.incidents,
		'reporting_mta', api.display(r.reporting_mta), 'user_agent', api.display(r.user_agent),
		'header_from', api.display(r.header_from), 'original_mail_from', api.display(r.original_mail_from),
		'subject', api.display(r.subject), 'delivery_result', api.display(r.delivery_result),
		'notes_total', coalesce(jsonb_array_length(r.notes), 0), 'authentic', r.authentic)
$$;

-- A query for the failure reports that match a filter, after a place, the newest first; p_limit NULL is all. It sorts
-- the keys and then looks up the rest, so that sorting does not read headers and bodies.
CREATE FUNCTION api.failures_query(f api.filter_set, place api.place, p_kind text, p_limit bigint) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN format('SELECT v.* FROM (SELECT r.domain_id, r.day, r.begin, r.id FROM dmarc.failure_reports r '
		'WHERE r.day >= %L AND r.day < %L', f.from_day, f.to_day)
		|| CASE WHEN f.domain IS NOT NULL THEN format(CASE WHEN f.named THEN ' AND r.domain = ANY (%L::text[])'
			ELSE ' AND (r.domain = ANY (%L::text[]) OR r.domain IS NULL)' END, f.domain) ELSE '' END
		|| CASE WHEN f.ip IS NOT NULL THEN format(' AND r.source_ip <<= %L::inet', f.ip) ELSE '' END
		|| CASE WHEN p_kind IS NOT NULL THEN format(' AND r.kind = %L', p_kind) ELSE '' END
		|| CASE WHEN place.at IS NOT NULL THEN format(' AND (r.begin, r.id) < (%L::timestamptz, %s)',
			place.at, place.id) ELSE '' END
		|| format(' ORDER BY r.begin DESC, r.id DESC LIMIT %L) r CROSS JOIN LATERAL (
			SELECT v.* FROM dmarc.failure_reports v WHERE v.domain_id = r.domain_id AND v.day = r.day AND v.id = r.id
			LIMIT 1
		) v ORDER BY r.begin DESC, r.id DESC', p_limit);
END
$$;

-- Failure reports, the newest first.
CREATE FUNCTION api.failures(f api.filter_set, p api.page_spec, p_kind text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SET jit = off
AS $$
DECLARE
	place api.place := api.place_of('failures', p.cursor);
	page dmarc.failure_reports[];
BEGIN
	PERFORM api.check_choice('kind', ARRAY['failure', 'feedback'], p_kind);
	EXECUTE format('SELECT array_agg(v::dmarc.failure_reports) FROM (%s) v',
		api.failures_query(f, place, p_kind, p.size + 1)) INTO page;
	RETURN jsonb_build_object('window', api.window_json(f),
		'items', (SELECT coalesce(jsonb_agg(api.failure_item(page[n]) ORDER BY n), '[]')
			FROM generate_series(1, least(coalesce(cardinality(page), 0), p.size)) AS n),
		'next', CASE WHEN cardinality(page) > p.size THEN api.place_make('failures', page[p.size]."begin",
			page[p.size].id, 0) END);
END
$$;

-- A failure report in full; NULL if there is none.
CREATE FUNCTION api.failure(p_id bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (
		SELECT api.failure_item(r) || jsonb_build_object('version', api.display(r.version),
			'authentication_results', api.display(r.authentication_results),
			'identity_alignment', api.display(r.identity_alignment), 'original_envelope_id',
			api.display(r.original_envelope_id), 'original_rcpt_to', api.display(r.original_rcpt_to), 'arrival_date',
			api.display(r.arrival_date), 'arrival_time', api.iso(r.arrival_time), 'source_port', r.source_port,
			'reported_domain', api.display(r.reported_domain), 'reported_uri', api.display(r.reported_uri),
			'dkim_domain', api.display(r.dkim_domain), 'dkim_identity', api.display(r.dkim_identity),
			'dkim_selector', api.display(r.dkim_selector), 'dkim_selector_dns', api.display(r.dkim_selector_dns),
			'spf_dns', api.display(r.spf_dns), 'message_id', api.display(r.message_id), 'original_headers',
			api.display_lines(r.original_headers), 'original_body', api.display_lines(r.original_body),
			'notes', coalesce(api.display(r.notes), '[]'), 'sha256', encode(r.sha256, 'hex'),
			'mail', api.mail_json(r.mail))
		FROM dmarc.failure_reports r WHERE r.id = p_id);
END
$$;
