/* test_services_map.c - a map of reverse names in CSV: which services it gives beside ruad's own, and what is
 * wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <json-c/json.h>
#include <string.h>

#include "parser/error.h"
#include "server/enrich/services_map.h"

#define HEADING "base_reverse_dns,name,type\n"
#define OWN                                                                                                  \
	"[{\"key\":\"acme-mail\",\"name\":\"Acme Mail (Old Name)\",\"type\":\"marketing\","                  \
	"\"setup\":{\"switch\":\"DKIM\"},\"rdns\":[\"acme.example\"],\"spf\":[\"spf.acme.example\"]}]"

static void only_this_heading_is_a_map(void **state)
{
	(void)state;
	assert_true(services_map_is(HEADING));
	assert_true(services_map_is("\xef\xbb\xbf" HEADING));
	assert_true(services_map_is("base_reverse_dns,name,type\r\na.example,A,ISP\r\n"));
	assert_false(services_map_is("[a]\nname=A\n"));
	assert_false(services_map_is("base_reverse_dns,name,types\n"));
}

static void each_row_gives_what_its_name_and_type_say(void **state)
{
	static const struct {
		const char *name, *rows, *want;
	} rows[] = {
		{ "a new service", "mta.test,Beta & Co.,Marketing\n",
		    "[{\"key\":\"beta-co\",\"name\":\"Beta & "
		    "Co.\",\"type\":\"marketing\",\"rdns\":[\"mta.test\"]}]" },
		{ "two names of one", "a.test,Beta,SaaS\nB.Test,Beta,SaaS\n",
		    "[{\"key\":\"beta\",\"name\":\"Beta\",\"type\":\"business\",\"rdns\":[\"a.test\",\"b."
		    "test\"]}]" },
		{ "quotes, CRLF and no end of line",
		    "a.test,\"Beta, \"\"Inc\"\"\",\"Web Host\"\r\nb.test,C,isp",
		    "[{\"key\":\"beta-inc\",\"name\":\"Beta, "
		    "\\\"Inc\\\"\",\"type\":\"hosting\",\"rdns\":[\"a.test\"]},"
		    "{\"key\":\"c\",\"name\":\"C\",\"type\":\"hosting\",\"rdns\":[\"b.test\"]}]" },
		{ "a type that sends for nobody", "a.test,Beta,Healthcare\n",
		    "[{\"key\":\"beta\",\"name\":\"Beta\",\"type\":\"organisation\",\"rdns\":[\"a.test\"]}"
		    "]" },
		{ "one of ours by its key keeps its rules", "a.test,Acme Mail,Retail\n",
		    "[{\"key\":\"acme-mail\",\"name\":\"Acme Mail (Old Name)\",\"type\":\"marketing\","
		    "\"setup\":{\"switch\":\"DKIM\"},\"rdns\":[\"acme.example\",\"a.test\"],"
		    "\"spf\":[\"spf.acme.example\"]}]" },
		{ "our own rule wins", "acme.example,Somebody,ISP\n", "[]" },
		{ "a name twice counts once", "a.test,A,ISP\na.test,B,ISP\n",
		    "[{\"key\":\"a\",\"name\":\"A\",\"type\":\"hosting\",\"rdns\":[\"a.test\"]}]" },
		{ "no domain, and a name without letters", "localhost,A,ISP\na..b,A,ISP\na.test,???,ISP\n",
		    "[]" },
		{ "an empty map", "", "[]" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *text = g_strconcat(HEADING, rows[i].rows, NULL);
		g_autofree char *json = services_map_read(text, OWN, "map", &error);

		if (g_strcmp0(json, rows[i].want) != 0)
			fail_msg("%s: %s %s", rows[i].name, json, error != NULL ? error->message : "");
	}
}

static void a_wrong_map_is_refused_by_row_and_fault(void **state)
{
	static const struct {
		const char *rows, *words;
	} rows[] = {
		{ "a.test,A,ISP\nb.test,B\n", "map: row 3: less than three columns" },
		{ "a.test,A,ISP,x\n", "map: row 2: more than three columns" },
		{ "a.test,\"A,ISP\n", "map: row 2: a quote that does not end" },
		{ "a.test,\"A\"x,ISP\n", "map: row 2: less than three columns" },
		{ "a.test,\xff,ISP\n", "map: is not UTF-8" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *text = g_strconcat(HEADING, rows[i].rows, NULL);

		assert_null(services_map_read(text, OWN, "map", &error));
		assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX));
		assert_string_equal(error->message, rows[i].words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_this_heading_is_a_map),
		cmocka_unit_test(each_row_gives_what_its_name_and_type_say),
		cmocka_unit_test(a_wrong_map_is_refused_by_row_and_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
