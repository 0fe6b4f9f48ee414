-- What ingest() makes of mails: reports, duplicates, conflicts, quarantine, and the raw bytes kept for these.
SELECT plan(36);

CREATE TEMP TABLE doc AS SELECT
	t.report('a.example', 'Org', 'r1', t.day(-3), jsonb_build_array(t.record('192.0.2.1', 3, 'pass', 'fail'),
		t.record('2001:db8::1', 4, 'fail', 'fail'))) AS a,
	t.report('a.example', 'Org', 'r1', t.day(-3), jsonb_build_array(t.record('192.0.2.1', 99, 'pass', 'fail')))
	AS a_other, t.report('b.example', 'Org', 'r1', t.day(-3), '[]') AS b;

SELECT is((SELECT string_agg(x, ',') FROM doc, t.take(t.mail(a)) x), '1 0 0 0 f', 'a new report is stored');
SELECT results_eq('SELECT domain, org_name, report_id, records, messages, pass FROM dmarc.reports',
	$$VALUES ('a.example', 'Org', 'r1', 2::bigint, 7::bigint, 3::bigint)$$, 'with its sums');
SELECT results_eq('SELECT record_no, host(source_ip), count, dmarc_pass, class FROM dmarc.records ORDER BY 1',
	$$VALUES (1, '192.0.2.1', 3::bigint, true, 'pass'), (2, '2001:db8::1', 4::bigint, false, 'fail_unauthenticated')$$,
	'and its records');
SELECT is((SELECT string_agg(x, ',') FROM doc, t.take(t.mail(a)) x), '0 1 0 0 f', 'the same again is a duplicate');
SELECT is((SELECT string_agg(x, ',') FROM doc, t.take(t.mail(a || '{"org_name": " oRG ", "bytes": "x"}')) x),
	'0 0 1 0 t', 'names are folded and trimmed for the key');
SELECT is((SELECT string_agg(x, ',') FROM doc, t.take(t.mail(a_other)) x), '0 0 1 0 t',
	'other content under the same key is a conflict, kept raw');
SELECT is((SELECT string_agg(x, ',') FROM doc, t.take(t.mail(a_other)) x), '0 1 0 0 f',
	'the same conflict again is a duplicate, not kept again');
SELECT is((SELECT string_agg(x, ',') FROM doc, t.take(t.mail(a_other) || '{"subject": "another mail"}') x), '0 1 0 0 f',
	'also in another mail');
SELECT is((SELECT count(*) FROM dmarc.records), 2::bigint, 'neither adds records');
SELECT is((SELECT string_agg(x, ',') FROM doc, t.take(t.mail(b, b)) x), '1 1 0 0 f',
	'twice in one mail: one stored, one duplicate');
SELECT is((SELECT string_agg(x, ',') FROM doc, t.take(
	t.mail(a || '{"report_id": "r2", "bytes": "1"}'), t.mail(a || '{"report_id": "r2", "bytes": "2"}'),
	t.mail(a || '{"report_id": "r2", "bytes": "2"}') || '{"subject": "again"}',
	t.mail(a || '{"report_id": "r2", "bytes": "1"}') || '{"subject": "again"}') x),
	'1 0 0 0 f,0 0 1 0 t,0 1 0 0 f,0 1 0 0 f', 'in one batch: stored, conflict, the conflict again, the first again');
SELECT is((SELECT string_agg(x, ',') FROM doc, t.take(
	t.mail(a || '{"report_id": "r2", "bytes": "3"}', a || '{"report_id": "r2", "bytes": "4"}', a
		|| '{"report_id": "r2", "bytes": "3"}'),
	t.mail(a || '{"report_id": "r2", "bytes": "5"}', a || '{"report_id": "r2", "bytes": "4"}')) x),
	'0 1 2 0 t,0 1 1 0 t', 'several conflicts with one report: each once');
SELECT is((SELECT string_agg(x, ',') FROM doc, t.take(t.mail(a || '{"report_id": "r3", "bytes": "1"}')) x), '1 0 0 0 f',
	'the same content under another key is another report');
SELECT is((SELECT string_agg(x, ',') FROM doc, t.take(t.mail(a || '{"email": "other@brand.example"}'),
	t.mail(a || jsonb_build_object('end', t.day(-1))), t.mail(a || '{"domain": "c.example"}'), t.mail(a - 'report_id'),
	t.mail(a - 'org_name'), t.mail(a - 'email')) x),
	'1 0 0 0 f,1 0 0 0 f,1 0 0 0 f,1 0 0 0 f,1 0 0 0 f,1 0 0 0 f',
	'email, end, domain, and absence of each part of the key tell reports apart');
SELECT is((SELECT string_agg(x, ',')
	FROM doc, t.take(t.mail(a || '{"report_id": "a\",\"b"}'), t.mail(a || '{"report_id": "a"}')) x),
	'1 0 0 0 f,1 0 0 0 f', 'parts of the key cannot run into each other');

SELECT is((SELECT string_agg(x, ',') FROM t.take(t.mail(t.unreadable('xml', 'line 1: no'))) x), '0 0 0 1 t',
	'what cannot be read is quarantined raw');
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.mail(t.unreadable('xml', 'line 1: no'))) x), '0 1 0 0 f',
	'the same bytes again are a duplicate');
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.mail(t.unreadable('xml', 'b')), t.mail(t.unreadable('xml', 'b'))) x),
	'0 0 0 1 t,0 1 0 0 f', 'also in one batch');
SELECT is((SELECT string_agg(x, ',')
	FROM doc, t.take(t.mail(a || '{"report_id": "r4"}', t.unreadable('archive', 'cut'), t.unreadable('xml', 'x'))) x),
	'1 0 0 2 t', 'a mail can hold both');
SELECT is((SELECT string_agg(x, ',')
	FROM doc, t.take(t.mail(a || '{"report_id": "r4"}', t.unreadable('archive', 'cut'), t.unreadable('xml', 'x'))) x),
	'0 3 0 0 f', 'and all of it is known the second time');
SELECT results_eq($$SELECT DISTINCT i.status, i.code, i.reason,
	convert_from(r.raw, 'UTF8')::jsonb -> 'items' -> 0 ->> 'code'
	FROM dmarc.intake i JOIN ruad.raw r ON r.mail = i.raw_mail WHERE i.reason = 'line 1: no' ORDER BY 1$$,
	$$VALUES ('duplicate', 'xml', 'line 1: no', 'xml'), ('quarantined', 'xml', 'line 1: no', 'xml')$$,
	'reason and bytes are there to see');

-- Lies of a parser: one mail is quarantined, nothing fails.
SELECT is((SELECT string_agg(x, ',') FROM doc, t.take(t.mail(a || '{"report_id": "l1", "records": 7}')) x), '0 0 0 1 t',
	'fewer records than announced');
SELECT is((SELECT string_agg(x, ',') FROM doc, t.take(t.mail(a || '{"report_id": "l2", "kind": "poem"}')) x),
	'0 0 0 1 t', 'a kind that is none');
SELECT is((SELECT string_agg(x, ',') FROM doc, t.take(t.mail(a - 'domain'), t.mail(a - 'begin'), t.mail(a - 'end'),
	t.mail(a || '{"domain": ""}')) x),
	'0 0 0 1 t,0 0 0 1 t,0 0 0 1 t,0 0 0 1 t', 'a report without domain or dates');
SELECT is((SELECT string_agg(x, ',') FROM doc, t.take(t.mail(a || jsonb_build_object('domain', repeat('x', 256)))) x),
	'0 0 0 1 t', 'a domain of 256 bytes');
SELECT is((SELECT string_agg(x, ',') FROM doc, t.take(t.mail(a || jsonb_build_object('domain', repeat('x', 255)))) x),
	'1 0 0 0 f', 'one of 255 is taken');
SELECT is((SELECT string_agg(x, ',')
	FROM doc,
		t.take(t.mail(a || jsonb_build_object('report_id', 'l3',
			'record', jsonb_build_array(t.record('192.0.2.1', -1, 'pass', 'pass'))))) x),
	'0 0 0 1 t', 'a negative count');

-- Sizes and absences.
SELECT is((SELECT string_agg(x, ',')
	FROM t.take(t.mail(t.report('big.example', repeat('N', 10240), repeat('i', 10240), t.day(-2),
	jsonb_build_array(t.record(NULL, 1000000000000, NULL, NULL, jsonb_build_object('header_from', repeat('h', 10240))),
		t.record('192.0.2.9', NULL, 'pass', NULL), t.record('192.0.2.9', 9223372036854775807, NULL, 'pass')))
	|| jsonb_build_object('email', repeat('e', 10240)))) x), '1 0 0 0 f',
	'texts of 10 KB, counts of 10^12 and 2^63-1, and no address');
SELECT results_eq($$SELECT messages, pass, length(org_name) FROM dmarc.reports WHERE domain = 'big.example'$$,
	$$VALUES (9223372036854775807, 9223372036854775807, 10240)$$, 'sums beyond a bigint stop at its end');
SELECT results_eq($$SELECT record_no, source_ip IS NULL, count, dmarc_pass, class FROM dmarc.records
	WHERE domain = 'big.example' ORDER BY 1$$, $$VALUES (1, true, 1000000000000, false, 'unknown'),
		(2, false, NULL, true, 'pass'), (3, false, 9223372036854775807, true, 'pass')$$,
	'absent stays NULL, and dmarc_pass never is');
SELECT is((SELECT string_agg(x, ',') FROM t.take('{"items": []}', '{"items": []}') x), '0 0 0 0 f,0 0 0 0 f',
	'mails in which nothing was found are in the ledger');

-- The ledger adds up.
SELECT is((SELECT count(*) FROM ruad.item WHERE status = 'stored'), (SELECT count(*) FROM ruad.report),
	'one stored item for each report');
SELECT is((SELECT count(*) FROM ruad.item i WHERE NOT EXISTS (SELECT FROM ruad.mail m WHERE m.id = i.mail)), 0::bigint,
	'no item without its mail');
SELECT is((SELECT count(*) FROM ruad.record r WHERE NOT EXISTS (SELECT FROM ruad.report p WHERE p.id = r.report
	AND p.domain_id = r.domain_id AND p.begin = r.begin)),
	0::bigint, 'no record without its report');

-- keep_raw() takes the right bytes, once, and is not forgotten.
SELECT throws_ok($$SELECT ruad.keep_raw(mail_id, 'other bytes') FROM t.mail(t.unreadable('xml', 'c')) m,
	ruad.ingest(t.mails(m), t.items(m))$$, '22023', NULL, 'bytes with another checksum are refused');
SELECT throws_ok($$SELECT ruad.ingest(t.mails(m), t.items(m)) FROM t.mail(t.unreadable('xml', 'd')) m;
	SET CONSTRAINTS ALL IMMEDIATE$$, '23000', NULL, 'a transaction that forgets to keep the bytes cannot commit');
SELECT * FROM finish();
