-- Partitions are made for months that have some volume and may be true, and for no others; nobody's mail waits for it.
SELECT plan(76);
\getenv host PGHOST
SELECT format('host=%s user=postgres dbname=%s options=''-c search_path=tap,t''', :'host', :'DBNAME') AS here \gset
SELECT dblink_connect('mail', :'here'), dblink_connect('other', :'here'), dblink_connect('sums', :'here');
SELECT dblink_exec('sums', 'SET default_transaction_isolation = ''repeatable read''');

-- "table months" of the partitions that there are.
CREATE FUNCTION t.months() RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(parent || ' ' || months, ', ' ORDER BY parent), '')
	FROM (SELECT substr(i.inhparent::regclass::text, 6) AS parent,
		string_agg(right(c.relname, 7), ' ' ORDER BY c.relname) AS months
		FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relkind = 'r' AND c.relname !~ '_default$'
		GROUP BY 1) x $$;
CREATE FUNCTION t.at(begin timestamptz) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(x, ',')
	FROM t.take(t.mail(t.report('p.example', 'Org', 'at ' || begin, begin,
		jsonb_build_array(t.record('192.0.2.1', 1, 'pass', 'pass'))))) x $$;
-- A report that says that it has that many records, and has so many. The latter are fewer where only volume counts.
CREATE FUNCTION t.bulk(begin timestamptz, records integer DEFAULT 20000, there integer DEFAULT 100,
	id text DEFAULT 'bulk') RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	item ruad.new_item := jsonb_populate_record(NULL::ruad.new_item, t.report('b.example', 'Org', id, begin, '[]')
		|| jsonb_build_object('mail_no', 1, 'item_no', 1, 'announced', records,
		'records', records, 'messages', records, 'pass', records, 'sha256', sha256(convert_to(id || begin, 'UTF8'))));
	r record;
	ids bigint[];
BEGIN
	SELECT * INTO STRICT r FROM ruad.ingest(t.mails('{"items": []}'), ARRAY[item]) WHERE item_no = 1;
	ids := ARRAY(SELECT ruad.evaluations(ARRAY(SELECT jsonb_populate_record(NULL::ruad.new_evaluation,
		jsonb_build_object('domain_id', r.domain_id, 'day', r.day, 'dkim', 'pass', 'envelope_to', n))
		FROM generate_series(1, 5) n)));
	INSERT INTO ruad.record (begin, report, count, evaluation, day, domain_id, reporter_id, record_no, source_ip)
	SELECT begin, r.report, 1, ids[1 + n % 5], r.day, r.domain_id, r.reporter_id, n, '192.0.2.0'::inet + n % 100
	FROM generate_series(1, there) n;
END $$;
CREATE FUNCTION t.honest() RETURNS void LANGUAGE sql AS $$
	UPDATE ruad.report r SET (records, messages, pass) = (SELECT count(*), sum(count), sum(count) FROM ruad.record d
		WHERE (d.domain_id, d.day, d.report) = (r.domain_id, r.day, r.id)) $$;
CREATE FUNCTION t.next_month(n integer DEFAULT 1) RETURNS date LANGUAGE sql AS $$
	SELECT (date_trunc('month', now() AT TIME ZONE 'UTC') + n * interval '1 month')::date $$;
CREATE FUNCTION t.suffix(month date) RETURNS text LANGUAGE sql AS $$ SELECT to_char(month, 'YYYY_MM') $$;
-- The months of the tables of aggregate reports when these are all that there are.
CREATE FUNCTION t.aggregate(VARIADIC months text[]) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(parent || ' ' || (SELECT string_agg(m, ' ' ORDER BY m) FROM unnest(months) m), ', '
		ORDER BY parent) FROM unnest('{report,record,evaluation,sum_day,sum_month}'::text[]) parent $$;
-- Where the report that begins then lies.
CREATE FUNCTION t.place(at timestamptz) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(DISTINCT p::text, ' ' ORDER BY p::text)
	FROM (SELECT tableoid::regclass AS p FROM ruad.report WHERE begin = at
		UNION ALL SELECT tableoid::regclass FROM ruad.record WHERE begin = at) x $$;
-- All rows of the partitioned tables.
CREATE FUNCTION t.rows() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	parent text;
	one text;
	answer text := '';
BEGIN
	FOREACH parent IN ARRAY '{report,record,evaluation,sum_day,sum_month,failure,tls,tls_policy}'::text[] LOOP
		EXECUTE format('SELECT count(*) || '':'' || sum(hashtextextended(r::text, 0)) FROM ruad.%I r', parent) INTO one;
		answer := answer || ' ' || coalesce(one, '0');
	END LOOP;
	RETURN answer;
END $$;
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
CREATE FUNCTION t.sum_all() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	FOR n IN 0 .. 100 LOOP
		IF NOT (SELECT more FROM dblink('sums', 'SELECT ruad.sum_up()') AS r(more boolean)) THEN
			RETURN n;
		END IF;
	END LOOP;
END $$;
CREATE FUNCTION t.sum_of_sums() RETURNS text LANGUAGE sql AS $$
	SELECT ((SELECT sum(messages) FROM ruad.sum_day), (SELECT sum(messages) FROM ruad.sum_month),
		(SELECT sum(count) FROM ruad.record))::text $$;

-- which months
SELECT is(t.months(), '', 'at first there are the default partitions');
SELECT is((SELECT string_agg(DISTINCT x, ',')
	FROM t.take(VARIADIC ARRAY(SELECT t.mail(t.report('p.example', 'Org', 'small '
		|| m, m, jsonb_build_array(t.record('192.0.2.1', 1, 'pass', 'pass'))))
	FROM generate_series('2012-01-01'::timestamp, now() AT TIME ZONE 'UTC', '1 month') s, timezone('UTC', s) m)) x),
	'1 0 0 0 f', 'a small mail for each month since 2012');
SELECT is((ruad.make_months(), t.months())::text, '(0,"")', 'makes no table');
SELECT is((SELECT string_agg(DISTINCT t.at(d), ',') FROM generate_series('1970-01-01'::timestamptz, '2011-12-31',
	'1 year') d), '1 0 0 0 f', 'reports before 2012 are taken');
SELECT is((SELECT string_agg(DISTINCT t.at(d), ',') FROM generate_series('2100-01-01'::timestamptz, '9999-12-31',
	'100 years') d), '1 0 0 0 f', 'and those from far ahead');
SELECT is((t.at(t.day(61)), t.at(t.day(63)))::text, '("1 0 0 0 f","1 0 0 0 f")',
	'both sides of the border of 62 days too');
SELECT t.bulk('2011-12-31 23:59:59+00'), t.bulk(t.day(95)), t.bulk('9999-12-31 00:00:00+00');
SELECT is((ruad.make_months(), t.months())::text, '(0,"")', 'what cannot be true makes no tables, however much it is');
SELECT is(array_agg(ruad.may_have_month(m) ORDER BY m), '{f,t,t,f}', 'months from 2012 to 62 days ahead may have some')
FROM unnest(ARRAY['2011-12-01', '2012-01-01', ruad.day_of(now()) + 61, ruad.day_of(now()) + 62]::date[]) m;
SELECT t.bulk('2024-02-29 23:59:59+00', 19998, 19998); -- with the small one 19,999
SELECT is((ruad.make_months(), t.months())::text, '(0,"")', '19,999 records of a month make no table');
SELECT is(t.at('2024-02-01 00:00:00+00'), '1 0 0 0 f', 'one more does');
SELECT is(t.at('2024-03-01 00:00:00+00'), '1 0 0 0 f',
	'one that begins a second later is of the next month (in Newfoundland''s clock it is not)');
SELECT cmp_ok(t.sum_all(), '>=', 1::bigint, 'sums are there');
CREATE TEMP TABLE before AS SELECT t.rows() AS rows, t.sum_of_sums() AS sums;
SELECT is((ruad.make_months(), t.months())::text, (0, t.aggregate('2024_02'))::text, 'the month gets its partitions');
SELECT is(t.place('2024-02-29 23:59:59+00') || ', ' || t.place('2024-02-01 00:00:00+00') || ', '
	|| t.place('2024-03-01 00:00:00+00'),
		'ruad.record_2024_02 ruad.report_2024_02, ruad.record_2024_02 ruad.report_2024_02, ruad.record_default '
			'ruad.report_default', 'with all that begins in it, in UTC');
SELECT is((t.rows(), t.sum_of_sums())::text, (SELECT b::text FROM before b), 'no row is lost or changed, nor is a sum');
SELECT is((SELECT count(*) FROM ruad.sum_day_2024_02) + (SELECT count(*) FROM ruad.sum_month_2024_02), 2 + 101::bigint,
	'sums moved too');
SELECT is(t.place('1970-01-01'), 'ruad.record_default ruad.report_default', 'others stay where they are');
SELECT is(t.at('2024-02-05 00:00:00+00'), '1 0 0 0 f', 'another report of the month');
SELECT is(t.place('2024-02-05 00:00:00+00'), 'ruad.record_2024_02 ruad.report_2024_02', 'goes there');
SELECT is_empty($$SELECT c.oid::regclass FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
	WHERE c.relnamespace = 'ruad'::regnamespace AND NOT i.indisvalid$$, 'every index has its partition');
SELECT is_empty($$SELECT conrelid::regclass FROM pg_constraint WHERE conname = 'month'$$,
	'what helped to attach them is gone');
SELECT is((SELECT count(*) FROM pg_class WHERE relnamespace = 'ruad'::regnamespace AND relkind IN ('r', 'p')
	AND relowner <> 'ruad_owner'::regrole), 0::bigint,
	'all tables belong to ruad_owner');
SELECT t.honest();
SELECT is(t.broken(), '', 'all is consistent');

-- several at once, and the months to come
SELECT t.bulk('2022-05-05 00:00:00+00'), t.bulk('2022-06-05 00:00:00+00'), t.bulk('2022-07-05 00:00:00+00');
SELECT is((ruad.make_months(), t.months())::text, (2, t.aggregate('2024_02', '2022_07'))::text,
	'of several months the latest comes first');
SELECT is((ruad.make_months(), ruad.make_months(), ruad.make_months(), t.months())::text,
	(1, 0, 0, t.aggregate('2024_02', '2022_05', '2022_06', '2022_07'))::text, 'then the others, one a call');
SELECT t.bulk(t.day(0));
SELECT is((ruad.make_months(), t.months())::text,
	(0, t.aggregate('2024_02', '2022_05', '2022_06', '2022_07', t.suffix(t.next_month(0))))::text,
	'this month, once it has volume');
SELECT is((ruad.make_months(), t.months())::text,
	(0, t.aggregate('2024_02', '2022_05', '2022_06', '2022_07', t.suffix(t.next_month(0)),
		t.suffix(t.next_month())))::text, 'then the next, before it begins');
SELECT is((ruad.make_months(), t.months())::text,
	(0, t.aggregate('2024_02', '2022_05', '2022_06', '2022_07', t.suffix(t.next_month(0)),
		t.suffix(t.next_month())))::text, 'and no more');

-- what is about to be stored
CREATE FUNCTION t.coming(begin timestamptz, records bigint, kind text DEFAULT 'aggregate') RETURNS ruad.new_item
LANGUAGE sql AS $$ SELECT jsonb_populate_record(NULL::ruad.new_item,
	jsonb_build_object('kind', kind, 'begin', begin, 'records', records)) $$;
CREATE TEMP TABLE tables AS SELECT t.months() AS months;
SELECT is(t.at('2023-03-05 00:00:00+00'), '1 0 0 0 f', 'a month with two records');
SELECT is((ruad.make_months(ARRAY[t.coming('2023-03-31 23:59:59+00', 10000), t.coming('2023-03-01', 9997),
	t.coming('2023-04-01', 19998)]), t.months())::text, (SELECT (0, x.months)::text FROM tables x),
	'19,997 more that are about to be stored make no table');
SELECT is((ruad.make_months(ARRAY[t.coming('2023-03-05', 30000, 'failure'), t.coming(NULL, NULL, 'unreadable'),
	t.coming('2011-12-31', 30000), t.coming('2100-01-01', 30000), t.coming('2024-02-05', 30000)]), t.months())::text,
	(SELECT (0, x.months)::text FROM tables x), 'nor do other kinds, months that cannot be true or have partitions');
SELECT is((ruad.make_months(ARRAY[t.coming('2023-03-31 23:59:59+00', 10000), t.coming('2023-03-01', 9998)]),
	t.place('2023-03-05 00:00:00+00'))::text, '(0,"ruad.record_2023_03 ruad.report_2023_03")', '19,998 more do');
SELECT is((ruad.make_months(ARRAY[t.coming('2023-05-01', 20000)]), t.at('2023-05-05 00:00:00+00'),
	t.place('2023-05-05 00:00:00+00'))::text, '(0,"1 0 0 0 f","ruad.record_2023_05 ruad.report_2023_05")',
	'so does all that a month needs');
SELECT t.bulk('2023-07-05 00:00:00+00', 6000, 6000);
SELECT is((ruad.make_months(ARRAY[t.coming('2023-07-06', 20000)]), t.place('2023-07-05 00:00:00+00'))::text,
	'(1,"ruad.record_default ruad.report_default")', 'but a mail does not wait until many rows are moved');

-- other kinds
CREATE FUNCTION t.others() RETURNS text LANGUAGE sql AS $$ SELECT coalesce(string_agg(m, ', '), '')
	FROM regexp_split_to_table(t.months(), ', ') m WHERE m ~ '^(failure|tls)' $$;
CREATE FUNCTION t.failures(first integer, last integer) RETURNS void LANGUAGE sql AS $$
	INSERT INTO ruad.failure (begin, id, mail, received_at, day, domain_id, kind, authentic, sha256)
	SELECT '2021-03-31 23:00:00+00', 1000000 + n, 0, now(), '2021-03-31', n % 7, 'failure',
		'none', sha256(n::text::bytea) FROM generate_series(first, last) n $$;
SELECT t.failures(1, 19999);
INSERT INTO ruad.tls (begin, "end", id, mail, received_at, total_successful_session_count, total_failure_session_count,
	day, domain_id, policies, authentic, key, sha256)
SELECT '2021-04-01', '2021-04-02', 2000000 + n, 0, now(), 0, 0, '2021-04-01', n % 7, 1, 'none', gen_random_uuid(), 'x'
FROM generate_series(1, 20000) n;
INSERT INTO ruad.tls_policy (begin, report, day, domain_id, policy_no) SELECT begin, id, day, domain_id, 1
FROM ruad.tls;
UPDATE before SET rows = t.rows();
SELECT is((ruad.make_months(), t.others())::text, '(0,"tls 2021_04, tls_policy 2021_04")',
	'TLS reports have months of their own');
SELECT is(t.rows(), (SELECT b.rows FROM before b), 'no row is lost');
SELECT t.failures(20000, 20000);
UPDATE before SET rows = t.rows();
SELECT is((ruad.make_months(), t.others())::text, '(0,"failure 2021_03, tls 2021_04, tls_policy 2021_04")',
	'so have failure reports');
SELECT is(t.rows(), (SELECT b.rows FROM before b), 'no row is lost');
SELECT is(ruad.make_month('{failure}', t.next_month(-1)), true,
	'as if the last month had volume, and this one had just begun');
SELECT is((ruad.make_months(), t.others())::text, format('(0,"failure 2021_03 %s %s, tls 2021_04, tls_policy 2021_04")',
	t.suffix(t.next_month(-1)), t.suffix(t.next_month(0))), 'this one follows');
SELECT is(ruad.make_months(), 0, 'and the next');
DELETE FROM ruad.failure;
DELETE FROM ruad.tls;
DELETE FROM ruad.tls_policy;

-- Whoever holds locks: mail is taken at once, and the partitions wait.
SELECT is((SELECT x FROM dblink('mail', $$SELECT t.at('2013-02-03')$$) AS r(x text)), '1 0 0 0 f',
	'a session that takes mail');
SELECT dblink_exec('mail', 'SET statement_timeout = ''1s''');
CREATE FUNCTION t.held(begin timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	tables text := t.months();
	mail text;
	rows text;
	left_ integer;
	start timestamptz;
	quick boolean;
BEGIN
	SELECT x INTO mail FROM dblink('mail', format('SELECT t.at(%L)', begin)) AS r(x text);
	rows := t.rows();
	start := clock_timestamp();
	left_ := ruad.make_months();
	quick := clock_timestamp() < start + interval '1 second';
	RETURN format('%s; %s left; %s%s', mail, left_, CASE WHEN quick THEN 'quick' ELSE 'slow' END,
		CASE WHEN (t.months(), t.rows()) <> (tables, rows) THEN '; something was done' END);
END $$;
SELECT t.bulk('2019-09-09 00:00:00+00');
SELECT dblink_exec('other', 'BEGIN');
SELECT is((SELECT n FROM dblink('other', 'SELECT count(*) FROM (SELECT 1 FROM dmarc.records LIMIT 1) x')
	AS r(n bigint)), 1::bigint, 'an auditor reads records, and leaves a transaction open');
SELECT is(t.held('2019-10-10'), '1 0 0 0 f; 1 left; quick', 'mail of a new month is taken, a month''s partitions wait');
SELECT is((SELECT n FROM dblink('other', 'SELECT count(*) FROM (SELECT 1 FROM dmarc.records LIMIT 1) x')
	AS r(n bigint)), 1::bigint, 'the auditor goes on');
SELECT dblink_exec('other', 'COMMIT');
SELECT is((ruad.make_months(), t.place('2019-09-09 00:00:00+00'))::text,
	'(0,"ruad.record_2019_09 ruad.report_2019_09")', 'and they are made when he is done');

SELECT t.bulk('2019-11-09 00:00:00+00');
SELECT dblink_exec('other', 'BEGIN ISOLATION LEVEL REPEATABLE READ');
SELECT dblink_exec('other', format('LOCK TABLE %s IN ACCESS SHARE MODE', string_agg(oid::regclass::text, ', ')))
FROM pg_class WHERE relnamespace = 'ruad'::regnamespace AND relkind IN ('r', 'p');
SELECT is(t.held('2019-12-10'), '1 0 0 0 f; 1 left; quick', 'a dump has locked all tables: the same');
SELECT is((SELECT n FROM dblink('other', 'SELECT count(*) FROM ruad.record_default WHERE day = ''2019-11-09''')
	AS r(n bigint)), 100::bigint, 'the dump has all records');
SELECT dblink_exec('other', 'COMMIT');
SELECT is((ruad.make_months(), t.place('2019-11-09 00:00:00+00'))::text,
	'(0,"ruad.record_2019_11 ruad.report_2019_11")', 'when it is done they are made');

SELECT t.bulk('2018-11-09 00:00:00+00');
SELECT dblink_exec('other', 'BEGIN');
SELECT is((SELECT x FROM dblink('other', $$SELECT t.at('2018-10-10 00:00:00+00')$$) AS r(x text)), '1 0 0 0 f',
	'another session stores a report, and has not ended');
SELECT is(t.held('2018-12-10'), '1 0 0 0 f; 1 left; quick', 'the same');
SELECT dblink_exec('other', 'ROLLBACK');
SELECT is((ruad.make_months(), t.place('2018-11-09 00:00:00+00'))::text,
	'(0,"ruad.record_2018_11 ruad.report_2018_11")', 'when it is done they are made');

SELECT t.bulk('2017-11-09 00:00:00+00');
SELECT ok((SELECT count(*) FROM dblink('other', $$SELECT pg_advisory_lock(n)::text FROM generate_series(-200, 200) n
	UNION ALL SELECT pg_advisory_lock(n, m)::text FROM generate_series(0, 20) n, generate_series(0, 20) m
	UNION ALL SELECT pg_advisory_lock(oid::bigint)::text FROM pg_class WHERE relnamespace = 'ruad'::regnamespace
		AND relkind IN ('r', 'p')$$) AS r(x text)) > 800, 'a session holds advisory locks of all kinds');
SELECT is((SELECT x FROM dblink('mail', $$SELECT t.at('2017-10-10')$$) AS r(x text)), '1 0 0 0 f',
	'mail of a new month is taken');
SELECT is((ruad.make_months(), t.place('2017-11-09 00:00:00+00'))::text,
	'(0,"ruad.record_2017_11 ruad.report_2017_11")', 'partitions are made');
SELECT cmp_ok(t.sum_all(), '>=', 1::bigint, 'and sums');
SELECT is(t.sum_of_sums(), format('(%1$s,%1$s,%1$s)', (SELECT sum(count) FROM ruad.record)), 'all of them');
SELECT dblink_disconnect('other'), dblink_connect('other', :'here');

-- While many rows are moved, mail is taken, and functions with a snapshot find each row once.
CREATE FUNCTION t.of_the_day() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN (SELECT count(*) FROM ruad.record WHERE day = '2015-03-05');
END $$;
CREATE FUNCTION t.meanwhile(OUT mails bigint, OUT wrong text) LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	mails := 0;
	WHILE dblink_is_busy('other') = 1 LOOP
		PERFORM x FROM dblink('mail', format('SELECT t.at(''2015-03-06''::timestamptz + %s * interval ''1 s'')', mails))
			AS r(x text);
		SELECT x INTO n FROM dblink('mail', 'SELECT t.of_the_day() FROM api.gate') AS r(x bigint);
		IF n <> 60000 THEN
			wrong := concat_ws(' ', wrong, n);
		END IF;
		mails := mails + 1;
	END LOOP;
END $$;
SELECT dblink_exec('mail', 'SET statement_timeout = 0');
SELECT t.bulk('2015-03-05 12:00:00+00', 60000, 60000);
SELECT dblink_send_query('other', 'SELECT ruad.make_months()');
SELECT ok(m.mails >= 3 AND m.wrong IS NULL, format('%s mails are taken meanwhile, wrong counts: %s', m.mails, m.wrong))
FROM t.meanwhile() m;
SELECT * FROM dblink_get_result('other') AS r(n integer);
SELECT * FROM dblink_get_result('other') AS r(n integer);
SELECT is((ruad.make_months(), (SELECT count(*) FROM ruad.record_2015_03 WHERE day = '2015-03-05'))::text, '(0,60000)',
	'all are moved, at the latest when no mail comes');
SELECT is((SELECT count(*) FROM ruad.record_default WHERE day BETWEEN '2015-03-01' AND '2015-03-31'), 0::bigint,
	'with those that came meanwhile');

-- A function whose snapshot is older than its first look at the tables.
CREATE FUNCTION t.of_the_month() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN (SELECT count(*) FROM ruad.record WHERE day >= '2015-05-01' AND day < '2015-06-01');
END $$;
SELECT t.bulk('2015-05-05 12:00:00+00');
SELECT dblink_exec('other', 'BEGIN');
SELECT * FROM dblink('other', 'SELECT ruad.make_months()') AS r(n integer);
SELECT dblink_send_query('mail', 'SELECT t.of_the_month() FROM api.gate');
SELECT ok(t.waits(), 'a function waits for the moment of the move');
SELECT dblink_exec('other', 'COMMIT');
SELECT is((SELECT x FROM dblink_get_result('mail') AS r(x bigint)), 101::bigint, 'and then finds what was moved');
SELECT * FROM dblink_get_result('mail') AS r(x bigint);

-- A move for which others would have to wait is given up.
SELECT t.bulk('2014-03-05 00:00:00+00');
SELECT dblink_exec('other', 'BEGIN');
SELECT lives_ok($$SELECT * FROM dblink('other', 'SELECT ruad.give_way()::text') AS r(x text)$$, 'nobody waits');
SELECT dblink_exec('other', $$DELETE FROM ruad.report WHERE day = '2014-03-05'$$);
SELECT dblink_send_query('mail', $$SELECT t.bulk('2014-03-05 00:00:00+00')::text$$);
SELECT ok(t.waits(), 'a mail with a report that is being moved waits');
SELECT throws_ok($$SELECT * FROM dblink('other', 'SELECT ruad.give_way()::text') AS r(x text)$$, '55P03', NULL,
	'the move gives way');
SELECT dblink_exec('other', 'ROLLBACK');
SELECT * FROM dblink_get_result('mail', false) AS r(x text);
SELECT dblink_disconnect('mail'), dblink_connect('mail', :'here');
SELECT is((ruad.make_months(), t.place('2014-03-05 00:00:00+00'))::text,
	'(0,"ruad.record_2014_03 ruad.report_2014_03")', 'and is made later');

-- Sessions that keep things in order at the same time, and one that began before rows were moved.
SELECT t.bulk('2016-11-09 00:00:00+00');
SELECT dblink_exec('sums', 'BEGIN');
SELECT * FROM dblink('sums', 'SELECT 1') AS r(x integer);
SELECT dblink_exec('other', 'BEGIN');
SELECT is((SELECT n FROM dblink('other', 'SELECT ruad.make_months()') AS r(n integer)), 0,
	'a session makes partitions');
SELECT is(ruad.make_months(), 0, 'another one leaves it to that one');
SELECT is((SELECT more FROM dblink('sums', 'SELECT ruad.sum_up()') AS r(more boolean)), false,
	'so does one that sums up');
SELECT dblink_send_query('mail', $$SELECT t.at('2016-11-10 00:00:00+00')$$);
SELECT ok(t.waits(), 'mail waits');
SELECT dblink_exec('other', 'COMMIT');
SELECT is((SELECT x FROM dblink_get_result('mail') AS r(x text)), '1 0 0 0 f', 'for that moment');
SELECT * FROM dblink_get_result('mail') AS r(x text);
SELECT is(t.place('2016-11-09 00:00:00+00') || ', ' || t.place('2016-11-10 00:00:00+00'),
	'ruad.record_2016_11 ruad.report_2016_11, ruad.record_2016_11 ruad.report_2016_11',
	'and goes to the new partition');
SELECT throws_ok($$SELECT more FROM dblink('sums', 'SELECT ruad.sum_up()') AS r(more boolean)$$, '40001', NULL,
	'a sum in a snapshot from before the move fails');
SELECT dblink_exec('sums', 'ROLLBACK');
SELECT cmp_ok(t.sum_all(), '>=', 1::bigint, 'and the next one does it');
SELECT is(t.sum_of_sums(), format('(%1$s,%1$s,%1$s)', (SELECT sum(count) FROM ruad.record)), 'with all records');
SELECT t.honest();
SELECT is(t.broken(), '', 'all is consistent');
SELECT * FROM finish();
