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

/* A digit adds an evaluation, a letter looks it up: 'a' stands for '0', 'b' for '1' ... */
static void take_steps(struct evaluations *known, guint64 ticket, const char *steps)
{
	for (; *steps != '\0'; steps++) {
		if (g_ascii_isdigit(*steps))
			add(known, ticket, evaluation(1, 1, (guint8)(*steps - '0')));
		else
			(void)find(known, ticket, evaluation(1, 1, (guint8)(*steps - 'a')));
	}
}

/* Returns the digits that are known after steps. A look-up may drop a generation, so each digit gets a fresh
 * cache. */
static char *known_after(guint most, const char *steps)
{
	g_autoptr(GString) digits = g_string_new(NULL);

	for (guint8 i = 0; i < 10; i++) {
		struct evaluations *known = evaluations_new(most);
		guint64 ticket = evaluations_enter(known, 1);
		gint64 id;

		take_steps(known, ticket, steps);
		id = find(known, ticket, evaluation(1, 1, i));
		assert_true(id == 0 || id == 11000 + i);
		if (id != 0)
			g_string_append_c(digits, (char)('0' + i));
		evaluations_free(known);
	}
	return g_string_free(g_steal_pointer(&digits), FALSE);
}

static const struct {
	const char *name;
	guint most;
	const char *steps;
	const char *known;
} generations[] = {
	{ "nothing", 4, "", "" },
	{ "one", 4, "0", "0" },
	{ "a generation", 4, "01", "01" },
	{ "one more begins a young one", 4, "012", "012" },
	{ "both are full", 4, "0123", "0123" },
	{ "the old one goes", 4, "01234", "234" },
	{ "and the next", 4, "0123456", "456" },
	{ "what is found in the old one is young again", 4, "012a34", "0234" },
	{ "what is found in the young one stays where it is", 4, "012c34", "234" },
	{ "what is found may end a generation", 4, "0123a4", "0234" },
	{ "an odd bound is rounded down", 5, "01234", "234" },
	{ "the least bound", 2, "0", "0" },
	{ "two generations of one", 2, "01", "01" },
	{ "the last two", 2, "0123", "23" },
	{ "what was added twice is known", 4, "00112", "012" },
	{ "what is not known is not found", 4, "01c2d", "012" },
};

static void the_older_of_two_generations_is_dropped(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(generations); i++) {
		g_autofree char *digits = known_after(generations[i].most, generations[i].steps);

		if (strcmp(digits, generations[i].known) != 0)
			fail_msg("%s: %s instead of %s", generations[i].name, digits, generations[i].known);
	}
}

static void the_last_id_added_for_a_key_is_found(void **state)
{
	(void)state;
	for (guint between = 0; between <= 2; between++) { /* in the same generation, or in the older one */
		struct evaluations *known = evaluations_new(4);
		guint64 ticket = evaluations_enter(known, 1);
		struct evaluation changed = evaluation(1, 1, 9);

		add(known, ticket, changed);
		for (guint i = 0; i < between; i++)
			add(known, ticket, evaluation(1, 1, (guint8)i));
		changed.id = G_MAXINT64;
		add(known, ticket, changed);
		assert_true(find(known, ticket, changed) == G_MAXINT64);
		evaluations_free(known);
	}
}

static void the_same_epoch_keeps_ticket_and_ids(void **state)
{
	struct evaluations *known = evaluations_new(10);
	guint64 ticket = evaluations_enter(known, -3);

	(void)state;
	add(known, ticket, evaluation(1, 2, 3));
	for (guint i = 0; i < 3; i++)
		assert_true(evaluations_enter(known, -3) == ticket);
	assert_int_equal(find(known, ticket, evaluation(1, 2, 3)), 12003);
	evaluations_free(known);
}

static void an_epoch_that_returns_finds_nothing_from_before(void **state)
{
	struct evaluations *known = evaluations_new(10);
	guint64 first = evaluations_enter(known, 1), second, third;

	(void)state;
	add(known, first, evaluation(1, 2, 3));
	second = evaluations_enter(known, 0);
	third = evaluations_enter(known, 1);
	assert_true(first != second && second != third && first != third);
	assert_int_equal(find(known, third, evaluation(1, 2, 3)), 0);
	assert_int_equal(find(known, first, evaluation(1, 2, 3)), 0);
	add(known, first, evaluation(1, 2, 3));
	add(known, second, evaluation(1, 2, 3));
	assert_int_equal(find(known, third, evaluation(1, 2, 3)), 0);
	evaluations_free(known);
}

static void ids_learned_on_a_lost_connection_are_not_added(void **state)
{
	struct evaluations *known = evaluations_new(10);
	guint64 before = evaluations_enter(known, 1), after;

	(void)state;
	evaluations_forget(known);
	add(known, before, evaluation(1, 2, 3));
	after = evaluations_enter(known, 1);
	assert_true(before != after);
	assert_int_equal(find(known, after, evaluation(1, 2, 3)), 0);
	evaluations_free(known);
	evaluations_free(NULL);
}

static void another_epoch_clears_the_old_generation_too(void **state)
{
	struct evaluations *known = evaluations_new(4);
	guint64 ticket = evaluations_enter(known, 1);

	(void)state;
	take_steps(known, ticket, "0123");
	ticket = evaluations_enter(known, 2);
	for (guint8 i = 0; i < 4; i++)
		assert_int_equal(find(known, ticket, evaluation(1, 1, i)), 0);
	evaluations_free(known);
}

static void every_byte_of_a_key_is_compared(void **state)
{
	struct evaluation_key key = { .domain_id = 1, .month = 2 }, other;

	(void)state;
	for (guint i = 0; i < EVALUATION_HASH; i++)
		key.hash[i] = (guint8)i;
	other = key;
	assert_true(evaluation_key_equal(&key, &other));
	assert_int_equal(evaluation_key_hash(&key), evaluation_key_hash(&other));
	for (guint i = 0; i < EVALUATION_HASH; i++) {
		other.hash[i] ^= 0x80;
		assert_false(evaluation_key_equal(&key, &other));
		other.hash[i] ^= 0x80;
	}
	other.domain_id = 3;
	assert_false(evaluation_key_equal(&key, &other));
	assert_int_not_equal(evaluation_key_hash(&key), evaluation_key_hash(&other));
	other = key;
	other.month = 3;
	assert_false(evaluation_key_equal(&key, &other));
	assert_int_not_equal(evaluation_key_hash(&key), evaluation_key_hash(&other));
}

/* A thread that enters epochs, adds and looks up. */
struct share {
	struct evaluations *known;
	gint64 epoch;
	gboolean good;
};

static gpointer use_known(gpointer user)
{
	struct share *share = user;

	for (guint i = 0; i < 20000; i++) {
		guint64 ticket = evaluations_enter(share->known, i % 100 == 0 ? share->epoch : 0);
		struct evaluation one = evaluation(1, 1, (guint8)(i % 50));
		gint64 id = find(share->known, ticket, one);

		share->good &= id == 0 || id == one.id;
		add(share->known, ticket, one);
		if (i % 1000 == 0)
			evaluations_forget(share->known);
	}
	return NULL;
}

static void threads_can_share_one_cache(void **state)
{
	struct evaluations *known = evaluations_new(20);
	struct share shares[4];
	GThread *threads[G_N_ELEMENTS(shares)];

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(shares); i++) {
		shares[i] = (struct share){ .known = known, .epoch = (gint64)i, .good = TRUE };
		threads[i] = g_thread_new("use", use_known, &shares[i]);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(shares); i++) {
		g_thread_join(threads[i]);
		assert_true(shares[i].good);
	}
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
		cmocka_unit_test(the_older_of_two_generations_is_dropped),
		cmocka_unit_test(the_last_id_added_for_a_key_is_found),
		cmocka_unit_test(the_same_epoch_keeps_ticket_and_ids),
		cmocka_unit_test(an_epoch_that_returns_finds_nothing_from_before),
		cmocka_unit_test(ids_learned_on_a_lost_connection_are_not_added),
		cmocka_unit_test(another_epoch_clears_the_old_generation_too),
		cmocka_unit_test(every_byte_of_a_key_is_compared),
		cmocka_unit_test(threads_can_share_one_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
