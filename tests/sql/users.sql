-- Users who are limited to domains: what each view and each function of the API shows them, and how they cannot escape.
SELECT no_plan();
-- The result of an expression as a user of the page who is limited to domains, or its SQLSTATE.
CREATE FUNCTION t.limited(p_user text, expression text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	answer jsonb;
BEGIN
	PERFORM set_config('ruad.user', p_user, true), set_config('search_path', 'api,dmarc,tap,t', true),
		set_config('role', 'ruad_viewer', true);
	EXECUTE 'SELECT to_jsonb(' || expression || ')' INTO answer;
	PERFORM set_config('role', 'none', true), set_config('ruad.user', '', true);
	RETURN answer;
EXCEPTION WHEN OTHERS THEN
	RETURN to_jsonb(SQLSTATE);
END $$;
-- The same as ruad-web does it for users without limits.
CREATE FUNCTION t.unlimited(expression text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	answer jsonb;
BEGIN
	PERFORM set_config('search_path', 'api,dmarc,tap,t', true), set_config('role', 'ruad_web', true);
	EXECUTE 'SELECT to_jsonb(' || expression || ')' INTO answer;
	PERFORM set_config('role', 'none', true);
	RETURN answer;
END $$;
CREATE FUNCTION t.mine(id text, day integer, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT t.mail(t.report('mine.example', 'Both', id, t.day(day), jsonb_build_array(
		t.record('192.0.2.1', 5, 'pass', 'fail'), t.record('192.0.2.2', 3, 'fail', 'fail')), more)) $$;
CREATE FUNCTION t.theirs(id text, day integer, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT t.mail(t.report('theirs.example', 'Both', id, t.day(day), jsonb_build_array(
		t.record('192.0.2.1', 700, 'pass', 'pass'), t.record('203.0.113.66', 7000, 'fail', 'fail',
			'{"notes": [{"code": "V1", "path": "p", "raw": "secret"}]}')), more)) $$;
GRANT USAGE ON SCHEMA t, tap TO ruad_viewer, ruad_web;

-- Two domains, of which one has a reporter, an address, a source and labels of its own.
SELECT is((SELECT count(*) FROM t.take(t.mine('m-1', -3), t.mine('m-2', -4), t.theirs('x-1', -3), t.theirs('x-2', -20),
	t.mail(t.report('theirs.example', 'Secret', 'x-3', t.day(-2), jsonb_build_array(t.record('203.0.113.67', 70, 'fail',
		'fail')))),
	t.mail(t.report('deep.mine.example', 'Both', 'd-1', t.day(-2), jsonb_build_array(t.record('192.0.2.3', 1, 'pass',
		'pass')))),
	t.mail(t.failure('{"header_from": "mine.example", "source_ip": "192.0.2.1"}')),
	t.mail(t.failure('{"header_from": "theirs.example", "source_ip": "203.0.113.66"}')),
	t.mail(t.failure('{"source_ip": "203.0.113.66"}')),
	t.mail(t.tls(t.tls_content('Both', t.day(-3), '{mine.example}'))),
	t.mail(t.tls(t.tls_content('Both', t.day(-4), '{mine.example,theirs.example}'))),
	t.mail(t.tls(t.tls_content('Secret', t.day(-5), '{theirs.example}'))),
	t.mail(t.unreadable('xml', 'secret')))), 13::bigint, 'mails of both domains');
SELECT is(t.sum_up(), 0::bigint, 'summed up');
SELECT ruad.set_excluded(true, (SELECT id FROM ruad.report WHERE report_id = 'm-2'), NULL, NULL, 'mine', 'kim');
SELECT ruad.set_excluded(true, (SELECT id FROM ruad.report WHERE report_id = 'x-2'), NULL, NULL, 'secret', 'kim');
SELECT is(t.sum_up(), 0::bigint, 'and after an exclusion');
INSERT INTO ruad.address (source_ip, looked_up_at, rdns, rdns_domain, asn) VALUES
	('192.0.2.1', now(), 'a.isp.example', 'isp.example', 1), ('192.0.2.2', now(), NULL, NULL, 2),
	('203.0.113.66', now(), 'a.secret.example', 'secret.example', 66), ('203.0.113.67', now(), NULL, NULL, 67);
SELECT ruad.set_label(s, 'mine', 'secret' || s, 'kim', 'cli') FROM unnest('{domain:isp.example,as:2,as:1,domain:secret.example,
	as:66,ip:203.0.113.67,ip:192.0.2.2}'::text[]) s;
INSERT INTO ruad.dns_check (domain_id, checked_at, expires_at, result) SELECT id, now(), 'infinity', '{"ok": true,
	"findings": [{"code": "x", "severity": "error", "text": "secret"}], "spf": {"ranges": [{"range": "192.0.2.0/24",
	"qualifier": "+"}]}}' FROM ruad.domain;
INSERT INTO ruad.dns_version (domain_id, kind, name, since, value, is_first)
SELECT id, 'spf', name, now(), 'v=spf1 include:' || name, true FROM ruad.domain;
SELECT ruad.user_set('mia', true, 'viewer', '{MINE.example.}', 'kim');
SELECT ruad.user_set('ed', true, 'editor', '{*.mine.example,nosuch.example}', 'kim');
SELECT ruad.user_set('boss', true, 'admin', NULL, 'kim');

-- The API: without a filter a limited user gets what others get with a filter by the domain, but for the record that is
-- proposed: it has the recipients of mails.
CREATE TEMP TABLE calls (call text);
INSERT INTO calls VALUES ('summary(%s)'), ('timeseries(%s)'), ('domains(%s, page())'), ('attention(%s)'),
	('sources(%s, page())'), ('sources(%s, page(), ''ip'')'), ('sources(%s, page(), ''asn'')'),
	('sources(%s, page(), ''rdns'')'), ('sources(%s, page(), ''auth_domain'')'), ('source(''domain:isp.example'', %s)'),
	('source_ips(''domain:isp.example'', %s, page())'), ('source_identifiers(''domain:isp.example'', %s, page())'),
	('source_reporters(''domain:isp.example'', %s, page())'), ('records(%s, page())'), ('reports(%s, page())'),
	('reporters(%s, page())'), ('failures(%s, page())'), ('tls_timeseries(%s)'),
	('csv(''sources'', sources(%s, page()))'), ('csv(''domains'', domains(%s, page()))'),
	('csv(''reporters'', reporters(%s, page()))'), ('csv(''timeseries'', timeseries(%s))'),
	('domain(''mine.example'', %s) - ''next_record'''), ('impact(''mine.example'', %s)'), ('domain_dns(''mine.example'', %s)');
SELECT is(t.limited('mia', format(call, 'filter()')), t.unlimited(format(call, 'filter(p_domain => ''{mine.example}'')')),
	'limited as by a filter: ' || call) FROM calls;
SELECT isnt(t.unlimited('summary(filter())'), t.unlimited('summary(filter(p_domain => ''{mine.example}''))'),
	'which makes a difference');
SELECT is(t.limited('mia', format(call, 'filter(p_domain => ''{theirs.example}'')')),
	t.limited('mia', format(call, 'filter(p_domain => ''{nosuch.example}'')')), 'a forbidden domain is an unknown one: ' || call)
FROM calls;
SELECT is(t.limited('mia', format(call, quote_literal('theirs.example'))), t.limited('mia', format(call,
	quote_literal('nosuch.example'))), 'as is one that is named: ' || call)
FROM (VALUES ('domain(%s, filter())'), ('impact(%s, filter())'), ('domain_dns(%s, filter())')) c(call);
SELECT is(t.limited('mia', format(call, key)), NULL, format('%s of another is unknown', call))
FROM (VALUES ('report(%s)', (SELECT id FROM ruad.report WHERE report_id = 'x-1')),
	('report_xml(%s)', (SELECT id FROM ruad.report WHERE report_id = 'x-1')),
	('report(%s)', (SELECT id FROM ruad.report WHERE report_id = 'x-2')),
	('report_records(%s, filter(), page())', (SELECT id FROM ruad.report WHERE report_id = 'x-1')),
	('failure(%s)', (SELECT f.id FROM ruad.failure f JOIN ruad.domain d ON d.id = f.domain_id
		WHERE d.name LIKE 'theirs%')),
	('failure(%s)', (SELECT id FROM ruad.failure WHERE domain_id = 0)),
	('tls_report(%s)', (SELECT id FROM ruad.tls WHERE policies = 2))) c(call, key);
SELECT is(t.limited('mia', format('source(%L, filter())', key)), t.limited('mia', 'source(''ip:198.51.100.99'', filter())'),
	'a source of another is unknown: ' || key)
FROM unnest('{ip:203.0.113.66,ip:203.0.113.67,domain:secret.example,as:66}'::text[]) key;
SELECT is(t.limited('mia', format('search(%L)', q)), '{"items": []}', 'search does not find ' || q)
FROM unnest('{theirs,secret,203.0.113.66,x-1,Secret,mine.example.nosuch}'::text[]) q;
SELECT is(t.limited('mia', 'search(''mine.example'')') #>> '{items,0,key}', 'mine.example', 'it finds the own domain');
SELECT is(t.limited('mia', format('report(%s) #>> ''{exclusion,reason}''', id)), to_jsonb('mine'::text), 'who excluded an own report is visible')
FROM ruad.report WHERE report_id = 'm-2';
SELECT is(t.limited('mia', format('report(%s)', id)) -> 'mail', 'null', 'mails are invisible') FROM ruad.report
WHERE report_id = 'm-1';
SELECT is(t.limited('mia', 'tls_summary(filter())') #>> '{totals,successful}', '10652', 'own policies of TLS reports count');
SELECT is(t.limited('mia', 'tls_summary(filter())') ->> 'reports', '1', 'reports with policies of others do not');
SELECT is(t.limited('mia', f), '"42501"', f || ' is refused') FROM unnest('{metrics(),notice_numbers(),ready(),user_grant(''mia''),"audit(filter(), page())",token(''00''),token_used(''00''),
	"audit_add(''login'', ''x'', ''page'', NULL, NULL, NULL, NULL)",
	"set_label(''ip:192.0.2.1'', ''mine'', NULL, ''mia'', ''page'')","set_label(''ip:192.0.2.1'', ''mine'', NULL, ''mia'', ''cli'')"}'::text[]) f;

-- The views: no row of any has a word of the other domain.
CREATE FUNCTION t.view_rows(p_user text) RETURNS TABLE (name text, n bigint, leak text) LANGUAGE plpgsql AS $$
DECLARE
	found jsonb;
BEGIN
	FOR name IN SELECT format('%s.%I', relnamespace::regnamespace, relname) FROM pg_class
		WHERE relnamespace IN ('dmarc'::regnamespace, 'api'::regnamespace) AND relkind = 'v' ORDER BY 1 LOOP
		found := t.limited(p_user, format('(SELECT jsonb_agg(x) FROM %s x)', name));
		n := CASE jsonb_typeof(found) WHEN 'array' THEN jsonb_array_length(found) WHEN 'string' THEN -1 ELSE 0 END;
		leak := substring(found::text FROM '(theirs|Secret|secret\.example|203\.0\.113\.6[67]|x-[123]|"secret")');
		RETURN NEXT;
	END LOOP;
END $$;
CREATE TEMP TABLE visible AS SELECT * FROM t.view_rows('mia');
SELECT is(leak, NULL, 'no leak in ' || name) FROM visible WHERE name NOT IN ('dmarc.dns_checks', 'dmarc.dns_findings');
SELECT is(t.limited('mia', 'array(SELECT domain FROM dmarc.dns_findings UNION ALL SELECT domain FROM dmarc.dns_checks)'),
	'["mine.example", "mine.example"]', 'nor in the checks of the DNS');
SELECT set_eq($$SELECT name, n FROM visible WHERE n > 0$$, $$VALUES ('api.any_report', 2), ('api.evaluation', 2),
	('api.excluded_records', 2),
	('api.facet', 2), ('api.own_range', 1), ('api.seen', 2), ('api.sum_day', 2), ('api.sum_month', 2), ('dmarc.addresses', 2), ('dmarc.daily', 2),
	('dmarc.definitions', 1), ('dmarc.dns_checks', 1), ('dmarc.dns_findings', 1), ('dmarc.dns_history', 1), ('dmarc.domains', 1),
	('dmarc.excluded_reports', 1), ('dmarc.failure_reports', 1), ('dmarc.label_log', 4), ('dmarc.labels', 4),
	('dmarc.monthly', 2), ('dmarc.policies', 1), ('dmarc.records', 2), ('dmarc.reporters', 1), ('dmarc.reports', 1),
	('dmarc.schema_version', 13), ('dmarc.seen', 2), ('dmarc.sender_facts', 2), ('dmarc.senders', 2),
	('dmarc.sources_daily', 2), ('dmarc.spf_ranges', 1),
	('dmarc.tls_failures', 4), ('dmarc.tls_policies', 2), ('dmarc.tls_reports', 1)$$, 'views have the rows of the domain');
SELECT set_eq($$SELECT name FROM visible WHERE n < 0$$, $$VALUES ('dmarc.audit_log'), ('dmarc.exclusion_log'),
	('dmarc.tokens')$$, 'three are refused');
SELECT set_eq($$SELECT name FROM visible WHERE n = 0 AND name <> 'dmarc.notes'$$, $$VALUES ('api.empty_spf'), ('api.own_name'), ('api.spf_service'), ('api.stale'),
	('api.unsummed'), ('api.waiting'), ('dmarc.intake'), ('dmarc.mails'), ('dmarc.record_dkim'), ('dmarc.record_spf'),
	('dmarc.record_overrides'), ('dmarc.services')$$, 'mails are invisible');
SELECT is((SELECT count(*) FROM t.view_rows('nobody') WHERE n > 0 AND name NOT IN ('dmarc.definitions',
	'dmarc.schema_version')), 0::bigint, 'a user without a grant sees nothing as ruad_viewer');
SELECT is((SELECT count(*) FROM t.view_rows('') WHERE n > 0 AND name NOT IN ('dmarc.definitions', 'dmarc.schema_version')),
	0::bigint, 'nor does no user');

-- What waits to be summed, or is stale, is limited as well.
SELECT is((SELECT count(*) FROM t.take(t.mine('m-9', -1), t.theirs('x-9', -1))), 2::bigint, 'two new reports');
SELECT is(t.limited('mia', format(call, 'filter()')), t.unlimited(format(call, 'filter(p_domain => ''{mine.example}'')')),
	'before sums, limited as by a filter: ' || call)
FROM calls WHERE call ~ '^(summary|timeseries|sources|records|reports)';
SELECT is((SELECT string_agg(DISTINCT leak, ',') FROM t.view_rows('mia') WHERE name !~ 'dns'), NULL, 'no view leaks');

-- Patterns name the domains below, also new ones, and not the domain itself.
SELECT is(t.limited('ed', 'array(SELECT domain FROM dmarc.domains ORDER BY 1)'), '["deep.mine.example"]', 'a pattern');
INSERT INTO ruad.domain (name) VALUES ('new.mine.example'), ('notmine.example'), ('x.notmine.example');
SELECT is(t.limited('ed', 'array(SELECT domain FROM dmarc.domains ORDER BY 1)'), '["deep.mine.example", "new.mine.example"]',
	'a new domain below');

-- Labels: of visible sources, by editors.
SELECT is(api.set_label(source, 'not_mine', NULL, name, 'page') IS NOT NULL, want, format('%s labels %s: %s', name, source,
	want))
FROM (VALUES ('mia', 'ip:192.0.2.1', false), ('ed', 'ip:192.0.2.3', true), ('ed', 'ip:192.0.2.1', false),
	('ed', 'ip:198.51.100.99', false), ('ed', 'domain:secret.example', false), ('boss', 'domain:secret.example', true),
	('without', 'domain:secret.example', true)) l(name, source, want);

-- Grants.
SELECT is(t.words(format('SELECT ruad.user_set(%s, ''kim'')', arguments)), '22023 ' || want || ' / ', want)
FROM (VALUES ('''mia'', true, ''viewer'', NULL', 'user "mia" has a role already: say set'),
	('''new'', false, ''viewer'', NULL', 'user "new" has no role yet: say add'),
	('''new'', true, ''admin'', ''{a.example}''', 'an admin is not limited to domains'),
	('''mia'', false, ''admin'', NULL', 'an admin is not limited to domains'),
	('''new'', true, ''viewer'', ''{a example}''', '"a example" is neither a domain nor a pattern such as *.example.org'),
	('''new'', true, ''viewer'', ''{a.*.example}''', '"a.*.example" is neither a domain nor a pattern such as *.example.org'),
	('''new'', true, ''viewer'', ''{""}''', '"" is neither a domain nor a pattern such as *.example.org')) w(arguments, want);
SELECT is(api.user_grant('mia'), '{"role": "viewer", "domains": ["mine.example"]}', 'a grant as ruad-web reads it');
SELECT is(api.user_grant('boss'), '{"role": "admin", "domains": null}', 'one of all domains');
SELECT is(api.user_grant('without'), NULL, 'none');

SELECT is((SELECT string_agg(concat_ws(' ', action, user_name, object, detail), ', ' ORDER BY id) FROM dmarc.audit_log
	WHERE action LIKE 'user%' AND object = 'mia'), 'user_add kim mia {"role": "viewer", "domains": ["mine.example"]}',
	'it is in the audit log');

-- Logins of auditors: the session's user decides, whatever it sets.
SELECT ruad.auditor_add('vera', NULL);
CREATE FUNCTION t.as_vera(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT x FROM dblink(format('host=%s user=vera dbname=%I', split_part(current_setting('unix_socket_directories'),
		',', 1), current_database()), statement) AS r(x text));
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT is(t.as_vera('SELECT count(*) FROM dmarc.domains'), (SELECT count(*)::text FROM ruad.domain), 'an auditor sees all');
SELECT ruad.user_set('vera', true, 'viewer', '{mine.example}', 'kim');
SELECT is(t.as_vera(statement), want, 'limited: ' || statement)
FROM (VALUES ('SELECT string_agg(domain, '','') FROM dmarc.domains', 'mine.example'),
	('SELECT count(*) FROM dmarc.reports WHERE domain <> ''mine.example''', '0'),
	('SELECT set_config(''ruad.user'', ''ed'', false) FROM dmarc.domains WHERE domain = ''deep.mine.example''', NULL),
	('SET ruad."user" = ''ed''; SELECT string_agg(domain, '','') FROM dmarc.domains', 'mine.example'),
	('SET row_security = off; SELECT string_agg(domain, '','') FROM dmarc.domains', '42501'),
	('SELECT string_agg(reason, '','') FROM dmarc.exclusion_log', '42501'),
	('SELECT count(*) FROM ruad.report', '42501'), ('SELECT count(*) FROM ruad.report_default', '42501'),
	('SELECT ruad.granted_domains()', '42501'), ('SET ROLE ruad_web; SELECT 1', '42501'),
	('SET ROLE ruad_auditor; SELECT 1', '42501'), ('SET SESSION AUTHORIZATION ed; SELECT 1', '22023'),
	('SELECT count(*) FROM dmarc.records WHERE 1 / (count - 7000) > 0', '0'),
	('SELECT count(*) FROM dmarc.addresses WHERE source_name::integer > 0', '22P02')) w(statement, want);
SELECT ruad.user_set('vera', false, NULL, '{*}', 'kim');
SELECT is(t.as_vera('SELECT count(*) FROM dmarc.domains'), (SELECT count(*)::text FROM ruad.domain), 'not limited any more');
SELECT ruad.user_set('vera', false, NULL, '{mine.example}', 'kim');
SELECT is(t.words('SELECT ruad.user_remove(''vera'', ''kim'')'),
	'22023 auditor "vera" would read all domains: run ruad auditor remove first / ', 'removing a role opens nothing to a login');
SELECT ruad.auditor_remove('vera');
SELECT ruad.user_remove('vera', 'kim');
SELECT ruad.auditor_add('vera', NULL);
SELECT is(t.as_vera('SELECT count(*) FROM dmarc.domains'), (SELECT count(*)::text FROM ruad.domain), 'a new one is not limited');
SELECT ruad.auditor_remove('vera');
SELECT is(t.words('SELECT ruad.user_remove(''vera'', ''kim'')'), '22023 user "vera" has no role / ', 'a role is removed once');

-- The plans of roles without limits are those without policies.
CREATE FUNCTION t.plan(as_role text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	lines text := '';
BEGIN
	PERFORM set_config('role', as_role, true);
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		lines := lines || line || E'\n';
	END LOOP;
	PERFORM set_config('role', 'none', true);
	RETURN lines;
END $$;
SELECT is(t.plan(role, query), t.plan('none', query), format('%s plans as a superuser: %s', role, query))
FROM unnest('{ruad_web,ruad_auditor}'::text[]) role, (VALUES
	('SELECT * FROM dmarc.failure_reports WHERE domain_id = 1 AND day >= ''2026-01-01'''),
	('SELECT * FROM dmarc.records WHERE source_ip = ''192.0.2.1'' AND day = ''2026-01-01'''),
	('SELECT * FROM dmarc.reports WHERE day >= ''2026-01-01'' ORDER BY day, begin, id LIMIT 5'),
	('SELECT * FROM dmarc.addresses WHERE rdns ILIKE ''%x%''')) q(query);
SELECT * FROM finish();
