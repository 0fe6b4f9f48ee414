-- Failure reports, TLS reports and the intake: numbers added up by hand, pages, rejected parameters, attacks.
SELECT plan(68);
CREATE FUNCTION t.date(n integer) RETURNS text LANGUAGE sql AS $$
	SELECT to_char(t.day(n) AT TIME ZONE 'UTC', 'YYYY-MM-DD') $$;
-- A list by its cursors: call has a %s for the page.
CREATE FUNCTION t.walk(call text, size integer) RETURNS TABLE (no bigint, item jsonb) LANGUAGE plpgsql AS $$
DECLARE
	answer jsonb;
BEGIN
	no := 0;
	LOOP
		EXECUTE format('SELECT api.' || call, format('api.page(%s, %L)', size, answer ->> 'next')) INTO answer;
		FOR item IN SELECT * FROM jsonb_array_elements(answer -> 'items') LOOP
			no := no + 1;
			RETURN NEXT;
		END LOOP;
		EXIT WHEN answer ->> 'next' IS NULL OR no > 1000;
	END LOOP;
END $$;

-- Failure reports
SELECT is((SELECT string_agg(x, ',') FROM t.take(
	t.mail(t.failure(jsonb_build_object('reported_domain', '["f.example"]'::jsonb, 'feedback_type', 'auth-failure',
		'auth_failure', E'dm\u202earc', 'source_ip', '192.0.2.1', 'incidents', 3, 'header_from', 'f.example',
		'subject', E'<b>\u0007x', 'original_headers', E'From: <b@f.example>\u202e\nSubject: x\n\ty',
		'original_body', NULL, 'spf_dns', '["v=spf1 -all"]'::jsonb, 'arrival_time', t.date(-3) || 'T10:00:00Z'),
		'{"notes": [{"code": "F1", "path": "x", "raw": null}]}')) || jsonb_build_object('authentic', 'pass',
		'received_at', t.day(-2)),
	t.mail(t.failure('{"feedback_type": "abuse", "header_from": "g.example", "source_ip": "198.51.100.1"}',
		'{"kind": "feedback"}')) || jsonb_build_object('received_at', t.day(-5)),
	t.mail(t.failure('{"feedback_type": "auth-failure", "header_from": "sub.f.example", "source_ip": "2001:db8::1"}'))
	|| jsonb_build_object('received_at', t.day(-6)), t.mail(t.failure('{"feedback_type": "auth-failure"}'))
	|| jsonb_build_object('received_at', t.day(-40))) x), '1 0 0 0 f,1 0 0 0 f,1 0 0 0 f,1 0 0 0 f', 'failure reports');
CREATE TEMP TABLE f AS SELECT api.failures(api.filter(), api.page()) AS j;
SELECT is((j #> '{items,0}') - 'id', jsonb_build_object('kind', 'failure', 'domain', 'f.example', 'begin', t.date(-3)
	|| 'T10:00:00Z', 'received_at', t.date(-2) || 'T00:00:00Z', 'feedback_type', 'auth-failure', 'auth_failure',
	'dmarc', 'source_ip', '192.0.2.1', 'incidents', 3, 'reporting_mta', NULL, 'user_agent', NULL, 'header_from',
	'f.example', 'original_mail_from', NULL, 'subject', '<b>x', 'delivery_result', NULL, 'notes_total', 1, 'authentic',
	'pass'), 'failures: an item, without control and direction characters') FROM f;
SELECT is(t.members(api.failures(f, api.page(), k) -> 'items', 'domain', 'kind'), want, 'failures: ' || n) FROM (VALUES
	('all of the window, the newest first', api.filter(), NULL,
		'[["f.example", "failure"], ["g.example", "feedback"], ["sub.f.example", "failure"]]'::jsonb),
	('kind', api.filter(), 'feedback', '[["g.example", "feedback"]]'),
	('domain', api.filter(p_domain => '{f.example}'), NULL, '[["f.example", "failure"]]'),
	('with subdomains', api.filter(p_domain => '{f.example}', p_subdomains => true), NULL,
		'[["f.example", "failure"], ["sub.f.example", "failure"]]'),
	('network', api.filter(p_ip => '2001:db8::/32'), NULL, '[["sub.f.example", "failure"]]'),
	('window', api.filter(p_from => t.date(-41)::date, p_to => t.date(-39)::date), NULL, '[[null, "failure"]]')) x(n, f,
	k, want);
SELECT is((SELECT jsonb_agg(item ORDER BY no) FROM t.walk('failures(api.filter(), %s)', n)),
	(SELECT j -> 'items' FROM f), format('failures: by %s, the same', n)) FROM unnest('{1,2,3}'::int[]) n;
CREATE TEMP TABLE one AS SELECT api.failure((j #>> '{items,0,id}')::bigint) AS j, j #> '{items,0}' AS item FROM f;
SELECT is(j @> item, true, 'failure: has what its item has') FROM one;
SELECT is(jsonb_build_array(j -> 'original_headers', j -> 'original_body', j -> 'spf_dns', j -> 'arrival_time',
	j -> 'notes', j #> '{mail,authentic}', j -> 'reported_domain', j -> 'reported_uri'),
	jsonb_build_array(E'From: <b@f.example>\nSubject: x\n y', NULL, '["v=spf1 -all"]'::jsonb, t.date(-3)
		|| 'T10:00:00Z', '[{"code": "F1", "path": "x", "raw": null}]'::jsonb, 'pass', '["f.example"]'::jsonb, NULL),
	'failure: its header has its lines') FROM one;
SELECT is(array_agg(api.failure(id))::text, '{NULL,NULL}', 'failure: none with that id')
FROM unnest('{-1,987654321}'::bigint[]) id;

-- TLS reports: company-y.example has 5326 + 303 sessions in each policy
SELECT is((SELECT string_agg(x, ',') FROM t.take(
	t.mail(t.tls(t.tls_content('One', t.day(-3), '{y.example,z.example}'))),
	t.mail(t.tls(t.tls_content('Two', t.day(-3) + interval '1 hour', '{y.example}'))),
	t.mail(t.tls(t.tls_content('Two', t.day(-40), '{y.example}'))),
	t.mail(t.tls(t.tls_content('Good', t.day(-4), '{z.example}') || '{"policies": [{"policy": {"policy_type":
		"no-policy-found", "policy_domain": "z.example"}, "summary": {"total_successful_session_count": 7,
			"total_failure_session_count": 0}}, {"policy": {"policy_type": "tlsa", "policy_domain": "z.example"},
			"summary": {"total_successful_session_count": 3}}]}'))) x), '1 0 0 0 f,1 0 0 0 f,1 0 0 0 f,1 0 0 0 f',
			'TLS reports');
CREATE TEMP TABLE s AS SELECT api.tls_summary(api.filter()) AS j;
SELECT is(j - '{window,last_report_at,domains,failures}'::text[],
	'{"totals": {"sessions": 16897, "successful": 15988, "failed": 909}, "previous": {"sessions": 5629, "successful": '
		'5326, "failed": 303}, "reports": 3, "reporters": 3}', 'tls summary: sums, never over the failure entries')
		FROM s;
SELECT is(t.members(j -> 'domains', 'policy_domain', 'policy_type', 'sessions', 'failed'),
	'[["y.example", "sts", 11258, 606], ["z.example", "sts", 5629, 303], ["z.example", "no-policy-found", 7, 0], '
		'["z.example", "tlsa", 3, 0]]', 'tls summary: by domain and type') FROM s;
SELECT is(j -> 'failures', jsonb_build_array(
	jsonb_build_object('result_type', 'starttls-not-supported', 'failed', 600, 'reports', 2, 'receiving_mx_hostnames',
		'["mx2.mail.company-y.example"]'::jsonb, 'sending_mta_ips', '["192.0.2.1"]'::jsonb, 'last_seen', t.date(-3)
			|| 'T01:00:00Z'),
	jsonb_build_object('result_type', 'certificate-expired', 'failed', 300, 'reports', 2, 'receiving_mx_hostnames',
		'["mx1.mail.company-y.example"]'::jsonb, 'sending_mta_ips', '["2001:db8:abcd:12::1"]'::jsonb,
		'last_seen', t.date(-3) || 'T01:00:00Z')),
	'tls summary: kinds of failures') FROM s;
SELECT is(api.tls_summary(f, y) -> 'totals' -> 'sessions' || (api.tls_summary(f, y) -> 'reports'), want, 'tls summary: '
	|| n) FROM (VALUES
	('domain', api.filter(p_domain => '{z.example}'), NULL, '[5639, 2]'::jsonb),
		('reporter', api.filter(p_reporter => '{Two}'), NULL, '[5629, 1]'),
		('type', api.filter(), '{tlsa,no-policy-found}'::text[], '[10, 1]'),
	('nothing', api.filter(p_domain => '{x.example}'), NULL, '[0, 0]')) x(n, f, y, want);
CREATE TEMP TABLE ts AS SELECT api.tls_timeseries(api.filter()) AS j;
SELECT is((SELECT jsonb_agg(p) FROM ts, jsonb_array_elements(j -> 'points') p WHERE p #>> '{v,successful}' <> '0'),
	jsonb_build_array(
	jsonb_build_object('t', t.date(-4), 'complete', true, 'v', '{"successful": 10, "failed": 0}'::jsonb),
	jsonb_build_object('t', t.date(-3), 'complete', true, 'v', '{"successful": 15978, "failed": 909}'::jsonb)),
	'tls timeseries: days');
SELECT is(jsonb_build_array(jsonb_array_length(j -> 'points'), j -> 'bucket', j -> 'keys', (SELECT count(*)
	FROM jsonb_array_elements(j -> 'points') p WHERE NOT (p ->> 'complete')::boolean)),
	'[30, "day", ["successful", "failed"], 2]', 'tls timeseries: every day, two incomplete') FROM ts;
SELECT is((SELECT sum((p #>> '{v,failed}')::int)
	FROM jsonb_array_elements(api.tls_timeseries(api.filter(p_from => '2020-01-15'), NULL, b) -> 'points') p),
	1212::bigint, 'tls timeseries: by ' || b) FROM unnest('{week,month}'::text[]) b;
SELECT is(api.tls_timeseries(api.filter(p_from => '2026-01-15', p_to => '2026-03-01'), NULL, 'month') #> '{points,0,t}',
	'"2026-01-01"', 'tls timeseries: months begin on the first');
CREATE TEMP TABLE tr AS SELECT api.tls_reports(api.filter(), api.page()) AS j;
SELECT is((j #> '{items,2}') - '{id,received_at}'::text[], jsonb_build_object('organization_name', 'Good', 'report_id',
	'5065427c-23d3-47ca-b6e0-946ea0e8c4be', 'contact_info', 'sts-reporting@company-x.example',
	'start_datetime', t.date(-4) || 'T00:00:00Z', 'end_datetime', t.date(-4) || 'T23:59:59Z', 'policy_domains',
	'["z.example"]'::jsonb, 'policies', 2, 'successful', 10, 'failed', 0, 'notes_total', 0, 'authentic', 'none'),
	'tls reports: an item') FROM tr;
SELECT is(t.members(api.tls_reports(f, api.page(), y, r) -> 'items', 'organization_name', 'policy_domains', 'failed'),
	want, 'tls reports: ' || n) FROM (VALUES
	('all of the window', api.filter(), NULL, NULL,
		'[["Two", ["y.example"], 303], ["One", ["y.example", "z.example"], 606], ["Good", ["z.example"], 0]]'::jsonb),
	('domain', api.filter(p_domain => '{z.example}'), NULL, NULL,
		'[["One", ["y.example", "z.example"], 606], ["Good", ["z.example"], 0]]'),
	('type', api.filter(), '{tlsa}'::text[], NULL, '[["Good", ["z.example"], 0]]'), ('with failures', api.filter(),
		NULL, 'fail', '[["Two", ["y.example"], 303], ["One", ["y.example", "z.example"], 606]]'),
	('without', api.filter(p_reporter => '{Good,Two}'), NULL, 'pass', '[["Good", ["z.example"], 0]]')) x(n, f, y, r,
	want);
SELECT is((SELECT jsonb_agg(item ORDER BY no) FROM t.walk('tls_reports(api.filter(), %s)', n)),
	(SELECT j -> 'items' FROM tr), format('tls reports: by %s, the same', n)) FROM unnest('{1,2}'::int[]) n;
SELECT is(jsonb_build_array(j -> 'organization_name', t.members(j -> 'policy', 'policy_no', 'policy_domain',
	'policy_type', 'successful', 'failed', 'mx_host', 'policy_string'), j #> '{policy,0,failure_details,1}',
	j #> '{mail,size}' IS NOT NULL),
	'["One", [[1, "y.example", "sts", 5326, 303, ["*.mail.company-y.example"], ["version: STSv1", "mode: testing"]], [2,
	"z.example", "sts", 5326, 303, ["*.mail.company-y.example"], ["version: STSv1", "mode: testing"]]],
	{"result_type": "starttls-not-supported", "sending_mta_ip": "192.0.2.1",
	"receiving_mx_hostname": "mx2.mail.company-y.example", "receiving_mx_helo": "mx2", "receiving_ip": "203.0.113.56",
	"failed_session_count": 200, "additional_information": "https://reports.company-x.example/",
	"failure_reason_code": "code"}, true]', 'tls report: whole')
	FROM (SELECT api.tls_report((j #>> '{items,1,id}')::bigint) AS j FROM tr) x;
SELECT is(api.tls_report(-1), NULL, 'tls report: none with that id');

-- Intake
SELECT is((SELECT string_agg(x, ',') FROM t.take(
	t.mail(t.report('i.example', 'Org', 'i1', t.day(-3), '[]')) || jsonb_build_object('received_at', t.day(-10)),
	t.mail(t.report('i.example', 'Org', 'i1', t.day(-3), '[]')) || jsonb_build_object('received_at', t.day(-9)),
	t.mail(t.report('i.example', 'Org', 'i1', t.day(-3), '[]', '{"bytes": "x"}'))
		|| jsonb_build_object('received_at', t.day(-9) + interval '1 hour'),
			t.mail(t.unreadable('xml', E'line 1: \u202eevil\u0007'), t.unreadable('archive', 'no'))
				|| jsonb_build_object('received_at', t.day(-8)), t.mail(t.unreadable('unrelated', 'spam'))
				|| jsonb_build_object('received_at', t.day(-8)), t.mail(t.unreadable('xml', 'old'))
				|| jsonb_build_object('received_at', t.day(-50))) x),
	'1 0 0 0 f,0 1 0 0 f,0 0 1 0 t,0 0 0 2 t,0 0 0 1 t,0 0 0 1 t', 'mails of all fates');
CREATE TEMP TABLE k AS SELECT api.intake(api.filter(p_from => t.date(-12)::date, p_to => t.date(-7)::date)) AS j;
SELECT is(j - '{window,by_day,items,next,last_mail_at,last_report_at}'::text[],
	'{"mails": 5, "counts": {"stored": 1, "duplicate": 1, "conflict": 1, "quarantined": 2}, "by_kind": {"aggregate": '
		'3, "unreadable": 3}, "by_code": {"conflict": 1, "xml": 1, "archive": 1, "unrelated": 1}}',
			'intake: counters, by time of receipt; unrelated mail is no trouble') FROM k;
SELECT is(t.members(j -> 'by_day', 't', 'stored', 'duplicate', 'conflict', 'quarantined'),
	jsonb_build_array(jsonb_build_array(t.date(-12), 0, 0, 0, 0), jsonb_build_array(t.date(-11), 0, 0, 0, 0),
	jsonb_build_array(t.date(-10), 1, 0, 0, 0), jsonb_build_array(t.date(-9), 0, 1, 1, 0),
	jsonb_build_array(t.date(-8), 0, 0, 0, 2)), 'intake: each day') FROM k;
SELECT is(t.members(j -> 'items', 'item_no', 'status', 'code', 'reason', 'raw'),
	'[[1, "quarantined", "xml", "line 1: evil", true], [2, "quarantined", "archive", "no", true], [1, "conflict", '
		'"conflict", "a different report with the same key is already stored", true]]',
			'intake: what somebody should look at') FROM k;
SELECT is(j ->> 'last_mail_at' LIKE to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD')
	|| '%' AND j ->> 'last_report_at' = j ->> 'last_mail_at', true,
		'intake: the last mail and report, whatever the window') FROM k;
SELECT is(t.members(api.intake_events(f, api.page(), st, ki, co, (SELECT id FROM dmarc.reports WHERE report_id = 'i1'
	AND re)) -> 'items', 'status', 'code'), want, 'events: ' || n) FROM (VALUES
	('unless asked otherwise, those', api.filter(), NULL::text[], NULL::text[], NULL::text[], false,
		'[["quarantined", "xml"], ["quarantined", "archive"], ["conflict", "conflict"]]'::jsonb),
	('status', api.filter(), '{duplicate,conflict}', NULL, NULL, false,
		'[["conflict", "conflict"], ["duplicate", null]]'), ('code', api.filter(), NULL, NULL, '{archive}', false,
		'[["quarantined", "archive"]]'),
	('unrelated mail by its code', api.filter(), NULL, NULL, '{unrelated}', false, '[["quarantined", "unrelated"]]'),
	('unrelated mail by its status', api.filter(p_from => t.date(-8)::date), '{quarantined}', NULL, NULL, false,
		'[["quarantined", "unrelated"], ["quarantined", "xml"], ["quarantined", "archive"]]'),
	('kind', api.filter(), '{stored}', '{feedback}', NULL, false, '[["stored", null]]'), ('a report, whatever the date',
		api.filter(), NULL, NULL, NULL, true, '[["conflict", "conflict"], ["duplicate", null]]'),
	('a report in a window', api.filter(p_from => t.date(-9)::date), '{stored,duplicate}', NULL, NULL, true,
		'[["duplicate", null]]')) x(n, f, st, ki, co, re, want);
SELECT is((SELECT jsonb_agg(item -> 'mail' || (item -> 'item_no') ORDER BY no)
	FROM t.walk('intake_events(api.filter(), %s, api.intake_statuses())', n)),
	(SELECT jsonb_agg(jsonb_build_array(mail::text, item_no) ORDER BY received_at DESC, mail DESC, item_no)
		FROM dmarc.intake WHERE received_at >= t.day(-29)), format('events: by %s, each once', n))
		FROM unnest('{1,3,100}'::int[]) n;

SELECT matches(t.words('SELECT api.' || call), format('^22023 parameter "%s": .* / %s$', hint, hint), call)
FROM (VALUES ('failures(api.filter(), api.page(), ''abuse'')', 'kind'),
	('tls_reports(api.filter(), api.page(), NULL, ''none'')', 'result'),
	('tls_timeseries(api.filter(), NULL, ''hour'')', 'bucket'), ('tls_timeseries(api.filter(p_from => ''1970-01-01''))',
		'bucket'), ('intake_events(api.filter(), api.page(), ''{lost}'')', 'status'),
		('intake_events(api.filter(), api.page(), NULL, ''{spam}'')', 'kind'),
	('failures(api.filter(), api.page(NULL, api.place_make(''intake'', now(), 1, 1)))', 'cursor'),
	('tls_reports(api.filter(), api.page(NULL, ''x''))', 'cursor'),
	('intake_events(api.filter(), api.page(NULL, api.cursor_make(''intake'', ''[{}, 1, 2]'')))', 'cursor')) x(call,
	hint);
SELECT is(t.has_next(c), 'true false false', 'next: ' || c)
FROM unnest(ARRAY['failures(api.filter(), %s)', 'tls_reports(api.filter(p_from => ''2016-01-01''), %s)',
	'intake_events(api.filter(), %s)']) c;

-- The newest of all kinds, whichever was stored last.
CREATE FUNCTION t.last_after(day integer, newest jsonb, older jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM t.take(t.mail(newest) || jsonb_build_object('received_at', t.day(day)),
		t.mail(older) || jsonb_build_object('received_at', t.day(day - 1)));
	RETURN (api.intake(api.filter()) ->> 'last_report_at')::timestamptz = t.day(day);
END $$;
SELECT is(t.last_after(day, newest, older), true, 'intake: the last report of any kind, ' || (newest ->> 'kind'))
FROM (VALUES (2, t.failure('{"subject": "newest"}'), t.failure('{"subject": "older"}')),
	(4, t.tls(t.tls_content('Newest')), t.tls(t.tls_content('Older'))),
	(6, t.report('f.example', 'Newest', 'n', t.day(-1), '[]'), t.report('f.example', 'Older', 'o', t.day(-1), '[]')))
	v(day, newest, older);
SELECT * FROM finish();
