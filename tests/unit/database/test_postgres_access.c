/*
 * Who may connect to the private cluster as which role. PostgreSQL applies the files in
 * tests/e2e/test_serve.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/database/postgres.h"
#include "server/database/postgres_access.h"

static const char *const roles[] = { POSTGRES_ADMIN, "ruad_owner", "ruad_ingest", "ruad_web", "ruad_editor",
	"ruad_enrich", "ruad_notify", "ruad_auditor" };

static void the_user_of_ruad_and_root_may_act_as_each_role_and_nobody_else(void **state G_GNUC_UNUSED)
{
	g_autofree char *text = postgres_access_ident("mail op");
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	assert_int_equal(g_strv_length(lines), 1 + 2 * G_N_ELEMENTS(roles) + 1);
	assert_true(lines[0][0] == '#');
	assert_string_equal(lines[1 + 2 * G_N_ELEMENTS(roles)], "");
	for (gsize i = 0; i < G_N_ELEMENTS(roles); i++) {
		g_autofree char *own = g_strdup_printf("ruad \"mail op\" %s", roles[i]);
		g_autofree char *root = g_strdup_printf("ruad root %s", roles[i]);

		assert_string_equal(lines[1 + 2 * i], own);
		assert_string_equal(lines[2 + 2 * i], root);
	}
}

/* Everything is local and by peer; only the administrator reaches another database than ruad's. */
static void connections_are_local_and_checked_by_the_operating_system(void **state G_GNUC_UNUSED)
{
	static const char *const want[] = {
		"local all postgres peer map=ruad",
		("local ruad "
		 "ruad_owner,ruad_ingest,ruad_web,ruad_editor,ruad_enrich,ruad_notify,ruad_auditor "
		 "peer map=ruad"),
		"local ruad +ruad_auditor,+ruad_viewer peer",
	};
	g_auto(GStrv) lines = g_strsplit(postgres_access_hba, "\n", -1);

	assert_int_equal(g_strv_length(lines), 1 + G_N_ELEMENTS(want) + 1);
	for (gsize i = 0; i < G_N_ELEMENTS(want); i++) {
		g_autoptr(GRegex) blanks = g_regex_new(" +", 0, 0, NULL);
		g_autofree char *line = g_regex_replace_literal(blanks, lines[1 + i], -1, 0, " ", 0, NULL);

		assert_string_equal(line, want[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_user_of_ruad_and_root_may_act_as_each_role_and_nobody_else),
		cmocka_unit_test(connections_are_local_and_checked_by_the_operating_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
