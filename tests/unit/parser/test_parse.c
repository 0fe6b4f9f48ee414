/* Documents of all kinds through the front door. Numbers in names are those of the assertions in the
 * standards digest. */
#include "parser/parse.h"
#include "tests/unit/parser/collect.h"
#include "tests/unit/parser/pack.h"

#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define REPORT                                                                                               \
	"<feedback><report_metadata><report_id>7</report_id><date_range><begin>1700000001</"                 \
	"begin><end>1700000002</end>"                                                                        \
	"</date_range></report_metadata>"                                                                    \
	"<policy_published><domain>a.example</domain></policy_published><record><row><count>3</count></row>" \
	"</record></feedback>"
#define REPORT_IS(place)                                                                                     \
	"begin " place "\nrecord count=3\nend draft report_id=7 begin=1700000001 end=1700000002 "            \
	"domain=a.example records=1\n"
/* The same, found in a text. */
#define AGAIN_IS(place)                                                                                      \
	"begin " place "\nrecord count=3\nend draft report_id=7 begin=1700000001 end=1700000002 "            \
	"domain=a.example records=1 {X8 feedback}\n"
#define REPORT_START                                                                                         \
	"<feedback><report_metadata><report_id>7</report_id><date_range><begin>1700000001</"                 \
	"begin><end>1700000"
#define MAIL_IS "mail subject=s\n"
#define MIXED   "Subject: s\nContent-Type: multipart/mixed; boundary=b\n\n"

static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;

/* What document gives, as text; it is freed. */
static char *run_with(GByteArray *document, const struct parser_limits *limits, guint fail_at)
{
	const struct parser_options options = { .limits = *limits };
	struct collect collect;
	g_autoptr(GError) error = NULL;
	/* a copy of that size, so that a read beyond it is seen */
	g_autofree guint8 *data = g_memdup2(document->data, document->len);

	collect_init(&collect);
	collect.fail_at = fail_at;
	if (!parse_document(data, document->len, &options, &COLLECT, &collect, &error))
		g_string_append_printf(collect.lines, "!%s", error->message);
	g_byte_array_unref(document);
	return g_string_free(collect.lines, FALSE);
}

static char *run(GByteArray *document)
{
	return run_with(document, &LIMITS, 0);
}

static void check(GByteArray *document, const char *want)
{
	g_autofree char *got = run(document);

	assert_string_equal(got, want);
}

/* A mail with one attachment in base64. */
static GByteArray *mail_with(const char *name, GByteArray *attachment, const char *after)
{
	g_autofree char *base64 = g_base64_encode(attachment->data, attachment->len);
	g_autofree char *mail =
	    g_strdup_printf(MIXED "--b\n\nHello.\n--b\nContent-Type: application/octet-stream; name=%s\n"
				  "Content-Transfer-Encoding: base64\n\n%s\n%s--b--\n",
		name, base64, after);

	g_byte_array_unref(attachment);
	return pack_text(mail);
}

static GByteArray *gzip(const char *text)
{
	return pack_gzip(text, strlen(text));
}

static GByteArray *gzip_again(GByteArray *inner)
{
	GByteArray *outer = pack_gzip(inner->data, inner->len);

	g_byte_array_unref(inner);
	return outer;
}

static GByteArray *zip(const struct pack_member *member, gsize n)
{
	return pack_zip(member, n);
}

struct text_row {
	const char *name, *document, *want;
};

static const struct text_row TEXTS[] = {
	{ "XML", REPORT, REPORT_IS("file") },
	{ "XML behind blanks", "\n\n" REPORT, REPORT_IS("file") },
	{ "XML part", MIXED "--b\nContent-Type: text/xml\n\n" REPORT "\n--b--\n",
	    MAIL_IS REPORT_IS("part 1") },
	{ "XML part called a picture",
	    MIXED "--b\nContent-Type: image/png; name=a.png\n\n" REPORT "\n--b--\n",
	    MAIL_IS REPORT_IS("part 1: a.png") },
	{ "quoted-printable", "Subject: s\nContent-Transfer-Encoding: quoted-printable\n\n=3Cfeedback/>",
	    MAIL_IS "begin part 1\nunreadable incomplete: part 1: no policy_published/domain (RFC 9990 "
		    "section 3.1.1)\n" },
	{ "two reports in a mail", MIXED "--b\n\n" REPORT "\n--b\n\n" REPORT "\n--b--\n",
	    MAIL_IS REPORT_IS("part 1") REPORT_IS("part 2") },
	{ "other parts are passed over",
	    MIXED "--b\n\ntext\n--b\nContent-Type: text/html\n\n<p>text\n--b\n\n" REPORT "\n--b--\n",
	    MAIL_IS REPORT_IS("part 3") },
	{ "a broken report beside a good one", MIXED "--b\n\n<feedback><x>\n--b\n\n" REPORT "\n--b--\n",
	    MAIL_IS "begin part 1\nunreadable xml: part 1: ends before </feedback>\n" REPORT_IS("part 2") },
	{ "forwarded",
	    MIXED "--b\nContent-Type: message/rfc822\n\nSubject: t\nContent-Type: text/xml\n\n" REPORT
		  "\n--b--\n",
	    MAIL_IS REPORT_IS("part 1") },
	{ "a mail without any", "Subject: s\n\nHello.\n",
	    MAIL_IS
	    "unreadable unrelated: mail: the only part is not a DMARC report: text/plain, 7 bytes: not XML, "
	    "JSON or packed\n" },
	{ "HTML", "<html><p>x", "unreadable no-report: file: not a DMARC report\n" },
	{ "HTML that is no XML", "<!DOCTYPE html><p a=b>x",
	    "unreadable no-report: file: not a DMARC report\n" },
	{ "XML of another root", "<?xml version='1.0'?><svg/>",
	    "unreadable no-report: file: not a DMARC report\n" },
	{ "XML that breaks", "<?xml version='1.0'?>< a/>",
	    "unreadable xml: file: line 1: StartTag: invalid element name\n" },
	{ "DTD bomb", "<!DOCTYPE a [<!ENTITY a 'b'>]><a/>",
	    "unreadable xml: file: line 1: declaration of an entity: not read from a mail (RFC 9990 section "
	    "8.1)\n" },
	{ "nothing", "", "unreadable no-report: mail: no bytes at all\n" },
	{ "two documents", REPORT "\n" REPORT "\nand words\n" REPORT "bye",
	    "begin file\nrecord count=3\nend draft report_id=7 begin=1700000001 end=1700000002 "
	    "domain=a.example "
	    "records=1 {R2 feedback " REPORT_START "}\n" AGAIN_IS("file") AGAIN_IS("file") },
	{ "reports in another root", "<reports>" REPORT "\n" REPORT "</reports>",
	    AGAIN_IS("file") AGAIN_IS("file") },
	{ "a report in another root that is not found as a text", "<r><feedback></r>",
	    "unreadable xml: file: another document inside of XML or HTML that is not a report: not read\n" },
	{ "words in angle brackets before a report", "<a@b> wrote:\n" REPORT, AGAIN_IS("file") },
	{ "words", "unused", "unreadable no-report: mail: not a DMARC report\n" },
	{ "failure report",
	    "Subject: s\nContent-Type: multipart/report; report-type=feedback-report; "
	    "boundary=b\n\n--b\n\none\n--b\n"
	    "Content-Type: message/feedback-report\n\nFeedback-Type: auth-failure\n--b\nContent-Type: "
	    "message/rfc822\n\n"
	    "Subject: t\n\n" REPORT "\n--b--\n",
	    MAIL_IS "failure part 2: feedback_type=auth-failure subject=t original_headers=Subject: t| {F3 "
		    "user_agent} {F3 version} {F3 auth_failure} {F3 authentication_results} {F3 "
		    "reported_domain}\n" },
	{ "TLS report by its media type alone",
	    MIXED "--b\nContent-Type: application/tlsrpt+json\n\n{}\n--b--\n",
	    MAIL_IS
	    "unreadable no-report: mail: the only part is not a DMARC report: application/tlsrpt+json, 2 "
	    "bytes: read as JSON\n" },
	{ "bare TLS report", "{\"report-id\":\"1\",\"policies\":[]}",
	    "unreadable incomplete: file: no date-range (RFC 8460 section 4.4)\n" },
	{ "other JSON", "{\"a\":1}", "unreadable no-report: file: not a DMARC report\n" },
	{ "message/partial", "Subject: s\nContent-Type: message/partial; id=a; number=1; total=2\n\nx",
	    MAIL_IS "unreadable mime: mail: message/partial: a piece of a mail that was cut up (RFC 2046 "
		    "section 5.2.2)\n" },
};

static void texts(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(TEXTS); i++) {
		g_autofree char *got = run(pack_text(TEXTS[i].document));

		if (strcmp(got, TEXTS[i].want) != 0)
			fail_msg("%s:\ngot  %swant %s", TEXTS[i].name, got, TEXTS[i].want);
	}
}

static void assertion_27_archives_are_told_by_their_bytes(void **state)
{
	const struct pack_member member = { "r.xml", REPORT, strlen(REPORT) };

	(void)state;
	check(gzip(REPORT), REPORT_IS("file"));
	check(pack_zlib(REPORT, strlen(REPORT)), REPORT_IS("file"));
	check(zip(&member, 1), REPORT_IS("file: r.xml"));
	check(mail_with("r.zip", gzip(REPORT), ""), MAIL_IS REPORT_IS("part 2: r.zip"));
	check(mail_with("r.xml.gz", zip(&member, 1), ""), MAIL_IS REPORT_IS("part 2: r.xml.gz: r.xml"));
	check(mail_with("r.xml.gz", pack_text(REPORT), ""), MAIL_IS REPORT_IS("part 2: r.xml.gz"));
	check(mail_with("r.gz", gzip(REPORT), "_______\nThe list's footer\n"),
	    MAIL_IS REPORT_IS("part 2: r.gz"));
}

static void assertion_28_every_member_of_a_zip_counts(void **state)
{
	g_autoptr(GByteArray) inner = gzip(REPORT);
	const struct pack_member members[] = { { "d/", NULL, 0 }, { "logo.png", "\x89PNG", 4 },
		{ "d/a.xml", REPORT, strlen(REPORT) }, { "b.xml", "<feedback>", 10 },
		{ "c.xml.gz", inner->data, inner->len } };

	(void)state;
	check(zip(members, G_N_ELEMENTS(members)),
	    REPORT_IS("file: d/a.xml") "begin file: b.xml\nunreadable xml: file: b.xml: ends before "
				       "</feedback>\n" REPORT_IS("file: c.xml.gz"));
	check(zip(members, 2), "unreadable no-report: file: not a DMARC report\n");
}

#define PLACEHOLDER "an archive of the word \"unused\": the reporter had nothing to report\n"

static void the_word_unused_in_an_archive_is_a_placeholder(void **state)
{
	const struct pack_member members[] = { { "a.xml", "unused\n", 7 },
		{ "b.xml", REPORT, strlen(REPORT) } };

	(void)state;
	check(gzip("unused"), "unreadable placeholder: file: " PLACEHOLDER);
	check(mail_with("y.xml.gz", gzip(" Unused\r\n"), ""),
	    MAIL_IS "unreadable placeholder: mail: " PLACEHOLDER);
	check(zip(members, 1), "unreadable placeholder: file: " PLACEHOLDER);
	check(zip(members, 2), REPORT_IS("file: b.xml"));
	check(gzip("unused too"), "unreadable no-report: file: not a DMARC report\n");
}

static void archives_in_archives_are_read_to_their_limit(void **state)
{
	struct parser_limits limits = LIMITS;

	(void)state;
	limits.max_nesting = 3;
	for (guint depth = 2; depth <= 4; depth++) {
		GByteArray *archive = gzip(REPORT);
		g_autofree char *got = NULL;

		for (guint i = 1; i < depth; i++)
			archive = gzip_again(archive);
		got = run_with(archive, &limits, 0);
		assert_string_equal(got,
		    depth <= 3
			? REPORT_IS("file")
			: "unreadable limit: file: archives inside one another, more than are unpacked\n");
	}
}

#define MBOX_LINE "From r@rep.example Thu Jan  1 00:00:00 2026\n"

/* What a file in a zip gives. */
static void check_inner(const char *name, const char *file, const char *want)
{
	const struct pack_member member = { name, file, strlen(file) };

	check(zip(&member, 1), want);
}

static void mails_and_mboxes_in_archives_are_read(void **state)
{
	g_autoptr(GByteArray) packed = mail_with("r.gz", gzip(REPORT), "");
	g_autofree char *mail =
	    g_strdup_printf("From: r@rep.example\n%.*s", (int)packed->len, (const char *)packed->data);
	g_autofree char *mbox = g_strconcat(MBOX_LINE, mail, "\n" MBOX_LINE, mail, NULL);
	g_autoptr(GByteArray) zipped = zip(&(struct pack_member){ "r.eml", mail, strlen(mail) }, 1);

	(void)state;
	check_inner("r.eml", mail, REPORT_IS("file: r.eml: part 2: r.gz"));
	check_inner(
	    "r.txt", mbox, REPORT_IS("file: r.txt: part 2: r.gz") REPORT_IS("file: r.txt: part 4: r.gz"));
	check(gzip(mail), REPORT_IS("file: part 2: r.gz"));
	check(mail_with("mails.gz", pack_gzip(zipped->data, zipped->len), ""),
	    MAIL_IS REPORT_IS("part 2: mails.gz: r.eml: part 2: r.gz"));
	check_inner("r.eml", "From: r@rep.example\nContent-Type: message/partial\n\nx",
	    "unreadable mime: file: r.eml: message/partial: a piece of a mail that was cut up (RFC 2046 "
	    "section "
	    "5.2.2)\n");
	check_inner("r.eml", "From: r@rep.example\n\nHello.\n",
	    "unreadable no-report: file: the only part is not a DMARC report: text/plain, 7 bytes: not XML, "
	    "JSON "
	    "or packed\n");
	check_inner("r.txt", "Note: nothing here is From: anybody.\n",
	    "unreadable no-report: file: not a DMARC report\n");
}

/* A mail whose attachment is a CMS structure (cms.h). */
static GByteArray *mail_with_cms(const char *type, const char *inner)
{
	static const char HEAD[] = "\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07";
	static const char SIGNED[] =
	    "\xa0\x80\x30\x80\x02\x01\x01\x31\x00\x30\x80\x06\x09\x2a\x86\x48\x86\xf7"
	    "\x0d\x01\x07\x01\xa0\x80\x24\x80";
	GByteArray *cms = g_byte_array_new();

	g_byte_array_append(cms, (const guint8 *)HEAD, sizeof HEAD - 1);
	g_byte_array_append(cms, (const guint8 *)type, 1);
	g_byte_array_append(cms, (const guint8 *)SIGNED, sizeof SIGNED - 1);
	for (gsize at = 0, size = strlen(inner); at < size; at += 100) {
		guint8 piece[2] = { 4, (guint8)MIN(size - at, 100) };

		g_byte_array_append(cms, piece, 2);
		g_byte_array_append(cms, (const guint8 *)inner + at, piece[1]);
	}
	return mail_with("smime.p7m", cms, "");
}

static void a_signed_mail_is_read_and_an_encrypted_one_says_so(void **state)
{
	struct parser_limits limits = LIMITS;
	g_autofree char *got = NULL;

	(void)state;
	check(mail_with_cms("\2", "Content-Type: text/xml\r\n\r\n" REPORT), MAIL_IS REPORT_IS("part 2"));
	check(mail_with_cms("\3", "x"),
	    MAIL_IS "unreadable encrypted: part 2: smime.p7m: S/MIME: encrypted, cannot be read\n");
	check(mail_with("a.asc", pack_text("\n-----BEGIN PGP MESSAGE-----\n\nAAAA\n"), ""),
	    MAIL_IS "unreadable encrypted: part 2: a.asc: OpenPGP: encrypted, cannot be read\n");
	limits.max_part_depth = 2;
	got = run_with(mail_with_cms("\2", "Content-Type: text/xml\r\n\r\n" REPORT), &limits, 0);
	assert_string_equal(got, MAIL_IS "unreadable limit: mail: parts inside one another: more than 2\n");
}

#define TLS                                                                                                  \
	"{\"report-id\":\"1\",\"policies\":[],\"date-range\":{\"start-datetime\":\"2026-01-01T00:00:00Z\","  \
	"\"end-datetime\":\"2026-01-01T23:59:59Z\"}}"
#define TLS_START "{\"report-id\":\"1\",\"policies\":[],\"date-range\":{\"start-datetime"
#define TLS_IS    "report_id=1 start_datetime=1767225600 end_datetime=1767311999 {R0 policies}"

static void reports_in_texts_of_archives_are_read(void **state)
{
	static const char MAIL[] =
	    "From: r@rep.example\nMIME-Version: 1.0\nContent-Type: text/xml\n\n" REPORT;
	const struct pack_member member = { "r.eml", MAIL, strlen(MAIL) };
	g_autoptr(GByteArray) tar = pack_tar(&member, 1);
	struct parser_limits limits = LIMITS;
	g_autofree char *got = NULL;

	(void)state;
	check(gzip("See: " REPORT "\n"), AGAIN_IS("file"));
	check(gzip("Note: see\n" TLS "\n"), "tls file " TLS_IS "\n");
	check(gzip("[" TLS "," TLS "]"), "tls file " TLS_IS "\ntls file " TLS_IS "\n");
	check(gzip(TLS "\n" TLS " and " TLS " bye"),
	    "tls file " TLS_IS "\ntls file " TLS_IS " {J4 report and " TLS_START "}\ntls file " TLS_IS "\n");
	check(
	    mail_with("r.tar", g_steal_pointer(&tar), ""), MAIL_IS REPORT_IS("part 2: r.tar: r.eml: part 1"));
	limits.max_members = 2;
	got = run_with(gzip("See: " REPORT REPORT), &limits, 0);
	assert_string_equal(got,
	    AGAIN_IS("file") "unreadable limit: file: more files in a text than are read for one mail\n");
}

#define PART(type, name) "--b\nContent-Type: " type "; name=\"" name "\"\n\nHi\n"

/* A mail without a report, and the code that it gets. */
static const struct {
	const char *name;
	const char *mail;
	const char *code;
} OTHERS[] = {
	{ "a bounce",
	    "Subject: Undelivered Mail\nContent-Type: multipart/report; report-type=delivery-status; "
	    "boundary=b\n\n"
	    "--b\n\nSorry\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; a.example\n\n"
	    "--b\nContent-Type: text/rfc822-headers\n\nSubject: x\n--b--\n",
	    "unrelated" },
	{ "an automatic reply", "Subject: Out of office\nAuto-Submitted: auto-replied\n\nI am away.\n",
	    "unrelated" },
	{ "HTML", "Subject: Buy\nContent-Type: text/html\n\n<html><p>Buy", "unrelated" },
	{ "spam with pictures and a document",
	    MIXED PART("image/png", "a.png") PART("application/pdf", "offer.pdf") "--b--\n", "unrelated" },
	{ "a Subject of a report", "Subject: Report Domain: a.example Submitter: b.example\n\nHi\n",
	    "no-report" },
	{ "an empty attachment of a report's name", MIXED PART("text/plain", "a!b!1!2.xml") "--b--\n",
	    "no-report" },
	{ "bytes of no type", MIXED PART("application/octet-stream", "x") "--b--\n", "no-report" },
	{ "XML of another root", "Subject: s\n\n<?xml version='1.0'?><svg/>", "no-report" },
	{ "fields of a failure report", "Subject: s\n\nFeedback-Type: auth-failure\n", "no-report" },
	{ "a failure report that has none",
	    "Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\nHi\n--b--\n",
	    "no-report" },
};

static void what_is_not_meant_to_be_a_report_has_a_code_of_its_own(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(OTHERS); i++) {
		g_autofree char *got = run(pack_text(OTHERS[i].mail));
		g_autofree char *want = g_strdup_printf("\nunreadable %s: mail: ", OTHERS[i].code);

		if (strstr(got, want) == NULL || strstr(got, " a DMARC report: ") == NULL)
			fail_msg("%s: %s", OTHERS[i].name, got);
	}
}

static void the_reason_lists_the_parts_and_what_was_tried(void **state)
{
	GString *mail = g_string_new(MIXED);

	(void)state;
	g_string_append(mail, PART("text/plain", "") PART("application/gzip", "r.gz"));
	g_string_append(mail, "--b\nContent-Type: application/json\n\n{}\n--b\n\n<a/>\n");
	for (guint i = 0; i < 8; i++)
		g_string_append(mail, PART("image/png", "a"));
	g_string_append(mail, "--b--\n");
	check(pack_text(mail->str),
	    MAIL_IS "unreadable no-report: mail: none of 12 parts is a DMARC report: "
		    "text/plain, 2 bytes: not XML, JSON or packed; "
		    "application/gzip \"r.gz\", 2 bytes: not XML, JSON or packed; "
		    "application/json, 2 bytes: read as JSON; text/plain, 4 bytes: read as XML; "
		    "image/png \"a\", 2 bytes: not XML, JSON or packed; "
		    "image/png \"a\", 2 bytes: not XML, JSON or packed; "
		    "image/png \"a\", 2 bytes: not XML, JSON or packed; "
		    "image/png \"a\", 2 bytes: not XML, JSON or packed; "
		    "image/png \"a\", 2 bytes: not XML, JSON or packed; "
		    "image/png \"a\", 2 bytes: not XML, JSON or packed; and 2 more\n");
	g_string_free(mail, TRUE);
}

static void mails_do_not_lift_the_limit_of_archives_in_archives(void **state)
{
	struct parser_limits limits = LIMITS;

	(void)state;
	limits.max_nesting = 3;
	for (guint depth = 2; depth <= 4; depth++) {
		GByteArray *archive = gzip(REPORT);
		g_autofree char *got = NULL;

		for (guint i = 1; i < depth; i++) {
			GByteArray *mail = mail_with("a", archive, "");
			GByteArray *file = pack_text("From: a@b.example\n");

			pack_append(file, mail);
			g_byte_array_unref(mail);
			archive = gzip_again(file);
		}
		got = run_with(archive, &limits, 0);
		if (depth <= 3
			? strstr(got, "\nend ") == NULL
			: !g_str_has_prefix(got, "unreadable limit: file: part 2: a: part 2: a: part 2: a: "
						 "archives inside one another"))
			fail_msg("%u: %s", depth, got);
	}
}

static void damaged_archives_take_back_what_they_gave(void **state)
{
	GByteArray *cut = gzip(REPORT), *wrong = gzip(REPORT);

	(void)state;
	g_byte_array_set_size(cut, cut->len - 4);
	check(cut, "begin file\nrecord count=3\nunreadable archive: file: gzip or zlib: ends early\n");
	wrong->data[wrong->len - 8] ^= 1;
	check(wrong, "unreadable archive: file: gzip or zlib: damaged data or wrong checksum: Invalid "
		     "compressed data\n");
}

/* An archive with complete records that was truncated before compression, is complete, or has junk after its
 * end. */
static void assertion_30_a_broken_archive_is_never_a_partial_report(void **state)
{
	static const char CUT[] = REPORT;
	gsize size = strlen(CUT) - strlen("</feedback>");
	const struct pack_member member = { "a.xml", CUT, size };
	GByteArray *archives[] = { pack_gzip(CUT, size), gzip(REPORT), pack_gzip(CUT, size), gzip(REPORT "x"),
		pack_zip(&member, 1), pack_gzip(CUT, size) };
	GByteArray *archive_of_zip = archives[4];

	(void)state;
	g_byte_array_set_size(archives[0], archives[0]->len - 8); /* neither checksum nor length */
	g_byte_array_set_size(archives[1], archives[1]->len - 20);
	archives[2]->data[archives[2]->len - 8] ^= 1; /* the checksum */
	archives[3]->data[archives[3]->len - 8] ^= 1;
	archive_of_zip->data[14] ^= 1; /* the checksum, in the local header and in the directory */
	for (guint i = 4; i < archive_of_zip->len - 20; i++)
		if (memcmp(archive_of_zip->data + i, "PK\1\2", 4) == 0)
			archive_of_zip->data[i + 16] ^= 1;
	for (gsize i = 0; i < G_N_ELEMENTS(archives); i++) {
		gboolean broken = i < 5; /* the last is well, so that its report is partial */
		g_autofree char *got = run(archives[i]);

		if ((strstr(got, "unreadable archive: ") != NULL) != broken ||
		    (strstr(got, "\nend ") != NULL) == broken || (strstr(got, " partial ") != NULL) == broken)
			fail_msg("%zu: %s", i, got);
	}
}

/* Plain and packed. */
static void assertion_25_a_text_of_100_mb_is_refused(void **state)
{
	static const guint SIZE = 100 * 1000 * 1000;
	GByteArray *documents[2];

	(void)state;
	documents[0] = pack_text(REPORT);
	g_byte_array_set_size(documents[0], (guint)(strlen(REPORT) - strlen("</feedback>")));
	g_byte_array_append(documents[0], (const guint8 *)"<record><row><count>", 20);
	g_byte_array_set_size(documents[0], documents[0]->len + SIZE);
	memset(documents[0]->data + documents[0]->len - SIZE, '1', SIZE);
	documents[1] = pack_gzip(documents[0]->data, documents[0]->len);
	for (gsize i = 0; i < G_N_ELEMENTS(documents); i++) {
		g_autofree char *got = run(documents[i]);

		if (strstr(got, "\nunreadable limit: ") == NULL || strstr(got, "\nend ") != NULL)
			fail_msg("%zu: %s", i, got);
	}
}

static void a_report_that_breaks_late_is_taken_back_whole(void **state)
{
	GString *xml = g_string_new(REPORT);
	GByteArray *cut;
	g_autofree char *got = NULL;

	(void)state;
	g_string_truncate(xml, xml->len - strlen("</feedback>"));
	for (guint i = 0; i < 20000; i++)
		g_string_append_printf(
		    xml, "<record><row><count>%u</count></row></record>", (i * 2654435761U) >> 20);
	g_string_append(xml, "</feedback>");
	cut = gzip(xml->str);
	g_string_free(xml, TRUE);
	g_byte_array_set_size(cut, cut->len - 9);
	got = run(cut);
	assert_true(g_str_has_prefix(got, "begin file\nrecord count=3\nrecord"));
	assert_null(strstr(got, "\nend "));
	assert_true(g_str_has_suffix(got, "\nunreadable archive: file: gzip or zlib: ends early\n"));
}

static void the_budget_is_for_the_whole_mail(void **state)
{
	struct parser_limits limits = LIMITS;
	const struct pack_member member = { "a", REPORT, strlen(REPORT) };
	const struct pack_member members[] = { member, member, member };

	(void)state;
	limits.free_unpacked = limits.max_unpacked = 3 * strlen(REPORT);
	for (int less = 0; less <= 1; less++) {
		g_autofree char *got = NULL;

		limits.max_unpacked -= (guint64)less;
		got = run_with(zip(members, 3), &limits, 0);
		assert_string_equal(
		    got, less == 0 ? REPORT_IS("file: a") REPORT_IS("file: a") REPORT_IS("file: a")
				   : REPORT_IS("file: a")
					 REPORT_IS("file: a") "unreadable limit: file: a: unpacks to more "
							      "bytes than are allowed for one mail\n");
	}
}

static void a_mail_may_not_unpack_to_many_times_its_size(void **state)
{
	struct parser_limits limits = LIMITS;
	GString *xml = g_string_new("<feedback>");
	g_autofree char *got = NULL;

	(void)state;
	while (xml->len < 1000000)
		g_string_append(xml, "                                                ");
	limits.free_unpacked = 1000;
	limits.max_ratio = 100;
	got = run_with(gzip(xml->str), &limits, 0);
	g_string_free(xml, TRUE);
	assert_string_equal(
	    got, "begin file\nunreadable limit: file: unpacks to more bytes than are allowed for one mail\n");
}

static void each_error_of_the_sink_ends_it_and_comes_out(void **state)
{
	(void)state;
	/* mail, begin, record, end */
	for (guint call = 1; call <= 4; call++) {
		g_autofree char *got = run_with(mail_with("a.gz", gzip(REPORT), ""), &LIMITS, call);

		assert_true(g_str_has_suffix(got, "\n!the sink is full"));
		assert_null(strstr(got, "unreadable"));
	}
	{
		g_autofree char *got = run_with(pack_text("x"), &LIMITS, 1);

		assert_true(g_str_has_suffix(got, "\n!the sink is full"));
	}
}

/* Whoever tries to open a file from now on is killed; refusing would not do, because libxml2 may fall back on
 * ICU. */
static gboolean forbid_open(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	return filter != NULL && seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(openat), 0) == 0 &&
	       seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(open), 0) == 0 &&
	       seccomp_load(filter) == 0;
}

/* An Organizational Domain is looked up in a child that must open no file; without the list nothing would be
 * one. */
static void the_public_suffix_list_is_loaded_by_parse_init(void **state)
{
	static const char XML[] =
	    "<feedback><report_metadata><date_range><begin>1</begin><end>2</end></date_range></"
	    "report_metadata>"
	    "<policy_published><domain>a.co.uk</domain></policy_published><record><row><count>3</count>"
	    "<policy_evaluated><dkim>pass</dkim></policy_evaluated></row><identifiers><header_from>a.co.uk</"
	    "header_from></identifiers><auth_results><dkim><domain>b.co.uk</domain><result>pass</result></"
	    "dkim></"
	    "auth_results></record></feedback>";
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		GByteArray *document = g_byte_array_new();
		g_autofree char *got = NULL;

		if (!forbid_open())
			_exit(99);
		g_byte_array_append(document, (const guint8 *)XML, sizeof XML - 1);
		got = run(document);
		_exit(strstr(got, "{A1 row/policy_evaluated/dkim pass}") == NULL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFEXITED(status))
		fail_msg("a file was opened");
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* A number with a fraction makes json-c change the locale, and objects have a seed. */
static void no_file_is_opened_for_json(void **state)
{
	static const char JSON[] =
	    "{\"report-id\":\"r\",\"date-range\":{\"start-datetime\":864000000.5,\"end-"
	    "datetime\":1e400},\"policies\":[]}";
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		g_autofree char *got = NULL;

		if (!forbid_open())
			_exit(99);
		got = run(pack_text(JSON));
		_exit(strcmp(got, "unreadable incomplete: file: date-range \"1e400\": not a date (RFC 3339 "
				  "section 5.6)\n") != 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFEXITED(status))
		fail_msg("a file was opened");
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* In each character set, in a child that must open no file. */
static void no_charset_is_opened_after_parse_init(void **state)
{
	static const char *const CHARSETS[] = { "UTF-8", "UTF-16", "UTF-16LE", "US-ASCII", "ISO-8859-1",
		"ISO-8859-2", "ISO-8859-5", "ISO-8859-7", "ISO-8859-9", "ISO-8859-15", "windows-1250",
		"windows-1251", "windows-1252", "windows-1253", "windows-1254", "windows-1257", "KOI8-R",
		"Shift_JIS", "EUC-JP", "ISO-2022-JP", "EUC-KR", "GB2312", "GBK", "GB18030", "Big5" };
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		if (!forbid_open())
			_exit(99);
		for (guint i = 0; i < G_N_ELEMENTS(CHARSETS); i++) {
			g_autofree char *xml =
			    g_strdup_printf("<?xml version='1.0' encoding='%s'?>" REPORT, CHARSETS[i]);
			GByteArray *document = g_byte_array_new();
			g_autofree char *got = NULL;

			/* the sets are supersets of ASCII but for these */
			for (const char *at = xml; *at != '\0'; at++) {
				g_byte_array_append(document, (const guint8 *)at, 1);
				if (g_str_has_prefix(CHARSETS[i], "UTF-16"))
					g_byte_array_append(document, (const guint8 *)"", 1);
			}
			got = run(document);
			if (strcmp(got, REPORT_IS("file")) != 0)
				_exit((int)i + 1);
		}
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFEXITED(status))
		fail_msg("a file was opened");
	assert_int_not_equal(WEXITSTATUS(status), 99);
	if (WEXITSTATUS(status) != 0)
		fail_msg("%s could not be read", CHARSETS[WEXITSTATUS(status) - 1]);
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
		cmocka_unit_test(assertion_30_a_broken_archive_is_never_a_partial_report),
		cmocka_unit_test(assertion_25_a_text_of_100_mb_is_refused),
		cmocka_unit_test(texts),
		cmocka_unit_test(assertion_27_archives_are_told_by_their_bytes),
		cmocka_unit_test(assertion_28_every_member_of_a_zip_counts),
		cmocka_unit_test(the_word_unused_in_an_archive_is_a_placeholder),
		cmocka_unit_test(archives_in_archives_are_read_to_their_limit),
		cmocka_unit_test(mails_and_mboxes_in_archives_are_read),
		cmocka_unit_test(reports_in_texts_of_archives_are_read),
		cmocka_unit_test(a_signed_mail_is_read_and_an_encrypted_one_says_so),
		cmocka_unit_test(what_is_not_meant_to_be_a_report_has_a_code_of_its_own),
		cmocka_unit_test(the_reason_lists_the_parts_and_what_was_tried),
		cmocka_unit_test(mails_do_not_lift_the_limit_of_archives_in_archives),
		cmocka_unit_test(damaged_archives_take_back_what_they_gave),
		cmocka_unit_test(a_report_that_breaks_late_is_taken_back_whole),
		cmocka_unit_test(the_budget_is_for_the_whole_mail),
		cmocka_unit_test(a_mail_may_not_unpack_to_many_times_its_size),
		cmocka_unit_test(each_error_of_the_sink_ends_it_and_comes_out),
		cmocka_unit_test(no_charset_is_opened_after_parse_init),
		cmocka_unit_test(the_public_suffix_list_is_loaded_by_parse_init),
		cmocka_unit_test(no_file_is_opened_for_json),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}
