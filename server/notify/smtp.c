#include "server/notify/smtp.h"

#include <string.h>

#include "server/notify/transfer.h"

/* What is left of a message to be sent. */
struct rest {
	const char *data;
	gsize size;
};

static size_t give(char *buffer, size_t size, size_t n, void *user)
{
	struct rest *rest = user;
	gsize most = MIN(size * n, rest->size);

	memcpy(buffer, rest->data, most);
	rest->data += most;
	rest->size -= most;
	return most;
}

struct smtp_route smtp_route_of(const struct settings *settings, const char *from)
{
	return (struct smtp_route){
		.url = settings_string(settings, "notify.smtp"),
		.user = settings_string(settings, "notify.smtp_user"),
		.password = settings_string(settings, "notify.smtp_password"),
		.starttls = settings_bool(settings, "notify.smtp_starttls"),
		.ca_file = settings_string(settings, "notify.smtp_ca_file"),
		.from = from,
	};
}

static void set_route(CURL *curl, const struct smtp_route *route)
{
	g_autofree char *from = g_strdup_printf("<%s>", route->from);

	curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from);
	if (*route->user != '\0') {
		curl_easy_setopt(curl, CURLOPT_USERNAME, route->user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, route->password);
	}
	if (*route->ca_file != '\0')
		curl_easy_setopt(curl, CURLOPT_CAINFO, route->ca_file);
	if (route->starttls)
		curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
}

char *smtp_send(const struct smtp_route *route, const char *address, GBytes *message, GError **error)
{
	g_autofree char *to = g_strdup_printf("<%s>", address);
	struct curl_slist *recipients = NULL;
	struct rest rest = { .data = NULL };
	struct transfer transfer;
	char *said = NULL;

	if (!transfer_init(&transfer, route->url, "smtp,smtps", SMTP_SECONDS, error))
		return NULL;
	rest.data = g_bytes_get_data(message, &rest.size);
	recipients = curl_slist_append(NULL, to);
	set_route(transfer.curl, route);
	curl_easy_setopt(transfer.curl, CURLOPT_MAIL_RCPT, recipients);
	curl_easy_setopt(transfer.curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(transfer.curl, CURLOPT_READFUNCTION, give);
	curl_easy_setopt(transfer.curl, CURLOPT_READDATA, &rest);
	curl_easy_setopt(transfer.curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)rest.size);
	if (transfer_run(&transfer, error))
		said = g_strdup(transfer.line->str);
	transfer_clear(&transfer);
	curl_slist_free_all(recipients);
	return said;
}
