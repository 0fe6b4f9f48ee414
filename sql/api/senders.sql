-- senders.sql - whose each sender is, for lists of sources and for advice.

-- A sender and whose it is: facts of the last three months, which decide, and of the window, if it sent in it. The
-- latter are of the sender alone: domain_messages and parked are those of all senders that were asked for.
CREATE TYPE api.sorted_sender AS (known dmarc.sender_facts, whose text, reason text, sent dmarc.sender_facts);

-- The months that facts come from: that of the window's last day and the two before it, or more for a longer window.
CREATE FUNCTION api.facts_from(f api.filter_set) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT least(date_trunc('month', f.from_day::timestamp),
		date_trunc('month', (f.to_day - 1)::timestamp) - interval '2 months')::date
$$;

-- The condition that c is about one of these addresses, or about none that could be read; NULL: any.
CREATE FUNCTION api.ips_condition(p_ips inet[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE WHEN p_ips IS NULL THEN ''
		ELSE format(' AND (c.source_ip = ANY (%L::inet[]) OR c.source_ip IS NULL)', p_ips) END
$$;

-- The condition that c is about an address that sent in the window, an address of a service, or none that could be
-- read. The facts about all others would be thrown away. For a long window it costs more than it saves: ''.
CREATE FUNCTION api.sent_condition(f api.filter_set) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	IF f.to_day - f.from_day > 62 THEN
		RETURN '';
	END IF;
	RETURN format(' AND (c.source_ip IS NULL OR c.source_ip IN (SELECT c.source_ip FROM dmarc.records c WHERE %s)
		OR c.source_ip IN (SELECT a.source_ip FROM dmarc.addresses a WHERE a.source LIKE ''service:%%''))',
		api.days_between(f.from_day, f.to_day));
END
$$;

-- All addresses of some sources.
CREATE FUNCTION api.ips_of_sources(p_sources text[]) RETURNS inet[]
LANGUAGE plpgsql STABLE SET jit = off
AS $$
BEGIN
	RETURN ARRAY(
		SELECT a.source_ip FROM dmarc.addresses a WHERE a.source = ANY (p_sources)
		UNION
		SELECT substr(s, 4)::inet FROM unnest(p_sources) s WHERE s LIKE 'ip:%');
END
$$;

-- The addresses p_ips, an expression, as FROM item; NULL: all.
CREATE FUNCTION api.addresses_of(p_ips text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE WHEN p_ips IS NULL THEN 'dmarc.addresses'
		ELSE format('(SELECT a.* FROM dmarc.addresses a WHERE a.source_ip = ANY (%s))', p_ips) END
$$;

-- A query for the facts about senders of the filter's domains, from sums by month alone. p_rows: '', or one more
-- condition of its rows. p_ips: the addresses that these have, as an expression; NULL: any.
CREATE FUNCTION api.months_query(f api.filter_set, p_rows text, p_ips text) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	since constant date := api.facts_from(f);
	sums record;
	plain api.filter_set := api.only_domains(f, f.domain);
BEGIN
	sums := api.sums_of(since, f.to_day);
	RETURN api.facts_query(format('(SELECT c.* FROM %s c WHERE c.month >= %L AND c.month < %L%s%s) m', sums.monthly,
			since, f.to_day, api.conditions(plain), p_rows),
		format('SELECT c.domain_id, sum(c.messages) AS messages, sum(c.messages) FILTER (WHERE c.dmarc_pass) AS pass '
			'FROM %s c WHERE c.day >= %L AND c.day < %L%s GROUP BY 1',
			sums.daily, since, f.to_day, api.conditions(plain)), api.addresses_of(p_ips));
END
$$;

-- A query for the senders of the filter's domains in its window, sorted: k and s are the facts known and sent, whose
-- and reason what they are. p_known and p_sent: '', or one more condition of the rows that each comes from. p_ips: the
-- addresses that these have, as an expression; NULL: any.
CREATE FUNCTION api.sorted_query(f api.filter_set, p_known text, p_sent text, p_ips text) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	known constant text := format('(%s) k CROSS JOIN LATERAL dmarc.whose(k::dmarc.sender_facts) w',
		api.months_query(f, p_known, p_ips));
BEGIN
	IF p_known = p_sent AND f.from_day = api.facts_from(f) AND f.to_day = date_trunc('month', f.to_day::timestamp) THEN
		RETURN known || ' CROSS JOIN LATERAL (SELECT k.*) s'; -- the same months
	END IF;
	RETURN format('%s JOIN (%s) s ON s.domain_id = k.domain_id AND s.sender = k.sender', known,
		api.facts_query(format('(SELECT c.* FROM %s WHERE true%s) m',
			api.cells(api.only_domains(f, f.domain), 'address'), p_sent), p_addresses => api.addresses_of(p_ips)));
END
$$;

-- p_ips: only those of these addresses, and what has none; they must be all addresses of their sources.
CREATE FUNCTION api.sorted_senders(f api.filter_set, p_ips inet[] DEFAULT NULL) RETURNS SETOF api.sorted_sender
LANGUAGE plpgsql STABLE SET jit = off SET work_mem = '64MB' SET enable_nestloop = off SET enable_mergejoin = off
AS $$
DECLARE
	of_ips constant text := api.ips_condition(p_ips);
BEGIN
	PERFORM api.look_up_addresses(cardinality(p_ips) <= 1000);
	RETURN QUERY EXECUTE format('SELECT k::dmarc.sender_facts, w.whose, w.reason, s::dmarc.sender_facts FROM %s',
		api.sorted_query(f, CASE WHEN p_ips IS NULL THEN api.sent_condition(f) ELSE of_ips END, of_ips,
			quote_literal(p_ips) || '::inet[]'));
END
$$;

-- Messages of a sender that fail and that neither a list nor a forwarder explains.
CREATE FUNCTION api.harm(f dmarc.sender_facts) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT f.messages - f.pass - f.fail_overridden - f.altered_by_other $$;

-- Returns whether so many failing messages of a sender matter: five, and one in a hundred of its mail.
CREATE FUNCTION api.matters(harm numeric, messages numeric) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT harm >= 5 AND harm * 100 >= messages $$;

-- Forwarders or strangers in one line: how many sent, and what became of their failing mail.
CREATE FUNCTION api.crowd_json(senders numeric, messages numeric, pass numeric, rejected numeric, quarantined numeric)
RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('senders', coalesce(senders, 0), 'messages', coalesce(messages, 0),
		'fail', coalesce(messages - pass, 0), 'rejected', coalesce(rejected, 0),
		'quarantined', coalesce(quarantined, 0))
$$;

-- The sums of addresses, messages, passing, rejected and quarantined messages of some senders.
CREATE TYPE api.crowd AS (senders numeric, messages numeric, pass numeric, rejected numeric, quarantined numeric);

-- Those of the rows q of a query for which a condition is true. p_senders: how many senders each row is.
CREATE FUNCTION api.crowd_of(p_senders text, p_condition text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT format('ROW(%s)::api.crowd', string_agg(format('sum(%s) FILTER (WHERE %s)', c.name, p_condition), ', '
		ORDER BY c.no))
	FROM unnest(ARRAY[p_senders, 'q.messages', 'q.pass', 'q.rejected', 'q.quarantined']) WITH ORDINALITY c(name, no)
$$;

-- Two crowds in one line.
CREATE FUNCTION api.crowds_json(a api.crowd, b api.crowd) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT api.crowd_json(sum(c.senders), sum(c.messages), sum(c.pass), sum(c.rejected), sum(c.quarantined))
	FROM (VALUES ((a).senders, (a).messages, (a).pass, (a).rejected, (a).quarantined),
		((b).senders, (b).messages, (b).pass, (b).rejected, (b).quarantined)) c(senders, messages, pass, rejected,
		quarantined)
$$;

-- What fails of a source of a domain, from senders without a label that may be ours. no is that of the finding: 2 own,
-- 3 not sure.
CREATE TYPE api.unreviewed AS (domain text, no integer, source text, fail numeric, messages numeric);

-- A query for those that may block enforcement, from rows with the columns of api.sorted_sender. Spoofers and
-- forwarders have no row.
CREATE FUNCTION api.unreviewed_query(p_rows text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT format('SELECT (q.sent).domain, CASE WHEN q.whose IN (''own'', ''service'') THEN 2 ELSE 3 END AS no,
			coalesce((q.sent).source, ''none''), sum(api.harm(q.sent)) AS fail, sum((q.sent).messages) AS messages
		FROM %s q WHERE q.whose IN (''own'', ''service'', ''unsure'') AND (q.sent).label IS NULL
		GROUP BY 1, 2, 3 HAVING sum(api.harm(q.sent)) >= api.unreviewed_floor(0)', p_rows)
$$;

-- The condition that c is about one of the pairs of $1 (domain_id) and $2 (source_ip), or has no address. $3: the
-- addresses of the pairs, which an index finds.
CREATE FUNCTION api.pairs_condition() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT ' AND (c.source_ip = ANY ($3) AND (c.domain_id, c.source_ip) IN (SELECT * FROM unnest($1, $2))
		OR c.source_ip IS NULL)'
$$;

-- The senders of messages in the window that are or may be ours. All facts are taken only of those that might be.
CREATE FUNCTION api.own_senders(f api.filter_set) RETURNS SETOF api.sorted_sender
LANGUAGE plpgsql STABLE SET jit = off SET work_mem = '64MB' SET enable_nestloop = off SET enable_mergejoin = off
AS $$
DECLARE
	few constant text := api.pairs_condition();
	pairs record;
BEGIN
	EXECUTE format('SELECT coalesce(array_agg(q.domain_id), ''{}'') AS domain_ids,
			coalesce(array_agg(q.source_ip), ''{}'') AS ips
		FROM (%s) q WHERE q.sort <= 1', api.pairs_query(f)) INTO pairs;
	RETURN QUERY EXECUTE format('SELECT k::dmarc.sender_facts, w.whose, w.reason, s::dmarc.sender_facts FROM %s
		WHERE w.whose IN (''own'', ''service'', ''unsure'') AND s.messages > 0', api.sorted_query(f, few, few, '$3'))
	USING pairs.domain_ids, pairs.ips, ARRAY(SELECT DISTINCT ip FROM unnest(pairs.ips) ip);
END
$$;

-- The senders of which advice speaks one by one: those that are or may be ours, and whose failing mail matters. The
-- others are many, so only their sums leave the query.
CREATE TYPE api.advised AS (senders api.sorted_sender[], forwarders jsonb, strangers jsonb,
	unreviewed api.unreviewed[]);

CREATE FUNCTION api.advised_senders(f api.filter_set) RETURNS api.advised
LANGUAGE plpgsql STABLE SET jit = off SET work_mem = '64MB' SET enable_nestloop = off SET enable_mergejoin = off
AS $$
DECLARE
	few constant text := api.pairs_condition(); -- rows of the pairs that need all facts
	pairs record;
	others record;
BEGIN
	EXECUTE format('SELECT coalesce(array_agg(q.domain_id) FILTER (WHERE q.sort <= 1), ''{}'') AS domain_ids,
			coalesce(array_agg(q.source_ip) FILTER (WHERE q.sort <= 1), ''{}'') AS ips, %s AS forwarders,
			%s AS strangers
		FROM (%s) q', api.crowd_of('1', 'q.sort = 2'), api.crowd_of('1', 'q.sort = 3'), api.pairs_query(f)) INTO pairs;
	EXECUTE format('
		WITH sorted AS MATERIALIZED (
			SELECT k::dmarc.sender_facts AS known, w.whose, w.reason, s::dmarc.sender_facts AS sent FROM %s
		), sums AS (
			SELECT %s AS forwarders, %s AS strangers FROM (SELECT s.whose, (s.sent).addresses, (s.sent).messages,
				(s.sent).pass, (s.sent).rejected, (s.sent).quarantined FROM sorted s) q
		)
		SELECT ARRAY(SELECT s::api.sorted_sender FROM sorted s WHERE s.whose IN (''own'', ''service'', ''unsure'')
				AND api.matters(api.harm(s.sent), (s.sent).messages)) AS senders,
			ARRAY(SELECT u::api.unreviewed FROM (%s) u) AS unreviewed, s.*
		FROM sums s', api.sorted_query(f, few, few, '$3'), api.crowd_of('q.addresses', 'q.whose = ''forwarder'''),
		api.crowd_of('q.addresses', 'q.whose = ''stranger'''), api.unreviewed_query('sorted'))
	INTO others USING pairs.domain_ids, pairs.ips,
		ARRAY(SELECT DISTINCT ip FROM unnest(pairs.ips) ip);
	RETURN ROW(others.senders, api.crowds_json(pairs.forwarders, others.forwarders),
		api.crowds_json(pairs.strangers, others.strangers), others.unreviewed)::api.advised;
END
$$;

-- The same as a page's keys: whose each source or address is, and what that rests on. A source with several senders is
-- what most of its mail is; if that is less than four fifths, it is not sure.
CREATE FUNCTION api.whose_of(p_group text, page api.key_page, f api.filter_set)
RETURNS TABLE (key text, whose text, reason text, facts jsonb)
LANGUAGE plpgsql STABLE SET jit = off SET work_mem = '64MB'
AS $$
DECLARE
	-- A longer list is a set for the executor: as constants it costs the planner more than it saves.
	most constant integer := 5000;
	ips inet[];
BEGIN
	IF p_group NOT IN ('source', 'ip') OR page.members IS NULL THEN
		RETURN;
	END IF;
	-- also those that are not in the window, or do not match the filter: a sender is all its addresses
	ips := ARRAY(SELECT unnest(page.members) UNION SELECT unnest(api.ips_of_sources(CASE p_group
		WHEN 'source' THEN page.keys
		ELSE ARRAY(SELECT DISTINCT o.source FROM dmarc.addresses o
			WHERE o.source_ip = ANY (page.members) AND o.source LIKE 'service:%') END)));
	RETURN QUERY EXECUTE format('
		WITH sorted AS MATERIALIZED (
			SELECT q.*, w.whose, w.reason FROM (%s) q CROSS JOIN LATERAL dmarc.whose(q::dmarc.sender_facts) w
		), keyed AS (
			SELECT DISTINCT k.key, s.* FROM unnest($1) AS k(key) JOIN sorted s ON %s
		), shares AS (
			SELECT k.key, k.whose, sum(k.messages) AS messages, sum(sum(k.messages)) OVER (PARTITION BY k.key) AS whole
			FROM keyed k GROUP BY 1, 2
		), best AS (
			SELECT DISTINCT ON (h.key) h.* FROM shares h ORDER BY h.key, h.messages DESC, h.whose
		), largest AS (
			SELECT DISTINCT ON (k.key) k.* FROM keyed k JOIN best b ON b.key = k.key AND b.whose = k.whose
			ORDER BY k.key, k.messages DESC, k.sender
		), sums AS (
			SELECT k.key, jsonb_build_object(''messages'', sum(k.messages), ''pass'', sum(k.pass),
				''dkim_aligned'', sum(k.dkim_aligned), ''spf_aligned'', sum(k.spf_aligned),
				''addresses'', sum(k.addresses), ''days'', max(k.days)) AS facts
			FROM keyed k GROUP BY 1
		)
		SELECT b.key, CASE WHEN b.messages * 5 >= b.whole * 4 THEN b.whose ELSE ''unsure'' END,
			CASE WHEN b.messages * 5 >= b.whole * 4 THEN l.reason ELSE ''mixed'' END,
			s.facts || jsonb_build_object(''name'', api.display(coalesce(l.source_name, l.rdns)),
				''rdns'', api.display(l.rdns), ''domain'', api.display(l.domain))
		FROM best b JOIN largest l ON l.key = b.key JOIN sums s ON s.key = b.key',
		api.months_query(f, CASE WHEN cardinality(ips) <= most THEN api.ips_condition(ips)
			ELSE ' AND (c.source_ip IS NULL OR c.source_ip IN (SELECT unnest($2)))' END, '$2'),
		CASE p_group WHEN 'source' THEN 's.source = k.key'
			ELSE 's.sender = ''ip:'' || k.key OR s.sender = (SELECT a.source FROM dmarc.addresses a '
				'WHERE a.source_ip = k.key::inet)' END)
	USING page.keys, ips;
END
$$;
