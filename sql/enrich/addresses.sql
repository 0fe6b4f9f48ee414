-- addresses.sql - addresses to look up, and what ruad-enrich found.

-- Collect the addresses and domains of reports received since the last call. A transaction may commit after a later
-- one, so the last 15 minutes are searched again. Once a day all reports are searched, because reprocessed reports
-- keep the time at which their mail was received. Returns the number of new addresses.
CREATE FUNCTION ruad.enrich_collect() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	state ruad.enrich_state;
	added bigint;
BEGIN
	SELECT * INTO state FROM ruad.enrich_state FOR UPDATE;
	IF state.all_until <= now() - interval '1 day' THEN
		INSERT INTO ruad.address (source_ip) SELECT DISTINCT s.source_ip FROM dmarc.seen s WHERE s.domain_id = 0
		ON CONFLICT DO NOTHING;
		GET DIAGNOSTICS added = ROW_COUNT;
		INSERT INTO ruad.dns_check (domain_id, expires_at) SELECT DISTINCT r.domain_id, '-infinity'::timestamptz
		FROM ruad.report r
		WHERE r.domain_id <> 0 ON CONFLICT DO NOTHING;
		UPDATE ruad.enrich_state SET received_until = now(), all_until = now();
	ELSE
		INSERT INTO ruad.address (source_ip)
		SELECT DISTINCT c.source_ip FROM ruad.report r
		JOIN ruad.record c ON c.domain_id = r.domain_id AND c.day = r.day AND c.report = r.id
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

-- Add questions to those that the DNS was asked today, and return how many these are now.
CREATE FUNCTION ruad.enrich_spend(p_questions bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	today constant date := ruad.day_of(now());
	spent bigint;
BEGIN
	UPDATE ruad.enrich_state s SET questions_day = today,
		questions = p_questions + CASE WHEN s.questions_day = today THEN s.questions ELSE 0 END
	RETURNING s.questions INTO spent;
	RETURN spent;
END
$$;

-- The addresses to look up: those that were reported for domains that asked for their reports to be sent here come
-- first, then those that have waited longest. New addresses have expires_at -infinity. p_own_only: no others. If there
-- are others' domains, addresses wait until they are summed up, and those of others' domains alone are not looked up.
CREATE FUNCTION ruad.enrich_wanted(p_limit integer, p_own_only boolean DEFAULT false) RETURNS TABLE (source_ip inet)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	asked constant integer[] := ARRAY(SELECT c.domain_id FROM ruad.dns_check c WHERE c.solicited);
	own constant integer[] := ARRAY(SELECT d.domain_id FROM dmarc.domains d WHERE d.own);
	all_own constant boolean := NOT EXISTS (SELECT 1 FROM dmarc.domains d WHERE NOT d.own);
BEGIN
	RETURN QUERY
	SELECT w.source_ip FROM (
		SELECT a.source_ip, a.expires_at,
			EXISTS (SELECT 1 FROM ruad.seen s WHERE s.source_ip = a.source_ip AND s.domain_id = ANY (asked)) AS asked
		FROM ruad.address a
		WHERE a.expires_at <= now() AND (all_own
			OR EXISTS (SELECT 1 FROM ruad.seen s WHERE s.source_ip = a.source_ip AND s.domain_id = ANY (own)))) w
	WHERE w.asked OR NOT p_own_only
	ORDER BY w.asked DESC, w.expires_at, w.source_ip LIMIT p_limit;
END
$$;

-- Store what was found: an array of {"source_ip", "failed", "rdns", "rdns_domain", "asn", "as_name", "country",
-- "keep"}. keep is the number of seconds until the next lookup. failed: the DNS did not answer, and the known name
-- stays.
CREATE FUNCTION ruad.enrich_store(p_found jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	WITH told AS (
		SELECT * FROM jsonb_to_recordset(p_found) AS f(source_ip inet, failed boolean, rdns text, rdns_domain text,
			asn bigint, as_name text, country text, keep bigint)
	), known AS (
		SELECT f.source_ip, CASE WHEN f.failed THEN a.rdns ELSE f.rdns END AS rdns,
			CASE WHEN f.failed THEN a.rdns_domain ELSE f.rdns_domain END AS rdns_domain, f.asn, f.as_name, f.country,
			f.keep
		FROM told f JOIN ruad.address a ON a.source_ip = f.source_ip
	), found AS MATERIALIZED (
		SELECT k.*, s.service, s.basis FROM known k, ruad.service_of(k.source_ip, k.rdns, k.asn) s
	)
	UPDATE ruad.address a SET looked_up_at = now(), expires_at = now() + f.keep * interval '1 second', rdns = f.rdns,
		rdns_domain = f.rdns_domain, asn = f.asn, as_name = left(f.as_name, 255), country = f.country,
		service = f.service, service_basis = f.basis,
		label = ruad.label_of(f.source_ip, f.service, f.rdns_domain, f.asn)
	FROM found f
	WHERE f.source_ip = a.source_ip;
END
$$;

-- All addresses in order, p_limit at a time, for use after the list of networks has changed.
CREATE FUNCTION ruad.enrich_addresses(p_after inet, p_limit integer) RETURNS TABLE (source_ip inet)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY SELECT a.source_ip FROM ruad.address a WHERE p_after IS NULL OR a.source_ip > p_after
	ORDER BY a.source_ip LIMIT p_limit;
END
$$;

-- Store networks and countries only: an array of {"source_ip", "asn", "as_name", "country"}.
CREATE FUNCTION ruad.enrich_networks(p_found jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	WITH found AS MATERIALIZED (
		SELECT f.*, s.service, s.basis
		FROM jsonb_to_recordset(p_found) AS f(source_ip inet, asn bigint, as_name text, country text)
		JOIN ruad.address o ON o.source_ip = f.source_ip
		CROSS JOIN LATERAL ruad.service_of(o.source_ip, o.rdns, f.asn) s
		WHERE o.looked_up_at IS NOT NULL
			AND (o.asn, o.as_name, o.country) IS DISTINCT FROM (f.asn, left(f.as_name, 255), f.country)
	)
	UPDATE ruad.address a SET asn = f.asn, as_name = left(f.as_name, 255), country = f.country, service = f.service,
		service_basis = f.basis, label = ruad.label_of(a.source_ip, f.service, a.rdns_domain, f.asn)
	FROM found f
	WHERE a.source_ip = f.source_ip;
END
$$;
