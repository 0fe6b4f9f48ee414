-- When the first and the last report were received: reports arrive late, and two reports are of one day.
SELECT plan(9);
CREATE FUNCTION t.at(n integer, hours integer) RETURNS timestamptz LANGUAGE sql AS $$
	SELECT t.day(n) + hours * interval '1 hour' $$;
CREATE FUNCTION t.iso(n integer, hours integer) RETURNS text LANGUAGE sql AS $$
	SELECT to_char(t.at(n, hours) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') $$;
SELECT is((SELECT string_agg(x, ' ') FROM (VALUES ('a.example', 'One', 'r1', -5, t.at(-4, 10)),
	('a.example', 'Two', 'r2', -6, t.at(-1, 11)), ('a.example', 'One', 'r3', -3, t.at(-2, 12)),
	('a.example', 'One', 'r4', -6, t.at(-5, 1)), ('a.example', 'One', 'r5', -3, t.at(-3, 13)),
	('b.example', 'One', 'r6', -8, t.at(-7, 1)), ('b.example', 'One', 'r7', -8, t.at(-6, 5)),
	('b.example', 'Two', 'r8', -1, t.at(0, 0)))
	v(domain, org, id, begin, received), t.take(t.mail(t.report(v.domain, v.org, v.id, t.day(v.begin),
		jsonb_build_array(t.record('192.0.2.1', 1, 'fail', 'fail', jsonb_build_object('header_from',
			CASE v.id WHEN 'r3' THEN 'sub.a.example' ELSE v.domain END)))))
		|| jsonb_build_object('received_at', v.received)) x),
	rtrim(repeat('1 0 0 0 f ', 8)), 'reports');
SELECT is(t.members(api.domains(api.filter(), api.page()) -> 'items', 'name', 'last_report_at'),
	jsonb_build_array(jsonb_build_array('a.example', t.iso(-1, 11)), jsonb_build_array('sub.a.example', t.iso(-2, 12)),
		jsonb_build_array('b.example', t.iso(0, 0))), 'domains');
SELECT is((SELECT jsonb_agg(jsonb_build_array(j -> 'first_report_at', j -> 'last_report_at', j -> 'reporters')
	ORDER BY d) FROM unnest('{a.example,b.example,sub.a.example}'::text[]) d, api.domain(d, api.filter()) j),
	jsonb_build_array(jsonb_build_array(t.iso(-5, 1), t.iso(-1, 11), 2),
		jsonb_build_array(t.iso(-7, 1), t.iso(0, 0), 2), jsonb_build_array(t.iso(-2, 12), t.iso(-2, 12), 1)),
	'domain: ever, and in the window');
SELECT is(api.domain('a.example', api.filter(p_from => (t.day(-5) AT TIME ZONE 'UTC')::date,
	p_to => (t.day(-2) AT TIME ZONE 'UTC')::date)) -> 'last_report_at', to_jsonb(t.iso(-2, 12)),
	'domain: the last of the window');
SELECT is((SELECT jsonb_agg(api.summary(f) -> 'last_report_at' ORDER BY no) FROM (VALUES (1, api.filter()),
	(2, api.filter(p_domain => '{a.example}')), (3, api.filter(p_domain => '{a.example}', p_reporter => '{One}')))
	v(no, f)), jsonb_build_array(t.iso(0, 0), t.iso(-1, 11), t.iso(-2, 12)), 'summary');
SELECT is(api.impact('a.example', api.filter()) #> '{evidence,last_report_at}', to_jsonb(t.iso(-1, 11)), 'impact');
SELECT is(t.members(api.reporters(api.filter(), api.page()) -> 'items', 'org_name', 'first_report_at',
	'last_report_at'), jsonb_build_array(jsonb_build_array('One', t.iso(-7, 1), t.iso(-2, 12)),
		jsonb_build_array('Two', t.iso(-1, 11), t.iso(0, 0))), 'reporters');
SELECT is((SELECT string_agg(x, ' ') FROM (VALUES ('One', -5, t.at(-4, 3)), ('Two', -6, t.at(-3, 4)),
	('Three', -4, t.at(-4, 2))) v(org, begin, received), t.take(t.mail(t.tls(t.tls_content(v.org, t.day(v.begin))))
		|| jsonb_build_object('received_at', v.received)) x), '1 0 0 0 f 1 0 0 0 f 1 0 0 0 f', 'TLS reports');
SELECT is(api.tls_summary(api.filter()) -> 'last_report_at', to_jsonb(t.iso(-3, 4)), 'TLS');
SELECT * FROM finish();
