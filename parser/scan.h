/*
 * scan.h - the tokens of a structured header field (RFC 5322 section 3.2): blanks, comments, quoted strings.
 *
 * Knows nothing of the fields.
 */
#pragma once

#include <glib.h>

struct scan {
	const char *at;  /* the next byte of a NUL-terminated text */
	gboolean broken; /* a comment or a string has no end */
};

/* Skip CFWS: comments, which nest, and folding white space. */
void scan_blank(struct scan *scan);

/* Append the content of the quoted string that begins here. */
void scan_quoted(struct scan *scan, GString *text);
