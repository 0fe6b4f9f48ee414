/* test_services_file.c - the administrator's list of services, while its file changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glib/gstdio.h>
#include <string.h>

#include "parser/error.h"
#include "server/enrich/services_file.h"

#define ACME "[acme]\nname = Acme\ntype = marketing\nrdns = acme.example\n"
#define BETA "[beta]\nname = Beta\ntype = crm\nspf = beta.example\n"

struct fixture {
	char *folder, *path;
	struct services_file file;
};

static int set_up(void **state)
{
	struct fixture *fixture = g_new0(struct fixture, 1);

	fixture->folder = g_dir_make_tmp("ruad-services-XXXXXX", NULL);
	fixture->path = g_build_filename(fixture->folder, "services.ini", NULL);
	fixture->file.path = fixture->path;
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	services_file_clear(&fixture->file);
	g_unlink(fixture->path);
	g_rmdir(fixture->folder);
	g_free(fixture->path);
	g_free(fixture->folder);
	g_free(fixture);
	return 0;
}

/* Replaced as by an editor: another file of the same name. */
static void replace(const struct fixture *fixture, const char *text)
{
	g_autofree char *fresh = g_strconcat(fixture->path, ".new", NULL);

	assert_true(g_file_set_contents(fresh, text, -1, NULL));
	assert_int_equal(g_rename(fresh, fixture->path), 0);
}

static void the_list_is_read_once_and_again_when_the_file_is_another(void **state)
{
	struct fixture *fixture = *state;
	gboolean is_new = FALSE;

	replace(fixture, ACME);
	assert_true(services_file_refresh(&fixture->file, &is_new, NULL));
	assert_true(is_new);
	assert_non_null(strstr(fixture->file.json, "acme.example"));
	assert_true(services_file_refresh(&fixture->file, &is_new, NULL));
	assert_false(is_new);
	replace(fixture, BETA);
	assert_true(services_file_refresh(&fixture->file, &is_new, NULL));
	assert_true(is_new);
	assert_null(strstr(fixture->file.json, "acme.example"));
	assert_non_null(strstr(fixture->file.json, "beta.example"));
}

static void a_wrong_file_is_refused_once_and_the_list_stays(void **state)
{
	struct fixture *fixture = *state;
	g_autoptr(GError) error = NULL;
	gboolean is_new = FALSE;

	replace(fixture, ACME);
	assert_true(services_file_refresh(&fixture->file, &is_new, NULL));
	replace(fixture, "[acme]\nname = Acme\n");
	assert_false(services_file_refresh(&fixture->file, &is_new, &error));
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX));
	assert_true(g_str_has_prefix(error->message, fixture->path));
	assert_false(is_new);
	assert_non_null(strstr(fixture->file.json, "acme.example"));
	assert_true(services_file_refresh(&fixture->file, &is_new, NULL)); /* the same wrong file */
	assert_false(is_new);
	replace(fixture, BETA);
	assert_true(services_file_refresh(&fixture->file, &is_new, NULL));
	assert_true(is_new);
}

static void a_file_that_vanishes_is_refused_once_and_the_list_stays(void **state)
{
	struct fixture *fixture = *state;
	g_autoptr(GError) error = NULL;
	gboolean is_new = FALSE;

	replace(fixture, ACME);
	assert_true(services_file_refresh(&fixture->file, &is_new, NULL));
	assert_int_equal(g_unlink(fixture->path), 0);
	assert_false(services_file_refresh(&fixture->file, &is_new, &error));
	assert_true(g_str_has_prefix(error->message, "enrich.services: "));
	assert_non_null(strstr(fixture->file.json, "acme.example"));
	assert_true(services_file_refresh(&fixture->file, &is_new, NULL));
	replace(fixture, ACME);
	assert_true(services_file_refresh(&fixture->file, &is_new, NULL));
	assert_true(is_new);
}

static void at_first_a_file_that_is_not_there_is_refused_each_time(void **state)
{
	struct fixture *fixture = *state;

	for (gsize i = 0; i < 2; i++) {
		g_autoptr(GError) error = NULL;
		gboolean is_new = TRUE;

		assert_false(services_file_refresh(&fixture->file, &is_new, &error));
		assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX));
		assert_null(fixture->file.json);
		assert_false(is_new);
	}
}

static void without_a_path_the_list_is_empty(void **state G_GNUC_UNUSED)
{
	struct services_file file = { .path = "" };
	gboolean is_new = FALSE;

	assert_true(services_file_refresh(&file, &is_new, NULL));
	assert_true(is_new);
	assert_string_equal(file.json, "[]");
	assert_true(services_file_refresh(&file, &is_new, NULL));
	assert_false(is_new);
	services_file_clear(&file);
	assert_null(file.json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    the_list_is_read_once_and_again_when_the_file_is_another, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_wrong_file_is_refused_once_and_the_list_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_file_that_vanishes_is_refused_once_and_the_list_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    at_first_a_file_that_is_not_there_is_refused_each_time, set_up, tear_down),
		cmocka_unit_test(without_a_path_the_list_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
