-- Retention: what is older goes, whole months as tables, and nothing else.
SELECT plan(83);
CREATE FUNCTION t.doc(id text, at timestamptz, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT t.report('p.example', 'Org', id, at, jsonb_build_array(t.record('192.0.2.1', 1, 'pass', 'pass'),
		t.record('192.0.2.2', 2, 'pass', 'pass')), more) $$;
CREATE FUNCTION t.named(bytes text, VARIADIC items jsonb[]) RETURNS jsonb LANGUAGE sql AS $$
	SELECT t.mail(VARIADIC items) || jsonb_build_object('bytes', bytes) $$;
CREATE FUNCTION t.of(bytes text) RETURNS bigint LANGUAGE sql AS $$ SELECT min(id) FROM ruad.mail
	WHERE sha256 = sha256(convert_to(bytes, 'UTF8')) $$;
CREATE FUNCTION t.months(parent text) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(right(relname, 7), ' ' ORDER BY relname), '') FROM pg_inherits
	JOIN pg_class ON oid = inhrelid WHERE inhparent = to_regclass('ruad.' || parent) AND relname ~ '\d$' $$;
CREATE FUNCTION t.left() RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(report_id, ' ' ORDER BY begin, report_id), '') FROM ruad.report $$;
-- As if these months had volume.
CREATE FUNCTION t.make(first_parent text, VARIADIC months date[]) RETURNS boolean LANGUAGE sql AS $$
	SELECT bool_and(ruad.make_month(string_to_array(g.parents, ','), m)) FROM ruad.month_groups() g, unnest(months) m
	WHERE split_part(g.parents, ',', 1) = first_parent $$;
-- The months of which evaluations are kept.
CREATE FUNCTION t.known() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws('; ', (SELECT string_agg(DISTINCT to_char(day, 'YYYY_MM'), ' ' ORDER BY to_char(day, 'YYYY_MM'))
		FROM ruad.evaluation),
		(SELECT 'facets differ' FROM (SELECT domain_id, facet FROM ruad.evaluation EXCEPT SELECT domain_id, id
			FROM ruad.facet) x LIMIT 1),
		(SELECT 'facets are left' FROM (SELECT domain_id, id FROM ruad.facet EXCEPT SELECT domain_id, facet
			FROM ruad.evaluation) x LIMIT 1)) $$;

-- aggregate reports
SELECT is((SELECT string_agg(DISTINCT x, ',')
	FROM t.take(VARIADIC ARRAY(SELECT t.named(id, t.doc(id, at::timestamptz)) || jsonb_build_object('received_at', at)
		FROM (VALUES
	('old', '2009-05-05 00:00:00+00'), ('jan', '2024-01-01 00:00:00+00'), ('jan31', '2024-01-31 23:59:59+00'),
		('feb', '2024-02-01 00:00:00+00'),
	('mar1', '2024-03-09 23:59:59+00'), ('mar2', '2024-03-10 00:00:00+00'), ('apr', '2024-04-01 00:00:00+00')) v(id, at)
	ORDER BY at::timestamptz)) x), '1 0 0 0 f', 'reports of several months');
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.named('far', t.doc('far', '9999-01-01 00:00:00+00'))
	|| jsonb_build_object('received_at', '2024-03-09'), t.named('far2', t.doc('far2', '9999-01-01 00:00:00+00'))
	|| jsonb_build_object('received_at', '2024-03-11'),
		t.named('partial', t.doc('partial', '2024-01-02 00:00:00+00', '{"partial": true}'),
			t.doc('apr', '2024-04-01 00:00:00+00')) || jsonb_build_object('received_at', '2024-01-03'),
			t.named('conflict', t.doc('apr', '2024-04-01 00:00:00+00', '{"bytes": "other"}'))
				|| jsonb_build_object('received_at', '2024-01-03')) x), '1 0 0 0 f,1 0 0 0 f,1 1 0 0 t,0 0 1 0 t',
				'of the far future, a truncated one, a conflict');
SELECT is((t.make('report', '2024-01-01', '2024-02-01', '2024-03-01', '2024-04-01'), t.months('report'))::text,
	'(t,"2024_01 2024_02 2024_03 2024_04")', 'the months are there');
CREATE TEMP TABLE epoch AS SELECT last_value FROM ruad.evaluation_epoch;
SELECT is(t.prune('aggregate', '2000-01-01'), 'reports 0, records 0, months 0', 'nothing is as old as that');
SELECT is((SELECT last_value FROM ruad.evaluation_epoch), (SELECT last_value FROM epoch),
	'ids of evaluations may be remembered');
SELECT is(t.prune('aggregate', '2024-01-31 23:59:59+00'), 'reports 3, records 6, months 0',
	'a month that is cut through: what is older');
SELECT is(t.left(), 'jan31 feb mar1 mar2 apr far far2', 'goes, and what lay outside all months');
SELECT is(t.known(), '2024_01 2024_02 2024_03 2024_04 9999_01',
	'what was found about records of a domain and month goes with its last report');
SELECT cmp_ok((SELECT last_value FROM ruad.evaluation_epoch), '>', (SELECT last_value FROM epoch),
	'and is no longer remembered');
UPDATE epoch SET last_value = (SELECT last_value FROM ruad.evaluation_epoch);
SELECT is(t.prune('aggregate', '2024-03-10 00:00:00+00'), 'reports 4, records 8, months 2',
	'two months and a part of one');
SELECT is(t.left(), 'mar2 apr far2', 'go, and what claimed to be of the future, by its receipt');
SELECT is((SELECT string_agg(DISTINCT t.months(p), ',') FROM ruad.month_groups() g, string_to_table(g.parents, ',') p
	WHERE p NOT LIKE 'failure%' AND p NOT LIKE 'tls%'), '2024_03 2024_04', 'as tables');
SELECT is(t.known(), '2024_03 2024_04 9999_01', 'with what was found');
SELECT cmp_ok((SELECT last_value FROM ruad.evaluation_epoch), '>', (SELECT last_value FROM epoch),
	'which is no longer remembered');
SELECT is(t.prune('aggregate', '2024-03-10 00:00:00+00'), 'reports 0, records 0, months 0',
	'a second run finds nothing');
SELECT is((SELECT count(*) FROM ruad.record), 6::bigint, 'no record stays without its report');
SELECT is(t.take(t.named('jan', t.doc('jan', '2024-01-01 00:00:00+00'))), '1 0 0 0 f',
	'an old report that comes again is stored again');
SELECT is((t.prune('aggregate', '2024-03-10 00:00:00+00'), t.left())::text,
	'("reports 1, records 2, months 0","mar2 apr far2")', 'and goes again, from the default partition');
SELECT is(t.take(t.named('apr2', t.doc('apr', '2024-04-01 00:00:00+00'))), '0 1 0 0 f',
	'what was not old is still known');
SELECT is(t.take(t.named('conflict2', t.doc('apr', '2024-04-01 00:00:00+00', '{"bytes": "other"}'))), '0 1 0 0 f',
	'and so is the conflict');
SELECT is(t.again(t.of('partial'), t.named('partial', t.doc('partial', '2024-01-02 00:00:00+00', '{"bytes": "p"}'),
	t.doc('apr', '2024-04-01 00:00:00+00'))), '1 1 0 0 f',
	'a kept mail whose report is gone is stored anew when read again');
SELECT is(t.ledger(t.of('partial')), '1 aggregate stored r1, 2 aggregate duplicate r2', 'in place of what it had been');
SELECT is(t.make('report', '2024-01-01'), true, 'its month has partitions again');
SELECT is(t.prune('aggregate', '2024-03-10 00:00:00+00'), 'reports 1, records 2, months 1', 'and goes again');

-- A step ends with the report with which it has 20,000 records. What is old is so to the second.
CREATE FUNCTION t.step(before timestamptz) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(p.what || ' ' || p.removed, ', ') FROM ruad.prune('aggregate', before) p $$;
SELECT is((SELECT string_agg(DISTINCT x, ',') FROM t.take(VARIADIC ARRAY(SELECT t.mail(t.doc(id, at::timestamptz)) FROM (VALUES
	('s1', '2022-01-05 00:00:00+00'), ('s2', '2022-01-06 00:00:00+00'), ('s3', '2022-01-07 11:59:59+00'),
	('s4', '2022-01-07 12:00:00+00')) v(id, at) ORDER BY id)) x), '1 0 0 0 f', 'four old reports');
UPDATE ruad.report r SET records = v.n FROM (VALUES ('s1', 19999), ('s2', 1)) v(id, n) WHERE r.report_id = v.id;
SELECT is(t.step('2022-01-07 12:00:00+00'), 'reports 2, records 4, months 0', 'two of them have 20,000 records');
SELECT is(t.left(), 's3 s4 mar2 apr far2', 'and go first');
SELECT is(t.step('2022-01-07 12:00:00+00') || '; ' || t.left(), 'reports 1, records 2, months 0; s4 mar2 apr far2',
	'then what is older by a second, of the same day');
SELECT is(t.prune('aggregate', '2022-02-01'), 'reports 1, records 2, months 0', 'the last one');
SELECT is((SELECT string_agg(ruad.is_old(begin, received_at, now() - interval '9 days')::text, ' ' ORDER BY no) FROM (VALUES
	(1, now() - interval '9 days', now()), (2, now() - interval '9 days 1 second', now()),
	(3, now() + interval '62 days', now() - interval '9 days 1 second'), (4, now() + interval '62 days', now() - interval '9 days'),
	(5, now() + interval '62 days' - interval '1 second', now() - interval '99 days')) v(no, begin, received_at)),
	'false true true false false', 'what claims to begin in 62 days is as old as its mail');

-- failure reports
SELECT is((SELECT string_agg(DISTINCT x, ',')
	FROM t.take(VARIADIC ARRAY(SELECT t.named('f'
		|| at, t.failure(jsonb_build_object('arrival_time', at || 'T00:00:00Z', 'subject', at)))
		FROM unnest('{2005-01-01,2024-01-15,2024-02-15,2024-03-15}'::text[]) at)) x),
	'1 0 0 0 f', 'failure reports');
SELECT is(t.make('failure', '2024-01-01', '2024-02-01', '2024-03-01'), true, 'in months');
SELECT is(t.prune('failure', '2024-02-16'), 'reports 3, months 1', 'old ones go');
SELECT is((t.months('failure'), (SELECT string_agg(subject, ' ') FROM ruad.failure),
	(SELECT count(*) FROM ruad.failure_seen))::text, '("2024_02 2024_03",2024-03-15,1)', 'and are not known any more');
SELECT is(t.take(t.named('g', t.failure('{"arrival_time": "2024-01-15T00:00:00Z", "subject": "2024-01-15"}'),
	t.failure('{"arrival_time": "2024-03-15T00:00:00Z", "subject": "2024-03-15"}'))), '1 1 0 0 f',
	'so that one is stored again, the other is not');
SELECT is(t.prune('failure', '2024-02-16'), 'reports 1, months 0', 'until the next run');
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.named('h', t.failure('{"arrival_time": "2024-02-16T11:59:59Z", "subject": "h1"}'),
	t.failure('{"arrival_time": "2024-02-16T12:00:00Z", "subject": "h2"}'))) x), '2 0 0 0 f', 'two of one day');
SELECT is(t.prune('failure', '2024-02-16 12:00:00+00'), 'reports 1, months 0', 'the second decides');
SELECT is((SELECT string_agg(subject, ' ' ORDER BY subject) FROM ruad.failure), '2024-03-15 h2', 'which of them goes');
SELECT is(t.prune('failure', '2024-02-16 12:00:01+00'), 'reports 1, months 0', 'so that the other goes later');

-- TLS reports
SELECT is((SELECT string_agg(DISTINCT x, ',')
	FROM t.take(VARIADIC ARRAY(SELECT t.named('t'
		|| at, t.tls(t.tls_content(day => at, domains => '{a.example,b.example}'))) || '{"received_at": "2024-01-01"}'
	FROM unnest('{1999-01-01 00:00:00+00,2024-01-15 00:00:00+00,2024-02-15 00:00:00+00,2024-02-17 '
		'00:00:00+00,9000-01-01 00:00:00+00}'::timestamptz[]) at)) x), '1 0 0 0 f', 'TLS reports');
SELECT is(t.make('tls', '2024-01-01', '2024-02-01'), true, 'in months');
SELECT is(t.prune('tls', '2024-02-16 00:00:00+00'), 'reports 4, policies 8, months 1', 'old ones go');
SELECT is((t.months('tls'), t.months('tls_policy'), (SELECT count(*) FROM ruad.tls),
	(SELECT count(*) FROM ruad.tls_policy))::text, '(2024_02,2024_02,1,2)', 'with their policies');
SELECT is(t.broken(), '', 'all is consistent');

-- bytes
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.named('raw', t.unreadable('xml', 'r'))
	|| jsonb_build_object('received_at', t.day(-9)), t.named('raw', t.unreadable('xml', 'r')),
		t.named('raw2', t.unreadable('xml', 'r'))) x),
	'0 0 0 1 t,0 1 0 0 f,0 0 0 1 t', 'mails quarantined');
SELECT is(t.prune('raw', t.day(-9)), 'mails 1, bytes ' || length('conflict'), 'of mail received before, not at, that time');
SELECT is(t.prune('raw', t.day(-8)), format('mails 1, bytes %s', length('raw')), 'old bytes go');
SELECT is((SELECT string_agg(t.ledger(id), '; ' ORDER BY id) FROM ruad.mail
	WHERE sha256 IN (sha256('raw'), sha256('raw2'))),
	'1 unreadable quarantined xml -; 1 unreadable duplicate xml -; 1 unreadable quarantined xml - +raw',
	'the ledger keeps what was wrong');
SELECT is((SELECT count(*) FROM ruad.mail m WHERE m.raw IS NOT NULL
	AND NOT EXISTS (SELECT FROM ruad.raw k WHERE k.mail = m.raw)), 0::bigint, 'and names no bytes that are gone');
SELECT is(t.take(t.named('raw', t.unreadable('xml', 'r'))), '0 0 0 1 t', 'the same bytes again are kept again');
SELECT is(t.prune('raw', t.day(-8)), 'mails 0, bytes 0', 'not by a mail of today');

-- the ledger
SELECT is((SELECT string_agg(n, ' ' ORDER BY n)
	FROM unnest('{old,jan,jan31,feb,mar1,mar2,apr,far,far2,partial,conflict}'::text[]) n WHERE t.of(n) IS NOT NULL),
	'apr conflict far far2 feb jan jan31 mar1 mar2 old partial', 'all these mails came');
CREATE TEMP TABLE said AS SELECT t.prune('mail', t.day(-8)) AS x;
SELECT is((SELECT string_agg(n, ' ' ORDER BY n)
	FROM unnest('{old,jan,jan31,feb,mar1,mar2,apr,far,far2,partial,conflict,raw}'::text[]) n WHERE t.of(n) IS NOT NULL
		AND EXISTS (SELECT FROM ruad.mail m WHERE m.id = t.of(n) AND m.received_at < t.day(-8))),
	'apr conflict far2 mar2 partial', 'of old mails those stay that stand for a report, repeat or contradict one');
SELECT is((SELECT count(*) FROM ruad.item i WHERE NOT EXISTS (SELECT FROM ruad.mail m WHERE m.id = i.mail)), 0::bigint,
	'items go with their mail');
SELECT is(t.prune('mail', t.day(-8)), 'mails 0, items 0', 'a second run finds nothing');
SELECT ok((SELECT x ~ '^mails [1-9]\d*, items [1-9]\d*$' FROM said), 'the first one had said how many');
SELECT is(regexp_replace(t.broken(), '^mail \d+ lacks its bytes$', ''), '',
	'all is consistent, but for the bytes that went');

-- what is refused
SELECT is(t.prune('failure', now() + interval '59 minutes'), 'reports 1, months 2', 'a clock that is ahead is not');
SELECT throws_ok(format('SELECT ruad.prune(%L, %L)', k, a), '22023', NULL, format('%s before %s', k, a))
FROM (VALUES ('aggregate', NULL), ('aggregate', 'infinity'), ('mail', (now() + interval '61 minutes')::text),
	('everything', '2000-01-01'), (NULL, '2000-01-01')) v(k, a);

-- Readers and writers at work: the pruner waits its turn, without holding them up.
\getenv host PGHOST
SELECT dblink_connect('other', format('host=%s user=postgres dbname=%I options=''-c search_path=tap,t''',
	:'host', current_database()));
CREATE FUNCTION t.waits() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 200 LOOP
		IF EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
			AND (wait_event_type = 'Lock' OR wait_event = 'PgSleep')
			AND pid <> pg_backend_pid()) THEN
			RETURN true;
		END IF;
		PERFORM pg_sleep(0.01), pg_stat_clear_snapshot();
	END LOOP;
	RETURN false;
END $$;
SELECT is((t.take(t.mail(t.doc('busy', '2023-05-05'))), t.make('report', '2023-05-01'))::text, '("1 0 0 0 f",t)',
	'an old report');
BEGIN;
SELECT is((SELECT count(*) FROM ruad.record WHERE begin < '2023-06-01'), 1::bigint * 2, 'somebody reads the records');
SELECT dblink_send_query('other', $$SELECT t.prune('aggregate', '2024-01-01')$$);
SELECT ok(t.waits(), 'the pruner waits');
SELECT is((SELECT count(*) FROM ruad.report WHERE begin < '2023-06-01'), 1::bigint,
	'the reader may go on to the reports, the other way round');
COMMIT;
SELECT is((SELECT x FROM dblink_get_result('other') AS r(x text)), 'reports 1, records 2, months 1',
	'and prunes when it is done');
SELECT * FROM dblink_get_result('other') AS r(x text);
SELECT is((t.take(t.mail(t.doc('busy2', '2023-05-05'))), t.make('report', '2023-05-01'))::text, '("1 0 0 0 f",t)',
	'an old report');
BEGIN;
SELECT is(t.take(t.mail(t.doc('busy3', '2023-05-05'))), '1 0 0 0 f', 'another one of its month is received');
SELECT dblink_send_query('other', $$SELECT t.prune('aggregate', '2024-01-01')$$);
SELECT ok(t.waits(), 'the pruner waits');
COMMIT;
SELECT is((SELECT x FROM dblink_get_result('other') AS r(x text)), 'reports 2, records 4, months 1', 'and sees it');
SELECT * FROM dblink_get_result('other') AS r(x text);
SELECT is(t.take(t.mail(t.doc('busy4', '2023-05-05'))), '1 0 0 0 f', 'an old report of a month without partitions');
BEGIN;
SELECT is((SELECT count(*) FROM dmarc.records WHERE begin < '2023-06-01'), 2::bigint, 'somebody reads the records');
SELECT is((SELECT x FROM dblink('other', $$SELECT t.prune('aggregate', '2024-01-01')$$) AS r(x text)),
	'reports 1, records 2, months 0', 'the pruner need not wait');
COMMIT;
SELECT is(t.take(t.mail(t.doc('busy5', '2023-05-05'))), '1 0 0 0 f', 'an old report of a month without partitions');
BEGIN;
SELECT is(t.take(t.mail(t.doc('busy6', '2023-05-05'))), '1 0 0 0 f', 'another one is received');
SELECT dblink_send_query('other', $$SELECT t.prune('aggregate', '2024-01-01')$$);
SELECT ok(t.waits(), 'the pruner waits');
SELECT is(t.take(t.mail(t.doc('busy5', '2023-05-05'))), '0 1 0 0 f', 'a copy of the old one is received');
COMMIT;
SELECT is((SELECT x FROM dblink_get_result('other') AS r(x text)), 'reports 2, records 4, months 0',
	'and removes both');
SELECT is(t.known() ~ '2023', false, 'with what was found');
SELECT is(regexp_replace(t.broken(), '^mail \d+ lacks its bytes$', ''), '', 'all is consistent');
SELECT * FROM finish();
