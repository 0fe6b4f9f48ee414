/*
 * http.h - an HTTP/1.1 server on listening sockets: requests in, responses out. The only file that uses
 * libmicrohttpd.
 *
 * One thread for each socket reads and writes; it never blocks. Handlers run on other threads (workers.h), of
 * which a client has a share, and urgent requests on one of their own. Only a handler that cannot block runs
 * on the thread that read the request. A request that finds the queue full is refused at once. A request
 * whose client is gone for a second is abandoned. peers.h limits the connections.
 *
 * Works with libmicrohttpd 0.9.75 to 1.0. A body is read if its method allows one and exactly one
 * Content-Length announces it: that of PUT if it has at most HTTP_BODY_MAX bytes, before the handler runs;
 * that of POST when the handler asks for it, piece by piece (http_body_next()). Any other body stays unread.
 * In all cases the connection ends with the response, so that no two parties can disagree about where the
 * next request begins. Handlers of POST have threads of their own, since they wait for their clients.
 * Security headers of every page and document (CSP, nosniff, ...) are added here, so that no response of a
 * handler lacks them. The library itself answers requests that violate HTTP or exceed a connection's memory,
 * without these headers. Knows nothing of paths.
 */
#pragma once

#include "server/web/client.h"
#include "server/web/inflow.h"

#define HTTP_BODY_MAX 4096 /* bytes: a label and a note of a few sentences */

/* The state of a request's body. */
enum http_body {
	HTTP_BODY_NONE,      /* there is none */
	HTTP_BODY_WHOLE,     /* it was read */
	HTTP_BODY_STREAM,    /* http_body_next() reads it */
	HTTP_BODY_LARGE,     /* Content-Length says more than HTTP_BODY_MAX */
	HTTP_BODY_UNMEASURED /* not read: the method allows none, or not exactly one Content-Length */
};

/* The parts of a request that handlers need; strings are borrowed, of any bytes except NUL, and NULL if
 * absent. */
struct http_request {
	const char *method;
	const char *target; /* as sent: path and query, percent-encoded */
	const char *accept;
	const char *accept_encoding;
	const char *accept_language;
	const char *authorization;
	const char *content_type;
	const char *host;
	const char *if_none_match;
	const char *origin;
	const char *fetch_site;      /* Sec-Fetch-Site */
	const char *user;            /* the header that http_options.user_header names */
	const char *proxy_secret;    /* X-Ruad-Proxy-Secret */
	const struct client *client; /* never NULL; what a known proxy says of it is believed */
	gboolean is_local;           /* it came over a Unix socket */
	enum http_body body;
	GBytes *content;       /* borrowed; of HTTP_BODY_WHOLE, else NULL */
	guint64 length;        /* bytes, of HTTP_BODY_STREAM, else 0 */
	struct inflow *inflow; /* of HTTP_BODY_STREAM, for http_body_next(); else NULL */
	gsize header_bytes;    /* names and values together */
	/* a header's name is not a token (RFC 9110 section 5.1), or Authorization, Content-Type, Host,
	 * Origin, Sec-Fetch-Site, X-Ruad-Proxy-Secret or the user's header occurs twice: refuse it */
	gboolean malformed;
};

/*
 * The next piece of a HTTP_BODY_STREAM, transfer full; NULL at the end. *failed is set to TRUE if the body
 * ends early: the client is gone or silent, or the server stops. Blocks; for the thread of the request's
 * handler only.
 */
GBytes *http_body_next(const struct http_request *request, gboolean *failed) G_GNUC_WARN_UNUSED_RESULT;

/*
 * A body of unknown length. next() returns a piece, transfer full, or NULL at the end; if it sets *failed to
 * TRUE, the body ends early, and the connection is closed so that the client notices. It is called on the
 * threads of handlers, one call at a time; free() is called last, also without any next().
 */
struct http_stream {
	GBytes *(*next)(gpointer source, gboolean *failed);
	void (*free)(gpointer source);
	gpointer source; /* NULL: the response has no stream */
};

/* The place for a response that never changes, so that the server makes it once and sends it again and again.
 * All 0 at first; the process keeps it to its end. */
struct http_kept {
	gpointer made; /* atomic; belongs to the server */
};

/* A response; strings without a note on ownership are constants. */
struct http_response {
	guint status;
	/* NULL, or the other members are the same each time; the body is then one of g_bytes_new_static() */
	struct http_kept *kept;
	struct http_stream stream; /* owned; in place of body */
	GBytes *body;              /* owned; NULL is none */
	const char *type;          /* Content-Type, or NULL */
	char *etag;                /* owned; with its quotes, or NULL */
	const char *cache;         /* Cache-Control, or NULL for no-store */
	const char *encoding;      /* Content-Encoding, or NULL */
	const char *language;      /* Content-Language, or NULL */
	const char *vary;          /* Vary: the headers that chose the form, or NULL */
	const char *allow;         /* Allow, or NULL */
	const char *authenticate;  /* WWW-Authenticate, or NULL */
	const char *policy;        /* Content-Security-Policy instead of that of pages, or NULL */
	char *disposition;         /* owned; Content-Disposition, or NULL */
	char *link;                /* owned; Link, or NULL */
	guint retry_after;         /* seconds, or 0 */
};

/* Fill *response (all 0 on entry) for request. Runs on one of the server's threads; may block. */
typedef void (*http_handler)(
    const struct http_request *request, struct http_response *response, gpointer user);

/* Options; what is borrowed stays so until http_server_free(). */
struct http_options {
	guint threads;           /* handlers that run at the same time, apart from urgent ones */
	guint connections;       /* at most, on all sockets together; one client has half of them */
	guint timeout;           /* seconds a connection may be silent, and a request may take to arrive */
	const char *user_header; /* the header of http_request.user, or NULL; borrowed */
	/* addresses whose X-Forwarded-For is believed ("unix" is a Unix socket); NULL-terminated; borrowed */
	const char *const *proxies;
	/* Returns whether the request is handled apart from others, at once; its handler must be quick. NULL:
	 * none is */
	gboolean (*is_urgent)(const struct http_request *request);
	/* Returns whether the handler answers this request without a body without ever blocking, so that it
	 * may run on the thread that reads and writes; user is the handler's. NULL: never */
	gboolean (*is_instant)(const struct http_request *request, gpointer user);
	http_handler refuse; /* answers a request for which there is no room; must not block */
	/* Makes the handler that runs on thread return early; NULL if that is not possible */
	void (*interrupt)(GThread *thread);
	void (*watch)(void); /* called several times a second on a thread of its own, or NULL */
};

struct http_server;

/* Serve on the listening sockets fds[0..n_fds), which must not block and which the server then owns.
 * RUAD_ERROR_SYSTEM if a socket cannot be served. */
struct http_server *http_server_new(const int *fds, guint n_fds, const struct http_options *options,
    http_handler handler, gpointer user, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Stop accepting connections, wait until the requests in progress have ended (at most grace seconds), then
 * interrupt them and close all. NULL is allowed. */
void http_server_free(struct http_server *server, guint grace);
