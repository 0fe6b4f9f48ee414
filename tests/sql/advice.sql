-- The points of advice, each by itself: what fails, reporters that stopped, records that changed.
SELECT plan(14);
SELECT is(ARRAY[api.points_most(), api.points_listed(), api.fixed_days()], '{7,100,3}', 'seven points, a hundred listed, '
	'fixed after three days');

-- A sender all of whose mail fails, but for what more says.
CREATE FUNCTION t.sender(whose text, more jsonb, reason text DEFAULT 'r') RETURNS api.sorted_sender LANGUAGE sql AS $$
	SELECT ROW(NULL, whose, reason, jsonb_populate_record(NULL::dmarc.sender_facts, '{"domain": "a.example", "sender":
		"ip:192.0.2.1", "source": "ip:192.0.2.1", "messages": 10, "pass": 0, "fail_overridden": 0, "altered_by_other": 0,
		"rejected": 0, "quarantined": 0, "first_seen": "2026-03-01Z",
		"last_fail": "2026-03-09Z"}' || more))::api.sorted_sender $$;
-- Some members of each point about them, in order.
CREATE FUNCTION t.failing(members text[], VARIADIC senders api.sorted_sender[]) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_agg((SELECT jsonb_agg(CASE WHEN m IN ('since', 'until')
		THEN to_jsonb(api.iso((to_jsonb(p) ->> m)::timestamptz)) ELSE to_jsonb(p) -> m END ORDER BY no) FROM unnest(members) WITH ORDINALITY u(m, no))
		ORDER BY p.harm, p.source, p.code) FROM api.failing_points(senders) p $$;
SELECT is(t.failing('{harm,code,messages,of,senders,rejected,quarantined}',
	t.sender('own', '{"source": "a", "rejected": 1, "quarantined": 9}'), t.sender('own', '{"source": "b", "quarantined": 1}'),
	t.sender('own', '{"source": "c"}'), t.sender('service', '{"source": "d", "rejected": 11, "pass": 2}'),
	t.sender('unsure', '{"source": "e", "rejected": 10}'), t.sender('stranger', '{}'), t.sender('forwarder', '{}')),
	'[[1, "own_rejected", 10, 10, 1, 1, 9], [1, "service_rejected", 8, 10, 1, 8, 0], [2, "own_quarantined", 10, 10, 1, 0, 1],
	[5, "own_fails", 10, 10, 1, 0, 0], [6, "review", 10, 10, 1, 10, 0]]',
	'the rank and the code of what fails; no more is rejected than fails');
SELECT is(t.failing('{code,until,since}', t.sender('own', '{"source": "a", "last_pass": "2026-03-12Z"}'),
	t.sender('own', '{"source": "b", "last_pass": "2026-03-11 23:59:59Z"}'),
	t.sender('unsure', '{"source": "c", "last_pass": "2026-03-12Z"}')),
	'[["own_fails", "2026-03-09T00:00:00Z", "2026-03-01T00:00:00Z"],
	["fixed", "2026-03-09T00:00:00Z", "2026-03-01T00:00:00Z"]]', 'fixed: it passes three days later, and is ours');
SELECT is(t.failing('{source,messages}', t.sender('own', '{"source": "a", "messages": 5}'), t.sender('own', '{"source": "b",
	"messages": 4}'), t.sender('own', '{"source": "c", "messages": 500, "pass": 495}'), t.sender('own', '{"source": "d",
	"messages": 501, "pass": 496}'), t.sender('own', '{"source": "e", "messages": 10, "fail_overridden": 3,
	"altered_by_other": 3}')), '[["a", 5], ["c", 5]]', 'five messages, and one in a hundred');
-- Several senders of one source, and of two domains.
SELECT is(t.failing('{name,senders,messages,reason,since,until}', t.sender('own', '{"rdns": "mx.a.example"}')),
	'[["mx.a.example", 1, 10, "r", "2026-03-01T00:00:00Z", "2026-03-09T00:00:00Z"]]',
	'one address is named after its host');
SELECT is(t.failing('{name,senders,messages,of,rejected,quarantined,reason,since,until}',
	t.sender('own', '{"rdns": "mx.a.example", "source_name": "Name", "messages": 12, "pass": 2, "rejected": 2,
		"quarantined": 20}'),
	t.sender('own', '{"rdns": "b.a.example", "source_name": "Name", "messages": 20, "rejected": 3, "quarantined": 20,
		"first_seen": "2026-02-01Z", "last_fail": "2026-03-08Z"}', 'more')),
	'[["Name", 2, 30, 32, 5, 30, "more", "2026-02-01T00:00:00Z", "2026-03-09T00:00:00Z"]]',
	'several addresses are named after their source, with the reason of the largest');
SELECT is(t.failing('{domain,name,messages}', t.sender('own', '{"rdns": "mx.a.example"}'),
	t.sender('own', '{"rdns": "mx.a.example", "domain": "b.example", "messages": 11}')) @>
	'[["a.example", "mx.a.example", 10], ["b.example", "mx.a.example", 11]]', true, 'each domain by itself');
SELECT is(t.failing('{name}', t.sender('service', '{"service": "esp", "source": "service:esp", "rdns": "o.esp.example",
	"source_name": "Esp"}')), '[["Esp"]]', 'a service is never named after a host');

-- Reporters: days with a report, counted back from the last day that everybody's reports can have come of.
CREATE FUNCTION t.last_day(n integer) RETURNS timestamptz LANGUAGE sql AS $$
	SELECT (api.complete_until() - 1 - n)::timestamp AT TIME ZONE 'UTC' $$;
CREATE FUNCTION t.reports(org text, count bigint, VARIADIC days integer[]) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM unnest(days) d, t.take(t.mail(t.report('a.example', org, 'r' || d, t.last_day(d),
		jsonb_build_array(t.record('192.0.2.1', count, 'pass', 'pass'))))) $$;
CREATE FUNCTION t.silent() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('%s %s %s %s', s.org_name, s.period, s.days, s.messages), ', ' ORDER BY s.org_name COLLATE "C")
	FROM api.silent_reporters(api.filter(p_to => api.today() + 1)) s $$;
SELECT is(t.reports('Now', 92, 0, 1, 2, 3, 4) + t.reports('Stopped', 92, 4, 5, 6, 7, 8) + t.reports('Late', 92, 3, 4, 5, 6, 7)
	+ t.reports('New', 92, 9, 10, 11, 12) + t.reports('Weekly', 92, 21, 28, 35, 42, 49)
	+ t.reports('Was weekly', 92, 22, 29, 36, 43, 50) + t.reports('Small', 5, 30, 31, 32, 33, 34)
	+ t.reports('Old', 92, 88, 89, 90, 91, 92, 93) + t.reports('Less small', 28, 30, 31, 32, 33, 34), 45::bigint, 'reports');
SELECT is(t.silent(), 'Less small 1 5 140, Stopped 1 5 460, Was weekly 7 5 460',
	'silent: five days, one message in a hundred, more than three usual periods, all within 90 days');
SELECT is((SELECT string_agg(format('%s %s', s.last_day - api.complete_until(), s.last_of_all - api.complete_until()), ' ')
	FROM api.silent_reporters(api.filter(p_to => api.today() + 1)) s WHERE s.org_name = 'Stopped'), '-5 -1',
	'with the last day of it, and of all');
SELECT is(t.reports('Now', 92, -1, -2, -3), 3::bigint, 'reports on days that are not complete');
SELECT is(t.silent(), 'Less small 1 5 140, Stopped 1 5 460, Was weekly 7 5 460', 'make none silent');

CREATE FUNCTION t.date(n integer) RETURNS date LANGUAGE sql STABLE AS $$ SELECT (t.day(n) AT TIME ZONE 'UTC')::date $$;
-- Records that changed, of a domain with reports in the window and of one without.
SELECT count(*) FROM t.take(t.mail(t.report('b.example', 'Now', 'b', t.day(-40),
	jsonb_build_array(t.record('192.0.2.1', 1, 'pass', 'pass'))))) \g /dev/null
INSERT INTO ruad.dns_version (domain_id, kind, name, value, is_first, since, until)
SELECT d.id, 'dmarc', '_dmarc.' || d.name, v.value, v.until IS NOT NULL, t.day(v.since), t.day(v.until)
FROM ruad.domain d CROSS JOIN (VALUES ('v=DMARC1; p=none', -30, -7), ('v=DMARC1; p=reject', -7, NULL)) v(value, since, until);
SELECT is((SELECT jsonb_object_agg(n, (SELECT string_agg(c.domain, ' ' ORDER BY c.domain) FROM api.changed_records(f, since) c))
	FROM (VALUES ('since', api.filter(), t.date(-7)), ('later', api.filter(), t.date(-6)),
		('another', api.filter(p_domain => '{b.example}'), t.date(-7)),
		('longer', api.filter(p_from => t.date(-60), p_to => api.today()), t.date(-7)),
		('until', api.filter(p_from => t.date(-60), p_to => t.date(-7)), t.date(-7)),
		('a longer one', api.filter(p_domain => '{b.example}', p_from => t.date(-60), p_to => api.today()),
			t.date(-7))) x(n, f, since)),
	'{"since": "a.example", "later": null, "another": null, "longer": "a.example b.example", "until": null,
	"a longer one": "b.example"}', 'changed: on a day of the window, of domains with reports in it');
SELECT * FROM finish();
