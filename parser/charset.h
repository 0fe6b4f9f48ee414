/*
 * charset.h - the character set of an XML document, from its declaration.
 *
 * A set that is unknown, or cannot be the one of the declaration itself, counts as UTF-8. Knows nothing of
 * markup.
 */
#pragma once

#include <glib.h>

enum charset_kind {
	CHARSET_UTF8,
	CHARSET_SINGLE, /* a single-byte superset of ASCII */
	CHARSET_OTHER,
};

struct charset {
	enum charset_kind kind;
	guint16 upper[0x80]; /* of CHARSET_SINGLE: the characters from 0x80 on; 0 for none */
	char *unknown;       /* the declared set, if unknown or not the real one; else NULL */
};

/* The character set that an XML declaration names, cut to 40 bytes; NULL if it names none. Transfer full. */
char *charset_declared(const char *declaration, gsize size) G_GNUC_WARN_UNUSED_RESULT;

/* Read an XML declaration. */
void charset_read(struct charset *charset, const char *declaration, gsize size);
void charset_clear(struct charset *charset);
