-- intake.sql - views of the mails that were received and of what was found in them.

CREATE OR REPLACE VIEW dmarc.intake WITH (security_invoker = true) AS
SELECT m.id AS mail, i.item_no, m.received_at, m.source, m.name, m.envelope_from, m.recipients, m.size,
	m.sha256 AS mail_sha256, m.message_id, m.subject, m.header_from, i.kind, i.status, i.code, i.reason,
	i.place, i.report, i.sha256, m.raw AS raw_mail, m.authentic, i.partial
FROM ruad.mail m
LEFT JOIN ruad.item i ON i.mail = m.id;
COMMENT ON VIEW dmarc.intake IS
	'One row per item found in a delivered mail, and what became of it: the ledger of everything received.';
COMMENT ON COLUMN dmarc.intake.mail IS 'Number of the delivery';
COMMENT ON COLUMN dmarc.intake.item_no IS 'Place of the item in the mail, from 1';
COMMENT ON COLUMN dmarc.intake.received_at IS 'When the mail was received';
COMMENT ON COLUMN dmarc.intake.source IS 'lmtp or import';
COMMENT ON COLUMN dmarc.intake.name IS 'Path of an imported file';
COMMENT ON COLUMN dmarc.intake.envelope_from IS 'Reverse-path; empty for <>';
COMMENT ON COLUMN dmarc.intake.recipients IS 'Recipients: array of addresses';
COMMENT ON COLUMN dmarc.intake.size IS 'Bytes of the mail';
COMMENT ON COLUMN dmarc.intake.mail_sha256 IS 'SHA-256 of the mail';
COMMENT ON COLUMN dmarc.intake.message_id IS 'Header Message-ID: a hint, not trusted';
COMMENT ON COLUMN dmarc.intake.subject IS 'Header Subject: a hint, not trusted';
COMMENT ON COLUMN dmarc.intake.header_from IS 'Header From: a hint, not trusted';
COMMENT ON COLUMN dmarc.intake.status IS
	'stored, duplicate (already stored), conflict (already stored with other content) or quarantined (not readable)';
COMMENT ON COLUMN dmarc.intake.place IS 'Where in the mail it was found';
COMMENT ON COLUMN dmarc.intake.raw_mail IS
	'Number of the delivery under which the same bytes are stored; NULL when they are not stored';
COMMENT ON COLUMN dmarc.intake.kind IS 'aggregate, failure, feedback (another report by RFC 5965), tls or unreadable';
COMMENT ON COLUMN dmarc.intake.code IS
	'Why it was not stored, as a code for grouping; partial for a stored report that is truncated';
COMMENT ON COLUMN dmarc.intake.reason IS 'The same in a sentence';
COMMENT ON COLUMN dmarc.intake.report IS
	'The report it became, repeats or contradicts: dmarc.reports.id, dmarc.failure_reports.id or dmarc.tls_reports.id '
		'depending on kind; it may have been pruned';
COMMENT ON COLUMN dmarc.intake.sha256 IS
	'SHA-256 of the unpacked XML or JSON, for a failure report of its second and third part';
COMMENT ON COLUMN dmarc.intake.authentic IS
	'Verdict of the local MTA on the mail: pass (an authenticated domain is aligned with its From), fail or none';
COMMENT ON COLUMN dmarc.intake.partial IS 'Whether it is an aggregate report that is truncated in this mail';

CREATE OR REPLACE VIEW dmarc.mails WITH (security_invoker = true) AS
SELECT m.id AS mail, m.received_at, m.source, m.name, m.envelope_from, m.recipients, m.size, m.sha256 AS mail_sha256,
	m.message_id, m.subject, m.header_from, m.authentic, f.kinds, f.items, f.stored, f.duplicates, f.conflicts,
	f.quarantined, m.raw AS raw_mail
FROM ruad.mail m
LEFT JOIN LATERAL (
	SELECT array_agg(DISTINCT i.kind) AS kinds, count(*) AS items,
		count(*) FILTER (WHERE i.status = 'stored') AS stored,
		count(*) FILTER (WHERE i.status = 'duplicate') AS duplicates,
		count(*) FILTER (WHERE i.status = 'conflict') AS conflicts,
		count(*) FILTER (WHERE i.status = 'quarantined') AS quarantined
	FROM ruad.item i WHERE i.mail = m.id
) f ON true;
COMMENT ON VIEW dmarc.mails IS 'One row per delivered mail; dmarc.intake has what was found in each.';
COMMENT ON COLUMN dmarc.mails.mail IS 'Number of the delivery';
COMMENT ON COLUMN dmarc.mails.received_at IS 'When the mail was received';
COMMENT ON COLUMN dmarc.mails.source IS 'lmtp or import';
COMMENT ON COLUMN dmarc.mails.name IS 'Path of an imported file';
COMMENT ON COLUMN dmarc.mails.envelope_from IS 'Reverse-path; empty for <>';
COMMENT ON COLUMN dmarc.mails.recipients IS 'Recipients: array of addresses';
COMMENT ON COLUMN dmarc.mails.size IS 'Bytes of the mail';
COMMENT ON COLUMN dmarc.mails.mail_sha256 IS 'SHA-256 of the mail';
COMMENT ON COLUMN dmarc.mails.message_id IS 'Header Message-ID: a hint, not trusted';
COMMENT ON COLUMN dmarc.mails.subject IS 'Header Subject: a hint, not trusted';
COMMENT ON COLUMN dmarc.mails.header_from IS 'Header From: a hint, not trusted';
COMMENT ON COLUMN dmarc.mails.authentic IS
	'Verdict of the local MTA on the mail: pass (an authenticated domain is aligned with its From), fail or none';
COMMENT ON COLUMN dmarc.mails.kinds IS 'Kinds of the items found in it, each once; NULL when nothing was found';
COMMENT ON COLUMN dmarc.mails.items IS 'How many items were found in it';
COMMENT ON COLUMN dmarc.mails.stored IS 'Of these, reports that were stored';
COMMENT ON COLUMN dmarc.mails.duplicates IS 'Of these, duplicates of stored reports';
COMMENT ON COLUMN dmarc.mails.conflicts IS 'Of these, conflicts with stored reports';
COMMENT ON COLUMN dmarc.mails.quarantined IS 'Of these, not readable';
COMMENT ON COLUMN dmarc.mails.raw_mail IS
	'Number of the delivery under which the same bytes are stored; NULL when they are not stored';

CREATE OR REPLACE VIEW dmarc.notes WITH (security_invoker = true) AS
SELECT t.kind, t.report, t.record_no, n.no::integer AS note_no, d.name AS domain, o.org_name, t.begin, t.day,
	n.value ->> 'code' AS code, n.value ->> 'path' AS path, n.value ->> 'raw' AS raw, t.domain_id
FROM (
	SELECT 'aggregate'::text AS kind, id AS report, NULL::integer AS record_no, domain_id, reporter_id, begin,
		day, notes FROM ruad.report WHERE exclusion IS NULL
	UNION ALL SELECT 'aggregate', r.report, r.record_no, r.domain_id, r.reporter_id, r.begin, r.day, e.notes
		FROM ruad.visible_record r JOIN ruad.evaluation e ON e.domain_id = r.domain_id AND e.id = r.evaluation
		WHERE e.notes IS NOT NULL
	UNION ALL SELECT kind, id, NULL, domain_id, NULL, begin, day, notes FROM ruad.failure
	UNION ALL SELECT 'tls', id, NULL, domain_id, reporter_id, begin, day, notes FROM ruad.tls
) t
LEFT JOIN ruad.domain d ON d.id = t.domain_id
LEFT JOIN ruad.reporter o ON o.id = t.reporter_id
CROSS JOIN LATERAL jsonb_path_query(t.notes, '$[*]') WITH ORDINALITY AS n(value, no)
WHERE t.notes IS NOT NULL;
COMMENT ON VIEW dmarc.notes IS
	'One row per finding of ruad about the format or the consistency of a report. parser/notes.h lists the codes.';
COMMENT ON COLUMN dmarc.notes.kind IS 'Kind of the report: aggregate, failure, feedback or tls';
COMMENT ON COLUMN dmarc.notes.report IS
	'Number of the report: dmarc.reports.id, dmarc.failure_reports.id or dmarc.tls_reports.id depending on kind';
COMMENT ON COLUMN dmarc.notes.record_no IS
	'Place of the record in the report; NULL for findings about the report itself';
COMMENT ON COLUMN dmarc.notes.note_no IS 'Place of the note in the report or record, from 1';
COMMENT ON COLUMN dmarc.notes.domain IS 'The domain that the report is about; for a TLS report the first';
COMMENT ON COLUMN dmarc.notes.org_name IS 'The reporter, as written; NULL for failure reports';
COMMENT ON COLUMN dmarc.notes.begin IS 'begin of the report';
COMMENT ON COLUMN dmarc.notes.day IS 'The UTC day of begin';
COMMENT ON COLUMN dmarc.notes.code IS 'Code of the finding, for grouping';
COMMENT ON COLUMN dmarc.notes.path IS 'Path of the element, relative to the report or record';
COMMENT ON COLUMN dmarc.notes.raw IS 'The value as written in the report';
COMMENT ON COLUMN dmarc.notes.domain_id IS 'Number of the domain, see dmarc.domains; 0 is none';
