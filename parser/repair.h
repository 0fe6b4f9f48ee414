/*
 * repair.h - repairs the bytes of a report's XML, in pieces of any size, where reporters damage it.
 *
 * Only where one reading is possible, and only in a document whose root is <feedback> (any case, any prefix)
 * and whose character set is UTF-8 or a single-byte superset of ASCII (ISO 8859, windows-125x, KOI8, ...):
 *
 *   & without a reference, < without a tag               escaped, so that they are text (XML 1.0, section
 *                                                        2.4)
 *   entities of HTML 4, where no DOCTYPE is              the characters (section 4.1)
 *   control characters, NUL, references to them          removed (section 2.2)
 *   bytes that are invalid in the character set          each read as windows-1252 (section 4.3.3)
 *   text, or a <schema> start tag, before the root       removed up to <feedback (section 2.1)
 *   a damaged XML declaration, or several                replaced by one (section 2.8)
 *   end tags of leaves and in the header that are        replaced, added or removed (section 3.1) as far as
 *   wrong, missing, without '>' or there twice           the schema leaves one reading (nesting.h)
 *   </feedback at the very end                           gets its > (section 3.1)
 *
 * A start tag in a leaf, or one in a part of the header that belongs behind it, can show that an end tag is
 * missing, or just stand in a wrong place. This is known when the element around the leaf ends, or the leaf
 * does. Output waits for that, for at most half of max_tag_bytes; if it would take longer, nothing is
 * repaired.
 *
 * If the declared character set is unknown, or cannot be the one of the declaration itself, UTF-8 is assumed.
 * The output of all these sets is UTF-8, whatever the document declares, also with other roots; a damaged
 * declaration is replaced with other roots, too.
 *
 * All else is passed on unchanged: UTF-16 and multi-byte sets, other roots, and documents with an internal
 * DTD subset, a tag or junk longer than max_tag_bytes. No element is moved. Well-formed XML in UTF-8 is
 * unchanged. Holds at most max_tag_bytes of a tag and of junk. Does not use libxml2.
 */
#pragma once

#include "parser/limits.h"

struct repair;

struct repair_visitor {
	/* The next bytes of the output, borrowed for the call. */
	void (*bytes)(gpointer user, const guint8 *data, gsize size);
	/* One repair: a code of notes.h (X5 ... X9). Called before the bytes that it changed, or before the
	 * tag that contains them. */
	void (*repaired)(gpointer user, const char *code);
	/*
	 * Offers data[0..size) with data[0] == '<', directly inside of the root, before it is looked at.
	 * Returns how many bytes the visitor takes as they are: complete elements without attributes, with
	 * white space between them, of which the last ends with an end tag; or 0. bytes() does not get them.
	 * May be NULL.
	 */
	gsize (*elements)(gpointer user, const guint8 *data, gsize size);
};

/* limits and visitor are borrowed until repair_free(). */
struct repair *repair_new(
    const struct parser_limits *limits, const struct repair_visitor *visitor, gpointer user);
void repair_free(struct repair *repair); /* NULL is allowed */

/* Read the next bytes. */
void repair_push(struct repair *repair, const guint8 *data, gsize size);

/* There are no more bytes: write what is held. Call once. */
void repair_end(struct repair *repair);

/* After the first output: whether it is UTF-8, whatever the document declares. */
gboolean repair_is_utf8(const struct repair *repair);

/* The declared character set, if it is not used because it is unknown or cannot be the real one; else
 * NULL. */
const char *repair_unknown(const struct repair *repair);
