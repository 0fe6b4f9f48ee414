#include "server/cli/jobs.h"

#include "server/cli/progress.h"

#define WAIT_BYTES                                                                                           \
	(G_GUINT64_CONSTANT(96) << 20) /* of documents read and not yet stored; one may be larger */

struct jobs {
	struct jobs_options options;
	GThreadPool *pool;
	struct progress *progress;

	GMutex mutex; /* of all below */
	GCond stored;
	guint waiting; /* documents read and not yet stored */
	guint64 waiting_bytes;
	guint64 read_bytes;
	struct jobs_sum sum;
	GError *error; /* the first one: no more jobs are started */
};

/* One document in progress; owned by the thread that works on it. */
struct job {
	struct envelope envelope;
	GBytes *document;
	gpointer owner; /* of what envelope points to */
	GDestroyNotify free_owner;
};

static void job_free(struct job *job)
{
	g_bytes_unref(job->document);
	job->free_owner(job->owner);
	g_free(job);
}

/* -- the workers -- */

static void count(struct jobs *jobs, const struct job *job, const struct intake_counts *counts)
{
	jobs->sum.counts.stored += counts->stored;
	jobs->sum.counts.duplicates += counts->duplicates;
	jobs->sum.counts.conflicts += counts->conflicts;
	jobs->sum.counts.unreadable += counts->unreadable;
	jobs->sum.mails++;
	if (jobs->options.stored != NULL)
		jobs->options.stored(&job->envelope, counts, jobs->options.user);
}

static void store(gpointer data, gpointer user)
{
	struct job *job = data;
	struct jobs *jobs = user;
	struct intake_counts counts = { 0 };
	g_autoptr(GError) error = NULL;
	gsize size = 0;
	const guint8 *bytes = g_bytes_get_data(job->document, &size);
	gboolean given_up;
	gboolean good = FALSE;

	g_mutex_lock(&jobs->mutex);
	given_up = jobs->error != NULL;
	g_mutex_unlock(&jobs->mutex);
	if (!given_up)
		good = intake_take(jobs->options.intake, &job->envelope, bytes, size, &counts, &error);

	g_mutex_lock(&jobs->mutex);
	if (good)
		count(jobs, job, &counts);
	else if (jobs->error == NULL)
		jobs->error = g_steal_pointer(&error);
	jobs->waiting--;
	jobs->waiting_bytes -= size;
	g_cond_signal(&jobs->stored);
	g_mutex_unlock(&jobs->mutex);
	job_free(job);
}

static void measure(struct progress *progress, gpointer user)
{
	struct jobs *jobs = user;
	g_autofree char *words = NULL;
	guint64 done;

	g_mutex_lock(&jobs->mutex);
	done = jobs->read_bytes - jobs->waiting_bytes;
	words = g_strdup_printf("%u mails: %u reports stored, %u duplicates, %u quarantined", jobs->sum.mails,
	    jobs->sum.counts.stored, jobs->sum.counts.duplicates, jobs->sum.counts.unreadable);
	g_mutex_unlock(&jobs->mutex);
	progress_set(progress, done, jobs->options.total_bytes, words);
}

/* -- the reader -- */

/* Wait until a document of this size may be in memory together with the others. Returns FALSE if something
 * failed. */
static gboolean wait_for_room(struct jobs *jobs, gsize size)
{
	gboolean good;

	g_mutex_lock(&jobs->mutex);
	while (jobs->error == NULL && jobs->waiting > 0 &&
	       (jobs->waiting >= 2 * jobs->options.threads || jobs->waiting_bytes + size > WAIT_BYTES))
		g_cond_wait(&jobs->stored, &jobs->mutex);
	good = jobs->error == NULL;
	if (good) {
		jobs->waiting++;
		jobs->waiting_bytes += size;
		jobs->read_bytes += size;
	}
	g_mutex_unlock(&jobs->mutex);
	return good;
}

gboolean jobs_push(struct jobs *jobs, const struct envelope *envelope, GBytes *document, gpointer owner,
    GDestroyNotify free_owner)
{
	struct job *job = g_new0(struct job, 1);
	gsize size = g_bytes_get_size(document);

	*job = (struct job){
		.envelope = *envelope, .document = document, .owner = owner, .free_owner = free_owner
	};
	if (!wait_for_room(jobs, size)) {
		job_free(job);
		return FALSE;
	}
	g_thread_pool_push(jobs->pool, job, NULL);
	return TRUE;
}

void jobs_clear_bar(struct jobs *jobs)
{
	progress_clear(jobs->progress);
}

/* -- the interface -- */

struct jobs *jobs_new(const struct jobs_options *options)
{
	struct jobs *jobs = g_new0(struct jobs, 1);

	jobs->options = *options;
	g_mutex_init(&jobs->mutex);
	g_cond_init(&jobs->stored);
	jobs->pool = g_thread_pool_new(store, jobs, (gint)options->threads, FALSE, NULL);
	jobs->progress = progress_new(options->quiet, measure, jobs);
	return jobs;
}

gboolean jobs_finish(struct jobs *jobs, struct jobs_sum *sum, GError **error)
{
	gboolean good;

	g_thread_pool_free(jobs->pool, FALSE, TRUE);
	progress_free(jobs->progress);
	*sum = jobs->sum;
	good = jobs->error == NULL;
	if (!good)
		g_propagate_error(error, jobs->error);
	g_cond_clear(&jobs->stored);
	g_mutex_clear(&jobs->mutex);
	g_free(jobs);
	return good;
}
