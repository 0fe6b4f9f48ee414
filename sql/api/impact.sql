-- impact.sql - what enforcing a policy would affect.

-- What each tag of the policy covers. Reports do not contain psd.
CREATE FUNCTION api.policy_scope(p_domain text, policy api.policy) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_agg(jsonb_build_object('tag', s.tag, 'value', api.display(s.value),
		'effective', api.display(s.effective), 'text', format(s.text, api.display(p_domain))) ORDER BY s.no)
	FROM (VALUES
		(1, 'p', policy.p, api.enforced(coalesce(policy.p, 'none'), policy.testing), 'Mail with %s itself in From'),
		(2, 'sp', policy.sp, api.enforced(coalesce(policy.sp, policy.p, 'none'), policy.testing),
			'Domains below %s that exist and have no record of their own; without sp, as p'),
		(3, 'np', policy.np, api.enforced(coalesce(policy.np, policy.sp, policy.p, 'none'), policy.testing),
			'Domains below %s that do not exist in DNS; without np, as sp; receivers that only know RFC 7489 use sp'),
		(4, 't', policy.testing, coalesce(policy.testing, 'n'),
			'y: receivers enforce one step less of p, sp and np of %s; those that only know RFC 7489 ignore it'),
		(5, 'psd', NULL, NULL, 'Whether %s is a public suffix; reports do not tell')) AS s(no, tag, value, effective,
		text)
$$;

-- Notes on the numbers: lists and forwarders changed mail, many messages pass only by SPF, the policy is in test
-- mode or covers only a part of the mail, the policy protects this domain but not its subdomains (or those that do
-- not exist).
CREATE FUNCTION api.impact_notes(policy api.policy, t api.tally) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT coalesce(jsonb_agg(n.code ORDER BY n.no), '[]')
	FROM (VALUES
		(1, 'mailing_lists', t.fail_altered + t.fail_overridden > 0),
		(2, 'spf_only', api.relies_on_spf(t.pass - t.dkim_aligned, t.pass)),
		(3, 'testing', policy.testing = 'y'),
		(4, 'pct', policy.pct < 100),
		(5, 'subdomains_unprotected', policy.sp = 'none' AND policy.p IN ('quarantine', 'reject')),
		(6, 'np_unprotected', coalesce(policy.np, policy.sp) = 'none'
			AND policy.p IN ('quarantine', 'reject'))) AS n(no, code, here)
	WHERE n.here
$$;

-- The class of most of a source's failing messages.
CREATE FUNCTION api.main_failure(t api.tally) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT c.class FROM unnest('{fail_overridden,fail_altered,fail_unaligned,fail_unauthenticated,unknown}'::text[],
		ARRAY[t.fail_overridden, t.fail_altered, t.fail_unaligned, t.fail_unauthenticated, t.class_unknown])
		WITH ORDINALITY AS c(class, n, no)
	ORDER BY c.n DESC, c.no LIMIT 1
$$;

-- The sources of an impact, one for each tally.
CREATE FUNCTION api.impact_sources(tallies api.tally[], f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	keys text[] := ARRAY(SELECT t.key FROM unnest(tallies) t);
BEGIN
	RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('key', api.display(coalesce(keys[i], 'none')),
		'name', api.display(k.name), 'label', k.label, 'class', api.main_failure(tallies[i]),
		'messages', tallies[i].messages, 'last_seen', api.iso(tallies[i].last_seen)) ORDER BY i), '[]')
		FROM generate_subscripts(keys, 1) i
		LEFT JOIN api.source_known('source', keys, f) k ON k.key = keys[i]);
END
$$;

-- What would be affected if a domain enforced a policy; NULL if there was never a report on it. Affected are failing
-- messages that receivers have not already treated at least as strictly.
CREATE FUNCTION api.impact(p_name text, f api.filter_set, p_policy text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	name text := (api.domain_names(ARRAY[p_name]))[1];
	affected api.filter_set;
	known api.domain_evidence[];
	policy api.policy;
	whole api.tally;
	part api.tally;
	page api.tally[];
	total bigint;
BEGIN
	PERFORM api.check_choice('policy', ARRAY['quarantine', 'reject'], p_policy);
	p_policy := coalesce(p_policy, 'quarantine');
	IF NOT api.has_reports(api.domain_id_of(name)) THEN
		RETURN NULL;
	END IF;
	f := api.only_domains(f, ARRAY[name]);
	known := ARRAY(SELECT e FROM api.evidence(f) e);
	affected := f;
	affected.result := 'fail';
	affected.disposition := array_remove(array_remove(api.dispositions(), 'reject'),
		CASE p_policy WHEN 'quarantine' THEN 'quarantine' END);
	affected.by_record := true;
	policy := (SELECT h.policy FROM api.policy_history(name, f.to_day) h LIMIT 1);
	whole := coalesce((SELECT t FROM api.tallies('', f) t), api.tally_zero());
	part := coalesce((SELECT t FROM api.tallies('', affected) t), api.tally_zero());
	SELECT t.total, t.page INTO total, page FROM api.tally_page('source', affected, '-messages', 50, NULL) t;

	RETURN jsonb_build_object('window', api.window_json(f), 'domain', api.display(name), 'policy', p_policy,
		'evidence', (SELECT jsonb_build_object('days', coalesce(e.days, 0), 'window_days', f.to_day - f.from_day,
			'reporters', coalesce(e.reporters, 0),
				'messages', coalesce(e.messages, 0), 'last_report_at', api.iso(e.last_report_at),
				'sufficient', coalesce(e.sufficient, false), 'days_needed', api.evidence_days(),
				'reporters_needed', api.evidence_reporters())
			FROM (VALUES (1)) AS one(no) LEFT JOIN unnest(known) e ON true),
		'affected', jsonb_build_object('messages', part.messages,
			'share', round(part.messages / nullif(whole.messages, 0), 6),
			'by_class', api.tally_json(part) -> 'by_class'),
		'sources', api.impact_sources(page[:50], f), 'sources_total', total,
		'parked', name = ANY (api.parked_domains(ARRAY[name])),
		'blockers', api.blockers(name, f, known), 'notes', api.impact_notes(policy, whole),
		'scope', api.policy_scope(name, policy));
END
$$;
