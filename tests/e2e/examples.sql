-- examples.sql - a month of reports whose numbers can be checked by hand, for test_examples.py. It needs the helpers of
-- tests/sql/lib. Everything is in March 2026, but for one report of February and what begins with April.
INSERT INTO ruad.service (key, name, type, origin) VALUES ('mailer', 'Mailer', 'marketing', 'ruad');
INSERT INTO ruad.address (source_ip, rdns, rdns_domain, asn, as_name, country, service, service_basis) VALUES
	('192.0.2.1', 'mx.example.com', 'example.com', 64496, 'Example Net', 'DE', NULL, NULL),
	('198.51.100.7', 'out.mailer.example', 'mailer.example', 64497, 'Mailer Inc', 'US', 'mailer', 'rdns'),
	('203.0.113.9', 'relay.forwarder.example', 'forwarder.example', 64498, 'Forwarder', 'FR', NULL, NULL);

-- A record with its authentication results: a signature and an SPF result.
CREATE FUNCTION pg_temp.rec(source_ip text, count bigint, dkim text, spf text, header_from text, auth jsonb DEFAULT '{}',
	more jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE sql AS $$
	SELECT t.record(source_ip, count, dkim, spf, jsonb_build_object('header_from', header_from, 'envelope_from',
		header_from, 'auth_results', auth) || more)
$$;
CREATE FUNCTION pg_temp.signed(domain text, selector text, result text) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object('dkim', jsonb_build_array(jsonb_build_object('domain', domain, 'selector', selector,
		'result', result)))
$$;
CREATE FUNCTION pg_temp.spf(domain text) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object('spf', jsonb_build_array(jsonb_build_object('domain', domain, 'scope', 'mfrom', 'result',
		'pass')))
$$;

-- Two reports of reporter.example on 1 and 10 March, the first delivered twice and a third time with other content; one
-- of isp.example on 1 March, too.
CREATE TEMPORARY TABLE first_report AS SELECT t.report('example.com', 'reporter.example', 'r-1', '2026-03-01 00:00:00+00',
	jsonb_build_array(
		pg_temp.rec('192.0.2.1', 100, 'pass', 'pass', 'example.com',
			pg_temp.signed('example.com', 's1', 'pass') || pg_temp.spf('example.com'), '{"reason": [
			{"type": "forwarded", "comment": "relay"}, {"type": "forwarded", "comment": "alias"},
			{"type": "local_policy"}]}'),
		pg_temp.rec('198.51.100.7', 40, 'pass', 'fail', 'example.com',
			pg_temp.signed('example.com', 'm1', 'pass') || pg_temp.spf('bounce.mailer.example')),
		pg_temp.rec('203.0.113.9', 5, 'fail', 'fail', 'example.com', pg_temp.spf('forwarder.example'),
			'{"reason": [{"type": "forwarded", "comment": "known forwarder"}]}'),
		pg_temp.rec('203.0.113.9', 3, 'fail', 'fail', 'example.com', pg_temp.signed('example.com', 's1', 'fail')),
		pg_temp.rec('203.0.113.66', 30, 'fail', 'fail', 'example.com')),
	'{"p": "none", "adkim": "r", "aspf": "r", "pct": 100}') AS item;
SELECT t.take(
	t.mail(item) || '{"received_at": "2026-03-02T02:30:00Z", "authentic": "pass", "subject": "Report Domain: example.com"}',
	t.mail(item) || '{"received_at": "2026-03-02T02:40:00Z", "authentic": "pass", "subject": "Report Domain: example.com", "bytes": "again"}',
	t.mail(item || '{"bytes": "other"}') || '{"received_at": "2026-03-04T10:00:00Z", "subject": "Corrected report"}')
FROM first_report;

SELECT t.take(
	t.mail(t.report('example.com', 'reporter.example', 'r-0', '2026-02-02 00:00:00+00', jsonb_build_array(
		pg_temp.rec('192.0.2.1', 60, 'pass', 'pass', 'example.com', pg_temp.signed('example.com', 's0', 'pass'))),
		'{"p": "none", "adkim": "r", "aspf": "r", "pct": 100}')) || '{"received_at": "2026-02-03T02:30:00Z"}',
	t.mail(t.report('example.com', 'reporter.example', 'r-2', '2026-03-10 00:00:00+00', jsonb_build_array(
		pg_temp.rec('203.0.113.9', 50, 'pass', 'pass', 'example.com', pg_temp.signed('example.com', 's1', 'pass')),
		pg_temp.rec('203.0.113.66', 8, 'fail', 'fail', 'a.example.com', '{}', '{"disposition": "quarantine",
			"reason": [{"type": "mailing_list"}]}')),
		'{"p": "quarantine", "adkim": "r", "aspf": "r", "pct": 100}'),
		t.report('example.net', 'reporter.example', 'r-3', '2026-03-03 00:00:00+00', jsonb_build_array(
			pg_temp.rec('203.0.113.66', 12, 'fail', 'fail', 'example.net', '{}', '{"disposition": "reject"}')),
			'{"p": "reject", "adkim": "s", "aspf": "s", "pct": 100}')) || '{"received_at": "2026-03-12T23:59:59Z"}',
	t.mail(t.report('example.com', 'isp.example', 'i-1', '2026-03-01 00:00:00+00', jsonb_build_array(
		pg_temp.rec('192.0.2.1', 20, 'fail', 'pass', 'example.com', pg_temp.spf('example.com')),
		pg_temp.rec('198.51.100.7', 10, 'fail', 'fail', 'news.example.com', pg_temp.spf('bounce.mailer.example'))),
		'{"p": "none", "adkim": "r", "aspf": "r", "pct": 100}')) || '{"received_at": "2026-03-04T06:00:00Z"}',
	t.mail(t.unreadable('xml', 'line 3: the input ends early'), t.unreadable('archive', 'the checksum is wrong'))
		|| '{"received_at": "2026-03-05T08:00:00Z"}',
	t.mail(t.unreadable('xml', 'line 9: the input ends early')) || '{"received_at": "2026-03-06T08:00:00Z"}',
	t.mail(t.failure('{"header_from": "example.com", "source_ip": "203.0.113.66", "auth_failure": "dmarc",
		"delivery_result": "reject", "arrival_time": "2026-03-09T10:00:00Z", "incidents": 3}'))
		|| '{"received_at": "2026-03-09T10:05:00Z"}',
	t.mail(t.failure('{"header_from": "example.com", "source_ip": "203.0.113.66", "auth_failure": "dmarc",
		"delivery_result": "reject", "arrival_time": "2026-03-12T10:00:00Z"}'))
		|| '{"received_at": "2026-03-12T10:05:00Z"}',
	t.mail(t.tls(t.tls_content('reporter.example', '2026-03-08 00:00:00+00', '{example.com}')))
		|| '{"received_at": "2026-03-09T03:00:00Z"}');

-- The first moment of March, which queries about March include, and that of April, which they do not.
SELECT t.take(
	t.mail(t.unreadable('xml', 'line 5: the input ends early')) || '{"received_at": "2026-03-01T00:00:00Z"}',
	t.mail(t.unreadable('xml', 'line 1: the input ends early')) || '{"received_at": "2026-04-01T00:00:00Z"}',
	t.mail(item || jsonb_build_object('report_id', 'r-4', 'p', 'reject', 'begin', timestamptz '2026-04-01 00:00:00+00',
		'end', timestamptz '2026-04-01 23:59:59+00', 'record', item -> 'record' || jsonb_build_array(
			pg_temp.rec('198.51.100.7', 6, 'fail', 'fail', 'news.example.com'))))
		|| '{"received_at": "2026-04-05T00:00:00Z"}',
	t.mail(t.failure('{"header_from": "example.com", "source_ip": "198.51.100.7", "auth_failure": "dmarc",
		"delivery_result": "reject", "arrival_time": "2026-03-01T00:00:00Z"}'))
		|| '{"received_at": "2026-03-01T00:05:00Z"}',
	t.mail(t.failure('{"header_from": "example.com", "source_ip": "203.0.113.66", "auth_failure": "dmarc",
		"delivery_result": "reject", "arrival_time": "2026-04-01T00:00:00Z"}'))
		|| '{"received_at": "2026-04-01T00:05:00Z"}',
	t.mail(t.tls(t.tls_content('isp.example', '2026-03-01 00:00:00+00', '{example.com}')))
		|| '{"received_at": "2026-03-02T03:00:00Z"}',
	t.mail(t.tls(t.tls_content('reporter.example', '2026-04-01 00:00:00+00', '{example.com}')))
		|| '{"received_at": "2026-04-02T03:00:00Z"}')
FROM first_report;

SELECT ruad.set_label('ip:203.0.113.66', 'mine', NULL, 'bob', 'page'),
	ruad.set_label('ip:203.0.113.66', 'not_mine', 'forgeries', 'ann', 'page'),
	ruad.set_label('domain:forwarder.example', 'forwarder', NULL, 'root', 'cli');
UPDATE ruad.label SET set_at = '2026-03-15 12:00:00+00';

INSERT INTO ruad.dns_version (domain_id, kind, name, since, until, value, is_first)
SELECT d.id, v.* FROM ruad.domain d CROSS JOIN (VALUES
	('dmarc', '_dmarc.example.com', timestamptz '2026-01-05 03:00:00+00', timestamptz '2026-03-09 03:00:00+00',
		'v=DMARC1; p=none', true),
	('dmarc', '_dmarc.example.com', '2026-03-09 03:00:00+00', NULL, 'v=DMARC1; p=quarantine', false),
	('spf', 'example.com', '2026-01-05 03:00:00+00', NULL, 'v=spf1 ip4:192.0.2.1 -all', true),
	('mx', 'example.com', '2026-01-05 03:00:00+00', '2026-02-01 03:00:00+00', '10 old.example.com', true),
	('mx', 'example.com', '2026-02-01 03:00:00+00', '2026-03-01 00:00:00+00', '10 mx.example.com', false),
	('mx', 'example.com', '2026-04-01 00:00:00+00', NULL, '10 new.example.com', false)) v
WHERE d.name = 'example.com';
