-- 0012_digest.sql - which digests were queued for administrators: one row for each, so that none is sent twice.
SET LOCAL ROLE ruad_owner;

CREATE TABLE ruad.digest (
	period    text NOT NULL CHECK (period IN ('week', 'month')),
	from_day  date NOT NULL, -- its first day
	queued_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (period, from_day)
);
