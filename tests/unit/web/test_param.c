#include "server/web/param.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "parser/error.h"

static const char *const colours[] = { "red", "green", NULL };

static const struct param text = { .name = "text", .type = PARAM_TEXT, .min = 1, .max = 5 };
static const struct param longer = { .name = "longer", .type = PARAM_TEXT, .min = 2, .max = 3 };
static const struct param date = { .name = "date", .type = PARAM_DATE };
static const struct param network = { .name = "network", .type = PARAM_NETWORK };
static const struct param number = { .name = "number", .type = PARAM_INT, .min = 1, .max = 500 };
static const struct param big = { .name = "big", .type = PARAM_INT, .min = 0, .max = G_MAXINT64 };
static const struct param yes = { .name = "yes", .type = PARAM_BOOL };
static const struct param asn = { .name = "asn", .type = PARAM_ASN };
static const struct param country = { .name = "country", .type = PARAM_COUNTRY };
static const struct param choice = { .name = "choice", .type = PARAM_CHOICE, .choices = colours };

struct row {
	const struct param *param;
	const char *value;
	const char *want; /* NULL when it is to be refused */
};

static const struct row rows[] = {
	{ &text, "a", "a" },
	{ &text, "abcde", "abcde" },
	{ &text, "abcdef", NULL },
	{ &text, "", NULL },
	{ &text, "a\nb", NULL },
	{ &text, "a\x7f", NULL },
	{ &text, "\xc2\x85", NULL }, /* U+0085, a C1 control */
	{ &text, "';--", "';--" },
	{ &text, "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4",
	    "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4" }, /* 5 characters */
	{ &text, "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", NULL },
	{ &longer, "", NULL },
	{ &longer, "a", NULL },
	{ &longer, "\xc3\xa4", NULL },
	{ &longer, "ab", "ab" },
	{ &longer, "abc", "abc" },
	{ &longer, "abcd", NULL },
	{ &yes, "0", "0" },
	{ &yes, "1", "1" },
	{ &yes, "2", NULL },
	{ &yes, "true", NULL },
	{ &yes, "01", NULL },
	{ &yes, "", NULL },
	{ &asn, "0", "0" },
	{ &asn, "64496", "64496" },
	{ &asn, "4294967295", "4294967295" },
	{ &asn, "4294967296", NULL },
	{ &asn, "none", "none" },
	{ &asn, "AS64496", NULL },
	{ &asn, "-1", NULL },
	{ &asn, "064496", NULL },
	{ &asn, "", NULL },
	{ &country, "DE", "DE" },
	{ &country, "de", "DE" },
	{ &country, "none", "none" },
	{ &country, "NONE", NULL },
	{ &country, "D", NULL },
	{ &country, "DEU", NULL },
	{ &country, "D1", NULL },
	{ &country, "\xc3\xa4", NULL },
	{ &country, "", NULL },
	{ &date, "2026-11-24", "2026-11-24" },
	{ &date, "2024-02-29", "2024-02-29" },
	{ &date, "1970-01-01", "1970-01-01" },
	{ &date, "9999-12-31", "9999-12-31" },
	{ &date, "1969-12-31", NULL },
	{ &date, "2026-02-29", NULL },
	{ &date, "2026-13-01", NULL },
	{ &date, "2026-00-01", NULL },
	{ &date, "2026-01-00", NULL },
	{ &date, "2026-1-1", NULL },
	{ &date, "26-01-01", NULL },
	{ &date, "2026/01/01", NULL },
	{ &date, "2026-01-01 ", NULL },
	{ &date, " 2026-01-0", NULL },
	{ &date, "2026-+1-01", NULL },
	{ &date, "2026-01-01T00:00:00Z", NULL },
	{ &date, "today", NULL },
	{ &date, "infinity", NULL },
	{ &date, "", NULL },
	{ &network, "192.0.2.1", "192.0.2.1" },
	{ &network, "192.0.2.0/24", "192.0.2.0/24" },
	{ &network, "0.0.0.0/0", "0.0.0.0/0" },
	{ &network, "192.0.2.1/32", "192.0.2.1/32" },
	{ &network, "192.0.2.1/33", NULL },
	{ &network, "192.0.2.1/", NULL },
	{ &network, "192.0.2.1/-1", NULL },
	{ &network, "192.0.2.1/+8", NULL },
	{ &network, "192.0.2.1/08", NULL },
	{ &network, "192.0.2.1/24/8", NULL },
	{ &network, "192.0.2.1/255.255.255.0", NULL },
	{ &network, "192.0.2", NULL },
	{ &network, "192.0.2.256", NULL },
	{ &network, " 192.0.2.1", NULL },
	{ &network, "2001:db8::1", "2001:db8::1" },
	{ &network, "2001:DB8::/32", "2001:DB8::/32" },
	{ &network, "::/0", "::/0" },
	{ &network, "::1/128", "::1/128" },
	{ &network, "::1/129", NULL },
	{ &network, "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
	{ &network, "fe80::1%eth0", NULL },
	{ &network, "[::1]", NULL },
	{ &network, "/24", NULL },
	{ &network, "example.org", NULL },
	{ &network, "", NULL },
	{ &number, "0", NULL },
	{ &number, "1", "1" },
	{ &number, "499", "499" },
	{ &number, "500", "500" },
	{ &number, "501", NULL },
	{ &number, "-1", NULL },
	{ &number, "+1", NULL },
	{ &number, "01", NULL },
	{ &number, " 1", NULL },
	{ &number, "1 ", NULL },
	{ &number, "1e2", NULL },
	{ &number, "0x10", NULL },
	{ &number, "99999999999999999999", NULL },
	{ &number, "", NULL },
	{ &big, "0", "0" },
	{ &big, "9223372036854775807", "9223372036854775807" },
	{ &big, "9223372036854775808", NULL },
	{ &choice, "red", "red" },
	{ &choice, "green", "green" },
	{ &choice, "Red", NULL },
	{ &choice, "redgreen", NULL },
	{ &choice, "", NULL },
};

static void values_are_of_their_type_or_refused(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *got = param_read(rows[i].param, rows[i].value, &error);

		if (g_strcmp0(got, rows[i].want) != 0)
			fail_msg("%s \"%s\": \"%s\" instead of \"%s\"", rows[i].param->name, rows[i].value,
			    got, rows[i].want);
		assert_true((got == NULL) == g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX));
	}
}

static void array_literals_quote_every_element(void **state)
{
	static const struct {
		const char *values[4];
		gsize n;
		const char *want;
	} literals[] = {
		{ { NULL }, 0, "{}" },
		{ { "a" }, 1, "{\"a\"}" },
		{ { "a", "b" }, 2, "{\"a\",\"b\"}" },
		{ { "" }, 1, "{\"\"}" },
		{ { "NULL" }, 1, "{\"NULL\"}" },
		{ { "a,b", "{c}" }, 2, "{\"a,b\",\"{c}\"}" },
		{ { "a\"b" }, 1, "{\"a\\\"b\"}" },
		{ { "a\\" }, 1, "{\"a\\\\\"}" },
		{ { "\\\"" }, 1, "{\"\\\\\\\"\"}" },
		{ { " a " }, 1, "{\" a \"}" },
		{ { "'; DROP TABLE x; --" }, 1, "{\"'; DROP TABLE x; --\"}" },
		{ { "\xc3\xa4" }, 1, "{\"\xc3\xa4\"}" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(literals); i++) {
		g_autofree char *got = param_array(literals[i].values, literals[i].n);

		assert_string_equal(got, literals[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_of_their_type_or_refused),
		cmocka_unit_test(array_literals_quote_every_element),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
