-- Answers of the API do not depend on which reports are in the sums: none, some, all, or some that changed since.
CREATE FUNCTION t.made(n integer) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_agg(t.record(CASE WHEN k % 11 <> 10 THEN CASE k % 3 WHEN 0 THEN '192.0.2.' WHEN 1 THEN '198.51.100.'
		ELSE '2001:db8::' END || (n * k) % (4 + k % 5 * 3) END,
		CASE WHEN k % 13 <> 12 THEN (n * 7 + k * 5) % 23 END, CASE WHEN (n + k) % 3 = 0 THEN 'fail' ELSE 'pass' END,
		CASE WHEN (n * k) % 4 = 1 THEN 'pass' ELSE 'fail' END,
		jsonb_build_object('header_from', (ARRAY['a.example', 'x.a.example', 'f1.example', 'f2.example',
			NULL])[1 + (n + 2 * k) % 5], 'envelope_from', 'e' || k % 2 || '.example',
			'disposition', (ARRAY['none', 'quarantine', 'reject', 'pass', 'odd', NULL])[1 + (n * k) % 6],
			'reason', (ARRAY['[{"type": "forwarded", "comment": "x"}, {"type": "forwarded"}]', '[{"comment": "y"}]',
				'[{"type": "local_policy"}, {"type": "other"}]', NULL, NULL]::jsonb[])[1 + (n + k) % 5],
			'auth_results',
			(ARRAY['{"dkim": [{"domain": "a.example", "selector": "s", "result": "pass", "human_result": "ok"}]}',
				'{"spf": [{"domain": "esp.example", "scope": "mfrom", "result": "pass"}]}',
				'{"dkim": [{"domain": "a.example", "selector": "s", "result": "fail"}]}',
				NULL]::jsonb[])[1 + (n * 3 + k) % 4])))
	FROM generate_series(1, 3 + n % 9) k $$;
CREATE FUNCTION t.date(n integer) RETURNS date LANGUAGE sql STABLE AS $$ SELECT (t.day(n) AT TIME ZONE 'UTC')::date $$;
-- Half a year of reports, ending a week ago.
CREATE FUNCTION t.take_made(first integer, last integer) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM generate_series(first, last) n,
		t.take(t.mail(t.report((ARRAY['a.example', 'b.example', 'c.example'])[1 + n % 3],
		CASE WHEN n % 4 < 3 THEN 'Org' || n % 4 END, 'r' || n, t.day(-7 - n) + n % 20 * interval '1 hour',
		t.made(n)))) $$;
CREATE TABLE t.filter (name text, f text);
INSERT INTO t.filter VALUES ('30 days', ''), ('a year', 'p_from => t.date(-364), p_to => t.date(1)'),
	('a part of it', 'p_from => t.date(-140), p_to => t.date(-20)'),
	('a week', 'p_from => t.date(-50), p_to => t.date(-43)'), ('nothing', 'p_from => t.date(-50), p_to => t.date(-50)'),
	('all that a domain has', 'p_domain => ''{a.example}'', p_from => ''2020-01-01'''),
	('two domains', 'p_domain => ''{a.example,c.example}'', p_from => t.date(-80)'),
	('failing', 'p_result => ''fail'', p_from => t.date(-120)'),
	('a class', 'p_class => ''{fail_unaligned}'', p_from => t.date(-200)'),
	('an override', 'p_override => ''{forwarded,none}'', p_from => t.date(-200)'),
	('a label', 'p_label => ''{mine}'', p_from => t.date(-99)'),
	('no network', 'p_asn => ''{none}'', p_from => t.date(-99)'),
	('a source', 'p_source => ''{service:big,ip:198.51.100.1,none}'', p_from => t.date(-99)'),
	('an authenticated domain', 'p_auth_domain => ''{a.example,none}'', p_from => t.date(-99)'),
	('a disposition', 'p_disposition => ''{unknown,reject}'', p_from => t.date(-99)'),
	('a reporter', 'p_reporter => ''{Org1}'', p_from => t.date(-99)'),
	('a text', 'p_q => ''esp.ex'', p_from => t.date(-99)'),
	('a From domain', 'p_header_from => ''{f1.example}'', p_from => t.date(-130)');
CREATE TABLE t.call (call text);
INSERT INTO t.call VALUES ('summary(F)'), ('source(''service:big'', F)'), ('source(''domain:other.example'', F)'),
	('source(''ip:2001:db8::1'', F)'), ('source(''none'', F)');
INSERT INTO t.call SELECT format('timeseries(F, %L, %L)', b, y)
FROM (VALUES ('day', 'class'), ('week', 'disposition'), ('month', 'domain'), ('week', 'reporter'),
	('month', 'alignment')) v(b, y);
INSERT INTO t.call SELECT format('sources(F, api.page(7), %L, ''-fail'')', g) FROM unnest(api.source_groups()) g;
INSERT INTO t.call VALUES ('sources(F, api.page(NULL, NULL, ''csv''), NULL, ''pass'')');
INSERT INTO t.call SELECT format('source_%s(''service:big'', F, api.page(5))', l)
FROM unnest('{ips,identifiers,reporters}'::text[]) l;
CREATE FUNCTION t.answers() RETURNS TABLE (name text, call text, answer jsonb) LANGUAGE plpgsql AS $$
BEGIN
	FOR name, call IN SELECT i.name, replace(c.call, 'F', format('api.filter(%s)', i.f)) FROM t.filter i, t.call c LOOP
		EXECUTE 'SELECT api.' || call INTO answer;
		RETURN NEXT;
	END LOOP;
END $$;
-- The calls with another answer than before.
CREATE TABLE t.before (name text, call text, answer jsonb);
CREATE FUNCTION t.others() RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(a.call, '; '), '') FROM t.answers() a JOIN t.before b USING (name, call)
	WHERE a.answer IS DISTINCT FROM b.answer $$;


SELECT plan(18);
SELECT is(t.take_made(0, 90), 91::bigint, 'half of the reports');
SELECT is(t.take_made(91, 180), 90::bigint, 'and the others');
INSERT INTO ruad.service (key, name, type) VALUES ('big', 'Big Mail', 'mailbox');
INSERT INTO ruad.address (source_ip, looked_up_at, rdns, rdns_domain, asn, as_name, country, service, service_basis)
SELECT ip, now(), CASE WHEN n % 3 < 2 THEN 'h' || n || '.other.example' END,
	CASE WHEN n % 3 < 2 THEN 'other.example' END, CASE WHEN n % 4 > 0 THEN 64500 + n % 2 END,
	CASE WHEN n % 4 > 0 THEN 'NET' END,
	CASE WHEN n % 2 = 0 THEN 'DE' END, CASE WHEN n % 5 = 1 THEN 'big' END, CASE WHEN n % 5 = 1 THEN 'rdns' END
FROM (SELECT x.ip, row_number() OVER (ORDER BY x.ip) AS n FROM (SELECT DISTINCT source_ip AS ip FROM ruad.record
	WHERE source_ip IS NOT NULL) x) x WHERE n % 7 > 0;
SELECT lives_ok($$SELECT ruad.set_label('as:64500', 'mine', 'ours', 'kim', 'cli')$$, 'a label');
ANALYZE;
INSERT INTO t.before SELECT * FROM t.answers();
SELECT is((SELECT count(*) FROM t.before), (SELECT count(*) FROM t.filter) * (SELECT count(*) FROM t.call),
	'answers without sums');
SELECT is(count(*), 4::bigint, 'and with windows that have and lack something')
FROM (SELECT DISTINCT answer #> '{totals,messages}' FROM t.before
	WHERE name IN ('30 days', 'a year', 'a week', 'nothing') AND call LIKE 'summary%') x;

SET default_transaction_isolation = 'repeatable read';
SELECT is((SELECT count(*) > 0 FROM generate_series(1, 100) WHERE ruad.sum_up()), true, 'all is summed up');
SELECT is((SELECT count(*) FROM ruad.unsummed) + (SELECT count(*) FROM ruad.stale), 0::bigint, 'nothing is left');
SELECT is(t.others(), '', 'the same answers from the sums');

-- What a change of a report that is summed leaves: sums of its month that are wrong.
INSERT INTO ruad.stale (day, domain_id) SELECT DISTINCT ruad.month_of(day), domain_id FROM ruad.report
WHERE day BETWEEN t.date(-130) AND t.date(-20) AND domain_id < 3;
UPDATE ruad.sum_day s SET messages = 0 FROM ruad.stale x WHERE x.domain_id = s.domain_id
	AND x.day = ruad.month_of(s.day);
UPDATE ruad.sum_month s SET messages = 0 FROM ruad.stale x WHERE x.domain_id = s.domain_id AND x.day = s.day;
SELECT is(t.others(), '', 'the same answers when sums are stale');

SET default_transaction_isolation = 'read committed';
SELECT is(jsonb_build_array(jsonb_array_length(j #> '{items,0,spark}'), (SELECT sum(v::numeric)
	FROM jsonb_array_elements_text(j #> '{items,0,spark}') v)), jsonb_build_array(n, j #> '{items,0,messages}'),
	format('a spark of %s has %s values, and all messages', w, n))
FROM (VALUES ('92 days', 92, api.filter(p_from => t.date(-91))),
	('93 days',
		(extract(year FROM t.date(0)) * 12 + extract(month FROM t.date(0))
			- extract(year FROM t.date(-92)) * 12 - extract(month FROM t.date(-92)))::integer + 1,
		api.filter(p_from => t.date(-92)))) v(w, n, f),
	api.sources(f, api.page()) j;

-- Excluded reports: the answers are those of a database that never had them, and without any sum.
ALTER TABLE t.before RENAME TO first_answers;
CREATE TABLE t.before (LIKE t.first_answers);
SELECT sum((ruad.set_excluded(true, r.id, NULL, NULL, 'odd', 'kim')).reports) AS odd FROM ruad.report r
WHERE r.id % 7 = 0 AND r.day > t.date(-120) \gset
SELECT is(count(*), :odd::bigint, 'some reports are excluded') FROM dmarc.excluded_reports;
SELECT (ruad.set_excluded(true, NULL, 'Org1', t.day(-60), 'broken', 'kim')).reports AS broken \gset
SELECT is(count(*), :broken::bigint, 'and those of a reporter') FROM dmarc.excluded_reports WHERE reason = 'broken';
INSERT INTO t.before SELECT * FROM t.answers();
BEGIN;
DELETE FROM ruad.report WHERE exclusion IS NOT NULL;
TRUNCATE ruad.excluded_record, ruad.sum_day, ruad.sum_month, ruad.seen, ruad.stale, ruad.unsummed;
INSERT INTO ruad.unsummed (report, day, domain_id) SELECT id, day, domain_id FROM ruad.report;
SELECT t.others() AS others \gset
ROLLBACK;
SELECT is(:'others'::text, '', 'the same answers as if they had never been there');
SELECT t.sum_up() AS left_ \gset
SELECT is(t.others(), '', 'and from the sums');
SELECT isnt((SELECT answer FROM t.before WHERE name = 'a year' AND call LIKE 'summary%'),
	(SELECT answer FROM t.first_answers WHERE name = 'a year' AND call LIKE 'summary%'), 'others than before');
SELECT ruad.set_excluded(false, r.id, NULL, NULL, NULL, 'kim') FROM dmarc.excluded_reports r \g /dev/null
TRUNCATE t.before;
INSERT INTO t.before SELECT * FROM t.first_answers;
SELECT is(t.others(), '', 'the first answers again once they are included');
SELECT t.sum_up() AS left_ \gset
SELECT is(t.others(), '', 'and from the sums');
SELECT * FROM finish();
