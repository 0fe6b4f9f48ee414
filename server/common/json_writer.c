#include "server/common/json_writer.h"

#include <string.h>

/* Whether a value has to be separated from what is there: it ends with another character than these, a text
 * with its quote. */
static gboolean needs_comma(const GString *json)
{
	char last = json->len > 0 ? json->str[json->len - 1] : '{';

	return last != '{' && last != '[' && last != ':';
}

/* Make json longer by size bytes. Returns where they begin. */
static char *extend(GString *json, gsize size)
{
	gsize at = json->len;

	g_string_set_size(json, at + size);
	return json->str + at;
}

static void append(GString *json, const char *text, gsize size)
{
	gboolean comma = needs_comma(json);
	char *at = extend(json, size + (comma ? 1 : 0));

	if (comma)
		*at++ = ',';
	memcpy(at, text, size);
}

void json_begin(GString *json, char bracket)
{
	append(json, &bracket, 1);
}

void json_end(GString *json, char bracket)
{
	*extend(json, 1) = bracket;
}

static void append_escape(GString *json, char character)
{
	static const char short_ones[] = "\bb\ff\nn\rr\tt\"\"\\\\";

	for (const char *at = short_ones; *at != '\0'; at += 2) {
		if (*at != character)
			continue;
		g_string_append_c(json, '\\');
		g_string_append_c(json, at[1]);
		return;
	}
	g_string_append_printf(json, "\\u%04x", (guint)(guchar)character);
}

/* How many bytes can be written as they are. */
static gsize plain_size(const char *text)
{
	const char *at = text;

	while ((guchar)*at >= 0x20 && *at != '"' && *at != '\\')
		at++;
	return (gsize)(at - text);
}

/* The rest of a text, from a character on that needs an escape. */
static void append_escaped(GString *json, const char *text)
{
	while (*text != '\0') {
		gsize plain;

		append_escape(json, *text++);
		plain = plain_size(text);
		g_string_append_len(json, text, (gssize)plain);
		text += plain;
	}
}

/* The text in quotes; of a name with its colon. */
static void append_quoted(GString *json, const char *text, gboolean name)
{
	gboolean comma = needs_comma(json);
	gsize plain = plain_size(text);
	char *at;

	if (text[plain] != '\0') {
		append(json, "\"", 1);
		g_string_append_len(json, text, (gssize)plain);
		append_escaped(json, text + plain);
		g_string_append(json, name ? "\":" : "\"");
		return;
	}
	at = extend(json, plain + (comma ? 3 : 2) + (name ? 1 : 0));
	if (comma)
		*at++ = ',';
	*at++ = '"';
	memcpy(at, text, plain);
	at[plain] = '"';
	if (name)
		at[plain + 1] = ':';
}

void json_name(GString *json, const char *name)
{
	append_quoted(json, name, TRUE);
}

void json_text(GString *json, const char *value)
{
	if (value != NULL)
		append_quoted(json, value, FALSE);
	else
		append(json, "null", 4);
}

void json_number(GString *json, gint64 value)
{
	char digits[24];
	char *at = digits + sizeof digits;
	guint64 left = value < 0 ? -(guint64)value : (guint64)value;

	do {
		*--at = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	if (value < 0)
		*--at = '-';
	append(json, at, (gsize)(digits + sizeof digits - at));
}

void json_text_member(GString *json, const char *name, const char *value)
{
	json_name(json, name);
	json_text(json, value);
}

void json_number_member(GString *json, const char *name, gint64 value)
{
	json_name(json, name);
	json_number(json, value);
}

void json_boolean_member(GString *json, const char *name, gboolean value)
{
	json_name(json, name);
	g_string_append(json, value ? "true" : "false");
}
