#include "parser/fields.h"

#include "parser/text.h"

#include <string.h>

#define NAME_MAX_BYTES 200 /* of a field's name: what is longer is text */

static gboolean is_empty(const char *line, gsize size)
{
	return size == 0 || line[0] == '\n' || (line[0] == '\r' && (size == 1 || line[1] == '\n'));
}

/* The bytes of the name at the start of a field's first line (RFC 5322 section 3.6.8), or 0. */
static gsize name_size(const char *line, gsize size)
{
	gsize n = 0, colon;

	while (n < size && n <= NAME_MAX_BYTES && line[n] > ' ' && line[n] < 0x7f && line[n] != ':')
		n++;
	colon = n;
	while (colon < size && (line[colon] == ' ' || line[colon] == '\t'))
		colon++;
	return colon < size && line[colon] == ':' && n <= NAME_MAX_BYTES ? n : 0;
}

/* Not a name, but how a wrapped value may go on. */
static gboolean is_scheme(const char *name, gsize size)
{
	static const char *const SCHEMES[] = { "http", "https", "mailto", "txt", "spf" };

	for (gsize i = 0; i < G_N_ELEMENTS(SCHEMES); i++)
		if (size == strlen(SCHEMES[i]) && memcmp(name, SCHEMES[i], size) == 0)
			return TRUE;
	return FALSE;
}

static gboolean goes_on(const struct fields *fields, const char *line, gsize size)
{
	gsize name;

	if (size > 0 && (line[0] == ' ' || line[0] == '\t'))
		return TRUE;
	if (fields->manner == FIELDS_STRICT || is_empty(line, size))
		return FALSE;
	name = name_size(line, size);
	return name == 0 || is_scheme(line, name);
}

static void advance(struct fields *fields, gsize size)
{
	fields->at += size;
	fields->left -= size;
}

void fields_init(struct fields *fields, const char *text, gsize size, enum fields_manner manner)
{
	*fields = (struct fields){ text, size, manner };
	if (manner == FIELDS_LENIENT)
		return;
	while (fields->left > 5 && (memcmp(fields->at, "From ", 5) == 0 ||
				       (fields->left > 6 && memcmp(fields->at, ">From ", 6) == 0)))
		advance(fields, text_line_size(fields->at, fields->left));
}

/* Skip to the first line of a field. Returns FALSE if there is none. */
static gboolean find_field(struct fields *fields)
{
	while (fields->left > 0) {
		gsize size = text_line_size(fields->at, fields->left);
		gsize name = name_size(fields->at, size);

		if (name > 0 && !(fields->manner == FIELDS_LENIENT && is_scheme(fields->at, name)))
			return TRUE;
		if (fields->manner == FIELDS_STRICT) {
			if (is_empty(fields->at, size))
				advance(fields, size);
			return FALSE;
		}
		advance(fields, size);
	}
	return FALSE;
}

gboolean fields_next(struct fields *fields, struct field *field)
{
	const char *end;

	if (!find_field(fields))
		return FALSE;
	field->name = fields->at;
	field->name_size = name_size(fields->at, fields->left);
	field->value = (const char *)memchr(fields->at, ':', fields->left) + 1;
	do
		advance(fields, text_line_size(fields->at, fields->left));
	while (fields->left > 0 && goes_on(fields, fields->at, text_line_size(fields->at, fields->left)));
	end = fields->at;
	while (end > field->value && (end[-1] == '\n' || end[-1] == '\r'))
		end--;
	field->value_size = (gsize)(end - field->value);
	return TRUE;
}

gboolean field_is(const struct field *field, const char *name)
{
	return field->name_size == strlen(name) &&
	       g_ascii_strncasecmp(field->name, name, field->name_size) == 0;
}
