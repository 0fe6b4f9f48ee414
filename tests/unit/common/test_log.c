/*
 * Text from mails must not forge or break lines of the log.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/common/log.h"

static const struct {
	const char *name;
	const char *value;
	const char *want;
} rows[] = {
	{ "plain", "google.com", "\"google.com\"" },
	{ "empty", "", "\"\"" },
	{ "newline", "a\nruad: forged", "\"a\\u000aruad: forged\"" },
	{ "escape sequence", "\033[2J", "\"\\u001b[2J\"" },
	{ "quote and backslash", "a\"b\\c", "\"a\\\"b\\\\c\"" },
	{ "umlaut stays", "m\303\274ller", "\"m\303\274ller\"" },
	{ "right-to-left override", "a\342\200\256b", "\"a\\u202eb\"" },
	{ "line separator", "a\342\200\250b", "\"a\\u2028b\"" },
	{ "not UTF-8", "a\377b", "\"a\357\277\275b\"" },
};

static void values_are_quoted_for_one_line(void **state G_GNUC_UNUSED)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *quoted = log_quote(rows[i].value);

		if (strcmp(quoted, rows[i].want) != 0)
			fail_msg("%s: %s", rows[i].name, quoted);
	}
}

static void long_values_are_cut(void **state G_GNUC_UNUSED)
{
	g_autofree char *value = g_strnfill(10000, 'x');
	g_autofree char *quoted = log_quote(value);

	assert_true(strlen(quoted) < 220);
	assert_true(g_str_has_suffix(quoted, "...\""));
}

static GString *written;

static GLogWriterOutput gather(
    GLogLevelFlags level G_GNUC_UNUSED, const GLogField *fields, gsize n, gpointer user G_GNUC_UNUSED)
{
	for (gsize i = 0; i < n; i++)
		if (g_str_equal(fields[i].key, "MESSAGE"))
			g_string_append_printf(written, "%s\n", (const char *)fields[i].value);
		else if (g_str_has_prefix(fields[i].key, "RUAD_"))
			g_string_append_printf(
			    written, "%s=%s\n", fields[i].key, (const char *)fields[i].value);
	return G_LOG_WRITER_HANDLED;
}

static void a_paced_warning_is_written_once_for_each_cause(void **state G_GNUC_UNUSED)
{
	written = g_string_new(NULL);
	for (int i = 0; i < 3; i++) {
		log_warning_paced("disk", "mail %d not stored: disk full", i);
		log_warning_paced("database", "mail %d not stored: no database", i);
	}
	assert_string_equal(written->str, "mail 0 not stored: disk full\nmail 0 not stored: no database\n");
	g_string_free(written, TRUE);
}

/* Causes come from outside: the memory for them is bounded, and a line too many is better than one too few.
 */
static void many_causes_are_forgotten(void **state G_GNUC_UNUSED)
{
	written = g_string_new(NULL);
	for (int i = 0; i < 250; i++) {
		g_autofree char *cause = g_strdup_printf("cause %d", i % 125);
		log_warning_paced(cause, "%s", cause);
	}
	assert_true(written->len > 200 * strlen("cause 1\n"));
	g_string_free(written, TRUE);
}

static void a_line_has_a_field_for_each_thing_that_it_is_about(void **state G_GNUC_UNUSED)
{
	struct log_fields *fields = log_fields_new();

	written = g_string_new(NULL);
	log_info_about(fields, "none");
	log_fields_add(fields, "RUAD_MAIL", "7");
	log_fields_add(fields, "RUAD_KIND", "tls");
	log_fields_add(fields, "RUAD_MAIL", "8");
	log_info_about(fields, "mails from %s", "here");
	assert_string_equal(written->str, "none\nmails from here\nRUAD_MAIL=7\nRUAD_KIND=tls\nRUAD_MAIL=8\n");
	g_string_truncate(written, 0);
	assert_string_equal(log_fields_get(fields, "RUAD_MAIL"), "7");
	assert_null(log_fields_get(fields, "RUAD_MAI"));
	log_fields_remove(fields, "RUAD_MAIL");
	log_info_about(fields, "left");
	assert_string_equal(written->str, "left\nRUAD_KIND=tls\n");
	log_fields_free(fields);
	log_fields_free(NULL);
	g_string_free(written, TRUE);
}

static const struct {
	const char *name, *value, *want;
} FIELD_VALUES[] = {
	{ "plain", "<1@example.org>", "RUAD_X=<1@example.org>\n" },
	{ "quotes stay", "\"a\\b\"", "RUAD_X=\"a\\b\"\n" },
	{ "a line end", "1\nRUAD_MAIL=2", "RUAD_X=1\\u000aRUAD_MAIL=2\n" },
	{ "an escape sequence", "\x1b[31m", "RUAD_X=\\u001b[31m\n" },
	{ "a change of direction", "\xe2\x80\xae", "RUAD_X=\\u202e\n" },
	{ "not UTF-8", "\xff", "RUAD_X=\xef\xbf\xbd\n" },
	{ "nothing", "", "" },
	{ "none", NULL, "" },
};

static void values_of_fields_are_made_safe(void **state G_GNUC_UNUSED)
{
	for (gsize i = 0; i < G_N_ELEMENTS(FIELD_VALUES); i++) {
		struct log_fields *fields = log_fields_new();
		g_autofree char *want = g_strconcat("x\n", FIELD_VALUES[i].want, NULL);

		written = g_string_new(NULL);
		log_fields_add(fields, "RUAD_X", FIELD_VALUES[i].value);
		log_info_about(fields, "x");
		if (!g_str_equal(written->str, want))
			fail_msg("%s: %s", FIELD_VALUES[i].name, written->str);
		log_fields_free(fields);
		g_string_free(written, TRUE);
	}
}

static void values_of_fields_are_few_and_short(void **state G_GNUC_UNUSED)
{
	struct log_fields *fields = log_fields_new();
	g_autofree char *value = g_strnfill(10000, 'x');
	guint n = 0;

	written = g_string_new(NULL);
	log_fields_add(fields, "RUAD_LONG", value);
	assert_int_equal(strlen(log_fields_get(fields, "RUAD_LONG")), 203);
	for (guint i = 0; i < 3 * LOG_FIELD_VALUES; i++) {
		g_autofree char *number = g_strdup_printf("%u", i % (2 * LOG_FIELD_VALUES));

		log_fields_add(fields, "RUAD_MAIL", number);
		log_fields_add(fields, "RUAD_KIND", "tls");
	}
	log_info_about(fields, "x");
	for (const char *at = written->str; (at = strstr(at, "RUAD_MAIL=")) != NULL; at++)
		n++;
	assert_int_equal(n, LOG_FIELD_VALUES);
	assert_non_null(strstr(written->str, "RUAD_KIND=tls\n"));
	assert_null(strstr(strstr(written->str, "RUAD_KIND=tls\n") + 1, "RUAD_KIND=tls\n"));
	log_fields_free(fields);
	g_string_free(written, TRUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_quoted_for_one_line),
		cmocka_unit_test(long_values_are_cut),
		cmocka_unit_test(a_paced_warning_is_written_once_for_each_cause),
		cmocka_unit_test(many_causes_are_forgotten),
		cmocka_unit_test(a_line_has_a_field_for_each_thing_that_it_is_about),
		cmocka_unit_test(values_of_fields_are_made_safe),
		cmocka_unit_test(values_of_fields_are_few_and_short),
	};

	g_log_set_writer_func(gather, NULL, NULL);

	return cmocka_run_group_tests(tests, NULL, NULL);
}
