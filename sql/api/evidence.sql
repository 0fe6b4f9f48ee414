-- evidence.sql - how much evidence the reports on a domain give, and what blocks enforcement.

-- Thresholds

-- The number of days with a report that sufficient evidence needs.
CREATE FUNCTION api.evidence_days() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT 14 $$;

-- The number of reporters that sufficient evidence needs.
CREATE FUNCTION api.evidence_reporters() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT 2 $$;

-- The number of messages from which a source without a label matters: one in a thousand of the domain's, at least
-- five.
CREATE FUNCTION api.unreviewed_floor(messages numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT greatest(5, messages / 1000) $$;

-- Returns whether a source relies on SPF alone: more than one in twenty of its passing messages pass only by SPF.
CREATE FUNCTION api.relies_on_spf(spf_only numeric, pass numeric) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT spf_only * 20 > pass $$;

-- The number of days on which different reporters must have seen two different policies. It takes a day or two until
-- a change of the record is known everywhere.
CREATE FUNCTION api.differing_days() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT 3 $$;

-- Evidence and blockers

-- How much evidence the window gives for each domain.
CREATE TYPE api.domain_evidence AS (domain text, days bigint, reporters bigint, messages numeric,
	last_report_at timestamptz, sufficient boolean);

CREATE FUNCTION api.evidence(f api.filter_set) RETURNS SETOF api.domain_evidence
LANGUAGE plpgsql STABLE SET jit = off
AS $$
BEGIN
	RETURN QUERY EXECUTE format('
		SELECT d.domain, s.days, s.reporters, s.messages, s.last_report_at, s.days >= api.evidence_days()
			AND s.reporters >= api.evidence_reporters()
		FROM (
			SELECT g.domain_id, count(*) FILTER (WHERE g.of_day) AS days,
				count(*) FILTER (WHERE NOT g.of_day) AS reporters, sum(g.messages) FILTER (WHERE g.of_day) AS messages,
				max(g.last_report_at) AS last_report_at
			FROM (
				SELECT r.domain_id, grouping(r.day) = 0 AS of_day, sum(r.messages) AS messages,
					max(r.received_at) AS last_report_at
				FROM (SELECT r.domain_id, r.day, coalesce(r.org_name, '''') AS org_name, r.messages, r.received_at
					FROM %s) r
				GROUP BY GROUPING SETS ((r.domain_id, r.day), (r.domain_id, r.org_name))
			) g
			GROUP BY 1
		) s
		JOIN dmarc.domains d ON d.domain_id = s.domain_id', api.reports_of(f));
END
$$;

-- A query for the policies that reporters saw for each domain, with the first and last day and reporter; per day if
-- p_daily is set.
CREATE FUNCTION api.policies_query(f api.filter_set, p_daily boolean) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN format('SELECT r.domain_id, coalesce(r.p, ''none'') AS p, coalesce(r.sp, r.p, ''none'') AS sp,
		coalesce(r.adkim, ''r'') AS adkim, coalesce(r.aspf, ''r'') AS aspf, r.np, r.testing, r.pct,
		min(r.day) AS first_day, max(r.day) AS last_day, min(coalesce(r.org_name, '''') COLLATE "C") AS first_org,
		max(coalesce(r.org_name, '''') COLLATE "C") AS last_org
		FROM %s GROUP BY 1, 2, 3, 4, 5, 6, 7, 8%s', api.reports_of(f), CASE WHEN p_daily THEN ', r.day' ELSE '' END);
END
$$;

-- The condition that two policies a and b differ and that different reporters saw them. A tag that is missing in one
-- of them does not differ.
CREATE FUNCTION api.policies_condition() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT '((a.p, a.sp, a.adkim, a.aspf) <> (b.p, b.sp, b.adkim, b.aspf) OR a.np <> b.np OR a.testing <> b.testing
		OR a.pct <> b.pct)
		AND NOT (a.first_org = a.last_org AND b.first_org = b.last_org AND a.first_org = b.first_org)'
$$;

-- The domains with two such policies whose periods overlap by enough days. Usually there are none, and then no single
-- days have to be compared.
CREATE FUNCTION api.domains_differing(f api.filter_set) RETURNS text[]
LANGUAGE plpgsql STABLE SET jit = off
AS $$
DECLARE
	names text[];
BEGIN
	EXECUTE format('
		WITH seen AS MATERIALIZED (%s)
		SELECT array_agg(d.domain) FROM dmarc.domains d WHERE d.domain_id IN (
			SELECT a.domain_id FROM seen a JOIN seen b ON b.domain_id = a.domain_id
			WHERE least(a.last_day, b.last_day) - greatest(a.first_day, b.first_day) + 1 >= api.differing_days()
				AND %s)',
		api.policies_query(f, false), api.policies_condition()) INTO names;
	RETURN coalesce(names, '{}');
END
$$;

-- For each domain, the pair of policies that different reporters saw on the same days, with the number of days: the
-- pair with the most.
CREATE FUNCTION api.policies_differing(f api.filter_set) RETURNS TABLE (domain text, days bigint, one text, other text)
LANGUAGE plpgsql STABLE SET jit = off
AS $$
BEGIN
	f.domain := api.domains_differing(f);
	IF f.domain = '{}' THEN
		RETURN;
	END IF;
	RETURN QUERY EXECUTE format('
		WITH words AS MATERIALIZED (
			SELECT s.*, concat_ws(''; '', ''p='' || s.p, ''sp='' || s.sp, ''np='' || s.np, ''t='' || s.testing,
				''adkim='' || s.adkim, ''aspf='' || s.aspf, ''pct='' || s.pct) AS words
			FROM (%s) s
		)
		SELECT DISTINCT ON (d.domain) d.domain, count(DISTINCT a.first_day), a.words, b.words
		FROM words a
		JOIN words b ON b.domain_id = a.domain_id AND b.first_day = a.first_day
			AND b.words COLLATE "C" > a.words COLLATE "C"
		JOIN dmarc.domains d ON d.domain_id = a.domain_id
		WHERE %s
		GROUP BY d.domain, a.words, b.words
		HAVING count(DISTINCT a.first_day) >= api.differing_days()
		ORDER BY d.domain, count(DISTINCT a.first_day) DESC, a.words COLLATE "C", b.words COLLATE "C"',
		api.policies_query(f, true), api.policies_condition());
END
$$;

-- What a source of a domain that is labelled mine does that matters for enforcement, in messages.
CREATE TYPE api.duty AS (domain text, source text, mine numeric, mine_fail numeric, mine_spf_only numeric);

CREATE FUNCTION api.duties(f api.filter_set) RETURNS SETOF api.duty
LANGUAGE plpgsql STABLE SET jit = off
AS $$
BEGIN
	f.label := '{mine}';
	RETURN QUERY EXECUTE format($q$
		SELECT d.domain, s.source, s.messages, s.fail, s.spf_only
		FROM (
			SELECT c.domain_id, c.source, sum(c.messages) AS messages,
				coalesce(sum(c.messages) FILTER (WHERE NOT c.dmarc_pass), 0) AS fail,
				coalesce(sum(c.messages) FILTER (WHERE c.spf_aligned AND NOT c.dkim_aligned), 0) AS spf_only
			FROM %s GROUP BY 1, 2) s
		JOIN dmarc.domains d ON d.domain_id = s.domain_id$q$, api.cells(f, 'address'));
END
$$;

-- What the addresses of a window tell about some domains.
CREATE TYPE api.source_sums AS (
	totals  jsonb,      -- the number of sources, by domain_id
	duties  api.duty[], -- of sources that are labelled mine
	harmful inet[]      -- addresses of the sources whose failing mail is enough to matter for their domain
		-- (api.unreviewed_floor(), with a margin): usually a few of very many
);

-- All of it. Reading the addresses of the filter's domains is what costs, since they may be many: one pass groups them
-- with the few columns that all need, and only addresses that are labelled mine or belong to a harmful source are
-- looked at again. Sums beyond 2^53 are rounded there: they are compared, not shown.
CREATE FUNCTION api.source_sums(f api.filter_set) RETURNS api.source_sums
LANGUAGE plpgsql STABLE SET jit = off SET work_mem = '64MB' SET enable_nestloop = off SET enable_sort = off
AS $$
DECLARE
	sums api.source_sums;
	harmful bigint[]; -- facets of harmful mail: a list, since their texts would be compared for each row
	keys text[]; -- of harmful sources
BEGIN
	EXECUTE format('SELECT array_agg(v.facet) FROM api.facet v WHERE %s AND ($1 IS NULL OR v.domain = ANY ($1))',
		api.harmful('v')) INTO harmful USING f.domain;
	EXECUTE format($q$
		WITH domains AS MATERIALIZED (
			SELECT c.domain_id, sum(c.messages)::double precision AS messages FROM %s GROUP BY 1
		), sources AS (
			SELECT s.domain_id, count(*) AS total, array_agg(s.source) FILTER (WHERE s.harm >= 5
				AND s.harm * 2000 >= d.messages) AS keys
			FROM (
				SELECT c.domain_id, c.source, sum(CASE WHEN c.facet = ANY (%L::bigint[])
					THEN c.messages::double precision ELSE 0 END) AS harm
				FROM %s GROUP BY 1, 2) s
			LEFT JOIN domains d ON d.domain_id = s.domain_id
			GROUP BY 1
		)
		SELECT jsonb_object_agg(s.domain_id, s.total), ARRAY(SELECT DISTINCT unnest(t.keys) FROM sources t)
		FROM sources s$q$, api.cells(f, 'any'), harmful, api.cells(f, 'address')) INTO sums.totals, keys;
	sums.harmful := api.ips_of_sources(keys);
	sums.duties := ARRAY(SELECT d FROM api.duties(f) d);
	RETURN sums;
END
$$;

-- Those of some domains that are parked: their SPF record lists nothing, and nothing passed DMARC in three months.
CREATE FUNCTION api.parked_domains(p_domains text[]) RETURNS text[]
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	RETURN ARRAY(SELECT d.domain FROM api.empty_spf e JOIN dmarc.domains d ON d.domain_id = e.domain_id
		WHERE d.domain = ANY (p_domains) AND NOT EXISTS (SELECT 1 FROM dmarc.daily s WHERE s.domain_id = d.domain_id
			AND s.day > api.today() - 92 AND s.dmarc_pass AND s.messages > 0));
END
$$;

-- The sources without a label whose failing mail may be ours. harmful: only these addresses.
CREATE FUNCTION api.unreviewed_sources(f api.filter_set, harmful inet[]) RETURNS SETOF api.unreviewed
LANGUAGE plpgsql STABLE SET jit = off
AS $$
BEGIN
	RETURN QUERY EXECUTE api.unreviewed_query('api.sorted_senders($1, $2)') USING f, harmful;
END
$$;

-- What blocks enforcement of each domain, in numbers; api.blockers() makes sentences of them. no is their order;
-- source is NULL for findings about the domain itself. known is api.evidence() of these domains, sums what
-- api.source_sums() says of them or more domains, if the caller has it.
CREATE FUNCTION api.findings(p_domains text[], f api.filter_set, known api.domain_evidence[],
	sums api.source_sums DEFAULT NULL)
RETURNS TABLE (domain text, no integer, code text, source text, messages numeric, of numeric, words text[])
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	-- nothing blocks the policy of a domain that sends no mail
	parked constant text[] := api.parked_domains(p_domains);
	plain api.filter_set := api.only_domains(f, ARRAY(SELECT d FROM unnest(p_domains) d WHERE d <> ALL (parked)));
BEGIN
	IF sums.totals IS NULL THEN
		sums := api.source_sums(plain);
	END IF;
	RETURN QUERY
	WITH evidence AS MATERIALIZED (
		SELECT d.domain, coalesce(e.days, 0) AS days, coalesce(e.reporters, 0) AS reporters,
			coalesce(e.messages, 0) AS messages, coalesce(e.sufficient, false) AS sufficient
		FROM unnest(plain.domain) AS d(domain)
		LEFT JOIN unnest(known) e ON e.domain = d.domain
	), duties AS MATERIALIZED (
		SELECT d.*, coalesce(d.source, 'none') AS key FROM unnest(sums.duties) d WHERE d.domain = ANY (plain.domain)
	)
	SELECT e.domain, 1, 'no_evidence', NULL, NULL::numeric, NULL::numeric, ARRAY[e.days::text, e.reporters::text]
	FROM evidence e WHERE NOT e.sufficient
	UNION ALL
	SELECT d.domain, 2, 'mine_fails', d.key, d.mine_fail, d.mine, NULL FROM duties d WHERE d.mine_fail > 0
	UNION ALL
	SELECT u.domain, u.no, CASE u.no WHEN 2 THEN 'own_fails' ELSE 'unreviewed_fails' END, u.source, u.fail, u.messages,
		NULL
	FROM api.unreviewed_sources(plain, sums.harmful) u JOIN evidence e ON e.domain = u.domain
	WHERE u.fail >= api.unreviewed_floor(e.messages)
	UNION ALL
	SELECT d.domain, 4, 'mine_spf_only', d.key, d.mine_spf_only, d.mine - d.mine_fail, NULL
	FROM duties d WHERE api.relies_on_spf(d.mine_spf_only, d.mine - d.mine_fail)
	UNION ALL
	SELECT x.domain, 5, 'policy_differs', NULL, NULL, NULL, ARRAY[x.days::text, x.one, x.other]
	FROM api.policies_differing(plain) x;
END
$$;

-- The findings of one domain, as sentences.
CREATE FUNCTION api.blockers(p_domain text, f api.filter_set, known api.domain_evidence[]) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	RETURN (
		SELECT coalesce(jsonb_agg(jsonb_build_object('code', b.code, 'source', api.display(b.source),
			'name', api.display(a.name), 'messages', b.messages, 'text', api.display(CASE b.code
				WHEN 'no_evidence'
					THEN format('There are reports on %s and by %s; %s and %s are needed to say more',
					api.counted(b.words[1]::numeric, 'day'), api.counted(b.words[2]::numeric, 'reporter'),
					api.evidence_days(), api.evidence_reporters())
				WHEN 'mine_fails' THEN format('%s is labelled mine, and %s', c.called, c.failing)
				WHEN 'own_fails' THEN format('%s seems to be yours, and %s', c.called, c.failing)
				WHEN 'unreviewed_fails' THEN format('%s may be yours: %s, and nobody said whose it is', c.called,
					c.failing)
				WHEN 'mine_spf_only' THEN format('%s is labelled mine, and %s of its %s only by SPF, which breaks when '
					'mail is forwarded', c.called, api.counted(b.messages), api.counted(b.of,
					'passing message passes', 'passing messages pass'))
				ELSE format('On %s reporters saw different policies: "%s" and "%s"',
					api.counted(b.words[1]::numeric, 'day'), b.words[2], b.words[3]) END))
			ORDER BY b.no, b.messages DESC, b.source COLLATE "C"), '[]')
		FROM api.findings(ARRAY[p_domain], f, known) b
		LEFT JOIN LATERAL (SELECT max(v.source_name) AS name FROM dmarc.addresses v WHERE v.source = b.source) a ON true
		CROSS JOIN LATERAL (SELECT coalesce(a.name, CASE b.source WHEN 'none' THEN 'What has no readable address'
				ELSE b.source END) AS called, api.counted(b.messages) || ' of its ' || api.counted(b.of, 'message')
				|| CASE WHEN b.messages = 1 THEN ' fails' ELSE ' fail' END AS failing) c);
END
$$;
