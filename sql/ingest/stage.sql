-- stage.sql - the staging tables of a session of ruad-ingest, and the names and months that a batch needs.

-- Make the session's staging tables; again is harmless. They belong to ruad_owner: ruad_ingest can add rows to three of them, and can neither
-- change nor replace them.
CREATE FUNCTION ruad.stage_open() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning
AS $$
BEGIN
	CREATE TEMPORARY TABLE IF NOT EXISTS stage_mail (
		mail_no integer, received_at timestamptz, source text, name text, envelope_from text, recipients jsonb, size bigint,
		sha256 bytea, message_id text, subject text, header_from text, authentic text DEFAULT 'none', again bigint
	) ON COMMIT DELETE ROWS;
	CREATE TEMPORARY TABLE IF NOT EXISTS stage_item (
		mail_no integer, item_no integer, kind text, place text, code text, reason text,
		dialect text, version text, xmlns text, org_name text, email text, extra_contact_info text, report_id text,
		begin timestamptz, "end" timestamptz, error jsonb, generator text,
		domain text, adkim text, aspf text, p text, sp text, np text, pct smallint, fo text, testing text,
		discovery_method text, records bigint, sha256 bytea, notes jsonb, partial boolean DEFAULT false, content jsonb
	) ON COMMIT DELETE ROWS;
	CREATE TEMPORARY TABLE IF NOT EXISTS stage_record (
		mail_no integer, item_no integer, record_no integer, source_ip inet, count bigint, disposition text, dkim text, spf text,
		reason jsonb, header_from text, envelope_from text, envelope_to text, auth_results jsonb, notes jsonb
	) ON COMMIT DELETE ROWS;
	-- What ingest() finds out, a row per mail and per item. They have no index and, their values being short, no TOAST table:
	-- each would have to be emptied at every commit.
	CREATE TEMPORARY TABLE IF NOT EXISTS work_mail (mail_no integer, mail bigint NOT NULL) ON COMMIT DELETE ROWS;
	CREATE TEMPORARY TABLE IF NOT EXISTS work_item (
		mail_no integer, item_no integer, mail bigint NOT NULL, report bigint, begin timestamptz, domain_id integer,
		reporter_id integer, key uuid, nth bigint, records bigint, messages bigint, pass bigint,
		status varchar(16), code varchar(16)
	) ON COMMIT DELETE ROWS;
	PERFORM ruad.stage_check();
	GRANT INSERT ON pg_temp.stage_mail, pg_temp.stage_item, pg_temp.stage_record TO ruad_ingest;
END
$$;

-- Refuse staging tables that somebody else made: their triggers and defaults would run with our rights. Add the columns that tables of
-- 0003 lack.
CREATE FUNCTION ruad.stage_check() RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	tables integer;
	columns integer;
BEGIN
	SELECT count(*), sum(relnatts) FILTER (WHERE relname IN ('stage_mail', 'stage_item')) INTO tables, columns
	FROM pg_catalog.pg_class
	WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r' AND relowner = CURRENT_USER::regrole
		AND relname IN ('stage_mail', 'stage_item', 'stage_record', 'work_mail', 'work_item');
	IF tables <> 5 THEN
		RAISE EXCEPTION 'the staging tables are missing or not ours'
			USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'call ruad.stage_open() first, once a session';
	END IF;
	IF columns < 45 THEN
		ALTER TABLE pg_temp.stage_mail ADD COLUMN authentic text DEFAULT 'none', ADD COLUMN again bigint;
		ALTER TABLE pg_temp.stage_item ADD COLUMN partial boolean DEFAULT false, ADD COLUMN content jsonb;
	END IF;
END
$$;

-- The domains that the reports of the batch are about.
CREATE FUNCTION ruad.staged_domains() RETURNS SETOF text
LANGUAGE plpgsql
AS $$
BEGIN
	RETURN QUERY
		SELECT i.domain FROM pg_temp.stage_item i WHERE i.kind = 'aggregate' AND octet_length(i.domain) BETWEEN 1 AND 255
		UNION
		SELECT ruad.failure_domain(i.content) FROM pg_temp.stage_item i WHERE i.kind IN ('failure', 'feedback')
		UNION
		SELECT unnest(ruad.tls_domains(i.content)) FROM pg_temp.stage_item i WHERE i.kind = 'tls';
END
$$;

-- Who sent them.
CREATE FUNCTION ruad.staged_reporters() RETURNS SETOF text
LANGUAGE plpgsql
AS $$
BEGIN
	RETURN QUERY
		SELECT i.org_name FROM pg_temp.stage_item i WHERE i.kind = 'aggregate'
		UNION
		SELECT ruad.json_text(i.content -> 'organization_name') FROM pg_temp.stage_item i WHERE i.kind = 'tls';
END
$$;

-- The months that the batch needs, each with the tables.
CREATE FUNCTION ruad.staged_months() RETURNS TABLE (at timestamptz, parents text[])
LANGUAGE plpgsql
AS $$
BEGIN
	RETURN QUERY
		SELECT date_trunc('month', i.begin, 'UTC'), '{report,record}'::text[] FROM pg_temp.stage_item i WHERE i.kind = 'aggregate'
		UNION
		SELECT date_trunc('month', ruad.failure_begin(i.content, m.received_at), 'UTC'), '{failure}'::text[]
		FROM pg_temp.stage_item i JOIN pg_temp.stage_mail m ON m.mail_no = i.mail_no WHERE i.kind IN ('failure', 'feedback')
		UNION
		SELECT date_trunc('month', ruad.json_time(i.content -> 'date_range' -> 'start_datetime'), 'UTC'), '{tls,tls_policy}'::text[]
		FROM pg_temp.stage_item i WHERE i.kind = 'tls';
END
$$;

-- Names and partitions that the batch needs and that are not there yet.
CREATE FUNCTION ruad.ingest_references() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO ruad.domain (name)
	SELECT s.name FROM ruad.staged_domains() AS s(name)
	WHERE s.name IS NOT NULL AND (SELECT d.id FROM ruad.domain d WHERE d.name = s.name) IS NULL
	ORDER BY 1
	ON CONFLICT DO NOTHING;

	INSERT INTO ruad.reporter (org_name, org_name_hash)
	SELECT s.org_name, ruad.text_hash(s.org_name) AS hash
	FROM ruad.staged_reporters() AS s(org_name)
	WHERE s.org_name IS NOT NULL
		AND (SELECT r.id FROM ruad.reporter r WHERE r.org_name_hash = ruad.text_hash(s.org_name)) IS NULL
	ORDER BY hash
	ON CONFLICT DO NOTHING;

	PERFORM ruad.ensure_partition(m.at, m.parents)
	FROM (SELECT s.at, s.parents FROM ruad.staged_months() s WHERE s.at IS NOT NULL ORDER BY s.at, s.parents) m;
END
$$;

-- Number the mails.
CREATE FUNCTION ruad.ingest_mails() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO pg_temp.work_mail (mail_no, mail)
	SELECT m.mail_no, nextval('ruad.mail_id_seq') FROM pg_temp.stage_mail m;
END
$$;
