/* Rows of records in the binary form of COPY; that PostgreSQL reads them as they were meant is
 * tests/e2e/test_delivery.py's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/ingest/binary.h"

static void days_are_those_of_the_gregorian_calendar(void **state)
{
	gint32 n = binary_day(1970, 1, 1);

	(void)state;
	assert_int_equal(binary_day(2000, 1, 1), 0);
	assert_int_equal(n, -10957);
	assert_int_equal(binary_day(2100, 3, 1) - binary_day(2100, 2, 28), 1);
	for (GDateYear year = 1970; year < 2500; year++)
		for (int month = 1; month <= 12; month++)
			for (int day = 1; day <= g_date_get_days_in_month((GDateMonth)month, year); day++)
				assert_int_equal(binary_day(year, month, day), n++);
}

static void a_row_has_nine_fields(void **state)
{
	static const guint8 address[4] = { 192, 0, 2, 1 };
	static const char want[] = "\0\x09"
				   "\0\0\0\x08\xff\xfc\xa2\xfe\xc4\xc8\x20\0" /* 1970 */
				   "\0\0\0\x08\0\0\0\0\0\0\0\x05"
				   "\xff\xff\xff\xff"
				   "\0\0\0\x08\0\0\0\0\0\0\0\x06"
				   "\0\0\0\x04\xff\xff\xd5\x33"
				   "\0\0\0\x04\0\0\0\x07"
				   "\xff\xff\xff\xff"
				   "\0\0\0\x04\0\0\0\x08"
				   "\0\0\0\x08\x02\x20\0\x04\xc0\0\x02\x01";
	const struct binary_record record = { .begin = 0,
		.report = 5,
		.count = -1,
		.evaluation = 6,
		.day = binary_day(1970, 1, 1),
		.domain_id = 7,
		.record_no = 8,
		.address_size = 4,
		.address = address };
	g_autoptr(GString) row = g_string_new(NULL);

	(void)state;
	binary_record(row, &record);
	assert_int_equal(row->len, sizeof want - 1);
	assert_memory_equal(row->str, want, row->len);
}

/* AF_INET + 1 is the family of IPv6 in PostgreSQL, on any system. */
static void a_row_has_what_is_known_of_it(void **state)
{
	static const guint8 address[16] = { 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9 };
	static const char want[] = "\0\x09"
				   "\0\0\0\x08\0\0\0\0\0\x0f\x42\x40" /* 2000, and a second */
				   "\0\0\0\x08\0\0\0\0\0\0\0\x05"
				   "\0\0\0\x08\0\0\0\0\0\0\0\0"
				   "\0\0\0\x08\0\0\0\0\0\0\0\x06"
				   "\0\0\0\x04\0\0\0\0"
				   "\0\0\0\x04\0\0\0\x07"
				   "\0\0\0\x04\0\0\0\x0a"
				   "\0\0\0\x04\0\0\0\x08"
				   "\0\0\0\x14\x03\x80\0\x10\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09";
	struct binary_record record = { .begin = 946684801,
		.report = 5,
		.count = 0,
		.evaluation = 6,
		.day = binary_day(2000, 1, 1),
		.domain_id = 7,
		.has_reporter = TRUE,
		.reporter_id = 10,
		.record_no = 8,
		.address_size = 16,
		.address = address };
	g_autoptr(GString) row = g_string_new(NULL), without = g_string_new(NULL);

	(void)state;
	binary_record(row, &record);
	assert_int_equal(row->len, sizeof want - 1);
	assert_memory_equal(row->str, want, row->len);
	record.address_size = 0;
	binary_record(without, &record);
	assert_int_equal(without->len, row->len - 20);
	assert_memory_equal(without->str + without->len - 4, "\xff\xff\xff\xff", 4);
}

static void a_copy_has_a_head_and_an_end(void **state)
{
	static const char want[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\xff\xff";
	g_autoptr(GString) out = g_string_new(NULL);

	(void)state;
	binary_begin(out);
	binary_end(out);
	assert_int_equal(out->len, sizeof want - 1);
	assert_memory_equal(out->str, want, out->len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(days_are_those_of_the_gregorian_calendar),
		cmocka_unit_test(a_row_has_nine_fields),
		cmocka_unit_test(a_row_has_what_is_known_of_it),
		cmocka_unit_test(a_copy_has_a_head_and_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
