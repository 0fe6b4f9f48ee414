-- 0001_roles - who may do what: an owner that nobody logs in as, and one role per kind of trust.
--
--   ruad_owner    owns every object; the login that migrates is a member (or a superuser)
--   ruad_ingest   may stage mail and call ruad.ingest() and ruad.keep_raw(); may read nothing
--   ruad_web      may read the views of schema dmarc through the functions of schema api
--   ruad_auditor  may read the views of schema dmarc
--   ruad_editor   may set labels
--   ruad_enrich   may call the functions by which ruad-enrich learns what to look up and stores what it found
--
-- Roles belong to the whole cluster, so another database may have made them already. None may log in: an administrator grants them to
-- logins. What is already set on a role (by that database, or by an administrator) stays. Runs in one transaction, like every migration.
--
-- PostgreSQL applies a role's time-outs only to a login by its name. Programs that act as a role in another way read them from here
-- (role_assume()). A CREATEROLE login of PostgreSQL 16 and later is no member of the roles that it creates, and may grant itself only these.

DO $$
DECLARE
	may_set text := CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END;
	statement text;
	statements text[];
	refused text[] := '{}';
	of_owner text[]; -- what only the owner of the database can run
BEGIN
	WITH wanted (role, connections, statement_timeout, lock_timeout, idle_in_transaction_session_timeout) AS (VALUES
		('ruad_owner', 16, '1h', '1min', '5min'), -- prune, reprocess
		('ruad_ingest', 32, '15min', '30s', '5min'), -- a report of a million records takes minutes; a mail server waits ten for an answer
		('ruad_web', 260, '10s', '5s', '10s'), -- http.threads is 256 at most
		('ruad_editor', 260, '10s', '5s', '10s'),
		('ruad_auditor', 8, '5min', '5s', '5min'),
		('ruad_enrich', 4, '15min', '30s', '1min') -- new services are matched with all addresses in one statement
	), role AS (
		SELECT w.*, to_regrole(w.role) AS oid, r.rolconnlimit, r.rolconfig, CASE
			WHEN m.rolsuper OR w.role = 'ruad_auditor' THEN true -- nothing of ruad acts as an auditor
			WHEN w.role = 'ruad_owner' AND NOT pg_has_role(SESSION_USER, to_regrole(w.role), 'USAGE') THEN false
			ELSE pg_has_role(SESSION_USER, to_regrole(w.role), may_set) END AS is_ours
		FROM wanted w JOIN pg_roles m ON m.rolname = CURRENT_USER LEFT JOIN pg_roles r ON r.rolname = w.role
	), todo (step, statement) AS (
		SELECT 1, format('CREATE ROLE %I NOLOGIN', role) FROM role WHERE oid IS NULL
		UNION ALL SELECT 2, format('ALTER ROLE %I CONNECTION LIMIT %s', role, connections) FROM role WHERE coalesce(rolconnlimit, -1) = -1
		UNION ALL SELECT 3, format('ALTER ROLE %I SET %I = %L', role, name, value)
		FROM role, LATERAL (VALUES ('statement_timeout', statement_timeout), ('lock_timeout', lock_timeout),
			('idle_in_transaction_session_timeout', idle_in_transaction_session_timeout)) s (name, value)
		WHERE NOT EXISTS (SELECT 1 FROM unnest(rolconfig) c WHERE starts_with(c, name || '='))
		UNION ALL SELECT 4, format('GRANT %I TO %I', role, CURRENT_USER) || CASE may_set WHEN 'SET' THEN ' WITH INHERIT TRUE, SET TRUE' ELSE '' END
		FROM role WHERE is_ours IS NOT TRUE
		UNION ALL SELECT 5, format('ALTER ROLE %I INHERIT', rolname)
		FROM pg_roles WHERE rolname = CURRENT_USER AND NOT rolsuper AND NOT rolinherit AND may_set = 'MEMBER'
		UNION ALL SELECT 6, format('GRANT CREATE ON DATABASE %I TO %I', current_database(), CURRENT_USER)
		WHERE NOT has_database_privilege(current_database(), 'CREATE')
		UNION ALL SELECT 7, format('GRANT TEMPORARY ON DATABASE %I TO ruad_owner', current_database())
		FROM role WHERE role = 'ruad_owner'
			AND coalesce(has_database_privilege(oid, current_database(), 'TEMPORARY'), has_database_privilege('public', current_database(), 'TEMPORARY')) IS NOT TRUE
			AND NOT (SELECT pg_has_role(CURRENT_USER, datdba, 'USAGE') FROM pg_database WHERE datname = current_database())
	)
	SELECT coalesce(array_agg(t.statement ORDER BY step, t.statement) FILTER (WHERE step < 6), '{}'),
		coalesce(array_agg(t.statement ORDER BY step) FILTER (WHERE step >= 6), '{}')
	INTO statements, of_owner FROM todo t;
	FOREACH statement IN ARRAY statements LOOP
		BEGIN
			EXECUTE statement;
		EXCEPTION
			WHEN duplicate_object OR unique_violation THEN
				NULL; -- another database's migration was faster
			WHEN insufficient_privilege OR undefined_object THEN
				refused := array_append(refused, statement);
		END;
	END LOOP;
	refused := refused || of_owner;
	IF refused <> '{}' THEN
		RAISE EXCEPTION 'login "%" may not set up the roles of ruad; a superuser must run: %;', CURRENT_USER, array_to_string(refused, '; ')
			USING ERRCODE = 'insufficient_privilege';
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
BEGIN
	IF (SELECT pg_has_role(CURRENT_USER, datdba, 'USAGE') FROM pg_database WHERE datname = current_database()) THEN
		EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
		EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO ruad_owner', current_database());
		REVOKE ALL ON SCHEMA public FROM PUBLIC;
	END IF;
END
$$;

-- Advisory locks and large objects, which nobody needs here: ruad's own locks are on its tables, where no outsider can hold them. Only a
-- superuser can take away the right to them.
DO $$
DECLARE
	routine regprocedure;
BEGIN
	IF (SELECT rolsuper FROM pg_roles WHERE rolname = CURRENT_USER) THEN
		FOR routine IN SELECT oid FROM pg_proc
			WHERE pronamespace = 'pg_catalog'::regnamespace AND proname ~ '^(lo_.*|loread|lowrite|pg_(try_)?advisory_.*)$'
		LOOP
			EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', routine);
		END LOOP;
	END IF;
END
$$;

SET LOCAL ROLE ruad_owner;

ALTER DEFAULT PRIVILEGES FOR ROLE ruad_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE ruad_owner IN SCHEMA dmarc GRANT SELECT ON TABLES TO ruad_auditor, ruad_web;
ALTER DEFAULT PRIVILEGES FOR ROLE ruad_owner IN SCHEMA api GRANT EXECUTE ON FUNCTIONS TO ruad_web;
ALTER DEFAULT PRIVILEGES FOR ROLE ruad_owner IN SCHEMA api GRANT SELECT ON TABLES TO ruad_web;

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

-- Empty. Whoever changes what is stored (ruad prune, ruad reprocess) holds a lock on it meanwhile.
CREATE TABLE ruad.exclusive_work ();
