-- Partitions are made for months that may be true, and for no others.
SELECT plan(14);
CREATE FUNCTION t.partitions() RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM pg_inherits WHERE inhparent IN ('ruad.report'::regclass, 'ruad.record'::regclass) $$;
CREATE FUNCTION t.at(begin timestamptz) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(x, ',') FROM t.take(t.mail(t.report('p.example', 'Org', 'at ' || begin, begin,
		jsonb_build_array(t.record('192.0.2.1', 1, 'pass', 'pass'))))) x $$;
-- Where the report that begins then lies.
CREATE FUNCTION t.place(at timestamptz) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(DISTINCT p::text, ' ' ORDER BY p::text) FROM (SELECT tableoid::regclass AS p FROM ruad.report WHERE begin = at
		UNION ALL SELECT tableoid::regclass FROM ruad.record WHERE begin = at) x $$;

SELECT is(t.partitions(), 2::bigint, 'at first there are the default partitions');
SELECT is(t.at('2024-02-29 23:59:59+00'), '1 0 0 0 f', 'a report of February 2024 (March in Newfoundland''s clock it is not)');
SELECT is(t.place('2024-02-29 23:59:59+00'), 'ruad.record_2024_02 ruad.report_2024_02', 'lies in the partitions of that month in UTC');
SELECT is(t.at('2024-03-01 00:00:00+00'), '1 0 0 0 f', 'a second later');
SELECT is(t.place('2024-03-01 00:00:00+00'), 'ruad.record_2024_03 ruad.report_2024_03', 'the next month begins');
SELECT is((SELECT string_agg(DISTINCT t.at(d), ',') FROM generate_series('1970-01-01'::timestamptz, '2011-12-31', '1 year') d), '1 0 0 0 f', 'reports before 2012 are taken');
SELECT is((SELECT string_agg(DISTINCT t.at(d), ',') FROM generate_series('2100-01-01'::timestamptz, '9999-12-31', '100 years') d), '1 0 0 0 f', 'and those from far ahead');
SELECT is(t.partitions(), 6::bigint, 'but they make no tables');
SELECT is(t.place('1970-01-01'), 'ruad.record_default ruad.report_default', 'they lie in the default partitions');
SELECT is((t.at(t.day(61)), t.at(t.day(63)))::text, '("1 0 0 0 f","1 0 0 0 f")', 'both sides of the border of 62 days are taken');

-- What lay in the default partition moves when its month comes: as if the clock had been wrong.
INSERT INTO ruad.report_default SELECT begin + interval '1 year', "end", id + 1000, mail, received_at, records, messages, pass, domain_id, reporter_id, pct,
	key, sha256, dialect FROM ruad.report WHERE begin = '2024-03-01 00:00:00+00';
INSERT INTO ruad.record_default SELECT begin + interval '1 year', report + 1000, count, domain_id, reporter_id, record_no, source_ip, class
	FROM ruad.record WHERE begin = '2024-03-01 00:00:00+00';
SELECT is(t.place('2025-03-01 00:00:00+00'), 'ruad.record_default ruad.report_default', 'rows of a month without partitions');
SELECT is(t.at('2025-03-02'), '1 0 0 0 f', 'when the month is made');
SELECT is(t.place('2025-03-01 00:00:00+00'), 'ruad.record_2025_03 ruad.report_2025_03', 'move into it');
SELECT is((SELECT count(*) FROM pg_class WHERE relnamespace = 'ruad'::regnamespace AND relkind IN ('r', 'p') AND relowner <> 'ruad_owner'::regrole), 0::bigint,
	'all tables belong to ruad_owner');
SELECT * FROM finish();
