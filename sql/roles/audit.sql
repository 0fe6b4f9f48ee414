-- audit.sql - adds entries to the audit log.
--
-- The role that serves pages may add those of what happens there, by api.audit_add(), and nothing else. Functions that
-- commands call add their own, in the same transaction as the change.

-- Add an entry about what a command does. p_user: the user of the operating system; NULL: the login of the session.
CREATE FUNCTION ruad.audit(p_action text, p_user text, p_object text, p_detail jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO ruad.audit_log (at, user_name, via, action, object, detail)
	VALUES (now(), coalesce(p_user, SESSION_USER), CASE WHEN p_user IS NULL THEN 'sql' ELSE 'cli' END, p_action,
		left(p_object, 1000), p_detail);
END
$$;

-- Add an entry about what happens on the page and in the API.
CREATE FUNCTION api.audit_add(p_action text, p_user text, p_via text, p_token text, p_client text, p_object text,
	p_detail jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF p_action NOT IN ('login', 'login_failed', 'logout', 'export', 'upload') OR p_via NOT IN ('page', 'token')
		OR octet_length(p_detail::text) > 20000 THEN
		RAISE EXCEPTION 'not an entry of the page: % via %', p_action, p_via USING ERRCODE = 'invalid_parameter_value';
	END IF;
	INSERT INTO ruad.audit_log (at, user_name, via, token, client, action, object, detail)
	VALUES (now(), left(p_user, 255), p_via, left(p_token, 63), left(p_client, 64), p_action, left(p_object, 1000),
		p_detail);
END
$$;

REVOKE EXECUTE ON FUNCTION api.audit_add FROM ruad_viewer;
