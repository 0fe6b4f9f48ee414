#include "server/web/routes.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* What became of a target: the values of $1.. as "v1|v2|-|", or the problem as "status name:reason
 * name:reason". */
static char *outcome(const char *method, const char *target)
{
	struct query *query = query_parse(target, NULL);
	char *values[ROUTE_PARAMS_MAX] = { NULL };
	struct problem problem = { 0 };
	GString *text = g_string_new(NULL);
	g_autofree char *segment = NULL;
	const char *allow;
	const struct route *route;

	assert_non_null(query);
	route = routes_find(method, query->path, &segment, &allow);
	if (route == NULL) {
		g_string_append(text, allow != NULL ? allow : "none");
	} else if (route_bind(route, query, segment, values, &problem)) {
		for (guint n = 0; n < route_n_params(route); n++)
			g_string_append_printf(text, "%s|", values[n] != NULL ? values[n] : "-");
	} else {
		g_string_append_printf(text, "%u", problem.status);
		for (guint i = 0; problem.invalid != NULL && i < problem.invalid->len; i += 2)
			g_string_append_printf(text, " %s", (char *)g_ptr_array_index(problem.invalid, i));
	}
	for (guint n = 0; n < ROUTE_PARAMS_MAX; n++)
		g_free(values[n]);
	problem_clear(&problem);
	query_free(query);
	return g_string_free(text, FALSE);
}

static const struct {
	const char *method;
	const char *target;
	const char *want;
} rows[] = {
	{ "GET", "/api/v1/meta", "" },
	{ "HEAD", "/api/v1/meta", "" },
	{ "GET", "/api/v1/meta?x=1", "400 x" },
	{ "GET", "/api/v1/summary", "-|-|-|-|-|-|" },
	{ "GET",
	    "/api/v1/summary?domain=Example.org&domain=b.example&from=2026-01-01&to=2026-02-01&result=fail"
	    "&ip=192.0.2.0/24&reporter=Google+Inc.",
	    "{\"Example.org\",\"b.example\"}|2026-01-01|2026-02-01|fail|192.0.2.0/24|{\"Google Inc.\"}|" },
	{ "GET", "/api/v1/summary?reporter=%7B%22%5C,NULL%7D", "-|-|-|-|-|{\"{\\\"\\\\,NULL}\"}|" },
	{ "GET", "/api/v1/timeseries?bucket=week&by=class", "-|-|-|-|-|-|week|class|" },
	{ "GET", "/api/v1/sources?group=ip&limit=500&cursor=abc", "-|-|-|-|-|-|500|abc|ip|-|" },
	{ "GET", "/api/v1/records?limit=1", "-|-|-|-|-|-|1|-|-|" },
	{ "GET", "/api/v1/reports?report_id=x@y", "-|-|-|-|-|-|-|-|x@y|-|-|" },
	{ "GET", "/api/v1/reports/17", "17|" },
	{ "GET", "/api/v1/reports/9223372036854775807", "9223372036854775807|" },
	{ "GET", "/api/v1/reports/9223372036854775808", "404" },
	{ "GET", "/api/v1/reports/0", "404" },
	{ "GET", "/api/v1/reports/abc", "404" },
	{ "GET", "/api/v1/reports/1%27", "404" },
	{ "GET", "/api/v1/reports/17?id=18", "400 id" },
	{ "GET", "/api/v1/intake?limit=5", "-|-|-|5|-|" },
	{ "GET", "/api/v1/domains?limit=10", "-|-|-|-|-|-|10|-|" },
	/* each kind of wrong parameter, and all of them told at once */
	{ "GET", "/api/v1/summary?domian=example.org", "400 domian" },
	{ "GET", "/api/v1/summary?Domain=example.org", "400 Domain" },
	{ "GET", "/api/v1/summary?from=2026-01-01&from=2026-01-02", "400 from" },
	{ "GET", "/api/v1/summary?from=yesterday", "400 from" },
	{ "GET", "/api/v1/summary?result=maybe", "400 result" },
	{ "GET", "/api/v1/summary?ip=10.1", "400 ip" },
	{ "GET", "/api/v1/summary?domain=", "400 domain" },
	{ "GET", "/api/v1/summary?domain=ok.example&domain=%09", "400 domain" },
	{ "GET", "/api/v1/summary?limit=5", "400 limit" },
	{ "GET", "/api/v1/sources?limit=501", "400 limit" },
	{ "GET", "/api/v1/sources?limit=0", "400 limit" },
	{ "GET", "/api/v1/sources?group=planet", "400 group" },
	{ "GET", "/api/v1/timeseries?bucket=year&by=planet", "400 bucket by" },
	{ "GET", "/api/v1/summary?x=1&ip=x&to=x", "400 x to ip" },
	/* no such resource, or not with that method */
	{ "GET", "/api/v1/", "none" },
	{ "GET", "/api/v1/summary/", "none" },
	{ "GET", "/api/v1/summaryx", "none" },
	{ "GET", "/api/v1/Summary", "none" },
	{ "GET", "/api/v2/summary", "none" },
	{ "GET", "/api/v1/reports/", "none" },
	{ "GET", "/api/v1/reports/1/2", "none" },
	{ "GET", "/api/v1/reports/1/", "none" },
	{ "POST", "/api/v1/nosuch", "none" },
	{ "POST", "/api/v1/summary", "GET, HEAD" },
	{ "DELETE", "/api/v1/reports/17", "GET, HEAD" },
	{ "get", "/api/v1/summary", "GET, HEAD" },
};

static void targets_are_bound_or_refused(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = outcome(rows[i].method, rows[i].target);

		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s %s: \"%s\" instead of \"%s\"", rows[i].method, rows[i].target, got,
			    rows[i].want);
	}
}

/* ?domain=d&domain=d&... n times */
static char *outcome_of_domains(guint n)
{
	g_autoptr(GString) target = g_string_new("/api/v1/summary?");

	for (guint i = 0; i < n; i++)
		g_string_append(target, "domain=d&");
	return outcome("GET", target->str);
}

static void lists_are_bounded(void **state)
{
	g_autofree char *below = outcome_of_domains(PARAM_LIST_MAX - 1);
	g_autofree char *at = outcome_of_domains(PARAM_LIST_MAX);
	g_autofree char *above = outcome_of_domains(PARAM_LIST_MAX + 1);

	(void)state;
	assert_true(g_str_has_prefix(below, "{\"d\","));
	assert_true(g_str_has_prefix(at, "{\"d\","));
	assert_string_equal(above, "400 domain");
}

static void texts_are_bounded(void **state)
{
	(void)state;
	for (guint size = 254; size <= 256; size++) {
		g_autofree char *name = g_strnfill(size, 'a');
		g_autofree char *target = g_strdup_printf("/api/v1/summary?domain=%s", name);
		g_autofree char *got = outcome("GET", target);

		assert_int_equal(strcmp(got, "400 domain") == 0, size > 255);
	}
}

/* $n in the statement is what the table's n-th parameter is: p_NAME => $n */
static void statements_name_the_parameters_in_the_order_of_the_table(void **state)
{
	gsize n_routes;
	const struct route *routes = routes_all(&n_routes);

	(void)state;
	assert_true(n_routes > 0);
	for (gsize i = 0; i < n_routes; i++) {
		g_autofree char *beyond = g_strdup_printf("$%u", route_n_params(&routes[i]) + 1);

		assert_null(strstr(routes[i].sql, beyond));
		for (guint n = 0; n < route_n_params(&routes[i]); n++) {
			g_autofree char *call =
			    g_strdup_printf("p_%s => $%u::", routes[i].params[n]->name, n + 1);

			if (strstr(routes[i].sql, call) == NULL)
				fail_msg("%s: no \"%s\" in \"%s\"", routes[i].path, call, routes[i].sql);
		}
	}
}

static void database_words_become_a_problem_of_the_parameter_in_the_hint(void **state)
{
	static const struct {
		const char *words;
		const char *detail;
		const char *name; /* of the invalid parameter, or NULL */
	} refusals[] = {
		{ "database: ERROR:  parameter \"cursor\": not ours\nHINT:  cursor\nCONTEXT:  x",
		    "parameter \"cursor\": not ours", "cursor" },
		{ "ERROR:  \"ip\" is after \"limit\"\nDETAIL:  x\nHINT:  group", "\"ip\" is after \"limit\"",
		    "group" },
		{ "ERROR:  x\nHINT:  groups", "x", NULL },
		{ "ERROR:  x\nHINT:  ", "x", NULL },
		{ "ERROR:  cursor is wrong", "cursor is wrong", NULL },
		{ "something else", "something else", NULL },
	};
	g_autofree char *segment = NULL;
	const char *allow;
	const struct route *route = routes_find("GET", "/api/v1/sources", &segment, &allow);

	(void)state;
	assert_non_null(route);
	for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
		struct problem problem = { 0 };

		route_refused(route, refusals[i].words, &problem);
		assert_int_equal(problem.status, 400);
		assert_string_equal(problem.detail, refusals[i].detail);
		if (refusals[i].name == NULL) {
			assert_null(problem.invalid);
		} else {
			assert_non_null(problem.invalid);
			assert_int_equal(problem.invalid->len, 2);
			assert_string_equal(g_ptr_array_index(problem.invalid, 0), refusals[i].name);
		}
		problem_clear(&problem);
	}
}

static void problems_are_json_whatever_a_stranger_wrote(void **state)
{
	struct problem problem = { 0 };
	g_autofree char *wide = g_strnfill(199, 'a');
	g_autofree char *longer = g_strconcat(wide, "\xc3\xa4\xc3\xa4", NULL);
	g_autoptr(GBytes) printed = NULL;
	g_autofree char *text = NULL;
	json_object *document;
	json_object *item;

	(void)state;
	problem_set(&problem, 400, "%s", "a \"quote\" \\ and \xff");
	problem_add_invalid(&problem, longer, "%s", "</script>");
	printed = problem_print(&problem);
	problem_clear(&problem);
	text = g_strndup(g_bytes_get_data(printed, NULL), g_bytes_get_size(printed));
	assert_true(g_utf8_validate(text, -1, NULL));
	document = json_tokener_parse(text);
	assert_non_null(document);
	assert_string_equal(json_object_get_string(json_object_object_get(document, "type")), "about:blank");
	assert_string_equal(json_object_get_string(json_object_object_get(document, "title")), "Bad Request");
	assert_int_equal(json_object_get_int(json_object_object_get(document, "status")), 400);
	assert_string_equal(json_object_get_string(json_object_object_get(document, "detail")),
	    "a \"quote\" \\ and \xef\xbf\xbd");
	item = json_object_array_get_idx(json_object_object_get(document, "invalid_params"), 0);
	assert_string_equal(json_object_get_string(json_object_object_get(item, "name")), wide);
	assert_string_equal(json_object_get_string(json_object_object_get(item, "reason")), "</script>");
	json_object_put(document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_are_bound_or_refused),
		cmocka_unit_test(lists_are_bounded),
		cmocka_unit_test(texts_are_bounded),
		cmocka_unit_test(statements_name_the_parameters_in_the_order_of_the_table),
		cmocka_unit_test(database_words_become_a_problem_of_the_parameter_in_the_hint),
		cmocka_unit_test(problems_are_json_whatever_a_stranger_wrote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
