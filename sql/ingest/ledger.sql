-- ledger.sql - the ledger of mails and of the items found in them, and the bytes that are stored.

-- The bytes of mail that are kept together, or 0 if they are certainly no more than p_most. The size of the table is
-- known at once and never too small; only beyond the limit the mails are summed.
CREATE FUNCTION ruad.raw_beyond(p_most numeric) RETURNS numeric
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	IF pg_total_relation_size('ruad.raw') <= p_most THEN
		RETURN 0;
	END IF;
	RETURN (SELECT coalesce(sum(octet_length(r.raw)), 0) FROM ruad.raw r);
END
$$;

-- Refuse more bytes than the session's ruad.max_raw lets all stored mail have together; not set or empty: any number.
CREATE FUNCTION ruad.check_raw(more bigint) RETURNS void
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	most bigint := nullif(current_setting('ruad.max_raw', true), '');
	used numeric;
BEGIN
	used := CASE WHEN most IS NULL THEN 0 ELSE ruad.raw_beyond(most - more) END;
	IF used + more > most THEN
		RAISE EXCEPTION '% bytes of mail are kept that could not be read, and no more than % may be: '
			'read them again, remove them (ruad prune) or raise retention.max_raw', used, most
			USING ERRCODE = 'configuration_limit_exceeded';
	END IF;
END
$$;

-- Store the bytes of a mail for which ingest() returned keep_raw, in the same transaction.
CREATE FUNCTION ruad.keep_raw(mail_id bigint, bytes bytea) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM ruad.check_raw(octet_length(bytes));
	UPDATE ruad.raw SET raw = bytes WHERE raw.mail = mail_id AND raw.raw IS NULL AND raw.sha256 = sha256(bytes);
	IF NOT FOUND THEN
		RAISE EXCEPTION 'mail %: not waiting for its bytes, or their checksum is another', mail_id
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
END
$$;

-- Reserve a row for the bytes of each mail with something quarantined, in conflict or truncated. If the same bytes
-- are already stored, the quarantined item is a duplicate. The share lock prevents another session from removing a
-- row; if the row is already gone, the loop reserves a new one.
CREATE FUNCTION ruad.reserve_raw(work ruad.judged[]) RETURNS ruad.judged[]
LANGUAGE plpgsql
AS $$
DECLARE
	wanted bytea[];
	kept bytea[];
BEGIN
	wanted := ARRAY(SELECT DISTINCT w.mail_sha256 FROM unnest(work) w
		WHERE w.status IN ('quarantined', 'conflict') OR w.status = 'stored' AND (w.item).kind = 'aggregate'
			AND (w.item).partial);
	LOOP
		INSERT INTO ruad.raw (mail, sha256)
		SELECT DISTINCT ON (w.mail_sha256) w.mail, w.mail_sha256 FROM unnest(work) w
		WHERE w.mail_sha256 = ANY (wanted)
			AND (w.status IN ('quarantined', 'conflict') OR w.status = 'stored' AND (w.item).kind = 'aggregate'
				AND (w.item).partial)
		ORDER BY w.mail_sha256, (w.item).mail_no
		ON CONFLICT DO NOTHING;

		kept := ARRAY(SELECT r.sha256 FROM ruad.raw r WHERE r.sha256 = ANY (wanted) ORDER BY r.sha256 FOR KEY SHARE);
		EXIT WHEN cardinality(kept) = cardinality(wanted);
	END LOOP;
	FOR k IN 1 .. cardinality(work) LOOP
		IF work[k].status IN ('quarantined', 'conflict')
			AND NOT EXISTS (SELECT 1 FROM ruad.raw r WHERE r.mail = work[k].mail) THEN
			work[k].status := 'duplicate';
		END IF;
	END LOOP;
	RETURN work;
END
$$;

-- The sentence for a fault that ingest() itself found in an item; NULL for other codes.
CREATE FUNCTION ruad.fault_words(code text, kind text, domain text) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
	SELECT CASE
		WHEN code = 'conflict' THEN 'a different report with the same key is already stored'
		WHEN code = 'replaced' THEN 'an authenticated report with the same key has replaced it'
		WHEN code = 'partial' THEN 'the report is truncated; its complete records are stored'
		WHEN code = 'incomplete' AND kind = 'tls' THEN 'no date range or no checksum'
		WHEN code = 'incomplete' AND kind IN ('failure', 'feedback') THEN 'no checksum'
		WHEN code = 'incomplete' AND octet_length(domain) > 255 THEN
			format('policy_published/domain has %s bytes: not a domain name (RFC 1035 section 2.3.4)',
				octet_length(domain))
		WHEN code = 'incomplete' THEN 'no policy domain, no date range or no checksum'
		WHEN code = 'inconsistent' AND kind = 'aggregate' THEN 'the parser announced other records than it sent'
		WHEN code = 'inconsistent' THEN 'the parser sent no such report'
	END
$$;

-- The ledger's rows for the items of the batch.
CREATE FUNCTION ruad.findings(work ruad.judged[]) RETURNS SETOF ruad.item
LANGUAGE plpgsql
AS $$
BEGIN
	RETURN QUERY
	SELECT w.mail, i.item_no, k.kind, w.status, i.place, c.code,
		CASE
			WHEN c.code IS NULL THEN NULL
			WHEN k.kind <> 'unreadable' THEN ruad.fault_words(c.code, k.kind, i.domain)
			ELSE coalesce(i.reason, 'the parser gave no reason')
		END,
		w.report, i.sha256, k.kind = 'aggregate' AND i.partial IS TRUE
	FROM unnest(work) w
	CROSS JOIN LATERAL (SELECT (w.item).*) i
	CROSS JOIN LATERAL (SELECT CASE WHEN i.kind IN ('aggregate', 'failure', 'feedback', 'tls') THEN i.kind
		ELSE 'unreadable' END) AS k(kind)
	CROSS JOIN LATERAL (SELECT CASE
		WHEN k.kind = 'unreadable' THEN coalesce(i.code, 'unreadable')
		WHEN w.code IS NOT NULL THEN w.code
		WHEN w.status = 'stored' AND i.partial AND k.kind = 'aggregate' THEN 'partial' END) AS c(code);
END
$$;

-- Write the ledger of new mails.
CREATE FUNCTION ruad.insert_ledger(mails ruad.new_mail[], work ruad.judged[]) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO ruad.mail (id, received_at, source, name, envelope_from, recipients, size, sha256, message_id, subject,
		header_from, authentic, raw)
	SELECT m.id, m.received_at, m.source, m.name, m.envelope_from, m.recipients, m.size, m.sha256,
		m.message_id, m.subject, m.header_from, ruad.verdict(m.authentic),
		(SELECT r.mail FROM ruad.raw r WHERE r.sha256 = m.sha256)
	FROM unnest(mails) m;

	INSERT INTO ruad.item (mail, item_no, kind, status, place, code, reason, report, sha256, partial)
	SELECT f.mail, f.item_no, f.kind, f.status, f.place, f.code, f.reason, f.report, f.sha256, f.partial
	FROM ruad.findings(work) f;
END
$$;

-- Remove the stored bytes of these mails unless an item of a mail with the same bytes needs them. The lock makes
-- another session with the same decision wait, so that the last one sees all items.
CREATE FUNCTION ruad.release_raw(mails bigint[]) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	kept bigint[];
BEGIN
	kept := ARRAY(SELECT r.mail FROM ruad.raw r WHERE r.mail IN (SELECT m.raw FROM ruad.mail m WHERE m.id = ANY (mails))
		ORDER BY r.sha256 FOR UPDATE);
	DELETE FROM ruad.raw r
	WHERE r.mail = ANY (kept) AND NOT EXISTS (SELECT 1 FROM ruad.mail m JOIN ruad.item i ON i.mail = m.id
		WHERE m.raw = r.mail AND (i.status IN ('quarantined', 'conflict') OR i.status = 'stored' AND i.partial));
	UPDATE ruad.mail m SET raw = NULL
	WHERE m.raw = ANY (kept) AND NOT EXISTS (SELECT 1 FROM ruad.raw r WHERE r.mail = m.raw);
END
$$;
