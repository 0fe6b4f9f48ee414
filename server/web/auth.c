#include "server/web/auth.h"

#include <json-c/json.h>
#include <nettle/memops.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "parser/error.h"
#include "server/common/file.h"
#include "server/common/log.h"
#include "server/common/token.h"
#include "server/common/user_name.h"
#include "server/web/htpasswd.h"
#include "server/web/throttle.h"

#define KEY_SIZE     32                    /* bytes; of SHA-256's size */
#define KNOWN_FOR    (60 * G_USEC_PER_SEC) /* how long a password that was right is taken without work */
#define KNOWN_MAX    1024                  /* largest number of these */
#define PASSWORD_MAX 512                   /* bytes: the limit of crypt(3) */
#define NOBODY_S_HASH                                                                                        \
	"$2y$10$abcdefghijklmnopqrstuu4T826PRnz0Hu6YlprUuxkZxOOj5Fw5S" /* used while the file has no user */

#define TOKEN_NAME "(token)" /* in the log, in place of a user */

#define HOUR         (60 * 60 * G_TIME_SPAN_SECOND)
#define FAMILIAR_MAX 4096 /* pairs of a client and a user who has signed in from there */

/* A person mistypes a few times. A client that guesses soon has an attempt a minute. */
static const struct throttle_options for_clients = {
	.free = 5, .first = G_TIME_SPAN_SECOND, .most = G_TIME_SPAN_MINUTE, .keep = HOUR, .keys = 4096
};

/* Many clients may guess the password of one user, who must not be locked out by them: the delay stays short,
 * and does not apply where the user has signed in before. */
static const struct throttle_options for_users = {
	.free = 20, .first = G_TIME_SPAN_SECOND, .most = 5 * G_TIME_SPAN_SECOND, .keep = HOUR, .keys = 4096
};

static const char *const modes[] = { "none", "basic", "proxy" };

struct auth {
	enum auth_mode mode;
	char *path; /* of the htpasswd file */
	char **editors;
	char *proxy_secret;
	char *logout_url;
	auth_find_token find_token;
	struct throttle *clients; /* by name */
	struct throttle *names;   /* of users */

	GMutex lock;          /* protects the following members */
	struct stat seen;     /* the file that was read; all 0 if it could not be read */
	GHashTable *users;    /* name -> hash; never NULL */
	GHashTable *known;    /* mark() of user, password and hash -> gint64, monotonic time until when */
	GHashTable *familiar; /* set of mark() of client and user */
	guint8 key[KEY_SIZE];
};

/* -- the file -- */

/* Read the file again. If it cannot be read, there are no users: whoever removed it wanted to block
 * access. */
static gboolean read_users(struct auth *auth, const struct stat *now, GError **error)
{
	g_autofree char *text = NULL;
	g_autoptr(GPtrArray) problems = NULL;
	g_autoptr(GError) cause = NULL;
	gboolean good = g_file_get_contents(auth->path, &text, NULL, &cause);

	g_clear_pointer(&auth->users, g_hash_table_unref);
	auth->users = htpasswd_parse(good ? text : "", &problems);
	auth->seen = *now;
	for (guint i = 0; i < problems->len; i++)
		log_warning("http.htpasswd: %s: %s", auth->path, (char *)g_ptr_array_index(problems, i));
	if (!good)
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "http.htpasswd: %s", cause->message);
	return good;
}

/* Read the file again if it has changed. */
static gboolean refresh_users(struct auth *auth, GError **error)
{
	struct stat now = { 0 };

	(void)stat(auth->path, &now); /* a missing file is all 0, and reading it sets the error */
	if (auth->users != NULL && file_is_same(&now, &auth->seen))
		return TRUE;
	return read_users(auth, &now, error);
}

/* A number below n that is always the same for user, and that only this process can compute. */
static guint pick(const struct auth *auth, const char *user, guint n)
{
	GHmac *hmac = g_hmac_new(G_CHECKSUM_SHA256, auth->key, sizeof auth->key);
	guint8 digest[KEY_SIZE];
	gsize size = sizeof digest;
	guint32 number;

	g_hmac_update(hmac, (const guchar *)user, (gssize)strlen(user));
	g_hmac_get_digest(hmac, digest, &size);
	g_hmac_unref(hmac);
	memcpy(&number, digest, sizeof number);
	return number % n;
}

/* The hash of a user in the file in place of one who is not: always the same, since the methods of the
 * hashes, and so their times, may differ. */
static const char *hash_instead(const struct auth *auth, const char *user)
{
	guint n = g_hash_table_size(auth->users);
	guint at = n > 0 ? pick(auth, user, n) : 0;
	gpointer hash = (gpointer)NOBODY_S_HASH;
	GHashTableIter iter;

	g_hash_table_iter_init(&iter, auth->users);
	for (guint i = 0; i <= at; i++)
		(void)g_hash_table_iter_next(&iter, NULL, &hash);
	return hash;
}

/* The hash of user in the file, or that of another user if there is no such user; transfer full. */
static char *hash_of(struct auth *auth, const char *user, gboolean *there)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&auth->lock);
	const char *hash;

	if (!refresh_users(auth, &error))
		log_warning("%s", error->message);
	hash = g_hash_table_lookup(auth->users, user);
	*there = hash != NULL;
	return g_strdup(hash != NULL ? hash : hash_instead(auth, user));
}

/* -- the cache of correct passwords -- */

/* A digest of three texts that only this process can compute; transfer full. */
static char *mark(const struct auth *auth, const char *user, const char *password, const char *hash)
{
	GHmac *hmac = g_hmac_new(G_CHECKSUM_SHA256, auth->key, sizeof auth->key);
	const char *const texts[] = { user, password, hash };
	char *digest;

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		g_hmac_update(hmac, (const guchar *)texts[i], (gssize)strlen(texts[i]) + 1);
	digest = g_strdup(g_hmac_get_string(hmac));
	g_hmac_unref(hmac);
	return digest;
}

static gboolean is_past(gpointer key, gpointer until, gpointer now)
{
	(void)key;
	return *(const gint64 *)until < *(const gint64 *)now;
}

static gboolean is_known(struct auth *auth, const char *word)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&auth->lock);
	const gint64 *until = g_hash_table_lookup(auth->known, word);

	return until != NULL && g_get_monotonic_time() <= *until;
}

static void remember(struct auth *auth, const char *word)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&auth->lock);
	gint64 now = g_get_monotonic_time();
	gint64 until = now + KNOWN_FOR;

	g_hash_table_foreach_remove(auth->known, is_past, &now);
	if (g_hash_table_size(auth->known) < KNOWN_MAX)
		g_hash_table_insert(auth->known, g_strdup(word), g_memdup2(&until, sizeof until));
}

/* -- delays -- */

/* Returns whether user has signed in from client before. */
static gboolean is_familiar(struct auth *auth, const char *client, const char *user)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&auth->lock);
	g_autofree char *word = mark(auth, client, user, "");

	return g_hash_table_contains(auth->familiar, word);
}

static void make_familiar(struct auth *auth, const char *client, const char *user)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&auth->lock);

	if (g_hash_table_size(auth->familiar) >= FAMILIAR_MAX)
		g_hash_table_remove_all(auth->familiar);
	g_hash_table_add(auth->familiar, mark(auth, client, user, ""));
}

/* Microseconds until the client may try a password of user. */
static gint64 delay(struct auth *auth, const struct auth_claim *claim, const char *user)
{
	gint64 now = g_get_monotonic_time();
	gint64 of_client = throttle_wait(auth->clients, claim->client, now);

	if (is_familiar(auth, claim->client, user))
		return of_client;
	return MAX(of_client, throttle_wait(auth->names, user, now));
}

/* user NULL: with a token. The line is read by fail2ban: change server/dist/fail2ban with it. */
static void note_failure(struct auth *auth, const struct auth_claim *claim, const char *user)
{
	gint64 now = g_get_monotonic_time();
	g_autofree char *quoted = log_quote(user != NULL ? user : TOKEN_NAME);

	throttle_failed(auth->clients, claim->client, now);
	if (user != NULL)
		throttle_failed(auth->names, user, now);
	log_warning("login failed: client %s, user %s", claim->address, quoted);
}

static void note_success(struct auth *auth, const struct auth_claim *claim, const char *user)
{
	throttle_passed(auth->clients, claim->client);
	make_familiar(auth, claim->client, user);
}

/* -- passwords -- */

static enum auth_verdict check_password(
    struct auth *auth, const struct auth_claim *claim, const char *user, const char *password, guint *wait)
{
	gboolean there;
	g_autofree char *hash = hash_of(auth, user, &there);
	g_autofree char *word = mark(auth, user, password, hash);
	gint64 left;

	if (there && is_known(auth, word))
		return AUTH_ACCEPTED;
	left = delay(auth, claim, user);
	if (left > 0) {
		*wait = (guint)(left / G_USEC_PER_SEC) + 1;
		return AUTH_DELAYED;
	}
	if (!htpasswd_check(hash, password) || !there) {
		note_failure(auth, claim, user);
		return AUTH_REJECTED;
	}
	remember(auth, word);
	note_success(auth, claim, user);
	return AUTH_ACCEPTED;
}

/* Decode base64; transfer full, or NULL. GLib ignores invalid characters, so that different texts could mean
 * the same: these are rejected here. */
static char *decode(const char *text)
{
	gsize size = 0;
	g_autofree guchar *decoded = g_base64_decode(text, &size);
	g_autofree char *again = g_base64_encode(decoded, size);

	if (strcmp(text, again) != 0 || memchr(decoded, '\0', size) != NULL)
		return NULL;
	return g_strndup((const char *)decoded, size);
}

/* The NAME:PASSWORD after "Basic " in base64 (RFC 7617 section 2), transfer full, or NULL. */
static char *basic_words(const char *authorization)
{
	static const char scheme[] = "Basic ";

	if (authorization == NULL || g_ascii_strncasecmp(authorization, scheme, strlen(scheme)) != 0)
		return NULL;
	authorization += strlen(scheme);
	return decode(authorization + strspn(authorization, " "));
}

static enum auth_verdict identify_basic(
    struct auth *auth, const struct auth_claim *claim, char **user, guint *wait)
{
	g_autofree char *words = basic_words(claim->authorization);
	char *colon = words != NULL ? strchr(words, ':') : NULL;
	enum auth_verdict verdict = AUTH_REJECTED;

	if (colon != NULL && strlen(colon + 1) < PASSWORD_MAX) {
		*colon = '\0';
		if (user_name_is_valid(words))
			verdict = check_password(auth, claim, words, colon + 1, wait);
		explicit_bzero(colon + 1, strlen(colon + 1));
	}
	if (verdict == AUTH_ACCEPTED)
		*user = g_steal_pointer(&words);
	return verdict;
}

char *auth_claimed_user(const struct auth_claim *claim)
{
	g_autofree char *words = basic_words(claim->authorization);
	char *colon = words != NULL ? strchr(words, ':') : NULL;
	gboolean named = FALSE;

	if (colon != NULL) {
		explicit_bzero(colon, strlen(colon));
		named = user_name_is_valid(words);
	}
	return named ? g_steal_pointer(&words) : NULL;
}

/* -- tokens -- */

/* The token after "Bearer " (RFC 6750 section 2.1), borrowed; NULL if there is none of ours. */
static const char *token_in(const char *authorization)
{
	static const char scheme[] = "Bearer ";

	if (authorization == NULL || g_ascii_strncasecmp(authorization, scheme, strlen(scheme)) != 0)
		return NULL;
	authorization += strlen(scheme);
	authorization += strspn(authorization, " ");
	return g_str_has_prefix(authorization, TOKEN_PREFIX) ? authorization : NULL;
}

gboolean auth_has_token(const struct auth *auth, const struct auth_claim *claim)
{
	return auth->mode != AUTH_NONE && auth->find_token != NULL && token_in(claim->authorization) != NULL;
}

void auth_token_clear(struct auth_token *token)
{
	g_clear_pointer(&token->name, g_free);
	g_clear_pointer(&token->user, g_free);
}

/* Returns whether user may have tokens: whoever is removed from the file has none. */
static gboolean may_have_token(struct auth *auth, const char *user)
{
	gboolean there = TRUE;

	if (auth->mode == AUTH_BASIC)
		g_free(hash_of(auth, user, &there));
	return there;
}

enum auth_verdict auth_identify_token(
    struct auth *auth, const struct auth_claim *claim, struct auth_token *token, guint *wait, GError **error)
{
	g_autofree char *hash = token_hash(token_in(claim->authorization));
	g_autofree char *word = mark(auth, "", hash, ""); /* no user has the name "" */
	gboolean known = is_known(auth, word);
	gint64 left = known ? 0 : throttle_wait(auth->clients, claim->client, g_get_monotonic_time());
	struct auth_token found = { 0 };

	if (left > 0) {
		*wait = (guint)(left / G_USEC_PER_SEC) + 1;
		return AUTH_DELAYED;
	}
	if (!auth->find_token(hash, &found, error))
		return AUTH_AWAY;
	if (found.name == NULL || !may_have_token(auth, found.user)) {
		auth_token_clear(&found);
		note_failure(auth, claim, NULL);
		return AUTH_NO_TOKEN;
	}
	if (!known) {
		remember(auth, word);
		throttle_passed(auth->clients, claim->client);
	}
	*token = found;
	return AUTH_ACCEPTED;
}

/* -- proxies -- */

static gboolean is_secret(const struct auth *auth, const char *secret)
{
	gsize size = auth->proxy_secret != NULL ? strlen(auth->proxy_secret) : 0;

	return size > 0 && secret != NULL && strlen(secret) == size &&
	       memeql_sec(secret, auth->proxy_secret, size);
}

static enum auth_verdict identify_proxy(const struct auth *auth, const struct auth_claim *claim, char **user)
{
	if (!claim->is_local && !is_secret(auth, claim->proxy_secret))
		return AUTH_NO_PROXY;
	if (claim->proxy_user == NULL || !user_name_is_valid(claim->proxy_user))
		return AUTH_REJECTED;
	*user = g_strdup(claim->proxy_user);
	return AUTH_ACCEPTED;
}

/* -- the interface -- */

enum auth_verdict auth_identify(struct auth *auth, const struct auth_claim *claim, char **user, guint *wait)
{
	*user = NULL;
	switch (auth->mode) {
	case AUTH_NONE:
		return AUTH_ACCEPTED;
	case AUTH_BASIC:
		return identify_basic(auth, claim, user, wait);
	case AUTH_PROXY:
		return identify_proxy(auth, claim, user);
	}
	g_assert_not_reached();
}

gboolean auth_is_editor(const struct auth *auth, const char *user)
{
	const char *const *editors = (const char *const *)auth->editors;

	return user != NULL && (g_strv_contains(editors, user) || g_strv_contains(editors, "*"));
}

enum auth_mode auth_mode(const struct auth *auth)
{
	return auth->mode;
}

static json_object *roles_of(
    const struct auth *auth, const char *user, const struct grant *grant, const struct auth_token *token)
{
	json_object *roles = json_object_new_array();
	gboolean writes = token == NULL || token->may_write;

	json_object_array_add(roles, json_object_new_string("viewer"));
	if (writes && grant_edits(grant, auth_is_editor(auth, user)))
		json_object_array_add(roles, json_object_new_string("editor"));
	if (writes && grant->role == GRANT_ADMIN)
		json_object_array_add(roles, json_object_new_string("admin"));
	return roles;
}

/* NULL, which json-c prints as null, if they are not limited. */
static json_object *domains_of(const struct grant *grant)
{
	json_object *domains;

	if (!grant_is_limited(grant))
		return NULL;
	domains = json_object_new_array();
	for (char **domain = grant->domains; *domain != NULL; domain++)
		json_object_array_add(domains, json_object_new_string(*domain));
	return domains;
}

/* Where the user can sign out, relative to the page or not; NULL: nowhere. */
static const char *logout_of(const struct auth *auth, const char *user, const struct auth_token *token)
{
	if (user == NULL || token != NULL)
		return NULL;
	if (auth->mode == AUTH_BASIC)
		return "logout";
	return auth->logout_url != NULL && *auth->logout_url != '\0' ? auth->logout_url : NULL;
}

GBytes *auth_describe(
    const struct auth *auth, const char *user, const struct grant *grant, const struct auth_token *token)
{
	json_object *document = json_object_new_object();
	const char *logout = logout_of(auth, user, token);
	const char *text;
	gsize size;
	GBytes *bytes;

	json_object_object_add(document, "user", user != NULL ? json_object_new_string(user) : NULL);
	json_object_object_add(document, "roles", roles_of(auth, user, grant, token));
	json_object_object_add(document, "domains", domains_of(grant));
	json_object_object_add(document, "auth", json_object_new_string(modes[auth->mode]));
	json_object_object_add(document, "logout", logout != NULL ? json_object_new_string(logout) : NULL);
	text = json_object_to_json_string_length(
	    document, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &size);
	bytes = g_bytes_new(text, size);
	json_object_put(document);
	return bytes;
}

static gboolean make_key(guint8 key[KEY_SIZE], GError **error)
{
	if (getrandom(key, KEY_SIZE, 0) == KEY_SIZE)
		return TRUE;
	g_set_error_literal(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "the system gives no random bytes");
	return FALSE;
}

struct auth *auth_new(const struct auth_options *options, GError **error)
{
	struct auth *auth = g_new0(struct auth, 1);

	auth->mode = options->mode;
	auth->path = g_strdup(options->htpasswd);
	auth->editors = g_strdupv((char **)options->editors);
	auth->proxy_secret = g_strdup(options->proxy_secret);
	auth->logout_url = g_strdup(options->logout_url);
	auth->find_token = options->find_token;
	auth->clients = throttle_new(&for_clients);
	auth->names = throttle_new(&for_users);
	auth->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	auth->familiar = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_mutex_init(&auth->lock);
	if (!make_key(auth->key, error) || (auth->mode == AUTH_BASIC && !refresh_users(auth, error))) {
		auth_free(auth);
		return NULL;
	}
	return auth;
}

void auth_free(struct auth *auth)
{
	if (auth == NULL)
		return;
	if (auth->users != NULL)
		g_hash_table_unref(auth->users);
	g_hash_table_unref(auth->known);
	g_hash_table_unref(auth->familiar);
	throttle_free(auth->clients);
	throttle_free(auth->names);
	g_free(auth->proxy_secret);
	g_free(auth->logout_url);
	g_strfreev(auth->editors);
	g_free(auth->path);
	g_mutex_clear(&auth->lock);
	g_free(auth);
}
