#include "server/web/site.h"

#include <string.h>

#include "server/common/log.h"
#include "server/database/migrate.h"
#include "server/web/answer.h"
#include "server/web/api.h"
#include "server/web/audit.h"
#include "server/web/connection.h"
#include "server/web/host.h"
#include "server/web/metrics.h"
#include "server/web/pages.h"
#include "server/web/ready.h"
#include "server/web/rights.h"

#define HEADERS_MAX (16 * 1024) /* bytes; half of what http.c can hold */
#define REALM       "Basic realm=\"ruad\", charset=\"UTF-8\""
#define HEALTHY     "{\"status\": \"ok\"}"
#define METRICS_SQL "SELECT api.metrics()"
#define ALIVE_SQL   "SELECT 1"
#define BAD_TOKEN   "Bearer error=\"invalid_token\"" /* RFC 6750 section 3 */
#define API         "/api/"
#define LOGOUT      "/logout"
#define HTML        "text/html; charset=utf-8"
#define SIGNED_OUT                                                                                           \
	"<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>ruad: signed out</title>"           \
	"<p>You are signed out. <a href=\"./\">Sign in again</a></p></html>\n"
#define REFUSED_LOG (60 * G_TIME_SPAN_SECOND) /* between two lines about refused requests */
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

static void answer_ready(const struct visit *visit)
{
	GBytes *document;
	gboolean ready;

	if (!visit_reads(visit)) {
		answer_method(visit, ANSWER_READERS);
		return;
	}
	ready = ready_ask(&document);
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
	    NULL, kept != NULL ? ALIVE_SQL : METRICS_SQL, NULL, 0, &document, NULL, NULL, &error);

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
	enum connection_outcome outcome;
	struct grant grant;
	gboolean is_limited;

	if (!visit_reads(visit)) {
		answer_method(visit, ANSWER_READERS);
		return;
	}
	outcome = rights_ask(visit, &grant, NULL);
	is_limited = grant_is_limited(&grant);
	grant_clear(&grant);
	if (is_limited) {
		answer_refusal(visit, 403, "metrics are for users who see all domains");
		return;
	}
	if (outcome == CONNECTION_ROWS) /* else the metrics of this process are all that there is */
		document = count();
	answer_fresh(visit, metrics_print(migrate_version(), document), METRICS_TYPE);
}

/*
 * Make the browser forget the password: that is what it does with one that is rejected. The realm must be the
 * one for which it knows the password, or it keeps it. It asks for another; who cancels sees this page.
 */
static void answer_logout(const struct visit *visit)
{
	if (auth_mode(visit->auth) != AUTH_BASIC || visit->token != NULL) {
		answer_page(visit);
		return;
	}
	audit_logout(visit);
	answer_fresh(visit, g_bytes_new_static(SIGNED_OUT, strlen(SIGNED_OUT)), HTML);
	visit->response->status = 401;
	visit->response->authenticate = REALM;
}

static const struct {
	const char *path; /* if it ends in '/', it includes all paths below */
	gboolean open;    /* without authentication: for machines, reveals nothing about reports */
	void (*answer)(const struct visit *);
} sections[] = {
	{ "/healthz", TRUE, answer_health },
	{ "/readyz", TRUE, answer_ready },
	{ "/metrics", FALSE, answer_metrics },
	{ API, FALSE, api_answer },
	{ LOGOUT, FALSE, answer_logout },
	{ "/", FALSE, answer_page },
};

#define N_URGENT 2 /* sections, from the first on */

static gboolean is_in(const char *section, const char *path)
{
	return g_str_has_suffix(section, "/") ? g_str_has_prefix(path, section) : strcmp(path, section) == 0;
}

static void answer_stranger(
    const struct visit *visit, enum auth_verdict verdict, guint wait, const GError *error)
{
	if (verdict == AUTH_DELAYED) {
		visit->response->retry_after = wait;
		answer_refusal(
		    visit, 429, "too many wrong passwords or tokens; try again in %u seconds", wait);
	} else if (verdict == AUTH_AWAY) { /* whether the token is valid cannot be found out */
		answer_away(visit, ANSWER_AWAY, error != NULL ? error->message : NULL);
	} else if (verdict == AUTH_NO_TOKEN) {
		visit->response->authenticate = BAD_TOKEN;
		answer_refusal(visit, 401, "the token is unknown or has expired");
	} else if (verdict == AUTH_NO_PROXY) {
		answer_refusal(visit, 403, "the request is not from the proxy (http.proxy_secret)");
	} else if (auth_mode(visit->auth) == AUTH_BASIC) {
		visit->response->authenticate = REALM;
		answer_refusal(visit, 401, "a user's name and password are needed");
	} else {
		answer_refusal(visit, 403, "the proxy before this server names no user");
	}
}

/* What the request says of who asks. */
static struct auth_claim claim_of(const struct http_request *request)
{
	return (struct auth_claim){
		.authorization = request->authorization,
		.proxy_user = request->user,
		.proxy_secret = request->proxy_secret,
		.is_local = request->is_local,
		.client = request->client->name,
		.address = request->client->address,
	};
}

/* Log that a password or a token was rejected; a request without any is not an attempt. */
static void note_stranger(
    const struct visit *visit, const struct auth_claim *claim, enum auth_verdict verdict)
{
	g_autofree char *user = NULL;

	if (verdict == AUTH_NO_TOKEN) {
		audit_login_failed(visit, NULL);
	} else if (verdict == AUTH_REJECTED && auth_mode(visit->auth) == AUTH_BASIC) {
		user = auth_claimed_user(claim);
		if (user != NULL)
			audit_login_failed(visit, user);
	}
}

/* Identify the user by token, which is then set, or otherwise; *user is transfer full. Answers whom it does
 * not accept, and returns FALSE. */
static gboolean identify(const struct visit *visit, char **user, struct auth_token *token)
{
	const struct auth_claim claim = claim_of(visit->request);
	g_autoptr(GError) error = NULL;
	enum auth_verdict verdict;
	guint wait = 0;

	if (auth_has_token(visit->auth, &claim)) {
		verdict = auth_identify_token(visit->auth, &claim, token, &wait, &error);
		*user = g_strdup(token->user);
	} else {
		verdict = auth_identify(visit->auth, &claim, user, &wait);
	}
	if (verdict == AUTH_ACCEPTED)
		return TRUE;
	note_stranger(visit, &claim, verdict);
	answer_stranger(visit, verdict, wait, error);
	return FALSE;
}

/* The browser says where a request comes from (Sec-Fetch-Site); nothing but our own page has a use for the
 * API in a browser, or signs its user out. Programs, and browsers over HTTP without TLS, do not send the
 * header. */
static gboolean is_from_other_site(const struct visit *visit)
{
	const char *site = visit->request->fetch_site;

	return (is_in(API, visit->query->path) || is_in(LOGOUT, visit->query->path)) && site != NULL &&
	       strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
}

/* Refuse what a page of another site could have asked. */
static gboolean is_refused(const struct visit *visit)
{
	if (auth_mode(visit->auth) == AUTH_NONE && !host_is_ours(visit->request->host, visit->hosts)) {
		answer_refusal(visit, 421, "http.hosts does not name the host under which you ask");
		return TRUE;
	}
	if (is_from_other_site(visit)) {
		answer_refusal(visit, 403, "the API and the sign-out do not answer pages of other sites");
		return TRUE;
	}
	return FALSE;
}

/* Let the section of the path answer, if the user may access it. */
static void enter(struct visit *visit)
{
	g_autofree char *user = NULL;
	struct auth_token token = { 0 };
	gsize i = 0;

	while (!is_in(sections[i].path, visit->query->path)) /* the last one matches everything */
		i++;
	if (sections[i].open) {
		sections[i].answer(visit);
		return;
	}
	if (is_refused(visit))
		return;
	if (!identify(visit, &user, &token))
		return;
	visit->user = user;
	visit->token = token.name != NULL ? &token : NULL;
	if (sections[i].answer != answer_logout)
		audit_login(visit);
	sections[i].answer(visit);
	visit->user = NULL;
	visit->token = NULL;
	auth_token_clear(&token);
}

/* Let /healthz or /readyz answer. */
static void enter_health(struct visit *visit)
{
	for (gsize i = 0; i < N_URGENT; i++)
		if (is_in(sections[i].path, visit->query->path)) {
			sections[i].answer(visit);
			return;
		}
	answer_refusal(visit, 404, "there is only /healthz and /readyz at this address");
}

/* Check the form of the request, then let enter answer it. */
static void answer(struct visit *visit, void (*enter_section)(struct visit *))
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
	enter_section(visit);
	query_free(query);
}

static void handle(const struct http_request *request, struct http_response *response,
    const struct site *site, void (*enter_section)(struct visit *))
{
	struct visit visit = {
		.request = request, .response = response, .auth = site->auth, .hosts = site->hosts
	};

	answer(&visit, enter_section);
	metrics_count(response->status);
}

void site_handle(const struct http_request *request, struct http_response *response, gpointer user)
{
	handle(request, response, user, enter);
}

void site_handle_health(const struct http_request *request, struct http_response *response, gpointer user)
{
	handle(request, response, user, enter_health);
}

gboolean site_is_urgent(const struct http_request *request)
{
	gsize size = strcspn(request->target, "?");

	for (gsize i = 0; i < N_URGENT; i++)
		if (strlen(sections[i].path) == size && strncmp(request->target, sections[i].path, size) == 0)
			return TRUE;
	return FALSE;
}

gboolean site_is_instant(const struct http_request *request, gpointer user)
{
	const struct site *site = user;
	const char *target = request->target;
	g_autofree char *path = NULL;

	if (auth_mode(site->auth) != AUTH_NONE || *target != '/')
		return FALSE;
	path = g_strndup(target, strcspn(target, "?"));
	return pages_find(assets, n_assets, path) != NULL;
}

/* One line a minute: whoever causes this would otherwise fill the log. */
static void log_refused(const struct http_request *request)
{
	static GMutex lock;
	static gint64 next; /* monotonic time */
	gint64 now = g_get_monotonic_time();

	g_mutex_lock(&lock);
	if (now >= next) {
		log_warning("too many requests wait for a thread (http.threads): those of %s, and maybe of "
			    "others, are answered 503",
		    request->client->name);
		next = now + REFUSED_LOG;
	}
	g_mutex_unlock(&lock);
}

void site_refuse(const struct http_request *request, struct http_response *response, gpointer user)
{
	struct visit visit = { .request = request, .response = response };

	(void)user;
	log_refused(request);
	answer_busy(&visit, "too many requests are in progress");
	metrics_count(response->status);
}
