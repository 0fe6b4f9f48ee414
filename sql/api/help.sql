-- help.sql - what the words mean, and the SQL behind each number.

-- The statements, for the domains and the window of a filter.
CREATE FUNCTION api.help_queries(f api.filter_set) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
	WITH condition AS (
		SELECT format('WHERE day >= %L AND day < %L', f.from_day, f.to_day) AS days,
			CASE WHEN f.domain IS NOT NULL THEN format(' AND domain = ANY (%L)', f.domain) ELSE '' END AS of
	), where_ AS (
		SELECT days || of AS w, days || replace(of, 'domain', 'policy_domain') AS w_tls FROM condition
	)
	SELECT jsonb_agg(jsonb_build_object('number', q.number, 'sql', q.sql) ORDER BY q.no)
	FROM where_, LATERAL (VALUES
		(1, 'Messages', 'SELECT sum(count) AS messages, sum(count) FILTER (WHERE dmarc_pass) AS pass, sum(count) FILTER (WHERE dkim_aligned) AS dkim_aligned, '
			'sum(count) FILTER (WHERE spf_aligned) AS spf_aligned FROM dmarc.records ' || w),
		(2, 'The chart', 'SELECT day, class, sum(count) AS messages FROM dmarc.records ' || w || ' GROUP BY day, class ORDER BY day, class'),
		(3, 'Sources', 'SELECT source, label, sum(count) AS messages, sum(count) FILTER (WHERE NOT dmarc_pass) AS fail FROM dmarc.records ' || w
			|| ' GROUP BY source, label ORDER BY fail DESC NULLS LAST'),
		(4, 'Names of sources', 'SELECT source_ip, source, source_name, name_basis, rdns, asn, as_name, country FROM dmarc.addresses'),
		(5, 'Who labelled them', 'SELECT source, label, note, set_by, set_at FROM dmarc.label_log ORDER BY id DESC'),
		(6, 'Dispositions', 'SELECT disposition, sum(count) AS messages FROM dmarc.records ' || w || ' GROUP BY disposition'),
		(7, 'Reports and reporters', 'SELECT org_name, count(*) AS reports, sum(messages) AS messages, max("end") AS last FROM dmarc.reports ' || w
			|| ' GROUP BY org_name ORDER BY reports DESC'),
		(8, 'Policies', 'SELECT domain, p, sp, np, testing, adkim, aspf, first_seen, last_seen, reporters FROM dmarc.policies ORDER BY domain, first_seen'),
		(9, 'Overrides', 'SELECT type, count(*) AS records FROM dmarc.record_overrides ' || w || ' GROUP BY type'),
		(10, 'Failure reports', 'SELECT begin, auth_failure, source_ip, header_from, subject FROM dmarc.failure_reports ' || w || ' ORDER BY begin DESC'),
		(11, 'TLS sessions', 'SELECT day, policy_type, sum(total_successful_session_count) AS successful, sum(total_failure_session_count) AS failed '
			'FROM dmarc.tls_policies ' || w_tls || ' GROUP BY day, policy_type ORDER BY day'),
		(12, 'Findings on reports', 'SELECT code, org_name, count(*) AS notes FROM dmarc.notes ' || w || ' GROUP BY code, org_name ORDER BY notes DESC'),
		(13, 'Intake', 'SELECT received_at, code, reason, subject FROM dmarc.intake WHERE status = ''quarantined'' ORDER BY received_at DESC')
	) AS q(no, number, sql)
$$;

-- Terms and what they mean, in an order to read them.
CREATE FUNCTION api.help_terms() RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
	SELECT jsonb_object_agg(t.topic, t.terms) FROM (
		SELECT v.topic, jsonb_agg(jsonb_build_object('term', v.term, 'text', v.text) ORDER BY v.no) AS terms
		FROM (VALUES
			(1, 'words', 'Aligned', 'DKIM or SPF passed for the domain in From (strict) or one of the same organisation (relaxed). DMARC passes when either is aligned, as the receiver evaluated it.'),
			(2, 'words', 'Raw', 'The receiver''s own SPF or DKIM result, for any domain. A raw pass is not necessarily aligned.'),
			(3, 'words', 'SPF only', 'SPF fails when mail is forwarded. Sign with DKIM before you publish p=reject (RFC 9989 section 7.4).'),
			(4, 'words', 'Disposition', 'What the receiver did with the message. "none" covers messages that passed and messages that failed under p=none; RFC 9990 reports the former as "pass".'),
			(5, 'words', 'Policy', 'p applies to the domain, sp to subdomains, np to subdomains that do not exist. With t=y receivers apply one step less. pct is obsolete.'),
			(6, 'words', 'Source', 'A service, domain, network or address that sends mail. Its name is a hint, not proof. New means first seen in the window.'),
			(1, 'overrides', 'mailing_list', 'A mailing list. Lists change messages, which breaks signatures.'),
			(2, 'overrides', 'forwarded', 'Forwarded mail (RFC 7489).'),
			(3, 'overrides', 'trusted_forwarder', 'A forwarder that the receiver trusts.'),
			(4, 'overrides', 'local_policy', 'A local rule of the receiver. "arc=pass" means that a forwarder vouched for the message (ARC).'),
			(5, 'overrides', 'policy_test_mode', 'The policy has t=y (RFC 9990).'),
			(6, 'overrides', 'sampled_out', 'Outside the percentage of pct (RFC 7489).'),
			(7, 'overrides', 'other', 'See the comment.'),
			(1, 'labels', 'Mine', 'You run it or pay for it. Its failures are yours to fix, and they block enforcement.'),
			(2, 'labels', 'Forwarder', 'It relays other people''s mail. SPF fails there by design; DKIM fails where it changes messages.'),
			(3, 'labels', 'Not mine', 'It has no business sending as your domain. It needs no attention.'),
			(4, 'labels', 'Unreviewed', 'Nobody has set a label. Editors set labels on the page of a source or with "ruad label"; a log records who did.'),
			(1, 'tabs', 'Compliant, DMARC capable', 'Passed'),
			(2, 'tabs', 'Non-compliant', 'Not aligned, or Signature broken, where the source is yours'),
			(3, 'tabs', 'Forwarders, Forwarded', 'Let through, or looks like a forwarder'),
			(4, 'tabs', 'Threat, Unknown', 'Unproven: reports cannot tell intent'),
			(1, 'classes', 'pass', 'Nothing to do. If only SPF passes, also sign with DKIM: SPF fails when mail is forwarded.'),
			(2, 'classes', 'fail_overridden', 'Forwarders and mailing lists cause this for legitimate mail. There is nothing to fix on your side.'),
			(3, 'classes', 'fail_altered', 'Likely, but not proven: anyone can add a signature that does not verify. If the source is one of your servers, check its key, selector and signing setup.'),
			(4, 'classes', 'fail_unaligned', 'If you use this service, set up DKIM there with a key of your domain, or a return path under your domain.'),
			(5, 'classes', 'fail_unauthenticated', 'If you do not know the source, assume it is not yours. If you do, sign with DKIM there and add it to SPF.'),
			(6, 'classes', 'unknown', 'Open the report and compare its verdicts with the raw results.'),
			(1, 'advice', 'mine passing', 'This source is yours and passes. Nothing to do.'),
			(2, 'advice', 'mine spf_only', 'This source is yours and passes by SPF only. SPF fails when mail is forwarded, so sign with DKIM as well.'),
			(3, 'advice', 'mine mixed', 'This source is yours and part of its mail fails. If you fixed it recently, look at a shorter window.'),
			(4, 'advice', 'mine failing', 'This source is yours and fails.'),
			(5, 'advice', 'forwarder passing', 'A forwarder that keeps signatures intact. Nothing to do.'),
			(6, 'advice', 'forwarder failing', 'A forwarder. You cannot fix it there. Sign all mail with DKIM to reduce losses; enforcement would lose some of the rest.'),
			(7, 'advice', 'not_mine failing', 'Not yours, and it fails. Enforcement stops it.'),
			(8, 'advice', 'not_mine passing', 'Not yours, but it passes: someone there has one of your DKIM keys, or your SPF record covers it. See Identifiers.'),
			(9, 'advice', 'none forwarder', 'It looks like a forwarder. If it is one, label it; you cannot fix it there.'),
			(10, 'advice', 'none passing', 'It passes, so it is probably yours, or it forwards your mail. Set a label to record which.'),
			(11, 'advice', 'none failing', 'Decide whose it is. If nobody in your organisation uses it, label it "not mine"; enforcement stops it.'),
			(1, 'caveats', 'No report', 'does not mean no mail. Not every receiver reports, and few report on small volumes.'),
			(2, 'caveats', 'Forwarded mail', 'may be reported twice, by two receivers.'),
			(3, 'caveats', 'Days', 'A report counts on the day it begins. Its period is not necessarily a UTC day. Reports for the last two days are still arriving.'),
			(4, 'caveats', 'Forged reports', 'Anyone can send a report. Check whether the mail that carried it was authenticated.'),
			(1, 'onboarding', 'Ask for reports', 'Publish a TXT record at your domain. "p=none" only monitors: no mail is treated differently.'),
			(2, 'onboarding', 'Allow the mailbox to take them', 'The mailbox is outside your domain. Its domain must authorise this, or receivers will not send reports there.'),
			(3, 'onboarding', 'Bring the mail here', 'The host needs an MX record, and its mail server delivers the mailbox to ruad by LMTP. Attachments of several megabytes are normal.'),
			(4, 'onboarding', 'Try whether mail arrives', 'A mail delivered by LMTP is answered with 250 and appears under Intake at once, as mail without a report.'),
			(5, 'onboarding', 'Try it with a report you have', 'A file, a mailbox or a folder of old reports is ingested in the same way as mail.'),
			(1, 'onboarding_samples', 'Ask for reports', '_dmarc.{domain}. TXT "v=DMARC1; p=none; rua=mailto:dmarc-sum@{host}"'),
			(2, 'onboarding_samples', 'Allow the mailbox to take them', '{domain}._report._dmarc.{host}. TXT "v=DMARC1"'),
			(3, 'onboarding_samples', 'Bring the mail here', '{host}. MX 10 {host}.'),
			(4, 'onboarding_samples', 'Try whether mail arrives', 'swaks --server 127.0.0.1:2424 --protocol LMTP --to dmarc-sum@{host}'),
			(5, 'onboarding_samples', 'Try it with a report you have', 'ruad import reports/'),
			(1, 'pages', 'domains', 'The domains that reports are about, each with the From domains that its policy covers. The policy is the one in the newest report.'),
			(2, 'pages', 'sources', 'Who sends as your domain, as seen by receivers. A name is a hint, not proof of who sends.'),
			(3, 'pages', 'records', 'One row for each record of a report. "Aligned" is the receiver''s verdict for the From domain, which is what DMARC counts. "Raw" is the plain SPF or DKIM result, for any domain.'),
			(4, 'pages', 'reports', 'The reports that receivers sent about your domains. A filter on records shows the reports that contain such a record.'),
			(5, 'pages', 'reporters', 'Who reports on your domains. When a reporter stops, all other numbers have a gap.'),
			(6, 'pages', 'failures', 'Failure reports contain individual messages. Only headers are kept, and addresses of other people are reduced to their domain (***@), unless the administrator has set "failure_bodies".'),
			(7, 'pages', 'tls', 'How TLS sessions with your mail servers went, according to SMTP TLS reports. Numbers are sessions, not messages.'),
			(8, 'pages', 'intake', 'All mail received in the window, for all domains. Mail that could not be read is kept, with the reason.'),
			(9, 'pages', 'help', 'Numbers are messages (for TLS reports: sessions), never records. Days are UTC days.'),
			(1, 'hints', 'all', 'Numbers are messages as counted and evaluated by receivers. Not every receiver reports, so no report does not mean no mail. All times are UTC.'),
			(2, 'hints', 'first report', 'Receivers such as Google, Microsoft and Yahoo send one report a day once your domain requests them in DNS. Expect the first one after 24 to 72 hours; a domain that sends little mail may wait longer.'),
			(3, 'hints', 'first failure report', 'This is normal: few receivers send failure reports, because each contains one person''s message. They go to the address in "ruf"; with "fo=1" also when only one of DKIM and SPF failed.'),
			(4, 'hints', 'first TLS report', 'Senders such as Google and Microsoft report once a day how their TLS sessions with your mail servers went (RFC 8460), if this record requests it:'),
			(5, 'hints', 'names', 'No address has been looked up yet, so sources are shown by domain or address. Names appear after "ruad-enrich" has run.'),
			(6, 'hints', 'policies', 'Reporters saw different policies on the same days: a change was propagating in DNS or, if this persists, your name servers disagree.'),
			(7, 'hints', 'identifiers', 'The identities that its mail claimed, and what authenticated them. Aligned means passed for the From domain.'),
			(8, 'hints', 'sessions', 'A session can be counted in several rows, so the rows may not add up.'),
			(9, 'hints', 'classes', 'Each record is in the first class that matches.'),
			(10, 'hints', 'tabs', 'The four tabs of other services, and where to find them here.'),
			(11, 'hints', 'notes', 'What was unusual about a report: its format, or a contradiction in it.'),
			(1, 'impact', 'mailing_lists', 'Some of this mail went through forwarders or mailing lists. p=reject is not the goal for every domain: RFC 9989 (section 7.4) advises against it where people post to mailing lists.'),
			(2, 'impact', 'spf_only', 'Some mail passes by SPF only, which fails when mail is forwarded. RFC 9989 (section 7.4) requires DKIM signatures before p=reject.'),
			(3, 'impact', 'testing', 't=y: receivers that know the tag apply one step less than the policy.'),
			(4, 'impact', 'pct', 'pct: older receivers apply the policy to that percentage only.'),
			(5, 'impact', 'subdomains_unprotected', 'Subdomains have a weaker policy.'),
			(6, 'impact', 'np_unprotected', 'Subdomains that do not exist have a weaker policy. np=reject affects no legitimate mail.'),
			(1, 'steps', 'keep', 'None: keep the record as it is.'),
			(2, 'steps', 'quarantine_test', 'Try p=quarantine. With t=y, receivers that know the tag (RFC 9989) apply one step less; older ones ignore t=y and quarantine.'),
			(3, 'steps', 'quarantine', 'End the trial of p=quarantine: remove t=y.'),
			(4, 'steps', 'reject_test', 'Try p=reject. With t=y, receivers that know the tag (RFC 9989) apply one step less; older ones ignore t=y and reject.'),
			(5, 'steps', 'reject', 'End the trial of p=reject: remove t=y.'),
			(6, 'steps', 'wait', 'None until there is enough data.'),
			(1, 'notes', 'V1', 'unknown or unusual value'),
			(2, 'notes', 'V2', 'not a DNS domain name'),
			(3, 'notes', 'I1', 'not an IP address'),
			(4, 'notes', 'C1', 'not a whole number'),
			(5, 'notes', 'E1', 'unusual date format'),
			(6, 'notes', 'E2', 'impossible period'),
			(7, 'notes', 'F1', 'no message header'),
			(8, 'notes', 'F2', 'two arrival dates'),
			(9, 'notes', 'F3', 'a required field is missing'),
			(10, 'notes', 'F4', 'no part with the report fields'),
			(11, 'notes', 'F5', 'the mail states another type'),
			(12, 'notes', 'O1', 'wrong order'),
			(13, 'notes', 'T1', 'shortened'),
			(14, 'notes', 'R0', 'no record'),
			(15, 'notes', 'R1', 'truncated'),
			(16, 'notes', 'R2', 'data after the end'),
			(17, 'notes', 'R3', 'no report ID'),
			(18, 'notes', 'X1', 'DOCTYPE'),
			(19, 'notes', 'X2', 'unknown namespace'),
			(20, 'notes', 'X3', 'misspelled element'),
			(21, 'notes', 'X4', 'duplicate element'),
			(22, 'notes', 'X5', 'stray markup'),
			(23, 'notes', 'X6', 'control characters'),
			(24, 'notes', 'X7', 'wrong character set'),
			(25, 'notes', 'X8', 'text before the root'),
			(26, 'notes', 'X9', 'unclosed end tag'),
			(27, 'notes', 'M1', 'the Subject disagrees'),
			(28, 'notes', 'M2', 'the file name disagrees'),
			(29, 'notes', 'S1', 'the mail that carried it is not authentic'),
			(30, 'notes', 'J1', 'no policy domain'),
			(31, 'notes', 'J2', 'wrong JSON type'),
			(32, 'notes', 'J3', 'characters not allowed in JSON'),
			(33, 'notes', 'J4', 'data after the JSON'),
			(34, 'notes', 'A1', 'aligned pass without a reason'),
			(35, 'notes', 'A2', 'aligned failure despite a pass'),
			(36, 'notes', 'A3', 'SPF pass by HELO only'),
			(37, 'notes', 'D1', 'blocked although it passed'),
			(38, 'notes', 'D2', 'let through without a reason'),
			(39, 'notes', 'D3', 'stricter than the policy'),
			(40, 'notes', 'D4', 'disposition pass without a pass'),
			(41, 'notes', 'P1', 'not covered by the policy domain'),
			(42, 'notes', 'P2', 'override that contradicts the policy'),
			(43, 'notes', 'P3', 'mixed versions of the standard')
		) AS v(no, topic, term, text)
		GROUP BY v.topic
	) t
$$;

CREATE FUNCTION api.help(f api.filter_set) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
	SELECT api.help_terms() || jsonb_build_object('window', api.window_json(f), 'queries', api.display(api.help_queries(f)),
		'psql', 'psql "host=/var/lib/ruad/run dbname=ruad"')
$$;
