/*
 * kind.h - the kind of some bytes, identified by their content, never by a file name or a media type.
 *
 * gzip: RFC 1952 section 2.3.1. zlib: RFC 1950 section 2.2. zip: APPNOTE 4.3.7, 4.3.16. XML: anything whose
 * first character is '<', after a byte order mark and white space, in an ASCII superset or UTF-16; or a declaration or
 * <feedback> tag behind a little junk, as a quote or a mark that was mangled.
 */
#pragma once

#include <glib.h>

enum kind {
	KIND_OTHER,
	KIND_GZIP,
	KIND_ZLIB, /* what is inside of gzip, bare */
	KIND_ZIP,
	KIND_XML,
	KIND_JSON, /* first character '{' */
	KIND_MAIL, /* first line a header field: only from kind_of_document() */
};

#define KIND_HEAD 512 /* bytes from the start that suffice for kind_of() but for a zip behind other bytes */

/* The kind of a part or of a member. Give all bytes where you have them: a zip may stand behind other bytes.
 */
enum kind kind_of(const guint8 *data, gsize size);

/* The kind of a whole document: what kind_of() does not know, or knows only from its end, may be a mail. */
enum kind kind_of_document(const guint8 *data, gsize size);

/* One of the kinds that unpack.h takes. */
gboolean kind_is_archive(enum kind kind);

/* For KIND_XML: starts with an XML declaration or a <feedback> tag, so that a failure to read it is worth
 * telling. */
gboolean kind_is_report_like(const guint8 *data, gsize size);

/* The bytes at the start that are a UTF-8 byte order mark or white space, and may be left out. */
gsize kind_blank(const guint8 *data, gsize size);

/* The same, and what junk there is before an XML declaration or a <feedback> tag. */
gsize kind_lead(const guint8 *data, gsize size);
