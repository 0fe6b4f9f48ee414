#include "server/web/throttle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define KEYS 3

static const struct throttle_options options = {
	.free = 2, .first = 100, .most = 1000, .keep = 10000, .keys = KEYS
};

static void each_failure_doubles_the_delay_up_to_a_limit(void **state)
{
	static const gint64 want[] = { 0, 0, 100, 200, 400, 800, 1000, 1000 };
	struct throttle *throttle = throttle_new(&options);

	(void)state;
	assert_int_equal(throttle_wait(throttle, "a", 5), 0);
	for (gsize i = 0; i < G_N_ELEMENTS(want); i++) {
		throttle_failed(throttle, "a", 5);
		assert_int_equal(throttle_wait(throttle, "a", 5), want[i]);
	}
	assert_int_equal(throttle_wait(throttle, "a", 6), 999);
	assert_int_equal(throttle_wait(throttle, "a", 1005), 0);
	assert_int_equal(throttle_wait(throttle, "b", 5), 0);
	for (int i = 0; i < 100; i++)
		throttle_failed(throttle, "a", 5);
	assert_int_equal(throttle_wait(throttle, "a", 5), 1000);
	throttle_free(throttle);
}

static void a_success_and_time_forget_failures(void **state)
{
	struct throttle *throttle = throttle_new(&options);

	(void)state;
	for (int i = 0; i < 4; i++) {
		throttle_failed(throttle, "a", 5);
		throttle_failed(throttle, "b", 5);
	}
	throttle_passed(throttle, "a");
	throttle_passed(throttle, "nosuch");
	assert_int_equal(throttle_wait(throttle, "a", 5), 0);
	assert_int_equal(throttle_wait(throttle, "b", 5), 200);
	throttle_failed(throttle, "b", 5 + options.keep);
	assert_int_equal(throttle_wait(throttle, "b", 5 + options.keep), 400);
	assert_int_equal(throttle_wait(throttle, "b", 6 + 2 * options.keep), 0);
	throttle_failed(throttle, "b", 6 + 2 * options.keep);
	assert_int_equal(
	    throttle_wait(throttle, "b", 6 + 2 * options.keep), 0); /* counts from the beginning */
	throttle_free(throttle);
}

static void the_key_that_failed_longest_ago_makes_room(void **state)
{
	static const char *const keys[KEYS] = { "a", "b", "c" };
	struct throttle *throttle = throttle_new(&options);

	(void)state;
	for (int n = 0; n < 3; n++)
		for (gsize i = 0; i < KEYS; i++)
			throttle_failed(throttle, keys[i], 5);
	throttle_failed(throttle, "a", 5); /* so that b is the oldest */
	throttle_failed(throttle, "d", 5);
	assert_int_equal(throttle_wait(throttle, "a", 5), 200);
	assert_int_equal(throttle_wait(throttle, "b", 5), 0);
	assert_int_equal(throttle_wait(throttle, "c", 5), 100);
	throttle_free(throttle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_failure_doubles_the_delay_up_to_a_limit),
		cmocka_unit_test(a_success_and_time_forget_failures),
		cmocka_unit_test(the_key_that_failed_longest_ago_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
