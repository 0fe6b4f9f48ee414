#include "server/notify/outbox.h"

#include "server/common/log.h"
#include "server/notify/destinations.h"

#define ADD    "SELECT ruad.outbox_add($1::text, $2::text[], $3::bytea)"
#define KEEP   "SELECT ruad.outbox_keep($1::text[])"
#define NEXT   "SELECT id, destination, key, content FROM ruad.outbox_next($1::text[])"
#define SENT   "SELECT ruad.outbox_sent($1::bigint)"
#define FAILED "SELECT ruad.outbox_failed($1::bigint, $2::text)"

char *outbox_array(const char *const *strings)
{
	GString *array = g_string_new("{");

	for (gsize i = 0; strings[i] != NULL; i++) {
		g_string_append(array, i == 0 ? "\"" : ",\"");
		for (const char *at = strings[i]; *at != '\0'; at++) {
			if (*at == '"' || *at == '\\')
				g_string_append_c(array, '\\');
			g_string_append_c(array, *at);
		}
		g_string_append_c(array, '"');
	}
	g_string_append_c(array, '}');
	return g_string_free(array, FALSE);
}

/* Call a function that returns one boolean or number; *answer is its text, transfer full. */
static gboolean ask(
    struct db *db, const char *sql, const struct db_value *params, guint n, char **answer, GError **error)
{
	struct db_rows *rows = db_query(db, sql, params, n, error);

	if (rows == NULL)
		return FALSE;
	*answer = g_strdup(db_rows_get(rows, 0, 0));
	db_rows_free(rows);
	return TRUE;
}

gboolean outbox_add(struct db *db, const char *what, const char *const *destinations, GBytes *content,
    gboolean *queued, GError **error)
{
	g_autofree char *array = outbox_array(destinations);
	g_autofree char *answer = NULL;
	gsize size;
	const void *data = g_bytes_get_data(content, &size);
	const struct db_value params[] = { DB_TEXT(what), DB_TEXT(array), DB_BYTES(data, size) };

	if (!ask(db, ADD, params, G_N_ELEMENTS(params), &answer, error))
		return FALSE;
	*queued = g_strcmp0(answer, "t") == 0;
	return TRUE;
}

gboolean outbox_keep(struct db *db, const char *const *destinations, GError **error)
{
	g_autofree char *array = outbox_array(destinations);
	g_autofree char *answer = NULL;

	if (!ask(db, KEEP, &DB_TEXT(array), 1, &answer, error))
		return FALSE;
	if (g_strcmp0(answer, "0") != 0)
		log_warning("%s messages are removed: [notify] no longer names their destination", answer);
	return TRUE;
}

/* -- sending -- */

/* A message that is locked. */
struct letter {
	const char *id;
	const char *destination;
	const char *key;
	GBytes *content;
};

static gboolean mark_sent(
    struct db *db, const struct letter *letter, const char *said, GHashTable *failures, GError **error)
{
	g_autofree char *quoted = log_quote(said);

	if (!db_exec(db, SENT, &DB_TEXT(letter->id), 1, error) || !db_exec(db, "COMMIT", NULL, 0, error))
		return FALSE;
	log_info("message %s was sent to %s: %s", letter->id, letter->destination, quoted);
	g_hash_table_remove(failures, letter->destination);
	return TRUE;
}

static gboolean mark_failed(
    struct db *db, const struct letter *letter, const GError *cause, GHashTable *failures, GError **error)
{
	const struct db_value params[] = { DB_TEXT(letter->id), DB_TEXT(cause->message) };
	g_autofree char *given_up = NULL;

	if (!ask(db, FAILED, params, G_N_ELEMENTS(params), &given_up, error) ||
	    !db_exec(db, "COMMIT", NULL, 0, error))
		return FALSE;
	if (g_strcmp0(given_up, "t") == 0)
		log_error("message %s to %s is given up after a week: %s", letter->id, letter->destination,
		    cause->message);
	else if (g_strcmp0(g_hash_table_lookup(failures, letter->destination), cause->message) != 0)
		log_warning("messages to %s wait: %s", letter->destination, cause->message);
	g_hash_table_replace(failures, g_strdup(letter->destination), g_strdup(cause->message));
	return TRUE;
}

/* Send one message of a destination that is not in tried, where it is added if that fails; *more is FALSE if
 * there is none. */
static gboolean send_one(struct db *db, const struct settings *settings, GPtrArray *tried,
    GHashTable *failures, struct errand *errand, gboolean *more, GError **error)
{
	g_autofree char *array = outbox_array((const char *const *)tried->pdata);
	struct db_rows *rows = db_query(db, NEXT, &DB_TEXT(array), 1, error);
	g_autoptr(GError) cause = NULL;
	g_autofree char *said = NULL;
	g_autoptr(GBytes) content = NULL;
	struct letter letter;
	gboolean good;

	if (rows == NULL)
		return FALSE;
	*more = db_rows_count(rows) > 0;
	if (!*more) {
		db_rows_free(rows);
		return db_exec(db, "COMMIT", NULL, 0, error);
	}
	content = db_rows_bytes(rows, 0, 3);
	letter = (struct letter){ db_rows_get(rows, 0, 0), db_rows_get(rows, 0, 1), db_rows_get(rows, 0, 2),
		content };
	said = destination_send(settings, letter.destination, letter.key, letter.content, &cause);
	if (said == NULL)
		g_ptr_array_insert(tried, (int)tried->len - 1, g_strdup(letter.destination));
	good = said != NULL ? mark_sent(db, &letter, said, failures, error)
			    : mark_failed(db, &letter, cause, failures, error);
	if (good)
		errand_add(errand, said != NULL ? ERRAND_DONE : ERRAND_LATER, 1);
	db_rows_free(rows);
	return good;
}

gboolean outbox_send(struct db *db, const struct settings *settings, GHashTable *failures,
    struct errand *errand, GError **error)
{
	g_autoptr(GPtrArray) tried = g_ptr_array_new_with_free_func(g_free); /* and failed */
	gboolean more = TRUE, good = TRUE;

	g_ptr_array_add(tried, NULL);
	while (good && more)
		good = db_exec(db, "BEGIN", NULL, 0, error) &&
		       send_one(db, settings, tried, failures, errand, &more, error);
	if (!good && db_alive(db) && !db_exec(db, "ROLLBACK", NULL, 0, NULL))
		g_debug("rollback failed");
	return good;
}
