-- class.sql - the class of a record: what its DMARC result and its authentication results say together.

-- Returns whether a is b, or a parent or child domain of b. A parent needs two labels: "com" is not an organisation.
CREATE FUNCTION ruad.same_organisation(a text, b text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT a = b OR (position('.' IN b) > 0 AND right(a, length(b) + 1) = '.' || b)
		OR (position('.' IN a) > 0 AND right(b, length(a) + 1) = '.' || a)
$$;

-- Returns whether one of domains, a JSON array of texts, is of the same organisation as name.
CREATE FUNCTION ruad.any_same_organisation(domains jsonb, name text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
	FOR i IN 0 .. coalesce(jsonb_array_length(domains), 0) - 1 LOOP
		IF ruad.same_organisation(domains ->> i, name) THEN
			RETURN true;
		END IF;
	END LOOP;
	RETURN false;
END
$$;

-- Returns whether a word of policy_evaluated says that a check did not pass: fail, or a result that RFC 8601 defines
-- for the check itself. A word that is absent, empty or anything else ("n/a", "-", "unknown") says nothing.
CREATE FUNCTION ruad.says_fail(verdict text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT coalesce(verdict IN ('fail', 'softfail', 'none', 'neutral', 'policy', 'temperror', 'permerror'), false)
$$;

-- The class of a record that did not pass. The first rule that matches decides:
--   unknown               neither DMARC result says that it failed
--   fail_overridden       the receiver gave a reason of type forwarded, trusted_forwarder, mailing_list or local_policy
--   fail_altered          a signature of the same organisation did not pass ("none" is no signature)
--   fail_unaligned        something passed for another domain
--   unknown               something passed for header_from itself, or for no domain, which contradicts the result
--   fail_unauthenticated  nothing passed
-- One expression without subqueries, so that the planner can inline it: a call would cost more than the rules.
CREATE FUNCTION ruad.failure_class(dkim text, spf text, reason jsonb, header_from text, auth_results jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE
		WHEN NOT ruad.says_fail(dkim) AND NOT ruad.says_fail(spf) THEN 'unknown'
		WHEN jsonb_path_exists(reason, '$[*].type ? (@ == "forwarded" || @ == "trusted_forwarder"
			|| @ == "mailing_list" || @ == "local_policy")') THEN 'fail_overridden'
		WHEN jsonb_path_exists(auth_results, '$.dkim[*] ? (!(@.result == "pass" || @.result == "none")).domain')
			AND ruad.any_same_organisation(jsonb_path_query_array(auth_results,
				'$.dkim[*] ? (!(@.result == "pass" || @.result == "none")).domain'), header_from) THEN 'fail_altered'
		WHEN jsonb_path_exists(auth_results, '$.*[*] ? (@.result == "pass" && @.domain != "" && @.domain != $from)',
			jsonb_object(ARRAY['from', header_from])) THEN 'fail_unaligned'
		WHEN jsonb_path_exists(auth_results, '$.*[*] ? (@.result == "pass")') THEN 'unknown'
		ELSE 'fail_unauthenticated'
	END
$$;

-- The class of a record (web/texts/en.json explains each); policy_evaluated decides whether it passed.
CREATE FUNCTION ruad.record_class(dkim text, spf text, reason jsonb, header_from text, auth_results jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE WHEN dkim = 'pass' OR spf = 'pass' THEN 'pass'
		ELSE ruad.failure_class(dkim, spf, reason, header_from, auth_results) END
$$;

-- The domain that a record's mail authenticated as: that of a passing signature of header_from, else of the first
-- passing signature, else the domain that passed SPF; NULL if nothing passed. One per record, so that each message is
-- counted once.
CREATE FUNCTION ruad.auth_domain(header_from text, auth_results jsonb) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT nullif(coalesce(
		jsonb_path_query_first(auth_results, '$.dkim[*] ? (@.result == "pass" && @.domain == $from).domain',
			jsonb_object(ARRAY['from', header_from])),
		jsonb_path_query_first(auth_results, '$.dkim[*] ? (@.result == "pass" && @.domain != "").domain'),
		jsonb_path_query_first(auth_results, '$.spf[*] ? (@.result == "pass" && @.domain != "").domain')
	) #>> '{}', '')
$$;

-- The types of the reasons, each once, sorted; NULL without a reason, empty if none has a type.
CREATE FUNCTION ruad.override_types(reason jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE WHEN jsonb_path_exists(reason, '$[*]') THEN
		coalesce((SELECT array_agg(DISTINCT t #>> '{}' COLLATE "C")
			FROM jsonb_path_query(reason, '$[*].type ? (@.type() == "string")') t), '{}') END
$$;

-- The first half of a text's SHA-256, for unique keys.
CREATE FUNCTION ruad.hash_of(value text) RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT substr(encode(sha256(convert_to(value, 'UTF8')), 'hex'), 1, 32)::uuid $$;
