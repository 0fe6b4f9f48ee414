-- Policy domains, the From domains below them, the policies that reporters saw, and the record of the next step:
-- numbers added up by hand.
SELECT plan(86);
CREATE FUNCTION t.date(n integer) RETURNS text LANGUAGE sql AS $$
	SELECT to_char(t.day(n) AT TIME ZONE 'UTC', 'YYYY-MM-DD') $$;
CREATE FUNCTION t.window(n_from integer, n_to integer) RETURNS api.filter_set LANGUAGE sql AS $$
	SELECT api.filter(p_from => t.date(n_from)::date, p_to => t.date(n_to)::date) $$;

SELECT is((SELECT string_agg(x, ',') FROM t.take(
	t.mail(t.report('corp.example', 'Google', 'g1', t.day(-2), jsonb_build_array(
		t.record('192.0.2.1', 10, 'pass', 'pass', '{"header_from": "corp.example"}'),
		t.record('192.0.2.2', 5, 'fail', 'fail', '{"header_from": "news.corp.example", "disposition": "quarantine"}'),
		t.record(NULL, 1, 'fail', 'fail', '{"header_from": "corp.example"}')),
		'{"p": "reject", "sp": "quarantine", "testing": "y", "np": "reject", "dialect": "rfc9990"}')),
	t.mail(t.report('corp.example', 'Yahoo', 'y1', t.day(-5), jsonb_build_array(
		t.record('192.0.2.1', 20, 'pass', 'fail', '{"header_from": "corp.example"}'),
		t.record('198.51.100.7', 2, 'fail', 'pass', '{"header_from": "news.corp.example"}'),
		t.record('198.51.100.7', 1, 'fail', 'fail', '{"header_from": "notcorp.example"}'),
		t.record('198.51.100.7', 4, 'fail', 'fail', '{"header_from": "shop.corp.example"}')), '{"p": "none"}')),
	t.mail(t.report('shop.corp.example', 'Google', 'g2', t.day(-4), jsonb_build_array(
		t.record('192.0.2.1', 3, 'fail', 'pass', '{"header_from": "shop.corp.example"}'),
		t.record('192.0.2.9', 6, 'fail', 'pass', '{"header_from": "a.b.shop.corp.example"}')))),
	t.mail(t.report('corp.example', 'Google', 'g0', t.day(-40),
		jsonb_build_array(t.record('192.0.2.1', 100, 'pass', 'pass', '{"header_from": "corp.example"}')),
		'{"p": "none"}'))) x),
	'1 0 0 0 f,1 0 0 0 f,1 0 0 0 f,1 0 0 0 f', 'the data is in');
INSERT INTO ruad.address (source_ip, rdns, rdns_domain) VALUES ('192.0.2.1', 'a.mx.example', 'mx.example'),
	('192.0.2.2', 'b.mx.example', 'mx.example');

-- the list
CREATE TEMP TABLE d AS SELECT api.domains(api.filter(), api.page()) AS j;
SELECT is(t.members(j -> 'items', 'name', 'kind', 'parent', 'messages', 'pass', 'dkim_aligned', 'spf_aligned',
	'dkim_only', 'spf_only', 'sources'),
	'[["corp.example", "policy", null, 43, 32, 30, 12, 20, 2, 3], ["news.corp.example", "from", "corp.example", 7, 2, 0,
	2, 0, 2, 2], ["shop.corp.example", "policy", "corp.example", 9, 9, 0, 9, 0, 9, 2], ["a.b.shop.corp.example", "from",
	"shop.corp.example", 6, 6, 0, 6, 0, 6, 1]]',
	'domains: each with the From domains below it; not those with reports of their own, nor others that end alike')
	FROM d;
SELECT is(jsonb_build_array(j -> 'total', j -> 'next', j -> 'window'), jsonb_build_array(2, NULL,
	jsonb_build_object('from', t.date(-29), 'to', t.date(1))), 'domains: policy domains are counted') FROM d;
SELECT is(j #> '{items,0,policy}', jsonb_build_object('p', 'reject', 'sp', 'quarantine', 'np', 'reject', 'testing', 'y',
	'adkim', NULL, 'aspf', NULL, 'pct', NULL, 'fo', NULL, 'effective', 'quarantine', 'as_of', t.date(-2)
		|| 'T00:00:00Z'), 'domains: the newest policy, a step less by t=y') FROM d;
SELECT is(j #>> '{items,1,policy,effective}', 'none', 'domains: below it sp governs, a step less') FROM d;
SELECT is(j #>> '{items,3,policy,effective}', 'reject', 'domains: or p, without sp') FROM d;
SELECT is(t.members(j -> 'items', 'blockers', 'sufficient'), '[[1, false], [null, null], [1, false], [null, null]]',
	'domains: what blocks enforcement, of policy domains') FROM d;
SELECT is((SELECT array_agg(v::int) FROM d, jsonb_array_elements_text(j #> '{items,1,spark}') v), array_fill(0, '{24}')
	|| '{2,0,0,5,0,0}', 'domains: the spark of a From domain');
SELECT is((SELECT array_agg(v::int) FROM d, jsonb_array_elements_text(j #> '{items,0,spark}') v), array_fill(0, '{24}')
	|| '{27,0,0,16,0,0}', 'domains: and of a policy domain');
SELECT is(s.spark, to_jsonb(array_fill(0, '{51}') || 100 || array_fill(0, '{34}') || '{27,0,0,16,0,0}'),
	'sparks: 92 days have a value each') FROM api.sparks('domain', '{corp.example}', t.window(-91, 1)) s;
SELECT ok(jsonb_array_length(s.spark) IN (4, 5), 'sparks: 93 days have one for each month')
FROM api.sparks('domain', '{corp.example}', t.window(-92, 1)) s;
SELECT is(j #> '{items,1,by_class}',
	'{"pass": 2, "fail_overridden": 0, "fail_altered": 0, "fail_unaligned": 0, "fail_unauthenticated": 5, "unknown": '
		'0}', 'domains: by class') FROM d;
SELECT is((SELECT count(*) FROM d, jsonb_array_elements(j -> 'items') i
	WHERE i ->> 'last_report_at' ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$'), 4::bigint,
	'domains: when the last report was received');
SELECT is(t.members(api.domains(f, api.page()) -> 'items', 'name', 'messages'), want, format('domains: filter %s', n))
FROM (VALUES
	('result', api.filter(p_result => 'fail'), '[["corp.example", 11], ["news.corp.example", 5]]'::jsonb),
	('domain', api.filter(p_domain => '{SHOP.corp.example.}'),
		'[["shop.corp.example", 9], ["a.b.shop.corp.example", 6]]'),
	('subdomains', api.filter(p_domain => '{corp.example}', p_subdomains => true),
		'[["corp.example", 43], ["news.corp.example", 7], ["shop.corp.example", 9], ["a.b.shop.corp.example", 6]]'),
	('header_from', api.filter(p_header_from => '{news.corp.example}'),
		'[["corp.example", 7], ["news.corp.example", 7]]'),
	('reporter', api.filter(p_reporter => '{Yahoo}'), '[["corp.example", 27], ["news.corp.example", 2]]'),
	('nothing', api.filter(p_domain => '{x.example}'), NULL)) x(n, f, want);
SELECT is(t.members(api.domains(api.filter(), api.page(), s) -> 'items', 'name'), want, 'domains: sort ' || s)
FROM (VALUES
	('messages', '[["shop.corp.example"], ["a.b.shop.corp.example"], ["corp.example"], ["news.corp.example"]]'::jsonb),
	('-fail', '[["corp.example"], ["news.corp.example"], ["shop.corp.example"], ["a.b.shop.corp.example"]]'),
	('pass', '[["shop.corp.example"], ["a.b.shop.corp.example"], ["corp.example"], ["news.corp.example"]]')) x(s, want);
SELECT is(t.members(api.domains(api.filter(), api.page(1)) -> 'items', 'name')
	|| t.members(api.domains(api.filter(), api.page(1, api.domains(api.filter(), api.page(1)) ->> 'next')) -> 'items',
		'name'), t.members(j -> 'items', 'name'), 'domains: two pages of one are the whole') FROM d;
SELECT is(api.domains(api.filter(), api.page(1, api.domains(api.filter(), api.page(1)) ->> 'next')) -> 'next', 'null',
	'domains: and then it ends');
SELECT is((SELECT count(*)
	FROM jsonb_array_elements(api.domains(api.filter(), api.page(NULL, NULL, 'csv')) -> 'items') i
	WHERE i -> 'spark' = 'null'), 4::bigint, 'domains: no sparks for CSV');
SELECT is(t.words($$SELECT api.domains(api.filter(), api.page(), 'name')$$),
	'22023 parameter "sort": "name" is not one of -messages, messages, -fail, fail, -pass, pass / sort',
	'domains: an order that is none');
SELECT is(t.words($$SELECT api.domains(api.filter(), api.page(NULL, api.domains(api.filter(), api.page(1)) ->> 'next'),
	'-fail')$$), '22023 parameter "cursor": not a cursor of this list / cursor',
	'domains: the cursor of another order');

-- one domain
CREATE TEMP TABLE o AS SELECT api.domain('Corp.Example.', api.filter()) AS j;
SELECT is(jsonb_build_array(j -> 'name', j -> 'messages', j -> 'sources', j -> 'reporters', j -> 'kind'),
	'["corp.example", 43, 3, 2, "policy"]', 'domain: its item') FROM o;
SELECT is(j - '{policy_history,subdomains,window,next_record,first_report_at,reporters}'::text[],
	(SELECT j #> '{items,0}' FROM d), 'domain: the same as in the list') FROM o;
SELECT is(j -> 'subdomains', (SELECT jsonb_build_array(j #> '{items,1}') FROM d), 'domain: the From domains below')
FROM o;
SELECT is(t.members(j -> 'policy_history', 'from', 'to', 'reports', 'reporters', 'policy.p', 'policy.testing'),
	jsonb_build_array(jsonb_build_array(t.date(-2), t.date(-2), 1, 1, 'reject', 'y'),
		jsonb_build_array(t.date(-40), t.date(-5), 2, 2, 'none', NULL)),
	'domain: the policies that were seen, at all times, the newest first') FROM o;
SELECT is(jsonb_build_array(api.domain('x.example', api.filter()), api.domain('', api.filter()),
	api.domain(E'\u202e', api.filter())), '[null, null, null]', 'domain: none of that name');
SELECT is(j - '{policy_history,subdomains,window,next_record,first_report_at,reporters}'::text[],
	(SELECT j #> '{items,1}' FROM d), 'domain: a From domain') FROM api.domain('news.corp.example', api.filter()) j;
SELECT is(jsonb_build_array(j -> 'policy_history', j -> 'subdomains', j #> '{next_record,name}', j -> 'reporters'),
	'[[], [], "_dmarc.corp.example", 2]', 'domain: which has no policy of its own')
	FROM api.domain('news.corp.example', api.filter()) j;
SELECT is(jsonb_build_array(j -> 'messages', j -> 'policy', j -> 'reporters', j -> 'last_report_at',
	j #> '{next_record,step}'), '[0, null, 0, null, "keep"]', 'domain: nothing in the window')
	FROM api.domain('corp.example', t.window(-20, -10)) j;
SELECT isnt(j ->> 'first_report_at', NULL, 'domain: but reports at another time')
FROM api.domain('corp.example', t.window(-20, -10)) j;

-- The history puts what reporters leave out together with what others tell: one policy until day -21, then np and t.
SELECT lives_ok($$SELECT t.take(t.mail(t.report('h.example', o, o || n, t.day(-n), '[]', m)))
	FROM generate_series(1, 40) n, (VALUES
	('Old', '{"p": "quarantine", "sp": "quarantine", "pct": 100, "adkim": "r", "fo": "0"}'::jsonb),
		('Bare', '{"p": "quarantine"}'),
	('New', NULL)) x(o, fixed), LATERAL (SELECT coalesce(fixed,
		CASE WHEN n > 20 THEN '{"dialect": "rfc9990", "p": "quarantine", "np": "none", "testing": "n"}'
		ELSE '{"dialect": "rfc9990", "p": "quarantine", "np": "reject", "testing": "y"}' END::jsonb) AS m) y$$,
		'120 reports by three kinds of reporters');
SELECT is(t.members(api.domain('h.example', api.filter()) -> 'policy_history', 'from', 'to', 'reports', 'reporters',
	'policy'), jsonb_build_array(
	jsonb_build_array(t.date(-20), t.date(-1), 60, 3,
		'{"p": "quarantine", "sp": "quarantine", "np": "reject", "testing": "y", "adkim": "r", "aspf": null, "pct": '
			'100, "fo": "0"}'::jsonb),
	jsonb_build_array(t.date(-40), t.date(-21), 60, 3,
		'{"p": "quarantine", "sp": "quarantine", "np": "none", "testing": "n", "adkim": "r", "aspf": null, "pct": '
			'100, "fo": "0"}'::jsonb)),
	'history: two policies, not six');
SELECT is((SELECT string_agg(x, ' ') FROM (VALUES (1, 'A', 'none'), (1, 'B', 'reject'), (1, 'C', 'reject'),
	(1, 'D', 'quarantine'), (2, 'D', 'quarantine')) v(n, org, p), t.take(t.mail(t.report('tie.example', v.org,
		v.org || v.n, t.day(-v.n), '[]', jsonb_build_object('p', v.p, 'dialect', 'rfc9990')))) x),
	'1 0 0 0 f 1 0 0 0 f 1 0 0 0 f 1 0 0 0 f 1 0 0 0 f', 'policies of the same days');
SELECT is(t.members(api.domain('tie.example', api.filter()) -> 'policy_history', 'from', 'to', 'reports', 'policy.p'),
	jsonb_build_array(jsonb_build_array(t.date(-1), t.date(-1), 2, 'reject'),
		jsonb_build_array(t.date(-1), t.date(-1), 1, 'none'),
		jsonb_build_array(t.date(-2), t.date(-1), 2, 'quarantine')),
	'history: by the last day, the first day, the number of reports');

SELECT is((SELECT string_agg(x, ' ') FROM (VALUES (9, '{}'::jsonb),
	(8, '{"np": "none", "testing": "n", "pct": 50, "fo": "1"}'), (7, '{}'),
	(6, '{"np": "reject", "testing": "y", "pct": 100, "fo": "0"}')) v(n, more),
	t.take(t.mail(t.report('gap.example', 'A', 'A' || v.n, t.day(-v.n), '[]', '{"p": "none"}' || v.more))) x),
	'1 0 0 0 f 1 0 0 0 f 1 0 0 0 f 1 0 0 0 f', 'reports of which each second omits tags');
SELECT is(t.members(api.domain('gap.example', api.filter()) -> 'policy_history', 'from', 'to', 'reports', 'policy.np',
	'policy.testing', 'policy.pct', 'policy.fo'), jsonb_build_array(
	jsonb_build_array(t.date(-6), t.date(-6), 1, 'reject', 'y', 100, '0'),
	jsonb_build_array(t.date(-9), t.date(-7), 3, 'none', 'n', 50, '1')),
	'history: an omitted tag has the value reported last, before its first report the first');

-- The next record
SELECT is(api.next_record('n.example', p, s) - 'name', jsonb_build_object('step', step,
	'value', format('v=DMARC1; %s; rua=mailto:<the address as it is now>', value)), format('next record: %s, %s', p, s))
FROM (VALUES
	(ROW('none', NULL, NULL, NULL, NULL, NULL, NULL, NULL)::api.policy, true, 'quarantine_test', 'p=quarantine; t=y'),
	(ROW('none', 'none', NULL, 'n', 'r', 'r', 100, '0')::api.policy, true, 'quarantine_test', 'p=quarantine; t=y'),
	(ROW('none', 'reject', 'reject', NULL, 's', 's', 50, '1:d')::api.policy, true, 'quarantine_test',
		'p=quarantine; sp=reject; adkim=s; aspf=s; t=y; fo=1:d'),
	(ROW('quarantine', NULL, 'reject', 'y', NULL, NULL, NULL, NULL)::api.policy, true, 'quarantine',
		'p=quarantine; np=reject'),
	(ROW('quarantine', 'none', NULL, 'n', NULL, NULL, NULL, NULL)::api.policy, true, 'reject_test',
		'p=reject; sp=none; t=y'),
	(ROW('reject', NULL, NULL, 'y', NULL, NULL, NULL, NULL)::api.policy, true, 'reject', 'p=reject'),
	(ROW('reject', NULL, NULL, NULL, NULL, NULL, NULL, NULL)::api.policy, true, 'keep', 'p=reject'),
	(ROW('quarantine', NULL, NULL, 'y', NULL, NULL, NULL, NULL)::api.policy, false, 'keep', 'p=quarantine; t=y'),
	(ROW('reject', NULL, NULL, NULL, NULL, NULL, 50, NULL)::api.policy, true, 'keep', 'p=reject; pct=50'),
	(ROW('quarantine', NULL, NULL, 'y', NULL, NULL, 0, NULL)::api.policy, false, 'keep', 'p=quarantine; pct=0; t=y'),
	(ROW('quarantine', NULL, NULL, NULL, NULL, NULL, 100, NULL)::api.policy, false, 'keep', 'p=quarantine'),
	(ROW('quarantine', NULL, NULL, NULL, NULL, NULL, 50, NULL)::api.policy, true, 'reject_test', 'p=reject; t=y'),
	(ROW('none', NULL, NULL, NULL, NULL, NULL, 50, NULL)::api.policy, false, 'keep', 'p=none'),
	(ROW('none; rua=mailto:e@evil.example', 'x;', E'"', 'z', 's; p=none', '', NULL,
		'1; ruf=mailto:e@evil.example')::api.policy, true, 'quarantine_test', 'p=quarantine; t=y')) x(p, s, step,
		value);
SELECT is(api.domain('corp.example', api.filter()) #>> '{next_record,value}',
	'v=DMARC1; p=reject; sp=quarantine; np=reject; t=y; rua=mailto:dmarc-sum@here.example',
	'next record: rua is where reports come in');

-- Names that somebody chose, in all that is said about a domain.
SELECT is((SELECT string_agg(x, ',')
	FROM t.take(t.mail(t.report(E'h\u202e\u0007.example', E'<img onerror>\u202e', E'id\u0085',
		t.day(-1), jsonb_build_array(
	t.record('192.0.2.1', 5000, 'fail', 'fail', jsonb_build_object('header_from', E'\u2066a.h\u202e\u0007.example',
		'auth_results', jsonb_build_object('dkim',
			jsonb_build_array(jsonb_build_object('domain', E'\u202ed', 'result', 'pass')))))),
	jsonb_build_object('p', E'no\u202ene\u0001', 'sp', E'\u0085', 'np', E'\u202e', 'fo', E'\u0007', 'adkim', E'\u2069',
		'email', E'e\u0007@x', 'notes', jsonb_build_array(jsonb_build_object('code', E'V1\u0007')))))) x), '1 0 0 0 f',
		'a report full of tricks');
CREATE TEMP TABLE tricks AS SELECT *
	FROM (SELECT 'domains' AS what, api.domains(api.filter(), api.page()) AS j UNION ALL
		SELECT 'domain', api.domain(E'h\u202e\u0007.example', api.filter()) UNION ALL
		SELECT 'from', api.domain(E'\u2066a.h\u202e\u0007.example', api.filter())
	UNION ALL SELECT 'impact', api.impact(E'h\u202e\u0007.example', api.filter()) UNION ALL
	SELECT 'reporters', api.reporters(api.filter(), api.page())) x;
SELECT is((SELECT array_agg(what) FROM tricks WHERE j IS NULL
	OR j::text ~ E'[\u0080-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|\\\\u00[01]'), NULL,
	'no answer carries them on');
SELECT is(j #> '{affected,messages}', '5000', 'and the numbers are there') FROM tricks WHERE what = 'impact';

-- Where reports come in: the newest of the domain itself, of the kind; the last to come of two at the same time, not
-- the last of all.
CREATE FUNCTION t.to(mailbox text, item jsonb, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT t.mail(item || jsonb_build_object('bytes', mailbox))
		|| jsonb_build_object('recipients', jsonb_build_array(mailbox || '@in.example', 'second@in.example'))
		|| more $$;
CREATE FUNCTION t.failed(domain text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT t.failure(jsonb_build_object('feedback_type', 'auth-failure', 'header_from', domain)) $$;
SELECT is((SELECT count(*) FROM t.take(
	t.to('noon', t.report('box1.example', 'A', '1', t.day(-1) + interval '12 hours', '[]')),
	t.to('ruf', t.failed('box1.example'), jsonb_build_object('received_at', t.day(-1))))), 2::bigint,
	'reports to a mailbox each');
SELECT is((SELECT count(*) FROM t.take(
	t.to('noon2', t.report('box1.example', 'B', '1', t.day(-1) + interval '12 hours', '[]')),
	t.to('night', t.report('box1.example', 'A', '2', t.day(-1), '[]')),
	t.to('late', t.report('box1.example', 'A', '3', t.day(-5) + interval '13 hours', '[]')),
	t.to('other', t.report('box2.example', 'A', '1', t.day(-1) + interval '23 hours', '[]')),
	t.to('ruf2', t.failed('box1.example'), jsonb_build_object('received_at', t.day(-1))),
	t.to('ruf-old', t.failed('box1.example'), jsonb_build_object('received_at', t.day(-4))),
	t.to('fbl', t.failed('box1.example') || '{"kind": "feedback"}',
		jsonb_build_object('received_at', t.day(-1) + interval '1 hour')), t.to('ruf-other', t.failed('box3.example'),
		jsonb_build_object('received_at', t.day(-1) + interval '2 hours')))), 8::bigint, 'and to others, later');
SELECT is((SELECT (m.rua, m.ruf)::text FROM api.mailboxes_of(d) m), want, 'mailboxes: ' || d)
FROM (VALUES ('box1.example', '(noon2@in.example,ruf2@in.example)'), ('box2.example', '(other@in.example,)'),
	('box3.example', '(,ruf-other@in.example)'), ('nobody.example', '(,)')) x(d, want);
SELECT is(api.next_record('box1.example', ROW('reject', NULL, NULL, NULL, NULL, NULL, NULL, NULL)::api.policy,
	true) ->> 'value', 'v=DMARC1; p=reject; rua=mailto:noon2@in.example; ruf=mailto:ruf2@in.example',
	'next record: with both');
-- The next record is the published one but for p and t, once the DNS was checked.
SELECT lives_ok('SELECT ruad.enrich_collect()', 'the domains to be checked');
CREATE FUNCTION t.publish(domain text, record text, p text, t text DEFAULT NULL, name text DEFAULT NULL) RETURNS void
LANGUAGE sql AS $$
	SELECT ruad.dns_store(domain, jsonb_build_object('ok', true, 'findings', '[]'::jsonb, 'dmarc', jsonb_build_object(
		'name', coalesce(name, '_dmarc.' || domain), 'record', record, 'p', p, 't', t)), 600) $$;
CREATE FUNCTION t.next(p text, testing text DEFAULT NULL, sufficient boolean DEFAULT true) RETURNS text
LANGUAGE sql AS $$
	SELECT (n.j ->> 'step') || ': ' || (n.j ->> 'value')
	FROM (SELECT api.next_record('box1.example', ROW(p, NULL, NULL, testing, NULL, NULL, NULL, NULL)::api.policy,
		sufficient) AS j) n $$;
SELECT lives_ok($$SELECT t.publish('box1.example', 'v=DMARC1;p=none ; sp=none; '
	'rua=mailto:a@x.example,mailto:b@y.example!10m; psd=n;pct=20;', 'NONE')$$, 'a record that the DNS has');
SELECT is(t.next('none'), 'quarantine_test: v=DMARC1; p=quarantine; sp=none; rua=mailto:a@x.example,'
	'mailto:b@y.example!10m; psd=n; t=y', 'all its tags and addresses stay');
SELECT is(t.next('none', 'n', false), 'keep: v=DMARC1;p=none ; sp=none; rua=mailto:a@x.example,mailto:b@y.example!10m; '
	'psd=n;pct=20;', 'without evidence it stays as it is');
SELECT lives_ok($$SELECT t.publish('box1.example', 'v=DMARC1; p=reject; t=y', 'reject', 'y')$$, 'it is changed');
SELECT is(t.next('none'), 'keep: v=DMARC1; p=reject; t=y', 'reports of an older policy propose nothing weaker');
SELECT is(t.next('reject', 'n'), 'keep: v=DMARC1; p=reject; t=y', 'nor do reports of the time before t=y');
SELECT is(t.next('reject'), 'reject: v=DMARC1; p=reject', 'a reporter that does not know t says nothing against it');
SELECT is(t.next('reject', 'y'), 'reject: v=DMARC1; p=reject', 'the end of the trial');
SELECT lives_ok($$SELECT t.publish('box1.example', record, p, NULL, name) FROM (VALUES
	('v=DMARC1; p=reject; rua="', 'reject', NULL)) x(record, p, name)$$, 'a record with a quote');
SELECT is(t.next('quarantine'),
	'reject_test: v=DMARC1; p=reject; t=y; rua=mailto:noon2@in.example; ruf=mailto:ruf2@in.example',
	'it cannot be told as a line of a zone, so the reports are what counts');
SELECT lives_ok($$SELECT t.publish('box1.example', 'v=DMARC1; p=reject', 'reject', NULL, '_dmarc.example')$$,
	'the record of a domain above');
SELECT is(t.next('quarantine'),
	'reject_test: v=DMARC1; p=reject; t=y; rua=mailto:noon2@in.example; ruf=mailto:ruf2@in.example',
	'it is not that of the domain');

-- A report from the future is stored, but is not the newest of anything.
SELECT lives_ok($$SELECT t.take(t.mail(t.report('ahead.example', 'Org', 'now', t.day(-3), '[]', '{"p": "none"}')))$$,
	'a report of these days');
SELECT lives_ok($$SELECT t.take(t.mail(t.report('ahead.example', 'Org', 'ahead', t.day(20000), '[]',
	'{"p": "reject"}')))$$, 'a report of a day far ahead');
SELECT is(t.members(api.domain('ahead.example', api.filter(p_from => t.date(-30)::date, p_to => t.date(30000)::date))
	-> 'policy_history', 'from', 'to', 'policy.p'), jsonb_build_array(jsonb_build_array(t.date(-3), t.date(-3), 'none')),
	'the history has no policy of a day far ahead');
SELECT is(api.domain('ahead.example', api.filter(p_from => t.date(-30)::date, p_to => t.date(30000)::date))
	#>> '{policy,p}', 'none', 'nor is it the policy now');

-- From domains: the largest first, then by name.
SELECT is((SELECT x FROM t.take(t.mail(t.report('order.example', 'Google', 'order', t.day(-1), (SELECT jsonb_agg(
	t.record('192.0.2.1', v.n, 'pass', 'pass', jsonb_build_object('header_from', v.name || '.order.example')))
	FROM (VALUES ('a', 1), ('d', 2), ('c', 3), ('b', 2)) v(name, n))))) x), '1 0 0 0 f', 'four From domains');
SELECT is(t.members(api.domain('order.example', api.filter()) -> 'subdomains', 'name'), '[["c.order.example"],
	["b.order.example"], ["d.order.example"], ["a.order.example"]]', 'From domains: the largest first, then by name');
SELECT * FROM finish();
