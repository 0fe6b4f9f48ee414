/* JSON with characters beyond ASCII, which versions of json-c treat differently, is read the same with
 * all. */
#include "parser/jsontext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;

static const struct {
	const char *json, *ascii;
} TEXTS[] = {
	{ "", "" },
	{ "[\"plain\\n\"]", "[\"plain\\n\"]" },
	{ "[\"\xc3\xa4\xe2\x82\xac\"]", "[\"\\u00e4\\u20ac\"]" },
	{ "[\"\xef\xbf\xbd\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"]", "[\"\\ufffd\\ud800\\udc00\\udbff\\udfff\"]" },
	{ "[\"\\\\\xc3\xa4\"]", "[\"\\\\\\u00e4\"]" },
	{ "[\"\\\xc3\xa4\"]", "[\"\\\xc3\xa4\"]" },
	{ "[\"\xff\xc3\"]", "[\"\xff\xc3\"]" },
	{ "[\xc3\xa4]", "[\\u00e4]" },
};

static void characters_beyond_ascii_become_escapes(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(TEXTS); i++) {
		g_autoptr(GString) got = jsontext_ascii(TEXTS[i].json, strlen(TEXTS[i].json));

		assert_string_equal(got->str, TEXTS[i].ascii);
	}
}

/* The tree, printed, or the error. */
static char *read_json(const char *json)
{
	g_autoptr(GError) error = NULL;
	struct jsontext text;
	struct json_object *tree;
	char *said;

	jsontext_read(&text, (const guint8 *)json, strlen(json), NULL, NULL);
	tree = jsontext_tree(&text, &LIMITS, &error);
	said = g_strdup(
	    tree != NULL ? json_object_to_json_string_ext(tree, JSON_C_TO_STRING_PLAIN) : error->message);
	json_object_put(tree);
	jsontext_clear(&text);
	return said;
}

static void strings_have_them_and_nothing_else(void **state)
{
	static const char *const ROWS[][2] = {
		{ "{\"M\xc3\xbcller\":\"\xf0\x9f\x93\xa7 \xe2\x82\xac\"}",
		    "{\"M\xc3\xbcller\":\"\xf0\x9f\x93\xa7 \xe2\x82\xac\"}" },
		{ "[\"a\\\\\xc3\xa4\"]", "[\"a\\\\\xc3\xa4\"]" },
		{ "[\"\xc3\xa4\xc3\xa4\",nul]", "byte 11: " },
		{ "[\xc3\xa4]", "byte 1: " },
		{ "[\"\\\xc3\xa4\"]", "byte 3: " },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		g_autofree char *got = read_json(ROWS[i][0]);

		if (!g_str_has_prefix(got, ROWS[i][1]))
			fail_msg("%s: \"%s\" instead of \"%s\"", ROWS[i][0], got, ROWS[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(characters_beyond_ascii_become_escapes),
		cmocka_unit_test(strings_have_them_and_nothing_else),
	};

	jsontext_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
