-- Reports with the same key, of which only some are authenticated.
SELECT plan(60);
CREATE FUNCTION t.doc(id text, bytes text, records integer, authentic text DEFAULT 'none', partial boolean DEFAULT false)
RETURNS jsonb LANGUAGE sql AS $$
	SELECT t.mail(t.report('p.example', 'Org', id, t.day(-3),
		(SELECT coalesce(jsonb_agg(t.record('192.0.2.' || n, 10, 'pass', 'fail')), '[]')
			FROM generate_series(1, records) n),
		jsonb_build_object('partial', partial, 'bytes', bytes)))
		|| jsonb_build_object('authentic', authentic, 'bytes', bytes || authentic || partial) $$;
CREATE FUNCTION t.last(back integer DEFAULT 0) RETURNS bigint LANGUAGE sql AS $$ SELECT id FROM ruad.mail
	ORDER BY id DESC OFFSET back LIMIT 1 $$;
CREATE FUNCTION t.stands(id text) RETURNS text LANGUAGE sql AS $$
	SELECT format('%s records, %s, partial %s', records, authentic, partial) FROM ruad.report r
	WHERE r.report_id = stands.id $$;
-- Messages by the views of sums and of records, which agree at every instant.
CREATE FUNCTION t.sums() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', (SELECT sum(messages) FROM dmarc.daily), (SELECT sum(messages) FROM dmarc.monthly),
		(SELECT sum(count) FROM dmarc.records), (SELECT sum(messages) FROM dmarc.reports),
		api.summary(api.filter()) #>> '{totals,messages}', (SELECT count(DISTINCT source_ip) FROM dmarc.seen)) $$;

SELECT is(t.take(t.doc('a', 'forged', 5)), '1 0 0 0 f', 'a report that nobody vouches for is stored');
SELECT is(t.take(t.doc('a', 'forged', 5) || '{"bytes": "again"}'), '0 1 0 0 f', 'and comes again');
SELECT is(t.take(t.doc('a', 'other', 4, 'fail')), '0 0 1 0 t', 'another one, whose mail failed, is a conflict');
SELECT is(t.sum_up(), 0::bigint, 'summed up');
SELECT is(t.sums(), '50 50 50 50 50 5', 'the first is in all sums');
CREATE TEMP TABLE a AS SELECT id, mail FROM ruad.report;
SELECT is(t.take(t.doc('a', 'true', 3, 'pass')), '1 0 0 0 f', 'an authenticated one replaces it');
SELECT is(t.stands('a'), '3 records, pass, partial f', 'with its records');
SELECT is((SELECT (r.id = a.id, r.mail = t.last())::text FROM ruad.report r, a), '(t,t)', 'under the old number');
SELECT is(t.sums(), '30 30 30 30 30 3', 'all sums are right at once');
SELECT is(t.sum_up(), 0::bigint, 'summed up');
SELECT is(t.sums(), '30 30 30 30 30 3', 'and when they are made again');
SELECT is(concat_ws('; ', t.ledger(t.last()), t.ledger(t.last(1)), t.ledger(t.last(2)), t.ledger(t.last(3))),
	'1 aggregate stored r1; 1 aggregate conflict conflict r1 +raw; 1 aggregate duplicate replaced r1; 1 aggregate '
	'duplicate replaced r1', 'the ledger says what became of each');
SELECT is((SELECT DISTINCT reason FROM ruad.item WHERE code = 'replaced'),
	'an authenticated report with the same key has replaced it', 'in words');
SELECT is(t.take(t.doc('a', 'true', 3)), '0 1 0 0 f', 'the same content without a verdict is a duplicate');
SELECT is(t.stands('a'), '3 records, pass, partial f', 'the report stays authenticated');
SELECT is(t.take(t.doc('a', 'forged', 5) || '{"bytes": "third"}'), '0 0 1 0 t', 'the forged one is a conflict now');
SELECT is(t.take(t.doc('a', 'second', 2, 'pass')), '0 0 1 0 t', 'so is another authenticated one');
SELECT is(t.take(t.doc('a', 'long', 9, 'none', true)), '0 1 0 0 f', 'a truncated one is a duplicate');
SELECT is(t.stands('a'), '3 records, pass, partial f', 'none of them changes it');
SELECT is(t.broken(), '', 'all is consistent');

SELECT is(t.take(t.doc('b', 'b', 2)), '1 0 0 0 f', 'a report');
SELECT is(t.take(t.doc('b', 'b', 2, 'pass')), '1 0 0 0 f', 'the same content, authenticated, replaces it');
SELECT is(t.stands('b'), '2 records, pass, partial f', 'so that it is authenticated');
SELECT is(t.ledger(t.last(1)), '1 aggregate duplicate r1', 'the first was no contradiction');
SELECT is(t.take(t.doc('b', 'b', 2, 'pass')), '0 1 0 0 f', 'once more is a duplicate');

SELECT is(t.take(t.doc('c', 'c1', 1)), '1 0 0 0 f', 'a report');
SELECT is(t.take(t.doc('c', 'c2', 2)), '0 0 1 0 t', 'another one, as little authenticated, is a conflict');
SELECT is(t.take(t.doc('c', 'c2', 2, 'pass')), '1 0 0 0 f', 'whose content then comes authenticated');
SELECT is(t.ledger(t.last(1)), '1 aggregate duplicate r1', 'that ends the conflict, and its bytes are gone');
SELECT is(t.broken(), '', 'all is consistent');

SELECT is(t.take(t.doc('d', 'd', 3)), '1 0 0 0 f', 'a complete report');
SELECT is(t.take(t.doc('d', 'd2', 2, 'pass', true)), '1 0 0 0 t', 'an authenticated one that is truncated');
SELECT is(t.stands('d'), '2 records, pass, partial t', 'replaces it');
SELECT is(t.take(t.doc('d', 'd', 3)), '0 0 1 0 t', 'the complete one is in conflict with it');
SELECT is(t.take(t.doc('d', 'd', 3, 'pass')), '1 0 0 0 f', 'until it is authenticated');
SELECT is(t.stands('d') || '; ' || t.ledger(t.last(1)), '3 records, pass, partial f; 1 aggregate duplicate r1',
	'as the ledger says');
SELECT is(t.broken(), '', 'all is consistent');

SELECT is((SELECT string_agg(x, ',') FROM t.take(t.doc('e', 'e1', 1), t.doc('e', 'e2', 2, 'fail'),
	t.doc('e', 'e3', 3, 'pass', true), t.doc('e', 'e4', 4, 'pass')) x),
	'0 0 1 0 t,0 0 1 0 t,0 1 0 0 f,1 0 0 0 f', 'of one batch the authenticated complete one is stored');
SELECT is(t.stands('e'), '4 records, pass, partial f', 'with its records');

-- a mail in conflict is read again when its verdict is known
SELECT is(t.take(t.doc('f', 'f1', 1)) || '; ' || t.take(t.doc('f', 'f2', 2)), '1 0 0 0 f; 0 0 1 0 t', 'a conflict');
SELECT is(t.again(t.last(), t.doc('f', 'f2', 2, 'pass')) || '; ' || t.stands('f') || '; ' || t.ledger(t.last()),
	'1 0 0 0 f; 2 records, pass, partial f; 1 aggregate stored r1', 'the mail is read again, now authenticated');
SELECT is(t.broken(), '', 'all is consistent');

-- TLS reports likewise
CREATE FUNCTION t.tls_doc(bytes text, domains text[], authentic text DEFAULT 'none', day timestamptz DEFAULT t.day(-3))
RETURNS jsonb LANGUAGE sql AS $$
	SELECT t.mail(t.tls(t.tls_content('Org', day, domains) || jsonb_build_object('contact_info', bytes),
		jsonb_build_object('bytes', bytes))) || jsonb_build_object('authentic', authentic, 'bytes', bytes || authentic) $$;
CREATE FUNCTION t.tls_stands() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('%s, %s, policies %s of %s', contact_info, authentic, policies,
		(SELECT count(*) FROM ruad.tls_policy p WHERE p.report = t.id)), '; ' ORDER BY id) FROM ruad.tls t $$;
SELECT is(t.take(t.tls_doc('forged', '{p.example,q.example}')), '1 0 0 0 f', 'a TLS report that nobody vouches for is stored');
CREATE TEMP TABLE tls AS SELECT id FROM ruad.tls;
SELECT is(t.take(t.tls_doc('other', '{p.example,q.example}', 'fail')), '0 0 1 0 t', 'another one is a conflict');
SELECT is(t.take(t.tls_doc('true', '{p.example,q.example}', 'pass')), '1 0 0 0 f', 'an authenticated one replaces it');
SELECT is(t.tls_stands(), 'true, pass, policies 2 of 2', 'with its policies');
SELECT is((SELECT tls.id FROM ruad.tls), (SELECT tls.id FROM tls), 'under the old number');
SELECT is(concat_ws('; ', t.ledger(t.last()), t.ledger(t.last(1)), t.ledger(t.last(2))),
	'1 tls stored r1; 1 tls conflict conflict r1 +raw; 1 tls duplicate replaced r1', 'the ledger says what became of each');
SELECT is(t.take(t.tls_doc('true', '{p.example,q.example}')), '0 1 0 0 f', 'the same content without a verdict is a duplicate');
SELECT is(t.take(t.tls_doc('true', '{p.example,q.example}', 'pass') || '{"bytes": "again"}'), '0 1 0 0 f', 'with one, too');
SELECT is(t.take(t.tls_doc('second', '{p.example,q.example}', 'pass')), '0 0 1 0 t', 'another authenticated one is a conflict');
SELECT is(t.tls_stands(), 'true, pass, policies 2 of 2', 'none of them changes it');
SELECT is(t.take(t.tls_doc('late', '{p.example}', 'none', t.day(-4))) || '; '
	|| t.take(t.tls_doc('late', '{p.example}', 'pass', t.day(-4))), '1 0 0 0 f; 1 0 0 0 f',
	'the same content, authenticated, replaces what was not');
SELECT is(t.ledger(t.last(1)), '1 tls duplicate r1', 'the first was no contradiction');
SELECT is((SELECT string_agg(x, ',') FROM t.take(t.tls_doc('x', '{p.example}', 'none', t.day(-5)),
	t.tls_doc('y', '{p.example}', 'pass', t.day(-5))) x), '0 0 1 0 t,1 0 0 0 f', 'of one batch the authenticated one is stored');
SELECT is((SELECT count(*) FROM ruad.tls_policy p WHERE NOT EXISTS (SELECT 1 FROM ruad.tls t WHERE t.id = p.report)),
	0::bigint, 'no policy is left over');
SELECT is(t.take(t.tls_doc('z', '{p.example}', 'none', t.day(-6))) || '; '
	|| t.take(t.tls_doc('w', '{p.example}', 'none', t.day(-6))) || '; '
	|| t.again(t.last(), t.tls_doc('w', '{p.example}', 'pass', t.day(-6))), '1 0 0 0 f; 0 0 1 0 t; 1 0 0 0 f',
	'a mail in conflict is read again when its verdict is known');

-- A report of the same day on the same domains by another organisation is another report.
SELECT is(t.take(t.tls_doc('v1', '{p.example}', 'none', t.day(-7))) || '; ' || t.take(t.mail(t.tls(
	t.tls_content('Other', t.day(-7), '{p.example}') || '{"contact_info": "v2"}')) || '{"authentic": "pass"}'),
	'1 0 0 0 f; 1 0 0 0 f', 'two reports of one day');
SELECT is((SELECT string_agg(format('%s %s', t.contact_info, t.authentic), ', ' ORDER BY t.contact_info) FROM ruad.tls t
	WHERE t.begin = t.day(-7)), 'v1 none, v2 pass', 'the authenticated one replaces only its own');
SELECT is(t.broken(), '', 'all is consistent');
SELECT * FROM finish();
