-- intake.sql - what was received, by the time of receipt.

-- What can become of an item found in a mail.
CREATE FUNCTION api.intake_statuses() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT ARRAY['stored', 'duplicate', 'conflict', 'quarantined'] $$;

-- Returns whether an item is a mail that was not meant to bring a report, such as spam: it is quarantined, but neither
-- counted as such nor listed unless it is asked for.
CREATE FUNCTION api.is_unrelated(p_status text, p_code text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT coalesce(p_status = 'quarantined' AND p_code = 'unrelated', false) $$;

-- One item as a list item.
CREATE FUNCTION api.intake_item(i dmarc.intake) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT jsonb_build_object('mail', i.mail::text, 'item_no', i.item_no, 'received_at', api.iso(i.received_at),
		'source', i.source, 'name', api.display(i.name), 'envelope_from', api.display(i.envelope_from), 'size', i.size,
		'message_id', api.display(i.message_id), 'subject', api.display(i.subject),
		'header_from', api.display(i.header_from), 'kind', i.kind, 'status', i.status, 'code', api.display(i.code),
		'reason', api.display(i.reason), 'place', api.display(i.place), 'report', i.report::text,
		'raw', i.raw_mail IS NOT NULL, 'partial', i.partial, 'authentic', i.authentic)
$$;

-- A query for the items that match a filter, after a place, the newest first; p_limit NULL is all. p_status NULL is
-- api.intake_shown() without unrelated mail, unless p_code names that.
CREATE FUNCTION api.intake_query(f api.filter_set, place api.place, p_status text[], p_kind text[],
	p_code text[], p_report bigint, p_limit bigint) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN format('SELECT i.* FROM dmarc.intake i WHERE i.received_at >= %L AND i.received_at < %L AND '
		'i.status = ANY (%L::text[])',
			api.at(f.from_day), api.at(f.to_day), api.intake_shown(p_status, p_report))
		|| CASE WHEN p_status IS NULL AND p_code IS NULL THEN ' AND NOT api.is_unrelated(i.status, i.code)' ELSE '' END
		|| CASE WHEN p_kind IS NOT NULL THEN format(' AND i.kind = ANY (%L::text[])', p_kind) ELSE '' END
		|| CASE WHEN p_code IS NOT NULL THEN format(' AND i.code = ANY (%L::text[])', p_code) ELSE '' END
		|| CASE WHEN p_report IS NOT NULL THEN format(' AND i.report = %s', p_report) ELSE '' END
		|| CASE WHEN place.at IS NOT NULL
			THEN format(' AND i.received_at <= %1$L AND (i.received_at < %1$L OR i.mail < %2$s OR i.mail = '
				'%2$s AND i.item_no > %3$s)',
			place.at, place.id, place.no) ELSE '' END
		|| format(' ORDER BY i.received_at DESC, i.mail DESC, i.item_no LIMIT %L', p_limit);
END
$$;

-- The statuses that a list shows unless p_status is given: those that need attention; with p_report, later copies of
-- that report.
CREATE FUNCTION api.intake_shown(p_status text[], p_report bigint) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT coalesce(p_status, CASE WHEN p_report IS NULL THEN ARRAY['quarantined', 'conflict']
	ELSE ARRAY['duplicate', 'conflict'] END) $$;

-- Check the parameters of the list of items. With p_report the list covers all times unless a window is given.
CREATE FUNCTION api.filter_of_intake(f api.filter_set, p_status text[], p_kind text[], p_report bigint)
RETURNS api.filter_set
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	PERFORM api.check_choice('status', api.intake_statuses(), VARIADIC p_status);
	PERFORM api.check_choice('kind', ARRAY['aggregate', 'failure', 'feedback', 'tls', 'unreadable'], VARIADIC p_kind);
	IF p_report IS NOT NULL AND NOT f.dated THEN
		f.from_day := '1970-01-01';
		f.to_day := '9999-12-31';
	END IF;
	RETURN f;
END
$$;

-- Each item found in a mail and what became of it, the newest first.
CREATE FUNCTION api.intake_events(f api.filter_set, p api.page_spec, p_status text[] DEFAULT NULL,
	p_kind text[] DEFAULT NULL, p_code text[] DEFAULT NULL, p_report bigint DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SET jit = off
AS $$
DECLARE
	place api.place := api.place_of('intake', p.cursor);
	page dmarc.intake[];
BEGIN
	f := api.filter_of_intake(f, p_status, p_kind, p_report);
	EXECUTE format('SELECT array_agg(i::dmarc.intake) FROM (%s) i',
		api.intake_query(f, place, p_status, p_kind, p_code, p_report, p.size + 1))
		INTO page;
	RETURN jsonb_build_object('window', api.window_json(f),
		'items', (SELECT coalesce(jsonb_agg(api.intake_item(page[n]) ORDER BY n), '[]')
			FROM generate_series(1, least(coalesce(cardinality(page), 0), p.size)) AS n),
		'next', CASE WHEN cardinality(page) > p.size THEN api.place_make('intake', page[p.size].received_at,
			page[p.size].mail, page[p.size].item_no) END);
END
$$;

-- The number of items by status for each day of the window, and by status, kind and code for the window. Unrelated mail
-- counts by kind and code only.
CREATE FUNCTION api.intake_counts(f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	RETURN (
		WITH things AS MATERIALIZED (
			SELECT (i.received_at AT TIME ZONE 'UTC')::date AS day, i.kind, i.status, i.code, count(*) AS n
			FROM dmarc.intake i
			WHERE i.received_at >= api.at(f.from_day) AND i.received_at < api.at(f.to_day) GROUP BY 1, 2, 3, 4
		), due AS (
			SELECT * FROM things WHERE NOT api.is_unrelated(status, code)
		), days AS (
			SELECT g::date AS t, coalesce(sum(h.n) FILTER (WHERE h.status = 'stored'), 0) AS stored,
				coalesce(sum(h.n) FILTER (WHERE h.status = 'duplicate'), 0) AS duplicate,
				coalesce(sum(h.n) FILTER (WHERE h.status = 'conflict'), 0) AS conflict,
				coalesce(sum(h.n) FILTER (WHERE h.status = 'quarantined'), 0) AS quarantined
			FROM generate_series(f.from_day::timestamp, f.to_day::timestamp - interval '1 day', '1 day') AS g
			LEFT JOIN due h ON h.day = g::date
			GROUP BY 1
		)
		SELECT jsonb_build_object(
			'counts', (SELECT jsonb_object_agg(s, coalesce(t.n, 0)) FROM unnest(api.intake_statuses()) s
				LEFT JOIN (SELECT status, sum(n) AS n FROM due GROUP BY 1) t ON t.status = s),
			'by_kind', (SELECT coalesce(jsonb_object_agg(kind, n), '{}')
				FROM (SELECT kind, sum(n) AS n FROM things WHERE kind IS NOT NULL GROUP BY 1) k),
			'by_code', (SELECT coalesce(jsonb_object_agg(code, n), '{}')
				FROM (SELECT api.display(code) AS code, sum(n) AS n FROM things WHERE status <> 'stored'
					AND code IS NOT NULL GROUP BY 1) c),
			'by_day', (SELECT coalesce(jsonb_agg(to_jsonb(d) ORDER BY d.t), '[]') FROM days d)));
END
$$;

-- What was received; items and next are the first page of api.intake_events().
CREATE FUNCTION api.intake(f api.filter_set) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
	PERFORM api.bucket_of('day', f);
	RETURN api.intake_events(f, api.page()) || api.intake_counts(f) || jsonb_build_object(
		'mails', (SELECT count(*) FROM dmarc.mails m WHERE m.received_at >= api.at(f.from_day)
			AND m.received_at < api.at(f.to_day)),
		'last_mail_at', (SELECT api.iso(m.received_at) FROM dmarc.mails m ORDER BY m.received_at DESC LIMIT 1),
		-- not max(): on a view it would read all reports
		'last_report_at', (SELECT api.iso(max(r.at)) FROM (
			(SELECT received_at AS at FROM dmarc.reports ORDER BY received_at DESC LIMIT 1)
			UNION ALL (SELECT received_at FROM dmarc.failure_reports ORDER BY received_at DESC LIMIT 1)
			UNION ALL (SELECT received_at FROM dmarc.tls_reports ORDER BY received_at DESC LIMIT 1)) r));
END
$$;

-- What became of a file that was uploaded, as the worst of what was found in it. p_outcome: if it was not stored.
CREATE FUNCTION api.upload_outcome(p_outcome text, p_statuses text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE WHEN p_outcome IS NOT NULL THEN p_outcome
		WHEN 'quarantined' = ANY (p_statuses) THEN 'quarantined'
		WHEN 'conflict' = ANY (p_statuses) THEN 'conflict'
		WHEN 'stored' = ANY (p_statuses) THEN 'stored'
		WHEN 'duplicate' = ANY (p_statuses) THEN 'duplicate' ELSE 'quarantined' END
$$;

-- What became of files that ruad-web passed to ruad-ingest: p_files are objects with name, mail, outcome and reply. A
-- file that was not stored has no mail; its outcome is refused, or later: it is to be sent again.
CREATE FUNCTION api.uploaded(p_files jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET jit = off
AS $$
BEGIN
	RETURN jsonb_build_object('files', (
		SELECT coalesce(jsonb_agg(jsonb_build_object('name', api.display(f.file ->> 'name'), 'mail', f.file -> 'mail',
				'outcome', api.upload_outcome(f.file ->> 'outcome', found.statuses), 'code', found.codes[1],
				'reason', found.reasons[1], 'reply', api.display(f.file ->> 'reply'),
				'items', coalesce(found.items, '[]')) ORDER BY f.n), '[]')
		FROM jsonb_array_elements(p_files) WITH ORDINALITY AS f (file, n)
		CROSS JOIN LATERAL (
			SELECT array_agg(i.status) AS statuses,
				array_agg(api.display(i.code) ORDER BY i.status DESC, i.item_no)
					FILTER (WHERE i.status IN ('quarantined', 'conflict')) AS codes,
				array_agg(api.display(i.reason) ORDER BY i.status DESC, i.item_no)
					FILTER (WHERE i.status IN ('quarantined', 'conflict')) AS reasons,
				jsonb_agg(jsonb_build_object('kind', i.kind, 'status', i.status, 'code', api.display(i.code),
					'reason', api.display(i.reason), 'report', i.report::text) ORDER BY i.item_no)
					FILTER (WHERE i.item_no IS NOT NULL) AS items
			FROM dmarc.intake i WHERE i.mail = (f.file ->> 'mail')::bigint) AS found));
END
$$;
