-- tls.sql - views of SMTP TLS reports.

CREATE OR REPLACE VIEW dmarc.tls_reports WITH (security_invoker = true) AS
SELECT t.id, o.org_name AS organization_name, t.contact_info, t.report_id, t.begin AS start_datetime,
	t."end" AS end_datetime, t.day, t.policies, t.total_successful_session_count, t.total_failure_session_count,
	t.notes, t.sha256, t.mail, t.received_at, t.authentic, t.domain_id
FROM ruad.tls t
LEFT JOIN ruad.reporter o ON o.id = t.reporter_id;
COMMENT ON VIEW dmarc.tls_reports IS
	'One row per SMTP TLS report (RFC 8460). Sum session counts here or in dmarc.tls_policies, never in a join of '
		'both.';
COMMENT ON COLUMN dmarc.tls_reports.id IS
	'Number of the report in this database, unique among reports of all kinds; dmarc.tls_policies.report names it';
COMMENT ON COLUMN dmarc.tls_reports.organization_name IS 'organization-name: the reporter, as written';
COMMENT ON COLUMN dmarc.tls_reports.contact_info IS 'contact-info';
COMMENT ON COLUMN dmarc.tls_reports.report_id IS
	'report-id: the reporter''s own identifier; not unique across reporters';
COMMENT ON COLUMN dmarc.tls_reports.start_datetime IS 'date-range/start-datetime';
COMMENT ON COLUMN dmarc.tls_reports.end_datetime IS 'date-range/end-datetime';
COMMENT ON COLUMN dmarc.tls_reports.day IS 'The UTC day of start_datetime';
COMMENT ON COLUMN dmarc.tls_reports.policies IS 'How many policies it reports on';
COMMENT ON COLUMN dmarc.tls_reports.total_successful_session_count IS
	'Sessions that succeeded, summed over its policies';
COMMENT ON COLUMN dmarc.tls_reports.total_failure_session_count IS 'Sessions that failed, summed over its policies';
COMMENT ON COLUMN dmarc.tls_reports.notes IS
	'ruad''s findings about format: array of {code, path, raw}; NULL if there are none';
COMMENT ON COLUMN dmarc.tls_reports.sha256 IS 'SHA-256 of the unpacked JSON';
COMMENT ON COLUMN dmarc.tls_reports.mail IS 'Number of the delivery that contained it, see dmarc.intake';
COMMENT ON COLUMN dmarc.tls_reports.received_at IS 'When that delivery was received';
COMMENT ON COLUMN dmarc.tls_reports.authentic IS
	'Verdict of the local MTA on the mail that contained it: pass (an authenticated domain is aligned with its From), '
		'fail or none';
COMMENT ON COLUMN dmarc.tls_reports.domain_id IS
	'Number of the first of its policy domains, see dmarc.domains; 0 is none';

CREATE OR REPLACE VIEW dmarc.tls_policies WITH (security_invoker = true) AS
SELECT p.report, p.policy_no, d.name AS policy_domain, o.org_name AS organization_name, p.begin AS start_datetime,
	p.day, p.policy_type, p.policy_string, p.mx_host, p.total_successful_session_count,
	p.total_failure_session_count, p.failure_details, p.domain_id
FROM ruad.tls_policy p
LEFT JOIN ruad.domain d ON d.id = p.domain_id
LEFT JOIN ruad.reporter o ON o.id = p.reporter_id;
COMMENT ON VIEW dmarc.tls_policies IS 'One row per policy of a TLS report.';
COMMENT ON COLUMN dmarc.tls_policies.report IS 'Number of its report, see dmarc.tls_reports.id';
COMMENT ON COLUMN dmarc.tls_policies.policy_no IS 'Place in the report, from 1';
COMMENT ON COLUMN dmarc.tls_policies.policy_domain IS 'policy-domain; NULL when it is absent';
COMMENT ON COLUMN dmarc.tls_policies.organization_name IS 'organization-name of its report';
COMMENT ON COLUMN dmarc.tls_policies.start_datetime IS 'date-range/start-datetime of its report';
COMMENT ON COLUMN dmarc.tls_policies.day IS 'The UTC day of start_datetime';
COMMENT ON COLUMN dmarc.tls_policies.policy_type IS 'policy-type: tlsa, sts, no-policy-found, ...';
COMMENT ON COLUMN dmarc.tls_policies.policy_string IS 'policy-string: array of texts';
COMMENT ON COLUMN dmarc.tls_policies.mx_host IS 'mx-host: array of texts';
COMMENT ON COLUMN dmarc.tls_policies.total_successful_session_count IS
	'summary/total-successful-session-count; NULL when it could not be read';
COMMENT ON COLUMN dmarc.tls_policies.total_failure_session_count IS
	'summary/total-failure-session-count; NULL when it could not be read';
COMMENT ON COLUMN dmarc.tls_policies.failure_details IS 'failure-details: array of objects, see dmarc.tls_failures';
COMMENT ON COLUMN dmarc.tls_policies.domain_id IS 'Number of policy_domain, see dmarc.domains; 0 is none';

CREATE OR REPLACE VIEW dmarc.tls_failures WITH (security_invoker = true) AS
SELECT p.report, p.policy_no, f.no::integer AS failure_no, d.name AS policy_domain, o.org_name AS organization_name,
	p.begin AS start_datetime, p.day, p.policy_type, f.value ->> 'result_type' AS result_type,
	(f.value ->> 'sending_mta_ip')::inet AS sending_mta_ip,
	f.value ->> 'receiving_mx_hostname' AS receiving_mx_hostname, f.value ->> 'receiving_mx_helo' AS receiving_mx_helo,
	(f.value ->> 'receiving_ip')::inet AS receiving_ip,
	(f.value ->> 'failed_session_count')::bigint AS failed_session_count,
	f.value ->> 'additional_information' AS additional_information,
	f.value ->> 'failure_reason_code' AS failure_reason_code, p.domain_id
FROM ruad.tls_policy p
LEFT JOIN ruad.domain d ON d.id = p.domain_id
LEFT JOIN ruad.reporter o ON o.id = p.reporter_id
CROSS JOIN LATERAL jsonb_array_elements(p.failure_details) WITH ORDINALITY AS f(value, no);
COMMENT ON VIEW dmarc.tls_failures IS
	'One row per entry of a policy''s failure-details. Entries overlap, so the sum of failed_session_count is not a '
		'number of sessions: use total_failure_session_count of dmarc.tls_policies.';
COMMENT ON COLUMN dmarc.tls_failures.report IS 'Number of the report, see dmarc.tls_reports.id';
COMMENT ON COLUMN dmarc.tls_failures.policy_no IS 'Place of the policy in the report, from 1';
COMMENT ON COLUMN dmarc.tls_failures.failure_no IS 'Place of the entry in the policy, from 1';
COMMENT ON COLUMN dmarc.tls_failures.policy_domain IS 'policy-domain of its policy';
COMMENT ON COLUMN dmarc.tls_failures.organization_name IS 'organization-name of its report';
COMMENT ON COLUMN dmarc.tls_failures.start_datetime IS 'date-range/start-datetime of its report';
COMMENT ON COLUMN dmarc.tls_failures.day IS 'The UTC day of start_datetime';
COMMENT ON COLUMN dmarc.tls_failures.policy_type IS 'policy-type of its policy';
COMMENT ON COLUMN dmarc.tls_failures.result_type IS 'result-type: certificate-expired, starttls-not-supported, ...';
COMMENT ON COLUMN dmarc.tls_failures.sending_mta_ip IS 'sending-mta-ip; NULL when it could not be read';
COMMENT ON COLUMN dmarc.tls_failures.receiving_mx_hostname IS 'receiving-mx-hostname';
COMMENT ON COLUMN dmarc.tls_failures.receiving_mx_helo IS 'receiving-mx-helo';
COMMENT ON COLUMN dmarc.tls_failures.receiving_ip IS 'receiving-ip; NULL when it could not be read';
COMMENT ON COLUMN dmarc.tls_failures.failed_session_count IS 'failed-session-count; NULL when it could not be read';
COMMENT ON COLUMN dmarc.tls_failures.additional_information IS 'additional-information: a URI';
COMMENT ON COLUMN dmarc.tls_failures.failure_reason_code IS 'failure-reason-code';
COMMENT ON COLUMN dmarc.tls_failures.domain_id IS 'Number of policy_domain, see dmarc.domains; 0 is none';
