-- A report is counted with all its messages on the day (UTC) on which its period begins, whatever its length.
SELECT plan(5);

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
SELECT * FROM finish();
