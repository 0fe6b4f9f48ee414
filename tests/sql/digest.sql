-- The content of a digest: its window, and each part of it on two weeks of mail of which all is known.
SELECT plan(62);
SELECT is((SELECT string_agg(format('%s %s: %s %s', p, u, w.from_day, w.to_day), ', ' ORDER BY no)
	FROM (VALUES (1, 'week', '2025-11-16'), (2, 'week', '2025-11-15'), (3, 'week', '2025-11-17'),
		(4, 'month', '2025-11-30'), (5, 'month', '2025-11-29'), (6, 'month', '2024-02-29')) x(no, p, u), api.digest_window(p, u::date) w),
	'week 2025-11-16: 2025-11-10 2025-11-17, week 2025-11-15: 2025-11-03 2025-11-10, week 2025-11-17: 2025-11-10 '
	'2025-11-17, month 2025-11-30: 2025-11-01 2025-12-01, month 2025-11-29: 2025-10-01 2025-11-01, month 2024-02-29: '
	'2024-02-01 2024-03-01', 'a window ends on the day or before, weeks on Sunday');
SELECT is((SELECT w.to_day FROM api.digest_window('week', NULL) w), date_trunc('week', api.today())::date,
	'without a day it is the last week that is over');
SELECT is(t.words($$SELECT api.digest('year')$$), '22023 parameter "period": "year" is not one of week, month / period',
	'there is no digest of a year');
SELECT is(t.words($$SELECT api.digest('week', '1969-12-31')$$),
	'22023 parameter "until": "1969-12-31" is outside 1970-01-01 to 9999-12-31 / until', 'nor of a time without mail');
SELECT is(api.digest('week', '2025-11-16') - '{previous,complete_until}'::text[] #- '{totals,by_class}'
	#- '{totals,by_disposition}', '{"period": "week", "named": false, "window": {"from": "2025-11-10", "to": "2025-11-17"},
	"before": {"from": "2025-11-03", "to": "2025-11-10"}, "totals": {"messages": 0, "pass": 0, "dkim_aligned": 0,
	"spf_aligned": 0, "dkim_only": 0, "spf_only": 0}, "sources": {"total": 0, "failing": 0, "new": 0}, "reports": 0,
	"reporters": 0, "last_report_at": null, "unread": {"quarantined": 0, "conflict": 0, "previous": {"stored": 0,
	"duplicate": 0, "conflict": 0, "quarantined": 0}}, "domains": {"total": 0, "items": []}}',
	'without mail there is no more than that');

-- Day n of the week before (from 0) or of the week (from 7).
CREATE FUNCTION t.at(n integer) RETURNS timestamptz LANGUAGE sql AS $$
	SELECT timestamptz '2025-11-03 00:00Z' + n * interval '1 day' $$;
CREATE FUNCTION t.stored(domain text, n integer, records jsonb, more jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(x, ',') FROM t.take(t.mail(t.report(domain, 'Google', domain || n, t.at(n), records, more))
		|| jsonb_build_object('received_at', t.at(n + 1))) x $$;
SELECT lives_ok($$SELECT ruad.set_label('ip:192.0.2.' || i, 'mine', NULL, 'u', 'cli') FROM generate_series(1, 4) i$$, 'labels');
INSERT INTO ruad.service VALUES ('esp', 'Esp Inc', 'marketing');
INSERT INTO ruad.address (source_ip, service, service_basis) VALUES ('198.51.100.9', 'esp', 'dkim');
SELECT is(ARRAY[
	t.stored('own.example', 0, jsonb_build_array(t.record('192.0.2.1', 100, 'pass', 'pass'),
		t.record('192.0.2.2', 20, 'fail', 'fail', '{"disposition": "reject"}'),
		t.record('192.0.2.3', 10, 'fail', 'fail', '{"disposition": "reject"}'),
		t.record('192.0.2.4', 10, 'fail', 'fail')), '{"p": "none"}'),
	t.stored('own.example', 7, jsonb_build_array(t.record('192.0.2.1', 110, 'pass', 'fail'),
		t.record('192.0.2.4', 10, 'pass', 'pass')), '{"p": "quarantine", "sp": "none"}'),
	t.stored('own.example', 9, jsonb_build_array(t.record('192.0.2.2', 25, 'pass', 'pass'),
		t.record('192.0.2.3', 12, 'fail', 'fail', '{"disposition": "reject"}'),
		t.record('198.51.100.9', 30, 'fail', 'pass')), '{"p": "quarantine", "sp": "none"}'),
	t.stored('b.example', 8, jsonb_build_array(t.record('192.0.2.1', 60, 'pass', 'pass'))),
	t.stored('c.example', 8, jsonb_build_array(t.record('192.0.2.1', 50, 'pass', 'pass'))),
	t.stored('d.example', 8, jsonb_build_array(t.record('192.0.2.1', 40, 'pass', 'pass')))],
	array_fill('1 0 0 0 f'::text, '{6}'), 'two weeks of mail');
SELECT is(ARRAY(SELECT t.take(t.mail(t.unreadable('xml', 'broken')) || jsonb_build_object('received_at', t.at(n)))
	FROM unnest('{1,8,9}'::integer[]) n), array_fill('0 0 0 1 t'::text, '{3}'), 'and mail that nobody can read');
INSERT INTO ruad.dns_version (domain_id, kind, name, value, since, until, is_first)
SELECT d.id, 'spf', 'own.example', v, t.at(n), u, f FROM ruad.domain d, (VALUES ('v=spf1 -all', 1, t.at(7), true),
	('v=spf1 mx -all', 7, NULL, false)) x(v, n, u, f) WHERE d.name = 'own.example';

CREATE TEMP TABLE d AS SELECT api.digest('week', '2025-11-16') AS j;
CREATE TEMP TABLE f AS SELECT api.filter(p_from => '2025-11-10', p_to => '2025-11-17') AS f;
SELECT is(j -> k, api.summary(f.f) -> k, k || ' are those of the page')
FROM d, f, unnest('{window,totals,previous,sources,reports,reporters}'::text[]) k;
SELECT is(j -> 'advice', api.advice(f.f), 'what to do is what Overview says') FROM d, f;
SELECT is(j -> 'series', api.timeseries(f.f, 'day', 'class') -> 'points', 'the series is that of the page') FROM d, f;
SELECT is(j -> 'unread', '{"quarantined": 2, "conflict": 0, "previous": {"stored": 1, "duplicate": 0, "conflict": 0,
	"quarantined": 1}}', 'unread mail, by the time of receipt') FROM d;
SELECT is(t.members(j -> 'failing', 'code', 'source', 'domain', 'messages', 'of', 'rejected'),
	'[["own_rejected", "ip:192.0.2.3", "own.example", 12, 12, 12]]', 'what fails of one''s own') FROM d;
SELECT is(j -> 'failing_total', '1', 'and how many sources that are') FROM d;
SELECT is(t.members(j #> '{changes,resolved}', 'code', 'source', 'until'),
	'[["fixed", "ip:192.0.2.2", "2025-11-03T00:00:00Z"], ["fixed", "ip:192.0.2.4", "2025-11-03T00:00:00Z"]]',
	'a source that failed in the week before and passes now is resolved') FROM d;
SELECT is(j #> '{changes,sources}', '[{"name": "Esp Inc", "messages": 30, "pass": 30, "whose": "service"}]', 'a new source')
FROM d;
SELECT is(j #> '{changes,policies}', '[{"domain": "own.example", "since": "2025-11-10T00:00:00Z", "tags": [{"tag": "p",
	"before": "none", "now": "quarantine"}, {"tag": "sp", "before": null, "now": "none"}]}]', 'a policy that changed') FROM d;
SELECT is(api.digest_policies('{own.example,b.example}', api.filter(p_from => '2025-11-11', p_to => '2025-11-17')), '[]',
	'none that changed before the window');
SELECT is(j #> '{changes,dns}', '[{"domain": "own.example", "kind": "spf", "name": "own.example",
	"since": "2025-11-10T00:00:00Z", "before": "v=spf1 -all", "now": "v=spf1 mx -all"}]', 'a record that changed') FROM d;
SELECT is(t.members(j #> '{domains,items}', 'name', 'full', 'totals.messages', 'previous.messages', 'policy.p',
	'failing.source'), '[["own.example", true, 187, 140, "quarantine", "ip:192.0.2.3"], ["b.example", true, 60, 0,
	"reject", null], ["c.example", true, 50, 0, "reject", null], ["d.example", false, 40, 0, "reject", null]]',
	'three domains in full, the others in short') FROM d;
SELECT is((SELECT array_agg(jsonb_array_length(CASE WHEN i -> 'series' = 'null' THEN '[]' ELSE i -> 'series' END) ORDER BY no)
	FROM jsonb_array_elements(j #> '{domains,items}') WITH ORDINALITY x(i, no)), '{7,7,7,0}', 'with a day for each bar')
FROM d;
SELECT is(j -> 'silent', '[]', 'no reporter is silent') FROM d;

CREATE TEMP TABLE n AS SELECT api.digest('week', '2025-11-16', '{D.example,none.example}') AS j;
SELECT is(t.members(j #> '{domains,items}', 'name', 'full', 'totals.messages'), '[["d.example", true, 40],
	["none.example", false, 0]]', 'named domains are in full, and one without mail has a line') FROM n;
SELECT is(ARRAY[j #>> '{totals,messages}', j ->> 'unread', j ->> 'named'], '{40,NULL,true}',
	'they count alone, and mail belongs to no domain') FROM n;
-- Patterns, and the domains of a user.
SELECT is(api.digest_names(w), n, 'names of ' || w::text) FROM (VALUES ('{*.example}'::text[],
	'{b.example,c.example,d.example,own.example}'::text[]), ('{*.Own.Example.,b.example}', '{*.own.example,b.example}'),
	('{*.xample,*.example}', '{*.xample,b.example,c.example,d.example,own.example}'), ('{*._wn.example}', '{*._wn.example}')) x(w, n);
SELECT is(api.digest_names(NULL), NULL, 'no words are no names');
SELECT is(t.members(j #> '{domains,items}', 'name', 'totals.messages'), '[["*.none.example", 0]]',
	'a pattern that matches no domain covers none') FROM api.digest('week', '2025-11-16', '{*.none.example}') j;
SELECT ruad.user_set(u, true, 'viewer', d, 'root') FROM (VALUES ('bea', '{b.example,*.c.example}'::text[]), ('all', '{*}'), ('cyd', '{*.example}')) x(u, d);
SELECT is((SELECT string_agg(api.digest_words(NULL, u)::text, ' ' ORDER BY no) FROM (VALUES (1, 'bea'), (2, 'cyd')) x(no, u)),
	'{*.c.example,b.example} {*.example}', 'the domains of a user are those that ruad user gave');
SELECT is(api.digest_words(NULL, 'all'), NULL, 'which may be all');
SELECT is(t.words($$SELECT api.digest('week', '2025-11-16', NULL, 'nobody')$$),
	'22023 parameter "user": "nobody" has no role: see ruad user / user', 'a user without a role has no digest');
SELECT is(t.words($$SELECT api.digest('week', '2025-11-16', '{b.example}', 'bea')$$),
	'22023 parameter "user": does not go with domains / user', 'domains are named once');
SELECT is(api.digest('week', '2025-11-16', NULL, 'cyd'), api.digest('week', '2025-11-16', '{b.example,c.example,d.example,own.example}'),
	'a digest of a user is that of the domains');
SELECT is(api.digest('week', '2025-11-16', NULL, 'bea') #>> '{totals,messages}', '60', 'others do not count');

SELECT is(ARRAY(SELECT t.as_role(r, $$SELECT api.digest('week', '2025-11-16')$$)
	FROM unnest('{ruad_web,ruad_ingest,ruad_auditor}'::text[]) r), '{ok,42501,42501}', 'who may ask for a digest');

-- When it is due, and that it is queued once.
SELECT is((SELECT string_agg(ruad.digest_due(p, h, a::timestamptz)::text, ' ' ORDER BY no) FROM (VALUES
	(1, 'week', 6, '2025-11-18 06:00Z'), (2, 'week', 6, '2025-11-18 05:59Z'), (3, 'week', 0, '2025-11-18 00:00Z'),
	(4, 'week', 23, '2025-11-24 23:59Z'), (5, 'month', 0, '2025-12-02 00:00Z'), (6, 'month', 0, '2025-12-01 23:59Z'))
	x(no, p, h, a)), '2025-11-16 2025-11-09 2025-11-16 2025-11-16 2025-11-30 2025-10-31',
	'a digest is due when its reports have arrived, from that hour on');
CREATE TEMP TABLE taken AS SELECT ruad.digest_take('', 'week', 0, '{mail:a@b.example}') AS j;
SELECT is(j, api.digest('week', ruad.digest_due('week', 0, now()))) FROM taken;
SELECT is(ruad.digest_take('', 'week', 0, '{mail:a@b.example}'), NULL, 'it is taken once');
SELECT is(ruad.digest_take('', 'month', 0, '{mail:a@b.example}') ->> 'period', 'month', 'that of a month is another');
SELECT is(ruad.digest_take('bea', 'week', 0, '{mail:a@b.example}', p_user => 'bea'),
	api.digest('week', ruad.digest_due('week', 0, now()), NULL, 'bea'), 'and that of each section is one of its own');
SELECT is(ruad.digest_take('bea', 'week', 0, '{mail:a@b.example}', p_user => 'bea'), NULL, 'which is taken once');
SELECT is(ruad.digest_take('b', 'week', 0, '{mail:a@b.example}', '{b.example}') ->> 'named', 'true', 'it may name domains');
DELETE FROM ruad.digest;
SELECT is((SELECT count(*) FROM generate_series(1, 100)
	WHERE ruad.outbox_add('digest', '{mail:a@b.example}', 'x')), 100::bigint, 'if much waits');
SELECT is(ROW(ruad.digest_take('', 'week', 0, '{mail:a@b.example}')::text, (SELECT count(*) FROM ruad.digest)), ROW(NULL::text,
	0::bigint), 'it is taken later');

-- What is resolved: no point any more, and the same source passed three days later for the same domain.
CREATE FUNCTION t.point(domain text, source text, code text DEFAULT 'own_fails') RETURNS api.point LANGUAGE sql AS $$
	SELECT jsonb_populate_record(NULL::api.point, jsonb_build_object('domain', domain, 'source', source, 'code', code,
		'harm', 5, 'until', '2025-11-04T00:00:00Z')) $$;
CREATE FUNCTION t.sent(domain text, source text, last_pass timestamptz) RETURNS api.sorted_sender LANGUAGE sql AS $$
	SELECT ROW(NULL, 'own', 'r', jsonb_populate_record(NULL::dmarc.sender_facts, jsonb_build_object('domain', domain,
		'source', source, 'last_pass', last_pass)))::api.sorted_sender $$;
SELECT is((SELECT string_agg(concat_ws(' ', r.code, r.harm, r.domain, r.source), ', ' ORDER BY r.domain, r.source)
	FROM api.digest_resolved(ARRAY[t.point('a', 'passes'), t.point('a', 'late'), t.point('a', 'still'), t.point('a', 'gone'),
		t.point('b', 'passes'), t.point('b', 'other')],
	ARRAY[t.point('a', 'still'), t.point('b', 'late'), t.point('c', 'x', 'fixed'), t.point('a', 'other', 'review')],
	ARRAY[t.sent('a', 'passes', '2025-11-07Z'), t.sent('a', 'late', '2025-11-06 23:59Z'), t.sent('a', 'still', '2025-11-09Z'),
		t.sent('a', 'other', '2025-11-09Z'), t.sent('b', 'elsewhere', '2025-11-09Z')]) r),
	'fixed 9 a passes, fixed 5 c x', 'resolved: it passed three days after, for that domain');

-- Reporters that stopped, the larger first.
SELECT is((SELECT count(*) FROM generate_series(-30, -26) n, (VALUES ('Alpha', 30), ('Beta', 20), ('Gamma', 30)) v(org, count),
	t.take(t.mail(t.report('quiet.example', v.org, 's' || n, t.at(n),
		jsonb_build_array(t.record('192.0.2.1', v.count, 'pass', 'pass')))))), 15::bigint, 'three that stopped in October');
SELECT is(api.digest('week', '2025-11-16') -> 'silent', jsonb_build_array(jsonb_build_object('name', 'Alpha',
	'since', '2025-10-07T00:00:00Z', 'until', '2025-11-12T00:00:00Z'), jsonb_build_object('name', 'Gamma',
	'since', '2025-10-07T00:00:00Z', 'until', '2025-11-12T00:00:00Z'), jsonb_build_object('name', 'Beta',
	'since', '2025-10-07T00:00:00Z', 'until', '2025-11-12T00:00:00Z')), 'silent reporters, the largest first');

-- Lists: five points and sources, the ten newest of the DNS, fifty domains.
SELECT ruad.set_label('ip:203.0.113.' || n, 'mine', NULL, 'u', 'cli') FROM generate_series(1, 6) n;
SELECT is(t.stored('long.example', -17, (SELECT jsonb_agg(t.record('203.0.113.' || n, 10 * n, CASE WHEN n < 7 THEN 'fail' ELSE 'pass' END,
	'fail', '{"disposition": "reject"}')) FROM generate_series(1, 9) n)), '1 0 0 0 f', 'six sources that fail, three that pass');
INSERT INTO ruad.dns_version (domain_id, kind, name, value, since, is_first)
SELECT d.id, 'dkim', 'k' || to_char(n, 'FM00') || '._domainkey.long.example', 'v', t.at(-17) + n * interval '1 hour', false
FROM ruad.domain d, generate_series(1, 11) n WHERE d.name = 'long.example';
CREATE TEMP TABLE long AS SELECT api.digest('week', '2025-10-19', ARRAY(SELECT format('n%s.example', n)
	FROM generate_series(10, 59) n) || '{long.example}'::text[]) AS j;
SELECT is(t.members(j -> 'failing', 'source') || (j -> 'failing_total'), '[["ip:203.0.113.6"], ["ip:203.0.113.5"],
	["ip:203.0.113.4"], ["ip:203.0.113.3"], ["ip:203.0.113.2"], 6]', 'five that fail') FROM long;
SELECT is(t.members(j #> '{changes,sources}', 'name', 'messages'), '[["203.0.113.6", 60], ["203.0.113.5", 50], ["203.0.113.4", 40],
	["203.0.113.3", 30], ["203.0.113.2", 20]]', 'five new sources, one''s own before larger ones') FROM long;
SELECT is((SELECT jsonb_array_length(j #> '{changes,dns}') || ' ' || (j #>> '{changes,dns,0,name}') || ' ' || (j #>> '{changes,dns,9,name}')),
	'10 k02._domainkey.long.example k11._domainkey.long.example', 'ten records, the newest') FROM long;
SELECT is((SELECT jsonb_array_length(j #> '{domains,items}') || ' of ' || (j #>> '{domains,total}') || ' to ' || (j #>> '{domains,items,49,name}')),
	'50 of 51 to n58.example', 'fifty domains') FROM long;
SELECT is(j #>> '{domains,items,0,name}' || ' ' || (j #>> '{domains,items,0,failing,source}'), 'long.example ip:203.0.113.6',
	'a domain names the source that fails most') FROM long;

SELECT is(api.policy_differences(ROW('none', NULL, 'none', 'y', 'r', NULL, 100, NULL)::api.policy,
	ROW('none', 'none', NULL, 'n', 'r', 's', 99, NULL)::api.policy), '[{"tag": "np", "before": "none", "now": null},
	{"tag": "sp", "before": null, "now": "none"}, {"tag": "pct", "before": "100", "now": "99"}, {"tag": "aspf", "before": null,
	"now": "s"}, {"tag": "t", "before": "y", "now": "n"}]', 'the tags in which policies differ');

-- On a Monday the week that ended on the day before is the last one; on a Sunday it is not over.
CREATE FUNCTION t.week_on(today date) RETURNS date LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE OR REPLACE FUNCTION api.today() RETURNS date LANGUAGE sql STABLE AS %L', format('SELECT %L::date', today));
	RETURN (api.digest_window('week', NULL)).to_day;
END $$;
SELECT is(ARRAY[t.week_on('2025-11-16'), t.week_on('2025-11-17')], '{2025-11-10,2025-11-17}', 'a week is over on Monday');
SELECT * FROM finish();
