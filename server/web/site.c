#include "server/web/site.h"

#include <json-c/json.h>
#include <string.h>

#include "server/common/log.h"
#include "server/database/migrate.h"
#include "server/web/answer.h"
#include "server/web/api.h"
#include "server/web/connection.h"
#include "server/web/metrics.h"
#include "server/web/pages.h"

#define HEADERS_MAX (16 * 1024) /* bytes; half of what http.c can hold */
#define REALM       "Basic realm=\"ruad\", charset=\"UTF-8\""
#define HEALTHY     "{\"status\": \"ok\"}"
#define NOT_READY   "{\"ready\": false}"
#define READY_SQL   "SELECT api.ready(p_schema_version => $1::int, p_definitions => $2)"
#define METRICS_SQL "SELECT api.metrics()"
#define ALIVE_SQL   "SELECT 1"
#define COUNT_SHARE 20 /* counting takes at most 1/COUNT_SHARE of a core, however often it is requested */
#define COUNT_SHORT (50 * G_TIME_SPAN_MILLISECOND) /* what takes less is counted each time */

static void answer_page(const struct visit *visit)
{
	const struct asset *asset = pages_find(assets, n_assets, visit->query->path);

	if (asset == NULL)
		answer_refusal(visit, 404, "there is no such page");
	else if (!visit_reads(visit))
		answer_method(visit, ANSWER_READERS);
	else
		answer_asset(visit, asset);
}

static void answer_health(const struct visit *visit)
{
	if (visit_reads(visit))
		answer_fresh(visit, g_bytes_new_static(HEALTHY, strlen(HEALTHY)), ANSWER_JSON);
	else
		answer_method(visit, ANSWER_READERS);
}

/* Log once when the site becomes ready or unready; it is asked every few seconds. */
static void log_ready(gboolean ready, const char *cause)
{
	static gint known = -1; /* atomic; -1: not asked yet */
	gint before = g_atomic_int_exchange(&known, ready);

	if (before != ready && ready)
		log_info("ready");
	else if (before != ready)
		log_warning("not ready: %s", cause);
}

/* The result of api.ready(): {"ready": true, ...} */
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

/* The site is ready if the database answers and api.ready() finds the schema that this program was built
 * for. */
static void answer_ready(const struct visit *visit)
{
	g_autofree char *version = g_strdup_printf("%d", migrate_version());
	char *params[] = { version, (char *)migrate_definitions() };
	g_autoptr(GError) error = NULL;
	GBytes *document = NULL;
	gboolean ready;

	if (!visit_reads(visit)) {
		answer_method(visit, ANSWER_READERS);
		return;
	}
	if (connection_document(READY_SQL, params, G_N_ELEMENTS(params), &document, NULL, NULL, &error) !=
		CONNECTION_ROWS ||
	    document == NULL)
		document = g_bytes_new_static(NOT_READY, strlen(NOT_READY));
	ready = says_ready(document);
	log_ready(ready, error != NULL ? error->message : "the database's schema is not this program's");
	answer_fresh(visit, document, ANSWER_JSON);
	visit->response->status = ready ? 200 : 503;
	visit->response->retry_after = ready ? 0 : ANSWER_RETRY_AWAY;
}

/* The result of api.metrics(), cached while counting again would cost too much. */
static struct {
	GMutex lock;
	GBytes *document; /* or NULL */
	gint64 until;     /* monotonic time */
} counted;

/* The cached document if it is still valid, transfer full. */
static GBytes *counted_get(void)
{
	GBytes *document = NULL;

	g_mutex_lock(&counted.lock);
	if (counted.document != NULL && g_get_monotonic_time() < counted.until)
		document = g_bytes_ref(counted.document);
	g_mutex_unlock(&counted.lock);
	return document;
}

/* Cache document; taken is the time that counting took, in microseconds. */
static void counted_keep(GBytes *document, gint64 taken)
{
	if (document == NULL || taken < COUNT_SHORT)
		return;
	g_mutex_lock(&counted.lock);
	g_clear_pointer(&counted.document, g_bytes_unref);
	counted.document = g_bytes_ref(document);
	counted.until = g_get_monotonic_time() + taken * COUNT_SHARE;
	g_mutex_unlock(&counted.lock);
}

/* The numbers of the database, transfer full, or NULL if it does not answer. */
static GBytes *count(void)
{
	gint64 begun = g_get_monotonic_time();
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) kept = counted_get();
	GBytes *document = NULL;
	enum connection_outcome outcome = connection_document(
	    kept != NULL ? ALIVE_SQL : METRICS_SQL, NULL, 0, &document, NULL, NULL, &error);

	if (outcome == CONNECTION_FAILED)
		log_warning("metrics: %s", error->message);
	if (kept != NULL && document != NULL) {
		g_bytes_unref(document);
		return g_steal_pointer(&kept);
	}
	if (kept == NULL)
		counted_keep(document, g_get_monotonic_time() - begun);
	return document;
}

static void answer_metrics(const struct visit *visit)
{
	g_autoptr(GBytes) document = NULL;

	if (!visit_reads(visit)) {
		answer_method(visit, ANSWER_READERS);
		return;
	}
	document = count();
	answer_fresh(visit, metrics_print(migrate_version(), document), METRICS_TYPE);
}

static const struct {
	const char *path; /* if it ends in '/', it includes all paths below */
	gboolean open;    /* without authentication: for machines, reveals nothing about reports */
	void (*answer)(const struct visit *);
} sections[] = {
	{ "/healthz", TRUE, answer_health },
	{ "/readyz", TRUE, answer_ready },
	{ "/metrics", FALSE, answer_metrics },
	{ "/api/", FALSE, api_answer },
	{ "/", FALSE, answer_page },
};

static gboolean is_in(const char *section, const char *path)
{
	return g_str_has_suffix(section, "/") ? g_str_has_prefix(path, section) : strcmp(path, section) == 0;
}

static void answer_stranger(const struct visit *visit)
{
	if (auth_mode(visit->auth) == AUTH_BASIC) {
		visit->response->authenticate = REALM;
		answer_refusal(visit, 401, "a user's name and password are needed");
	} else {
		answer_refusal(visit, 403, "the proxy before this server names no user");
	}
}

/* Let the section of the path answer, if the user may access it. */
static void enter(struct visit *visit)
{
	g_autofree char *user = NULL;
	gsize i = 0;

	while (!is_in(sections[i].path, visit->query->path)) /* the last one matches everything */
		i++;
	if (!sections[i].open &&
	    !auth_identify(visit->auth, visit->request->authorization, visit->request->user, &user)) {
		answer_stranger(visit);
		return;
	}
	visit->user = user;
	sections[i].answer(visit);
}

static void answer(struct visit *visit)
{
	const struct http_request *request = visit->request;
	g_autoptr(GError) error = NULL;
	struct query *query;

	if (strlen(request->target) > QUERY_TARGET_MAX) {
		answer_refusal(visit, 414, "the address is longer than %d bytes", QUERY_TARGET_MAX);
		return;
	}
	if (request->header_bytes > HEADERS_MAX) {
		answer_refusal(visit, 431, "the headers are larger than %d bytes", HEADERS_MAX);
		return;
	}
	if (request->malformed) {
		answer_refusal(visit, 400,
		    "a header's name must be a token (RFC 9110 section 5.1), and what tells who asks must "
		    "stand "
		    "there once");
		return;
	}
	query = query_parse(request->target, &error);
	if (query == NULL) {
		answer_refusal(visit, 400, "%s", error->message);
		return;
	}
	visit->query = query;
	enter(visit);
	query_free(query);
}

void site_handle(const struct http_request *request, struct http_response *response, gpointer user)
{
	struct visit visit = { .request = request, .response = response, .auth = user };

	answer(&visit);
	metrics_count(response->status);
}
