/* Whatever a worker does affects only its document, and the next document is parsed. */
#include "server/worker/pool.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "parser/error.h"
#include "tests/unit/worker/cm.h"
#include "tests/unit/worker/sink.h"

static const char *fake_worker;

/* max_seconds is the limit for one document. */
static struct pool *make_bounded_pool(guint workers, guint max_mails, guint seconds, guint max_seconds)
{
	const struct pool_options options = { .worker = fake_worker,
		.workers = workers,
		.max_mails = max_mails,
		.seconds = seconds,
		.max_seconds = max_seconds,
		.memory = G_GUINT64_CONSTANT(1) << 30,
		.limits = PARSER_LIMITS_DEFAULT };
	GError *error = NULL;
	struct pool *pool = pool_new(&options, &error);
	if (pool == NULL)
		fail_msg("%s", error->message);
	return pool;
}

static struct pool *make_pool(guint workers, guint max_mails, guint seconds)
{
	return make_bounded_pool(workers, max_mails, seconds, 120);
}

static struct pool_job job_of(const char *document, struct diary *diary)
{
	return (struct pool_job){ .document = (const guint8 *)document,
		.size = strlen(document),
		.sink = diary_sink(),
		.user = diary };
}

static gboolean run(struct pool *pool, const char *document, struct diary *diary, GError **error)
{
	const struct pool_job job = job_of(document, diary);

	return pool_run(pool, &job, error);
}

/* The id of the worker that parses document, with a correct answer. */
static int run_for_pid(struct pool *pool, const char *document)
{
	struct diary diary;
	GError *error = NULL;
	diary_init(&diary);
	diary.brief = TRUE;
	if (!run(pool, document, &diary, &error))
		fail_msg("%.20s: %s", document, error->message);
	assert_true(g_str_has_prefix(diary.lines->str, "begin "));
	int pid = (int)g_ascii_strtoll(diary.lines->str + strlen("begin "), NULL, 10);
	assert_true(pid > 1);
	diary_clear(&diary);
	return pid;
}

/* The process has ended and was reaped. */
static void assert_gone(int pid)
{
	assert_int_equal(kill(pid, 0), -1);
}

static guint count_descriptors(void)
{
	guint n = 0;
	DIR *folder = opendir("/proc/self/fd");
	while (readdir(folder) != NULL)
		n++;
	closedir(folder);
	return n;
}

static void one_worker_reads_document_after_document(void **state)
{
	(void)state;
	struct pool *pool = make_pool(2, 100, 5);
	int pid = run_for_pid(pool, "honest");
	for (int i = 0; i < 20; i++)
		assert_int_equal(run_for_pid(pool, "honest"), pid);
	pool_free(pool);
	assert_gone(pid);
}

static void a_long_answer_arrives_whole(void **state)
{
	(void)state;
	struct diary diary;
	struct pool *pool = make_pool(1, 100, 5);
	diary_init(&diary);
	diary.brief = TRUE;
	assert_true(run(pool, "many", &diary, NULL));
	assert_int_equal(diary.records, 100000);
	diary_clear(&diary);
	pool_free(pool);
}

static void misbehaviour_costs_one_document(void **state)
{
	(void)state;
	static const struct {
		const char *document;
		const char *words;
	} rows[] = {
		{ "killed", "ended by signal 9" },
		{ "closes", "ended with status 7" },
		{ "hangs", "silent for 1 seconds" },
		{ "dribbles", "silent for 1 seconds" },
		{ "garbage", "a frame of" },
		{ "huge-frame", "a frame of 4294967295 bytes" },
		{ "says-nothing", "it says nothing" },
		{ "dies-within", "ended by signal 15" },
		{ "says-too-much", "bytes after its end" },
		{ "stops-listening", "closed without an answer" },
		{ "an unknown word", "ended with status 6" },
		{ "", "ended with status 6" },
	};
	struct pool *pool = make_pool(1, 100, 1);
	guint descriptors = count_descriptors();
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct diary diary;
		GError *error = NULL;
		int before = run_for_pid(pool, "honest");
		diary_init(&diary);
		diary.brief = TRUE;
		gboolean ok = run(pool, rows[i].document, &diary, &error);
		/* says-too-much may be noticed only with the next document: then it has no effect */
		if (ok && !g_str_equal(rows[i].document, "says-too-much"))
			fail_msg("%s: taken", rows[i].document);
		if (!ok && (!g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX) ||
			       strstr(error->message, rows[i].words) == NULL))
			fail_msg(
			    "%s: \"%s\", wanted \"%s\"", rows[i].document, error->message, rows[i].words);
		g_clear_error(&error);
		diary_clear(&diary);
		g_usleep(ok ? 20 * 1000 : 0);
		int after = run_for_pid(pool, "honest");
		assert_int_not_equal(after, before);
		assert_gone(before);
	}
	assert_int_equal(count_descriptors(), descriptors);
	pool_free(pool);
}

/* Each of its frames arrives in time, but they never end. */
static void a_worker_that_never_ends_is_killed_after_max_time(void **state)
{
	(void)state;
	struct diary diary;
	GError *error = NULL;
	struct pool *pool = make_bounded_pool(1, 100, 1, 2);
	gint64 start = g_get_monotonic_time();
	diary_init(&diary);
	diary.brief = TRUE;
	assert_false(run(pool, "endless", &diary, &error));
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX));
	assert_string_equal(error->message, "the parser took more than 2 seconds");
	assert_true(g_get_monotonic_time() - start >= 2 * G_USEC_PER_SEC);
	g_error_free(error);
	diary_clear(&diary);
	(void)run_for_pid(pool, "honest");
	pool_free(pool);
}

/* A worker is replaced before its processor time, three times max_time, can end in the middle of a mail. */
static void a_worker_is_replaced_after_max_time_in_all(void **state)
{
	(void)state;
	struct pool *pool = make_bounded_pool(1, 100, 1, 1);
	int pid = run_for_pid(pool, "slow");
	assert_int_equal(run_for_pid(pool, "slow"), pid);
	assert_int_not_equal(run_for_pid(pool, "honest"), pid);
	pool_free(pool);
}

/* A document that works hard, and one that only takes long, leave the quick lane; a usual one does not. */
static void a_slow_document_fails_in_the_quick_lane(void **state)
{
	(void)state;
	static const struct {
		const char *document;
		gboolean slow;
	} rows[] = { { "honest", FALSE }, { "works", TRUE }, { "sleeps", TRUE }, { "killed", FALSE },
		{ "honest", FALSE } };
	struct pool *pool = make_pool(1, 100, 60);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct diary diary;
		g_autoptr(GError) error = NULL;
		gboolean slow = !rows[i].slow;
		diary_init(&diary);
		diary.brief = TRUE;
		const struct pool_job job = job_of(rows[i].document, &diary);
		gboolean ok = pool_run_quick(pool, &job, &slow, &error);
		assert_int_equal(slow, rows[i].slow);
		assert_int_equal(ok, g_str_equal(rows[i].document, "honest"));
		diary_clear(&diary);
	}
	pool_free(pool);
}

static void a_slow_document_is_read_in_the_slow_lane(void **state)
{
	(void)state;
	struct diary diary;
	g_autoptr(GError) error = NULL;
	struct pool *pool = make_pool(1, 100, 60);
	diary_init(&diary);
	diary.brief = TRUE;
	const struct pool_job job = job_of("works", &diary);
	assert_true(pool_run_slow(pool, &job, &error));
	diary_clear(&diary);
	pool_free(pool);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* its process is gone */
}

static gpointer run_slowly(gpointer data)
{
	struct diary diary;
	diary_init(&diary);
	diary.brief = TRUE;
	const struct pool_job job = job_of("works", &diary);
	gboolean ok = pool_run_slow(data, &job, NULL);
	diary_clear(&diary);
	return GINT_TO_POINTER(ok);
}

/* Three slow documents are under way; the only worker of the quick lane reads all the while. */
static void small_documents_pass_the_slow_lane(void **state)
{
	(void)state;
	struct pool *pool = make_pool(1, 10000, 60);
	GThread *threads[3];
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("slow", run_slowly, pool);
	int pid = run_for_pid(pool, "honest");
	for (int i = 0; i < 50; i++)
		assert_int_equal(run_for_pid(pool, "honest"), pid);
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		assert_true(GPOINTER_TO_INT(g_thread_join(threads[i])));
	pool_free(pool);
}

/* So large that it may take long. */
static gpointer run_large(gpointer data)
{
	g_autofree char *blanks = g_strnfill(100 * 1024, ' ');
	g_autofree char *document = g_strconcat("sleeps", blanks, NULL);
	struct diary diary;
	gboolean slow;
	diary_init(&diary);
	diary.brief = TRUE;
	const struct pool_job job = job_of(document, &diary);
	gboolean ok = pool_run_quick(data, &job, &slow, NULL);
	diary_clear(&diary);
	return GINT_TO_POINTER(ok || !slow);
}

/* Of two workers large documents use one at a time. Each sleeps for as long as the quick lane waits. */
static void large_documents_leave_a_worker_to_small_ones(void **state)
{
	(void)state;
	struct pool *pool = make_pool(2, 10000, 60);
	GThread *threads[2];
	gint64 start = g_get_monotonic_time();
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("large", run_large, pool);
	int pid = run_for_pid(pool, "honest");
	for (int i = 0; i < 50; i++)
		assert_int_equal(run_for_pid(pool, "honest"), pid);
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		assert_false(GPOINTER_TO_INT(g_thread_join(threads[i])));
	assert_true(
	    g_get_monotonic_time() - start > 5 * G_USEC_PER_SEC); /* one after another, 3 seconds each */
	pool_free(pool);
}

static GString *logged;

static GLogWriterOutput gather_log(
    GLogLevelFlags level G_GNUC_UNUSED, const GLogField *fields, gsize n, gpointer user G_GNUC_UNUSED)
{
	for (gsize i = 0; i < n; i++)
		if (g_str_equal(fields[i].key, "MESSAGE"))
			g_string_append_printf(logged, "%s\n", (const char *)fields[i].value);
	return G_LOG_WRITER_HANDLED;
}

static guint count_lines(const char *text)
{
	guint n = 0;
	for (; *text != '\0'; text++)
		n += *text == '\n' ? 1 : 0;
	return n;
}

/* Its standard error is logged in quotes after its process id, so it cannot look like our own lines. */
static void a_workers_words_are_logged_in_quotes(void **state)
{
	(void)state;
	struct pool *pool = make_pool(1, 100, 5);
	int pid = run_for_pid(pool, "forges");
	pool_free(pool);
	g_autofree char *first = g_strdup_printf("parser %d says: \"ok\"\n", pid);
	g_autofree char *second =
	    g_strdup_printf("parser %d says: \"ruad-ingest: all is \\\"well\\\"\\u001b[2K\"\n", pid);
	if (strstr(logged->str, first) == NULL || strstr(logged->str, second) == NULL)
		fail_msg("%s", logged->str);
}

static void a_workers_flood_of_words_is_cut(void **state)
{
	(void)state;
	struct pool *pool = make_pool(1, 100, 5);
	g_string_truncate(logged, 0);
	(void)run_for_pid(pool, "floods");
	pool_free(pool);
	assert_int_equal(count_lines(logged->str), 200);
	assert_non_null(strstr(logged->str, "its further lines are not logged"));
}

static void a_worker_is_replaced_after_max_mails(void **state)
{
	(void)state;
	struct pool *pool = make_pool(1, 3, 5);
	int pids[7];
	for (int i = 0; i < 7; i++)
		pids[i] = run_for_pid(pool, "honest");
	assert_int_equal(pids[0], pids[2]);
	assert_int_not_equal(pids[2], pids[3]);
	assert_int_equal(pids[3], pids[5]);
	assert_int_not_equal(pids[5], pids[6]);
	assert_gone(pids[0]);
	pool_free(pool);
}

static void a_worker_is_replaced_after_an_unreadable(void **state)
{
	(void)state;
	struct pool *pool = make_pool(1, 100, 5);
	int before = run_for_pid(pool, "honest");
	assert_int_equal(run_for_pid(pool, "unreadable"), before);
	assert_int_not_equal(run_for_pid(pool, "honest"), before);
	assert_gone(before);
	pool_free(pool);
}

static void a_worker_that_died_while_idle_costs_nothing(void **state)
{
	(void)state;
	struct pool *pool = make_pool(1, 100, 5);
	int pid = run_for_pid(pool, "honest");
	siginfo_t info;
	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_not_equal(run_for_pid(pool, "honest"), pid);
	pool_free(pool);
}

static void the_sinks_error_is_the_callers_and_ends_the_worker(void **state)
{
	(void)state;
	struct diary diary;
	GError *error = NULL;
	struct pool *pool = make_pool(1, 100, 5);
	int before = run_for_pid(pool, "honest");
	diary_init(&diary);
	diary.fail_after = 10;
	assert_false(run(pool, "many", &diary, &error));
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYSTEM));
	assert_string_equal(error->message, "the sink is full");
	g_error_free(error);
	diary_clear(&diary);
	assert_int_not_equal(run_for_pid(pool, "honest"), before);
	assert_gone(before);
	pool_free(pool);
}

#define LARGE (8 * 1024 * 1024) /* bytes: many times what a socket holds */

/* An answer of 100,000 records to a document of 8 MiB of which one byte was read: neither side may block
 * forever. */
static void a_worker_may_answer_before_it_has_read(void **state)
{
	(void)state;
	struct pool *pool = make_pool(1, 100, 5);
	g_autofree char *document = g_strnfill(LARGE, '!');
	int pid = run_for_pid(pool, document);
	assert_int_equal(run_for_pid(pool, "honest"), pid);
	pool_free(pool);
}

static void a_document_that_is_not_read_is_not_answered(void **state)
{
	(void)state;
	static const struct {
		char letter;
		const char *words;
	} rows[] = { { '?', "before the document was read" }, { '#', "silent for 1 seconds" } };
	struct pool *pool = make_pool(1, 100, 1);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct diary diary;
		GError *error = NULL;
		g_autofree char *document = g_strnfill(LARGE, rows[i].letter);
		diary_init(&diary);
		assert_false(run(pool, document, &diary, &error));
		assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX));
		assert_non_null(strstr(error->message, rows[i].words));
		g_error_free(error);
		diary_clear(&diary);
		(void)run_for_pid(pool, "honest");
	}
	pool_free(pool);
}

/* A failure of ruad, and no reason to quarantine a mail. */
static void a_worker_that_does_not_start_is_a_system_error(void **state)
{
	(void)state;
	static const struct {
		const char *start;
		const char *words;
	} rows[] = {
		{ "fails", "does not start: the parser closed without an answer: it ended with status 5" },
		{ "hangs", "silent for 1 seconds" },
		{ "other-version", "not the ruad-parse of ruad" },
	};
	g_autofree char *file = g_strconcat(fake_worker, ".start", NULL);
	struct pool *pool = make_pool(1, 1, 1);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct diary diary;
		GError *error = NULL;
		diary_init(&diary);
		assert_true(g_file_set_contents(file, rows[i].start, -1, NULL));
		(void)run_for_pid(pool, "honest"); /* by the worker that is there: it is used up */
		gboolean ok = run(pool, "honest", &diary, &error);
		unlink(file);
		assert_false(ok);
		if (!g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYSTEM) ||
		    strstr(error->message, rows[i].words) == NULL)
			fail_msg("%s: \"%s\"", rows[i].start, error->message);
		g_error_free(error);
		diary_clear(&diary);
		(void)run_for_pid(pool, "honest");
	}
	pool_free(pool);
}

static void the_parents_environment_is_not_passed_on(void **state)
{
	(void)state;
	g_setenv("RUAD_DATABASE_URL", "postgresql://ruad:secret@localhost/", TRUE);
	struct pool *pool = make_pool(1, 100, 5);
	(void)run_for_pid(pool, "environment");
	pool_free(pool);
	g_unsetenv("RUAD_DATABASE_URL");
}

static void a_program_that_is_not_there_makes_no_pool(void **state)
{
	(void)state;
	const struct pool_options options = { .worker = "/nonexistent/ruad-parse",
		.workers = 1,
		.max_mails = 1,
		.seconds = 1,
		.max_seconds = 120,
		.limits = PARSER_LIMITS_DEFAULT };
	GError *error = NULL;
	assert_null(pool_new(&options, &error));
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYSTEM));
	assert_non_null(strstr(error->message, "/nonexistent/ruad-parse"));
	g_error_free(error);
}

static gpointer run_some(gpointer data)
{
	static const char *const documents[] = { "honest", "killed", "many", "unreadable", "closes" };
	guint good = 0;
	for (guint i = 0; i < 50; i++) {
		struct diary diary;
		diary_init(&diary);
		diary.brief = TRUE;
		good += run(data, documents[i % 5], &diary, NULL) ? 1 : 0;
		diary_clear(&diary);
	}
	return GUINT_TO_POINTER(good);
}

static void threads_share_the_workers(void **state)
{
	(void)state;
	struct pool *pool = make_pool(3, 7, 10);
	GThread *threads[8];
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("run", run_some, pool);
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		assert_int_equal(GPOINTER_TO_UINT(g_thread_join(threads[i])), 30);
	pool_free(pool);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_worker_reads_document_after_document),
		cmocka_unit_test(a_long_answer_arrives_whole),
		cmocka_unit_test(misbehaviour_costs_one_document),
		cmocka_unit_test(a_worker_that_never_ends_is_killed_after_max_time),
		cmocka_unit_test(a_worker_is_replaced_after_max_time_in_all),
		cmocka_unit_test(a_slow_document_fails_in_the_quick_lane),
		cmocka_unit_test(a_slow_document_is_read_in_the_slow_lane),
		cmocka_unit_test(small_documents_pass_the_slow_lane),
		cmocka_unit_test(large_documents_leave_a_worker_to_small_ones),
		cmocka_unit_test(a_workers_words_are_logged_in_quotes),
		cmocka_unit_test(a_workers_flood_of_words_is_cut),
		cmocka_unit_test(a_worker_is_replaced_after_max_mails),
		cmocka_unit_test(a_worker_is_replaced_after_an_unreadable),
		cmocka_unit_test(a_worker_that_died_while_idle_costs_nothing),
		cmocka_unit_test(the_sinks_error_is_the_callers_and_ends_the_worker),
		cmocka_unit_test(a_worker_may_answer_before_it_has_read),
		cmocka_unit_test(a_document_that_is_not_read_is_not_answered),
		cmocka_unit_test(a_worker_that_does_not_start_is_a_system_error),
		cmocka_unit_test(the_parents_environment_is_not_passed_on),
		cmocka_unit_test(a_program_that_is_not_there_makes_no_pool),
		cmocka_unit_test(threads_share_the_workers),
	};
	if (argc != 2)
		return 2;
	fake_worker = argv[1];
	logged = g_string_new(NULL);
	g_log_set_writer_func(gather_log, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
