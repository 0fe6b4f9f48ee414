-- months.sql - partitions of the large tables: a month gets its own once it has some volume, or in advance if the
-- month before has one.
--
-- Other months share the default partitions. So the number of tables follows the volume, and reports with invented
-- dates create none. ruad.make_months() creates partitions, never the transaction of a mail.

-- The groups of tables whose months are created and dropped together; the first table of each is the one whose rows
-- are counted.
CREATE FUNCTION ruad.month_groups() RETURNS TABLE (parents text)
LANGUAGE sql IMMUTABLE
AS $$ VALUES ('report,record,evaluation,sum_day,sum_month'), ('failure'), ('tls,tls_policy') $$;

-- The number of rows from which a month gets its own partitions: records for aggregate reports, else reports.
CREATE FUNCTION ruad.month_volume() RETURNS integer
LANGUAGE sql IMMUTABLE
AS $$ SELECT 20000 $$;

-- Returns whether a month may have its own partitions. Months before DMARC's first year or more than two months ahead
-- share the default partitions.
CREATE FUNCTION ruad.may_have_month(month date) RETURNS boolean
LANGUAGE sql STABLE
AS $$ SELECT month >= '2012-01-01' AND month < ruad.day_of(now()) + 62 $$;

CREATE FUNCTION ruad.month_table(parent text, month date) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$ SELECT parent || to_char(month::timestamp, '"_"YYYY"_"MM') $$;

-- The months of a table that have a partition.
CREATE FUNCTION ruad.months_of(parent text) RETURNS SETOF date
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN QUERY
	SELECT to_date(right(c.relname, 7), 'YYYY_MM')
	FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
	WHERE i.inhparent = to_regclass('ruad.' || parent) AND c.relname ~ ('^' || parent || '_\d{4}_\d\d$')
	ORDER BY 1;
END
$$;

-- The months of a group of tables that need partitions and have none: those with enough volume in the default
-- partition, with what is about to be stored, and this or the next month if the month before has partitions.
CREATE FUNCTION ruad.months_wanted(first_parent text, coming ruad.new_item[]) RETURNS SETOF date
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	this_month constant date := ruad.month_of(ruad.day_of(now()));
	next_month constant date := (this_month + interval '1 month')::date;
BEGIN
	RETURN QUERY EXECUTE format('SELECT m.month FROM (SELECT ruad.month_of(r.day), %s FROM ruad.%I r '
		'UNION ALL SELECT ruad.month_of(ruad.day_of(c.begin)), c.records FROM unnest($1) c '
		'WHERE c.kind = ''aggregate'') AS m(month, volume) WHERE ruad.may_have_month(m.month) '
		'AND m.month NOT IN (SELECT ruad.months_of($2)) GROUP BY 1 HAVING sum(m.volume) >= ruad.month_volume()',
		CASE first_parent WHEN 'report' THEN 'r.records' ELSE '1' END, first_parent || '_default')
		USING CASE first_parent WHEN 'report' THEN coming END, first_parent;
	RETURN QUERY
	SELECT m.month FROM (VALUES (this_month), (next_month)) AS m(month)
	WHERE (m.month - interval '1 month')::date IN (SELECT ruad.months_of(first_parent))
		AND m.month NOT IN (SELECT ruad.months_of(first_parent));
END
$$;

-- Create the partition of a table for a month, and move the month's rows from the default partition into it. The
-- caller holds the locks of make_month().
CREATE FUNCTION ruad.adopt_month(parent text, month date) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	part text := ruad.month_table(parent, month);
	behind date := (month + interval '1 month')::date;
BEGIN
	EXECUTE format('CREATE TABLE ruad.%I (LIKE ruad.%I INCLUDING ALL, CONSTRAINT month CHECK (day >= %L AND day < %L))',
		part, parent, month, behind);
	EXECUTE format('WITH moved AS (DELETE FROM ruad.%I WHERE day >= %L AND day < %L RETURNING *) INSERT INTO '
		'ruad.%I SELECT * FROM moved', parent || '_default', month, behind, part);
	EXECUTE format('ALTER TABLE ruad.%I ATTACH PARTITION ruad.%I FOR VALUES FROM (%L) TO (%L)', parent, part, month,
		behind);
	EXECUTE format('ALTER TABLE ruad.%I DROP CONSTRAINT month', part); -- it only spared ATTACH a scan
END
$$;

-- Create the partitions of a group for a month. Returns FALSE if another session holds a lock: then nothing was done,
-- and the next run tries again. The tables are locked in the order in which writers use them, and nobody waits for us
-- longer than lock_timeout and the time to move the rows. Writers and readers must wait for the table, not for its
-- default partition: a writer that has chosen the default partition would fail, since it refuses the row afterwards,
-- and a reader that knows the old partitions would miss the moved rows.
CREATE FUNCTION ruad.make_month(parents text[], month date) RETURNS boolean
LANGUAGE plpgsql SET lock_timeout = '200ms'
AS $$
DECLARE
	parent text;
BEGIN
	FOREACH parent IN ARRAY parents LOOP
		EXECUTE format('LOCK TABLE ONLY ruad.%I IN ACCESS EXCLUSIVE MODE', parent);
	END LOOP;
	FOREACH parent IN ARRAY parents LOOP
		EXECUTE format('LOCK TABLE ruad.%I IN ACCESS EXCLUSIVE MODE', parent || '_default');
	END LOOP;
	FOREACH parent IN ARRAY parents LOOP
		PERFORM ruad.adopt_month(parent, month);
	END LOOP;
	RETURN true;
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
	RETURN false;
END
$$;

-- Create the partitions of one month, if any are needed; returns how many months still need some. For ruad-ingest, in
-- a separate transaction. Nobody can write or read while the rows of the month are moved, so it is called often, and
-- before much is stored at once: coming is that. Then it waits its turn; else it leaves the work to whoever is at it.
CREATE FUNCTION ruad.make_months(coming ruad.new_item[] DEFAULT '{}') RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wanted record;
	made boolean := false;
	left_ integer := 0;
BEGIN
	IF cardinality(coming) > 0 THEN
		PERFORM 1 FROM ruad.months_wanted('report', coming);
		IF NOT FOUND THEN
			RETURN 0; -- the usual case waits for nobody
		END IF;
		PERFORM 1 FROM ruad.upkeep FOR UPDATE;
	ELSE
		PERFORM 1 FROM ruad.upkeep FOR UPDATE SKIP LOCKED;
		IF NOT FOUND THEN
			RETURN 0;
		END IF;
	END IF;
	FOR wanted IN
		SELECT string_to_array(g.parents, ',') AS parents, m.month
		FROM ruad.month_groups() g, ruad.months_wanted(split_part(g.parents, ',', 1), coming) AS m(month)
		ORDER BY m.month DESC
	LOOP
		IF made OR NOT ruad.make_month(wanted.parents, wanted.month) THEN
			left_ := left_ + 1;
		ELSE
			made := true;
			-- fails a sum_up() whose snapshot is older: it would not see the rows that were moved
			UPDATE ruad.upkeep SET the_row = true;
		END IF;
	END LOOP;
	RETURN left_;
END
$$;

GRANT EXECUTE ON FUNCTION ruad.make_months TO ruad_ingest;

-- Take the locks that pruning needs. Readers and writers lock these tables in various orders, so we neither wait long
-- nor hold one lock while waiting for the next: the pruner backs off and tries again.
CREATE FUNCTION ruad.lock_parents(parents text[], mode text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '300ms'
AS $$
DECLARE
	parent text;
BEGIN
	FOR attempt IN 1 .. 100 LOOP
		BEGIN
			FOREACH parent IN ARRAY parents LOOP
				EXECUTE format('LOCK TABLE ONLY ruad.%I IN %s MODE', parent, mode);
			END LOOP;
			RETURN;
		EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
			PERFORM pg_sleep(0.1 + random() / 4);
		END;
	END LOOP;
	RAISE EXCEPTION 'tables %: in use all the time', array_to_string(parents, ', ')
		USING ERRCODE = 'lock_not_available';
END
$$;

-- Drop the months of a group of tables that end by that day. Returns how many, how many rows the first table had, and
-- the sum of a column over these rows.
CREATE FUNCTION ruad.drop_months(parents text[], before date, summed text, OUT months bigint, OUT rows bigint,
	OUT sum bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ended date[] := ARRAY(SELECT m FROM ruad.months_of(parents[1]) m WHERE (m + interval '1 month')::date <= before);
	month date;
	parent text;
	more record;
BEGIN
	months := cardinality(ended);
	rows := 0;
	sum := 0;
	IF months = 0 THEN
		RETURN;
	END IF;
	PERFORM ruad.lock_parents(parents, 'ACCESS EXCLUSIVE');
	FOREACH month IN ARRAY ended LOOP
		EXECUTE format('SELECT count(*) AS rows, coalesce(sum(%s), 0)::bigint AS sum FROM ruad.%I', summed,
			ruad.month_table(parents[1], month)) INTO more;
		rows := rows + more.rows;
		sum := sum + more.sum;
		FOREACH parent IN ARRAY parents LOOP
			EXECUTE format('DROP TABLE ruad.%I', ruad.month_table(parent, month));
		END LOOP;
	END LOOP;
END
$$;
