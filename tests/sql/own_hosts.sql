-- Which senders are own hosts of a domain, and the selectors that mail was signed with in the week before a check.
SELECT plan(9);
CREATE FUNCTION t.of_from(ip text, domain text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT t.record(ip, 1, 'fail', 'fail', jsonb_build_object('header_from', domain)) $$;
SELECT is((SELECT string_agg(x, ',') FROM unnest('{corp.example,intra,other.example}'::text[]) d,
	t.take(t.mail(t.report(d, 'Org', d, t.day(-2),
		(SELECT jsonb_agg(t.of_from('192.0.2.' || n, d)) FROM generate_series(1, 14) n)))) x),
	'1 0 0 0 f,1 0 0 0 f,1 0 0 0 f', 'three domains, each with the same senders');
INSERT INTO ruad.service (key, name, type) VALUES ('esp', 'Esp', 'marketing'), ('rent', 'Rent', 'hosting');
INSERT INTO ruad.address (source_ip, rdns, rdns_domain, service, service_basis) VALUES
	('192.0.2.1', 'corp.example', 'corp.example', NULL, NULL), ('192.0.2.2', 'mx.corp.example', 'corp.example', NULL, NULL),
	('192.0.2.3', 'mx.notcorp.example', 'notcorp.example', NULL, NULL), ('192.0.2.4', 'vm.corp.example', 'corp.example', 'rent', 'rdns'),
	('192.0.2.5', 'em.corp.example', 'corp.example', 'esp', 'rdns'), ('192.0.2.6', 'x.elsewhere.test', 'elsewhere.test', NULL, NULL),
	('192.0.2.7', 'fw.corp.example', 'corp.example', NULL, NULL), ('192.0.2.8', 'no.corp.example', 'corp.example', NULL, NULL),
	('192.0.2.9', NULL, NULL, 'esp', 'dkim'), ('192.0.2.10', 'host.intra', 'host.intra', NULL, NULL),
	('192.0.2.11', 'intra', 'intra', NULL, NULL);
SELECT ruad.set_label(s, l, NULL, 'kim', 'cli') FROM (VALUES ('ip:192.0.2.6', 'mine'), ('ip:192.0.2.7', 'forwarder'),
	('ip:192.0.2.8', 'not_mine'), ('ip:192.0.2.13', 'forwarder'), ('service:esp', 'mine')) x(s, l) \g /dev/null
SELECT ruad.enrich_collect();
SELECT ruad.dns_store('corp.example', '{"ok": true, "findings": [], "mx": [{"host": "a", "addresses": ["192.0.2.12",
	"192.0.2.13", "192.0.2.9"]}]}', 600);
CREATE FUNCTION t.own(p_domain text, p_own boolean) RETURNS integer[] LANGUAGE sql AS $$
	SELECT array_agg(split_part(host(s.source_ip), '.', 4)::integer ORDER BY s.source_ip)
	FROM api.domain_senders(ARRAY[p_domain], api.filter(p_others => 'include'), p_own) s WHERE s.own $$;
SELECT is(t.own(d, false), want, 'own hosts of ' || d) FROM (VALUES
	('corp.example', '{1,2,4,6,9,12}'::integer[]), ('intra', '{6,10,11}'), ('other.example', '{6}')) x(d, want);
SELECT is(t.own(d, true), t.own(d, false), 'the same if only they are asked for: ' || d)
FROM unnest('{corp.example,intra,other.example}'::text[]) d;

-- Selectors of a domain that was checked yesterday at noon.
SELECT is((SELECT string_agg(x, ',') FROM t.take(VARIADIC ARRAY(SELECT t.mail(t.report('corp.example', 'Org', 's' || k.selector,
	t.day(-1) + interval '12 hours' - k.age, jsonb_build_array(t.record('192.0.2.' || k.ip, 2, 'pass', 'fail',
		jsonb_build_object('header_from', 'corp.example', 'auth_results', jsonb_build_object('dkim',
			jsonb_build_array(jsonb_build_object('domain', 'corp.example', 'selector', k.selector, 'result', k.result),
				jsonb_build_object('domain', 'corp.example', 'selector', '', 'result', 'pass')))))))) FROM (VALUES
	('week', interval '7 days', 14, 'pass'), ('less', '7 days -1 second', 14, 'pass'), ('failed', '1 day', 14, 'fail'),
	('mine', '1 day', 6, 'fail')) k(selector, age, ip, result))) x), '1 0 0 0 f,1 0 0 0 f,1 0 0 0 f,1 0 0 0 f', 'signatures');
SELECT ruad.dns_store('corp.example', jsonb_build_object('ok', true, 'findings', '[]'::jsonb, 'dkim', (
	SELECT jsonb_agg(jsonb_build_object('domain', 'corp.example', 'selector', s, 'status', 'missing'))
	FROM unnest('{week,less,failed,mine}'::text[]) s)), 600);
UPDATE ruad.dns_check SET checked_at = t.day(-1) + interval '12 hours';
SELECT is((SELECT string_agg(s.selector, ' ' ORDER BY s.selector) FROM api.selectors_without_key('{corp.example}', api.filter()) s),
	'less mine', 'without a key: signed in less than a week before the check, and passed or used by a source labelled mine');
SELECT * FROM finish();
