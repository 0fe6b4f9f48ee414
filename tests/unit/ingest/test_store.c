/* The transaction that stores mails: its statements in order, and what a failure of each means. The database,
 * its answer and the writer of records are in this file; they note what is asked of them. */
#include "server/ingest/store.h"

#include <string.h>

#include "parser/error.h"
#include "server/ingest/answer.h"
#include "server/ingest/record_writer.h"
#include "tests/unit/worker/cm.h"

/* A connection. */
struct db {
	const char *name;
	gboolean dead;
	const char *state; /* SQLSTATE of its failures */
};

static struct {
	GString *log;         /* "db BEGIN; ..." */
	const char *fails;    /* the step that fails, as it is in the log */
	gboolean dies;        /* with it, its connection is lost */
	gboolean is_bad_data; /* the failure is RUAD_ERROR_SYNTAX */
	gboolean is_new[2];   /* whether the mail has a new report, its first item */
	const char *keeps[2]; /* the number of a mail whose bytes are kept */
} world;

/* Note a step; returns FALSE if it fails. */
static gboolean step(struct db *db, const char *word, GError **error)
{
	g_autofree char *words =
	    g_strdup_printf("%s%s%s", db != NULL ? db->name : "", db != NULL ? " " : "", word);

	g_string_append_printf(world.log, "%s; ", words);
	if (g_strcmp0(world.fails, words) != 0)
		return TRUE;
	g_set_error(
	    error, RUAD_ERROR, world.is_bad_data ? RUAD_ERROR_SYNTAX : RUAD_ERROR_SYSTEM, "%s failed", words);
	if (db != NULL && world.dies)
		db->dead = TRUE;
	return FALSE;
}

/* -- db.h -- */

static const char *word_of(const char *sql)
{
	static const char *const words[][2] = {
		{ "SELECT pg_catalog.set_config('role'", "role" },
		{ "SELECT set_config('synchronous_commit', 'on', false)", "durable" },
		{ "SELECT set_config('ruad.max_raw', $1, false)", "limit" },
		{ "SET datestyle = 'ISO'", "dates" },
		{ "SELECT ruad.names(", "names" },
		{ "SELECT ruad.make_months(", "months" },
		{ "SELECT ruad.keep_raw(", "keep" },
		{ "SELECT " ANSWER_COLUMNS " FROM ruad.ingest(", "ingest" },
		{ "SELECT " ANSWER_COLUMNS " FROM ruad.ingest_again(", "again" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		if (g_str_has_prefix(sql, words[i][0]))
			return words[i][1];
	return sql;
}

gboolean db_exec(
    struct db *db, const char *sql, const struct db_value *params, guint n_params, GError **error)
{
	g_autoptr(GString) words = g_string_new(word_of(sql));

	/* short values only: the rows of items are those of test_found.c */
	for (guint i = 0; i < n_params; i++)
		if (params[i].binary)
			g_string_append_printf(words, " %.*s", (int)params[i].size, params[i].data);
		else if (strlen(params[i].data) < 20)
			g_string_append_printf(words, " %s", params[i].data);
	return step(db, words->str, error);
}

/* How often a word is in a text. */
static guint count(const char *text, const char *word)
{
	g_auto(GStrv) parts = g_strsplit(text, word, -1);

	return g_strv_length(parts) - 1;
}

struct db_rows *db_query(
    struct db *db, const char *sql, const struct db_value *params, guint n_params, GError **error)
{
	static int rows;
	guint n = count(params[0].data, "import");

	/* a row for each mail, and two for each mail's reports, with its number */
	assert_int_equal(n_params, 2);
	assert_true(n == 1 || n == 2);
	assert_int_equal(count(params[1].data, "(1,"), 2);
	assert_int_equal(count(params[1].data, "(2,"), n == 2 ? 2 : 0);
	return step(db, word_of(sql), error) ? (struct db_rows *)(void *)&rows : NULL;
}

gboolean db_alive(const struct db *db)
{
	return !db->dead;
}

const char *db_sqlstate(const struct db *db)
{
	return db->state != NULL ? db->state : "";
}

/* For role_check(), which is linked with role_assume(). */

const char *db_rows_get(const struct db_rows *rows, gsize row, guint column)
{
	(void)rows;
	(void)row;
	(void)column;
	return NULL;
}

void db_rows_free(struct db_rows *rows)
{
	(void)rows;
}

/* -- answer.h -- */

struct answer {
	struct new_report report;
};

static struct answer the_answer;

struct answer *answer_new(struct db_rows *rows, struct found *const *mails, guint n, GError **error)
{
	assert_non_null(rows);
	assert_non_null(mails);
	assert_in_range(n, 1, 2);
	return step(NULL, "answer", error) ? &the_answer : NULL;
}

void answer_free(struct answer *answer)
{
	if (answer != NULL)
		(void)step(NULL, "forget", NULL);
}

gboolean answer_has_reports(const struct answer *answer, guint mail)
{
	(void)answer;
	return world.is_new[mail];
}

const struct new_report *answer_report(const struct answer *answer, guint mail, guint item_no)
{
	return world.is_new[mail] && item_no == 1 ? &answer->report : NULL;
}

gboolean answer_epoch(const struct answer *answer, gint64 *epoch)
{
	(void)answer;
	*epoch = 1;
	return world.is_new[0] || world.is_new[1];
}

const char *answer_keeps(const struct answer *answer, guint mail)
{
	(void)answer;
	return world.keeps[mail];
}

/* -- record_writer.h -- */

struct record_writer {
	int unused;
};

static struct record_writer the_writer;

struct record_writer *record_writer_new(
    struct db *db, struct db *aside, struct evaluations *known, guint64 ticket, struct pace *pace)
{
	(void)known;
	(void)ticket;
	(void)pace;
	g_string_append_printf(world.log, "write %s %s; ", db->name, aside->name);
	return &the_writer;
}

void record_writer_free(struct record_writer *writer)
{
	if (writer != NULL)
		(void)step(NULL, "close", NULL);
}

gboolean record_writer_add(
    struct record_writer *writer, struct block *block, const struct new_report *report, GError **error)
{
	g_autofree char *words = g_strdup_printf("add %u", block->n_records);

	assert_ptr_equal(writer, &the_writer);
	assert_ptr_equal(report, &the_answer.report);
	block_free(block);
	return step(NULL, words, error);
}

gboolean record_writer_end(struct record_writer *writer, GError **error)
{
	assert_ptr_equal(writer, &the_writer);
	return step(NULL, "end", error);
}

void record_writer_publish(const struct record_writer *writer)
{
	assert_ptr_equal(writer, &the_writer);
	(void)step(NULL, "publish", NULL);
}

/* -- the test -- */

/* A mail with two reports, of which the first has two records and the second one. */
static struct found *mail_new(guint i, gint64 again)
{
	static const struct found_options options = { 0 };
	static struct envelope envelopes[2]; /* they must outlive the mails */
	const struct aggregate_header header = { .domain = "example.com", .begin = 1, .end = 2, .pct = -1 };
	const struct aggregate_record record = { .source_ip = "192.0.2.1", .count = 1 };
	struct found *found;

	envelopes[i] = (struct envelope){ .source = "import", .again = again };
	found = found_new(&options, &envelopes[i], (const guint8 *)"raw", 3);
	for (guint k = 0; k < 2; k++) {
		assert_true(found_sink()->report_begin(found, "part 1", NULL));
		for (guint j = k; j < 2; j++)
			assert_true(found_sink()->record(found, &record, NULL));
		assert_true(found_sink()->report_end(found, &header, NULL));
	}
	return found;
}

static void committing(gpointer user)
{
	assert_string_equal(user, "user");
	(void)step(NULL, "committing", NULL);
}

struct outcome {
	gboolean good, in_doubt, foreign;
	char *log, *message;
};

static struct outcome write_mails(gboolean with_aside, const char *state, guint n, gint64 again)
{
	struct db db = { "db", FALSE, state }, aside = { "aside", FALSE, state };
	struct evaluations *known = evaluations_new(10);
	const struct store store = { .db = &db,
		.aside = with_aside ? &aside : NULL,
		.known = known,
		.committing = with_aside ? committing : NULL,
		.user = (gpointer) "user" };
	/* of one mail, the second is another kind that nobody may look at */
	struct found *mails[] = { mail_new(0, again), mail_new(1, n == 1 && again == 0 ? 7 : again) };
	struct outcome outcome = { .in_doubt = 2, .foreign = 2 };
	g_autoptr(GError) error = NULL;

	world.log = g_string_new(NULL);
	outcome.good = store_write(&store, mails, n, &outcome.in_doubt, &outcome.foreign, &error);
	assert_int_equal(outcome.good, error == NULL);
	outcome.message = g_strdup(error != NULL ? error->message : "");
	outcome.log = g_string_free(world.log, FALSE);
	found_free(mails[0]);
	found_free(mails[1]);
	evaluations_free(known);
	return outcome;
}

static int reset(void **state)
{
	(void)state;
	memset(&world, 0, sizeof world);
	return 0;
}

#define BEGIN "db BEGIN; db ingest; answer; "
#define END   "forget; "

static void a_transaction_has_its_statements_in_order(void **state)
{
	static const struct {
		const char *name, *want, *keep_first, *keep_second;
		gint64 again;
		guint n;
		gboolean aside, new_first, new_second;
	} rows[] = {
		{ "nothing new", BEGIN "db COMMIT; " END, .n = 1 },
		{ "read again", "db BEGIN; db again; answer; db COMMIT; " END, .n = 1, .again = 7 },
		{ "a new report", BEGIN "write db db; add 2; end; db COMMIT; publish; close; " END,
		    .new_first = TRUE, .n = 1 },
		{ "of the second mail", BEGIN "write db db; add 2; end; db COMMIT; publish; close; " END,
		    .new_second = TRUE, .n = 2 },
		{ "of both", BEGIN "write db db; add 2; add 2; end; db COMMIT; publish; close; " END,
		    .new_first = TRUE, .new_second = TRUE, .n = 2 },
		{ "bytes that are kept", BEGIN "db keep 7 raw; db COMMIT; " END, .keep_first = "7", .n = 2 },
		{ "of both", BEGIN "db keep 7 raw; db keep 8 raw; db COMMIT; " END, .keep_first = "7",
		    .keep_second = "8", .n = 2 },
		{ "with a second connection",
		    "db BEGIN; aside months; aside names; db ingest; answer; write db aside; add 2; end; "
		    "db keep 7 raw; committing; db COMMIT; publish; close; " END,
		    .aside = TRUE, .new_first = TRUE, .keep_first = "7", .n = 1 },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct outcome outcome;

		world.is_new[0] = rows[i].new_first;
		world.is_new[1] = rows[i].new_second;
		world.keeps[0] = rows[i].keep_first;
		world.keeps[1] = rows[i].keep_second;
		outcome = write_mails(rows[i].aside, NULL, rows[i].n, rows[i].again);
		if (!outcome.good || outcome.in_doubt || outcome.foreign ||
		    strcmp(outcome.log, rows[i].want) != 0)
			fail_msg("%s: %s", rows[i].name, outcome.log);
		g_free(outcome.log);
		g_free(outcome.message);
	}
}

static void a_failure_of_any_statement_is_rolled_back(void **state)
{
	static const char *const steps[] = { "db BEGIN", "aside names", "db ingest", "answer", "add 2", "end",
		"db keep 7 raw", "db COMMIT" };

	(void)state;
	world.is_new[0] = TRUE;
	world.keeps[0] = "7";
	for (gsize i = 0; i < G_N_ELEMENTS(steps); i++)
		for (guint dies = 0; dies <= 1; dies++) {
			gboolean of_db = g_str_has_prefix(steps[i], "db ");
			g_autofree char *words = g_strconcat(steps[i], " failed", NULL);
			struct outcome outcome;

			world.fails = steps[i];
			world.dies = dies == 1;
			outcome = write_mails(TRUE, "57014", 1, 0);
			assert_false(outcome.good || outcome.foreign);
			assert_string_equal(outcome.message, words);
			/* only a COMMIT without a reply may have been done */
			assert_int_equal(outcome.in_doubt, dies == 1 && g_str_equal(steps[i], "db COMMIT"));
			assert_int_equal(strstr(outcome.log, "db ROLLBACK; ") != NULL, !(dies == 1 && of_db));
			assert_null(strstr(outcome.log, "publish"));
			assert_int_equal(
			    strstr(outcome.log, "committing; ") != NULL, g_str_equal(steps[i], "db COMMIT"));
			g_free(outcome.log);
			g_free(outcome.message);
		}
}

/* Partitions are made so that few rows must be moved later: without them all is stored as well. */
static void a_failure_to_make_partitions_is_none(void **state)
{
	struct outcome outcome;

	(void)state;
	world.fails = "aside months";
	outcome = write_mails(TRUE, "57014", 1, 0);
	assert_true(outcome.good);
	assert_string_equal(outcome.log,
	    "db BEGIN; aside months; aside names; db ingest; answer; committing; db COMMIT; " END);
	g_free(outcome.log);
	g_free(outcome.message);
}

/* Functions that are missing, tables that changed: another version of ruad has migrated the database. */
static void a_foreign_database_is_told_by_its_states(void **state)
{
	static const struct {
		const char *state, *fails;
		gboolean dies, is_bad_data, want;
	} rows[] = {
		{ "42883", "db ingest", FALSE, FALSE, TRUE },
		{ "42501", "db ingest", FALSE, FALSE, TRUE },
		{ "0A000", "db ingest", FALSE, FALSE, TRUE },
		{ "0A001", "db ingest", FALSE, FALSE, FALSE },
		{ "40001", "db ingest", FALSE, FALSE, FALSE },
		{ "42883", "db ingest", TRUE, FALSE, TRUE }, /* the other connection says so */
		{ "42883", "aside names", TRUE, FALSE, TRUE },
		{ "42883", "db ingest", FALSE, TRUE, FALSE },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *plain = g_strconcat(rows[i].fails, " failed", NULL);
		struct outcome outcome;

		world.fails = rows[i].fails;
		world.dies = rows[i].dies;
		world.is_bad_data = rows[i].is_bad_data;
		outcome = write_mails(TRUE, rows[i].state, 1, 0);
		assert_false(outcome.good);
		if (outcome.foreign != rows[i].want)
			fail_msg("%s of %s", rows[i].state, rows[i].fails);
		assert_int_equal(strcmp(outcome.message, plain) != 0, rows[i].want);
		assert_true(!rows[i].want || g_str_has_prefix(outcome.message,
						 "the functions of the database are not those of ruad "));
		g_free(outcome.log);
		g_free(outcome.message);
	}
	world.fails = "db ingest";
	world.dies = TRUE;
	world.is_bad_data = FALSE;
	{
		struct outcome outcome = write_mails(FALSE, "42883", 1, 0); /* nobody is left who says so */

		assert_false(outcome.good || outcome.foreign);
		g_free(outcome.log);
		g_free(outcome.message);
	}
}

static void a_connection_is_durable_and_of_its_role(void **state)
{
	static const char *const steps[] = { NULL, "db role ruad_ingest", "db durable", "db dates" };
	struct db db = { "db", FALSE, NULL };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
		g_autofree char *log = NULL;

		world.fails = steps[i];
		world.log = g_string_new(NULL);
		assert_int_equal(store_open(&db, FALSE, NULL), i == 0);
		log = g_string_free(world.log, FALSE);
		assert_string_equal(log, i == 1   ? "db role ruad_ingest; "
					 : i == 2 ? "db role ruad_ingest; db durable; "
						  : "db role ruad_ingest; db durable; db dates; ");
	}
	world.fails = NULL;
	world.log = g_string_new(NULL);
	assert_true(store_open(&db, TRUE, NULL));
	assert_true(store_limit_raw(&db, 0, NULL));
	assert_true(store_limit_raw(&db, G_MAXINT64 - 1, NULL));
	assert_true(store_limit_raw(&db, G_MAXINT64, NULL));
	assert_string_equal(world.log->str, "db role ruad_owner; db durable; db dates; db limit 0; "
					    "db limit 9223372036854775806; db limit ; ");
	world.fails = "db limit 1";
	assert_false(store_limit_raw(&db, 1, NULL));
	g_string_free(world.log, TRUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_transaction_has_its_statements_in_order, reset),
		cmocka_unit_test_setup(a_failure_of_any_statement_is_rolled_back, reset),
		cmocka_unit_test_setup(a_failure_to_make_partitions_is_none, reset),
		cmocka_unit_test_setup(a_foreign_database_is_told_by_its_states, reset),
		cmocka_unit_test_setup(a_connection_is_durable_and_of_its_role, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
