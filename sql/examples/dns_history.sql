-- dns_history - the DMARC, SPF, DKIM, MX and TLS-RPT records that the DNS checks found, and when they changed.
--
--    domain    | kind  |        name        |   since    |   until    | changed |           value
-- -------------+-------+--------------------+------------+------------+---------+---------------------------
--  example.com | dmarc | _dmarc.example.com | 2026-01-05 | 2026-03-09 | f       | v=DMARC1; p=none
--  example.com | dmarc | _dmarc.example.com | 2026-03-09 |            | t       | v=DMARC1; p=quarantine
--  example.com | mx    | example.com        | 2026-02-01 | 2026-03-01 | t       | 10 mx.example.com
--  example.com | spf   | example.com        | 2026-01-05 |            | f       | v=spf1 ip4:192.0.2.1 -all
-- (4 rows)
\ir period.sql

SELECT domain, kind, name, since::date AS since, until::date AS until, is_change AS changed, value
FROM dmarc.dns_history
WHERE since < :'to' AND (until IS NULL OR until >= :'from')
ORDER BY domain, kind, name, dns_history.since;
