/* The calls of a sink become the rows for ruad.ingest(), compared by the names of their columns. */
#include "server/ingest/found.h"

#include <json-c/json.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "parser/error.h"
#include "server/common/json.h"
#include "server/ingest/literal.h"
#include "tests/unit/ingest/rows.h"
#include "tests/unit/worker/cm.h"

#define DOCUMENT        "abc"
#define DOCUMENT_SHA256 "\\xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static char **mail_columns, **item_columns;

static const struct found_options plain_options = { .authserv_id = "mx.example" };
static const struct envelope imported = { .source = "import" };
static const struct envelope delivered = { .source = "lmtp", .from = "" };

static struct found *start_with(const struct found_options *options, const struct envelope *envelope)
{
	return found_new(options, envelope, (const guint8 *)DOCUMENT, strlen(DOCUMENT));
}

static struct found *start(void)
{
	return start_with(&plain_options, &imported);
}

/* -- calls of the sink that succeed -- */

static void tell_mail(struct found *found, enum authentic authentic)
{
	const struct mail_header header = { .message_id = "<1@example.com>",
		.subject = "report",
		.from = "a@example.com",
		.queue_id = "4Xyz",
		.authentic = authentic };

	assert_true(found_sink()->mail(found, &header, NULL));
}

static void tell_begin(struct found *found, const char *place)
{
	assert_true(found_sink()->report_begin(found, place, NULL));
}

static void tell_record(struct found *found, const struct aggregate_record *record)
{
	g_autoptr(GError) error = NULL;

	if (!found_sink()->record(found, record, &error))
		fail_msg("%s", error->message);
}

static void tell_count(struct found *found, gint64 count, const char *dkim, const char *spf)
{
	const struct aggregate_record record = {
		.source_ip = "192.0.2.1", .count = count, .dkim = dkim, .spf = spf
	};

	tell_record(found, &record);
}

static void tell_end(struct found *found, const struct aggregate_header *header)
{
	g_autoptr(GError) error = NULL;

	if (!found_sink()->report_end(found, header, &error))
		fail_msg("%s", error->message);
}

/* A complete report with one record. */
static void tell_report(struct found *found, gint64 begin)
{
	const struct aggregate_header header = {
		.domain = "example.com", .begin = begin, .end = begin, .pct = -1
	};

	tell_begin(found, "part 1");
	tell_count(found, 1, "pass", NULL);
	tell_end(found, &header);
}

static const struct failure_report a_failure = {
	.feedback_type = "auth-failure", .arrival_time = -1, .source_port = -1, .incidents = 1
};
static const struct tls_report a_tls_report = { .organization_name = "Company-X" };

static void tell_failure(struct found *found, const struct failure_report *failure)
{
	assert_true(found_sink()->failure(found, "part 2", failure, NULL));
}

static void tell_tls(struct found *found, const struct tls_report *tls)
{
	assert_true(found_sink()->tls(found, "part 3", tls, NULL));
}

static void tell_unreadable(struct found *found, const char *code)
{
	const struct unreadable unreadable = {
		.place = "part 4", .code = code, .reason = "it is \"bad\", truly"
	};

	assert_true(found_sink()->unreadable(found, &unreadable, NULL));
}

/* -- the rows -- */

static struct rows *items_of(const struct found *found, guint mail_no)
{
	g_autoptr(GString) items = g_string_new(NULL);

	assert_true(found_item_rows(found, mail_no, items, NULL));
	literal_end(items);
	return rows_read(items->str, item_columns);
}

static struct rows *mail_of(const struct found *found)
{
	g_autoptr(GString) mails = g_string_new(NULL);
	struct rows *rows;

	found_mail_row(found, mails);
	literal_end(mails);
	rows = rows_read(mails->str, mail_columns);
	assert_int_equal(rows_count(rows), 1);
	return rows;
}

/* Check one column of an item. */
static void assert_value(const struct found *found, guint row, const char *column, const char *want)
{
	struct rows *rows = items_of(found, 1);
	const char *value = rows_get(rows, row, column);

	if (g_strcmp0(value, want) != 0)
		fail_msg("%s: %s instead of %s", column, value ? value : "NULL", want ? want : "NULL");
	rows_free(rows);
}

/* Check item_no and kind of all items, written as "1 aggregate, 2 unreadable". */
static void assert_kinds(const struct found *found, const char *want)
{
	struct rows *rows = items_of(found, 1);
	g_autoptr(GString) kinds = g_string_new(NULL);

	for (guint i = 0; i < rows_count(rows); i++)
		g_string_append_printf(kinds, "%s%s %s", i > 0 ? ", " : "", rows_get(rows, i, "item_no"),
		    rows_get(rows, i, "kind"));
	assert_string_equal(kinds->str, want);
	rows_free(rows);
}

/* Check the report and the number of records of all blocks, written as "1:2 3:1". */
static void assert_blocks(const struct found *found, const char *want)
{
	g_autoptr(GString) blocks = g_string_new(NULL);
	struct block *block;
	guint64 at = 0;

	while (records_next(found_records(found), &at, &block, NULL) && block != NULL) {
		g_string_append_printf(
		    blocks, "%s%u:%u", blocks->len > 0 ? " " : "", block->report, block->n_records);
		block_free(block);
	}
	assert_string_equal(blocks->str, want);
}

/* -- items -- */

static void a_mail_without_items_has_no_rows(void **state)
{
	struct found *found = start();

	(void)state;
	assert_kinds(found, "");
	assert_blocks(found, "");
	assert_int_equal(found_size(found), 0);
	assert_false(found_is_large(found));
	found_free(found);
	found_free(NULL);
}

static void an_aggregate_report_fills_its_columns(void **state)
{
	static const char *const errors[] = { "first", "say \"x\"" };
	static const struct report_note notes[] = { { "V1", "row/count", "many" }, { "P2", "policy", NULL } };
	struct aggregate_header header = { .dialect = "rfc9990",
		.version = "1.0",
		.xmlns = "urn:x",
		.org_name = "Org, Inc.",
		.email = "a@b.example",
		.extra_contact_info = "https://b.example/",
		.report_id = "id-1",
		.begin = 1764374400,
		.end = 1764460799,
		.error = errors,
		.n_error = 2,
		.generator = "gen \\ 1",
		.domain = "example.com",
		.adkim = "r",
		.aspf = "s",
		.p = "none",
		.sp = "quarantine",
		.np = "reject",
		.pct = 50,
		.fo = "1:d:s",
		.testing = "y",
		.discovery_method = "treewalk",
		.partial = TRUE,
		.records = 12,
		.note = notes,
		.n_note = 2 };
	const char *const want[][2] = { { "mail_no", "7" }, { "item_no", "1" }, { "kind", "aggregate" },
		{ "place", "part 2: a.zip: a.xml" }, { "dialect", "rfc9990" }, { "version", "1.0" },
		{ "xmlns", "urn:x" }, { "org_name", "Org, Inc." }, { "email", "a@b.example" },
		{ "extra_contact_info", "https://b.example/" }, { "report_id", "id-1" },
		{ "begin", "2025-11-29 00:00:00+00" }, { "end", "2025-11-29 23:59:59+00" },
		{ "error", "[\"first\",\"say \\\"x\\\"\"]" }, { "generator", "gen \\ 1" },
		{ "domain", "example.com" }, { "adkim", "r" }, { "aspf", "s" }, { "p", "none" },
		{ "sp", "quarantine" }, { "np", "reject" }, { "pct", "50" }, { "fo", "1:d:s" },
		{ "testing", "y" }, { "discovery_method", "treewalk" }, { "announced", "12" },
		{ "records", "2" }, { "messages", "9" }, { "pass", "4" }, { "record_notes", "{\"I1\":1}" },
		{ "sha256", "\\x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20" },
		{ "notes", "[{\"code\":\"V1\",\"path\":\"row/count\",\"raw\":\"many\"},"
			   "{\"code\":\"P2\",\"path\":\"policy\",\"raw\":null}]" },
		{ "partial", "t" }, { NULL, NULL } };
	static const struct report_note record_note = { "I1", "row/source_ip", "x" };
	const struct aggregate_record noted = { .count = 5, .note = &record_note, .n_note = 1 };
	struct found *found = start();
	struct rows *rows;

	(void)state;
	for (guint8 i = 0; i < 32; i++)
		header.sha256[i] = (guint8)(i + 1);
	tell_begin(found, "part 2: a.zip: a.xml");
	tell_record(found, &noted);
	tell_count(found, 4, "fail", "pass");
	tell_end(found, &header);
	rows = items_of(found, 7);
	assert_int_equal(rows_count(rows), 1);
	rows_equal(rows, 0, want);
	rows_free(rows);
	found_free(found);
}

static void absent_members_of_an_aggregate_report_are_null(void **state)
{
	static const struct aggregate_header header = { .domain = "example.com", .pct = -1 };
	static const char *const want[][2] = { { "mail_no", "1" }, { "item_no", "1" },
		{ "kind", "aggregate" }, { "place", "part 1" }, { "begin", "1970-01-01 00:00:00+00" },
		{ "end", "1970-01-01 00:00:00+00" }, { "error", "[]" }, { "domain", "example.com" },
		{ "announced", "0" }, { "records", "0" }, { "messages", "0" }, { "pass", "0" },
		{ "sha256", "\\x0000000000000000000000000000000000000000000000000000000000000000" },
		{ "partial", "f" }, { NULL, NULL } };
	struct found *found = start();
	struct rows *rows;

	(void)state;
	tell_begin(found, "part 1");
	tell_end(found, &header);
	rows = items_of(found, 1);
	rows_equal(rows, 0, want);
	rows_free(rows);
	found_free(found);
}

static void pct_zero_is_a_value_and_minus_one_is_null(void **state)
{
	static const struct {
		gint pct;
		const char *want;
	} table[] = { { -1, NULL }, { 0, "0" }, { 1, "1" }, { 100, "100" } };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		const struct aggregate_header header = { .domain = "example.com", .pct = table[i].pct };
		struct found *found = start();

		tell_begin(found, "part 1");
		tell_end(found, &header);
		assert_value(found, 0, "pct", table[i].want);
		found_free(found);
	}
}

/* Records of a report, and the columns records, messages and pass. */
static const struct {
	const char *name;
	struct {
		gint64 count;
		const char *dkim, *spf;
	} records[4]; /* up to the first with count 0 */
	const char *n, *messages, *pass;
} sums[] = {
	{ "dkim alone", { { 3, "pass", "fail" } }, "1", "3", "3" },
	{ "spf alone", { { 3, "fail", "pass" } }, "1", "3", "3" },
	{ "both count once", { { 3, "pass", "pass" } }, "1", "3", "3" },
	{ "neither", { { 3, "fail", "fail" } }, "1", "3", "0" },
	{ "absent results", { { 3, NULL, NULL } }, "1", "3", "0" },
	{ "no other word passes", { { 3, "passed", "PASS" }, { 4, "", "pas" } }, "2", "7", "0" },
	{ "several", { { 3, "pass", NULL }, { 4, NULL, NULL }, { 5, NULL, "pass" }, { 6, "fail", NULL } },
	    "4", "18", "8" },
	{ "unknown counts are not summed", { { -1, "pass", "pass" }, { 2, "pass", NULL } }, "2", "2", "2" },
	{ "a count of one", { { 1, "pass", NULL }, { 1, NULL, NULL } }, "2", "2", "1" },
	{ "up to the largest number", { { G_MAXINT64 - 2, "pass", NULL }, { 2, "pass", NULL } }, "2",
	    "9223372036854775807", "9223372036854775807" },
	{ "and no further by one", { { G_MAXINT64 - 2, "pass", NULL }, { 3, NULL, NULL } }, "2",
	    "9223372036854775807", "9223372036854775805" },
	{ "nor by far",
	    { { G_MAXINT64, NULL, NULL }, { G_MAXINT64, "pass", NULL }, { G_MAXINT64, "pass", NULL } }, "3",
	    "9223372036854775807", "9223372036854775807" },
};

static void records_are_counted_and_their_messages_summed(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(sums); i++) {
		static const struct aggregate_header header = { .domain = "example.com" };
		struct found *found = start();

		print_message("%s\n", sums[i].name);
		tell_begin(found, "part 1");
		for (gsize j = 0; j < G_N_ELEMENTS(sums[i].records) && sums[i].records[j].count != 0; j++)
			tell_count(
			    found, sums[i].records[j].count, sums[i].records[j].dkim, sums[i].records[j].spf);
		tell_end(found, &header);
		assert_value(found, 0, "records", sums[i].n);
		assert_value(found, 0, "messages", sums[i].messages);
		assert_value(found, 0, "pass", sums[i].pass);
		found_free(found);
	}
}

static void a_record_with_count_zero_adds_no_messages(void **state)
{
	static const struct aggregate_header header = { .domain = "example.com" };
	struct found *found = start();

	(void)state;
	tell_begin(found, "part 1");
	tell_count(found, 0, "pass", "pass");
	tell_end(found, &header);
	assert_value(found, 0, "records", "1");
	assert_value(found, 0, "messages", "0");
	assert_value(found, 0, "pass", "0");
	found_free(found);
}

static void the_announced_number_is_capped_at_the_largest_bigint(void **state)
{
	static const struct {
		guint64 records;
		const char *want;
	} table[] = { { 1, "1" }, { G_MAXINT64, "9223372036854775807" },
		{ (guint64)G_MAXINT64 + 1, "9223372036854775807" }, { G_MAXUINT64, "9223372036854775807" } };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		const struct aggregate_header header = { .domain = "example.com",
			.records = table[i].records };
		struct found *found = start();

		tell_begin(found, "part 1");
		tell_end(found, &header);
		assert_value(found, 0, "announced", table[i].want);
		found_free(found);
	}
}

static void sums_and_note_codes_start_anew_with_each_report(void **state)
{
	static const struct report_note note = { "V1", "row", NULL };
	const struct aggregate_record noted = {
		.source_ip = "192.0.2.1", .count = 5, .note = &note, .n_note = 1, .dkim = "pass"
	};
	static const struct aggregate_header header = { .domain = "example.com" };
	struct found *found = start();

	(void)state;
	for (guint reports = 0; reports < 2; reports++) {
		tell_begin(found, reports == 0 ? "part 1" : "part 9");
		tell_record(found, &noted);
		tell_end(found, &header);
	}
	tell_begin(found, "part 10");
	tell_count(found, 2, NULL, NULL);
	tell_end(found, &header);
	for (guint i = 0; i < 3; i++) {
		assert_value(found, i, "place", i == 0 ? "part 1" : i == 1 ? "part 9" : "part 10");
		assert_value(found, i, "records", "1");
		assert_value(found, i, "messages", i < 2 ? "5" : "2");
		assert_value(found, i, "pass", i < 2 ? "5" : "0");
		assert_value(found, i, "record_notes", i < 2 ? "{\"V1\":1}" : NULL);
	}
	assert_blocks(found, "1:1 2:1 3:1");
	found_free(found);
}

static void note_codes_of_records_are_counted(void **state)
{
	static const struct report_note notes[] = { { "V1", "a", NULL }, { "I1", "b", "x" },
		{ "V1", "c", NULL } };
	static const struct aggregate_header header = { .domain = "example.com" };
	struct found *found = start();
	struct rows *rows;
	struct json_object *codes;

	(void)state;
	tell_begin(found, "part 1");
	for (gsize i = 0; i <= G_N_ELEMENTS(notes); i++) {
		const struct aggregate_record record = { .count = 1, .note = notes, .n_note = i };

		tell_record(found, &record);
	}
	tell_end(found, &header);
	rows = items_of(found, 1);
	codes = json_tokener_parse(rows_get(rows, 0, "record_notes"));
	assert_int_equal(json_object_object_length(codes), 2);
	assert_int_equal(json_object_get_int64(json_object_object_get(codes, "V1")), 4);
	assert_int_equal(json_object_get_int64(json_object_object_get(codes, "I1")), 2);
	assert_string_equal(rows_get(rows, 0, "records"), "4");
	assert_null(rows_get(rows, 0, "notes")); /* the report itself has none */
	json_object_put(codes);
	rows_free(rows);
	found_free(found);
}

static gboolean tell_code(struct found *found, guint number, GError **error)
{
	g_autofree char *code = g_strdup_printf("X%u", number);
	const struct report_note note = { code, "row", NULL };
	const struct aggregate_record record = { .count = 1, .note = &note, .n_note = 1 };

	return found_sink()->record(found, &record, error);
}

static void a_report_may_have_256_note_codes_and_257_are_a_syntax_error(void **state)
{
	struct found *found = start();
	g_autoptr(GError) error = NULL;

	(void)state;
	tell_begin(found, "part 1");
	for (guint i = 1; i <= 256; i++)
		assert_true(tell_code(found, i, NULL));
	assert_true(tell_code(found, 256, NULL));
	assert_true(tell_code(found, 1, NULL));
	assert_false(tell_code(found, 257, &error));
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX));
	assert_string_equal(error->message, "the parser's answer: more than 256 codes of notes");
	found_free(found);
}

static void a_record_with_a_bad_address_is_a_syntax_error(void **state)
{
	const struct aggregate_record record = { .source_ip = "nowhere", .count = 1 };
	struct found *found = start();
	g_autoptr(GError) error = NULL;

	(void)state;
	tell_begin(found, "part 1");
	assert_false(found_sink()->record(found, &record, &error));
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX));
	found_free(found);
}

static void a_failure_report_is_one_json_object(void **state)
{
	static const struct report_note note = { "F1", "arrival_date", "x" };
	struct failure_report failure = a_failure;
	g_autoptr(GString) json = g_string_new("{");
	struct found *found = start();
	struct rows *rows;

	(void)state;
	failure.source_ip = "192.0.2.1";
	failure.subject = "say \"x\", \\";
	failure.note = &note;
	failure.n_note = 1;
	memset(failure.sha256, 0xab, sizeof failure.sha256);
	json_failure_members(json, &failure);
	json_end(json, '}');
	assert_non_null(strstr(json->str, "192.0.2.1"));
	tell_failure(found, &failure);
	{
		const char *const want[][2] = { { "mail_no", "3" }, { "item_no", "1" }, { "kind", "failure" },
			{ "place", "part 2" },
			{ "sha256", "\\xabababababababababababababababababababababababababababababababab" },
			{ "notes", "[{\"code\":\"F1\",\"path\":\"arrival_date\",\"raw\":\"x\"}]" },
			{ "content", json->str }, { NULL, NULL } };

		rows = items_of(found, 3);
		rows_equal(rows, 0, want);
		rows_free(rows);
	}
	found_free(found);
}

static void a_feedback_report_is_not_a_failure_report(void **state)
{
	struct failure_report abuse = a_failure;
	struct found *found = start();

	(void)state;
	abuse.feedback_type = "abuse";
	tell_failure(found, &abuse);
	tell_failure(found, &a_failure);
	assert_kinds(found, "1 feedback, 2 failure");
	assert_value(found, 0, "notes", NULL);
	found_free(found);
}

static void a_tls_report_is_one_json_object(void **state)
{
	static const struct report_note note = { "T1", "policies", NULL };
	struct tls_report tls = a_tls_report;
	g_autoptr(GString) json = g_string_new("{");
	struct found *found = start();
	struct rows *rows;

	(void)state;
	tls.note = &note;
	tls.n_note = 1;
	memset(tls.sha256, 0xcd, sizeof tls.sha256);
	json_tls_members(json, &tls);
	json_end(json, '}');
	assert_non_null(strstr(json->str, "Company-X"));
	tell_tls(found, &tls);
	{
		const char *const want[][2] = { { "mail_no", "1" }, { "item_no", "1" }, { "kind", "tls" },
			{ "place", "part 3" },
			{ "sha256", "\\xcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd" },
			{ "notes", "[{\"code\":\"T1\",\"path\":\"policies\",\"raw\":null}]" },
			{ "content", json->str }, { NULL, NULL } };

		rows = items_of(found, 1);
		rows_equal(rows, 0, want);
		rows_free(rows);
	}
	found_free(found);
}

static void an_unreadable_part_is_an_item(void **state)
{
	static const char *const want[][2] = { { "mail_no", "1" }, { "item_no", "1" },
		{ "kind", "unreadable" }, { "place", "part 4" }, { "code", "xml" },
		{ "reason", "it is \"bad\", truly" }, { NULL, NULL } };
	struct found *found = start();
	struct rows *rows;

	(void)state;
	tell_unreadable(found, "xml");
	rows = items_of(found, 1);
	assert_int_equal(rows_count(rows), 1);
	rows_equal(rows, 0, want);
	rows_free(rows);
	found_free(found);
}

static void records_of_an_unreadable_report_belong_to_no_report(void **state)
{
	struct found *found = start();
	gint64 begin;

	(void)state;
	tell_begin(found, "part 1");
	tell_count(found, 40, "pass", NULL);
	tell_count(found, 2, "pass", NULL);
	tell_unreadable(found, "xml");
	tell_unreadable(found, "zip");
	tell_report(found, 1000);
	assert_kinds(found, "1 unreadable, 2 unreadable, 3 aggregate");
	assert_value(found, 2, "records", "1"); /* without those of item 1 */
	assert_value(found, 2, "messages", "1");
	assert_blocks(found, "1:2 3:1");
	assert_false(found_report_begin(found, 1, &begin));
	assert_true(found_report_begin(found, 3, &begin));
	found_free(found);
}

static void items_are_numbered_in_order(void **state)
{
	struct found *found = start();

	(void)state;
	tell_mail(found, AUTHENTIC_NONE);
	tell_report(found, 1);
	tell_failure(found, &a_failure);
	tell_unreadable(found, "zip");
	tell_tls(found, &a_tls_report);
	tell_report(found, 2);
	assert_kinds(found, "1 aggregate, 2 failure, 3 unreadable, 4 tls, 5 aggregate");
	assert_blocks(found, "1:1 5:1");
	found_free(found);
}

static void items_of_several_mails_share_one_array(void **state)
{
	struct found *first = start(), *second = start();
	g_autoptr(GString) items = g_string_new(NULL);
	struct rows *rows;

	(void)state;
	tell_unreadable(first, "zip");
	tell_report(first, 1);
	tell_tls(second, &a_tls_report);
	assert_true(found_item_rows(first, 1, items, NULL));
	assert_true(found_item_rows(second, 4294967295, items, NULL));
	literal_end(items);
	rows = rows_read(items->str, item_columns);
	assert_int_equal(rows_count(rows), 3);
	assert_string_equal(rows_get(rows, 1, "mail_no"), "1");
	assert_string_equal(rows_get(rows, 1, "item_no"), "2");
	assert_string_equal(rows_get(rows, 2, "mail_no"), "4294967295");
	assert_string_equal(rows_get(rows, 2, "item_no"), "1");
	rows_free(rows);
	found_free(first);
	found_free(second);
}

static void the_begin_of_a_report_is_found_by_its_item(void **state)
{
	struct found *found = start();
	gint64 begin = 77;

	(void)state;
	assert_false(found_report_begin(found, 1, &begin));
	tell_report(found, 1000);
	tell_unreadable(found, "zip");
	tell_report(found, 0);
	tell_report(found, REPORT_TIME_MAX);
	tell_tls(found, &a_tls_report);
	tell_report(found, 5000);
	for (guint i = 0; i <= 7; i++) {
		static const gint64 want[] = { -1, 1000, -1, 0, REPORT_TIME_MAX, -1, 5000, -1 };

		begin = 77;
		assert_int_equal(found_report_begin(found, i, &begin), want[i] >= 0);
		assert_true(begin == (want[i] >= 0 ? want[i] : 77)); /* unchanged if there is no report */
	}
	found_free(found);
}

/* -- authenticity -- */

#define NOTE_S1(raw) "{\"code\":\"S1\",\"path\":\"mail\",\"raw\":\"" raw "\"}"

enum outcome { PLAIN, FLAGGED, QUARANTINED };

static const struct {
	enum require_authentic required;
	const struct envelope *envelope;
	enum authentic authentic;
	enum outcome outcome;
} authentics[] = {
	{ REQUIRE_AUTHENTIC_OFF, &delivered, AUTHENTIC_NONE, PLAIN },
	{ REQUIRE_AUTHENTIC_OFF, &delivered, AUTHENTIC_PASS, PLAIN },
	{ REQUIRE_AUTHENTIC_OFF, &delivered, AUTHENTIC_FAIL, PLAIN },
	{ REQUIRE_AUTHENTIC_OFF, &imported, AUTHENTIC_NONE, PLAIN },
	{ REQUIRE_AUTHENTIC_OFF, &imported, AUTHENTIC_PASS, PLAIN },
	{ REQUIRE_AUTHENTIC_OFF, &imported, AUTHENTIC_FAIL, PLAIN },
	{ REQUIRE_AUTHENTIC_FLAG, &delivered, AUTHENTIC_NONE, FLAGGED },
	{ REQUIRE_AUTHENTIC_FLAG, &delivered, AUTHENTIC_PASS, PLAIN },
	{ REQUIRE_AUTHENTIC_FLAG, &delivered, AUTHENTIC_FAIL, FLAGGED },
	{ REQUIRE_AUTHENTIC_FLAG, &imported, AUTHENTIC_NONE, PLAIN },
	{ REQUIRE_AUTHENTIC_FLAG, &imported, AUTHENTIC_PASS, PLAIN },
	{ REQUIRE_AUTHENTIC_FLAG, &imported, AUTHENTIC_FAIL, PLAIN },
	{ REQUIRE_AUTHENTIC_QUARANTINE, &delivered, AUTHENTIC_NONE, QUARANTINED },
	{ REQUIRE_AUTHENTIC_QUARANTINE, &delivered, AUTHENTIC_PASS, PLAIN },
	{ REQUIRE_AUTHENTIC_QUARANTINE, &delivered, AUTHENTIC_FAIL, QUARANTINED },
	{ REQUIRE_AUTHENTIC_QUARANTINE, &imported, AUTHENTIC_NONE, PLAIN },
	{ REQUIRE_AUTHENTIC_QUARANTINE, &imported, AUTHENTIC_PASS, PLAIN },
	{ REQUIRE_AUTHENTIC_QUARANTINE, &imported, AUTHENTIC_FAIL, PLAIN },
};

static void assert_outcome(const struct found *found, enum outcome outcome, enum authentic authentic)
{
	const char *notes = outcome == PLAIN              ? NULL
			    : authentic == AUTHENTIC_NONE ? "[" NOTE_S1("none") "]"
							  : "[" NOTE_S1("fail") "]";
	gint64 begin;

	assert_int_equal(found_report_begin(found, 1, &begin), outcome != QUARANTINED);
	if (outcome == QUARANTINED) {
		assert_kinds(found, "1 unreadable");
		assert_value(found, 0, "code", "unauthentic");
		assert_value(found, 0, "place", "mail");
		assert_value(found, 0, "notes", NULL);
		assert_blocks(found, "");
		return;
	}
	assert_kinds(found, "1 aggregate, 2 failure, 3 tls, 4 unreadable, 5 aggregate");
	for (guint i = 0; i < 5; i++)
		assert_value(found, i, "notes", i == 3 ? NULL : notes);
	assert_blocks(found, "1:1 5:1");
}

static void authenticity_is_required_only_of_mail_received_by_lmtp(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(authentics); i++) {
		const struct found_options options = { .require_authentic = authentics[i].required,
			.authserv_id = "mx.example" };
		struct found *found = start_with(&options, authentics[i].envelope);

		print_message("row %" G_GSIZE_FORMAT "\n", i);
		tell_mail(found, authentics[i].authentic);
		tell_report(found, 1000);
		tell_failure(found, &a_failure);
		tell_tls(found, &a_tls_report);
		tell_unreadable(found, "zip");
		tell_report(found, 2000);
		assert_outcome(found, authentics[i].outcome, authentics[i].authentic);
		found_free(found);
	}
}

/* 0 aggregate, 1 failure, 2 TLS, 3 unreadable, 4 an aggregate report that turns out to be unreadable. */
static void every_kind_of_item_in_an_unauthentic_mail_is_quarantined(void **state)
{
	static const struct found_options options = { .require_authentic = REQUIRE_AUTHENTIC_QUARANTINE,
		.authserv_id = "mx.example" };

	(void)state;
	for (guint kind = 0; kind < 5; kind++) {
		struct found *found = start_with(&options, &delivered);

		tell_mail(found, AUTHENTIC_FAIL);
		for (guint times = 0; times < 2; times++) {
			if (kind == 0)
				tell_report(found, 1);
			else if (kind == 1)
				tell_failure(found, &a_failure);
			else if (kind == 2)
				tell_tls(found, &a_tls_report);
			else if (kind == 4)
				tell_begin(found, "part 1");
			if (kind >= 3)
				tell_unreadable(found, "zip");
		}
		assert_outcome(found, QUARANTINED, AUTHENTIC_FAIL);
		found_free(found);
	}
}

static void a_document_without_a_header_is_not_authentic(void **state)
{
	static const struct found_options options = { .require_authentic = REQUIRE_AUTHENTIC_QUARANTINE,
		.authserv_id = "mx.example" };
	struct found *found = start_with(&options, &delivered);

	(void)state;
	tell_report(found, 1);
	assert_outcome(found, QUARANTINED, AUTHENTIC_NONE);
	found_free(found);
}

static void an_unauthentic_mail_without_items_is_not_quarantined(void **state)
{
	static const struct found_options options = { .require_authentic = REQUIRE_AUTHENTIC_QUARANTINE };
	struct found *found = start_with(&options, &delivered);

	(void)state;
	tell_mail(found, AUTHENTIC_FAIL);
	assert_kinds(found, "");
	found_free(found);
}

static void the_reason_says_why_a_mail_is_not_authentic(void **state)
{
	static const struct {
		const char *authserv_id;
		enum authentic authentic;
		const char *reason;
	} table[] = {
		{ NULL, AUTHENTIC_NONE, "no mail is authentic while lmtp.authserv_id is not set" },
		{ "", AUTHENTIC_NONE, "no mail is authentic while lmtp.authserv_id is not set" },
		{ "mx.example", AUTHENTIC_NONE,
		    "no Authentication-Results of \"mx.example\" says whether a domain aligned with From "
		    "authenticated "
		    "it (RFC 9990 section 3.5)" },
		{ "mx.example", AUTHENTIC_FAIL,
		    "\"mx.example\" found that no domain aligned with From authenticated it (RFC 9990 "
		    "section 3.5)" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		const struct found_options options = { .require_authentic = REQUIRE_AUTHENTIC_QUARANTINE,
			.authserv_id = table[i].authserv_id };
		struct found *found = start_with(&options, &delivered);

		tell_mail(found, table[i].authentic);
		tell_report(found, 1);
		assert_value(found, 0, "reason", table[i].reason);
		found_free(found);
	}
}

static void note_s1_follows_the_notes_of_the_report(void **state)
{
	static const struct found_options options = { .require_authentic = REQUIRE_AUTHENTIC_FLAG };
	static const struct report_note notes[] = { { "V1", "version", "x" }, { "P2", "policy", NULL } };
	const struct aggregate_header header = { .domain = "example.com", .note = notes, .n_note = 2 };
	struct found *found = start_with(&options, &delivered);

	(void)state;
	tell_mail(found, AUTHENTIC_FAIL);
	tell_begin(found, "part 1");
	tell_end(found, &header);
	assert_value(found, 0, "notes",
	    "[{\"code\":\"V1\",\"path\":\"version\",\"raw\":\"x\"},"
	    "{\"code\":\"P2\",\"path\":\"policy\",\"raw\":null}," NOTE_S1("fail") "]");
	assert_value(found, 0, "record_notes", NULL); /* not a note of a record */
	found_free(found);
}

/* -- the row of the mail -- */

static void a_delivered_mail_has_its_envelope_and_header(void **state)
{
	static const char *const recipients[] = { "rua@example.com", "\"a b\"@example.com", NULL };
	const struct envelope envelope = {
		.source = "lmtp", .from = "bounce@reporter.example", .recipients = recipients
	};
	struct found *found = start_with(&plain_options, &envelope);
	struct rows *rows;
	gsize size;

	(void)state;
	tell_mail(found, AUTHENTIC_PASS);
	rows = mail_of(found);
	{
		const char *const want[][2] = { { "received_at", rows_get(rows, 0, "received_at") },
			{ "source", "lmtp" }, { "envelope_from", "bounce@reporter.example" },
			{ "recipients", "[\"rua@example.com\",\"\\\"a b\\\"@example.com\"]" },
			{ "size", "3" }, { "sha256", DOCUMENT_SHA256 }, { "message_id", "<1@example.com>" },
			{ "subject", "report" }, { "header_from", "a@example.com" }, { "authentic", "pass" },
			{ NULL, NULL } };

		rows_equal(rows, 0, want);
	}
	assert_memory_equal(found_document(found, &size), DOCUMENT, 3);
	assert_int_equal(size, 3);
	assert_true(found_again(found) == 0);
	rows_free(rows);
	found_free(found);
}

static void an_imported_file_has_a_name_and_no_envelope(void **state)
{
	const struct envelope envelope = { .source = "import", .name = "/var/mail/a, \"b\".eml" };
	struct found *found = start_with(&plain_options, &envelope);
	struct rows *rows = mail_of(found);
	const char *const want[][2] = { { "received_at", rows_get(rows, 0, "received_at") },
		{ "source", "import" }, { "name", "/var/mail/a, \"b\".eml" }, { "size", "3" },
		{ "sha256", DOCUMENT_SHA256 }, { "authentic", "none" }, { NULL, NULL } };

	(void)state;
	rows_equal(rows, 0, want);
	rows_free(rows);
	found_free(found);
}

static void the_null_sender_is_an_empty_text_and_not_null(void **state)
{
	static const char *const nobody[] = { NULL };
	const struct envelope envelope = { .source = "lmtp", .from = "", .recipients = nobody };
	struct found *found = start_with(&plain_options, &envelope);
	struct rows *rows = mail_of(found);

	(void)state;
	assert_string_equal(rows_get(rows, 0, "envelope_from"), "");
	assert_string_equal(rows_get(rows, 0, "recipients"), "[]");
	rows_free(rows);
	found_free(found);
}

static void a_mail_that_is_read_again_keeps_its_number_and_time(void **state)
{
	const struct envelope envelope = {
		.source = "lmtp", .again = G_MAXINT64, .received_at = "2026-01-02 03:04:05.678901+00"
	};
	struct found *found = start_with(&plain_options, &envelope);
	struct rows *rows = mail_of(found);

	(void)state;
	assert_true(found_again(found) == G_MAXINT64);
	assert_string_equal(rows_get(rows, 0, "id"), "9223372036854775807");
	assert_string_equal(rows_get(rows, 0, "received_at"), "2026-01-02 03:04:05.678901+00");
	rows_free(rows);
	found_free(found);
}

static void a_new_mail_was_received_now(void **state)
{
	g_autoptr(GDateTime) before = g_date_time_new_now_utc();
	struct found *found = start();
	struct rows *rows = mail_of(found);
	g_autoptr(GDateTime) received = g_date_time_new_from_iso8601(rows_get(rows, 0, "received_at"), NULL);
	g_autoptr(GDateTime) after = g_date_time_new_now_utc();

	(void)state;
	assert_non_null(received);
	assert_true(
	    g_regex_match_simple("^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}\\+00$",
		rows_get(rows, 0, "received_at"), 0, 0));
	assert_true(g_date_time_difference(received, before) >= 0);
	assert_true(g_date_time_difference(after, received) >= 0);
	rows_free(rows);
	found_free(found);
}

static void invalid_utf8_in_an_envelope_is_replaced(void **state)
{
	const struct envelope envelope = { .source = "import",
		.name = "a\xff"
			"b",
		.from = "\xfe@x" };
	struct found *found = start_with(&plain_options, &envelope);
	struct rows *rows = mail_of(found);

	(void)state;
	assert_string_equal(rows_get(rows, 0, "name"), "a\xef\xbf\xbd"
						       "b");
	assert_string_equal(rows_get(rows, 0, "envelope_from"), "\xef\xbf\xbd@x");
	rows_free(rows);
	found_free(found);
}

static void absent_header_fields_are_null(void **state)
{
	static const struct mail_header header = { .authentic = AUTHENTIC_FAIL };
	struct found *found = start();
	struct rows *rows;

	(void)state;
	tell_mail(found, AUTHENTIC_PASS); /* replaced by the next call */
	assert_true(found_sink()->mail(found, &header, NULL));
	rows = mail_of(found);
	assert_null(rows_get(rows, 0, "message_id"));
	assert_null(rows_get(rows, 0, "subject"));
	assert_null(rows_get(rows, 0, "header_from"));
	assert_string_equal(rows_get(rows, 0, "authentic"), "fail");
	rows_free(rows);
	found_free(found);
}

static void rows_of_several_mails_are_appended(void **state)
{
	struct found *found = start();
	g_autoptr(GString) mails = g_string_new(NULL);
	struct rows *rows;

	(void)state;
	found_mail_row(found, mails);
	found_mail_row(found, mails);
	literal_end(mails);
	rows = rows_read(mails->str, mail_columns);
	assert_int_equal(rows_count(rows), 2);
	rows_free(rows);
	found_free(found);
}

static void counts_are_zero_at_first(void **state)
{
	static const struct intake_counts zero = { 0 };
	struct found *found = start();

	(void)state;
	assert_memory_equal(found_counts(found), &zero, sizeof zero);
	found_counts(found)->stored = 3;
	assert_int_equal(found_counts(found)->stored, 3);
	found_free(found);
}

/* -- the line in the log -- */

static void assert_fields(const struct log_fields *fields, const char *const *want)
{
	static const char *const names[] = { FIELD_MESSAGE_ID, FIELD_QUEUE_ID, FIELD_KIND, FIELD_REPORT_ID };

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		const char *value = log_fields_get(fields, names[i]);

		if (g_strcmp0(value, want[i]) != 0)
			fail_msg("%s: %s", names[i], value ? value : "none");
	}
}

static void what_was_found_gets_into_the_fields_of_the_log(void **state)
{
	const struct aggregate_header aggregate = { .report_id = "r-1", .domain = "example.com", .pct = -1 };
	const struct tls_report tls = { .report_id = "t-1" };
	struct envelope envelope = { .source = "lmtp", .from = "", .fields = log_fields_new() };
	struct found *found = start_with(&plain_options, &envelope);

	(void)state;
	assert_fields(envelope.fields, (const char *const[]){ NULL, NULL, NULL, NULL });
	tell_mail(found, AUTHENTIC_NONE);
	tell_begin(found, "part 1");
	tell_count(found, 1, "pass", NULL);
	tell_end(found, &aggregate);
	assert_fields(
	    envelope.fields, (const char *const[]){ "<1@example.com>", "4Xyz", "aggregate", "r-1" });
	found_forget(found);
	assert_fields(envelope.fields, (const char *const[]){ "<1@example.com>", "4Xyz", NULL, NULL });
	tell_tls(found, &tls);
	assert_fields(envelope.fields, (const char *const[]){ "<1@example.com>", "4Xyz", "tls", "t-1" });
	found_refuse(found, "database", "no", TRUE);
	assert_fields(
	    envelope.fields, (const char *const[]){ "<1@example.com>", "4Xyz", "unreadable", NULL });
	found_free(found);
	log_fields_free(envelope.fields);
}

/* -- refused mails -- */

static void a_refused_mail_is_one_unreadable_item_and_everything_else_is_discarded(void **state)
{
	static const char *const want[][2] = { { "mail_no", "2" }, { "item_no", "1" },
		{ "kind", "unreadable" }, { "place", "mail" }, { "code", "database" },
		{ "reason", "value \xef\xbf\xbd too long" }, { NULL, NULL } };
	struct found *found = start();
	struct rows *rows;
	gint64 begin;

	(void)state;
	tell_report(found, 1);
	tell_tls(found, &a_tls_report);
	tell_begin(found, "part 5"); /* stays open */
	tell_count(found, 1, NULL, NULL);
	found_refuse(found, "database", "value \xff too long", FALSE);
	rows = items_of(found, 2);
	assert_int_equal(rows_count(rows), 1);
	rows_equal(rows, 0, want);
	rows_free(rows);
	assert_blocks(found, "");
	assert_false(found_report_begin(found, 1, &begin));
	found_free(found);
}

static void a_refused_mail_keeps_its_envelope_unless_it_is_bare(void **state)
{
	static const char *const recipients[] = { "rua@example.com", NULL };
	const struct envelope envelope = { .source = "lmtp",
		.name = "n",
		.from = "a@b",
		.recipients = recipients,
		.again = 12,
		.received_at = "2026-01-02 03:04:05+00" };
	static const char *const kept[][2] = { { "id", "12" }, { "received_at", "2026-01-02 03:04:05+00" },
		{ "source", "lmtp" }, { "name", "n" }, { "envelope_from", "a@b" },
		{ "recipients", "[\"rua@example.com\"]" }, { "size", "3" }, { "sha256", DOCUMENT_SHA256 },
		{ "message_id", "<1@example.com>" }, { "subject", "report" },
		{ "header_from", "a@example.com" }, { "authentic", "fail" }, { NULL, NULL } };
	static const char *const bare[][2] = { { "id", "12" }, { "received_at", "2026-01-02 03:04:05+00" },
		{ "source", "lmtp" }, { "size", "3" }, { "sha256", DOCUMENT_SHA256 }, { "authentic", "fail" },
		{ NULL, NULL } };
	struct found *found = start_with(&plain_options, &envelope);
	struct rows *rows;

	(void)state;
	tell_mail(found, AUTHENTIC_FAIL);
	for (gboolean is_bare = FALSE; is_bare <= TRUE; is_bare++) {
		found_refuse(found, "database", "why", is_bare);
		rows = mail_of(found);
		rows_equal(rows, 0, is_bare ? bare : kept);
		rows_free(rows);
		assert_kinds(found, "1 unreadable");
	}
	found_free(found);
}

static void a_refused_mail_is_small_even_if_it_was_large(void **state)
{
	g_autofree char *reason = g_strnfill(2 * 1024 * 1024, 'x');
	const struct unreadable large = { .place = "part 1", .code = "xml", .reason = reason };
	struct found *found = start();

	(void)state;
	assert_true(found_sink()->unreadable(found, &large, NULL));
	assert_true(found_is_large(found));
	assert_true(found_size(found) > strlen(reason));
	found_refuse(found, "limit", "too much", FALSE);
	assert_false(found_is_large(found));
	assert_in_range(found_size(found), 1, 200);
	found_free(found);
}

/* -- limits -- */

static void a_mail_with_many_records_is_large(void **state)
{
	struct found *found = start();
	guint64 before;

	(void)state;
	tell_begin(found, "part 1");
	tell_count(found, 1, NULL, NULL);
	before = found_size(found);
	assert_true(before > 0);
	assert_false(found_is_large(found));
	for (guint i = 0; i < 100000; i++)
		tell_count(found, i, "pass", NULL);
	assert_true(found_is_large(found));
	assert_true(found_size(found) > before + 100000);
	found_free(found);
}

/* Add an unreadable item with a reason of that many bytes. */
static gboolean tell_long(struct found *found, gsize bytes, GError **error)
{
	g_autofree char *reason = g_strnfill(bytes, 'x');
	const struct unreadable unreadable = { .place = "part 1", .code = "xml", .reason = reason };

	return found_sink()->unreadable(found, &unreadable, error);
}

/* Add seven items that leave spare bytes below the limit. */
static gboolean fill(struct found *found, gssize spare, GError **error)
{
	const gsize bytes = 10 * 1024 * 1024;
	guint64 used;
	gsize own; /* bytes of an item without its reason */

	for (guint i = 0; i < 6; i++)
		assert_true(tell_long(found, bytes, NULL));
	used = found_size(found);
	own = used / 6 - bytes - sizeof(gsize); /* each item is stored after its size */
	return tell_long(found, (gsize)((gssize)(FOUND_ITEMS_MAX - used - own) - spare), error);
}

static void items_of_exactly_the_limit_are_accepted_and_one_byte_more_is_not(void **state)
{
	(void)state;
	for (gssize spare = 1; spare >= -1; spare--) {
		struct found *found = start();
		g_autoptr(GError) error = NULL;

		assert_int_equal(fill(found, spare, &error), spare >= 0);
		if (spare >= 0) {
			assert_int_equal(found_size(found), FOUND_ITEMS_MAX - (gsize)spare + sizeof(gsize));
		} else {
			assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_LIMIT));
			assert_string_equal(
			    error->message, "bytes of reports, without records: more than 67108864");
		}
		assert_true(found_is_large(found));
		found_free(found);
	}
}

static void items_are_read_back_from_a_file_unchanged(void **state)
{
	struct found *found = start();
	struct rows *rows;

	(void)state;
	for (guint i = 1; i <= 300; i++)
		assert_true(tell_long(found, i * 40, NULL));
	assert_true(found_is_large(found));
	rows = items_of(found, 1);
	assert_int_equal(rows_count(rows), 300);
	for (guint i = 0; i < 300; i++) {
		assert_int_equal(strlen(rows_get(rows, i, "reason")), (i + 1) * 40);
		assert_int_equal(g_ascii_strtoull(rows_get(rows, i, "item_no"), NULL, 10), i + 1);
	}
	rows_free(rows);
	found_free(found);
}

static void a_full_disk_is_a_system_error(void **state)
{
	struct found *found = start();
	struct rlimit limit, low;
	g_autoptr(GError) error = NULL;
	gboolean good;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	low = (struct rlimit){ .rlim_cur = 1000, .rlim_max = limit.rlim_max };
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	good = tell_long(found, 2 * 1024 * 1024, &error);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_false(good);
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYSTEM));
	found_free(found);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mail_without_items_has_no_rows),
		cmocka_unit_test(an_aggregate_report_fills_its_columns),
		cmocka_unit_test(absent_members_of_an_aggregate_report_are_null),
		cmocka_unit_test(pct_zero_is_a_value_and_minus_one_is_null),
		cmocka_unit_test(records_are_counted_and_their_messages_summed),
		cmocka_unit_test(a_record_with_count_zero_adds_no_messages),
		cmocka_unit_test(the_announced_number_is_capped_at_the_largest_bigint),
		cmocka_unit_test(sums_and_note_codes_start_anew_with_each_report),
		cmocka_unit_test(note_codes_of_records_are_counted),
		cmocka_unit_test(a_report_may_have_256_note_codes_and_257_are_a_syntax_error),
		cmocka_unit_test(a_record_with_a_bad_address_is_a_syntax_error),
		cmocka_unit_test(a_failure_report_is_one_json_object),
		cmocka_unit_test(a_feedback_report_is_not_a_failure_report),
		cmocka_unit_test(a_tls_report_is_one_json_object),
		cmocka_unit_test(an_unreadable_part_is_an_item),
		cmocka_unit_test(records_of_an_unreadable_report_belong_to_no_report),
		cmocka_unit_test(items_are_numbered_in_order),
		cmocka_unit_test(items_of_several_mails_share_one_array),
		cmocka_unit_test(the_begin_of_a_report_is_found_by_its_item),
		cmocka_unit_test(authenticity_is_required_only_of_mail_received_by_lmtp),
		cmocka_unit_test(every_kind_of_item_in_an_unauthentic_mail_is_quarantined),
		cmocka_unit_test(a_document_without_a_header_is_not_authentic),
		cmocka_unit_test(an_unauthentic_mail_without_items_is_not_quarantined),
		cmocka_unit_test(the_reason_says_why_a_mail_is_not_authentic),
		cmocka_unit_test(note_s1_follows_the_notes_of_the_report),
		cmocka_unit_test(a_delivered_mail_has_its_envelope_and_header),
		cmocka_unit_test(an_imported_file_has_a_name_and_no_envelope),
		cmocka_unit_test(the_null_sender_is_an_empty_text_and_not_null),
		cmocka_unit_test(a_mail_that_is_read_again_keeps_its_number_and_time),
		cmocka_unit_test(a_new_mail_was_received_now),
		cmocka_unit_test(invalid_utf8_in_an_envelope_is_replaced),
		cmocka_unit_test(absent_header_fields_are_null),
		cmocka_unit_test(rows_of_several_mails_are_appended),
		cmocka_unit_test(counts_are_zero_at_first),
		cmocka_unit_test(what_was_found_gets_into_the_fields_of_the_log),
		cmocka_unit_test(a_refused_mail_is_one_unreadable_item_and_everything_else_is_discarded),
		cmocka_unit_test(a_refused_mail_keeps_its_envelope_unless_it_is_bare),
		cmocka_unit_test(a_refused_mail_is_small_even_if_it_was_large),
		cmocka_unit_test(a_mail_with_many_records_is_large),
		cmocka_unit_test(items_of_exactly_the_limit_are_accepted_and_one_byte_more_is_not),
		cmocka_unit_test(items_are_read_back_from_a_file_unchanged),
		cmocka_unit_test(a_full_disk_is_a_system_error),
	};
	int failed;

	g_assert(argc == 2);
	mail_columns = rows_columns(argv[1], "ruad.new_mail");
	item_columns = rows_columns(argv[1], "ruad.new_item");
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	g_strfreev(mail_columns);
	g_strfreev(item_columns);
	return failed;
}
