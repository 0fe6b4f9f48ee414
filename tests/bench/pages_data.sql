-- pages_data.sql - fills a fresh database of ruad with reports like real ones, and sums them.
--
--   psql -d DATABASE [-v records=10000000] [-v months=24] -f tests/bench/pages_data.sql
--
-- For a superuser, on a database that ruad migrate made and that no ruad serve uses. The same numbers give the same rows on every machine, but for
-- the dates: the last day is today. All choices come from hashes of row numbers.
--
-- records rows of ruad.record in reports of 1 to 100 (14 on average, small ones the most), by 40 reporters about 50 domains, both of uneven volume.
-- 80 % of the records are from 40 addresses of their domain, 10 of which belong to services that many domains use; the others are from 200,000
-- addresses anywhere. One report, 40 days old, has 60,000 of these addresses (a tenth of the records if that is less). A tenth of the addresses is IPv6.
\set ON_ERROR_STOP on
\set QUIET on
\if :{?records}
\else
	\set records 10000000
\endif
\if :{?months}
\else
	\set months 24
\endif
SET client_min_messages = notice;
SET synchronous_commit = off;
SET work_mem = '128MB';
SET jit = off;
SET timezone = 'UTC';
SELECT set_config('bench.records', :'records', false), set_config('bench.months', :'months', false) \g /dev/null

DO $$
BEGIN
	IF EXISTS (SELECT 1 FROM ruad.domain) OR EXISTS (SELECT 1 FROM ruad.mail) THEN
		RAISE EXCEPTION 'this database has reports already';
	END IF;
END
$$;

-- Chance
-- A number from 0 (included) to 1 (excluded) for a row and a purpose.
CREATE FUNCTION pg_temp.u(n bigint, purpose integer) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT ((hashint8extended(n, purpose) >> 11) & 9007199254740991)::double precision / 9007199254740992 $$;

-- The address with a number: below 200,000 those anywhere, then those of services, then those of domains.
CREATE FUNCTION pg_temp.address(n bigint) RETURNS inet
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE WHEN n % 10 = 9 THEN '2400::'::inet + (hashint8extended(n, 1) & 4611686018427387903)
		ELSE '1.0.0.0'::inet + (hashint8extended(n, 2) & 4611686018427387903) % 3690987520 END
$$;

-- Names
INSERT INTO ruad.domain (name) SELECT format('d%s.example', to_char(n, 'FM00')) FROM generate_series(1, 50) n ORDER BY n;
INSERT INTO ruad.reporter (org_name, org_name_hash)
SELECT r.name, ruad.text_hash(r.name) FROM generate_series(1, 40) n CROSS JOIN LATERAL (SELECT format('reporter%s.example', n) AS name) r ORDER BY n;
INSERT INTO ruad.service (key, name, type, origin)
SELECT 'bench-' || n, 'Bench service ' || n, (ARRAY['mailbox', 'marketing', 'transactional'])[1 + n % 3], 'file' FROM generate_series(1, 14) n;
INSERT INTO ruad.label (source, label, set_by, set_via, set_at)
SELECT 'domain:' || name, 'mine', 'bench', 'cli', now() FROM ruad.domain WHERE id <= 25
UNION ALL SELECT 'service:bench-' || n, CASE WHEN n <= 4 THEN 'mine' WHEN n <= 8 THEN 'forwarder' ELSE 'not_mine' END, 'bench', 'cli', now() FROM generate_series(1, 12, 2) n
UNION ALL SELECT 'domain:isp' || n || '.example', 'not_mine', 'bench', 'cli', now() FROM generate_series(1, 40) n;

-- Which report has how many records, on which day. The last row is the large one.
CREATE TEMP TABLE plan AS
WITH setting AS (
	SELECT current_setting('bench.records')::bigint AS records, current_date - (current_setting('bench.months') || ' months')::interval AS first
), sizes AS (
	SELECT least(60000, s.records / 10) AS large, s.records - least(60000, s.records / 10) AS others, s.first::date AS first, current_date - s.first::date + 1 AS days
	FROM setting s
), drawn AS (
	SELECT n, 1 + floor(99 * power(pg_temp.u(n, 3), 6.615))::integer AS records
	FROM sizes s, generate_series(1, (s.others / 14 * 1.05)::bigint + 1000) n
), counted AS (
	SELECT d.n, d.records, sum(d.records) OVER (ORDER BY d.n) - d.records AS before FROM drawn d
), kept AS (
	SELECT c.n, least(c.records, s.others - c.before)::integer AS records, c.before FROM counted c, sizes s WHERE c.before < s.others
)
SELECT k.n, k.records, s.first + floor(k.before * s.days / s.others)::integer AS day,
	1 + floor(50 * power(pg_temp.u(k.n, 4), 2))::integer AS domain_id, 1 + floor(40 * power(pg_temp.u(k.n, 5), 2.5))::integer AS reporter_id
FROM kept k, sizes s
UNION ALL
SELECT (SELECT max(n) + 1 FROM kept), s.large, current_date - 40, 1, 1 FROM sizes s;
ALTER TABLE plan ADD month date, ADD begin timestamptz, ADD "end" timestamptz, ADD received_at timestamptz;
UPDATE plan p SET month = ruad.month_of(p.day), begin = t.begin, "end" = t.begin + interval '86399 seconds',
	received_at = least(t.begin + interval '1 day' + floor(3600 * (p.reporter_id % 12 + 6 * pg_temp.u(p.n, 6))) * interval '1 second', now())
FROM (SELECT o.n, o.day::timestamptz + (CASE WHEN o.reporter_id % 4 = 3 THEN o.reporter_id % 24 ELSE 0 END) * interval '1 hour' AS begin FROM plan o) t
WHERE t.n = p.n;
CREATE INDEX ON plan (month, n);
ANALYZE plan;

-- Months with some volume have partitions from the start, as ruad.make_months() would have made them.
DO $$
DECLARE
	month date;
BEGIN
	FOR month IN SELECT p.month FROM plan p GROUP BY 1 HAVING sum(p.records) >= ruad.month_volume() ORDER BY 1 LOOP
		IF NOT ruad.make_month('{report,record,evaluation,sum_day,sum_month}', month) THEN
			RAISE EXCEPTION 'month %: a table is locked', month;
		END IF;
		COMMIT;
	END LOOP;
END
$$;

-- What repeats: for each domain and month some dozen to some hundred evaluations, more where there are more records. Each has a place from 0 to 1
-- that decides its kind; a sixth of them repeats others with the envelope_to that one reporter writes.
CREATE TEMP TABLE slots AS
SELECT p.month, p.domain_id, 12 + floor(sqrt(sum(p.records)))::integer AS plain FROM plan p GROUP BY 1, 2;
CREATE TEMP TABLE slot (month date, domain_id integer, slot integer, evaluation bigint, pass boolean, noted boolean);

CREATE FUNCTION pg_temp.new_evaluations(of_month date) RETURNS TABLE (slot integer, evaluation ruad.new_evaluation)
LANGUAGE sql
AS $$
	WITH numbered AS (
		SELECT s.domain_id, g.slot, CASE WHEN g.slot < s.plain THEN g.slot ELSE (g.slot - s.plain) * 5 END AS no, s.plain, g.slot >= s.plain AS to_known
		FROM slots s CROSS JOIN LATERAL generate_series(0, s.plain + (s.plain - 1) / 5) AS g(slot)
		WHERE s.month = of_month
	), kinds AS (
		SELECT n.*, v.v, d.name AS domain, CASE WHEN pg_temp.u(v.v, 1) < 0.75 THEN d.name
				ELSE (ARRAY['news', 'shop', 'mail'])[1 + floor(3 * pg_temp.u(v.v, 2))::integer] || '.' || d.name END AS header_from,
			CASE WHEN p.place < 0.45 THEN 'own' WHEN p.place < 0.55 THEN 'service' WHEN p.place < 0.63 THEN 'unaligned' WHEN p.place < 0.67 THEN 'forwarded'
				WHEN p.place < 0.70 THEN 'list' WHEN pg_temp.u(v.v, 3) < 0.7 THEN 'spoofed' WHEN pg_temp.u(v.v, 3) < 0.9 THEN 'forwarded' ELSE 'unaligned' END AS kind,
			CASE WHEN p.place < 0.70 THEN format('bench%s.example', 1 + floor(14 * pg_temp.u(v.v, 4))) ELSE format('isp%s.example', 1 + floor(2000 * pg_temp.u(v.v, 4))) END AS other,
			format('s%s%s', 1 + floor(3 * pg_temp.u(v.v, 5)), CASE WHEN extract(month FROM of_month) < 7 THEN 'a' ELSE 'b' END) AS selector
		FROM numbered n
		JOIN ruad.domain d ON d.id = n.domain_id
		CROSS JOIN LATERAL (SELECT n.no::double precision / n.plain AS place) p
		CROSS JOIN LATERAL (SELECT n.domain_id * 10000 + n.no AS v) v
	)
	SELECT k.slot, ROW(k.domain_id, of_month,
		CASE WHEN k.kind IN ('own', 'service', 'forwarded', 'list') THEN 'none' ELSE (ARRAY['none', 'quarantine', 'reject'])[1 + k.domain_id % 3] END,
		CASE WHEN k.kind IN ('own', 'service', 'forwarded') THEN 'pass' ELSE 'fail' END,
		CASE WHEN k.kind = 'own' THEN 'pass' ELSE 'fail' END,
		k.header_from,
		CASE k.kind WHEN 'own' THEN k.header_from WHEN 'spoofed' THEN CASE WHEN pg_temp.u(k.v, 6) < 0.5 THEN k.header_from END ELSE 'bounces.' || k.other END,
		CASE WHEN k.to_known THEN format('customer%s.example', 1 + k.v % 5) END,
		CASE WHEN k.kind = 'list' THEN jsonb_build_array(jsonb_build_object('type', 'mailing_list', 'comment', 'list ' || k.other))
			WHEN k.kind = 'spoofed' AND pg_temp.u(k.v, 7) < 0.1 THEN '[{"type": "local_policy", "comment": "arc=fail"}]' END,
		jsonb_strip_nulls(jsonb_build_object('dkim', CASE k.kind
			WHEN 'own' THEN jsonb_build_array(jsonb_build_object('domain', k.header_from, 'selector', k.selector, 'result', 'pass'))
			WHEN 'service' THEN jsonb_build_array(jsonb_build_object('domain', k.header_from, 'selector', k.selector, 'result', 'pass'),
				jsonb_build_object('domain', k.other, 'selector', 'k1', 'result', 'pass'))
			WHEN 'forwarded' THEN jsonb_build_array(jsonb_build_object('domain', k.header_from, 'selector', k.selector, 'result', 'pass'))
			WHEN 'list' THEN jsonb_build_array(jsonb_build_object('domain', k.header_from, 'selector', k.selector, 'result', 'fail', 'human_result', 'body hash did not verify'),
				jsonb_build_object('domain', k.other, 'selector', 'list', 'result', 'pass'))
			WHEN 'unaligned' THEN jsonb_build_array(jsonb_build_object('domain', k.other, 'selector', k.selector, 'result', 'pass')) END,
			'spf', jsonb_build_array(jsonb_build_object('scope', 'mfrom', 'domain', CASE k.kind WHEN 'own' THEN k.header_from WHEN 'spoofed' THEN k.header_from ELSE 'bounces.' || k.other END,
				'result', CASE k.kind WHEN 'spoofed' THEN (ARRAY['fail', 'softfail', 'none'])[1 + floor(3 * pg_temp.u(k.v, 8))::integer] ELSE 'pass' END)))),
		CASE WHEN pg_temp.u(k.v, 9) < 0.03 THEN '[{"code": "V1", "path": "row/policy_evaluated/disposition", "raw": "NONE"}]'::jsonb END)::ruad.new_evaluation
	FROM kinds k
$$;

DO $$
DECLARE
	of_month date;
BEGIN
	FOR of_month IN SELECT DISTINCT s.month FROM slots s ORDER BY 1 LOOP
		WITH new AS MATERIALIZED (
			SELECT row_number() OVER () AS no, n.slot, n.evaluation FROM pg_temp.new_evaluations(of_month) n
		)
		INSERT INTO slot (month, domain_id, slot, evaluation, pass, noted)
		SELECT of_month, (n.evaluation).domain_id, n.slot, e.id, 'pass' IN ((n.evaluation).dkim, (n.evaluation).spf), (n.evaluation).notes IS NOT NULL
		FROM ruad.evaluations(ARRAY(SELECT n.evaluation FROM new n ORDER BY n.no)) WITH ORDINALITY AS e(id, no)
		JOIN new n ON n.no = e.no;
		COMMIT;
	END LOOP;
END
$$;
ANALYZE slots, slot;

SET enable_nestloop = off; -- the tables are not analyzed yet
SET enable_mergejoin = off;
SET plan_cache_mode = force_custom_plan;
-- Records of a month, then its reports with their sums, then the mails that brought them.
DO $$
DECLARE
	of_month date;
	behind date;
	begun timestamptz := clock_timestamp();
BEGIN
	FOR of_month IN SELECT DISTINCT s.month FROM slots s ORDER BY 1 LOOP
		behind := of_month + interval '1 month';
		INSERT INTO ruad.record (begin, report, count, evaluation, day, domain_id, reporter_id, record_no, source_ip)
		SELECT k.begin, k.n, CASE WHEN k.heavy THEN 1 + floor(power(1000, pg_temp.u(k.r, 10)))::bigint ELSE 1 + floor(3 * power(pg_temp.u(k.r, 10), 3))::bigint END,
			e.evaluation, k.day, k.domain_id, k.reporter_id, k.no,
			pg_temp.address(CASE WHEN NOT k.heavy THEN k.anywhere WHEN k.own < 10 THEN 1000000 + k.own * 100 + k.domain_id % 20 ELSE 2000000 + k.domain_id * 100 + k.own END)
		FROM (
			SELECT d.*, CASE WHEN d.reporter_id = 2 THEN s.plain ELSE 0 END
				+ (CASE WHEN d.heavy THEN floor(0.7 * s.plain * (d.own + 4 * power(pg_temp.u(d.r, 14), 4)) / 44)::integer
				ELSE floor(s.plain * (0.7 + 0.3 * power(pg_temp.u(d.r, 14), 2)))::integer END) / CASE WHEN d.reporter_id = 2 THEN 5 ELSE 1 END AS slot
			FROM (
				SELECT p.begin, p.n, p.day, p.domain_id, p.reporter_id, g.no, g.r, p.records < 10000 AND pg_temp.u(g.r, 11) < 0.8 AS heavy,
					floor(40 * power(pg_temp.u(g.r, 12), 1.5))::integer AS own,
					CASE WHEN p.records < 10000 THEN floor(200000 * pg_temp.u(g.r, 13))::bigint ELSE g.no * 3 END AS anywhere
				FROM plan p CROSS JOIN LATERAL (SELECT no, p.n * 65536 + no AS r FROM generate_series(1, p.records) no) g
				WHERE p.month = of_month
				OFFSET 0
			) d
			JOIN slots s ON s.month = of_month AND s.domain_id = d.domain_id
			OFFSET 0 -- so that the slot is a column to join on
		) k
		JOIN slot e ON e.month = of_month AND e.domain_id = k.domain_id AND e.slot = k.slot
		ORDER BY k.n, k.no;

		WITH new AS (
			INSERT INTO ruad.report (begin, "end", id, mail, received_at, records, messages, pass, day, domain_id, reporter_id, pct, partial, key, sha256,
				authentic, dialect, version, email, report_id, adkim, aspf, p, sp, fo, record_notes)
			SELECT p.begin, p."end", p.n, p.n, p.received_at, r.records, r.messages, r.pass, p.day, p.domain_id, p.reporter_id, 100, false,
				ruad.report_key(o.org_name, 'noreply@' || o.org_name, t.report_id, p.begin, p."end"), sha256(int8send(p.n)), 'pass', CASE WHEN p.reporter_id % 5 = 0 THEN 'rfc9990' ELSE 'rfc7489' END,
				'1.0', 'noreply@' || o.org_name, t.report_id, CASE WHEN p.domain_id % 4 = 0 THEN 's' ELSE 'r' END, 'r',
				(ARRAY['none', 'quarantine', 'reject'])[1 + p.domain_id % 3], (ARRAY['none', 'quarantine', 'reject'])[1 + p.domain_id % 3], '1',
				CASE WHEN r.noted > 0 THEN jsonb_build_object('V1', r.noted) END
			FROM (
				SELECT r.report, count(*) AS records, sum(r.count)::bigint AS messages, coalesce(sum(r.count) FILTER (WHERE e.pass), 0)::bigint AS pass,
					count(*) FILTER (WHERE e.noted) AS noted
				FROM ruad.record r
				JOIN (SELECT DISTINCT evaluation, pass, noted FROM slot WHERE month = of_month) e ON e.evaluation = r.evaluation
				WHERE r.day >= of_month AND r.day < behind
				GROUP BY 1
			) r
			JOIN plan p ON p.n = r.report AND p.month = of_month
			JOIN ruad.reporter o ON o.id = p.reporter_id
			CROSS JOIN LATERAL (SELECT to_char(p.begin, 'YYYYMMDD') || '.' || p.n || '@' || o.org_name AS report_id) t
			ORDER BY p.n
			RETURNING id, day, domain_id
		)
		INSERT INTO ruad.unsummed (report, day, domain_id) SELECT n.id, n.day, n.domain_id FROM new n;

		INSERT INTO ruad.mail (id, received_at, source, envelope_from, recipients, size, sha256, message_id, subject, header_from, authentic)
		SELECT p.n, p.received_at, 'lmtp', 'bounce@' || o.org_name, '["dmarc-sum@bench.example"]', 2000 + 60 * p.records, sha256(int4send(p.n::integer)),
			format('<%s@%s>', p.n, o.org_name), format('Report domain: %s Submitter: %s Report-ID: %s', d.name, o.org_name, p.n), 'noreply@' || o.org_name, 'pass'
		FROM plan p JOIN ruad.reporter o ON o.id = p.reporter_id JOIN ruad.domain d ON d.id = p.domain_id
		WHERE p.month = of_month ORDER BY p.n;
		INSERT INTO ruad.item (mail, item_no, kind, status, place, report, sha256)
		SELECT p.n, 1, 'aggregate', 'stored', 'part 1', p.n, sha256(int8send(p.n)) FROM plan p WHERE p.month = of_month ORDER BY p.n;
		COMMIT;
	END LOOP;
	RAISE NOTICE 'records and reports: % s', round(extract(epoch FROM clock_timestamp() - begun), 1);
END
$$;

RESET enable_nestloop;
RESET enable_mergejoin;
RESET plan_cache_mode;
-- Other kinds of reports: of some mails that could not be read, one in 2,000 of the mails; failure reports one in 100; TLS reports one in 20.
INSERT INTO ruad.mail (id, received_at, source, envelope_from, recipients, size, sha256, message_id, subject, header_from, authentic)
SELECT b.base + row_number() OVER (ORDER BY p.n), p.received_at, 'lmtp', 'bounce@' || o.org_name, '["dmarc-sum@bench.example"]', 3000, sha256(int8send(-p.n)), format('<x%s@%s>', p.n, o.org_name),
	'Report', 'noreply@' || o.org_name, 'none'
FROM plan p JOIN ruad.reporter o ON o.id = p.reporter_id, (SELECT max(n) AS base FROM plan) b WHERE p.n % 20 = 0;
INSERT INTO ruad.item (mail, item_no, kind, status, place, code, reason)
SELECT m.id, 1, 'unreadable', 'quarantined', 'part 1', 'no_report', 'there is no report in this mail' FROM ruad.mail m, (SELECT max(n) AS base FROM plan) b WHERE m.id > b.base AND m.id % 100 = 0;
INSERT INTO ruad.failure (begin, id, mail, received_at, arrival_time, incidents, day, domain_id, kind, authentic, sha256, feedback_type, auth_failure, source_ip,
	header_from, subject, reporting_mta, user_agent)
SELECT m.received_at, m.id, m.id, m.received_at, m.received_at, 1, ruad.day_of(m.received_at), 1 + m.id % 50, 'failure', 'none', m.sha256, 'auth-failure', 'dmarc',
	pg_temp.address(m.id % 200000), d.name, 'Subject ' || m.id, 'dns; mx.example', 'Bench/1'
FROM ruad.mail m JOIN ruad.domain d ON d.id = 1 + m.id % 50, (SELECT max(n) AS base FROM plan) b WHERE m.id > b.base AND m.id % 100 BETWEEN 1 AND 20;
INSERT INTO ruad.failure_seen (sha256, begin, id) SELECT f.sha256, f.begin, f.id FROM ruad.failure f;
INSERT INTO ruad.tls (begin, "end", id, mail, received_at, total_successful_session_count, total_failure_session_count, day, domain_id, reporter_id, policies, authentic, key,
	sha256, contact_info, report_id)
SELECT m.received_at - interval '1 day', m.received_at, m.id, m.id, m.received_at, 100 + m.id % 900, c.failed, ruad.day_of(m.received_at) - 1, 1 + m.id % 50, 1 + m.id % 7, 1, 'none',
	md5(m.id::text)::uuid, m.sha256, 'tls@reporter.example', m.id::text
FROM ruad.mail m CROSS JOIN LATERAL (SELECT CASE WHEN m.id % 11 = 0 THEN m.id % 5 ELSE 0 END AS failed) c, (SELECT max(n) AS base FROM plan) b WHERE m.id > b.base AND m.id % 100 > 20;
INSERT INTO ruad.tls_policy (begin, report, total_successful_session_count, total_failure_session_count, day, domain_id, reporter_id, policy_no, policy_type, mx_host, failure_details)
SELECT t.begin, t.id, t.total_successful_session_count, t.total_failure_session_count, t.day, t.domain_id, t.reporter_id, 1, 'sts', '["mx.example"]',
	CASE WHEN t.total_failure_session_count > 0 THEN jsonb_build_array(jsonb_build_object('result_type', 'certificate-expired', 'sending_mta_ip', host(pg_temp.address(t.id % 200000)),
		'receiving_mx_hostname', 'mx.example', 'failed_session_count', t.total_failure_session_count)) END
FROM ruad.tls t;
INSERT INTO ruad.item (mail, item_no, kind, status, place, report, sha256)
SELECT f.mail, 1, 'failure', 'stored', 'part 1', f.id, f.sha256 FROM ruad.failure f UNION ALL SELECT t.mail, 1, 'tls', 'stored', 'part 1', t.id, t.sha256 FROM ruad.tls t;
SELECT setval('ruad.mail_id_seq', max(id)), setval('ruad.report_id_seq', max(id)) FROM ruad.mail \g /dev/null

-- Sums and the partitions that come next, as ruad serve keeps them.
ANALYZE ruad.unsummed, ruad.record, ruad.evaluation, ruad.report;
DO $$
DECLARE
	begun timestamptz := clock_timestamp();
	more boolean := true;
	pieces integer := 0;
	took numeric;
BEGIN
	COMMIT;
	WHILE ruad.make_months() > 0 LOOP
		COMMIT;
	END LOOP;
	WHILE more LOOP
		COMMIT;
		SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
		more := ruad.sum_up();
		pieces := pieces + 1;
	END LOOP;
	COMMIT;
	took := extract(epoch FROM clock_timestamp() - begun);
	RAISE NOTICE 'sums: % s in % pieces, % s per million records', round(took, 1), pieces, round(took * 1000000 / current_setting('bench.records')::numeric, 1);
END
$$;

-- Whose the addresses are. Of those anywhere, half have a name at their provider, and most of the others a known network.
INSERT INTO ruad.address (source_ip, looked_up_at, expires_at, asn, as_name, country, rdns, rdns_domain, service, service_basis)
WITH numbers AS (
	SELECT n, pg_temp.address(n) AS source_ip, 1 + floor(20000 * power(pg_temp.u(n, 20), 3))::bigint AS provider, NULL::integer AS service, NULL::text AS host, NULL::text AS domain
	FROM generate_series(0, 199999) n
	UNION ALL
	SELECT 1000000 + s * 100 + k, pg_temp.address(1000000 + s * 100 + k), 100 + s, s + 1, format('out%s.bench%s.example', k, s + 1), format('bench%s.example', s + 1)
	FROM generate_series(0, 9) s, generate_series(0, 19) k
	UNION ALL
	SELECT 2000000 + d * 100 + j, pg_temp.address(2000000 + d * 100 + j), 30000 + d, CASE WHEN j BETWEEN 28 AND 35 THEN 11 + j % 4 END,
		CASE WHEN j < 28 THEN format('mail%s.d%s.example', j, to_char(d, 'FM00')) WHEN j < 36 THEN format('out%s.bench%s.example', d, 11 + j % 4) END,
		CASE WHEN j < 28 THEN format('d%s.example', to_char(d, 'FM00')) WHEN j < 36 THEN format('bench%s.example', 11 + j % 4) END
	FROM generate_series(1, 50) d, generate_series(10, 39) j
)
SELECT DISTINCT ON (n.source_ip) n.source_ip, now(), now() + interval '1 year', CASE WHEN c.chance < 0.95 THEN n.provider END,
	CASE WHEN c.chance < 0.95 THEN 'Provider ' || n.provider END, CASE WHEN c.chance < 0.95 THEN (ARRAY['US', 'DE', 'CN', 'IN', 'BR', 'RU', 'FR', 'VN', 'GB', 'NL', 'JP', 'ID'])[1 + n.provider % 12] END,
	coalesce(n.host, CASE WHEN n.service IS NULL AND c.chance < 0.5 THEN format('host%s.isp%s.example', n.n, n.provider) END),
	coalesce(n.domain, CASE WHEN n.service IS NULL AND c.chance < 0.5 THEN format('isp%s.example', n.provider) END),
	'bench-' || n.service, CASE WHEN n.service IS NOT NULL THEN 'rdns' END
FROM numbers n
JOIN ruad.seen s ON s.domain_id = 0 AND s.source_ip = n.source_ip
CROSS JOIN LATERAL (SELECT CASE WHEN n.n < 1000000 THEN pg_temp.u(n.n, 21) ELSE 0.6 END AS chance) c
ORDER BY n.source_ip, n.n;
SELECT count(ruad.label_again(l.source)) FROM ruad.label l \g /dev/null
UPDATE ruad.enrich_state SET received_until = now(), all_until = now();

-- What the DNS says: SPF of 40 networks, some of the signing keys.
INSERT INTO ruad.dns_check (domain_id, checked_at, expires_at, result)
SELECT d.id, now(), now() + interval '1 year', jsonb_build_object('ok', true, 'solicited', true, 'findings', '[]'::jsonb,
	'spf', jsonb_build_object('result', 'ok', 'all', '-', 'unlisted', '[]'::jsonb, 'ranges', (
		SELECT jsonb_agg(jsonb_build_object('range', host(pg_temp.address(r.n)), 'qualifier', '+'))
		FROM (SELECT 2000000 + d.id * 100 + j AS n FROM generate_series(10, 35) j UNION ALL SELECT 1000000 + s * 100 + d.id % 20 FROM generate_series(0, 8) s) r)),
	'mx', jsonb_build_array(jsonb_build_object('host', 'mx.' || d.name, 'preference', 10, 'addresses', jsonb_build_array(host(pg_temp.address(2000000 + d.id * 100 + 10))))),
	'dkim', (SELECT jsonb_agg(jsonb_build_object('domain', d.name, 'selector', format('s%s%s', k, h), 'status', 'ok')) FROM generate_series(1, 2) k, unnest('{a,b}'::text[]) h))
FROM ruad.domain d;

DROP TABLE plan, slots, slot;
VACUUM ANALYZE;
CHECKPOINT;
