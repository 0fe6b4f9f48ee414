#include "server/web/routes.h"

#include <string.h>

#include "server/web/negotiate.h"
#include "server/web/routes_table.h"

#define CURSOR "cursor" /* the parameter's name */

const struct route *routes_all(gsize *n_routes)
{
	*n_routes = routes_table_size;
	return routes_table;
}

/* Returns TRUE if path matches pattern; *segment is then the text at {name}, or NULL. */
static gboolean pattern_fits(const char *pattern, const char *path, char **segment)
{
	const char *brace = strchr(pattern, '{');
	const char *tail;
	gsize before;
	gsize size;

	*segment = NULL;
	if (brace == NULL)
		return strcmp(pattern, path) == 0;
	before = (gsize)(brace - pattern);
	tail = strchr(brace, '}') + 1;
	if (strncmp(pattern, path, before) != 0)
		return FALSE;
	size = strcspn(path + before, "/");
	if (size == 0 || strcmp(path + before + size, tail) != 0)
		return FALSE;
	*segment = g_strndup(path + before, size);
	return TRUE;
}

/* The list of methods of a path with one more: allow has those of earlier rows, or is NULL. GET comes first
 * in the table. */
static const char *with_method(const char *allow, const char *method)
{
	if (allow != NULL)
		return strcmp(method, "PUT") == 0 ? "GET, HEAD, PUT" : "GET, HEAD, POST";
	return strcmp(method, "GET") == 0 ? "GET, HEAD" : method;
}

const struct route *routes_find(const char *method, const char *path, char **segment, const char **allow)
{
	const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;

	*allow = NULL;
	for (gsize i = 0; i < routes_table_size; i++) {
		if (!pattern_fits(routes_table[i].path, path, segment))
			continue;
		if (strcmp(routes_table[i].method, wanted) == 0)
			return &routes_table[i];
		g_clear_pointer(segment, g_free);
		*allow = with_method(*allow, routes_table[i].method);
	}
	return NULL;
}

guint route_n_params(const struct route *route)
{
	guint n = 0;

	while (n < ROUTE_PARAMS_MAX && route->params[n] != NULL)
		n++;
	return n;
}

gboolean route_shows_server(const struct route *route)
{
	for (gsize i = 0; routes_of_server[i] != NULL; i++)
		if (strcmp(routes_of_server[i], route->path) == 0)
			return TRUE;
	return FALSE;
}

/* The values of name in the query, in order; borrowed. */
static GPtrArray *values_of(const struct query *query, const char *name)
{
	GPtrArray *found = g_ptr_array_new();

	for (guint i = 0; i < query->pairs->len; i++) {
		const struct query_pair *pair = g_ptr_array_index(query->pairs, i);

		if (strcmp(pair->name, name) == 0)
			g_ptr_array_add(found, pair->value);
	}
	return found;
}

/* One value as $n receives it; NULL with the problem added. */
static char *bind_value(const struct param *param, const char *raw, struct problem *problem)
{
	g_autoptr(GError) error = NULL;
	char *value = param_read(param, raw, &error);

	if (value == NULL)
		problem_add_invalid(problem, param->name, "%s", error->message);
	return value;
}

static char *bind_list(const struct param *param, const GPtrArray *raw, struct problem *problem)
{
	g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);

	if (raw->len > PARAM_LIST_MAX) {
		problem_add_invalid(problem, param->name, "must be given at most %d times", PARAM_LIST_MAX);
		return NULL;
	}
	for (guint i = 0; i < raw->len; i++) {
		char *value = bind_value(param, g_ptr_array_index(raw, i), problem);

		if (value == NULL)
			return NULL;
		g_ptr_array_add(list, value);
	}
	return param_array((const char *const *)list->pdata, list->len);
}

/* The text of one parameter; NULL if the query does not give it or gives an invalid one (the problem says
 * so). */
static char *bind_param(const struct param *param, const GPtrArray *raw, struct problem *problem)
{
	if (raw->len == 0) {
		if (param->required)
			problem_add_invalid(problem, param->name, "is required");
		return NULL;
	}
	if (param->list)
		return bind_list(param, raw, problem);
	if (raw->len > 1) {
		problem_add_invalid(problem, param->name, "must be given once");
		return NULL;
	}
	return bind_value(param, g_ptr_array_index(raw, 0), problem);
}

/* The parameter for the path's {name}, or NULL. */
static const struct param *segment_param(const struct route *route)
{
	return strchr(route->path, '{') != NULL ? route->params[0] : NULL;
}

static gboolean is_known(const struct route *route, const char *word)
{
	for (guint n = 0; n < route_n_params(route); n++)
		if (route->params[n] != segment_param(route) && strcmp(route->params[n]->name, word) == 0)
			return TRUE;
	return route->csv != NULL && strcmp(routes_format.name, word) == 0;
}

/* An ignored misspelt filter would widen an audit. */
static void refuse_unknown(const struct route *route, const struct query *query, struct problem *problem)
{
	for (guint i = 0; i < query->pairs->len; i++) {
		const struct query_pair *pair = g_ptr_array_index(query->pairs, i);

		if (!is_known(route, pair->name))
			problem_add_invalid(problem, pair->name, "is not a parameter of %s", route->path);
	}
}

/* "format" is not a parameter of the statement; it chooses the statement. */
static void refuse_format(const struct route *route, const struct query *query, struct problem *problem)
{
	g_autoptr(GPtrArray) raw = values_of(query, routes_format.name);

	if (route->csv != NULL)
		g_free(bind_param(&routes_format, raw, problem));
}

gboolean route_bind(const struct route *route, const struct query *query, const char *segment,
    char *values[ROUTE_PARAMS_MAX], struct problem *problem)
{
	char *bound[ROUTE_PARAMS_MAX] = { NULL };

	refuse_unknown(route, query, problem);
	refuse_format(route, query, problem);
	for (guint n = 0; n < route_n_params(route); n++) {
		const struct param *param = route->params[n];
		g_autoptr(GPtrArray) raw = values_of(query, param->name);

		if (param != segment_param(route))
			bound[n] = bind_param(param, raw, problem);
		else if ((bound[n] = param_read(param, segment, NULL)) == NULL)
			problem_set(problem, 404, "nothing is known about this %s", param->name);
	}
	if (problem->status != 0 || problem->invalid != NULL) {
		problem_conclude(problem);
		for (guint n = 0; n < ROUTE_PARAMS_MAX; n++)
			g_free(bound[n]);
		return FALSE;
	}
	memcpy(values, bound, sizeof bound);
	return TRUE;
}

gboolean route_gives_csv(const struct route *route, const struct query *query, const char *accept)
{
	g_autoptr(GPtrArray) raw = values_of(query, routes_format.name);

	if (route->csv == NULL)
		return FALSE;
	if (raw->len > 0)
		return strcmp(g_ptr_array_index(raw, 0), "csv") == 0;
	return negotiate_csv(accept);
}

char *route_next(const struct query *query, const char *next)
{
	g_autofree char *encoded = g_uri_escape_string(next, NULL, FALSE);
	GString *reference = g_string_new("?");

	for (guint i = 0; i < query->pairs->len; i++) {
		const struct query_pair *pair = g_ptr_array_index(query->pairs, i);

		if (strcmp(pair->name, CURSOR) == 0)
			continue;
		g_string_append_uri_escaped(reference, pair->name, NULL, FALSE);
		g_string_append_c(reference, '=');
		g_string_append_uri_escaped(reference, pair->value, ":/@,", FALSE);
		g_string_append_c(reference, '&');
	}
	g_string_append_printf(reference, "%s=%s", CURSOR, encoded);
	return g_string_free(reference, FALSE);
}

/* Append "-" and text, with '-' for every character that is unsuitable in file names. */
static void append_part(GString *name, const char *text)
{
	if (text == NULL)
		return;
	g_string_append_c(name, '-');
	for (const char *at = text; *at != '\0'; at++)
		g_string_append_c(name, g_ascii_isalnum(*at) || *at == '.' ? *at : '-');
}

char *route_filename(
    const struct route *route, const struct query *query, const char *segment, const char *extension)
{
	static const char *const dates[] = { "from", "to" };
	GString *name = g_string_new("ruad");

	append_part(name, route->name);
	append_part(name, segment);
	for (gsize i = 0; i < G_N_ELEMENTS(dates); i++) {
		g_autoptr(GPtrArray) raw = values_of(query, dates[i]);

		if (raw->len > 0)
			append_part(name, g_ptr_array_index(raw, 0));
	}
	g_string_append_printf(name, ".%s", extension);
	return g_string_free(name, FALSE);
}

void route_refused(
    const struct route *route, const char *message, const char *parameter, struct problem *problem)
{
	g_autofree char *line = g_strndup(message, strcspn(message, "\n"));

	problem_set(problem, 400, "%s", line);
	for (guint n = 0; parameter != NULL && n < route_n_params(route); n++)
		if (strcmp(route->params[n]->name, parameter) == 0)
			problem_add_invalid(problem, parameter, "%s", line);
}
