#include "server/database/db.h"

#include <libpq-fe.h>
#include <string.h>

#include "parser/error.h"

#define BYTEA_OID          17
#define CONNECT_SECONDS    "10"
#define SILENCE_MS         "30000" /* a peer that acknowledges nothing for so long is away */
#define MAX_PARAMS         32      /* more than any statement of ours has */
#define SQLSTATE_LIMIT     "53400" /* configuration_limit_exceeded: raised by our own functions only */
#define SQLSTATE_DEPENDENT "2BP01" /* dependent_objects_still_exist */
#define NO_SQLSTATE        ""
#define USUAL_PORT         "5432" /* of PostgreSQL */
#define PREPARED_PREFIX    "ruad"

struct db {
	PGconn *conn;
	GHashTable *prepared; /* SQL text -> statement name */
	/* of the last failure */
	char sqlstate[6];
	char *message; /* NULL: the server did not answer */
	char *hint;    /* NULL: none */
};

/* SQLSTATE classes of errors in the data: the same data will fail again. Other errors may be temporary. */
static const char *const data_classes[] = { "22", "23", "54" };

static gboolean sqlstate_blames_data(const char *sqlstate)
{
	for (gsize i = 0; i < G_N_ELEMENTS(data_classes); i++)
		if (strncmp(sqlstate, data_classes[i], 2) == 0)
			return TRUE;
	return FALSE;
}

/* The server's or the library's words on one line. */
static char *words(const char *message)
{
	g_auto(GStrv) lines = g_strsplit(message != NULL ? message : "", "\n", -1);
	GString *joined = g_string_new(NULL);

	for (gsize i = 0; lines[i] != NULL; i++)
		if (*g_strstrip(lines[i]) != '\0')
			g_string_append_printf(joined, "%s%s", joined->len == 0 ? "" : " ", lines[i]);
	if (joined->len == 0)
		g_string_append(joined, "no message");
	return g_string_free(joined, FALSE);
}

static void keep_field(char **kept, const PGresult *result, int field)
{
	g_free(*kept);
	*kept = result == NULL ? NULL : g_strdup(PQresultErrorField(result, field));
}

/* Set error and what db keeps of a failure from result, or from the connection when result is NULL. */
static void fail(struct db *db, const PGresult *result, GError **error)
{
	const char *sqlstate = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
	g_autofree char *text =
	    words(result != NULL ? PQresultErrorMessage(result) : PQerrorMessage(db->conn));
	gboolean data =
	    sqlstate != NULL && PQstatus(db->conn) == CONNECTION_OK && sqlstate_blames_data(sqlstate);

	g_strlcpy(db->sqlstate, sqlstate != NULL ? sqlstate : NO_SQLSTATE, sizeof db->sqlstate);
	keep_field(&db->message, result, PG_DIAG_MESSAGE_PRIMARY);
	keep_field(&db->hint, result, PG_DIAG_MESSAGE_HINT);
	if (sqlstate != NULL && strcmp(sqlstate, SQLSTATE_DEPENDENT) == 0) {
		/* which they are; other details may have data of a mail */
		g_autofree char *detail = words(PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL));
		g_autofree char *message = g_steal_pointer(&text);

		text = g_strdup_printf("%s: %s", message, detail);
	}
	enum ruad_error code = data ? RUAD_ERROR_SYNTAX : RUAD_ERROR_SYSTEM;
	if (strcmp(db->sqlstate, SQLSTATE_LIMIT) == 0)
		code = RUAD_ERROR_FULL;
	g_set_error(error, RUAD_ERROR, (gint)code, "database: %s", text);
}

/* Ignore notices. */
static void no_notice(void *user, const PGresult *result)
{
	(void)user;
	(void)result;
}

struct db *db_open(const char *conninfo, const char *program, GError **error)
{
	/* libpq expands dbname: it can change the parameters before it, but not those after it */
	const char *const keys[] = { "connect_timeout", "tcp_user_timeout", "fallback_application_name",
		"dbname", "client_encoding", NULL };
	const char *const values[] = { CONNECT_SECONDS, SILENCE_MS, program, conninfo, "UTF8", NULL };
	struct db *db = g_new0(struct db, 1);

	db->prepared = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	db->conn = PQconnectdbParams(keys, values, 1);
	if (db->conn == NULL)
		g_error("out of memory"); /* as GLib does */
	if (PQstatus(db->conn) != CONNECTION_OK) {
		fail(db, NULL, error);
		db_close(db);
		return NULL;
	}
	PQsetNoticeReceiver(db->conn, no_notice, NULL);
	/* without the statement, which function ran it, and the row, which is a mail's */
	PQsetErrorVerbosity(db->conn, PQERRORS_TERSE);
	return db;
}

/* Append "name=value", in quotes where libpq needs them; nothing if there is no value. */
static void add_word(GString *words, const char *name, const char *value)
{
	gboolean plain = value == NULL || strpbrk(value, " '\\\t\r\n") == NULL;

	if (value == NULL || *value == '\0')
		return;
	g_string_append_printf(words, "%s%s=%s", words->len > 0 ? " " : "", name, plain ? "" : "'");
	for (const char *at = value; *at != '\0'; at++) {
		if (*at == '\'' || *at == '\\')
			g_string_append_c(words, '\\');
		g_string_append_c(words, *at);
	}
	g_string_append(words, plain ? "" : "'");
}

char *db_where(const struct db *db)
{
	GString *words = g_string_new(NULL);
	const char *port = PQport(db->conn);

	add_word(words, "host", PQhost(db->conn));
	add_word(words, "port", g_strcmp0(port, USUAL_PORT) == 0 ? NULL : port);
	add_word(words, "dbname", PQdb(db->conn));
	return g_string_free(words, FALSE);
}

void db_close(struct db *db)
{
	if (db == NULL)
		return;
	PQfinish(db->conn);
	g_hash_table_unref(db->prepared);
	g_free(db->message);
	g_free(db->hint);
	g_free(db);
}

gboolean db_alive(const struct db *db)
{
	return PQstatus(db->conn) == CONNECTION_OK;
}

const char *db_sqlstate(const struct db *db)
{
	return db->sqlstate;
}

const char *db_message(const struct db *db)
{
	return db->message;
}

const char *db_hint(const struct db *db)
{
	return db->hint;
}

void db_cancel(struct db *db)
{
	PGcancel *cancel = PQgetCancel(db->conn);
	char words_of_no_use[256];

	if (cancel != NULL)
		(void)PQcancel(cancel, words_of_no_use, sizeof words_of_no_use);
	PQfreeCancel(cancel);
}

/* params in the arrays that libpq wants. */
struct arguments {
	Oid types[MAX_PARAMS];
	const char *values[MAX_PARAMS];
	int lengths[MAX_PARAMS];
	int formats[MAX_PARAMS];
};

static void arguments_fill(struct arguments *arguments, const struct db_value *params, guint n_params)
{
	g_assert(n_params <= MAX_PARAMS);
	for (guint i = 0; i < n_params; i++) {
		g_assert(params[i].size <= G_MAXINT);
		arguments->types[i] = params[i].binary ? BYTEA_OID : 0;
		arguments->values[i] = params[i].data;
		arguments->lengths[i] = (int)params[i].size;
		arguments->formats[i] = params[i].binary;
	}
}

/* The name under which sql is prepared on this connection, or NULL with error set. */
static const char *statement(struct db *db, const char *sql, guint n_params, const Oid *types, GError **error)
{
	const char *name = g_hash_table_lookup(db->prepared, sql);
	char *fresh;
	PGresult *result;

	if (name != NULL)
		return name;
	fresh = g_strdup_printf(PREPARED_PREFIX "%u", g_hash_table_size(db->prepared));
	result = PQprepare(db->conn, fresh, sql, (int)n_params, types);
	if (PQresultStatus(result) != PGRES_COMMAND_OK) {
		fail(db, result, error);
		PQclear(result);
		g_free(fresh);
		return NULL;
	}
	PQclear(result);
	g_hash_table_insert(db->prepared, g_strdup(sql), fresh);
	return fresh;
}

/* Returns result if it is a good one, else NULL with error set. */
static PGresult *checked(struct db *db, PGresult *result, GError **error)
{
	switch (PQresultStatus(result)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_COPY_IN:
		return result;
	default:
		fail(db, result, error);
		PQclear(result);
		return NULL;
	}
}

/* Prepare sql at its first use, and run it; the result is a good one, or NULL with error set. */
static PGresult *run(
    struct db *db, const char *sql, const struct db_value *params, guint n_params, GError **error)
{
	struct arguments arguments;
	const char *name;

	arguments_fill(&arguments, params, n_params);
	name = statement(db, sql, n_params, arguments.types, error);
	if (name == NULL)
		return NULL;
	return checked(db,
	    PQexecPrepared(
		db->conn, name, (int)n_params, arguments.values, arguments.lengths, arguments.formats, 0),
	    error);
}

gboolean db_exec(
    struct db *db, const char *sql, const struct db_value *params, guint n_params, GError **error)
{
	PGresult *result =
	    n_params > 0 ? run(db, sql, params, n_params, error) : checked(db, PQexec(db->conn, sql), error);

	if (result == NULL)
		return FALSE;
	PQclear(result);
	return TRUE;
}

/* A struct db_rows is a PGresult under a name of ours. */
struct db_rows *db_query(
    struct db *db, const char *sql, const struct db_value *params, guint n_params, GError **error)
{
	return (struct db_rows *)run(db, sql, params, n_params, error);
}

gsize db_rows_count(const struct db_rows *rows)
{
	return (gsize)PQntuples((const PGresult *)rows);
}

const char *db_rows_get(const struct db_rows *rows, gsize row, guint column)
{
	const PGresult *result = (const PGresult *)rows;

	g_assert(row < (gsize)PQntuples(result) && column < (guint)PQnfields(result));
	return PQgetisnull(result, (int)row, (int)column) ? NULL : PQgetvalue(result, (int)row, (int)column);
}

gsize db_rows_size(const struct db_rows *rows, gsize row, guint column)
{
	return (gsize)PQgetlength((const PGresult *)rows, (int)row, (int)column);
}

GBytes *db_rows_bytes(const struct db_rows *rows, gsize row, guint column)
{
	gsize size = 0;
	unsigned char *bytes = PQunescapeBytea((const unsigned char *)db_rows_get(rows, row, column), &size);

	if (bytes == NULL)
		g_error("out of memory"); /* as GLib does */
	return g_bytes_new_with_free_func(bytes, size, PQfreemem, bytes);
}

gboolean db_rows_number(const struct db_rows *rows, gsize row, guint column, gint64 least, gint64 most,
    gint64 *value, GError **error)
{
	const char *text = db_rows_get(rows, row, column);

	if (text && g_ascii_string_to_signed(text, 10, least, most, value, NULL))
		return TRUE;
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM,
	    "database: column %u is \"%s\", not a number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
	    column + 1, text ? text : "NULL", least, most);
	return FALSE;
}

void db_rows_free(struct db_rows *rows)
{
	PQclear((PGresult *)rows);
}

char *db_password_verifier(struct db *db, const char *user, const char *password, GError **error)
{
	char *verifier = PQencryptPasswordConn(db->conn, password, user, "scram-sha-256");
	char *copy = g_strdup(verifier);

	if (verifier == NULL)
		fail(db, NULL, error);
	PQfreemem(verifier);
	return copy;
}

gboolean db_copy_begin(struct db *db, const char *sql, GError **error)
{
	PGresult *result = checked(db, PQexec(db->conn, sql), error);

	if (result == NULL)
		return FALSE;
	g_assert(PQresultStatus(result) == PGRES_COPY_IN);
	PQclear(result);
	return TRUE;
}

/* Read the COPY's outcome: TRUE when it succeeded. */
static gboolean copy_outcome(struct db *db, GError **error)
{
	gboolean good = TRUE;
	PGresult *result;

	while ((result = PQgetResult(db->conn)) != NULL) {
		if (PQresultStatus(result) != PGRES_COMMAND_OK && good) {
			fail(db, result, error);
			good = FALSE;
		}
		PQclear(result);
		if (PQstatus(db->conn) != CONNECTION_OK)
			break;
	}
	if (good && PQstatus(db->conn) != CONNECTION_OK) {
		fail(db, NULL, error);
		good = FALSE;
	}
	return good;
}

static void copy_abort(struct db *db, const char *why)
{
	if (PQputCopyEnd(db->conn, why) == 1)
		(void)copy_outcome(db, NULL);
}

gboolean db_copy_put(struct db *db, const char *data, gsize size, GError **error)
{
	while (size > 0) {
		int piece = (int)MIN(size, (gsize)1 << 20);

		if (PQputCopyData(db->conn, data, piece) != 1) {
			fail(db, NULL, error);
			copy_abort(db, "the connection failed");
			return FALSE;
		}
		data += piece;
		size -= (gsize)piece;
	}
	return TRUE;
}

gboolean db_copy_end(struct db *db, GError **error)
{
	if (PQputCopyEnd(db->conn, NULL) != 1) {
		fail(db, NULL, error);
		return FALSE;
	}
	return copy_outcome(db, error);
}
