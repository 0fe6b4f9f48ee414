/*
 * http.h - HTTP/1.1 on listening sockets: requests in, responses out. The only file that touches
 * libmicrohttpd.
 *
 * Works with libmicrohttpd 0.9.75 to 1.0. Request bodies are never read: a request that has one is answered
 * and its connection closed. Headers that guard every page and document (CSP, nosniff, ...) are added here,
 * so that no response of a handler can lack them; what breaks HTTP itself or is larger than a connection's
 * memory is answered by the library in its own words, without them. Knows nothing of paths.
 */
#pragma once

#include <glib.h>

/* A request's parts that matter to us; strings are borrowed, of any bytes but NUL. */
struct http_request {
	const char *method;
	const char *target;          /* as sent: path and query, percent-encoded */
	const char *accept_encoding; /* or NULL */
	const char *if_none_match;   /* or NULL */
	gsize header_bytes;          /* names and values together */
	gboolean malformed;          /* a header's name is not a token (RFC 9110 section 5.1): refuse it */
};

/* What to answer; strings without an owner's word are constants. */
struct http_response {
	guint status;
	GBytes *body;         /* owned; NULL is none */
	const char *type;     /* Content-Type, or NULL */
	char *etag;           /* owned; with its quotes, or NULL */
	const char *cache;    /* Cache-Control, or NULL for no-store */
	const char *encoding; /* Content-Encoding, or NULL */
	gboolean vary;        /* the coding was negotiated: Vary: Accept-Encoding */
	const char *allow;    /* Allow, or NULL */
	guint retry_after;    /* seconds, or 0 */
};

/* Fill *response (all 0 on entry) for request. Runs on one of the server's threads; may block. */
typedef void (*http_handler)(
    const struct http_request *request, struct http_response *response, gpointer user);

struct http_options {
	guint threads;     /* handlers that run at the same time, on each socket */
	guint connections; /* at most, on each socket */
	guint timeout;     /* seconds a connection may be silent */
};

struct http_server;

/* Serve on the listening sockets fds[0..n_fds), which become the server's own. RUAD_ERROR_SYSTEM. */
struct http_server *http_server_new(const int *fds, guint n_fds, const struct http_options *options,
    http_handler handler, gpointer user, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Take no new connections, let the requests under way end (grace seconds at most), then close all. NULL is
 * allowed. */
void http_server_free(struct http_server *server, guint grace);
