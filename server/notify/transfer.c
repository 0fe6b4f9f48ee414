#include "server/notify/transfer.h"

#include <string.h>

#include "parser/error.h"
#include "server/common/log.h"

#define CONNECT_SECONDS 20L
#define GOODBYE         "221 " /* of a mail server, after the reply that matters */
#define BODY_MOST       400    /* bytes of an answer that are worth a line in the log */

static size_t take_line(char *data, size_t size, size_t n, void *user)
{
	struct transfer *transfer = user;
	gsize length = size * n;

	while (length > 0 && (data[length - 1] == '\r' || data[length - 1] == '\n'))
		length--;
	if (length > 0 && !(length >= strlen(GOODBYE) && memcmp(data, GOODBYE, strlen(GOODBYE)) == 0)) {
		g_string_truncate(transfer->line, 0);
		g_string_append_len(transfer->line, data, (gssize)MIN(length, BODY_MOST));
	}
	return size * n;
}

static size_t take_body(char *data, size_t size, size_t n, void *user)
{
	struct transfer *transfer = user;
	gsize left = BODY_MOST - transfer->body->len;

	g_string_append_len(transfer->body, data, (gssize)MIN(size * n, left));
	return size * n;
}

gboolean transfer_init(
    struct transfer *transfer, const char *url, const char *protocols, guint seconds, GError **error)
{
	*transfer = (struct transfer){ .curl = NULL };
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		transfer->curl = curl_easy_init();
	if (transfer->curl == NULL) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "libcurl cannot be used");
		return FALSE;
	}
	transfer->line = g_string_new(NULL);
	transfer->body = g_string_new(NULL);
	curl_easy_setopt(transfer->curl, CURLOPT_URL, url);
	curl_easy_setopt(transfer->curl, CURLOPT_PROTOCOLS_STR, protocols);
	curl_easy_setopt(transfer->curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(transfer->curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	curl_easy_setopt(transfer->curl, CURLOPT_TIMEOUT, (long)seconds);
	curl_easy_setopt(transfer->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(transfer->curl, CURLOPT_ERRORBUFFER, transfer->message);
	curl_easy_setopt(transfer->curl, CURLOPT_HEADERFUNCTION, take_line);
	curl_easy_setopt(transfer->curl, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(transfer->curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(transfer->curl, CURLOPT_WRITEDATA, transfer);
	return TRUE;
}

gboolean transfer_run(struct transfer *transfer, GError **error)
{
	CURLcode code = curl_easy_perform(transfer->curl);
	const char *words = *transfer->message != '\0' ? transfer->message : curl_easy_strerror(code);
	g_autofree char *quoted = log_quote(transfer->line->str);

	if (code == CURLE_OK)
		return TRUE;
	if (transfer->line->len > 0)
		g_set_error(
		    error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "%s; the server said last: %s", words, quoted);
	else
		g_set_error_literal(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, words);
	return FALSE;
}

void transfer_clear(struct transfer *transfer)
{
	if (transfer->curl != NULL)
		curl_easy_cleanup(transfer->curl);
	if (transfer->line != NULL)
		g_string_free(transfer->line, TRUE);
	if (transfer->body != NULL)
		g_string_free(transfer->body, TRUE);
	*transfer = (struct transfer){ .curl = NULL };
}
