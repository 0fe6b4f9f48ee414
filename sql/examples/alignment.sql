-- alignment - the share of a domain's messages, in percent, that both SPF and DKIM aligned, one of them, or neither.
--
--    domain    | messages | both_aligned | dkim_only | spf_only | neither
-- -------------+----------+--------------+-----------+----------+---------
--  example.com |      266 |         56.4 |      15.0 |      7.5 |    21.1
--  example.net |       12 |          0.0 |       0.0 |      0.0 |   100.0
-- (2 rows)
\ir period.sql

SELECT domain, messages, round(100 * both_aligned / messages, 1) AS both_aligned,
	round(100 * dkim_only / messages, 1) AS dkim_only, round(100 * spf_only / messages, 1) AS spf_only,
	round(100 * neither / messages, 1) AS neither
FROM (
	SELECT domain, sum(messages) AS messages,
		coalesce(sum(messages) FILTER (WHERE dkim_aligned AND spf_aligned), 0) AS both_aligned,
		coalesce(sum(messages) FILTER (WHERE dkim_aligned AND NOT spf_aligned), 0) AS dkim_only,
		coalesce(sum(messages) FILTER (WHERE spf_aligned AND NOT dkim_aligned), 0) AS spf_only,
		coalesce(sum(messages) FILTER (WHERE NOT dmarc_pass), 0) AS neither
	FROM dmarc.daily
	WHERE day >= :'from' AND day < :'to'
	GROUP BY domain
) d
WHERE messages > 0
ORDER BY messages DESC, domain;
