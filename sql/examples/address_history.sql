-- address_history - what one address (-v ip=ADDRESS) sent as which domain, month by month, since the first report.
--
--    month    |   domain    | header_from | messages | pass | fail |  last_day
-- ------------+-------------+-------------+----------+------+------+------------
--  2026-02-01 | example.com | example.com |       60 |   60 |    0 | 2026-02-02
--  2026-03-01 | example.com | example.com |      120 |  120 |    0 | 2026-03-01
--  2026-04-01 | example.com | example.com |      100 |  100 |    0 | 2026-04-01
-- (3 rows)
\if :{?ip}
\else
\warn 'name the address: psql -v ip=ADDRESS'
\quit
\endif
SET timezone = 'UTC';

SELECT month, domain, header_from, sum(messages) AS messages,
	coalesce(sum(messages) FILTER (WHERE dmarc_pass), 0) AS pass,
	coalesce(sum(messages) FILTER (WHERE class LIKE 'fail%'), 0) AS fail, max(last_seen)::date AS last_day
FROM dmarc.monthly
WHERE source_ip = :'ip'
GROUP BY month, domain, header_from
ORDER BY month, domain, header_from;
