-- Limits of what a command or the page may say: the longest that is taken, and what is cut.
SELECT no_plan();
CREATE FUNCTION t.x(n integer) RETURNS text LANGUAGE sql AS $$ SELECT repeat('x', n) $$;

-- The audit log.
SELECT lives_ok($$SELECT api.audit_add('export', t.x(300), 'token', t.x(70), t.x(70), t.x(1100), to_jsonb(t.x(19998)))$$,
	'details of 20000 bytes are an entry');
SELECT throws_ok($$SELECT api.audit_add('export', 'ann', 'page', NULL, NULL, NULL, to_jsonb(t.x(19999)))$$, '22023', NULL,
	'a byte more is none');
SELECT ruad.audit('reprocess', 'kim', t.x(1100), NULL);
SELECT results_eq('SELECT length(user_name), length(token), length(client), length(object) FROM ruad.audit_log ORDER BY id',
	'VALUES (255, 63, 64, 1000), (3, NULL, NULL, 1000)', 'names, addresses and objects are cut');

-- Domains of a grant.
SELECT is(ruad.domain_words(ARRAY['*.' || t.x(253)]), ARRAY['*.' || t.x(253)], 'a pattern of 255 characters');
SELECT throws_ok($$SELECT ruad.domain_words(ARRAY['*.' || t.x(254)])$$, '22023', NULL, 'a longer one is none');
SELECT is(ruad.domain_words('{b.example.,*,A.example}'), NULL, 'a star among them is all');

-- Labels.
SELECT is(ruad.set_label('domain:' || t.x(293), 'mine', t.x(4000), 'kim', 'cli'), true, 'a source of 300 bytes, a note of 4000');
SELECT throws_ok($$SELECT ruad.set_label('domain:' || t.x(294), 'mine', NULL, 'kim', 'cli')$$, '22023', NULL, 'a longer source is none');
SELECT is(t.words($$SELECT ruad.set_label('domain:' || t.x(294), 'mine', NULL, 'kim', 'cli')$$), '22023 "domain:' || t.x(93)
	|| '" is not a source: service:NAME, domain:NAME, as:NUMBER or ip:ADDRESS / source', 'a hundred characters of it are told');
SELECT is(t.words($$SELECT ruad.set_label('as:1', t.x(101), NULL, 'kim', 'cli')$$), '22023 "' || t.x(100)
	|| '" is not one of mine, forwarder, not_mine / label', 'and of a label');
-- Of four labels of an address the most specific one applies.
SELECT ruad.set_label(v.source, v.label, NULL, 'kim', 'cli') FROM (VALUES ('as:1', 'mine'), ('service:esp', 'forwarder'),
	('domain:a.example', 'not_mine'), ('ip:192.0.2.1', 'mine')) v(source, label);
SELECT is(ARRAY[ruad.label_of('192.0.2.1', 'esp', 'a.example', 1), ruad.label_of('192.0.2.2', 'esp', 'a.example', 1),
	ruad.label_of('192.0.2.2', 'esp', NULL, 1), ruad.label_of('192.0.2.2', NULL, NULL, 1), ruad.label_of('192.0.2.2', NULL, NULL, 2)],
	'{mine,not_mine,forwarder,mine,NULL}', 'of the address, its domain, its service, its network');

-- Exclusions.
SELECT throws_ok($$SELECT ruad.set_excluded(true, 1, NULL, NULL, t.x(4001), 'kim')$$, '22023', 'the reason is longer than 4000 bytes',
	'a reason has 4000 bytes');
SELECT throws_ok($$SELECT ruad.set_excluded(true, 1, NULL, NULL, t.x(4000), 'kim')$$, '22023', 'there is no aggregate report 1',
	'but no report');
SELECT throws_ok($$SELECT ruad.set_excluded(true, NULL, t.x(101), '2026-01-01', NULL, 'kim')$$, '22023',
	'there is no reporter "' || t.x(100) || '"', 'a hundred characters of a reporter are told');

-- Kept mail, in bytes of all together.
INSERT INTO ruad.raw (mail, sha256, raw) VALUES (1, '', decode(repeat('00', 97000), 'hex'));
SET ruad.max_raw = 100000;
SELECT lives_ok('SELECT ruad.check_raw(3000)', 'up to the quota mail is kept');
SELECT throws_ok('SELECT ruad.check_raw(3001)', '53400', NULL, 'not a byte more');
SELECT is(ruad.raw_beyond(1000), 97000::numeric, 'what is kept is summed');
RESET ruad.max_raw;
SELECT lives_ok('SELECT ruad.check_raw(9000000)', 'without a quota there is no limit');

-- The intake of a report: each fault by itself.
CREATE FUNCTION t.fault(more jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', j.status, j.code) FROM t.mails('{}'::jsonb) m, unnest(ruad.judge_aggregate(m, ARRAY[
		jsonb_populate_record(NULL::ruad.new_item, jsonb_build_object('mail_no', 1, 'item_no', 1, 'kind', 'aggregate', 'domain', 'a.example',
		'begin', '2026-01-01Z', 'end', '2026-01-02Z', 'sha256', '\x00', 'announced', 0, 'records', 0, 'messages', 0, 'pass', 0) || more)])) j $$;
SELECT is(t.fault(more), want, name) FROM (VALUES
	('a report without a fault', '{}'::jsonb, ''),
	('a domain of 255 bytes', jsonb_build_object('domain', t.x(255)), ''),
	('one of 256 bytes', jsonb_build_object('domain', t.x(256)), 'quarantined incomplete'),
	('an empty domain', '{"domain": ""}', 'quarantined incomplete'), ('no domain', '{"domain": null}', 'quarantined incomplete'),
	('a domain of one byte', '{"domain": "x"}', ''),
	('no begin', '{"begin": null}', 'quarantined incomplete'), ('no end', '{"end": null}', 'quarantined incomplete'),
	('no checksum', '{"sha256": null}', 'quarantined incomplete'),
	('other records than announced', '{"announced": 1}', 'quarantined inconsistent'),
	('none announced', '{"announced": null}', 'quarantined inconsistent'),
	('fewer than no messages', '{"messages": -1}', 'quarantined inconsistent'),
	('fewer than none that pass', '{"pass": -1}', 'quarantined inconsistent'),
	('fewer than no records', '{"announced": -1, "records": -1}', 'quarantined inconsistent'),
	('no number of messages', '{"messages": null}', 'quarantined inconsistent'),
	('no number of those that pass', '{"pass": null}', 'quarantined inconsistent'),
	('no number of records', '{"announced": null, "records": null}', 'quarantined inconsistent')) v(name, more, want);

-- Values of reports that are received as JSON.
SELECT is(ARRAY[ruad.json_count('0'), ruad.json_count('-1'), ruad.json_count('1.5'), ruad.json_count('65535', 65535),
	ruad.json_count('65536', 65535), ruad.json_count('9223372036854775807'), ruad.json_count('9223372036854775808')],
	'{0,NULL,NULL,65535,NULL,9223372036854775807,NULL}', 'an integer from 0 to the most');
SELECT is((SELECT count(*) FROM unnest('{65535,65536}'::integer[]) n, t.take(t.mail(t.failure(jsonb_build_object('source_port', n,
	'subject', n::text))))), 2::bigint, 'failure reports with ports');
SELECT is((SELECT string_agg(concat_ws(' ', subject, source_port), ', ' ORDER BY subject) FROM ruad.failure), '65535 65535, 65536',
	'a port has sixteen bits');
SELECT is(ARRAY(SELECT ruad.failure_domain(jsonb_build_object('header_from', v.name, 'dkim_domain', 'd')) FROM (VALUES (t.x(256)),
	(t.x(255)), (''), ('h')) v(name)), ARRAY['d', t.x(255), 'd', 'h'], 'the domain of a failure report has 1 to 255 bytes');
SELECT is(ruad.tls_domains(t.tls_content(domains => ARRAY[t.x(256), t.x(255), '', 'b', 'a', 'b'])), ARRAY['a', 'b', t.x(255)],
	'as have those of a TLS report, each once');

-- Which months may have tables of their own, and which sums are exact in which type.
SELECT is(ARRAY(SELECT ruad.may_have_month(m) FROM (VALUES (date '2011-12-31'), ('2012-01-01'), (ruad.day_of(now()) + 61),
	(ruad.day_of(now()) + 62)) v(m)), '{f,t,t,f}', 'months from 2012 on, until 62 days ahead');
SELECT is(ARRAY[api.exact_type(999999999999999), api.exact_type(1000000000000000)], '{"double precision",numeric}',
	'sums below ten to the fifteenth are exact in double precision');
SELECT is(ARRAY[api.matters(5, 500), api.matters(5, 501), api.matters(4, 4)], '{t,f,f}', 'what matters: five, and one in a hundred');

-- The service of an address is found in its last fifty records; the version is that of the last migration.
INSERT INTO ruad.service (key, name, type) VALUES ('esp', 'Esp', 'marketing');
INSERT INTO ruad.service_rule (kind, value, service) VALUES ('spf', 'esp.test', 'esp');
CREATE FUNCTION t.records(ip text, n integer, auth jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_agg(t.record(ip, k, 'fail', 'fail', jsonb_build_object('auth_results', auth))) FROM generate_series(1, n) k $$;
SELECT is((SELECT count(*) FROM (VALUES (-2, '192.0.2.11', 1, true), (-3, '192.0.2.11', 50, false), (-2, '192.0.2.12', 49, false),
	(-3, '192.0.2.12', 1, true), (-2, '192.0.2.13', 50, false), (-3, '192.0.2.13', 1, true)) v(day, ip, n, passes),
	t.take(t.mail(t.report('served.example', 'Org', ip || day, t.day(day), t.records(ip, n, CASE WHEN passes
		THEN '{"spf": [{"domain": "esp.test", "result": "pass"}]}' ELSE '{}' END::jsonb))))), 6::bigint, 'reports on three addresses');
SELECT is((SELECT string_agg(coalesce(s.service, '-'), ' ' ORDER BY n) FROM generate_series(1, 3) n,
	ruad.service_of(('192.0.2.1' || n)::inet, NULL, NULL) s), 'esp esp -', 'the last, the fiftieth, the one before it');
UPDATE ruad.schema_version SET app_version = 'v' || version;
SELECT is(api.meta() ->> 'app_version', (SELECT 'v' || max(version) FROM ruad.schema_version), 'the version of the last migration');
SELECT * FROM finish();
