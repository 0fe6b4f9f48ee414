-- parsedmarc.sql - the reports in parsedmarc's tables in PostgreSQL, as the JSON that ruad import reads:
--
--   psql -X -q -At -d DATABASE -f parsedmarc.sql > reports.json
--   ruad import reports.json
--
-- It only reads. Columns that older versions of parsedmarc do not have count as absent.
\set ON_ERROR_STOP on
\set FETCH_COUNT 100
BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;
\qecho [
SELECT json_build_object(
	'xml_schema', a.row -> 'xml_schema', 'xml_namespace', a.row -> 'xml_namespace',
	'report_metadata', json_build_object('org_name', a.row -> 'org_name', 'org_email', a.row -> 'org_email',
		'org_extra_contact_info', a.row -> 'org_extra_contact_info', 'report_id', a.row -> 'report_id',
		'generator', a.row -> 'generator', 'errors', a.row -> 'errors',
		'interval_begin', to_char(a.begin_date AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
		'interval_end', to_char(a.end_date AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')),
	'policy_published', json_build_object('domain', a.row -> 'domain', 'adkim', a.row -> 'adkim', 'aspf', a.row -> 'aspf',
		'p', a.row -> 'policy', 'sp', a.row -> 'subdomain_policy', 'np', a.row -> 'np', 'pct', a.row -> 'pct',
		'fo', a.row -> 'fo', 'testing', a.row -> 'testing', 'discovery_method', a.row -> 'discovery_method'),
	'records', coalesce((SELECT json_agg(json_build_object(
		'source', json_build_object('ip_address', host(r.source_ip_address)), 'count', r.message_count,
		'policy_evaluated', json_build_object('disposition', r.disposition, 'dkim', r.policy_dkim, 'spf', r.policy_spf,
			'policy_override_reasons', (SELECT coalesce(json_agg(json_build_object('type', o.override_type,
				'comment', o.comment) ORDER BY o.id), '[]')
				FROM dmarc_aggregate_record_policy_override o WHERE o.record_id = r.id)),
		'identifiers', json_build_object('header_from', r.header_from, 'envelope_from', r.envelope_from,
			'envelope_to', r.envelope_to),
		'auth_results', json_build_object(
			'dkim', (SELECT coalesce(json_agg(json_build_object('domain', d.domain, 'selector', d.selector,
				'result', d.result, 'human_result', d.human_result) ORDER BY d.id), '[]')
				FROM dmarc_aggregate_record_dkim d WHERE d.record_id = r.id),
			'spf', (SELECT coalesce(json_agg(json_build_object('domain', s.domain, 'scope', s.scope,
				'result', s.result, 'human_result', s.human_result) ORDER BY s.id), '[]')
				FROM dmarc_aggregate_record_spf s WHERE s.record_id = r.id)),
		'interval_begin', to_char(r.interval_begin AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
		'interval_end', to_char(r.interval_end AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')) ORDER BY r.id)
		FROM dmarc_aggregate_record r WHERE r.report_id = a.id), '[]'))::text || ','
FROM (SELECT x.id, x.begin_date, x.end_date, to_jsonb(x) AS row FROM dmarc_aggregate_report x) a ORDER BY a.id;

SELECT json_build_object('organization_name', t.organization_name, 'contact_info', t.contact_info,
	'report_id', t.report_id,
	'begin_date', to_char(t.begin_date AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
	'end_date', to_char(t.end_date AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
	'policies', coalesce((SELECT json_agg(json_build_object('policy_domain', p.policy_domain, 'policy_type', p.policy_type,
		'policy_strings', p.policy_strings, 'mx_host_patterns', p.mx_host_patterns,
		'successful_session_count', p.successful_session_count, 'failed_session_count', p.failed_session_count,
		'failure_details', (SELECT coalesce(json_agg(json_build_object('result_type', f.result_type,
			'failed_session_count', f.failed_session_count, 'sending_mta_ip', host(f.sending_mta_ip),
			'receiving_ip', host(f.receiving_ip), 'receiving_mx_hostname', f.receiving_mx_hostname,
			'receiving_mx_helo', f.receiving_mx_helo, 'additional_info_uri', f.additional_info_uri,
			'failure_reason_code', f.failure_reason_code) ORDER BY f.id), '[]')
			FROM smtp_tls_failure_detail f WHERE f.policy_id = p.id)) ORDER BY p.id)
		FROM smtp_tls_policy p WHERE p.report_id = t.id), '[]'))::text || ','
FROM smtp_tls_report t ORDER BY t.id;

SELECT json_build_object('feedback_type', f.feedback_type, 'user_agent', f.user_agent, 'version', f.version,
	'original_envelope_id', f.original_envelope_id, 'original_mail_from', f.original_mail_from,
	'original_rcpt_to', f.original_rcpt_to,
	'arrival_date', to_char(f.arrival_date AT TIME ZONE 'UTC', 'Dy, DD Mon YYYY HH24:MI:SS "+0000"'),
	'arrival_date_utc', f.arrival_date_utc, 'authentication_results', f.authentication_results,
	'delivery_result', f.delivery_result, 'auth_failure', f.auth_failure,
	'authentication_mechanisms', f.authentication_mechanisms, 'dkim_domain', f.dkim_domain,
	'reported_domain', f.reported_domain, 'source', json_build_object('ip_address', host(f.source_ip_address)),
	'sample', f.sample)::text || ','
FROM dmarc_failure_report f ORDER BY f.id;
\qecho null ]
COMMIT;
