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

/* The rest after a piece of this length. */
static gint64 rest_after(gulong time)
{
	pace_begin(pace);
	g_usleep(time);
	return pace_end(pace);
}

static void without_small_mails_there_is_no_rest(void **state)
{
	(void)state;
	assert_false(pace_busy(pace));
	assert_int_equal(rest_after(PIECE), 0);
}

static void beside_a_small_mail_the_rest_is_as_long_as_the_piece(void **state)
{
	(void)state;
	pace_small(pace, 1);
	assert_true(pace_busy(pace));
	assert_true(rest_after(PIECE) >= PIECE);
	assert_true(rest_after(0) < PACE_REST_MAX);
	pace_small(pace, -1);
}

static void a_rest_has_a_limit(void **state)
{
	(void)state;
	pace_small(pace, 1);
	assert_int_equal(rest_after(PACE_REST_MAX + PIECE), PACE_REST_MAX);
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
	assert_int_equal(rest_after(PIECE), 0);
}

#define THREADS 5

static gint order[THREADS]; /* of their pieces */
static gint done;

static gpointer do_piece(gpointer user)
{
	gint64 rest;

	pace_begin(pace);
	order[g_atomic_int_add(&done, 1)] = GPOINTER_TO_INT(user);
	rest = pace_end(pace);
	return GINT_TO_POINTER(rest > 0);
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
	assert_int_equal(pace_end(pace), 0);
	for (gint i = 0; i < THREADS; i++)
		assert_null(g_thread_join(threads[i]));
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
	assert_int_equal(pace_end(NULL), 0);
	pace_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(without_small_mails_there_is_no_rest, begin, end),
		cmocka_unit_test_setup_teardown(
		    beside_a_small_mail_the_rest_is_as_long_as_the_piece, begin, end),
		cmocka_unit_test_setup_teardown(a_rest_has_a_limit, begin, end),
		cmocka_unit_test_setup_teardown(a_small_mail_counts_for_a_moment_after_its_end, begin, end),
		cmocka_unit_test_setup_teardown(
		    pieces_are_done_one_at_a_time_in_the_order_of_their_begin, begin, end),
		cmocka_unit_test(null_has_no_effect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
