/*
 * cmd_serve.c - ruad serve: opens the listeners, runs the private PostgreSQL if there is one, updates the
 * schema, and keeps ruad-ingest, ruad-web, ruad-enrich, ruad-fetch and ruad-notify running until SIGTERM or
 * SIGINT.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <glib-unix.h>
#include <systemd/sd-daemon.h>

#include "parser/error.h"
#include "server/cli/commands.h"
#include "server/cli/database.h"
#include "server/cli/identity.h"
#include "server/cli/probe.h"
#include "server/cli/settings_check.h"
#include "server/cli/sockets.h"
#include "server/cli/status.h"
#include "server/cli/supervisor.h"
#include "server/common/errands.h"
#include "server/common/log.h"
#include "server/common/net.h"
#include "server/common/paths.h"
#include "server/common/vitals.h"
#include "server/database/postgres_release.h"
#include "server/fetch/account.h"
#include "server/notify/destinations.h"
#include "server/web/auth.h"

#define POSTGRES      "PostgreSQL"
#define ENRICH        "ruad-enrich"
#define FETCH         "ruad-fetch"
#define FETCH_MAILDIR FETCH " maildir"
#define NOTIFY        "ruad-notify"
#define RETRY_PRIVATE                                                                                        \
	(100 * 1000) /* microseconds between attempts to set up; our own cluster is there soon */
#define RETRY_EXTERNAL    (2 * 1000 * 1000) /* somebody else's may take its time */
#define START_DEATHS_MOST 5                 /* of a part before everything was ready once: then give up */
#define PROBE_EVERY       (100 * 1000)      /* microseconds */
#define PROBE_SECONDS     10                /* for an answer */
#define PROBE_WARNING     30                /* seconds until the log names the part that does not answer */
#define PROGRAM_EVERY     5                 /* seconds between looks at PostgreSQL's program */
#define PRUNE_AFTER       10                /* seconds: the mail server's queue comes first */
#define PRUNE_EVERY       (24 * 60 * 60)    /* seconds */

/* What starts a program that serves sockets. */
struct program {
	const char *program;
	const char *role;
	const char *sections[4]; /* of the settings, for its environment */
	const char *request;     /* that it answers when it runs; NULL: it greets every client */
};

static const struct program programs[SERVICES] = {
	[SERVICE_INGEST] = { "ruad-ingest", "ruad_ingest", { "lmtp", "parser", "retention", NULL }, NULL },
	[SERVICE_WEB] = { "ruad-web", "ruad_web", { "http", "lmtp", NULL },
	    "GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n" },
};

struct serve {
	const struct settings *settings;
	struct database *database;
	struct supervisor *supervisor;
	GMainLoop *loop;
	struct sockets *sockets;
	int vitals_fd; /* ruad-ingest writes it, ruad-web and ruad-notify read it */
	struct vitals *vitals;
	int errands_fd; /* ruad-fetch and ruad-notify write it, ruad-web reads it */
	struct errands *errands;

	struct status *status; /* NULL until everything is ready */

	GThread *set_up; /* updates the database, then waits for the services */
	gint stopping;   /* atomic: set_up must give up */
	gboolean ready;  /* the database was set up, and every service answered */

	enum postgres_program program; /* of the private server, when it was looked at last */
	guint64 program_inode;
	int code; /* exit code */
};

/* -- children -- */

/* The part of our environment that programs need: paths, and the variables of libpq and the sanitizers. */
static char **base_environment(void)
{
	static const char *const kept[] = { "PATH", "HOME", "TZ", "TMPDIR", "RUAD_LIBEXEC",
		LOG_VERBOSE_VARIABLE };
	static const char *const prefixes[] = { "PG", "ASAN_", "UBSAN_", "LSAN_", "TSAN_" };
	g_auto(GStrv) names = g_listenv();
	char **envp = g_environ_setenv(NULL, "LC_ALL", "C.UTF-8", TRUE);

	for (gsize i = 0; names[i] != NULL; i++) {
		gboolean keep = FALSE;

		for (gsize k = 0; k < G_N_ELEMENTS(kept); k++)
			keep = keep || g_str_equal(names[i], kept[k]);
		for (gsize k = 0; k < G_N_ELEMENTS(prefixes); k++)
			keep = keep || g_str_has_prefix(names[i], prefixes[k]);
		if (keep)
			envp = g_environ_setenv(envp, names[i], g_getenv(names[i]), TRUE);
	}
	if (command_verbose())
		envp = g_environ_setenv(envp, LOG_VERBOSE_VARIABLE, "1", TRUE);
	return envp;
}

/* The only right to write that ruad-web may have: setting labels, if http.editors names a user, or users sign
 * in, whom `ruad user` can make editors at any time. */
static char **with_editor(const struct serve *serve, char **envp)
{
	g_autofree char *conninfo = NULL;

	if (settings_list(serve->settings, "http.editors")[0] == NULL &&
	    settings_choice(serve->settings, "http.auth") == AUTH_NONE)
		return envp;
	conninfo = database_role_conninfo(serve->database, "ruad_editor");
	return g_environ_setenv(envp, "RUAD_DATABASE_EDIT_URL", conninfo, TRUE);
}

/* The environment of a program: the settings of its sections, and a database that it enters with one role.
 * Transfer full. */
static char **environment_for(const struct serve *serve, const char *const *sections, const char *role)
{
	g_autofree char *conninfo = database_role_conninfo(serve->database, role);
	char **envp = settings_environment(serve->settings, sections, base_environment());

	return g_environ_setenv(envp, "RUAD_DATABASE_URL", conninfo, TRUE);
}

static void add_vitals(const struct serve *serve, GArray *fds, GStrvBuilder *words)
{
	supervisor_pass(fds, words, "--vitals-fd", serve->vitals_fd);
}

static void add_errands(const struct serve *serve, GArray *fds, GStrvBuilder *words)
{
	supervisor_pass(fds, words, "--errands-fd", serve->errands_fd);
}

/* A program with an errand has a row of its own in the memory for errands. If there are too many, it is not
 * counted. */
static void add_errand(const struct serve *serve, const char *name, GArray *fds, GStrvBuilder *words)
{
	int number = errands_name(serve->errands, name);
	g_autofree char *errand = g_strdup_printf("--errand=%d", number);

	if (number < 0)
		return;
	add_errands(serve, fds, words);
	g_strv_builder_add(words, errand);
}

/* Programs watch the disk of our own cluster; that of another server is out of their sight. */
static void add_storage(const struct serve *serve, gboolean with_min_free, GStrvBuilder *words)
{
	g_autofree char *folder =
	    g_strdup_printf("--storage=%s", settings_string(serve->settings, "server.state_dir"));
	g_autofree char *min_free = g_strdup_printf(
	    "--min-free=%" G_GUINT64_FORMAT, settings_size(serve->settings, "server.min_free"));

	if (database_private(serve->database) == NULL)
		return;
	g_strv_builder_add(words, folder);
	if (with_min_free)
		g_strv_builder_add(words, min_free);
}

/* Uploads take the path of mail. */
static void add_lmtp(const struct serve *serve, GStrvBuilder *words)
{
	g_autofree char *address = net_address_of(sockets_first(serve->sockets, SERVICE_INGEST));
	g_autofree char *word = address != NULL ? g_strdup_printf("--lmtp=%s", address) : NULL;

	if (word != NULL)
		g_strv_builder_add(words, word);
}

/* Start a program with these words and descriptors (NULL: none), and restart it when it ends. */
static void start_program(
    const struct serve *serve, const char *name, const char *const *argv, char **envp, const GArray *fds)
{
	supervisor_start(serve->supervisor, &(struct child_spec){ .name = name,
						.argv = argv,
						.envp = (const char *const *)envp,
						.folder = "/",
						.fds = fds != NULL ? (const int *)(gpointer)fds->data : NULL,
						.n_fds = fds != NULL ? fds->len : 0,
						.stop_signal = SIGTERM });
}

static void start_service(struct serve *serve, enum service s)
{
	const struct program *service = &programs[s];
	g_auto(GStrv) envp = environment_for(serve, service->sections, service->role);
	g_autoptr(GStrvBuilder) words = g_strv_builder_new();
	g_autoptr(GArray) fds = g_array_new(FALSE, FALSE, sizeof(int));
	g_autofree char *program = paths_libexec(service->program);
	g_auto(GStrv) argv = NULL;

	g_strv_builder_add(words, program);
	sockets_pass(serve->sockets, s, fds, words);
	add_vitals(serve, fds, words);
	add_storage(serve, s == SERVICE_WEB, words);
	if (s == SERVICE_WEB) {
		envp = with_editor(serve, envp);
		add_errands(serve, fds, words);
		add_lmtp(serve, words);
	}
	argv = g_strv_builder_end(words);
	start_program(serve, service->program, (const char *const *)argv, envp, fds);
}

static void start_services(struct serve *serve)
{
	for (gsize s = 0; s < SERVICES; s++)
		start_service(serve, (enum service)s);
}

/* Start ruad prune, with no more rights than the services. */
static void start_prune(struct serve *serve)
{
	static const char *const sections[] = { "retention", NULL };
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	g_auto(GStrv) envp = environment_for(serve, sections, "ruad_owner");
	const char *const argv[] = { self, "prune", "--quiet", NULL };

	if (self == NULL)
		return;
	supervisor_start(serve->supervisor, &(struct child_spec){ .name = "ruad prune",
						.argv = argv,
						.envp = (const char *const *)envp,
						.folder = "/",
						.stop_signal = SIGTERM,
						.every = PRUNE_EVERY,
						.after = PRUNE_AFTER });
}

static void start_enrich(struct serve *serve)
{
	static const char *const sections[] = { "enrich", "lmtp", NULL };
	g_autofree char *program = paths_libexec(ENRICH);
	g_auto(GStrv) envp = environment_for(serve, sections, "ruad_enrich");
	const char *const argv[] = { program, NULL };

	if (!settings_bool(serve->settings, "enrich.enabled"))
		return;
	start_program(serve, ENRICH, argv, envp, NULL);
}

/* Only if notices or digests have a destination. */
static void start_notify(struct serve *serve)
{
	static const char *const sections[] = { "notify", "digest", "retention", NULL };
	g_autofree char *program = paths_libexec(NOTIFY);
	g_auto(GStrv) envp = settings_environment_named(
	    serve->settings, "digest", environment_for(serve, sections, "ruad_notify"));
	g_auto(GStrv) destinations = destinations_all(serve->settings);
	g_autoptr(GStrvBuilder) words = g_strv_builder_new();
	g_autoptr(GArray) fds = g_array_new(FALSE, FALSE, sizeof(int));
	g_auto(GStrv) argv = NULL;

	if (destinations[0] == NULL)
		return;
	g_strv_builder_add(words, program);
	add_vitals(serve, fds, words);
	add_errand(serve, ERRAND_NOTIFY, fds, words);
	add_storage(serve, TRUE, words);
	argv = g_strv_builder_end(words);
	start_program(serve, NOTIFY, (const char *const *)argv, envp, fds);
}

/* Remove what libpq reads. */
static char **without_database(char **envp)
{
	g_auto(GStrv) names = g_listenv();

	for (gsize i = 0; names[i] != NULL; i++)
		if (g_str_has_prefix(names[i], "PG"))
			envp = g_environ_unsetenv(envp, names[i]);
	return envp;
}

/* Start ruad-fetch for one kind of source ("imap", "maildir"): it gets the settings of this section, and
 * where to hand mails over, but no database. */
static void start_fetch(
    struct serve *serve, const struct settings *settings, const char *source, const char *name)
{
	const char *const sections[] = { source, "lmtp", NULL };
	g_autofree char *program = paths_libexec(FETCH);
	g_autofree char *address = net_address_of(sockets_first(serve->sockets, SERVICE_INGEST));
	g_autofree char *lmtp = g_strconcat("--lmtp=", address, NULL);
	g_autofree char *storage =
	    g_strconcat("--storage=", settings_string(settings, "server.state_dir"), NULL);
	g_auto(GStrv) envp = settings_environment(settings, sections, without_database(base_environment()));
	g_autoptr(GStrvBuilder) words = g_strv_builder_new();
	g_autoptr(GArray) fds = g_array_new(FALSE, FALSE, sizeof(int));
	g_auto(GStrv) argv = NULL;

	g_strv_builder_add_many(words, program, lmtp, storage, NULL);
	add_errand(serve, name + strlen(FETCH " "), fds, words);
	g_strv_builder_add(words, source);
	argv = g_strv_builder_end(words);
	start_program(serve, name, (const char *const *)argv, envp, fds);
}

/* The name of the program that fetches from an account. Transfer full. */
static char *fetch_name(const struct settings *account)
{
	return settings_name(account) == NULL ? g_strdup(FETCH " imap")
					      : g_strconcat(FETCH " imap ", settings_name(account), NULL);
}

/* Each account has a process of its own, so that none waits for another. */
static void start_fetchers(struct serve *serve)
{
	g_autoptr(GPtrArray) accounts = settings_sections(serve->settings, "imap");

	for (guint i = 0; i < accounts->len; i++) {
		g_autofree char *name = fetch_name(accounts->pdata[i]);

		if (account_is_set(accounts->pdata[i]))
			start_fetch(serve, accounts->pdata[i], "imap", name);
	}
	if (settings_list(serve->settings, "maildir.path")[0] != NULL)
		start_fetch(serve, serve->settings, "maildir", FETCH_MAILDIR);
}

static void before_postgres(gpointer postgres)
{
	g_autoptr(GError) error = NULL;

	if (!postgres_end_backends(postgres, &error))
		log_warning("%s", error->message);
}

static void start_postgres(struct serve *serve)
{
	struct postgres *postgres = database_private(serve->database);

	supervisor_start(serve->supervisor, &(struct child_spec){ .name = POSTGRES,
						.argv = postgres_argv(postgres),
						.envp = postgres_envp(postgres),
						.folder = postgres_folder(postgres),
						.stop_signal = SIGINT,
						.is_base = TRUE,
						.before = before_postgres,
						.before_user = postgres });
}

/* -- an update of PostgreSQL -- */

static void restart_postgres(const struct serve *serve)
{
	log_warning(
	    "PostgreSQL was updated: restarting it, since the old server cannot load the new libraries");
	supervisor_signal(serve->supervisor, POSTGRES, SIGINT);
}

/* An update replaces many files, one after another: the program must be the same at two looks. */
static gboolean look_at_program(gpointer user)
{
	struct serve *serve = user;
	guint64 inode = 0;
	enum postgres_program program = postgres_program(database_private(serve->database), &inode);

	if (program == POSTGRES_PROGRAM_REPLACED && serve->program == program &&
	    inode == serve->program_inode) {
		restart_postgres(serve);
		program = POSTGRES_PROGRAM_SAME;
	}
	if (program == POSTGRES_PROGRAM_MISSING && serve->program != program)
		log_warning("PostgreSQL's program \"%s\" was removed: install it again; it cannot be started "
			    "when it ends",
		    postgres_argv(database_private(serve->database))[0]);
	serve->program = program;
	serve->program_inode = inode;
	return G_SOURCE_CONTINUE;
}

/* -- stopping -- */

static void all_stopped(gpointer user)
{
	struct serve *serve = user;

	g_main_loop_quit(serve->loop);
}

static void stop(struct serve *serve, int code)
{
	if (g_atomic_int_get(&serve->stopping))
		return;
	serve->code = code;
	g_atomic_int_set(&serve->stopping, 1);
	g_clear_pointer(&serve->status, status_stop);
	sd_notify(0, "STOPPING=1\nSTATUS=stopping");
	supervisor_stop(serve->supervisor, all_stopped, serve);
}

static gboolean stop_signal(gpointer user)
{
	log_info("stopping");
	stop(user, COMMAND_OK);
	return G_SOURCE_CONTINUE;
}

/* ruad-enrich checks its files, ruad-fetch looks for mail, and ruad-notify looks at once; a hang-up of the
 * terminal has no other effect. */
static gboolean hang_up_signal(gpointer user)
{
	const struct serve *serve = user;
	g_autoptr(GPtrArray) accounts = settings_sections(serve->settings, "imap");

	supervisor_signal(serve->supervisor, ENRICH, SIGHUP);
	supervisor_signal(serve->supervisor, NOTIFY, SIGHUP);
	supervisor_signal(serve->supervisor, FETCH_MAILDIR, SIGHUP);
	for (guint i = 0; i < accounts->len; i++) {
		g_autofree char *name = fetch_name(accounts->pdata[i]);

		supervisor_signal(serve->supervisor, name, SIGHUP);
	}
	return G_SOURCE_CONTINUE;
}

static void child_died(const char *name, guint deaths, gpointer user)
{
	struct serve *serve = user;

	if (serve->ready || deaths < START_DEATHS_MOST)
		return;
	log_error("%s does not start: giving up", name);
	stop(serve, COMMAND_FAILED);
}

/* -- the database -- */

/* The result of set_up_database(), for the main loop. */
struct set_up_answer {
	struct serve *serve;
	GError *error; /* NULL: done */
};

static void warn_of_release(const struct postgres *postgres)
{
	g_autofree char *os = g_get_os_info(G_OS_INFO_KEY_ID);
	g_autofree char *release = g_get_os_info(G_OS_INFO_KEY_VERSION_ID);
	g_autofree char *advice = postgres_release_advice(os, release, postgres_version(postgres));

	if (advice != NULL)
		log_warning("%s", advice);
}

static void announce_ready(struct serve *serve)
{
	const struct postgres *postgres = database_private(serve->database);

	serve->status = status_start(serve->vitals);
	log_info("ready");
	if (postgres == NULL)
		return;
	warn_of_release(postgres);
	log_info("auditors: ruad auditor add NAME lets a user of this machine in by "
		 "psql \"host=%s dbname=" POSTGRES_DATABASE "\"",
	    postgres_socket_folder(postgres));
}

static gboolean services_answered(gpointer user)
{
	struct serve *serve = user;

	if (g_atomic_int_get(&serve->stopping))
		return G_SOURCE_REMOVE;
	serve->ready = TRUE;
	start_prune(serve);
	start_enrich(serve);
	start_notify(serve);
	start_fetchers(serve);
	announce_ready(serve);
	return G_SOURCE_REMOVE;
}

static gboolean answers(const struct serve *serve, enum service s, GError **error)
{
	int fd = net_connect_to_listener(sockets_first(serve->sockets, s), PROBE_SECONDS, error);
	char answer[64];

	return fd >= 0 && probe_ask(fd, programs[s].request, answer, sizeof(answer), error);
}

/* The second thread: until every service answers, or ruad stops. */
static gpointer wait_for_services(gpointer data)
{
	struct serve *serve = data;

	for (gsize s = 0; s < SERVICES; s++) {
		gint64 patience = g_get_monotonic_time() + PROBE_WARNING * G_TIME_SPAN_SECOND;

		while (!g_atomic_int_get(&serve->stopping)) {
			g_autoptr(GError) cause = NULL;

			if (answers(serve, (enum service)s, &cause))
				break;
			if (g_get_monotonic_time() > patience) {
				log_warning("not ready: %s: %s", programs[s].program, cause->message);
				patience = G_MAXINT64;
			}
			g_usleep(PROBE_EVERY);
		}
	}
	g_idle_add(services_answered, serve);
	return NULL;
}

static gboolean set_up_ended(gpointer data)
{
	struct set_up_answer *answer = data;
	struct serve *serve = answer->serve;

	if (answer->error != NULL) {
		log_error("cannot set up the database: %s", answer->error->message);
		g_clear_error(&answer->error);
		stop(serve, COMMAND_FAILED);
	} else if (!g_atomic_int_get(&serve->stopping)) {
		if (database_private(serve->database) != NULL)
			start_services(serve);
		g_thread_join(serve->set_up);
		serve->set_up = g_thread_new("wait", wait_for_services, serve);
	}
	g_free(answer);
	return G_SOURCE_REMOVE;
}

/* Log the failure of an attempt if its message is new. Returns FALSE if there is no point in another
 * attempt. */
static gboolean may_retry(const struct serve *serve, const GError *cause, char **last_words)
{
	gboolean is_private = database_private(serve->database) != NULL;

	if (is_private && !g_error_matches(cause, RUAD_ERROR, RUAD_ERROR_SYSTEM))
		return FALSE;
	if (!is_private && g_strcmp0(*last_words, cause->message) != 0)
		log_warning("the database cannot be set up yet: %s", cause->message);
	g_free(*last_words);
	*last_words = g_strdup(cause->message);
	g_usleep(is_private ? RETRY_PRIVATE : RETRY_EXTERNAL);
	return TRUE;
}

/* The first thread: tries until the database is set up, no attempt can succeed, or ruad stops. */
static gpointer set_up_database(gpointer data)
{
	struct serve *serve = data;
	struct set_up_answer *answer = g_new0(struct set_up_answer, 1);
	g_autofree char *last_words = NULL;

	answer->serve = serve;
	while (!g_atomic_int_get(&serve->stopping)) {
		g_autoptr(GError) cause = NULL;

		if (database_set_up(serve->database, &cause) &&
		    database_check_logins(serve->database, &cause) &&
		    database_store_domains(serve->database, &cause))
			break;
		if (!may_retry(serve, cause, &last_words)) {
			answer->error = g_steal_pointer(&cause);
			break;
		}
	}
	g_idle_add(set_up_ended, answer);
	return NULL;
}

/* -- the command -- */

/* Create and lock the folder of the private cluster, as the user that it belongs to. */
static gboolean take_state_dir(struct serve *serve, GError **error)
{
	struct postgres *postgres = database_private(serve->database);
	const char *state = settings_string(serve->settings, "server.state_dir");
	const char *user = settings_string(serve->settings, "server.user");
	gboolean taken = FALSE;
	gboolean good;
	int owner = 0;

	if (postgres == NULL)
		return TRUE;
	if (!identity_make_folder(state, user, error) || !identity_assume(user, error))
		return FALSE;
	good = postgres_lock(postgres, &taken, &owner, error);
	identity_resume();
	if (good && !taken)
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "another ruad (process %d) runs on \"%s\"",
		    owner, state);
	return good && taken;
}

static gboolean open_memory(struct serve *serve, GError **error)
{
	serve->vitals_fd = vitals_create(error);
	if (serve->vitals_fd < 0)
		return FALSE;
	serve->vitals = vitals_open(fcntl(serve->vitals_fd, F_DUPFD_CLOEXEC, 3), FALSE, error);
	serve->errands_fd = serve->vitals != NULL ? errands_create(error) : -1;
	if (serve->errands_fd < 0)
		return FALSE;
	serve->errands = errands_open(fcntl(serve->errands_fd, F_DUPFD_CLOEXEC, 3), TRUE, error);
	return serve->errands != NULL;
}

static void close_memory(struct serve *serve)
{
	if (serve->vitals_fd >= 0)
		close(serve->vitals_fd);
	if (serve->errands_fd >= 0)
		close(serve->errands_fd);
	vitals_close(serve->vitals);
	errands_close(serve->errands);
}

static void warn_of_settings(const GPtrArray *faults)
{
	g_auto(GStrv) variables = settings_unknown_variables();

	for (gsize i = 0; variables[i] != NULL; i++)
		log_warning("%s", variables[i]);
	for (guint i = 0; i < faults->len; i++)
		log_warning("%s", (const char *)faults->pdata[i]);
}

static gboolean prepare(struct serve *serve, GError **error)
{
	g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);

	if (!open_memory(serve, error) || !settings_check(serve->settings, error) ||
	    !sockets_check_activation(error) || !take_state_dir(serve, error))
		return FALSE;
	serve->sockets = sockets_open(serve->settings, error);
	if (serve->sockets == NULL ||
	    !identity_become(settings_string(serve->settings, "server.user"), FALSE, error) ||
	    !settings_check_files(serve->settings, faults, error))
		return FALSE;
	warn_of_settings(faults);
	return database_private(serve->database) == NULL ||
	       postgres_prepare(database_private(serve->database), error);
}

static gboolean tell_watchdog(gpointer user G_GNUC_UNUSED)
{
	sd_notify(0, "WATCHDOG=1");
	return G_SOURCE_CONTINUE;
}

/* systemd restarts a ruad whose main loop hangs (WatchdogSec= of the unit). Twice in its limit, as
 * sd_watchdog_enabled(3) recommends. */
static void start_watchdog(void)
{
	guint64 limit = 0; /* microseconds */

	if (sd_watchdog_enabled(0, &limit) > 0)
		g_timeout_add((guint)CLAMP(limit / 2000, 1, G_MAXUINT), tell_watchdog, NULL);
}

static void run(struct serve *serve)
{
	serve->loop = g_main_loop_new(NULL, FALSE);
	serve->supervisor = supervisor_new(child_died, serve);
	g_unix_signal_add(SIGTERM, stop_signal, serve);
	g_unix_signal_add(SIGINT, stop_signal, serve);
	g_unix_signal_add(SIGHUP, hang_up_signal, serve);
	start_watchdog();
	if (database_private(serve->database) != NULL) {
		start_postgres(serve);
		g_timeout_add_seconds(PROGRAM_EVERY, look_at_program, serve);
	} else {
		/* while the database is unavailable mail is answered 451, which is better than a refused
		 * connection */
		start_services(serve);
		sd_notify(0, "READY=1\nSTATUS=waiting for the database");
	}
	serve->set_up = g_thread_new("set-up", set_up_database, serve);
	g_main_loop_run(serve->loop);
	g_thread_join(serve->set_up);
	supervisor_free(serve->supervisor);
	g_main_loop_unref(serve->loop);
}

int command_serve(const struct settings *settings, int argc, char **argv)
{
	struct serve serve = { .settings = settings, .vitals_fd = -1, .errands_fd = -1 };
	g_autoptr(GError) error = NULL;

	if (argc > 1)
		return command_fail("serve", COMMAND_USAGE, "takes no operands, not \"%s\"", argv[1]);
	serve.database = database_new(settings, &error);
	if (serve.database != NULL && prepare(&serve, &error)) {
		run(&serve);
		log_info("stopped");
	} else {
		serve.code = g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX)
				 ? COMMAND_CONFIG
				 : (int)command_exit_of(error);
		log_error("%s", error->message);
	}
	sockets_close(serve.sockets);
	close_memory(&serve);
	database_free(serve.database);
	return serve.code;
}
