/* Rows become the text of an array that PostgreSQL reads back as the same values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/ingest/literal.h"
#include "tests/unit/ingest/rows.h"

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

static char *pair[] = { (char *)"first", (char *)"second", NULL };

/* Check that a row with these values is read back unchanged. */
static void comes_back(const char *first, const char *second)
{
	g_autoptr(GString) array = g_string_new(NULL);
	struct rows *read;

	literal_row_begin(array, first);
	literal_field(array, second);
	literal_row_end(array);
	literal_end(array);
	read = rows_read(array->str, pair);
	assert_int_equal(rows_count(read), 1);
	if (g_strcmp0(rows_get(read, 0, "first"), first) != 0 ||
	    g_strcmp0(rows_get(read, 0, "second"), second) != 0)
		fail_msg("%s does not come back", array->str);
	rows_free(read);
}

static void every_character_is_read_back(void **state)
{
	(void)state;
	for (int c = 1; c < 128; c++) {
		const char alone[] = { (char)c, '\0' }, among[] = { 'a', (char)c, 'b', '\0' };
		const char ahead[] = { (char)c, '"', '\\', '\0' }, behind[] = { '\\', '"', (char)c, '\0' };

		comes_back(alone, among);
		comes_back(among, alone);
		comes_back(ahead, behind);
	}
}

static void every_pair_of_special_characters_is_read_back(void **state)
{
	static const char special[] = "\"\\,(){} \n'a";

	(void)state;
	for (gsize i = 0; i < sizeof special - 1; i++)
		for (gsize j = 0; j < sizeof special - 1; j++) {
			const char two[] = { special[i], special[j], '\0' };
			const char four[] = { special[i], special[j], special[j], special[i], '\0' };

			comes_back(two, four);
		}
}

static void null_and_empty_are_distinguished(void **state)
{
	(void)state;
	comes_back(NULL, "");
	comes_back("", NULL);
	comes_back(NULL, NULL);
	comes_back("", "");
}

/* Exactly the characters with a meaning for array_in() or record_in(), and all beyond ASCII. */
static void only_characters_that_need_quotes_are_quoted(void **state)
{
	(void)state;
	for (int c = 1; c < 256; c++) {
		const char value[] = { (char)c, '\0' };
		g_autoptr(GString) fields = g_string_new(NULL);
		gboolean plain = c < 128 && (g_ascii_isalnum(c) || strchr(".-_:@/+=!?*%$#&~<>|;", c) != NULL);

		literal_field(fields, value);
		if (g_str_has_prefix(fields->str, ",\\\"") == plain)
			fail_msg("character %d: %s", c, fields->str);
	}
}

static void numbers_are_decimal(void **state)
{
	static const struct {
		gint64 value;
		const char *want;
	} table[] = { { 0, ",0" }, { 1, ",1" }, { G_MAXINT64, ",9223372036854775807" },
		{ G_MININT64, ",-9223372036854775808" } };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		g_autoptr(GString) fields = g_string_new(NULL);

		literal_number(fields, table[i].value);
		assert_string_equal(fields->str, table[i].want);
	}
}

static void rows_with_hostile_values_stay_separate(void **state)
{
	static const char *const values[] = { "\"", "\\", ")\",\"(", "},{", "" };
	g_autoptr(GString) array = g_string_new(NULL);
	struct rows *read;

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
		literal_row_begin(array, values[i]);
		literal_field(array, values[G_N_ELEMENTS(values) - 1 - i]);
		literal_row_end(array);
	}
	literal_end(array);
	read = rows_read(array->str, pair);
	assert_int_equal(rows_count(read), G_N_ELEMENTS(values));
	for (guint i = 0; i < G_N_ELEMENTS(values); i++) {
		assert_string_equal(rows_get(read, i, "first"), values[i]);
		assert_string_equal(rows_get(read, i, "second"), values[G_N_ELEMENTS(values) - 1 - i]);
	}
	rows_free(read);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_values_are_quoted),
		cmocka_unit_test(no_row_is_an_empty_array),
		cmocka_unit_test(fields_gathered_apart_go_into_several_rows),
		cmocka_unit_test(every_character_is_read_back),
		cmocka_unit_test(every_pair_of_special_characters_is_read_back),
		cmocka_unit_test(null_and_empty_are_distinguished),
		cmocka_unit_test(only_characters_that_need_quotes_are_quoted),
		cmocka_unit_test(numbers_are_decimal),
		cmocka_unit_test(rows_with_hostile_values_stay_separate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
