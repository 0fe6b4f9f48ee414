#include "server/web/http.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "parser/error.h"
#include "server/common/log.h"
#include "server/web/peers.h"
#include "server/web/workers.h"

#define CONNECTION_MEMORY (32 * 1024) /* bytes for a request's line and headers; more is 414 or 431 */
#define STREAM_BLOCK      (64 * 1024) /* bytes; the library takes what a connection's memory holds */
#define WAIT_STEP_US      20000
#define UPLOADS           2 /* bodies of POST that are read at the same time */
#define WATCH_EVERY       (250 * G_TIME_SPAN_MILLISECOND)

/* Bytes that the kernel takes before a client takes them: it would take megabytes for each of many slow
 * readers, which costs memory, and the thread that hands them over seconds. */
#define UNSENT_MAX (128 * 1024)

/* Connections beyond ours that the library may have open: it closes one that was shut down a moment later,
 * and must not stop accepting until then. */
#define CONNECTIONS_SPARE 64

#define QUEUE_MAX   128             /* requests that wait for a thread */
#define QUEUE_SHARE (QUEUE_MAX / 2) /* of one client */

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
	struct http_options options;
	http_handler handler;
	gpointer user;
	struct peers *peers;
	struct workers *workers;
	struct workers *urgent; /* one thread; NULL if no request is urgent */
	struct workers *uploads;
	gint stopping; /* atomic: bodies are no longer waited for */
	gint active;   /* atomic: requests between their first line and the last byte of the response */

	GThread *watch;
	GMutex lock; /* protects ending */
	GCond ended;
	gboolean ending;
};

/* Headers that must occur only once, since a second one would make the request ambiguous. */
enum single {
	SINGLE_AUTHORIZATION,
	SINGLE_CONTENT_TYPE,
	SINGLE_FETCH_SITE,
	SINGLE_HOST,
	SINGLE_ORIGIN,
	SINGLE_PROXY_SECRET,
	N_SINGLES
};

static const char *const singles[N_SINGLES] = {
	[SINGLE_AUTHORIZATION] = "Authorization",
	[SINGLE_CONTENT_TYPE] = "Content-Type",
	[SINGLE_FETCH_SITE] = "Sec-Fetch-Site",
	[SINGLE_HOST] = "Host",
	[SINGLE_ORIGIN] = "Origin",
	[SINGLE_PROXY_SECRET] = "X-Ruad-Proxy-Secret",
};

/* A request in progress. It belongs to the thread of its socket, except while its connection is suspended:
 * then to the thread that works on it. */
struct exchange {
	struct work work; /* the handler */
	struct http_server *server;
	struct MHD_Connection *connection;
	struct peer *peer;
	char *target;
	const char *values[N_SINGLES]; /* the library's */
	const char *user;              /* of the header user_header; the library's */
	const char *length;            /* of the first Content-Length; the library's */
	const char *forwarded;         /* the last X-Forwarded-For; the library's */
	struct client client;
	gboolean begun;      /* the handler was called once, with the headers */
	gboolean malformed;  /* a header's name is not a token, or a single header is repeated */
	gboolean framed;     /* there may be a body: the connection ends with the response */
	gboolean odd;        /* the framing is not exactly one Content-Length */
	GByteArray *content; /* the body read so far, or NULL */
	GBytes *body;        /* the whole body, or NULL */
	gsize header_bytes;
	struct http_request request;
	struct http_response response; /* status 0: the request was abandoned */
	gboolean handled;              /* response is final */

	struct inflow *inflow; /* of a body that the handler reads, else NULL; then: */
	guint64 received;      /* bytes of it */
	GMutex lock;           /* protects handled and the following members */
	GCond changed;         /* handled was set */
	gboolean asked;        /* the handler wants the body */
	gboolean suspended;    /* the library does not read */
};

/* Messages of libmicrohttpd, for the debug log. */
static void G_GNUC_PRINTF(2, 0) library_log(void *user, const char *format, va_list args)
{
	g_autofree char *text = g_strchomp(g_strdup_vprintf(format, args));

	(void)user;
	log_debug("libmicrohttpd: %s", text);
}

static struct peer *peer_of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/* Called with the request line's target, before the library decodes it. */
static void *exchange_begin(void *user, const char *target, struct MHD_Connection *connection)
{
	struct http_server *server = user;
	struct exchange *exchange = g_new0(struct exchange, 1);

	exchange->server = server;
	exchange->connection = connection;
	exchange->peer = peer_of(connection);
	exchange->target = g_strdup(target);
	g_atomic_int_inc(&server->active);
	return exchange;
}

/* Free what the response owns and set it to 0. */
static void response_clear(struct http_response *response)
{
	if (response->stream.source != NULL)
		response->stream.free(response->stream.source);
	g_clear_pointer(&response->body, g_bytes_unref);
	g_free(response->etag);
	g_free(response->disposition);
	g_free(response->link);
	memset(response, 0, sizeof *response);
}

/* The client is gone, maybe while its body was read: the handler ends soon. */
static void inflow_over(struct exchange *exchange)
{
	inflow_fail(exchange->inflow);
	g_mutex_lock(&exchange->lock);
	while (!exchange->handled)
		g_cond_wait(&exchange->changed, &exchange->lock);
	g_mutex_unlock(&exchange->lock);
	inflow_free(exchange->inflow);
	g_mutex_clear(&exchange->lock);
	g_cond_clear(&exchange->changed);
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
	if (exchange->inflow != NULL)
		inflow_over(exchange);
	peer_enter(server->peers, exchange->peer, PEER_READING, NULL);
	response_clear(&exchange->response);
	g_free(exchange->target);
	if (exchange->content != NULL)
		g_byte_array_unref(exchange->content);
	g_clear_pointer(&exchange->body, g_bytes_unref);
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
	const char *user_header = exchange->server->options.user_header;

	(void)kind;
	if (value == NULL)
		value = "";
	exchange->header_bytes += strlen(name) + strlen(value);
	if (*name == '\0' || name[strcspn(name, " \t")] != '\0')
		exchange->malformed = TRUE;
	look_at_framing(exchange, name, value);
	if (g_ascii_strcasecmp(name, "X-Forwarded-For") == 0)
		exchange->forwarded = value;
	for (gsize i = 0; i < N_SINGLES; i++)
		if (g_ascii_strcasecmp(name, singles[i]) == 0)
			keep_single(exchange, &exchange->values[i], value);
	if (user_header != NULL && g_ascii_strcasecmp(name, user_header) == 0)
		keep_single(exchange, &exchange->user, value);
	return MHD_YES;
}

/* Decide what to do with the body, after all headers were checked. *size: its bytes, 0 if unknown. */
static enum http_body body_of(const struct exchange *exchange, const char *method, guint64 *size)
{
	gboolean is_post = strcmp(method, "POST") == 0;

	*size = 0;
	if (!exchange->framed)
		return HTTP_BODY_NONE;
	if ((!is_post && strcmp(method, "PUT") != 0) || exchange->malformed || exchange->odd ||
	    *exchange->length == '0' ||
	    !g_ascii_string_to_unsigned(exchange->length, 10, 1, G_MAXUINT64, size, NULL))
		return HTTP_BODY_UNMEASURED;
	if (is_post)
		return HTTP_BODY_STREAM;
	return *size <= HTTP_BODY_MAX ? HTTP_BODY_WHOLE : HTTP_BODY_LARGE;
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

enum feed_state {
	FEED_EMPTY,   /* the next piece is to be fetched */
	FEED_FETCHED, /* piece is the next one, or NULL: there is none */
};

/* A stream in progress, as the library reads it. Like its exchange it belongs to one thread at a time. */
struct feed {
	struct work work;          /* fetches a piece */
	struct exchange *exchange; /* exists while the library reads */
	struct http_stream stream;
	enum feed_state state;
	GBytes *piece;   /* that is being sent, or NULL */
	gsize sent;      /* bytes of it */
	gboolean failed; /* there are no more pieces, though there should be */
};

static void feed_run(struct work *work)
{
	struct feed *feed = (struct feed *)work;

	feed->failed = FALSE;
	feed->piece = feed->stream.next(feed->stream.source, &feed->failed);
}

/* Let the library read again; failed is still set if the work was dropped. */
static void feed_done(struct work *work)
{
	struct feed *feed = (struct feed *)work;
	struct exchange *exchange = feed->exchange;

	feed->state = FEED_FETCHED;
	peer_enter(exchange->server->peers, exchange->peer, PEER_SENDING, NULL);
	MHD_resume_connection(exchange->connection);
}

/* Fetch the next piece on another thread; the library does not read meanwhile. The number of streams is
 * limited, so that they need no place in the queue. */
static void feed_fetch(struct feed *feed)
{
	struct exchange *exchange = feed->exchange;

	feed->failed = TRUE;
	feed->work = (struct work){ .client = exchange->client.name, .run = feed_run, .done = feed_done };
	MHD_suspend_connection(exchange->connection);
	peer_enter(exchange->server->peers, exchange->peer, PEER_HANDLING, &feed->work);
	if (!workers_push(exchange->server->workers, &feed->work, FALSE))
		feed_done(&feed->work);
}

/* Fill buffer with the next bytes; a piece must not be larger than the library's buffer. */
static ssize_t feed_read(void *user, guint64 position, char *buffer, size_t size)
{
	struct feed *feed = user;
	const char *data;
	gsize n_bytes;

	(void)position;
	if (feed->state == FEED_EMPTY) {
		feed_fetch(feed);
		return 0;
	}
	if (feed->piece == NULL)
		return feed->failed ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
	data = g_bytes_get_data(feed->piece, &n_bytes);
	size = MIN(size, n_bytes - feed->sent);
	memcpy(buffer, data + feed->sent, size);
	feed->sent += size;
	if (feed->sent == n_bytes) {
		g_clear_pointer(&feed->piece, g_bytes_unref);
		feed->sent = 0;
		feed->state = FEED_EMPTY;
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

/* Takes the stream of exchange's response. */
static struct MHD_Response *response_of_stream(struct exchange *exchange)
{
	struct feed *feed = g_new0(struct feed, 1);
	struct MHD_Response *answer;

	feed->exchange = exchange;
	feed->stream = exchange->response.stream;
	exchange->response.stream = (struct http_stream){ 0 };
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

/* Make the response of exchange for the library; NULL if there is no memory. */
static struct MHD_Response *make_response(struct exchange *exchange, gboolean last)
{
	struct http_response *response = &exchange->response;
	struct MHD_Response *answer = response->stream.source != NULL
					  ? response_of_stream(exchange)
					  : response_of_body(g_steal_pointer(&response->body));

	if (answer != NULL)
		add_headers(answer, response, last);
	return answer;
}

static enum MHD_Result queue(
    const struct exchange *exchange, struct MHD_Response *answer, struct http_kept *kept)
{
	enum MHD_Result queued = MHD_queue_response(exchange->connection, exchange->response.status, answer);

	/* a kept one is not destroyed, unless another thread has kept one meanwhile */
	if (kept == NULL || (g_atomic_pointer_get(&kept->made) != answer &&
				!g_atomic_pointer_compare_and_exchange(&kept->made, NULL, answer)))
		MHD_destroy_response(answer);
	return queued;
}

/* Queue the response of exchange, which was handled. Without one the library closes the connection. */
static enum MHD_Result reply(struct exchange *exchange)
{
	gboolean last = exchange->request.body != HTTP_BODY_NONE || exchange->malformed;
	struct http_kept *kept = last ? NULL : exchange->response.kept;
	struct MHD_Response *answer = NULL;

	peer_enter(exchange->server->peers, exchange->peer, PEER_SENDING, NULL);
	if (exchange->response.status == 0)
		return MHD_NO;
	if (kept != NULL)
		answer = g_atomic_pointer_get(&kept->made);
	if (answer == NULL)
		answer = make_response(exchange, last);
	return answer != NULL ? queue(exchange, answer, kept) : MHD_NO;
}

static void exchange_run(struct work *work)
{
	struct exchange *exchange = (struct exchange *)work;

	exchange->server->handler(&exchange->request, &exchange->response, exchange->server->user);
}

/* Let the library call handle() again, which replies. */
static void exchange_done(struct work *work)
{
	struct exchange *exchange = (struct exchange *)work;

	if (exchange->inflow == NULL) {
		exchange->handled = TRUE;
		MHD_resume_connection(exchange->connection);
		return;
	}
	g_mutex_lock(&exchange->lock);
	exchange->handled = TRUE;
	g_cond_signal(&exchange->changed);
	if (exchange->suspended)
		MHD_resume_connection(exchange->connection);
	exchange->suspended = FALSE;
	g_mutex_unlock(&exchange->lock);
}

/* -- a body that the handler reads -- */

/* The handler wants the next piece: let the library read. */
static void want_piece(gpointer user)
{
	struct exchange *exchange = user;

	g_mutex_lock(&exchange->lock);
	exchange->asked = TRUE;
	exchange->suspended = FALSE;
	peer_enter(exchange->server->peers, exchange->peer, PEER_READING, NULL);
	MHD_resume_connection(exchange->connection);
	g_mutex_unlock(&exchange->lock);
}

/* Give a piece to the handler, or NULL at the end; the library waits until it wants another. */
static void give_piece(struct exchange *exchange, GBytes *piece)
{
	exchange->suspended = TRUE;
	MHD_suspend_connection(exchange->connection);
	peer_enter(exchange->server->peers, exchange->peer, PEER_HANDLING, NULL);
	if (piece != NULL)
		inflow_put(exchange->inflow, piece);
	else
		inflow_end(exchange->inflow);
}

/* The library has bytes of the body, or (*size is 0) none yet, or no more. It allows a response before
 * the body or after it: a handler that ends within it has the rest read and discarded. */
static enum MHD_Result take_stream(struct exchange *exchange, const char *bytes, size_t *size)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&exchange->lock);
	gboolean at_end = exchange->received == exchange->request.length;

	exchange->received += *size;
	if (*size > 0 && !exchange->handled)
		give_piece(exchange, g_bytes_new(bytes, *size));
	else if (*size == 0 && exchange->handled && (at_end || !exchange->asked))
		return reply(exchange);
	else if (*size == 0 && !exchange->handled && at_end)
		give_piece(exchange, NULL);
	*size = 0;
	return MHD_YES;
}

GBytes *http_body_next(const struct http_request *request, gboolean *failed)
{
	return inflow_next(request->inflow, failed);
}

/* Whom a proxy names if the connection is from a known one; otherwise the other end of the connection. */
static void name_client(struct exchange *exchange)
{
	const struct client *peer = peer_client(exchange->peer);
	gboolean known = g_strv_contains(exchange->server->options.proxies, peer->address);

	if (!known || exchange->forwarded == NULL ||
	    !client_forwarded(&exchange->client, exchange->forwarded))
		exchange->client = *peer;
}

/* Describe the request, which was read as far as it will be. */
static void describe(struct exchange *exchange, const char *method, enum http_body body, guint64 size)
{
	struct MHD_Connection *connection = exchange->connection;

	name_client(exchange);
	if (exchange->content != NULL)
		exchange->body = g_byte_array_free_to_bytes(g_steal_pointer(&exchange->content));
	exchange->request = (struct http_request){
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
		.proxy_secret = exchange->values[SINGLE_PROXY_SECRET],
		.client = &exchange->client,
		.is_local = strcmp(peer_client(exchange->peer)->address, CLIENT_UNIX) == 0,
		.body = body,
		.content = exchange->body,
		.length = body == HTTP_BODY_STREAM ? size : 0,
		.inflow = exchange->inflow,
		.header_bytes = exchange->header_bytes,
		.malformed = exchange->malformed,
	};
}

/* The handler will read the body. */
static void begin_stream(struct exchange *exchange)
{
	exchange->inflow = inflow_new(want_piece, exchange, &exchange->server->stopping);
	exchange->suspended = TRUE;
	g_mutex_init(&exchange->lock);
	g_cond_init(&exchange->changed);
}

/* Let a worker handle the request, unless that takes no time. The connection is suspended before, since the
 * worker may be done at any time. */
static enum MHD_Result submit(
    struct exchange *exchange, const char *method, enum http_body body, guint64 size)
{
	struct http_server *server = exchange->server;
	struct workers *workers = server->workers;

	if (body == HTTP_BODY_STREAM) {
		begin_stream(exchange);
		workers = server->uploads;
	}
	describe(exchange, method, body, size);
	if (exchange->begun && body == HTTP_BODY_NONE && server->options.is_instant != NULL &&
	    server->options.is_instant(&exchange->request, server->user)) {
		server->handler(&exchange->request, &exchange->response, server->user);
		return reply(exchange);
	}
	if (body != HTTP_BODY_STREAM && server->urgent != NULL &&
	    server->options.is_urgent(&exchange->request))
		workers = server->urgent;
	exchange->work =
	    (struct work){ .client = exchange->client.name, .run = exchange_run, .done = exchange_done };
	MHD_suspend_connection(exchange->connection);
	/* urgent work is too short to be abandoned */
	peer_enter(server->peers, exchange->peer, PEER_HANDLING,
	    workers == server->workers ? &exchange->work : NULL);
	if (!workers_push(workers, &exchange->work, TRUE)) {
		server->options.refuse(&exchange->request, &exchange->response, server->user);
		exchange_done(&exchange->work);
	}
	return MHD_YES;
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

/* Called with the headers, then with each piece of a body, then once more; and again when it was handled. */
static enum MHD_Result handle(void *user, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload, size_t *upload_size, void **state)
{
	struct exchange *exchange = *state;
	enum http_body body;
	guint64 size;

	(void)user;
	(void)url;
	(void)version;
	if (exchange->inflow != NULL)
		return take_stream(exchange, upload, upload_size);
	if (exchange->handled)
		return reply(exchange);
	if (!exchange->begun)
		(void)MHD_get_connection_values(connection, MHD_HEADER_KIND, look_at_header, exchange);
	else if (*upload_size > 0)
		return take_piece(exchange, upload, upload_size);
	body = body_of(exchange, method, &size);
	if (exchange->begun || body == HTTP_BODY_STREAM || body == HTTP_BODY_LARGE ||
	    body == HTTP_BODY_UNMEASURED || exchange->malformed)
		return submit(exchange, method, body, size);
	/* the library does not allow a response in the first call if the connection is to be kept */
	exchange->begun = TRUE;
	if (body == HTTP_BODY_WHOLE)
		exchange->content = g_byte_array_new();
	return MHD_YES;
}

/* -- connections -- */

static enum MHD_Result admit(void *user, const struct sockaddr *address, socklen_t size)
{
	const struct http_server *server = user;

	(void)size;
	return peers_admit(server->peers, address) ? MHD_YES : MHD_NO;
}

static void connection_changed(
    void *user, struct MHD_Connection *connection, void **context, enum MHD_ConnectionNotificationCode code)
{
	struct http_server *server = user;

	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		*context = peers_add(server->peers,
		    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
		    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr);
	else
		peers_remove(server->peers, *context);
}

static gpointer watch_main(gpointer data)
{
	struct http_server *server = data;

	g_mutex_lock(&server->lock);
	while (!server->ending) {
		g_mutex_unlock(&server->lock);
		peers_watch(server->peers, server->workers);
		if (server->options.watch != NULL)
			server->options.watch();
		g_mutex_lock(&server->lock);
		if (!server->ending)
			(void)g_cond_wait_until(
			    &server->ended, &server->lock, g_get_monotonic_time() + WATCH_EVERY);
	}
	g_mutex_unlock(&server->lock);
	return NULL;
}

/* -- the server -- */

static struct MHD_Daemon *daemon_start(struct http_server *server, int fd)
{
	const int unsent = UNSENT_MAX;
	struct MHD_OptionItem items[] = {
		{ MHD_OPTION_LISTEN_SOCKET, fd, NULL },
		{ MHD_OPTION_CONNECTION_LIMIT, server->options.connections + CONNECTIONS_SPARE, NULL },
		{ MHD_OPTION_CONNECTION_TIMEOUT, server->options.timeout, NULL },
		{ MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, NULL },
		{ MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, NULL },
#if MHD_VERSION >= 0x00097701
		{ MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1, NULL },
#else
		{ MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL },
#endif
		{ MHD_OPTION_END, 0, NULL },
	};

	/* connections inherit it; a Unix socket has no such buffer */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
	return MHD_start_daemon(
	    MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME, 0,
	    admit, server, handle, server, MHD_OPTION_EXTERNAL_LOGGER, library_log, NULL,
	    MHD_OPTION_URI_LOG_CALLBACK, exchange_begin, server, MHD_OPTION_NOTIFY_COMPLETED, exchange_end,
	    server, MHD_OPTION_NOTIFY_CONNECTION, connection_changed, server, MHD_OPTION_ARRAY, items,
	    MHD_OPTION_END);
}

static struct workers *start_workers(const struct http_options *options, guint threads)
{
	return workers_new(&(struct workers_options){ .threads = threads,
	    .share = MAX(1, threads / 2),
	    .queue = QUEUE_MAX,
	    .queue_share = QUEUE_SHARE,
	    .interrupt = options->interrupt });
}

static gboolean start_daemons(struct http_server *server, const int *fds, guint n_fds, GError **error)
{
	server->daemons = g_new0(struct MHD_Daemon *, n_fds);
	for (guint i = 0; i < n_fds; i++) {
		server->daemons[i] = daemon_start(server, fds[i]);
		if (server->daemons[i] == NULL) {
			g_set_error(
			    error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "could not serve on descriptor %d", fds[i]);
			return FALSE;
		}
		server->n_daemons++;
	}
	return TRUE;
}

struct http_server *http_server_new(const int *fds, guint n_fds, const struct http_options *options,
    http_handler handler, gpointer user, GError **error)
{
	struct http_server *server = g_new0(struct http_server, 1);

	server->options = *options;
	server->handler = handler;
	server->user = user;
	server->peers = peers_new(&(struct peers_options){ .connections = options->connections,
	    .share = MAX(1, options->connections / 2),
	    .timeout = options->timeout });
	server->workers = start_workers(options, options->threads);
	server->uploads = start_workers(options, UPLOADS);
	if (options->is_urgent != NULL)
		server->urgent = start_workers(options, 1);
	g_mutex_init(&server->lock);
	g_cond_init(&server->ended);
	server->watch = g_thread_new("watch", watch_main, server);
	if (!start_daemons(server, fds, n_fds, error)) {
		http_server_free(server, 0);
		return NULL;
	}
	return server;
}

static void stop_watch(struct http_server *server)
{
	g_mutex_lock(&server->lock);
	server->ending = TRUE;
	g_cond_signal(&server->ended);
	g_mutex_unlock(&server->lock);
	g_thread_join(server->watch);
}

/* Wait until no request is in progress, at most until deadline (monotonic time). */
static void drain(const struct http_server *server, gint64 deadline)
{
	while (g_atomic_int_get(&server->active) > 0 && g_get_monotonic_time() < deadline)
		g_usleep(WAIT_STEP_US);
}

/* The library allows no suspended connection at its end, so the workers stop first. */
static void stop_all(struct http_server *server)
{
	stop_watch(server);
	g_atomic_int_set(&server->stopping, 1);
	workers_stop(server->workers);
	workers_stop(server->uploads);
	if (server->urgent != NULL)
		workers_stop(server->urgent);
	for (guint i = 0; i < server->n_daemons; i++)
		MHD_stop_daemon(server->daemons[i]);
}

void http_server_free(struct http_server *server, guint grace)
{
	if (server == NULL)
		return;
	for (guint i = 0; i < server->n_daemons; i++) {
		int fd = MHD_quiesce_daemon(server->daemons[i]);

		if (fd >= 0)
			close(fd);
	}
	drain(server, g_get_monotonic_time() + (gint64)grace * G_USEC_PER_SEC);
	stop_all(server);
	peers_free(server->peers);
	workers_free(server->workers);
	workers_free(server->urgent);
	workers_free(server->uploads);
	g_mutex_clear(&server->lock);
	g_cond_clear(&server->ended);
	g_free(server->daemons);
	g_free(server);
}
