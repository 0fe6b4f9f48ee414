-- server.sql - search, and the state and limits of this server.

-- The best eight matches of each type for a text. Texts that equal it come first, then those that begin with it.
-- Reports and addresses match only in full.
CREATE FUNCTION api.search(p_q text) RETURNS jsonb
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
	part text := '%' || api.like_literal(p_q) || '%';
	ips inet[];
	number bigint;
	answer jsonb;
BEGIN
	IF length(p_q) < 2 THEN
		PERFORM api.refuse('q', 'must have two characters at least');
	END IF;
	IF p_q ~ '^[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*$' THEN
		BEGIN
			ips := ARRAY[p_q::inet];
		EXCEPTION WHEN invalid_text_representation THEN
			NULL; -- half an address
		END;
	ELSIF p_q ~ '^[0-9]{1,18}$' THEN
		number := p_q;
	END IF;
	WITH hits AS (
		SELECT 1 AS rank, 'domain' AS type, d.domain AS key, d.domain AS text, NULL AS hint FROM dmarc.domains d
		WHERE d.domain ILIKE part
		UNION ALL
		SELECT 2, 'ip', host(x.ip), host(x.ip), (SELECT coalesce(a.rdns, a.source_name) FROM dmarc.addresses a
			WHERE a.source_ip = x.ip)
		FROM unnest(ips) AS x(ip) WHERE api.source_is_known('ip:' || host(x.ip))
		UNION ALL
		SELECT 3, 'source', s.source, coalesce(max(s.source_name), s.source), max(s.source_type)
		FROM dmarc.addresses s WHERE s.source_name ILIKE part OR s.rdns ILIKE part OR s.source_ip = ANY (ips)
		GROUP BY s.source
		UNION ALL
		SELECT 4, 'reporter', o.org_name, o.org_name, NULL FROM dmarc.reporters o WHERE o.org_name ILIKE part
		UNION ALL
		(SELECT 5, 'report', r.id::text, coalesce(r.report_id, r.id::text), concat_ws(', ', r.org_name, r.domain, r.day)
			FROM (
			SELECT * FROM api.any_report v WHERE v.report_id = p_q UNION SELECT * FROM api.any_report v
			WHERE v.id = number) r)
	), best AS (
		SELECT h.*, row_number() OVER (PARTITION BY h.rank ORDER BY lower(h.text) = lower(p_q) DESC,
			starts_with(lower(h.text), lower(p_q)) DESC, length(h.text), h.text COLLATE "C", h.key COLLATE "C") AS no
		FROM hits h
	)
	SELECT jsonb_build_object('items', coalesce(jsonb_agg(jsonb_build_object('type', b.type, 'key', api.display(b.key),
		'text', api.display(b.text), 'hint', api.display(b.hint)) ORDER BY b.rank, b.no), '[]'))
	INTO answer FROM best b WHERE b.no <= 8;
	RETURN answer;
END
$$;

-- The limits and features of this server, for clients; the C code adds its version.
CREATE FUNCTION api.meta() RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (
		SELECT jsonb_build_object('schema_version', (SELECT max(version) FROM dmarc.schema_version),
			'app_version', (SELECT app_version FROM dmarc.schema_version ORDER BY version DESC LIMIT 1),
			'classes', to_jsonb(api.classes()), 'dispositions', to_jsonb(api.dispositions()),
			'groups', to_jsonb(api.source_groups()), 'thresholds', jsonb_build_object('passing', 95, 'failing', 50,
				'evidence_days', 14, 'evidence_reporters', 2),
			'limits', jsonb_build_object('limit', 500, 'limit_default', 50, 'limit_csv', 10000,
				'records_in_report', 500, 'points', 4000, 'window_days', 30),
			'features', jsonb_build_object('failures', EXISTS (SELECT 1 FROM dmarc.failure_reports),
				'tls', EXISTS (SELECT 1 FROM dmarc.tls_reports), 'enrich', EXISTS (SELECT 1 FROM dmarc.addresses a
					WHERE a.looked_up_at IS NOT NULL), 'labels', EXISTS (SELECT 1 FROM dmarc.labels))));
END
$$;

-- Seconds since 1970.
CREATE FUNCTION api.seconds(at timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE
AS $$ SELECT floor(extract(epoch FROM at))::bigint $$;

-- When the last report of each kind was received.
CREATE FUNCTION api.last_reports() RETURNS TABLE (kind text, at timestamptz)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN QUERY SELECT k.* FROM (VALUES
		('aggregate', (SELECT r.received_at FROM dmarc.reports r ORDER BY r.received_at DESC LIMIT 1)),
		('failure', (SELECT f.received_at FROM dmarc.failure_reports f ORDER BY f.received_at DESC LIMIT 1)),
		('tls', (SELECT t.received_at FROM dmarc.tls_reports t ORDER BY t.received_at DESC LIMIT 1))) AS k(kind, at)
	WHERE k.at IS NOT NULL;
END
$$;

-- The notices that are present by severity, and the messages that wait to be sent.
CREATE FUNCTION api.notice_numbers() RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (
		SELECT jsonb_build_object('notices', jsonb_agg(jsonb_build_object('severity', s.severity, 'n', (SELECT count(*)
			FROM ruad.notice n WHERE n.severity = s.severity AND n.state <> 'resolved' AND n.gone_since IS NULL))
			ORDER BY s.no))
		FROM unnest('{error,warning,info}'::text[]) WITH ORDINALITY AS s(severity, no))
		|| (SELECT jsonb_build_object('messages_waiting', count(*), 'oldest_message_at', api.seconds(min(o.made_at)))
			FROM ruad.outbox o WHERE o.content IS NOT NULL);
END
$$;

-- Counters for monitoring; the C code writes them in the format of Prometheus.
CREATE FUNCTION api.metrics() RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (
		SELECT jsonb_build_object('mails', (SELECT count(*) FROM dmarc.mails),
			'items', (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', i.kind, 'status', i.status, 'n', i.n)
				ORDER BY i.kind, i.status), '[]')
				FROM (SELECT kind, CASE WHEN api.is_unrelated(status, code) THEN 'unrelated' ELSE status END AS status,
					count(*) AS n FROM dmarc.intake WHERE kind IS NOT NULL GROUP BY 1, 2) i),
			'last_reports', (
				SELECT coalesce(jsonb_agg(jsonb_build_object('kind', k.kind, 'at', api.seconds(k.at))
					ORDER BY k.kind), '[]') FROM api.last_reports() k),
			'last_prune_at', (SELECT api.seconds(max(l.at)) FROM dmarc.audit_log l WHERE l.log = 'audit'
				AND l.action = 'prune'),
			'last_dump_at', (SELECT api.seconds(max(l.at)) FROM dmarc.audit_log l WHERE l.log = 'audit'
				AND l.action = 'dump'))
			|| (SELECT jsonb_build_object('addresses', count(*),
				'addresses_waiting', count(*) FILTER (WHERE a.looked_up_at IS NULL)) FROM dmarc.addresses a)
			|| (SELECT jsonb_build_object('domains_checked', count(*),
				'domains_failing', count(*) FILTER (WHERE NOT c.ok),
				'oldest_check_at', api.seconds(min(c.checked_at))) FROM dmarc.dns_checks c)
			|| api.notice_numbers());
END
$$;

-- Returns whether the schema is the one that the program was built for: its version, and the checksum of functions
-- and views; NULL matches any.
CREATE FUNCTION api.ready(p_schema_version integer DEFAULT NULL, p_definitions text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (
		SELECT jsonb_build_object('ready', v.version IS NOT NULL AND v.version = coalesce(p_schema_version, v.version)
			AND d.checksum = coalesce(p_definitions, d.checksum), 'schema_version', v.version)
		FROM (SELECT max(version) AS version FROM dmarc.schema_version) v, dmarc.definitions d);
END
$$;

-- Those of the whole server are not for users who are limited to domains.
REVOKE EXECUTE ON FUNCTION api.metrics, api.notice_numbers, api.ready FROM ruad_viewer;
