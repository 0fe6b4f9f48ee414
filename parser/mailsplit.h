/*
 * mailsplit.h - bytes that hold several mails or MIME parts, split at their separators.
 *
 * An mbox (RFC 4155) is split at each "From " line that follows an empty line, has a time of day, and
 * precedes a header field, because mails are searched for such lines, too. The text behind the closing
 * boundary of a multipart is split at boundary lines (RFC 2046 section 5.1.1). Knows nothing of GMime.
 */
#pragma once

#include <glib.h>

/* Whether data begins with a separator of mbox. */
gboolean mailsplit_is_mbox(const guint8 *data, gsize size);

/* The size of the first mail of an mbox, with its separator line. */
gsize mailsplit_mail(const guint8 *mbox, gsize size);

/* What is between two boundary lines. */
struct mailsplit_piece {
	const guint8 *data;
	gsize size;
	gboolean is_part; /* an opening boundary precedes it: a header and a content */
	gsize next;       /* offset of the piece after it; the size of the text if there is none */
};

/* The piece that begins at text[at..size). A boundary line has this boundary, or a field of MIME after it;
 * only the latter opens a part. is_part is an input: whether an opening boundary precedes; it is updated for
 * the next piece. */
struct mailsplit_piece mailsplit_piece(
    const guint8 *text, gsize size, gsize at, const char *boundary, gboolean *is_part);
