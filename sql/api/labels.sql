-- labels.sql - setting labels.

-- Set the label of a source; p_label NULL removes it. Returns NULL if the user may not label this source. Only
-- ruad_editor may call it, and that role may call nothing else that returns data.
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

REVOKE EXECUTE ON FUNCTION api.set_label FROM ruad_web, ruad_viewer;
GRANT EXECUTE ON FUNCTION api.set_label, api.display(text), api.iso TO ruad_editor;
