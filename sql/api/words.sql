-- words.sql - formats and texts that all resources share.

-- Raise the error for a bad parameter; HINT is its name.
CREATE FUNCTION api.refuse(parameter text, words text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('parameter "%s": %s', parameter, words),
		HINT = parameter;
END
$$;

-- A text for display: C0 and C1 control characters and characters that change the direction of text are removed; tabs
-- and line ends become spaces. Most texts are printable ASCII, which one regular expression finds faster than
-- translate().
CREATE FUNCTION api.display(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE WHEN value ~ '^[ -~]*$' THEN value ELSE
		translate(value,
			E'\t\n\r\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008\u000b\u000c\u000e\u000f\u0010\u0011\u0012\u0013'
			'\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c\u001d\u001e\u001f\u007f\u0080\u0081\u0082\u0083'
			'\u0084\u0085\u0086\u0087\u0088\u0089\u008a\u008b\u008c\u008d\u008e\u008f\u0090\u0091\u0092\u0093\u0094'
			'\u0095\u0096\u0097\u0098\u0099\u009a\u009b\u009c\u009d\u009e\u009f\u061c\u200e\u200f\u202a\u202b\u202c'
			'\u202d\u202e\u2066\u2067\u2068\u2069', '   ') END
$$;

-- A text with an escape for each character that a reader would not see: \u200b, \U000e0001. The list is that of
-- server/common/visible.c and web/src/format.ts, without the controls, which display() removes.
CREATE FUNCTION api.visible(value text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
	hidden constant text := '[\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5'
		'\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000110bd'
		'\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]';
BEGIN
	IF value !~ hidden THEN
		RETURN value;
	END IF;
	RETURN (SELECT string_agg(CASE WHEN c.one !~ hidden THEN c.one
			WHEN ascii(c.one) < 65536 THEN '\u' || lpad(to_hex(ascii(c.one)), 4, '0')
			ELSE '\U' || lpad(to_hex(ascii(c.one)), 8, '0') END, '' ORDER BY c.no)
		FROM string_to_table(value, NULL) WITH ORDINALITY AS c(one, no));
END
$$;

-- The same as display() for every text in a JSON value. Printable ASCII without an escape needs no walk.
CREATE FUNCTION api.display(value jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
	IF value::text ~ '^[ -\[\]-~]*$' THEN
		RETURN value;
	END IF;
	CASE jsonb_typeof(value)
		WHEN 'string' THEN
			RETURN to_jsonb(api.display(value #>> '{}'));
		WHEN 'array' THEN
			RETURN (SELECT coalesce(jsonb_agg(api.display(e) ORDER BY no), '[]')
				FROM jsonb_array_elements(value) WITH ORDINALITY AS a(e, no));
		WHEN 'object' THEN
			RETURN (SELECT coalesce(jsonb_object_agg(api.display(k), api.display(e)), '{}')
				FROM jsonb_each(value) AS o(k, e));
		ELSE
			RETURN value;
	END CASE;
END
$$;

CREATE FUNCTION api.iso(at timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') $$;

CREATE FUNCTION api.at(day date) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT day::timestamp AT TIME ZONE 'UTC' $$;

CREATE FUNCTION api.today() RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT (now() AT TIME ZONE 'UTC')::date $$;

-- Reports on a day arrive until the end of the second day after it; days from this one on are incomplete.
CREATE FUNCTION api.complete_until() RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT api.today() - 1 $$;

-- A LIKE pattern that matches only the text itself.
CREATE FUNCTION api.like_literal(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT regexp_replace(value, '([\\%_])', '\\\1', 'g') $$;

-- Names of domains as the views contain them: lower case, no final dot.
CREATE FUNCTION api.domain_names(p_values text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT array_agg(lower(rtrim(v, '.'))) FROM unnest(p_values) v $$;

-- A text for display that keeps its lines, for original headers.
CREATE FUNCTION api.display_lines(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT string_agg(api.display(l.line), E'\n' ORDER BY l.no)
	FROM string_to_table(value, E'\n') WITH ORDINALITY AS l(line, no) $$;

-- A number as the texts of this schema show it, and what is counted, or what that does, if there is a word: one for
-- 1, many for any other number. "2,826 messages", "1 message".
CREATE FUNCTION api.counted(n numeric, one text DEFAULT NULL, many text DEFAULT NULL) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT to_char(n, 'FM999,999,999,999,999,999,990') || coalesce(' ' || CASE WHEN n = 1 THEN one
		ELSE coalesce(many, one || 's') END, '')
$$;
