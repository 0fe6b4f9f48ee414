/* Answers of DNS servers, and addresses. */
#include "server/dns/ip.h"
#include "server/dns/reply.h"
#include "tests/unit/dns/packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NAME "www.example"

static const guint8 IP4[] = { 192, 0, 2, 1 };

/* The answer in words: status, TTL, alias, records. */
static char *words_of(const GByteArray *packet, enum dns_type type)
{
	struct dns_answer answer;
	GString *words = g_string_new(NULL);

	reply_read(packet->data, packet->len, NAME, type, &answer);
	g_string_append_printf(
	    words, "%d %u%s", answer.status, answer.ttl, answer.alias == NULL ? "" : " alias");
	for (guint i = 0; i < answer.n_records; i++)
		g_string_append_printf(
		    words, " [%u %s]", answer.records[i].preference, answer.records[i].text);
	assert_true((answer.n_records > 0) == (answer.status == DNS_OK));
	dns_answer_clear(&answer);
	return g_string_free(words, FALSE);
}

static void check(GByteArray *packet, enum dns_type type, const char *want)
{
	g_autofree char *got = words_of(packet, type);

	assert_string_equal(got, want);
	g_byte_array_unref(packet);
}

static void records_are_read_by_type(void **state)
{
	/* two names, both the root; serial, refresh, retry, expire, minimum */
	static const guint8 SOA[22] = { 0, 0, 0xff, 0xff, 0xff, 0xff };
	static const guint8 IP6[] = { 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 };
	GByteArray *packet = packet_new(1, 0, NAME, DNS_A);

	(void)state;
	packet_answer(packet, NULL, DNS_A, 300, IP4, sizeof(IP4));
	packet_answer(packet, NULL, DNS_A, 200, IP4, sizeof(IP4));
	check(packet, DNS_A, "0 200 [0 192.0.2.1] [0 192.0.2.1]");

	packet = packet_new(1, 0, NAME, DNS_AAAA);
	packet_answer(packet, NULL, DNS_AAAA, 300, IP6, sizeof(IP6));
	check(packet, DNS_AAAA, "0 300 [0 2001:db8::1]");

	packet = packet_new(1, 0, NAME, DNS_MX);
	packet_answer_name(packet, NULL, DNS_MX, 300, 10, "Mail.Example");
	packet_answer_name(packet, NULL, DNS_MX, 300, 0, "");
	check(packet, DNS_MX, "0 300 [10 mail.example] [0 ]");

	packet = packet_new(1, 0, NAME, DNS_PTR);
	packet_answer_name(packet, NULL, DNS_PTR, 300, 0, "a.example");
	check(packet, DNS_PTR, "0 300 [0 a.example]");

	packet = packet_new(1, 0, NAME, DNS_NS);
	packet_answer_name(packet, NULL, DNS_NS, 300, 0, "NS.Example");
	check(packet, DNS_NS, "0 300 [0 ns.example]");

	packet = packet_new(1, 0, NAME, DNS_SOA);
	packet_answer(packet, NULL, DNS_SOA, 300, SOA, sizeof(SOA));
	check(packet, DNS_SOA, "0 300 [0 4294967295]");

	packet = packet_new(1, 0, NAME, DNS_SOA);
	packet_answer(packet, NULL, DNS_SOA, 300, SOA, 19);
	check(packet, DNS_SOA, "7 0");
}

static void records_of_dnssec_are_hex(void **state)
{
	GByteArray *packet = packet_new(1, 0, NAME, DNS_TLSA);

	(void)state;
	packet_answer(packet, NULL, DNS_TLSA, 300, "\3\1\1\xab\x0c", 5);
	packet_answer(packet, NULL, DNS_TLSA, 300, "\3", 1);
	packet_answer(packet, NULL, DNS_TLSA, 300, "", 0);
	check(packet, DNS_TLSA, "0 300 [0 030101ab0c] [0 03] [0 ]");

	packet = packet_new(1, 0, NAME, DNS_DS);
	packet_answer(packet, NULL, DNS_DS, 300, "\0\1\15\2\xff", 5);
	check(packet, DNS_DS, "0 300 [0 00010d02ff]");

	packet = packet_new(1, 0, NAME, DNS_DNSKEY);
	packet_answer(packet, NULL, DNS_DNSKEY, 300, "\1\1\3\15\xff", 5);
	check(packet, DNS_DNSKEY, "0 300 [0 0101030dff]");
}

static enum dns_status status_of(const GByteArray *packet, const char *name, enum dns_type type)
{
	struct dns_answer answer;

	reply_read(packet->data, packet->len, name, type, &answer);
	dns_answer_clear(&answer);
	return answer.status;
}

static void the_zone_itself_does_not_know_whether_it_has_a_ds(void **state)
{
	GByteArray *packet = packet_new(1, 0, "example", DNS_DS);

	(void)state;
	packet_soa(packet, 900, 70); /* of "example" */
	assert_int_equal(status_of(packet, "example", DNS_DS), DNS_ELSEWHERE);
	assert_int_equal(status_of(packet, "www.example", DNS_DS), DNS_NODATA);
	assert_int_equal(status_of(packet, "example", DNS_DNSKEY), DNS_NODATA);
	g_byte_array_unref(packet);
}

static gboolean is_authentic(guint rcode, gboolean said)
{
	GByteArray *packet = packet_new(1, rcode, NAME, DNS_A);
	struct dns_answer answer;

	if (said)
		packet_authentic(packet);
	packet_answer(packet, NULL, DNS_A, 300, IP4, sizeof(IP4));
	reply_read(packet->data, packet->len, NAME, DNS_A, &answer);
	dns_answer_clear(&answer);
	g_byte_array_unref(packet);
	return answer.authentic;
}

static void an_answer_is_authentic_if_the_server_says_so_and_has_not_failed(void **state)
{
	(void)state;
	assert_true(is_authentic(0, TRUE));
	assert_false(is_authentic(0, FALSE));
	assert_true(is_authentic(3, TRUE));
	assert_false(is_authentic(2, TRUE));
	assert_false(is_authentic(5, TRUE));
}

static void strings_of_a_txt_record_are_joined(void **state)
{
	GByteArray *packet = packet_new(1, 0, NAME, DNS_TXT);

	(void)state;
	packet_answer(packet, NULL, DNS_TXT, 60, "\6v=spf1\5 -all\0", 13);
	packet_answer(packet, NULL, DNS_TXT, 60, "\0", 1);
	check(packet, DNS_TXT, "0 60 [0 v=spf1 -all] [0 ]");
}

/* What could end a text early, or drive a terminal, is seen. */
static void control_characters_are_replaced(void **state)
{
	GByteArray *packet = packet_new(1, 0, NAME, DNS_TXT);

	(void)state;
	packet_answer(packet, NULL, DNS_TXT, 60, "\11a\0b\033c\xff\td\n", 10);
	check(packet, DNS_TXT,
	    "0 60 [0 a\xef\xbf\xbd"
	    "b\xef\xbf\xbd"
	    "c\xef\xbf\xbd\td\n]");
}

static void aliases_are_followed(void **state)
{
	GByteArray *packet = packet_new(1, 0, NAME, DNS_A);

	(void)state;
	packet_answer_name(packet, NULL, 5, 100, 0, "a.example");
	packet_answer_name(packet, "A.Example", 5, 50, 0, "b.example");
	packet_answer(packet, "b.example", DNS_A, 300, IP4, sizeof(IP4));
	check(packet, DNS_A, "0 50 alias [0 192.0.2.1]");

	packet = packet_new(1, 0, NAME, DNS_A);
	packet_answer_name(packet, NULL, 5, 100, 0, "a.example");
	packet_soa(packet, 900, 70);
	check(packet, DNS_A, "1 70 alias");

	packet = packet_new(1, 0, NAME, DNS_A);
	packet_answer_name(packet, NULL, 5, 100, 0, NAME);
	check(packet, DNS_A, "1 0 alias");
}

static void records_of_other_names_and_types_are_passed_over(void **state)
{
	GByteArray *packet = packet_new(1, 0, NAME, DNS_A);

	(void)state;
	packet_answer(packet, "other.example", DNS_A, 300, IP4, sizeof(IP4));
	packet_answer_text(packet, 300, "x");
	check(packet, DNS_A, "1 0");
}

/* A server that asks no others: a reference to another zone, and an alias that leads there. */
static void answers_of_other_zones_are_elsewhere(void **state)
{
	GByteArray *packet = packet_new(1, 0, NAME, DNS_A);

	(void)state;
	packet_no_recursion(packet);
	packet_ns(packet, "ns.example");
	check(packet, DNS_A, "10 0");

	packet = packet_new(1, 0, NAME, DNS_A);
	packet_no_recursion(packet);
	packet_answer_name(packet, NULL, 5, 100, 0, "a.other");
	check(packet, DNS_A, "10 0 alias");

	packet = packet_new(1, 0, NAME, DNS_A);
	packet_no_recursion(packet);
	packet_soa(packet, 900, 70);
	check(packet, DNS_A, "1 70");

	packet = packet_new(1, 0, NAME, DNS_A); /* a resolver knows that there is no more */
	packet_answer_name(packet, NULL, 5, 100, 0, "a.other");
	check(packet, DNS_A, "1 0 alias");
}

static void codes_are_told(void **state)
{
	GByteArray *packet = packet_new(1, 3, NAME, DNS_A);

	(void)state;
	packet_soa(packet, 900, 60);
	check(packet, DNS_A, "2 60");
	packet = packet_new(1, 0, NAME, DNS_A);
	packet_soa(packet, 30, 60);
	check(packet, DNS_A, "1 30");
	check(packet_new(1, 2, NAME, DNS_A), DNS_A, "3 0");
	check(packet_new(1, 5, NAME, DNS_A), DNS_A, "4 0");
	check(packet_new(1, 4, NAME, DNS_A), DNS_A, "3 0");
}

static void what_is_no_answer_is_malformed(void **state)
{
	GByteArray *packet = packet_new(1, 0, NAME, DNS_A);
	guint whole, owner;

	(void)state;
	packet_answer(packet, NULL, DNS_A, 300, IP4, sizeof(IP4));
	packet_soa(packet, 1, 1);
	whole = packet->len;
	for (guint size = 0; size < whole; size++) {
		struct dns_answer answer;
		g_autofree guint8 *exact = g_memdup2(packet->data, size);

		reply_read(exact, size, NAME, DNS_A, &answer);
		assert_int_equal(answer.status, DNS_MALFORMED);
		dns_answer_clear(&answer);
	}
	packet->data[2] &= 0x7f; /* a question */
	check(packet, DNS_A, "7 0");

	packet = packet_new(1, 0, NAME, DNS_A);
	packet_answer(packet, NULL, DNS_A, 300, IP4, 3);
	check(packet, DNS_A, "7 0");
	packet = packet_new(1, 0, NAME, DNS_TXT);
	packet_answer(packet, NULL, DNS_TXT, 300, "\5abc", 4);
	check(packet, DNS_TXT, "7 0");
	packet = packet_new(1, 0, NAME, DNS_MX);
	packet_answer(packet, NULL, DNS_MX, 300, "\0", 1);
	check(packet, DNS_MX, "7 0");
	packet = packet_new(1, 0, NAME, DNS_PTR);
	packet_answer(packet, NULL, DNS_PTR, 300, "\xc0\xff", 2); /* a pointer behind the end */
	check(packet, DNS_PTR, "7 0");
	packet = packet_new(1, 0, NAME, DNS_PTR);
	packet_answer(packet, NULL, DNS_PTR, 300, "", 0);
	check(packet, DNS_PTR, "7 0");
	packet = packet_new(1, 0, NAME, DNS_A);
	packet_answer(packet, NULL, DNS_A, 0, IP4, sizeof(IP4));
	owner = packet->len;
	packet_answer(packet, NULL, DNS_A, 300, IP4, sizeof(IP4));
	packet->data[owner + 1] = (guint8)owner; /* a pointer to itself */
	check(packet, DNS_A, "7 0");
}

static void dns_records_max_records_are_kept(void **state)
{
	for (guint n = DNS_RECORDS_MAX - 1; n <= DNS_RECORDS_MAX + 1; n++) {
		GByteArray *packet = packet_new(1, 0, NAME, DNS_A);
		struct dns_answer answer;

		for (guint i = 0; i < n; i++)
			packet_answer(packet, NULL, DNS_A, 300, IP4, sizeof(IP4));
		packet->data[6] = (guint8)(n >> 8);
		packet->data[7] = (guint8)n;
		reply_read(packet->data, packet->len, NAME, DNS_A, &answer);
		assert_int_equal(answer.n_records, MIN(n, DNS_RECORDS_MAX));
		dns_answer_clear(&answer);
		g_byte_array_unref(packet);
	}
	(void)state;
}

/* A name with signs that have a meaning in zone files is the one that was asked for. */
static void odd_names_are_found_again(void **state)
{
	static const char *const NAMES[] = { "joe@example.com", "a$b(c);\"d.example", "x_y.example",
		"a b.example" };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(NAMES); i++) {
		GByteArray *packet = packet_new(1, 0, NAMES[i], DNS_A);
		struct dns_answer answer;

		packet_answer(packet, NULL, DNS_A, 300, IP4, sizeof(IP4));
		assert_true(dns_name_is_good(NAMES[i]));
		reply_read(packet->data, packet->len, NAMES[i], DNS_A, &answer);
		assert_int_equal(answer.n_records, 1);
		dns_answer_clear(&answer);
		g_byte_array_unref(packet);
	}
}

static void names_that_can_be_asked_for(void **state)
{
	g_autofree char *label = g_strnfill(63, 'x');
	g_autofree char *longest = g_strdup_printf("%s.%s.%s.%.61s", label, label, label, label);
	g_autofree char *longer = g_strdup_printf("%s.%s.%s.%.62s", label, label, label, label);
	g_autofree char *label64 = g_strconcat(label, "x", NULL);

	(void)state;
	assert_true(dns_name_is_good("com"));
	assert_true(dns_name_is_good("_dmarc.example.com"));
	assert_true(dns_name_is_good(label));
	assert_true(dns_name_is_good("% %20.example.com"));
	assert_true(dns_name_is_good(longest));
	assert_false(dns_name_is_good(longer));
	assert_false(dns_name_is_good(label64));
	assert_false(dns_name_is_good(""));
	assert_false(dns_name_is_good("."));
	assert_false(dns_name_is_good("example.com."));
	assert_false(dns_name_is_good(".example.com"));
	assert_false(dns_name_is_good("a..b"));
	assert_false(dns_name_is_good("a\\b"));
	assert_false(dns_name_is_good("\xc3\xa4.example"));
	assert_true(dns_name_is_host("a-b_c.example"));
	assert_false(dns_name_is_host("a@b.example"));
	assert_false(dns_name_is_host("a/b.example"));
}

/* -- addresses -- */

static void networks_contain_what_is_in_them(void **state)
{
	static const struct {
		const char *outer, *inner;
		guint bits;
		gboolean want;
	} rows[] = {
		{ "192.0.2.0", "192.0.2.255", 24, TRUE },
		{ "192.0.2.0", "192.0.3.0", 24, FALSE },
		{ "192.0.2.128", "192.0.2.127", 25, FALSE },
		{ "192.0.2.128", "192.0.2.128", 25, TRUE },
		{ "0.0.0.0", "255.255.255.255", 0, TRUE },
		{ "0.0.0.0", "::", 0, FALSE },
		{ "2001:db8::", "2001:db8:ffff::1", 32, TRUE },
		{ "2001:db8::", "2001:db8:8000::", 33, FALSE },
		{ "::ffff:192.0.2.1", "192.0.2.1", 32, TRUE },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct ip_range outer, inner;

		assert_true(ip_parse(rows[i].outer, &outer));
		assert_true(ip_parse(rows[i].inner, &inner));
		outer = ip_network(outer, rows[i].bits);
		assert_true(ip_contains(&outer, &inner) == rows[i].want);
	}
}

/* Each address is in exactly one of the parts: what was taken, or what is left. */
static void what_is_left_of_a_network_is_the_rest(void **state)
{
	struct ip_range whole, part;
	g_autoptr(GArray) rest = g_array_new(FALSE, FALSE, sizeof(struct ip_range));

	(void)state;
	assert_true(ip_parse("192.0.2.0", &whole));
	whole = ip_network(whole, 24);
	assert_true(ip_parse("192.0.2.77", &part));
	ip_subtract(&whole, &part, rest);
	assert_int_equal(rest->len, 8);
	for (guint i = 0; i < 256; i++) {
		struct ip_range ip = part;
		guint in = 0;

		ip.bytes[3] = (guint8)i;
		for (guint j = 0; j < rest->len; j++)
			in += ip_contains(&g_array_index(rest, struct ip_range, j), &ip) ? 1 : 0;
		assert_int_equal(in, i == 77 ? 0 : 1);
	}
}

static void addresses_are_printed_and_reversed(void **state)
{
	struct ip_range ip4, ip6;
	char text[IP_TEXT_SIZE];
	g_autofree char *reverse4 = NULL, *reverse6 = NULL;

	(void)state;
	assert_true(ip_parse("192.0.2.1", &ip4));
	assert_true(ip_parse("2001:DB8::cb01", &ip6));
	assert_false(ip_parse("192.0.2", &ip4));
	assert_false(ip_parse_sized("2001:db8::1", 4, &ip4));
	ip_print(&ip6, text);
	assert_string_equal(text, "2001:db8::cb01");
	ip_print_range(&ip4, text);
	assert_string_equal(text, "192.0.2.1/32");
	reverse4 = ip_reverse_name(&ip4);
	reverse6 = ip_reverse_name(&ip6);
	assert_string_equal(reverse4, "1.2.0.192.in-addr.arpa");
	assert_string_equal(
	    reverse6, "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_read_by_type),
		cmocka_unit_test(records_of_dnssec_are_hex),
		cmocka_unit_test(the_zone_itself_does_not_know_whether_it_has_a_ds),
		cmocka_unit_test(an_answer_is_authentic_if_the_server_says_so_and_has_not_failed),
		cmocka_unit_test(strings_of_a_txt_record_are_joined),
		cmocka_unit_test(control_characters_are_replaced),
		cmocka_unit_test(aliases_are_followed),
		cmocka_unit_test(records_of_other_names_and_types_are_passed_over),
		cmocka_unit_test(answers_of_other_zones_are_elsewhere),
		cmocka_unit_test(codes_are_told),
		cmocka_unit_test(what_is_no_answer_is_malformed),
		cmocka_unit_test(dns_records_max_records_are_kept),
		cmocka_unit_test(odd_names_are_found_again),
		cmocka_unit_test(names_that_can_be_asked_for),
		cmocka_unit_test(networks_contain_what_is_in_them),
		cmocka_unit_test(what_is_left_of_a_network_is_the_rest),
		cmocka_unit_test(addresses_are_printed_and_reversed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
