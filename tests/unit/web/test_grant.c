#include "server/web/grant.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "parser/error.h"

static void a_grant_has_a_role_and_domains(void **state)
{
	static const struct {
		const char *document;
		enum grant_role role;
		const char *domains; /* joined, or NULL */
	} rows[] = {
		{ NULL, GRANT_NONE, NULL },
		{ "{\"role\": \"viewer\", \"domains\": null}", GRANT_VIEWER, NULL },
		{ "{\"role\": \"editor\", \"domains\": [\"a.example\", \"*.b.example\"]}", GRANT_EDITOR,
		    "a.example *.b.example" },
		{ "{\"role\": \"viewer\", \"domains\": []}", GRANT_VIEWER, "" },
		{ "{\"role\": \"admin\", \"domains\": null}", GRANT_ADMIN, NULL },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *text = rows[i].document;
		g_autoptr(GBytes) document = text != NULL ? g_bytes_new_static(text, strlen(text)) : NULL;
		g_autofree char *domains = NULL;
		struct grant grant;

		assert_true(grant_read(document, &grant, NULL));
		assert_int_equal(grant.role, rows[i].role);
		assert_int_equal(grant_is_limited(&grant), rows[i].domains != NULL);
		if (rows[i].domains != NULL) {
			domains = g_strjoinv(" ", grant.domains);
			assert_string_equal(domains, rows[i].domains);
		}
		grant_clear(&grant);
	}
}

static void what_is_no_grant_is_an_error(void **state)
{
	static const char *const rows[] = { "", "null", "[]", "{}", "{\"role\": \"viewer\"}",
		"{\"domains\": null}", "{\"role\": \"king\", \"domains\": null}",
		"{\"role\": null, \"domains\": null}", "{\"role\": \"viewer\", \"domains\": \"a.example\"}",
		"{\"role\": \"viewer\", \"domains\": {}}", "{\"role\": \"viewer\", \"domains\": [" };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GBytes) document = g_bytes_new_static(rows[i], strlen(rows[i]));
		g_autoptr(GError) error = NULL;
		struct grant grant;

		if (grant_read(document, &grant, &error))
			fail_msg("%s is a grant", rows[i]);
		assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX));
		assert_int_equal(grant.role, GRANT_NONE);
		assert_null(grant.domains);
	}
}

static void a_role_comes_before_the_settings(void **state)
{
	static const struct {
		enum grant_role role;
		gboolean is_editor;
		gboolean want;
	} rows[] = {
		{ GRANT_NONE, FALSE, FALSE },
		{ GRANT_NONE, TRUE, TRUE },
		{ GRANT_VIEWER, TRUE, FALSE },
		{ GRANT_EDITOR, FALSE, TRUE },
		{ GRANT_ADMIN, FALSE, TRUE },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const struct grant grant = { rows[i].role, NULL };

		assert_int_equal(grant_edits(&grant, rows[i].is_editor), rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_grant_has_a_role_and_domains),
		cmocka_unit_test(what_is_no_grant_is_an_error),
		cmocka_unit_test(a_role_comes_before_the_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
