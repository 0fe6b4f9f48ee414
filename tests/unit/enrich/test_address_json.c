/* test_address_json.c - what the database gets of an address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/enrich/address_json.h"

static void assert_json(json_object *object, const char *want)
{
	assert_string_equal(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN), want);
	json_object_put(object);
}

static void all_that_is_known_of_an_address_is_in_its_object(void **state G_GNUC_UNUSED)
{
	char as_name[] = "Example \"Net\"", host[] = "mx.example.com";
	const struct network network = { .asn = 4294967295, .as_name = as_name, .country = "DE" };
	const struct name name = { .ip = "2001:db8::1", .status = NAME_FOUND, .name = host, .ttl = 60 };

	assert_json(address_json(&name, "example.com", &network, 86400),
	    "{\"source_ip\":\"2001:db8::1\",\"asn\":4294967295,\"as_name\":\"Example \\\"Net\\\"\","
	    "\"country\":\"DE\",\"keep\":86400,\"failed\":false,\"rdns\":\"mx.example.com\","
	    "\"rdns_domain\":\"example.com\"}");
	assert_json(address_network_json("2001:db8::1", &network),
	    "{\"source_ip\":\"2001:db8::1\",\"asn\":4294967295,\"as_name\":\"Example \\\"Net\\\"\","
	    "\"country\":\"DE\"}");
}

static void what_is_not_known_is_null(void **state G_GNUC_UNUSED)
{
	char empty[] = "";
	const struct network nothing = { .asn = -1, .as_name = empty };
	const struct name none = { .ip = "192.0.2.1", .status = NAME_NONE };

	assert_json(address_json(&none, NULL, &nothing, 0),
	    "{\"source_ip\":\"192.0.2.1\",\"asn\":null,\"as_name\":null,\"country\":null,\"keep\":0,"
	    "\"failed\":false,\"rdns\":null,\"rdns_domain\":null}");
}

static void autonomous_system_0_is_known(void **state G_GNUC_UNUSED)
{
	const struct network zero = { .asn = 0 };

	assert_json(address_network_json("192.0.2.1", &zero),
	    "{\"source_ip\":\"192.0.2.1\",\"asn\":0,\"as_name\":null,\"country\":null}");
}

static void only_a_look_up_without_answer_has_failed(void **state G_GNUC_UNUSED)
{
	static const struct network nothing = { .asn = -1 };

	for (int status = NAME_FOUND; status <= NAME_UNKNOWN; status++) {
		const struct name name = { .ip = "192.0.2.1", .status = (enum name_status)status };
		json_object *object = address_json(&name, NULL, &nothing, 1);

		assert_int_equal(json_object_get_boolean(json_object_object_get(object, "failed")),
		    status == NAME_UNKNOWN);
		json_object_put(object);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_is_known_of_an_address_is_in_its_object),
		cmocka_unit_test(what_is_not_known_is_null),
		cmocka_unit_test(autonomous_system_0_is_known),
		cmocka_unit_test(only_a_look_up_without_answer_has_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
