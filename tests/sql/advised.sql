-- The senders that advice speaks of: one pass over pairs of a domain and an address, against the facts of all senders.
CREATE FUNCTION t.date(n integer) RETURNS date LANGUAGE sql STABLE AS $$ SELECT (t.day(n) AT TIME ZONE 'UTC')::date $$;
SELECT setseed(0.7);
CREATE FUNCTION t.pick(VARIADIC choices text[]) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN choices[1 + floor(random() * cardinality(choices))::integer];
END $$;
CREATE FUNCTION t.below(n integer) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
	RETURN floor(random() * n)::integer;
END $$;
-- The address with a number. The first are seen often, and nearly always with the same result; the others are rare.
CREATE FUNCTION t.ip(n integer) RETURNS text LANGUAGE sql AS $$
	SELECT CASE n % 4 WHEN 0 THEN '192.0.2.' WHEN 1 THEN '198.51.100.' WHEN 2 THEN '203.0.113.' ELSE '2001:db8::' END || n $$;
CREATE FUNCTION t.random_record(n integer) RETURNS jsonb LANGUAGE sql AS $$
	SELECT t.record(CASE WHEN n < 118 THEN t.ip(n) END, t.below(CASE WHEN n < 40 THEN 40 ELSE 4 END),
		CASE WHEN k IN (0, 1) THEN 'pass' ELSE 'fail' END, CASE WHEN k = 1 THEN 'pass' ELSE 'fail' END,
		jsonb_build_object('header_from', t.pick('a.example', 'a.example', 'news.a.example'),
			'disposition', t.pick('none', 'quarantine', 'reject', NULL),
			'reason', CASE WHEN k = 2 THEN '[{"type": "mailing_list"}]'::jsonb END,
			'auth_results', CASE k WHEN 3 THEN '{"dkim": [{"domain": "a.example", "selector": "s", "result": "fail"}]}'
				WHEN 4 THEN '{"dkim": [{"domain": "a.example", "selector": "s", "result": "fail"},
					{"domain": "list.example", "selector": "s", "result": "pass"}]}'
				WHEN 5 THEN '{"spf": [{"domain": "b.example", "scope": "mfrom", "result": "pass"}]}'
				WHEN 6 THEN '{"spf": [{"domain": "esp.example", "scope": "mfrom", "result": "pass"}]}' END::jsonb))
	FROM (SELECT CASE WHEN t.below(8) = 0 THEN t.below(8) ELSE n % 8 END AS k OFFSET 0) x $$;
CREATE FUNCTION t.random_records(failing boolean) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	records jsonb := '[]';
BEGIN
	FOR i IN 1 .. 25 LOOP
		records := records || jsonb_build_array(t.random_record(CASE WHEN i < 10 THEN t.below(40) ELSE t.below(120) END)
			|| CASE WHEN failing THEN '{"dkim": "fail", "spf": "fail"}' ELSE '{}' END::jsonb);
	END LOOP;
	RETURN records;
END $$;
-- Of five domains, one of which sends no mail.
CREATE FUNCTION t.random_reports(first integer, last integer) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM generate_series(first, last) n, t.take(t.mail(t.report(
		(ARRAY['a.example', 'b.example', 'parked.example', 'co.a.example', 'example'])[1 + n % 5], 'Org' || n / 5 % 3,
		'r' || n, t.day(-5 - n * 2) + n % 20 * interval '1 hour', t.random_records(n % 5 = 2)))) $$;

-- What differs between the fast way and the facts of all senders: '' or its names.
CREATE FUNCTION t.crowd(senders api.sorted_sender[], p_whose text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT api.crowd_json(sum((s.sent).addresses), sum((s.sent).messages), sum((s.sent).pass), sum((s.sent).rejected),
		sum((s.sent).quarantined)) FROM unnest(senders) s WHERE s.whose = p_whose $$;
-- A sender, but for the sum of its domain in the window, which is of all senders that were asked for.
CREATE FUNCTION t.told(s api.sorted_sender) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	s.sent.domain_messages := NULL;
	s.sent.parked := NULL;
	RETURN s::text;
END $$;
CREATE FUNCTION t.differs(f api.filter_set) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	advised api.advised := api.advised_senders(f);
	every api.sorted_sender[] := ARRAY(SELECT s FROM api.sorted_senders(f) s);
	known api.domain_evidence[] := ARRAY(SELECT e FROM api.evidence(api.only_domains(f, f.domain)) e);
	names text[] := ARRAY(SELECT e.domain FROM unnest(known) e WHERE e.sufficient AND e.domain <> 'parked.example');
	words text := '';
BEGIN
	IF ARRAY(SELECT t.told(s) FROM unnest(advised.senders) s ORDER BY 1) <> ARRAY(SELECT t.told(s) FROM unnest(every) s
			WHERE s.whose IN ('own', 'service', 'unsure') AND api.matters(api.harm(s.sent), (s.sent).messages) ORDER BY 1) THEN
		words := words || ' senders';
	END IF;
	IF ARRAY(SELECT t.told(s) FROM api.own_senders(f) s ORDER BY 1) <> ARRAY(SELECT t.told(s) FROM unnest(every) s
			WHERE s.whose IN ('own', 'service', 'unsure') AND (s.sent).messages > 0 ORDER BY 1) THEN
		words := words || ' own senders';
	END IF;
	IF advised.forwarders <> t.crowd(every, 'forwarder') THEN
		words := words || ' forwarders';
	END IF;
	IF advised.strangers <> t.crowd(every, 'stranger') THEN
		words := words || ' strangers';
	END IF;
	IF ARRAY(SELECT DISTINCT b FROM unnest(api.blocked_domains(names, f, known, advised.unreviewed)) b ORDER BY 1)
			<> ARRAY(SELECT DISTINCT x.domain FROM api.findings(names, f, known) x ORDER BY 1) THEN
		words := words || ' blocked';
	END IF;
	RETURN words;
END $$;
CREATE TABLE t.filter (name text, f text);
INSERT INTO t.filter VALUES ('30 days', 'p_to => t.date(0)'), ('a week', 'p_from => t.date(-50), p_to => t.date(-43)'),
	('a month', 'p_from => date_trunc(''month'', t.date(-80))::date, p_to => date_trunc(''month'', t.date(-50))::date'),
	('two months', 'p_from => t.date(-70), p_to => t.date(-9)'),
	('a year', 'p_from => t.date(-364), p_to => t.date(1)'),
	('whole months', 'p_from => date_trunc(''month'', t.date(-300))::date, p_to => date_trunc(''month'', t.date(-50))::date'),
	('a part of a year', 'p_from => t.date(-200), p_to => t.date(-20)'),
	('a domain', 'p_domain => ''{a.example}'', p_from => t.date(-130), p_to => t.date(-3)'),
	('two domains', 'p_domain => ''{co.a.example,b.example}'', p_to => t.date(-20)'),
	('nothing', 'p_from => t.date(-50), p_to => t.date(-50)');
CREATE FUNCTION t.all_differ() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	i record;
	one text;
	words text := '';
BEGIN
	FOR i IN SELECT * FROM t.filter LOOP
		EXECUTE format('SELECT t.differs(api.filter(%s))', i.f) INTO one;
		words := words || CASE WHEN one <> '' THEN i.name || ':' || one || '; ' ELSE '' END;
	END LOOP;
	RETURN words;
END $$;

SELECT plan(11);
SELECT is(t.random_reports(0, 120), 121::bigint, 'reports');
SELECT is(t.all_differ(), '', 'nothing known about any address');
INSERT INTO ruad.service (key, name, type) VALUES ('esp', 'Esp', 'marketing'), ('rent', 'Rent', 'hosting'),
	('list', 'List', 'list');
INSERT INTO ruad.address (source_ip, rdns, rdns_domain, asn, service, service_basis)
SELECT t.ip(n)::inet, r.name, r.domain, 64500 + n % 5, r.service, CASE WHEN r.service IS NOT NULL THEN 'rdns' END
FROM generate_series(0, 117) n
CROSS JOIN LATERAL (SELECT CASE n % 9 WHEN 0 THEN 'mx.a.example' WHEN 1 THEN 'h.isp.example' WHEN 2 THEN 'o.esp.example'
		WHEN 3 THEN 'r.rent.example' WHEN 4 THEN 'x.co.a.example' WHEN 5 THEN 'elsewhere.test' END AS name,
	CASE n % 9 WHEN 0 THEN 'a.example' WHEN 1 THEN 'isp.example' WHEN 2 THEN 'esp.example' WHEN 3 THEN 'rent.example'
		WHEN 4 THEN 'x.co.a.example' WHEN 5 THEN 'elsewhere.test' END AS domain,
	CASE WHEN n % 18 = 2 THEN 'esp' WHEN n % 9 = 3 THEN 'rent' WHEN n % 36 = 11 THEN 'list' END AS service) r
WHERE n % 11 > 0;
SELECT is(t.all_differ(), '', 'names and services');
SELECT ruad.dns_store(d, jsonb_build_object('ok', true, 'solicited', d <> 'co.a.example', 'findings', '[]'::jsonb,
	'spf', jsonb_build_object('result', 'ok', 'all', '-', 'unlisted', '[]'::jsonb, 'ranges', CASE d
		WHEN 'parked.example' THEN '[]' WHEN 'a.example' THEN '[{"range": "192.0.2.0/27", "qualifier": "+"},
			{"range": "2001:db8::/48", "qualifier": "+"}, {"range": "198.51.100.41/32", "qualifier": "+"}]'
		ELSE '[{"range": "203.0.113.64/26", "qualifier": "+"}]' END::jsonb)), 600)
FROM unnest('{a.example,b.example,parked.example,co.a.example}'::text[]) d \g /dev/null
SELECT is(t.all_differ(), '', 'ranges of SPF, and a domain that is parked');
SELECT is(array_agg(DISTINCT s.whose ORDER BY s.whose), '{forwarder,own,service,stranger,unsure}', 'senders of all kinds')
FROM api.sorted_senders(api.filter(p_from => t.date(-364), p_to => t.date(1))) s;
SELECT is(ARRAY(SELECT (j ->> 'senders')::integer > 10 FROM (VALUES (advised.forwarders), (advised.strangers)) x(j)),
	'{t,t}', 'of them many forwarders and strangers')
FROM api.advised_senders(api.filter(p_from => t.date(-364), p_to => t.date(1))) advised;
SELECT count(*) FROM (SELECT ruad.set_label(l.source, l.label, NULL, 'kim', 'cli') FROM (VALUES ('as:64501', 'mine'),
	('ip:192.0.2.44', 'forwarder'), ('domain:isp.example', 'not_mine'), ('domain:elsewhere.test', 'forwarder'))
	l(source, label)) x \g /dev/null
SELECT is(t.all_differ(), '', 'labels');

SET default_transaction_isolation = 'repeatable read';
SELECT is((SELECT count(*) > 0 FROM generate_series(1, 100) WHERE ruad.sum_up()), true, 'all is summed up');
SELECT is(t.all_differ(), '', 'the same from the sums');
INSERT INTO ruad.stale (day, domain_id) SELECT DISTINCT ruad.month_of(day), domain_id FROM ruad.report
WHERE day BETWEEN t.date(-130) AND t.date(-20) AND domain_id < 3;
UPDATE ruad.sum_month s SET messages = 0 FROM ruad.stale x WHERE x.domain_id = s.domain_id AND x.day = s.day;
SELECT is(t.all_differ(), '', 'when sums are stale');
SET default_transaction_isolation = 'read committed';
SELECT t.take(t.mail(t.report('a.example', 'Org1', 'huge', t.day(-12), jsonb_build_array(
	t.record('192.0.2.200', 9223372036854775807, 'pass', 'fail'), t.record('192.0.2.201', 9007199254740993, 'pass', 'fail'),
	t.record('192.0.2.202', 9007199254740995, 'fail', 'fail'))))) \g /dev/null
SELECT is(t.all_differ(), '', 'counts that no double precision has');

SELECT * FROM finish();
