-- services.sql - services that send mail for others, and the rules that identify their addresses.

-- name and all names above it: a.example.com, example.com, com. What is too long for a name (and has labels without end) has none.
CREATE FUNCTION ruad.names_above(name text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT array_agg(array_to_string(labels[i:], '.'))
	FROM string_to_array(lower(rtrim(name, '.')), '.') AS labels, generate_subscripts(labels, 1) AS i
	WHERE octet_length(name) <= 255
$$;

-- The service that an address belongs to, and by which kind of rule. A confirmed name is the best hint. SPF is one, too: the domain's
-- holder lists the address. A network or a signature say little beside a name of the address's own: networks have tenants, and
-- forwarders carry the signatures of others.
CREATE FUNCTION ruad.service_of(p_source_ip inet, p_rdns text, p_asn bigint, OUT service text, OUT basis text)
LANGUAGE sql STABLE
AS $$
	WITH seen AS ( -- what lately authenticated from there
		SELECT r.auth_results FROM ruad.record r WHERE r.source_ip = p_source_ip ORDER BY r.begin DESC LIMIT 50
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
	)
	SELECT r.service, r.kind FROM names n JOIN ruad.service_rule r ON r.kind = n.kind AND r.value = n.value
	ORDER BY n.rank, octet_length(r.value) DESC, r.service LIMIT 1
$$;

-- Replace the services of an origin, and give every address its service again. p_services is an array of
-- {"key", "name", "type", "rdns": [...], "asn": [...], "spf": [...], "dkim": [...]}. The admin's file wins over ruad's list: by key, and
-- by rule. Returns how many addresses changed. Nothing is done when the list is what is there already.
CREATE FUNCTION ruad.enrich_services(p_origin text, p_services jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	changed bigint;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtext('ruad.enrich_services'));
	CREATE TEMP TABLE wanted_service AS
		SELECT s.v ->> 'key' AS key, s.v ->> 'name' AS name, s.v ->> 'type' AS type
		FROM jsonb_array_elements(p_services) AS s(v)
		WHERE p_origin = 'file' OR NOT EXISTS (SELECT FROM ruad.service o WHERE o.key = s.v ->> 'key' AND o.origin = 'file');
	CREATE TEMP TABLE wanted_rule AS
		SELECT k.kind, lower(v.value) AS value, min(s.v ->> 'key') AS service
		FROM jsonb_array_elements(p_services) AS s(v), unnest(ARRAY['rdns', 'asn', 'spf', 'dkim']) AS k(kind),
			jsonb_array_elements_text(coalesce(s.v -> k.kind, '[]')) AS v(value)
		WHERE s.v ->> 'key' IN (SELECT key FROM wanted_service)
		GROUP BY 1, 2;
	DELETE FROM wanted_rule w USING ruad.service_rule r JOIN ruad.service o ON o.key = r.service AND o.origin = 'file'
	WHERE p_origin = 'ruad' AND r.kind = w.kind AND r.value = w.value;

	IF NOT EXISTS ((TABLE wanted_service) EXCEPT (SELECT key, name, type FROM ruad.service WHERE origin = p_origin))
		AND NOT EXISTS ((SELECT key FROM ruad.service WHERE origin = p_origin) EXCEPT (SELECT key FROM wanted_service))
		AND NOT EXISTS ((TABLE wanted_rule) EXCEPT (TABLE ruad.service_rule))
		AND NOT EXISTS ((SELECT r.kind, r.value, r.service FROM ruad.service_rule r JOIN ruad.service o ON o.key = r.service
			WHERE o.origin = p_origin) EXCEPT (TABLE wanted_rule)) THEN
		DROP TABLE wanted_service, wanted_rule;
		RETURN 0;
	END IF;

	DELETE FROM ruad.service_rule r USING ruad.service o WHERE o.key = r.service
		AND (o.origin = p_origin OR o.key IN (SELECT key FROM wanted_service));
	INSERT INTO ruad.service (key, name, type, origin) SELECT key, name, type, p_origin FROM wanted_service
	ON CONFLICT (key) DO UPDATE SET name = excluded.name, type = excluded.type, origin = excluded.origin;
	DELETE FROM ruad.service_rule r USING wanted_rule w WHERE r.kind = w.kind AND r.value = w.value;
	INSERT INTO ruad.service_rule (kind, value, service) SELECT kind, value, service FROM wanted_rule;

	WITH found AS (
		SELECT a.source_ip, s.service, s.basis FROM ruad.address a, ruad.service_of(a.source_ip, a.rdns, a.asn) s WHERE a.looked_up_at IS NOT NULL
	)
	UPDATE ruad.address a SET service = f.service, service_basis = f.basis FROM found f
	WHERE f.source_ip = a.source_ip AND (a.service, a.service_basis) IS DISTINCT FROM (f.service, f.basis);
	GET DIAGNOSTICS changed = ROW_COUNT;
	DELETE FROM ruad.service o WHERE o.origin = p_origin AND NOT EXISTS (SELECT FROM wanted_service w WHERE w.key = o.key)
		AND NOT EXISTS (SELECT FROM ruad.address a WHERE a.service = o.key);
	DROP TABLE wanted_service, wanted_rule; -- not at the end of a transaction, which may replace both lists
	RETURN changed;
END
$$;
