-- 0003_evaluation_index.sql - rows of ruad.evaluation are found by id or by hash, and no index serves for both.
--
-- The primary key (id, domain_id, day) could also be searched by domain_id and day alone. With the statistics of an
-- empty table that looked as good as the key that begins with the hash, and each look-up of ruad.evaluations() then
-- read the whole month.

ALTER TABLE ruad.evaluation DROP CONSTRAINT evaluation_pkey;
CREATE INDEX ON ruad.evaluation (id);
