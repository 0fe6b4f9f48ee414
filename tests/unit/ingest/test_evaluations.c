/* Ids of evaluations are found again as long as they hold, and never after. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/ingest/evaluations.h"

static struct evaluation evaluation(gint32 domain_id, guint32 month, guint8 byte)
{
	struct evaluation evaluation = { .key = { .domain_id = domain_id, .month = month } };

	memset(evaluation.key.hash, byte, sizeof evaluation.key.hash);
	evaluation.id = domain_id * 10000 + (gint32)month * 1000 + byte;
	return evaluation;
}

static void add(struct evaluations *known, guint64 ticket, struct evaluation evaluation)
{
	evaluations_add(known, ticket, &evaluation);
}

static gint64 find(struct evaluations *known, guint64 ticket, struct evaluation evaluation)
{
	return evaluations_find(known, ticket, &evaluation.key);
}

static void domain_month_and_hash_are_the_key(void **state)
{
	struct evaluations *known = evaluations_new(100);
	guint64 ticket = evaluations_enter(known, 1);

	(void)state;
	add(known, ticket, evaluation(1, 2, 3));
	ticket = evaluations_enter(known, 1);
	assert_int_equal(find(known, ticket, evaluation(1, 2, 3)), 12003);
	assert_int_equal(find(known, ticket, evaluation(2, 2, 3)), 0);
	assert_int_equal(find(known, ticket, evaluation(1, 3, 3)), 0);
	assert_int_equal(find(known, ticket, evaluation(1, 2, 4)), 0);
	evaluations_free(known);
}

static void another_epoch_forgets_all(void **state)
{
	struct evaluations *known = evaluations_new(100);
	guint64 before = evaluations_enter(known, 1);
	guint64 after;

	(void)state;
	add(known, before, evaluation(1, 2, 3));
	after = evaluations_enter(known, 2);
	assert_int_equal(find(known, after, evaluation(1, 2, 3)), 0);
	evaluations_free(known);
}

static void what_a_transaction_of_an_earlier_epoch_learned_is_not_added(void **state)
{
	struct evaluations *known = evaluations_new(100);
	guint64 before = evaluations_enter(known, 1);
	guint64 after = evaluations_enter(known, 2);

	(void)state;
	add(known, before, evaluation(1, 2, 3));
	assert_int_equal(find(known, after, evaluation(1, 2, 3)), 0);
	add(known, after, evaluation(1, 2, 3));
	assert_int_equal(find(known, before, evaluation(1, 2, 3)), 0);
	assert_int_equal(find(known, after, evaluation(1, 2, 3)), 12003);
	evaluations_free(known);
}

static void a_new_connection_forgets_all(void **state)
{
	struct evaluations *known = evaluations_new(100);
	guint64 ticket = evaluations_enter(known, 1);

	(void)state;
	add(known, ticket, evaluation(1, 2, 3));
	evaluations_forget(known);
	assert_int_equal(find(known, ticket, evaluation(1, 2, 3)), 0);
	assert_int_equal(find(known, evaluations_enter(known, 1), evaluation(1, 2, 3)), 0);
	evaluations_free(known);
}

static void what_is_used_stays_and_what_is_not_goes(void **state)
{
	struct evaluations *known = evaluations_new(20);
	guint64 ticket = evaluations_enter(known, 1);

	(void)state;
	add(known, ticket, evaluation(1, 1, 0));
	add(known, ticket, evaluation(1, 1, 1));
	for (guint i = 2; i < 200; i++) {
		add(known, ticket, evaluation(1, 1, (guint8)i));
		assert_int_equal(find(known, ticket, evaluation(1, 1, 0)), 11000);
	}
	assert_int_equal(find(known, ticket, evaluation(1, 1, 1)), 0);
	assert_int_equal(find(known, ticket, evaluation(1, 1, 199)), 11199);
	evaluations_free(known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(domain_month_and_hash_are_the_key),
		cmocka_unit_test(another_epoch_forgets_all),
		cmocka_unit_test(what_a_transaction_of_an_earlier_epoch_learned_is_not_added),
		cmocka_unit_test(a_new_connection_forgets_all),
		cmocka_unit_test(what_is_used_stays_and_what_is_not_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
