/* Records come back from their blocks as they went in, in memory or in a file, and equal evaluations are kept
 * once. */
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

/* Members of lists that are equal in the table above. */
static void evaluations_that_differ_in_a_list_member_are_distinct(void **state)
{
	const struct aggregate_reason reasons[] = { { "other", "a" }, { "forwarded", "a" }, { NULL, "a" },
		{ "a", NULL } };
	const struct auth_result_dkim dkim[] = { { "a.example", "s", "pass", NULL },
		{ "a.example", "t", "pass", NULL }, { "a.example", "s", "fail", NULL },
		{ "a.example", "s", "pass", "x" }, { "a.example", "s", NULL, "pass" },
		{ "a.examples", "", "pass", NULL } };
	const struct auth_result_spf spf[] = { { "a.example", "mfrom", "pass", NULL },
		{ "b.example", "mfrom", "pass", NULL }, { "a.example", "helo", "pass", NULL },
		{ "a.example", "mfrom", "fail", NULL }, { "a.example", "mfrom", "pass", "x" } };
	const struct report_note notes[] = { { "V1", "row", NULL }, { "V2", "row", NULL },
		{ "V1", "count", NULL }, { "V1", "row", "" } };
	struct aggregate_record
	    table[G_N_ELEMENTS(reasons) + G_N_ELEMENTS(dkim) + G_N_ELEMENTS(spf) + G_N_ELEMENTS(notes) + 2];
	gsize n = 0;

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
		table[i] = plain;
	for (gsize i = 0; i < G_N_ELEMENTS(reasons); i++, n++) {
		table[n].reason = &reasons[i];
		table[n].n_reason = 1;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(dkim); i++, n++) {
		table[n].auth_dkim = &dkim[i];
		table[n].n_auth_dkim = 1;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(spf); i++, n++) {
		table[n].auth_spf = &spf[i];
		table[n].n_auth_spf = 1;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(notes); i++, n++) {
		table[n].note = &notes[i];
		table[n].n_note = 1;
	}
	table[n].disposition = "quarantine";
	table[n + 1].header_from = "example.net";
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
		for (gsize j = 0; j < G_N_ELEMENTS(table); j++)
			if (are_one(&table[i], &table[j]) != (i == j))
				fail_msg("rows %" G_GSIZE_FORMAT " and %" G_GSIZE_FORMAT, i, j);
}

/* Get the hash of a record's evaluation. */
static void hash_of(const struct aggregate_record *record, guint report, guint8 hash[EVALUATION_HASH])
{
	struct records *records = records_new(NULL);
	guint64 at = 0;
	struct block *block;

	add(records, report, record);
	assert_true(records_end(records, NULL));
	block = next(records, &at);
	memcpy(hash, block->evaluations[0].hash, EVALUATION_HASH);
	block_free(block);
	records_free(records);
}

static void the_hash_of_an_evaluation_depends_on_neither_report_nor_address_nor_count(void **state)
{
	struct aggregate_record other = plain;
	guint8 a[EVALUATION_HASH], b[EVALUATION_HASH];

	(void)state;
	other.source_ip = "198.51.100.7";
	other.count = 99;
	hash_of(&plain, 1, a);
	hash_of(&other, 2, b);
	assert_memory_equal(a, b, EVALUATION_HASH);
	other.spf = "fail";
	hash_of(&other, 2, b);
	assert_memory_not_equal(a, b, EVALUATION_HASH);
}

static void lists_are_json_in_the_fields(void **state)
{
	const struct aggregate_reason reason = { "other", NULL };
	const struct auth_result_dkim dkim = { "a.example", "s", "pass", NULL };
	const struct auth_result_spf spf = { "b.example", "mfrom", "fail", "no" };
	const struct report_note note = { "V1", "row", NULL };
	const struct aggregate_record record = { .spf = "fail",
		.envelope_from = "e.example",
		.envelope_to = "t.example",
		.reason = &reason,
		.n_reason = 1,
		.auth_dkim = &dkim,
		.n_auth_dkim = 1,
		.auth_spf = &spf,
		.n_auth_spf = 1,
		.note = &note,
		.n_note = 1 };
	struct records *records = records_new(NULL);
	g_autoptr(GString) fields = g_string_new(NULL);
	guint64 at = 0;
	struct block *block;

	(void)state;
	add(records, 1, &record);
	assert_true(records_end(records, NULL));
	block = next(records, &at);
	g_string_append_len(fields, block->evaluations[0].fields, (gssize)block->evaluations[0].size);
	g_string_replace(fields, "\\\"\\\"", "'", 0); /* a quote within a field */
	g_string_replace(fields, "\\\"", "|", 0);     /* around a field */
	assert_string_equal(fields->str,
	    ",,,fail,,e.example,t.example,|[{'type':'other','comment':null}]|,"
	    "|{'dkim':[{'domain':'a.example','selector':'s','result':'pass','human_result':null}],"
	    "'spf':[{'domain':'b.example','scope':'mfrom','result':'fail','human_result':'no'}]}|,"
	    "|[{'code':'V1','path':'row','raw':null}]|");
	block_free(block);
	records_free(records);
}

#define BLOCK_BYTES   (256 * 1024)
#define BLOCK_RECORDS (BLOCK_BYTES / sizeof(struct block_record))

/* Returns the number of records in each block, as "8192 1". */
static char *block_sizes(struct records *records)
{
	g_autoptr(GString) sizes = g_string_new(NULL);
	guint64 at = 0;
	gint32 no = 1;
	struct block *block;

	while ((block = next(records, &at)) != NULL) {
		g_string_append_printf(sizes, "%s%u", no == 1 ? "" : " ", block->n_records);
		assert_int_equal(block->first_no, no);
		no += (gint32)block->n_records;
		block_free(block);
	}
	return g_string_free(g_steal_pointer(&sizes), FALSE);
}

static void a_block_ends_at_exactly_block_bytes_of_records(void **state)
{
	(void)state;
	assert_int_equal(BLOCK_BYTES % sizeof(struct block_record), 0);
	for (gint over = -1; over <= 1; over++) {
		struct records *records = records_new(NULL);
		g_autofree char *sizes = NULL;
		g_autofree char *want =
		    over == 1 ? g_strdup_printf("%" G_GSIZE_FORMAT " 1", BLOCK_RECORDS)
			      : g_strdup_printf("%" G_GSIZE_FORMAT, BLOCK_RECORDS + (gsize)over);

		for (gsize i = 0; i < BLOCK_RECORDS + (gsize)over; i++)
			add(records, 1, &plain);
		assert_true(records_end(records, NULL));
		sizes = block_sizes(records);
		assert_string_equal(sizes, want);
		records_free(records);
	}
}

/* Returns the bytes that the record's evaluation takes in a block. */
static gsize evaluation_bytes(const struct aggregate_record *record)
{
	struct records *records = records_new(NULL);
	gsize bytes;

	add(records, 1, record);
	bytes = records_size(records) - sizeof(struct block_record);
	records_free(records);
	return bytes;
}

static void a_block_ends_at_exactly_block_bytes_of_evaluations(void **state)
{
	struct aggregate_record record = plain;
	gsize own;

	(void)state;
	record.header_from = "x";
	own = evaluation_bytes(&record) - 1;
	for (gint over = -1; over <= 1; over++) {
		g_autofree char *from = g_strnfill((gsize)(BLOCK_BYTES + over) - own, 'x');
		struct records *records = records_new(NULL);
		g_autofree char *sizes = NULL;

		record.header_from = from;
		add(records, 1, &record);
		add(records, 1, &record);
		assert_true(records_end(records, NULL));
		sizes = block_sizes(records);
		assert_string_equal(sizes, over < 0 ? "2" : "1 1");
		records_free(records);
	}
}

static void each_block_has_its_own_copy_of_an_evaluation(void **state)
{
	struct records *records = records_new(NULL);
	struct aggregate_record other = plain;
	guint64 at = 0;
	struct block *block;

	(void)state;
	other.dkim = "fail";
	for (gsize i = 0; i < BLOCK_RECORDS; i++)
		add(records, 1, &plain);
	add(records, 1, &other);
	add(records, 1, &plain);
	add(records, 2, &plain);
	assert_true(records_end(records, NULL));
	for (guint i = 0; i < 3; i++) {
		block = next(records, &at);
		assert_int_equal(block->report, i < 2 ? 1 : 2);
		assert_int_equal(block->n_evaluations, i == 1 ? 2 : 1);
		assert_int_equal(block->records[block->n_records - 1].evaluation, i == 1 ? 1 : 0);
		block_free(block);
	}
	assert_null(next(records, &at));
	records_free(records);
}

static void counts_are_kept_and_negative_ones_are_unknown(void **state)
{
	static const struct {
		gint64 count, want;
	} table[] = { { 0, 0 }, { 1, 1 }, { -1, -1 }, { -2, -1 }, { G_MININT64, -1 },
		{ G_MAXINT64, G_MAXINT64 } };
	struct records *records = records_new(NULL);
	guint64 at = 0;
	struct block *block;

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		struct aggregate_record record = plain;

		record.count = table[i].count;
		add(records, 1, &record);
	}
	assert_true(records_end(records, NULL));
	block = next(records, &at);
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
		assert_true(block->records[i].count == table[i].want);
	block_free(block);
	records_free(records);
}

static void a_second_end_adds_no_empty_block(void **state)
{
	struct records *records = records_new(NULL);
	guint64 at = 0, size;

	(void)state;
	assert_true(records_end(records, NULL));
	assert_null(next(records, &at));
	assert_int_equal(records_size(records), 0);
	add(records, 1, &plain);
	assert_true(records_end(records, NULL));
	size = records_size(records);
	assert_true(records_end(records, NULL));
	assert_int_equal(records_size(records), size);
	records_free(records);
	records_free(NULL);
	block_free(NULL);
}

static void records_after_an_end_continue_the_numbering(void **state)
{
	struct records *records = records_new(NULL);
	g_autofree char *sizes = NULL;

	(void)state;
	add(records, 1, &plain);
	assert_true(records_end(records, NULL));
	add(records, 1, &plain);
	add(records, 1, &plain);
	assert_true(records_end(records, NULL));
	sizes = block_sizes(records);
	assert_string_equal(sizes, "1 2");
	records_free(records);
}

static void records_after_a_clear_are_numbered_from_one(void **state)
{
	struct records *records = records_new(NULL);
	guint64 at = 0;
	struct block *block;

	(void)state;
	add(records, 1, &plain);
	assert_true(records_end(records, NULL));
	add(records, 1, &plain); /* in the open block */
	records_clear(records);
	assert_int_equal(records_size(records), 0);
	add(records, 1, &plain);
	assert_true(records_end(records, NULL));
	block = next(records, &at);
	assert_int_equal(block->first_no, 1);
	assert_int_equal(block->n_records, 1);
	assert_int_equal(block->n_evaluations, 1);
	block_free(block);
	assert_null(next(records, &at));
	records_free(records);
}

static const char *const no_addresses[] = { "", "10.1.2", "1.2.3.4.5", "256.1.1.1", "1.2.3.4/24", " 1.2.3.4",
	"1.2.3.4 ", "example.com", ":", "::g", "1:2:3:4:5:6:7:8:9", "2001:db8::1%eth0", "[::1]" };

static void a_refused_record_leaves_no_trace(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(no_addresses); i++) {
		struct aggregate_record record = { .source_ip = no_addresses[i], .count = 1 };
		struct records *records = records_new(NULL);
		g_autoptr(GError) error = NULL;
		g_autofree char *sizes = NULL;
		g_autofree char *words =
		    g_strdup_printf("source_ip \"%s\": not an IP address", no_addresses[i]);

		if (records_add(records, 1, &record, &error))
			fail_msg("\"%s\" is taken", no_addresses[i]);
		assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX));
		assert_string_equal(error->message, words);
		assert_int_equal(records_size(records), 0);
		add(records, 1, &plain);
		assert_true(records_end(records, NULL));
		sizes = block_sizes(records);
		assert_string_equal(sizes, "1");
		records_free(records);
	}
}

static void addresses_are_kept_in_network_order(void **state)
{
	static const struct {
		const char *text;
		guint8 size;
		const char *bytes;
	} table[] = {
		{ "0.0.0.0", 4, "\0\0\0\0" },
		{ "255.254.253.252", 4, "\xff\xfe\xfd\xfc" },
		{ "::", 16, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" },
		{ "2001:db8::a:b", 16, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\x0a\0\x0b" },
		{ "::ffff:1.2.3.4", 16, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x01\x02\x03\x04" },
	};
	struct records *records = records_new(NULL);
	guint64 at = 0;
	struct block *block;

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		struct aggregate_record record = plain;

		record.source_ip = table[i].text;
		add(records, 1, &record);
	}
	assert_true(records_end(records, NULL));
	block = next(records, &at);
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		assert_int_equal(block->records[i].address_size, table[i].size);
		assert_memory_equal(block->records[i].address, table[i].bytes, table[i].size);
	}
	block_free(block);
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
		cmocka_unit_test(evaluations_that_differ_in_a_list_member_are_distinct),
		cmocka_unit_test(the_hash_of_an_evaluation_depends_on_neither_report_nor_address_nor_count),
		cmocka_unit_test(lists_are_json_in_the_fields),
		cmocka_unit_test(a_block_ends_at_exactly_block_bytes_of_records),
		cmocka_unit_test(a_block_ends_at_exactly_block_bytes_of_evaluations),
		cmocka_unit_test(each_block_has_its_own_copy_of_an_evaluation),
		cmocka_unit_test(counts_are_kept_and_negative_ones_are_unknown),
		cmocka_unit_test(a_second_end_adds_no_empty_block),
		cmocka_unit_test(records_after_an_end_continue_the_numbering),
		cmocka_unit_test(records_after_a_clear_are_numbered_from_one),
		cmocka_unit_test(a_refused_record_leaves_no_trace),
		cmocka_unit_test(addresses_are_kept_in_network_order),
		cmocka_unit_test(a_full_disk_is_a_system_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
