-- A report built again as XML says what its rows say: by element, in the order of RFC 9990.
SELECT plan(26);
CREATE TEMP TABLE tricks AS SELECT E'<b a="1">&amp;]]>\u0001\u000b\ufffe\u202e\u00fc\U0001F600\r\n--' AS given,
	E'<b a="1">&amp;]]>\u202e\u00fc\U0001F600\r\n--' AS got;
SELECT is((SELECT string_agg(x, ',') FROM t.take(
	t.mail(t.report('new.example', 'Org', 'n', '2026-01-02 00:00:00+00', jsonb_build_array(
		t.record('2001:db8::1', 7, 'pass', 'fail', jsonb_build_object('header_from', 'new.example', 'envelope_from', '',
			'envelope_to', 'to.example', 'reason', jsonb_build_array(
				jsonb_build_object('type', 'local_policy', 'comment', given), jsonb_build_object('type', 'other')),
				'auth_results', jsonb_build_object(
				'dkim', jsonb_build_array(jsonb_build_object('domain', 'new.example', 'selector', 's1', 'result',
					'pass', 'human_result', given), jsonb_build_object('domain', 'b.example', 'result', 'fail')),
				'spf', jsonb_build_array(jsonb_build_object('domain', 's.example', 'scope', 'mfrom',
					'result', 'softfail'))))),
		'{"source_ip": null, "count": null}'::jsonb, t.record('192.0.2.3', 2, 'fail', 'pass', '{"disposition": null}')),
		jsonb_build_object('dialect', 'rfc9990', 'xmlns', 'urn:ietf:params:xml:ns:dmarc-2.0', 'version', '1.0',
			'error', jsonb_build_array('one', given), 'generator', 'g 1', 'extra_contact_info', given, 'adkim', 's',
			'sp', 'none', 'np', 'reject', 'testing', 'n', 'discovery_method', 'psl'))),
	t.mail(t.report('old.example', 'Org', 'o', '2026-01-03', '[]',
		'{"xmlns": "http://dmarc.org/dmarc-xml/0.1", "pct": 50, "fo": "1", "partial": true}')),
	t.mail(t.report('bare.example', 'Org', 'b', '2026-01-04', '[]', '{"xmlns": null}')),
	t.mail(t.report('draft.example', 'Org', 'd', '2026-01-04', '[]', '{"dialect": "draft"}'))) x),
	'1 0 0 0 f,1 0 0 0 t,1 0 0 0 f,1 0 0 0 f', 'reports') FROM tricks;
CREATE TEMP TABLE x AS SELECT r.domain, r.id, encode(r.sha256, 'hex') AS sha256, api.report_xml(r.id) AS text,
	xmlparse(document api.report_xml(r.id)) AS doc FROM dmarc.reports r;
SELECT is((SELECT count(*) FROM x WHERE doc IS DOCUMENT), 4::bigint, 'all are well-formed');
SELECT is((SELECT string_agg(domain || ' ' || coalesce(substring(text FROM 'xmlns="([^"]*)"'), '-'), ', '
	ORDER BY domain COLLATE "C") FROM x),
	'bare.example -, draft.example -, new.example urn:ietf:params:xml:ns:dmarc-2.0, old.example '
		'http://dmarc.org/dmarc-xml/0.1', 'each in the namespace of its dialect');
SELECT is(starts_with(text,
	E'<?xml version="1.0" encoding="UTF-8"?>\n<!-- Built again by ruad from its database. SHA-256 of the original: '
		|| sha256 || E' -->\n<feedback'), true, 'says where it is from') FROM x WHERE domain = 'new.example';
SELECT matches(text, 'Built again by ruad from its database; the original is truncated\. SHA-256',
	'and that the original is truncated') FROM x WHERE domain = 'old.example';
CREATE FUNCTION t.at(of_domain text, path text) RETURNS text[] LANGUAGE sql AS $$
	SELECT coalesce(array_agg(xpath_value #>> '{}' ORDER BY no), '{}')
	FROM x, unnest(xpath(regexp_replace(path, '/(?=[a-z*])(?!text)', '/d:', 'g'), doc,
		ARRAY[ARRAY['d', 'urn:ietf:params:xml:ns:dmarc-2.0']])::text[]) WITH ORDINALITY v(raw, no),
		LATERAL (SELECT to_jsonb(replace(replace(replace(replace(raw, '&lt;', '<'), '&gt;', '>'), '&#x0d;', E'\r'),
			'&amp;', '&')) AS xpath_value) u WHERE domain = of_domain $$;
SELECT is(t.at('new.example', path || '/text()'), want, path) FROM tricks, LATERAL (VALUES
	('/feedback/version', ARRAY['1.0']), ('/feedback/report_metadata/date_range/begin', ARRAY['1767312000']),
		('/feedback/report_metadata/date_range/end', ARRAY['1767398399']),
		('/feedback/report_metadata/error', ARRAY['one', got]),
	('/feedback/report_metadata/extra_contact_info', ARRAY[got]),
	('/feedback/policy_published/*', ARRAY['new.example', 's', 'reject', 'none', 'reject', 'n', 'psl']),
	('/feedback/record[1]/row/source_ip', ARRAY['2001:db8::1']), ('/feedback/record/row/count', ARRAY['7', '2']),
	('/feedback/record[1]/row/policy_evaluated/reason/type', ARRAY['local_policy', 'other']),
	('/feedback/record[1]/row/policy_evaluated/reason/comment', ARRAY[got]),
	('/feedback/record[1]/auth_results/dkim[1]/*', ARRAY['new.example', 's1', 'pass', got]),
	('/feedback/record[1]/auth_results/dkim[2]/*', ARRAY['b.example', 'fail']),
	('/feedback/record[1]/auth_results/spf/*', ARRAY['s.example', 'mfrom', 'softfail']),
	('/feedback/record[1]/identifiers/*', ARRAY['new.example', 'to.example'])) x(path, want);
SELECT ok(text LIKE
	E'%</record>\n<record></record>\n<record><row><source_ip>192.0.2.3</source_ip><count>2</count>'
	'<policy_evaluated><dkim>fail</dkim><spf>pass</spf></policy_evaluated></row></record>\n</feedback>\n',
	'what is absent has no element, a record of nothing is one') FROM x WHERE domain = 'new.example';
SELECT ok(text LIKE '%<envelope_from></envelope_from>%', 'what is empty has one') FROM x WHERE domain = 'new.example';
SELECT ok(text LIKE '%<pct>50</pct><fo>1</fo>%' AND text NOT LIKE '%<record>%', 'an old report, without records') FROM x
WHERE domain = 'old.example';
SELECT is(array_agg(api.report_xml(id))::text, '{NULL,NULL}', 'none with that id')
FROM unnest('{-1,987654321}'::bigint[]) id;
INSERT INTO ruad.record (begin, report, count, evaluation, day, domain_id, record_no, source_ip)
SELECT r.begin, r.id, k, e.id, r.day, r.domain_id, k, '192.0.2.1'
FROM ruad.report r JOIN ruad.domain d ON d.id = r.domain_id,
	ruad.evaluations(ARRAY(SELECT jsonb_populate_record(NULL::ruad.new_evaluation,
		jsonb_build_object('domain_id', r.domain_id, 'day', r.day, 'dkim', 'pass', 'spf', 'pass')))) AS e(id),
	generate_series(1, 100000) k
WHERE d.name = 'bare.example';
SELECT is((SELECT (regexp_count(t, '<record>'), right(t, 90))
	FROM (SELECT api.report_xml(id) AS t FROM x WHERE domain = 'bare.example') y)::text,
	(SELECT (100000,
		E'_evaluated><dkim>pass</dkim><spf>pass</spf></policy_evaluated></row></record>\n</feedback>\n')::text),
		'a hundred thousand records, in order');

-- Two reports of one domain and day, one of another day, one of another domain.
SELECT is((SELECT string_agg(x, ',') FROM t.take(
	t.mail(t.report('two.example', 'A', '1', '2026-01-05 00:00:00+00',
		jsonb_build_array(t.record('192.0.2.11', 1, 'pass', 'pass'), t.record('192.0.2.12', 1, 'pass', 'pass')))),
	t.mail(t.report('two.example', 'B', '1', '2026-01-05 00:00:00+00',
		jsonb_build_array(t.record('192.0.2.13', 1, 'pass', 'pass')))),
	t.mail(t.report('two.example', 'A', '2', '2026-01-06 00:00:00+00',
		jsonb_build_array(t.record('192.0.2.14', 1, 'pass', 'pass')))),
	t.mail(t.report('three.example', 'A', '1', '2026-01-05 00:00:00+00',
		jsonb_build_array(t.record('192.0.2.15', 1, 'pass', 'pass'))))) x), '1 0 0 0 f,1 0 0 0 f,1 0 0 0 f,1 0 0 0 f',
		'reports side by side');
UPDATE ruad.record SET record_no = 9 WHERE source_ip = '192.0.2.11';
SELECT is((SELECT jsonb_agg((SELECT jsonb_agg(m[1] ORDER BY no)
	FROM regexp_matches(api.report_xml(r.id), '<source_ip>([^<]*)', 'g') WITH ORDINALITY m(m, no))
	ORDER BY r.domain DESC, r.org_name, r.report_id) FROM dmarc.reports r
	WHERE r.domain IN ('two.example', 'three.example')),
	'[["192.0.2.12", "192.0.2.11"], ["192.0.2.14"], ["192.0.2.13"], ["192.0.2.15"]]',
	'each has its own records, by their number');
SELECT * FROM finish();
