/* Feedback reports, through the front door. Numbers in names are those of the assertions in the standards
 * digest. */
#include "parser/failure.h"
#include "parser/parse.h"
#include "tests/unit/cpu.h"
#include "tests/unit/parser/collect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define REPORT "Subject: s\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n"
#define MIXED  "Subject: s\nContent-Type: multipart/mixed; boundary=b\n\n"
#define TEXT   "--b\n\nThis is a report.\n"
#define SECOND "--b\nContent-Type: message/feedback-report\n\n"
#define ABUSE  "Feedback-Type: abuse\nUser-Agent: x/1\nVersion: 1\n"
#define FAILURE                                                                                              \
	"Feedback-Type: auth-failure\nUser-Agent: x/1\nVersion: 1\nAuth-Failure: spf\nReported-Domain: "     \
	"own.example\n"                                                                                      \
	"Authentication-Results: m.example; spf=fail\n"
#define THIRD                                                                                                \
	"--b\nContent-Type: message/rfc822\n\nFrom: me@own.example\nSubject: t\nMessage-ID: "                \
	"<1@own.example>\n\nbody\n"
#define HEADERS                                                                                              \
	"--b\nContent-Type: text/rfc822-headers\n\nFrom: me@own.example\nSubject: t\nMessage-ID: "           \
	"<1@own.example>\n"
#define END "--b--\n"

#define IS_ABUSE " feedback_type=abuse user_agent=x/1 version=1"
#define IS_FAILURE                                                                                           \
	" feedback_type=auth-failure user_agent=x/1 version=1 auth_failure=spf "                             \
	"authentication_results=m.example; spf=fail"
#define IS_OWN " reported_domain=own.example"
#define IS_MESSAGE                                                                                           \
	" header_from=own.example message_id=1@own.example subject=t original_headers=From: me@own.example|" \
	"Subject: t|Message-ID: <1@own.example>|"

/* What a mail gives after its own line. Transfer full. */
static char *run_bytes(const char *mail, gsize size, gboolean bodies, guint8 sha256[32])
{
	const struct parser_options options = { .limits = PARSER_LIMITS_DEFAULT, .failure_bodies = bodies };
	/* a copy of that size, so that a read beyond it is seen */
	g_autofree guint8 *data = g_memdup2(mail, size);
	struct collect collect;
	char *end;

	collect_init(&collect);
	assert_true(parse_document(data, size, &options, &COLLECT, &collect, NULL));
	if (sha256 != NULL)
		memcpy(sha256, collect.sha256, sizeof collect.sha256);
	end = strchr(collect.lines->str, '\n');
	if (end != NULL && g_str_has_prefix(collect.lines->str, "mail"))
		g_string_erase(collect.lines, 0, end + 1 - collect.lines->str);
	return g_string_free(collect.lines, FALSE);
}

static char *run(const char *mail)
{
	return run_bytes(mail, strlen(mail), FALSE, NULL);
}

struct row {
	const char *name, *mail, *want;
};

static void check_rows(const struct row *row, gsize n)
{
	for (gsize i = 0; i < n; i++) {
		g_autofree char *got = run(row[i].mail);

		if (strcmp(got, row[i].want) != 0)
			fail_msg("%s: %s", row[i].name, got);
	}
}

static void assertion_50_three_parts_with_a_message_or_its_header(void **state)
{
	static const struct row ROWS[] = {
		{ "message", REPORT TEXT SECOND FAILURE THIRD END,
		    "failure part 2:" IS_FAILURE IS_OWN IS_MESSAGE "\n" },
		{ "header", REPORT TEXT SECOND FAILURE HEADERS END,
		    "failure part 2:" IS_FAILURE IS_OWN IS_MESSAGE "\n" },
		{ "no third part", REPORT TEXT SECOND FAILURE END,
		    "failure part 2:" IS_FAILURE IS_OWN " {F1 original_headers}\n" },
	};

	(void)state;
	check_rows(ROWS, G_N_ELEMENTS(ROWS));
}

static void assertion_50_the_third_part_in_any_spelling(void **state)
{
	static const char *const TYPES[] = { "message/rfc822", "MESSAGE/RFC822", "message/rfc-822",
		"message/rfc822-headers", "message/rfc-822-headers", "text/rfc822", "text/rfc-822",
		"text/rfc822-headers", "text/rfc-822-headers", "text/rfc822-header", "message/global",
		"message/global-headers" };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(TYPES); i++) {
		g_autofree char *mail = g_strconcat(
		    REPORT TEXT SECOND FAILURE "--b\nContent-Type: ", TYPES[i],
		    "\n\nFrom: me@own.example\nSubject: t\nMessage-ID: <1@own.example>\n\nbody\n" END, NULL);
		g_autofree char *got = run(mail);

		if (strcmp(got, "failure part 2:" IS_FAILURE IS_OWN IS_MESSAGE "\n") != 0)
			fail_msg("%s: %s", TYPES[i], got);
	}
}

static void assertion_51_other_containers(void **state)
{
	static const struct row ROWS[] = {
		{ "report-type=feedback",
		    "Content-Type: multipart/report; report-type=feedback; boundary=b\n\n" SECOND ABUSE
			HEADERS END,
		    "failure part 1:" IS_ABUSE
		    " header_from=own.example message_id=1@own.example subject=t original_headers="
		    "From: ***@own.example|Subject: t|Message-ID: <1@own.example>| {F5 report_type "
		    "feedback}\n" },
		{ "no report-type", "Content-Type: multipart/report; boundary=b\n\n" SECOND FAILURE THIRD END,
		    "failure part 1:" IS_FAILURE IS_OWN IS_MESSAGE " {F5 report_type}\n" },
		{ "multipart/mixed", MIXED TEXT SECOND FAILURE THIRD END,
		    "failure part 2:" IS_FAILURE IS_OWN IS_MESSAGE " {F5 report_type}\n" },
		{ "another case",
		    "Content-Type: Multipart/Report; Report-Type=\"FEEDBACK-REPORT\"; "
		    "boundary=b\n\n--b\nContent-Type: "
		    "MESSAGE/Feedback-Report\n\n" FAILURE THIRD END,
		    "failure part 1:" IS_FAILURE IS_OWN IS_MESSAGE "\n" },
		{ "without a multipart", "Subject: s\nContent-Type: message/feedback-report\n\n" FAILURE,
		    "failure part 1:" IS_FAILURE IS_OWN " {F5 report_type} {F1 original_headers}\n" },
		{ "forwarded",
		    "Content-Type: multipart/mixed; boundary=o\n\n--o\n\nsee\n--o\nContent-Type: "
		    "message/rfc822\n\n" REPORT SECOND FAILURE THIRD END "--o--\n",
		    "failure part 2:" IS_FAILURE IS_OWN IS_MESSAGE "\n" },
		{ "in a multipart with a footer",
		    "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/report; "
		    "report-type=feedback-report; boundary=b\n\n" SECOND FAILURE THIRD END
		    "--o\n\nfooter\n--o--\n",
		    "failure part 1:" IS_FAILURE IS_OWN IS_MESSAGE "\n" },
		{ "two reports",
		    MIXED SECOND FAILURE HEADERS SECOND ABUSE "Reported-Domain: own.example\n" THIRD END,
		    "failure part 1:" IS_FAILURE IS_OWN IS_MESSAGE
		    " {F5 report_type}\nfailure part 3:" IS_ABUSE IS_OWN IS_MESSAGE " {F5 report_type}\n" },
		{ "fields in base64",
		    REPORT "--b\nContent-Type: message/feedback-report\nContent-Transfer-Encoding: base64\n\n"
			   "RmVlZGJhY2stVHlwZTogYWJ1c2UKVXNlci1BZ2VudDogeC8xClZlcnNpb246IDEK\n" END,
		    "failure part 1:" IS_ABUSE " {F1 original_headers}\n" },
		{ "fields in base64 that nothing declares",
		    REPORT SECOND "RmVlZGJhY2stVHlwZTogYWJ1c2UKVXNlci1BZ2VudDogeC8xClZlcnNpb246IDEK\n" END,
		    "failure part 1:" IS_ABUSE " {F1 original_headers}\n" },
		{ "fields and message in quoted-printable",
		    REPORT "--b\nContent-Type: message/feedback-report\nContent-Transfer-Encoding: "
			   "quoted-printable\n\n"
			   "Feedback-Type: ab=\nuse\nUser-Agent: x=2F1\nVersion: 1\n--b\nContent-Type: "
			   "message/rfc822\n"
			   "Content-Transfer-Encoding: quoted-printable\n\nSubject: t=\nu\n\nbody\n" END,
		    "failure part 1:" IS_ABUSE " subject=tu original_headers=Subject: tu|\n" },
		{ "fields called rfc822-headers",
		    REPORT TEXT "--b\nContent-Type: text/rfc822-headers\n\n" FAILURE THIRD END,
		    "failure part 2:" IS_FAILURE IS_OWN IS_MESSAGE "\n" },
		{ "fields called text, beside a message",
		    MIXED TEXT "--b\nContent-Type: text/plain\n\n" FAILURE THIRD END,
		    "failure part 2:" IS_FAILURE IS_OWN IS_MESSAGE " {F5 report_type}\n" },
		{ "fields called octet-stream",
		    REPORT TEXT "--b\nContent-Type: application/octet-stream\n\n" FAILURE THIRD END,
		    "failure part 2:" IS_FAILURE IS_OWN IS_MESSAGE "\n" },
		{ "fields called by another type of message",
		    REPORT TEXT "--b\nContent-Type: message/x-feedback\n\n" FAILURE THIRD END,
		    "failure part 2:" IS_FAILURE IS_OWN IS_MESSAGE "\n" },
		{ "fields called HTML are none",
		    REPORT TEXT "--b\nContent-Type: text/html\n\n" FAILURE THIRD END,
		    "failure part 3: header_from=own.example message_id=1@own.example subject=t "
		    "original_headers=From: "
		    "***@own.example|Subject: t|Message-ID: <1@own.example>| {F4 feedback_type}\n" },
		{ "fields in the text too", REPORT "--b\n\n" FAILURE SECOND FAILURE THIRD END,
		    "failure part 2:" IS_FAILURE IS_OWN IS_MESSAGE "\n" },
		{ "no fields, but declared", REPORT TEXT THIRD END,
		    "failure part 2: header_from=own.example message_id=1@own.example subject=t "
		    "original_headers=From: "
		    "***@own.example|Subject: t|Message-ID: <1@own.example>| {F4 feedback_type}\n" },
	};

	(void)state;
	check_rows(ROWS, G_N_ELEMENTS(ROWS));
}

static void others_are_none(void **state)
{
	static const struct row ROWS[] = {
		{ "a bounce",
		    "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n" TEXT
		    "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; "
		    "a.example\nArrival-Date: Thu, 1 Jan "
		    "1970 00:00:00 +0000\n\nFinal-Recipient: rfc822; a@b.example\n" THIRD END,
		    "unreadable unrelated: mail: none of 3 parts is a DMARC report: text/plain, 17 bytes: "
		    "not XML, JSON "
		    "or packed; message/delivery-status, 112 bytes: not XML, JSON or packed; text/plain, 4 "
		    "bytes: not "
		    "XML, JSON or packed\n" },
		{ "fields called text, alone", "Subject: s\n\n" FAILURE,
		    "unreadable no-report: mail: the only part is not a DMARC report: text/plain, 146 bytes: "
		    "not XML, JSON or packed\n" },
		{ "a text about one, with a message", MIXED "--b\n\nLook:\n\n" FAILURE THIRD END,
		    "unreadable no-report: mail: none of 2 parts is a DMARC report: text/plain, 152 bytes: "
		    "not XML, JSON or packed; text/plain, 4 bytes: not XML, JSON or packed\n" },
		{ "quoted prose",
		    "Subject: s\n\n> Sender Domain: a.example\n> Sender IP Address: 192.0.2.1\n> SPF "
		    "Alignment: "
		    "no\n> DKIM Alignment: no\n",
		    "unreadable no-report: mail: the only part is not a DMARC report: text/plain, 99 bytes: "
		    "not XML, JSON or packed\n" },
		{ "prose without an address",
		    "Subject: s\n\nSender Domain: a.example\nSender IP Address: none\nSPF Alignment: "
		    "no\nDKIM Alignment: no\n",
		    "unreadable no-report: mail: the only part is not a DMARC report: text/plain, 86 bytes: "
		    "not XML, JSON or packed\n" },
		{ "declared, and nothing in it", REPORT TEXT END,
		    "unreadable no-report: mail: the only part is not a DMARC report: text/plain, 17 bytes: "
		    "not XML, JSON or packed\n" },
	};

	(void)state;
	check_rows(ROWS, G_N_ELEMENTS(ROWS));
}

#define PROSE                                                                                                \
	"A message has failed.\n\n  Sender Domain: own.example\n  Sender IP Address: 192.0.2.1\n"            \
	"  Received date: Thu, 01 Jan 1970 00:00:07 +0000\n  SPF Alignment: no\n  DKIM Alignment: no\n"
#define IS_PROSE " arrival_date=Thu, 01 Jan 1970 00:00:07 +0000 arrival_time=7 source_ip=192.0.2.1" IS_OWN

static void prose_is_read(void **state)
{
	static const struct row ROWS[] = {
		{ "alone in a report",
		    "Content-Type: multipart/report; boundary=b\n\n--b\n\n" PROSE
		    "\n------ This is a copy of the headers.\n\nFrom: me@own.example\nSubject: t\n"
		    "Message-ID: <1@own.example>\nTo: a@third.example\n\nsecret\n" END,
		    "failure part 1:" IS_PROSE IS_MESSAGE
		    "To: ***@third.example| {F5 report_type} {F4 feedback_type}\n" },
		{ "with a separator over two lines",
		    "Content-Type: multipart/report; boundary=b\n\n--b\n\n" PROSE
		    "\n------ This is a copy of the headers that were received before the error\n"
		    "       was detected.\n\nFrom: me@own.example\nSubject: t\n"
		    "Message-ID: <1@own.example>\nTo: a@third.example\n\nsecret\n" END,
		    "failure part 1:" IS_PROSE IS_MESSAGE
		    "To: ***@third.example| {F5 report_type} {F4 feedback_type}\n" },
		{ "declared", REPORT "--b\n\n" PROSE END,
		    "failure part 1:" IS_PROSE " {F4 feedback_type} {F1 original_headers}\n" },
		{ "as a mail", "Subject: s\n\n" PROSE,
		    "failure part 1:" IS_PROSE
		    " {F5 report_type} {F4 feedback_type} {F1 original_headers}\n" },
		{ "with a message beside it", MIXED "--b\n\n" PROSE THIRD END,
		    "failure part 1:" IS_PROSE IS_MESSAGE " {F5 report_type} {F4 feedback_type}\n" },
	};

	(void)state;
	check_rows(ROWS, G_N_ELEMENTS(ROWS));
}

/* name: value in an abuse report gives want in the line. */
struct field_row {
	const char *fields, *want;
};

static void check_fields(const struct field_row *row, gsize n)
{
	for (gsize i = 0; i < n; i++) {
		g_autofree char *mail = g_strconcat(
		    REPORT SECOND ABUSE "Reported-Domain: own.example\n", row[i].fields, HEADERS END, NULL);
		g_autofree char *got = run(mail);
		g_auto(GStrv) each = g_strsplit(row[i].want, " & ", -1);

		for (gsize j = 0; each[j] != NULL; j++) {
			gboolean absent = each[j][0] == '!';

			if ((strstr(got, each[j] + (absent ? 1 : 0)) != NULL) == absent)
				fail_msg("%s: %s is not in: %s", row[i].fields, each[j], got);
		}
	}
}

static void assertion_52_incidents(void **state)
{
	static const struct field_row ROWS[] = {
		{ "", "!incidents=" }, /* 1 */
		{ "Incidents: 1\n", "!incidents= & !{C1" },
		{ "Incidents: 0\n", " incidents=0 & !{C1" },
		{ "Incidents: 4294967295\n", " incidents=4294967295 & !{C1" },
		{ "Incidents: 4294967296\n", " incidents=-1 & {C1 incidents 4294967296}" },
		{ "Incidents: -1\n", " incidents=-1 & {C1 incidents -1}" },
		{ "Incidents: 99999999999999999999\n", " incidents=-1 & {C1 incidents 9999" },
		{ "Incidents: 12 (or so)\n", " incidents=12 & !{C1" },
		{ "Incidents: 2.0\n", " incidents=2 & {C1 incidents 2.0}" },
		{ "Incidents: many\n", " incidents=-1 & {C1 incidents many}" },
		{ "Incidents:\n", " incidents=-1 & {C1 incidents }" },
		{ "Source-Port: 65535\n", " source_port=65535 & !{C1" },
		{ "Source-Port: 65536\n", "!source_port= & {C1 source_port 65536}" },
	};

	(void)state;
	check_fields(ROWS, G_N_ELEMENTS(ROWS));
}

static void assertion_53_source_ip(void **state)
{
	static const struct field_row ROWS[] = {
		{ "Source-IP: 192.0.2.1\n", " source_ip=192.0.2.1 & !{I1" },
		{ "Source-IP: IPv6:2001:DB8::1\n", " source_ip=2001:db8::1 & !{I1" },
		{ "Source-IP: [192.0.2.1]\n", " source_ip=192.0.2.1 & {I1 source_ip [192.0.2.1]}" },
		{ "Source-IP: [IPv6:2001:db8::1]\n", " source_ip=2001:db8::1 & {I1" },
		{ "Source-IP: 2001:db8::1\n", " source_ip=2001:db8::1 & {I1 source_ip 2001:db8::1}" },
		{ "Source-IP: 192.0.2.1 (host.example)\n",
		    " source_ip=192.0.2.1 & {I1 source_ip 192.0.2.1 (host.example)}" },
		{ "Source-Ip: 192.0.2.1, 192.0.2.2\n", " source_ip=192.0.2.1 & {I1" },
		{ "Source-IP: ::ffff:192.0.2.1\n", " source_ip=192.0.2.1 & {I1 source_ip ::ffff:192.0.2.1}" },
		{ "Source-IP: 10.0.0.1\n", " source_ip=10.0.0.1 & {I1 source_ip 10.0.0.1}" },
		{ "Source-IP: 192.0.2.9:2525\n", " source_ip=192.0.2.9 & {I1 source_ip 192.0.2.9:2525}" },
		{ "Source-IP: [192.0.2.9]:25\n", " source_ip=192.0.2.9 & {I1 source_ip [192.0.2.9]:25}" },
		{ "Source-IP: [IPv6:2001:db8::9]:25\n", " source_ip=2001:db8::9 & {I1" },
		{ "Source-IP: unknown\n", "!source_ip= & {I1 source_ip unknown}" },
		{ "Source-IP: victim@third.example\n", "!source_ip= & {I1 source_ip ***@third.example}" },
		{ "Source-IP:\n", "!source_ip= & {I1 source_ip }" },
	};

	(void)state;
	check_fields(ROWS, G_N_ELEMENTS(ROWS));
}

#define NEW   "Thu, 01 Jan 1970 00:00:07 +0000"
#define OLDER "Thu, 01 Jan 1970 00:00:05 +0000"

static void assertion_54_arrival_date_and_received_date(void **state)
{
	static const struct field_row ROWS[] = {
		{ "Arrival-Date: " NEW "\n", " arrival_date=" NEW " arrival_time=7 & !{F2 & !{E1" },
		{ "Received-Date: " OLDER "\n", " arrival_date=" OLDER " arrival_time=5 & !{F2" },
		{ "Arrival-Date: " NEW "\nReceived-Date: " OLDER "\n",
		    " arrival_date=" NEW " arrival_time=7 & {F2 arrival_date " OLDER "}" },
		{ "Received-Date: " OLDER "\nArrival-Date: " NEW "\n",
		    " arrival_date=" NEW " arrival_time=7 & {F2 arrival_date " OLDER "}" },
		{ "Arrival-Date: soon\n", " arrival_date=soon & !arrival_time= & {E1 arrival_date soon}" },
		{ "Arrival-Date: Thu, 1 Jan 1970 00:00:07\n", " arrival_time=7 & {E1 arrival_date" },
		{ "Arrival-Date: Wed, 31 Dec 1969 16:00:07 PST\n", " arrival_time=7 & !{E1" },
	};

	(void)state;
	check_fields(ROWS, G_N_ELEMENTS(ROWS));
}

static void assertion_55_identity_alignment_stays_as_sent(void **state)
{
	static const struct field_row ROWS[] = {
		{ "Identity-Alignment: none\n", " identity_alignment=none & !{V1" },
		{ "Identity-Alignment: dkim , spf\n", " identity_alignment=dkim , spf & !{V1" },
		{ "Identity-Alignment: dkim (a, b) , (c) spf\n",
		    " identity_alignment=dkim (a, b) , (c) spf & !{V1" },
		{ "Identity-Alignment: spf\n", " identity_alignment=spf & !{V1 & !auth_failure=" },
		{ "Identity-Alignment: none, spf\n",
		    " identity_alignment=none, spf & {V1 identity_alignment none, spf}" },
		{ "Identity-Alignment: spf, spf\n", "{V1 identity_alignment spf, spf}" },
		{ "Identity-Alignment: arc\n", " identity_alignment=arc & {V1 identity_alignment arc}" },
		{ "Identity-Alignment:\n", "identity_alignment= & {V1 identity_alignment }" },
	};

	(void)state;
	check_fields(ROWS, G_N_ELEMENTS(ROWS));
}

static void assertion_56_lists_are_kept_and_of_single_fields_the_first(void **state)
{
	static const struct field_row ROWS[] = {
		{ "SPF-DNS: txt : a.example : \"v=spf1 -all\"\nSPF-DNS: spf : b.example : \"v=spf1\n "
		  "?all\"\n",
		    " spf_dns=txt : a.example : \"v=spf1 -all\" spf_dns=spf : b.example : \"v=spf1 ?all\" & "
		    "!{X4" },
		{ "Original-Rcpt-To: <a@own.example>\nOriginal-Rcpt-To: b@own.example\nOriginal-Rcpt-To: "
		  "<c@own.example>\n",
		    " original_rcpt_to=a@own.example original_rcpt_to=b@own.example "
		    "original_rcpt_to=c@own.example & !{X4" },
		{ "Reported-Domain: A.example.\n",
		    " reported_domain=own.example reported_domain=a.example & {V2 reported_domain "
		    "A.example.} & !{X4" },
		{ "Reported-URI: http://a.example/\nReported-URI: mailto:me@own.example\n",
		    " reported_uri=http://a.example/ reported_uri=mailto:me@own.example & !{X4" },
		{ "Authentication-Results: a; spf=fail\nAuthentication-Results: a; dkim=fail\n",
		    " authentication_results=a; spf=fail authentication_results=a; dkim=fail & !{X4" },
		{ "User-Agent: second\nReporting-MTA: dns; a\nreporting-mta: dns; b\n",
		    " user_agent=x/1 & reporting_mta=dns; a & {X4 user_agent} {X4 reporting_mta} & !second & "
		    "!dns; b" },
	};

	(void)state;
	check_fields(ROWS, G_N_ELEMENTS(ROWS));
}

static void other_fields(void **state)
{
	static const struct field_row ROWS[] = {
		{ "Original-Mail-From: <me@own.example>\n", " original_mail_from=me@own.example" },
		{ "Original-Mail-From: <>\n", " original_mail_from= " },
		{ "Original-Mail-From:\n", " original_mail_from= " },
		{ "Original-Mail-From: victim@third.example\n", " original_mail_from=***@third.example" },
		{ "Original-Rcpt-To: victim\n", " original_rcpt_to=***" },
		{ "Original-Envelope-Id: a@b.example\n", " original_envelope_id=a@b.example" },
		{ "Delivery-Result: Delivered\n",
		    " delivery_result=delivered & {V1 delivery_result Delivered}" },
		{ "Delivery-Result: policy (p=reject)\n", " delivery_result=policy & !{V1" },
		{ "Delivery-Result: smg-policy-action\n", " delivery_result=smg-policy-action & {V1" },
		{ "Auth-Failure: spf, dkim\n", " auth_failure=spf, dkim & {V1 auth_failure spf, dkim}" },
		{ "Auth-Failure: dmarc, spf\n", " auth_failure=dmarc, spf & !{V1" },
		{ "DKIM-Domain: OWN.example (d)\nDKIM-Identity: victim@third.example\nDKIM-Selector: s1\n",
		    " dkim_domain=own.example dkim_identity=***@third.example dkim_selector=s1 & {V2 "
		    "dkim_domain" },
		{ "DKIM-Identity: @own.example\n", " dkim_identity=@own.example" },
		{ "DKIM-Selector-DNS: \"v=DKIM1; p=\"\nDKIM-ADSP-DNS: \"dkim=all\"\n",
		    " dkim_selector_dns=\"v=DKIM1; p=\" dkim_adsp_dns=\"dkim=all\"" },
		{ "DKIM-Canonicalized-Header: VG86IHZpY3RpbUB0aGlyZC5leGFtcGxl\nDKIM-Canonicalized-Body: "
		  "c2VjcmV0\n",
		    "!VG86 & !c2Vjc & !{X4" },
		{ "Reporting-MTA: dns;\nmail.own.example\nX-Other: 1\nRemoval-Recipient: "
		  "victim@third.example\n",
		    " reporting_mta=dns; mail.own.example & !X-Other & !Removal & !victim" },
		{ "Reported-URI:\nhttp://a.example/\n", " reported_uri=http://a.example/" },
		{ "\n\nReporting-MTA: dns; a\n\n", " reporting_mta=dns; a" },
	};

	(void)state;
	check_fields(ROWS, G_N_ELEMENTS(ROWS));
}

static void what_is_required_and_absent_is_noted(void **state)
{
	static const struct row ROWS[] = {
		{ "no type", REPORT SECOND "Auth-Failure: dmarc\nSource-IP: 192.0.2.1\n" HEADERS END,
		    "failure part 1: auth_failure=dmarc source_ip=192.0.2.1 header_from=own.example "
		    "message_id=1@own.example "
		    "subject=t original_headers=From: ***@own.example|Subject: t|Message-ID: "
		    "<1@own.example>| {F3 "
		    "feedback_type} {F3 user_agent} {F3 version} {F3 authentication_results} {F3 "
		    "reported_domain} {F3 "
		    "identity_alignment}\n" },
		{ "nothing at all", REPORT SECOND "\n" END,
		    "failure part 1: {F3 feedback_type} {F3 user_agent} {F3 version} {F3 auth_failure} {F3 "
		    "authentication_results} {F3 reported_domain} {F1 original_headers}\n" },
		{ "abuse needs less", REPORT SECOND "Feedback-Type: abuse\n" HEADERS END,
		    "failure part 1: feedback_type=abuse header_from=own.example message_id=1@own.example "
		    "subject=t "
		    "original_headers=From: ***@own.example|Subject: t|Message-ID: <1@own.example>| {F3 "
		    "user_agent} {F3 "
		    "version}\n" },
	};

	(void)state;
	check_rows(ROWS, G_N_ELEMENTS(ROWS));
}

#define MARK "xyzzy"

/* A mail that has the mark wherever body and third parties are. */
#define MARKED                                                                                               \
	REPORT "--b\n\nThe " MARK " said.\n" SECOND FAILURE "Original-Mail-From: <" MARK                     \
	       "@third.example>\nOriginal-Rcpt-To: " MARK "@third.example\n"                                 \
	       "Reported-URI: mailto:" MARK "@third.example\nDKIM-Identity: " MARK "@third.example\n"        \
	       "Source-IP: " MARK "@third.example\nArrival-Date: " MARK "@third.example\n"                   \
	       "Delivery-Result: " MARK "@third.example\nIdentity-Alignment: " MARK "@third.example\n"       \
	       "Authentication-Results: a; spf=fail smtp.mailfrom=" MARK "@third.example\n"                  \
	       "DKIM-Canonicalized-Header: " MARK "\nDKIM-Canonicalized-Body: " MARK "\n"                    \
	       "--b\nContent-Type: message/rfc822\n\nFrom: " MARK " <" MARK "@third.example>\n"              \
	       "To: =?utf-8?q?" MARK "?= <" MARK "@third.example>\nSubject: for " MARK "@third.example\n"    \
	       "Content-Type: multipart/mixed; boundary=c\n\n" MARK "\n--c\nContent-Type: application/zip; " \
	       "name=" MARK ".zip\n\nPK\3\4" MARK "\n--c\n\n<feedback>" MARK "\n--c--\n" MARK "\n" END

static void assertion_57_no_byte_of_the_body_and_no_third_party_is_told(void **state)
{
	g_autofree char *got = run(MARKED);
	g_autofree char *whole = run_bytes(MARKED, strlen(MARKED), TRUE, NULL);

	(void)state;
	assert_null(strstr(got, MARK));
	assert_non_null(strstr(got, " original_mail_from=***@third.example "));
	assert_non_null(strstr(got, "|To: <***@third.example>|Subject: for ***@third.example|"));
	/* and nothing is when it is asked for */
	assert_non_null(strstr(whole, " original_mail_from=" MARK "@third.example "));
	assert_non_null(strstr(whole, " dkim_canonicalized_header=" MARK " dkim_canonicalized_body=" MARK));
	assert_non_null(
	    strstr(whole, " original_headers=From: " MARK " <" MARK "@third.example>|To: =?utf-8?q?" MARK));
	assert_non_null(strstr(
	    whole, " original_body=" MARK "|--c|Content-Type: application/zip; name=" MARK ".zip||PK"));
	assert_non_null(strstr(whole, "|--c--|" MARK));
}

static gboolean keep_kind(
    gpointer user, const char *place, const struct failure_report *failure, GError **error)
{
	(void)place;
	(void)error;
	*(gboolean *)user = failure_is_authentication(failure);
	return TRUE;
}

static gboolean pass_mail(gpointer user, const struct mail_header *mail, GError **error)
{
	(void)user;
	(void)mail;
	(void)error;
	return TRUE;
}

static void assertion_58_abuse_is_another_kind(void **state)
{
	static const struct {
		const char *mail;
		gboolean want;
	} ROWS[] = {
		{ REPORT SECOND ABUSE HEADERS END, FALSE },
		{ REPORT SECOND "Feedback-Type: not-spam\n" HEADERS END, FALSE },
		{ REPORT SECOND "Feedback-Type: x-new\nAuth-Failure: dmarc\n" HEADERS END, FALSE },
		{ REPORT SECOND FAILURE HEADERS END, TRUE },
		{ REPORT SECOND "Feedback-Type: Auth-Failure (dmarc)\n" HEADERS END, TRUE },
		{ REPORT SECOND "Auth-Failure: dmarc\n" HEADERS END, TRUE },
		{ REPORT SECOND "Feedback-Type:\n" HEADERS END, TRUE },
		{ REPORT "--b\n\n" PROSE END, TRUE },
	};
	const struct parser_options options = { .limits = PARSER_LIMITS_DEFAULT };
	const struct report_sink sink = { .mail = pass_mail, .failure = keep_kind };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		gboolean kind = !ROWS[i].want;

		assert_true(parse_document(
		    (const guint8 *)ROWS[i].mail, strlen(ROWS[i].mail), &options, &sink, &kind, NULL));
		if (kind != ROWS[i].want)
			fail_msg("row %" G_GSIZE_FORMAT, i);
	}
}

static void the_message_is_read_to_where_its_header_ends(void **state)
{
	static const struct row ROWS[] = {
		{ "an empty line in the header",
		    REPORT SECOND ABUSE "--b\nContent-Type: message/rfc822\n\nA: 1\n\nSubject: t\n" END,
		    "failure part 1:" IS_ABUSE " original_headers=A: 1|\n" },
		{ "no header", REPORT SECOND ABUSE "--b\nContent-Type: message/rfc822\n\nREDACTED\n\n" END,
		    "failure part 1:" IS_ABUSE " original_headers=\n" },
		{ "CRLF, folded, 8 bit",
		    REPORT SECOND ABUSE
		    "--b\r\nContent-Type: message/rfc822\r\n\r\nA: 1\r\n\t2\r\nSubject: =?utf-8?q?Gr=C3=BC?="
		    "\r\n =?utf-8?b?w59l?=\r\nX: \xff\r\n\r\nbody\r\n" END,
		    "failure part 1:" IS_ABUSE " subject=Gr\xc3\xbc\xc3\x9f"
		    "e original_headers=A: 1|\t2|Subject: Gr\xc3\xbc\xc3\x9f"
		    "e|X: \xef\xbf\xbd|\n" },
		{ "odd From and Message-ID",
		    REPORT SECOND ABUSE
		    "--b\nContent-Type: message/rfc822\n\nFrom: \"a@b.example\" <x@M\xc3\xbcller.EXAMPLE.>\n"
		    "Message-ID: 1.2@x\nFrom: second@c.example\n" END,
		    "failure part 1:" IS_ABUSE
		    " header_from=xn--mller-kva.example message_id=1.2@x original_headers=From: "
		    "<***@M\xc3\xbcller.EXAMPLE.>|Message-ID: 1.2@x|From: ***@c.example|\n" },
	};

	(void)state;
	check_rows(ROWS, G_N_ELEMENTS(ROWS));
}

/* The way that a mail takes changes the ends of its lines, and what is around the report. */
static void a_copy_has_the_same_sha256(void **state)
{
	static const char LF[] = REPORT SECOND FAILURE THIRD END;
	static const char OTHER[] = REPORT SECOND FAILURE "Incidents: 2\n" THIRD END;
	g_auto(GStrv) lines = g_strsplit(LF, "\n", -1);
	g_autofree char *crlf = g_strjoinv("\r\n", lines);
	g_autofree char *forwarded =
	    g_strconcat("Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: message/rfc822\n\n",
		LF, "--o--\n", NULL);
	guint8 first[32], second[32], third[32], other[32];
	g_autofree char *a = run_bytes(LF, strlen(LF), FALSE, first);
	g_autofree char *b = run_bytes(crlf, strlen(crlf), FALSE, second);
	G_GNUC_UNUSED g_autofree char *c = run_bytes(forwarded, strlen(forwarded), TRUE, third);
	G_GNUC_UNUSED g_autofree char *d = run_bytes(OTHER, strlen(OTHER), FALSE, other);

	(void)state;
	assert_string_equal(a, b);
	assert_memory_equal(first, second, sizeof first);
	assert_memory_equal(first, third, sizeof first);
	assert_memory_not_equal(first, other, sizeof first);
}

static void long_values_are_cut(void **state)
{
	g_autofree char *long_value = g_strnfill(9000, 'a');
	g_autofree char *mail = g_strconcat(REPORT SECOND ABUSE "Reporting-MTA: ", long_value,
	    "\nSource-IP: ", long_value, "\n", HEADERS END, NULL);
	g_autofree char *got = run(mail);
	const char *value = strstr(got, "reporting_mta=");

	(void)state;
	assert_non_null(value);
	assert_int_equal(strspn(value + strlen("reporting_mta="), "a"), 8192);
	assert_non_null(strstr(got, "{T1 reporting_mta}"));
}

static void a_header_that_is_too_long_loses_its_longest_fields(void **state)
{
	g_autofree char *long_value = g_strnfill(300000, 'a');
	g_autofree char *mail =
	    g_strconcat(REPORT SECOND ABUSE "Reported-Domain: own.example\n"
					    "--b\nContent-Type: text/rfc822-headers\n\nX-Long: ",
		long_value, "\nFrom: me@own.example\nSubject: t\nMessage-ID: <1@own.example>\n" END, NULL);
	g_autofree char *got = run(mail);

	(void)state;
	assert_string_equal(got, "failure part 1:" IS_ABUSE IS_OWN IS_MESSAGE " {T1 original_headers}\n");
}

/* A body is cut where the report would be too large; the report stays. */
static void a_long_body_is_cut(void **state)
{
	g_autofree char *body = g_strnfill(3 * 1024 * 1024, 'a');
	g_autofree char *mail = g_strconcat(
	    REPORT SECOND ABUSE "--b\nContent-Type: message/rfc822\n\nSubject: t\n\n", body, "\n" END, NULL);
	g_autofree char *got = run_bytes(mail, strlen(mail), TRUE, NULL);

	(void)state;
	assert_true(g_str_has_prefix(
	    got, "failure part 1:" IS_ABUSE " subject=t original_headers=Subject: t| original_body=aa"));
	assert_non_null(strstr(got, "{T1 original_body}"));
	assert_true(strlen(got) > 2000000 && strlen(got) < 2200000);
}

/* Much of everything ends at once: a limit, or a report. */
static void time_is_linear(void **state)
{
	static const struct {
		const char *name, *head, *unit, *tail, *want;
	} ROWS[] = {
		{ "fields", REPORT SECOND ABUSE, "X: 1\n", END, "unreadable limit: part 1: fields" },
		{ "unknown lines", REPORT SECOND ABUSE, "x\n", END, "failure part 1" },
		{ "a huge folded field", REPORT SECOND ABUSE "User-Agent:", " a\n", END, "failure part 1" },
		{ "addresses", REPORT SECOND ABUSE "Original-Rcpt-To:", " a@b.example,", "\n" END,
		    "failure part 1" },
		{ "at signs", REPORT SECOND ABUSE "Original-Rcpt-To:", "@", "\n" END, "failure part 1" },
		{ "encoded words", REPORT SECOND ABUSE "Reporting-MTA:", " =?utf-8?q?a?=", "\n" END,
		    "failure part 1" },
		{ "comments", REPORT SECOND ABUSE "Auth-Failure:", "(", "\n" END, "failure part 1" },
		{ "commas", REPORT SECOND ABUSE "Auth-Failure:", ",a", "\n" END, "failure part 1" },
		{ "addresses of a message",
		    REPORT SECOND ABUSE "--b\nContent-Type: text/rfc822-headers\n\nTo:", " a@b.example,\n",
		    END, "failure part 1" },
		{ "fields of a message", REPORT SECOND ABUSE "--b\nContent-Type: text/rfc822-headers\n\n",
		    "To: a@b.c\n", END, "failure part 1" },
		{ "a subject", REPORT SECOND ABUSE "--b\nContent-Type: text/rfc822-headers\n\nSubject:",
		    "=?utf-8?q?a?= ", END, "failure part 1" },
		{ "a body", REPORT SECOND ABUSE "--b\nContent-Type: message/rfc822\n\nA: 1\n\n", "--a\n",
		    "\n" END, "unreadable limit: mail: lines" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		g_autoptr(GString) mail = g_string_new(ROWS[i].head);
		g_autofree char *got = NULL;
		gint64 start;

		for (guint n = 0; n < 100000; n++)
			g_string_append(mail, ROWS[i].unit);
		g_string_append(mail, ROWS[i].tail);
		start = cpu_time();
		got = run(mail->str);
		if (!g_str_has_prefix(got, ROWS[i].want))
			fail_msg("%s: %.200s", ROWS[i].name, got);
		if (cpu_time() - start > 5 * G_USEC_PER_SEC)
			fail_msg("%s takes %" G_GINT64_FORMAT " us", ROWS[i].name, cpu_time() - start);
	}
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
		cmocka_unit_test(assertion_50_three_parts_with_a_message_or_its_header),
		cmocka_unit_test(assertion_50_the_third_part_in_any_spelling),
		cmocka_unit_test(assertion_51_other_containers),
		cmocka_unit_test(others_are_none),
		cmocka_unit_test(prose_is_read),
		cmocka_unit_test(assertion_52_incidents),
		cmocka_unit_test(assertion_53_source_ip),
		cmocka_unit_test(assertion_54_arrival_date_and_received_date),
		cmocka_unit_test(assertion_55_identity_alignment_stays_as_sent),
		cmocka_unit_test(assertion_56_lists_are_kept_and_of_single_fields_the_first),
		cmocka_unit_test(other_fields),
		cmocka_unit_test(what_is_required_and_absent_is_noted),
		cmocka_unit_test(assertion_57_no_byte_of_the_body_and_no_third_party_is_told),
		cmocka_unit_test(assertion_58_abuse_is_another_kind),
		cmocka_unit_test(the_message_is_read_to_where_its_header_ends),
		cmocka_unit_test(a_copy_has_the_same_sha256),
		cmocka_unit_test(long_values_are_cut),
		cmocka_unit_test(a_header_that_is_too_long_loses_its_longest_fields),
		cmocka_unit_test(a_long_body_is_cut),
		cmocka_unit_test(time_is_linear),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}
