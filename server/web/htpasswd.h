/*
 * htpasswd.h - reads the lines NAME:HASH of an htpasswd file, and checks a password against a hash.
 *
 * Hashes are those of crypt(3) (crypt(5) lists them), of methods that are slow enough for storage. Knows
 * nothing of HTTP, touches no file.
 */
#pragma once

#include <glib.h>

/*
 * The users in text: a table from name to hash, transfer full. Empty lines and lines that begin with '#' are
 * ignored. Each unusable line is described in *problems (array of char *, transfer full): "line 3: $apr1$ is
 * not supported ...". Of two lines with one name the first counts.
 */
GHashTable *htpasswd_parse(const char *text, GPtrArray **problems) G_GNUC_WARN_UNUSED_RESULT;

#define HTPASSWD_BCRYPT_MAX 72 /* bytes of a password that bcrypt compares */

/* Returns TRUE if hash is that of password. A longer password than HTPASSWD_BCRYPT_MAX is not that of a
 * bcrypt hash, which would be the same whatever follows. Takes as long as the method of the hash: tens of
 * milliseconds. */
gboolean htpasswd_check(const char *hash, const char *password);
