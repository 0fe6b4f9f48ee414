/*
 * The memory limits of control groups, from folders that look like the kernel's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glib/gstdio.h>

#include "server/database/memory.h"

#define FILES_MOST 4

static const struct {
	const char *name;
	const char *groups;
	const char *files[FILES_MOST][2]; /* path below the root, content */
	guint64 want;
} rows[] = {
	{ "a limit of its own", "0::/ruad\n", { { "ruad/memory.max", "268435456\n" } }, 268435456 },
	{ "no limit", "0::/ruad\n", { { "ruad/memory.max", "max\n" } }, MEMORY_UNLIMITED },
	{ "no file", "0::/ruad\n", { { "other/memory.max", "268435456\n" } }, MEMORY_UNLIMITED },
	{ "of a group above", "0::/system.slice/ruad.service\n",
	    { { "system.slice/ruad.service/memory.max", "max\n" }, { "system.slice/memory.max", "1000\n" } },
	    1000 },
	{ "the lowest of several", "0::/a/b\n",
	    { { "a/b/memory.max", "3000\n" }, { "a/memory.max", "2000\n" }, { "memory.max", "4000\n" } },
	    2000 },
	{ "in a container", "0::/\n", { { "memory.max", "1000\n" } }, 1000 },
	{ "memory.high is lower", "0::/a\n", { { "a/memory.max", "2000\n" }, { "a/memory.high", "1500\n" } },
	    1500 },
	{ "memory.high is none", "0::/a\n", { { "a/memory.max", "2000\n" }, { "a/memory.high", "max\n" } },
	    2000 },
	{ "version 1 beside it", "4:memory:/x\n0::/a\n",
	    { { "x/memory.max", "1000\n" }, { "a/memory.max", "2000\n" } }, 2000 },
	{ "version 1 only", "4:memory:/x\n", { { "x/memory.max", "1000\n" } }, MEMORY_UNLIMITED },
	{ "outside its namespace", "0::/../a\n", { { "memory.max", "1000\n" } }, 1000 },
	{ "not a number", "0::/a\n", { { "a/memory.max", "1000 bytes\n" } }, MEMORY_UNLIMITED },
	{ "empty", "", { { "memory.max", "1000\n" } }, MEMORY_UNLIMITED },
};

static void remove_tree(const char *path)
{
	g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
	const char *name;

	while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
		g_autofree char *entry = g_build_filename(path, name, NULL);

		remove_tree(entry);
	}
	g_remove(path);
}

static void the_lowest_limit_of_the_group_and_those_above_counts(void **state G_GNUC_UNUSED)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *root = g_dir_make_tmp("ruad-memory-XXXXXX", NULL);
		guint64 got;

		for (gsize f = 0; f < FILES_MOST && rows[i].files[f][0] != NULL; f++) {
			g_autofree char *path = g_build_filename(root, rows[i].files[f][0], NULL);
			g_autofree char *folder = g_path_get_dirname(path);

			assert_int_equal(g_mkdir_with_parents(folder, 0700), 0);
			assert_true(g_file_set_contents(path, rows[i].files[f][1], -1, NULL));
		}
		got = memory_group_limit(rows[i].groups, root);
		remove_tree(root);
		if (got != rows[i].want)
			fail_msg("%s: %" G_GUINT64_FORMAT " bytes, not %" G_GUINT64_FORMAT, rows[i].name, got,
			    rows[i].want);
	}
}

static void this_machine_has_memory(void **state G_GNUC_UNUSED)
{
	assert_true(memory_usable() > 0);
	assert_true(memory_usable() < MEMORY_UNLIMITED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lowest_limit_of_the_group_and_those_above_counts),
		cmocka_unit_test(this_machine_has_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
