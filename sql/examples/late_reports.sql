-- late_reports - how long after the end of their period the reports of each reporter arrive; late is after more than
-- two days. Imported reports are not counted, since they first arrived elsewhere.
--
--      org_name     | reports | late |     median      |     longest
-- ------------------+---------+------+-----------------+-----------------
--  isp.example      |       1 |    1 | 2 days 06:00:00 | 2 days 06:00:00
--  reporter.example |       3 |    1 | 2 days          | 9 days
-- (2 rows)
\ir period.sql

SELECT r.org_name, count(*) AS reports, count(*) FILTER (WHERE r.received_at - r."end" > interval '2 days') AS late,
	percentile_disc(0.5) WITHIN GROUP (ORDER BY date_trunc('minute', r.received_at - r."end")) AS median,
	max(date_trunc('minute', r.received_at - r."end")) AS longest
FROM dmarc.reports r
JOIN dmarc.intake i ON i.mail = r.mail AND i.report = r.id AND i.kind = 'aggregate' AND i.status = 'stored'
WHERE r.day >= :'from' AND r.day < :'to' AND i.source = 'lmtp'
GROUP BY r.org_name
ORDER BY late DESC, r.org_name;
