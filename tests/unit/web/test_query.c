#include "server/web/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "parser/error.h"

struct row {
	const char *target;
	const char *want; /* "path|name=value|...", or NULL when it is to be refused */
};

static const struct row rows[] = {
	{ "/", "/" },
	{ "/sources", "/sources" },
	{ "/sources?", "/sources" },
	{ "/sources?a=1&b=2", "/sources|a=1|b=2" },
	{ "/sources?a=1&a=2&&&", "/sources|a=1|a=2" },
	{ "/sources?a", "/sources|a=" },
	{ "/sources?a=", "/sources|a=" },
	{ "/sources?=1", "/sources|=1" },
	{ "/sources?a=b=c", "/sources|a=b=c" },
	{ "/sources?a=1?b=2", "/sources|a=1?b=2" },
	{ "/sources?a=x+y", "/sources|a=x y" },
	{ "/a+b", "/a+b" },
	{ "/%73ources", "/sources" },
	{ "/sources?a=%26%3d%25", "/sources|a=&=%" },
	{ "/sources?%61=1", "/sources|a=1" },
	{ "/sources?a=%c3%A4", "/sources|a=\xc3\xa4" },
	{ "/../etc/passwd", "/../etc/passwd" },
	{ "//sources", "//sources" },
	{ "http://ruad.example/sources?a=1", "/sources|a=1" },
	{ "HTTPS://ruad.example:8443/sources", "/sources" },
	{ "http://ruad.example", "/" },
	{ "http://ruad.example?a=1", "/|a=1" },
	{ "", NULL },
	{ "?a=1", NULL },
	{ "*", NULL },
	{ "sources", NULL },
	{ "ruad.example:80", NULL },
	{ "/sources?a=%", NULL },
	{ "/sources?a=%4", NULL },
	{ "/sources?a=%4g", NULL },
	{ "/sources?a=% 1", NULL },
	{ "/sources?a=%00", NULL },
	{ "/sources?a=x%00y", NULL },
	{ "/sources?%00=x", NULL },
	{ "/sources%00", NULL },
	{ "/api%2Fv1", NULL },
	{ "/api%2fv1", NULL },
	{ "/sources?a=%ff", NULL },
	{ "/sources?a=%c3", NULL },
	{ "/sources?a=%ed%a0%80", NULL }, /* a surrogate */
	{ "/sources?a=%c0%af", NULL },    /* overlong '/' */
	{ "/sources?a=\xff", NULL },
};

/* query in the format of a row's want. */
static char *flat(const struct query *query)
{
	GString *text = g_string_new(query->path);

	for (guint i = 0; i < query->pairs->len; i++) {
		const struct query_pair *pair = g_ptr_array_index(query->pairs, i);

		g_string_append_printf(text, "|%s=%s", pair->name, pair->value);
	}
	return g_string_free(text, FALSE);
}

static void targets_are_split_and_decoded_or_refused(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		struct query *query = query_parse(rows[i].target, &error);
		g_autofree char *got = query != NULL ? flat(query) : NULL;

		if (g_strcmp0(got, rows[i].want) != 0)
			fail_msg("\"%s\": \"%s\" instead of \"%s\"", rows[i].target, got, rows[i].want);
		assert_true((query == NULL) == g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX));
		query_free(query);
	}
}

/* "/?a&a&..." with n parameters */
static struct query *parse_many(guint n, GError **error)
{
	g_autoptr(GString) target = g_string_new("/?");

	for (guint i = 0; i < n; i++)
		g_string_append(target, "a&");
	return query_parse(target->str, error);
}

static void parameters_are_bounded(void **state)
{
	g_autoptr(GError) error = NULL;
	struct query *query;

	(void)state;
	for (guint n = QUERY_PAIRS_MAX - 1; n <= QUERY_PAIRS_MAX; n++) {
		query = parse_many(n, NULL);
		assert_non_null(query);
		assert_int_equal(query->pairs->len, n);
		query_free(query);
	}
	query = parse_many(QUERY_PAIRS_MAX + 1, &error);
	assert_null(query);
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_LIMIT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_are_split_and_decoded_or_refused),
		cmocka_unit_test(parameters_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
