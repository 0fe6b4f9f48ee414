-- tokens.sql - tokens: secrets by which programs sign in as a user. Only their SHA-256 is stored, in hex in all calls.

-- Add a token. p_lifetime NULL: it never expires. p_by: the user of the operating system. Raises ERRCODE 22023 if a
-- value is invalid. For ruad_owner.
CREATE FUNCTION ruad.token_add(p_name text, p_user text, p_hash text, p_write boolean, p_lifetime interval, p_by text)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO ruad.token (name, user_name, hash, may_write, made_at, made_by, expires_at)
	VALUES (p_name, p_user, decode(p_hash, 'hex'), p_write, now(), p_by, now() + p_lifetime);
	PERFORM ruad.audit('token_add', p_by, p_name, jsonb_build_object('user_name', p_user, 'may_write', p_write,
		'expires_at', api.iso(now() + p_lifetime)));
EXCEPTION WHEN unique_violation THEN
	RAISE EXCEPTION 'there is a token "%" already: remove it first', p_name
		USING ERRCODE = 'invalid_parameter_value';
END
$$;

-- Remove a token: no request with it is answered from then on. For ruad_owner.
CREATE FUNCTION ruad.token_remove(p_name text, p_by text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	of_user text;
BEGIN
	DELETE FROM ruad.token t WHERE t.name = p_name RETURNING t.user_name INTO of_user;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no token "%"', left(p_name, 100) USING ERRCODE = 'invalid_parameter_value';
	END IF;
	PERFORM ruad.audit('token_remove', p_by, p_name, jsonb_build_object('user_name', of_user));
END
$$;

-- The token with this hash, unless it has expired. is_stale: its last use is to be recorded again, by token_used().
-- An index finds it by the hash, so that the time tells nothing about the token.
CREATE FUNCTION api.token(p_hash text)
RETURNS TABLE (name text, user_name text, may_write boolean, is_stale boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY SELECT t.name, t.user_name, t.may_write, coalesce(t.used_at < now() - interval '1 hour', true)
	FROM ruad.token t WHERE t.hash = decode(p_hash, 'hex') AND coalesce(t.expires_at > now(), true);
END
$$;

-- Record that a token is used now, at most once an hour.
CREATE FUNCTION api.token_used(p_hash text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE ruad.token t SET used_at = now()
	WHERE t.hash = decode(p_hash, 'hex') AND coalesce(t.used_at < now() - interval '1 hour', true);
END
$$;

REVOKE EXECUTE ON FUNCTION api.token, api.token_used FROM ruad_viewer;
