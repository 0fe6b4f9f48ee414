-- conditions.sql - what administrators want to know about: conditions that are present now.
--
-- What Overview says of mail and DNS comes from the same functions (api.fault_points()). Texts of reports are made
-- visible and short here, once for mail, webhook and command.

-- A condition. key: the same as long as it is the same condition. level: how bad it is, 1 or more. reference: what the
-- present is measured against.
CREATE TYPE ruad.condition AS (key text, kind text, domain text, source text, level smallint, severity text, title text,
	evidence text, action text, reference numeric);

-- The kinds of conditions. of_reports: found by a search through the reports, which is not done in each round.
-- is_event: it is over after a while, which nobody needs to be told.
CREATE FUNCTION ruad.notice_kinds() RETURNS TABLE (kind text, of_reports boolean, is_event boolean)
LANGUAGE sql IMMUTABLE
AS $$
	VALUES ('fails', true, false), ('pass_rate', true, false), ('new_source', true, true), ('dns', true, false),
		('dns_changed', true, true), ('silent_reporter', true, false), ('unread', true, false),
		('no_reports', false, false), ('quota', false, false), ('disk', false, false), ('intake', false, false)
$$;

-- A text of a report or of the DNS for one line of a notice.
CREATE FUNCTION ruad.notice_text(value text, most integer DEFAULT 200) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
	SELECT CASE WHEN length(v.text) > most THEN left(v.text, most - 3) || '...' ELSE v.text END
	FROM (SELECT api.visible(api.display(left(value, 4000))) AS text) v
$$;

-- The key of a condition: its parts, or what is like them if they have other characters than names in the DNS.
CREATE FUNCTION ruad.notice_key(VARIADIC parts text[]) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
	SELECT CASE WHEN k.key ~ '^[a-z0-9._:-]{1,250}$' THEN k.key
		ELSE rtrim(left(regexp_replace(lower(k.key), '[^a-z0-9._:-]+', '-', 'g'), 200), '-') || '-'
			|| left(md5(k.key), 8) END
	FROM (SELECT array_to_string(parts, ':') AS key) k
$$;

-- Mail of a service or a host of yours that fails.
CREATE FUNCTION ruad.fails_condition(p api.point) RETURNS ruad.condition
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	name constant text := ruad.notice_text(coalesce(p.name, p.source));
	setup constant jsonb := api.service_setup(p.source);
	c ruad.condition;
BEGIN
	c.key := ruad.notice_key('fails', p.domain, p.source);
	c.kind := 'fails';
	c.domain := ruad.notice_text(p.domain);
	c.source := ruad.notice_text(p.source);
	c.level := CASE WHEN p.rejected > 0 THEN 3 WHEN p.quarantined > 0 THEN 2 ELSE 1 END;
	c.severity := CASE WHEN c.level > 1 THEN 'error' ELSE 'warning' END;
	c.title := format('%s fails for %s', name, ruad.notice_text(p.domain));
	c.evidence := format('%s of %s that %s sent as %s in the last 30 days failed DMARC; receivers rejected %s and '
		'quarantined %s.', api.counted(p.messages), api.counted(p.of, 'message'), name, ruad.notice_text(p.domain),
		api.counted(p.rejected), api.counted(p.quarantined));
	c.action := coalesce(ruad.notice_text(p.fix, 500),
		format('Set it up for %s: %s%s.', ruad.notice_text(p.domain), ruad.notice_text(setup ->> 'switch'),
			' (' || ruad.notice_text(setup ->> 'manual') || ')'),
		format('Sign its mail with DKIM as %1$s, or add its addresses to the SPF record of %1$s.',
			ruad.notice_text(p.domain)));
	RETURN c;
END
$$;

-- A finding about the DNS, alone or together with reports.
CREATE FUNCTION ruad.dns_condition(p api.point) RETURNS ruad.condition
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	c ruad.condition;
BEGIN
	-- numbers in the text may change while the finding is the same
	c.key := ruad.notice_key('dns', p.domain, p.code, coalesce(substr(p.source, 4), p.name,
		left(md5(regexp_replace(p.text, '[0-9]+', '#', 'g')), 8)));
	c.kind := 'dns';
	c.domain := ruad.notice_text(p.domain);
	c.source := ruad.notice_text(p.source);
	c.level := CASE WHEN p.code IN ('own_host_outside_spf', 'dns_error') THEN 2 ELSE 1 END;
	c.severity := CASE WHEN c.level > 1 THEN 'error' ELSE 'warning' END;
	c.title := format('%s of %s', CASE p.code WHEN 'own_host_outside_spf' THEN 'A host outside SPF'
		WHEN 'selector_without_key' THEN 'A DKIM selector without a key' WHEN 'unsolicited' THEN 'No mailbox in the '
		'DMARC record' ELSE 'An error in the DNS' END, ruad.notice_text(p.domain));
	c.evidence := ruad.notice_text(p.text, 700);
	c.action := coalesce(ruad.notice_text(p.fix, 700), 'ruad check ' || ruad.notice_text(p.domain)
		|| ' says more.');
	RETURN c;
END
$$;

-- A reporter that stopped.
CREATE FUNCTION ruad.silent_condition(p api.point) RETURNS ruad.condition
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	name constant text := coalesce(ruad.notice_text(nullif(p.name, '')), 'A reporter without a name');
	c ruad.condition;
BEGIN
	c.key := ruad.notice_key('silent_reporter', p.name);
	c.kind := 'silent_reporter';
	c.domain := ruad.notice_text(p.domain);
	c.source := ruad.notice_text(p.name);
	c.level := 1;
	c.severity := 'warning';
	c.title := name || ' sends no reports';
	c.evidence := format('%s used to report every %s, but not after %s.', name,
		CASE p.senders WHEN 1 THEN 'day' ELSE api.counted(p.senders, 'day') END, left(api.iso(p.since), 10));
	c.action := 'Check whether its mail arrives: Reporters and Intake on the page, and the log of your mail server.';
	RETURN c;
END
$$;

-- Records that changed. A record of the policy, and one that is gone, are warnings.
CREATE FUNCTION ruad.changed_conditions(p api.point) RETURNS SETOF ruad.condition
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN QUERY
	SELECT ruad.notice_key('dns_changed', h.kind, h.name, extract(epoch FROM h.since)::bigint::text), 'dns_changed',
		ruad.notice_text(h.domain), NULL::text, 1::smallint,
		CASE WHEN h.kind = 'dmarc' OR h.value IS NULL THEN 'warning' ELSE 'info' END,
		format('The %s record of %s changed', upper(h.kind), ruad.notice_text(h.name)),
		format('It was %s, and the check of %s found %s.',
			coalesce('"' || ruad.notice_text(h.value_before, 300) || '"', 'missing'), left(api.iso(h.since), 10),
			coalesce('"' || ruad.notice_text(h.value, 300) || '"', 'none')),
		'If nobody in your organisation changed it, find out who did.', NULL::numeric
	FROM dmarc.dns_history h
	WHERE h.domain = p.domain AND h.name = p.name AND h.since = p.since AND h.is_change;
END
$$;

-- The conditions that the points of Overview are.
CREATE FUNCTION ruad.point_conditions(points api.point[]) RETURNS SETOF ruad.condition
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN QUERY
	SELECT c.* FROM unnest(points) p CROSS JOIN LATERAL ruad.fails_condition(p) c
	WHERE p.code ~ '^(own|service)_(rejected|quarantined|fails)$'
	UNION ALL
	SELECT c.* FROM unnest(points) p CROSS JOIN LATERAL ruad.dns_condition(p) c
	WHERE p.code IN ('own_host_outside_spf', 'dns_error', 'selector_without_key', 'unsolicited')
	UNION ALL
	SELECT c.* FROM unnest(points) p CROSS JOIN LATERAL ruad.silent_condition(p) c WHERE p.code = 'silent_reporter'
	UNION ALL
	SELECT c.* FROM unnest(points) p CROSS JOIN LATERAL ruad.changed_conditions(p) c WHERE p.code = 'dns_changed';
END
$$;

-- Sources of the last week that are yours or a service of yours, for domains that had reports long before.
CREATE FUNCTION ruad.new_source_conditions(senders api.sorted_sender[]) RETURNS SETOF ruad.condition
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	week constant timestamptz := now() - interval '7 days';
BEGIN
	RETURN QUERY
	WITH new AS (
		SELECT (s.known).domain, (s.known).domain_id, (s.known).source, min((s.known).source_name) AS name,
			min(s.whose) AS whose, sum((s.sent).messages) AS messages, sum((s.sent).pass) AS pass,
			min((s.known).first_seen) AS first_seen
		FROM unnest(senders) s
		WHERE s.whose IN ('own', 'service') AND (s.known).first_seen >= week
		GROUP BY 1, 2, 3 HAVING sum((s.sent).messages) >= 5
	)
	SELECT ruad.notice_key('new_source', n.domain, n.source), 'new_source', ruad.notice_text(n.domain),
		ruad.notice_text(n.source), 1::smallint, 'info', format('%s sends as %s', ruad.notice_text(coalesce(n.name,
			n.source)), ruad.notice_text(n.domain)),
		format('%s, which counts as %s, sent %s as %s since %s; %s passed DMARC.', ruad.notice_text(coalesce(n.name,
			n.source)), CASE n.whose WHEN 'own' THEN 'yours' ELSE 'a service of yours' END, api.counted(n.messages,
			'message'), ruad.notice_text(n.domain), left(api.iso(n.first_seen), 10), api.counted(n.pass)),
		'If it is not yours, label it on the page as not yours, or find out who uses it.', NULL::numeric
	FROM new n
	WHERE EXISTS (SELECT 1 FROM dmarc.seen b WHERE b.domain_id = n.domain_id
			AND b.first_seen < n.first_seen - interval '14 days')
		AND NOT EXISTS (SELECT 1 FROM dmarc.addresses a JOIN dmarc.seen b ON b.source_ip = a.source_ip
			WHERE a.source = n.source AND b.domain_id = n.domain_id AND b.first_seen < week);
END
$$;

-- The messages of each domain in a window that are or may be its own, and how many of these failed.
CREATE FUNCTION ruad.own_messages(f api.filter_set) RETURNS TABLE (domain text, messages numeric, fail numeric)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN QUERY SELECT (s.sent).domain, sum((s.sent).messages), sum(api.harm(s.sent)) FROM api.own_senders(f) s
	GROUP BY 1;
END
$$;

-- Domains whose share of messages that pass was at least five points lower in the last week with complete reports than
-- in the four weeks before. Once it fell, the share from then is what it is measured against, until it is within three
-- points of it: the four weeks would soon contain the fall.
CREATE FUNCTION ruad.pass_rate_conditions() RETURNS SETOF ruad.condition
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	week api.filter_set := api.filter(p_from => api.complete_until() - 7, p_to => api.complete_until());
	before api.filter_set := week;
BEGIN
	before.to_day := week.from_day;
	before.from_day := week.from_day - 28;
	RETURN QUERY
	WITH rates AS (
		SELECT w.domain, w.messages, 1 - w.fail / w.messages AS now, coalesce(n.reference, 1 - b.fail / b.messages)
			AS before, n.reference IS NOT NULL AS known, b.messages AS messages_before
		FROM ruad.own_messages(week) w
		LEFT JOIN ruad.own_messages(before) b ON b.domain = w.domain AND b.messages > 0
		LEFT JOIN ruad.notice n ON n.key = ruad.notice_key('pass_rate', w.domain) AND n.state <> 'resolved'
		WHERE w.messages >= 50
	)
	SELECT ruad.notice_key('pass_rate', r.domain), 'pass_rate', ruad.notice_text(r.domain), NULL::text,
		(CASE WHEN r.before - r.now >= 0.2 THEN 2 ELSE 1 END)::smallint,
		CASE WHEN r.before - r.now >= 0.2 THEN 'error' ELSE 'warning' END,
		format('Less mail of %s passes', ruad.notice_text(r.domain)),
		format('%s %% of %s from senders that are or may be yours passed DMARC in the week before %s, and %s %% before '
			'that.', round(r.now * 100, 1), api.counted(r.messages, 'message'), week.to_day,
			round(r.before * 100, 1)),
		'Overview on the page shows which senders fail; begin with those that are yours.', r.before
	FROM rates r
	WHERE CASE WHEN r.known THEN r.before - r.now >= 0.03 ELSE r.messages_before >= 200 AND r.before - r.now >= 0.05
		END;
END
$$;

-- Mail of the last day that could not be read, if it is much more than usual.
CREATE FUNCTION ruad.unread_conditions() RETURNS SETOF ruad.condition
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN QUERY
	WITH unread AS (
		SELECT i.received_at >= now() - interval '1 day' AS now, i.code, count(*) AS n FROM dmarc.intake i
		WHERE i.received_at >= now() - interval '29 days' AND i.status = 'quarantined'
			AND NOT api.is_unrelated(i.status, i.code)
		GROUP BY 1, 2
	), sums AS (
		SELECT coalesce(sum(u.n) FILTER (WHERE u.now), 0) AS today,
			coalesce(sum(u.n) FILTER (WHERE NOT u.now), 0) / 28 AS usual,
			(array_agg(u.code ORDER BY u.n DESC, u.code) FILTER (WHERE u.now))[1] AS code
		FROM unread u
	)
	SELECT 'unread', 'unread', NULL::text, NULL::text, (CASE WHEN s.today >= 50 THEN 2 ELSE 1 END)::smallint,
		CASE WHEN s.today >= 50 THEN 'error' ELSE 'warning' END, 'More mail cannot be read',
		format('%s could not be read in the last 24 hours (usually %s a day); the most frequent reason is %s.',
			api.counted(s.today, 'part of a mail', 'parts of mails'), round(s.usual, 1), ruad.notice_text(s.code)),
		'Intake on the page shows the reasons. The mail is kept; a newer version may read it by ruad reprocess.',
		NULL::numeric
	FROM sums s WHERE s.today >= 5 AND s.today > 2 * s.usual;
END
$$;

-- What a search through the reports finds.
CREATE FUNCTION ruad.report_conditions() RETURNS SETOF ruad.condition
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	f constant api.filter_set := api.filter();
	senders constant api.sorted_sender[] := ARRAY(SELECT s FROM api.own_senders(f) s);
BEGIN
	RETURN QUERY
	SELECT c.* FROM ruad.point_conditions(ARRAY(SELECT p FROM api.fault_points(f, senders) p)) c
	UNION ALL SELECT c.* FROM ruad.new_source_conditions(senders) c
	UNION ALL SELECT c.* FROM ruad.pass_rate_conditions() c
	UNION ALL SELECT c.* FROM ruad.unread_conditions() c;
END
$$;

-- No aggregate report for so many hours; 0: any number.
CREATE FUNCTION ruad.no_reports_conditions(p_hours integer) RETURNS SETOF ruad.condition
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN QUERY
	SELECT 'no_reports', 'no_reports', NULL::text, NULL::text, 1::smallint, 'error', 'No reports arrive',
		CASE WHEN l.at IS NULL THEN format('No aggregate report has arrived since ruad was set up on %s.',
				left(api.iso(i.at), 10))
			ELSE format('The last aggregate report arrived at %s.', api.iso(l.at)) END,
		'Check the mail server''s log and queue, and the rua addresses of your DMARC records (ruad check).',
		NULL::numeric
	FROM (SELECT min(v.applied_at) AS at FROM dmarc.schema_version v) i
	LEFT JOIN api.last_reports() l ON l.kind = 'aggregate'
	WHERE p_hours > 0 AND coalesce(l.at, i.at) < now() - p_hours * interval '1 hour';
END
$$;

-- Kept mail needs most of the bytes that retention.max_raw allows; 0: any number.
CREATE FUNCTION ruad.quota_conditions(p_max_raw bigint) RETURNS SETOF ruad.condition
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN QUERY
	SELECT 'quota', 'quota', NULL::text, NULL::text, (CASE WHEN u.used >= p_max_raw * 0.97 THEN 2 ELSE 1 END)::smallint,
		CASE WHEN u.used >= p_max_raw * 0.97 THEN 'error' ELSE 'warning' END,
		'Quarantined mail needs most of its space',
		format('%s of the %s MiB that retention.max_raw allows are used. Beyond, mail that cannot be read is answered '
			'452.', api.counted(ceil(u.used / 1048576)), api.counted(ceil(p_max_raw / 1048576.0))),
		'Read it again (ruad reprocess), lower retention.unread, or raise retention.max_raw.', NULL::numeric
	FROM (SELECT ruad.raw_beyond(p_max_raw * 0.8) AS used) u
	WHERE p_max_raw > 0 AND u.used > p_max_raw * 0.8;
END
$$;
