/*
 * mailsplit.h - bytes that hold several mails or MIME parts, split at their separators.
 *
 * An mbox (RFC 4155) is split at each "From " line that follows an empty line, has a time of day, and
 * precedes a header field, because mails are searched for such lines, too. The text before the first or
 * behind the closing boundary of a multipart is split at boundary lines (RFC 2046 section 5.1.1). Knows
 * nothing of GMime.
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

/* Where the text is split. */
struct mailsplit_fence {
	const char *declared; /* boundary, or "" */
	const guint8 *opened; /* the last boundary that opened a part, without "--"; or NULL */
	gsize opened_size;
	gboolean is_part; /* the last one did */
};

/* The piece that begins at text[at..size). A boundary line has the declared boundary or that of the last
 * part, or a field of MIME after it; only the latter opens a part. The fence is updated for the next piece.
 */
struct mailsplit_piece mailsplit_piece(
    const guint8 *text, gsize size, gsize at, struct mailsplit_fence *fence);
