#include "parser/mail.h"

#include "parser/kind.h"
#include "parser/mailview.h"
#include "parser/text.h"

#include <gmime/gmime.h>
#include <string.h>

#define NAME_MAX_BYTES  200
#define FIELD_MAX_BYTES 1000 /* of Subject and the like: for people to recognise the mail */

struct walk {
	const guint8 *mail;
	gsize size;
	const struct parser_limits *limits;
	const struct mail_visitor *visitor;
	gpointer user;
	const struct mailview *view; /* of mail */
	guint parts;                 /* leaves met */
};

static gboolean walk_object(struct walk *walk, GMimeObject *object, guint depth, GError **error);

static gboolean over_limit(GError **error, const char *what, gsize limit)
{
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_LIMIT, "%s: more than %" G_GSIZE_FORMAT, what, limit);
	return FALSE;
}

/* decoding */

static gint base64_value(guint8 c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* The bytes of an unfinished group of n letters, then it is empty. */
static void base64_flush(GByteArray *out, guint32 group, guint n)
{
	guint8 bytes[2];

	if (n < 2)
		return;
	group <<= 6 * (4 - n);
	bytes[0] = (guint8)(group >> 16);
	bytes[1] = (guint8)(group >> 8);
	g_byte_array_append(out, bytes, n - 1);
}

GByteArray *mail_decode_base64(const guint8 *text, gsize size)
{
	GByteArray *out = g_byte_array_sized_new((guint)(size / 4 * 3 + 3));
	guint32 group = 0;
	guint n = 0;

	for (gsize i = 0; i < size; i++) {
		gint value = base64_value(text[i]);

		if (value >= 0) {
			group = group << 6 | (guint32)value;
			if (++n == 4) {
				guint8 bytes[3] = { (guint8)(group >> 16), (guint8)(group >> 8),
					(guint8)group };

				g_byte_array_append(out, bytes, 3);
				n = 0;
				group = 0;
			}
		} else if (text[i] == '=') {
			base64_flush(out, group, n);
			n = 0;
			group = 0;
		}
	}
	base64_flush(out, group, n);
	return out;
}

static GByteArray *decode_with(GMimeContentEncoding encoding, const guint8 *text, gsize size)
{
	GByteArray *out = g_byte_array_new();
	GMimeEncoding state;

	g_mime_encoding_init_decode(&state, encoding);
	g_byte_array_set_size(out, (guint)g_mime_encoding_outlen(&state, size));
	g_byte_array_set_size(
	    out, (guint)g_mime_encoding_step(&state, (const char *)text, size, (char *)out->data));
	return out;
}

/* Base64 of something we look for, whatever the header says of it. */
static gboolean is_bare_base64(const guint8 *text, gsize size)
{
	static const char *const STARTS[] = { "H4sI", "UEsDB", "PD94bWwg", "PGZlZWRiYWNr" };
	gsize at = kind_blank(text, size);

	for (gsize i = 0; i < G_N_ELEMENTS(STARTS); i++) {
		gsize n = strlen(STARTS[i]);

		if (size - at > n && memcmp(text + at, STARTS[i], n) == 0)
			return TRUE;
	}
	return FALSE;
}

static gboolean is_archive_or_xml(const guint8 *data, gsize size)
{
	enum kind kind = kind_of(data, MIN(size, KIND_HEAD));

	return kind_is_archive(kind) || kind == KIND_XML;
}

/* The part's bytes without its transfer encoding; NULL: they are as they stand. */
static GByteArray *decode(GMimeContentEncoding encoding, const guint8 *raw, gsize size)
{
	switch (encoding) {
	case GMIME_CONTENT_ENCODING_BASE64:
		return is_archive_or_xml(raw, size) ? NULL : mail_decode_base64(raw, size);
	case GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE:
	case GMIME_CONTENT_ENCODING_UUENCODE:
		return decode_with(encoding, raw, size);
	default:
		return is_bare_base64(raw, size) ? mail_decode_base64(raw, size) : NULL;
	}
}

/* the walk */

static char *media_type(GMimeObject *object)
{
	GMimeContentType *type = g_mime_object_get_content_type(object);
	const char *media = g_mime_content_type_get_media_type(type);
	const char *subtype = g_mime_content_type_get_media_subtype(type);
	g_autofree char *both = g_strconcat(media ? media : "", "/", subtype ? subtype : "", NULL);
	char *clean = text_clean_line(both, strlen(both), NAME_MAX_BYTES);

	text_lower(clean);
	return clean;
}

static char *clean_or_null(const char *text, gsize max)
{
	return text == NULL ? NULL : text_clean_line(text, strlen(text), max);
}

/* The bytes of the part in the mail: with g_mime_parser_set_persist_stream() its stream is a window on them.
 */
static gboolean raw_content(
    const struct walk *walk, GMimeDataWrapper *content, const guint8 **raw, gsize *size)
{
	GMimeStream *stream = content == NULL ? NULL : g_mime_data_wrapper_get_stream(content);

	if (stream == NULL || !GMIME_IS_STREAM_MEM(stream))
		return FALSE;
	if (stream->bound_start < 0 || (guint64)stream->bound_start > walk->size)
		return FALSE;
	*raw = walk->mail + stream->bound_start;
	*size = walk->size - (gsize)stream->bound_start;
	if (stream->bound_end >= stream->bound_start)
		*size = MIN(*size, (gsize)(stream->bound_end - stream->bound_start));
	return TRUE;
}

/* Also a mail that travels encoded inside another: GMime leaves it a leaf. */
static gboolean walk_mail(struct walk *outer, const guint8 *mail, gsize size, guint depth, GError **error);

static gboolean walk_leaf(struct walk *walk, GMimePart *part, guint depth, GError **error)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	g_autoptr(GByteArray) decoded = NULL;
	g_autofree char *type = media_type(GMIME_OBJECT(part));
	g_autofree char *name = clean_or_null(g_mime_part_get_filename(part), NAME_MAX_BYTES);
	struct mail_part leaf = { .name = name, .type = type };

	if (!raw_content(walk, content, &leaf.data, &leaf.size))
		return TRUE;
	if (mailview_is_cut(walk->view, (gsize)(leaf.data - walk->mail)))
		return over_limit(error, "bytes in a header", walk->limits->max_header_bytes);
	decoded = decode(g_mime_part_get_content_encoding(part), leaf.data, leaf.size);
	if (decoded != NULL) {
		leaf.data = decoded->data;
		leaf.size = decoded->len;
	}
	if (strcmp(type, "message/rfc822") == 0)
		return walk_mail(walk, leaf.data, leaf.size, depth + 1, error);
	if (walk->parts >= walk->limits->max_parts)
		return over_limit(error, "parts", walk->limits->max_parts);
	leaf.number = ++walk->parts;
	return walk->visitor->part(walk->user, &leaf, error);
}

/* RFC 5965 section 2, or a multipart with such a part in it whatever it calls itself. */
static gboolean is_feedback(GMimeMultipart *multipart)
{
	GMimeContentType *type = g_mime_object_get_content_type(GMIME_OBJECT(multipart));
	const char *report_type = g_mime_content_type_get_parameter(type, "report-type");
	int count = g_mime_multipart_get_count(multipart);

	if (report_type != NULL && g_ascii_strcasecmp(report_type, "feedback-report") == 0)
		return TRUE;
	for (int i = 0; i < count; i++) {
		GMimeObject *child = g_mime_multipart_get_part(multipart, i);

		if (g_mime_content_type_is_type(
			g_mime_object_get_content_type(child), "message", "feedback-report"))
			return TRUE;
	}
	return FALSE;
}

static gboolean walk_multipart(struct walk *walk, GMimeMultipart *multipart, guint depth, GError **error)
{
	int count = g_mime_multipart_get_count(multipart);

	if (is_feedback(multipart)) {
		walk->visitor->feedback(walk->user);
		return TRUE;
	}
	for (int i = 0; i < count; i++)
		if (!walk_object(walk, g_mime_multipart_get_part(multipart, i), depth + 1, error))
			return FALSE;
	return TRUE;
}

static gboolean walk_message(struct walk *walk, GMimeMessage *message, guint depth, GError **error)
{
	if (message == NULL || message->mime_part == NULL)
		return TRUE;
	return walk_object(walk, message->mime_part, depth, error);
}

static gboolean walk_object(struct walk *walk, GMimeObject *object, guint depth, GError **error)
{
	if (depth > walk->limits->max_part_depth)
		return over_limit(error, "parts inside one another", walk->limits->max_part_depth);
	if (GMIME_IS_MULTIPART(object))
		return walk_multipart(walk, GMIME_MULTIPART(object), depth, error);
	if (GMIME_IS_MESSAGE_PARTIAL(object)) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
		    "message/partial: a piece of a mail that was cut up (RFC 2046 section 5.2.2)");
		return FALSE;
	}
	if (GMIME_IS_MESSAGE_PART(object))
		return walk_message(
		    walk, g_mime_message_part_get_message(GMIME_MESSAGE_PART(object)), depth + 1, error);
	if (GMIME_IS_PART(object))
		return walk_leaf(walk, GMIME_PART(object), depth, error);
	return TRUE;
}

/* Parse; the message's parts are windows on the view's bytes, which may be dropped, but not be read then. NULL: not a
 * mail at all. */
static GMimeMessage *parse_message(const struct mailview *view)
{
	/* GMime wants an array of its own; it reads only, and gets ours for the time of parsing */
	GByteArray *array = g_byte_array_new_take((guint8 *)(gsize)view->bytes, view->size);
	GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(array);
	GMimeParser *parser;
	GMimeMessage *message;

	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
	parser = g_mime_parser_new_with_stream(stream);
	g_mime_parser_set_format(parser, GMIME_FORMAT_MESSAGE);
	g_mime_parser_set_persist_stream(parser, TRUE);
	message = g_mime_parser_construct_message(parser, NULL);
	g_object_unref(parser);
	g_object_unref(stream);
	g_byte_array_free(array, FALSE);
	return message;
}

static gboolean give_header(const struct walk *walk, GMimeMessage *message, GError **error)
{
	g_autofree char *id = clean_or_null(g_mime_message_get_message_id(message), FIELD_MAX_BYTES);
	g_autofree char *subject = clean_or_null(g_mime_message_get_subject(message), FIELD_MAX_BYTES);
	g_autofree char *from =
	    clean_or_null(g_mime_object_get_header(GMIME_OBJECT(message), "From"), FIELD_MAX_BYTES);
	struct mail_header header = { .message_id = id, .subject = subject, .from = from };

	return walk->visitor->header(walk->user, &header, error);
}

/* Whatever was left out of the view stands behind the last part. */
static gboolean is_all_seen(const struct mailview *view, GMimeMessage *message)
{
	return !view->shortened ||
	       (GMIME_IS_MULTIPART(message->mime_part) &&
		   g_mime_multipart_get_epilogue(GMIME_MULTIPART(message->mime_part)) != NULL);
}

static gboolean walk_parsed(struct walk *walk, GMimeMessage *message, guint depth, GError **error)
{
	if (depth == 1 && !give_header(walk, message, error))
		return FALSE;
	if (!is_all_seen(walk->view, message))
		return over_limit(
		    error, "lines that look like boundaries of parts", mailview_max_boundaries(walk->limits));
	return walk_message(walk, message, depth, error);
}

static gboolean walk_mail(struct walk *outer, const guint8 *mail, gsize size, guint depth, GError **error)
{
	struct mailview view;
	struct walk walk = *outer;
	GMimeMessage *message;
	gboolean ok;

	if (depth > walk.limits->max_part_depth)
		return over_limit(error, "parts inside one another", walk.limits->max_part_depth);
	if (!mailview_init(&view, mail, size, walk.limits, error))
		return FALSE;
	walk.mail = mail;
	walk.size = size;
	walk.view = &view;
	message = parse_message(&view);
	mailview_drop_bytes(&view);
	ok = message == NULL || walk_parsed(&walk, message, depth, error);
	outer->parts = walk.parts;
	g_clear_object(&message);
	mailview_clear(&view);
	return ok;
}

gboolean mail_walk(const guint8 *mail, gsize size, const struct parser_limits *limits,
    const struct mail_visitor *visitor, gpointer user, GError **error)
{
	struct walk walk = { .limits = limits, .visitor = visitor, .user = user };

	return walk_mail(&walk, mail, size, 1, error);
}
