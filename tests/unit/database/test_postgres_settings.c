/*
 * The private cluster's configuration file; that PostgreSQL takes it is tests/e2e/test_serve.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/database/postgres_settings.h"

#define MIB G_GUINT64_CONSTANT(1048576)
#define GIB (1024 * MIB)

static const char *const names[] = { "shared_buffers", "effective_cache_size", "work_mem",
	"maintenance_work_mem", "max_wal_size" };

/* Each bound of a value is hit just before, at and just after the memory where it begins to hold. */
static const struct {
	const char *name;
	guint64 memory; /* bytes */
	guint connections;
	guint64 want[G_N_ELEMENTS(names)]; /* MiB */
} rows[] = {
	{ "unknown memory", 0, 128, { 16, 64, 2, 16, 256 } },
	{ "128 MiB - 1", 128 * MIB - 1, 128, { 16, 64, 2, 16, 256 } },
	{ "128 MiB", 128 * MIB, 128, { 16, 64, 2, 16, 256 } },
	{ "130 MiB - 1", 130 * MIB - 1, 128, { 16, 64, 2, 16, 256 } },
	{ "130 MiB", 130 * MIB, 128, { 16, 65, 2, 16, 256 } },
	{ "136 MiB - 1", 136 * MIB - 1, 128, { 16, 67, 2, 16, 256 } },
	{ "136 MiB", 136 * MIB, 128, { 17, 68, 2, 16, 256 } },
	{ "256 MiB - 1", 256 * MIB - 1, 128, { 31, 127, 2, 16, 256 } },
	{ "256 MiB", 256 * MIB, 128, { 32, 128, 2, 16, 256 } },
	{ "257 MiB", 257 * MIB, 128, { 32, 128, 2, 16, 257 } },
	{ "272 MiB - 1", 272 * MIB - 1, 128, { 33, 135, 2, 16, 271 } },
	{ "272 MiB", 272 * MIB, 128, { 34, 136, 2, 17, 272 } },
	{ "768 MiB - 1", 768 * MIB - 1, 128, { 95, 383, 2, 47, 767 } },
	{ "768 MiB", 768 * MIB, 128, { 96, 384, 3, 48, 768 } },
	{ "2 GiB - 1", 2 * GIB - 1, 128, { 255, 1023, 7, 127, 2047 } },
	{ "2 GiB", 2 * GIB, 128, { 256, 1024, 8, 128, 2048 } },
	{ "2 GiB + 1 MiB", 2 * GIB + MIB, 128, { 256, 1024, 8, 128, 2048 } },
	{ "4 GiB - 1", 4 * GIB - 1, 128, { 511, 2047, 15, 255, 2048 } },
	{ "4 GiB", 4 * GIB, 128, { 512, 2048, 16, 256, 2048 } },
	{ "4 GiB + 16 MiB", 4 * GIB + 16 * MIB, 128, { 514, 2056, 16, 256, 2048 } },
	{ "16 GiB - 1", 16 * GIB - 1, 128, { 2047, 8191, 63, 256, 2048 } },
	{ "16 GiB", 16 * GIB, 128, { 2048, 8192, 64, 256, 2048 } },
	{ "16 GiB + 256 MiB", 16 * GIB + 256 * MIB, 128, { 2048, 8320, 64, 256, 2048 } },
	{ "64 GiB - 1", 64 * GIB - 1, 128, { 2048, 32767, 64, 256, 2048 } },
	{ "64 GiB", 64 * GIB, 128, { 2048, 32768, 64, 256, 2048 } },
	{ "64 GiB + 2 MiB", 64 * GIB + 2 * MIB, 128, { 2048, 32768, 64, 256, 2048 } },
	{ "more than any machine has", G_MAXUINT64, 128, { 2048, 32768, 64, 256, 2048 } },
	{ "one connection", 256 * MIB, 1, { 32, 128, 64, 16, 256 } },
	{ "many connections", 16 * GIB, 10280, { 2048, 8192, 2, 256, 2048 } },
};

/* The value of a setting in MiB. */
static guint64 value_in(const char *text, const char *name)
{
	g_autofree char *start = g_strdup_printf("\n%s = ", name);
	const char *line = strstr(text, start);
	char *end = NULL;
	guint64 value;

	assert_non_null(line);
	value = g_ascii_strtoull(line + strlen(start), &end, 10);
	assert_true(g_str_has_prefix(end, "MB\n"));
	return value;
}

static void values_follow_the_memory_within_their_bounds(void **state G_GNUC_UNUSED)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = postgres_settings_text(rows[i].memory, rows[i].connections);

		for (gsize n = 0; n < G_N_ELEMENTS(names); n++) {
			guint64 got = value_in(text, names[n]);

			if (got != rows[i].want[n])
				fail_msg("%s: %s is %" G_GUINT64_FORMAT " MiB, not %" G_GUINT64_FORMAT,
				    rows[i].name, names[n], got, rows[i].want[n]);
		}
	}
}

static void the_file_says_that_it_is_generated_and_where_to_override_it(void **state G_GNUC_UNUSED)
{
	g_autofree char *text = postgres_settings_text(2 * GIB, 128);

	assert_true(
	    g_str_has_prefix(text, "# Written by ruad at every start, for 2048 MiB of memory: "
				   "changes are lost.\n# Put your own values into postgresql.local.conf "));
}

static void defaults_come_first_and_the_local_file_last(void **state G_GNUC_UNUSED)
{
	g_autofree char *text = postgres_settings_text(2 * GIB, 128);
	const char *defaults = strstr(text, "\ninclude 'postgresql.conf'\n");
	const char *first = strstr(text, " = ");

	assert_true(defaults != NULL && defaults < first);
	assert_true(g_str_has_suffix(text, "\ninclude_if_exists '../postgresql.local.conf'\n"));
}

static void connections_are_as_many_as_asked_for(void **state G_GNUC_UNUSED)
{
	g_autofree char *text = postgres_settings_text(2 * GIB, 10280);

	assert_non_null(strstr(text, "\nmax_connections = 10280\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_follow_the_memory_within_their_bounds),
		cmocka_unit_test(the_file_says_that_it_is_generated_and_where_to_override_it),
		cmocka_unit_test(defaults_come_first_and_the_local_file_last),
		cmocka_unit_test(connections_are_as_many_as_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
