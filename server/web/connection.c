#include "server/web/connection.h"

#include <string.h>

#include "parser/error.h"
#include "server/database/role.h"

#define PAUSE_US                                                                                             \
	G_USEC_PER_SEC /* between attempts after a failure: a thread must not block on each request */

/* No query of a page depends on the server's own settings; the role's time-outs limit how long it runs and
 * waits. */
#define SETUP                                                                                                \
	"SET search_path = api, dmarc; SET timezone = 'UTC'; SET datestyle = 'ISO'; SET application_name = " \
	"'ruad-web'"
#define READ_ONLY "SET default_transaction_read_only = on"

/* The role's time for a statement, in milliseconds (0: no limit); PostgreSQL gets $1 times as long before it
 * ends one itself. */
#define PATIENCE                                                                                             \
	"SELECT setting, set_config('statement_timeout', least(setting::bigint * $1::int, "                  \
	"2147483647)::text, "                                                                                \
	"false) FROM pg_settings WHERE name = 'statement_timeout'"

/* Until the end of the transaction. The compiler of expressions would take seconds: the planner overestimates
 * conditions that the policies add. */
#define LIMIT                                                                                                \
	"SELECT set_config('ruad.user', $1::text, true), set_config('jit', 'off', true), "                   \
	"set_config('role', 'ruad_viewer', true)"

/* The connection of a thread. */
struct connection {
	GThread *thread;
	struct db *db;
	gint64 failed_at; /* monotonic time of the last attempt to connect that failed, or 0 */

	GMutex lock;          /* protects the following members; held while a statement is cancelled */
	struct db *running;   /* any connection on which this thread runs a statement, or NULL */
	gboolean interrupted; /* the statement was cancelled by connection_interrupt() */
	gint64 counted;       /* monotonic time until which used counts */
	gint64 used;          /* microseconds of its time that the statement has had */
};

static GMutex threads_lock; /* protects the following two; taken before the lock of a connection */
static GHashTable *threads; /* the struct connection of each GThread that has one */
static gint64 patience;     /* microseconds that a statement may take alone; 0: as long as it wants */

/* Set once by connection_init(). */
static char *reader_conninfo;
static char *editor_conninfo; /* or NULL */
static char *most_statements; /* a number */

static void connection_free(gpointer data)
{
	struct connection *connection = data;

	g_mutex_lock(&threads_lock);
	g_hash_table_remove(threads, connection->thread); /* g_thread_self() is no longer valid here */
	g_mutex_unlock(&threads_lock);
	db_close(connection->db);
	g_mutex_clear(&connection->lock);
	g_free(connection);
}

static GPrivate of_thread = G_PRIVATE_INIT(connection_free);

void connection_init(const char *reader, const char *editor, guint statements)
{
	g_assert(reader_conninfo == NULL);
	reader_conninfo = g_strdup(reader);
	editor_conninfo = g_strdup(editor);
	most_statements = g_strdup_printf("%u", statements);
	threads = g_hash_table_new(g_direct_hash, g_direct_equal);
}

gboolean connection_may_edit(void)
{
	return editor_conninfo != NULL;
}

static struct connection *connection_get(void)
{
	struct connection *connection = g_private_get(&of_thread);

	if (connection == NULL) {
		connection = g_new0(struct connection, 1);
		connection->thread = g_thread_self();
		g_mutex_init(&connection->lock);
		g_private_set(&of_thread, connection);
		g_mutex_lock(&threads_lock);
		g_hash_table_insert(threads, connection->thread, connection);
		g_mutex_unlock(&threads_lock);
	}
	return connection;
}

static void set_running(struct connection *connection, struct db *db)
{
	g_mutex_lock(&connection->lock);
	connection->running = db;
	if (db != NULL) {
		connection->interrupted = FALSE;
		connection->counted = g_get_monotonic_time();
		connection->used = 0;
	}
	g_mutex_unlock(&connection->lock);
}

struct db_rows *connection_run(
    struct db *db, const char *sql, const struct db_value *params, guint n_params, GError **error)
{
	struct connection *connection = connection_get();
	struct db_rows *rows;

	set_running(connection, db);
	rows = db_query(db, sql, params, n_params, error);
	set_running(connection, NULL);
	return rows;
}

void connection_interrupt(GThread *thread)
{
	struct connection *connection;

	/* held to the end, so that the thread cannot end and free its connection */
	g_mutex_lock(&threads_lock);
	connection = g_hash_table_lookup(threads, thread);
	if (connection != NULL) {
		g_mutex_lock(&connection->lock);
		if (connection->running != NULL) {
			connection->interrupted = TRUE;
			db_cancel(connection->running);
		}
		g_mutex_unlock(&connection->lock);
	}
	g_mutex_unlock(&threads_lock);
}

static guint n_running(void)
{
	GHashTableIter iter;
	gpointer value;
	guint n = 0;

	g_hash_table_iter_init(&iter, threads);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct connection *connection = value;

		g_mutex_lock(&connection->lock);
		n += connection->running != NULL;
		g_mutex_unlock(&connection->lock);
	}
	return n;
}

/* Count the time since the last call, of which the statement had one of n parts. */
static void watch_one(struct connection *connection, gint64 now, guint n)
{
	g_mutex_lock(&connection->lock);
	if (connection->running != NULL && now > connection->counted) {
		connection->used += (now - connection->counted) / MAX(n, 1);
		connection->counted = now;
		if (patience > 0 && connection->used > patience)
			db_cancel(connection->running);
	}
	g_mutex_unlock(&connection->lock);
}

void connection_watch(void)
{
	gint64 now = g_get_monotonic_time();
	GHashTableIter iter;
	gpointer connection;
	guint n;

	g_mutex_lock(&threads_lock);
	n = n_running();
	g_hash_table_iter_init(&iter, threads);
	while (g_hash_table_iter_next(&iter, NULL, &connection))
		watch_one(connection, now, n);
	g_mutex_unlock(&threads_lock);
}

static void connection_drop(struct connection *connection)
{
	db_close(connection->db);
	connection->db = NULL;
}

/* Leave it to connection_watch() to end statements in time. */
static gboolean be_patient(struct db *db, GError **error)
{
	const struct db_value most = DB_TEXT(most_statements);
	struct db_rows *rows = db_query(db, PATIENCE, &most, 1, error);
	gint64 milliseconds = 0;
	gboolean good = rows != NULL && db_rows_number(rows, 0, 0, 0, G_MAXINT, &milliseconds, error);

	db_rows_free(rows);
	g_mutex_lock(&threads_lock);
	if (good)
		patience = milliseconds * (G_USEC_PER_SEC / 1000);
	g_mutex_unlock(&threads_lock);
	return good;
}

struct db *connection_open(GError **error)
{
	struct db *db = db_open(reader_conninfo, "ruad-web", error);

	if (db != NULL && !(role_assume(db, "ruad_web", error) && db_exec(db, READ_ONLY, NULL, 0, error) &&
			      db_exec(db, SETUP, NULL, 0, error) && be_patient(db, error)))
		g_clear_pointer(&db, db_close);
	return db;
}

static gboolean connection_connect(struct connection *connection, GError **error)
{
	gint64 now = g_get_monotonic_time();

	if (connection->failed_at != 0 && now - connection->failed_at < PAUSE_US) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "database: could not connect a moment ago");
		return FALSE;
	}
	connection->db = connection_open(error);
	connection->failed_at = connection->db == NULL ? g_get_monotonic_time() : 0;
	return connection->db != NULL;
}

gboolean connection_limit(struct db *db, const char *user, GError **error)
{
	const struct db_value name = DB_TEXT(user);

	return db_exec(db, LIMIT, &name, 1, error);
}

/* connection_run(); for a limited user in a transaction, which connection_finish() ends. */
static struct db_rows *connection_run_for(struct db *db, const char *limited, const char *sql,
    const struct db_value *params, guint n_params, GError **error)
{
	if (limited != NULL &&
	    !(db_exec(db, "BEGIN", NULL, 0, error) && connection_limit(db, limited, error)))
		return NULL;
	return connection_run(db, sql, params, n_params, error);
}

/* End the transaction of a limited user, and drop a connection that is lost. */
static void connection_finish(struct connection *connection, const char *limited)
{
	if (connection->db == NULL)
		return;
	if ((limited != NULL && !db_exec(connection->db, "ROLLBACK", NULL, 0, NULL)) ||
	    !db_alive(connection->db))
		connection_drop(connection);
}

/* The rows, or NULL with error set; a lost connection is opened again once. */
static struct db_rows *connection_query(struct connection *connection, const char *limited, const char *sql,
    const struct db_value *params, guint n_params, GError **error)
{
	gboolean fresh = connection->db == NULL;
	g_autoptr(GError) first = NULL;
	struct db_rows *rows;

	if (fresh && !connection_connect(connection, error))
		return NULL;
	rows = connection_run_for(connection->db, limited, sql, params, n_params, &first);
	if (rows != NULL)
		return rows;
	if (db_alive(connection->db) || fresh) {
		g_propagate_error(error, g_steal_pointer(&first));
		return NULL;
	}
	connection_drop(connection);
	if (!connection_connect(connection, error))
		return NULL;
	return connection_run_for(connection->db, limited, sql, params, n_params, error);
}

void connection_refusal_clear(struct connection_refusal *refusal)
{
	g_clear_pointer(&refusal->message, g_free);
	g_clear_pointer(&refusal->parameter, g_free);
}

enum connection_outcome connection_outcome_of(const struct db *db, struct connection_refusal *refusal)
{
	const char *state = db != NULL ? db_sqlstate(db) : "";

	if (db == NULL || !db_alive(db))
		return CONNECTION_AWAY;
	if (strcmp(state, "22023") == 0) {
		if (refusal != NULL)
			*refusal =
			    (struct connection_refusal){ g_strdup(db_message(db)), g_strdup(db_hint(db)) };
		return CONNECTION_REFUSED;
	}
	if (strcmp(state, "57014") == 0 && connection_get()->interrupted)
		return CONNECTION_INTERRUPTED;
	if (strcmp(state, "57014") == 0 || strcmp(state, "55P03") == 0)
		return CONNECTION_BUSY;
	if (strncmp(state, "53", 2) == 0 || strncmp(state, "55", 2) == 0 || strncmp(state, "57", 2) == 0 ||
	    strncmp(state, "40", 2) == 0)
		return CONNECTION_AWAY;
	return CONNECTION_FAILED;
}

void connection_values(struct db_value values[CONNECTION_PARAMS_MAX], char *const params[], guint n_params)
{
	g_assert(n_params <= CONNECTION_PARAMS_MAX);
	for (guint i = 0; i < n_params; i++)
		values[i] = DB_TEXT(params[i]);
}

/* Take the values of the only row, if there is one; takes rows. */
static void take(struct db_rows *rows, GBytes **document, char **next)
{
	*document = NULL;
	if (db_rows_count(rows) > 0 && db_rows_get(rows, 0, 0) != NULL)
		*document = g_bytes_new(db_rows_get(rows, 0, 0), db_rows_size(rows, 0, 0));
	if (next != NULL)
		*next = db_rows_count(rows) > 0 ? g_strdup(db_rows_get(rows, 0, 1)) : NULL;
	db_rows_free(rows);
}

enum connection_outcome connection_document(const char *limited, const char *sql, char *const params[],
    guint n_params, GBytes **document, char **next, struct connection_refusal *refusal, GError **error)
{
	struct connection *connection = connection_get();
	struct db_value values[CONNECTION_PARAMS_MAX];
	enum connection_outcome outcome = CONNECTION_ROWS;
	struct db_rows *rows;

	connection_values(values, params, n_params);
	rows = connection_query(connection, limited, sql, values, n_params, error);
	if (rows != NULL)
		take(rows, document, next);
	else
		outcome = connection_outcome_of(connection->db, refusal);
	connection_finish(connection, limited);
	return outcome;
}

struct db_rows *connection_rows(const char *sql, char *const params[], guint n_params, GError **error)
{
	struct connection *connection = connection_get();
	struct db_value values[CONNECTION_PARAMS_MAX];
	struct db_rows *rows;

	connection_values(values, params, n_params);
	rows = connection_query(connection, NULL, sql, values, n_params, error);
	if (rows == NULL && connection->db != NULL && !db_alive(connection->db))
		connection_drop(connection);
	return rows;
}

/* After a failure the connection is dropped, which also ends the transaction. */
gboolean connection_write(const char *sql, char *const params[], guint n_params, GError **error)
{
	struct connection *connection = connection_get();
	struct db_value values[CONNECTION_PARAMS_MAX];
	struct db_rows *begun = connection_query(connection, NULL, "BEGIN READ WRITE", NULL, 0, error);
	struct db_rows *rows = NULL;
	gboolean good;

	connection_values(values, params, n_params);
	if (begun != NULL)
		rows = connection_run(connection->db, sql, values, n_params, error);
	good = rows != NULL && db_exec(connection->db, "COMMIT", NULL, 0, error);
	g_clear_pointer(&begun, db_rows_free);
	g_clear_pointer(&rows, db_rows_free);
	if (!good)
		connection_drop(connection);
	return good;
}

char *connection_database(void)
{
	const struct connection *connection = connection_get();

	return connection->db == NULL ? NULL : db_where(connection->db);
}

enum connection_outcome connection_edit(const char *sql, char *const params[], guint n_params,
    GBytes **document, struct connection_refusal *refusal, GError **error)
{
	struct db *db = db_open(editor_conninfo, "ruad-web", error);
	struct db_value values[CONNECTION_PARAMS_MAX];
	struct db_rows *rows = NULL;
	enum connection_outcome outcome = CONNECTION_ROWS;

	connection_values(values, params, n_params);
	if (db != NULL && role_assume(db, "ruad_editor", error) && db_exec(db, SETUP, NULL, 0, error))
		rows = connection_run(db, sql, values, n_params, error);
	if (rows != NULL)
		take(rows, document, NULL);
	else
		outcome = connection_outcome_of(db, refusal);
	db_close(db);
	return outcome;
}
