/*
 * repair.h - the bytes of a report's XML with the damage that reporters do to it repaired, in pieces of any size.
 *
 * Where only one reading can be meant, and only in a document whose root is <feedback> (any case, any prefix) and
 * whose character set is UTF-8 or one of a byte a character with ASCII in it (ISO 8859, windows-125x, KOI8, ...):
 *
 *   & that starts no reference, < that starts no tag     escaped, so that they are text (XML 1.0, section 2.4)
 *   control characters, NUL                              left out (section 2.2)
 *   bytes that are not of the character set              each read as windows-1252 (section 4.3.3)
 *   text, or a <schema> start tag, before the root       left out up to <feedback (section 2.1)
 *   </feedback at the very end                           gets its > (section 3.1)
 *
 * What is declared in a character set that is not known, or that cannot be the one of its declaration, is taken for
 * UTF-8. All of these come out as UTF-8, whatever they declare, and other roots with them.
 *
 * All else comes out as it goes in: UTF-16 and sets of several bytes a character, other roots, and whatever has a
 * DOCTYPE with an internal subset, a tag or junk longer than max_tag_bytes. No element is added, closed or moved; an
 * entity reference stays one. Well-formed XML in UTF-8 is unchanged. Holds at most max_tag_bytes of a tag and of junk.
 * Knows no libxml2.
 */
#pragma once

#include "parser/limits.h"

struct repair;

struct repair_visitor {
	/* The next bytes that come out, borrowed for the call. */
	void (*bytes)(gpointer user, const guint8 *data, gsize size);
	/* One repair, before the bytes it changed or what they stand in: a code of notes.h (X5 ... X9). */
	void (*repaired)(gpointer user, const char *code);
};

/* limits and visitor are borrowed until repair_free(). */
struct repair *repair_new(
    const struct parser_limits *limits, const struct repair_visitor *visitor, gpointer user);
void repair_free(struct repair *repair); /* NULL is allowed */

/* The next bytes that go in. */
void repair_push(struct repair *repair, const guint8 *data, gsize size);

/* There are no more: what is held comes out. To be called once. */
void repair_end(struct repair *repair);

/* Once bytes have come out: they are UTF-8, whatever the document declares. */
gboolean repair_is_utf8(const struct repair *repair);

/* The character set that it declares and is not taken for; NULL when there is no such. */
const char *repair_unknown(const struct repair *repair);
