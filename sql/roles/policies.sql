-- policies.sql - which rows of ruad's tables a role may read: row-level security, and the rights on the tables.
--
-- The views of schemas dmarc and api are security invokers, so these rights are those of their readers. Nobody but
-- ruad_owner has the right to use schema ruad: its tables are read through the views only. Partitions have neither
-- rights nor policies; only their parents do.
--
-- ruad_web and ruad_auditor read everything. Their condition is a constant, which the planner removes. ruad_viewer
-- reads the rows of granted domains. What belongs to no domain is visible to it if a visible row refers to it. Mails
-- and what was found in them are invisible.

GRANT SELECT ON ruad.domain, ruad.reporter, ruad.mail, ruad.item, ruad.report, ruad.visible_record,
	ruad.excluded_record, ruad.evaluation, ruad.facet, ruad.sum_day, ruad.sum_month, ruad.seen, ruad.unsummed,
	ruad.stale, ruad.failure, ruad.tls, ruad.tls_policy, ruad.dns_check, ruad.dns_version, ruad.address,
	ruad.label, ruad.label_log, ruad.service, ruad.service_rule, ruad.own_domain, ruad.schema_version,
	ruad.definitions, ruad.gate
	TO ruad_web, ruad_auditor, ruad_viewer;
GRANT SELECT ON ruad.exclusion_log TO ruad_web, ruad_auditor;
GRANT SELECT (id, reason, set_by, set_at) ON ruad.exclusion_log TO ruad_viewer; -- not its number of reports

-- A policy is replaced if its condition differs from the one in its comment: that locks the table.
DO $$
DECLARE
	wanted record;
BEGIN
	FOR wanted IN
		WITH limited (name, condition) AS (
			SELECT t.name, format('%I = ANY ((SELECT ruad.granted_domains())::integer[])',
				CASE t.name WHEN 'domain' THEN 'id' ELSE 'domain_id' END)
			FROM unnest('{domain,report,visible_record,excluded_record,evaluation,facet,sum_day,sum_month,seen,unsummed,
				stale,failure,tls_policy,dns_check,dns_version}'::text[]) AS t(name)
			-- its totals are those of all its policies
			UNION ALL VALUES ('tls', 'domain_id = ANY ((SELECT ruad.granted_domains())::integer[]) AND policies = '
				'(SELECT count(*) FROM ruad.tls_policy p WHERE p.report = tls.id AND p.day = tls.day)'),
			('reporter', 'id IN (SELECT r.reporter_id FROM ruad.report r) '
				'OR id IN (SELECT p.reporter_id FROM ruad.tls_policy p)'),
			('address', 'EXISTS (SELECT 1 FROM ruad.seen s WHERE s.source_ip = address.source_ip)'),
			-- those that may apply to a visible address, as in ruad.label_of()
			('label', 'source IN (SELECT k.source FROM ruad.seen s JOIN ruad.address a ON a.source_ip = s.source_ip '
				'CROSS JOIN LATERAL (VALUES (''ip:'' || host(a.source_ip)), (''domain:'' || a.rdns_domain), '
				'(''service:'' || a.service), (''as:'' || a.asn)) AS k(source))'),
			('label_log', 'source IN (SELECT l.source FROM ruad.label l)'),
			('exclusion_log', 'id IN (SELECT r.exclusion FROM ruad.report r WHERE r.exclusion IS NOT NULL)')
		), policies (name, "table", roles, condition) AS (
			SELECT 'limited', l.name, 'ruad_viewer', l.condition FROM limited l
			UNION ALL SELECT 'everything', c.relname, 'ruad_web, ruad_auditor', 'true' FROM pg_catalog.pg_class c
			WHERE c.relnamespace = 'ruad'::regnamespace AND c.relrowsecurity
		)
		SELECT p.*, o.oid FROM policies p
		LEFT JOIN pg_catalog.pg_policy o ON o.polname = p.name AND o.polrelid = to_regclass('ruad.' || p."table")
		WHERE obj_description(o.oid, 'pg_policy') IS DISTINCT FROM p.condition
	LOOP
		IF wanted.oid IS NOT NULL THEN
			EXECUTE format('DROP POLICY %I ON ruad.%I', wanted.name, wanted."table");
		END IF;
		EXECUTE format('CREATE POLICY %I ON ruad.%I FOR SELECT TO %s USING (%s)', wanted.name, wanted."table",
			wanted.roles, wanted.condition);
		EXECUTE format('COMMENT ON POLICY %I ON ruad.%I IS %L', wanted.name, wanted."table", wanted.condition);
	END LOOP;
END
$$;
