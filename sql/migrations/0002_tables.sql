-- 0002_tables - the rows: mail, what was found in it, reports, and their records.
--
-- Column names are those of the XML (RFC 9990); what a report left out is NULL. What a reporter wrote is kept as text without a
-- CHECK, because reporters write what they like; our own words have CHECKs.
--
-- report and record are partitioned by month of the report's begin, and domain_id and begin are part of every key: retention
-- drops a partition, and the same tables distribute by domain_id on Citus. There are no foreign keys: only ruad.ingest()
-- writes, in one transaction, and a key check on every record would cost a third of the whole insert.

SET LOCAL ROLE ruad_owner;

-- The domains that policies were published for. Small, read in every query.
CREATE TABLE ruad.domain (
	id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name text NOT NULL UNIQUE CHECK (octet_length(name) BETWEEN 1 AND 255)
);

-- A text of any length as a key: a btree takes 2,700 bytes at most.
CREATE FUNCTION ruad.text_hash(value text) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT sha256(convert_to(value, 'UTF8')) $$;

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
	header_from   text
);
CREATE INDEX ON ruad.mail (received_at);

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
	IF EXISTS (SELECT FROM ruad.raw WHERE raw.mail = NEW.mail AND raw.raw IS NULL) THEN
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
	kind    text NOT NULL CHECK (kind IN ('aggregate', 'unreadable')),
	status  text NOT NULL CHECK (status IN ('stored', 'duplicate', 'conflict', 'quarantined')),
	place   text,             -- where in the mail
	code    text,             -- a word to group by, when not read
	reason  text,             -- a sentence for people, when not read
	report  bigint,           -- the report it became, or the one it repeats or contradicts
	sha256  bytea,            -- of the unpacked XML
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
	domain_id          integer NOT NULL,
	reporter_id        integer,
	pct                smallint,
	key                uuid NOT NULL,   -- ruad.report_key(): what makes two reports the same one
	sha256             bytea NOT NULL,  -- of the unpacked XML
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
	PRIMARY KEY (domain_id, begin, id),
	UNIQUE (domain_id, begin, key)
) PARTITION BY RANGE (begin);
CREATE INDEX ON ruad.report (id);
CREATE INDEX ON ruad.report (received_at);
CREATE TABLE ruad.report_default PARTITION OF ruad.report DEFAULT;

-- Their records.
CREATE TABLE ruad.record (
	begin         timestamptz NOT NULL, -- the report's
	report        bigint NOT NULL,
	count         bigint CHECK (count >= 0), -- messages
	domain_id     integer NOT NULL,
	reporter_id   integer,
	record_no     integer NOT NULL,     -- counts from 1 in its report
	source_ip     inet,
	class         text NOT NULL,        -- ruad.record_class()
	disposition   text,
	dkim          text,
	spf           text,
	reason        jsonb,
	header_from   text,
	envelope_from text,
	envelope_to   text,
	auth_results  jsonb,
	notes         jsonb,
	PRIMARY KEY (domain_id, begin, report, record_no)
) PARTITION BY RANGE (begin);
CREATE INDEX ON ruad.record (source_ip, begin); -- an address over all time: first seen, last seen
CREATE TABLE ruad.record_default PARTITION OF ruad.record DEFAULT;

-- What makes two reports the same one, beside domain and begin: half of a SHA-256, since names may be too long for a btree.
-- GMO Pepabo's brands differ only in email; rspamd's report_id repeats across sites. Names are folded in ASCII only, so that
-- the key does not change with the locale. STABLE because convert_to() is, so that it can be inlined.
CREATE FUNCTION ruad.report_key(org_name text, email text, report_id text, "end" timestamptz) RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT substr(encode(sha256(convert_to(jsonb_build_array(lower(btrim(org_name) COLLATE "C"),
		lower(btrim(email) COLLATE "C"), report_id, extract(epoch FROM "end"))::text, 'UTF8')), 'hex'), 1, 32)::uuid
$$;

-- Move what lies in the default partition of a table and belongs to the new one. The lock keeps writers from adding more before
-- the partition is attached.
CREATE FUNCTION ruad.adopt_partition(parent text, part text, lower_bound timestamptz, upper_bound timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format('CREATE TABLE ruad.%I (LIKE ruad.%I INCLUDING ALL,
		CONSTRAINT month CHECK (begin >= %L AND begin < %L))', part, parent, lower_bound, upper_bound);
	EXECUTE format('LOCK TABLE ruad.%I IN ACCESS EXCLUSIVE MODE', parent || '_default');
	EXECUTE format('WITH moved AS (DELETE FROM ruad.%I WHERE begin >= %L AND begin < %L RETURNING *)
		INSERT INTO ruad.%I SELECT * FROM moved', parent || '_default', lower_bound, upper_bound, part);
	EXECUTE format('ALTER TABLE ruad.%I ATTACH PARTITION ruad.%I FOR VALUES FROM (%L) TO (%L)',
		parent, part, lower_bound, upper_bound);
	EXECUTE format('ALTER TABLE ruad.%I DROP CONSTRAINT month', part); -- it only spared ATTACH a scan
END
$$;

-- Whether a month gets partitions of its own. What begins before DMARC's first year or more than two months ahead
-- stays in the default partition: hostile dates must not make tables.
CREATE FUNCTION ruad.has_month(at timestamptz) RETURNS boolean
LANGUAGE sql STABLE
AS $$ SELECT at >= '2012-01-01 00:00:00+00' AND at < now() + interval '62 days' $$;

-- Make the partitions for the month that holds at, unless they are there. Safe between sessions: makers queue for the advisory
-- lock, and the tables are attached (SHARE UPDATE EXCLUSIVE on the parent), so readers of other months never wait.
CREATE FUNCTION ruad.ensure_partition(at timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
	month timestamptz := date_trunc('month', at);
	suffix text := to_char(at, '"_"YYYY"_"MM');
BEGIN
	IF NOT ruad.has_month(at) OR to_regclass('ruad.record' || suffix) IS NOT NULL THEN
		RETURN;
	END IF;
	PERFORM pg_advisory_xact_lock(hashtext('ruad.ensure_partition'));
	IF to_regclass('ruad.record' || suffix) IS NULL THEN
		PERFORM ruad.adopt_partition('report', 'report' || suffix, month, month + interval '1 month');
		PERFORM ruad.adopt_partition('record', 'record' || suffix, month, month + interval '1 month');
	END IF;
END
$$;
