/*
 * db.h - one connection to PostgreSQL; the only file that touches libpq.
 *
 * Statements are constants with $n parameters; values are never formatted into them. Errors have the server's
 * message. Their code says what to do: RUAD_ERROR_SYNTAX if this data will always be refused (SQLSTATE
 * classes 22, 23, 54); RUAD_ERROR_SYSTEM otherwise, because a later try may succeed. One thread at a time may
 * use a connection, except for db_cancel().
 */
#pragma once

#include <glib.h>

struct db;

/* Connect, within 10 s for each address. conninfo: key=value words or a postgresql:// URI. program: the name
 * of the session. */
struct db *db_open(const char *conninfo, const char *program, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void db_close(struct db *db); /* NULL is allowed */

/* Where the database is, as words of libpq: host (a name, or the folder of a socket), port unless it is the
 * usual one, dbname. Without user, password and other secrets. Transfer full. */
char *db_where(const struct db *db) G_GNUC_WARN_UNUSED_RESULT;

/* Returns FALSE once the connection is lost: close it and open another. */
gboolean db_alive(const struct db *db);

/* A parameter. data NULL is SQL NULL; binary: bytea in binary form, else text. */
struct db_value {
	const char *data;
	gsize size; /* bytes; used only when binary */
	gboolean binary;
};

#define DB_TEXT(s)         ((struct db_value){ .data = (s) })
#define DB_BYTES(bytes, n) ((struct db_value){ .data = (const char *)(bytes), .size = (n), .binary = TRUE })

/* The rows of a result. Values are text, borrowed from it. */
struct db_rows;
gsize db_rows_count(const struct db_rows *rows);
const char *db_rows_get(const struct db_rows *rows, gsize row, guint column); /* NULL for SQL NULL */
gsize db_rows_size(const struct db_rows *rows, gsize row, guint column);      /* bytes */
GBytes *db_rows_bytes(const struct db_rows *rows, gsize row, guint column);   /* of a bytea; transfer full */
void db_rows_free(struct db_rows *rows);

/* Read a number from least to most. RUAD_ERROR_SYSTEM if it is not one: our SQL and our C do not agree. */
gboolean db_rows_number(const struct db_rows *rows, gsize row, guint column, gint64 least, gint64 most,
    gint64 *value, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Run a statement and ignore its rows. With parameters it is prepared like that of db_query(); without, it
 * may be several statements, joined by ';'. */
gboolean db_exec(struct db *db, const char *sql, const struct db_value *params, guint n_params,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Run one statement and return its rows, transfer full. It is prepared at its first use, and kept prepared
 * until db_close(). */
struct db_rows *db_query(struct db *db, const char *sql, const struct db_value *params, guint n_params,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * The SCRAM-SHA-256 verifier that the server stores for a password: a statement with it sets the password
 * without sending it to the server or its log. Transfer full.
 */
char *db_password_verifier(
    struct db *db, const char *user, const char *password, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The last failure; borrowed until the next call. */
const char *db_sqlstate(const struct db *db); /* "57014"; "" if the server did not answer, or none failed */
const char *db_message(const struct db *db);  /* the primary message; NULL likewise */
const char *db_hint(const struct db *db);     /* HINT; NULL if there is none */

/* Cancel the statement that another thread runs on this connection; that thread gets an error. */
void db_cancel(struct db *db);

/* COPY ... FROM STDIN: begin, any number of puts, end. A failed put or end ends the COPY. */
gboolean db_copy_begin(struct db *db, const char *sql, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean db_copy_put(struct db *db, const char *data, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean db_copy_end(struct db *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;
