/* The answer of ruad.ingest() is parsed: counts, new reports, mails to keep. Its rows are made with libpq. */
#include "server/ingest/answer.h"

#include <libpq-fe.h>
#include <string.h>

#include "parser/error.h"
#include "tests/unit/worker/cm.h"

enum { COLUMNS = 13 };

struct row {
	const char *mail_no, *item_no, *mail_id, *stored, *duplicates, *conflicts, *unreadable, *keep_raw,
	    *report, *domain_id, *reporter_id, *day, *epoch;
};

/* The row of a mail, and the row of a new report. */
#define MAIL(no)         ((struct row){ .mail_no = (no), .mail_id = "70", .keep_raw = "f" })
#define REPORT(no, item) ((struct row){ REPORT_MEMBERS(no, item) })
#define REPORT_MEMBERS(no, item)                                                                             \
	.mail_no = (no), .item_no = (item), .report = "5", .domain_id = "6", .reporter_id = "7",             \
	.day = "2026-11-29", .epoch = "1"

static void name_columns(PGresult *result)
{
	g_auto(GStrv) names = g_strsplit(ANSWER_COLUMNS, ", ", -1);
	PGresAttDesc columns[COLUMNS] = { 0 };

	assert_int_equal(g_strv_length(names), COLUMNS);
	for (int i = 0; i < COLUMNS; i++)
		columns[i].name = names[i];
	assert_true(PQsetResultAttrs(result, COLUMNS, columns));
}

static struct db_rows *rows_new(const struct row *rows, gsize n)
{
	PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);

	name_columns(result);
	for (gsize i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		const char *const values[COLUMNS] = { r->mail_no, r->item_no, r->mail_id, r->stored,
			r->duplicates, r->conflicts, r->unreadable, r->keep_raw, r->report, r->domain_id,
			r->reporter_id, r->day, r->epoch };

		for (int column = 0; column < COLUMNS; column++) {
			g_autofree char *value = g_strdup(values[column]);

			assert_true(
			    PQsetvalue(result, (int)i, column, value, value ? (int)strlen(value) : -1));
		}
	}
	return (struct db_rows *)result;
}

/* Three mails with two aggregate reports each. Items 1 and 3 are reports, which begin at 1000 * mail + item;
 * item 2 is unreadable. */

enum { MAILS = 3 };

static struct found *mails[MAILS];

static void add_report(struct found *found, gint64 begin)
{
	const struct aggregate_header header = {
		.domain = "example.com", .begin = begin, .end = begin + 86400
	};

	assert_true(found_sink()->report_begin(found, "part 1", NULL));
	assert_true(found_sink()->report_end(found, &header, NULL));
}

static int mails_new(void **state)
{
	static const struct found_options options = { 0 };
	static const struct envelope envelope = { .source = "import" };
	static const struct unreadable unreadable = { .place = "part 2", .code = "xml", .reason = "why" };

	(void)state;
	for (guint i = 0; i < MAILS; i++) {
		mails[i] = found_new(&options, &envelope, (const guint8 *)"x", 1);
		add_report(mails[i], i * 1000 + 1);
		assert_true(found_sink()->unreadable(mails[i], &unreadable, NULL));
		add_report(mails[i], i * 1000 + 3);
	}
	return 0;
}

static int mails_free(void **state)
{
	(void)state;
	for (guint i = 0; i < MAILS; i++)
		found_free(mails[i]);
	return 0;
}

/* Parse rows as the answer about the first n mails. */
static struct answer *read_answer(const struct row *rows, gsize n_rows, guint n)
{
	g_autoptr(GError) error = NULL;
	struct answer *answer = answer_new(rows_new(rows, n_rows), mails, n, &error);

	if (answer == NULL)
		fail_msg("%s", error->message);
	return answer;
}

/* -- counts -- */

static void assert_counts(guint mail, guint stored, guint duplicates, guint conflicts, guint unreadable)
{
	const struct intake_counts *counts = found_counts(mails[mail]);

	assert_int_equal(counts->stored, stored);
	assert_int_equal(counts->duplicates, duplicates);
	assert_int_equal(counts->conflicts, conflicts);
	assert_int_equal(counts->unreadable, unreadable);
}

static void each_mail_gets_its_own_counts_in_any_order_of_rows(void **state)
{
	const struct row rows[] = {
		{ .mail_no = "3",
		    .mail_id = "73",
		    .stored = "9",
		    .duplicates = "10",
		    .conflicts = "11",
		    .unreadable = "12" },
		{ .mail_no = "1",
		    .mail_id = "71",
		    .stored = "1",
		    .duplicates = "2",
		    .conflicts = "3",
		    .unreadable = "4" },
		{ .mail_no = "2",
		    .mail_id = "72",
		    .stored = "5",
		    .duplicates = "6",
		    .conflicts = "7",
		    .unreadable = "8" },
	};
	struct answer *answer = read_answer(rows, G_N_ELEMENTS(rows), 3);

	(void)state;
	assert_counts(0, 1, 2, 3, 4);
	assert_counts(1, 5, 6, 7, 8);
	assert_counts(2, 9, 10, 11, 12);
	for (guint i = 0; i < MAILS; i++)
		assert_int_equal(found_counts(mails[i])->mail, 71 + i);
	answer_free(answer);
}

static void null_counts_become_zero_and_replace_old_counts(void **state)
{
	const struct row rows[] = { { .mail_no = "1", .mail_id = "71", .duplicates = "2" } };
	struct answer *answer;

	(void)state;
	*found_counts(mails[0]) = (struct intake_counts){ 90, 91, 92, 93, 94 };
	answer = read_answer(rows, 1, 1);
	assert_counts(0, 0, 2, 0, 0);
	answer_free(answer);
}

static void a_report_row_does_not_change_the_counts(void **state)
{
	struct row rows[] = { { .mail_no = "1", .mail_id = "71", .stored = "1", .conflicts = "3" },
		REPORT("1", "1") };
	struct answer *answer;

	(void)state;
	rows[1].stored = "50";
	answer = read_answer(rows, 2, 1);
	assert_counts(0, 1, 0, 3, 0);
	answer_free(answer);
}

static void an_empty_batch_has_an_answer_without_rows(void **state)
{
	struct answer *answer = read_answer(NULL, 0, 0);
	gint64 epoch;

	(void)state;
	assert_false(answer_epoch(answer, &epoch));
	answer_free(answer);
	answer_free(NULL);
}

/* -- reports -- */

static void a_new_report_holds_the_values_common_to_its_records(void **state)
{
	const struct row rows[] = { MAIL("1"), MAIL("2"),
		{ .mail_no = "2",
		    .item_no = "3",
		    .report = "9223372036854775807",
		    .domain_id = "2147483647",
		    .reporter_id = "0",
		    .day = "2026-11-29",
		    .epoch = "1" } };
	struct answer *answer = read_answer(rows, G_N_ELEMENTS(rows), 2);
	const struct new_report *report = answer_report(answer, 1, 3);

	(void)state;
	assert_non_null(report);
	assert_int_equal(report->mail, 1);
	assert_int_equal(report->item_no, 3);
	assert_int_equal(report->month, 2026 * 12 + 11);
	assert_string_equal(report->day, "2026-11-29");
	assert_string_equal(report->domain_id, "2147483647");
	assert_int_equal(report->record.begin, 1003); /* as in the mail */
	assert_true(report->record.report == G_MAXINT64);
	assert_int_equal(report->record.day, binary_day(2026, 11, 29));
	assert_int_equal(report->record.domain_id, G_MAXINT32);
	assert_true(report->record.has_reporter);
	assert_int_equal(report->record.reporter_id, 0);
	answer_free(answer);
}

static void a_report_may_have_no_reporter(void **state)
{
	struct row rows[] = { MAIL("1"), REPORT("1", "1"), REPORT("1", "3") };
	struct answer *answer;

	(void)state;
	rows[1].reporter_id = NULL;
	rows[1].domain_id = "0";
	rows[2].reporter_id = "2147483647";
	answer = read_answer(rows, 3, 1);
	assert_false(answer_report(answer, 0, 1)->record.has_reporter);
	assert_int_equal(answer_report(answer, 0, 1)->record.reporter_id, 0);
	assert_int_equal(answer_report(answer, 0, 1)->record.domain_id, 0);
	assert_true(answer_report(answer, 0, 3)->record.has_reporter);
	assert_int_equal(answer_report(answer, 0, 3)->record.reporter_id, G_MAXINT32);
	answer_free(answer);
}

static const struct {
	const char *text;
	int year, month, day;
} days[] = {
	{ "2026-11-29", 2026, 11, 29 },
	{ "2000-01-01", 2000, 1, 1 },
	{ "1970-12-31", 1970, 12, 31 },
	{ "2024-02-29", 2024, 2, 29 },
	{ "0001-01-01", 1, 1, 1 },
	{ "9999-12-31", 9999, 12, 31 },
};

static void dates_are_parsed(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(days); i++) {
		struct row rows[] = { MAIL("1"), REPORT("1", "1") };
		struct answer *answer;
		const struct new_report *report;

		rows[1].day = days[i].text;
		answer = read_answer(rows, 2, 1);
		report = answer_report(answer, 0, 1);
		assert_string_equal(report->day, days[i].text);
		assert_int_equal(report->month, days[i].year * 12 + days[i].month);
		assert_int_equal(report->record.day, binary_day(days[i].year, days[i].month, days[i].day));
		answer_free(answer);
	}
}

/* Check that exactly reports[0..n) are found, each with its own id. Their mail_no and item_no are single
 * digits. */
static void assert_found(const struct answer *answer, const struct row *reports, gsize n)
{
	for (guint mail = 0; mail < MAILS; mail++) {
		gboolean any = FALSE;

		for (guint item_no = 0; item_no <= 4; item_no++) {
			const struct new_report *report = answer_report(answer, mail, item_no);
			const char *id = NULL;

			for (gsize i = 0; i < n; i++)
				if (reports[i].mail_no[0] == (char)('1' + mail) &&
				    reports[i].item_no[0] == (char)('0' + item_no))
					id = reports[i].report;
			assert_int_equal(report != NULL, id != NULL);
			any |= id != NULL;
			if (report == NULL || id == NULL)
				continue;
			assert_int_equal(report->record.report, g_ascii_strtoll(id, NULL, 10));
			assert_int_equal(report->record.begin, mail * 1000 + item_no);
		}
		assert_int_equal(answer_has_reports(answer, mail), any);
	}
}

/* Try every subset of the six reports: ascending after the rows of the mails, and descending before them. */
static void new_reports_are_found_by_mail_and_item_no_in_any_order_of_rows(void **state)
{
	static const struct row all[] = { { REPORT_MEMBERS("1", "1") }, { REPORT_MEMBERS("1", "3") },
		{ REPORT_MEMBERS("2", "1") }, { REPORT_MEMBERS("2", "3") }, { REPORT_MEMBERS("3", "1") },
		{ REPORT_MEMBERS("3", "3") } };
	static const char *const ids[] = { "101", "102", "103", "104", "105", "106" };

	(void)state;
	for (guint set = 0; set < 1U << G_N_ELEMENTS(all); set++) {
		for (gboolean backwards = FALSE; backwards <= TRUE; backwards++) {
			struct row rows[G_N_ELEMENTS(all) + MAILS];
			guint n = 0, first = backwards ? 0 : MAILS;
			struct answer *answer;

			for (guint i = 0; i < G_N_ELEMENTS(all); i++) {
				guint which = backwards ? (guint)G_N_ELEMENTS(all) - 1 - i : i;

				if ((set >> which & 1) == 0)
					continue;
				rows[first + n] = all[which];
				rows[first + n++].report = ids[which];
			}
			for (guint i = 0; i < MAILS; i++)
				rows[backwards ? n + i : i] = MAIL(i == 0 ? "1" : i == 1 ? "2" : "3");
			answer = read_answer(rows, n + MAILS, MAILS);
			assert_found(answer, rows + first, n);
			answer_free(answer);
		}
	}
}

static void item_numbers_are_compared_as_numbers(void **state)
{
	struct found *own = mails[0], *many;
	static const struct found_options options = { 0 };
	static const struct envelope envelope = { .source = "import" };
	struct row rows[] = { REPORT("1", "10"), REPORT("1", "9"), REPORT("1", "2"), REPORT("1", "11"),
		MAIL("1") };
	struct answer *answer;

	(void)state;
	many = found_new(&options, &envelope, (const guint8 *)"x", 1);
	for (guint i = 1; i <= 12; i++)
		add_report(many, i);
	mails[0] = many;
	answer = read_answer(rows, G_N_ELEMENTS(rows), 1);
	mails[0] = own;
	for (guint i = 0; i <= 13; i++)
		assert_int_equal(answer_report(answer, 0, i) != NULL, i == 2 || (i >= 9 && i <= 11));
	assert_int_equal(answer_report(answer, 0, 10)->record.begin, 10);
	answer_free(answer);
	found_free(many);
}

/* -- the epoch -- */

static void the_epoch_is_set_only_if_a_report_is_new(void **state)
{
	static const struct {
		const char *text;
		gint64 epoch;
	} epochs[] = { { "0", 0 }, { "1", 1 }, { "-5", -5 }, { "9223372036854775807", G_MAXINT64 },
		{ "-9223372036854775808", G_MININT64 } };
	struct row rows[] = { MAIL("1"), REPORT("1", "1") };
	struct answer *answer;
	gint64 epoch;

	(void)state;
	rows[0].epoch = "8";
	answer = read_answer(rows, 1, 1);
	assert_false(answer_epoch(answer, &epoch));
	answer_free(answer);
	for (gsize i = 0; i < G_N_ELEMENTS(epochs); i++) {
		rows[1].epoch = epochs[i].text;
		answer = read_answer(rows, 2, 1);
		assert_true(answer_epoch(answer, &epoch));
		assert_true(epoch == epochs[i].epoch);
		answer_free(answer);
	}
}

/* -- mails to keep -- */

static void only_mails_with_keep_raw_are_kept(void **state)
{
	struct row rows[] = { MAIL("1"), MAIL("2"), MAIL("3") };
	struct answer *answer;

	(void)state;
	rows[0].keep_raw = NULL;
	rows[0].mail_id = "901";
	rows[1].keep_raw = "t";
	rows[1].mail_id = "902";
	rows[2].keep_raw = "f";
	rows[2].mail_id = "903";
	answer = read_answer(rows, 3, 3);
	assert_null(answer_keeps(answer, 0));
	assert_string_equal(answer_keeps(answer, 1), "902");
	assert_null(answer_keeps(answer, 2));
	answer_free(answer);
}

static void keep_raw_in_a_report_row_is_ignored(void **state)
{
	struct row rows[] = { MAIL("1"), REPORT("1", "1") };
	struct answer *answer;

	(void)state;
	rows[1].keep_raw = "t";
	rows[1].mail_id = "901";
	answer = read_answer(rows, 2, 1);
	assert_null(answer_keeps(answer, 0));
	answer_free(answer);
}

/* -- refused answers -- */

#define MEMBER(name) G_STRUCT_OFFSET(struct row, name)

/* Each value makes the row of a report invalid. */
static const struct {
	glong member;
	const char *value;
	const char *words; /* of the error */
} bad_values[] = {
	{ MEMBER(mail_no), NULL, "column 1 is \"NULL\", not a number from 1 to 2" },
	{ MEMBER(mail_no), "", "column 1 is \"\"" },
	{ MEMBER(mail_no), "x", "column 1 is \"x\"" },
	{ MEMBER(mail_no), "0", "column 1 is \"0\"" },
	{ MEMBER(mail_no), "-1", "column 1 is \"-1\"" },
	{ MEMBER(mail_no), "3", "column 1 is \"3\"" },
	{ MEMBER(mail_no), "4294967297", "column 1 is \"4294967297\"" },
	{ MEMBER(item_no), "", "column 2 is \"\"" },
	{ MEMBER(item_no), "x", "column 2 is \"x\"" },
	{ MEMBER(item_no), "0", "column 2 is \"0\"" },
	{ MEMBER(item_no), "4294967297", "column 2 is \"4294967297\"" },
	{ MEMBER(item_no), "2", "a report of item \"2\"" },
	{ MEMBER(item_no), "4", "a report of item \"4\"" },
	{ MEMBER(item_no), "4294967295", "a report of item \"4294967295\"" },
	{ MEMBER(report), NULL, "column 9 is \"NULL\"" },
	{ MEMBER(report), "0", "column 9 is \"0\"" },
	{ MEMBER(report), "9223372036854775808", "column 9 is \"9223372036854775808\"" },
	{ MEMBER(domain_id), NULL, "column 10 is \"NULL\"" },
	{ MEMBER(domain_id), "-1", "column 10 is \"-1\"" },
	{ MEMBER(domain_id), "2147483648", "column 10 is \"2147483648\"" },
	{ MEMBER(reporter_id), "", "column 11 is \"\"" },
	{ MEMBER(reporter_id), "-1", "column 11 is \"-1\"" },
	{ MEMBER(reporter_id), "2147483648", "column 11 is \"2147483648\"" },
	{ MEMBER(day), NULL, "gave a day \"NULL\"" },
	{ MEMBER(day), "", "gave a day \"\"" },
	{ MEMBER(day), "infinity", "gave a day \"infinity\"" },
	{ MEMBER(day), "2026-11", "gave a day \"2026-11\"" },
	{ MEMBER(day), "2026-11-29-1", "gave a day \"2026-11-29-1\"" },
	{ MEMBER(day), "29/11/2026", "gave a day \"29/11/2026\"" },
	{ MEMBER(day), "2026-11-29 BC", "gave a day \"2026-11-29 BC\"" },
	{ MEMBER(day), "0000-11-29", "gave a day \"0000-11-29\"" },
	{ MEMBER(day), "10000-11-29", "gave a day \"10000-11-29\"" },
	{ MEMBER(day), "2026-00-29", "gave a day \"2026-00-29\"" },
	{ MEMBER(day), "2026-13-29", "gave a day \"2026-13-29\"" },
	{ MEMBER(day), "2026-11-00", "gave a day \"2026-11-00\"" },
	{ MEMBER(day), "2026-11-32", "gave a day \"2026-11-32\"" },
	{ MEMBER(epoch), NULL, "column 13 is \"NULL\"" },
	{ MEMBER(epoch), "x", "column 13 is \"x\"" },
};

/* Check that the rows are refused with a message that contains words. */
static void assert_refused(const struct row *rows, gsize n_rows, guint n, const char *words)
{
	g_autoptr(GError) error = NULL;

	if (answer_new(rows_new(rows, n_rows), mails, n, &error) != NULL)
		fail_msg("taken, where \"%s\" was expected", words);
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYSTEM));
	if (strstr(error->message, words) == NULL || !g_str_has_prefix(error->message, "database: "))
		fail_msg("\"%s\" instead of \"%s\"", error->message, words);
}

static void a_report_with_a_bad_value_is_refused(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(bad_values); i++) {
		struct row rows[] = { MAIL("1"), MAIL("2"), REPORT("1", "1") };

		answer_free(read_answer(rows, 3, 2)); /* valid without the bad value */
		G_STRUCT_MEMBER(const char *, &rows[2], bad_values[i].member) = bad_values[i].value;
		assert_refused(rows, 3, 2, bad_values[i].words);
	}
}

static void a_mail_no_outside_the_batch_is_refused(void **state)
{
	const struct row rows[] = { MAIL("1"), MAIL("2"), MAIL("3") };

	(void)state;
	answer_free(read_answer(rows, 3, 3));
	assert_refused(rows, 3, 2, "column 1 is \"3\", not a number from 1 to 2");
}

static void a_mail_without_a_number_is_refused(void **state)
{
	struct row rows[] = { MAIL("1") };

	(void)state;
	rows[0].mail_id = NULL;
	assert_refused(rows, 1, 1, "column 3 is");
	rows[0].mail_id = "0";
	assert_refused(rows, 1, 1, "column 3 is \"0\"");
}

static void an_answer_without_one_of_the_mails_is_refused(void **state)
{
	const struct row rows[] = { MAIL("1"), MAIL("3"), REPORT("2", "1") };

	(void)state;
	assert_refused(rows, 3, 3, "ruad.ingest() speaks of 2 mails of 3");
	assert_refused(rows, 1, 3, "ruad.ingest() speaks of 1 mails of 3");
	assert_refused(rows, 0, 1, "ruad.ingest() speaks of 0 mails of 1");
}

static void an_answer_with_two_rows_for_a_mail_is_refused(void **state)
{
	const struct row rows[] = { MAIL("1"), MAIL("2"), MAIL("2") };
	const struct row instead[] = { MAIL("1"), MAIL("1") };

	(void)state;
	assert_refused(rows, 3, 2, "ruad.ingest() gave two rows for mail \"2\"");
	assert_refused(instead, 2, 2, "ruad.ingest() gave two rows for mail \"1\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_mail_gets_its_own_counts_in_any_order_of_rows),
		cmocka_unit_test(null_counts_become_zero_and_replace_old_counts),
		cmocka_unit_test(a_report_row_does_not_change_the_counts),
		cmocka_unit_test(an_empty_batch_has_an_answer_without_rows),
		cmocka_unit_test(a_new_report_holds_the_values_common_to_its_records),
		cmocka_unit_test(a_report_may_have_no_reporter),
		cmocka_unit_test(dates_are_parsed),
		cmocka_unit_test(new_reports_are_found_by_mail_and_item_no_in_any_order_of_rows),
		cmocka_unit_test(item_numbers_are_compared_as_numbers),
		cmocka_unit_test(the_epoch_is_set_only_if_a_report_is_new),
		cmocka_unit_test(only_mails_with_keep_raw_are_kept),
		cmocka_unit_test(keep_raw_in_a_report_row_is_ignored),
		cmocka_unit_test(a_report_with_a_bad_value_is_refused),
		cmocka_unit_test(a_mail_no_outside_the_batch_is_refused),
		cmocka_unit_test(a_mail_without_a_number_is_refused),
		cmocka_unit_test(an_answer_without_one_of_the_mails_is_refused),
		cmocka_unit_test(an_answer_with_two_rows_for_a_mail_is_refused),
	};

	return cmocka_run_group_tests(tests, mails_new, mails_free);
}
