-- 0013_api_sources - what is sent, by whom, and who says so: the summary, sources, records and reports of the API.

SET LOCAL ROLE ruad_owner;

-- Numbers

-- A row when an address had reports on the filter's domains before its window: an index probe per month. (In FROM it is planned with the
-- query around it; as a value it would be planned at each call.)
CREATE FUNCTION api.seen_before(ip inet, f api.filter_set) RETURNS SETOF boolean
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT true FROM dmarc.records r
	WHERE r.source_ip = ip AND r.begin < api.at(f.from_day) AND (f.domain IS NULL OR r.domain = ANY (f.domain))
	LIMIT 1
$$;

-- Sources of a window: how many, how many of them were never seen before it, and how many have half of their messages or more fail.
-- A source was seen before when any address was that it has in the window, or one of a hundred others that belong to it today. Mostly
-- the first address settles it.
CREATE FUNCTION api.source_counts(f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	RETURN (
		WITH sums AS MATERIALIZED (
			SELECT r.source_ip, sum(r.count) AS messages, sum(r.count) FILTER (WHERE r.dmarc_pass) AS pass FROM api.matching(f) r GROUP BY 1
		), addresses AS MATERIALIZED (
			SELECT coalesce(a.source, 'ip:' || host(s.source_ip)) AS key, s.* FROM sums s LEFT JOIN dmarc.addresses a USING (source_ip)
		), sources AS MATERIALIZED (
			SELECT a.key, min(a.source_ip) AS one, coalesce(sum(a.pass), 0) <= sum(a.messages) * 0.5 AND sum(a.messages) > 0 AS failing
			FROM addresses a GROUP BY 1
		), unseen AS MATERIALIZED (
			SELECT s.key FROM sources s LEFT JOIN LATERAL api.seen_before(s.one, f) AS b(seen) ON true WHERE s.key IS NOT NULL AND b.seen IS NULL
		), members AS (
			SELECT u.key, a.source_ip FROM unseen u JOIN addresses a USING (key)
			UNION
			SELECT u.key, a.source_ip FROM unseen u
			CROSS JOIN LATERAL (SELECT a.source_ip FROM dmarc.addresses a WHERE a.source = u.key LIMIT 100) a
		)
		SELECT jsonb_build_object('total', (SELECT count(*) FROM sources), 'failing', (SELECT count(*) FROM sources s WHERE s.failing),
			'new', (SELECT count(*) FROM unseen)
				- (SELECT count(DISTINCT m.key) FROM members m CROSS JOIN LATERAL api.seen_before(m.source_ip, f) b)));
END
$$;

CREATE FUNCTION api.summary(f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	previous api.filter_set := api.window_before(f);
	answer jsonb;
BEGIN
	answer := jsonb_build_object('window', api.window_json(f), 'complete_until', greatest(f.from_day, least(f.to_day, api.complete_until())));
	answer := answer || jsonb_build_object('totals', api.totals(f), 'previous', api.totals(previous), 'sources', api.source_counts(f));
	RETURN answer || (SELECT jsonb_build_object('reports', count(*), 'reporters', count(DISTINCT r.org_name),
		'last_report_at', api.iso(max(r.received_at)))
		FROM api.matching_reports(f) r);
END
$$;

-- What a message counts as in a time series.
CREATE FUNCTION api.series_key(p_by text, class text, disposition text, domain text, org_name text, dkim boolean, spf boolean)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT CASE p_by
		WHEN 'class' THEN class
		WHEN 'disposition' THEN CASE WHEN disposition = ANY (api.dispositions()) THEN disposition ELSE 'unknown' END
		WHEN 'domain' THEN domain
		WHEN 'reporter' THEN coalesce(org_name, 'unknown')
		ELSE CASE WHEN dkim AND spf THEN 'both' WHEN dkim THEN 'dkim_only' WHEN spf THEN 'spf_only' ELSE 'none' END
	END
$$;

-- The keys of a series that do not depend on the data; NULL for domain and reporter.
CREATE FUNCTION api.series_keys(p_by text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE p_by
		WHEN 'class' THEN api.classes()
		WHEN 'disposition' THEN api.dispositions()
		WHEN 'alignment' THEN ARRAY['both', 'dkim_only', 'spf_only', 'none']
	END
$$;

CREATE FUNCTION api.timeseries(f api.filter_set, p_bucket text DEFAULT NULL, p_by text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	answer jsonb;
BEGIN
	p_bucket := api.bucket_of(p_bucket, f);
	PERFORM api.check_choice('by', ARRAY['class', 'disposition', 'domain', 'reporter', 'alignment'], p_by);
	p_by := coalesce(p_by, 'class');

	WITH raw AS MATERIALIZED (
		SELECT date_trunc(p_bucket, r.day::timestamp)::date AS t,
			api.series_key(p_by, r.class, r.disposition, r.domain, r.org_name, r.dkim_aligned, r.spf_aligned) AS key,
			sum(r.count) AS n
		FROM api.matching(f) r
		GROUP BY 1, 2
	), shown AS (
		SELECT raw.t, api.display(raw.key) AS key, sum(raw.n) AS n FROM raw GROUP BY 1, 2
	), largest AS (
		SELECT key, row_number() OVER (ORDER BY sum(n) DESC NULLS LAST, key COLLATE "C") AS rank FROM shown GROUP BY key
	), sums AS (
		SELECT s.t, CASE WHEN api.series_keys(p_by) IS NULL AND l.rank > 10 THEN 'other' ELSE s.key END AS key, sum(s.n) AS n
		FROM shown s JOIN largest l USING (key)
		GROUP BY 1, 2
	), keys AS (
		SELECT k.key, k.rank FROM unnest(api.series_keys(p_by)) WITH ORDINALITY AS k(key, rank)
		UNION ALL
		SELECT s.key, min(l.rank) FROM sums s LEFT JOIN largest l ON l.key = s.key AND l.rank <= 10
		WHERE api.series_keys(p_by) IS NULL GROUP BY s.key
	), points AS (
		SELECT b.t, b.complete,
			(SELECT jsonb_object_agg(k.key, coalesce(s.n, 0)) FROM keys k LEFT JOIN sums s ON s.t = b.t AND s.key = k.key) AS v
		FROM api.buckets(p_bucket, f) b
	)
	SELECT jsonb_build_object('window', api.window_json(f), 'bucket', p_bucket, 'by', p_by,
		'keys', (SELECT coalesce(jsonb_agg(k.key ORDER BY k.rank NULLS LAST), '[]') FROM keys k),
		'points', coalesce(jsonb_agg(jsonb_build_object('t', p.t, 'complete', p.complete, 'v', coalesce(p.v, '{}')) ORDER BY p.t), '[]'))
	INTO answer FROM points p;
	RETURN answer;
END
$$;

-- Sources

-- What the records of a window say about some keys: three policy domains with the most messages and how many there are, how many
-- addresses, and whether it looks like a forwarder: more than half of its messages passed by DKIM alone, were let through in spite of the
-- policy or had a signature that broke on the way, and these came from three From domains or more. One's own sender of one domain that
-- has no SPF looks the same otherwise; a hint, not proof.
CREATE FUNCTION api.source_facts(p_group text, p_keys text[], f api.filter_set)
RETURNS TABLE (key text, domains jsonb, domains_total bigint, ips_total bigint, forwarder boolean)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	WITH found AS (
		SELECT coalesce(api.group_key(p_group, r.domain, r.header_from, r.source, r.rdns_domain, r.asn, r.country, r.source_ip,
				r.auth_results, r.org_name), '') AS key, r.domain, r.source_ip,
			CASE WHEN p_group IN ('source', 'ip', 'rdns', 'asn') THEN r.header_from END AS header_from, r.count,
			r.dkim_aligned AND NOT r.spf_aligned OR r.class IN ('fail_overridden', 'fail_altered') AS forwarded
		FROM api.matching(f) r
		OFFSET 0 -- the key is made once
	), cells AS MATERIALIZED (
		SELECT r.key, r.domain, r.source_ip, r.header_from, sum(r.count) AS messages, sum(r.count) FILTER (WHERE r.forwarded) AS forwarded
		FROM found r
		WHERE r.key IN (SELECT coalesce(k, '') FROM unnest(p_keys) k)
		GROUP BY 1, 2, 3, 4
	), domains AS (
		SELECT d.key, jsonb_agg(api.display(d.domain) ORDER BY d.rank) FILTER (WHERE d.rank <= 3) AS largest, count(*) AS total
		FROM (
			SELECT c.key, c.domain,
				row_number() OVER (PARTITION BY c.key ORDER BY coalesce(sum(c.messages), 0) DESC, c.domain COLLATE "C") AS rank
			FROM cells c
			GROUP BY 1, 2
		) d
		GROUP BY 1
	)
	SELECT d.key, d.largest, d.total, s.ips, s.forwarder
	FROM domains d
	JOIN (
		SELECT c.key, count(DISTINCT c.source_ip) AS ips, coalesce(sum(c.forwarded) * 2 > sum(c.messages)
			AND count(DISTINCT c.header_from) FILTER (WHERE c.forwarded > 0) >= 3, false) AS forwarder
		FROM cells c
		GROUP BY 1
	) s USING (key)
$$;

-- What is known of some keys beside the window: name, type, what the name rests on, the source that an address belongs to, label (that
-- of the key, else the one that all its addresses have), and the first and last report at all of the domains asked for. The latter
-- takes an index probe per address and month, so it is not known (NULL) of a key with more than a hundred addresses, or fewer in a long
-- list; nor of a country or an authenticated domain, which are no set of addresses.
CREATE TYPE api.source_identity AS (key text, name text, type text, name_basis text, source text, label text, first_seen timestamptz,
	last_seen timestamptz);

CREATE FUNCTION api.source_known(p_group text, p_keys text[], f api.filter_set) RETURNS SETOF api.source_identity
LANGUAGE sql STABLE
AS $$
	WITH keys AS (
		SELECT k.key, CASE WHEN p_group = 'ip' THEN k.key::inet WHEN k.key LIKE 'ip:%' THEN substr(k.key, 4)::inet END AS ip,
			CASE p_group WHEN 'source' THEN k.key WHEN 'ip' THEN 'ip:' || k.key WHEN 'rdns' THEN 'domain:' || k.key
				WHEN 'asn' THEN 'as:' || k.key END AS labelled
		FROM unnest(p_keys) AS k(key)
		WHERE p_group IN ('source', 'ip', 'rdns', 'asn') AND k.key IS NOT NULL
	), members AS (
		SELECT k.key, coalesce(a.source_ip, k.ip) AS ip, a.source, a.source_name, a.source_type, a.name_basis, a.rdns, a.as_name,
			coalesce(l.label, CASE WHEN count(a.label) OVER w = count(*) OVER w AND min(a.label) OVER w = max(a.label) OVER w
				THEN a.label END) AS label,
			count(*) OVER w <= least(100, 20000 / greatest(1, cardinality(p_keys))) AS few,
			row_number() OVER (PARTITION BY k.key ORDER BY a.looked_up_at DESC NULLS LAST, a.source_ip) = 1 AS newest
		FROM keys k
		LEFT JOIN dmarc.labels l ON l.source = k.labelled
		LEFT JOIN dmarc.addresses a ON CASE p_group WHEN 'source' THEN a.source = k.key WHEN 'ip' THEN a.source_ip = k.ip
			WHEN 'rdns' THEN a.rdns_domain = k.key WHEN 'asn' THEN a.asn = k.key::bigint END
		WINDOW w AS (PARTITION BY k.key)
	)
	SELECT m.key,
		max(CASE p_group WHEN 'source' THEN m.source_name WHEN 'ip' THEN m.rdns WHEN 'asn' THEN m.as_name END) FILTER (WHERE m.newest),
		max(CASE WHEN p_group IN ('source', 'ip') THEN m.source_type END) FILTER (WHERE m.newest),
		max(CASE p_group WHEN 'source' THEN coalesce(m.name_basis, CASE WHEN m.key LIKE 'ip:%' THEN 'ip' END)
			WHEN 'ip' THEN CASE WHEN m.rdns IS NULL THEN 'ip' ELSE 'rdns' END WHEN 'rdns' THEN 'rdns' WHEN 'asn' THEN 'asn' END)
			FILTER (WHERE m.newest),
		max(CASE WHEN p_group = 'ip' THEN coalesce(m.source, 'ip:' || m.key) END) FILTER (WHERE m.newest),
		max(m.label),
		min(CASE WHEN m.few THEN (SELECT r.begin FROM dmarc.records r WHERE r.source_ip = m.ip AND (f.domain IS NULL OR r.domain = ANY (f.domain))
			ORDER BY r.begin LIMIT 1) END),
		max(CASE WHEN m.few THEN (SELECT r.begin FROM dmarc.records r WHERE r.source_ip = m.ip AND (f.domain IS NULL OR r.domain = ANY (f.domain))
			ORDER BY r.begin DESC LIMIT 1) END)
	FROM members m
	GROUP BY m.key
$$;

-- A source, or group of sources, as lists show it, for each tally.
CREATE FUNCTION api.source_items(p_group text, tallies api.tally[], f api.filter_set, csv boolean) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	keys text[] := ARRAY(SELECT t.key FROM unnest(tallies) t);
	known api.source_identity[] := ARRAY(SELECT k FROM api.source_known(p_group, keys, f) k); -- of an array the planner sees the length
BEGIN
	RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('key', api.display((t.tally).key), 'name', api.display(k.name), 'type', k.type,
			'name_basis', k.name_basis, 'source', api.display(k.source), 'label', k.label, 'forwarder', coalesce(d.forwarder, false),
			'domains', d.domains, 'domains_total', d.domains_total, 'ips_total', d.ips_total,
			'first_seen', api.iso(k.first_seen), 'last_seen', api.iso(coalesce(k.last_seen, (t.tally).last_seen)),
			'new', k.first_seen >= api.at(f.from_day), 'in_spf', q.in_spf, 'spark', s.spark) || api.tally_json(t.tally) ORDER BY t.no), '[]')
		FROM api.numbered(tallies) t
		LEFT JOIN api.source_facts(p_group, keys, f) d ON d.key = coalesce((t.tally).key, '')
		LEFT JOIN unnest(known) k ON k.key = (t.tally).key
		LEFT JOIN api.source_spf(p_group, keys, f) q ON q.key = (t.tally).key
		LEFT JOIN api.sparks(p_group, CASE WHEN NOT csv THEN keys END, f) s ON coalesce(s.key, '') = coalesce((t.tally).key, ''));
END
$$;

-- The sources in a window, by what they are grouped by. CSV has no sparks.
CREATE FUNCTION api.sources(f api.filter_set, p api.page_spec, p_group text DEFAULT NULL, p_sort text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	list text;
	page api.tally[];
	place api.rank;
	total bigint;
BEGIN
	PERFORM api.check_choice('group', api.source_groups(), p_group);
	p_group := coalesce(p_group, 'source');
	p_sort := api.sort_of(p_sort);
	list := format('sources %s %s', p_group, p_sort);
	place := api.rank_of(list, p.cursor);
	SELECT t.total, t.page INTO total, page FROM api.tally_page(p_group, f, p_sort, p.size, place) t;
	RETURN jsonb_build_object('window', api.window_json(f), 'group', p_group, 'items', api.source_items(p_group, page[:p.size], f, p.csv),
		'next', api.tally_next(list, page, p_sort, p.size), 'total', total);
END
$$;

-- The filter, and only the source with that key.
CREATE FUNCTION api.of_source(f api.filter_set, p_key text) RETURNS api.filter_set
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	f.source_ip := api.source_ips_of(ARRAY[p_key]);
	f.source := CASE WHEN f.source_ip IS NULL THEN ARRAY[p_key] END;
	f.by_record := true;
	RETURN f;
END
$$;

-- Whether anything is known of a source: an address, a label, or a report on the address.
CREATE FUNCTION api.source_is_known(p_key text) RETURNS boolean
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	ips inet[];
BEGIN
	ips := api.source_ips_of(ARRAY[p_key]);
	IF ips IS NOT NULL THEN
		p_key := 'ip:' || host(ips[1]);
	END IF;
	RETURN p_key = 'none'
		OR EXISTS (SELECT FROM dmarc.addresses a WHERE a.source = p_key)
		OR EXISTS (SELECT FROM dmarc.addresses a WHERE a.source_ip = ips[1])
		OR EXISTS (SELECT FROM dmarc.labels l WHERE l.source = p_key)
		OR EXISTS (SELECT FROM dmarc.records r WHERE r.source_ip = ips[1]);
EXCEPTION WHEN invalid_parameter_value THEN
	RETURN false; -- no key of a source
END
$$;

CREATE FUNCTION api.label_set(l dmarc.labels) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('source', api.display(l.source), 'label', l.label, 'note', api.display(l.note),
		'set_by', api.display(l.set_by), 'set_via', l.set_via, 'set_at', api.iso(l.set_at))
$$;

-- How many messages each kind of override let through, the largest first.
CREATE FUNCTION api.overrides(f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	RETURN (
		SELECT coalesce(jsonb_agg(jsonb_build_object('type', o.type, 'messages', o.messages) ORDER BY o.messages DESC, o.type COLLATE "C"), '[]')
		FROM (
			SELECT e.type, coalesce(sum(r.count), 0) AS messages
			FROM api.matching(f) r
			CROSS JOIN LATERAL (SELECT DISTINCT api.display(t #>> '{}') AS type FROM jsonb_path_query(r.reason, '$[*].type') t) e
			WHERE e.type IS NOT NULL
			GROUP BY 1
		) o);
END
$$;

-- One source; NULL when it was never heard of.
CREATE FUNCTION api.source(p_key text, f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	ip inet;
	key text;
	t api.tally;
	item jsonb;
BEGIN
	IF NOT api.source_is_known(p_key) THEN
		RETURN NULL;
	END IF;
	f := api.of_source(f, p_key);
	ip := f.source_ip[1];
	key := CASE WHEN ip IS NOT NULL THEN 'ip:' || host(ip) WHEN p_key <> 'none' THEN p_key END;
	SELECT * INTO t FROM api.tallies('', f);
	IF NOT FOUND THEN
		t := api.tally_zero();
	END IF;
	t.key := coalesce(host(ip), key);
	item := api.source_items(CASE WHEN ip IS NULL THEN 'source' ELSE 'ip' END, ARRAY[t], f, false) -> 0;
	RETURN item || jsonb_build_object('key', api.display(key), 'window', api.window_json(f), 'overrides', api.overrides(f),
		'note', (SELECT api.display(l.note) FROM dmarc.labels l WHERE l.source = key),
		'label_log', (SELECT coalesce(jsonb_agg(api.label_set(ROW(l.source, l.label, l.note, l.set_by, l.set_via, l.set_at)) ORDER BY l.id DESC), '[]')
			FROM (SELECT * FROM dmarc.label_log g WHERE g.source = key ORDER BY g.id DESC LIMIT 20) l),
		'address', CASE WHEN ip IS NOT NULL THEN api.address_json(ip) END);
END
$$;

-- What is known of an address.
CREATE FUNCTION api.address_json(p_ip inet) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('source_ip', host(p_ip), 'rdns', api.display(a.rdns), 'rdns_domain', api.display(a.rdns_domain), 'asn', a.asn,
		'as_name', api.display(a.as_name), 'country', a.country, 'looked_up_at', api.iso(a.looked_up_at))
	FROM (VALUES (p_ip)) AS x(ip) LEFT JOIN dmarc.addresses a ON a.source_ip = x.ip
$$;

-- The addresses of a source, the largest first; NULL when it was never heard of.
CREATE FUNCTION api.source_ips(p_key text, f api.filter_set, p api.page_spec) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	page api.tally[];
	place api.rank := api.rank_of('source_ips', p.cursor);
	total bigint;
BEGIN
	IF NOT api.source_is_known(p_key) THEN
		RETURN NULL;
	END IF;
	f := api.of_source(f, p_key);
	SELECT t.total, t.page INTO total, page
	FROM api.tally_page('ip', f, '-messages', p.size, place) t;
	IF p_key = 'none' THEN -- that it has no address makes it one
		total := 0;
		page := NULL;
	END IF;
	RETURN jsonb_build_object('window', api.window_json(f), 'total', total, 'next', api.tally_next('source_ips', page, '-messages', p.size),
		'items', (SELECT coalesce(jsonb_agg(api.address_json((t.tally).key::inet) - '{rdns_domain,looked_up_at}'::text[] || jsonb_build_object(
				'messages', (t.tally).messages, 'pass', (t.tally).pass, 'first_seen', api.iso(coalesce(k.first_seen, (t.tally).first_seen)),
				'last_seen', api.iso(coalesce(k.last_seen, (t.tally).last_seen)), 'in_spf', q.in_spf) ORDER BY t.no), '[]')
			FROM api.numbered(page[:p.size]) t
			LEFT JOIN api.source_spf('ip', ARRAY(SELECT u.key FROM unnest(page[:p.size]) u), f) q ON q.key = (t.tally).key
			LEFT JOIN api.source_known('ip', ARRAY(SELECT u.key FROM unnest(page[:p.size]) u), f) k ON k.key = (t.tally).key));
END
$$;

-- The results in auth_results without the receiver's words.
CREATE FUNCTION api.results_of(auth_results jsonb, method text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT coalesce(jsonb_agg(r.value - 'human_result' ORDER BY r.no), '[]')
	FROM jsonb_path_query(auth_results -> method, '$[*] ? (@.type() == "object")') WITH ORDINALITY AS r(value, no)
$$;

-- Who the mail of a source said it is and what authenticated: each combination, the largest first; NULL when the source was never
-- heard of.
CREATE FUNCTION api.source_identifiers(p_key text, f api.filter_set, p api.page_spec) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	place api.rank := api.rank_of('source_identifiers', p.cursor);
	answer jsonb;
BEGIN
	IF NOT api.source_is_known(p_key) THEN
		RETURN NULL;
	END IF;
	f := api.of_source(f, p_key);
	WITH found AS (
		SELECT r.header_from, r.envelope_from, api.results_of(r.auth_results, 'spf') AS spf, api.results_of(r.auth_results, 'dkim') AS dkim,
			r.dkim_aligned, r.spf_aligned, coalesce(sum(r.count), 0) AS messages, max(r.begin) AS last_seen
		FROM api.matching(f) r
		GROUP BY 1, 2, 3, 4, 5, 6
	), keyed AS MATERIALIZED (
		SELECT *, md5(ROW(header_from, envelope_from, spf, dkim, dkim_aligned, spf_aligned)::text) AS key FROM found
	), page AS (
		SELECT k.*, row_number() OVER (ORDER BY k.messages DESC, k.key COLLATE "C") AS no
		FROM keyed k
		WHERE api.comes_after(k.messages, k.key, place)
		ORDER BY no
		LIMIT p.size + 1
	)
	SELECT jsonb_build_object('window', api.window_json(f), 'total', (SELECT count(*) FROM keyed),
		'items', coalesce(jsonb_agg(jsonb_build_object('header_from', api.display(g.header_from), 'envelope_from', api.display(g.envelope_from),
			'spf', api.display(g.spf), 'dkim', api.display(g.dkim), 'dkim_aligned', g.dkim_aligned, 'spf_aligned', g.spf_aligned,
			'messages', g.messages, 'pass', CASE WHEN g.dkim_aligned OR g.spf_aligned THEN g.messages ELSE 0 END,
			'last_seen', api.iso(g.last_seen)) ORDER BY g.no) FILTER (WHERE g.no <= p.size), '[]'),
		'next', CASE WHEN count(*) > p.size THEN
			max(api.cursor_make('source_identifiers', jsonb_build_array(g.messages, g.key))) FILTER (WHERE g.no = p.size) END)
	INTO answer FROM page g;
	RETURN answer;
END
$$;

-- Who saw a source, the largest first; NULL when it was never heard of.
CREATE FUNCTION api.source_reporters(p_key text, f api.filter_set, p api.page_spec) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	page api.tally[];
	place api.rank := api.rank_of('source_reporters', p.cursor);
	total bigint;
BEGIN
	IF NOT api.source_is_known(p_key) THEN
		RETURN NULL;
	END IF;
	f := api.of_source(f, p_key);
	SELECT t.total, t.page INTO total, page
	FROM api.tally_page('reporter', f, '-messages', p.size, place) t;
	RETURN jsonb_build_object('window', api.window_json(f), 'total', total, 'next', api.tally_next('source_reporters', page, '-messages', p.size),
		'items', (SELECT coalesce(jsonb_agg(jsonb_build_object('org_name', api.display((t.tally).key), 'messages', (t.tally).messages,
				'pass', (t.tally).pass, 'dkim_aligned', (t.tally).dkim_aligned, 'spf_aligned', (t.tally).spf_aligned,
				'by_disposition', api.by_disposition(t.tally), 'last_seen', api.iso((t.tally).last_seen)) ORDER BY t.no), '[]')
			FROM api.numbered(page[:p.size]) t));
END
$$;

-- Records and reports

-- Both lists are always there.
CREATE FUNCTION api.auth_results(value jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT '{"dkim": [], "spf": []}' || coalesce(api.display(value), '{}') $$;

-- One record as a list shows it.
CREATE FUNCTION api.record_item(r dmarc.records) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('report', r.report::text, 'record_no', r.record_no, 'domain', api.display(r.domain),
		'org_name', api.display(r.org_name), 'begin', api.iso(r.begin), 'source_ip', host(r.source_ip), 'source', api.display(r.source),
		'source_name', (SELECT api.display(a.source_name) FROM dmarc.addresses a WHERE a.source_ip = r.source_ip), 'label', r.label,
		'rdns', api.display(r.rdns), 'count', r.count, 'disposition', api.display(r.disposition), 'dkim', api.display(r.dkim),
		'spf', api.display(r.spf), 'dmarc_pass', r.dmarc_pass, 'class', r.class, 'reason', coalesce(api.display(r.reason), '[]'),
		'header_from', api.display(r.header_from), 'envelope_from', api.display(r.envelope_from),
		'envelope_to', api.display(r.envelope_to), 'auth_results', api.auth_results(r.auth_results),
		'notes', coalesce(api.display(r.notes), '[]'))
$$;

-- Records, the newest report first. With p_report, those of one report, whatever its date.
CREATE FUNCTION api.records(f api.filter_set, p api.page_spec, p_report bigint DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	place api.place := api.place_of('records', p.cursor);
	of_report dmarc.reports;
	answer jsonb;
BEGIN
	IF p_report IS NOT NULL AND NOT f.dated THEN
		SELECT * INTO of_report FROM dmarc.reports r WHERE r.id = p_report;
		f.domain := coalesce(f.domain, ARRAY[of_report.domain]);
		f.from_day := coalesce(of_report.day, f.from_day);
		f.to_day := coalesce(of_report.day + 1, f.to_day);
	END IF;
	WITH keys AS ( -- sort the keys alone; a whole row is wide
		SELECT r.domain, r.begin, r.report, r.record_no
		FROM api.matching(f) r
		WHERE (p_report IS NULL OR r.report = p_report)
			AND (place.at IS NULL OR r.begin <= place.at AND (r.begin < place.at OR r.report < place.id
				OR r.report = place.id AND r.record_no > place.no))
		ORDER BY r.begin DESC, r.report DESC, r.record_no
		LIMIT p.size + 1
	), page AS (
		SELECT k.*, row_number() OVER (ORDER BY k.begin DESC, k.report DESC, k.record_no) AS no FROM keys k
	)
	SELECT jsonb_build_object('window', api.window_json(f),
		'items', coalesce(jsonb_agg(api.record_item(v.row) ORDER BY g.no) FILTER (WHERE g.no <= p.size), '[]'),
		'next', CASE WHEN count(*) > p.size THEN
			max(api.place_make('records', g.begin, g.report, g.record_no)) FILTER (WHERE g.no = p.size) END)
	INTO answer
	FROM page g
	CROSS JOIN LATERAL (
		SELECT r AS row FROM dmarc.records r
		WHERE r.domain = g.domain AND r.begin = g.begin AND r.report = g.report AND r.record_no = g.record_no
		LIMIT 1
	) v;
	RETURN answer;
END
$$;

-- One report as a list shows it.
CREATE FUNCTION api.report_item(r dmarc.reports) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('id', r.id::text, 'kind', 'aggregate', 'dialect', r.dialect, 'org_name', api.display(r.org_name),
		'email', api.display(r.email), 'report_id', api.display(r.report_id), 'domain', api.display(r.domain),
		'begin', api.iso(r.begin), 'end', api.iso(r."end"), 'p', api.display(r.p), 'records', r.records, 'messages', r.messages,
		'pass', r.pass, 'fail', r.messages - r.pass, 'received_at', api.iso(r.received_at),
		'notes_total', coalesce(jsonb_array_length(r.notes), 0), 'partial', r.partial, 'authentic', r.authentic,
		'solicited', api.solicited(r.domain))
$$;

-- Reports, the newest first. A report_id or a time of receipt looks at all dates, unless a window is given too.
CREATE FUNCTION api.reports(f api.filter_set, p api.page_spec, p_report_id text DEFAULT NULL, p_received_from date DEFAULT NULL,
	p_received_to date DEFAULT NULL)
RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	place api.place := api.place_of('reports', p.cursor);
	answer jsonb;
BEGIN
	PERFORM api.check_day('received_from', p_received_from), api.check_day('received_to', p_received_to);
	IF p_received_from > p_received_to THEN
		PERFORM api.refuse('received_from', format('"%s" is after "received_to", "%s"', p_received_from, p_received_to));
	ELSIF NOT f.dated AND num_nonnulls(p_report_id, p_received_from, p_received_to) > 0 THEN
		f.from_day := '1970-01-01';
		f.to_day := '9999-12-31';
	END IF;
	WITH page AS (
		SELECT r, r.begin, r.id, row_number() OVER (ORDER BY r.begin DESC, r.id DESC) AS no
		FROM api.matching_reports(f) r
		WHERE (p_report_id IS NULL OR r.report_id = p_report_id)
			AND (p_received_from IS NULL OR r.received_at >= api.at(p_received_from))
			AND (p_received_to IS NULL OR r.received_at < api.at(p_received_to))
			AND (place.at IS NULL OR r.begin <= place.at AND (r.begin < place.at OR r.id < place.id))
		ORDER BY no
		LIMIT p.size + 1
	)
	SELECT jsonb_build_object('window', api.window_json(f),
		'items', coalesce(jsonb_agg(api.report_item(g.r) ORDER BY g.no) FILTER (WHERE g.no <= p.size), '[]'),
		'next', CASE WHEN count(*) > p.size THEN max(api.place_make('reports', g.begin, g.id, 0)) FILTER (WHERE g.no = p.size) END)
	INTO answer FROM page g;
	RETURN answer;
END
$$;

-- One record as the report has it (the canonical shape), and what we make of it.
CREATE FUNCTION api.record_json(r dmarc.records) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('record_no', r.record_no, 'class', r.class, 'dmarc_pass', r.dmarc_pass,
		'row', jsonb_build_object('source_ip', host(r.source_ip), 'count', r.count, 'policy_evaluated', jsonb_build_object(
			'disposition', api.display(r.disposition), 'dkim', api.display(r.dkim), 'spf', api.display(r.spf),
			'reason', coalesce(api.display(r.reason), '[]'))),
		'identifiers', jsonb_build_object('header_from', api.display(r.header_from), 'envelope_from', api.display(r.envelope_from),
			'envelope_to', api.display(r.envelope_to)),
		'auth_results', api.auth_results(r.auth_results),
		'notes', coalesce(api.display(r.notes), '[]'))
$$;

-- A whole report; NULL when there is none. Of its records the first 500; next is the cursor that api.report_records() takes for the others.
CREATE FUNCTION api.report(p_id bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	shown constant integer := 500;
	r dmarc.reports;
	repeats jsonb;
	listed jsonb;
BEGIN
	SELECT * INTO r FROM dmarc.reports v WHERE v.id = p_id;
	IF r.id IS NULL THEN
		RETURN NULL;
	END IF;
	SELECT jsonb_build_object('duplicates', count(*) FILTER (WHERE i.status = 'duplicate'),
		'conflicts', count(*) FILTER (WHERE i.status = 'conflict'),
		'status', CASE WHEN bool_or(i.status = 'conflict') THEN 'conflict' ELSE 'stored' END)
	INTO repeats FROM dmarc.intake i WHERE i.report = p_id AND i.status IN ('duplicate', 'conflict');
	SELECT jsonb_agg(api.record_json(v) ORDER BY v.record_no) INTO listed FROM dmarc.records v
	WHERE v.domain = r.domain AND v.begin = r."begin" AND v.report = p_id AND v.record_no <= shown;

	RETURN repeats || jsonb_build_object('id', r.id::text, 'kind', 'aggregate', 'dialect', r.dialect,
		'version', api.display(r.version), 'xmlns', api.display(r.xmlns),
		'report_metadata', jsonb_build_object('org_name', api.display(r.org_name), 'email', api.display(r.email),
			'extra_contact_info', api.display(r.extra_contact_info), 'report_id', api.display(r.report_id),
			'date_range', jsonb_build_object('begin', api.iso(r."begin"), 'end', api.iso(r."end")),
			'error', coalesce(api.display(r.error), '[]'), 'generator', api.display(r.generator)),
		'policy_published', api.display(jsonb_build_object('domain', r.domain, 'adkim', r.adkim, 'aspf', r.aspf, 'p', r.p, 'sp', r.sp,
			'np', r.np, 'pct', r.pct, 'fo', r.fo, 'testing', r.testing, 'discovery_method', r.discovery_method)),
		'record', coalesce(listed, '[]'), 'notes', coalesce(api.display(r.notes), '[]'),
		'partial', r.partial, 'authentic', r.authentic, 'records_total', r.records, 'messages', r.messages, 'pass', r.pass,
		'next', CASE WHEN r.records > shown THEN api.place_make('records', r."begin", r.id, shown) END,
		'sha256', encode(r.sha256, 'hex'), 'received_at', api.iso(r.received_at), 'mail', api.mail_json(r.mail));
END
$$;

-- The records of a report, in its order; NULL when there is no such report.
CREATE FUNCTION api.report_records(p_id bigint, f api.filter_set, p api.page_spec) RETURNS jsonb
LANGUAGE sql STABLE
AS $$ SELECT api.records(f, p, p_id) WHERE EXISTS (SELECT FROM dmarc.reports r WHERE r.id = p_id) $$;

-- The rest

-- What a text may mean: of each type the eight best. A type's best are those that are or begin with the text; reports and addresses are
-- found by their whole name.
CREATE FUNCTION api.search(p_q text) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	part text := '%' || api.like_literal(p_q) || '%';
	ips inet[];
	number bigint;
	answer jsonb;
BEGIN
	IF length(p_q) < 2 THEN
		PERFORM api.refuse('q', 'must have two characters at least');
	END IF;
	IF p_q ~ '^[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*$' THEN
		BEGIN
			ips := ARRAY[p_q::inet];
		EXCEPTION WHEN invalid_text_representation THEN
			NULL; -- half an address
		END;
	ELSIF p_q ~ '^[0-9]{1,18}$' THEN
		number := p_q;
	END IF;
	WITH hits AS (
		SELECT 1 AS rank, 'domain' AS type, d.domain AS key, d.domain AS text, NULL AS hint FROM dmarc.domains d WHERE d.domain ILIKE part
		UNION ALL
		SELECT 2, 'ip', host(x.ip), host(x.ip), (SELECT coalesce(a.rdns, a.source_name) FROM dmarc.addresses a WHERE a.source_ip = x.ip)
		FROM unnest(ips) AS x(ip) WHERE api.source_is_known('ip:' || host(x.ip))
		UNION ALL
		SELECT 3, 'source', s.source, coalesce(max(s.source_name), s.source), max(s.source_type)
		FROM dmarc.addresses s WHERE s.source_name ILIKE part OR s.rdns ILIKE part OR s.source_ip = ANY (ips) GROUP BY s.source
		UNION ALL
		SELECT 4, 'reporter', o.org_name, o.org_name, NULL FROM dmarc.reporters o WHERE o.org_name ILIKE part
		UNION ALL
		(SELECT 5, 'report', r.id::text, coalesce(r.report_id, r.id::text), concat_ws(', ', r.org_name, r.domain, r.day) FROM (
			SELECT * FROM dmarc.reports v WHERE v.report_id = p_q UNION SELECT * FROM dmarc.reports v WHERE v.id = number) r)
	), best AS (
		SELECT h.*, row_number() OVER (PARTITION BY h.rank ORDER BY lower(h.text) = lower(p_q) DESC,
			starts_with(lower(h.text), lower(p_q)) DESC, length(h.text), h.text COLLATE "C", h.key COLLATE "C") AS no
		FROM hits h
	)
	SELECT jsonb_build_object('items', coalesce(jsonb_agg(jsonb_build_object('type', b.type, 'key', api.display(b.key),
		'text', api.display(b.text), 'hint', api.display(b.hint)) ORDER BY b.rank, b.no), '[]'))
	INTO answer FROM best b WHERE b.no <= 8;
	RETURN answer;
END
$$;

-- What this server can do, for clients; C adds its version.
CREATE FUNCTION api.meta() RETURNS jsonb
LANGUAGE sql STABLE
AS $$
	SELECT jsonb_build_object('schema_version', (SELECT max(version) FROM dmarc.schema_version),
		'app_version', (SELECT app_version FROM dmarc.schema_version ORDER BY version DESC LIMIT 1),
		'classes', to_jsonb(api.classes()), 'dispositions', to_jsonb(api.dispositions()), 'groups', to_jsonb(api.source_groups()),
		'thresholds', jsonb_build_object('passing', 95, 'failing', 50, 'evidence_days', 14, 'evidence_reporters', 2),
		'limits', jsonb_build_object('limit', 500, 'limit_default', 50, 'limit_csv', 10000, 'records_in_report', 500, 'points', 4000,
			'window_days', 30),
		'features', jsonb_build_object('failures', EXISTS (SELECT FROM dmarc.failure_reports), 'tls', EXISTS (SELECT FROM dmarc.tls_reports),
			'enrich', EXISTS (SELECT FROM dmarc.addresses a WHERE a.looked_up_at IS NOT NULL), 'labels', EXISTS (SELECT FROM dmarc.labels)))
$$;

-- Counters for monitoring; C writes them in Prometheus' words.
CREATE FUNCTION api.metrics() RETURNS jsonb
LANGUAGE sql STABLE
AS $$
	SELECT jsonb_build_object('mails', (SELECT count(*) FROM dmarc.mails),
		'items', (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', i.kind, 'status', i.status, 'n', i.n) ORDER BY i.kind, i.status), '[]')
			FROM (SELECT kind, status, count(*) AS n FROM dmarc.intake WHERE kind IS NOT NULL GROUP BY 1, 2) i),
		'last_report_at', (SELECT floor(extract(epoch FROM r.received_at)) FROM dmarc.reports r ORDER BY r.received_at DESC LIMIT 1))
$$;

-- Whether the schema is the one that the program was built with (any, when it does not say).
CREATE FUNCTION api.ready(p_schema_version integer DEFAULT NULL) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
	SELECT jsonb_build_object('ready', v IS NOT NULL AND v = coalesce(p_schema_version, v), 'schema_version', v)
	FROM (SELECT max(version) AS v FROM dmarc.schema_version) s
$$;
