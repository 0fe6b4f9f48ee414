/*
 * auth.h - identifies the user of a request from its headers: by a password in an htpasswd file, or by the
 * name that a reverse proxy sets.
 *
 * Basic authentication is RFC 7617. Hashes are those of crypt(3) as libxcrypt computes them, except the old
 * and fast ones: bcrypt ($2y$, which `htpasswd -B` writes), yescrypt, scrypt and SHA-512. After some wrong
 * passwords further ones are slowed down, for the client that sends them and for the user (throttle.h).
 * Thread-safe. Knows nothing of paths or HTTP responses.
 */
#pragma once

#include <glib.h>

#include "server/web/grant.h"

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
	const char *proxy_secret;   /* for AUTH_PROXY; "" or NULL: there is none */
};

/* What a request says of who asks; borrowed, and NULL where it says nothing. */
struct auth_claim {
	const char *authorization; /* the header */
	const char *proxy_user;    /* the header that the proxy sets */
	const char *proxy_secret;  /* another one */
	gboolean is_local;         /* it came over a Unix socket */
	const char *client;        /* the name of the client, for the delay; never NULL */
	const char *address;       /* its address, for the log; never NULL */
};

enum auth_verdict {
	AUTH_ACCEPTED,
	AUTH_REJECTED,
	AUTH_DELAYED,  /* the password was not looked at; another attempt is allowed later */
	AUTH_NO_PROXY, /* AUTH_PROXY: nothing proves that the proxy sent the request */
};

struct auth;

/*
 * options are copied. RUAD_ERROR_SYSTEM if the file of AUTH_BASIC cannot be read now. Unusable lines are
 * logged with their number and the reason, now and whenever the file changes; their users are rejected.
 */
struct auth *auth_new(const struct auth_options *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void auth_free(struct auth *auth); /* NULL is allowed */

/*
 * Returns AUTH_ACCEPTED if the request may be answered: always with AUTH_NONE; with AUTH_BASIC if
 * authorization has the password of a user in the file; with AUTH_PROXY if the request came over a Unix
 * socket or has the proxy's secret, and proxy_user is a name. *user is then the name, transfer full, or NULL
 * with AUTH_NONE. *wait is set with AUTH_DELAYED: seconds until another attempt is allowed.
 *
 * Rejecting a password takes as long for an unknown user as for a known one, and is logged with the client's
 * address in a form for fail2ban (server/dist/fail2ban). A correct password is not hashed again for a minute,
 * and not delayed: hashes are slow on purpose, and a page sends a dozen requests.
 */
enum auth_verdict auth_identify(
    struct auth *auth, const struct auth_claim *claim, char **user, guint *wait) G_GNUC_WARN_UNUSED_RESULT;

/* Returns whether the settings let user (NULL is nobody) label sources. */
gboolean auth_is_editor(const struct auth *auth, const char *user);

enum auth_mode auth_mode(const struct auth *auth);

/* {"user": string or null, "roles": [...], "domains": [...] or null, "auth": "none", "basic" or "proxy"}: the
 * rights of user, who has that grant. */
GBytes *auth_describe(
    const struct auth *auth, const char *user, const struct grant *grant) G_GNUC_WARN_UNUSED_RESULT;
