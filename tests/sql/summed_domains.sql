-- Answers about domains, policies, reporters and the DNS are the same before records are summed, after that, and
-- while sums are stale.
SELECT plan(6);
SELECT lives_ok($$SELECT t.take(t.mail(t.report(d, o, d || o || n, t.day(-n), jsonb_build_array(
		t.record('192.0.2.1', 10 + n % 3, 'pass',
			'pass', jsonb_build_object('header_from', d, 'auth_results', jsonb_build_object('dkim', jsonb_build_array(
			jsonb_build_object('domain', d, 'selector', 's' || n / 20, 'result', 'pass'))), 'notes',
			'[{"code": "V1", "path": "row", "raw": "x"}]'::jsonb)),
		t.record('192.0.2.2', 5, 'fail', 'fail', jsonb_build_object('header_from', 'news.'
			|| d, 'disposition', 'quarantine')),
		t.record('198.51.100.' || n, 7, 'fail', 'fail', jsonb_build_object('header_from', d, 'auth_results',
			'{"dkim": [{"domain": "esp.example", "selector": "e", "result": "pass"}]}'::jsonb)),
		t.record('2001:db8::5', 2, 'fail',
			'pass', jsonb_build_object('header_from', CASE WHEN n % 9 = 4 THEN 'rare.' ELSE '' END || d)),
		t.record(NULL, 1, 'fail', 'fail')), jsonb_build_object('p', CASE WHEN n > 40 THEN 'none' WHEN o = 'B' AND n < 20
			THEN 'reject' ELSE 'quarantine' END)))
		|| jsonb_build_object('received_at', t.day(2 - n % 7 - n)))
	FROM unnest('{a.example,b.example,c.b.example}'::text[]) d, unnest('{A,B,C}'::text[]) o,
		generate_series(1, 75, 3) n$$, 'a quarter of a year');
INSERT INTO ruad.service VALUES ('esp', 'Esp', 'marketing');
INSERT INTO ruad.address (source_ip, service, service_basis, rdns, rdns_domain) SELECT ('198.51.100.' || n)::inet,
	CASE WHEN n < 30 THEN 'esp' END, CASE WHEN n < 30 THEN 'dkim' END,
	CASE WHEN n > 60 THEN n || '.out.b.example' END, CASE WHEN n > 60 THEN 'b.example' END
		FROM generate_series(1, 75) n;
SELECT ruad.enrich_collect();
SELECT ruad.set_label('ip:192.0.2.2', 'mine', NULL, 'kim', 'cli');
SELECT ruad.dns_store(d, '{"ok": true, "solicited": true, "findings": [], "mx": [{"host": "mx", "preference": 1,
	"addresses": ["192.0.2.1"]}], "spf": {"result": "ok", "all": "-", "unlisted": [],
	"ranges": [{"range": "192.0.2.2/32", "qualifier": "+"}]}, "dkim": [{"domain": "b.example", "selector": "s0",
	"status": "missing"}]}', 600) FROM unnest('{a.example,b.example,c.b.example}'::text[]) d;

CREATE FUNCTION t.answers() RETURNS TABLE (what text, answer jsonb) LANGUAGE sql AS $$
	SELECT w.no || f.no || x.what, x.answer
	FROM (VALUES ('month ', 30), ('quarter ', 76)) AS w(no, days)
	JOIN LATERAL (VALUES ('all ', api.filter(p_from => api.today() - w.days, p_to => api.today() - 2)),
		('domain ', api.filter(p_from => api.today() - w.days, p_to => api.today() + 1, p_domain => '{b.example}',
			p_subdomains => true)),
		('source ', api.filter(p_from => api.today() - w.days, p_to => api.today() + 1,
			p_source => '{service:esp,ip:2001:db8::5}')),
		('reporter ', api.filter(p_from => api.today() - w.days, p_to => api.today() + 1, p_reporter => '{B}')))
		AS f(no, f) ON (w.no = 'month ') = (f.no IN ('source ', 'reporter '))
	CROSS JOIN LATERAL (VALUES ('domains', api.domains(f.f, api.page())), ('domain', api.domain('b.example', f.f)),
		('From domain', api.domain('rare.a.example', f.f)),
		('impact', api.impact('a.example', f.f)), ('reporters', api.reporters(f.f, api.page())),
		('dns', api.domain_dns('b.example', f.f)),
		('attention', api.attention(f.f)),
		('spf', (SELECT to_jsonb(array_agg(s ORDER BY s.key))
			FROM api.source_spf('ip', '{192.0.2.1,192.0.2.2,198.51.100.4}',
			api.only_domains(f.f, '{b.example}')) s))) AS x(what, answer) $$;
CREATE TEMP TABLE before AS SELECT * FROM t.answers();
SELECT is((SELECT count(*) FROM before WHERE answer IS NOT NULL), 32::bigint, 'there are answers');

-- The last report on a From domain is the one received last, also when another day's came later.
SELECT is((SELECT i ->> 'last_report_at' FROM before, jsonb_array_elements(answer -> 'items') i
	WHERE what = 'quarter domain domains' AND i ->> 'name' = 'rare.b.example'),
	(SELECT api.iso(max(r.received_at)) FROM dmarc.reports r WHERE r.id IN (SELECT c.report FROM dmarc.records c
		WHERE c.header_from = 'rare.b.example' AND c.day >= api.today() - 76)),
	'a From domain: the last report');

BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT ruad.sum_up();
COMMIT;
SELECT is((SELECT count(*) FROM ruad.unsummed), 0::bigint, 'all is summed');
SELECT is((SELECT array_agg(a.what) FROM t.answers() a JOIN before b USING (what)
	WHERE a.answer IS DISTINCT FROM b.answer), NULL, 'the same by sums');
INSERT INTO ruad.stale (domain_id, day) SELECT d.domain_id, date_trunc('month', (api.today() - 30)::timestamp)::date
FROM dmarc.domains d WHERE d.domain = 'b.example';
UPDATE ruad.sum_month s SET messages = 0 FROM ruad.stale x WHERE x.domain_id = s.domain_id AND x.day = s.day;
SELECT is((SELECT array_agg(a.what) FROM t.answers() a JOIN before b USING (what)
	WHERE a.answer IS DISTINCT FROM b.answer), NULL, 'and while some of them are stale');
SELECT * FROM finish();
