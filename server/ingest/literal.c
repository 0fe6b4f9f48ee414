#include "server/ingest/literal.h"

#include <string.h>

/* Characters by what they need. All others need the value to be quoted: in a row, text of letters, digits and
 * these needs no quotes; in the array the whole row is quoted. */
enum { QUOTED, PLAIN, ESCAPED };
static const guint8 needs[256] = {
	['0' ... '9'] = PLAIN,
	['A' ... 'Z'] = PLAIN,
	['a' ... 'z'] = PLAIN,
	['!'] = PLAIN,
	['#'] = PLAIN,
	['$'] = PLAIN,
	['%'] = PLAIN,
	['&'] = PLAIN,
	['*'] = PLAIN,
	['+'] = PLAIN,
	['-' ... '/'] = PLAIN,
	[':' ... '@'] = PLAIN,
	['_'] = PLAIN,
	['|'] = PLAIN,
	['~'] = PLAIN,
	['"'] = ESCAPED,
	['\\'] = ESCAPED,
};

/* Make text longer by size bytes. Returns where they begin. */
static char *extend(GString *text, gsize size)
{
	gsize at = text->len;

	g_string_set_size(text, at + size);
	return text->str + at;
}

/* Within a row a quote or backslash is doubled; within the array each of these is escaped by a backslash. */
static void append_quoted(GString *fields, const char *value)
{
	gsize size = 0, escapes = 0;
	char *at;

	for (; value[size] != '\0'; size++)
		escapes += needs[(guchar)value[size]] == ESCAPED;
	at = extend(fields, size + 3 * escapes + 2 * strlen("\\\""));
	*at++ = '\\';
	*at++ = '"';
	for (; *value != '\0'; value++) {
		if (needs[(guchar)*value] == ESCAPED) {
			*at++ = '\\';
			*at++ = *value;
			*at++ = '\\';
		}
		*at++ = *value;
	}
	*at++ = '\\';
	*at++ = '"';
}

static void append_value(GString *fields, const char *value)
{
	gsize size = 0;

	if (value == NULL)
		return;
	while (needs[(guchar)value[size]] == PLAIN)
		size++;
	if (size > 0 && value[size] == '\0')
		memcpy(extend(fields, size), value, size);
	else
		append_quoted(fields, value);
}

void literal_field(GString *fields, const char *value)
{
	*extend(fields, 1) = ',';
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
