-- Schema dmarc is a public interface: every view and column says what it is, and the numbers are right.
SELECT plan(26);
SELECT is_empty($$SELECT c.relname FROM pg_class c WHERE relnamespace = 'dmarc'::regnamespace
	AND obj_description(c.oid) IS NULL$$, 'every view has a comment');
SELECT is_empty($$SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
	WHERE relnamespace = 'dmarc'::regnamespace
	AND attnum > 0 AND NOT attisdropped AND coalesce(col_description(c.oid, attnum), '') = ''$$,
		'every column has a comment');
SELECT is_empty($$SELECT n.nspname FROM pg_namespace n WHERE nspname IN ('ruad', 'dmarc', 'api')
	AND obj_description(n.oid) IS NULL$$, 'every schema has a comment');
SELECT is_empty($$SELECT c.relname FROM pg_class c WHERE relnamespace = 'dmarc'::regnamespace AND relkind <> 'v'$$,
	'there is nothing but views');
SELECT is_empty($$SELECT c.relname FROM pg_class c WHERE relnamespace = 'dmarc'::regnamespace AND relname ~ '^record_'
	AND obj_description(c.oid) !~ 'never sum'$$, 'the views that multiply rows warn of it');
SELECT views_are('dmarc', ARRAY['reports', 'records', 'record_dkim', 'record_spf', 'record_overrides', 'sources_daily',
	'policies', 'daily', 'monthly', 'seen', 'intake', 'domains', 'reporters', 'addresses', 'labels', 'label_log',
	'services', 'excluded_reports', 'exclusion_log', 'audit_log', 'tokens', 'schema_version', 'definitions', 'mails',
	 'failure_reports', 'tls_reports', 'tls_policies',
	'tls_failures', 'notes', 'dns_checks', 'dns_findings', 'dns_history', 'spf_ranges', 'sender_facts', 'senders']);

SELECT is((SELECT string_agg(x, ',') FROM t.take(
	t.mail(t.report('v.example', 'A', '1', '2026-01-31 23:30:00+00', jsonb_build_array(
		t.record('192.0.2.1', 10, 'pass', 'fail', '{"header_from": "v.example", "reason": [{"type": "forwarded",
			"comment": "c"}, {"type": "other"}], "auth_results":
			{"dkim": [{"domain": "v.example", "selector": "s", "result": "pass"}, {"domain": "w.example",
			"result": "fail", "human_result": "h"}], "spf": [{"domain": "w.example", "scope": "mfrom",
			"result": "pass"}]}}'),
		t.record('192.0.2.1', 4, 'fail', NULL, '{"disposition": "reject"}'),
		t.record(NULL, 2, 'fail', 'fail', '{"disposition": "quarantine"}')))),
	t.mail(t.report('v.example', 'B', '1', '2026-01-31 00:00:00+00', '[]', '{"p": "none", "pct": 50}')),
	t.mail(t.unreadable('xml', 'r'))) x), '1 0 0 0 f,1 0 0 0 f,0 0 0 1 t', 'three mails');

SELECT results_eq('SELECT record_no, day, dkim_aligned, spf_aligned, dmarc_pass FROM dmarc.records ORDER BY 1',
	$$VALUES (1, '2026-01-31'::date, true, false, true), (2, '2026-01-31', false, false, false),
	(3, '2026-01-31', false, false, false)$$,
	'days are UTC, whatever the session''s zone; booleans are never NULL');
SELECT results_eq('SELECT signature_no, dkim_domain, selector, result, human_result FROM dmarc.record_dkim ORDER BY '
	'record_no, 1', $$VALUES (1, 'v.example', 's', 'pass', NULL), (2, 'w.example', NULL, 'fail', 'h')$$, 'signatures');
SELECT results_eq('SELECT spf_domain, scope, result FROM dmarc.record_spf', $$VALUES ('w.example', 'mfrom', 'pass')$$,
	'SPF results');
SELECT results_eq('SELECT reason_no, type, comment FROM dmarc.record_overrides ORDER BY 1',
	$$VALUES (1, 'forwarded', 'c'), (2, 'other', NULL)$$, 'overrides');
SELECT results_eq('SELECT domain, day, host(source_ip), records, messages, pass, fail, dkim_aligned, spf_aligned, '
	'quarantine, reject FROM dmarc.sources_daily ORDER BY 3', $$VALUES ('v.example', '2026-01-31'::date, '192.0.2.1',
		2::bigint, 14::numeric, 10::numeric, 4::numeric, 10::numeric, 0::numeric, 0::numeric, 4::numeric),
		('v.example', '2026-01-31', NULL, 1, 2, 0, 2, 0, 0, 2, 0)$$, 'sources by day, in messages');
SELECT results_eq('SELECT domain, day, header_from, class, disposition, dkim_aligned, spf_aligned, dmarc_pass, '
	'override, messages, records FROM dmarc.daily ORDER BY messages DESC', $$VALUES ('v.example', '2026-01-31'::date,
		'v.example', 'pass', 'none', true, false, true, '{forwarded,other}'::text[], 10::bigint, 1::bigint),
		('v.example', '2026-01-31', NULL, 'fail_unauthenticated', 'reject', false, false, false, NULL, 4, 1),
		('v.example', '2026-01-31', NULL, 'fail_unauthenticated', 'quarantine', false, false, false, NULL, 2, 1)$$,
		'messages by day');
SELECT results_eq('SELECT domain, month, host(source_ip), auth_domain, dmarc_pass, messages, records, first_seen, '
	'last_seen FROM dmarc.monthly ORDER BY messages DESC', $$VALUES ('v.example', '2026-01-01'::date, '192.0.2.1',
		'v.example', true, 10::bigint, 1::bigint, '2026-01-31 23:30:00+00'::timestamptz,
		'2026-01-31 23:30:00+00'::timestamptz),
		('v.example', '2026-01-01', '192.0.2.1', NULL, false, 4, 1, '2026-01-31 23:30:00+00', '2026-01-31 23:30:00+00'),
		('v.example', '2026-01-01', NULL, NULL, false, 2, 1, '2026-01-31 23:30:00+00', '2026-01-31 23:30:00+00')$$,
		'and by month and address');
SELECT results_eq('SELECT DISTINCT domain, host(source_ip), first_seen, last_seen FROM dmarc.seen ORDER BY 1',
	$$VALUES ('v.example', '192.0.2.1', '2026-01-31 23:30:00+00'::timestamptz, '2026-01-31 23:30:00+00'::timestamptz),
	(NULL, '192.0.2.1', '2026-01-31 23:30:00+00', '2026-01-31 23:30:00+00')$$, 'when addresses were seen');
SELECT results_eq('SELECT p, pct, reports, reporters FROM dmarc.policies ORDER BY 1',
	$$VALUES ('none', 50::smallint, 1::bigint, 1::bigint), ('reject', NULL, 1, 1)$$, 'policies as seen');
SELECT results_eq('SELECT kind, status, code, reason, place, report IS NULL, raw_mail IS NULL FROM dmarc.intake ORDER '
	'BY mail', $$VALUES ('aggregate', 'stored', NULL, NULL, NULL, false, true),
		('aggregate', 'stored', NULL, NULL, NULL, false, true),
		('unreadable', 'quarantined', 'xml', 'r', 'part 2', true, false)$$, 'the ledger');

-- the other kinds
SELECT is((SELECT string_agg(x, ',') FROM t.take(
	t.mail(t.failure('{"header_from": "v.example", "source_ip": "192.0.2.7", "auth_failure": "dmarc", "arrival_time": '
		'"2026-01-31T23:30:00Z"}', '{"notes": [{"code": "F1", "path": "mail", "raw": null}]}'),
		t.tls(t.tls_content('TLS Org', '2026-02-01 00:00:00+00', '{w.example,v.example}'),
			'{"notes": [{"code": "J1", "path": "policies", "raw": "v.example"}]}'), t.unreadable('xml', 'x'))
			|| '{"authentic": "pass"}',
	t.mail(t.report('v.example', 'C', '2', '2026-02-01 00:00:00+00',
		jsonb_build_array(t.record('192.0.2.1', 1, 'pass', 'pass',
			'{"notes": [{"code": "I1", "path": "row/source_ip", "raw": "x"}, {"code": "V1", "path": "row", "raw": '
				'"y"}]}')), '{"partial": true, "notes": [{"code": "R1", "path": "feedback", "raw": null}]}'))
				|| '{"authentic": "fail"}',
	'{"items": []}') x), '2 0 0 1 t,1 0 0 0 t,0 0 0 0 f', 'three mails of all kinds');
SELECT results_eq('SELECT kind, domain, day, host(source_ip), auth_failure, authentic, notes -> 0 ->> ''code'' '
	'FROM dmarc.failure_reports', $$VALUES ('failure', 'v.example', '2026-01-31'::date, '192.0.2.7', 'dmarc', 'pass',
		'F1')$$, 'failure reports');
SELECT results_eq('SELECT organization_name, start_datetime, day, policies, total_successful_session_count, '
	'total_failure_session_count, authentic FROM dmarc.tls_reports',
		$$VALUES ('TLS Org', '2026-02-01 00:00:00+00'::timestamptz, '2026-02-01'::date, 2, 10652::bigint, 606::bigint,
			'pass')$$, 'TLS reports');
SELECT results_eq('SELECT p.policy_no, policy_domain, p.organization_name, policy_type, mx_host ->> 0, '
	'p.total_failure_session_count FROM dmarc.tls_policies p JOIN dmarc.tls_reports r ON r.id = p.report ORDER BY 1',
		$$VALUES (1, 'w.example', 'TLS Org', 'sts', '*.mail.company-y.example', 303::bigint),
		(2, 'v.example', 'TLS Org', 'sts', '*.mail.company-y.example', 303)$$, 'their policies');
SELECT results_eq('SELECT policy_no, failure_no, policy_domain, result_type, host(sending_mta_ip), host(receiving_ip), '
	'receiving_mx_helo, failed_session_count, failure_reason_code FROM dmarc.tls_failures WHERE policy_no = 2 ORDER BY '
		'2', $$VALUES (2, 1, 'v.example', 'certificate-expired', '2001:db8:abcd:12::1', NULL, NULL, 100::bigint, NULL),
			(2, 2, 'v.example', 'starttls-not-supported', '192.0.2.1', '203.0.113.56', 'mx2', 200, 'code')$$,
			'and what failed');
SELECT results_eq('SELECT kind, record_no, note_no, domain, org_name, day, code, path, raw FROM dmarc.notes ORDER BY '
	'kind, record_no NULLS FIRST, note_no', $$VALUES ('aggregate', NULL, 1, 'v.example', 'C', '2026-02-01'::date, 'R1',
		'feedback', NULL), ('aggregate', 1, 1, 'v.example', 'C', '2026-02-01', 'I1', 'row/source_ip', 'x'),
		('aggregate', 1, 2, 'v.example', 'C', '2026-02-01', 'V1', 'row', 'y'),
		('failure', NULL, 1, 'v.example', NULL, '2026-01-31', 'F1', 'mail', NULL),
		('tls', NULL, 1, 'v.example', 'TLS Org', '2026-02-01', 'J1', 'policies', 'v.example')$$, 'notes of all kinds');
SELECT results_eq('SELECT kinds, authentic, items, stored, duplicates, conflicts, quarantined, raw_mail = mail FROM '
	'dmarc.mails ORDER BY mail DESC LIMIT 3', $$VALUES (NULL::text[], 'none', 0::bigint, 0::bigint, 0::bigint,
		0::bigint, 0::bigint, NULL), ('{aggregate}', 'fail', 1, 1, 0, 0, 0, true), ('{failure,tls,unreadable}',
		'pass', 3, 2, 0, 0, 1, true)$$, 'mails');
SELECT results_eq('SELECT report_id, partial, authentic FROM dmarc.reports WHERE org_name = ''C''',
	$$VALUES ('2', true, 'fail')$$, 'reports say whether they are truncated, and what the MTA said');
SELECT results_eq('SELECT kind, status, code, authentic, partial FROM dmarc.intake ORDER BY mail DESC, item_no LIMIT 5',
	$$VALUES (NULL, NULL, NULL, 'none', NULL), ('aggregate', 'stored', 'partial', 'fail', true),
	('failure', 'stored', NULL, 'pass', false), ('tls', 'stored', NULL, 'pass', false),
	('unreadable', 'quarantined', 'xml', 'pass', false)$$, 'the ledger');
SELECT * FROM finish();
