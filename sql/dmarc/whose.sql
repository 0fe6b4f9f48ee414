-- whose.sql - whose each sender is: the facts, the rules, and the result for audits.

-- The query is that of the API, so that both have the same facts. Three months are this one and the two before it.
DO $$
BEGIN
	EXECUTE 'CREATE OR REPLACE VIEW dmarc.sender_facts WITH (security_invoker = true) AS ' || api.facts_query(
		'dmarc.monthly m WHERE m.month >= (date_trunc(''month'', now() AT TIME ZONE ''UTC'') '
			'- interval ''2 months'')::date');
END
$$;
COMMENT ON VIEW dmarc.sender_facts IS
	'One row per domain and sender of the last three calendar months: what dmarc.whose() decides by. A sender is a '
		'service, or an address that belongs to none.';
COMMENT ON COLUMN dmarc.sender_facts.domain IS 'policy_published/domain';
COMMENT ON COLUMN dmarc.sender_facts.sender IS
	'service:NAME, ip:ADDRESS, or none for what has no readable address';
COMMENT ON COLUMN dmarc.sender_facts.source IS 'Key of the source that it belongs to, see dmarc.addresses';
COMMENT ON COLUMN dmarc.sender_facts.source_name IS 'Display name of that source';
COMMENT ON COLUMN dmarc.sender_facts.label IS 'Its label, if all its addresses have the same';
COMMENT ON COLUMN dmarc.sender_facts.service IS 'Key of the service; NULL: an address';
COMMENT ON COLUMN dmarc.sender_facts.service_type IS 'Type of the service: mailbox, marketing, ...';
COMMENT ON COLUMN dmarc.sender_facts.spf_includes IS 'Whether the SPF record of the domain includes the service';
COMMENT ON COLUMN dmarc.sender_facts.rdns IS 'Confirmed reverse name of an address, or of one of the service';
COMMENT ON COLUMN dmarc.sender_facts.addresses IS 'How many addresses sent';
COMMENT ON COLUMN dmarc.sender_facts.records IS 'How many records';
COMMENT ON COLUMN dmarc.sender_facts.messages IS 'Messages';
COMMENT ON COLUMN dmarc.sender_facts.pass IS 'Of these, messages that passed DMARC';
COMMENT ON COLUMN dmarc.sender_facts.dkim_aligned IS 'Messages with an aligned signature';
COMMENT ON COLUMN dmarc.sender_facts.spf_aligned IS 'Messages with aligned SPF';
COMMENT ON COLUMN dmarc.sender_facts.fail_overridden IS 'Messages of that class, see dmarc.records';
COMMENT ON COLUMN dmarc.sender_facts.fail_altered IS 'Messages of that class';
COMMENT ON COLUMN dmarc.sender_facts.altered_by_other IS
	'Of these, messages that passed SPF or DKIM of some other domain, such as that of a list';
COMMENT ON COLUMN dmarc.sender_facts.fail_unaligned IS 'Messages of that class';
COMMENT ON COLUMN dmarc.sender_facts.own_auth IS
	'Failing messages that authenticated as a domain that is certainly ours';
COMMENT ON COLUMN dmarc.sender_facts.own_name IS
	'Messages from addresses whose confirmed name is in the domain, or in one that is certainly ours';
COMMENT ON COLUMN dmarc.sender_facts.own_range IS
	'Messages from addresses that the SPF record of the domain lists itself, or that are its MX';
COMMENT ON COLUMN dmarc.sender_facts.rejected IS 'Messages that receivers rejected';
COMMENT ON COLUMN dmarc.sender_facts.quarantined IS 'Messages that receivers quarantined';
COMMENT ON COLUMN dmarc.sender_facts.domain_messages IS 'Messages of the domain from all senders';
COMMENT ON COLUMN dmarc.sender_facts.parked IS
	'Whether the domain sends no mail: its SPF record lists nothing, and nothing passed';
COMMENT ON COLUMN dmarc.sender_facts.days IS 'Days from the first to the last report, both included';
COMMENT ON COLUMN dmarc.sender_facts.first_seen IS 'begin of the first report on it';
COMMENT ON COLUMN dmarc.sender_facts.last_seen IS 'begin of the last report on it';
COMMENT ON COLUMN dmarc.sender_facts.last_pass IS 'begin of the last report in which it passed';
COMMENT ON COLUMN dmarc.sender_facts.last_fail IS 
	'begin of the last report in which it failed, other than as a list or a forwarder changes mail';
COMMENT ON COLUMN dmarc.sender_facts.domain_id IS 'Number of the domain, see dmarc.domains';

-- Whose a sender is, and the rule that decided: the first that matches. Facts that only the owner of the domain can
-- create come first (a label, a name in the domain, its SPF record); then what services and forwarders look like; then
-- time. Whatever anybody can forge (a name in From, a broken signature, SPF of one's own domain) makes nothing ours.
--
--   own        labelled, own_name, own_range, own_auth, spf_lists
--   service    labelled_service, own_name_service, service_in_spf, service_passes, service_signs, service_steady,
--              includes, signs_steadily
--   forwarder  labelled_forwarder, forwards, list
--   stranger   labelled_stranger, parked, burst
--   unsure     new_service, mailbox_users, steady, broken_signatures, unknown
--
-- "Steady" is three weeks or more with a record on at least every third day. web/texts/ has a sentence for each.
CREATE OR REPLACE FUNCTION dmarc.whose(f dmarc.sender_facts) RETURNS TABLE (whose text, reason text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE
		WHEN r.reason IN ('labelled', 'own_name', 'own_range', 'own_auth', 'spf_lists') THEN 'own'
		WHEN r.reason IN ('labelled_service', 'own_name_service', 'service_in_spf', 'service_passes', 'service_signs',
			'service_steady', 'includes', 'signs_steadily') THEN 'service'
		WHEN r.reason IN ('labelled_forwarder', 'forwards', 'list') THEN 'forwarder'
		WHEN r.reason IN ('labelled_stranger', 'parked', 'burst') THEN 'stranger'
		ELSE 'unsure' END,
		r.reason
	FROM (SELECT f.days >= 21 AND f.records * 3 >= f.days AND f.messages >= 5,
		-- mail of ours that somebody else passed on: signed by us, without our SPF, or changed on the way
		f.pass - f.spf_aligned + f.fail_overridden + f.altered_by_other,
		f.spf_aligned >= 3 AND f.spf_aligned * 50 >= f.messages) AS v(steady, forwarded, authorised)
	CROSS JOIN LATERAL (SELECT CASE
				WHEN f.label = 'mine' THEN CASE WHEN f.service IS NULL THEN 'labelled' ELSE 'labelled_service' END
				WHEN f.label = 'forwarder' THEN 'labelled_forwarder'
				WHEN f.label = 'not_mine' THEN 'labelled_stranger'
				WHEN f.messages = 0 THEN 'unknown'
				WHEN f.parked THEN 'parked'
				WHEN f.own_name * 2 > f.messages THEN
					CASE WHEN f.service IS NULL THEN 'own_name' ELSE 'own_name_service' END
				WHEN f.service IS NOT NULL AND f.service_type NOT IN ('forwarding', 'list') AND f.spf_includes
					THEN 'service_in_spf'
				WHEN f.service IS NOT NULL AND v.authorised THEN 'service_passes'
				WHEN f.own_range * 2 > f.messages AND f.service IS NULL THEN 'own_range'
				WHEN v.authorised THEN CASE WHEN f.fail_unaligned > 0 THEN 'includes' ELSE 'spf_lists' END
				WHEN f.service IS NOT NULL AND f.service_type NOT IN ('mailbox', 'forwarding', 'list', 'security')
					AND f.dkim_aligned * 2 > f.messages THEN 'service_signs'
				WHEN f.pass * 2 > f.messages AND f.fail_overridden + f.fail_altered = 0 AND v.steady
					AND f.messages * 20 >= f.domain_messages THEN 'signs_steadily'
				WHEN f.fail_overridden * 2 > f.messages THEN 'list'
				WHEN v.forwarded * 2 > f.messages THEN CASE WHEN f.pass > 0 THEN 'forwards' ELSE 'list' END
				WHEN f.own_auth * 2 > f.messages THEN 'own_auth'
				WHEN f.service_type = 'mailbox' THEN 'mailbox_users'
				WHEN f.service IS NOT NULL AND v.steady THEN 'service_steady'
				WHEN f.service IS NOT NULL AND f.fail_altered = 0 THEN 'new_service'
				WHEN f.sender = 'none' THEN 'unknown'
				WHEN v.steady THEN CASE WHEN f.fail_altered * 2 > f.messages THEN 'broken_signatures' ELSE 'steady' END
				ELSE 'burst' END OFFSET 0) AS r(reason) -- OFFSET keeps the planner from repeating it
$$;
GRANT EXECUTE ON FUNCTION dmarc.whose TO ruad_web, ruad_auditor, ruad_viewer;

CREATE OR REPLACE VIEW dmarc.senders WITH (security_invoker = true) AS
SELECT f.domain, f.sender, w.whose, w.reason, f.source, f.source_name, f.label, f.addresses, f.messages, f.pass,
	f.messages - f.pass AS fail, f.rejected, f.quarantined, f.days, f.first_seen, f.last_seen, f.domain_id
FROM dmarc.sender_facts f CROSS JOIN LATERAL dmarc.whose(f) w;
COMMENT ON VIEW dmarc.senders IS
	'One row per domain and sender of the last three calendar months, sorted: ours, a service of ours, a forwarder, a '
		'stranger. A label decides, else the facts of dmarc.sender_facts. A hint, not proof.';
COMMENT ON COLUMN dmarc.senders.domain IS 'policy_published/domain';
COMMENT ON COLUMN dmarc.senders.sender IS 'service:NAME, ip:ADDRESS, or none for what has no readable address';
COMMENT ON COLUMN dmarc.senders.whose IS 'own, service, forwarder, stranger or unsure';
COMMENT ON COLUMN dmarc.senders.reason IS 'Code of the rule that decided, see dmarc.whose()';
COMMENT ON COLUMN dmarc.senders.source IS 'Key of the source that it belongs to, see dmarc.addresses';
COMMENT ON COLUMN dmarc.senders.source_name IS 'Display name of that source';
COMMENT ON COLUMN dmarc.senders.label IS 'Its label, if all its addresses have the same';
COMMENT ON COLUMN dmarc.senders.addresses IS 'How many addresses sent';
COMMENT ON COLUMN dmarc.senders.messages IS 'Messages';
COMMENT ON COLUMN dmarc.senders.pass IS 'Of these, messages that passed DMARC';
COMMENT ON COLUMN dmarc.senders.fail IS 'Of these, messages that did not';
COMMENT ON COLUMN dmarc.senders.rejected IS 'Messages that receivers rejected';
COMMENT ON COLUMN dmarc.senders.quarantined IS 'Messages that receivers quarantined';
COMMENT ON COLUMN dmarc.senders.days IS 'Days from the first to the last report, both included';
COMMENT ON COLUMN dmarc.senders.first_seen IS 'begin of the first report on it';
COMMENT ON COLUMN dmarc.senders.last_seen IS 'begin of the last report on it';
COMMENT ON COLUMN dmarc.senders.domain_id IS 'Number of the domain, see dmarc.domains';
