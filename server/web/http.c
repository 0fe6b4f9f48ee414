#include "server/web/http.h"

#include <microhttpd.h>
#include <string.h>
#include <unistd.h>

#include "parser/error.h"
#include "server/common/log.h"

#define CONNECTION_MEMORY (32 * 1024) /* bytes for a request's line and headers; more is 414 or 431 */
#define WAIT_STEP_US      20000

/* No inline code or style, nothing from elsewhere, no framing; scripts may not write markup (Trusted Types).
 */
#define CONTENT_POLICY                                                                                       \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "      \
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "                                      \
	"require-trusted-types-for 'script'; trusted-types 'none'"

static const struct {
	const char *name;
	const char *value;
} guards[] = {
	{ "Content-Security-Policy", CONTENT_POLICY },
	{ "Cross-Origin-Opener-Policy", "same-origin" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	{ "Referrer-Policy", "no-referrer" },
	{ "X-Content-Type-Options", "nosniff" },
};

struct http_server {
	struct MHD_Daemon **daemons; /* one a socket */
	guint n_daemons;
	http_handler handler;
	gpointer user;
	gint active; /* atomic: requests between their first line and the last byte of their answer */
};

/* One request under way. */
struct exchange {
	char *target;
	gboolean begun;     /* the handler was called once, with the headers */
	gboolean malformed; /* a header's name is not a token */
	gboolean body;      /* there is one, or may be: the connection ends with the answer */
	gsize header_bytes;
};

/* libmicrohttpd's words, for the curious. */
static void G_GNUC_PRINTF(2, 0) library_log(void *user, const char *format, va_list args)
{
	g_autofree char *text = g_strchomp(g_strdup_vprintf(format, args));

	(void)user;
	log_debug("libmicrohttpd: %s", text);
}

/* Called with the request line's target, before the library decodes it. */
static void *exchange_begin(void *user, const char *target, struct MHD_Connection *connection)
{
	struct http_server *server = user;
	struct exchange *exchange = g_new0(struct exchange, 1);

	(void)connection;
	exchange->target = g_strdup(target);
	g_atomic_int_inc(&server->active);
	return exchange;
}

static void exchange_end(
    void *user, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code)
{
	struct http_server *server = user;
	struct exchange *exchange = *state;

	(void)connection;
	(void)code;
	if (exchange == NULL)
		return;
	g_free(exchange->target);
	g_free(exchange);
	*state = NULL;
	(void)g_atomic_int_dec_and_test(&server->active);
}

/*
 * Look at one header of the request. "Content-Length : 5" is another header than "Content-Length: 5" to this
 * library and the same one to some proxies, and of two lengths it reads one: who disagrees about where a
 * request ends takes a body for a request.
 */
static enum MHD_Result look_at_header(
    void *user, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct exchange *exchange = user;

	(void)kind;
	if (value == NULL)
		value = "";
	exchange->header_bytes += strlen(name) + strlen(value);
	if (*name == '\0' || name[strcspn(name, " \t")] != '\0')
		exchange->malformed = TRUE;
	if (g_ascii_strcasecmp(name, "Transfer-Encoding") == 0 ||
	    (g_ascii_strcasecmp(name, "Content-Length") == 0 && strcmp(value, "0") != 0))
		exchange->body = TRUE;
	return MHD_YES;
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static void body_free(void *body)
{
	g_bytes_unref(body);
}

static void add(struct MHD_Response *answer, const char *name, const char *value)
{
	if (value != NULL && MHD_add_response_header(answer, name, value) == MHD_NO)
		g_error("out of memory or not a header: %s", name); /* values are ours */
}

static void add_headers(struct MHD_Response *answer, const struct http_response *response, gboolean last)
{
	g_autofree char *retry =
	    response->retry_after > 0 ? g_strdup_printf("%u", response->retry_after) : NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(guards); i++)
		add(answer, guards[i].name, guards[i].value);
	add(answer, "Content-Type", response->type);
	add(answer, "Content-Encoding", response->encoding);
	add(answer, "ETag", response->etag);
	add(answer, "Cache-Control", response->cache != NULL ? response->cache : "no-store");
	add(answer, "Vary", response->vary ? "Accept-Encoding" : NULL);
	add(answer, "Allow", response->allow);
	add(answer, "Retry-After", retry);
	if (last)
		add(answer, "Connection", "close");
}

/* Hand response to the library; what it owns is gone after. */
static enum MHD_Result reply(struct MHD_Connection *connection, struct http_response *response, gboolean last)
{
	GBytes *body = response->body != NULL ? response->body : g_bytes_new_static("", 0);
	gsize size;
	const void *data = g_bytes_get_data(body, &size);
	struct MHD_Response *answer =
	    MHD_create_response_from_buffer_with_free_callback_cls(size, (void *)data, body_free, body);
	enum MHD_Result queued = MHD_NO;

	if (answer != NULL) {
		add_headers(answer, response, last);
		queued = MHD_queue_response(connection, response->status, answer);
		MHD_destroy_response(answer);
	} else {
		g_bytes_unref(body);
	}
	g_free(response->etag);
	return queued;
}

static enum MHD_Result handle(void *user, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload, size_t *upload_size, void **state)
{
	struct http_server *server = user;
	struct exchange *exchange = *state;
	struct http_response response = { 0 };
	struct http_request request = { .method = method, .target = exchange->target };
	gboolean last;

	(void)url;
	(void)version;
	(void)upload;
	(void)upload_size;
	if (!exchange->begun)
		(void)MHD_get_connection_values(connection, MHD_HEADER_KIND, look_at_header, exchange);
	last = exchange->body || exchange->malformed;
	if (!exchange->begun && !last) { /* the library wants no answer yet when the connection is to stay */
		exchange->begun = TRUE;
		return MHD_YES;
	}
	request.accept_encoding = header(connection, "Accept-Encoding");
	request.if_none_match = header(connection, "If-None-Match");
	request.header_bytes = exchange->header_bytes;
	request.malformed = exchange->malformed;
	server->handler(&request, &response, server->user);
	return reply(connection, &response, last);
}

static struct MHD_Daemon *daemon_start(struct http_server *server, int fd, const struct http_options *options)
{
	struct MHD_OptionItem items[] = {
		{ MHD_OPTION_LISTEN_SOCKET, fd, NULL },
		{ MHD_OPTION_CONNECTION_LIMIT, options->connections, NULL },
		{ MHD_OPTION_CONNECTION_TIMEOUT, options->timeout, NULL },
		{ MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, NULL },
		{ MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, NULL },
#if MHD_VERSION >= 0x00097701
		{ MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1, NULL },
#else
		{ MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL },
#endif
		{ options->threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, options->threads,
		    NULL },
		{ MHD_OPTION_END, 0, NULL },
	};

	return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG, 0, NULL,
	    NULL, handle, server, MHD_OPTION_EXTERNAL_LOGGER, library_log, NULL, MHD_OPTION_URI_LOG_CALLBACK,
	    exchange_begin, server, MHD_OPTION_NOTIFY_COMPLETED, exchange_end, server, MHD_OPTION_ARRAY,
	    items, MHD_OPTION_END);
}

struct http_server *http_server_new(const int *fds, guint n_fds, const struct http_options *options,
    http_handler handler, gpointer user, GError **error)
{
	struct http_server *server = g_new0(struct http_server, 1);

	server->daemons = g_new0(struct MHD_Daemon *, n_fds);
	server->handler = handler;
	server->user = user;
	for (guint i = 0; i < n_fds; i++) {
		server->daemons[i] = daemon_start(server, fds[i], options);
		if (server->daemons[i] == NULL) {
			g_set_error(
			    error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "could not serve on descriptor %d", fds[i]);
			http_server_free(server, 0);
			return NULL;
		}
		server->n_daemons++;
	}
	return server;
}

void http_server_free(struct http_server *server, guint grace)
{
	gint64 deadline = g_get_monotonic_time() + (gint64)grace * G_USEC_PER_SEC;

	if (server == NULL)
		return;
	for (guint i = 0; i < server->n_daemons; i++) {
		int fd = MHD_quiesce_daemon(server->daemons[i]);

		if (fd >= 0)
			close(fd);
	}
	while (g_atomic_int_get(&server->active) > 0 && g_get_monotonic_time() < deadline)
		g_usleep(WAIT_STEP_US);
	for (guint i = 0; i < server->n_daemons; i++)
		MHD_stop_daemon(server->daemons[i]);
	g_free(server->daemons);
	g_free(server);
}
