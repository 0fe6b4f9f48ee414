/* test_selectors.c - which DKIM keys the check of a domain looks for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/dns/selectors.h"

static const struct check_selector *at(const GArray *selectors, guint i)
{
	return &g_array_index(selectors, struct check_selector, i);
}

/* How many times selector is among them: probed, or as seen in reports with that domain (NULL: any). */
static guint count(const GArray *selectors, const char *domain, const char *selector, gboolean probed)
{
	guint n = 0;

	for (guint i = 0; i < selectors->len; i++)
		if (at(selectors, i)->probed == probed && strcmp(at(selectors, i)->selector, selector) == 0 &&
		    (domain == NULL || g_strcmp0(at(selectors, i)->domain, domain) == 0))
			n++;
	return n;
}

static void selectors_of_reports_come_first_and_in_order(void **state G_GNUC_UNUSED)
{
	json_object *seen = json_tokener_parse("[{\"domain\":\"example.com\",\"selector\":\"s2026\"},"
					       "{\"domain\":\"mail.example.com\",\"selector\":\"a\"}]");
	g_autoptr(GArray) selectors = selectors_of(seen, "example.com");

	assert_true(selectors->len > 2);
	assert_string_equal(at(selectors, 0)->selector, "s2026");
	assert_string_equal(at(selectors, 0)->domain, "example.com");
	assert_false(at(selectors, 0)->probed);
	assert_string_equal(at(selectors, 1)->selector, "a");
	assert_string_equal(at(selectors, 1)->domain, "mail.example.com");
	assert_false(at(selectors, 1)->probed);
	assert_true(at(selectors, 2)->probed);
	json_object_put(seen);
}

static void usual_selectors_are_probed_once_each_for_the_domain_itself(void **state G_GNUC_UNUSED)
{
	static const char *const some[] = { "default", "google", "selector1", "selector2", "k1",
		"protonmail3" };
	g_autoptr(GArray) selectors = selectors_of(NULL, "example.com");

	for (gsize i = 0; i < G_N_ELEMENTS(some); i++)
		assert_int_equal(count(selectors, NULL, some[i], TRUE), 1);
	for (guint i = 0; i < selectors->len; i++) {
		assert_true(at(selectors, i)->probed);
		assert_null(at(selectors, i)->domain);
		assert_int_equal(count(selectors, NULL, at(selectors, i)->selector, TRUE), 1);
	}
	assert_true(selectors->len <= CHECK_SELECTORS_MAX);
}

static void a_usual_selector_that_reports_have_is_not_probed_too(void **state G_GNUC_UNUSED)
{
	json_object *seen = json_tokener_parse("[{\"domain\":\"example.com\",\"selector\":\"google\"}]");
	g_autoptr(GArray) selectors = selectors_of(seen, "example.com");

	assert_int_equal(count(selectors, "example.com", "google", FALSE), 1);
	assert_int_equal(count(selectors, NULL, "google", TRUE), 0);
	json_object_put(seen);
}

static void a_usual_selector_of_another_domain_is_still_probed(void **state G_GNUC_UNUSED)
{
	json_object *seen = json_tokener_parse("[{\"domain\":\"other.example\",\"selector\":\"google\"}]");
	g_autoptr(GArray) selectors = selectors_of(seen, "example.com");

	assert_int_equal(count(selectors, "other.example", "google", FALSE), 1);
	assert_int_equal(count(selectors, NULL, "google", TRUE), 1);
	json_object_put(seen);
}

static void what_is_no_list_of_selectors_adds_none(void **state G_GNUC_UNUSED)
{
	static const char *const odd[] = { "{}", "[]", "[{}]", "[{\"domain\":\"example.com\"}]",
		"[{\"selector\":null}]", "\"x\"" };
	g_autoptr(GArray) usual = selectors_of(NULL, "example.com");

	for (gsize i = 0; i < G_N_ELEMENTS(odd); i++) {
		json_object *seen = json_tokener_parse(odd[i]);
		g_autoptr(GArray) selectors = selectors_of(seen, "example.com");

		if (selectors->len != usual->len)
			fail_msg("%s: %u", odd[i], selectors->len);
		json_object_put(seen);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selectors_of_reports_come_first_and_in_order),
		cmocka_unit_test(usual_selectors_are_probed_once_each_for_the_domain_itself),
		cmocka_unit_test(a_usual_selector_that_reports_have_is_not_probed_too),
		cmocka_unit_test(a_usual_selector_of_another_domain_is_still_probed),
		cmocka_unit_test(what_is_no_list_of_selectors_adds_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
