-- 0017_enrich - what ruad-enrich may do: learn which addresses and domains want to be looked up, and write down what it found.
--
-- Role ruad_enrich reads and writes nothing but by these functions. Nothing here is asked for by a browser.

SET LOCAL ROLE ruad_owner;

-- Services come from ruad's own list, or from a file of the admin's.
ALTER TABLE ruad.service ADD COLUMN origin text NOT NULL DEFAULT 'ruad' CHECK (origin IN ('ruad', 'file'));

-- How a service's addresses are told. A name means itself and all below it.
CREATE TABLE ruad.service_rule (
	kind    text NOT NULL CHECK (kind IN ('rdns', 'asn', 'spf', 'dkim')),
	value   text NOT NULL CHECK (octet_length(value) BETWEEN 1 AND 255),
	service text NOT NULL REFERENCES ruad.service ON DELETE CASCADE,
	PRIMARY KEY (kind, value)
);

-- Up to where reports were searched for addresses. One row.
CREATE TABLE ruad.enrich_state (
	the_row        boolean PRIMARY KEY DEFAULT true CHECK (the_row),
	received_until timestamptz NOT NULL DEFAULT '-infinity',
	all_until      timestamptz NOT NULL DEFAULT '-infinity' -- the same, for a search through all of them
);
INSERT INTO ruad.enrich_state DEFAULT VALUES;

-- What the DNS says about a domain: the document of ruad check --json.
CREATE TABLE ruad.dns_check (
	domain_id  integer PRIMARY KEY,
	checked_at timestamptz,
	expires_at timestamptz NOT NULL,
	result     jsonb -- NULL: not known yet
);
CREATE INDEX ON ruad.dns_check (expires_at);

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

-- Note down the addresses and domains of reports that came in since the last time. A transaction may commit after a later one, so some
-- minutes are searched again; and all reports once a day, for those that were read again bear the time at which their mail came in. Returns
-- how many addresses were new.
CREATE FUNCTION ruad.enrich_collect() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	state ruad.enrich_state;
	added bigint;
BEGIN
	SELECT * INTO state FROM ruad.enrich_state FOR UPDATE;
	IF state.all_until <= now() - interval '1 day' THEN
		INSERT INTO ruad.address (source_ip) SELECT DISTINCT c.source_ip FROM ruad.record c WHERE c.source_ip IS NOT NULL
		ON CONFLICT DO NOTHING;
		GET DIAGNOSTICS added = ROW_COUNT;
		INSERT INTO ruad.dns_check (domain_id, expires_at) SELECT DISTINCT r.domain_id, '-infinity'::timestamptz FROM ruad.report r
		WHERE r.domain_id <> 0 ON CONFLICT DO NOTHING;
		UPDATE ruad.enrich_state SET received_until = now(), all_until = now();
	ELSE
		INSERT INTO ruad.address (source_ip)
		SELECT DISTINCT c.source_ip FROM ruad.report r
		JOIN ruad.record c ON c.domain_id = r.domain_id AND c.begin = r.begin AND c.report = r.id
		WHERE r.received_at >= state.received_until - interval '15 minutes' AND c.source_ip IS NOT NULL
		ON CONFLICT DO NOTHING;
		GET DIAGNOSTICS added = ROW_COUNT;
		INSERT INTO ruad.dns_check (domain_id, expires_at)
		SELECT DISTINCT r.domain_id, '-infinity'::timestamptz FROM ruad.report r
		WHERE r.received_at >= state.received_until - interval '15 minutes' AND r.domain_id <> 0
		ON CONFLICT DO NOTHING;
		UPDATE ruad.enrich_state SET received_until = now();
	END IF;
	RETURN added;
END
$$;

-- Addresses to look up, those that wait longest first; of new ones those with the newest mail matter as much as any.
CREATE FUNCTION ruad.enrich_wanted(p_limit integer) RETURNS TABLE (source_ip inet)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT a.source_ip FROM ruad.address a WHERE a.expires_at <= now() ORDER BY a.expires_at, a.source_ip LIMIT p_limit $$;

-- Write down what was found: an array of {"source_ip", "failed", "rdns", "rdns_domain", "asn", "as_name", "country", "keep"}, keep being the
-- seconds until it is looked up again. failed: the DNS did not answer, and the name that is known stays.
CREATE FUNCTION ruad.enrich_store(p_found jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	WITH told AS (
		SELECT * FROM jsonb_to_recordset(p_found) AS f(source_ip inet, failed boolean, rdns text, rdns_domain text, asn bigint, as_name text,
			country text, keep bigint)
	), found AS (
		SELECT f.source_ip, CASE WHEN f.failed THEN a.rdns ELSE f.rdns END AS rdns,
			CASE WHEN f.failed THEN a.rdns_domain ELSE f.rdns_domain END AS rdns_domain, f.asn, f.as_name, f.country, f.keep
		FROM told f JOIN ruad.address a ON a.source_ip = f.source_ip
	)
	UPDATE ruad.address a SET looked_up_at = now(), expires_at = now() + f.keep * interval '1 second', rdns = f.rdns,
		rdns_domain = f.rdns_domain, asn = f.asn, as_name = left(f.as_name, 255), country = f.country, service = s.service, service_basis = s.basis
	FROM found f, ruad.service_of(f.source_ip, f.rdns, f.asn) s
	WHERE f.source_ip = a.source_ip
$$;

-- All addresses in order, a piece at a time: for when another list of networks is there.
CREATE FUNCTION ruad.enrich_addresses(p_after inet, p_limit integer) RETURNS TABLE (source_ip inet)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT a.source_ip FROM ruad.address a WHERE p_after IS NULL OR a.source_ip > p_after ORDER BY a.source_ip LIMIT p_limit
$$;

-- Write down networks and countries alone: an array of {"source_ip", "asn", "as_name", "country"}.
CREATE FUNCTION ruad.enrich_networks(p_found jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	UPDATE ruad.address a SET asn = f.asn, as_name = left(f.as_name, 255), country = f.country, service = s.service, service_basis = s.basis
	FROM jsonb_to_recordset(p_found) AS f(source_ip inet, asn bigint, as_name text, country text), ruad.address o,
		ruad.service_of(o.source_ip, o.rdns, f.asn) s
	WHERE o.source_ip = f.source_ip AND a.source_ip = f.source_ip AND a.looked_up_at IS NOT NULL
		AND (a.asn, a.as_name, a.country) IS DISTINCT FROM (f.asn, left(f.as_name, 255), f.country)
$$;

-- Domains whose DNS is to be checked, and the selectors that signed for them in the last 90 days: [{"domain", "selector"}], 50 at most.
CREATE FUNCTION ruad.dns_wanted(p_limit integer) RETURNS TABLE (domain text, selectors jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT d.name, (
		SELECT coalesce(jsonb_agg(jsonb_build_object('domain', s.domain, 'selector', s.selector)), '[]')
		FROM (
			SELECT lower(k.v ->> 'domain') AS domain, lower(k.v ->> 'selector') AS selector
			FROM ruad.record r, jsonb_path_query(r.auth_results, '$.dkim[*]') AS k(v)
			WHERE r.domain_id = c.domain_id AND r.begin > now() - interval '90 days'
				AND k.v ->> 'selector' ~ '^[A-Za-z0-9._-]{1,200}$'
				AND d.name = ANY (ruad.names_above(k.v ->> 'domain'))
			GROUP BY 1, 2 ORDER BY sum(r.count) DESC LIMIT 50
		) s)
	FROM ruad.dns_check c JOIN ruad.domain d ON d.id = c.domain_id
	WHERE c.expires_at <= now() ORDER BY c.expires_at, d.name LIMIT p_limit
$$;

-- Keep the result of a check (NULL: the DNS did not answer, what is known stays) for p_keep seconds.
CREATE FUNCTION ruad.dns_store(p_domain text, p_result jsonb, p_keep bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	UPDATE ruad.dns_check c SET expires_at = now() + p_keep * interval '1 second',
		checked_at = CASE WHEN p_result IS NULL THEN c.checked_at ELSE now() END, result = coalesce(p_result, c.result)
	FROM ruad.domain d WHERE d.id = c.domain_id AND d.name = p_domain
$$;

GRANT USAGE ON SCHEMA ruad TO ruad_enrich;
GRANT EXECUTE ON FUNCTION ruad.enrich_services, ruad.enrich_collect, ruad.enrich_wanted, ruad.enrich_store, ruad.enrich_addresses, ruad.enrich_networks,
	ruad.dns_wanted, ruad.dns_store TO ruad_enrich;

-- What the checks found, for audits. The document's members are those of ruad check --json.
CREATE VIEW dmarc.dns_checks AS
SELECT d.name AS domain, c.checked_at, (c.result -> 'ok')::boolean AS ok, c.result
FROM ruad.dns_check c JOIN ruad.domain d ON d.id = c.domain_id
WHERE c.result IS NOT NULL;

CREATE VIEW dmarc.dns_findings AS
SELECT d.name AS domain, c.checked_at, f.no::integer AS finding_no, f.v ->> 'severity' AS severity, f.v ->> 'code' AS code,
	f.v ->> 'place' AS place, f.v ->> 'text' AS text, f.v ->> 'mend' AS mend
FROM ruad.dns_check c JOIN ruad.domain d ON d.id = c.domain_id
CROSS JOIN LATERAL jsonb_path_query(c.result, '$.findings[*]') WITH ORDINALITY AS f(v, no);

CREATE VIEW dmarc.spf_ranges AS
SELECT d.name AS domain, (r.v ->> 'range')::cidr AS range, r.v ->> 'qualifier' AS qualifier, r.v ->> 'term' AS term, r.v ->> 'via' AS via
FROM ruad.dns_check c JOIN ruad.domain d ON d.id = c.domain_id
CROSS JOIN LATERAL jsonb_path_query(c.result, '$.spf.ranges[*]') AS r(v);

COMMENT ON VIEW dmarc.dns_checks IS 'One row per domain whose DNS was checked: what ruad check says. Renewed by ruad-enrich.';
COMMENT ON COLUMN dmarc.dns_checks.domain IS 'The domain';
COMMENT ON COLUMN dmarc.dns_checks.checked_at IS 'When';
COMMENT ON COLUMN dmarc.dns_checks.ok IS 'No finding is an error';
COMMENT ON COLUMN dmarc.dns_checks.result IS 'The document of ruad check --json';

COMMENT ON VIEW dmarc.dns_findings IS 'One row per finding of the check of a domain''s DNS.';
COMMENT ON COLUMN dmarc.dns_findings.domain IS 'The domain';
COMMENT ON COLUMN dmarc.dns_findings.checked_at IS 'When it was checked';
COMMENT ON COLUMN dmarc.dns_findings.finding_no IS 'Place in the list, from 1';
COMMENT ON COLUMN dmarc.dns_findings.severity IS 'error, warning or info';
COMMENT ON COLUMN dmarc.dns_findings.code IS 'What was found, as a word to group by';
COMMENT ON COLUMN dmarc.dns_findings.place IS 'Name in the DNS, and where in its record';
COMMENT ON COLUMN dmarc.dns_findings.text IS 'The finding in a sentence';
COMMENT ON COLUMN dmarc.dns_findings.mend IS 'What to do, or the record to publish';

COMMENT ON VIEW dmarc.spf_ranges IS 'One row per range of addresses that a domain''s SPF names today: source_ip <<= range joins it with records.';
COMMENT ON COLUMN dmarc.spf_ranges.domain IS 'The domain';
COMMENT ON COLUMN dmarc.spf_ranges.range IS 'Addresses';
COMMENT ON COLUMN dmarc.spf_ranges.qualifier IS '+ pass, - fail, ~ softfail, ? neutral';
COMMENT ON COLUMN dmarc.spf_ranges.term IS 'The term that names them';
COMMENT ON COLUMN dmarc.spf_ranges.via IS 'The domain in whose record it stands';
