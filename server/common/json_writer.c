#include "server/common/json_writer.h"

/* A value ends with another character than these: a text with its quote. */
static void separate(GString *json)
{
	char last = json->len > 0 ? json->str[json->len - 1] : '[';

	if (last != '{' && last != '[' && last != ':')
		g_string_append_c(json, ',');
}

void json_begin(GString *json, char bracket)
{
	separate(json);
	g_string_append_c(json, bracket);
}

void json_end(GString *json, char bracket)
{
	g_string_append_c(json, bracket);
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

static gboolean needs_escape(char character)
{
	return (guchar)character < 0x20 || character == '"' || character == '\\';
}

static void append_quoted(GString *json, const char *text)
{
	g_string_append_c(json, '"');
	for (const char *at = text;; at++) {
		if (!needs_escape(*at))
			continue;
		g_string_append_len(json, text, at - text);
		if (*at == '\0')
			break;
		append_escape(json, *at);
		text = at + 1;
	}
	g_string_append_c(json, '"');
}

void json_name(GString *json, const char *name)
{
	separate(json);
	append_quoted(json, name);
	g_string_append_c(json, ':');
}

void json_text(GString *json, const char *value)
{
	separate(json);
	if (value != NULL)
		append_quoted(json, value);
	else
		g_string_append_len(json, "null", 4);
}

void json_number(GString *json, gint64 value)
{
	char digits[24];

	separate(json);
	g_string_append_len(json, digits, g_snprintf(digits, sizeof digits, "%" G_GINT64_FORMAT, value));
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
