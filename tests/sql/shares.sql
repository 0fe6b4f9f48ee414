-- Lists that are cut and shares at their bounds: reporters' days, addresses and notes, sources that fail, series, a search.
SELECT plan(22);
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
SELECT is(t.coverage('2026-01-01'), NULL, 'of no day none');
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

-- A source of several senders is what four fifths of its mail are.
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.mail(t.report('mixed.example', 'M', 'm', t.day(-2), jsonb_build_array(
	t.record('203.0.113.1', 8, 'pass', 'fail'), t.record('203.0.113.2', 2, 'fail', 'fail'), t.record('203.0.113.3', 7, 'pass', 'fail'),
	t.record('203.0.113.4', 2, 'fail', 'fail'))))) x), '1 0 0 0 f', 'two sources of two addresses each');
INSERT INTO ruad.address (source_ip, rdns, rdns_domain) VALUES ('203.0.113.1', 'a.four.test', 'four.test'), ('203.0.113.2', 'b.four.test',
	'four.test'), ('203.0.113.3', 'a.less.test', 'less.test'), ('203.0.113.4', 'b.less.test', 'less.test');
SELECT ruad.set_label('ip:203.0.113.' || n, CASE n % 2 WHEN 1 THEN 'mine' ELSE 'not_mine' END, NULL, 'kim', 'cli') FROM generate_series(1, 4) n;
SELECT is(t.members(api.sources(api.filter(p_domain => '{mixed.example}'), api.page()) -> 'items', 'key', 'whose', 'whose_reason',
	'whose_facts.messages', 'whose_facts.pass', 'whose_facts.addresses'), '[["domain:four.test", "own", "labelled", 10, 8, 2],
	["domain:less.test", "unsure", "mixed", 9, 7, 2]]', 'less than that is not sure');

-- TLS: the hundred largest policies and kinds of failures, each with ten hosts and addresses.
CREATE FUNCTION t.entry(result text, n integer, failed integer) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('result_type', result, 'sending_mta_ip', '192.0.2.' || n, 'receiving_mx_hostname', 'mx' || n,
		'failed_session_count', failed) $$;
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.mail(t.tls(t.tls_content('T', t.day(-2)) || jsonb_build_object('policies',
	(SELECT jsonb_agg(jsonb_build_object('policy', jsonb_build_object('policy_type', 'sts', 'policy_domain', 'd' || n || '.example'),
		'summary', jsonb_build_object('total_successful_session_count', 1000 + n, 'total_failure_session_count', n),
		'failure_details', CASE n WHEN 101 THEN (SELECT jsonb_agg(t.entry('r101', k, 1000 + k)) FROM generate_series(1, 11) k)
			ELSE jsonb_build_array(t.entry('r' || n, n, n)) END)) FROM generate_series(1, 101) n))))) x), '1 0 0 0 f', 'a TLS report');
CREATE TEMP TABLE tls AS SELECT api.tls_summary(api.filter()) AS j;
SELECT is((SELECT concat_ws(' ', jsonb_array_length(j -> 'domains'), j #>> '{domains,0,policy_domain}', j #>> '{domains,-1,policy_domain}')
	FROM tls), '100 d101.example d2.example', 'a hundred policies');
SELECT is((SELECT concat_ws(' ', jsonb_array_length(j -> 'failures'), j #>> '{failures,0,result_type}', j #>> '{failures,-1,result_type}')
	FROM tls), '100 r101 r2', 'a hundred kinds of failures');
SELECT is((SELECT concat_ws(' ', j #> '{failures,0,receiving_mx_hostnames}', j #> '{failures,0,sending_mta_ips}') FROM tls),
	(SELECT concat_ws(' ', jsonb_agg('mx' || k ORDER BY k DESC), jsonb_agg('192.0.2.' || k ORDER BY k DESC)) FROM generate_series(2, 11) k),
	'ten hosts and addresses, those with the most sessions');

-- A search finds eight of each type: what equals the text, what begins with it, and short ones come first.
INSERT INTO ruad.domain (name) SELECT unnest('{longfind,dfind,cfind,bfind,afind,findlong,findb,finda,Find}'::text[]);
SELECT is((SELECT string_agg(i ->> 'key', ' ' ORDER BY no) FROM jsonb_array_elements(api.search('fInd') -> 'items') WITH ORDINALITY x(i, no)),
	'Find finda findb findlong afind bfind cfind dfind', 'eight domains in this order');
SELECT is(t.words($$SELECT api.search('f')$$), '22023 parameter "q": must have two characters at least / q', 'one character is too short');
SELECT is(api.search('zz'), '{"items": []}', 'two are not');
SELECT is((SELECT string_agg((i ->> 'type') || ' ' || (i ->> 'key'), ', ' ORDER BY no) FROM jsonb_array_elements(api.search('203.0.113.1')
	-> 'items') WITH ORDINALITY x(i, no)), 'ip 203.0.113.1, source domain:four.test', 'an address, and then its source');
INSERT INTO ruad.service (key, name, type) VALUES ('twice', 'Twice Inc', 'marketing');
INSERT INTO ruad.address (source_ip, service, service_basis) VALUES ('192.0.2.222', 'twice', 'rdns');
SELECT is((SELECT x FROM t.take(t.mail(t.report('twice.example', 'Twice', 'twice', t.day(-1), '[]'))) x), '1 0 0 0 f', 'a report');
SELECT is((SELECT string_agg(i ->> 'type', ' ' ORDER BY no) FROM jsonb_array_elements(api.search('twice') -> 'items') WITH ORDINALITY x(i, no)),
	'domain source reporter report', 'types in this order, whatever equals the text');
SELECT * FROM finish();
