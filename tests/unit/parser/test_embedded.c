/* Files inside a text. */
#include "parser/embedded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static gboolean on_file(
    gpointer user, const char *name, gsize name_size, const guint8 *data, gsize size, GError **error)
{
	(void)error;
	g_string_append_printf(user, "{%.*s|", (int)name_size, name == NULL ? "" : name);
	for (gsize i = 0; i < size; i++)
		g_string_append_c(user, data[i] == '\0' ? '0' : (char)data[i]);
	g_string_append_c(user, '}');
	return TRUE;
}

static char *files_in(const char *text)
{
	gsize size = strlen(text);
	/* a copy of that size, so that a read beyond it is seen */
	g_autofree guint8 *copy = g_memdup2(text, size);
	GString *got = g_string_new(NULL);

	assert_true(embedded_walk(copy, size, on_file, got, NULL));
	return g_string_free(got, FALSE);
}

#define XML "<feedback><report_metadata/></feedback>"

static const struct {
	const char *name, *text, *want; /* "{name|data}" of each file */
} ROWS[] = {
	{ "nothing", "", "" },
	{ "text", "Hello\nyou\n", "" },
	/* base64 */
	{ "a line of base64", "Hello\nPD94bWwgYQ==\nyou.\n", "{|<?xml a}" },
	{ "lines of it", "PD94bWwgYWJj\r\nZGVm  \n\nYWJj\n", "{|<?xml abcdef}" },
	{ "nothing behind its start", "PD94bWwg\n", "" },
	{ "padding within", "PD94bWwgYQ==YmM=", "{|<?xml abc}" },
	{ "a group that is cut", "PD94bWwgYWI\n", "{|<?xml ab}" },
	{ "a letter alone", "PD94bWwgY\n", "{|<?xml }" },
	/* uuencode */
	{ "uuencode", "begin 644 a.xml\n#86)C\n`\nend\n", "{a.xml|abc}" },
	{ "of two lines", "begin 644 a b.xml\r\n#86)C\r\n#9&5F\r\n`\r\nend\r\n", "{a b.xml|abcdef}" },
	{ "a line of one byte, and of two", "begin 644 a\n!80\n\"86(\n`\n", "{a|aab}" },
	{ "a file of one byte", "begin 644 a\n!80\n", "{a|a}" },
	{ "of several groups", "begin 644 a\n&86)C9&5F\n`\n", "{a|abcdef}" },
	{ "blanks at the end of a line lost", "begin 644 a\n#86)\n\n", "{a|ab@}" },
	{ "no last line", "begin 644 a\n#86)C", "{a|abc}" },
	{ "ends at a line of other letters", "begin 644 a\n#86)C\n#86)a\n#86)C\n", "{a|abc}" },
	{ "the highest letter", "begin 644 a\n#86)C\n#86)`\n", "{a|abcab@}" },
	{ "and what follows is read", "begin 644 a\n#86)C\n`\nend\n" XML, "{a|abc}{|>" XML "}" },
	{ "a mode of four digits", "begin 0644 a\n#86)C\n", "{a|abc}" },
	{ "a mode of two", "begin 64 a\n#86)C\n", "" },
	{ "a digit that no mode has", "begin 684 a\n#86)C\n", "" },
	{ "the digits of modes", "begin 077 a\n#86)C\n", "{a|abc}" },
	{ "no name", "begin 644\n#86)C\n", "" },
	{ "letters behind the mode", "begin 644x a\n#86)C\n", "" },
	{ "no mode", "begin \n#86)C\n", "" },
	{ "other words", "began 644 a\n#86)C\n", "" },
	/* XML as it is */
	{ "a report", XML, "{|>" XML "}" },
	{ "two of them", XML "\n" XML " x", "{|>" XML "}{|>" XML "}" },
	{ "two of them in a line", XML XML, "{|>" XML "}{|>" XML "}" },
	{ "within a line", "Here: " XML " it was", "{|>" XML "}" },
	{ "with another case and a prefix", "<a-b_1:Feedback ><METADATA></a-b_1:FEEDBACK x>y",
	    "{|><a-b_1:Feedback ><METADATA></a-b_1:FEEDBACK x>}" },
	{ "an end tag that is cut by its line", "<feedback>metadata</feedback\nx>",
	    "{|><feedback>metadata</feedback\n}" },
	{ "an end tag that is cut by the end", "<feedback>metadata</feedback",
	    "{|><feedback>metadata</feedback}" },
	{ "without end tag", "<feedback>metadata</feedbac", "{|><feedback>metadata</feedbac}" },
	{ "with another end tag before", "<feedback></x><metadata></y:></feedback>z",
	    "{|><feedback></x><metadata></y:></feedback>}" },
	{ "without metadata", "<feedback></feedback>metadata", "" },
	{ "and records behind", XML "\n<record>a</record> <RECORD>b</record>\nc",
	    "{|>" XML "\n<record>a</record> <RECORD>b</record>}" },
	{ "and a record without end", XML "<record>a</recor", "{|>" XML "<record>a</recor}" },
	{ "and another element behind", XML "\n<recorc>a</recorc>", "{|>" XML "}" },
	/* JSON as it is */
	{ "JSON", "x {\"policies\":[]} y", "{|{\"policies\":[]}}" },
	{ "with blanks", "{ \t\"a\":{\"Policies\":\"}\"}} y", "{|{ \t\"a\":{\"Policies\":\"}\"}}}" },
	{ "of another kind", "{\"a\":[]}", "" },
	{ "that is no object of names", "{policies:[]}", "" },
	{ "that ends at once", "policies {", "" },
	{ "that ends in blanks", "policies { ", "" },
};

static void files_come_one_after_another(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		g_autofree char *got = files_in(ROWS[i].text);

		if (strcmp(got, ROWS[i].want) != 0)
			fail_msg("%s: got %s, want %s", ROWS[i].name, got, ROWS[i].want);
	}
}

/* Each search that fails goes to the end of the text: the 17th is not made. */
static void objects_that_do_not_end_are_sought_sixteen_times(void **state)
{
	(void)state;
	for (guint n = 15; n <= 16; n++) {
		g_autoptr(GString) text = g_string_new(NULL);
		g_autofree char *got = NULL;

		for (guint i = 0; i < n; i++)
			g_string_append(text, "{\"a\":\n");
		g_string_append(text, "{\"policies\":1}");
		got = files_in(text->str);
		assert_string_equal(got, n == 15 ? "{|{\"policies\":1}}" : "");
	}
}

static gboolean refuse(
    gpointer user, const char *name, gsize name_size, const guint8 *data, gsize size, GError **error)
{
	(void)name, (void)name_size, (void)data, (void)size;
	(*(guint *)user)++;
	g_set_error(error, g_quark_from_static_string("test"), 1, "enough");
	return FALSE;
}

static void the_first_refusal_ends_the_walk(void **state)
{
	g_autoptr(GError) error = NULL;
	guint calls = 0;

	(void)state;
	assert_false(embedded_walk((const guint8 *)XML XML, 2 * strlen(XML), refuse, &calls, &error));
	assert_int_equal(calls, 1);
	assert_string_equal(error->message, "enough");
}

static void base64_is_known_by_its_start(void **state)
{
	static const struct {
		const char *text;
		gboolean want;
	} rows[] = { { "H4sIA", TRUE }, { " \r\n\tUEsDBA", TRUE }, { "H4sI", FALSE }, { "h4sIA", FALSE },
		{ "xH4sIA", FALSE }, { " ", FALSE }, { "", FALSE } };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (embedded_is_base64((const guint8 *)rows[i].text, strlen(rows[i].text)) != rows[i].want)
			fail_msg("\"%s\"", rows[i].text);
}

static void every_letter_of_base64_has_its_value(void **state)
{
	static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	g_autoptr(GByteArray) got = embedded_decode_base64((const guint8 *)LETTERS, strlen(LETTERS));
	gsize size;
	g_autofree guint8 *want = g_base64_decode(LETTERS, &size);

	(void)state;
	assert_int_equal(got->len, size);
	assert_memory_equal(got->data, want, size);
	for (guint c = 0; c < 256; c++) {
		const guint8 text[] = { 'A', 'A', (guint8)c, 'A' };
		g_autoptr(GByteArray) out = embedded_decode_base64(text, sizeof text);
		gboolean letter = c != 0 && strchr(LETTERS, (int)c) != NULL;

		assert_int_equal(out->len, letter ? 3 : c == '=' ? 1 : 2);
	}
}

static gboolean is_all(gsize letters, const char *rest)
{
	g_autofree char *line = g_strnfill(letters, 'A');
	g_autofree char *text = g_strconcat(line, rest, NULL);

	return embedded_is_all_base64((const guint8 *)text, strlen(text));
}

static void a_text_of_base64_has_lines_of_sixty_letters_or_more(void **state)
{
	(void)state;
	assert_true(is_all(60, ""));
	assert_true(is_all(60, "\nAA==\n"));
	assert_true(is_all(64, " \r\n+/=\n"));
	assert_false(is_all(56, ""));
	assert_false(is_all(61, ""));
	assert_false(is_all(62, ""));
	assert_false(is_all(60, "\nA-A\n"));
	assert_false(is_all(60, "\n\nAAAA\n"));
	assert_false(is_all(0, ""));
}

static void text_is_no_base64_if_one_character_of_sixteen_is_none(void **state)
{
	static const struct {
		const char *text;
		gboolean want;
	} rows[] = {
		{ "", FALSE },
		{ "AAAAAAAAAAA+/=\r\n", FALSE },
		{ "AAAAAAAAAAAAA!\r\n", FALSE },
		{ "AAAAAAAAAAAA!!\r\n", TRUE },
		{ "AAAAAAAAAAAA!\r\n", TRUE },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (embedded_is_no_base64((const guint8 *)rows[i].text, strlen(rows[i].text)) != rows[i].want)
			fail_msg("\"%s\"", rows[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_come_one_after_another),
		cmocka_unit_test(objects_that_do_not_end_are_sought_sixteen_times),
		cmocka_unit_test(the_first_refusal_ends_the_walk),
		cmocka_unit_test(base64_is_known_by_its_start),
		cmocka_unit_test(every_letter_of_base64_has_its_value),
		cmocka_unit_test(a_text_of_base64_has_lines_of_sixty_letters_or_more),
		cmocka_unit_test(text_is_no_base64_if_one_character_of_sixteen_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
