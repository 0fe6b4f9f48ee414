-- Sources: how addresses become one, what is known of each group, a source's own lists, and search.
CREATE FUNCTION t.from_domain(n integer) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('header_from', 'f' || n || '.example') $$;
SELECT plan(96);
SELECT is((SELECT string_agg(x, ',') FROM t.take(
	t.mail(t.report('d1.example', 'Google', 'first', t.day(-2), jsonb_build_array(
		t.record('192.0.2.1', 100, 'pass', 'pass',
			'{"header_from": "d1.example", "envelope_from": "b.example", "auth_results": {"dkim": [{"domain": '
				'"d1.example", "selector": "s1", "result": "pass", "human_result": "fine"}]}}'),
		t.record('192.0.2.1', 10, 'pass', 'pass',
			'{"header_from": "d1.example", "envelope_from": "b.example", "auth_results": {"dkim": [{"domain": '
				'"d1.example", "selector": "s1", "result": "pass", "human_result": "good"}]}}'),
		t.record('192.0.2.1', 9, 'fail', 'fail',
			'{"header_from": "d1.example", "reason": [{"type": "forwarded"}, {"type": "forwarded"}, {"type": '
				'"local_policy"}, {"comment": "x"}]}'),
		t.record('192.0.2.2', 50, 'fail', 'pass', '{"header_from": "d1.example"}'),
		t.record('198.51.100.1', 40, 'fail', 'fail'), t.record('198.51.100.3', 30, 'fail', 'fail'),
		t.record('203.0.113.5', 20, 'fail', 'fail'), t.record(NULL, 1, 'fail', 'fail')))),
	t.mail(t.report('d2.example', 'Yahoo', '2', t.day(-3),
		(SELECT jsonb_agg(t.record('203.0.113.' || CASE WHEN n < 6 THEN 7 ELSE 8 END, 5,
			CASE WHEN n % 2 = 0 THEN 'pass' ELSE 'fail' END, 'fail',
			t.from_domain(n % 3) || '{"reason": [{"type": "mailing_list"}]}')) FROM generate_series(0, 7) n)
		|| jsonb_build_array(t.record('203.0.113.7', 14, 'pass', 'pass', '{"header_from": "f9.example"}'),
			t.record('192.0.2.1', 1, 'pass', 'pass', '{"header_from": "d2.example"}')))),
	t.mail(t.report('d1.example', 'Google', 'before', t.day(-40),
		jsonb_build_array(t.record('192.0.2.9', 1, 'pass', 'pass'), t.record('198.51.100.2', 1, 'fail', 'fail')))),
	t.mail(t.report('d3.example', 'Google', 'long ago', t.day(-60),
		jsonb_build_array(t.record('203.0.113.99', 1, 'pass', 'pass'),
			t.record('203.0.113.5', 1, 'pass', 'pass'))))) x),
	'1 0 0 0 f,1 0 0 0 f,1 0 0 0 f,1 0 0 0 f', 'the data is in');
INSERT INTO ruad.service (key, name, type) VALUES ('big', 'Big Mail', 'mailbox');
INSERT INTO ruad.address (source_ip, looked_up_at, rdns, rdns_domain, asn, as_name, country, service, service_basis)
VALUES
	('192.0.2.1', now(), 'a.big.example', 'big.example', 64500, E'Big\u202e Net', 'DE', 'big', 'asn'),
		('192.0.2.2', now(), 'b.other.example', 'other.example', 64500, E'Big\u202e Net', 'DE', 'big', 'asn'),
	('192.0.2.9', now(), NULL, NULL, 64500, 'Old name', 'DE', 'big', 'asn'),
	('198.51.100.1', now(), 'x.old.example', 'old.example', NULL, NULL, NULL, NULL, NULL),
	('198.51.100.2', now(), 'y.old.example', 'old.example', NULL, NULL, NULL, NULL, NULL),
	('198.51.100.3', now(), 'z.new.example', 'new.example', NULL, NULL, 'FR', NULL, NULL),
	('198.51.100.77', now(), 'q.quiet.example', 'quiet.example', 64501, NULL, NULL, NULL, NULL);
CREATE FUNCTION t.sources(f api.filter_set, p_group text) RETURNS TABLE (no bigint, x jsonb) LANGUAGE sql AS $$
	SELECT no, x FROM jsonb_array_elements(api.sources(f, api.page(), p_group) -> 'items') WITH ORDINALITY e(x, no) $$;
CREATE FUNCTION t.facts(f api.filter_set, p_group text, VARIADIC members text[]) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_agg((SELECT jsonb_agg(x -> m ORDER BY o) FROM unnest(members) WITH ORDINALITY u(m, o)) ORDER BY no)
	FROM t.sources(f, p_group) $$;

-- Groups
SELECT is(t.facts(api.filter(), 'source', 'key', 'name', 'type', 'name_basis', 'messages', 'ips_total'),
	'[["service:big", "Big Mail", "mailbox", "asn", 170, 2], ["ip:203.0.113.7", null, null, "ip", 44, 1],
	["domain:old.example", "old.example", null, "rdns", 40, 1], ["domain:new.example", "new.example", null, "rdns", 30,
	1], ["ip:203.0.113.5", null, null, "ip", 20, 1], ["ip:203.0.113.8", null, null, "ip", 10, 1], [null, null, null,
	null, 1, 0]]', 'source: a service, an organisation, or the address alone');
SELECT is(t.facts(api.filter(), 'source', 'key', 'new'),
	'[["service:big", false], ["ip:203.0.113.7", true], ["domain:old.example", false], ["domain:new.example", true], '
		'["ip:203.0.113.5", false], ["ip:203.0.113.8", true], [null, null]]',
			'source: it is new when none of its addresses was there before');
SELECT is(t.facts(api.filter(p_domain => '{d1.example}'), 'source', 'key', 'new'),
	'[["service:big", false], ["domain:old.example", false], ["domain:new.example", true], ["ip:203.0.113.5", true], '
		'[null, null]]', 'source: new to a domain');
SELECT is(api.summary(api.filter()) -> 'sources', '{"total": 7, "new": 3, "failing": 5}',
	'summary: sources, counted the same way');
SELECT is(api.summary(api.filter(p_domain => '{d1.example}')) -> 'sources', '{"total": 5, "new": 2, "failing": 4}',
	'summary: new to a domain');
SELECT is(t.facts(api.filter(), 'source', 'first_seen', 'last_seen') -> 0,
	jsonb_build_array(api.iso(t.day(-40)), api.iso(t.day(-2))), 'source: first and last seen, whichever address');
SELECT is(t.facts(api.filter(), 'source', 'key', 'forwarder'),
	'[["service:big", false], ["ip:203.0.113.7", true], ["domain:old.example", false], ["domain:new.example", false], '
		'["ip:203.0.113.5", false], ["ip:203.0.113.8", false], [null, false]]',
			'source: most passes only by DKIM or was accepted, for three From domains: it looks like a forwarder');
SELECT is(t.facts(api.filter(), 'source', 'domains', 'domains_total') -> 0, '[["d1.example", "d2.example"], 2]',
	'source: its policy domains');
SELECT is(t.facts(api.filter(), 'rdns', 'key', 'name', 'messages', 'new'),
	'[["big.example", null, 120, true], [null, null, 75, null], ["other.example", null, 50, true], ["old.example", '
		'null, 40, false], ["new.example", null, 30, true]]', 'rdns: by organisational domain');
SELECT is(t.facts(api.filter(), 'asn', 'key', 'name', 'messages', 'new'),
	'[["64500", "Big Net", 170, false], [null, null, 145, null]]', 'asn: with its name, as the display may show it');
SELECT is(t.facts(api.filter(), 'country', 'key', 'name', 'messages', 'new'),
	'[["DE", null, 170, null], [null, null, 115, null], ["FR", null, 30, null]]',
	'country: whether it is new is not known');
SELECT is(t.facts(api.filter(p_ip => '192.0.2.0/24'), 'ip', 'key', 'name', 'source', 'name_basis', 'type'),
	'[["192.0.2.1", "a.big.example", "service:big", "rdns", "mailbox"], ["192.0.2.2", "b.other.example", '
		'"service:big", "rdns", "mailbox"]]', 'ip: what it belongs to');
SELECT is(t.facts(api.filter(p_ip => '203.0.113.5'), 'ip', 'key', 'name', 'source', 'name_basis', 'type'),
	'[["203.0.113.5", null, "ip:203.0.113.5", "ip", null]]', 'ip: an address that nothing is known of');
SELECT is((SELECT sum((x ->> 'messages')::int) FROM t.sources(api.filter(), g)), 315::bigint, 'nothing is lost by '
	|| g) FROM unnest(api.source_groups()) g;

-- Labels
SELECT lives_ok($$SELECT ruad.set_label('as:64500', 'mine', 'ours', 'kim', 'cli'),
	ruad.set_label('ip:203.0.113.7', 'forwarder', NULL, 'kim', 'cli'),
	ruad.set_label('domain:never.example', 'not_mine', NULL, 'kim', 'cli')$$, 'labels');
SELECT is(t.facts(api.filter(p_label => '{mine,forwarder}'), 'source', 'key', 'label'),
	'[["service:big", "mine"], ["ip:203.0.113.7", "forwarder"]]', 'label: the one that all its addresses have');
SELECT is(t.facts(api.filter(), 'asn', 'key', 'label') -> 0, '["64500", "mine"]', 'label: of a network');
SELECT lives_ok($$SELECT ruad.set_label('ip:192.0.2.2', 'not_mine', NULL, 'kim', 'cli')$$, 'one address is another''s');
SELECT is(t.facts(api.filter(), 'source', 'key', 'label') -> 0, '["service:big", null]',
	'label: none when its addresses differ');
SELECT is(t.facts(api.filter(p_ip => '192.0.2.0/24'), 'ip', 'key', 'label'),
	'[["192.0.2.1", "mine"], ["192.0.2.2", "not_mine"]]', 'label: of each address');
SELECT lives_ok($$SELECT ruad.set_label('service:big', CASE WHEN n % 2 = 0 THEN 'forwarder' ELSE 'mine' END, 'no. '
	|| n, 'kim', 'cli') FROM generate_series(1, 25) n$$, 'someone is not sure');
SELECT is(t.facts(api.filter(), 'source', 'key', 'label') -> 0, '["service:big", "mine"]',
	'label: its own goes before');

-- One source
SELECT is(jsonb_build_array(j -> 'key', j -> 'name', j -> 'type', j -> 'label', j -> 'note', j -> 'messages',
	j -> 'ips_total', j -> 'address', j -> 'source', j -> 'new'),
	'["service:big", "Big Mail", "mailbox", "mine", "no. 25", 170, 2, null, null, false]',
	'source: what the list says, and the note') FROM api.source('service:big', api.filter()) j;
SELECT is(jsonb_build_array(jsonb_array_length(j -> 'label_log'), j #> '{label_log,0,note}',
	j #> '{label_log,0,set_via}', j #> '{label_log,19,note}'), '[20, "no. 25", "cli", "no. 6"]',
	'source: its last twenty labels') FROM api.source('service:big', api.filter()) j;
SELECT is(j -> 'overrides', '[{"type": "forwarded", "messages": 9}, {"type": "local_policy", "messages": 9}]',
	'source: overrides, each message once') FROM api.source('service:big', api.filter()) j;
SELECT is(jsonb_build_array(j -> 'key', j -> 'name', j -> 'source', j -> 'label', j -> 'messages', j -> 'pass',
	j #> '{by_class,fail_overridden}'), '["ip:192.0.2.1", "a.big.example", "service:big", "mine", 120, 111, 9]',
	'source: an address of a service, alone')
FROM api.source('ip:192.0.2.1', api.filter()) j;
SELECT is((j -> 'address') - 'looked_up_at',
	'{"source_ip": "192.0.2.1", "rdns": "a.big.example", "rdns_domain": "big.example", "asn": 64500, "as_name": "Big '
		'Net", "country": "DE"}', 'source: what is known of the address')
		FROM api.source('ip:192.0.2.1', api.filter()) j;
SELECT is(jsonb_build_array(j -> 'key', j -> 'messages', j -> 'label', j -> 'last_seen', j -> 'spark'),
	jsonb_build_array(k, 0, l, s, to_jsonb(array_fill(0, '{30}'))), format('source: %s has nothing in the window', k))
FROM (VALUES ('ip:203.0.113.99', NULL, api.iso(t.day(-60))), ('domain:quiet.example', NULL, NULL),
	('domain:never.example', 'not_mine', NULL), ('ip:198.51.100.2', NULL, api.iso(t.day(-40)))) v(k, l, s),
	api.source(k, api.filter()) j;
SELECT is((j ->> 'key', j ->> 'messages')::text, '(,1)', 'source: that of records without an address')
FROM api.source('none', api.filter()) j;
SELECT is((api.source(k, api.filter()), api.source_ips(k, api.filter(), api.page()),
	api.source_identifiers(k, api.filter(), api.page()), api.source_reporters(k, api.filter(), api.page()))::text,
	'(,,,)', format('never heard of: %s', left(k, 50)))
FROM (VALUES ('domain:nobody.example'), ('service:nobody'), ('as:1'), ('ip:192.0.2.200'), ('ip:1.2.3'), ('ip:'),
	('big'), (''), ('as:x'), (repeat('x', 10000))) v(k);
SELECT is(api.source('ip:2001:DB8:0::0001', api.filter()), NULL, 'never heard of: an address of the new kind');
SELECT is(api.source('service:big', api.filter(p_domain => '{d2.example}')) -> 'messages', '1',
	'source: under a filter');

-- Its lists
SELECT is((SELECT jsonb_agg(jsonb_build_array(x -> 'source_ip', x -> 'rdns', x -> 'as_name', x -> 'messages',
	x -> 'pass', x -> 'first_seen') ORDER BY no) FROM jsonb_array_elements(api.source_ips('service:big', api.filter(),
	api.page()) -> 'items') WITH ORDINALITY e(x, no)),
	jsonb_build_array(jsonb_build_array('192.0.2.1', 'a.big.example', 'Big Net', 120, 111, api.iso(t.day(-3))),
		jsonb_build_array('192.0.2.2', 'b.other.example', 'Big Net', 50, 50, api.iso(t.day(-2)))), 'addresses');
SELECT is((j -> 'items', j -> 'total', j -> 'next')::text, '([],0,null)', 'addresses: no address is none')
FROM api.source_ips('none', api.filter(), api.page()) j;
SELECT is((SELECT jsonb_agg(x - 'last_seen' ORDER BY no)
	FROM jsonb_array_elements(api.source_identifiers('ip:192.0.2.1', api.filter(p_domain => '{d1.example}'),
		api.page()) -> 'items') WITH ORDINALITY e(x, no)),
	'[{"header_from": "d1.example", "envelope_from": "b.example", "spf": [], "dkim": [{"domain": "d1.example",
	"selector": "s1", "result": "pass"}], "dkim_aligned": true, "spf_aligned": true, "messages": 110, "pass": 110},
	{"header_from": "d1.example", "envelope_from": null, "spf": [], "dkim": [], "dkim_aligned": false, "spf_aligned":
		false, "messages": 9, "pass": 0}]', 'identifiers: each combination once, whatever the receiver''s words');
SELECT is((SELECT jsonb_agg(jsonb_build_array(x -> 'org_name', x -> 'messages', x -> 'pass', x -> 'spf_aligned',
	x #> '{by_disposition,none}') ORDER BY no) FROM jsonb_array_elements(api.source_reporters('service:big',
	api.filter(), api.page()) -> 'items') WITH ORDINALITY e(x, no)),
	'[["Google", 169, 160, 160, 169], ["Yahoo", 1, 1, 1, 1]]', 'reporters');

-- A source with very many addresses, identifiers and reporters, some with names of great length.
SELECT is((SELECT count(*) FROM generate_series(1, 30) n,
	t.take(t.mail(t.report('many.example', CASE WHEN n % 3 = 0 THEN repeat(E'\u0001', n + 2000) ELSE 'Org' || n END,
		n::text, t.day(-1), (SELECT jsonb_agg(
	t.record('10.0.' || n || '.' || k, 1, 'pass', 'pass', jsonb_build_object('header_from', CASE WHEN k < 4 THEN 'many'
		|| (n + k) % 7 || '.example' END))) FROM generate_series(1, 4) k))))), 30::bigint, 'thirty reports');
INSERT INTO ruad.address (source_ip, looked_up_at, asn) SELECT DISTINCT source_ip, now(), 64999 FROM ruad.record
WHERE source_ip <<= '10.0.0.0/8';
SELECT is(t.facts(api.filter(p_domain => '{many.example}'), 'source', 'key', 'ips_total', 'first_seen', 'new'),
	jsonb_build_array(jsonb_build_array('as:64999', 120, api.iso(t.day(-1)), true)),
	'over a hundred addresses: it is known when it was first seen');
CREATE FUNCTION t.pages(list text, size integer) RETURNS SETOF jsonb LANGUAGE plpgsql AS $$
DECLARE
	answer jsonb := '{}';
BEGIN
	LOOP
		EXECUTE format('SELECT api.%I(''as:64999'', api.filter(), api.page($1, $2))', list) INTO answer
			USING size, answer ->> 'next';
		RETURN QUERY SELECT e FROM jsonb_array_elements(answer -> 'items') e;
		EXIT WHEN answer ->> 'next' IS NULL;
		IF length(answer ->> 'next') > 1024 THEN
			RAISE 'a cursor of % characters', length(answer ->> 'next');
		END IF;
	END LOOP;
END $$;
SELECT results_eq(format('SELECT t.pages(%L, 1)', list), format('SELECT t.pages(%L, 500)', list), list
	|| ': page by page') FROM unnest('{source_ips,source_identifiers,source_reporters}'::text[]) list;
SELECT is((SELECT (count(*), count(DISTINCT p), sum((p ->> 'messages')::int)) FROM t.pages(list, 7) p)::text, want, list
	|| ': all, once') FROM (VALUES ('source_ips', '(120,120,120)'), ('source_identifiers', '(8,8,120)')) v(list, want);
SELECT is((SELECT (count(*), sum((p ->> 'messages')::int)) FROM t.pages('source_reporters', 7) p)::text, '(30,120)',
	'source_reporters: all, once');

-- Records say whose they are
SELECT is((SELECT jsonb_agg(DISTINCT jsonb_build_array(x -> 'source_ip', x -> 'source', x -> 'source_name',
	x -> 'label', x -> 'rdns')) FROM jsonb_array_elements(api.records(api.filter(p_ip => '192.0.2.0/24'),
	api.page()) -> 'items') x),
	'[["192.0.2.1", "service:big", "Big Mail", "mine", "a.big.example"], ["192.0.2.2", "service:big", "Big Mail", '
		'"not_mine", "b.other.example"]]', 'records: source');
SELECT is((SELECT jsonb_agg(x -> 'record_no' ORDER BY no)
	FROM jsonb_array_elements(api.report_records((SELECT id FROM dmarc.reports WHERE report_id = 'first'),
		api.filter(p_result => 'fail'), api.page()) -> 'items') WITH ORDINALITY e(x, no)),
	'[3, 5, 6, 7, 8]', 'report_records: in its order, under a filter');
SELECT is(api.report_records(987654321, api.filter(), api.page()), NULL, 'report_records: no such report');

-- Search
CREATE FUNCTION t.found(q text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_agg(jsonb_build_array(x -> 'type', x -> 'key', x -> 'text') ORDER BY no)
	FROM jsonb_array_elements(api.search(q) -> 'items') WITH ORDINALITY e(x, no) $$;
SELECT is(t.found('D1.EX'), '[["domain", "d1.example", "d1.example"]]', 'search: part of a domain, in any case');
SELECT is(t.found('192.0.2.1'), '[["ip", "192.0.2.1", "192.0.2.1"], ["source", "service:big", "Big Mail"]]',
	'search: an address, and what it belongs to');
SELECT is((SELECT jsonb_agg(x -> 'hint' ORDER BY no)
	FROM jsonb_array_elements(api.search('192.0.2.1') -> 'items') WITH ORDINALITY e(x, no)),
	'["a.big.example", "mailbox"]', 'search: with the name of the one, and the type of the other');
SELECT is(api.search('long ago') #>> '{items,0,hint}', 'Google, d3.example, ' || (t.day(-60) AT TIME ZONE 'UTC')::date,
	'search: a report with its reporter, domain and day');
SELECT is(t.found('203.0.113.99'), '[["ip", "203.0.113.99", "203.0.113.99"]]',
	'search: an address that is only in reports');
SELECT is(t.found('192.0.2.200'), NULL, 'search: an address that was never seen');
SELECT is(t.found('192.0.2.'), NULL, 'search: half an address');
SELECT is(t.found('big'), '[["source", "service:big", "Big Mail"]]',
	'search: a source by its name or those of its addresses');
SELECT is(t.found('yaho'), '[["reporter", "Yahoo", "Yahoo"]]', 'search: a reporter');
SELECT is(t.found('long ago'),
	jsonb_build_array(jsonb_build_array('report', (SELECT id::text FROM dmarc.reports WHERE report_id = 'long ago'),
		'long ago')), 'search: a report by its report_id');
SELECT is(t.found('%%'), NULL, 'search: no wildcards');
SELECT is(jsonb_array_length(t.found('org')), 8, 'search: eight of a type');
SELECT is(t.found('org1') -> 0, '["reporter", "Org1", "Org1"]', 'search: what is the text comes first');
SELECT matches(t.words('SELECT api.search(''x'')'), '^22023 .* / q$', 'search: two characters at least');
SELECT is((api.search(repeat(E'\\', 255)) -> 'items')::text, '[]', 'search: a text of nothing but backslashes');

-- Meta and metrics
SELECT is(api.meta() -> 'features', '{"tls": false, "enrich": true, "labels": true, "failures": false}',
	'meta: what there is');
SELECT is(api.metrics(),
	jsonb_build_object('mails', 34, 'items', '[{"kind": "aggregate", "status": "stored", "n": 34}]'::jsonb,
		'last_reports', jsonb_build_array(jsonb_build_object('kind', 'aggregate', 'at',
			(SELECT floor(extract(epoch FROM max(received_at))) FROM dmarc.reports))), 'last_prune_at', NULL,
		'last_dump_at', NULL,
		'addresses', (SELECT count(*) FROM ruad.address),
		'addresses_waiting', (SELECT count(*) FROM ruad.address WHERE looked_up_at IS NULL),
		'domains_checked', 0, 'domains_failing', 0, 'oldest_check_at', NULL, 'messages_waiting', 0,
		'oldest_message_at', NULL, 'notices', '[{"severity": "error", "n": 0}, {"severity": "warning", "n": 0},
			{"severity": "info", "n": 0}]'::jsonb),
		'metrics: counters');
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.mail(t.unreadable('xml', 'r'), t.tls(t.tls_content()))) x),
	'1 0 0 1 t', 'a mail with two things');
SELECT is((SELECT jsonb_build_object('mails', m -> 'mails', 'items', m -> 'items', 'kinds',
	jsonb_path_query_array(m, '$.last_reports[*].kind')) FROM api.metrics() m),
	'{"kinds": ["aggregate", "tls"], "mails": 35, "items": [{"kind": "aggregate", "status": "stored", "n": 34}, {"kind": "tls", "status": "stored", '
		'"n": 1}, {"kind": "unreadable", "status": "quarantined", "n": 1}]}', 'metrics: by kind and status');

SELECT is((SELECT string_agg(x, ',') FROM t.take(t.mail(t.unreadable('unrelated', 'spam'))) x), '0 0 0 1 t', 'spam');
SELECT is((SELECT jsonb_agg(i) FROM jsonb_array_elements(api.metrics() -> 'items') i WHERE i ->> 'kind' = 'unreadable'),
	'[{"kind": "unreadable", "status": "quarantined", "n": 1}, {"kind": "unreadable", "status": "unrelated", "n": 1}]',
	'metrics: mail that was not meant to bring a report is apart');

-- A forwarder at its bounds: more than half, from three From domains at least that have messages.
SELECT is((SELECT string_agg(x, ',')
	FROM t.take(t.mail(t.report('fw.example', 'Google', 'fw', t.day(-1),
		(SELECT jsonb_agg(t.record('203.0.113.' || ip, count, dkim, spf, t.from_domain(n))) FROM (VALUES
	(101, 4, 'pass', 'fail', 1), (101, 4, 'pass', 'fail', 2), (101, 4, 'pass', 'fail', 3), (101, 12, 'pass', 'pass', 3),
		(102, 4, 'pass', 'fail', 1), (102, 4, 'pass', 'fail', 2), (102, 5, 'pass', 'fail', 3),
		(102, 12, 'pass', 'pass', 3),
	(103, 4, 'pass', 'fail', 1), (103, 4, 'pass', 'fail', 2), (103, 4, 'pass', 'fail', 2), (104, 4, 'pass', 'fail', 1),
	(104, 4, 'pass', 'fail', 2), (104, 0, 'pass', 'fail', 3), (105, 1, 'pass', 'fail', 1), (105, 1, 'pass', 'fail', 2),
	(105, 1, 'pass', 'fail', 3), (106, 4, 'fail', 'pass', 1), (106, 4, 'fail', 'pass', 2),
	(106, 4, 'fail', 'pass', 3)) v(ip, count, dkim, spf, n))))) x), '1 0 0 0 f', 'forwarders and others');
SELECT is((SELECT jsonb_object_agg(x ->> 'key', x -> 'forwarder')
	FROM t.sources(api.filter(p_domain => '{fw.example}'), 'source')),
	'{"ip:203.0.113.101": false, "ip:203.0.113.102": true, "ip:203.0.113.103": false, "ip:203.0.113.104": false, '
		'"ip:203.0.113.105": true, "ip:203.0.113.106": false}', 'source: half is not enough, nor are two From domains');
SELECT is(t.has_next(c), 'true false false', 'next: ' || c)
FROM unnest(ARRAY['sources(api.filter(), %s)', 'source_ips(''service:big'', api.filter(), %s)',
	'source_identifiers(''service:big'', api.filter(), %s)', 'source_reporters(''service:big'', api.filter(), %s)',
	'domains(api.filter(), %s)', 'reporters(api.filter(), %s)', 'records(api.filter(), %s)',
	'reports(api.filter(), %s)']) c;
SELECT * FROM finish();
