#include "server/database/postgres.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "parser/error.h"
#include "server/common/log.h"
#include "server/database/memory.h"
#include "server/database/postgres_access.h"
#include "server/database/postgres_remains.h"
#include "server/database/postgres_settings.h"
#include "server/database/postgres_words.h"

#define DEBIAN_VERSIONS "/usr/lib/postgresql"
#define SOCKET_NAME     "/.s.PGSQL.5432.lock" /* the longest name in PostgreSQL's socket folder */
#define START_SECONDS   600                   /* for recovery after a crash; a death is seen at once */
#define STOP_SECONDS    30
#define ORPHAN_SECONDS  30           /* for the server of a killed ruad to end */
#define POLL            (100 * 1000) /* microseconds */
#define RUN_MODE        0750
#define LOG_PREFIX      "PostgreSQL: "

struct postgres {
	char *state; /* folders and files, absolute */
	char *data;
	char *run;
	char *lock;
	guint connections;
	gboolean verbose;

	char *bin;   /* folder of the server's programs */
	char **argv; /* NULL before postgres_prepare() */
	char **envp;
	int lock_fd; /* -1: not held */
	GPid pid;    /* of the server that postgres_start() started, or 0 */

	char *present; /* the data directory to replace, between postgres_begin_new() and _finish_new() */
};

static gboolean fail_errno(GError **error, const char *what, const char *subject)
{
	int code = errno;

	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "%s \"%s\": %s", what, subject, g_strerror(code));
	return FALSE;
}

/* -- paths -- */

struct postgres *postgres_new(const char *state_dir, guint connections, gboolean verbose, GError **error)
{
	const gsize longest = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
	g_autofree char *run = g_build_filename(state_dir, "run", NULL);
	struct postgres *postgres = NULL;

	if (!g_path_is_absolute(state_dir)) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
		    "server.state_dir \"%s\": not an absolute path", state_dir);
		return NULL;
	}
	if (strlen(run) + strlen(SOCKET_NAME) > longest) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
		    "server.state_dir \"%s\": too long: the socket in it would have a path of %zu bytes, and "
		    "%zu are allowed",
		    state_dir, strlen(run) + strlen(SOCKET_NAME), longest);
		return NULL;
	}
	postgres = g_new0(struct postgres, 1);
	postgres->state = g_strdup(state_dir);
	postgres->data = g_build_filename(state_dir, "postgres", NULL);
	postgres->run = g_steal_pointer(&run);
	postgres->lock = g_build_filename(state_dir, "lock", NULL);
	postgres->connections = connections;
	postgres->verbose = verbose;
	postgres->lock_fd = -1;
	return postgres;
}

const char *const *postgres_argv(const struct postgres *postgres)
{
	return (const char *const *)postgres->argv;
}

const char *const *postgres_envp(const struct postgres *postgres)
{
	return (const char *const *)postgres->envp;
}

const char *postgres_folder(const struct postgres *postgres)
{
	return postgres->state;
}

const char *postgres_socket_folder(const struct postgres *postgres)
{
	return postgres->run;
}

/* A value of a conninfo string: in quotes, with quotes and backslashes escaped. */
static void append_conninfo(GString *conninfo, const char *key, const char *value)
{
	g_string_append_printf(conninfo, "%s%s='", conninfo->len == 0 ? "" : " ", key);
	for (const char *c = value; *c != '\0'; c++) {
		if (*c == '\'' || *c == '\\')
			g_string_append_c(conninfo, '\\');
		g_string_append_c(conninfo, *c);
	}
	g_string_append_c(conninfo, '\'');
}

char *postgres_conninfo(const struct postgres *postgres, const char *role, const char *database)
{
	GString *conninfo = g_string_new(NULL);

	append_conninfo(conninfo, "host", postgres->run);
	append_conninfo(conninfo, "port", "5432");
	append_conninfo(conninfo, "user", role);
	append_conninfo(conninfo, "dbname", database);
	return g_string_free(conninfo, FALSE);
}

/* -- the lock -- */

gboolean postgres_lock(struct postgres *postgres, gboolean *taken, int *owner, GError **error)
{
	g_autofree char *content = NULL;
	int fd = open(postgres->lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);

	if (fd < 0)
		return fail_errno(error, "cannot open", postgres->lock);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		gboolean held = errno == EWOULDBLOCK;

		*taken = FALSE;
		*owner = g_file_get_contents(postgres->lock, &content, NULL, NULL)
			     ? (int)g_ascii_strtoll(content, NULL, 10)
			     : 0;
		if (!held)
			fail_errno(error, "cannot lock", postgres->lock);
		close(fd);
		return held;
	}
	if (ftruncate(fd, 0) != 0 || dprintf(fd, "%d\n", (int)getpid()) < 0) {
		fail_errno(error, "cannot write", postgres->lock);
		close(fd);
		return FALSE;
	}
	*taken = TRUE;
	*owner = (int)getpid();
	postgres->lock_fd = fd;
	return TRUE;
}

/* -- the programs -- */

static gboolean has_server(const char *bin)
{
	g_autofree char *server = g_build_filename(bin, "postgres", NULL);
	g_autofree char *initdb = g_build_filename(bin, "initdb", NULL);

	return g_file_test(server, G_FILE_TEST_IS_EXECUTABLE) &&
	       g_file_test(initdb, G_FILE_TEST_IS_EXECUTABLE);
}

/* The newest of Debian's versions, or 0; Debian keeps each in a folder named for it. */
guint postgres_newest_version(void)
{
	g_autoptr(GDir) folder = g_dir_open(DEBIAN_VERSIONS, 0, NULL);
	const char *name;
	guint newest = 0;

	while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
		g_autofree char *bin = g_build_filename(DEBIAN_VERSIONS, name, "bin", NULL);
		guint64 version = 0;

		if (g_ascii_string_to_unsigned(name, 10, 1, 999, &version, NULL) && has_server(bin))
			newest = MAX(newest, (guint)version);
	}
	return newest;
}

/* The folder of this version's programs (version 0: the newest); or NULL. */
static char *find_programs(guint version)
{
	g_autofree char *number = g_strdup_printf("%u", version == 0 ? postgres_newest_version() : version);
	g_autofree char *bin = g_build_filename(DEBIAN_VERSIONS, number, "bin", NULL);
	g_autofree char *in_path = g_find_program_in_path("postgres");

	if (has_server(bin))
		return g_steal_pointer(&bin);
	return in_path == NULL ? NULL : g_path_get_dirname(in_path);
}

/* The first number in what `postgres --version` says, or 0. */
static guint version_of(const char *bin)
{
	g_autofree char *server = g_build_filename(bin, "postgres", NULL);
	const char *argv[] = { server, "--version", NULL };
	g_autofree char *words = NULL;

	if (!g_spawn_sync(
		NULL, (char **)argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &words, NULL, NULL, NULL))
		return 0;
	return (guint)strtoul(words + strcspn(words, "0123456789"), NULL, 10);
}

/* The cluster's major version from its PG_VERSION; 0 when there is no cluster. */
guint postgres_version(const struct postgres *postgres)
{
	g_autofree char *path = g_build_filename(postgres->data, "PG_VERSION", NULL);
	g_autofree char *content = NULL;

	return g_file_get_contents(path, &content, NULL, NULL) ? (guint)strtoul(content, NULL, 10) : 0;
}

static gboolean choose_programs(struct postgres *postgres, GError **error)
{
	guint wanted = postgres_version(postgres);
	guint found;

	g_free(postgres->bin);
	postgres->bin = find_programs(wanted);
	if (postgres->bin == NULL)
		postgres->bin = find_programs(0);
	if (postgres->bin == NULL) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
		    "no PostgreSQL server in " DEBIAN_VERSIONS
		    " or PATH: install the package postgresql, or set database.url");
		return FALSE;
	}
	found = version_of(postgres->bin);
	if (wanted != 0 && found != wanted) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
		    "the cluster in \"%s\" needs PostgreSQL %u, but only PostgreSQL %u is installed: restore "
		    "a dump "
		    "with `ruad database restore --replace FILE`, or install postgresql-%u beside it and run "
		    "`ruad database upgrade`",
		    postgres->data, wanted, found, wanted);
		return FALSE;
	}
	return TRUE;
}

/* The environment for all of PostgreSQL's programs: no PG* variable of the caller's may lead them elsewhere.
 */
static char **make_environment(const char *bin)
{
	const char *kept[] = { "TZ", "TMPDIR", "ASAN_OPTIONS", "LSAN_OPTIONS" };
	g_autofree char *path = g_strdup_printf("%s:/usr/bin:/bin", bin);
	char **envp = g_environ_setenv(NULL, "PATH", path, TRUE);

	envp = g_environ_setenv(envp, "LC_ALL", "C.UTF-8", TRUE);
	for (gsize i = 0; i < G_N_ELEMENTS(kept); i++)
		if (g_getenv(kept[i]) != NULL)
			envp = g_environ_setenv(envp, kept[i], g_getenv(kept[i]), TRUE);
	return envp;
}

/* -- making the cluster -- */

static int remove_entry(const char *path, const struct stat *status G_GNUC_UNUSED, int kind G_GNUC_UNUSED,
    struct FTW *walk G_GNUC_UNUSED)
{
	return remove(path);
}

static gboolean run_initdb(const struct postgres *postgres, const char *folder, GError **error)
{
	g_autofree char *program = g_build_filename(postgres->bin, "initdb", NULL);
	const char *argv[] = { program, "--pgdata", folder, "--username", POSTGRES_ADMIN, "--encoding=UTF8",
		"--locale=C.UTF-8", "--data-checksums", "--auth-local=peer", "--auth-host=reject",
		"--no-instructions", NULL };
	g_autofree char *words = NULL;
	g_autofree char *cause = NULL;
	int status = 0;

	if (!g_spawn_sync(postgres->state, (char **)argv, postgres->envp, G_SPAWN_STDOUT_TO_DEV_NULL, NULL,
		NULL, NULL, &words, &status, error))
		return FALSE;
	if (status == 0)
		return TRUE;
	cause = postgres_words_cause(words);
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "cannot create the cluster: %s", cause);
	return FALSE;
}

/* Made beside its place and then moved, so that an interrupted initdb leaves no half cluster. */
static gboolean make_cluster(const struct postgres *postgres, GError **error)
{
	g_autofree char *fresh = g_strconcat(postgres->data, ".new", NULL);

	log_info("creating the private PostgreSQL cluster in %s", postgres->data);
	if (nftw(fresh, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
		return fail_errno(error, "cannot remove", fresh);
	if (!run_initdb(postgres, fresh, error))
		return FALSE;
	if (rename(fresh, postgres->data) != 0)
		return fail_errno(error, "cannot put in place", postgres->data);
	return TRUE;
}

/* -- who may connect as what -- */

static gboolean write_file(const char *folder, const char *name, const char *words, GError **error)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);

	return g_file_set_contents_full(path, words, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
}

static gboolean write_access(const struct postgres *postgres, GError **error)
{
	const struct passwd *entry = getpwuid(geteuid());
	g_autofree char *ident = NULL;

	if (entry == NULL) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
		    "user ID %d has no name, which PostgreSQL needs: add it to /etc/passwd, or set "
		    "database.url",
		    (int)geteuid());
		return FALSE;
	}
	ident = postgres_access_ident(entry->pw_name);
	return write_file(postgres->data, "pg_hba.conf", postgres_access_hba, error) &&
	       write_file(postgres->data, "pg_ident.conf", ident, error);
}

/* -- its settings -- */

static gboolean write_settings(const struct postgres *postgres, GError **error)
{
	g_autofree char *text = postgres_settings_text(memory_usable(), postgres->connections);

	return write_file(postgres->data, POSTGRES_SETTINGS, text, error);
}

/* PostgreSQL skips a file that it may not read, as if it did not exist. */
static gboolean check_local_settings(const struct postgres *postgres, GError **error)
{
	g_autofree char *path = g_build_filename(postgres->state, POSTGRES_LOCAL_SETTINGS, NULL);

	if (access(path, R_OK) == 0 || errno == ENOENT)
		return TRUE;
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "cannot read \"%s\": %s", path, g_strerror(errno));
	return FALSE;
}

/*
 * Let PostgreSQL read its settings before it starts. The running server would log only that a file has
 * errors, since the lines that say which are below its log level. Asked for one setting (-C), it reads all of
 * them and ends.
 */
static gboolean check_settings(const struct postgres *postgres, GError **error)
{
	g_autoptr(GStrvBuilder) words = g_strv_builder_new();
	g_auto(GStrv) argv = NULL;
	g_autofree char *log = NULL;
	g_autofree char *messages = NULL;
	g_autofree char *cause = NULL;
	int status = 0;

	if (!check_local_settings(postgres, error))
		return FALSE;
	g_strv_builder_addv(words, (const char **)postgres->argv);
	g_strv_builder_add_many(words, "-c", "log_min_messages=log", "-C", "shared_buffers", NULL);
	argv = g_strv_builder_end(words);
	if (!g_spawn_sync(postgres->state, argv, postgres->envp, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL,
		&log, &status, error))
		return FALSE;
	if (status == 0)
		return TRUE;
	messages = postgres_words_messages(log, LOG_PREFIX);
	cause = postgres_words_cause(log);
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "PostgreSQL refuses its settings: %s",
	    *messages != '\0' ? messages : cause);
	return FALSE;
}

/* -- what a killed server left -- */

/* The server of a killed ruad is about to end by itself, with its backends. */
static gboolean wait_for_server(const struct postgres *postgres, GError **error)
{
	int left = 0;

	for (int i = 0; i < ORPHAN_SECONDS * G_USEC_PER_SEC / POLL; i++) {
		if (!postgres_remains_serve(postgres->data))
			return TRUE;
		left = postgres_remains_find(postgres->data);
		if (i == 0)
			log_info(
			    "waiting for the PostgreSQL server of an earlier ruad to end (process %d)", left);
		g_usleep(POLL);
	}
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM,
	    "a PostgreSQL server that ruad did not start runs in \"%s\" (process %d)", postgres->data, left);
	return FALSE;
}

/* We hold the lock and no server works here, so postmaster.pid is stale. Its number may by now be another
 * program's, on which PostgreSQL would refuse to start (in a container numbers come round soon). */
static gboolean remove_pid_file(const struct postgres *postgres, GError **error)
{
	g_autofree char *path = g_build_filename(postgres->data, "postmaster.pid", NULL);

	return unlink(path) == 0 || errno == ENOENT ? TRUE : fail_errno(error, "cannot remove", path);
}

gboolean postgres_end_backends(const struct postgres *postgres, GError **error)
{
	guint ended = postgres_remains_end(postgres->data);

	if (ended > 0)
		log_warning("ended %u processes of a PostgreSQL server that was killed", ended);
	return remove_pid_file(postgres, error);
}

/* -- all of it -- */

static gboolean check_owner(const struct postgres *postgres, GError **error)
{
	struct stat status;

	if (stat(postgres->data, &status) != 0)
		return errno == ENOENT ? TRUE : fail_errno(error, "cannot look at", postgres->data);
	if (status.st_uid == geteuid())
		return TRUE;
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
	    "the cluster in \"%s\" belongs to user ID %d, but ruad runs as %d", postgres->data,
	    (int)status.st_uid, (int)geteuid());
	return FALSE;
}

/*
 * What neither file may change, as the command line has the last word: who can reach the server, and what it
 * logs. The program that gets an error logs it; here it would only repeat what mails and browsers sent.
 */
static char **make_argv(const struct postgres *postgres)
{
	g_autoptr(GStrvBuilder) words = g_strv_builder_new();
	g_autofree char *program = g_build_filename(postgres->bin, "postgres", NULL);
	g_autofree char *file =
	    g_strdup_printf("config_file=%s" G_DIR_SEPARATOR_S POSTGRES_SETTINGS, postgres->data);
	const char *prefix = "log_line_prefix=" LOG_PREFIX;
	const char *const settings[] = { file, "listen_addresses=", "port=5432",
		"unix_socket_permissions=0777", "cluster_name=ruad", "logging_collector=off",
		"log_destination=stderr", prefix, "log_min_error_statement=panic", "lc_messages=C",
		postgres->verbose ? "log_min_messages=warning" : "log_min_messages=fatal" };

	g_strv_builder_add_many(words, program, "-D", postgres->data, "-k", postgres->run, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(settings); i++)
		g_strv_builder_add_many(words, "-c", settings[i], NULL);
	return g_strv_builder_end(words);
}

/* The folder of the server's socket: auditors, members of the group, get in whatever the umask was. */
static gboolean make_run_folder(const struct postgres *postgres, GError **error)
{
	if (mkdir(postgres->run, RUN_MODE) == 0 ? chmod(postgres->run, RUN_MODE) == 0 : errno == EEXIST)
		return TRUE;
	return fail_errno(error, "cannot make the folder", postgres->run);
}

gboolean postgres_prepare(struct postgres *postgres, GError **error)
{
	if (!check_owner(postgres, error) || !choose_programs(postgres, error))
		return FALSE;
	g_strfreev(postgres->envp);
	postgres->envp = make_environment(postgres->bin);
	if (postgres_version(postgres) == 0 && !make_cluster(postgres, error))
		return FALSE;
	if (!make_run_folder(postgres, error) || !wait_for_server(postgres, error) ||
	    !postgres_end_backends(postgres, error) || !write_access(postgres, error) ||
	    !write_settings(postgres, error))
		return FALSE;
	g_strfreev(postgres->argv);
	postgres->argv = make_argv(postgres);
	return check_settings(postgres, error);
}

/* -- is it there? -- */

/* The line of postmaster.pid, from 0, with the server's state, as pg_ctl reads it. */
#define PID_FILE_STATUS 7

gboolean postgres_is_ready(const struct postgres *postgres)
{
	g_autofree char *path = g_build_filename(postgres->data, "postmaster.pid", NULL);
	g_autofree char *content = NULL;
	g_auto(GStrv) lines = NULL;

	if (!g_file_get_contents(path, &content, NULL, NULL))
		return FALSE;
	lines = g_strsplit(content, "\n", -1);
	return g_strv_length(lines) > PID_FILE_STATUS && g_str_has_prefix(lines[PID_FILE_STATUS], "ready");
}

enum postgres_program postgres_program(const struct postgres *postgres, guint64 *inode)
{
	g_autofree char *path = g_build_filename(postgres->data, "postmaster.pid", NULL);
	g_autofree char *content = NULL;
	g_autofree char *running = NULL;

	if (!g_file_get_contents(path, &content, NULL, NULL))
		return POSTGRES_PROGRAM_SAME;
	running = g_strdup_printf("/proc/%ld/exe", strtol(content, NULL, 10));
	return postgres_program_compare(running, postgres->argv[0], inode);
}

/* -- for the time of a command -- */

/* Between fork and exec. A ruad that is killed takes its server along; Ctrl-C is for ruad alone. */
static void set_up_server(gpointer data G_GNUC_UNUSED)
{
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, (long)SIGINT);
}

static gboolean has_ended(GPid pid)
{
	return waitpid(pid, NULL, WNOHANG) == pid;
}

static gboolean wait_until_ready(struct postgres *postgres, GError **error)
{
	for (int i = 0; i < START_SECONDS * G_USEC_PER_SEC / POLL; i++) {
		if (postgres_is_ready(postgres))
			return TRUE;
		if (has_ended(postgres->pid)) {
			postgres->pid = 0;
			g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM,
			    "the PostgreSQL server ended while starting");
			return FALSE;
		}
		g_usleep(POLL);
	}
	g_set_error(
	    error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "the PostgreSQL server does not accept connections");
	return FALSE;
}

void postgres_stop(struct postgres *postgres)
{
	if (postgres->pid == 0)
		return;
	kill(postgres->pid, SIGINT);
	for (int i = 0; i < STOP_SECONDS * G_USEC_PER_SEC / POLL; i++) {
		if (has_ended(postgres->pid)) {
			postgres->pid = 0;
			return;
		}
		g_usleep(POLL);
	}
	kill(postgres->pid, SIGKILL);
	waitpid(postgres->pid, NULL, 0);
	postgres->pid = 0;
}

gboolean postgres_start(struct postgres *postgres, GError **error)
{
	if (!postgres_prepare(postgres, error))
		return FALSE;
	if (!g_spawn_async(postgres->state, postgres->argv, postgres->envp,
		G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
		set_up_server, NULL, &postgres->pid, error))
		return FALSE;
	if (wait_until_ready(postgres, error))
		return TRUE;
	postgres_stop(postgres);
	return FALSE;
}

/* -- its programs, and another cluster -- */

struct streams {
	int in, out; /* -1: /dev/null, which the caller set */
};

/* Between fork and exec. */
static void set_up_streams(gpointer data)
{
	const struct streams *streams = data;

	if (streams->in >= 0)
		dup2(streams->in, STDIN_FILENO);
	if (streams->out >= 0)
		dup2(streams->out, STDOUT_FILENO);
	prctl(PR_SET_PDEATHSIG, (long)SIGTERM);
}

gboolean postgres_run(struct postgres *postgres, const char *program, const char *const *arguments, int in,
    int out, GError **error)
{
	g_autofree char *path = NULL;
	g_autofree char *words = NULL;
	g_autofree char *cause = NULL;
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	g_auto(GStrv) argv = NULL;
	g_auto(GStrv) envp = NULL;
	struct streams streams = { in, out };
	int status = 0;

	if (postgres->bin == NULL && !choose_programs(postgres, error))
		return FALSE;
	path = g_build_filename(postgres->bin, program, NULL);
	g_strv_builder_add(builder, path);
	g_strv_builder_addv(builder, (const char **)arguments);
	argv = g_strv_builder_end(builder);
	envp = make_environment(postgres->bin);
	if (!g_spawn_sync(postgres->state, argv, envp,
		out < 0 ? G_SPAWN_STDOUT_TO_DEV_NULL : G_SPAWN_CHILD_INHERITS_STDOUT, set_up_streams,
		&streams, NULL, &words, &status, error))
		return FALSE;
	if (status == 0)
		return TRUE;
	cause = postgres_words_cause(words);
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "%s: %s", program, cause);
	return FALSE;
}

gboolean postgres_exists(const struct postgres *postgres)
{
	return g_file_test(postgres->data, G_FILE_TEST_EXISTS);
}

gboolean postgres_begin_new(struct postgres *postgres, GError **error)
{
	char *fresh = g_strconcat(postgres->data, ".next", NULL);

	g_assert(postgres->present == NULL);
	postgres->present = postgres->data;
	postgres->data = fresh;
	if (nftw(fresh, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
		return fail_errno(error, "cannot remove", fresh);
	return TRUE;
}

/* Atomic where the file system can: a kill between two renames would leave no cluster, and the next start
 * would make an empty one. */
static gboolean exchange(const char *fresh, const char *present)
{
	g_autofree char *aside = NULL;

	if (renameat2(AT_FDCWD, fresh, AT_FDCWD, present, RENAME_EXCHANGE) == 0)
		return TRUE;
	if (errno != EINVAL && errno != ENOSYS)
		return FALSE;
	aside = g_strconcat(present, ".aside", NULL);
	return rename(present, aside) == 0 && rename(fresh, present) == 0 && rename(aside, fresh) == 0;
}

gboolean postgres_finish_new(struct postgres *postgres, char **kept, GError **error)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *moment = g_date_time_format(now, "%Y%m%dT%H%M%S");
	g_autofree char *old = g_strdup_printf("%s.%s", postgres->present, moment);
	gboolean replaces = g_file_test(postgres->present, G_FILE_TEST_EXISTS);

	postgres_stop(postgres);
	/* the name that the present one gets, so that nothing removes it after the exchange */
	if (rename(postgres->data, old) != 0)
		return fail_errno(error, "cannot rename", postgres->data);
	if (replaces ? !exchange(old, postgres->present) : rename(old, postgres->present) != 0)
		return fail_errno(error, "cannot put in place", postgres->present);
	*kept = replaces ? g_steal_pointer(&old) : NULL;
	g_free(postgres->data);
	postgres->data = g_steal_pointer(&postgres->present);
	return TRUE;
}

void postgres_free(struct postgres *postgres)
{
	if (postgres == NULL)
		return;
	postgres_stop(postgres);
	g_free(postgres->present);
	if (postgres->lock_fd >= 0)
		close(postgres->lock_fd);
	g_free(postgres->state);
	g_free(postgres->data);
	g_free(postgres->run);
	g_free(postgres->lock);
	g_free(postgres->bin);
	g_strfreev(postgres->argv);
	g_strfreev(postgres->envp);
	g_free(postgres);
}
