/*
 * import.c - ruad import: files, mailboxes and folders, through the same intake that LMTP uses.
 *
 * The main thread reads the documents; a pool of threads has each parsed and stored, so that many are
 * committed together.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "parser/error.h"
#include "server/cli/commands.h"
#include "server/cli/database.h"
#include "server/cli/documents.h"
#include "server/cli/progress.h"
#include "server/cli/walk.h"
#include "server/common/paths.h"
#include "server/ingest/intake.h"

#define JOBS_A_CORE 4 /* most of a job's time is waiting for its commit */
#define JOBS_MOST   64
#define WAIT_BYTES                                                                                           \
	(G_GUINT64_CONSTANT(128) << 20) /* of documents read and not yet stored; one may be larger */

struct import {
	struct intake *intake;
	GThreadPool *pool;
	struct progress progress;
	guint64 total_bytes; /* of all files, 0 when not known */
	guint64 read_bytes;

	GMutex mutex; /* of all below */
	GCond stored;
	guint jobs;
	guint waiting; /* documents read and not yet stored */
	guint64 waiting_bytes;
	struct intake_counts counts;
	guint files;
	guint mails;   /* documents stored */
	guint failed;  /* files or mails that could not be read */
	GError *error; /* the database's: nothing more is begun */
};

/* One document on its way; owned by whoever works on it. */
struct job {
	char *name;
	GBytes *document;
};

static void job_free(struct job *job)
{
	g_free(job->name);
	g_bytes_unref(job->document);
	g_free(job);
}

/* -- the workers -- */

static void count(struct import *import, const struct intake_counts *counts)
{
	import->counts.stored += counts->stored;
	import->counts.duplicates += counts->duplicates;
	import->counts.conflicts += counts->conflicts;
	import->counts.unreadable += counts->unreadable;
	import->mails++;
}

static void store(gpointer data, gpointer user)
{
	struct job *job = data;
	struct import *import = user;
	struct envelope envelope = { .source = "import", .name = job->name };
	struct intake_counts counts = { 0 };
	g_autoptr(GError) error = NULL;
	gsize size = 0;
	const guint8 *bytes = g_bytes_get_data(job->document, &size);
	gboolean given_up;
	gboolean good = FALSE;

	g_mutex_lock(&import->mutex);
	given_up = import->error != NULL;
	g_mutex_unlock(&import->mutex);
	if (!given_up)
		good = intake_take(import->intake, &envelope, bytes, size, &counts, &error);

	g_mutex_lock(&import->mutex);
	if (good)
		count(import, &counts);
	else if (import->error == NULL)
		import->error = g_steal_pointer(&error);
	import->waiting--;
	import->waiting_bytes -= size;
	g_cond_signal(&import->stored);
	g_mutex_unlock(&import->mutex);
	job_free(job);
}

/* -- the reader -- */

static void show_progress(struct import *import)
{
	g_autofree char *words = NULL;

	if (!import->progress.shown)
		return;
	g_mutex_lock(&import->mutex);
	words = g_strdup_printf("%u mails: %u reports stored, %u duplicates, %u set aside", import->mails,
	    import->counts.stored, import->counts.duplicates, import->counts.unreadable);
	g_mutex_unlock(&import->mutex);
	progress_show(&import->progress, import->read_bytes, import->total_bytes, words);
}

/* Wait until a document of this size may be read into memory beside the others. FALSE: the database is away.
 */
static gboolean wait_for_room(struct import *import, gsize size)
{
	gboolean good;

	g_mutex_lock(&import->mutex);
	while (import->error == NULL && import->waiting > 0 &&
	       (import->waiting >= 2 * import->jobs || import->waiting_bytes + size > WAIT_BYTES)) {
		g_cond_wait_until(
		    &import->stored, &import->mutex, g_get_monotonic_time() + G_USEC_PER_SEC / 10);
		g_mutex_unlock(&import->mutex);
		show_progress(import);
		g_mutex_lock(&import->mutex);
	}
	good = import->error == NULL;
	if (good) {
		import->waiting++;
		import->waiting_bytes += size;
	}
	g_mutex_unlock(&import->mutex);
	return good;
}

static gboolean push(struct import *import, char *name, GBytes *document)
{
	struct job *job = g_new0(struct job, 1);
	gsize size = g_bytes_get_size(document);

	job->name = name;
	job->document = document;
	import->read_bytes += size;
	if (!wait_for_room(import, size)) {
		job_free(job);
		return FALSE;
	}
	g_thread_pool_push(import->pool, job, NULL);
	show_progress(import);
	return TRUE;
}

static void complain(struct import *import, const char *name, const char *words)
{
	import->failed++;
	progress_clear(&import->progress);
	command_fail("import", COMMAND_FAILED, "%s: %s", name, words);
}

/* All documents of an open file. FALSE: the database is away. */
static gboolean import_documents(struct import *import, const char *path, struct documents *documents)
{
	for (guint number = 1;; number++) {
		GBytes *document = NULL;
		g_autoptr(GError) error = NULL;
		g_autofree char *name = NULL;
		gboolean good = documents_next(documents, &document, &error);

		name = documents_is_mbox(documents) ? g_strdup_printf("%s: mail %u", path, number)
						    : g_strdup(path);
		if (!good)
			complain(import, name, error->message);
		else if (document == NULL)
			return TRUE;
		else if (!push(import, g_steal_pointer(&name), document))
			return FALSE;
		if (!good && !g_error_matches(error, RUAD_ERROR, RUAD_ERROR_LIMIT))
			return TRUE;
	}
}

static gboolean import_file(struct import *import, const char *path)
{
	gboolean is_stdin = g_str_equal(path, "-");
	FILE *file = is_stdin ? stdin : fopen(path, "rbe");
	struct documents *documents = NULL;
	gboolean good;

	if (file == NULL) {
		complain(import, path, g_strerror(errno));
		return TRUE;
	}
	import->files++;
	documents = documents_new(file);
	good = import_documents(import, path, documents);
	documents_free(documents);
	if (!is_stdin)
		fclose(file);
	return good;
}

/* -- all of it -- */

static struct intake *open_intake(
    const struct settings *settings, const struct database *database, GError **error)
{
	g_autofree char *conninfo = database_role_conninfo(database, "ruad_ingest");
	g_autofree char *worker = paths_libexec("ruad-parse");
	struct intake_options options = intake_options_of(settings, conninfo, worker);

	return intake_new(&options, error);
}

static void import_files(struct import *import, const struct walk *walk)
{
	g_mutex_init(&import->mutex);
	g_cond_init(&import->stored);
	import->total_bytes = walk->bytes;
	import->failed = walk->failed;
	import->pool = g_thread_pool_new(store, import, (gint)import->jobs, FALSE, NULL);
	for (guint i = 0; i < walk->files->len; i++)
		if (!import_file(import, walk->files->pdata[i]))
			break;
	g_thread_pool_free(import->pool, FALSE, TRUE);
	progress_clear(&import->progress);
	g_cond_clear(&import->stored);
	g_mutex_clear(&import->mutex);
}

/* "imported 120 files: 100 reports stored, 15 duplicates, 0 conflicts, 5 set aside" */
static void print_counts(const struct import *import, const struct walk *walk)
{
	printf("imported %u file%s", import->files, import->files == 1 ? "" : "s");
	if (import->mails != import->files)
		printf(" with %u mails", import->mails);
	printf(": %u reports stored, %u duplicates, %u conflicts, %u set aside", import->counts.stored,
	    import->counts.duplicates, import->counts.conflicts, import->counts.unreadable);
	if (import->failed > 0)
		printf(", %u could not be read", import->failed);
	if (walk->skipped > 0)
		printf(", %u skipped (neither mail nor report)", walk->skipped);
	putchar('\n');
}

static int import_walk(const struct settings *settings, const struct database *database,
    const struct walk *walk, guint jobs, gboolean quiet)
{
	struct import import = { .jobs = jobs };
	g_autoptr(GError) error = NULL;
	int code;

	progress_init(&import.progress, quiet);
	import.intake = open_intake(settings, database, &error);
	if (import.intake == NULL)
		return command_fail("import", COMMAND_FAILED, "%s", error->message);
	import_files(&import, walk);
	intake_free(import.intake);
	code = import.failed > 0 ? COMMAND_FAILED : COMMAND_OK;
	if (import.error != NULL) {
		code = command_fail("import", command_exit_of(import.error),
		    "%s (what was stored stays stored: import again)", import.error->message);
		g_clear_error(&import.error);
	}
	if (!quiet)
		print_counts(&import, walk);
	return code;
}

static int start_and_import(
    const struct settings *settings, int n_paths, char **paths, guint jobs, gboolean quiet)
{
	g_autoptr(GError) error = NULL;
	struct database *database = database_new(settings, &error);
	struct walk walk;
	int code;

	if (database == NULL || !database_start(database, TRUE, &error)) {
		database_free(database);
		return command_fail("import", command_exit_of(error), "%s", error->message);
	}
	walk_init(&walk);
	for (int i = 0; i < n_paths; i++)
		walk_add(&walk, paths[i]);
	code = import_walk(settings, database, &walk, jobs, quiet);
	walk_clear(&walk);
	database_free(database);
	return code;
}

int command_import(const struct settings *settings, int argc, char **argv)
{
	gint jobs = (gint)MIN(g_get_num_processors() * JOBS_A_CORE, JOBS_MOST);
	gboolean quiet = FALSE;
	const GOptionEntry entries[] = {
		{ "jobs", 'j', 0, G_OPTION_ARG_INT, &jobs, NULL, NULL },
		{ "quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, NULL, NULL },
		G_OPTION_ENTRY_NULL,
	};

	if (!command_options(entries, &argc, &argv))
		return COMMAND_USAGE;
	if (argc < 2)
		return command_fail("import", COMMAND_USAGE, "no PATH (see ruad import --help)");
	if (jobs < 1 || jobs > JOBS_MOST)
		return command_fail("import", COMMAND_USAGE, "--jobs=%d: not from 1 to %d", jobs, JOBS_MOST);
	return start_and_import(settings, argc - 1, argv + 1, (guint)jobs, quiet);
}
