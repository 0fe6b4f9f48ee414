-- definitions.sql - removes the functions and types of the previous version, at the start of the transaction in which
-- `ruad migrate` creates those of this one.
--
-- Functions and types of the schemas ruad and api are dropped and created again, so that no old one stays. Views of
-- schema dmarc are replaced in place: they keep their grants, and the views that users built on them. A user's view
-- that calls a function of ruad prevents the replacement; the error names it. Trigger functions belong to the tables,
-- in migrations/. Functions of policies are replaced in place, since dropping a policy would lock its table.

SET LOCAL ROLE ruad_owner;

DO $$
DECLARE
	routines text := (
		SELECT string_agg(p.oid::regprocedure::text, ', ') FROM pg_catalog.pg_proc p
		WHERE p.pronamespace IN ('ruad'::regnamespace, 'api'::regnamespace) AND p.prorettype <> 'trigger'::regtype
			AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.refclassid = 'pg_proc'::regclass
				AND d.refobjid = p.oid AND d.classid = 'pg_policy'::regclass));
	types text := (
		SELECT string_agg(t.oid::regtype::text, ', ') FROM pg_catalog.pg_type t
		JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
		WHERE t.typnamespace IN ('ruad'::regnamespace, 'api'::regnamespace) AND c.relkind = 'c');
BEGIN
	IF routines IS NOT NULL THEN
		EXECUTE 'DROP ROUTINE ' || routines;
	END IF;
	IF types IS NOT NULL THEN
		EXECUTE 'DROP TYPE ' || types;
	END IF;
END
$$;

