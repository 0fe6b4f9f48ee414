/* A spool returns the same bytes, whether they are in memory or in a file. */
#include "server/common/spool.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

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

#define MIB ((gsize)1024 * 1024)

static void more_than_a_mebibyte_goes_to_a_file(void **state)
{
	g_autofree char *bytes = g_strnfill(MIB + 1, 'x');

	(void)state;
	for (gsize size = MIB - 1; size <= MIB + 1; size++) {
		struct spool *spool = spool_new("/no/such/folder"); /* then another one is taken */

		assert_true(spool_write(spool, bytes, size, NULL));
		assert_int_equal(spool_in_file(spool), size > MIB);
		assert_int_equal(spool_size(spool), size);
		spool_clear(spool);
		assert_false(spool_in_file(spool));
		assert_int_equal(spool_size(spool), 0);
		spool_free(spool);
	}
	spool_free(NULL);
}

/* From the file, from memory, and across the border between them. */
static void any_bytes_can_be_read_again(void **state)
{
	static const struct {
		gsize at, size;
	} rows[] = { { 0, 0 }, { 0, 1 }, { 0, MIB + 1 }, { MIB, 1 }, { MIB, 2 }, { MIB + 1, 1 },
		{ MIB + 1, 9 }, { MIB + 10, 0 }, { 5, MIB + 5 }, { 0, MIB + 10 } };
	struct spool *spool = spool_new(NULL);
	g_autoptr(GString) want = g_string_new(NULL);

	(void)state;
	while (want->len < MIB + 10)
		g_string_append_printf(want, "%" G_GSIZE_FORMAT ",", want->len);
	assert_true(spool_write(spool, want->str, MIB + 1, NULL));
	assert_true(spool_write(spool, want->str + MIB + 1, 9, NULL));
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = g_strnfill(rows[i].size + 1, '-');

		assert_true(spool_read(spool, rows[i].at, got, rows[i].size, NULL));
		assert_memory_equal(got, want->str + rows[i].at, rows[i].size);
		assert_int_equal(got[rows[i].size], '-');
	}
	spool_free(spool);
}

static void a_file_that_cannot_grow_is_a_system_error(void **state)
{
	struct rlimit before, limit;
	struct spool *spool = spool_new(NULL);
	g_autoptr(GError) error = NULL;
	g_autofree char *bytes = g_strnfill(3 * MIB, 'x');
	FILE *stream;
	gsize written;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = MIB;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_false(spool_write(spool, bytes, 3 * MIB, &error));
	spool_clear(spool);
	stream = spool_stream(spool);
	setvbuf(stream, NULL, _IONBF, 0);
	written = fwrite(bytes, 1, 3 * MIB, stream);
	fclose(stream);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYSTEM));
	assert_string_equal(error->message, "could not write to a temporary file: File too large");
	assert_true(written < 3 * MIB);
	spool_free(spool);
}

/* No descriptor stays open, and none is open for a small mail. */
static void a_spool_closes_its_file(void **state)
{
	g_autofree char *bytes = g_strnfill(MIB + 1, 'x');
	struct spool *spool = spool_new(NULL);
	int before = dup(STDERR_FILENO), after;

	(void)state;
	close(before);
	for (guint i = 0; i < 3; i++) {
		assert_true(spool_write(spool, bytes, MIB + 1, NULL));
		spool_clear(spool);
	}
	assert_true(spool_write(spool, bytes, MIB + 1, NULL));
	spool_free(spool);
	after = dup(STDERR_FILENO);
	close(after);
	assert_int_equal(after, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_come_back_in_order),
		cmocka_unit_test(a_cleared_spool_is_empty_and_usable),
		cmocka_unit_test(a_stream_appends),
		cmocka_unit_test(a_full_disk_is_a_system_error),
		cmocka_unit_test(more_than_a_mebibyte_goes_to_a_file),
		cmocka_unit_test(any_bytes_can_be_read_again),
		cmocka_unit_test(a_file_that_cannot_grow_is_a_system_error),
		cmocka_unit_test(a_spool_closes_its_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
