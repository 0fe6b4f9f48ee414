-- sources.sql - views of addresses, services and labels.

CREATE OR REPLACE VIEW dmarc.addresses AS
SELECT a.source_ip, a.rdns, a.rdns_domain, a.asn, a.as_name, a.country, a.source,
	coalesce(s.name, CASE WHEN a.rdns_domain IS NULL THEN coalesce(a.as_name, 'AS' || a.asn) ELSE a.rdns_domain END) AS source_name,
	s.type AS source_type,
	coalesce(a.service_basis, CASE WHEN a.rdns_domain IS NOT NULL THEN 'rdns' WHEN a.asn IS NOT NULL THEN 'asn' ELSE 'ip' END) AS name_basis,
	a.label, a.looked_up_at, a.expires_at
FROM ruad.address a
LEFT JOIN ruad.service s ON s.key = a.service;
COMMENT ON VIEW dmarc.addresses IS 'One row per address that ruad-enrich looked up or that has a label. What it says is of today, not of the time of a report.';
COMMENT ON COLUMN dmarc.addresses.source_ip IS 'The address';
COMMENT ON COLUMN dmarc.addresses.rdns IS 'Its reverse name, when that name leads back to it (forward-confirmed)';
COMMENT ON COLUMN dmarc.addresses.rdns_domain IS 'Organisational domain of rdns';
COMMENT ON COLUMN dmarc.addresses.asn IS 'Number of the autonomous system that announces it';
COMMENT ON COLUMN dmarc.addresses.as_name IS 'Name of that system';
COMMENT ON COLUMN dmarc.addresses.country IS 'Its country, ISO 3166';
COMMENT ON COLUMN dmarc.addresses.source IS 'Key of the source it belongs to: service:NAME, else domain:NAME, else as:NUMBER, else ip:ADDRESS';
COMMENT ON COLUMN dmarc.addresses.source_name IS 'Name of the source for people; NULL where the address is all there is';
COMMENT ON COLUMN dmarc.addresses.source_type IS 'Kind of service: mailbox, marketing, ...';
COMMENT ON COLUMN dmarc.addresses.name_basis IS 'What the source rests on: rdns, asn, dkim, spf or ip. A hint, not proof';
COMMENT ON COLUMN dmarc.addresses.label IS 'The most specific label that speaks of it: of the address, its domain, its service, its system';
COMMENT ON COLUMN dmarc.addresses.looked_up_at IS 'When it was looked up last; NULL: not yet';
COMMENT ON COLUMN dmarc.addresses.expires_at IS 'When it will be looked up again';

CREATE OR REPLACE VIEW dmarc.labels AS SELECT source, label, note, set_by, set_via, set_at FROM ruad.label;
COMMENT ON VIEW dmarc.labels IS 'Whose a source is, in the words of the people here. One row per labelled source.';
COMMENT ON COLUMN dmarc.labels.source IS 'Key of the source';
COMMENT ON COLUMN dmarc.labels.label IS 'mine, forwarder or not_mine';
COMMENT ON COLUMN dmarc.labels.note IS 'What was said with it';
COMMENT ON COLUMN dmarc.labels.set_by IS 'Who set it: user of the page, or of the operating system';
COMMENT ON COLUMN dmarc.labels.set_via IS 'page or cli';
COMMENT ON COLUMN dmarc.labels.set_at IS 'When';

CREATE OR REPLACE VIEW dmarc.label_log AS SELECT id, source, label, note, set_by, set_via, set_at FROM ruad.label_log;
COMMENT ON VIEW dmarc.label_log IS 'One row per setting or taking away of a label, ever.';
COMMENT ON COLUMN dmarc.label_log.id IS 'Counts up';
COMMENT ON COLUMN dmarc.label_log.source IS 'Key of the source';
COMMENT ON COLUMN dmarc.label_log.label IS 'mine, forwarder or not_mine; NULL: it was taken away';
COMMENT ON COLUMN dmarc.label_log.note IS 'What was said with it';
COMMENT ON COLUMN dmarc.label_log.set_by IS 'Who: user of the page, or of the operating system';
COMMENT ON COLUMN dmarc.label_log.set_via IS 'page or cli';
COMMENT ON COLUMN dmarc.label_log.set_at IS 'When';

CREATE OR REPLACE VIEW dmarc.services AS SELECT key, name, type FROM ruad.service;
COMMENT ON VIEW dmarc.services IS 'Services that send mail for others, as ruad knows them.';
COMMENT ON COLUMN dmarc.services.key IS 'Its word in keys of sources, after service:';
COMMENT ON COLUMN dmarc.services.name IS 'Its name';
COMMENT ON COLUMN dmarc.services.type IS 'mailbox, marketing, transactional, ...';
