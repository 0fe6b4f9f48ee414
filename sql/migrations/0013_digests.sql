-- 0013_digests.sql - several digests: each section [digest NAME] of the settings has its own rows.
SET LOCAL ROLE ruad_owner;

ALTER TABLE ruad.digest
	ADD COLUMN name text NOT NULL DEFAULT '' CHECK (name ~ '^([a-z][a-z0-9]{0,31})?$'), -- '' is [digest]
	DROP CONSTRAINT digest_pkey,
	ADD PRIMARY KEY (name, period, from_day);
