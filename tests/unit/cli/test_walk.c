/*
 * Paths of a command line as files to import.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "server/cli/walk.h"

static const char *const entries[] = {
	"box/report.eml=Subject: x\n\ny",
	"box/deep/er/a.xml=<feedback/>",
	"box/deep/b.gz=\037\213\010",
	"box/deep/c.mbox=From a\n",
	"box/README.md=# not a mail\n",
	"box/empty=",
	"dir/cur/1:2,S=Subject: 1\n\n",
	"dir/new/2=Subject: 2\n\n",
	"dir/tmp/3=Subject: 3\n\n",
	"dir/dovecot.list=Subject: not a mail\n\n",
	"dir/.Junk/cur/4=Subject: 4\n\n",
	"dir/.Junk/new/5=Subject: 5\n\n",
};

static int set_up(void **state)
{
	char *root = g_dir_make_tmp("ruad-walk-XXXXXX", NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(entries); i++) {
		const char *content = strchr(entries[i], '=') + 1;
		g_autofree char *name = g_strndup(entries[i], (gsize)(content - entries[i]) - 1);
		g_autofree char *path = g_build_filename(root, name, NULL);
		g_autofree char *folder = g_path_get_dirname(path);

		assert_int_equal(g_mkdir_with_parents(folder, 0700), 0);
		assert_true(g_file_set_contents(path, content, -1, NULL));
	}
	*state = root;
	return 0;
}

static int tear_down(void **state)
{
	const char *argv[] = { "rm", "-rf", *state, NULL };
	gboolean good =
	    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);

	g_free(*state);
	return good ? 0 : -1;
}

/* The files found below root/path, without root, between spaces. Transfer full. */
static char *found(const char *root, const char *path, guint *skipped)
{
	g_autofree char *whole = g_build_filename(root, path, NULL);
	GString *list = g_string_new(NULL);
	struct walk walk;

	walk_init(&walk);
	walk_add(&walk, whole);
	for (guint i = 0; i < walk.files->len; i++)
		g_string_append_printf(
		    list, "%s%s", i == 0 ? "" : " ", (char *)walk.files->pdata[i] + strlen(root) + 1);
	*skipped = walk.skipped;
	assert_int_equal(walk.failed, 0);
	walk_clear(&walk);
	return g_string_free(list, FALSE);
}

static void a_folder_is_all_mails_and_reports_below_it(void **state)
{
	guint skipped = 0;
	g_autofree char *list = found(*state, "box", &skipped);

	assert_string_equal(list, "box/deep/b.gz box/deep/c.mbox box/deep/er/a.xml box/report.eml");
	assert_int_equal(skipped, 2);
}

static void a_maildir_is_its_cur_and_new_and_its_subfolders(void **state)
{
	guint skipped = 0;
	g_autofree char *list = found(*state, "dir", &skipped);

	assert_string_equal(list, "dir/.Junk/cur/4 dir/.Junk/new/5 dir/cur/1:2,S dir/new/2");
	assert_int_equal(skipped, 0);
}

static void a_file_named_outright_is_taken_whatever_it_is(void **state)
{
	guint skipped = 0;
	g_autofree char *list = found(*state, "box/README.md", &skipped);

	assert_string_equal(list, "box/README.md");
}

static void links_to_files_are_followed_and_links_to_folders_are_not(void **state)
{
	g_autofree char *loop = g_build_filename(*state, "box/deep/loop", NULL);
	g_autofree char *link = g_build_filename(*state, "box/deep/z.eml", NULL);
	guint skipped = 0;
	g_autofree char *list = NULL;

	assert_int_equal(symlink("..", loop), 0);
	assert_int_equal(symlink("../report.eml", link), 0);
	list = found(*state, "box/deep", &skipped);
	assert_string_equal(list, "box/deep/b.gz box/deep/c.mbox box/deep/er/a.xml box/deep/z.eml");
}

static void what_is_not_there_is_counted(void **state)
{
	g_autofree char *path = g_build_filename(*state, "nothing", NULL);
	struct walk walk;

	walk_init(&walk);
	walk_add(&walk, path);
	assert_int_equal(walk.failed, 1);
	assert_int_equal(walk.files->len, 0);
	walk_clear(&walk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_folder_is_all_mails_and_reports_below_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_maildir_is_its_cur_and_new_and_its_subfolders, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_file_named_outright_is_taken_whatever_it_is, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    links_to_files_are_followed_and_links_to_folders_are_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_not_there_is_counted, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
