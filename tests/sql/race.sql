-- Two sessions at once: one of them wins, the other sees a duplicate; nothing deadlocks.
SELECT plan(35);
\getenv host PGHOST
SELECT dblink_connect('other', format('host=%s user=postgres dbname=%I options=''-c search_path=tap,t''',
	:'host', current_database()));
CREATE FUNCTION t.pair() RETURNS jsonb LANGUAGE sql AS $$
	SELECT t.mail(t.report('z.example', 'Org', 'z', t.day(-3), '[]'),
		t.report('a.example', 'Org', 'a', t.day(-3), '[]'))
$$;
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

BEGIN;
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.pair()) x), '2 0 0 0 f', 'the first session stores');
SELECT dblink_send_query('other', 'SELECT string_agg(x, '','') FROM t.take(t.pair()) x');
SELECT ok(t.waits(), 'the second waits for it');
COMMIT;
SELECT is((SELECT x FROM dblink_get_result('other') AS r(x text)), '0 2 0 0 f', 'and then finds duplicates');
SELECT * FROM dblink_get_result('other') AS r(x text);

BEGIN;
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.mail(t.unreadable('xml', 'same bytes'))) x), '0 0 0 1 t',
	'unreadable: the first keeps the bytes');
SELECT dblink_send_query('other', $$SELECT string_agg(x, ',')
	FROM t.take(t.mail(t.unreadable('xml', 'same bytes'))) x$$);
SELECT ok(t.waits(), 'the second waits for it');
ROLLBACK;
SELECT is((SELECT x FROM dblink_get_result('other') AS r(x text)), '0 0 0 1 t',
	'and keeps them itself when the first fails');
SELECT * FROM dblink_get_result('other') AS r(x text);

-- A month that neither has: none makes a table, so none waits.
SELECT is(t.take(t.mail(t.report('m.example', 'Org', 'm0', t.day(-3), '[]'))), '1 0 0 0 f', 'a domain');
BEGIN;
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.mail(t.report('m.example', 'Org', 'm1', '2015-05-05', '[]'))) x),
	'1 0 0 0 f', 'the first stores a report of a new month');
SELECT is((SELECT x
	FROM dblink('other', $$SELECT string_agg(x, ',')
		FROM t.take(t.mail(t.report('m.example', 'Org', 'm2', '2015-05-06', '[]'))) x$$) AS r(x text)), '1 0 0 0 f',
		'the second does not wait for it');
COMMIT;

-- What two sessions find about records: stored once.
BEGIN;
SELECT is(t.take(t.mail(t.report('m.example', 'Org', 'e1', t.day(-3),
	jsonb_build_array(t.record('192.0.2.1', 1, 'pass', 'fail'), t.record('192.0.2.2', 1, 'fail', 'fail'))))),
	'1 0 0 0 f', 'a report');
SELECT dblink_send_query('other',
	$$SELECT t.take(t.mail(t.report('m.example', 'Org', 'e2', t.day(-3),
		jsonb_build_array(t.record('192.0.2.3', 1, 'fail', 'fail'), t.record('192.0.2.4', 1, 'pass', 'fail')))))$$);
SELECT ok(t.waits(), 'another one, in which the same was found, waits');
COMMIT;
SELECT is((SELECT x FROM dblink_get_result('other') AS r(x text)), '1 0 0 0 f', 'and refers to it');
SELECT * FROM dblink_get_result('other') AS r(x text);
SELECT is((SELECT (count(DISTINCT r.evaluation), count(*), (SELECT count(*) FROM ruad.evaluation),
	(SELECT count(*) FROM ruad.facet))::text
	FROM ruad.record r JOIN ruad.domain d ON d.id = r.domain_id WHERE d.name = 'm.example'), '(2,4,2,2)', 'each once');
SELECT results_eq($$SELECT host(source_ip), dkim, count FROM dmarc.records WHERE domain = 'm.example' ORDER BY 1$$,
	$$VALUES ('192.0.2.1', 'pass', 1::bigint), ('192.0.2.2', 'fail', 1), ('192.0.2.3', 'fail', 1),
	('192.0.2.4', 'pass', 1)$$, 'and each record has its own');

-- Failure reports are identified by their bytes, though each mail has another time.
BEGIN;
SELECT is(t.take(t.mail(t.failure('{"subject": "f"}'))), '1 0 0 0 f', 'a failure report');
SELECT dblink_send_query('other', $$SELECT t.take(t.mail(t.failure('{"subject": "f"}'), t.failure('{"subject": "g"}'))
	|| jsonb_build_object('received_at', t.day(-1)))$$);
SELECT ok(t.waits(), 'its copy waits');
COMMIT;
SELECT is((SELECT x FROM dblink_get_result('other') AS r(x text)), '1 1 0 0 f', 'and is a duplicate');
SELECT * FROM dblink_get_result('other') AS r(x text);

-- Mail that is read again while other sessions are at work.
CREATE FUNCTION t.of(bytes text) RETURNS bigint LANGUAGE sql AS $$ SELECT min(id) FROM ruad.mail
	WHERE sha256 = sha256(convert_to(bytes, 'UTF8')) $$;
CREATE FUNCTION t.named(bytes text, VARIADIC items jsonb[]) RETURNS jsonb LANGUAGE sql AS $$
	SELECT t.mail(VARIADIC items) || jsonb_build_object('bytes', bytes) $$;
CREATE FUNCTION t.doc(id text, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT t.report('p.example', 'Org', id, t.day(-3), '[{"source_ip": "192.0.2.1", "count": 5, "dkim": "pass"}]',
		more) $$;
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.named('u', t.unreadable('xml', 'u')),
	t.named('v', t.unreadable('xml', 'v')), t.named('p', t.doc('p', '{"partial": true}'), t.unreadable('xml', 'p'))) x),
	'0 0 0 1 t,0 0 0 1 t,1 0 0 1 t', 'three mails are kept');

BEGIN;
SELECT is(t.again(t.of('u'), t.named('u', t.doc('u'))), '1 0 0 0 f', 'one is read again');
SELECT dblink_send_query('other', $$SELECT t.take(t.named('u', t.unreadable('xml', 'u')))$$);
SELECT ok(t.waits(), 'the same bytes come and wait');
COMMIT;
SELECT is((SELECT x FROM dblink_get_result('other') AS r(x text)), '0 0 0 1 t',
	'and are kept anew, since those kept are gone');
SELECT * FROM dblink_get_result('other') AS r(x text);
SELECT is((SELECT string_agg(t.ledger(id), '; ' ORDER BY id) FROM ruad.mail WHERE sha256 = sha256('u')),
	'1 aggregate stored r1; 1 unreadable quarantined xml - +raw', 'nothing is lost');

BEGIN;
SELECT is(t.take(t.named('v', t.unreadable('xml', 'v'))), '0 1 0 0 f', 'the same bytes come first');
SELECT dblink_send_query('other', $$SELECT t.again(t.of('v'), t.named('v', t.doc('v')))$$);
SELECT ok(t.waits(), 'who reads the kept ones again waits');
COMMIT;
SELECT is((SELECT x FROM dblink_get_result('other') AS r(x text)), '1 0 0 0 f', 'and stores');
SELECT * FROM dblink_get_result('other') AS r(x text);
SELECT is((SELECT string_agg(t.ledger(id), '; ' ORDER BY id) FROM ruad.mail WHERE sha256 = sha256('v')),
	'1 aggregate stored r1; 1 aggregate duplicate r1', 'the late mail follows');

BEGIN;
SELECT is(t.take(t.named('p2', t.doc('p', '{"bytes": "whole"}'))), '1 0 0 0 f',
	'a complete report replaces a partial one');
SELECT dblink_send_query('other', $$SELECT t.again(t.of('p'),
	t.named('p', t.doc('p', '{"partial": true}'), t.doc('p3')))$$);
SELECT ok(t.waits(), 'whose mail is read again');
COMMIT;
SELECT is((SELECT x FROM dblink_get_result('other') AS r(x text)), '1 1 0 0 f', 'and turns out to be a duplicate');
SELECT * FROM dblink_get_result('other') AS r(x text);
SELECT is(t.ledger(t.of('p')), '1 aggregate duplicate r1, 2 aggregate stored r2',
	'its bytes go when the last that needs them is done');

SELECT is(t.take(t.named('w', t.unreadable('xml', 'w'))), '0 0 0 1 t', 'one more');
BEGIN;
SELECT is(t.again(t.of('w'), t.named('w', t.doc('w'))), '1 0 0 0 f', 'two sessions read it again');
SELECT dblink_send_query('other', $$SELECT concat_ws(' ', stored, duplicates, conflicts, unreadable, keep_raw)
	FROM (SELECT t.named('w', t.doc('w')) || jsonb_build_object('again', t.of('w')) AS m OFFSET 0) v,
		ruad.ingest_again(t.mails(m), t.items(m))$$);
SELECT ok(t.waits(), 'one waits');
COMMIT;
SELECT is((SELECT x FROM dblink_get_result('other') AS r(x text)), '0 0 0 0 f', 'and finds nothing left to do');
SELECT * FROM dblink_get_result('other') AS r(x text);
SELECT is(t.broken(), '', 'all is consistent');
SELECT * FROM finish();
