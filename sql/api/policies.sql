-- policies.sql - policies as reports show them, and the recommended next record.

-- The tags of a policy as reports contain them.
CREATE TYPE api.policy AS (p text, sp text, np text, testing text, adkim text, aspf text, pct integer, fo text);

-- The policy that receivers enforce: with t=y one step less (RFC 9989 section 4.7).
CREATE FUNCTION api.enforced(policy text, testing text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN testing IS DISTINCT FROM 'y' THEN policy WHEN policy = 'reject' THEN 'quarantine'
	ELSE 'none' END $$;

-- The policy as a report shows it. For a From domain below the policy domain (from_below), sp applies.
CREATE FUNCTION api.policy_seen(r dmarc.reports, from_below boolean) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT api.display(jsonb_build_object('p', r.p, 'sp', r.sp, 'np', r.np, 'testing', r.testing, 'adkim', r.adkim,
		'aspf', r.aspf, 'pct', r.pct, 'fo', r.fo, 'as_of', api.iso(r.begin),
		'effective', api.enforced(CASE WHEN from_below THEN coalesce(r.sp, r.p) ELSE r.p END, r.testing)))
$$;

-- The day from which on a report's begin is a mistake, so that it says nothing about the present.
CREATE FUNCTION api.day_too_late() RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT api.today() + 2 $$;

-- The newest report in the window on each of the filter's domains.
CREATE FUNCTION api.newest_reports(f api.filter_set) RETURNS SETOF dmarc.reports
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	RETURN QUERY
	SELECT n.* FROM dmarc.domains d
	CROSS JOIN LATERAL (
		SELECT r.* FROM dmarc.reports r WHERE r.domain_id = d.domain_id AND r.day >= f.from_day
			AND r.day < least(f.to_day, api.day_too_late())
		ORDER BY r.day DESC, r.begin DESC, r.id DESC LIMIT 1
	) n
	WHERE d.domain = ANY (f.domain);
END
$$;

-- The number of a domain; NULL if no report was ever about it.
CREATE FUNCTION api.domain_id_of(name text) RETURNS integer
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (SELECT d.domain_id FROM dmarc.domains d WHERE d.domain = name);
END
$$;

-- Returns whether there was ever an aggregate report on a domain. One plan serves all domains.
CREATE FUNCTION api.has_reports(p_domain_id integer) RETURNS boolean
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
	RETURN EXISTS (SELECT 1 FROM dmarc.reports r WHERE r.domain_id = p_domain_id);
END
$$;

-- The later of two values, if it is not NULL.
CREATE FUNCTION api.later(before text, value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT coalesce(value, before) $$;

-- The last value of a window that is not NULL, in its order.
CREATE AGGREGATE api.carried(text) (SFUNC = api.later, STYPE = text);

-- The policies that reporters saw for each of some domains before a day; no 1 is the newest. Reporters omit tags: older
-- ones know neither np nor t, newer ones send no pct, and some omit defaults. So two policies are the same if p, sp,
-- adkim and aspf have the same effect, and an omitted tag has the value that was last reported with these (or, before
-- its first report, the first). One call for all domains: planning costs more than reading.
CREATE FUNCTION api.policy_histories(p_domains integer[], p_until date)
RETURNS TABLE (domain_id integer, no bigint, first_day date, last_day date, reports bigint, reporters bigint,
	policy api.policy)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	RETURN QUERY
	WITH seen AS (
		SELECT r.domain_id, r.day, coalesce(r.org_name, '') AS org_name, r.p, r.sp, r.np, r.testing, r.adkim, r.aspf,
			r.pct, r.fo, count(*) AS reports
		FROM dmarc.reports r WHERE r.domain_id = ANY (p_domains) AND r.day < least(p_until, api.day_too_late())
		GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
	), days AS MATERIALIZED (
		SELECT s.domain_id, s.day, s.p, s.sp, s.np, s.testing, s.adkim, s.aspf, s.pct, s.fo, sum(s.reports) AS reports,
			array_agg(s.org_name) AS org_names, jsonb_build_array(s.p, coalesce(s.sp, s.p), coalesce(s.adkim, 'r'),
				coalesce(s.aspf, 'r')) AS core
		FROM seen s
		GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
	), told AS (
		SELECT d.domain_id, d.day, d.org_names, d.reports, d.core, d.p, d.sp, d.adkim, d.aspf,
			coalesce(api.carried(d.np) OVER np_before, api.carried(d.np) OVER np_behind) AS np,
			coalesce(api.carried(d.testing) OVER testing_before, api.carried(d.testing) OVER testing_behind) AS testing,
			coalesce(api.carried(d.pct::text) OVER pct_before, api.carried(d.pct::text) OVER pct_behind) AS pct,
			coalesce(api.carried(d.fo) OVER fo_before, api.carried(d.fo) OVER fo_behind) AS fo
		FROM days d
		WINDOW np_before AS (PARTITION BY d.domain_id, d.core ORDER BY d.day, d.np IS NULL,
				d.np ROWS UNBOUNDED PRECEDING),
			np_behind AS (PARTITION BY d.domain_id, d.core ORDER BY d.day DESC, d.np IS NULL,
				d.np ROWS UNBOUNDED PRECEDING),
			testing_before AS (PARTITION BY d.domain_id, d.core ORDER BY d.day, d.testing IS NULL,
				d.testing ROWS UNBOUNDED PRECEDING),
			testing_behind AS (PARTITION BY d.domain_id, d.core ORDER BY d.day DESC, d.testing IS NULL,
				d.testing ROWS UNBOUNDED PRECEDING),
			pct_before AS (PARTITION BY d.domain_id, d.core ORDER BY d.day, d.pct IS NULL,
				d.pct ROWS UNBOUNDED PRECEDING),
			pct_behind AS (PARTITION BY d.domain_id, d.core ORDER BY d.day DESC, d.pct IS NULL,
				d.pct ROWS UNBOUNDED PRECEDING),
			fo_before AS (PARTITION BY d.domain_id, d.core ORDER BY d.day, d.fo IS NULL,
				d.fo ROWS UNBOUNDED PRECEDING),
			fo_behind AS (PARTITION BY d.domain_id, d.core ORDER BY d.day DESC, d.fo IS NULL,
				d.fo ROWS UNBOUNDED PRECEDING)
	), policies AS (
		SELECT t.domain_id, min(t.day) AS first_day, max(t.day) AS last_day,
			(sum(t.reports) FILTER (WHERE o.no = 1))::bigint AS reports, count(DISTINCT o.org_name) AS reporters,
			ROW(t.core ->> 0, max(t.sp), t.np, t.testing, max(t.adkim), max(t.aspf), t.pct::integer, t.fo)::api.policy
				AS policy
		FROM told t
		CROSS JOIN LATERAL unnest(t.org_names) WITH ORDINALITY AS o(org_name, no)
		GROUP BY t.domain_id, t.core, t.np, t.testing, t.pct, t.fo
	)
	SELECT n.* FROM (
		SELECT v.domain_id, row_number() OVER (PARTITION BY v.domain_id
			ORDER BY v.last_day DESC, v.first_day DESC, v.reports DESC) AS no, v.first_day, v.last_day, v.reports,
			v.reporters, v.policy
		FROM policies v) n
	WHERE n.no <= 100;
END
$$;

-- The newest policy alone of each domain that has one: the first of api.policy_histories(), or one with the same
-- effect (sp, adkim and aspf may be those that are omitted). It is what was reported on the last day; tags that are
-- omitted then come from the three months before. Where reporters saw several policies on that day, the whole history
-- decides.
CREATE FUNCTION api.newest_policies(p_domains integer[], p_until date)
RETURNS TABLE (domain_id integer, policy api.policy)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	until constant date := least(p_until, api.day_too_late());
	several integer[];
	newest record;
BEGIN
	FOR newest IN
		WITH seen AS MATERIALIZED (
			SELECT s.*, jsonb_build_array(s.p, coalesce(s.sp, s.p), coalesce(s.adkim, 'r'),
				coalesce(s.aspf, 'r')) AS core
			FROM (
				SELECT DISTINCT r.domain_id, r.day, r.p, r.sp, r.np, r.testing, r.adkim, r.aspf, r.pct, r.fo
				FROM unnest(p_domains) AS d(id)
				CROSS JOIN LATERAL (SELECT n.day FROM dmarc.reports n WHERE n.domain_id = d.id AND n.day < until
					ORDER BY n.day DESC LIMIT 1) l
				JOIN dmarc.reports r ON r.domain_id = d.id AND r.day = l.day
			) s
		), cores AS MATERIALIZED (
			SELECT s.domain_id, s.core, min(s.day) AS day, max(s.sp) AS sp, max(s.adkim) AS adkim, max(s.aspf) AS aspf,
				max(s.np) AS np, max(s.testing) AS testing, max(s.pct) AS pct, max(s.fo) AS fo
			FROM seen s GROUP BY 1, 2
		), before AS (
			SELECT c.domain_id, c.core,
				(array_agg(r.np ORDER BY r.day DESC, r.np DESC) FILTER (WHERE r.np IS NOT NULL))[1] AS np,
				(array_agg(r.testing ORDER BY r.day DESC, r.testing DESC)
					FILTER (WHERE r.testing IS NOT NULL))[1] AS testing,
				(array_agg(r.pct ORDER BY r.day DESC, r.pct DESC) FILTER (WHERE r.pct IS NOT NULL))[1] AS pct,
				(array_agg(r.fo ORDER BY r.day DESC, r.fo DESC) FILTER (WHERE r.fo IS NOT NULL))[1] AS fo
			FROM cores c
			JOIN dmarc.reports r ON r.domain_id = c.domain_id AND r.day >= c.day - 92 AND r.day < c.day
				AND (c.np IS NULL AND r.np IS NOT NULL OR c.testing IS NULL AND r.testing IS NOT NULL
					OR c.pct IS NULL AND r.pct IS NOT NULL OR c.fo IS NULL AND r.fo IS NOT NULL)
				AND jsonb_build_array(r.p, coalesce(r.sp, r.p), coalesce(r.adkim, 'r'), coalesce(r.aspf, 'r')) = c.core
			GROUP BY 1, 2
		), told AS (
			SELECT DISTINCT s.domain_id, ROW(s.core ->> 0, c.sp, coalesce(s.np, c.np, b.np),
				coalesce(s.testing, c.testing, b.testing), c.adkim, c.aspf, coalesce(s.pct, c.pct, b.pct),
				coalesce(s.fo, c.fo, b.fo))::api.policy AS policy
			FROM seen s JOIN cores c ON c.domain_id = s.domain_id AND c.core = s.core
			LEFT JOIN before b ON b.domain_id = s.domain_id AND b.core = s.core
		)
		SELECT t.domain_id, count(*) AS policies, (array_agg(t.policy))[1] AS policy FROM told t GROUP BY 1
	LOOP
		domain_id := newest.domain_id;
		policy := newest.policy;
		IF newest.policies = 1 THEN
			RETURN NEXT;
		ELSE
			several := several || newest.domain_id;
		END IF;
	END LOOP;
	IF several IS NOT NULL THEN
		RETURN QUERY SELECT h.domain_id, h.policy FROM api.policy_histories(several, p_until) h WHERE h.no = 1;
	END IF;
END
$$;

-- The same for one domain.
CREATE FUNCTION api.policy_history(p_domain text, p_until date)
RETURNS TABLE (first_day date, last_day date, reports bigint, reporters bigint, policy api.policy)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN QUERY SELECT h.first_day, h.last_day, h.reports, h.reporters, h.policy
	FROM api.policy_histories(ARRAY[api.domain_id_of(p_domain)], p_until) h ORDER BY h.no;
END
$$;

-- The nearest domain above name that has aggregate reports.
CREATE FUNCTION api.parent_of(name text) RETURNS text
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
	RETURN (
		SELECT d.domain FROM dmarc.domains d
		WHERE d.domain = ANY (ARRAY(SELECT array_to_string((string_to_array(name, '.'))[i:], '.')
			FROM generate_series(2, length(name) - length(replace(name, '.', '')) + 1) i))
			AND api.has_reports(d.domain_id)
		ORDER BY length(d.domain) DESC LIMIT 1);
END
$$;

-- The value of the next record at _dmarc: p and t of the step, the other tags as they are in effect. A tag that was
-- not reported keeps its default. sp and np are omitted if they equal their defaults, since reporters fill them in.
-- pct, which receivers of RFC 7489 alone know, stays while the policy stays, so that they enforce no more than now.
-- Only values that RFC 9989 section 4.7 allows are copied from a report. Reports do not contain rua and ruf, so the
-- mailboxes that received the newest reports are used. For domains whose DNS was not checked.
CREATE FUNCTION api.record_value(policy api.policy, p text, t text, rua text, ruf text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT array_to_string(ARRAY['v=DMARC1', 'p=' || p,
		CASE WHEN policy.sp IN ('none', 'quarantine', 'reject') AND policy.sp IS DISTINCT FROM policy.p THEN 'sp='
			|| policy.sp END,
		CASE WHEN policy.np IN ('none', 'quarantine', 'reject') AND policy.np IS DISTINCT FROM coalesce(policy.sp,
			policy.p) THEN 'np=' || policy.np END,
		CASE WHEN policy.adkim = 's' THEN 'adkim=s' END,
		CASE WHEN policy.aspf = 's' THEN 'aspf=s' END,
		CASE WHEN p <> 'none' AND (p, t) IS NOT DISTINCT FROM (policy.p, policy.testing) AND policy.pct BETWEEN 0 AND 99
			THEN 'pct=' || policy.pct END,
		CASE WHEN t = 'y' THEN 't=y' END,
		CASE WHEN policy.fo ~ '^[01ds](:[01ds])*$' AND policy.fo <> '0' THEN 'fo=' || policy.fo END,
		'rua=mailto:'
			|| CASE WHEN rua ~ '^[A-Za-z0-9._+=-]+@[A-Za-z0-9.-]+$' THEN rua ELSE '<the address as it is now>' END,
		CASE WHEN ruf ~ '^[A-Za-z0-9._+=-]+@[A-Za-z0-9.-]+$' THEN 'ruf=mailto:' || ruf END], '; ')
$$;

-- The mailboxes that received the newest reports on a domain: aggregate reports, failure reports. One plan serves all
-- domains: planning costs more than reading.
CREATE FUNCTION api.mailboxes_of(p_domain text, OUT rua text, OUT ruf text)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan SET jit = off
AS $$
DECLARE
	of_domain integer := api.domain_id_of(p_domain);
	rua_mail bigint := (SELECT r.mail FROM dmarc.reports r WHERE r.domain_id = of_domain
		AND r.day < api.day_too_late() ORDER BY r.day DESC, r.begin DESC, r.id DESC LIMIT 1);
	ruf_mail bigint := (SELECT r.mail FROM dmarc.failure_reports r WHERE r.domain_id = of_domain AND r.kind = 'failure'
		AND r.day < api.day_too_late() ORDER BY r.day DESC, r.begin DESC, r.id DESC LIMIT 1);
BEGIN
	rua := (SELECT m.recipients ->> 0 FROM dmarc.mails m WHERE m.mail = rua_mail);
	ruf := (SELECT m.recipients ->> 0 FROM dmarc.mails m WHERE m.mail = ruf_mail);
END
$$;

-- The DMARC record of the domain itself, with its p and t ("n" unless it is "y"), as the last check of the DNS found
-- it. NULL: it was not checked, it has none, or one that cannot be told as a line of a zone.
CREATE FUNCTION api.published_record(p_domain text, OUT record text, OUT p text, OUT t text)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
	SELECT c.result #>> '{dmarc,record}', lower(c.result #>> '{dmarc,p}'),
		CASE lower(c.result #>> '{dmarc,t}') WHEN 'y' THEN 'y' ELSE 'n' END
	INTO record, p, t
	FROM dmarc.dns_checks c
	WHERE c.domain_id = api.domain_id_of(p_domain) AND c.result #>> '{dmarc,name}' = '_dmarc.' || p_domain
		AND lower(c.result #>> '{dmarc,p}') IN ('none', 'quarantine', 'reject')
		AND c.result #>> '{dmarc,record}' ~ '^[ !#-[\]-~]+$';
END
$$;

-- A published record with another p and t; all else stays, so that no address and no tag is lost. pct goes, since it
-- belongs to the policy that goes.
CREATE FUNCTION api.changed_record(record text, p text, t text) RETURNS text
LANGUAGE sql IMMUTABLE
AS $$
	SELECT array_to_string(ARRAY['v=DMARC1', 'p=' || p] || ARRAY(
		SELECT btrim(x.tag) FROM string_to_table(record, ';') WITH ORDINALITY x(tag, no)
		WHERE btrim(x.tag) <> '' AND lower(btrim(split_part(x.tag, '=', 1))) NOT IN ('v', 'p', 't', 'pct')
		ORDER BY x.no) || CASE t WHEN 'y' THEN ARRAY['t=y'] ELSE '{}' END, '; ')
$$;

-- The recommended next record; each step is first tried with t=y. The current record is kept if it rejects, if there
-- is not enough evidence, or if the reports are about another policy than the one that is published now. policy: the
-- newest that was reported.
CREATE FUNCTION api.next_record(p_domain text, policy api.policy, sufficient boolean) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	published record;
	step record;
	told text;
BEGIN
	SELECT * INTO published FROM api.published_record(p_domain);
	IF published.record IS NOT NULL THEN
		IF policy.p IS DISTINCT FROM published.p OR policy.testing <> published.t THEN
			sufficient := false;
		END IF;
		policy.p := published.p;
		policy.testing := published.t;
	END IF;
	SELECT s.name, s.p, s.t INTO step
	FROM (VALUES
		(1, NOT sufficient OR policy.p = 'reject' AND policy.testing IS DISTINCT FROM 'y', 'keep',
			CASE WHEN policy.p IN ('quarantine', 'reject') THEN policy.p ELSE 'none' END, policy.testing),
		(2, policy.p = 'reject', 'reject', 'reject', 'n'),
		(3, policy.p = 'quarantine' AND policy.testing = 'y', 'quarantine', 'quarantine', 'n'),
		(4, policy.p = 'quarantine', 'reject_test', 'reject', 'y'),
		(5, true, 'quarantine_test', 'quarantine', 'y')) AS s(no, here, name, p, t)
	WHERE s.here
	ORDER BY s.no
	LIMIT 1;
	IF published.record IS NULL THEN
		told := (SELECT api.record_value(policy, step.p, step.t, m.rua, m.ruf) FROM api.mailboxes_of(p_domain) m);
	ELSIF step.name = 'keep' THEN
		told := published.record;
	ELSE
		told := api.changed_record(published.record, step.p, step.t);
	END IF;
	RETURN jsonb_build_object('name', '_dmarc.' || api.display(p_domain), 'step', step.name, 'value', told);
END
$$;
