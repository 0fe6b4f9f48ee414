-- granted.sql - the domains that the user of a session may see, for the policies of row-level security.
--
-- The user is the login, or for ruad-web the user whom it serves: it names that user in the setting ruad.user. Other
-- logins gain nothing by that setting.

-- The numbers of the domains that a user with a grant may see; none without a grant.
CREATE FUNCTION ruad.domains_of(p_user text) RETURNS integer[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
DECLARE
	g ruad.user_grant;
	below text[];
BEGIN
	SELECT * INTO g FROM ruad.user_grant u WHERE u.name = p_user;
	IF g.name IS NULL THEN
		RETURN '{}';
	ELSIF g.domains IS NULL THEN
		RETURN ARRAY(SELECT d.id FROM ruad.domain d);
	END IF;
	below := ARRAY(SELECT substr(w.word, 2) FROM unnest(g.domains) AS w(word) WHERE starts_with(w.word, '*.'));
	RETURN ARRAY(SELECT d.id FROM ruad.domain d WHERE d.name = ANY (g.domains)
		UNION ALL
		SELECT d.id FROM ruad.domain d WHERE cardinality(below) > 0 AND EXISTS (SELECT 1 FROM unnest(below) AS b(name)
			WHERE right(d.name, length(b.name)) = b.name));
END
$$;

-- The numbers of the domains that the session's user may see. Policies call it once in each query.
CREATE OR REPLACE FUNCTION ruad.granted_domains() RETURNS integer[]
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN ruad.domains_of(CASE WHEN pg_has_role(SESSION_USER, 'ruad_web', 'MEMBER')
		THEN current_setting('ruad.user', true) ELSE SESSION_USER END);
END
$$;

GRANT EXECUTE ON FUNCTION ruad.granted_domains TO ruad_viewer;
