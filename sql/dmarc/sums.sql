-- sums.sql - views of the sums that are kept: right at every instant, and fast over long windows.
--
-- The count of ruad.stale, mostly 0, is taken once a query, and spares a look for each row. They join the sums with the reports that are not summed yet, and replace those of a domain and month that are stale by its records
-- (sql/retention/sums.sql). A cell may have several rows: sum them.

CREATE OR REPLACE VIEW dmarc.daily AS
SELECT d.name AS domain, s.day, f.header_from, f.auth_domain, f.class, f.disposition, f.dkim_aligned, f.spf_aligned,
	f.dkim_aligned OR f.spf_aligned AS dmarc_pass, f.override, s.messages, s.records, s.first_seen, s.last_seen, f.day AS month, s.domain_id
FROM (
	SELECT domain_id, day, facet, messages, records, first_seen, last_seen FROM ruad.sum_day t
	WHERE (SELECT count(*) = 0 FROM ruad.stale) OR NOT EXISTS (SELECT 1 FROM ruad.stale x WHERE x.domain_id = t.domain_id AND x.day = date_trunc('month', t.day::timestamp)::date)
	UNION ALL
	SELECT r.domain_id, r.day, e.facet, coalesce(r.count, 0), 1, r.begin, r.begin
	FROM ruad.unsummed u
	JOIN ruad.record r ON r.domain_id = u.domain_id AND r.day = u.day AND r.report = u.report
	JOIN ruad.evaluation e ON e.domain_id = r.domain_id AND e.day = date_trunc('month', r.day::timestamp)::date AND e.id = r.evaluation
	WHERE NOT EXISTS (SELECT 1 FROM ruad.stale x WHERE x.domain_id = u.domain_id AND x.day = date_trunc('month', u.day::timestamp)::date)
	UNION ALL
	SELECT r.domain_id, r.day, e.facet, coalesce(r.count, 0), 1, r.begin, r.begin
	FROM (SELECT DISTINCT domain_id, day FROM ruad.stale) x
	JOIN ruad.record r ON r.domain_id = x.domain_id AND r.day >= x.day AND r.day < (x.day + interval '1 month')::date
	JOIN ruad.evaluation e ON e.domain_id = r.domain_id AND e.day = date_trunc('month', r.day::timestamp)::date AND e.id = r.evaluation
) s
JOIN ruad.facet f ON f.domain_id = s.domain_id AND f.id = s.facet
LEFT JOIN ruad.domain d ON d.id = s.domain_id;
COMMENT ON VIEW dmarc.daily IS 'Messages per domain, UTC day and what was found about them, without addresses: sums of dmarc.records that are kept. Sum messages and records.';
COMMENT ON COLUMN dmarc.daily.domain IS 'policy_published/domain';
COMMENT ON COLUMN dmarc.daily.day IS 'The UTC day of the reports'' begin';
COMMENT ON COLUMN dmarc.daily.header_from IS 'identifiers/header_from: domain of the From header';
COMMENT ON COLUMN dmarc.daily.auth_domain IS 'Domain that the mail authenticated as, see dmarc.records';
COMMENT ON COLUMN dmarc.daily.class IS 'pass, fail_overridden, fail_altered, fail_unaligned, fail_unauthenticated or unknown';
COMMENT ON COLUMN dmarc.daily.disposition IS 'policy_evaluated/disposition';
COMMENT ON COLUMN dmarc.daily.dkim_aligned IS 'policy_evaluated/dkim is pass; never NULL';
COMMENT ON COLUMN dmarc.daily.spf_aligned IS 'policy_evaluated/spf is pass; never NULL';
COMMENT ON COLUMN dmarc.daily.dmarc_pass IS 'One of them is pass; never NULL';
COMMENT ON COLUMN dmarc.daily.override IS 'Types of the reasons why a receiver departed from the policy, each once; NULL without a reason';
COMMENT ON COLUMN dmarc.daily.messages IS 'Messages';
COMMENT ON COLUMN dmarc.daily.records IS 'How many records';
COMMENT ON COLUMN dmarc.daily.first_seen IS 'Least begin of their reports';
COMMENT ON COLUMN dmarc.daily.last_seen IS 'Largest begin of their reports';
COMMENT ON COLUMN dmarc.daily.month IS 'First day of the month of day: a condition on it, beside one on day, makes queries over few months faster';
COMMENT ON COLUMN dmarc.daily.domain_id IS 'Number of the domain, see dmarc.domains';

CREATE OR REPLACE VIEW dmarc.monthly AS
SELECT d.name AS domain, s.day AS month, s.source_ip, f.header_from, f.auth_domain, f.class, f.disposition, f.dkim_aligned, f.spf_aligned,
	f.dkim_aligned OR f.spf_aligned AS dmarc_pass, f.override, s.messages, s.records, s.first_seen, s.last_seen, s.domain_id
FROM (
	SELECT domain_id, day, source_ip, facet, messages, records, first_seen, last_seen FROM ruad.sum_month t
	WHERE (SELECT count(*) = 0 FROM ruad.stale) OR NOT EXISTS (SELECT 1 FROM ruad.stale x WHERE x.domain_id = t.domain_id AND x.day = t.day)
	UNION ALL
	SELECT r.domain_id, date_trunc('month', u.day::timestamp)::date, r.source_ip, e.facet, coalesce(r.count, 0), 1, r.begin, r.begin
	FROM ruad.unsummed u
	JOIN ruad.record r ON r.domain_id = u.domain_id AND r.day = u.day AND r.report = u.report
	JOIN ruad.evaluation e ON e.domain_id = r.domain_id AND e.day = date_trunc('month', r.day::timestamp)::date AND e.id = r.evaluation
	WHERE NOT EXISTS (SELECT 1 FROM ruad.stale x WHERE x.domain_id = u.domain_id AND x.day = date_trunc('month', u.day::timestamp)::date)
	UNION ALL
	SELECT r.domain_id, x.day, r.source_ip, e.facet, coalesce(r.count, 0), 1, r.begin, r.begin
	FROM (SELECT DISTINCT domain_id, day FROM ruad.stale) x
	JOIN ruad.record r ON r.domain_id = x.domain_id AND r.day >= x.day AND r.day < (x.day + interval '1 month')::date
	JOIN ruad.evaluation e ON e.domain_id = r.domain_id AND e.day = date_trunc('month', r.day::timestamp)::date AND e.id = r.evaluation
) s
JOIN ruad.facet f ON f.domain_id = s.domain_id AND f.id = s.facet
LEFT JOIN ruad.domain d ON d.id = s.domain_id;
COMMENT ON VIEW dmarc.monthly IS 'Messages per domain, month, sending address and what was found about them: sums of dmarc.records that are kept. Sum messages and records.';
COMMENT ON COLUMN dmarc.monthly.domain IS 'policy_published/domain';
COMMENT ON COLUMN dmarc.monthly.month IS 'First day of the month of the reports'' begin, in UTC';
COMMENT ON COLUMN dmarc.monthly.source_ip IS 'The address that sent; NULL when reports did not say it readably';
COMMENT ON COLUMN dmarc.monthly.header_from IS 'identifiers/header_from: domain of the From header';
COMMENT ON COLUMN dmarc.monthly.auth_domain IS 'Domain that the mail authenticated as, see dmarc.records';
COMMENT ON COLUMN dmarc.monthly.class IS 'pass, fail_overridden, fail_altered, fail_unaligned, fail_unauthenticated or unknown';
COMMENT ON COLUMN dmarc.monthly.disposition IS 'policy_evaluated/disposition';
COMMENT ON COLUMN dmarc.monthly.dkim_aligned IS 'policy_evaluated/dkim is pass; never NULL';
COMMENT ON COLUMN dmarc.monthly.spf_aligned IS 'policy_evaluated/spf is pass; never NULL';
COMMENT ON COLUMN dmarc.monthly.dmarc_pass IS 'One of them is pass; never NULL';
COMMENT ON COLUMN dmarc.monthly.override IS 'Types of the reasons why a receiver departed from the policy, each once; NULL without a reason';
COMMENT ON COLUMN dmarc.monthly.messages IS 'Messages';
COMMENT ON COLUMN dmarc.monthly.records IS 'How many records';
COMMENT ON COLUMN dmarc.monthly.first_seen IS 'Least begin of their reports';
COMMENT ON COLUMN dmarc.monthly.last_seen IS 'Largest begin of their reports';
COMMENT ON COLUMN dmarc.monthly.domain_id IS 'Number of the domain, see dmarc.domains';

CREATE OR REPLACE VIEW dmarc.first_seen AS
SELECT s.source_ip, d.name AS domain, s.first_seen, s.domain_id
FROM (
	SELECT t.domain_id, t.source_ip, t.first_seen FROM ruad.seen t
	WHERE (SELECT count(*) = 0 FROM ruad.stale) OR NOT EXISTS (SELECT 1 FROM ruad.stale x WHERE (x.domain_id = t.domain_id OR t.domain_id = 0)
		AND x.day = date_trunc('month', t.first_seen AT TIME ZONE 'UTC')::date)
	UNION ALL
	SELECT t.domain_id, t.source_ip, m.first_seen FROM ruad.seen t
	CROSS JOIN LATERAL (SELECT min(m.first_seen) AS first_seen FROM dmarc.monthly m
		WHERE m.source_ip = t.source_ip AND (t.domain_id = 0 OR m.domain_id = t.domain_id) HAVING count(*) > 0) m
	WHERE EXISTS (SELECT 1 FROM ruad.stale x WHERE (x.domain_id = t.domain_id OR t.domain_id = 0)
		AND x.day = date_trunc('month', t.first_seen AT TIME ZONE 'UTC')::date)
	UNION ALL
	SELECT n.domain_id, r.source_ip, r.begin
	FROM ruad.unsummed u
	JOIN ruad.record r ON r.domain_id = u.domain_id AND r.day = u.day AND r.report = u.report
	CROSS JOIN LATERAL (VALUES (0), (u.domain_id)) AS n(domain_id)
	WHERE r.source_ip IS NOT NULL
	UNION ALL
	SELECT n.domain_id, r.source_ip, r.begin
	FROM (SELECT DISTINCT domain_id, day FROM ruad.stale) x
	JOIN ruad.record r ON r.domain_id = x.domain_id AND r.day >= x.day AND r.day < (x.day + interval '1 month')::date
	CROSS JOIN LATERAL (VALUES (0), (x.domain_id)) AS n(domain_id)
	WHERE r.source_ip IS NOT NULL
) s
LEFT JOIN ruad.domain d ON d.id = s.domain_id;
COMMENT ON VIEW dmarc.first_seen IS 'When an address was first reported, for each domain and (domain NULL) for any. It may have several rows: take the least.';
COMMENT ON COLUMN dmarc.first_seen.source_ip IS 'The address that sent';
COMMENT ON COLUMN dmarc.first_seen.domain IS 'policy_published/domain; NULL: any domain';
COMMENT ON COLUMN dmarc.first_seen.first_seen IS 'begin of the first report on it';
COMMENT ON COLUMN dmarc.first_seen.domain_id IS 'Number of the domain, see dmarc.domains; 0: any domain';

CREATE OR REPLACE VIEW dmarc.last_seen AS
SELECT s.source_ip, d.name AS domain, s.last_seen, s.domain_id
FROM (
	SELECT t.domain_id, t.source_ip, t.last_seen FROM ruad.seen t
	WHERE (SELECT count(*) = 0 FROM ruad.stale) OR NOT EXISTS (SELECT 1 FROM ruad.stale x WHERE (x.domain_id = t.domain_id OR t.domain_id = 0)
		AND x.day = date_trunc('month', t.last_seen AT TIME ZONE 'UTC')::date)
	UNION ALL
	SELECT t.domain_id, t.source_ip, m.last_seen FROM ruad.seen t
	CROSS JOIN LATERAL (SELECT max(m.last_seen) AS last_seen FROM dmarc.monthly m
		WHERE m.source_ip = t.source_ip AND (t.domain_id = 0 OR m.domain_id = t.domain_id) HAVING count(*) > 0) m
	WHERE EXISTS (SELECT 1 FROM ruad.stale x WHERE (x.domain_id = t.domain_id OR t.domain_id = 0)
		AND x.day = date_trunc('month', t.last_seen AT TIME ZONE 'UTC')::date)
	UNION ALL
	SELECT n.domain_id, r.source_ip, r.begin
	FROM ruad.unsummed u
	JOIN ruad.record r ON r.domain_id = u.domain_id AND r.day = u.day AND r.report = u.report
	CROSS JOIN LATERAL (VALUES (0), (u.domain_id)) AS n(domain_id)
	WHERE r.source_ip IS NOT NULL
	UNION ALL
	SELECT n.domain_id, r.source_ip, r.begin
	FROM (SELECT DISTINCT domain_id, day FROM ruad.stale) x
	JOIN ruad.record r ON r.domain_id = x.domain_id AND r.day >= x.day AND r.day < (x.day + interval '1 month')::date
	CROSS JOIN LATERAL (VALUES (0), (x.domain_id)) AS n(domain_id)
	WHERE r.source_ip IS NOT NULL
) s
LEFT JOIN ruad.domain d ON d.id = s.domain_id;
COMMENT ON VIEW dmarc.last_seen IS 'When an address was last reported, for each domain and (domain NULL) for any. It may have several rows: take the largest.';
COMMENT ON COLUMN dmarc.last_seen.source_ip IS 'The address that sent';
COMMENT ON COLUMN dmarc.last_seen.domain IS 'policy_published/domain; NULL: any domain';
COMMENT ON COLUMN dmarc.last_seen.last_seen IS 'begin of the last report on it';
COMMENT ON COLUMN dmarc.last_seen.domain_id IS 'Number of the domain, see dmarc.domains; 0: any domain';
