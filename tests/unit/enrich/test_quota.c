/* test_quota.c - how many look-ups a round has, how long it pauses, and for how long answers are kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/enrich/quota.h"

#define HOUR (60 * 60)

/* Rounds and their pauses together: never more look-ups a minute than enrich.lookups, and not fewer than half
 * of it. */
static void rounds_of_a_minute_stay_within_the_bound_and_near_it(void **state G_GNUC_UNUSED)
{
	for (gint64 lookups = 1; lookups <= 1000; lookups++) {
		gint64 rounds = 60 / quota_pause(lookups, ENRICH_MORE);
		gint64 minute = quota_lookups(lookups) * rounds;

		if (quota_lookups(lookups) < 1 || minute > lookups || minute * 2 <= lookups)
			fail_msg("%d: %d a minute", (int)lookups, (int)minute);
	}
	assert_int_equal(quota_lookups(600), 100);
	assert_int_equal(quota_pause(600, ENRICH_MORE), 10);
	assert_int_equal(quota_lookups(1), 1);
	assert_int_equal(quota_pause(1, ENRICH_MORE), 60);
}

static void without_a_bound_a_round_goes_on_and_more_rounds_follow_soon(void **state G_GNUC_UNUSED)
{
	assert_true(quota_lookups(0) == G_MAXINT64);
	assert_int_equal(quota_pause(0, ENRICH_MORE), 10);
}

static void the_pause_is_longer_when_all_is_done_than_after_a_failure(void **state G_GNUC_UNUSED)
{
	assert_int_equal(quota_pause(600, ENRICH_DONE), 60);
	assert_int_equal(quota_pause(600, ENRICH_FAILED), 15);
	assert_int_equal(quota_pause(1, ENRICH_DONE), 60);
}

static void an_answer_is_kept_by_its_ttl_a_day_at_least_and_enrich_keep_at_most(void **state G_GNUC_UNUSED)
{
	static const struct {
		const char *name;
		guint32 ttl;
		gint64 most, want;
	} rows[] = {
		{ "no TTL", 0, 30 * QUOTA_DAY, QUOTA_DAY },
		{ "a short TTL", HOUR, 30 * QUOTA_DAY, QUOTA_DAY },
		{ "one second less than a day", QUOTA_DAY - 1, 30 * QUOTA_DAY, QUOTA_DAY },
		{ "one second more than a day", QUOTA_DAY + 1, 30 * QUOTA_DAY, QUOTA_DAY + 1 },
		{ "a long TTL", 29 * QUOTA_DAY, 30 * QUOTA_DAY, 29 * QUOTA_DAY },
		{ "too long a TTL", 31 * QUOTA_DAY, 30 * QUOTA_DAY, 30 * QUOTA_DAY },
		{ "a limit of less than a day", 7 * HOUR, 5 * HOUR, 5 * HOUR },
		{ "a limit of nothing", HOUR, 0, 0 },
		{ "the longest TTL", G_MAXUINT32, 365 * QUOTA_DAY, 365 * QUOTA_DAY },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		for (gsize silent = 0; silent <= 1; silent++) {
			const struct name found = {
				.ip = "192.0.2.1", .status = NAME_FOUND, .ttl = rows[i].ttl
			};
			const struct name none = {
				.ip = "192.0.2.1", .status = NAME_NONE, .ttl = rows[i].ttl
			};

			if (quota_keep(&found, rows[i].most, silent != 0) != rows[i].want ||
			    quota_keep(&none, rows[i].most, silent != 0) != rows[i].want)
				fail_msg("%s", rows[i].name);
		}
}

static void what_the_dns_did_not_answer_is_asked_again_soon_whatever_its_ttl(void **state G_GNUC_UNUSED)
{
	const struct name unknown = { .ip = "192.0.2.1", .status = NAME_UNKNOWN, .ttl = 7 * QUOTA_DAY };

	assert_int_equal(quota_keep(&unknown, 30 * QUOTA_DAY, FALSE), HOUR);
	assert_int_equal(quota_keep(&unknown, 30 * QUOTA_DAY, TRUE), 5 * 60);
}

static void half_of_a_days_budget_is_for_own_domains(void **state G_GNUC_UNUSED)
{
	static const struct {
		gint64 spent, budget;
		enum quota_budget want;
	} rows[] = { { 0, 100, QUOTA_ALL }, { 49, 100, QUOTA_ALL }, { 50, 100, QUOTA_OWN },
		{ 99, 100, QUOTA_OWN }, { 100, 100, QUOTA_SPENT }, { 101, 100, QUOTA_SPENT },
		{ 0, 1, QUOTA_ALL }, { 1, 1, QUOTA_SPENT }, { 1, 3, QUOTA_ALL }, { 2, 3, QUOTA_OWN } };

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (quota_budget(rows[i].spent, rows[i].budget) != rows[i].want)
			fail_msg("%d of %d", (int)rows[i].spent, (int)rows[i].budget);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rounds_of_a_minute_stay_within_the_bound_and_near_it),
		cmocka_unit_test(without_a_bound_a_round_goes_on_and_more_rounds_follow_soon),
		cmocka_unit_test(the_pause_is_longer_when_all_is_done_than_after_a_failure),
		cmocka_unit_test(an_answer_is_kept_by_its_ttl_a_day_at_least_and_enrich_keep_at_most),
		cmocka_unit_test(what_the_dns_did_not_answer_is_asked_again_soon_whatever_its_ttl),
		cmocka_unit_test(half_of_a_days_budget_is_for_own_domains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
