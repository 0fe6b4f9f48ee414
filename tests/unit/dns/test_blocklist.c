/* test_blocklist.c - block lists: their file, the names that are asked for, and what answers mean. */
#include "server/dns/blocklist.h"
#include "tests/unit/dns/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LIST                                                                                                 \
	"[bl.example]\nof = ip4 ip6 domain\ntest = 2.0.0.127\n127.0.0.2 = spam\nbit.4 = four\nbit.8 = "      \
	"eight\n"                                                                                            \
	"refused.127.0.0.99 = not for you\n"
#define TEST "2.0.0.127.bl.example A 127.0.0.2\n"

/* What the list says of an address (or NULL) and example.com: "status why; subject codes words text". */
static char *ask(const char *lines, const char *address)
{
	GPtrArray *lists = blocklists_read(LIST, NULL), *results;
	g_autoptr(GArray) addresses = g_array_new(FALSE, FALSE, sizeof(struct ip_range));
	struct zone *zone = zone_new(lines);
	struct dns_source source = zone_source(zone);
	GString *words = g_string_new(NULL);
	const struct blocklist_result *result;
	struct ip_range ip;

	if (address != NULL) {
		assert_true(ip_parse(address, &ip));
		g_array_append_val(addresses, ip);
	}
	results = blocklists_ask(&source, lists, addresses, "example.com");
	assert_int_equal(results->len, 1);
	result = g_ptr_array_index(results, 0);
	g_string_append(words, blocklist_status_word(result->status));
	if (result->why != NULL)
		g_string_append_printf(words, " %s", result->why);
	for (guint i = 0; i < result->found->len; i++) {
		const struct blocklist_entry *entry = g_ptr_array_index(result->found, i);

		g_string_append_printf(words, "; %s %s %s%s%s", entry->subject, entry->codes, entry->words,
		    entry->text == NULL ? "" : " ", entry->text == NULL ? "" : entry->text);
	}
	g_ptr_array_unref(results);
	g_ptr_array_unref(lists);
	zone_free(zone);
	return g_string_free(words, FALSE);
}

static void an_answer_is_clean_listed_or_nothing(void **state)
{
	static const struct {
		const char *name, *zone, *address, *want;
	} ROWS[] = {
		{ "clean", TEST, "192.0.2.1", "ok" },
		{ "IPv4", TEST "1.2.0.192.bl.example A 127.0.0.2\n1.2.0.192.bl.example TXT why", "192.0.2.1",
		    "ok; 192.0.2.1 127.0.0.2 spam why" },
		{ "IPv6",
		    TEST
		    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.example A 127.0.0.2",
		    "2001:db8::1", "ok; 2001:db8::1 127.0.0.2 spam" },
		{ "a domain, by bits", TEST "example.com.bl.example A 127.0.0.12", NULL,
		    "ok; example.com 127.0.0.12 four; eight" },
		{ "a code without words", TEST "1.2.0.192.bl.example A 127.0.0.3", "192.0.2.1",
		    "ok; 192.0.2.1 127.0.0.3 listed" },
		{ "a private address is not asked for", TEST "1.0.0.10.bl.example A 127.0.0.2", "10.0.0.1",
		    "ok" },
		{ "no test entry", "1.2.0.192.bl.example A 127.0.0.2", "192.0.2.1",
		    "unusable it does not have the test entry that each list has: it is closed, or refuses "
		    "without "
		    "saying so" },
		{ "everything is listed", "*.bl.example A 127.0.0.2", "192.0.2.1",
		    "unusable it has an entry that no list may have: it lists everything" },
		{ "a domain for sale", "*.bl.example A 192.0.2.80", "192.0.2.1",
		    "unusable it answers with addresses outside of 127.0.0.0/8" },
		{ "refused by a code of its own", "*.bl.example A 127.0.0.99", "192.0.2.1",
		    "refused not for you" },
		{ "refused by the usual code", "*.bl.example A 127.255.255.254", "192.0.2.1",
		    "refused by an error code" },
		{ "refused in the middle", TEST "1.2.0.192.bl.example A 127.255.255.255", "192.0.2.1",
		    "refused by an error code" },
		{ "refused by the DNS", "*.bl.example A !refused", "192.0.2.1",
		    "refused the DNS server refused to say" },
		{ "no answer", "*.bl.example A !timeout", "192.0.2.1",
		    "failed no DNS server answered in time" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		g_autofree char *got = ask(ROWS[i].zone, ROWS[i].address);

		if (strcmp(got, ROWS[i].want) != 0)
			fail_msg("%s: %s", ROWS[i].name, got);
	}
}

static void the_lists_that_ruad_knows_can_be_read(void **state)
{
	GPtrArray *lists = blocklists_own();

	(void)state;
	assert_true(lists->len >= 10);
	for (guint i = 0; i < lists->len; i++) {
		const struct blocklist *list = g_ptr_array_index(lists, i);

		assert_true(list->url != NULL && list->terms != NULL);
		assert_true(list->of_domains != (list->of_ip4 || list->of_ip6));
		assert_true(g_hash_table_size(list->words) > 0);
	}
	g_ptr_array_unref(lists);
}

static void a_wrong_file_is_refused(void **state)
{
	static const char *const TEXTS[] = { "of = ip4", "[bl.example]\nof = ip5\n",
		"[bl.example]\nname = x\n", "[bl.example]\nof = ip4\n128.0.0.2 = x\n",
		"[bl.example]\nof = ip4\nbit.0 = x\n", "[b l]\nof = ip4\n", "[bl]\nof = ip4\n" };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(TEXTS); i++) {
		g_autoptr(GError) error = NULL;

		assert_null(blocklists_read(TEXTS[i], &error));
		assert_non_null(error);
	}
}

static void a_file_has_at_most_blocklists_max_lists(void **state)
{
	g_autoptr(GString) text = g_string_new(NULL);

	(void)state;
	for (guint n = 1; n <= BLOCKLISTS_MAX + 1; n++) {
		GPtrArray *lists;

		g_string_append_printf(text, "[bl%u.example]\nof = ip4\n", n);
		lists = blocklists_read(text->str, NULL);
		assert_int_equal(lists != NULL, n <= BLOCKLISTS_MAX);
		if (lists != NULL)
			g_ptr_array_unref(lists);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_clean_listed_or_nothing),
		cmocka_unit_test(the_lists_that_ruad_knows_can_be_read),
		cmocka_unit_test(a_wrong_file_is_refused),
		cmocka_unit_test(a_file_has_at_most_blocklists_max_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
