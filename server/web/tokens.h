/*
 * tokens.h - finds the tokens of `ruad token` in the database, and records their use.
 */
#pragma once

#include "server/web/auth.h"

/* An auth_find_token. Records the use of the token, at most once an hour; if that fails, the log says so. */
gboolean tokens_find(const char *hash, struct auth_token *token, GError **error) G_GNUC_WARN_UNUSED_RESULT;
