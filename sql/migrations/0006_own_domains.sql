-- 0006_own_domains.sql - which domains are ours: others' reports are kept, but do not count.

SET LOCAL ROLE ruad_owner;

-- [server] domains, as `ruad serve` found it: names and *.NAME for all names below. None: DMARC records decide.
CREATE TABLE ruad.own_domain (
	pattern text PRIMARY KEY
);

-- Whether the domain's DMARC record names a mailbox of this server; NULL: not known
ALTER TABLE ruad.dns_check ADD COLUMN solicited boolean GENERATED ALWAYS AS ((result ->> 'solicited')::boolean) STORED;
