-- prune.sql - `ruad prune` removes what is older than the settings say, one kind a call.

-- A report that begins further ahead than partitions are made for would never grow old; its time of receipt stands for it.
CREATE FUNCTION ruad.is_old(begin timestamptz, received_at timestamptz, before timestamptz) RETURNS boolean
LANGUAGE sql STABLE
AS $$ SELECT begin < before OR begin >= now() + interval '62 days' AND received_at < before $$;

-- A report's records, or policies, are looked for by its begin, so the same condition that finds the report is of use for them but for
-- received_at.
CREATE FUNCTION ruad.prune_aggregate(before timestamptz) RETURNS TABLE (what text, removed bigint)
LANGUAGE plpgsql
AS $$
DECLARE
	dropped record;
	reports bigint;
	records bigint;
BEGIN
	SELECT * INTO dropped FROM ruad.drop_months('{report,record}', before, 'records');
	WITH gone AS (
		DELETE FROM ruad.report r WHERE ruad.is_old(r.begin, r.received_at, before) RETURNING r.domain_id, r.begin, r.id
	), rows AS (
		DELETE FROM ruad.record d USING gone g
		WHERE d.domain_id = g.domain_id AND d.begin = g.begin AND d.report = g.id
			AND (d.begin < before OR d.begin >= now() + interval '62 days')
		RETURNING 1
	)
	SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM rows) INTO reports, records;
	RETURN QUERY VALUES ('reports', dropped.rows + reports), ('records', dropped.sum + records), ('months', dropped.months);
END
$$;

-- failure_seen loses what failure has lost; in one statement, so that a report that comes in is seen in both or in neither.
CREATE FUNCTION ruad.prune_failure(before timestamptz) RETURNS TABLE (what text, removed bigint)
LANGUAGE plpgsql
AS $$
DECLARE
	dropped record;
	reports bigint;
BEGIN
	SELECT * INTO dropped FROM ruad.drop_months('{failure}', before, '0');
	DELETE FROM ruad.failure f WHERE f.begin < before;
	GET DIAGNOSTICS reports = ROW_COUNT;
	DELETE FROM ruad.failure_seen s WHERE s.begin < before AND NOT EXISTS (SELECT FROM ruad.failure f WHERE f.id = s.id);
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
	SELECT * INTO dropped FROM ruad.drop_months('{tls,tls_policy}', before, 'policies');
	WITH gone AS (
		DELETE FROM ruad.tls r WHERE ruad.is_old(r.begin, r.received_at, before) RETURNING r.begin, r.id
	), rows AS (
		DELETE FROM ruad.tls_policy p USING gone g
		WHERE p.report = g.id AND p.begin = g.begin AND (p.begin < before OR p.begin >= now() + interval '62 days')
		RETURNING 1
	)
	SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM rows) INTO reports, policies;
	RETURN QUERY VALUES ('reports', dropped.rows + reports), ('policies', dropped.sum + policies), ('months', dropped.months);
END
$$;

-- Kept bytes of mail received before. The lock comes first, so that mails which share the bytes are all seen.
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

-- Mail received before of which nothing is left: no report that an item of it became, repeats or contradicts, and no bytes.
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
			AND NOT EXISTS (SELECT FROM ruad.item i WHERE i.mail = m.id AND ruad.is_there(i.report))
		RETURNING m.id
	), rows AS (
		DELETE FROM ruad.item i USING gone g WHERE i.mail = g.id RETURNING 1
	)
	SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM rows) INTO mails, items;
	RETURN QUERY VALUES ('mails', mails), ('items', items);
END
$$;

-- Remove what is older: of kind
--   aggregate, failure, tls  reports that begin before then
--   raw                      the bytes of mail that was set aside, received before; the ledger keeps what was wrong with it
--   mail                     the ledger's rows of mail received before, of which nothing else is left
-- A row for each thing says how many were removed. For ruad_owner. Each kind in a transaction of its own: its locks are held to the end.
CREATE FUNCTION ruad.prune(kind text, before timestamptz) RETURNS TABLE (what text, removed bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF before IS NULL OR before > now() + interval '1 hour' THEN -- an hour for clocks that differ
		RAISE EXCEPTION 'prune: "%" is not in the past', coalesce(before::text, '') USING ERRCODE = 'invalid_parameter_value';
	END IF;
	CASE kind
		WHEN 'aggregate' THEN RETURN QUERY SELECT * FROM ruad.prune_aggregate(before);
		WHEN 'failure' THEN RETURN QUERY SELECT * FROM ruad.prune_failure(before);
		WHEN 'tls' THEN RETURN QUERY SELECT * FROM ruad.prune_tls(before);
		WHEN 'raw' THEN RETURN QUERY SELECT * FROM ruad.prune_raw(before);
		WHEN 'mail' THEN RETURN QUERY SELECT * FROM ruad.prune_mail(before);
		ELSE RAISE EXCEPTION 'prune: "%" is not one of aggregate, failure, tls, raw, mail', coalesce(kind, '')
			USING ERRCODE = 'invalid_parameter_value';
	END CASE;
END
$$;
