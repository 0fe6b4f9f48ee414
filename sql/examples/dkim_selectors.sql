-- dkim_selectors - which DKIM keys are in use, how many of their signatures do not pass, and their first and last day.
--
--  dkim_domain | selector | signatures | not_pass | addresses | first_day  |  last_day
-- -------------+----------+------------+----------+-----------+------------+------------
--  example.com | s1       |        153 |        3 |         2 | 2026-03-01 | 2026-03-10
--  example.com | m1       |         40 |        0 |         1 | 2026-03-01 | 2026-03-01
-- (2 rows)
\ir period.sql

SELECT dkim_domain, selector, sum(count) AS signatures,
	coalesce(sum(count) FILTER (WHERE result <> 'pass'), 0) AS not_pass,
	count(DISTINCT source_ip) AS addresses, min(day) AS first_day, max(day) AS last_day
FROM dmarc.record_dkim
WHERE day >= :'from' AND day < :'to'
GROUP BY dkim_domain, selector
ORDER BY dkim_domain, signatures DESC, selector;
