/*
 * Children that end run again, whatever the cause, and the end of a periodic child is not a failure.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "server/cli/supervisor.h"

struct run {
	GMainLoop *loop;
	struct supervisor *supervisor;
	char *path; /* a child writes a line into it each time that it runs */
	gsize want; /* lines, until the supervisor is told to stop */
	guint deaths;
	guint announced; /* by before() */
	gboolean stopping;
};

static void died(const char *name, guint deaths, gpointer user)
{
	struct run *run = user;

	(void)name;
	(void)deaths;
	run->deaths++;
}

static void before(gpointer user)
{
	struct run *run = user;

	run->announced++;
}

static void stopped(gpointer user)
{
	struct run *run = user;

	g_main_loop_quit(run->loop);
}

static gsize lines(const struct run *run)
{
	g_autofree char *text = NULL;
	gsize size = 0;

	assert_true(g_file_get_contents(run->path, &text, &size, NULL));
	return size / strlen("x\n");
}

static gboolean look(gpointer user)
{
	struct run *run = user;

	if (!run->stopping && lines(run) >= run->want) {
		run->stopping = TRUE;
		supervisor_stop(run->supervisor, stopped, run);
	}
	return G_SOURCE_CONTINUE;
}

static gboolean too_late(gpointer user)
{
	(void)user;
	fail_msg("a child was not run, or did not stop, within 20 s");
	return G_SOURCE_REMOVE;
}

/* Run the script, with "x" appended to $1 first, until it ran want times; returns the milliseconds that this
 * took. */
static gint64 supervise(const char *script, guint every, guint after, gsize want, struct run *run)
{
	g_autofree char *whole = g_strconcat("echo x >>\"$1\"; ", script, NULL);
	gint64 begin = g_get_monotonic_time();
	guint timers[2];
	int fd = g_file_open_tmp("ruad-supervisor-XXXXXX", &run->path, NULL);

	assert_true(fd >= 0);
	close(fd);
	const char *const argv[] = { "/bin/sh", "-c", whole, "sh", run->path, NULL };
	const char *const envp[] = { "PATH=/usr/bin:/bin", NULL };
	run->want = want;
	run->loop = g_main_loop_new(NULL, FALSE);
	run->supervisor = supervisor_new(died, run);
	supervisor_start(run->supervisor, &(struct child_spec){ .name = "child",
					      .argv = argv,
					      .envp = envp,
					      .folder = "/",
					      .stop_signal = SIGTERM,
					      .every = every,
					      .after = after,
					      .before = before,
					      .before_user = run });
	timers[0] = g_timeout_add(20, look, run);
	timers[1] = g_timeout_add_seconds(20, too_late, NULL);
	g_main_loop_run(run->loop);
	g_source_remove(timers[0]);
	g_source_remove(timers[1]);
	supervisor_free(run->supervisor);
	g_main_loop_unref(run->loop);
	unlink(run->path);
	g_free(run->path);
	return (g_get_monotonic_time() - begin) / 1000;
}

static const struct {
	const char *name;
	const char *script;
} ends[] = {
	{ "it did its work", "exit 0" },
	{ "it failed", "exit 75" },
	{ "it was killed", "kill -9 $$" },
};

static void a_child_with_every_runs_again_however_it_ended(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
		struct run run = { 0 };
		gint64 took = supervise(ends[i].script, 1, 0, 2, &run);

		if (run.deaths != 0)
			fail_msg("%s: %u deaths", ends[i].name, run.deaths);
		if (took < 500) /* timers of whole seconds are not exact */
			fail_msg("%s: after %d ms already", ends[i].name, (int)took);
	}
}

static void one_that_is_at_work_is_stopped(void **state)
{
	struct run run = { 0 };

	(void)state;
	assert_true(supervise("exec sleep 60", 1, 0, 1, &run) < 10000);
	assert_int_equal(run.deaths, 0);
}

static void one_that_waits_for_its_time_is_not_waited_for(void **state)
{
	struct run run = { 0 };

	(void)state;
	assert_true(supervise("exit 0", 3600, 3600, 0, &run) < 10000);
}

static void one_that_is_kept_running_dies(void **state)
{
	struct run run = { 0 };

	(void)state;
	assert_true(supervise("exit 0", 0, 0, 3, &run) < 10000);
	assert_true(run.deaths >= 2);
}

static void what_must_be_done_before_is_done_at_each_start(void **state)
{
	struct run run = { 0 };

	(void)state;
	(void)supervise("exit 0", 0, 0, 3, &run);
	assert_true(run.announced >= 3);
	assert_true(run.announced <= run.deaths + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_with_every_runs_again_however_it_ended),
		cmocka_unit_test(one_that_is_at_work_is_stopped),
		cmocka_unit_test(one_that_waits_for_its_time_is_not_waited_for),
		cmocka_unit_test(one_that_is_kept_running_dies),
		cmocka_unit_test(what_must_be_done_before_is_done_at_each_start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
