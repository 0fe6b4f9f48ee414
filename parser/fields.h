/*
 * fields.h - the fields of a header (RFC 5322 section 2.2), one after another, as windows on its bytes.
 *
 * Lines end with LF or CRLF. Knows no field by name.
 */
#pragma once

#include <glib.h>

enum fields_manner {
	/* a header: ends at an empty line, or before a line that is not part of a field */
	FIELDS_STRICT,
	/* part two of a feedback report: empty lines are skipped, and a line that is not a field continues
	 * the one before it, because reporters wrap fields without indentation */
	FIELDS_LENIENT,
};

struct fields {
	const char *at; /* what is not read yet; at the end, what follows the header */
	gsize left;
	enum fields_manner manner;
};

struct field {
	const char *name; /* without the colon; not NUL-terminated, like value */
	gsize name_size;
	const char *value; /* folded, without the final end of line */
	gsize value_size;
};

/* Begin to read text[0..size), which is borrowed. mbox lines ("From ...") before the first field are
 * skipped. */
void fields_init(struct fields *fields, const char *text, gsize size, enum fields_manner manner);

/* Read the next field. Returns FALSE if there are no more. */
gboolean fields_next(struct fields *fields, struct field *field);

/* Whether the field has this name, in any case. */
gboolean field_is(const struct field *field, const char *name);
