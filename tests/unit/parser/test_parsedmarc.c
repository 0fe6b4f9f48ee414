/* Reports in the JSON of parsedmarc, by parse_document(): what becomes of each member, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "parser/parse.h"
#include "parser/parsedmarc.h"
#include "tests/unit/parser/collect.h"

static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;

#define HEAD                                                                                                 \
	"{\"xml_schema\": \"1.0\", \"xml_namespace\": null, \"report_metadata\": {\"org_name\": "            \
	"\"r.example\", "                                                                                    \
	"\"org_email\": \"d@r.example\", \"org_extra_contact_info\": null, \"report_id\": \"i<1>\", "        \
	"\"begin_date\": \"2026-03-01 02:00:00\", \"end_date\": \"2026-03-02 01:59:59\", \"errors\": [\"e "  \
	"& f\"]}, "                                                                                          \
	"\"policy_published\": {\"domain\": \"a.example\", \"adkim\": \"r\", \"aspf\": \"s\", \"p\": "       \
	"\"reject\", "                                                                                       \
	"\"sp\": \"none\", \"pct\": \"50\", \"fo\": null}, \"records\": ["
#define INTERVAL(begin, end)                                                                                 \
	"\"interval_begin\": \"2026-03-" begin "\", \"interval_end\": \"2026-03-" end "\""
#define RECORD(interval, selector)                                                                           \
	"{\"source\": {\"ip_address\": \"192.0.2.1\", \"country\": \"DE\"}, \"count\": 7, "                  \
	"\"policy_evaluated\": "                                                                             \
	"{\"disposition\": \"none\", \"dkim\": \"pass\", \"spf\": \"fail\", \"policy_override_reasons\": "   \
	"[{\"type\": \"forwarded\", \"comment\": null}]}, \"identifiers\": {\"header_from\": "               \
	"\"a.example\", "                                                                                    \
	"\"envelope_from\": \"b.example\", \"envelope_to\": null}, \"auth_results\": {\"dkim\": "            \
	"[{\"domain\": "                                                                                     \
	"\"a.example\", \"selector\": \"" selector "\", \"result\": \"pass\"}], \"spf\": [{\"domain\": "     \
	"\"b.example\", \"scope\": \"mfrom\", \"result\": \"pass\"}]}, " interval "}"
#define DAY INTERVAL("01 00:00:00", "01 23:59:59")

#define XML_RECORD(selector)                                                                                 \
	"<record><row><source_ip>192.0.2.1</source_ip><count>7</count><policy_evaluated><disposition>none"   \
	"</disposition><dkim>pass</dkim><spf>fail</spf><reason><type>forwarded</type></reason>"              \
	"</policy_evaluated></row><identifiers><header_from>a.example</header_from><envelope_from>b.example" \
	"</envelope_from></identifiers><auth_results><dkim><domain>a.example</domain>" selector              \
	"<result>pass</result></dkim><spf><domain>b.example</domain><scope>mfrom</scope><result>pass"        \
	"</result></spf></auth_results></record>"
#define XML_HEAD(dates)                                                                                      \
	"<feedback><version>1.0</version><report_metadata><org_name>r.example</org_name><email>d@r.example"  \
	"</email><report_id>i&lt;1&gt;</report_id><date_range>" dates "</date_range><error>e &amp; f"        \
	"</error></report_metadata><policy_published><domain>a.example</domain><adkim>r</adkim><aspf>s"      \
	"</aspf><p>reject</p><sp>none</sp><pct>50</pct></policy_published>"
#define XML_DAY XML_HEAD("<begin>1772323200</begin><end>1772409599</end>")

#define TLS(dates, policies)                                                                                 \
	"{\"organization_name\": \"R Inc.\", " dates ", \"contact_info\": [\"t@r.example\"], "               \
	"\"report_id\": \"t-1\", \"policies\": " policies "}"
#define TLS_WANT(dates, policies)                                                                            \
	"{\"organization-name\":\"R Inc.\",\"contact-info\":[\"t@r.example\"],\"report-id\":\"t-1\","        \
	"\"date-range\":{" dates "},\"policies\":" policies "}"
#define TLS_DATES      "\"begin_date\": \"2026-03-01T00:00:00Z\", \"end_date\": \"2026-03-01 23:59:59\""
#define TLS_DATES_WANT "\"start-datetime\":\"2026-03-01T00:00:00Z\",\"end-datetime\":\"2026-03-01T23:59:59Z\""

#define FAILURE(more)                                                                                        \
	"{\"feedback_type\": \"auth-failure\", \"user_agent\": null, \"arrival_date\": "                     \
	"\"Mon, 02 Mar 2026 11:20:27 +0200\", \"arrival_date_utc\": \"2026-03-02 09:20:27\", "               \
	"\"auth_failure\": [\"dmarc\", \"spf\"], \"authentication_mechanisms\": [], \"reported_domain\": "   \
	"\"a.example\", \"source\": {\"ip_address\": \"192.0.2.1\"}, " more "}"
#define FAILURE_WANT                                                                                         \
	"Feedback-Type: auth-failure\r\nArrival-Date: Mon, 02 Mar 2026 11:20:27 +0200\r\nAuth-Failure: "     \
	"dmarc, spf\r\nReported-Domain: a.example\r\nSource-IP: 192.0.2.1\r\n"

static const struct {
	const char *name, *json, *want; /* want NULL: it is no such report */
} rows[] = {
	{ "a TLS report",
	    TLS(TLS_DATES,
		"[{\"policy_domain\": \"a.example\", \"policy_type\": \"sts\", "
		"\"policy_strings\": [\"mode: testing\"], \"mx_host_patterns\": [\"*.a.example\"], "
		"\"successful_session_count\": 5, \"failed_session_count\": 3, \"failure_details\": "
		"[{\"result_type\": \"validation-failure\", \"failed_session_count\": 3, "
		"\"sending_mta_ip\": \"192.0.2.1\", \"receiving_ip\": null, \"other\": 1}]}]"),
	    TLS_WANT(TLS_DATES_WANT, "[{\"policy\":{\"policy-type\":\"sts\",\"policy-string\":[\"mode: "
				     "testing\"],\"policy-domain\":"
				     "\"a.example\",\"mx-host\":[\"*.a.example\"]},\"summary\":{\"total-"
				     "successful-session-count\":5,"
				     "\"total-failure-session-count\":3},\"failure-details\":[{\"result-"
				     "type\":\"validation-failure\","
				     "\"sending-mta-ip\":\"192.0.2.1\",\"failed-session-count\":3}]}]") },
	{ "a TLS report of wrong types", TLS("\"begin_date\": 5, \"end_date\": \"x\"", "{\"a\": []}"),
	    TLS_WANT("\"start-datetime\":5,\"end-datetime\":\"x\"", "[]") },
	{ "a failure report", FAILURE("\"sample\": \"From: a\\n\\nb\""), FAILURE_WANT },
	{ "a failure report without a message", FAILURE("\"sample\": null"), FAILURE_WANT },
	{ "a field cannot become two", FAILURE("\"sample\": 1, \"version\": \"1\\r\\nSource-IP: 192.0.2.9\""),
	    "Feedback-Type: auth-failure\r\nVersion: 1 Source-IP: 192.0.2.9\r\nArrival-Date: Mon, 02 Mar "
	    "2026 "
	    "11:20:27 +0200\r\nAuth-Failure: dmarc, spf\r\nReported-Domain: a.example\r\nSource-IP: "
	    "192.0.2.1\r\n" },
	{ "a report", HEAD RECORD(DAY, "s1") "]}",
	    XML_DAY XML_RECORD("<selector>s1</selector>") "</feedback>\n" },
	{ "an invented selector is left out", HEAD RECORD(DAY, "none") "]}",
	    XML_DAY XML_RECORD("") "</feedback>\n" },
	{ "the period is that of all records, in UTC",
	    HEAD RECORD(INTERVAL("02 00:00:00", "02 23:59:59"), "s") ", " RECORD(DAY, "s") "]}",
	    XML_HEAD("<begin>1772323200</begin><end>1772495999</end>") XML_RECORD("<selector>s</selector>")
		XML_RECORD("<selector>s</selector>") "</feedback>\n" },
	{ "the first second that there is",
	    HEAD RECORD(
		"\"interval_begin\": \"1970-01-01 00:00:00\", \"interval_end\": \"1970-01-01 00:00:00\"",
		"s") "]}",
	    XML_HEAD("<begin>0</begin><end>0</end>") XML_RECORD("<selector>s</selector>") "</feedback>\n" },
	{ "without intervals, the dates as they are", HEAD "]}",
	    XML_HEAD("<begin>2026-03-01 02:00:00</begin><end>2026-03-02 01:59:59</end>") "</feedback>\n" },
	{ "wrong types are left out",
	    "{\"report_metadata\": [], \"policy_published\": \"x\", \"records\": {\"a\": 1}}",
	    "<feedback><report_metadata><date_range></date_range></report_metadata><policy_published>"
	    "</policy_published></feedback>\n" },
	{ "lists of dmarc-srg are texts, and one that is none is left out",
	    "{\"copy_of\": \"dmarc-srg\", \"report_metadata\": {\"errors\": \"[\\\"late\\\"]\"}, "
	    "\"policy_published\": {}, \"records\": [{\"policy_evaluated\": {\"policy_override_reasons\": "
	    "\"[}\"}, \"auth_results\": {\"dkim\": \"[{\\\"domain\\\": \\\"a\\\"}]\", \"spf\": \"[x]\"}}]}",
	    "<feedback><report_metadata><date_range></date_range><error>late</error></report_metadata>"
	    "<policy_published></policy_published><record><row><policy_evaluated></policy_evaluated></row>"
	    "<identifiers></identifiers><auth_results><dkim><domain>a</domain></dkim></auth_results></record>"
	    "</feedback>\n" },
	{ "another object", "{\"report_metadata\": {}, \"policy_published\": {}}", NULL },
	{ "an empty object", "{}", NULL },
	{ "not JSON", "{\"report_metadata\" x", NULL },
};

static void a_report_becomes_what_was_sent(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct parsedmarc copy;
		g_autoptr(GError) error = NULL;

		if (!parsedmarc_read(
			(const guint8 *)rows[i].json, strlen(rows[i].json), &LIMITS, &copy, &error))
			fail_msg("%s: %s", rows[i].name, error->message);
		if (g_strcmp0(copy.text == NULL ? NULL : copy.text->str, rows[i].want) != 0)
			fail_msg("%s: %s", rows[i].name, copy.text == NULL ? "no report" : copy.text->str);
		parsedmarc_clear(&copy);
	}
}

static char *findings(const char *document)
{
	const struct parser_options options = { .limits = LIMITS };
	struct collect collect;
	char *lines;

	collect_init(&collect);
	assert_true(
	    parse_document((const guint8 *)document, strlen(document), &options, &COLLECT, &collect, NULL));
	lines = g_strdup(collect.lines->str);
	collect_clear(&collect);
	return lines;
}

static void a_file_has_a_report_that_is_noted_as_a_copy(void **state)
{
	g_autofree char *lines = findings(HEAD RECORD(DAY, "s1") "]}");

	(void)state;
	if (strstr(lines, "domain=a.example") == NULL || strstr(lines, "{K1 feedback parsedmarc}") == NULL ||
	    strstr(lines, "records=1") == NULL)
		fail_msg("%s", lines);
}

static void other_kinds_are_noted_as_copies_too(void **state)
{
	g_autofree char *tls = findings(TLS(TLS_DATES, "[{\"policy_domain\": \"a.example\", \"policy_type\": "
						       "\"sts\", \"successful_session_count\": 5, "
						       "\"failed_session_count\": 0}]"));
	g_autofree char *failure =
	    findings(FAILURE("\"sample\": \"From: x@a.example\\nSubject: s\\n\\nbody\\n\""));

	(void)state;
	if (strstr(tls, "a.example") == NULL || strstr(tls, "{K1 report parsedmarc}") == NULL)
		fail_msg("%s", tls);
	if (strstr(failure, "a.example") == NULL || strstr(failure, "192.0.2.1") == NULL ||
	    strstr(failure, "{K1 report parsedmarc}") == NULL)
		fail_msg("%s", failure);
}

static void a_mail_has_none(void **state)
{
	g_autofree char *lines =
	    findings("Subject: x\nContent-Type: application/json\n\n" HEAD RECORD(DAY, "s1") "]}");

	(void)state;
	if (strstr(lines, "domain=a.example") != NULL)
		fail_msg("%s", lines);
}

static void a_file_that_ruad_put_into_a_mail_has_one(void **state)
{
	g_autofree char *lines =
	    findings("Subject: x\nContent-Type: application/vnd.ruad.file\n\n" HEAD RECORD(DAY, "s1") "]}");
	g_autofree char *forwarded = findings(
	    "Subject: x\nContent-Type: message/rfc822\n\nSubject: y\nContent-Type: application/json\n"
	    "\n" HEAD RECORD(DAY, "s1") "]}");

	(void)state;
	if (strstr(lines, "domain=a.example") == NULL || strstr(lines, "{K1 feedback parsedmarc}") == NULL)
		fail_msg("%s", lines);
	if (strstr(forwarded, "domain=a.example") != NULL)
		fail_msg("%s", forwarded);
}

static void text_cannot_end_an_element(void **state)
{
	g_autofree char *lines =
	    findings("{\"report_metadata\": {\"org_name\": \"</org_name><email>x@x</email>\\u0001\", "
		     "\"report_id\": \"1\", \"begin_date\": \"2026-03-01 00:00:00\", \"end_date\": "
		     "\"2026-03-01 23:59:59\"}, \"policy_published\": {\"domain\": \"a.example\"}, "
		     "\"records\": []}");

	(void)state;
	if (strstr(lines, "</org_name><email>x@x</email>") == NULL || strstr(lines, "email=x@x") != NULL)
		fail_msg("%s", lines);
}

static void ambiguous_json_is_unreadable(void **state)
{
	g_autofree char *lines =
	    findings("{\"report_metadata\": {}, \"policy_published\": {}, \"records\": [], \"records\": []}");

	(void)state;
	if (strstr(lines, "json") == NULL)
		fail_msg("%s", lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_becomes_what_was_sent),
		cmocka_unit_test(a_file_has_a_report_that_is_noted_as_a_copy),
		cmocka_unit_test(other_kinds_are_noted_as_copies_too),
		cmocka_unit_test(a_mail_has_none),
		cmocka_unit_test(a_file_that_ruad_put_into_a_mail_has_one),
		cmocka_unit_test(text_cannot_end_an_element),
		cmocka_unit_test(ambiguous_json_is_unreadable),
	};

	parse_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
