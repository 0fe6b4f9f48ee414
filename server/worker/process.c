#include "server/worker/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "parser/error.h"
#include "server/common/log.h"
#include "server/common/parser_settings.h"

#define NICE           10
#define WORKER_FD      3
#define LINE_MAX_BYTES 1024 /* of standard error; a longer line is logged in pieces */
#define LINES_MAX      200  /* of one process to be logged */

struct process {
	pid_t pid;
	clockid_t clock; /* of its processor time */
	int socket;
	int errors;    /* pipe from its standard error */
	GString *line; /* the incomplete line read from it */
	guint lines;   /* logged so far */
};

/* Both ends of the connections to a process. */
struct ends {
	int socket[2];
	int errors[2];
};

/* -- start -- */

/* The environment of a worker: other variables may be secrets, such as the database's password. */
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

static char **make_arguments(const struct pool_options *options)
{
	GPtrArray *argv = g_ptr_array_new();
	g_ptr_array_add(argv, g_strdup(options->worker));
	g_ptr_array_add(argv, g_strdup_printf("--memory=%" G_GUINT64_FORMAT, options->memory));
	g_ptr_array_add(argv, g_strdup_printf("--cpu=%u", options->max_seconds));
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

/* In the worker no signal is blocked or ignored, whatever the state of this process. */
static void set_signals(posix_spawnattr_t *attributes)
{
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &all);
	posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

/* Standard error comes first: its end of the pipe may have the number of the socket. */
static void set_files(posix_spawn_file_actions_t *files, const struct ends *ends)
{
	posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(files, ends->errors[1], STDERR_FILENO);
	posix_spawn_file_actions_adddup2(files, ends->socket[1], WORKER_FD);
	posix_spawn_file_actions_addclosefrom_np(files, WORKER_FD + 1);
}

/* Returns errno. */
static int spawn(pid_t *pid, const struct pool_options *options, const struct ends *ends)
{
	g_auto(GStrv) argv = make_arguments(options);
	g_auto(GStrv) environment = make_environment();
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;

	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attributes);
	set_files(&files, ends);
	set_signals(&attributes);
	int status = posix_spawn(pid, options->worker, &files, &attributes, argv, environment);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	return status;
}

static void close_both(const int end[2])
{
	close(end[0]);
	close(end[1]);
}

static gboolean connect_ends(struct ends *ends)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends->socket) != 0)
		return FALSE;
	if (pipe2(ends->errors, O_CLOEXEC) == 0) {
		if (fcntl(ends->errors[0], F_SETFL, O_NONBLOCK) == 0)
			return TRUE;
		close_both(ends->errors);
	}
	close_both(ends->socket);
	return FALSE;
}

struct process *process_start(const struct pool_options *options, GError **error)
{
	struct ends ends;
	pid_t pid = 0;
	if (!connect_ends(&ends)) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM,
		    "could not make a connection to a parser: %s", g_strerror(errno));
		return NULL;
	}
	int status = spawn(&pid, options, &ends);
	if (status != 0) {
		g_set_error(
		    error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "%s: %s", options->worker, g_strerror(status));
		close_both(ends.socket);
		close_both(ends.errors);
		return NULL;
	}
	close(ends.socket[1]);
	close(ends.errors[1]);
	struct process *process = g_new0(struct process, 1);
	process->pid = pid;
	(void)clock_getcpuclockid(pid, &process->clock); /* succeeds for a child that was not waited for */
	process->socket = ends.socket[0];
	process->errors = ends.errors[0];
	process->line = g_string_new(NULL);
	return process;
}

int process_socket(const struct process *process)
{
	return process->socket;
}

int process_stderr(const struct process *process)
{
	return process->errors;
}

/* -- time -- */

gint64 process_cpu(const struct process *process)
{
	struct timespec used;
	if (clock_gettime(process->clock, &used) != 0)
		return 0;
	return used.tv_sec * G_USEC_PER_SEC + used.tv_nsec / 1000;
}

void process_lower_priority(const struct process *process)
{
	(void)setpriority(PRIO_PROCESS, (id_t)process->pid, NICE);
}

/* -- standard error -- */

static void log_line(struct process *process)
{
	if (process->line->len > 0 && process->lines < LINES_MAX) {
		g_autofree char *quoted = log_quote(process->line->str);
		log_warning("parser %d says: %s%s", (int)process->pid, quoted,
		    ++process->lines == LINES_MAX ? "; its further lines are not logged" : "");
	}
	g_string_truncate(process->line, 0);
}

/* A NUL would end the text for log_quote(), so it ends the line here. */
static void take_bytes(struct process *process, const char *bytes, gsize n)
{
	for (gsize i = 0; i < n; i++) {
		if (bytes[i] != '\n' && bytes[i] != '\0')
			g_string_append_c(process->line, bytes[i]);
		if (bytes[i] == '\n' || bytes[i] == '\0' || process->line->len == LINE_MAX_BYTES)
			log_line(process);
	}
}

gboolean process_log_stderr(struct process *process)
{
	char bytes[4096];
	ssize_t n = read(process->errors, bytes, sizeof(bytes));
	if (n > 0)
		take_bytes(process, bytes, (gsize)n);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* Log what a dead process left in the pipe, which holds 64 KiB. */
static void log_rest(struct process *process)
{
	char bytes[4096];
	ssize_t n;
	while ((n = read(process->errors, bytes, sizeof(bytes))) > 0)
		take_bytes(process, bytes, (gsize)n);
	log_line(process);
}

/* -- end -- */

void process_end(struct process *process)
{
	if (process == NULL)
		return;
	close(process->socket);
	kill(process->pid, SIGKILL);
	while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
		;
	log_rest(process);
	close(process->errors);
	g_string_free(process->line, TRUE);
	g_free(process);
}

/* The process is about to end if we do not kill it: wait a moment for its own status. */
char *process_last_words(const struct process *process)
{
	siginfo_t info = { 0 };
	for (int i = 0; i < 100; i++) {
		if (waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
		    info.si_pid != 0)
			break;
		g_usleep(1000);
	}
	if (info.si_pid == 0)
		return g_strdup("is still running");
	if (info.si_code == CLD_EXITED)
		return g_strdup_printf("ended with status %d", info.si_status);
	return g_strdup_printf("ended by signal %d (%s)", info.si_status, strsignal(info.si_status));
}
