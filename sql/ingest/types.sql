-- types.sql - what ruad-ingest passes to ruad.ingest(), and the types of its intermediate results.

-- A mail: a delivery, or a document that was imported.
CREATE TYPE ruad.new_mail AS (
	id            bigint, -- of the stored mail that was read again; NULL for a new one, which gets its number
	received_at   timestamptz,
	source        text,
	name          text,
	envelope_from text,
	recipients    jsonb,
	size          bigint,
	sha256        bytea,  -- of the document
	message_id    text,
	subject       text,
	header_from   text,
	authentic     text    -- none, pass or fail
);

-- An item found in a mail: a report, or something unreadable.
CREATE TYPE ruad.new_item AS (
	mail_no            integer, -- place of its mail in the array of mails, from 1
	item_no            integer, -- counts from 1 in its mail
	kind               text,    -- aggregate, failure, feedback, tls or unreadable
	place              text,
	code               text,    -- of what could not be read, as is reason
	reason             text,
	dialect            text,
	version            text,
	xmlns              text,
	org_name           text,
	email              text,
	extra_contact_info text,
	report_id          text,
	begin              timestamptz,
	"end"              timestamptz,
	error              jsonb,
	generator          text,
	domain             text,
	adkim              text,
	aspf               text,
	p                  text,
	sp                 text,
	np                 text,
	pct                smallint,
	fo                 text,
	testing            text,
	discovery_method   text,
	announced          bigint,  -- how many records the parser says that it sent
	records            bigint,  -- how many there were
	messages           bigint,  -- sum of their count, 2^63-1 at most
	pass               bigint,  -- of these, with dkim or spf = pass
	record_notes       jsonb,   -- codes of their notes: {"V1": 3}; NULL without any
	sha256             bytea,   -- of the unpacked report
	notes              jsonb,
	partial            boolean, -- an aggregate report that is truncated
	content            jsonb    -- of failure, feedback and tls: the canonical JSON, without kind, sha256 and notes
);

-- An item with what is known about it so far.
CREATE TYPE ruad.judged AS (
	item        ruad.new_item,
	mail        bigint,
	received_at timestamptz, -- of the mail, as are the next two
	authentic   text,
	mail_sha256 bytea,
	report      bigint,      -- the report that it is, or is compared with
	begin       timestamptz,
	day         date,
	domain_id   integer,
	reporter_id integer,
	key         uuid,
	nth         bigint,      -- place among the items of the batch with the same key
	status      text,        -- NULL while it is not known
	code        text
);
