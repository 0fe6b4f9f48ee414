/*
 * mailpart.h - the bytes of one MIME part, found in the mail and decoded.
 *
 * GMime says where a part is; its bytes are read from the mail itself, because GMime's base64 decoder stops
 * at padding in the middle (GMime issue 150), and because a message/rfc822 is wanted as it is. Knows nothing
 * of the tree of parts.
 */
#pragma once

#include <gmime/gmime.h>

#include "parser/mailview.h"

#define MAILPART_NAME_MAX 200 /* bytes of a file name, media type or parameter */

/* A boundary that ends what is in its multipart. */
struct mailpart_fence {
	const char *boundary; /* without the two hyphens before it */
	const struct mailpart_fence *outer;
};

/* Where the parts are. */
struct mailpart_source {
	const guint8 *mail;
	gsize size;
	const struct mailview *view;         /* that GMime parsed */
	const struct mailpart_fence *fences; /* of the multiparts around the part, or NULL */
};

/* The media type in lower case: "application/gzip". Transfer full. */
char *mailpart_type(GMimeObject *object) G_GNUC_WARN_UNUSED_RESULT;

/* A parameter of Content-Type on one line, or NULL. Transfer full. */
char *mailpart_parameter(GMimeObject *object, const char *name) G_GNUC_WARN_UNUSED_RESULT;

/* The bytes of a leaf as they are in the mail, borrowed from it. Returns FALSE if it has none. */
gboolean mailpart_raw(const struct mailpart_source *source, GMimePart *part, const guint8 **raw, gsize *size);

/* The view left out bytes of the header before raw: what follows may not be the part (mailview.h). */
gboolean mailpart_is_cut(const struct mailpart_source *source, const guint8 *raw);

/* Whether the text begins like base64 of a report, or is nothing but base64. */
gboolean mailpart_is_base64(const guint8 *raw, gsize size);

/* The bytes of a leaf without its transfer encoding, transfer full. NULL: raw has none (uuencode is
 * embedded.h's). */
GByteArray *mailpart_decode(GMimePart *part, const guint8 *raw, gsize size) G_GNUC_WARN_UNUSED_RESULT;

/* The first max bytes of a leaf or of a message, decoded. *decoded must be NULL, and becomes what owns them
 * (transfer full) or stays NULL. Returns FALSE if object is a multipart, is cut, or has no bytes. */
gboolean mailpart_content(const struct mailpart_source *source, GMimeObject *object, gsize max,
    const guint8 **data, gsize *size, GByteArray **decoded);

/* What precedes the first boundary; borrowed from the mail. */
void mailpart_prologue(
    const struct mailpart_source *source, GMimeMultipart *multipart, const guint8 **data, gsize *size);

/* What follows the closing boundary of the innermost multipart of source->fences, up to the boundary of the
 * next one around it; borrowed from the mail. Returns FALSE if there is nothing. */
gboolean mailpart_epilogue(
    const struct mailpart_source *source, GMimeMultipart *multipart, const guint8 **data, gsize *size);
