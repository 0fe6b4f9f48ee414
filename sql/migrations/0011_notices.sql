-- 0011_notices.sql - what ruad told its administrators by mail and webhook, and what it still has to send.
--
-- Role ruad_notify calls the functions of sql/notify/ and may do nothing else.

-- As in 0001_roles.
DO $$
DECLARE
	may_set text := CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END;
	statement text;
	refused text[] := '{}';
BEGIN
	FOR statement IN
		WITH role AS (SELECT r.rolconnlimit, r.rolconfig, r.oid, m.rolsuper
			FROM pg_roles m LEFT JOIN pg_roles r ON r.rolname = 'ruad_notify' WHERE m.rolname = CURRENT_USER)
		SELECT 'CREATE ROLE ruad_notify NOLOGIN' FROM role WHERE oid IS NULL
		UNION ALL SELECT 'ALTER ROLE ruad_notify CONNECTION LIMIT 4' FROM role WHERE coalesce(rolconnlimit, -1) = -1
		UNION ALL SELECT format('ALTER ROLE ruad_notify SET %I = %L', name, value)
		FROM role, (VALUES ('statement_timeout', '5min'), ('lock_timeout', '30s'),
			('idle_in_transaction_session_timeout', '5min')) s (name, value) -- a mail server may take two minutes
		WHERE NOT EXISTS (SELECT 1 FROM unnest(rolconfig) c WHERE starts_with(c, name || '='))
		UNION ALL SELECT format('GRANT ruad_notify TO %I', CURRENT_USER)
			|| CASE may_set WHEN 'SET' THEN ' WITH INHERIT TRUE, SET TRUE' ELSE '' END
		FROM role WHERE NOT rolsuper AND NOT coalesce(pg_has_role(SESSION_USER, oid, may_set), false)
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
		RAISE EXCEPTION 'login "%" may not set up role ruad_notify; a superuser must run: %;', CURRENT_USER,
			array_to_string(refused, '; ') USING ERRCODE = 'insufficient_privilege';
	END IF;
END
$$;

SET LOCAL ROLE ruad_owner;

GRANT USAGE ON SCHEMA ruad TO ruad_notify;

-- Conditions that were present at some time, and what was told about them.
CREATE TABLE ruad.notice (
	key            text PRIMARY KEY CHECK (octet_length(key) BETWEEN 1 AND 400), -- ruad.notice_key()
	kind           text NOT NULL,
	domain         text,
	source         text,                 -- what it is about, besides the domain
	level          smallint NOT NULL,    -- how bad it is, as it was seen last: 1 or more; higher is worse
	severity       text NOT NULL CHECK (severity IN ('error', 'warning', 'info')),
	title          text NOT NULL,
	evidence       text NOT NULL,
	action         text NOT NULL,
	reference      numeric,              -- what it is measured against, as it was when the condition began
	state          text NOT NULL CHECK (state IN ('new', 'told', 'resolved')), -- new: not told yet
	since          timestamptz NOT NULL, -- seen for the first time, or for the first time after it was resolved
	seen_at        timestamptz NOT NULL, -- for the last time
	gone_since     timestamptz,          -- not seen any more from then on; NULL: it is present
	changed_at     timestamptz NOT NULL, -- the state
	told_at        timestamptz,          -- when something was told about it for the last time
	told_level     smallint NOT NULL DEFAULT 0, -- the worst level that was told since it is present
	silenced_until timestamptz,          -- nothing is told until then
	silenced_by    text
);

-- When the reports were searched for conditions. One row.
CREATE TABLE ruad.notice_state (
	the_row    boolean PRIMARY KEY DEFAULT true CHECK (the_row),
	reports_at timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO ruad.notice_state DEFAULT VALUES;

-- Messages for destinations. content is NULL once it was sent or given up.
CREATE TABLE ruad.outbox (
	id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	what        text NOT NULL CHECK (what ~ '^[a-z_]{1,40}$'), -- notices, ...
	destination text NOT NULL CHECK (octet_length(destination) BETWEEN 1 AND 400), -- webhook, or mail: and an address
	content     bytea,
	made_at     timestamptz NOT NULL,
	next_at     timestamptz NOT NULL, -- of the next attempt
	attempts    integer NOT NULL DEFAULT 0,
	failure     text,                 -- of the last attempt
	sent_at     timestamptz,
	CHECK (sent_at IS NULL OR content IS NULL)
);
CREATE INDEX ON ruad.outbox (next_at) WHERE content IS NOT NULL;
