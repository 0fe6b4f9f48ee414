-- digest.sql - the digest of a week or month: what to do, what changed, the totals.

-- The number of domains in full if none is named.
CREATE FUNCTION api.digest_full() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT 3 $$;

-- The number of domains that have a line, of sources and records in a list.
CREATE FUNCTION api.digest_lines() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT 50 $$;

CREATE FUNCTION api.digest_list() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT 5 $$;

-- The last whole week, which begins on Monday, or month that ends on a day or before it.
CREATE FUNCTION api.digest_window(p_period text, p_until date, OUT from_day date, OUT to_day date)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	PERFORM api.check_choice('period', ARRAY['week', 'month'], p_period), api.check_day('until', p_until);
	to_day := date_trunc(p_period, (coalesce(p_until, api.today() - 1) + 1)::timestamp)::date;
	from_day := (to_day - ('1 ' || p_period)::interval)::date;
END
$$;

-- The domains that names and patterns such as *.example.org stand for: all below it that are stored. A pattern without
-- any stays as it is: it is no domain, and no list at all would be every domain. NULL for NULL.
CREATE FUNCTION api.digest_names(p_words text[]) RETURNS text[]
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (SELECT array_agg(DISTINCT coalesce(d.domain, w.word))
		FROM unnest(api.domain_names(p_words)) AS w(word)
		LEFT JOIN dmarc.domains d ON starts_with(w.word, '*.')
			AND d.domain LIKE '%' || api.like_literal(substr(w.word, 2)));
END
$$;

-- The domains of a digest, as api.digest_names() takes them: p_domains, or those that `ruad user` gives p_user. NULL
-- for all that count.
CREATE FUNCTION api.digest_words(p_domains text[], p_user text) RETURNS text[]
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	rights jsonb := api.user_grant(p_user);
BEGIN
	IF p_user IS NULL THEN
		RETURN p_domains;
	ELSIF rights IS NULL THEN
		PERFORM api.refuse('user', format('"%s" has no role: see ruad user', left(p_user, 100)));
	ELSIF p_domains IS NOT NULL THEN
		PERFORM api.refuse('user', 'does not go with domains');
	END IF;
	RETURN (SELECT array_agg(w ORDER BY w) FROM jsonb_array_elements_text(nullif(rights -> 'domains', 'null')) w);
END
$$;

-- The domains with mail in the window, the largest first: their tallies in it and in the window before. Named domains
-- without mail are the last.
CREATE FUNCTION api.digest_tallies(f api.filter_set)
RETURNS TABLE (no bigint, domain text, tally api.tally, before api.tally)
LANGUAGE plpgsql STABLE SET jit = off
AS $$
BEGIN
	RETURN QUERY
	WITH now AS (
		SELECT t.key, t FROM api.tallies('domain', f) t
	), names AS (
		SELECT n.key FROM now n WHERE n.key IS NOT NULL
		UNION
		SELECT d FROM unnest(f.domain) d WHERE f.named
	)
	SELECT row_number() OVER (ORDER BY (n.t).messages DESC NULLS LAST, k.key COLLATE "C"), k.key,
		coalesce(n.t, api.tally_zero(k.key)), coalesce(b.t, api.tally_zero(k.key))
	FROM names k LEFT JOIN now n ON n.key = k.key
	LEFT JOIN (SELECT t.key, t FROM api.tallies('domain', api.window_before(f)) t) b ON b.key = k.key;
END
$$;

-- These domains as items; those in full have a time series and the source of one's own that fails most.
CREATE FUNCTION api.digest_domains(f api.filter_set, failing api.point[]) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	answer jsonb;
BEGIN
	WITH found AS MATERIALIZED (
		SELECT t.* FROM api.digest_tallies(f) t
	), shown AS MATERIALIZED (
		SELECT s.*, (f.named OR s.no <= api.digest_full()) AND (s.tally).messages > 0 AS is_full
		FROM found s WHERE s.no <= api.digest_lines()
	), policies AS (
		SELECT r.domain, api.policy_seen(r, false) AS policy
		FROM api.newest_reports(api.only_domains(f, ARRAY(SELECT s.domain FROM shown s))) r
	)
	SELECT jsonb_build_object('total', (SELECT count(*) FROM found), 'items',
		coalesce(jsonb_agg(jsonb_build_object('name', api.display(s.domain), 'full', s.is_full,
			'totals', api.tally_json(s.tally), 'previous', api.tally_json(s.before), 'policy', p.policy,
			'series', CASE WHEN s.is_full
				THEN api.timeseries(api.only_domains(f, ARRAY[s.domain]), 'day', 'class') -> 'points' END,
			'failing', CASE WHEN s.is_full THEN (SELECT api.point_json(x) FROM unnest(failing) x
				WHERE x.domain = s.domain ORDER BY x.messages DESC LIMIT 1) END) ORDER BY s.no), '[]'))
	INTO answer
	FROM shown s LEFT JOIN policies p ON p.domain = s.domain;
	RETURN answer;
END
$$;

-- The first of some points.
CREATE FUNCTION api.points_json(points api.point[]) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
	SELECT coalesce(jsonb_agg(api.point_json(points[i]) ORDER BY i), '[]')
	FROM generate_series(1, least(cardinality(points), api.digest_list())) i
$$;

-- Points that were failing in the window before and are resolved in this one: the source failed no more, and mail
-- passed some days after its last failure. The time until counts as in api.failing_points(). sent: at least the senders
-- of these sources.
CREATE FUNCTION api.digest_resolved(before api.point[], now api.point[], sent api.sorted_sender[])
RETURNS SETOF api.point
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN QUERY
	SELECT 9, 'fixed', b.domain, b.source, b.name, b.reason, b.messages, b.of, b.rejected, b.quarantined, b.senders,
		b.since, b.until, b.text, b.fix
	FROM unnest(before) b
	WHERE NOT EXISTS (SELECT 1 FROM unnest(now) n
			WHERE n.domain = b.domain AND n.source = b.source)
		AND EXISTS (SELECT 1 FROM unnest(sent) x WHERE (x.sent).domain = b.domain AND (x.sent).source = b.source
			AND (x.sent).last_pass >= b.until + api.fixed_days() * interval '1 day')
	UNION ALL
	SELECT n.* FROM unnest(now) n WHERE n.code = 'fixed';
END
$$;

-- The tags in which two policies differ.
CREATE FUNCTION api.policy_differences(before api.policy, now api.policy) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT coalesce(jsonb_agg(jsonb_build_object('tag', CASE b.key WHEN 'testing' THEN 't' ELSE b.key END,
		'before', api.display(b.value), 'now', api.display(to_jsonb(now) ->> b.key)) ORDER BY b.no), '[]')
	FROM jsonb_each_text(to_jsonb(before)) WITH ORDINALITY AS b(key, value, no)
	WHERE b.value IS DISTINCT FROM to_jsonb(now) ->> b.key
$$;

-- The policies of some domains that reporters first saw in the window, where they saw another one before.
CREATE FUNCTION api.digest_policies(p_domains text[], f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	RETURN (
		SELECT coalesce(jsonb_agg(jsonb_build_object('domain', api.display(d.domain), 'since', api.iso(api.at(h.day)),
			'tags', api.policy_differences(h.before, h.policy)) ORDER BY h.day, d.domain COLLATE "C"), '[]')
		FROM unnest(p_domains) AS d(domain)
		CROSS JOIN LATERAL (
			SELECT v.first_day AS day, v.policy, lead(v.policy) OVER () AS before
			FROM api.policy_history(d.domain, f.to_day) v LIMIT 1
		) h
		WHERE h.before IS DISTINCT FROM NULL AND h.day >= f.from_day);
END
$$;

-- The largest sources that were first seen in the window; those of strangers and forwarders are the last.
CREATE FUNCTION api.digest_sources(f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (SELECT coalesce(jsonb_agg(n.item ORDER BY n.no), '[]') FROM (
		SELECT row_number() OVER (ORDER BY coalesce(s.v ->> 'whose', '') IN ('stranger', 'forwarder'), s.no) AS no,
			jsonb_build_object('name', coalesce(s.v ->> 'name', api.key_words(s.v ->> 'key')),
				'messages', s.v -> 'messages', 'pass', s.v -> 'pass', 'whose', s.v -> 'whose') AS item
		FROM jsonb_array_elements(api.sources(f, api.page(200)) -> 'items') WITH ORDINALITY AS s(v, no)
		WHERE (s.v -> 'new')::boolean ORDER BY 1 LIMIT api.digest_list()) n);
END
$$;

-- What changed since the window before, beyond the totals.
CREATE FUNCTION api.digest_changes(f api.filter_set, p_domains text[], sources jsonb, resolved api.point[])
RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN jsonb_build_object(
		'resolved', api.points_json(resolved),
		'sources', CASE WHEN (sources -> 'new')::integer > 0 THEN api.digest_sources(f) ELSE '[]' END,
		'policies', api.digest_policies(p_domains, f),
		'dns', (SELECT coalesce(jsonb_agg(jsonb_build_object('domain', api.display(h.domain), 'kind', h.kind,
				'name', api.display(h.name), 'since', api.iso(h.since), 'before', api.display(h.value_before),
				'now', api.display(h.value)) ORDER BY h.since, h.domain COLLATE "C", h.name COLLATE "C"), '[]')
			FROM (SELECT c.* FROM api.changed_records(f, f.from_day) c ORDER BY c.since DESC, c.domain, c.name
				LIMIT 2 * api.digest_list()) h));
END
$$;

-- Mail that could not be read or conflicted, in the window and in the one before. It belongs to no domain, so there is
-- none if domains are named.
CREATE FUNCTION api.digest_unread(f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	now jsonb;
BEGIN
	IF f.named THEN
		RETURN NULL;
	END IF;
	now := api.intake_counts(f);
	RETURN jsonb_build_object('quarantined', now #> '{counts,quarantined}', 'conflict', now #> '{counts,conflict}',
		'previous', api.intake_counts(api.window_before(f)) -> 'counts');
END
$$;

-- The digest of the last whole week or month that ends on p_until (default: yesterday) or before it; of p_domains,
-- which are names and patterns, or of the domains of p_user; if both are NULL, of all that count.
CREATE FUNCTION api.digest(p_period text, p_until date DEFAULT NULL, p_domains text[] DEFAULT NULL,
	p_user text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	most constant integer := 20; -- domains; each costs a look at its policies
	w record;
	f api.filter_set;
	summary jsonb;
	domains jsonb;
	advised api.advised;
	points api.point[];
	failing api.point[];
	failed api.point[];
	resolved api.point[];
BEGIN
	SELECT d.* INTO w FROM api.digest_window(p_period, p_until) d;
	f := api.filter(p_domain => api.digest_names(api.digest_words(p_domains, p_user)), p_from => w.from_day,
		p_to => w.to_day);
	summary := api.summary(f) || jsonb_build_object('period', p_period, 'named', f.named,
		'before', api.window_json(api.window_before(f)), 'unread', api.digest_unread(f));
	IF summary #>> '{totals,messages}' = '0' THEN
		RETURN summary || jsonb_build_object('domains', api.digest_domains(f, '{}'));
	END IF;
	advised := api.advised_senders(f);
	points := ARRAY(SELECT p FROM api.failing_points(advised.senders) p);
	failing := ARRAY(SELECT p FROM unnest(points) p WHERE p.code ~ '^(own|service)_'
		ORDER BY p.messages DESC, p.domain COLLATE "C", p.source COLLATE "C");
	failed := ARRAY(SELECT p FROM api.failing_points((api.advised_senders(api.window_before(f))).senders) p
		WHERE p.code ~ '^(own|service)_');
	resolved := ARRAY(SELECT r FROM api.digest_resolved(failed, points,
			ARRAY(SELECT s FROM api.sorted_senders(f,
				api.ips_of_sources(ARRAY(SELECT p.source FROM unnest(failed) p))) s)) r
		ORDER BY r.messages DESC, r.domain COLLATE "C", r.source COLLATE "C");
	domains := api.digest_domains(f, failing);
	RETURN summary || jsonb_build_object('domains', domains, 'advice', api.advice_of(f, advised),
		'changes', api.digest_changes(f, ARRAY(SELECT d ->> 'name'
			FROM jsonb_array_elements(domains -> 'items') WITH ORDINALITY x(d, no) ORDER BY x.no LIMIT most),
			summary -> 'sources', resolved),
		'series', api.timeseries(f, 'day', 'class') -> 'points', 'failing_total', cardinality(failing),
		'failing', api.points_json(failing),
		'silent', (SELECT coalesce(jsonb_agg(jsonb_build_object('name', api.display(r.org_name),
			'since', api.iso(api.at(r.last_day)), 'until', api.iso(api.at(r.last_of_all)))
			ORDER BY r.messages DESC, r.org_name COLLATE "C"), '[]') FROM api.silent_reporters(f) r));
END
$$;
