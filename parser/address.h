/*
 * address.h - the addresses in a header field (RFC 5322 section 3.4), one after another, as windows on its
 * value.
 *
 * Never fails: text that is not an address has no domain. Knows nothing of encoded words.
 */
#pragma once

#include <glib.h>

struct address {
	const char *phrase; /* before the '<', trimmed: the name to be shown */
	gsize phrase_size;
	gboolean angle;    /* it was in <> */
	const char *local; /* all before the last '@', trimmed; the whole text if domain is NULL */
	gsize local_size;
	const char *domain; /* as written, or NULL; empty if no domain follows the '@' */
	gsize domain_size;
	gboolean clean; /* nothing but a comment follows the domain */
	char end;       /* ',', ';' (end of a group), ':' (it was a group's name), or NUL at the end */
};

/* Read the next address of (*at)[0..*left), and move *at and *left past it. Returns FALSE if there are no
 * more. */
gboolean address_next(const char **at, gsize *left, struct address *address);

/* How many bytes at the start of text can be a domain: letters, digits, '.', '-', '_' and non-ASCII bytes, or
 * a literal in []. */
gsize address_domain_size(const char *text, gsize size);

/* The domain of the first address in a From field as a lower-case A-label name, or NULL. Transfer full. */
char *address_first_domain(const char *value, gsize size) G_GNUC_WARN_UNUSED_RESULT;
