/* A client has as many as were added and not removed, whatever others have. */
#include "server/common/shares.h"

#include "tests/unit/worker/cm.h"

static void each_client_has_its_own_count(void **state)
{
	struct shares *shares = shares_new();

	(void)state;
	assert_int_equal(shares_of(shares, "a"), 0);
	shares_add(shares, "a");
	shares_add(shares, "b");
	shares_add(shares, "a");
	assert_int_equal(shares_of(shares, "a"), 2);
	assert_int_equal(shares_of(shares, "b"), 1);
	shares_remove(shares, "a");
	assert_int_equal(shares_of(shares, "a"), 1);
	shares_remove(shares, "a");
	assert_int_equal(shares_of(shares, "a"), 0);
	assert_int_equal(shares_of(shares, "b"), 1);
	shares_free(shares);
}

static void no_shares_are_freed(void **state)
{
	(void)state;
	shares_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_client_has_its_own_count),
		cmocka_unit_test(no_shares_are_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
