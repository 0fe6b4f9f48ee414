/*
 * orgdomain.h - the Organizational Domain of a name by the public suffix list (RFC 7489 section 3.2).
 *
 * Uses libpsl with the list's private section, as most reporters do. A top-level domain that is not in the
 * list counts as a public suffix. The Organizational Domain of a public suffix is itself. Knows nothing of
 * the tree walk (RFC 9989 section 4.10), which needs the DNS.
 */
#pragma once

#include <glib.h>

/* A cache of recent answers. */
struct orgdomains;

/* Open the system's list; call once per process, before privileges are dropped. Without it, the list that
 * libpsl was built with is used. */
void orgdomain_init(void);

struct orgdomains *orgdomains_new(void) G_GNUC_WARN_UNUSED_RESULT;
void orgdomains_free(struct orgdomains *domains);

/* The Organizational Domain of name (lower-case A-labels without a final dot), as a pointer into name. A name
 * that is longer than the DNS allows (253 bytes) is its own. */
const char *orgdomain_of(struct orgdomains *domains, const char *name);
