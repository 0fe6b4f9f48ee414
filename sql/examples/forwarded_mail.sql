-- forwarded_mail - which sources pass on mail of a domain: what receivers accepted although it failed (overridden),
-- what passed only by its signature (by_dkim), and whose signature broke on the way (altered).
--
--    domain    |          source          |   label   | messages | overridden | by_dkim | altered
-- -------------+--------------------------+-----------+----------+------------+---------+---------
--  example.com | domain:forwarder.example | forwarder |       58 |          5 |       0 |       3
--  example.com | ip:203.0.113.66          | not_mine  |       38 |          8 |       0 |       0
-- (2 rows)
\ir period.sql

SELECT domain, source, max(label) AS label, sum(count) AS messages,
	coalesce(sum(count) FILTER (WHERE class = 'fail_overridden'), 0) AS overridden,
	coalesce(sum(count) FILTER (WHERE dkim_aligned AND NOT spf_aligned), 0) AS by_dkim,
	coalesce(sum(count) FILTER (WHERE class = 'fail_altered'), 0) AS altered
FROM dmarc.records
WHERE day >= :'from' AND day < :'to'
GROUP BY domain, source
HAVING bool_or(class IN ('fail_overridden', 'fail_altered')) OR max(label) = 'forwarder'
ORDER BY domain, messages DESC, source;
