-- ingest.sql - ruad.ingest(), the only entry point; sql/README.md says how ruad-ingest calls it.
--
-- These functions run with the rights of ruad_owner (SECURITY DEFINER): role ruad_ingest may call ingest(),
-- evaluations() and keep_raw(), add rows to ruad.record, and nothing else of ingestion. All sessions take locks in
-- one order: domain, reporter, report, failure_seen, tls, raw, facet, evaluation, each sorted by its key.

-- Store everything about the reports except records. The caller writes the ledger, since that differs between new
-- mail and mail that is read again. replaced: the mails that may not need their bytes any more.
CREATE FUNCTION ruad.ingest_items(mails ruad.new_mail[], items ruad.new_item[], OUT work ruad.judged[],
	OUT replaced bigint[])
LANGUAGE plpgsql
AS $$
DECLARE
	has_content constant boolean := EXISTS (SELECT 1 FROM unnest(items) i
		WHERE i.kind IN ('failure', 'feedback', 'tls'));
	content record;
BEGIN
	work := ruad.judge_aggregate(mails, items);
	IF has_content OR ruad.lack_names(work) THEN
		PERFORM ruad.ingest_names(items);
		work := ruad.judge_aggregate(mails, items);
	END IF;
	SELECT a.work, a.replaced INTO work, replaced FROM ruad.ingest_aggregate(work) a;
	IF has_content THEN
		SELECT t.work, t.replaced INTO content
		FROM ruad.ingest_tls(ruad.ingest_failures(ruad.judge_content(mails, items))) t;
		work := work || content.work;
		replaced := replaced || content.replaced;
	END IF;
	IF EXISTS (SELECT 1 FROM unnest(work) w WHERE w.status IN ('quarantined', 'conflict') OR (w.item).partial) THEN
		work := ruad.reserve_raw(work);
	END IF;
END
$$;

-- The result of a batch: a row for each mail, with item_no NULL, and a row for each aggregate report whose records
-- the caller now adds to ruad.record. epoch is the value of ruad.evaluation_epoch, read under the lock that adding
-- reports takes.
CREATE FUNCTION ruad.outcome(mails ruad.new_mail[], work ruad.judged[])
RETURNS TABLE (mail_no integer, item_no integer, mail_id bigint, stored integer, duplicates integer, conflicts integer,
	unreadable integer, keep_raw boolean, report bigint, domain_id integer, reporter_id integer, day date, epoch bigint)
LANGUAGE plpgsql
AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
		SELECT m.ordinality::integer, NULL::integer, m.id,
			count(*) FILTER (WHERE w.status = 'stored')::integer,
			count(*) FILTER (WHERE w.status = 'duplicate')::integer,
			count(*) FILTER (WHERE w.status = 'conflict')::integer,
			count(*) FILTER (WHERE w.status = 'quarantined')::integer,
			EXISTS (SELECT 1 FROM ruad.raw r WHERE r.mail = m.id AND r.raw IS NULL),
			NULL::bigint, NULL::integer, NULL::integer, NULL::date, NULL::bigint
		FROM unnest(mails) WITH ORDINALITY m LEFT JOIN unnest(work) w ON w.mail = m.id
		GROUP BY m.ordinality, m.id ORDER BY m.ordinality;
	RETURN QUERY
		SELECT (w.item).mail_no, (w.item).item_no, w.mail, 0, 0, 0, 0, false, w.report, w.domain_id,
			w.reporter_id, w.day, e.last_value
		FROM unnest(work) w, ruad.evaluation_epoch e
		WHERE w.status = 'stored' AND (w.item).kind = 'aggregate' AND (w.item).records > 0
		ORDER BY 1, 2;
END
$$;

-- Store the domains and reporters of items, in a transaction of their own before that of ingest(). A long transaction
-- calls it, so that nobody has to wait for its end because of a name.
CREATE FUNCTION ruad.names(items ruad.new_item[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM ruad.ingest_names(items);
END
$$;

-- Store a batch of new mails, once per transaction. It uses generic plans: no plan depends on the arrays, and
-- planning took as long as storing a mail.
CREATE FUNCTION ruad.ingest(mails ruad.new_mail[], items ruad.new_item[])
RETURNS TABLE (mail_no integer, item_no integer, mail_id bigint, stored integer, duplicates integer, conflicts integer,
	unreadable integer, keep_raw boolean, report bigint, domain_id integer, reporter_id integer, day date, epoch bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
	work ruad.judged[];
	replaced bigint[];
BEGIN
	FOR k IN 1 .. cardinality(mails) LOOP
		IF mails[k].id IS NOT NULL THEN
			RAISE EXCEPTION 'mail that was read again is not for ingest()'
				USING ERRCODE = 'invalid_parameter_value', HINT = 'call ruad.ingest_again()';
		END IF;
		mails[k].id := nextval('ruad.mail_id_seq');
	END LOOP;
	SELECT i.work, i.replaced INTO work, replaced FROM ruad.ingest_items(mails, items) i;
	PERFORM ruad.insert_ledger(mails, work);
	IF cardinality(replaced) > 0 THEN
		PERFORM ruad.release_raw(replaced);
	END IF;
	RETURN QUERY SELECT * FROM ruad.outcome(mails, work);
END
$$;

GRANT EXECUTE ON FUNCTION ruad.names, ruad.ingest, ruad.evaluations, ruad.keep_raw TO ruad_ingest;
