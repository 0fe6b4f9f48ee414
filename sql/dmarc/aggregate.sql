-- aggregate.sql - views of aggregate reports and their records.

-- One row, for statements that call functions of schema api: see ruad.gate.
CREATE OR REPLACE VIEW api.gate WITH (security_invoker = true) AS SELECT the_row FROM ruad.gate;

-- All aggregate reports, also those that were excluded; exclusion is the entry of dmarc.exclusion_log.
CREATE OR REPLACE VIEW api.any_report WITH (security_invoker = true) AS
SELECT r.id, d.name AS domain, o.org_name, r.email, r.extra_contact_info, r.report_id, r.begin, r."end", r.day,
	r.error, r.generator, r.dialect, r.version, r.xmlns, r.adkim, r.aspf, r.p, r.sp, r.np, r.pct, r.fo, r.testing,
	r.discovery_method, r.records, r.messages, r.pass, r.notes, r.sha256, r.mail, r.received_at, r.partial, r.authentic,
	r.record_notes, r.domain_id, r.exclusion
FROM ruad.report r
LEFT JOIN ruad.domain d ON d.id = r.domain_id
LEFT JOIN ruad.reporter o ON o.id = r.reporter_id;

CREATE OR REPLACE VIEW dmarc.reports WITH (security_invoker = true) AS
SELECT r.id, r.domain, r.org_name, r.email, r.extra_contact_info, r.report_id, r.begin, r."end", r.day,
	r.error, r.generator, r.dialect, r.version, r.xmlns, r.adkim, r.aspf, r.p, r.sp, r.np, r.pct, r.fo, r.testing,
	r.discovery_method, r.records, r.messages, r.pass, r.notes, r.sha256, r.mail, r.received_at, r.partial, r.authentic,
	r.record_notes, r.domain_id
FROM api.any_report r
WHERE r.exclusion IS NULL;
COMMENT ON VIEW dmarc.reports IS
	'One row per aggregate report, except those that were excluded (dmarc.excluded_reports). Sum messages and pass '
		'here or in dmarc.records, never in a join of both.';
COMMENT ON COLUMN dmarc.reports.id IS 'Number of the report in this database; dmarc.records.report names it';
COMMENT ON COLUMN dmarc.reports.domain IS 'policy_published/domain: the domain whose policy was applied';
COMMENT ON COLUMN dmarc.reports.org_name IS 'report_metadata/org_name: the reporter, as written';
COMMENT ON COLUMN dmarc.reports.email IS 'report_metadata/email';
COMMENT ON COLUMN dmarc.reports.extra_contact_info IS 'report_metadata/extra_contact_info';
COMMENT ON COLUMN dmarc.reports.report_id IS
	'report_metadata/report_id: the reporter''s own identifier; not unique across reporters';
COMMENT ON COLUMN dmarc.reports.begin IS 'report_metadata/date_range/begin: start of the period reported on';
COMMENT ON COLUMN dmarc.reports."end" IS
	'report_metadata/date_range/end: as written; reporters differ on whether it is inclusive';
COMMENT ON COLUMN dmarc.reports.day IS 'The UTC day of begin';
COMMENT ON COLUMN dmarc.reports.error IS 'report_metadata/error: array of texts';
COMMENT ON COLUMN dmarc.reports.generator IS 'report_metadata/generator (RFC 9990): software that made the report';
COMMENT ON COLUMN dmarc.reports.dialect IS 'rfc9990, rfc7489 or draft';
COMMENT ON COLUMN dmarc.reports.version IS 'The element version, as written';
COMMENT ON COLUMN dmarc.reports.xmlns IS 'Namespace of the root element; NULL without one';
COMMENT ON COLUMN dmarc.reports.adkim IS 'policy_published/adkim: DKIM alignment, r or s';
COMMENT ON COLUMN dmarc.reports.aspf IS 'policy_published/aspf: SPF alignment, r or s';
COMMENT ON COLUMN dmarc.reports.p IS 'policy_published/p: policy for the domain';
COMMENT ON COLUMN dmarc.reports.sp IS 'policy_published/sp: policy for subdomains';
COMMENT ON COLUMN dmarc.reports.np IS 'policy_published/np (RFC 9990): policy for subdomains that do not exist';
COMMENT ON COLUMN dmarc.reports.pct IS 'policy_published/pct (RFC 7489): percentage of mail the policy applied to';
COMMENT ON COLUMN dmarc.reports.fo IS 'policy_published/fo: when failure reports were asked for';
COMMENT ON COLUMN dmarc.reports.testing IS
	'policy_published/testing (RFC 9990): y means one step less than the policy is enforced';
COMMENT ON COLUMN dmarc.reports.discovery_method IS 'policy_published/discovery_method (RFC 9990): psl or treewalk';
COMMENT ON COLUMN dmarc.reports.records IS 'How many records the report has';
COMMENT ON COLUMN dmarc.reports.messages IS 'Messages reported: the sum of its records'' count';
COMMENT ON COLUMN dmarc.reports.pass IS 'Of these, messages that passed DMARC';
COMMENT ON COLUMN dmarc.reports.notes IS
	'ruad''s findings about format and consistency: array of {code, path, raw}; NULL if there are none';
COMMENT ON COLUMN dmarc.reports.sha256 IS 'SHA-256 of the unpacked XML';
COMMENT ON COLUMN dmarc.reports.mail IS 'Number of the delivery that contained it, see dmarc.intake';
COMMENT ON COLUMN dmarc.reports.partial IS
	'Whether it is truncated: only its complete records are stored, and a complete copy will replace it';
COMMENT ON COLUMN dmarc.reports.authentic IS
	'Verdict of the local MTA on the mail that contained it: pass (an authenticated domain is aligned with its From), '
		'fail or none';
COMMENT ON COLUMN dmarc.reports.received_at IS 'When that delivery was received';
COMMENT ON COLUMN dmarc.reports.record_notes IS
	'How often each code occurs in the notes of its records: {"V1": 3}; NULL if there are none';
COMMENT ON COLUMN dmarc.reports.domain_id IS 'Number of the domain, see dmarc.domains';

-- What repeats among records, with the names that people search for.
CREATE OR REPLACE VIEW api.evaluation WITH (security_invoker = true) AS
SELECT e.id AS evaluation, e.facet, e.header_from, e.envelope_from, e.auth_results, e.day AS month, e.domain_id
FROM ruad.evaluation e;

-- The records of excluded reports, with the columns of dmarc.records.
CREATE OR REPLACE VIEW api.excluded_records WITH (security_invoker = true) AS
SELECT r.report, r.record_no, d.name AS domain, o.org_name, r.begin, r.day, r.source_ip, r.count, e.disposition, e.dkim,
	e.spf, e.dkim IS NOT DISTINCT FROM 'pass' AS dkim_aligned,
	e.spf IS NOT DISTINCT FROM 'pass' AS spf_aligned,
	e.dkim IS NOT DISTINCT FROM 'pass' OR e.spf IS NOT DISTINCT FROM 'pass' AS dmarc_pass,
	e.class, e.reason, e.header_from, e.envelope_from, e.envelope_to, e.auth_results, e.notes,
	coalesce(a.source, 'ip:' || host(r.source_ip)) AS source, a.label, a.rdns, a.rdns_domain, a.asn, a.country,
	e.auth_domain, e.override, e.day AS month, r.domain_id, e.facet, e.id AS evaluation, r.reporter_id
FROM ruad.excluded_record r
JOIN ruad.evaluation e ON e.domain_id = r.domain_id AND e.id = r.evaluation
LEFT JOIN ruad.domain d ON d.id = r.domain_id
LEFT JOIN ruad.reporter o ON o.id = r.reporter_id
LEFT JOIN ruad.address a ON a.source_ip = r.source_ip;

CREATE OR REPLACE VIEW dmarc.records WITH (security_invoker = true) AS
SELECT r.report, r.record_no, d.name AS domain, o.org_name, r.begin, r.day, r.source_ip, r.count, e.disposition, e.dkim,
	e.spf, e.dkim IS NOT DISTINCT FROM 'pass' AS dkim_aligned,
	e.spf IS NOT DISTINCT FROM 'pass' AS spf_aligned,
	e.dkim IS NOT DISTINCT FROM 'pass' OR e.spf IS NOT DISTINCT FROM 'pass' AS dmarc_pass,
	e.class, e.reason, e.header_from, e.envelope_from, e.envelope_to, e.auth_results, e.notes,
	coalesce(a.source, 'ip:' || host(r.source_ip)) AS source, a.label, a.rdns, a.rdns_domain, a.asn, a.country,
	e.auth_domain, e.override, e.day AS month, r.domain_id, e.facet, e.id AS evaluation, r.reporter_id
FROM ruad.visible_record r
JOIN ruad.evaluation e ON e.domain_id = r.domain_id AND e.id = r.evaluation
LEFT JOIN ruad.domain d ON d.id = r.domain_id
LEFT JOIN ruad.reporter o ON o.id = r.reporter_id
LEFT JOIN ruad.address a ON a.source_ip = r.source_ip;
COMMENT ON VIEW dmarc.records IS
	'One row per record of an aggregate report. Sum the column count: a record stands for many messages.';
COMMENT ON COLUMN dmarc.records.report IS 'Number of its report, see dmarc.reports.id';
COMMENT ON COLUMN dmarc.records.record_no IS 'Place in the report, from 1';
COMMENT ON COLUMN dmarc.records.domain IS 'policy_published/domain of its report';
COMMENT ON COLUMN dmarc.records.org_name IS 'report_metadata/org_name of its report';
COMMENT ON COLUMN dmarc.records.begin IS 'report_metadata/date_range/begin of its report';
COMMENT ON COLUMN dmarc.records.day IS 'The UTC day of begin';
COMMENT ON COLUMN dmarc.records.source_ip IS
	'row/source_ip: the sending address; NULL when it could not be read (see notes)';
COMMENT ON COLUMN dmarc.records.count IS 'row/count: messages; NULL when it could not be read';
COMMENT ON COLUMN dmarc.records.disposition IS
	'policy_evaluated/disposition: none, quarantine, reject or pass, as the receiver says it acted';
COMMENT ON COLUMN dmarc.records.dkim IS
	'policy_evaluated/dkim: pass means a valid signature that is aligned with header_from';
COMMENT ON COLUMN dmarc.records.spf IS
	'policy_evaluated/spf: pass means SPF passed for a domain aligned with header_from';
COMMENT ON COLUMN dmarc.records.dkim_aligned IS 'dkim is pass; never NULL';
COMMENT ON COLUMN dmarc.records.spf_aligned IS 'spf is pass; never NULL';
COMMENT ON COLUMN dmarc.records.dmarc_pass IS 'dkim or spf is pass; never NULL';
COMMENT ON COLUMN dmarc.records.class IS
	'pass, fail_overridden, fail_altered, fail_unaligned, fail_unauthenticated or unknown';
COMMENT ON COLUMN dmarc.records.reason IS
	'policy_evaluated/reason: array of {type, comment}, see dmarc.record_overrides';
COMMENT ON COLUMN dmarc.records.header_from IS 'identifiers/header_from: domain of the From header';
COMMENT ON COLUMN dmarc.records.envelope_from IS 'identifiers/envelope_from: domain of the reverse-path';
COMMENT ON COLUMN dmarc.records.envelope_to IS 'identifiers/envelope_to: domain of the recipient';
COMMENT ON COLUMN dmarc.records.auth_results IS
	'auth_results: {"dkim":[…],"spf":[…]}, raw results before alignment; see dmarc.record_dkim and dmarc.record_spf';
COMMENT ON COLUMN dmarc.records.notes IS
	'ruad''s findings about format and consistency: array of {code, path, raw}; NULL if there are none';
COMMENT ON COLUMN dmarc.records.source IS
	'Key of the source that source_ip belongs to today: service:NAME, domain:NAME, as:NUMBER or ip:ADDRESS; see '
		'dmarc.addresses';
COMMENT ON COLUMN dmarc.records.label IS
	'To whom the source belongs, as set by users: mine, forwarder or not_mine; see dmarc.labels';
COMMENT ON COLUMN dmarc.records.rdns IS 'Forward-confirmed reverse name of source_ip, as it is today';
COMMENT ON COLUMN dmarc.records.rdns_domain IS 'Organisational domain of rdns';
COMMENT ON COLUMN dmarc.records.asn IS 'Autonomous system that announces source_ip today';
COMMENT ON COLUMN dmarc.records.country IS 'Country of source_ip, ISO 3166';
COMMENT ON COLUMN dmarc.records.auth_domain IS
	'Domain that the mail authenticated as: that of a passing signature (header_from first), else the domain that '
		'passed SPF; NULL when nothing passed';
COMMENT ON COLUMN dmarc.records.override IS 'Types of the reasons, each once; NULL without a reason';
COMMENT ON COLUMN dmarc.records.month IS
	'First day of the month of day. A condition on it in addition to one on day makes queries over few months faster';
COMMENT ON COLUMN dmarc.records.domain_id IS 'Number of the domain, see dmarc.domains';
COMMENT ON COLUMN dmarc.records.facet IS
	'Number of the combination of header_from, auth_domain, class, disposition, alignment and override within the '
		'domain';
COMMENT ON COLUMN dmarc.records.evaluation IS
	'Number of the combination of names, verdict, results, reasons and notes within the domain and month';
COMMENT ON COLUMN dmarc.records.reporter_id IS 'Number of the reporter, see dmarc.reporters';

CREATE OR REPLACE VIEW dmarc.exclusion_log WITH (security_invoker = true) AS
SELECT id, excluded, report, org_name, since, reports, reason, set_by, set_at FROM ruad.exclusion_log;
COMMENT ON VIEW dmarc.exclusion_log IS
	'One row for each time that reports were taken out of the numbers (ruad exclude), or back (ruad include).';
COMMENT ON COLUMN dmarc.exclusion_log.id IS 'Number of the entry, ascending';
COMMENT ON COLUMN dmarc.exclusion_log.excluded IS 'Whether they were excluded; false: they were included again';
COMMENT ON COLUMN dmarc.exclusion_log.report IS 'Number of the report; NULL if it is the reports of a reporter';
COMMENT ON COLUMN dmarc.exclusion_log.org_name IS 'The reporter, as written';
COMMENT ON COLUMN dmarc.exclusion_log.since IS 'Of the reporter, the reports that begin at this time or later';
COMMENT ON COLUMN dmarc.exclusion_log.reports IS 'How many reports it changed';
COMMENT ON COLUMN dmarc.exclusion_log.reason IS 'Reason given with it';
COMMENT ON COLUMN dmarc.exclusion_log.set_by IS 'User of the operating system who did it';
COMMENT ON COLUMN dmarc.exclusion_log.set_at IS 'When it was done';

CREATE OR REPLACE VIEW dmarc.excluded_reports WITH (security_invoker = true) AS
SELECT r.id, r.domain, r.org_name, r.email, r.report_id, r.begin, r."end", r.day, r.records, r.messages, r.pass, r.mail,
	r.received_at, r.authentic, l.reason, l.set_by, l.set_at, r.domain_id
FROM api.any_report r
JOIN ruad.exclusion_log l ON l.id = r.exclusion;
COMMENT ON VIEW dmarc.excluded_reports IS
	'One row per aggregate report that is excluded: it is in no other view of aggregate reports, records or sums.';
COMMENT ON COLUMN dmarc.excluded_reports.id IS 'Number of the report in this database';
COMMENT ON COLUMN dmarc.excluded_reports.domain IS 'policy_published/domain';
COMMENT ON COLUMN dmarc.excluded_reports.org_name IS 'report_metadata/org_name: the reporter, as written';
COMMENT ON COLUMN dmarc.excluded_reports.email IS 'report_metadata/email';
COMMENT ON COLUMN dmarc.excluded_reports.report_id IS 'report_metadata/report_id';
COMMENT ON COLUMN dmarc.excluded_reports.begin IS 'report_metadata/date_range/begin';
COMMENT ON COLUMN dmarc.excluded_reports."end" IS 'report_metadata/date_range/end';
COMMENT ON COLUMN dmarc.excluded_reports.day IS 'The UTC day of begin';
COMMENT ON COLUMN dmarc.excluded_reports.records IS 'How many records the report has';
COMMENT ON COLUMN dmarc.excluded_reports.messages IS 'Messages reported';
COMMENT ON COLUMN dmarc.excluded_reports.pass IS 'Of these, messages that passed DMARC';
COMMENT ON COLUMN dmarc.excluded_reports.mail IS 'Number of the delivery that contained it, see dmarc.intake';
COMMENT ON COLUMN dmarc.excluded_reports.received_at IS 'When that delivery was received';
COMMENT ON COLUMN dmarc.excluded_reports.authentic IS 'Verdict of the local MTA on the mail, see dmarc.reports';
COMMENT ON COLUMN dmarc.excluded_reports.reason IS 'Reason given when it was excluded';
COMMENT ON COLUMN dmarc.excluded_reports.set_by IS 'User who excluded it';
COMMENT ON COLUMN dmarc.excluded_reports.set_at IS 'When it was excluded';
COMMENT ON COLUMN dmarc.excluded_reports.domain_id IS 'Number of the domain, see dmarc.domains';

CREATE OR REPLACE VIEW dmarc.record_dkim WITH (security_invoker = true) AS
SELECT r.report, r.record_no, s.no::integer AS signature_no, d.name AS domain, o.org_name, r.begin, r.day,
	r.source_ip, r.count, e.header_from, s.value ->> 'domain' AS dkim_domain, s.value ->> 'selector' AS selector,
	s.value ->> 'result' AS result, s.value ->> 'human_result' AS human_result, r.domain_id
FROM ruad.visible_record r
JOIN ruad.evaluation e ON e.domain_id = r.domain_id AND e.id = r.evaluation
LEFT JOIN ruad.domain d ON d.id = r.domain_id
LEFT JOIN ruad.reporter o ON o.id = r.reporter_id
CROSS JOIN LATERAL jsonb_path_query(e.auth_results, '$.dkim[*]') WITH ORDINALITY AS s(value, no);
COMMENT ON VIEW dmarc.record_dkim IS
	'One row per DKIM signature of a record. A record has none, one or many: never sum count over this view.';
COMMENT ON COLUMN dmarc.record_dkim.report IS 'Number of the report, see dmarc.reports.id';
COMMENT ON COLUMN dmarc.record_dkim.record_no IS 'Place of the record in the report, from 1';
COMMENT ON COLUMN dmarc.record_dkim.signature_no IS 'Place of the signature in the record, from 1';
COMMENT ON COLUMN dmarc.record_dkim.domain IS 'policy_published/domain of the report';
COMMENT ON COLUMN dmarc.record_dkim.begin IS 'report_metadata/date_range/begin of the report';
COMMENT ON COLUMN dmarc.record_dkim.source_ip IS 'row/source_ip of the record';
COMMENT ON COLUMN dmarc.record_dkim.count IS 'row/count of the record, the same in each of its rows: do not sum';
COMMENT ON COLUMN dmarc.record_dkim.header_from IS 'identifiers/header_from of the record';
COMMENT ON COLUMN dmarc.record_dkim.dkim_domain IS 'auth_results/dkim/domain: the d= of the signature';
COMMENT ON COLUMN dmarc.record_dkim.selector IS 'auth_results/dkim/selector: the s= of the signature';
COMMENT ON COLUMN dmarc.record_dkim.result IS 'auth_results/dkim/result, before alignment';
COMMENT ON COLUMN dmarc.record_dkim.human_result IS 'auth_results/dkim/human_result: the receiver''s words';
COMMENT ON COLUMN dmarc.record_dkim.org_name IS 'report_metadata/org_name of the report';
COMMENT ON COLUMN dmarc.record_dkim.day IS 'The UTC day of begin';
COMMENT ON COLUMN dmarc.record_dkim.domain_id IS 'Number of the domain, see dmarc.domains';

CREATE OR REPLACE VIEW dmarc.record_spf WITH (security_invoker = true) AS
SELECT r.report, r.record_no, s.no::integer AS result_no, d.name AS domain, o.org_name, r.begin, r.day,
	r.source_ip, r.count, e.header_from, s.value ->> 'domain' AS spf_domain, s.value ->> 'scope' AS scope,
	s.value ->> 'result' AS result, s.value ->> 'human_result' AS human_result, r.domain_id
FROM ruad.visible_record r
JOIN ruad.evaluation e ON e.domain_id = r.domain_id AND e.id = r.evaluation
LEFT JOIN ruad.domain d ON d.id = r.domain_id
LEFT JOIN ruad.reporter o ON o.id = r.reporter_id
CROSS JOIN LATERAL jsonb_path_query(e.auth_results, '$.spf[*]') WITH ORDINALITY AS s(value, no);
COMMENT ON VIEW dmarc.record_spf IS
	'One row per SPF result of a record. A record has none, one or two: never sum count over this view.';
COMMENT ON COLUMN dmarc.record_spf.report IS 'Number of the report, see dmarc.reports.id';
COMMENT ON COLUMN dmarc.record_spf.record_no IS 'Place of the record in the report, from 1';
COMMENT ON COLUMN dmarc.record_spf.result_no IS 'Place of the result in the record, from 1';
COMMENT ON COLUMN dmarc.record_spf.domain IS 'policy_published/domain of the report';
COMMENT ON COLUMN dmarc.record_spf.begin IS 'report_metadata/date_range/begin of the report';
COMMENT ON COLUMN dmarc.record_spf.source_ip IS 'row/source_ip of the record';
COMMENT ON COLUMN dmarc.record_spf.count IS 'row/count of the record, the same in each of its rows: do not sum';
COMMENT ON COLUMN dmarc.record_spf.header_from IS 'identifiers/header_from of the record';
COMMENT ON COLUMN dmarc.record_spf.spf_domain IS 'auth_results/spf/domain: the domain that was checked';
COMMENT ON COLUMN dmarc.record_spf.scope IS 'auth_results/spf/scope: mfrom or helo';
COMMENT ON COLUMN dmarc.record_spf.result IS 'auth_results/spf/result, before alignment';
COMMENT ON COLUMN dmarc.record_spf.human_result IS 'auth_results/spf/human_result: the receiver''s words';
COMMENT ON COLUMN dmarc.record_spf.org_name IS 'report_metadata/org_name of the report';
COMMENT ON COLUMN dmarc.record_spf.day IS 'The UTC day of begin';
COMMENT ON COLUMN dmarc.record_spf.domain_id IS 'Number of the domain, see dmarc.domains';

CREATE OR REPLACE VIEW dmarc.record_overrides WITH (security_invoker = true) AS
SELECT r.report, r.record_no, s.no::integer AS reason_no, d.name AS domain, o.org_name, r.begin, r.day,
	r.source_ip, r.count, e.header_from, e.disposition, s.value ->> 'type' AS type, s.value ->> 'comment' AS comment,
	r.domain_id
FROM ruad.visible_record r
JOIN ruad.evaluation e ON e.domain_id = r.domain_id AND e.id = r.evaluation
LEFT JOIN ruad.domain d ON d.id = r.domain_id
LEFT JOIN ruad.reporter o ON o.id = r.reporter_id
CROSS JOIN LATERAL jsonb_path_query(e.reason, '$[*]') WITH ORDINALITY AS s(value, no);
COMMENT ON VIEW dmarc.record_overrides IS
	'One row per reason why a receiver departed from the policy. A record has none, one or many: never '
		'sum count over this view.';
COMMENT ON COLUMN dmarc.record_overrides.report IS 'Number of the report, see dmarc.reports.id';
COMMENT ON COLUMN dmarc.record_overrides.record_no IS 'Place of the record in the report, from 1';
COMMENT ON COLUMN dmarc.record_overrides.reason_no IS 'Place of the reason in the record, from 1';
COMMENT ON COLUMN dmarc.record_overrides.domain IS 'policy_published/domain of the report';
COMMENT ON COLUMN dmarc.record_overrides.begin IS 'report_metadata/date_range/begin of the report';
COMMENT ON COLUMN dmarc.record_overrides.source_ip IS 'row/source_ip of the record';
COMMENT ON COLUMN dmarc.record_overrides.count IS 'row/count of the record, the same in each of its rows: do not sum';
COMMENT ON COLUMN dmarc.record_overrides.header_from IS 'identifiers/header_from of the record';
COMMENT ON COLUMN dmarc.record_overrides.disposition IS 'policy_evaluated/disposition of the record';
COMMENT ON COLUMN dmarc.record_overrides.type IS
	'policy_evaluated/reason/type: forwarded, mailing_list, local_policy, …';
COMMENT ON COLUMN dmarc.record_overrides.comment IS 'policy_evaluated/reason/comment: the receiver''s words';
COMMENT ON COLUMN dmarc.record_overrides.org_name IS 'report_metadata/org_name of the report';
COMMENT ON COLUMN dmarc.record_overrides.day IS 'The UTC day of begin';
COMMENT ON COLUMN dmarc.record_overrides.domain_id IS 'Number of the domain, see dmarc.domains';

CREATE OR REPLACE VIEW dmarc.sources_daily WITH (security_invoker = true) AS
SELECT domain, day, source_ip,
	count(*) AS records,
	coalesce(sum(count), 0) AS messages,
	coalesce(sum(count) FILTER (WHERE dmarc_pass), 0) AS pass,
	coalesce(sum(count) FILTER (WHERE NOT dmarc_pass), 0) AS fail,
	coalesce(sum(count) FILTER (WHERE dkim_aligned), 0) AS dkim_aligned,
	coalesce(sum(count) FILTER (WHERE spf_aligned), 0) AS spf_aligned,
	coalesce(sum(count) FILTER (WHERE disposition = 'quarantine'), 0) AS quarantine,
	coalesce(sum(count) FILTER (WHERE disposition = 'reject'), 0) AS reject,
	domain_id
FROM dmarc.records
GROUP BY domain, day, source_ip, domain_id;
COMMENT ON VIEW dmarc.sources_daily IS 'One row per domain, UTC day and sending address, in messages. Safe to sum.';
COMMENT ON COLUMN dmarc.sources_daily.domain IS 'policy_published/domain';
COMMENT ON COLUMN dmarc.sources_daily.day IS 'The UTC day of the reports'' begin';
COMMENT ON COLUMN dmarc.sources_daily.source_ip IS 'The sending address; NULL when it could not be read';
COMMENT ON COLUMN dmarc.sources_daily.records IS 'How many records';
COMMENT ON COLUMN dmarc.sources_daily.messages IS 'Messages';
COMMENT ON COLUMN dmarc.sources_daily.pass IS 'Of these, messages that passed DMARC';
COMMENT ON COLUMN dmarc.sources_daily.fail IS 'Of these, messages that did not';
COMMENT ON COLUMN dmarc.sources_daily.dkim_aligned IS 'Of these, messages with policy_evaluated/dkim = pass';
COMMENT ON COLUMN dmarc.sources_daily.spf_aligned IS 'Of these, messages with policy_evaluated/spf = pass';
COMMENT ON COLUMN dmarc.sources_daily.quarantine IS 'Of these, messages that the receiver quarantined';
COMMENT ON COLUMN dmarc.sources_daily.reject IS 'Of these, messages that the receiver rejected';
COMMENT ON COLUMN dmarc.sources_daily.domain_id IS 'Number of the domain, see dmarc.domains';

CREATE OR REPLACE VIEW dmarc.policies WITH (security_invoker = true) AS
SELECT domain, p, sp, np, adkim, aspf, pct, fo, testing,
	min(begin) AS first_seen, max(begin) AS last_seen, count(*) AS reports, count(DISTINCT org_name) AS reporters,
	domain_id
FROM dmarc.reports
GROUP BY domain, p, sp, np, adkim, aspf, pct, fo, testing, domain_id;
COMMENT ON VIEW dmarc.policies IS
	'One row per policy that reporters saw published for a domain. Periods overlap while DNS propagates.';
COMMENT ON COLUMN dmarc.policies.domain IS 'policy_published/domain';
COMMENT ON COLUMN dmarc.policies.p IS 'policy_published/p: policy for the domain';
COMMENT ON COLUMN dmarc.policies.sp IS 'policy_published/sp: policy for subdomains';
COMMENT ON COLUMN dmarc.policies.np IS 'policy_published/np: policy for subdomains that do not exist';
COMMENT ON COLUMN dmarc.policies.adkim IS 'policy_published/adkim: DKIM alignment, r or s';
COMMENT ON COLUMN dmarc.policies.aspf IS 'policy_published/aspf: SPF alignment, r or s';
COMMENT ON COLUMN dmarc.policies.pct IS 'policy_published/pct';
COMMENT ON COLUMN dmarc.policies.fo IS 'policy_published/fo';
COMMENT ON COLUMN dmarc.policies.testing IS 'policy_published/testing';
COMMENT ON COLUMN dmarc.policies.first_seen IS 'begin of the first report that shows it';
COMMENT ON COLUMN dmarc.policies.last_seen IS 'begin of the last report that shows it';
COMMENT ON COLUMN dmarc.policies.reports IS 'How many reports show it';
COMMENT ON COLUMN dmarc.policies.reporters IS 'By how many different org_name';
COMMENT ON COLUMN dmarc.policies.domain_id IS 'Number of the domain, see dmarc.domains';
