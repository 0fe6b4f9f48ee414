#include "server/worker/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "parser/error.h"
#include "server/common/parser_settings.h"
#include "server/worker/wire.h"

#define WORKER_FD  3
#define READ_CHUNK (128 * 1024) /* bytes asked from the socket at a time */

struct worker {
	pid_t pid;
	int fd;
	guint mails; /* documents it was given */
};

struct pool {
	struct pool_options options;
	GMutex mutex;
	GCond freed;
	GQueue idle;  /* struct worker, last used first: their caches are warm */
	guint living; /* idle ones and those at work */
};

static gboolean fail(GError **error, enum ruad_error code, const char *what)
{
	g_set_error(error, RUAD_ERROR, (gint)code, "%s: %s", what, g_strerror(errno));
	return FALSE;
}

/* ---- a worker's life ---- */

/* End it whatever it does, and say how it had ended if it was dead already. Transfer full in, transfer full
 * out. */
static char *worker_end(struct worker *worker)
{
	int status = 0;
	pid_t pid;
	close(worker->fd);
	kill(worker->pid, SIGKILL);
	do
		pid = waitpid(worker->pid, &status, 0);
	while (pid < 0 && errno == EINTR);
	g_free(worker);
	if (pid > 0 && WIFSIGNALED(status))
		return g_strdup_printf(
		    "ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (pid > 0)
		return g_strdup_printf("ended with status %d", WEXITSTATUS(status));
	return g_strdup("ended");
}

static void worker_free(struct worker *worker)
{
	g_free(worker_end(worker));
}

/* The last words of a worker that closed its end by itself: it is about to be dead, so wait for its own
 * status. */
static char *worker_epitaph(struct worker *worker)
{
	siginfo_t info;
	for (int i = 0; i < 100; i++) {
		info.si_pid = 0;
		if (waitid(P_PID, (id_t)worker->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
		    info.si_pid != 0)
			break;
		g_usleep(1000);
	}
	return worker_end(worker);
}

/* What a worker's environment may hold: the rest may be secrets, such as the database's password. */
static char **make_environment(void)
{
	static const char *const names[] = { "LANG", "LC_ALL", "ASAN_OPTIONS", "UBSAN_OPTIONS" };
	char **environment = NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		const char *value = g_getenv(names[i]);
		if (value != NULL)
			environment = g_environ_setenv(environment, names[i], value, TRUE);
	}
	return environment != NULL ? environment : g_new0(char *, 1);
}

static int spawn_with(pid_t *pid, const char *program, char **argv, posix_spawn_file_actions_t *files,
    posix_spawnattr_t *attributes, int fd)
{
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &all);
	posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(files, fd, WORKER_FD);
	posix_spawn_file_actions_addclosefrom_np(files, WORKER_FD + 1);
	g_auto(GStrv) environment = make_environment();
	return posix_spawn(pid, program, files, attributes, argv, environment);
}

static char **make_arguments(const struct pool_options *options)
{
	GPtrArray *argv = g_ptr_array_new();
	g_ptr_array_add(argv, g_strdup(options->worker));
	g_ptr_array_add(argv, g_strdup_printf("--memory=%" G_GUINT64_FORMAT, options->memory));
	for (gsize i = 0; i < parser_setting_table_size; i++) {
		const struct parser_setting *setting = &parser_setting_table[i];
		g_ptr_array_add(argv, g_strdup_printf("--%s=%" G_GUINT64_FORMAT, setting->name,
					  parser_setting_get(setting, &options->limits)));
	}
	if (options->authserv_id != NULL && *options->authserv_id != '\0')
		g_ptr_array_add(argv, g_strconcat("--authserv_id=", options->authserv_id, NULL));
	if (options->failure_bodies)
		g_ptr_array_add(argv, g_strdup("--failure_bodies"));
	g_ptr_array_add(argv, NULL);
	return (char **)g_ptr_array_free(argv, FALSE);
}

/* Run program with fd as its descriptor 3 and none other beyond 2. Returns errno. */
static int spawn(pid_t *pid, const struct pool_options *options, int fd)
{
	g_auto(GStrv) argv = make_arguments(options);
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;

	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attributes);
	int status = spawn_with(pid, options->worker, argv, &files, &attributes, fd);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	return status;
}

static struct worker *worker_new(const struct pool_options *options, GError **error)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
		fail(error, RUAD_ERROR_SYSTEM, "could not make a socket pair");
		return NULL;
	}
	struct worker *worker = g_new0(struct worker, 1);
	worker->fd = pair[0];
	int status = spawn(&worker->pid, options, pair[1]);
	close(pair[1]);
	if (status == 0)
		return worker;
	errno = status;
	fail(error, RUAD_ERROR_SYSTEM, options->worker);
	close(worker->fd);
	g_free(worker);
	return NULL;
}

/* ---- a conversation ---- */

struct talk {
	struct worker *worker;
	gint64 patience; /* microseconds of silence */
	gint64 deadline; /* monotonic microseconds */
	guint8 head[WIRE_REQUEST];
	const guint8 *document;
	gsize size;
	gsize sent;      /* of head and document together */
	GByteArray *in;  /* what came */
	gsize taken;     /* of it, by whole frames */
	gboolean closed; /* the worker closed its end */
};

static void talk_renew(struct talk *talk)
{
	talk->deadline = g_get_monotonic_time() + talk->patience;
}

static void talk_init(
    struct talk *talk, struct worker *worker, guint seconds, const guint8 *document, gsize size)
{
	*talk = (struct talk){ .worker = worker,
		.patience = (gint64)seconds * G_USEC_PER_SEC,
		.document = document,
		.size = size,
		.in = g_byte_array_new() };
	wire_request_encode(talk->head, size);
	talk_renew(talk);
}

static gboolean talk_sent_all(const struct talk *talk)
{
	return talk->sent == WIRE_REQUEST + talk->size;
}

/* Send what the socket takes: head and document at once, so that the worker wakes up once. */
static gboolean talk_send(struct talk *talk, GError **error)
{
	gsize in_head = MIN(talk->sent, WIRE_REQUEST);
	gsize in_document = talk->sent - in_head;
	struct iovec pieces[] = {
		{ talk->head + in_head, WIRE_REQUEST - in_head },
		{ (guint8 *)talk->document + in_document, talk->size - in_document },
	};
	const struct msghdr message = { .msg_iov = pieces, .msg_iovlen = G_N_ELEMENTS(pieces) };
	ssize_t n = sendmsg(talk->worker->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n >= 0) {
		talk->sent += (gsize)n;
		if (talk_sent_all(talk))
			talk_renew(talk); /* reading took its time, thinking gets its own */
		return TRUE;
	}
	if (errno == EAGAIN || errno == EINTR)
		return TRUE;
	if (errno == EPIPE || errno == ECONNRESET)
		talk->closed = TRUE;
	return fail(error, RUAD_ERROR_SYNTAX, "could not hand the document to the parser");
}

static gboolean talk_receive(struct talk *talk, GError **error)
{
	guint had = talk->in->len;
	g_byte_array_set_size(talk->in, had + READ_CHUNK);
	ssize_t n = recv(talk->worker->fd, talk->in->data + had, READ_CHUNK, MSG_DONTWAIT);
	int problem = errno;
	g_byte_array_set_size(talk->in, had + (guint)MAX(n, 0));
	if (n > 0 || (n < 0 && (problem == EAGAIN || problem == EINTR)))
		return TRUE;
	talk->closed = n == 0 || problem == ECONNRESET;
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "the parser %s",
	    talk->closed ? "closed without an answer" : g_strerror(problem));
	return FALSE;
}

/* Wait until the socket is ready and move bytes both ways. FALSE when the worker was silent too long. */
static gboolean talk_step(struct talk *talk, GError **error)
{
	gint64 left = talk->deadline - g_get_monotonic_time();
	struct pollfd ready = { .fd = talk->worker->fd, .events = POLLIN };
	if (!talk_sent_all(talk))
		ready.events |= POLLOUT;
	int n = left > 0 ? poll(&ready, 1, (int)MIN(left / 1000 + 1, G_MAXINT)) : 0;
	if (n < 0 && errno == EINTR)
		return TRUE;
	if (n < 0)
		return fail(error, RUAD_ERROR_SYNTAX, "could not wait for the parser");
	if (n == 0 && left <= 0) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
		    "the parser was silent for %" G_GINT64_FORMAT " seconds",
		    talk->patience / G_USEC_PER_SEC);
		return FALSE;
	}
	if ((ready.revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !talk_receive(talk, error))
		return FALSE;
	return (ready.revents & POLLOUT) == 0 || talk_send(talk, error);
}

static gsize talk_waiting(const struct talk *talk)
{
	return talk->in->len - talk->taken;
}

/* Take a whole frame off what came. FALSE without error when there is none yet. */
static gboolean talk_frame(struct talk *talk, guint8 *type, GBytes **content, GError **error)
{
	if (talk_waiting(talk) < WIRE_HEAD)
		return FALSE;
	const guint8 *frame = talk->in->data + talk->taken;
	gsize length = wire_frame_length(frame);
	if (length > WIRE_FRAME_MAX) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
		    "the parser's answer: a frame of %" G_GSIZE_FORMAT " bytes", length);
		return FALSE;
	}
	if (talk_waiting(talk) < WIRE_HEAD + length)
		return FALSE;
	*type = frame[0];
	*content = g_bytes_new(frame + WIRE_HEAD, length);
	talk->taken += WIRE_HEAD + length;
	return TRUE;
}

/* Forget the frames that were taken: once for all of them, or many small ones would cost the square of their
 * number. */
static void talk_compact(struct talk *talk)
{
	if (talk->taken > 0)
		g_byte_array_remove_range(talk->in, 0, (guint)talk->taken);
	talk->taken = 0;
}

/* Give the frames that are there to the reader. The sink's time does not count: the worker's timeout starts
 * again. */
static gboolean talk_read(struct talk *talk, struct wire_reader *reader, gboolean *done, GError **error)
{
	guint8 type;
	GBytes *content;
	g_autoptr(GError) problem = NULL;
	while (!*done && talk_frame(talk, &type, &content, &problem)) {
		gboolean ok = wire_reader_frame(reader, type, content, done, error);
		g_bytes_unref(content);
		if (!ok)
			return FALSE;
		talk_renew(talk);
	}
	talk_compact(talk);
	if (problem == NULL)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&problem));
	return FALSE;
}

/* Document out, answer in. */
static gboolean converse(struct talk *talk, struct wire_reader *reader, GError **error)
{
	gboolean done = FALSE;
	if (!talk_send(talk, error))
		return FALSE;
	while (!done) {
		if (!talk_step(talk, error) || !talk_read(talk, reader, &done, error))
			return FALSE;
	}
	if (talk_sent_all(talk) && talk_waiting(talk) == 0)
		return TRUE;
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "the parser's answer: %s",
	    talk_waiting(talk) > 0 ? "bytes after its end" : "it ended before the document was read");
	return FALSE;
}

/* ---- greeting ---- */

static gboolean check_hello(guint8 type, GBytes *content, GError **error)
{
	gsize size;
	const char *version = g_bytes_get_data(content, &size);
	if (type == WIRE_HELLO && size == strlen(RUAD_VERSION) && memcmp(version, RUAD_VERSION, size) == 0)
		return TRUE;
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "it is not the ruad-parse of ruad " RUAD_VERSION);
	return FALSE;
}

static gboolean greet(struct talk *talk, GError **error)
{
	guint8 type;
	GBytes *content = NULL;
	g_autoptr(GError) problem = NULL;
	talk->sent = WIRE_REQUEST; /* there is nothing to send yet */
	while (!talk_frame(talk, &type, &content, &problem)) {
		if (problem == NULL)
			(void)talk_step(talk, &problem);
		if (problem != NULL) {
			g_propagate_error(error, g_steal_pointer(&problem));
			return FALSE;
		}
	}
	gboolean ok = check_hello(type, content, error);
	g_bytes_unref(content);
	return ok;
}

/* How a worker failed, with its last words where it has any. Ends the worker. */
static void blame(
    struct talk *talk, const char *prefix, enum ruad_error code, GError *problem, GError **error)
{
	g_autofree char *end = talk->closed ? worker_epitaph(talk->worker) : worker_end(talk->worker);
	g_set_error(error, RUAD_ERROR, (gint)code, "%s%s%s%s", prefix, problem->message,
	    talk->closed ? ": it " : "", talk->closed ? end : "");
	g_error_free(problem);
}

/* A worker in its sandbox, waiting. One that cannot get there is our own fault, not the document's. */
static struct worker *worker_start(const struct pool_options *options, GError **error)
{
	struct talk talk;
	GError *problem = NULL;
	struct worker *worker = worker_new(options, error);
	if (worker == NULL)
		return NULL;
	talk_init(&talk, worker, options->seconds, NULL, 0);
	if (!greet(&talk, &problem)) {
		g_autofree char *prefix = g_strdup_printf("%s does not start: ", options->worker);
		blame(&talk, prefix, RUAD_ERROR_SYSTEM, problem, error);
		worker = NULL;
	}
	g_byte_array_unref(talk.in);
	return worker;
}

/* ---- the pool ---- */

struct pool *pool_new(const struct pool_options *options, GError **error)
{
	struct worker *first = worker_start(options, error);
	if (first == NULL)
		return NULL;
	struct pool *pool = g_new0(struct pool, 1);
	pool->options = *options;
	pool->options.worker = g_strdup(options->worker);
	pool->options.authserv_id = g_strdup(options->authserv_id);
	g_mutex_init(&pool->mutex);
	g_cond_init(&pool->freed);
	g_queue_init(&pool->idle);
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
	g_free((char *)pool->options.worker);
	g_free((char *)pool->options.authserv_id);
	g_free(pool);
}

/* A worker that speaks unasked or has closed its end while idle is of no use. */
static gboolean worker_is_quiet(const struct worker *worker)
{
	struct pollfd ready = { .fd = worker->fd, .events = POLLIN };
	return poll(&ready, 1, 0) == 0;
}

/* An idle worker, or the right to start one (NULL). */
static struct worker *take_place(struct pool *pool)
{
	g_mutex_lock(&pool->mutex);
	while (g_queue_is_empty(&pool->idle) && pool->living >= pool->options.workers)
		g_cond_wait(&pool->freed, &pool->mutex);
	struct worker *worker = g_queue_pop_head(&pool->idle);
	if (worker == NULL)
		pool->living++;
	g_mutex_unlock(&pool->mutex);
	return worker;
}

/* Give back what take_place() gave: the worker, or NULL when it is gone. */
static void leave_place(struct pool *pool, struct worker *worker)
{
	g_mutex_lock(&pool->mutex);
	if (worker != NULL)
		g_queue_push_head(&pool->idle, worker);
	else
		pool->living--;
	g_cond_signal(&pool->freed);
	g_mutex_unlock(&pool->mutex);
}

static struct worker *take_worker(struct pool *pool, GError **error)
{
	struct worker *worker = take_place(pool);
	if (worker != NULL && !worker_is_quiet(worker)) {
		worker_free(worker);
		worker = NULL;
	}
	if (worker == NULL)
		worker = worker_start(&pool->options, error);
	if (worker == NULL)
		leave_place(pool, NULL);
	return worker;
}

/* ---- the caller's sink, listened to ---- */

struct ear {
	const struct report_sink *sink;
	gpointer user;
	gboolean unclean; /* something was unreadable */
	GError *failure;  /* of the sink itself, borrowed */
};

static gboolean heard(struct ear *ear, gboolean ok, GError **error)
{
	if (!ok)
		ear->failure = *error;
	return ok;
}

static gboolean hear_mail(gpointer user, const struct mail_header *mail, GError **error)
{
	struct ear *ear = user;
	return heard(ear, ear->sink->mail(ear->user, mail, error), error);
}

static gboolean hear_begin(gpointer user, const char *place, GError **error)
{
	struct ear *ear = user;
	return heard(ear, ear->sink->report_begin(ear->user, place, error), error);
}

static gboolean hear_record(gpointer user, const struct aggregate_record *record, GError **error)
{
	struct ear *ear = user;
	return heard(ear, ear->sink->record(ear->user, record, error), error);
}

static gboolean hear_end(gpointer user, const struct aggregate_header *header, GError **error)
{
	struct ear *ear = user;
	return heard(ear, ear->sink->report_end(ear->user, header, error), error);
}

static gboolean hear_failure(
    gpointer user, const char *place, const struct failure_report *failure, GError **error)
{
	struct ear *ear = user;
	return heard(ear, ear->sink->failure(ear->user, place, failure, error), error);
}

static gboolean hear_tls(gpointer user, const char *place, const struct tls_report *tls, GError **error)
{
	struct ear *ear = user;
	return heard(ear, ear->sink->tls(ear->user, place, tls, error), error);
}

static gboolean hear_unreadable(gpointer user, const struct unreadable *unreadable, GError **error)
{
	struct ear *ear = user;
	ear->unclean = TRUE;
	return heard(ear, ear->sink->unreadable(ear->user, unreadable, error), error);
}

static const struct report_sink ear_sink = { .mail = hear_mail,
	.report_begin = hear_begin,
	.record = hear_record,
	.report_end = hear_end,
	.failure = hear_failure,
	.tls = hear_tls,
	.unreadable = hear_unreadable };

/* Returns the worker if it is still good, else NULL: then it is gone. */
static struct worker *run_on(struct pool *pool, struct worker *worker, const guint8 *document, gsize size,
    struct ear *ear, GError **error)
{
	struct talk talk;
	GError *problem = NULL;
	struct wire_reader *reader = wire_reader_new(&ear_sink, ear);
	talk_init(&talk, worker, pool->options.seconds, document, size);
	gboolean ok = converse(&talk, reader, &problem);
	wire_reader_free(reader);
	g_byte_array_unref(talk.in);

	worker->mails++;
	if (ok && !ear->unclean && worker->mails < pool->options.max_mails)
		return worker;
	if (ok || ear->failure != NULL)
		worker_free(worker);
	else
		blame(&talk, "", RUAD_ERROR_SYNTAX, problem, error);
	if (ear->failure != NULL)
		g_propagate_error(error, problem);
	return NULL;
}

gboolean pool_run(struct pool *pool, const guint8 *document, gsize size, const struct report_sink *sink,
    gpointer user, GError **error)
{
	struct ear ear = { .sink = sink, .user = user };
	GError *problem = NULL;
	struct worker *worker = take_worker(pool, error);
	if (worker == NULL)
		return FALSE;
	leave_place(pool, run_on(pool, worker, document, size, &ear, &problem));
	if (problem == NULL)
		return TRUE;
	g_propagate_error(error, problem);
	return FALSE;
}
