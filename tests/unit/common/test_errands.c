/* test_errands.c - what programs with errands outside tell of them, and another process reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "parser/error.h"
#include "server/common/errands.h"

static void open_both(struct errands **writer, struct errands **reader)
{
	int fd = errands_create(NULL);

	assert_true(fd >= 0);
	*reader = errands_open(dup(fd), FALSE, NULL);
	*writer = errands_open(fd, TRUE, NULL);
	assert_non_null(*reader);
	assert_non_null(*writer);
}

static void each_errand_has_its_own_counts(void **state G_GNUC_UNUSED)
{
	struct errands *writer, *reader;
	struct errand *imap, *maildir;
	g_autofree char *name = NULL;
	gint64 now = g_get_real_time() / G_USEC_PER_SEC;

	open_both(&writer, &reader);
	assert_null(errands_get(reader, 0));
	assert_int_equal(errands_name(writer, "imap"), 0);
	assert_int_equal(errands_name(writer, "maildir"), 1);
	assert_int_equal(errands_name(writer, "imap"), 0);
	errand_add(errands_get(writer, 0), ERRAND_DONE, 2);
	errand_add(errands_get(writer, 0), ERRAND_DONE, 3);
	errand_add(errands_get(writer, 1), ERRAND_FAILED, 1);
	errand_succeed(errands_get(writer, 1));
	imap = errands_get(reader, 0);
	maildir = errands_get(reader, 1);
	assert_null(errands_get(reader, 2));
	name = errand_name(maildir);
	assert_string_equal(name, "maildir");
	assert_int_equal(errand_get(imap, ERRAND_DONE), 5);
	assert_int_equal(errand_get(imap, ERRAND_FAILED), 0);
	assert_int_equal(errand_succeeded_at(imap), 0);
	assert_int_equal(errand_get(maildir, ERRAND_DONE), 0);
	assert_int_equal(errand_get(maildir, ERRAND_FAILED), 1);
	assert_in_range(errand_succeeded_at(maildir), now, now + 60);
	errands_close(writer);
	errands_close(reader);
}

static void there_are_so_many_and_no_more(void **state G_GNUC_UNUSED)
{
	struct errands *writer, *reader;

	open_both(&writer, &reader);
	for (int i = 0; i < ERRANDS_MAX; i++) {
		g_autofree char *name = g_strdup_printf("imap %d", i);

		assert_int_equal(errands_name(writer, name), i);
	}
	assert_int_equal(errands_name(writer, "one more"), -1);
	assert_int_equal(errands_name(writer, "imap 3"), 3);
	assert_non_null(errands_get(reader, ERRANDS_MAX - 1));
	assert_null(errands_get(reader, ERRANDS_MAX));
	assert_null(errands_get(reader, -1));
	errands_close(writer);
	errands_close(reader);
}

static void a_long_name_is_cut(void **state G_GNUC_UNUSED)
{
	struct errands *writer, *reader;
	g_autofree char *name = g_strnfill(ERRAND_NAME_SIZE, 'x');
	g_autofree char *cut = NULL;

	open_both(&writer, &reader);
	assert_int_equal(errands_name(writer, name), 0);
	assert_int_equal(errands_name(writer, name), 0);
	cut = errand_name(errands_get(reader, 0));
	assert_int_equal(strlen(cut), ERRAND_NAME_SIZE - 1);
	errands_close(writer);
	errands_close(reader);
}

static void another_descriptor_is_refused(void **state G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	assert_null(errands_open(memfd_create("empty", MFD_CLOEXEC), FALSE, &error));
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYSTEM));
}

static void no_errand_counts_nothing(void **state G_GNUC_UNUSED)
{
	errand_add(NULL, ERRAND_DONE, 1);
	errand_succeed(NULL);
	assert_null(errands_get(NULL, 0));
	errands_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_errand_has_its_own_counts),
		cmocka_unit_test(there_are_so_many_and_no_more),
		cmocka_unit_test(a_long_name_is_cut),
		cmocka_unit_test(another_descriptor_is_refused),
		cmocka_unit_test(no_errand_counts_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
