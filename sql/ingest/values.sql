-- values.sql - values of reports: keys that identify copies of a report, and members of the JSON of failure and TLS
-- reports.

-- A text of any length as a key: a btree entry has at most 2,700 bytes.
CREATE FUNCTION ruad.text_hash(value text) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT sha256(convert_to(value, 'UTF8')) $$;

-- The key that identifies a report on a domain: half of a SHA-256, since names may be too long for a btree. The
-- brands of GMO Pepabo differ only in email, and the report_id of rspamd repeats across sites. Names are folded in
-- ASCII only, so that the key does not depend on the locale. STABLE because convert_to() is, so that it can be
-- inlined.
CREATE FUNCTION ruad.report_key(org_name text, email text, report_id text, begin timestamptz, "end" timestamptz)
RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT substr(encode(sha256(convert_to(jsonb_build_array(lower(btrim(org_name) COLLATE "C"),
		lower(btrim(email) COLLATE "C"), report_id, extract(epoch FROM begin), extract(epoch FROM "end"))::text,
		'UTF8')), 'hex'), 1, 32)::uuid
$$;

-- The UTC date of a time.
CREATE FUNCTION ruad.day_of(at timestamptz) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT (at AT TIME ZONE 'UTC')::date $$;

-- The first day of a day's month.
CREATE FUNCTION ruad.month_of(day date) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT date_trunc('month', day::timestamp)::date $$;

-- Values of a report that is received as JSON (new_item.content). A value of the wrong type counts as absent: NULL.
CREATE FUNCTION ruad.json_text(value jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE jsonb_typeof(value) WHEN 'string' THEN value #>> '{}' END $$;

-- The texts of an array; NULL if there are none.
CREATE FUNCTION ruad.json_texts(value jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT nullif(jsonb_path_query_array(value, '$[*] ? (@.type() == "string")'), '[]') $$;

-- An integer from 0 to most.
CREATE FUNCTION ruad.json_count(value jsonb, most bigint DEFAULT 9223372036854775807) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE jsonb_typeof(value) WHEN 'number' THEN
		CASE WHEN value::numeric BETWEEN 0 AND most AND scale(value::numeric) = 0 THEN value::numeric::bigint END
	END
$$;

-- A time in UTC in the format of RFC 3339.
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

-- The key that identifies a TLS report; compare ruad.report_key().
CREATE FUNCTION ruad.tls_key(organization_name text, report_id text, begin timestamptz, "end" timestamptz,
	domains text[]) RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT substr(encode(sha256(convert_to(jsonb_build_array(lower(btrim(organization_name) COLLATE "C"), report_id,
		extract(epoch FROM begin), extract(epoch FROM "end"), to_jsonb(domains))::text, 'UTF8')), 'hex'), 1, 32)::uuid
$$;

-- failure_details with only the members of RFC 8460, each of its type or null, so that a view can cast them.
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

-- The verdict of the local MTA as a value of ruad.mail.authentic.
CREATE FUNCTION ruad.verdict(authentic text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN authentic IN ('pass', 'fail') THEN authentic ELSE 'none' END $$;

-- When a failure report begins: when the message arrived if that time is plausible, else when the report was
-- received.
CREATE FUNCTION ruad.failure_begin(content jsonb, received_at timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE
AS $$
	SELECT CASE WHEN t.at >= '2004-01-01 00:00:00+00' AND t.at <= received_at + interval '2 days'
		THEN t.at ELSE received_at END
	FROM (SELECT ruad.json_time(content -> 'arrival_time') AS at) t
$$;
