-- What lists, windows and sums have in common, at the bounds: calls of the functions themselves, with few or no reports.
SELECT plan(24);
CREATE FUNCTION t.window(from_day date, to_day date) RETURNS api.filter_set LANGUAGE sql AS $$
	SELECT jsonb_populate_record(NULL::api.filter_set, jsonb_build_object('from_day', from_day, 'to_day', to_day)) $$;

-- windows and pages
SELECT is(t.words(format('SELECT api.check_day(''from'', %L)', day)), want, 'a day of a window: ' || day)
FROM (VALUES ('1970-01-01', 'no error'), ('9999-12-31', 'no error'),
	('1969-12-31', '22023 parameter "from": "1969-12-31" is outside 1970-01-01 to 9999-12-31 / from'),
	('10000-01-01', '22023 parameter "from": "10000-01-01" is outside 1970-01-01 to 9999-12-31 / from')) x(day, want);
SELECT is(ARRAY(SELECT t.words(format('SELECT api.page(%s, NULL, %L)', size, format)) <> 'no error'
	FROM (VALUES (0, 'json'), (1, 'json'), (500, 'json'), (501, 'json'), (0, 'csv'), (1, 'csv'), (10000, 'csv'),
		(10001, 'csv')) x(size, format)), '{t,f,f,t,t,f,f,t}', 'a page has 1 to 500 items, or 10000 lines');
SELECT is(ARRAY[(api.page()).size, (api.page(NULL, NULL, 'csv')).size, (api.stream()).size], '{50,10000,NULL}',
	'without a size it has 50, or 10000 lines, and a stream has all');
SELECT is(ARRAY(SELECT (SELECT bool_and(b.complete) FROM api.buckets('week', t.window(api.complete_until() - 7,
	api.complete_until() + n)) b) FROM unnest('{0,1}'::integer[]) n), '{t,f}', 'a week is complete up to the end of the window');

-- cursors: 66 characters are never too long, and 400 bytes as JSON are not
SELECT is(ARRAY(SELECT api.order_key(k) = k FROM (VALUES (repeat(E'\u0001', 66)), (repeat(E'\u0001', 67)),
	(repeat('x', 398)), (repeat('x', 399))) x(k)), '{t,f,t,f}', 'a key of a cursor has 400 bytes at most');
SELECT is(ARRAY(SELECT (api.place_of('l', api.place_make('l', '2026-01-02 03:04:05.678901Z', id, 3))).id
	FROM unnest('{1,12,123,1234,12345}'::bigint[]) id), '{1,12,123,1234,12345}', 'a cursor of any length has its place');
SELECT is((api.place_of('l', api.place_make('l', '2026-01-02 03:04:05.678901Z', 7, 3)))::text,
	ROW('2026-01-02 03:04:05.678901Z'::timestamptz, 7, 3)::text, 'by the microsecond');
SELECT is(t.words(format('SELECT api.%s(''l'', api.cursor_make(''l'', %L))', call, key)),
	'22023 parameter "cursor": not a cursor of this list / cursor', format('%s: no cursor is %s', call, key))
FROM (VALUES ('place_of', '[null, 1, 1]'), ('place_of', '[1, null, 1]'), ('place_of', '[1, 1, null]'),
	('rank_of', '["1", "k"]'), ('rank_of', '[1, 2]'), ('rank_of', '[1]')) x(call, key);
SELECT is(ARRAY(SELECT api.comes_after(size, key, ROW(5, 'k')::api.rank) FROM (VALUES (6, 'z'), (5, 'a'), (5, 'k'), (5, 'l'),
	(5, NULL), (4, 'a')) x(size, key)) || ARRAY[api.comes_after(5, 'l', ROW(5, NULL)::api.rank),
	api.comes_after(5, NULL, ROW(5, NULL)::api.rank)], '{f,f,f,t,t,t,f,f}', 'the order of sizes and keys');

-- sums and sparks
SELECT is(api.tally_zero('k')::text, '(k,0,0,0,0,0,0,0,0,0,0,0,0,0,,)', 'a tally of nothing');
SELECT is(ARRAY(SELECT api.spark_step(t.window('2024-11-15', to_day), day) FROM (VALUES ('2025-02-15'::date, '2025-01-31'::date),
	('2025-02-16', '2024-11-15'), ('2025-02-16', '2025-01-31'), ('2025-02-16', '2025-02-01')) x(to_day, day)), '{77,0,2,3}',
	'a spark has days up to 92, then months, also of another year');
SELECT is(ARRAY(SELECT api.last_step(t.window('2024-11-15', to_day)) FROM unnest('{2024-11-15,2024-11-16,2025-02-15,2025-02-16,2025-03-01,2025-03-02}'::date[])
	to_day), '{-1,0,91,3,3,4}', 'its last step is the day before the end');
-- Which views have the sums: what waits in a month that the window touches counts from the records.
INSERT INTO ruad.stale (day, domain_id) VALUES ('2020-01-01', 1);
SELECT is((SELECT string_agg((api.sums_of(f::date, u::date)).daily, ' ' ORDER BY no) FROM (VALUES (1, '2019-12-15', '2020-01-01'),
	(2, '2019-12-15', '2020-01-02'), (3, '2020-01-31', '2020-02-05'), (4, '2020-02-01', '2020-02-05')) x(no, f, u)),
	'api.sum_day dmarc.daily dmarc.daily api.sum_day', 'sums that are stale are not used, in any part of their month');
DELETE FROM ruad.stale;
INSERT INTO ruad.unsummed (report, day, domain_id) VALUES (1, '2020-01-01', 1);
SELECT is((SELECT string_agg((api.sums_of(f::date, u::date)).monthly, ' ' ORDER BY no) FROM (VALUES (1, '2019-12-01', '2019-12-15'),
	(2, '2020-01-31', '2020-02-05'), (3, '2020-02-01', '2020-02-05'), (4, '2019-11-01', '2019-12-01')) x(no, f, u)),
	'dmarc.monthly dmarc.monthly api.sum_month api.sum_month', 'nor those that a report is missing in');
DELETE FROM ruad.unsummed;

-- Five thousand addresses and one: more than any list of addresses in a query.
SELECT is(t.take(t.mail(t.report('many.example', 'Org', 'm', t.day(-2), (SELECT jsonb_agg(t.record(host('10.0.0.0'::inet + n), 1,
	'pass', 'pass')) FROM generate_series(1, 5001) n)))), '1 0 0 0 f', 'a report with 5001 addresses');
INSERT INTO ruad.address (source_ip, rdns, rdns_domain, asn, as_name)
SELECT '10.0.0.0'::inet + n, 'h' || n || '.bulk.example', 'bulk.example', 64500, 'BULK' FROM generate_series(1, 5001) n;
SELECT ruad.set_label('domain:bulk.example', 'mine', NULL, 'kim', 'cli') \g /dev/null
SELECT is(ARRAY(SELECT (api.summary(f) #>> '{totals,messages}')::integer FROM (VALUES (1, api.filter(p_source => '{domain:bulk.example}')),
	(2, api.filter(p_q => '.bulk.ex')), (3, api.filter(p_label => '{mine}')), (4, api.filter(p_label => '{none}'))) x(no, f) ORDER BY no),
	'{5001,5001,5001,0}', 'none is missed by source, search or label');
SELECT * FROM finish();
