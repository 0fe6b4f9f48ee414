#include "server/digest/mime.h"

#include <gmime/gmime.h>
#include <string.h>

#include "parser/error.h"
#include "server/digest/html.h"
#include "server/digest/text.h"

/* -- parts -- */

static GMimeObject *text_part(const char *subtype, const char *text)
{
	GMimeTextPart *part = g_mime_text_part_new_with_subtype(subtype);

	g_mime_text_part_set_charset(part, "utf-8");
	g_mime_text_part_set_text(part, text);
	g_mime_part_set_content_encoding(GMIME_PART(part), GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
	return GMIME_OBJECT(part);
}

static GMimeObject *picture_part(const struct chart *chart, guint n, const char *host)
{
	g_autoptr(GBytes) png = chart_png(chart);
	g_autofree char *cid = html_cid(n, host);
	g_autofree char *name = g_strdup_printf("chart%u.png", n);
	gsize size;
	const char *data = g_bytes_get_data(png, &size);
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(data, size);
	GMimeDataWrapper *content =
	    g_mime_data_wrapper_new_with_stream(stream, GMIME_CONTENT_ENCODING_BINARY);
	GMimePart *part = g_mime_part_new_with_type("image", "png");

	g_mime_part_set_content(part, content);
	g_mime_part_set_content_encoding(part, GMIME_CONTENT_ENCODING_BASE64);
	g_mime_object_set_disposition(GMIME_OBJECT(part), "inline");
	g_mime_part_set_filename(part, name);
	g_mime_part_set_content_id(part, cid);
	g_object_unref(content);
	g_object_unref(stream);
	return GMIME_OBJECT(part);
}

/* Add a part to its multipart, which keeps it. */
static void add(GMimeMultipart *multipart, GMimeObject *part)
{
	g_mime_multipart_add(multipart, part);
	g_object_unref(part);
}

/* The HTML with its pictures; the HTML alone if there is none. */
static GMimeObject *rich_part(const struct content *content, const char *host)
{
	g_autofree char *html = html_print(content, host);
	GMimeMultipart *related = g_mime_multipart_new_with_subtype("related");
	guint n = 0;

	g_mime_object_set_content_type_parameter(GMIME_OBJECT(related), "type", "text/html");
	add(related, text_part("html", html));
	for (guint i = 0; i < content->blocks->len; i++) {
		const struct block *block = content->blocks->pdata[i];

		if (block->kind == BLOCK_CHART)
			add(related, picture_part(block->chart, ++n, host));
	}
	return GMIME_OBJECT(related);
}

static GMimeObject *body_of(const struct content *content, const char *host)
{
	g_autofree char *text = text_print(content);
	GMimeMultipart *alternative = g_mime_multipart_new_with_subtype("alternative");

	add(alternative, text_part("plain", text));
	add(alternative, rich_part(content, host));
	return GMIME_OBJECT(alternative);
}

/* -- the head -- */

/* Read mailboxes; NULL if they are none, or if one has no domain. */
static InternetAddressList *read_mailboxes(const char *text, GError **error)
{
	InternetAddressList *list = internet_address_list_parse(NULL, text);

	for (int i = 0; list != NULL && i < internet_address_list_length(list); i++) {
		InternetAddress *address = internet_address_list_get_address(list, i);

		if (!INTERNET_ADDRESS_IS_MAILBOX(address) ||
		    strchr(internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address)), '@') == NULL)
			g_clear_object(&list);
	}
	if (list == NULL)
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "\"%s\" is not a mail address", text);
	return list;
}

/* The domain of the first mailbox; borrowed from list. */
static const char *host_of(InternetAddressList *list)
{
	InternetAddress *first = internet_address_list_get_address(list, 0);

	return strrchr(internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(first)), '@') + 1;
}

static void set_head(GMimeMessage *message, const struct content *content, const char *host)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *id = g_mime_utils_generate_message_id(host);

	g_mime_message_set_subject(message, content->subject, "utf-8");
	g_mime_message_set_date(message, now);
	g_mime_message_set_message_id(message, id);
	g_mime_object_set_header(
	    GMIME_OBJECT(message), "Auto-Submitted", "auto-generated", NULL); /* RFC 3834 */
}

static GBytes *print(GMimeMessage *message, gboolean crlf)
{
	GMimeFormatOptions *options = g_mime_format_options_new();
	GByteArray *bytes = g_byte_array_new();
	GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(bytes);

	g_mime_format_options_set_newline_format(
	    options, crlf ? GMIME_NEWLINE_FORMAT_DOS : GMIME_NEWLINE_FORMAT_UNIX);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
	g_mime_object_write_to_stream(GMIME_OBJECT(message), options, stream);
	g_object_unref(stream);
	g_mime_format_options_free(options);
	return g_byte_array_free_to_bytes(bytes);
}

GBytes *mime_print(const struct content *content, const struct mime_envelope *envelope, GError **error)
{
	InternetAddressList *from;
	InternetAddressList *to = NULL;
	GMimeMessage *message;
	GMimeObject *body;
	GBytes *bytes;

	g_mime_init();
	from = read_mailboxes(envelope->from, error);
	if (from == NULL)
		return NULL;
	if (envelope->to != NULL && (to = read_mailboxes(envelope->to, error)) == NULL) {
		g_object_unref(from);
		return NULL;
	}
	message = g_mime_message_new(TRUE);
	internet_address_list_append(g_mime_message_get_from(message), from);
	if (to != NULL)
		internet_address_list_append(g_mime_message_get_to(message), to);
	set_head(message, content, host_of(from));
	body = body_of(content, host_of(from));
	g_mime_message_set_mime_part(message, body);
	bytes = print(message, envelope->crlf);
	g_object_unref(body);
	g_object_unref(message);
	g_clear_object(&to);
	g_object_unref(from);
	return bytes;
}
