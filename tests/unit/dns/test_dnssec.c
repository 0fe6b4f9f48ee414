/* DNSSEC of a zone, TLSA records of its mail hosts, and BIMI, over zones in memory. */
#include "server/dns/check.h"
#include "tests/unit/dns/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SHA256   "1111111111111111111111111111111111111111111111111111111111111111"
#define DOMAIN   "example.com NS a.ns.example\nexample.com NS b.ns.example\nexample.com TXT v=spf1 -all\n"
#define SOA      DOMAIN "example.com SOA 1\n"
#define SAFE_SOA DOMAIN "example.com SOA+AD 1\n. SOA+AD 1\n"
/* A key, and its DS by SHA-256 (type 2) and SHA-1 (1). */
#define KEY     "example.com DNSKEY 0101030dabababababababab\n"
#define DS_256  "example.com DS 30390d02ee02c97325ca00091775f8708a1da3d33f4aa621d80c6a01314df0543a5ec4d8\n"
#define DS_SHA1 "example.com DS 30390d01c16ef275e4b0e4b3a40171826826594524adfc57\n"
#define DS_ODD  "example.com DS 30390d63ffff\n" /* a kind of digest that nobody knows */
#define DS_CUT  "example.com DS 30390d\n"
#define DS_ELSE "example.com DS 30390d02" SHA256 "\n"

static struct check *run(const char *lines, struct zone **zone)
{
	static const struct check_options NONE = { 0 };
	struct dns_source source;
	struct check *check;

	*zone = zone_new(lines);
	source = zone_source(*zone);
	check = check_run(&source, "example.com", &NONE, 0, NULL);
	assert_non_null(check);
	return check;
}

/* The codes that begin so, with blanks between. Transfer full. */
static char *codes_of(struct check *check, const char *prefix)
{
	GString *words = g_string_new(NULL);

	for (guint i = 0; i < findings_count(check->findings); i++) {
		const char *word = finding_code_word(findings_get(check->findings, i)->code);

		if (g_str_has_prefix(word, prefix))
			g_string_append_printf(words, "%s%s", words->len > 0 ? " " : "", word);
	}
	return g_string_free(words, FALSE);
}

static void a_zone_is_signed_or_not_as_far_as_the_server_can_say(void **state)
{
	static const struct {
		const char *name, *zone, *is_signed, *validated, *findings;
	} ROWS[] = {
		{ "validated", SAFE_SOA DS_256 KEY, "yes", "yes", "" },
		{ "validated, and DS unknown here", SAFE_SOA "example.com DS !timeout", "yes", "yes", "" },
		{ "a validating server, and no DS", SOA ". SOA+AD 1", "no", "no", "" },
		{ "a validating server could not", SOA DS_256 KEY ". SOA+AD 1", "yes", "no", "" },
		{ "a server that checks nothing, and no DS", SOA ". SOA 1", "no", "unknown", "" },
		{ "a server that checks nothing, and a DS", SOA DS_256 KEY ". SOA 1", "yes", "unknown", "" },
		{ "a DS by SHA-1", SOA DS_SHA1 KEY ". SOA 1", "yes", "unknown", "" },
		{ "a DS and no key", SOA DS_256 ". SOA 1", "yes", "unknown", "dnssec_broken" },
		{ "a DS of another key", SOA DS_ELSE KEY ". SOA 1", "yes", "unknown", "dnssec_broken" },
		{ "one of two DS", SOA DS_ELSE DS_256 KEY ". SOA 1", "yes", "unknown", "" },
		{ "an unknown digest", SOA DS_ODD KEY ". SOA 1", "yes", "unknown", "" },
		{ "a cut DS", SOA DS_CUT KEY ". SOA 1", "yes", "unknown", "dnssec_broken" },
		{ "keys that cannot be looked up", SOA DS_256 ". SOA 1\nexample.com DNSKEY !servfail", "yes",
		    "unknown", "" },
		{ "the root cannot be looked up", SOA ". SOA !timeout", "no", "unknown", "" },
		{ "the DS cannot be looked up", SOA "example.com DS !timeout\n. SOA 1", "unknown", "unknown",
		    "" },
		{ "no zone", "example.com TXT v=spf1 -all\n. SOA+AD 1", "unknown", "unknown", "" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		struct zone *zone;
		struct check *check = run(ROWS[i].zone, &zone);
		g_autofree char *found = codes_of(check, "dnssec_");

		if (strcmp(check_known_word(check->is_signed), ROWS[i].is_signed) != 0 ||
		    strcmp(check_known_word(check->validated), ROWS[i].validated) != 0 ||
		    strcmp(found, ROWS[i].findings) != 0)
			fail_msg("%s: %s %s (%s)", ROWS[i].name, check_known_word(check->is_signed),
			    check_known_word(check->validated), found);
		check_free(check);
		zone_free(zone);
	}
}

#define MX       SAFE_SOA "example.com MX+AD 10 m.example.com\nm.example.com A+AD 192.0.2.1\n"
#define TLSA     MX "_25._tcp.m.example.com TLSA+AD "
#define BLIND_MX SOA ". SOA 1\nexample.com MX 10 m.example.com\nm.example.com A 192.0.2.1\n"

static void tlsa_records_count_if_they_are_valid_and_authentic(void **state)
{
	static const struct {
		const char *name, *zone, *usable, *authentic, *findings;
	} ROWS[] = {
		{ "none", MX, "", "unknown", "" },
		{ "3 1 1", TLSA "030101" SHA256, "1", "yes", "" },
		{ "2 0 2", TLSA "020002" SHA256 SHA256, "1", "yes", "" },
		{ "3 0 0", TLSA "0300003082abcd", "1", "yes", "" },
		{ "two", TLSA "030101" SHA256 "\n_25._tcp.m.example.com TLSA+AD 020101" SHA256, "11", "yes",
		    "" },
		{ "one of two", TLSA "030101" SHA256 "\n_25._tcp.m.example.com TLSA+AD 010101" SHA256, "10",
		    "yes", "tlsa_invalid" },
		{ "usage 0", TLSA "000101" SHA256, "0", "yes", "tlsa_invalid" },
		{ "usage 1", TLSA "010101" SHA256, "0", "yes", "tlsa_invalid" },
		{ "usage 4", TLSA "040101" SHA256, "0", "yes", "tlsa_invalid" },
		{ "usage 255", TLSA "ff0101" SHA256, "0", "yes", "tlsa_invalid" },
		{ "selector 2", TLSA "030201" SHA256, "0", "yes", "tlsa_invalid" },
		{ "matching type 3", TLSA "030103" SHA256, "0", "yes", "tlsa_invalid" },
		{ "a digit too few", TLSA "03010111", "0", "yes", "tlsa_invalid" },
		{ "SHA-256 said to be SHA-512", TLSA "030102" SHA256, "0", "yes", "tlsa_invalid" },
		{ "SHA-256 said to be a certificate", TLSA "030100" SHA256, "0", "yes", "tlsa_invalid" },
		{ "no data", TLSA "030101", "0", "yes", "tlsa_invalid" },
		{ "no fields", TLSA "03", "0", "yes", "tlsa_invalid" },
		{ "not authentic", MX "_25._tcp.m.example.com TLSA 030101" SHA256, "1", "no",
		    "tlsa_insecure" },
		{ "a server that checks nothing", BLIND_MX "_25._tcp.m.example.com TLSA 030101" SHA256, "1",
		    "unknown", "" },
		{ "no answer", MX "_25._tcp.m.example.com TLSA !servfail", "", "unknown", "tlsa_failed" },
		{ "no answer, as from servers of old", BLIND_MX "_25._tcp.m.example.com TLSA !servfail", "",
		    "unknown", "" },
		{ "an MX that is not signed",
		    SOA ". SOA+AD 1\nexample.com MX 10 m.h.example\nm.h.example A+AD 192.0.2.1\n"
			"_25._tcp.m.h.example TLSA+AD 030101" SHA256,
		    "1", "yes", "tlsa_mx" },
		{ "one host of two", TLSA "030101" SHA256 "\nexample.com MX+AD 20 n.example.com", "1", "yes",
		    "tlsa_partial" },
		{ "the null MX", SAFE_SOA "example.com MX+AD 0 .", "", "unknown", "" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		struct zone *zone;
		struct check *check = run(ROWS[i].zone, &zone);
		const struct check_mx *mx = g_ptr_array_index(check->mx, 0);
		g_autofree char *found = codes_of(check, "tlsa_");
		g_autoptr(GString) usable = g_string_new(NULL);

		for (guint j = 0; mx->tlsa != NULL && j < mx->tlsa->len; j++)
			g_string_append_c(usable,
			    ((struct check_tlsa *)g_ptr_array_index(mx->tlsa, j))->usable ? '1' : '0');
		if (strcmp(usable->str, ROWS[i].usable) != 0 ||
		    strcmp(check_known_word(mx->tlsa_authentic), ROWS[i].authentic) != 0 ||
		    strcmp(found, ROWS[i].findings) != 0)
			fail_msg("%s: %s %s (%s)", ROWS[i].name, usable->str,
			    check_known_word(mx->tlsa_authentic), found);
		check_free(check);
		zone_free(zone);
	}
}

static void a_tlsa_record_that_is_ignored_is_named_by_its_numbers(void **state)
{
	struct zone *zone;
	struct check *check = run(TLSA "ff120a" SHA256, &zone);
	gboolean said = FALSE;

	(void)state;
	for (guint i = 0; i < findings_count(check->findings); i++) {
		const struct finding *finding = findings_get(check->findings, i);
		said |= strstr(finding->text, "the TLSA record \"255 18 10 ...\" of m.example.com") != NULL;
	}
	assert_true(said);
	check_free(check);
	zone_free(zone);
}

#define REJECT "example.com TXT v=spf1 -all\n_dmarc.example.com TXT v=DMARC1; p=reject\n"
#define VMC    "https://example.com/vmc.pem"
#define LOGO   "default._bimi.example.com TXT v=BIMI1; a=" VMC "; l=https://example.com/logo.svg"

static void bimi_is_a_note_at_most(void **state)
{
	static const struct {
		const char *name, *zone, *location, *authority, *findings;
	} ROWS[] = {
		{ "none", REJECT, "-", "-", "" },
		{ "another record there", REJECT "*.example.com TXT v=spf1 -all", "-", "-", "" },
		{ "a logo", REJECT LOGO, "https://example.com/logo.svg", VMC, "" },
		{ "without evidence",
		    REJECT "default._bimi.example.com TXT v=BIMI1; l=https://example.com/l.svg",
		    "https://example.com/l.svg", "-", "bimi_evidence" },
		{ "tags without effect", REJECT LOGO "; x=y; l=", "https://example.com/logo.svg", VMC,
		    "bimi_tag bimi_tag" },
		{ "no logo, and said so", REJECT "default._bimi.example.com TXT v=BIMI1; l=; a=;", "", "",
		    "" },
		{ "no l", REJECT "default._bimi.example.com TXT v=BIMI1;", "-", "-", "bimi_invalid" },
		{ "http", REJECT "default._bimi.example.com TXT v=BIMI1; l=http://example.com/l.svg; a=" VMC,
		    "http://example.com/l.svg", VMC, "bimi_invalid" },
		{ "evidence by http",
		    REJECT "default._bimi.example.com TXT v=BIMI1; l=https://example.com/l.svg; "
			   "a=http://example.com/vmc.pem",
		    "https://example.com/l.svg", "http://example.com/vmc.pem", "bimi_invalid" },
		{ "another case", REJECT "default._bimi.example.com TXT v=bimi1; l=https://example.com/l.svg",
		    "-", "-", "bimi_invalid" },
		{ "two", REJECT LOGO "\n" LOGO "2", "-", "-", "bimi_invalid" },
		{ "no DMARC", "example.com TXT v=spf1 -all\n" LOGO, "https://example.com/logo.svg", VMC,
		    "bimi_policy" },
		{ "p=none", "_dmarc.example.com TXT v=DMARC1; p=none\nexample.com TXT v=spf1 -all\n" LOGO,
		    "https://example.com/logo.svg", VMC, "bimi_policy" },
		{ "sp=none",
		    "_dmarc.example.com TXT v=DMARC1; p=reject; sp=none\nexample.com TXT v=spf1 -all\n" LOGO,
		    "https://example.com/logo.svg", VMC, "bimi_policy" },
		{ "pct=99",
		    "_dmarc.example.com TXT v=DMARC1; p=reject; pct=99\nexample.com TXT v=spf1 -all\n" LOGO,
		    "https://example.com/logo.svg", VMC, "bimi_policy" },
		{ "pct=100",
		    "_dmarc.example.com TXT v=DMARC1; p=reject; pct=100\nexample.com TXT v=spf1 -all\n" LOGO,
		    "https://example.com/logo.svg", VMC, "" },
		{ "a test",
		    "_dmarc.example.com TXT v=DMARC1; p=reject; t=y\nexample.com TXT v=spf1 -all\n" LOGO,
		    "https://example.com/logo.svg", VMC, "bimi_policy" },
		{ "no answer", REJECT "default._bimi.example.com TXT !timeout", "-", "-", "" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		struct zone *zone;
		struct check *check = run(ROWS[i].zone, &zone);
		g_autofree char *found = codes_of(check, "bimi_");
		const char *location = check->bimi_location == NULL ? "-" : check->bimi_location;
		const char *authority = check->bimi_authority == NULL ? "-" : check->bimi_authority;

		if (strcmp(location, ROWS[i].location) != 0 || strcmp(authority, ROWS[i].authority) != 0 ||
		    strcmp(found, ROWS[i].findings) != 0)
			fail_msg("%s: %s %s (%s)", ROWS[i].name, location, authority, found);
		check_free(check);
		zone_free(zone);
	}
}

/* The sentence of the only finding about BIMI. Transfer full. */
static char *bimi_sentence(const char *words)
{
	struct zone *zone;
	struct check *check = run(words, &zone);
	char *text = NULL;

	assert_null(check->bimi);
	for (guint i = 0; i < findings_count(check->findings); i++) {
		const struct finding *finding = findings_get(check->findings, i);

		if (finding->code != FINDING_BIMI_INVALID)
			continue;
		assert_null(text);
		text = g_strdup(finding->text);
	}
	check_free(check);
	zone_free(zone);
	return text;
}

static void an_invalid_bimi_record_is_told_from_several(void **state)
{
	g_autofree char *two = bimi_sentence(REJECT LOGO "\n" LOGO "2");
	g_autofree char *no = bimi_sentence(REJECT "default._bimi.example.com TXT v=bimi1; l=");

	(void)state;
	assert_string_equal(two, "there are several records, so none counts");
	assert_string_equal(no, "\"v=bimi1; l=\" is not a record: one begins with \"v=BIMI1;\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zone_is_signed_or_not_as_far_as_the_server_can_say),
		cmocka_unit_test(tlsa_records_count_if_they_are_valid_and_authentic),
		cmocka_unit_test(a_tlsa_record_that_is_ignored_is_named_by_its_numbers),
		cmocka_unit_test(bimi_is_a_note_at_most),
		cmocka_unit_test(an_invalid_bimi_record_is_told_from_several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
