/*
 * fuzz_query.c - a request target through all the code that checks it before the database.
 *
 * Whatever the target, values for PostgreSQL are UTF-8 and the problem document is JSON.
 */
#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "server/web/routes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_problem(struct problem *problem)
{
	g_autoptr(GBytes) printed = problem_print(problem);
	g_autofree char *text = g_strndup(g_bytes_get_data(printed, NULL), g_bytes_get_size(printed));
	json_object *document = json_tokener_parse(text);

	if (document == NULL || !g_utf8_validate(text, -1, NULL))
		g_error("not a problem document: %s", text);
	json_object_put(document);
	problem_clear(problem);
}

static void bind_to(const struct route *route, const struct query *query)
{
	char *values[ROUTE_PARAMS_MAX] = { NULL };
	struct problem problem = { 0 };

	if (!route_bind(route, query, "1", values, &problem)) {
		check_problem(&problem);
		return;
	}
	for (guint i = 0; i < ROUTE_PARAMS_MAX; i++) {
		if (values[i] != NULL && !g_utf8_validate(values[i], -1, NULL))
			g_error("%s: not UTF-8: %s", route->path, values[i]);
		g_free(values[i]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *target = g_strndup((const char *)data, size);
	g_autofree char *segment = NULL;
	const char *allow;
	gsize n_routes;
	const struct route *routes = routes_all(&n_routes);
	struct query *query = query_parse(target, NULL);
	struct problem problem = { 0 };

	if (query != NULL) {
		(void)routes_find("GET", query->path, &segment, &allow);
		for (gsize i = 0; i < n_routes; i++)
			bind_to(&routes[i], query);
	}
	route_refused(&routes[3], target, target, &problem);
	check_problem(&problem);
	query_free(query);
	return 0;
}
