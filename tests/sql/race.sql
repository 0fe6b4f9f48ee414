-- Two sessions at once: one of them wins, the other sees a duplicate; nothing deadlocks.
SELECT plan(9);
\getenv host PGHOST
SELECT dblink_connect('other', format('host=%s user=postgres dbname=%I options=''-c search_path=tap,t''', :'host', current_database()));
CREATE FUNCTION t.pair() RETURNS jsonb LANGUAGE sql AS $$
	SELECT t.mail(t.report('z.example', 'Org', 'z', t.day(-3), '[]'), t.report('a.example', 'Org', 'a', t.day(-3), '[]'))
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
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.mail(t.unreadable('xml', 'same bytes'))) x), '0 0 0 1 t', 'unreadable: the first keeps the bytes');
SELECT dblink_send_query('other', $$SELECT string_agg(x, ',') FROM t.take(t.mail(t.unreadable('xml', 'same bytes'))) x$$);
SELECT ok(t.waits(), 'the second waits for it');
ROLLBACK;
SELECT is((SELECT x FROM dblink_get_result('other') AS r(x text)), '0 0 0 1 t', 'and keeps them itself when the first fails');
SELECT * FROM dblink_get_result('other') AS r(x text);

-- A month that neither has: the partitions are made once.
BEGIN;
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.mail(t.report('m.example', 'Org', 'm1', '2015-05-05', '[]'))) x), '1 0 0 0 f', 'the first makes the month');
SELECT dblink_send_query('other', $$SELECT string_agg(x, ',') FROM t.take(t.mail(t.report('m.example', 'Org', 'm2', '2015-05-06', '[]'))) x$$);
SELECT ok(t.waits(), 'the second waits for it');
COMMIT;
SELECT is((SELECT x FROM dblink_get_result('other') AS r(x text)), '1 0 0 0 f', 'and uses it');
SELECT * FROM finish();
