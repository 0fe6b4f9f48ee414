-- The newest policy of a domain, against its whole history.
CREATE FUNCTION t.date(n integer) RETURNS date LANGUAGE sql STABLE AS $$ SELECT (t.day(n) AT TIME ZONE 'UTC')::date $$;
SELECT plan(20);
-- Four reports a day on six domains. Some omit tags, some saw another policy than others.
SELECT is(count(x), 110::bigint, 'reports') FROM generate_series(1, 110) n CROSS JOIN LATERAL t.take(t.mail(
	t.report('p' || n % 6 || '.example', 'Org' || n % 3, 'p' || n, t.day(-n / 4), '[]', jsonb_strip_nulls(
		jsonb_build_object('p', (ARRAY['none', 'none', 'reject'])[1 + n / 37], 'sp', CASE WHEN n % 5 = 0 THEN 'none' END,
		'np', CASE WHEN n % 7 = 3 THEN (ARRAY['none', 'reject'])[1 + n % 2] END, 'testing', CASE WHEN n % 13 = 4 THEN 'y' END,
		'pct', CASE WHEN n % 5 < 2 THEN 10 + n / 20 END, 'fo', CASE WHEN n % 4 = 0 THEN '1' END))))) x;
CREATE TABLE t.newest AS SELECT x.domain, d.n, n.policy AS newest, h.policy AS first
FROM generate_series(-39, 0) d(n) CROSS JOIN dmarc.domains x
LEFT JOIN api.newest_policies(ARRAY(SELECT domain_id FROM dmarc.domains), t.date(d.n)) n ON n.domain_id = x.domain_id
LEFT JOIN api.policy_histories(ARRAY[x.domain_id], t.date(d.n)) h ON h.no = 1;
CREATE FUNCTION t.effect(p api.policy) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', p.p, p.testing, api.record_value(p, p.p, p.testing, NULL, NULL)) $$;
SELECT is(jsonb_agg(n.* ORDER BY n.domain, n.n), NULL, 'the newest policy is the first of the history')
FROM t.newest n WHERE t.effect(n.newest) IS DISTINCT FROM t.effect(n.first)
	OR (n.newest IS DISTINCT FROM NULL) <> (n.first IS DISTINCT FROM NULL);
SELECT is(count(DISTINCT t.effect(n.newest)) > 20, true, 'there are many') FROM t.newest n;
SELECT is(count(*), 0::bigint, 'a domain without reports has none') FROM api.newest_policies('{0}', t.date(0));

-- Reports of one domain: begin in hours from a day, and more.
CREATE FUNCTION t.told(domain text, org text, day integer, hour integer, more jsonb) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM t.take(t.mail(t.report(domain, org, concat(org, day, hour), t.day(day) + hour * interval '1 hour', '[]', more))
		|| jsonb_build_object('recipients', jsonb_build_array(org || '@here.example'))) $$;
CREATE FUNCTION t.newest(name text, until integer) RETURNS api.policy LANGUAGE sql AS $$
	SELECT n.policy FROM api.newest_policies(ARRAY[api.domain_id_of(name)], t.date(until)) n $$;

-- Reports that begin after tomorrow say nothing about the present.
SELECT is(t.told('late.example', 'A', -1, 0, '{"p": "none"}') + t.told('late.example', 'B', 1, 23, '{"p": "quarantine"}')
	+ t.told('late.example', 'C', 2, 0, '{"p": "reject"}'), 3::bigint, 'reports of yesterday, tomorrow, and later');
SELECT is((t.newest('late.example', 9)).p, 'quarantine', 'the newest policy is that of tomorrow at most');
SELECT is((SELECT string_agg((h.policy).p, ' ' ORDER BY h.no) FROM api.policy_history('late.example', t.date(9)) WITH ORDINALITY
	h(a, b, c, d, policy, no)), 'quarantine none', 'so is the history');
SELECT is((SELECT r.p FROM api.newest_reports(api.filter(p_domain => '{late.example}', p_from => t.date(-9), p_to => t.date(9))) r),
	'quarantine', 'and the newest report');
SELECT is((SELECT m.rua FROM api.mailboxes_of('late.example') m), 'B@here.example', 'and the mailbox');

-- The newest report of a window: by day, time, and which came last.
SELECT is(t.told('new.example', 'C', -1, 2, '{}') + t.told('new.example', 'D', -1, 2, '{}') + t.told('new.example', 'B', -1, 1, '{}')
	+ t.told('new.example', 'A', -2, 23, '{}') + t.told('new.example', 'E', 0, 0, '{}'), 5::bigint, 'reports');
SELECT is((SELECT string_agg(coalesce((SELECT r.org_name FROM api.newest_reports(api.filter(p_domain => '{new.example}',
	p_from => t.date(x.since), p_to => t.date(x.until))) r), '-'), ' ' ORDER BY x.no) FROM (VALUES (1, -9, 1), (2, -9, 0), (3, -1, 0),
	(4, -9, -1), (5, -9, -2), (6, 0, 1)) x(no, since, until)), 'E D D A - E', 'the newest report in a window');

-- Tags that are omitted on the last day come from the newest day before that has them, of the same policy, of 92 days.
SELECT is(t.told('tags.example', 'A', -1, 0, '{}')
	+ t.told('tags.example', 'A', -3, 0, '{"sp": "none", "np": "x", "testing": "x", "pct": 98, "fo": "x"}')
	+ t.told('tags.example', 'A', -5, 0, '{"np": "none", "testing": "n", "pct": 10, "fo": "0"}')
	+ t.told('tags.example', 'B', -5, 0, '{"np": "reject", "testing": "y", "pct": 40, "fo": "1"}')
	+ t.told('tags.example', 'A', -9, 0, '{"np": "z", "testing": "z", "pct": 99, "fo": "z"}')
	+ t.told('near.example', 'A', -1, 0, '{}') + t.told('far.example', 'A', -1, 0, '{}')
	+ t.told('near.example', 'A', -93, 0, '{"np": "none", "testing": "n", "pct": 10, "fo": "0"}')
	+ t.told('far.example', 'A', -94, 0, '{"np": "none", "testing": "n", "pct": 10, "fo": "0"}'), 9::bigint, 'reports that omit tags');
SELECT is((SELECT jsonb_agg(jsonb_build_array(p.np, p.testing, p.pct, p.fo) ORDER BY x.no)
	FROM unnest('{tags,near,far}'::text[]) WITH ORDINALITY x(name, no) CROSS JOIN LATERAL t.newest(x.name || '.example', 0) p),
	'[["reject", "y", 40, "1"], ["none", "n", 10, "0"], [null, null, null, null]]', 'an omitted tag is the one that was told last');

-- A hundred policies of a domain are told.
SELECT is((SELECT sum(t.told('many.example', 'A', -n - 1, 0, jsonb_build_object('pct', n))) FROM generate_series(0, 100) n), 101::numeric,
	'a hundred and one policies');
SELECT is((SELECT count(*) || ' ' || max((h.policy).pct) FROM api.policy_history('many.example', t.date(0)) h), '100 99',
	'the oldest is left out');
SELECT is(api.record_value(ROW('reject', NULL, NULL, NULL, NULL, NULL, 99, NULL)::api.policy, 'reject', NULL, 'a@b.example', NULL),
	'v=DMARC1; p=reject; pct=99; rua=mailto:a@b.example', 'pct stays if it is less than 100');

-- The nearest domain above with reports.
SELECT is(t.told('par', 'A', -1, 0, '{}') + t.told('b.par', 'A', -1, 0, '{}') + t.told('a.b.par', 'A', -1, 0, '{}'), 3::bigint,
	'three domains, each above another');
INSERT INTO ruad.domain (name) VALUES ('none.b.par');
SELECT is((SELECT string_agg(coalesce(api.parent_of(x.name), '-'), ' ' ORDER BY x.no)
	FROM unnest('{x.y.a.b.par,a.b.par,b.par,par,x.none.b.par}'::text[]) WITH ORDINALITY x(name, no)), 'a.b.par b.par par - b.par',
	'the nearest domain above');
SELECT is(api.parent_of('x.other'), NULL, 'none where there is none');
SELECT is((SELECT string_agg(coalesce(api.enforced(p, y), '-'), ' ' ORDER BY no) FROM (VALUES (1, 'reject', NULL), (2, 'reject', 'n'),
	(3, 'reject', 'y'), (4, 'quarantine', 'y'), (5, 'none', 'y')) x(no, p, y)), 'reject reject quarantine none none',
	'in a trial a policy is a step less');
SELECT * FROM finish();
