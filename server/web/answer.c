#include "server/web/answer.h"

#include <string.h>

#include "server/common/log.h"
#include "server/web/negotiate.h"

#define CACHE_CHECK   "private, no-cache"                   /* cache, but revalidate each time */
#define CACHE_PAGE    "no-cache"                            /* the same; contains nothing private */
#define CACHE_FOREVER "public, max-age=31536000, immutable" /* the name changes with the content */
#define COMPRESS_FROM 1024                                  /* bytes: below, headers outweigh the gain */
#define BY_CODING     "Accept-Encoding"
#define BY_LANGUAGE   "Accept-Language"

gboolean visit_reads(const struct visit *visit)
{
	const char *method = visit->request->method;

	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static void print_problem(const struct visit *visit, struct problem *problem)
{
	visit->response->status = problem->status;
	visit->response->type = PROBLEM_TYPE;
	visit->response->body = problem_print(problem);
	problem_clear(problem);
}

void answer_problem(const struct visit *visit, struct problem *problem, const char *cause)
{
	if (problem->status >= 500) {
		g_autofree char *method = log_quote(visit->request->method);
		g_autofree char *target = log_quote(visit->request->target);
		g_autofree char *words = log_quote(cause);

		log_warning("%s %s: %u: %s", method, target, problem->status, words);
	}
	print_problem(visit, problem);
}

void answer_busy(const struct visit *visit, const char *detail)
{
	struct problem problem = { 0 };

	problem_set(&problem, 503, "%s", detail);
	visit->response->retry_after = ANSWER_RETRY_AWAY;
	print_problem(visit, &problem);
}

void answer_away(const struct visit *visit, const char *detail, const char *cause)
{
	struct problem problem = { 0 };

	problem_set(&problem, 503, "%s", detail);
	visit->response->retry_after = ANSWER_RETRY_AWAY;
	answer_problem(visit, &problem, cause);
}

void answer_refusal(const struct visit *visit, guint status, const char *format, ...)
{
	struct problem problem = { 0 };
	g_autofree char *detail = NULL;
	va_list args;

	va_start(args, format);
	detail = g_strdup_vprintf(format, args);
	va_end(args);
	problem_set(&problem, status, "%s", detail);
	answer_problem(visit, &problem, detail);
}

void answer_method(const struct visit *visit, const char *allow)
{
	visit->response->allow = allow;
	answer_refusal(visit, 405, "only %s are answered here", allow);
}

/* The entity tag of the gzip form of the document with etag; takes etag. */
static char *gzip_etag(char *etag)
{
	char *tag = g_strdup_printf("%.*s-gzip\"", (int)strlen(etag) - 1, etag);

	g_free(etag);
	return tag;
}

/*
 * Choose a form of the document with etag (taken): gzip if possible and accepted by the client. Returns TRUE
 * if the client does not have it, so that a body is needed; otherwise the response is a complete 304.
 */
static gboolean settle(const struct visit *visit, char *etag, gboolean packable)
{
	gboolean gzip = packable && negotiate_gzip(visit->request->accept_encoding);
	struct http_response *response = visit->response;

	response->vary = packable ? BY_CODING : NULL;
	response->etag = gzip ? gzip_etag(etag) : etag;
	if (negotiate_matches(visit->request->if_none_match, response->etag)) {
		response->status = 304;
		return FALSE;
	}
	response->status = 200;
	response->encoding = gzip ? "gzip" : NULL;
	return TRUE;
}

void answer_document(const struct visit *visit, GBytes *body, const char *type, gboolean by_accept)
{
	g_autoptr(GBytes) document = body;
	gboolean packable = g_bytes_get_size(document) > COMPRESS_FROM;
	struct http_response *response = visit->response;

	response->type = type;
	response->cache = CACHE_CHECK;
	if (settle(visit, negotiate_etag(document), packable))
		response->body =
		    response->encoding != NULL ? negotiate_compress(document) : g_bytes_ref(document);
	if (by_accept)
		response->vary = packable ? "Accept, " BY_CODING : "Accept";
}

void answer_language(const struct visit *visit, const char *language)
{
	visit->response->language = language;
	visit->response->vary = visit->response->vary != NULL ? BY_LANGUAGE ", " BY_CODING : BY_LANGUAGE;
}

void answer_stream(const struct visit *visit, const struct http_stream *stream, const char *type)
{
	visit->response->status = 200;
	visit->response->type = type;
	visit->response->vary = "Accept";
	visit->response->stream = *stream;
}

void answer_fresh(const struct visit *visit, GBytes *body, const char *type)
{
	visit->response->status = 200;
	visit->response->type = type;
	visit->response->body = body;
}

/* Where the response with an embedded file, in one of its forms, or only the news that it has not changed, is
 * kept. */
static struct http_kept *place_of(const struct asset *asset, gboolean gzip, gboolean unchanged)
{
	static struct http_kept *places;
	static gsize made;

	if (g_once_init_enter(&made)) {
		places = g_new0(struct http_kept, n_assets * 4);
		g_once_init_leave(&made, 1);
	}
	return places + (asset - assets) * 4 + (gzip ? 2 : 0) + (unchanged ? 1 : 0);
}

void answer_asset(const struct visit *visit, const struct asset *asset)
{
	struct http_response *response = visit->response;
	gboolean sent;

	response->type = asset->type;
	response->cache = asset->immutable ? CACHE_FOREVER : CACHE_PAGE;
	sent = settle(visit, g_strdup(asset->etag), asset->gzip != NULL);
	response->kept = place_of(asset, strcmp(response->etag, asset->etag) != 0, !sent);
	if (!sent)
		return;
	if (response->encoding != NULL)
		response->body = g_bytes_new_static(asset->gzip, (gsize)(asset->gzip_end - asset->gzip));
	else
		response->body = g_bytes_new_static(asset->data, (gsize)(asset->data_end - asset->data));
}
