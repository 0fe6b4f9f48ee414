-- helpers.sql - what the tests share, in schema t: mails as JSON go in by the same functions that ruad-ingest calls.
CREATE SCHEMA t;

-- What a statement comes to as that role: 'ok' or the SQLSTATE.
CREATE FUNCTION t.as_role(role text, statement text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('role', role, true);
	EXECUTE statement;
	PERFORM set_config('role', 'none', true);
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END
$$;

-- The words and hint of the error that a statement raises.
CREATE FUNCTION t.words(statement text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN SQLSTATE || ' ' || SQLERRM || ' / ' || hint;
END
$$;

-- Noon-less: the start of the UTC day n days from today.
CREATE FUNCTION t.day(n integer) RETURNS timestamptz
LANGUAGE sql STABLE AS $$ SELECT (date_trunc('day', now() AT TIME ZONE 'UTC') + n * interval '1 day') AT TIME ZONE 'UTC' $$;

CREATE FUNCTION t.record(source_ip text, count bigint, dkim text, spf text, more jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object('source_ip', source_ip, 'count', count, 'dkim', dkim, 'spf', spf, 'disposition', 'none') || more
$$;

-- An aggregate report as an item. Its checksum is that of its content, or of more's "content".
CREATE FUNCTION t.report(domain text, org_name text, report_id text, begin timestamptz, records jsonb, more jsonb DEFAULT '{}')
RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object('kind', 'aggregate', 'dialect', 'rfc7489', 'domain', domain, 'org_name', org_name, 'email', 'dmarc@' || left(org_name, 99),
		'report_id', report_id, 'begin', begin, 'end', begin + interval '86399 seconds', 'p', 'reject', 'record', records) || more
$$;

CREATE FUNCTION t.unreadable(code text, reason text) RETURNS jsonb
LANGUAGE sql AS $$ SELECT jsonb_build_object('kind', 'unreadable', 'code', code, 'reason', reason, 'place', 'part 2') $$;

CREATE FUNCTION t.mail(VARIADIC items jsonb[]) RETURNS jsonb
LANGUAGE sql AS $$ SELECT jsonb_build_object('items', to_jsonb(items)) $$;

-- What COMMIT does; a test takes in several batches in one transaction.
CREATE FUNCTION t.unstage() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM pg_temp.stage_mail;
	DELETE FROM pg_temp.stage_item;
	DELETE FROM pg_temp.stage_record;
	DELETE FROM pg_temp.work_mail;
	DELETE FROM pg_temp.work_item;
END
$$;

-- Stage mails, without taking them in. A mail's bytes are its JSON.
CREATE FUNCTION t.stage(VARIADIC mails jsonb[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	mail jsonb;
	item jsonb;
BEGIN
	PERFORM ruad.stage_open();
	PERFORM t.unstage();
	FOR m IN 1 .. cardinality(mails) LOOP
		mail := mails[m];
		INSERT INTO pg_temp.stage_mail
		SELECT m, coalesce((mail ->> 'received_at')::timestamptz, now()), 'lmtp', NULL, 'a@b.example', '["dmarc-sum@here.example"]',
			length(mail::text), sha256(convert_to(mail::text, 'UTF8')), '<1@b.example>', mail ->> 'subject', 'a@b.example';
		FOR i IN 1 .. jsonb_array_length(mail -> 'items') LOOP
			item := mail -> 'items' -> (i - 1);
			INSERT INTO pg_temp.stage_item
			SELECT (jsonb_populate_record(NULL::pg_temp.stage_item, item || jsonb_build_object('mail_no', m, 'item_no', i,
				'records', coalesce((item ->> 'records')::bigint, jsonb_array_length(item -> 'record')),
				'sha256', CASE WHEN item ->> 'kind' = 'aggregate' THEN
					sha256(convert_to(coalesce(item ->> 'content', item::text), 'UTF8')) END))).*;
			INSERT INTO pg_temp.stage_record
			SELECT (jsonb_populate_record(NULL::pg_temp.stage_record,
				r || jsonb_build_object('mail_no', m, 'item_no', i, 'record_no', no))).*
			FROM jsonb_array_elements(item -> 'record') WITH ORDINALITY AS e(r, no);
		END LOOP;
	END LOOP;
END
$$;

-- Take mails in as ruad-ingest does: "stored duplicates conflicts unreadable keep_raw" of each.
CREATE FUNCTION t.take(VARIADIC mails jsonb[]) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	r record;
BEGIN
	PERFORM t.stage(VARIADIC mails);
	FOR r IN SELECT * FROM ruad.ingest() LOOP
		IF r.keep_raw THEN
			PERFORM ruad.keep_raw(r.mail_id, convert_to(mails[r.mail_no]::text, 'UTF8'));
		END IF;
		RETURN NEXT format('%s %s %s %s %s', r.stored, r.duplicates, r.conflicts, r.unreadable, r.keep_raw);
	END LOOP;
	PERFORM t.unstage();
END
$$;
