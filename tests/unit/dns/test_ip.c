/* test_ip.c - addresses that are not used on the Internet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/dns/ip.h"

static gboolean is_private(const char *text)
{
	struct ip_range ip;

	if (!ip_parse(text, &ip))
		fail_msg("%s is no address", text);
	return ip_is_private(&ip);
}

/* The first and the last address of each network are private, and their neighbours are not. */
static void private_networks_end_where_they_end(void **state G_GNUC_UNUSED)
{
	static const struct {
		const char *before, *first, *last, *behind; /* or NULL */
	} ROWS[] = {
		{ NULL, "0.0.0.0", "0.255.255.255", "1.0.0.0" },
		{ "9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0" },
		{ "100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0" },
		{ "126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0" },
		{ "169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0" },
		{ "172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0" },
		{ "192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0" },
		{ "223.255.255.255", "224.0.0.0", "255.255.255.255", NULL },
		{ NULL, "::", "::1", "::2" },
		{ "fbff:ffff::", "fc00::", "fdff:ffff::ffff", "fe00::" },
		{ "fe7f:ffff::", "fe80::", "febf:ffff::ffff", "fec0::" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		assert_true(ROWS[i].before == NULL || !is_private(ROWS[i].before));
		assert_true(is_private(ROWS[i].first));
		assert_true(is_private(ROWS[i].last));
		assert_true(ROWS[i].behind == NULL || !is_private(ROWS[i].behind));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(private_networks_end_where_they_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
