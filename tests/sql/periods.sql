-- A report is counted with all its messages on the day (UTC) on which its period begins, whatever its length.
SELECT plan(14);

-- from 23:00 to 23:00, a day of 25 hours, a week, one second over a day's border, and a usual day
SELECT t.take(t.mail(t.report('period.example', 'Org', v.id, t.day(-9) + v.begin, jsonb_build_array(
	t.record('192.0.2.1', v.count, 'pass', 'fail')), jsonb_build_object('end', t.day(-9) + v.begin + v.length))))
FROM (VALUES ('late', interval '23 hours', interval '86399 s', 1), ('long', interval '0', interval '25 hours', 10),
	('week', interval '12 hours', interval '7 days', 100), ('border', interval '23:59:59', interval '2 s', 1000),
	('usual', interval '1 day', interval '86399 s', 10000)) v(id, begin, length, count);

CREATE FUNCTION t.utc(n integer) RETURNS date LANGUAGE sql STABLE AS $$ SELECT (t.day(n) AT TIME ZONE 'UTC')::date $$;
CREATE FUNCTION t.points() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg((p ->> 't')::date - t.utc(-9) || ': ' || (p -> 'v' ->> 'pass'), ', ' ORDER BY p ->> 't')
	FROM jsonb_array_elements(api.timeseries(api.filter(p_domain => '{period.example}')) -> 'points') p
	WHERE p -> 'v' ->> 'pass' <> '0' $$;
CREATE FUNCTION t.total() RETURNS text LANGUAGE sql AS $$
	SELECT api.summary(api.filter(p_domain => '{period.example}')) -> 'totals' ->> 'messages' $$;

SELECT is(t.points(), '0: 1111, 1: 10000', 'days in the time series');
SELECT is(t.total(), '11111', 'the sum of all');
SELECT is((SELECT string_agg(day - t.utc(-9) || ': ' || messages, ', ' ORDER BY day) FROM (
	SELECT day, sum(count) AS messages FROM dmarc.records WHERE domain = 'period.example' GROUP BY day) d),
	'0: 1111, 1: 10000', 'days of the view');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT FROM generate_series(1, 10) WHERE ruad.sum_up();
COMMIT;
SELECT is(t.points(), '0: 1111, 1: 10000', 'days in the time series, of sums');
SELECT is(t.total(), '11111', 'the sum of all, of sums');

-- A partial month at either end of a window is summed as a whole where no report begins on its other days.
SELECT t.take(t.mail(t.report('months.example', 'Org', begin::text, begin,
	jsonb_build_array(t.record('192.0.2.1', 1, 'pass', 'fail')))))
FROM (VALUES ('2020-03-05 00:00:00+00'::timestamptz), ('2020-05-20 23:59:59+00')) v(begin);
SELECT is((SELECT m.from_month || ' ' || m.to_month FROM api.whole_months(jsonb_populate_record(NULL::api.filter_set,
	jsonb_build_object('from_day', v.from_day, 'to_day', v.to_day))) m), want, 'whole months: ' || v.name)
FROM (VALUES ('all', '2020-03-01', '2020-06-01', '2020-03-01 2020-06-01'),
	('nothing before', '2020-03-05', '2020-06-01', '2020-03-01 2020-06-01'),
	('a report before', '2020-03-06', '2020-06-01', '2020-04-01 2020-06-01'),
	('one of another month', '2020-04-10', '2020-06-01', '2020-04-01 2020-06-01'),
	('nothing behind', '2020-03-01', '2020-05-21', '2020-03-01 2020-06-01'),
	('a report behind', '2020-03-01', '2020-05-20', '2020-03-01 2020-05-01'),
	('one of a later month', '2020-03-01', '2020-04-20', '2020-03-01 2020-05-01'),
	('none of a month', '2020-05-01', '2020-05-20', '2020-05-20 2020-05-20'),
	('the end of a month', '2020-03-06', '2020-03-31', '2020-03-31 2020-03-31')) v(name, from_day, to_day, want);
SELECT * FROM finish();
