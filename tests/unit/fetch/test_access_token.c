/*
 * test_access_token.c - what a command prints is a token, or the reason why not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "parser/error.h"
#include "server/fetch/access_token.h"

static const struct {
	const char *script;
	const char *token; /* NULL: RUAD_ERROR_SYSTEM */
	const char *fault;
} cases[] = {
	{ "echo abc.DEF-1_2~+/==", "abc.DEF-1_2~+/==", NULL },
	{ "printf ' abc \\n\\n'", "abc", NULL },
	{ "true", NULL, "imap.token_command: it prints nothing" },
	{ "echo abc; exit 1", NULL, "imap.token_command: it failed" },
	{ "kill -9 $$", NULL, "imap.token_command: it failed" },
	{ "echo a b", NULL, "imap.token_command: what it prints is not a token" },
	{ "printf 'a\\001b'", NULL, "imap.token_command: what it prints is not a token" },
	{ "yes", NULL, "imap.token_command: it prints more than a token" },
	{ "echo ${RUAD_IMAP_PASSWORD-none}", "none", NULL },
};

static void a_command_prints_a_token_or_the_reason_is_said(void **state G_GNUC_UNUSED)
{
	g_setenv("RUAD_IMAP_PASSWORD", "secret", TRUE);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *const argv[] = { (char *)"sh", (char *)"-c", (char *)cases[i].script, NULL };
		g_autoptr(GError) error = NULL;
		g_autofree char *token = access_token_get(argv, &error);

		if (g_strcmp0(token, cases[i].token) != 0)
			fail_msg("%s: %s", cases[i].script, token != NULL ? token : error->message);
		if (token == NULL) {
			assert_string_equal(error->message, cases[i].fault);
			assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYSTEM));
		}
	}
}

static void a_command_that_is_missing_is_named(void **state G_GNUC_UNUSED)
{
	char *const argv[] = { (char *)"/no/such/command", NULL };
	g_autoptr(GError) error = NULL;

	assert_null(access_token_get(argv, &error));
	assert_non_null(strstr(error->message, "/no/such/command"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_prints_a_token_or_the_reason_is_said),
		cmocka_unit_test(a_command_that_is_missing_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
