/* Records of new reports are copied with the ids of their evaluations; each unknown id is asked for once. */
#include "server/ingest/record_writer.h"

#include <string.h>

#include "parser/error.h"
#include "tests/unit/ingest/fake_db.h"
#include "tests/unit/worker/cm.h"

static const char *evaluations_sql;

/* A report of domain 6 in November 2026, without a reporter. */
static const struct new_report november = { .item_no = 1,
	.month = 2026 * 12 + 11,
	.day = "2026-11-29",
	.domain_id = "6",
	.record = { .begin = 946684800, .report = 70, .day = 9829, .domain_id = 6 } };

/* The same with another id. */
static struct new_report like_november(gint64 id)
{
	struct new_report report = november;

	report.record.report = id;
	return report;
}

/* A transaction, or several with one cache. */
struct writing {
	struct db *db;
	struct evaluations *known;
	guint64 ticket;
	struct record_writer *writer;
};

static void writer_open(struct writing *w)
{
	w->writer = record_writer_new(w->db, w->db, w->known, w->ticket, NULL);
}

static void writing_begin(struct writing *w)
{
	w->db = fake_db_new(evaluations_sql);
	w->known = evaluations_new(200000);
	w->ticket = evaluations_enter(w->known, 1);
	writer_open(w);
}

static void writing_end(struct writing *w)
{
	record_writer_free(w->writer);
	evaluations_free(w->known);
	fake_db_free(w->db);
}

static void add(struct records *records, const char *header_from, gint64 count)
{
	const struct aggregate_record record = {
		.source_ip = "192.0.2.1", .count = count, .header_from = header_from
	};

	assert_true(records_add(records, 1, &record, NULL));
}

/* Give the blocks of records (transfer full) to the writer, as those of report. */
static gboolean write_as(
    struct writing *w, struct records *records, const struct new_report *report, GError **error)
{
	struct block *block = NULL;
	guint64 at = 0;
	gboolean good = TRUE;

	assert_true(records_end(records, NULL));
	do {
		assert_true(records_next(records, &at, &block, NULL));
		good = block == NULL || record_writer_add(w->writer, block, report, error);
	} while (good && block != NULL);
	records_free(records);
	return good;
}

/* Write one record for each name, which are separated by blanks. */
static void write_names(struct writing *w, const char *names, const struct new_report *report)
{
	g_auto(GStrv) list = g_strsplit(names, " ", -1);
	struct records *records = records_new(NULL);

	for (char **name = list; *name != NULL; name++)
		add(records, *name, 1);
	assert_true(write_as(w, records, report, NULL));
}

static void end(struct writing *w)
{
	g_autoptr(GError) error = NULL;

	if (!record_writer_end(w->writer, &error))
		fail_msg("%s", error->message);
}

static void each_record_gets_the_id_of_its_evaluation(void **state)
{
	struct writing w;
	struct new_report report = november;
	struct records *records = records_new(NULL);
	const struct aggregate_record v6 = { .source_ip = "2001:db8::1", .count = -1, .header_from = "a" };
	const struct aggregate_record nowhere = { .count = 0, .header_from = "b" };

	(void)state;
	writing_begin(&w);
	report.record.begin += 1;
	report.record.has_reporter = TRUE;
	report.record.reporter_id = 5;
	add(records, "a", 3);
	add(records, "b", 4);
	assert_true(records_add(records, 1, &v6, NULL));
	assert_true(records_add(records, 1, &nowhere, NULL));
	assert_true(write_as(&w, records, &report, NULL));
	assert_string_equal(w.db->asked->str, ""); /* nothing is sent before the end of the chunk */
	end(&w);
	assert_string_equal(w.db->asked->str, "6 2026-11-29 a;6 2026-11-29 b;|");
	assert_string_equal(w.db->rows->str,
	    "1000000 70 3 1000 9829 6 5 1 c0000201\n"
	    "1000000 70 4 1001 9829 6 5 2 c0000201\n"
	    "1000000 70 NULL 1000 9829 6 5 3 20010db8000000000000000000000001\n"
	    "1000000 70 0 1001 9829 6 5 4 NULL\n");
	assert_int_equal(w.db->copies, 1);
	writing_end(&w);
}

static void without_blocks_nothing_is_sent(void **state)
{
	struct writing w;

	(void)state;
	writing_begin(&w);
	end(&w);
	assert_string_equal(w.db->asked->str, "");
	assert_int_equal(w.db->copies, 0);
	record_writer_free(NULL);
	writing_end(&w);
}

static void reports_of_one_domain_and_month_share_evaluations(void **state)
{
	struct writing w;
	const struct new_report second = like_november(71);

	(void)state;
	writing_begin(&w);
	write_names(&w, "a b", &november);
	write_names(&w, "b c", &second);
	end(&w);
	assert_string_equal(w.db->asked->str, "6 2026-11-29 a;6 2026-11-29 b;6 2026-11-29 c;|");
	assert_string_equal(w.db->rows->str,
	    "0 70 1 1000 9829 6 NULL 1 c0000201\n0 70 1 1001 9829 6 NULL 2 c0000201\n"
	    "0 71 1 1001 9829 6 NULL 1 c0000201\n0 71 1 1002 9829 6 NULL 2 c0000201\n");
	writing_end(&w);
}

static void another_domain_or_month_has_evaluations_of_its_own(void **state)
{
	struct writing w;
	struct new_report december = like_november(72), other = like_november(73);

	(void)state;
	december.month++;
	december.day = "2026-12-01";
	other.domain_id = "8";
	other.record.domain_id = 8;
	writing_begin(&w);
	write_names(&w, "a", &november);
	write_names(&w, "a", &december);
	write_names(&w, "a", &other);
	end(&w);
	assert_string_equal(w.db->asked->str, "6 2026-11-29 a;6 2026-12-01 a;8 2026-11-29 a;|");
	assert_string_equal(w.db->rows->str,
	    "0 70 1 1000 9829 6 NULL 1 c0000201\n0 72 1 1001 9829 6 NULL 1 c0000201\n"
	    "0 73 1 1002 9829 8 NULL 1 c0000201\n");
	writing_end(&w);
}

static void published_ids_are_not_asked_for_again(void **state)
{
	struct writing w;

	(void)state;
	writing_begin(&w);
	write_names(&w, "a b", &november);
	end(&w);
	record_writer_publish(w.writer);
	record_writer_free(w.writer);
	writer_open(&w);
	write_names(&w, "b a c", &november);
	end(&w);
	assert_string_equal(w.db->asked->str, "6 2026-11-29 a;6 2026-11-29 b;|6 2026-11-29 c;|");
	assert_true(g_str_has_suffix(w.db->rows->str,
	    "0 70 1 1001 9829 6 NULL 1 c0000201\n0 70 1 1000 9829 6 NULL 2 c0000201\n"
	    "0 70 1 1002 9829 6 NULL 3 c0000201\n"));
	record_writer_free(w.writer);
	writer_open(&w);
	write_names(&w, "a b", &november); /* all are known: no query */
	end(&w);
	assert_string_equal(w.db->asked->str, "6 2026-11-29 a;6 2026-11-29 b;|6 2026-11-29 c;|");
	assert_int_equal(w.db->copies, 3);
	writing_end(&w);
}

static void ids_of_a_transaction_that_was_rolled_back_are_asked_for_again(void **state)
{
	struct writing w;

	(void)state;
	writing_begin(&w);
	write_names(&w, "a", &november);
	end(&w);
	record_writer_free(w.writer); /* not published */
	writer_open(&w);
	write_names(&w, "a", &november);
	end(&w);
	assert_string_equal(w.db->asked->str, "6 2026-11-29 a;|6 2026-11-29 a;|");
	writing_end(&w);
}

static void ids_of_another_epoch_are_asked_for_again(void **state)
{
	struct writing w;

	(void)state;
	writing_begin(&w);
	write_names(&w, "a", &november);
	end(&w);
	record_writer_publish(w.writer);
	record_writer_free(w.writer);
	w.ticket = evaluations_enter(w.known, 2);
	writer_open(&w);
	write_names(&w, "a", &november);
	end(&w);
	assert_string_equal(w.db->asked->str, "6 2026-11-29 a;|6 2026-11-29 a;|");
	writing_end(&w);
}

/* More records than one chunk of 1 MiB holds. */
static void ids_of_an_earlier_chunk_are_not_asked_for_again(void **state)
{
	const guint n = 1024 * 1024 / sizeof(struct block_record) + 10000;
	struct writing w;
	struct records *records = records_new(NULL);

	(void)state;
	writing_begin(&w);
	for (guint i = 0; i < n; i++)
		add(records, "a", 1);
	assert_true(write_as(&w, records, &november, NULL));
	assert_int_equal(w.db->copies, 1); /* the first chunk is full */
	end(&w);
	assert_int_equal(w.db->copies, 2);
	assert_string_equal(w.db->asked->str, "6 2026-11-29 a;|");
	assert_int_equal(w.db->n_rows, n);
	assert_int_equal(w.db->last_no, n);
	assert_in_range(w.db->least, 64 * 1024, w.db->largest);
	assert_in_range(w.db->largest, 64 * 1024, 64 * 1024 + 200);
	writing_end(&w);
}

static void a_transaction_remembers_at_most_50000_ids(void **state)
{
	const guint most = 50000;
	struct writing w;

	(void)state;
	writing_begin(&w);
	for (guint round = 0; round < 2; round++) {
		struct records *records = records_new(NULL);

		for (guint i = 0; i <= most; i++) {
			g_autofree char *name = g_strdup_printf("%u", i);

			add(records, name, 1);
		}
		assert_true(write_as(&w, records, &november, NULL));
		end(&w);
		if (round == 0) {
			g_string_truncate(w.db->asked, 0);
			write_names(&w, "50000 0", &november); /* in the next chunk of the same transaction */
			end(&w);
			assert_string_equal(w.db->asked->str, "6 2026-11-29 50000;|");
		}
		record_writer_publish(w.writer);
		record_writer_free(w.writer);
		writer_open(&w);
		if (round == 0)
			g_string_truncate(w.db->asked, 0);
	}
	assert_string_equal(w.db->asked->str, "6 2026-11-29 50000;|");
	writing_end(&w);
}

static const struct {
	enum fake_failure failure;
	const char *words;
} failures[] = {
	{ FAKE_QUERY, "failure 1" },
	{ FAKE_FEWER_IDS, "database: ruad.evaluations() gave 1 ids for 2" },
	{ FAKE_MORE_IDS, "database: ruad.evaluations() gave 3 ids for 2" },
	{ FAKE_NULL_ID, "no number: NULL" },
	{ FAKE_ZERO_ID, "no number: 0" },
	{ FAKE_BEGIN, "failure 6" },
	{ FAKE_PUT, "failure 7" },
	{ FAKE_END, "failure 8" },
};

static void a_failure_is_reported_and_nothing_is_copied(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(failures); i++) {
		struct writing w;
		g_autoptr(GError) error = NULL;

		writing_begin(&w);
		w.db->failure = failures[i].failure;
		write_names(&w, "a b", &november);
		assert_false(record_writer_end(w.writer, &error));
		assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYSTEM));
		assert_string_equal(error->message, failures[i].words);
		assert_int_equal(w.db->copies, 0);
		writing_end(&w);
	}
}

/* The transaction is long, and evaluations are not part of it. */
static void evaluations_go_by_the_other_connection(void **state)
{
	struct writing w;
	struct db *aside = fake_db_new(evaluations_sql);
	struct records *records = records_new(NULL);

	(void)state;
	writing_begin(&w);
	record_writer_free(w.writer);
	w.writer = record_writer_new(w.db, aside, w.known, w.ticket, NULL);
	add(records, "a.example", 1);
	assert_true(write_as(&w, records, &november, NULL));
	assert_true(record_writer_end(w.writer, NULL));
	assert_int_equal(w.db->asked->len, 0);
	assert_int_equal(w.db->n_rows, 1);
	assert_true(aside->asked->len > 0);
	assert_int_equal(aside->n_rows, 0);
	writing_end(&w);
	fake_db_free(aside);
}

/* With a pace, statements are short: 64 evaluations, 500 records. */
static void with_a_pace_each_statement_is_a_short_piece(void **state)
{
	struct writing w;
	struct pace *pace = pace_new();
	struct records *records = records_new(NULL);
	g_auto(GStrv) asked = NULL;

	(void)state;
	writing_begin(&w);
	record_writer_free(w.writer);
	w.writer = record_writer_new(w.db, w.db, w.known, w.ticket, pace);
	for (guint i = 0; i < 2400; i++) {
		g_autofree char *name = g_strdup_printf("%u", i % 129);

		add(records, name, 1);
	}
	assert_true(write_as(&w, records, &november, NULL));
	end(&w);
	asked = g_strsplit(w.db->asked->str, "|", -1);
	assert_int_equal(g_strv_length(asked), 4); /* the last one is empty */
	assert_true(g_str_has_suffix(asked[0], "6 2026-11-29 63;"));
	assert_true(g_str_has_prefix(asked[1], "6 2026-11-29 64;"));
	assert_string_equal(asked[2], "6 2026-11-29 128;");
	assert_int_equal(w.db->copies, 5);
	assert_int_equal(w.db->n_rows, 2400);
	assert_int_equal(w.db->last_no, 2400);
	pace_begin(pace); /* the turn is free */
	pace_end(pace);
	writing_end(&w);
	pace_free(pace);
}

static void a_failure_leaves_the_turn(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(failures); i++) {
		struct writing w;
		struct pace *pace = pace_new();

		writing_begin(&w);
		record_writer_free(w.writer);
		w.writer = record_writer_new(w.db, w.db, w.known, w.ticket, pace);
		w.db->failure = failures[i].failure;
		write_names(&w, "a b", &november);
		assert_false(record_writer_end(w.writer, NULL));
		pace_begin(pace);
		pace_end(pace);
		writing_end(&w);
		pace_free(pace);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(evaluations_go_by_the_other_connection),
		cmocka_unit_test(each_record_gets_the_id_of_its_evaluation),
		cmocka_unit_test(without_blocks_nothing_is_sent),
		cmocka_unit_test(reports_of_one_domain_and_month_share_evaluations),
		cmocka_unit_test(another_domain_or_month_has_evaluations_of_its_own),
		cmocka_unit_test(published_ids_are_not_asked_for_again),
		cmocka_unit_test(ids_of_a_transaction_that_was_rolled_back_are_asked_for_again),
		cmocka_unit_test(ids_of_another_epoch_are_asked_for_again),
		cmocka_unit_test(ids_of_an_earlier_chunk_are_not_asked_for_again),
		cmocka_unit_test(a_transaction_remembers_at_most_50000_ids),
		cmocka_unit_test(a_failure_is_reported_and_nothing_is_copied),
		cmocka_unit_test(with_a_pace_each_statement_is_a_short_piece),
		cmocka_unit_test(a_failure_leaves_the_turn),
	};

	g_assert(argc == 2);
	evaluations_sql = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
