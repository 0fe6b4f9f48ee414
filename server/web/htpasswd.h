/*
 * htpasswd.h - the lines NAME:HASH of an htpasswd file, and whether a password is the one behind a hash.
 *
 * Hashes are crypt(3)'s (crypt(5) lists them), of methods that are slow enough to be stored. Knows nothing of HTTP, touches no file.
 */
#pragma once

#include <glib.h>

/*
 * text's users: a table of name to hash, transfer full. Empty lines and lines that begin with '#' are left out. A line
 * that cannot be used is told in *problems (array of char *, transfer full): "line 3: $apr1$ is not supported ...".
 * Of two lines with one name the first counts.
 */
GHashTable *htpasswd_parse(const char *text, GPtrArray **problems) G_GNUC_WARN_UNUSED_RESULT;

/* TRUE when hash is password's. Takes as long as the hash's method asks for: tens of milliseconds. */
gboolean htpasswd_check(const char *hash, const char *password);
