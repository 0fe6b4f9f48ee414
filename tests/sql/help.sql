-- The statements of the help: each runs, for an auditor, and gives what the API says.
SELECT plan(8);
SELECT is((SELECT string_agg(x, ',') FROM t.take(
	t.mail(t.report('corp.example', 'Google', 'g1', t.day(-2), jsonb_build_array(t.record('192.0.2.1', 10, 'pass', 'pass'), t.record('192.0.2.2', 5, 'fail', 'fail')))),
	t.mail(t.report('o''hara.example', 'Yahoo', 'y1', t.day(-2), jsonb_build_array(t.record('192.0.2.1', 7, 'pass', 'pass'))))) x), '1 0 0 0 f,1 0 0 0 f', 'the data is in');
CREATE FUNCTION t.run(filter api.filter_set, want_number text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	statement text := (SELECT q ->> 'sql' FROM jsonb_array_elements(api.help(filter) -> 'queries') q WHERE q ->> 'number' = want_number);
	n bigint;
BEGIN
	EXECUTE statement INTO n;
	RETURN n;
END
$$;
SELECT is_empty($$SELECT q ->> 'number' FROM (VALUES (1), (2)) v(n), jsonb_array_elements(api.help(
	CASE n WHEN 1 THEN api.filter() ELSE api.filter(p_domain => '{corp.example,o''hara.example}', p_subdomains => true) END) -> 'queries') q
	WHERE t.as_role('ruad_auditor', q ->> 'sql') <> 'ok'$$, 'every statement runs, for an auditor');
SELECT is(t.run(api.filter(), 'messages'), 22::bigint, 'messages: all');
SELECT is(t.run(api.filter(p_domain => '{o''hara.example}'), 'messages'), 7::bigint, 'messages: of a domain, whatever it is called');
SELECT is(t.run(api.filter(p_from => '2020-01-01', p_to => '2020-02-01'), 'messages'), NULL, 'messages: of a window');
SELECT is((api.summary(api.filter(p_domain => '{corp.example}')) -> 'totals' -> 'messages')::bigint, t.run(api.filter(p_domain => '{corp.example}'), 'messages'), 'as the summary says');
SELECT is((SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys(api.help(api.filter())) k), '{onboarding_samples,queries,window}', 'its topics, without the texts that ruad-web adds');
SELECT is((SELECT array_agg(s ->> 'term') FROM jsonb_array_elements(api.help(api.filter()) -> 'onboarding_samples') s), '{ask,authorise,deliver,test,import}', 'a record or command for each of the first steps');
