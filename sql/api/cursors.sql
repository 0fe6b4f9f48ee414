-- cursors.sql - cursors, which encode a place in a list.

-- A cursor contains the key of the last row of a page and the list that it belongs to: JSON in base64url.
CREATE FUNCTION api.cursor_make(list text, key jsonb) RETURNS text
LANGUAGE sql STABLE
AS $$ SELECT rtrim(translate(encode(convert_to(jsonb_build_array(list, key)::text, 'UTF8'), 'base64'), E'+/\n', '-_'),
	'=') $$;

-- The key in a cursor of that list. The caller checks the types of its values, see cursor_refuse().
CREATE FUNCTION api.cursor_key(list text, p_cursor text) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	content jsonb;
BEGIN
	content := convert_from(decode(rpad(translate(p_cursor, '-_', '+/'), (length(p_cursor) + 3) / 4 * 4, '='),
		'base64'), 'UTF8')::jsonb;
	IF content ->> 0 IS DISTINCT FROM list OR jsonb_typeof(content -> 1) <> 'array' THEN
		PERFORM api.cursor_refuse();
	END IF;
	RETURN content -> 1;
EXCEPTION WHEN data_exception OR character_not_in_repertoire THEN
	PERFORM api.cursor_refuse();
END
$$;

CREATE FUNCTION api.cursor_refuse() RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM api.refuse('cursor', 'not a cursor of this list');
END
$$;

-- A place in a list sorted by time: microseconds since 1970, then two numbers.
CREATE TYPE api.place AS (at timestamptz, id bigint, no bigint);

CREATE FUNCTION api.place_make(list text, at timestamptz, id bigint, no bigint) RETURNS text
LANGUAGE sql STABLE
AS $$ SELECT api.cursor_make(list, jsonb_build_array((extract(epoch FROM at) * 1000000)::bigint, id, no)) $$;

CREATE FUNCTION api.place_of(list text, p_cursor text) RETURNS api.place
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	key jsonb;
	place api.place;
BEGIN
	IF p_cursor IS NULL THEN
		RETURN NULL;
	END IF;
	key := api.cursor_key(list, p_cursor);
	place := ROW('epoch'::timestamptz + (key ->> 0)::bigint * interval '1 microsecond', (key ->> 1)::bigint,
		(key ->> 2)::bigint);
	IF place.at IS NULL OR place.id IS NULL OR place.no IS NULL THEN
		PERFORM api.cursor_refuse();
	END IF;
	RETURN place;
EXCEPTION WHEN data_exception THEN
	PERFORM api.cursor_refuse();
END
$$;

-- The cursor after a full page of places; NULL after the last page.
CREATE FUNCTION api.place_next(list text, page api.place[], p_size integer) RETURNS text
LANGUAGE sql STABLE
AS $$
	SELECT CASE WHEN cardinality(page) > p_size THEN
		api.place_make(list, page[p_size].at, page[p_size].id, page[p_size].no) END
$$;

-- A place in a list sorted by size: the number that it is sorted by, then the key. A NULL key sorts last.
CREATE TYPE api.rank AS (size numeric, key text);

CREATE FUNCTION api.rank_of(list text, p_cursor text) RETURNS api.rank
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	key jsonb;
BEGIN
	IF p_cursor IS NULL THEN
		RETURN NULL;
	END IF;
	key := api.cursor_key(list, p_cursor);
	IF jsonb_typeof(key -> 0) IS DISTINCT FROM 'number'
		OR coalesce(jsonb_typeof(key -> 1), '') NOT IN ('string', 'null') THEN
		PERFORM api.cursor_refuse();
	END IF;
	RETURN ROW((key ->> 0)::numeric, key ->> 1);
END
$$;

-- A key as it is used in sort orders and in cursors, where it must fit into a URL parameter. JSON needs at most six
-- bytes for one byte of text, so most keys need no check. STABLE because to_json() is STABLE: otherwise the planner
-- would not inline it.
CREATE FUNCTION api.order_key(key text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN octet_length(key) > 66 AND octet_length(to_json(key)::text) > 400 THEN md5(key)
	ELSE key END COLLATE "C" $$;

-- Returns whether (size, key) comes after the place, in the order size DESC, key ASC NULLS LAST; key is an
-- order_key().
CREATE FUNCTION api.comes_after(size numeric, key text, place api.rank) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT place.size IS NULL OR size < place.size
		OR (size = place.size AND place.key IS NOT NULL AND (key IS NULL OR key COLLATE "C" > place.key COLLATE "C"))
$$;
