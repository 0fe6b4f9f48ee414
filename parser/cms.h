/*
 * cms.h - the mail inside of an S/MIME body (RFC 8551): a CMS structure (RFC 5652) in BER, with its content.
 *
 * Lengths may be indefinite and strings in pieces, as programs write that sign while they read. The
 * signature is not verified: what the mail's own server thinks of it counts (authentic.h). Knows nothing of
 * mails.
 */
#pragma once

#include <glib.h>

enum cms_kind {
	CMS_NONE, /* not a CMS structure that mails have, or damaged before its content */
	CMS_SIGNED,
	CMS_ENCRYPTED,
};

/*
 * Read data[0..size). After CMS_SIGNED, *content has the bytes that were signed, as far as they are there:
 * borrowed from data if they are in one piece, else from *joined, which must be NULL and then is transfer
 * full.
 */
enum cms_kind cms_read(
    const guint8 *data, gsize size, const guint8 **content, gsize *content_size, GByteArray **joined);
