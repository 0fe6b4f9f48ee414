#include "server/digest/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Fails with the row's name; found is transfer full. */
static void check(const char *name, char *found, const char *want)
{
	if (g_strcmp0(found, want) != 0)
		fail_msg("%s: \"%s\", not \"%s\"", name, found, want);
	g_free(found);
}

static void numbers_are_those_of_the_page(void **state)
{
	static const struct {
		gint64 n;
		const char *want;
	} rows[] = { { 0, "0" }, { 999, "999" }, { 1000, "1,000" }, { 12064, "12,064" }, { -1234, "-1,234" },
		{ -123, "-123" }, { G_MAXINT64, "9,223,372,036,854,775,807" } };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		check(rows[i].want, words_count(rows[i].n), rows[i].want);
	check("one", words_counted(1, "message", "messages"), "1 message");
	check("many", words_counted(0, "message", "messages"), "0 messages");
}

static void a_share_is_whole_only_if_it_is_all_or_none(void **state)
{
	static const struct {
		gint64 part, whole;
		const char *want;
	} rows[] = { { 0, 0, "–" }, { 0, 7, "0%" }, { 7, 7, "100%" }, { 1, 100000, "0.1%" },
		{ 99999, 100000, "99.9%" }, { 1, 2, "50.0%" }, { 2, 3, "66.7%" } };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		check(rows[i].want, words_percent(rows[i].part, rows[i].whole), rows[i].want);
}

static void days_have_a_year_if_it_is_another(void **state)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *today = g_date_time_format(now, "%Y-%m-%d");
	g_autofree char *want = g_date_time_format(now, "%-d %b");

	(void)state;
	check("a day", words_day("2020-11-20"), "20 Nov 2020");
	check("a time", words_day("2020-01-02T23:59:59Z"), "2 Jan 2020");
	check("another zone", words_day("2020-01-02T00:30:00+01:00"), "2 Jan 2020");
	check("this year", words_day(today), want);
	check("no day", words_day("soon"), "soon");
	check("nothing", words_day(NULL), "");
	check("a week", words_days("2020-11-23", "2020-11-30"), "23 Nov 2020 – 29 Nov 2020");
	check("one day", words_days("2020-11-23", "2020-11-24"), "23 Nov 2020");
}

static void what_a_reader_would_not_see_becomes_visible(void **state)
{
	(void)state;
	check("an order that is turned",
	    words_clean("a\xe2\x80\xae"
			"b",
		60),
	    "a\\u202eb");
	check("an escape sequence", words_clean("\x1b[31m", 60), "\\u001b[31m");
	check("a line end", words_clean("a\r\nBcc: x", 60), "a\\u000d\\u000aBcc: x");
	check("no UTF-8", words_clean("a\xff", 60), "a\xef\xbf\xbd");
	check("just short enough", words_clean("äöü", 3), "äöü");
	check("too long", words_clean("äöüß", 3), "äö…");
	check("nothing", words_clean(NULL, 3), "");
}

static void texts_are_those_of_the_page(void **state)
{
	static const struct {
		const char *topic, *key, *values, *want;
	} rows[] = {
		{ "todo", "fixed", "{\"name\": \"Esp\", \"until\": \"2020-11-03T00:00:00Z\"}",
		    "Fixed: Esp failed until 3 Nov 2020, and newer reports show that its mail passes." },
		{ "todo", "own_fails", "{\"messages\": 1, \"name\": \"a.example\"}",
		    "1 message from your own a.example fails DMARC." },
		{ "todo", "own_fails", "{\"messages\": 1234, \"name\": \"{name}\"}",
		    "1,234 messages from your own {name} fail DMARC." },
		{ "todo", "more", "{}", " more, less urgent." },
		{ "actions", "review", "{}", "Decide whose it is, and set its label." },
		{ "words", "raw", "{}",
		    "The receiver's own SPF or DKIM result, for any domain. A raw pass is not necessarily "
		    "aligned." },
		{ "todo", "no such text", "{}", NULL },
		{ "no such topic", "fixed", "{}", NULL },
		{ "actions", NULL, "{}", NULL },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct json_object *values = json_tokener_parse(rows[i].values);

		check(rows[i].values, words_fill(rows[i].topic, rows[i].key, values), rows[i].want);
		json_object_put(values);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_those_of_the_page),
		cmocka_unit_test(a_share_is_whole_only_if_it_is_all_or_none),
		cmocka_unit_test(days_have_a_year_if_it_is_another),
		cmocka_unit_test(what_a_reader_would_not_see_becomes_visible),
		cmocka_unit_test(texts_are_those_of_the_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
