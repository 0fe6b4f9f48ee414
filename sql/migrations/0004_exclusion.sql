-- 0004_exclusion.sql - reports that users have taken out of every number.
--
-- The records of an excluded report are moved to a table of their own, so that no query has to leave them out.

SET LOCAL ROLE ruad_owner;

-- Each time that reports were excluded, or included again.
CREATE TABLE ruad.exclusion_log (
	id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	excluded boolean NOT NULL, -- FALSE: included again
	report   bigint,           -- or all reports of org_name that begin at since or later
	org_name text,
	since    timestamptz,
	reports  bigint NOT NULL,  -- how many reports it changed
	reason   text,
	set_by   text,
	set_at   timestamptz NOT NULL,
	CHECK (num_nonnulls(report, org_name) = 1 AND (org_name IS NULL) = (since IS NULL))
);

ALTER TABLE ruad.report ADD COLUMN exclusion bigint; -- id of its entry in exclusion_log; NULL: the report counts

-- The records of these reports, as in ruad.record.
CREATE TABLE ruad.excluded_record (
	begin       timestamptz NOT NULL,
	report      bigint NOT NULL,
	count       bigint CHECK (count >= 0),
	evaluation  bigint NOT NULL,
	day         date NOT NULL,
	domain_id   integer NOT NULL,
	reporter_id integer,
	record_no   integer NOT NULL,
	source_ip   inet
);
CREATE INDEX ON ruad.excluded_record (domain_id, day, report);
