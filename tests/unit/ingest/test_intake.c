/* The intake with real workers, but without a database: nothing is stored, and callers get an error at once.
 */
#include "server/ingest/intake.h"

#include <string.h>

#include "parser/error.h"
#include "tests/unit/ingest/away.h"
#include "tests/unit/worker/cm.h"

#define MAIL "From: a@example.com\r\nSubject: nothing\r\n\r\nhello\r\n"

static const char *worker;
static struct away *away;

static struct intake *make_intake(const char *conninfo)
{
	g_autofree char *own = g_strdup(conninfo);
	g_autofree char *authserv_id = g_strdup("mx.example");
	const struct intake_options options = { .conninfo = own,
		.pool = { .worker = worker,
		    .workers = 2,
		    .max_mails = 1000,
		    .seconds = 20,
		    .max_seconds = 60,
		    .memory = G_GUINT64_CONSTANT(1) << 30,
		    .limits = PARSER_LIMITS_DEFAULT,
		    .authserv_id = authserv_id } };
	g_autoptr(GError) error = NULL;
	struct intake *intake = intake_new(&options, &error);

	if (intake == NULL)
		fail_msg("%s", error->message);
	memset(own, 'x', strlen(own)); /* options are copied */
	memset(authserv_id, 'x', strlen(authserv_id));
	return intake;
}

static int begin(void **state)
{
	away = away_new();
	*state = make_intake(away_conninfo(away));
	return 0;
}

static int end(void **state)
{
	intake_free(*state);
	away_free(away);
	return 0;
}

/* Check that the mail is not stored. Returns the message, transfer full. */
static char *not_stored(struct intake *intake, const char *document)
{
	static const struct envelope envelope = { .source = "import" };
	static const struct intake_counts before = { 1, 2, 3, 4, 5 };
	struct intake_counts counts = before;
	g_autoptr(GError) error = NULL;

	assert_false(
	    intake_take(intake, &envelope, (const guint8 *)document, strlen(document), &counts, &error));
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYSTEM));
	assert_memory_equal(&counts, &before, sizeof counts);
	return g_strdup(error->message);
}

static void mail_is_not_stored_while_the_database_is_away(void **state)
{
	g_autofree char *why = not_stored(*state, MAIL);

	assert_non_null(strstr(why, "server closed the connection"));
	assert_int_equal(away_attempts(away), 1);
}

static void within_a_second_no_attempt_is_made_and_the_error_is_the_same(void **state)
{
	g_autofree char *first = not_stored(*state, MAIL);
	gint64 start = g_get_monotonic_time();
	guint attempts;

	for (guint i = 0; i < 5; i++) {
		g_autofree char *why = not_stored(*state, MAIL);

		assert_string_equal(why, first);
	}
	attempts = away_attempts(away);
	if (g_get_monotonic_time() - start < G_TIME_SPAN_SECOND / 2)
		assert_int_equal(attempts, 1);
}

static void after_a_second_a_new_attempt_is_made(void **state)
{
	g_free(not_stored(*state, MAIL));
	g_usleep(1100000);
	g_free(not_stored(*state, MAIL));
	assert_int_equal(away_attempts(away), 2);
}

static gpointer take(gpointer user)
{
	for (guint i = 0; i < 5; i++)
		g_free(not_stored(user, MAIL));
	return NULL;
}

static void many_mails_at_once_cause_one_attempt(void **state)
{
	GThread *threads[20];
	gint64 start = g_get_monotonic_time();

	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("take", take, *state);
	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		g_thread_join(threads[i]);
	assert_in_range(
	    away_attempts(away), 1, 1 + (guint64)((g_get_monotonic_time() - start) / G_TIME_SPAN_SECOND));
}

static void a_report_is_not_stored_either(void **state)
{
	g_autofree char *why = not_stored(*state,
	    "<?xml "
	    "version=\"1.0\"?><feedback><report_metadata><org_name>Example</org_name><email>d@example.com</"
	    "email>"
	    "<report_id>1</report_id><date_range><begin>1</begin><end>2</end></date_range></report_metadata>"
	    "<policy_published><domain>a.example</domain><p>none</p></policy_published></feedback>");

	assert_non_null(strstr(why, "server closed the connection"));
}

static void an_unused_intake_never_connects(void **state)
{
	(void)state;
	assert_int_equal(away_attempts(away), 0);
	intake_free(NULL);
}

static void a_database_that_does_not_exist_is_a_system_error(void **state)
{
	struct intake *intake = make_intake("host=/nonexistent port=1 dbname=none");
	g_autofree char *why = not_stored(intake, MAIL);

	(void)state;
	assert_non_null(strstr(why, "/nonexistent"));
	intake_free(intake);
}

static void an_intake_without_a_worker_cannot_be_created(void **state)
{
	const struct intake_options options = { .conninfo = "",
		.pool = { .worker = "/nonexistent",
		    .workers = 1,
		    .max_mails = 1,
		    .seconds = 1,
		    .max_seconds = 1,
		    .memory = G_GUINT64_CONSTANT(1) << 30,
		    .limits = PARSER_LIMITS_DEFAULT } };
	g_autoptr(GError) error = NULL;

	(void)state;
	assert_null(intake_new(&options, &error));
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYSTEM));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(mail_is_not_stored_while_the_database_is_away, begin, end),
		cmocka_unit_test_setup_teardown(
		    within_a_second_no_attempt_is_made_and_the_error_is_the_same, begin, end),
		cmocka_unit_test_setup_teardown(after_a_second_a_new_attempt_is_made, begin, end),
		cmocka_unit_test_setup_teardown(many_mails_at_once_cause_one_attempt, begin, end),
		cmocka_unit_test_setup_teardown(a_report_is_not_stored_either, begin, end),
		cmocka_unit_test_setup_teardown(an_unused_intake_never_connects, begin, end),
		cmocka_unit_test(a_database_that_does_not_exist_is_a_system_error),
		cmocka_unit_test(an_intake_without_a_worker_cannot_be_created),
	};

	g_assert(argc == 2);
	worker = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
