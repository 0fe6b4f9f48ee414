#include "server/ingest/intake.h"

#include <string.h>

#include "parser/error.h"
#include "server/common/log.h"
#include "server/ingest/store.h"

#define BATCH_MAILS    256                /* in one transaction: more than connections are usual */
#define BATCH_BYTES    (16 * 1024 * 1024) /* of rows in one transaction, beyond the first mail's */
#define RECONNECT_WAIT G_TIME_SPAN_SECOND /* after a failed attempt, before the next */
#define PROGRAM        "ruad-ingest"

/* A mail whose thread waits for the writer. */
struct job {
	struct store_mail *mail;
	GError *error; /* set by the writer */
	gboolean done;
	GCond wake;
};

struct intake {
	struct intake_options options; /* its strings are our own */
	struct pool *pool;

	GMutex lock; /* for all of this group */
	GCond work;
	GQueue waiting; /* struct job, borrowed from the waiting threads */
	gboolean stopping;
	gint64 failed_at; /* monotonic time of the last failed attempt to connect, or 0 */
	char *failure;    /* its words */

	GThread *writer;
	struct db *db; /* the writer's own */

	GMutex stream_lock;   /* held from the first piece of a large mail to its commit */
	struct db *stream_db; /* its connection */
};

/* Connecting. */

/* Fails at once with the words of the last attempt when that is not long ago: nobody queues up for a
 * time-out. */
static gboolean connect_allowed(struct intake *intake, GError **error)
{
	g_autoptr(GMutexLocker) G_GNUC_UNUSED locker = g_mutex_locker_new(&intake->lock);

	if (!intake->failed_at || g_get_monotonic_time() - intake->failed_at >= RECONNECT_WAIT)
		return TRUE;
	g_set_error_literal(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, intake->failure);
	return FALSE;
}

static void connect_result(struct intake *intake, const GError *failure)
{
	g_autoptr(GMutexLocker) G_GNUC_UNUSED locker = g_mutex_locker_new(&intake->lock);

	if (!failure && intake->failed_at)
		log_info("the database is back");
	g_free(intake->failure);
	intake->failure = failure ? g_strdup(failure->message) : NULL;
	intake->failed_at = failure ? g_get_monotonic_time() : 0;
}

/* *db is alive and has its staging tables, or FALSE. */
static gboolean connected(struct intake *intake, struct db **db, GError **error)
{
	g_autoptr(GError) failure = NULL;

	if (*db && db_alive(*db))
		return TRUE;
	g_clear_pointer(db, db_close);
	if (!connect_allowed(intake, error))
		return FALSE;
	*db = db_open(intake->options.conninfo, PROGRAM, &failure);
	if (*db && !store_open(*db, intake->options.again, &failure))
		g_clear_pointer(db, db_close);
	connect_result(intake, failure);
	if (*db)
		return TRUE;
	g_set_error_literal(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, failure->message);
	return FALSE;
}

/* The mail becomes one unreadable item. Of the database's words the first line is the reason; the others name our statements. */
static void set_aside(struct store_mail *mail, const char *code, const GError *why, gboolean bare)
{
	g_autofree char *reason = g_strndup(why->message, strcspn(why->message, "\n"));

	log_warning("mail set aside: %s", reason);
	store_mail_refuse(mail, code, reason, bare);
}

/* The writer. */

/* One transaction. A connection that turns out to have died since its last use is replaced once. */
static gboolean write_mails(
    struct intake *intake, struct store_mail *const *mails, guint n, gboolean *in_doubt, GError **error)
{
	g_autoptr(GError) stale = NULL;

	*in_doubt = FALSE;
	if (!connected(intake, &intake->db, error))
		return FALSE;
	if (store_write(intake->db, mails, n, in_doubt, &stale))
		return TRUE;
	if (db_alive(intake->db) || *in_doubt) {
		g_propagate_error(error, g_steal_pointer(&stale));
		return FALSE;
	}
	return connected(intake, &intake->db, error) && store_write(intake->db, mails, n, in_doubt, error);
}

/* Set a mail aside whose rows the database will never take; the second try leaves out all that could be the cause. */
static gboolean write_refused(struct intake *intake, struct store_mail *mail, GError **error)
{
	gboolean in_doubt;

	for (gboolean bare = FALSE; bare <= TRUE; bare++) {
		set_aside(mail, "database", *error, bare);
		g_clear_error(error);
		if (write_mails(intake, &mail, 1, &in_doubt, error))
			return TRUE;
		if (!g_error_matches(*error, RUAD_ERROR, RUAD_ERROR_SYNTAX))
			return FALSE;
	}
	return FALSE;
}

static void write_alone(struct intake *intake, struct job *job)
{
	gboolean in_doubt;

	g_clear_error(&job->error);
	if (write_mails(intake, &job->mail, 1, &in_doubt, &job->error))
		return;
	if (g_error_matches(job->error, RUAD_ERROR, RUAD_ERROR_SYNTAX))
		(void)write_refused(intake, job->mail, &job->error);
}

/* jobs in one transaction; when that fails for a reason that may lie in one of them, one by one. */
static void write_batch(struct intake *intake, GPtrArray *jobs)
{
	g_autofree struct store_mail **mails = g_new(struct store_mail *, jobs->len);
	g_autoptr(GError) error = NULL;
	gboolean in_doubt;

	for (guint i = 0; i < jobs->len; i++)
		mails[i] = ((struct job *)jobs->pdata[i])->mail;
	if (write_mails(intake, mails, jobs->len, &in_doubt, &error))
		return;
	for (guint i = 0; i < jobs->len; i++) {
		struct job *job = jobs->pdata[i];
		if (intake->db && db_alive(intake->db))
			write_alone(intake, job);
		else
			job->error = g_error_copy(error);
	}
}

/* What waits, up to the bounds; waits for it. FALSE when there is nothing left and the intake ends. */
static gboolean take_batch(struct intake *intake, GPtrArray *jobs)
{
	g_autoptr(GMutexLocker) G_GNUC_UNUSED locker = g_mutex_locker_new(&intake->lock);
	gsize bytes = 0;

	while (g_queue_is_empty(&intake->waiting) && !intake->stopping)
		g_cond_wait(&intake->work, &intake->lock);
	while (!g_queue_is_empty(&intake->waiting) && jobs->len < BATCH_MAILS && bytes < BATCH_BYTES) {
		struct job *job = g_queue_pop_head(&intake->waiting);
		bytes += store_mail_bytes(job->mail);
		g_ptr_array_add(jobs, job);
	}
	return jobs->len > 0;
}

static void release_batch(struct intake *intake, GPtrArray *jobs)
{
	g_autoptr(GMutexLocker) G_GNUC_UNUSED locker = g_mutex_locker_new(&intake->lock);

	for (guint i = 0; i < jobs->len; i++) {
		struct job *job = jobs->pdata[i];
		job->done = TRUE;
		g_cond_signal(&job->wake);
	}
	g_ptr_array_set_size(jobs, 0);
}

static gpointer writer_main(gpointer user)
{
	struct intake *intake = user;
	g_autoptr(GPtrArray) jobs = g_ptr_array_new();

	while (take_batch(intake, jobs)) {
		write_batch(intake, jobs);
		release_batch(intake, jobs);
	}
	g_clear_pointer(&intake->db, db_close);
	return NULL;
}

/* Wait for the writer to store mail. */
static gboolean write_together(struct intake *intake, struct store_mail *mail, GError **error)
{
	struct job job = { .mail = mail };

	g_cond_init(&job.wake);
	g_mutex_lock(&intake->lock);
	g_queue_push_tail(&intake->waiting, &job);
	g_cond_signal(&intake->work);
	while (!job.done)
		g_cond_wait(&job.wake, &intake->lock);
	g_mutex_unlock(&intake->lock);
	g_cond_clear(&job.wake);
	if (!job.error)
		return TRUE;
	g_set_error_literal(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, job.error->message);
	g_error_free(job.error);
	return FALSE;
}

/* A document, on its caller's thread. */

struct taking {
	struct intake *intake;
	gboolean streaming; /* stream_lock is held, a transaction is open */
	gboolean failed;    /* the database refused a piece; the transaction is gone */
};

/* Begin the transaction for a large mail; a connection that died since its last use is replaced once. */
static gboolean stream_begin(struct intake *intake, GError **error)
{
	g_autoptr(GError) stale = NULL;

	if (!connected(intake, &intake->stream_db, error))
		return FALSE;
	if (store_stream_begin(intake->stream_db, &stale))
		return TRUE;
	if (db_alive(intake->stream_db)) {
		g_propagate_error(error, g_steal_pointer(&stale));
		return FALSE;
	}
	return connected(intake, &intake->stream_db, error) && store_stream_begin(intake->stream_db, error);
}

static gboolean spill(gpointer user, struct store_mail *mail, GError **error)
{
	struct taking *taking = user;
	struct intake *intake = taking->intake;

	if (!taking->streaming) {
		g_mutex_lock(&intake->stream_lock);
		taking->streaming = TRUE;
		taking->failed = !stream_begin(intake, error);
	}
	if (!taking->failed)
		taking->failed = !store_stream_put(intake->stream_db, mail, error);
	return !taking->failed;
}

/* The document is parsed, or error says why not: end the transaction of a large mail. */
static gboolean stream_finish(struct taking *taking, struct store_mail *mail, gboolean parsed, GError **error)
{
	struct intake *intake = taking->intake;
	gboolean in_doubt;

	if (parsed && !store_stream_end(intake->stream_db, mail, &in_doubt, error)) {
		taking->failed = TRUE;
		parsed = FALSE;
	} else if (!parsed && !taking->failed) {
		store_stream_abort(intake->stream_db, mail);
	}
	g_mutex_unlock(&intake->stream_lock);
	return parsed;
}

static gboolean parse_and_store(
    struct taking *taking, struct store_mail *mail, const guint8 *document, gsize size, GError **error)
{
	struct intake *intake = taking->intake;
	g_autoptr(GError) failure = NULL;
	gboolean good = pool_run(intake->pool, document, size, store_sink(), mail, &failure);

	if (taking->streaming) {
		good = stream_finish(taking, mail, good, &failure);
		if (good)
			return TRUE;
	}
	if (!good && !g_error_matches(failure, RUAD_ERROR, RUAD_ERROR_SYNTAX)) {
		g_set_error_literal(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, failure->message);
		return FALSE;
	}
	if (!good)
		set_aside(mail, taking->failed ? "database" : "worker", failure, FALSE);
	return write_together(intake, mail, error);
}

gboolean intake_take(struct intake *intake, const struct envelope *envelope, const guint8 *document,
    gsize size, struct intake_counts *counts, GError **error)
{
	struct taking taking = { .intake = intake };
	struct store_mail *mail;
	gboolean good;

	g_assert((envelope->again != 0) == intake->options.again);
	if (!connect_allowed(intake, error))
		return FALSE;
	mail = store_mail_new(&intake->options, envelope, document, size, spill, &taking);
	good = parse_and_store(&taking, mail, document, size, error);
	if (good && counts)
		*counts = *store_mail_counts(mail);
	store_mail_free(mail);
	return good;
}

struct intake *intake_new(const struct intake_options *options, GError **error)
{
	struct pool *pool = pool_new(&options->pool, error);
	struct intake *intake;

	if (!pool)
		return NULL;
	intake = g_new0(struct intake, 1);
	intake->options = *options;
	intake->options.conninfo = g_strdup(options->conninfo);
	intake->options.pool.authserv_id = g_strdup(options->pool.authserv_id);
	intake->options.pool.worker = NULL; /* the pool has its own */
	intake->pool = pool;
	g_mutex_init(&intake->lock);
	g_mutex_init(&intake->stream_lock);
	g_cond_init(&intake->work);
	g_queue_init(&intake->waiting);
	intake->writer = g_thread_new("writer", writer_main, intake);
	return intake;
}

void intake_free(struct intake *intake)
{
	if (!intake)
		return;
	g_mutex_lock(&intake->lock);
	intake->stopping = TRUE;
	g_cond_signal(&intake->work);
	g_mutex_unlock(&intake->lock);
	g_thread_join(intake->writer);
	g_clear_pointer(&intake->stream_db, db_close);
	pool_free(intake->pool);
	g_cond_clear(&intake->work);
	g_mutex_clear(&intake->stream_lock);
	g_mutex_clear(&intake->lock);
	g_free(intake->failure);
	g_free((char *)intake->options.conninfo);
	g_free((char *)intake->options.pool.authserv_id);
	g_free(intake);
}
