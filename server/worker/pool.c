#include "server/worker/pool.h"

#include <poll.h>

#include "parser/error.h"
#include "server/worker/process.h"
#include "server/worker/talk.h"

#define QUICK (50 * 1000) /* microseconds of processor time: some fifty times that of a usual report */
#define USUAL (64 * 1024) /* bytes: few documents are larger, and those may take long */

struct worker {
	struct process *process;
	guint mails;   /* documents it was given */
	gint64 waited; /* microseconds that we waited for it in total */
};

struct pool {
	struct pool_options options; /* owns its strings */
	struct talk_bounds bounds;
	GMutex mutex;
	GCond freed;
	GQueue idle;  /* struct worker, last used first: their caches are warm */
	guint living; /* idle and busy ones */
	GCond freed_for_large;
	guint large; /* busy ones that read large documents: they leave one to small documents */
	GCond slow_freed;
	guint slow;      /* documents in the slow lane */
	GQueue shared;   /* struct pool_ticket, that wait for an exchange */
	gboolean is_led; /* the thread of the first of them leads, and waits for a worker */
};

/* -- a worker -- */

static void worker_free(struct worker *worker)
{
	process_end(worker->process);
	g_free(worker);
}

/* Start a worker in its sandbox. A worker that does not get there is a failure of ruad, not of the
 * document. */
static struct worker *worker_start(const struct pool *pool, GError **error)
{
	g_autoptr(GError) problem = NULL;
	struct process *process = process_start(&pool->options, error);
	if (process == NULL)
		return NULL;
	if (!talk_greeting(process, &pool->bounds, &problem)) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "%s does not start: %s",
		    pool->options.worker, problem->message);
		process_end(process);
		return NULL;
	}
	struct worker *worker = g_new0(struct worker, 1);
	worker->process = process;
	return worker;
}

/* Returns FALSE if an idle worker has sent something or closed its end: it cannot be used. */
static gboolean worker_is_quiet(const struct worker *worker)
{
	struct pollfd ready = { .fd = process_socket(worker->process), .events = POLLIN };
	return poll(&ready, 1, 0) == 0;
}

/* Returns whether the worker may read another mail. Its processor time is limited to three times that of a
 * mail (sandbox.h), so it is replaced before that is used up. */
static gboolean worker_is_fresh(const struct worker *worker, const struct pool *pool)
{
	return worker->mails < pool->options.max_mails && worker->waited < pool->bounds.total;
}

/* -- the pool -- */

struct pool *pool_new(const struct pool_options *options, GError **error)
{
	struct pool *pool = g_new0(struct pool, 1);

	pool->options = *options;
	pool->options.worker = g_strdup(options->worker);
	pool->options.authserv_id = g_strdup(options->authserv_id);
	pool->bounds.silence = (gint64)options->seconds * G_USEC_PER_SEC;
	pool->bounds.total = (gint64)options->max_seconds * G_USEC_PER_SEC;
	g_mutex_init(&pool->mutex);
	g_cond_init(&pool->freed);
	g_cond_init(&pool->freed_for_large);
	g_cond_init(&pool->slow_freed);
	g_queue_init(&pool->idle);
	g_queue_init(&pool->shared);

	struct worker *first = worker_start(pool, error);
	if (first == NULL) {
		pool_free(pool);
		return NULL;
	}
	g_queue_push_head(&pool->idle, first);
	pool->living = 1;
	return pool;
}

void pool_free(struct pool *pool)
{
	if (pool == NULL)
		return;
	g_queue_clear_full(&pool->idle, (GDestroyNotify)worker_free);
	g_mutex_clear(&pool->mutex);
	g_cond_clear(&pool->freed);
	g_cond_clear(&pool->freed_for_large);
	g_cond_clear(&pool->slow_freed);
	g_free((char *)pool->options.worker);
	g_free((char *)pool->options.authserv_id);
	g_free(pool);
}

static gboolean has_place(struct pool *pool, gboolean large)
{
	if (large && pool->large >= MAX(pool->options.workers - 1, 1))
		return FALSE;
	return !g_queue_is_empty(&pool->idle) || pool->living < pool->options.workers;
}

/* Take an idle worker, or the right to start one (NULL). */
static struct worker *take_place(struct pool *pool, gboolean large)
{
	g_mutex_lock(&pool->mutex);
	while (!has_place(pool, large))
		g_cond_wait(large ? &pool->freed_for_large : &pool->freed, &pool->mutex);
	struct worker *worker = g_queue_pop_head(&pool->idle);
	if (worker == NULL)
		pool->living++;
	if (large)
		pool->large++;
	g_mutex_unlock(&pool->mutex);
	return worker;
}

/* Return what take_place() gave: the worker, or NULL if it has ended. */
static void leave_place(struct pool *pool, gboolean large, struct worker *worker)
{
	g_mutex_lock(&pool->mutex);
	if (worker != NULL)
		g_queue_push_head(&pool->idle, worker);
	else
		pool->living--;
	if (large)
		pool->large--;
	g_cond_signal(&pool->freed);
	g_cond_signal(&pool->freed_for_large);
	g_mutex_unlock(&pool->mutex);
}

static struct worker *take_worker(struct pool *pool, gboolean large, GError **error)
{
	struct worker *worker = take_place(pool, large);
	if (worker != NULL && !worker_is_quiet(worker)) {
		worker_free(worker);
		worker = NULL;
	}
	if (worker == NULL)
		worker = worker_start(pool, error);
	if (worker == NULL)
		leave_place(pool, large, NULL);
	return worker;
}

/* Have the worker read documents. If it cannot read another one it ends, and *worker is NULL. */
static gboolean use_worker(struct worker **worker, const struct pool *pool, const struct talk_bounds *bounds,
    const struct pool_job *const *jobs, gsize n, struct talk_result *result, GError **error)
{
	struct wire_reader *reader = wire_reader_new();
	struct talk_request requests[TALK_MOST];

	for (gsize i = 0; i < n; i++)
		requests[i] = (struct talk_request){ jobs[i]->document, jobs[i]->size, jobs[i]->received,
			jobs[i]->sink, jobs[i]->user };
	gboolean ok = talk_documents((*worker)->process, bounds, requests, n, reader, result, error);
	wire_reader_free(reader);

	(*worker)->mails += (guint)result->answered;
	(*worker)->waited += result->waited;
	if (!result->clean || !worker_is_fresh(*worker, pool))
		g_clear_pointer(worker, worker_free);
	return ok;
}

/* Leave the place of a worker that read something. One that ended is replaced here, so that no other document
 * waits for the start. */
static void leave_worker(struct pool *pool, gboolean large, struct worker *worker)
{
	if (worker == NULL)
		worker = worker_start(pool, NULL);
	leave_place(pool, large, worker);
}

static gboolean run_within(struct pool *pool, const struct talk_bounds *bounds, const struct pool_job *job,
    gboolean *slow, GError **error)
{
	gboolean large = job->size > USUAL;
	struct worker *worker = take_worker(pool, large, error);
	struct talk_result result;
	if (worker == NULL)
		return FALSE;
	gboolean ok = use_worker(&worker, pool, bounds, &job, 1, &result, error);
	*slow = result.slow;
	leave_worker(pool, large, worker);
	return ok;
}

gboolean pool_run(struct pool *pool, const struct pool_job *job, GError **error)
{
	gboolean slow;
	return run_within(pool, &pool->bounds, job, &slow, error);
}

static struct talk_bounds quick_bounds(const struct pool *pool)
{
	struct talk_bounds bounds = pool->bounds;
	bounds.quick = QUICK;
	return bounds;
}

gboolean pool_run_quick(struct pool *pool, const struct pool_job *job, gboolean *slow, GError **error)
{
	const struct talk_bounds bounds = quick_bounds(pool);
	*slow = FALSE;
	return run_within(pool, &bounds, job, slow, error);
}

/* -- shared exchanges -- */

gboolean pool_submit(struct pool *pool, struct pool_ticket *ticket)
{
	g_assert(ticket->job.size <= POOL_SHARED_MAX);
	ticket->link = (GList){ .data = ticket };
	g_mutex_lock(&pool->mutex);
	gboolean leads = !pool->is_led;
	pool->is_led = TRUE;
	g_queue_push_tail_link(&pool->shared, &ticket->link);
	g_mutex_unlock(&pool->mutex);
	return leads;
}

/* How many documents the worker can get in one exchange. */
static gsize most_of(const struct pool *pool, const struct worker *worker)
{
	return worker != NULL ? MIN(pool->options.max_mails - worker->mails, TALK_MOST) : 1;
}

/* The tickets of one exchange: a share of those that wait, so that other workers get theirs. */
static gsize take_share(
    struct pool *pool, const struct worker *worker, struct pool_ticket *tickets[TALK_MOST])
{
	gsize n = 0;

	g_mutex_lock(&pool->mutex);
	guint share = (pool->shared.length + pool->options.workers - 1) / pool->options.workers;
	while (n < MIN(share, most_of(pool, worker)))
		tickets[n++] = g_queue_pop_head_link(&pool->shared)->data;
	struct pool_ticket *next = g_queue_peek_head(&pool->shared);
	pool->is_led = next != NULL;
	g_mutex_unlock(&pool->mutex);
	if (next != NULL)
		next->owner->lead(next);
	return n;
}

static void finish_all(struct pool_ticket *const *tickets, gsize n, const GError *error)
{
	for (gsize i = 0; i < n; i++)
		tickets[i]->owner->finished(tickets[i], FALSE, error != NULL ? g_error_copy(error) : NULL);
}

/* One exchange. Returns the number of tickets that are finished: if there were several and the exchange
 * failed, it is not known which of them made it fail. */
static gsize exchange(
    struct pool *pool, struct worker **worker, struct pool_ticket *const *tickets, gsize n, gboolean *failed)
{
	const struct talk_bounds bounds = quick_bounds(pool);
	const struct pool_job *jobs[TALK_MOST];
	struct talk_result result;
	g_autoptr(GError) error = NULL;

	for (gsize i = 0; i < n; i++)
		jobs[i] = &tickets[i]->job;
	*failed = !use_worker(worker, pool, &bounds, jobs, n, &result, &error);
	g_assert(*failed ? result.answered < n : result.answered <= n);
	finish_all(tickets, result.answered, NULL);
	if (!*failed)
		return result.answered;
	if (n > 1) {
		tickets[result.answered]->owner->forget(tickets[result.answered]);
		return result.answered;
	}
	tickets[0]->owner->finished(tickets[0], result.slow, g_steal_pointer(&error));
	return 1;
}

/* The first ticket, which probably made the exchange fail, becomes the last, so that it delays none. */
static void put_last(struct pool_ticket **tickets, gsize n)
{
	struct pool_ticket *first = tickets[0];
	for (gsize i = 1; i < n; i++)
		tickets[i - 1] = tickets[i];
	tickets[n - 1] = first;
}

/* Have all tickets read: together, or each alone once an exchange failed. */
static void read_share(struct pool *pool, struct worker **worker, struct pool_ticket **tickets, gsize n)
{
	gboolean alone = FALSE, failed = FALSE;

	for (gsize at = 0; at < n; alone |= failed) {
		g_autoptr(GError) error = NULL;
		if (*worker == NULL)
			*worker = worker_start(pool, &error);
		if (*worker == NULL) {
			finish_all(tickets + at, n - at, error);
			return;
		}
		gsize most = alone ? 1 : most_of(pool, *worker);
		at += exchange(pool, worker, tickets + at, MIN(n - at, most), &failed);
		if (failed && !alone && at < n)
			put_last(tickets + at, n - at);
	}
}

/* Have tickets read by the worker that was taken, and leave it; without one, error is theirs. */
static void read_and_leave(
    struct pool *pool, struct worker *worker, struct pool_ticket **tickets, gsize n, const GError *error)
{
	if (worker == NULL) {
		finish_all(tickets, n, error);
		return;
	}
	read_share(pool, &worker, tickets, n);
	leave_worker(pool, FALSE, worker);
}

void pool_lead(struct pool *pool)
{
	struct pool_ticket *tickets[TALK_MOST];
	g_autoptr(GError) error = NULL;
	struct worker *worker = take_worker(pool, FALSE, &error);
	gsize n = take_share(pool, worker, tickets);

	g_assert(n >= 1 && n <= TALK_MOST);
	read_and_leave(pool, worker, tickets, n, error);
}

void pool_run_together(struct pool *pool, struct pool_ticket **tickets, gsize n)
{
	g_autoptr(GError) error = NULL;
	struct worker *worker = take_worker(pool, FALSE, &error);

	read_and_leave(pool, worker, tickets, n, error);
}

/* -- the slow lane -- */

static void enter_slow_lane(struct pool *pool)
{
	g_mutex_lock(&pool->mutex);
	while (pool->slow >= MAX(pool->options.workers / 2, 1))
		g_cond_wait(&pool->slow_freed, &pool->mutex);
	pool->slow++;
	g_mutex_unlock(&pool->mutex);
}

static void leave_slow_lane(struct pool *pool)
{
	g_mutex_lock(&pool->mutex);
	pool->slow--;
	g_cond_signal(&pool->slow_freed);
	g_mutex_unlock(&pool->mutex);
}

gboolean pool_run_slow(struct pool *pool, const struct pool_job *job, GError **error)
{
	gboolean ok = FALSE;
	struct talk_result result;
	enter_slow_lane(pool);
	struct worker *worker = worker_start(pool, error);
	if (worker != NULL) {
		process_lower_priority(worker->process);
		ok = use_worker(&worker, pool, &pool->bounds, &job, 1, &result, error);
		g_clear_pointer(&worker, worker_free);
	}
	leave_slow_lane(pool);
	return ok;
}
