-- evaluations.sql - stores what repeats among records once per domain and month.
--
-- A report can have 200,000 different evaluations, and these functions do their work for each. So each look-up is a
-- subquery in an expression, without sequential scans, and only one index has its columns. A join or NOT EXISTS
-- leaves the choice to statistics. Those say "empty" when the first large report comes, or when ANALYZE ran before its
-- rows were committed, and each look-up then reads the whole month.

-- What ruad-ingest knows about a record except its number, address and count; ruad.evaluations() gives it an id.
CREATE TYPE ruad.new_evaluation AS (
	domain_id     integer, -- of its report, as is day
	day           date,
	disposition   text,
	dkim          text,
	spf           text,
	header_from   text,
	envelope_from text,
	envelope_to   text,
	reason        jsonb,   -- arrays as in the canonical JSON; NULL where there is nothing
	auth_results  jsonb,   -- {"dkim": [...], "spf": [...]}
	notes         jsonb
);

-- Store the facets that are new.
CREATE FUNCTION ruad.insert_facets(facets ruad.facet[]) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO ruad.facet (id, domain_id, hash, dkim_aligned, spf_aligned, class, auth_domain, override,
		disposition, header_from)
	SELECT nextval('ruad.evaluation_id_seq'), f.domain_id, f.hash, f.dkim_aligned, f.spf_aligned, f.class,
		f.auth_domain, f.override, f.disposition, f.header_from
	FROM unnest(facets) f
	WHERE (SELECT o.id FROM ruad.facet o WHERE o.hash = f.hash AND o.domain_id + 0 = f.domain_id) IS NULL
	ORDER BY f.domain_id, f.hash
	ON CONFLICT DO NOTHING;
END
$$;

-- The facet of each evaluation, in the same order; id is NULL.
CREATE FUNCTION ruad.facets_of(evaluations ruad.new_evaluation[]) RETURNS ruad.facet[]
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN ARRAY(
		SELECT ROW(NULL, e.domain_id,
			ruad.hash_of(ROW(e.dkim IS NOT DISTINCT FROM 'pass', e.spf IS NOT DISTINCT FROM 'pass', c.class,
				e.disposition, e.header_from, c.auth_domain, c.override)::text),
			e.dkim IS NOT DISTINCT FROM 'pass', e.spf IS NOT DISTINCT FROM 'pass', c.class, c.auth_domain,
			c.override, e.disposition, e.header_from)::ruad.facet
		FROM unnest(evaluations) WITH ORDINALITY e
		CROSS JOIN LATERAL (SELECT
			ruad.record_class(e.dkim, e.spf, e.reason, coalesce(e.header_from,
				(SELECT d.name FROM ruad.domain d WHERE d.id = e.domain_id)), e.auth_results) AS class,
			ruad.auth_domain(e.header_from, e.auth_results) AS auth_domain,
			ruad.override_types(e.reason) AS override
			OFFSET 0) c
		ORDER BY e.ordinality);
END
$$;

-- Store the evaluations that are new and return the id of each, in the same order. Called in the transaction of
-- ingest(), after it.
CREATE FUNCTION ruad.evaluations(evaluations ruad.new_evaluation[]) RETURNS SETOF bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
	SET enable_seqscan = off
AS $$
DECLARE
	facets ruad.facet[] := ruad.facets_of(evaluations);
	hashes uuid[] := ARRAY(SELECT ruad.hash_of(ROW(e.disposition, e.dkim, e.spf, e.header_from, e.envelope_from,
		e.envelope_to, e.reason, e.auth_results, e.notes)::text) FROM unnest(evaluations) WITH ORDINALITY e
		ORDER BY e.ordinality);
BEGIN
	PERFORM ruad.insert_facets(facets);
	INSERT INTO ruad.evaluation (id, facet, day, domain_id, hash, class, auth_domain, override, disposition, dkim, spf,
		header_from, envelope_from, envelope_to, reason, auth_results, notes)
	SELECT nextval('ruad.evaluation_id_seq'), (SELECT o.id FROM ruad.facet o
		WHERE o.hash = n.facet_hash AND o.domain_id + 0 = n.domain_id),
		ruad.month_of(n.day), n.domain_id, n.hash, n.class, n.auth_domain, n.override, n.disposition, n.dkim, n.spf,
		n.header_from, n.envelope_from, n.envelope_to, n.reason, n.auth_results, n.notes
	-- side by side, since a join of the arrays by their ordinality would compare each with each
	FROM ROWS FROM (unnest(evaluations), unnest(facets), unnest(hashes))
		AS n(domain_id, day, disposition, dkim, spf, header_from, envelope_from, envelope_to, reason, auth_results,
			notes, facet_id, facet_domain_id, facet_hash, dkim_aligned, spf_aligned, class, auth_domain,
			override, facet_disposition, facet_header_from, hash)
	WHERE (SELECT o.id FROM ruad.evaluation o WHERE o.domain_id = n.domain_id AND o.day = ruad.month_of(n.day)
		AND o.hash = n.hash) IS NULL
	ORDER BY n.domain_id, 3, n.hash
	ON CONFLICT DO NOTHING;

	RETURN QUERY
	SELECT (SELECT o.id FROM ruad.evaluation o WHERE o.domain_id = n.domain_id AND o.day = ruad.month_of(n.day)
		AND o.hash = n.hash)
	FROM ROWS FROM (unnest(evaluations), unnest(hashes)) WITH ORDINALITY
		AS n(domain_id, day, disposition, dkim, spf, header_from, envelope_from, envelope_to, reason,
			auth_results, notes, hash, no)
	ORDER BY n.no;
END
$$;
