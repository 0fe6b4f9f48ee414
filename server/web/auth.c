#include "server/web/auth.h"

#include <json-c/json.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "parser/error.h"
#include "server/common/file.h"
#include "server/common/log.h"
#include "server/web/htpasswd.h"

#define KEY_SIZE     32                    /* bytes; of SHA-256's size */
#define KNOWN_FOR    (60 * G_USEC_PER_SEC) /* how long a password that was right is taken without work */
#define KNOWN_MAX    1024                  /* largest number of these */
#define PASSWORD_MAX 512                   /* bytes: the limit of crypt(3) */
#define NOBODY_S_HASH                                                                                        \
	"$2y$10$abcdefghijklmnopqrstuu4T826PRnz0Hu6YlprUuxkZxOOj5Fw5S" /* used while the file has no user */

static const char *const modes[] = { "none", "basic", "proxy" };

struct auth {
	enum auth_mode mode;
	char *path; /* of the htpasswd file */
	char **editors;

	GMutex lock;       /* protects the following members */
	struct stat seen;  /* the file that was read; all 0 if it could not be read */
	GHashTable *users; /* name -> hash; never NULL */
	GHashTable *known; /* mark() of user, password and hash -> gint64, monotonic time until when */
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

/* The hash of user in the file, or that of another user if there is no such user; transfer full. */
static char *hash_of(struct auth *auth, const char *user, gboolean *there)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&auth->lock);
	const char *hash;
	GHashTableIter iter;
	gpointer any = (gpointer)NOBODY_S_HASH;

	if (!refresh_users(auth, &error))
		log_warning("%s", error->message);
	hash = g_hash_table_lookup(auth->users, user);
	*there = hash != NULL;
	g_hash_table_iter_init(&iter, auth->users);
	(void)g_hash_table_iter_next(&iter, NULL, &any);
	return g_strdup(hash != NULL ? hash : any);
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

/* -- passwords -- */

static gboolean is_password(struct auth *auth, const char *user, const char *password)
{
	gboolean there;
	g_autofree char *hash = hash_of(auth, user, &there);
	g_autofree char *word = mark(auth, user, password, hash);
	gboolean right;

	if (there && is_known(auth, word))
		return TRUE;
	right = htpasswd_check(hash, password) && there;
	if (right)
		remember(auth, word);
	return right;
}

static gboolean is_name(const char *user)
{
	if (*user == '\0' || strlen(user) > AUTH_USER_MAX || !g_utf8_validate(user, -1, NULL))
		return FALSE;
	for (const char *at = user; *at != '\0'; at = g_utf8_next_char(at))
		if (g_unichar_iscntrl(g_utf8_get_char(at)))
			return FALSE;
	return TRUE;
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

static gboolean identify_basic(struct auth *auth, const char *authorization, char **user)
{
	g_autofree char *words = basic_words(authorization);
	char *colon = words != NULL ? strchr(words, ':') : NULL;
	gboolean right = FALSE;

	if (colon != NULL && strlen(colon + 1) < PASSWORD_MAX) {
		*colon = '\0';
		right = is_name(words) && is_password(auth, words, colon + 1);
		explicit_bzero(colon + 1, strlen(colon + 1));
	}
	if (right)
		*user = g_steal_pointer(&words);
	return right;
}

/* -- the interface -- */

gboolean auth_identify(struct auth *auth, const char *authorization, const char *proxy_user, char **user)
{
	*user = NULL;
	switch (auth->mode) {
	case AUTH_NONE:
		return TRUE;
	case AUTH_BASIC:
		return identify_basic(auth, authorization, user);
	case AUTH_PROXY:
		if (proxy_user == NULL || !is_name(proxy_user))
			return FALSE;
		*user = g_strdup(proxy_user);
		return TRUE;
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

GBytes *auth_describe(const struct auth *auth, const char *user)
{
	json_object *document = json_object_new_object();
	json_object *roles = json_object_new_array();
	const char *text;
	gsize size;
	GBytes *bytes;

	json_object_array_add(roles, json_object_new_string("viewer"));
	if (auth_is_editor(auth, user))
		json_object_array_add(roles, json_object_new_string("editor"));
	json_object_object_add(document, "user", user != NULL ? json_object_new_string(user) : NULL);
	json_object_object_add(document, "roles", roles);
	json_object_object_add(document, "auth", json_object_new_string(modes[auth->mode]));
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
	auth->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
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
	g_strfreev(auth->editors);
	g_free(auth->path);
	g_mutex_clear(&auth->lock);
	g_free(auth);
}
