/*
 * mailview.h - the bytes of a mail (RFC 5322, RFC 2046) as GMime sees them, so that it uses no more memory
 * than limits allow.
 *
 * GMime 3 takes over 1 KB for a part, keeps a header of any size, reads groups of addresses recursively, and
 * has no limits. The structure of the mail is unknown before GMime reads it. So each run of lines without a
 * blank line is treated as a header: if it is too long, the view has a blank line where it reaches the limit.
 * Offsets are the same in view and mail, and contents are read from the mail. A content that begins at such
 * an offset shows that a header was cut. Knows nothing of GMime's objects.
 */
#pragma once

#include "parser/error.h"
#include "parser/limits.h"

struct mailview {
	const guint8 *bytes; /* the mail's own, or those of copy */
	gsize size;
	gboolean shortened; /* it ends before the line that is one boundary too many */
	guint8 *copy;       /* NULL if nothing had to be changed */
	GArray *cuts;       /* gsize, rising: the byte after each added blank line */
};

/*
 * Make the view of mail[0..size), which is borrowed until mailview_clear().
 *
 * RUAD_ERROR_LIMIT  a field of addresses with more ':' than max_groups
 */
gboolean mailview_init(struct mailview *view, const guint8 *mail, gsize size,
    const struct parser_limits *limits, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Free the bytes only: mailview_is_cut() still works. */
void mailview_drop_bytes(struct mailview *view);
void mailview_clear(struct mailview *view);

/* Whether a content that begins at this offset follows a header that was cut. */
gboolean mailview_is_cut(const struct mailview *view, gsize begin);

/* How many lines may look like boundaries: two for each part, and those of the mail around them. */
gsize mailview_max_boundaries(const struct parser_limits *limits);
