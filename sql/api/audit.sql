-- audit.sql - the audit log.

-- A number for each log of dmarc.audit_log, for places.
CREATE FUNCTION api.audit_no(log text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE log WHEN 'audit' THEN 1 WHEN 'labels' THEN 2 ELSE 3 END::bigint $$;

CREATE FUNCTION api.audit_item(a dmarc.audit_log) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN jsonb_build_object('at', api.iso(a.at), 'user_name', api.display(a.user_name), 'via', a.via,
		'token', a.token, 'client', a.client, 'action', a.action, 'object', api.display(a.object),
		'detail', api.display(a.detail));
END
$$;

-- The entries of the window, the newest first.
CREATE FUNCTION api.audit(f api.filter_set, p api.page_spec, p_user text DEFAULT NULL, p_action text[] DEFAULT NULL)
RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	place api.place := api.place_of('audit', p.cursor);
	items jsonb;
	places api.place[];
BEGIN
	SELECT jsonb_agg(api.audit_item(x.a) ORDER BY x.n) FILTER (WHERE x.n <= p.size),
		array_agg(ROW((x.a).at, (x.a).id, api.audit_no((x.a).log))::api.place ORDER BY x.n)
	INTO items, places
	FROM (
		SELECT a, row_number() OVER (ORDER BY a.at DESC, a.id DESC, api.audit_no(a.log) DESC) AS n
		FROM dmarc.audit_log a
		WHERE a.at >= api.at(f.from_day) AND a.at < api.at(f.to_day)
			AND (p_user IS NULL OR a.user_name = p_user) AND (p_action IS NULL OR a.action = ANY (p_action))
			AND (place.at IS NULL OR a.at <= place.at
				AND (a.at, a.id, api.audit_no(a.log)) < (place.at, place.id, place.no))
		ORDER BY n LIMIT p.size + 1) x;
	RETURN jsonb_build_object('window', api.window_json(f), 'items', coalesce(items, '[]'),
		'next', api.place_next('audit', places, p.size));
END
$$;
