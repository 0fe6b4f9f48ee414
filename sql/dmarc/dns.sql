-- dns.sql - views of the checks of domains' DNS.

-- The results of the checks, for audits. The members of the document are those of ruad check --json.
CREATE OR REPLACE VIEW dmarc.dns_checks WITH (security_invoker = true) AS
SELECT d.name AS domain, c.checked_at, (c.result -> 'ok')::boolean AS ok, c.result, c.domain_id
FROM ruad.dns_check c JOIN ruad.domain d ON d.id = c.domain_id
WHERE c.result IS NOT NULL;
COMMENT ON VIEW dmarc.dns_checks IS
	'One row per domain whose DNS was checked: the result of ruad check. ruad-enrich renews it.';
COMMENT ON COLUMN dmarc.dns_checks.domain IS 'The domain';
COMMENT ON COLUMN dmarc.dns_checks.checked_at IS 'When it was checked';
COMMENT ON COLUMN dmarc.dns_checks.ok IS 'Whether no finding is an error';
COMMENT ON COLUMN dmarc.dns_checks.result IS 'The document of ruad check --json';
COMMENT ON COLUMN dmarc.dns_checks.domain_id IS 'Number of the domain, see dmarc.domains';

CREATE OR REPLACE VIEW dmarc.dns_findings WITH (security_invoker = true) AS
SELECT d.name AS domain, c.checked_at, f.no::integer AS finding_no, f.v ->> 'severity' AS severity,
	f.v ->> 'code' AS code, f.v ->> 'place' AS place, f.v ->> 'text' AS text, f.v ->> 'fix' AS fix, c.domain_id
FROM ruad.dns_check c JOIN ruad.domain d ON d.id = c.domain_id
CROSS JOIN LATERAL jsonb_path_query(c.result, '$.findings[*]') WITH ORDINALITY AS f(v, no);
COMMENT ON VIEW dmarc.dns_findings IS 'One row per finding of the check of a domain''s DNS.';
COMMENT ON COLUMN dmarc.dns_findings.domain IS 'The domain';
COMMENT ON COLUMN dmarc.dns_findings.checked_at IS 'When it was checked';
COMMENT ON COLUMN dmarc.dns_findings.finding_no IS 'Place in the list, from 1';
COMMENT ON COLUMN dmarc.dns_findings.severity IS 'error, warning or info';
COMMENT ON COLUMN dmarc.dns_findings.code IS 'Code of the finding, for grouping';
COMMENT ON COLUMN dmarc.dns_findings.place IS 'Name in the DNS, and where in its record';
COMMENT ON COLUMN dmarc.dns_findings.text IS 'The finding in a sentence';
COMMENT ON COLUMN dmarc.dns_findings.fix IS 'What to do, or the record to publish';
COMMENT ON COLUMN dmarc.dns_findings.domain_id IS 'Number of the domain, see dmarc.domains';

CREATE OR REPLACE VIEW dmarc.spf_ranges WITH (security_invoker = true) AS
SELECT d.name AS domain, (r.v ->> 'range')::cidr AS range, r.v ->> 'qualifier' AS qualifier, r.v ->> 'term' AS term,
	r.v ->> 'via' AS via, c.domain_id
FROM ruad.dns_check c JOIN ruad.domain d ON d.id = c.domain_id
CROSS JOIN LATERAL jsonb_path_query(c.result, '$.spf.ranges[*]') AS r(v);
COMMENT ON VIEW dmarc.spf_ranges IS
	'One row per range of addresses that a domain''s SPF names today: source_ip <<= range joins it with records.';
COMMENT ON COLUMN dmarc.spf_ranges.domain IS 'The domain';
COMMENT ON COLUMN dmarc.spf_ranges.range IS 'Addresses';
COMMENT ON COLUMN dmarc.spf_ranges.qualifier IS '+ pass, - fail, ~ softfail, ? neutral';
COMMENT ON COLUMN dmarc.spf_ranges.term IS 'The term that names them';
COMMENT ON COLUMN dmarc.spf_ranges.via IS 'The domain whose record contains it';
COMMENT ON COLUMN dmarc.spf_ranges.domain_id IS 'Number of the domain, see dmarc.domains';

CREATE OR REPLACE VIEW dmarc.dns_history WITH (security_invoker = true) AS
SELECT d.name AS domain, v.kind, v.name, v.value, v.since, v.until, NOT v.is_first AS is_change,
	lag(v.value) OVER (PARTITION BY v.domain_id, v.kind, v.name ORDER BY v.since) AS value_before, v.domain_id
FROM ruad.dns_version v JOIN ruad.domain d ON d.id = v.domain_id;
COMMENT ON VIEW dmarc.dns_history IS
	'One row per version of a record that the checks of a domain''s DNS found. Times are those of checks.';
COMMENT ON COLUMN dmarc.dns_history.domain IS 'The domain';
COMMENT ON COLUMN dmarc.dns_history.kind IS 'dmarc, spf, dkim, mx or tlsrpt';
COMMENT ON COLUMN dmarc.dns_history.name IS 'Name in the DNS';
COMMENT ON COLUMN dmarc.dns_history.value IS
	'The record; of dkim the state, type and size of the key, of mx all hosts; NULL: there was none';
COMMENT ON COLUMN dmarc.dns_history.since IS 'The first check that found it';
COMMENT ON COLUMN dmarc.dns_history.until IS 'The first check that found another; NULL: it is the present one';
COMMENT ON COLUMN dmarc.dns_history.is_change IS 'Whether an earlier check found another; the first check is no change';
COMMENT ON COLUMN dmarc.dns_history.value_before IS 'The version before it';
COMMENT ON COLUMN dmarc.dns_history.domain_id IS 'Number of the domain, see dmarc.domains';
