-- Reports that are excluded from every number, and included again.
SELECT plan(47);
CREATE FUNCTION t.doc(id text, org text, day integer, ip text, count bigint, more jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE sql AS $$
	SELECT t.mail(t.report('x.example', org, id, t.day(day), jsonb_build_array(
		t.record(ip, count, 'pass', 'fail', '{"notes": [{"code": "V1", "path": "p", "raw": "r"}]}'),
		t.record(ip, count, 'fail', 'fail')), '{"notes": [{"code": "E2", "path": "p", "raw": null}]}' || more)) $$;
CREATE FUNCTION t.id_of(id text) RETURNS bigint LANGUAGE sql AS $$
	SELECT r.id FROM ruad.report r WHERE r.report_id = id_of.id $$;
-- Messages by each route, which must agree.
CREATE FUNCTION t.sums() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', (SELECT sum(messages) FROM dmarc.daily), (SELECT sum(messages) FROM dmarc.monthly),
		(SELECT sum(count) FROM dmarc.records), (SELECT sum(messages) FROM dmarc.reports),
		(SELECT sum(messages) FROM dmarc.sources_daily), api.summary(api.filter()) #>> '{totals,messages}') $$;

SELECT is((SELECT string_agg(x, ',') FROM t.take(t.doc('a', 'Good', -3, '192.0.2.1', 5),
	t.doc('bb', 'Bad', -4, '192.0.2.2', 500), t.doc('c', 'Bad', -2, '192.0.2.3', 70)) x),
	'1 0 0 0 f,1 0 0 0 f,1 0 0 0 f', 'three reports');
SELECT is(t.sum_up(), 0::bigint, 'summed up');
SELECT is(t.sums(), '1150 1150 1150 1150 1150 1150', 'all of them count');
CREATE TEMP TABLE before AS SELECT api.summary(api.filter()) AS summary, api.reporters(api.filter(), api.page()) AS
	reporters, api.sources(api.filter(), api.page()) AS sources, api.report(t.id_of('bb')) AS report,
	api.report_records(t.id_of('bb'), api.filter(), api.page()) AS records, api.report_xml(t.id_of('bb')) AS xml;

SELECT is(ruad.set_excluded(true, t.id_of('bb'), NULL, NULL, E'forged\u202e', 'kim')::text, '(1,1000)',
	'one is excluded, and that says what it had');
SELECT is(t.sums(), '150 150 150 150 150 150', 'it is in no number any more');
SELECT is(t.sum_up(), 0::bigint, 'summed up');
SELECT is(t.sums(), '150 150 150 150 150 150', 'nor in the sums');
SELECT is((SELECT count(DISTINCT source_ip) FROM dmarc.seen), 2::bigint, 'nor among the addresses seen');
SELECT is((SELECT count(*) FROM dmarc.notes), 4::bigint, 'nor among the notes');
SELECT is((SELECT jsonb_agg(i -> 'reports') FROM jsonb_array_elements(api.reporters(api.filter(), api.page())
	-> 'items') i), '[1, 1]', 'its reporter has one report less');
SELECT is((SELECT (id = t.id_of('bb'), messages, reason, set_by, set_at = now())::text FROM dmarc.excluded_reports),
	E'(t,1000,forged\u202e,kim,f)', 'it is in the view of these');
SELECT is(t.broken(), '', 'all is consistent');
SELECT is(ruad.set_excluded(true, t.id_of('bb'), NULL, NULL, 'again', 'ann')::text, '(0,0)', 'only once');
SELECT is((SELECT count(*) FROM dmarc.exclusion_log), 1::bigint, 'which is not logged');

-- the API shows it, marked
SELECT is((SELECT string_agg((i ->> 'report_id') || ' ' || (i ->> 'excluded'), ', ' ORDER BY i ->> 'report_id')
	FROM jsonb_array_elements(api.reports(api.filter(), api.page()) -> 'items') i), 'a false, bb true, c false',
	'the list of reports has it, marked');
SELECT is(j - 'excluded' - 'exclusion', b.report - 'excluded' - 'exclusion', 'the report is as it was')
FROM api.report(t.id_of('bb')) j, before b;
SELECT is(j -> 'excluded', 'true', 'but marked') FROM api.report(t.id_of('bb')) j;
SELECT is((j -> 'exclusion') - 'set_at', '{"set_by": "kim", "reason": "forged"}', 'with who and why')
FROM api.report(t.id_of('bb')) j;
SELECT is((j -> 'excluded', j -> 'exclusion')::text, '(false,null)', 'others are not') FROM api.report(t.id_of('a')) j;
SELECT is(api.report_records(t.id_of('bb'), api.filter(), api.page()), b.records, 'its records are listed') FROM before b;
SELECT is(api.report_xml(t.id_of('bb')), b.xml, 'and are in the XML') FROM before b;
SELECT is((SELECT jsonb_array_length(api.records(api.filter(), api.page()) -> 'items')), 4,
	'the list of all records lacks them');
SELECT is((SELECT count(*) FROM jsonb_array_elements(api.reports(api.filter(p_result => 'fail'), api.page()) -> 'items')),
	2::bigint, 'so do lists of reports by what is in their records');
SELECT is((SELECT i ->> 'key' FROM jsonb_array_elements(api.search('bb') -> 'items') i
	WHERE i ->> 'type' = 'report'), t.id_of('bb')::text, 'a search finds the report');

-- copies
SELECT is((SELECT x FROM t.take(t.doc('bb', 'Bad', -4, '192.0.2.2', 500)
	|| '{"subject": "again"}') x), '0 1 0 0 f', 'the same report again is a duplicate');
SELECT is((SELECT x FROM t.take(t.doc('bb', 'Bad', -4, '192.0.2.2', 7) || '{"authentic": "pass"}') x), '0 0 1 0 t',
	'an authenticated one with other content is a conflict: it would count again');
SELECT is(t.sums(), '150 150 150 150 150 150', 'neither counts');
SELECT is(t.broken(), '', 'all is consistent');

-- back
SELECT is(ruad.set_excluded(false, t.id_of('bb'), NULL, NULL, NULL, 'ann')::text, '(1,1000)', 'it is included again');
SELECT is(api.summary(api.filter()), b.summary, 'all numbers are as before') FROM before b;
SELECT is(t.sum_up(), 0::bigint, 'summed up');
SELECT is(jsonb_build_array(api.summary(api.filter()), api.reporters(api.filter(), api.page()),
	api.sources(api.filter(), api.page())), jsonb_build_array(b.summary, b.reporters, b.sources), 'and by the sums')
FROM before b;
SELECT results_eq('SELECT excluded, report IS NULL, reports, reason, set_by FROM dmarc.exclusion_log ORDER BY id',
	$$VALUES (true, false, 1::bigint, E'forged\u202e', 'kim'), (false, false, 1, NULL, 'ann')$$, 'the log says both');

-- a reporter
SELECT is(ruad.set_excluded(true, NULL, 'Bad', t.day(-2) + interval '1 second', 'broken', 'kim')::text, '(0,0)', 'no report since then');
SELECT is(ruad.set_excluded(true, NULL, 'Bad', t.day(-2), 'broken', 'kim')::text, '(1,140)', 'a reporter since a day');
SELECT is(t.sums(), '1010 1010 1010 1010 1010 1010', 'earlier reports count');
SELECT is(ruad.set_excluded(true, NULL, 'Bad', t.day(-30), 'broken', 'kim')::text, '(1,1000)', 'now since longer');
SELECT is(t.sums(), '10 10 10 10 10 10', 'none of them counts');
SELECT is(ruad.set_excluded(false, NULL, 'Bad', t.day(-3), NULL, 'kim')::text, '(1,140)', 'the later one is back');
SELECT is(t.words('SELECT ruad.set_excluded(true, NULL, ''Nobody'', now(), NULL, NULL)'),
	'22023 there is no reporter "Nobody" / ', 'an unknown reporter is refused');
SELECT is(t.words('SELECT ruad.set_excluded(true, 999999, NULL, NULL, NULL, NULL)'),
	'22023 there is no aggregate report 999999 / ', 'an unknown report too');

SELECT is((SELECT x FROM t.take(t.doc('d', 'Good', -4, '192.0.2.4', 1)) x), '1 0 0 0 f', 'another report of a day');
SELECT is(ruad.set_excluded(true, t.id_of('d'), NULL, NULL, 'twice', 'ann')::text, '(1,2)', 'is excluded, too');
SELECT is((SELECT jsonb_agg(api.report(t.id_of(x)) #> '{exclusion,reason}') FROM unnest('{bb,d}'::text[]) x),
	'["broken", "twice"]', 'each says why itself');

-- retention
SELECT is(t.prune('aggregate', t.day(0)),
	'reports 4, records 8, months 0', 'pruning removes excluded reports too');
SELECT is((SELECT count(*) FROM ruad.excluded_record), 0::bigint, 'with their records');
SELECT is(t.broken(), '', 'all is consistent');
SELECT * FROM finish();
