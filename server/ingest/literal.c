#include "server/ingest/literal.h"

#include <string.h>

/* In a row, text of letters, digits and these needs no quotes; in the array the whole row is quoted. */
enum { QUOTED, PLAIN };
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
};

/* Make text longer by size bytes. Returns where they begin. */
static char *extend(GString *text, gsize size)
{
	gsize at = text->len;

	g_string_set_size(text, at + size);
	return text->str + at;
}

/*
 * Within a row a quote or backslash is doubled; within the array each of these is escaped by a backslash.
 *
 * JSON has a quote every few bytes, which no processor predicts, so there is no branch for each byte: four
 * bytes are always written, and the next ones overwrite those that do not count.
 */
static void append_quoted(GString *fields, const char *value)
{
	gsize size = strlen(value), escapes = 0;
	char *at;

	for (gsize i = 0; i < size; i++)
		escapes += (gsize)((value[i] == '"') | (value[i] == '\\'));
	at = extend(fields, size + 3 * escapes + 2 * strlen("\\\""));
	*at++ = '\\';
	*at++ = '"';
	for (gsize i = 0; i < size; i++) {
		gboolean escaped = (value[i] == '"') | (value[i] == '\\');
		const char four[4] = { escaped ? '\\' : value[i], value[i], escaped ? '\\' : '\0', value[i] };

		memcpy(at, four, sizeof four);
		at += escaped ? 4 : 1;
	}
	*at++ = '\\';
	*at++ = '"';
	*at = '\0'; /* the last four bytes may have reached here */
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
