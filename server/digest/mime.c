#include "server/digest/mime.h"

#include <string.h>

#include "parser/error.h"
#include "server/common/message.h"
#include "server/digest/html.h"
#include "server/digest/plain_text.h"

/* -- parts -- */

/* A boundary that is in no part: no quoted-printable or base64 has "=_". Transfer full. */
static char *new_boundary(void)
{
	g_autofree char *uuid = g_uuid_string_random();

	return g_strconcat("=_", uuid, NULL);
}

static void begin_part(GString *body, const char *boundary)
{
	g_string_append_printf(body, "--%s\r\n", boundary);
}

static void end_parts(GString *body, const char *boundary)
{
	g_string_append_printf(body, "--%s--\r\n", boundary);
}

static void put_text(GString *body, const char *headers, const char *text)
{
	g_string_append_printf(body, "%s\r\n", headers);
	message_quoted(body, text);
	g_string_append(body, "\r\n"); /* it belongs to the boundary that follows */
}

static void put_picture(GString *body, const struct chart *chart, guint n, const char *host)
{
	g_autoptr(GBytes) png = chart_png(chart);
	g_autofree char *cid = html_cid(n, host);
	gsize size;
	const guint8 *data = g_bytes_get_data(png, &size);

	g_string_append_printf(body,
	    "Content-Type: image/png\r\n"
	    "Content-Transfer-Encoding: base64\r\n"
	    "Content-Disposition: inline; filename=\"chart%u.png\"\r\n"
	    "Content-ID: <%s>\r\n\r\n",
	    n, cid);
	message_base64(body, data, size);
}

/* The HTML with its pictures. */
static void put_related(GString *body, const struct content *content, const char *host)
{
	g_autofree char *boundary = new_boundary();
	g_autofree char *html = html_print(content, host);
	guint n = 0;

	g_string_append_printf(body,
	    "Content-Type: multipart/related; type=\"text/html\";\r\n boundary=\"%s\"\r\n\r\n", boundary);
	begin_part(body, boundary);
	put_text(body, MESSAGE_TEXT_HEADERS("html"), html);
	for (guint i = 0; i < content->blocks->len; i++) {
		const struct block *block = content->blocks->pdata[i];

		if (block->kind != BLOCK_CHART)
			continue;
		begin_part(body, boundary);
		put_picture(body, block->chart, ++n, host);
	}
	end_parts(body, boundary);
}

static GString *body_of(const struct content *content, const char *host, const char *boundary)
{
	GString *body = g_string_new(NULL);
	g_autofree char *text = plain_text_print(content);

	begin_part(body, boundary);
	put_text(body, MESSAGE_TEXT_HEADERS("plain"), text);
	begin_part(body, boundary);
	put_related(body, content, host);
	end_parts(body, boundary);
	return body;
}

/* -- the mail -- */

static gboolean check_address(const char *address, GError **error)
{
	if (message_is_address(address))
		return TRUE;
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "\"%s\" is not a mail address", address);
	return FALSE;
}

static gboolean check_envelope(const struct mime_envelope *envelope, GError **error)
{
	for (gsize i = 0; envelope->to[i] != NULL; i++)
		if (!check_address(envelope->to[i], error))
			return FALSE;
	return check_address(envelope->from, error);
}

static GBytes *with_lf(GBytes *bytes)
{
	gsize size;
	const char *data = g_bytes_get_data(bytes, &size);
	GString *text = g_string_new_len(data, (gssize)size);

	g_string_replace(text, "\r\n", "\n", 0);
	g_bytes_unref(bytes);
	return g_string_free_to_bytes(text);
}

GBytes *mime_print(const struct content *content, const struct mime_envelope *envelope, GError **error)
{
	g_autofree char *boundary = new_boundary();
	g_autofree char *type = g_strdup_printf("multipart/alternative; boundary=\"%s\"", boundary);
	g_autofree char *id = NULL;
	g_autoptr(GString) body = NULL;
	GBytes *bytes;

	if (!check_envelope(envelope, error))
		return NULL;
	body = body_of(content, strchr(envelope->from, '@') + 1, boundary);
	id = message_id(envelope->from);
	bytes = message_make(&(struct message){ .from = envelope->from,
	    .to = envelope->to,
	    .id = id,
	    .date = g_get_real_time() / G_USEC_PER_SEC,
	    .subject = content->subject,
	    .type = type,
	    .body = body->str });
	return envelope->crlf ? bytes : with_lf(bytes);
}
