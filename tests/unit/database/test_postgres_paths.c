/*
 * The private cluster's paths, conninfo and lock; running it is tests/e2e/test_serve.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "parser/error.h"
#include "server/database/postgres.h"

/* 107 bytes for a socket, less "/run/.s.PGSQL.5432.lock": PostgreSQL's lock file has the longer name. */
static void a_state_dir_that_is_too_long_for_a_socket_is_refused(void **state G_GNUC_UNUSED)
{
	const gsize most = 107 - strlen("/run/.s.PGSQL.5432.lock");

	for (gsize size = most - 1; size <= most + 1; size++) {
		g_autofree char *rest = g_strnfill(size - 1, 'x');
		g_autofree char *path = g_strconcat("/", rest, NULL);
		g_autoptr(GError) error = NULL;
		struct postgres *postgres = postgres_new(path, 100, FALSE, &error);

		assert_int_equal(postgres != NULL, size <= most);
		if (postgres == NULL)
			assert_non_null(strstr(error->message, "too long"));
		postgres_free(postgres);
	}
}

static void a_relative_state_dir_is_refused(void **state G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	assert_null(postgres_new("var/lib", 100, FALSE, &error));
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX));
}

static void odd_paths_are_quoted_in_conninfo(void **state G_GNUC_UNUSED)
{
	struct postgres *postgres = postgres_new("/a b'c\\d", 100, FALSE, NULL);
	g_autofree char *conninfo = postgres_conninfo(postgres, "ruad_web", "ruad");

	assert_string_equal(conninfo, "host='/a b\\'c\\\\d/run' port='5432' user='ruad_web' dbname='ruad'");
	postgres_free(postgres);
}

static void the_lock_goes_to_one_process_and_is_free_when_it_ends(void **state G_GNUC_UNUSED)
{
	g_autofree char *folder = g_dir_make_tmp("ruad-lock-XXXXXX", NULL);
	g_autofree char *lock = g_build_filename(folder, "lock", NULL);
	struct postgres *first = postgres_new(folder, 100, FALSE, NULL);
	struct postgres *second = postgres_new(folder, 100, FALSE, NULL);
	gboolean taken = FALSE;
	int owner = 0;

	assert_true(postgres_lock(first, &taken, &owner, NULL));
	assert_true(taken);
	assert_true(postgres_lock(second, &taken, &owner, NULL));
	assert_false(taken);
	assert_int_equal(owner, getpid());
	postgres_free(first);
	assert_true(postgres_lock(second, &taken, &owner, NULL));
	assert_true(taken);
	postgres_free(second);
	g_unlink(lock);
	g_rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_state_dir_that_is_too_long_for_a_socket_is_refused),
		cmocka_unit_test(a_relative_state_dir_is_refused),
		cmocka_unit_test(odd_paths_are_quoted_in_conninfo),
		cmocka_unit_test(the_lock_goes_to_one_process_and_is_free_when_it_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
