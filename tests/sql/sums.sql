-- The sums that are kept, against sums of the records made by hand: random reports, and all that can happen to them.
SELECT plan(86);
\getenv host PGHOST
SELECT format('host=%s user=postgres dbname=%s options=''-c search_path=tap,t''', :'host', :'DBNAME') AS here \gset
SELECT dblink_connect('sums', :'here'), dblink_connect('sums2', :'here'), dblink_connect('other', :'here');
SELECT dblink_exec(c, 'SET default_transaction_isolation = ''repeatable read''') FROM unnest('{sums,sums2}'::text[]) c;
SELECT setseed(0.10);

-- Random reports
CREATE FUNCTION t.pick(VARIADIC choices text[]) RETURNS text LANGUAGE sql AS $$
	SELECT choices[1 + floor(random() * cardinality(choices))::integer] $$;
CREATE FUNCTION t.below(n integer) RETURNS integer LANGUAGE sql AS $$ SELECT floor(random() * n)::integer $$;
CREATE FUNCTION t.random_record() RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('source_ip', t.pick(NULL, '192.0.2.' || t.below(8), '192.0.2.'
		|| t.below(8), '192.0.2.' || t.below(20), '2001:db8::' || t.below(9)),
		'count', CASE t.below(10) WHEN 0 THEN NULL WHEN 1 THEN 0 ELSE 1 + t.below(100) END,
		'dkim', t.pick('pass', 'fail', NULL), 'spf', t.pick('pass', 'fail', NULL),
		'disposition', t.pick('none', 'none', 'quarantine', 'reject', 'pass', 'odd', NULL),
		'header_from', t.pick('a.example', 'mail.a.example', 'b.example', NULL),
		'envelope_from', t.pick('bounce.alpha.example', NULL, NULL),
		'reason', t.pick('[{"type": "forwarded"}]', '[{"type": "mailing_list"}, {"type": "forwarded"}]',
			'[{"comment": "c"}]', NULL, NULL, NULL)::jsonb, 'auth_results', t.pick(NULL,
			'{"dkim": [{"domain": "a.example", "selector": "alphas", "result": "pass"}]}',
			'{"dkim": [{"domain": "esp.example", "result": "pass"}], "spf": [{"domain": "x.example", "result": '
				'"fail"}]}', '{"dkim": [{"domain": "a.example", "result": "fail"}], "spf": [{"domain": "spf.example", '
					'"result": "pass"}]}')::jsonb)) $$;
CREATE FUNCTION t.random_records() RETURNS jsonb LANGUAGE sql AS $$ SELECT coalesce(jsonb_agg(t.random_record()), '[]')
	FROM generate_series(1, t.below(7)) $$;
CREATE SEQUENCE t.report_no;
CREATE TABLE t.truncated (report jsonb);
-- A report of the half year from November 2024; every fifth is truncated.
CREATE FUNCTION t.random_report() RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	report jsonb := t.report(t.pick('a.example', 'b.example', 'c.example'), t.pick('Alpha', 'Beta', 'Gamma'), 'r'
		|| nextval('t.report_no'), timestamptz '2024-11-01 00:00:00+00' + t.below(181) * interval '1 day' + t.pick('0',
			'0', t.below(86400)::text)::integer * interval '1 second', t.random_records());
BEGIN
	IF t.below(5) = 0 THEN
		report := report || '{"partial": true}';
		INSERT INTO t.truncated VALUES (report);
	END IF;
	RETURN report;
END $$;
CREATE FUNCTION t.load(n integer) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(DISTINCT left(x, 7), ',')
	FROM t.take(VARIADIC ARRAY(SELECT t.mail(t.random_report()) FROM generate_series(1, n))) x $$;
-- Replace some of the truncated reports by complete ones, with other records.
CREATE FUNCTION t.replace(n integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	reports jsonb[];
BEGIN
	WITH taken AS (DELETE FROM t.truncated WHERE report IN (SELECT t.report FROM t.truncated t
		ORDER BY random() LIMIT n) RETURNING report)
	SELECT array_agg(t.mail(t.report || jsonb_build_object('partial', false, 'record', t.random_records())))
	INTO reports FROM taken t;
	IF reports IS NULL THEN
		RETURN '';
	END IF;
	RETURN (SELECT string_agg(DISTINCT x, ',') FROM t.take(VARIADIC reports) x);
END $$;

-- The sums against the records: '' or where they differ. One query, so that both are of one snapshot.
CREATE FUNCTION t.differs() RETURNS text LANGUAGE sql AS $$
	WITH record AS MATERIALIZED (SELECT * FROM dmarc.records),
	daily AS (SELECT domain_id, domain, day, header_from, auth_domain, class, disposition, dkim_aligned, spf_aligned,
		dmarc_pass, override, sum(messages) AS n, sum(records) AS r, min(first_seen) AS f, max(last_seen) AS l
		FROM dmarc.daily GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
	daily_records AS (SELECT domain_id, domain, day, header_from, auth_domain, class, disposition, dkim_aligned,
		spf_aligned, dmarc_pass, override, sum(coalesce(count, 0)), count(*), min(begin), max(begin)
		FROM record GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
	monthly AS (SELECT domain_id, domain, month, source_ip, header_from, auth_domain, class, disposition, dkim_aligned,
		spf_aligned, dmarc_pass, override, sum(messages), sum(records), min(first_seen), max(last_seen)
		FROM dmarc.monthly GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
	monthly_records AS (SELECT domain_id, domain, month, source_ip, header_from, auth_domain, class, disposition,
		dkim_aligned, spf_aligned, dmarc_pass, override, sum(coalesce(count, 0)), count(*), min(begin), max(begin)
		FROM record GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
	first AS (SELECT domain_id, domain, source_ip, min(first_seen) FROM dmarc.seen GROUP BY 1, 2, 3),
	first_records AS (SELECT n.id, n.name, source_ip, min(begin) FROM record,
		LATERAL (VALUES (domain_id, domain), (0, NULL)) n(id, name) WHERE source_ip IS NOT NULL GROUP BY 1, 2, 3),
	last AS (SELECT domain_id, domain, source_ip, max(last_seen) FROM dmarc.seen GROUP BY 1, 2, 3),
	last_records AS (SELECT n.id, n.name, source_ip, max(begin) FROM record,
		LATERAL (VALUES (domain_id, domain), (0, NULL)) n(id, name) WHERE source_ip IS NOT NULL GROUP BY 1, 2, 3)
	SELECT concat_ws('; ',
		(SELECT 'daily has ' || x FROM (TABLE daily EXCEPT TABLE daily_records LIMIT 1) x),
		(SELECT 'daily lacks ' || x FROM (TABLE daily_records EXCEPT TABLE daily LIMIT 1) x),
		(SELECT 'monthly has ' || x FROM (TABLE monthly EXCEPT TABLE monthly_records LIMIT 1) x),
		(SELECT 'monthly lacks ' || x FROM (TABLE monthly_records EXCEPT TABLE monthly LIMIT 1) x),
		(SELECT 'first_seen has ' || x FROM (TABLE first EXCEPT TABLE first_records LIMIT 1) x),
		(SELECT 'first_seen lacks ' || x FROM (TABLE first_records EXCEPT TABLE first LIMIT 1) x),
		(SELECT 'last_seen has ' || x FROM (TABLE last EXCEPT TABLE last_records LIMIT 1) x),
		(SELECT 'last_seen lacks ' || x FROM (TABLE last_records EXCEPT TABLE last LIMIT 1) x)) $$;

-- What the API counts, against queries by hand. Every call asks one question of three, with another window and group
-- than the last.
CREATE TABLE t.question (no integer GENERATED ALWAYS AS IDENTITY (START 0 MINVALUE 0), filter text, condition text);
INSERT INTO t.question (filter, condition) VALUES
	('', 'true'),
	('p_domain => ''{a.example}''', 'domain = ''a.example'''),
	('p_domain => ''{a.example,c.example}''', 'domain IN (''a.example'', ''c.example'')'),
	('p_domain => ''{none.example}''', 'false'),
	('p_class => ''{pass}''', 'class = ''pass'''),
	('p_class => ''{fail_overridden,fail_unaligned}''', 'class IN (''fail_overridden'', ''fail_unaligned'')'),
	('p_result => ''fail''', 'coalesce(dkim, '''') <> ''pass'' AND coalesce(spf, '''') <> ''pass'''),
	('p_dkim => ''pass''', 'dkim = ''pass'''),
	('p_spf => ''fail''', 'spf IS DISTINCT FROM ''pass'''),
	('p_disposition => ''{reject}''', 'disposition = ''reject'''),
	('p_disposition => ''{unknown,none}''',
		'disposition = ''none'' OR coalesce(disposition, ''odd'') NOT IN '
			'(''none'', ''quarantine'', ''reject'', ''pass'')'),
	('p_override => ''{mailing_list}''', 'reason @> ''[{"type": "mailing_list"}]'''),
	('p_override => ''{any}''', 'reason IS NOT NULL'),
	('p_override => ''{none,forwarded}''', 'reason IS NULL OR reason @> ''[{"type": "forwarded"}]'''),
	('p_source => ''{service:esp}''', 'source = ''service:esp'''),
	('p_source => ''{ip:192.0.2.9,as:64500}''', 'source_ip = ''192.0.2.9'' OR source = ''as:64500'''),
	('p_source => ''{none}''', 'source_ip IS NULL'),
	('p_ip => ''192.0.2.4/30''', 'host(source_ip) IN (''192.0.2.4'', ''192.0.2.5'', ''192.0.2.6'', ''192.0.2.7'')'),
	('p_asn => ''{64500,none}''', 'asn = 64500 OR asn IS NULL'),
	('p_country => ''{de}''', 'country = ''DE'''),
	('p_rdns => ''{mx.example}''', 'rdns LIKE ''%.mx.example'' OR rdns = ''mx.example'''),
	('p_auth_domain => ''{esp.example,none}''', 'auth_domain = ''esp.example'' OR auth_domain IS NULL'),
	('p_header_from => ''{mail.a.example}''', 'header_from = ''mail.a.example'''),
	('p_reporter => ''{Alpha}''', 'org_name = ''Alpha'''),
	('p_label => ''{mine,none}''', 'label = ''mine'' OR label IS NULL'),
	('p_q => ''alpha''',
		'org_name = ''Alpha'' OR envelope_from LIKE ''%alpha%'' OR auth_results::text LIKE ''%alphas%'''),
	('p_domain => ''{b.example}'', p_result => ''pass'', p_country => ''{de,none}'', p_override => ''{none}''',
		'domain = ''b.example'' AND (dkim = ''pass'' OR spf = ''pass'') AND (country = ''DE'' OR country IS NULL) AND '
			'reason IS NULL');
CREATE FUNCTION t.window_of(n integer, OUT from_day date, OUT to_day date) LANGUAGE sql AS $$
	SELECT w.f, w.t FROM (VALUES (0, date '2024-01-01', date '2027-01-01'), (1, '2025-01-01', '2025-04-01'),
		(2, '2024-12-15', '2025-03-10'), (3, '2025-02-05', '2025-02-20'), (4, '2025-02-01', '2025-03-01')) w(n, f, t)
	WHERE w.n = window_of.n % 5 $$;
CREATE FUNCTION t.group_of(n integer, OUT name text, OUT expression text) LANGUAGE sql AS $$
	SELECT g.name, g.expression
	FROM (VALUES (0, '', '''''::text'), (1, 'domain', 'domain'), (2, 'header_from', 'header_from'),
		(3, 'auth_domain', 'auth_domain'), (4, 'source', 'source'), (5, 'rdns', 'rdns_domain'),
		(6, 'asn', 'asn::text'), (7, 'country', 'country'), (8, 'ip', 'host(source_ip)'),
		(9, 'reporter', 'org_name')) g(n, name, expression)
	WHERE g.n = group_of.n % 10 $$;
-- Columns as those of api.tally.
CREATE FUNCTION t.tallies(expression text, condition text, from_day date, to_day date) RETURNS SETOF api.tally
LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT %s, sum(n), sum(n * pass::int), sum(n * (coalesce(dkim, '''') = ''pass'')::int),
		sum(n * (coalesce(spf, '''') = ''pass'')::int), sum(n * (class = ''fail_overridden'')::int),
			sum(n * (class = ''fail_altered'')::int), sum(n * (class = ''fail_unaligned'')::int),
			sum(n * (class = ''fail_unauthenticated'')::int), sum(n * (class = ''unknown'')::int),
			sum(n * (coalesce(disposition, '''') = ''none'')::int),
			sum(n * (coalesce(disposition, '''') = ''quarantine'')::int),
			sum(n * (coalesce(disposition, '''') = ''reject'')::int),
			sum(n * (coalesce(disposition, '''') = ''pass'')::int), min(begin), max(begin)
		FROM (SELECT *, coalesce(count, 0)::numeric AS n, coalesce(dkim = ''pass'' OR spf = ''pass'', dkim = ''pass'',
			spf = ''pass'', false) AS pass FROM pg_temp.counted) r
		WHERE day >= %L AND day < %L AND (%s) GROUP BY 1', expression, from_day, to_day, condition);
END $$;
CREATE SEQUENCE t.round;
CREATE FUNCTION t.asked(every boolean DEFAULT false) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	round integer := nextval('t.round');
	q record;
	w record;
	g record;
	f api.filter_set;
	n bigint;
BEGIN
	CREATE TEMP TABLE IF NOT EXISTS counted AS SELECT * FROM dmarc.records WITH NO DATA;
	TRUNCATE counted;
	INSERT INTO counted SELECT * FROM dmarc.records;
	ANALYZE counted;
	FOR q IN SELECT * FROM t.question WHERE every OR no % 3 = round % 3 LOOP
		SELECT * INTO w FROM t.window_of(q.no + round);
		SELECT * INTO g FROM t.group_of(q.no + round / 3);
		EXECUTE format('SELECT * FROM api.filter(%s)',
			concat_ws(', ', nullif(q.filter, ''), format('p_from => %L, p_to => %L', w.from_day, w.to_day))) INTO f;
		WITH have AS MATERIALIZED (SELECT * FROM api.tallies(g.name, f)),
			want AS MATERIALIZED (SELECT * FROM t.tallies(g.expression, q.condition, w.from_day, w.to_day))
		SELECT count(*) INTO n FROM ((TABLE have EXCEPT TABLE want) UNION ALL (TABLE want EXCEPT TABLE have)) x;
		IF n > 0 THEN
			RETURN format('%s by "%s" from %s to %s: %s rows differ', q.filter, g.name, w.from_day, w.to_day, n);
		END IF;
	END LOOP;
	RETURN t.told(round);
END $$;
-- The same for what pages show of it.
CREATE FUNCTION t.told(round integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	q record;
	w record;
	f api.filter_set;
	have jsonb;
	want jsonb;
BEGIN
	SELECT * INTO q FROM t.question OFFSET (round * 5) % 27 LIMIT 1;
	SELECT * INTO w FROM t.window_of(round);
	EXECUTE format('SELECT * FROM api.filter(%s)',
		concat_ws(', ', nullif(q.filter, ''), format('p_from => %L, p_to => %L', w.from_day, w.to_day))) INTO f;
	want := coalesce((SELECT api.tally_json(t) FROM t.tallies('''''::text', q.condition, w.from_day, w.to_day) t),
		api.tally_json(api.tally_zero()));
	have := api.summary(f) -> 'totals';
	IF have IS DISTINCT FROM want THEN
		RETURN format('summary of %s from %s to %s: %s instead of %s', q.filter, w.from_day, w.to_day, have, want);
	END IF;
	SELECT jsonb_object_agg(k, n) INTO have FROM (SELECT v.key AS k, sum(v.value::numeric) AS n
		FROM jsonb_path_query(api.timeseries(f), '$.points[*].v') p(v), jsonb_each_text(p.v) v GROUP BY 1) x;
	IF have IS DISTINCT FROM want -> 'by_class' THEN
		RETURN format('series of %s from %s to %s: %s instead of %s', q.filter, w.from_day, w.to_day,
			have, want -> 'by_class');
	END IF;
	SELECT coalesce(jsonb_agg(jsonb_build_array(i.v -> 'key', i.v -> 'messages', i.v -> 'pass')
		ORDER BY i.v ->> 'key' COLLATE "C"), '[]') INTO have FROM jsonb_array_elements(api.sources(f,
			api.page(500)) -> 'items') i(v);
	SELECT coalesce(jsonb_agg(jsonb_build_array(t.key, t.messages, t.pass) ORDER BY t.key COLLATE "C"), '[]') INTO want
	FROM t.tallies('source', q.condition, w.from_day, w.to_day) t;
	IF have IS DISTINCT FROM want THEN
		RETURN format('sources of %s from %s to %s: %s instead of %s', q.filter, w.from_day, w.to_day, have, want);
	END IF;
	SELECT coalesce(jsonb_agg(jsonb_build_array(i.v -> 'name', i.v -> 'messages', i.v -> 'pass')
		ORDER BY i.v ->> 'name' COLLATE "C"), '[]') INTO have FROM jsonb_array_elements(api.domains(f,
			api.page(500)) -> 'items') i(v)
	WHERE i.v ->> 'kind' = 'policy' AND (i.v ->> 'messages')::numeric > 0;
	SELECT coalesce(jsonb_agg(jsonb_build_array(t.key, t.messages, t.pass) ORDER BY t.key COLLATE "C"), '[]') INTO want
	FROM t.tallies('domain', q.condition, w.from_day, w.to_day) t WHERE t.messages > 0;
	IF have IS DISTINCT FROM want THEN
		RETURN format('domains of %s from %s to %s: %s instead of %s', q.filter, w.from_day, w.to_day, have, want);
	END IF;
	RETURN '';
END $$;
CREATE FUNCTION t.sum_step() RETURNS boolean LANGUAGE sql AS $$ SELECT more
	FROM dblink('sums', 'SELECT ruad.sum_up(0.001)') AS r(more boolean) $$; -- in pieces of 50 records
-- What is left to do: "unsummed stale".
CREATE FUNCTION t.due() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', (SELECT count(*) FROM ruad.unsummed), (SELECT count(*) FROM ruad.stale)) $$;
-- Sum up to the end, and look after each step.
CREATE FUNCTION t.sum_all() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	wrong text := '';
BEGIN
	WHILE wrong = '' AND t.sum_step() LOOP
		wrong := t.differs();
	END LOOP;
	RETURN coalesce(nullif(wrong, ''), 'done, ' || t.due());
END $$;

INSERT INTO ruad.service (key, name, type) VALUES ('esp', 'Sender', 'marketing') ON CONFLICT DO NOTHING;
INSERT INTO ruad.address (source_ip, looked_up_at, rdns, rdns_domain, asn, country, service, service_basis) VALUES
	('192.0.2.0', now(), 'a.mx.example', 'mx.example', 64500, 'DE', NULL, NULL),
		('192.0.2.1', now(), 'b.mx.example', 'mx.example', 64501, 'FR', NULL, NULL),
	('192.0.2.2', now(), NULL, NULL, 64500, 'DE', NULL, NULL), ('192.0.2.3', now(), 'out.esp.example', 'esp.example',
		64502, NULL, 'esp', 'rdns'),
	('192.0.2.4', now(), 'out2.esp.example', 'esp.example', 64502, 'FR', 'esp', 'rdns'),
	('2001:db8::1', now(), NULL, NULL, 64500, 'DE', NULL, NULL);
SELECT ruad.set_label('domain:mx.example', 'mine', NULL, 'kim', 'cli'),
	ruad.set_label('service:esp', 'not_mine', NULL, 'kim', 'cli');

-- reports, and late ones
SELECT is(t.differs() || t.asked() || t.sum_all(), 'done, 0 0', 'nothing');
SELECT is(t.load(150), '1 0 0 0', 'reports');
ANALYZE;
SELECT is(t.differs(), '', 'not summed yet');
SELECT is(t.asked(), '', 'and counted');
SELECT is(t.sum_all(), 'done, 0 0', 'summed');
SELECT is(t.asked(), '', 'and counted');
SELECT is(t.load(60), '1 0 0 0', 'later ones');
SELECT is(t.differs(), '', 'not summed yet');
SELECT is(t.asked(), '', 'and counted');
SELECT is(t.sum_all(), 'done, 0 0', 'summed');
SELECT is((t.load(60), t.differs(), t.asked())::text, '("1 0 0 0","","")', 'and later ones');

-- truncated reports are replaced, some before they were summed
SELECT is(t.replace(8), '1 0 0 0 f', 'truncated reports are replaced');
ANALYZE;
SELECT is(t.differs(), '', 'months are stale');
SELECT is(t.asked(), '', 'and counted');
SELECT ok(t.sum_step(), 'one of them is made anew');
SELECT is((t.differs(), t.asked())::text, '("","")', 'others are still stale');
SELECT is((t.load(20), t.replace(8), t.differs(), t.asked())::text, '("1 0 0 0","1 0 0 0 f","","")', 'more of both');
SELECT is(t.sum_all(), 'done, 0 0', 'summed');
SELECT is((t.differs(), t.asked())::text, '("","")', 'and counted');

-- months with partitions
SELECT is((t.load(20), t.replace(2))::text, '("1 0 0 0","1 0 0 0 f")', 'more');
SELECT ok(bool_and(ruad.make_month('{report,record,evaluation,sum_day,sum_month}', m)), 'months get partitions')
FROM unnest('{2024-11-01,2025-01-01,2025-02-01}'::date[]) m;
SELECT is((t.differs(), t.asked())::text, '("","")', 'counted');
SELECT is((t.load(20), t.replace(2), t.differs(), t.asked())::text, '("1 0 0 0","1 0 0 0 f","","")', 'more');
SELECT is(t.sum_all(), 'done, 0 0', 'summed');
SELECT is((t.differs(), t.asked())::text, '("","")', 'and counted');

-- reprocess
ANALYZE;
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.mail(t.unreadable('xml', 'u')) || '{"bytes": "u"}',
	t.mail((SELECT report FROM t.truncated LIMIT 1), t.unreadable('xml', 'v')) || '{"bytes": "v"}') x),
	'0 0 0 1 t,0 1 0 1 t', 'mails that are kept');
SELECT is(t.again((SELECT max(id) - 1 FROM ruad.mail), t.mail(t.random_report() || '{"partial": false}')),
	'1 0 0 0 f', 'one is read again');
SELECT is(t.again((SELECT max(id) FROM ruad.mail),
	t.mail((SELECT report || jsonb_build_object('partial', false, 'record', t.random_records())
		FROM t.truncated LIMIT 1))), '1 0 0 0 f', 'and the other, whose report was truncated');
DELETE FROM t.truncated WHERE report IN (SELECT report FROM t.truncated LIMIT 1);
SELECT is((t.differs(), t.asked())::text, '("","")', 'counted');
SELECT is(t.sum_all(), 'done, 0 0', 'summed');
SELECT is((t.differs(), t.asked())::text, '("","")', 'and counted');

-- prune: in a month, before and after its reports were summed; whole months; with what comes again afterwards
SELECT is((t.load(20), t.replace(2))::text, '("1 0 0 0","1 0 0 0 f")', 'more');
SELECT matches(t.prune('aggregate', '2024-11-16 00:00:00+00'), '^reports [1-9]\d*, records [1-9]\d*, months 0$',
	'a month is pruned in its middle');
SELECT is((t.differs(), t.asked())::text, '("","")', 'counted');
SELECT is(t.sum_all(), 'done, 0 0', 'summed');
SELECT is((t.differs(), t.asked())::text, '("","")', 'and counted');
SELECT matches(t.prune('aggregate', '2024-11-20 00:00:00+00'), '^reports [1-9]\d*, records [1-9]\d*, months 0$', 'once more');
SELECT matches(t.prune('aggregate', '2024-12-01 00:00:00+00'), '^reports [1-9]\d*, records [1-9]\d*, months 1$',
	'then its partitions go');
SELECT is((t.differs(), t.asked())::text, '("","")', 'counted');
SELECT is(t.sum_all(), 'done, 0 0', 'summed');
SELECT is((t.differs(), t.asked())::text, '("","")', 'and counted');
SELECT is((t.load(40), t.replace(3), t.differs(), t.asked())::text, '("1 0 0 0","1 0 0 0 f","","")',
	'reports of that month come again, and others');
SELECT ok(t.sum_step(), 'some are summed');
SELECT matches(t.prune('aggregate', '2025-02-01 00:00:00+00'), '^reports [1-9]\d*, records [1-9]\d*, months 1$',
	'months with and without partitions are pruned, summed and not');
SELECT is((t.differs(), t.asked())::text, '("","")', 'counted');
SELECT is(t.sum_all(), 'done, 0 0', 'summed');
SELECT is((t.differs(), t.asked())::text, '("","")', 'and counted');
SELECT is((SELECT count(*) FROM ruad.sum_month WHERE day < '2025-02-01') + (SELECT count(*) FROM ruad.sum_day
	WHERE day < '2025-02-01') + (SELECT count(*) FROM ruad.seen WHERE first_seen < '2025-02-01 00:00:00+00'), 0::bigint,
	'no sum of what is gone');

-- Two sessions
SELECT is(t.load(30), '1 0 0 0', 'more');
SELECT dblink_exec('other', 'BEGIN');
SELECT is((SELECT x FROM dblink('other', 'SELECT t.load(5) || '' '' || t.replace(5)') AS r(x text)),
	'1 0 0 0 1 0 0 0 f', 'a session stores and replaces reports');
SELECT is(t.sum_all(), 'done, 0 0', 'what it has not committed is not summed');
SELECT dblink_exec('other', 'COMMIT');
SELECT is((t.differs(), t.asked())::text, '("","")', 'then it commits');
SELECT is(t.sum_all(), 'done, 0 0', 'summed');

SELECT is(t.load(30), '1 0 0 0', 'more');
SELECT dblink_exec('sums', 'BEGIN');
SELECT ok(t.sum_step(), 'sums are being made');
SELECT is((SELECT more FROM dblink('sums2', 'SELECT ruad.sum_up()') AS r(more boolean)), false,
	'another session leaves it to that one');
SELECT is((t.load(5), t.replace(8))::text, '("1 0 0 0","1 0 0 0 f")',
	'meanwhile reports come, and some of those being summed are replaced');
SELECT is(t.differs(), '', 'counted');
SELECT dblink_exec('sums', 'COMMIT');
SELECT is((t.differs(), t.asked())::text, '("","")', 'also when the sums are there');
SELECT ok(t.sum_step(), 'the next step');
SELECT is(t.sum_all(), 'done, 0 0', 'and all');
SELECT is((t.differs(), t.asked())::text, '("","")', 'counted');

SELECT is((t.load(30), t.replace(5))::text, '("1 0 0 0","1 0 0 0 f")', 'more');
SELECT dblink_exec('sums', 'BEGIN');
SELECT ok(t.sum_step(), 'a stale month is made anew');
SELECT is((t.load(20), t.replace(20))::text, '("1 0 0 0","1 0 0 0 f")',
	'meanwhile months become stale, perhaps this one');
SELECT dblink_send_query('other', $$SELECT t.prune('aggregate', '2025-02-10 00:00:00+00')$$);
SELECT is(t.differs(), '', 'a pruner waits: counted');
SELECT dblink_exec('sums', 'COMMIT');
SELECT matches((SELECT x FROM dblink_get_result('other') AS r(x text)),
	'^reports [1-9]\d*, records [1-9]\d*, months 0$', 'and has its turn');
SELECT * FROM dblink_get_result('other') AS r(x text);
SELECT is((t.differs(), t.asked())::text, '("","")', 'counted');
SELECT is(t.sum_all(), 'done, 0 0', 'summed');
SELECT is((t.differs(), t.asked())::text, '("","")', 'and counted');

SELECT is(t.load(30), '1 0 0 0', 'more');
SELECT dblink_exec('sums', 'BEGIN');
SELECT * FROM dblink('sums', 'SELECT 1') AS r(x integer);
SELECT matches(t.prune('aggregate', '2025-02-12 00:00:00+00'), '^reports [1-9]\d*, ', 'a prune');
SELECT throws_ok('SELECT t.sum_step()', '40001', NULL, 'a sum in a snapshot from before fails');
SELECT dblink_exec('sums', 'ROLLBACK');
SELECT is(t.sum_all(), 'done, 0 0', 'the next one does it');
SELECT throws_ok('SELECT ruad.sum_up()', '25001', NULL, 'a sum needs one snapshot');

-- While mails come, only a full piece is followed by another one.
BEGIN;
INSERT INTO ruad.unsummed SELECT 0, '2025-01-01', 0 FROM generate_series(2, ruad.sum_piece());
SELECT ruad.sum_more() AS almost \gset
INSERT INTO ruad.unsummed VALUES (0, '2025-01-01', 0);
SELECT ruad.sum_more() AS full_ \gset
DELETE FROM ruad.unsummed;
INSERT INTO ruad.stale (day, domain_id) VALUES ('2025-01-01', 0);
SELECT ruad.sum_more() AS stale \gset
ROLLBACK;
SELECT is(:'almost'::text || :'full_' || :'stale', 'ftt', 'a full piece or stale sums are left');

-- All at the same time: a session stores, replaces and removes, two sum up, and this one looks, five times at least.
CREATE PROCEDURE t.storm() LANGUAGE plpgsql AS $$
BEGIN
	PERFORM setseed(0.11);
	FOR n IN 1 .. 500 LOOP
		EXIT WHEN n > 25 AND (SELECT count(*) FROM t.look) >= 5;
		IF n % 8 = 5 THEN
			FOR step IN 1 .. 10 LOOP
				EXIT WHEN 0 = (SELECT sum(p.removed)
					FROM ruad.prune('aggregate', timestamptz '2025-02-12 00:00:00+00' + n * interval '1 day') p);
				COMMIT;
			END LOOP;
		ELSE
			PERFORM t.load(1 + t.below(6)), t.replace(n % 3);
		END IF;
		COMMIT;
	END LOOP;
END $$;
CREATE PROCEDURE t.sum_storm() LANGUAGE plpgsql AS $$
DECLARE
	more boolean;
BEGIN
	FOR n IN 1 .. 100000 LOOP
		BEGIN
			more := ruad.sum_up();
		EXCEPTION WHEN serialization_failure OR lock_not_available OR deadlock_detected THEN
			more := true;
		END;
		COMMIT;
		EXIT WHEN NOT more AND EXISTS (SELECT 1 FROM t.stormed);
		PERFORM pg_sleep(0.01);
		COMMIT;
	END LOOP;
END $$;
CREATE TABLE t.stormed (the_row boolean);
CREATE TABLE t.look (wrong text);
CREATE PROCEDURE t.watch() LANGUAGE plpgsql AS $$
BEGIN
	WHILE dblink_is_busy('other') = 1 AND NOT EXISTS (SELECT 1 FROM t.look WHERE wrong <> '') LOOP
		INSERT INTO t.look VALUES (t.differs());
		COMMIT; -- or the pruner would wait for us
	END LOOP;
END $$;
SELECT dblink_send_query('other', 'CALL t.storm()'), dblink_send_query('sums', 'CALL t.sum_storm()'),
	dblink_send_query('sums2', 'CALL t.sum_storm()');
CALL t.watch();
SELECT is(string_agg(wrong, ''), '', 'right at every look') FROM t.look;
SELECT cmp_ok(count(*), '>=', 5::bigint, 'of which there were some') FROM t.look;
INSERT INTO t.stormed VALUES (true);
SELECT is((SELECT array_agg(x) FROM (SELECT x FROM dblink_get_result('other') AS r(x text) UNION ALL SELECT x
	FROM dblink_get_result('sums') AS r(x text) UNION ALL SELECT x FROM dblink_get_result('sums2') AS r(x text)) x),
	'{CALL,CALL,CALL}', 'nobody failed');
SELECT count(*) FROM unnest('{other,sums,sums2}'::text[]) c, dblink_get_result(c) AS r(x text);
SELECT is((t.differs(), t.due())::text, '("","0 0")', 'and all is summed');
SELECT is(t.asked(true) || t.asked(true) || t.asked(true), '', 'every question');

-- Beyond a bigint.
SELECT is((SELECT string_agg(x, ',')
	FROM t.take(VARIADIC ARRAY(SELECT t.mail(t.report('big.example', 'Org', 'big ' || n, '2025-04-05 00:00:00+00',
		jsonb_build_array(t.record('192.0.2.1', 9223372036854775807, 'pass', 'pass'))))
	FROM generate_series(1, 2) n)) x), '1 0 0 0 f,1 0 0 0 f', 'large counts');
SELECT is((SELECT sum(messages) FROM dmarc.daily WHERE domain = 'big.example'), 2 * 9223372036854775807::numeric,
	'are summed exactly');
SELECT is(t.sum_step(), true, 'until they are kept as a sum');
SELECT is((SELECT (sum(d.messages), (SELECT sum(m.messages) FROM dmarc.monthly m WHERE m.domain = 'big.example'))::text
	FROM dmarc.daily d WHERE d.domain = 'big.example'), '(9223372036854775807,9223372036854775807)',
	'which stays at the largest bigint');
SELECT is(t.broken(), '', 'all is consistent');
SELECT * FROM finish();
