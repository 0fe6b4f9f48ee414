/* What systemctl shows of a running ruad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/cli/status.h"

static struct vitals *vitals;

static void assert_words(const char *want)
{
	g_autofree char *words = status_words(vitals);

	assert_string_equal(words, want);
}

static void the_counts_of_ingest_are_told(void **state G_GNUC_UNUSED)
{
	vitals = vitals_open(vitals_create(NULL), TRUE, NULL);
	assert_non_null(vitals);
	assert_words("ready: mails stored 0, waiting 0, quarantined 0");
	vitals_add(vitals, VITAL_MAILS_WRITTEN, 12345);
	vitals_add(vitals, VITAL_MAILS_WAITING, 2);
	vitals_add(vitals, VITAL_UNREADABLE, 3);
	vitals_add(vitals, VITAL_CONFLICTS, 4);
	vitals_set(vitals, VITAL_LAST_STORED_AT, 1764583509);
	assert_words("ready: mails stored 12345, waiting 2, quarantined 7, last report 2025-12-01 10:05 UTC");
	vitals_tell(vitals, FALSE);
	assert_words(
	    "ready, but mail has not been stored for 0 s: mails stored 12345, waiting 2, quarantined 7, "
	    "last report 2025-12-01 10:05 UTC");
	vitals_tell(vitals, TRUE);
	assert_words("ready: mails stored 12345, waiting 2, quarantined 7, last report 2025-12-01 10:05 UTC");
	vitals_close(vitals);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_counts_of_ingest_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
