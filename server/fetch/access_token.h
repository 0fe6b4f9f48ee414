/*
 * access_token.h - the OAuth 2 access token that a command prints (RFC 6749 section 1.4), such as one that
 * renews it at the provider.
 */
#pragma once

#include <glib.h>

#define ACCESS_TOKEN_SECONDS 60          /* for the command */
#define ACCESS_TOKEN_MAX     (16 * 1024) /* bytes */

/*
 * Run argv (NULL-terminated, without a shell) with the environment of this process, but none of its settings.
 * Returns what it printed without white space around it, transfer full.
 *
 * RUAD_ERROR_SYSTEM  it cannot be started, fails, takes longer, or prints no token (RFC 6750 section 2.1)
 */
char *access_token_get(char *const *argv, GError **error) G_GNUC_WARN_UNUSED_RESULT;
