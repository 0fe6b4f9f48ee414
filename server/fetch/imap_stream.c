#include "server/fetch/imap_stream.h"

#include <errno.h>
#include <poll.h>

#include <curl/curl.h>

#include "parser/error.h"
#include "server/common/visible.h"

#define WRITE_SECONDS 60

struct imap_stream {
	CURL *curl;
	curl_socket_t socket;
	char message[CURL_ERROR_SIZE];
};

/* Always returns FALSE. */
static gboolean fail(const struct imap_stream *stream, GError **error, CURLcode code)
{
	const char *words = *stream->message != '\0' ? stream->message : curl_easy_strerror(code);
	g_autofree char *visible = visible_text(words);

	g_set_error(error, RUAD_ERROR, code == CURLE_LOGIN_DENIED ? RUAD_ERROR_SYNTAX : RUAD_ERROR_SYSTEM,
	    "IMAP server: %s", visible);
	return FALSE;
}

static gboolean fail_words(GError **error, const char *words)
{
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "IMAP server: %s", words);
	return FALSE;
}

static void set_up(struct imap_stream *stream, const struct account *account, const char *token)
{
	CURL *curl = stream->curl;

	curl_easy_setopt(curl, CURLOPT_URL, account->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "imap,imaps");
	curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)(account->plain ? CURLUSESSL_NONE : CURLUSESSL_ALL));
	if (account->ca_file != NULL)
		curl_easy_setopt(curl, CURLOPT_CAINFO, account->ca_file);
	curl_easy_setopt(curl, CURLOPT_USERNAME, account->user);
	if (token != NULL)
		curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, token);
	else
		curl_easy_setopt(curl, CURLOPT_PASSWORD, account->password);
	curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* whatever the environment says */
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)IMAP_STREAM_CONNECT_SECONDS);
	curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, stream->message);
}

struct imap_stream *imap_stream_open(const struct account *account, const char *token, GError **error)
{
	struct imap_stream *stream = g_new0(struct imap_stream, 1);
	CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);

	stream->curl = code == CURLE_OK ? curl_easy_init() : NULL;
	if (stream->curl == NULL) {
		(void)fail_words(error, "libcurl cannot be used");
	} else {
		set_up(stream, account, token);
		code = curl_easy_perform(stream->curl);
		if (code == CURLE_OK)
			code = curl_easy_getinfo(stream->curl, CURLINFO_ACTIVESOCKET, &stream->socket);
		if (code == CURLE_OK)
			return stream;
		(void)fail(stream, error, code);
	}
	imap_stream_close(stream);
	return NULL;
}

void imap_stream_close(struct imap_stream *stream)
{
	if (stream == NULL)
		return;
	curl_easy_cleanup(stream->curl);
	g_free(stream);
}

/* Wait for events on the socket, or until wake is readable. Returns whether the socket is ready. */
static gboolean wait_for(const struct imap_stream *stream, short events, int wake, gint64 deadline)
{
	for (;;) {
		struct pollfd both[] = { { .fd = stream->socket, .events = events },
			{ .fd = wake, .events = POLLIN } };
		gint64 left = (deadline - g_get_monotonic_time()) / 1000 + 1;
		int ready = left > 0 ? poll(both, G_N_ELEMENTS(both), (int)MIN(left, G_MAXINT)) : 0;

		if (ready >= 0 || errno != EINTR)
			return ready > 0 && both[0].revents != 0;
	}
}

gboolean imap_stream_write(struct imap_stream *stream, const char *data, gsize size, GError **error)
{
	gint64 deadline = g_get_monotonic_time() + WRITE_SECONDS * G_TIME_SPAN_SECOND;

	while (size > 0) {
		size_t sent = 0;
		CURLcode code = curl_easy_send(stream->curl, data, size, &sent);

		if (code == CURLE_AGAIN && !wait_for(stream, POLLOUT, -1, deadline))
			return fail_words(error, "it does not read in time");
		if (code != CURLE_OK && code != CURLE_AGAIN)
			return fail(stream, error, code);
		data += sent;
		size -= sent;
	}
	return TRUE;
}

gssize imap_stream_read(
    struct imap_stream *stream, char *data, gsize size, guint seconds, int wake, GError **error)
{
	gint64 deadline = g_get_monotonic_time() + seconds * G_TIME_SPAN_SECOND;

	for (;;) {
		size_t n = 0;
		CURLcode code = curl_easy_recv(stream->curl, data, size, &n);

		if (code == CURLE_OK && n > 0)
			return (gssize)n;
		if (code == CURLE_OK) {
			(void)fail_words(error, "it closed the connection");
			return -1;
		}
		if (code != CURLE_AGAIN) {
			(void)fail(stream, error, code);
			return -1;
		}
		if (!wait_for(stream, POLLIN, wake, deadline))
			return 0;
	}
}
