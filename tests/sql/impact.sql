-- What enforcement would affect and what blocks it, each rule at its limit.
SELECT plan(78);
SELECT is(ARRAY[api.counted(1, 'message'), api.counted(2, 'message'), api.counted(0, 'message'),
	api.counted(1234567, 'reply', 'replies'), api.counted(1, 'passes', 'pass'), api.counted(1000)],
	'{1 message,2 messages,0 messages,"1,234,567 replies",1 passes,"1,000"}', 'a number, and what is counted');
CREATE FUNCTION t.date(n integer) RETURNS text LANGUAGE sql AS $$
	SELECT to_char(t.day(n) AT TIME ZONE 'UTC', 'YYYY-MM-DD') $$;
-- A report each day from so many days ago until yesterday, by these reporters in turn.
CREATE FUNCTION t.days(domain text, days integer, reporters text[], records jsonb, more jsonb DEFAULT '{}')
RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*)
	FROM generate_series(1, days) n,
		t.take(t.mail(t.report(domain, reporters[1 + n % cardinality(reporters)], domain || n, t.day(-n), records,
			more))) $$;
CREATE FUNCTION t.unaligned(ip text, count bigint, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT t.record(ip, count, 'fail', 'fail',
		'{"auth_results": {"dkim": [{"domain": "esp.example", "result": "pass"}]}}' || more) $$;
CREATE FUNCTION t.blockers(domain text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_agg(jsonb_build_array(b -> 'code', b -> 'source', b -> 'messages') ORDER BY no)
	FROM jsonb_array_elements(api.impact(domain, api.filter()) -> 'blockers') WITH ORDINALITY x(b, no) $$;

INSERT INTO ruad.service VALUES ('esp', 'Esp Inc', 'marketing'), ('e4', 'E4', 'marketing'), ('e5', 'E5', 'marketing'),
	('e9', 'E9', 'marketing'), ('e10', 'E10', 'marketing');
INSERT INTO ruad.address (source_ip, service, service_basis) VALUES ('192.0.2.3', 'esp', 'dkim'),
	('198.51.100.4', 'e4', 'dkim'), ('198.51.100.5', 'e5', 'dkim'), ('198.51.100.9', 'e9', 'dkim'),
	('198.51.100.10', 'e10', 'dkim');
SELECT lives_ok($$SELECT ruad.set_label('ip:192.0.2.' || i, l, NULL, 'u', 'cli')
	FROM (VALUES (1, 'mine'), (2, 'mine'), (5, 'not_mine'), (6, 'forwarder')) x(i, l)$$, 'labels');
SELECT is(t.days('im.example', 20, '{Google,Yahoo}', jsonb_build_array(
	t.record('192.0.2.1', 100, 'pass', 'pass'), t.record('192.0.2.2', 10, 'fail', 'pass'), t.unaligned('192.0.2.3', 5),
	t.unaligned('192.0.2.5', 50, '{"disposition": "reject"}'),
	t.record('192.0.2.6', 3, 'fail', 'fail', '{"reason": [{"type": "mailing_list"}]}'), t.record('192.0.2.7', 7, 'fail',
		'fail', '{"disposition": null}')), '{"p": "quarantine", "sp": "none", "pct": 20}'), 20::bigint, 'twenty days');
SELECT is((SELECT string_agg(x, ',')
	FROM t.take(t.mail(t.report('im.example', 'Third', 't', t.day(-3),
		jsonb_build_array(t.record('192.0.2.1', 2, 'fail', 'fail'),
			t.unaligned('192.0.2.4', 4, '{"disposition": "quarantine"}'),
	t.record(NULL, 1, 'fail', 'fail')), '{"p": "quarantine", "sp": "none"}'))) x), '1 0 0 0 f', 'and a report more');

CREATE TEMP TABLE i AS SELECT p, api.impact('IM.example.', api.filter(), p) AS j
	FROM unnest('{quarantine,reject}'::text[]) p;
SELECT is(j - '{affected,sources,blockers,scope,window,evidence,parked}'::text[],
	'{"domain": "im.example", "policy": "quarantine", "sources_total": 5, "notes": ["mailing_lists", "spf_only", '
		'"pct", "subdomains_unprotected", "np_unprotected"]}', 'impact: what should be known with it')
		FROM i WHERE p = 'quarantine';
SELECT is((j -> 'evidence') - 'last_report_at',
	'{"days": 20, "window_days": 30, "reporters": 3, "messages": 3507, "sufficient": true, "days_needed": 14, '
		'"reporters_needed": 2}', 'impact: evidence') FROM i WHERE p = 'reject';
SELECT is(j -> 'affected',
	'{"messages": 303, "share": 0.086399, "by_class": {"pass": 0, "fail_overridden": 60, "fail_altered": 0, '
		'"fail_unaligned": 100, "fail_unauthenticated": 143, "unknown": 0}}',
			'impact: quarantine affects what was neither quarantined nor rejected') FROM i WHERE p = 'quarantine';
SELECT is(j #> '{affected,messages}', '307', 'impact: reject affects what was quarantined, too')
FROM i WHERE p = 'reject';
SELECT is((SELECT jsonb_agg(jsonb_build_array(s -> 'key', s -> 'name', s -> 'label', s -> 'class', s -> 'messages',
	left(s ->> 'last_seen', 10)) ORDER BY no) FROM jsonb_array_elements(j -> 'sources') WITH ORDINALITY x(s, no)),
	jsonb_build_array(jsonb_build_array('ip:192.0.2.7', NULL, NULL, 'fail_unauthenticated', 140, t.date(-1)),
		jsonb_build_array('service:esp', 'Esp Inc', NULL, 'fail_unaligned', 100, t.date(-1)),
		jsonb_build_array('ip:192.0.2.6', NULL, 'forwarder', 'fail_overridden', 60, t.date(-1)),
		jsonb_build_array('ip:192.0.2.1', NULL, 'mine', 'fail_unauthenticated', 2, t.date(-3)),
		jsonb_build_array('none', NULL, NULL, 'fail_unauthenticated', 1, t.date(-3))), 'impact: the sources behind it')
		FROM i WHERE p = 'quarantine';
SELECT is(t.blockers('im.example'),
	'[["mine_fails", "ip:192.0.2.1", 2], ["unreviewed_fails", "service:esp", 100], ["mine_spf_only", '
		'"ip:192.0.2.2", 200]]', 'impact: blockers');
SELECT is((SELECT array_agg(b ->> 'text' ORDER BY no) FROM jsonb_array_elements(j -> 'blockers') WITH ORDINALITY x(b,
	no)), ARRAY['ip:192.0.2.1 is labelled mine, and 2 of its 2,002 messages fail',
	'Esp Inc may be yours: 100 of its 100 messages fail, and nobody said whose it is',
	'ip:192.0.2.2 is labelled mine, and 200 of its 200 passing messages pass only by SPF, which breaks when mail is '
		'forwarded'], 'impact: in words') FROM i WHERE p = 'reject';
SELECT is((SELECT jsonb_agg(jsonb_build_array(s -> 'tag', s -> 'value', s -> 'effective') ORDER BY no)
	FROM jsonb_array_elements(j -> 'scope') WITH ORDINALITY x(s, no)),
	'[["p", "quarantine", "quarantine"], ["sp", "none", "none"], ["np", null, "none"], ["t", null, "n"], ["psd", null, '
		'null]]', 'impact: which tag governs what') FROM i WHERE p = 'reject';
SELECT is((SELECT jsonb_agg(jsonb_build_array(s -> 'tag', s -> 'effective'))
	FROM jsonb_array_elements(api.policy_scope('x', ROW('reject', NULL, 'quarantine', 'y', NULL, NULL,
		NULL, NULL)::api.policy)) s),
	'[["p", "quarantine"], ["sp", "quarantine"], ["np", "none"], ["t", "y"], ["psd", null]]',
	'impact: in a trial each is a step less');
SELECT is(j #> '{items,0,blockers}', '3', 'domains: counts the same blockers')
FROM api.domains(api.filter(p_domain => '{im.example}'), api.page()) j;
SELECT is(j #> '{items,0,blockers}', '3', 'domains: whatever one looks at')
FROM api.domains(api.filter(p_domain => '{im.example}', p_ip => '192.0.2.7'), api.page()) j;
SELECT ok((j #>> '{items,0,sufficient}')::boolean, 'domains: with enough evidence')
FROM api.domains(api.filter(p_domain => '{im.example}'), api.page()) j;
SELECT is((SELECT string_agg(api.main_failure(jsonb_populate_record(NULL::api.tally, jsonb_build_object(
	'fail_overridden', 1 + (n < 2)::int, 'fail_altered', 1 + (n < 3)::int, 'fail_unaligned', 1 + (n < 4)::int,
	'fail_unauthenticated', 1 + (n < 5)::int, 'class_unknown', 2))), ' ' ORDER BY n) FROM generate_series(1, 5) n),
	'fail_overridden fail_altered fail_unaligned fail_unauthenticated unknown',
	'impact: of classes with as many messages, the one that is most likely harmless');
SELECT is(api.impact('nobody.example', api.filter()), NULL, 'impact: no such domain');
SELECT is(t.words($$SELECT api.impact('im.example', api.filter(), 'none')$$),
	'22023 parameter "policy": "none" is not one of quarantine, reject / policy', 'impact: no such policy');
SELECT is(jsonb_build_array(j #> '{evidence,days}', j #> '{affected,share}', j -> 'sources', j #> '{blockers,0,code}'),
	'[0, null, [], "no_evidence"]', 'impact: an empty window is no clean bill of health')
	FROM api.impact('im.example', api.filter(p_from => t.date(-60)::date, p_to => t.date(-50)::date)) j;

-- bounds
SELECT is(t.days('d13.example', 13, '{A,B}', '[]') + t.days('r1.example', 14, '{A}', '[]') + t.days('d14.example', 14,
	'{A,B}', '[]'), 41::bigint, 'evidence at the bounds');
SELECT is(t.blockers(d), want, d) FROM (VALUES ('d13.example', '[["no_evidence", null, null]]'::jsonb),
	('r1.example', '[["no_evidence", null, null]]'), ('d14.example', NULL)) x(d, want);
SELECT is(api.impact('d13.example', api.filter()) #>> '{blockers,0,text}',
	'There are reports on 13 days and by 2 reporters; 14 and 2 are needed to say more', 'no evidence, in words');
SELECT is((api.evidence_days(), api.evidence_reporters())::text, format('(%s,%s)', j #> '{thresholds,evidence_days}',
	j #> '{thresholds,evidence_reporters}'), 'the thresholds are those of meta') FROM api.meta() j;
SELECT is(t.days('u4.example', 14, '{A,B}', '[]') + t.days('big.example', 14, '{A,B}', '[]'), 28::bigint,
	'unreviewed sources at the bounds');
SELECT is((SELECT string_agg(x, ',')
	FROM t.take(t.mail(t.report('u4.example', 'A', 'u', t.day(-1),
		jsonb_build_array(t.unaligned('198.51.100.4', 4), t.unaligned('198.51.100.5', 5)))),
	t.mail(t.report('big.example', 'A', 'b', t.day(-1),
		jsonb_build_array(t.unaligned('198.51.100.9', 9), t.unaligned('198.51.100.10', 10),
			t.record('192.0.2.1', 9981, 'pass', 'pass'))))) x), '1 0 0 0 f,1 0 0 0 f', 'the data is in');
SELECT is(t.blockers('u4.example'), '[["unreviewed_fails", "service:e5", 5]]',
	'unreviewed: five messages at least');
SELECT is(t.blockers('big.example'), '[["unreviewed_fails", "service:e10", 10]]',
	'unreviewed: one in a thousand at least');
SELECT is((SELECT string_agg(api.relies_on_spf(a, b)::text, ',') FROM (VALUES (0, 0), (1, 20), (1, 19), (20, 20)) x(a,
	b)), 'false,false,true,true', 'SPF alone: more than one in twenty');

-- No green light while mail of ours fails, and no blocker by spoofers.
CREATE FUNCTION t.check(domain text, ranges jsonb) RETURNS void LANGUAGE sql AS $$
	SELECT ruad.dns_store(domain, jsonb_build_object('ok', true, 'solicited', true, 'findings', '[]'::jsonb,
		'spf', jsonb_build_object('result', 'ok', 'all', '-', 'unlisted', '[]'::jsonb, 'ranges', ranges)), 600) $$;
SELECT is(t.days('own.example', 24, '{A,B}', jsonb_build_array(t.record('203.0.113.1', 100, 'pass', 'pass'),
		t.record('203.0.113.2', 5, 'fail', 'fail', '{"header_from": "own.example", "auth_results": {"dkim":
			[{"domain": "own.example", "selector": "s", "result": "fail"}]}}'),
		t.record('203.0.113.3', 3, 'fail', 'fail'), t.record('203.0.113.4', 2, 'fail', 'fail')))
	+ t.days('own.example', 3, '{C}', jsonb_build_array(t.unaligned('203.0.113.66', 500),
		t.record('203.0.113.67', 500, 'fail', 'fail'),
		t.record('203.0.113.68', 500, 'fail', 'fail', '{"auth_results": {"dkim":
			[{"domain": "own.example", "selector": "s", "result": "fail"}]}}'))), 27::bigint, 'own mail and spoofers');
INSERT INTO ruad.address (source_ip, rdns, rdns_domain) VALUES ('203.0.113.2', 'news.own.example', 'own.example'),
	('203.0.113.66', 'mail.spoof.example', 'spoof.example');
SELECT is(t.days('parked.example', 30, '{A,B}', jsonb_build_array(t.record('203.0.113.67', 500, 'fail', 'fail',
		'{"disposition": "reject"}'), t.unaligned('203.0.113.66', 9), t.unaligned('192.0.2.3', 9),
		t.record('192.0.2.9', 0, 'pass', 'pass')))
	+ t.days('unparked.example', 30, '{A,B}', jsonb_build_array(t.record('203.0.113.67', 1, 'pass', 'fail')),
		'{"p": "none"}'), 60::bigint,
	'a parked domain and one that is not');
SELECT ruad.enrich_collect();
SELECT t.check('own.example', '[{"range": "203.0.113.3/32", "qualifier": "+", "term": "ip4", "via": "own.example"}]'),
	t.check('parked.example', '[]'), t.check('unparked.example', '[]');
SELECT is(t.blockers('own.example'), '[["own_fails", "domain:own.example", 120], ["own_fails", "ip:203.0.113.3", 72], '
	'["unreviewed_fails", "ip:203.0.113.4", 48]]',
	'blockers: a broken signature of an own name, an own range, a steady source; no spoofers');
SELECT api.harmful('r') AS harmful \gset
SELECT is((SELECT sum(api.harm(s.sent)) FROM api.sorted_senders(f) s),
	(SELECT sum(r.count) FROM dmarc.records r WHERE r.domain = ANY (f.domain) AND r.day >= f.from_day AND r.day < f.to_day
		AND :harmful), 'harm: the sums of a sender and its records agree')
FROM api.filter(p_domain => ARRAY(SELECT d.domain FROM dmarc.domains d)) f;
SELECT is(ARRAY(SELECT :harmful FROM (VALUES (true, 'pass', NULL), (false, 'fail_overridden', NULL),
	(false, 'fail_altered', 'a.example'), (false, 'fail_altered', NULL), (false, 'fail_unaligned', 'a.example'),
	(false, 'unknown', NULL)) r(dmarc_pass, class, auth_domain)), '{f,f,f,t,t,t}',
	'harm: what neither a list nor a forwarder explains');
SELECT is(t.blockers('parked.example'), NULL, 'a parked domain: nothing that others send blocks');
SELECT is((j -> 'parked', j #> '{evidence,sufficient}')::text, '(true,true)', 'it is recognised')
FROM api.impact('parked.example', api.filter()) j;
SELECT is(api.impact('unparked.example', api.filter()) -> 'parked', 'false', 'one whose mail passes is not parked');
SELECT is(api.impact('own.example', api.filter()) -> 'parked', 'false', 'nor one whose SPF record lists something');
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.mail(t.report('once.example', 'A', 'o', t.day(-92),
	jsonb_build_array(t.record('192.0.2.1', 1, 'pass', 'pass')))), t.mail(t.report('lately.example', 'A', 'l', t.day(-91),
	jsonb_build_array(t.record('192.0.2.1', 1, 'pass', 'pass'))))) x), '1 0 0 0 f,1 0 0 0 f', 'mail that passed some time ago');
SELECT ruad.enrich_collect();
SELECT t.check(d, '[]') FROM unnest('{once.example,lately.example}'::text[]) d;
SELECT is(ARRAY(SELECT d FROM unnest(api.parked_domains('{once.example,lately.example,parked.example,unparked.example,'
	'never.example}')) d ORDER BY 1), '{once.example,parked.example}', 'nor one whose mail passed in three months');
SELECT is(t.members(api.advice(api.filter(p_domain => '{parked.example}')) -> 'items', 'code'), NULL,
	'advice: nothing to do for a parked domain with p=reject');
SELECT is(t.members(api.advice(api.filter(p_domain => '{own.example}')) -> 'items', 'code', 'source', 'messages'),
	'[["own_fails", "domain:own.example", 120], ["own_fails", "ip:203.0.113.3", 72], '
		'["review", "ip:203.0.113.4", 48]]', 'advice: what fails, and what might be ours');
SELECT is((SELECT jsonb_object_agg(c, jsonb_build_array(api.action_of(ROW(1, c, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
	NULL, NULL, NULL, NULL, NULL, NULL)::api.point, NULL), api.mood_of(c)))
	FROM unnest('{own_rejected,service_quarantined,own_host_outside_spf,dns_error,silent_reporter,own_fails,service_fails,
		review,selector_without_key,step_reject_test,parked,fixed,dns_changed,unsolicited}'::text[]) c),
	'{"own_rejected": ["own", "bad"], "service_quarantined": ["service", "bad"], "own_host_outside_spf": [null, "bad"],
	"dns_error": [null, "bad"], "silent_reporter": ["silent_reporter", "so"], "own_fails": ["own", "so"],
	"service_fails": ["service", "so"], "review": ["review", "so"], "selector_without_key": [null, "so"],
	"step_reject_test": ["step", "info"], "parked": ["parked", "info"], "fixed": [null, "good"],
	"dns_changed": ["dns_changed", "info"], "unsolicited": [null, "so"]}', 'advice: what to do about each, and its mark');
SELECT is(ARRAY(SELECT api.action_of(ROW(1, c, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
	fix)::api.point, setup) FROM (VALUES ('service_fails', NULL, '{}'::jsonb), ('review', NULL, '{}'),
	('own_fails', 'fix', NULL)) x(c, fix, setup)), '{NULL,review,NULL}', 'advice: a fix or setup says what to do');
SELECT is(ARRAY(SELECT api.key_words(k) FROM unnest('{service:esp,as:64500,ip:192.0.2.1,ip:2001:db8::1,domain:a.example,
	NULL}'::text[]) k), '{esp,AS64500,192.0.2.1,2001:db8::1,a.example,NULL}', 'a key of a source as people read it');
SELECT is(api.advice(api.filter(p_domain => '{own.example}')) -> 'strangers',
	'{"senders": 3, "messages": 4500, "fail": 4500, "rejected": 0, "quarantined": 0}', 'advice: strangers are one line');
SELECT is(t.members(api.advice(api.filter(p_domain => '{unparked.example}')) -> 'items', 'code'), '[["step_quarantine_test"]]',
	'advice: the next step of a domain that nothing blocks');

-- Reporters that disagree. A at the same time as B on so many days; then one reporter alone that changes its mind.
CREATE FUNCTION t.differ(domain text, days integer, a jsonb, b jsonb, org text DEFAULT 'B')
RETURNS bigint LANGUAGE sql AS $$
	SELECT t.days(domain, days, '{A}', '[]', a) + count(*)
	FROM generate_series(1, days) n, t.take(t.mail(t.report(domain, org, 'other' || n, t.day(-n), '[]', b))) $$;
SELECT is(t.differ('p2.example', 2, '{"p": "none"}', '{"p": "reject"}') + t.differ('p3.example', 3, '{"p": "none"}',
	'{"p": "reject"}') + t.differ('same.example', 9, '{"p": "none"}', '{"p": "reject"}', 'A')
	+ t.differ('told.example', 9, '{"p": "none", "pct": 100, "adkim": "r", "sp": "none"}',
		'{"p": "none", "np": "reject", "testing": "n", "dialect": "rfc9990"}')
	+ t.differ('np.example', 3, '{"p": "none", "np": "none"}', '{"p": "none", "np": "reject"}'), 52::bigint,
		'policies that differ');
SELECT is((SELECT jsonb_agg(b -> 'text') FROM jsonb_array_elements(api.impact(d, api.filter()) -> 'blockers') b
	WHERE b ->> 'code' = 'policy_differs'), want, d) FROM (VALUES ('p2.example', NULL::jsonb),
	('p3.example', '["On 3 days reporters saw different policies: \"p=none; sp=none; adkim=r; aspf=r\" and \"p=reject; '
		'sp=reject; adkim=r; aspf=r\""]'), ('same.example', NULL), ('told.example', NULL),
	('np.example', '["On 3 days reporters saw different policies: \"p=none; sp=none; np=none; adkim=r; aspf=r\" and '
		'\"p=none; sp=none; np=reject; adkim=r; aspf=r\""]')) x(d, want);
-- Notes on the numbers, each at its bound.
SELECT is(api.impact_notes(jsonb_populate_record(NULL::api.policy, policy), jsonb_populate_record(NULL::api.tally,
	'{"pass": 40, "dkim_aligned": 40, "fail_altered": 0, "fail_overridden": 0}' || tally)), want, format('notes: %s %s', policy, tally))
FROM (VALUES ('{}'::jsonb, '{}'::jsonb, '[]'::jsonb), ('{}', '{"fail_altered": 1}', '["mailing_lists"]'),
	('{}', '{"fail_overridden": 1}', '["mailing_lists"]'), ('{}', '{"dkim_aligned": 38}', '[]'),
	('{}', '{"dkim_aligned": 37}', '["spf_only"]'), ('{"testing": "y"}', '{}', '["testing"]'), ('{"testing": "n"}', '{}', '[]'),
	('{"pct": 100}', '{}', '[]'), ('{"pct": 99}', '{}', '["pct"]'),
	('{"p": "reject", "sp": "none"}', '{}', '["subdomains_unprotected", "np_unprotected"]'),
	('{"p": "quarantine", "sp": "none", "np": "reject"}', '{}', '["subdomains_unprotected"]'),
	('{"p": "reject", "sp": "reject", "np": "none"}', '{}', '["np_unprotected"]'), ('{"p": "none", "sp": "none"}', '{}', '[]'),
	('{"p": "none", "np": "none"}', '{}', '[]'), ('{"p": "reject", "sp": "quarantine"}', '{}', '[]')) x(policy, tally, want);
-- What blocks, in its order.
SELECT is((SELECT array_agg(DISTINCT b.no || ' ' || b.code ORDER BY b.no || ' ' || b.code) FROM api.filter() f, unnest('{d13.example,im.example,
	own.example,p3.example}'::text[]) d, api.findings(ARRAY[d], f, ARRAY(SELECT e FROM api.evidence(api.only_domains(f, ARRAY[d])) e)) b),
	'{"1 no_evidence","2 mine_fails","2 own_fails","3 unreviewed_fails","4 mine_spf_only","5 policy_differs"}', 'blockers: their order');
-- Parked: for three months nothing passed. A report of no messages passes nothing.
SELECT is((SELECT count(*) FROM (VALUES ('p91.example', 91, 1), ('p92.example', 92, 1), ('p0.example', 5, 0)) x(d, age, n),
	t.take(t.mail(t.report(d, 'A', d, t.day(-age), jsonb_build_array(t.record('203.0.113.1', n, 'pass', 'fail'))),
		t.report(d, 'A', d || 'now', t.day(-2), jsonb_build_array(t.record('203.0.113.67', 5, 'fail', 'fail')), '{"p": "none"}')))),
	3::bigint, 'domains with an old report');
SELECT ruad.enrich_collect();
SELECT t.check(d, '[]') FROM unnest('{p91.example,p92.example,p0.example}'::text[]) d;
SELECT is(api.parked_domains('{p91.example,p92.example}'), '{p92.example}', 'parked: nothing passed for 92 days');
SELECT is(api.parked_domains('{p0.example}'), '{p0.example}', 'parked: a record of no messages is no mail');
SELECT is(t.members(api.advice(api.filter(p_domain => '{p92.example}')) -> 'items', 'code', 'action', 'fix'),
	'[["parked", "parked", null]]', 'advice: a parked domain without p=reject has its own point, however few reports it has');
SELECT is((SELECT count(*) FROM jsonb_array_elements(api.advice(api.filter(p_domain => ARRAY[d])) -> 'items') i
	WHERE i ->> 'code' LIKE 'step%'), 0::bigint, 'advice: no step of a domain ' || why)
FROM (VALUES ('im.example', 'that something blocks'), ('p2.example', 'without evidence')) x(d, why);

-- The number of points in an answer has two bounds, which are lower here.
CREATE OR REPLACE FUNCTION api.points_most() RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT 1 $$;
CREATE OR REPLACE FUNCTION api.points_listed() RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT 2 $$;
SELECT is(jsonb_build_array(t.members(j -> 'items', 'source'), t.members(j -> 'more', 'source'), j -> 'total'),
	'[[["domain:own.example"]], [["ip:203.0.113.3"]], 3]', 'advice: more follows items, and total counts all')
FROM api.advice(api.filter(p_domain => '{own.example}')) j;
SELECT * FROM finish();
