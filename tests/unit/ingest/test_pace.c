/* Heavy work is done one piece at a time, in order, and rests after a piece beside small mails. */
#include "server/ingest/pace.h"

#include "tests/unit/worker/cm.h"

#define PIECE (20 * G_TIME_SPAN_MILLISECOND)

static struct pace *pace;

static int begin(void **state)
{
	(void)state;
	pace = pace_new();
	return 0;
}

static int end(void **state)
{
	(void)state;
	pace_free(pace);
	return 0;
}

static gpointer measure_wait(gpointer user)
{
	gint64 start = g_get_monotonic_time();

	(void)user;
	pace_begin(pace);
	start = g_get_monotonic_time() - start;
	pace_end(pace);
	return GINT_TO_POINTER((gint)start);
}

/* Microseconds that the next piece waits after one of this length. */
static gint64 rest_after(gulong time)
{
	pace_begin(pace);
	g_usleep(time);
	pace_end(pace);
	return GPOINTER_TO_INT(measure_wait(NULL));
}

static void without_small_mails_there_is_no_rest(void **state)
{
	(void)state;
	assert_false(pace_busy(pace));
	assert_true(rest_after(PACE_REST_MAX) < PACE_REST_MAX);
}

static void beside_a_small_mail_the_rest_is_twice_as_long_as_the_piece(void **state)
{
	(void)state;
	pace_small(pace, 1);
	assert_true(pace_busy(pace));
	assert_true(rest_after(PIECE) >= 2 * PIECE - G_TIME_SPAN_MILLISECOND);
	pace_small(pace, -1);
}

static void the_piece_of_another_thread_waits_likewise(void **state)
{
	GThread *thread;

	(void)state;
	pace_small(pace, 1);
	pace_begin(pace);
	g_usleep(PIECE);
	pace_end(pace);
	thread = g_thread_new("piece", measure_wait, NULL);
	assert_true(GPOINTER_TO_INT(g_thread_join(thread)) >= 2 * PIECE - G_TIME_SPAN_MILLISECOND);
	pace_small(pace, -1);
}

static void a_rest_has_a_limit(void **state)
{
	gint64 rest;

	(void)state;
	pace_small(pace, 1);
	rest = rest_after(4 * PACE_REST_MAX);
	assert_in_range(rest, PACE_REST_MAX - G_TIME_SPAN_MILLISECOND, 4 * PACE_REST_MAX);
	pace_small(pace, -1);
}

static void a_small_mail_counts_for_a_moment_after_its_end(void **state)
{
	(void)state;
	pace_small(pace, 1);
	pace_small(pace, 1);
	pace_small(pace, -1);
	g_usleep(200 * G_TIME_SPAN_MILLISECOND);
	assert_true(pace_busy(pace)); /* the other one is still under way */
	pace_small(pace, -1);
	assert_true(pace_busy(pace));
	g_usleep(200 * G_TIME_SPAN_MILLISECOND);
	assert_false(pace_busy(pace));
	assert_true(rest_after(PACE_REST_MAX) < PACE_REST_MAX);
}

#define THREADS 5

static gint order[THREADS]; /* of their pieces */
static gint done;

static gpointer do_piece(gpointer user)
{
	pace_begin(pace);
	order[g_atomic_int_add(&done, 1)] = GPOINTER_TO_INT(user);
	pace_end(pace);
	return NULL;
}

static void pieces_are_done_one_at_a_time_in_the_order_of_their_begin(void **state)
{
	GThread *threads[THREADS];

	(void)state;
	done = 0;
	pace_begin(pace);
	for (gint i = 0; i < THREADS; i++) {
		threads[i] = g_thread_new("piece", do_piece, GINT_TO_POINTER(i));
		g_usleep(PIECE); /* until it waits */
	}
	assert_int_equal(g_atomic_int_get(&done), 0);
	pace_end(pace);
	for (gint i = 0; i < THREADS; i++)
		g_thread_join(threads[i]);
	for (gint i = 0; i < THREADS; i++)
		assert_int_equal(order[i], i);
}

static void null_has_no_effect(void **state)
{
	(void)state;
	pace_small(NULL, 1);
	assert_false(pace_busy(NULL));
	pace_begin(NULL);
	pace_begin(NULL);
	pace_end(NULL);
	pace_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(without_small_mails_there_is_no_rest, begin, end),
		cmocka_unit_test_setup_teardown(
		    beside_a_small_mail_the_rest_is_twice_as_long_as_the_piece, begin, end),
		cmocka_unit_test_setup_teardown(the_piece_of_another_thread_waits_likewise, begin, end),
		cmocka_unit_test_setup_teardown(a_rest_has_a_limit, begin, end),
		cmocka_unit_test_setup_teardown(a_small_mail_counts_for_a_moment_after_its_end, begin, end),
		cmocka_unit_test_setup_teardown(
		    pieces_are_done_one_at_a_time_in_the_order_of_their_begin, begin, end),
		cmocka_unit_test(null_has_no_effect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
