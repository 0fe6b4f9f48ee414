-- 0008_users.sql - which domains a user may see, enforced by row-level security.
--
-- Role ruad_viewer reads what the domains of its user allow (sql/roles/policies.sql). ruad-web acts as this role for
-- users who are limited to domains, and the logins of auditors who are limited are members of it.
--
-- PostgreSQL does not COPY into a table with row-level security, so ruad.record has none: ruad.visible_record, of
-- which it is the only partition, has it, and the views read that.

-- As in 0001_roles.
DO $$
DECLARE
	statement text;
	refused text[] := '{}';
BEGIN
	FOR statement IN
		WITH role AS (SELECT r.rolconnlimit, r.rolconfig, r.oid FROM (VALUES ('ruad_viewer')) w (name)
			LEFT JOIN pg_roles r ON r.rolname = w.name)
		SELECT 'CREATE ROLE ruad_viewer NOLOGIN' FROM role WHERE oid IS NULL
		UNION ALL SELECT 'ALTER ROLE ruad_viewer CONNECTION LIMIT 8' FROM role WHERE coalesce(rolconnlimit, -1) = -1
		UNION ALL SELECT format('ALTER ROLE ruad_viewer SET %I = %L', name, value)
		FROM role, (VALUES ('statement_timeout', '5min'), ('lock_timeout', '5s'),
			('idle_in_transaction_session_timeout', '5min')) s (name, value)
		WHERE NOT EXISTS (SELECT 1 FROM unnest(rolconfig) c WHERE starts_with(c, name || '='))
		UNION ALL SELECT 'GRANT ruad_viewer TO ruad_web' FROM role
		WHERE NOT coalesce(pg_has_role('ruad_web', oid, 'MEMBER'), false)
	LOOP
		BEGIN
			EXECUTE statement;
		EXCEPTION
			WHEN duplicate_object OR unique_violation THEN
				NULL; -- another database's migration was faster
			WHEN insufficient_privilege OR undefined_object THEN
				refused := array_append(refused, statement);
		END;
	END LOOP;
	IF refused <> '{}' THEN
		RAISE EXCEPTION 'login "%" may not set up role ruad_viewer; a superuser must run: %;', CURRENT_USER,
			array_to_string(refused, '; ') USING ERRCODE = 'insufficient_privilege';
	END IF;
END
$$;

SET LOCAL ROLE ruad_owner;

ALTER DEFAULT PRIVILEGES FOR ROLE ruad_owner IN SCHEMA dmarc GRANT SELECT ON TABLES TO ruad_viewer;
ALTER DEFAULT PRIVILEGES FOR ROLE ruad_owner IN SCHEMA api GRANT SELECT ON TABLES TO ruad_auditor, ruad_viewer;
ALTER DEFAULT PRIVILEGES FOR ROLE ruad_owner IN SCHEMA api GRANT EXECUTE ON FUNCTIONS TO ruad_viewer;
GRANT USAGE ON SCHEMA dmarc, api TO ruad_viewer;

-- Users with rights of their own. Others have those that the settings of ruad-web give.
CREATE TABLE ruad.user_grant (
	name    text PRIMARY KEY CHECK (octet_length(name) BETWEEN 1 AND 255), -- on the page, and of a login
	role    text NOT NULL CHECK (role IN ('viewer', 'editor', 'admin')),
	domains text[], -- names in lower case, or patterns: *.example.org is every domain below; NULL: all domains
	set_by  text NOT NULL,
	set_at  timestamptz NOT NULL,
	CHECK (domains IS NULL OR cardinality(domains) > 0 AND role <> 'admin')
);

CREATE TABLE ruad.visible_record (LIKE ruad.record) PARTITION BY RANGE (day);
ALTER TABLE ruad.visible_record ATTACH PARTITION ruad.record DEFAULT;

-- Without a policy, nobody but the owner reads anything.
ALTER TABLE ruad.domain ENABLE ROW LEVEL SECURITY;
ALTER TABLE ruad.reporter ENABLE ROW LEVEL SECURITY;
ALTER TABLE ruad.mail ENABLE ROW LEVEL SECURITY;
ALTER TABLE ruad.item ENABLE ROW LEVEL SECURITY;
ALTER TABLE ruad.report ENABLE ROW LEVEL SECURITY;
ALTER TABLE ruad.visible_record ENABLE ROW LEVEL SECURITY;
ALTER TABLE ruad.excluded_record ENABLE ROW LEVEL SECURITY;
ALTER TABLE ruad.evaluation ENABLE ROW LEVEL SECURITY;
ALTER TABLE ruad.facet ENABLE ROW LEVEL SECURITY;
ALTER TABLE ruad.sum_day ENABLE ROW LEVEL SECURITY;
ALTER TABLE ruad.sum_month ENABLE ROW LEVEL SECURITY;
ALTER TABLE ruad.seen ENABLE ROW LEVEL SECURITY;
ALTER TABLE ruad.unsummed ENABLE ROW LEVEL SECURITY;
ALTER TABLE ruad.stale ENABLE ROW LEVEL SECURITY;
ALTER TABLE ruad.failure ENABLE ROW LEVEL SECURITY;
ALTER TABLE ruad.tls ENABLE ROW LEVEL SECURITY;
ALTER TABLE ruad.tls_policy ENABLE ROW LEVEL SECURITY;
ALTER TABLE ruad.dns_check ENABLE ROW LEVEL SECURITY;
ALTER TABLE ruad.address ENABLE ROW LEVEL SECURITY;
ALTER TABLE ruad.label ENABLE ROW LEVEL SECURITY;
ALTER TABLE ruad.label_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE ruad.exclusion_log ENABLE ROW LEVEL SECURITY;
