#include "server/web/api.h"

#include <string.h>

#include "server/common/log.h"
#include "server/web/assets.h"
#include "server/web/audit.h"
#include "server/web/connection.h"
#include "server/web/help.h"
#include "server/web/label.h"
#include "server/web/negotiate.h"
#include "server/web/pages.h"
#include "server/web/rights.h"
#include "server/web/routes.h"
#include "server/web/stream.h"
#include "server/web/upload.h"

#define CSV_TYPE "text/csv; charset=utf-8; header=present"
#define XML_TYPE "application/xml"
#define DOWNLOAD                                                                                             \
	"sandbox" /* Content-Security-Policy of documents with text of strangers: no origin, no scripts */
#define LABEL_PARAMS 5
#define READS_ONLY   "Bearer error=\"insufficient_scope\"" /* RFC 6750 section 3 */

G_STATIC_ASSERT(ROUTE_PARAMS_MAX <= CONNECTION_PARAMS_MAX);

/* Answer for a statement that gave no document; clears refusal. */
static void answer_outcome(const struct visit *visit, const struct route *route,
    enum connection_outcome outcome, struct connection_refusal *refusal, const GError *error)
{
	struct problem problem = { 0 };

	switch (outcome) {
	case CONNECTION_REFUSED:
		route_refused(route, refusal->message, refusal->parameter, &problem);
		break;
	case CONNECTION_BUSY:
		visit->response->retry_after = ANSWER_RETRY_BUSY;
		problem_set(&problem, 503, "the database took too long; ask for a shorter window");
		break;
	case CONNECTION_INTERRUPTED: /* nobody reads this; it is not worth a line in the log */
		answer_busy(visit, "the request was abandoned");
		connection_refusal_clear(refusal);
		return;
	case CONNECTION_CROWDED:
		visit->response->retry_after = ANSWER_RETRY_BUSY;
		problem_set(&problem, 503, "too many downloads are in progress");
		break;
	case CONNECTION_AWAY:
		answer_away(visit, ANSWER_AWAY, error->message);
		connection_refusal_clear(refusal);
		return;
	default:
		problem_set(&problem, 500, "see the server's log");
	}
	answer_problem(visit, &problem, error->message);
	connection_refusal_clear(refusal);
}

/* The user whose domains limit what the visit reads, or NULL. */
static const char *limited(const struct visit *visit)
{
	return grant_is_limited(visit->grant) ? visit->user : NULL;
}

/* A route's parameters, bound; free with bound_clear(). */
struct bound {
	char *values[ROUTE_PARAMS_MAX];
};

static void bound_clear(struct bound *bound)
{
	for (guint i = 0; i < ROUTE_PARAMS_MAX; i++)
		g_free(bound->values[i]);
}

static char *disposition(
    const struct visit *visit, const struct route *route, const char *segment, const char *extension)
{
	g_autofree char *name = route_filename(route, visit->query, segment, extension);

	return g_strdup_printf("attachment; filename=\"%s\"", name);
}

/* For a page of CSV, the header Link has the next page. */
static void add_csv_headers(
    const struct visit *visit, const struct route *route, const char *segment, const char *next)
{
	visit->response->disposition = disposition(visit, route, segment, "csv");
	if (next != NULL) {
		g_autofree char *reference = route_next(visit->query, next);

		visit->response->link = g_strdup_printf("<%s>; rel=\"next\"", reference);
	}
}

/* Answer with the document of the statement, in the requested form; takes it. */
static void answer_found(const struct visit *visit, const struct route *route, const char *segment,
    gboolean csv, GBytes *document, const char *next)
{
	const char *type = csv ? CSV_TYPE : route->form == ROUTE_XML ? XML_TYPE : ANSWER_JSON;

	answer_document(visit, document, type, route->csv != NULL);
	if (csv)
		add_csv_headers(visit, route, segment, next);
	if (route->form == ROUTE_XML) {
		visit->response->disposition = disposition(visit, route, segment, "xml");
		visit->response->policy = DOWNLOAD;
	}
}

static void answer_nothing(const struct visit *visit, const struct route *route, const char *segment)
{
	answer_refusal(visit, 404, "nothing is known under that %s",
	    segment != NULL ? route->params[0]->name : "address");
}

/* For struct http_stream. The log says why a stream was aborted; the client only sees that it was. */
static GBytes *next_piece(gpointer source, gboolean *failed)
{
	g_autoptr(GError) error = NULL;
	GBytes *piece = stream_next(source, &error);

	if (error != NULL)
		log_warning("a download was aborted: %s", error->message);
	*failed = error != NULL;
	return piece;
}

static void free_stream(gpointer source)
{
	stream_free(source);
}

/* Answer with CSV line by line. If all fits into one piece, it is a document like others: with length and
 * validator, and compressed. */
static void answer_rows(
    const struct visit *visit, const struct route *route, const char *segment, const struct bound *bound)
{
	struct connection_refusal refusal = { NULL, NULL };
	g_autoptr(GError) error = NULL;
	g_autofree char *next = NULL;
	struct stream *stream = NULL;
	enum connection_outcome outcome = stream_open(limited(visit), route->csv, bound->values,
	    route_n_params(route), &stream, &next, &refusal, &error);

	if (outcome != CONNECTION_ROWS) {
		answer_outcome(visit, route, outcome, &refusal, error);
	} else if (stream == NULL) {
		answer_nothing(visit, route, segment);
	} else if (stream_is_short(stream)) {
		answer_found(visit, route, segment, TRUE, stream_next(stream, NULL), next);
		stream_free(stream);
	} else {
		answer_stream(visit, &(struct http_stream){ next_piece, free_stream, stream }, CSV_TYPE);
		add_csv_headers(visit, route, segment, next);
	}
}

static void answer_read(
    const struct visit *visit, const struct route *route, const char *segment, const struct bound *bound)
{
	gboolean csv = route_gives_csv(route, visit->query, visit->request->accept);
	struct connection_refusal refusal = { NULL, NULL };
	g_autoptr(GError) error = NULL;
	g_autofree char *next = NULL;
	GBytes *document = NULL;
	enum connection_outcome outcome = connection_document(limited(visit), csv ? route->csv : route->sql,
	    bound->values, route_n_params(route), &document, csv ? &next : NULL, &refusal, &error);

	if (outcome != CONNECTION_ROWS)
		answer_outcome(visit, route, outcome, &refusal, error);
	else if (document == NULL)
		answer_nothing(visit, route, segment);
	else
		answer_found(visit, route, segment, csv, document, next);
}

/* The language of the help, one of param's choices: value, or if that is NULL what the client prefers. */
static const char *language_of(const struct visit *visit, const struct param *param, const char *value)
{
	for (gsize i = 0; value != NULL && param->choices[i] != NULL; i++)
		if (strcmp(param->choices[i], value) == 0)
			return param->choices[i];
	return negotiate_language(visit->request->accept_language, param->choices);
}

/* The embedded texts in a language, transfer full. */
static GBytes *texts_in(const char *language)
{
	g_autofree char *path = g_strdup_printf("/texts/%s.json", language);
	const struct asset *asset = pages_find(assets, n_assets, path);

	g_assert(asset != NULL);
	return g_bytes_new_static(asset->data, (gsize)(asset->data_end - asset->data));
}

static void answer_help(const struct visit *visit, const struct route *route, const struct bound *bound)
{
	guint last = route_n_params(route) - 1;
	const char *language = language_of(visit, route->params[last], bound->values[last]);
	g_autoptr(GBytes) texts = texts_in(language);
	g_autoptr(GBytes) document = NULL;
	struct connection_refusal refusal = { 0 };
	g_autoptr(GError) error = NULL;
	enum connection_outcome outcome = connection_document(
	    limited(visit), route->sql, bound->values, last, &document, NULL, &refusal, &error);

	if (outcome != CONNECTION_ROWS) {
		answer_outcome(visit, route, outcome, &refusal, error);
	} else if (document == NULL) {
		answer_nothing(visit, route, NULL);
	} else {
		g_autofree char *database = connection_database();

		answer_document(visit, help_print(texts, document, database), ANSWER_JSON, FALSE);
		answer_language(visit, language);
	}
}

/* Returns whether the user, by any token, may edit. */
static gboolean edits(const struct visit *visit)
{
	return grant_edits(visit->grant, auth_is_editor(visit->auth, visit->user));
}

/* A user who is not an editor learns nothing about other faults of the request. what: "labels are set". */
static gboolean may_edit(const struct visit *visit, const char *what)
{
	if (visit->token != NULL && !visit->token->may_write) {
		visit->response->authenticate = READS_ONLY;
		answer_refusal(visit, 403, "this token may only read");
		return FALSE;
	}
	if (edits(visit))
		return TRUE;
	if (visit->grant->role != GRANT_NONE)
		answer_refusal(visit, 403, "%s by editors, and you are a viewer", what);
	else if (visit->user == NULL)
		answer_refusal(
		    visit, 403, "%s by users that http.editors names, and nobody signs in here", what);
	else
		answer_refusal(visit, 403, "%s by users that http.editors names", what);
	return FALSE;
}

static gboolean may_label(const struct visit *visit)
{
	if (!may_edit(visit, "labels are set"))
		return FALSE;
	if (!connection_may_edit())
		answer_refusal(visit, 403, "labels are set by users that http.editors names");
	return connection_may_edit();
}

static void answer_label(const struct visit *visit, const struct route *route, const struct bound *bound)
{
	g_autofree char *label = NULL;
	g_autofree char *note = NULL;
	struct connection_refusal refusal = { NULL, NULL };
	g_autoptr(GError) error = NULL;
	struct problem problem = { 0 };
	GBytes *document = NULL;
	enum connection_outcome outcome;

	if (!may_label(visit))
		return;
	if (!label_read(visit->request, &label, &note, &problem)) {
		answer_problem(visit, &problem, NULL);
		return;
	}
	outcome = connection_edit(route->sql,
	    (char *const[LABEL_PARAMS]){ bound->values[0], label, note, (char *)visit->user,
		visit->token != NULL ? visit->token->name : NULL },
	    LABEL_PARAMS, &document, &refusal, &error);
	if (outcome == CONNECTION_ROWS && document != NULL)
		answer_fresh(visit, document, ANSWER_JSON);
	else if (outcome == CONNECTION_ROWS)
		answer_refusal(visit, 404, "nothing is known under that key");
	else
		answer_outcome(visit, route, outcome, &refusal, error);
}

/* -- uploads -- */

/* A report may be about any domain. */
static gboolean may_upload(const struct visit *visit)
{
	if (!may_edit(visit, "reports are uploaded"))
		return FALSE;
	if (limited(visit) != NULL)
		answer_refusal(visit, 403, "this is for users who see all domains");
	return limited(visit) == NULL;
}

/* What became of the files is for the database to say: ruad-ingest has only told the numbers of their mails.
 */
static void answer_uploaded(const struct visit *visit, const struct route *route, const struct upload *upload)
{
	struct connection_refusal refusal = { NULL, NULL };
	g_autoptr(GError) error = NULL;
	GBytes *document = NULL;
	enum connection_outcome outcome = connection_document(
	    NULL, route->sql, (char *const[]){ upload->files }, 1, &document, NULL, &refusal, &error);

	if (outcome == CONNECTION_ROWS && document != NULL)
		answer_fresh(visit, document, ANSWER_JSON);
	else
		answer_outcome(visit, route, outcome, &refusal, error);
}

static void answer_upload(const struct visit *visit, const struct route *route, const struct bound *bound)
{
	struct upload upload = { NULL, NULL, 0 };
	struct problem problem = { 0 };
	gboolean good;

	if (!may_upload(visit))
		return;
	good = upload_run(visit->request, bound->values[0], &upload, &problem);
	if (upload.mails->len > 0)
		audit_upload(visit, upload.mails);
	if (!good && problem.status == 503)
		visit->response->retry_after = UPLOAD_RETRY;
	if (good)
		answer_uploaded(visit, route, &upload);
	else
		answer_problem(visit, &problem, problem.detail);
	upload_clear(&upload);
}

/* -- the audit log -- */

/* Returns whether the answer is a file to be saved. HEAD sends none. */
static gboolean is_download(const struct visit *visit, const struct route *route)
{
	return strcmp(visit->request->method, "GET") == 0 &&
	       (route->form == ROUTE_XML || route_gives_csv(route, visit->query, visit->request->accept));
}

/* Log that the user downloads. Nothing is sent that is not logged. */
static gboolean may_download(const struct visit *visit)
{
	guint wait = audit_export_wait(visit);
	g_autoptr(GError) error = NULL;

	if (wait > 0) {
		visit->response->retry_after = wait;
		answer_refusal(visit, 429, "too many downloads; try again in %u seconds", wait);
		return FALSE;
	}
	if (audit_export(visit, &error))
		return TRUE;
	answer_away(visit, ANSWER_AWAY ", and cannot log the download", error->message);
	return FALSE;
}

/* The log names users and their addresses. */
static gboolean may_audit(const struct visit *visit)
{
	if (edits(visit))
		return TRUE;
	answer_refusal(visit, 403, "the audit log is for editors");
	return FALSE;
}

/* -- routes -- */

/* Answer if the user may not have what the route gives, and return FALSE. */
static gboolean is_allowed(const struct visit *visit, const struct route *route)
{
	return (route->form != ROUTE_AUDIT || may_audit(visit)) &&
	       (!is_download(visit, route) || may_download(visit));
}

static void answer_bound(
    const struct visit *visit, const struct route *route, const char *segment, const struct bound *bound)
{
	if (route->form == ROUTE_ME)
		answer_document(visit, auth_describe(visit->auth, visit->user, visit->grant, visit->token),
		    ANSWER_JSON, FALSE);
	else if (route->form == ROUTE_HELP)
		answer_help(visit, route, bound);
	else if (route->form == ROUTE_LABEL)
		answer_label(visit, route, bound);
	else if (route->form == ROUTE_UPLOAD)
		answer_upload(visit, route, bound);
	else if (route->form == ROUTE_ROWS && route_gives_csv(route, visit->query, visit->request->accept))
		answer_rows(visit, route, segment, bound);
	else
		answer_read(visit, route, segment, bound);
}

static void answer_route(const struct visit *visit, const struct route *route, const char *segment)
{
	struct bound bound = { { NULL } };
	struct problem problem = { 0 };

	if (limited(visit) != NULL && route_shows_server(route))
		answer_refusal(visit, 403, "this is for users who see all domains");
	else if (!route_bind(route, visit->query, segment, bound.values, &problem))
		answer_problem(visit, &problem, NULL);
	else if (is_allowed(visit, route))
		answer_bound(visit, route, segment, &bound);
	bound_clear(&bound);
}

/* Answer with the rights of the user. */
static void answer_user(const struct visit *visit, const struct route *route, const char *segment)
{
	struct visit known = *visit;
	struct grant grant;

	if (!rights_find(visit, &grant))
		return;
	known.grant = &grant;
	answer_route(&known, route, segment);
	grant_clear(&grant);
}

void api_answer(const struct visit *visit)
{
	g_autofree char *segment = NULL;
	const char *allow;
	const struct route *route = routes_find(visit->request->method, visit->query->path, &segment, &allow);

	if (route != NULL)
		answer_user(visit, route, segment);
	else if (allow != NULL)
		answer_method(visit, allow);
	else
		answer_refusal(visit, 404, "the API has no such resource");
}
