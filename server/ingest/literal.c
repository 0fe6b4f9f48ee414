#include "server/ingest/literal.h"

#include <string.h>

/* Text of letters, digits and these needs no quotes in a row; in the array the whole row is quoted. */
#define PLAIN ".-_:@/+=!?*%$#&~<>|;"

static gboolean is_plain(const char *value)
{
	while (g_ascii_isalnum(*value) || (*value != '\0' && strchr(PLAIN, *value) != NULL))
		value++;
	return *value == '\0';
}

/* Within a row a quote or backslash is doubled; within the array each of these is escaped by a backslash. */
static void append_escaped(GString *fields, const char *value)
{
	for (;;) {
		gsize plain = strcspn(value, "\"\\");

		g_string_append_len(fields, value, (gssize)plain);
		value += plain;
		if (*value == '\0')
			return;
		g_string_append(fields, *value++ == '"' ? "\\\"\\\"" : "\\\\\\\\");
	}
}

static void append_value(GString *fields, const char *value)
{
	if (value == NULL)
		return;
	if (*value != '\0' && is_plain(value)) {
		g_string_append(fields, value);
		return;
	}
	g_string_append(fields, "\\\"");
	append_escaped(fields, value);
	g_string_append(fields, "\\\"");
}

void literal_field(GString *fields, const char *value)
{
	g_string_append_c(fields, ',');
	append_value(fields, value);
}

void literal_number(GString *fields, gint64 value)
{
	g_string_append_printf(fields, ",%" G_GINT64_FORMAT, value);
}

void literal_row_begin(GString *array, const char *first)
{
	g_string_append(array, array->len == 0 ? "{\"(" : ",\"(");
	append_value(array, first);
}

void literal_row_end(GString *array)
{
	g_string_append(array, ")\"");
}

void literal_end(GString *array)
{
	g_string_append(array, array->len == 0 ? "{}" : "}");
}
