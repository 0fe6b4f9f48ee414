#include "server/cli/https.h"

#include <curl/curl.h>
#include <string.h>

struct body {
	GString *text;
	gsize max;
};

/* Returning less than it got ends the transfer. */
static size_t take(char *data, size_t size, size_t n, void *user)
{
	struct body *body = user;

	if (size * n > body->max - body->text->len)
		return 0;
	g_string_append_len(body->text, data, (gssize)(size * n));
	return size * n;
}

/* "host:443:192.0.2.1,[2001:db8::1]" */
static struct curl_slist *resolved(const char *host, const GPtrArray *addresses)
{
	g_autoptr(GString) line = g_string_new(host);

	g_string_append(line, ":443:");
	for (guint i = 0; i < addresses->len; i++) {
		const char *address = g_ptr_array_index(addresses, i);

		g_string_append_printf(
		    line, strchr(address, ':') == NULL ? "%s%s" : "%s[%s]", i == 0 ? "" : ",", address);
	}
	return curl_slist_append(NULL, line->str);
}

static void set_up(CURL *curl, const char *url, struct curl_slist *where, struct body *body, char *message)
{
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_RESOLVE, where);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L); /* RFC 8461 section 3.3 */
	curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)HTTPS_SECONDS);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "ruad/" RUAD_VERSION);
}

/* Why the transfer failed; NULL: it did not. Transfer full. */
static char *fault_of(CURL *curl, CURLcode code, const char *message, const struct body *body)
{
	long status = 0;

	if (code == CURLE_WRITE_ERROR)
		return g_strdup_printf("it has more than %zu bytes", body->max);
	if (code != CURLE_OK)
		return g_strdup(*message != '\0' ? message : curl_easy_strerror(code));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return g_strdup_printf("the web server answers with status %ld", status);
	return g_utf8_validate(body->text->str, (gssize)body->text->len, NULL) ? NULL
									       : g_strdup("it is not text");
}

char *https_get(const char *host, const char *path, const GPtrArray *addresses, gsize max, char **why)
{
	g_autofree char *url = g_strconcat("https://", host, path, NULL);
	g_autoptr(GString) text = g_string_new(NULL);
	struct body body = { text, max };
	struct curl_slist *where;
	char message[CURL_ERROR_SIZE] = "";
	CURL *curl = NULL;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		curl = curl_easy_init();
	if (curl == NULL) {
		*why = g_strdup("libcurl cannot be used");
		return NULL;
	}
	where = resolved(host, addresses);
	set_up(curl, url, where, &body, message);
	*why = fault_of(curl, curl_easy_perform(curl), message, &body);
	curl_easy_cleanup(curl);
	curl_slist_free_all(where);
	return *why == NULL ? g_strdup(text->str) : NULL;
}
