/* The canonical JSON of DESIGN section 3, byte for byte, and that a JSON reader takes it. */
#include "server/common/json.h"

#include <stdlib.h>
#include <string.h>

#include "parser/error.h"
#include "tests/unit/worker/cm.h"

static const struct auth_result_dkim one_dkim[] = { { "a.example", "s1", "pass", NULL } };
static const struct auth_result_spf one_spf[] = { { "a.example", "mfrom", "fail", "" } };
static const struct aggregate_reason one_reason[] = { { "other", "\"quoted\" \\ / \t\x01 \xe2\x82\xac" } };
static const struct report_note one_note[] = { { "V1", "row/count", "1.0" } };
static const char *const one_error[] = { "no key" };

static const struct aggregate_record full = { .source_ip = "192.0.2.1",
	.count = 3,
	.disposition = "none",
	.dkim = "pass",
	.spf = "fail",
	.reason = one_reason,
	.n_reason = 1,
	.header_from = "a.example",
	.envelope_from = "",
	.auth_dkim = one_dkim,
	.n_auth_dkim = 1,
	.auth_spf = one_spf,
	.n_auth_spf = 1,
	.note = one_note,
	.n_note = 1 };
static const struct aggregate_record empty = { .count = -1 };

static const struct aggregate_header header = { .dialect = "rfc7489",
	.version = "1.0",
	.org_name = "Example",
	.email = "d@example.com",
	.report_id = "1",
	.begin = 1,
	.end = 2,
	.error = one_error,
	.n_error = 1,
	.domain = "a.example",
	.p = "none",
	.pct = 100,
	.records = 2,
	.sha256 = { 0x01, 0xff },
	.note = one_note,
	.n_note = 1 };

#define FULL_RECORD                                                                                          \
	"{\"row\":{\"source_ip\":\"192.0.2.1\",\"count\":3,\"policy_evaluated\":{\"disposition\":\"none\","  \
	"\"dkim\":\"pass\","                                                                                 \
	"\"spf\":\"fail\",\"reason\":[{\"type\":\"other\",\"comment\":\"\\\"quoted\\\" \\\\ / \\t\\u0001 "   \
	"\xe2\x82\xac\"}]}},"                                                                                \
	"\"identifiers\":{\"header_from\":\"a.example\",\"envelope_from\":\"\",\"envelope_to\":null},"       \
	"\"auth_results\":{\"dkim\":[{\"domain\":\"a.example\",\"selector\":\"s1\",\"result\":\"pass\","     \
	"\"human_result\":null}],"                                                                           \
	"\"spf\":[{\"domain\":\"a.example\",\"scope\":\"mfrom\",\"result\":\"fail\",\"human_result\":\"\"}]" \
	"},"                                                                                                 \
	"\"notes\":[{\"code\":\"V1\",\"path\":\"row/count\",\"raw\":\"1.0\"}]}"
#define EMPTY_RECORD                                                                                         \
	"{\"row\":{\"source_ip\":null,\"count\":null,\"policy_evaluated\":{\"disposition\":null,\"dkim\":"   \
	"null,\"spf\":null,"                                                                                 \
	"\"reason\":[]}},\"identifiers\":{\"header_from\":null,\"envelope_from\":null,\"envelope_to\":null}" \
	","                                                                                                  \
	"\"auth_results\":{\"dkim\":[],\"spf\":[]}}"
#define HEADER                                                                                               \
	"\"dialect\":\"rfc7489\",\"report_metadata\":{\"org_name\":\"Example\",\"email\":\"d@example.com\"," \
	"\"extra_contact_info\":null,\"report_id\":\"1\",\"date_range\":{\"begin\":1,\"end\":2},\"error\":[" \
	"\"no key\"],"                                                                                       \
	"\"generator\":null},\"policy_published\":{\"domain\":\"a.example\",\"adkim\":null,\"aspf\":null,"   \
	"\"p\":\"none\","                                                                                    \
	"\"sp\":null,\"np\":null,\"pct\":100,\"fo\":null,\"testing\":null,\"discovery_method\":null},"       \
	"\"record\":["
#define TAIL                                                                                                 \
	"],\"notes\":[{\"code\":\"V1\",\"path\":\"row/"                                                      \
	"count\",\"raw\":\"1.0\"}],\"version\":\"1.0\",\"xmlns\":null,\"records\":2,"                        \
	"\"sha256\":\"01ff000000000000000000000000000000000000000000000000000000000000\"}\n"

/* Print what say tells the sink; transfer full. */
static char *print(
    const char *file, void (*say)(const struct report_sink *sink, gpointer user), guint *unreadables)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct json_printer *printer = json_printer_new(out, file);
	say(json_printer_sink(), printer);
	*unreadables = json_printer_unreadables(printer);
	json_printer_free(printer);
	fclose(out);
	return text;
}

static void say_report(const struct report_sink *sink, gpointer user)
{
	const struct mail_header mail = { .message_id = "<1@example>", .subject = "s", .from = "f" };
	assert_true(sink->mail(user, &mail, NULL));
	assert_true(sink->report_begin(user, "part 1", NULL));
	assert_true(sink->record(user, &full, NULL));
	assert_true(sink->record(user, &empty, NULL));
	assert_true(sink->report_end(user, &header, NULL));
}

static void say_none(const struct report_sink *sink, gpointer user)
{
	assert_true(sink->report_begin(user, "", NULL));
	assert_true(sink->report_end(user, &header, NULL));
}

static void say_taken_back(const struct report_sink *sink, gpointer user)
{
	const struct unreadable u = { "part 1: a.gz", "xml", "line 3: \"<\"" };
	assert_true(sink->report_begin(user, "part 1: a.gz", NULL));
	assert_true(sink->record(user, &full, NULL));
	assert_true(sink->unreadable(user, &u, NULL));
	say_none(sink, user);
}

static void documents_are_printed_as_designed(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		const char *file;
		void (*say)(const struct report_sink *sink, gpointer user);
		guint unreadables;
		const char *want;
	} rows[] = {
		{ "report", NULL, say_report, 0,
		    "{\"kind\":\"aggregate\",\"place\":\"part 1\"," HEADER FULL_RECORD
		    "," EMPTY_RECORD TAIL },
		{ "no records", "a b.xml", say_none, 0,
		    "{\"kind\":\"aggregate\",\"file\":\"a b.xml\",\"place\":\"\"," HEADER TAIL },
		{ "taken back", "x.eml", say_taken_back, 1,
		    "{\"kind\":\"unreadable\",\"file\":\"x.eml\",\"place\":\"part 1: "
		    "a.gz\",\"code\":\"xml\",\"reason\":\"line 3: "
		    "\\\"<\\\"\"}\n{\"kind\":\"aggregate\",\"file\":\"x.eml\",\"place\":\"\"," HEADER TAIL },
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		guint unreadables;
		char *got = print(rows[i].file, rows[i].say, &unreadables);
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s: got\n%swanted\n%s", rows[i].name, got, rows[i].want);
		assert_int_equal(unreadables, rows[i].unreadables);
		free(got);
	}
}

static void a_reader_finds_the_values_again(void **state)
{
	(void)state;
	guint unreadables;
	char *text = print("\xff.xml", say_report, &unreadables); /* a file name that is not UTF-8 */
	assert_true(g_utf8_validate(text, -1, NULL));
	struct json_object *document = json_tokener_parse(text);
	assert_non_null(document);
	struct json_object *record = json_object_array_get_idx(json_object_object_get(document, "record"), 0);
	struct json_object *evaluated =
	    json_object_object_get(json_object_object_get(record, "row"), "policy_evaluated");
	struct json_object *reason =
	    json_object_array_get_idx(json_object_object_get(evaluated, "reason"), 0);
	assert_string_equal(
	    json_object_get_string(json_object_object_get(reason, "comment")), one_reason[0].comment);
	json_object_put(document);
	free(text);
}

static void many_records_come_behind_the_header(void **state)
{
	(void)state;
	enum { many = 20000 }; /* several MiB: more than the spool keeps in memory */
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct json_printer *printer = json_printer_new(out, NULL);
	const struct report_sink *sink = json_printer_sink();
	assert_true(sink->report_begin(printer, "", NULL));
	for (int i = 0; i < many; i++)
		assert_true(sink->record(printer, &full, NULL));
	assert_true(sink->report_end(printer, &header, NULL));
	json_printer_free(printer);
	fclose(out);
	struct json_object *document = json_tokener_parse(text);
	assert_non_null(document);
	assert_int_equal(json_object_array_length(json_object_object_get(document, "record")), many);
	json_object_put(document);
	free(text);
}

static void a_full_disk_is_a_system_error(void **state)
{
	(void)state;
	GError *error = NULL;
	FILE *full_disk = fopen("/dev/full", "w");
	setvbuf(full_disk, NULL, _IONBF, 0);
	struct json_printer *printer = json_printer_new(full_disk, NULL);
	const struct report_sink *sink = json_printer_sink();
	assert_true(sink->report_begin(printer, "", NULL));
	assert_false(sink->report_end(printer, &header, &error));
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYSTEM));
	g_error_free(error);
	json_printer_free(printer);
	fclose(full_disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_are_printed_as_designed),
		cmocka_unit_test(a_reader_finds_the_values_again),
		cmocka_unit_test(many_records_come_behind_the_header),
		cmocka_unit_test(a_full_disk_is_a_system_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
