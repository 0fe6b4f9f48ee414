/*
 * token.h - tokens by which programs sign in: how one is made, and what is kept of it.
 *
 * A token is a secret of 256 random bits, so its SHA-256 needs neither salt nor work. Knows nothing of where
 * hashes are kept or how a token is sent.
 */
#pragma once

#include <glib.h>

#define TOKEN_PREFIX "ruad_" /* so that people and scanners for leaked secrets recognise one */

/* A new token: the prefix and 43 characters of base64url (RFC 4648 section 5). Transfer full.
 * RUAD_ERROR_SYSTEM if the system gives no random bytes. */
char *token_new(GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The SHA-256 of a token, or of a text that may be one, in hex. Transfer full. */
char *token_hash(const char *token) G_GNUC_WARN_UNUSED_RESULT;
