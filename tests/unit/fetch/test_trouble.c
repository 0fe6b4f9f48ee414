/*
 * test_trouble.c - how often a lasting failure is logged, and the pauses after it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "parser/error.h"
#include "server/fetch/trouble.h"
#include "tests/unit/ingest/logged.h"

/* The pause after a failure with this code and words. */
static guint tell(struct trouble *trouble, int code, const char *words)
{
	g_autoptr(GError) error = g_error_new_literal(RUAD_ERROR, code, words);

	return trouble_tell(trouble, "me", error);
}

static void assert_logged(const char *want)
{
	g_autofree char *got = logged();

	assert_string_equal(got, want);
}

static void a_lasting_failure_is_logged_once_and_its_end_too(void **state G_GNUC_UNUSED)
{
	struct trouble trouble = { 0 };

	tell(&trouble, RUAD_ERROR_SYSTEM, "gone");
	tell(&trouble, RUAD_ERROR_SYSTEM, "gone");
	assert_logged("me: gone\n");
	tell(&trouble, RUAD_ERROR_SYSTEM, "refused");
	assert_logged("me: refused\n");
	trouble_over(&trouble, "me");
	trouble_over(&trouble, "me");
	assert_logged("me: works again\n");
	tell(&trouble, RUAD_ERROR_SYSTEM, "refused");
	assert_logged("me: refused\n");
	trouble_clear(&trouble);
}

static void pauses_double_up_to_a_limit_and_begin_anew(void **state G_GNUC_UNUSED)
{
	struct trouble trouble = { 0 };

	assert_int_equal(tell(&trouble, RUAD_ERROR_SYSTEM, "gone"), TROUBLE_LOST_FIRST);
	assert_int_equal(tell(&trouble, RUAD_ERROR_SYSTEM, "gone"), TROUBLE_LOST_FIRST * 2);
	for (guint i = 0; i < 100; i++)
		tell(&trouble, RUAD_ERROR_SYSTEM, "gone");
	assert_int_equal(tell(&trouble, RUAD_ERROR_SYSTEM, "gone"), TROUBLE_LOST_MOST);
	trouble_over(&trouble, "me");
	assert_int_equal(tell(&trouble, RUAD_ERROR_SYNTAX, "wrong password"), TROUBLE_REFUSED_FIRST);
	for (guint i = 0; i < 100; i++)
		tell(&trouble, RUAD_ERROR_SYNTAX, "wrong password");
	assert_int_equal(tell(&trouble, RUAD_ERROR_SYNTAX, "wrong password"), TROUBLE_REFUSED_MOST);
	trouble_clear(&trouble);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lasting_failure_is_logged_once_and_its_end_too),
		cmocka_unit_test(pauses_double_up_to_a_limit_and_begin_anew),
	};

	logged_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
