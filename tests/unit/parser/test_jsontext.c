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

#define BYTES(text) text, sizeof(text) - 1

static void on_name(gpointer user, const char *name, gsize size)
{
	g_string_append_printf(user, "%.*s,", (int)size, name);
}

static const struct {
	const char *json;
	gsize size;
	const char *want; /* the first value, "|", what follows, "|", names of the outermost object */
	gsize items, names;
	guint depth;
	gboolean utf16, repaired;
} MEASURED[] = {
	{ BYTES(""), "||", 0, 0, 0, FALSE, FALSE },
	{ BYTES(" \xef\xbb\xbf"), "\xef\xbb\xbf||", 1, 0, 0, FALSE, FALSE },
	{ BYTES("\xef\xbb\xbf {} \0\n"), "{}||", 1, 0, 1, FALSE, FALSE },
	{ BYTES("{\"a\":{\"b\":[1,true]} , \"cd\" :2} x "), "{\"a\":{\"b\":[1,true]} , \"cd\" :2}|x|a,cd,", 9,
	    3, 3, FALSE, FALSE },
	{ BYTES("{\"a"), "{\"a||", 2, 0, 1, FALSE, FALSE },
	{ BYTES("{\"a\\"), "{\"a\\||", 2, 0, 1, FALSE, FALSE },
	{ BYTES("[\"\\\"]\"]"), "[\"\\\"]\"]||", 2, 0, 1, FALSE, FALSE },
	{ BYTES("]1"), "]|1|", 0, 0, 0, FALSE, FALSE },
	{ BYTES("[\"a\tb\"]"), "[\"a b\"]||", 2, 0, 1, FALSE, TRUE },
	{ BYTES("[\"a\1\"]"), "[\"a\xef\xbf\xbd\"]||", 2, 0, 1, FALSE, TRUE },
	{ BYTES("\xff\xfe{\0}\0"), "{}||", 1, 0, 1, TRUE, FALSE },
	{ BYTES("\xfe\xff\0{\0}"), "{}||", 1, 0, 1, TRUE, FALSE },
	{ BYTES("1\0"), "1||", 1, 0, 0, TRUE, FALSE },
	{ BYTES("{\0}\0"), "{}||", 1, 0, 1, TRUE, FALSE },
	{ BYTES("\0{\0}"), "{}||", 1, 0, 1, TRUE, FALSE },
	{ BYTES("{\0}\0\0"), "{}||", 1, 0, 1, TRUE, FALSE },
	{ BYTES("{\0}\0x"), "{}|\xef\xbf\xbd|", 1, 0, 1, TRUE, FALSE },
	{ BYTES("[\0\xfe\xff]\0"), "[\xef\xbf\xbe]||", 2, 0, 1, TRUE, FALSE },
	{ BYTES("[\0\xff\xfe]\0"), "[\xef\xbb\xbf]||", 2, 0, 1, TRUE, FALSE },
	{ BYTES("[\0\x3d\xd8\0\xde]\0"), "[\xf0\x9f\x98\x80]||", 2, 0, 1, TRUE, FALSE },
	{ BYTES("[\0\0\xd8\0\xdc]\0"), "[\xf0\x90\x80\x80]||", 2, 0, 1, TRUE, FALSE },
	{ BYTES("[\0\xff\xdb\xff\xdf]\0"), "[\xf4\x8f\xbf\xbf]||", 2, 0, 1, TRUE, FALSE },
	{ BYTES("[\0\x3d\xd8]\0"), "[\xef\xbf\xbd]||", 2, 0, 1, TRUE, FALSE },
	{ BYTES("[\0\0\xde]\0"), "[\xef\xbf\xbd]||", 2, 0, 1, TRUE, FALSE },
	{ BYTES("[\0\x3d\xd8"), "[\xef\xbf\xbd||", 2, 0, 1, TRUE, FALSE },
	{ BYTES("[\0\xff\xd7]\0"), "[\xed\x9f\xbf]||", 2, 0, 1, TRUE, FALSE },
	{ BYTES("[\0\0\xe0]\0"), "[\xee\x80\x80]||", 2, 0, 1, TRUE, FALSE },
};

static void a_text_is_measured_to_the_end_of_its_first_value(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(MEASURED); i++) {
		/* a copy of that size, so that a read beyond it is seen */
		g_autofree guint8 *json = g_memdup2(MEASURED[i].json, MEASURED[i].size);
		g_autoptr(GString) names = g_string_new(NULL);
		g_autofree char *got = NULL;
		struct jsontext text;

		jsontext_read(&text, json, MEASURED[i].size, on_name, names);
		got = g_strdup_printf("%.*s|%s|%s", (int)text.size, text.text, text.rest, names->str);
		if (strcmp(got, MEASURED[i].want) != 0 || text.items != MEASURED[i].items ||
		    text.names != MEASURED[i].names || text.depth != MEASURED[i].depth ||
		    text.utf16 != MEASURED[i].utf16 || text.repaired != MEASURED[i].repaired ||
		    text.bytes != MEASURED[i].size)
			fail_msg("row %zu: %s, %zu items, %zu names, depth %u, UTF-16 %d, repaired %d", i,
			    got, text.items, text.names, text.depth, text.utf16, text.repaired);
		jsontext_clear(&text);
	}
}

static char *fault_of(const char *json, const struct parser_limits *limits)
{
	g_autoptr(GError) error = NULL;
	struct jsontext text;
	struct json_object *tree;

	jsontext_read(&text, (const guint8 *)json, strlen(json), NULL, NULL);
	tree = jsontext_tree(&text, limits, &error);
	assert_int_equal(tree == NULL, error != NULL);
	json_object_put(tree);
	jsontext_clear(&text);
	return error == NULL ? NULL : g_strdup(error->message);
}

static void a_tree_is_made_within_its_limits(void **state)
{
	static const struct {
		const char *json;
		gsize bytes;
		guint depth, items;
		const char *want;
	} rows[] = {
		{ "[[1,2,3,4,5]]", 13, 2, 1, NULL },
		{ "[[1,2,3,4,5]]", 12, 2, 1, "more than 12 bytes of JSON" },
		{ "[[1,2,3,4,5]]", 13, 1, 1, "JSON of more than 1 values inside one another" },
		{ "[[1,2,3,4,5,6]]", 15, 2, 1, NULL },
		{ "[[1,2,3,4,5,6,7]]", 17, 2, 1, "JSON of more than 8 names and values" },
		{ "{\"a\":1,\"b\":{\"a\":1}}", 99, 2, 9, NULL },
		{ "{\"a\":1,\"a\":2}", 99, 2, 9,
		    "an object has two members of one name (RFC 7493 section 2.3)" },
		{ "[{\"a\":1,\"\\u0061\":2}]", 99, 2, 9,
		    "an object has two members of one name (RFC 7493 section 2.3)" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct parser_limits limits = PARSER_LIMITS_DEFAULT;
		g_autofree char *got = NULL;

		limits.max_json = rows[i].bytes;
		limits.max_json_depth = rows[i].depth;
		limits.max_json_items = rows[i].items;
		got = fault_of(rows[i].json, &limits);
		if (g_strcmp0(got, rows[i].want) != 0)
			fail_msg("row %zu: got %s, want %s", i, got, rows[i].want);
	}
}

static void an_object_ends_with_its_bracket(void **state)
{
	static const struct {
		const char *json;
		gsize size;
	} rows[] = { { "{}x", 2 }, { "{\"}\"}x", 5 }, { "{\"\\\"}\"}x", 7 }, { "{[]{}}x", 6 }, { "{\\}x", 3 },
		{ "{", 0 }, { "{\"}", 0 }, { "{[}", 0 }, { "{\"\\", 0 }, { "", 0 } };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		gsize size = strlen(rows[i].json);
		g_autofree guint8 *json = g_memdup2(rows[i].json, size);

		assert_int_equal(jsontext_object_size(json, size), rows[i].size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(characters_beyond_ascii_become_escapes),
		cmocka_unit_test(a_text_is_measured_to_the_end_of_its_first_value),
		cmocka_unit_test(a_tree_is_made_within_its_limits),
		cmocka_unit_test(an_object_ends_with_its_bracket),
		cmocka_unit_test(strings_have_them_and_nothing_else),
	};

	jsontext_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
