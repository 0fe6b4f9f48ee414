-- tls_failures - which mail hosts fail TLS, how, and for how many reporters. A report may count a session in several
-- entries, so sessions is an upper bound.
--
--  policy_domain |             mx             |      result_type       | sessions | reporters |  last_day
-- ---------------+----------------------------+------------------------+----------+-----------+------------
--  example.com   | mx2.mail.company-y.example | starttls-not-supported |      400 |         2 | 2026-03-08
--  example.com   | mx1.mail.company-y.example | certificate-expired    |      200 |         2 | 2026-03-08
-- (2 rows)
\ir period.sql

SELECT policy_domain, coalesce(receiving_mx_hostname, '(not named)') AS mx, result_type,
	sum(failed_session_count) AS sessions, count(DISTINCT organization_name) AS reporters, max(day) AS last_day
FROM dmarc.tls_failures
WHERE day >= :'from' AND day < :'to'
GROUP BY policy_domain, mx, result_type
ORDER BY policy_domain, sessions DESC, mx, result_type;
