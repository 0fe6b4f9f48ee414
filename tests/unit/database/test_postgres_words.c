/*
 * The cause of a failure is found in what PostgreSQL's programs say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/database/postgres_words.h"

static const struct {
	const char *name;
	const char *words;
	const char *want;
} causes[] = {
	{ "initdb on a full disk",
	    "initdb: error: could not write to file \"/s/postgres.new/pg_wal\": No space left on device\n"
	    "initdb: removing data directory \"/s/postgres.new\"\n",
	    "could not write to file \"/s/postgres.new/pg_wal\": No space left on device" },
	{ "the server that initdb runs, on a full disk",
	    "2026-11-29 21:00:00.000 UTC [7] FATAL:  could not extend file \"base/1/1255\": No space left on "
	    "device\n"
	    "2026-11-29 21:00:00.000 UTC [7] HINT:  Check free disk space.\n"
	    "child process exited with exit code 1\n"
	    "initdb: removing data directory \"/s/postgres.new\"\n",
	    "could not extend file \"base/1/1255\": No space left on device" },
	{ "two errors", "pg_restore: error: one\nx\npg_restore: error: two\n", "one; two" },
	{ "no error among them", "starting\nKilled\n\n", "Killed" },
	{ "nothing", "", "" },
};

static void the_cause_is_the_error_and_not_the_last_line(void **state G_GNUC_UNUSED)
{
	for (gsize i = 0; i < G_N_ELEMENTS(causes); i++) {
		g_autofree char *cause = postgres_words_cause(causes[i].words);

		if (strcmp(cause, causes[i].want) != 0)
			fail_msg("%s: \"%s\"", causes[i].name, cause);
	}
}

static void messages_are_those_of_lines_with_the_prefix(void **state G_GNUC_UNUSED)
{
	g_autofree char *messages =
	    postgres_words_messages("PostgreSQL: LOG:  unrecognized \"x\"\nother: LOG:  no\n"
				    "PostgreSQL: FATAL:  file contains errors\n",
		"PostgreSQL: ");
	g_autofree char *none = postgres_words_messages("", "PostgreSQL: ");

	assert_string_equal(messages, "unrecognized \"x\"; file contains errors");
	assert_string_equal(none, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_cause_is_the_error_and_not_the_last_line),
		cmocka_unit_test(messages_are_those_of_lines_with_the_prefix),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
