-- Many different evaluations, names and reports in one batch are looked up one by one: what is read grows with their
-- number, not with its square.
\getenv host PGHOST
SELECT plan(7);

-- Rows that this transaction has read of a table and its partitions, by whatever plan.
CREATE FUNCTION t.rows_read(pattern text) RETURNS bigint LANGUAGE sql AS $$
	SELECT sum(pg_stat_get_xact_tuples_returned(c.oid) + pg_stat_get_xact_tuples_fetched(c.oid)) FROM pg_class c
	WHERE c.relnamespace = 'ruad'::regnamespace AND c.relname ~ pattern
$$;
CREATE FUNCTION t.new_evaluations(first integer, last integer) RETURNS ruad.new_evaluation[] LANGUAGE sql AS $$
	SELECT array_agg(ROW((SELECT id FROM ruad.domain WHERE name = 'many.example'), '2026-09-03', 'none', 'pass',
		'fail', i % 1000 || '.many.example', NULL, NULL, NULL, '{"dkim": [], "spf": []}',
		jsonb_build_array(jsonb_build_object('code', 'I1', 'path', 'row/source_ip', 'raw', i)))::ruad.new_evaluation)
	FROM generate_series(first, last) i
$$;
INSERT INTO ruad.domain (name) VALUES ('many.example');
-- The worst statistics: of tables that are empty, and of tables whose rows are not committed.
ANALYZE ruad.evaluation, ruad.evaluation_default, ruad.facet;
SELECT tap.dblink_connect('other', format('host=%s user=postgres dbname=%I', :'host', current_database())) \g /dev/null
BEGIN;
SELECT is(count(DISTINCT e), 3000::bigint, 'new evaluations get an id each')
FROM ruad.evaluations(t.new_evaluations(1, 3000)) e;
SELECT tap.dblink_exec('other', 'ANALYZE ruad.evaluation_default, ruad.facet') \g /dev/null
SELECT is(count(DISTINCT e), 3000::bigint, 'and more of them') FROM ruad.evaluations(t.new_evaluations(3001, 6000)) e;
SELECT is(count(DISTINCT e), 6000::bigint, 'and are found again') FROM ruad.evaluations(t.new_evaluations(1, 6000)) e;
SELECT cmp_ok(t.rows_read('^evaluation_'), '<', 60000::bigint, 'each is read a few times, all together');
SELECT cmp_ok(t.rows_read('^facet'), '<', 60000::bigint, 'and so are their facets');
SELECT is((SELECT count(*) FROM ruad.facet WHERE domain_id = (SELECT id FROM ruad.domain WHERE name = 'many.example')),
	1000::bigint, 'of which there are few');
COMMIT;
-- A second one that a look-up by hash, domain and month could use would be taken for as good as the first while the
-- table is empty.
SELECT is((SELECT string_agg(pg_get_indexdef(indexrelid), E'\n') FROM pg_index
	WHERE indrelid = 'ruad.evaluation'::regclass AND pg_get_indexdef(indexrelid, 1, true) <> 'id'),
	'CREATE UNIQUE INDEX evaluation_hash_domain_id_day_key ON ONLY ruad.evaluation USING btree (hash, domain_id, day)',
	'a single index serves to find evaluations by what they say');
SELECT * FROM finish();
