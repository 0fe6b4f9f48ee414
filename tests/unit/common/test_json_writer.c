/* JSON as text: the same bytes as json-c writes. */
#include "server/common/json_writer.h"

#include <json-c/json.h>

#include "tests/unit/worker/cm.h"

static void a_text_is_what_json_c_writes(void **state)
{
	static const char *const texts[] = { "", "a", "\"", "\\", "/", "a\"b\\c/d", "\b\f\n\r\t",
		"\x01\x1f\x7f", "end\"", "\xe2\x82\xac \xf0\x9f\x98\x80", "[{:," };
	g_autoptr(GString) json = g_string_new(NULL);

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		struct json_object *want = json_object_new_string(texts[i]);

		g_string_truncate(json, 0);
		json_text(json, texts[i]);
		assert_string_equal(json->str, json_object_to_json_string_ext(want,
						   JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
		json_object_put(want);
	}
}

static void every_control_character_is_escaped(void **state)
{
	g_autoptr(GString) json = g_string_new(NULL);

	(void)state;
	for (int character = 1; character < 0x20; character++) {
		const char text[] = { (char)character, '\0' };
		struct json_object *back;

		g_string_truncate(json, 0);
		json_text(json, text);
		assert_int_equal(json->str[1], '\\');
		back = json_tokener_parse(json->str);
		assert_string_equal(json_object_get_string(back), text);
		json_object_put(back);
	}
}

static void values_are_separated_in_objects_and_arrays(void **state)
{
	g_autoptr(GString) json = g_string_new(NULL);

	(void)state;
	json_begin(json, '{');
	json_text_member(json, "a", NULL);
	json_number_member(json, "b", -1);
	json_boolean_member(json, "c", TRUE);
	json_boolean_member(json, "d", FALSE);
	json_name(json, "e");
	json_begin(json, '[');
	json_begin(json, '[');
	json_end(json, ']');
	json_text(json, ":");
	json_text(json, "{");
	json_number(json, G_MAXINT64);
	json_number(json, G_MININT64);
	json_begin(json, '{');
	json_end(json, '}');
	json_end(json, ']');
	json_text_member(json, "say \"f\"", "");
	json_end(json, '}');
	assert_string_equal(json->str,
	    "{\"a\":null,\"b\":-1,\"c\":true,\"d\":false,\"e\":[[],\":\",\"{\",9223372036854775807,"
	    "-9223372036854775808,{}],\"say \\\"f\\\"\":\"\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_what_json_c_writes),
		cmocka_unit_test(every_control_character_is_escaped),
		cmocka_unit_test(values_are_separated_in_objects_and_arrays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
