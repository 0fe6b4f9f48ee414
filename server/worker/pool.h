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

/* Ends the workers. NULL is allowed. Must not be called during pool_run(), or before all tickets are
 * finished. */
void pool_free(struct pool *pool);

/* A document, and what hears what is in it. */
struct pool_job {
	const guint8 *document;
	gsize size;
	const struct report_sink *sink;
	gpointer user;   /* of sink */
	gint64 received; /* seconds since 1970 UTC, for note E2; 0: now */
};

/*
 * Have a document parsed and pass the results to its sink, on the caller's thread; waits for a free worker.
 * The sink may be slow: the worker then waits, and its timeout is suspended.
 *
 * RUAD_ERROR_SYNTAX  the worker died, hung or lied; what the sink got is void: quarantine the document
 * RUAD_ERROR_SYSTEM  no worker could be started
 * any other          the sink's own error
 */
gboolean pool_run(struct pool *pool, const struct pool_job *job, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * The same in two lanes, so that large documents do not keep small ones waiting. In the quick lane large
 * documents leave one worker to small ones, if there are several, and a document that takes long fails with
 * *slow TRUE: what its sink got is void, and it goes to the slow lane. There, half as many documents as there
 * are workers are read at a time, each by a process of its own with low priority.
 */
gboolean pool_run_quick(
    struct pool *pool, const struct pool_job *job, gboolean *slow, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean pool_run_slow(
    struct pool *pool, const struct pool_job *job, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* -- shared exchanges -- */

#define POOL_SHARED_MAX (16 * 1024) /* bytes of a document that shares: nearly all mails have less */

struct pool_ticket;

/* What the owner of a ticket is told, on any thread. */
struct pool_owner {
	/* Its thread must call pool_lead(). */
	void (*lead)(struct pool_ticket *ticket);
	/* What its sink was told is void; it is told again from the start. */
	void (*forget)(struct pool_ticket *ticket);
	/* It was read, if error is NULL; error, transfer full, and slow are those of pool_run_quick(). The
	 * pool does not use the ticket after this. */
	void (*finished)(struct pool_ticket *ticket, gboolean slow, GError *error);
};

/* A document, for pool_submit() of at most POOL_SHARED_MAX bytes. */
struct pool_ticket {
	struct pool_job job;
	const struct pool_owner *owner;
	GList link; /* of the pool */
};

/*
 * Queue a document for the quick lane. What waits when a worker becomes free is sent to it together, and
 * answered together: waking processes and threads costs more than reading a small mail. The thread of one of
 * them leads: it calls all their sinks. A document with which the worker dies, hangs or lies is read again
 * alone, as are those behind it, so that it affects only itself.
 *
 * Returns TRUE if the caller's thread must call pool_lead(). The ticket is borrowed until finished() is
 * called.
 */
gboolean pool_submit(struct pool *pool, struct pool_ticket *ticket) G_GNUC_WARN_UNUSED_RESULT;

/* Wait for a worker and have it read the first documents that wait. */
void pool_lead(struct pool *pool);

/* Have n documents read in few exchanges, on the caller's thread; nobody has to lead. All tickets are
 * finished when it returns. */
void pool_run_together(struct pool *pool, struct pool_ticket **tickets, gsize n);
