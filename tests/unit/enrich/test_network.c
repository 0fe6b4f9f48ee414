/* test_network.c - which network and country an address has, by MMDB files of several makers that change
 * meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glib/gstdio.h>
#include <maxminddb.h>
#include <string.h>

#include "server/enrich/network.h"
#include "tests/unit/enrich/mmdb.h"
#include "tests/unit/ingest/logged.h"

#define N_FILES 2

struct fixture {
	char *folder;
	char *paths[N_FILES + 1]; /* as enrich.mmdb has them */
	struct networks *networks;
};

static int set_up(void **state)
{
	struct fixture *fixture = g_new0(struct fixture, 1);

	fixture->folder = g_dir_make_tmp("ruad-mmdb-XXXXXX", NULL);
	for (gsize i = 0; i < N_FILES; i++)
		fixture->paths[i] = g_strdup_printf("%s/%zu.mmdb", fixture->folder, i);
	fixture->networks = networks_new((const char *const *)fixture->paths);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	networks_free(fixture->networks);
	for (gsize i = 0; i < N_FILES; i++) {
		g_unlink(fixture->paths[i]);
		g_free(fixture->paths[i]);
	}
	g_rmdir(fixture->folder);
	g_free(fixture->folder);
	g_free(fixture);
	return 0;
}

/* A file with one network, in place of what was there. */
static void put_file(const struct fixture *fixture, gsize i, const char *network, const char *value)
{
	struct mmdb *mmdb = mmdb_new("Test");

	mmdb_add(mmdb, network, value);
	mmdb_write(mmdb, fixture->paths[i]);
}

/* "asn as_name country" with '-' for what is not known. Transfer full. */
static char *found(const struct fixture *fixture, const char *ip)
{
	struct network network;
	char *words;

	networks_look_up(fixture->networks, ip, &network);
	words = g_strdup_printf("%" G_GINT64_FORMAT " %s %s", network.asn,
	    network.as_name != NULL ? network.as_name : "-",
	    *network.country != '\0' ? network.country : "-");
	network_clear(&network);
	assert_null(network.as_name);
	assert_int_equal(network.asn, -1);
	return words;
}

static void assert_found(const struct fixture *fixture, const char *ip, const char *want)
{
	g_autofree char *words = found(fixture, ip);

	if (strcmp(words, want) != 0)
		fail_msg("%s: got \"%s\", want \"%s\"", ip, words, want);
}

/* 200 bytes, or 201 with more. */
#define A10  "aaaaaaaaaa"
#define A50  A10 A10 A10 A10 A10
#define A200 A50 A50 A50 A50

static void the_layouts_of_several_makers_are_read(void **state)
{
	static const struct {
		const char *name, *value, *want;
	} rows[] = {
		{ "MaxMind ASN", "autonomous_system_number=#64500;autonomous_system_organization=Example Net",
		    "64500 Example Net -" },
		{ "MaxMind ASN without a name", "autonomous_system_number=#64500", "64500 - -" },
		{ "the largest number", "autonomous_system_number=#4294967295", "4294967295 - -" },
		{ "system 0", "autonomous_system_number=#0", "0 - -" },
		{ "system 0 with a name", "autonomous_system_number=#0;autonomous_system_organization=None",
		    "0 None -" },
		{ "MaxMind Country", "country.geoname_id=#1;country.iso_code=DE", "-1 - DE" },
		{ "MaxMind, where it is registered", "registered_country.iso_code=FR", "-1 - FR" },
		{ "MaxMind, both", "country.iso_code=DE;registered_country.iso_code=FR", "-1 - DE" },
		{ "IPinfo Lite", "asn=AS64500;as_name=Example Net;country=Germany;country_code=DE",
		    "64500 Example Net DE" },
		{ "IPinfo before", "asn=AS64500;name=Example Net;country=de", "64500 Example Net DE" },
		{ "a number as text", "asn=64500", "64500 - -" },
		{ "a network without a system", "asn=;as_name=Example Net;country_code=DE", "-1 - DE" },
		{ "a name alone", "as_name=Example Net", "-1 - -" },
		{ "a number that is too large", "asn=AS4294967296", "-1 - -" },
		{ "a number with a sign", "asn=AS-1", "-1 - -" },
		{ "a word for a number", "asn=ASN1", "-1 - -" },
		{ "a text where a number belongs", "autonomous_system_number=64500", "-1 - -" },
		{ "a number where a text belongs", "asn=#64500", "-1 - -" },
		{ "a country in words", "country=Germany", "-1 - -" },
		{ "a country of digits", "country_code=12", "-1 - -" },
		{ "a country of one letter and one digit", "country_code=D1", "-1 - -" },
		{ "a country of three letters", "country_code=DEU", "-1 - -" },
		{ "a wrong country, then a right one", "country_code=DEU;country=DE", "-1 - DE" },
		{ "the longest name", "asn=1;as_name=" A200, "1 " A200 " -" },
		{ "a longer name", "asn=1;as_name=" A200 "a", "1 - -" },
		{ "a longer name, then another", "asn=1;as_name=" A200 "a;name=x", "1 x -" },
		{ "a name that is not UTF-8", "asn=1;as_name=\xff\xfe", "1 - -" },
		{ "nothing that we know", "city=Berlin", "-1 - -" },
	};
	struct fixture *fixture = *state;

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *words = NULL;

		put_file(fixture, 0, "192.0.2.0/24", rows[i].value);
		assert_true(networks_refresh(fixture->networks));
		words = found(fixture, "192.0.2.1");
		if (strcmp(words, rows[i].want) != 0)
			fail_msg("%s: got \"%s\", want \"%s\"", rows[i].name, words, rows[i].want);
	}
}

static void an_address_has_what_its_own_network_has(void **state)
{
	struct fixture *fixture = *state;
	struct mmdb *mmdb = mmdb_new("Test");

	mmdb_add(mmdb, "192.0.2.0/25", "asn=AS1");
	mmdb_add(mmdb, "192.0.2.128/25", "asn=AS2");
	mmdb_add(mmdb, "203.0.113.7/32", "asn=AS3");
	mmdb_add(mmdb, "2001:db8::/32", "asn=AS4");
	mmdb_write(mmdb, fixture->paths[0]);
	assert_true(networks_refresh(fixture->networks));
	assert_found(fixture, "192.0.2.127", "1 - -");
	assert_found(fixture, "192.0.2.128", "2 - -");
	assert_found(fixture, "192.0.3.0", "-1 - -");
	assert_found(fixture, "203.0.113.7", "3 - -");
	assert_found(fixture, "203.0.113.6", "-1 - -");
	assert_found(fixture, "2001:db8:ffff::1", "4 - -");
	assert_found(fixture, "2001:db9::1", "-1 - -");
}

static void what_is_no_address_has_no_network(void **state)
{
	static const char *const odd[] = { "", "localhost", "192.0.2.1/32", "192.0.2.1.", "::g",
		"example.com" };
	struct fixture *fixture = *state;

	put_file(fixture, 0, "192.0.2.0/24", "asn=AS1");
	assert_true(networks_refresh(fixture->networks));
	for (gsize i = 0; i < G_N_ELEMENTS(odd); i++)
		assert_found(fixture, odd[i], "-1 - -");
}

static void files_complete_each_other_and_the_first_that_says_something_counts(void **state)
{
	struct fixture *fixture = *state;

	put_file(fixture, 0, "192.0.2.0/24", "asn=AS1;as_name=First");
	put_file(fixture, 1, "192.0.0.0/16", "asn=AS2;as_name=Second;country_code=DE");
	assert_true(networks_refresh(fixture->networks));
	assert_found(fixture, "192.0.2.1", "1 First DE");
	assert_found(fixture, "192.0.3.1", "2 Second DE");
	put_file(fixture, 0, "192.0.2.0/24", "country_code=FR");
	assert_true(networks_refresh(fixture->networks));
	assert_found(fixture, "192.0.2.1", "2 Second FR");
}

/* A name belongs to the number beside it: another file's would be of another network. */
static void the_name_comes_from_the_file_that_has_the_number(void **state)
{
	struct fixture *fixture = *state;

	put_file(fixture, 0, "192.0.2.0/24", "asn=AS1");
	put_file(fixture, 1, "192.0.2.0/24", "asn=AS2;as_name=Second");
	assert_true(networks_refresh(fixture->networks));
	assert_found(fixture, "192.0.2.1", "1 - -");
}

static void a_file_is_opened_once_and_again_when_it_was_replaced(void **state)
{
	struct fixture *fixture = *state;

	put_file(fixture, 0, "192.0.2.0/24", "asn=AS1");
	assert_found(fixture, "192.0.2.1", "-1 - -"); /* nothing is open yet */
	assert_true(networks_refresh(fixture->networks));
	assert_false(networks_refresh(fixture->networks));
	assert_found(fixture, "192.0.2.1", "1 - -");
	put_file(fixture, 0, "192.0.2.0/24", "asn=AS2");
	assert_found(fixture, "192.0.2.1", "1 - -");
	assert_true(networks_refresh(fixture->networks));
	assert_found(fixture, "192.0.2.1", "2 - -");
}

static void a_file_that_comes_later_is_opened_beside_the_others(void **state)
{
	struct fixture *fixture = *state;

	put_file(fixture, 1, "192.0.2.0/24", "country_code=DE");
	assert_true(networks_refresh(fixture->networks));
	assert_found(fixture, "192.0.2.1", "-1 - DE");
	put_file(fixture, 0, "192.0.2.0/24", "asn=AS1");
	assert_true(networks_refresh(fixture->networks));
	assert_found(fixture, "192.0.2.1", "1 - DE");
}

static void a_file_that_cannot_be_used_leaves_what_was_open(void **state)
{
	struct fixture *fixture = *state;

	put_file(fixture, 0, "192.0.2.0/24", "asn=AS1");
	assert_true(networks_refresh(fixture->networks));
	assert_true(g_file_set_contents(fixture->paths[0], "no MMDB file", -1, NULL));
	assert_false(networks_refresh(fixture->networks));
	assert_found(fixture, "192.0.2.1", "1 - -");
	assert_int_equal(g_unlink(fixture->paths[0]), 0);
	assert_false(networks_refresh(fixture->networks));
	assert_found(fixture, "192.0.2.1", "1 - -");
	put_file(fixture, 0, "192.0.2.0/24", "asn=AS2");
	assert_true(networks_refresh(fixture->networks));
	assert_found(fixture, "192.0.2.1", "2 - -");
}

static void assert_logged(const struct fixture *fixture, const char *why)
{
	g_autofree char *want = g_strdup_printf("enrich.mmdb: \"%s\": %s\n", fixture->paths[0], why);
	g_autofree char *got = NULL;

	networks_refresh(fixture->networks);
	got = logged();
	assert_non_null(strstr(got, want));
}

static void a_file_that_cannot_be_used_is_logged_with_the_reason(void **state)
{
	struct fixture *fixture = *state;

	g_free(logged());
	assert_logged(fixture, "No such file or directory");
	assert_true(g_file_set_contents(fixture->paths[0], "no MMDB file", -1, NULL));
	assert_logged(fixture, MMDB_strerror(MMDB_INVALID_METADATA_ERROR));
}

static void without_files_nothing_is_known(void **state G_GNUC_UNUSED)
{
	static const char *const none[] = { NULL };
	struct networks *networks = networks_new(none);
	struct network network;

	assert_false(networks_refresh(networks));
	networks_look_up(networks, "192.0.2.1", &network);
	assert_int_equal(network.asn, -1);
	assert_null(network.as_name);
	assert_string_equal(network.country, "");
	network_clear(&network);
	networks_free(networks);
	networks_free(NULL);
}

#define WITH_FILES(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FILES(the_layouts_of_several_makers_are_read),
		WITH_FILES(an_address_has_what_its_own_network_has),
		WITH_FILES(what_is_no_address_has_no_network),
		WITH_FILES(files_complete_each_other_and_the_first_that_says_something_counts),
		WITH_FILES(the_name_comes_from_the_file_that_has_the_number),
		WITH_FILES(a_file_is_opened_once_and_again_when_it_was_replaced),
		WITH_FILES(a_file_that_comes_later_is_opened_beside_the_others),
		WITH_FILES(a_file_that_cannot_be_used_leaves_what_was_open),
		WITH_FILES(a_file_that_cannot_be_used_is_logged_with_the_reason),
		cmocka_unit_test(without_files_nothing_is_known),
	};

	logged_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
