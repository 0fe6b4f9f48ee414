-- The audit log has an entry for each change, made in the transaction of the change; tokens are found by their hash.
SELECT plan(45);
CREATE FUNCTION t.of_audit(logs text DEFAULT '.') RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', log, user_name, via, token, client, action, object, detail) FROM dmarc.audit_log
	WHERE log ~ logs ORDER BY at, log, id $$;

-- What the page adds.
SELECT lives_ok($$SELECT api.audit_add('login', 'ann', 'page', NULL, '192.0.2.1', NULL, NULL),
	api.audit_add('export', 'ann', 'token', 'grafana', '192.0.2.2', '/api/v1/records', '{"query": "format=csv"}')$$,
	'the page adds entries');
SELECT results_eq('SELECT t.of_audit()', $$VALUES ('audit ann page 192.0.2.1 login'),
	('audit ann token grafana 192.0.2.2 export /api/v1/records {"query": "format=csv"}')$$, 'they are there');
SELECT throws_ok($$SELECT api.audit_add('export', 'ann', 'page', NULL, NULL, 'x',
	jsonb_build_object('x', repeat('x', 20000)))$$, '22023', NULL, 'but none that is very large');
SELECT matches(t.words($$SELECT api.audit_add('token_add', 'ann', 'page', NULL, NULL, NULL, NULL)$$),
	'^22023 not an entry of the page: token_add via page', 'and none that is a command''s');
TRUNCATE ruad.audit_log;

-- Labels and excluded reports are in their own logs, and shown once.
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.mail(t.report('a.example', 'Org', '1', t.day(-800),
	jsonb_build_array(t.record('192.0.2.1', 10, 'pass', 'pass')))))x), '1 0 0 0 f', 'a report');
SELECT lives_ok($$SELECT ruad.set_label('ip:192.0.2.1', 'mine', 'ours', 'ann', 'page');
	SELECT ruad.set_label('ip:192.0.2.1', NULL, NULL, 'ann', 'token', 'grafana');
	SELECT ruad.set_excluded(true, (SELECT id FROM dmarc.reports), NULL, NULL, 'forged', 'kim');
	SELECT ruad.set_excluded(false, NULL, 'Org', '2000-01-01', NULL, 'kim')$$, 'labels and exclusions');
SELECT set_eq('SELECT t.of_audit()', format($$VALUES
	('labels ann page label ip:192.0.2.1 {"note": "ours", "label": "mine"}'),
	('labels ann token grafana label ip:192.0.2.1 {"note": null, "label": null}'),
	('exclusions kim cli exclude report %s {"since": null, "reason": "forged", "reports": 1}'),
	('exclusions kim cli include Org {"since": %s, "reason": null, "reports": 1}')$$,
	(SELECT id FROM dmarc.reports), to_jsonb('2000-01-01'::timestamptz)), 'each is one entry');
SELECT is((SELECT count(*) FROM ruad.audit_log), 0::bigint, 'which is stored once');
SELECT throws_ok($$SELECT ruad.set_label('ip:192.0.2.1', 'mine', NULL, 'ann', 'telnet')$$, '23514', NULL,
	'a label is set by the page, a token or a command');

-- Pruning.
SELECT results_eq($$SELECT * FROM ruad.prune('aggregate', t.day(-801), 'kim')$$,
	$$VALUES ('reports', 0::bigint), ('records', 0), ('months', 0)$$, 'what removes nothing');
SELECT is((SELECT count(*) FROM ruad.audit_log), 0::bigint, 'is no entry');
SELECT results_eq($$SELECT * FROM ruad.prune('aggregate', '2026-01-01 00:00:00+00', 'kim')
	WHERE what <> 'months'$$, $$VALUES ('reports', 1::bigint), ('records', 1)$$, 'what removes something');
SELECT results_eq($$SELECT t.of_audit('audit')$$,
	$$VALUES ('audit kim cli prune aggregate {"before": "2026-01-01T00:00:00Z", "removed": {"months": 0, "records": 1, '
		'"reports": 1}}')$$, 'is one');
UPDATE ruad.audit_log SET at = t.day(-100);
SELECT results_eq($$SELECT * FROM ruad.prune('audit', t.day(-100))$$, $$VALUES ('entries', 0::bigint)$$,
	'one of that time is not old');
SELECT results_eq($$SELECT * FROM ruad.prune('audit', t.day(-99))$$, $$VALUES ('entries', 1::bigint)$$,
	'old entries are removed');
SELECT results_eq($$SELECT t.of_audit('audit')$$, $$SELECT 'audit postgres sql prune audit ' || detail::text FROM ruad.audit_log$$,
	'which is an entry, too; without a user it names the login');
SELECT is((SELECT count(*) FROM dmarc.audit_log WHERE log <> 'audit'), 4::bigint, 'labels and exclusions stay');
TRUNCATE ruad.audit_log, ruad.label_log, ruad.exclusion_log;

-- A change that is rolled back leaves no entry.
BEGIN;
SELECT ruad.audit('reprocess', 'kim', NULL, NULL);
ROLLBACK;
SELECT is((SELECT count(*) FROM dmarc.audit_log), 0::bigint, 'what is rolled back is no entry');

-- Auditors.
SELECT lives_ok($$SELECT ruad.auditor_add('test_audit_eve', NULL, 'kim'), ruad.auditor_remove('test_audit_eve', 'kim')$$,
	'an auditor comes and goes');
SELECT results_eq('SELECT t.of_audit()', $$VALUES ('audit kim cli auditor_add test_audit_eve'),
	('audit kim cli auditor_remove test_audit_eve')$$, 'two entries');
TRUNCATE ruad.audit_log;

-- Tokens.
CREATE FUNCTION t.hash(secret text) RETURNS text LANGUAGE sql AS $$
	SELECT encode(sha256(convert_to(secret, 'UTF8')), 'hex') $$;
SELECT lives_ok($$SELECT ruad.token_add('reads', 'ann', t.hash('a'), false, '90 days', 'kim'),
	ruad.token_add('writes', 'bob', t.hash('b'), true, NULL, 'kim')$$, 'tokens are made');
SELECT matches(t.words($$SELECT ruad.token_add('reads', 'eve', t.hash('c'), true, NULL, 'kim')$$),
	'^22023 there is a token "reads" already: remove it first', 'each name once');
SELECT results_eq($$SELECT t.name, t.user_name, t.may_write, t.is_stale FROM unnest('{a,b,c}'::text[]) AS s(secret),
	api.token(t.hash(s.secret)) t$$, $$VALUES ('reads', 'ann', false, true), ('writes', 'bob', true, true)$$,
	'they are found by their hash');
SELECT is((SELECT expires_at - made_at FROM dmarc.tokens WHERE name = 'reads'), interval '90 days', 'one expires');
SELECT lives_ok($$SELECT api.token_used(t.hash('a'))$$, 'one is used');
SELECT is((SELECT is_stale FROM api.token(t.hash('a'))), false, 'which is known for an hour');
UPDATE ruad.token SET used_at = '2000-01-01 00:00:00+00' WHERE name = 'writes';
SELECT is((SELECT is_stale FROM api.token(t.hash('b'))), true, 'and no longer');
SELECT api.token_used(t.hash('b'));
SELECT is((SELECT used_at > now() - interval '1 minute' FROM dmarc.tokens WHERE name = 'writes'), true, 'then again');
SELECT results_eq($$WITH used AS (UPDATE ruad.token k SET used_at = now() - v.ago FROM (VALUES
		('reads', interval '59 minutes'), ('writes', '61 minutes')) v(name, ago) WHERE k.name = v.name RETURNING k.name)
	SELECT name FROM used ORDER BY 1$$, $$VALUES ('reads'), ('writes')$$, 'one an hour ago, one not yet');
SELECT is((SELECT string_agg(k.name || ' ' || k.is_stale, ', ' ORDER BY s.secret) FROM unnest('{a,b}'::text[]) AS s(secret),
	api.token(t.hash(s.secret)) k), 'reads false, writes true', 'after an hour a use is recorded again');
SELECT api.token_used(t.hash(s.secret)) FROM unnest('{a,b}'::text[]) AS s(secret);
SELECT is((SELECT string_agg(k.name || ' ' || (k.used_at > now() - interval '1 minute'), ', ' ORDER BY k.name)
	FROM dmarc.tokens k), 'reads false, writes true', 'not before');
UPDATE ruad.token SET expires_at = now() - interval '1 second' WHERE name = 'reads';
SELECT is_empty($$SELECT * FROM api.token(t.hash('a'))$$, 'one that has expired is none');
SELECT lives_ok($$SELECT ruad.token_remove('writes', 'kim')$$, 'one is removed');
SELECT is_empty($$SELECT * FROM api.token(t.hash('b'))$$, 'and is none, either');

-- When the last ones were, as monitoring sees it.
TRUNCATE ruad.audit_log;
INSERT INTO ruad.audit_log (at, user_name, via, action) SELECT v.at, 'kim', 'cli', v.action
FROM (VALUES ('2026-01-01 00:00:10+00'::timestamptz, 'prune'), ('2026-01-01 00:00:20+00', 'dump'),
	('2026-01-01 00:00:30+00', 'prune'), ('2026-01-01 00:00:40+00', 'dump'), ('2026-01-01 00:00:50+00', 'reprocess')) v(at, action);
SELECT is((SELECT (m ->> 'last_prune_at') || ' ' || (m ->> 'last_dump_at') FROM api.metrics() m), '1767225630 1767225640',
	'the last prune and the last dump');

-- The API.
TRUNCATE ruad.audit_log;
INSERT INTO ruad.audit_log (at, user_name, via, action, object)
SELECT now() - i / 3 * interval '1 second', CASE i % 2 WHEN 0 THEN 'ann' ELSE E'b\u202eob' END, 'page', 'export', i
FROM generate_series(1, 20) i;
INSERT INTO ruad.label_log (source, set_by, set_via, set_at) SELECT 'ip:192.0.2.1', 'ann', 'page', max(at)
FROM ruad.audit_log;
CREATE FUNCTION t.paged(size integer) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	page jsonb;
	next text;
BEGIN
	LOOP
		page := api.audit(api.filter(), api.page(size, next));
		RETURN QUERY SELECT i ->> 'action' || ' ' || (i ->> 'object') FROM jsonb_array_elements(page -> 'items') i;
		next := page ->> 'next';
		EXIT WHEN next IS NULL;
	END LOOP;
END $$;
-- Entries of the three logs with the same time and number.
CREATE TEMP TABLE same AS SELECT 1000 AS id, max(at) AS at FROM ruad.audit_log;
INSERT INTO ruad.audit_log (id, at, user_name, via, action, object) OVERRIDING SYSTEM VALUE
SELECT id, at, 'ann', 'page', 'export', 'same' FROM same;
INSERT INTO ruad.label_log (id, source, set_by, set_via, set_at) OVERRIDING SYSTEM VALUE
SELECT id, 'ip:192.0.2.2', 'ann', 'page', at FROM same;
INSERT INTO ruad.exclusion_log (id, excluded, report, reports, set_by, set_at) OVERRIDING SYSTEM VALUE
SELECT id, true, 1, 1, 'ann', at FROM same;
SELECT results_eq(format('SELECT t.paged(%s)', n), 'SELECT t.paged(500)', format('pages of %s are the whole, in order', n))
FROM unnest('{1,4}'::integer[]) n;
SELECT is((SELECT array_agg(p) FROM (SELECT t.paged(500) AS p LIMIT 3) x), '{exclude report 1,label ip:192.0.2.2,export same}',
	'the newest first, by time, number and log');
INSERT INTO ruad.audit_log (at, user_name, via, action) VALUES (t.day(-50), 'kim', 'cli', 'prune');
SELECT is(jsonb_array_length(api.audit(api.filter(p_from => (t.day(first) AT TIME ZONE 'UTC')::date,
	p_to => (t.day(first + 1) AT TIME ZONE 'UTC')::date), api.page()) -> 'items'), want, 'an entry of midnight: ' || name)
FROM (VALUES (-51, 0, 'not of the day that ends'), (-50, 1, 'of the day that begins')) v(first, want, name);
SELECT is((api.audit(api.filter(), api.page(), 'ann', '{label}') #> '{items,1}') - 'at', '{"user_name": "ann",
	"via": "page", "token": null, "client": null, "action": "label", "object": "ip:192.0.2.1", "detail": {"label": null,
	"note": null}}', 'by user and action');
CREATE FUNCTION t.listed(f api.filter_set, p_user text, p_action text[]) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', i ->> 'user_name', i ->> 'action', i ->> 'object'), ', ' ORDER BY no)
	FROM jsonb_array_elements(api.audit(f, api.page(), p_user, p_action) -> 'items') WITH ORDINALITY x(i, no) $$;
TRUNCATE ruad.audit_log, ruad.label_log, ruad.exclusion_log;
INSERT INTO ruad.audit_log (at, user_name, via, action, object)
SELECT v.at::timestamptz, v.user_name, 'page', v.action, v.object FROM (VALUES ('2026-01-02 00:00Z', 'ann', 'export', 'first'),
	('2026-01-03 23:59:59Z', 'bob', 'login', 'last'), ('2026-01-01 23:59:59Z', 'ann', 'login', 'before'),
	('2026-01-04 00:00Z', 'bob', 'export', 'after')) v(at, user_name, action, object);
SELECT is(t.listed(api.filter(p_from => '2026-01-02', p_to => '2026-01-04'), NULL, NULL),
	'bob login last, ann export first', 'the window is half-open');
SELECT is(t.listed(api.filter(p_from => '2026-01-01', p_to => '2026-01-05'), u, a), want, name)
FROM (VALUES ('ann', NULL::text[], 'ann export first, ann login before', 'by user alone'),
	(NULL, '{login}', 'bob login last, ann login before', 'by action alone')) x(u, a, want, name);
-- Entries of several logs with the same time and number.
TRUNCATE ruad.audit_log;
INSERT INTO ruad.audit_log (id, at, user_name, via, action) OVERRIDING SYSTEM VALUE VALUES (9, '2026-01-01 00:00Z', 'ann', 'cli', 'prune');
INSERT INTO ruad.label_log (id, source, set_by, set_via, set_at) OVERRIDING SYSTEM VALUE
VALUES (9, 'as:1', 'ann', 'page', '2026-01-01 00:00Z');
INSERT INTO ruad.exclusion_log (id, excluded, report, reports, set_by, set_at) OVERRIDING SYSTEM VALUE
VALUES (9, true, 1, 1, 'ann', '2026-01-01 00:00Z');
CREATE FUNCTION t.walked() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	page jsonb;
	words text[];
BEGIN
	FOR i IN 1 .. 4 LOOP
		page := api.audit(api.filter(p_from => '2026-01-01', p_to => '2026-01-02'), api.page(1, page ->> 'next'));
		words := words || (page #>> '{items,0,action}');
		EXIT WHEN page ->> 'next' IS NULL;
	END LOOP;
	RETURN array_to_string(words, ' ');
END $$;
SELECT is(t.walked(), 'exclude label prune', 'of entries of the same time and number each is on a page');
SELECT * FROM finish();
