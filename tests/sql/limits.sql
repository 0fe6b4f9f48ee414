-- Lists and texts at their largest size: one more is left out or refused, and of equal ones the last by name.
SELECT plan(28);
CREATE FUNCTION t.no(n bigint) RETURNS text LANGUAGE sql AS $$ SELECT to_char(n, 'FM000') $$;
CREATE FUNCTION t.list(value jsonb, path text) RETURNS text LANGUAGE sql AS $$
	SELECT format('%s from %s to %s', count(*), (array_agg(x #>> '{}' ORDER BY no))[1],
		(array_agg(x #>> '{}' ORDER BY no DESC))[1])
	FROM jsonb_path_query(value, path::jsonpath) WITH ORDINALITY AS q(x, no) $$;

-- domains and reporters
SELECT is((SELECT count(*) FROM generate_series(1, 11) n, t.take(t.mail(t.report('d' || t.no(n) || '.example', 'Org',
	'r' || n, t.day(-2), jsonb_build_array(t.record('192.0.2.1', 5, 'pass', 'pass')),
	jsonb_build_object('email', 'e' || n % 4 || '@org.example', 'notes',
		(SELECT jsonb_agg(jsonb_build_object('code', 'N' || i)) FROM generate_series(1, 6) i)))))), 11::bigint,
	'eleven domains');
SELECT is(t.list(j, '$.keys[0 to 9]') || ', ' || (j -> 'keys' ->> 10), '10 from d001.example to d010.example, other',
	'series: ten domains and others') FROM api.timeseries(api.filter(), p_by => 'domain') j;
SELECT is(t.list(api.search('.example'), '$.items[*] ? (@.type == "domain").key'),
	'8 from d001.example to d008.example', 'search: eight of a type');
SELECT is(t.list(j, '$.items[0].emails[*]') || ', ' || t.list(j, '$.items[0].notes[*].code'),
	'3 from e1@org.example to e3@org.example, 5 from N1 to N5', 'reporters: three addresses, five codes')
FROM api.reporters(api.filter(), api.page()) j;
CREATE FUNCTION t.points(n integer) RETURNS integer LANGUAGE sql AS $$
	SELECT jsonb_array_length(api.timeseries(api.filter(p_from => '2015-01-01', p_to => '2015-01-01'::date + n))
		-> 'points') $$;
SELECT is(t.points(4000), 4000, 'series: 4000 points');
SELECT matches(t.words('SELECT t.points(4001)'), 'more than 4000 points / bucket$', 'series: no 4001 points');
-- a week counts for each seven days, a month for each thirty
SELECT is(t.words(format('SELECT api.bucket_of(%L, api.filter(p_from => ''1970-01-01'', p_to => %L))', bucket,
	date '1970-01-01' + days)), CASE WHEN refused THEN format('22023 parameter "bucket": %s from 1970-01-01 to %s would '
	'be more than 4000 points / bucket', bucket, date '1970-01-01' + days) ELSE 'no error' END,
	format('series: %s days by %s', days, bucket))
FROM (VALUES ('week', 28006, false), ('week', 28007, true), ('month', 120029, false),
	('month', 120030, true)) AS w(bucket, days, refused);
SELECT is(api.meta() #> '{limits,points}', '4000', 'series: meta has this limit');

-- sources and selectors
CREATE FUNCTION t.signed(selector text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT t.record('192.0.2.1', 1, 'pass', 'fail', jsonb_build_object('header_from', 'wide.example', 'auth_results',
		jsonb_build_object('dkim', jsonb_build_array(jsonb_build_object('domain', 'wide.example', 'selector', selector,
			'result', 'pass'))))) $$;
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.mail(t.report('wide.example', 'Wide', 'w', t.day(-2),
	(SELECT jsonb_agg(t.record(host('198.51.100.0'::inet + n), 1, 'fail', 'fail', '{"header_from": "wide.example"}'))
	FROM generate_series(51, 1, -1) n)
	|| (SELECT jsonb_agg(t.signed('s' || t.no(n))) FROM generate_series(101, 1, -1) n)))) x), '1 0 0 0 f',
	'a report with 51 failing sources and 101 selectors');
SELECT ruad.dns_store('wide.example', '{"ok": true, "findings": [], "spf": {"result": "none"}, "dkim": []}', 600);
SELECT is(t.list(j, '$.sources[*].key') || ' of ' || (j ->> 'sources_total'),
	'50 from ip:198.51.100.1 to ip:198.51.100.8 of 51', 'impact: fifty sources')
FROM api.impact('wide.example', api.filter()) j;
SELECT is(t.list(api.domain_dns('wide.example', api.filter()), '$.selectors[*].selector'), '100 from s001 to s100',
	'a hundred selectors');

-- senders, versions of DNS records, changes of a label
SELECT is(t.take(t.mail(t.report('senders.example', 'Org', 's', t.day(-2), (SELECT jsonb_agg(t.record(
	host('10.0.0.0'::inet + n), CASE WHEN n = 201 THEN 1 ELSE 2 END, 'fail', 'fail', '{"header_from": "senders.example"}'))
	FROM generate_series(201, 1, -1) n)))),
	'1 0 0 0 f', 'a report with 201 senders');
SELECT is(t.list(api.domain_dns('senders.example', api.filter()), '$.senders[*].source_ip'),
	'200 from 10.0.0.1 to 10.0.0.200', 'two hundred senders');
INSERT INTO ruad.dns_version (domain_id, kind, name, since, until, value, is_first)
SELECT d.id, 'spf', d.name, t.day(-n), CASE WHEN n > 1 THEN t.day(1 - n) END, 'v' || t.no(n), n = 101
FROM ruad.domain d, generate_series(1, 101) n WHERE d.name = 'senders.example';
SELECT is(t.list(api.domain_dns('senders.example', api.filter()), '$.history[*].value'), '100 from v001 to v100',
	'a hundred versions');
SELECT is(count(ruad.set_label('ip:10.0.0.1', 'mine', 'n' || t.no(n), 'kim', 'cli')), 21::bigint, '21 changes of a label')
FROM generate_series(1, 21) n;
SELECT is(t.list(api.source('ip:10.0.0.1', api.filter()), '$.label_log[*].note'), '20 from n021 to n002',
	'twenty changes of a label');

SELECT is((SELECT count(*) FROM generate_series(1, 101) n, t.take(t.mail(t.report('often.example', 'Org', 'o' || n,
	t.day(-n), '[]', jsonb_build_object('fo', 'f' || t.no(n)))))), 101::bigint, 'a policy for each of 101 days');
SELECT is(t.list(api.domain('often.example', api.filter()), '$.policy_history[*].policy.fo'),
	'100 from f001 to f100', 'history: a hundred policies');

-- TLS
CREATE FUNCTION t.policy(domain text, VARIADIC failures jsonb[]) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('policy', jsonb_build_object('policy_type', 'sts', 'policy_domain', domain),
		'summary', '{"total_successful_session_count": 1, "total_failure_session_count": 1}'::jsonb,
		'failure_details', to_jsonb(failures)) $$;
CREATE FUNCTION t.failed(result_type text, n bigint DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('result_type', result_type, 'failed_session_count', 1,
		'receiving_mx_hostname', 'mx' || t.no(n % 11), 'sending_mta_ip', host('192.0.2.10'::inet + n % 11)) $$;
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.mail(t.tls(t.tls_content('Tls', t.day(-2))
	|| jsonb_build_object('policies', (SELECT jsonb_agg(t.policy('p' || t.no(n), t.failed('t' || t.no(n)),
		t.failed('a', n))) FROM generate_series(98, 0, -1) n)
		|| jsonb_build_array(t.policy('q2', t.failed('u2')), t.policy('q1', t.failed('u1'))))))) x), '1 0 0 0 f',
	'a TLS report of 101 policies, 102 types of failures, eleven hosts and addresses');
SELECT is(t.list(j, '$.domains[*].policy_domain') || ', ' || t.list(j, '$.failures[*].result_type') || ', '
	|| t.list(j, '$.failures[0].receiving_mx_hostnames[*]') || ', ' || t.list(j, '$.failures[0].sending_mta_ips[*]'),
	'100 from p000 to q1, 100 from a to t098, 10 from mx000 to mx009, 10 from 192.0.2.10 to 192.0.2.19',
	'TLS: a hundred policies and types, ten hosts and addresses') FROM api.tls_summary(api.filter()) j;

-- texts
SELECT lives_ok($$SELECT ruad.set_label('domain:' || repeat('a', 293), 'mine', repeat('é', 2000), 'kim', 'cli')$$,
	'a source of 300 bytes, a note of 4000');
SELECT matches(t.words($$SELECT ruad.set_label('domain:' || repeat('a', 294), 'mine', NULL, 'kim', 'cli')$$),
	'^22023 "domain:a{93}" is not a source: .* / source$', 'no source of 301 bytes');
SELECT is(t.words($$SELECT ruad.set_label('ip:192.0.2.1', 'mine', 'x' || repeat('é', 2000), 'kim', 'cli')$$),
	'22023 the note is longer than 4000 bytes / note', 'no note of 4001 bytes');
SELECT is(t.words(format('SELECT ruad.set_excluded(true, 987654321, NULL, NULL, %L, ''kim'')', repeat('x', n))), want,
	'a reason of ' || n || ' bytes') FROM (VALUES (4000, '22023 there is no aggregate report 987654321 / '),
	(4001, '22023 the reason is longer than 4000 bytes / ')) x(n, want);
SELECT * FROM finish();
