#include "server/web/help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void database_s_members_follow_the_texts(void **state)
{
	static const struct {
		const char *texts;
		const char *document;
		const char *want;
	} rows[] = {
		{ "{\"lang\": \"de\", \"words\": []}", "{\"queries\": [1, 2]}",
		    "{\"lang\":\"de\",\"words\":[],\"queries\":[1,2],\"psql\":\"psql\"}" },
		{ "{\"a\": \"\xc3\xbc\"}", "{\"b\": \"/\"}",
		    "{\"a\":\"\xc3\xbc\",\"b\":\"/\",\"psql\":\"psql\"}" },
		{ "{\"a\": 1}", "{}", "{\"a\":1,\"psql\":\"psql\"}" },
		{ "{\"a\": 1}", "[2]", "{\"a\":1}" },
		{ "{\"a\": 1}", "", "{\"a\":1}" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GBytes) texts = g_bytes_new_static(rows[i].texts, strlen(rows[i].texts));
		g_autoptr(GBytes) document = g_bytes_new_static(rows[i].document, strlen(rows[i].document));
		g_autoptr(GBytes) printed = help_print(texts, document, NULL);
		gsize size;
		const char *text = g_bytes_get_data(printed, &size);
		g_autofree char *found = g_strndup(text, size);

		if (strcmp(found, rows[i].want) != 0)
			fail_msg("%s and %s give %s", rows[i].texts, rows[i].document, found);
	}
}

/* The member of help that begins with name. Transfer full. */
static char *member_of(const char *document, const char *database, const char *name)
{
	g_autoptr(GBytes) texts = g_bytes_new_static("{}", 2);
	g_autoptr(GBytes) added = g_bytes_new_static(document, strlen(document));
	g_autoptr(GBytes) printed = help_print(texts, added, database);
	gsize size;
	const char *text = g_bytes_get_data(printed, &size), *found = g_strstr_len(text, (gssize)size, name);

	assert_non_null(found);
	return g_strndup(found, (gsize)(text + size - found));
}

static void psql_is_called_with_the_database_in_force(void **state)
{
	static const struct {
		const char *database, *want;
	} rows[] = {
		{ NULL, "\"psql\":\"psql\"}" },
		{ "host=/run/ruad dbname=ruad", "\"psql\":\"psql \\\"host=/run/ruad dbname=ruad\\\"\"}" },
		{ "host=db port=5433 dbname='my db'",
		    "\"psql\":\"psql \\\"host=db port=5433 dbname='my db'\\\"\"}" },
		{ "dbname=$HOME", "\"psql\":\"psql 'dbname=$HOME'\"}" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *found = member_of("{}", rows[i].database, "\"psql\"");

		assert_string_equal(found, rows[i].want);
	}
}

static void a_test_mail_is_sent_to_the_address_in_force(void **state)
{
	static const char SAMPLES[] =
	    "{\"onboarding_samples\":[{\"term\":\"test\",\"text\":\"swaks {lmtp} --to "
	    "{host}\"},{\"term\":\"x\"},1]}";
	g_autofree char *found = NULL;

	(void)state;
	help_init("[::1]:24");
	found = member_of(SAMPLES, NULL, "swaks");
	assert_true(g_str_has_prefix(found, "swaks --server [::1]:24 --to {host}\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(database_s_members_follow_the_texts),
		cmocka_unit_test(psql_is_called_with_the_database_in_force),
		cmocka_unit_test(a_test_mail_is_sent_to_the_address_in_force),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
