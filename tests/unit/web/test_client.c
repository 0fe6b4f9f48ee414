#include "server/web/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_client_is_counted_by_its_address_or_its_network(void **state)
{
	static const struct {
		int family;
		const char *text;
		const char *address;
		const char *name;
	} rows[] = {
		{ AF_INET, "192.0.2.1", "192.0.2.1", "192.0.2.1" },
		{ AF_INET6, "::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1" },
		{ AF_INET6, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::" },
		{ AF_INET6, "2001:db8::9", "2001:db8::9", "2001:db8::" },
		{ AF_INET6, "::1", "::1", "::1" },
		{ AF_UNIX, "", "unix", "unix" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		union {
			struct sockaddr any;
			struct sockaddr_in ip4;
			struct sockaddr_in6 ip6;
		} address = { .ip6 = { .sin6_family = (sa_family_t)rows[i].family } };
		struct client client;

		if (rows[i].family == AF_INET)
			assert_int_equal(inet_pton(AF_INET, rows[i].text, &address.ip4.sin_addr), 1);
		else if (rows[i].family == AF_INET6)
			assert_int_equal(inet_pton(AF_INET6, rows[i].text, &address.ip6.sin6_addr), 1);
		client_at(&client, &address.any);
		assert_string_equal(client.address, rows[i].address);
		assert_string_equal(client.name, rows[i].name);
	}
}

static void a_proxy_names_its_client_last(void **state)
{
	static const struct {
		const char *header;
		const char *want; /* NULL: no address */
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ " 192.0.2.1 ", "192.0.2.1" },
		{ "203.0.113.9, 192.0.2.1", "192.0.2.1" },
		{ "unknown,192.0.2.1", "192.0.2.1" },
		{ "2001:DB8::1", "2001:db8::1" },
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		{ "192.0.2.1,", NULL },
		{ "", NULL },
		{ "unix", NULL },
		{ "192.0.2.1:80", NULL },
		{ "192.0.2", NULL },
		{ "192.0.2.1 x", NULL },
		{ "client.example", NULL },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct client client = { .address = "before" };
		gboolean good = client_forwarded(&client, rows[i].header);

		if (good != (rows[i].want != NULL) ||
		    strcmp(client.address, good ? rows[i].want : "before") != 0)
			fail_msg("\"%s\" is \"%s\"", rows[i].header, client.address);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_is_counted_by_its_address_or_its_network),
		cmocka_unit_test(a_proxy_names_its_client_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
