-- Lists that are cut and shares at their bounds: reporters' days, addresses and notes, sources that fail, series.
SELECT plan(9);
CREATE FUNCTION t.sum(org text, day date, email text, dialect text, reports bigint) RETURNS api.reporter_sum LANGUAGE sql AS $$
	SELECT jsonb_populate_record(NULL::api.reporter_sum, jsonb_build_object('by', CASE WHEN day IS NULL THEN 'words' ELSE 'day' END,
		'org_name', org, 'day', day, 'email', email, 'dialect', dialect, 'reports', reports)) $$;

-- The days of a window are shown in 92 steps at most.
CREATE FUNCTION t.coverage(until date) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_object_agg(c.org_name, jsonb_build_array(jsonb_array_length(c.coverage), c.coverage -> 0, c.coverage -> 1, c.coverage -> -1))
	FROM api.coverage('{A,NULL,C}', ARRAY[t.sum('A', '2026-01-01', NULL, NULL, 2), t.sum('A', '2026-01-02', NULL, NULL, 3),
		t.sum(NULL, until - 1, NULL, NULL, 5), t.sum('B', '2026-01-01', NULL, NULL, 7)], api.filter(p_from => '2026-01-01', p_to => until)) c $$;
SELECT is(t.coverage('2026-04-03'), '{"A": [92, 2, 3, 0], "": [92, 0, 0, 5], "C": [92, 0, 0, 0]}', 'of 92 days each is a step');
SELECT is(t.coverage('2026-04-04'), '{"A": [47, 5, 0, 0], "": [47, 0, 0, 5], "C": [47, 0, 0, 0]}', 'of 93 days two are one');
SELECT is((SELECT string_agg(concat_ws(' ', w.org_name, w.emails, w.dialects), '; ' ORDER BY w.org_name)
	FROM api.reporter_words('{A,NULL}', ARRAY[t.sum('A', NULL, 'd@a', 'x', 2), t.sum('A', NULL, 'c@a', 'x', 2), t.sum('A', NULL, 'b@a', 'x', 1),
		t.sum('A', NULL, 'b@a', 'y', 2), t.sum('A', NULL, 'a@a', 'x', 1), t.sum('A', NULL, NULL, 'x', 9), t.sum(NULL, NULL, 'n@a', 'x', 1),
		t.sum('B', NULL, 'o@a', 'x', 1)]) w), ' ["n@a"] ["x"]; A ["b@a", "c@a", "d@a"] ["x", "y"]',
	'three addresses of a reporter, the most frequent first');

-- Notes: those of a report and of its records, five codes.
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.mail(t.report('a.example', 'A', '1', t.day(-2), jsonb_build_array(
	t.record('192.0.2.1', 1, 'pass', 'pass', '{"notes": [{"code": "F"}, {"code": "B"}, {"code": "C"}]}'),
	t.record('192.0.2.1', 1, 'pass', 'pass', '{"notes": [{"code": "F"}, {"code": "E"}]}')),
	'{"notes": [{"code": "D"}, {"code": "A"}, {"code": "F"}]}'))) x), '1 0 0 0 f', 'a report with notes');
SELECT is((SELECT (i -> 'notes_total')::text || (i -> 'notes')::text FROM jsonb_array_elements(api.reporters(api.filter(), api.page()) -> 'items') i),
	'8[{"n": 3, "code": "F"}, {"n": 1, "code": "A"}, {"n": 1, "code": "B"}, {"n": 1, "code": "C"}, {"n": 1, "code": "D"}]',
	'all are counted, five codes are told, the most frequent first');

-- A source fails if half of its messages do.
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.mail(t.report('half.example', 'A', '2', t.day(-2), jsonb_build_array(
	t.record('192.0.2.10', 5, 'pass', 'fail'), t.record('192.0.2.10', 5, 'fail', 'fail'), t.record('192.0.2.11', 6, 'pass', 'fail'),
	t.record('192.0.2.11', 5, 'fail', 'fail'), t.record('192.0.2.12', 0, 'fail', 'fail'), t.record('192.0.2.13', 1, 'fail', 'fail'))))) x),
	'1 0 0 0 f', 'sources that pass and fail');
SELECT is(api.summary(api.filter(p_domain => '{half.example}')) -> 'sources', '{"new": 4, "total": 4, "failing": 2}',
	'half of the messages is failing, none is not');

-- A series has ten keys, and one for all others.
SELECT is((SELECT count(*) FROM generate_series(1, 12) n, t.take(t.mail(t.report('s' || n || '.example', 'S', 's' || n, t.day(-2),
	jsonb_build_array(t.record('198.51.100.1', 10 + n, 'pass', 'pass')))))), 12::bigint, 'twelve domains');
SELECT is((SELECT (s -> 'keys')::text || (SELECT sum((p #>> '{v,other}')::bigint) FROM jsonb_array_elements(s -> 'points') p)
	FROM api.timeseries(api.filter(p_domain => ARRAY(SELECT 's' || n || '.example' FROM generate_series(1, 12) n)), 'day', 'domain') s),
	(SELECT jsonb_agg('s' || n || '.example' ORDER BY n DESC) || '"other"' FROM generate_series(3, 12) n)::text || '23',
	'the ten largest, and the sum of the others');
SELECT * FROM finish();
