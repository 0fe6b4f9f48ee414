-- labels.sql - labels: to whom a source belongs, as the users of this server have set it.

-- The label of an address: the most specific one.
CREATE FUNCTION ruad.label_of(source_ip inet, service text, rdns_domain text, asn bigint) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (
		SELECT l.label FROM ruad.label l
		JOIN (VALUES (1, 'ip:' || host(source_ip)), (2, 'domain:' || rdns_domain), (3, 'service:' || service),
			(4, 'as:' || asn)) k(rank, source)
			ON k.source = l.source
		ORDER BY k.rank LIMIT 1);
END
$$;

-- Update the label of all addresses that a label of this source may apply to.
CREATE FUNCTION ruad.label_again(p_source text) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	kind constant text := split_part(p_source, ':', 1);
	name constant text := substr(p_source, length(kind) + 2);
BEGIN
	UPDATE ruad.address a SET label = ruad.label_of(a.source_ip, a.service, a.rdns_domain, a.asn)
	WHERE CASE kind WHEN 'ip' THEN a.source_ip = CASE kind WHEN 'ip' THEN name::inet END
		WHEN 'domain' THEN a.rdns_domain = name WHEN 'service' THEN a.service = name
		WHEN 'as' THEN a.asn::text = name END;
END
$$;

-- Returns whether a user of the page may label a source: always without a grant; else only as an editor, and if the
-- grant is limited to domains, a source that an address of theirs belongs to.
CREATE FUNCTION ruad.may_label(p_user text, p_source text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	g ruad.user_grant;
BEGIN
	SELECT * INTO g FROM ruad.user_grant u WHERE u.name = p_user;
	IF g.name IS NULL OR g.role <> 'viewer' AND g.domains IS NULL THEN
		RETURN true;
	END IF;
	RETURN g.role <> 'viewer' AND EXISTS (
		SELECT 1 FROM ruad.seen s LEFT JOIN ruad.address a ON a.source_ip = s.source_ip
		WHERE s.domain_id = ANY (ruad.domains_of(p_user)) AND p_source IN ('ip:' || host(s.source_ip),
			'domain:' || a.rdns_domain, 'service:' || a.service, 'as:' || a.asn));
END
$$;

-- Set the label of a source, or remove it (p_label NULL), and log who did it. Returns FALSE if the user of the page
-- may not do this. Raises ERRCODE 22023 with the parameter's name as HINT if a value is invalid. p_token: the name of
-- the token, if p_via is token.
CREATE FUNCTION ruad.set_label(p_source text, p_label text, p_note text, p_user text, p_via text,
	p_token text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	address inet;
BEGIN
	IF p_source IS NULL OR p_source !~ '^((service|domain):[a-z0-9._-]+|as:(0|[1-9][0-9]{0,9})|ip:[0-9a-f.:]+)$'
		OR octet_length(p_source) > 300 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', HINT = 'source',
			MESSAGE = format('"%s" is not a source: service:NAME, domain:NAME, as:NUMBER or ip:ADDRESS',
				left(p_source, 100));
	ELSIF p_label NOT IN ('mine', 'forwarder', 'not_mine') THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', HINT = 'label',
			MESSAGE = format('"%s" is not one of mine, forwarder, not_mine', left(p_label, 100));
	ELSIF octet_length(p_note) > 4000 THEN
		RAISE EXCEPTION
			USING ERRCODE = 'invalid_parameter_value', HINT = 'note', MESSAGE = 'the note is longer than 4000 bytes';
	END IF;
	IF p_source LIKE 'ip:%' THEN
		BEGIN
			address := substr(p_source, 4)::inet;
		EXCEPTION WHEN invalid_text_representation THEN
			RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', HINT = 'source',
				MESSAGE = format('"%s" is not an address', substr(p_source, 4));
		END;
		p_source := 'ip:' || host(address);
	END IF;
	IF p_via <> 'cli' AND NOT ruad.may_label(p_user, p_source) THEN
		RETURN false;
	END IF;

	LOCK TABLE ruad.label IN SHARE ROW EXCLUSIVE MODE; -- one at a time; readers go on
	IF p_label IS NULL THEN
		DELETE FROM ruad.label WHERE source = p_source;
	ELSE
		INSERT INTO ruad.label AS l (source, label, note, set_by, set_via, set_at)
		VALUES (p_source, p_label, p_note, p_user, p_via, now())
		ON CONFLICT (source) DO UPDATE SET label = excluded.label, note = excluded.note, set_by = excluded.set_by,
			set_via = excluded.set_via, set_at = excluded.set_at;
	END IF;
	INSERT INTO ruad.label_log (source, label, note, set_by, set_via, set_at, token)
	VALUES (p_source, p_label, p_note, p_user, p_via, now(), p_token);
	IF address IS NOT NULL THEN
		INSERT INTO ruad.address (source_ip) VALUES (address) ON CONFLICT DO NOTHING;
	END IF;
	PERFORM ruad.label_again(p_source);
	RETURN true;
END
$$;

GRANT EXECUTE ON FUNCTION ruad.set_label TO ruad_editor;
