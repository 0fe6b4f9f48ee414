/*
 * fields.h - the fields of a header (RFC 5322 section 2.2), one after another, as windows on its bytes.
 *
 * Lines end by LF or CRLF. Knows no field by name.
 */
#pragma once

#include <glib.h>

enum fields_manner {
	FIELDS_STRICT, /* a header: ends at an empty line, or before a line that is no field's */
	FIELDS_LENIENT, /* part two of a feedback report: empty lines are passed over, and a line that is no field
			   goes on the one before it, as reporters wrap them */
};

struct fields {
	const char *at; /* what was not read yet: in the end what follows the header */
	gsize left;
	enum fields_manner manner;
};

struct field {
	const char *name; /* without the colon; not NUL-terminated, like value */
	gsize name_size;
	const char *value; /* still folded, without the last line's end */
	gsize value_size;
};

/* mbox lines ("From ...") before the first field of a header are passed over. */
void fields_init(struct fields *fields, const char *text, gsize size, enum fields_manner manner);

/* FALSE: there are no more. */
gboolean fields_next(struct fields *fields, struct field *field);

/* The field has that name, in any case. */
gboolean field_is(const struct field *field, const char *name);
