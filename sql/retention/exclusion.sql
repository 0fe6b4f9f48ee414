-- exclusion.sql - takes reports out of every number and back: `ruad exclude` and `ruad include`.
--
-- The records of an excluded report are moved to ruad.excluded_record, and the sums of its month become stale. Views
-- of records and sums therefore omit it without a condition, and the views of reports by one.

-- Move the records of reports whose rows the caller has locked. entry: of the log, for reports that are excluded;
-- NULL includes them again.
CREATE FUNCTION ruad.move_records(reports ruad.unsummed[], entry bigint) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	IF entry IS NULL THEN
		WITH moved AS (
			DELETE FROM ruad.excluded_record e USING unnest(reports) u
			WHERE e.domain_id = u.domain_id AND e.day = u.day AND e.report = u.report
			RETURNING e.*
		)
		INSERT INTO ruad.record (begin, report, count, evaluation, day, domain_id, reporter_id, record_no, source_ip)
		SELECT m.begin, m.report, m.count, m.evaluation, m.day, m.domain_id, m.reporter_id, m.record_no, m.source_ip
		FROM moved m ORDER BY m.domain_id, m.day, m.report, m.record_no;
	ELSE
		WITH moved AS (
			DELETE FROM ruad.record r USING unnest(reports) u
			WHERE r.domain_id = u.domain_id AND r.day = u.day AND r.report = u.report
			RETURNING r.*
		)
		INSERT INTO ruad.excluded_record (begin, report, count, evaluation, day, domain_id, reporter_id, record_no,
			source_ip)
		SELECT m.begin, m.report, m.count, m.evaluation, m.day, m.domain_id, m.reporter_id, m.record_no, m.source_ip
		FROM moved m ORDER BY m.domain_id, m.day, m.report, m.record_no;
	END IF;
	UPDATE ruad.report r SET exclusion = entry FROM unnest(reports) u
	WHERE r.domain_id = u.domain_id AND r.day = u.day AND r.id = u.report;
	INSERT INTO ruad.stale (domain_id, day)
	SELECT DISTINCT u.domain_id, ruad.month_of(u.day) FROM unnest(reports) u ORDER BY 1, 2;
END
$$;

-- The reports to change, locked in the order in which ingest() locks them: p_report, or those of a reporter that
-- begin at p_since or later.
CREATE FUNCTION ruad.exclusion_of(p_excluded boolean, p_report bigint, p_reporter text, p_since timestamptz)
RETURNS ruad.unsummed[]
LANGUAGE plpgsql
AS $$
DECLARE
	of_reporter integer := (SELECT o.id FROM ruad.reporter o WHERE o.org_name_hash = ruad.text_hash(p_reporter));
BEGIN
	IF p_report IS NOT NULL THEN
		IF NOT EXISTS (SELECT 1 FROM ruad.report r WHERE r.id = p_report) THEN
			RAISE EXCEPTION 'there is no aggregate report %', p_report USING ERRCODE = 'invalid_parameter_value';
		END IF;
		RETURN ARRAY(SELECT ROW(r.id, r.day, r.domain_id)::ruad.unsummed FROM (
			SELECT r.id, r.day, r.domain_id FROM ruad.report r
			WHERE r.id = p_report AND (r.exclusion IS NULL) = p_excluded FOR UPDATE) r);
	END IF;
	IF of_reporter IS NULL OR p_since IS NULL THEN
		RAISE EXCEPTION 'there is no reporter "%"', left(p_reporter, 100) USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN ARRAY(SELECT ROW(r.id, r.day, r.domain_id)::ruad.unsummed FROM (
		SELECT r.id, r.day, r.domain_id FROM ruad.report r
		WHERE r.reporter_id = of_reporter AND r.day >= ruad.day_of(p_since) AND r.begin >= p_since
			AND (r.exclusion IS NULL) = p_excluded
		ORDER BY r.domain_id, r.day, r.key FOR UPDATE) r);
END
$$;

-- Exclude reports, or include them again (p_excluded FALSE), and log who did it and why. Returns how many reports
-- changed and the messages in them; an entry is logged only if there are any. Raises ERRCODE 22023 if there is no such
-- report or reporter. For ruad_owner.
CREATE FUNCTION ruad.set_excluded(p_excluded boolean, p_report bigint, p_reporter text, p_since timestamptz,
	p_reason text, p_user text, OUT reports bigint, OUT messages numeric)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	changed ruad.unsummed[];
	entry bigint;
BEGIN
	IF octet_length(p_reason) > 4000 THEN
		RAISE EXCEPTION 'the reason is longer than 4000 bytes' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	changed := ruad.exclusion_of(p_excluded, p_report, p_reporter, p_since);
	reports := cardinality(changed);
	SELECT coalesce(sum(r.messages), 0) INTO messages FROM unnest(changed) u
	JOIN ruad.report r ON r.domain_id = u.domain_id AND r.day = u.day AND r.id = u.report;
	IF reports > 0 THEN
		INSERT INTO ruad.exclusion_log (excluded, report, org_name, since, reports, reason, set_by, set_at)
		VALUES (p_excluded, p_report, p_reporter, p_since, set_excluded.reports, p_reason, p_user, now())
		RETURNING id INTO entry;
		PERFORM ruad.move_records(changed, CASE WHEN p_excluded THEN entry END);
	END IF;
END
$$;
