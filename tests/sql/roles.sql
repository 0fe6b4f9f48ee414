-- What each role may do, and above all what it may not.
CREATE FUNCTION t.unstage_as_owner() RETURNS void LANGUAGE sql SECURITY DEFINER AS $$ SELECT t.unstage() $$;
GRANT USAGE ON SCHEMA t TO ruad_ingest, ruad_owner;
CREATE TABLE t.attempt (role text, statement text, want text, name text);
INSERT INTO t.attempt (role, statement, want, name)
-- the one that takes mail
SELECT 'ruad_ingest', s, w, n FROM (VALUES
	('SELECT * FROM ruad.mail', '42501', 'read the ledger'),
	('SELECT * FROM ruad.raw', '42501', 'read raw mail'),
	('SELECT * FROM ruad.record', '42501', 'read records'),
	('SELECT * FROM ruad.schema_version', '42501', 'read versions'),
	('INSERT INTO ruad.domain (name) VALUES (''x'')', '42501', 'write a table'),
	('DELETE FROM ruad.report', '42501', 'delete'),
	('TRUNCATE ruad.record', '42501', 'truncate'),
	('DROP TABLE ruad.record', '42501', 'drop'),
	('CREATE TABLE ruad.mine (x int)', '42501', 'make a table in ruad'),
	('CREATE TABLE public.mine (x int)', '42501', 'make a table in public'),
	('CREATE TEMPORARY TABLE mine (x int)', '42501', 'make a temporary table'),
	('CREATE FUNCTION pg_temp.now() RETURNS int LANGUAGE sql AS ''SELECT 1''', '42501', 'make a temporary function'),
	('SELECT * FROM pg_temp.stage_mail', '42501', 'read back what was staged'),
	('UPDATE pg_temp.stage_mail SET size = 0', '42501', 'change what was staged'),
	('DELETE FROM pg_temp.stage_record', '42501', 'unstage'),
	('TRUNCATE pg_temp.stage_record', '42501', 'truncate the staging tables'),
	('ALTER TABLE pg_temp.stage_mail ADD COLUMN x int', '42501', 'alter the staging tables'),
	('DROP TABLE pg_temp.stage_mail', '42501', 'drop the staging tables'),
	('CREATE TRIGGER x BEFORE INSERT ON pg_temp.stage_mail FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()', '42501', 'put a trigger on the staging tables'),
	('INSERT INTO pg_temp.work_item (mail_no) VALUES (1)', '42501', 'write what ingest() finds out'),
	('SELECT * FROM ruad.failure', '42501', 'read failure reports'),
	('SELECT * FROM ruad.failure_seen', '42501', 'read which failure reports there are'),
	('SELECT * FROM ruad.tls, ruad.tls_policy', '42501', 'read TLS reports'),
	('INSERT INTO ruad.failure_seen VALUES (''x'', now(), 1)', '42501', 'hide a failure report'),
	('SELECT * FROM ruad.ingest_again()', '42501', 'take in mail that was read again'),
	('SELECT * FROM ruad.kept_after(0)', '42501', 'read what was kept'),
	('SELECT * FROM ruad.prune(''raw'', ''2000-01-01'')', '42501', 'prune'),
	('SELECT ruad.ingest_ledger()', '42501', 'call a step of ingest() alone'),
	('SELECT ruad.ensure_partition(now())', '42501', 'make partitions'),
	('SELECT ruad.adopt_partition(''report'', ''x'', now(), now())', '42501', 'make any table'),
	('SELECT * FROM dmarc.reports', '42501', 'read a view'),
	('SELECT api.summary()', '42501', 'call the API'),
	('SELECT ruad.keep_raw(1, ''x'')', '22023', 'overwrite raw mail'),
	('SET ROLE ruad_owner', '42501', 'become the owner'),
	('SELECT ruad.stage_open();
	  INSERT INTO pg_temp.stage_mail (mail_no, received_at, source, size, sha256) VALUES (1, now(), ''lmtp'', 1, sha256(''x''));
	  INSERT INTO pg_temp.stage_item (mail_no, item_no, kind, code, reason) VALUES (1, 1, ''unreadable'', ''xml'', ''r'');
	  SELECT ruad.keep_raw(mail_id, ''x'') FROM ruad.ingest(); SET CONSTRAINTS ALL IMMEDIATE', 'ok', 'stage, take in, keep the bytes and commit (allowed)'),
	('SELECT t.unstage_as_owner(), ruad.stage_open();
	  INSERT INTO pg_temp.stage_mail (mail_no, received_at, source, size, sha256, authentic) VALUES (1, now(), ''lmtp'', 1, sha256(''y''), ''pass'');
	  INSERT INTO pg_temp.stage_item (mail_no, item_no, kind, sha256, content) VALUES (1, 1, ''failure'', sha256(''f''), ''{"header_from": "f.example"}''),
	    (1, 2, ''tls'', sha256(''t''), ''{"date_range": {"start_datetime": "2026-01-01T00:00:00Z", "end_datetime": "2026-01-02T00:00:00Z"}, "policies": [{}]}'');
	  SELECT stored FROM ruad.ingest(); SET CONSTRAINTS ALL IMMEDIATE', 'ok', 'take in a failure and a TLS report (allowed)')
) x(s, w, n)
-- the one that serves pages, and the auditor
UNION ALL SELECT r, s, w, n FROM (VALUES ('ruad_web'), ('ruad_auditor')) roles(r), (VALUES
	('SELECT * FROM ruad.record', '42501', 'read a table'),
	('SELECT * FROM ruad.raw', '42501', 'read raw mail'),
	('SELECT ruad.stage_open()', '42501', 'stage'),
	('SELECT * FROM ruad.ingest()', '42501', 'take in'),
	('SELECT ruad.keep_raw(1, ''x'')', '42501', 'keep bytes'),
	('SELECT * FROM ruad.ingest_again()', '42501', 'take in again'),
	('SELECT * FROM ruad.kept_after(0)', '42501', 'read what was kept'),
	('SELECT * FROM ruad.prune(''raw'', ''2000-01-01'')', '42501', 'prune'),
	('INSERT INTO pg_temp.stage_mail (mail_no) VALUES (1)', '42501', 'write a staging table'),
	('INSERT INTO dmarc.domains VALUES (''x'')', '42501', 'write through a view'),
	('DELETE FROM dmarc.domains', '42501', 'delete through a view'),
	('CREATE VIEW dmarc.mine AS SELECT 1', '42501', 'make a view'),
	('CREATE TABLE public.mine (x int)', '42501', 'make a table'),
	('CREATE TEMPORARY TABLE mine (x int)', '42501', 'make a temporary table'),
	('SET ROLE ruad_owner', '42501', 'become the owner'),
	('COPY dmarc.reports TO PROGRAM ''true''', '42501', 'run a program'),
	('SELECT * FROM dmarc.reports, dmarc.records, dmarc.intake LIMIT 1', 'ok', 'read the views (allowed)')
) x(s, w, n)
-- the one that looks up addresses
UNION ALL SELECT 'ruad_enrich', s, w, n FROM (VALUES
	('SELECT * FROM ruad.address', '42501', 'read addresses'),
	('UPDATE ruad.address SET rdns = ''x''', '42501', 'write addresses by itself'),
	('SELECT * FROM ruad.record', '42501', 'read records'),
	('SELECT * FROM ruad.raw', '42501', 'read raw mail'),
	('INSERT INTO ruad.service_rule VALUES (''rdns'', ''x'', ''y'')', '42501', 'write rules by itself'),
	('DELETE FROM ruad.dns_check', '42501', 'delete'),
	('SELECT * FROM dmarc.records', '42501', 'read a view of records'),
	('SELECT * FROM dmarc.addresses', '42501', 'read the view of addresses'),
	('SELECT * FROM dmarc.dns_checks', '42501', 'read the view of checks'),
	('SELECT api.summary(api.filter())', '42501', 'call the API'),
	('SELECT ruad.set_label(''ip:192.0.2.1'', ''mine'', NULL, ''x'', ''cli'')', '42501', 'set labels'),
	('SELECT * FROM ruad.service_of(''192.0.2.1'', NULL, NULL)', '42501', 'call a step alone'),
	('SELECT ruad.stage_open()', '42501', 'stage'),
	('SELECT * FROM ruad.ingest()', '42501', 'take in'),
	('SELECT * FROM ruad.kept_after(0)', '42501', 'read what was kept'),
	('SELECT * FROM ruad.prune(''raw'', ''2000-01-01'')', '42501', 'prune'),
	('CREATE TABLE public.mine (x int)', '42501', 'make a table'),
	('CREATE TEMPORARY TABLE mine (x int)', '42501', 'make a temporary table'),
	('SET ROLE ruad_owner', '42501', 'become the owner'),
	('SELECT ruad.enrich_services(''file'', ''[]''), ruad.enrich_collect(), ruad.enrich_store(''[]''), ruad.enrich_networks(''[]''), ruad.dns_store(''x'', NULL, 1);
	  SELECT * FROM ruad.enrich_wanted(1), ruad.enrich_addresses(NULL, 1), ruad.dns_wanted(1)', 'ok', 'do its work (allowed)')
) x(s, w, n)
-- the owner, by the name that a login with his role has
UNION ALL VALUES
	('ruad_owner', 'SELECT * FROM ruad.kept_after(0) k, ruad.prune(''raw'', ''2000-01-01'') r, ruad.prune(''aggregate'', ''2000-01-01'') a', 'ok', 'read what was kept, and prune (allowed)'),
	('ruad_owner', 'SELECT t.unstage_as_owner(); SELECT * FROM ruad.ingest_again()', 'ok', 'take in what was read again (allowed)'),
	('ruad_web', 'SELECT api.summary(f), api.timeseries(f), api.sources(f, p), api.source(''none'', f), api.source_ips(''none'', f, p), api.source_identifiers(''none'', f, p), api.source_reporters(''none'', f, p),
		api.records(f, p), api.reports(f, p), api.report(1), api.report_records(1, f, p), api.search(''xx''), api.meta(), api.metrics(), api.ready() FROM api.filter() f, api.page() p', 'ok', 'call the API (allowed)'),
	('ruad_web', 'SELECT api.domains(f, p), api.domain(''x'', f), api.impact(''x'', f), api.reporters(f, p), api.failures(f, p), api.failure(1), api.tls_summary(f), api.tls_timeseries(f), api.tls_reports(f, p), api.tls_report(1),
		api.intake(f), api.intake_events(f, p), api.report_xml(1), api.csv(''reports'', api.reports(f, p)) FROM api.filter() f, api.page() p', 'ok', 'all of it (allowed)'),
	('ruad_auditor', 'SELECT api.summary(api.filter())', '42501', 'call the API'),
	('ruad_editor', 'SELECT api.summary(api.filter())', '42501', 'call the API'),
	('ruad_editor', 'SELECT * FROM dmarc.labels', '42501', 'read a view');

SELECT plan(count(*)::integer + 12) FROM t.attempt;
SELECT ruad.stage_open();
SELECT is(t.as_role(role, statement), want, format('%s: %s', role, name)) FROM t.attempt WHERE statement NOT LIKE 'SET ROLE%';
SELECT is(CASE WHEN pg_has_role(role, 'ruad_owner', 'MEMBER') THEN 'ok' ELSE '42501' END, want, format('%s: %s', role, name))
FROM t.attempt WHERE statement LIKE 'SET ROLE%';

-- The same from the catalog, for objects that nobody thought of.
CREATE TEMP TABLE who AS SELECT unnest(ARRAY['ruad_ingest', 'ruad_web', 'ruad_auditor', 'ruad_editor', 'ruad_enrich']) AS role;
SELECT is_empty($$SELECT role, c.oid::regclass FROM who, pg_class c WHERE relnamespace = 'ruad'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
	AND has_table_privilege(role, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')$$, 'no role has a right on any table of schema ruad');
SELECT is_empty($$SELECT role, c.oid::regclass FROM who, pg_class c WHERE relnamespace = 'ruad'::regnamespace AND relkind = 'S'
	AND has_sequence_privilege(role, c.oid, 'USAGE, SELECT, UPDATE')$$, 'nor on a sequence');
SELECT set_eq($$SELECT role, p.proname::text FROM who, pg_proc p WHERE pronamespace = 'ruad'::regnamespace AND has_function_privilege(role, p.oid, 'EXECUTE')$$,
	$$VALUES ('ruad_ingest', 'stage_open'), ('ruad_ingest', 'ingest'), ('ruad_ingest', 'keep_raw'), ('ruad_editor', 'set_label'),
	('ruad_enrich', 'enrich_services'), ('ruad_enrich', 'enrich_collect'), ('ruad_enrich', 'enrich_wanted'), ('ruad_enrich', 'enrich_store'),
	('ruad_enrich', 'enrich_addresses'), ('ruad_enrich', 'enrich_networks'), ('ruad_enrich', 'dns_wanted'), ('ruad_enrich', 'dns_store')$$,
	'of its functions ruad_ingest may call three, ruad_editor one, ruad_enrich eight');
SELECT set_eq($$SELECT p.proname::text FROM pg_proc p WHERE prosecdef AND pronamespace IN ('ruad'::regnamespace, 'api'::regnamespace, 'dmarc'::regnamespace)$$,
	$$VALUES ('stage_open'), ('ingest'), ('keep_raw'), ('raw_is_kept'), ('ingest_again'), ('set_label'),
	('enrich_services'), ('enrich_collect'), ('enrich_wanted'), ('enrich_store'), ('enrich_addresses'), ('enrich_networks'), ('dns_wanted'), ('dns_store')$$,
	'and only these, a trigger and what the owner alone may call run with the owner''s rights');
SELECT is_empty($$SELECT p.proname FROM pg_proc p WHERE prosecdef AND pronamespace = 'ruad'::regnamespace
	AND NOT 'search_path=pg_catalog, pg_temp' = ANY (proconfig)$$, 'with a fixed search_path');
SELECT set_eq($$SELECT role, p.proname::text FROM who, pg_proc p WHERE pronamespace = 'api'::regnamespace AND has_function_privilege(role, p.oid, 'EXECUTE') <> (role = 'ruad_web')$$,
	$$VALUES ('ruad_editor', 'set_label'), ('ruad_editor', 'display'), ('ruad_editor', 'iso'), ('ruad_web', 'set_label')$$, 'functions of schema api are for ruad_web alone, but for one that is for ruad_editor');
SELECT is_empty($$SELECT role, c.oid::regclass FROM who, pg_class c WHERE relnamespace = 'dmarc'::regnamespace AND relkind = 'v'
	AND (has_table_privilege(role, c.oid, 'SELECT') <> (role IN ('ruad_web', 'ruad_auditor')) OR has_table_privilege(role, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'))$$,
	'views are read by ruad_web and ruad_auditor, and written by nobody');
SELECT is_empty($$SELECT rolname FROM pg_roles WHERE rolname LIKE 'ruad\_%' AND (rolcanlogin OR rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)$$,
	'no role of ours logs in or has a special right');

-- Staging tables that somebody else put there.
GRANT TEMPORARY ON DATABASE :"DBNAME" TO ruad_ingest;
\getenv host PGHOST
SELECT format('host=%s user=postgres dbname=%s', :'host', :'DBNAME') AS here \gset
SELECT is((SELECT x FROM dblink(:'here', $$SELECT t.as_role('ruad_ingest', 'CREATE TEMPORARY TABLE stage_mail (mail_no int); SELECT ruad.stage_open()')$$)
	AS r(x text)), '55000', 'a planted staging table is refused');
SELECT is((SELECT x FROM dblink(:'here', $$SELECT t.as_role('ruad_ingest', 'SELECT * FROM ruad.ingest()')$$) AS r(x text)), '55000',
	'ingest() without staging tables says so');

-- A login that is no superuser migrates a database of its own.
CREATE ROLE migrator LOGIN CREATEROLE;
CREATE DATABASE migrated OWNER migrator;
\! PGOPTIONS= RUAD_CONFIG= RUAD_SERVER_USER=postgres RUAD_DATABASE_URL="host=$PGHOST user=migrator dbname=migrated" "$RUAD" migrate >/dev/null
SELECT is((SELECT n FROM dblink(format('host=%s user=migrator dbname=migrated', :'host'), 'SELECT count(*) FROM pg_class WHERE relowner <> ''ruad_owner''::regrole
	AND relnamespace IN (''ruad''::regnamespace, ''dmarc''::regnamespace)') AS r(n bigint)), 0::bigint, 'a login with CREATEROLE can migrate; all belongs to ruad_owner');
SELECT is((SELECT n FROM dblink(format('host=%s user=migrator dbname=migrated', :'host'), 'SELECT api.ready() ->> ''ready''') AS r(n text)), 'true',
	'and the result answers');
SELECT * FROM finish();
