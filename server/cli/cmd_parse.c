/*
 * cmd_parse.c - ruad parse FILE...: prints the content of documents as JSON lines, without a database.
 *
 * Several threads parse files at once, each with a worker. A thread takes the next files of the command line:
 * several small ones, which its worker gets together, or one that is read alone. The output is in the order
 * of the command line.
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
#include "server/common/splitter.h"
#include "server/common/spool.h"
#include "server/common/visible.h"
#include "server/worker/pool.h"

#define COMMAND    "parse"
#define PIECE      (64 * 1024)          /* bytes read at a time */
#define SMALL      (64 * 1024)          /* bytes of a file that is read: mapping it costs more */
#define OUTPUT     (64 * 1024)          /* bytes written at a time */
#define TOGETHER   16                   /* small files that a thread takes at a time, at most */
#define STREAM_MAX (1024 * 1024 * 1024) /* bytes of a pipe: what the parser would unpack at most */

struct run {
	struct pool *pool;
	struct job *jobs;
	guint n;
	guint together;    /* small files that a thread takes at a time */
	guint ahead;       /* jobs that may start before those before them are printed */
	GMutex mutex;      /* protects what follows */
	GCond room;        /* for threads that are too far ahead */
	guint next;        /* job that no thread has taken yet */
	guint waiting;     /* for room */
	guint printed;     /* jobs whose lines are printed */
	gboolean printing; /* by one of the threads */
	int code;          /* exit status so far; of the thread that prints */
};

/* One file. */
struct job {
	struct run *run;
	const char *file;
	guint number;
	GBytes *content;
	struct spool *lines; /* NULL if they were printed directly */
	FILE *out;           /* to lines; until they are complete */
	guint unreadables;
	GError *error; /* the file could not be read, or ruad failed */
	gboolean finished;
	/* of a file that is read together with others */
	struct pool_ticket ticket;
	struct json_printer *printer;
	gboolean slow; /* it is read again, alone */
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

/* Read the first size bytes of a file, or as many as it has. */
static GBytes *read_small(int fd, gsize size, GError **error)
{
	g_autofree char *content = g_malloc(MAX(size, 1));
	gsize got = 0;
	ssize_t n = 1;
	while (got < size && n != 0) {
		n = read(fd, content + got, size - got);
		if (n < 0 && errno != EINTR) {
			g_set_error(
			    error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "could not read: %s", g_strerror(errno));
			return NULL;
		}
		got += (gsize)MAX(n, 0);
	}
	return g_bytes_new_take(g_steal_pointer(&content), got);
}

static GBytes *read_descriptor(int fd, GError **error)
{
	struct stat status;
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
		return read_stream(fd, error);
	if (status.st_size > 0 && status.st_size <= SMALL && lseek(fd, 0, SEEK_CUR) == 0)
		return read_small(fd, (gsize)status.st_size, error);
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

/* Keep error, transfer full, of a document that was not read: it is the file's, or ruad's. */
static void keep_error(struct job *job, struct json_printer *printer, GError *error)
{
	if (!g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX)) {
		job->error = error;
		return;
	}
	if (!print_lost(printer, error, &job->error))
		g_assert(job->error != NULL);
	g_error_free(error);
}

static void parse_bytes(struct job *job, GBytes *content, FILE *out)
{
	gsize size;
	const guint8 *document = g_bytes_get_data(content, &size);
	GError *error = NULL;
	struct json_printer *printer = json_printer_new(out, job->file);
	const struct pool_job read = {
		.document = document, .size = size, .sink = json_printer_sink(), .user = printer
	};
	if (!pool_run(job->run->pool, &read, &error))
		keep_error(job, printer, error);
	job->unreadables += json_printer_unreadables(printer);
	json_printer_free(printer);
}

/* The mails of an mbox, or the reports of a list or dump. Returns FALSE if there is only one mail, or no
 * report: the file is parsed as any other. */
static gboolean parse_mails(struct job *job, struct documents *documents, FILE *out)
{
	GBytes *mail = NULL, *next = NULL;
	gboolean more = documents_next(documents, &mail, &job->error) && mail != NULL &&
			documents_next(documents, &next, &job->error);
	gboolean are_reports = mail != NULL && g_strcmp0(documents_part(documents), "report") == 0;
	gboolean several = next != NULL || are_reports || job->error != NULL;

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

static gboolean may_have_several(GBytes *content)
{
	gsize size;
	const char *data = g_bytes_get_data(content, &size);
	gboolean is_mbox = size >= strlen("From ") && memcmp(data, "From ", strlen("From ")) == 0;
	return is_mbox || splitter_kind_of(data, size) != SPLITTER_NONE;
}

static gboolean parse_several(struct job *job, FILE *out)
{
	gsize size;
	const char *data = g_bytes_get_data(job->content, &size);
	FILE *in = may_have_several(job->content) ? fmemopen((void *)(gsize)data, size, "rb") : NULL;

	if (in == NULL)
		return FALSE;
	struct documents *documents = documents_new(in);
	gboolean several = parse_mails(job, documents, out);
	documents_free(documents);
	fclose(in);
	return several;
}

static void parse_content(struct job *job, FILE *out)
{
	if (!parse_several(job, out))
		parse_bytes(job, job->content, out);
}

/* -- the lines of a job -- */

static void open_lines(struct job *job)
{
	if (job->lines == NULL)
		job->lines = spool_new(NULL);
	job->out = spool_stream(job->lines);
}

static void close_lines(struct job *job)
{
	if (fclose(job->out) != 0 && job->error == NULL)
		g_set_error(&job->error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "could not buffer lines: %s",
		    g_strerror(errno));
	job->out = NULL;
}

/* The job whose turn it is prints directly; the others buffer their lines. */
static void parse_alone(struct job *job, gboolean has_turn)
{
	if (job->content == NULL)
		return;
	if (has_turn) {
		parse_content(job, stdout);
		return;
	}
	open_lines(job);
	parse_content(job, job->out);
	close_lines(job);
}

/* -- files that are read together -- */

static struct job *job_of(struct pool_ticket *ticket)
{
	return (struct job *)(gpointer)((char *)ticket - G_STRUCT_OFFSET(struct job, ticket));
}

static void begin(struct job *job)
{
	open_lines(job);
	job->printer = json_printer_new(job->out, job->file);
	job->ticket.job.user = job->printer;
}

static void end(struct job *job)
{
	job->unreadables = json_printer_unreadables(job->printer);
	g_clear_pointer(&job->printer, json_printer_free);
	close_lines(job);
}

/* Take back what was printed. */
static void forget(struct pool_ticket *ticket)
{
	struct job *job = job_of(ticket);
	end(job);
	g_clear_error(&job->error);
	spool_clear(job->lines);
	begin(job);
}

static void finished(struct pool_ticket *ticket, gboolean slow, GError *error)
{
	struct job *job = job_of(ticket);
	job->slow = slow;
	if (slow)
		g_clear_error(&error);
	else if (error != NULL)
		keep_error(job, job->printer, error);
}

static const struct pool_owner owner = { .forget = forget, .finished = finished };

static void make_ticket(struct job *job)
{
	gsize size;
	const guint8 *document = g_bytes_get_data(job->content, &size);
	job->ticket =
	    (struct pool_ticket){ .job = { .document = document, .size = size, .sink = json_printer_sink() },
		    .owner = &owner };
	begin(job);
}

static void parse_again(struct job *job)
{
	spool_clear(job->lines);
	job->unreadables = 0;
	g_clear_error(&job->error);
	parse_alone(job, FALSE);
}

static void parse_together(struct run *run, struct job **jobs, guint n)
{
	struct pool_ticket *tickets[TOGETHER];

	for (guint i = 0; i < n; i++) {
		make_ticket(jobs[i]);
		tickets[i] = &jobs[i]->ticket;
	}
	pool_run_together(run->pool, tickets, n);
	for (guint i = 0; i < n; i++)
		end(jobs[i]);
	for (guint i = 0; i < n; i++)
		if (jobs[i]->slow)
			parse_again(jobs[i]);
}

static gboolean is_small(GBytes *content)
{
	return content != NULL && g_bytes_get_size(content) <= SMALL && !may_have_several(content);
}

/* -- in the order of the command line -- */

/* Print the lines of a job that is finished. */
static void print_job(struct run *run, struct job *job)
{
	if (job->unreadables > 0)
		run->code = COMMAND_FAILED;
	if (job->lines != NULL && !spool_copy(job->lines, stdout, job->error == NULL ? &job->error : NULL))
		run->code = COMMAND_FAILED;
	if (job->error != NULL) {
		g_autofree char *name = visible_text(job->file);
		(void)command_fail(COMMAND, COMMAND_FAILED, "%s: %s", name, job->error->message);
		run->code = COMMAND_FAILED;
	}
	spool_free(job->lines);
	g_clear_error(&job->error);
}

static gboolean has_next(const struct run *run)
{
	return run->printed < run->n && run->jobs[run->printed].finished;
}

/* Print what is next in order, unless another thread does; called with the mutex locked. The threads do that
 * themselves, because waking one for each file would take longer than reading it. */
static void print_next(struct run *run)
{
	if (run->printing)
		return;
	run->printing = TRUE;
	while (has_next(run)) {
		g_mutex_unlock(&run->mutex);
		print_job(run, &run->jobs[run->printed]);
		g_mutex_lock(&run->mutex);
		run->printed++;
	}
	run->printing = FALSE;
	if (run->waiting > 0)
		g_cond_broadcast(&run->room);
}

/* The job that no thread has taken yet, or NULL. The first one that a thread takes waits until it is not too
 * far ahead of the output: buffered lines need memory. */
static struct job *take_job(struct run *run, gboolean is_first)
{
	g_autoptr(GMutexLocker) G_GNUC_UNUSED locker = g_mutex_locker_new(&run->mutex);

	run->waiting++;
	while (is_first && run->next < run->n && run->next >= run->printed + run->ahead)
		g_cond_wait(&run->room, &run->mutex);
	run->waiting--;
	return run->next < run->n ? &run->jobs[run->next++] : NULL;
}

static gboolean has_turn(struct run *run, const struct job *job)
{
	g_autoptr(GMutexLocker) G_GNUC_UNUSED locker = g_mutex_locker_new(&run->mutex);
	return job->number == run->printed && !run->printing;
}

static void finish(struct run *run, struct job **jobs, guint n)
{
	for (guint i = 0; i < n; i++)
		g_clear_pointer(&jobs[i]->content, g_bytes_unref);
	g_mutex_lock(&run->mutex);
	for (guint i = 0; i < n; i++)
		jobs[i]->finished = TRUE;
	print_next(run);
	g_mutex_unlock(&run->mutex);
}

/* Take small files until there are enough, or one that is not small, *alone. Returns how many. */
static guint take_files(struct run *run, struct job *small[TOGETHER], struct job **alone)
{
	struct job *job;
	guint n = 0;

	*alone = NULL;
	while (n < run->together && *alone == NULL && (job = take_job(run, n == 0)) != NULL) {
		job->content = read_file(job->file, &job->error);
		if (is_small(job->content))
			small[n++] = job;
		else
			*alone = job;
	}
	return n;
}

static gpointer parse_some(gpointer data)
{
	struct run *run = data;
	struct job *small[TOGETHER], *alone;
	guint n;

	while ((n = take_files(run, small, &alone)) > 0 || alone != NULL) {
		if (n > 0) {
			parse_together(run, small, n);
			finish(run, small, n);
		}
		if (alone != NULL) {
			parse_alone(alone, has_turn(run, alone));
			finish(run, &alone, 1);
		}
	}
	return NULL;
}

static void parse_all(struct run *run, guint workers, char **files)
{
	g_autofree GThread **threads = g_new(GThread *, workers);

	g_mutex_init(&run->mutex);
	g_cond_init(&run->room);
	for (guint i = 0; i < run->n; i++)
		run->jobs[i] = (struct job){ .run = run, .file = files[i], .number = i };
	for (guint i = 0; i < workers; i++)
		threads[i] = g_thread_new("parse", parse_some, run);
	for (guint i = 0; i < workers; i++)
		g_thread_join(threads[i]);
	g_assert(run->printed == run->n);
	g_mutex_clear(&run->mutex);
	g_cond_clear(&run->room);
}

static int parse_files(struct pool *pool, guint workers, char **files, guint n)
{
	g_autofree struct job *jobs = g_new0(struct job, n);
	static char buffer[OUTPUT];
	struct run run = { .pool = pool,
		.jobs = jobs,
		.n = n,
		.together = CLAMP(n / (4 * workers), 1, TOGETHER),
		.ahead = 4 * TOGETHER * workers,
		.code = COMMAND_OK };

	if (!isatty(STDOUT_FILENO))
		(void)setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	parse_all(&run, workers, files);
	if (fflush(stdout) != 0 || ferror(stdout))
		return command_fail(COMMAND, COMMAND_TEMPFAIL, "could not write: %s", g_strerror(errno));
	return run.code;
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
