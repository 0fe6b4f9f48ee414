-- judge.sql - the items of a batch: the names that they need, and which of them can be stored.

-- Store the domains and reporters of the batch that are new. They are sorted, so that two sessions wait for each
-- other instead of deadlocking.
CREATE FUNCTION ruad.ingest_names(items ruad.new_item[]) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	INSERT INTO ruad.domain (name)
	SELECT DISTINCT n.name
	FROM unnest(items) i
	CROSS JOIN LATERAL unnest(CASE WHEN i.kind = 'aggregate' THEN ARRAY[i.domain]
		WHEN i.kind = 'tls' THEN ruad.tls_domains(i.content)
		WHEN i.kind IN ('failure', 'feedback') THEN ARRAY[ruad.failure_domain(i.content)] END) AS n(name)
	WHERE octet_length(n.name) BETWEEN 1 AND 255 AND NOT EXISTS (SELECT 1 FROM ruad.domain d WHERE d.name = n.name)
	ORDER BY 1
	ON CONFLICT DO NOTHING;

	INSERT INTO ruad.reporter (org_name, org_name_hash)
	SELECT DISTINCT n.org_name, ruad.text_hash(n.org_name) AS hash
	FROM unnest(items) i
	CROSS JOIN LATERAL (SELECT CASE i.kind WHEN 'aggregate' THEN i.org_name
		WHEN 'tls' THEN ruad.json_text(i.content -> 'organization_name') END) AS n(org_name)
	WHERE n.org_name IS NOT NULL
		AND NOT EXISTS (SELECT 1 FROM ruad.reporter r WHERE r.org_name_hash = ruad.text_hash(n.org_name))
	ORDER BY hash
	ON CONFLICT DO NOTHING;
END
$$;

-- Judge the items except those that are received as JSON. A report whose domain or reporter is not stored gets no id,
-- and must be judged again after ruad.ingest_names(). Items that are unreadable or that no correct parser would
-- send are quarantined; the others get their key. nth numbers the items with the same key, the best first
-- (ruad.is_better()): authenticated ones before others, then complete ones, then the longest.
CREATE FUNCTION ruad.judge_aggregate(mails ruad.new_mail[], items ruad.new_item[]) RETURNS ruad.judged[]
LANGUAGE plpgsql
AS $$
BEGIN
	RETURN ARRAY(
		SELECT ROW(j.item, j.mail, j.received_at, j.authentic, j.sha256,
			CASE WHEN j.status IS NULL AND j.domain_id IS NOT NULL
				AND (j.reporter_id IS NOT NULL OR (j.item).org_name IS NULL) THEN nextval('ruad.report_id_seq') END,
			j.begin, ruad.day_of(j.begin), j.domain_id, j.reporter_id, j.key,
			row_number() OVER (PARTITION BY j.status, j.domain_id, j.key
				ORDER BY ruad.verdict(j.authentic) <> 'pass', j.partial,
					CASE WHEN j.partial THEN -(j.item).records END, (j.item).mail_no, (j.item).item_no),
			j.status, j.code)::ruad.judged
		FROM (
			SELECT i AS item, m.id AS mail, m.received_at, m.authentic, m.sha256, i.begin, i.partial IS TRUE AS partial,
				(SELECT d.id FROM ruad.domain d WHERE d.name = i.domain) AS domain_id,
				(SELECT o.id FROM ruad.reporter o WHERE o.org_name_hash = ruad.text_hash(i.org_name)) AS reporter_id,
				ruad.report_key(i.org_name, i.email, i.report_id, i.begin, i."end") AS key,
				CASE WHEN i.kind = 'aggregate' AND fault.code IS NULL THEN NULL ELSE 'quarantined' END AS status,
				fault.code
			FROM unnest(items) i
			JOIN unnest(mails) WITH ORDINALITY m ON m.ordinality = i.mail_no
			CROSS JOIN LATERAL (SELECT CASE
				WHEN i.kind IS DISTINCT FROM 'aggregate' THEN NULL -- the parser gave code and reason
				WHEN i.domain IS NULL OR octet_length(i.domain) NOT BETWEEN 1 AND 255 THEN 'incomplete'
				WHEN i.begin IS NULL OR i."end" IS NULL OR i.sha256 IS NULL THEN 'incomplete'
				WHEN i.announced IS DISTINCT FROM i.records OR least(i.records, i.messages, i.pass) < 0
					OR num_nulls(i.records, i.messages, i.pass) > 0 THEN 'inconsistent'
				END AS code) AS fault
			WHERE i.kind IS NULL OR i.kind NOT IN ('failure', 'feedback', 'tls')
		) j);
END
$$;

-- Returns whether a report must be judged again after ruad.ingest_names(). Most batches have no new name, and looking
-- for them is a tenth of storing a mail.
CREATE FUNCTION ruad.lack_names(work ruad.judged[]) RETURNS boolean
LANGUAGE plpgsql
AS $$
DECLARE
	w ruad.judged;
BEGIN
	FOREACH w IN ARRAY work LOOP
		IF w.status IS NULL AND w.report IS NULL THEN
			RETURN true;
		END IF;
	END LOOP;
	RETURN false;
END
$$;

-- Judge the items that are received as JSON, and decide when a failure report begins.
CREATE FUNCTION ruad.judge_content(mails ruad.new_mail[], items ruad.new_item[]) RETURNS ruad.judged[]
LANGUAGE plpgsql
AS $$
BEGIN
	RETURN ARRAY(
		SELECT ROW(j.item, j.mail, j.received_at, j.authentic, j.sha256,
			CASE WHEN j.code IS NULL THEN nextval('ruad.report_id_seq') END,
			j.begin, ruad.day_of(j.begin), j.domain_id, j.reporter_id, j.key,
			row_number() OVER (PARTITION BY j.code, (j.item).kind = 'tls', j.domain_id, j.begin, j.key
				ORDER BY ruad.verdict(j.authentic) <> 'pass', (j.item).mail_no, (j.item).item_no),
			CASE WHEN j.code IS NOT NULL THEN 'quarantined' END, j.code)::ruad.judged
		FROM (
			SELECT i AS item, m.id AS mail, m.received_at, m.authentic, m.sha256, h.begin, k.code,
				coalesce((SELECT d.id FROM ruad.domain d WHERE d.name = h.domains[1]), 0) AS domain_id,
				(SELECT o.id FROM ruad.reporter o
					WHERE o.org_name_hash = ruad.text_hash(h.organization_name)) AS reporter_id,
				CASE WHEN k.code IS NULL THEN
					ruad.tls_key(h.organization_name, ruad.json_text(i.content -> 'report_id'), h.begin,
						h."end", h.domains) END AS key
			FROM unnest(items) i
			JOIN unnest(mails) WITH ORDINALITY m ON m.ordinality = i.mail_no
			CROSS JOIN LATERAL (SELECT ruad.tls_domains(i.content), ruad.json_text(i.content -> 'organization_name'),
				ruad.json_time(i.content -> 'date_range' -> 'start_datetime'),
				ruad.json_time(i.content -> 'date_range' -> 'end_datetime')
				OFFSET 0) AS h(domains, organization_name, begin, "end")
			CROSS JOIN LATERAL (SELECT CASE
				WHEN h.begin IS NULL OR h."end" IS NULL OR octet_length(i.sha256) IS DISTINCT FROM 32 THEN 'incomplete'
				WHEN jsonb_typeof(i.content -> 'policies') IS DISTINCT FROM 'array' THEN 'inconsistent'
				END) AS k(code)
			WHERE i.kind = 'tls'
			UNION ALL
			SELECT i, m.id, m.received_at, m.authentic, m.sha256, ruad.failure_begin(i.content, m.received_at), k.code,
				coalesce((SELECT d.id FROM ruad.domain d WHERE d.name = ruad.failure_domain(i.content)), 0), NULL,
				CASE WHEN k.code IS NULL THEN substr(encode(i.sha256, 'hex'), 1, 32)::uuid END
			FROM unnest(items) i
			JOIN unnest(mails) WITH ORDINALITY m ON m.ordinality = i.mail_no
			CROSS JOIN LATERAL (SELECT CASE
				WHEN octet_length(i.sha256) IS DISTINCT FROM 32 THEN 'incomplete'
				WHEN jsonb_typeof(i.content) IS DISTINCT FROM 'object' THEN 'inconsistent'
				END) AS k(code)
			WHERE i.kind IN ('failure', 'feedback')
		) j);
END
$$;

-- Returns the array with the items of these reports marked as stored.
CREATE FUNCTION ruad.mark_stored(work ruad.judged[], reports bigint[]) RETURNS ruad.judged[]
LANGUAGE plpgsql
AS $$
BEGIN
	FOR k IN 1 .. cardinality(work) LOOP
		IF work[k].report = ANY (reports) THEN
			work[k].status := 'stored';
		END IF;
	END LOOP;
	RETURN work;
END
$$;

-- Mark conflicts that are already recorded as duplicates.
CREATE FUNCTION ruad.known_conflicts(work ruad.judged[]) RETURNS ruad.judged[]
LANGUAGE plpgsql
AS $$
BEGIN
	FOR k IN 1 .. cardinality(work) LOOP
		CONTINUE WHEN work[k].status IS DISTINCT FROM 'conflict';
		IF EXISTS (SELECT 1 FROM ruad.item o WHERE o.report = work[k].report AND o.status = 'conflict'
			AND o.sha256 = (work[k].item).sha256)
			OR EXISTS (SELECT 1 FROM unnest(work) e WHERE e.report = work[k].report AND e.status = 'conflict'
				AND e.code = 'conflict'
				AND (e.item).sha256 = (work[k].item).sha256
				AND ((e.item).mail_no, (e.item).item_no) < ((work[k].item).mail_no, (work[k].item).item_no))
		THEN
			work[k].status := 'duplicate';
		END IF;
	END LOOP;
	RETURN work;
END
$$;
