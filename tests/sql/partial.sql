-- Truncated reports, and the complete or longer copies that replace them.
SELECT plan(37);
CREATE FUNCTION t.doc(id text, records integer, partial boolean, more jsonb DEFAULT '{}')
RETURNS jsonb LANGUAGE sql AS $$
	SELECT t.report('p.example', 'Org', id, t.day(-3),
		(SELECT coalesce(jsonb_agg(t.record('192.0.2.' || n, 10, 'pass', 'fail')), '[]')
			FROM generate_series(1, records) n),
		jsonb_build_object('partial', partial) || more) $$;
CREATE FUNCTION t.last(back integer DEFAULT 0) RETURNS bigint LANGUAGE sql AS $$ SELECT id FROM ruad.mail
	ORDER BY id DESC OFFSET back LIMIT 1 $$;
CREATE FUNCTION t.stands(id text) RETURNS text LANGUAGE sql AS $$
	SELECT format('%s records, %s messages, partial %s', records, messages, partial) FROM ruad.report r
	WHERE r.report_id = stands.id $$;

SELECT is(t.take(t.mail(t.doc('a', 2, true))), '1 0 0 0 t', 'one that is truncated is stored, and its bytes are kept');
SELECT is(t.ledger(t.last()), '1 aggregate stored partial r1 +raw', 'the ledger says so');
SELECT is((SELECT reason FROM ruad.item WHERE mail = t.last()),
	'the report is truncated; its complete records are stored', 'in words');
SELECT is(t.stands('a'), '2 records, 20 messages, partial t', 'and so does the report');
CREATE TEMP TABLE a AS SELECT id, mail FROM ruad.report;
SELECT is(t.take(t.mail(t.doc('a', 2, true)) || '{"subject": "again"}'), '0 1 0 0 f', 'the same again is a duplicate');
SELECT is(t.take(t.mail(t.doc('a', 1, true))), '0 1 0 0 f', 'so is one that is truncated earlier');
SELECT is(t.take(t.mail(t.doc('a', 2, true, '{"fo": "1"}'))), '0 1 0 0 f', 'or another one of the same length');
SELECT is(t.ledger(t.last()), '1 aggregate duplicate r1', 'whose bytes are not kept');
SELECT is(t.take(t.mail(t.doc('a', 3, true)) || '{"authentic": "pass"}'), '1 0 0 0 t', 'a longer one takes its place');
SELECT is(t.stands('a'), '3 records, 30 messages, partial t', 'with its records');
SELECT is((SELECT (r.id = a.id, r.mail = t.last(), r.received_at = m.received_at, r.authentic)::text FROM ruad.report r
	JOIN ruad.mail m ON m.id = r.mail, a), '(t,t,t,pass)', 'under the old number, brought by the new mail');
SELECT is((SELECT t.ledger(a.mail) FROM a), '1 aggregate duplicate r1',
	'the mail of the first has a copy of it now, and its bytes are gone');
SELECT is((SELECT raw FROM ruad.mail JOIN a ON a.mail = mail.id), NULL, 'as it knows');
SELECT is(t.take(t.mail(t.doc('a', 2, false, '{"bytes": "whole", "p": "none", "org_name": "ORG"}'))
	|| '{"authentic": "pass"}'), '1 0 0 0 f',
	'the complete one replaces it, even if it has fewer records');
SELECT is(t.stands('a'), '2 records, 20 messages, partial f', 'with its records');
SELECT is((SELECT (r.id = a.id, r.mail = t.last(), r.p, r.authentic, o.org_name)::text FROM ruad.report r
	JOIN ruad.reporter o ON o.id = r.reporter_id, a), '(t,t,none,pass,ORG)', 'and all that it says');
SELECT is(t.ledger(t.last()) || '; ' || t.ledger(t.last(1)), '1 aggregate stored r1; 1 aggregate duplicate r1',
	'no bytes are kept');
SELECT is(t.take(t.mail(t.doc('a', 9, true))), '0 1 0 0 f',
	'one that is truncated is a duplicate of the complete one, however long');
SELECT is(t.take(t.mail(t.doc('a', 5, false))), '0 0 1 0 t', 'another complete one is a conflict');
SELECT is(t.broken(), '', 'all is consistent');

-- in one batch, in one mail
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.mail(t.doc('b', 1, true)), t.mail(t.doc('b', 2, true)),
	t.mail(t.doc('b', 3, false)), t.mail(t.doc('b', 3, false)) || '{"subject": "again"}',
	t.mail(t.doc('b', 4, false))) x),
	'0 1 0 0 f,0 1 0 0 f,1 0 0 0 f,0 1 0 0 f,0 0 1 0 t',
	'in one batch the first complete one is stored, the others are compared with it');
SELECT is((SELECT string_agg(x, ',')
	FROM t.take(t.mail(t.doc('c', 1, true), t.doc('c', 2, true), t.doc('c', 1, true, '{"fo": "s"}'))) x), '1 2 0 0 t',
	'of truncated ones the longest');
SELECT is(t.ledger(t.last()), '1 aggregate duplicate r1, 2 aggregate stored partial r1, 3 aggregate duplicate r1 +raw',
	'also in one mail');
SELECT is((SELECT string_agg(x, ',')
	FROM t.take(t.mail(t.doc('d', 1, true), t.doc('e', 1, true), t.doc('e', 1, false, '{"bytes": "e"}'),
		t.doc('c', 2, false), t.unreadable('xml', 'x'))) x), '3 1 0 1 t', 'among others');
SELECT is((t.ledger(t.last()), t.ledger(t.last(1)))::text,
	'("1 aggregate stored partial r1, 2 aggregate duplicate r2, 3 aggregate stored r2, 4 aggregate stored r3, 5 '
		'unreadable quarantined xml - +raw","1 aggregate duplicate r1, 2 aggregate duplicate r1, 3 aggregate duplicate '
			'r1")', 'the ledger follows');
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.mail(t.doc('d', 1, false, '{"bytes": "d"}'))) x),
	'1 0 0 0 f', 'the complete one is received');
SELECT is(t.ledger(t.last(1)), '1 aggregate duplicate r1, 2 aggregate duplicate r2, 3 aggregate stored r2, 4 aggregate '
	'stored r3, 5 unreadable quarantined xml - +raw', 'bytes that something else needs stay');
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.mail(t.doc('z', 0, true))) x), '1 0 0 0 t',
	'one without a complete record is stored too');
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.mail(t.doc('l', 3, true, '{"records": 4}'))) x), '0 0 0 1 t',
	'but not one that lies');
SELECT is((SELECT sum(count) FROM ruad.record), 20 + 30 + 20 + 10 + 10::numeric, 'no message is counted twice');
SELECT is(t.broken(), '', 'all is consistent');

-- two sessions
\getenv host PGHOST
SELECT dblink_connect('other', format('host=%s user=postgres dbname=%I options=''-c search_path=tap,t''',
	:'host', current_database()));
CREATE FUNCTION t.waits() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 200 LOOP
		IF EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock') THEN
			RETURN true;
		END IF;
		PERFORM pg_sleep(0.01), pg_stat_clear_snapshot();
	END LOOP;
	RETURN false;
END $$;
SELECT is(t.take(t.mail(t.doc('r', 1, true), t.doc('s', 1, true))), '2 0 0 0 t', 'two that are truncated');
BEGIN;
SELECT is(t.take(t.mail(t.doc('s', 2, true), t.doc('r', 2, true))), '2 0 0 0 t', 'a session has longer ones');
SELECT dblink_send_query('other', $$SELECT string_agg(x, ',')
	FROM t.take(t.mail(t.doc('r', 3, false), t.doc('s', 2, true, '{"fo": "d"}'))) x$$);
SELECT ok(t.waits(), 'the other waits for it');
COMMIT;
SELECT is((SELECT x FROM dblink_get_result('other') AS r(x text)), '1 1 0 0 f',
	'and then replaces what the first made of it');
SELECT is(t.stands('r') || '; ' || t.stands('s'),
	'3 records, 30 messages, partial f; 2 records, 20 messages, partial t', 'with one report each');
SELECT is(t.broken(), '', 'all is consistent');
SELECT * FROM finish();
