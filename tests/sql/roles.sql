-- What each role may do, and above all what it may not.
-- A mail, and what was found in it, as they are handed to ingest().
CREATE FUNCTION t.one_mail(bytes text) RETURNS ruad.new_mail[] LANGUAGE sql AS $$
	SELECT ARRAY[jsonb_populate_record(NULL::ruad.new_mail, jsonb_build_object('received_at', now(), 'source', 'lmtp',
		'size', 1, 'sha256', sha256(convert_to(bytes, 'UTF8'))))] $$;
CREATE FUNCTION t.found(VARIADIC found jsonb[]) RETURNS ruad.new_item[] LANGUAGE sql AS $$
	SELECT array_agg(jsonb_populate_record(NULL::ruad.new_item, f.v || jsonb_build_object('mail_no', 1,
		'item_no', f.no)) ORDER BY f.no) FROM unnest(found) WITH ORDINALITY AS f(v, no) $$;
GRANT USAGE ON SCHEMA t TO ruad_ingest;
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
	('INSERT INTO ruad.record (report) VALUES (1) RETURNING report', '42501', 'read back what it adds'),
	('UPDATE ruad.record SET count = 0', '42501', 'change records'),
	('DELETE FROM ruad.record', '42501', 'remove records'),
	('INSERT INTO ruad.record_default (report) VALUES (1)', '42501', 'write a partition'),
	('ALTER TABLE ruad.record ADD COLUMN x int', '42501', 'alter the table of records'),
	('LOCK TABLE ruad.record IN ACCESS EXCLUSIVE MODE', '42501', 'lock readers out'),
	('CREATE TRIGGER x BEFORE INSERT ON ruad.record FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
		'42501', 'put a trigger on records'),
	('SELECT * FROM ruad.evaluation, ruad.facet', '42501', 'read what was found about records'),
	('INSERT INTO ruad.evaluation (id) VALUES (1)', '42501', 'write that by itself'),
	('SELECT nextval(''ruad.evaluation_id_seq'')', '42501', 'take numbers'),
	('SELECT * FROM ruad.sum_day, ruad.sum_month, ruad.seen, ruad.unsummed, ruad.stale, ruad.upkeep', '42501',
		'read sums'),
	('DELETE FROM ruad.unsummed', '42501', 'hide reports from the sums'),
	('SELECT * FROM ruad.failure', '42501', 'read failure reports'),
	('SELECT * FROM ruad.failure_seen', '42501', 'read which failure reports there are'),
	('SELECT * FROM ruad.tls, ruad.tls_policy', '42501', 'read TLS reports'),
	('INSERT INTO ruad.failure_seen VALUES (''x'', now(), 1)', '42501', 'hide a failure report'),
	('SELECT * FROM ruad.ingest_again(NULL, NULL)', '42501', 'take in mail that was read again'),
	('SELECT * FROM ruad.kept_after(0)', '42501', 'read what was kept'),
	('SELECT * FROM ruad.prune(''raw'', ''2000-01-01'')', '42501', 'prune'),
	('SELECT ruad.release_raw(''{1}'')', '42501', 'call a step of ingest() alone'),
	('SELECT ruad.set_excluded(true, 1, NULL, NULL, NULL, NULL)', '42501', 'exclude reports'),
	('DELETE FROM ruad.excluded_record', '42501', 'remove records of excluded reports'),
	('SELECT ruad.make_month(''{report}'', ''2026-01-01'')', '42501', 'make partitions of its choice'),
	('SELECT ruad.drop_month(''{report}'', ''2026-01-01'', ''records'')', '42501', 'drop partitions'),
	('SELECT ruad.sum_anew(1, ''2026-01-01'', 1, 0)', '42501', 'call a step of sum_up() alone'),
	('SELECT ruad.move_rows(''report'', ''2026-01-01'')', '42501', 'make any table'),
	('SELECT * FROM dmarc.reports', '42501', 'read a view'),
	('SELECT api.summary()', '42501', 'call the API'),
	('SELECT ruad.keep_raw(1, ''x'')', '22023', 'overwrite raw mail'),
	('SET ROLE ruad_owner', '42501', 'become the owner'),
	('SELECT ruad.sum_up()', '25001', 'sum up outside of one snapshot'),
	('SELECT ruad.keep_raw(mail_id, ''x'') FROM ruad.ingest(t.one_mail(''x''), '
		't.found(''{"kind": "unreadable", "code": "xml", "reason": "r"}'')); SET CONSTRAINTS ALL IMMEDIATE', 'ok',
		'take in, keep the bytes and commit (allowed)'),
	('SELECT stored
		FROM ruad.ingest(t.one_mail(''y''), t.found(jsonb_build_object(''kind'', ''failure'', ''sha256'', sha256(''f''),
			''content'', ''{"header_from": "f.example"}''::jsonb),
		jsonb_build_object(''kind'', ''tls'', ''sha256'', sha256(''t''), ''content'',
			''{"date_range": {"start_datetime": "2026-01-01T00:00:00Z", "end_datetime": "2026-01-02T00:00:00Z"},
			"policies": [{}]}''::jsonb))); SET CONSTRAINTS ALL IMMEDIATE', 'ok',
		'take in a failure and a TLS report (allowed)'),
	('INSERT INTO ruad.record (begin, report, count, evaluation, day, domain_id, reporter_id, record_no, source_ip)
		SELECT ''2026-01-01'', r.report, 1, e.id, r.day, r.domain_id, r.reporter_id, 1, ''192.0.2.1''
		FROM ruad.ingest(t.one_mail(''z''),
			t.found(jsonb_build_object(''kind'', ''aggregate'', ''domain'', ''z.example'', ''begin'', ''2026-01-01'',
			''end'', ''2026-01-02'', ''sha256'', sha256(''z''), ''announced'', 1, ''records'', 1, ''messages'', 1,
			''pass'', 0))) r
		CROSS JOIN LATERAL ruad.evaluations(ARRAY[jsonb_populate_record(NULL::ruad.new_evaluation,
			to_jsonb(r) || ''{"dkim": "fail"}'')]) AS e(id)
		WHERE r.item_no = 1;
		SET CONSTRAINTS ALL IMMEDIATE', 'ok', 'take in an aggregate report, and add its records (allowed)'),
	('SELECT ruad.make_months()', 'ok', 'have partitions made that are wanted (allowed)')
) x(s, w, n)
-- the one that serves pages, the auditor, and the one that is limited to domains
UNION ALL SELECT r, s, w, n FROM (VALUES ('ruad_web'), ('ruad_auditor'), ('ruad_viewer')) roles(r), (VALUES
	('SELECT * FROM ruad.record', '42501', 'read a table'),
	('SELECT * FROM ruad.visible_record', '42501', 'read a table of views'),
	('SELECT * FROM ruad.report_default', '42501', 'read a partition'),
	('SELECT * FROM ruad.user_grant', '42501', 'read who may see what'),
	('SELECT ruad.user_set(''x'', true, ''admin'', NULL, ''x'')', '42501', 'give rights'),
	('SELECT ruad.auditor_rights(''x'')', '42501', 'give rights to a login'),
	('SELECT * FROM ruad.domains_of(''x'')', '42501', 'ask for the domains of a user'),
	('ALTER TABLE ruad.report DISABLE ROW LEVEL SECURITY', '42501', 'lift the limits'),
	('SELECT * FROM ruad.raw', '42501', 'read raw mail'),
	('SELECT ruad.set_excluded(true, 1, NULL, NULL, NULL, NULL)', '42501', 'exclude reports'),
	('SELECT * FROM ruad.exclusion_log, ruad.excluded_record', '42501', 'read tables of excluded reports'),
	('SELECT ruad.evaluations(''{}'')', '42501', 'store what was found'),
	('SELECT ruad.sum_up()', '42501', 'sum up'),
	('SELECT ruad.make_months()', '42501', 'make partitions'),
	('SELECT * FROM ruad.ingest(NULL, NULL)', '42501', 'take in'),
	('SELECT ruad.keep_raw(1, ''x'')', '42501', 'keep bytes'),
	('SELECT * FROM ruad.ingest_again(NULL, NULL)', '42501', 'take in again'),
	('SELECT * FROM ruad.kept_after(0)', '42501', 'read what was kept'),
	('SELECT * FROM ruad.prune(''raw'', ''2000-01-01'')', '42501', 'prune'),
	('INSERT INTO ruad.record (report) VALUES (1)', '42501', 'add records'),
	('INSERT INTO dmarc.reporters VALUES (''x'')', '42501', 'write through a view'),
	('DELETE FROM dmarc.reporters', '42501', 'delete through a view'),
	('CREATE VIEW dmarc.mine AS SELECT 1', '42501', 'make a view'),
	('CREATE TABLE public.mine (x int)', '42501', 'make a table'),
	('CREATE TEMPORARY TABLE mine (x int)', '42501', 'make a temporary table'),
	('SET ROLE ruad_owner', '42501', 'become the owner'),
	('COPY dmarc.reports TO PROGRAM ''true''', '42501', 'run a program'),
	('SELECT * FROM ruad.audit_log', '42501', 'read the table of the audit log'),
	('INSERT INTO ruad.audit_log (at, via, action) VALUES (now(), ''page'', ''login'')', '42501',
		'write the audit log by itself'),
	('UPDATE ruad.audit_log SET user_name = ''x''', '42501', 'change the audit log'),
	('DELETE FROM ruad.audit_log', '42501', 'delete from the audit log'),
	('TRUNCATE ruad.audit_log', '42501', 'empty the audit log'),
	('SELECT ruad.audit(''prune'', ''x'', NULL, NULL)', '42501', 'write entries of commands'),
	('SELECT hash FROM ruad.token', '42501', 'read what is kept of tokens'),
	('SELECT ruad.token_add(''x'', ''ann'', repeat(''00'', 32), true, NULL, ''x'')', '42501', 'make tokens'),
	('SELECT ruad.token_remove(''x'', ''x'')', '42501', 'remove tokens'),
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
	('SELECT ruad.evaluations(''{}'')', '42501', 'store what was found'),
	('SELECT ruad.sum_up()', '42501', 'sum up'),
	('SELECT ruad.make_months()', '42501', 'make partitions'),
	('SELECT * FROM ruad.ingest(NULL, NULL)', '42501', 'take in'),
	('SELECT * FROM ruad.kept_after(0)', '42501', 'read what was kept'),
	('SELECT * FROM ruad.prune(''raw'', ''2000-01-01'')', '42501', 'prune'),
	('CREATE TABLE public.mine (x int)', '42501', 'make a table'),
	('CREATE TEMPORARY TABLE mine (x int)', '42501', 'make a temporary table'),
	('SET ROLE ruad_owner', '42501', 'become the owner'),
	('SELECT ruad.enrich_services(''file'', ''[]''), ruad.enrich_collect(), ruad.enrich_store(''[]''),
		ruad.enrich_networks(''[]''), ruad.dns_store(''x'', NULL, 1);
	  SELECT * FROM ruad.enrich_wanted(1), ruad.enrich_addresses(NULL, 1), ruad.dns_wanted(1)', 'ok',
		'do its work (allowed)')
) x(s, w, n)
UNION ALL SELECT 'ruad_notify', s, w, n FROM (VALUES
	('SELECT * FROM ruad.notice', '42501', 'read a table'),
	('UPDATE ruad.outbox SET content = NULL', '42501', 'change a table'),
	('SELECT * FROM dmarc.records', '42501', 'read a view'),
	('SELECT api.summary(api.filter())', '42501', 'call the API'),
	('SELECT ruad.notice_silence(''disk'', NULL, ''x'')', '42501', 'silence a notice'),
	('SELECT * FROM ruad.report_conditions()', '42501', 'call a step alone'),
	('CREATE TEMPORARY TABLE mine (x int)', '42501', 'make a temporary table'),
	('SET ROLE ruad_owner', '42501', 'become the owner'),
	('SELECT ruad.notices_look(true, ''[]'', 0, 0), ruad.outbox_add(''x'', ''{}'', ''x''), ruad.outbox_keep(''{}''),
		ruad.outbox_sent(0), ruad.outbox_failed(0, ''x''),
		ruad.digest_take('''', ''week'', 0, ''{}'');
	  SELECT * FROM ruad.notices_take(''{}''), ruad.outbox_next(''{}'')', 'ok', 'do its work (allowed)')
) x(s, w, n)
-- the owner, by the name that a login with his role has
UNION ALL VALUES
	('ruad_owner',
		'SELECT * FROM ruad.kept_after(0) k, ruad.prune(''raw'', ''2000-01-01'') r, '
			'ruad.prune(''aggregate'', ''2000-01-01'') a', 'ok', 'read what was kept, and prune (allowed)'),
	('ruad_owner', 'SELECT * FROM ruad.ingest_again(''{}'', ''{}'')', 'ok', 'take in what was read again (allowed)'),
	('ruad_web', 'SELECT api.summary(f), api.timeseries(f), api.sources(f, p), api.source(''none'', f),
		api.source_ips(''none'', f, p), api.source_identifiers(''none'', f, p), api.source_reporters(''none'', f, p),
		api.records(f, p), api.reports(f, p), api.report(1), api.report_records(1, f, p), api.search(''xx''),
		api.meta(), api.metrics(), api.ready() FROM api.filter() f, api.page() p', 'ok', 'call the API (allowed)'),
	('ruad_web', 'SELECT api.domains(f, p), api.domain(''x'', f), api.impact(''x'', f), api.reporters(f, p),
		api.failures(f, p), api.failure(1), api.tls_summary(f), api.tls_timeseries(f), api.tls_reports(f, p),
		api.tls_report(1), api.intake(f), api.intake_events(f, p), api.report_xml(1),
		api.csv(''reports'', api.reports(f, p)) FROM api.filter() f, api.page() p', 'ok', 'all of it (allowed)'),
	('ruad_web', 'SELECT api.audit(f, p), api.csv(''audit'', api.audit(f, p)),
		api.audit_add(''login'', ''ann'', ''page'', NULL, ''192.0.2.1'', NULL, NULL), api.token_used(repeat(''00'', 32))
		FROM api.filter() f, api.page() p; SELECT * FROM api.token(repeat(''00'', 32))', 'ok',
		'read the audit log, add to it, look up a token (allowed)'),
	('ruad_web', 'SELECT api.audit_add(''prune'', ''ann'', ''page'', NULL, NULL, NULL, NULL)', '22023',
		'write entries of commands as the page'),
	('ruad_web', 'SELECT api.audit_add(''login'', ''ann'', ''cli'', NULL, NULL, NULL, NULL)', '22023',
		'write entries as if they came from a command'),
	('ruad_auditor', 'SELECT * FROM dmarc.audit_log, dmarc.tokens', 'ok', 'read the audit log (allowed)'),
	('ruad_auditor', 'SELECT * FROM api.token(repeat(''00'', 32))', '42501', 'look up a token'),
	('ruad_auditor', 'SELECT api.audit_add(''login'', ''ann'', ''page'', NULL, NULL, NULL, NULL)', '42501',
		'write the audit log'),
	('ruad_editor', 'SELECT api.audit_add(''login'', ''ann'', ''page'', NULL, NULL, NULL, NULL)', '42501',
		'write the audit log'),
	('ruad_auditor', 'SELECT api.summary(api.filter())', '42501', 'call the API'),
	('ruad_editor', 'SELECT api.summary(api.filter())', '42501', 'call the API'),
	('ruad_editor', 'SELECT * FROM dmarc.labels', '42501', 'read a view');

SELECT plan(count(*)::integer + 49) FROM t.attempt;
SELECT is(t.as_role(role, statement), want, format('%s: %s', role, name)) FROM t.attempt
WHERE statement NOT LIKE 'SET ROLE%';
SELECT is(CASE WHEN pg_has_role(role, 'ruad_owner', 'MEMBER') THEN 'ok' ELSE '42501' END, want,
	format('%s: %s', role, name))
FROM t.attempt WHERE statement LIKE 'SET ROLE%';

-- What nobody needs: locks that others would have to wait for, and large objects.
SELECT is(t.as_role(role, statement), '42501', format('%s: %s', role, statement))
FROM unnest(ARRAY['ruad_ingest', 'ruad_web', 'ruad_auditor', 'ruad_viewer', 'ruad_editor', 'ruad_enrich', 'ruad_notify',
	'ruad_owner']) role,
	unnest(ARRAY['SELECT pg_advisory_lock(1)', 'SELECT pg_try_advisory_xact_lock_shared(1, 2)', 'SELECT lo_create(0)',
		'SELECT lo_from_bytea(0, ''x'')']) statement;
SELECT is_empty($$SELECT rolname FROM pg_roles r WHERE rolname LIKE 'ruad\_%'
	AND (rolconnlimit < 1 OR 3 <> (SELECT count(*) FROM unnest(rolconfig) c
	WHERE c ~ '^(statement_timeout|lock_timeout|idle_in_transaction_session_timeout)=[1-9]'))$$,
	'every role has its time-outs and a connection limit');

-- The same from the catalog, for objects that nobody thought of.
CREATE TEMP TABLE who AS SELECT unnest(ARRAY['ruad_ingest', 'ruad_web', 'ruad_auditor', 'ruad_viewer', 'ruad_editor',
	'ruad_enrich', 'ruad_notify']) AS role;
SELECT is_empty($$SELECT role FROM who WHERE role IN ('ruad_web', 'ruad_auditor', 'ruad_viewer')
	AND has_schema_privilege(role, 'ruad', 'USAGE, CREATE')$$, 'readers may not use schema ruad, except through views');
SELECT set_eq($$SELECT DISTINCT c.oid::regclass::text FROM who, pg_class c
	WHERE relnamespace = 'ruad'::regnamespace AND relkind IN ('r', 'p', 'v', 'm') AND NOT relrowsecurity
	AND role IN ('ruad_web', 'ruad_auditor', 'ruad_viewer') AND has_any_column_privilege(role, c.oid, 'SELECT')$$,
	$$VALUES ('ruad.service'), ('ruad.service_rule'), ('ruad.own_domain'), ('ruad.schema_version'), ('ruad.definitions'),
		('ruad.gate')$$,
	'and behind the views, every table has row-level security but six without data');
SELECT set_eq($$SELECT c.oid::regclass::text FROM pg_class c WHERE relnamespace = 'ruad'::regnamespace AND relrowsecurity
	AND NOT has_table_privilege('ruad_viewer', c.oid, 'SELECT')$$, $$VALUES ('ruad.exclusion_log')$$,
	'all are open to ruad_viewer but one');
SELECT is_empty($$SELECT c.oid::regclass FROM pg_class c WHERE relnamespace = 'ruad'::regnamespace
	AND relkind IN ('r', 'p') AND NOT relrowsecurity AND c.relname NOT LIKE '%default' AND c.oid <> 'ruad.record'::regclass
	AND EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'domain_id')$$,
	'every table with domain_id has row-level security, or is a partition');
SELECT is_empty($$SELECT c.oid::regclass FROM pg_class c WHERE relnamespace IN ('dmarc'::regnamespace, 'api'::regnamespace)
	AND relkind = 'v' AND NOT coalesce('security_invoker=true' = ANY (reloptions), false)
	AND has_table_privilege('ruad_viewer', c.oid, 'SELECT')$$, 'every view that ruad_viewer may read has its reader''s rights');
SELECT set_eq($$SELECT polname::text, roles::text, pg_get_expr(polqual, polrelid) = 'true' FROM (SELECT p.*,
		ARRAY(SELECT r.oid::regrole::text FROM unnest(polroles) r(oid) ORDER BY 1) AS roles FROM pg_policy p) p
	WHERE polcmd = 'r' AND polpermissive$$,
	$$VALUES ('everything', '{ruad_auditor,ruad_web}', true), ('limited', '{ruad_viewer}', false)$$,
	'the condition for whoever is not limited is a constant');
SELECT results_eq($$SELECT role, c.oid::regclass::text, p.right FROM who, pg_class c,
	unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) AS p("right")
	WHERE relnamespace = 'ruad'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
	AND has_table_privilege(role, c.oid, p.right)
	AND NOT (p.right = 'SELECT' AND role IN ('ruad_web', 'ruad_auditor', 'ruad_viewer')
		AND (relrowsecurity OR relname IN ('service', 'service_rule', 'own_domain', 'schema_version', 'definitions',
			'gate')))$$,
	$$VALUES ('ruad_ingest', 'ruad.record', 'INSERT')$$,
	'no role has another right on any table of schema ruad, but ruad_ingest to add records');
SELECT is_empty($$SELECT role, c.oid::regclass FROM who, pg_class c WHERE relnamespace = 'ruad'::regnamespace
	AND relkind = 'S'
	AND has_sequence_privilege(role, c.oid, 'USAGE, SELECT, UPDATE')$$, 'nor on a sequence');
SELECT set_eq($$SELECT role, p.proname::text FROM who, pg_proc p WHERE pronamespace = 'ruad'::regnamespace
	AND has_function_privilege(role, p.oid, 'EXECUTE')$$, $$VALUES ('ruad_ingest', 'names'), ('ruad_ingest', 'ingest'),
		('ruad_ingest', 'evaluations'), ('ruad_ingest', 'keep_raw'), ('ruad_ingest', 'sum_up'), ('ruad_ingest', 'sum_more'),
		('ruad_ingest', 'make_months'), ('ruad_editor', 'set_label'), ('ruad_viewer', 'granted_domains'),
	('ruad_web', 'granted_domains'),
	('ruad_enrich', 'enrich_services'), ('ruad_enrich', 'enrich_collect'), ('ruad_enrich', 'enrich_wanted'),
	('ruad_enrich', 'enrich_spend'), ('ruad_enrich', 'enrich_store'),
	('ruad_enrich', 'enrich_addresses'), ('ruad_enrich', 'enrich_networks'), ('ruad_enrich', 'dns_wanted'),
	('ruad_enrich', 'dns_store'), ('ruad_notify', 'notices_look'), ('ruad_notify', 'notices_take'),
	('ruad_notify', 'outbox_add'), ('ruad_notify', 'outbox_keep'), ('ruad_notify', 'outbox_next'),
	('ruad_notify', 'outbox_sent'), ('ruad_notify', 'outbox_failed'), ('ruad_notify', 'digest_take')$$,
	'of its functions ruad_ingest may call seven, ruad_editor and readers one, ruad_enrich nine, ruad_notify eight');
SELECT set_eq($$SELECT p.proname::text FROM pg_proc p WHERE prosecdef
	AND pronamespace IN ('ruad'::regnamespace, 'api'::regnamespace, 'dmarc'::regnamespace)$$, $$VALUES ('names'), ('ingest'),
		('evaluations'), ('keep_raw'), ('sum_up'), ('sum_more'), ('make_months'), ('raw_is_kept'), ('ingest_again'), ('set_label'),
	('enrich_services'), ('enrich_collect'), ('enrich_spend'), ('enrich_wanted'), ('enrich_store'), ('enrich_addresses'),
	('enrich_networks'), ('dns_wanted'), ('dns_store'), ('audit_add'), ('token'), ('token_used'), ('granted_domains'),
	('user_grant'), ('notice_numbers'), ('notices_look'), ('notices_take'), ('outbox_add'), ('outbox_keep'),
	('outbox_next'), ('outbox_sent'), ('outbox_failed'), ('digest_take')$$,
	'and only these, a trigger and what the owner alone may call run with the owner''s rights');
SELECT is_empty($$SELECT p.proname FROM pg_proc p WHERE prosecdef
	AND pronamespace IN ('ruad'::regnamespace, 'api'::regnamespace) AND NOT 'search_path=pg_catalog, pg_temp' = ANY (proconfig)$$, 'with a fixed search_path');
SELECT set_eq($$SELECT role, p.proname::text FROM who, pg_proc p WHERE pronamespace = 'api'::regnamespace
	AND has_function_privilege(role, p.oid, 'EXECUTE') <> (role IN ('ruad_web', 'ruad_viewer'))$$,
	$$VALUES ('ruad_editor', 'set_label'), ('ruad_editor', 'display'), ('ruad_editor', 'iso'), ('ruad_web', 'set_label'),
		('ruad_editor', 'set_labels'), ('ruad_web', 'set_labels'), ('ruad_viewer', 'set_labels'), ('ruad_viewer', 'set_label'), ('ruad_viewer', 'metrics'), ('ruad_viewer', 'notice_numbers'), ('ruad_viewer', 'ready'), ('ruad_viewer', 'user_grant'),
		('ruad_viewer', 'token'), ('ruad_viewer', 'token_used'), ('ruad_viewer', 'audit_add')$$,
		'functions of schema api are for ruad_web and ruad_viewer, but for those that are for ruad_editor');
SELECT is_empty($$SELECT role, c.oid::regclass FROM who, pg_class c WHERE relnamespace = 'dmarc'::regnamespace
	AND relkind = 'v'
	AND (has_table_privilege(role, c.oid, 'SELECT') <> (role IN ('ruad_web', 'ruad_auditor')
			OR role = 'ruad_viewer' AND c.relname NOT IN ('exclusion_log', 'audit_log', 'tokens'))
		OR has_table_privilege(role, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'))$$,
	'views are read by ruad_web, ruad_auditor and ruad_viewer, and written by nobody');
SELECT is_empty($$SELECT rolname FROM pg_roles WHERE rolname LIKE 'ruad\_%'
	AND (rolcanlogin OR rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)$$,
		'no role of ours logs in or has a special right');

\getenv host PGHOST

-- A login that is no superuser migrates a database of its own. From PostgreSQL 16 on it needs rights to roles that
-- another login made.
CREATE ROLE migrator LOGIN CREATEROLE;
GRANT ruad_owner, ruad_ingest, ruad_web, ruad_editor, ruad_enrich, ruad_notify TO migrator;
CREATE DATABASE migrated OWNER migrator;
\! PGOPTIONS= RUAD_CONFIG= RUAD_SERVER_USER=postgres RUAD_DATABASE_URL="host=$PGHOST user=migrator dbname=migrated" "$RUAD" migrate >/dev/null
SELECT is((SELECT n FROM dblink(format('host=%s user=migrator dbname=migrated', :'host'), 'SELECT count(*) FROM pg_class
	WHERE relowner <> ''ruad_owner''::regrole
	AND relnamespace IN (''ruad''::regnamespace, ''dmarc''::regnamespace)') AS r(n bigint)), 0::bigint,
	'a login with CREATEROLE can migrate; all belongs to ruad_owner');
SELECT is((SELECT n FROM dblink(format('host=%s user=migrator dbname=migrated', :'host'),
	'SELECT api.ready() ->> ''ready''') AS r(n text)), 'true',
	'and the result answers');
SELECT * FROM finish();
