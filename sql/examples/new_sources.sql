-- new_sources - which sources sent as a domain for the first time.
--
--    domain    |          source          | first_day  | messages | pass
-- -------------+--------------------------+------------+----------+------
--  example.com | domain:forwarder.example | 2026-03-01 |       58 |   50
--  example.com | service:mailer           | 2026-03-01 |       50 |   40
--  example.com | ip:203.0.113.66          | 2026-03-01 |       38 |    0
--  example.net | ip:203.0.113.66          | 2026-03-03 |       12 |    0
-- (4 rows)
\ir period.sql

SELECT s.domain, s.source, s.first_seen::date AS first_day, sum(r.count) AS messages,
	coalesce(sum(r.count) FILTER (WHERE r.dmarc_pass), 0) AS pass
FROM (
	SELECT s.domain, coalesce(a.source, 'ip:' || host(s.source_ip)) AS source, min(s.first_seen) AS first_seen
	FROM dmarc.seen s
	LEFT JOIN dmarc.addresses a ON a.source_ip = s.source_ip
	WHERE s.domain IS NOT NULL
	GROUP BY 1, 2
) s
JOIN dmarc.records r ON r.domain = s.domain AND r.source = s.source
WHERE s.first_seen >= :'from' AND s.first_seen < :'to' AND r.day >= :'from' AND r.day < :'to'
GROUP BY s.domain, s.source, s.first_seen
ORDER BY s.domain, messages DESC, s.source;
