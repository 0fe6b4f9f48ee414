/*
 * declaration.h - the XML declarations at the start of a document: where they end, and whether they are one.
 *
 * XML 1.0 section 2.8 allows one, in a fixed form. Programs that write reports by hand misspell it, or put a
 * second one behind it. Knows only the start of the document.
 */
#pragma once

#include <glib.h>

#define DECLARATION_HEAD 16 /* bytes in which a declaration shows that it is one */

struct declarations {
	gsize size;           /* from the first byte on, with the blanks between them; 0: there is none */
	gboolean well_formed; /* it is one, as XML wants it */
	const char *encoding; /* the one that names a character set, else the first; borrowed from data */
	gsize encoding_size;
};

/*
 * Read the declarations at data[0..size). Of several, only the first counts if they name different character
 * sets. last: no more bytes are to be waited for. Returns FALSE if more are needed, or (with last) if the
 * first does not end.
 */
gboolean declaration_read(const char *data, gsize size, gboolean last, struct declarations *found);
