/* What text.h promises of single values. */
#include "parser/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void numbers_are_read_strictly(void **state)
{
	static const struct {
		const char *text;
		enum text_number kind;
		gint64 value;
	} rows[] = {
		{ "0", TEXT_INTEGER, 0 },
		{ "12", TEXT_INTEGER, 12 },
		{ "-12", TEXT_INTEGER, -12 },
		{ "007", TEXT_INTEGER, 7 },
		{ "9223372036854775807", TEXT_INTEGER, G_MAXINT64 },
		{ "9223372036854775808", TEXT_NOT_A_NUMBER, 99 },
		{ "99999999999999999999999", TEXT_NOT_A_NUMBER, 99 },
		{ "1.0", TEXT_WHOLE, 1 },
		{ "1.", TEXT_WHOLE, 1 },
		{ "1.5", TEXT_FRACTION, 1 },
		{ "1700000000.25", TEXT_FRACTION, 1700000000 },
		{ "", TEXT_NOT_A_NUMBER, 99 },
		{ "-", TEXT_NOT_A_NUMBER, 99 },
		{ "+1", TEXT_NOT_A_NUMBER, 99 },
		{ " 1", TEXT_NOT_A_NUMBER, 99 },
		{ "1 ", TEXT_NOT_A_NUMBER, 99 },
		{ "1,234", TEXT_NOT_A_NUMBER, 99 },
		{ "0x10", TEXT_NOT_A_NUMBER, 99 },
		{ "1e3", TEXT_NOT_A_NUMBER, 99 },
		{ ".5", TEXT_NOT_A_NUMBER, 99 },
		{ "1.5.2", TEXT_NOT_A_NUMBER, 99 },
		{ "NaN", TEXT_NOT_A_NUMBER, 99 },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		gint64 value = 99;
		enum text_number kind = text_number(rows[i].text, &value);

		if (kind != rows[i].kind || value != rows[i].value)
			fail_msg("\"%s\": kind %d, value %" G_GINT64_FORMAT, rows[i].text, kind, value);
	}
}

static void addresses_become_canonical(void **state)
{
	static const struct {
		const char *text, *want;
		gboolean mapped;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1", FALSE },
		{ "2001:DB8::1", "2001:db8::1", FALSE },
		{ "2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1", FALSE },
		{ "::ffff:192.0.2.1", "192.0.2.1", TRUE },
		{ "::FFFF:c000:201", "192.0.2.1", TRUE },
		{ "::1", "::1", FALSE },
		{ "not-an-ip", NULL, FALSE },
		{ "192.0.2", NULL, FALSE },
		{ "192.0.2.256", NULL, FALSE },
		{ "192.0.2.1:25", NULL, FALSE },
		{ "192.0.2.1/32", NULL, FALSE },
		{ "fe80::1%eth0", NULL, FALSE },
		{ "X.X.X.X", NULL, FALSE },
		{ "", NULL, FALSE },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		char canonical[TEXT_ADDRESS_SIZE];
		gboolean mapped;
		gboolean ok = text_address(rows[i].text, canonical, &mapped);

		if (ok != (rows[i].want != NULL) || (ok && strcmp(canonical, rows[i].want) != 0) ||
		    mapped != rows[i].mapped)
			fail_msg("\"%s\": %s", rows[i].text, ok ? canonical : "refused");
	}
}

#define TEN "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"

static void domains_become_lower_case_a_labels(void **state)
{
	static const struct {
		const char *text, *want; /* want NULL: unchanged */
	} rows[] = {
		{ "example.com", NULL },
		{ "", NULL },
		{ ".", NULL },
		{ "EXAMPLE.com", "example.com" },
		{ "example.com.", "example.com" },
		{ "b\xc3\xbc"
		  "cher.example",
		    "xn--bcher-kva.example" },
		{ "B\xc3\x9c"
		  "CHER.example.",
		    "xn--bcher-kva.example" },
		{ "User@Example.com", "user@example.com" },
		{ "_dmarc.example", NULL },
		{ "A." TEN ".example", "a.xn--tdaaaaaaaaaa.example" },
		{ "A." TEN TEN TEN TEN TEN TEN TEN ".example", "a." TEN TEN TEN TEN TEN TEN TEN ".example" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = text_domain(rows[i].text);

		if (g_strcmp0(got, rows[i].want) != 0)
			fail_msg("\"%s\": %s", rows[i].text, got ? got : "unchanged");
	}
}

static void unsafe_bytes_are_replaced(void **state)
{
	static const struct {
		const char *name, *text;
		gsize size, max;
		const char *clean, *line;
	} rows[] = {
		{ "plain", "abc", 3, 9, "abc", "abc" },
		{ "white space", " a\r\n\tb ", 7, 99, " a\r\n\tb ", "a b" },
		{ "NUL", "a\0b", 3, 99,
		    "a\xef\xbf\xbd"
		    "b",
		    "a\xef\xbf\xbd"
		    "b" },
		{ "control", "a\x1b[0m\x7f", 6, 99, "a\xef\xbf\xbd[0m\xef\xbf\xbd",
		    "a\xef\xbf\xbd[0m\xef\xbf\xbd" },
		{ "C1", "\xc2\x85", 2, 99, "\xef\xbf\xbd", "\xef\xbf\xbd" },
		{ "before DEL", "a~", 2, 99, "a~", "a~" },
		{ "DEL", "a\x7f", 2, 99, "a\xef\xbf\xbd", "a\xef\xbf\xbd" },
		{ "first of C1", "\xc2\x80", 2, 99, "\xef\xbf\xbd", "\xef\xbf\xbd" },
		{ "last of C1", "\xc2\x9f", 2, 99, "\xef\xbf\xbd", "\xef\xbf\xbd" },
		{ "after C1", "\xc2\xa0", 2, 99, "\xc2\xa0", "\xc2\xa0" },
		{ "last of C0", "a\x1f", 2, 99, "a\xef\xbf\xbd", "a\xef\xbf\xbd" },
		{ "after C0", "a b", 3, 99, "a b", "a b" },
		{ "a character of four bytes", "\xf0\x9f\x98\x80", 4, 99, "\xf0\x9f\x98\x80",
		    "\xf0\x9f\x98\x80" },
		{ "not UTF-8", "Sue\xf1o", 5, 99, "Sue\xef\xbf\xbdo", "Sue\xef\xbf\xbdo" },
		{ "surrogate", "\xed\xa0\x80", 3, 9, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
		    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "cut inside a character", "a\xc3\xb1", 3, 2, "a", "a" },
		{ "cut after a character",
		    "a\xc3\xb1"
		    "b",
		    4, 3, "a\xc3\xb1", "a\xc3\xb1" },
		{ "cut short", "abcdef", 6, 0, "", "" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *clean = text_clean(rows[i].text, rows[i].size, rows[i].max);
		g_autofree char *line = text_clean_line(rows[i].text, rows[i].size, rows[i].max);

		if (strcmp(clean, rows[i].clean) != 0 || strcmp(line, rows[i].line) != 0)
			fail_msg("%s: \"%s\", \"%s\"", rows[i].name, clean, line);
		assert_true(text_is_clean(clean, strlen(clean)));
		assert_true(text_is_clean(clean, strlen(clean)));
		if (rows[i].size <= rows[i].max &&
		    text_is_clean(rows[i].text, rows[i].size) != (strcmp(rows[i].text, rows[i].clean) == 0))
			fail_msg("%s: text_is_clean() says otherwise", rows[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_read_strictly),
		cmocka_unit_test(addresses_become_canonical),
		cmocka_unit_test(domains_become_lower_case_a_labels),
		cmocka_unit_test(unsafe_bytes_are_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
