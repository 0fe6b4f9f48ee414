-- counts - how much of everything there is: compare the output before and after a move, an upgrade or a restoration.
--
--        what        | count | messages
-- -------------------+-------+----------
--  mails             |    18 |
--  items of mails    |    20 |
--  aggregate reports |     6 |      522
--  records           |    17 |      522
--  records in sums   |    17 |      522
--  excluded reports  |     0 |
--  failure reports   |     4 |        6
--  TLS reports       |     3 |    16887
--  addresses         |     4 |
--  labels            |     2 |
--  audit log         |     3 |
-- (11 rows)
SELECT v.what, v.count, v.messages
FROM (
	SELECT 1 AS no, 'mails' AS what, count(*) AS count, NULL::numeric AS messages FROM dmarc.mails
	UNION ALL SELECT 2, 'items of mails', count(*), NULL FROM dmarc.intake WHERE item_no IS NOT NULL
	UNION ALL SELECT 3, 'aggregate reports', count(*), sum(messages) FROM dmarc.reports
	UNION ALL SELECT 4, 'records', count(*), sum(count) FROM dmarc.records
	UNION ALL SELECT 5, 'records in sums', sum(records), sum(messages) FROM dmarc.daily
	UNION ALL SELECT 6, 'excluded reports', count(*), sum(messages) FROM dmarc.excluded_reports
	UNION ALL SELECT 7, 'failure reports', count(*), sum(coalesce(incidents, 1)) FROM dmarc.failure_reports
	UNION ALL SELECT 8, 'TLS reports', count(*), sum(total_successful_session_count + total_failure_session_count)
		FROM dmarc.tls_reports
	UNION ALL SELECT 9, 'addresses', count(*), NULL FROM dmarc.addresses
	UNION ALL SELECT 10, 'labels', count(*), NULL FROM dmarc.labels
	UNION ALL SELECT 11, 'audit log', count(*), NULL FROM dmarc.audit_log
) v
ORDER BY v.no;
