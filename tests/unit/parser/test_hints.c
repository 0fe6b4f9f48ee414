/* Subject and file name. Numbers in names are those of the assertions in the standards digest. */
#include "parser/hints.h"
#include "parser/parse.h"
#include "tests/unit/parser/collect.h"
#include "tests/unit/parser/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;

static char *words_of(const struct hint *hint)
{
	return g_strdup_printf("%s %s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT, hint->domain,
	    hint->report_id ? hint->report_id : "-", hint->begin, hint->end);
}

#define AC "a.example c@d -1 -1"

static const struct {
	const char *name, *subject, *want; /* NULL: it says nothing */
} SUBJECTS[] = {
	{ "35 RFC 7489", "Report Domain: a.example Submitter: b.example Report-ID: <c@d>", AC },
	{ "35 no blank before the id (RFC 7489)",
	    "Report Domain: a.example Submitter: b.example Report-ID:<c@d>", AC },
	{ "35 unbracketed", "Report Domain: a.example Submitter: b.example Report-ID: c@d", AC },
	{ "35 lower case", "report domain: a.example submitter: b.example report-id: <c@d>", AC },
	{ "35 capitals", "REPORT DOMAIN: a.example SUBMITTER: b.example REPORT-ID: <c@d>", AC },
	{ "35 folded", "Report Domain:\r\n a.example\r\n\tSubmitter: b.example\r\n\tReport-ID:\r\n <c@d>",
	    AC },
	{ "35 no id (RFC 9990)", "Report Domain: a.example Submitter: b.example", "a.example - -1 -1" },
	{ "no blanks after colons", "Report Domain:a.example Submitter:b.example Report-ID:c@d", AC },
	{ "blanks before colons", "Report Domain : a.example Submitter : b.example Report-ID : c@d", AC },
	{ "[Preview] (Microsoft)", "[Preview] Report Domain: a.example Submitter: b Report-ID: c@d", AC },
	{ "forwarded", "WG: Fwd: Report Domain: a.example Submitter: b Report-ID: <c@d>", AC },
	{ "Amazon SES",
	    "Dmarc Aggregate Report Domain: {a.example}  Submitter: {Amazon SES}  Date: {2020-04-18}  "
	    "Report-ID: {c@d}",
	    AC },
	{ "Mail.Ru", "Report Domain: a.example; Submitter: Mail.Ru; Report-ID: c@d;", AC },
	{ "words behind the bracket", "Report Domain: a.example Submitter: b Report-ID: <c@d> (2 of 3)", AC },
	{ "words behind no bracket", "Report Domain: a.example Submitter: b Report-ID: c@d (2 of 3)",
	    "a.example c@d (2 of 3) -1 -1" },
	{ "bracket without end", "Report Domain: a.example Submitter: b Report-ID: <c@d", AC },
	{ "empty id", "Report Domain: a.example Submitter: b Report-ID: <>", "a.example - -1 -1" },
	{ "the word Report before", "Report: Report Domain: a.example Submitter: b", "a.example - -1 -1" },
	{ "U-label, final dot",
	    "Report Domain: B\xc3\xbc"
	    "cher.example. Submitter: b",
	    "B\xc3\xbc"
	    "cher.example. - -1 -1" },
	{ "another", "Hello", NULL },
	{ "nothing", "", NULL },
	{ "a label without colon", "Report Domain: a.example Submitter b", NULL },
	{ "all characters of a name", "Report Domain: a-b_c.1.example Submitter: b",
	    "a-b_c.1.example - -1 -1" },
	{ "an id in braces with words behind", "Report Domain: a.example Submitter: b Report-ID: {c@d} e",
	    AC },
	{ "no submitter", "Report Domain: a.example Report-ID: <c@d>", NULL },
	{ "no domain", "Report Domain: Submitter: b.example Report-ID: <c@d>", NULL },
	{ "no domain at all", "Submitter: b.example Report-ID: <c@d>", NULL },
	{ "not a report's domain", "Domain: a.example Submitter: b.example", NULL },
	{ "two words for a domain", "Report Domain: a.example b.example Submitter: c", NULL },
	{ "an address for a domain", "Report Domain: a@a.example Submitter: c", NULL },
	{ "a failure report", "DMARC Failure report for a.example Mail-From: x IP:192.0.2.1", NULL },
};

static void subjects(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(SUBJECTS); i++) {
		struct hint hint = { 0 };
		/* a copy of that size, so that a read beyond it is seen */
		g_autofree char *subject = g_strdup(SUBJECTS[i].subject);
		g_autofree char *got = hint_read_subject(subject, &hint) ? words_of(&hint) : NULL;

		hint_clear(&hint);
		if (g_strcmp0(got, SUBJECTS[i].want) != 0)
			fail_msg("%s: got %s, want %s", SUBJECTS[i].name, got, SUBJECTS[i].want);
	}
}

#define A12 "a.example - 1 2"

static const struct {
	const char *name, *file, *want;
} NAMES[] = {
	{ "RFC 9990", "b.example!a.example!1!2.xml.gz", A12 },
	{ "the example of RFC 7489", "mail.receiver.example!example.com!1013662812!1013749130.gz",
	    "example.com - 1013662812 1013749130" },
	{ "unique-id", "b.example!a.example!1!2!x9.xml", A12 },
	{ "unique-id with other characters", "b.example!a.example!1!2!<x-9_z@b.example>!3.xml", A12 },
	{ "zip", "b.example!a.example!1!2.zip", A12 },
	{ "zip of XML", "b.example!a.example!1!2.xml.zip", A12 },
	{ "a TLS report", "b.example!a.example!1!2!001.json.gz", A12 },
	{ "no extension", "b.example!a.example!1!2", A12 },
	{ "no receiver", "!a.example!1!2.xml", A12 },
	{ "a receiver with blanks", "Some Mail!a.example!1!2.xml", A12 },
	{ "saved twice", "b.example!a.example!1!2 (1).zip", A12 },
	{ "saved twice, another way", "b.example!a.example!1!2(1).zip", A12 },
	{ "34 a path", "../../x!y/b.example!a.example!1!2.xml", A12 },
	{ "zeros", "b.example!a.example!001!002.xml", A12 },
	{ "another", "report.xml.gz", NULL },
	{ "nothing", "", NULL },
	{ "no end", "b.example!a.example!1.xml", NULL },
	{ "empty end", "b.example!a.example!1!.xml", NULL },
	{ "empty begin", "b.example!a.example!!2.xml", NULL },
	{ "empty domain", "b.example!!1!2.xml", NULL },
	{ "a path for a domain", "b.example!a/c!1!2.xml", NULL },
	{ "a domain with blanks", "b.example!a c!1!2.xml", NULL },
	{ "negative", "b.example!a.example!-1!2.xml", NULL },
	{ "a day", "b.example!a.example!2024-01-01!2024-01-02.xml", NULL },
	{ "a word behind end", "b.example!a.example!1!2x.xml", NULL },
	{ "a letter behind end, and no dot", "b.example!a.example!1!2_x.xml", A12 },
	{ "18 digits", "b.example!a.example!1!999999999999999999.xml", "a.example - 1 999999999999999999" },
	{ "19 digits", "b.example!a.example!1!0000000000000000002.xml", NULL },
	{ "more digits than 64 bits have", "b.example!a.example!1!99999999999999999999.xml", NULL },
};

static void names(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(NAMES); i++) {
		struct hint hint = { 0 };
		g_autofree char *name = g_strdup(NAMES[i].file);
		g_autofree char *got = hint_read_name(name, &hint) ? words_of(&hint) : NULL;

		hint_clear(&hint);
		if (g_strcmp0(got, NAMES[i].want) != 0)
			fail_msg("%s: got %s, want %s", NAMES[i].name, got, NAMES[i].want);
	}
}

/* What may have been cut on its way says nothing: a name above 190 bytes and a subject above 990. */
static void what_is_longer_than_it_may_be_says_nothing(void **state)
{
	(void)state;
	for (gsize over = 0; over <= 1; over++) {
		static const char NAME[] = "!a.example!1!2",
				  SUBJECT[] = "Report Domain: a.example Submitter: ";
		g_autofree char *receiver = g_strnfill(190 + over - strlen(NAME), 'a');
		g_autofree char *name = g_strconcat(receiver, NAME, NULL);
		g_autofree char *submitter = g_strnfill(990 + over - strlen(SUBJECT), 'a');
		g_autofree char *subject = g_strconcat(SUBJECT, submitter, NULL);
		struct hint hint = { 0 };

		assert_int_equal(hint_read_name(name, &hint), over == 0);
		hint_clear(&hint);
		assert_int_equal(hint_read_subject(subject, &hint), over == 0);
		hint_clear(&hint);
	}
}

/* What may have been cut on its way says nothing: 200 and 1000 bytes are what is left of more. */
static void what_is_as_long_as_it_may_be_says_nothing(void **state)
{
	(void)state;
	for (guint long_one = 0; long_one <= 1; long_one++) {
		g_autofree char *label = g_strnfill(long_one ? 200 : 100, 'a');
		g_autofree char *name = g_strdup_printf("%s!a.example!1!2", label);
		g_autofree char *id = g_strnfill(long_one ? 1000 : 500, 'a');
		g_autofree char *subject =
		    g_strdup_printf("Report Domain: a.example Submitter: b Report-ID: %s", id);
		struct hint hint = { 0 };

		assert_int_equal(hint_read_name(name, &hint), !long_one);
		hint_clear(&hint);
		assert_int_equal(hint_read_subject(subject, &hint), !long_one);
		hint_clear(&hint);
	}
}

static void a_domain_is_taken_from_the_name_before_the_subject(void **state)
{
	static const struct {
		struct hints hints;
		const char *want;
	} rows[] = {
		{ { "Report Domain: A.example. Submitter: b", "b!c.example!1!2.xml", NULL, 0, NULL },
		    "c.example" },
		{ { "Report Domain: A.example. Submitter: b", "report.xml", NULL, 0, NULL }, "a.example" },
		{ { "Report Domain: A.example. Submitter: b", NULL, NULL, 0, NULL }, "a.example" },
		{ { NULL,
		      "b!B\xc3\xbc"
		      "cher.example!1!2.xml",
		      NULL, 0, NULL },
		    "xn--bcher-kva.example" },
		{ { "Hello", "report.xml", NULL, 0, NULL }, NULL },
		{ { NULL, NULL, NULL, 0, NULL }, NULL },
		{ { "Report Domain: a.example Submitter: b", "b!c.example!1!2.xml", "D.example.", 0, NULL },
		    "d.example" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = hints_domain(&rows[i].hints);

		if (g_strcmp0(got, rows[i].want) != 0)
			fail_msg("%zu: got %s, want %s", i, got, rows[i].want);
	}
}

/* -- against the report -- */

#define SUBJECT(domain, id) "Report Domain: " domain " Submitter: b.example Report-ID: " id

/* The report is of a.example, from 1 to 2, "<Abc.1@b.example>". */
static const struct {
	const char *name, *subject, *file, *want;
} NOTES[] = {
	{ "33 both agree", SUBJECT("a.example", "<Abc.1@b.example>"), "b.example!a.example!1!2.xml", "" },
	{ "neither says anything", "Your report", "report.xml", "" },
	{ "neither is there", NULL, NULL, "" },
	{ "33 another domain in the Subject", SUBJECT("c.example", "<Abc.1@b.example>"), NULL,
	    "M1 mail/subject c.example;" },
	{ "33 a subdomain in the Subject", SUBJECT("x.a.example", "<Abc.1@b.example>"), NULL,
	    "M1 mail/subject x.a.example;" },
	{ "33 another id in the Subject", SUBJECT("a.example", "<other@b.example>"), NULL,
	    "M1 mail/subject other@b.example;" },
	{ "33 both other: the domain is told", SUBJECT("c.example", "<other>"), NULL,
	    "M1 mail/subject c.example;" },
	{ "33 another domain in the name", NULL, "b.example!c.example!1!2.xml",
	    "M2 file name b.example!c.example!1!2.xml;" },
	{ "33 another begin in the name", NULL, "b.example!a.example!0!2.xml",
	    "M2 file name b.example!a.example!0!2.xml;" },
	{ "33 another end in the name", NULL, "b.example!a.example!1!3.xml",
	    "M2 file name b.example!a.example!1!3.xml;" },
	{ "33 both disagree", SUBJECT("c.example", "1"), "!c.example!1!2.xml",
	    "M1 mail/subject c.example;M2 file name !c.example!1!2.xml;" },
	{ "domain in other case, with a final dot", SUBJECT("A.EXAMPLE.", "Abc.1@b.example"),
	    "b!A.Example.!1!2.xml", "" },
	{ "id unbracketed, in other case", SUBJECT("a.example", "ABC.1@b.example"), NULL, "" },
	{ "id without its domain", SUBJECT("a.example", "<Abc.1>"), NULL, "" },
	{ "id that is only the start", SUBJECT("a.example", "<Abc>"), NULL, "M1 mail/subject Abc;" },
	{ "id that was folded in the middle", SUBJECT("a.example", "<Abc.1@b.\r\n example>"), NULL, "" },
	{ "words behind the id", SUBJECT("a.example", "Abc.1@b.example (1 of 2)"), NULL, "" },
	{ "no id", "Report Domain: a.example Submitter: b.example", NULL, "" },
	{ "another submitter, another unique-id",
	    "Report Domain: a.example Submitter: x Report-ID: Abc.1@b.example", "x!a.example!1!2!zzz.xml",
	    "" },
};

static void notes(void **state)
{
	const struct aggregate_header header = {
		.domain = "a.example", .report_id = "<Abc.1@b.example>", .begin = 1, .end = 2
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(NOTES); i++) {
		const struct hints hints = { NOTES[i].subject, NOTES[i].file, NULL, 0, NULL };
		g_autoptr(GString) got = g_string_new(NULL);
		struct values values;

		values_init(&values, &LIMITS);
		hints_note(&hints, &header, &values);
		for (guint n = 0; n < values.notes->len; n++) {
			const struct report_note *note = &g_array_index(values.notes, struct report_note, n);

			g_string_append_printf(got, "%s %s %s;", note->code, note->path, note->raw);
		}
		values_clear(&values);
		if (strcmp(got->str, NOTES[i].want) != 0)
			fail_msg("%s: got %s, want %s", NOTES[i].name, got->str, NOTES[i].want);
	}
}

static void a_report_without_an_id_has_no_other(void **state)
{
	static const char *const IDS[] = { NULL, "" };
	const struct hints hints = { SUBJECT("a.example", "<x>"), NULL, NULL, 0, NULL };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(IDS); i++) {
		const struct aggregate_header header = { .domain = "a.example", .report_id = IDS[i] };
		struct values values;

		values_init(&values, &LIMITS);
		hints_note(&hints, &header, &values);
		assert_int_equal(values.notes->len, 0);
		values_clear(&values);
	}
}

/* -- in mails -- */

#define REPORT                                                                                               \
	"<feedback><report_metadata><report_id>1</report_id><date_range><begin>1</begin><end>2</end>"        \
	"</date_range></report_metadata><policy_published><domain>a.example</domain></policy_published>"     \
	"</feedback>\n"
#define MIXED "Content-Type: multipart/mixed; boundary=b\n\n"
#define TEXT  "--b\n\nHello.\n"
#define PART  "--b\nContent-Type: text/xml\n\n" REPORT
#define NAMED(name)                                                                                          \
	"--b\nContent-Type: text/xml\nContent-Disposition: attachment; filename=\"" name "\"\n\n" REPORT
#define OTHER "Subject: Report Domain: c.example Submitter: b\n"
#define WORDS "Subject: words\n"

static const struct {
	const char *name, *mail, *want; /* notes M of each report, a line each */
} MAILS[] = {
	{ "33 Subject", OTHER "Content-Type: text/xml\n\n" REPORT, "{M1 mail/subject c.example}\n" },
	{ "33 file name", WORDS MIXED NAMED("b!c.example!1!2.xml") "--b--\n",
	    "{M2 file name b!c.example!1!2.xml}\n" },
	{ "33 both", OTHER MIXED NAMED("b!c.example!1!2.xml") "--b--\n",
	    "{M1 mail/subject c.example}{M2 file name b!c.example!1!2.xml}\n" },
	{ "33 they agree",
	    "Subject: =?utf-8?q?Report_Domain:_a.exam?= =?utf-8?b?cGxlIFN1Ym1pdHRlcjog?=\n b "
	    "Report-ID:\n\t<1>\n" MIXED NAMED("b!a.example!1!2.xml") "--b--\n",
	    "\n" },
	{ "35 RFC 2047 words, folded",
	    "Subject: =?utf-8?q?Report_Domain:_c.exam?= =?utf-8?b?cGxlIFN1Ym1pdHRlcjog?=\n b\n" MIXED PART
	    "--b--\n",
	    "{M1 mail/subject c.example}\n" },
	{ "34 file name in pieces of RFC 2231",
	    WORDS
	    "Content-Type: text/xml\nContent-Disposition: attachment;\n filename*0*=utf-8''b%21c.example;\n "
	    "filename*1=\"!1!2.xml\"\n\n" REPORT,
	    "{M2 file name b!c.example!1!2.xml}\n" },
	{ "text and a picture beside it",
	    OTHER MIXED TEXT "--b\nContent-Type: image/png\n\nx\n" PART
			     "--b\nContent-Type: text/html\n\n<p>x\n--b--\n",
	    "{M1 mail/subject c.example}\n" },
	{ "as text", OTHER "\n" REPORT, "{M1 mail/subject c.example}\n" },
	{ "two reports: the Subject may be of either", OTHER MIXED PART PART "--b--\n", "\n\n" },
	{ "something else that may be one",
	    OTHER MIXED PART "--b\nContent-Type: application/zip\n\nx\n--b--\n", "\n" },
	{ "two reports: names count",
	    OTHER MIXED NAMED("b!c.example!1!2.xml") NAMED("b!a.example!1!2.xml") "--b--\n",
	    "{M2 file name b!c.example!1!2.xml}\n\n" },
	{ "forwarded: the inner Subject counts",
	    WORDS MIXED TEXT "--b\nContent-Type: message/rfc822\n\n" OTHER "Content-Type: text/xml\n\n" REPORT
			     "--b--\n",
	    "{M1 mail/subject c.example}\n" },
	{ "forwarded: the outer Subject does not",
	    OTHER MIXED TEXT "--b\nContent-Type: message/rfc822\n\n" WORDS "Content-Type: text/xml\n\n" REPORT
			     "--b--\n",
	    "\n" },
	{ "two forwarded, each with its Subject",
	    WORDS MIXED "--b\nContent-Type: message/rfc822\n\n" OTHER "Content-Type: text/xml\n\n" REPORT
			"--b\nContent-Type: message/rfc822\n\nSubject: Report Domain: a.example Submitter: "
			"b\nContent-Type: "
			"text/xml\n\n" REPORT "--b--\n",
	    "{M1 mail/subject c.example}\n\n" },
	{ "beside a forwarded one",
	    OTHER MIXED PART "--b\nContent-Type: message/rfc822\n\n" WORDS "\n" REPORT "--b--\n", "\n\n" },
};

/* The notes M of each report of lines. */
static char *notes_of(const char *lines)
{
	g_auto(GStrv) line = g_strsplit(lines, "\n", -1);
	GString *got = g_string_new(NULL);

	for (char **at = line; *at != NULL; at++) {
		if (!g_str_has_prefix(*at, "end "))
			continue;
		for (const char *note = strstr(*at, "{M"); note != NULL; note = strstr(note + 1, "{M"))
			g_string_append_len(got, note, strchr(note, '}') + 1 - note);
		g_string_append_c(got, '\n');
	}
	return g_string_free(got, FALSE);
}

static void mails(void **state)
{
	const struct parser_options options = { .limits = LIMITS };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(MAILS); i++) {
		struct collect collect;
		g_autofree char *got = NULL;

		collect_init(&collect);
		assert_true(parse_document((const guint8 *)MAILS[i].mail, strlen(MAILS[i].mail), &options,
		    &COLLECT, &collect, NULL));
		got = notes_of(collect.lines->str);
		if (strcmp(got, MAILS[i].want) != 0)
			fail_msg(
			    "%s: got %swant %s%s", MAILS[i].name, got, MAILS[i].want, collect.lines->str);
		collect_clear(&collect);
	}
}

static void a_report_without_a_domain_is_about_that_of_subject_and_file_name(void **state)
{
	static const struct {
		const char *subject, *name, *want;
	} rows[] = {
		{ "Report Domain: A.example. Submitter: b", "b!a.example!1700000000!1700086399.xml",
		    " domain=a.example p=none records=1 {J1 policy_published/domain a.example}\n" },
		{ "Report Domain: a.example Submitter: b", "b!c.example!1700000000!1700086399.xml",
		    "no policy_published/domain" },
		{ "Report Domain: a.example Submitter: b", "report.xml", "no policy_published/domain" },
		{ "Hello", "b!a.example!1700000000!1700086399.xml", "no policy_published/domain" },
	};
	const struct parser_options options = { .limits = LIMITS };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *mail =
		    g_strdup_printf("Subject: %s\nContent-Type: text/xml; name=\"%s\"\n\n"
				    "<feedback><report_metadata><org_name>b</org_name>"
				    "<email>e</email><report_id>7</report_id><date_range>"
				    "<begin>1700000000</begin><end>1700086399</end></date_range>"
				    "</report_metadata><policy_published><p>none</p>"
				    "</policy_published><record><row><count>1</count></row></record>"
				    "</feedback>\n",
			rows[i].subject, rows[i].name);
		struct collect collect;

		collect_init(&collect);
		assert_true(
		    parse_document((const guint8 *)mail, strlen(mail), &options, &COLLECT, &collect, NULL));
		if (strstr(collect.lines->str, rows[i].want) == NULL)
			fail_msg("%s, %s: %s", rows[i].subject, rows[i].name, collect.lines->str);
		collect_clear(&collect);
	}
}

/* What a mail with that archive gives; it is freed. */
static char *notes_of_archive(const char *name, GByteArray *archive)
{
	const struct parser_options options = { .limits = LIMITS };
	g_autofree char *base64 = g_base64_encode(archive->data, archive->len);
	g_autofree char *mail = g_strdup_printf(OTHER
	    "Content-Type: application/zip; name=\"%s\"\nContent-Transfer-Encoding: base64\n\n%s\n",
	    name, base64);
	struct collect collect;
	char *got;

	collect_init(&collect);
	assert_true(parse_document((const guint8 *)mail, strlen(mail), &options, &COLLECT, &collect, NULL));
	got = notes_of(collect.lines->str);
	collect_clear(&collect);
	g_byte_array_unref(archive);
	return got;
}

static void check_archive(const char *name, GByteArray *archive, const char *want)
{
	g_autofree char *got = notes_of_archive(name, archive);

	assert_string_equal(got, want);
}

static void assertion_33_the_innermost_name_counts(void **state)
{
	static const char FOR_C[] = "b!c.example!1!2.xml", FOR_A[] = "b!a.example!1!2.xml";
	g_autoptr(GByteArray) inner = pack_gzip(REPORT, strlen(REPORT));
	const struct pack_member c = { FOR_C, REPORT, strlen(REPORT) }, a = { FOR_A, REPORT, strlen(REPORT) };
	const struct pack_member packed = { FOR_C, inner->data, inner->len };

	(void)state;
	check_archive(FOR_C, pack_gzip(REPORT, strlen(REPORT)),
	    "{M1 mail/subject c.example}{M2 file name b!c.example!1!2.xml}\n");
	check_archive(
	    FOR_A, pack_zip(&c, 1), "{M1 mail/subject c.example}{M2 file name b!c.example!1!2.xml}\n");
	check_archive(FOR_C, pack_zip(&a, 1), "{M1 mail/subject c.example}\n");
	check_archive(
	    FOR_A, pack_zip(&packed, 1), "{M1 mail/subject c.example}{M2 file name b!c.example!1!2.xml}\n");
}

static void a_subject_is_of_no_report_of_several_in_a_zip(void **state)
{
	const struct pack_member members[] = { { "a.xml", REPORT, strlen(REPORT) },
		{ "b!c.example!1!2.xml", REPORT, strlen(REPORT) } };

	(void)state;
	check_archive("b!d.example!1!2.zip", pack_zip(members, 2), "\n{M2 file name b!c.example!1!2.xml}\n");
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
		cmocka_unit_test(subjects),
		cmocka_unit_test(names),
		cmocka_unit_test(what_is_longer_than_it_may_be_says_nothing),
		cmocka_unit_test(what_is_as_long_as_it_may_be_says_nothing),
		cmocka_unit_test(a_domain_is_taken_from_the_name_before_the_subject),
		cmocka_unit_test(notes),
		cmocka_unit_test(a_report_without_an_id_has_no_other),
		cmocka_unit_test(mails),
		cmocka_unit_test(a_report_without_a_domain_is_about_that_of_subject_and_file_name),
		cmocka_unit_test(assertion_33_the_innermost_name_counts),
		cmocka_unit_test(a_subject_is_of_no_report_of_several_in_a_zip),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}
