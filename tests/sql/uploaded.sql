-- What became of uploaded files: the worst of what was found in the mail of each.
SELECT plan(4);
CREATE FUNCTION t.report_of(id text, n integer) RETURNS jsonb LANGUAGE sql AS $$
	SELECT t.report('a.example', 'Org', id, t.day(-3), jsonb_build_array(t.record('192.0.2.1', n, 'pass', 'pass'))) $$;
SELECT is((SELECT string_agg(x, ' / ') FROM t.take(t.mail(t.report_of('r1', 1)), t.mail(t.report_of('r1', 1), t.report_of('r2', 1)),
	t.mail(t.report_of('r2', 5), t.report_of('r3', 1)), t.mail(t.unreadable('archive', 'cut'), t.report_of('r2', 9))) x),
	'1 0 0 0 f / 1 1 0 0 f / 1 0 1 0 t / 0 0 1 1 t', 'mails');
CREATE FUNCTION t.uploaded() RETURNS jsonb LANGUAGE sql AS $$
	SELECT api.uploaded((SELECT jsonb_agg(jsonb_build_object('name', 'f' || m.mail, 'mail', m.mail::text, 'outcome', NULL,
		'reply', '250') ORDER BY m.mail) FROM dmarc.mails m)
		|| '[{"name": null, "mail": null, "outcome": "refused", "reply": "552 5.3.4 mail too big"}]') -> 'files' $$;
SELECT is(t.members(t.uploaded(), 'outcome', 'code', 'reason'), '[["stored", null, null], ["stored", null, null],
	["conflict", "conflict", "a different report with the same key is already stored"],
	["quarantined", "archive", "cut"], ["refused", null, null]]', 'outcomes');
SELECT is((SELECT jsonb_agg(jsonb_path_query_array(f, '$.items[*].status')) FROM jsonb_array_elements(t.uploaded()) f),
	'[["stored"], ["duplicate", "stored"], ["conflict", "stored"], ["quarantined", "conflict"], []]', 'items');
SELECT is(api.uploaded('[]'), '{"files": []}', 'nothing');
SELECT * FROM finish();
