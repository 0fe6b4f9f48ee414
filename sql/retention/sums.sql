-- sums.sql - the sums of records: ruad.sum_up() adds reports that are not summed yet, and recomputes stale sums.
--
-- Readers get correct results at every instant (sql/dmarc/sums.sql): a report is either in ruad.unsummed or in the
-- sums, and a domain and month with wrong sums is in ruad.stale. This holds because each step runs in one snapshot:
-- the transaction is REPEATABLE READ, and what others commit meanwhile is left for the next run.

-- What the sums need to know of a record.
CREATE TYPE ruad.summand AS (
	domain_id    integer,
	day          date,
	source_ip    inet,
	facet        bigint,
	dkim_aligned boolean,
	spf_aligned  boolean,
	count        bigint,
	begin        timestamptz
);

-- Add records of a month to the sums. A sum that does not fit into a bigint is stored as the largest bigint.
CREATE FUNCTION ruad.add_summands(month date, summands ruad.summand[]) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	WITH cells AS MATERIALIZED (
		SELECT r.domain_id, r.day, r.source_ip, r.facet, r.dkim_aligned, r.spf_aligned,
			coalesce(sum(r.count), 0) AS messages, count(*) AS records, min(r.begin) AS first_seen,
			max(r.begin) AS last_seen
		FROM unnest(summands) r GROUP BY 1, 2, 3, 4, 5, 6
	), days AS (
		INSERT INTO ruad.sum_day AS s (domain_id, day, facet, messages, records, first_seen, last_seen)
		SELECT c.domain_id, c.day, c.facet, least(sum(c.messages), 9223372036854775807)::bigint, sum(c.records),
			min(c.first_seen), max(c.last_seen)
		FROM cells c GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
		ON CONFLICT (domain_id, day, facet) DO UPDATE SET
			messages = least(s.messages::numeric + excluded.messages, 9223372036854775807)::bigint,
			records = s.records + excluded.records, first_seen = least(s.first_seen, excluded.first_seen),
			last_seen = greatest(s.last_seen, excluded.last_seen)
	), months AS (
		INSERT INTO ruad.sum_month AS s (domain_id, day, source_ip, facet, dkim_aligned, spf_aligned, messages,
			records, first_seen, last_seen)
		SELECT c.domain_id, month, c.source_ip, c.facet, c.dkim_aligned, c.spf_aligned,
			least(sum(c.messages), 9223372036854775807)::bigint, sum(c.records), min(c.first_seen), max(c.last_seen)
		FROM cells c GROUP BY 1, 3, 4, 5, 6 ORDER BY 1, 3, 4
		ON CONFLICT (domain_id, day, source_ip, facet) DO UPDATE SET
			messages = least(s.messages::numeric + excluded.messages, 9223372036854775807)::bigint,
			records = s.records + excluded.records, first_seen = least(s.first_seen, excluded.first_seen),
			last_seen = greatest(s.last_seen, excluded.last_seen)
	)
	INSERT INTO ruad.seen AS s (domain_id, source_ip, first_seen, last_seen)
	SELECT n.domain_id, c.source_ip, min(c.first_seen), max(c.last_seen)
	FROM cells c CROSS JOIN LATERAL (VALUES (0), (c.domain_id)) AS n(domain_id)
	WHERE c.source_ip IS NOT NULL
	GROUP BY 1, 2
	ORDER BY 1, 2
	ON CONFLICT (domain_id, source_ip) DO UPDATE SET
		first_seen = least(s.first_seen, excluded.first_seen), last_seen = greatest(s.last_seen, excluded.last_seen)
	WHERE excluded.first_seen < s.first_seen OR excluded.last_seen > s.last_seen;
END
$$;

-- Add the records of some reports of a month to the sums, so many at a time. With rest it rests after each time, for
-- rest times as long as that took, but no more after five minutes: statement_timeout would end it again and again. The
-- query gives a record after the other, since LATERAL and OFFSET fix the join order: without statistics the planner
-- would first join reports with all evaluations of their domain. The month is a literal in it, so that the planner
-- reads no other partition.
CREATE FUNCTION ruad.add_reports(month date, reports ruad.unsummed[], most integer, rest double precision) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	summand ruad.summand;
	summands ruad.summand[] := '{}';
	began timestamptz := clock_timestamp();
BEGIN
	FOR summand IN EXECUTE format('
		SELECT r.domain_id, r.day, r.source_ip, e.facet, e.dkim IS NOT DISTINCT FROM ''pass'',
			e.spf IS NOT DISTINCT FROM ''pass'', r.count, r.begin
		FROM unnest($1) u
		CROSS JOIN LATERAL (
			SELECT r.domain_id, r.day, r.source_ip, r.count, r.begin, r.evaluation FROM ruad.record r
			WHERE r.domain_id = u.domain_id AND r.day = u.day AND r.report = u.report AND r.day >= %1$L AND r.day < %2$L
			OFFSET 0) r
		CROSS JOIN LATERAL (
			SELECT e.facet, e.dkim, e.spf FROM ruad.evaluation e
			WHERE e.id = r.evaluation AND e.domain_id = r.domain_id AND e.day = %1$L OFFSET 0) e',
		month, (month + interval '1 month')::date) USING reports
	LOOP
		summands := summands || summand;
		IF cardinality(summands) = most THEN
			PERFORM ruad.add_summands(month, summands);
			summands := '{}';
			IF rest > 0 AND clock_timestamp() < statement_timestamp() + interval '5 minutes' THEN
				PERFORM pg_sleep(rest * extract(epoch FROM clock_timestamp() - began));
			END IF;
			began := clock_timestamp();
		END IF;
	END LOOP;
	PERFORM ruad.add_summands(month, summands);
END
$$;

-- Recompute from the sums when addresses were seen, for some domains (0: for any domain): those first or last seen in
-- that month. The sums of the month must be up to date, or do not count, since the month is about to be dropped.
CREATE FUNCTION ruad.see_again(domains integer[], month date, dropped boolean) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	WITH bounded AS MATERIALIZED (
		SELECT s.domain_id, s.source_ip FROM ruad.seen s
		WHERE s.domain_id = ANY (domains)
			AND (ruad.month_of(ruad.day_of(s.first_seen)) = month OR ruad.month_of(ruad.day_of(s.last_seen)) = month)
	), now AS MATERIALIZED (
		SELECT b.domain_id, b.source_ip, min(m.first_seen) AS first_seen, max(m.last_seen) AS last_seen
		FROM bounded b LEFT JOIN ruad.sum_month m ON m.source_ip = b.source_ip
			AND (b.domain_id = 0 OR m.domain_id = b.domain_id) AND NOT (dropped AND m.day = month)
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

-- Recompute the sums of a domain and month; most and rest are those of add_reports().
CREATE FUNCTION ruad.sum_anew(of_domain integer, month date, most integer, rest double precision) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	behind date := (month + interval '1 month')::date;
BEGIN
	DELETE FROM ruad.stale s WHERE s.domain_id = of_domain AND s.day = month;
	DELETE FROM ruad.unsummed u WHERE u.domain_id = of_domain AND u.day >= month AND u.day < behind;
	DELETE FROM ruad.sum_day s WHERE s.domain_id = of_domain AND s.day >= month AND s.day < behind;
	DELETE FROM ruad.sum_month s WHERE s.domain_id = of_domain AND s.day = month;
	PERFORM ruad.add_reports(month, ARRAY(SELECT ROW(r.id, r.day, r.domain_id)::ruad.unsummed FROM ruad.report r
		WHERE r.domain_id = of_domain AND r.day >= month AND r.day < behind), most, rest);
	PERFORM ruad.see_again(ARRAY[0, of_domain], month, false);
END
$$;

-- Analyze tables that have rows and were never analyzed. Autovacuum takes a minute at least; until then the planner
-- considers them empty, and readers' joins with unsummed reports would compare each row with each.
CREATE FUNCTION ruad.analyze_new() RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	new regclass;
BEGIN
	FOR new IN SELECT c.oid FROM pg_catalog.pg_class c
		WHERE c.relnamespace = 'ruad'::regnamespace AND c.relkind = 'r' AND c.reltuples < 0
			AND pg_relation_size(c.oid) > 0
	LOOP
		EXECUTE format('ANALYZE (SKIP_LOCKED) %s', new);
	END LOOP;
END
$$;

-- How many reports are summed in one piece.
CREATE FUNCTION ruad.sum_piece() RETURNS integer
LANGUAGE sql IMMUTABLE
AS $$ SELECT 5000 $$;

-- Returns whether there is work for another full piece. Not STABLE: it sees what sum_up() did in the same statement.
CREATE FUNCTION ruad.sum_more() RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN EXISTS (SELECT 1 FROM ruad.stale)
		OR (SELECT count(*) FROM (SELECT 1 FROM ruad.unsummed LIMIT ruad.sum_piece()) u) = ruad.sum_piece();
END
$$;

-- Do one piece of the work; returns FALSE if there is nothing left to do. With rest it gives way to others: after each
-- few milliseconds it rests, for rest times as long. For ruad-ingest, in a separate transaction that is REPEATABLE
-- READ. Fails with 40001 (serialization_failure) if another session changed the same rows: the next run does it.
CREATE FUNCTION ruad.sum_up(rest double precision DEFAULT 0) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' SET jit = off
AS $$
DECLARE
	reports constant integer := ruad.sum_piece();
	most constant integer := CASE WHEN rest > 0 THEN 50 ELSE 5000 END;
	stale record;
	taken ruad.unsummed[];
	part record;
BEGIN
	IF current_setting('transaction_isolation') NOT IN ('repeatable read', 'serializable') THEN
		RAISE EXCEPTION 'sum_up() needs one snapshot'
			USING ERRCODE = 'active_sql_transaction', HINT = 'BEGIN ISOLATION LEVEL REPEATABLE READ';
	END IF;
	PERFORM 1 FROM ruad.upkeep FOR UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		RETURN false; -- another session is at it
	END IF;
	PERFORM ruad.analyze_new();
	SELECT s.domain_id, s.day INTO stale FROM ruad.stale s LIMIT 1;
	IF FOUND THEN
		PERFORM ruad.sum_anew(stale.domain_id, stale.day, most, rest);
		RETURN true;
	END IF;
	WITH gone AS (
		DELETE FROM ruad.unsummed u
		WHERE u.ctid = ANY (ARRAY(SELECT p.ctid FROM ruad.unsummed p ORDER BY p.domain_id, p.day LIMIT reports))
		RETURNING u.*
	)
	SELECT array_agg(ROW(g.report, g.day, g.domain_id)::ruad.unsummed) INTO taken FROM gone g;
	FOR part IN SELECT ruad.month_of(u.day) AS month,
		array_agg(ROW(u.report, u.day, u.domain_id)::ruad.unsummed) AS reports FROM unnest(taken) u GROUP BY 1 LOOP
		PERFORM ruad.add_reports(part.month, part.reports, most, rest);
	END LOOP;
	RETURN taken IS NOT NULL;
END
$$;

GRANT EXECUTE ON FUNCTION ruad.sum_up, ruad.sum_more TO ruad_ingest;
