-- overrides - why receivers deviated from the policy. A message with reasons of two types counts in both.
--
--    domain    |     type     |     org_name     | messages | example
-- -------------+--------------+------------------+----------+---------
--  example.com | forwarded    | reporter.example |      105 | alias
--  example.com | local_policy | reporter.example |      100 |
--  example.com | mailing_list | reporter.example |        8 |
-- (3 rows)
\ir period.sql

SELECT o.domain, o.type, r.org_name, sum(r.count) AS messages, min(o.comment) AS example
FROM (
	SELECT domain, day, report, record_no, type, min(comment) AS comment
	FROM dmarc.record_overrides
	WHERE day >= :'from' AND day < :'to'
	GROUP BY domain, day, report, record_no, type
) o
JOIN dmarc.records r ON r.domain = o.domain AND r.day = o.day AND r.report = o.report AND r.record_no = o.record_no
GROUP BY o.domain, o.type, r.org_name
ORDER BY messages DESC, o.domain, o.type, r.org_name;
