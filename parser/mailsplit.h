/*
 * mailsplit.h - bytes that hold several mails or MIME parts, split at their separators.
 *
 * A mail of an mbox begins at a "From " line that is the first or follows an empty line (RFC 4155 appendix
 * A). Texts have such lines, too, so the line must have a time of day, as RFC 4155 requires, and precede a
 * header field. Some programs write no times: if the first line of a file has none, "From " suffices in that
 * file. A part of a mail without times is not an mbox.
 *
 * The text before the first or behind the closing boundary of a multipart is split at boundary lines (RFC
 * 2046 section 5.1.1). Knows nothing of GMime.
 */
#pragma once

#include <glib.h>

/* Bytes from the start of a line that suffice for mailsplit_is_separator(), if the line is shorter than half
 * of them. */
#define MAILSPLIT_HEAD 4096

/* Whether the line at data separates mails of an mbox, if it is the first or follows an empty one. timed: the
 * first line of the mbox has a time of day (mailsplit_is_timed()). */
gboolean mailsplit_is_separator(const guint8 *data, gsize size, gboolean timed);

/* Whether the line at data has a time of day. */
gboolean mailsplit_is_timed(const guint8 *data, gsize size);

/* Whether data begins with a separator of mbox that has a time of day. */
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
	const guint8 *opened; /* the last boundary if it opened a part, without "--"; or NULL */
	gsize opened_size;
	gboolean is_part; /* the last one did */
};

/* The piece that begins at text[at..size). A boundary line has the declared boundary or the opened one; while
 * none is opened, also any other with a field of MIME after it. It opens a part if such a field follows. The
 * fence is updated for the next piece. */
struct mailsplit_piece mailsplit_piece(
    const guint8 *text, gsize size, gsize at, struct mailsplit_fence *fence);
