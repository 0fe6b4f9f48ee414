/*
 * repair.h - the bytes of a report's XML with the damage that reporters do to it mended, in pieces of any size.
 *
 * Where XML 1.0 lets only one reading be meant, and only in a document whose root is <feedback> (any case, any
 * prefix) and whose character set is, or defaults to, UTF-8:
 *
 *   & that starts no reference, < that starts no tag     escaped, so that they are text (section 2.4)
 *   control characters, NUL                              left out (section 2.2)
 *   bytes that are not UTF-8                             each read as windows-1252 (section 4.3.3)
 *   text, or a <schema> start tag, before the root       left out up to <feedback (section 2.1)
 *   </feedback at the very end                           gets its > (section 3.1)
 *
 * All else comes out as it goes in: other character sets, other roots, and whatever has a DOCTYPE with an internal
 * subset, a tag or junk longer than max_tag_bytes. No element is added, closed or moved; an entity reference
 * stays one. Well-formed XML is unchanged. Holds at most max_tag_bytes of a tag and of junk. Knows no libxml2.
 */
#pragma once

#include "parser/limits.h"

struct repair;

struct repair_visitor {
	/* The next bytes that come out, borrowed for the call. */
	void (*bytes)(gpointer user, const guint8 *data, gsize size);
	/* One mend, before the bytes it changed or what they stand in: a code of notes.h (X5 ... X9). */
	void (*mended)(gpointer user, const char *code);
};

/* limits and visitor are borrowed until repair_free(). */
struct repair *repair_new(
    const struct parser_limits *limits, const struct repair_visitor *visitor, gpointer user);
void repair_free(struct repair *repair); /* NULL is allowed */

/* The next bytes that go in. */
void repair_push(struct repair *repair, const guint8 *data, gsize size);

/* There are no more: what is held comes out. To be called once. */
void repair_end(struct repair *repair);
