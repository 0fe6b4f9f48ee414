-- sources.sql - sources of mail.

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
