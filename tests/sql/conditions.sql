-- Conditions that are found in the reports: they are those of Overview, and more, with safe texts.
SELECT no_plan();
CREATE FUNCTION t.found() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', c.key, c.level, c.severity) FROM ruad.report_conditions() c ORDER BY 1 $$;
CREATE FUNCTION t.one(p_kind text) RETURNS ruad.condition LANGUAGE sql AS $$
	SELECT c FROM ruad.report_conditions() c WHERE c.kind = p_kind $$;
-- A day of a domain: its server passes, and the others are as given.
CREATE FUNCTION t.of_day(day integer, VARIADIC records jsonb[] DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT t.mail(t.report('corp.example', 'Google', 'd' || day || '-' || cardinality(records), t.day(day),
		jsonb_build_array(t.record('192.0.2.1', 100, 'pass', 'pass', '{"header_from": "corp.example"}'))
			|| to_jsonb(records))) $$;

SELECT is_empty('SELECT t.found()', 'without reports there is nothing');
SELECT is((SELECT count(*) FROM t.take(VARIADIC ARRAY(SELECT t.of_day(d) FROM generate_series(-60, -2) d))), 59::bigint,
	'sixty days of reports');
SELECT is(t.sum_up(), 0::bigint, 'summed up');
SELECT ruad.enrich_collect();
SELECT ruad.enrich_services('ruad', '[{"key": "mailer", "name": "Mailer", "type": "marketing", "rdns": ["mailer.example"],
	"asn": [], "spf": [], "dkim": [], "setup": {"switch": "Settings > Domains", "records": "CNAME k1", "aligns": "dkim",
	"manual": "https://mailer.example/dkim"}}]');
SELECT ruad.enrich_store('[{"source_ip": "192.0.2.1", "rdns": "mx.corp.example", "rdns_domain": "corp.example", "keep": 600}]');
SELECT is_empty('SELECT t.found()', 'a domain whose mail passes needs no notice');

-- A new source of ours, which passes.
SELECT t.take(t.of_day(-3, t.record('198.51.100.1', 50, 'pass', 'pass', '{"header_from": "corp.example"}')));
SELECT ruad.enrich_collect();
SELECT ruad.enrich_store('[{"source_ip": "198.51.100.1", "rdns": "out.mailer.example", "rdns_domain": "mailer.example",
	"keep": 600}]');
SELECT is(t.sum_up(), 0::bigint, 'summed up');
SELECT results_eq('SELECT t.found()', '{new_source:corp.example:service:mailer 1 info}'::text[], 'a new source is found');
SELECT is((t.one('new_source')).evidence, format('Mailer, which counts as a service of yours, sent 50 messages as '
	'corp.example since %s; 50 passed DMARC.', left(api.iso(t.day(-3)), 10)), 'with its numbers');

-- It begins to fail.
SELECT t.take(t.of_day(-2, t.record('198.51.100.1', 20, 'fail', 'fail', '{"header_from": "corp.example"}'),
	t.record('203.0.113.9', 2000, 'fail', 'fail', '{"header_from": "corp.example"}')));
SELECT is(t.sum_up(), 0::bigint, 'summed up');
SELECT results_eq('SELECT t.found() EXCEPT VALUES (''new_source:corp.example:service:mailer 1 info'')',
	'{fails:corp.example:service:mailer 1 warning}'::text[], 'a service that fails is found, strangers are not');
SELECT is((t.one('fails')).evidence, '20 of 70 messages that Mailer sent as corp.example in the last 30 days failed '
	'DMARC; receivers rejected 0 and quarantined 0.', 'with its numbers');
SELECT is((t.one('fails')).action, 'Set it up for corp.example: Settings > Domains (https://mailer.example/dkim).',
	'and what to do');
SELECT is((SELECT count(*) FROM jsonb_path_query(api.advice(api.filter()), '$.items[*] ? (@.code like_regex "^(own|service)_")')),
	(SELECT count(*) FROM ruad.report_conditions() c WHERE c.kind = 'fails'), 'they are the points of Overview');
SELECT t.take(t.of_day(-2, t.record('198.51.100.1', 400, 'fail', 'fail', '{"header_from": "corp.example",
	"disposition": "reject"}'), t.record('198.51.100.1', 1, 'fail', 'fail'), t.record('198.51.100.1', 2, 'fail', 'fail')));
SELECT is(t.sum_up(), 0::bigint, 'summed up');
SELECT ok('fails:corp.example:service:mailer 3 error' IN (SELECT t.found()), 'what is rejected is worse');
SELECT ok('pass_rate:corp.example 2 error' IN (SELECT t.found()), 'and the pass rate fell');
SELECT matches((t.one('pass_rate')).evidence, '^[0-9.]+ % of [0-9,]+ messages from senders that are or may be yours '
	'passed DMARC in the week before [0-9-]+, and 100.0 % before that.$', 'which it says');
SELECT ruad.notices_look(true, '[]', 0, 0);
SELECT is((SELECT reference FROM ruad.notice WHERE kind = 'pass_rate'), 1.0, 'the rate from before is remembered');
UPDATE ruad.notice SET reference = 0.4 WHERE kind = 'pass_rate';
SELECT ok('pass_rate:corp.example 2 error' NOT IN (SELECT t.found()), 'and is what the week is compared with');
SELECT ok(ARRAY(SELECT event || ' ' || key FROM ruad.notices_take('{}')) @> '{new fails:corp.example:service:mailer,new pass_rate:corp.example}',
	'they are told');

-- The DNS.
SELECT ruad.dns_store('corp.example', '{"ok": true, "findings": [], "dmarc": {"name": "_dmarc.corp.example",
	"record": "v=DMARC1; p=reject"}, "spf": {"result": "ok", "record": "v=spf1 a -all", "all": "-", "ranges":
	[{"range": "192.0.2.0/24", "qualifier": "+"}], "unlisted": []}}', 600);
SELECT is_empty($$SELECT 1 FROM ruad.report_conditions() WHERE kind LIKE 'dns%'$$, 'the first check is no change');
SELECT ruad.dns_store('corp.example', '{"ok": false, "findings": [{"code": "spf_lookups", "severity": "error", "place":
	"corp.example TXT", "text": "11 look-ups\r\nBcc: x", "fix": "fewer"}], "dmarc": {"name": "_dmarc.corp.example",
	"record": "v=DMARC1; p=none"}, "spf": {"result": "ok", "record": "v=spf1 a -all", "all": "-", "ranges":
	[{"range": "192.0.2.0/24", "qualifier": "+"}], "unlisted": []}}', 600);
SELECT is((SELECT string_agg(concat_ws(' ', severity, title), ', ' ORDER BY title) FROM ruad.report_conditions()
	WHERE kind LIKE 'dns%'), 'error An error in the DNS of corp.example, warning The DMARC record of _dmarc.corp.example changed',
	'a policy that changed, and an error');
SELECT is((t.one('dns')).evidence, 'corp.example TXT: 11 look-ups  Bcc: x', 'without line ends');
SELECT matches((t.one('dns_changed')).evidence,
	'^It was "v=DMARC1; p=reject", and the check of [0-9-]+ found "v=DMARC1; p=none".$', 'with both records');
CREATE TEMP TABLE before AS SELECT (t.one('dns')).key;
SELECT ruad.dns_store('corp.example', (SELECT replace(result::text, '11 look', '12 look')::jsonb FROM ruad.dns_check), 600);
SELECT is((t.one('dns')).key, (SELECT key FROM before), 'an error with another number is the same one');
SELECT ruad.dns_store('corp.example', (SELECT replace(result::text, '12 look-ups', 'too many terms')::jsonb FROM ruad.dns_check), 600);
SELECT isnt((t.one('dns')).key, (SELECT key FROM before), 'another error is another one');

-- A reporter that stops.
SELECT t.take(VARIADIC ARRAY(SELECT t.mail(t.report('corp.example', E'Evil\r\nCorp \u202e', 's' || d, t.day(d),
	jsonb_build_array(t.record('192.0.2.1', 200, 'pass', 'pass')))) FROM generate_series(-60, -20) d));
SELECT is(t.sum_up(), 0::bigint, 'summed up');
SELECT matches((t.one('silent_reporter')).key, '^silent_reporter:evil-corp-[0-9a-f]{8}$', 'a reporter that stopped is found');
SELECT is((t.one('silent_reporter')).evidence, format('Evil  Corp  used to report every day, but not after %s.',
	left(api.iso(t.day(-20)), 10)), 'in one line');
SELECT is_empty($$SELECT key FROM ruad.report_conditions() WHERE concat(title, evidence, action, domain, source)
	~ '[\u0001-\u001f\u202e]'$$, 'no text has what a line must not have');

-- The bounds of a pass rate that fell, the first and last days of the week and of the four weeks before it, and days
-- beyond, which would turn it round.
SELECT ruad.set_label('ip:192.0.2.' || n, 'mine', NULL, 'kim', 'cli') FROM generate_series(77, 80) n;
CREATE FUNCTION t.rate(domain text, day integer, messages integer, fail integer) RETURNS jsonb LANGUAGE sql AS $$
	SELECT t.mail(t.report(domain, 'Google', 'rate' || day, (api.complete_until() + day)::timestamp AT TIME ZONE 'UTC',
		jsonb_build_array(t.record('192.0.2.77', messages - fail, 'pass', 'pass'), t.record('192.0.2.77', fail, 'fail', 'fail')))) $$;
SELECT is((SELECT count(*) FROM (VALUES
	('least', -36, 1000, 1000), ('least', -35, 100, 1), ('least', -8, 100, 1), ('least', -7, 25, 1), ('least', -1, 25, 2),
	('least', 0, 1000, 0), ('few', -35, 200, 0), ('few', -1, 49, 49), ('young', -8, 199, 0), ('young', -7, 50, 50),
	('less', -8, 200, 2), ('less', -7, 50, 3), ('less', -6, 50, 2), ('much', -8, 200, 0), ('much', -7, 50, 10),
	('nearly', -8, 200, 0), ('nearly', -7, 100, 19), ('none', -8, 0, 0), ('none', -7, 50, 50)) v(name, day, messages, fail),
	t.take(t.rate(v.name || '.rate.example', v.day, v.messages, v.fail))), 19::bigint, 'seven domains, of which one had no message before');
CREATE FUNCTION t.rates() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', split_part(c.domain, '.', 1), c.level, c.severity, substring(c.evidence FROM '^[0-9.]+'),
		substring(c.evidence FROM 'and ([0-9.]+)')), ', ' ORDER BY c.domain)
	FROM ruad.pass_rate_conditions() c WHERE c.domain LIKE '%.rate.example' $$;
SELECT is(t.rates(), 'least 1 warning 94.0 99.0, much 2 error 80.0 100.0, nearly 1 warning 81.0 100.0',
	'five points of 50 messages, after 200, are a fall');
SELECT ruad.notices_look(true, '[]', 0, 0);
UPDATE ruad.notice SET reference = CASE key WHEN 'pass_rate:least.rate.example' THEN 0.97 WHEN 'pass_rate:much.rate.example'
	THEN 0.829 ELSE 0.84 END WHERE kind = 'pass_rate';
SELECT is(t.rates(), 'least 1 warning 94.0 97.0, nearly 1 warning 81.0 84.0', 'it is over within three points');
UPDATE ruad.notice SET state = 'resolved' WHERE kind = 'pass_rate';
SELECT is(t.rates(), 'least 1 warning 94.0 99.0, much 2 error 80.0 100.0, nearly 1 warning 81.0 100.0',
	'then the four weeks count again');

-- New sources: how new, after how long, and how much they must send.
SELECT is((SELECT count(*) FROM (VALUES ('a', -21, -6, 78, 5), ('b', -22, -7, 79, 5), ('c', -21, -6, 78, 4),
	('d', -20, -6, 80, 5), ('e', -30, -6, 79, 5)) v(name, base, new, ip, messages), t.take(
	t.mail(t.report(v.name || '.new.example', 'Google', 'base', t.day(v.base), jsonb_build_array(
		t.record('192.0.2.77', 10, 'pass', 'pass')))),
	t.mail(t.report(v.name || '.new.example', 'Google', 'new', t.day(v.new), jsonb_build_array(
		t.record('192.0.2.' || v.ip, v.messages, 'pass', 'pass')))))), 10::bigint, 'five domains');
SELECT is((SELECT string_agg(c.key, ' ' ORDER BY c.key) FROM ruad.report_conditions() c WHERE c.kind = 'new_source'
	AND c.domain LIKE '%.new.example'), 'new_source:a.new.example:ip:192.0.2.78 new_source:e.new.example:ip:192.0.2.79',
	'five messages of the last week, more than two weeks after the first ones of the domain, which others had before');
SELECT * FROM finish();
