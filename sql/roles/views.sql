-- views.sql - who may read the views.

-- Default privileges give the same rights on views that are created later; these are for those that exist.
GRANT SELECT ON ALL TABLES IN SCHEMA dmarc, api TO ruad_web, ruad_auditor, ruad_viewer;

-- Its number of reports includes those of all domains.
REVOKE SELECT ON dmarc.exclusion_log FROM ruad_viewer;
