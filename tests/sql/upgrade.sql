-- A database at 0005 with data in it, and an older ruad-ingest whose session stays open while it is migrated.
SELECT plan(18);
\getenv host PGHOST
CREATE DATABASE upgraded;
\! for f in ../../sql/migrations/000[1-5]*.sql; do PGOPTIONS='-c client_min_messages=warning' psql -Xq1 -d upgraded -v ON_ERROR_STOP=1 -f $f || exit; done
SELECT dblink_connect('old', format('host=%s user=postgres dbname=upgraded', :'host'));

-- One mail as that ruad-ingest hands it over: a report when domain is given, else something unreadable.
CREATE FUNCTION t.old_mail(bytes text, domain text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
	id bigint;
	keep boolean;
BEGIN
	PERFORM dblink_exec('old', 'BEGIN; SET ROLE ruad_ingest');
	PERFORM dblink_exec('old', format($i$INSERT INTO stage_mail (mail_no, received_at, source, name, envelope_from, recipients, size, sha256, message_id, subject, header_from)
		VALUES (1, now(), 'lmtp', NULL, 'a@b.example', '["x@y.example"]', 1, sha256(convert_to(%L, 'UTF8')), NULL, NULL, NULL)$i$, bytes));
	PERFORM dblink_exec('old', format($i$INSERT INTO stage_item (mail_no, item_no, kind, place, code, reason, dialect, version, xmlns, org_name, email, extra_contact_info, report_id, begin, "end",
		error, generator, domain, adkim, aspf, p, sp, np, pct, fo, testing, discovery_method, records, sha256, notes)
		VALUES (1, 1, %L, 'mail', %L, %L, 'rfc7489', NULL, NULL, 'Org', 'e', NULL, 'r', '2026-01-01', '2026-01-02', NULL, NULL, %L, NULL, NULL, 'none', NULL, NULL, NULL, NULL, NULL, NULL, 1,
		sha256(convert_to(%L, 'UTF8')), NULL)$i$, CASE WHEN domain IS NULL THEN 'unreadable' ELSE 'aggregate' END, CASE WHEN domain IS NULL THEN 'xml' END, CASE WHEN domain IS NULL THEN 'no' END, domain, bytes));
	PERFORM dblink_exec('old', $i$INSERT INTO stage_record (mail_no, item_no, record_no, source_ip, count, disposition, dkim, spf, reason, header_from, envelope_from, envelope_to, auth_results, notes)
		VALUES (1, 1, 1, '192.0.2.1', 5, 'none', 'pass', 'fail', NULL, NULL, NULL, NULL, NULL, NULL)$i$);
	SELECT x, i, k INTO answer, id, keep FROM dblink('old', 'SELECT concat_ws('' '', stored, duplicates, conflicts, unreadable, keep_raw), mail_id, keep_raw FROM ruad.ingest()') AS r(x text, i bigint, k boolean);
	IF keep THEN
		PERFORM FROM dblink('old', format('SELECT ruad.keep_raw(%s, %L)', id, bytes)) AS r(x text);
	END IF;
	PERFORM dblink_exec('old', 'COMMIT');
	RETURN answer;
END $$;
CREATE FUNCTION t.new(query text) RETURNS text LANGUAGE sql AS $$ SELECT x FROM dblink(format('host=%s user=postgres dbname=upgraded', current_setting('unix_socket_directories')), query) AS r(x text) $$;

SELECT dblink_exec('old', 'SET ROLE ruad_ingest');
SELECT FROM dblink('old', 'SELECT ruad.stage_open()') AS r(x text);
SELECT is(t.old_mail('one', 'd.example'), '1 0 0 0 f', 'at 0005: a report');
SELECT is(t.old_mail('two', 'd.example'), '0 0 1 0 t', 'a conflict');
SELECT is(t.old_mail('bad', NULL), '0 0 0 1 t', 'something unreadable');
SELECT is(t.old_mail('bad', NULL), '0 1 0 0 f', 'the same bytes');
\! for f in ../../sql/migrations/000[6-9]*.sql ../../sql/migrations/00[1-9]*.sql; do PGOPTIONS='-c client_min_messages=warning' psql -Xq1 -d upgraded -v ON_ERROR_STOP=1 -f $f || exit; done

SELECT is(t.new('SELECT string_agg(concat_ws('' '', m.id - (SELECT min(id) FROM ruad.mail), kind, status, authentic, partial, m.raw - (SELECT min(id) FROM ruad.mail)), '', '' ORDER BY m.id) FROM ruad.mail m JOIN ruad.item i ON i.mail = m.id'),
	'0 aggregate stored none f, 1 aggregate conflict none f 1, 2 unreadable quarantined none f 2, 3 unreadable duplicate none f 2', 'after the migration: what there was, and whose bytes are kept');
SELECT is(t.new('SELECT concat_ws('' '', domain, partial, authentic, messages) FROM dmarc.reports'), 'd.example f none 5', 'the report');
SELECT is(t.new('SELECT string_agg(concat_ws('' '', mail - (SELECT min(id) FROM ruad.mail), raw_mail - (SELECT min(id) FROM ruad.mail)), '', '' ORDER BY mail) FROM dmarc.intake'), '0, 1 1, 2 2, 3 2', 'and the view knows the bytes');
SELECT is(t.old_mail('one', 'd.example'), '0 1 0 0 f', 'the session that was open goes on: a duplicate');
SELECT is(t.old_mail('new', 'e.example'), '1 0 0 0 f', 'a report');
SELECT is(t.old_mail('bad', NULL), '0 1 0 0 f', 'bytes that are kept');
SELECT is(t.old_mail('bad2', NULL), '0 0 0 1 t', 'bytes that are not');
SELECT is(t.new('SELECT string_agg(concat_ws('' '', authentic, raw IS NULL), '', '' ORDER BY id) FROM ruad.mail OFFSET 0'), 'none t, none f, none f, none f, none t, none t, none f, none f', 'each with the defaults');
SELECT dblink_disconnect('old');
SELECT dblink_connect('old', format('host=%s user=postgres dbname=upgraded', :'host'));
SELECT dblink_exec('old', 'SET ROLE ruad_ingest');
SELECT FROM dblink('old', 'SELECT ruad.stage_open()') AS r(x text);
SELECT is(t.old_mail('newer', 'f.example'), '1 0 0 0 f', 'so does a session that it opens later');
SELECT is(t.old_mail('bad2', NULL), '0 1 0 0 f', 'for all');

-- The mail that was kept before is read again.
SELECT dblink_disconnect('old');
SELECT is(t.new('SELECT count(*) FROM ruad.kept_after(NULL)'), '1', 'what was kept is there to be read again');
SELECT dblink_connect('again', format('host=%s user=postgres dbname=upgraded', :'host'));
SELECT dblink_exec('again', $q$BEGIN; SET ROLE ruad_owner$q$);
SELECT FROM dblink('again', 'SELECT ruad.stage_open()') AS r(x text);
SELECT dblink_exec('again', $q$INSERT INTO stage_mail (mail_no, received_at, source, size, sha256, again) SELECT 1, now(), 'lmtp', 1, sha256('bad'), min(id) FROM ruad.mail WHERE sha256 = sha256('bad')$q$);
SELECT dblink_exec('again', $q$INSERT INTO stage_item (mail_no, item_no, kind, sha256, content) VALUES (1, 1, 'failure', sha256('f'), '{"header_from": "f.example"}')$q$);
SELECT is((SELECT x FROM dblink('again', 'SELECT concat_ws('' '', stored, duplicates, conflicts, unreadable, keep_raw) FROM ruad.ingest_again()') AS r(x text)), '1 0 0 0 f', 'by the owner''s role');
SELECT dblink_exec('again', 'COMMIT');
SELECT is(t.new('SELECT string_agg(concat_ws('' '', kind, status, raw), '', '' ORDER BY m.id) FROM ruad.mail m JOIN ruad.item i ON i.mail = m.id WHERE m.sha256 = sha256(''bad'')'), 'failure stored, failure duplicate, failure duplicate', 'and all its copies follow');
SELECT is(t.new('SELECT domain FROM dmarc.failure_reports'), 'f.example', 'the report is there');
SELECT * FROM finish();
