/* Rows become the text of an array that PostgreSQL reads back as the same values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/ingest/literal.h"

struct row {
	const char *name;
	const char *first, *second;
	const char *want;
};

/* Checked against PostgreSQL: SELECT ($1::pair[])[1].* gives first and second. */
static const struct row rows[] = {
	{ "words", "1", "abc", "{\"(1,abc)\"}" },
	{ "null", NULL, NULL, "{\"(,)\"}" },
	{ "empty", "", "", "{\"(\\\"\\\",\\\"\\\")\"}" },
	{ "the word null", "null", "NULL", "{\"(null,NULL)\"}" },
	{ "space", " ", "a b", "{\"(\\\" \\\",\\\"a b\\\")\"}" },
	{ "comma", ",", "a,b", "{\"(\\\",\\\",\\\"a,b\\\")\"}" },
	{ "parentheses", "(", ")", "{\"(\\\"(\\\",\\\")\\\")\"}" },
	{ "braces", "{", "}", "{\"(\\\"{\\\",\\\"}\\\")\"}" },
	{ "quote", "\"", "a\"b", "{\"(\\\"\\\"\\\"\\\",\\\"a\\\"\\\"b\\\")\"}" },
	{ "backslash", "\\", "a\\b", "{\"(\\\"\\\\\\\\\\\",\\\"a\\\\\\\\b\\\")\"}" },
	{ "backslash and quote", "\\\"", "x", "{\"(\\\"\\\\\\\\\\\"\\\"\\\",x)\"}" },
	{ "apostrophe", "'", "$1", "{\"(\\\"'\\\",$1)\"}" },
	{ "lines", "\n", "a\r\n\tb", "{\"(\\\"\n\\\",\\\"a\r\n\tb\\\")\"}" },
	{ "beyond ASCII", "\xc3\xa9", "\xf0\x9f\x93\xa7",
	    "{\"(\\\"\xc3\xa9\\\",\\\"\xf0\x9f\x93\xa7\\\")\"}" },
	{ "bytea", "\\x00ff", "x", "{\"(\\\"\\\\\\\\x00ff\\\",x)\"}" },
	{ "json", "{\"a\":[1]}", "x", "{\"(\\\"{\\\"\\\"a\\\"\\\":[1]}\\\",x)\"}" },
};

static void hostile_values_are_quoted(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GString) array = g_string_new(NULL);

		literal_row_begin(array, rows[i].first);
		literal_field(array, rows[i].second);
		literal_row_end(array);
		literal_end(array);
		if (strcmp(array->str, rows[i].want) != 0)
			fail_msg("%s: %s instead of %s", rows[i].name, array->str, rows[i].want);
	}
}

static void no_row_is_an_empty_array(void **state)
{
	g_autoptr(GString) array = g_string_new(NULL);

	(void)state;
	literal_end(array);
	assert_string_equal(array->str, "{}");
}

static void fields_gathered_apart_go_into_several_rows(void **state)
{
	g_autoptr(GString) array = g_string_new(NULL);
	g_autoptr(GString) fields = g_string_new(NULL);

	(void)state;
	literal_number(fields, -7);
	literal_field(fields, NULL);
	for (int i = 0; i < 2; i++) {
		literal_row_begin(array, i == 0 ? "1" : "2");
		g_string_append(array, fields->str);
		literal_row_end(array);
	}
	literal_end(array);
	assert_string_equal(array->str, "{\"(1,-7,)\",\"(2,-7,)\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_values_are_quoted),
		cmocka_unit_test(no_row_is_an_empty_array),
		cmocka_unit_test(fields_gathered_apart_go_into_several_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
