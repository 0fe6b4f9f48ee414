/* Documents that share an exchange with a worker: what one of them does affects only itself. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "parser/error.h"
#include "server/worker/pool.h"
#include "tests/unit/worker/cm.h"
#include "tests/unit/worker/sink.h"

#define MOST 40 /* documents of a test */

static const char *fake_worker;

/* A document and what became of it. */
struct mail {
	struct pool_ticket ticket; /* the first member */
	struct mails *all;
	struct diary diary;
	guint forgotten; /* times */
	gboolean finished, slow;
	GError *error;
};

/* The documents of a test, which its only thread leads. */
struct mails {
	struct pool *pool;
	struct mail mail[MOST];
	guint n;
	gboolean leads;
	guint led; /* exchanges, at least */
};

static void must_lead(struct pool_ticket *ticket)
{
	((struct mail *)ticket)->all->leads = TRUE;
}

static void diary_begin(struct diary *diary)
{
	diary_init(diary);
	diary->brief = TRUE;
}

static void must_forget(struct pool_ticket *ticket)
{
	struct mail *mail = (struct mail *)ticket;
	guint fail_after = mail->diary.fail_after;

	mail->forgotten++;
	diary_clear(&mail->diary);
	diary_begin(&mail->diary);
	mail->diary.fail_after = fail_after;
}

static void is_finished(struct pool_ticket *ticket, gboolean slow, GError *error)
{
	struct mail *mail = (struct mail *)ticket;

	assert_false(mail->finished);
	mail->finished = TRUE;
	mail->slow = slow;
	mail->error = error;
}

static const struct pool_owner owner = { must_lead, must_forget, is_finished };

static struct mails *mails_new(guint workers, guint max_mails)
{
	const struct pool_options options = { .worker = fake_worker,
		.workers = workers,
		.max_mails = max_mails,
		.seconds = 5,
		.max_seconds = 120,
		.memory = G_GUINT64_CONSTANT(1) << 30,
		.limits = PARSER_LIMITS_DEFAULT };
	struct mails *mails = g_new0(struct mails, 1);
	GError *error = NULL;

	mails->pool = pool_new(&options, &error);
	if (mails->pool == NULL)
		fail_msg("%s", error->message);
	return mails;
}

static void mails_free(struct mails *mails)
{
	for (guint i = 0; i < mails->n; i++) {
		diary_clear(&mails->mail[i].diary);
		g_clear_error(&mails->mail[i].error);
	}
	pool_free(mails->pool);
	g_free(mails);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}

static struct mail *add(struct mails *mails, const char *document)
{
	struct mail *mail = &mails->mail[mails->n++];

	mail->all = mails;
	diary_begin(&mail->diary);
	mail->ticket.owner = &owner;
	mail->ticket.job = (struct pool_job){ .document = (const guint8 *)document,
		.size = strlen(document),
		.sink = diary_sink(),
		.user = &mail->diary };
	return mail;
}

static void submit(struct mails *mails, const char *document)
{
	mails->leads |= pool_submit(mails->pool, &add(mails, document)->ticket);
}

/* Submit documents, of which the last is NULL, and have all of them read. */
static void read_all(struct mails *mails, const char *const *documents)
{
	for (gsize i = 0; documents[i] != NULL; i++)
		submit(mails, documents[i]);
	while (mails->leads) {
		mails->leads = FALSE;
		mails->led++;
		pool_lead(mails->pool);
	}
	for (guint i = 0; i < mails->n; i++)
		assert_true(mails->mail[i].finished);
}

/* The process that read a document, with a correct answer. */
static int pid_of(const struct mail *mail)
{
	if (mail->error != NULL)
		fail_msg("%s: %s", (const char *)mail->ticket.job.document, mail->error->message);
	assert_true(g_str_has_prefix(mail->diary.lines->str, "begin "));
	assert_null(strstr(mail->diary.lines->str + 1, "begin ")); /* it was told once */
	return (int)g_ascii_strtoll(mail->diary.lines->str + strlen("begin "), NULL, 10);
}

static void documents_are_read_together_in_their_order(void **state)
{
	static const char *const documents[] = { "honest", "some", "environment", "honest", NULL };
	struct mails *mails = mails_new(1, 100);

	(void)state;
	read_all(mails, documents);
	assert_int_equal(mails->led, 1);
	for (guint i = 1; i < mails->n; i++)
		assert_int_equal(pid_of(&mails->mail[i]), pid_of(&mails->mail[0]));
	assert_int_equal(mails->mail[1].diary.records, 5000);
	assert_int_equal(mails->mail[2].diary.records, 0);
	mails_free(mails);
}

/* More than one exchange has: the thread of the first that waits is called to lead again. */
static void those_that_do_not_fit_are_led_next(void **state)
{
	const char *documents[MOST + 1] = { NULL };
	struct mails *mails = mails_new(1, 1000);

	(void)state;
	for (guint i = 0; i < MOST; i++)
		documents[i] = "honest";
	read_all(mails, documents);
	assert_int_equal(mails->led, 3);
	for (guint i = 0; i < MOST; i++)
		assert_int_equal(pid_of(&mails->mail[i]), pid_of(&mails->mail[0]));
	mails_free(mails);
}

static void an_exchange_leaves_other_workers_their_share(void **state)
{
	static const char *const documents[] = { "honest", "honest", "honest", "honest", "honest", NULL };
	struct mails *mails = mails_new(2, 100);

	(void)state;
	read_all(mails, documents);
	assert_int_equal(mails->led, 3); /* 3, 1 and 1 */
	mails_free(mails);
}

static void misbehaviour_costs_only_its_own_document(void **state)
{
	static const struct {
		const char *document;
		const char *words;
	} rows[] = {
		{ "killed", "ended by signal 9" },
		{ "closes", "ended with status 7" },
		{ "huge-frame", "a frame of 4294967295 bytes" },
		{ "says-nothing", "it says nothing" },
		{ "dies-within", "ended by signal 15" },
		{ "stops-listening", "closed without an answer" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *const documents[] = { "honest", rows[i].document, "some", "honest", NULL };
		struct mails *mails = mails_new(1, 100);
		const struct mail *bad = &mails->mail[1];

		read_all(mails, documents);
		if (!g_error_matches(bad->error, RUAD_ERROR, RUAD_ERROR_SYNTAX) ||
		    strstr(bad->error->message, rows[i].words) == NULL)
			fail_msg("%s: \"%s\"", rows[i].document, bad->error ? bad->error->message : "");
		assert_false(bad->slow);
		assert_int_equal(bad->forgotten, 1);
		for (guint k = 0; k < mails->n; k++)
			if (k != 1)
				assert_true(pid_of(&mails->mail[k]) > 1);
		assert_int_equal(mails->mail[2].diary.records, 5000);
		assert_int_equal(mails->mail[2].forgotten, 0);
		mails_free(mails);
	}
}

/* It is told as slow only once it was read alone; the others do not wait for that. */
static void a_slow_document_leaves_alone(void **state)
{
	static const char *const documents[] = { "honest", "works", "honest", "honest", NULL };
	struct mails *mails = mails_new(1, 100);

	(void)state;
	read_all(mails, documents);
	assert_true(mails->mail[1].slow);
	assert_non_null(mails->mail[1].error);
	for (guint i = 0; i < mails->n; i++)
		if (i != 1)
			assert_true(pid_of(&mails->mail[i]) > 1);
	mails_free(mails);
}

static void what_follows_an_unreadable_is_read_by_another_worker(void **state)
{
	static const char *const documents[] = { "honest", "unreadable", "honest", "honest", NULL };
	struct mails *mails = mails_new(1, 100);

	(void)state;
	read_all(mails, documents);
	assert_int_equal(pid_of(&mails->mail[1]), pid_of(&mails->mail[0]));
	assert_int_not_equal(pid_of(&mails->mail[2]), pid_of(&mails->mail[0]));
	assert_int_equal(pid_of(&mails->mail[3]), pid_of(&mails->mail[2]));
	for (guint i = 0; i < mails->n; i++)
		assert_int_equal(mails->mail[i].forgotten, 0);
	mails_free(mails);
}

static void an_exchange_ends_with_max_mails(void **state)
{
	static const char *const documents[] = { "honest", "honest", "honest", "honest", "honest", NULL };
	struct mails *mails = mails_new(1, 3);

	(void)state;
	read_all(mails, documents);
	assert_int_equal(mails->led, 2);
	assert_int_equal(pid_of(&mails->mail[2]), pid_of(&mails->mail[0]));
	assert_int_not_equal(pid_of(&mails->mail[3]), pid_of(&mails->mail[0]));
	mails_free(mails);
}

static void a_sinks_own_error_is_that_of_its_document(void **state)
{
	static const char *const documents[] = { "honest", "some", "honest", NULL };
	struct mails *mails = mails_new(1, 100);

	(void)state;
	for (gsize i = 0; documents[i] != NULL; i++)
		submit(mails, documents[i]);
	mails->mail[1].diary.fail_after = 10;
	pool_lead(mails->pool);
	assert_int_equal(mails->mail[1].forgotten, 1);
	assert_true(g_error_matches(mails->mail[1].error, RUAD_ERROR, RUAD_ERROR_SYSTEM));
	assert_string_equal(mails->mail[1].error->message, "the sink is full");
	assert_true(pid_of(&mails->mail[0]) > 1);
	assert_true(pid_of(&mails->mail[2]) > 1);
	mails_free(mails);
}

static void without_a_worker_all_fail_and_may_be_tried_again(void **state)
{
	static const char *const documents[] = { "killed", "honest", NULL };
	g_autofree char *file = g_strconcat(fake_worker, ".start", NULL);
	struct mails *mails = mails_new(1, 100);

	(void)state;
	assert_true(g_file_set_contents(file, "fails", -1, NULL));
	read_all(mails, documents);
	unlink(file);
	for (guint i = 0; i < mails->n; i++) {
		assert_true(g_error_matches(mails->mail[i].error, RUAD_ERROR, RUAD_ERROR_SYSTEM));
		assert_non_null(strstr(mails->mail[i].error->message, "does not start"));
	}
	submit(mails, "honest");
	pool_lead(mails->pool);
	assert_true(pid_of(&mails->mail[2]) > 1);
	mails_free(mails);
}

/* -- together -- */

static void run_together(struct mails *mails)
{
	struct pool_ticket *tickets[MOST];

	for (guint i = 0; i < mails->n; i++)
		tickets[i] = &mails->mail[i].ticket;
	pool_run_together(mails->pool, tickets, mails->n);
	assert_false(mails->leads); /* nobody was told to lead */
	for (guint i = 0; i < mails->n; i++)
		assert_true(mails->mail[i].finished);
}

static void together_as_many_are_read_as_a_worker_may(void **state)
{
	struct mails *mails = mails_new(2, 25);

	(void)state;
	for (guint i = 0; i < MOST; i++)
		add(mails, "honest");
	run_together(mails);
	for (guint i = 0; i < MOST; i++)
		assert_int_equal(pid_of(&mails->mail[i]) == pid_of(&mails->mail[0]), i < 25);
	mails_free(mails);
}

static void together_each_has_its_own_end(void **state)
{
	static const char *const documents[] = { "honest", "killed", "some", "works", "unreadable",
		"honest" };
	struct mails *mails = mails_new(1, 100);

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(documents); i++)
		add(mails, documents[i]);
	run_together(mails);
	assert_true(g_error_matches(mails->mail[1].error, RUAD_ERROR, RUAD_ERROR_SYNTAX));
	assert_true(mails->mail[3].slow);
	assert_int_equal(mails->mail[2].diary.records, 5000);
	for (guint i = 0; i < mails->n; i++)
		if (i != 1 && i != 3)
			assert_true(pid_of(&mails->mail[i]) > 1);
	mails_free(mails);
}

static void together_all_fail_without_a_worker(void **state)
{
	g_autofree char *file = g_strconcat(fake_worker, ".start", NULL);
	struct mails *mails = mails_new(1, 1);

	(void)state;
	add(mails, "honest"); /* the first worker reads it, and no second one starts */
	add(mails, "honest");
	assert_true(g_file_set_contents(file, "fails", -1, NULL));
	run_together(mails);
	unlink(file);
	assert_true(pid_of(&mails->mail[0]) > 1);
	assert_true(g_error_matches(mails->mail[1].error, RUAD_ERROR, RUAD_ERROR_SYSTEM));
	mails_free(mails);
}

/* -- many threads -- */

struct waiter {
	struct pool_ticket ticket; /* the first member */
	struct diary diary;
	GMutex lock;
	GCond wake;
	gboolean leads, finished, good;
};

static void wake_to_lead(struct pool_ticket *ticket)
{
	struct waiter *waiter = (struct waiter *)ticket;

	g_mutex_lock(&waiter->lock);
	waiter->leads = TRUE;
	g_cond_signal(&waiter->wake);
	g_mutex_unlock(&waiter->lock);
}

static void waiter_forget(struct pool_ticket *ticket)
{
	struct waiter *waiter = (struct waiter *)ticket;

	diary_clear(&waiter->diary);
	diary_begin(&waiter->diary);
}

static void wake_at_end(struct pool_ticket *ticket, gboolean slow, GError *error)
{
	struct waiter *waiter = (struct waiter *)ticket;

	(void)slow;
	g_mutex_lock(&waiter->lock);
	waiter->finished = TRUE;
	waiter->good = error == NULL;
	g_clear_error(&error);
	g_cond_signal(&waiter->wake);
	g_mutex_unlock(&waiter->lock);
}

static gboolean read_one(struct pool *pool, const char *document)
{
	static const struct pool_owner waiting = { wake_to_lead, waiter_forget, wake_at_end };
	struct waiter waiter = { .ticket.owner = &waiting };
	gboolean lead;

	g_mutex_init(&waiter.lock);
	g_cond_init(&waiter.wake);
	diary_begin(&waiter.diary);
	waiter.ticket.job =
	    (struct pool_job){ (const guint8 *)document, strlen(document), diary_sink(), &waiter.diary, 0 };
	lead = pool_submit(pool, &waiter.ticket);
	do {
		if (lead)
			pool_lead(pool);
		g_mutex_lock(&waiter.lock);
		while (!waiter.finished && !waiter.leads)
			g_cond_wait(&waiter.wake, &waiter.lock);
		lead = waiter.leads;
		waiter.leads = FALSE;
		g_mutex_unlock(&waiter.lock);
	} while (lead);
	gboolean whole = g_str_has_prefix(waiter.diary.lines->str, "begin ");
	diary_clear(&waiter.diary);
	g_mutex_clear(&waiter.lock);
	g_cond_clear(&waiter.wake);
	return waiter.good && whole;
}

static gpointer read_some(gpointer data)
{
	static const char *const documents[] = { "honest", "killed", "some", "unreadable", "closes" };
	guint good = 0;

	for (guint i = 0; i < 50; i++)
		good += read_one(data, documents[i % G_N_ELEMENTS(documents)]) ? 1 : 0;
	return GUINT_TO_POINTER(good);
}

static void threads_lead_one_after_another(void **state)
{
	struct mails *mails = mails_new(3, 7);
	GThread *threads[8];

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("read", read_some, mails->pool);
	for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
		assert_int_equal(GPOINTER_TO_UINT(g_thread_join(threads[i])), 30);
	mails_free(mails);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_are_read_together_in_their_order),
		cmocka_unit_test(those_that_do_not_fit_are_led_next),
		cmocka_unit_test(an_exchange_leaves_other_workers_their_share),
		cmocka_unit_test(misbehaviour_costs_only_its_own_document),
		cmocka_unit_test(a_slow_document_leaves_alone),
		cmocka_unit_test(what_follows_an_unreadable_is_read_by_another_worker),
		cmocka_unit_test(an_exchange_ends_with_max_mails),
		cmocka_unit_test(a_sinks_own_error_is_that_of_its_document),
		cmocka_unit_test(without_a_worker_all_fail_and_may_be_tried_again),
		cmocka_unit_test(together_as_many_are_read_as_a_worker_may),
		cmocka_unit_test(together_each_has_its_own_end),
		cmocka_unit_test(together_all_fail_without_a_worker),
		cmocka_unit_test(threads_lead_one_after_another),
	};
	if (argc != 2)
		return 2;
	/* a name of its own: test_pool also puts a file beside the program that says how to start */
	g_autofree char *program = g_strconcat(argv[1], "-shared", NULL);
	unlink(program);
	if (symlink(argv[1], program) != 0)
		return 2;
	fake_worker = program;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
