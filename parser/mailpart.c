#include "parser/mailpart.h"

#include "parser/embedded.h"
#include "parser/kind.h"
#include "parser/text.h"

#include <string.h>

#define TYPE_HEAD MAX(KIND_HEAD, 512) /* bytes, in which a tar shows, too */

char *mailpart_type(GMimeObject *object)
{
	GMimeContentType *type = g_mime_object_get_content_type(object);
	const char *media = g_mime_content_type_get_media_type(type);
	const char *subtype = g_mime_content_type_get_media_subtype(type);
	g_autofree char *both = g_strconcat(media ? media : "", "/", subtype ? subtype : "", NULL);
	char *clean = text_clean_line(both, strlen(both), MAILPART_NAME_MAX);

	text_lower(clean);
	return clean;
}

char *mailpart_parameter(GMimeObject *object, const char *name)
{
	const char *value = g_mime_content_type_get_parameter(g_mime_object_get_content_type(object), name);

	return value == NULL ? NULL : text_clean_line(value, strlen(value), MAILPART_NAME_MAX);
}

/* -- leaves -- */

gboolean mailpart_raw(const struct mailpart_source *source, GMimePart *part, const guint8 **raw, gsize *size)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	GMimeStream *stream = content == NULL ? NULL : g_mime_data_wrapper_get_stream(content);
	gsize end;

	if (stream == NULL || !GMIME_IS_STREAM_MEM(stream))
		return FALSE;
	if (stream->bound_start < 0 || (guint64)stream->bound_start > source->size)
		return FALSE;
	*raw = source->mail + stream->bound_start;
	*size = source->size - (gsize)stream->bound_start;
	if (stream->bound_end >= stream->bound_start)
		*size = MIN(*size, (gsize)(stream->bound_end - stream->bound_start));
	end = (gsize)stream->bound_start + *size;
	/* a boundary that ends by CRLF behind a line that ends by LF: GMime takes off two bytes all the
	 * same */
	if (source->size - end > 3 && source->mail[end] != '\r' && source->mail[end] != '\n' &&
	    memcmp(source->mail + end + 1, "\n--", 3) == 0)
		++*size;
	return TRUE;
}

gboolean mailpart_is_cut(const struct mailpart_source *source, const guint8 *raw)
{
	return mailview_is_cut(source->view, (gsize)(raw - source->mail));
}

static GByteArray *decode_quoted_printable(const guint8 *text, gsize size)
{
	GByteArray *out = g_byte_array_new();
	GMimeEncoding state;

	g_mime_encoding_init_decode(&state, GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
	g_byte_array_set_size(out, (guint)g_mime_encoding_outlen(&state, size));
	g_byte_array_set_size(
	    out, (guint)g_mime_encoding_step(&state, (const char *)text, size, (char *)out->data));
	return out;
}

static gboolean is_archive_or_text(const guint8 *data, gsize size)
{
	enum kind kind = kind_of(data, MIN(size, TYPE_HEAD));

	return kind_is_container(kind) || kind == KIND_XML || kind == KIND_JSON;
}

/* NULL: the declaration is wrong. */
static GByteArray *decode_base64(const guint8 *raw, gsize size)
{
	g_autoptr(GByteArray) decoded = NULL;

	if (is_archive_or_text(raw, size))
		return NULL;
	decoded = embedded_decode_base64(raw, size);
	if (!is_archive_or_text(decoded->data, decoded->len) &&
	    (kind_is_field(raw, size) || embedded_is_no_base64(raw, size)))
		return NULL;
	return g_steal_pointer(&decoded);
}

gboolean mailpart_is_base64(const guint8 *raw, gsize size)
{
	return embedded_is_base64(raw, size) || embedded_is_all_base64(raw, size);
}

GByteArray *mailpart_decode(GMimePart *part, const guint8 *raw, gsize size)
{
	switch (g_mime_part_get_content_encoding(part)) {
	case GMIME_CONTENT_ENCODING_BASE64:
		return decode_base64(raw, size);
	case GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE:
		return embedded_is_base64(raw, size) ? embedded_decode_base64(raw, size)
						     : decode_quoted_printable(raw, size);
	default:
		return mailpart_is_base64(raw, size) ? embedded_decode_base64(raw, size) : NULL;
	}
}

/* -- messages -- */

/* Whether a line is a boundary of one of the fences, from the innermost on. */
static gboolean is_fence(const struct mailpart_fence *fences, const guint8 *line, gsize size)
{
	if (size < 3 || line[0] != '-' || line[1] != '-')
		return FALSE;
	for (const struct mailpart_fence *fence = fences; fence != NULL; fence = fence->outer) {
		gsize n = strlen(fence->boundary);

		if (n > 0 && size >= n + 2 && memcmp(line + 2, fence->boundary, n) == 0 &&
		    (size == n + 2 || line[n + 2] == '-' || text_is_space((char)line[n + 2])))
			return TRUE;
	}
	return FALSE;
}

/* Where the part's own header ends, or the mail. */
static gsize content_begin(const struct mailpart_source *source, GMimeObject *object)
{
	GMimeHeaderList *list = g_mime_object_get_header_list(object);
	int count = g_mime_header_list_get_count(list);
	gint64 offset =
	    count > 0 ? g_mime_header_get_offset(g_mime_header_list_get_header_at(list, count - 1)) : -1;
	gsize at = offset < 0 || (guint64)offset > source->size ? source->size : (gsize)offset;

	while (at < source->size) {
		const guint8 *line = source->mail + at;
		gsize size = text_line_size((const char *)line, source->size - at);

		if (is_fence(source->fences, line, size))
			return source->size;
		at += size;
		if (line[0] == '\n' || (size == 2 && line[0] == '\r'))
			return at;
	}
	return source->size;
}

/* The bytes of a message: up to the boundary around it. */
static void message_content(
    const struct mailpart_source *source, GMimeObject *object, const guint8 **raw, gsize *size)
{
	gsize begin = content_begin(source, object), end = begin;

	while (end < source->size) {
		gsize n = text_line_size((const char *)(source->mail + end), source->size - end);

		if (is_fence(source->fences, source->mail + end, n))
			break;
		end += n;
	}
	/* the line's end before a boundary belongs to that (RFC 2046 section 5.1.1) */
	if (end < source->size && end > begin && source->mail[end - 1] == '\n')
		end--;
	if (end < source->size && end > begin && source->mail[end - 1] == '\r')
		end--;
	*raw = source->mail + begin;
	*size = end - begin;
}

gboolean mailpart_content(const struct mailpart_source *source, GMimeObject *object, gsize max,
    const guint8 **data, gsize *size, GByteArray **decoded)
{
	const guint8 *raw;
	gsize raw_size;

	if (GMIME_IS_MESSAGE_PART(object)) {
		message_content(source, object, &raw, &raw_size);
	} else if (GMIME_IS_PART(object)) {
		if (!mailpart_raw(source, GMIME_PART(object), &raw, &raw_size) ||
		    mailpart_is_cut(source, raw))
			return FALSE;
		*decoded = mailpart_decode(GMIME_PART(object), raw, MIN(raw_size, max));
	} else {
		return FALSE;
	}
	if (*decoded != NULL) {
		raw = (*decoded)->data;
		raw_size = (*decoded)->len;
	}
	*data = raw;
	*size = MIN(raw_size, max);
	return TRUE;
}

/* -- prologues and epilogues -- */

void mailpart_prologue(
    const struct mailpart_source *source, GMimeMultipart *multipart, const guint8 **data, gsize *size)
{
	message_content(source, GMIME_OBJECT(multipart), data, size);
}

/* Where the last leaf below object ends; 0 if it has none. */
static gsize last_end(const struct mailpart_source *source, GMimeObject *object)
{
	const guint8 *raw;
	gsize end = 0, size;

	if (GMIME_IS_MULTIPART(object)) {
		for (int i = g_mime_multipart_get_count(GMIME_MULTIPART(object)); end == 0 && i > 0; i--)
			end = last_end(source, g_mime_multipart_get_part(GMIME_MULTIPART(object), i - 1));
	} else if (GMIME_IS_MESSAGE_PART(object)) {
		GMimeMessage *message = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));

		if (message != NULL && message->mime_part != NULL)
			end = last_end(source, message->mime_part);
	} else if (GMIME_IS_PART(object) && mailpart_raw(source, GMIME_PART(object), &raw, &size)) {
		end = (gsize)(raw - source->mail) + size;
	}
	return end;
}

/* "--", the boundary and "--". */
static gboolean is_closing(const char *boundary, const guint8 *line, gsize size)
{
	gsize n = strlen(boundary);

	return n > 0 && size >= n + 4 && line[0] == '-' && line[1] == '-' &&
	       memcmp(line + 2, boundary, n) == 0 && line[n + 2] == '-' && line[n + 3] == '-';
}

gboolean mailpart_epilogue(
    const struct mailpart_source *source, GMimeMultipart *multipart, const guint8 **data, gsize *size)
{
	const struct mailpart_fence *fence = source->fences;
	gsize end = last_end(source, GMIME_OBJECT(multipart)), begin = 0;
	gsize at = end > 0 ? end : content_begin(source, GMIME_OBJECT(multipart));

	if (g_mime_multipart_get_epilogue(multipart) == NULL)
		return FALSE;
	while (at < source->size) {
		const guint8 *line = source->mail + at;
		gsize n = text_line_size((const char *)line, source->size - at);

		if (is_fence(fence->outer, line, n))
			break;
		at += n;
		if (begin == 0 && is_closing(fence->boundary, line, n))
			begin = at;
	}
	*data = source->mail + begin;
	*size = begin == 0 ? 0 : at - begin;
	return *size > 0;
}
