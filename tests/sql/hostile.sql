-- Parameters that do not fit, and strings that somebody chose.
CREATE TABLE t.refusal (statement text, hint text);
INSERT INTO t.refusal VALUES
('api.summary(api.filter(p_from => ''2026-02-01'', p_to => ''2026-01-01''))', 'from'),
('api.summary(api.filter(p_from => ''infinity''))', 'from'),
('api.summary(api.filter(p_to => ''infinity''))', 'to'),
('api.summary(api.filter(p_from => ''1969-12-31''))', 'from'),
('api.summary(api.filter(p_to => ''10000-01-01''))', 'to'),
('api.summary(api.filter(p_to => ''-infinity''))', 'to'),
('api.summary(api.filter(p_from => ''0001-01-01 BC''))', 'from'),
('api.summary(api.filter(p_result => ''maybe''))', 'result'),
('api.timeseries(api.filter(), p_bucket => ''hour'')', 'bucket'),
('api.timeseries(api.filter(), p_by => ''class; DROP'')', 'by'),
('api.timeseries(api.filter(p_from => ''1970-01-01'', p_to => ''9999-12-31''))', 'bucket'),
('api.sources(api.filter(), api.page(), p_group => ''planet'')', 'group'),
('api.sources(api.filter(), api.page(), p_sort => ''size'')', 'sort'),
('api.sources(api.filter(), api.page(p_limit => 0))', 'limit'),
('api.domains(api.filter(), api.page(p_limit => 501))', 'limit'),
('api.records(api.filter(), api.page(p_limit => -1))', 'limit'),
('api.reports(api.filter(), api.page(), p_received_from => ''2026-02-01'', p_received_to => ''2026-01-01'')',
	'received_from'),
('api.intake_events(api.filter(), api.page(), p_status => ''{lost}'')', 'status'),
('api.intake(api.filter(p_from => ''2026-02-01'', p_to => ''2026-01-01''))', 'from');
-- Each list with each of these as a cursor: no base64, no UTF-8, no JSON, no array, another list's, values of other
-- kinds, out of range.
INSERT INTO t.refusal
SELECT format('api.%s(api.filter(), api.page(p_cursor => %L))', list, cursor), 'cursor'
FROM unnest(ARRAY['records', 'reports', 'intake_events', 'sources', 'domains', 'reporters', 'failures',
	'tls_reports']) list, unnest(ARRAY['', '*', 'x', '////', rtrim(translate(encode('7', 'base64'), '+/', '-_'), '='),
	api.cursor_make('other', '[1, 2, 3]'),
	api.cursor_make(CASE list WHEN 'sources' THEN 'sources source -messages' WHEN 'domains' THEN 'domains -messages'
		WHEN 'intake_events' THEN 'intake' ELSE list END, '7'), api.cursor_make(CASE list WHEN 'sources'
			THEN 'sources source -messages' WHEN 'domains' THEN 'domains -messages' WHEN 'intake_events' THEN 'intake'
				ELSE list END, '[]'), api.cursor_make(CASE list WHEN 'sources' THEN 'sources source -messages'
				WHEN 'domains' THEN 'domains -messages' WHEN 'intake_events' THEN 'intake' ELSE list END,
				'[null, null, null]'), api.cursor_make(CASE list WHEN 'sources' THEN 'sources source -messages'
					WHEN 'domains' THEN 'domains -messages' WHEN 'intake_events' THEN 'intake' ELSE list END,
					'["a", 1, 2]'), api.cursor_make(CASE list WHEN 'sources' THEN 'sources source -messages'
						WHEN 'domains' THEN 'domains -messages' WHEN 'intake_events' THEN 'intake' ELSE list END,
						'[{}, 1, 2]'), api.cursor_make(CASE list WHEN 'sources' THEN 'sources source -messages'
							WHEN 'domains' THEN 'domains -messages' WHEN 'intake_events' THEN 'intake' ELSE list END,
							'[1e400, {}, []]'), api.cursor_make(CASE list WHEN 'sources' THEN 'sources source -messages'
								WHEN 'domains' THEN 'domains -messages' WHEN 'intake_events' THEN 'intake'
								ELSE list END, '[99999999999999999999, 1, 1]'), api.cursor_make(CASE list WHEN 'sources'
									THEN 'sources source -messages' WHEN 'domains' THEN 'domains -messages'
										WHEN 'intake_events' THEN 'intake' ELSE list END,
										'[9223372036854775807, 1, 1]'), repeat('A', 10000)]) cursor;
SELECT plan(count(*)::integer + 14) FROM t.refusal;
SELECT matches(t.words('SELECT ' || statement), format('^22023 parameter "%s": .* / %s$', hint, hint), statement)
FROM t.refusal;

SELECT is(api.cursor_key('list', api.cursor_make('list', to_jsonb(ARRAY[repeat('ü?>', n)]))) ->> 0, repeat('ü?>', n),
	format('a cursor of %s characters comes back', n * 3))
FROM unnest('{0,1,2,3,500}'::int[]) n;
SELECT unalike(api.cursor_make('list', to_jsonb(repeat('ü?>~', 500))), '%[^A-Za-z0-9_-]%',
	'and needs no escaping in a URL');
SELECT is(api.display((SELECT string_agg(chr(c), '' ORDER BY c)
	FROM unnest(array_remove(array(SELECT generate_series(1, 159)), NULL)) c)),
	'   ' || (SELECT string_agg(chr(c), '' ORDER BY c) FROM generate_series(32, 126) c), 'all control characters go');
SELECT is(api.display(E'\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061cü\U0001F600'),
	E'ü\U0001F600', 'direction marks go, letters stay');
SELECT is(api.display('{"a\u0007": ["\u202ex", 1, null, true, {"b": "\u0085"}]}'::jsonb),
	'{"a": ["x", 1, null, true, {"b": ""}]}', 'in JSON, to any depth');

SELECT is((SELECT string_agg(x, ',')
	FROM t.take(t.mail(t.report('h.example', E'\u202e<img onerror>' || repeat('O', 10240), E'=cmd\u0001',
		t.day(-1), jsonb_build_array(
	t.record('192.0.2.1', 9223372036854775807, E'pa\u0085ss', 'fail', jsonb_build_object('disposition', E'\u202enone',
		'header_from', E'\u2066h',
		'auth_results', jsonb_build_object('dkim', jsonb_build_array(jsonb_build_object('domain', E'\u202ed'))))),
	t.record('192.0.2.1', 9223372036854775807, 'pass', 'pass'))))) x), '1 0 0 0 f', 'a report full of tricks is taken');
SELECT is((SELECT count(*)
	FROM (SELECT api.summary(api.filter()) UNION ALL SELECT api.timeseries(api.filter(), p_by => 'reporter') UNION ALL
		SELECT api.domains(api.filter(), api.page()) UNION ALL SELECT api.sources(api.filter(), api.page())
	UNION ALL SELECT api.records(api.filter(), api.page()) UNION ALL SELECT api.reports(api.filter(), api.page())
	UNION ALL SELECT api.report(r.id) FROM dmarc.reports r UNION ALL SELECT api.intake(api.filter())) x(j)
	WHERE j::text ~ E'[\u0080-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|\\\\u00[01]'), 0::bigint,
	'and no answer carries them on');
SELECT is(api.summary(api.filter()) #>> '{totals,messages}', '18446744073709551614', 'sums beyond a bigint are right');
SELECT is(api.summary(api.filter(p_from => '1970-01-01', p_to => '9999-12-31')) #>> '{previous,messages}', '0',
	'the widest window has nothing before it');
SELECT is(api.summary(api.filter(p_domain => '{"x'' OR true --"}')) #>> '{totals,messages}',
	'0', 'a filter is a value');
SELECT * FROM finish();
