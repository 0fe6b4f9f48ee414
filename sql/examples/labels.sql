-- labels - the label of each source, who set it, how often it changed, and how many messages it applies to.
--
--           source          |   label   | set_by | set_via |   set_on   | changes | messages |   note
-- --------------------------+-----------+--------+---------+------------+---------+----------+-----------
--  domain:forwarder.example | forwarder | root   | cli     | 2026-03-15 |       1 |       58 |
--  ip:203.0.113.66          | not_mine  | ann    | page    | 2026-03-15 |       2 |       50 | forgeries
-- (2 rows)
\ir period.sql

SELECT l.source, l.label, l.set_by, l.set_via, l.set_at::date AS set_on, c.changes, coalesce(m.messages, 0) AS messages,
	l.note
FROM dmarc.labels l
CROSS JOIN LATERAL (SELECT count(*) AS changes FROM dmarc.label_log c WHERE c.source = l.source) c
LEFT JOIN (
	SELECT k.source, sum(r.messages) AS messages
	FROM (
		SELECT source, source_ip, rdns_domain, asn, sum(count) AS messages
		FROM dmarc.records
		WHERE day >= :'from' AND day < :'to'
		GROUP BY source, source_ip, rdns_domain, asn
	) r
	CROSS JOIN LATERAL (
		SELECT r.source UNION SELECT 'ip:' || host(r.source_ip) UNION SELECT 'domain:' || r.rdns_domain
		UNION SELECT 'as:' || r.asn
	) k
	GROUP BY k.source
) m ON m.source = l.source
ORDER BY l.source;
