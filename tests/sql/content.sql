-- Failure and TLS reports: every member becomes a column, and no content whatever fails a batch.
SELECT plan(51);

CREATE TEMP TABLE doc AS SELECT '{"feedback_type": "auth-failure", "user_agent": "Lua/1.0", "version": "1",
	"auth_failure": "dmarc",
	"authentication_results": ["mx.example; dkim=fail", "mx.example; spf=fail"], "identity_alignment": "dkim, spf",
	"delivery_result": "reject", "original_envelope_id": "o3F52gxO029144", "original_mail_from": "",
	"original_rcpt_to": ["x@r.example", "y@r.example"], "arrival_date": "Thu, 8 Mar 2012 16:00:00 -0500",
	"arrival_time": "2012-03-08T21:00:00Z", "reporting_mta": "dns; mx.example", "source_ip": "2001:db8::7",
	"source_port": 25, "incidents": 3, "reported_domain": ["f.example", "g.example"],
	"reported_uri": ["http://f.example/"], "dkim_domain": "d.example", "dkim_identity": "@d.example",
	"dkim_selector": "sel", "dkim_canonicalized_header": "RnJvbQ==", "dkim_canonicalized_body": "Ym9keQ==",
	"dkim_selector_dns": "v=DKIM1", "dkim_adsp_dns": "dkim=all", "spf_dns": ["txt : f.example : \"v=spf1 -all\""],
	"header_from": "f.example", "message_id": "<m@f.example>", "subject": "Hello",
	"original_headers": "From: a@f.example\nTo: b@r.example\n", "original_body": "Bye\n"}'::jsonb AS f;

-- failure reports
SELECT is((SELECT string_agg(x, ',')
	FROM doc, t.take(t.mail(t.failure(f, '{"notes": [{"code": "F1", "path": "mail", "raw": null}]}'))
		|| '{"authentic": "pass"}') x), '1 0 0 0 f',
	'a failure report is stored');
SELECT is(to_jsonb(r) - '{id,mail,received_at,begin,day,domain_id,sha256,kind,authentic,notes}'::text[],
	jsonb_set(f, '{arrival_time}', to_jsonb('2012-03-08T21:00:00Z'::timestamptz)),
	'with every member in a column of its name') FROM doc, ruad.failure r;
SELECT is((SELECT (r.begin, d.name, r.kind, r.authentic, r.notes -> 0 ->> 'code', r.tableoid::regclass)::text
	FROM ruad.failure r JOIN ruad.domain d ON d.id = r.domain_id),
	('2012-03-08 21:00:00+00'::timestamptz, 'f.example', 'failure', 'pass', 'F1',
		'ruad.failure_default'::regclass)::text, 'filed by its first domain and its time of arrival');
SELECT results_eq($$SELECT kind, status, code, place, report = (SELECT id FROM ruad.failure), partial FROM ruad.item$$,
	$$VALUES ('failure', 'stored', NULL, 'mail', true, false)$$, 'and the ledger knows');
SELECT is((SELECT string_agg(x, ',')
	FROM doc, t.take(t.mail(t.failure(f, '{"notes": [{"code": "F1", "path": "mail", "raw": null}]}'))
		|| '{"subject": "other mail"}') x), '0 1 0 0 f',
	'the same again is a duplicate');
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.mail(t.failure('{}', '{"bytes": "k"}'))
	|| jsonb_build_object('received_at', t.day(-40)), t.mail(t.failure('{}', '{"bytes": "k"}'))) x),
	'1 0 0 0 f,0 1 0 0 f', 'so is one without a date, though it begins when it is received');
SELECT is((SELECT string_agg(x, ',')
	FROM t.take(t.mail(t.failure('{}', '{"bytes": "k"}'), t.failure('{}', '{"bytes": "l", "kind": "feedback"}'))) x),
	'1 1 0 0 f', 'also in a later batch, beside a new one');
SELECT is((SELECT (count(*), count(DISTINCT sha256), (SELECT count(*) FROM ruad.failure_seen))::text FROM ruad.failure),
	'(3,3,3)', 'one row a report');
SELECT is((SELECT (domain_id, begin = received_at, incidents IS NULL)::text FROM ruad.failure WHERE kind = 'feedback'),
	'(0,t,t)', 'without a domain it is filed under 0, and when it came');
SELECT is((SELECT array_agg(ruad.failure_domain(c::jsonb) ORDER BY no)
	FROM (VALUES (1, '{"header_from": "h", "dkim_domain": "d"}'), (2, '{"dkim_domain": "d", "reported_domain": []}'),
	(3, '{"reported_domain": [7, "r"], "header_from": ""}'),
	(4, '{"reported_domain": ["r"], "header_from": "h"}')) v(no, c)), '{h,d,NULL,r}',
	'reported_domain, header_from, dkim_domain, in this order');
SELECT is((SELECT array_agg(CASE ruad.failure_begin(jsonb_build_object('arrival_time', a), '2026-01-10 12:00:00+00')
	WHEN '2026-01-10 12:00:00+00' THEN 'received' ELSE 'arrived' END ORDER BY no)
	FROM (VALUES (1, '2003-12-31T23:59:59Z'), (2, '2004-01-01T00:00:00Z'), (3, '2026-01-12T12:00:00Z'),
		(4, '2026-01-12T12:00:01Z'), (5, '9999-12-31T23:59:59Z'), (6, NULL)) v(no, a)),
	'{received,arrived,arrived,received,received,received}', 'a time of arrival that cannot be is not believed');

-- TLS reports
SELECT is((SELECT string_agg(x, ',')
	FROM t.take(t.mail(t.tls(t.tls_content(domains => '{z.example,company-y.example}'))) || '{"authentic": "fail"}') x),
	'1 0 0 0 f', 'a TLS report is stored');
SELECT results_eq($$SELECT d.name, o.org_name, r.begin, r."end", contact_info, report_id, policies,
	total_successful_session_count, total_failure_session_count, authentic, r.tableoid::regclass::text
	FROM ruad.tls r JOIN ruad.domain d ON d.id = r.domain_id JOIN ruad.reporter o ON o.id = r.reporter_id$$,
	$$VALUES ('company-y.example', 'Company-X', '2016-04-01 00:00:00+00'::timestamptz,
		'2016-04-01 23:59:59+00'::timestamptz, 'sts-reporting@company-x.example',
		'5065427c-23d3-47ca-b6e0-946ea0e8c4be', 2, 10652::bigint, 606::bigint, 'fail', 'ruad.tls_default')$$,
		'with its sums, filed by the first of its domains');
SELECT results_eq($$SELECT d.name, policy_no, policy_type, policy_string, mx_host, total_successful_session_count,
	total_failure_session_count, jsonb_array_length(failure_details), p.tableoid::regclass::text
	FROM ruad.tls_policy p JOIN ruad.domain d ON d.id = p.domain_id ORDER BY policy_no$$,
	$$VALUES ('z.example', 1, 'sts', '["version: STSv1", "mode: testing"]'::jsonb,
		'["*.mail.company-y.example"]'::jsonb, 5326::bigint, 303::bigint, 2, 'ruad.tls_policy_default'),
		('company-y.example', 2, 'sts', '["version: STSv1", "mode: testing"]', '["*.mail.company-y.example"]', 5326,
			303, 2, 'ruad.tls_policy_default')$$, 'each policy under its own domain');
SELECT is((SELECT failure_details FROM ruad.tls_policy LIMIT 1), t.tls_content() #> '{policies,0,failure_details}',
	'its failures as they came');
SELECT is((SELECT string_agg(x, ',')
	FROM t.take(t.mail(t.tls(t.tls_content(domains => '{z.example,company-y.example}')))
		|| '{"subject": "other mail"}') x), '0 1 0 0 f', 'the same again is a duplicate');
SELECT is((SELECT string_agg(x, ',')
	FROM t.take(t.mail(t.tls(t.tls_content(' COMPANY-x', domains => '{company-y.example,z.example,z.example}')))) x),
	'0 0 1 0 t', 'the same key in another order is a conflict, kept raw');
SELECT is((SELECT string_agg(x, ',')
	FROM t.take(t.mail(t.tls(t.tls_content(' COMPANY-x', domains => '{company-y.example,z.example,z.example}')))
		|| '{"subject": "other mail"}') x), '0 1 0 0 f',
	'which again is a duplicate');
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.mail(t.tls(t.tls_content())), t.mail(t.tls(t.tls_content('Y'))),
	t.mail(t.tls(t.tls_content(day => '2016-04-02 00:00:00+00'))),
	t.mail(t.tls(t.tls_content(domains => '{z.example,company-y.example}') || '{"report_id": "r"}')),
	t.mail(t.tls(jsonb_set(t.tls_content(), '{date_range,end_datetime}', '"2016-04-07T00:00:00Z"')))) x),
	'1 0 0 0 f,1 0 0 0 f,1 0 0 0 f,1 0 0 0 f,1 0 0 0 f', 'domains, organisation, start, id and end tell reports apart');
SELECT is((SELECT string_agg(x, ',')
	FROM t.take(t.mail(t.tls(t.tls_content('B'), '{"bytes": "1"}'), t.tls(t.tls_content('B'), '{"bytes": "2"}'),
		t.tls(t.tls_content('B'), '{"bytes": "2"}'), t.tls(t.tls_content('B'), '{"bytes": "1"}'))) x),
	'1 2 1 0 t', 'in one mail: stored, conflict, the conflict again, the first again');
SELECT is((SELECT string_agg(x, ',')
	FROM t.take(t.mail(t.tls(t.tls_content('N') || '{"policies": []}'),
		t.tls(jsonb_set(t.tls_content('N'), '{policies,0,policy,policy_domain}', 'null'), '{"bytes": "n"}'))) x),
	'1 0 1 0 t', 'without policies, or without a domain, there is none in the key');
SELECT is((SELECT (domain_id, policies)::text FROM ruad.tls t JOIN ruad.reporter o ON o.id = t.reporter_id
	WHERE o.org_name = 'N'), '(0,0)', 'and it is filed under 0');
SELECT is((SELECT x FROM t.take(t.mail(t.tls(jsonb_set(t.tls_content('O', domains => '{a.example,b.example}'),
	'{policies,0,policy,policy_domain}', 'null')))) x), '1 0 0 0 f', 'one policy without a domain, one with');
SELECT is((SELECT i -> 'policy_domains' FROM jsonb_array_elements(api.tls_reports(
	api.filter(p_from => '2016-04-01', p_to => '2016-04-02', p_others => 'include'), api.page()) -> 'items') i
	WHERE i ->> 'organization_name' = 'O'), '["b.example"]', 'the list has the domain that is said');

-- all kinds in one mail
SELECT is((SELECT string_agg(x, ',')
	FROM t.take(t.mail(t.report('f.example', 'Org', 'r', t.day(-3), '[]'), t.failure('{"subject": "n"}'),
	t.unreadable('xml', 'x'), t.tls(t.tls_content('M')), t.failure('{"subject": "n"}'))) x), '3 1 0 1 t',
	'a mail can hold all kinds');
SELECT results_eq($$SELECT item_no, kind, status FROM ruad.item WHERE mail = (SELECT max(id) FROM ruad.mail)
	ORDER BY 1$$, $$VALUES (1, 'aggregate', 'stored'), (2, 'failure', 'stored'),
	(3, 'unreadable', 'quarantined'), (4, 'tls', 'stored'), (5, 'failure', 'duplicate')$$, 'and the ledger says so');
SELECT is((SELECT count(*) FROM (SELECT id FROM ruad.report UNION SELECT id FROM ruad.failure UNION SELECT id
	FROM ruad.tls) u), (SELECT count(*) FROM ruad.item WHERE status = 'stored'),
	'a number names one report, whatever its kind');

-- Lies. What comes of each: stored or quarantined, and the batch goes on.
SELECT is(t.take(t.mail(t.failure(f, jsonb_build_object('bytes', 'lie ' || no, 'content', content::jsonb)),
	t.tls(content::jsonb, jsonb_build_object('bytes', 'lie ' || no)))), want, 'content is ' || content)
FROM (VALUES (1, NULL, '0 0 0 2 t'), (2, 'null', '0 0 0 2 t'), (3, '"x"', '0 0 0 2 t'),
	(4, '[{"policies": []}]', '0 0 0 2 t'), (5, '{}', '1 0 0 1 t')) v(no, content, want), doc;
SELECT is((SELECT string_agg(x, ',')
	FROM t.take(t.mail(t.failure('{}', '{"sha256": null}'), t.failure('{}', '{"sha256": "\\x00"}'),
		t.tls(t.tls_content('L'), '{"sha256": null}'), t.tls(t.tls_content('L'), '{"sha256": ""}'))) x),
	'0 0 0 4 t', 'a checksum that is none');
SELECT is((SELECT string_agg(x, ',')
	FROM t.take(VARIADIC ARRAY(SELECT t.mail(t.tls(t.tls_content('L ' || no) || content::jsonb)) FROM (VALUES
	(1, '{"date_range": null}'), (2, '{"date_range": "x"}'),
		(3, '{"date_range": {"start_datetime": 1459468800, "end_datetime": 1}}'),
	(4, '{"date_range": {"start_datetime": "2016-02-31T00:00:00Z", "end_datetime": "2016-04-01T00:00:00Z"}}'),
	(5, '{"date_range": {"start_datetime": "infinity", "end_datetime": "now"}}'),
	(6, '{"date_range": {"start_datetime": "2016-04-01T00:00:00+02:00", "end_datetime": "2016-04-01T00:00:00Z"}}'),
	(7, '{"policies": null}'), (8, '{"policies": {"policy": {}}}')) v(no, content) ORDER BY no)) x),
	array_to_string(array_fill('0 0 0 1 t'::text, '{8}'), ','), 'dates that are none, policies that are none');
SELECT is((SELECT string_agg(x, ',')
	FROM t.take(t.mail(t.tls(t.tls_content('T', '1970-01-01 00:00:00+00')),
		t.tls(t.tls_content('T', '9999-12-30 00:00:00+00')))) x), '2 0 0 0 f', 'absurd dates are taken');
SELECT is((SELECT count(DISTINCT tableoid) FROM ruad.tls WHERE begin < '2012-01-01' OR begin > '2100-01-01'),
	1::bigint, 'and make no tables');

-- Every member in turn is of every type.
CREATE TEMP TABLE value AS SELECT v::jsonb
	FROM unnest(ARRAY['null', 'true', '-1', '1e400', '1.5', '99999999999999999999', '"\u202e999.1.2.3/8"',
	'"10.0.0.0/8"', '"2016-04-01T25:00:00Z"', '[]', '[[], {}, null, 5, "x"]', '{"a": 1}']) v;
SELECT is((SELECT string_agg(DISTINCT x, ',')
	FROM t.take(VARIADIC ARRAY(SELECT t.mail(t.failure(jsonb_set(f, ARRAY[k], v), jsonb_build_object('bytes', k || v)))
		FROM doc, jsonb_object_keys(f) k, value)) x),
	'1 0 0 0 f', 'a failure report''s members of any type do no harm');
SELECT is((SELECT string_agg(DISTINCT x, ',')
	FROM t.take(VARIADIC ARRAY(SELECT t.mail(t.tls(jsonb_set(t.tls_content()
		|| jsonb_build_object('report_id', p::text || v), p, v)))
	FROM value, (VALUES ('{organization_name}'::text[]), ('{contact_info}'), ('{policies,0}'), ('{policies,0,policy}'),
		('{policies,0,policy,policy_type}'), ('{policies,0,policy,policy_string}'),
		('{policies,0,policy,policy_domain}'), ('{policies,0,policy,mx_host}'), ('{policies,0,summary}'),
		('{policies,0,summary,total_successful_session_count}'),
		('{policies,0,summary,total_failure_session_count}'), ('{policies,0,failure_details}'),
		('{policies,0,failure_details,0}'), ('{policies,0,failure_details,0,result_type}'),
		('{policies,0,failure_details,0,sending_mta_ip}'), ('{policies,0,failure_details,0,receiving_ip}'),
		('{policies,0,failure_details,0,failed_session_count}')) m(p))) x),
	'1 0 0 0 f', 'nor do a TLS report''s');
SELECT is((SELECT string_agg(DISTINCT host(source_ip), ',') FROM ruad.failure), '2001:db8::7',
	'an address is one, or NULL');
SELECT is((SELECT string_agg(DISTINCT coalesce(incidents::text, 'NULL') || '/' || coalesce(source_port::text, 'NULL'),
	' ') FROM ruad.failure WHERE subject = 'Hello'),
	'3/25 3/NULL NULL/25', 'numbers are, or NULL');
SELECT is((SELECT string_agg(DISTINCT reported_uri::text, ' ') FROM ruad.failure WHERE subject = 'Hello'
	AND reported_uri::text !~ '999'), '["10.0.0.0/8"] ["2016-04-01T25:00:00Z"] ["http://f.example/"] ["x"]',
	'a list has texts, or is NULL');
SELECT is((SELECT string_agg(x, ',')
	FROM doc,
		t.take(t.mail(t.failure(f || jsonb_build_object('reported_domain', jsonb_build_array(repeat('x', 256)),
			'header_from', repeat('y', 255)))),
	t.mail(t.tls(t.tls_content('D', domains => ARRAY[repeat('x', 256), repeat('y', 255)])))) x), '1 0 0 0 f,1 0 0 0 f',
	'domains of 256 bytes are nobody''s');
SELECT is((SELECT array_agg(name) FROM ruad.domain WHERE octet_length(name) > 200), ARRAY[repeat('y', 255)],
	'one of 255 is');
SELECT is((SELECT string_agg(x, ',')
	FROM t.take(t.mail(t.tls(jsonb_set(t.tls_content(repeat('O', 10240))
	|| jsonb_build_object('report_id', repeat('i', 10240)), '{policies,0,summary}',
		'{"total_successful_session_count": 9223372036854775807, "total_failure_session_count": '
			'9223372036854775807}'))),
	t.mail(t.failure(jsonb_build_object('original_headers', repeat('h', 1048576), 'original_body', repeat('b', 1048576),
		'subject', repeat('s', 10240))))) x), '1 0 0 0 f,1 0 0 0 f', 'long texts and large numbers are taken');
SELECT is((SELECT string_agg(x, ',')
	FROM t.take(t.mail(t.tls(t.tls_content(domains => array_fill('twice.example'::text, '{2000}'))))) x), '1 0 0 0 f',
	'so are many policies');
SELECT is((SELECT string_agg(x, ',')
	FROM t.take(t.mail('{"kind": "tls"}', '{"kind": "failure"}', t.unreadable('xml', 'u')
		|| '{"partial": true, "content": 7}'), t.mail(t.failure('{}', '{"partial": true, "bytes": "p"}'))
		|| '{"authentic": "maybe"}') x),
	'0 0 0 3 t,1 0 0 0 f', 'and columns that are not of the kind');
SELECT is((t.take(t.mail(t.failure('{}', '{"bytes": "rec", "record": [{"count": 1}]}'),
	t.tls(t.tls_content('rec'), '{"record": [{"count": 1}]}'))), (SELECT count(*)
	FROM ruad.record))::text, '("2 0 0 0 f",0)', 'records that are not theirs are ignored');
SELECT is((SELECT count(*) FROM ruad.raw WHERE raw IS NULL), 0::bigint, 'no bytes are missing');
SELECT lives_ok($$SELECT string_agg(v::text, '') FROM dmarc.failure_reports v UNION ALL SELECT string_agg(v::text, '')
	FROM dmarc.tls_reports v UNION ALL SELECT string_agg(v::text, '') FROM dmarc.tls_policies v
	UNION ALL SELECT string_agg(v::text, '') FROM dmarc.tls_failures v UNION ALL SELECT string_agg(v::text, '')
	FROM dmarc.notes v UNION ALL SELECT string_agg(v::text, '') FROM dmarc.mails v
	UNION ALL SELECT api.intake(api.filter())::text UNION ALL SELECT string_agg(api.failure(id)::text, '')
	FROM dmarc.failure_reports UNION ALL SELECT string_agg(api.tls_report(id)::text, '')
	FROM dmarc.tls_reports$$, 'and every view can still be read');
-- A TLS report without policies.
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.mail(t.tls(t.tls_content('Nobody')
	|| '{"policies": []}'))) x), '1 0 0 0 f', 'a TLS report without policies is stored');
SELECT is((SELECT string_agg(r.total_successful_session_count || ' ' || r.total_failure_session_count, ',') FROM dmarc.tls_reports r
	WHERE r.organization_name = 'Nobody'), '0 0', 'with no sessions');
SELECT * FROM finish();
