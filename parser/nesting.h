/*
 * nesting.h - which elements of a report are open, and what a tag that does not fit them must mean.
 *
 * The schema (elements.h) decides where one reading is possible: a leaf has only text in it, so an end tag
 * with another name ends it, and the tag of a sibling or the end tag of its parent shows that its own end tag
 * is missing. Names are compared as bytes; if they differ, in any case and without '-', '_' and prefix.
 *
 * Keeps NESTING_DEPTH names of NESTING_NAME bytes. In a document with more of them, and behind a tag that has
 * no single reading, no further tag is judged. Knows nothing of the bytes between tags but what it is told.
 */
#pragma once

#include <glib.h>

#include "parser/elements.h"

#define NESTING_DEPTH 64 /* as max_depth: libxml2 is stopped there anyway */
#define NESTING_NAME  47 /* bytes of a name with its prefix; the longest of the schema has 18 */

struct nesting_open {
	char name[NESTING_NAME];
	guint8 size;    /* of name, >= 1 */
	gint8 element;  /* enum element, ELEMENT_NONE if it is none in its place; -1 before it is needed */
	gboolean inner; /* an element began in it */
};

struct nesting {
	guint depth;
	gboolean lost;   /* no further tag is judged */
	gboolean opened; /* the last tag was a start tag */
	struct nesting_open open[NESTING_DEPTH];
	const struct element_index *index;
};

/* What stands between a tag and the one before it. */
enum nesting_text {
	NESTING_BLANK,
	NESTING_TEXT,
	NESTING_REST, /* text that ends with '>': perhaps the rest of a damaged tag */
};

void nesting_init(struct nesting *nesting);

/* The common case: tag[0..size), "<name>" or "</name>", fits. Returns FALSE, with nothing changed, if it has
 * to be judged by the functions below. */
gboolean nesting_takes(struct nesting *nesting, const guint8 *tag, gsize size);

/* A start tag is read. */
void nesting_start(struct nesting *nesting, const guint8 *name, gsize size);

/* A tag like "<name/>" is read. */
void nesting_empty(struct nesting *nesting);

/* Whether the tag of an element with this name can only stand behind the end of the innermost one: that is a
 * leaf, date_range, report_metadata or policy_published, and the name is that of a child of its parent. */
gboolean nesting_is_late(struct nesting *nesting, const guint8 *name, gsize size, enum nesting_text text);

/*
 * How many elements an end tag of this name ends: 1 if it is that of the innermost, in this or another
 * spelling, or can be no other; more if the end tags of inner ones are missing; 0 if it repeats the end tag
 * before it. -1: there is no single reading, and no further tag is judged.
 */
int nesting_end(struct nesting *nesting, const guint8 *name, gsize size, enum nesting_text text);

/* The innermost element ends. */
void nesting_pop(struct nesting *nesting);

/* The innermost element, or NULL. Borrowed. */
const struct nesting_open *nesting_top(const struct nesting *nesting);

/* Whether the element has exactly this name. */
gboolean nesting_is(const struct nesting_open *open, const guint8 *name, gsize size);
