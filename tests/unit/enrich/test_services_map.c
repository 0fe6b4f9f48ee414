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
		{ "one of ours by what its name gives", "a.test,acme mail: old name,Retail\n",
		    "[{\"key\":\"acme-mail\",\"name\":\"Acme Mail (Old Name)\",\"type\":\"marketing\","
		    "\"setup\":{\"switch\":\"DKIM\"},\"rdns\":[\"acme.example\",\"a.test\"],"
		    "\"spf\":[\"spf.acme.example\"]}]" },
		{ "signs around a name", "a.test,-- A -- 1 --,Retail\n",
		    "[{\"key\":\"a-1\",\"name\":\"-- A -- 1 --\",\"type\":\"organisation\","
		    "\"rdns\":[\"a.test\"]}]" },
		{ "empty lines between rows", "\r\n\na.test,A,ISP\n\n\nb.test,A,ISP\n\n",
		    "[{\"key\":\"a\",\"name\":\"A\",\"type\":\"hosting\",\"rdns\":[\"a.test\",\"b.test\"]}"
		    "]" },
		{ "an empty type", "a.test,A,\n",
		    "[{\"key\":\"a\",\"name\":\"A\",\"type\":\"organisation\",\"rdns\":[\"a.test\"]}]" },
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

static void each_type_of_a_map_is_one_of_ours(void **state)
{
	static const char *const rows[][2] = { { "Email Provider", "mailbox" },
		{ "Email Security", "security" }, { "IaaS", "hosting" }, { "ISP", "hosting" },
		{ "Marketing", "marketing" }, { "MSP", "hosting" }, { "MSSP", "hosting" },
		{ "PaaS", "hosting" }, { "SaaS", "business" }, { "Social Media", "social" },
		{ "Web Host", "hosting" }, { "Finance", "organisation" } };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strconcat(HEADING, "a.test,A,", rows[i][0], "\n", NULL);
		g_autofree char *json = services_map_read(text, OWN, "map", NULL);
		g_autofree char *want = g_strdup_printf(
		    "[{\"key\":\"a\",\"name\":\"A\",\"type\":\"%s\",\"rdns\":[\"a.test\"]}]", rows[i][1]);

		assert_string_equal(json, want);
	}
}

static void long_names_have_a_cut_key_and_too_long_ones_are_left_out(void **state)
{
	for (gsize size = 199; size <= 201; size++) {
		g_autofree char *name = g_strnfill(size, 'x'), *key = g_strnfill(60, 'x');
		g_autofree char *text = g_strconcat(HEADING, "a.test,", name, ",ISP\n", NULL);
		g_autofree char *json = services_map_read(text, OWN, "map", NULL);
		g_autofree char *want = g_strdup_printf(
		    "[{\"key\":\"%s\",\"name\":\"%s\",\"type\":\"hosting\",\"rdns\":[\"a.test\"]}]", key,
		    name);

		(void)state;
		assert_string_equal(json, size <= 200 ? want : "[]");
	}
}

static void a_wrong_map_is_refused_by_row_and_fault(void **state)
{
	static const struct {
		const char *rows, *words;
	} rows[] = {
		{ "a.test,A,ISP\nb.test,B\n", "map: row 3: less than three columns" },
		{ "a.test\n", "map: row 2: less than three columns" },
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
		cmocka_unit_test(each_type_of_a_map_is_one_of_ours),
		cmocka_unit_test(long_names_have_a_cut_key_and_too_long_ones_are_left_out),
		cmocka_unit_test(a_wrong_map_is_refused_by_row_and_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
