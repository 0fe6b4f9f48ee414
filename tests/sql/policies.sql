-- The newest policy of a domain, against its whole history.
CREATE FUNCTION t.date(n integer) RETURNS date LANGUAGE sql STABLE AS $$ SELECT (t.day(n) AT TIME ZONE 'UTC')::date $$;
SELECT plan(4);
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
SELECT * FROM finish();
