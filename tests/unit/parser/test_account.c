/* Nothing in a mail vanishes: each report and record of random mails is in the answer, or is named there as
 * not read. */
#include "parser/parse.h"
#include "tests/unit/parser/account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SEEDS 3000 /* RUAD_TEST_MAILS: another number */

/* RUAD_TEST_SEED: only this one, whose mail is printed. */
static void every_report_of_a_random_mail_is_accounted_for(void **state)
{
	const char *number = g_getenv("RUAD_TEST_MAILS"), *only = g_getenv("RUAD_TEST_SEED");
	guint64 first = only == NULL ? 0 : g_ascii_strtoull(only, NULL, 10);
	guint64 n = only != NULL ? 1 : number == NULL ? SEEDS : g_ascii_strtoull(number, NULL, 10);
	guint bad = 0;

	(void)state;
	for (guint64 seed = first; seed < first + n; seed++) {
		struct choices choices = { .seed = seed };
		struct generated *mail = generate_mail(&choices);
		g_autofree char *fault = account_for(mail);

		if (only != NULL)
			print_message("%.*s\n", (int)mail->mail->len, (const char *)mail->mail->data);
		if (fault != NULL && ++bad <= 10)
			print_error("mail %" G_GUINT64_FORMAT ": %s\n", seed, fault);
		generate_free(mail);
	}
	assert_int_equal(bad, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_report_of_a_random_mail_is_accounted_for),
	};

	parse_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
