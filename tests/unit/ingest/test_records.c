/* Records come back from their blocks as they went in, in memory or in a file, and equal evaluations are kept once. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "parser/error.h"
#include "server/ingest/records.h"

static const struct aggregate_record plain = {
	.source_ip = "192.0.2.1",
	.count = 3,
	.disposition = "none",
	.dkim = "pass",
	.header_from = "example.com",
};

static void add(struct records *records, guint report, const struct aggregate_record *record)
{
	g_autoptr(GError) error = NULL;

	if (!records_add(records, report, record, &error))
		fail_msg("%s", error->message);
}

static struct block *next(struct records *records, guint64 *at)
{
	struct block *block;

	assert_true(records_next(records, at, &block, NULL));
	return block;
}

static void equal_evaluations_of_a_report_are_kept_once(void **state)
{
	struct records *records = records_new(NULL);
	struct aggregate_record other = plain;
	guint64 at = 0;
	struct block *block;

	(void)state;
	other.source_ip = "2001:db8::1";
	other.count = -1;
	add(records, 7, &plain);
	add(records, 7, &other);
	other.source_ip = NULL;
	other.spf = "pass";
	add(records, 7, &other);
	assert_true(records_end(records, NULL));

	block = next(records, &at);
	assert_int_equal(block->report, 7);
	assert_int_equal(block->first_no, 1);
	assert_int_equal(block->n_records, 3);
	assert_int_equal(block->n_evaluations, 2);
	assert_int_equal(block->records[0].count, 3);
	assert_int_equal(block->records[0].address_size, 4);
	assert_memory_equal(block->records[0].address, "\xc0\x00\x02\x01", 4);
	assert_int_equal(block->records[1].evaluation, block->records[0].evaluation);
	assert_int_equal(block->records[1].count, -1);
	assert_int_equal(block->records[1].address_size, 16);
	assert_int_equal(block->records[2].evaluation, 1);
	assert_int_equal(block->records[2].address_size, 0);
	block_free(block);
	assert_null(next(records, &at));
	records_free(records);
}

static void fields_are_those_of_new_evaluation(void **state)
{
	struct records *records = records_new(NULL);
	g_autofree char *fields = NULL;
	guint64 at = 0;
	struct block *block;

	(void)state;
	add(records, 1, &plain);
	assert_true(records_end(records, NULL));
	block = next(records, &at);
	fields = g_strndup(block->evaluations[0].fields, block->evaluations[0].size);
	assert_string_equal(fields, ",none,pass,,example.com,,,,"
				    "\\\"{\\\"\\\"dkim\\\"\\\":[],\\\"\\\"spf\\\"\\\":[]}\\\",");
	block_free(block);
	records_free(records);
}

/* Whether a and b are kept as one evaluation. */
static gboolean are_one(const struct aggregate_record *a, const struct aggregate_record *b)
{
	struct records *records = records_new(NULL);
	guint64 at = 0;
	struct block *block;
	gboolean one;

	add(records, 1, a);
	add(records, 1, b);
	assert_true(records_end(records, NULL));
	block = next(records, &at);
	one = block->n_evaluations == 1;
	block_free(block);
	records_free(records);
	return one;
}

static void evaluations_that_differ_in_anything_are_two(void **state)
{
	const struct aggregate_reason reasons[] = { { "other", "a" }, { "other", "b" } };
	const struct auth_result_dkim dkim[] = { { "a.example", "s", "pass", NULL },
		{ "b.example", "s", "pass", NULL } };
	const struct auth_result_spf spf[] = { { "a.example", NULL, "pass", NULL },
		{ "a.example", "", "pass", NULL } };
	const struct report_note notes[] = { { "V1", "row", NULL }, { "V1", "row", "x" } };
	struct aggregate_record table[] = { plain, plain, plain, plain, plain, plain, plain, plain, plain,
		plain, plain, plain };

	(void)state;
	table[1].spf = "";
	table[2].dkim = NULL;
	table[3].envelope_from = "a";
	table[4].envelope_to = "a";
	for (gsize i = 0; i < 2; i++) {
		table[5 + i].reason = &reasons[i];
		table[5 + i].n_reason = 1;
		table[7 + i].auth_dkim = &dkim[i];
		table[7 + i].n_auth_dkim = 1;
		table[9 + i].auth_spf = &spf[i];
		table[9 + i].n_auth_spf = 1;
	}
	table[11].note = notes;
	table[11].n_note = 2;
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
		for (gsize j = 0; j < G_N_ELEMENTS(table); j++)
			if (are_one(&table[i], &table[j]) != (i == j))
				fail_msg("rows %" G_GSIZE_FORMAT " and %" G_GSIZE_FORMAT, i, j);
}

static void add_many(struct records *records, guint report, guint n, gboolean distinct)
{
	for (guint i = 0; i < n; i++) {
		g_autofree char *from = g_strdup_printf("%u.example", distinct ? i : 0);
		g_autofree char *address = g_strdup_printf("10.%u.%u.%u", i >> 16, (i >> 8) & 255, i & 255);
		struct aggregate_record record = { .source_ip = address, .count = i, .header_from = from };
		add(records, report, &record);
	}
}

static guint check_many(struct records *records, guint reports, guint n)
{
	guint64 at = 0;
	guint report = 0, no = n, blocks = 0;
	struct block *block;

	while ((block = next(records, &at)) != NULL) {
		blocks++;
		if (no == n) {
			report++;
			no = 0;
		}
		assert_int_equal(block->report, report);
		assert_int_equal(block->first_no, no + 1);
		for (guint i = 0; i < block->n_records; i++, no++) {
			const guint8 address[] = { 10, (guint8)(no >> 16), (guint8)(no >> 8), (guint8)no };
			assert_int_equal(block->records[i].count, no);
			assert_memory_equal(block->records[i].address, address, 4);
			assert_true(block->records[i].evaluation < block->n_evaluations);
		}
		block_free(block);
	}
	assert_int_equal(report, reports);
	assert_int_equal(no, n);
	return blocks;
}

static void many_records_go_to_a_file_in_blocks(void **state)
{
	(void)state;
	for (gboolean distinct = FALSE; distinct <= TRUE; distinct++) {
		struct records *records = records_new(NULL);

		add_many(records, 1, 50000, distinct);
		add_many(records, 2, 50000, distinct);
		assert_true(records_end(records, NULL));
		assert_true(records_in_file(records));
		assert_true(check_many(records, 2, 50000) > 10);
		records_clear(records);
		assert_int_equal(records_size(records), 0);
		assert_false(records_in_file(records));
		add_many(records, 1, 10, distinct);
		assert_true(records_end(records, NULL));
		assert_int_equal(check_many(records, 1, 10), 1);
		records_free(records);
	}
}

static void what_is_no_address_is_refused(void **state)
{
	struct records *records = records_new(NULL);
	struct aggregate_record record = { .source_ip = "10.1.2", .count = 1 };
	g_autoptr(GError) error = NULL;

	(void)state;
	assert_false(records_add(records, 1, &record, &error));
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX));
	records_free(records);
}

/* Of one report, whose records fill blocks, or of many, each of which ends a block. */
static void check_full_disk(guint reports)
{
	struct records *records = records_new(NULL);
	struct rlimit limit, low;
	g_autoptr(GError) error = NULL;
	gboolean good = TRUE;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	low = (struct rlimit){ .rlim_cur = 1000, .rlim_max = limit.rlim_max };
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	for (guint i = 0; good && i < 100000; i++) {
		good = records_add(records, 1 + i % reports, &plain, &error);
		assert_int_equal(good, error == NULL);
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_false(good);
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYSTEM));
	records_free(records);
}

static void a_full_disk_is_a_system_error(void **state)
{
	(void)state;
	check_full_disk(1);
	check_full_disk(2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_evaluations_of_a_report_are_kept_once),
		cmocka_unit_test(fields_are_those_of_new_evaluation),
		cmocka_unit_test(evaluations_that_differ_in_anything_are_two),
		cmocka_unit_test(many_records_go_to_a_file_in_blocks),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(a_full_disk_is_a_system_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
