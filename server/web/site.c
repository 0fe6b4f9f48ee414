#include "server/web/site.h"

#include <json-c/json.h>
#include <string.h>

#include "server/common/log.h"
#include "server/web/negotiate.h"
#include "server/web/pages.h"
#include "server/web/problem.h"
#include "server/web/query.h"
#include "server/web/routes.h"
#include "server/web/session.h"
#include "sql/embedded.h"

#define JSON_TYPE     "application/json"
#define CACHE_CHECK   "private, no-cache"                   /* keep, but ask each time */
#define CACHE_PAGE    "no-cache"                            /* as above; holds nothing private */
#define CACHE_FOREVER "public, max-age=31536000, immutable" /* the name changes with the content */
#define ALLOW_READ    "GET, HEAD"
#define COMPRESS_FROM 1024        /* bytes: below, headers outweigh the gain */
#define HEADERS_MAX   (16 * 1024) /* bytes; half of what http.c can hold */
#define RETRY_AWAY    5           /* seconds */
#define RETRY_BUSY    30
#define HEALTHY       "{\"status\": \"ok\"}"
#define NOT_READY     "{\"ready\": false}"
#define READY_SQL     "SELECT api.ready(p_schema_version => $1::int)"

static gboolean is_read(const char *method)
{
	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

/* Answer with the problem, and log it when it is ours. */
static void answer_problem(const struct http_request *request, struct http_response *response,
    struct problem *problem, const char *cause)
{
	if (problem->status >= 500) {
		g_autofree char *method = log_quote(request->method);
		g_autofree char *target = log_quote(request->target);
		g_autofree char *words = log_quote(cause);

		log_warning("%s %s: %u: %s", method, target, problem->status, words);
	}
	response->status = problem->status;
	response->type = PROBLEM_TYPE;
	response->body = problem_print(problem);
	problem_clear(problem);
}

static void G_GNUC_PRINTF(4, 5) answer_plain_problem(
    const struct http_request *request, struct http_response *response, guint status, const char *format, ...)
{
	struct problem problem = { 0 };
	g_autofree char *detail = NULL;
	va_list args;

	va_start(args, format);
	detail = g_strdup_vprintf(format, args);
	va_end(args);
	problem_set(&problem, status, "%s", detail);
	answer_problem(request, response, &problem, detail);
}

static void answer_method(
    const struct http_request *request, struct http_response *response, const char *allow)
{
	response->allow = allow;
	answer_plain_problem(request, response, 405, "only %s are answered here", allow);
}

/* The tag of the gzip form of what etag names; takes etag. */
static char *gzip_etag(char *etag)
{
	char *tag = g_strdup_printf("%.*s-gzip\"", (int)strlen(etag) - 1, etag);

	g_free(etag);
	return tag;
}

/*
 * Settle on a form of what etag (taken) names: packed when it can be and the client takes it. TRUE when the client
 * lacks it, so that a body is needed; else the answer is 304 and complete.
 */
static gboolean settle(
    const struct http_request *request, struct http_response *response, char *etag, gboolean packable)
{
	gboolean gzip = packable && negotiate_gzip(request->accept_encoding);

	response->vary = packable ? "Accept-Encoding" : NULL;
	response->etag = gzip ? gzip_etag(etag) : etag;
	if (negotiate_matches(request->if_none_match, response->etag)) {
		response->status = 304;
		return FALSE;
	}
	response->status = 200;
	response->encoding = gzip ? "gzip" : NULL;
	return TRUE;
}

/* Answer with a JSON document; takes body. */
static void answer_json(const struct http_request *request, struct http_response *response, GBytes *body)
{
	g_autoptr(GBytes) document = body;
	gboolean packable = g_bytes_get_size(document) > COMPRESS_FROM;

	response->type = JSON_TYPE;
	response->cache = CACHE_CHECK;
	if (settle(request, response, negotiate_etag(document), packable))
		response->body =
		    response->encoding != NULL ? negotiate_compress(document) : g_bytes_ref(document);
}

static void answer_asset(
    const struct http_request *request, struct http_response *response, const struct asset *asset)
{
	response->type = asset->type;
	response->cache = asset->immutable ? CACHE_FOREVER : CACHE_PAGE;
	if (!settle(request, response, g_strdup(asset->etag), asset->gzip != NULL))
		return;
	if (response->encoding != NULL)
		response->body = g_bytes_new_static(asset->gzip, (gsize)(asset->gzip_end - asset->gzip));
	else
		response->body = g_bytes_new_static(asset->data, (gsize)(asset->data_end - asset->data));
}

/* What the database did instead of answering. */
static void answer_outcome(const struct http_request *request, struct http_response *response,
    const struct route *route, enum session_outcome outcome, const GError *error)
{
	struct problem problem = { 0 };

	switch (outcome) {
	case SESSION_REFUSED:
		route_refused(route, error->message, &problem);
		break;
	case SESSION_BUSY:
		response->retry_after = RETRY_BUSY;
		problem_set(&problem, 503, "the database took too long; ask for a shorter window");
		break;
	case SESSION_AWAY:
		response->retry_after = RETRY_AWAY;
		problem_set(&problem, 503, "the database is away");
		break;
	default:
		problem_set(&problem, 500, "the server's log says more");
	}
	answer_problem(request, response, &problem, error->message);
}

static void answer_route(const struct http_request *request, struct http_response *response,
    const struct route *route, const struct query *query, const char *segment)
{
	char *values[ROUTE_PARAMS_MAX] = { NULL };
	struct problem problem = { 0 };
	g_autoptr(GError) error = NULL;
	GBytes *document = NULL;
	enum session_outcome outcome;

	if (!route_bind(route, query, segment, values, &problem)) {
		answer_problem(request, response, &problem, NULL);
		return;
	}
	outcome = session_document(route->sql, values, route_n_params(route), &document, &error);
	if (outcome != SESSION_ROWS)
		answer_outcome(request, response, route, outcome, error);
	else if (document == NULL)
		answer_plain_problem(request, response, 404, "nothing is known under that id");
	else
		answer_json(request, response, document);
	for (guint i = 0; i < ROUTE_PARAMS_MAX; i++)
		g_free(values[i]);
}

static void answer_api(
    const struct http_request *request, struct http_response *response, const struct query *query)
{
	g_autofree char *segment = NULL;
	const char *allow;
	const struct route *route = routes_find(request->method, query->path, &segment, &allow);

	if (route != NULL)
		answer_route(request, response, route, query, segment);
	else if (allow != NULL)
		answer_method(request, response, allow);
	else
		answer_plain_problem(request, response, 404, "the API has no such resource");
}

static void answer_page(
    const struct http_request *request, struct http_response *response, const struct query *query)
{
	const struct asset *asset = pages_find(assets, n_assets, query->path);

	if (asset == NULL)
		answer_plain_problem(request, response, 404, "there is no such page");
	else if (!is_read(request->method))
		answer_method(request, response, ALLOW_READ);
	else
		answer_asset(request, response, asset);
}

static void answer_health(
    const struct http_request *request, struct http_response *response, const struct query *query)
{
	(void)query;
	if (!is_read(request->method)) {
		answer_method(request, response, ALLOW_READ);
		return;
	}
	response->status = 200;
	response->type = JSON_TYPE;
	response->body = g_bytes_new_static(HEALTHY, strlen(HEALTHY));
}

/* Says so once when the site becomes ready, or ceases to be: it is asked every few seconds. */
static void log_ready(gboolean ready, const char *cause)
{
	static gint known = -1; /* atomic; -1 is not asked yet */
	gint before = g_atomic_int_exchange(&known, ready);

	if (before != ready && ready)
		log_info("ready");
	else if (before != ready)
		log_warning("not ready: %s", cause);
}

/* What api.ready() said: {"ready": true, ...} */
static gboolean says_ready(GBytes *document)
{
	json_tokener *tokener = json_tokener_new();
	gsize size;
	const char *text = g_bytes_get_data(document, &size);
	json_object *object = json_tokener_parse_ex(tokener, text, (int)size);
	gboolean ready = json_object_get_boolean(json_object_object_get(object, "ready"));

	json_object_put(object);
	json_tokener_free(tokener);
	return ready;
}

/* Ready when the database answers and api.ready() finds the schema that this program was built with. */
static void answer_ready(
    const struct http_request *request, struct http_response *response, const struct query *query)
{
	g_autofree char *version = g_strdup_printf("%d", migrations[n_migrations - 1].number);
	g_autoptr(GError) error = NULL;
	GBytes *document = NULL;
	gboolean ready;

	(void)query;
	if (!is_read(request->method)) {
		answer_method(request, response, ALLOW_READ);
		return;
	}
	if (session_document(READY_SQL, &version, 1, &document, &error) != SESSION_ROWS || document == NULL)
		document = g_bytes_new_static(NOT_READY, strlen(NOT_READY));
	ready = says_ready(document);
	log_ready(ready, error != NULL ? error->message : "the database's schema is not this program's");
	response->status = ready ? 200 : 503;
	response->retry_after = ready ? 0 : RETRY_AWAY;
	response->type = JSON_TYPE;
	response->body = document;
}

static const struct {
	const char *path; /* one that ends in '/' stands for all below it */
	void (*answer)(const struct http_request *, struct http_response *, const struct query *);
} rooms[] = {
	{ "/healthz", answer_health },
	{ "/readyz", answer_ready },
	{ "/api/", answer_api },
	{ "/", answer_page },
};

static gboolean is_in(const char *room, const char *path)
{
	return g_str_has_suffix(room, "/") ? g_str_has_prefix(path, room) : strcmp(path, room) == 0;
}

void site_handle(const struct http_request *request, struct http_response *response, gpointer user)
{
	g_autoptr(GError) error = NULL;
	struct query *query;

	(void)user;
	if (strlen(request->target) > QUERY_TARGET_MAX) {
		answer_plain_problem(
		    request, response, 414, "the address is longer than %d bytes", QUERY_TARGET_MAX);
		return;
	}
	if (request->header_bytes > HEADERS_MAX) {
		answer_plain_problem(
		    request, response, 431, "the headers are larger than %d bytes", HEADERS_MAX);
		return;
	}
	if (request->malformed) {
		answer_plain_problem(request, response, 400,
		    "a header's name must be a token (RFC 9110 section 5.1), and Authorization, "
		    "Content-Type, Host, Origin and "
		    "Sec-Fetch-Site stand there once");
		return;
	}
	query = query_parse(request->target, &error);
	if (query == NULL) {
		answer_plain_problem(request, response, 400, "%s", error->message);
		return;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(rooms); i++)
		if (is_in(rooms[i].path, query->path)) {
			rooms[i].answer(request, response, query);
			break;
		}
	query_free(query);
}
