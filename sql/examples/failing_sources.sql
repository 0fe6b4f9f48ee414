-- failing_sources - which sources fail DMARC, by domain, worst first.
--
--    domain    |          source          |   label   | messages | fail | percent
-- -------------+--------------------------+-----------+----------+------+---------
--  example.com | ip:203.0.113.66          | not_mine  |       38 |   38 |   100.0
--  example.com | service:mailer           |           |       50 |   10 |    20.0
--  example.com | domain:forwarder.example | forwarder |       58 |    8 |    13.8
--  example.net | ip:203.0.113.66          | not_mine  |       12 |   12 |   100.0
-- (4 rows)
\ir period.sql

SELECT domain, source, max(label) AS label, sum(count) AS messages,
	coalesce(sum(count) FILTER (WHERE class LIKE 'fail%'), 0) AS fail,
	round(100 * coalesce(sum(count) FILTER (WHERE class LIKE 'fail%'), 0) / sum(count), 1) AS percent
FROM dmarc.records
WHERE day >= :'from' AND day < :'to'
GROUP BY domain, source
HAVING sum(count) FILTER (WHERE class LIKE 'fail%') > 0
ORDER BY domain, fail DESC, source;
