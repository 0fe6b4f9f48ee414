-- 0002_tables - the rows: mails, what was found in them, reports, their records, and sums of them.
--
-- Column names are those of the XML (RFC 9990); what a report left out is NULL. What a reporter wrote is kept as text without a
-- CHECK, because reporters write what they like; our own words have CHECKs.
--
-- Every large table has domain_id and day (the UTC date of a report's begin, or the first of its month), both in every key, and is partitioned
-- by month of day: retention drops a partition, and the same tables distribute by domain_id on Citus. A month gets partitions of its own
-- once it has some volume; what has none lies in the default partition. There are no foreign keys: only
-- ruad.ingest() writes, in one transaction, and a key check on every record would cost a third of the whole insert.

SET LOCAL ROLE ruad_owner;

-- The domains that policies were published for. Small, read in every query.
CREATE TABLE ruad.domain (
	id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name text NOT NULL UNIQUE CHECK (octet_length(name) BETWEEN 1 AND 255)
);

-- The names of reporting organisations, as written. Names may be long, so their hash is the key.
CREATE TABLE ruad.reporter (
	id            integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	org_name      text NOT NULL,
	org_name_hash bytea NOT NULL UNIQUE
);

-- One row per delivery. Headers are hints, never trusted.
CREATE SEQUENCE ruad.mail_id_seq;
CREATE TABLE ruad.mail (
	id            bigint PRIMARY KEY DEFAULT nextval('ruad.mail_id_seq'),
	received_at   timestamptz NOT NULL,
	source        text NOT NULL CHECK (source IN ('lmtp', 'import')),
	name          text,            -- path of an imported file
	envelope_from text,            -- '' is the null reverse-path
	recipients    jsonb,
	size          bigint NOT NULL, -- bytes
	sha256        bytea NOT NULL,
	message_id    text,
	subject       text,
	header_from   text,
	authentic     text NOT NULL DEFAULT 'none' CHECK (authentic IN ('none', 'pass', 'fail')), -- by our MTA's Authentication-Results
	raw           bigint -- the mail under which the same bytes are kept (mostly itself); NULL when none are
);
CREATE INDEX ON ruad.mail (received_at);
CREATE INDEX mail_raw ON ruad.mail (raw) WHERE raw IS NOT NULL;

-- The bytes of mail that could not be read, or contradicts a report that is stored. The same bytes are kept once.
CREATE TABLE ruad.raw (
	mail   bigint PRIMARY KEY,
	sha256 bytea NOT NULL UNIQUE,
	raw    bytea -- reserved by ingest(), filled by keep_raw(), never NULL at COMMIT
);
ALTER TABLE ruad.raw ALTER COLUMN raw SET STORAGE EXTERNAL; -- attachments are packed already

CREATE FUNCTION ruad.raw_is_kept() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF EXISTS (SELECT 1 FROM ruad.raw WHERE raw.mail = NEW.mail AND raw.raw IS NULL) THEN
		RAISE EXCEPTION 'mail %: its bytes were to be kept and were not handed over', NEW.mail
			USING ERRCODE = 'integrity_constraint_violation';
	END IF;
	RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER raw_is_kept AFTER INSERT ON ruad.raw
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ruad.raw_is_kept();

-- One row per thing found in a mail.
CREATE TABLE ruad.item (
	mail    bigint NOT NULL,
	item_no integer NOT NULL, -- counts from 1 in its mail
	kind    text NOT NULL CHECK (kind IN ('aggregate', 'failure', 'feedback', 'tls', 'unreadable')),
	status  text NOT NULL CHECK (status IN ('stored', 'duplicate', 'conflict', 'quarantined')),
	place   text,             -- where in the mail
	code    text,             -- a word to group by, when not read
	reason  text,             -- a sentence for people, when not read
	report  bigint,           -- the report it became, or the one it repeats or contradicts
	sha256  bytea,            -- of the unpacked report
	partial boolean NOT NULL DEFAULT false, -- as it was found in this mail
	PRIMARY KEY (mail, item_no),
	CHECK (status <> 'stored' OR report IS NOT NULL),
	CHECK (status <> 'quarantined' OR (code IS NOT NULL AND reason IS NOT NULL))
);
CREATE INDEX item_repeats ON ruad.item (report) WHERE status IN ('duplicate', 'conflict');

-- Aggregate reports.
CREATE SEQUENCE ruad.report_id_seq;
CREATE TABLE ruad.report (
	begin              timestamptz NOT NULL,
	"end"              timestamptz NOT NULL,
	id                 bigint NOT NULL,
	mail               bigint NOT NULL, -- that brought it
	received_at        timestamptz NOT NULL,
	records            bigint NOT NULL,
	messages           bigint NOT NULL, -- sum of the records' count
	pass               bigint NOT NULL, -- of these, with dkim or spf = pass
	day                date NOT NULL,   -- of begin, in UTC
	domain_id          integer NOT NULL,
	reporter_id        integer,
	pct                smallint,
	partial            boolean NOT NULL, -- truncated: its records are the complete ones
	key                uuid NOT NULL,   -- ruad.report_key(): what makes two reports the same one
	sha256             bytea NOT NULL,  -- of the unpacked XML
	authentic          text NOT NULL,   -- the mail's, so that lists of reports need not read mails
	dialect            text NOT NULL,
	version            text,
	xmlns              text,
	email              text,
	extra_contact_info text,
	report_id          text,
	error              jsonb,
	generator          text,
	adkim              text,
	aspf               text,
	p                  text,
	sp                 text,
	np                 text,
	fo                 text,
	testing            text,
	discovery_method   text,
	notes              jsonb,
	record_notes       jsonb,           -- how often each code stands in the notes of its records: {"V1": 3}; NULL without any
	PRIMARY KEY (domain_id, day, id),
	UNIQUE (domain_id, day, key)
) PARTITION BY RANGE (day);
CREATE INDEX ON ruad.report (id);
CREATE INDEX ON ruad.report (received_at);
CREATE INDEX ON ruad.report (day, begin, id); -- lists, the newest first
CREATE INDEX ON ruad.report USING hash (report_id); -- a text of any length, looked up whole
CREATE TABLE ruad.report_default PARTITION OF ruad.report DEFAULT;

-- Their records: what each has for itself. The rest repeats, and stands in ruad.evaluation.
CREATE TABLE ruad.record (
	begin       timestamptz NOT NULL, -- the report's, as are day, domain_id and reporter_id
	report      bigint NOT NULL,
	count       bigint CHECK (count >= 0), -- messages
	evaluation  bigint NOT NULL,      -- ruad.evaluation.id
	day         date NOT NULL,
	domain_id   integer NOT NULL,
	reporter_id integer,
	record_no   integer NOT NULL,     -- counts from 1 in its report
	source_ip   inet
) PARTITION BY RANGE (day);
-- Not unique, so that equal keys share their index entry: a tenth of the size. record_no follows from the one COPY that brings a report.
CREATE INDEX ON ruad.record (domain_id, day, report);
CREATE INDEX ON ruad.record (source_ip, day);
CREATE TABLE ruad.record_default PARTITION OF ruad.record DEFAULT;
CREATE INDEX record_default_day ON ruad.record_default (day, domain_id, report); -- it has many months

-- What repeats among the records of a domain and month: names, verdict, results, reasons, notes. Stored once.
-- What tells rows apart stands first in both keys, here and in facet: with statistics of an empty table the planner takes any key for
-- as good as another, and one that begins with domain_id and day finds all rows of the month.
CREATE SEQUENCE ruad.evaluation_id_seq;
CREATE TABLE ruad.evaluation (
	id            bigint NOT NULL,
	facet         bigint NOT NULL, -- ruad.facet.id
	day           date NOT NULL,   -- first of the month
	domain_id     integer NOT NULL,
	hash          uuid NOT NULL,   -- of what the report says: ruad.evaluations()
	class         text NOT NULL,   -- ruad.record_class()
	auth_domain   text,            -- ruad.auth_domain()
	override      text[],          -- types of the reasons, each once; NULL without a reason
	disposition   text,
	dkim          text,
	spf           text,
	header_from   text,
	envelope_from text,
	envelope_to   text,
	reason        jsonb,
	auth_results  jsonb,
	notes         jsonb,
	PRIMARY KEY (id, domain_id, day),
	UNIQUE (hash, domain_id, day)
) PARTITION BY RANGE (day);
CREATE TABLE ruad.evaluation_default PARTITION OF ruad.evaluation DEFAULT;
-- Rises when rows of ruad.evaluation were removed: ruad-ingest forgets the ids that it remembers.
CREATE SEQUENCE ruad.evaluation_epoch MINVALUE 0 START 0;
SELECT nextval('ruad.evaluation_epoch');

-- What sums tell apart: of the evaluations of a domain, the columns that filters and groups of the API need. A domain has few, whatever its volume.
CREATE TABLE ruad.facet (
	id           bigint NOT NULL, -- of evaluation_id_seq
	domain_id    integer NOT NULL,
	hash         uuid NOT NULL,   -- of all that follows
	dkim_aligned boolean NOT NULL,
	spf_aligned  boolean NOT NULL,
	class        text NOT NULL,
	auth_domain  text,
	override     text[],
	disposition  text,
	header_from  text,
	PRIMARY KEY (id, domain_id),
	UNIQUE (hash, domain_id)
);

-- Sums of records by day, and by month and address. They lack the reports of ruad.unsummed, and those of a domain and month in ruad.stale
-- are not to be used: the views dmarc.daily and dmarc.monthly are right at every instant. ruad.sum_up() keeps them.
CREATE TABLE ruad.sum_day (
	first_seen timestamptz NOT NULL, -- least and largest begin
	last_seen  timestamptz NOT NULL,
	facet      bigint NOT NULL,
	records    bigint NOT NULL,
	messages   bigint NOT NULL,      -- 2^63-1 at most
	day        date NOT NULL,
	domain_id  integer NOT NULL,
	PRIMARY KEY (domain_id, day, facet)
) PARTITION BY RANGE (day);
CREATE TABLE ruad.sum_day_default PARTITION OF ruad.sum_day DEFAULT;

CREATE TABLE ruad.sum_month (
	first_seen   timestamptz NOT NULL,
	last_seen    timestamptz NOT NULL,
	facet        bigint NOT NULL,
	messages     bigint NOT NULL,
	records      integer NOT NULL,
	day          date NOT NULL,    -- first of the month
	domain_id    integer NOT NULL,
	dkim_aligned boolean NOT NULL, -- the facet's, as is spf_aligned: what most queries ask, and there are many rows
	spf_aligned  boolean NOT NULL,
	source_ip    inet,
	UNIQUE NULLS NOT DISTINCT (domain_id, day, source_ip, facet)
) PARTITION BY RANGE (day);
CREATE INDEX ON ruad.sum_month (source_ip, day);
CREATE TABLE ruad.sum_month_default PARTITION OF ruad.sum_month DEFAULT;

-- When an address was first and last seen for a domain; domain_id 0 is any domain.
CREATE TABLE ruad.seen (
	first_seen timestamptz NOT NULL,
	last_seen  timestamptz NOT NULL,
	domain_id  integer NOT NULL,
	source_ip  inet NOT NULL,
	PRIMARY KEY (domain_id, source_ip)
);
CREATE INDEX seen_new ON ruad.seen (first_seen) WHERE domain_id = 0; -- a domain alone has few

-- Reports that are not in the sums yet. Few, and read as a whole: no index.
CREATE TABLE ruad.unsummed (
	report    bigint NOT NULL,
	day       date NOT NULL,
	domain_id integer NOT NULL
);

-- Domains and months whose sums are wrong, since a report that was summed changed or went: they are made anew. A row for each such event.
CREATE TABLE ruad.stale (
	id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	day       date NOT NULL, -- first of the month
	domain_id integer NOT NULL
);
CREATE INDEX ON ruad.stale (domain_id, day);

-- One row, locked by the session that keeps the sums and the partitions: others leave it to that one.
CREATE TABLE ruad.upkeep (
	the_row boolean PRIMARY KEY DEFAULT true CHECK (the_row)
);
INSERT INTO ruad.upkeep DEFAULT VALUES;

-- ruad-ingest adds records itself, by COPY; all else by functions.
GRANT INSERT ON ruad.record TO ruad_ingest;

-- Failure reports, and other feedback reports. domain_id is that of the first reported_domain, else header_from, else dkim_domain;
-- 0 where none of them is there.
CREATE TABLE ruad.failure (
	begin                     timestamptz NOT NULL, -- arrival_time if that may be true, else received_at
	id                        bigint NOT NULL,
	mail                      bigint NOT NULL,      -- that brought it
	received_at               timestamptz NOT NULL,
	arrival_time              timestamptz,
	incidents                 bigint,               -- messages that it stands for; NULL when unreadable
	day                       date NOT NULL,        -- of begin, in UTC
	domain_id                 integer NOT NULL,
	source_port               integer,
	kind                      text NOT NULL CHECK (kind IN ('failure', 'feedback')),
	authentic                 text NOT NULL,
	sha256                    bytea NOT NULL,       -- of its second and third part
	feedback_type             text,
	user_agent                text,
	version                   text,
	auth_failure              text,
	authentication_results    jsonb,
	identity_alignment        text,
	delivery_result           text,
	original_envelope_id      text,
	original_mail_from        text,
	original_rcpt_to          jsonb,
	arrival_date              text,                 -- as sent
	reporting_mta             text,
	source_ip                 inet,
	reported_domain           jsonb,
	reported_uri              jsonb,
	dkim_domain               text,
	dkim_identity             text,
	dkim_selector             text,
	dkim_canonicalized_header text,
	dkim_canonicalized_body   text,
	dkim_selector_dns         text,
	dkim_adsp_dns             text,
	spf_dns                   jsonb,
	header_from               text,
	message_id                text,
	subject                   text,
	original_headers          text,
	original_body             text,
	notes                     jsonb,
	PRIMARY KEY (domain_id, day, id)
) PARTITION BY RANGE (day);
CREATE INDEX ON ruad.failure (id);
CREATE INDEX ON ruad.failure (received_at);
CREATE TABLE ruad.failure_default PARTITION OF ruad.failure DEFAULT;

-- Which failure reports are stored. A copy is identified by its bytes alone: begin may be the time of receipt, so a key with it would
-- take the second delivery of a report for another one.
CREATE TABLE ruad.failure_seen (
	sha256 bytea PRIMARY KEY,
	begin  timestamptz NOT NULL, -- the report's
	id     bigint NOT NULL
);
CREATE INDEX ON ruad.failure_seen (begin);

-- TLS reports. domain_id is that of the first of its policy domains in alphabetical order; 0 where it names none.
CREATE TABLE ruad.tls (
	begin                          timestamptz NOT NULL, -- start_datetime
	"end"                          timestamptz NOT NULL, -- end_datetime
	id                             bigint NOT NULL,
	mail                           bigint NOT NULL,      -- that brought it
	received_at                    timestamptz NOT NULL,
	total_successful_session_count bigint NOT NULL,      -- sums over its policies
	total_failure_session_count    bigint NOT NULL,
	day                            date NOT NULL,        -- of begin, in UTC
	domain_id                      integer NOT NULL,
	reporter_id                    integer,              -- organization_name
	policies                       integer NOT NULL,     -- how many
	authentic                      text NOT NULL,
	key                            uuid NOT NULL,        -- ruad.tls_key()
	sha256                         bytea NOT NULL,       -- of the unpacked JSON
	contact_info                   text,
	report_id                      text,
	notes                          jsonb,
	PRIMARY KEY (domain_id, day, id),
	UNIQUE (domain_id, day, key)
) PARTITION BY RANGE (day);
CREATE INDEX ON ruad.tls (id);
CREATE INDEX ON ruad.tls (received_at);
CREATE TABLE ruad.tls_default PARTITION OF ruad.tls DEFAULT;

-- Their policies. domain_id is that of policy_domain; 0 where it is not there, or no domain's name.
CREATE TABLE ruad.tls_policy (
	begin                          timestamptz NOT NULL, -- the report's
	report                         bigint NOT NULL,
	total_successful_session_count bigint,
	total_failure_session_count    bigint,
	day                            date NOT NULL,        -- of begin, in UTC
	domain_id                      integer NOT NULL,
	reporter_id                    integer,
	policy_no                      integer NOT NULL,     -- counts from 1 in its report
	policy_type                    text,
	policy_string                  jsonb,
	mx_host                        jsonb,
	failure_details                jsonb,                -- array of objects whose members are checked: ruad.tls_failure_details()
	PRIMARY KEY (domain_id, day, report, policy_no)
) PARTITION BY RANGE (day);
CREATE INDEX ON ruad.tls_policy (report);
CREATE TABLE ruad.tls_policy_default PARTITION OF ruad.tls_policy DEFAULT;

-- Services that send mail for others.
CREATE TABLE ruad.service (
	key  text PRIMARY KEY CHECK (key ~ '^[a-z0-9][a-z0-9-]*$'),
	name text NOT NULL,
	type text NOT NULL CHECK (type ~ '^[a-z_]+$'),
	origin text NOT NULL DEFAULT 'ruad' CHECK (origin IN ('ruad', 'file')) -- ruad's own list, or a file of the admin's
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
	service       text, -- ruad.service.key
	service_basis text CHECK (service_basis IN ('rdns', 'asn', 'dkim', 'spf')),
	label         text, -- see ruad.label_of()
	source        text NOT NULL GENERATED ALWAYS AS
		(coalesce('service:' || service, 'domain:' || rdns_domain, 'as:' || asn, 'ip:' || host(source_ip))) STORED,
	CHECK ((service IS NULL) = (service_basis IS NULL))
);
CREATE INDEX ON ruad.address (source);
CREATE INDEX ON ruad.address (expires_at);

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

-- How a service's addresses are told. A name means itself and all below it.
CREATE TABLE ruad.service_rule (
	kind    text NOT NULL CHECK (kind IN ('rdns', 'asn', 'spf', 'dkim')),
	value   text NOT NULL CHECK (octet_length(value) BETWEEN 1 AND 255),
	service text NOT NULL, -- ruad.service.key
	PRIMARY KEY (kind, value)
);

-- Up to where reports were searched for addresses. One row.
CREATE TABLE ruad.enrich_state (
	the_row        boolean PRIMARY KEY DEFAULT true CHECK (the_row),
	received_until timestamptz NOT NULL DEFAULT '-infinity',
	all_until      timestamptz NOT NULL DEFAULT '-infinity' -- the same, for a search through all of them
);
INSERT INTO ruad.enrich_state DEFAULT VALUES;

-- What the DNS says about a domain: the document of ruad check --json.
CREATE TABLE ruad.dns_check (
	domain_id  integer PRIMARY KEY,
	checked_at timestamptz,
	expires_at timestamptz NOT NULL,
	result     jsonb -- NULL: not known yet
);
CREATE INDEX ON ruad.dns_check (expires_at);
