-- users.sql - rights of users: `ruad user` changes them, and ruad-web asks for those of the user it serves.
--
-- `ruad user` calls these functions with the rights of the login that migrates.

-- The words of a grant as it stores them: names in lower case without a final dot, each once; NULL for all domains
-- ("*"). Raises ERRCODE 22023 if one is neither a domain nor a pattern.
CREATE FUNCTION ruad.domain_words(p_domains text[]) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
	words text[] := ARRAY(SELECT DISTINCT rtrim(lower(w), '.') COLLATE "C" FROM unnest(p_domains) w ORDER BY 1);
	word text;
BEGIN
	FOREACH word IN ARRAY words LOOP
		IF word <> '*' AND (word !~ '^(\*\.)?([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$'
			OR length(word) > 255) THEN
			RAISE EXCEPTION '"%" is neither a domain nor a pattern such as *.example.org', left(word, 300)
				USING ERRCODE = 'invalid_parameter_value';
		END IF;
	END LOOP;
	RETURN CASE WHEN '*' = ANY (words) THEN NULL ELSE words END;
END
$$;

-- Give a user a role and domains (p_domains '{*}': all of them). With p_is_new the user must not have a grant yet,
-- else he must have one, and NULL leaves role or domains unchanged. Raises ERRCODE 22023 if something is invalid.
CREATE FUNCTION ruad.user_set(p_name text, p_is_new boolean, p_role text, p_domains text[], p_by text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	g ruad.user_grant;
BEGIN
	LOCK TABLE ruad.user_grant IN SHARE ROW EXCLUSIVE MODE; -- one at a time; readers go on
	SELECT * INTO g FROM ruad.user_grant u WHERE u.name = p_name;
	IF p_is_new <> (g.name IS NULL) THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format(CASE WHEN p_is_new
			THEN 'user "%s" has a role already: say set' ELSE 'user "%s" has no role yet: say add' END, p_name);
	END IF;
	g.name := p_name;
	g.role := coalesce(p_role, g.role);
	g.domains := CASE WHEN p_domains IS NULL THEN g.domains ELSE ruad.domain_words(p_domains) END;
	IF g.role = 'admin' AND g.domains IS NOT NULL THEN
		RAISE EXCEPTION 'an admin is not limited to domains' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	INSERT INTO ruad.user_grant (name, role, domains, set_by, set_at) VALUES (g.name, g.role, g.domains, p_by, now())
	ON CONFLICT (name) DO UPDATE SET role = excluded.role, domains = excluded.domains, set_by = excluded.set_by,
		set_at = excluded.set_at;
	PERFORM ruad.audit(CASE WHEN p_is_new THEN 'user_add' ELSE 'user_set' END, p_by, p_name,
		jsonb_build_object('role', g.role, 'domains', g.domains));
	IF p_name IN (SELECT ruad.auditors()) THEN
		PERFORM ruad.auditor_rights(p_name);
	END IF;
END
$$;

-- Remove the grant of a user, whose rights are then those that the settings give. Raises ERRCODE 22023 if there is
-- none, or if an auditor would read all domains because of it.
CREATE FUNCTION ruad.user_remove(p_name text, p_by text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF p_name IN (SELECT ruad.auditors()) AND EXISTS (SELECT 1 FROM ruad.user_grant g WHERE g.name = p_name
		AND g.domains IS NOT NULL) THEN
		RAISE EXCEPTION 'auditor "%" would read all domains: run ruad auditor remove first', p_name
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	DELETE FROM ruad.user_grant g WHERE g.name = p_name;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'user "%" has no role', p_name USING ERRCODE = 'invalid_parameter_value';
	END IF;
	PERFORM ruad.audit('user_remove', p_by, p_name, NULL);
END
$$;

-- The role and the domains of a user: {"role", "domains"}; domains is null for all. NULL without a grant.
CREATE FUNCTION api.user_grant(p_user text) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (SELECT jsonb_build_object('role', g.role, 'domains', g.domains) FROM ruad.user_grant g
		WHERE g.name = p_user);
END
$$;

REVOKE EXECUTE ON FUNCTION api.user_grant FROM ruad_viewer;
