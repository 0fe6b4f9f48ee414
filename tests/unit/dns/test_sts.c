/* test_sts.c - the policy file of MTA-STS. */
#include "server/dns/check.h"
#include "tests/unit/dns/words.h"
#include "tests/unit/dns/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "version: STSv1\nmode: enforce\nmax_age: 86400\n"

/* "enforce 86400 a.example,*.b.example", or what is wrong. */
static char *words_of(const char *text)
{
	g_autoptr(GError) error = NULL;
	struct sts_policy policy;
	GString *words = g_string_new(NULL);

	if (!sts_policy_read(text, &policy, &error))
		return g_string_free(g_string_append(words, error->message), FALSE);
	g_string_append_printf(words, "%s %" G_GUINT64_FORMAT, policy.mode, policy.max_age);
	for (guint i = 0; i < policy.mx->len; i++)
		g_string_append_printf(
		    words, "%s%s", i == 0 ? " " : ",", (const char *)g_ptr_array_index(policy.mx, i));
	sts_policy_clear(&policy);
	return g_string_free(words, FALSE);
}

static void policies_are_read(void **state)
{
	static const struct {
		const char *text, *want;
	} ROWS[] = {
		{ HEAD "mx: A.example\nmx: *.b.example\n", "enforce 86400 a.example,*.b.example" },
		{ "version: STSv1\r\nmode: testing\r\nmx: a.example\r\nmax_age: 1\r\n",
		    "testing 1 a.example" },
		{ "version:STSv1\nmode:none\nmax_age:31557600", "none 31557600" },
		{ HEAD "x: y\nnonsense\nmx: a.example", "enforce 86400 a.example" },
		{ HEAD, "there is no mx: \"\"" },
		{ "", "version is not STSv1: \"\"" },
		{ "version: STSv2\n" HEAD "mx: a.example", "version is not STSv1: \"STSv2\"" },
		{ "version: STSv1\nmode: on\nmax_age: 1\nmx: a.example",
		    "mode is none of enforce, testing and none: \"on\"" },
		{ "version: STSv1\nmode: testing\nmax_age: 31557601\nmx: a.example",
		    "max_age is not a number of seconds up to a year: \"31557601\"" },
		{ "version: STSv1\nmode: testing\nmx: a.example",
		    "max_age is not a number of seconds up to a year: \"\"" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		g_autofree char *got = words_of(ROWS[i].text);

		assert_string_equal(got, ROWS[i].want);
	}
}

static void a_wildcard_is_one_label(void **state)
{
	struct sts_policy policy;

	(void)state;
	assert_true(sts_policy_read(HEAD "mx: *.example.com\nmx: m.example.net", &policy, NULL));
	assert_true(sts_policy_allows(&policy, "a.example.com"));
	assert_false(sts_policy_allows(&policy, "a.b.example.com"));
	assert_false(sts_policy_allows(&policy, "example.com"));
	assert_true(sts_policy_allows(&policy, "m.example.net"));
	assert_false(sts_policy_allows(&policy, "n.example.net"));
	sts_policy_clear(&policy);
}

static void at_most_sts_mx_max_hosts_are_kept(void **state)
{
	g_autoptr(GString) text = g_string_new(HEAD);
	struct sts_policy policy;

	(void)state;
	for (guint i = 0; i <= STS_MX_MAX; i++)
		g_string_append_printf(text, "mx: m%u.example\n", i);
	assert_true(sts_policy_read(text->str, &policy, NULL));
	assert_int_equal(policy.mx->len, STS_MX_MAX);
	sts_policy_clear(&policy);
}

/* -- in a check -- */

static const char *file; /* that the web server has; NULL: it has none */

static char *fetch(const char *host, const char *path, const GPtrArray *addresses, gsize max, char **why)
{
	assert_string_equal(host, "mta-sts.example.com");
	assert_string_equal(path, "/.well-known/mta-sts.txt");
	assert_int_equal(addresses->len, 2);
	assert_int_equal(max, STS_FILE_MAX);
	if (file == NULL)
		*why = g_strdup("it is away");
	return g_strdup(file);
}

static void each_mx_must_be_in_the_policy(void **state)
{
	static const struct {
		const char *file, *want;
	} ROWS[] = {
		{ HEAD "mx: *.example.com", "" },
		{ HEAD "mx: m.example.com", "mta_sts_mx" },
		{ "version: STSv1\nmode: testing\nmax_age: 1\nmx: m.example.com", "mta_sts_mx" },
		{ "version: STSv1\nmode: none\nmax_age: 1", "" },
		{ HEAD, "mta_sts_policy" },
		{ NULL, "mta_sts_policy" },
	};
	static const struct check_options OPTIONS = { .fetch = fetch };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		struct zone *zone =
		    zone_new("example.com MX 1 m.example.com\nexample.com MX 2 n.example.com\n"
			     "m.example.com A 192.0.2.1\nn.example.com A 192.0.2.2\n"
			     "_mta-sts.example.com TXT v=STSv1; id=1\n"
			     "mta-sts.example.com A 192.0.2.3\nmta-sts.example.com AAAA 2001:db8::3");
		struct dns_source source = zone_source(zone);
		struct check *check;
		g_autofree char *words = NULL;
		const char *found;

		file = ROWS[i].file;
		check = check_run(&source, "example.com", &OPTIONS, 0, NULL);
		words = findings_words(check->findings, FALSE);
		found = strstr(words, "mta_sts");
		if (*ROWS[i].want == '\0' ? found != NULL
					  : found == NULL || !g_str_has_prefix(found, ROWS[i].want))
			fail_msg("%s: %s", ROWS[i].file, words);
		check_free(check);
		zone_free(zone);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policies_are_read),
		cmocka_unit_test(a_wildcard_is_one_label),
		cmocka_unit_test(at_most_sts_mx_max_hosts_are_kept),
		cmocka_unit_test(each_mx_must_be_in_the_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
