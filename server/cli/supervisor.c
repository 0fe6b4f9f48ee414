#include "server/cli/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/common/log.h"

#define DELAY_FIRST  100                       /* milliseconds before the first restart */
#define DELAY_MOST   10000                     /* and before the last of many */
#define LIFE_HEALTHY (60 * G_TIME_SPAN_SECOND) /* a child that lived this long starts afresh in our esteem */
#define STOP_SECONDS 30                        /* between the stop signal and SIGKILL */
#define FAILED_EVERY (60 * 60) /* seconds at most until a child with every that failed runs again */
#define FIRST_FD     3

struct child {
	struct supervisor *supervisor;
	char *name;
	char **argv;
	char **envp;
	char *folder;
	int *fds;
	int *targets; /* 3, 4, ... */
	gsize n_fds;
	int stop_signal;
	gboolean is_base;
	guint every; /* seconds, or 0 */
	void (*before)(gpointer user);
	gpointer before_user;

	GPid pid;       /* 0 while it is not running */
	gint64 started; /* monotonic microseconds */
	guint deaths;
	guint delay; /* milliseconds */
	guint timer; /* source of the restart, or 0 */
};

struct supervisor {
	GPtrArray *children;
	supervisor_death_cb death;
	gpointer death_user;
	gboolean stopping;
	guint kill_timer;
	void (*done)(gpointer user);
	gpointer done_user;
};

static void child_free(gpointer data)
{
	struct child *child = data;

	g_free(child->name);
	g_strfreev(child->argv);
	g_strfreev(child->envp);
	g_free(child->folder);
	g_free(child->fds);
	g_free(child->targets);
	g_free(child);
}

void supervisor_pass(GArray *fds, GStrvBuilder *words, const char *option, int fd)
{
	g_autofree char *word = g_strdup_printf("%s=%u", option, FIRST_FD + fds->len);

	g_strv_builder_add(words, word);
	g_array_append_val(fds, fd);
}

struct supervisor *supervisor_new(supervisor_death_cb death, gpointer user)
{
	struct supervisor *supervisor = g_new0(struct supervisor, 1);

	supervisor->children = g_ptr_array_new_with_free_func(child_free);
	supervisor->death = death;
	supervisor->death_user = user;
	return supervisor;
}

void supervisor_free(struct supervisor *supervisor)
{
	if (supervisor == NULL)
		return;
	g_ptr_array_unref(supervisor->children);
	g_free(supervisor);
}

/* -- stopping -- */

/* Returns TRUE while a child of this rank runs. */
static gboolean any_running(const struct supervisor *supervisor, gboolean base)
{
	for (guint i = 0; i < supervisor->children->len; i++) {
		const struct child *child = supervisor->children->pdata[i];

		if (child->pid != 0 && child->is_base == base)
			return TRUE;
	}
	return FALSE;
}

static void signal_rank(const struct supervisor *supervisor, gboolean base, gboolean forced)
{
	for (guint i = 0; i < supervisor->children->len; i++) {
		const struct child *child = supervisor->children->pdata[i];

		if (child->pid == 0 || child->is_base != base)
			continue;
		if (forced)
			log_error("%s (process %d) did not stop within %d s: killed", child->name,
			    (int)child->pid, STOP_SECONDS);
		kill(child->pid, forced ? SIGKILL : child->stop_signal);
	}
}

static gboolean kill_the_rest(gpointer data)
{
	struct supervisor *supervisor = data;

	supervisor->kill_timer = 0;
	signal_rank(supervisor, !any_running(supervisor, FALSE), TRUE);
	return G_SOURCE_REMOVE;
}

/* Stop the next rank, or report that all children have ended. */
static void stop_rank(struct supervisor *supervisor)
{
	gboolean base = !any_running(supervisor, FALSE);

	if (base && !any_running(supervisor, TRUE)) {
		supervisor->done(supervisor->done_user);
		return;
	}
	signal_rank(supervisor, base, FALSE);
	supervisor->kill_timer = g_timeout_add_seconds(STOP_SECONDS, kill_the_rest, supervisor);
}

static void stopped_one(struct supervisor *supervisor, gboolean base)
{
	if (any_running(supervisor, base))
		return;
	g_clear_handle_id(&supervisor->kill_timer, g_source_remove);
	stop_rank(supervisor);
}

void supervisor_signal(const struct supervisor *supervisor, const char *name, int signal)
{
	for (guint i = 0; i < supervisor->children->len; i++) {
		const struct child *child = supervisor->children->pdata[i];

		if (child->pid > 0 && g_str_equal(child->name, name))
			kill(child->pid, signal);
	}
}

void supervisor_stop(struct supervisor *supervisor, void (*done)(gpointer user), gpointer user)
{
	if (supervisor->stopping)
		return;
	supervisor->stopping = TRUE;
	supervisor->done = done;
	supervisor->done_user = user;
	for (guint i = 0; i < supervisor->children->len; i++) {
		struct child *child = supervisor->children->pdata[i];

		g_clear_handle_id(&child->timer, g_source_remove);
	}
	stop_rank(supervisor);
}

/* -- running -- */

static void run_child(struct child *child);

static gboolean run_again(gpointer data)
{
	struct child *child = data;

	child->timer = 0;
	run_child(child);
	return G_SOURCE_REMOVE;
}

/* A child with every has ended, or could not be started: why is the reason, NULL if it succeeded. */
static void run_after_pause(struct child *child, const char *why)
{
	guint pause = why == NULL ? child->every : MIN(child->every, FAILED_EVERY);

	if (why != NULL)
		log_warning("%s %s; trying again in %u s", child->name, why, pause);
	child->timer = g_timeout_add_seconds(pause, run_again, child);
}

/* The same for a child that is kept running. */
static void restart_later(struct child *child, const char *why)
{
	if (g_get_monotonic_time() - child->started >= LIFE_HEALTHY) {
		child->delay = DELAY_FIRST;
		child->deaths = 0;
	}
	child->deaths++;
	log_warning("%s %s; starting it again in %.1f s", child->name, why, child->delay / 1000.0);
	child->timer = g_timeout_add(child->delay, run_again, child);
	child->delay = MIN(child->delay * 2, DELAY_MOST);
	child->supervisor->death(child->name, child->deaths, child->supervisor->death_user);
}

static char *describe_end(GPid pid, int status)
{
	if (WIFSIGNALED(status))
		return g_strdup_printf("(process %d) was ended by signal %d (%s)", (int)pid, WTERMSIG(status),
		    g_strsignal(WTERMSIG(status)));
	return g_strdup_printf("(process %d) ended with exit code %d", (int)pid, WEXITSTATUS(status));
}

static void child_ended(GPid pid, gint status, gpointer data)
{
	struct child *child = data;
	g_autofree char *why = describe_end(pid, status);

	child->pid = 0;
	if (child->supervisor->stopping) {
		log_debug("%s %s", child->name, why);
		stopped_one(child->supervisor, child->is_base);
		return;
	}
	if (child->every > 0)
		run_after_pause(child, status == 0 ? NULL : why);
	else
		restart_later(child, why);
}

/*
 * In the child, between fork and exec: only async-signal-safe calls. A separate process group protects it
 * from Ctrl-C on the terminal, so that only our orderly stop reaches it.
 */
static void set_up_child(gpointer data)
{
	const struct child *child = data;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, (long)child->stop_signal);
	if (getppid() != child->pid)
		_exit(1);
}

static void run_child(struct child *child)
{
	g_autoptr(GError) error = NULL;
	GPid pid = 0;

	if (child->before != NULL)
		child->before(child->before_user);
	child->started = g_get_monotonic_time();
	child->pid = getpid(); /* for set_up_child(): the parent that must still be there */
	if (!g_spawn_async_with_pipes_and_fds(child->folder, (const char *const *)child->argv,
		(const char *const *)child->envp, G_SPAWN_DO_NOT_REAP_CHILD, set_up_child, child, -1, -1, -1,
		child->fds, child->targets, child->n_fds, &pid, NULL, NULL, NULL, &error)) {
		child->pid = 0;
		(child->every > 0 ? run_after_pause : restart_later)(child, error->message);
		return;
	}
	child->pid = pid;
	log_debug("%s started (process %d)", child->name, (int)pid);
	g_child_watch_add(pid, child_ended, child);
}

void supervisor_start(struct supervisor *supervisor, const struct child_spec *spec)
{
	struct child *child = g_new0(struct child, 1);

	if (supervisor->stopping) {
		g_free(child);
		return;
	}
	child->supervisor = supervisor;
	child->name = g_strdup(spec->name);
	child->argv = g_strdupv((char **)spec->argv);
	child->envp = g_strdupv((char **)spec->envp);
	child->folder = g_strdup(spec->folder);
	child->fds = g_memdup2(spec->fds, spec->n_fds * sizeof(int));
	child->targets = g_new(int, spec->n_fds);
	for (gsize i = 0; i < spec->n_fds; i++)
		child->targets[i] = FIRST_FD + (int)i;
	child->n_fds = spec->n_fds;
	child->stop_signal = spec->stop_signal;
	child->is_base = spec->is_base;
	child->every = spec->every;
	child->before = spec->before;
	child->before_user = spec->before_user;
	child->delay = DELAY_FIRST;
	g_ptr_array_add(supervisor->children, child);
	if (spec->every > 0)
		child->timer = g_timeout_add_seconds(spec->after, run_again, child);
	else
		run_child(child);
}
