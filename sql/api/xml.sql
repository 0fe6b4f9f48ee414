-- xml.sql - an aggregate report as XML.

-- A text without the characters that XML 1.0 forbids.
CREATE FUNCTION api.xml_text(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT regexp_replace(value, E'[\u0001-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]', '', 'g') $$;

-- One result of auth_results, without the element around it.
CREATE FUNCTION api.auth_result_xml(value jsonb) RETURNS xml
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT coalesce(xmlforest(value ->> 'domain' AS domain, value ->> 'selector' AS selector,
		value ->> 'scope' AS scope, value ->> 'result' AS result, value ->> 'human_result' AS human_result), '')
$$;

-- One record in the format of a report (RFC 9990 section 3.1.1). A NULL value has no element, and neither has an
-- empty group; an empty record still has one.
CREATE FUNCTION api.record_xml(r dmarc.records) RETURNS xml
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT xmlforest(coalesce(xmlconcat(
		xmlforest(
			xmlforest(host(r.source_ip) AS source_ip, r.count AS count, xmlconcat(
				xmlforest(r.disposition AS disposition, r.dkim AS dkim, r.spf AS spf),
				(SELECT xmlagg(xmlforest(coalesce(xmlforest(e.value ->> 'type' AS type,
					e.value ->> 'comment' AS comment), '') AS reason) ORDER BY e.no)
					FROM jsonb_path_query(r.reason, '$[*]') WITH ORDINALITY AS e(value, no)))
					AS policy_evaluated) AS row,
			xmlforest(r.header_from AS header_from, r.envelope_from AS envelope_from,
				r.envelope_to AS envelope_to) AS identifiers),
		xmlforest(xmlconcat(
			(SELECT xmlagg(xmlforest(api.auth_result_xml(e.value) AS dkim) ORDER BY e.no)
				FROM jsonb_path_query(r.auth_results, '$.dkim[*]') WITH ORDINALITY AS e(value, no)),
			(SELECT xmlagg(xmlforest(api.auth_result_xml(e.value) AS spf) ORDER BY e.no)
				FROM jsonb_path_query(r.auth_results, '$.spf[*]') WITH ORDINALITY AS e(value, no))) AS auth_results)),
				'') AS record)
$$;

-- The elements before the records.
CREATE FUNCTION api.report_head_xml(r api.any_report) RETURNS xml
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT xmlforest(r.version AS version,
		xmlconcat(
			xmlforest(r.org_name AS org_name, r.email AS email, r.extra_contact_info AS extra_contact_info,
				r.report_id AS report_id, xmlforest(extract(epoch FROM r.begin)::bigint AS begin,
					extract(epoch FROM r."end")::bigint AS "end") AS date_range),
			(SELECT xmlagg(xmlforest(e.value AS error) ORDER BY e.no)
				FROM jsonb_array_elements_text(r.error) WITH ORDINALITY AS e(value, no)),
			xmlforest(r.generator AS generator)) AS report_metadata,
		xmlforest(r.domain AS domain, r.adkim AS adkim, r.aspf AS aspf, r.p AS p, r.sp AS sp, r.np AS np,
			r.pct AS pct, r.fo AS fo, r.testing AS testing, r.discovery_method AS discovery_method) AS policy_published)
$$;

-- A report in full as XML; NULL if there is none. It is built from its rows: values are as parsed (trimmed, names in
-- lower case), and unknown elements are missing. Records are concatenated as text, since xmlagg() copies its whole
-- state for each.
CREATE FUNCTION api.report_xml(p_id bigint) RETURNS text
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	r api.any_report;
	lines text;
BEGIN
	SELECT * INTO r FROM api.any_report v WHERE v.id = p_id;
	IF r.id IS NULL THEN
		RETURN NULL;
	END IF;
	EXECUTE format($q$SELECT string_agg(api.xml_text(api.record_xml(d::dmarc.records)::text) || E'\n', '') FROM (
		SELECT v.* FROM %s v
		WHERE v.domain_id = $1 AND v.day = $2 AND v.month = date_trunc('month', $2::timestamp)::date AND v.report = $3
		ORDER BY v.record_no) d$q$, api.records_view(p_id)) INTO lines USING r.domain_id, r.day, r.id;
	RETURN E'<?xml version="1.0" encoding="UTF-8"?>\n'
		|| format(E'<!-- Built again by ruad from its database%s. SHA-256 of the original: %s -->\n',
			CASE WHEN r.partial THEN '; the original is truncated' ELSE '' END, encode(r.sha256, 'hex'))
		|| '<feedback' || CASE WHEN r.dialect = 'rfc9990' THEN ' xmlns="urn:ietf:params:xml:ns:dmarc-2.0"'
			WHEN r.xmlns IS NOT NULL THEN ' xmlns="http://dmarc.org/dmarc-xml/0.1"' ELSE '' END || E'>\n'
		|| api.xml_text(api.report_head_xml(r)::text) || E'\n' || coalesce(lines, '') || E'</feedback>\n';
END
$$;
