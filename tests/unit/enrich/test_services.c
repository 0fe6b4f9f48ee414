/* test_services.c - lists of services: what is accepted, what is rejected with which message, and that our
 * own list is valid. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <json-c/json.h>
#include <string.h>

#include "parser/error.h"
#include "server/enrich/services.h"

#define TEN     "xxxxxxxxxx"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static void a_service_becomes_json(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *json = services_read("# ours\n[acme-mail]\nname = Acme Mail\ntype = marketing\n"
					      "rdns = acme.example  MAIL.acme.test\nasn = 64500\n",
	    "list", &error);

	(void)state;
	assert_null(error);
	assert_string_equal(json,
	    "[{\"key\":\"acme-mail\",\"name\":\"Acme Mail\",\"type\":\"marketing\","
	    "\"rdns\":[\"acme.example\",\"mail.acme.test\"],\"spf\":[],\"dkim\":[],\"asn\":[\"64500\"]}]");
}

static void what_makes_mail_pass_goes_along(void **state)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *json =
	    services_read("[acme]\nname=Acme\ntype=marketing\ndkim=acme.example\nswitch=Settings > Domains\n"
			  "records=CNAME k1._domainkey\naligns=dkim\nmanual=https://acme.example/help\n",
		"list", &error);

	(void)state;
	assert_null(error);
	assert_non_null(strstr(json, "\"setup\":{\"switch\":\"Settings > Domains\",\"records\":\"CNAME "
				     "k1._domainkey\",\"aligns\":\"dkim\","
				     "\"manual\":\"https:\\/\\/acme.example\\/help\"}"));
}

static void values_of_a_service_are_taken_up_to_their_borders(void **state)
{
	g_autofree char *longest = g_strnfill(300, 'x');
	g_autofree char *text = g_strdup_printf("[0a-]\nname=A\ntype=a_b\nasn=0,4294967295\t 10\nspf=a.b\n"
						"switch=%s\naligns=spf\n[b]\nname=B\ntype=x\ndkim=b.c,\n",
	    longest);
	g_autofree char *want = g_strdup_printf(
	    "[{\"key\":\"0a-\",\"name\":\"A\",\"type\":\"a_b\",\"setup\":{\"switch\":\"%s\",\"aligns\":"
	    "\"spf\"},"
	    "\"rdns\":[],\"spf\":[\"a.b\"],\"dkim\":[],\"asn\":[\"0\",\"4294967295\",\"10\"]},"
	    "{\"key\":\"b\",\"name\":\"B\",\"type\":\"x\",\"rdns\":[],\"spf\":[],\"dkim\":[\"b.c\"],\"asn\":["
	    "]}]",
	    longest);
	g_autofree char *json = services_read(text, "list", NULL);

	(void)state;
	assert_string_equal(json, want);
}

static void wrong_lists_are_refused_by_name_value_and_rule(void **state)
{
	static const struct {
		const char *name, *text, *words;
	} rows[] = {
		{ "no rule", "[a]\nname=A\ntype=x\n",
		    "list: [a]: no rule; at least one of rdns, spf, dkim, asn is needed" },
		{ "no name", "[a]\ntype=x\nrdns=a.b\n", "list: [a] name: missing" },
		{ "no type", "[a]\nname=A\nrdns=a.b\n", "list: [a] type: missing" },
		{ "key", "[A b]\nname=A\ntype=x\nrdns=a.b\n",
		    "list: [A b]: a service's key is made of a-z, 0-9 and -" },
		{ "type", "[a]\nname=A\ntype=X y\nrdns=a.b\n",
		    "list: [a] type: \"X y\" is not one word of a-z and _" },
		{ "a top-level domain", "[a]\nname=A\ntype=x\nrdns=com\n",
		    "list: [a] rdns: \"com\" is not a domain below a top-level domain" },
		{ "a final dot", "[a]\nname=A\ntype=x\nspf=a.b.\n",
		    "list: [a] spf: \"a.b.\" is not a domain below a top-level domain" },
		{ "two dots", "[a]\nname=A\ntype=x\ndkim=a..b\n",
		    "list: [a] dkim: \"a..b\" is not a domain below a top-level domain" },
		{ "a system with letters", "[a]\nname=A\ntype=x\nasn=AS1\n",
		    "list: [a] asn: \"AS1\" is not the number of an autonomous system" },
		{ "a system that is too large", "[a]\nname=A\ntype=x\nasn=4294967296\n",
		    "list: [a] asn: \"4294967296\" is not the number of an autonomous system" },
		{ "a system with a zero before it", "[a]\nname=A\ntype=x\nasn=01\n",
		    "list: [a] asn: \"01\" is not the number of an autonomous system" },
		{ "a hyphen before the key", "[-a]\nname=A\ntype=x\nrdns=a.b\n",
		    "list: [-a]: a service's key is made of a-z, 0-9 and -" },
		{ "an underscore in the key", "[a_b]\nname=A\ntype=x\nrdns=a.b\n",
		    "list: [a_b]: a service's key is made of a-z, 0-9 and -" },
		{ "a digit in the type", "[a]\nname=A\ntype=x1\nrdns=a.b\n",
		    "list: [a] type: \"x1\" is not one word of a-z and _" },
		{ "an empty name", "[a]\nname=\ntype=x\nrdns=a.b\n", "list: [a] name: missing" },
		{ "the second of two", "[a]\nname=A\ntype=x\nrdns=a.b\n[b]\nname=B\ntype=x\n",
		    "list: [b]: no rule; at least one of rdns, spf, dkim, asn is needed" },
		{ "one byte too many", "[a]\nname=A\ntype=x\nrdns=a.b\nswitch=" HUNDRED HUNDRED HUNDRED "x\n",
		    "list: [a] switch: is not a text of 1 to 300 bytes" },
		{ "an unknown key", "[a]\nname=A\ntype=x\nrdsn=a.b\n",
		    "list: [a] rdsn: unknown key; known are name, type, rdns, spf, dkim, asn, "
		    "switch, records, aligns, manual" },
		{ "records without a switch", "[a]\nname=A\ntype=x\nrdns=a.b\nrecords=TXT x\n",
		    "list: [a] switch: missing; records, aligns and manual go with it" },
		{ "a manual that is no address",
		    "[a]\nname=A\ntype=x\nrdns=a.b\nswitch=DKIM\nmanual=javascript:1\n",
		    "list: [a] manual: is not an address that begins with https://" },
		{ "another alignment", "[a]\nname=A\ntype=x\nrdns=a.b\nswitch=DKIM\naligns=arc\n",
		    "list: [a] aligns: is not dkim, spf or dkim spf" },
		{ "an empty switch", "[a]\nname=A\ntype=x\nrdns=a.b\nswitch=\n",
		    "list: [a] switch: is not a text of 1 to 300 bytes" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;

		assert_null(services_read(rows[i].text, "list", &error));
		if (!g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX) ||
		    strcmp(error->message, rows[i].words) != 0)
			fail_msg("%s: \"%s\"", rows[i].name, error->message);
	}
}

/* Every value occurs once: otherwise the service of an address would be arbitrary. */
static void our_own_list_has_three_hundred_services_and_no_rule_twice(void **state)
{
	static const char *const kinds[] = { "rdns", "spf", "dkim", "asn" };
	g_autoptr(GError) error = NULL;
	g_autofree char *json = services_read(services_own, "services.ini", &error);
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	json_object *list;

	(void)state;
	assert_null(error);
	list = json_tokener_parse(json);
	assert_true(json_object_array_length(list) >= 300);
	for (gsize i = 0; i < json_object_array_length(list); i++)
		for (gsize k = 0; k < G_N_ELEMENTS(kinds); k++) {
			json_object *values =
			    json_object_object_get(json_object_array_get_idx(list, i), kinds[k]);

			for (gsize v = 0; v < json_object_array_length(values); v++) {
				char *rule = g_strdup_printf("%s %s", kinds[k],
				    json_object_get_string(json_object_array_get_idx(values, v)));

				if (!g_hash_table_add(seen, rule))
					fail_msg("twice: %s", rule);
			}
		}
	json_object_put(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_service_becomes_json),
		cmocka_unit_test(values_of_a_service_are_taken_up_to_their_borders),
		cmocka_unit_test(wrong_lists_are_refused_by_name_value_and_rule),
		cmocka_unit_test(what_makes_mail_pass_goes_along),
		cmocka_unit_test(our_own_list_has_three_hundred_services_and_no_rule_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
