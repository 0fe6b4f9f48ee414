/*
 * mailview.h - the bytes of a mail (RFC 5322, RFC 2046) as GMime may see them, so that it costs no more than limits allow.
 *
 * GMime 3 takes over 1 KB a part, keeps a header of any size, and reads groups of addresses by calling itself;
 * it knows no limit. What stands where is not known before it has read the mail, so each run of lines without a
 * blank line counts as if it were a header, and one that is too long gets a blank line where it reaches the limit:
 * in the view only. The places are the same in both, and contents are read from the mail. Only when a header
 * was cut there, the content that GMime finds begins at such a place. Knows nothing of GMime's objects.
 */
#pragma once

#include "parser/error.h"
#include "parser/limits.h"

struct mailview {
	const guint8 *bytes; /* the mail's own, or those of copy */
	gsize size;
	gboolean
	    shortened; /* it ends before a line that is one too many of those that look like boundaries */
	guint8 *copy;  /* or NULL: nothing had to be changed */
	GArray *cuts;  /* gsize, rising: where a blank line was put in, the byte behind it */
};

/*
 * Make the view of mail[0..size), which is borrowed as long as the view is used.
 *
 * RUAD_ERROR_LIMIT  a field of addresses with more ':' than max_groups
 */
gboolean mailview_init(struct mailview *view, const guint8 *mail, gsize size,
    const struct parser_limits *limits, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Frees the bytes alone: what has been read may still be asked about. */
void mailview_drop_bytes(struct mailview *view);
void mailview_clear(struct mailview *view);

/* A content that begins there has a header before it that was cut. */
gboolean mailview_is_cut(const struct mailview *view, gsize begin);

/* Lines that may look like boundaries: two a part, and those of the mail around them. */
gsize mailview_max_boundaries(const struct parser_limits *limits);
