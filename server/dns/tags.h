/*
 * tags.h - "name=value; name=value" (RFC 6376 section 3.2), one tag after another, as windows on the text.
 *
 * The form of DMARC, DKIM and TLS reporting records. Which tags there are, and that none comes twice, is the reader's.
 */
#pragma once

#include <glib.h>

struct tag {
	const char *name;
	gsize name_size; /* 0: there is no '=', and value is all of it */
	const char *value;
	gsize value_size;
	gboolean
	    clean; /* name is a letter, then letters, digits and '_', and value is printable ASCII, blank and TAB */
};

/* The next tag in *at, which is moved behind it; names and values are trimmed. FALSE: there is none. What is empty, as
 * between two ';', is passed over. */
gboolean tag_next(const char **at, struct tag *tag);

/* Names are compared in any case, as most readers do (RFC 6376 section 3.2 has them differ). */
gboolean tag_is(const struct tag *tag, const char *name);

/* Copies, transfer full. */
char *tag_name(const struct tag *tag) G_GNUC_WARN_UNUSED_RESULT;
char *tag_value(const struct tag *tag) G_GNUC_WARN_UNUSED_RESULT;

/* Where in value another tag seems to begin, for want of a ';' ("none rua=mailto:..."); NULL: nowhere. */
const char *tag_lost(const struct tag *tag);
