-- services.sql - services that send mail for others, and the rules that identify their addresses.

-- name and all names above it: a.example.com, example.com, com. NULL if it is too long for a domain name.
CREATE FUNCTION ruad.names_above(name text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT array_agg(array_to_string(labels[i:], '.'))
	FROM string_to_array(lower(rtrim(name, '.')), '.') AS labels, generate_subscripts(labels, 1) AS i
	WHERE octet_length(name) <= 255
$$;

-- The service that an address belongs to, and the kind of rule that matched. A confirmed reverse name is the best
-- hint. SPF is the next, since the domain's owner lists the address. Networks and signatures count only for addresses
-- without a reverse name: networks have tenants, and forwarders carry the signatures of others. But services also send
-- from hosts with names in their customers' domains: such a host is one of a service that signs most of what is sent
-- from there as the domain. Anyone's mailbox service signs what one's own host passes on, so those are left out.
CREATE FUNCTION ruad.service_of(p_source_ip inet, p_rdns text, p_asn bigint, OUT service text, OUT basis text)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	WITH seen AS ( -- what lately authenticated from there
		SELECT e.auth_results, p_rdns IS NOT NULL AND d.name = ANY (ruad.names_above(p_rdns)) AS own_name
		FROM (SELECT r.domain_id, r.evaluation FROM ruad.record r WHERE r.source_ip = p_source_ip
			ORDER BY r.day DESC LIMIT 50) r
		JOIN ruad.evaluation e ON e.domain_id = r.domain_id AND e.id = r.evaluation
		JOIN ruad.domain d ON d.id = r.domain_id
	), signers AS ( -- of hosts with names in the domains that they send as
		SELECT t.service, count(DISTINCT s.no) AS records
		FROM (SELECT seen.auth_results, row_number() OVER () AS no FROM seen WHERE seen.own_name) s
		CROSS JOIN LATERAL jsonb_path_query(s.auth_results, '$.dkim[*] ? (@.result == "pass")') AS k(v)
		CROSS JOIN LATERAL unnest(ruad.names_above(k.v ->> 'domain')) AS n(name)
		JOIN ruad.service_rule t ON t.kind = 'dkim' AND t.value = n.name
		JOIN ruad.service o ON o.key = t.service
			AND o.type NOT IN ('mailbox', 'hosting', 'organisation', 'forwarding', 'list', 'security', 'relay')
		GROUP BY 1
	), names AS (
		SELECT 1 AS rank, 'rdns' AS kind, unnest(ruad.names_above(p_rdns)) AS value
		UNION ALL
		SELECT 2, 'spf', unnest(ruad.names_above(s.v ->> 'domain'))
		FROM seen, jsonb_path_query(seen.auth_results, '$.spf[*] ? (@.result == "pass")') AS s(v)
		UNION ALL
		SELECT 3, 'asn', p_asn::text WHERE p_rdns IS NULL
		UNION ALL
		SELECT 4, 'dkim', unnest(ruad.names_above(s.v ->> 'domain'))
		FROM seen, jsonb_path_query(seen.auth_results, '$.dkim[*] ? (@.result == "pass")') AS s(v) WHERE p_rdns IS NULL
	), found AS (
		SELECT n.rank, octet_length(r.value)::bigint AS weight, r.service, r.kind FROM names n
		JOIN ruad.service_rule r ON r.kind = n.kind AND r.value = n.value
		UNION ALL
		SELECT 5, s.records, s.service, 'dkim' FROM signers s
		WHERE s.records >= 3 AND s.records * 4 >= 3 * (SELECT count(*) FROM seen WHERE seen.own_name)
	)
	SELECT f.service, f.kind INTO service_of.service, service_of.basis FROM found f
	ORDER BY f.rank, f.weight DESC, f.service LIMIT 1;
END
$$;

-- Rows of ruad.service and ruad.service_rule for the list of an origin. The admin's file takes precedence over ruad's
-- own list, by key and by rule.
CREATE FUNCTION ruad.services_wanted(p_origin text, p_services jsonb) RETURNS ruad.service[]
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN ARRAY(SELECT ROW(s.v ->> 'key', s.v ->> 'name', s.v ->> 'type', p_origin,
			coalesce(s.v -> 'setup', '{}'))::ruad.service
		FROM jsonb_array_elements(p_services) AS s(v)
		WHERE p_origin = 'file' OR NOT EXISTS (SELECT 1 FROM ruad.service o WHERE o.key = s.v ->> 'key'
			AND o.origin = 'file'));
END
$$;

CREATE FUNCTION ruad.service_rules_wanted(p_origin text, p_services jsonb, wanted ruad.service[])
RETURNS ruad.service_rule[]
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN ARRAY(
		SELECT ROW(r.kind, r.value, r.service)::ruad.service_rule
		FROM (
			SELECT k.kind, lower(v.value) AS value, min(s.v ->> 'key') AS service
			FROM jsonb_array_elements(p_services) AS s(v), unnest(ARRAY['rdns', 'asn', 'spf', 'dkim']) AS k(kind),
				jsonb_array_elements_text(coalesce(s.v -> k.kind, '[]')) AS v(value)
			WHERE s.v ->> 'key' IN (SELECT w.key FROM unnest(wanted) w)
			GROUP BY 1, 2
		) r
		WHERE p_origin = 'file' OR NOT EXISTS (SELECT 1 FROM ruad.service_rule t
			JOIN ruad.service o ON o.key = t.service AND o.origin = 'file'
			WHERE t.kind = r.kind AND t.value = r.value));
END
$$;

-- Update the service of every address that was looked up; returns how many changed.
CREATE FUNCTION ruad.serve_again() RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
	changed bigint;
BEGIN
	WITH found AS MATERIALIZED (
		SELECT a.source_ip, s.service, s.basis FROM ruad.address a, ruad.service_of(a.source_ip, a.rdns, a.asn) s
		WHERE a.looked_up_at IS NOT NULL
	)
	UPDATE ruad.address a SET service = f.service, service_basis = f.basis,
		label = ruad.label_of(a.source_ip, f.service, a.rdns_domain, a.asn)
	FROM found f
	WHERE f.source_ip = a.source_ip AND (a.service, a.service_basis) IS DISTINCT FROM (f.service, f.basis);
	GET DIAGNOSTICS changed = ROW_COUNT;
	RETURN changed;
END
$$;

-- Replace the services of an origin, and update the service of every address. p_services is an array of {"key",
-- "name", "type", "setup": {...}, "rdns": [...], "asn": [...], "spf": [...], "dkim": [...]}. Returns how many addresses
-- changed. Does nothing if the list is the stored one.
CREATE FUNCTION ruad.enrich_services(p_origin text, p_services jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wanted ruad.service[];
	rules ruad.service_rule[];
	changed bigint;
BEGIN
	LOCK TABLE ruad.service IN SHARE ROW EXCLUSIVE MODE; -- sessions queue
	wanted := ruad.services_wanted(p_origin, p_services);
	rules := ruad.service_rules_wanted(p_origin, p_services, wanted);
	IF NOT EXISTS ((SELECT w.key, w.name, w.type, w.setup FROM unnest(wanted) w) EXCEPT (SELECT o.key, o.name, o.type,
		o.setup FROM ruad.service o WHERE o.origin = p_origin))
		AND NOT EXISTS ((SELECT o.key FROM ruad.service o WHERE o.origin = p_origin) EXCEPT (SELECT w.key
			FROM unnest(wanted) w))
		AND NOT EXISTS ((SELECT r.kind, r.value, r.service FROM unnest(rules) r) EXCEPT (SELECT t.kind, t.value,
			t.service FROM ruad.service_rule t))
		AND NOT EXISTS ((SELECT t.kind, t.value, t.service FROM ruad.service_rule t
			JOIN ruad.service o ON o.key = t.service
			WHERE o.origin = p_origin) EXCEPT (SELECT r.kind, r.value, r.service FROM unnest(rules) r)) THEN
		RETURN 0;
	END IF;

	DELETE FROM ruad.service_rule r USING ruad.service o WHERE o.key = r.service
		AND (o.origin = p_origin OR o.key IN (SELECT w.key FROM unnest(wanted) w));
	INSERT INTO ruad.service (key, name, type, origin, setup)
	SELECT w.key, w.name, w.type, w.origin, w.setup FROM unnest(wanted) w
	ON CONFLICT (key) DO UPDATE SET name = excluded.name, type = excluded.type, origin = excluded.origin,
		setup = excluded.setup;
	DELETE FROM ruad.service_rule t USING unnest(rules) r WHERE t.kind = r.kind AND t.value = r.value;
	INSERT INTO ruad.service_rule (kind, value, service) SELECT r.kind, r.value, r.service FROM unnest(rules) r;
	changed := ruad.serve_again();
	DELETE FROM ruad.service o WHERE o.origin = p_origin AND o.key NOT IN (SELECT w.key FROM unnest(wanted) w)
		AND NOT EXISTS (SELECT 1 FROM ruad.address a WHERE a.service = o.key);
	RETURN changed;
END
$$;
