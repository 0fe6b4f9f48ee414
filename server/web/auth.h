/*
 * auth.h - identifies the user of a request from its headers: by a password in an htpasswd file, by the name
 * that a reverse proxy sets, or by a token.
 *
 * Basic authentication is RFC 7617. Hashes are those of crypt(3) as libxcrypt computes them, except the old
 * and fast ones: bcrypt ($2y$, which `htpasswd -B` writes), yescrypt, scrypt and SHA-512. After some wrong
 * passwords further ones are slowed down, for the client that sends them and for the user (throttle.h).
 * Bearer tokens are RFC 6750; they are those of `ruad token` (server/common/token.h).
 * Thread-safe. Knows nothing of paths, HTTP responses or the database.
 */
#pragma once

#include <glib.h>

#include "server/web/grant.h"

enum auth_mode { /* in the order of the setting's words */
	AUTH_NONE,
	AUTH_BASIC,
	AUTH_PROXY,
};

/* A token, as `ruad token add` made it; free its members with auth_token_clear(). */
struct auth_token {
	char *name;         /* of the token; NULL: there is none */
	char *user;         /* to whom it belongs */
	gboolean may_write; /* as far as the user may */
};
void auth_token_clear(struct auth_token *token);

/* Find the token with this hash (token_hash()) in *token, which is all 0. Leaves it so if there is no such
 * token, or it has expired. Returns FALSE with error set if that cannot be found out now. */
typedef gboolean (*auth_find_token)(const char *hash, struct auth_token *token, GError **error);

struct auth_options {
	enum auth_mode mode;
	const char *htpasswd;       /* path of the file; for AUTH_BASIC */
	const char *const *editors; /* names, or "*" for every authenticated user; NULL-terminated */
	const char *proxy_secret;   /* for AUTH_PROXY; "" or NULL: there is none */
	const char *logout_url;     /* for AUTH_PROXY: where users sign out; "" or NULL: nowhere */
	auth_find_token find_token; /* NULL: there are no tokens */
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
	AUTH_NO_TOKEN, /* the token is unknown or has expired */
	AUTH_AWAY,     /* whether the token is valid cannot be found out now */
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

/* Returns whether the request presents a token: other bearer tokens are not ours, and ignored. With AUTH_NONE
 * no token is needed, or looked at. */
gboolean auth_has_token(const struct auth *auth, const struct auth_claim *claim);

/*
 * Identify the user of a request that auth_has_token(). With AUTH_ACCEPTED *token is that token (transfer
 * full), otherwise it stays as it is. With AUTH_BASIC, only users in the htpasswd file have valid tokens.
 * Unknown tokens delay the client and are logged like wrong passwords; a token that was valid within the last
 * minute is not delayed. AUTH_AWAY sets error.
 */
enum auth_verdict auth_identify_token(struct auth *auth, const struct auth_claim *claim,
    struct auth_token *token, guint *wait, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The user that the claim of a rejected password names, for a log; transfer full, or NULL. */
char *auth_claimed_user(const struct auth_claim *claim) G_GNUC_WARN_UNUSED_RESULT;

/* Returns whether the settings let user (NULL is nobody) label sources. */
gboolean auth_is_editor(const struct auth *auth, const char *user);

enum auth_mode auth_mode(const struct auth *auth);

/*
 * {"user": string or null, "roles": [...], "domains": [...] or null, "auth": "none", "basic" or "proxy",
 * "logout": string or null}: the rights of user, who has that grant, and where the user can sign out. token
 * (or NULL) is the one that identified the user.
 */
GBytes *auth_describe(const struct auth *auth, const char *user, const struct grant *grant,
    const struct auth_token *token) G_GNUC_WARN_UNUSED_RESULT;
