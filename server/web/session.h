/*
 * session.h - each thread's read-only connection to PostgreSQL, opened when first asked for and again when
 * lost.
 *
 * Knows nothing of HTTP or of which statements there are.
 */
#pragma once

#include <glib.h>

#include "server/common/db.h"

enum session_outcome {
	SESSION_ROWS,    /* the document is set; NULL when the statement gave SQL NULL or no row */
	SESSION_REFUSED, /* SQLSTATE 22023: a parameter's value is not one the function takes; error has its
			    words */
	SESSION_BUSY,    /* the statement took longer than it may (57014) */
	SESSION_AWAY,   /* no connection to be had, or it was lost twice, or the server is out of something */
	SESSION_FAILED, /* all else: our fault */
};

/* Once, before the first thread: where to connect; conninfo is copied. */
void session_init(const char *conninfo);

/*
 * Run sql, which gives one row with one text column, on this thread's connection. params are n texts, NULL is
 * SQL NULL. *document is transfer full. Other outcomes than SESSION_ROWS set error, for the log; that of
 * SESSION_REFUSED is for the client, too.
 */
enum session_outcome session_document(const char *sql, char *const params[], guint n_params,
    GBytes **document, GError **error) G_GNUC_WARN_UNUSED_RESULT;
