/* Mails into decoded leaf parts. Numbers in names are those of the assertions in the standards digest. */
#include "parser/embedded.h"
#include "parser/mail.h"
#include "parser/parse.h"
#include "tests/unit/cpu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;

static gboolean on_header(gpointer user, const struct mail_header *mail, GError **error)
{
	(void)error;
	g_string_append_printf(user, "id=%s subject=%s from=%s\n", mail->message_id ? mail->message_id : "-",
	    mail->subject ? mail->subject : "-", mail->from ? mail->from : "-");
	return TRUE;
}

static gboolean on_part(gpointer user, const struct mail_part *part, GError **error)
{
	(void)error;
	g_string_append_printf(user, "%u %s %s [%.*s]\n", part->number, part->type,
	    part->name ? part->name : "-", (int)MIN(part->size, 100), (const char *)part->data);
	return TRUE;
}

static gboolean on_feedback(gpointer user, const struct mail_feedback *feedback, GError **error)
{
	static const char *const FORMS[] = { "fields", "prose", "none" };

	(void)error;
	g_string_append_printf(user, "%u feedback %s [%.*s] [%.*s]%s%s\n", feedback->number,
	    FORMS[feedback->form], (int)feedback->fields_size, (const char *)feedback->fields,
	    (int)feedback->message_size, (const char *)feedback->message,
	    feedback->report_type != NULL ? " " : "",
	    feedback->report_type != NULL ? feedback->report_type : "");
	return TRUE;
}

static const struct mail_visitor VISITOR = { on_header, on_part, on_feedback };

static char *walk(const char *mail, gsize size, const struct parser_limits *limits)
{
	GString *text = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	/* a copy of that size, so that a read beyond it is seen */
	g_autofree guint8 *data = g_memdup2(mail, size);

	if (!mail_walk(data, size, limits, NULL, &VISITOR, text, &error))
		g_string_append_printf(text, "%s\n", error->message);
	return g_string_free(text, FALSE);
}

#define MIXED   "Subject: s\nContent-Type: multipart/mixed; boundary=b\n\n"
#define FIELDS  "Content-Type: message/feedback-report\n"
#define MESSAGE "Content-Type: message/rfc822\n"
#define FROM    "From a@b Mon Dec  1 00:00:00 2025\n"
#define XML     "<Feedback><report_metadata/></Feedback>"
#define HEAD    "id=- subject=s from=-\n"

static const struct {
	const char *name, *mail, *want;
} ROWS[] = {
	{ "header fields",
	    "From: \"A\" <a@b.example>\nMessage-ID: <x@y>\nSubject: =?utf-8?q?Gr=C3=BC?=\n "
	    "=?utf-8?b?w59l?=\n\nbody\n",
	    "id=x@y subject=Gr\xc3\xbc\xc3\x9f"
	    "e from=\"A\" <a@b.example>\n1 text/plain - [body\n]\n" },
	{ "header fields with junk", "From: a\x01@b\nSubject: a\x1b[0m\tb\n\nx",
	    "id=- subject=a\xef\xbf\xbd[0m b from=a\xef\xbf\xbd@b\n1 text/plain - [x]\n" },
	{ "no header but one", "Subject: s\n\n", HEAD "1 text/plain - []\n" },
	{ "CRLF", "Subject: s\r\n\r\na\r\nb\r\n", HEAD "1 text/plain - [a\r\nb\r\n]\n" },
	{ "31 single part, base64",
	    "Subject: s\nContent-Type: application/zip; name=a.zip\nContent-Transfer-Encoding: "
	    "base64\n\naGVsbG8=\n",
	    HEAD "1 application/zip a.zip [hello]\n" },
	{ "31 quoted-printable",
	    "Subject: s\nContent-Type: text/xml\nContent-Transfer-Encoding: quoted-printable\n\n<a "
	    "b=3D'c'>=\n</a>\n",
	    HEAD "1 text/xml - [<a b='c'></a>\n]\n" },
	{ "31 octet-stream, 8bit",
	    "Subject: s\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: 8bit\n\n\xc3\xbc",
	    HEAD "1 application/octet-stream - [\xc3\xbc]\n" },
	{ "parts in order, preamble and epilogue left out",
	    MIXED "pre\n--b\n\none\n--b\nContent-Type: Application/GZIP\n\ntwo\n--b--\nepi\n",
	    HEAD "1 text/plain - [one]\n2 application/gzip - [two]\n" },
	{ "multipart in multipart",
	    MIXED "--b\nContent-Type: multipart/related; "
		  "boundary=c\n\n--c\n\none\n--c\n\ntwo\n--c--\n--b\n\nthree\n--b--\n",
	    HEAD "1 text/plain - [one]\n2 text/plain - [two]\n3 text/plain - [three]\n" },
	{ "a boundary with CRLF behind a line with LF", MIXED "--b\r\n\r\none\n--b\r\n\r\ntwo\r\n--b--\r\n",
	    HEAD "1 text/plain - [one]\n2 text/plain - [two]\n" },
	{ "no end", MIXED "--b\n\none", HEAD "1 text/plain - [one]\n" },
	{ "32 forwarded",
	    MIXED
	    "--b\nContent-Type: message/rfc822\n\nSubject: inner\nContent-Type: text/xml\n\n<a/>\n--b--\n",
	    HEAD "1 text/xml - [<a/>]\n" },
	{ "32 forwarded as base64",
	    MIXED "--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: "
		  "base64\n\nU3ViamVjdDogaW5uZXIKCmhlbGxvCg==\n--b--\n",
	    HEAD "1 text/plain - [hello\n]\n" },
	{ "34 name with a path",
	    "Subject: s\nContent-Disposition: attachment; filename=\"../../etc/passwd\"\n\nx",
	    HEAD "1 text/plain ../../etc/passwd [x]\n" },
	{ "34 name in pieces of RFC 2231",
	    "Subject: s\nContent-Type: a/b\nContent-Disposition: attachment;\n filename*0*=utf-8''a%C3%BC;\n "
	    "filename*1=\".xml\"\n\nx",
	    HEAD "1 a/b a\xc3\xbc.xml [x]\n" },
	{ "34 name in a word of RFC 2047",
	    "Subject: s\nContent-Type: a/b; name=\"=?utf-8?q?a=C3=BC.xml?=\"\n\nx",
	    HEAD "1 a/b a\xc3\xbc.xml [x]\n" },
	{ "34 name with a control character", "Subject: s\nContent-Type: a/b; name*=utf-8''a%00%0ab\n\nx",
	    NULL },
	{ "ContentType: without a hyphen",
	    MIXED "--b\nContentType: application/zip\nContent-Transfer-Encoding: base64\n\naGVsbG8=\n--b--\n",
	    HEAD "1 text/plain - [hello]\n" },
	{ "base64 that nothing declares",
	    MIXED "--b\nContent-Type: application/gzip\n\nPGZlZWRiYWNrLz4=\n--b--\n",
	    HEAD "1 application/gzip - [<feedback/>]\n" },
	{ "declared base64 that is none", "Subject: s\nContent-Transfer-Encoding: base64\n\n<feedback/>",
	    HEAD "1 text/plain - [<feedback/>]\n" },
	{ "transfer encoding of no RFC", "Subject: s\nContent-Transfer-Encoding: x-foo\n\nx",
	    HEAD "1 text/plain - [x]\n" },
	{ "RFC 5965",
	    "Subject: s\nContent-Type: multipart/report; report-type=feedback-report; "
	    "boundary=b\n\n--b\n\none\n--b\n"
	    "Content-Type: message/feedback-report\n\nFeedback-Type: auth-failure\n--b--\n",
	    HEAD
	    "1 text/plain - [one]\n2 feedback fields [Feedback-Type: auth-failure] [] feedback-report\n" },
	{ "51 feedback part without report-type",
	    MIXED "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: auth-failure\n--b--\n",
	    HEAD "1 feedback fields [Feedback-Type: auth-failure] []\n" },
	{ "feedback with a message of many parts",
	    MIXED
	    "--b\n" FIELDS "\nFeedback-Type: x\n--b\n" MESSAGE
	    "\nSubject: t\nContent-Type: multipart/mixed; boundary=c\n\npre\n--c\n\none\n--c\n\ntwo\n--c--\n"
	    "post\n\n--b\n\nthree\n--b--\n",
	    HEAD "1 feedback fields [Feedback-Type: x] [Subject: t\nContent-Type: multipart/mixed; "
		 "boundary=c\n\npre\n--c\n\none\n--c\n\ntwo\n--c--\npost\n]\n3 text/plain - [three]\n" },
	{ "feedback with a message that ends at the boundary around",
	    MIXED "--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n" FIELDS
		  "\nFeedback-Type: x\n--c\n" MESSAGE
		  "\r\nSubject: t\r\n\r\nx\r\n--b\r\n\r\nthree\r\n--b--\r\n",
	    HEAD "1 feedback fields [Feedback-Type: x] [Subject: t\r\n\r\nx]\n3 text/plain - [three]\n" },
	{ "feedback with a message that ends at a boundary of one character",
	    MIXED "--b\n" FIELDS "\nFeedback-Type: x\n--b\n" MESSAGE "\nA: 1\n\nx\n--b",
	    HEAD "1 feedback fields [Feedback-Type: x] [A: 1\n\nx]\n" },
	{ "feedback with a message that has lines like a boundary",
	    MIXED "--b\n" FIELDS "\nFeedback-Type: x\n--b\n" MESSAGE
		  "\nA: 1\n\n-\n--\n-b\nx-b\n-xb\n--a\n--bb\n--b--\n",
	    HEAD "1 feedback fields [Feedback-Type: x] [A: 1\n\n-\n--\n-b\nx-b\n-xb\n--a\n--bb]\n" },
	{ "feedback with a message after a nested multipart, with a line like the nested boundary",
	    MIXED "--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\none\n--c--\n--b\n" FIELDS
		  "\nFeedback-Type: x\n--b\n" MESSAGE "\nA: 1\n\nx\n--c\ny\n--b--\n",
	    HEAD "1 text/plain - [one]\n2 feedback fields [Feedback-Type: x] [A: 1\n\nx\n--c\ny]\n" },
	{ "feedback with a message without a header",
	    MIXED "--b\n" FIELDS "\nFeedback-Type: x\n--b\n" MESSAGE "\nREDACTED\n\n--b--\n",
	    HEAD "1 feedback fields [Feedback-Type: x] [REDACTED\n]\n" },
	{ "feedback with a message of nothing",
	    MIXED "--b\n" FIELDS "\nFeedback-Type: x\n--b\n" MESSAGE "\n--b--\n",
	    HEAD "1 feedback fields [Feedback-Type: x] []\n" },
	{ "two reports, each with its message",
	    MIXED "--b\n" FIELDS "\nFeedback-Type: x\n--b\n" MESSAGE "\nA: 1\n--b\n" FIELDS
		  "\nFeedback-Type: y\n--b\nContent-Type: text/rfc822-headers\n\nB: 2\n--b--\n",
	    HEAD
	    "1 feedback fields [Feedback-Type: x] [A: 1]\n3 feedback fields [Feedback-Type: y] [B: 2]\n" },
	{ "a message before its report",
	    MIXED "--b\n" MESSAGE "\nA: 1\n--b\n" FIELDS "\nFeedback-Type: x\n--b--\n",
	    HEAD "2 feedback fields [Feedback-Type: x] [A: 1]\n" },
	{ "a message that no report has is looked into",
	    MIXED "--b\n" FIELDS "\nFeedback-Type: x\n--b\n" MESSAGE "\nA: 1\n--b\n" MESSAGE
		  "\nB: 2\n\ntwo\n--b--\n",
	    HEAD "1 feedback fields [Feedback-Type: x] [A: 1]\n3 text/plain - [two]\n" },
	{ "31 base64 behind quoted-printable",
	    "Subject: s\nContent-Transfer-Encoding: quoted-printable\n\nPGZlZWRiYWNrLz4=\n",
	    HEAD "1 text/plain - [<feedback/>]\n" },
	{ "base64 of XML behind a byte order mark", "Subject: s\n\n77u/PGZlZWRiYWNrLz4=\n",
	    HEAD "1 text/plain - [\xef\xbb\xbf<feedback/>]\n" },
	{ "uuencode, declared",
	    "Subject: s\nContent-Transfer-Encoding: x-uuencode\n\nbegin 644 a b.xml\n%:&5L;&\\\n`\nend\n",
	    HEAD "1 text/plain - [begin 644 a b.xml\n%:&5L;&\\\n`\nend\n]\n"
		 "2 application/octet-stream a b.xml [hello]\n" },
	{ "uuencode in a text, two of it",
	    "Subject: s\n\nHello\r\nbegin 0644 a\r\n%:&5L;&\\ \r\n`\r\nend\r\nbegin 600 \x01\n#=W)X\n",
	    HEAD
	    "1 text/plain - [Hello\r\nbegin 0644 a\r\n%:&5L;&\\ \r\n`\r\nend\r\nbegin 600 \x01\n#=W)X\n]\n"
	    "2 application/octet-stream a [hello]\n3 application/octet-stream \xef\xbf\xbd [wrx]\n" },
	{ "uuencode without blanks at ends of lines", "Subject: s\n\nbegin 644 a\n#86$\n#\n",
	    HEAD "1 text/plain - [begin 644 a\n#86$\n#\n]\n"
		 "2 application/octet-stream a [aa" },
	{ "no uuencode", "Subject: s\n\nbegin 64 a\nbegin 644\nbegin 644 a\nHello",
	    HEAD "1 text/plain - [begin 64 a\nbegin 644\nbegin 644 a\nHello]\n" },
	{ "base64 in a text", "Subject: s\n\nHello\nPGZlZWRiYWNrL\nz4=\nBye.\nPD94bWwg!\n",
	    HEAD "1 text/plain - [Hello\nPGZlZWRiYWNrL\nz4=\nBye.\nPD94bWwg!\n]\n"
		 "2 application/octet-stream - [<feedback/>]\n3 application/octet-stream - [<?xml ]\n" },
	{ "another boundary than the one announced",
	    MIXED "--c\nContent-Type: application/gzip\nContent-Transfer-Encoding: "
		  "base64\n\nPGZlZWRiYWNrLz4=\n--c--\n",
	    HEAD "1 application/gzip - [<feedback/>]\n" },
	{ "parts of another boundary, and words between",
	    MIXED
	    "Hello\n--c\nContent-Type: text/xml\nContent-Transfer-Encoding: quoted-printable\n\n=3Ca/>\n"
	    "--c\nContent-Type: multipart/mixed; boundary=d\n\n--d\n\none\n--d--\n--c--\n" XML "\n",
	    HEAD "1 text/xml - [<a/>\n]\n2 text/plain - [one]\n3 application/octet-stream - [>" XML "]\n" },
	{ "files without a type in a digest",
	    "Subject: s\nContent-Type: multipart/digest; boundary=b\n\n--b\nX: y\n\n<a/>\n--b\n"
	    "Content-Disposition: attachment; filename=r.json\n\n{\"a\":1}\n--b\n"
	    "Content-Transfer-Encoding: base64\n\nPGZlZWRiYWNrLz4=\n--b\n\nSubject: t\n\none\n--b--\n",
	    HEAD "1 message/rfc822 - [<a/>]\n2 message/rfc822 r.json [{\"a\":1}]\n"
		 "3 message/rfc822 - [<feedback/>]\n4 text/plain - [one]\n" },
	{ "an mbox said to be a mail",
	    MIXED "--b\n" MESSAGE "\n" FROM "Subject: t\n\none\n\n" FROM "Subject: u\n\ntwo\n--b--\n",
	    HEAD "1 text/plain - [one\n\n]\n2 text/plain - [two]\n" },
	{ "a mail as a text",
	    MIXED "--b\n\nFrom: a@b\nMIME-Version: 1.0\nContent-Type: text/xml\n\n<a/>\n--b--\n",
	    HEAD "1 text/xml - [<a/>]\n" },
	{ "the header of a mail in a bounce",
	    MIXED "--b\nContent-Type: text/rfc822-headers\n\nFrom: t\nMIME-Version: 1.0\n--b--\n",
	    HEAD "1 text/rfc822-headers - [From: t\nMIME-Version: 1.0]\n" },
	{ "a text that is not the base64 it says",
	    MIXED "--b\nContent-Transfer-Encoding: base64\n\nSee <" XML "> below.\n--b--\n",
	    HEAD "1 text/plain - [See <" XML "> below.]\n2 application/octet-stream - [>" XML "]\n" },
	{ "a text in base64 that nothing declares",
	    "Subject: s\n\nSGVsbG8sIHRoaXMgdGV4dCBpcyBsb25nIGVub3VnaCBmb3IgdGhlIGxlbmd0aCBv\n"
	    "ZiBhIGxpbmUu\n",
	    HEAD "1 text/plain - [Hello, this text is long enough for the length of a line.]\n" },
	{ "words of sixty characters",
	    "Subject: s\n\nSGVsbG8sIHRoaXMgdGV4dCBpcyBsb25nIGVub3VnaCBmb3IgdGhlIGxlbmd0\nthe end\n",
	    HEAD
	    "1 text/plain - [SGVsbG8sIHRoaXMgdGV4dCBpcyBsb25nIGVub3VnaCBmb3IgdGhlIGxlbmd0\nthe end\n]\n" },
	{ "reports within a line, and a record behind one",
	    "Subject: s\n\nx " XML " <record>1</record>, [{\"policies\":[1]},{\"policies\":[2]}]\n",
	    HEAD "1 text/plain - [x " XML " <record>1</record>, [{\"policies\":[1]},{\"policies\":[2]}]\n]\n"
		 "2 application/octet-stream - [>" XML " <record>1</record>]\n"
		 "3 application/octet-stream - [{\"policies\":[1]}]\n"
		 "4 application/octet-stream - [{\"policies\":[2]}]\n" },
	{ "a name that a text in an attachment has",
	    MIXED "--b\nContent-Type: text/plain; name=a.txt\n\nx " XML "\n--b--\n",
	    HEAD "1 text/plain a.txt [x " XML "]\n2 application/octet-stream a.txt [>" XML "]\n" },
	{ "behind the closing boundary of a multipart without parts",
	    MIXED
	    "--b\nContent-Type: multipart/mixed; boundary=c\n\nContent-Type: multipart/mixed\n--b--\n\n--b\n"
	    "Content-Type: text/xml\n\n<a/>\n",
	    HEAD "1 text/xml - [<a/>\n]\n" },
	{ "32 mail attached as a file",
	    MIXED "--b\nContent-Type: application/octet-stream; name=a.eml\n\nSubject: t\nMIME-Version: 1.0\n"
		  "Content-Type: text/xml\n\n<a/>\n--b--\n",
	    HEAD "1 text/xml - [<a/>]\n" },
	{ "32 no mail: a file without a field of MIME, a text with one",
	    MIXED
	    "--b\nContent-Type: application/octet-stream\n\nSubject: t\n\nMIME-Version: 1.0\n--b\n\nA: b\n"
	    "MIME-Version: 1.0\n\nx\n--b--\n",
	    HEAD "1 application/octet-stream - [Subject: t\n\nMIME-Version: 1.0]\n"
		 "2 text/plain - [A: b\nMIME-Version: 1.0\n\nx]\n" },
	{ "a part behind the closing boundary",
	    MIXED "--b\n\none\n--b--\n\n--b\nContent-Type: text/xml; name=a.xml\n\n<a/>\n--b--\n",
	    HEAD "1 text/plain - [one]\n2 text/xml a.xml [<a/>\n]\n" },
	{ "two parts behind it, one with another boundary, in base64",
	    MIXED "--b\r\n\r\none\r\n--b--\r\n--z\r\nContent-Type: text/xml\r\n\r\n<a/>\r\n"
		  "--z\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n--z--\r\n",
	    HEAD "1 text/plain - [one]\n2 text/xml - [<a/>\r\n]\n3 text/plain - [hello]\n" },
	{ "a part behind the closing boundary of an inner multipart",
	    MIXED "--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\none\n--c--\n"
		  "--c\nContent-Type: text/xml\n\n<a/>\n--b\n\ntwo\n--b--\n",
	    HEAD "1 text/plain - [one]\n2 text/xml - [<a/>\n]\n3 text/plain - [two]\n" },
	{ "base64 behind the closing boundary", MIXED "--b\n\none\n--b--\n\nPGZlZWRiYWNrLz4=\n",
	    HEAD "1 text/plain - [one]\n2 application/octet-stream - [<feedback/>]\n" },
	{ "base64 before the first boundary", MIXED "PGZlZWRiYWNrLz4=\n\n--b\n\none\n--b--\n",
	    HEAD "1 application/octet-stream - [<feedback/>]\n2 text/plain - [one]\n" },
	{ "an mbox attached",
	    MIXED "--b\nContent-Type: application/mbox\n\n" FROM "Subject: t\n\none\n\nFrom me.\n\n" FROM
		  "Subject: u\nContent-Type: text/xml\n\n<a/>\n--b--\n",
	    HEAD "1 text/plain - [one\n\nFrom me.\n\n]\n2 text/xml - [<a/>]\n" },
	{ "an mbox of three attached as a text",
	    MIXED "--b\n\n" FROM "Subject: t\n\none\n\n" FROM "Subject: u\n\ntwo\n\n" FROM
		  "Subject: u\n\nthree\n--b--\n",
	    HEAD "1 text/plain - [one\n\n]\n2 text/plain - [two\n\n]\n3 text/plain - [three]\n" },
	{ "an mbox", FROM "Subject: s\n\none\n\n" FROM "Subject: u\n\ntwo\n",
	    HEAD "1 text/plain - [one\n\n]\n2 text/plain - [two\n]\n" },
	{ "XML behind a banner", "Subject: s\n\nBy <a@b>:\n\n" XML "\n\n" XML,
	    HEAD "1 text/plain - [By <a@b>:\n\n" XML "\n\n" XML "]\n2 application/octet-stream - [>" XML
		 "]\n3 application/octet-stream - [>" XML "]\n" },
	{ "words about XML",
	    "Subject: s\n\nHello,\n<feedback> is the root,\n<?xml version='1.0'?> the start.\n",
	    HEAD "1 text/plain - [Hello,\n<feedback> is the root,\n<?xml version='1.0'?> the start.\n]\n" },
	{ "JSON behind a banner", "Subject: s\n\nSee:\n{\"policies\":[]}\nbye\n",
	    HEAD "1 text/plain - [See:\n{\"policies\":[]}\nbye\n]\n"
		 "2 application/octet-stream - [{\"policies\":[]}]\n" },
	{ "message/partial", "Subject: s\nContent-Type: message/partial; id=a; number=1; total=2\n\nx",
	    HEAD "message/partial: a piece of a mail that was cut up (RFC 2046 section 5.2.2)\n" },
	{ "nothing", "", "" },
};

/* Equal, or where want ends within a content, a prefix. */
static gboolean is_as_wanted(const char *got, const char *want)
{
	return g_str_has_suffix(want, "\n") || *want == '\0' ? strcmp(got, want) == 0
							     : g_str_has_prefix(got, want);
}

static void rows(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		g_autofree char *got = walk(ROWS[i].mail, strlen(ROWS[i].mail), &LIMITS);

		if (ROWS[i].want != NULL && !is_as_wanted(got, ROWS[i].want))
			fail_msg("%s:\ngot  %swant %s", ROWS[i].name, got, ROWS[i].want);
		if (!g_utf8_validate(got, -1, NULL))
			fail_msg("%s: %s", ROWS[i].name, got);
	}
}

static void base64_is_decoded_tolerantly(void **state)
{
	static const struct {
		const char *name, *text, *want;
	} texts[] = {
		{ "plain", "aGVsbG8=", "hello" },
		{ "without padding", "aGVsbG8", "hello" },
		{ "padding in the middle", "aGU=bGxv", "hello" },
		{ "padding in the middle, two of it", "aA==ZWxsbw==", "hello" },
		{ "padding at ends of lines", "aGVs\r\nbG8=\r\nLCB3\r\n", "hello, w" },
		{ "junk between", " a-G*V\ns\tbG8=!", "hello" },
		{ "one letter too many", "aGVsbG8=a", "hello" },
		{ "only padding", "====", "" },
		{ "nothing", "", "" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GByteArray) got =
		    embedded_decode_base64((const guint8 *)texts[i].text, strlen(texts[i].text));

		if (got->len != strlen(texts[i].want) || memcmp(got->data, texts[i].want, got->len) != 0)
			fail_msg("%s: %.*s", texts[i].name, (int)got->len, (const char *)got->data);
	}
}

/* n parts, or n multiparts in one another, or a header of n bytes, or n inner mails. */
static GString *mail_of(char what, guint n)
{
	GString *mail = g_string_new(NULL);

	if (what == 'p') {
		g_string_append(mail, MIXED);
		for (guint i = 0; i < n; i++)
			g_string_append(mail, "--b\n\nx\n");
		g_string_append(mail, "--b--\n");
	} else if (what == 'd') {
		for (guint i = 1; i < n; i++)
			g_string_append_printf(
			    mail, "Content-Type: multipart/mixed; boundary=b%u\n\n--b%u\n", i, i);
		g_string_append(mail, "\nx");
	} else if (what == 'h') {
		g_string_append(mail, "X: ");
		while (mail->len < n - 1)
			g_string_append_c(mail, 'x');
		g_string_append(mail, "\n\nbody");
	} else if (what == 'm') {
		for (guint i = 1; i < n; i++)
			g_string_append(mail, "Content-Type: message/rfc822\n\n");
		g_string_append(mail, "\nx");
	} else {
		g_string_append(mail, "From: ");
		for (guint i = 1; i < n; i++)
			g_string_append(mail, "a:\n ");
		g_string_append(mail, "\n\nbody");
	}
	return mail;
}

static void limits_hold_at_n_minus_1_n_n_plus_1(void **state)
{
	static const struct {
		char what;
		const char *want;
	} kinds[] = {
		{ 'p', "parts: more than 20" },
		{ 'd', "parts inside one another: more than 20" },
		{ 'h', "bytes in a header: more than 20" },
		{ 'm', "parts inside one another: more than 20" },
		{ 'g', "colons in a field of addresses: more than 20" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
		for (guint n = 19; n <= 21; n++) {
			struct parser_limits limits = LIMITS;
			g_autoptr(GString) mail = mail_of(kinds[i].what, n);
			g_autofree char *got = NULL;

			if (kinds[i].what == 'p')
				limits.max_parts = 20;
			else if (kinds[i].what == 'h')
				limits.max_header_bytes = 20;
			else if (kinds[i].what == 'g')
				limits.max_groups = 20;
			else
				limits.max_part_depth = 20;
			got = walk(mail->str, mail->len, &limits);
			if ((strstr(got, kinds[i].want) != NULL) != (n > 20))
				fail_msg("%c %u: %s", kinds[i].what, n, got);
		}
}

/* What looks like a header or a boundary to who does not know where he is. */
static void no_mail_is_quarantined_for_what_is_none_of_its_parts(void **state)
{
	static const struct {
		const char *name, *head, *unit;
		guint n;
		const char *tail, *want;
	} mails[] = {
		{ "text behind the last boundary", MIXED "--b\n\none\n--b--\n", "text of a list: so long\n",
		    40000, "", HEAD "1 text/plain - [one]\n" },
		{ "one line behind the last boundary", MIXED "--b\n\none\n--b--\n", "xxxxxxxxxxxxxxx:", 40000,
		    "", HEAD "1 text/plain - [one]\n" },
		{ "text behind the last boundary and dashes", MIXED "--b\n\none\n--b--\n----\n", "a: text\n",
		    80000, "--b\nb: text\n", HEAD "1 text/plain - [one]\n" },
		{ "dashes behind the last boundary", MIXED "--b\n\none\n--b--\n", "----------\n", 300000, "",
		    HEAD "1 text/plain - [one]\n" },
		{ "text before the first boundary", MIXED, "a: text\n", 80000, "--b\n\none\n--b--\n",
		    HEAD "1 text/plain - [one]\n" },
		{ "behind the last boundary of an inner multipart",
		    MIXED "--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\none\n--c--\n",
		    "a: text\n", 80000, "--b\n\ntwo\n--b--\n",
		    HEAD "1 text/plain - [one]\n2 text/plain - [two]\n" },
		{ "a header of parts that is too long, of a multipart",
		    "Subject: s\nContent-Type: multipart/mixed; "
		    "boundary=b\n",
		    "X: y\n", 80000, "\n--b\n\none\n--b--\n", HEAD "1 text/plain - [one]\n" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(mails); i++) {
		g_autoptr(GString) mail = g_string_new(mails[i].head);
		g_autofree char *got = NULL;

		for (guint k = 0; k < mails[i].n; k++)
			g_string_append(mail, mails[i].unit);
		g_string_append(mail, mails[i].tail);
		got = walk(mail->str, mail->len, &LIMITS);
		if (strcmp(got, mails[i].want) != 0)
			fail_msg("%s: %.300s", mails[i].name, got);
	}
}

/* Contents come from the mail, not from what GMime sees of it, which is another here. */
static void contents_are_whole_whatever_is_cut(void **state)
{
	static const char FIRST[] =
	    "0123456789012345678901234567890123456789\n01234567890123456789012345678901234";
	static const char SECOND[] =
	    "--\n-\n01234567890123456789012345678901234567890123456789012345678901--b\nb";
	g_autofree char *mail = g_strconcat(MIXED "--b\n\n", FIRST, "\n\n--b\n\n", SECOND, "\n--b--\n", NULL);
	g_autofree char *want =
	    g_strconcat(HEAD "1 text/plain - [", FIRST, "\n]\n2 text/plain - [", SECOND, "]\n", NULL);

	(void)state;
	for (guint max = 54; max < 80; max++) {
		struct parser_limits limits = LIMITS;
		g_autofree char *got = NULL;

		limits.max_header_bytes = max;
		got = walk(mail, strlen(mail), &limits);
		if (strcmp(got, want) != 0)
			fail_msg("%u: %s", max, got);
	}
}

/* Headers that a look at the lines alone would take for text. */
static void headers_are_bounded_wherever_they_stand(void **state)
{
	static const struct {
		const char *name, *head;
	} mails[] = {
		{ "of the mail", "" },
		{ "of a part", MIXED "--b\n" },
		{ "of a part whose boundary ends like the last one",
		    "Content-Type: multipart/mixed; boundary=\"b--\"\n\n--b\n--b--\n" },
		{ "of an inner mail", MIXED "--b\nContent-Type: message/rfc822\n\n" },
		{ "of an inner mail, spelt otherwise",
		    MIXED "--b\nContent-Type: message (x) / global\n\nContent-Type: Message/RFC822\n\n" },
		{ "of a mail in a digest", "Content-Type: multipart/digest; boundary=b\n\n--b\n\n" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(mails); i++) {
		g_autoptr(GString) mail = g_string_new(mails[i].head);
		gint64 started = cpu_time(), took;
		g_autofree char *got = NULL;

		while (mail->len < 16 * 1024 * 1024)
			g_string_append(mail, "a:\n");
		g_string_append(mail, "\nx");
		got = walk(mail->str, mail->len, &LIMITS);
		took = (cpu_time() - started) / 1000;
		if (!g_str_has_suffix(got, "bytes in a header: more than 262144\n") || took > 5000)
			fail_msg("%s: %.300s in %d ms", mails[i].name, got, (int)took);
	}
}

static void hostile_mails_end_early(void **state)
{
	static const struct {
		const char *name, *head, *unit;
		guint n;
		const char *tail, *want;
	} mails[] = {
		{ "300,000 parts", MIXED, "--b\n\nx\n", 300000, "", "boundaries of parts: more than" },
		{ "20,000 multiparts", "", "Content-Type: multipart/mixed; boundary=b\n\n--b\n", 20000, "",
		    "more than" },
		{ "50,000 inner mails", "", "Content-Type: message/rfc822\n\n", 50000, "\nx",
		    "parts inside one another" },
		{ "100,000 groups", "From: ", "a:", 100000, "\n\nx", "colons in a field" },
		{ "100,000 groups in an inner mail", "Content-Type: message/rfc822\n\nFrom: ", "a:", 100000,
		    "\n\nx", "colons in a field" },
		{ "200,000 fields", "", "X: y\n", 200000, "\nx", "bytes in a header" },
		{ "100,000 comments", "From: ", "(", 100000, "\n\nx", "1 text/plain" },
		{ "25,000 parameters", "Content-Type: text/plain", "; a=b", 25000, "\n\nx", "1 text/plain" },
		{ "20,000 encoded words", "Subject: ", "=?x?b?YQ?= ", 20000, "\n\nx", "1 text/plain" },
		{ "name of 35 characters (GMime issue 165)", "Content-Type: multipart/mixed; ", "\xc3\xa9",
		    35, "=x\n\nbody", "" },
		{ "name of 36 characters (GMime issue 165)", "Content-Disposition: attachment; ", "\xc3\xa9",
		    36, "=x\n\nbody", "1 text/plain" },
		{ "32 MB in one line", "Subject: x\n\n", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 1000000, "",
		    "1 text/plain" },
		{ "500,000 files in base64", "Subject: x\n\nx\n", "H4sIAA\n\n", 500000, "",
		    "parts: more than 1000" },
		{ "500,000 files in uuencode", "Subject: x\n\n", "begin 644 a\n#86%A\n", 500000, "",
		    "parts: more than 1000" },
		{ "1,000,000 beginnings of uuencode", "Subject: x\n\n", "begin 644 a\n", 1000000, "",
		    "1 text/plain" },
		{ "ten million lines", "Subject: x\n\n", "\n", 10000000, "", "1 text/plain" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(mails); i++) {
		g_autoptr(GString) mail = g_string_new(mails[i].head);
		gint64 started = cpu_time(), took;
		g_autofree char *got = NULL;

		for (guint k = 0; k < mails[i].n; k++)
			g_string_append(mail, mails[i].unit);
		g_string_append(mail, mails[i].tail);
		got = walk(mail->str, mail->len, &LIMITS);
		took = (cpu_time() - started) / 1000;
		if (strstr(got, mails[i].want) == NULL || took > 10000)
			fail_msg("%s: %s in %d ms", mails[i].name, got, (int)took);
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
		cmocka_unit_test(rows),
		cmocka_unit_test(base64_is_decoded_tolerantly),
		cmocka_unit_test(limits_hold_at_n_minus_1_n_n_plus_1),
		cmocka_unit_test(no_mail_is_quarantined_for_what_is_none_of_its_parts),
		cmocka_unit_test(contents_are_whole_whatever_is_cut),
		cmocka_unit_test(headers_are_bounded_wherever_they_stand),
		cmocka_unit_test(hostile_mails_end_early),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}
