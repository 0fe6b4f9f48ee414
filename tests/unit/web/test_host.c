#include "server/web/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void hosts_are_loopback_or_in_the_settings(void **state)
{
	static const char *const hosts[] = { "dmarc.example.org", "192.0.2.1", "2001:db8::1", NULL };
	static const struct {
		const char *host;
		gboolean want;
	} rows[] = {
		{ NULL, TRUE },
		{ "localhost", TRUE },
		{ "LocalHost:8080", TRUE },
		{ "localhost.", TRUE },
		{ "127.0.0.1", TRUE },
		{ "127.0.0.1:8080", TRUE },
		{ "127.1.2.3", TRUE },
		{ "[::1]", TRUE },
		{ "[::1]:8080", TRUE },
		{ "dmarc.example.org", TRUE },
		{ "DMARC.example.org.:443", TRUE },
		{ "192.0.2.1:80", TRUE },
		{ "[2001:db8::1]:80", TRUE },
		{ "", FALSE },
		{ ".", FALSE },
		{ ":8080", FALSE },
		{ "[", FALSE },
		{ "[]", FALSE },
		{ "evil.example", FALSE },
		{ "localhost.evil.example", FALSE },
		{ "evil.localhost", FALSE },
		{ "127.0.0.1.evil.example", FALSE },
		{ "127.1", FALSE },
		{ "2130706433", FALSE },
		{ "128.0.0.1", FALSE },
		{ "0.0.0.0", FALSE },
		{ "192.0.2.2", FALSE },
		{ "[::2]", FALSE },
		{ "example.org", FALSE },
		{ "x.dmarc.example.org", FALSE },
		{ "evil.example:localhost", FALSE },
		{ "evil.example, localhost", FALSE },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (host_is_ours(rows[i].host, hosts) != rows[i].want)
			fail_msg(
			    "\"%s\" is %d", rows[i].host != NULL ? rows[i].host : "(none)", !rows[i].want);
}

static void a_star_is_every_host(void **state)
{
	static const char *const every[] = { "*", NULL };
	static const char *const none[] = { NULL };

	(void)state;
	assert_true(host_is_ours("evil.example", every));
	assert_true(host_is_ours("", every));
	assert_false(host_is_ours("evil.example", none));
	assert_true(host_is_ours("localhost", none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_are_loopback_or_in_the_settings),
		cmocka_unit_test(a_star_is_every_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
