-- ledger.sql - the ledger of mails and of what was found in them, and the bytes that are kept.

-- Hand over the bytes of a mail for which ingest() said keep_raw, in the same transaction.
CREATE FUNCTION ruad.keep_raw(mail_id bigint, bytes bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE ruad.raw SET raw = bytes WHERE raw.mail = mail_id AND raw.raw IS NULL AND raw.sha256 = sha256(bytes);
	IF NOT FOUND THEN
		RAISE EXCEPTION 'mail %: not waiting for its bytes, or their checksum is another', mail_id
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
END
$$;

-- Reserve a place for the bytes of each mail with something set aside, in conflict or broken off. Where they are kept already, what was
-- set aside is a duplicate. The share lock keeps a row that another session is about to remove; when it was faster, we reserve our own.
CREATE FUNCTION ruad.ingest_raw() RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	wanted bytea[];
	kept bytea[];
BEGIN
	wanted := ARRAY(SELECT DISTINCT m.sha256
		FROM pg_temp.work_item w JOIN pg_temp.stage_mail m ON m.mail_no = w.mail_no
		JOIN pg_temp.stage_item i ON i.mail_no = w.mail_no AND i.item_no = w.item_no
		WHERE w.status IN ('quarantined', 'conflict') OR w.status = 'stored' AND i.kind = 'aggregate' AND i.partial);
	LOOP
		INSERT INTO ruad.raw (mail, sha256)
		SELECT DISTINCT ON (m.sha256) w.mail, m.sha256
		FROM pg_temp.work_item w JOIN pg_temp.stage_mail m ON m.mail_no = w.mail_no
		JOIN pg_temp.stage_item i ON i.mail_no = w.mail_no AND i.item_no = w.item_no
		WHERE w.status IN ('quarantined', 'conflict') OR w.status = 'stored' AND i.kind = 'aggregate' AND i.partial
		ORDER BY m.sha256, m.mail_no
		ON CONFLICT DO NOTHING;

		kept := ARRAY(SELECT r.sha256 FROM ruad.raw r WHERE r.sha256 = ANY (wanted) ORDER BY r.sha256 FOR KEY SHARE);
		EXIT WHEN cardinality(kept) = cardinality(wanted);
	END LOOP;

	UPDATE pg_temp.work_item w SET status = 'duplicate'
	WHERE w.status IN ('quarantined', 'conflict') AND (SELECT r.mail FROM ruad.raw r WHERE r.mail = w.mail) IS NULL;
END
$$;

CREATE FUNCTION ruad.fault_words(code text, kind text, domain text) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
	SELECT CASE
		WHEN code = 'conflict' THEN 'a report with the same key is stored and its content is another'
		WHEN code = 'partial' THEN 'the report breaks off; its whole records are stored'
		WHEN code = 'incomplete' AND kind = 'tls' THEN 'no date range or no checksum'
		WHEN code = 'incomplete' AND kind IN ('failure', 'feedback') THEN 'no checksum'
		WHEN code = 'incomplete' AND octet_length(domain) > 255 THEN
			format('policy_published/domain has %s bytes: not a domain name (RFC 1035 section 2.3.4)', octet_length(domain))
		WHEN code = 'incomplete' THEN 'no policy domain, no date range or no checksum'
		WHEN code = 'inconsistent' AND kind = 'aggregate' THEN 'the parser announced other records than it sent'
		WHEN code = 'inconsistent' THEN 'the parser sent no such report'
	END
$$;

-- What the ledger says of the batch's items.
CREATE FUNCTION ruad.ingest_findings() RETURNS SETOF ruad.item
LANGUAGE plpgsql
AS $$
BEGIN
	RETURN QUERY
	SELECT w.mail, w.item_no, k.kind, w.status::text, i.place, c.code,
		CASE
			WHEN c.code IS NULL THEN NULL
			WHEN k.kind <> 'unreadable' THEN ruad.fault_words(c.code, k.kind, i.domain)
			ELSE coalesce(i.reason, 'the parser gave no reason')
		END,
		w.report, i.sha256, k.kind = 'aggregate' AND i.partial IS TRUE
	FROM pg_temp.stage_item i
	JOIN pg_temp.work_item w ON w.mail_no = i.mail_no AND w.item_no = i.item_no
	CROSS JOIN LATERAL (SELECT CASE WHEN i.kind IN ('aggregate', 'failure', 'feedback', 'tls') THEN i.kind ELSE 'unreadable' END) AS k(kind)
	CROSS JOIN LATERAL (SELECT CASE
		WHEN k.kind = 'unreadable' THEN coalesce(i.code, 'unreadable')
		WHEN w.code IS NOT NULL THEN w.code
		WHEN w.status = 'stored' AND i.partial AND k.kind = 'aggregate' THEN 'partial' END) AS c(code);
END
$$;

CREATE FUNCTION ruad.ingest_ledger() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO ruad.mail (id, received_at, source, name, envelope_from, recipients, size, sha256, message_id, subject, header_from,
		authentic, raw)
	SELECT w.mail, m.received_at, m.source, m.name, m.envelope_from, m.recipients, m.size, m.sha256, m.message_id, m.subject,
		m.header_from, ruad.verdict(m.authentic), (SELECT r.mail FROM ruad.raw r WHERE r.sha256 = m.sha256)
	FROM pg_temp.stage_mail m JOIN pg_temp.work_mail w ON w.mail_no = m.mail_no;

	INSERT INTO ruad.item (mail, item_no, kind, status, place, code, reason, report, sha256, partial)
	SELECT f.mail, f.item_no, f.kind, f.status, f.place, f.code, f.reason, f.report, f.sha256, f.partial
	FROM ruad.ingest_findings() f;
END
$$;

-- Remove the bytes kept for these mails, those that nothing found in a mail with the same bytes needs. The lock makes another session
-- that decides the same wait, so that the last one sees all.
CREATE FUNCTION ruad.release_raw(mails bigint[]) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	kept bigint[];
BEGIN
	kept := ARRAY(SELECT r.mail FROM ruad.raw r WHERE r.mail IN (SELECT m.raw FROM ruad.mail m WHERE m.id = ANY (mails))
		ORDER BY r.sha256 FOR UPDATE);
	DELETE FROM ruad.raw r
	WHERE r.mail = ANY (kept) AND NOT EXISTS (SELECT FROM ruad.mail m JOIN ruad.item i ON i.mail = m.id
		WHERE m.raw = r.mail AND (i.status IN ('quarantined', 'conflict') OR i.status = 'stored' AND i.partial));
	UPDATE ruad.mail m SET raw = NULL
	WHERE m.raw = ANY (kept) AND NOT EXISTS (SELECT FROM ruad.raw r WHERE r.mail = m.raw);
END
$$;
