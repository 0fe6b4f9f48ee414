-- failures.sql - view of failure reports and other feedback reports.

CREATE OR REPLACE VIEW dmarc.failure_reports WITH (security_invoker = true) AS
SELECT f.id, f.kind, d.name AS domain, f.begin, f.day, f.feedback_type, f.user_agent, f.version, f.auth_failure,
	f.authentication_results, f.identity_alignment, f.delivery_result, f.original_envelope_id, f.original_mail_from,
	f.original_rcpt_to, f.arrival_date, f.arrival_time, f.reporting_mta, f.source_ip, f.source_port, f.incidents,
	f.reported_domain, f.reported_uri, f.dkim_domain, f.dkim_identity, f.dkim_selector, f.dkim_canonicalized_header,
	f.dkim_canonicalized_body, f.dkim_selector_dns, f.dkim_adsp_dns, f.spf_dns, f.header_from, f.message_id, f.subject,
	f.original_headers, f.original_body, f.notes, f.sha256, f.mail, f.received_at, f.authentic, f.domain_id
FROM ruad.failure f
LEFT JOIN ruad.domain d ON d.id = f.domain_id;
COMMENT ON VIEW dmarc.failure_reports IS
	'One row per failure report (RFC 6591, RFC 9991) or other feedback report (RFC 5965). Personal data: addresses are '
		'masked unless failure_bodies is on.';
COMMENT ON COLUMN dmarc.failure_reports.id IS
	'Number of the report in this database, unique among reports of all kinds';
COMMENT ON COLUMN dmarc.failure_reports.kind IS 'failure (auth-failure) or feedback (abuse, fraud, ...)';
COMMENT ON COLUMN dmarc.failure_reports.domain IS
	'The domain it is about: the first Reported-Domain, else the domain of From, else DKIM-Domain; NULL when there is '
		'none';
COMMENT ON COLUMN dmarc.failure_reports.begin IS
	'When the message arrived if that time is plausible, else when the report was received';
COMMENT ON COLUMN dmarc.failure_reports.day IS 'The UTC day of begin';
COMMENT ON COLUMN dmarc.failure_reports.feedback_type IS 'Feedback-Type: auth-failure, abuse, ...';
COMMENT ON COLUMN dmarc.failure_reports.user_agent IS 'User-Agent: software that made the report';
COMMENT ON COLUMN dmarc.failure_reports.version IS 'Version, as written';
COMMENT ON COLUMN dmarc.failure_reports.auth_failure IS 'Auth-Failure: dmarc, spf, signature, bodyhash, ...';
COMMENT ON COLUMN dmarc.failure_reports.authentication_results IS 'Authentication-Results: array of texts';
COMMENT ON COLUMN dmarc.failure_reports.identity_alignment IS
	'Identity-Alignment as sent: RFC 7489 and RFC 9991 mean the opposite by it';
COMMENT ON COLUMN dmarc.failure_reports.delivery_result IS 'Delivery-Result: delivered, spam, policy, reject, other';
COMMENT ON COLUMN dmarc.failure_reports.original_envelope_id IS 'Field Original-Envelope-Id';
COMMENT ON COLUMN dmarc.failure_reports.original_mail_from IS 'Original-Mail-From; empty for <>';
COMMENT ON COLUMN dmarc.failure_reports.original_rcpt_to IS 'Original-Rcpt-To: array of texts';
COMMENT ON COLUMN dmarc.failure_reports.arrival_date IS 'Arrival-Date (or Received-Date) as sent';
COMMENT ON COLUMN dmarc.failure_reports.arrival_time IS 'The same as a time; NULL when it is not a valid time';
COMMENT ON COLUMN dmarc.failure_reports.reporting_mta IS 'Field Reporting-MTA';
COMMENT ON COLUMN dmarc.failure_reports.source_ip IS
	'Source-IP: the address that sent the message; NULL when it could not be read (see notes)';
COMMENT ON COLUMN dmarc.failure_reports.source_port IS 'Source-Port';
COMMENT ON COLUMN dmarc.failure_reports.incidents IS
	'Incidents: how many messages it represents; NULL when it could not be read';
COMMENT ON COLUMN dmarc.failure_reports.reported_domain IS 'Reported-Domain: array of texts';
COMMENT ON COLUMN dmarc.failure_reports.reported_uri IS 'Reported-URI: array of texts';
COMMENT ON COLUMN dmarc.failure_reports.dkim_domain IS 'DKIM-Domain: the d= of the signature';
COMMENT ON COLUMN dmarc.failure_reports.dkim_identity IS 'DKIM-Identity: the i= of the signature';
COMMENT ON COLUMN dmarc.failure_reports.dkim_selector IS 'DKIM-Selector: the s= of the signature';
COMMENT ON COLUMN dmarc.failure_reports.dkim_canonicalized_header IS 'DKIM-Canonicalized-Header: base64';
COMMENT ON COLUMN dmarc.failure_reports.dkim_canonicalized_body IS
	'DKIM-Canonicalized-Body: base64; only with failure_bodies';
COMMENT ON COLUMN dmarc.failure_reports.dkim_selector_dns IS 'Field DKIM-Selector-DNS';
COMMENT ON COLUMN dmarc.failure_reports.dkim_adsp_dns IS 'Field DKIM-ADSP-DNS';
COMMENT ON COLUMN dmarc.failure_reports.spf_dns IS 'SPF-DNS: array of texts';
COMMENT ON COLUMN dmarc.failure_reports.header_from IS 'Domain of the message''s From';
COMMENT ON COLUMN dmarc.failure_reports.message_id IS 'The message''s Message-ID';
COMMENT ON COLUMN dmarc.failure_reports.subject IS 'The message''s Subject, decoded';
COMMENT ON COLUMN dmarc.failure_reports.original_headers IS 'The message''s header';
COMMENT ON COLUMN dmarc.failure_reports.original_body IS 'The message''s body; only with failure_bodies';
COMMENT ON COLUMN dmarc.failure_reports.notes IS
	'ruad''s findings about format: array of {code, path, raw}; NULL if there are none';
COMMENT ON COLUMN dmarc.failure_reports.sha256 IS 'SHA-256 of the report''s second and third part';
COMMENT ON COLUMN dmarc.failure_reports.mail IS 'Number of the delivery that contained it, see dmarc.intake';
COMMENT ON COLUMN dmarc.failure_reports.received_at IS 'When that delivery was received';
COMMENT ON COLUMN dmarc.failure_reports.authentic IS
	'Verdict of the local MTA on the mail that contained it: pass (an authenticated domain is aligned with its From), '
		'fail or none';
COMMENT ON COLUMN dmarc.failure_reports.domain_id IS 'Number of the domain, see dmarc.domains; 0 is none';
