-- 0001_roles - who may do what: an owner that nobody logs in as, and one role per kind of trust.
--
--   ruad_owner    owns every object; the login that migrates is a member (or a superuser)
--   ruad_ingest   may stage mail and call ruad.ingest() and ruad.keep_raw(); may read nothing
--   ruad_web      may read the views of schema dmarc through the functions of schema api
--   ruad_auditor  may read the views of schema dmarc
--   ruad_editor   may set labels
--   ruad_enrich   may call the functions by which ruad-enrich learns what to look up and stores what it found
--
-- Roles belong to the whole cluster, so another database may have made them already. None may log in: an administrator
-- grants them to logins. Runs in one transaction, like every migration.

DO $$
DECLARE
	wanted text;
BEGIN
	FOREACH wanted IN ARRAY ARRAY['ruad_owner', 'ruad_ingest', 'ruad_web', 'ruad_auditor', 'ruad_editor', 'ruad_enrich'] LOOP
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
			BEGIN
				EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
			EXCEPTION WHEN duplicate_object OR unique_violation THEN
				NULL; -- another database's migration was faster
			END;
		END IF;
	END LOOP;
	IF NOT pg_has_role(CURRENT_USER, 'ruad_owner', 'USAGE') THEN
		EXECUTE format('GRANT ruad_owner TO %I', CURRENT_USER);
	END IF;
END
$$;

CREATE SCHEMA ruad AUTHORIZATION ruad_owner;
CREATE SCHEMA dmarc AUTHORIZATION ruad_owner;
CREATE SCHEMA api AUTHORIZATION ruad_owner;

-- Temporary objects are a way to put something of one's own in front of a trusted name, and nobody but
-- stage_open() (which runs as ruad_owner) needs them. Only the database's owner can take the right away; where
-- that is someone else, ingest() still refuses staging tables that ruad_owner does not own.
DO $$
DECLARE
	may_revoke boolean := (SELECT pg_has_role(CURRENT_USER, datdba, 'USAGE') FROM pg_database
		WHERE datname = current_database());
BEGIN
	IF may_revoke THEN
		EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
		EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO ruad_owner', current_database());
		REVOKE ALL ON SCHEMA public FROM PUBLIC;
	ELSIF NOT has_database_privilege('ruad_owner', current_database(), 'TEMPORARY') THEN
		RAISE EXCEPTION 'role ruad_owner may not create temporary tables in database "%"', current_database()
			USING HINT = 'let the owner of the database migrate, or grant TEMPORARY to ruad_owner';
	END IF;
END
$$;

SET LOCAL ROLE ruad_owner;

ALTER DEFAULT PRIVILEGES FOR ROLE ruad_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE ruad_owner IN SCHEMA dmarc GRANT SELECT ON TABLES TO ruad_auditor, ruad_web;
ALTER DEFAULT PRIVILEGES FOR ROLE ruad_owner IN SCHEMA api GRANT EXECUTE ON FUNCTIONS TO ruad_web;

GRANT USAGE ON SCHEMA ruad TO ruad_ingest, ruad_editor, ruad_enrich;
GRANT USAGE ON SCHEMA dmarc TO ruad_auditor, ruad_web;
GRANT USAGE ON SCHEMA api TO ruad_web, ruad_editor;

COMMENT ON SCHEMA ruad IS 'ruad''s own tables and functions: private, may change with any version';
COMMENT ON SCHEMA dmarc IS 'What DMARC reports say, as views: the public interface for audits';
COMMENT ON SCHEMA api IS 'The JSON of ruad''s HTTP API, made by functions over the views of schema dmarc';

CREATE TABLE ruad.schema_version (
	version     integer PRIMARY KEY,
	name        text NOT NULL,
	checksum    text NOT NULL, -- SHA-256 of the migration's text, in hex
	applied_at  timestamptz NOT NULL DEFAULT now(),
	app_version text NOT NULL
);

-- The functions and views that are in force: one row. `ruad migrate` replaces them all when their text is another.
CREATE TABLE ruad.definitions (
	the_row     boolean PRIMARY KEY DEFAULT true CHECK (the_row),
	checksum    text NOT NULL, -- SHA-256 of their text, in hex
	applied_at  timestamptz NOT NULL DEFAULT now(),
	app_version text NOT NULL
);
