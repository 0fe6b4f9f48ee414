-- 0009_unknown_verdicts.sql - records whose DMARC results say nothing were in a class of failures.

SET LOCAL ROLE ruad_owner;

-- Evaluations in a wrong class, by the rule of ruad.record_class() at this version, get the facet that they need; the
-- sums of their months are made again.
DO $$
DECLARE
	mistaken record;
BEGIN
	FOR mistaken IN
		SELECT e.id, e.domain_id, e.day, f.id AS facet,
			substr(encode(sha256(convert_to(ROW(f.dkim_aligned, f.spf_aligned, 'unknown'::text, f.disposition,
				f.header_from, f.auth_domain, f.override)::text, 'UTF8')), 'hex'), 1, 32)::uuid AS hash
		FROM ruad.evaluation e
		JOIN ruad.facet f ON f.domain_id = e.domain_id AND f.id = e.facet
		WHERE e.class LIKE 'fail%'
			AND (e.dkim IN ('fail', 'softfail', 'none', 'neutral', 'policy', 'temperror', 'permerror')) IS NOT TRUE
			AND (e.spf IN ('fail', 'softfail', 'none', 'neutral', 'policy', 'temperror', 'permerror')) IS NOT TRUE
	LOOP
		INSERT INTO ruad.facet (id, domain_id, hash, dkim_aligned, spf_aligned, class, auth_domain, override,
			disposition, header_from)
		SELECT nextval('ruad.evaluation_id_seq'), f.domain_id, mistaken.hash, f.dkim_aligned, f.spf_aligned, 'unknown',
			f.auth_domain, f.override, f.disposition, f.header_from
		FROM ruad.facet f WHERE f.domain_id = mistaken.domain_id AND f.id = mistaken.facet
		ON CONFLICT DO NOTHING;
		UPDATE ruad.evaluation e SET class = 'unknown', facet = f.id
		FROM ruad.facet f
		WHERE f.domain_id = mistaken.domain_id AND f.hash = mistaken.hash
			AND e.id = mistaken.id AND e.domain_id = mistaken.domain_id AND e.day = mistaken.day;
		INSERT INTO ruad.stale (domain_id, day)
		SELECT mistaken.domain_id, mistaken.day
		WHERE NOT EXISTS (SELECT 1 FROM ruad.stale s WHERE s.domain_id = mistaken.domain_id AND s.day = mistaken.day);
	END LOOP;
END
$$;
