-- Whose a sender is: each rule of dmarc.whose(), at its limit, and the facts that it decides by.
SELECT plan(82);
CREATE FUNCTION t.whose(facts jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT w.whose || ' ' || w.reason FROM dmarc.whose(jsonb_populate_record(NULL::dmarc.sender_facts,
		'{"sender": "ip:192.0.2.1", "messages": 100, "pass": 0, "dkim_aligned": 0, "spf_aligned": 0, "records": 10,
			"fail_overridden": 0, "fail_altered": 0, "altered_by_other": 0, "fail_unaligned": 0, "own_auth": 0,
			"own_name": 0, "own_range": 0, "domain_messages": 10000, "days": 2, "spf_includes": false}' || facts)) w $$;
SELECT is(t.whose(facts::jsonb), want, name) FROM (VALUES
	('a label: mine', '{"label": "mine", "fail_unaligned": 100}', 'own labelled'),
	('a label: a service of mine', '{"label": "mine", "service": "esp", "service_type": "marketing"}',
		'service labelled_service'),
	('a label: a forwarder', '{"label": "forwarder", "own_name": 100}', 'forwarder labelled_forwarder'),
	('a label: not mine, whatever it authenticates', '{"label": "not_mine", "own_range": 100, "pass": 100}',
		'stranger labelled_stranger'),
	('a parked domain', '{"parked": true, "service": "esp", "service_type": "marketing", "fail_unaligned": 100,
		"days": 60, "records": 60}', 'stranger parked'),
	('nothing was sent', '{"messages": 0}', 'unsure unknown'),
	('a name of ours, though all fails', '{"own_name": 51}', 'own own_name'),
	('names of ours for half of the mail', '{"own_name": 50}', 'stranger burst'),
	('a service under a name of ours', '{"own_name": 100, "service": "esp", "service_type": "marketing"}',
		'service own_name_service'),
	('a service in SPF, though all fails', '{"service": "esp", "service_type": "mailbox", "spf_includes": true}',
		'service service_in_spf'),
	('a list in SPF is no service of ours', '{"service": "l", "service_type": "list", "spf_includes": true,
		"fail_overridden": 100}', 'forwarder list'),
	('a service that passes SPF', '{"service": "esp", "service_type": "mailbox", "spf_aligned": 3, "pass": 3}',
		'service service_passes'),
	('a service that passed SPF twice', '{"service": "esp", "service_type": "mailbox", "spf_aligned": 2, "pass": 2}',
		'unsure mailbox_users'),
	('a range of ours, though all fails', '{"own_range": 51}', 'own own_range'),
	('ranges of ours for half of the mail', '{"own_range": 50}', 'stranger burst'),
	('SPF passes', '{"spf_aligned": 3, "pass": 3}', 'own spf_lists'),
	('SPF passed twice', '{"spf_aligned": 2, "pass": 2}', 'stranger burst'),
	('SPF passes for one in fifty', '{"spf_aligned": 4, "pass": 4, "messages": 200}', 'own spf_lists'),
	('SPF passes for less than that', '{"spf_aligned": 4, "pass": 4, "messages": 201}', 'stranger burst'),
	('SPF passes, and it also sends as itself', '{"spf_aligned": 90, "pass": 90, "fail_unaligned": 10}',
		'service includes'),
	('a service with a key of ours', '{"service": "esp", "service_type": "marketing", "dkim_aligned": 51, "pass": 51}',
		'service service_signs'),
	('a mailbox provider with our signatures', '{"service": "m", "service_type": "mailbox", "dkim_aligned": 51,
		"pass": 51}', 'forwarder forwards'),
	('a filter with our signatures', '{"service": "m", "service_type": "security", "dkim_aligned": 51,
		"pass": 51}', 'forwarder forwards'),
	('much mail with our signature', '{"dkim_aligned": 500, "pass": 500, "messages": 500, "days": 21, "records": 7}',
		'service signs_steadily'),
	('less of it', '{"dkim_aligned": 499, "pass": 499, "messages": 499, "days": 21, "records": 7}',
		'forwarder forwards'),
	('much of it, with broken signatures', '{"dkim_aligned": 499, "pass": 499, "messages": 500, "days": 21,
		"records": 7, "fail_altered": 1}', 'forwarder forwards'),
	('much of it, not for three weeks', '{"dkim_aligned": 500, "pass": 500, "messages": 500, "days": 20, "records": 7}',
		'forwarder forwards'),
	('overrides', '{"fail_overridden": 51}', 'forwarder list'),
	('changed by one that authenticates', '{"fail_altered": 51, "altered_by_other": 51}', 'forwarder list'),
	('changed by one that does not', '{"fail_altered": 100}', 'stranger burst'),
	('changed by one that does not, steadily', '{"fail_altered": 100, "days": 21, "records": 7}',
		'unsure broken_signatures'),
	('passed on, some of it changed', '{"pass": 60, "dkim_aligned": 60, "fail_altered": 40}', 'forwarder forwards'),
	('another domain of ours', '{"own_auth": 51, "fail_unaligned": 100}', 'own own_auth'),
	('SPF of its own', '{"fail_unaligned": 100}', 'stranger burst'),
	('users of a mailbox provider', '{"service": "m", "service_type": "mailbox", "fail_unaligned": 100, "days": 60,
		"records": 60}', 'unsure mailbox_users'),
	('a service, steady', '{"service": "esp", "service_type": "marketing", "fail_unaligned": 100, "days": 21,
		"records": 7}', 'service service_steady'),
	('a service, for twenty days', '{"service": "esp", "service_type": "marketing", "fail_unaligned": 100, "days": 20,
		"records": 7}', 'unsure new_service'),
	('a service, seldom', '{"service": "esp", "service_type": "marketing", "fail_unaligned": 100, "days": 21,
		"records": 6}', 'unsure new_service'),
	('a service with forged signatures', '{"service": "esp", "service_type": "marketing", "fail_altered": 100}',
		'stranger burst'),
	('steady, nothing proven', '{"days": 21, "records": 7, "messages": 5}', 'unsure steady'),
	('four messages', '{"days": 21, "records": 7, "messages": 4}', 'stranger burst'),
	('one message', '{"messages": 1}', 'stranger burst'),
	('a service in a range of ours', '{"service": "esp", "service_type": "marketing", "own_range": 100}', 'unsure new_service'),
	('SPF passes, and one message of its own', '{"spf_aligned": 90, "pass": 90, "fail_unaligned": 1}', 'service includes'),
	('a service with a key of ours for half of the mail', '{"service": "esp", "service_type": "marketing", "dkim_aligned": 50,
		"pass": 50}', 'unsure new_service'),
	('more than half with our signature, steadily', '{"dkim_aligned": 251, "pass": 251, "messages": 500, "days": 21,
		"records": 7}', 'service signs_steadily'),
	('half of it', '{"dkim_aligned": 250, "pass": 250, "messages": 500, "days": 21, "records": 7}', 'unsure steady'),
	('overrides for half of the mail', '{"fail_overridden": 50}', 'stranger burst'),
	('half of it passed on', '{"pass": 50, "dkim_aligned": 50}', 'stranger burst'),
	('changed, but for one that passes', '{"pass": 1, "dkim_aligned": 1, "fail_altered": 50, "altered_by_other": 50}',
		'forwarder forwards'),
	('another domain of ours for half of the mail', '{"own_auth": 50, "fail_unaligned": 100}', 'stranger burst'),
	('half of it changed, steadily', '{"fail_altered": 50, "days": 21, "records": 7}', 'unsure steady'),
	('more than half of it', '{"fail_altered": 51, "days": 21, "records": 7}', 'unsure broken_signatures'),
	('no address', '{"sender": "none", "days": 21, "records": 7}', 'unsure unknown')) x(name, facts, want);

-- the facts, as the view has them
INSERT INTO ruad.service (key, name, type) VALUES ('esp', 'Esp', 'marketing'), ('news', 'News', 'marketing'),
	('rent', 'Rent', 'hosting');
INSERT INTO ruad.service_rule (kind, value, service) VALUES ('spf', 'esp.example', 'esp');
CREATE FUNCTION t.sent(ip text, more jsonb DEFAULT '{}', result text DEFAULT 'fail') RETURNS jsonb LANGUAGE sql AS $$
	SELECT t.record(ip, 10, result, 'fail', '{"header_from": "im.example"}' || more) $$;
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.mail(t.report('im.example', 'A', 'a', t.day(-9), jsonb_build_array(
		t.sent('192.0.2.1'), t.sent('192.0.2.2'), t.sent('192.0.2.3'), t.sent('192.0.2.4'), t.sent('192.0.2.5'),
		t.sent('192.0.2.6'), t.sent('192.0.2.8'), t.sent('203.0.113.1'),
		t.sent('192.0.2.7', '{"auth_results": {"spf": [{"domain": "other.example", "result": "pass"}]}}')))),
	t.mail(t.report('stranger.example', 'A', 'b', t.day(-9), '[]')),
	t.mail(t.report('other.example', 'A', 'c', t.day(-9), '[]'))) x), '1 0 0 0 f,1 0 0 0 f,1 0 0 0 f', 'reports');
INSERT INTO ruad.address (source_ip, rdns, rdns_domain, service, service_basis) VALUES
	('192.0.2.1', 'mx.im.example', 'im.example', NULL, NULL),
	('192.0.2.2', 'a.stranger.example', 'stranger.example', NULL, NULL),
	('192.0.2.3', 'a.other.example', 'other.example', NULL, NULL),
	('192.0.2.4', 'a.esp.example', 'esp.example', 'esp', 'rdns'),
	('192.0.2.8', 'a.news.example', 'news.example', 'news', 'rdns'),
	('192.0.2.5', 'static-5.rent.example', 'rent.example', 'rent', 'rdns'),
	('192.0.2.6', 'notim.example', 'notim.example', NULL, NULL);
SELECT ruad.enrich_collect();
SELECT ruad.dns_store('im.example', '{"ok": true, "solicited": true, "findings": [],
	"mx": [{"host": "mx", "preference": 1, "addresses": ["192.0.2.9"]}],
	"spf": {"result": "ok", "all": "-", "unlisted": [], "ranges": [
		{"range": "203.0.0.0/15", "qualifier": "+", "term": "ip4", "via": "im.example"},
		{"range": "192.0.2.6/32", "qualifier": "?", "term": "ip4", "via": "im.example"},
		{"range": "192.0.2.7/32", "qualifier": "+", "term": "ip4", "via": "_spf.im.example"},
		{"range": "192.0.2.5/32", "qualifier": "+", "term": "ip4", "via": "other.example"},
		{"range": "192.0.2.4/32", "qualifier": "+", "term": "ip4", "via": "spf.esp.example"}]}}', 600);
SELECT ruad.dns_store('other.example', '{"ok": true, "solicited": true, "findings": []}', 600);
SELECT ruad.dns_store('stranger.example', '{"ok": true, "solicited": false, "findings": []}', 600);
SELECT is((SELECT f.sender || ' ' || f.own_name || ' ' || f.own_range || ' ' || f.own_auth || ' ' || f.spf_includes
	FROM dmarc.sender_facts f WHERE f.sender = s), s || ' ' || want, name) FROM (VALUES
	('ip:192.0.2.1', '10 0 0 false', 'a name below the domain'),
	('ip:192.0.2.2', '0 0 0 false', 'a name below a domain that is not ours'),
	('ip:192.0.2.3', '10 0 0 false', 'a name below another domain of ours'),
	('service:esp', '0 0 0 true', 'a service that SPF includes'),
	('service:news', '0 0 0 false', 'one that it does not include'),
	('ip:192.0.2.5', '0 0 0 false', 'a host at a hoster: an address, in a range of somebody else'),
	('ip:192.0.2.6', '0 0 0 false', 'a name that ends alike; a range that does not pass'),
	('ip:203.0.113.1', '0 0 0 false', 'a range of half the Internet'),
	('ip:192.0.2.7', '0 10 10 false', 'a range of our own record below, and authenticated as another domain of ours'))
	x(s, want, name);
SELECT is((SELECT array_agg(s.sender ORDER BY s.sender) FROM dmarc.senders s WHERE s.whose = 'own'),
	'{ip:192.0.2.1,ip:192.0.2.3,ip:192.0.2.7}', 'senders that are ours');

-- A page whose sources have more addresses than are named one by one.
CREATE FUNCTION t.many(name text, age integer, ips text[]) RETURNS text LANGUAGE sql AS $$
	SELECT x FROM t.take(t.mail(t.report('im.example', 'A', name, t.day(age),
		(SELECT jsonb_agg(t.record(ip, 2, 'pass', 'fail')) FROM unnest(ips) ip)))) x $$;
SELECT is(t.many('many', -5, ARRAY(SELECT '10.0.' || n / 250 || '.' || n % 250 FROM generate_series(1, 5000) n)) || ', '
	|| t.many('old', -50, '{10.9.9.9}'), '1 0 0 0 f, 1 0 0 0 f', 'a service with many addresses, and one of two months ago');
INSERT INTO ruad.address (source_ip, service, service_basis) SELECT r.source_ip, 'esp', 'rdns'
	FROM (SELECT DISTINCT r.source_ip FROM dmarc.records r WHERE r.source_ip <<= '10.0.0.0/8') r;
CREATE FUNCTION t.whose_of(size integer, key text, f api.filter_set DEFAULT api.filter(), p_group text DEFAULT 'source')
RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', i ->> 'whose', i ->> 'whose_reason', i #>> '{whose_facts,addresses}', i #>> '{whose_facts,messages}')
	FROM jsonb_array_elements(api.sources(f, api.page(p_limit => size), p_group) -> 'items') i WHERE i ->> 'key' = key $$;
SELECT is(t.whose_of(100, 'service:esp'), 'service service_in_spf 5002 10012', 'its facts are of all its addresses');
SELECT is(t.whose_of(100, 'service:esp', api.filter(p_ip => '192.0.2.4')), 'service service_in_spf 5002 10012',
	'also when the filter has one of them');
SELECT is(t.whose_of(100, '192.0.2.4', api.filter(p_ip => '192.0.2.4'), 'ip'), 'service service_in_spf 5002 10012',
	'and in a list of addresses');
SELECT is(t.whose_of(100, 'ip:192.0.2.7'), 'own own_range 1 10', 'those of another source are its own');

-- Each fact of a sender that is an address, and of one that is a service: of its first and last report, and of the last
-- that passed and failed, none is on the day of another. Beside them the same addresses send as another domain.
CREATE FUNCTION t.fact(day integer, records jsonb, domain text DEFAULT 'facts.example') RETURNS text LANGUAGE sql AS $$
	SELECT x FROM t.take(t.mail(t.report(domain, 'A', domain || day, t.day(day), records))) x $$;
CREATE FUNCTION t.of(ip text, count bigint, more jsonb DEFAULT '{}', dkim text DEFAULT 'fail', spf text DEFAULT 'fail')
RETURNS jsonb LANGUAGE sql AS $$ SELECT t.record(ip, count, dkim, spf, '{"header_from": "facts.example"}' || more) $$;
CREATE FUNCTION t.signed(result text, spf_of text DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('auth_results', jsonb_strip_nulls(jsonb_build_object(
		'dkim', jsonb_build_array(jsonb_build_object('domain', 'facts.example', 'result', result)),
		'spf', CASE WHEN spf_of IS NOT NULL THEN jsonb_build_array(jsonb_build_object('domain', spf_of, 'result', 'pass'))
			END))) $$;
SELECT is((SELECT string_agg(x, ',') FROM (VALUES
	(t.fact(-10, jsonb_build_array(t.of('198.51.100.9', 16, '{"disposition": "reject"}'),
		t.of('198.51.100.11', 1, t.signed('pass'), 'pass')))),
	(t.fact(-9, jsonb_build_array(t.of('198.51.100.9', 1, t.signed('pass'), 'pass'),
		t.of('198.51.100.12', 4, t.signed('none', 'facts.example'), 'fail', 'pass')))),
	(t.fact(-8, jsonb_build_array(t.of('198.51.100.9', 2, t.signed('fail') || '{"disposition": "quarantine"}'),
		t.of('198.51.100.11', 2, t.signed('none', 'esp.example'))))),
	(t.fact(-7, jsonb_build_array(t.of('198.51.100.9', 4, t.signed('fail', 'list.example')),
		t.of('198.51.100.12', 8)))),
	(t.fact(-6, jsonb_build_array(t.of('198.51.100.9', 8, '{"reason": [{"type": "forwarded"}]}')))),
	(t.fact(-5, jsonb_build_array(t.of('2001:db8::1', 32), t.of('2001:db9::5', 64), t.of('2001:dba::1', 128),
		t.of('198.18.0.1', 256)))),
	(t.fact(-3, jsonb_build_array(t.of('198.51.100.9', 1000, '{}', 'pass', 'pass'), t.of('198.51.100.11', 2000)),
		'stranger.example'))) v(x)), concat_ws(',', VARIADIC array_fill('1 0 0 0 f'::text, '{7}')), 'seven reports');
INSERT INTO ruad.address (source_ip, rdns, rdns_domain, service, service_basis) VALUES
	('198.51.100.11', 'b.esp.example', 'esp.example', 'esp', 'rdns'),
	('198.51.100.12', 'a.esp.example', 'esp.example', 'esp', 'rdns');
SELECT ruad.enrich_collect();
SELECT ruad.dns_store('facts.example', '{"ok": true, "solicited": true, "findings": [], "spf": {"result": "ok", "all": "-",
	"unlisted": [], "ranges": [
		{"range": "2001:db8::1/128", "qualifier": "+", "term": "ip6", "via": "facts.example"},
		{"range": "2001:db9::/32", "qualifier": "+", "term": "ip6", "via": "facts.example"},
		{"range": "2001:dba::/31", "qualifier": "+", "term": "ip6", "via": "facts.example"},
		{"range": "198.18.0.0/16", "qualifier": "+", "term": "ip4", "via": "facts.example"}]}}', 600);
CREATE FUNCTION t.days(at timestamptz) RETURNS integer LANGUAGE sql AS $$
	SELECT (at AT TIME ZONE 'UTC')::date - (now() AT TIME ZONE 'UTC')::date $$;
SELECT results_eq($$SELECT sender, addresses, records, messages, pass, dkim_aligned, spf_aligned, fail_overridden,
	fail_altered, altered_by_other, fail_unaligned, rejected, quarantined, domain_messages FROM dmarc.sender_facts
	WHERE domain = 'facts.example' AND sender IN ('ip:198.51.100.9', 'service:esp') ORDER BY 1$$, $$VALUES
	('ip:198.51.100.9', 1::bigint, 5::numeric, 31::numeric, 1::numeric, 1::numeric, 0::numeric, 8::numeric, 6::numeric,
		4::numeric, 0::numeric, 16::numeric, 2::numeric, 526::numeric),
	('service:esp', 2, 4, 15, 5, 1, 4, 0, 0, 0, 2, 0, 0, 526)$$, 'the messages of a sender, by what became of them');
SELECT results_eq($$SELECT sender, days, t.days(first_seen), t.days(last_seen), t.days(last_pass), t.days(last_fail)
	FROM dmarc.sender_facts WHERE domain = 'facts.example' AND sender IN ('ip:198.51.100.9', 'service:esp') ORDER BY 1$$,
	$$VALUES ('ip:198.51.100.9', 5, -10, -6, -9, -8), ('service:esp', 4, -10, -7, -9, -7)$$,
	'and its days: what a forwarder changes is not the last that failed');
SELECT is((SELECT concat_ws(' ', source, source_name, label, service, service_type, rdns) FROM dmarc.sender_facts
	WHERE domain = 'facts.example' AND sender = 'service:esp'), 'service:esp Esp esp marketing a.esp.example',
	'the first name of a service, in the alphabet');
SELECT is((SELECT string_agg(own_range || ' of ' || messages, ', ' ORDER BY messages) FROM dmarc.sender_facts
	WHERE domain = 'facts.example' AND messages >= 32), '32 of 32, 64 of 64, 0 of 128, 256 of 256',
	'a host, the largest range that counts, a larger one; and of IPv4');
CREATE FUNCTION t.label_of_service() RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(label, '-') FROM dmarc.sender_facts WHERE domain = 'facts.example' AND sender = 'service:esp' $$;
SELECT ruad.set_label('ip:198.51.100.11', 'mine', NULL, 'root', 'cli');
SELECT is(t.label_of_service(), '-', 'one address of a service has a label: the service has none');
SELECT ruad.set_label('ip:198.51.100.12', 'not_mine', NULL, 'root', 'cli');
SELECT is(t.label_of_service(), '-', 'its addresses have two labels');
SELECT ruad.set_label('ip:198.51.100.12', 'mine', NULL, 'root', 'cli');
SELECT is(t.label_of_service(), 'mine', 'all its addresses have the same');

-- Which months decide.
SELECT is(api.facts_from(api.filter(p_from => from_day, p_to => to_day)), want, name) FROM (VALUES
	(date '2026-03-10', date '2026-03-20', date '2026-01-01', 'the month of the last day and the two before it'),
	('2026-03-02', '2026-04-01', '2026-01-01', 'the last day is the one before the end'),
	('2026-03-03', '2026-04-02', '2026-02-01', 'and may be the first of a month'),
	('2025-12-31', '2026-03-31', '2025-12-01', 'a longer window decides with all its months')) AS w(from_day, to_day, want, name);

SELECT * FROM finish();
