/*
 * names.h - looks up the forward-confirmed names of many addresses at once (RFC 8601 section 2.7.3, "iprev").
 *
 * A name counts if a PTR record of the address gives it and it resolves to the address. Of several names the
 * first in alphabetical order is used, so that the result does not depend on the order of records.
 */
#pragma once

#include "server/dns/resolver.h"

#define NAMES_PTR_MAX 5 /* names of an address that are looked up, the first ones in alphabetical order */

enum name_status {
	NAME_FOUND,
	NAME_NONE,    /* there is certainly no forward-confirmed name */
	NAME_UNKNOWN, /* the DNS did not answer */
};

struct name {
	const char *ip; /* borrowed; an address as text */
	char *name;     /* owned; NULL unless NAME_FOUND; lower case, without final dot */
	enum name_status status;
	guint32 ttl; /* seconds, the smallest of the answers; 0 if unknown */
};

/* Fill names[0..n), whose ip is set; clear them with names_clear(). Takes as long as the limits of the
 * resolver allow. */
void names_look_up(struct resolver *resolver, struct name *names, gsize n);
void names_clear(struct name *names, gsize n);
