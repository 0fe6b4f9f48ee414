-- own.sql - which domains are ours. dmarc.domains.own has the answer for each.

-- Store [server] domains.
CREATE FUNCTION ruad.set_own_domains(p_patterns text[]) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	DELETE FROM ruad.own_domain o WHERE o.pattern <> ALL (p_patterns);
	INSERT INTO ruad.own_domain (pattern) SELECT DISTINCT p FROM unnest(p_patterns) p ON CONFLICT DO NOTHING;
END
$$;
