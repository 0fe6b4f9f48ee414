/*
 * auth.h - who asks, from a request's headers: a password of an htpasswd file, or the word of a reverse proxy.
 *
 * Basic authentication is RFC 7617. Hashes are those of crypt(3) as libxcrypt makes them, but for the old and quick
 * ones: bcrypt ($2y$, what `htpasswd -B` writes), yescrypt, scrypt and SHA-512. Thread-safe. Knows nothing of
 * paths or of HTTP's answers.
 */
#pragma once

#include <glib.h>

#define AUTH_USER_MAX 255 /* bytes of a user's name; longer is nobody */

enum auth_mode { /* in the order of the setting's words */
	AUTH_NONE,
	AUTH_BASIC,
	AUTH_PROXY,
};

struct auth_options {
	enum auth_mode mode;
	const char *htpasswd;       /* path of the file; for AUTH_BASIC */
	const char *const *editors; /* names, or "*" for everyone who is known; NULL-terminated */
};

struct auth;

/*
 * options are copied. RUAD_ERROR_SYSTEM when the file of AUTH_BASIC cannot be read now. Its lines that cannot be used
 * are logged with their number and the reason, now and whenever it changed; the users on them are refused.
 */
struct auth *auth_new(const struct auth_options *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void auth_free(struct auth *auth); /* NULL is allowed */

/*
 * TRUE when the request may be answered: always with AUTH_NONE; with AUTH_BASIC when authorization (the header, or
 * NULL) has the password of a user in the file; with AUTH_PROXY when proxy_user (the header that the proxy sets, or
 * NULL) is a name. *user is then the name, transfer full, or NULL with AUTH_NONE.
 *
 * A password takes as long to refuse for a user who is not there as for one who is. One that was right is not worked out again for a
 * minute: the hashes are slow on purpose, and a page asks a dozen times.
 */
gboolean auth_identify(struct auth *auth, const char *authorization, const char *proxy_user,
    char **user) G_GNUC_WARN_UNUSED_RESULT;

/* Whether user (NULL is nobody) may label sources. */
gboolean auth_is_editor(const struct auth *auth, const char *user);

enum auth_mode auth_mode(const struct auth *auth);

/* {"user": string or null, "roles": [...], "auth": "none", "basic" or "proxy"}: what user is here. */
GBytes *auth_describe(const struct auth *auth, const char *user) G_GNUC_WARN_UNUSED_RESULT;
