/*
 * pool.h - the parent's side of the ruad-parse workers: a document in, sink calls out.
 *
 * Workers are separate processes that have dropped all rights (server/worker/sandbox.h). They are reused for
 * speed; a worker is replaced after any mail that was not parsed without errors, and after max_mails mails. A
 * worker that crashes, hangs or violates the protocol affects only its document, never the caller. All
 * functions are thread-safe.
 */
#pragma once

#include "parser/report.h"
#include "server/worker/pool_options.h"

struct pool;

/* A pool. One worker is started at once, to check that it works; the others on first use. Options are copied.
 * RUAD_ERROR_SYSTEM if the worker cannot be started, or not in its sandbox. */
struct pool *pool_new(const struct pool_options *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Ends the workers. NULL is allowed. Must not be called during pool_run(). */
void pool_free(struct pool *pool);

/*
 * Parse document[0..size) and pass what is found to sink, on the caller's thread; waits for a free worker.
 * The sink may be slow: the worker then waits, and its timeout is suspended.
 *
 * RUAD_ERROR_SYNTAX  the worker crashed, hung or violated the protocol; what the sink received is void:
 * quarantine the document
 * RUAD_ERROR_SYSTEM  no worker could be started
 * any other          the sink's own error
 */
gboolean pool_run(struct pool *pool, const guint8 *document, gsize size, const struct report_sink *sink,
    gpointer user, GError **error) G_GNUC_WARN_UNUSED_RESULT;
