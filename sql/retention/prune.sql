-- prune.sql - `ruad prune` removes data that is older than the settings allow, one kind per call.

-- A report that begins later than any partition may be created for would never grow old; its time of receipt is used
-- instead.
CREATE FUNCTION ruad.is_old(begin timestamptz, received_at timestamptz, before timestamptz) RETURNS boolean
LANGUAGE sql STABLE
AS $$ SELECT begin < before OR begin >= now() + interval '62 days' AND received_at < before $$;

-- The reports that are older than that time.
CREATE FUNCTION ruad.old_reports(before timestamptz) RETURNS SETOF ruad.report
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN QUERY SELECT r.* FROM ruad.report r WHERE ruad.is_old(r.begin, r.received_at, before)
		AND (r.day <= ruad.day_of(before) OR r.day > ruad.day_of(now()) + 60);
END
$$;

-- How many reports ruad.prune() would remove in all its steps. Locks nothing.
CREATE FUNCTION ruad.prunable_reports(before timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (SELECT count(*) FROM ruad.old_reports(before));
END
$$;

-- Remove the evaluations of domains and months that have no reports left, and make ruad-ingest forget the ids in its
-- cache. The caller's lock prevents it from using them until then.
CREATE FUNCTION ruad.prune_evaluations(domains integer[], months date[]) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	empty record;
BEGIN
	FOR empty IN
		SELECT u.domain_id, u.month FROM unnest(domains, months) AS u(domain_id, month)
		WHERE NOT EXISTS (SELECT 1 FROM ruad.report r WHERE r.domain_id = u.domain_id AND r.day >= u.month
			AND r.day < (u.month + interval '1 month')::date)
	LOOP
		DELETE FROM ruad.evaluation e WHERE e.domain_id = empty.domain_id AND e.day = empty.month;
		PERFORM nextval('ruad.evaluation_epoch');
	END LOOP;
END
$$;

-- Remove the facets that no evaluation has. They are looked for without a lock, which is taken only if there are any.
CREATE FUNCTION ruad.prune_facets() RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	unused bigint[] := ARRAY(SELECT f.id FROM ruad.facet f
		WHERE NOT EXISTS (SELECT 1 FROM ruad.evaluation e WHERE e.domain_id = f.domain_id AND e.facet = f.id));
BEGIN
	IF cardinality(unused) = 0 THEN
		RETURN;
	END IF;
	PERFORM ruad.lock_parents('{report}', 'SHARE ROW EXCLUSIVE');
	DELETE FROM ruad.facet f WHERE f.id = ANY (unused)
		AND NOT EXISTS (SELECT 1 FROM ruad.evaluation e WHERE e.domain_id = f.domain_id AND e.facet = f.id);
	PERFORM nextval('ruad.evaluation_epoch');
END
$$;

-- Drop a month of aggregate reports. When addresses were seen is recomputed before, so that nobody waits for it.
CREATE FUNCTION ruad.prune_month(month date) RETURNS TABLE (what text, removed bigint)
LANGUAGE plpgsql
AS $$
DECLARE
	behind constant date := (month + interval '1 month')::date;
	dropped record;
BEGIN
	PERFORM ruad.see_again(ARRAY(SELECT d.id FROM ruad.domain d) || 0, month, true);
	SELECT * INTO dropped FROM ruad.drop_month('{report,record,evaluation,sum_day,sum_month}', month, 'records');
	DELETE FROM ruad.unsummed u WHERE u.day >= month AND u.day < behind;
	DELETE FROM ruad.excluded_record e WHERE e.day >= month AND e.day < behind;
	PERFORM nextval('ruad.evaluation_epoch');
	RETURN QUERY VALUES ('reports', dropped.rows), ('records', dropped.sum), ('months', 1::bigint);
END
$$;

-- Remove some of the old reports: about 20,000 records, and at least one report. One domain after the other, since the
-- sums of a domain and month are recomputed after a report of it was removed. The lock on the reports blocks new ones.
-- It is taken before rows are removed, since a writer that waited for one of these rows would hold what we wait for.
-- When none is left, what nothing needs any longer goes.
CREATE FUNCTION ruad.prune_reports(before timestamptz) RETURNS TABLE (what text, removed bigint)
LANGUAGE plpgsql
AS $$
DECLARE
	reports ruad.unsummed[];
	domains integer[];
	months date[];
	records bigint := 0;
	excluded bigint;
BEGIN
	SELECT array_agg(ROW(o.id, o.day, o.domain_id)::ruad.unsummed) INTO reports
	FROM (
		SELECT r.id, r.day, r.domain_id, sum(r.records) OVER (ORDER BY r.domain_id, r.day, r.id) - r.records AS passed
		FROM ruad.old_reports(before) r
	) o
	WHERE o.passed < 20000;
	IF reports IS NULL THEN
		PERFORM ruad.prune_facets();
	ELSE
		PERFORM ruad.lock_parents('{report}', 'SHARE ROW EXCLUSIVE');
		DELETE FROM ruad.report r USING unnest(reports) u WHERE r.domain_id = u.domain_id AND r.day = u.day
			AND r.id = u.report;
		DELETE FROM ruad.record r USING unnest(reports) u WHERE r.domain_id = u.domain_id AND r.day = u.day
			AND r.report = u.report;
		GET DIAGNOSTICS records = ROW_COUNT;
		DELETE FROM ruad.excluded_record e USING unnest(reports) u WHERE e.domain_id = u.domain_id AND e.day = u.day
			AND e.report = u.report;
		GET DIAGNOSTICS excluded = ROW_COUNT;
		records := records + excluded;
		DELETE FROM ruad.unsummed t USING unnest(reports) u WHERE t.domain_id = u.domain_id AND t.day = u.day
			AND t.report = u.report;
		SELECT array_agg(m.domain_id), array_agg(m.month) INTO domains, months
		FROM (SELECT DISTINCT u.domain_id, ruad.month_of(u.day) AS month FROM unnest(reports) u) m;
		INSERT INTO ruad.stale (domain_id, day) SELECT u.domain_id, u.month
		FROM unnest(domains, months) AS u(domain_id, month) ORDER BY 1, 2;
		PERFORM ruad.prune_evaluations(domains, months);
	END IF;
	RETURN QUERY VALUES ('reports', coalesce(cardinality(reports), 0)::bigint), ('records', records),
		('months', 0::bigint);
END
$$;

-- One step: the oldest month that is over, or some reports. Updating the row of ruad.upkeep makes sum_up() wait for us,
-- and makes one with an older snapshot fail.
CREATE FUNCTION ruad.prune_aggregate(before timestamptz) RETURNS TABLE (what text, removed bigint)
LANGUAGE plpgsql
AS $$
DECLARE
	month constant date := ruad.ended_month('report', ruad.day_of(before));
BEGIN
	UPDATE ruad.upkeep SET the_row = true;
	IF month IS NOT NULL THEN
		RETURN QUERY SELECT * FROM ruad.prune_month(month);
	ELSE
		RETURN QUERY SELECT * FROM ruad.prune_reports(before);
	END IF;
END
$$;

-- failure_seen loses the rows of reports that failure no longer has. One statement does it, so that a report received
-- meanwhile is seen in both tables or in neither.
CREATE FUNCTION ruad.prune_failure(before timestamptz) RETURNS TABLE (what text, removed bigint)
LANGUAGE plpgsql
AS $$
DECLARE
	month constant date := ruad.ended_month('failure', ruad.day_of(before));
	reports bigint;
BEGIN
	IF month IS NOT NULL THEN
		SELECT d.rows INTO reports FROM ruad.drop_month('{failure}', month, '0') d;
	ELSE
		DELETE FROM ruad.failure f WHERE f.day <= ruad.day_of(before) AND f.begin < before;
		GET DIAGNOSTICS reports = ROW_COUNT;
	END IF;
	DELETE FROM ruad.failure_seen s WHERE s.begin < before
		AND NOT EXISTS (SELECT 1 FROM ruad.failure f WHERE f.id = s.id);
	RETURN QUERY VALUES ('reports', reports), ('months', (month IS NOT NULL)::integer::bigint);
END
$$;

CREATE FUNCTION ruad.prune_tls(before timestamptz) RETURNS TABLE (what text, removed bigint)
LANGUAGE plpgsql
AS $$
DECLARE
	month constant date := ruad.ended_month('tls', ruad.day_of(before));
	reports bigint;
	policies bigint;
BEGIN
	IF month IS NOT NULL THEN
		SELECT d.rows, d.sum INTO reports, policies FROM ruad.drop_month('{tls,tls_policy}', month, 'policies') d;
	ELSE
		WITH gone AS (
			DELETE FROM ruad.tls r WHERE ruad.is_old(r.begin, r.received_at, before) RETURNING r.day, r.id
		), rows AS (
			DELETE FROM ruad.tls_policy p USING gone g WHERE p.report = g.id AND p.day = g.day RETURNING 1
		)
		SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM rows) INTO reports, policies;
	END IF;
	RETURN QUERY VALUES ('reports', reports), ('policies', policies), ('months', (month IS NOT NULL)::integer::bigint);
END
$$;

-- Remove the stored bytes of mail received before that time. The lock is taken first, so that all mails that share
-- the bytes are seen.
CREATE FUNCTION ruad.prune_raw(before timestamptz) RETURNS TABLE (what text, removed bigint)
LANGUAGE plpgsql
AS $$
DECLARE
	kept bigint[];
	bytes bigint;
BEGIN
	kept := ARRAY(SELECT r.mail FROM ruad.raw r JOIN ruad.mail m ON m.id = r.mail
		WHERE m.received_at < before ORDER BY r.sha256 FOR UPDATE OF r);
	WITH gone AS (
		DELETE FROM ruad.raw r WHERE r.mail = ANY (kept) RETURNING octet_length(r.raw)::bigint AS size
	)
	SELECT coalesce(sum(g.size), 0) INTO bytes FROM gone g;
	UPDATE ruad.mail m SET raw = NULL WHERE m.raw = ANY (kept);
	RETURN QUERY VALUES ('mails', cardinality(kept)::bigint), ('bytes', bytes);
END
$$;

-- Remove mail received before that time of which nothing else is left: no bytes, and no report that an item of it
-- became, repeats or contradicts.
CREATE FUNCTION ruad.prune_mail(before timestamptz) RETURNS TABLE (what text, removed bigint)
LANGUAGE plpgsql
AS $$
DECLARE
	mails bigint;
	items bigint;
BEGIN
	WITH gone AS (
		DELETE FROM ruad.mail m
		WHERE m.received_at < before AND m.raw IS NULL
			AND NOT EXISTS (SELECT 1 FROM ruad.item i WHERE i.mail = m.id AND ruad.is_there(i.report))
		RETURNING m.id
	), rows AS (
		DELETE FROM ruad.item i USING gone g WHERE i.mail = g.id RETURNING 1
	)
	SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM rows) INTO mails, items;
	RETURN QUERY VALUES ('mails', mails), ('items', items);
END
$$;

CREATE FUNCTION ruad.prune_audit(before timestamptz) RETURNS TABLE (what text, removed bigint)
LANGUAGE plpgsql
AS $$
DECLARE
	entries bigint;
BEGIN
	DELETE FROM ruad.audit_log a WHERE a.at < before;
	GET DIAGNOSTICS entries = ROW_COUNT;
	RETURN QUERY VALUES ('entries', entries);
END
$$;

CREATE FUNCTION ruad.prune_kind(kind text, before timestamptz) RETURNS TABLE (what text, removed bigint)
LANGUAGE plpgsql
AS $$
BEGIN
	IF before IS NULL OR before > now() + interval '1 hour' THEN -- an hour for clocks that differ
		RAISE EXCEPTION 'prune: "%" is not in the past', coalesce(before::text, '')
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	CASE kind
		WHEN 'aggregate' THEN RETURN QUERY SELECT * FROM ruad.prune_aggregate(before);
		WHEN 'failure' THEN RETURN QUERY SELECT * FROM ruad.prune_failure(before);
		WHEN 'tls' THEN RETURN QUERY SELECT * FROM ruad.prune_tls(before);
		WHEN 'raw' THEN RETURN QUERY SELECT * FROM ruad.prune_raw(before);
		WHEN 'mail' THEN RETURN QUERY SELECT * FROM ruad.prune_mail(before);
		WHEN 'audit' THEN RETURN QUERY SELECT * FROM ruad.prune_audit(before);
		ELSE RAISE EXCEPTION 'prune: "%" is not one of aggregate, failure, tls, raw, mail, audit', coalesce(kind, '')
			USING ERRCODE = 'invalid_parameter_value';
	END CASE;
END
$$;

-- Remove old data of one kind, in short steps, since each holds its locks to the end of its transaction: call it with
-- the same time, each time in a separate transaction, until it removes nothing.
--   aggregate, failure, tls  reports that begin before that time
--   raw                      the stored bytes of mail received before; the ledger still says what was wrong with it
--   mail                     the ledger's rows of mail received before, if nothing else of it is left
--   audit                    entries of ruad.audit_log; labels and excluded reports keep their logs
-- Returns a row for each thing with the number removed, and adds an entry to the audit log if there was anything to
-- remove; p_user is its user (ruad.audit()). For ruad_owner.
CREATE FUNCTION ruad.prune(kind text, before timestamptz, p_user text DEFAULT NULL)
RETURNS TABLE (what text, removed bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	all_removed jsonb := '{}';
	total bigint := 0;
BEGIN
	FOR what, removed IN SELECT k.what, k.removed FROM ruad.prune_kind(kind, before) k LOOP
		all_removed := all_removed || jsonb_build_object(what, removed);
		total := total + removed;
		RETURN NEXT;
	END LOOP;
	IF total > 0 THEN
		PERFORM ruad.audit('prune', p_user, kind,
			jsonb_build_object('before', api.iso(before), 'removed', all_removed));
	END IF;
END
$$;
