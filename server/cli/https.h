/*
 * https.h - a small text file from a web server, by libcurl: HTTPS only, a valid certificate, no redirects.
 */
#pragma once

#include <glib.h>

#define HTTPS_SECONDS 10 /* for all of it */

/*
 * Fetch path from host, at one of addresses (char *; what the DNS says of host). At most max bytes. Returns
 * NULL if this fails; *why is then the reason (transfer full). Transfer full; valid UTF-8.
 */
char *https_get(const char *host, const char *path, const GPtrArray *addresses, gsize max,
    char **why) G_GNUC_WARN_UNUSED_RESULT;
