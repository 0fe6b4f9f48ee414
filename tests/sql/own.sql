-- Reports on others' domains are kept, but do not count.
SELECT plan(33);
SELECT is((SELECT string_agg(x, ',') FROM t.take(
	t.mail(t.report('ours.example', 'Google', 'o1', t.day(-2), jsonb_build_array(
		t.record('192.0.2.1', 10, 'pass', 'pass'), t.record('192.0.2.2', 3, 'fail', 'fail')))),
	t.mail(t.report('news.ours.example', 'Google', 'o2', t.day(-2), jsonb_build_array(
		t.record('192.0.2.3', 4, 'pass', 'pass')))),
	t.mail(t.report('theirs.example', 'Yahoo', 't1', t.day(-2), jsonb_build_array(
		t.record('192.0.2.1', 500, 'fail', 'fail'), t.record('198.51.100.1', 70, 'fail', 'fail')))),
	t.mail(t.report('new.example', 'Google', 'n1', t.day(-2), jsonb_build_array(
		t.record('192.0.2.4', 1, 'pass', 'pass'))))) x), '1 0 0 0 f,1 0 0 0 f,1 0 0 0 f,1 0 0 0 f', 'four reports');
SELECT ruad.enrich_collect();
CREATE FUNCTION t.own() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(d.domain, ' ' ORDER BY d.domain COLLATE "C") FROM dmarc.domains d WHERE d.own $$;
CREATE FUNCTION t.messages(others text DEFAULT NULL, domain text[] DEFAULT NULL) RETURNS bigint LANGUAGE sql AS $$
	SELECT (api.summary(api.filter(p_domain => domain, p_others => others)) #>> '{totals,messages}')::bigint $$;

-- Nothing is known, or of no domain it is known to be ours.
SELECT is(t.own(), 'new.example news.ours.example ours.example theirs.example', 'unchecked domains are ours');
SELECT ruad.dns_store('theirs.example', '{"solicited": false}', 600);
SELECT is(t.own(), 'new.example news.ours.example ours.example theirs.example',
	'where no record names our mailbox, no domain is another''s');
SELECT is(t.messages(), 588::bigint, 'all messages count');
SELECT is(api.domains(api.filter(), api.page()) -> 'others', 'null', 'and nothing is apart');

-- DMARC records decide.
SELECT ruad.dns_store('ours.example', '{"solicited": true}', 600), ruad.dns_store('new.example', '{"solicited": null}', 600);
SELECT is(t.own(), 'new.example news.ours.example ours.example', 'a record that names another mailbox makes it another''s');
SELECT is(t.messages(), 18::bigint, 'others'' messages do not count');
SELECT is(t.messages('include'), 588::bigint, 'unless they are asked for');
SELECT is(t.messages('only'), 570::bigint, 'alone, too');
SELECT is(t.messages(NULL, '{theirs.example}'), 570::bigint, 'or by name');
SELECT throws_ok($$SELECT api.filter(p_others => 'x')$$, '22023', NULL, 'no other word');
SELECT is(api.domains(api.filter(), api.page()) -> 'others', '{"domains": 1, "messages": 570}', 'how many are apart');
SELECT is(api.domains(api.filter(p_domain => '{ours.example}'), api.page()) -> 'others', 'null', 'not where domains are named');
SELECT is((SELECT string_agg(i ->> 'name', ' ' ORDER BY n)
	FROM jsonb_array_elements(api.domains(api.filter(), api.page()) -> 'items') WITH ORDINALITY AS x(i, n)),
	'ours.example news.ours.example new.example', 'the list of domains');
SELECT is((SELECT string_agg(i ->> 'name', ' ')
	FROM jsonb_array_elements(api.domains(api.filter(p_others => 'only'), api.page()) -> 'items') i),
	'theirs.example', 'and that of others');
SELECT is(api.summary(api.filter()) #>> '{sources,total}', '4', 'sources of others are none of ours');
SELECT is(api.source('ip:192.0.2.1', api.filter()) #>> '{messages}', '10', 'what a source sends for others does not count');
SELECT is(api.source('ip:192.0.2.1', api.filter(p_others => 'include')) #>> '{messages}', '510', 'unless it is asked for');
SELECT is(jsonb_array_length(api.reports(api.filter(), api.page()) -> 'items'), 3, 'their reports are not listed');
SELECT is(jsonb_array_length(api.reports(api.filter(), api.page(), p_report_id => 't1') -> 'items'), 1,
	'but found by their ID');
SELECT is((SELECT api.records(api.filter(), api.page(), p_report => r.id) #>> '{items,0,count}' FROM dmarc.reports r
	WHERE r.domain = 'theirs.example'), '500', 'with their records');
SELECT is((SELECT string_agg(i ->> 'org_name', ' ') FROM jsonb_array_elements(api.reporters(api.filter(), api.page()) ->
	'items') i), 'Google', 'nor are their reporters');

-- Nothing is looked up for them.
SELECT is(t.sum_up(), 0::bigint, 'summed up');
SELECT is((SELECT string_agg(host(w.source_ip), ' ' ORDER BY w.source_ip) FROM ruad.enrich_wanted(9) w),
	'192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4', 'addresses of others are not looked up');
UPDATE ruad.dns_check SET expires_at = now() - interval '6 days 23 hours';
SELECT is((SELECT string_agg(w.domain, ' ' ORDER BY w.domain COLLATE "C") FROM ruad.dns_wanted(9) w),
	'new.example news.ours.example ours.example', 'nor their records');
UPDATE ruad.dns_check SET expires_at = now() - interval '7 days';
SELECT is((SELECT string_agg(w.domain, ' ') FILTER (WHERE w.domain = 'theirs.example') FROM ruad.dns_wanted(9) w),
	'theirs.example', 'but once a week, since they may become ours');

-- [server] domains decides.
SELECT ruad.set_own_domains('{theirs.example,*.ours.example}');
SELECT is(t.own(), 'news.ours.example theirs.example', 'names and patterns');
SELECT is((SELECT string_agg(w.domain, ' ' ORDER BY w.domain COLLATE "C") FROM ruad.dns_wanted(9) w),
	'news.ours.example theirs.example', 'nothing is asked about the others');
SELECT ruad.set_own_domains('{none.example}');
SELECT is(t.messages(), 0::bigint, 'none may be ours');
SELECT is(api.domains(api.filter(), api.page()) -> 'others', '{"domains": 4, "messages": 588}', 'which the answer says');
SELECT ruad.set_own_domains('{}');
SELECT is(t.own(), 'new.example news.ours.example ours.example', 'without patterns the records decide again');

-- Where an answer needs to be sure, a pattern, or a record that names our mailbox, makes a domain ours.
INSERT INTO ruad.domain (name) VALUES ('notours.example'), ('x.notours.example'), ('deep.theirs.example');
SELECT is((SELECT string_agg(o.name, ' ' ORDER BY o.name COLLATE "C") FROM api.own_name o), 'ours.example', 'by its record');
SELECT ruad.set_own_domains('{theirs.example,*.ours.example}');
SELECT is((SELECT string_agg(o.name, ' ' ORDER BY o.name COLLATE "C") FROM api.own_name o),
	'news.ours.example ours.example theirs.example', 'and by names and patterns');
SELECT * FROM finish();
