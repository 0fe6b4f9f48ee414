/*
 * test_access_token.c - what a command prints is a token, or the reason why not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parser/error.h"
#include "server/fetch/access_token.h"

#define TEN           "0000000000"
#define HUNDRED       TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define THOUSAND      HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED
#define FIVE_THOUSAND THOUSAND THOUSAND THOUSAND THOUSAND THOUSAND

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
	{ "printf %05000d 0", FIVE_THOUSAND, NULL },
	{ "printf %0100000d 0", NULL, "imap.token_command: it prints more than a token" },
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

static char *output_of(const char *script)
{
	char *const argv[] = { (char *)"sh", (char *)"-c", (char *)script, NULL };

	return access_token_get(argv, NULL);
}

static void a_token_has_a_largest_size(void **state G_GNUC_UNUSED)
{
	for (guint size = ACCESS_TOKEN_MAX - 1; size <= ACCESS_TOKEN_MAX + 1; size++) {
		g_autofree char *script = g_strdup_printf("printf %%0%ud 0", size);
		g_autofree char *token = output_of(script);

		assert_int_equal(token == NULL ? 0 : strlen(token), size <= ACCESS_TOKEN_MAX ? size : 0);
	}
}

static void a_command_that_says_too_much_is_ended_at_once(void **state G_GNUC_UNUSED)
{
	gint64 began = g_get_monotonic_time();

	assert_null(output_of("printf %0100000d 0; exec sleep 500"));
	assert_true(g_get_monotonic_time() - began < 100 * G_TIME_SPAN_SECOND);
}

static void no_descriptor_stays_open(void **state G_GNUC_UNUSED)
{
	int before = open("/dev/null", O_RDONLY), after;
	g_autofree char *token = NULL;

	close(before);
	token = output_of("echo a");
	assert_string_equal(token, "a");
	after = open("/dev/null", O_RDONLY);
	close(after);
	assert_int_equal(before, after);
}

/* Also the first variable: it is the only one here, but for PATH. */
static void no_setting_reaches_the_command(void **state G_GNUC_UNUSED)
{
	g_autofree char *path = g_strdup(g_getenv("PATH")), *token = NULL;

	assert_int_equal(clearenv(), 0);
	g_setenv("RUAD_FIRST", "x", TRUE);
	g_setenv("PATH", path != NULL ? path : "/usr/bin:/bin", TRUE);
	token = output_of("echo ${RUAD_FIRST-none}");
	assert_string_equal(token, "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_prints_a_token_or_the_reason_is_said),
		cmocka_unit_test(a_command_that_is_missing_is_named),
		cmocka_unit_test(a_token_has_a_largest_size),
		cmocka_unit_test(a_command_that_says_too_much_is_ended_at_once),
		cmocka_unit_test(no_descriptor_stays_open),
		cmocka_unit_test(no_setting_reaches_the_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
