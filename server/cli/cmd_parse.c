/*
 * cmd_parse.c - ruad parse FILE...: prints the content of documents as JSON lines, without a database.
 *
 * Several workers parse files at once; the output is in the order of the command line.
 */
#include "server/cli/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parser/error.h"
#include "server/cli/documents.h"
#include "server/common/json_printer.h"
#include "server/common/paths.h"
#include "server/common/spool.h"
#include "server/common/visible.h"
#include "server/worker/pool.h"

#define COMMAND    "parse"
#define PIECE      (64 * 1024)          /* bytes read at a time */
#define STREAM_MAX (1024 * 1024 * 1024) /* bytes of a pipe: what the parser would unpack at most */

struct run {
	struct pool *pool;
	GMutex mutex;
	GCond changed;
	guint printed; /* jobs whose lines are printed */
	guint ahead;   /* jobs that may start before those lines are printed */
};

/* One file. */
struct job {
	struct run *run;
	const char *file;
	guint number;
	struct spool *lines; /* NULL if they were printed directly */
	guint unreadables;
	GError *error; /* the file could not be read, or ruad failed */
	gboolean finished;
};

/* Read a pipe, or standard input if it is one: these cannot be mapped. */
static GBytes *read_stream(int fd, GError **error)
{
	GByteArray *content = g_byte_array_new();
	ssize_t n;
	do {
		guint had = content->len;
		g_byte_array_set_size(content, had + PIECE);
		n = read(fd, content->data + had, PIECE);
		g_byte_array_set_size(content, had + (guint)MAX(n, 0));
	} while ((n > 0 && content->len < STREAM_MAX) || (n < 0 && errno == EINTR));
	if (n == 0)
		return g_byte_array_free_to_bytes(content);
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "could not read: %s",
	    n > 0 ? "it does not end" : g_strerror(errno));
	g_byte_array_unref(content);
	return NULL;
}

static GBytes *read_descriptor(int fd, GError **error)
{
	struct stat status;
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
		return read_stream(fd, error);
	g_autoptr(GMappedFile) mapped = g_mapped_file_new_from_fd(fd, FALSE, error);
	return mapped != NULL ? g_mapped_file_get_bytes(mapped) : NULL;
}

static GBytes *read_file(const char *file, GError **error)
{
	if (g_str_equal(file, "-"))
		return read_descriptor(STDIN_FILENO, error);
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "could not open: %s", g_strerror(errno));
		return NULL;
	}
	GBytes *content = read_descriptor(fd, error);
	close(fd);
	return content;
}

/* Keep the complete reports that a worker sent before it failed, and add a line for the failure. */
static gboolean print_lost(struct json_printer *printer, const GError *why, GError **error)
{
	const struct unreadable lost = { .place = "", .code = "worker", .reason = why->message };
	return json_printer_sink()->unreadable(printer, &lost, error);
}

static void parse_bytes(struct job *job, GBytes *content, FILE *out)
{
	gsize size;
	const guint8 *document = g_bytes_get_data(content, &size);
	g_autoptr(GError) error = NULL;
	struct json_printer *printer = json_printer_new(out, job->file);
	const struct pool_job read = {
		.document = document, .size = size, .sink = json_printer_sink(), .user = printer
	};
	if (!pool_run(job->run->pool, &read, &error)) {
		if (!g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX))
			job->error = g_steal_pointer(&error);
		else if (!print_lost(printer, error, &job->error))
			g_assert(job->error != NULL);
	}
	job->unreadables += json_printer_unreadables(printer);
	json_printer_free(printer);
}

/* The mails of an mbox. Returns FALSE if there is only one: it is parsed as any other file. */
static gboolean parse_mails(struct job *job, struct documents *documents, FILE *out)
{
	GBytes *mail = NULL, *next = NULL;
	gboolean more = documents_next(documents, &mail, &job->error) && mail != NULL &&
			documents_next(documents, &next, &job->error);
	gboolean several = next != NULL || job->error != NULL;

	while (several && mail != NULL) {
		parse_bytes(job, mail, out);
		g_bytes_unref(mail);
		mail = g_steal_pointer(&next);
		more = more && job->error == NULL && mail != NULL &&
		       documents_next(documents, &next, &job->error);
	}
	g_clear_pointer(&mail, g_bytes_unref);
	return several;
}

static gboolean parse_mbox(struct job *job, GBytes *content, FILE *out)
{
	gsize size;
	const char *data = g_bytes_get_data(content, &size);
	gboolean is_mbox = size >= strlen("From ") && memcmp(data, "From ", strlen("From ")) == 0;
	FILE *in = is_mbox ? fmemopen((void *)(gsize)data, size, "rb") : NULL;

	if (in == NULL)
		return FALSE;
	struct documents *documents = documents_new(in);
	gboolean several = parse_mails(job, documents, out);
	documents_free(documents);
	fclose(in);
	return several;
}

static void parse_content(struct job *job, GBytes *content, FILE *out)
{
	if (!parse_mbox(job, content, out))
		parse_bytes(job, content, out);
}

/* The job whose turn it is prints directly; the others buffer their lines. */
static void parse_job(struct job *job, gboolean has_turn)
{
	g_autoptr(GBytes) content = read_file(job->file, &job->error);
	if (content == NULL)
		return;
	if (has_turn) {
		parse_content(job, content, stdout);
		return;
	}
	job->lines = spool_new(NULL);
	FILE *out = spool_stream(job->lines);
	parse_content(job, content, out);
	if (fclose(out) != 0 && job->error == NULL)
		g_set_error(&job->error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "could not buffer lines: %s",
		    g_strerror(errno));
}

/* Run a job on a thread of the pool, but not too far ahead of the output: buffered lines need memory. */
static void do_job(gpointer data, gpointer user G_GNUC_UNUSED)
{
	struct job *job = data;
	struct run *run = job->run;
	g_mutex_lock(&run->mutex);
	while (job->number >= run->printed + run->ahead)
		g_cond_wait(&run->changed, &run->mutex);
	gboolean has_turn = job->number == run->printed;
	g_mutex_unlock(&run->mutex);

	parse_job(job, has_turn);

	g_mutex_lock(&run->mutex);
	job->finished = TRUE;
	g_cond_broadcast(&run->changed);
	g_mutex_unlock(&run->mutex);
}

/* Wait for the job and print its lines. */
static int print_job(struct job *job)
{
	struct run *run = job->run;
	int code = COMMAND_OK;

	g_mutex_lock(&run->mutex);
	while (!job->finished)
		g_cond_wait(&run->changed, &run->mutex);
	g_mutex_unlock(&run->mutex);

	if (job->unreadables > 0)
		code = COMMAND_FAILED;
	if (job->lines != NULL && !spool_copy(job->lines, stdout, job->error == NULL ? &job->error : NULL))
		code = COMMAND_FAILED;
	if (job->error != NULL) {
		g_autofree char *name = visible_text(job->file);
		code = command_fail(COMMAND, COMMAND_FAILED, "%s: %s", name, job->error->message);
	}
	spool_free(job->lines);
	g_clear_error(&job->error);

	g_mutex_lock(&run->mutex);
	run->printed++;
	g_cond_broadcast(&run->changed);
	g_mutex_unlock(&run->mutex);
	return code;
}

static int parse_files(struct pool *pool, guint workers, char **files, guint n)
{
	struct run run = { .pool = pool, .ahead = 4 * workers };
	g_autofree struct job *jobs = g_new0(struct job, n);
	GThreadPool *threads = g_thread_pool_new(do_job, NULL, (gint)workers, FALSE, NULL);
	int code = COMMAND_OK;

	g_mutex_init(&run.mutex);
	g_cond_init(&run.changed);
	for (guint i = 0; i < n; i++) {
		jobs[i] = (struct job){ .run = &run, .file = files[i], .number = i };
		g_thread_pool_push(threads, &jobs[i], NULL);
	}
	for (guint i = 0; i < n; i++) {
		if (print_job(&jobs[i]) != COMMAND_OK)
			code = COMMAND_FAILED;
	}
	g_thread_pool_free(threads, FALSE, TRUE);
	g_mutex_clear(&run.mutex);
	g_cond_clear(&run.changed);
	if (fflush(stdout) != 0 || ferror(stdout))
		return command_fail(COMMAND, COMMAND_TEMPFAIL, "could not write: %s", g_strerror(errno));
	return code;
}

static struct pool *open_pool(const struct settings *settings, guint workers, GError **error)
{
	g_autofree char *program = paths_libexec("ruad-parse");
	struct pool_options options = pool_options_of(settings, program);

	options.workers = workers;
	return pool_new(&options, error);
}

int command_parse(const struct settings *settings, int argc, char **argv)
{
	const GOptionEntry entries[] = { { 0 } };
	g_autoptr(GError) error = NULL;
	if (!command_options(entries, &argc, &argv))
		return COMMAND_USAGE;
	if (argc < 2)
		return command_fail(COMMAND, COMMAND_USAGE, "no FILE given (- is standard input)");

	guint n = (guint)argc - 1;
	guint workers = (guint)settings_int(settings, "parser.workers");
	workers = MIN(workers > 0 ? workers : g_get_num_processors(), n);
	struct pool *pool = open_pool(settings, workers, &error);
	if (pool == NULL)
		return command_fail(COMMAND, command_exit_of(error), "%s", error->message);
	int code = parse_files(pool, workers, argv + 1, n);
	pool_free(pool);
	return code;
}
