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
			(2, 'words', 'Raw', 'What the receiver measured, for whatever domain: a raw pass need not be aligned.'),
			(3, 'words', 'By SPF alone', 'Breaks when mail is forwarded, so sign with DKIM before asking for p=reject (RFC 9989 section 7.4).'),
			(4, 'words', 'Disposition', 'What the receiver did. "none" is mail that passed as well as mail that failed under p=none; RFC 9990 calls the former "pass".'),
			(5, 'words', 'Policy', 'p of the domain, sp of subdomains, np of names that do not exist; t=y: one step less. pct is history.'),
			(6, 'words', 'Source', 'A service, domain, network or address that sends. Its name is a hint, not proof. New: first seen in the window.'),
			(1, 'overrides', 'mailing_list', 'A list, which changes mail and so breaks signatures.'),
			(2, 'overrides', 'forwarded', 'Forwarded mail (RFC 7489).'),
			(3, 'overrides', 'trusted_forwarder', 'A forwarder that the receiver knows.'),
			(4, 'overrides', 'local_policy', 'A rule of its own; "arc=pass": a forwarder vouched for it (ARC).'),
			(5, 'overrides', 'policy_test_mode', 'The policy has t=y (RFC 9990).'),
			(6, 'overrides', 'sampled_out', 'Outside the percentage of pct (RFC 7489).'),
			(7, 'overrides', 'other', 'See the comment.'),
			(1, 'labels', 'Mine', 'You run it or pay for it: its failures are yours to mend, and stand against enforcing.'),
			(2, 'labels', 'Forwarder', 'It passes on mail of others: SPF fails by nature, DKIM where it changes mail.'),
			(3, 'labels', 'Not mine', 'It has no business sending as you, and needs no attention.'),
			(4, 'labels', 'Unreviewed', 'Nobody said. Editors set labels on a source''s page, or by "ruad label"; a log keeps who did.'),
			(1, 'tabs', 'Compliant, DMARC capable', 'Passed'),
			(2, 'tabs', 'Non-compliant', 'Not aligned, and Signature broken of a source that is yours'),
			(3, 'tabs', 'Forwarders, Forwarded', 'Let through, and what looks like a forwarder'),
			(4, 'tabs', 'Threat, Unknown', 'Unproven: reports cannot tell what somebody meant'),
			(1, 'classes', 'pass', 'Nothing to do. Where only SPF passes, sign with DKIM too: SPF breaks as soon as mail is forwarded.'),
			(2, 'classes', 'fail_overridden', 'Forwarders and lists do this to honest mail; there is nothing to mend at your end.'),
			(3, 'classes', 'fail_altered', 'Likely, not proof: anyone can add a signature that does not verify. If the source is a server of yours, look at its key, selector and signing.'),
			(4, 'classes', 'fail_unaligned', 'If you use it, set up DKIM with a key of your domain there, or a return path under your domain.'),
			(5, 'classes', 'fail_unauthenticated', 'Unless you know the source, treat it as someone else''s. If you do know it, sign with DKIM there and add it to SPF.'),
			(6, 'classes', 'unknown', 'Open the report and compare what it says with the raw results beside it.'),
			(1, 'advice', 'mine passing', 'Yours, and it passes: there is nothing to do.'),
			(2, 'advice', 'mine spf_only', 'Yours, and it passes by SPF alone. That breaks when mail is forwarded: sign with DKIM, too.'),
			(3, 'advice', 'mine mixed', 'Yours, and part of it fails. If you mended it lately, look at a shorter window.'),
			(4, 'advice', 'mine failing', 'Yours, and it fails.'),
			(5, 'advice', 'forwarder passing', 'A forwarder that keeps signatures: there is nothing to do.'),
			(6, 'advice', 'forwarder failing', 'A forwarder. It cannot be mended there; sign all mail with DKIM, and less of it is lost. Enforcement would cost some of the rest.'),
			(7, 'advice', 'not_mine failing', 'Not yours, and it fails: enforcement deals with it.'),
			(8, 'advice', 'not_mine passing', 'Not yours, and yet it passes: somebody there has a DKIM key of yours, or your SPF covers it. See Identifiers.'),
			(9, 'advice', 'none forwarder', 'It looks like a forwarder. If so, label it: it cannot be mended there.'),
			(10, 'advice', 'none passing', 'It passes, so it is likely yours; or it forwards your mail. A label says which.'),
			(11, 'advice', 'none failing', 'Decide whose it is. If nobody of yours sends by it, label it "not mine": enforcement deals with it.'),
			(1, 'caveats', 'No report', 'does not mean no mail: not every receiver reports, and few do so for little mail.'),
			(2, 'caveats', 'Forwarded mail', 'may be reported twice, by two receivers.'),
			(3, 'caveats', 'Days', 'A report counts on the day it begins; its period need not be a day in UTC. Reports of the last two days are still arriving.'),
			(4, 'caveats', 'Forged reports', 'Anybody can send a report: look at what authenticated the mail that brought it.'),
			(1, 'onboarding', 'Ask for reports', 'A TXT record of your domain. "p=none" only watches: nobody''s mail is treated differently.'),
			(2, 'onboarding', 'Allow the mailbox to take them', 'The mailbox is outside your domain, so its domain has to agree, or receivers will not send there.'),
			(3, 'onboarding', 'Bring the mail here', 'The host needs an MX record, and its mail server hands the mailbox on to ruad by LMTP. Attachments of several megabytes are normal.'),
			(4, 'onboarding', 'Try whether mail arrives', 'A mail handed over by LMTP is answered 250 and shows up under Intake at once, as one without a report.'),
			(5, 'onboarding', 'Try it with a report you have', 'A file, a mailbox or a folder of old reports is taken in the same way as mail.'),
			(1, 'onboarding_samples', 'Ask for reports', '_dmarc.{domain}. TXT "v=DMARC1; p=none; rua=mailto:dmarc-sum@{host}"'),
			(2, 'onboarding_samples', 'Allow the mailbox to take them', '{domain}._report._dmarc.{host}. TXT "v=DMARC1"'),
			(3, 'onboarding_samples', 'Bring the mail here', '{host}. MX 10 {host}.'),
			(4, 'onboarding_samples', 'Try whether mail arrives', 'swaks --server 127.0.0.1:2424 --protocol LMTP --to dmarc-sum@{host}'),
			(5, 'onboarding_samples', 'Try it with a report you have', 'ruad import reports/'),
			(1, 'pages', 'domains', 'Each domain that reports are about; below it the names in From that its policy governs. The policy is the one that the newest report saw.'),
			(2, 'pages', 'sources', 'Who sends as your domain, as the receivers saw it. A name is a hint by what it rests on, not proof of who sends.'),
			(3, 'pages', 'records', 'One row for each record of a report. "Aligned" is the receiver''s verdict for the domain in From, and what DMARC counts; "raw" is what it measured, for whatever domain.'),
			(4, 'pages', 'reports', 'What receivers sent about your domains. Filters on records leave the reports that hold such a record.'),
			(5, 'pages', 'reporters', 'Who reports on your domains. One that falls silent leaves a gap in all other numbers.'),
			(6, 'pages', 'failures', 'Failure reports are about people''s messages. Only headers are kept, and of others'' addresses the domain (***@), unless the administrator has set "failure_bodies".'),
			(7, 'pages', 'tls', 'How others'' sessions with your mail servers went, as SMTP TLS reports tell. Numbers are sessions, not messages.'),
			(8, 'pages', 'intake', 'All mail that was taken in the window, of every domain. Mail that could not be read is kept, with the reason.'),
			(9, 'pages', 'help', 'Numbers are messages (of TLS reports: sessions), never records. Days are of UTC.'),
			(1, 'hints', 'all', 'Numbers are messages, as receivers counted and judged them. Not every receiver reports, so no report does not mean no mail. All times are UTC.'),
			(2, 'hints', 'first report', 'Receivers such as Google, Microsoft or Yahoo send a report a day once your domain asks for them in DNS. After that, expect 24 to 72 hours until the first one; a domain that sends little mail may wait longer.'),
			(3, 'hints', 'first failure report', 'That is usual: few receivers send them, as each is about one message and its people. Those that do send them to the address in "ruf"; with "fo=1" also when only one of DKIM and SPF failed.'),
			(4, 'hints', 'first TLS report', 'Senders such as Google and Microsoft tell once a day how their TLS sessions with your mail servers went (RFC 8460), if a record asks them to:'),
			(5, 'hints', 'names', 'No address has been looked up yet, so sources are shown by domain or address; names come once "ruad-enrich" has run.'),
			(6, 'hints', 'policies', 'Different policies at the same time: a change was on its way through DNS or, if it lasts, name servers disagree.'),
			(7, 'hints', 'identifiers', 'Who its mail said it is, and what proved it. Aligned is what passed for the domain in From.'),
			(8, 'hints', 'sessions', 'A session may stand in several of these, so they need not add up.'),
			(9, 'hints', 'classes', 'Each record is in the first that fits.'),
			(10, 'hints', 'tabs', 'Their four tabs, and where to look here.'),
			(11, 'hints', 'notes', 'What was odd about a report: its form, or how it contradicts itself.'),
			(1, 'impact', 'mailing_lists', 'Some of it went over forwarders or lists. p=reject is not the goal for every domain: RFC 9989 (section 7.4) advises against it where people write to mailing lists.'),
			(2, 'impact', 'spf_only', 'Some mail passes by SPF alone, which forwarding breaks. With p=reject, RFC 9989 (section 7.4) wants it signed with DKIM, too.'),
			(3, 'impact', 'testing', 't=y: receivers that know the tag stay one step below the policy.'),
			(4, 'impact', 'pct', 'pct: older receivers apply the policy to that share only.'),
			(5, 'impact', 'subdomains_unprotected', 'Subdomains have a weaker policy.'),
			(6, 'impact', 'np_unprotected', 'Subdomains that do not exist have a weaker policy; np=reject loses no mail.'),
			(1, 'steps', 'keep', 'None: the record can stay as it is.'),
			(2, 'steps', 'quarantine_test', 'Try p=quarantine. With t=y, receivers that know the tag (RFC 9989) stay one step below; older ones ignore t=y and quarantine.'),
			(3, 'steps', 'quarantine', 'End the trial of p=quarantine: t=y goes.'),
			(4, 'steps', 'reject_test', 'Try p=reject. With t=y, receivers that know the tag (RFC 9989) stay one step below; older ones ignore t=y and reject.'),
			(5, 'steps', 'reject', 'End the trial of p=reject: t=y goes.'),
			(6, 'steps', 'wait', 'None as long as there is not enough data.'),
			(1, 'notes', 'V1', 'unknown or oddly written value'),
			(2, 'notes', 'V2', 'not one domain as in DNS'),
			(3, 'notes', 'I1', 'not an address of the Internet'),
			(4, 'notes', 'C1', 'not a whole number'),
			(5, 'notes', 'E1', 'oddly written date'),
			(6, 'notes', 'E2', 'impossible period'),
			(7, 'notes', 'F1', 'no header of the message'),
			(8, 'notes', 'F2', 'two dates of arrival'),
			(9, 'notes', 'F3', 'something required is absent'),
			(10, 'notes', 'F4', 'no part with the fields'),
			(11, 'notes', 'F5', 'the mail says another type'),
			(12, 'notes', 'O1', 'wrong order'),
			(13, 'notes', 'T1', 'shortened'),
			(14, 'notes', 'R0', 'no record'),
			(15, 'notes', 'R1', 'breaks off'),
			(16, 'notes', 'R2', 'something behind the end'),
			(17, 'notes', 'R3', 'no report ID'),
			(18, 'notes', 'X1', 'DOCTYPE'),
			(19, 'notes', 'X2', 'unknown namespace'),
			(20, 'notes', 'X3', 'misspelt element'),
			(21, 'notes', 'X4', 'element twice'),
			(22, 'notes', 'X5', 'stray markup'),
			(23, 'notes', 'X6', 'control characters'),
			(24, 'notes', 'X7', 'wrong character set'),
			(25, 'notes', 'X8', 'text before the root'),
			(26, 'notes', 'X9', 'unclosed end tag'),
			(27, 'notes', 'M1', 'the Subject says something else'),
			(28, 'notes', 'M2', 'the file name says something else'),
			(29, 'notes', 'S1', 'the mail that brought it is not authentic'),
			(30, 'notes', 'J1', 'no policy domain'),
			(31, 'notes', 'J2', 'wrong JSON type'),
			(32, 'notes', 'J3', 'not JSON''s characters'),
			(33, 'notes', 'J4', 'something behind the JSON'),
			(34, 'notes', 'A1', 'aligned pass without a reason'),
			(35, 'notes', 'A2', 'aligned failure despite a pass'),
			(36, 'notes', 'A3', 'SPF pass by HELO only'),
			(37, 'notes', 'D1', 'stopped though it passed'),
			(38, 'notes', 'D2', 'let through without a reason'),
			(39, 'notes', 'D3', 'stricter than the policy'),
			(40, 'notes', 'D4', 'disposition pass without a pass'),
			(41, 'notes', 'P1', 'not a domain of the policy'),
			(42, 'notes', 'P2', 'override that the policy excludes'),
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
