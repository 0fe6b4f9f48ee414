/*
 * stream.h - the rows of a cursor as one long text, sent in pieces while they are computed.
 *
 * Each stream has a separate connection, so that a thread serves others while a client reads. Slow clients
 * are limited by the number of streams, by a time for each of them, and by PostgreSQL, which ends a
 * transaction that waits too long for the next FETCH. Knows nothing of HTTP or of the statements.
 */
#pragma once

#include "server/web/connection.h"

#define STREAMS_MAX    4   /* at the same time; each holds a connection and a snapshot */
#define STREAM_SECONDS 600 /* from its first row; then it is aborted */

struct stream;

/*
 * Run sql in a transaction; it gives one row with two columns, the first piece and the next page's cursor (or
 * NULL), and leaves a cursor named csv open, whose rows are texts. params are n texts. The first rows are
 * fetched here, so that errors occur before the response begins. *stream is NULL if the first column is.
 * *next is transfer full. limited: as in connection_document(). refusal: as in connection_outcome_of().
 */
enum connection_outcome stream_open(const char *limited, const char *sql, char *const params[],
    guint n_params, struct stream **stream, char **next, struct connection_refusal *refusal,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Returns TRUE if the next piece is the last one. */
gboolean stream_is_short(const struct stream *stream);

/* The next piece, transfer full; NULL at the end, or with error set if the rest is lost. */
GBytes *stream_next(struct stream *stream, GError **error);

void stream_free(struct stream *stream); /* NULL is allowed */
