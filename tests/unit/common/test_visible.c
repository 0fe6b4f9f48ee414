/*
 * Text from outside must not reach a terminal as escape sequences, and must not hide or reorder what is
 * beside it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <json-c/json.h>

#include "server/common/visible.h"

static const struct {
	const char *name;
	const char *value;
	const char *want; /* on one line */
} rows[] = {
	{ "plain", "google.com \\ \"x\"", "google.com \\ \"x\"" },
	{ "empty", "", "" },
	{ "escape sequence", "\033[2J", "\\u001b[2J" },
	{ "one byte introducer of C1",
	    "\xc2\x9b"
	    "2J",
	    "\\u009b2J" },
	{ "delete", "a\177b", "a\\u007fb" },
	{ "line ends", "a\r\nb\tc", "a\\u000d\\u000ab\\u0009c" },
	{ "right-to-left override",
	    "a\xe2\x80\xae"
	    "b",
	    "a\\u202eb" },
	{ "isolate", "\xe2\x81\xa6x\xe2\x81\xa9", "\\u2066x\\u2069" },
	{ "zero-width space, joiners, byte order mark",
	    "a\xe2\x80\x8b\xe2\x80\x8c\xe2\x80\x8d\xef\xbb\xbf"
	    "b",
	    "a\\u200b\\u200c\\u200d\\ufeffb" },
	{ "soft hyphen", "pay\xc2\xadpal", "pay\\u00adpal" },
	{ "line and paragraph separator",
	    "a\xe2\x80\xa8"
	    "b\xe2\x80\xa9"
	    "c",
	    "a\\u2028b\\u2029c" },
	{ "Hangul filler", "\xe3\x85\xa4", "\\u3164" },
	{ "variation selector", "a\xef\xb8\x8f", "a\\ufe0f" },
	{ "tag", "a\xf3\xa0\x81\xa1", "a\\U000e0061" },
	{ "unassigned", "\xcd\xb8", "\\u0378" },
	{ "letters and combining marks stay", "mu\xcc\x88ller \xe4\xbe\x8b \xd7\xa9\xd7\x9c",
	    "mu\xcc\x88ller \xe4\xbe\x8b \xd7\xa9\xd7\x9c" },
	{ "symbols beyond the first plane stay", "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
	{ "not UTF-8", "a\377b",
	    "a\xef\xbf\xbd"
	    "b" },
};

static void what_a_reader_would_not_see_is_escaped(void **state G_GNUC_UNUSED)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *visible = visible_text(rows[i].value);

		if (strcmp(visible, rows[i].want) != 0)
			fail_msg("%s: %s", rows[i].name, visible);
	}
}

static void line_ends_of_a_message_stay(void **state G_GNUC_UNUSED)
{
	g_autofree char *visible = visible_lines("ERROR:  x\033[0m\nDETAIL:\ty\r");

	assert_string_equal(visible, "ERROR:  x\\u001b[0m\nDETAIL:\ty\\u000d");
}

static void json_keeps_its_value(void **state G_GNUC_UNUSED)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct json_object *text = json_object_new_string(rows[i].value);
		gsize size;
		const char *json = json_object_to_json_string_length(text, JSON_C_TO_STRING_PLAIN, &size);
		g_autofree char *visible = visible_json(json, &size);
		g_autofree char *shown = visible_text(visible != NULL ? visible : json);
		g_autofree char *valid = g_utf8_make_valid(rows[i].value, -1);
		struct json_object *back = json_tokener_parse(visible != NULL ? visible : json);

		assert_int_equal(strlen(visible != NULL ? visible : json), size);
		if (strcmp(shown, visible != NULL ? visible : json) != 0)
			fail_msg("%s: not visible", rows[i].name);
		if (g_strcmp0(json_object_get_string(back), valid) != 0)
			fail_msg("%s: not the same value", rows[i].name);
		json_object_put(back);
		json_object_put(text);
	}
}

static void visible_json_is_not_copied(void **state G_GNUC_UNUSED)
{
	gsize size = 2;

	assert_null(visible_json("{}", &size));
	assert_int_equal(size, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_reader_would_not_see_is_escaped),
		cmocka_unit_test(line_ends_of_a_message_stay),
		cmocka_unit_test(json_keeps_its_value),
		cmocka_unit_test(visible_json_is_not_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
