-- networks - the countries and autonomous systems that mail comes from (as known today), and how much of it fails.
--
--  country |  asn  |   as_name   | messages | fail | addresses
-- ---------+-------+-------------+----------+------+-----------
--  DE      | 64496 | Example Net |      120 |    0 |         1
--  FR      | 64498 | Forwarder   |       58 |    8 |         1
--  US      | 64497 | Mailer Inc  |       50 |   10 |         1
--          |       |             |       50 |   50 |         1
-- (4 rows)
\ir period.sql

SELECT r.country, r.asn, max(a.as_name) AS as_name, sum(r.count) AS messages,
	coalesce(sum(r.count) FILTER (WHERE r.class LIKE 'fail%'), 0) AS fail, count(DISTINCT r.source_ip) AS addresses
FROM dmarc.records r
LEFT JOIN dmarc.addresses a ON a.source_ip = r.source_ip
WHERE r.day >= :'from' AND r.day < :'to'
GROUP BY r.country, r.asn
ORDER BY messages DESC, r.country, r.asn;
