-- failures.sql - failure reports.

-- Failure reports

-- The failure reports that a filter leaves.
CREATE FUNCTION api.matching_failures(f api.filter_set) RETURNS SETOF dmarc.failure_reports
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT * FROM dmarc.failure_reports r
	WHERE r.begin >= api.at(f.from_day) AND r.begin < api.at(f.to_day)
		AND (f.domain IS NULL OR r.domain = ANY (f.domain))
		AND (f.ip IS NULL OR r.source_ip <<= f.ip)
$$;

-- One as a list shows it.
CREATE FUNCTION api.failure_item(r dmarc.failure_reports) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('id', r.id::text, 'kind', r.kind, 'domain', api.display(r.domain), 'begin', api.iso(r.begin),
		'received_at', api.iso(r.received_at), 'feedback_type', api.display(r.feedback_type), 'auth_failure', api.display(r.auth_failure),
		'source_ip', host(r.source_ip), 'incidents', r.incidents, 'reporting_mta', api.display(r.reporting_mta),
		'user_agent', api.display(r.user_agent), 'header_from', api.display(r.header_from),
		'original_mail_from', api.display(r.original_mail_from), 'subject', api.display(r.subject),
		'delivery_result', api.display(r.delivery_result), 'notes_total', coalesce(jsonb_array_length(r.notes), 0),
		'authentic', r.authentic)
$$;

-- Failure reports, the newest first. Their headers and bodies are not read for a list: keys are sorted, the rest is looked up.
CREATE FUNCTION api.failures(f api.filter_set, p api.page_spec, p_kind text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	place api.place := api.place_of('failures', p.cursor);
	page api.place[];
BEGIN
	PERFORM api.check_choice('kind', ARRAY['failure', 'feedback'], p_kind);
	page := ARRAY(
		SELECT ROW(r.begin, r.id, 0)::api.place FROM api.matching_failures(f) r
		WHERE (p_kind IS NULL OR r.kind = p_kind)
			AND (place.at IS NULL OR r.begin <= place.at AND (r.begin < place.at OR r.id < place.id))
		ORDER BY r.begin DESC, r.id DESC
		LIMIT p.size + 1);

	RETURN jsonb_build_object('window', api.window_json(f),
		'items', (SELECT coalesce(jsonb_agg(api.failure_item(r) ORDER BY k.ordinality), '[]')
			FROM unnest(page[:p.size]) WITH ORDINALITY k JOIN dmarc.failure_reports r ON r.id = k.id AND r.begin = k.at),
		'next', api.place_next('failures', page, p.size));
END
$$;

-- A whole failure report; NULL when there is none.
CREATE FUNCTION api.failure(p_id bigint) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
	SELECT api.failure_item(r) || jsonb_build_object('version', api.display(r.version),
		'authentication_results', api.display(r.authentication_results), 'identity_alignment', api.display(r.identity_alignment),
		'original_envelope_id', api.display(r.original_envelope_id), 'original_rcpt_to', api.display(r.original_rcpt_to),
		'arrival_date', api.display(r.arrival_date), 'arrival_time', api.iso(r.arrival_time), 'source_port', r.source_port,
		'reported_domain', api.display(r.reported_domain), 'reported_uri', api.display(r.reported_uri),
		'dkim_domain', api.display(r.dkim_domain), 'dkim_identity', api.display(r.dkim_identity),
		'dkim_selector', api.display(r.dkim_selector), 'dkim_selector_dns', api.display(r.dkim_selector_dns),
		'spf_dns', api.display(r.spf_dns), 'message_id', api.display(r.message_id),
		'original_headers', api.display_lines(r.original_headers), 'original_body', api.display_lines(r.original_body),
		'notes', coalesce(api.display(r.notes), '[]'), 'sha256', encode(r.sha256, 'hex'), 'mail', api.mail_json(r.mail))
	FROM dmarc.failure_reports r WHERE r.id = p_id
$$;
