/* test_vitals.c - what one process tells of its mails, and another one reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "parser/error.h"
#include "server/common/vitals.h"

/* The same memory for a writer and a reader. */
static void open_both(struct vitals **writer, struct vitals **reader)
{
	int fd = vitals_create(NULL);

	assert_true(fd >= 0);
	*reader = vitals_open(dup(fd), FALSE, NULL);
	*writer = vitals_open(fd, TRUE, NULL);
	assert_non_null(*reader);
	assert_non_null(*writer);
}

/* ruad-ingest is started again when it was killed: readiness must not come back with that alone. */
static void a_writer_that_starts_again_counts_anew_and_remembers_failures(void **state G_GNUC_UNUSED)
{
	int fd = vitals_create(NULL);
	struct vitals *reader = vitals_open(dup(fd), FALSE, NULL);
	struct vitals *first = vitals_open(dup(fd), TRUE, NULL), *second;

	vitals_tell(first, FALSE);
	vitals_add(first, VITAL_SESSIONS, 2);
	vitals_set(first, VITAL_LAST_STORED_AT, 1764000000);
	assert_int_equal(vitals_get(reader, VITAL_LAST_STORED_AT), 1764000000);
	vitals_add_reply(first, 451);
	vitals_add_time(first, 7);
	vitals_close(first);
	second = vitals_open(fd, TRUE, NULL);
	assert_int_equal(vitals_failing(reader), 0);
	assert_int_equal(vitals_get(reader, VITAL_SESSIONS), 0);
	assert_int_equal(vitals_get(reader, VITAL_LAST_STORED_AT), 0);
	assert_int_equal(vitals_replies(reader, 451), 0);
	assert_int_equal(vitals_times(reader, VITALS_BOUNDS), 0);
	assert_int_equal(vitals_times_sum(reader), 0);
	vitals_close(second);
	vitals_close(reader);
}

static void mail_fails_until_one_is_stored(void **state G_GNUC_UNUSED)
{
	struct vitals *writer, *reader;

	open_both(&writer, &reader);
	assert_int_equal(vitals_failing(reader), -1);
	vitals_tell(writer, TRUE);
	assert_int_equal(vitals_failing(reader), -1);
	vitals_tell(writer, FALSE);
	assert_int_equal(vitals_failing(reader), 0);
	vitals_tell(writer, TRUE);
	assert_int_equal(vitals_failing(reader), -1);
	vitals_close(writer);
	vitals_close(reader);
}

static void the_first_failure_says_since_when(void **state G_GNUC_UNUSED)
{
	struct vitals *writer, *reader;

	open_both(&writer, &reader);
	vitals_tell(writer, FALSE);
	g_usleep(1100 * 1000);
	vitals_tell(writer, FALSE);
	assert_in_range(vitals_failing(reader), 1, 60);
	vitals_close(writer);
	vitals_close(reader);
}

static void the_memory_outlives_its_writer(void **state G_GNUC_UNUSED)
{
	struct vitals *writer, *reader;
	pid_t pid;

	open_both(&writer, &reader);
	pid = fork();
	if (pid == 0) {
		vitals_tell(writer, FALSE);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(vitals_failing(reader), 0);
	vitals_close(writer);
	vitals_close(reader);
}

static void nobody_can_take_the_memory_away(void **state G_GNUC_UNUSED)
{
	int fd = vitals_create(NULL);

	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(ftruncate(fd, 1 << 20), -1);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
}

static void another_descriptor_is_refused(void **state G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	int fd = memfd_create("empty", MFD_CLOEXEC);

	assert_null(vitals_open(fd, FALSE, &error));
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYSTEM));
	assert_int_equal(fcntl(fd, F_GETFD), -1); /* it was closed */
}

/* The times at the beginning of the memory, which a test cannot wait for. */
static void failures_are_forgotten_after_a_while_without_mail(void **state G_GNUC_UNUSED)
{
	int fd = vitals_create(NULL);
	gint64 *times = mmap(NULL, 2 * sizeof(gint64), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	struct vitals *vitals = vitals_open(fd, FALSE, NULL);
	gint64 now = g_get_monotonic_time();

	assert_true(times != MAP_FAILED);
	if (now > (VITALS_VALID + 10) * G_TIME_SPAN_SECOND) {
		times[0] = now - (VITALS_VALID + 9) * G_TIME_SPAN_SECOND;
		times[1] = now - (VITALS_VALID - 5) * G_TIME_SPAN_SECOND;
		assert_in_range(vitals_failing(vitals), VITALS_VALID + 9, VITALS_VALID + 60);
		times[1] = now - VITALS_VALID * G_TIME_SPAN_SECOND - 1;
		assert_int_equal(vitals_failing(vitals), -1);
	}
	munmap(times, 2 * sizeof(gint64));
	vitals_close(vitals);
}

static void replies_are_counted_by_their_code(void **state G_GNUC_UNUSED)
{
	struct vitals *writer, *reader;

	open_both(&writer, &reader);
	for (guint code = VITALS_CODE_MIN - 1; code <= VITALS_CODE_MAX + 1; code++)
		vitals_add_reply(writer, code);
	vitals_add_reply(writer, VITALS_CODE_MIN);
	vitals_add_reply(writer, VITALS_CODE_MAX);
	assert_int_equal(vitals_replies(reader, VITALS_CODE_MIN - 1), 0);
	assert_int_equal(vitals_replies(reader, VITALS_CODE_MIN), 2);
	assert_int_equal(vitals_replies(reader, 451), 1);
	assert_int_equal(vitals_replies(reader, VITALS_CODE_MAX), 2);
	assert_int_equal(vitals_replies(reader, VITALS_CODE_MAX + 1), 0);
	assert_int_equal(vitals_get(reader, VITAL_SESSIONS), 0);
	assert_int_equal(vitals_times_sum(reader), 0);
	vitals_close(writer);
	vitals_close(reader);
}

static void a_time_belongs_to_the_first_bound_that_it_does_not_exceed(void **state G_GNUC_UNUSED)
{
	static const gint64 bounds[] = { 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 5000000,
		30000000 };

	assert_int_equal(G_N_ELEMENTS(bounds), VITALS_BOUNDS);
	for (guint i = 0; i < VITALS_BOUNDS; i++) {
		struct vitals *writer, *reader;

		open_both(&writer, &reader);
		assert_int_equal(vitals_bound(i), bounds[i]);
		vitals_add_time(writer, bounds[i]);
		vitals_add_time(writer, bounds[i] + 1);
		assert_int_equal(i > 0 ? vitals_times(reader, i - 1) : 0, 0);
		assert_int_equal(vitals_times(reader, i), 1);
		assert_int_equal(vitals_times(reader, i + 1), 2);
		assert_int_equal(vitals_times(reader, VITALS_BOUNDS), 2);
		assert_int_equal(vitals_times_sum(reader), 2 * bounds[i] + 1);
		vitals_close(writer);
		vitals_close(reader);
	}
}

static void no_memory_is_no_failure(void **state G_GNUC_UNUSED)
{
	vitals_tell(NULL, FALSE);
	vitals_set(NULL, VITAL_LAST_STORED_AT, 1);
	vitals_add(NULL, VITAL_SESSIONS, 1);
	vitals_add_reply(NULL, 250);
	vitals_add_time(NULL, 1);
	assert_int_equal(vitals_failing(NULL), -1);
	assert_int_equal(vitals_get(NULL, VITAL_SESSIONS), 0);
	assert_int_equal(vitals_replies(NULL, 250), 0);
	assert_int_equal(vitals_times(NULL, VITALS_BOUNDS), 0);
	assert_int_equal(vitals_times_sum(NULL), 0);
	vitals_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_writer_that_starts_again_counts_anew_and_remembers_failures),
		cmocka_unit_test(mail_fails_until_one_is_stored),
		cmocka_unit_test(the_first_failure_says_since_when),
		cmocka_unit_test(the_memory_outlives_its_writer),
		cmocka_unit_test(nobody_can_take_the_memory_away),
		cmocka_unit_test(another_descriptor_is_refused),
		cmocka_unit_test(failures_are_forgotten_after_a_while_without_mail),
		cmocka_unit_test(replies_are_counted_by_their_code),
		cmocka_unit_test(a_time_belongs_to_the_first_bound_that_it_does_not_exceed),
		cmocka_unit_test(no_memory_is_no_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
