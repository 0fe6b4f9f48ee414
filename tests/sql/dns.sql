-- Reports against the DNS, by checks that are put in by hand.
SELECT plan(56);
SELECT is((SELECT string_agg(x, ',') FROM t.take(
	t.mail(t.report('corp.example', 'Google', 'g1', t.day(-2), jsonb_build_array(
		t.record('192.0.2.1', 10, 'pass', 'pass',
			'{"header_from": "corp.example", "auth_results": {"dkim": [{"domain": "corp.example", "selector": "S1", '
				'"result": "pass"}, {"domain": "corp.example", "selector": "s1", "result": "pass"}]}}'),
		t.record('192.0.2.9', 7, 'pass', 'fail',
			'{"header_from": "corp.example", "auth_results": {"dkim": [{"domain": "news.corp.example", "selector": '
				'"gone", "result": "pass"}, {"domain": "corp.example", "selector": "forged", "result": "fail"}]}}'),
		t.record('198.51.100.7', 3, 'fail', 'fail', '{"header_from": "corp.example"}'),
		t.record('198.51.100.8', 2, 'fail', 'fail', '{"header_from": "other.example"}'),
		t.record('203.0.113.25', 4, 'pass', 'fail', '{"header_from": "corp.example"}'),
		t.record('2001:db8::5', 1, 'pass', 'fail', '{"header_from": "corp.example"}')))),
	t.mail(t.report('stranger.example', 'Google', 'g2', t.day(-2),
		jsonb_build_array(t.record('192.0.2.1', 5, 'pass', 'pass', '{"header_from": "stranger.example"}'))))) x),
		'1 0 0 0 f,1 0 0 0 f', 'the data is in');
SELECT ruad.enrich_collect();
CREATE FUNCTION t.kept(domain text, result jsonb) RETURNS void LANGUAGE sql AS $$
	SELECT ruad.dns_store(domain, result, 600) $$;
SELECT is(api.domain_dns('corp.example', api.filter()) -> 'check', 'null', 'without a check nothing is claimed');
SELECT is(api.domain_dns('corp.example', api.filter()) #> '{senders,0,in_spf}', 'null', 'nor of a sender');
SELECT is(api.attention(api.filter()) -> 'items', '[]', 'nor does anything want attention');
SELECT is(api.domain_dns('nobody.example', api.filter()), NULL, 'a domain that was never heard of');

-- the order of ranges, qualifiers, and all
SELECT t.kept('corp.example', '{"ok": true, "solicited": true, "findings": [{"code": "x", "severity": "info",
	"place": "a", "text": "\u202eb", "fix": null}], "spf": {"result": "ok", "all": "-", "unlisted": [],
	"ranges": [{"range": "192.0.2.8/29", "qualifier": "-"}, {"range": "192.0.2.0/24", "qualifier": "+"},
	{"range": "198.51.100.0/24", "qualifier": "~"}]}, "mx": [{"host": "mx.corp.example", "preference": 10,
	"addresses": ["203.0.113.25"]}], "dkim": [{"domain": "corp.example", "selector": "s1", "status": "ok"},
	{"domain": "news.corp.example", "selector": "gone", "status": "missing"}, {"domain": "corp.example",
	"selector": "spare", "status": "ok"}]}');
SELECT t.kept('stranger.example', '{"ok": false, "solicited": false, "findings": [{"code": "dmarc_missing",
	"severity": "error", "place": "_dmarc.stranger.example TXT", "text": "there is no record", "fix": "publish one"},
	{"code": "dns_failed", "severity": "error", "place": "p", "text": "t", "fix": null}], "spf": {"result": "none"}}');
SELECT results_eq($$SELECT host(source_ip), in_spf
	FROM api.spf_of('corp.example', '{192.0.2.1,192.0.2.9,198.51.100.7,203.0.113.25,2001:db8::5}')$$,
		$$VALUES ('192.0.2.1', true), ('192.0.2.9', false), ('198.51.100.7', false), ('203.0.113.25', false),
		('2001:db8::5', false)$$, 'the first range decides, then all');
SELECT is((SELECT in_spf FROM api.spf_of('stranger.example', '{192.0.2.1}')), NULL, 'without SPF nothing is known');
SELECT is((SELECT in_spf FROM api.spf_of('never.example', '{192.0.2.1}')), NULL, 'without a check neither');
SELECT t.kept('stranger.example',
	(SELECT result || '{"spf": {"result": "permerror", "all": "-", "unlisted": [], "ranges": []}}' FROM dmarc.dns_checks
		WHERE domain = 'stranger.example'));
SELECT is((SELECT in_spf FROM api.spf_of('stranger.example', '{192.0.2.1}')), NULL,
	'a broken record passes nobody, and fails nobody');
SELECT t.kept('stranger.example',
	(SELECT result || '{"spf": {"result": "ok", "all": "-", "unlisted": ["exists:%{i}.x.example"], "ranges": []}}'
		FROM dmarc.dns_checks WHERE domain = 'stranger.example'));
SELECT is((SELECT in_spf FROM api.spf_of('stranger.example', '{192.0.2.1}')), NULL,
	'a term that depends on the mail might decide');
SELECT t.kept('stranger.example',
	(SELECT result || '{"spf": {"result": "ok", "all": null, "unlisted": [], "ranges": []}}' FROM dmarc.dns_checks
		WHERE domain = 'stranger.example'));
SELECT is((SELECT in_spf FROM api.spf_of('stranger.example', '{192.0.2.1}')), false, 'all that is not said is neutral');

-- own hosts: by label, by name, by MX
SELECT ruad.enrich_store('[{"source_ip": "192.0.2.9", "rdns": "out2.corp.example", "rdns_domain": "corp.example", '
	'"keep": 600}, {"source_ip": "198.51.100.7", "rdns": "host.notcorp.example", "rdns_domain": "notcorp.example", '
		'"keep": 600}]');
SELECT ruad.set_label('ip:2001:db8::5', 'mine', NULL, 'kim', 'cli');
CREATE TEMP TABLE d AS SELECT api.domain_dns('CORP.example.', api.filter()) AS j;
SELECT is((SELECT jsonb_agg(jsonb_build_array(s -> 'source_ip', s -> 'own', s -> 'in_spf', s -> 'messages'))
	FROM d, jsonb_array_elements(j -> 'senders') s),
	'[["192.0.2.9", true, false, 7], ["203.0.113.25", true, false, 4], ["2001:db8::5", true, false, 1], '
	'["198.51.100.7", false, false, 3], ["192.0.2.1", false, true, 10]]',
		'senders: hosts of one''s own outside of SPF first; From of another domain does not count');
SELECT is((SELECT jsonb_agg(jsonb_build_array(s -> 'domain', s -> 'selector', s -> 'status', s -> 'messages'))
	FROM d, jsonb_array_elements(j -> 'selectors') s),
	'[["corp.example", "s1", "ok", 10], ["corp.example", "forged", "unknown", 7], ["news.corp.example", "gone", '
		'"missing", 7]]', 'selectors: each message once, in any case');
SELECT is(j -> 'unused', '[{"domain": "corp.example", "selector": "spare"}]', 'a key that nothing was signed with')
FROM d;
SELECT is(j #>> '{findings,3,text}', 'b', 'what the DNS says is inert') FROM d;
SELECT is((j #> '{findings,0}') - '{text,fix}'::text[],
	'{"code": "own_host_outside_spf", "severity": "error", "place": "192.0.2.9"}',
	'a host of one''s own outside of SPF is a finding, the first') FROM d;
SELECT is(j #>> '{check,findings,0,text}', 'b', 'in the document, too') FROM d;
SELECT is(j -> 'solicited', 'true', 'it asked for reports') FROM d;
SELECT matches(j ->> 'checked_at', '^\d{4}-', 'when it was checked') FROM d;

CREATE TEMP TABLE a AS SELECT no, x
	FROM jsonb_array_elements(api.attention(api.filter(p_others => 'include')) -> 'items') WITH ORDINALITY e(x, no);
SELECT is((SELECT jsonb_agg(jsonb_build_array(x -> 'code', x -> 'domain', x -> 'source_ip') ORDER BY no) FROM a),
	'[["own_host_outside_spf", "corp.example", "192.0.2.9"], ["own_host_outside_spf", "corp.example", "203.0.113.25"],
	["own_host_outside_spf", "corp.example", "2001:db8::5"], ["selector_without_key", "corp.example", null],
	["unsolicited", "stranger.example", null]]',
	'attention: the gravest first; not what is wrong with a stranger''s DNS, nor a selector that only failed');
SELECT is(api.attention(f) -> 'items', '[]', 'attention: nothing of domains whose reports ' || name)
FROM (VALUES ('come after the window', api.filter(p_to => (t.day(-2) AT TIME ZONE 'UTC')::date, p_others => 'include')),
	('came before it', api.filter(p_from => (t.day(-1) AT TIME ZONE 'UTC')::date, p_others => 'include'))) v(name, f);
SELECT is(x ->> 'text', 'out2.corp.example, a host of yours, sent 7 messages as corp.example from 192.0.2.9, which the '
	'SPF of corp.example does not cover: a server with several addresses may leave by the wrong one.', 'in a sentence')
	FROM a WHERE no = 1;
SELECT is(x ->> 'fix', 'Add ip6:2001:db8::5 to the SPF record of corp.example, or bind outgoing mail to an address '
	'that it covers.', 'with what to do') FROM a WHERE no = 3;
SELECT is(jsonb_array_length(api.attention(api.filter(p_domain => '{stranger.example}')) -> 'items'), 1,
	'attention: of a domain');
SELECT t.kept('stranger.example', (SELECT result || '{"solicited": true}' FROM dmarc.dns_checks
	WHERE domain = 'stranger.example'));
SELECT is((SELECT jsonb_agg(i -> 'code')
	FROM jsonb_array_elements(api.attention(api.filter(p_domain => '{stranger.example}')) -> 'items') i),
	'["dns_error"]', 'attention: what is wrong with the DNS of one that asked; that it did not answer is nothing');
SELECT t.kept('stranger.example', (SELECT result || jsonb_build_object('findings', (
	SELECT jsonb_agg(jsonb_build_object('code', 'dmarc_syntax', 'severity', 'error', 'place', repeat('é', 301),
		'text', to_char(n, 'FM00') || repeat('x', 499), 'fix', NULL) ORDER BY n DESC) FROM generate_series(1, 51) n))
	FROM dmarc.dns_checks WHERE domain = 'stranger.example'));
SELECT is((SELECT jsonb_build_array(count(*), min(length(i.x ->> 'text')), max(length(i.x ->> 'text')))
	FROM jsonb_array_elements(api.attention(api.filter(p_domain => '{stranger.example}')) -> 'items') AS i(x)),
	'[50, 802, 802]', 'attention: 50 of 51 findings, with 300 characters of the place and 500 of the text');
SELECT is((SELECT string_agg(substr(i.x ->> 'text', 303, 2), ' ' ORDER BY i.no)
	FROM jsonb_array_elements(api.attention(api.filter(p_domain => '{stranger.example}')) -> 'items') WITH ORDINALITY
	AS i(x, no)), (SELECT string_agg(to_char(n, 'FM00'), ' ' ORDER BY n) FROM generate_series(1, 50) n),
	'attention: equal ones by their text');
SELECT t.kept('stranger.example',
	(SELECT result
		|| '{"findings": [{"code": "spf_many_ranges", "severity": "warning", "place": "p", "text": "t", "fix": null}]}'
			FROM dmarc.dns_checks WHERE domain = 'stranger.example'));
SELECT is((SELECT in_spf FROM api.spf_of('stranger.example', '{192.0.2.1}')), NULL,
	'of more ranges than are kept one might have it');
SELECT is(api.attention(api.filter(p_from => '2020-01-01', p_to => '2020-02-01')) -> 'items', '[]',
	'attention: of a window');
SELECT ruad.set_label('ip:192.0.2.9', 'not_mine', NULL, 'kim', 'cli');
SELECT is((SELECT count(*) FROM jsonb_array_elements(api.attention(api.filter()) -> 'items') i
	WHERE i ->> 'source_ip' = '192.0.2.9'), 0::bigint, 'what is labelled not mine is no host of one''s own');

SELECT ruad.enrich_services('ruad',
	'[{"key": "bulk", "name": "Bulk", "type": "marketing", "rdns": ["notcorp.example"]}]');
SELECT ruad.set_label('service:bulk', 'mine', NULL, 'kim', 'cli');
SELECT is((SELECT s -> 'own' FROM jsonb_array_elements(api.domain_dns('corp.example', api.filter()) -> 'senders') s
	WHERE s ->> 'source_ip' = '198.51.100.7'), 'false', 'a service that one uses is no host of one''s own');

-- sources
SELECT is((SELECT jsonb_object_agg(s ->> 'key', s -> 'in_spf')
	FROM jsonb_array_elements(api.sources(api.filter(p_domain => '{corp.example}'), api.page(),
		p_group => 'ip') -> 'items') s),
	'{"192.0.2.1": true, "192.0.2.9": false, "198.51.100.7": false, "198.51.100.8": false, "203.0.113.25": false, '
		'"2001:db8::5": false}', 'sources: of one domain');
SELECT is((SELECT count(*)
	FROM jsonb_array_elements(api.sources(api.filter(), api.page(), p_group => 'ip') -> 'items') s
	WHERE s -> 'in_spf' <> 'null'), 0::bigint, 'sources: of all domains nothing is said');
SELECT is((SELECT string_agg(s.key, ' ') FROM api.source_spf('ip', '{192.0.2.1}', api.only_domains(api.filter(), d)) s),
	want, 'sources: ' || name)
FROM (VALUES ('one domain that was checked', '{corp.example}'::text[], '192.0.2.1'),
	('nothing is said of two', '{corp.example,stranger.example}', NULL),
	('nor of one that was not checked', '{never.example}', NULL)) v(name, d, want);
SELECT is(api.source_ips('ip:192.0.2.1', api.filter(p_domain => '{corp.example}'), api.page()) #> '{items,0,in_spf}',
	'true', 'addresses of a source');
SELECT is((SELECT s -> 'in_spf'
	FROM jsonb_array_elements(api.sources(api.filter(p_domain => '{corp.example}'), api.page()) -> 'items') s
	WHERE s ->> 'key' = 'domain:corp.example'), 'false', 'a source by organisation');
SELECT is(api.source('ip:192.0.2.1', api.filter(p_domain => '{corp.example}')) -> 'in_spf', 'true', 'one source');
-- many hosts
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.mail(t.report('wide.example', 'Google', 'g3', t.day(-2),
	(SELECT jsonb_agg(t.record(host('192.0.2.0'::inet + n), 1, 'pass', 'fail', '{"header_from": "wide.example"}')
		ORDER BY n DESC) FROM generate_series(1, 201) n)))) x), '1 0 0 0 f', 'a report with 201 addresses');
SELECT is((SELECT jsonb_build_array(count(*), jsonb_agg(s ->> 'source_ip' ORDER BY no) -> 0,
	jsonb_agg(s ->> 'source_ip' ORDER BY no) -> -1)
	FROM jsonb_array_elements(api.domain_dns('wide.example', api.filter()) -> 'senders') WITH ORDINALITY s(s, no)),
	'[200, "192.0.2.1", "192.0.2.200"]', 'senders: 200 of 201, those with as many messages by their address');

SELECT is(t.as_role('ruad_web', 'SELECT api.attention(api.filter())'), 'ok', 'ruad_web may ask');
SELECT is(t.as_role('ruad_auditor', 'SELECT * FROM dmarc.dns_findings'), 'ok', 'auditors may read');

-- Versions of records.
CREATE FUNCTION t.versions(of text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('%s=%s%s%s', h.kind, coalesce(h.value, '-'), CASE WHEN h.is_change THEN '!' ELSE '' END,
		CASE WHEN h.until IS NOT NULL THEN '.' ELSE '' END), ' ' ORDER BY h.kind, h.name, h.since)
	FROM dmarc.dns_history h WHERE h.domain = of $$;
DELETE FROM ruad.dns_version;
SELECT t.kept('corp.example', '{"dmarc": {"name": "_dmarc.corp.example", "record": "v=DMARC1; p=none"},
	"spf": {"result": "ok", "record": "v=spf1 -all"}, "mx": [{"host": "b.test", "preference": 20}, {"host": "a.test",
	"preference": 10}], "dkim": [{"domain": "corp.example", "selector": "s1", "status": "ok", "key_type": "rsa",
	"bits": 1024}], "tls_rpt": {"record": null}}');
SELECT is(t.versions('corp.example'), 'dkim=ok, rsa, 1024 bits dmarc=v=DMARC1; p=none mx=10 a.test, 20 b.test '
	'spf=v=spf1 -all tlsrpt=-', 'the first check keeps what there is, and that something is not');
UPDATE ruad.dns_version SET since = since - interval '1 day';
SELECT t.kept('corp.example', '{"dmarc": {"name": "_dmarc.corp.example", "record": "v=DMARC1; p=none"},
	"spf": {"result": "temperror", "record": null}, "dkim": [{"domain": "corp.example", "selector": "s1",
	"status": "unknown"}], "mx": [], "findings": [{"code": "dns_failed", "severity": "error"}], "tls_rpt":
	{"record": null}}');
SELECT is(t.versions('corp.example'), 'dkim=ok, rsa, 1024 bits dmarc=v=DMARC1; p=none mx=10 a.test, 20 b.test '
	'spf=v=spf1 -all tlsrpt=-', 'what the DNS did not answer is no change');
CREATE FUNCTION t.changed() RETURNS text LANGUAGE plpgsql AS $f$
BEGIN
	PERFORM t.kept('corp.example', '{"dmarc": {"name": "_dmarc.example", "record": "v=DMARC1; p=reject"}, "spf": {"result":
	"ok", "record": "v=spf1 mx -all"}, "dkim": [{"domain": "corp.example", "selector": "s1", "status": "missing"},
	{"domain": "corp.example", "selector": "s2", "status": "ok", "key_type": "ed25519", "bits": 256}],
	"mx": [{"host": "a.test", "preference": 10}, {"host": "b.test", "preference": 20}], "tls_rpt": {"record":
	"v=TLSRPTv1; rua=mailto:a@corp.example"}}');
	RETURN t.versions('corp.example');
END $f$;
SELECT is(t.changed(), 'dkim=ok, rsa, 1024 bits. dkim=-! dkim=ok, ed25519, 256 bits '
	'dmarc=v=DMARC1; p=none. dmarc=-! mx=10 a.test, 20 b.test spf=v=spf1 -all. spf=v=spf1 mx -all! tlsrpt=-. '
	'tlsrpt=v=TLSRPTv1; rua=mailto:a@corp.example!', name)
FROM (VALUES ('changes, and a selector that is new is none; a record above is not its own'),
	('the same again is no change, also with two selectors')) AS v(name);
SELECT is((SELECT value_before FROM dmarc.dns_history WHERE kind = 'spf' AND until IS NULL AND domain = 'corp.example'),
	'v=spf1 -all', 'with the version before');
SELECT is((SELECT count(*) FROM dmarc.dns_history WHERE until < since), 0::bigint, 'each ends when the next begins');
SELECT is(jsonb_array_length(j -> 'history') || ' ' || (j #>> '{history,0,until}' IS NULL), '10 true',
	'the page has them, the newest first') FROM api.domain_dns('corp.example', api.filter()) j;
SELECT is((SELECT string_agg(p ->> 'name', ' ' ORDER BY p ->> 'name' COLLATE "C")
	FROM jsonb_array_elements(api.advice(api.filter()) -> 'items') p WHERE p ->> 'code' = 'dns_changed'),
	'_dmarc.corp.example _smtp._tls.corp.example corp.example s1._domainkey.corp.example', 'each change is a point');
SELECT is((SELECT count(*) FROM jsonb_array_elements(api.advice(api.filter(p_to => api.today() - 10)) -> 'items') p
	WHERE p ->> 'code' = 'dns_changed'), 0::bigint, 'but not in an older window');
SELECT is(t.as_role('ruad_enrich', 'SELECT * FROM ruad.dns_version'), '42501', 'the table is not for ruad_enrich');
-- Two domains, one of which was checked three weeks ago: the week before a check is that of the domain's own.
CREATE FUNCTION t.signed(domain text, age integer) RETURNS jsonb LANGUAGE sql AS $$
	SELECT t.mail(t.report(domain, 'A', 'signed', t.day(age), jsonb_build_array(t.record('192.0.2.1', 2, 'pass', 'fail',
		jsonb_build_object('auth_results', jsonb_build_object('dkim', jsonb_build_array(jsonb_build_object('domain', domain,
			'selector', 'lost', 'result', 'pass')))))))) $$;
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.signed('late.example', -2), t.signed('early.example', -22),
	t.signed('before.example', -22)) x), '1 0 0 0 f,1 0 0 0 f,1 0 0 0 f', 'reports with a selector');
SELECT ruad.enrich_collect();
SELECT ruad.dns_store(d, jsonb_build_object('ok', true, 'solicited', true, 'findings', '[]'::jsonb, 'dkim',
	jsonb_build_array(jsonb_build_object('domain', d, 'selector', 'lost', 'status', 'missing'))), 600)
	FROM unnest('{late.example,early.example,before.example}'::text[]) d;
UPDATE ruad.dns_check c SET checked_at = c.checked_at - interval '20 days' FROM ruad.domain d
	WHERE d.id = c.domain_id AND d.name = 'early.example';
SELECT is((SELECT string_agg(s.domain, ' ' ORDER BY s.domain)
	FROM api.selectors_without_key('{late.example,early.example,before.example}', api.filter()) s),
	'early.example late.example', 'a selector that signed in the week before its domain was checked');
