#include "server/notify/webhook.h"

#include "parser/error.h"
#include "server/common/log.h"
#include "server/notify/transfer.h"

struct webhook_route webhook_route_of(const struct settings *settings)
{
	return (struct webhook_route){
		.url = settings_string(settings, "notify.webhook"),
		.token = settings_string(settings, "notify.webhook_token"),
		.format = (enum webhook_format)settings_choice(settings, "notify.webhook_format"),
	};
}

static struct curl_slist *headers_of(const struct webhook_route *route, const char *key)
{
	g_autofree char *idempotency = g_strdup_printf("Idempotency-Key: %s", key);
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");

	headers = curl_slist_append(headers, idempotency);
	if (*route->token != '\0') {
		g_autofree char *authorization = g_strdup_printf("Authorization: Bearer %s", route->token);

		headers = curl_slist_append(headers, authorization);
	}
	return headers;
}

/* "status 200: ok"; sets error if the status is not one of success. */
static char *answer_of(struct transfer *transfer, GError **error)
{
	g_autofree char *quoted = log_quote(transfer->body->str);
	g_autofree char *words = NULL;
	long status = 0;

	curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);
	words = g_strdup_printf("status %ld: %s", status, quoted);
	if (status >= 200 && status < 300)
		return g_steal_pointer(&words);
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "the web server answers with %s", words);
	return NULL;
}

char *webhook_send(const struct webhook_route *route, const char *key, GBytes *document, GError **error)
{
	gboolean is_matrix = route->format == WEBHOOK_MATRIX;
	g_autofree char *url = is_matrix ? g_strconcat(route->url, "/", key, NULL) : g_strdup(route->url);
	struct curl_slist *headers = NULL;
	struct transfer transfer;
	char *said = NULL;
	gsize size;
	const char *data = g_bytes_get_data(document, &size);

	if (!transfer_init(&transfer, url, "http,https", WEBHOOK_SECONDS, error))
		return NULL;
	headers = headers_of(route, key);
	curl_easy_setopt(transfer.curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(transfer.curl, CURLOPT_USERAGENT, "ruad/" RUAD_VERSION);
	curl_easy_setopt(transfer.curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
	curl_easy_setopt(transfer.curl, CURLOPT_POSTFIELDS, data);
	if (is_matrix)
		curl_easy_setopt(transfer.curl, CURLOPT_CUSTOMREQUEST, "PUT");
	if (transfer_run(&transfer, error))
		said = answer_of(&transfer, error);
	transfer_clear(&transfer);
	curl_slist_free_all(headers);
	return said;
}
