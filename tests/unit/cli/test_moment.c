/*
 * Dates and times of the command line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/cli/moment.h"

static const struct {
	const char *text;
	const char *want; /* NULL: refused */
} rows[] = {
	{ "2026-11-20", "2026-11-20T00:00:00.000000Z" },
	{ "2024-02-29", "2024-02-29T00:00:00.000000Z" },
	{ "2026-11-20T12:34:56Z", "2026-11-20T12:34:56.000000Z" },
	{ "2026-11-20t12:34:56z", "2026-11-20T12:34:56.000000Z" },
	{ "2026-11-20 12:34:56Z", "2026-11-20T12:34:56.000000Z" },
	{ "2026-11-20T12:34:56.25Z", "2026-11-20T12:34:56.250000Z" },
	{ "2026-11-20T00:30:00+01:00", "2026-11-19T23:30:00.000000Z" },
	{ "2026-11-20T23:30:00-01:30", "2026-11-21T01:00:00.000000Z" },
	{ "", NULL },
	{ "yesterday", NULL },
	{ "2026-02-29", NULL },
	{ "2026-13-01", NULL },
	{ "2026-11-20\n", NULL },
	{ "2026-11-2", NULL },
	{ "20261120", NULL },
	{ "2026-W47-5", NULL },
	{ "20.11.2026", NULL },
	{ "2026-11-20T12:34:56", NULL }, /* where? */
	{ "2026-11-20T12:34Z", NULL },
	{ "2026-11-20T25:00:00Z", NULL },
	{ "2026-11-20T12:34:56+1:00", NULL },
	{ "1795132800", NULL },
};

static void days_and_times_are_read_and_nothing_else(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = moment_read(rows[i].text);

		if (g_strcmp0(got, rows[i].want) != 0)
			fail_msg("\"%s\": %s", rows[i].text, got != NULL ? got : "refused");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(days_and_times_are_read_and_nothing_else),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
