/*
 * address.h - the addresses in a field of a header (RFC 5322 section 3.4), one after another, as windows on its value.
 *
 * Never fails: what is no address at all has no domain. Knows nothing of encoded words.
 */
#pragma once

#include <glib.h>

struct address {
	const char *phrase; /* before the '<', trimmed: the name to be shown */
	gsize phrase_size;
	gboolean angle;    /* it stood in <> */
	const char *local; /* all before the last '@', trimmed; all there is where domain is NULL */
	gsize local_size;
	const char
	    *domain; /* as written, or NULL; of no bytes: nothing that can be a domain's followed the '@' */
	gsize domain_size;
	gboolean clean; /* nothing but a comment follows the domain */
	char end;       /* ',', ';' (end of a group), ':' (it was a group's name), or NUL at the end */
};

/* The next one in (*at)[0..*left), which is moved behind it. FALSE: there is none. */
gboolean address_next(const char **at, gsize *left, struct address *address);

/* The bytes at the start of text that can be a domain's: of letters, digits, '.', '-', '_' and what is not ASCII, or
 * a literal in []. */
gsize address_domain_size(const char *text, gsize size);

/* The domain of the first address in a From field as a lower-case A-label name, or NULL. Transfer full. */
char *address_first_domain(const char *value, gsize size) G_GNUC_WARN_UNUSED_RESULT;
