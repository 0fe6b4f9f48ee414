/*
 * plain.h - a complete element of a report, at the start of some bytes, as a list of its tags and texts.
 *
 * Only the plainest form, which nearly all reports have: <version>, <report_metadata>, <policy_published> or
 * <record>, and inside only elements of the schema (elements.h) in their places, with the names of the schema
 * and without attributes; texts in leaves only, of printable ASCII without '&' and '>'. Such an element means
 * the same to every XML parser, so that none is needed. All other elements are not plain. Knows nothing of
 * libxml2 and repairs.
 */
#pragma once

#include "parser/elements.h"

#define PLAIN_PARTS 256 /* in one element: a usual record has 30 */
#define PLAIN_DEPTH 8   /* elements inside one another with the root; more than the schema has */
#define PLAIN_TAG   64  /* bytes of a tag; more than the schema has */

enum plain_kind {
	PLAIN_OPEN, /* of an element with elements inside, as is PLAIN_CLOSE */
	PLAIN_CLOSE,
	PLAIN_LEAF,
};

struct plain_part {
	guint8 kind;      /* enum plain_kind */
	guint8 element;   /* enum element */
	guint32 size;     /* of a leaf's text, without white space around it */
	const char *text; /* borrowed from the bytes */
};

struct plain {
	guint n;
	struct plain_part part[PLAIN_PARTS];
};

/*
 * Find the parts of the element at data[0] == '<', which is inside of the root. Returns its size; 0 if it is
 * not plain, does not end in data[0..size), or has a text of more than max_text bytes or too many parts.
 */
gsize plain_read(struct plain *plain, const guint8 *data, gsize size, gsize max_text);
