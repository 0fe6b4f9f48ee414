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

-- Returns whether another transaction has had a lock on one of these tables for a while: it may keep it for long.
CREATE FUNCTION ruad.are_held(tables regclass[]) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
	here constant oid := (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database());
	holders text[] := ARRAY(SELECT DISTINCT l.virtualtransaction FROM pg_catalog.pg_locks l
		WHERE l.database = here AND l.relation = ANY (tables) AND l.pid <> pg_backend_pid());
BEGIN
	IF cardinality(holders) = 0 THEN
		RETURN false;
	END IF;
	FOR attempt IN 1 .. 6 LOOP
		PERFORM pg_sleep(0.1);
		IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_locks l
			WHERE l.database = here AND l.relation = ANY (tables) AND l.virtualtransaction = ANY (holders)) THEN
			RETURN false;
		END IF;
	END LOOP;
	RETURN true;
END
$$;

-- Give way: fail if another session waits for a lock of ours.
CREATE FUNCTION ruad.give_way() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	IF EXISTS (SELECT 1 FROM pg_catalog.pg_locks l
		WHERE NOT l.granted AND pg_backend_pid() = ANY (pg_blocking_pids(l.pid))) THEN
		RAISE EXCEPTION 'another session waits for rows that are being moved' USING ERRCODE = 'lock_not_available';
	END IF;
END
$$;

-- Move the rows of a month from the default partition of a table to the month's table, in pieces with rests. Returns
-- how many. Others read them where they were until we commit.
CREATE FUNCTION ruad.move_rows(parent text, month date) RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
	condition text := format('day >= %L AND day < %L', month, (month + interval '1 month')::date);
	piece tid[];
	start timestamptz;
	moved bigint := 0;
BEGIN
	FOR piece IN EXECUTE format('SELECT array_agg(r.ctid) FROM (SELECT d.ctid, (row_number() OVER () - 1) / 5000 AS no '
		'FROM ruad.%I d WHERE %s) r GROUP BY r.no', parent || '_default', condition)
	LOOP
		start := clock_timestamp();
		EXECUTE format('WITH moved AS (DELETE FROM ruad.%I WHERE ctid = ANY ($1) AND %s RETURNING *) '
			'INSERT INTO ruad.%I SELECT * FROM moved', parent || '_default', condition, ruad.month_table(parent, month))
			USING piece;
		moved := moved + cardinality(piece);
		PERFORM ruad.give_way();
		IF cardinality(piece) = 5000 THEN
			PERFORM pg_sleep_for(least(clock_timestamp() - start, '200ms')), ruad.give_way();
		END IF;
	END LOOP;
	RETURN moved;
END
$$;

-- Lock tables against everybody, in this order and within 300 ms in all, since others wait for us as long as we wait.
-- Tries it three times; then fails.
CREATE FUNCTION ruad.lock_tables(tables regclass[]) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	until timestamptz;
BEGIN
	FOR attempt IN 1 .. 3 LOOP
		BEGIN
			until := clock_timestamp() + interval '300ms';
			FOR k IN 1 .. cardinality(tables) LOOP
				PERFORM set_config('lock_timeout',
					greatest(1, ceil(extract(epoch FROM until - clock_timestamp()) * 1000)) || 'ms', true);
				EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', tables[k]);
			END LOOP;
			RETURN;
		EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
			IF attempt = 3 THEN
				RAISE;
			END IF;
			PERFORM ruad.give_way(), pg_sleep(0.1);
		END;
	END LOOP;
END
$$;

-- Create the partitions of a group for a month. Returns FALSE if another session is in the way: then nothing was done,
-- and the next run tries again.
--
-- The rows are moved first, which locks only them. A mail with a copy of a moved report must wait: then we give way.
-- The tables are locked at the end, for what came meanwhile and to attach the partitions, which reads the default ones.
-- First comes ruad.gate, then the tables in the order in which writers use them. Writers and readers must wait for the
-- table, not for its default partition: a writer that has chosen the default partition would fail, since it refuses
-- the row afterwards, and a reader that knows the old partitions would miss the moved rows.
CREATE FUNCTION ruad.make_month(parents text[], month date) RETURNS boolean
LANGUAGE plpgsql SET lock_timeout = '300ms'
AS $$
DECLARE
	behind constant date := (month + interval '1 month')::date;
	locked constant regclass[] := 'ruad.gate'::regclass || ARRAY(SELECT ('ruad.' || t)::regclass
		FROM unnest(parents || ARRAY(SELECT p || '_default' FROM unnest(parents) p)) WITH ORDINALITY AS u(t, no)
		ORDER BY no);
	parent text;
	rounds integer := 0;
	moved bigint;
BEGIN
	IF ruad.are_held(locked) THEN
		RETURN false;
	END IF;
	FOREACH parent IN ARRAY parents LOOP
		EXECUTE format('CREATE TABLE ruad.%I (LIKE ruad.%I INCLUDING ALL, '
			'CONSTRAINT month CHECK (day >= %L AND day < %L))', ruad.month_table(parent, month), parent, month, behind);
	END LOOP;
	LOOP
		-- the first table last: mails find copies of reports there
		SELECT sum(ruad.move_rows(p, month)) INTO moved
		FROM (SELECT p FROM unnest(parents) WITH ORDINALITY AS u(p, no) ORDER BY no DESC OFFSET 0) x;
		EXIT WHEN moved < 2000;
		rounds := rounds + 1;
		IF rounds = 8 THEN
			RAISE EXCEPTION 'rows come faster than they are moved' USING ERRCODE = 'lock_not_available';
		END IF;
	END LOOP;
	PERFORM ruad.lock_tables(locked);
	FOREACH parent IN ARRAY parents LOOP
		EXECUTE format('WITH moved AS (DELETE FROM ruad.%I WHERE day >= %L AND day < %L RETURNING *) '
			'INSERT INTO ruad.%I SELECT * FROM moved', parent || '_default', month, behind,
			ruad.month_table(parent, month));
		EXECUTE format('ALTER TABLE ruad.%I ATTACH PARTITION ruad.%I FOR VALUES FROM (%L) TO (%L)', parent,
			ruad.month_table(parent, month), month, behind);
		EXECUTE format('ALTER TABLE ruad.%I DROP CONSTRAINT month', -- it only spared ATTACH a scan
			ruad.month_table(parent, month));
	END LOOP;
	RETURN true;
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
	RETURN false;
END
$$;

-- Returns whether so many rows of a month are in the default partition that moving them takes a while.
CREATE FUNCTION ruad.has_many(parent text, month date) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
	many boolean;
BEGIN
	EXECUTE format('SELECT count(*) = 5000 FROM (SELECT 1 FROM ruad.%I WHERE day >= %L AND day < %L LIMIT 5000) r',
		parent || '_default', month, (month + interval '1 month')::date) INTO many;
	RETURN many;
END
$$;

-- Create the partitions of one month, if any are needed; returns how many months still need some. For ruad-ingest, in
-- a separate transaction. Moving rows is work, so it is called often, and before much is stored at once: coming is
-- that. Then it waits its turn, and does only what takes no time; else it leaves the work to whoever is at it.
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
		IF made OR cardinality(coming) > 0
			AND ruad.has_many(coalesce(wanted.parents[2], wanted.parents[1]), wanted.month)
			OR NOT ruad.make_month(wanted.parents, wanted.month) THEN
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

-- The oldest month of a table that has a partition and ends by that day; NULL if there is none.
CREATE FUNCTION ruad.ended_month(parent text, before date) RETURNS date
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (SELECT min(m) FROM ruad.months_of(parent) m WHERE (m + interval '1 month')::date <= before);
END
$$;

-- Drop a month of a group of tables. Returns how many rows the first table had, and the sum of a column over them.
CREATE FUNCTION ruad.drop_month(parents text[], month date, summed text, OUT rows bigint, OUT sum bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	parent text;
BEGIN
	PERFORM ruad.lock_parents(parents, 'ACCESS EXCLUSIVE');
	EXECUTE format('SELECT count(*), coalesce(sum(%s), 0)::bigint FROM ruad.%I', summed,
		ruad.month_table(parents[1], month)) INTO rows, sum;
	FOREACH parent IN ARRAY parents LOOP
		EXECUTE format('DROP TABLE ruad.%I', ruad.month_table(parent, month));
	END LOOP;
END
$$;
