/* Each value is written to its column of ruad.new_item, and PostgreSQL reads the same value back. */
#include "server/ingest/item.h"

#include <string.h>

#include "server/ingest/literal.h"
#include "tests/unit/ingest/rows.h"
#include "tests/unit/worker/cm.h"

#define COLUMN_NAME(constant, name) #name,

static const char *const names[] = { ITEM_COLUMNS(COLUMN_NAME) };
static char **columns; /* of ruad.new_item */

/* Read back the row of an item, as one of mail 1. */
static struct rows *row_of(const struct item *item)
{
	g_autoptr(GString) array = g_string_new(NULL);

	literal_row_begin(array, "1");
	item_fields(item, array);
	literal_row_end(array);
	literal_end(array);
	return rows_read(array->str, columns);
}

/* Check that column has value and all others are NULL, except mail_no. Frees the item. */
static void only(struct item *item, const char *column, const char *value)
{
	const char *const want[][2] = { { "mail_no", "1" }, { column, value }, { NULL, NULL } };
	struct rows *rows = row_of(item);

	assert_int_equal(rows_count(rows), 1);
	rows_equal(rows, 0, want);
	rows_free(rows);
	item_free(item);
}

static void item_columns_are_those_of_new_item_after_mail_no_in_the_same_order(void **state)
{
	(void)state;
	assert_string_equal(columns[0], "mail_no");
	assert_int_equal(g_strv_length(columns), 1 + ITEM_COLUMN_COUNT);
	assert_int_equal(G_N_ELEMENTS(names), ITEM_COLUMN_COUNT);
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		assert_string_equal(columns[1 + i], names[i]);
}

static void constants_belong_to_the_columns_of_their_names(void **state)
{
	(void)state;
	assert_string_equal(names[ITEM_NO], "item_no");
	assert_string_equal(names[ITEM_ORG_NAME], "org_name");
	assert_string_equal(names[ITEM_END], "end");
	assert_string_equal(names[ITEM_SP], "sp");
	assert_string_equal(names[ITEM_RECORD_NOTES], "record_notes");
	assert_string_equal(names[ITEM_NOTES], "notes");
	assert_string_equal(names[ITEM_CONTENT], "content");
}

static void an_item_without_values_is_all_null(void **state)
{
	(void)state;
	only(item_new(), "content", NULL);
	item_free(NULL);
}

static void each_column_is_written_to_its_own_place(void **state)
{
	(void)state;
	for (gsize i = 0; i < ITEM_COLUMN_COUNT; i++) {
		struct item *item = item_new();

		item_text(item, (enum item_column)i, names[i]);
		only(item, names[i], names[i]);
	}
}

static void columns_can_be_set_in_any_order(void **state)
{
	(void)state;
	for (gboolean backwards = FALSE; backwards <= TRUE; backwards++) {
		struct item *item = item_new();
		struct rows *rows;

		for (gsize i = 0; i < ITEM_COLUMN_COUNT; i++) {
			gsize column = backwards ? ITEM_COLUMN_COUNT - 1 - i : i;

			item_text(item, (enum item_column)column, names[column]);
		}
		rows = row_of(item);
		for (gsize i = 0; i < ITEM_COLUMN_COUNT; i++)
			assert_string_equal(rows_get(rows, 0, names[i]), names[i]);
		rows_free(rows);
		item_free(item);
	}
}

static const char *const hostile[] = { "", " ", "\"", "\"\"", "\\", "\\\\", "\\\"", ",", ",,", "(", ")", "{",
	"}", "{\"(1,2)\"}", "a,b", "say \"hi\"", "c:\\temp\\", "'", "NULL", "null", "\n", "\r\n", "\t", " x ",
	"\x01\x7f", "\xc3\xbc\xe2\x82\xac", "');DROP TABLE x;--" };

static void hostile_values_are_preserved(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(hostile); i++) {
		struct item *item = item_new();

		item_text(item, ITEM_REASON, hostile[i]);
		only(item, "reason", hostile[i]);
	}
}

static void hostile_values_do_not_affect_other_columns(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(hostile); i++) {
		struct item *item = item_new();
		struct rows *rows;

		for (gsize j = 0; j < ITEM_COLUMN_COUNT; j++)
			item_text(item, (enum item_column)j, hostile[(i + j) % G_N_ELEMENTS(hostile)]);
		rows = row_of(item);
		for (gsize j = 0; j < ITEM_COLUMN_COUNT; j++)
			assert_string_equal(
			    rows_get(rows, 0, names[j]), hostile[(i + j) % G_N_ELEMENTS(hostile)]);
		rows_free(rows);
		item_free(item);
	}
}

static void a_text_that_is_null_leaves_the_column_null(void **state)
{
	struct item *item = item_new();

	(void)state;
	item_text(item, ITEM_KIND, NULL);
	item_text(item, ITEM_PLACE, "part 1");
	only(item, "place", "part 1");
}

static const struct {
	gint64 value;
	const char *want;
} numbers[] = {
	{ 0, "0" },
	{ -1, "-1" },
	{ 42, "42" },
	{ G_MAXINT64, "9223372036854775807" },
	{ G_MININT64, "-9223372036854775808" },
};

static void numbers_are_decimal(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
		struct item *item = item_new();

		item_number(item, ITEM_MESSAGES, numbers[i].value);
		only(item, "messages", numbers[i].want);
	}
}

static void booleans_are_t_and_f(void **state)
{
	struct item *item = item_new();

	(void)state;
	item_boolean(item, ITEM_PARTIAL, FALSE);
	only(item, "partial", "f");
	item = item_new();
	item_boolean(item, ITEM_PARTIAL, TRUE);
	only(item, "partial", "t");
	item = item_new();
	item_boolean(item, ITEM_PARTIAL, 2); /* every value except 0 is true */
	only(item, "partial", "t");
}

static void a_hash_is_a_bytea_in_hexadecimal(void **state)
{
	struct item *item = item_new();
	guint8 sha256[32];

	(void)state;
	for (guint i = 0; i < sizeof sha256; i++)
		sha256[i] = (guint8)(i * 8 + 7);
	item_hash(item, ITEM_SHA256, sha256);
	only(item, "sha256", "\\x070f171f272f373f474f575f676f777f878f979fa7afb7bfc7cfd7dfe7eff7ff");
}

static const struct {
	gint64 seconds;
	const char *want;
} times[] = {
	{ 0, "1970-01-01 00:00:00+00" },
	{ 86399, "1970-01-01 23:59:59+00" },
	{ 951782400, "2000-02-29 00:00:00+00" },
	{ 1782864000, "2026-07-01 00:00:00+00" }, /* not local time */
	{ 4102444799, "2099-12-31 23:59:59+00" },
	{ REPORT_TIME_MAX, "9999-12-31 23:59:59+00" },
	{ REPORT_TIME_MAX + 1, "out of range" },
	{ G_MAXINT64, "out of range" },
};

static void times_are_utc_and_those_out_of_range_are_marked(void **state)
{
	(void)state;
	assert_true(g_setenv("TZ", "Europe/Berlin", TRUE));
	for (gsize i = 0; i < G_N_ELEMENTS(times); i++) {
		struct item *item = item_new();

		item_time(item, ITEM_BEGIN, times[i].seconds);
		only(item, "begin", times[i].want);
	}
}

static void a_cleared_item_keeps_no_values(void **state)
{
	struct item *item = item_new();

	(void)state;
	for (gsize i = 0; i < ITEM_COLUMN_COUNT; i++)
		item_text(item, (enum item_column)i, names[i]);
	item_clear(item);
	item_text(item, ITEM_NP, "reject");
	only(item, "np", "reject");
}

static void long_values_are_preserved(void **state)
{
	g_autofree char *value = g_strnfill(3 * 1024 * 1024, '"');
	struct item *item = item_new();
	struct rows *rows;

	(void)state;
	item_text(item, ITEM_KIND, "tls");
	item_text(item, ITEM_CONTENT, value);
	item_text(item, ITEM_PLACE, "part 1");
	rows = row_of(item);
	assert_string_equal(rows_get(rows, 0, "kind"), "tls");
	assert_string_equal(rows_get(rows, 0, "content"), value);
	assert_string_equal(rows_get(rows, 0, "place"), "part 1");
	rows_free(rows);
	item_free(item);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(item_columns_are_those_of_new_item_after_mail_no_in_the_same_order),
		cmocka_unit_test(constants_belong_to_the_columns_of_their_names),
		cmocka_unit_test(an_item_without_values_is_all_null),
		cmocka_unit_test(each_column_is_written_to_its_own_place),
		cmocka_unit_test(columns_can_be_set_in_any_order),
		cmocka_unit_test(hostile_values_are_preserved),
		cmocka_unit_test(hostile_values_do_not_affect_other_columns),
		cmocka_unit_test(a_text_that_is_null_leaves_the_column_null),
		cmocka_unit_test(numbers_are_decimal),
		cmocka_unit_test(booleans_are_t_and_f),
		cmocka_unit_test(a_hash_is_a_bytea_in_hexadecimal),
		cmocka_unit_test(times_are_utc_and_those_out_of_range_are_marked),
		cmocka_unit_test(a_cleared_item_keeps_no_values),
		cmocka_unit_test(long_values_are_preserved),
	};
	int failed;

	g_assert(argc == 2);
	columns = rows_columns(argv[1], "ruad.new_item");
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	g_strfreev(columns);
	return failed;
}
