/*
 * dkim.h - the key record of a DKIM selector (RFC 6376 section 3.6.1, RFC 8301, RFC 8463), and its findings.
 *
 * Knows nothing of signatures and look-ups.
 */
#pragma once

#include "server/dns/findings.h"

enum dkim_status {
	DKIM_UNKNOWN, /* the name could not be looked up */
	DKIM_MISSING, /* there is no record */
	DKIM_INVALID, /* it cannot verify signatures */
	DKIM_REVOKED, /* p is empty */
	DKIM_OK,
};

struct dkim_key {
	enum dkim_status status;
	const char *key_type; /* static: "rsa", "ed25519"; NULL: another one, or unknown */
	guint bits;           /* of the key; 0 if unknown */
	gboolean testing;     /* t=y */
};

/* Read the record text at name ("s1._domainkey.example.com"). findings may be NULL. The status is INVALID,
 * REVOKED or OK. */
struct dkim_key dkim_read(const char *name, const char *text, struct findings *findings);

/* Whether a TXT record is a key: it has a tag p, or v=DKIM1. */
gboolean dkim_is_key(const char *text);

const char *dkim_status_word(enum dkim_status status); /* "unknown", "missing", "invalid", "revoked", "ok" */

/* "s1._domainkey.example.com". Transfer full. */
char *dkim_name(const char *selector, const char *domain) G_GNUC_WARN_UNUSED_RESULT;
