-- The numbers of the API, against what was added up by hand from these four reports.
SELECT plan(124);
SELECT is((SELECT string_agg(x, ',') FROM t.take(
	t.mail(t.report('corp.example', 'Google', 'g1', t.day(-2), jsonb_build_array(
		t.record('192.0.2.1', 10, 'pass', 'pass',
			'{"header_from": "corp.example", "auth_results": {"dkim": [{"domain": "corp.example", "result": '
				'"pass"}]}}'),
		t.record('192.0.2.2', 5, 'fail', 'fail',
			'{"header_from": "corp.example", "disposition": "reject", "auth_results": {"spf": [{"domain": '
				'"esp.example", "result": "pass"}]}}'),
		t.record(NULL, 1, 'fail', 'fail', '{"header_from": "corp.example", "disposition": "quarantine"}')),
		'{"adkim": "s", "sp": "none", "pct": 100}')),
	t.mail(t.report('corp.example', 'Yahoo', 'y1', t.day(-5), jsonb_build_array(
		t.record('192.0.2.1', 20, 'pass', 'fail',
			'{"header_from": "corp.example", "auth_results": {"dkim": [{"domain": "esp.example", "result": "pass"}, '
				'{"domain": "corp.example", "result": "pass"}]}}'),
		t.record('198.51.100.7', 7, 'fail', 'fail',
			'{"header_from": "corp.example", "reason": [{"type": "forwarded"}]}')), '{"p": "none"}')),
	t.mail(t.report('shop.corp.example', 'Google', 'g2', t.day(-5), jsonb_build_array(
		t.record('192.0.2.1', 3, 'fail', 'pass',
			'{"header_from": "shop.corp.example", "auth_results": {"spf": [{"domain": "shop.corp.example", "result": '
				'"pass"}]}}'),
		t.record('192.0.2.2', 2, 'fail', 'fail',
			'{"header_from": "shop.corp.example", "disposition": null, "auth_results": {"dkim": [{"domain": '
				'"shop.corp.example", "result": "fail"}]}}')), '{"testing": "y"}')),
	t.mail(t.report('corp.example', 'Google', 'g0', t.day(-40),
		jsonb_build_array(t.record('192.0.2.1', 100, 'pass', 'pass')))),
	t.mail(t.unreadable('xml', E'line 1: \u202eevil\u0007'))) x), '1 0 0 0 f,1 0 0 0 f,1 0 0 0 f,1 0 0 0 f,0 0 0 1 t',
	'the data is in');
CREATE FUNCTION t.date(n integer) RETURNS text LANGUAGE sql AS $$
	SELECT to_char(t.day(n) AT TIME ZONE 'UTC', 'YYYY-MM-DD') $$;

-- summary
CREATE TEMP TABLE s AS SELECT api.summary(api.filter()) AS j;
SELECT is(j -> 'totals', '{"messages": 48, "pass": 33, "dkim_aligned": 30, "spf_aligned": 13, "dkim_only": 20,
	"spf_only": 3, "by_class": {"pass": 33, "fail_overridden": 7, "fail_altered": 2, "fail_unaligned": 5,
	"fail_unauthenticated": 1, "unknown": 0}, "by_disposition": {"none": 40, "quarantine": 1, "reject": 5, "pass": 0,
	"unknown": 2}}', 'summary: totals') FROM s;
SELECT is(j -> 'previous' -> 'messages', '100', 'summary: the window before') FROM s;
SELECT is(j -> 'previous' -> 'by_class' -> 'pass', '100', 'summary: the window before, by class') FROM s;
SELECT is(j -> 'sources', '{"total": 4, "new": 2, "failing": 3}', 'summary: sources') FROM s;
SELECT is(j -> 'window', jsonb_build_object('from', t.date(-29), 'to', t.date(1)), 'summary: 30 days ending tomorrow')
FROM s;
SELECT is(j ->> 'complete_until', t.date(-1), 'summary: complete until yesterday') FROM s;
SELECT is(j - '{totals,previous,sources,window,complete_until,last_report_at}'::text[],
	'{"reports": 3, "reporters": 2}', 'summary: reports and reporters') FROM s;
SELECT matches(j ->> 'last_report_at', '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$', 'summary: times are ISO 8601 in UTC')
FROM s;
SELECT is(api.summary(api.filter(p_domain => '{CORP.example.}')) -> 'totals' -> 'messages', '43',
	'filter: domain, in any case, with a final dot');
SELECT is(api.summary(api.filter(p_domain => '{corp.example,shop.corp.example}')) -> 'totals' -> 'messages',
	'48', 'filter: two domains');
SELECT is(api.summary(api.filter(p_result => 'fail')) -> 'totals' -> 'messages', '15', 'filter: result=fail');
SELECT is(api.summary(api.filter(p_result => 'pass')) -> 'totals' -> 'messages', '33', 'filter: result=pass');
SELECT is(api.summary(api.filter(p_ip => '192.0.2.0/24')) -> 'totals' -> 'messages', '40', 'filter: a network');
SELECT is(api.summary(api.filter(p_ip => '192.0.2.2')) -> 'totals' -> 'messages', '7', 'filter: an address');
SELECT is(api.summary(api.filter(p_ip => '192.0.2.2')) -> 'reports', '2', 'filter: reports with such a record');
SELECT is(api.summary(api.filter(p_reporter => '{Yahoo}')) -> 'totals' -> 'messages', '27', 'filter: reporter');
SELECT is(api.summary(api.filter(p_from => t.date(-5)::date, p_to => t.date(-2)::date)) -> 'totals' -> 'messages', '32',
	'filter: the window is half-open');
SELECT is(api.summary(api.filter(p_from => t.date(-2)::date, p_to => t.date(-2)::date)) -> 'totals' -> 'messages', '0',
	'an empty window is empty');
SELECT is(api.summary(api.filter(p_domain => '{nobody.example}')) -> 'totals' -> 'by_class' -> 'pass', '0',
	'an unknown domain has zeros');
SELECT is(api.summary(api.filter(p_domain => '{nobody.example}')) -> 'last_report_at', 'null', 'and no report');

-- Each filter alone: how many of the 48 messages it leaves. 192.0.2.1 is a service's and labelled, 192.0.2.2 has a
-- name, 198.51.100.7 nothing but a network.
INSERT INTO ruad.service (key, name, type) VALUES ('big', 'Big Mail', 'mailbox');
INSERT INTO ruad.address (source_ip, looked_up_at, rdns, rdns_domain, asn, as_name, country, service, service_basis)
VALUES
	('192.0.2.1', now(), 'mx1.out.big.example', 'big.example', 64500, 'BIG', 'DE', 'big', 'rdns'),
		('192.0.2.2', now(), 'host.notbig.example', 'notbig.example', NULL, NULL, NULL, NULL, NULL),
	('198.51.100.7', now(), NULL, NULL, 64501, 'NET-SEVEN', 'FR', NULL, NULL);
SELECT lives_ok($$SELECT ruad.set_label('service:big', 'mine', NULL, 'kim', 'cli')$$, 'a label');
CREATE TABLE t.filtered (filter text, messages numeric);
INSERT INTO t.filtered VALUES
	('p_domain => ''{corp.example}'', p_subdomains => true', 48),
		('p_domain => ''{corp.example}'', p_subdomains => false', 43),
		('p_domain => ''{orp.example}'', p_subdomains => true', 0),
	('p_class => ''{fail_altered}''', 2), ('p_class => ''{fail_altered,fail_overridden}''', 9),
	('p_dkim => ''pass''', 30), ('p_dkim => ''fail''', 18), ('p_spf => ''pass''', 13), ('p_spf => ''fail''', 35),
	('p_disposition => ''{reject}''', 5), ('p_disposition => ''{reject,quarantine}''', 6),
	('p_disposition => ''{unknown}''', 2), ('p_override => ''{forwarded}''', 7),
	('p_override => ''{mailing_list}''', 0),
	('p_override => ''{any}''', 7), ('p_override => ''{none}''', 41), ('p_source => ''{service:big}''', 33),
	('p_source => ''{domain:notbig.example}''', 7), ('p_source => ''{as:64501}''', 7), ('p_source => ''{none}''', 1),
	('p_source => ''{ip:192.0.2.1}''', 33), ('p_source => ''{ip:192.0.2.2,as:64501}''', 14),
	('p_asn => ''{64500}''', 33), ('p_asn => ''{none}''', 8), ('p_asn => ''{none,64501}''', 15),
	('p_country => ''{FR}''', 7), ('p_country => ''{none}''', 8),
	('p_rdns => ''{big.example}''', 33), ('p_rdns => ''{out.big.example}''', 33),
	('p_rdns => ''{mx1.out.big.example}''', 33), ('p_rdns => ''{ig.example}''', 0), ('p_rdns => ''{%}''', 0),
	('p_rdns => ''{none}''', 8),
	('p_auth_domain => ''{esp.example}''', 5), ('p_auth_domain => ''{none}''', 10),
	('p_header_from => ''{shop.corp.example}''', 5), ('p_label => ''{mine}''', 33), ('p_label => ''{none}''', 15),
	('p_label => ''{not_mine}''', 0),
	('p_q => ''SHOP''', 5), ('p_q => ''esp.ex''', 25), ('p_q => ''big mail''', 33), ('p_q => ''yaho''', 27),
	('p_q => ''host.not''', 7), ('p_q => ''%''', NULL), ('p_q => ''s_op''', 0), ('p_q => ''s.op''', 0),
	('p_q => ''" || @''', 0), ('p_q => ''\\"''', 0), ('p_q => ''(*''', 0), ('p_q => ''esp.EX''', 25),
	('p_dkim => ''pass'', p_spf => ''fail'', p_reporter => ''{Yahoo}''', 20);
SELECT is((xpath('//m/text()', query_to_xml(format('SELECT api.summary(api.filter(%s)) #>> ''{totals,messages}'' AS m',
	filter), true, true, '')))[1]::text, messages::text, 'filter: ' || filter)
FROM t.filtered WHERE messages IS NOT NULL;
SELECT matches(t.words('SELECT api.filter(' || filter || ')'), '^22023 .* / q$', 'filter: ' || filter) FROM t.filtered
WHERE messages IS NULL;
SELECT is((SELECT jsonb_agg(x -> 'key' ORDER BY no)
	FROM jsonb_array_elements(api.sources(api.filter(), api.page()) -> 'items') WITH ORDINALITY e(x, no)),
	'["service:big", "as:64501", "domain:notbig.example", null]', 'sources: by what is known of them');
DELETE FROM ruad.address; DELETE FROM ruad.label; DELETE FROM ruad.service;

-- timeseries
CREATE TEMP TABLE ts AS SELECT api.timeseries(api.filter()) AS j;
SELECT is(jsonb_array_length(j -> 'points'), 30, 'timeseries: a point for each day') FROM ts;
SELECT is(j -> 'keys',
	'["pass", "fail_overridden", "fail_altered", "fail_unaligned", "fail_unauthenticated", "unknown"]',
	'timeseries: by class unless asked') FROM ts;
SELECT is(p, jsonb_build_object('t', t.date(-5), 'complete', true, 'v',
	'{"pass": 23, "fail_overridden": 7, "fail_altered": 2, "fail_unaligned": 0, "fail_unauthenticated": '
		'0, "unknown": 0}'::jsonb),
	'timeseries: a day') FROM ts, jsonb_array_elements(j -> 'points') p WHERE p ->> 't' = t.date(-5);
SELECT is((SELECT jsonb_agg(p -> 't') FROM ts, jsonb_array_elements(j -> 'points') p
	WHERE NOT (p -> 'complete')::boolean), jsonb_build_array(t.date(-1), t.date(0)),
	'timeseries: yesterday and today are incomplete');
SELECT is((SELECT sum(v::numeric) FROM ts, jsonb_array_elements(j -> 'points') p, jsonb_each_text(p -> 'v') e(k, v)),
	48::numeric, 'timeseries: nothing is lost');
SELECT is((SELECT sum(v::numeric)
	FROM jsonb_array_elements(api.timeseries(api.filter(), p_bucket => b, p_by => y) -> 'points') p,
		jsonb_each_text(p -> 'v') e(k, v)), 48::numeric,
	format('timeseries: nor by %s and %s', b, y)) FROM (VALUES ('week', 'disposition'), ('month', 'alignment'),
	('day', 'domain'), ('week', 'reporter')) x(b, y);
SELECT is(api.timeseries(api.filter(), p_by => 'domain') -> 'keys', '["corp.example", "shop.corp.example"]',
	'timeseries: the largest key comes first');
SELECT is((SELECT jsonb_object_agg(k, n)
	FROM (SELECT k, sum(v::numeric) n
		FROM jsonb_array_elements(api.timeseries(api.filter(), p_by => 'alignment') -> 'points') p,
			jsonb_each_text(p -> 'v') e(k, v) GROUP BY 1) x),
	'{"both": 10, "dkim_only": 20, "spf_only": 3, "none": 15}', 'timeseries: alignment');
SELECT is(api.timeseries(api.filter(p_from => '2026-01-01', p_to => '2026-03-01'),
	p_bucket => 'week') #>> '{points,0,t}', '2025-12-29', 'timeseries: weeks begin on Monday');
SELECT is((SELECT jsonb_agg(p -> 't')
	FROM jsonb_array_elements(api.timeseries(api.filter(p_from => '2026-01-15', p_to => '2026-03-01'),
		p_bucket => 'month') -> 'points') p),
	'["2026-01-01", "2026-02-01"]', 'timeseries: months');
SELECT is(api.timeseries(api.filter(p_from => '2026-01-15', p_to => '2026-01-15')) -> 'points', '[]',
	'timeseries: an empty window has no points');

-- domains
CREATE TEMP TABLE d AS SELECT no, x
	FROM jsonb_array_elements(api.domains(api.filter(), api.page()) -> 'items') WITH ORDINALITY e(x, no);
SELECT is((SELECT jsonb_agg(jsonb_build_array(x -> 'name', x -> 'parent', x -> 'messages', x -> 'pass',
	x -> 'dkim_aligned', x -> 'spf_aligned', x -> 'sources') ORDER BY no) FROM d),
	'[["corp.example", null, 43, 30, 30, 10, 4], ["shop.corp.example", "corp.example", 5, 3, 0, 3, 2]]',
	'domains: numbers');
SELECT is(x -> 'policy', jsonb_build_object('p', 'reject', 'sp', 'none', 'np', NULL, 'testing', NULL, 'adkim', 's',
	'aspf', NULL, 'pct', 100, 'fo', NULL, 'effective', 'reject', 'as_of', t.date(-2) || 'T00:00:00Z'),
	'domains: the newest policy') FROM d WHERE no = 1;
SELECT is(x #>> '{policy,effective}', 'quarantine', 'domains: testing lowers the policy by a step') FROM d WHERE no = 2;
SELECT is((SELECT array_agg(v::int) FROM d, jsonb_array_elements_text(x -> 'spark') v WHERE no = 1),
	array_fill(0, '{24}') || '{27,0,0,16,0,0}', 'domains: the spark line');

-- sources
CREATE TEMP TABLE src AS SELECT no, x
	FROM jsonb_array_elements(api.sources(api.filter(), api.page(), p_group => 'ip') -> 'items') WITH ORDINALITY e(x,
		no);
SELECT is((SELECT jsonb_agg(jsonb_build_array(x -> 'key', x -> 'messages', x -> 'pass', x -> 'dkim_aligned',
	x -> 'spf_aligned', x -> 'domains', x -> 'domains_total', x -> 'new') ORDER BY no) FROM src),
	'[["192.0.2.1", 33, 33, 30, 13, ["corp.example", "shop.corp.example"], 2, false], ["192.0.2.2", 7, 0, 0, 0,
	["corp.example", "shop.corp.example"], 2, true], ["198.51.100.7", 7, 0, 0, 0, ["corp.example"], 1, true], [null, 1,
	0, 0, 0, ["corp.example"], 1, null]]', 'sources: numbers');
SELECT is((SELECT jsonb_build_array(x -> 'first_seen', x -> 'last_seen') FROM src WHERE no = 1),
	jsonb_build_array(t.date(-40) || 'T00:00:00Z', t.date(-2) || 'T00:00:00Z'),
	'sources: first seen before the window');
SELECT is(x -> 'by_class',
	'{"pass": 0, "fail_overridden": 0, "fail_altered": 2, "fail_unaligned": 5, "fail_unauthenticated": 0, "unknown": '
		'0}', 'sources: by class') FROM src WHERE no = 2;
SELECT is(x -> 'by_disposition', '{"none": 0, "quarantine": 0, "reject": 5, "pass": 0, "unknown": 2}',
	'sources: by disposition') FROM src WHERE no = 2;
SELECT is(api.sources(api.filter(), api.page()) -> 'total', '4', 'sources: total');
SELECT is((SELECT jsonb_agg(x -> 'key' ORDER BY no)
	FROM jsonb_array_elements(api.sources(api.filter(), api.page(),
		p_group => 'ip', p_sort => '-fail') -> 'items') WITH ORDINALITY e(x, no)),
	'["192.0.2.2", "198.51.100.7", null, "192.0.2.1"]', 'sources: by failures');
SELECT is((SELECT jsonb_agg(jsonb_build_array(x -> 'key', x -> 'messages', x -> 'pass', x -> 'ips_total') ORDER BY no)
	FROM jsonb_array_elements(api.sources(api.filter(), api.page(),
		p_group => 'auth_domain') -> 'items') WITH ORDINALITY e(x, no)),
	'[["corp.example", 30, 30, 1], [null, 10, 0, 2], ["esp.example", 5, 0, 1], ["shop.corp.example", 3, 3, 1]]',
	'sources: by authenticated domain, each message once');

-- lists
SELECT is((SELECT jsonb_agg(jsonb_build_array(x -> 'source_ip', x -> 'count', x -> 'class') ORDER BY no)
	FROM jsonb_array_elements(api.records(api.filter(p_result => 'fail'), api.page()) -> 'items') WITH ORDINALITY e(x,
		no)),
	'[["192.0.2.2", 5, "fail_unaligned"], [null, 1, "fail_unauthenticated"], ["192.0.2.2", 2, "fail_altered"], '
		'["198.51.100.7", 7, "fail_overridden"]]', 'records: failing ones, newest first');
SELECT is((SELECT jsonb_agg(jsonb_build_array(x -> 'report_id', x -> 'org_name', x -> 'messages', x -> 'pass',
	x -> 'fail', x -> 'records') ORDER BY no)
	FROM jsonb_array_elements(api.reports(api.filter(), api.page()) -> 'items') WITH ORDINALITY e(x, no)),
	'[["g1", "Google", 16, 10, 6, 3], ["g2", "Google", 5, 3, 2, 2], ["y1", "Yahoo", 27, 20, 7, 2]]',
	'reports: newest first');
SELECT is(jsonb_array_length(api.reports(api.filter(), api.page(), p_report_id => 'g0') -> 'items'), 1,
	'reports: an id is looked for at all dates');
SELECT is(jsonb_array_length(api.reports(api.filter(), api.page(), p_received_from => t.date(0)::date) -> 'items'), 4,
	'reports: so is a time of receipt');
SELECT is(jsonb_array_length(api.reports(api.filter(), api.page(), p_received_to => t.date(0)::date) -> 'items'),
	0, 'reports: half-open');

-- a report
SELECT is(t.take(t.mail(t.report('corp.example', 'Google', 'g1', t.day(-2), '[]', '{"bytes": "x"}'))), '0 0 1 0 t',
	'a conflict with the first report');
CREATE TEMP TABLE r
	AS SELECT api.report((api.reports(api.filter(), api.page(), p_report_id => 'g1') #>> '{items,0,id}')::bigint) AS j;
SELECT is(j #> '{record,1}', '{"record_no": 2, "class": "fail_unaligned", "dmarc_pass": false,
	"row": {"source_ip": "192.0.2.2", "count": 5, "policy_evaluated":
	{"disposition": "reject", "dkim": "fail", "spf": "fail", "reason": []}}, "identifiers": {"header_from":
	"corp.example", "envelope_from": null, "envelope_to": null}, "auth_results": {"dkim": [], "spf": [{"domain":
		"esp.example", "result": "pass"}]}, "notes": []}', 'report: a record in its canonical shape') FROM r;
SELECT is(j -> 'report_metadata', jsonb_build_object('org_name', 'Google', 'email', 'dmarc@Google',
	'extra_contact_info', NULL, 'report_id', 'g1', 'error', '[]'::jsonb, 'generator', NULL,
	'date_range', jsonb_build_object('begin', t.date(-2) || 'T00:00:00Z', 'end', t.date(-2) || 'T23:59:59Z')),
	'report: metadata') FROM r;
SELECT is(jsonb_build_array(j -> 'status', j -> 'duplicates', j -> 'conflicts', j -> 'records_total', j -> 'messages',
	j #> '{mail,recipients}', j -> 'next'),
	'["conflict", 0, 1, 3, 16, ["dmarc-sum@here.example"], null]', 'report: its fate') FROM r;
SELECT is(api.report(987654321), NULL, 'report: none with that id');

-- intake, meta, ready
SELECT is(jsonb_build_array(j -> 'counts', j -> 'by_code', j -> 'mails'),
	'[{"stored": 4, "duplicate": 0, "conflict": 1, "quarantined": 1}, {"xml": 1, "conflict": 1}, 6]',
	'intake: counters')
	FROM api.intake(api.filter()) j;
SELECT is((SELECT jsonb_agg(jsonb_build_array(x -> 'status', x -> 'code', x -> 'reason', x -> 'raw')
	ORDER BY x ->> 'status') FROM jsonb_array_elements(api.intake(api.filter()) -> 'items') x),
	'[["conflict", "conflict", "a different report with the same key is already stored", true], ["quarantined", "xml", '
		'"line 1: evil", true]]', 'intake: problems, without control characters');
SELECT is(jsonb_array_length(api.intake_events(api.filter(), api.page(), p_status => ARRAY['stored']) -> 'items'),
	4, 'intake: by status');

-- kinds, what is truncated, and what the MTA said
SELECT is((SELECT string_agg(x, ',')
	FROM t.take(t.mail(t.report('part.example', 'Org', 'part', t.day(-3), '[]', '{"partial": true}'), t.failure('{}'),
		t.failure('{}', '{"kind": "feedback"}'), t.tls(t.tls_content())) || '{"authentic": "fail"}') x),
	'4 0 0 0 t', 'a mail of all kinds');
SELECT is(jsonb_build_array(j -> 'by_kind', j -> 'by_code', j #> '{counts,stored}'),
	'[{"aggregate": 6, "failure": 1, "feedback": 1, "tls": 1, "unreadable": 1}, {"xml": 1, "conflict": 1}, 8]',
	'intake: by kind') FROM api.intake(api.filter()) j;
SELECT is((SELECT jsonb_agg(jsonb_build_array(x -> 'kind', x -> 'code', x -> 'partial', x -> 'authentic', x -> 'raw')
	ORDER BY no) FROM jsonb_array_elements(api.intake_events(api.filter(), api.page(p_limit => 4),
		p_status => ARRAY['stored']) -> 'items') WITH ORDINALITY e(x, no)),
	'[["aggregate", "partial", true, "fail", true], ["failure", null, false, "fail", true], ["feedback", null, false, '
		'"fail", true], ["tls", null, false, "fail", true]]', 'intake: items');
SELECT is((SELECT jsonb_agg(jsonb_build_array(x -> 'kind', x -> 'partial', x -> 'authentic'))
	FROM jsonb_array_elements(api.reports(api.filter(), api.page(), p_report_id => 'part') -> 'items') x),
	'[["aggregate", true, "fail"]]', 'reports: both members');
SELECT is((SELECT jsonb_build_array(j -> 'partial', j -> 'authentic', j #> '{mail,authentic}')
	FROM (SELECT api.report(id) AS j FROM dmarc.reports WHERE report_id = 'part') x), '[true, "fail", "fail"]',
	'report: both members');
SELECT is((SELECT array_agg(api.report(id)) FROM (SELECT id FROM dmarc.failure_reports UNION SELECT id
	FROM dmarc.tls_reports) x), '{NULL,NULL,NULL}', 'report: a number of another kind is none');
SELECT is((api.ready() -> 'ready', api.ready(v) -> 'ready', api.ready(v + 1) -> 'ready',
	api.ready(v - 1) -> 'ready')::text, '(true,true,false,false)', 'ready: for the program''s schema')
FROM (SELECT count(*)::integer AS v FROM ruad.schema_version) s;
SELECT is(api.meta() -> 'schema_version', (SELECT to_jsonb(count(*)) FROM ruad.schema_version),
	'meta: the schema''s version');

-- Reports of one domain and day: each has its own records, 500 of them at first.
SELECT is((SELECT string_agg(x, ',') FROM (VALUES (2), (500), (501)) v(n),
	LATERAL (SELECT jsonb_agg(t.record('192.0.2.1', n * 1000 + k, 'pass', 'pass')) AS records
		FROM generate_series(1, n) k) r,
		t.take(t.mail(t.report('side.example', 'Org' || n, 'r', t.day(-4), records))) x),
		'1 0 0 0 f,1 0 0 0 f,1 0 0 0 f', 'reports side by side');
SELECT is((SELECT jsonb_agg(jsonb_build_array(jsonb_array_length(j -> 'record'), j #> '{record,0,row,count}',
	j #> '{record,-1,row,count}', j -> 'next' <> 'null') ORDER BY r.records)
	FROM dmarc.reports r, api.report(r.id) j
	WHERE r.domain = 'side.example'),
	'[[2, 2001, 2002, false], [500, 500001, 500500, false], [500, 501001, 501500, true]]',
	'report: its own records, and a next page at 501');
SELECT is((SELECT jsonb_agg(jsonb_array_length(j -> 'items') ORDER BY r.records) FROM dmarc.reports r,
	api.report(r.id) a, api.report_records(r.id, api.filter(), api.page(500, a ->> 'next')) j
		WHERE r.domain = 'side.example'), '[2, 500, 1]', 'report: the others are on the next page');
SELECT * FROM finish();
