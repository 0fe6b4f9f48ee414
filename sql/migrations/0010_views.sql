-- 0010_views - what is new, for auditors and for schema api. Columns are added at the end of a view; the API's objects get members.

SET LOCAL ROLE ruad_owner;

CREATE OR REPLACE VIEW dmarc.reports AS
SELECT r.id, d.name AS domain, o.org_name, r.email, r.extra_contact_info, r.report_id, r.begin, r."end",
	(r.begin AT TIME ZONE 'UTC')::date AS day, r.error, r.generator, r.dialect, r.version, r.xmlns, r.adkim, r.aspf, r.p, r.sp, r.np,
	r.pct, r.fo, r.testing, r.discovery_method, r.records, r.messages, r.pass, r.notes, r.sha256, r.mail, r.received_at,
	r.partial, r.authentic
FROM ruad.report r
LEFT JOIN ruad.domain d ON d.id = r.domain_id
LEFT JOIN ruad.reporter o ON o.id = r.reporter_id;

CREATE OR REPLACE VIEW dmarc.intake AS
SELECT m.id AS mail, i.item_no, m.received_at, m.source, m.name, m.envelope_from, m.recipients, m.size, m.sha256 AS mail_sha256,
	m.message_id, m.subject, m.header_from, i.kind, i.status, i.code, i.reason, i.place, i.report, i.sha256,
	m.raw AS raw_mail, m.authentic, i.partial
FROM ruad.mail m
LEFT JOIN ruad.item i ON i.mail = m.id;

CREATE VIEW dmarc.mails AS
SELECT m.id AS mail, m.received_at, m.source, m.name, m.envelope_from, m.recipients, m.size, m.sha256 AS mail_sha256, m.message_id, m.subject,
	m.header_from, m.authentic, f.kinds, f.items, f.stored, f.duplicates, f.conflicts, f.quarantined, m.raw AS raw_mail
FROM ruad.mail m
LEFT JOIN LATERAL (
	SELECT array_agg(DISTINCT i.kind) AS kinds, count(*) AS items,
		count(*) FILTER (WHERE i.status = 'stored') AS stored, count(*) FILTER (WHERE i.status = 'duplicate') AS duplicates,
		count(*) FILTER (WHERE i.status = 'conflict') AS conflicts, count(*) FILTER (WHERE i.status = 'quarantined') AS quarantined
	FROM ruad.item i WHERE i.mail = m.id
) f ON true;

CREATE VIEW dmarc.failure_reports AS
SELECT f.id, f.kind, d.name AS domain, f.begin, (f.begin AT TIME ZONE 'UTC')::date AS day, f.feedback_type, f.user_agent, f.version, f.auth_failure,
	f.authentication_results, f.identity_alignment, f.delivery_result, f.original_envelope_id, f.original_mail_from, f.original_rcpt_to,
	f.arrival_date, f.arrival_time, f.reporting_mta, f.source_ip, f.source_port, f.incidents, f.reported_domain, f.reported_uri, f.dkim_domain,
	f.dkim_identity, f.dkim_selector, f.dkim_canonicalized_header, f.dkim_canonicalized_body, f.dkim_selector_dns, f.dkim_adsp_dns,
	f.spf_dns, f.header_from, f.message_id, f.subject, f.original_headers, f.original_body, f.notes, f.sha256, f.mail, f.received_at, f.authentic
FROM ruad.failure f
LEFT JOIN ruad.domain d ON d.id = f.domain_id;

CREATE VIEW dmarc.tls_reports AS
SELECT t.id, o.org_name AS organization_name, t.contact_info, t.report_id, t.begin AS start_datetime, t."end" AS end_datetime,
	(t.begin AT TIME ZONE 'UTC')::date AS day, t.policies, t.total_successful_session_count, t.total_failure_session_count, t.notes, t.sha256,
	t.mail, t.received_at, t.authentic
FROM ruad.tls t
LEFT JOIN ruad.reporter o ON o.id = t.reporter_id;

CREATE VIEW dmarc.tls_policies AS
SELECT p.report, p.policy_no, d.name AS policy_domain, o.org_name AS organization_name, p.begin AS start_datetime,
	(p.begin AT TIME ZONE 'UTC')::date AS day, p.policy_type, p.policy_string, p.mx_host, p.total_successful_session_count,
	p.total_failure_session_count, p.failure_details
FROM ruad.tls_policy p
LEFT JOIN ruad.domain d ON d.id = p.domain_id
LEFT JOIN ruad.reporter o ON o.id = p.reporter_id;

CREATE VIEW dmarc.tls_failures AS
SELECT p.report, p.policy_no, f.no::integer AS failure_no, d.name AS policy_domain, o.org_name AS organization_name, p.begin AS start_datetime,
	(p.begin AT TIME ZONE 'UTC')::date AS day, p.policy_type, f.value ->> 'result_type' AS result_type,
	(f.value ->> 'sending_mta_ip')::inet AS sending_mta_ip, f.value ->> 'receiving_mx_hostname' AS receiving_mx_hostname,
	f.value ->> 'receiving_mx_helo' AS receiving_mx_helo, (f.value ->> 'receiving_ip')::inet AS receiving_ip,
	(f.value ->> 'failed_session_count')::bigint AS failed_session_count, f.value ->> 'additional_information' AS additional_information,
	f.value ->> 'failure_reason_code' AS failure_reason_code
FROM ruad.tls_policy p
LEFT JOIN ruad.domain d ON d.id = p.domain_id
LEFT JOIN ruad.reporter o ON o.id = p.reporter_id
CROSS JOIN LATERAL jsonb_array_elements(p.failure_details) WITH ORDINALITY AS f(value, no);

CREATE VIEW dmarc.notes AS
SELECT t.kind, t.report, t.record_no, n.no::integer AS note_no, d.name AS domain, o.org_name, t.begin, (t.begin AT TIME ZONE 'UTC')::date AS day,
	n.value ->> 'code' AS code, n.value ->> 'path' AS path, n.value ->> 'raw' AS raw
FROM (
	SELECT 'aggregate'::text AS kind, id AS report, NULL::integer AS record_no, domain_id, reporter_id, begin, notes FROM ruad.report
	UNION ALL SELECT 'aggregate', report, record_no, domain_id, reporter_id, begin, notes FROM ruad.record
	UNION ALL SELECT kind, id, NULL, domain_id, NULL, begin, notes FROM ruad.failure
	UNION ALL SELECT 'tls', id, NULL, domain_id, reporter_id, begin, notes FROM ruad.tls
) t
LEFT JOIN ruad.domain d ON d.id = t.domain_id
LEFT JOIN ruad.reporter o ON o.id = t.reporter_id
CROSS JOIN LATERAL jsonb_path_query(t.notes, '$[*]') WITH ORDINALITY AS n(value, no)
WHERE t.notes IS NOT NULL;

COMMENT ON COLUMN dmarc.reports.partial IS 'It breaks off: its records are those that were whole; a whole copy that comes takes its place';
COMMENT ON COLUMN dmarc.reports.authentic IS 'What our own MTA said of the mail that brought it: pass (what authenticated is aligned with its From), fail, or none';
COMMENT ON COLUMN dmarc.reports.received_at IS 'When that delivery came in';

COMMENT ON COLUMN dmarc.intake.kind IS 'aggregate, failure, feedback (another report by RFC 5965), tls or unreadable';
COMMENT ON COLUMN dmarc.intake.code IS 'Why it was not stored, as a word to group by; partial of a stored report that breaks off';
COMMENT ON COLUMN dmarc.intake.reason IS 'The same in a sentence';
COMMENT ON COLUMN dmarc.intake.report IS 'The report it became, repeats or contradicts: dmarc.reports.id, dmarc.failure_reports.id or dmarc.tls_reports.id by its kind; it may have been pruned';
COMMENT ON COLUMN dmarc.intake.sha256 IS 'SHA-256 of the unpacked XML or JSON, of a failure report its second and third part';
COMMENT ON COLUMN dmarc.intake.authentic IS 'What our own MTA said of the mail: pass (what authenticated is aligned with its From), fail, or none';
COMMENT ON COLUMN dmarc.intake.partial IS 'An aggregate report that breaks off in this mail';

COMMENT ON VIEW dmarc.mails IS 'One row per delivered mail; dmarc.intake has what was found in each.';
COMMENT ON COLUMN dmarc.mails.mail IS 'Number of the delivery';
COMMENT ON COLUMN dmarc.mails.received_at IS 'When the mail was taken';
COMMENT ON COLUMN dmarc.mails.source IS 'lmtp or import';
COMMENT ON COLUMN dmarc.mails.name IS 'Path of an imported file';
COMMENT ON COLUMN dmarc.mails.envelope_from IS 'Reverse-path; empty for <>';
COMMENT ON COLUMN dmarc.mails.recipients IS 'Recipients: array of addresses';
COMMENT ON COLUMN dmarc.mails.size IS 'Bytes of the mail';
COMMENT ON COLUMN dmarc.mails.mail_sha256 IS 'SHA-256 of the mail';
COMMENT ON COLUMN dmarc.mails.message_id IS 'Header Message-ID: a hint, not trusted';
COMMENT ON COLUMN dmarc.mails.subject IS 'Header Subject: a hint, not trusted';
COMMENT ON COLUMN dmarc.mails.header_from IS 'Header From: a hint, not trusted';
COMMENT ON COLUMN dmarc.mails.authentic IS 'What our own MTA said of the mail: pass (what authenticated is aligned with its From), fail, or none';
COMMENT ON COLUMN dmarc.mails.kinds IS 'Kinds of the things found in it, each once; NULL when nothing was';
COMMENT ON COLUMN dmarc.mails.items IS 'How many things were found in it';
COMMENT ON COLUMN dmarc.mails.stored IS 'Of these, reports that were stored';
COMMENT ON COLUMN dmarc.mails.duplicates IS 'Of these, known already';
COMMENT ON COLUMN dmarc.mails.conflicts IS 'Of these, known with other content';
COMMENT ON COLUMN dmarc.mails.quarantined IS 'Of these, not readable';
COMMENT ON COLUMN dmarc.mails.raw_mail IS 'The delivery whose bytes are kept raw and are the same as this mail''s; NULL when none are kept';

COMMENT ON VIEW dmarc.failure_reports IS 'One row per failure report (RFC 6591, RFC 9991) or other feedback report (RFC 5965). Personal data: addresses are masked unless failure_bodies is on.';
COMMENT ON COLUMN dmarc.failure_reports.id IS 'Number of the report in this database, unique among reports of all kinds';
COMMENT ON COLUMN dmarc.failure_reports.kind IS 'failure (auth-failure) or feedback (abuse, fraud, ...)';
COMMENT ON COLUMN dmarc.failure_reports.domain IS 'The domain it is about: the first Reported-Domain, else the domain of From, else DKIM-Domain; NULL when none is there';
COMMENT ON COLUMN dmarc.failure_reports.begin IS 'When the message arrived, as far as that can be believed, else when the report was received';
COMMENT ON COLUMN dmarc.failure_reports.day IS 'The UTC day of begin';
COMMENT ON COLUMN dmarc.failure_reports.feedback_type IS 'Feedback-Type: auth-failure, abuse, ...';
COMMENT ON COLUMN dmarc.failure_reports.user_agent IS 'User-Agent: software that made the report';
COMMENT ON COLUMN dmarc.failure_reports.version IS 'Version, as written';
COMMENT ON COLUMN dmarc.failure_reports.auth_failure IS 'Auth-Failure: dmarc, spf, signature, bodyhash, ...';
COMMENT ON COLUMN dmarc.failure_reports.authentication_results IS 'Authentication-Results: array of texts';
COMMENT ON COLUMN dmarc.failure_reports.identity_alignment IS 'Identity-Alignment as sent: RFC 7489 and RFC 9991 mean the opposite by it';
COMMENT ON COLUMN dmarc.failure_reports.delivery_result IS 'Delivery-Result: delivered, spam, policy, reject, other';
COMMENT ON COLUMN dmarc.failure_reports.original_envelope_id IS 'Field Original-Envelope-Id';
COMMENT ON COLUMN dmarc.failure_reports.original_mail_from IS 'Original-Mail-From; empty for <>';
COMMENT ON COLUMN dmarc.failure_reports.original_rcpt_to IS 'Original-Rcpt-To: array of texts';
COMMENT ON COLUMN dmarc.failure_reports.arrival_date IS 'Arrival-Date (or Received-Date) as sent';
COMMENT ON COLUMN dmarc.failure_reports.arrival_time IS 'The same as a time; NULL when it is none';
COMMENT ON COLUMN dmarc.failure_reports.reporting_mta IS 'Field Reporting-MTA';
COMMENT ON COLUMN dmarc.failure_reports.source_ip IS 'Source-IP: the address that sent the message; NULL when it could not be read (see notes)';
COMMENT ON COLUMN dmarc.failure_reports.source_port IS 'Source-Port';
COMMENT ON COLUMN dmarc.failure_reports.incidents IS 'Incidents: how many messages it stands for; NULL when it could not be read';
COMMENT ON COLUMN dmarc.failure_reports.reported_domain IS 'Reported-Domain: array of texts';
COMMENT ON COLUMN dmarc.failure_reports.reported_uri IS 'Reported-URI: array of texts';
COMMENT ON COLUMN dmarc.failure_reports.dkim_domain IS 'DKIM-Domain: the d= of the signature';
COMMENT ON COLUMN dmarc.failure_reports.dkim_identity IS 'DKIM-Identity: the i= of the signature';
COMMENT ON COLUMN dmarc.failure_reports.dkim_selector IS 'DKIM-Selector: the s= of the signature';
COMMENT ON COLUMN dmarc.failure_reports.dkim_canonicalized_header IS 'DKIM-Canonicalized-Header: base64';
COMMENT ON COLUMN dmarc.failure_reports.dkim_canonicalized_body IS 'DKIM-Canonicalized-Body: base64; only with failure_bodies';
COMMENT ON COLUMN dmarc.failure_reports.dkim_selector_dns IS 'Field DKIM-Selector-DNS';
COMMENT ON COLUMN dmarc.failure_reports.dkim_adsp_dns IS 'Field DKIM-ADSP-DNS';
COMMENT ON COLUMN dmarc.failure_reports.spf_dns IS 'SPF-DNS: array of texts';
COMMENT ON COLUMN dmarc.failure_reports.header_from IS 'Domain of the message''s From';
COMMENT ON COLUMN dmarc.failure_reports.message_id IS 'The message''s Message-ID';
COMMENT ON COLUMN dmarc.failure_reports.subject IS 'The message''s Subject, decoded';
COMMENT ON COLUMN dmarc.failure_reports.original_headers IS 'The message''s header';
COMMENT ON COLUMN dmarc.failure_reports.original_body IS 'The message''s body; only with failure_bodies';
COMMENT ON COLUMN dmarc.failure_reports.notes IS 'ruad''s findings on form: array of {code, path, raw}; NULL is none';
COMMENT ON COLUMN dmarc.failure_reports.sha256 IS 'SHA-256 of the report''s second and third part';
COMMENT ON COLUMN dmarc.failure_reports.mail IS 'Number of the delivery that brought it, see dmarc.intake';
COMMENT ON COLUMN dmarc.failure_reports.received_at IS 'When that delivery came in';
COMMENT ON COLUMN dmarc.failure_reports.authentic IS 'What our own MTA said of the mail that brought it: pass (what authenticated is aligned with its From), fail, or none';

COMMENT ON VIEW dmarc.tls_reports IS 'One row per SMTP TLS report (RFC 8460). Sum session counts here or in dmarc.tls_policies, never in a join of both.';
COMMENT ON COLUMN dmarc.tls_reports.id IS 'Number of the report in this database, unique among reports of all kinds; dmarc.tls_policies.report names it';
COMMENT ON COLUMN dmarc.tls_reports.organization_name IS 'organization-name: who reports, as written';
COMMENT ON COLUMN dmarc.tls_reports.contact_info IS 'contact-info';
COMMENT ON COLUMN dmarc.tls_reports.report_id IS 'report-id: the reporter''s own name for it; not unique across reporters';
COMMENT ON COLUMN dmarc.tls_reports.start_datetime IS 'date-range/start-datetime';
COMMENT ON COLUMN dmarc.tls_reports.end_datetime IS 'date-range/end-datetime';
COMMENT ON COLUMN dmarc.tls_reports.day IS 'The UTC day of start_datetime';
COMMENT ON COLUMN dmarc.tls_reports.policies IS 'How many policies it reports on';
COMMENT ON COLUMN dmarc.tls_reports.total_successful_session_count IS 'Sessions that succeeded, summed over its policies';
COMMENT ON COLUMN dmarc.tls_reports.total_failure_session_count IS 'Sessions that failed, summed over its policies';
COMMENT ON COLUMN dmarc.tls_reports.notes IS 'ruad''s findings on form: array of {code, path, raw}; NULL is none';
COMMENT ON COLUMN dmarc.tls_reports.sha256 IS 'SHA-256 of the unpacked JSON';
COMMENT ON COLUMN dmarc.tls_reports.mail IS 'Number of the delivery that brought it, see dmarc.intake';
COMMENT ON COLUMN dmarc.tls_reports.received_at IS 'When that delivery came in';
COMMENT ON COLUMN dmarc.tls_reports.authentic IS 'What our own MTA said of the mail that brought it: pass (what authenticated is aligned with its From), fail, or none';

COMMENT ON VIEW dmarc.tls_policies IS 'One row per policy of a TLS report.';
COMMENT ON COLUMN dmarc.tls_policies.report IS 'Number of its report, see dmarc.tls_reports.id';
COMMENT ON COLUMN dmarc.tls_policies.policy_no IS 'Place in the report, from 1';
COMMENT ON COLUMN dmarc.tls_policies.policy_domain IS 'policy-domain; NULL when it is not there';
COMMENT ON COLUMN dmarc.tls_policies.organization_name IS 'organization-name of its report';
COMMENT ON COLUMN dmarc.tls_policies.start_datetime IS 'date-range/start-datetime of its report';
COMMENT ON COLUMN dmarc.tls_policies.day IS 'The UTC day of start_datetime';
COMMENT ON COLUMN dmarc.tls_policies.policy_type IS 'policy-type: tlsa, sts, no-policy-found, ...';
COMMENT ON COLUMN dmarc.tls_policies.policy_string IS 'policy-string: array of texts';
COMMENT ON COLUMN dmarc.tls_policies.mx_host IS 'mx-host: array of texts';
COMMENT ON COLUMN dmarc.tls_policies.total_successful_session_count IS 'summary/total-successful-session-count; NULL when it could not be read';
COMMENT ON COLUMN dmarc.tls_policies.total_failure_session_count IS 'summary/total-failure-session-count; NULL when it could not be read';
COMMENT ON COLUMN dmarc.tls_policies.failure_details IS 'failure-details: array of objects, see dmarc.tls_failures';

COMMENT ON VIEW dmarc.tls_failures IS 'One row per entry of a policy''s failure-details. Entries overlap: never sum failed_session_count and call it sessions, total_failure_session_count of dmarc.tls_policies is that.';
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

COMMENT ON VIEW dmarc.notes IS 'One row per finding of ruad on a report''s form, or on how it contradicts itself. The README lists the codes.';
COMMENT ON COLUMN dmarc.notes.kind IS 'Kind of the report: aggregate, failure, feedback or tls';
COMMENT ON COLUMN dmarc.notes.report IS 'Number of the report: dmarc.reports.id, dmarc.failure_reports.id or dmarc.tls_reports.id by its kind';
COMMENT ON COLUMN dmarc.notes.record_no IS 'Place of the record in the report; NULL of what concerns the report as a whole';
COMMENT ON COLUMN dmarc.notes.note_no IS 'Place of the note in the report or record, from 1';
COMMENT ON COLUMN dmarc.notes.domain IS 'The domain that the report is about; of a TLS report the first';
COMMENT ON COLUMN dmarc.notes.org_name IS 'Who reports, as written; NULL of failure reports';
COMMENT ON COLUMN dmarc.notes.begin IS 'begin of the report';
COMMENT ON COLUMN dmarc.notes.day IS 'The UTC day of begin';
COMMENT ON COLUMN dmarc.notes.code IS 'What was found, as a word to group by';
COMMENT ON COLUMN dmarc.notes.path IS 'Where: an element, from the report or record down';
COMMENT ON COLUMN dmarc.notes.raw IS 'The value as the report had it';

COMMENT ON VIEW dmarc.domains IS 'One row per domain that a report was ever about, of any kind.';
COMMENT ON COLUMN dmarc.domains.domain IS 'Its name: policy_published/domain, policy-domain, or the domain of a failure report';

-- The API: members partial and authentic, and what came in by kind. Lists of failure and TLS reports are not there yet.

CREATE OR REPLACE FUNCTION api.report_item(r dmarc.reports) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('id', r.id::text, 'kind', 'aggregate', 'dialect', r.dialect, 'org_name', api.display(r.org_name),
		'email', api.display(r.email), 'report_id', api.display(r.report_id), 'domain', api.display(r.domain),
		'begin', api.iso(r.begin), 'end', api.iso(r."end"), 'p', api.display(r.p), 'records', r.records, 'messages', r.messages,
		'pass', r.pass, 'fail', r.messages - r.pass, 'received_at', api.iso(r.received_at),
		'notes_total', coalesce(jsonb_array_length(r.notes), 0), 'partial', r.partial, 'authentic', r.authentic)
$$;

CREATE OR REPLACE FUNCTION api.mail_json(p_mail bigint) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('id', i.mail::text, 'received_at', api.iso(i.received_at), 'source', i.source,
		'name', api.display(i.name), 'envelope_from', api.display(i.envelope_from), 'recipients', api.display(i.recipients),
		'size', i.size, 'message_id', api.display(i.message_id), 'subject', api.display(i.subject),
		'header_from', api.display(i.header_from), 'authentic', i.authentic)
	FROM dmarc.intake i WHERE i.mail = p_mail LIMIT 1
$$;

CREATE OR REPLACE FUNCTION api.report(p_id bigint) RETURNS jsonb
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

CREATE OR REPLACE FUNCTION api.intake_item(i dmarc.intake) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('mail', i.mail::text, 'item_no', i.item_no, 'received_at', api.iso(i.received_at), 'source', i.source,
		'name', api.display(i.name), 'envelope_from', api.display(i.envelope_from), 'size', i.size,
		'message_id', api.display(i.message_id), 'subject', api.display(i.subject), 'header_from', api.display(i.header_from),
		'kind', i.kind, 'status', i.status, 'code', api.display(i.code), 'reason', api.display(i.reason), 'place', api.display(i.place),
		'report', i.report::text, 'raw', i.raw_mail IS NOT NULL,
		'partial', i.partial, 'authentic', i.authentic)
$$;

CREATE OR REPLACE FUNCTION api.intake(p_from date DEFAULT NULL, p_to date DEFAULT NULL, p_status text DEFAULT NULL,
	p_limit integer DEFAULT NULL, p_cursor text DEFAULT NULL)
RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	place api.place := api.place_of('intake', p_cursor);
	statuses constant text[] := ARRAY['stored', 'duplicate', 'conflict', 'quarantined'];
	counts jsonb;
	page dmarc.intake[];
BEGIN
	PERFORM api.check_choice('status', p_status, statuses);
	p_limit := api.page_limit(p_limit);
	SELECT w.p_from, w.p_to INTO p_from, p_to FROM api.time_window(p_from, p_to) w;

	WITH things AS MATERIALIZED (
		SELECT i.kind, i.status, i.code, count(*) AS n FROM dmarc.intake i
		WHERE i.received_at >= api.at(p_from) AND i.received_at < api.at(p_to) GROUP BY 1, 2, 3
	)
	SELECT jsonb_build_object(
		'counts', (SELECT jsonb_object_agg(s, coalesce(t.n, 0)) FROM unnest(statuses) s
			LEFT JOIN (SELECT status, sum(n) AS n FROM things GROUP BY 1) t ON t.status = s),
		'by_kind', (SELECT coalesce(jsonb_object_agg(kind, n), '{}')
			FROM (SELECT kind, sum(n) AS n FROM things WHERE kind IS NOT NULL GROUP BY 1) k),
		'by_code', (SELECT coalesce(jsonb_object_agg(api.display(code), n), '{}')
			FROM (SELECT code, sum(n) AS n FROM things WHERE status <> 'stored' AND code IS NOT NULL GROUP BY 1) c))
	INTO counts;

	page := ARRAY(
		SELECT i FROM dmarc.intake i
		WHERE i.received_at >= api.at(p_from) AND i.received_at < api.at(p_to)
			AND (i.status = p_status OR p_status IS NULL AND i.status IN ('quarantined', 'conflict'))
			AND (place.at IS NULL OR i.received_at <= place.at AND (i.received_at < place.at OR i.mail < place.id
				OR i.mail = place.id AND i.item_no > place.no))
		ORDER BY i.received_at DESC, i.mail DESC, i.item_no
		LIMIT p_limit + 1);

	RETURN counts || jsonb_build_object('window', jsonb_build_object('from', p_from, 'to', p_to),
		'mails', (SELECT count(DISTINCT i.mail) FROM dmarc.intake i
			WHERE i.received_at >= api.at(p_from) AND i.received_at < api.at(p_to)),
		'last_mail_at', (SELECT api.iso(i.received_at) FROM dmarc.intake i ORDER BY i.received_at DESC LIMIT 1),
		'last_report_at', (SELECT api.iso(r.received_at) FROM dmarc.reports r ORDER BY r.received_at DESC LIMIT 1),
		'items', (SELECT coalesce(jsonb_agg(api.intake_item(page[i]) ORDER BY i), '[]')
			FROM generate_series(1, least(cardinality(page), p_limit)) i),
		'next', CASE WHEN cardinality(page) > p_limit THEN
			api.place_make('intake', page[p_limit].received_at, page[p_limit].mail, page[p_limit].item_no) END);
END
$$;
