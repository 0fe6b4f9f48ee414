/* Compound files into streams, and what Outlook saves in them into mails. */
#include "parser/cfb.h"
#include "parser/msg.h"
#include "parser/parse.h"
#include "tests/unit/cpu.h"
#include "tests/unit/parser/collect.h"
#include "tests/unit/parser/pack_msg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define REPORT                                                                                               \
	"<feedback><report_metadata><report_id>7</report_id><date_range><begin>1700000001</"                 \
	"begin><end>1700000002</end></date_range></report_metadata>"                                         \
	"<policy_published><domain>a.example</domain></policy_published><record><row><count>3</count></row>" \
	"</record></feedback>"
#define REPORT_IS(place)                                                                                     \
	"begin " place "\nrecord count=3\nend draft report_id=7 begin=1700000001 end=1700000002 "            \
	"domain=a.example records=1\n"

/* -- compound files -- */

/* All streams of a storage as "name=content;", storages in parentheses, "!damage" at the end. */
static void print_storage(struct cfb *cfb, guint storage, GString *out)
{
	for (guint i = cfb_entry(cfb, storage)->first; i != CFB_NONE; i = cfb_entry(cfb, i)->next) {
		g_string_append(out, cfb_entry(cfb, i)->name);
		if (cfb_entry(cfb, i)->is_storage) {
			g_string_append_c(out, '(');
			print_storage(cfb, i, out);
			g_string_append_c(out, ')');
		} else {
			g_autoptr(GByteArray) bytes = cfb_read(cfb, i);

			g_string_append_printf(
			    out, "=%.*s;", (int)MIN(bytes->len, 20), (const char *)bytes->data);
			if (bytes->len > 20)
				g_string_append_printf(out, "(%u)", bytes->len);
		}
	}
}

static char *print_file(const guint8 *data, gsize size)
{
	g_autoptr(GError) error = NULL;
	GString *out = g_string_new(NULL);
	/* a copy of that size, so that a read beyond it is seen */
	g_autofree guint8 *copy = g_memdup2(data, size);
	struct cfb *cfb = cfb_begins(copy, size) ? cfb_new(copy, size, &error) : NULL;

	if (cfb != NULL) {
		print_storage(cfb, CFB_ROOT, out);
		if (cfb_damage(cfb) != NULL)
			g_string_append_printf(out, "!%s", cfb_damage(cfb));
	} else {
		g_string_append(out, error != NULL ? error->message : "none");
	}
	cfb_free(cfb);
	return g_string_free(out, FALSE);
}

static const char *letters(gsize size)
{
	static char text[300000];

	memset(text, 'x', sizeof text);
	g_assert(size <= sizeof text);
	return text;
}

static GByteArray *some_streams(guint shift)
{
	const struct pack_member members[] = { { "A", "one", 3 }, { "empty", "", 0 },
		{ "folder/large", letters(5000), 5000 }, { "folder/inner/B", "two", 3 },
		{ "folder/small", letters(4095), 4095 }, { "z", letters(4096), 4096 } };

	return pack_ole2(members, G_N_ELEMENTS(members), shift);
}

#define X20 "xxxxxxxxxxxxxxxxxxxx"
#define SOME_STREAMS                                                                                         \
	"A=one;z=" X20 ";(4096)empty=;folder(inner(B=two;)large=" X20 ";(5000)small=" X20 ";(4095))"

static void streams_are_read_in_both_versions(void **state)
{
	(void)state;
	for (guint shift = 9; shift <= 12; shift += 3) {
		g_autoptr(GByteArray) file = some_streams(shift);
		g_autofree char *got = print_file(file->data, file->len);

		assert_string_equal(got, SOME_STREAMS);
	}
}

/* 16 MiB need more sectors of the FAT than the header names. */
static void a_fat_beyond_the_header_is_read(void **state)
{
	gsize size = 16 * 1024 * 1024;
	g_autofree char *data = g_strnfill(size, 'y');
	const struct pack_member members[] = { { "a", data, size }, { "b", letters(300000), 300000 } };
	g_autoptr(GByteArray) file = pack_ole2(members, G_N_ELEMENTS(members), 9);
	g_autofree char *got = print_file(file->data, file->len);

	(void)state;
	assert_string_equal(got, "a=yyyyyyyyyyyyyyyyyyyy;(16777216)b=" X20 ";(300000)");
}

/* The FAT is last, and ends with entries that say of its own sectors what they are, and of others nothing. */
static void what_is_cut_anywhere_is_damaged(void **state)
{
	g_autoptr(GByteArray) file = some_streams(9);
	gsize unused = file->len;

	(void)state;
	while (file->data[unused - 1] == 0xff && file->data[unused - 5] == 0xff)
		unused--;
	unused -= 5;
	assert_true(unused > 512 && unused < file->len);
	for (gsize size = 0; size < file->len; size += 13) {
		g_autofree char *got = print_file(file->data, size);

		if (size < 8)
			assert_string_equal(got, "none");
		else if (size < unused)
			assert_true(strstr(got, "damaged") != NULL || strstr(got, "!") != NULL);
		else
			assert_string_equal(got, SOME_STREAMS);
	}
}

/* No bit makes a stream longer than the file, or takes more than a moment. */
static void a_change_anywhere_reads_no_byte_beyond_the_end(void **state)
{
	g_autoptr(GByteArray) file = some_streams(9);

	(void)state;
	for (gsize at = 8; at < file->len; at += at < 512 ? 1 : 3)
		for (guint bit = 0; bit < 8; bit++) {
			file->data[at] ^= (guint8)(1 << bit);
			g_free(print_file(file->data, file->len));
			file->data[at] ^= (guint8)(1 << bit);
		}
}

static void put32(GByteArray *file, gsize at, guint32 value)
{
	for (guint i = 0; i < 4; i++)
		file->data[at + i] = (guint8)(value >> 8 * i);
}

static guint32 get32(const GByteArray *file, gsize at)
{
	return (guint32)file->data[at] | (guint32)file->data[at + 1] << 8 |
	       (guint32)file->data[at + 2] << 16 | (guint32)file->data[at + 3] << 24;
}

/* Where the entry of this number is in a file whose directory is in one piece. */
static gsize entry_at(const GByteArray *file, guint entry)
{
	return 512 + ((gsize)get32(file, 48) << 9) + (gsize)entry * 128;
}

static void a_chain_in_a_circle_ends(void **state)
{
	const struct pack_member members[] = { { "a", letters(100000), 100000 } };
	g_autoptr(GByteArray) file = pack_ole2(members, 1, 9);
	gsize fat = 512 + ((gsize)get32(file, 76) << 9);
	g_autofree char *got = NULL;

	(void)state;
	put32(file, fat + 4 * 10, 3); /* after sector 10, sector 3 */
	got = print_file(file->data, file->len);
	assert_string_equal(got, "a=" X20 ";(5632)!a stream ends early");
}

static void a_chain_of_two_streams_is_that_of_the_first(void **state)
{
	const struct pack_member members[] = { { "a", letters(5000), 5000 }, { "b", letters(6000), 6000 },
		{ "c", "mini", 4 }, { "d", "MINI", 4 } };
	g_autoptr(GByteArray) file = pack_ole2(members, G_N_ELEMENTS(members), 9);
	g_autofree char *got = NULL;

	(void)state;
	put32(file, entry_at(file, 2) + 116, get32(file, entry_at(file, 1) + 116));
	put32(file, entry_at(file, 4) + 116, get32(file, entry_at(file, 3) + 116));
	got = print_file(file->data, file->len);
	assert_string_equal(got, "a=" X20 ";(5000)b=;c=mini;d=;!a stream ends early");
}

static void a_directory_in_a_circle_ends(void **state)
{
	g_autoptr(GByteArray) file = some_streams(9);
	g_autofree char *got = NULL, *lost = NULL;

	(void)state;
	put32(file, entry_at(file, 3) + 76, 3); /* the folder is in itself */
	got = print_file(file->data, file->len);
	assert_string_equal(
	    got, "A=one;z=" X20 ";(4096)empty=;folder()!an entry of the directory is in no storage");
	put32(file, entry_at(file, 0) + 76, 0); /* and the root, too */
	lost = print_file(file->data, file->len);
	assert_string_equal(lost, "!an entry of the directory is in no storage");
}

/* -- mails -- */

static char *read_msg(GByteArray *file)
{
	g_autoptr(GError) error = NULL;
	g_autofree guint8 *data = g_memdup2(file->data, file->len);
	g_autoptr(GBytes) mail = msg_read(data, file->len, &error);
	GString *out = g_string_new(NULL);

	if (mail != NULL)
		g_string_append_len(out, g_bytes_get_data(mail, NULL), (gssize)g_bytes_get_size(mail));
	if (error != NULL)
		g_string_append_printf(out, "!%s", error->message);
	g_byte_array_unref(file);
	return g_string_free(out, FALSE);
}

static void a_msg_becomes_a_mail_with_its_parts(void **state)
{
	const struct pack_member member = { "r\xc3\xa4 1.xml", "hello", 5 };
	g_autofree char *got =
	    read_msg(pack_msg_files("Microsoft Mail Internet Headers Version 2.0\r\n"
				    "Received: from a\r\n\tby b\r\nMIME-Version: 1.0\r\n"
				    "Subject: s\r\nContent-Type: multipart/mixed;\r\n"
				    "\tboundary=x\r\n--ruad=msg=1: x\r\nFrom: r@rep.example\r\n"
				    "\r\n--x\r\nSubject: of a part\r\n",
		"Hi", &member, 1));

	(void)state;
	assert_string_equal(got,
	    "Received: from a\n\tby b\nSubject: s\nFrom: r@rep.example\nMIME-Version: 1.0\n"
	    "Content-Type: multipart/mixed; boundary=\"ruad=msg=1\"\n"
	    "\n--ruad=msg=1\nContent-Type: text/plain; charset=utf-8\n"
	    "Content-Transfer-Encoding: base64\n\nSGk=\n"
	    "\n--ruad=msg=1\nContent-Type: application/octet-stream\n"
	    "Content-Disposition: attachment; filename*=utf-8''r%C3%A4%201.xml\n"
	    "Content-Transfer-Encoding: base64\n\naGVsbG8=\n"
	    "\n--ruad=msg=1--\n");
}

/* Of a mail that was never sent by SMTP. */
static void without_a_header_the_properties_say_who_wrote(void **state)
{
	struct pack_msg *msg = pack_msg_new();
	g_autofree char *got = NULL;

	(void)state;
	pack_msg_text(msg, "", 0x0037, "Subject \xf0\x9f\x98\x80");
	pack_msg_text(msg, "", 0x0c1a, "A \"quoted\" <name>");
	pack_msg_text(msg, "", 0x0c1f, "/O=EXAMPLE/CN=A");
	pack_msg_text(msg, "", 0x5d01, "a@rep.example");
	pack_msg_text(msg, "", 0x1035, "<1@rep.example>\nInjected: yes");
	got = read_msg(pack_msg_end(msg));
	assert_string_equal(got,
	    "From: \"A  quoted   name \" <a@rep.example>\n"
	    "Subject: Subject \xf0\x9f\x98\x80\nMessage-ID: <1@rep.example> Injected: yes\nMIME-Version: "
	    "1.0\n"
	    "Content-Type: multipart/mixed; boundary=\"ruad=msg=1\"\n\n--ruad=msg=1--\n");
}

static void the_sender_is_written_as_far_as_it_is_known(void **state)
{
	static const struct {
		const char *name, *address, *smtp, *want;
	} rows[] = {
		{ "A", "/CN=A", "", "From: A\n" },
		{ "A", "a@rep.example", "", "From: \"A\" <a@rep.example>\n" },
		{ "A", "", "b@rep.example", "From: \"A\" <b@rep.example>\n" },
		{ "", "a@rep.example", "b@rep.example", "From: b@rep.example\n" },
		{ "", "a@rep.example", "", "From: a@rep.example\n" },
		{ "", "", "", "MIME-Version: 1.0\n" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct pack_msg *msg = pack_msg_new();
		g_autofree char *got = NULL;

		pack_msg_text(msg, "", 0x0c1a, rows[i].name);
		pack_msg_text(msg, "", 0x0c1f, rows[i].address);
		pack_msg_text(msg, "", 0x5d01, rows[i].smtp);
		got = read_msg(pack_msg_end(msg));
		if (!g_str_has_prefix(got, rows[i].want))
			fail_msg("row %zu: %s", i, got);
	}
}

static void the_type_of_a_file_is_kept_if_it_can_be_one(void **state)
{
	static const char *const ROWS[][2] = {
		{ "Text/XML", "text/xml" },
		{ "a!#$&^_.+-1/b", "a!#$&^_.+-1/b" },
		{ "message/feedback-report", "message/feedback-report" },
		{ "a/", NULL },
		{ "/b", NULL },
		{ "ab", NULL },
		{ "a/b/c", NULL },
		{ "a b/c", NULL },
		{ "a/b;c", NULL },
		{ "multipart/mixed", NULL },
		{ "message/rfc822", NULL },
		{ "message/rfc2822", NULL },
		{ "message/news", NULL },
		{ "message/global", NULL },
		{ "message/partial", NULL },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		struct pack_msg *msg = pack_msg_new();
		g_autofree char *got = NULL;
		g_autofree char *want = g_strdup_printf("\nContent-Type: %s\nContent-Disposition: ",
		    ROWS[i][1] == NULL ? "application/octet-stream" : ROWS[i][1]);

		pack_msg_file(msg, "", 0, ROWS[i][0], "a", "no header", 9);
		got = read_msg(pack_msg_end(msg));
		if (strstr(got, want) == NULL)
			fail_msg("%s: %s", ROWS[i][0], got);
	}
}

/* The subject by the stream of this name. */
static char *subject_of(const char *stream, const void *data, gsize size)
{
	static const guint8 ZEROS[32];
	const struct pack_member members[] = { { PACK_MSG_PROPERTIES, ZEROS, sizeof ZEROS },
		{ stream, data, size } };
	g_autofree char *mail = read_msg(pack_ole2(members, G_N_ELEMENTS(members), 9));
	const char *subject = g_str_has_prefix(mail, "Subject: ") ? mail + strlen("Subject: ") : "";

	return g_strndup(subject, strcspn(subject, "\n"));
}

static void a_property_has_a_name_of_eight_digits_and_a_type(void **state)
{
	static const struct {
		const char *stream, *data;
		gsize size;
		const char *want;
	} rows[] = {
		{ "__substg1.0_0037001F", "a\0", 2, "a" },
		{ "__substg1.0_0037001f", "a\0b", 3, "a" },
		{ "__substg1.0_0037001E", "abc", 3, "abc" },
		{ "__substg1.0_0037001", "a\0", 2, "" },
		{ "__substg1.0_0037001F0", "a\0", 2, "" },
		{ "__substg1.0_0037001G", "a\0", 2, "" },
		{ "__substg2.0_0037001F", "a\0", 2, "" },
		{ "__substg1.0_0038001F", "a\0", 2, "" },
		{ "__substg1.0_0037000D", "a\0", 2, "" },
		{ "__substg1.0_0037001F", "\x7f\0\x80\0", 4, "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "__substg1.0_0037001F", "~\0\xa0\0", 4, "~\xc2\xa0" },
		{ "__substg1.0_0037001F", "\x3d\xd8\x00\xde", 4, "\xf0\x9f\x98\x80" },
		{ "__substg1.0_0037001F", "\xff\xdb\xff\xdf", 4, "\xf4\x8f\xbf\xbf" },
		{ "__substg1.0_0037001F",
		    "\x3d\xd8"
		    "a\0",
		    4,
		    "\xef\xbf\xbd"
		    "a" },
		{ "__substg1.0_0037001F", "\x3d\xd8", 2, "\xef\xbf\xbd" },
		{ "__substg1.0_0037001F", "\x00\xde", 2, "\xef\xbf\xbd" },
		{ "__substg1.0_0037001F", "\xff\xd7\x00\xe0", 4, "\xed\x9f\xbf\xee\x80\x80" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = subject_of(rows[i].stream, rows[i].data, rows[i].size);

		if (strcmp(got, rows[i].want) != 0)
			fail_msg("row %zu: %s", i, got);
	}
}

static void other_files_of_ole2_are_no_mails(void **state)
{
	const struct pack_member member = { "WordDocument", "x", 1 };
	g_autofree char *got = read_msg(pack_ole2(&member, 1, 9));

	(void)state;
	assert_string_equal(got, "");
}

/* What the document gives; it is freed. */
static char *run(GByteArray *document)
{
	const struct parser_options options = { .limits = PARSER_LIMITS_DEFAULT,
		.authserv_id = "mx.example.net" };
	g_autofree guint8 *data = g_memdup2(document->data, document->len);
	struct collect collect;

	collect_init(&collect);
	assert_true(parse_document(data, document->len, &options, &COLLECT, &collect, NULL));
	g_byte_array_unref(document);
	return g_string_free(collect.lines, FALSE);
}

static void check(GByteArray *document, const char *want)
{
	g_autofree char *got = run(document);

	assert_string_equal(got, want);
}

#define HEADER "From: r@rep.example\r\nSubject: s\r\n"

static GByteArray *saved_report(void)
{
	g_autoptr(GByteArray) packed = pack_gzip(REPORT, strlen(REPORT));
	const struct pack_member member = { "r.xml.gz", packed->data, packed->len };

	return pack_msg_files(HEADER, "Hi", &member, 1);
}

static void a_report_in_a_msg_is_read_wherever_it_is(void **state)
{
	g_autoptr(GByteArray) msg = saved_report();
	const struct pack_member member = { "r.msg", msg->data, msg->len };
	g_autoptr(GByteArray) zip = pack_zip(&member, 1);
	g_autoptr(GByteArray) outer = pack_msg_files(HEADER, NULL, &member, 1);
	g_autofree char *base64 = g_base64_encode(msg->data, msg->len);
	g_autofree char *mail = g_strconcat("Subject: s\nContent-Transfer-Encoding: base64\nContent-Type: "
					    "application/vnd.ms-outlook; name=r.msg\n\n",
	    base64, NULL);

	(void)state;
	check(g_byte_array_ref(msg), "mail subject=s from=r@rep.example\n" REPORT_IS("part 2: r.xml.gz"));
	check(pack_text(mail), "mail subject=s\n" REPORT_IS("part 1: r.msg: part 2: r.xml.gz"));
	check(g_byte_array_ref(zip), REPORT_IS("file: r.msg: part 2: r.xml.gz"));
	check(pack_gzip(msg->data, msg->len), REPORT_IS("file: part 2: r.xml.gz"));
	check(g_byte_array_ref(outer),
	    "mail subject=s from=r@rep.example\n" REPORT_IS("part 1: r.msg: part 2: r.xml.gz"));
	check(pack_msg_files(HEADER, "See " REPORT, NULL, 0),
	    "mail subject=s from=r@rep.example\n"
	    "begin part 2\nrecord count=3\nend draft report_id=7 begin=1700000001 end=1700000002 "
	    "domain=a.example records=1 {X8 feedback}\n");
}

/* Outlook does not protect the header, so none of its fields is our own MTA's. */
static void no_msg_is_authentic(void **state)
{
	static const char RESULTS[] = "Authentication-Results: mx.example.net; dmarc=pass "
				      "header.from=rep.example\r\n" HEADER;
	const struct pack_member member = { "r.xml", REPORT, strlen(REPORT) };
	g_autofree char *mail = g_strconcat(RESULTS, "Content-Type: text/xml\r\n\r\n" REPORT, NULL);

	(void)state;
	check(pack_text(mail), "mail subject=s from=r@rep.example authentic=pass\n" REPORT_IS("part 1"));
	check(pack_msg_files(RESULTS, NULL, &member, 1),
	    "mail subject=s from=r@rep.example\n" REPORT_IS("part 1: r.xml"));
}

static void mails_in_a_msg_are_walked_into(void **state)
{
	struct pack_msg *msg = pack_msg_new();
	g_autofree char *inner = pack_msg_mail(msg, "", 0), *innermost = NULL;
	static const char EML[] = "From: a@rep.example\nContent-Type: text/xml\n\n" REPORT;
	static const char SIGNED[] = "Content-Type: multipart/signed; boundary=q\n\n--q\n"
				     "Content-Type: text/xml\n\n" REPORT "\n--q--\n";

	(void)state;
	pack_msg_text(msg, inner, 0x0037, "inner");
	pack_msg_file(msg, inner, 0, "text/xml", "a.xml", REPORT, strlen(REPORT));
	innermost = pack_msg_mail(msg, inner, 1);
	pack_msg_file(msg, innermost, 0, "application/octet-stream", "b.xml", REPORT, strlen(REPORT));
	pack_msg_file(msg, "", 1, "message/rfc822", NULL, EML, strlen(EML));
	pack_msg_file(msg, "", 2, "multipart/signed", "smime.p7m", SIGNED, strlen(SIGNED));
	check(pack_msg_end(msg), "mail\n" REPORT_IS("part 1: a.xml") REPORT_IS("part 2: b.xml")
				     REPORT_IS("part 3") REPORT_IS("part 4"));
}

static void a_failure_report_in_a_msg_is_read(void **state)
{
	static const char FIELDS[] = "Feedback-Type: auth-failure\nUser-Agent: u\nVersion: 1\n"
				     "Auth-Failure: dmarc\nAuthentication-Results: x; dmarc=fail\n"
				     "Reported-Domain: a.example\n";
	struct pack_msg *msg = pack_msg_new();
	g_autofree char *inner = NULL;

	(void)state;
	pack_msg_text(msg, "", 0x007d,
	    HEADER "Content-Type: multipart/report;\r\n\treport-type=feedback-report; boundary=x\r\n");
	pack_msg_text(msg, "", 0x1000, "a failure");
	pack_msg_file(msg, "", 0, "message/feedback-report", "details.txt", FIELDS, strlen(FIELDS));
	inner = pack_msg_mail(msg, "", 1);
	pack_msg_text(msg, inner, 0x007d,
	    "From: x@a.example\r\nSubject: of the message\r\nContent-Type: text/html\r\n\r\n");
	check(pack_msg_end(msg),
	    "mail subject=s from=r@rep.example\nfailure part 2: feedback_type=auth-failure user_agent=u "
	    "version=1 "
	    "auth_failure=dmarc authentication_results=x; dmarc=fail reported_domain=a.example "
	    "header_from=a.example subject=of the message original_headers=From: x@a.example|Subject: of the "
	    "message|Content-Type: text/html| {F3 identity_alignment}\n");
}

static void the_reason_names_the_parts_of_a_msg(void **state)
{
	const struct pack_member member = { "a.doc", "abc", 3 };
	struct pack_msg *msg = pack_msg_new();

	(void)state;
	check(pack_msg_files(HEADER, "Hi", &member, 1),
	    "mail subject=s from=r@rep.example\nunreadable no-report: mail: none of 2 parts is a DMARC "
	    "report: "
	    "text/plain, 2 bytes: not XML, JSON or packed; application/octet-stream \"a.doc\", 3 bytes: not "
	    "XML, JSON or packed\n");
	check(pack_msg_files(HEADER, "Buy", NULL, 0), "mail subject=s from=r@rep.example\nunreadable "
						      "unrelated: mail: the only part is not a DMARC report: "
						      "text/plain, 3 bytes: not XML, JSON or packed\n");
	pack_msg_bytes(msg, "", 0x1009, "LZFu", 4);
	check(pack_msg_end(msg), "mail\nunreadable unrelated: mail: the only part is not a DMARC report: "
				 "application/rtf, 4 bytes: not "
				 "XML, JSON or packed\n");
	check(pack_ole2(&(struct pack_member){ "WordDocument", "x", 1 }, 1, 9),
	    "unreadable no-report: file: not a DMARC report\n");
}

/* What is there is read. */
static void a_damaged_msg_is_read_as_far_as_it_goes_and_says_so(void **state)
{
	struct pack_msg *msg = pack_msg_new();
	g_autoptr(GByteArray) file = NULL;

	(void)state;
	pack_msg_file(msg, "", 0, NULL, "a.xml", REPORT, strlen(REPORT));
	pack_msg_file(msg, "", 1, NULL, "b.bin", letters(9000), 9000);
	file = pack_msg_end(msg);
	put32(file, 512 + ((gsize)get32(file, 76) << 9), 0xfffffffe); /* the large stream is the first */
	check(g_byte_array_ref(file),
	    "mail\n" REPORT_IS("part 1: a.xml") "unreadable archive: mail: Outlook .msg: damaged: a stream "
						"ends early\n");
	put32(file, entry_at(file, 0) + 76, 0xffffffff); /* the root is empty */
	check(g_byte_array_ref(file),
	    "unreadable archive: file: OLE2 file: damaged: an entry of the directory is in no storage\n");
	g_byte_array_set_size(file, 1024);
	check(g_byte_array_ref(file), "unreadable archive: file: OLE2 file: damaged header or directory\n");
}

static GByteArray *mails_in_mails(guint depth)
{
	struct pack_msg *msg = pack_msg_new();
	char *prefix = g_strdup("");

	for (guint i = 0; i < depth; i++) {
		char *inner = pack_msg_mail(msg, prefix, 0);

		g_free(prefix);
		prefix = inner;
	}
	pack_msg_file(msg, prefix, 0, NULL, "a.xml", REPORT, strlen(REPORT));
	g_free(prefix);
	return pack_msg_end(msg);
}

static void mails_in_mails_are_read_to_their_limit(void **state)
{
	g_autofree char *deep = read_msg(mails_in_mails(MSG_DEPTH - 1));
	g_autofree char *too_deep = read_msg(mails_in_mails(MSG_DEPTH));

	(void)state;
	assert_null(strstr(deep, "!"));
	assert_non_null(strstr(too_deep, "!Outlook .msg: mails inside one another: more than 32"));
	check(mails_in_mails(7), "mail\n" REPORT_IS("part 1: a.xml"));
	check(mails_in_mails(8), "mail\nunreadable limit: mail: parts inside one another: more than 16\n");
}

/* Four times as many take about four times as long. */
static void time_grows_with_the_attachments(void **state)
{
	gint64 cost[2];

	(void)state;
	for (guint i = 0; i < 2; i++) {
		struct pack_msg *msg = pack_msg_new();
		g_autoptr(GByteArray) file = NULL;
		gint64 before;

		for (guint n = 0; n < (i == 0 ? 5000 : 20000); n++)
			pack_msg_file(msg, "", n, NULL, "a.xml", "x", 1);
		file = pack_msg_end(msg);
		before = cpu_time();
		g_free(read_msg(g_byte_array_ref(file)));
		cost[i] = cpu_time() - before;
	}
	assert_true(cost[1] < 12 * cost[0] + 50000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_are_read_in_both_versions),
		cmocka_unit_test(a_fat_beyond_the_header_is_read),
		cmocka_unit_test(what_is_cut_anywhere_is_damaged),
		cmocka_unit_test(a_change_anywhere_reads_no_byte_beyond_the_end),
		cmocka_unit_test(a_chain_in_a_circle_ends),
		cmocka_unit_test(a_chain_of_two_streams_is_that_of_the_first),
		cmocka_unit_test(a_directory_in_a_circle_ends),
		cmocka_unit_test(a_msg_becomes_a_mail_with_its_parts),
		cmocka_unit_test(without_a_header_the_properties_say_who_wrote),
		cmocka_unit_test(the_sender_is_written_as_far_as_it_is_known),
		cmocka_unit_test(the_type_of_a_file_is_kept_if_it_can_be_one),
		cmocka_unit_test(a_property_has_a_name_of_eight_digits_and_a_type),
		cmocka_unit_test(other_files_of_ole2_are_no_mails),
		cmocka_unit_test(a_report_in_a_msg_is_read_wherever_it_is),
		cmocka_unit_test(no_msg_is_authentic),
		cmocka_unit_test(mails_in_a_msg_are_walked_into),
		cmocka_unit_test(a_failure_report_in_a_msg_is_read),
		cmocka_unit_test(the_reason_names_the_parts_of_a_msg),
		cmocka_unit_test(a_damaged_msg_is_read_as_far_as_it_goes_and_says_so),
		cmocka_unit_test(mails_in_mails_are_read_to_their_limit),
		cmocka_unit_test(time_grows_with_the_attachments),
	};

	parse_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
