-- 0005_enrich_budget.sql - how many questions ruad-enrich has asked the DNS today, which survives a restart.

SET LOCAL ROLE ruad_owner;

ALTER TABLE ruad.enrich_state
	ADD COLUMN questions_day date NOT NULL DEFAULT '-infinity', -- UTC
	ADD COLUMN questions bigint NOT NULL DEFAULT 0;             -- on that day
