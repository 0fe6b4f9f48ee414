#include "server/web/routes.h"

#include <string.h>

#define NAME_MAX_BYTES                                                                                       \
	255 /* a domain's name is at most 253 octets (RFC 1035) and may come with a final dot */
#define TEXT_MAX_BYTES 512
#define LIMIT_MAX      500
#define VALUES_MAX     G_MAXINT64

static const char *const results[] = { "pass", "fail", NULL };
static const char *const buckets[] = { "day", "week", "month", NULL };
static const char *const series[] = { "class", "disposition", "domain", "reporter", "alignment", NULL };
static const char *const groups[] = { "ip", "auth_domain", NULL };
static const char *const orders[] = { "-messages", "-fail", NULL };
static const char *const statuses[] = { "stored", "duplicate", "conflict", "quarantined", NULL };

static const struct param domain = { .name = "domain", .type = PARAM_TEXT_LIST, .max = NAME_MAX_BYTES };
static const struct param from = { .name = "from", .type = PARAM_DATE };
static const struct param to = { .name = "to", .type = PARAM_DATE };
static const struct param result = { .name = "result", .type = PARAM_CHOICE, .choices = results };
static const struct param ip = { .name = "ip", .type = PARAM_NETWORK };
static const struct param reporter = { .name = "reporter", .type = PARAM_TEXT_LIST, .max = TEXT_MAX_BYTES };
static const struct param limit = { .name = "limit", .type = PARAM_INT, .min = 1, .max = LIMIT_MAX };
static const struct param cursor = { .name = "cursor", .type = PARAM_TEXT, .max = TEXT_MAX_BYTES };
static const struct param bucket = { .name = "bucket", .type = PARAM_CHOICE, .choices = buckets };
static const struct param by = { .name = "by", .type = PARAM_CHOICE, .choices = series };
static const struct param group = { .name = "group", .type = PARAM_CHOICE, .choices = groups };
static const struct param sort = { .name = "sort", .type = PARAM_CHOICE, .choices = orders };
static const struct param status = { .name = "status", .type = PARAM_CHOICE, .choices = statuses };
static const struct param report = { .name = "report", .type = PARAM_INT, .min = 1, .max = VALUES_MAX };
static const struct param report_id = { .name = "report_id", .type = PARAM_TEXT, .max = TEXT_MAX_BYTES };
static const struct param received_from = { .name = "received_from", .type = PARAM_DATE };
static const struct param received_to = { .name = "received_to", .type = PARAM_DATE };
static const struct param id = { .name = "id", .type = PARAM_INT, .min = 1, .max = VALUES_MAX };

/* $1 .. $6, the filters that all lists and sums take. */
#define FILTER_SQL                                                                                           \
	"p_domain => $1::text[], p_from => $2::date, p_to => $3::date, p_result => $4::text, "               \
	"p_ip => $5::inet, p_reporter => $6::text[]"
#define FILTER_PARAMS &domain, &from, &to, &result, &ip, &reporter
#define PAGE_SQL      ", p_limit => $7::int, p_cursor => $8::text"
#define PAGE_PARAMS   &limit, &cursor

static const struct route routes[] = {
	{ "GET", "/api/v1/summary", "SELECT api.summary(" FILTER_SQL ")", { FILTER_PARAMS } },
	{ "GET", "/api/v1/timeseries",
	    "SELECT api.timeseries(" FILTER_SQL ", p_bucket => $7::text, p_by => $8::text)",
	    { FILTER_PARAMS, &bucket, &by } },
	{ "GET", "/api/v1/domains", "SELECT api.domains(" FILTER_SQL PAGE_SQL ")",
	    { FILTER_PARAMS, PAGE_PARAMS } },
	{ "GET", "/api/v1/sources",
	    "SELECT api.sources(" FILTER_SQL PAGE_SQL ", p_group => $9::text, p_sort => $10::text)",
	    { FILTER_PARAMS, PAGE_PARAMS, &group, &sort } },
	{ "GET", "/api/v1/records", "SELECT api.records(" FILTER_SQL PAGE_SQL ", p_report => $9::bigint)",
	    { FILTER_PARAMS, PAGE_PARAMS, &report } },
	{ "GET", "/api/v1/reports",
	    "SELECT api.reports(" FILTER_SQL PAGE_SQL
	    ", p_report_id => $9::text, p_received_from => $10::date, p_received_to => $11::date)",
	    { FILTER_PARAMS, PAGE_PARAMS, &report_id, &received_from, &received_to } },
	{ "GET", "/api/v1/reports/{id}", "SELECT api.report(p_id => $1::bigint)", { &id } },
	{ "GET", "/api/v1/intake",
	    "SELECT api.intake(p_from => $1::date, p_to => $2::date, p_status => $3::text, "
	    "p_limit => $4::int, p_cursor => $5::text)",
	    { &from, &to, &status, PAGE_PARAMS } },
	{ "GET", "/api/v1/meta", "SELECT api.meta() || '{\"version\": \"" RUAD_VERSION "\"}'", { NULL } },
};

const struct route *routes_all(gsize *n_routes)
{
	*n_routes = G_N_ELEMENTS(routes);
	return routes;
}

/* TRUE when path fits pattern; then *segment is what stands at {name}, or NULL. */
static gboolean pattern_fits(const char *pattern, const char *path, char **segment)
{
	const char *brace = strchr(pattern, '{');
	gsize fixed;

	*segment = NULL;
	if (brace == NULL)
		return strcmp(pattern, path) == 0;
	fixed = (gsize)(brace - pattern);
	if (strncmp(pattern, path, fixed) != 0 || path[fixed] == '\0' || strchr(path + fixed, '/') != NULL)
		return FALSE;
	*segment = g_strdup(path + fixed);
	return TRUE;
}

const struct route *routes_find(const char *method, const char *path, char **segment, const char **allow)
{
	const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;

	*allow = NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(routes); i++) {
		if (!pattern_fits(routes[i].path, path, segment))
			continue;
		if (strcmp(routes[i].method, wanted) == 0)
			return &routes[i];
		g_clear_pointer(segment, g_free);
		*allow = "GET, HEAD";
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

/* The values the query gives for name, in order; borrowed. */
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

/* One value as $n gets it; NULL with the problem told. */
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

/* The text of one parameter, NULL when the query does not give it or gives a wrong one (the problem says so).
 */
static char *bind_param(const struct param *param, const GPtrArray *raw, struct problem *problem)
{
	if (raw->len == 0)
		return NULL;
	if (param_is_list(param))
		return bind_list(param, raw, problem);
	if (raw->len > 1) {
		problem_add_invalid(problem, param->name, "must be given once");
		return NULL;
	}
	return bind_value(param, g_ptr_array_index(raw, 0), problem);
}

/* A misspelt filter that went by unseen would widen an audit. */
static void refuse_unknown(const struct route *route, const struct query *query, struct problem *problem)
{
	for (guint i = 0; i < query->pairs->len; i++) {
		const struct query_pair *pair = g_ptr_array_index(query->pairs, i);
		gboolean known = FALSE;

		for (guint n = 0; n < route_n_params(route); n++)
			known |= route->params[n] != &id && strcmp(route->params[n]->name, pair->name) == 0;
		if (!known)
			problem_add_invalid(problem, pair->name, "is not a parameter of %s", route->path);
	}
}

/* Status and detail of a problem whose invalid parameters are known. */
static void conclude(struct problem *problem)
{
	if (problem->status != 0)
		return;
	if (problem->invalid->len == 2)
		problem_set(problem, 400, "parameter \"%s\" %s",
		    (const char *)g_ptr_array_index(problem->invalid, 0),
		    (const char *)g_ptr_array_index(problem->invalid, 1));
	else
		problem_set(problem, 400, "%u parameters are not as they must be", problem->invalid->len / 2);
}

gboolean route_bind(const struct route *route, const struct query *query, const char *segment,
    char *values[ROUTE_PARAMS_MAX], struct problem *problem)
{
	char *bound[ROUTE_PARAMS_MAX] = { NULL };

	refuse_unknown(route, query, problem);
	for (guint n = 0; n < route_n_params(route); n++) {
		const struct param *param = route->params[n];
		g_autoptr(GPtrArray) raw = values_of(query, param->name);

		if (param != &id)
			bound[n] = bind_param(param, raw, problem);
		else if ((bound[n] = param_read(param, segment, NULL)) == NULL)
			problem_set(problem, 404, "nothing is known under that id");
	}
	if (problem->status != 0 || problem->invalid != NULL) {
		conclude(problem);
		for (guint n = 0; n < ROUTE_PARAMS_MAX; n++)
			g_free(bound[n]);
		return FALSE;
	}
	memcpy(values, bound, sizeof bound);
	return TRUE;
}

/* The bare line behind "HINT:  " in the server's words, transfer full, or NULL. */
static char *hint_of(const char *words)
{
	static const char label[] = "\nHINT:  ";
	const char *hint = strstr(words, label);

	if (hint == NULL)
		return NULL;
	hint += strlen(label);
	return g_strndup(hint, strcspn(hint, "\n"));
}

void route_refused(const struct route *route, const char *words, struct problem *problem)
{
	const char *severity = strstr(words, ":  ");
	const char *message = severity != NULL ? severity + 3 : words;
	g_autofree char *line = g_strndup(message, strcspn(message, "\n"));
	g_autofree char *hint = hint_of(words);

	problem_set(problem, 400, "%s", line);
	for (guint n = 0; hint != NULL && n < route_n_params(route); n++)
		if (strcmp(route->params[n]->name, hint) == 0)
			problem_add_invalid(problem, hint, "%s", line);
}
