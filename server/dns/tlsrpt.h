/*
 * tlsrpt.h - the record at _smtp._tls, which asks for SMTP TLS reports (RFC 8460 section 3), and what is wrong with it.
 */
#pragma once

#include "server/dns/findings.h"

/* Whether a TXT record counts: others at the name are passed over. */
gboolean tlsrpt_is_record(const char *text);

/*
 * Read text, which is a record found at name ("_smtp._tls.example.com"); findings may be NULL. The addresses that reports can
 * be sent to, "mailto:..." and "https:...", are appended to rua, which frees them with g_free(). FALSE: there is none.
 */
gboolean tlsrpt_read(const char *name, const char *text, GPtrArray *rua, struct findings *findings);
