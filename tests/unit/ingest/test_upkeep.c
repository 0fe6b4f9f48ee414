/* The thread for sums and partitions while the database is away: it tries, says so once, and ends when it must. */
#include "server/ingest/upkeep.h"

#include <string.h>

#include "tests/unit/ingest/away.h"
#include "tests/unit/ingest/logged.h"
#include "tests/unit/worker/cm.h"

static struct away *away;
static struct upkeep *upkeep;

/* The first attempt was made. */
static int begin(void **state)
{
	gint64 start = g_get_monotonic_time();

	(void)state;
	g_free(logged());
	away = away_new();
	upkeep = upkeep_new(away_conninfo(away));
	while (away_attempts(away) == 0 && g_get_monotonic_time() - start < 20 * G_TIME_SPAN_SECOND)
		g_usleep(1000);
	assert_int_equal(away_attempts(away), 1);
	return 0;
}

static int end(void **state)
{
	(void)state;
	away_free(away);
	return 0;
}

static void a_failure_is_logged_once_and_not_tried_again_at_once(void **state)
{
	g_autofree char *lines = NULL;

	(void)state;
	g_usleep(1500000); /* more than the pause after a success */
	upkeep_free(upkeep, FALSE);
	assert_int_equal(away_attempts(away), 1);
	lines = logged();
	assert_true(g_str_has_prefix(lines, "sums and partitions wait: "));
	assert_null(strstr(lines + 1, "sums and partitions wait: "));
}

static void it_ends_without_a_last_attempt(void **state)
{
	gint64 start = g_get_monotonic_time();

	(void)state;
	upkeep_free(upkeep, FALSE);
	assert_true(g_get_monotonic_time() - start < 5 * G_TIME_SPAN_SECOND);
	assert_int_equal(away_attempts(away), 1);
}

static void it_finishes_with_one_more_attempt_and_no_failure_holds_it(void **state)
{
	gint64 start = g_get_monotonic_time();

	(void)state;
	upkeep_free(upkeep, TRUE);
	assert_true(g_get_monotonic_time() - start < 5 * G_TIME_SPAN_SECOND);
	assert_int_equal(away_attempts(away), 2);
}

static void none_is_ended_too(void **state)
{
	(void)state;
	upkeep_free(NULL, FALSE);
	upkeep_free(NULL, TRUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_failure_is_logged_once_and_not_tried_again_at_once, begin, end),
		cmocka_unit_test_setup_teardown(it_ends_without_a_last_attempt, begin, end),
		cmocka_unit_test_setup_teardown(
		    it_finishes_with_one_more_attempt_and_no_failure_holds_it, begin, end),
		cmocka_unit_test(none_is_ended_too),
	};

	logged_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
