/*
 * http.h - HTTP/1.1 on listening sockets: requests in, responses out. The only file that touches
 * libmicrohttpd.
 *
 * Works with libmicrohttpd 0.9.75 to 1.0. A body is read when its method takes one (PUT) and one Content-Length says
 * that it has at most HTTP_BODY_MAX bytes; any other stays unread. Either way the connection ends with the answer, so
 * that no two parties can disagree about where the next request begins. Headers that guard every page and document
 * (CSP, nosniff, ...) are added here, so that no response of a handler can lack them; what breaks HTTP itself or is
 * larger than a connection's memory is answered by the library in its own words, without them. Knows nothing of paths.
 */
#pragma once

#include <glib.h>

#define HTTP_BODY_MAX 4096 /* bytes: a label and a note of some sentences */

/* What became of a request's body. */
enum http_body {
	HTTP_BODY_NONE,      /* there is none */
	HTTP_BODY_WHOLE,     /* it was read */
	HTTP_BODY_LARGE,     /* Content-Length says more than HTTP_BODY_MAX */
	HTTP_BODY_UNMEASURED /* the method takes none, or its length is not said in the one plain way: not read */
};

/* A request's parts that matter to us; strings are borrowed, of any bytes but NUL, and NULL when absent. */
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
	const char *fetch_site; /* Sec-Fetch-Site */
	const char *user;       /* the header that http_options.user_header names */
	enum http_body body;
	GBytes *content;    /* borrowed; of HTTP_BODY_WHOLE, else NULL */
	gsize header_bytes; /* names and values together */
	gboolean
	    malformed; /* a header's name is not a token (RFC 9110 section 5.1), or Authorization, Content-Type,
			       Host, Origin, Sec-Fetch-Site or user stand there twice: refuse it */
};

/*
 * A body of unknown length. next() gives a piece, transfer full, NULL at the end; with *failed set to TRUE it ends early, and the connection is
 * closed so that the client sees it. Called on the server's threads, one call at a time; free() comes last, also without any next().
 */
struct http_stream {
	GBytes *(*next)(gpointer source, gboolean *failed);
	void (*free)(gpointer source);
	gpointer source; /* NULL: the response has no stream */
};

/* What to answer; strings without an owner's word are constants. */
struct http_response {
	guint status;
	struct http_stream stream; /* owned; in place of body */
	GBytes *body;              /* owned; NULL is none */
	const char *type;          /* Content-Type, or NULL */
	char *etag;                /* owned; with its quotes, or NULL */
	const char *cache;         /* Cache-Control, or NULL for no-store */
	const char *encoding;      /* Content-Encoding, or NULL */
	const char *language;      /* Content-Language, or NULL */
	const char *vary;          /* Vary: what the form was chosen by, or NULL */
	const char *allow;         /* Allow, or NULL */
	const char *authenticate;  /* WWW-Authenticate, or NULL */
	const char *policy;        /* Content-Security-Policy in place of the pages' own, or NULL */
	char *disposition;         /* owned; Content-Disposition, or NULL */
	char *link;                /* owned; Link, or NULL */
	guint retry_after;         /* seconds, or 0 */
};

/* Fill *response (all 0 on entry) for request. Runs on one of the server's threads; may block. */
typedef void (*http_handler)(
    const struct http_request *request, struct http_response *response, gpointer user);

struct http_options {
	guint threads;     /* handlers that run at the same time, on each socket */
	guint connections; /* at most, on each socket */
	guint timeout;     /* seconds a connection may be silent */
	const char *
	    user_header; /* name of the header in http_request.user, or NULL; borrowed for the server's life */
};

struct http_server;

/* Serve on the listening sockets fds[0..n_fds), which become the server's own. RUAD_ERROR_SYSTEM. */
struct http_server *http_server_new(const int *fds, guint n_fds, const struct http_options *options,
    http_handler handler, gpointer user, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Take no new connections, let the requests under way end (grace seconds at most), then close all. NULL is
 * allowed. */
void http_server_free(struct http_server *server, guint grace);
