-- months.sql - the monthly partitions of the large tables: made and dropped.

-- Move what lies in the default partition of a table and belongs to the new one. The lock keeps writers from adding more before
-- the partition is attached.
CREATE FUNCTION ruad.adopt_partition(parent text, part text, lower_bound timestamptz, upper_bound timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format('CREATE TABLE ruad.%I (LIKE ruad.%I INCLUDING ALL,
		CONSTRAINT month CHECK (begin >= %L AND begin < %L))', part, parent, lower_bound, upper_bound);
	EXECUTE format('LOCK TABLE ruad.%I IN ACCESS EXCLUSIVE MODE', parent || '_default');
	EXECUTE format('WITH moved AS (DELETE FROM ruad.%I WHERE begin >= %L AND begin < %L RETURNING *)
		INSERT INTO ruad.%I SELECT * FROM moved', parent || '_default', lower_bound, upper_bound, part);
	EXECUTE format('ALTER TABLE ruad.%I ATTACH PARTITION ruad.%I FOR VALUES FROM (%L) TO (%L)',
		parent, part, lower_bound, upper_bound);
	EXECUTE format('ALTER TABLE ruad.%I DROP CONSTRAINT month', part); -- it only spared ATTACH a scan
END
$$;

-- Whether a month gets partitions of its own. What begins before DMARC's first year or more than two months ahead
-- stays in the default partition: hostile dates must not make tables.
CREATE FUNCTION ruad.has_month(at timestamptz) RETURNS boolean
LANGUAGE sql STABLE
AS $$ SELECT at >= '2012-01-01 00:00:00+00' AND at < now() + interval '62 days' $$;

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

-- The monthly partitions of a table that end by then.
CREATE FUNCTION ruad.months_before(parent text, before timestamptz) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
	SELECT c.relname::text
	FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
	WHERE i.inhparent = to_regclass('ruad.' || parent) AND c.relname ~ ('^' || parent || '_\d{4}_\d\d$')
		AND to_timestamp(right(c.relname, 7), 'YYYY_MM') + interval '1 month' <= before
	ORDER BY 1
$$;

-- Get the locks that dropping partitions takes. Readers and writers lock these tables in orders of their own, so we neither wait long nor
-- hold one while we wait for the next: the pruner gives way and tries again.
CREATE FUNCTION ruad.lock_parents(parents text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '300ms'
AS $$
DECLARE
	parent text;
BEGIN
	FOR attempt IN 1 .. 100 LOOP
		BEGIN
			FOREACH parent IN ARRAY parents LOOP
				EXECUTE format('LOCK TABLE ONLY ruad.%I IN ACCESS EXCLUSIVE MODE', parent);
			END LOOP;
			RETURN;
		EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
			PERFORM pg_sleep(0.1 + random() / 4);
		END;
	END LOOP;
	RAISE EXCEPTION 'tables %: in use all the time', array_to_string(parents, ', ') USING ERRCODE = 'lock_not_available';
END
$$;

-- Drop the months of these tables that end by then; how many (of the first table), how many rows it had, and the sum of a column of them.
CREATE FUNCTION ruad.drop_months(parents text[], before timestamptz, summed text, OUT months bigint, OUT rows bigint, OUT sum bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part text;
	more record;
BEGIN
	months := 0;
	rows := 0;
	sum := 0;
	IF NOT EXISTS (SELECT FROM unnest(parents) p, ruad.months_before(p, before)) THEN
		RETURN;
	END IF;
	PERFORM ruad.lock_parents(parents);
	FOR part IN SELECT m FROM ruad.months_before(parents[1], before) m LOOP
		EXECUTE format('SELECT count(*) AS rows, coalesce(sum(%s), 0)::bigint AS sum FROM ruad.%I', summed, part) INTO more;
		months := months + 1;
		rows := rows + more.rows;
		sum := sum + more.sum;
	END LOOP;
	FOR part IN SELECT m FROM unnest(parents) p, ruad.months_before(p, before) m LOOP
		EXECUTE format('DROP TABLE ruad.%I', part);
	END LOOP;
END
$$;
