-- whose.sql - whose a sender is: what is known about it, as one row for the rules of dmarc.whose().
--
-- A sender is a service, or else an address: hosts at the same provider can belong to anybody. Everything comes from
-- sums by month and address, and from what is stored about addresses and domains, never from records.

-- Domains that are certainly ours: [server] domains, or those whose DMARC record names a mailbox of this server.
-- Others can be invented by whoever sends reports here.
CREATE OR REPLACE VIEW api.own_name WITH (security_invoker = true) AS
SELECT d.name, d.id AS domain_id FROM ruad.domain d
WHERE EXISTS (SELECT 1 FROM ruad.own_domain o WHERE o.pattern = d.name
		OR (o.pattern LIKE '*.%' AND right(d.name, length(o.pattern) - 1) = substr(o.pattern, 2)))
	OR EXISTS (SELECT 1 FROM ruad.dns_check c WHERE c.domain_id = d.id AND c.result -> 'solicited' = 'true');

-- The ranges that a domain's SPF record lists itself or through a domain of its own, and its MX hosts. Ranges that
-- are larger than a network of one organisation prove nothing.
CREATE OR REPLACE VIEW api.own_range WITH (security_invoker = true) AS
SELECT s.domain_id, s.range::inet AS range FROM dmarc.spf_ranges s
WHERE s.qualifier = '+' AND masklen(s.range) >= CASE family(s.range) WHEN 4 THEN 16 ELSE 32 END
	AND (s.via IS NULL OR s.via = s.domain OR right(s.via, length(s.domain) + 1) = '.' || s.domain
		OR position('.' IN s.via) > 0 AND right(s.domain, length(s.via) + 1) = '.' || s.via)
UNION ALL
SELECT c.domain_id, (m.v #>> '{}')::inet FROM dmarc.dns_checks c
CROSS JOIN LATERAL jsonb_path_query(c.result, '$.mx[*].addresses[*]') AS m(v);

-- The services that a domain's SPF record includes.
CREATE OR REPLACE VIEW api.spf_service WITH (security_invoker = true) AS
SELECT DISTINCT s.domain_id, r.service FROM (SELECT DISTINCT v.domain_id, v.via FROM dmarc.spf_ranges v
	WHERE v.qualifier = '+' AND v.via <> v.domain) s
JOIN ruad.service_rule r ON r.kind IN ('rdns', 'spf') AND (s.via = r.value OR right(s.via, length(r.value) + 1) = '.'
	|| r.value);

-- Domains whose SPF record lists no address at all. They are parked if nothing passes, either.
CREATE OR REPLACE VIEW api.empty_spf WITH (security_invoker = true) AS
SELECT c.domain_id FROM dmarc.dns_checks c
WHERE c.result #>> '{spf,result}' = 'ok' AND c.result #>> '{spf,all}' = '-'
	AND coalesce(jsonb_array_length(c.result #> '{spf,ranges}'), 0) = 0
	AND coalesce(jsonb_array_length(c.result #> '{spf,unlisted}'), 0) = 0;

-- The condition that the rows of item, with the columns of dmarc.daily, are mail that fails, and that neither a list
-- nor a forwarder explains. For a sender, api.harm() is the sum of their messages. It is a text, since a view of
-- auditors has it, who may not call functions of api.
CREATE FUNCTION api.harmful(item text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT format('NOT %1$s.dmarc_pass AND %1$s.class <> ''fail_overridden'' AND (%1$s.class <> ''fail_altered'' '
		'OR %1$s.auth_domain IS NULL)', item)
$$;

-- A query for the facts about senders, with the columns of dmarc.sender_facts. p_rows has the columns of
-- dmarc.monthly, as FROM item m; p_totals is a query for domain_id, messages and pass of each domain, by default in
-- these rows. p_addresses: dmarc.addresses, or a part of it with all addresses of the rows, so that no others are read.
CREATE FUNCTION api.facts_query(p_rows text,
	p_totals text DEFAULT 'SELECT s.domain_id, sum(s.messages) AS messages, sum(s.pass) AS pass FROM sent s '
		'GROUP BY 1', p_addresses text DEFAULT 'dmarc.addresses') RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
	SELECT format($q$
		WITH own_ranges AS MATERIALIZED (
			SELECT DISTINCT g.domain_id, g.range,
				masklen(g.range) = CASE family(g.range) WHEN 4 THEN 32 ELSE 128 END AS is_host FROM api.own_range g
		), included AS MATERIALIZED (
			SELECT i.domain_id, i.service FROM api.spf_service i
		), sent AS MATERIALIZED (
			SELECT m.domain_id, m.source_ip, sum(m.messages) AS messages, sum(m.records) AS records,
				coalesce(sum(m.messages) FILTER (WHERE m.dmarc_pass), 0) AS pass,
				coalesce(sum(m.messages) FILTER (WHERE m.dkim_aligned), 0) AS dkim_aligned,
				coalesce(sum(m.messages) FILTER (WHERE m.spf_aligned), 0) AS spf_aligned,
				coalesce(sum(m.messages) FILTER (WHERE m.class = 'fail_overridden'), 0) AS fail_overridden,
				coalesce(sum(m.messages) FILTER (WHERE m.class = 'fail_altered'), 0) AS fail_altered,
				coalesce(sum(m.messages) FILTER (WHERE m.class = 'fail_altered' AND m.auth_domain IS NOT NULL), 0)
					AS altered_by_other,
				coalesce(sum(m.messages) FILTER (WHERE m.class = 'fail_unaligned'), 0) AS fail_unaligned,
				coalesce(sum(m.messages) FILTER (WHERE NOT m.dmarc_pass AND m.auth_domain IN
					(SELECT n.name FROM api.own_name n)), 0) AS own_auth,
				coalesce(sum(m.messages) FILTER (WHERE m.disposition = 'reject'), 0) AS rejected,
				coalesce(sum(m.messages) FILTER (WHERE m.disposition = 'quarantine'), 0) AS quarantined,
				min(m.first_seen) AS first_seen, max(m.last_seen) AS last_seen,
				max(m.last_seen) FILTER (WHERE m.dmarc_pass) AS last_pass,
				max(m.last_seen) FILTER (WHERE %s) AS last_fail
			FROM %s GROUP BY 1, 2
		), in_range AS MATERIALIZED (
			SELECT g.domain_id, g.range AS source_ip FROM own_ranges g WHERE g.is_host
			UNION
			SELECT s.domain_id, s.source_ip FROM sent s
			JOIN own_ranges g ON g.domain_id = s.domain_id AND s.source_ip <<= g.range AND NOT g.is_host
		), known AS NOT MATERIALIZED (
			SELECT s.*, d.domain, a.label, a.source_name, coalesce(a.source, 'ip:' || host(s.source_ip)) AS source,
				a.rdns, v.key AS service, v.type AS service_type,
				coalesce(a.rdns = d.domain OR right(a.rdns, length(d.domain) + 1) = '.' || d.domain
					OR d.domain = a.rdns_domain OR right(d.domain, length(a.rdns_domain) + 1) = '.' || a.rdns_domain
					OR a.rdns_domain IN (SELECT n.name FROM api.own_name n), false) AS own_name,
				r.source_ip IS NOT NULL AS own_range
			FROM sent s
			LEFT JOIN in_range r ON r.domain_id = s.domain_id AND r.source_ip = s.source_ip
			JOIN dmarc.domains d ON d.domain_id = s.domain_id
			LEFT JOIN %s a ON a.source_ip = s.source_ip
			LEFT JOIN dmarc.services v ON a.source = 'service:' || v.key AND v.type NOT IN ('hosting', 'organisation')
		), totals AS (
			%s
		)
		-- Most senders are addresses, and each of them is one row already.
		SELECT k.domain, coalesce('ip:' || host(k.source_ip), 'none') AS sender, k.source, k.source_name, k.label,
			NULL::text AS service, NULL::text AS service_type, false AS spf_includes, k.rdns,
			num_nonnulls(k.source_ip)::bigint AS addresses, k.records, k.messages, k.pass, k.dkim_aligned,
			k.spf_aligned,
			k.fail_overridden, k.fail_altered, k.altered_by_other, k.fail_unaligned, k.own_auth,
			CASE WHEN k.own_name THEN k.messages ELSE 0 END AS own_name,
			CASE WHEN k.own_range THEN k.messages ELSE 0 END AS own_range,
			k.rejected, k.quarantined, t.messages AS domain_messages,
			k.domain_id IN (SELECT e.domain_id FROM api.empty_spf e) AND coalesce(t.pass, 0) = 0 AS parked,
			(k.last_seen AT TIME ZONE 'UTC')::date - (k.first_seen AT TIME ZONE 'UTC')::date + 1 AS days,
			k.first_seen, k.last_seen, k.last_pass, k.last_fail, k.domain_id
		FROM known k
		JOIN totals t ON t.domain_id = k.domain_id
		WHERE k.service IS NULL
		UNION ALL
		SELECT k.domain, 'service:' || k.service, min(k.source), min(k.source_name),
			CASE WHEN count(k.label) = count(*) AND min(k.label) = max(k.label) THEN min(k.label) END,
			k.service, min(k.service_type), coalesce(bool_or(i.service IS NOT NULL), false),
			min(k.rdns), count(k.source_ip), sum(k.records),
			sum(k.messages), sum(k.pass), sum(k.dkim_aligned),
			sum(k.spf_aligned), sum(k.fail_overridden),
			sum(k.fail_altered), sum(k.altered_by_other),
			sum(k.fail_unaligned), sum(k.own_auth),
			coalesce(sum(k.messages) FILTER (WHERE k.own_name), 0),
			coalesce(sum(k.messages) FILTER (WHERE k.own_range), 0),
			sum(k.rejected), sum(k.quarantined),
			max(t.messages),
			k.domain_id IN (SELECT e.domain_id FROM api.empty_spf e) AND coalesce(max(t.pass), 0) = 0,
			(max(k.last_seen) AT TIME ZONE 'UTC')::date - (min(k.first_seen) AT TIME ZONE 'UTC')::date + 1,
			min(k.first_seen), max(k.last_seen), max(k.last_pass), max(k.last_fail), k.domain_id
		FROM known k
		JOIN totals t ON t.domain_id = k.domain_id
		LEFT JOIN included i ON i.domain_id = k.domain_id AND i.service = k.service
		WHERE k.service IS NOT NULL
		GROUP BY k.domain_id, k.domain, k.service$q$,
		api.harmful('m'), p_rows, p_addresses, p_totals)
$$;
