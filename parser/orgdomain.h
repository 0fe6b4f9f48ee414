/*
 * orgdomain.h - the Organizational Domain of a name by the public suffix list (RFC 7489 section 3.2).
 *
 * libpsl's rules, the list's private section included, as most reporters do; a top-level domain that is not in
 * the list counts as a public suffix. A name that is a public suffix is its own. Knows nothing of the tree walk
 * (RFC 9989 section 4.10), which needs the DNS.
 */
#pragma once

#include <glib.h>

/* The answers for the last names. */
struct orgdomains;

/* Once per process, before rights are given up: opens the system's list. Without it, the one that libpsl was
 * built with is used. */
void orgdomain_init(void);

struct orgdomains *orgdomains_new(void) G_GNUC_WARN_UNUSED_RESULT;
void orgdomains_free(struct orgdomains *domains);

/* The part of name that is its Organizational Domain: a pointer into name. name: lower-case A-labels, without a
 * final dot. A name that is longer than the DNS allows (253 bytes) is its own. */
const char *orgdomain_of(struct orgdomains *domains, const char *name);
