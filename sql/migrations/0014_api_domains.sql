-- 0014_api_domains - schema api: policy domains, what enforcing a policy would affect, and who reports.
--
-- What stands against enforcement (blockers) are findings that follow from the rows by rules named here, never a score. Evidence below a
-- floor is told as such. p=reject is no goal for every domain (RFC 9989 section 7.4): what its users send to mailing lists is noted.

SET LOCAL ROLE ruad_owner;

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

-- From domains listed below a policy domain, the largest: anybody can make up more.
CREATE FUNCTION api.from_domains_most() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT 100 $$;

-- Policies

-- The tags of a policy as reports tell them.
CREATE TYPE api.policy AS (p text, sp text, np text, testing text, adkim text, aspf text, pct integer, fo text);

-- What is enforced of a policy: with t=y one step less (RFC 9989 section 4.7).
CREATE FUNCTION api.enforced(policy text, testing text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN testing IS DISTINCT FROM 'y' THEN policy WHEN policy = 'reject' THEN 'quarantine' ELSE 'none' END $$;

-- The policy as a report shows it. Of a From domain below (from_below) sp is in effect.
CREATE FUNCTION api.policy_seen(r dmarc.reports, from_below boolean) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT api.display(jsonb_build_object('p', r.p, 'sp', r.sp, 'np', r.np, 'testing', r.testing, 'adkim', r.adkim, 'aspf', r.aspf,
		'pct', r.pct, 'fo', r.fo, 'as_of', api.iso(r.begin),
		'effective', api.enforced(CASE WHEN from_below THEN coalesce(r.sp, r.p) ELSE r.p END, r.testing)))
$$;

-- The window and some domains, without the other filters: what is said of a domain itself does not depend on what one looks at.
CREATE FUNCTION api.only_domains(f api.filter_set, p_domains text[]) RETURNS api.filter_set
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
	plain api.filter_set;
BEGIN
	plain.from_day := f.from_day;
	plain.to_day := f.to_day;
	plain.dated := f.dated;
	plain.by_record := false;
	plain.domain := p_domains;
	RETURN plain;
END
$$;

-- The newest report on each domain.
CREATE FUNCTION api.newest_reports(f api.filter_set) RETURNS SETOF dmarc.reports
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT DISTINCT ON (r.domain) r.* FROM api.matching_reports(f) r ORDER BY r.domain, r.begin DESC, r.id DESC $$;

-- The later of two values, if it is not NULL.
CREATE FUNCTION api.later(before text, value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT coalesce(value, before) $$;

-- The last one in the order of a window that is not NULL.
CREATE AGGREGATE api.carried(text) (SFUNC = api.later, STYPE = text);

-- The policies that reporters saw for a domain until a day, the newest first. Reporters leave tags out: an older one knows no np
-- and no t, a newer one tells no pct, and defaults are told or not. So policies are the same when p, sp, adkim and aspf are in effect, and
-- a tag left out is what was told last with these (or, before anybody told it, first).
CREATE FUNCTION api.policy_history(p_domain text, p_until date)
RETURNS TABLE (first_day date, last_day date, reports bigint, reporters bigint, policy api.policy)
LANGUAGE sql STABLE
AS $$
	WITH days AS MATERIALIZED (
		SELECT r.day, r.org_name, r.p, r.sp, r.np, r.testing, r.adkim, r.aspf, r.pct, r.fo, count(*) AS reports,
			jsonb_build_array(r.p, coalesce(r.sp, r.p), coalesce(r.adkim, 'r'), coalesce(r.aspf, 'r')) AS core
		FROM dmarc.reports r WHERE r.domain = p_domain AND r.begin < api.at(p_until)
		GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
	), told AS (
		SELECT d.day, d.org_name, d.reports, d.core, d.p, d.sp, d.adkim, d.aspf,
			coalesce(api.carried(d.np) OVER np_before, api.carried(d.np) OVER np_behind) AS np,
			coalesce(api.carried(d.testing) OVER testing_before, api.carried(d.testing) OVER testing_behind) AS testing,
			coalesce(api.carried(d.pct::text) OVER pct_before, api.carried(d.pct::text) OVER pct_behind) AS pct,
			coalesce(api.carried(d.fo) OVER fo_before, api.carried(d.fo) OVER fo_behind) AS fo
		FROM days d
		WINDOW np_before AS (PARTITION BY d.core ORDER BY d.day, d.np IS NULL, d.np ROWS UNBOUNDED PRECEDING),
			np_behind AS (PARTITION BY d.core ORDER BY d.day DESC, d.np IS NULL, d.np ROWS UNBOUNDED PRECEDING),
			testing_before AS (PARTITION BY d.core ORDER BY d.day, d.testing IS NULL, d.testing ROWS UNBOUNDED PRECEDING),
			testing_behind AS (PARTITION BY d.core ORDER BY d.day DESC, d.testing IS NULL, d.testing ROWS UNBOUNDED PRECEDING),
			pct_before AS (PARTITION BY d.core ORDER BY d.day, d.pct IS NULL, d.pct ROWS UNBOUNDED PRECEDING),
			pct_behind AS (PARTITION BY d.core ORDER BY d.day DESC, d.pct IS NULL, d.pct ROWS UNBOUNDED PRECEDING),
			fo_before AS (PARTITION BY d.core ORDER BY d.day, d.fo IS NULL, d.fo ROWS UNBOUNDED PRECEDING),
			fo_behind AS (PARTITION BY d.core ORDER BY d.day DESC, d.fo IS NULL, d.fo ROWS UNBOUNDED PRECEDING)
	)
	SELECT min(t.day), max(t.day), sum(t.reports)::bigint, count(DISTINCT coalesce(t.org_name, '')),
		ROW(t.core ->> 0, max(t.sp), t.np, t.testing, max(t.adkim), max(t.aspf), t.pct::integer, t.fo)::api.policy
	FROM told t
	GROUP BY t.core, t.np, t.testing, t.pct, t.fo
	ORDER BY max(t.day) DESC, min(t.day) DESC, sum(t.reports) DESC
	LIMIT 100
$$;

-- The nearest domain above name that reports were ever about.
CREATE FUNCTION api.parent_of(name text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT d.domain FROM dmarc.domains d
	WHERE d.domain = ANY (ARRAY(SELECT array_to_string((string_to_array(name, '.'))[i:], '.')
		FROM generate_series(2, length(name) - length(replace(name, '.', '')) + 1) i))
		AND EXISTS (SELECT FROM dmarc.reports r WHERE r.domain = d.domain)
	ORDER BY length(d.domain) DESC LIMIT 1
$$;

-- The tags of the next record of _dmarc: p and t for the step, the others as they are in effect. A tag that is not there keeps its
-- default; sp and np that are as they would be without them are left out, since reporters fill them in. Only values of RFC 9989 section
-- 4.7 are taken from a report. Reports do not tell rua and ruf: they are where the newest reports came in.
CREATE FUNCTION api.record_value(policy api.policy, p text, t text, rua text, ruf text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT array_to_string(ARRAY['v=DMARC1', 'p=' || p,
		CASE WHEN policy.sp IN ('none', 'quarantine', 'reject') AND policy.sp IS DISTINCT FROM policy.p THEN 'sp=' || policy.sp END,
		CASE WHEN policy.np IN ('none', 'quarantine', 'reject') AND policy.np IS DISTINCT FROM coalesce(policy.sp, policy.p) THEN 'np=' || policy.np END,
		CASE WHEN policy.adkim = 's' THEN 'adkim=s' END,
		CASE WHEN policy.aspf = 's' THEN 'aspf=s' END,
		CASE WHEN t = 'y' THEN 't=y' END,
		CASE WHEN policy.fo ~ '^[01ds](:[01ds])*$' AND policy.fo <> '0' THEN 'fo=' || policy.fo END,
		'rua=mailto:' || CASE WHEN rua ~ '^[A-Za-z0-9._+=-]+@[A-Za-z0-9.-]+$' THEN rua ELSE '<the address as it is now>' END,
		CASE WHEN ruf ~ '^[A-Za-z0-9._+=-]+@[A-Za-z0-9.-]+$' THEN 'ruf=mailto:' || ruf END], '; ')
$$;

-- Where the newest reports on a domain came in: aggregate reports, failure reports.
CREATE FUNCTION api.mailboxes_of(p_domain text, OUT rua text, OUT ruf text)
LANGUAGE sql STABLE
AS $$
	SELECT (SELECT m.recipients ->> 0 FROM dmarc.mails m WHERE m.mail = (
			SELECT r.mail FROM dmarc.reports r WHERE r.domain = p_domain ORDER BY r.begin DESC, r.id DESC LIMIT 1)),
		(SELECT m.recipients ->> 0 FROM dmarc.mails m WHERE m.mail = (
			SELECT r.mail FROM dmarc.failure_reports r WHERE r.domain = p_domain AND r.kind = 'failure' ORDER BY r.begin DESC, r.id DESC LIMIT 1))
$$;

-- The record of the next step, each step tried with t=y first. The one that is there is kept when it rejects, or when nothing can be said.
CREATE FUNCTION api.next_record(p_domain text, policy api.policy, sufficient boolean) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
	SELECT jsonb_build_object('name', '_dmarc.' || api.display(p_domain), 'step', s.step, 'value',
		api.record_value(policy, s.p, s.t, m.rua, m.ruf))
	FROM (VALUES
		(1, NOT sufficient OR policy.p = 'reject' AND policy.testing IS DISTINCT FROM 'y', 'keep',
			CASE WHEN policy.p IN ('quarantine', 'reject') THEN policy.p ELSE 'none' END, policy.testing),
		(2, policy.p = 'reject', 'reject', 'reject', 'n'),
		(3, policy.p = 'quarantine' AND policy.testing = 'y', 'quarantine', 'quarantine', 'n'),
		(4, policy.p = 'quarantine', 'reject_test', 'reject', 'y'),
		(5, true, 'quarantine_test', 'quarantine', 'y')) AS s(no, here, step, p, t)
	CROSS JOIN api.mailboxes_of(p_domain) m
	WHERE s.here
	ORDER BY s.no
	LIMIT 1
$$;

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

-- Domains

-- How many sources a group has; those whose address could not be read are one.
CREATE FUNCTION api.source_totals(p_group text, f api.filter_set) RETURNS TABLE (key text, total bigint)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT s.key, count(*) FROM (
		SELECT CASE p_group WHEN 'domain' THEN r.domain ELSE r.header_from END AS key, r.source FROM api.matching(f) r GROUP BY 1, 2) s
	GROUP BY 1
$$;

-- Policy domains as lists show them, one for each tally.
CREATE FUNCTION api.policy_domain_items(tallies api.tally[], f api.filter_set, csv boolean) RETURNS TABLE (name text, item jsonb)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	keys text[] := ARRAY(SELECT t.key FROM unnest(tallies) t);
	plain api.filter_set := api.only_domains(f, keys);
BEGIN
	f.domain := keys;
	RETURN QUERY
	SELECT keys[i], api.tally_json(tallies[i]) || jsonb_build_object('name', api.display(keys[i]), 'kind', 'policy',
		'parent', api.display(api.parent_of(keys[i])), 'policy', n.policy, 'sources', coalesce(s.total, 0), 'blockers', coalesce(b.n, 0),
		'sufficient', coalesce(e.sufficient, false), 'last_report_at', api.iso(e.last_report_at), 'spark', k.spark,
		'solicited', api.solicited(keys[i]))
	FROM generate_subscripts(keys, 1) i
	LEFT JOIN (SELECT r.domain, api.policy_seen(r, false) AS policy FROM api.newest_reports(plain) r) n ON n.domain = keys[i]
	LEFT JOIN api.source_totals('domain', f) s ON s.key = keys[i]
	LEFT JOIN (SELECT x.domain, count(*) AS n FROM api.findings(keys, f) x GROUP BY 1) b ON b.domain = keys[i]
	LEFT JOIN api.evidence(plain) e ON e.domain = keys[i]
	LEFT JOIN api.sparks('domain', CASE WHEN NOT csv THEN keys END, f) k ON k.key = keys[i];
END
$$;

-- The From domains below each of some policy domains that have no reports of their own, the largest. One that is seen below two of them
-- belongs to the nearer.
CREATE FUNCTION api.from_domains(p_domains text[], f api.filter_set) RETURNS TABLE (parent text, name text)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	f.domain := p_domains;
	RETURN QUERY
	SELECT DISTINCT ON (b.header_from) b.domain, b.header_from
	FROM (
		SELECT a.*, row_number() OVER (PARTITION BY a.domain ORDER BY a.messages DESC, a.header_from COLLATE "C") AS no
		FROM (
			SELECT r.domain, r.header_from, coalesce(sum(r.count), 0) AS messages FROM api.matching(f) r
			WHERE right(r.header_from, length(r.domain) + 1) = '.' || r.domain
			GROUP BY 1, 2
		) a
		WHERE NOT EXISTS (SELECT FROM dmarc.domains d JOIN dmarc.reports r ON r.domain = d.domain WHERE d.domain = a.header_from)
	) b
	WHERE b.no <= api.from_domains_most()
	ORDER BY b.header_from, length(b.domain) DESC;
END
$$;

-- From domains as lists show them, with the policy domain that each is below, the largest first.
CREATE FUNCTION api.from_domain_items(p_domains text[], f api.filter_set, csv boolean) RETURNS TABLE (parent text, no bigint, item jsonb)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	plain api.filter_set := api.only_domains(f, p_domains);
	parents jsonb;
BEGIN
	parents := (SELECT jsonb_object_agg(d.name, d.parent) FROM api.from_domains(p_domains, f) d);
	f.domain := p_domains;
	f.header_from := ARRAY(SELECT jsonb_object_keys(parents));
	f.by_record := true;
	RETURN QUERY
	SELECT d.parent, row_number() OVER (PARTITION BY d.parent ORDER BY t.messages DESC, t.key COLLATE "C"),
		api.tally_json(t) || jsonb_build_object('name', api.display(t.key), 'kind', 'from', 'parent', api.display(d.parent),
			'policy', n.policy, 'sources', s.total, 'blockers', NULL, 'sufficient', NULL, 'last_report_at', api.iso(l.received_at), 'spark', k.spark,
			'solicited', NULL)
	FROM api.tallies('header_from', f) t
	CROSS JOIN LATERAL (SELECT parents ->> t.key AS parent) d
	JOIN api.source_totals('header_from', f) s ON s.key = t.key
	LEFT JOIN (SELECT r.domain, api.policy_seen(r, true) AS policy FROM api.newest_reports(plain) r) n ON n.domain = d.parent
	LEFT JOIN (
		SELECT x.header_from, max(r.received_at) AS received_at
		FROM (SELECT DISTINCT m.header_from, m.report, m.begin, m.domain FROM api.matching(f) m) x
		JOIN api.matching_reports(plain) r ON r.id = x.report AND r.begin = x.begin AND r.domain = x.domain
		GROUP BY 1
	) l ON l.header_from = t.key
	LEFT JOIN api.sparks('header_from', CASE WHEN NOT csv THEN f.header_from END, f) k ON k.key = t.key;
END
$$;

-- Policy domains; a page counts them, and the From domains below each come behind it.
CREATE FUNCTION api.domains(f api.filter_set, p api.page_spec, p_sort text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	list text;
	page api.tally[];
	place api.rank;
	keys text[];
	total bigint;
BEGIN
	p_sort := api.sort_of(p_sort);
	list := format('domains %s', p_sort);
	place := api.rank_of(list, p.cursor);
	SELECT t.total, t.page INTO total, page FROM api.tally_page('domain', f, p_sort, p.size, place) t;
	keys := ARRAY(SELECT t.key FROM unnest(page[:p.size]) t);
	RETURN jsonb_build_object('window', api.window_json(f), 'next', api.tally_next(list, page, p_sort, p.size), 'total', total,
		'items', (SELECT coalesce(jsonb_agg(i.item ORDER BY array_position(keys, i.domain), i.no), '[]') FROM (
			SELECT d.name AS domain, 0 AS no, d.item FROM api.policy_domain_items(page[:p.size], f, p.csv) d
			UNION ALL
			SELECT d.parent, d.no, d.item FROM api.from_domain_items(keys, f, p.csv) d) i));
END
$$;

-- One domain; NULL when there was never a report on it. A From domain below a policy domain has no policy of its own: its history is
-- empty, and the record of the next step is that of the policy domain.
CREATE FUNCTION api.domain(p_name text, f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	name text := (api.domain_names(ARRAY[p_name]))[1];
	governing text := name;
	item jsonb;
	history jsonb := '[]';
	policy api.policy;
	sufficient boolean;
BEGIN
	f := api.only_domains(f, ARRAY[name]);
	IF EXISTS (SELECT FROM dmarc.reports r WHERE r.domain = name) THEN
		item := (SELECT d.item FROM api.policy_domain_items(ARRAY[coalesce((SELECT t FROM api.tallies('domain', f) t), api.tally_zero(name))],
			f, false) d);
		history := (SELECT jsonb_agg(jsonb_build_object('from', h.first_day, 'to', h.last_day, 'reports', h.reports, 'reporters', h.reporters,
			'policy', api.display(to_jsonb(h.policy)))) FROM api.policy_history(name, f.to_day) h);
	ELSE
		governing := api.parent_of(name);
		f := api.only_domains(f, ARRAY[governing]);
		f.header_from := ARRAY[name];
		f.by_record := true;
		item := (SELECT d.item FROM api.from_domain_items(ARRAY[governing], f, false) d);
	END IF;
	IF item IS NULL THEN
		RETURN NULL;
	END IF;
	policy := (SELECT h.policy FROM api.policy_history(governing, f.to_day) h LIMIT 1);
	sufficient := (SELECT e.sufficient FROM api.evidence(api.only_domains(f, ARRAY[governing])) e);
	RETURN item || jsonb_build_object('window', api.window_json(f), 'policy_history', coalesce(history, '[]'),
		'subdomains', (SELECT coalesce(jsonb_agg(d.item ORDER BY d.no), '[]') FROM api.from_domain_items(ARRAY[name], f, false) d),
		'next_record', api.next_record(governing, policy, coalesce(sufficient, false))) || (
		SELECT jsonb_build_object('first_report_at', api.iso(min(r.received_at)),
			'reporters', count(DISTINCT coalesce(r.org_name, '')) FILTER (WHERE r.begin >= api.at(f.from_day) AND r.begin < api.at(f.to_day)))
		FROM dmarc.reports r
		WHERE r.domain = governing AND (governing = name OR r.id IN (SELECT m.report FROM api.matching(f) m)));
END
$$;

-- Which tag governs what. psd is a matter of DNS: reports do not tell it.
CREATE FUNCTION api.policy_scope(p_domain text, policy api.policy) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_agg(jsonb_build_object('tag', s.tag, 'value', api.display(s.value), 'effective', api.display(s.effective),
		'text', format(s.text, api.display(p_domain))) ORDER BY s.no)
	FROM (VALUES
		(1, 'p', policy.p, api.enforced(coalesce(policy.p, 'none'), policy.testing), 'Mail with %s itself in From'),
		(2, 'sp', policy.sp, api.enforced(coalesce(policy.sp, policy.p, 'none'), policy.testing),
			'Domains below %s that exist and have no record of their own; without sp, as p'),
		(3, 'np', policy.np, api.enforced(coalesce(policy.np, policy.sp, policy.p, 'none'), policy.testing),
			'Domains below %s that do not exist in DNS; without np, as sp; receivers that only know RFC 7489 use sp'),
		(4, 't', policy.testing, coalesce(policy.testing, 'n'),
			'y: receivers enforce one step less of p, sp and np of %s; those that only know RFC 7489 ignore it'),
		(5, 'psd', NULL, NULL, 'Whether %s is a public suffix; reports do not tell')) AS s(no, tag, value, effective, text)
$$;

-- What should be known with the numbers: mail that lists and forwarders changed is there, many messages pass by SPF alone, the policy is a
-- trial or for a part of mail only, domains below (or those that do not exist) are not protected by a policy that protects this one.
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
		(6, 'np_unprotected', coalesce(policy.np, policy.sp) = 'none' AND policy.p IN ('quarantine', 'reject'))) AS n(no, code, here)
	WHERE n.here
$$;

-- The class that most of a source's failing messages have.
CREATE FUNCTION api.main_failure(t api.tally) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT c.class FROM (VALUES (1, 'fail_overridden', t.fail_overridden), (2, 'fail_altered', t.fail_altered),
		(3, 'fail_unaligned', t.fail_unaligned), (4, 'fail_unauthenticated', t.fail_unauthenticated),
		(5, 'unknown', t.class_unknown)) AS c(no, class, n)
	ORDER BY c.n DESC, c.no LIMIT 1
$$;

-- The sources of tallies behind an impact.
CREATE FUNCTION api.impact_sources(tallies api.tally[], f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	keys text[] := ARRAY(SELECT t.key FROM unnest(tallies) t);
BEGIN
	RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('key', api.display(coalesce(keys[i], 'none')), 'name', api.display(k.name),
		'label', k.label, 'class', api.main_failure(tallies[i]), 'messages', tallies[i].messages, 'last_seen', api.iso(tallies[i].last_seen)) ORDER BY i), '[]')
		FROM generate_subscripts(keys, 1) i
		LEFT JOIN api.source_known('source', keys, f) k ON k.key = keys[i]);
END
$$;

-- What would be affected if a domain enforced a policy; NULL when there was never a report on it. Affected are failing messages whose
-- receivers did not already do as much.
CREATE FUNCTION api.impact(p_name text, f api.filter_set, p_policy text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	name text := (api.domain_names(ARRAY[p_name]))[1];
	affected api.filter_set;
	policy api.policy;
	whole api.tally;
	part api.tally;
	page api.tally[];
	total bigint;
BEGIN
	PERFORM api.check_choice('policy', ARRAY['quarantine', 'reject'], p_policy);
	p_policy := coalesce(p_policy, 'quarantine');
	IF NOT EXISTS (SELECT FROM dmarc.reports r WHERE r.domain = name) THEN
		RETURN NULL;
	END IF;
	f := api.only_domains(f, ARRAY[name]);
	affected := f;
	affected.result := 'fail';
	affected.disposition := array_remove(array_remove(api.dispositions(), 'reject'), CASE p_policy WHEN 'quarantine' THEN 'quarantine' END);
	affected.by_record := true;
	policy := (SELECT h.policy FROM api.policy_history(name, f.to_day) h LIMIT 1);
	whole := coalesce((SELECT t FROM api.tallies('', f) t), api.tally_zero());
	part := coalesce((SELECT t FROM api.tallies('', affected) t), api.tally_zero());
	SELECT t.total, t.page INTO total, page FROM api.tally_page('source', affected, '-messages', 50, NULL) t;

	RETURN jsonb_build_object('window', api.window_json(f), 'domain', api.display(name), 'policy', p_policy,
		'evidence', (SELECT jsonb_build_object('days', coalesce(e.days, 0), 'window_days', f.to_day - f.from_day, 'reporters', coalesce(e.reporters, 0),
				'messages', coalesce(e.messages, 0), 'last_report_at', api.iso(e.last_report_at), 'sufficient', coalesce(e.sufficient, false),
				'days_needed', api.evidence_days(), 'reporters_needed', api.evidence_reporters())
			FROM (SELECT) one LEFT JOIN api.evidence(f) e ON true),
		'affected', jsonb_build_object('messages', part.messages, 'share', round(part.messages / nullif(whole.messages, 0), 6),
			'by_class', api.tally_json(part) -> 'by_class'),
		'sources', api.impact_sources(page[:50], f), 'sources_total', total,
		'blockers', api.blockers(name, f), 'notes', api.impact_notes(policy, whole), 'scope', api.policy_scope(name, policy));
END
$$;

-- Reporters

-- The codes of the notes on the reports of some reporters and on their records: how many, and the five that come most often.
CREATE FUNCTION api.reporter_notes(p_reporters text[], f api.filter_set) RETURNS TABLE (org_name text, total bigint, codes jsonb)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	RETURN QUERY
	WITH counted AS (
		SELECT coalesce(n.org_name, '') AS org_name, n.code, count(*) AS n,
			row_number() OVER (PARTITION BY coalesce(n.org_name, '') ORDER BY count(*) DESC, n.code COLLATE "C") AS no
		FROM dmarc.notes n
		WHERE n.kind = 'aggregate' AND n.begin >= api.at(f.from_day) AND n.begin < api.at(f.to_day)
			AND coalesce(n.org_name, '') IN (SELECT coalesce(o, '') FROM unnest(p_reporters) o)
			AND (f.domain IS NULL OR n.domain = ANY (f.domain))
			AND (NOT f.by_record OR n.report IN (SELECT m.report FROM api.matching(f) m))
		GROUP BY 1, 2
	)
	SELECT c.org_name, sum(c.n)::bigint, jsonb_agg(jsonb_build_object('code', api.display(c.code), 'n', c.n) ORDER BY c.no) FILTER (WHERE c.no <= 5)
	FROM counted c GROUP BY 1;
END
$$;

-- Reports in up to 92 equal steps of whole days, from the window's first day.
CREATE FUNCTION api.coverage(p_reporters text[], f api.filter_set) RETURNS TABLE (org_name text, coverage jsonb)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	WITH shape AS (
		SELECT greatest(1, (f.to_day - f.from_day + 91) / 92) AS days
	), counts AS (
		SELECT coalesce(r.org_name, '') AS org_name, (r.day - f.from_day) / s.days AS step, count(*) AS n
		FROM api.matching_reports(f) r, shape s
		GROUP BY 1, 2
	)
	SELECT coalesce(o.org_name, ''), jsonb_agg(coalesce(c.n, 0) ORDER BY g.step)
	FROM shape CROSS JOIN unnest(p_reporters) AS o(org_name)
	CROSS JOIN generate_series(0, (f.to_day - f.from_day - 1) / shape.days) AS g(step)
	LEFT JOIN counts c ON c.org_name = coalesce(o.org_name, '') AND c.step = g.step
	GROUP BY 1
$$;

-- What their reports say about reporters.
CREATE TYPE api.reporter_tally AS (org_name text, reports bigint, records numeric, messages numeric, pass numeric, domains bigint,
	days bigint, lateness double precision, first_report_at timestamptz, last_report_at timestamptz);

-- The same for each of them.
CREATE FUNCTION api.reporter_tallies(f api.filter_set) RETURNS SETOF api.reporter_tally
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT r.org_name, count(*), sum(r.records), sum(r.messages), sum(r.pass), count(DISTINCT r.domain), count(DISTINCT r.day),
		percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM r.received_at - r."end")::double precision),
		min(r.received_at), max(r.received_at)
	FROM api.matching_reports(f) r
	GROUP BY r.org_name
$$;

-- The words that the reports of a reporter have: up to three addresses by the number of reports, and dialects.
CREATE FUNCTION api.reporter_words(p_reporters text[], f api.filter_set) RETURNS TABLE (org_name text, emails jsonb, dialects jsonb)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	WITH words AS (
		SELECT coalesce(r.org_name, '') AS org_name, r.email, r.dialect, count(*) AS n
		FROM api.matching_reports(f) r WHERE coalesce(r.org_name, '') IN (SELECT coalesce(o, '') FROM unnest(p_reporters) o)
		GROUP BY 1, 2, 3
	), emails AS (
		SELECT w.org_name, w.email, row_number() OVER (PARTITION BY w.org_name ORDER BY sum(w.n) DESC, w.email COLLATE "C") AS no
		FROM words w WHERE w.email IS NOT NULL GROUP BY 1, 2
	)
	SELECT w.org_name, (SELECT jsonb_agg(api.display(e.email) ORDER BY e.no) FROM emails e WHERE e.org_name = w.org_name AND e.no <= 3),
		jsonb_agg(DISTINCT w.dialect)
	FROM words w GROUP BY w.org_name
$$;

-- Who reports, those with the most messages first. Numbers are those of the reports that the filter leaves.
CREATE FUNCTION api.reporters(f api.filter_set, p api.page_spec) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	place api.rank := api.rank_of('reporters', p.cursor);
	page api.reporter_tally[];
	keys text[];
	total bigint;
	items jsonb;
BEGIN
	WITH t AS MATERIALIZED (
		SELECT t, t.messages, api.order_key(t.org_name) AS key FROM api.reporter_tallies(f) t
	), ordered AS (
		SELECT t.* FROM t WHERE api.comes_after(t.messages, t.key, place) ORDER BY t.messages DESC, t.key COLLATE "C" LIMIT p.size + 1
	)
	SELECT (SELECT count(*) FROM t), array_agg(o.t ORDER BY o.messages DESC, o.key COLLATE "C") INTO total, page FROM ordered o;
	keys := ARRAY(SELECT t.org_name FROM unnest(page[:p.size]) t);

	SELECT jsonb_agg(jsonb_build_object('org_name', api.display(t.org_name), 'emails', coalesce(w.emails, '[]'), 'reports', t.reports,
		'records', t.records, 'messages', t.messages, 'pass', t.pass, 'domains', t.domains, 'days', t.days,
		'coverage', coalesce(c.coverage, '[]'), 'lateness', round(t.lateness), 'dialects', w.dialects, 'notes_total', coalesce(n.total, 0),
		'notes', coalesce(n.codes, '[]'), 'first_report_at', api.iso(t.first_report_at), 'last_report_at', api.iso(t.last_report_at)) ORDER BY t.no)
	INTO items
	FROM unnest(page[:p.size]) WITH ORDINALITY AS t(org_name, reports, records, messages, pass, domains, days, lateness, first_report_at, last_report_at, no)
	LEFT JOIN api.reporter_words(keys, f) w ON w.org_name = coalesce(t.org_name, '')
	LEFT JOIN api.coverage(keys, f) c ON c.org_name = coalesce(t.org_name, '')
	LEFT JOIN api.reporter_notes(keys, f) n ON n.org_name = coalesce(t.org_name, '');

	RETURN jsonb_build_object('window', api.window_json(f), 'items', coalesce(items, '[]'), 'total', total,
		'next', CASE WHEN cardinality(page) > p.size THEN
			api.cursor_make('reporters', jsonb_build_array(page[p.size].messages, api.order_key(page[p.size].org_name))) END);
END
$$;
