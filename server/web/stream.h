/*
 * stream.h - the rows of a cursor as one long text, in pieces, while they are made.
 *
 * Each stream has a connection of its own, so that a thread serves others while a client reads. What bounds a slow client is a number of
 * streams at a time, a time for each of them, and PostgreSQL, which ends a transaction that waits too long for the next FETCH. Knows
 * nothing of HTTP or of which statements there are.
 */
#pragma once

#include "server/web/connection.h"

#define STREAMS_MAX    4   /* at a time; each holds a connection and a snapshot */
#define STREAM_SECONDS 600 /* from its first row on; what is not read by then is cut */

struct stream;

/*
 * Run sql in a transaction; it gives one row with two columns, the first piece and the next page's cursor (or NULL), and leaves a cursor
 * named csv open, whose rows are texts. params are n texts. The first rows are made here, so that what fails fails before the answer
 * begins. *stream is NULL when the first column is. *next is transfer full. refusal: as in connection_outcome_of().
 */
enum connection_outcome stream_open(const char *sql, char *const params[], guint n_params,
    struct stream **stream, char **next, struct connection_refusal *refusal,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* TRUE when the piece that comes next is the last one. */
gboolean stream_is_short(const struct stream *stream);

/* The next piece, transfer full; NULL at the end, or with error set when the rest is lost. */
GBytes *stream_next(struct stream *stream, GError **error);

void stream_free(struct stream *stream); /* NULL is allowed */
