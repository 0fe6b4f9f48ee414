#include "server/web/audit.h"

#include <json-c/json.h>
#include <string.h>

#include "server/common/log.h"
#include "server/web/connection.h"
#include "server/web/throttle.h"

#define ADD "SELECT api.audit_add($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::jsonb)"

#define LOGIN_FOR      (12 * 60 * 60 * G_TIME_SPAN_SECOND) /* how long a login counts as the same */
#define RETRY_AFTER    G_TIME_SPAN_MINUTE                  /* for a login that could not be logged */
#define LOGINS_MAX     4096
#define FAILURES_MAX   10   /* entries a minute */
#define QUERY_TEXT_MAX 4000 /* bytes of a query string */

/* A person needs a few downloads, a program that reads CSV page by page hundreds. */
static const struct throttle_options for_exports = { .free = 600,
	.first = G_TIME_SPAN_SECOND,
	.most = G_TIME_SPAN_SECOND,
	.keep = G_TIME_SPAN_MINUTE,
	.keys = 4096 };

static struct {
	GMutex lock;
	GHashTable
	    *logins;    /* login_word() -> gint64, monotonic time until which it is the same login; or NULL */
	gint64 minute;  /* monotonic time when it began */
	guint failures; /* entries in this minute */
	guint omitted;  /* failures since the last entry */
} state;

/* An entry; texts are borrowed, and may be NULL. */
struct entry {
	const char *action;
	const char *user;
	const char *via;
	const char *token;
	const char *object;
	json_object *detail; /* owned by the caller */
};

static gboolean add(const struct visit *visit, const struct entry *entry, GError **error)
{
	const char *detail = entry->detail != NULL
				 ? json_object_to_json_string_ext(entry->detail, JSON_C_TO_STRING_PLAIN)
				 : NULL;
	const char *const params[] = { entry->action, entry->user, entry->via, entry->token,
		visit->request->client->address, entry->object, detail };

	return connection_write(ADD, (char *const *)params, G_N_ELEMENTS(params), error);
}

/* Add an entry of the visit's user; detail may be NULL, and is borrowed. */
static gboolean add_of_user(const struct visit *visit, const char *action, json_object *detail)
{
	const struct entry entry = {
		.action = action,
		.user = visit->user,
		.via = visit->token != NULL ? "token" : "page",
		.token = visit->token != NULL ? visit->token->name : NULL,
		.detail = detail,
	};
	g_autoptr(GError) error = NULL;

	if (add(visit, &entry, &error))
		return TRUE;
	log_warning("audit log: a %s was not recorded: %s", action, error->message);
	return FALSE;
}

/* -- logins -- */

/* The same for requests that belong to one login; transfer full. */
static char *login_word(const struct visit *visit)
{
	return g_strdup_printf("%s\n%s\n%s", visit->user, visit->token != NULL ? visit->token->name : "",
	    visit->request->client->name);
}

/* Set until when requests with this word are the same login; takes it. Call it with the lock held. */
static void set_login(char *word, gint64 until)
{
	if (state.logins == NULL)
		state.logins = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	if (g_hash_table_size(state.logins) >= LOGINS_MAX)
		g_hash_table_remove_all(state.logins);
	g_hash_table_insert(state.logins, word, g_memdup2(&until, sizeof until));
}

/* Returns whether the login is new, and remembers it. */
static gboolean is_new_login(const char *word, gint64 now)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&state.lock);
	const gint64 *until = state.logins != NULL ? g_hash_table_lookup(state.logins, word) : NULL;

	if (until != NULL && now < *until)
		return FALSE;
	set_login(g_strdup(word), now + LOGIN_FOR);
	return TRUE;
}

void audit_login(const struct visit *visit)
{
	g_autofree char *word = NULL;
	gint64 now = g_get_monotonic_time();

	if (visit->user == NULL)
		return;
	word = login_word(visit);
	if (!is_new_login(word, now) || add_of_user(visit, "login", NULL))
		return;
	g_mutex_lock(&state.lock);
	set_login(g_steal_pointer(&word), now + RETRY_AFTER);
	g_mutex_unlock(&state.lock);
}

void audit_logout(const struct visit *visit)
{
	g_autofree char *word = login_word(visit);

	g_mutex_lock(&state.lock);
	if (state.logins != NULL)
		g_hash_table_remove(state.logins, word);
	g_mutex_unlock(&state.lock);
	(void)add_of_user(visit, "logout", NULL);
}

/* Returns whether this failure gets an entry; *omitted is how many before it did not. */
static gboolean take_failure(guint *omitted)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&state.lock);
	gint64 now = g_get_monotonic_time();

	if (state.minute == 0 || now - state.minute >= G_TIME_SPAN_MINUTE) {
		state.minute = now;
		state.failures = 0;
	}
	if (state.failures >= FAILURES_MAX) {
		state.omitted++;
		return FALSE;
	}
	state.failures++;
	*omitted = state.omitted;
	state.omitted = 0;
	return TRUE;
}

void audit_login_failed(const struct visit *visit, const char *user)
{
	struct entry entry = {
		.action = "login_failed", .user = user, .via = user != NULL ? "page" : "token"
	};
	g_autoptr(GError) error = NULL;
	guint omitted;

	if (!take_failure(&omitted))
		return;
	if (omitted > 0) {
		entry.detail = json_object_new_object();
		json_object_object_add(entry.detail, "omitted", json_object_new_int64(omitted));
	}
	if (!add(visit, &entry, &error))
		log_warning("audit log: a failed login was not recorded: %s", error->message);
	json_object_put(entry.detail);
}

/* -- uploads -- */

void audit_upload(const struct visit *visit, const GArray *mails)
{
	json_object *detail = json_object_new_object();
	json_object *numbers = json_object_new_array();

	for (guint i = 0; i < mails->len; i++)
		json_object_array_add(numbers, json_object_new_int64(g_array_index(mails, gint64, i)));
	json_object_object_add(detail, "mails", numbers);
	(void)add_of_user(visit, "upload", detail);
	json_object_put(detail);
}

/* -- downloads -- */

guint audit_export_wait(const struct visit *visit)
{
	static gsize made;
	static struct throttle *exports;
	const char *key = visit->user != NULL ? visit->user : visit->request->client->name;
	gint64 now = g_get_monotonic_time();
	gint64 left;

	if (g_once_init_enter(&made)) {
		exports = throttle_new(&for_exports);
		g_once_init_leave(&made, 1);
	}
	left = throttle_wait(exports, key, now);
	if (left > 0)
		return (guint)(left / G_USEC_PER_SEC) + 1;
	throttle_failed(exports, key, now);
	return 0;
}

/* {"query": "format=csv&domain=example.com"}, or NULL if there is no query; transfer full. */
static json_object *detail_of(const char *target)
{
	const char *query = strchr(target, '?');
	g_autofree char *text = NULL;
	json_object *detail;

	if (query == NULL)
		return NULL;
	text = g_utf8_make_valid(query + 1, (gssize)MIN(strlen(query + 1), QUERY_TEXT_MAX));
	detail = json_object_new_object();
	json_object_object_add(detail, "query", json_object_new_string(text));
	return detail;
}

gboolean audit_export(const struct visit *visit, GError **error)
{
	const struct entry entry = {
		.action = "export",
		.user = visit->user,
		.via = visit->token != NULL ? "token" : "page",
		.token = visit->token != NULL ? visit->token->name : NULL,
		.object = visit->query->path,
		.detail = detail_of(visit->request->target),
	};
	gboolean good = add(visit, &entry, error);

	json_object_put(entry.detail);
	return good;
}
