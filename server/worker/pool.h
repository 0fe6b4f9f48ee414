/*
 * pool.h - the parent's side of the ruad-parse workers: a document in, sink calls out.
 *
 * Workers are separate processes that have given up every right (server/worker/sandbox.h). They are kept for
 * speed; one that met anything but a clean mail, and one that has read max_mails, is replaced by a fresh one.
 * A worker that dies, hangs or lies costs the document it had, never the caller. All functions are
 * thread-safe.
 */
#pragma once

#include "parser/report.h"
#include "server/worker/pool_options.h"

struct pool;

/* A pool. One worker starts at once, to see that it can; the others when first needed. Options are copied.
 * RUAD_ERROR_SYSTEM when the worker cannot be run, or not in its sandbox. */
struct pool *pool_new(const struct pool_options *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Ends the workers. NULL is allowed. No pool_run() may be under way. */
void pool_free(struct pool *pool);

/*
 * Have document[0..size) parsed and pass what is found to sink, on the caller's thread; waits for a free
 * worker. The sink may be slow: the worker then waits, and its timeout is suspended.
 *
 * RUAD_ERROR_SYNTAX  the worker died, hung or lied; what the sink got is void: quarantine the document
 * RUAD_ERROR_SYSTEM  no worker could be started
 * any other          the sink's own error
 */
gboolean pool_run(struct pool *pool, const guint8 *document, gsize size, const struct report_sink *sink,
    gpointer user, GError **error) G_GNUC_WARN_UNUSED_RESULT;
