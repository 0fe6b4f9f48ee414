/* A spool returns the same bytes, whether they are in memory or in a file. */
#include "server/common/spool.h"

#include <stdlib.h>
#include <string.h>

#include "parser/error.h"
#include "tests/unit/worker/cm.h"

/* The content of spool, transfer full. */
static char *content(struct spool *spool, size_t *size)
{
	char *bytes = NULL;
	FILE *out = open_memstream(&bytes, size);
	assert_true(spool_copy(spool, out, NULL));
	fclose(out);
	return bytes;
}

static void bytes_come_back_in_order(void **state)
{
	(void)state;
	static const gsize totals[] = { 0, 1, 1024 * 1024 - 1, 1024 * 1024, 1024 * 1024 + 1,
		5 * 1024 * 1024 + 17 };
	for (gsize i = 0; i < G_N_ELEMENTS(totals); i++) {
		struct spool *spool = spool_new(NULL);
		g_autoptr(GString) want = g_string_new(NULL);
		while (want->len < totals[i])
			g_string_append_printf(want, "%" G_GSIZE_FORMAT ",", want->len);
		g_string_truncate(want, totals[i]);
		for (gsize at = 0; at < want->len; at += 1000)
			assert_true(spool_write(spool, want->str + at, MIN(1000, want->len - at), NULL));
		for (int twice = 0; twice < 2; twice++) {
			size_t size;
			char *got = content(spool, &size);
			assert_int_equal(size, want->len);
			assert_true(memcmp(got, want->str, size) == 0);
			free(got);
		}
		spool_free(spool);
	}
}

static void a_cleared_spool_is_empty_and_usable(void **state)
{
	(void)state;
	static char large[3 * 1024 * 1024];
	struct spool *spool = spool_new(NULL);
	size_t size;
	memset(large, 'x', sizeof(large));
	assert_true(spool_write(spool, large, sizeof(large), NULL));
	spool_clear(spool);
	assert_true(spool_write(spool, "abc", 3, NULL));
	char *got = content(spool, &size);
	assert_string_equal(got, "abc");
	free(got);
	spool_free(spool);
}

static void a_stream_appends(void **state)
{
	(void)state;
	struct spool *spool = spool_new(NULL);
	size_t size;
	FILE *out = spool_stream(spool);
	fprintf(out, "%d", 12);
	fclose(out);
	assert_true(spool_write(spool, "3", 1, NULL));
	char *got = content(spool, &size);
	assert_string_equal(got, "123");
	free(got);
	spool_free(spool);
}

static void a_full_disk_is_a_system_error(void **state)
{
	(void)state;
	struct spool *spool = spool_new(NULL);
	GError *error = NULL;
	FILE *full = fopen("/dev/full", "w");
	setvbuf(full, NULL, _IONBF, 0);
	assert_true(spool_write(spool, "abc", 3, NULL));
	assert_false(spool_copy(spool, full, &error));
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYSTEM));
	g_error_free(error);
	fclose(full);
	spool_free(spool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_come_back_in_order),
		cmocka_unit_test(a_cleared_spool_is_empty_and_usable),
		cmocka_unit_test(a_stream_appends),
		cmocka_unit_test(a_full_disk_is_a_system_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
