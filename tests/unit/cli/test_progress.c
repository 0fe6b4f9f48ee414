/* The text of the progress of a command; tests/e2e/test_progress.py looks at it on a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/cli/progress.h"

static const struct {
	const char *name;
	guint64 done, total;
	gint64 seconds;
	const char *want;
} rows[] = {
	{ "nothing done", 0, 10, 60, "  0%  w" },
	{ "too early for a guess", 5, 10, 1, " 50%  w" },
	{ "half of a minute", 5, 10, 30, " 50%  30 s left  w" },
	{ "89 seconds", 1, 90, 1, "  1%  w" },
	{ "90 seconds are minutes", 10, 100, 10, " 10%  2 min left  w" },
	{ "rounded to the next minute", 10, 100, 30, " 10%  5 min left  w" },
	{ "hours", 1, 100, 300, "  1%  8 h 15 min left  w" },
	{ "all", 10, 10, 30, "100%  w" },
	{ "more than all", 11, 10, 30, "100%  w" },
	{ "never 100% too early", 999, 1000, 999, " 99%  1 s left  w" },
	{ "no total", 7, 0, 45, "45 s  w" },
	{ "no total, and long", 0, 0, 200, "3 min  w" },
	{ "the largest numbers", G_MAXUINT64 / 2, G_MAXUINT64, 10, " 50%  10 s left  w" },
};

static void the_text_has_percent_and_time_left(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text =
		    progress_text(rows[i].done, rows[i].total, rows[i].seconds * G_USEC_PER_SEC, "w");

		if (!g_str_equal(text, rows[i].want))
			fail_msg("%s: \"%s\" instead of \"%s\"", rows[i].name, text, rows[i].want);
	}
}

static void measure(struct progress *progress, gpointer user)
{
	g_atomic_int_inc((gint *)user);
	progress_set(progress, 1, 2, "measured");
}

static void quiet_progress_measures_nothing(void **state)
{
	gint calls = 0;
	struct progress *progress = progress_new(TRUE, measure, &calls);

	(void)state;
	progress_set(progress, 1, 2, "set");
	progress_clear(progress);
	progress_free(progress);
	progress_free(NULL);
	assert_int_equal(calls, 0);
}

static void a_short_command_ends_at_once(void **state)
{
	gint calls = 0;
	gint64 begun = g_get_monotonic_time();
	struct progress *progress = progress_new(FALSE, measure, &calls);

	(void)state;
	progress_free(progress);
	assert_true(g_get_monotonic_time() - begun < 5 * G_USEC_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_text_has_percent_and_time_left),
		cmocka_unit_test(quiet_progress_measures_nothing),
		cmocka_unit_test(a_short_command_ends_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
