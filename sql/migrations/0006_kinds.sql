-- 0006_kinds - the rows of failure and TLS reports, of reports that break off, and of what our own MTA said about a mail.
--
-- Column names of failure and tls are those of RFC 5965, 6591 and 8460 in snake_case, as in parser/report.h. Their ids come from the
-- sequence of aggregate reports, so that item.report names one report, whatever its kind.

SET LOCAL ROLE ruad_owner;

-- What our MTA found out about the mail, by its Authentication-Results.
ALTER TABLE ruad.mail
	ADD COLUMN authentic text NOT NULL DEFAULT 'none' CHECK (authentic IN ('none', 'pass', 'fail')),
	ADD COLUMN raw bigint; -- the mail under which the same bytes are kept (its own, mostly); NULL when none are
UPDATE ruad.mail m SET raw = k.mail FROM ruad.raw k WHERE k.sha256 = m.sha256;
CREATE INDEX mail_raw ON ruad.mail (raw) WHERE raw IS NOT NULL;

ALTER TABLE ruad.report
	ADD COLUMN partial boolean NOT NULL DEFAULT false, -- it breaks off: records are those that were whole
	ADD COLUMN authentic text NOT NULL DEFAULT 'none'; -- the mail's, here so that lists of reports need not read mails

ALTER TABLE ruad.item
	DROP CONSTRAINT item_kind_check,
	ADD CONSTRAINT item_kind_check CHECK (kind IN ('aggregate', 'failure', 'feedback', 'tls', 'unreadable')),
	ADD COLUMN partial boolean NOT NULL DEFAULT false; -- as it was found in this mail

-- Failure reports, and other feedback reports. domain_id is that of the first reported_domain, else header_from, else dkim_domain;
-- 0 where none of them is there.
CREATE TABLE ruad.failure (
	begin                     timestamptz NOT NULL, -- arrival_time if that may be true, else received_at
	id                        bigint NOT NULL,
	mail                      bigint NOT NULL,      -- that brought it
	received_at               timestamptz NOT NULL,
	arrival_time              timestamptz,
	incidents                 bigint,               -- messages that it stands for; NULL when unreadable
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
	PRIMARY KEY (domain_id, begin, id)
) PARTITION BY RANGE (begin);
CREATE INDEX ON ruad.failure (id);
CREATE INDEX ON ruad.failure (received_at);
CREATE TABLE ruad.failure_default PARTITION OF ruad.failure DEFAULT;

-- Which failure reports are stored. A copy is told by its bytes alone: begin may be the time of receipt, so a key with it would
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
	domain_id                      integer NOT NULL,
	reporter_id                    integer,              -- organization_name
	policies                       integer NOT NULL,     -- how many
	authentic                      text NOT NULL,
	key                            uuid NOT NULL,        -- ruad.tls_key()
	sha256                         bytea NOT NULL,       -- of the unpacked JSON
	contact_info                   text,
	report_id                      text,
	notes                          jsonb,
	PRIMARY KEY (domain_id, begin, id),
	UNIQUE (domain_id, begin, key)
) PARTITION BY RANGE (begin);
CREATE INDEX ON ruad.tls (id);
CREATE INDEX ON ruad.tls (received_at);
CREATE TABLE ruad.tls_default PARTITION OF ruad.tls DEFAULT;

-- Their policies. domain_id is that of policy_domain; 0 where it is not there, or no domain's name.
CREATE TABLE ruad.tls_policy (
	begin                          timestamptz NOT NULL, -- the report's
	report                         bigint NOT NULL,
	total_successful_session_count bigint,
	total_failure_session_count    bigint,
	domain_id                      integer NOT NULL,
	reporter_id                    integer,
	policy_no                      integer NOT NULL,     -- counts from 1 in its report
	policy_type                    text,
	policy_string                  jsonb,
	mx_host                        jsonb,
	failure_details                jsonb,                -- array of objects whose members are checked: ruad.tls_failure_details()
	PRIMARY KEY (domain_id, begin, report, policy_no)
) PARTITION BY RANGE (begin);
CREATE INDEX ON ruad.tls_policy (report);
CREATE TABLE ruad.tls_policy_default PARTITION OF ruad.tls_policy DEFAULT;

-- Make the partitions of these tables for the month that holds at, unless they are there. Safe between sessions: makers queue for
-- the advisory lock, and the tables are attached (SHARE UPDATE EXCLUSIVE on the parent), so readers of other months never wait. Behind the
-- lock pg_class is asked: to_regclass() may remember from before that a table is not there.
DROP FUNCTION ruad.ensure_partition(timestamptz);
CREATE FUNCTION ruad.ensure_partition(at timestamptz, parents text[] DEFAULT '{report,record}') RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
	month timestamptz := date_trunc('month', at);
	suffix text := to_char(at, '"_"YYYY"_"MM');
	parent text;
BEGIN
	IF NOT ruad.has_month(at) OR NOT EXISTS (SELECT FROM unnest(parents) p WHERE to_regclass('ruad.' || p || suffix) IS NULL) THEN
		RETURN;
	END IF;
	PERFORM pg_advisory_xact_lock(hashtext('ruad.ensure_partition'));
	FOR parent IN SELECT p FROM unnest(parents) p
		WHERE NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'ruad'::regnamespace AND relname = p || suffix)
	LOOP
		PERFORM ruad.adopt_partition(parent, parent || suffix, month, month + interval '1 month');
	END LOOP;
END
$$;

-- Values of a report that comes as JSON (stage_item.content). Whatever is of another type than it should be is absent: NULL.

CREATE FUNCTION ruad.json_text(value jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE jsonb_typeof(value) WHEN 'string' THEN value #>> '{}' END $$;

-- The texts of an array; NULL when there are none.
CREATE FUNCTION ruad.json_texts(value jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT nullif(jsonb_path_query_array(value, '$[*] ? (@.type() == "string")'), '[]') $$;

-- A whole number from 0 to most.
CREATE FUNCTION ruad.json_count(value jsonb, most bigint DEFAULT 9223372036854775807) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE jsonb_typeof(value) WHEN 'number' THEN
		CASE WHEN value::numeric BETWEEN 0 AND most AND scale(value::numeric) = 0 THEN value::numeric::bigint END
	END
$$;

-- A time in UTC as RFC 3339 has it.
CREATE FUNCTION ruad.json_time(value jsonb) RETURNS timestamptz
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
BEGIN
	IF ruad.json_text(value) ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$' THEN
		RETURN (value #>> '{}')::timestamptz;
	END IF;
	RETURN NULL;
EXCEPTION WHEN data_exception THEN
	RETURN NULL; -- the 31st of February
END
$$;

-- An address, not a network.
CREATE FUNCTION ruad.json_inet(value jsonb) RETURNS inet
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
	IF ruad.json_text(value) ~ '^[0-9A-Fa-f.:]{2,45}$' THEN
		RETURN (value #>> '{}')::inet;
	END IF;
	RETURN NULL;
EXCEPTION WHEN data_exception THEN
	RETURN NULL;
END
$$;

-- The domain that a failure report is about.
CREATE FUNCTION ruad.failure_domain(content jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT d.name
	FROM (VALUES (1, ruad.json_text(content -> 'reported_domain' -> 0)), (2, ruad.json_text(content -> 'header_from')),
		(3, ruad.json_text(content -> 'dkim_domain'))) AS d(no, name)
	WHERE octet_length(d.name) BETWEEN 1 AND 255
	ORDER BY d.no
	LIMIT 1
$$;

-- The policy domains of a TLS report, each once, sorted.
CREATE FUNCTION ruad.tls_domains(content jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT coalesce(array_agg(DISTINCT d.name COLLATE "C" ORDER BY d.name COLLATE "C"), '{}')
	FROM (SELECT ruad.json_text(p.value -> 'policy' -> 'policy_domain') AS name
		FROM jsonb_path_query(content, '$.policies[*]') AS p(value)) d
	WHERE octet_length(d.name) BETWEEN 1 AND 255
$$;

-- What makes two TLS reports the same one, beside domain and begin; compare ruad.report_key().
CREATE FUNCTION ruad.tls_key(organization_name text, report_id text, "end" timestamptz, domains text[]) RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT substr(encode(sha256(convert_to(jsonb_build_array(lower(btrim(organization_name) COLLATE "C"), report_id,
		extract(epoch FROM "end"), to_jsonb(domains))::text, 'UTF8')), 'hex'), 1, 32)::uuid
$$;

-- failure_details with the members that RFC 8460 gives them, each of its type or null, so that a view can cast them.
CREATE FUNCTION ruad.tls_failure_details(value jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT jsonb_agg(jsonb_build_object(
		'result_type', ruad.json_text(d.value -> 'result_type'),
		'sending_mta_ip', host(ruad.json_inet(d.value -> 'sending_mta_ip')),
		'receiving_mx_hostname', ruad.json_text(d.value -> 'receiving_mx_hostname'),
		'receiving_mx_helo', ruad.json_text(d.value -> 'receiving_mx_helo'),
		'receiving_ip', host(ruad.json_inet(d.value -> 'receiving_ip')),
		'failed_session_count', ruad.json_count(d.value -> 'failed_session_count'),
		'additional_information', ruad.json_text(d.value -> 'additional_information'),
		'failure_reason_code', ruad.json_text(d.value -> 'failure_reason_code')) ORDER BY d.no)
	FROM jsonb_path_query(value, '$[*] ? (@.type() == "object")') WITH ORDINALITY AS d(value, no)
$$;
