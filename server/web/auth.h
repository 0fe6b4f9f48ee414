/*
 * auth.h - identifies the user of a request from its headers: by a password in an htpasswd file, or by the
 * name that a reverse proxy sets.
 *
 * Basic authentication is RFC 7617. Hashes are those of crypt(3) as libxcrypt computes them, except the old
 * and fast ones: bcrypt ($2y$, which `htpasswd -B` writes), yescrypt, scrypt and SHA-512. Thread-safe. Knows
 * nothing of paths or HTTP responses.
 */
#pragma once

#include <glib.h>

#define AUTH_USER_MAX 255 /* bytes of a user's name */

enum auth_mode { /* in the order of the setting's words */
	AUTH_NONE,
	AUTH_BASIC,
	AUTH_PROXY,
};

struct auth_options {
	enum auth_mode mode;
	const char *htpasswd;       /* path of the file; for AUTH_BASIC */
	const char *const *editors; /* names, or "*" for every authenticated user; NULL-terminated */
};

struct auth;

/*
 * options are copied. RUAD_ERROR_SYSTEM if the file of AUTH_BASIC cannot be read now. Unusable lines are
 * logged with their number and the reason, now and whenever the file changes; their users are rejected.
 */
struct auth *auth_new(const struct auth_options *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void auth_free(struct auth *auth); /* NULL is allowed */

/*
 * Returns TRUE if the request may be answered: always with AUTH_NONE; with AUTH_BASIC if authorization (the
 * header, or NULL) has the password of a user in the file; with AUTH_PROXY if proxy_user (the header that the
 * proxy sets, or NULL) is a name. *user is then the name, transfer full, or NULL with AUTH_NONE.
 *
 * Rejecting a password takes as long for an unknown user as for a known one. A correct password is not hashed
 * again for a minute: hashes are slow on purpose, and a page sends a dozen requests.
 */
gboolean auth_identify(struct auth *auth, const char *authorization, const char *proxy_user,
    char **user) G_GNUC_WARN_UNUSED_RESULT;

/* Returns whether user (NULL is nobody) may label sources. */
gboolean auth_is_editor(const struct auth *auth, const char *user);

enum auth_mode auth_mode(const struct auth *auth);

/* {"user": string or null, "roles": [...], "auth": "none", "basic" or "proxy"}: the rights of user. */
GBytes *auth_describe(const struct auth *auth, const char *user) G_GNUC_WARN_UNUSED_RESULT;
