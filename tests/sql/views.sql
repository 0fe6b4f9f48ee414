-- Schema dmarc is a public interface: every view and column says what it is, and the numbers are right.
SELECT plan(14);
SELECT is_empty($$SELECT c.relname FROM pg_class c WHERE relnamespace = 'dmarc'::regnamespace AND obj_description(c.oid) IS NULL$$, 'every view has a comment');
SELECT is_empty($$SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE relnamespace = 'dmarc'::regnamespace
	AND attnum > 0 AND NOT attisdropped AND coalesce(col_description(c.oid, attnum), '') = ''$$, 'every column has a comment');
SELECT is_empty($$SELECT n.nspname FROM pg_namespace n WHERE nspname IN ('ruad', 'dmarc', 'api') AND obj_description(n.oid) IS NULL$$, 'every schema has a comment');
SELECT is_empty($$SELECT c.relname FROM pg_class c WHERE relnamespace = 'dmarc'::regnamespace AND relkind <> 'v'$$, 'there is nothing but views');
SELECT is_empty($$SELECT c.relname FROM pg_class c WHERE relnamespace = 'dmarc'::regnamespace AND relname ~ '^record_' AND obj_description(c.oid) !~ 'never sum'$$,
	'the views that multiply rows warn of it');
SELECT views_are('dmarc', ARRAY['reports', 'records', 'record_dkim', 'record_spf', 'record_overrides', 'sources_daily', 'policies', 'intake', 'domains',
	'schema_version']);

SELECT is((SELECT string_agg(x, ',') FROM t.take(
	t.mail(t.report('v.example', 'A', '1', '2026-01-31 23:30:00+00', jsonb_build_array(
		t.record('192.0.2.1', 10, 'pass', 'fail', '{"header_from": "v.example", "reason": [{"type": "forwarded", "comment": "c"}, {"type": "other"}], "auth_results":
			{"dkim": [{"domain": "v.example", "selector": "s", "result": "pass"}, {"domain": "w.example", "result": "fail", "human_result": "h"}],
			 "spf": [{"domain": "w.example", "scope": "mfrom", "result": "pass"}]}}'),
		t.record('192.0.2.1', 4, 'fail', NULL, '{"disposition": "reject"}'),
		t.record(NULL, 2, 'fail', 'fail', '{"disposition": "quarantine"}')))),
	t.mail(t.report('v.example', 'B', '1', '2026-01-31 00:00:00+00', '[]', '{"p": "none", "pct": 50}')),
	t.mail(t.unreadable('xml', 'r'))) x), '1 0 0 0 f,1 0 0 0 f,0 0 0 1 t', 'three mails');

SELECT results_eq('SELECT record_no, day, dkim_aligned, spf_aligned, dmarc_pass FROM dmarc.records ORDER BY 1',
	$$VALUES (1, '2026-01-31'::date, true, false, true), (2, '2026-01-31', false, false, false), (3, '2026-01-31', false, false, false)$$,
	'days are UTC, whatever the session''s zone; booleans are never NULL');
SELECT results_eq('SELECT signature_no, dkim_domain, selector, result, human_result FROM dmarc.record_dkim ORDER BY record_no, 1',
	$$VALUES (1, 'v.example', 's', 'pass', NULL), (2, 'w.example', NULL, 'fail', 'h')$$, 'signatures');
SELECT results_eq('SELECT spf_domain, scope, result FROM dmarc.record_spf', $$VALUES ('w.example', 'mfrom', 'pass')$$, 'SPF results');
SELECT results_eq('SELECT reason_no, type, comment FROM dmarc.record_overrides ORDER BY 1', $$VALUES (1, 'forwarded', 'c'), (2, 'other', NULL)$$, 'overrides');
SELECT results_eq('SELECT domain, day, host(source_ip), records, messages, pass, fail, dkim_aligned, spf_aligned, quarantine, reject FROM dmarc.sources_daily ORDER BY 3',
	$$VALUES ('v.example', '2026-01-31'::date, '192.0.2.1', 2::bigint, 14::numeric, 10::numeric, 4::numeric, 10::numeric, 0::numeric, 0::numeric, 4::numeric),
		('v.example', '2026-01-31', NULL, 1, 2, 0, 2, 0, 0, 2, 0)$$, 'sources by day, in messages');
SELECT results_eq('SELECT p, pct, reports, reporters FROM dmarc.policies ORDER BY 1', $$VALUES ('none', 50::smallint, 1::bigint, 1::bigint), ('reject', NULL, 1, 1)$$, 'policies as seen');
SELECT results_eq('SELECT kind, status, code, reason, place, report IS NULL, raw_mail IS NULL FROM dmarc.intake ORDER BY mail',
	$$VALUES ('aggregate', 'stored', NULL, NULL, NULL, false, true), ('aggregate', 'stored', NULL, NULL, NULL, false, true),
		('unreadable', 'quarantined', 'xml', 'r', 'part 2', true, false)$$, 'the ledger');
SELECT * FROM finish();
