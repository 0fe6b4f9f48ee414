/* The upkeep thread without a database: attempts to connect, a message about the failure, and a prompt end.
 */
#include "server/ingest/upkeep.h"

#include "tests/unit/ingest/away.h"
#include "tests/unit/ingest/logged.h"
#include "tests/unit/worker/cm.h"

static struct away *away;
static struct upkeep *upkeep;

static void wait_for_attempts(guint n)
{
	gint64 start = g_get_monotonic_time();

	while (away_attempts(away) < n && g_get_monotonic_time() - start < 20 * G_TIME_SPAN_SECOND)
		g_usleep(1000);
	assert_int_equal(away_attempts(away), n);
}

/* Start it and wait for its first attempt. */
static int begin(void **state)
{
	(void)state;
	g_free(logged());
	away = away_new();
	upkeep = upkeep_new(away_conninfo(away));
	wait_for_attempts(1);
	return 0;
}

static int end(void **state)
{
	(void)state;
	away_free(away);
	return 0;
}

static void a_failure_is_followed_by_a_pause_and_not_logged_yet(void **state)
{
	g_autofree char *lines = NULL;

	(void)state;
	g_usleep(1500000); /* longer than the pause after success */
	upkeep_free(upkeep, FALSE);
	assert_int_equal(away_attempts(away), 1);
	lines = logged();
	assert_string_equal(lines, "");
}

static void a_failure_that_lasts_is_logged(void **state)
{
	g_autofree char *lines = NULL;

	(void)state;
	wait_for_attempts(2);
	upkeep_free(upkeep, FALSE);
	lines = logged();
	assert_true(g_str_has_prefix(lines, "sums and partitions wait: "));
}

static void without_finish_it_ends_without_another_attempt(void **state)
{
	gint64 start = g_get_monotonic_time();

	(void)state;
	upkeep_free(upkeep, FALSE);
	assert_true(g_get_monotonic_time() - start < 5 * G_TIME_SPAN_SECOND);
	assert_int_equal(away_attempts(away), 1);
}

static void finish_makes_one_more_attempt_and_gives_up_on_failure(void **state)
{
	gint64 start = g_get_monotonic_time();

	(void)state;
	upkeep_free(upkeep, TRUE);
	assert_true(g_get_monotonic_time() - start < 5 * G_TIME_SPAN_SECOND);
	assert_int_equal(away_attempts(away), 2);
}

static void null_can_be_freed(void **state)
{
	(void)state;
	upkeep_free(NULL, FALSE);
	upkeep_free(NULL, TRUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_failure_is_followed_by_a_pause_and_not_logged_yet, begin, end),
		cmocka_unit_test_setup_teardown(a_failure_that_lasts_is_logged, begin, end),
		cmocka_unit_test_setup_teardown(without_finish_it_ends_without_another_attempt, begin, end),
		cmocka_unit_test_setup_teardown(
		    finish_makes_one_more_attempt_and_gives_up_on_failure, begin, end),
		cmocka_unit_test(null_can_be_freed),
	};

	logged_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
