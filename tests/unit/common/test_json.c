/* The canonical JSON, byte for byte, and that a JSON reader accepts it. */
#include "server/common/json_printer.h"

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "parser/error.h"
#include "server/common/json.h"
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
	"count\",\"raw\":\"1.0\"}],\"version\":\"1.0\",\"xmlns\":null,\"partial\":false,\"records\":2,"      \
	"\"sha256\":\"01ff000000000000000000000000000000000000000000000000000000000000\"}\n"

/* Print what say passes to the sink; transfer full. */
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

static const char *const two[] = { "a", "b" };
static const struct failure_report full_failure = { .feedback_type = "auth-failure",
	.user_agent = "Lua/1.0",
	.version = "1",
	.auth_failure = "dmarc",
	.authentication_results = two,
	.n_authentication_results = 2,
	.identity_alignment = "dkim",
	.delivery_result = "reject",
	.original_envelope_id = "e1",
	.original_mail_from = "",
	.original_rcpt_to = two,
	.n_original_rcpt_to = 1,
	.arrival_date = "Thu, 1 Jan 1970 01:00:07 +0100",
	.arrival_time = 7,
	.reporting_mta = "dns; mx.example",
	.source_ip = "192.0.2.1",
	.source_port = 25,
	.incidents = 3,
	.reported_domain = two,
	.n_reported_domain = 2,
	.reported_uri = two + 1,
	.n_reported_uri = 1,
	.dkim_domain = "a.example",
	.dkim_identity = "@a.example",
	.dkim_selector = "s1",
	.dkim_canonicalized_header = "aGVsbG8=",
	.dkim_canonicalized_body = "Ym9keQ==",
	.dkim_selector_dns = "v=DKIM1",
	.dkim_adsp_dns = "dkim=all",
	.spf_dns = two,
	.n_spf_dns = 2,
	.header_from = "a.example",
	.message_id = "<1@a.example>",
	.subject = "\"hello\"",
	.original_headers = "From: x\nTo: y\n",
	.original_body = "body",
	.sha256 = { 0x01, 0xff },
	.note = one_note,
	.n_note = 1 };
static const struct failure_report abuse = {
	.feedback_type = "abuse", .arrival_time = -1, .source_port = -1, .incidents = -1
};

#define HASH(begin) "\"sha256\":\"" begin "000000000000000000000000000000000000000000000000000000000000\""
#define FULL_FAILURE                                                                                         \
	"\"feedback_type\":\"auth-failure\",\"user_agent\":\"Lua/1.0\",\"version\":\"1\","                   \
	"\"auth_failure\":\"dmarc\",\"authentication_results\":[\"a\",\"b\"],\"identity_alignment\":"        \
	"\"dkim\","                                                                                          \
	"\"delivery_result\":\"reject\",\"original_envelope_id\":\"e1\",\"original_mail_from\":\"\","        \
	"\"original_rcpt_to\":[\"a\"],\"arrival_date\":\"Thu, 1 Jan 1970 01:00:07 +0100\","                  \
	"\"arrival_time\":\"1970-01-01T00:00:07Z\",\"reporting_mta\":\"dns; mx.example\","                   \
	"\"source_ip\":\"192.0.2.1\",\"source_port\":25,\"incidents\":3,\"reported_domain\":[\"a\",\"b\"],"  \
	"\"reported_uri\":[\"b\"],\"dkim_domain\":\"a.example\",\"dkim_identity\":\"@a.example\","           \
	"\"dkim_selector\":\"s1\",\"dkim_canonicalized_header\":\"aGVsbG8=\","                               \
	"\"dkim_canonicalized_body\":\"Ym9keQ==\",\"dkim_selector_dns\":\"v=DKIM1\","                        \
	"\"dkim_adsp_dns\":\"dkim=all\",\"spf_dns\":[\"a\",\"b\"],\"header_from\":\"a.example\","            \
	"\"message_id\":\"<1@a.example>\",\"subject\":\"\\\"hello\\\"\","                                    \
	"\"original_headers\":\"From: x\\nTo: y\\n\",\"original_body\":\"body\""
#define EMPTY_FAILURE(type)                                                                                  \
	"\"feedback_type\":" type ",\"user_agent\":null,\"version\":null,\"auth_failure\":null,"             \
	"\"authentication_results\":[],\"identity_alignment\":null,\"delivery_result\":null,"                \
	"\"original_envelope_id\":null,\"original_mail_from\":null,\"original_rcpt_to\":[],"                 \
	"\"arrival_date\":null,\"arrival_time\":null,\"reporting_mta\":null,\"source_ip\":null,"             \
	"\"source_port\":null,\"incidents\":null,\"reported_domain\":[],\"reported_uri\":[],"                \
	"\"dkim_domain\":null,\"dkim_identity\":null,\"dkim_selector\":null,"                                \
	"\"dkim_canonicalized_header\":null,\"dkim_canonicalized_body\":null,\"dkim_selector_dns\":null,"    \
	"\"dkim_adsp_dns\":null,\"spf_dns\":[],\"header_from\":null,\"message_id\":null,\"subject\":null,"   \
	"\"original_headers\":null,\"original_body\":null"
#define NOTES "\"notes\":[{\"code\":\"V1\",\"path\":\"row/count\",\"raw\":\"1.0\"}]"

static void say_failures(const struct report_sink *sink, gpointer user)
{
	struct failure_report untyped = abuse;

	untyped.feedback_type = NULL;
	assert_true(sink->failure(user, "part 1", &full_failure, NULL));
	assert_true(sink->failure(user, "", &abuse, NULL));
	assert_true(sink->failure(user, "", &untyped, NULL));
}

static const struct tls_failure_details one_detail[] = { { "certificate-expired", "192.0.2.1", "mx.example",
    "helo", "2001:db8::1", 100, "https://a.example/?x", "code" } };
static const struct tls_policy two_policies[] = { { .policy_type = "sts",
						      .policy_string = two,
						      .n_policy_string = 2,
						      .policy_domain = "a.example",
						      .mx_host = two,
						      .n_mx_host = 1,
						      .total_successful_session_count = 5326,
						      .total_failure_session_count = 303,
						      .failure_details = one_detail,
						      .n_failure_details = 1 },
	{ .total_successful_session_count = -1, .total_failure_session_count = -1 } };
static const struct tls_report full_tls = { .organization_name = "Example",
	.contact_info = "c@example.com",
	.report_id = "2016",
	.start_datetime = 1459468800,
	.end_datetime = G_GINT64_CONSTANT(253402300799),
	.policies = two_policies,
	.n_policies = 2,
	.sha256 = { 0x02 },
	.note = one_note,
	.n_note = 1 };

#define FULL_TLS                                                                                             \
	"\"organization_name\":\"Example\",\"date_range\":{\"start_datetime\":\"2016-04-01T00:00:00Z\","     \
	"\"end_datetime\":\"9999-12-31T23:59:59Z\"},\"contact_info\":\"c@example.com\",\"report_id\":"       \
	"\"2016\",\"policies\":[{\"policy\":{\"policy_type\":\"sts\",\"policy_string\":[\"a\",\"b\"],"       \
	"\"policy_domain\":\"a.example\",\"mx_host\":[\"a\"]},\"summary\":{"                                 \
	"\"total_successful_session_count\":5326,\"total_failure_session_count\":303},"                      \
	"\"failure_details\":[{\"result_type\":\"certificate-expired\",\"sending_mta_ip\":\"192.0.2.1\","    \
	"\"receiving_mx_hostname\":\"mx.example\",\"receiving_mx_helo\":\"helo\","                           \
	"\"receiving_ip\":\"2001:db8::1\",\"failed_session_count\":100,"                                     \
	"\"additional_information\":\"https://a.example/?x\",\"failure_reason_code\":\"code\"}]},"           \
	"{\"policy\":{\"policy_type\":null,\"policy_string\":[],\"policy_domain\":null,\"mx_host\":[]},"     \
	"\"summary\":{\"total_successful_session_count\":null,\"total_failure_session_count\":null},"        \
	"\"failure_details\":[]}]"

static void say_tls(const struct report_sink *sink, gpointer user)
{
	assert_true(sink->tls(user, "part 2", &full_tls, NULL));
}

/* The column content stores what is printed, without the members that have their own columns. */
static void contents_are_the_reports_own_members(void **state)
{
	(void)state;
	g_autoptr(GString) json = g_string_new("{");
	json_failure_members(json, &full_failure);
	assert_string_equal(json->str, "{" FULL_FAILURE);
	g_string_assign(json, "{");
	json_failure_members(json, &abuse);
	assert_string_equal(json->str, "{" EMPTY_FAILURE("\"abuse\""));
	g_string_assign(json, "{");
	json_tls_members(json, &full_tls);
	assert_string_equal(json->str, "{" FULL_TLS);
}

static void say_partial(const struct report_sink *sink, gpointer user)
{
	struct aggregate_header partial = header;
	partial.partial = TRUE;
	assert_true(sink->report_begin(user, "", NULL));
	assert_true(sink->report_end(user, &partial, NULL));
}

static void say_judged(const struct report_sink *sink, gpointer user)
{
	const struct mail_header mail = { .authentic = AUTHENTIC_FAIL };
	const struct unreadable u = { "part 1", "xml", "no" };
	assert_true(sink->mail(user, &mail, NULL));
	assert_true(sink->unreadable(user, &u, NULL));
}

static void a_mail_that_our_mta_judged_says_so(void **state)
{
	(void)state;
	guint unreadables;
	char *text = print(NULL, say_judged, &unreadables);
	assert_string_equal(text, "{\"kind\":\"unreadable\",\"place\":\"part "
				  "1\",\"authentic\":\"fail\",\"code\":\"xml\",\"reason\":\"no\"}\n");
	free(text);
}

static void a_truncated_report_says_so(void **state)
{
	(void)state;
	guint unreadables;
	char *text = print(NULL, say_partial, &unreadables);
	assert_non_null(strstr(text, ",\"partial\":true,\"records\":2,"));
	free(text);
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
		{ "failures", NULL, say_failures, 0,
		    "{\"kind\":\"failure\",\"place\":\"part 1\"," FULL_FAILURE "," HASH(
			"01ff") "," NOTES "}\n"
				"{\"kind\":\"feedback\",\"place\":\"\"," EMPTY_FAILURE("\"abuse\"") "," HASH(
				    "0000") ",\"notes\":[]}\n"
					    "{\"kind\":\"failure\",\"place\":\"\"," EMPTY_FAILURE(
						"null") "," HASH("0000") ",\"notes\":[]}\n" },
		{ "TLS", "x.json.gz", say_tls, 0,
		    "{\"kind\":\"tls\",\"file\":\"x.json.gz\",\"place\":\"part 2\"," FULL_TLS
		    "," HASH("0200") "," NOTES "}\n" },
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
		cmocka_unit_test(contents_are_the_reports_own_members),
		cmocka_unit_test(a_truncated_report_says_so),
		cmocka_unit_test(a_mail_that_our_mta_judged_says_so),
		cmocka_unit_test(a_reader_finds_the_values_again),
		cmocka_unit_test(many_records_come_behind_the_header),
		cmocka_unit_test(a_full_disk_is_a_system_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
