-- CSV: what RFC 4180 and spreadsheets make necessary, and that every list has all of its members.
SELECT plan(121);
CREATE FUNCTION t.cell(value jsonb) RETURNS text LANGUAGE sql AS $$ SELECT api.csv_cell(value) $$;
SELECT is(t.cell(v), want, format('cell: %s', v)) FROM (VALUES
	('"plain"'::jsonb, 'plain'), ('null', ''), (NULL, ''), ('""', ''), ('true', 'true'), ('false', 'false'), ('0', '0'),
		('-5', '-5'), ('18446744073709551614', '18446744073709551614'), ('0.25', '0.25'),
	('"a,b"', '"a,b"'), ('"say \"hi\""', '"say ""hi"""'), ('"a\r\nb"', E'"a\r\nb"'), ('"a\nb"', E'"a\nb"'),
	('" lead"', ' lead'),
	('"=1+1"', '''=1+1'), ('"+1"', '''+1'), ('"-1"', '''-1'), ('"@x"', '''@x'), ('"\tx"', E'''\tx'),
	('"\rx"', E'"''\rx"'), ('"=\"a\",b"', '"''=""a"",b"'), ('"a=1"', 'a=1'), ('"''x"', '''x'),
	('[]', ''), ('[1, 2, 30]', '1 2 30'), ('["a", "b c"]', 'a b c'), ('["=a", "b"]', '''=a b'),
	('["a", "=b,"]', '"a =b,"'), ('[{"a": "=\"x\""}]', '"[{""a"": ""=\""x\""""}]"'), ('{"a": 1}', '"{""a"": 1}"'),
	('"ü\u2603"', E'ü\u2603'), ('"a\u200bb\u2028c\ufeff"', 'a\u200bb\u2028c\ufeff'), ('"=\u200b"', '''=\u200b'),
	('"\udb40\udc61,\u00ad"', '"\U000e0061,\u00ad"'), ('["\u2060", "ü"]', '\u2060 ü')) x(v, want);

SELECT is(body,
	E'org_name,emails,reports,records,messages,pass,domains,days,coverage,lateness,dialects,notes_total,notes,'
	'first_report_at,last_report_at\r\n'
	|| E'"Org, ""Inc""",a@x b@x,2,,,,,,0 1,-7,,,"[{""n"": 1, ""code"": ""V1""}]",,\r\n' || E'''@evil,,,,,,,,,,,,,,\r\n',
		'a list: every row has the same columns')
FROM api.csv('reporters', '{"items": [{"org_name": "Org, \"Inc\"", "emails": ["a@x", "b@x"], "reports": 2, "coverage": '
	'[0, 1], "lateness": -7, "notes": [{"code": "V1", "n": 1}], "more": 1}, {"org_name": "@evil"}]}');
SELECT is(body, E't,complete,v_pass,"v_=cmd ""x"", y",v_a.b\r\n2026-01-01,true,1,2,3\r\n',
	'a series: a column for each key')
	FROM api.csv('timeseries',
		'{"keys": ["pass", "=cmd \"x\", y", "a.b"], "points": [{"t": "2026-01-01", "complete": true, "v": {"pass": 1, '
			'"=cmd \"x\", y": 2, "a.b": 3}}]}');
SELECT is((body, next)::text,
	'("report,record_no,domain,org_name,begin,source_ip,source,source_name,label,rdns,count,disposition,dkim,spf,'
	'dmarc_pass,class,reason,header_from,envelope_from,envelope_to,auth_results_dkim,auth_results_spf,'
	'notes' || E'\r\n' || '",abc)', 'no rows: the header, and the cursor') FROM api.csv('records', '{"items": [],'
	' "next": "abc"}');
SELECT throws_ok($$SELECT api.csv('secrets', '{"items": []}')$$, 'P0001', 'no list "secrets"', 'a list that is none');

-- Against the answers themselves: all members that are no objects have a column, whatever is in them.
SELECT is((SELECT string_agg(x, ',') FROM t.take(
	t.mail(t.report('corp.example', E'=HYPERLINK("http://evil")\u202e', E'-1,"\u0007', t.day(-2),
		jsonb_build_array(t.record('192.0.2.1', 10, 'pass', 'pass',
			'{"header_from": "corp.example", "reason": [{"type": "=x"}]}'),
		t.record('192.0.2.1', 1, 'fail', 'fail', '{"header_from": "=a.corp.example", "envelope_from": "+1"}')))),
	t.mail(t.failure('{"reported_domain": ["corp.example"], "subject": "@SUM(A1)", "feedback_type": "auth-failure"}'),
		t.tls(t.tls_content('-Org', t.day(-3))), t.unreadable('xml', '=reason'))) x), '1 0 0 0 f,2 0 0 1 t',
		'a report of each kind');
CREATE TEMP TABLE lists (name text, doc jsonb);
INSERT INTO lists VALUES
	('domains', api.domains(api.filter(), api.page())), ('sources', api.sources(api.filter(), api.page())),
		('source_ips', api.source_ips('ip:192.0.2.1', api.filter(), api.page())),
	('source_identifiers', api.source_identifiers('ip:192.0.2.1', api.filter(), api.page())),
	('source_reporters', api.source_reporters('ip:192.0.2.1', api.filter(), api.page())),
	('records', api.records(api.filter(), api.page())), ('reports', api.reports(api.filter(), api.page())),
	('report_records', (SELECT api.report_records(id, api.filter(), api.page()) FROM dmarc.reports)),
	('reporters', api.reporters(api.filter(), api.page())), ('failures', api.failures(api.filter(), api.page())),
	('tls_reports', api.tls_reports(api.filter(), api.page())),
	('intake_events', api.intake_events(api.filter(), api.page(), '{stored,quarantined}'));
CREATE FUNCTION t.leaves(item jsonb, before text DEFAULT '') RETURNS SETOF text LANGUAGE sql AS $$
	SELECT before || k FROM jsonb_each(item) e(k, v) WHERE jsonb_typeof(v) <> 'object' UNION ALL SELECT l
	FROM jsonb_each(item) e(k, v), t.leaves(v, before || k || '_') l WHERE jsonb_typeof(v) = 'object' $$;
SELECT set_eq(format('SELECT DISTINCT l FROM lists, jsonb_array_elements(doc -> ''items'') i, t.leaves(i) l WHERE name '
	'= %L', name), format('SELECT string_to_table(replace(api.csv_members(%L), ''.'', ''_''), '' '')', name),
	'columns of ' || name) FROM lists;
SELECT is((SELECT count(*) FROM regexp_matches(body, E'\r\n', 'g')), jsonb_array_length(doc -> 'items') + 1::bigint,
	'a line for each item of ' || name) FROM lists, api.csv(name, doc);
SELECT is((SELECT count(*) FROM lists, api.csv(name, doc), regexp_matches(body, E'(^|[,\n])"?[=+@-]', 'g')), 0::bigint,
	'no cell begins like a formula');
SELECT is((SELECT count(*) FROM lists, api.csv(name, doc)
	WHERE body ~ E'[\u0001-\u0009\u000b\u000c\u000e-\u001f\u0080-\u009f\u202a-\u202e]'), 0::bigint,
	'nor has control characters');
SELECT matches((SELECT body FROM lists, api.csv(name, doc) WHERE name = 'reports'), '"''=HYPERLINK\(""http://evil""\)"',
	'a hostile name is a text');

-- Streams are byte for byte what CSV made of JSON is.
SELECT is(api.csv_cells('a', v, NULL, v), concat_ws(',', 'a', t.cell(to_jsonb(api.display(v))), '',
	t.cell(to_jsonb(api.display(v)))), format('cells: %s', to_json(v))) FROM (VALUES
	(''), ('plain text, with a comma'), ('a"b'), ('=1'), ('+1'), ('-1'), ('@x'), (E'\tx'), (E'\rx'), (E'a\nb'), (E'\n=1'), (E'a\n=b'),
		(E'x\u0007y\u202e'), ('ü'), (E'\\')) x(v);
SELECT is(api.csv_shown(v), t.cell(api.display(v)), format('shown: %s', v)) FROM (VALUES
	('null'::jsonb), (NULL), ('[]'), ('"a"'), ('{"a": "b"}'), ('["a", "b c"]'), ('[["a"], {"b": "c"}]'), ('[{"a": 1}]'),
	('[{"a": "=b, \"c\""}, "d"]'), ('[{"a": "ü\u202e"}]')) x(v);
CREATE FUNCTION t.streamed(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	lines refcursor := 'csv';
	o record;
	line text;
	body text;
BEGIN
	EXECUTE 'SELECT * FROM ' || call INTO o;
	body := o.head;
	LOOP
		FETCH lines INTO line;
		EXIT WHEN NOT FOUND;
		body := body || line;
	END LOOP;
	CLOSE lines;
	RETURN concat_ws('next: ', body, o.next);
END
$$;
SELECT is(t.streamed(call), body, 'a stream of ' || name)
FROM (VALUES ('records', 'api.records_csv(api.filter(), api.stream())'),
	('reports', 'api.reports_csv(api.filter(), api.stream())'),
	('report_records', format('api.report_records_csv(%s, api.filter(), api.stream())',
		(SELECT id FROM dmarc.reports))), ('failures', 'api.failures_csv(api.filter(), api.stream())'),
	('tls_reports', 'api.tls_reports_csv(api.filter(), api.stream())'),
	('intake_events', 'api.intake_events_csv(api.filter(), api.stream(), ''{stored,quarantined}'')')) s(name, call)
	JOIN lists USING (name), api.csv(name, doc);
SELECT is(t.streamed('api.records_csv(api.filter(), api.stream(1))'), concat_ws('next: ', body, next),
	'a page of a stream has the cursor of the JSON''s') FROM api.csv('records', api.records(api.filter(), api.page(1)));
SELECT is(t.streamed(format('api.records_csv(api.filter(), api.stream(1, %L))', next)),
	(SELECT body FROM api.csv('records', api.records(api.filter(), api.page(1, next)))), 'the last page has none')
	FROM api.csv('records', api.records(api.filter(), api.page(1)));
SELECT is((SELECT head FROM api.report_records_csv(-1, api.filter(), api.stream())), NULL, 'no such report');
SELECT is(t.words('SELECT api.records_csv(api.filter(), api.stream(10001))'),
	'22023 parameter "limit": "10001" is not between 1 and 10000 / limit', 'a page has 10000 rows at most');

-- Texts that are not ASCII, and begin like a formula.
SELECT is(api.csv_text(chr(c) || '1ü'), CASE WHEN c = 13 THEN E'"''\r1ü"' ELSE '''' || chr(c) || '1ü' END,
	format('a text in UTF-8 that begins with character %s', c)) FROM unnest('{9,13,43,45,61,64}'::integer[]) c;
SELECT is(api.csv_text(chr(c) || '1ü'), chr(c) || '1ü', format('no formula begins with character %s', c))
FROM unnest('{42,46,60,62,63,65}'::integer[]) c;
-- Pages of one row, walked to the end, of lists with several.
SELECT is((SELECT x FROM t.take(t.mail(t.report('corp.example', 'Org 2', 'r2', t.day(-2), '[]'),
	t.report('corp.example', 'Org 3', 'r3', t.day(-2), '[]'), t.failure('{"reported_domain": ["corp.example"], "subject": "2"}'),
	t.failure('{"reported_domain": ["corp.example"], "subject": "3"}'), t.tls(t.tls_content('Org 2', t.day(-3))),
	t.tls(t.tls_content('Org 3', t.day(-3)))) || '{"subject": "more"}') x), '6 0 0 0 f', 'more of each kind');
CREATE FUNCTION t.walked(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	body text;
	parts text[];
	next text;
BEGIN
	LOOP
		parts := string_to_array(t.streamed(replace(call, 'PAGE', format('api.stream(1, %L)', next))), 'next: ');
		body := concat(body, CASE WHEN body IS NULL THEN parts[1] ELSE regexp_replace(parts[1], E'^[^\r]*\r\n', '') END);
		next := parts[2];
		EXIT WHEN next IS NULL;
	END LOOP;
	RETURN body;
END $$;
SELECT is(t.walked(call), t.streamed(replace(call, 'PAGE', 'api.stream()')), 'by pages of one row: ' || call)
FROM unnest('{"api.reports_csv(api.filter(), PAGE)","api.failures_csv(api.filter(), PAGE)",
	"api.tls_reports_csv(api.filter(), PAGE)","api.intake_events_csv(api.filter(), PAGE, ''{stored,quarantined}'')"}'::text[]) call;

-- Ten thousand rows take well under two seconds (and are given five here, for slow machines).
CREATE TEMP TABLE many AS SELECT jsonb_build_object('items', jsonb_agg(i)) AS doc
	FROM (SELECT doc -> 'items' -> 0 AS i FROM lists, generate_series(1, 10000) WHERE name = 'sources') x;
SET statement_timeout = '5s';
SELECT cmp_ok(length(body), '>', 1000000, 'ten thousand rows') FROM many, api.csv('sources', doc);
SELECT * FROM finish();
