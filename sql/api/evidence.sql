-- evidence.sql - how much the reports on a domain say, and what stands against enforcement.

-- Thresholds

-- Days with a report below which nothing is said for sure.
CREATE FUNCTION api.evidence_days() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT 14 $$;

-- How many reporters at least.
CREATE FUNCTION api.evidence_reporters() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT 2 $$;

-- Messages from which on a source that nobody labelled matters: one in a thousand of the domain's, and five at least.
CREATE FUNCTION api.unreviewed_floor(messages numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT greatest(5, messages / 1000) $$;

-- A source relies on SPF alone when more than one in twenty of its passing messages do.
CREATE FUNCTION api.relies_on_spf(spf_only numeric, pass numeric) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT spf_only * 20 > pass $$;

-- Days on which two policies must have been seen by different reporters: a change of the record takes a day or two to be known
-- everywhere.
CREATE FUNCTION api.differing_days() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT 3 $$;

-- Evidence and blockers

-- How much the window says about each domain.
CREATE FUNCTION api.evidence(f api.filter_set)
RETURNS TABLE (domain text, days bigint, reporters bigint, messages numeric, last_report_at timestamptz, sufficient boolean)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT r.domain, count(DISTINCT r.day), count(DISTINCT coalesce(r.org_name, '')), sum(r.messages), max(r.received_at),
		count(DISTINCT r.day) >= api.evidence_days() AND count(DISTINCT coalesce(r.org_name, '')) >= api.evidence_reporters()
	FROM api.matching_reports(f) r
	GROUP BY r.domain
$$;

-- The two policies of each domain that different reporters saw on the same days, and on how many: the pair with the most. Tags that
-- one of them does not tell do not differ.
CREATE FUNCTION api.policies_differing(f api.filter_set) RETURNS TABLE (domain text, days bigint, one text, other text)
LANGUAGE sql STABLE
AS $$
	WITH seen AS MATERIALIZED (
		SELECT r.domain, r.day, coalesce(r.p, 'none') AS p, coalesce(r.sp, r.p, 'none') AS sp, coalesce(r.adkim, 'r') AS adkim,
			coalesce(r.aspf, 'r') AS aspf, r.np, r.testing, r.pct, min(coalesce(r.org_name, '')) AS first_org, max(coalesce(r.org_name, '')) AS last_org
		FROM api.matching_reports(f) r
		GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
	), words AS MATERIALIZED (
		SELECT s.*, concat_ws('; ', 'p=' || s.p, 'sp=' || s.sp, 'np=' || s.np, 't=' || s.testing, 'adkim=' || s.adkim, 'aspf=' || s.aspf,
			'pct=' || s.pct) AS words
		FROM seen s
	)
	SELECT DISTINCT ON (a.domain) a.domain, count(DISTINCT a.day), a.words, b.words
	FROM words a
	JOIN words b ON b.domain = a.domain AND b.day = a.day AND b.words COLLATE "C" > a.words COLLATE "C"
	WHERE ((a.p, a.sp, a.adkim, a.aspf) <> (b.p, b.sp, b.adkim, b.aspf) OR a.np <> b.np OR a.testing <> b.testing OR a.pct <> b.pct)
		AND NOT (a.first_org = a.last_org AND b.first_org = b.last_org AND a.first_org = b.first_org)
	GROUP BY a.domain, a.words, b.words
	HAVING count(DISTINCT a.day) >= api.differing_days()
	ORDER BY a.domain, count(DISTINCT a.day) DESC, a.words COLLATE "C", b.words COLLATE "C"
$$;

-- What the sources of a domain do that matters for enforcement, in messages.
CREATE FUNCTION api.source_duties(f api.filter_set)
RETURNS TABLE (domain text, source text, mine numeric, mine_fail numeric, mine_spf_only numeric, unreviewed numeric)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT r.domain, r.source, coalesce(sum(r.count) FILTER (WHERE r.label = 'mine'), 0),
		coalesce(sum(r.count) FILTER (WHERE r.label = 'mine' AND NOT r.dmarc_pass), 0),
		coalesce(sum(r.count) FILTER (WHERE r.label = 'mine' AND r.spf_aligned AND NOT r.dkim_aligned), 0),
		coalesce(sum(r.count) FILTER (WHERE r.label IS NULL AND r.class = 'fail_unaligned'), 0)
	FROM api.matching(f) r
	GROUP BY r.domain, r.source
$$;

-- What stands against enforcement of each of the domains, in numbers; words are for api.blockers(). no orders them; source is NULL of what
-- is about the domain.
CREATE FUNCTION api.findings(p_domains text[], f api.filter_set)
RETURNS TABLE (domain text, no integer, code text, source text, messages numeric, of numeric, words text[])
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	plain api.filter_set := api.only_domains(f, p_domains);
BEGIN
	RETURN QUERY
	WITH evidence AS MATERIALIZED (
		SELECT d.domain, coalesce(e.days, 0) AS days, coalesce(e.reporters, 0) AS reporters, coalesce(e.messages, 0) AS messages,
			coalesce(e.sufficient, false) AS sufficient
		FROM unnest(p_domains) AS d(domain)
		LEFT JOIN api.evidence(plain) e ON e.domain = d.domain
	), duties AS MATERIALIZED (
		SELECT d.*, coalesce(d.source, 'none') AS key, api.unreviewed_floor(e.messages) AS floor
		FROM api.source_duties(plain) d
		JOIN evidence e ON e.domain = d.domain
	)
	SELECT e.domain, 1, 'no_evidence', NULL, NULL::numeric, NULL::numeric, ARRAY[e.days::text, e.reporters::text]
	FROM evidence e WHERE NOT e.sufficient
	UNION ALL
	SELECT d.domain, 2, 'mine_fails', d.key, d.mine_fail, d.mine, NULL FROM duties d WHERE d.mine_fail > 0
	UNION ALL
	SELECT d.domain, 3, 'unreviewed_unaligned', d.key, d.unreviewed, NULL, NULL FROM duties d WHERE d.unreviewed >= d.floor
	UNION ALL
	SELECT d.domain, 4, 'mine_spf_only', d.key, d.mine_spf_only, d.mine - d.mine_fail, NULL
	FROM duties d WHERE api.relies_on_spf(d.mine_spf_only, d.mine - d.mine_fail)
	UNION ALL
	SELECT x.domain, 5, 'policy_differs', NULL, NULL, NULL, ARRAY[x.days::text, x.one, x.other] FROM api.policies_differing(plain) x;
END
$$;

-- The same of one domain, in words.
CREATE FUNCTION api.blockers(p_domain text, f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	RETURN (
		SELECT coalesce(jsonb_agg(jsonb_build_object('code', b.code, 'source', api.display(b.source), 'name', api.display(a.name), 'messages', b.messages,
			'text', api.display(CASE b.code
				WHEN 'no_evidence' THEN format('There are reports on %s days and by %s reporters; %s and %s are needed to say more',
					b.words[1], b.words[2], api.evidence_days(), api.evidence_reporters())
				WHEN 'mine_fails' THEN format('%s is labelled mine, and %s of its %s messages fail', c.called, b.messages, b.of)
				WHEN 'unreviewed_unaligned' THEN format('%s sent %s messages that authenticate as another domain, and nobody said whose it is',
					c.called, b.messages)
				WHEN 'mine_spf_only' THEN format('%s is labelled mine, and %s of its %s passing messages pass by SPF alone, which breaks when they '
					'are forwarded', c.called, b.messages, b.of)
				ELSE format('On %s days reporters saw different policies: "%s" and "%s"', b.words[1], b.words[2], b.words[3]) END))
			ORDER BY b.no, b.messages DESC, b.source COLLATE "C"), '[]')
		FROM api.findings(ARRAY[p_domain], f) b
		LEFT JOIN LATERAL (SELECT max(v.source_name) AS name FROM dmarc.addresses v WHERE v.source = b.source) a ON true
		CROSS JOIN LATERAL (SELECT coalesce(a.name, CASE b.source WHEN 'none' THEN 'What has no readable address' ELSE b.source END) AS called) c);
END
$$;
