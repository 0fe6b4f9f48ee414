#include "server/web/stream.h"

#include "parser/error.h"

/* A client that reads slowly makes the transaction wait; the database ends one that waits longer than
 * this. */
#define BEGIN "SET idle_in_transaction_session_timeout = '60s'; BEGIN READ ONLY"

#define ROWS  1000 /* of a piece; as in FETCH */
#define FETCH "FETCH 1000 FROM csv"

struct stream {
	struct db *db;   /* NULL once all rows were fetched */
	GBytes *piece;   /* the next one, or NULL */
	gint64 deadline; /* monotonic time */
};

static gint streams; /* atomic: how many there are */

/* Fetch rows and append them to text; after the last one the connection is closed. */
static gboolean fetch(struct stream *stream, GString *text, GError **error)
{
	struct db_rows *rows = connection_run(stream->db, FETCH, NULL, 0, error);
	gsize n_rows;

	if (rows == NULL)
		return FALSE;
	n_rows = db_rows_count(rows);
	for (gsize row = 0; row < n_rows; row++)
		g_string_append_len(text, db_rows_get(rows, row, 0), (gssize)db_rows_size(rows, row, 0));
	db_rows_free(rows);
	if (n_rows < ROWS)
		g_clear_pointer(&stream->db, db_close);
	return TRUE;
}

/* Run sql and fetch the first rows. Returns TRUE without a piece if sql gives SQL NULL. */
static gboolean begin(struct stream *stream, const char *limited, const char *sql,
    const struct db_value *params, guint n_params, char **next, GError **error)
{
	struct db_rows *rows = NULL;
	GString *text;
	gboolean good = TRUE;

	if (db_exec(stream->db, BEGIN, NULL, 0, error) &&
	    (limited == NULL || connection_limit(stream->db, limited, error)))
		rows = connection_run(stream->db, sql, params, n_params, error);
	if (rows == NULL)
		return FALSE;
	if (db_rows_count(rows) > 0 && db_rows_get(rows, 0, 0) != NULL) {
		text = g_string_new(db_rows_get(rows, 0, 0));
		*next = g_strdup(db_rows_get(rows, 0, 1));
		good = fetch(stream, text, error);
		stream->piece = g_string_free_to_bytes(text);
	}
	db_rows_free(rows);
	return good;
}

enum connection_outcome stream_open(const char *limited, const char *sql, char *const params[],
    guint n_params, struct stream **stream, char **next, struct connection_refusal *refusal, GError **error)
{
	struct stream *made = g_new0(struct stream, 1);
	struct db_value values[CONNECTION_PARAMS_MAX];
	enum connection_outcome outcome = CONNECTION_ROWS;

	*stream = NULL;
	*next = NULL;
	made->deadline = g_get_monotonic_time() + STREAM_SECONDS * G_USEC_PER_SEC;
	if (g_atomic_int_add(&streams, 1) >= STREAMS_MAX) {
		g_set_error(
		    error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "%d downloads are in progress", STREAMS_MAX);
		outcome = CONNECTION_CROWDED;
	} else {
		connection_values(values, params, n_params);
		made->db = connection_open(error);
		if (made->db == NULL || !begin(made, limited, sql, values, n_params, next, error))
			outcome = connection_outcome_of(made->db, refusal);
	}
	if (outcome == CONNECTION_ROWS && made->piece != NULL)
		*stream = g_steal_pointer(&made);
	else
		g_clear_pointer(next, g_free);
	stream_free(made);
	return outcome;
}

gboolean stream_is_short(const struct stream *stream)
{
	return stream->db == NULL;
}

GBytes *stream_next(struct stream *stream, GError **error)
{
	GString *text;

	if (stream->piece != NULL)
		return g_steal_pointer(&stream->piece);
	if (stream->db == NULL)
		return NULL;
	if (g_get_monotonic_time() > stream->deadline) {
		g_set_error(
		    error, RUAD_ERROR, RUAD_ERROR_LIMIT, "not read within %d seconds", STREAM_SECONDS);
		return NULL;
	}
	text = g_string_new(NULL);
	if (!fetch(stream, text, error)) {
		g_string_free(text, TRUE);
		return NULL;
	}
	if (text->len > 0)
		return g_string_free_to_bytes(text);
	g_string_free(text, TRUE);
	return NULL;
}

void stream_free(struct stream *stream)
{
	if (stream == NULL)
		return;
	db_close(stream->db);
	g_clear_pointer(&stream->piece, g_bytes_unref);
	g_free(stream);
	g_atomic_int_add(&streams, -1);
}
