/*
 * Report files as mails: what is one already, and what the parser finds in those that were wrapped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "parser/parse.h"
#include "server/common/report_mail.h"
#include "tests/unit/parser/collect.h"

#define REPORT                                                                                               \
	"<feedback><report_metadata><org_name>o</org_name><email>e@o.example</email>"                        \
	"<report_id>r1</report_id><date_range><begin>1700000000</begin><end>1700086399</end></date_range>"   \
	"</report_metadata><policy_published><domain>example.net</domain><p>none</p></policy_published>"     \
	"</feedback>"

static const struct {
	const char *head;
	gboolean is_mail;
} heads[] = {
	{ "From: a@b\n\nx", TRUE },
	{ "Return-Path: <>\r\n", TRUE },
	{ "From a@b Mon Jan 1\nFrom: x\n", TRUE },
	{ "\n\nSubject: x\n", TRUE },
	{ "\xef\xbb\xbfSubject: x\n", TRUE },
	{ "", FALSE },
	{ "hello", FALSE },
	{ "<?xml version=\"1.0\"?>", FALSE },
	{ "{\"organization-name\":\"x\"}", FALSE },
	{ "\x1f\x8b\x08", FALSE },
	{ "PK\3\4", FALSE },
	{ "\xff\xfe", FALSE },
};

static void a_mail_is_known_by_its_first_line(void **state G_GNUC_UNUSED)
{
	for (gsize i = 0; i < G_N_ELEMENTS(heads); i++) {
		const char *head = heads[i].head;

		if (report_mail_is_mail((const guint8 *)head, strlen(head)) != heads[i].is_mail)
			fail_msg("\"%s\"", head);
	}
}

/* The mail that pieces of this size make. */
static char *wrapped(const char *name, const guint8 *data, gsize size, gsize piece)
{
	struct report_mail *mail = report_mail_new(name);
	GString *out = g_string_new(NULL);

	for (gsize at = 0; at < size; at += piece)
		report_mail_add(mail, data + at, MIN(piece, size - at), out);
	report_mail_end(mail, out);
	report_mail_free(mail);
	return g_string_free(out, FALSE);
}

static void the_mail_is_the_same_however_the_file_is_split(void **state G_GNUC_UNUSED)
{
	guint8 data[200];
	g_autofree char *whole = NULL;

	for (gsize i = 0; i < sizeof data; i++)
		data[i] = (guint8)(i * 7);
	whole = wrapped("x.gz", data, sizeof data, sizeof data);
	for (gsize piece = 1; piece < sizeof data; piece++) {
		g_autofree char *split = wrapped("x.gz", data, sizeof data, piece);

		assert_string_equal(split, whole);
	}
}

static void the_file_comes_back_from_the_mail(void **state G_GNUC_UNUSED)
{
	for (gsize size = 0; size < 300; size = size < 60 ? size + 1 : size + 50) {
		g_autofree char *data = g_strnfill(size, 'z');
		g_autofree char *mail = wrapped(NULL, (const guint8 *)data, size, 100);
		gsize n;
		g_autofree guchar *back = g_base64_decode(strstr(mail, "\n\n"), &n);

		assert_int_equal(n, size);
		assert_memory_equal(back, data, size);
	}
}

static void no_line_is_longer_than_mail_allows(void **state G_GNUC_UNUSED)
{
	g_autofree char *name = g_strnfill(2000, '\xe4'); /* each byte becomes a character of three */
	g_autofree char *data = g_strnfill(100000, 'z');
	g_autofree char *mail = wrapped(name, (const guint8 *)data, 100000, 100000);
	g_auto(GStrv) lines = g_strsplit(mail, "\n", -1);

	for (char **line = lines; *line != NULL; line++)
		assert_true(strlen(*line) <= 998);
}

static const struct {
	const char *name, *parameter; /* NULL: none */
} names[] = {
	{ NULL, NULL },
	{ "", NULL },
	{ "/tmp/", NULL },
	{ "/tmp/a.xml", "a.xml" },
	{ "C:\\reports\\a b.zip", "a%20b.zip" },
	{ "a!b.example!1!2.xml.gz", "a%21b.example%211%212.xml.gz" },
	{ "m\xc3\xa4rz.xml", "m%C3%A4rz.xml" },
	{ "a\xff", "a%EF%BF%BD" },
	{ "a\r\nBcc: b", "a%0D%0ABcc%3A%20b" },
	{ "a'\";", "a%27%22%3B" },
};

static void the_name_of_the_file_is_a_parameter(void **state G_GNUC_UNUSED)
{
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *mail = wrapped(names[i].name, (const guint8 *)"x", 1, 1);
		g_autofree char *want =
		    names[i].parameter
			? g_strdup_printf("attachment;\n filename*=UTF-8''%s\n\n", names[i].parameter)
			: g_strdup("attachment\n\n");

		if (strstr(mail, want) == NULL)
			fail_msg("\"%s\": %s", names[i].name, mail);
	}
}

/* What the parser finds in a file of this name that was wrapped. */
static char *found_in(const char *name, const char *text)
{
	static const struct parser_options options = { .limits = PARSER_LIMITS_DEFAULT };
	g_autoptr(GBytes) document = g_bytes_new_static(text, strlen(text));
	g_autoptr(GBytes) mail = report_mail_of(document, name);
	struct collect collect;
	char *lines;
	gsize size;
	const guint8 *bytes = g_bytes_get_data(mail, &size);

	collect_init(&collect);
	assert_true(parse_document(bytes, size, &options, &COLLECT, &collect, NULL));
	lines = g_strdup(collect.lines->str);
	collect_clear(&collect);
	return lines;
}

static void the_parser_finds_the_report_and_the_name_of_its_file(void **state G_GNUC_UNUSED)
{
	g_autofree char *right = found_in("o!example.net!1700000000!1700086399.xml", REPORT);
	g_autofree char *wrong = found_in("o!example.org!1700000000!1700086399.xml", REPORT);

	assert_non_null(strstr(right, "report_id=r1"));
	assert_null(strstr(right, "{M2"));
	assert_non_null(strstr(wrong, "{M2"));
}

static void the_reason_of_an_unread_file_says_that_it_is_one(void **state G_GNUC_UNUSED)
{
	g_autofree char *lines = found_in("x.txt", "hello");

	assert_non_null(strstr(lines, ": the only part is not a DMARC report: file \"x.txt\", 5 bytes: "));
}

static void a_mail_is_left_as_it_is(void **state G_GNUC_UNUSED)
{
	g_autoptr(GBytes) document = g_bytes_new_static("From: a@b\n\n", 11);
	g_autoptr(GBytes) mail = report_mail_of(document, "x.eml");

	assert_ptr_equal(mail, document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mail_is_known_by_its_first_line),
		cmocka_unit_test(the_mail_is_the_same_however_the_file_is_split),
		cmocka_unit_test(the_file_comes_back_from_the_mail),
		cmocka_unit_test(no_line_is_longer_than_mail_allows),
		cmocka_unit_test(the_name_of_the_file_is_a_parameter),
		cmocka_unit_test(the_parser_finds_the_report_and_the_name_of_its_file),
		cmocka_unit_test(the_reason_of_an_unread_file_says_that_it_is_one),
		cmocka_unit_test(a_mail_is_left_as_it_is),
	};

	parse_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
