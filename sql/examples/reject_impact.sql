-- reject_impact - which messages p=reject would have affected: those that failed and were not rejected. Receivers had a
-- reason to accept the overridden ones, and may have it again.
--
--    domain    |   header_from    |          source          |   label   | messages | overridden
-- -------------+------------------+--------------------------+-----------+----------+------------
--  example.com | example.com      | ip:203.0.113.66          | not_mine  |       30 |          0
--  example.com | news.example.com | service:mailer           |           |       10 |          0
--  example.com | a.example.com    | ip:203.0.113.66          | not_mine  |        8 |          8
--  example.com | example.com      | domain:forwarder.example | forwarder |        8 |          5
-- (4 rows)
\ir period.sql

SELECT domain, header_from, source, max(label) AS label, sum(count) AS messages,
	coalesce(sum(count) FILTER (WHERE class = 'fail_overridden'), 0) AS overridden
FROM dmarc.records
WHERE day >= :'from' AND day < :'to' AND class LIKE 'fail%' AND disposition IS DISTINCT FROM 'reject'
GROUP BY domain, header_from, source
ORDER BY domain, messages DESC, header_from, source;
