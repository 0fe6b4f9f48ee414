-- 0009_unknown_verdicts.sql - records whose DMARC results say nothing were in a class of failures.

SET LOCAL ROLE ruad_owner;

-- The rule of ruad.record_class() at this version.
CREATE TEMPORARY TABLE mistaken ON COMMIT DROP AS
SELECT e.id, e.domain_id, e.day, f.id AS facet, substr(encode(sha256(convert_to(ROW(f.dkim_aligned, f.spf_aligned,
	'unknown'::text, f.disposition, f.header_from, f.auth_domain, f.override)::text, 'UTF8')), 'hex'), 1, 32)::uuid AS hash
FROM ruad.evaluation e
JOIN ruad.facet f ON f.domain_id = e.domain_id AND f.id = e.facet
WHERE e.class LIKE 'fail%'
	AND (e.dkim IN ('fail', 'softfail', 'none', 'neutral', 'policy', 'temperror', 'permerror')) IS NOT TRUE
	AND (e.spf IN ('fail', 'softfail', 'none', 'neutral', 'policy', 'temperror', 'permerror')) IS NOT TRUE;

INSERT INTO ruad.facet (id, domain_id, hash, dkim_aligned, spf_aligned, class, auth_domain, override, disposition,
	header_from)
SELECT nextval('ruad.evaluation_id_seq'), m.domain_id, m.hash, f.dkim_aligned, f.spf_aligned, 'unknown', f.auth_domain,
	f.override, f.disposition, f.header_from
FROM (SELECT DISTINCT ON (domain_id, hash) domain_id, hash, facet FROM mistaken) m
JOIN ruad.facet f ON f.domain_id = m.domain_id AND f.id = m.facet
ON CONFLICT DO NOTHING;

UPDATE ruad.evaluation e SET class = 'unknown', facet = f.id
FROM mistaken m
JOIN ruad.facet f ON f.domain_id = m.domain_id AND f.hash = m.hash
WHERE e.id = m.id AND e.domain_id = m.domain_id AND e.day = m.day;

INSERT INTO ruad.stale (domain_id, day) SELECT DISTINCT m.domain_id, m.day FROM mistaken m;
