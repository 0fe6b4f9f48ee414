-- quarantined_mails - why parts of received mails were not stored: unreadable, or in conflict with a stored report.
--
--    status    |   code   | items | mails |                        example                         |  last_day
-- -------------+----------+-------+-------+--------------------------------------------------------+------------
--  quarantined | xml      |     3 |     3 | line 3: the input ends early                           | 2026-03-06
--  conflict    | conflict |     1 |     1 | a different report with the same key is already stored | 2026-03-04
--  quarantined | archive  |     1 |     1 | the checksum is wrong                                  | 2026-03-05
-- (3 rows)
\ir period.sql

SELECT status, code, count(*) AS items, count(DISTINCT mail) AS mails, min(reason) AS example,
	max(received_at)::date AS last_day
FROM dmarc.intake
WHERE status IN ('quarantined', 'conflict') AND received_at >= :'from' AND received_at < :'to'
GROUP BY status, code
ORDER BY items DESC, status, code;
