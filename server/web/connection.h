/*
 * connection.h - a read-only connection to PostgreSQL for each thread, opened on first use and again if it is
 * lost; and a connection for each change, with a role that may make it.
 *
 * What a user who is limited to domains reads is limited by PostgreSQL: the statement then runs as
 * ruad_viewer (sql/roles/policies.sql).
 *
 * Knows nothing of HTTP or of the statements.
 */
#pragma once

#include <glib.h>

#include "server/database/db.h"

#define CONNECTION_PARAMS_MAX 32 /* of a statement; the limit of db.c */

enum connection_outcome {
	CONNECTION_ROWS,        /* the document is set; NULL if the statement gave SQL NULL or no row */
	CONNECTION_REFUSED,     /* SQLSTATE 22023: the function rejects a parameter's value (see refusal) */
	CONNECTION_BUSY,        /* the statement or a lock timed out (57014, 55P03) */
	CONNECTION_INTERRUPTED, /* connection_interrupt() cancelled the statement */
	CONNECTION_CROWDED,     /* the largest number of streams is in progress (stream.h) */
	CONNECTION_AWAY,        /* no connection, it was lost twice, or the server lacks a resource */
	CONNECTION_FAILED,      /* anything else: a fault of ruad */
};

/* What the function said of the value, in CONNECTION_REFUSED; else both are NULL. */
struct connection_refusal {
	char *message;
	char *parameter; /* the name of the parameter, or NULL */
};
void connection_refusal_clear(struct connection_refusal *refusal);

/* Call it once, before the first thread: the connection strings for reading, and for changing labels (NULL:
 * nobody may), both copied; and how many statements may run at the same time. */
void connection_init(const char *reader, const char *editor, guint statements);

/* Returns whether changes are possible. */
gboolean connection_may_edit(void);

/* Open another connection to read, set up like that of a thread; close it with db_close(). */
struct db *connection_open(GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Run a statement on a connection of this thread: db_query(), which connection_interrupt() can cancel. */
struct db_rows *connection_run(struct db *db, const char *sql, const struct db_value *params, guint n_params,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Cancel the statement that thread runs at this moment, if there is one. */
void connection_interrupt(GThread *thread);

/*
 * Cancel statements that have had their time; call it several times a second.
 *
 * The statement_timeout of role ruad_web is for a statement that runs alone. While n run, each has a part of
 * the database's machine, and its time passes n times as slowly: no request fails because others are asked.
 */
void connection_watch(void);

/* What a failed statement on db (NULL: there was no connection) means for the client. refusal may be NULL,
 * and must be empty. */
enum connection_outcome connection_outcome_of(const struct db *db, struct connection_refusal *refusal);

/* Limit the transaction that is open on db to the domains of user (ruad user). */
gboolean connection_limit(struct db *db, const char *user, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Pass n_params texts (NULL is SQL NULL) as parameters; borrowed. */
void connection_values(struct db_value values[CONNECTION_PARAMS_MAX], char *const params[], guint n_params);

/*
 * Run sql, which gives one row with one text column, on this thread's connection; if next is not NULL, a
 * second column for *next, which may be NULL. params are n texts, NULL is SQL NULL. *document and *next are
 * transfer full. limited is the user to whose domains the statement is limited, or NULL. All outcomes but
 * CONNECTION_ROWS set error, for the log. refusal: as in connection_outcome_of().
 */
enum connection_outcome connection_document(const char *limited, const char *sql, char *const params[],
    guint n_params, GBytes **document, char **next, struct connection_refusal *refusal,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The rows of sql, on this thread's connection; NULL with error set on failure. */
struct db_rows *connection_rows(
    const char *sql, char *const params[], guint n_params, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Run sql on this thread's connection in a transaction that may write, as far as the role may: it may add to
 * the audit log. */
gboolean connection_write(
    const char *sql, char *const params[], guint n_params, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Where the database is: db_where() of this thread's connection, or NULL if it has none. Transfer full. */
char *connection_database(void) G_GNUC_WARN_UNUSED_RESULT;

/* The same as connection_document() on a connection that may change labels, opened for this statement only.
 */
enum connection_outcome connection_edit(const char *sql, char *const params[], guint n_params,
    GBytes **document, struct connection_refusal *refusal, GError **error) G_GNUC_WARN_UNUSED_RESULT;
