-- digest.sql - when a digest is due, and that it is queued once.

-- The last day of the last week or month whose reports have arrived: they do until the end of the second day after the
-- day that they are about. A digest is due from p_hour o'clock (UTC) on after that.
CREATE FUNCTION ruad.digest_due(p_period text, p_hour integer, p_at timestamptz) RETURNS date
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (SELECT w.to_day - 1 FROM api.digest_window(p_period,
		(p_at AT TIME ZONE 'UTC' - p_hour * interval '1 hour')::date - 2) w);
END
$$;

-- The content of a digest that is due. p_name is the name of its section in the settings, '' for [digest]; p_domains
-- and p_user are those of api.digest(). It counts as queued with the end of this transaction, in which the caller
-- queues it. NULL if it was queued before, or if a destination has too much waiting.
CREATE FUNCTION ruad.digest_take(p_name text, p_period text, p_hour integer, p_destinations text[],
	p_domains text[] DEFAULT NULL, p_user text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	last_day date := ruad.digest_due(p_period, p_hour, now());
	first_day date := (SELECT w.from_day FROM api.digest_window(p_period, last_day) w);
BEGIN
	IF EXISTS (SELECT 1 FROM ruad.digest d WHERE d.name = p_name AND d.period = p_period AND d.from_day = first_day)
		OR NOT ruad.outbox_has_room(p_destinations) THEN
		RETURN NULL;
	END IF;
	INSERT INTO ruad.digest (name, period, from_day) VALUES (p_name, p_period, first_day) ON CONFLICT DO NOTHING;
	IF NOT FOUND THEN -- another host was faster
		RETURN NULL;
	END IF;
	RETURN (SELECT api.digest(p_period, last_day, p_domains, p_user) FROM ruad.gate);
END
$$;

GRANT EXECUTE ON FUNCTION ruad.digest_take TO ruad_notify;
