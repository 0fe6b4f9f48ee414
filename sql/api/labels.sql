-- labels.sql - setting labels.

-- Set the label of a source; p_label NULL removes it. Returns NULL if the user may not label this source. Only
-- ruad_editor may call it and api.set_labels(), and that role may call nothing else that returns data.
CREATE FUNCTION api.set_label(p_source text, p_label text, p_note text, p_user text, p_via text,
	p_token text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql
AS $$
BEGIN
	IF NOT ruad.set_label(p_source, p_label, p_note, p_user, p_via, p_token) THEN
		RETURN NULL;
	END IF;
	RETURN jsonb_build_object('source', CASE WHEN p_source LIKE 'ip:%' THEN 'ip:' || host(substr(p_source, 4)::inet)
		ELSE p_source END, 'label', p_label, 'note', api.display(p_note), 'set_by', api.display(p_user),
		'set_via', p_via, 'set_at', api.iso(now()));
END
$$;

-- The same for many sources: all of them, or none. Raises if the user may not label one.
CREATE FUNCTION api.set_labels(p_source text[], p_label text, p_note text, p_user text, p_via text,
	p_token text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql
AS $$
DECLARE
	one text;
	items jsonb := '[]';
	item jsonb;
BEGIN
	FOR one IN SELECT DISTINCT s FROM unnest(p_source) s ORDER BY s LOOP
		item := api.set_label(one, p_label, p_note, p_user, p_via, p_token);
		IF item IS NULL THEN
			RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', HINT = 'source',
				MESSAGE = format('nothing is known under "%s"', left(one, 100));
		END IF;
		items := items || item;
	END LOOP;
	RETURN jsonb_build_object('items', items);
END
$$;

-- GET labels: each time that a label was set or removed, the newest first. p_source: only of these.
CREATE FUNCTION api.label_log(p api.page_spec, p_source text[] DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	place api.place := api.place_of('labels', p.cursor);
	items jsonb;
	places api.place[];
BEGIN
	SELECT jsonb_agg(jsonb_build_object('id', x.id::text, 'source', api.display(x.source), 'name', (
			SELECT api.display(max(a.source_name)) FROM dmarc.addresses a WHERE a.source = x.source),
			'label', x.label, 'note', api.display(x.note), 'set_by', api.display(x.set_by), 'set_via', x.set_via,
			'token', x.token, 'set_at', api.iso(x.set_at)) ORDER BY x.n) FILTER (WHERE x.n <= p.size),
		array_agg(ROW(x.set_at, x.id, 0)::api.place ORDER BY x.n)
	INTO items, places
	FROM (
		SELECT l.*, row_number() OVER (ORDER BY l.set_at DESC, l.id DESC) AS n
		FROM dmarc.label_log l
		WHERE (p_source IS NULL OR l.source = ANY (p_source))
			AND (place.at IS NULL OR (l.set_at, l.id) < (place.at, place.id))
		ORDER BY n LIMIT p.size + 1) x;
	RETURN jsonb_build_object('items', coalesce(items, '[]'), 'next', api.place_next('labels', places, p.size));
END
$$;

REVOKE EXECUTE ON FUNCTION api.set_label, api.set_labels FROM ruad_web, ruad_viewer;
GRANT EXECUTE ON FUNCTION api.set_label, api.set_labels, api.display(text), api.iso TO ruad_editor;
