-- content.sql - failure and TLS reports, which are received as JSON.

-- Store the failure reports that are new; the others are duplicates. Copies are identified by their bytes, see
-- failure_seen. begin may differ between copies in one batch (they are in two mails), so nth does not say which comes
-- first; DISTINCT ON does.
CREATE FUNCTION ruad.ingest_failures(work ruad.judged[]) RETURNS ruad.judged[]
LANGUAGE plpgsql
AS $$
DECLARE
	stored bigint[];
BEGIN
	WITH new AS (
		INSERT INTO ruad.failure_seen (sha256, begin, id)
		SELECT DISTINCT ON ((w.item).sha256) (w.item).sha256, w.begin, w.report
		FROM unnest(work) w
		WHERE w.status IS NULL AND (w.item).kind IN ('failure', 'feedback')
		ORDER BY (w.item).sha256, (w.item).mail_no, (w.item).item_no
		ON CONFLICT DO NOTHING
		RETURNING id
	)
	SELECT array_agg(n.id) INTO stored FROM new n;
	work := ruad.mark_stored(work, stored);
	PERFORM ruad.insert_failures(work);
	FOR k IN 1 .. cardinality(work) LOOP
		CONTINUE WHEN work[k].status IS NOT NULL OR (work[k].item).kind = 'tls';
		work[k].status := 'duplicate';
		work[k].report := (SELECT s.id FROM ruad.failure_seen s WHERE s.sha256 = (work[k].item).sha256);
		IF work[k].report IS NULL THEN
			RAISE EXCEPTION 'a report was removed while its copy was received' USING ERRCODE = 'serialization_failure';
		END IF;
	END LOOP;
	RETURN work;
END
$$;

-- Insert the rows of these reports. Every -> unpacks the whole content, so members that may be large are removed from
-- it first.
CREATE FUNCTION ruad.insert_failures(work ruad.judged[]) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	-- columns in the order of the table; built first, since a function with an EXCEPTION block must not run within
	-- INSERT ... SELECT
	rows ruad.failure[];
BEGIN
	rows := ARRAY(SELECT ROW(f.begin, f.report, f.mail, f.received_at, ruad.json_time(f.c -> 'arrival_time'),
		ruad.json_count(f.c -> 'incidents'), f.day, f.domain_id, ruad.json_count(f.c -> 'source_port', 65535)::integer,
		f.kind, ruad.verdict(f.authentic), f.sha256, ruad.json_text(f.c -> 'feedback_type'),
		ruad.json_text(f.c -> 'user_agent'), ruad.json_text(f.c -> 'version'), ruad.json_text(f.c -> 'auth_failure'),
		ruad.json_texts(f.c -> 'authentication_results'), ruad.json_text(f.c -> 'identity_alignment'),
		ruad.json_text(f.c -> 'delivery_result'), ruad.json_text(f.c -> 'original_envelope_id'),
		ruad.json_text(f.c -> 'original_mail_from'), ruad.json_texts(f.c -> 'original_rcpt_to'),
		ruad.json_text(f.c -> 'arrival_date'), ruad.json_text(f.c -> 'reporting_mta'),
		ruad.json_inet(f.c -> 'source_ip'), ruad.json_texts(f.c -> 'reported_domain'),
		ruad.json_texts(f.c -> 'reported_uri'), ruad.json_text(f.c -> 'dkim_domain'),
		ruad.json_text(f.c -> 'dkim_identity'), ruad.json_text(f.c -> 'dkim_selector'), f.canonicalized_header,
		f.canonicalized_body, ruad.json_text(f.c -> 'dkim_selector_dns'), ruad.json_text(f.c -> 'dkim_adsp_dns'),
		ruad.json_texts(f.c -> 'spf_dns'), ruad.json_text(f.c -> 'header_from'), ruad.json_text(f.c -> 'message_id'),
		ruad.json_text(f.c -> 'subject'), f.headers, f.body, f.notes)::ruad.failure
	FROM (
		SELECT w.begin, w.day, w.report, w.mail, w.domain_id, w.received_at, w.authentic, i.kind, i.sha256, i.notes,
			i.content - '{original_headers,original_body,dkim_canonicalized_header,dkim_canonicalized_body}'::text[]
			AS c, ruad.json_text(i.content -> 'original_headers') AS headers,
			ruad.json_text(i.content -> 'original_body') AS body,
			ruad.json_text(i.content -> 'dkim_canonicalized_header') AS canonicalized_header,
			ruad.json_text(i.content -> 'dkim_canonicalized_body') AS canonicalized_body
		FROM unnest(work) w CROSS JOIN LATERAL (SELECT (w.item).*) i
		WHERE w.status = 'stored' AND i.kind IN ('failure', 'feedback')
		OFFSET 0
	) f);
	INSERT INTO ruad.failure SELECT r.* FROM unnest(rows) r;
END
$$;

-- Store the TLS reports that are new; returns their ids.
CREATE FUNCTION ruad.insert_tls(work ruad.judged[]) RETURNS bigint[]
LANGUAGE plpgsql
AS $$
DECLARE
	rows ruad.tls[];
	stored bigint[];
BEGIN
	rows := ARRAY(
		SELECT ROW(w.begin, ruad.json_time(i.content -> 'date_range' -> 'end_datetime'), w.report, w.mail,
			w.received_at, t.good, t.bad, w.day, w.domain_id, w.reporter_id, t.policies, ruad.verdict(w.authentic),
			w.key, i.sha256, ruad.json_text(i.content -> 'contact_info'), ruad.json_text(i.content -> 'report_id'),
			i.notes)::ruad.tls
		FROM unnest(work) w
		CROSS JOIN LATERAL (SELECT (w.item).*) i
		CROSS JOIN LATERAL (
			SELECT count(*)::integer,
				least(coalesce(sum(ruad.json_count(p.value -> 'summary' -> 'total_successful_session_count')), 0),
				9223372036854775807),
				least(coalesce(sum(ruad.json_count(p.value -> 'summary' -> 'total_failure_session_count')), 0),
				9223372036854775807)
			FROM jsonb_array_elements(i.content -> 'policies') AS p(value)) AS t(policies, good, bad)
		WHERE w.status IS NULL AND w.nth = 1 AND i.kind = 'tls');
	WITH new AS (
		INSERT INTO ruad.tls SELECT r.* FROM unnest(rows) r
		ORDER BY r.domain_id, r.day, r.key
		ON CONFLICT DO NOTHING
		RETURNING id
	)
	SELECT array_agg(n.id) INTO stored FROM new n;
	RETURN stored;
END
$$;

-- Insert the policies of the stored TLS reports.
CREATE FUNCTION ruad.insert_tls_policies(work ruad.judged[]) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	rows ruad.tls_policy[];
BEGIN
	rows := ARRAY(
		SELECT ROW(w.begin, w.report, ruad.json_count(p.value -> 'summary' -> 'total_successful_session_count'),
			ruad.json_count(p.value -> 'summary' -> 'total_failure_session_count'), w.day,
			coalesce((SELECT d.id FROM ruad.domain d
				WHERE d.name = ruad.json_text(p.value -> 'policy' -> 'policy_domain')), 0),
			w.reporter_id, p.no, ruad.json_text(p.value -> 'policy' -> 'policy_type'),
			ruad.json_texts(p.value -> 'policy' -> 'policy_string'), ruad.json_texts(p.value -> 'policy' -> 'mx_host'),
			ruad.tls_failure_details(p.value -> 'failure_details'))::ruad.tls_policy
		FROM unnest(work) w
		CROSS JOIN LATERAL jsonb_array_elements((w.item).content -> 'policies') WITH ORDINALITY AS p(value, no)
		WHERE w.status = 'stored' AND (w.item).kind = 'tls');
	INSERT INTO ruad.tls_policy SELECT r.* FROM unnest(rows) r;
END
$$;

-- Remove the stored TLS reports that better ones (ruad.is_better()) with the same key replace, which get their ids.
-- replaced: as of ruad.replace_reports().
CREATE FUNCTION ruad.remove_worse_tls(INOUT work ruad.judged[], OUT replaced bigint[])
LANGUAGE plpgsql
AS $$
DECLARE
	better record;
	old record;
BEGIN
	replaced := '{}';
	FOR better IN
		SELECT w.ordinality AS k, w.mail, w.domain_id, w.day, w.key, (w.item).sha256
		FROM unnest(work) WITH ORDINALITY w
		WHERE w.status IS NULL AND w.nth = 1 AND (w.item).kind = 'tls' AND ruad.verdict(w.authentic) = 'pass'
		ORDER BY w.domain_id, w.day, w.key
	LOOP
		SELECT t.id, t.mail, t.sha256, t.authentic INTO old FROM ruad.tls t
		WHERE t.domain_id = better.domain_id AND t.day = better.day AND t.key = better.key
		FOR UPDATE;
		CONTINUE WHEN NOT FOUND OR NOT ruad.is_better('pass', false, 0, old.authentic, false, 0);

		DELETE FROM ruad.tls_policy p WHERE p.report = old.id AND p.day = better.day;
		DELETE FROM ruad.tls t WHERE t.domain_id = better.domain_id AND t.day = better.day AND t.id = old.id;
		replaced := replaced || ruad.replace_items(old.id, better.mail, old.mail, better.sha256, old.sha256,
			better.sha256 <> old.sha256);
		work[better.k].report := old.id;
	END LOOP;
END
$$;

-- Store the TLS reports that are new or better. The same key with other content is a conflict, as with aggregate
-- reports.
CREATE FUNCTION ruad.ingest_tls(INOUT work ruad.judged[], OUT replaced bigint[])
LANGUAGE plpgsql
AS $$
DECLARE
	known record;
BEGIN
	SELECT r.work, r.replaced INTO work, replaced FROM ruad.remove_worse_tls(work) r;
	work := ruad.mark_stored(work, ruad.insert_tls(work));
	PERFORM ruad.insert_tls_policies(work);
	FOR k IN 1 .. cardinality(work) LOOP
		CONTINUE WHEN work[k].status IS NOT NULL;
		SELECT t.id, t.sha256 = (work[k].item).sha256 AS same INTO known FROM ruad.tls t
		WHERE t.domain_id = work[k].domain_id AND t.day = work[k].day AND t.key = work[k].key;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'a report was removed while its copy was received' USING ERRCODE = 'serialization_failure';
		END IF;
		work[k].report := known.id;
		work[k].status := CASE WHEN known.same THEN 'duplicate' ELSE 'conflict' END;
		work[k].code := CASE WHEN NOT known.same THEN 'conflict' END;
	END LOOP;
	work := ruad.known_conflicts(work);
END
$$;
