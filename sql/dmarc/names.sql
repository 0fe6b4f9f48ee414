-- names.sql - views of domains, reporters and the version of the schema.

CREATE OR REPLACE VIEW dmarc.domains WITH (security_invoker = true) AS
SELECT d.name AS domain, d.id AS domain_id,
	CASE WHEN EXISTS (SELECT 1 FROM ruad.own_domain) THEN EXISTS (SELECT 1 FROM ruad.own_domain o
			WHERE o.pattern = d.name
				OR (o.pattern LIKE '*.%' AND right(d.name, length(o.pattern) - 1) = substr(o.pattern, 2)))
		WHEN EXISTS (SELECT 1 FROM ruad.dns_check o WHERE o.solicited) THEN c.solicited IS DISTINCT FROM false
		ELSE true END AS own
FROM ruad.domain d
LEFT JOIN ruad.dns_check c ON c.domain_id = d.id;
COMMENT ON VIEW dmarc.domains IS 'One row per domain that a report was ever about, of any kind.';
COMMENT ON COLUMN dmarc.domains.domain IS
	'Its name: policy_published/domain, policy-domain, or the domain of a failure report';
COMMENT ON COLUMN dmarc.domains.domain_id IS 'Its number in this database';
COMMENT ON COLUMN dmarc.domains.own IS 'Whether it is one of [server] domains; if there are none, whether its DMARC '
	'record names a mailbox of this server, or that is not known, or that of no domain does';

CREATE OR REPLACE VIEW dmarc.schema_version WITH (security_invoker = true) AS
SELECT version, name, applied_at, app_version FROM ruad.schema_version;
COMMENT ON VIEW dmarc.schema_version IS 'The migrations applied to this database.';
COMMENT ON COLUMN dmarc.schema_version.version IS 'Number of the migration';
COMMENT ON COLUMN dmarc.schema_version.name IS 'Its name';
COMMENT ON COLUMN dmarc.schema_version.applied_at IS 'When it was applied';
COMMENT ON COLUMN dmarc.schema_version.app_version IS 'By which version of ruad';

CREATE OR REPLACE VIEW dmarc.reporters WITH (security_invoker = true) AS
SELECT org_name, id AS reporter_id FROM ruad.reporter;
COMMENT ON VIEW dmarc.reporters IS 'One row per organisation that ever sent a report, aggregate or TLS.';
COMMENT ON COLUMN dmarc.reporters.org_name IS 'Its name, as written';
COMMENT ON COLUMN dmarc.reporters.reporter_id IS 'Its number in this database';

CREATE OR REPLACE VIEW dmarc.definitions WITH (security_invoker = true) AS
SELECT checksum, applied_at, app_version FROM ruad.definitions;
COMMENT ON VIEW dmarc.definitions IS 'One row: the version of the functions and views.';
COMMENT ON COLUMN dmarc.definitions.checksum IS 'SHA-256 of their text, in hex';
COMMENT ON COLUMN dmarc.definitions.applied_at IS 'When ruad migrate created them';
COMMENT ON COLUMN dmarc.definitions.app_version IS 'Version of that ruad';
