-- 0014_gate.sql - rows are moved between partitions while readers look, and a new report needs fewer index entries.

SET LOCAL ROLE ruad_owner;

-- One row. PostgreSQL locks the tables of a statement before it takes the snapshot, but those that its functions read
-- only later. So statements that call such functions read this table too, and ruad.make_month() locks it first: no
-- snapshot is from before a move and used after it.
CREATE TABLE ruad.gate (
	the_row boolean PRIMARY KEY DEFAULT true CHECK (the_row)
);
INSERT INTO ruad.gate DEFAULT VALUES;

-- A report is found by its id, and those of a domain and day by the key, which begins with both.
ALTER TABLE ruad.report DROP CONSTRAINT report_pkey;
