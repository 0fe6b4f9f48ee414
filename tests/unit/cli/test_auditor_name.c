/* The names that `ruad auditor` accepts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/cli/auditor_name.h"

#define NAME_63 "a12345678901234567890123456789012345678901234567890123456789012"

static const struct {
	const char *name;
	const char *want; /* NULL: it is taken */
} rows[] = {
	{ "ann", NULL },
	{ "_ann", NULL },
	{ "Ann.Smith-2@example.net", NULL },
	{ "ruadmin", NULL },
	{ "pgadmin", NULL },
	{ NAME_63, NULL },
	{ NAME_63 "3", "a name has at most 63 bytes" },
	{ "", "a name begins with a letter or _" },
	{ "2nd", "a name begins with a letter or _" },
	{ "+ann", "a name begins with a letter or _" },
	{ "-ann", "a name begins with a letter or _" },
	{ "/^.*$", "a name begins with a letter or _" },
	{ "ann smith", "a name has only the letters a to z, digits and _ . @ -" },
	{ "ann\"; DROP", "a name has only the letters a to z, digits and _ . @ -" },
	{ "ann'", "a name has only the letters a to z, digits and _ . @ -" },
	{ "ann\n", "a name has only the letters a to z, digits and _ . @ -" },
	{ "j\xc3\xb6rg", "a name has only the letters a to z, digits and _ . @ -" },
	{ "postgres", "this name is reserved" },
	{ "Public", "this name is reserved" },
	{ "none", "this name is reserved" },
	{ "all", "this name is reserved" },
	{ "current_user", "this name is reserved" },
	{ "ruad_owner", "this name is reserved" },
	{ "RUAD_x", "this name is reserved" },
	{ "pg_monitor", "this name is reserved" },
};

static void names_are_those_of_users_and_not_of_roles_with_a_meaning(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *have = auditor_name_objection(rows[i].name);

		if (g_strcmp0(have, rows[i].want) != 0)
			fail_msg("\"%s\": want \"%s\", have \"%s\"", rows[i].name, rows[i].want, have);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_those_of_users_and_not_of_roles_with_a_meaning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
