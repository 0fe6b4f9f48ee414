/*
 * names.h - the forward-confirmed names of many addresses at once (RFC 8601 section 2.7.3, "iprev").
 *
 * A name counts when one of the address's PTR records gives it and it leads back to the address. Of several the first in alphabetical
 * order is taken, so that the answer does not change with the order of records.
 */
#pragma once

#include "server/dns/resolver.h"

#define NAMES_PTR_MAX 5 /* names of an address that are looked up, the first ones in alphabetical order */

enum name_status {
	NAME_FOUND,
	NAME_NONE,    /* there certainly is none that leads back */
	NAME_UNKNOWN, /* the DNS did not say */
};

struct name {
	const char *ip; /* borrowed; an address in words */
	char *name;     /* owned; NULL unless NAME_FOUND; lower case, without final dot */
	enum name_status status;
	guint32 ttl; /* seconds, the least of what was asked; 0 when not known */
};

/* Fill names[0..n), whose ip is set; to be cleared with names_clear(). Takes as long as the resolver's bounds let it. */
void names_look_up(struct resolver *resolver, struct name *names, gsize n);
void names_clear(struct name *names, gsize n);
