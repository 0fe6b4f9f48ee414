/*
 * mime.h - a digest as a mail: text, and HTML with its pictures as parts (RFC 2046, RFC 2387, RFC 2392).
 */
#pragma once

#include "server/digest/block.h"

/* Who sends the mail, to whom. */
struct mime_envelope {
	const char *from;      /* an address; its domain is that of Message-ID and Content-IDs */
	const char *const *to; /* addresses, NULL-terminated */
	gboolean crlf;         /* lines end in CRLF, as in SMTP; else in LF */
};

/* The bytes. RUAD_ERROR_SYNTAX if from or one of to is not an address. Transfer full. */
GBytes *mime_print(const struct content *content, const struct mime_envelope *envelope,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;
