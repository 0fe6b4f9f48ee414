/* test_solicited.c - did a domain ask for its reports to come here? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "server/enrich/solicited.h"

static void a_domain_asked_when_a_mailbox_of_ours_is_in_its_record(void **state)
{
	static const char *const ours[] = { "dmarc-sum@reports.example", "dmarc-full@*", NULL };
	static const struct {
		const char *name, *check, *want;
	} rows[] = {
		{ "an address of ours",
		    "{\"reports\":[{\"address\":\"x@y.example\"},{\"address\":\"dmarc-sum@reports.example\"}]"
		    "}",
		    "true" },
		{ "a pattern", "{\"reports\":[{\"address\":\"dmarc-full@other.example\"}]}", "true" },
		{ "others only", "{\"reports\":[{\"address\":\"x@y.example\"}]}", "false" },
		{ "a URI without an address", "{\"reports\":[{\"address\":null}]}", "false" },
		{ "no record", "{\"reports\":[],\"findings\":[{\"code\":\"dmarc_missing\"}]}", "false" },
		{ "the DNS did not answer", "{\"reports\":[],\"findings\":[{\"code\":\"dns_failed\"}]}",
		    "null" },
		{ "an empty document", "{}", "false" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		json_object *check = json_tokener_parse(rows[i].check);
		json_object *answer = solicited_json(check, ours);

		if (!g_str_equal(json_object_to_json_string(answer), rows[i].want))
			fail_msg("%s: %s", rows[i].name, json_object_to_json_string(answer));
		json_object_put(answer);
		json_object_put(check);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_domain_asked_when_a_mailbox_of_ours_is_in_its_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
