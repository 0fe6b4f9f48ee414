-- sources.sql - views of addresses, services and labels.

CREATE OR REPLACE VIEW dmarc.addresses WITH (security_invoker = true) AS
SELECT a.source_ip, a.rdns, a.rdns_domain, a.asn, a.as_name, a.country, a.source,
	coalesce(s.name, CASE WHEN a.rdns_domain IS NULL THEN coalesce(a.as_name, 'AS' || a.asn) ELSE a.rdns_domain END)
	AS source_name, s.type AS source_type,
	coalesce(a.service_basis, CASE WHEN a.rdns_domain IS NOT NULL THEN 'rdns' WHEN a.asn IS NOT NULL THEN 'asn'
		ELSE 'ip' END) AS name_basis,
	a.label, a.looked_up_at, a.expires_at
FROM ruad.address a
LEFT JOIN ruad.service s ON s.key = a.service;
COMMENT ON VIEW dmarc.addresses IS
	'One row per address that ruad-enrich looked up or that has a label. It describes today, not the time of a report.';
COMMENT ON COLUMN dmarc.addresses.source_ip IS 'The address';
COMMENT ON COLUMN dmarc.addresses.rdns IS 'Its reverse name, if that name resolves to the address (forward-confirmed)';
COMMENT ON COLUMN dmarc.addresses.rdns_domain IS 'Organisational domain of rdns';
COMMENT ON COLUMN dmarc.addresses.asn IS 'Number of the autonomous system that announces it';
COMMENT ON COLUMN dmarc.addresses.as_name IS 'Name of that system';
COMMENT ON COLUMN dmarc.addresses.country IS 'Its country, ISO 3166';
COMMENT ON COLUMN dmarc.addresses.source IS
	'Key of the source it belongs to: service:NAME, else domain:NAME, else as:NUMBER, else ip:ADDRESS';
COMMENT ON COLUMN dmarc.addresses.source_name IS 'Display name of the source; NULL if only the address is known';
COMMENT ON COLUMN dmarc.addresses.source_type IS 'Kind of service: mailbox, marketing, ...';
COMMENT ON COLUMN dmarc.addresses.name_basis IS
	'How the source was identified: rdns, asn, dkim, spf or ip. A hint, not proof';
COMMENT ON COLUMN dmarc.addresses.label IS
	'The most specific label that applies: of the address, its domain, its service or its autonomous system';
COMMENT ON COLUMN dmarc.addresses.looked_up_at IS 'When it was looked up last; NULL: not yet';
COMMENT ON COLUMN dmarc.addresses.expires_at IS 'When it will be looked up again';

CREATE OR REPLACE VIEW dmarc.labels WITH (security_invoker = true) AS
SELECT source, label, note, set_by, set_via, set_at FROM ruad.label;
COMMENT ON VIEW dmarc.labels IS
	'To whom a source belongs, as set by users of this server. One row per labelled source.';
COMMENT ON COLUMN dmarc.labels.source IS 'Key of the source';
COMMENT ON COLUMN dmarc.labels.label IS 'mine, forwarder or not_mine';
COMMENT ON COLUMN dmarc.labels.note IS 'Note given with it';
COMMENT ON COLUMN dmarc.labels.set_by IS 'User of the page or of the operating system who set it';
COMMENT ON COLUMN dmarc.labels.set_via IS 'page, token or cli';
COMMENT ON COLUMN dmarc.labels.set_at IS 'When it was set';

CREATE OR REPLACE VIEW dmarc.label_log WITH (security_invoker = true) AS
SELECT id, source, label, note, set_by, set_via, set_at, token
FROM ruad.label_log;
COMMENT ON VIEW dmarc.label_log IS 'One row for each time that a label was set or removed.';
COMMENT ON COLUMN dmarc.label_log.id IS 'Number of the entry, ascending';
COMMENT ON COLUMN dmarc.label_log.source IS 'Key of the source';
COMMENT ON COLUMN dmarc.label_log.label IS 'mine, forwarder or not_mine; NULL: it was removed';
COMMENT ON COLUMN dmarc.label_log.note IS 'Note given with it';
COMMENT ON COLUMN dmarc.label_log.set_by IS 'User of the page or of the operating system who did it';
COMMENT ON COLUMN dmarc.label_log.set_via IS 'page, token or cli';
COMMENT ON COLUMN dmarc.label_log.set_at IS 'When it was set or removed';
COMMENT ON COLUMN dmarc.label_log.token IS 'Name of the token that a program used, if set_via is token';

CREATE OR REPLACE VIEW dmarc.services WITH (security_invoker = true) AS
SELECT key, name, type, setup ->> 'switch' AS setup_switch, setup ->> 'records' AS setup_records,
	setup ->> 'aligns' AS setup_aligns, setup ->> 'manual' AS setup_manual
FROM ruad.service;
COMMENT ON VIEW dmarc.services IS 'Services that send mail for others and that ruad recognises.';
COMMENT ON COLUMN dmarc.services.key IS 'Its key; service:KEY is the key of its source';
COMMENT ON COLUMN dmarc.services.name IS 'Its name';
COMMENT ON COLUMN dmarc.services.type IS 'mailbox, marketing, transactional, ...';
COMMENT ON COLUMN dmarc.services.setup_switch IS
	'Where its settings have what makes mail pass DMARC; NULL: not known';
COMMENT ON COLUMN dmarc.services.setup_records IS 'Which records are published below the domain for that';
COMMENT ON COLUMN dmarc.services.setup_aligns IS 'Which of dkim and spf can be aligned there';
COMMENT ON COLUMN dmarc.services.setup_manual IS 'URL of its own manual';
