-- prune.sql - `ruad prune` removes data that is older than the settings allow, one kind per call.

-- A report that begins later than any partition may be created for would never grow old; its time of receipt is used
-- instead.
CREATE FUNCTION ruad.is_old(begin timestamptz, received_at timestamptz, before timestamptz) RETURNS boolean
LANGUAGE sql STABLE
AS $$ SELECT begin < before OR begin >= now() + interval '62 days' AND received_at < before $$;

-- Remove the evaluations of domains and months that have no reports left.
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
	END LOOP;
END
$$;

-- After evaluations were removed: remove the facets that no other evaluation has, and make ruad-ingest forget the ids
-- in its cache. The caller's lock prevents it from using them until then.
CREATE FUNCTION ruad.prune_facets() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	DELETE FROM ruad.facet f
	WHERE NOT EXISTS (SELECT 1 FROM ruad.evaluation e WHERE e.domain_id = f.domain_id AND e.facet = f.id);
	PERFORM nextval('ruad.evaluation_epoch');
END
$$;

-- Recompute when addresses were seen that were first seen before that time: months were dropped with their sums.
CREATE FUNCTION ruad.prune_seen(before timestamptz) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	WITH now AS MATERIALIZED (
		SELECT s.domain_id, s.source_ip, min(m.first_seen) AS first_seen, max(m.last_seen) AS last_seen
		FROM ruad.seen s LEFT JOIN ruad.sum_month m ON m.source_ip = s.source_ip
			AND (s.domain_id = 0 OR m.domain_id = s.domain_id)
		WHERE s.first_seen < before
		GROUP BY 1, 2
	), gone AS (
		DELETE FROM ruad.seen s USING now n WHERE n.first_seen IS NULL AND s.domain_id = n.domain_id
			AND s.source_ip = n.source_ip
	)
	UPDATE ruad.seen s SET first_seen = n.first_seen, last_seen = n.last_seen
	FROM now n
	WHERE n.first_seen IS NOT NULL AND s.domain_id = n.domain_id AND s.source_ip = n.source_ip
		AND (s.first_seen, s.last_seen) IS DISTINCT FROM (n.first_seen, n.last_seen);
END
$$;

-- Updating the row of ruad.upkeep makes sum_up() wait for us, and makes one with an older snapshot fail. The lock on
-- the reports blocks new ones. It is taken before rows are removed, since a writer that waited for one of these rows
-- would hold what we wait for.
CREATE FUNCTION ruad.prune_aggregate(before timestamptz) RETURNS TABLE (what text, removed bigint)
LANGUAGE plpgsql
AS $$
DECLARE
	dropped record;
	reports ruad.unsummed[];
	domains integer[];
	months date[];
	records bigint := 0;
	excluded bigint;
BEGIN
	UPDATE ruad.upkeep SET the_row = true;
	SELECT * INTO dropped
	FROM ruad.drop_months('{report,record,evaluation,sum_day,sum_month}', ruad.day_of(before), 'records');
	DELETE FROM ruad.unsummed u WHERE u.day < ruad.day_of(before) AND NOT EXISTS (SELECT 1 FROM ruad.report r
		WHERE r.domain_id = u.domain_id AND r.day = u.day AND r.id = u.report);
	DELETE FROM ruad.excluded_record e WHERE e.day < ruad.day_of(before) AND NOT EXISTS (SELECT 1 FROM ruad.report r
		WHERE r.domain_id = e.domain_id AND r.day = e.day AND r.id = e.report);
	PERFORM ruad.lock_parents('{report}', 'SHARE ROW EXCLUSIVE');
	WITH gone AS (
		DELETE FROM ruad.report r WHERE ruad.is_old(r.begin, r.received_at, before)
			AND (r.day <= ruad.day_of(before) OR r.day > ruad.day_of(now()) + 60)
		RETURNING r.domain_id, r.day, r.id
	)
	SELECT array_agg(ROW(g.id, g.day, g.domain_id)::ruad.unsummed) INTO reports FROM gone g;
	IF reports IS NOT NULL THEN
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
	IF dropped.months > 0 THEN
		PERFORM ruad.prune_seen(before);
	END IF;
	IF dropped.months > 0 OR reports IS NOT NULL THEN
		PERFORM ruad.prune_facets();
	END IF;
	RETURN QUERY VALUES ('reports', dropped.rows + coalesce(cardinality(reports), 0)),
		('records', dropped.sum + records), ('months', dropped.months);
END
$$;

-- failure_seen loses the rows of reports that failure no longer has. One statement does it, so that a report received
-- meanwhile is seen in both tables or in neither.
CREATE FUNCTION ruad.prune_failure(before timestamptz) RETURNS TABLE (what text, removed bigint)
LANGUAGE plpgsql
AS $$
DECLARE
	dropped record;
	reports bigint;
BEGIN
	SELECT * INTO dropped FROM ruad.drop_months('{failure}', ruad.day_of(before), '0');
	DELETE FROM ruad.failure f WHERE f.day <= ruad.day_of(before) AND f.begin < before;
	GET DIAGNOSTICS reports = ROW_COUNT;
	DELETE FROM ruad.failure_seen s WHERE s.begin < before
		AND NOT EXISTS (SELECT 1 FROM ruad.failure f WHERE f.id = s.id);
	RETURN QUERY VALUES ('reports', dropped.rows + reports), ('months', dropped.months);
END
$$;

CREATE FUNCTION ruad.prune_tls(before timestamptz) RETURNS TABLE (what text, removed bigint)
LANGUAGE plpgsql
AS $$
DECLARE
	dropped record;
	reports bigint;
	policies bigint;
BEGIN
	SELECT * INTO dropped FROM ruad.drop_months('{tls,tls_policy}', ruad.day_of(before), 'policies');
	WITH gone AS (
		DELETE FROM ruad.tls r WHERE ruad.is_old(r.begin, r.received_at, before) RETURNING r.day, r.id
	), rows AS (
		DELETE FROM ruad.tls_policy p USING gone g WHERE p.report = g.id AND p.day = g.day RETURNING 1
	)
	SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM rows) INTO reports, policies;
	RETURN QUERY VALUES ('reports', dropped.rows + reports), ('policies', dropped.sum + policies),
		('months', dropped.months);
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

-- Remove old data of one kind:
--   aggregate, failure, tls  reports that begin before that time
--   raw                      the stored bytes of mail received before; the ledger still says what was wrong with it
--   mail                     the ledger's rows of mail received before, if nothing else of it is left
--   audit                    entries of ruad.audit_log; labels and excluded reports keep their logs
-- Returns a row for each thing with the number removed, and adds an entry to the audit log if there was anything to
-- remove; p_user is its user (ruad.audit()). For ruad_owner. Each kind needs a separate transaction, since its locks
-- are held to the end.
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
