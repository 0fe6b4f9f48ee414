-- advice.sql - what to do next.

-- A point of the list: what is wrong, or was, how bad it is, and the numbers behind it. harm is the rank, 1 the worst.
CREATE TYPE api.point AS (harm integer, code text, domain text, source text, name text, reason text, messages numeric,
	of numeric, rejected numeric, quarantined numeric, senders bigint, since timestamptz, until timestamptz, text text,
	fix text);

-- The number of points that are shown.
CREATE FUNCTION api.points_most() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT 7 $$;

-- The number of points in an answer: those that are shown, and those that the page unfolds.
CREATE FUNCTION api.points_listed() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT 100 $$;

-- The days that must have passed since the last failure, with mail that passed after them, until a failure is fixed.
CREATE FUNCTION api.fixed_days() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT 3 $$;

-- What fails of one's own mail, or failed until it was fixed, and what might be one's own. One point for each source,
-- named after its address if only one fails.
CREATE FUNCTION api.failing_points(senders api.sorted_sender[]) RETURNS SETOF api.point
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN QUERY
	WITH failing AS (
		SELECT (s.sent).domain, (s.sent).source, (s.sent).source_name,
			CASE WHEN (s.sent).service IS NULL THEN (s.sent).rdns END AS name,
			s.whose, s.reason, api.harm(s.sent) AS harm, (s.sent).messages, (s.sent).rejected, (s.sent).quarantined,
			(s.sent).first_seen, (s.sent).last_fail, (s.sent).last_pass,
			coalesce((s.sent).last_pass >= (s.sent).last_fail + api.fixed_days() * interval '1 day', false) AS fixed
		FROM unnest(senders) s
		WHERE s.whose IN ('own', 'service', 'unsure') AND api.matters(api.harm(s.sent), (s.sent).messages)
	), sums AS (
		SELECT f.domain, f.source, f.whose, f.fixed, coalesce(CASE WHEN count(*) = 1 THEN min(f.name) END,
				min(f.source_name)) AS name,
			(array_agg(f.reason ORDER BY f.harm DESC))[1] AS reason, sum(f.harm) AS harm, sum(f.messages) AS messages,
			least(sum(f.rejected), sum(f.harm)) AS rejected, least(sum(f.quarantined), sum(f.harm)) AS quarantined,
			count(*) AS senders, min(f.first_seen) AS since, max(f.last_fail) AS until
		FROM failing f WHERE NOT (f.fixed AND f.whose = 'unsure') GROUP BY 1, 2, 3, 4
	)
	SELECT CASE WHEN s.fixed THEN 9 WHEN s.whose = 'unsure' THEN 6 WHEN s.rejected > 0 THEN 1
			WHEN s.quarantined > 0 THEN 2 ELSE 5 END,
		CASE WHEN s.fixed THEN 'fixed' WHEN s.whose = 'unsure' THEN 'review' ELSE s.whose || '_' || CASE
			WHEN s.rejected > 0 THEN 'rejected' WHEN s.quarantined > 0 THEN 'quarantined' ELSE 'fails' END END,
		s.domain, s.source, s.name, s.reason, s.harm, s.messages, s.rejected, s.quarantined, s.senders, s.since,
		s.until, NULL::text, NULL::text
	FROM sums s;
END
$$;

-- Reporters that used to report and stopped: no report on three of their usual periods, though others reported on
-- later days. A period is the median distance of the days with a report.
CREATE FUNCTION api.silent_reporters(f api.filter_set)
RETURNS TABLE (org_name text, last_day date, period integer, days bigint, messages numeric, last_of_all date)
LANGUAGE plpgsql STABLE SET jit = off
AS $$
BEGIN
	f.from_day := f.to_day - 90;
	RETURN QUERY EXECUTE format('
		WITH days AS MATERIALIZED (
			SELECT coalesce(r.org_name, '''') AS org_name, r.day, sum(r.messages) AS messages FROM %s GROUP BY 1, 2
		), gaps AS (
			SELECT d.*, d.day - lag(d.day) OVER (PARTITION BY d.org_name ORDER BY d.day) AS gap FROM days d
		), usual AS (
			SELECT g.org_name, max(g.day) AS last_day, count(*) AS days, sum(g.messages) AS messages,
				greatest(1, percentile_disc(0.5) WITHIN GROUP (ORDER BY g.gap)) AS period
			FROM gaps g GROUP BY 1 HAVING count(*) >= 5
		)
		SELECT u.org_name, u.last_day, u.period, u.days, u.messages::numeric, l.day
		FROM usual u CROSS JOIN (SELECT least(max(d.day), api.complete_until() - 1) AS day FROM days d) l
		WHERE l.day - u.last_day > 3 * u.period
			AND u.messages * 100 >= (SELECT sum(d.messages) FROM days d)', api.reports_of(f));
END
$$;

-- Those of some domains with sufficient evidence that api.findings() has anything about, for a caller that knows the
-- unreviewed sources of all of them.
CREATE FUNCTION api.blocked_domains(p_domains text[], f api.filter_set, known api.domain_evidence[],
	unreviewed api.unreviewed[]) RETURNS text[]
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	plain api.filter_set := api.only_domains(f, p_domains);
BEGIN
	RETURN ARRAY(
		SELECT d.domain FROM api.duties(plain) d
		WHERE d.mine_fail > 0 OR api.relies_on_spf(d.mine_spf_only, d.mine - d.mine_fail)
		UNION ALL
		SELECT u.domain FROM unnest(unreviewed) u JOIN unnest(known) e ON e.domain = u.domain
		WHERE u.domain = ANY (p_domains) AND u.fail >= api.unreviewed_floor(e.messages)
		UNION ALL
		SELECT x.domain FROM api.policies_differing(plain) x);
END
$$;

-- The next step of domains that nothing blocks, and of parked ones.
CREATE FUNCTION api.step_points(f api.filter_set, unreviewed api.unreviewed[]) RETURNS SETOF api.point
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	most constant integer := 20; -- domains; each costs a look at all its reports
	known api.domain_evidence[] := ARRAY(SELECT e FROM api.evidence(api.only_domains(f, f.domain)) e
		ORDER BY e.messages DESC NULLS LAST LIMIT most);
	names text[] := ARRAY(SELECT e.domain FROM unnest(known) e);
	parked text[] := api.parked_domains(names);
	-- of each of them
	policies api.policy[] := ARRAY(SELECT h.policy FROM unnest(names) WITH ORDINALITY n(name, no)
		LEFT JOIN dmarc.domains d ON d.domain = n.name
		LEFT JOIN api.newest_policies(ARRAY(SELECT x.domain_id FROM dmarc.domains x WHERE x.domain = ANY (names)),
			f.to_day) h ON h.domain_id = d.domain_id
		ORDER BY n.no);
	records jsonb[] := ARRAY(SELECT api.next_record(n.name, policies[n.no], true)
		FROM unnest(names) WITH ORDINALITY n(name, no) ORDER BY n.no);
	-- only where there is a next step
	open text[] := ARRAY(SELECT e.domain FROM unnest(known) WITH ORDINALITY e(domain, days, reporters, messages,
			last_report_at, sufficient, no)
		WHERE e.sufficient AND policies[e.no] IS DISTINCT FROM NULL AND records[e.no] ->> 'step' <> 'keep');
	blocked text[];
BEGIN
	IF open <> '{}' THEN
		blocked := api.blocked_domains(open, f, known, unreviewed);
	END IF;
	RETURN QUERY
	SELECT 8, CASE WHEN e.domain = ANY (parked) THEN 'parked' ELSE 'step_' || (r.record ->> 'step') END, e.domain,
		NULL::text, NULL::text, NULL::text, e.messages, NULL::numeric, NULL::numeric, NULL::numeric, e.reporters,
		NULL::timestamptz, NULL::timestamptz, NULL::text,
		CASE WHEN e.domain <> ALL (parked) THEN format('%s. TXT "%s"', r.record ->> 'name', r.record ->> 'value') END
	FROM unnest(known) WITH ORDINALITY e(domain, days, reporters, messages, last_report_at, sufficient, no)
	CROSS JOIN LATERAL (SELECT records[e.no] AS record, policies[e.no] AS policy) r
	WHERE r.policy IS DISTINCT FROM NULL AND CASE WHEN e.domain = ANY (parked)
		THEN (r.policy).p IS DISTINCT FROM 'reject' ELSE e.domain = ANY (open) AND e.domain <> ALL (blocked) END;
END
$$;

-- Records in the DNS that changed from a day on until the end of the window, for domains with reports in it.
CREATE FUNCTION api.changed_records(f api.filter_set, p_since date) RETURNS SETOF dmarc.dns_history
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN QUERY
	SELECT h.* FROM dmarc.dns_history h
	WHERE h.is_change AND h.until IS NULL AND h.since >= api.at(p_since) AND h.since < api.at(f.to_day)
		AND (f.domain IS NULL OR h.domain = ANY (f.domain))
		AND EXISTS (SELECT 1 FROM dmarc.reports r WHERE r.domain_id = h.domain_id AND r.day >= f.from_day
			AND r.day < f.to_day);
END
$$;

-- Those of the last week of the window.
CREATE FUNCTION api.changed_points(f api.filter_set) RETURNS SETOF api.point
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN QUERY
	SELECT 9, 'dns_changed', h.domain, NULL::text, h.name, NULL::text, NULL::numeric, NULL::numeric, NULL::numeric,
		NULL::numeric, NULL::bigint, h.since, NULL::timestamptz, NULL::text, NULL::text
	FROM api.changed_records(f, f.to_day - 7) h;
END
$$;

-- The key of a source as people read it: "service:esp" is esp, "as:64500" AS64500, "ip:192.0.2.1" the address.
CREATE FUNCTION api.key_words(p_key text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN p_key LIKE 'as:%' THEN 'AS' ELSE '' END || substr(p_key, position(':' IN p_key) + 1) $$;

-- The text of topic "actions" that says what to do about a point; NULL if nothing is to be done, or if its fix or its
-- setup says it.
CREATE FUNCTION api.action_of(p api.point, setup jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE WHEN p.fix IS NOT NULL THEN NULL
		WHEN p.code LIKE 'service\_%' THEN CASE WHEN setup IS NULL THEN 'service' END
		WHEN p.code IN ('own_rejected', 'own_quarantined', 'own_fails') THEN 'own'
		WHEN p.code LIKE 'step\_%' THEN 'step'
		WHEN p.code IN ('review', 'silent_reporter', 'parked', 'dns_changed') THEN p.code END
$$;

-- How a point is marked: mail is lost or a record is wrong; done; for information; to be looked at.
CREATE FUNCTION api.mood_of(p_code text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE WHEN p_code ~ '(rejected|quarantined|error|outside)' THEN 'bad' WHEN p_code = 'fixed' THEN 'good'
		WHEN p_code ~ '(step|parked|changed)' THEN 'info' ELSE 'so' END
$$;

CREATE FUNCTION api.point_json(p api.point) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	setup jsonb := CASE WHEN p.code <> 'fixed' THEN api.service_setup(p.source) END;
BEGIN
	RETURN jsonb_build_object('code', p.code, 'domain', api.display(p.domain), 'source', api.display(p.source),
		'name', api.display(coalesce(p.name, api.key_words(p.source))), 'reason', p.reason, 'messages', p.messages,
		'of', p.of, 'rejected', p.rejected, 'quarantined', p.quarantined, 'senders', p.senders,
		'since', api.iso(p.since), 'until', api.iso(p.until), 'text', api.display(p.text), 'fix', api.display(p.fix),
		'setup', setup, 'action', api.action_of(p, setup), 'mood', api.mood_of(p.code));
END
$$;

-- What is wrong with the mail and the DNS of the filter's domains, or was, or changed.
CREATE FUNCTION api.fault_points(f api.filter_set, senders api.sorted_sender[]) RETURNS SETOF api.point
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	RETURN QUERY
	WITH failing AS MATERIALIZED (
		SELECT p.* FROM api.failing_points(senders) p
	), dns AS MATERIALIZED (
		SELECT a.v ->> 'code' AS code, a.v ->> 'domain' AS domain, 'ip:' || (a.v ->> 'source_ip') AS ip,
			coalesce(o.source, 'ip:' || (a.v ->> 'source_ip')) AS source, a.v ->> 'name' AS name,
			(a.v ->> 'messages')::numeric AS messages, a.v ->> 'text' AS text, a.v ->> 'fix' AS fix, a.no
		FROM jsonb_array_elements(api.attention(f) -> 'items') WITH ORDINALITY a(v, no)
		LEFT JOIN dmarc.addresses o ON o.source_ip = (a.v ->> 'source_ip')::inet
	)
	-- a host that fails and is outside of SPF is one point, with the way to fix it
	SELECT p.harm, p.code, p.domain, p.source, p.name, p.reason, p.messages, p.of, p.rejected, p.quarantined,
		p.senders, p.since, p.until, NULL,
		(SELECT d.fix FROM dns d WHERE d.domain = p.domain AND d.source = p.source ORDER BY d.no LIMIT 1)
	FROM failing p
	UNION ALL
	SELECT CASE d.code WHEN 'own_host_outside_spf' THEN 3 WHEN 'dns_error' THEN 3 WHEN 'selector_without_key' THEN 7
			ELSE 10 END, d.code, d.domain, d.ip, d.name, NULL, d.messages, NULL, NULL, NULL, NULL, NULL, NULL,
		d.text, d.fix
	FROM dns d
	WHERE NOT EXISTS (SELECT 1 FROM failing p WHERE p.domain = d.domain AND p.source = d.source)
	UNION ALL
	SELECT 4, 'silent_reporter', NULL, NULL, r.org_name, NULL, r.messages, NULL, NULL, NULL, r.period,
		api.at(r.last_day), api.at(r.last_of_all), NULL, NULL
	FROM api.silent_reporters(f) r
	UNION ALL
	SELECT h.* FROM api.changed_points(f) h;
END
$$;

-- What api.advice() says, for a caller that has the senders.
CREATE FUNCTION api.advice_of(f api.filter_set, advised api.advised) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	items jsonb;
	more jsonb;
	total bigint;
	newest timestamptz;
BEGIN
	WITH numbered AS (
		SELECT p::api.point AS point, row_number() OVER (ORDER BY p.harm, p.messages DESC NULLS LAST,
			p.domain COLLATE "C", p.source COLLATE "C", p.text COLLATE "C") AS no
		FROM (SELECT * FROM api.fault_points(f, advised.senders)
			UNION ALL SELECT * FROM api.step_points(f, advised.unreviewed)) p
	)
	SELECT coalesce(jsonb_agg(api.point_json(n.point) ORDER BY n.no)
		FILTER (WHERE n.no <= api.points_most()), '[]'), coalesce(jsonb_agg(api.point_json(n.point) ORDER BY n.no)
		FILTER (WHERE n.no > api.points_most() AND n.no <= api.points_listed()), '[]'), count(*)
	INTO items, more, total FROM numbered n;
	EXECUTE format('SELECT max(r."end") FROM %s', api.reports_of(f)) INTO newest;
	RETURN jsonb_build_object('window', api.window_json(f), 'items', items, 'more', more,
		'total', total, 'forwarders', advised.forwarders, 'strangers', advised.strangers,
		'reports_until', api.iso(newest));
END
$$;

-- GET advice: seven points, the most harmful first, those that follow them, and what needs nothing to be done.
CREATE FUNCTION api.advice(f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	RETURN api.advice_of(f, api.advised_senders(f));
END
$$;
