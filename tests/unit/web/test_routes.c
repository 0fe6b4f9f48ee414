#include "server/web/routes.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The result of a target: the values of $1.. as "v1|v2|-|", or the problem as "status name:reason
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

#define NOTHING_5  "-|-|-|-|-|"
#define NOTHING_21 NOTHING_5 NOTHING_5 NOTHING_5 NOTHING_5 "-|"

static const struct {
	const char *method;
	const char *target;
	const char *want;
} rows[] = {
	{ "GET", "/api/v1/meta", "" },
	{ "HEAD", "/api/v1/meta", "" },
	{ "GET", "/api/v1/me", "" },
	{ "GET", "/api/v1/meta?x=1", "400 x" },
	{ "GET", "/api/v1/summary", NOTHING_21 },
	{ "GET",
	    "/api/v1/summary?domain=Example.org&domain=b.example&subdomains=1&from=2026-01-01&to=2026-02-01"
	    "&class=pass&class=unknown&result=fail&dkim=pass&spf=fail&disposition=none&override=any"
	    "&source=ip:2001:db8::1&source=none&ip=192.0.2.0/24&asn=64496&asn=none&country=de&rdns=x.example"
	    "&auth_domain=a.example&header_from=h.example&reporter=Google+Inc.&label=mine&q=ab&others=only",
	    "{\"Example.org\",\"b.example\"}|1|2026-01-01|2026-02-01|{\"pass\",\"unknown\"}|fail|pass|fail|"
	    "{\"none\"}|{\"any\"}|{\"ip:2001:db8::1\",\"none\"}|192.0.2.0/24|{\"64496\",\"none\"}|{\"DE\"}|"
	    "{\"x.example\"}|{\"a.example\"}|{\"h.example\"}|{\"Google Inc.\"}|{\"mine\"}|ab|only|" },
	{ "GET", "/api/v1/tls/summary?reporter=%7B%22%5C,NULL%7D", "-|-|-|-|{\"{\\\"\\\\,NULL}\"}|-|" },
	{ "GET", "/api/v1/timeseries?bucket=week&by=class", NOTHING_21 "week|class|" },
	{ "GET", "/api/v1/sources?group=ip&limit=500&cursor=abc", NOTHING_21 "500|abc|ip|-|" },
	{ "GET", "/api/v1/sources?sort=-fail", NOTHING_21 "-|-|-|-fail|" },
	{ "GET", "/api/v1/records?limit=10000", NOTHING_21 "10000|-|-|" },
	{ "GET", "/api/v1/reports?report_id=x@y", NOTHING_21 "-|-|x@y|-|-|" },
	{ "POST", "/api/v1/reports", "-|" },
	{ "POST", "/api/v1/reports?name=a.xml", "a.xml|" },
	{ "POST", "/api/v1/reports?domain=a.example", "400 domain" },
	{ "GET", "/api/v1/reports/17", "17|" },
	{ "GET", "/api/v1/reports/17/xml", "17|" },
	{ "GET", "/api/v1/reports/17/records?result=fail", "17|fail|-|-|" },
	{ "GET", "/api/v1/reports/9223372036854775807", "9223372036854775807|" },
	{ "GET", "/api/v1/reports/9223372036854775808", "404" },
	{ "GET", "/api/v1/reports/0", "404" },
	{ "GET", "/api/v1/reports/abc", "404" },
	{ "GET", "/api/v1/reports/abc/xml", "404" },
	{ "GET", "/api/v1/reports/1%27", "404" },
	{ "GET", "/api/v1/reports/17?id=18", "400 id" },
	{ "GET", "/api/v1/intake?from=2026-01-01", "2026-01-01|-|" },
	{ "GET", "/api/v1/intake/events?status=stored&status=conflict&report=5",
	    "-|-|{\"stored\",\"conflict\"}|-|-|5|-|-|" },
	{ "GET", "/api/v1/domains?limit=10", NOTHING_21 "10|-|-|" },
	{ "GET", "/api/v1/domains/example.org?from=2026-01-01", "example.org|2026-01-01|-|" },
	{ "GET", "/api/v1/domains/b%C3%BCcher.example/impact?policy=reject",
	    "b\xc3\xbc"
	    "cher.example|-|-|reject|" },
	{ "GET", "/api/v1/sources/ip:2001:db8::1", "ip:2001:db8::1|-|-|-|-|-|" },
	{ "GET", "/api/v1/sources/ip%3A192.0.2.1/ips?limit=5", "ip:192.0.2.1|-|-|-|-|-|-|5|-|" },
	{ "GET", "/api/v1/sources/a%0ab", "404" },
	{ "PUT", "/api/v1/sources/ip:192.0.2.1/label", "ip:192.0.2.1|" },
	{ "PUT", "/api/v1/sources/ip:192.0.2.1/label?label=mine", "400 label" },
	{ "PUT", "/api/v1/labels?source=as:1&source=as:2", "{\"as:1\",\"as:2\"}|" },
	{ "PUT", "/api/v1/labels", "400 source" },
	{ "GET", "/api/v1/search?q=ab", "ab|" },
	{ "GET", "/api/v1/help?from=2026-01-01", "-|-|2026-01-01|-|-|" },
	{ "GET", "/api/v1/help?lang=de", "-|-|-|-|de|" },
	{ "GET", "/api/v1/summary?others=all", "400 others" },
	{ "GET", "/api/v1/help?lang=DE", "400 lang" },
	{ "GET", "/api/v1/help?lang=fr", "400 lang" },
	{ "GET", "/api/v1/help?lang=", "400 lang" },
	{ "GET", "/api/v1/help?lang=en&lang=de", "400 lang" },
	{ "GET", "/api/v1/summary?lang=de", "400 lang" },
	/* the format is not a parameter of the statement */
	{ "GET", "/api/v1/reports/17/records?format=csv", "17|-|-|-|" },
	{ "GET", "/api/v1/reports/17/records?format=json", "17|-|-|-|" },
	{ "GET", "/api/v1/reports/17/records?format=xml", "400 format" },
	{ "GET", "/api/v1/reports/17/records?format=csv&format=csv", "400 format" },
	{ "GET", "/api/v1/reports/17?format=csv", "400 format" },
	/* each kind of invalid parameter, and all of them reported at once */
	{ "GET", "/api/v1/summary?domian=example.org", "400 domian" },
	{ "GET", "/api/v1/summary?Domain=example.org", "400 Domain" },
	{ "GET", "/api/v1/summary?from=2026-01-01&from=2026-01-02", "400 from" },
	{ "GET", "/api/v1/summary?from=yesterday", "400 from" },
	{ "GET", "/api/v1/summary?result=maybe", "400 result" },
	{ "GET", "/api/v1/summary?class=pass&class=good", "400 class" },
	{ "GET", "/api/v1/summary?subdomains=yes", "400 subdomains" },
	{ "GET", "/api/v1/summary?country=Germany", "400 country" },
	{ "GET", "/api/v1/summary?asn=AS1", "400 asn" },
	{ "GET", "/api/v1/summary?q=a", "400 q" },
	{ "GET", "/api/v1/summary?ip=10.1", "400 ip" },
	{ "GET", "/api/v1/summary?domain=", "400 domain" },
	{ "GET", "/api/v1/summary?domain=ok.example&domain=%09", "400 domain" },
	{ "GET", "/api/v1/summary?limit=5", "400 limit" },
	{ "GET", "/api/v1/search", "400 q" },
	{ "GET", "/api/v1/search?q=", "400 q" },
	{ "GET", "/api/v1/sources?limit=10001", "400 limit" },
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
	{ "GET", "/api/v1/reports//xml", "none" },
	{ "GET", "/api/v1/reports/1/2", "none" },
	{ "GET", "/api/v1/reports/1/", "none" },
	{ "GET", "/api/v1/reports/1/xml/", "none" },
	{ "GET", "/api/v1/reports/1/xmlx", "none" },
	{ "GET", "/api/v1/sources/a/b/ips", "none" },
	{ "POST", "/api/v1/nosuch", "none" },
	{ "POST", "/api/v1/summary", "GET, HEAD" },
	{ "DELETE", "/api/v1/reports/17", "GET, HEAD" },
	{ "get", "/api/v1/summary", "GET, HEAD" },
	{ "PUT", "/api/v1/sources/ip:192.0.2.1", "GET, HEAD" },
	{ "GET", "/api/v1/sources/ip:192.0.2.1/label", "PUT" },
	{ "POST", "/api/v1/sources/ip:192.0.2.1/label", "PUT" },
	{ "DELETE", "/api/v1/labels", "GET, HEAD, PUT" },
	{ "PUT", "/api/v1/reports", "GET, HEAD, POST" },
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

/* sql has each of the route's parameters, as p_NAME => $n:: with its type, and no other. */
static void check_statement(const struct route *route, const char *sql)
{
	/* without the language, and without the name of a file */
	guint without = route->form == ROUTE_HELP || route->form == ROUTE_UPLOAD ? 1 : 0;
	guint n_params = route_n_params(route) - without;
	guint n_bound = n_params + (route->form == ROUTE_LABEL ? 4 : route->form == ROUTE_UPLOAD ? 1 : 0);
	g_autofree char *beyond = g_strdup_printf("$%u", n_bound + 1);

	if (strstr(sql, beyond) != NULL)
		fail_msg("%s: \"%s\" in \"%s\"", route->path, beyond, sql);
	for (guint n = 0; n < n_params; n++) {
		const struct param *param = route->params[n];
		const char *name =
		    route->form == ROUTE_LABEL ? "source" : param->name; /* it names the source by its key */
		static const char *const types[] = {
			[PARAM_TEXT] = "text",
			[PARAM_DATE] = "date",
			[PARAM_NETWORK] = "inet",
			[PARAM_INT] = "bigint",
			[PARAM_BOOL] = "boolean",
			[PARAM_CHOICE] = "text",
			[PARAM_ASN] = "text",
			[PARAM_COUNTRY] = "text",
		};
		const char *type = strcmp(name, "limit") == 0 ? "int" : types[param->type];
		g_autofree char *call =
		    g_strdup_printf("p_%s => $%u::%s%s", name, n + 1, type, param->list ? "[]" : "");
		const char *at = strstr(sql, call);

		if (at == NULL || strchr(",) ", at[strlen(call)]) == NULL)
			fail_msg("%s: no \"%s\" in \"%s\"", route->path, call, sql);
	}
}

static void statements_have_every_parameter_in_the_order_of_the_table(void **state)
{
	gsize n_routes;
	const struct route *routes = routes_all(&n_routes);

	(void)state;
	assert_true(n_routes > 25);
	for (gsize i = 0; i < n_routes; i++) {
		assert_true(route_n_params(&routes[i]) < ROUTE_PARAMS_MAX);
		assert_true((routes[i].sql == NULL) == (routes[i].form == ROUTE_ME));
		if (routes[i].sql != NULL)
			check_statement(&routes[i], routes[i].sql);
		if (routes[i].csv != NULL)
			check_statement(&routes[i], routes[i].csv);
		assert_true(routes[i].form != ROUTE_ROWS ||
			    (routes[i].csv != NULL && strstr(routes[i].csv, "_csv(") != NULL));
		assert_true(
		    (routes[i].name != NULL) == (routes[i].csv != NULL || routes[i].form == ROUTE_XML));
	}
}

/* A path that only one of the table's patterns matches, and a first parameter that is its segment. */
static void patterns_have_one_route_a_method(void **state)
{
	gsize n_routes;
	const struct route *routes = routes_all(&n_routes);

	(void)state;
	for (gsize i = 0; i < n_routes; i++) {
		g_autofree char *segment = NULL;
		const char *allow;
		const char *brace = strchr(routes[i].path, '{');

		assert_ptr_equal(routes_find(routes[i].method, routes[i].path, &segment, &allow), &routes[i]);
		if (brace == NULL)
			continue;
		assert_true(g_str_has_prefix(brace + 1, routes[i].params[0]->name));
		assert_int_equal(brace[1 + strlen(routes[i].params[0]->name)], '}');
	}
}

static void form_is_the_parameter_s_or_else_the_header_s(void **state)
{
	static const struct {
		const char *target;
		const char *accept;
		gboolean want;
	} forms[] = {
		{ "/api/v1/records", NULL, FALSE },
		{ "/api/v1/records", "text/csv", TRUE },
		{ "/api/v1/records?format=csv", NULL, TRUE },
		{ "/api/v1/records?format=csv", "application/json", TRUE },
		{ "/api/v1/records?format=json", "text/csv", FALSE },
		{ "/api/v1/summary", "text/csv", FALSE },
		{ "/api/v1/reports/1/xml", "text/csv", FALSE },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(forms); i++) {
		struct query *query = query_parse(forms[i].target, NULL);
		g_autofree char *segment = NULL;
		const char *allow;
		const struct route *route = routes_find("GET", query->path, &segment, &allow);

		assert_int_equal(route_gives_csv(route, query, forms[i].accept), forms[i].want);
		query_free(query);
	}
}

static void the_next_page_is_the_same_query_with_another_cursor(void **state)
{
	static const struct {
		const char *target;
		const char *want;
	} nexts[] = {
		{ "/api/v1/records", "?cursor=a%3Db" },
		{ "/api/v1/records?cursor=old", "?cursor=a%3Db" },
		{ "/api/v1/records?from=2026-01-01&cursor=old&format=csv",
		    "?from=2026-01-01&format=csv&cursor=a%3Db" },
		{ "/api/v1/records?source=ip:::1&source=none&reporter=A%26B+%22x%22%3E,<",
		    "?source=ip:::1&source=none&reporter=A%26B%20%22x%22%3E,%3C&cursor=a%3Db" },
		{ "/api/v1/records?q=b%C3%BC", "?q=b%C3%BC&cursor=a%3Db" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(nexts); i++) {
		struct query *query = query_parse(nexts[i].target, NULL);
		g_autofree char *got = route_next(query, "a=b");

		assert_string_equal(got, nexts[i].want);
		query_free(query);
	}
}

static void names_of_files_are_plain(void **state)
{
	static const struct {
		const char *target;
		const char *want;
	} names[] = {
		{ "/api/v1/sources", "ruad-sources.csv" },
		{ "/api/v1/sources?to=2026-02-01&from=2026-01-01", "ruad-sources-2026-01-01-2026-02-01.csv" },
		{ "/api/v1/sources/domain:example.org/ips?from=2026-01-01",
		    "ruad-source-ips-domain-example.org-2026-01-01.csv" },
		{ "/api/v1/sources/%22%5C%C3%A4%3B/ips", "ruad-source-ips------.csv" },
		{ "/api/v1/reports/17/xml", "ruad-report-17.csv" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		struct query *query = query_parse(names[i].target, NULL);
		g_autofree char *segment = NULL;
		const char *allow;
		const struct route *route = routes_find("GET", query->path, &segment, &allow);
		g_autofree char *got = route_filename(route, query, segment, "csv");

		if (strspn(got, "abcdefghijklmnopqrstuvwxyz0123456789.-") != strlen(got))
			fail_msg("%s", got);
		assert_string_equal(got, names[i].want);
		query_free(query);
	}
}

static void database_words_become_a_problem_of_the_parameter_in_the_hint(void **state)
{
	static const struct {
		const char *message;
		const char *hint;
		const char *detail;
		const char *name; /* of the invalid parameter, or NULL */
	} refusals[] = {
		{ "parameter \"cursor\": not ours", "cursor", "parameter \"cursor\": not ours", "cursor" },
		{ "\"ip\" is after \"limit\"\nmore", "group", "\"ip\" is after \"limit\"", "group" },
		{ "ERROR:  x\nHINT:  cursor", NULL, "ERROR:  x", NULL },
		{ "x", "groups", "x", NULL },
		{ "x", "", "x", NULL },
		{ "cursor is wrong", NULL, "cursor is wrong", NULL },
	};
	g_autofree char *segment = NULL;
	const char *allow;
	const struct route *route = routes_find("GET", "/api/v1/sources", &segment, &allow);

	(void)state;
	assert_non_null(route);
	for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
		struct problem problem = { 0 };

		route_refused(route, refusals[i].message, refusals[i].hint, &problem);
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

/* Every route as "METHOD path parameter ...", for those who compare them with openapi.yaml. */
static void print_routes(void)
{
	gsize n_routes;
	const struct route *routes = routes_all(&n_routes);

	for (gsize i = 0; i < n_routes; i++) {
		printf("%s %s", routes[i].method, routes[i].path);
		for (guint n = 0; n < route_n_params(&routes[i]); n++)
			printf(" %s", routes[i].params[n]->name);
		puts(routes[i].csv != NULL ? " format" : "");
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_are_bound_or_refused),
		cmocka_unit_test(lists_are_bounded),
		cmocka_unit_test(texts_are_bounded),
		cmocka_unit_test(statements_have_every_parameter_in_the_order_of_the_table),
		cmocka_unit_test(patterns_have_one_route_a_method),
		cmocka_unit_test(form_is_the_parameter_s_or_else_the_header_s),
		cmocka_unit_test(the_next_page_is_the_same_query_with_another_cursor),
		cmocka_unit_test(names_of_files_are_plain),
		cmocka_unit_test(database_words_become_a_problem_of_the_parameter_in_the_hint),
		cmocka_unit_test(problems_are_json_whatever_a_stranger_wrote),
	};

	if (argc > 1 && strcmp(argv[1], "--list") == 0) {
		print_routes();
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
