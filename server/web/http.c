#include "server/web/http.h"

#include <microhttpd.h>
#include <string.h>
#include <unistd.h>

#include "parser/error.h"
#include "server/common/log.h"

#define CONNECTION_MEMORY (32 * 1024) /* bytes for a request's line and headers; more is 414 or 431 */
#define STREAM_BLOCK      (64 * 1024) /* bytes; the library takes what a connection's memory holds */
#define WAIT_STEP_US      20000

/* No inline code or style, nothing from other sites, no framing; scripts may not write markup (Trusted
 * Types). */
#define CONTENT_POLICY                                                                                       \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "      \
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "                                      \
	"require-trusted-types-for 'script'; trusted-types 'none'"

static const struct {
	const char *name;
	const char *value;
} guards[] = {
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
	const char *user_header;
	gint active; /* atomic: requests between their first line and the last byte of the response */
};

/* Headers that must occur only once, since a second one would make the request ambiguous. */
enum single {
	SINGLE_AUTHORIZATION,
	SINGLE_CONTENT_TYPE,
	SINGLE_FETCH_SITE,
	SINGLE_HOST,
	SINGLE_ORIGIN,
	N_SINGLES
};

static const char *const singles[N_SINGLES] = {
	[SINGLE_AUTHORIZATION] = "Authorization",
	[SINGLE_CONTENT_TYPE] = "Content-Type",
	[SINGLE_FETCH_SITE] = "Sec-Fetch-Site",
	[SINGLE_HOST] = "Host",
	[SINGLE_ORIGIN] = "Origin",
};

/* A request in progress. */
struct exchange {
	const struct http_server *server;
	char *target;
	const char *values[N_SINGLES]; /* the library's */
	const char *user;              /* of the header user_header; the library's */
	const char *length;            /* of the first Content-Length; the library's */
	gboolean begun;                /* the handler was called once, with the headers */
	gboolean malformed;            /* a header's name is not a token, or a single header is repeated */
	gboolean framed;               /* there may be a body: the connection ends with the response */
	gboolean odd;                  /* the framing is not exactly one Content-Length */
	GByteArray *content;           /* the body read so far, or NULL */
	gsize header_bytes;
};

/* Messages of libmicrohttpd, for the debug log. */
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
	exchange->server = server;
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
	if (exchange->content != NULL)
		g_byte_array_unref(exchange->content);
	g_free(exchange);
	*state = NULL;
	(void)g_atomic_int_dec_and_test(&server->active);
}

/* Store the value of a header that must be single. */
static void keep_single(struct exchange *exchange, const char **place, const char *value)
{
	if (*place != NULL)
		exchange->malformed = TRUE;
	*place = value;
}

/* "Content-Length: 0" says that there is no body; another party may read "00" or "+0" differently. */
static void look_at_framing(struct exchange *exchange, const char *name, const char *value)
{
	gboolean length = g_ascii_strcasecmp(name, "Content-Length") == 0;

	if (!length && g_ascii_strcasecmp(name, "Transfer-Encoding") != 0)
		return;
	if (!length || exchange->length != NULL)
		exchange->odd = TRUE;
	if (!length || strcmp(value, "0") != 0)
		exchange->framed = TRUE;
	if (length)
		exchange->length = value;
}

/*
 * Check one header of the request. This library distinguishes "Content-Length : 5" from "Content-Length: 5",
 * some proxies do not, and of two lengths it uses one: if two parties disagree about where a request ends,
 * one takes a body for a request.
 */
static enum MHD_Result look_at_header(
    void *user, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct exchange *exchange = user;
	const char *user_header = exchange->server->user_header;

	(void)kind;
	if (value == NULL)
		value = "";
	exchange->header_bytes += strlen(name) + strlen(value);
	if (*name == '\0' || name[strcspn(name, " \t")] != '\0')
		exchange->malformed = TRUE;
	look_at_framing(exchange, name, value);
	for (gsize i = 0; i < N_SINGLES; i++)
		if (g_ascii_strcasecmp(name, singles[i]) == 0)
			keep_single(exchange, &exchange->values[i], value);
	if (user_header != NULL && g_ascii_strcasecmp(name, user_header) == 0)
		keep_single(exchange, &exchange->user, value);
	return MHD_YES;
}

/* Decide what to do with the body, after all headers were checked. */
static enum http_body body_of(const struct exchange *exchange, const char *method)
{
	guint64 size;

	if (!exchange->framed)
		return HTTP_BODY_NONE;
	if (strcmp(method, "PUT") != 0 || exchange->malformed || exchange->odd || *exchange->length == '0' ||
	    !g_ascii_string_to_unsigned(exchange->length, 10, 1, G_MAXUINT64, &size, NULL))
		return HTTP_BODY_UNMEASURED;
	return size <= HTTP_BODY_MAX ? HTTP_BODY_WHOLE : HTTP_BODY_LARGE;
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* A stream in progress, as the library reads it. */
struct feed {
	struct http_stream stream;
	GBytes *piece; /* that is being sent, or NULL */
	gsize sent;    /* bytes of it */
};

/* Fill buffer with the next bytes; a piece must not be larger than the library's buffer. */
static ssize_t feed_read(void *user, guint64 position, char *buffer, size_t size)
{
	struct feed *feed = user;
	gboolean failed = FALSE;
	const char *data;
	gsize n_bytes;

	(void)position;
	if (feed->piece == NULL)
		feed->piece = feed->stream.next(feed->stream.source, &failed);
	if (feed->piece == NULL)
		return failed ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
	data = g_bytes_get_data(feed->piece, &n_bytes);
	size = MIN(size, n_bytes - feed->sent);
	memcpy(buffer, data + feed->sent, size);
	feed->sent += size;
	if (feed->sent == n_bytes) {
		g_clear_pointer(&feed->piece, g_bytes_unref);
		feed->sent = 0;
	}
	return (ssize_t)size;
}

static void feed_free(void *user)
{
	struct feed *feed = user;

	feed->stream.free(feed->stream.source);
	g_clear_pointer(&feed->piece, g_bytes_unref);
	g_free(feed);
}

static struct MHD_Response *response_of_stream(const struct http_stream *stream)
{
	struct feed *feed = g_new0(struct feed, 1);
	struct MHD_Response *answer;

	feed->stream = *stream;
	answer =
	    MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, feed_read, feed, feed_free);
	if (answer == NULL)
		feed_free(feed);
	return answer;
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
	add(answer, "Content-Security-Policy", response->policy != NULL ? response->policy : CONTENT_POLICY);
	add(answer, "Content-Type", response->type);
	add(answer, "Content-Encoding", response->encoding);
	add(answer, "Content-Language", response->language);
	add(answer, "ETag", response->etag);
	add(answer, "Cache-Control", response->cache != NULL ? response->cache : "no-store");
	add(answer, "Vary", response->vary);
	add(answer, "Allow", response->allow);
	add(answer, "WWW-Authenticate", response->authenticate);
	add(answer, "Content-Disposition", response->disposition);
	add(answer, "Link", response->link);
	add(answer, "Retry-After", retry);
	if (last)
		add(answer, "Connection", "close");
}

/* Takes body, which may be NULL. */
static struct MHD_Response *response_of_body(GBytes *body)
{
	GBytes *content = body != NULL ? body : g_bytes_new_static("", 0);
	gsize size;
	const void *data = g_bytes_get_data(content, &size);
	struct MHD_Response *answer =
	    MHD_create_response_from_buffer_with_free_callback_cls(size, (void *)data, body_free, content);

	if (answer == NULL)
		g_bytes_unref(content);
	return answer;
}

/* Queue response; afterwards the library owns its content. */
static enum MHD_Result reply(struct MHD_Connection *connection, struct http_response *response, gboolean last)
{
	struct MHD_Response *answer = response->stream.source != NULL ? response_of_stream(&response->stream)
								      : response_of_body(response->body);
	enum MHD_Result queued = MHD_NO;

	if (answer != NULL) {
		add_headers(answer, response, last);
		queued = MHD_queue_response(connection, response->status, answer);
		MHD_destroy_response(answer);
	}
	g_free(response->etag);
	g_free(response->disposition);
	g_free(response->link);
	return queued;
}

/* Answer the request, which was read as far as it will be. */
static enum MHD_Result answer(
    struct MHD_Connection *connection, struct exchange *exchange, const char *method, enum http_body body)
{
	const struct http_server *server = exchange->server;
	g_autoptr(GBytes) content = exchange->content != NULL
					? g_byte_array_free_to_bytes(g_steal_pointer(&exchange->content))
					: NULL;
	struct http_response response = { 0 };
	const struct http_request request = {
		.method = method,
		.target = exchange->target,
		.accept = header(connection, "Accept"),
		.accept_encoding = header(connection, "Accept-Encoding"),
		.accept_language = header(connection, "Accept-Language"),
		.authorization = exchange->values[SINGLE_AUTHORIZATION],
		.content_type = exchange->values[SINGLE_CONTENT_TYPE],
		.host = exchange->values[SINGLE_HOST],
		.if_none_match = header(connection, "If-None-Match"),
		.origin = exchange->values[SINGLE_ORIGIN],
		.fetch_site = exchange->values[SINGLE_FETCH_SITE],
		.user = exchange->user,
		.body = body,
		.content = content,
		.header_bytes = exchange->header_bytes,
		.malformed = exchange->malformed,
	};

	server->handler(&request, &response, server->user);
	return reply(connection, &response, body != HTTP_BODY_NONE || exchange->malformed);
}

/* Store a piece of the body. The library delivers no more than Content-Length bytes; if it did, the
 * connection would be closed. */
static enum MHD_Result take_piece(struct exchange *exchange, const char *piece, size_t *size)
{
	if (exchange->content == NULL || *size > HTTP_BODY_MAX - exchange->content->len)
		return MHD_NO;
	g_byte_array_append(exchange->content, (const guint8 *)piece, (guint)*size);
	*size = 0;
	return MHD_YES;
}

/* Called with the headers, then with each piece of a body, then once more. */
static enum MHD_Result handle(void *user, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload, size_t *upload_size, void **state)
{
	struct exchange *exchange = *state;
	enum http_body body;

	(void)user;
	(void)url;
	(void)version;
	if (!exchange->begun)
		(void)MHD_get_connection_values(connection, MHD_HEADER_KIND, look_at_header, exchange);
	else if (*upload_size > 0)
		return take_piece(exchange, upload, upload_size);
	body = body_of(exchange, method);
	if (exchange->begun || body == HTTP_BODY_LARGE || body == HTTP_BODY_UNMEASURED || exchange->malformed)
		return answer(connection, exchange, method, body);
	/* the library does not allow a response in the first call if the connection is to be kept */
	exchange->begun = TRUE;
	if (body == HTTP_BODY_WHOLE)
		exchange->content = g_byte_array_new();
	return MHD_YES;
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
	server->user_header = options->user_header;
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
