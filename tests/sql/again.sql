-- Mail that was kept is read again by a parser that knows more. A mail's bytes are named here, so that two readings
-- of it can be told.
SELECT plan(74);
CREATE FUNCTION t.doc(id text, records integer DEFAULT 1, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT t.report('p.example', 'Org', id, t.day(-3),
		(SELECT coalesce(jsonb_agg(t.record('192.0.2.' || n, 10, 'pass', 'fail')), '[]')
			FROM generate_series(1, records) n), more) $$;
CREATE FUNCTION t.last() RETURNS bigint LANGUAGE sql AS $$ SELECT max(id) FROM ruad.mail $$;
CREATE FUNCTION t.named(bytes text, VARIADIC items jsonb[]) RETURNS jsonb LANGUAGE sql AS $$
	SELECT t.mail(VARIADIC items) || jsonb_build_object('bytes', bytes) $$;
CREATE FUNCTION t.of(bytes text) RETURNS bigint LANGUAGE sql AS $$ SELECT min(id) FROM ruad.mail
	WHERE sha256 = sha256(convert_to(bytes, 'UTF8')) $$;
-- All that ruad has: nothing may differ after a second run.
CREATE FUNCTION t.state() RETURNS text LANGUAGE sql AS $$
	SELECT md5(concat((SELECT string_agg(m::text, '|' ORDER BY id) FROM ruad.mail m),
		(SELECT string_agg(i::text, '|' ORDER BY mail, item_no) FROM ruad.item i),
		(SELECT string_agg(r::text, '|' ORDER BY id) FROM ruad.report r),
		(SELECT string_agg(r::text, '|' ORDER BY report, record_no) FROM ruad.record r),
		(SELECT string_agg(r::text, '|' ORDER BY mail) FROM ruad.raw r), (SELECT string_agg(e::text, '|' ORDER BY id)
			FROM ruad.evaluation e),
		(SELECT string_agg(f::text, '|' ORDER BY id) FROM ruad.facet f),
		(SELECT string_agg(u::text, '|' ORDER BY report) FROM ruad.unsummed u),
		(SELECT string_agg(s::text, '|' ORDER BY id) FROM ruad.stale s),
		(SELECT string_agg(r::text, '|' ORDER BY id) FROM ruad.tls r),
		(SELECT string_agg(r::text, '|' ORDER BY report, policy_no) FROM ruad.tls_policy r),
		(SELECT string_agg(r::text, '|' ORDER BY id) FROM ruad.failure r))) $$;

-- unreadable, then stored
SELECT is(t.take(t.named('u', t.unreadable('xml', 'no')) || jsonb_build_object('received_at', t.day(-9))), '0 0 0 1 t',
	'a mail that could not be read');
SELECT is((SELECT string_agg(x, ',')
	FROM t.take(t.named('u', t.unreadable('xml', 'no')), t.named('u', t.unreadable('xml', 'no')),
		t.named('other', t.unreadable('xml', 'no'))) x), '0 1 0 0 f,0 1 0 0 f,0 0 0 1 t',
	'its bytes came twice more');
SELECT is(t.again(t.of('u'), t.named('u', t.doc('u', 2)) || '{"authentic": "pass", "subject": "s"}'),
	'1 0 0 0 f', 'now it is');
SELECT is(t.ledger(t.of('u')), '1 aggregate stored r1', 'the ledger says stored, and its bytes are gone');
SELECT is((SELECT (r.mail = m.id, r.received_at = t.day(-9), m.received_at = t.day(-9), m.authentic, m.subject,
	r.messages, i.code, i.reason)::text FROM ruad.report r JOIN ruad.mail m ON m.id = r.mail
	JOIN ruad.item i ON i.mail = m.id),
	'(t,t,t,pass,s,20,,)', 'under the mail''s own id and time, with what its header says');
SELECT results_eq($$SELECT t.ledger(id) FROM ruad.mail WHERE sha256 = sha256('u') ORDER BY id$$,
	$$VALUES ('1 aggregate stored r1'), ('1 aggregate duplicate r1'), ('1 aggregate duplicate r1')$$,
	'the other mails with these bytes follow');
SELECT is(t.ledger(t.of('other')), '1 unreadable quarantined xml - +raw', 'others do not');
SELECT is(t.broken(), '', 'all is consistent');
SELECT is(t.take(t.named('u', t.doc('u', 2))), '0 1 0 0 f', 'the same mail once more is a duplicate');
CREATE TEMP TABLE before AS SELECT t.state();
SELECT is((SELECT count(*) FROM ruad.kept_after(NULL) k WHERE k.mail_id = t.of('u')), 0::bigint,
	'it is not kept any more');
-- as a second session that had fetched the bytes before
CREATE FUNCTION t.blind(of_mail bigint, reading jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r text;
BEGIN
	reading := reading || jsonb_build_object('again', of_mail, 'sha256', encode(sha256(t.bytes(reading)), 'hex'));
	SELECT concat_ws(' ', stored, duplicates, conflicts, unreadable, keep_raw) INTO STRICT r
	FROM ruad.ingest_again(t.mails(reading), t.items(reading));
	RETURN r;
END $$;
SELECT is(t.blind(t.of('u'), t.named('u', t.doc('u', 2))), '0 0 0 0 f',
	'whoever reads it again nevertheless is passed over');
SELECT is(t.blind(987654321, t.named('u', t.doc('n', 2))), '0 0 0 0 f', 'so is a mail that is not there');
SELECT is(t.state(), (SELECT * FROM before), 'and nothing changes');

-- unreadable, then unreadable with another reason
SELECT is(t.take(t.named('other', t.unreadable('xml', 'no'))), '0 1 0 0 f', 'a copy of the other');
SELECT is(t.again(t.of('other'), t.named('other', t.unreadable('archive', 'why'), t.unreadable('mime', 'and'))),
	'0 0 0 2 f', 'still unreadable, for other reasons');
SELECT is(t.ledger(t.of('other')), '1 unreadable quarantined archive -, 2 unreadable quarantined mime - +raw',
	'which the ledger says');
SELECT is(t.ledger(t.last()), '1 unreadable duplicate archive -, 2 unreadable duplicate mime - +raw',
	'of the copy too');
SELECT is((SELECT array_agg(reason ORDER BY mail, item_no) FROM ruad.item WHERE mail IN (t.of('other'), t.last())),
	'{why,and,why,and}', 'in words');
TRUNCATE before; INSERT INTO before SELECT t.state();
SELECT is(t.again(t.of('other'), t.named('other', t.unreadable('archive', 'why'), t.unreadable('mime', 'and'))),
	'0 0 0 2 f', 'a second time');
SELECT is(t.state(), (SELECT * FROM before), 'changes nothing');

-- partly
SELECT is(t.again(t.of('other'), t.named('other', t.doc('o1'), t.unreadable('mime', 'and'), t.doc('u', 2),
	t.doc('o2'))), '2 1 0 1 f', 'partly read');
SELECT is(t.ledger(t.of('other')),
	'1 aggregate stored r1, 2 unreadable quarantined mime -, 3 aggregate duplicate r2, 4 aggregate stored r3 +raw',
	'both are right') ;
SELECT is(t.ledger(t.last()),
	'1 aggregate duplicate r1, 2 unreadable duplicate mime -, 3 aggregate duplicate r2, 4 aggregate duplicate r3 +raw',
	'in the copy too');
SELECT is(t.broken(), '', 'all is consistent');
TRUNCATE before; INSERT INTO before SELECT t.state();
SELECT is(t.again(t.of('other'), t.named('other', t.doc('o1'), t.unreadable('mime', 'and'), t.doc('u', 2),
	t.doc('o2'))), '0 3 0 1 f', 'a second time all is known');
SELECT is(t.state(), (SELECT * FROM before), 'and leaves no second trace');
SELECT is(t.again(t.of('other'), t.named('other', t.unreadable('worker', 'died'))), '0 0 0 1 f',
	'a parser that does worse');
SELECT is(t.ledger(t.of('other')),
	'1 aggregate stored r1, 3 aggregate duplicate r2, 4 aggregate stored r3, 5 unreadable quarantined worker - +raw',
	'takes nothing away');
SELECT is(t.broken(), '', 'all is consistent');
SELECT is(t.again(t.of('other'), t.named('other', t.doc('o2'), t.doc('o3'), t.doc('u', 2), t.doc('o1'))), '1 3 0 0 f',
	'at last all is read, in another order');
SELECT is(t.ledger(t.of('other')),
	'1 aggregate stored r1, 2 aggregate stored r2, 3 aggregate duplicate r3, 4 aggregate stored r4', 'each once') ;
SELECT is(t.ledger(t.last()),
	'1 aggregate duplicate r1, 2 aggregate duplicate r2, 3 aggregate duplicate r3, 4 aggregate duplicate r4',
	'in the copy too');
SELECT is(t.broken(), '', 'and no bytes are left');

-- conflicts
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.named('c1', t.doc('c')), t.named('c2', t.doc('c', 2)),
	t.named('c2', t.doc('c', 2)), t.named('c3', t.doc('c', 2)),
	t.named('c4', t.doc('c', 3), t.unreadable('xml', 'x'))) x),
	'1 0 0 0 f,0 0 1 0 t,0 1 0 0 f,0 1 0 0 f,0 0 1 1 t',
	'a report, a conflict, its bytes again, its content again, another conflict');
TRUNCATE before; INSERT INTO before SELECT t.state();
SELECT is(t.again(t.of('c2'), t.named('c2', t.doc('c', 2))), '0 0 1 0 f', 'a conflict read again');
SELECT is(t.state(), (SELECT * FROM before), 'stays one, and all that hangs on it');
SELECT is(t.again(t.of('c4'), t.named('c4', t.doc('c', 3), t.doc('c', 2))), '0 1 1 0 f',
	'a mail that turns out to repeat a known conflict');
SELECT is(t.ledger(t.of('c4')), '1 aggregate conflict conflict r1, 2 aggregate duplicate conflict r1 +raw',
	'has one of its own and a duplicate');
SELECT is(t.again(t.of('c4'), t.named('c4', t.doc('c', 3), t.doc('c', 2))), '0 1 1 0 f', 'a second time too');
SELECT is(t.ledger(t.of('c4')), '1 aggregate conflict conflict r1, 2 aggregate duplicate conflict r1 +raw',
	'and nothing more');
SELECT is(t.again(t.of('c4'), t.named('c4', t.doc('c', 1))), '0 1 0 0 f',
	'one that the new parser reads as the stored one');
SELECT is(t.ledger(t.of('c4')), '1 aggregate duplicate r1', 'is a duplicate');
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.named('c5', t.doc('c5'), t.doc('c5', 2))) x), '1 0 1 0 t',
	'a mail in conflict with itself');
TRUNCATE before; INSERT INTO before SELECT t.state();
SELECT is(t.again(t.of('c5'), t.named('c5', t.doc('c5'), t.doc('c5', 2))), '0 1 1 0 f', 'read again');
SELECT is(t.state(), (SELECT * FROM before), 'stays so');
SELECT is(t.broken(), '', 'all is consistent');

-- partial, then complete
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.named('p', t.doc('p', 2, '{"partial": true, "bytes": "same"}')),
	t.named('p', t.doc('p', 2, '{"partial": true, "bytes": "same"}'))) x), '1 0 0 0 t,0 1 0 0 f',
	'a truncated report');
TRUNCATE before; INSERT INTO before SELECT t.state();
SELECT is(t.again(t.of('p'), t.named('p', t.doc('p', 2, '{"partial": true, "bytes": "same"}'))),
	'0 1 0 0 f', 'and still does');
SELECT is(t.state(), (SELECT * FROM before), 'stays as it is');
SELECT is(t.again(t.of('p'), t.named('p', t.doc('p', 1, '{"partial": true, "bytes": "shorter"}'))),
	'0 1 0 0 f', 'read shorter');
SELECT is(t.state(), (SELECT * FROM before), 'stays too');
SELECT is(t.again(t.of('p'), t.named('p', t.doc('p', 3, '{"partial": true, "bytes": "longer"}'))),
	'1 0 0 0 f', 'read longer');
SELECT is(t.ledger(t.of('p')), '1 aggregate stored partial r1 +raw', 'its bytes stay');
SELECT is(t.again(t.of('p'), t.named('p', t.doc('p', 4, '{"bytes": "same"}'))), '1 0 0 0 f', 'read to its end');
SELECT is((SELECT (r.records, r.messages, r.partial, t.ledger(r.mail), r.mail = t.of('p'))::text FROM ruad.report r
	WHERE report_id = 'p'), '(4,40,f,"1 aggregate stored r1",t)', 'it is complete');
SELECT is(t.ledger(t.last()), '1 aggregate duplicate r1', 'the copy stays a duplicate');
SELECT is(t.broken(), '', 'all is consistent');
SELECT is((SELECT string_agg(x, ',')
	FROM t.take(t.named('q', t.unreadable('xml', 'x')), t.named('q', t.doc('q', 1, '{"partial": true}'))) x),
	'0 0 0 1 t,1 0 0 0 f', 'the same bytes by two parsers: not at all, and partly');
SELECT is(t.again(t.of('q'), t.named('q', t.doc('q', 1, '{"bytes": "whole"}'))), '1 0 0 0 f', 'then wholly');
SELECT results_eq($$SELECT t.ledger(id) FROM ruad.mail WHERE sha256 = sha256('q') ORDER BY id$$,
	$$VALUES ('1 aggregate stored r1'), ('1 aggregate duplicate r1')$$, 'one has it, the other is a duplicate');
SELECT is(t.broken(), '', 'all is consistent');

-- other kinds
SELECT is((SELECT string_agg(x, ',')
	FROM t.take(t.named('k', t.unreadable('failure', 'f'), t.unreadable('tls', 't'))) x),
	'0 0 0 2 t', 'of other kinds');
SELECT is(t.again(t.of('k'), t.named('k', t.failure('{}'), t.tls(t.tls_content()), t.unreadable('xml', 'x'))),
	'2 0 0 1 f', 'read');
SELECT is(t.again(t.of('k'), t.named('k', t.failure('{}'), t.tls(t.tls_content()), t.doc('k'))),
	'1 2 0 0 f', 'and read again');
SELECT is(t.ledger(t.of('k')) || t.broken(), '1 failure stored r1, 2 tls stored r2, 3 aggregate stored r3',
	'each once');

-- what is refused
SELECT throws_ok($$SELECT ruad.ingest(t.mails('{"again": 1, "items": []}'), '{}')$$, '22023', NULL,
	'ingest() takes no mail that was read again');
SELECT throws_ok($$SELECT ruad.ingest_again(t.mails('{"items": []}'), '{}')$$, '22023', NULL,
	'ingest_again() no other');
SELECT throws_ok($$SELECT ruad.ingest_again(t.mails('{"again": 1, "items": []}', '{"again": 1, "items": []}'), '{}')$$,
	'22023', NULL, 'and none twice');
SELECT is(t.take(t.named('w', t.unreadable('xml', 'w'))), '0 0 0 1 t', 'a mail');
SELECT throws_ok($$SELECT t.blind(t.of('w'), t.named('w2', t.doc('w')))$$, '22023', NULL, 'read from other bytes');

-- kept_after()
SELECT is((SELECT count(*) FROM t.take(VARIADIC ARRAY(SELECT t.named('n' || n, t.unreadable('n' || n % 2, 'n'))
	|| jsonb_build_object('received_at', t.day(-n)) FROM generate_series(1, 4) n))), 4::bigint, 'four mails');
CREATE FUNCTION t.kept(since timestamptz, code text) RETURNS text LANGUAGE sql AS $$
	WITH RECURSIVE walk(id, bytes) AS (
		SELECT (k).mail_id, (k).raw FROM (SELECT ruad.kept_after(t.of('w'), since, code) AS k) first
		UNION ALL SELECT n.mail_id, n.raw FROM walk w CROSS JOIN LATERAL ruad.kept_after(w.id, since, code) n)
	SELECT string_agg(convert_from(bytes, 'UTF8'), ' ' ORDER BY id) FROM walk $$;
SELECT is(t.kept(NULL, NULL) || ', ' || t.kept(NULL, 'n1') || ', ' || t.kept(t.day(-3), NULL) || ', '
	|| t.kept(t.day(-3), 'n0'), 'n1 n2 n3 n4, n1 n3, n1 n2 n3, n2', 'what is kept, by time and code, in order');
SELECT is((SELECT (source, envelope_from, recipients, received_at = t.day(-1))::text
	FROM ruad.kept_after(t.of('n1') - 1)), '(lmtp,a@b.example,"[""dmarc-sum@here.example""]",t)', 'with its envelope');
SELECT is((ARRAY(SELECT ruad.kept_bytes(since, code) FROM (VALUES (NULL::timestamptz, NULL::text), (NULL, 'xml'),
		('2100-01-01', NULL), (NULL, 'none')) v(since, code))),
	(SELECT ARRAY[sum(octet_length(raw)), sum(octet_length(raw)) FILTER (WHERE EXISTS (SELECT FROM ruad.item i
		WHERE i.mail = k.mail AND i.code = 'xml')), 0, 0]::bigint[] FROM ruad.raw k), 'and how much that is');
SELECT * FROM finish();
