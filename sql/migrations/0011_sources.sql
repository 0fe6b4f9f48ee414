-- 0011_sources - what is known about an address beside reports: its name, network, country, the source it belongs to, and its label.
--
-- A source is what an admin would call one sender: a known service, else the organisation whose name the address has (forward-confirmed
-- reverse DNS), else the network that announces it, else the address alone. Its key says which: service:NAME, domain:NAME, as:NUMBER,
-- ip:ADDRESS. Only ruad-enrich fills names in, and only ruad_owner's functions write labels; both may know nothing of an address, which
-- is then a source of its own.

DO $$
DECLARE
	wanted text;
BEGIN
	FOREACH wanted IN ARRAY ARRAY['ruad_editor', 'ruad_enrich'] LOOP
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
			BEGIN
				EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
			EXCEPTION WHEN duplicate_object OR unique_violation THEN
				NULL; -- another database's migration was faster
			END;
		END IF;
	END LOOP;
END
$$;

SET LOCAL ROLE ruad_owner;

-- Services that send mail for others; the rules that tell their addresses come with ruad-enrich.
CREATE TABLE ruad.service (
	key  text PRIMARY KEY CHECK (key ~ '^[a-z0-9][a-z0-9-]*$'),
	name text NOT NULL,
	type text NOT NULL CHECK (type ~ '^[a-z_]+$')
);

CREATE TABLE ruad.address (
	source_ip     inet PRIMARY KEY,
	looked_up_at  timestamptz,                              -- NULL: not yet
	expires_at    timestamptz NOT NULL DEFAULT '-infinity', -- to be looked up again from then on
	asn           bigint CHECK (asn BETWEEN 0 AND 4294967295),
	rdns          text CHECK (octet_length(rdns) BETWEEN 1 AND 255), -- forward-confirmed; lower case, no final dot
	rdns_domain   text CHECK (octet_length(rdns_domain) BETWEEN 1 AND 255), -- its organisational domain
	as_name       text,
	country       text CHECK (country ~ '^[A-Z]{2}$'),
	service       text REFERENCES ruad.service,
	service_basis text CHECK (service_basis IN ('rdns', 'asn', 'dkim', 'spf')),
	label         text, -- see ruad.label_of()
	source        text NOT NULL GENERATED ALWAYS AS
		(coalesce('service:' || service, 'domain:' || rdns_domain, 'as:' || asn, 'ip:' || host(source_ip))) STORED,
	CHECK ((service IS NULL) = (service_basis IS NULL))
);
CREATE INDEX ON ruad.address (source);
CREATE INDEX ON ruad.address (expires_at);

CREATE INDEX ON ruad.report USING hash (report_id); -- a text of any length, looked up whole

-- Whose a source is, in the words of the people here. The log is never changed.
CREATE TABLE ruad.label (
	source  text PRIMARY KEY CHECK (source ~ '^(service|domain|as|ip):.' AND octet_length(source) <= 300),
	label   text NOT NULL CHECK (label IN ('mine', 'forwarder', 'not_mine')),
	note    text CHECK (octet_length(note) <= 4000),
	set_by  text NOT NULL,
	set_via text NOT NULL CHECK (set_via IN ('page', 'cli')),
	set_at  timestamptz NOT NULL
);
CREATE TABLE ruad.label_log (
	id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	source  text NOT NULL,
	label   text, -- NULL: taken away
	note    text,
	set_by  text NOT NULL,
	set_via text NOT NULL,
	set_at  timestamptz NOT NULL
);
CREATE INDEX ON ruad.label_log (source, id);

-- The label of an address: the most specific one.
CREATE FUNCTION ruad.label_of(source_ip inet, service text, rdns_domain text, asn bigint) RETURNS text
LANGUAGE sql STABLE
AS $$
	SELECT l.label FROM ruad.label l
	JOIN (VALUES (1, 'ip:' || host(source_ip)), (2, 'domain:' || rdns_domain), (3, 'service:' || service), (4, 'as:' || asn)) k(rank, source)
		ON k.source = l.source
	ORDER BY k.rank LIMIT 1
$$;

CREATE FUNCTION ruad.address_labelled() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	NEW.label := ruad.label_of(NEW.source_ip, NEW.service, NEW.rdns_domain, NEW.asn);
	RETURN NEW;
END
$$;
CREATE TRIGGER address_labelled BEFORE INSERT OR UPDATE ON ruad.address FOR EACH ROW EXECUTE FUNCTION ruad.address_labelled();

-- The addresses that a label of this source may speak of.
CREATE FUNCTION ruad.addresses_under(source text) RETURNS SETOF ruad.address
LANGUAGE sql STABLE
AS $$
	SELECT a FROM ruad.address a
	WHERE CASE split_part(addresses_under.source, ':', 1)
		WHEN 'ip' THEN host(a.source_ip) = substr(addresses_under.source, 4)
		WHEN 'domain' THEN a.rdns_domain = substr(addresses_under.source, 8)
		WHEN 'service' THEN a.service = substr(addresses_under.source, 9)
		WHEN 'as' THEN a.asn::text = substr(addresses_under.source, 4)
	END
$$;

-- Set the label of a source, or take it away (p_label NULL), and write down who did. ERRCODE 22023 with the parameter's name as HINT
-- when a value does not fit.
CREATE FUNCTION ruad.set_label(p_source text, p_label text, p_note text, p_user text, p_via text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	address inet;
BEGIN
	IF p_source IS NULL OR p_source !~ '^((service|domain):[a-z0-9._-]+|as:(0|[1-9][0-9]{0,9})|ip:[0-9a-f.:]+)$' OR octet_length(p_source) > 300 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', HINT = 'source',
			MESSAGE = format('"%s" is not a source: service:NAME, domain:NAME, as:NUMBER or ip:ADDRESS', left(p_source, 100));
	ELSIF p_label NOT IN ('mine', 'forwarder', 'not_mine') THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', HINT = 'label',
			MESSAGE = format('"%s" is not one of mine, forwarder, not_mine', left(p_label, 100));
	ELSIF octet_length(p_note) > 4000 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', HINT = 'note', MESSAGE = 'the note is longer than 4000 bytes';
	END IF;
	IF p_source LIKE 'ip:%' THEN
		BEGIN
			address := substr(p_source, 4)::inet;
		EXCEPTION WHEN invalid_text_representation THEN
			RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', HINT = 'source', MESSAGE = format('"%s" is not an address', substr(p_source, 4));
		END;
		p_source := 'ip:' || host(address);
	END IF;

	PERFORM pg_advisory_xact_lock(hashtext('ruad.set_label'), hashtext(p_source));
	IF p_label IS NULL THEN
		DELETE FROM ruad.label WHERE source = p_source;
	ELSE
		INSERT INTO ruad.label AS l (source, label, note, set_by, set_via, set_at) VALUES (p_source, p_label, p_note, p_user, p_via, now())
		ON CONFLICT (source) DO UPDATE SET label = excluded.label, note = excluded.note, set_by = excluded.set_by, set_via = excluded.set_via,
			set_at = excluded.set_at;
	END IF;
	INSERT INTO ruad.label_log (source, label, note, set_by, set_via, set_at) VALUES (p_source, p_label, p_note, p_user, p_via, now());
	IF address IS NOT NULL THEN
		INSERT INTO ruad.address (source_ip) VALUES (address) ON CONFLICT DO NOTHING;
	END IF;
	UPDATE ruad.address a SET label = NULL WHERE a.source_ip IN (SELECT u.source_ip FROM ruad.addresses_under(p_source) u); -- the trigger sets it
END
$$;
GRANT USAGE ON SCHEMA ruad TO ruad_editor;
GRANT EXECUTE ON FUNCTION ruad.set_label TO ruad_editor;

CREATE VIEW dmarc.addresses AS
SELECT a.source_ip, a.rdns, a.rdns_domain, a.asn, a.as_name, a.country, a.source,
	coalesce(s.name, CASE WHEN a.rdns_domain IS NULL THEN coalesce(a.as_name, 'AS' || a.asn) ELSE a.rdns_domain END) AS source_name,
	s.type AS source_type,
	coalesce(a.service_basis, CASE WHEN a.rdns_domain IS NOT NULL THEN 'rdns' WHEN a.asn IS NOT NULL THEN 'asn' ELSE 'ip' END) AS name_basis,
	a.label, a.looked_up_at, a.expires_at
FROM ruad.address a
LEFT JOIN ruad.service s ON s.key = a.service;

CREATE VIEW dmarc.labels AS SELECT source, label, note, set_by, set_via, set_at FROM ruad.label;
CREATE VIEW dmarc.label_log AS SELECT id, source, label, note, set_by, set_via, set_at FROM ruad.label_log;
CREATE VIEW dmarc.reporters AS SELECT org_name FROM ruad.reporter;
CREATE VIEW dmarc.services AS SELECT key, name, type FROM ruad.service;

CREATE OR REPLACE VIEW dmarc.records AS
SELECT r.report, r.record_no, d.name AS domain, o.org_name, r.begin, (r.begin AT TIME ZONE 'UTC')::date AS day, r.source_ip, r.count,
	r.disposition, r.dkim, r.spf,
	r.dkim IS NOT DISTINCT FROM 'pass' AS dkim_aligned,
	r.spf IS NOT DISTINCT FROM 'pass' AS spf_aligned,
	r.dkim IS NOT DISTINCT FROM 'pass' OR r.spf IS NOT DISTINCT FROM 'pass' AS dmarc_pass,
	r.class, r.reason, r.header_from, r.envelope_from, r.envelope_to, r.auth_results, r.notes,
	coalesce(a.source, 'ip:' || host(r.source_ip)) AS source, a.label, a.rdns, a.rdns_domain, a.asn, a.country
FROM ruad.record r
LEFT JOIN ruad.domain d ON d.id = r.domain_id
LEFT JOIN ruad.reporter o ON o.id = r.reporter_id
LEFT JOIN ruad.address a ON a.source_ip = r.source_ip;

COMMENT ON COLUMN dmarc.records.source IS 'Key of the source that source_ip belongs to today: service:NAME, domain:NAME, as:NUMBER or ip:ADDRESS; see dmarc.addresses';
COMMENT ON COLUMN dmarc.records.label IS 'Whose the source is, as people here said: mine, forwarder or not_mine; see dmarc.labels';
COMMENT ON COLUMN dmarc.records.rdns IS 'Forward-confirmed reverse name of source_ip, as it is today';
COMMENT ON COLUMN dmarc.records.rdns_domain IS 'Organisational domain of rdns';
COMMENT ON COLUMN dmarc.records.asn IS 'Autonomous system that announces source_ip today';
COMMENT ON COLUMN dmarc.records.country IS 'Country of source_ip, ISO 3166';

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

COMMENT ON VIEW dmarc.labels IS 'Whose a source is, in the words of the people here. One row per labelled source.';
COMMENT ON COLUMN dmarc.labels.source IS 'Key of the source';
COMMENT ON COLUMN dmarc.labels.label IS 'mine, forwarder or not_mine';
COMMENT ON COLUMN dmarc.labels.note IS 'What was said with it';
COMMENT ON COLUMN dmarc.labels.set_by IS 'Who set it: user of the page, or of the operating system';
COMMENT ON COLUMN dmarc.labels.set_via IS 'page or cli';
COMMENT ON COLUMN dmarc.labels.set_at IS 'When';

COMMENT ON VIEW dmarc.label_log IS 'One row per setting or taking away of a label, ever.';
COMMENT ON COLUMN dmarc.label_log.id IS 'Counts up';
COMMENT ON COLUMN dmarc.label_log.source IS 'Key of the source';
COMMENT ON COLUMN dmarc.label_log.label IS 'mine, forwarder or not_mine; NULL: it was taken away';
COMMENT ON COLUMN dmarc.label_log.note IS 'What was said with it';
COMMENT ON COLUMN dmarc.label_log.set_by IS 'Who: user of the page, or of the operating system';
COMMENT ON COLUMN dmarc.label_log.set_via IS 'page or cli';
COMMENT ON COLUMN dmarc.label_log.set_at IS 'When';

COMMENT ON VIEW dmarc.services IS 'Services that send mail for others, as ruad knows them.';
COMMENT ON COLUMN dmarc.services.key IS 'Its word in keys of sources, after service:';
COMMENT ON COLUMN dmarc.services.name IS 'Its name';
COMMENT ON COLUMN dmarc.services.type IS 'mailbox, marketing, transactional, ...';

COMMENT ON VIEW dmarc.reporters IS 'One row per organisation that ever sent a report, aggregate or TLS.';
COMMENT ON COLUMN dmarc.reporters.org_name IS 'Its name, as written';
