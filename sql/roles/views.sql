-- views.sql - who may read the views.

-- Default privileges give the same rights on views that are created later; these are for those that exist.
GRANT SELECT ON ALL TABLES IN SCHEMA dmarc, api TO ruad_web, ruad_auditor, ruad_viewer;

-- What is about all domains: numbers of reports, and what users do.
REVOKE SELECT ON dmarc.exclusion_log, dmarc.audit_log, dmarc.tokens FROM ruad_viewer;
