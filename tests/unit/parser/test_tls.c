/* SMTP TLS reports, through parse.h. In tables, ' means ".
 * Numbers in names are those of the assertions in the standards digest. */
#include "parser/parse.h"
#include "tests/unit/parser/collect.h"
#include "tests/unit/parser/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HEAD   "'organization-name':'Org','contact-info':'a@b.example','report-id':'r'"
#define DATES  "'date-range':{'start-datetime':'1970-01-02T00:00:00Z','end-datetime':'1970-01-02T23:59:59Z'}"
#define POLICY "'policy':{'policy-type':'sts','policy-domain':'a.example'}"
#define COUNTS "'summary':{'total-successful-session-count':1,'total-failure-session-count':2}"

/* Reports that differ in one place. */
#define REPORT             "{" HEAD "," DATES ",'policies':[{" POLICY "," COUNTS "}]}"
#define WITH_DATES(range)  "{" HEAD "," range ",'policies':[{" POLICY "," COUNTS "}]}"
#define WITH_POLICIES(all) "{" HEAD "," DATES ",'policies':" all "}"
#define WITH_POLICY(inner) WITH_POLICIES("[{'policy':{" inner "}," COUNTS "}]")
#define WITH_COUNT(count)                                                                                    \
	WITH_POLICIES("[{" POLICY ",'summary':{'total-successful-session-count':" count                      \
		      ",'total-failure-session-count':2}}]")
#define WITH_FAILURES(all)  WITH_POLICIES("[{" POLICY "," COUNTS ",'failure-details':" all "}]")
#define WITH_FAILURE(inner) WITH_FAILURES("[{" inner ",'failed-session-count':3}]")
#define START(text)         "'date-range':{'start-datetime':" text ",'end-datetime':'1970-01-02T23:59:59Z'}"

/* And what is told of them. */
#define TOLD(place, dates, rest)                                                                             \
	"tls " place " organization_name=Org contact_info=a@b.example report_id=r " dates rest "\n"
#define RANGE                  "start_datetime=86400 end_datetime=172799"
#define OF_POLICIES(rest)      TOLD("file", RANGE, rest)
#define SUMS                   "total_successful_session_count=1 total_failure_session_count=2"
#define OF_POLICY(inner, note) OF_POLICIES(" policy( " inner " " SUMS " )" note)
#define WHOLE                  " policy( policy_type=sts policy_domain=a.example " SUMS " )"
#define OF_REPORT(place)       TOLD(place, RANGE, WHOLE)
#define OF_COUNT(counts, note)                                                                               \
	OF_POLICIES(" policy( policy_type=sts policy_domain=a.example " counts " )" note)
#define OF_FAILURES(all, note)                                                                               \
	OF_POLICIES(" policy( policy_type=sts policy_domain=a.example " SUMS all " )" note)
#define OF_FAILURE(inner, note) OF_FAILURES(" failure( " inner " failed_session_count=3 )", note)
#define OF_REASON(inner, note)  OF_FAILURES(" failure( failed_session_count=3 " inner " )", note)
#define OF_START(epoch, note)   TOLD("file", "start_datetime=" epoch " end_datetime=172799", WHOLE note)
#define NOT(code, words)        "unreadable " code ": file: " words "\n"
#define NO_REPORT               NOT("no-report", "not a DMARC report")

static const struct parser_options OPTIONS = { .limits = PARSER_LIMITS_DEFAULT };

struct row {
	const char *name, *json, *want; /* '%' in want is a number, which versions of json-c differ in */
};

static GByteArray *bytes(const char *text, gsize size)
{
	GByteArray *array = g_byte_array_new();

	g_byte_array_append(array, (const guint8 *)text, (guint)size);
	return array;
}

static GByteArray *quoted(const char *json)
{
	GByteArray *array = bytes(json, strlen(json));

	for (guint i = 0; i < array->len; i++)
		if (array->data[i] == '\'')
			array->data[i] = '"';
	return array;
}

/* What document gives; it is freed. sha256: of the report, or NULL. */
static char *run_with(GByteArray *document, const struct parser_options *options, guint8 *sha256)
{
	struct collect collect;
	g_autoptr(GError) error = NULL;
	/* a copy of that size, so that a read beyond it is seen */
	g_autofree guint8 *data = g_memdup2(document->data, document->len);

	collect_init(&collect);
	if (!parse_document(data, document->len, options, &COLLECT, &collect, &error))
		g_string_append_printf(collect.lines, "!%s", error->message);
	if (sha256 != NULL)
		memcpy(sha256, collect.sha256, 32);
	g_byte_array_unref(document);
	return g_string_free(collect.lines, FALSE);
}

static char *run(GByteArray *document)
{
	return run_with(document, &OPTIONS, NULL);
}

static void check(GByteArray *document, const char *want)
{
	g_autofree char *got = run(document);

	assert_string_equal(got, want);
}

static gboolean is_like(const char *got, const char *want)
{
	gsize before = strcspn(want, "%");

	if (want[before] == '\0')
		return strcmp(got, want) == 0;
	if (strncmp(got, want, before) != 0)
		return FALSE;
	got += before;
	return strcmp(got + strspn(got, "0123456789"), want + before + 1) == 0;
}

static void check_rows(const struct row *row, gsize n)
{
	for (gsize i = 0; i < n; i++) {
		g_autofree char *got = run(quoted(row[i].json));

		if (!is_like(got, row[i].want))
			fail_msg("%s:\ngot  %swant %s", row[i].name, got, row[i].want);
	}
}

static const struct row WHOLES[] = {
	{ "all members",
	    WITH_POLICIES(
		"[{'policy':{'policy-type':'tlsa','policy-string':['3 0 1 1F85','3 0 1 "
		"1F86'],'policy-domain':'a.example',"
		"'mx-host':['mx1.a.example','*.a.example']}," COUNTS ",'failure-details':[{'result-type':"
		"'certificate-expired','sending-mta-ip':'2001:db8:0:0::1','receiving-mx-hostname':'mx1.a."
		"example',"
		"'receiving-mx-helo':'MX1','receiving-ip':'192.0.2.1','failed-session-count':3,"
		"'additional-information':'https://a.example/?a=b','failure-reason-code':'X509 "
		"expired'}]},{" POLICY "," COUNTS "}]"),
	    OF_POLICIES(" policy( policy_type=tlsa policy_string=3 0 1 1F85 policy_string=3 0 1 1F86 "
			"policy_domain=a.example"
			" mx_host=mx1.a.example mx_host=*.a.example " SUMS
			" failure( result_type=certificate-expired sending_mta_ip=2001:db8::1"
			" receiving_mx_hostname=mx1.a.example receiving_mx_helo=MX1 receiving_ip=192.0.2.1 "
			"failed_session_count=3"
			" additional_information=https://a.example/?a=b failure_reason_code=X509 expired ) "
			")" WHOLE) },
	{ "absent is not empty",
	    "{" DATES
	    ",'organization-name':'','policies':[{'policy':{'policy-type':'sts','policy-domain':'a.example',"
	    "'policy-string':[''],'mx-host':[]}," COUNTS "}]}",
	    "tls file organization_name= " RANGE
	    " policy( policy_type=sts policy_string= policy_domain=a.example " SUMS " )\n" },
	{ "any order, and members that nobody knows",
	    "{'x':{'report-id':'other'},'policies':[{'y':[1],'summary':{'z':null,'total-failure-session-"
	    "count':2,"
	    "'total-successful-session-count':1}," POLICY "}],'report-id':'r'," DATES
	    ",'contact-info':'a@b.example','organization-name':'Org'}",
	    OF_REPORT("file") },
	{ "names with _ or nothing for -, in any case",
	    "{'organization_name':'Org','ContactInfo':'a@b.example','REPORT-ID':'r'," DATES
	    ",'policies':[{" POLICY "," COUNTS "}]}",
	    TOLD("file", RANGE,
		WHOLE " {X3 organization_name organization_name} {X3 contact_info ContactInfo} {X3 report_id "
		      "REPORT-ID}") },
	{ "names that begin like a known one, or begin one, or are empty",
	    "{'':'a','-':'b','report':'c','organization':'d','report-id-x':'e','organization-names':'f'," HEAD
	    "," DATES ",'policies':[{" POLICY "," COUNTS "}]}",
	    OF_REPORT("file") },
	{ "two spellings of a member: the first counts",
	    "{" HEAD ",'report_id':'s'," DATES ",'policies':[{" POLICY "," COUNTS "}]}",
	    TOLD("file", RANGE, WHOLE " {X3 report_id report_id} {X4 report_id}") },
	{ "texts of other types",
	    "{'organization-name':[1],'contact-info':null,'report-id':12," DATES ",'policies':[{" POLICY
	    "," COUNTS "}]}",
	    "tls file report_id=12 " RANGE WHOLE
	    " {J2 organization_name} {J2 contact_info null} {J2 report_id 12}\n" },
	{ "texts are trimmed",
	    "{" HEAD ",'date-range' : {'start-datetime':' 1970-01-02T00:00:00Z ',"
	    "'end-datetime':'1970-01-02T23:59:59Z'},'policies':[{" POLICY "," COUNTS "}]}",
	    OF_REPORT("file") },
};

static void every_member_is_read(void **state)
{
	(void)state;
	check_rows(WHOLES, G_N_ELEMENTS(WHOLES));
}

static const struct row TOLERANCES[] = {
	{ "59 mx-host is a string",
	    WITH_POLICY("'policy-type':'sts','policy-domain':'a.example','mx-host':'*.A.example.'"),
	    OF_POLICY("policy_type=sts policy_domain=a.example mx_host=*.a.example",
		" {V2 policies/policy/mx_host *.A.example.}") },
	{ "59 mx-host is an array",
	    WITH_POLICY(
		"'policy-type':'sts','policy-domain':'a.example','mx-host':['b.example','c.example']"),
	    OF_POLICY("policy_type=sts policy_domain=a.example mx_host=b.example mx_host=c.example", "") },
	{ "59 mx-host is absent", REPORT, OF_REPORT("file") },
	{ "59 mx-host is null", WITH_POLICY("'policy-type':'sts','policy-domain':'a.example','mx-host':null"),
	    OF_POLICY("policy_type=sts policy_domain=a.example", " {J2 policies/policy/mx_host null}") },
	{ "59 mx-host is called mx-host-pattern",
	    WITH_POLICY("'policy-type':'sts','policy-domain':'a.example','mx-host-pattern':['b.example']"),
	    OF_POLICY("policy_type=sts policy_domain=a.example mx_host=b.example",
		" {X3 policies/policy/mx_host mx-host-pattern}") },
	{ "59 mx-host holds what is no string",
	    WITH_POLICY("'policy-type':'sts','policy-domain':'a.example','mx-host':[null,{},'b.example',5]"),
	    OF_POLICY("policy_type=sts policy_domain=a.example mx_host=b.example mx_host=5",
		" {J2 policies/policy/mx_host null}") },
	{ "59 policy-domain is absent", WITH_POLICY("'policy-type':'sts'"),
	    OF_POLICY("policy_type=sts", " {J1 policies/policy/policy_domain}") },
	{ "59 policy-domain is empty", WITH_POLICY("'policy-type':'no-policy-found','policy-domain':''"),
	    OF_POLICY("policy_type=no-policy-found policy_domain=", " {J1 policies/policy/policy_domain }") },
	{ "59 policy is absent", WITH_POLICIES("[{" COUNTS "}]"),
	    OF_POLICIES(" policy( " SUMS " ) {J1 policies/policy/policy_domain}") },
	{ "59 failure-details are null", WITH_FAILURES("null"),
	    OF_FAILURES("", " {J2 policies/failure_details null}") },
	{ "59 failure-details are empty", WITH_FAILURES("[]"), OF_REPORT("file") },
	{ "59 failure-details are one object",
	    WITH_FAILURES("{'result-type':'tlsa-invalid','failed-session-count':3}"),
	    OF_FAILURE("result_type=tlsa-invalid", " {J2 policies/failure_details}") },
	{ "59 failure-details hold what is none",
	    WITH_FAILURES("[null,{},'x',[],{'failed-session-count':3}]"),
	    OF_FAILURES(" failure( failed_session_count=3 )", " {J2 policies/failure_details null}") },
	{ "60 unknown result-type", WITH_FAILURE("'result-type':'quantum-flux'"),
	    OF_FAILURE(
		"result_type=quantum-flux", " {V1 policies/failure_details/result_type quantum-flux}") },
	{ "60 known result-type in capitals", WITH_FAILURE("'result-type':'DNSSEC-invalid'"),
	    OF_FAILURE(
		"result_type=dnssec-invalid", " {V1 policies/failure_details/result_type DNSSEC-invalid}") },
	{ "60 two known ones are none", WITH_FAILURE("'result-type':'dnssec-invalid dane-required'"),
	    OF_FAILURE("result_type=dnssec-invalid dane-required",
		" {V1 policies/failure_details/result_type dnssec-invalid dane-required}") },
	{ "60 result-type of the RFC but not of its last draft",
	    WITH_FAILURE("'result-type':'sts-policy-fetch-error'"),
	    OF_FAILURE("result_type=sts-policy-fetch-error", "") },
	{ "60 failures are more than their total",
	    WITH_FAILURES("[{'failed-session-count':2},{'failed-session-count':2}]"),
	    OF_FAILURES(" failure( failed_session_count=2 ) failure( failed_session_count=2 )", "") },
	{ "unknown policy-type", WITH_POLICY("'policy-type':'TLS','policy-domain':'a.example'"),
	    OF_POLICY("policy_type=tls policy_domain=a.example", " {V1 policies/policy/policy_type TLS}") },
	{ "policy-string is a string",
	    WITH_POLICY("'policy-type':'sts','policy-domain':'a.example','policy-string':'version: STSv1'"),
	    OF_POLICY("policy_type=sts policy_string=version: STSv1 policy_domain=a.example",
		" {J2 policies/policy/policy_string version: STSv1}") },
	{ "policy-string is a string with blanks around it",
	    WITH_POLICY(
		"'policy-type':'sts','policy-domain':'a.example','policy-string':' version: STSv1\\n'"),
	    OF_POLICY("policy_type=sts policy_string=version: STSv1 policy_domain=a.example",
		" {J2 policies/policy/policy_string version: STSv1}") },
	{ "policy-domain is not in its form",
	    WITH_POLICY("'policy-type':'sts','policy-domain':'B\\u00fccher.Example.'"),
	    OF_POLICY("policy_type=sts policy_domain=xn--bcher-kva.example",
		" {V2 policies/policy/policy_domain B\xc3\xbc"
		"cher.Example.}") },
	{ "no address", WITH_FAILURE("'sending-mta-ip':'','receiving-ip':'::ffff:192.0.2.1'"),
	    OF_FAILURE("receiving_ip=192.0.2.1", " {I1 policies/failure_details/sending_mta_ip } {I1 "
						 "policies/failure_details/receiving_ip ::ffff:192.0.2.1}") },
	{ "additional-information by another name", WITH_FAILURE("'additional-info-uri':'u'"),
	    OF_REASON("additional_information=u",
		" {X3 policies/failure_details/additional_information additional-info-uri}") },
	{ "no count", WITH_FAILURES("[{'result-type':'tlsa-invalid'}]"),
	    OF_FAILURES(" failure( result_type=tlsa-invalid )",
		" {C1 policies/failure_details/failed_session_count}") },
	{ "no summary", WITH_POLICIES("[{" POLICY "}]"),
	    OF_POLICIES(" policy( policy_type=sts policy_domain=a.example ) {C1 "
			"policies/summary/total_successful_session_count} {C1 "
			"policies/summary/total_failure_session_count}") },
	{ "summary is a number", WITH_POLICIES("[{" POLICY ",'summary':3}]"),
	    OF_POLICIES(" policy( policy_type=sts policy_domain=a.example ) {J2 policies/summary 3} {C1 "
			"policies/summary/total_successful_session_count} {C1 "
			"policies/summary/total_failure_session_count}") },
	{ "policies are one object", WITH_POLICIES("{" POLICY "," COUNTS "}"),
	    OF_POLICIES(WHOLE " {J2 policies}") },
	{ "policies hold what is none", WITH_POLICIES("[null,{'x':1},{" POLICY "," COUNTS "}]"),
	    OF_POLICIES(WHOLE " {J2 policies null}") },
};

static void assertions_59_and_60_what_deviates_is_read(void **state)
{
	(void)state;
	check_rows(TOLERANCES, G_N_ELEMENTS(TOLERANCES));
}

#define COUNT_NOTE(code, raw) " {" code " policies/summary/total_successful_session_count" raw "}"
#define COUNTED(count)        "total_successful_session_count=" count " total_failure_session_count=2"
#define NOT_COUNTED           "total_failure_session_count=2"

static const struct row NUMBERS[] = {
	{ "0", WITH_COUNT("0"), OF_COUNT(COUNTED("0"), "") },
	{ "as a string", WITH_COUNT("'5'"), OF_COUNT(COUNTED("5"), COUNT_NOTE("J2", " 5")) },
	{ "5.0", WITH_COUNT("5.0"), OF_COUNT(COUNTED("5"), COUNT_NOTE("C1", " 5.0")) },
	{ "5.5", WITH_COUNT("5.5"), OF_COUNT(NOT_COUNTED, COUNT_NOTE("C1", " 5.5")) },
	{ "5e0", WITH_COUNT("5e0"), OF_COUNT(NOT_COUNTED, COUNT_NOTE("C1", " 5e0")) },
	{ "negative", WITH_COUNT("-5"), OF_COUNT(NOT_COUNTED, COUNT_NOTE("C1", " -5")) },
	{ "the largest", WITH_COUNT("9223372036854775807"), OF_COUNT(COUNTED("9223372036854775807"), "") },
	{ "one more", WITH_COUNT("9223372036854775808"),
	    OF_COUNT(NOT_COUNTED, COUNT_NOTE("C1", " 9223372036854775808")) },
	{ "words", WITH_COUNT("'many'"),
	    OF_COUNT(NOT_COUNTED, COUNT_NOTE("J2", " many") COUNT_NOTE("C1", " many")) },
	{ "null", WITH_COUNT("null"), OF_COUNT(NOT_COUNTED, COUNT_NOTE("J2", " null") COUNT_NOTE("C1", "")) },
	{ "true", WITH_COUNT("true"), OF_COUNT(NOT_COUNTED, COUNT_NOTE("J2", " true") COUNT_NOTE("C1", "")) },
	{ "a list", WITH_COUNT("[5]"), OF_COUNT(NOT_COUNTED, COUNT_NOTE("J2", "") COUNT_NOTE("C1", "")) },
};

static void counts_are_whole_numbers_or_noted(void **state)
{
	(void)state;
	check_rows(NUMBERS, G_N_ELEMENTS(NUMBERS));
}

/* json-c refuses it or reads the largest that it has, as its version has it: neither is taken for a count. */
static void a_count_beyond_64_bits_is_none(void **state)
{
	g_autofree char *got = run(quoted(WITH_COUNT("99999999999999999999")));

	(void)state;
	if (!g_str_has_prefix(got, "unreadable json: file: TLS report: byte "))
		assert_string_equal(got, OF_COUNT(NOT_COUNTED, COUNT_NOTE("C1", " 18446744073709551615")));
}

#define E1(raw)   " {E1 date_range/start_datetime " raw "}"
#define BAD(date) NOT("incomplete", "date-range \"" date "\": not a date (RFC 3339 section 5.6)")

static const struct row DATE_FORMS[] = {
	{ "a leap day", WITH_DATES(START("'2024-02-29T12:30:15Z'")), OF_START("1709209815", "") },
	{ "small t and z", WITH_DATES(START("'2024-02-29t12:30:15z'")), OF_START("1709209815", "") },
	{ "a zone", WITH_DATES(START("'2024-02-29T12:30:15+05:30'")), OF_START("1709190015", "") },
	{ "a zone in the west", WITH_DATES(START("'2024-02-29T12:30:15-08:00'")),
	    OF_START("1709238615", "") },
	{ "a leap second", WITH_DATES(START("'2016-12-31T23:59:60Z'")), OF_START("1483228800", "") },
	{ "a fraction", WITH_DATES(START("'2024-02-29T12:30:15.999Z'")),
	    OF_START("1709209815", E1("2024-02-29T12:30:15.999Z")) },
	{ "no zone", WITH_DATES(START("'2024-02-29T12:30:15'")),
	    OF_START("1709209815", E1("2024-02-29T12:30:15")) },
	{ "a zone without colon", WITH_DATES(START("'2024-02-29T12:30:15+0530'")),
	    OF_START("1709190015", E1("2024-02-29T12:30:15+0530")) },
	{ "a blank for T", WITH_DATES(START("'2024-02-29 12:30:15Z'")),
	    OF_START("1709209815", E1("2024-02-29 12:30:15Z")) },
	{ "a blank before the zone", WITH_DATES(START("'2024-02-29 12:30:15 +0000'")),
	    OF_START("1709209815", E1("2024-02-29 12:30:15 +0000")) },
	{ "no seconds", WITH_DATES(START("'2024-02-29T12:30Z'")),
	    OF_START("1709209800", E1("2024-02-29T12:30Z")) },
	{ "a day", WITH_DATES(START("'2024-02-29'")), OF_START("1709164800", E1("2024-02-29")) },
	{ "its end", WITH_DATES(START("'2024-02-28T24:00:00Z'")),
	    OF_START("1709164800", E1("2024-02-28T24:00:00Z")) },
	{ "epoch seconds", WITH_DATES(START("1709209815")), OF_START("1709209815", E1("1709209815")) },
	{ "epoch seconds in a string", WITH_DATES(START("'1709209815'")),
	    OF_START("1709209815", E1("1709209815")) },
	{ "epoch seconds with a fraction", WITH_DATES(START("1709209815.75")),
	    OF_START("1709209815", E1("1709209815.75")) },
	{ "the epoch", WITH_DATES(START("'1970-01-01T00:00:00Z'")), OF_START("0", "") },
	{ "the last second", WITH_DATES(START("'9999-12-31T23:59:59Z'")), OF_START("253402300799", "") },
	{ "after it", WITH_DATES(START("'9999-12-31T23:59:59-00:01'")), BAD("9999-12-31T23:59:59-00:01") },
	{ "before the epoch", WITH_DATES(START("'1970-01-01T00:00:00+00:01'")),
	    BAD("1970-01-01T00:00:00+00:01") },
	{ "no leap day", WITH_DATES(START("'2023-02-29T00:00:00Z'")), BAD("2023-02-29T00:00:00Z") },
	{ "month 13", WITH_DATES(START("'2023-13-01T00:00:00Z'")), BAD("2023-13-01T00:00:00Z") },
	{ "hour 24 and more", WITH_DATES(START("'2023-02-28T24:00:01Z'")), BAD("2023-02-28T24:00:01Z") },
	{ "minute 60", WITH_DATES(START("'2023-02-28T23:60:00Z'")), BAD("2023-02-28T23:60:00Z") },
	{ "second 61", WITH_DATES(START("'2023-02-28T23:00:61Z'")), BAD("2023-02-28T23:00:61Z") },
	{ "zone of 24 hours", WITH_DATES(START("'2023-02-28T23:00:00+24:00'")),
	    BAD("2023-02-28T23:00:00+24:00") },
	{ "half a zone", WITH_DATES(START("'2023-02-28T23:00:00+05:'")), BAD("2023-02-28T23:00:00+05:") },
	{ "more behind it", WITH_DATES(START("'2023-02-28T23:00:00Zx'")), BAD("2023-02-28T23:00:00Zx") },
	{ "a day without dashes", WITH_DATES(START("'20230228'")), BAD("20230228") },
	{ "milliseconds", WITH_DATES(START("1709209815000")), BAD("1709209815000") },
	{ "words", WITH_DATES(START("'yesterday'")), BAD("yesterday") },
	{ "nothing", WITH_DATES(START("''")), BAD("") },
};

static void dates_are_those_of_rfc_3339_or_noted(void **state)
{
	(void)state;
	check_rows(DATE_FORMS, G_N_ELEMENTS(DATE_FORMS));
}

#define NO_RANGE    NOT("incomplete", "no date-range (RFC 8460 section 4.4)")
#define NO_POLICIES NOT("incomplete", "no policies (RFC 8460 section 4.4)")

static const struct row OTHERS[] = {
	{ "other JSON", "{'a':1}", NO_REPORT },
	{ "one member of ours", "{'report-id':'r','a':1}", NO_REPORT },
	{ "members of ours deeper", "{'a':{" HEAD "}}", NO_REPORT },
	{ "members of ours in the second object", "{'a':1} {" HEAD "}", NO_RANGE },
	{ "members of ours in a string", "{'a':1,'b':'{report-id:,policies:}'}", NO_REPORT },
	{ "the same member twice", "{'report-id':1,'report_id':2}", NO_REPORT },
	{ "an array", "['report-id','policies']", "unreadable no-report: mail: not a DMARC report\n" },
	{ "two members", "{'report-id':'r','organization-name':'o'}", NO_RANGE },
	{ "no date-range", "{" HEAD ",'policies':[{" POLICY "," COUNTS "}]}", NO_RANGE },
	{ "date-range null", WITH_DATES("'date-range':null"), NO_RANGE },
	{ "date-range without end", WITH_DATES("'date-range':{'start-datetime':'1970-01-02T00:00:00Z'}"),
	    NO_RANGE },
	{ "no policies", "{" HEAD "," DATES "}", NO_POLICIES },
	{ "policies null", WITH_POLICIES("null"), NO_POLICIES },
	{ "policies empty", WITH_POLICIES("[]"),
	    "tls file organization_name=Org contact_info=a@b.example report_id=r start_datetime=86400 "
	    "end_datetime=172799 {R0 policies}\n" },
	{ "policies hold none", WITH_POLICIES("[{},1]"), NO_POLICIES },
	{ "cut off", "{" HEAD "," DATES ",'policies':[{",
	    NOT("json", "TLS report: byte %: unexpected end of data") },
	{ "cut in a string", "{" HEAD ",'date-r", NOT("json", "TLS report: byte %: unexpected end of data") },
	{ "no comma", "{" HEAD " " DATES "}",
	    NOT("json", "TLS report: byte %: object value separator ',' expected") },
	{ "a comma too many", "{" HEAD ",}", NOT("json", "TLS report: byte %: unexpected character") },
	{ "a comment", "{" HEAD ",/* */" DATES "}",
	    NOT("json", "TLS report: byte %: quoted object property name expected") },
	{ "brackets crossed", "{" HEAD ",'policies':[}]",
	    NOT("json", "TLS report: byte %: unexpected character") },
	{ "61 a member twice", "{" HEAD "," DATES ",'report-id':'s','policies':[{" POLICY "," COUNTS "}]}",
	    NOT("json", "TLS report: an object has two members of one name (RFC 7493 section 2.3)") },
	{ "61 a member twice, once escaped",
	    "{" HEAD "," DATES ",'report\\u002did':'s','policies':[{" POLICY "," COUNTS "}]}",
	    NOT("json", "TLS report: an object has two members of one name (RFC 7493 section 2.3)") },
	{ "61 a member twice in a deep object", WITH_FAILURE("'failed-session-count':4"),
	    NOT("json", "TLS report: an object has two members of one name (RFC 7493 section 2.3)") },
	{ "61 colons and brackets in strings are none", WITH_FAILURE("'failure-reason-code':'a\\':{[:,\\\\'"),
	    OF_REASON("failure_reason_code=a\":{[:,\\", "") },
};

static void what_is_no_tls_report_or_cannot_be_read_is_told_apart(void **state)
{
	(void)state;
	check_rows(OTHERS, G_N_ELEMENTS(OTHERS));
}

static const struct row RESTS[] = {
	{ "white space", REPORT " \r\n\t\n", OF_REPORT("file") },
	{ "a footer", REPORT "\n-- \nThe  list\n", OF_POLICIES(WHOLE " {J4 report -- \nThe  list}") },
	{ "a long footer", REPORT "0123456789012345678901234567890123456789012345678901234567890123456789",
	    OF_POLICIES(
		WHOLE " {J4 report 0123456789012345678901234567890123456789012345678901234567890123}") },
	{ "another report", REPORT "\n" REPORT, OF_POLICIES(WHOLE) OF_POLICIES(WHOLE) },
	{ "another report at once", REPORT REPORT, OF_POLICIES(WHOLE) OF_POLICIES(WHOLE) },
	{ "three, with commas and blanks", REPORT ",\r\n" REPORT " , " REPORT,
	    OF_POLICIES(WHOLE) OF_POLICIES(WHOLE) OF_POLICIES(WHOLE) },
	{ "records of RFC 7464", REPORT "\n\x1e" REPORT, OF_POLICIES(WHOLE) OF_POLICIES(WHOLE) },
	{ "braces in a string do not end an object", "{'a':'}\\\"{'}\n" REPORT, OF_POLICIES(WHOLE) },
	{ "another report that does not end", REPORT "\n{" HEAD,
	    OF_POLICIES(WHOLE) NOT("json", "TLS report: byte 71: unexpected end of data") },
	{ "a comma and no report", REPORT ", x",
	    NOT("json", "JSON behind the report: two in one text (RFC 8460 section 4.4)") },
	{ "an array", REPORT "[]",
	    NOT("json", "JSON behind the report: two in one text (RFC 8460 section 4.4)") },
	{ "a bracket too many", REPORT "}", OF_POLICIES(WHOLE " {J4 report }}") },
	{ "white space in a string",
	    "{" HEAD "," DATES ",'policies':[{" POLICY "," COUNTS ",'failure-details':["
	    "{'failure-reason-code':'a\n\tb','failed-session-count':3}]}]}",
	    OF_REASON("failure_reason_code=a  b", " {J3 report}") },
	{ "bytes that are not UTF-8", WITH_FAILURE("'failure-reason-code':'Soci\xe9t\xe9 \x07'"),
	    OF_REASON("failure_reason_code=Soci\xef\xbf\xbdt\xef\xbf\xbd \xef\xbf\xbd", " {J3 report}") },
	{ "escapes", WITH_FAILURE("'failure-reason-code':'\\u00e9\\ud83d\\ude00\\ud83d\\u0000|'"),
	    OF_REASON("failure_reason_code=\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbd\xef\xbf\xbd|", "") },
	{ "a byte order mark", "\xef\xbb\xbf \n" REPORT, OF_REPORT("file") },
};

static void the_text_is_repaired_and_what_follows_it_is_noted(void **state)
{
	g_autoptr(GByteArray) nul = quoted(REPORT);

	(void)state;
	check_rows(RESTS, G_N_ELEMENTS(RESTS));
	g_byte_array_append(nul, (const guint8 *)"\0\n\0", 3);
	check(g_byte_array_ref(nul), OF_REPORT("file"));
}

/* text in UTF-16; big: the high byte is first. */
static GByteArray *utf16(const char *text, gboolean big, gboolean mark)
{
	g_autoptr(GByteArray) utf8 = quoted(text);
	glong n = 0;
	g_autofree gunichar2 *units = g_utf8_to_utf16((const char *)utf8->data, utf8->len, NULL, &n, NULL);
	GByteArray *out = g_byte_array_new();

	assert_non_null(units);
	for (glong i = mark ? -1 : 0; i < n; i++) {
		guint unit = i < 0 ? 0xfeff : units[i];
		guint8 pair[2] = { (guint8)(big ? unit >> 8 : unit), (guint8)(big ? unit : unit >> 8) };

		g_byte_array_append(out, pair, 2);
	}
	return out;
}

static void utf_16_is_converted(void **state)
{
	static const guint8 HALF[] = { 0x3d, 0xd8 }; /* of a pair, low byte first */
	GByteArray *odd = utf16(REPORT, FALSE, TRUE);

	(void)state;
	for (int big = 0; big <= 1; big++)
		for (int mark = 0; mark <= 1; mark++)
			check(utf16(WITH_FAILURE("'failure-reason-code':'\xc3\xa9\xf0\x9f\x98\x80'"), big,
				  mark),
			    OF_REASON("failure_reason_code=\xc3\xa9\xf0\x9f\x98\x80", " {J3 report UTF-16}"));
	g_byte_array_append(odd, HALF, 2);
	g_byte_array_append(odd, (const guint8 *)"x", 1);
	check(odd, OF_POLICIES(WHOLE " {J3 report UTF-16} {J4 report \xef\xbf\xbd\xef\xbf\xbd}"));
}

/* A mail of one attachment in base64. */
static GByteArray *mail_with(const char *type, GByteArray *attachment)
{
	g_autofree char *base64 = g_base64_encode(attachment->data, attachment->len);
	g_autofree char *mail =
	    g_strdup_printf("Subject: s\nContent-Type: multipart/report; report-type=\"tlsrpt\"; "
			    "boundary=b\n\n--b\n\nHello.\n--b\n"
			    "Content-Type: %s; name=r\nContent-Transfer-Encoding: base64\n\n%s\n--b--\n",
		type, base64);

	g_byte_array_unref(attachment);
	return bytes(mail, strlen(mail));
}

static GByteArray *gzip(GByteArray *inner)
{
	GByteArray *out = pack_gzip(inner->data, inner->len);

	g_byte_array_unref(inner);
	return out;
}

static GByteArray *zip(GByteArray *inner)
{
	const struct pack_member member = { "r.json", inner->data, inner->len };
	GByteArray *out = pack_zip(&member, 1);

	g_byte_array_unref(inner);
	return out;
}

static GByteArray *bare(const char *header)
{
	g_autoptr(GByteArray) report = quoted(REPORT);
	GByteArray *mail = bytes(header, strlen(header));

	g_byte_array_append(mail, report->data, report->len);
	return mail;
}

#define MAIL "mail subject=s\n"

static void assertion_61_any_container_and_media_type_will_do(void **state)
{
	(void)state;
	check(mail_with("application/tlsrpt+gzip", gzip(quoted(REPORT))), MAIL OF_REPORT("part 2: r"));
	check(mail_with("application/tlsrpt+json", quoted(REPORT)), MAIL OF_REPORT("part 2: r"));
	check(mail_with("application/tlsrpt+json", gzip(quoted(REPORT))), MAIL OF_REPORT("part 2: r"));
	check(mail_with("application/gzip", gzip(quoted(REPORT))), MAIL OF_REPORT("part 2: r"));
	check(
	    mail_with("application/octet-stream", zip(quoted(REPORT))), MAIL OF_REPORT("part 2: r: r.json"));
	check(mail_with("image/png", zip(gzip(quoted(REPORT)))), MAIL OF_REPORT("part 2: r: r.json"));
	check(bare("Subject: s\nContent-Type: application/tlsrpt+json\n\n"), MAIL OF_REPORT("part 1"));
	check(bare("Subject: s\n\n\n"), MAIL OF_REPORT("part 1"));
	check(bare("Subject: s\nContent-Transfer-Encoding: base64\n\n"), MAIL OF_REPORT("part 1"));
	check(gzip(quoted(REPORT)), OF_REPORT("file"));
	check(zip(quoted(REPORT)), OF_REPORT("file: r.json"));
}

static void base64_that_nothing_declares_is_read(void **state)
{
	static const char *const BEFORE[] = { "", "\n", " ", "\r\n" };

	(void)state;
	for (guint i = 0; i < G_N_ELEMENTS(BEFORE); i++) {
		g_autofree char *text = g_strconcat("{", BEFORE[i], &REPORT[1], NULL);
		g_autoptr(GByteArray) report = quoted(text);
		g_autofree char *base64 = g_base64_encode(report->data, report->len);
		g_autofree char *mail = g_strconcat("Subject: s\n\n", base64, "\n", NULL);

		check(bytes(mail, strlen(mail)), MAIL OF_REPORT("part 1"));
	}
}

static const struct row DOMAINS[] = {
	{ "TLS-Report-Domain", "Subject: Report Domain: s.example\nTLS-Report-Domain: H.example\n",
	    "policy_domain=h.example {J1 "
	    "policies/policy/policy_domain h.example}" },
	{ "Subject", "Subject: =?utf-8?q?Report?= domain:s.example Submitter: x Report-ID: <y>\n",
	    "policy_domain=s.example {J1 policies/policy/policy_domain s.example}" },
	{ "Subject with comma", "Subject: Re: Report Domain:  s.example, Submitter: x, Report-ID: y\n",
	    "policy_domain=s.example {J1 policies/policy/policy_domain s.example}" },
	{ "Subject without it", "Subject: Report Domain: \n", "{J1 policies/policy/policy_domain}" },
	{ "neither", "X: y\n", "{J1 policies/policy/policy_domain}" },
	{ "file name",
	    "Subject: s\nContent-Disposition: attachment; filename=x!F.example!1709164800!1709251199.json\n",
	    "policy_domain=f.example {J1 policies/policy/policy_domain f.example}" },
	{ "of a mail in a mail",
	    "TLS-Report-Domain: o.example\nContent-Type: message/rfc822\n\nTLS-Report-Domain: i.example\n",
	    "policy_domain=i.example {J1 policies/policy/policy_domain i.example}" },
	{ "of the mail around it", "TLS-Report-Domain: o.example\nContent-Type: message/rfc822\n\nX: y\n",
	    "policy_domain=o.example {J1 policies/policy/policy_domain o.example}" },
};

/* The report's text comes behind the row's header; the domain and the notes are what matters of the
 * answer. */
static void the_mail_says_the_domain_where_no_policy_was_found(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(DOMAINS); i++) {
		static const char *const TYPES[] = { "no-policy-found", "sts" };
		for (guint type = 0; type < G_N_ELEMENTS(TYPES); type++) {
			g_autofree char *mail = g_strconcat(DOMAINS[i].json,
			    "\n{" HEAD "," DATES ",'policies':[{'policy':{'policy-type':'", TYPES[type],
			    "'}," COUNTS "}]}", NULL);
			g_autofree char *got = run(quoted(mail));
			char *at = strstr(got, "policy_domain="), *sums = strstr(got, SUMS);
			const char *note = strstr(got, "{");
			g_autofree char *domain =
			    at != NULL && at < sums ? g_strndup(at, (gsize)(sums - at)) : g_strdup("");
			g_autofree char *found = g_strconcat(domain, note, NULL);

			g_strchomp(found);
			if (strcmp(found,
				type == 0 ? DOMAINS[i].want : "{J1 policies/policy/policy_domain}") != 0)
				fail_msg("%s, %s: %s", DOMAINS[i].name, TYPES[type], got);
		}
	}
}

static void sha256_is_that_of_the_unpacked_json(void **state)
{
	guint8 plain[32], packed[32], want[32];
	gsize size = sizeof want;
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	g_autoptr(GByteArray) report = quoted(REPORT "\r\n");

	(void)state;
	g_free(run_with(g_byte_array_ref(report), &OPTIONS, plain));
	g_free(run_with(gzip(g_byte_array_ref(report)), &OPTIONS, packed));
	g_checksum_update(checksum, report->data, report->len);
	g_checksum_get_digest(checksum, want, &size);
	assert_memory_equal(plain, want, 32);
	assert_memory_equal(packed, want, 32);
}

/* head, unit n times, tail. */
static GByteArray *repeat(const char *head, const char *unit, guint n, const char *tail)
{
	GByteArray *out = quoted(head);
	g_autoptr(GByteArray) once = quoted(unit), end = quoted(tail);

	for (guint i = 0; i < n; i++)
		g_byte_array_append(out, once->data, once->len);
	g_byte_array_append(out, end->data, end->len);
	return out;
}

static void check_has(GByteArray *document, const struct parser_options *options, const char *want)
{
	g_autofree char *got = run_with(document, options, NULL);

	if (strstr(got, want) == NULL)
		fail_msg("not %s: %.400s", want, got);
}

#define BEFORE_ALL "{" HEAD "," DATES ",'policies':[{" POLICY "," COUNTS "}],'x':["

static void names_and_values_are_bounded_before_a_tree_is_made(void **state)
{
	struct parser_options options = OPTIONS;
	const guint around = 30; /* names and values before the list's */

	(void)state;
	options.limits.max_json_items = 10; /* 80 names and values */
	check_has(repeat(BEFORE_ALL, "{},", 80 - around - 1, "0]}"), &options, "tls file");
	check_has(repeat(BEFORE_ALL, "{},", 80 - around, "0]}"), &options,
	    "limit: file: TLS report: JSON of more than 80 names");
	check_has(repeat(BEFORE_ALL, "{'a':0},", 16, "0]}"), &options, "tls file");
	check_has(repeat(BEFORE_ALL, "{'a':0},", 17, "0]}"), &options,
	    "limit: file: TLS report: JSON of more than 80 names");
	/* what is wrong about them does not hide them */
	check_has(repeat(BEFORE_ALL, "{},", 80 - around, "::::::::::::::::::::"), &options,
	    "unreadable limit: file: TLS report");
}

static void long_values_are_cut_on_a_character(void **state)
{
	struct parser_options options = OPTIONS;

	(void)state;
	options.limits.max_text = 256;
	check_has(
	    repeat("{" DATES ",'policies':[{" POLICY "," COUNTS "}],'report-id':'x", "\xc3\xa9", 300, "'}"),
	    &options, " {T1 report_id}");
	check_has(
	    repeat("{" DATES ",'policies':[{" POLICY "," COUNTS "}],'report-id':'x", "\\u0001", 200, "'}"),
	    &options, " {T1 report_id}");
}

/* Names are kept in another form than they were sent, which may be longer. */
static void all_values_together_are_bounded(void **state)
{
	struct parser_options options = OPTIONS;

	(void)state;
	options.limits.max_json = 4000;
	check_has(
	    repeat("{" DATES ",'policies':[{'policy':{'mx-host':[0", ",'\xc3\xbc.\xc3\xbc'", 350, "]}}]}"),
	    &options, "unreadable limit: file: values of more than 4000 bytes");
}

static void all_json_of_a_mail_is_bounded(void **state)
{
	struct parser_options options = OPTIONS;
	struct pack_member member[6];
	g_autoptr(GByteArray) report = quoted(REPORT), other = repeat("{'a':'", "x", 1000, "'}");

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(member); i++)
		member[i] = (struct pack_member){ "r", report->data, report->len };
	check_has(pack_zip(member, 6), &OPTIONS, "tls file: r");
	options.limits.max_json = report->len;
	check_has(pack_zip(member, 4), &options, "tls file: r");
	{
		g_autofree char *four = run_with(pack_zip(member, 4), &options, NULL);
		g_autofree char *six = run_with(pack_zip(member, 6), &options, NULL);

		assert_null(strstr(four, "unreadable"));
		assert_true(g_str_has_prefix(six, four));
		assert_non_null(
		    strstr(six, "unreadable limit: file: r: more JSON than is read for one mail\n"));
	}
	for (gsize i = 0; i < G_N_ELEMENTS(member); i++)
		member[i] = (struct pack_member){ "r", other->data, other->len };
	options.limits.max_json = other->len;
	check_has(pack_zip(member, 4), &options, "unreadable no-report: file: ");
	check_has(pack_zip(member, 5), &options, "unreadable limit: file: r: more JSON");
	options = OPTIONS;
	options.limits.max_json_items = 4; /* 32 names and values in one report: it has 28 */
	for (gsize i = 0; i < G_N_ELEMENTS(member); i++)
		member[i] = (struct pack_member){ "r", report->data, report->len };
	{
		g_autofree char *four = run_with(pack_zip(member, 4), &options, NULL);

		assert_null(strstr(four, "unreadable"));
	}
	check_has(pack_zip(member, 5), &options, "unreadable limit: file: r: more JSON");
}

static void an_error_of_the_sink_comes_out(void **state)
{
	struct collect collect;
	g_autoptr(GByteArray) report = quoted(REPORT);
	g_autoptr(GError) error = NULL;

	(void)state;
	collect_init(&collect);
	collect.fail_at = 1;
	assert_false(parse_document(report->data, report->len, &OPTIONS, &COLLECT, &collect, &error));
	assert_true(g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC));
	assert_string_equal(collect.lines->str, OF_REPORT("file"));
	collect_clear(&collect);
}

static int init(void **state)
{
	(void)state;
	parse_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_member_is_read),
		cmocka_unit_test(assertions_59_and_60_what_deviates_is_read),
		cmocka_unit_test(counts_are_whole_numbers_or_noted),
		cmocka_unit_test(a_count_beyond_64_bits_is_none),
		cmocka_unit_test(dates_are_those_of_rfc_3339_or_noted),
		cmocka_unit_test(what_is_no_tls_report_or_cannot_be_read_is_told_apart),
		cmocka_unit_test(the_text_is_repaired_and_what_follows_it_is_noted),
		cmocka_unit_test(utf_16_is_converted),
		cmocka_unit_test(assertion_61_any_container_and_media_type_will_do),
		cmocka_unit_test(base64_that_nothing_declares_is_read),
		cmocka_unit_test(the_mail_says_the_domain_where_no_policy_was_found),
		cmocka_unit_test(sha256_is_that_of_the_unpacked_json),
		cmocka_unit_test(names_and_values_are_bounded_before_a_tree_is_made),
		cmocka_unit_test(long_values_are_cut_on_a_character),
		cmocka_unit_test(all_values_together_are_bounded),
		cmocka_unit_test(all_json_of_a_mail_is_bounded),
		cmocka_unit_test(an_error_of_the_sink_comes_out),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}
