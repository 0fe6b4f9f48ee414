/*
 * kind.h - the kind of some bytes, identified by their content, never by a file name or a media type.
 *
 * gzip: RFC 1952 section 2.3.1. zlib: RFC 1950 section 2.2. zip: APPNOTE 4.3.7, 4.3.16. tar:
 * the checksum of its first header (POSIX pax). bzip2, zstd (RFC 8878), xz, 7z: their magic numbers. lzma:
 * the properties, dictionary and size that are usual, and the first byte of its data. XML: the first
 * character is '<', after a byte order mark and white space, in an ASCII superset or UTF-16; or there is a
 * declaration or a <feedback> tag after a little junk, such as a quote or a damaged byte order mark. TNEF:
 * its signature (MS-OXTNEF). OLE2: its signature (MS-CFB section 2.2); whether it is a .msg, only its
 * directory says.
 */
#pragma once

#include <glib.h>

enum kind {
	KIND_OTHER,
	KIND_GZIP,
	KIND_ZLIB, /* the compressed data of gzip without its header */
	KIND_ZIP,
	KIND_TAR,
	KIND_BZIP2,
	KIND_ZSTD,
	KIND_XZ,
	KIND_LZMA, /* of the LZMA utils; xz without its container */
	KIND_7Z,
	KIND_TNEF, /* winmail.dat of Outlook (tnef.h) */
	KIND_OLE2, /* .msg of Outlook (msg.h), and old files of Office */
	KIND_XML,
	KIND_JSON, /* first character '{' */
	KIND_MAIL, /* what else a document may be: only from kind_of_document() */
};

#define KIND_HEAD                                                                                            \
	512 /* bytes from the start that suffice for kind_of(), except for a zip after other bytes */

/* The kind of a MIME part or archive member. Pass all bytes if you have them: a zip may follow other
 * bytes. */
enum kind kind_of(const guint8 *data, gsize size);

/* The kind of a complete document: a mail, unless it begins like another kind (XML behind junk that is a
 * header field does not count), or ends like a zip and does not begin with a header field. */
enum kind kind_of_document(const guint8 *data, gsize size);

/* Whether the first line is a header field, or the separator of an mbox. */
gboolean kind_is_field(const guint8 *data, gsize size);

/* For people: "gzip", "XML". */
const char *kind_name(enum kind kind);

/* Whether unpack.h reads this kind. */
gboolean kind_is_archive(enum kind kind);

/* Whether other files may be in one of this kind: an archive, or OLE2. */
gboolean kind_is_container(enum kind kind);

/* For KIND_XML: whether data begins with an XML declaration or a <feedback> tag, so that a failure to read it
 * is reported. */
gboolean kind_is_report_like(const guint8 *data, gsize size);

/* Whether data begins with an XML declaration or a <feedback> tag, in an ASCII superset. */
gboolean kind_is_report_start(const guint8 *data, gsize size);

/* How many bytes at the start are a UTF-8 byte order mark or white space, which may be left out. */
gsize kind_blank(const guint8 *data, gsize size);

/* The same, plus the junk before an XML declaration or a <feedback> tag. */
gsize kind_lead(const guint8 *data, gsize size);
