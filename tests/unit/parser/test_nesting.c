/* Which elements are open: the bounds of what is kept, and what the tags of a small document come to. */
#include "parser/nesting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void start(struct nesting *nesting, const char *name)
{
	nesting_start(nesting, (const guint8 *)name, strlen(name));
}

static int end(struct nesting *nesting, const char *name, enum nesting_text text)
{
	return nesting_end(nesting, (const guint8 *)name, strlen(name), text);
}

static gboolean takes(struct nesting *nesting, const char *tag)
{
	return nesting_takes(nesting, (const guint8 *)tag, strlen(tag));
}

static void names_are_kept_up_to_their_bound(void **state)
{
	static const struct {
		gsize size;
		gboolean lost;
	} ROWS[] = { { 1, FALSE }, { NESTING_NAME - 1, FALSE }, { NESTING_NAME, FALSE },
		{ NESTING_NAME + 1, TRUE } };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		g_autofree char *name = g_strnfill(ROWS[i].size, 'n');
		struct nesting nesting;

		nesting_init(&nesting);
		start(&nesting, "feedback");
		start(&nesting, name);
		assert_int_equal(nesting.lost, ROWS[i].lost);
		assert_int_equal(nesting.depth, ROWS[i].lost ? 1 : 2);
		if (!ROWS[i].lost)
			assert_true(nesting_is(nesting_top(&nesting), (const guint8 *)name, ROWS[i].size));
	}
}

static void elements_are_kept_up_to_their_bound(void **state)
{
	struct nesting nesting;

	(void)state;
	nesting_init(&nesting);
	assert_null(nesting_top(&nesting));
	for (guint depth = 1; depth <= NESTING_DEPTH; depth++) {
		start(&nesting, "feedback");
		assert_false(nesting.lost);
		assert_int_equal(nesting.depth, depth);
	}
	assert_true(takes(&nesting, "</feedback>"));
	assert_int_equal(nesting.depth, NESTING_DEPTH - 1);
	start(&nesting, "feedback");
	assert_false(nesting.lost);
	start(&nesting, "feedback");
	assert_true(nesting.lost);
	assert_int_equal(nesting.depth, NESTING_DEPTH);
}

/* An end tag that repeats the one before it: the last entry has none behind it. */
static void a_repeated_end_tag_is_known_up_to_the_bound(void **state)
{
	(void)state;
	for (guint depth = NESTING_DEPTH - 1; depth <= NESTING_DEPTH; depth++) {
		struct nesting nesting;

		nesting_init(&nesting);
		start(&nesting, "feedback");
		for (guint i = 2; i < depth; i++)
			start(&nesting, "x");
		start(&nesting, "y");
		assert_int_equal(nesting.depth, depth);
		assert_true(takes(&nesting, "</y>"));
		assert_int_equal(end(&nesting, "y", NESTING_BLANK), 0);
		assert_false(nesting.lost);
		assert_int_equal(end(&nesting, "y", NESTING_TEXT), -1);
		assert_true(nesting.lost);
	}
}

static void what_nothing_ended_in_has_no_repeated_end_tag(void **state)
{
	struct nesting nesting;

	(void)state;
	nesting_init(&nesting);
	start(&nesting, "feedback");
	start(&nesting, "x");
	start(&nesting, "y");
	assert_true(takes(&nesting, "</y>"));
	assert_true(takes(&nesting, "</x>"));
	start(&nesting, "x"); /* the entry of y is that of an earlier x */
	nesting_empty(&nesting);
	assert_int_equal(end(&nesting, "y", NESTING_BLANK), -1);
}

/* Start tags, "/name" for an end tag, and what the last end tag comes to. */
static void an_end_tag_ends_what_can_only_end_there(void **state)
{
	static const struct {
		const char *tags;
		enum nesting_text text;
		int want;
	} ROWS[] = {
		{ "feedback record row count /count", NESTING_TEXT, 1 },
		{ "feedback record row count /Count", NESTING_TEXT, 1 },
		{ "feedback record row source_ip /sourceIP", NESTING_TEXT, 1 },
		{ "feedback record row source_ip /a:source-ip", NESTING_TEXT, 1 },
		{ "feedback record row count /cnt", NESTING_TEXT, 1 }, /* a leaf: no other element can end */
		{ "feedback record row count /row", NESTING_TEXT, 2 },
		{ "feedback record row count /row", NESTING_REST, -1 },
		{ "feedback record row count /record", NESTING_TEXT, -1 },   /* row is no leaf */
		{ "feedback record row count /feedback", NESTING_TEXT, -1 }, /* nor record */
		{ "feedback report_metadata date_range end /report_metadata", NESTING_TEXT, 3 },
		{ "feedback report_metadata date_range end /feedback", NESTING_TEXT, -1 },
		{ "feedback report_metadata /unknown", NESTING_TEXT, 1 },
		{ "feedback report_metadata /record", NESTING_TEXT, -1 }, /* a name of the schema */
		{ "feedback record /unknown", NESTING_TEXT, -1 },
		{ "feedback unknown /other", NESTING_TEXT, 1 }, /* in the place of a leaf */
		{ "feedback unknown inner /third", NESTING_TEXT, -1 },
		{ "feedback /other", NESTING_TEXT, -1 },
		{ "/feedback", NESTING_TEXT, -1 },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		g_auto(GStrv) tags = g_strsplit(ROWS[i].tags, " ", -1);
		struct nesting nesting;
		int got = 0;

		nesting_init(&nesting);
		for (char **tag = tags; *tag != NULL; tag++)
			if (**tag == '/')
				got = end(&nesting, *tag + 1, ROWS[i].text);
			else
				start(&nesting, *tag);
		if (got != ROWS[i].want || nesting.lost != (ROWS[i].want < 0))
			fail_msg("%s: %d", ROWS[i].tags, got);
	}
}

static void a_tag_is_late_if_only_the_parent_can_have_it(void **state)
{
	static const struct {
		const char *open, *name;
		enum nesting_text text;
		gboolean want;
	} ROWS[] = {
		{ "feedback record row count", "policy_evaluated", NESTING_TEXT, TRUE },
		{ "feedback record row count", "policy_evaluated", NESTING_REST, FALSE },
		{ "feedback record row count", "unknown", NESTING_TEXT, FALSE },
		{ "feedback record row", "identifiers", NESTING_BLANK,
		    FALSE }, /* only the header's parents */
		{ "feedback report_metadata date_range", "error", NESTING_BLANK, TRUE },
		{ "feedback report_metadata date_range", "begin", NESTING_BLANK, FALSE },
		{ "feedback report_metadata", "policy_published", NESTING_BLANK, TRUE },
		{ "feedback policy_published", "record", NESTING_BLANK, TRUE },
		{ "feedback", "record", NESTING_BLANK, FALSE },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		g_auto(GStrv) names = g_strsplit(ROWS[i].open, " ", -1);
		g_autofree char *tag = g_strdup_printf("<%s>", ROWS[i].name);
		struct nesting nesting;

		nesting_init(&nesting);
		for (char **name = names; *name != NULL; name++)
			start(&nesting, *name);
		if (nesting_is_late(&nesting, (const guint8 *)ROWS[i].name, strlen(ROWS[i].name),
			ROWS[i].text) != ROWS[i].want)
			fail_msg("%s: %s", ROWS[i].open, ROWS[i].name);
		if (ROWS[i].text != NESTING_REST)
			assert_int_equal(takes(&nesting, tag), !ROWS[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_kept_up_to_their_bound),
		cmocka_unit_test(elements_are_kept_up_to_their_bound),
		cmocka_unit_test(a_repeated_end_tag_is_known_up_to_the_bound),
		cmocka_unit_test(what_nothing_ended_in_has_no_repeated_end_tag),
		cmocka_unit_test(an_end_tag_ends_what_can_only_end_there),
		cmocka_unit_test(a_tag_is_late_if_only_the_parent_can_have_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
