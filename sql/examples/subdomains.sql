-- subdomains - which domains below a domain send, from how many sources, and how much of it fails.
--
--    domain    |   header_from    | messages | fail | sources |  last_day
-- -------------+------------------+----------+------+---------+------------
--  example.com | news.example.com |       10 |   10 |       1 | 2026-03-01
--  example.com | a.example.com    |        8 |    8 |       1 | 2026-03-10
-- (2 rows)
\ir period.sql

SELECT domain, header_from, sum(count) AS messages,
	coalesce(sum(count) FILTER (WHERE class LIKE 'fail%'), 0) AS fail,
	count(DISTINCT source) AS sources, max(day) AS last_day
FROM dmarc.records
WHERE day >= :'from' AND day < :'to' AND header_from <> domain
GROUP BY domain, header_from
ORDER BY domain, messages DESC, header_from;
