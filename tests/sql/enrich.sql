-- What ruad-enrich writes, and what becomes of it: addresses, services by rule, labels, DNS checks.
SELECT plan(67);
SELECT is((SELECT string_agg(x, ',') FROM t.take(
	t.mail(t.report('corp.example', 'Google', 'g1', t.day(-2), jsonb_build_array(
		t.record('192.0.2.1', 10, 'pass', 'pass',
			'{"header_from": "corp.example", "auth_results": {"dkim": [{"domain": "corp.example", "selector": "S1", '
				'"result": "pass"}, {"domain": "other.example", "selector": "x", "result": "pass"}], "spf": '
					'[{"domain": "bounce.bulk.example", "result": "pass"}]}}'),
		t.record('192.0.2.2', 5, 'fail', 'fail',
			'{"header_from": "corp.example", "auth_results": {"dkim": [{"domain": "signed.bulk.example", "result": '
				'"pass"}]}}'),
		t.record(NULL, 1, 'fail', 'fail', '{"header_from": "corp.example"}'),
		t.record('2001:db8::1', 1, 'fail', 'fail', '{"header_from": "corp.example"}'))))) x),
		'1 0 0 0 f', 'the data is in');

SELECT is(ruad.enrich_collect(), 3::bigint, 'three addresses are new');
SELECT is(ruad.enrich_collect(), 0::bigint, 'and none the next time');
SELECT results_eq('SELECT host(source_ip) FROM ruad.enrich_wanted(10)', ARRAY['192.0.2.1', '192.0.2.2', '2001:db8::1'],
	'all want to be looked up');
SELECT is((SELECT count(*) FROM ruad.enrich_wanted(2)), 2::bigint, 'no more than asked for');
SELECT is(t.as_role('ruad_enrich', 'SELECT * FROM ruad.address'), '42501', 'the table itself is not for ruad_enrich');
SELECT is(t.as_role('ruad_enrich', 'SELECT * FROM dmarc.records'), '42501', 'nor are reports');

SELECT is(ruad.enrich_services('ruad', '[{"key": "bulk", "name": "Bulk Mail", "type": "marketing",
	"rdns": ["bulk.example"], "spf": ["bulk.example"], "dkim": ["bulk.example"]}, {"key": "net", "name": "Net",
	"type": "mailbox", "asn": ["64500"]}]'), 0::bigint, 'services are there before any address is known');
SELECT lives_ok($$SELECT ruad.enrich_store('[{"source_ip": "192.0.2.1", "rdns": "mx.corp.example",
	"rdns_domain": "corp.example", "asn": 64500, "as_name": "NET", "country": "DE", "keep": 600}, {"source_ip":
	"192.0.2.2", "rdns": null, "rdns_domain": null, "asn": null, "as_name": null, "country": null, "keep": 600},
		{"source_ip": "2001:db8::1", "rdns": "a.bulk.example.evil.test", "rdns_domain": "evil.test", "asn": 64500,
		"as_name": "NET", "country": "FR", "keep": 600}]')$$, 'what was found');
SELECT is((SELECT source || ' ' || name_basis FROM dmarc.addresses WHERE source_ip = '192.0.2.1'), 'service:bulk spf',
	'SPF goes before a network');
SELECT is((SELECT source || ' ' || name_basis FROM dmarc.addresses WHERE source_ip = '192.0.2.2'), 'service:bulk dkim',
	'a signature counts where there is no name');
SELECT is((SELECT source || ' ' || name_basis || ' ' || source_name FROM dmarc.addresses
	WHERE source_ip = '2001:db8::1'), 'domain:evil.test rdns evil.test',
	'a look-alike is no service, and a tenant not his network');
SELECT is((SELECT count(*) FROM ruad.enrich_wanted(10)), 0::bigint, 'nothing is wanted any more');
SELECT is((SELECT string_agg(DISTINCT source, ' ') FROM dmarc.records), 'domain:evil.test service:bulk',
	'records say so');

SELECT lives_ok($$SELECT ruad.set_label('service:bulk', 'mine', 'newsletter', 'kim', 'cli')$$, 'a label');
SELECT is(ruad.enrich_services('file',
	'[{"key": "corp", "name": "Corp", "type": "business", "rdns": ["corp.example"]}]'), 1::bigint,
	'a rule of the admin''s file gives an address another service');
SELECT is((SELECT source FROM dmarc.addresses WHERE source_ip = '192.0.2.1'), 'service:corp', 'by its name');
SELECT is((SELECT label FROM dmarc.addresses WHERE source_ip = '192.0.2.1'), NULL,
	'the label of the other service is not its any more');
SELECT is((SELECT label FROM dmarc.addresses WHERE source_ip = '192.0.2.2'), 'mine',
	'but still that of the other address');
SELECT is(ruad.enrich_services('file', '[]'), 1::bigint, 'without the file all is as before');
SELECT is(ruad.enrich_services('file', '[]'), 0::bigint, 'and the same list changes nothing');
SELECT is(ruad.enrich_services('file',
	'[{"key": "bulk", "name": "My Bulk", "type": "marketing", "rdns": ["other.test"], "spf": ["bulk.example"]}]'),
	1::bigint, 'a key of the admin''s goes before ours');
SELECT is((SELECT source_name FROM dmarc.addresses WHERE source_ip = '192.0.2.1'), 'My Bulk', 'with its name');
SELECT is((SELECT source FROM dmarc.addresses WHERE source_ip = '192.0.2.2'), 'ip:192.0.2.2', 'and its rules alone');

SELECT lives_ok($$SELECT ruad.enrich_store('[{"source_ip": "192.0.2.1", "failed": true, "asn": 64502, "as_name": "NET '
	'2", "country": "NL", "keep": -1}]')$$, 'the DNS did not answer');
SELECT is((SELECT rdns || ' ' || asn || ' ' || country FROM dmarc.addresses WHERE source_ip = '192.0.2.1'),
	'mx.corp.example 64502 NL', 'its name stays, its network is known without');
SELECT is((SELECT string_agg(host(source_ip), ' ') FROM ruad.enrich_wanted(10)), '192.0.2.1',
	'and it is looked up again');
SELECT lives_ok($$SELECT ruad.enrich_networks('[{"source_ip": "192.0.2.1", "asn": 64501, "as_name": "OTHER", '
	'"country": "AT"}]')$$, 'another list of networks');
SELECT results_eq('SELECT host(source_ip) FROM ruad.enrich_addresses(''192.0.2.1'', 1)', ARRAY['192.0.2.2'],
	'addresses come in order');
SELECT results_eq('SELECT domain, selectors::text FROM ruad.dns_wanted(10)', $$VALUES ('corp.example',
	'[{"domain": "corp.example", "selector": "s1"}]')$$, 'the domain wants a check, with the selectors of its own');
SELECT lives_ok($$SELECT ruad.dns_store('corp.example',
	'{"ok": true, "findings": [{"code": "x", "severity": "info"}], "spf": {"ranges": [{"range": "192.0.2.0/31", '
		'"qualifier": "+"}]}}', 600)$$, 'its result');
SELECT is((SELECT rdns || ' ' || asn || ' ' || country FROM dmarc.addresses WHERE source_ip = '192.0.2.1'),
	'mx.corp.example 64501 AT', 'what was known stays, what is new is there');
SELECT is((SELECT string_agg(DISTINCT host(r.source_ip), ' ') FROM dmarc.records r
	JOIN dmarc.spf_ranges s ON r.source_ip <<= s.range AND s.domain = r.domain), '192.0.2.1', 'SPF joins with records');

-- Reprocessed reports keep the time at which their mail was received.
SELECT is((SELECT string_agg(x, ',')
	FROM t.take(t.mail(t.report('old.example', 'Google', 'g2', t.day(-2), jsonb_build_array(
	t.record('192.0.2.9', 1, 'pass', 'pass', '{"header_from": "old.example"}'))))) x), '1 0 0 0 f', 'another report');
UPDATE ruad.report SET received_at = now() - interval '30 days' WHERE report_id = 'g2';
UPDATE ruad.enrich_state SET all_until = now() - interval '1 day';
SELECT is(ruad.enrich_collect(), 1::bigint, 'is found within a day');

SELECT is(ruad.names_above(repeat('a.', 4000)), NULL, 'a name without end costs nothing');

-- Rules that two services have, in one list or in two; "mine" is the admin's.
INSERT INTO ruad.address (source_ip, looked_up_at, rdns, rdns_domain, asn)
VALUES ('198.51.100.1', now(), 'a.shared.example', 'shared.example', NULL),
	('198.51.100.2', now(), 'a.mixed.example', 'mixed.example', NULL),
	('198.51.100.3', now(), NULL, NULL, 64511), ('198.51.100.4', NULL, 'b.shared.example', 'shared.example', NULL);
CREATE FUNCTION t.serve(origin text, services jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	changed bigint := ruad.enrich_services(origin, services);
BEGIN
	RETURN changed || ':' || (SELECT string_agg(coalesce(a.service, '-'), ' ' ORDER BY a.source_ip) FROM ruad.address a
		WHERE a.source_ip <<= '198.51.100.0/24');
END $$;
SELECT is(t.serve(origin, services::jsonb), want, says) FROM (VALUES
	(1, 'file', '[]', '1:- - - -', 'no list of the admin''s: an address of above changes'),
	(2, 'ruad', '[{"key": "b", "name": "B", "type": "marketing", "rdns": ["shared.example", "Mixed.Example"]}, {"key": '
		'"a", "name": "A", "type": "marketing", "rdns": ["SHARED.example"], "asn": ["64511"]}]', '3:a b a -',
			'the first by key has a rule that two have; names in any case; only what was looked up'),
	(3, 'ruad', '[{"key": "b", "name": "B", "type": "marketing", "rdns": ["shared.example", "mixed.example"]}, {"key": '
		'"c", "name": "C", "type": "marketing", "rdns": ["shared.example"], "asn": ["64511"]}]', '2:b b c -',
			'a rule can go from one service of a list to another'),
	(4, 'file', '[{"key": "mine", "name": "Mine", "type": "business", "rdns": ["shared.example"], "dkim": '
		'["mixed.example"], "spf": ["64511"]}]', '1:mine b c -', 'a rule of the admin''s goes before ours'),
	(5, 'ruad', '[{"key": "b", "name": "B", "type": "marketing", "rdns": ["shared.example", "mixed.example"]}, {"key": '
		'"c", "name": "See", "type": "business", "asn": ["64511"]}]', '0:mine b c -',
			'also when ours come later; the same value of another kind is another rule'),
	(6, 'file', '[{"key": "mine", "name": "Mine", "type": "business", "rdns": ["mixed.example"]}]', '2:- mine c -',
		'a rule that the admin takes from a service is gone until our list is read again')) x(no, origin, services,
		want, says);
SELECT is((SELECT string_agg(concat_ws(' ', key, name, type, origin), ', ' ORDER BY key) FROM ruad.service
	WHERE key IN ('a', 'b', 'c', 'mine')), 'b B marketing ruad, c See business ruad, mine Mine business file',
	'services have their new names, and what no list has is gone');

-- Reports received up to 15 minutes before the last search are searched again, the others once a day.
SELECT is((SELECT count(*) FROM generate_series(1, 3) n,
	t.take(t.mail(t.report('late' || n || '.example', 'Google', 'late' || n, t.day(-2),
		jsonb_build_array(t.record('198.51.100.2' || n, 1, 'pass', 'pass')))))), 3::bigint, 'late reports');
UPDATE ruad.report
SET received_at = (SELECT received_until FROM ruad.enrich_state) - interval '15 minutes' + CASE report_id WHEN 'late1'
	THEN interval '1 second' WHEN 'late2' THEN '0' ELSE '-1 second' END WHERE report_id LIKE 'late_';
UPDATE ruad.report SET received_at = now() - interval '1 day' WHERE report_id NOT LIKE 'late_';
UPDATE ruad.enrich_state SET all_until = now() - interval '23 hours 59 minutes';
CREATE FUNCTION t.late() RETURNS text LANGUAGE sql AS $$ SELECT string_agg(d.name, ' ' ORDER BY d.name)
	FROM ruad.dns_check c JOIN ruad.domain d ON d.id = c.domain_id WHERE d.name LIKE 'late%' $$;
SELECT is(ruad.enrich_collect() || ' ' || t.late(), '2 late1.example late2.example', 'two are found at once');
UPDATE ruad.enrich_state SET all_until = now() - interval '1 day';
SELECT is(ruad.enrich_collect() || ' ' || t.late(), '1 late1.example late2.example late3.example',
	'the third with the day');

-- Own domains first, by volume; then those of which it is not known; then strangers'.
DELETE FROM ruad.dns_check;
DELETE FROM ruad.address;
SELECT is((SELECT count(*) FROM (VALUES ('small.own', 5, 1), ('big.own', 50, 2), ('small.new', 1, 3), ('big.new', 9, 4),
	('big.stranger', 5000, 5)) v(domain, count, n), t.take(t.mail(t.report(v.domain, 'Google', 'v' || n, t.day(-2),
		jsonb_build_array(t.record('203.0.113.' || n, v.count, 'pass', 'pass')))))), 5::bigint, 'reports on five domains');
SELECT is(t.sum_up(), 0::bigint, 'summed up');
INSERT INTO ruad.dns_check (domain_id, expires_at, result)
SELECT d.id, '-infinity', CASE WHEN d.name LIKE '%.own' THEN '{"solicited": true}'
	WHEN d.name LIKE '%.stranger' THEN '{"solicited": false}' WHEN d.name = 'big.new' THEN '{"solicited": null}' END::jsonb
FROM ruad.domain d WHERE d.name ~ '(own|new|stranger)$';
INSERT INTO ruad.address (source_ip) SELECT ('203.0.113.' || n)::inet FROM generate_series(0, 5) n;
SELECT is((SELECT string_agg(w.domain, ' ' ORDER BY w.no) FROM ruad.dns_wanted(9) WITH ORDINALITY w(domain, s, no)),
	'big.own small.own big.new small.new big.stranger', 'own domains are checked first, those with most messages');
SELECT is((SELECT string_agg(w.domain, ' ' ORDER BY w.no) FROM ruad.dns_wanted(9, true) WITH ORDINALITY w(domain, s, no)),
	'big.own small.own', 'or only these');
SELECT is((SELECT string_agg(host(w.ip), ' ' ORDER BY w.no) FROM ruad.enrich_wanted(3) WITH ORDINALITY w(ip, no)),
	'203.0.113.1 203.0.113.2 203.0.113.3', 'addresses of own domains are looked up first');
SELECT is((SELECT count(*) FROM ruad.enrich_wanted(9, true)), 2::bigint, 'or only these');
SELECT is(ruad.enrich_spend(0) || ' ' || ruad.enrich_spend(7) || ' ' || ruad.enrich_spend(3), '0 7 10',
	'questions of a day add up');
UPDATE ruad.enrich_state SET questions_day = questions_day - 1;
SELECT is(ruad.enrich_spend(2), 2::bigint, 'and begin anew with the next');

-- Hosts with names in the domain that they send as, of which a service signs the mail.
CREATE FUNCTION t.signed(ip text, count integer, VARIADIC signers text[]) RETURNS jsonb LANGUAGE sql AS $$
	SELECT t.record(ip, count, 'pass', 'fail', jsonb_build_object('header_from', 'named.example', 'auth_results',
		jsonb_build_object('dkim', (SELECT jsonb_agg(jsonb_build_object('domain', d, 'selector', 's', 'result', 'pass'))
		FROM unnest(signers) d)))) $$;
SELECT is((SELECT count(*) FROM generate_series(1, 4) n, t.take(t.mail(t.report('named.example', 'R' || n, 'n' || n,
	t.day(-2), jsonb_build_array(t.signed('203.0.113.61', 5, 'named.example', 'esp.test'),
		t.signed('203.0.113.62', 5, CASE n WHEN 1 THEN 'esp.test' ELSE 'named.example' END),
		t.signed('203.0.113.63', 5, 'box.test'), t.signed('203.0.113.64', 5, 'esp.test'),
		t.signed('203.0.113.65', 5, CASE n WHEN 1 THEN 'named.example' ELSE 'esp.test' END))
	|| CASE WHEN n < 4 THEN jsonb_build_array(t.signed('203.0.113.66', 5, 'esp.test')) ELSE '[]' END
	|| CASE WHEN n < 3 THEN jsonb_build_array(t.signed('203.0.113.67', 5, 'esp.test')) ELSE '[]' END)))), 4::bigint,
	'reports on seven hosts');
SELECT ruad.enrich_collect();
SELECT ruad.enrich_services('ruad', '[{"key": "esp", "name": "Esp", "type": "marketing", "dkim": ["esp.test"],
	"setup": {"switch": "Settings > Domains", "records": "TXT k._domainkey", "aligns": "dkim",
	"manual": "https://esp.test/help"}}, {"key": "box", "name": "Box", "type": "mailbox", "dkim": ["box.test"]}]');
SELECT ruad.enrich_store((SELECT jsonb_agg(jsonb_build_object('source_ip', '203.0.113.6' || n, 'rdns', r, 'rdns_domain',
	regexp_replace(r, '^[^.]+[.]', ''), 'asn', NULL, 'as_name', NULL, 'country', NULL, 'keep', 600))
	FROM (VALUES (1, 'o1.named.example'), (2, 'mx.named.example'), (3, 'fwd.named.example'), (4, 'a.other.test'),
		(5, 'o2.named.example'), (6, 'o3.named.example'), (7, 'o4.named.example')) v(n, r)));
SELECT is((SELECT string_agg(source || ' ' || name_basis, ', ' ORDER BY source_ip) FROM dmarc.addresses
	WHERE source_ip BETWEEN '203.0.113.61' AND '203.0.113.64'), 'service:esp dkim, domain:named.example rdns, domain:named.example rdns, '
	'domain:other.test rdns', 'a host of a service under one''s own name; not if it signs little, is a mailbox service, '
	'or the name is another''s');
SELECT is((SELECT string_agg(source, ' ' ORDER BY source_ip) FROM dmarc.addresses
	WHERE source_ip BETWEEN '203.0.113.65' AND '203.0.113.67'), 'service:esp service:esp domain:named.example',
	'three of four records are enough, two are not');
SELECT is(api.service_setup('service:esp'), '{"name": "Esp", "switch": "Settings > Domains", "records":
	"TXT k._domainkey", "aligns": ["dkim"], "manual": "https://esp.test/help"}', 'how its mail is made to pass');
SELECT is(api.service_setup('service:box'), NULL, 'NULL where that is not known');
SELECT is(api.source('service:esp', api.filter()) #>> '{setup,switch}', 'Settings > Domains', 'a source has it');

-- Selectors: of the last ninety days, fifty, those with the most messages; names that can be asked for.
CREATE FUNCTION t.selected(selector text, day integer, count integer, signer text DEFAULT 'keys.example') RETURNS jsonb LANGUAGE sql AS $$
	SELECT t.mail(t.report('keys.example', 'Google', concat_ws(' ', selector, day, signer), t.day(day), jsonb_build_array(t.record(
		'192.0.2.1', count, 'pass', 'fail', jsonb_build_object('auth_results', jsonb_build_object('dkim', jsonb_build_array(
			jsonb_build_object('domain', signer, 'selector', selector, 'result', 'pass')))))))) $$;
CREATE FUNCTION t.selectors() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg((s ->> 'domain') || ' ' || (s ->> 'selector'), ', ' ORDER BY no)
	FROM jsonb_array_elements(ruad.dns_selectors('keys.example')) WITH ORDINALITY x(s, no) $$;
SELECT is((SELECT count(*) FROM (VALUES ('first', -2, 3, 'keys.example'), ('Second', -89, 5, 'keys.example'),
	('third', -90, 9, 'keys.example'), ('sub', -2, 4, 'News.keys.example'), ('other', -2, 9, 'notkeys.example'),
	('first', -3, 3, 'Keys.example'), ('a b', -2, 9, 'keys.example'), (repeat('x', 201), -2, 9, 'keys.example'),
	('', -2, 9, 'keys.example')) v(selector, day, count, signer), t.take(t.selected(v.selector, v.day, v.count, v.signer))),
	9::bigint, 'reports with selectors');
SELECT is(t.selectors(), 'keys.example first, keys.example second, news.keys.example sub', 'which may have keys');
SELECT is(ruad.dns_selectors('none.example'), '[]', 'none of a domain that is unknown');
SELECT is((SELECT count(*) FROM generate_series(1, 48) n, t.take(t.selected('s' || n, -2, 7))), 48::bigint, 'and 48 more');
SELECT is((SELECT count(*) || ' ' || count(*) FILTER (WHERE s ->> 'selector' IN ('first', 'second')) || ' '
	|| count(*) FILTER (WHERE s ->> 'selector' = 'sub') FROM jsonb_array_elements(ruad.dns_selectors('keys.example')) s),
	'50 2 0', 'the least of 51 is left out');
-- A service that nothing is recognised by, and that no address has, leaves with the list, also if there is no other.
DELETE FROM ruad.service_rule;
UPDATE ruad.address SET service = NULL, service_basis = NULL;
DELETE FROM ruad.service;
SELECT ruad.enrich_services('file', '[{"key": "bare", "name": "Bare", "type": "marketing"}]') \g /dev/null
SELECT is((SELECT count(*) FROM ruad.service WHERE key = 'bare'), 1::bigint, 'a service without rules');
SELECT ruad.enrich_services('file', '[]') \g /dev/null
SELECT is((SELECT count(*) FROM ruad.service WHERE key = 'bare'), 0::bigint, 'is gone when its list has it no more');
SELECT * FROM finish();
