-- audit.sql - the audit log and the tokens as views.

CREATE OR REPLACE VIEW dmarc.audit_log AS
SELECT 'audit' AS log, a.id, a.at, a.user_name, a.via, a.token, a.client, a.action, a.object, a.detail
FROM ruad.audit_log a
UNION ALL
SELECT 'labels', l.id, l.set_at, l.set_by, l.set_via, l.token, NULL, 'label', l.source,
	jsonb_build_object('label', l.label, 'note', l.note)
FROM ruad.label_log l
UNION ALL
SELECT 'exclusions', e.id, e.set_at, e.set_by, 'cli', NULL, NULL,
	CASE WHEN e.excluded THEN 'exclude' ELSE 'include' END, coalesce('report ' || e.report, e.org_name),
	jsonb_build_object('since', e.since, 'reports', e.reports, 'reason', e.reason)
FROM ruad.exclusion_log e;
COMMENT ON VIEW dmarc.audit_log IS
	'One row for each thing that somebody did: signed in or out, failed to sign in, downloaded, uploaded, labelled, '
		'excluded, pruned, ...';
COMMENT ON COLUMN dmarc.audit_log.log IS
	'audit; labels: also in dmarc.label_log; exclusions: also in dmarc.exclusion_log';
COMMENT ON COLUMN dmarc.audit_log.id IS 'Number of the entry in its log, ascending';
COMMENT ON COLUMN dmarc.audit_log.at IS 'When it was done';
COMMENT ON COLUMN dmarc.audit_log.user_name IS
	'User of the page, of the operating system (via cli) or of the database (via sql); NULL: unknown';
COMMENT ON COLUMN dmarc.audit_log.via IS
	'page: a browser or a program with a password; token: a program with a token; cli: a command of ruad; sql: a '
		'function of the database that something else called';
COMMENT ON COLUMN dmarc.audit_log.token IS 'Name of the token';
COMMENT ON COLUMN dmarc.audit_log.client IS 'Address of the browser or program';
COMMENT ON COLUMN dmarc.audit_log.action IS
	'login, login_failed, logout, export, upload, label, exclude, include, prune, reprocess, dump, notice_silence, '
		'token_add, token_remove, auditor_add, auditor_remove, user_add, user_set, user_remove, ...';
COMMENT ON COLUMN dmarc.audit_log.object IS 'What it was done to: a path of the API, a source, a report, a token, ...';
COMMENT ON COLUMN dmarc.audit_log.detail IS 'More about it, by action';

CREATE OR REPLACE VIEW dmarc.tokens AS
SELECT t.name, t.user_name, t.may_write, t.made_at, t.made_by, t.expires_at, t.used_at FROM ruad.token t;
COMMENT ON VIEW dmarc.tokens IS 'One row for each token (ruad token). The token itself is not stored.';
COMMENT ON COLUMN dmarc.tokens.name IS 'Name of the token';
COMMENT ON COLUMN dmarc.tokens.user_name IS 'User whose rights it has';
COMMENT ON COLUMN dmarc.tokens.may_write IS 'Whether it may also make changes, as far as the user may';
COMMENT ON COLUMN dmarc.tokens.made_at IS 'When it was made';
COMMENT ON COLUMN dmarc.tokens.made_by IS 'User of the operating system who made it';
COMMENT ON COLUMN dmarc.tokens.expires_at IS 'When it expires; NULL: never';
COMMENT ON COLUMN dmarc.tokens.used_at IS 'When it was used last, to the hour; NULL: never';
