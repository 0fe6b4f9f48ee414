-- reporters - who sends reports, on how many days, and how many days in a row without a report there were (gap).
--
--      org_name     | reports | messages | days | first_day  |  last_day  | gap
-- ------------------+---------+----------+------+------------+------------+-----
--  reporter.example |       3 |      248 |    3 | 2026-03-01 | 2026-03-10 |   6
--  isp.example      |       1 |       30 |    1 | 2026-03-01 | 2026-03-01 |   0
-- (2 rows)
\ir period.sql

SELECT org_name, sum(reports) AS reports, sum(messages) AS messages, count(*) AS days, min(day) AS first_day,
	max(day) AS last_day, coalesce(max(day - previous) - 1, 0) AS gap
FROM (
	SELECT org_name, day, count(*) AS reports, sum(messages) AS messages,
		lag(day) OVER (PARTITION BY org_name ORDER BY day) AS previous
	FROM dmarc.reports
	WHERE day >= :'from' AND day < :'to'
	GROUP BY org_name, day
) d
GROUP BY org_name
ORDER BY messages DESC, org_name;
