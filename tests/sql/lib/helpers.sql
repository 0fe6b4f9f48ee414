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
LANGUAGE sql STABLE AS $$
	SELECT (date_trunc('day', now() AT TIME ZONE 'UTC') + n * interval '1 day') AT TIME ZONE 'UTC' $$;

CREATE FUNCTION t.record(source_ip text, count bigint, dkim text, spf text, more jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object('source_ip', source_ip, 'count', count, 'dkim', dkim, 'spf', spf, 'disposition', 'none')
		|| more
$$;

-- Members of the items of a list, by their paths: "policy.p".
CREATE FUNCTION t.members(items jsonb, VARIADIC members text[]) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_agg((SELECT jsonb_agg(i.item #> string_to_array(m, '.') ORDER BY k)
		FROM unnest(members) WITH ORDINALITY u(m, k)) ORDER BY i.no)
	FROM jsonb_array_elements(items) WITH ORDINALITY i(item, no)
$$;

-- An aggregate report as an item. Its checksum is that of its JSON, or of more's "bytes".
CREATE FUNCTION t.report(domain text, org_name text, report_id text, begin timestamptz, records jsonb,
	more jsonb DEFAULT '{}')
RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object('kind', 'aggregate', 'dialect', 'rfc7489', 'domain', domain, 'org_name', org_name,
		'email', 'dmarc@' || left(org_name, 99), 'report_id', report_id, 'begin', begin,
		'end', begin + interval '86399 seconds', 'p', 'reject', 'record', records) || more
$$;

CREATE FUNCTION t.unreadable(code text, reason text) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object('kind', 'unreadable', 'code', code, 'reason', reason, 'place', 'part 2') $$;

CREATE FUNCTION t.mail(VARIADIC items jsonb[]) RETURNS jsonb
LANGUAGE sql AS $$ SELECT jsonb_build_object('items', to_jsonb(items)) $$;

-- A mail's bytes: its JSON, or what its "bytes" says, so that two readings of one mail can be told.
CREATE FUNCTION t.bytes(mail jsonb) RETURNS bytea
LANGUAGE sql AS $$ SELECT convert_to(coalesce(mail ->> 'bytes', mail::text), 'UTF8') $$;

-- Mails and their items as ruad-ingest hands them over; of_mail and its bytes are those of a mail that is read again.
CREATE FUNCTION t.mails(VARIADIC mails jsonb[]) RETURNS ruad.new_mail[]
LANGUAGE sql AS $$
	SELECT array_agg(ROW((m.v ->> 'again')::bigint, coalesce((m.v ->> 'received_at')::timestamptz, now()),
		'lmtp', NULL, 'a@b.example', coalesce(m.v -> 'recipients', '["dmarc-sum@here.example"]'), length(t.bytes(m.v)),
		coalesce(decode(m.v ->> 'sha256', 'hex'),
			(SELECT k.sha256 FROM ruad.raw k WHERE k.mail = (m.v ->> 'again')::bigint), sha256(t.bytes(m.v))),
			'<1@b.example>', m.v ->> 'subject', 'a@b.example', coalesce(m.v ->> 'authentic', 'none'))::ruad.new_mail
			ORDER BY m.no)
	FROM unnest(mails) WITH ORDINALITY AS m(v, no)
$$;

CREATE FUNCTION t.items(VARIADIC mails jsonb[]) RETURNS ruad.new_item[]
LANGUAGE sql AS $$
	SELECT coalesce(array_agg(jsonb_populate_record(NULL::ruad.new_item, i.v
		|| jsonb_build_object('mail_no', m.no, 'item_no', i.no,
		'announced', coalesce((i.v ->> 'records')::bigint, r.n), 'records', r.n, 'messages', r.messages, 'pass', r.pass,
		'partial', coalesce((i.v ->> 'partial')::boolean, false), 'record_notes', r.notes,
		'sha256', CASE
			WHEN i.v ? 'sha256' THEN (i.v ->> 'sha256')::bytea
			WHEN i.v ->> 'kind' <> 'unreadable' THEN sha256(convert_to(coalesce(i.v ->> 'bytes', i.v::text), 'UTF8'))
		END)) ORDER BY m.no, i.no), '{}')
	FROM unnest(mails) WITH ORDINALITY AS m(v, no)
	CROSS JOIN LATERAL jsonb_array_elements(m.v -> 'items') WITH ORDINALITY AS i(v, no)
	CROSS JOIN LATERAL (
		SELECT count(*) AS n, least(coalesce(sum((e ->> 'count')::bigint), 0), 9223372036854775807) AS messages,
			least(coalesce(sum((e ->> 'count')::bigint) FILTER (WHERE e ->> 'dkim' = 'pass' OR e ->> 'spf' = 'pass'),
				0), 9223372036854775807) AS pass,
			(SELECT jsonb_object_agg(c.code, c.n) FROM (SELECT n ->> 'code' AS code, count(*) AS n
				FROM jsonb_path_query(i.v, '$.record[*].notes[*]') n GROUP BY 1) c) AS notes
		FROM jsonb_array_elements(i.v -> 'record') e) r
$$;

-- Add the records of a report that was stored.
CREATE FUNCTION t.add_records(item jsonb, of_report bigint, of_domain integer, of_reporter integer, of_day date)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	evaluations ruad.new_evaluation[] := ARRAY(SELECT jsonb_populate_record(NULL::ruad.new_evaluation, e.v
		|| jsonb_build_object('domain_id', of_domain, 'day', of_day))
		FROM jsonb_array_elements(item -> 'record') WITH ORDINALITY AS e(v, no) ORDER BY e.no);
	ids bigint[] := ARRAY(SELECT ruad.evaluations(evaluations));
BEGIN
	INSERT INTO ruad.record (begin, report, count, evaluation, day, domain_id, reporter_id, record_no, source_ip)
	SELECT (item ->> 'begin')::timestamptz, of_report, (e.v ->> 'count')::bigint, ids[e.no], of_day, of_domain,
		of_reporter, e.no, (e.v ->> 'source_ip')::inet
	FROM jsonb_array_elements(item -> 'record') WITH ORDINALITY AS e(v, no);
END
$$;

-- Store mails as ruad-ingest does: "stored duplicates conflicts unreadable keep_raw" of each.
CREATE FUNCTION t.take(VARIADIC mails jsonb[]) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT * FROM ruad.ingest(t.mails(VARIADIC mails), t.items(VARIADIC mails)) LOOP
		IF r.item_no IS NOT NULL THEN
			PERFORM t.add_records(mails[r.mail_no] -> 'items' -> (r.item_no - 1), r.report, r.domain_id, r.reporter_id,
				r.day);
			CONTINUE;
		END IF;
		IF r.keep_raw THEN
			PERFORM ruad.keep_raw(r.mail_id, t.bytes(mails[r.mail_no]));
		END IF;
		RETURN NEXT format('%s %s %s %s %s', r.stored, r.duplicates, r.conflicts, r.unreadable, r.keep_raw);
	END LOOP;
END
$$;

-- Read a kept mail again, as ruad reprocess does; the mail has the new findings, and the bytes that are kept.
CREATE FUNCTION t.again(of_mail bigint, reading jsonb) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	mail jsonb := reading || jsonb_build_object('again', of_mail, 'received_at', '2000-01-01');
	r record;
	answer text;
BEGIN
	FOR r IN SELECT * FROM ruad.ingest_again(t.mails(mail), t.items(mail)) LOOP
		IF r.mail_id <> of_mail OR r.mail_no <> 1 THEN
			RAISE EXCEPTION 'mail % became %', of_mail, r.mail_id;
		ELSIF r.item_no IS NOT NULL THEN
			PERFORM t.add_records(mail -> 'items' -> (r.item_no - 1), r.report, r.domain_id, r.reporter_id, r.day);
		ELSE
			answer := format('%s %s %s %s %s', r.stored, r.duplicates, r.conflicts, r.unreadable, r.keep_raw);
		END IF;
	END LOOP;
	RETURN answer;
END
$$;

-- The ledger of a mail: "item_no kind status code report" of each item, its reports numbered, and whether its bytes
-- are kept.
CREATE FUNCTION t.ledger(of_mail bigint) RETURNS text
LANGUAGE sql AS $$
	SELECT coalesce(string_agg(concat_ws(' ', item_no, kind, status, code, CASE WHEN report IS NULL THEN '-' ELSE 'r'
		|| dense END), ', ' ORDER BY item_no), '')
		|| CASE WHEN EXISTS (SELECT FROM ruad.raw r JOIN ruad.mail m ON m.raw = r.mail AND m.sha256 = r.sha256
			WHERE m.id = of_mail AND r.raw IS NOT NULL)
			THEN ' +raw' ELSE '' END
	FROM (SELECT i.*, dense_rank() OVER (ORDER BY (SELECT min(f.item_no) FROM ruad.item f WHERE f.mail = i.mail
		AND f.report = i.report)) AS dense
		FROM ruad.item i WHERE i.mail = of_mail) x
$$;

-- What must hold at all times: '' or what does not.
CREATE FUNCTION t.broken() RETURNS text
LANGUAGE sql AS $$
	SELECT concat_ws('; ',
		(SELECT 'report ' || min(r.id) || ' has other records than it says' FROM ruad.report r
			WHERE (r.records, r.messages) IS DISTINCT FROM
			(SELECT (count(*), coalesce(sum(d.count), 0)::bigint) FROM (SELECT x.*, false AS excluded FROM ruad.record x
				UNION ALL SELECT x.*, true FROM ruad.excluded_record x) d
				WHERE (d.domain_id, d.day, d.report, d.excluded) = (r.domain_id, r.day, r.id, r.exclusion IS NOT NULL)) HAVING min(r.id) IS NOT NULL),
		(SELECT 'record without report' FROM (TABLE ruad.record UNION ALL TABLE ruad.excluded_record) d WHERE NOT EXISTS (SELECT FROM ruad.report r
			WHERE (d.domain_id, d.day, d.report) = (r.domain_id, r.day, r.id)) LIMIT 1),
		(SELECT 'report ' || min(r.id) || ' has not one stored item in its mail' FROM (SELECT id, mail FROM ruad.report
			UNION ALL SELECT id, mail FROM ruad.failure UNION ALL SELECT id, mail FROM ruad.tls) r
			WHERE (SELECT count(*) FROM ruad.item i WHERE i.report = r.id AND i.status = 'stored'
				AND i.mail = r.mail) <> 1 HAVING min(r.id) IS NOT NULL),
		(SELECT 'report ' || i.report || ' is stored twice' FROM ruad.item i WHERE i.status = 'stored' GROUP BY i.report
			HAVING count(*) > 1 LIMIT 1),
		(SELECT 'item and report differ on partial' FROM ruad.report r JOIN ruad.item i ON i.report = r.id
			AND i.status = 'stored' AND i.partial <> r.partial LIMIT 1),
		(SELECT 'bytes of mail ' || k.mail || ' that nothing needs' FROM ruad.raw k
			WHERE NOT EXISTS (SELECT FROM ruad.mail m JOIN ruad.item i ON i.mail = m.id
			WHERE m.raw = k.mail AND (i.status IN ('quarantined', 'conflict') OR i.status = 'stored' AND i.partial))
			LIMIT 1),
		(SELECT 'mail ' || i.mail || ' lacks its bytes' FROM ruad.item i JOIN ruad.mail m ON m.id = i.mail
			WHERE (i.status IN ('quarantined', 'conflict') OR i.status = 'stored' AND i.partial)
				AND NOT EXISTS (SELECT FROM ruad.raw k WHERE k.mail = m.raw AND k.raw IS NOT NULL) LIMIT 1),
		(SELECT 'mail ' || m.id || ' has other bytes than it says' FROM ruad.mail m LEFT
			JOIN ruad.raw k ON k.mail = m.raw WHERE m.raw IS NOT NULL AND k.sha256 IS DISTINCT FROM m.sha256 LIMIT 1),
		(SELECT 'failure_seen and failure differ' FROM ruad.failure f FULL
			JOIN ruad.failure_seen s USING (id, sha256, begin) WHERE f.mail IS NULL OR s.id IS NULL LIMIT 1))
$$;

-- Failure and TLS reports as items, from their content.
CREATE FUNCTION t.failure(content jsonb, more jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE sql AS $$ SELECT jsonb_build_object('kind', 'failure', 'place', 'mail', 'content', content) || more $$;

CREATE FUNCTION t.tls(content jsonb, more jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE sql AS $$ SELECT jsonb_build_object('kind', 'tls', 'place', 'part 2', 'content', content) || more $$;

-- The example of RFC 8460 appendix B, shortened, of another organisation and day.
CREATE FUNCTION t.tls_content(organization_name text DEFAULT 'Company-X',
	day timestamptz DEFAULT '2016-04-01 00:00:00+00', domains text[] DEFAULT '{company-y.example}') RETURNS jsonb
LANGUAGE sql AS $$
	SELECT jsonb_build_object('organization_name', organization_name, 'contact_info', 'sts-reporting@company-x.example',
		'report_id', '5065427c-23d3-47ca-b6e0-946ea0e8c4be', 'date_range', jsonb_build_object(
			'start_datetime', to_char(day AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
			'end_datetime', to_char(day AT TIME ZONE 'UTC' + interval '1 day - 1 second',
				'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
		'policies',
		(SELECT jsonb_agg(jsonb_build_object('policy', jsonb_build_object('policy_type', 'sts', 'policy_string',
				'["version: STSv1", "mode: testing"]'::jsonb, 'policy_domain', d, 'mx_host',
				'["*.mail.company-y.example"]'::jsonb),
			'summary', '{"total_successful_session_count": 5326, "total_failure_session_count": 303}'::jsonb,
			'failure_details', '[{"result_type": "certificate-expired", "sending_mta_ip": "2001:db8:abcd:12::1",
			"receiving_mx_hostname": "mx1.mail.company-y.example",
				"receiving_mx_helo": null, "receiving_ip": null, "failed_session_count": 100,
				"additional_information": null, "failure_reason_code": null}, {"result_type": "starttls-not-supported",
				"sending_mta_ip": "192.0.2.1", "receiving_mx_hostname": "mx2.mail.company-y.example",
				"receiving_mx_helo": "mx2", "receiving_ip": "203.0.113.56", "failed_session_count": 200,
				"additional_information": "https://reports.company-x.example/",
				"failure_reason_code": "code"}]'::jsonb)) FROM unnest(domains) d))
$$;

-- Whether a list of n items has a next page at sizes n - 1, n and n + 1: call has a %s for the page.
CREATE FUNCTION t.has_next(call text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	answer jsonb;
	n integer;
	found text[];
BEGIN
	EXECUTE 'SELECT api.' || format(call, 'api.page(400)') INTO answer;
	n := jsonb_array_length(answer -> 'items');
	FOR size IN n - 1 .. n + 1 LOOP
		EXECUTE 'SELECT api.' || format(call, format('api.page(%s)', size)) INTO answer;
		found := found || ((answer ->> 'next') IS NOT NULL)::text;
	END LOOP;
	RETURN array_to_string(found, ' ');
END
$$;

-- Sum up all that waits, and return how much is left. Each step needs a transaction of its own, so another session
-- does it.
CREATE FUNCTION t.sum_up() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	more boolean := true;
BEGIN
	IF ('sums' = ANY (tap.dblink_get_connections())) IS NOT TRUE THEN
		PERFORM tap.dblink_connect('sums', format('host=%s user=postgres dbname=%I '
			'options=''-c default_transaction_isolation=repeatable\\ read''',
			current_setting('unix_socket_directories'), current_database()));
	END IF;
	WHILE more LOOP
		SELECT r.more INTO more FROM tap.dblink('sums', 'SELECT ruad.sum_up()') AS r(more boolean);
	END LOOP;
	RETURN (SELECT count(*) FROM ruad.unsummed) + (SELECT count(*) FROM ruad.stale);
END
$$;

-- All that is old, a step after the other.
CREATE FUNCTION t.prune(kind text, before timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	names text[];
	step bigint[];
	total bigint[];
BEGIN
	LOOP
		SELECT array_agg(p.what), array_agg(p.removed) INTO names, step FROM ruad.prune(kind, before) p;
		total := ARRAY(SELECT coalesce(a, 0) + b FROM unnest(total, step) WITH ORDINALITY u(a, b, o) ORDER BY o);
		EXIT WHEN 0 = ALL (step);
	END LOOP;
	RETURN (SELECT string_agg(n || ' ' || r, ', ' ORDER BY o) FROM unnest(names, total) WITH ORDINALITY u(n, r, o));
END
$$;
