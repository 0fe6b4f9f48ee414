-- sums.sql - views of the stored sums (sql/retention/sums.sql), and of the records that are not in them.
--
-- The views of schema dmarc are correct at every instant: they omit the sums of a domain and month that are stale,
-- and add the records that are in no sum. The views of schema api are their parts: if nothing waits to be summed,
-- api.sum_day, api.sum_month and api.seen give the same result and are planned in a tenth of the time. ruad.stale is
-- usually empty: its rows are counted once per query, which avoids a lookup for each row.

CREATE OR REPLACE VIEW api.unsummed WITH (security_invoker = true) AS SELECT day, domain_id FROM ruad.unsummed;
CREATE OR REPLACE VIEW api.stale WITH (security_invoker = true) AS
SELECT DISTINCT day AS month, domain_id FROM ruad.stale;

-- The columns of a facet.
CREATE OR REPLACE VIEW api.facet WITH (security_invoker = true) AS
SELECT d.name AS domain, f.id AS facet, f.header_from, f.auth_domain, f.class, f.disposition, f.dkim_aligned,
	f.spf_aligned, f.dkim_aligned OR f.spf_aligned AS dmarc_pass, f.override, f.domain_id
FROM ruad.facet f
LEFT JOIN ruad.domain d ON d.id = f.domain_id;

-- The records that are in no sum.
CREATE OR REPLACE VIEW api.waiting WITH (security_invoker = true) AS
SELECT d.name AS domain, r.day, date_trunc('month', r.day::timestamp)::date AS month, r.source_ip, e.header_from,
	e.auth_domain, e.class, e.disposition, e.dkim IS NOT DISTINCT FROM 'pass' AS dkim_aligned,
	e.spf IS NOT DISTINCT FROM 'pass' AS spf_aligned,
	e.dkim IS NOT DISTINCT FROM 'pass' OR e.spf IS NOT DISTINCT FROM 'pass' AS dmarc_pass, e.override,
	coalesce(r.count, 0) AS messages, 1::bigint AS records, r.begin AS first_seen, r.begin AS last_seen, e.facet,
	r.domain_id
FROM (
	SELECT r.domain_id, r.day, r.begin, r.source_ip, r.count, r.evaluation
	FROM ruad.unsummed u
	JOIN ruad.visible_record r ON r.domain_id = u.domain_id AND r.day = u.day AND r.report = u.report
	WHERE NOT EXISTS (SELECT 1 FROM ruad.stale x WHERE x.domain_id = u.domain_id
		AND x.day = date_trunc('month', u.day::timestamp)::date)
	UNION ALL
	SELECT r.domain_id, r.day, r.begin, r.source_ip, r.count, r.evaluation
	FROM api.stale x
	JOIN ruad.visible_record r ON r.domain_id = x.domain_id AND r.day >= x.month
		AND r.day < (x.month + interval '1 month')::date
) r
JOIN ruad.evaluation e ON e.domain_id = r.domain_id AND e.day = date_trunc('month', r.day::timestamp)::date
	AND e.id = r.evaluation
LEFT JOIN ruad.domain d ON d.id = r.domain_id;

CREATE OR REPLACE VIEW api.sum_day WITH (security_invoker = true) AS
SELECT d.name AS domain, s.day, f.header_from, f.auth_domain, f.class, f.disposition, f.dkim_aligned, f.spf_aligned,
	f.dkim_aligned OR f.spf_aligned AS dmarc_pass, f.override, s.messages, s.records, s.first_seen,
	s.last_seen, s.facet, s.domain_id
FROM ruad.sum_day s
LEFT JOIN ruad.facet f ON f.domain_id = s.domain_id AND f.id = s.facet
LEFT JOIN ruad.domain d ON d.id = s.domain_id;

CREATE OR REPLACE VIEW api.sum_month WITH (security_invoker = true) AS
SELECT d.name AS domain, s.day AS month, s.source_ip, f.header_from, f.auth_domain, f.class, f.disposition,
	s.dkim_aligned, s.spf_aligned, s.dkim_aligned OR s.spf_aligned AS dmarc_pass, f.override, s.messages,
	s.records::bigint AS records, s.first_seen, s.last_seen, s.facet, s.domain_id
FROM ruad.sum_month s
LEFT JOIN ruad.facet f ON f.domain_id = s.domain_id AND f.id = s.facet
LEFT JOIN ruad.domain d ON d.id = s.domain_id;

CREATE OR REPLACE VIEW api.seen WITH (security_invoker = true) AS
SELECT s.source_ip, d.name AS domain, s.first_seen, s.last_seen, s.domain_id
FROM ruad.seen s
LEFT JOIN ruad.domain d ON d.id = s.domain_id;

CREATE OR REPLACE VIEW dmarc.daily WITH (security_invoker = true) AS
SELECT s.domain, s.day, s.header_from, s.auth_domain, s.class, s.disposition, s.dkim_aligned, s.spf_aligned,
	s.dmarc_pass, s.override, s.messages, s.records, s.first_seen, s.last_seen, s.facet, s.domain_id
FROM api.sum_day s
WHERE (SELECT count(*) = 0 FROM ruad.stale)
	OR NOT EXISTS (SELECT 1 FROM ruad.stale x WHERE x.domain_id = s.domain_id
		AND x.day = date_trunc('month', s.day::timestamp)::date)
UNION ALL
SELECT w.domain, w.day, w.header_from, w.auth_domain, w.class, w.disposition, w.dkim_aligned, w.spf_aligned,
	w.dmarc_pass, w.override, w.messages, w.records, w.first_seen, w.last_seen, w.facet, w.domain_id
FROM api.waiting w;
COMMENT ON VIEW dmarc.daily IS
	'Messages per domain, UTC day and result, without addresses: stored sums of dmarc.records. Sum messages and '
		'records.';
COMMENT ON COLUMN dmarc.daily.domain IS 'policy_published/domain';
COMMENT ON COLUMN dmarc.daily.day IS 'The UTC day of the reports'' begin';
COMMENT ON COLUMN dmarc.daily.header_from IS 'identifiers/header_from: domain of the From header';
COMMENT ON COLUMN dmarc.daily.auth_domain IS 'Domain that the mail authenticated as, see dmarc.records';
COMMENT ON COLUMN dmarc.daily.class IS
	'pass, fail_overridden, fail_altered, fail_unaligned, fail_unauthenticated or unknown';
COMMENT ON COLUMN dmarc.daily.disposition IS 'policy_evaluated/disposition';
COMMENT ON COLUMN dmarc.daily.dkim_aligned IS 'policy_evaluated/dkim is pass; never NULL';
COMMENT ON COLUMN dmarc.daily.spf_aligned IS 'policy_evaluated/spf is pass; never NULL';
COMMENT ON COLUMN dmarc.daily.dmarc_pass IS 'One of these is pass; never NULL';
COMMENT ON COLUMN dmarc.daily.override IS
	'Types of the reasons why a receiver departed from the policy, each once; NULL without a reason';
COMMENT ON COLUMN dmarc.daily.messages IS 'Messages';
COMMENT ON COLUMN dmarc.daily.records IS 'How many records';
COMMENT ON COLUMN dmarc.daily.first_seen IS 'Smallest begin of their reports';
COMMENT ON COLUMN dmarc.daily.last_seen IS 'Largest begin of their reports';
COMMENT ON COLUMN dmarc.daily.facet IS
	'Number of the combination of header_from, auth_domain, class, disposition, alignment and override within the '
		'domain';
COMMENT ON COLUMN dmarc.daily.domain_id IS 'Number of the domain, see dmarc.domains';

CREATE OR REPLACE VIEW dmarc.monthly WITH (security_invoker = true) AS
SELECT s.domain, s.month, s.source_ip, s.header_from, s.auth_domain, s.class, s.disposition, s.dkim_aligned,
	s.spf_aligned, s.dmarc_pass, s.override, s.messages, s.records, s.first_seen, s.last_seen, s.facet, s.domain_id
FROM api.sum_month s
WHERE (SELECT count(*) = 0 FROM ruad.stale)
	OR NOT EXISTS (SELECT 1 FROM ruad.stale x WHERE x.domain_id = s.domain_id AND x.day = s.month)
UNION ALL
SELECT w.domain, w.month, w.source_ip, w.header_from, w.auth_domain, w.class, w.disposition, w.dkim_aligned,
	w.spf_aligned, w.dmarc_pass, w.override, w.messages, w.records, w.first_seen, w.last_seen, w.facet, w.domain_id
FROM api.waiting w;
COMMENT ON VIEW dmarc.monthly IS
	'Messages per domain, month, sending address and result: stored sums of dmarc.records. Sum messages and records.';
COMMENT ON COLUMN dmarc.monthly.domain IS 'policy_published/domain';
COMMENT ON COLUMN dmarc.monthly.month IS 'First day of the month of the reports'' begin, in UTC';
COMMENT ON COLUMN dmarc.monthly.source_ip IS 'The sending address; NULL when it could not be read';
COMMENT ON COLUMN dmarc.monthly.header_from IS 'identifiers/header_from: domain of the From header';
COMMENT ON COLUMN dmarc.monthly.auth_domain IS 'Domain that the mail authenticated as, see dmarc.records';
COMMENT ON COLUMN dmarc.monthly.class IS
	'pass, fail_overridden, fail_altered, fail_unaligned, fail_unauthenticated or unknown';
COMMENT ON COLUMN dmarc.monthly.disposition IS 'policy_evaluated/disposition';
COMMENT ON COLUMN dmarc.monthly.dkim_aligned IS 'policy_evaluated/dkim is pass; never NULL';
COMMENT ON COLUMN dmarc.monthly.spf_aligned IS 'policy_evaluated/spf is pass; never NULL';
COMMENT ON COLUMN dmarc.monthly.dmarc_pass IS 'One of these is pass; never NULL';
COMMENT ON COLUMN dmarc.monthly.override IS
	'Types of the reasons why a receiver departed from the policy, each once; NULL without a reason';
COMMENT ON COLUMN dmarc.monthly.messages IS 'Messages';
COMMENT ON COLUMN dmarc.monthly.records IS 'How many records';
COMMENT ON COLUMN dmarc.monthly.first_seen IS 'Smallest begin of their reports';
COMMENT ON COLUMN dmarc.monthly.last_seen IS 'Largest begin of their reports';
COMMENT ON COLUMN dmarc.monthly.facet IS
	'Number of the combination of header_from, auth_domain, class, disposition, alignment and override within the '
		'domain';
COMMENT ON COLUMN dmarc.monthly.domain_id IS 'Number of the domain, see dmarc.domains';

-- The rows of ruad.seen that a stale month may have made wrong are computed from the sums by month.
CREATE OR REPLACE VIEW dmarc.seen WITH (security_invoker = true) AS
SELECT s.source_ip, s.domain, s.first_seen, s.last_seen, s.domain_id
FROM api.seen s
WHERE (SELECT count(*) = 0 FROM ruad.stale)
	OR NOT EXISTS (SELECT 1 FROM ruad.stale x WHERE (x.domain_id = s.domain_id OR s.domain_id = 0)
		AND x.day IN (date_trunc('month', s.first_seen AT TIME ZONE 'UTC')::date,
		date_trunc('month', s.last_seen AT TIME ZONE 'UTC')::date))
UNION ALL
SELECT s.source_ip, s.domain, m.first_seen, m.last_seen, s.domain_id
FROM api.seen s
CROSS JOIN LATERAL (SELECT min(m.first_seen) AS first_seen, max(m.last_seen) AS last_seen FROM dmarc.monthly m
	WHERE m.source_ip = s.source_ip AND (s.domain_id = 0 OR m.domain_id = s.domain_id) HAVING count(*) > 0) m
WHERE (SELECT count(*) > 0 FROM ruad.stale)
	AND EXISTS (SELECT 1 FROM ruad.stale x WHERE (x.domain_id = s.domain_id OR s.domain_id = 0)
		AND x.day IN (date_trunc('month', s.first_seen AT TIME ZONE 'UTC')::date,
		date_trunc('month', s.last_seen AT TIME ZONE 'UTC')::date))
UNION ALL
SELECT w.source_ip, n.domain, w.first_seen, w.last_seen, n.domain_id
FROM api.waiting w
CROSS JOIN LATERAL (VALUES (NULL, 0), (w.domain, w.domain_id)) AS n(domain, domain_id)
WHERE w.source_ip IS NOT NULL;
COMMENT ON VIEW dmarc.seen IS
	'When an address was first and last reported, for each domain and (domain NULL) for any domain. An address may '
		'have several rows: use the smallest first_seen and the largest last_seen.';
COMMENT ON COLUMN dmarc.seen.source_ip IS 'The sending address';
COMMENT ON COLUMN dmarc.seen.domain IS 'policy_published/domain; NULL: any domain';
COMMENT ON COLUMN dmarc.seen.first_seen IS 'begin of the first report on it';
COMMENT ON COLUMN dmarc.seen.last_seen IS 'begin of the last report on it';
COMMENT ON COLUMN dmarc.seen.domain_id IS 'Number of the domain, see dmarc.domains; 0: any domain';
