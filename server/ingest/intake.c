#include "server/ingest/intake.h"

#include <sys/resource.h>
#include <sys/statvfs.h>

#include "parser/error.h"
#include "server/common/log.h"
#include "server/ingest/store.h"
#include "server/worker/pool.h"

#define BATCH_MAILS       256 /* in one transaction: more than the usual number of connections */
#define BATCH_BYTES       (16 * 1024 * 1024) /* of rows in one transaction, beyond the first mail's */
#define PATIENCE          (10 * G_TIME_SPAN_MILLISECOND) /* of a writer for mails that are being read */
#define RECONNECT_WAIT    G_TIME_SPAN_SECOND             /* between attempts after a failure */
#define EVALUATIONS_KNOWN 50000                          /* at some 100 bytes */
#define NICE              10                             /* of what large mails need */
#define PROGRAM           "ruad-ingest"

/* A mail whose thread waits for others: for a leader, that has it parsed (pool.h), and for a writer. */
struct job {
	struct pool_ticket ticket; /* the first member */
	struct intake *intake;
	struct found *found;
	struct lane *lane; /* in which it waits for a writer */
	GError *error;     /* of the parser, or of the writer */
	GMutex lock;       /* protects what follows */
	GCond wake;
	gboolean leads;    /* its thread must lead */
	gboolean unparsed; /* error says why; it may be slow */
	gboolean slow;
	gboolean done; /* the writer is finished with it */
};

/* Mails that wait, and how they are written. */
struct lane {
	struct intake *intake;
	guint most;         /* mails in one transaction */
	gboolean has_aside; /* its transactions are long: see struct store */
	GMutex turn;        /* of the writer that collects mails and writes them, until it commits */
	GQueue waiting;     /* struct job, borrowed from the waiting threads; under intake->lock */
	GCond work;
};

/* A thread with its own connection. */
struct writer {
	struct lane *lane;
	GThread *thread;
	gboolean has_turn; /* of its lane */
	struct store store;
	gint64 raw_limit; /* that the connection has: see store_limit_raw() */
};

struct intake {
	struct intake_options options; /* owns its strings */
	struct found_options found;    /* borrows them */
	struct pool *pool;
	struct evaluations *known;
	struct pace *pace; /* that of upkeep */

	GMutex lock; /* protects this group */
	gboolean stopping;
	guint reading;    /* documents that are being parsed */
	gint64 failed_at; /* monotonic time of the last failed attempt to connect, or 0 */
	char *failure;    /* its message */

	struct lane small, large; /* for results in memory, and in files */
	struct writer writers[3]; /* two for small: while one commits, the next transaction is under way */
};

/* A thread that gives way to others; Linux has a priority for each thread, and no way back. */
static void lower_priority(void)
{
	(void)setpriority(PRIO_PROCESS, 0, NICE);
}

/* -- connecting -- */

/* Fail at once with the message of the last attempt if that was recent, so that mails do not wait for one
 * time-out after another. */
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

static gboolean is_connected(const struct writer *writer)
{
	return writer->store.db && db_alive(writer->store.db) &&
	       (!writer->lane->has_aside || (writer->store.aside && db_alive(writer->store.aside)));
}

static void disconnect(struct writer *writer)
{
	g_clear_pointer(&writer->store.db, db_close);
	g_clear_pointer(&writer->store.aside, db_close);
}

/* NULL on failure. */
static struct db *open_connection(const struct intake *intake, GError **error)
{
	struct db *db = db_open(intake->options.conninfo, PROGRAM, error);

	if (db && !store_open(db, intake->options.again, error))
		g_clear_pointer(&db, db_close);
	return db;
}

/* Make sure that the writer has live connections; returns FALSE if it has none. */
static gboolean connected(struct writer *writer, GError **error)
{
	struct intake *intake = writer->lane->intake;
	g_autoptr(GError) failure = NULL;

	if (is_connected(writer))
		return TRUE;
	disconnect(writer);
	if (!connect_allowed(intake, error))
		return FALSE;
	evaluations_forget(intake->known);
	writer->store.db = open_connection(intake, &failure);
	if (writer->store.db && writer->lane->has_aside)
		writer->store.aside = open_connection(intake, &failure);
	connect_result(intake, failure);
	writer->raw_limit = G_MAXINT64;
	if (!failure)
		return TRUE;
	disconnect(writer);
	g_set_error_literal(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, failure->message);
	return FALSE;
}

/* Make the mail one unreadable item. */
static void quarantine(struct found *found, const char *code, const GError *why, gboolean bare)
{
	log_warning("mail quarantined: %s", why->message);
	found_refuse(found, code, why->message, bare);
}

/* -- the writers -- */

/* Bytes of mail that may be kept now. Where the disk is another machine's, its space is not known. */
static gint64 raw_limit(const struct intake *intake)
{
	const struct intake_options *options = &intake->options;
	struct statvfs disk;

	if (options->spill_folder && statvfs(options->spill_folder, &disk) == 0 &&
	    (guint64)disk.f_bavail * disk.f_frsize < options->min_free)
		return 0;
	return options->max_raw > 0 ? (gint64)MIN(options->max_raw, (guint64)G_MAXINT64) : G_MAXINT64;
}

/* Stored mail that is read again was kept before. */
static gboolean limit_raw(struct writer *writer, GError **error)
{
	const struct intake *intake = writer->lane->intake;
	gint64 limit = intake->options.again ? G_MAXINT64 : raw_limit(intake);

	if (limit == writer->raw_limit)
		return TRUE;
	if (!store_limit_raw(writer->store.db, limit, error))
		return FALSE;
	writer->raw_limit = limit;
	return TRUE;
}

/* These mails are stored now; their transaction took so long. */
static void count_write(const struct intake *intake, struct found *const *mails, guint n, gint64 time)
{
	struct vitals *vitals = intake->options.vitals;
	struct intake_counts sum = { 0 };
	guint64 records = 0;

	for (guint i = 0; i < n; i++) {
		const struct intake_counts *counts = found_counts(mails[i]);

		records += records_count(found_records(mails[i]));
		sum.stored += counts->stored;
		sum.duplicates += counts->duplicates;
		sum.conflicts += counts->conflicts;
		sum.unreadable += counts->unreadable;
	}
	upkeep_notice(intake->options.upkeep, records);
	vitals_add(vitals, VITAL_MAILS_WRITTEN, n);
	vitals_add(vitals, VITAL_STORED, sum.stored);
	vitals_add(vitals, VITAL_DUPLICATES, sum.duplicates);
	vitals_add(vitals, VITAL_CONFLICTS, sum.conflicts);
	vitals_add(vitals, VITAL_UNREADABLE, sum.unreadable);
	if (sum.stored > 0)
		vitals_set(vitals, VITAL_LAST_STORED_AT, g_get_real_time() / G_USEC_PER_SEC);
	vitals_add_time(vitals, time);
}

/* Run one transaction. A connection that cannot be used again is closed. */
static gboolean write_once(
    struct writer *writer, struct found *const *mails, guint n, gboolean *in_doubt, GError **error)
{
	gint64 start = g_get_monotonic_time();
	gboolean foreign = FALSE;
	gboolean good =
	    limit_raw(writer, error) && store_write(&writer->store, mails, n, in_doubt, &foreign, error);

	if (good) {
		count_write(writer->lane->intake, mails, n, g_get_monotonic_time() - start);
		return TRUE;
	}
	vitals_add(writer->lane->intake->options.vitals, VITAL_WRITES_FAILED, 1);
	if (foreign)
		disconnect(writer);
	return FALSE;
}

/* The same; a connection that has died since its last use is replaced once. */
static gboolean write_mails(
    struct writer *writer, struct found *const *mails, guint n, gboolean *in_doubt, GError **error)
{
	g_autoptr(GError) stale = NULL;

	*in_doubt = FALSE;
	if (!connected(writer, error))
		return FALSE;
	if (write_once(writer, mails, n, in_doubt, &stale))
		return TRUE;
	if (!writer->store.db || is_connected(writer) || *in_doubt) {
		g_propagate_error(error, g_steal_pointer(&stale));
		return FALSE;
	}
	return connected(writer, error) && write_once(writer, mails, n, in_doubt, error);
}

/* Quarantine a mail whose rows the database rejects; the second attempt omits all data that could be the
 * cause. */
static gboolean write_refused(struct writer *writer, struct found *found, GError **error)
{
	gboolean in_doubt;

	for (gboolean bare = FALSE; bare <= TRUE; bare++) {
		quarantine(found, "database", *error, bare);
		g_clear_error(error);
		if (write_mails(writer, &found, 1, &in_doubt, error))
			return TRUE;
		if (!g_error_matches(*error, RUAD_ERROR, RUAD_ERROR_SYNTAX))
			return FALSE;
	}
	return FALSE;
}

static void write_alone(struct writer *writer, struct job *job)
{
	gboolean in_doubt;

	g_clear_error(&job->error);
	if (write_mails(writer, &job->found, 1, &in_doubt, &job->error))
		return;
	if (g_error_matches(job->error, RUAD_ERROR, RUAD_ERROR_SYNTAX))
		(void)write_refused(writer, job->found, &job->error);
}

/* Write jobs in one transaction; if that fails for a reason that may lie in one of them, write them one by
 * one. */
static void write_batch(struct writer *writer, GPtrArray *jobs)
{
	g_autofree struct found **mails = g_new(struct found *, jobs->len);
	g_autoptr(GError) error = NULL;
	gboolean in_doubt;

	for (guint i = 0; i < jobs->len; i++)
		mails[i] = ((struct job *)jobs->pdata[i])->found;
	if (write_mails(writer, mails, jobs->len, &in_doubt, &error))
		return;
	for (guint i = 0; i < jobs->len; i++) {
		struct job *job = jobs->pdata[i];
		if (is_connected(writer))
			write_alone(writer, job);
		else
			job->error = g_error_copy(error);
	}
}

/* A transaction costs as much as storing five mails, so if more mails are being parsed than are waiting, the
 * writer waits a moment for those. */
static gboolean has_batch(const struct lane *lane)
{
	return lane->waiting.length >= MIN(lane->intake->reading, lane->most);
}

/* Wake the writer, if it waits for what has happened: each time costs as much as a twentieth of a mail. */
static void wake_writer(struct lane *lane)
{
	if (lane->waiting.length == 1 || has_batch(lane))
		g_cond_signal(&lane->work);
}

/* Wait for mails. */
static void await_mails(struct lane *lane)
{
	struct intake *intake = lane->intake;
	gint64 end;

	while (g_queue_is_empty(&lane->waiting) && !intake->stopping)
		g_cond_wait(&lane->work, &intake->lock);
	end = g_get_monotonic_time() + PATIENCE;
	while (!has_batch(lane) && g_cond_wait_until(&lane->work, &intake->lock, end))
		;
}

/* The writer is about to commit, or has nothing to write: the next one may begin. */
static void leave_turn(gpointer user)
{
	struct writer *writer = user;

	if (!writer->has_turn)
		return;
	writer->has_turn = FALSE;
	g_mutex_unlock(&writer->lane->turn);
}

/* Take waiting mails up to the limits; waits if there are none. Returns FALSE if none are left and the intake
 * ends. */
static gboolean take_batch(struct writer *writer, GPtrArray *jobs)
{
	struct lane *lane = writer->lane;
	g_autoptr(GMutexLocker) G_GNUC_UNUSED locker = NULL;
	guint64 bytes = 0;

	g_mutex_lock(&lane->turn);
	writer->has_turn = TRUE;
	locker = g_mutex_locker_new(&lane->intake->lock);
	await_mails(lane);
	while (!g_queue_is_empty(&lane->waiting) && jobs->len < lane->most && bytes < BATCH_BYTES) {
		struct job *job = g_queue_pop_head(&lane->waiting);
		bytes += found_size(job->found);
		g_ptr_array_add(jobs, job);
	}
	return jobs->len > 0;
}

/* Each job has a lock of its own: its thread would wait for a common one as soon as it is awake. */
static void release_batch(GPtrArray *jobs)
{
	for (guint i = 0; i < jobs->len; i++) {
		struct job *job = jobs->pdata[i];

		g_mutex_lock(&job->lock);
		job->done = TRUE;
		g_cond_signal(&job->wake);
		g_mutex_unlock(&job->lock);
	}
	g_ptr_array_set_size(jobs, 0);
}

static gpointer writer_main(gpointer user)
{
	struct writer *writer = user;
	g_autoptr(GPtrArray) jobs = g_ptr_array_new();

	if (writer->lane->has_aside)
		lower_priority();
	while (take_batch(writer, jobs)) {
		write_batch(writer, jobs);
		leave_turn(writer);
		release_batch(jobs);
	}
	leave_turn(writer);
	disconnect(writer);
	return NULL;
}

static void lane_init(struct lane *lane, struct intake *intake, guint most, gboolean has_aside)
{
	lane->intake = intake;
	lane->most = most;
	lane->has_aside = has_aside;
	g_mutex_init(&lane->turn);
	g_queue_init(&lane->waiting);
	g_cond_init(&lane->work);
}

static void lane_clear(struct lane *lane)
{
	g_mutex_clear(&lane->turn);
	g_cond_clear(&lane->work);
}

static void writer_start(struct writer *writer, struct lane *lane, const char *name)
{
	struct intake *intake = lane->intake;

	writer->lane = lane;
	writer->store = (struct store){ .known = intake->known,
		.pace = lane->has_aside ? intake->pace : NULL,
		.committing = leave_turn,
		.user = writer };
	writer->thread = g_thread_new(name, writer_main, writer);
}

static void writers_start(struct intake *intake)
{
	lane_init(&intake->small, intake, BATCH_MAILS, FALSE);
	lane_init(&intake->large, intake, 1, TRUE);
	writer_start(&intake->writers[0], &intake->small, "writer");
	writer_start(&intake->writers[1], &intake->small, "writer");
	writer_start(&intake->writers[2], &intake->large, "large");
}

static void writers_stop(struct intake *intake)
{
	g_mutex_lock(&intake->lock);
	intake->stopping = TRUE;
	g_cond_signal(&intake->small.work);
	g_cond_signal(&intake->large.work);
	g_mutex_unlock(&intake->lock);
	for (gsize i = 0; i < G_N_ELEMENTS(intake->writers); i++)
		g_thread_join(intake->writers[i].thread);
	lane_clear(&intake->small);
	lane_clear(&intake->large);
}

/* A document more (1) or less (-1) is being parsed; the writers may wait for it. */
static void count_reading(struct intake *intake, int change)
{
	g_autoptr(GMutexLocker) G_GNUC_UNUSED locker = g_mutex_locker_new(&intake->lock);

	intake->reading += (guint)change;
	pace_small(intake->pace, change);
	if (change < 0)
		wake_writer(&intake->small);
}

/* -- jobs -- */

static void job_init(struct job *job, struct intake *intake, struct found *found)
{
	*job = (struct job){ .intake = intake, .found = found };
	g_mutex_init(&job->lock);
	g_cond_init(&job->wake);
}

static void job_clear(struct job *job)
{
	g_cond_clear(&job->wake);
	g_mutex_clear(&job->lock);
}

/* What was found is ready for a writer; it is no longer among those being parsed. */
static void queue_job(struct job *job, gboolean was_reading)
{
	struct intake *intake = job->intake;
	struct lane *lane = found_is_large(job->found) ? &intake->large : &intake->small;

	job->lane = lane;
	vitals_add(intake->options.vitals, VITAL_MAILS_WAITING, 1);
	g_mutex_lock(&intake->lock);
	if (!lane->has_aside)
		pace_small(intake->pace, 1);
	g_queue_push_tail(&lane->waiting, job);
	if (was_reading) {
		intake->reading--;
		pace_small(intake->pace, -1);
	}
	wake_writer(lane);
	if (was_reading && lane->has_aside)
		wake_writer(&intake->small);
	g_mutex_unlock(&intake->lock);
}

/* Wait until a writer has stored what was found, or parsing failed; lead meanwhile when asked to. */
static void await_job(struct job *job)
{
	g_mutex_lock(&job->lock);
	while (!job->done && !job->unparsed) {
		if (!job->leads) {
			g_cond_wait(&job->wake, &job->lock);
			continue;
		}
		job->leads = FALSE;
		g_mutex_unlock(&job->lock);
		pool_lead(job->intake->pool);
		g_mutex_lock(&job->lock);
	}
	g_mutex_unlock(&job->lock);
}

/* A writer has stored what was found, or failed to. */
static gboolean end_job(struct job *job, GError **error)
{
	struct intake *intake = job->intake;

	if (!job->lane->has_aside)
		pace_small(intake->pace, -1);
	vitals_add(intake->options.vitals, VITAL_MAILS_WAITING, -1);
	if (!job->error)
		return TRUE;
	if (!g_error_matches(job->error, RUAD_ERROR, RUAD_ERROR_FULL))
		job->error->code = RUAD_ERROR_SYSTEM;
	g_propagate_error(error, g_steal_pointer(&job->error));
	return FALSE;
}

static gboolean write_together(struct job *job, GError **error)
{
	queue_job(job, FALSE);
	await_job(job);
	return end_job(job, error);
}

static void must_lead(struct pool_ticket *ticket)
{
	struct job *job = (struct job *)ticket;
	g_autoptr(GMutexLocker) G_GNUC_UNUSED locker = g_mutex_locker_new(&job->lock);

	job->leads = TRUE;
	g_cond_signal(&job->wake);
}

static void must_forget(struct pool_ticket *ticket)
{
	found_forget(((struct job *)ticket)->found);
}

/* Its thread sleeps on until the writer is finished with it, unless there is nothing to write. */
static void is_parsed(struct pool_ticket *ticket, gboolean slow, GError *error)
{
	struct job *job = (struct job *)ticket;

	if (!error) {
		queue_job(job, TRUE);
		return;
	}
	count_reading(job->intake, -1);
	job->error = error;
	g_mutex_lock(&job->lock);
	job->slow = slow;
	job->unparsed = TRUE;
	g_cond_signal(&job->wake);
	g_mutex_unlock(&job->lock);
}

/* -- a document, on its caller's thread -- */

struct slow_run {
	struct pool *pool;
	const struct pool_job *job;
	GError **error;
};

static gpointer run_slowly(gpointer user)
{
	struct slow_run *run = user;

	lower_priority();
	return GINT_TO_POINTER(pool_run_slow(run->pool, run->job, run->error));
}

/* A document that takes long lets others pass: it starts again in the slow lane, on a thread of low priority.
 */
static gboolean parse_slowly(
    struct intake *intake, const struct pool_job *parsing, struct found *found, GError **error)
{
	struct slow_run run = { .pool = intake->pool, .job = parsing, .error = error };

	found_forget(found);
	return GPOINTER_TO_INT(g_thread_join(g_thread_new("slow", run_slowly, &run)));
}

/* A document that could not be parsed becomes one unreadable item; returns FALSE if ruad itself failed. */
static gboolean settle(struct intake *intake, struct found *found, const GError *failure, GError **error)
{
	if (g_error_matches(failure, RUAD_ERROR, RUAD_ERROR_SYSTEM)) {
		g_set_error_literal(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, failure->message);
		return FALSE;
	}
	gboolean limited = g_error_matches(failure, RUAD_ERROR, RUAD_ERROR_LIMIT);

	if (!limited)
		vitals_add(intake->options.vitals, VITAL_PARSER_FAILURES, 1);
	quarantine(found, limited ? "limit" : "worker", failure, FALSE);
	return TRUE;
}

/* The document was parsed, or that failed (failure, transfer full), or was too slow: store what was found. */
static gboolean end_parsing(struct job *job, gboolean slow, GError *failure, GError **error)
{
	g_autoptr(GError) cause = failure;
	gboolean good = failure == NULL;

	if (slow) {
		g_clear_error(&cause);
		good = parse_slowly(job->intake, &job->ticket.job, job->found, &cause);
	}
	return (good || settle(job->intake, job->found, cause, error)) && write_together(job, error);
}

/* Have a large document parsed, and store what was found. */
static gboolean take_alone(struct job *job, GError **error)
{
	struct intake *intake = job->intake;
	GError *failure = NULL;
	gboolean good, slow;

	count_reading(intake, 1);
	good = pool_run_quick(intake->pool, &job->ticket.job, &slow, &failure);
	count_reading(intake, -1);
	g_assert(good == (failure == NULL));
	return end_parsing(job, slow, failure, error);
}

/* The same for a small one, which shares the exchange with a worker with others. */
static gboolean take_shared(struct job *job, GError **error)
{
	struct intake *intake = job->intake;

	count_reading(intake, 1);
	if (pool_submit(intake->pool, &job->ticket))
		pool_lead(intake->pool);
	await_job(job);
	if (!job->unparsed)
		return end_job(job, error);
	job->unparsed = FALSE;
	return end_parsing(job, job->slow, g_steal_pointer(&job->error), error);
}

static gboolean take(struct intake *intake, const struct envelope *envelope, const guint8 *document,
    gsize size, struct intake_counts *counts, GError **error)
{
	static const struct pool_owner owner = {
		.lead = must_lead, .forget = must_forget, .finished = is_parsed
	};
	struct job job;
	gboolean good;

	if (!connect_allowed(intake, error))
		return FALSE;
	job_init(&job, intake, found_new(&intake->found, envelope, document, size));
	job.ticket.owner = &owner;
	job.ticket.job = (struct pool_job){ .document = document,
		.size = size,
		.sink = found_sink(),
		.user = job.found,
		.received = found_received(job.found) };
	good = size <= POOL_SHARED_MAX ? take_shared(&job, error) : take_alone(&job, error);
	if (good && counts)
		*counts = *found_counts(job.found);
	found_free(job.found);
	job_clear(&job);
	return good;
}

/* Tell whether mail can be stored. Whether the database can be reached is for others to see: they need no
 * mail to notice that it is back. */
static void tell_outcome(struct intake *intake, gboolean stored)
{
	gboolean reached;

	g_mutex_lock(&intake->lock);
	reached = intake->failed_at == 0;
	g_mutex_unlock(&intake->lock);
	if (stored || reached)
		vitals_tell(intake->options.vitals, stored);
}

gboolean intake_take(struct intake *intake, const struct envelope *envelope, const guint8 *document,
    gsize size, struct intake_counts *counts, GError **error)
{
	GError *failure = NULL;
	gboolean good = take(intake, envelope, document, size, counts, &failure);

	g_assert((envelope->again != 0) == intake->options.again);
	if (good || g_error_matches(failure, RUAD_ERROR, RUAD_ERROR_SYSTEM))
		tell_outcome(intake, good);
	if (!good)
		g_propagate_error(error, failure);
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
	intake->options.spill_folder = g_strdup(options->spill_folder);
	intake->options.pool.authserv_id = g_strdup(options->pool.authserv_id);
	intake->options.pool.worker = NULL; /* the pool has a copy */
	intake->found = (struct found_options){ .require_authentic = options->require_authentic,
		.authserv_id = intake->options.pool.authserv_id,
		.spill_folder = intake->options.spill_folder };
	intake->pool = pool;
	intake->known = evaluations_new(EVALUATIONS_KNOWN);
	intake->pace = upkeep_pace(options->upkeep);
	g_mutex_init(&intake->lock);
	writers_start(intake);
	return intake;
}

void intake_free(struct intake *intake)
{
	if (!intake)
		return;
	writers_stop(intake);
	pool_free(intake->pool);
	evaluations_free(intake->known);
	g_mutex_clear(&intake->lock);
	g_free(intake->failure);
	g_free((char *)intake->options.conninfo);
	g_free((char *)intake->options.spill_folder);
	g_free((char *)intake->options.pool.authserv_id);
	g_free(intake);
}
