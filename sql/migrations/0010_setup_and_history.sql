-- 0010_setup_and_history.sql - how mail of a service is made to pass, and the versions of records in the DNS.

SET LOCAL ROLE ruad_owner;

-- The members are those of server/enrich/services.ini: switch, records, aligns, manual.
ALTER TABLE ruad.service ADD COLUMN setup jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(setup) = 'object');

-- What the checks of a domain found at a name, one row for each time that it was another. Times are those of checks:
-- the record itself changed before.
CREATE TABLE ruad.dns_version (
	domain_id  integer NOT NULL,
	kind       text NOT NULL CHECK (kind IN ('dmarc', 'spf', 'dkim', 'mx', 'tlsrpt')),
	name       text NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 512),
	since      timestamptz NOT NULL,
	until      timestamptz CHECK (until >= since), -- the first check that found another; NULL: none yet
	value      text,                               -- NULL: there is no record
	is_first   boolean NOT NULL,                   -- the first check of the domain found it: it is no change
	PRIMARY KEY (domain_id, kind, name, since)
);
ALTER TABLE ruad.dns_version ENABLE ROW LEVEL SECURITY;
