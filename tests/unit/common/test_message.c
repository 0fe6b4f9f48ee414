/* test_message.c - the form of a mail, and that no text of a report can change it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "server/common/message.h"

static const char *const to[] = { "ann@example.com", "bob@example.com", NULL };

static char *made(const char *subject, const char *text)
{
	g_autoptr(GBytes) bytes = message_make(&(struct message){ .from = "ruad@host.example",
	    .to = to,
	    .id = "1@host.example",
	    .date = 1796000000,
	    .subject = subject,
	    .text = text });
	gsize size;
	const char *data = g_bytes_get_data(bytes, &size);

	return g_strndup(data, size);
}

static void a_plain_message_is_readable_as_it_is(void **state G_GNUC_UNUSED)
{
	g_autofree char *mail = made("[ruad] Test", "Hello,\n\nworld.\n");

	assert_string_equal(mail, "Date: Mon, 30 Nov 2026 00:53:20 +0000\r\n"
				  "From: ruad <ruad@host.example>\r\n"
				  "To: ann@example.com,\r\n bob@example.com\r\n"
				  "Subject: [ruad] Test\r\n"
				  "Message-ID: <1@host.example>\r\n"
				  "MIME-Version: 1.0\r\n"
				  "Content-Type: text/plain; charset=utf-8\r\n"
				  "Content-Transfer-Encoding: quoted-printable\r\n"
				  "Auto-Submitted: auto-generated\r\n"
				  "\r\n"
				  "Hello,\r\n\r\nworld.\r\n");
}

static void a_header_is_one_line_of_ascii_whatever_its_value(void **state G_GNUC_UNUSED)
{
	static const struct {
		const char *name, *value, *want;
	} rows[] = {
		{ "plain", "a b", "X: a b\r\n" },
		{ "empty", "", "X: \r\n" },
		{ "a line break", "a\r\nBcc: eve@example.com", "X: a  Bcc: eve@example.com\r\n" },
		{ "a bare LF", "a\nb", "X: a b\r\n" },
		{ "a bare CR", "a\rb", "X: a b\r\n" },
		{ "a tab and an escape", "a\t\033[1m", "X: a  [1m\r\n" },
		{ "an umlaut", "\xc3\xa4", "X: =?UTF-8?B?w6Q=?=\r\n" },
		{ "what looks encoded", "=?UTF-8?B?w6Q=?=", "X: =?UTF-8?B?PT9VVEYtOD9CP3c2UT0/PQ==?=\r\n" },
		{ "no UTF-8", "a\xff", "X: =?UTF-8?B?Ye+/vQ==?=\r\n" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GString) out = g_string_new(NULL);

		message_header(out, "X", rows[i].value);
		if (!g_str_equal(out->str, rows[i].want))
			fail_msg("%s: %s", rows[i].name, out->str);
	}
}

/* Decode the words of a folded header of the form "X: =?UTF-8?B?...?=". */
static char *decoded(const char *header)
{
	g_auto(GStrv) words = g_strsplit(header, "=?UTF-8?B?", -1);
	GString *text = g_string_new(NULL);

	for (gsize i = 1; words[i] != NULL; i++) {
		gsize n;
		g_autofree guchar *bytes = NULL;

		*strstr(words[i], "?=") = '\0';
		bytes = g_base64_decode(words[i], &n);
		assert_true(g_utf8_validate((const char *)bytes, (gssize)n, NULL)); /* whole characters */
		g_string_append_len(text, (const char *)bytes, (gssize)n);
	}
	return g_string_free(text, FALSE);
}

static void assert_lines(const char *mail)
{
	g_auto(GStrv) lines = g_strsplit(mail, "\r\n", -1);

	for (gsize i = 0; lines[i] != NULL; i++) {
		gsize most = strstr(lines[i], "=?") != NULL ? 76 : 78; /* RFC 2047 section 2 */

		if (strlen(lines[i]) > most || strpbrk(lines[i], "\r\n") != NULL)
			fail_msg("line %u: %s", (guint)i, lines[i]);
		for (const char *at = lines[i]; *at != '\0'; at++)
			assert_true(g_ascii_isprint(*at));
	}
}

static void a_long_header_is_folded_between_characters(void **state G_GNUC_UNUSED)
{
	for (gsize n = 1; n <= 60; n++)
		for (gsize shift = 0; shift < 4; shift++) {
			g_autoptr(GString) value = g_string_new(NULL);
			g_autoptr(GString) out = g_string_new(NULL);
			g_autofree char *back = NULL;

			for (gsize i = 0; i < shift; i++)
				g_string_append_c(value, 'a');
			for (gsize i = 0; i < n; i++)
				g_string_append(value, "\xe2\x82\xac");
			message_header(out, "Subject", value->str);
			assert_lines(out->str);
			back = decoded(out->str);
			assert_string_equal(back, value->str);
		}
}

static void a_long_plain_header_is_encoded_rather_than_longer_than_a_line(void **state G_GNUC_UNUSED)
{
	for (gsize n = 68; n <= 70; n++) {
		g_autofree char *value = g_strnfill(n, 'x');
		g_autoptr(GString) out = g_string_new(NULL);

		message_header(out, "Subject", value);
		assert_int_equal(strstr(out->str, "=?") != NULL, n > 69);
		assert_lines(out->str);
	}
}

static void the_text_is_quoted_printable(void **state G_GNUC_UNUSED)
{
	static const struct {
		const char *name, *text, *want;
	} rows[] = {
		{ "nothing", "", "" }, { "no line end", "a", "a\r\n" },
		{ "an equals sign", "a=b\n", "a=3Db\r\n" }, { "a blank at the end", "a \n", "a=20\r\n" },
		{ "an umlaut", "\xc3\xa4\n", "=C3=A4\r\n" }, { "a carriage return", "a\rb\n", "a=0Db\r\n" },
		{ "an end of the mail", "a\n.\nQUIT\n", "a\r\n.\r\nQUIT\r\n" }, /* libcurl doubles the dot */
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *mail = made("s", rows[i].text);
		const char *body = strstr(mail, "\r\n\r\n") + 4;

		if (!g_str_equal(body, rows[i].want))
			fail_msg("%s: %s", rows[i].name, body);
	}
}

static void long_lines_of_the_text_are_broken_softly(void **state G_GNUC_UNUSED)
{
	for (gsize n = 70; n <= 160; n++) {
		g_autofree char *line = g_strnfill(n, 'x');
		g_autofree char *text = g_strconcat(line, "\xe2\x82\xac", line, "\n", NULL);
		g_autofree char *mail = made("s", text);
		g_auto(GStrv) pieces = g_strsplit(strstr(mail, "\r\n\r\n") + 4, "=\r\n", -1);
		g_autofree char *joined = g_strjoinv("", pieces);
		g_autofree char *want = g_strconcat(line, "=E2=82=AC", line, "\r\n", NULL);

		assert_lines(mail);
		assert_string_equal(joined, want);
	}
}

static void a_subject_is_cut_between_characters(void **state G_GNUC_UNUSED)
{
	g_autoptr(GString) subject = g_string_new(NULL);
	g_autofree char *mail = NULL;

	for (gsize i = 0; i < 1000; i++)
		g_string_append(subject, "\xe2\x82\xac");
	mail = made(subject->str, "t\n");
	assert_lines(mail);
	assert_true(strlen(mail) < 2500);
}

static void a_message_id_has_the_domain_of_the_sender_and_is_new(void **state G_GNUC_UNUSED)
{
	g_autofree char *first = message_id("ruad@host.example");
	g_autofree char *second = message_id("ruad@host.example");

	assert_true(g_str_has_suffix(first, ".ruad@host.example"));
	assert_string_not_equal(first, second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_message_is_readable_as_it_is),
		cmocka_unit_test(a_header_is_one_line_of_ascii_whatever_its_value),
		cmocka_unit_test(a_long_header_is_folded_between_characters),
		cmocka_unit_test(a_long_plain_header_is_encoded_rather_than_longer_than_a_line),
		cmocka_unit_test(the_text_is_quoted_printable),
		cmocka_unit_test(long_lines_of_the_text_are_broken_softly),
		cmocka_unit_test(a_subject_is_cut_between_characters),
		cmocka_unit_test(a_message_id_has_the_domain_of_the_sender_and_is_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
