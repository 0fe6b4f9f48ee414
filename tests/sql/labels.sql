-- Labels through the API: who may set them, what comes back, and that they are written down.
SELECT plan(26);
SELECT is((SELECT string_agg(x, ',')
	FROM t.take(t.mail(t.report('l.example', 'Org', '1', t.day(-1),
		jsonb_build_array(t.record('192.0.2.1', 1, 'pass', 'pass'), t.record('192.0.2.2', 1, 'pass', 'pass'))))) x),
		'1 0 0 0 f', 'a report');
INSERT INTO ruad.address (source_ip, rdns, rdns_domain) VALUES ('192.0.2.1', 'a.mx.example', 'mx.example'),
	('192.0.2.2', 'b.mx.example', 'mx.example');
CREATE FUNCTION t.labelled() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(coalesce(label, '-'), ' ' ORDER BY record_no) FROM dmarc.records $$;

CREATE TEMP TABLE answers (no integer, j jsonb);
GRANT INSERT ON answers TO ruad_editor;
SET ROLE ruad_editor;
INSERT INTO answers VALUES (1, api.set_label('domain:mx.example', 'mine', E'ours\u202e\u0007', 'ann', 'page'));
RESET ROLE;
SELECT is(j - 'set_at', '{"source": "domain:mx.example", "label": "mine", "note": "ours", "set_by": "ann", "set_via": '
	'"page"}', 'set: what is set now') FROM answers WHERE no = 1;
SELECT matches(j ->> 'set_at', '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$', 'set: and when') FROM answers WHERE no = 1;
SELECT is(t.labelled(), 'mine mine', 'set: for every address of the source');
SET ROLE ruad_editor;
INSERT INTO answers VALUES (2, api.set_label('ip:2001:db8:0::1', 'forwarder', NULL, 'ann', 'page')),
	(3, api.set_label('ip:192.0.2.2', 'not_mine', NULL, 'bob', 'page'));
RESET ROLE;
SELECT is(j ->> 'source', 'ip:2001:db8::1', 'set: an address has one way to be written') FROM answers WHERE no = 2;
SELECT is(t.labelled(), 'mine not_mine', 'set: that of an address goes before');
SELECT is((api.source('ip:2001:db8::1', api.filter()) -> 'label_log' -> 0) - 'set_at', (SELECT j - 'set_at' FROM answers
	WHERE no = 2), 'the source shows it in the same words');
SET ROLE ruad_editor;
INSERT INTO answers VALUES (4, api.set_label('domain:mx.example', NULL, 'sold', 'bob', 'page'));
RESET ROLE;
SELECT is(j -> 'label', 'null', 'taken away') FROM answers WHERE no = 4;
SELECT is(t.labelled(), '- not_mine', 'taken away: only that one');
SELECT results_eq('SELECT source, label, note, set_by FROM dmarc.label_log ORDER BY id',
	$$VALUES ('domain:mx.example', 'mine', E'ours\u202e\u0007', 'ann'), ('ip:2001:db8::1', 'forwarder', NULL, 'ann'),
	('ip:192.0.2.2', 'not_mine', NULL, 'bob'),
	('domain:mx.example', NULL, 'sold', 'bob')$$, 'all of it is written down as it was said');
CREATE FUNCTION t.as_editor(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('role', 'ruad_editor', true);
	EXECUTE statement;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT matches(t.as_editor(format('SELECT api.set_label(%L, %L, %L, ''u'', ''page'')', source, label, note)), want,
	left(format('refused: %s %s', source, label), 60)) FROM (VALUES
	('nothing', 'mine', NULL, '^22023 "nothing" is not a source'),
		('ip:1.2.3', 'mine', NULL, '^22023 "1\.2\.3" is not an address'), (NULL, 'mine', NULL, '^22023 '),
		('domain:x.example', 'theirs', NULL, '^22023 "theirs" is not one of'),
	('domain:x.example', 'mine', repeat('x', 4001), '^22023 the note'),
	('domain:' || repeat('x', 300), 'mine', NULL, '^22023 ')) x(source, label, note, want);
SELECT is(t.as_role(role, $$SELECT api.set_label('ip:192.0.2.1', 'mine', NULL, 'u', 'page')$$), '42501', 'not for '
	|| role) FROM unnest('{ruad_web,ruad_auditor,ruad_enrich}'::text[]) role;


-- many at once, and the log of all
SELECT is((SELECT count(*) FROM jsonb_array_elements(api.label_log(api.page()) -> 'items')), (SELECT count(*) FROM ruad.label_log),
	'the log has every change');
SET ROLE ruad_editor;
INSERT INTO answers VALUES (20, api.set_labels('{as:64500,ip:192.0.2.77,as:64500}', 'mine', 'both', 'ann', 'page'));
RESET ROLE;
SELECT is((SELECT jsonb_agg(jsonb_build_array(i -> 'source', i -> 'label', i -> 'note')) FROM jsonb_array_elements(j -> 'items') i),
	'[["as:64500", "mine", "both"], ["ip:192.0.2.77", "mine", "both"]]', 'many: each once') FROM answers WHERE no = 20;
SELECT throws_ok($$SELECT api.set_labels('{as:64501,nonsense}', 'mine', NULL, 'ann', 'page')$$, '22023', NULL,
	'many: one that is none is refused');
SELECT is((SELECT count(*) FROM dmarc.labels WHERE source = 'as:64501'), 0::bigint, 'many: and none of them is set');
SELECT is((SELECT jsonb_agg(jsonb_build_array(i -> 'source', i -> 'set_by') ORDER BY no) FROM
	jsonb_array_elements(api.label_log(api.page(p_limit => 2)) -> 'items') WITH ORDINALITY x(i, no)),
	'[["ip:192.0.2.77", "ann"], ["as:64500", "ann"]]', 'the log: the newest first');
SELECT is((SELECT count(*) FROM jsonb_array_elements(api.label_log(api.page(p_cursor =>
	api.label_log(api.page(p_limit => 2)) ->> 'next', p_limit => 500)) -> 'items')),
	(SELECT count(*) - 2 FROM ruad.label_log), 'the log: page by page');
SELECT is((SELECT string_agg(i ->> 'source', ' ') FROM jsonb_array_elements(api.label_log(api.page(), '{as:64500}') -> 'items') i),
	'as:64500', 'the log: of some sources');
SELECT * FROM finish();
