-- Notices: conditions appear, are told once, get worse, are over, and can be silenced.
SELECT no_plan();

-- What is told now, as "event key severity".
CREATE FUNCTION t.told() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', n.event, n.key, n.severity) FROM ruad.notices_take('{mail:a@b.example}') n $$;
CREATE FUNCTION t.look(server jsonb DEFAULT '[]', no_reports integer DEFAULT 0, max_raw bigint DEFAULT 0) RETURNS void
LANGUAGE sql AS $$ SELECT ruad.notices_look(true, server, no_reports, max_raw) $$;
CREATE FUNCTION t.disk(level integer) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_array(jsonb_build_object('key', 'disk', 'kind', 'disk', 'level', level, 'severity',
		CASE level WHEN 1 THEN 'warning' ELSE 'error' END, 'title', 'The disk is full', 'evidence', 'e', 'action', 'a')) $$;
-- Hours pass: everything that was stored about notices is older.
CREATE FUNCTION t.hours(n integer) RETURNS void LANGUAGE sql AS $$
	UPDATE ruad.notice SET since = since - n * interval '1 hour', seen_at = seen_at - n * interval '1 hour',
		gone_since = gone_since - n * interval '1 hour', changed_at = changed_at - n * interval '1 hour',
		told_at = told_at - n * interval '1 hour', silenced_until = silenced_until - n * interval '1 hour' $$;

-- A condition is told once.
SELECT t.look();
SELECT is_empty('SELECT t.told()', 'nothing is present, and nothing is told');
SELECT t.look(t.disk(1));
SELECT results_eq('SELECT t.told()', '{new disk warning}'::text[], 'a new condition is told');
SELECT t.look(t.disk(1));
SELECT is_empty('SELECT t.told()', 'once');
SELECT t.hours(100);
SELECT t.look(t.disk(1));
SELECT is_empty('SELECT t.told()', 'and not again days later');
SELECT t.look(t.disk(2));
SELECT results_eq('SELECT t.told()', '{worse disk error}'::text[], 'it gets worse, which is told at once');
SELECT t.look(t.disk(1));
SELECT t.look(t.disk(2));
SELECT is_empty('SELECT t.told()', 'better and worse again is no news');

-- What flickers is one condition.
SELECT t.look();
SELECT t.hours(23);
SELECT is_empty('SELECT t.told()', 'it is over after a day without it, not before');
SELECT t.look(t.disk(2));
SELECT t.look();
SELECT t.hours(23);
SELECT is_empty('SELECT t.told()', 'and the day begins again when it comes back');
SELECT t.hours(2);
SELECT results_eq('SELECT t.told()', '{resolved disk error}'::text[], 'then its end is told');
SELECT t.look();
SELECT is_empty('SELECT t.told()', 'once, too');
SELECT t.look(t.disk(1));
SELECT is_empty('SELECT t.told()', 'on the day of a notice there is no other about the same condition');
SELECT t.hours(25);
SELECT t.look(t.disk(1));
SELECT results_eq('SELECT t.told()', '{new disk warning}'::text[], 'but on the next, if it is still present');
SELECT t.look();
SELECT t.hours(25);
SELECT t.look();
SELECT results_eq('SELECT t.told()', '{resolved disk warning}'::text[], 'over again');
SELECT t.look(t.disk(2));
SELECT t.look();
SELECT t.hours(25);
SELECT t.look();
SELECT is_empty('SELECT t.told()', 'what was over before it was told is never told');
SELECT is((SELECT state FROM ruad.notice WHERE key = 'disk'), 'resolved', 'it is resolved');

-- Silence.
SELECT t.look(t.disk(1));
SELECT ruad.notice_silence('disk', NULL, 'kim');
SELECT is_empty('SELECT t.told()', 'a silenced condition is not told');
SELECT is((SELECT state || ' ' || silenced_until FROM ruad.notice_list()), 'silenced infinity', 'the list says so');
SELECT t.look();
SELECT t.hours(25);
SELECT t.look();
SELECT is_empty('SELECT t.told()', 'nor is its end');
SELECT t.look(t.disk(2));
SELECT ruad.notice_silence('disk', now() + interval '10 hours', 'kim');
SELECT is_empty('SELECT t.told()', 'a silence for some hours');
SELECT t.hours(30);
SELECT t.look(t.disk(2));
SELECT results_eq('SELECT t.told()', '{new disk error}'::text[], 'ends, and what was not told is told then');
SELECT ruad.notice_silence('disk', now() - interval '1 hour', 'kim');
SELECT t.look();
SELECT t.hours(25);
SELECT results_eq('SELECT t.told()', '{resolved disk error}'::text[], 'a time that has passed is no silence');
SELECT is(t.words($$SELECT ruad.notice_silence('nosuch', NULL, 'kim')$$),
	'22023 no notice has the key "nosuch": ruad notify --list shows all / ', 'an unknown key is refused');
SELECT is((SELECT string_agg(concat_ws(' ', user_name, object), ',') FROM ruad.audit_log WHERE action = 'notice_silence'),
	'kim disk,kim disk,kim disk', 'silences are in the audit log');

-- The outbox.
SELECT is(ruad.outbox_add('notices', '{mail:a@b.example,webhook}', 'x'), true, 'a message for two destinations');
BEGIN;
SELECT is((SELECT count(*) FROM ruad.outbox_next('{}')), 1::bigint, 'one is locked at a time');
SELECT is((SELECT n FROM dblink(format('host=%s user=postgres dbname=%I', current_setting('unix_socket_directories'),
	current_database()), 'SELECT destination FROM ruad.outbox_next(''{}'')') AS r(n text)), 'webhook',
	'another process takes the next one');
COMMIT;
CREATE TEMP TABLE first AS SELECT * FROM ruad.outbox_next('{}');
SELECT is((SELECT key FROM first), (SELECT key FROM ruad.outbox_next('{}')), 'the key of a message stays');
SELECT is(ruad.outbox_failed((SELECT id FROM first), 'no'), false, 'it fails');
SELECT is((SELECT destination FROM ruad.outbox_next('{}')), 'webhook', 'and waits');
SELECT is((SELECT array_agg(extract(epoch FROM next_at - now())::integer) FROM ruad.outbox WHERE attempts = 1), '{60}', 'a minute');
SELECT ruad.outbox_failed((SELECT id FROM first), 'no') FROM generate_series(2, 9);
SELECT is((SELECT array_agg(extract(epoch FROM next_at - now())::integer) FROM ruad.outbox WHERE attempts = 9), '{3600}',
	'longer each time, at most an hour');
UPDATE ruad.outbox SET made_at = made_at - interval '6 days 23 hours' WHERE attempts = 9;
SELECT is(ruad.outbox_failed((SELECT id FROM first), 'no'), false, 'for nearly a week');
UPDATE ruad.outbox SET made_at = made_at - interval '1 hour' WHERE attempts = 10;
SELECT is(ruad.outbox_failed((SELECT id FROM first), 'no'), true, 'then it is given up');
SELECT is((SELECT count(*) FROM ruad.outbox_next('{webhook}')), 0::bigint, 'a destination that failed can be left out');
SELECT ruad.outbox_sent((SELECT id FROM ruad.outbox_next('{}')));
SELECT is((SELECT count(*) FROM ruad.outbox_next('{}')), 0::bigint, 'what was sent is not sent again');
SELECT is((SELECT count(*) FROM ruad.outbox WHERE sent_at IS NOT NULL), 1::bigint, 'and is kept as sent');
SELECT ruad.outbox_add('notices', '{webhook}', 'x') FROM generate_series(1, ruad.outbox_most());
SELECT is(ruad.outbox_add('notices', '{webhook,mail:a@b.example}', 'x'), false, 'a full outbox takes no more');
SELECT t.look(t.disk(2));
SELECT t.hours(25);
SELECT t.look(t.disk(2));
SELECT is((SELECT count(*) FROM ruad.notices_take('{webhook}')), 0::bigint, 'and notices wait for it');
SELECT is(ruad.outbox_keep('{mail:a@b.example}'), 100::bigint, 'what waits for a destination that is no more is removed');
SELECT is((SELECT count(*) FROM ruad.notices_take('{webhook}')), 1::bigint, 'then they are told');
UPDATE ruad.outbox SET made_at = now() - CASE WHEN sent_at IS NULL THEN interval '30 days' ELSE '29 days 23 hours' END
WHERE content IS NULL;
SELECT is(ruad.outbox_keep('{mail:a@b.example}'), 0::bigint, 'what does not wait any more');
SELECT results_eq('SELECT sent_at IS NOT NULL FROM ruad.outbox', 'VALUES (true)', 'is removed after a month');
SELECT is(ruad.outbox_add('notices', '{mail:a@b.example}', convert_to(repeat('x', 16777216), 'UTF8')), true,
	'a message of 16 MiB is taken');
SELECT is(t.words($$SELECT ruad.outbox_add('notices', '{webhook}', convert_to(repeat('x', 16777217), 'UTF8'))$$),
	'54000 a message of 16777217 bytes is too large / ', 'a larger one is refused');
DELETE FROM ruad.outbox WHERE content IS NOT NULL;

-- What monitoring sees.
SELECT ruad.outbox_add('notices', '{webhook}', 'x');
SELECT is(api.notice_numbers() - 'oldest_message_at', '{"notices": [{"severity": "error", "n": 1}, {"severity": "warning",
	"n": 0}, {"severity": "info", "n": 0}], "messages_waiting": 1}', 'the metrics count notices and messages that wait');
SELECT ruad.outbox_add('notices', '{webhook}', 'older');
UPDATE ruad.outbox SET made_at = '2026-01-01 00:00:00+00' WHERE content = 'older';
SELECT is(api.notice_numbers() -> 'oldest_message_at', '1767225600', 'and say since when the oldest waits');
DELETE FROM ruad.outbox WHERE content = 'older';

-- No reports, and kept mail.
SELECT is((SELECT title FROM ruad.no_reports_conditions(1)), NULL, 'a new installation waits for its first report');
UPDATE ruad.schema_version SET applied_at = now() - interval '3 days';
SELECT is((SELECT evidence FROM ruad.no_reports_conditions(48)), format('No aggregate report has arrived since ruad was '
	'set up on %s.', left(api.iso(now() - interval '3 days'), 10)), 'not for ever');
SELECT is_empty('SELECT * FROM ruad.no_reports_conditions(0)', '0 is never');
SELECT is((SELECT count(*) FROM t.take(t.mail(t.report('a.example', 'Google', 'r', t.day(-2), jsonb_build_array(
	t.record('192.0.2.1', 10, 'pass', 'pass')))))), 1::bigint, 'a report arrives');
SELECT is_empty('SELECT * FROM ruad.no_reports_conditions(1)', 'and all is well');
UPDATE ruad.report SET received_at = now() - interval '50 hours';
SELECT results_eq('SELECT severity FROM ruad.no_reports_conditions(48)', '{error}'::text[], 'until none came for too long');
SELECT is((SELECT count(*) FROM t.take(VARIADIC ARRAY(SELECT t.mail(t.unreadable('xml', 'r' || i)) || jsonb_build_object(
	'bytes', repeat('x', 40000) || i) FROM generate_series(1, 6) i))), 6::bigint, 'six mails that cannot be read');
SELECT results_eq('SELECT level::integer FROM ruad.quota_conditions(290000)', '{1}'::integer[], 'near the quota');
SELECT results_eq('SELECT level::integer FROM ruad.quota_conditions(241000)', '{2}'::integer[], 'at its end');
SELECT is_empty('SELECT level FROM ruad.quota_conditions(400000)', 'not near it');
SELECT is_empty('SELECT level FROM ruad.quota_conditions(0)', 'no quota');
SELECT is((SELECT evidence FROM ruad.unread_conditions()), '6 parts of mails could not be read in the last 24 hours '
	'(usually 0.0 a day); the most frequent reason is xml.', 'unread mail grew');
UPDATE ruad.mail SET received_at = now() - interval '2 days';
SELECT is_empty('SELECT * FROM ruad.unread_conditions()', 'not today');
-- n parts of a mail that came so long ago
CREATE FUNCTION t.unread(age interval, n integer, code text DEFAULT 'xml') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM t.take(t.mail(VARIADIC array_fill(t.unreadable(code, 'r'), ARRAY[n]))
		|| jsonb_build_object('bytes', age::text || n || code));
	UPDATE ruad.mail SET received_at = now() - age WHERE id = (SELECT max(id) FROM ruad.mail);
	RETURN (SELECT concat_ws(' ', c.level, c.severity, substring(c.evidence FROM '^[0-9]+'),
		substring(c.evidence FROM 'usually ([0-9.]+)'), substring(c.evidence FROM '([a-z]+)[.]$')) FROM ruad.unread_conditions() c);
END $$;
UPDATE ruad.mail SET received_at = now() - interval '29 days';
SELECT is(t.unread(age, n, code), want, format('then %s of %s (%s)', n, age, code)) FROM (VALUES
	(1, interval '1 hour', 2, 'xml', NULL), (2, '1 hour', 2, 'mime', NULL), (3, '1 hour', 10, 'unrelated', NULL),
	(4, '24 hours 1 second', 1, 'mime', NULL), (5, '23 hours 59 minutes', 1, 'gzip', '1 warning 5 0.0 mime'),
	(6, '28 days 23 hours', 68, 'xml', '1 warning 5 2.5 mime'), (7, '28 days 23 hours', 1, 'xml', NULL),
	(8, '2 hours', 44, 'xml', '1 warning 49 2.5 xml'), (9, '2 hours', 1, 'xml', '2 error 50 2.5 xml')) v(no, age, n, code, want);

-- How long what is over is remembered, and that much is told in several messages.
CREATE FUNCTION t.notice(key text, kind text, state text, since interval, gone interval, changed interval, silenced interval
	DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
	INSERT INTO ruad.notice (key, kind, level, severity, title, evidence, action, state, since, seen_at, gone_since, changed_at,
		silenced_until) VALUES (key, kind, 1, 'warning', 't', 'e', 'a', state, now() - since, now() - since, now() - gone,
		now() - changed, now() + silenced) $$;
CREATE FUNCTION t.notices() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(n.key || ' ' || n.state, ', ' ORDER BY n.key COLLATE "C") FROM ruad.notice n $$;
TRUNCATE ruad.notice;
SELECT t.notice(v.key, v.kind, v.state, v.since, v.gone, v.changed, v.silenced) FROM (VALUES
	('a', 'disk', 'resolved', interval '100 days', interval '91 days', interval '90 days', NULL::interval),
	('b', 'disk', 'resolved', '100 days', '91 days', '89 days 23 hours', NULL),
	('c', 'disk', 'resolved', '100 days', '91 days', '90 days', '1 hour'),
	('d', 'disk', 'resolved', '100 days', '91 days', '90 days', '-1 hour'),
	('e', 'silent_reporter', 'told', '60 days', '25 hours', '60 days', NULL),
	('f', 'silent_reporter', 'told', '59 days 23 hours', '25 hours', '59 days', NULL),
	('g', 'fails', 'told', '61 days', '25 hours', '61 days', NULL),
	('h', 'fails', 'told', '61 days', '25 hours', '61 days', '1 hour'),
	('i', 'fails', 'new', '61 days', '23 hours', '61 days', NULL),
	('j', 'new_source', 'told', '2 days', '24 hours', '2 days', NULL),
	('k', 'new_source', 'told', '2 days', '23 hours', '2 days', NULL)) v(key, kind, state, since, gone, changed, silenced);
SELECT ruad.notices_end();
SELECT is(t.notices(), 'b resolved, c resolved, e resolved, f told, g told, h resolved, i new, j resolved, k told',
	'three months, unless it is silenced; reporters that were silent for two months, and events, are over without a word');
UPDATE ruad.notice n SET changed_at = now() - CASE n.key WHEN 'b' THEN interval '7 days' ELSE '6 days 23 hours' END;
SELECT is((SELECT string_agg(l.key || ' ' || l.state, ', ') FROM ruad.notice_list() l),
	'i new, f told, g told, k told, c silenced, e resolved, h silenced, j resolved', 'the list has what was over in a week');
TRUNCATE ruad.notice;
SELECT t.notice(to_char(n, 'FM000'), 'disk', 'new', '1 hour', NULL, '1 hour') FROM generate_series(1, 501) n;
UPDATE ruad.notice SET level = 2 WHERE key = '501';
SELECT is((SELECT format('%s from %s to %s', count(*), min(n.key), max(n.key))
	FROM ruad.notices_take('{webhook}') n), '500 from 001 to 501', 'five hundred at a time, the worst first');
SELECT results_eq($$SELECT n.key FROM ruad.notices_take('{webhook}') n$$, $$VALUES ('500')$$, 'the rest later');
TRUNCATE ruad.notice;

-- Keys and texts are safe, whatever reports say.
SELECT is(ruad.notice_key('fails', 'a.example', 'service:hubspot'), 'fails:a.example:service:hubspot', 'a key is readable');
SELECT matches(ruad.notice_key('silent_reporter', E'Yahoo! \n<script>' || repeat('x', 1000)),
	'^silent_reporter:yahoo-script-x{1,200}-[0-9a-f]{8}$', 'and safe');
SELECT isnt(ruad.notice_key('silent_reporter', 'A B'), ruad.notice_key('silent_reporter', 'A-B'), 'and its own');
SELECT is(ruad.notice_text(E'a\r\nBcc: x\u202e\u200b'), 'a  Bcc: x\u200b', 'a text has one line, and nothing invisible');
SELECT is(length(ruad.notice_text(repeat('x', 1000))), 200, 'and is short');
SELECT * FROM finish();
