/*
 * A program that was replaced or removed on disk is distinguished from one that was not;
 * tests/e2e/test_cluster.py restarts it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include <glib/gstdio.h>

#include "server/database/postgres_program.h"

static void a_program_is_the_same_until_its_file_is_another(void **state G_GNUC_UNUSED)
{
	g_autofree char *folder = g_dir_make_tmp("ruad-program-XXXXXX", NULL);
	g_autofree char *running = g_build_filename(folder, "running", NULL);
	g_autofree char *installed = g_build_filename(folder, "installed", NULL);
	guint64 inode = 0;

	assert_int_equal(postgres_program_compare(running, installed, &inode), POSTGRES_PROGRAM_SAME);
	assert_true(g_file_set_contents_full(running, "1", 1, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
	assert_int_equal(postgres_program_compare(running, installed, &inode), POSTGRES_PROGRAM_MISSING);
	assert_int_equal(link(running, installed), 0);
	assert_int_equal(postgres_program_compare(running, installed, &inode), POSTGRES_PROGRAM_SAME);
	assert_int_equal(inode, 0);
	assert_int_equal(g_unlink(installed), 0);
	assert_true(g_file_set_contents_full(installed, "2", 1, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
	assert_int_equal(postgres_program_compare(running, installed, &inode), POSTGRES_PROGRAM_REPLACED);
	assert_int_not_equal(inode, 0);
	g_unlink(running);
	g_unlink(installed);
	g_rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_is_the_same_until_its_file_is_another),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
