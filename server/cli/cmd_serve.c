/*
 * cmd_serve.c - ruad serve: opens the listeners, runs the private PostgreSQL if there is one, updates the
 * schema, and keeps all programs (programs.h) running until SIGTERM or SIGINT.
 */
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <glib-unix.h>
#include <systemd/sd-daemon.h>

#include "parser/error.h"
#include "server/cli/commands.h"
#include "server/cli/database.h"
#include "server/cli/identity.h"
#include "server/cli/probe.h"
#include "server/cli/programs.h"
#include "server/cli/settings_check.h"
#include "server/cli/sockets.h"
#include "server/cli/status.h"
#include "server/cli/supervisor.h"
#include "server/common/errands.h"
#include "server/common/log.h"
#include "server/common/net.h"
#include "server/common/vitals.h"
#include "server/database/postgres_release.h"

#define RETRY_PRIVATE                                                                                        \
	(100 * 1000) /* microseconds between attempts to set up; our own cluster is there soon */
#define RETRY_EXTERNAL    (2 * 1000 * 1000) /* somebody else's may take its time */
#define START_DEATHS_MOST 5                 /* of a part before everything was ready once: then give up */
#define PROBE_EVERY       (100 * 1000)      /* microseconds */
#define PROBE_SECONDS     10                /* for an answer */
#define PROBE_WARNING     30                /* seconds until the log names the part that does not answer */
#define PROGRAM_EVERY     5                 /* seconds between looks at PostgreSQL's program */

struct serve {
	struct programs programs;
	GMainLoop *loop;
	struct vitals *vitals;

	struct status *status; /* NULL until everything is ready */

	GThread *set_up; /* updates the database, then waits for the services */
	gint stopping;   /* atomic: set_up must give up */
	gboolean ready;  /* the database was set up, and every service answered */

	enum postgres_program program; /* of the private server, when it was looked at last */
	guint64 program_inode;
	int code; /* exit code */
};

/* -- an update of PostgreSQL -- */

static void restart_postgres(const struct serve *serve)
{
	log_warning(
	    "PostgreSQL was updated: restarting it, since the old server cannot load the new libraries");
	supervisor_signal(serve->programs.supervisor, PROGRAMS_POSTGRES, SIGINT);
}

/* An update replaces many files, one after another: the program must be the same at two looks. */
static gboolean look_at_program(gpointer user)
{
	struct serve *serve = user;
	guint64 inode = 0;
	enum postgres_program program = postgres_program(database_private(serve->programs.database), &inode);

	if (program == POSTGRES_PROGRAM_REPLACED && serve->program == program &&
	    inode == serve->program_inode) {
		restart_postgres(serve);
		program = POSTGRES_PROGRAM_SAME;
	}
	if (program == POSTGRES_PROGRAM_MISSING && serve->program != program)
		log_warning("PostgreSQL's program \"%s\" was removed: install it again; it cannot be started "
			    "when it ends",
		    postgres_argv(database_private(serve->programs.database))[0]);
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
	supervisor_stop(serve->programs.supervisor, all_stopped, serve);
}

static gboolean stop_signal(gpointer user)
{
	log_info("stopping");
	stop(user, COMMAND_OK);
	return G_SOURCE_CONTINUE;
}

/* A hang-up of the terminal has no other effect than that of SIGHUP. */
static gboolean hang_up_signal(gpointer user)
{
	const struct serve *serve = user;

	programs_hang_up(&serve->programs);
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
	const struct postgres *postgres = database_private(serve->programs.database);

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
	programs_start_others(&serve->programs);
	announce_ready(serve);
	return G_SOURCE_REMOVE;
}

static gboolean answers(const struct serve *serve, enum service s, GError **error)
{
	int fd = net_connect_to_listener(sockets_first(serve->programs.sockets, s), PROBE_SECONDS, error);
	char answer[64];

	return fd >= 0 && probe_ask(fd, programs_request(s), answer, sizeof(answer), error);
}

/* The second thread: until every service answers, or ruad stops. */
static gpointer wait_for_services(gpointer data)
{
	struct serve *serve = data;

	for (enum service s = 0; s < SERVICES; s++) {
		gint64 patience = g_get_monotonic_time() + PROBE_WARNING * G_TIME_SPAN_SECOND;

		while (!g_atomic_int_get(&serve->stopping)) {
			g_autoptr(GError) cause = NULL;

			if (answers(serve, s, &cause))
				break;
			if (g_get_monotonic_time() > patience) {
				log_warning("not ready: %s: %s", programs_name(s), cause->message);
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
		if (database_private(serve->programs.database) != NULL)
			programs_start_services(&serve->programs);
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
	gboolean is_private = database_private(serve->programs.database) != NULL;

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

		if (database_set_up(serve->programs.database, &cause) &&
		    database_check_logins(serve->programs.database, &cause) &&
		    database_store_domains(serve->programs.database, &cause))
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
	struct postgres *postgres = database_private(serve->programs.database);
	const char *state = settings_string(serve->programs.settings, "server.state_dir");
	const char *user = settings_string(serve->programs.settings, "server.user");
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
	serve->programs.vitals_fd = vitals_create(error);
	if (serve->programs.vitals_fd < 0)
		return FALSE;
	serve->vitals = vitals_open(fcntl(serve->programs.vitals_fd, F_DUPFD_CLOEXEC, 3), FALSE, error);
	serve->programs.errands_fd = serve->vitals != NULL ? errands_create(error) : -1;
	if (serve->programs.errands_fd < 0)
		return FALSE;
	serve->programs.errands =
	    errands_open(fcntl(serve->programs.errands_fd, F_DUPFD_CLOEXEC, 3), TRUE, error);
	return serve->programs.errands != NULL;
}

static void close_memory(struct serve *serve)
{
	if (serve->programs.vitals_fd >= 0)
		close(serve->programs.vitals_fd);
	if (serve->programs.errands_fd >= 0)
		close(serve->programs.errands_fd);
	vitals_close(serve->vitals);
	errands_close(serve->programs.errands);
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

	if (!open_memory(serve, error) || !settings_check(serve->programs.settings, error) ||
	    !sockets_check_activation(error) || !take_state_dir(serve, error))
		return FALSE;
	serve->programs.sockets = sockets_open(serve->programs.settings, error);
	if (serve->programs.sockets == NULL ||
	    !identity_become(settings_string(serve->programs.settings, "server.user"), FALSE, error) ||
	    !settings_check_files(serve->programs.settings, faults, error))
		return FALSE;
	warn_of_settings(faults);
	return database_private(serve->programs.database) == NULL ||
	       postgres_prepare(database_private(serve->programs.database), error);
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
	serve->programs.supervisor = supervisor_new(child_died, serve);
	g_unix_signal_add(SIGTERM, stop_signal, serve);
	g_unix_signal_add(SIGINT, stop_signal, serve);
	g_unix_signal_add(SIGHUP, hang_up_signal, serve);
	start_watchdog();
	if (database_private(serve->programs.database) != NULL) {
		programs_start_postgres(&serve->programs);
		g_timeout_add_seconds(PROGRAM_EVERY, look_at_program, serve);
	} else {
		/* while the database is unavailable mail is answered 451, which is better than a refused
		 * connection */
		programs_start_services(&serve->programs);
		sd_notify(0, "READY=1\nSTATUS=waiting for the database");
	}
	serve->set_up = g_thread_new("set-up", set_up_database, serve);
	g_main_loop_run(serve->loop);
	g_thread_join(serve->set_up);
	supervisor_free(serve->programs.supervisor);
	g_main_loop_unref(serve->loop);
}

int command_serve(const struct settings *settings, int argc, char **argv)
{
	struct serve serve = { .programs = { .settings = settings, .vitals_fd = -1, .errands_fd = -1 } };
	g_autoptr(GError) error = NULL;

	if (argc > 1)
		return command_fail("serve", COMMAND_USAGE, "takes no operands, not \"%s\"", argv[1]);
	serve.programs.database = database_new(settings, &error);
	if (serve.programs.database != NULL && prepare(&serve, &error)) {
		run(&serve);
		log_info("stopped");
	} else {
		serve.code = g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX)
				 ? COMMAND_CONFIG
				 : (int)command_exit_of(error);
		log_error("%s", error->message);
	}
	sockets_close(serve.programs.sockets);
	close_memory(&serve);
	database_free(serve.programs.database);
	return serve.code;
}
