#include "server/web/workers.h"

#include <string.h>

#define INTERRUPT_AGAIN                                                                                      \
	(100 * G_TIME_SPAN_MILLISECOND) /* an interruption between two statements has no effect */

struct worker {
	struct workers *workers;
	guint index;
	GThread *thread;
	GMutex lock;    /* protects serial; held while the work is interrupted, so that it hits no other */
	guint64 serial; /* of the current run, or 0 */

	/* protected by the lock of all */
	const char *client; /* of the current run, or NULL */
	gboolean idle;      /* in the list of these */
	GCond wake;         /* idle has become FALSE, or all end */
};

struct workers {
	struct workers_options options;
	GMutex lock;     /* protects the following members and the state of all work; taken before that of a
			worker */
	GQueue waiting;  /* of struct work */
	GPtrArray *idle; /* of struct worker; the last one has run last */
	guint64 last_serial;
	guint n_running;
	gboolean ending;
	struct worker *all;
};

static guint n_running_of(const struct workers *workers, const char *client)
{
	guint n = 0;

	for (guint i = 0; i < workers->options.threads; i++)
		n += workers->all[i].client != NULL && strcmp(workers->all[i].client, client) == 0;
	return n;
}

static guint n_waiting_of(const struct workers *workers, const char *client)
{
	guint n = 0;

	for (const GList *link = workers->waiting.head; link != NULL; link = link->next)
		n += strcmp(((const struct work *)link->data)->client, client) == 0;
	return n;
}

/* Take the first work whose client has a thread left; NULL if there is none. */
static struct work *take(struct workers *workers)
{
	for (GList *link = workers->waiting.head; link != NULL; link = link->next) {
		struct work *work = link->data;

		if (n_running_of(workers, work->client) < workers->options.share) {
			g_queue_delete_link(&workers->waiting, link);
			return work;
		}
	}
	return NULL;
}

static void set_serial(struct worker *worker, guint64 serial)
{
	g_mutex_lock(&worker->lock);
	worker->serial = serial;
	g_mutex_unlock(&worker->lock);
}

/* Run work; called and returns with the lock held. */
static void run(struct worker *worker, struct work *work)
{
	struct workers *workers = worker->workers;

	work->state = WORK_RUNNING;
	work->worker = worker->index;
	work->serial = ++workers->last_serial;
	worker->client = work->client;
	workers->n_running++;
	set_serial(worker, work->serial);
	g_mutex_unlock(&workers->lock);

	work->run(work);

	set_serial(worker, 0); /* waits for the end of an interruption */
	g_mutex_lock(&workers->lock);
	work->state = WORK_IDLE;
	worker->client = NULL;
	workers->n_running--;
	g_mutex_unlock(&workers->lock);
	work->done(work);
	g_mutex_lock(&workers->lock);
}

/* Wait for work; called and returns with the lock held. */
static void be_idle(struct worker *worker)
{
	struct workers *workers = worker->workers;

	worker->idle = TRUE;
	g_ptr_array_add(workers->idle, worker);
	while (worker->idle && !workers->ending)
		g_cond_wait(&worker->wake, &workers->lock);
}

/* Take the idle worker that has run last out of the list, or NULL: what it needs, such as a connection to the
 * database, is prepared, and others may never be needed. */
static struct worker *next_idle(struct workers *workers)
{
	struct worker *worker;

	if (workers->idle->len == 0)
		return NULL;
	worker = g_ptr_array_steal_index(workers->idle, workers->idle->len - 1);
	worker->idle = FALSE;
	return worker;
}

static gpointer worker_main(gpointer data)
{
	struct worker *worker = data;
	struct workers *workers = worker->workers;
	struct work *work;

	g_mutex_lock(&workers->lock);
	while (!workers->ending) {
		work = take(workers);
		if (work != NULL)
			run(worker, work);
		else
			be_idle(worker);
	}
	g_mutex_unlock(&workers->lock);
	return NULL;
}

struct workers *workers_new(const struct workers_options *options)
{
	struct workers *workers = g_new0(struct workers, 1);

	g_assert(options->threads > 0 && options->share > 0);
	workers->options = *options;
	g_mutex_init(&workers->lock);
	g_queue_init(&workers->waiting);
	workers->idle = g_ptr_array_new();
	workers->all = g_new0(struct worker, options->threads);
	g_mutex_lock(&workers->lock);
	for (guint i = 0; i < options->threads; i++) {
		struct worker *worker = &workers->all[i];

		worker->workers = workers;
		worker->index = i;
		g_mutex_init(&worker->lock);
		g_cond_init(&worker->wake);
		worker->thread = g_thread_new("worker", worker_main, worker);
	}
	g_mutex_unlock(&workers->lock);
	return workers;
}

static gboolean is_full(const struct workers *workers, const char *client)
{
	return workers->waiting.length >= workers->options.queue ||
	       n_waiting_of(workers, client) >= workers->options.queue_share;
}

gboolean workers_push(struct workers *workers, struct work *work, gboolean bounded)
{
	struct worker *worker = NULL;
	gboolean taken;

	g_mutex_lock(&workers->lock);
	taken = !workers->ending && !(bounded && is_full(workers, work->client));
	if (taken) {
		work->state = WORK_WAITING;
		g_queue_push_tail(&workers->waiting, work);
		worker = next_idle(workers);
	}
	g_mutex_unlock(&workers->lock);
	if (worker != NULL)
		g_cond_signal(&worker->wake); /* without the lock, on which the thread would wait */
	return taken;
}

gboolean workers_abandon(struct workers *workers, struct work *work, struct work_run *running)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&workers->lock);

	*running = (struct work_run){ 0 };
	if (work->state == WORK_RUNNING)
		*running = (struct work_run){ .worker = work->worker, .serial = work->serial };
	if (work->state != WORK_WAITING)
		return FALSE;
	g_queue_remove(&workers->waiting, work);
	work->state = WORK_IDLE;
	return TRUE;
}

void workers_interrupt(struct workers *workers, const struct work_run *running)
{
	struct worker *worker = &workers->all[running->worker];

	if (running->serial == 0 || workers->options.interrupt == NULL)
		return;
	g_mutex_lock(&worker->lock);
	if (worker->serial == running->serial)
		workers->options.interrupt(worker->thread);
	g_mutex_unlock(&worker->lock);
}

/* Interrupt whatever runs. */
static void interrupt_all(struct workers *workers)
{
	for (guint i = 0; workers->options.interrupt != NULL && i < workers->options.threads; i++) {
		struct worker *worker = &workers->all[i];

		g_mutex_lock(&worker->lock);
		if (worker->serial != 0)
			workers->options.interrupt(worker->thread);
		g_mutex_unlock(&worker->lock);
	}
}

static gboolean is_running(struct workers *workers)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&workers->lock);

	return workers->n_running > 0;
}

void workers_stop(struct workers *workers)
{
	GQueue dropped = G_QUEUE_INIT;
	struct work *work;

	g_mutex_lock(&workers->lock);
	workers->ending = TRUE;
	while ((work = g_queue_pop_head(&workers->waiting)) != NULL) {
		work->state = WORK_IDLE;
		g_queue_push_tail(&dropped, work);
	}
	for (guint i = 0; i < workers->options.threads; i++)
		g_cond_signal(&workers->all[i].wake);
	g_mutex_unlock(&workers->lock);
	while ((work = g_queue_pop_head(&dropped)) != NULL)
		work->done(work);
	while (is_running(workers)) {
		interrupt_all(workers);
		g_usleep(INTERRUPT_AGAIN);
	}
	for (guint i = 0; i < workers->options.threads; i++)
		g_clear_pointer(&workers->all[i].thread, g_thread_join);
}

void workers_free(struct workers *workers)
{
	if (workers == NULL)
		return;
	for (guint i = 0; i < workers->options.threads; i++) {
		g_mutex_clear(&workers->all[i].lock);
		g_cond_clear(&workers->all[i].wake);
	}
	g_free(workers->all);
	g_ptr_array_unref(workers->idle);
	g_mutex_clear(&workers->lock);
	g_free(workers);
}
