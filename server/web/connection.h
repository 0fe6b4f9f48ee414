/*
 * connection.h - each thread's read-only connection to PostgreSQL, opened when first asked for and again when
 * lost; and one for each change, as a role that may make it.
 *
 * Knows nothing of HTTP or of which statements there are.
 */
#pragma once

#include <glib.h>

#include "server/database/db.h"

#define CONNECTION_PARAMS_MAX 32 /* of a statement; db.c takes no more */

enum connection_outcome {
	CONNECTION_ROWS,    /* the document is set; NULL when the statement gave SQL NULL or no row */
	CONNECTION_REFUSED, /* SQLSTATE 22023: a parameter's value is not one the function takes (see refusal) */
	CONNECTION_BUSY,    /* the statement took longer than it may, or waited for a lock (57014, 55P03) */
	CONNECTION_CROWDED, /* as many streams are under way as may be (stream.h) */
	CONNECTION_AWAY,   /* no connection is available, it was lost twice, or the server lacks a resource */
	CONNECTION_FAILED, /* all else: our fault */
};

/* What the function said of the value, in CONNECTION_REFUSED; else both are NULL. */
struct connection_refusal {
	char *message;
	char *parameter; /* the name of the parameter, or NULL */
};
void connection_refusal_clear(struct connection_refusal *refusal);

/* Once, before the first thread: where to connect to read, and to change labels (NULL: nobody may). Both are copied. */
void connection_init(const char *reader, const char *editor);

/* Whether there is anywhere to connect to for changes. */
gboolean connection_may_edit(void);

/* One more connection to read, set up as a thread's own; close it with db_close(). */
struct db *connection_connection(GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What a failed statement on db (NULL: there was no connection) means to the one who asked. refusal may be
 * NULL, and must be empty. */
enum connection_outcome connection_outcome_of(const struct db *db, struct connection_refusal *refusal);

/* n_params texts (NULL is SQL NULL) as parameters; borrowed. */
void connection_values(struct db_value values[CONNECTION_PARAMS_MAX], char *const params[], guint n_params);

/*
 * Run sql, which gives one row with one text column, on this thread's connection; with next (not NULL) it has a second
 * column for *next, which may be NULL. params are n texts, NULL is SQL NULL. *document and *next are transfer full.
 * Other outcomes than CONNECTION_ROWS set error, for the log. refusal: as in connection_outcome_of().
 */
enum connection_outcome connection_document(const char *sql, char *const params[], guint n_params,
    GBytes **document, char **next, struct connection_refusal *refusal,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same on a connection that may change labels, open for this one statement. */
enum connection_outcome connection_edit(const char *sql, char *const params[], guint n_params,
    GBytes **document, struct connection_refusal *refusal, GError **error) G_GNUC_WARN_UNUSED_RESULT;
