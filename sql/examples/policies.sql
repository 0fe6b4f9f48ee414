-- policies - the policies that reporters saw published, over time. Periods overlap while DNS propagates.
--
--    domain    |     p      | sp | np | adkim | aspf | pct | fo | t | first_day  |  last_day  | reports | reporters
-- -------------+------------+----+----+-------+------+-----+----+---+------------+------------+---------+-----------
--  example.com | none       |    |    | r     | r    | 100 |    |   | 2026-02-02 | 2026-03-01 |       3 |         2
--  example.com | quarantine |    |    | r     | r    | 100 |    |   | 2026-03-10 | 2026-03-10 |       1 |         1
--  example.net | reject     |    |    | s     | s    | 100 |    |   | 2026-03-03 | 2026-03-03 |       1 |         1
-- (3 rows)
\ir period.sql

SELECT domain, p, sp, np, adkim, aspf, pct, fo, testing AS t, first_seen::date AS first_day,
	last_seen::date AS last_day, reports, reporters
FROM dmarc.policies
WHERE first_seen < :'to' AND last_seen >= :'from'
ORDER BY domain, first_seen, last_seen;
