-- 0007_audit.sql - the audit log, and the tokens by which programs sign in.

SET LOCAL ROLE ruad_owner;

-- What was done, and by whom. Rows are only added, and removed by ruad.prune() when they are old. Labels and excluded
-- reports have logs of their own; dmarc.audit_log shows all three.
CREATE TABLE ruad.audit_log (
	id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at        timestamptz NOT NULL,
	user_name text, -- NULL: nobody signs in, or a token was unknown
	via       text NOT NULL CHECK (via IN ('page', 'token', 'cli', 'sql')),
	token     text, -- its name
	client    text, -- address of the browser or the program
	action    text NOT NULL CHECK (action ~ '^[a-z_]{1,40}$'),
	object    text,
	detail    jsonb
);
CREATE INDEX ON ruad.audit_log (at, id);

CREATE TABLE ruad.token (
	name       text PRIMARY KEY CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'),
	user_name  text NOT NULL CHECK (octet_length(user_name) BETWEEN 1 AND 255),
	hash       bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32), -- SHA-256 of the token, which nothing else keeps
	may_write  boolean NOT NULL,
	made_at    timestamptz NOT NULL,
	made_by    text NOT NULL,
	expires_at timestamptz, -- NULL: never
	used_at    timestamptz  -- updated at most once an hour
);

ALTER TABLE ruad.label DROP CONSTRAINT label_set_via_check,
	ADD CONSTRAINT label_set_via_check CHECK (set_via IN ('page', 'token', 'cli'));
ALTER TABLE ruad.label_log ADD COLUMN token text; -- its name, if set_via is token
