-- pairs.sql - domains and addresses in one pass, to decide about most of them without all facts.
--
-- A year may have a million pairs of a domain and an address. All but a few are what a forwarder or a stranger leaves
-- behind, and of these only sums are wanted. So one pass sums the few columns that tell them apart, domain by domain,
-- which keeps its hash table small; api.sorted_query() takes all facts of the others. The rules are those of
-- dmarc.whose(): a pair is left to it if it might be anything else.

-- The type in which sums of messages are exact. double precision is so below 10^15, and needs no memory of its own.
CREATE FUNCTION api.exact_type(messages numeric) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN messages < 1000000000000000 THEN 'double precision' ELSE 'numeric' END $$;

-- The rows of domain d with what tells forwarders and strangers apart, as FROM item r: known are those of the months
-- that decide, sent those of the window. kinds are the facets, see api.pairs_query().
CREATE FUNCTION api.pair_rows(f api.filter_set, sums record, p_type text) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	since constant date := api.facts_from(f);
	months record;
	days text;
BEGIN
	SELECT * INTO months FROM api.whole_months(f);
	SELECT string_agg(format('SELECT c.source_ip, coalesce(c.count, 0)::%1$s AS messages, 1 AS records, c.dmarc_pass,
			false AS forwarded, false AS ours, c.disposition = ''reject'' AS rejected,
			c.disposition = ''quarantine'' AS quarantined, false AS known, true AS sent
		FROM dmarc.records c WHERE c.domain_id = d.domain_id AND %2$s', p_type, api.days_between(p.since, p.until)),
		' UNION ALL ')
	INTO days
	FROM (VALUES (f.from_day, least(months.from_month, f.to_day)), (months.to_month, f.to_day)) p(since, until)
	WHERE p.since < p.until;
	RETURN format('(SELECT m.source_ip, m.messages::%1$s AS messages, m.records::integer AS records, m.dmarc_pass,
			k.forwarded, k.ours, k.rejected, k.quarantined, true AS known, %2$s AS sent
		FROM %3$s m LEFT JOIN kinds k ON k.facet = m.facet
		WHERE m.domain_id = d.domain_id AND m.month >= %4$L AND m.month < %5$L%6$s) r', p_type,
		CASE WHEN since >= months.from_month AND f.to_day <= months.to_month THEN 'true'
			ELSE format('m.month >= %L AND m.month < %L', months.from_month, months.to_month) END,
		sums.monthly, since, f.to_day, coalesce(' UNION ALL ' || days, ''));
END
$$;

-- A query for the pairs of a domain and an address that sent in the window, and what each is: 0 an address of a service
-- (also if it did not send), 1 one to be decided by all facts, 2 a forwarder, 3 a stranger, 4 without any message;
-- with its messages in the window.
CREATE FUNCTION api.pairs_query(f api.filter_set) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	since constant date := api.facts_from(f);
	behind constant date := (date_trunc('month', (f.to_day - 1)::timestamp) + interval '1 month')::date;
	sums record;
	largest numeric;
	deep text;
BEGIN
	sums := api.sums_of(since, f.to_day);
	EXECUTE format('SELECT coalesce(sum(c.messages), 0) FROM %s c WHERE c.day >= %L AND c.day < %L', sums.daily, since,
		behind) INTO largest;
	deep := (SELECT repeat('%.', min(length(d.domain) - length(replace(d.domain, '.', ''))) + 1) || '%'
		FROM dmarc.domains d WHERE f.domain IS NULL OR d.domain = ANY (f.domain));
	RETURN format($q$
		WITH domains AS MATERIALIZED (
			SELECT c.domain_id, c.domain FROM dmarc.domains c WHERE true%1$s
		), parked AS MATERIALIZED (
			SELECT e.domain_id FROM api.empty_spf e WHERE NOT EXISTS (SELECT 1 FROM %2$s c
				WHERE c.domain_id = e.domain_id AND c.day >= %3$L AND c.day < %4$L AND c.dmarc_pass AND c.messages > 0)
		), kinds AS (
			SELECT v.facet, v.dkim_aligned AND NOT v.spf_aligned OR v.class = 'fail_overridden'
					OR v.class = 'fail_altered' AND v.auth_domain IS NOT NULL AS forwarded,
				v.spf_aligned OR NOT v.dmarc_pass AND v.auth_domain IN (SELECT n.name FROM api.own_name n) AS ours,
				v.disposition = 'reject' AS rejected, v.disposition = 'quarantine' AS quarantined
			FROM api.facet v OFFSET 0
		), services AS MATERIALIZED (
			SELECT 'service:' || v.key AS source FROM dmarc.services v WHERE v.type NOT IN ('hosting', 'organisation')
		), near AS MATERIALIZED (
			SELECT o.name FROM api.own_name o
			UNION
			SELECT array_to_string((string_to_array(d.domain, '.'))[i:], '.') FROM domains d
			CROSS JOIN LATERAL generate_series(1, cardinality(string_to_array(d.domain, '.'))) i
			UNION
			SELECT n.name FROM (SELECT DISTINCT coalesce(a.rdns_domain, a.rdns) AS name FROM dmarc.addresses a
				WHERE coalesce(a.rdns_domain, a.rdns) LIKE %7$L) n
			WHERE EXISTS (SELECT 1 FROM generate_series(2, cardinality(string_to_array(n.name, '.'))) i
				WHERE array_to_string((string_to_array(n.name, '.'))[i:], '.') IN (SELECT d.domain FROM domains d))
		), special AS MATERIALIZED (
			SELECT u.source_ip, min(u.sort) AS sort FROM (
				SELECT a.source_ip, CASE WHEN a.source IN (SELECT v.source FROM services v) THEN 0
					WHEN a.label = 'forwarder' THEN 2 WHEN a.label = 'not_mine' THEN 3 ELSE 1 END AS sort
				FROM dmarc.addresses a WHERE a.label IS NOT NULL OR a.source IN (SELECT v.source FROM services v)
					OR coalesce(a.rdns_domain, a.rdns) IN (SELECT n.name FROM near n)
				UNION ALL
				SELECT s.source_ip, 1
				FROM (SELECT DISTINCT g.domain_id, g.range, CASE family(g.range) WHEN 4 THEN 32 ELSE 128 END AS bits
					FROM api.own_range g WHERE g.domain_id IN (SELECT d.domain_id FROM domains d)) g
				CROSS JOIN LATERAL (SELECT s.source_ip FROM %5$s s WHERE s.domain_id = g.domain_id
					AND s.source_ip >= network(g.range)::inet AND s.source_ip <= set_masklen(broadcast(g.range), g.bits)
					OFFSET 0) s
			) u GROUP BY 1
		)
		SELECT x.domain_id, x.source_ip, x.sent_messages AS messages, x.sent_pass AS pass, x.rejected, x.quarantined,
			CASE WHEN t.sort IS NOT NULL THEN t.sort WHEN x.source_ip IS NULL THEN 1 WHEN x.messages = 0 THEN 4
				WHEN x.parked THEN 3
				WHEN x.ours > 0 OR x.records >= 7 AND x.messages >= 5 THEN 1
				WHEN x.forwarded * 2 > x.messages THEN 2 ELSE 3 END AS sort, x.sent_records > 0 AS sent
		FROM (
			SELECT d.domain_id, d.domain_id IN (SELECT p.domain_id FROM parked p) AS parked, r.*
			FROM domains d CROSS JOIN LATERAL (
				SELECT r.source_ip, coalesce(sum(r.messages) FILTER (WHERE r.known), 0) AS messages,
					coalesce(sum(r.records) FILTER (WHERE r.known), 0) AS records,
					coalesce(sum(r.messages) FILTER (WHERE r.known AND r.forwarded), 0) AS forwarded,
					coalesce(sum(r.messages) FILTER (WHERE r.known AND r.ours), 0) AS ours,
					coalesce(sum(r.records) FILTER (WHERE r.sent), 0) AS sent_records,
					coalesce(sum(r.messages) FILTER (WHERE r.sent), 0) AS sent_messages,
					coalesce(sum(r.messages) FILTER (WHERE r.sent AND r.dmarc_pass), 0) AS sent_pass,
					coalesce(sum(r.messages) FILTER (WHERE r.sent AND r.rejected), 0) AS rejected,
					coalesce(sum(r.messages) FILTER (WHERE r.sent AND r.quarantined), 0) AS quarantined
				FROM %6$s GROUP BY 1
			) r OFFSET 0
		) x
		LEFT JOIN special t ON t.source_ip = x.source_ip
		WHERE x.sent_records > 0 OR t.sort = 0$q$,
		api.conditions(api.only_domains(f, f.domain)), sums.daily, since, f.to_day, api.seen_view(),
		api.pair_rows(f, sums, api.exact_type(largest)), deep);
END
$$;
