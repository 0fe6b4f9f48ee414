-- notices.sql - what is told about conditions, and when: once when one is new, gets worse, or is over.
--
-- A condition that comes and goes is no news: it is over only after it was absent for a day, and nothing is told about
-- the same condition within a day, unless it got worse than all that was told.

-- The time that a condition must be absent, and that passes between two notices of it.
CREATE FUNCTION ruad.notice_pause() RETURNS interval
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT interval '1 day' $$;

-- Remember which conditions are present. with_reports: whether those of the reports are among them.
CREATE FUNCTION ruad.notices_keep(present ruad.condition[], with_reports boolean) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	LOCK TABLE ruad.notice IN SHARE ROW EXCLUSIVE MODE; -- several hosts may look
	INSERT INTO ruad.notice AS n (key, kind, domain, source, level, severity, title, evidence, action, reference, state,
		since, seen_at, changed_at)
	SELECT DISTINCT ON (c.key) c.key, c.kind, c.domain, c.source, c.level, c.severity, c.title, c.evidence, c.action,
		c.reference, 'new', now(), now(), now()
	FROM unnest(present) c ORDER BY c.key, c.level DESC
	ON CONFLICT (key) DO UPDATE SET level = excluded.level, severity = excluded.severity, title = excluded.title,
		evidence = excluded.evidence, action = excluded.action, seen_at = now(), gone_since = NULL,
		state = CASE n.state WHEN 'resolved' THEN 'new' ELSE n.state END,
		since = CASE n.state WHEN 'resolved' THEN now() ELSE n.since END,
		changed_at = CASE n.state WHEN 'resolved' THEN now() ELSE n.changed_at END,
		told_level = CASE n.state WHEN 'resolved' THEN 0 ELSE n.told_level END,
		reference = CASE n.state WHEN 'resolved' THEN excluded.reference ELSE n.reference END;
	UPDATE ruad.notice n SET gone_since = now()
	FROM ruad.notice_kinds() k
	WHERE k.kind = n.kind AND (with_reports OR NOT k.of_reports) AND n.state <> 'resolved' AND n.gone_since IS NULL
		AND n.seen_at < now();
END
$$;

-- Conditions that are over without a word: those that nobody heard of or wants to hear of, events, and reporters that
-- were silent for so long that they are forgotten. What is over for long, and not silenced, is removed.
CREATE FUNCTION ruad.notices_end() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	UPDATE ruad.notice n SET state = 'resolved', changed_at = now()
	FROM ruad.notice_kinds() k
	WHERE k.kind = n.kind AND n.state <> 'resolved' AND n.gone_since <= now() - ruad.notice_pause()
		AND (n.state = 'new' OR k.is_event OR n.silenced_until > now()
			OR n.kind = 'silent_reporter' AND n.since < now() - interval '60 days');
	DELETE FROM ruad.notice n WHERE n.state = 'resolved' AND n.changed_at < now() - interval '90 days'
		AND coalesce(n.silenced_until <= now(), true);
END
$$;

-- Look which conditions are present. p_server: conditions that the caller found, as an array of objects with the
-- columns of ruad.condition. p_no_reports: hours without a report, p_max_raw: bytes, 0 for any number. The reports are
-- searched once an hour, or at once.
CREATE FUNCTION ruad.notices_look(p_at_once boolean, p_server jsonb, p_no_reports integer, p_max_raw bigint)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	with_reports boolean := p_at_once OR (SELECT s.reports_at <= now() - interval '1 hour' FROM ruad.notice_state s);
	present ruad.condition[] := ARRAY(
		SELECT c FROM jsonb_populate_recordset(NULL::ruad.condition, p_server) c WHERE c.kind IN ('disk', 'intake')
		UNION ALL SELECT c FROM ruad.no_reports_conditions(p_no_reports) c CROSS JOIN ruad.gate
		UNION ALL SELECT c FROM ruad.quota_conditions(p_max_raw) c);
BEGIN
	IF with_reports THEN
		present := present || ARRAY(SELECT c FROM ruad.report_conditions() c CROSS JOIN ruad.gate);
		UPDATE ruad.notice_state SET reports_at = now();
	END IF;
	PERFORM ruad.notices_keep(present, with_reports);
	PERFORM ruad.notices_end();
END
$$;

-- What is to be told now, the worst first, at most 500; it counts as told with the end of this transaction, in which
-- the caller queues the message. event: new, worse or resolved. Nothing, if a destination has too much waiting.
CREATE FUNCTION ruad.notices_take(p_destinations text[]) RETURNS TABLE (event text, key text, kind text, domain text,
	source text, severity text, title text, evidence text, action text, since text, gone_since text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT ruad.outbox_has_room(p_destinations) THEN
		RETURN;
	END IF;
	LOCK TABLE ruad.notice IN SHARE ROW EXCLUSIVE MODE;
	RETURN QUERY
	WITH due AS (
		SELECT n.key, CASE WHEN n.state = 'new' THEN 'new' WHEN n.gone_since IS NULL THEN 'worse' ELSE 'resolved' END
			AS event
		FROM ruad.notice n
		WHERE coalesce(n.silenced_until <= now(), true) AND CASE
			WHEN n.state = 'new' THEN n.gone_since IS NULL AND coalesce(n.told_at <= now() - ruad.notice_pause(), true)
			WHEN n.state = 'told' AND n.gone_since IS NULL THEN n.level > n.told_level
			ELSE n.state = 'told' AND n.gone_since <= now() - ruad.notice_pause() END
		ORDER BY n.level DESC, n.key LIMIT 500
	), told AS (
		UPDATE ruad.notice n SET state = CASE d.event WHEN 'resolved' THEN 'resolved' ELSE 'told' END, told_at = now(),
			changed_at = now(), told_level = greatest(n.told_level, n.level)
		FROM due d WHERE d.key = n.key
		RETURNING d.event, n.*
	)
	SELECT t.event, t.key, t.kind, t.domain, t.source, t.severity, t.title, t.evidence, t.action, api.iso(t.since),
		api.iso(t.gone_since)
	FROM told t
	ORDER BY array_position('{new,worse,resolved}'::text[], t.event),
		array_position('{error,warning,info}'::text[], t.severity),
		t.domain COLLATE "C" NULLS FIRST, t.key COLLATE "C";
END
$$;

-- All conditions that are present or were told and are not over for a week, for `ruad notify --list`.
CREATE FUNCTION ruad.notice_list() RETURNS TABLE (key text, state text, severity text, since text, told_at text,
	silenced_until text, title text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	SELECT n.key, CASE WHEN n.silenced_until > now() THEN 'silenced' ELSE n.state END, n.severity, api.iso(n.since),
		api.iso(n.told_at), CASE WHEN n.silenced_until = 'infinity' THEN 'infinity' WHEN n.silenced_until > now()
			THEN api.iso(n.silenced_until) END, n.title
	FROM ruad.notice n
	WHERE n.state <> 'resolved' OR n.silenced_until > now() OR n.changed_at > now() - interval '7 days'
	ORDER BY array_position('{new,told,resolved}'::text[], n.state),
		array_position('{error,warning,info}'::text[], n.severity),
		n.key COLLATE "C";
END
$$;

-- Tell nothing about a condition until p_until (NULL: ever; a time that has passed ends a silence). Raises ERRCODE
-- 22023 if there is no such condition.
CREATE FUNCTION ruad.notice_silence(p_key text, p_until timestamptz, p_user text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE ruad.notice n SET silenced_until = coalesce(p_until, 'infinity'), silenced_by = p_user WHERE n.key = p_key;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'no notice has the key "%": ruad notify --list shows all', left(p_key, 300)
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	PERFORM ruad.audit('notice_silence', p_user, p_key, jsonb_build_object('until', coalesce(p_until, 'infinity')));
END
$$;

GRANT EXECUTE ON FUNCTION ruad.notices_look, ruad.notices_take TO ruad_notify;
