/*
 * Advice is given only where the next release of the operating system has another PostgreSQL.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/database/postgres_release.h"

static const struct {
	const char *name;
	const char *os;
	const char *release;
	guint version;
	const char *want; /* a part of the advice, or NULL: none */
} rows[] = {
	{ "Debian 12 with its own version", "debian", "12", 15,
	    "before an upgrade to Debian 13: it has PostgreSQL 17" },
	{ "Debian 12 with the version of Debian 13", "debian", "12", 17, NULL },
	{ "Debian 13", "debian", "13", 17, NULL },
	{ "Debian 13 with the version of Debian 12", "debian", "13", 15, NULL },
	{ "another system", "fedora", "12", 15, NULL },
	{ "unknown", NULL, NULL, 15, NULL },
};

static void advice_is_for_a_release_whose_next_one_has_another_version(void **state G_GNUC_UNUSED)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *advice =
		    postgres_release_advice(rows[i].os, rows[i].release, rows[i].version);

		if ((advice == NULL) != (rows[i].want == NULL) ||
		    (advice != NULL && strstr(advice, rows[i].want) == NULL))
			fail_msg("%s: %s", rows[i].name, advice);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(advice_is_for_a_release_whose_next_one_has_another_version),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
