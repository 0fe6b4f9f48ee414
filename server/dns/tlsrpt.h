/*
 * tlsrpt.h - the record at _smtp._tls, which requests SMTP TLS reports (RFC 8460 section 3), and its
 * findings.
 */
#pragma once

#include "server/dns/findings.h"

/* Whether a TXT record is a TLS reporting record; others are ignored. */
gboolean tlsrpt_is_record(const char *text);

/*
 * Read text, which is a record at name ("_smtp._tls.example.com"). findings may be NULL. Appends the usable
 * addresses, "mailto:..." and "https:...", to rua, which frees them with g_free(). Returns FALSE if there is
 * none.
 */
gboolean tlsrpt_read(const char *name, const char *text, GPtrArray *rua, struct findings *findings);
