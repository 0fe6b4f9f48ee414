-- Walking a list by its cursors gives every row exactly once, in order, whatever the size of the page.
SELECT plan(48);
DO $$
BEGIN
	FOR i IN 1 .. 40 LOOP -- many on the same day, some by the second, some addresses and domains equal in size
		PERFORM t.take(
			t.mail(t.report('d' || i % 13 || '.example', 'Org', i::text,
				t.day(-(i % 4)) + (i % 3) * interval '1 second', (SELECT jsonb_agg(
				t.record(CASE WHEN i % 9 > 0 THEN '192.0.2.' || (i + k) % 23 END, 1 + i % 2,
					CASE WHEN k % 2 = 0 THEN 'pass' ELSE 'fail' END, 'fail'))
				FROM generate_series(1, 1 + i % 3) k)) || jsonb_build_object('org_name', 'Org ' || i % 5)),
			t.mail(t.unreadable('xml', i::text), t.unreadable('archive', i::text)));
	END LOOP;
END $$;

CREATE FUNCTION t.walk(list text, filter text, more text, page integer) RETURNS TABLE (no bigint, item jsonb)
LANGUAGE plpgsql AS $$
DECLARE
	answer jsonb;
	cursor_text text;
BEGIN
	no := 0;
	LOOP
		EXECUTE format('SELECT api.%s(api.filter(%s), api.page(p_limit => $1, p_cursor => $2)%s)', list, filter, more)
			INTO answer USING page, cursor_text;
		FOR item IN SELECT * FROM jsonb_array_elements(answer -> 'items') LOOP
			no := no + 1;
			RETURN NEXT;
		END LOOP;
		cursor_text := answer ->> 'next';
		EXIT WHEN cursor_text IS NULL OR no > 5000;
	END LOOP;
END $$;

SELECT set_eq(format($$SELECT item ->> 'report', (item ->> 'record_no')::int FROM t.walk('records', '', '', %s)$$, n),
	'SELECT report::text, record_no FROM dmarc.records', format('records by %s', n))
FROM unnest('{1,7,500}'::int[]) n;
SELECT is((SELECT count(*) FROM t.walk('records', '', '', n)), (SELECT count(*) FROM dmarc.records),
	format('none twice, by %s', n)) FROM unnest('{1,7,500}'::int[]) n;
SELECT results_eq($$SELECT item ->> 'report' || '/' || (item ->> 'record_no') FROM t.walk('records', '', '', 7)
	ORDER BY no$$, $$SELECT report::text || '/' || record_no FROM dmarc.records r ORDER BY r.begin DESC, r.report DESC,
		r.record_no$$, 'in order');
SELECT results_eq($$SELECT item ->> 'id' FROM t.walk('reports', '', '', 7) ORDER BY no$$, $$SELECT id::text
	FROM dmarc.reports r ORDER BY r.begin DESC, r.id DESC$$, 'reports, in order');
SELECT results_eq($$SELECT item ->> 'id' FROM t.walk('reports', 'p_result => ''fail'', p_reporter => ''{Org 1,Org 2}''',
	'', 2) ORDER BY no$$,
	$$SELECT id::text FROM dmarc.reports r WHERE org_name IN ('Org 1', 'Org 2') AND pass < messages
		ORDER BY r.begin DESC, r.id DESC$$, 'reports under a filter');
SELECT results_eq($$SELECT item ->> 'mail', (item ->> 'item_no')::int FROM t.walk('intake_events', '', '', 7)
	ORDER BY no$$, $$SELECT mail::text, item_no FROM dmarc.intake i WHERE i.status = 'quarantined'
	ORDER BY i.received_at DESC, i.mail DESC, i.item_no$$, 'intake, in order');
SELECT results_eq(format($$SELECT item ->> 'key', (item ->> 'messages')::numeric
	FROM t.walk('sources', '', ', p_group => ''ip''', %s) ORDER BY no$$, n),
	$$SELECT host(source_ip), sum(count) FROM dmarc.records GROUP BY 1 ORDER BY 2 DESC, host(source_ip) COLLATE "C"$$,
	format('sources by %s, in order', n))
FROM unnest('{1,4,500}'::int[]) n;
-- Every order and every group, with ties and a key that is not known: each key once, and the same whatever the size
-- of the page.
CREATE TABLE t.order AS
SELECT sort, grouping, format(', p_group => %L, p_sort => %L', grouping, sort) AS more
FROM unnest('{-messages,messages,-fail,fail,-pass,pass}'::text[]) sort,
	unnest('{source,ip,auth_domain,country}'::text[]) grouping;
SELECT results_eq(format($$SELECT item -> 'key' FROM t.walk('sources', '', %L, 1) ORDER BY no$$, more),
	format($$SELECT item -> 'key' FROM t.walk('sources', '', %L, 500) ORDER BY no$$, more), grouping || ' by ' || sort)
FROM t.order;
SELECT results_eq(format($$SELECT (item ->> 'messages')::numeric - CASE ltrim(%L, '-') WHEN 'fail'
	THEN (item ->> 'pass')::numeric ELSE 0 END FROM t.walk('sources', '', %L, 3) ORDER BY no$$, sort, more),
	format($$SELECT n
		FROM (SELECT sum(count) - CASE ltrim(%1$L, '-') WHEN 'fail' THEN coalesce(sum(count) FILTER (WHERE dmarc_pass),
			0) ELSE 0 END AS n FROM dmarc.records GROUP BY source_ip) x
		ORDER BY CASE WHEN %1$L LIKE '-%%' THEN -n ELSE n END$$, sort), 'addresses by ' || sort || ', in order')
FROM t.order WHERE grouping = 'ip' AND sort NOT LIKE '%pass';
SELECT results_eq(format($$SELECT item ->> 'name' FROM t.walk('domains', '', '', %s) ORDER BY no$$, n),
	$$SELECT domain FROM dmarc.records GROUP BY 1 ORDER BY sum(count) DESC, domain COLLATE "C"$$,
	format('domains by %s, in order', n))
FROM unnest('{1,4,500}'::int[]) n;

-- A long report: the first 500 records, the others by the list of records.
SELECT is((SELECT string_agg(x, ',')
	FROM t.take(t.mail(t.report('long.example', 'Org', 'long', '2020-02-02',
		(SELECT jsonb_agg(t.record('192.0.2.1', k, 'pass', 'pass')) FROM generate_series(1, 1203) k)))) x),
	'1 0 0 0 f', 'a report with 1203 records');
CREATE TEMP TABLE long AS SELECT r.id, api.report(r.id) AS j FROM dmarc.reports r WHERE r.domain = 'long.example';
SELECT is((jsonb_array_length(j -> 'record'), j -> 'records_total', j #> '{record,499,row,count}')::text,
	'(500,1203,500)', 'its first 500 are in the report') FROM long;
SELECT is((SELECT array_agg((x ->> 'count')::int ORDER BY no) FROM long,
	jsonb_array_elements(api.records(api.filter(), api.page(p_limit => 500, p_cursor => j ->> 'next'),
		p_report => id) -> 'items') WITH ORDINALITY e(x, no)),
	array(SELECT generate_series(501, 1000)), 'the next 500 in the list of records');
SELECT is((SELECT sum((item ->> 'count')::int) FROM long, t.walk('records', '', format(', p_report => %s', id), 100)),
	1203::bigint * 1204 / 2, 'and all of them by its number');
SELECT * FROM finish();
