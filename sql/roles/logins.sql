-- logins.sql - logins: one for each auditor, and those of ruad's own roles in the private cluster.
--
-- `ruad auditor` calls these functions with the rights of the login that migrates. auditor_add() marks its roles by a
-- comment; the functions change and remove no other role. Only a role's creator and superusers can comment on it.

-- Let ruad's own programs log in as p_role in the private cluster, where the operating system authenticates them.
CREATE FUNCTION ruad.allow_login(p_role text, p_connections integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format('ALTER ROLE %I LOGIN CONNECTION LIMIT %s', p_role, p_connections);
END
$$;

CREATE FUNCTION ruad.auditors() RETURNS SETOF text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY SELECT rolname::text FROM pg_roles
	WHERE shobj_description(oid, 'pg_authid') = 'auditor, made by ruad' ORDER BY rolname;
END
$$;

-- Make an auditor a member of the role whose rights the user of that name has: ruad_viewer if the user is limited to
-- domains, else ruad_auditor.
CREATE FUNCTION ruad.auditor_rights(p_name text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	rights text := CASE WHEN EXISTS (SELECT 1 FROM ruad.user_grant g WHERE g.name = p_name AND g.domains IS NOT NULL)
		THEN 'ruad_viewer' ELSE 'ruad_auditor' END;
	others text := CASE rights WHEN 'ruad_viewer' THEN 'ruad_auditor' ELSE 'ruad_viewer' END;
BEGIN
	EXECUTE format('GRANT %I TO %I', rights, p_name);
	IF pg_has_role(p_name, others, 'MEMBER') THEN
		EXECUTE format('REVOKE %I FROM %I', others, p_name);
	END IF;
EXCEPTION WHEN insufficient_privilege THEN
	RAISE EXCEPTION 'login "%" may not give rights to auditors; a superuser must run: GRANT ruad_auditor, ruad_viewer '
		'TO % WITH ADMIN OPTION;', SESSION_USER, quote_ident(SESSION_USER) USING ERRCODE = 'insufficient_privilege';
END
$$;

-- Create a login that may read the views of schema dmarc, with the time-outs of ruad_auditor; an existing auditor
-- gets them again. p_verifier: a password's SCRAM verifier, or NULL to leave the password unchanged. p_user: who
-- does it, for the audit log.
CREATE FUNCTION ruad.auditor_add(p_name text, p_verifier text, p_user text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	setting text;
BEGIN
	IF to_regrole(quote_ident(p_name)) IS NULL THEN
		EXECUTE format('CREATE ROLE %I', p_name);
		EXECUTE format('COMMENT ON ROLE %I IS %L', p_name, 'auditor, made by ruad');
	ELSIF p_name NOT IN (SELECT ruad.auditors()) THEN
		RAISE EXCEPTION 'role "%" exists already, and was not made by ruad', p_name
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	PERFORM ruad.auditor_rights(p_name);
	EXECUTE format('ALTER ROLE %I LOGIN CONNECTION LIMIT 4', p_name);
	FOR setting IN SELECT unnest(rolconfig) FROM pg_roles WHERE rolname = 'ruad_auditor' LOOP
		EXECUTE format('ALTER ROLE %I SET %I TO %L', p_name, split_part(setting, '=', 1),
			substr(setting, strpos(setting, '=') + 1));
	END LOOP;
	IF p_verifier IS NOT NULL THEN
		EXECUTE format('ALTER ROLE %I PASSWORD %L', p_name, p_verifier);
	END IF;
	PERFORM ruad.audit('auditor_add', p_user, p_name, NULL);
EXCEPTION WHEN insufficient_privilege THEN
	RAISE EXCEPTION 'login "%" may not make auditors; a superuser must run: ALTER ROLE % CREATEROLE; GRANT '
		'ruad_auditor TO % WITH ADMIN OPTION;', SESSION_USER, quote_ident(SESSION_USER), quote_ident(SESSION_USER)
			USING ERRCODE = 'insufficient_privilege';
END
$$;

-- End the auditor's sessions and drop the login.
CREATE FUNCTION ruad.auditor_remove(p_name text, p_user text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF p_name NOT IN (SELECT ruad.auditors()) THEN
		RAISE EXCEPTION 'no auditor "%" was made by ruad', p_name USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF NOT pg_has_role(p_name, 'USAGE') THEN
		EXECUTE format('GRANT %I TO CURRENT_USER', p_name); -- or we may not end its sessions
	END IF;
	PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = p_name;
	EXECUTE format('DROP ROLE %I', p_name);
	PERFORM ruad.audit('auditor_remove', p_user, p_name, NULL);
END
$$;
