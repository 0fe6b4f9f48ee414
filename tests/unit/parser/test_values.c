/* What values.h makes of the text of an element. */
#include "parser/notes.h"
#include "parser/values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;

union home {
	struct aggregate_header header;
	struct aggregate_record record;
	struct auth_result_dkim dkim;
	struct auth_result_spf spf;
};

/* The value, and the codes of notes behind it. */
static char *stored(enum element element, const char *text)
{
	union home home = { 0 };
	const char *member = (const char *)&home + ELEMENTS[element].offset;
	GString *out = g_string_new(NULL);
	struct values values;

	values_init(&values, &LIMITS);
	values_store(&values, element, &home, text, strlen(text));
	if (ELEMENTS[element].type == TYPE_PERCENT)
		g_string_printf(out, "%d", *(const gint *)(const void *)member);
	else if (ELEMENTS[element].type == TYPE_COUNT || ELEMENTS[element].type == TYPE_EPOCH)
		g_string_printf(out, "%" G_GINT64_FORMAT, *(const gint64 *)(const void *)member);
	else if (*(const char *const *)(const void *)member == NULL)
		g_string_assign(out, "(null)");
	else
		g_string_assign(out, *(const char *const *)(const void *)member);
	for (guint i = 0; i < values.notes->len; i++)
		g_string_append_printf(out, " %s", g_array_index(values.notes, struct report_note, i).code);
	values_clear(&values);
	return g_string_free(out, FALSE);
}

static const struct {
	enum element element;
	const char *text, *want;
} ROWS[] = {
	{ COUNT, "0", "0" },
	{ COUNT, "1000000000000", "1000000000000" },
	{ COUNT, "1000000000001", "-1 C1" },
	{ COUNT, "-1", "-1 C1" },
	{ COUNT, "1.0", "1 C1" },
	{ COUNT, "1.5", "-1 C1" },
	{ COUNT, "x", "-1 C1" },
	{ COUNT, "1,234", "1234 C1" },
	{ COUNT, "12,345,678", "12345678 C1" },
	{ COUNT, "123,456.0", "123456 C1" },
	{ COUNT, "1234,567", "-1 C1" },
	{ COUNT, "1,23", "-1 C1" },
	{ COUNT, "1,2345", "-1 C1" },
	{ COUNT, "1,234,5", "-1 C1" },
	{ COUNT, "1,234.5", "-1 C1" },
	{ COUNT, "1,234x", "-1 C1" },
	{ COUNT, ",123", "-1 C1" },
	{ COUNT, "1.0,234", "-1 C1" },

	{ BEGIN, "0", "0" },
	{ BEGIN, "1700000000", "1700000000" },
	{ BEGIN, "253402300799", "253402300799" },
	{ BEGIN, "253402300800", "-1 E1" },
	{ BEGIN, "946684799999", "-1 E1" },
	{ BEGIN, "946684800000", "946684800 E1" },
	{ BEGIN, "1700000000999", "1700000000 E1" },
	{ BEGIN, "1700000000999999", "1700000000 E1" },
	{ BEGIN, "1700000000999999999", "1700000000 E1" },
	{ BEGIN, "1700000000.5", "1700000000 E1" },
	{ BEGIN, "1700000000.0", "1700000000 E1" },
	{ BEGIN, "2024-02-29T00:00:00Z", "1709164800 E1" },
	{ BEGIN, "-1", "-1 E1" },
	{ BEGIN, "yesterday", "-1 E1" },

	{ PCT, "0", "0" },
	{ PCT, "100", "100" },
	{ PCT, "101", "-1 V1" },
	{ PCT, "-1", "-1 V1" },
	{ PCT, "50.0", "50 V1" },
	{ PCT, "50.5", "-1 V1" },
	{ PCT, "50%", "50 V1" },
	{ PCT, "50 %", "50 V1" },
	{ PCT, "50%x", "-1 V1" },
	{ PCT, "50%5", "-1 V1" },
	{ PCT, "%", "-1 V1" },
	{ PCT, "x", "-1 V1" },

	{ DKIM_RESULT, "pass", "pass" },
	{ DKIM_RESULT, "PASS", "pass V1" },
	{ DKIM_RESULT, "\"pass\";", "pass V1" },
	{ DKIM_RESULT, "'`;,%. fail. %,;`'", "fail V1" },
	{ DKIM_RESULT, "!pass", "!pass V1" },
	{ DKIM_RESULT, "pas", "pas V1" },
	{ DKIM_RESULT, "passe", "passe V1" },
	{ DKIM_RESULT, "hardfail", "fail V1" },
	{ DKIM_RESULT, "unknown", "temperror V1" },
	{ DKIM_RESULT, "error", "permerror V1" },
	{ DKIM_RESULT, "failed", "fail V1" },
	{ DKIM_RESULT, "passed", "pass V1" },
	{ EVALUATED_DKIM, "fail (not aligned)", "fail V1" },
	{ EVALUATED_DKIM, "fail (unaligned)", "fail V1" },
	{ EVALUATED_DKIM, "Pass (aligned)", "pass V1" },
	{ EVALUATED_DKIM, "unknown", "unknown V1" }, /* no temperror there */
	{ ADKIM, "relaxed", "r V1" },
	{ ADKIM, "Strict", "s V1" },
	{ ADKIM, "", " V1" },

	{ HEADER_FROM, "a-b_1.example", "a-b_1.example" },
	{ HEADER_FROM, "", "" },
	{ HEADER_FROM, "A.example", "a.example V2" },
	{ HEADER_FROM, "a.example.", "a.example V2" },
	{ HEADER_FROM, "x@a.example", "a.example V2" },
	{ HEADER_FROM, "x <x@a.example>", "a.example V2" },
	{ HEADER_FROM, "x@", " V2" },
	{ HEADER_FROM, "a:b, x@c.example", " V2" },
	{ HEADER_FROM, ", ;a.example;b.example", "a.example V2" },
	{ HEADER_FROM, "a.example b.example", "a.example V2" },
	{ HEADER_FROM,
	    "\xe2\x80\x8b\xc2\xa0"
	    "a.example\xe2\x80\x8b",
	    "a.example V2" },
	{ HEADER_FROM, "\xe2\x80\x8b", " V2" },

	{ SOURCE_IP, "192.0.2.1", "192.0.2.1" },
	{ SOURCE_IP, "::ffff:192.0.2.1", "192.0.2.1 I1" },
	{ SOURCE_IP, "192.0.2.1:25", "192.0.2.1 I1" },
	{ SOURCE_IP, "[192.0.2.1]", "192.0.2.1 I1" },
	{ SOURCE_IP, "[2001:db8::1]:25", "2001:db8::1 I1" },
	{ SOURCE_IP, "ipv6:2001:DB8::1", "2001:db8::1 I1" },
	{ SOURCE_IP, "[IPv6:2001:db8::1]", "2001:db8::1 I1" },
	{ SOURCE_IP, "fe80::1%eth0", "fe80::1 I1" },
	{ SOURCE_IP, "192.0.2.1, 192.0.2.2", "192.0.2.1 I1" },
	{ SOURCE_IP, "192.0.2.1/32", "192.0.2.1 I1" },
	{ SOURCE_IP, "mx.example", "(null) I1" },
};

static void each_value_has_its_form_and_others_are_noted(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		g_autofree char *got = stored(ROWS[i].element, ROWS[i].text);

		if (strcmp(got, ROWS[i].want) != 0)
			fail_msg("%s \"%s\": got \"%s\", want \"%s\"", ELEMENTS[ROWS[i].element].path,
			    ROWS[i].text, got, ROWS[i].want);
	}
}

/* A value counts with its NUL. */
static void values_are_full_above_their_limit_until_they_are_reset(void **state)
{
	struct parser_limits limits = PARSER_LIMITS_DEFAULT;
	struct values values;

	(void)state;
	limits.max_record_bytes = 10;
	values_init(&values, &limits);
	for (guint again = 0; again < 2; again++) {
		assert_string_equal(values_keep(&values, "abcd", 4), "abcd");
		assert_string_equal(values_copy(&values, "efgh", 4), "efgh");
		assert_false(values_full(&values));
		values_note(&values, "V1", "a", "raw");
		assert_true(values_full(&values));
		values_note(&values, "V1", "b", "raw");
		values_note(&values, "V1", "a", "other");
		assert_int_equal(values.notes->len, 2);
		assert_string_equal(g_array_index(values.notes, struct report_note, 0).raw, "raw");
		assert_null(g_array_index(values.notes, struct report_note, 1).raw);
		assert_true(values_has_note(&values, "V1", "a"));
		assert_false(values_has_note(&values, "V1", "c"));
		assert_false(values_has_note(&values, "V2", "a"));
		values_reset(&values);
		assert_false(values_has_note(&values, "V1", "a"));
	}
	values_clear(&values);
}

static void a_known_token_counts_as_if_it_were_copied(void **state)
{
	struct parser_limits limits = PARSER_LIMITS_DEFAULT;
	struct aggregate_header header = { 0 };
	struct values values;

	(void)state;
	limits.max_record_bytes = 9;
	values_init(&values, &limits);
	values_store(&values, P, &header, "none", 4);
	values_store(&values, SP, &header, "none", 4);
	assert_true(values_full(&values));
	limits.max_record_bytes = 10;
	assert_false(values_full(&values));
	values_clear(&values);
}

static void notes_are_no_more_than_their_limit(void **state)
{
	struct parser_limits limits = PARSER_LIMITS_DEFAULT;
	struct values values;

	(void)state;
	limits.max_notes = 2;
	limits.max_text = 3;
	values_init(&values, &limits);
	values_note(&values, "V1", "a", "abc");
	values_note(&values, "V1", "b", "abcd");
	values_note(&values, "V1", "c", NULL);
	assert_int_equal(values.notes->len, 2);
	assert_string_equal(g_array_index(values.notes, struct report_note, 0).raw, "abc");
	assert_string_equal(g_array_index(values.notes, struct report_note, 1).raw, "abc");
	values_clear(&values);
}

/* Of any size, also larger than the blocks that they are taken from. */
static void values_stay_as_they_are_while_others_come(void **state)
{
	struct values values;

	(void)state;
	values_init(&values, &LIMITS);
	for (guint again = 0; again < 2; again++) {
		g_autoptr(GPtrArray) kept = g_ptr_array_new();

		for (gsize size = 4090; size < 4100; size++) {
			g_autofree char *text = g_strnfill(size, (char)('a' + size % 26));

			g_ptr_array_add(kept, (gpointer)values_copy(&values, text, size));
			g_ptr_array_add(kept, (gpointer)values_copy(&values, "x", 1));
		}
		for (guint i = 0; i < 10; i++) {
			g_autofree char *text = g_strnfill(4090 + i, (char)('a' + (4090 + i) % 26));

			assert_string_equal(kept->pdata[2 * i], text);
			assert_string_equal(kept->pdata[2 * i + 1], "x");
		}
		values_reset(&values);
	}
	values_clear(&values);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_value_has_its_form_and_others_are_noted),
		cmocka_unit_test(values_are_full_above_their_limit_until_they_are_reset),
		cmocka_unit_test(a_known_token_counts_as_if_it_were_copied),
		cmocka_unit_test(notes_are_no_more_than_their_limit),
		cmocka_unit_test(values_stay_as_they_are_while_others_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
