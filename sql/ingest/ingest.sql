-- ingest.sql - ruad.ingest(), the only way in: sql/README.md says how ruad-ingest calls it.

-- All of the reports' rows; the ledger, which tells new mail from mail that was read again, is the caller's. Returns the mails that may
-- need their bytes no longer.
CREATE FUNCTION ruad.ingest_items() RETURNS bigint[]
LANGUAGE plpgsql
AS $$
DECLARE
	replaced bigint[];
BEGIN
	PERFORM ruad.ingest_judge();
	replaced := ruad.ingest_reports();
	IF EXISTS (SELECT FROM pg_temp.stage_item i WHERE i.kind IN ('failure', 'feedback', 'tls')) THEN
		PERFORM ruad.ingest_judge_content();
		PERFORM ruad.ingest_failures();
		PERFORM ruad.ingest_tls();
	END IF;
	IF EXISTS (SELECT FROM pg_temp.work_item w WHERE w.status IN ('quarantined', 'conflict'))
		OR EXISTS (SELECT FROM pg_temp.stage_item i WHERE i.partial)
	THEN
		PERFORM ruad.ingest_raw();
	END IF;
	PERFORM ruad.ingest_records();
	RETURN replaced;
END
$$;

-- A row per mail says what became of it.
CREATE FUNCTION ruad.ingest_outcome() RETURNS TABLE (mail_no integer, mail_id bigint, stored integer, duplicates integer,
	conflicts integer, unreadable integer, keep_raw boolean)
LANGUAGE plpgsql
AS $$
BEGIN
	RETURN QUERY
		SELECT m.mail_no, m.mail,
			count(*) FILTER (WHERE w.status = 'stored')::integer,
			count(*) FILTER (WHERE w.status = 'duplicate')::integer,
			count(*) FILTER (WHERE w.status = 'conflict')::integer,
			count(*) FILTER (WHERE w.status = 'quarantined')::integer,
			EXISTS (SELECT FROM ruad.raw r WHERE r.mail = m.mail AND r.raw IS NULL)
		FROM pg_temp.work_mail m LEFT JOIN pg_temp.work_item w ON w.mail_no = m.mail_no
		GROUP BY m.mail_no, m.mail ORDER BY m.mail_no;
END
$$;

-- Take in what is staged. Once per transaction.
CREATE FUNCTION ruad.ingest()
RETURNS TABLE (mail_no integer, mail_id bigint, stored integer, duplicates integer, conflicts integer, unreadable integer,
	keep_raw boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	replaced bigint[];
BEGIN
	PERFORM ruad.stage_check();
	IF EXISTS (SELECT FROM pg_temp.stage_mail m WHERE m.again IS NOT NULL) THEN
		RAISE EXCEPTION 'mail that was read again is not for ingest()'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'call ruad.ingest_again()';
	END IF;
	PERFORM ruad.ingest_references();
	PERFORM ruad.ingest_mails();
	replaced := ruad.ingest_items();
	PERFORM ruad.ingest_ledger();
	IF cardinality(replaced) > 0 THEN
		PERFORM ruad.release_raw(replaced);
	END IF;
	RETURN QUERY SELECT * FROM ruad.ingest_outcome();
END
$$;

GRANT EXECUTE ON FUNCTION ruad.stage_open, ruad.ingest, ruad.keep_raw TO ruad_ingest;
