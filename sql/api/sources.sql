-- sources.sql - sources of mail.

-- The messages of a page's keys, from one pass: by domain and result (step is NULL), and by step of the spark (all
-- other columns are NULL).
CREATE TYPE api.source_cell AS (no integer, step integer, domain_id integer, header_from text,
	class text, disposition text, dkim_aligned boolean, spf_aligned boolean, messages numeric, first_seen timestamptz,
	last_seen timestamptz);

CREATE FUNCTION api.source_cells(p_group text, page api.key_page, f api.filter_set, spark boolean)
RETURNS SETOF api.source_cell
LANGUAGE plpgsql STABLE SET jit = off SET work_mem = '64MB' SET enable_sort = off SET enable_nestloop = on
AS $$
DECLARE
	grain text := CASE WHEN spark THEN api.spark_grain(p_group, f) ELSE (api.group_column(p_group)).grain END;
BEGIN
	PERFORM api.look_up_addresses(api.has_few_members(page));
	RETURN QUERY EXECUTE format('
		WITH sums AS MATERIALIZED (
			SELECT m.no::integer AS no, %1$s AS step, c.domain_id, c.facet, sum(c.messages) AS messages,
				min(c.first_seen) AS first_seen, max(c.last_seen) AS last_seen
			FROM %2$s
			GROUP BY 1, 2, 3, 4
		)
		SELECT s.no, NULL::integer, s.domain_id, v.header_from, v.class, v.disposition, v.dkim_aligned, v.spf_aligned,
			sum(s.messages), min(s.first_seen), max(s.last_seen)
		FROM sums s JOIN api.facet v ON v.domain_id = s.domain_id AND v.facet = s.facet
		GROUP BY 1, 3, 4, 5, 6, 7, 8
		%3$s',
		CASE WHEN spark THEN api.spark_step_of(f) ELSE 'NULL::integer' END, api.page_cells(p_group, page, f, grain),
		CASE WHEN spark THEN 'UNION ALL SELECT s.no, s.step, NULL, NULL, NULL, NULL, NULL, NULL, sum(s.messages), '
			'NULL, NULL FROM sums s GROUP BY 1, 2' END)
	USING page.keys, page.members, page.member_of;
END
$$;

-- The tallies of cells, one for each key that has any.
CREATE FUNCTION api.source_tallies(page api.key_page, cells api.source_cell[])
RETURNS TABLE (no integer, tally api.tally)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT c.no, (SELECT ROW(($2)[c.no], t.*)::api.tally FROM (SELECT %s) t)
		FROM unnest($1) c WHERE c.step IS NULL GROUP BY c.no', api.tally_columns())
	USING cells, page.keys;
END
$$;

-- What cells say about keys: the three policy domains with the most messages, the number of domains, and whether the
-- source looks like a forwarder. It does if more than half of its messages passed only by DKIM, were accepted despite
-- the policy or had a broken signature, and these came from at least three From domains. Without the last condition,
-- an own sender of one domain without SPF would look the same. This is a hint, not proof.
CREATE FUNCTION api.source_facts(p_group text, cells api.source_cell[])
RETURNS TABLE (no integer, domains jsonb, domains_total bigint, forwarder boolean)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	RETURN QUERY
	WITH found AS MATERIALIZED (
		SELECT c.*, c.dkim_aligned AND NOT c.spf_aligned OR c.class IN ('fail_overridden', 'fail_altered') AS forwarded
		FROM unnest(cells) c WHERE c.step IS NULL
	), domains AS (
		SELECT s.no, d.domain, row_number() OVER (PARTITION BY s.no ORDER BY s.messages DESC,
			d.domain COLLATE "C") AS rank
		FROM (SELECT c.no, c.domain_id, sum(c.messages) AS messages FROM found c GROUP BY 1, 2) s
		LEFT JOIN dmarc.domains d ON d.domain_id = s.domain_id
	), forwarders AS (
		SELECT c.no, p_group IN ('source', 'ip', 'rdns', 'asn')
			AND coalesce(sum(c.messages) FILTER (WHERE c.forwarded) * 2 > sum(c.messages)
			AND count(DISTINCT c.header_from) FILTER (WHERE c.forwarded AND c.messages > 0) >= 3, false) AS forwarder
		FROM found c GROUP BY 1
	)
	SELECT s.no, jsonb_agg(api.display(s.domain) ORDER BY s.rank) FILTER (WHERE s.rank <= 3), count(*), w.forwarder
	FROM domains s JOIN forwarders w ON w.no = s.no
	GROUP BY s.no, w.forwarder;
END
$$;

-- The sparks in cells, one for each key.
CREATE FUNCTION api.source_sparks(page api.key_page, cells api.source_cell[], f api.filter_set)
RETURNS TABLE (no integer, spark jsonb)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT k.no, jsonb_agg(coalesce(c.messages, 0) ORDER BY g.step)
	FROM generate_subscripts(page.keys, 1) AS k(no)
	CROSS JOIN generate_series(0, api.last_step(f)) AS g(step)
	LEFT JOIN unnest(cells) c ON c.no = k.no AND c.step = g.step
	GROUP BY 1
$$;

-- What is known about some keys beyond the window: name, type, basis of the name, the source that an address belongs
-- to, label (that of the key, else the label that all its addresses share), and when the filter's domains first and
-- last had a report on it. Nothing is known about countries and authenticated domains, which are not sets of
-- addresses.
CREATE TYPE api.source_identity AS (key text, name text, type text, name_basis text, source text,
	label text, first_seen timestamptz, last_seen timestamptz);

-- A query for the addresses that belong to some keys today, with what is known about them; its parameter is the keys.
-- A key without addresses has one row.
CREATE FUNCTION api.members_query(p_group text) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
	SELECT format($q$
		SELECT k.key, coalesce(a.source_ip, k.ip) AS ip, k.labelled, a.source, a.source_name, a.source_type,
			a.name_basis, a.rdns, a.as_name, a.label, a.looked_up_at
		FROM (SELECT k.key, %s AS ip, %s || k.key AS labelled FROM unnest($1) AS k(key) WHERE k.key IS NOT NULL) k
		LEFT JOIN dmarc.addresses a ON %s$q$,
		CASE p_group WHEN 'ip' THEN 'k.key::inet'
			WHEN 'source' THEN 'CASE WHEN k.key LIKE ''ip:%'' THEN substr(k.key, 4)::inet END' ELSE 'NULL::inet' END,
		CASE p_group WHEN 'ip' THEN '''ip:''' WHEN 'rdns' THEN '''domain:''' WHEN 'asn' THEN '''as:''' ELSE '''''' END,
		CASE p_group WHEN 'ip' THEN 'a.source_ip = k.ip' WHEN 'source' THEN 'a.source = k.key'
			WHEN 'rdns' THEN 'a.rdns_domain = k.key'
			ELSE 'a.asn = k.key::bigint' END)
$$;

CREATE FUNCTION api.source_known(p_group text, p_keys text[], f api.filter_set) RETURNS SETOF api.source_identity
LANGUAGE plpgsql STABLE SET jit = off SET work_mem = '64MB'
AS $$
BEGIN
	IF p_group NOT IN ('source', 'ip', 'rdns', 'asn') OR cardinality(p_keys) = 0 THEN
		RETURN;
	END IF;
	RETURN QUERY EXECUTE format($q$
		WITH members AS MATERIALIZED (
			%s
		), newest AS (
			SELECT DISTINCT ON (m.key) m.* FROM members m ORDER BY m.key, m.looked_up_at DESC NULLS LAST, m.ip
		), seen AS (
			SELECT m.key, CASE WHEN count(m.label) = count(*) AND min(m.label) = max(m.label)
				THEN min(m.label) END AS label, min(b.first_seen) AS first_seen, max(b.last_seen) AS last_seen
			FROM members m
			LEFT JOIN (
				SELECT s.source_ip, min(s.first_seen) AS first_seen, max(s.last_seen) AS last_seen FROM %s s
				WHERE s.domain_id = ANY ($2) AND s.source_ip IN (SELECT m.ip FROM members m) GROUP BY 1
			) b ON b.source_ip = m.ip
			GROUP BY 1
		)
		SELECT n.key,
			CASE $3 WHEN 'source' THEN n.source_name WHEN 'ip' THEN n.rdns WHEN 'asn' THEN n.as_name END,
			CASE WHEN $3 IN ('source', 'ip') THEN n.source_type END,
			CASE $3 WHEN 'source' THEN coalesce(n.name_basis, CASE WHEN n.key LIKE 'ip:%%' THEN 'ip' END)
				WHEN 'ip' THEN CASE WHEN n.rdns IS NULL THEN 'ip' ELSE 'rdns' END ELSE $3 END,
			CASE WHEN $3 = 'ip' THEN coalesce(n.source, 'ip:' || n.key) END,
			coalesce(l.label, s.label), s.first_seen, s.last_seen
		FROM newest n JOIN seen s ON s.key = n.key LEFT JOIN dmarc.labels l ON l.source = n.labelled$q$,
		api.members_query(p_group), api.seen_view())
	USING p_keys, api.seen_domains(f), p_group;
END
$$;

-- A page of sources, or groups of sources, as list items. CSV has no sparks.
CREATE FUNCTION api.source_items(p_group text, page api.key_page, f api.filter_set, csv boolean) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	cells api.source_cell[] := ARRAY(SELECT c FROM api.source_cells(p_group, page, f, NOT csv) c);
BEGIN
	RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('key', api.display(page.keys[i]), 'name', api.display(k.name),
		'type', k.type,
			'name_basis', k.name_basis, 'source', api.display(k.source), 'label', k.label,
			'forwarder', coalesce(d.forwarder, false), 'domains', d.domains, 'domains_total', d.domains_total,
			'ips_total', page.ips[i], 'first_seen', api.iso(k.first_seen),
			'last_seen', api.iso(coalesce(k.last_seen, (t.tally).last_seen)), 'new', k.first_seen >= api.at(f.from_day),
			'in_spf', q.in_spf, 'spark', s.spark, 'whose', w.whose, 'whose_reason', w.reason, 'whose_facts', w.facts)
				|| api.tally_json(coalesce(t.tally, api.tally_zero())) ORDER BY i), '[]')
		FROM generate_subscripts(page.keys, 1) i
		LEFT JOIN api.source_tallies(page, cells) t ON t.no = i
		LEFT JOIN api.source_facts(p_group, cells) d ON d.no = i
		LEFT JOIN api.source_sparks(CASE WHEN NOT csv THEN page END, cells, f) s ON s.no = i
		LEFT JOIN api.source_known(p_group, page.keys, f) k ON k.key = page.keys[i]
		LEFT JOIN api.source_spf(p_group, page.keys, f) q ON q.key = page.keys[i]
		LEFT JOIN api.whose_of(p_group, page, f) w ON w.key = page.keys[i]);
END
$$;

-- The sources of a window, grouped by p_group.
CREATE FUNCTION api.sources(f api.filter_set, p api.page_spec, p_group text DEFAULT NULL, p_sort text DEFAULT NULL)
RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	list text;
	page api.key_page;
	next text;
BEGIN
	PERFORM api.check_choice('group', api.source_groups(), p_group);
	p_group := coalesce(p_group, 'source');
	p_sort := api.sort_of(p_sort);
	list := format('sources %s %s', p_group, p_sort);
	page := api.key_page(p_group, f, p_sort, p.size, api.rank_of(list, p.cursor));
	IF cardinality(page.keys) > p.size THEN
		next := api.cursor_make(list, jsonb_build_array(page.sizes[p.size], api.order_key(page.keys[p.size])));
		page.keys := page.keys[:p.size];
	END IF;
	RETURN jsonb_build_object('window', api.window_json(f), 'group', p_group,
		'items', api.source_items(p_group, page, f, p.csv), 'next', next, 'total', page.total);
END
$$;

-- The filter restricted to the source with that key.
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

-- Returns whether anything is known about a source: an address, a label, or a report on the address.
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
		OR EXISTS (SELECT 1 FROM dmarc.addresses a WHERE a.source = p_key)
		OR EXISTS (SELECT 1 FROM dmarc.addresses a WHERE a.source_ip = ips[1])
		OR EXISTS (SELECT 1 FROM dmarc.labels l WHERE l.source = p_key)
		OR EXISTS (SELECT 1 FROM dmarc.seen s WHERE s.source_ip = ips[1]
			AND s.domain_id = ANY (api.any_domain()));
EXCEPTION WHEN invalid_parameter_value THEN
	RETURN false; -- no key of a source
END
$$;

-- How mail of a source is made to pass DMARC, if it is a service of which that is known; else NULL.
CREATE FUNCTION api.service_setup(p_source text) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (SELECT jsonb_build_object('name', api.display(s.name), 'switch', api.display(s.setup_switch),
		'records', api.display(s.setup_records), 'aligns', string_to_array(s.setup_aligns, ' '),
		'manual', api.display(s.setup_manual))
		FROM dmarc.services s WHERE p_source = 'service:' || s.key AND s.setup_switch IS NOT NULL);
END
$$;

CREATE FUNCTION api.label_set(l dmarc.labels) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('source', api.display(l.source), 'label', l.label, 'note', api.display(l.note),
		'set_by', api.display(l.set_by), 'set_via', l.set_via, 'set_at', api.iso(l.set_at))
$$;

-- The number of messages that each type of override accepted, the largest first.
CREATE FUNCTION api.overrides(f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET jit = off
AS $$
DECLARE
	answer jsonb;
BEGIN
	EXECUTE format($q$
		SELECT coalesce(jsonb_agg(jsonb_build_object('type', o.type, 'messages', o.messages) ORDER BY o.messages DESC,
			o.type COLLATE "C"), '[]')
		FROM (
			SELECT t.type, sum(s.messages) AS messages
			FROM (SELECT c.override, sum(c.messages) AS messages FROM %s WHERE c.override IS NOT NULL GROUP BY 1) s
			CROSS JOIN LATERAL (SELECT DISTINCT api.display(u) AS type FROM unnest(s.override) u) t
			GROUP BY 1
		) o$q$, api.cells(f, 'any'))
	INTO answer;
	RETURN answer;
END
$$;

-- One source; NULL if nothing is known about it.
CREATE FUNCTION api.source(p_key text, f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	ip inet;
	key text;
	p_group text;
	page api.key_page;
BEGIN
	IF NOT api.source_is_known(p_key) THEN
		RETURN NULL;
	END IF;
	f := api.of_source(f, p_key);
	ip := f.source_ip[1];
	p_group := CASE WHEN ip IS NULL THEN 'source' ELSE 'ip' END;
	key := CASE WHEN ip IS NOT NULL THEN 'ip:' || host(ip) WHEN p_key <> 'none' THEN p_key END;
	page := api.key_page(p_group, f, '-messages', 1, NULL);
	page.keys := ARRAY[coalesce(host(ip), key)]; -- though there may be nothing in the window
	RETURN (api.source_items(p_group, page, f, false) -> 0)
		|| jsonb_build_object('key', api.display(key), 'window', api.window_json(f),
		'setup', api.service_setup(coalesce((SELECT a.source FROM dmarc.addresses a WHERE a.source_ip = ip), key)),
		'overrides', api.overrides(f), 'note', (SELECT api.display(l.note) FROM dmarc.labels l WHERE l.source = key),
		'label_log',
		(SELECT coalesce(jsonb_agg(api.label_set(ROW(l.source, l.label, l.note, l.set_by, l.set_via, l.set_at))
			ORDER BY l.id DESC), '[]')
			FROM (SELECT * FROM dmarc.label_log g WHERE g.source = key ORDER BY g.id DESC LIMIT 20) l),
		'address', (SELECT a.address FROM api.addresses_json(ARRAY[ip]) a WHERE ip IS NOT NULL));
END
$$;

-- What is known about addresses.
CREATE FUNCTION api.addresses_json(p_ips inet[]) RETURNS TABLE (source_ip inet, address jsonb)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	RETURN QUERY
	SELECT x.ip, jsonb_build_object('source_ip', host(x.ip), 'rdns', api.display(a.rdns),
		'rdns_domain', api.display(a.rdns_domain), 'asn', a.asn, 'as_name', api.display(a.as_name),
		'country', a.country, 'looked_up_at', api.iso(a.looked_up_at))
	FROM unnest(p_ips) AS x(ip) LEFT JOIN dmarc.addresses a ON a.source_ip = x.ip;
END
$$;

-- The addresses of a source, the largest first; NULL if nothing is known about it.
CREATE FUNCTION api.source_ips(p_key text, f api.filter_set, p api.page_spec) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	page api.tally[];
	place api.rank := api.rank_of('source_ips', p.cursor);
	total bigint;
	keys text[];
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
	keys := ARRAY(SELECT u.key FROM unnest(page[:p.size]) u);
	RETURN jsonb_build_object('window', api.window_json(f), 'total', total,
		'next', api.tally_next('source_ips', page, '-messages', p.size),
		'items', (SELECT coalesce(jsonb_agg(a.address - '{rdns_domain,looked_up_at}'::text[] || jsonb_build_object(
				'messages', page[i].messages, 'pass', page[i].pass,
				'first_seen', api.iso(coalesce(k.first_seen, page[i].first_seen)),
				'last_seen', api.iso(coalesce(k.last_seen, page[i].last_seen)), 'in_spf', q.in_spf) ORDER BY i), '[]')
			FROM generate_subscripts(keys, 1) i
			LEFT JOIN api.addresses_json(keys::inet[]) a ON a.source_ip = keys[i]::inet
			LEFT JOIN api.source_spf('ip', keys, f) q ON q.key = keys[i]
			LEFT JOIN api.source_known('ip', keys, f) k ON k.key = keys[i]));
END
$$;

-- The results in auth_results without the receiver's comments.
CREATE FUNCTION api.results_of(auth_results jsonb, method text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT coalesce(jsonb_agg(r.value - 'human_result' ORDER BY r.no), '[]')
	FROM jsonb_path_query(auth_results -> method, '$[*] ? (@.type() == "object")') WITH ORDINALITY AS r(value, no)
$$;

-- The identities that the mail of a source used and the results of authentication: each combination. Records repeat,
-- so they are grouped as stored, before the receivers' comments are removed.
CREATE FUNCTION api.identifiers(f api.filter_set)
RETURNS TABLE (header_from text, envelope_from text, spf jsonb, dkim jsonb, dkim_aligned boolean, spf_aligned boolean,
	messages numeric, last_seen timestamptz)
LANGUAGE plpgsql STABLE SET jit = off SET work_mem = '64MB' SET enable_sort = off
AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT r.header_from, r.envelope_from, api.results_of(r.auth_results, ''spf''),
		api.results_of(r.auth_results, ''dkim''),
			r.dkim_aligned, r.spf_aligned, sum(r.messages), max(r.last_seen)
		FROM (SELECT c.header_from, c.envelope_from, c.auth_results, c.dkim_aligned, c.spf_aligned,
			coalesce(sum(c.count), 0) AS messages, max(c.begin) AS last_seen
			FROM %s GROUP BY 1, 2, 3, 4, 5) r
		GROUP BY 1, 2, 3, 4, 5, 6', api.records_of(f));
END
$$;

-- The same as a list, the largest first; NULL if nothing is known about the source.
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
	WITH keyed AS MATERIALIZED (
		SELECT i.*, md5(ROW(i.header_from, i.envelope_from, i.spf, i.dkim, i.dkim_aligned, i.spf_aligned)::text) AS key
		FROM api.identifiers(f) i
	), page AS (
		SELECT k.*, row_number() OVER (ORDER BY k.messages DESC, k.key COLLATE "C") AS no
		FROM keyed k
		WHERE api.comes_after(k.messages, k.key, place)
		ORDER BY no
		LIMIT p.size + 1
	)
	SELECT jsonb_build_object('window', api.window_json(f), 'total', (SELECT count(*) FROM keyed),
		'items', coalesce(jsonb_agg(jsonb_build_object('header_from', api.display(g.header_from),
			'envelope_from', api.display(g.envelope_from), 'spf', api.display(g.spf), 'dkim', api.display(g.dkim),
			'dkim_aligned', g.dkim_aligned, 'spf_aligned', g.spf_aligned, 'messages', g.messages,
			'pass', CASE WHEN g.dkim_aligned OR g.spf_aligned THEN g.messages ELSE 0 END,
			'last_seen', api.iso(g.last_seen)) ORDER BY g.no) FILTER (WHERE g.no <= p.size), '[]'),
		'next', CASE WHEN count(*) > p.size THEN
			max(api.cursor_make('source_identifiers', jsonb_build_array(g.messages, g.key))) FILTER
				(WHERE g.no = p.size) END)
	INTO answer FROM page g;
	RETURN answer;
END
$$;

-- The reporters of a source, the largest first; NULL if nothing is known about it.
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
	RETURN jsonb_build_object('window', api.window_json(f), 'total', total,
		'next', api.tally_next('source_reporters', page, '-messages', p.size),
		'items', (SELECT coalesce(jsonb_agg(jsonb_build_object('org_name', api.display((t.tally).key),
			'messages', (t.tally).messages,
				'pass', (t.tally).pass, 'dkim_aligned', (t.tally).dkim_aligned, 'spf_aligned', (t.tally).spf_aligned,
				'by_disposition', api.by_disposition(t.tally), 'last_seen', api.iso((t.tally).last_seen))
				ORDER BY t.no), '[]')
			FROM api.numbered(page[:p.size]) t));
END
$$;
