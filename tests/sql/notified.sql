-- What becomes a notice, each function by itself: conditions of points, of the server, and how long they are present.
SELECT no_plan();
CREATE FUNCTION t.point(more jsonb) RETURNS api.point LANGUAGE sql AS $$
	SELECT jsonb_populate_record(NULL::api.point, '{"domain": "a.example", "source": "ip:192.0.2.1", "messages": 5, "of": 9,
		"rejected": 0, "quarantined": 0, "text": "T"}' || more) $$;
CREATE FUNCTION t.x(n integer) RETURNS text LANGUAGE sql AS $$ SELECT repeat('x', n) $$;

-- Texts and keys.
SELECT is(ruad.notice_text(t.x(200)), t.x(200), 'a text of 200 characters is told whole');
SELECT is(ruad.notice_text(t.x(201)), t.x(197) || '...', 'a longer one is cut to 200');
SELECT is(ruad.notice_key(t.x(240), 'A'), t.x(200) || '-' || left(md5(t.x(240) || ':A'), 8),
	'the key of what is no name in the DNS: 200 characters of it, and eight that tell it from others');

-- Mail that fails.
SELECT is((SELECT concat_ws(' ', c.level, c.severity) FROM ruad.fails_condition(t.point(more)) c), want, name) FROM (VALUES
	('a message that is rejected', '{"rejected": 1}'::jsonb, '3 error'),
	('one that is quarantined', '{"quarantined": 1}', '2 error'), ('neither', '{}', '1 warning')) v(name, more, want);
SELECT is((SELECT length(c.action) FROM ruad.fails_condition(t.point(jsonb_build_object('fix', t.x(600)))) c), 500,
	'what to do has 500 characters');

-- The DNS.
SELECT is((SELECT concat_ws(' ', c.key, c.level, c.severity) FROM ruad.dns_condition(t.point(more)) c), want, name) FROM (VALUES
	('a host outside SPF', '{"code": "own_host_outside_spf"}'::jsonb,
		'dns:a.example:own_host_outside_spf:192.0.2.1 2 error'),
	('a selector', '{"code": "selector_without_key", "source": null, "name": "k1"}',
		'dns:a.example:selector_without_key:k1 1 warning'),
	('an error', '{"code": "dns_error", "source": null}', 'dns:a.example:dns_error:' || left(md5('T'), 8) || ' 2 error'))
	v(name, more, want);
SELECT is((SELECT length(c.evidence) || ' ' || length(c.action)
	FROM ruad.dns_condition(t.point(jsonb_build_object('text', t.x(800), 'fix', t.x(800)))) c), '700 700',
	'a finding and what to do have 700 characters');

-- Records that changed: those of the point alone.
INSERT INTO ruad.domain (name) VALUES ('a.example'), ('b.example');
INSERT INTO ruad.dns_version (domain_id, kind, name, value, is_first, since, until)
SELECT d.id, v.kind, v.name, v.value, v.is_first, v.since::timestamptz, v.until::timestamptz FROM (VALUES
	('a.example', 'dmarc', '_dmarc.a.example', 'one', true, '2026-01-01Z', '2026-01-03Z'),
	('a.example', 'dmarc', '_dmarc.a.example', 'two', false, '2026-01-03Z', '2026-01-05Z'),
	('a.example', 'dmarc', '_dmarc.a.example', NULL, false, '2026-01-05Z', NULL),
	('a.example', 'spf', 'a.example', t.x(301), true, '2026-01-01Z', '2026-01-03Z'),
	('a.example', 'spf', 'a.example', t.x(302), false, '2026-01-03Z', '2026-01-05Z'),
	('a.example', 'spf', 'a.example', NULL, false, '2026-01-05Z', '2026-01-07Z'),
	('a.example', 'spf', 'a.example', 'three', false, '2026-01-07Z', NULL),
	('b.example', 'dmarc', '_dmarc.a.example', 'other', true, '2026-01-01Z', '2026-01-03Z'),
	('b.example', 'dmarc', '_dmarc.a.example', 'changed', false, '2026-01-03Z', NULL))
	v(domain, kind, name, value, is_first, since, until) JOIN ruad.domain d ON d.name = v.domain;
CREATE FUNCTION t.changed(name text, since text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', c.key, c.domain, c.level, c.severity, regexp_replace(c.evidence, '^It was (.*), and .* found (.*)[.]$',
		'\1, \2')), '; ') FROM ruad.changed_conditions(t.point(jsonb_build_object('name', name, 'since', since))) c $$;
SELECT is(t.changed(name, since), want, say) FROM (VALUES
	('the first check is no change', '_dmarc.a.example', '2026-01-01Z', NULL),
	('a record of the policy', '_dmarc.a.example', '2026-01-03Z',
		'dns_changed:dmarc:_dmarc.a.example:1767398400 a.example 1 warning "one", "two"'),
	('one that is gone', '_dmarc.a.example', '2026-01-05Z',
		'dns_changed:dmarc:_dmarc.a.example:1767571200 a.example 1 warning "two", none'),
	('another record, each with 300 characters', 'a.example', '2026-01-03Z', format('dns_changed:spf:a.example:1767398400 a.example 1 info '
		'"%1$s...", "%1$s..."', t.x(297))),
	('another that is gone', 'a.example', '2026-01-05Z', format('dns_changed:spf:a.example:1767571200 a.example 1 warning "%s...", none',
		t.x(297))),
	('and one that came back', 'a.example', '2026-01-07Z', 'dns_changed:spf:a.example:1767744000 a.example 1 info missing, "three"'))
	v(say, name, since, want);

-- A reporter that stopped.
SELECT is((SELECT concat_ws(' ', c.level, c.severity, c.evidence) FROM ruad.silent_condition(t.point(jsonb_build_object('name', name,
	'senders', days, 'since', '2026-01-01Z'))) c), want, say) FROM (VALUES
	('a reporter of each day', 'Org', 1, '1 warning Org used to report every day, but not after 2026-01-01.'),
	('one of some days', '', 2, '1 warning A reporter without a name used to report every 2 days, but not after 2026-01-01.'))
	v(say, name, days, want);

-- New sources: the addresses of a source are one.
SELECT is((SELECT count(*) FROM t.take(t.mail(t.report('a.example', 'Org', 'old', t.day(-30), jsonb_build_array(
	t.record('192.0.2.1', 10, 'pass', 'pass')))))), 1::bigint, 'a report a month ago');
CREATE FUNCTION t.sender(source text, day integer, messages integer, pass integer, whose text DEFAULT 'own') RETURNS api.sorted_sender
LANGUAGE sql AS $$
	SELECT ROW(jsonb_populate_record(NULL::dmarc.sender_facts, jsonb_build_object('domain', d.name, 'domain_id', d.id, 'source', source,
		'source_name', 'Name', 'first_seen', t.day(day))), whose, 'r', jsonb_populate_record(NULL::dmarc.sender_facts,
		jsonb_build_object('messages', messages, 'pass', pass)))::api.sorted_sender
	FROM ruad.domain d WHERE d.name = 'a.example' $$;
SELECT is((SELECT string_agg(c.evidence, ' ' ORDER BY c.key) FROM ruad.new_source_conditions(ARRAY[t.sender('domain:x.example', -3, 3, 2),
	t.sender('domain:x.example', -5, 2, 1), t.sender('domain:y.example', -3, 4, 4), t.sender('domain:z.example', -3, 9, 9, 'unsure')]) c),
	format('Name, which counts as yours, sent 5 messages as a.example since %s; 3 passed DMARC.', left(api.iso(t.day(-5)), 10)),
	'together they are new since the first of them, and must have five messages');

-- No reports.
DELETE FROM ruad.report;
UPDATE ruad.schema_version SET applied_at = now() - version * interval '1 day';
SELECT is((SELECT concat_ws(' ', c.level, c.evidence) FROM ruad.no_reports_conditions(1) c), format('1 No aggregate report has arrived '
	'since ruad was set up on %s.', left(api.iso(now() - (SELECT max(version) FROM ruad.schema_version) * interval '1 day'), 10)),
	'set up is the first migration; an hour is enough');

-- The space of kept mail: more than four fifths, and from 97 in a hundred on.
CREATE FUNCTION t.quota(used integer, most bigint) RETURNS text LANGUAGE sql AS $$
	DELETE FROM ruad.raw;
	INSERT INTO ruad.raw (mail, sha256, raw) VALUES (1, '', decode(repeat('00', used), 'hex'));
	SELECT concat_ws(' ', c.level, c.severity, substring(c.evidence FROM '^[0-9]+ of the [0-9]+ MiB')) FROM ruad.quota_conditions(most) c $$;
SELECT is(t.quota(used, most), want, format('%s bytes of %s', used, most)) FROM (VALUES
	(80000, 100000, NULL), (80001, 100000, '1 warning 1 of the 1 MiB'), (96999, 100000, '1 warning 1 of the 1 MiB'),
	(97000, 100000, '2 error 1 of the 1 MiB'), (2097152, 2097152, '2 error 2 of the 2 MiB'),
	(2097153, 2097153, '2 error 3 of the 3 MiB')) v(used, most, want);
DELETE FROM ruad.raw;

-- Which conditions are kept, and when they are gone.
CREATE FUNCTION t.condition(kind text, level integer) RETURNS ruad.condition LANGUAGE sql AS $$
	SELECT ROW(kind, kind, NULL, NULL, level, 'warning', 't', 'e', 'a', NULL)::ruad.condition $$;
CREATE FUNCTION t.gone() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', n.key, n.level, n.gone_since IS NOT NULL), ', ' ORDER BY n.key) FROM ruad.notice n $$;
SELECT ruad.notices_keep(ARRAY[t.condition('disk', 1), t.condition('disk', 2), t.condition('fails', 2), t.condition('fails', 1)], true);
SELECT is(t.gone(), 'disk 2 f, fails 2 f', 'of two conditions with one key the worse one is kept');
SELECT ruad.notices_keep('{}', false);
SELECT is(t.gone(), 'disk 2 t, fails 2 f', 'where reports were not searched, only those of the server are gone');
SELECT ruad.notices_keep('{}', true);
SELECT is(t.gone(), 'disk 2 t, fails 2 t', 'else those of reports, too');
CREATE FUNCTION t.searched(ago interval, at_once boolean) RETURNS boolean LANGUAGE sql AS $$
	UPDATE ruad.notice_state SET reports_at = now() - ago;
	SELECT ruad.notices_look(at_once, '[]', 0, 0);
	SELECT s.reports_at = now() FROM ruad.notice_state s $$;
SELECT is(ARRAY[t.searched('59 minutes', false), t.searched('61 minutes', false), t.searched('1 minute', true)], '{f,t,t}',
	'reports are searched once an hour, or at once');

-- The outbox.
SELECT is((SELECT count(*) FROM generate_series(1, 100) WHERE ruad.outbox_add('notices', '{webhook}', 'x')), 100::bigint, 'a hundred messages wait');
SELECT is(ARRAY[ruad.outbox_add('notices', '{webhook}', 'x'), ruad.outbox_add('notices', '{mail:a@b.example}', 'x')], '{f,t}',
	'which is all that a destination may have, and hold up no other');
CREATE FUNCTION t.message(n bigint) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', o.attempts, o.sent_at IS NOT NULL, length(o.failure), o.next_at - now()) FROM ruad.outbox o WHERE o.id = n $$;
BEGIN;
SELECT is(ruad.outbox_failed(1, t.x(1001)), false, 'a message fails');
SELECT is(t.message(1), '1 f 1000 00:01:00', 'and is due after a minute; 1000 characters of the failure are kept');
SELECT ruad.outbox_failed(1, 'no') FROM generate_series(1, 2);
SELECT is(t.message(1), '3 f 2 00:04:00', 'then after twice the time, each time');
SELECT ruad.outbox_sent(1);
SELECT is(t.message(1), '4 t 00:04:00', 'until it is sent');
SELECT is(ruad.outbox_failed(1, 'no'), false, 'what was sent cannot fail');
SELECT is(t.message(1), '4 t 00:04:00', 'nor is it tried again');
UPDATE ruad.outbox SET made_at = now() - interval '8 days' WHERE id = 2;
SELECT ruad.outbox_failed(2, 'no');
SELECT ruad.outbox_sent(2);
SELECT is(t.message(2), '1 f 2 00:01:00', 'what was given up is not sent later');
COMMIT;
SELECT * FROM finish();
