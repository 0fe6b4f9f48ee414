-- outbox.sql - messages that wait until their destination has accepted them.
--
-- ruad-notify adds them in the transaction of the change that they report, and locks the row of a message while it
-- sends it. So several ruad-notify on one database send none twice.

-- The number of messages for a destination that may wait.
CREATE FUNCTION ruad.outbox_most() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT 100 $$;

-- Returns whether each of the destinations may get another message.
CREATE FUNCTION ruad.outbox_has_room(p_destinations text[]) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN NOT EXISTS (SELECT 1 FROM ruad.outbox o WHERE o.content IS NOT NULL AND o.destination = ANY (p_destinations)
		GROUP BY o.destination HAVING count(*) >= ruad.outbox_most());
END
$$;

-- Queue a message for each destination. Returns false, and queues nothing, if too many wait already.
CREATE FUNCTION ruad.outbox_add(p_what text, p_destinations text[], p_content bytea) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF octet_length(p_content) > 16777216 THEN
		RAISE EXCEPTION 'a message of % bytes is too large', octet_length(p_content)
			USING ERRCODE = 'program_limit_exceeded';
	ELSIF NOT ruad.outbox_has_room(p_destinations) THEN
		RETURN false;
	END IF;
	INSERT INTO ruad.outbox (what, destination, content, made_at, next_at)
	SELECT p_what, d, p_content, now(), now() FROM unnest(p_destinations) d;
	RETURN true;
END
$$;

-- Remove what waits for other destinations than these, and what was sent or given up a month ago. Returns how many
-- waited.
CREATE FUNCTION ruad.outbox_keep(p_destinations text[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	removed bigint;
BEGIN
	DELETE FROM ruad.outbox o WHERE o.content IS NULL AND o.made_at < now() - interval '30 days';
	DELETE FROM ruad.outbox o WHERE o.content IS NOT NULL AND o.destination <> ALL (p_destinations);
	GET DIAGNOSTICS removed = ROW_COUNT;
	RETURN removed;
END
$$;

-- Lock a message that is due, the oldest first, of a destination that is not among p_not. key is the same for each
-- attempt to send it, and that of no other message. No row: nothing is due.
CREATE FUNCTION ruad.outbox_next(p_not text[]) RETURNS TABLE (id bigint, destination text, key text, content bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	SELECT o.id, o.destination, format('ruad-%s-%s', o.id, extract(epoch FROM o.made_at)::bigint), o.content
	FROM ruad.outbox o
	WHERE o.content IS NOT NULL AND o.next_at <= now() AND o.destination <> ALL (p_not)
	ORDER BY o.id LIMIT 1 FOR UPDATE SKIP LOCKED;
END
$$;

-- The message was accepted.
CREATE FUNCTION ruad.outbox_sent(p_id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE ruad.outbox o SET sent_at = now(), content = NULL, attempts = o.attempts + 1, failure = NULL
	WHERE o.id = p_id AND o.content IS NOT NULL;
END
$$;

-- The message was not accepted. The next attempt is after a minute, then after twice the time of the last one, at most
-- an hour. Returns whether it was given up, which is after a week.
CREATE FUNCTION ruad.outbox_failed(p_id bigint, p_failure text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	given_up boolean;
BEGIN
	UPDATE ruad.outbox o SET attempts = o.attempts + 1, failure = left(p_failure, 1000),
		next_at = now() + least(interval '1 hour', interval '1 minute' * 2 ^ least(o.attempts, 10)),
		content = CASE WHEN o.made_at > now() - interval '7 days' THEN o.content END
	WHERE o.id = p_id AND o.content IS NOT NULL
	RETURNING o.content IS NULL INTO given_up;
	RETURN coalesce(given_up, false);
END
$$;

GRANT EXECUTE ON FUNCTION ruad.outbox_add, ruad.outbox_keep, ruad.outbox_next, ruad.outbox_sent, ruad.outbox_failed
	TO ruad_notify;
