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
	"[bl.example]\nof = ip4 ip6 domain\ntest = 2.0.0.127\n127.0.0.2 = spam\nbit.1 = one\nbit.128 = "     \
	"last\nbit.4 = four\nbit.8 = "                                                                       \
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
		{ "the lowest and the highest bit", TEST "1.2.0.192.bl.example A 127.0.0.129", "192.0.2.1",
		    "ok; 192.0.2.1 127.0.0.129 one; last" },
		{ "two codes", TEST "1.2.0.192.bl.example A 127.0.0.2\n1.2.0.192.bl.example A 127.0.0.4",
		    "192.0.2.1", "ok; 192.0.2.1 127.0.0.2 127.0.0.4 spam; four" },
		{ "an answer that is no address", TEST "1.2.0.192.bl.example A x", "192.0.2.1",
		    "unusable it answers with addresses outside of 127.0.0.0/8" },
		{ "an address of the other kind", TEST "1.2.0.192.bl.example A ::7f00:2", "192.0.2.1",
		    "unusable it answers with addresses outside of 127.0.0.0/8" },
		{ "nearly an error code", TEST "1.2.0.192.bl.example A 127.255.254.255", "192.0.2.1",
		    "ok; 192.0.2.1 127.255.254.255 one; four; eight; last" },
		{ "neither is it one", TEST "1.2.0.192.bl.example A 127.254.255.2", "192.0.2.1",
		    "ok; 192.0.2.1 127.254.255.2 listed" },
		{ "no answer about what none may have", TEST "1.0.0.127.bl.example A !timeout", "192.0.2.1",
		    "failed no DNS server answered in time" },
		{ "a code without words", TEST "1.2.0.192.bl.example A 127.0.0.16", "192.0.2.1",
		    "ok; 192.0.2.1 127.0.0.16 listed" },
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
		"[bl.example]\nof = ip4\nbit.0 = x\n", "[bl.example]\nof = ip4\nbit.129 = x\n",
		"[bl.example]\nof = ip4\n126.0.0.2 = x\n", "[bl.example]\nof = ip4\n::7f00:2 = x\n",
		"[b l]\nof = ip4\n", "[bl]\nof = ip4\n" };

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

/* One list, as "zone name url terms test 468": what it has addresses and domains of. Transfer full. */
static char *list_words(const char *text)
{
	GPtrArray *lists = blocklists_read(text, NULL);
	const struct blocklist *list;
	char *words;

	assert_non_null(lists);
	assert_int_equal(lists->len, 1);
	list = g_ptr_array_index(lists, 0);
	words = g_strdup_printf("%s %s %s %s %s %s%s%s", list->zone, list->name,
	    list->url == NULL ? "-" : list->url, list->terms == NULL ? "-" : list->terms, list->test,
	    list->of_ip4 ? "4" : "", list->of_ip6 ? "6" : "", list->of_domains ? "d" : "");
	g_ptr_array_unref(lists);
	return words;
}

static void a_list_has_defaults(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "[BL.example]\nof=ip4\n", "bl.example bl.example - - 2.0.0.127 4" },
		{ "[bl.example]\nof=ip4,ip6\n", "bl.example bl.example - - 2.0.0.127 46" },
		{ "[bl.example]\nof= ip6 , ip6\n", "bl.example bl.example - - 2.0.0.127 6" },
		{ "[bl.example]\nof=domain\n", "bl.example bl.example - - test d" },
		{ "[bl.example]\nof=domain ip4\ntest=x\nname=One\nurl=u\nterms=t\n",
		    "bl.example One u t x 4d" },
		{ "[bl.example]\nof=domain\nbit.1=a\nbit.128=b\n127.0.0.2=c\nrefused.127.1.2.3=d\n",
		    "bl.example bl.example - - test d" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = list_words(rows[i].text);

		assert_string_equal(got, rows[i].want);
	}
}

/* What is asked of a list: the subjects that it has, and the entry that none may have. */
static void a_list_is_asked_about_what_it_has(void **state)
{
	static const struct {
		const char *of, *asked;
		guint n;
	} rows[] = {
		{ "ip4", "A 2.0.0.127.bl.example, A 1.0.0.127.bl.example, A 1.2.0.192.bl.example", 1 },
		{ "ip6",
		    "A 2.0.0.127.bl.example, A 1.0.0.127.bl.example, A "
		    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.example",
		    1 },
		{ "domain", "A test.bl.example, A invalid.bl.example, A example.com.bl.example", 1 },
		{ "domain ip4",
		    "A test.bl.example, A 1.0.0.127.bl.example, A 1.2.0.192.bl.example, A "
		    "example.com.bl.example",
		    2 },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strdup_printf("[bl.example]\nof=%s\nurl=u\nterms=t\n", rows[i].of);
		g_autofree char *unexpected = NULL, *unasked = NULL;
		GPtrArray *lists = blocklists_read(text, NULL), *results;
		g_autoptr(GArray) addresses = g_array_new(FALSE, FALSE, sizeof(struct ip_range));
		struct zone *zone = zone_new("test.bl.example A 127.0.0.2\n2.0.0.127.bl.example A 127.0.0.2");
		struct dns_source source = zone_source(zone);
		const struct blocklist_result *result;
		struct ip_range ip4, ip6;

		assert_true(ip_parse("192.0.2.1", &ip4));
		assert_true(ip_parse("2001:db8::1", &ip6));
		g_array_append_val(addresses, ip4);
		g_array_append_val(addresses, ip6);
		results = blocklists_ask(&source, lists, addresses, "example.com");
		result = g_ptr_array_index(results, 0);
		assert_string_equal(zone_asked(zone), rows[i].asked);
		assert_int_equal(result->asked, rows[i].n);
		assert_string_equal(result->zone, "bl.example");
		assert_string_equal(result->name, "bl.example");
		assert_string_equal(result->url, "u");
		assert_string_equal(result->terms, "t");
		unexpected = zone_unexpected(zone);
		unasked = zone_unasked(zone);
		assert_string_equal(unexpected, "");
		assert_string_equal(unasked, "");
		g_ptr_array_unref(results);
		g_ptr_array_unref(lists);
		zone_free(zone);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_clean_listed_or_nothing),
		cmocka_unit_test(the_lists_that_ruad_knows_can_be_read),
		cmocka_unit_test(a_wrong_file_is_refused),
		cmocka_unit_test(a_list_has_defaults),
		cmocka_unit_test(a_list_is_asked_about_what_it_has),
		cmocka_unit_test(a_file_has_at_most_blocklists_max_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
