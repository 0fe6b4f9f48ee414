/*
 * tags.h - "name=value; name=value" (RFC 6376 section 3.2), one tag after another, as windows on the text.
 *
 * This is the syntax of DMARC, DKIM and TLS reporting records. Knows no tags, and does not check for
 * duplicates.
 */
#pragma once

#include <glib.h>

struct tag {
	const char *name;
	gsize name_size; /* 0: there is no '=', and value is the complete text */
	const char *value;
	gsize value_size;
	/* name is a letter, then letters, digits and '_', and value is printable ASCII, blank and TAB */
	gboolean clean;
};

/* Read the next tag of *at, and move *at past it. Names and values are trimmed; empty tags, as between two
 * ';', are skipped. Returns FALSE if there are no more. */
gboolean tag_next(const char **at, struct tag *tag);

/* Whether the tag has this name. Case is ignored, as most software does; in RFC 6376 section 3.2 it
 * matters. */
gboolean tag_is(const struct tag *tag, const char *name);

/* Copies, transfer full. */
char *tag_name(const struct tag *tag) G_GNUC_WARN_UNUSED_RESULT;
char *tag_value(const struct tag *tag) G_GNUC_WARN_UNUSED_RESULT;

/* Find a tag inside value that lacks the ';' before it ("none rua=mailto:..."). Returns NULL if there is
 * none. */
const char *tag_lost(const struct tag *tag);
