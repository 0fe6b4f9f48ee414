-- failure_reports - which addresses failure reports name, why their mail failed, and how many messages they represent.
--
--    domain    |  source_ip   | auth_failure | delivery_result | reports | messages |  last_day
-- -------------+--------------+--------------+-----------------+---------+----------+------------
--  example.com | 203.0.113.66 | dmarc        | reject          |       2 |        4 | 2026-03-12
--  example.com | 198.51.100.7 | dmarc        | reject          |       1 |        1 | 2026-03-01
-- (2 rows)
\ir period.sql

SELECT domain, source_ip, auth_failure, delivery_result, count(*) AS reports, sum(coalesce(incidents, 1)) AS messages,
	max(day) AS last_day
FROM dmarc.failure_reports
WHERE kind = 'failure' AND day >= :'from' AND day < :'to'
GROUP BY domain, source_ip, auth_failure, delivery_result
ORDER BY messages DESC, domain, source_ip, auth_failure;
