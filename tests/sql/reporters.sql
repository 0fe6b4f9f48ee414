-- Who reports, how regularly and how well.
SELECT plan(15);
CREATE FUNCTION t.date(n integer) RETURNS text LANGUAGE sql AS $$
	SELECT to_char(t.day(n) AT TIME ZONE 'UTC', 'YYYY-MM-DD') $$;
SELECT is((SELECT string_agg(x, ',') FROM t.take(
	t.mail(t.report('a.example', 'Big', '1', t.day(-4),
		jsonb_build_array(t.record('192.0.2.1', 60, 'pass', 'pass',
			'{"notes": [{"code": "A1", "path": "row", "raw": null}, {"code": "V1", "path": "row", "raw": "x"}]}')),
			'{"notes": [{"code": "V1", "path": "version", "raw": "2.0"}]}'))
			|| jsonb_build_object('received_at', t.day(-3) - interval '1 second' + interval '1 hour'),
	t.mail(t.report('b.example', 'Big', '2', t.day(-4), jsonb_build_array(t.record('192.0.2.1', 30, 'fail', 'fail')),
		'{"dialect": "rfc9990", "email": "second@big.example"}'))
		|| jsonb_build_object('received_at', t.day(-3) - interval '1 second' + interval '2 hours'),
	t.mail(t.report('b.example', 'Big', '3', t.day(-2), jsonb_build_array(t.record('192.0.2.2', 10, 'pass', 'fail')),
		'{"email": "second@big.example"}'))
		|| jsonb_build_object('received_at', t.day(-1) - interval '1 second' + interval '9 hours'),
	t.mail(t.report('a.example', 'Small', '4', t.day(-2), jsonb_build_array(t.record('192.0.2.1', 1, 'pass', 'pass')))),
	t.mail(t.report('a.example', 'Small too', '5', t.day(-2),
		jsonb_build_array(t.record('192.0.2.1', 1, 'pass', 'pass')), '{"org_name": null}')),
	t.mail(t.report('a.example', 'Old', '6', t.day(-50), jsonb_build_array(t.record('192.0.2.1', 1, 'pass', 'pass')))))
	x), '1 0 0 0 f,1 0 0 0 f,1 0 0 0 f,1 0 0 0 f,1 0 0 0 f,1 0 0 0 f', 'the data is in');
CREATE TEMP TABLE r AS SELECT api.reporters(api.filter(), api.page()) AS j;
SELECT is((j #> '{items,0}') - 'coverage', jsonb_build_object('org_name', 'Big', 'emails',
	'["second@big.example", "dmarc@Big"]'::jsonb, 'reports', 3, 'records', 3, 'messages', 100, 'pass', 70, 'domains', 2,
	'days', 2, 'lateness', 7200, 'dialects', '["rfc7489", "rfc9990"]'::jsonb, 'notes_total', 3, 'notes',
	'[{"code": "V1", "n": 2}, {"code": "A1", "n": 1}]'::jsonb, 'first_report_at', t.date(-3) || 'T00:59:59Z',
	'last_report_at', t.date(-1) || 'T08:59:59Z'), 'reporters: the largest first') FROM r;
SELECT is((SELECT array_agg(v::int) FROM r, jsonb_array_elements_text(j #> '{items,0,coverage}') v),
	array_fill(0, '{25}') || '{2,0,1,0,0}', 'reporters: reports on each day');
SELECT is((SELECT jsonb_agg(jsonb_build_array(i -> 'org_name', i -> 'reports', i -> 'notes', i -> 'notes_total')
	ORDER BY no) FROM r, jsonb_array_elements(j -> 'items') WITH ORDINALITY x(i, no)),
	'[["Big", 3, [{"code": "V1", "n": 2}, {"code": "A1", "n": 1}], 3], ["Small", 1, [], 0], [null, 1, [], 0]]',
	'reporters: all of the window, one without a name');
SELECT is(j -> 'total', '3', 'reporters: how many') FROM r;
SELECT is((SELECT jsonb_agg(jsonb_build_array(i -> 'org_name', i -> 'reports', i -> 'messages', i -> 'notes_total')
	ORDER BY no) FROM jsonb_array_elements(api.reporters(f, api.page()) -> 'items') WITH ORDINALITY x(i, no)), want,
	'reporters: filter ' || n)
FROM (VALUES ('domain', api.filter(p_domain => '{b.example}'), '[["Big", 2, 40, 0]]'::jsonb),
	('reporter', api.filter(p_reporter => '{Small}'), '[["Small", 1, 1, 0]]'),
	('result', api.filter(p_result => 'fail'), '[["Big", 1, 30, 0]]'),
	('nothing', api.filter(p_domain => '{x.example}'), NULL)) x(n, f, want);
CREATE FUNCTION t.walk(page integer) RETURNS TABLE (no bigint, item jsonb) LANGUAGE plpgsql AS $$
DECLARE
	answer jsonb;
BEGIN
	no := 0;
	LOOP
		answer := api.reporters(api.filter(), api.page(page, answer ->> 'next'));
		FOR item IN SELECT * FROM jsonb_array_elements(answer -> 'items') LOOP
			no := no + 1;
			RETURN NEXT;
		END LOOP;
		EXIT WHEN answer ->> 'next' IS NULL OR no > 1000;
	END LOOP;
END $$;
SELECT is((SELECT jsonb_agg(item ORDER BY no) FROM t.walk(n)), (SELECT j -> 'items' FROM r),
	format('reporters: by %s, the same', n)) FROM unnest('{1,2}'::int[]) n;
SELECT is((SELECT count(*) FROM generate_series(1, 5) n,
	t.take(t.mail(t.report('c.example', repeat(chr(9731), 3000 + n), 'long', t.day(-1),
		jsonb_build_array(t.record('192.0.2.1', 1, 'pass', 'pass')))))), 5::bigint, 'long names');
SELECT is((SELECT array_agg(length(item ->> 'org_name') ORDER BY length(item ->> 'org_name')) FROM t.walk(1)
	WHERE length(item ->> 'org_name') > 3000), '{3001,3002,3003,3004,3005}', 'reporters: each once');
SELECT cmp_ok(max(length(api.reporters(api.filter(), api.page(n)) ->> 'next')), '<=', 1024,
	'reporters: and their cursors are short') FROM generate_series(1, 7) n;
SELECT is(t.words(format('SELECT api.reporters(api.filter(), api.page(NULL, %L))', c)),
	'22023 parameter "cursor": not a cursor of this list / cursor', 'reporters: cursor ' || c)
	FROM unnest(ARRAY['x']) c;
SELECT * FROM finish();
