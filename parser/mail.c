#include "parser/mail.h"

#include "parser/authentic.h"
#include "parser/embedded.h"
#include "parser/failure.h"
#include "parser/kind.h"
#include "parser/mailview.h"
#include "parser/text.h"

#include <gmime/gmime.h>
#include <string.h>

#define NAME_MAX_BYTES  200
#define MAIL_HEAD       (64 * 1024) /* bytes in which the header of a mail that is attached as a file says so */
#define FIELD_MAX_BYTES 1000        /* of Subject and the like: for people to recognise the mail */
#define SNIFF_BYTES     (16 * 1024) /* of a part, to see whether it is a feedback report's */

/* A boundary that ends what is in its multipart. */
struct fence {
	const char *boundary; /* without the two hyphens before it */
	const struct fence *outer;
};

struct walk {
	const guint8 *mail;
	gsize size;
	const struct parser_limits *limits;
	const char *authserv_id; /* of our own MTA, or NULL */
	const struct mail_visitor *visitor;
	gpointer user;
	guint parts; /* leaves met */
	/* of the mail that is being walked */
	const struct mailview *view;
	const struct fence *fences; /* of the multiparts around */
	GMimeObject *sole;          /* the one part that may be a report, or NULL */
	const char *subject;        /* of that mail */
	const char *tls_domain;     /* its TLS-Report-Domain, or that of a mail around it; or NULL */
};

static gboolean walk_object(struct walk *walk, GMimeObject *object, guint depth, GError **error);

/* decoding */

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
	enum kind kind = kind_of(data, MIN(size, KIND_HEAD));

	return kind_is_archive(kind) || kind == KIND_XML || kind == KIND_JSON;
}

/* The part's bytes without its transfer encoding; NULL: they are as they stand, as uuencode's are, which is looked
 * for in any text. */
static GByteArray *decode(GMimeContentEncoding encoding, const guint8 *raw, gsize size)
{
	switch (encoding) {
	case GMIME_CONTENT_ENCODING_BASE64:
		return is_archive_or_text(raw, size) ? NULL : embedded_decode_base64(raw, size);
	case GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE:
		return embedded_is_base64(raw, size) ? embedded_decode_base64(raw, size)
						     : decode_quoted_printable(raw, size);
	default:
		return embedded_is_base64(raw, size) ? embedded_decode_base64(raw, size) : NULL;
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
	gsize end;

	if (stream == NULL || !GMIME_IS_STREAM_MEM(stream))
		return FALSE;
	if (stream->bound_start < 0 || (guint64)stream->bound_start > walk->size)
		return FALSE;
	*raw = walk->mail + stream->bound_start;
	*size = walk->size - (gsize)stream->bound_start;
	if (stream->bound_end >= stream->bound_start)
		*size = MIN(*size, (gsize)(stream->bound_end - stream->bound_start));
	end = (gsize)stream->bound_start + *size;
	/* a boundary that ends by CRLF behind a line that ends by LF: GMime takes off two bytes all the same */
	if (walk->size - end > 3 && walk->mail[end] != '\r' && walk->mail[end] != '\n' &&
	    memcmp(walk->mail + end + 1, "\n--", 3) == 0)
		++*size;
	return TRUE;
}

/* Also a mail that travels encoded inside another: GMime leaves it a leaf. */
static gboolean walk_mail(struct walk *outer, const guint8 *mail, gsize size, guint depth, GError **error);

static gboolean count_part(struct walk *walk, GError **error)
{
	if (walk->parts >= walk->limits->max_parts)
		return ruad_error_over_limit(error, "parts", walk->limits->max_parts);
	walk->parts++;
	return TRUE;
}

/* A leaf to the visitor. */
static gboolean give_part(struct walk *walk, struct mail_part *part, GError **error)
{
	if (!count_part(walk, error))
		return FALSE;
	part->number = walk->parts;
	return walk->visitor->part(walk->user, part, error);
}

static gboolean give_embedded(
    gpointer user, const char *name, gsize name_size, const guint8 *data, gsize size, GError **error)
{
	g_autofree char *clean = name == NULL ? NULL : text_clean_line(name, name_size, NAME_MAX_BYTES);
	struct mail_part part = {
		.name = clean, .type = "application/octet-stream", .data = data, .size = size
	};

	return give_part(user, &part, error);
}

/* The head of a mail, with the field that every mail with parts has (RFC 2045 section 4). */
static gboolean has_mime_header(const guint8 *data, gsize size)
{
	static const char FIELD[] = "\nmime-version:";
	gsize head = MIN(size, MAIL_HEAD), n = strlen(FIELD);

	for (gsize at = 0; at + n <= head; at++) {
		if (g_ascii_strncasecmp((const char *)data + at, FIELD, n) == 0)
			return TRUE;
		if (data[at] == '\n' && (data[at + 1] == '\n' || data[at + 1] == '\r'))
			return FALSE;
	}
	return FALSE;
}

/* A mail that is said to be one, or is attached as a file. */
static gboolean is_mail(const struct mail_part *leaf)
{
	if (strcmp(leaf->type, "message/rfc822") == 0)
		return TRUE;
	return g_str_has_prefix(leaf->type, "application/") && has_mime_header(leaf->data, leaf->size);
}

/* What a leaf without others beside it is of a feedback report. */
static enum mail_feedback_form lone_form(const struct mail_part *leaf)
{
	if (strcmp(leaf->type, "message/feedback-report") == 0)
		return MAIL_FEEDBACK_FIELDS;
	if (strcmp(leaf->type, "text/plain") == 0 && failure_is_prose((const char *)leaf->data, leaf->size))
		return MAIL_FEEDBACK_PROSE;
	return MAIL_FEEDBACK_NONE;
}

static gboolean give_lone_feedback(
    struct walk *walk, const struct mail_part *leaf, enum mail_feedback_form form, GError **error)
{
	struct mail_feedback feedback = { .form = form, .fields = leaf->data, .fields_size = leaf->size };

	if (!count_part(walk, error))
		return FALSE;
	feedback.number = walk->parts;
	return walk->visitor->feedback(walk->user, &feedback, error);
}

static gboolean walk_leaf(struct walk *walk, GMimePart *part, guint depth, GError **error)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	g_autoptr(GByteArray) decoded = NULL;
	g_autofree char *type = media_type(GMIME_OBJECT(part));
	g_autofree char *name = clean_or_null(g_mime_part_get_filename(part), NAME_MAX_BYTES);
	struct mail_part leaf = { .name = name,
		.type = type,
		.subject = walk->sole == GMIME_OBJECT(part) ? walk->subject : NULL,
		.tls_domain = walk->tls_domain };
	enum mail_feedback_form form;

	if (!raw_content(walk, content, &leaf.data, &leaf.size))
		return TRUE;
	if (mailview_is_cut(walk->view, (gsize)(leaf.data - walk->mail)))
		return ruad_error_over_limit(error, "bytes in a header", walk->limits->max_header_bytes);
	decoded = decode(g_mime_part_get_content_encoding(part), leaf.data, leaf.size);
	if (decoded != NULL) {
		leaf.data = decoded->data;
		leaf.size = decoded->len;
	}
	if (is_mail(&leaf))
		return walk_mail(walk, leaf.data, leaf.size, depth + 1, error);
	form = lone_form(&leaf);
	if (form != MAIL_FEEDBACK_NONE)
		return give_lone_feedback(walk, &leaf, form, error);
	if (!give_part(walk, &leaf, error))
		return FALSE;
	return kind_of(leaf.data, leaf.size) != KIND_OTHER ||
	       embedded_walk(leaf.data, leaf.size, give_embedded, walk, error);
}

/* feedback reports */

enum role {
	ROLE_OTHER,
	ROLE_FIELDS,
	ROLE_PROSE,
	ROLE_MESSAGE,
};

/* A part of a multipart in which there is a feedback report. */
struct child {
	GMimeObject *object;
	enum role role;
	struct child *message; /* of fields or prose: what is reported, or NULL */
	gboolean taken;        /* of a message: it is reported */
};

/* The third part: message/rfc822, text/rfc822-headers, and how else they are spelled. */
static gboolean is_message_type(const char *type)
{
	static const char *const NAMES[] = { "rfc822", "rfc822header", "rfc822headers", "rfc2822",
		"rfc2822headers", "global", "globalheaders" };
	g_autoptr(GString) name = g_string_new(NULL);

	if (g_str_has_prefix(type, "message/"))
		type += strlen("message/");
	else if (g_str_has_prefix(type, "text/"))
		type += strlen("text/");
	else
		return FALSE;
	for (; *type != '\0'; type++)
		if (*type != '-')
			g_string_append_c(name, *type);
	for (gsize i = 0; i < G_N_ELEMENTS(NAMES); i++)
		if (strcmp(name->str, NAMES[i]) == 0)
			return TRUE;
	return FALSE;
}

static gboolean is_fence(const struct walk *walk, const guint8 *line, gsize size)
{
	if (size < 3 || line[0] != '-' || line[1] != '-')
		return FALSE;
	for (const struct fence *fence = walk->fences; fence != NULL; fence = fence->outer) {
		gsize n = strlen(fence->boundary);

		if (n > 0 && size >= n + 2 && memcmp(line + 2, fence->boundary, n) == 0 &&
		    (size == n + 2 || line[n + 2] == '-' || text_is_space((char)line[n + 2])))
			return TRUE;
	}
	return FALSE;
}

/* Where the part's own header ends, or the mail. */
static gsize content_begin(const struct walk *walk, GMimeObject *object)
{
	GMimeHeaderList *list = g_mime_object_get_header_list(object);
	int count = g_mime_header_list_get_count(list);
	gint64 offset =
	    count > 0 ? g_mime_header_get_offset(g_mime_header_list_get_header_at(list, count - 1)) : -1;
	gsize at = offset < 0 || (guint64)offset > walk->size ? walk->size : (gsize)offset;

	while (at < walk->size) {
		const guint8 *line = walk->mail + at;
		gsize size = text_line_size((const char *)line, walk->size - at);

		if (is_fence(walk, line, size))
			return walk->size;
		at += size;
		if (line[0] == '\n' || (size == 2 && line[0] == '\r'))
			return at;
	}
	return walk->size;
}

/* The bytes of a message that GMime took to pieces: up to the boundary around it. */
static void message_content(const struct walk *walk, GMimeObject *object, const guint8 **raw, gsize *size)
{
	gsize begin = content_begin(walk, object), end = begin;

	while (end < walk->size) {
		gsize n = text_line_size((const char *)(walk->mail + end), walk->size - end);

		if (is_fence(walk, walk->mail + end, n))
			break;
		end += n;
	}
	/* the line's end before a boundary belongs to that (RFC 2046 section 5.1.1) */
	if (end < walk->size && end > begin && walk->mail[end - 1] == '\n')
		end--;
	if (end < walk->size && end > begin && walk->mail[end - 1] == '\r')
		end--;
	*raw = walk->mail + begin;
	*size = end - begin;
}

/* The first max bytes of a part, decoded; *decoded may be what owns them. FALSE: a multipart, or nothing at all. */
static gboolean part_content(const struct walk *walk, GMimeObject *object, gsize max, const guint8 **data,
    gsize *size, GByteArray **decoded)
{
	const guint8 *raw;
	gsize raw_size;

	if (GMIME_IS_MESSAGE_PART(object)) {
		message_content(walk, object, &raw, &raw_size);
	} else if (GMIME_IS_PART(object)) {
		GMimePart *part = GMIME_PART(object);

		if (!raw_content(walk, g_mime_part_get_content(part), &raw, &raw_size) ||
		    mailview_is_cut(walk->view, (gsize)(raw - walk->mail)))
			return FALSE;
		*decoded = decode(g_mime_part_get_content_encoding(part), raw, MIN(raw_size, max));
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

/* What a part is by its type, and where that says too little by its first bytes. */
static enum role role_of(const struct walk *walk, GMimeObject *object, gboolean sniff)
{
	g_autofree char *type = media_type(object);
	g_autoptr(GByteArray) decoded = NULL;
	enum role declared = is_message_type(type) ? ROLE_MESSAGE : ROLE_OTHER;
	const guint8 *data;
	gsize size;

	if (strcmp(type, "message/feedback-report") == 0)
		return ROLE_FIELDS;
	if (!sniff || strcmp(type, "text/html") == 0 ||
	    !(g_str_has_prefix(type, "text/") || g_str_has_prefix(type, "message/") ||
		strcmp(type, "application/octet-stream") == 0) ||
	    !part_content(walk, object, SNIFF_BYTES, &data, &size, &decoded))
		return declared;
	if (failure_is_fields((const char *)data, size))
		return ROLE_FIELDS;
	return declared == ROLE_OTHER && failure_is_prose((const char *)data, size) ? ROLE_PROSE : declared;
}

static guint count_roles(const struct child *child, guint n, enum role role)
{
	guint count = 0;

	for (guint i = 0; i < n; i++)
		count += child[i].role == role;
	return count;
}

/* A report has the message behind it, before the next report; a last one without may have one before. */
static void assign_messages(struct child *child, guint n)
{
	struct child *open = NULL, *spare = NULL;

	for (guint i = 0; i < n; i++) {
		if (child[i].role == ROLE_FIELDS || child[i].role == ROLE_PROSE) {
			open = &child[i];
		} else if (child[i].role == ROLE_MESSAGE && open != NULL && open->message == NULL) {
			open->message = &child[i];
			child[i].taken = TRUE;
		} else if (child[i].role == ROLE_MESSAGE) {
			spare = &child[i];
		}
	}
	if (open != NULL && open->message == NULL && spare != NULL && spare < open) {
		open->message = spare;
		spare->taken = TRUE;
	}
}

/* The roles of all parts. FALSE: there is no feedback report among them. */
static gboolean find_feedback(const struct walk *walk, struct child *child, guint n, const char *report_type)
{
	gboolean declared = report_type != NULL && g_str_has_prefix(report_type, "feedback");

	for (guint i = 0; i < n; i++)
		child[i].role = role_of(walk, child[i].object, FALSE);
	if (count_roles(child, n, ROLE_FIELDS) == 0 && (declared || count_roles(child, n, ROLE_MESSAGE) > 0))
		for (guint i = 0; i < n; i++)
			child[i].role = role_of(walk, child[i].object, TRUE);
	if (count_roles(child, n, ROLE_FIELDS) > 0) {
		for (guint i = 0; i < n; i++)
			if (child[i].role == ROLE_PROSE)
				child[i].role = ROLE_OTHER;
	} else if (count_roles(child, n, ROLE_PROSE) == 0 &&
		   !(declared && count_roles(child, n, ROLE_MESSAGE) > 0)) {
		return FALSE;
	}
	assign_messages(child, n);
	return TRUE;
}

/* Both may be NULL. */
static gboolean give_feedback(struct walk *walk, const struct child *second, const struct child *third,
    const char *report_type, GError **error)
{
	struct mail_feedback feedback = {
		.number = walk->parts, .form = MAIL_FEEDBACK_NONE, .report_type = report_type
	};
	g_autoptr(GByteArray) decoded = NULL;
	g_autoptr(GByteArray) decoded_message = NULL;

	if (second != NULL) {
		feedback.form = second->role == ROLE_PROSE ? MAIL_FEEDBACK_PROSE : MAIL_FEEDBACK_FIELDS;
		part_content(
		    walk, second->object, G_MAXSIZE, &feedback.fields, &feedback.fields_size, &decoded);
	}
	if (third != NULL)
		part_content(walk, third->object, G_MAXSIZE, &feedback.message, &feedback.message_size,
		    &decoded_message);
	return walk->visitor->feedback(walk->user, &feedback, error);
}

/* The parts of a multipart with feedback reports in it. */
static gboolean walk_feedback(
    struct walk *walk, struct child *child, guint n, const char *report_type, guint depth, GError **error)
{
	gboolean only_message = count_roles(child, n, ROLE_FIELDS) + count_roles(child, n, ROLE_PROSE) == 0;

	for (guint i = 0; i < n; i++) {
		gboolean reports = child[i].role == ROLE_FIELDS || child[i].role == ROLE_PROSE;

		if (!reports && !child[i].taken && !(only_message && child[i].role == ROLE_MESSAGE)) {
			if (!walk_object(walk, child[i].object, depth + 1, error))
				return FALSE;
			continue;
		}
		if (depth + 1 > walk->limits->max_part_depth)
			return ruad_error_over_limit(
			    error, "parts inside one another", walk->limits->max_part_depth);
		if (!count_part(walk, error))
			return FALSE;
		if (reports && !give_feedback(walk, &child[i], child[i].message, report_type, error))
			return FALSE;
		if (only_message && !give_feedback(walk, NULL, &child[i], report_type, error))
			return FALSE;
	}
	return TRUE;
}

static char *parameter(GMimeObject *object, const char *name)
{
	const char *value = g_mime_content_type_get_parameter(g_mime_object_get_content_type(object), name);

	return value == NULL ? NULL : text_clean_line(value, strlen(value), NAME_MAX_BYTES);
}

static gboolean walk_children(struct walk *walk, GMimeMultipart *multipart, guint depth, GError **error)
{
	guint n = (guint)MAX(0, g_mime_multipart_get_count(multipart));
	g_autofree struct child *child = g_new0(struct child, n);
	g_autofree char *report_type = parameter(GMIME_OBJECT(multipart), "report-type");
	const char *prologue = g_mime_multipart_get_prologue(multipart);

	/* its boundary is not the one that was announced: all of it stands before the first part */
	if (n == 0 && prologue != NULL)
		return embedded_walk((const guint8 *)prologue, strlen(prologue), give_embedded, walk, error);
	if (report_type != NULL)
		text_lower(report_type);
	for (guint i = 0; i < n; i++)
		child[i].object = g_mime_multipart_get_part(multipart, (int)i);
	if (find_feedback(walk, child, n, report_type))
		return walk_feedback(walk, child, n, report_type, depth, error);
	for (guint i = 0; i < n; i++)
		if (!walk_object(walk, child[i].object, depth + 1, error))
			return FALSE;
	return TRUE;
}

static gboolean walk_multipart(struct walk *walk, GMimeMultipart *multipart, guint depth, GError **error)
{
	g_autofree char *boundary = parameter(GMIME_OBJECT(multipart), "boundary");
	struct fence fence = { boundary != NULL ? boundary : "", walk->fences };
	gboolean ok;

	walk->fences = &fence;
	ok = walk_children(walk, multipart, depth, error);
	walk->fences = fence.outer;
	return ok;
}

/* Text for people, and pictures: next to a report, not one. */
static gboolean is_beside(GMimeObject *leaf)
{
	GMimeContentType *type = g_mime_object_get_content_type(leaf);

	return g_mime_content_type_is_type(type, "text", "plain") ||
	       g_mime_content_type_is_type(type, "text", "html") ||
	       g_mime_content_type_is_type(type, "image", "*");
}

/* Leaves and inner mails below object, those that stand beside reports or the others; *last is one of them. */
static guint count_leaves(GMimeObject *object, gboolean beside, GMimeObject **last)
{
	int count = GMIME_IS_MULTIPART(object) ? g_mime_multipart_get_count(GMIME_MULTIPART(object)) : 0;
	guint sum = 0;

	if (!GMIME_IS_MULTIPART(object)) {
		if (is_beside(object) != beside)
			return 0;
		*last = object;
		return 1;
	}
	for (int i = 0; i < count; i++)
		sum += count_leaves(g_mime_multipart_get_part(GMIME_MULTIPART(object), i), beside, last);
	return sum;
}

/* The one part of a mail that may be a report, whatever it is called when it is alone; NULL: there are several. */
static GMimeObject *sole_part(GMimeObject *object)
{
	GMimeObject *part = NULL;
	guint count = count_leaves(object, FALSE, &part);

	if (count == 0)
		count = count_leaves(object, TRUE, &part);
	return count == 1 ? part : NULL;
}

static gboolean walk_message(struct walk *walk, GMimeMessage *message, guint depth, GError **error)
{
	const struct walk outer = *walk;
	g_autofree char *subject = NULL, *tls_domain = NULL;
	gboolean ok;

	if (message == NULL || message->mime_part == NULL)
		return TRUE;
	subject = clean_or_null(g_mime_message_get_subject(message), FIELD_MAX_BYTES);
	tls_domain = clean_or_null(
	    g_mime_object_get_header(GMIME_OBJECT(message), "TLS-Report-Domain"), FIELD_MAX_BYTES);
	walk->subject = subject;
	if (tls_domain != NULL && *tls_domain != '\0')
		walk->tls_domain = tls_domain;
	walk->sole = sole_part(message->mime_part);
	ok = walk_object(walk, message->mime_part, depth, error);
	walk->subject = outer.subject;
	walk->tls_domain = outer.tls_domain;
	walk->sole = outer.sole;
	return ok;
}

static gboolean walk_object(struct walk *walk, GMimeObject *object, guint depth, GError **error)
{
	if (depth > walk->limits->max_part_depth)
		return ruad_error_over_limit(error, "parts inside one another", walk->limits->max_part_depth);
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

/* The domain of From as a lower-case A-label name, or NULL when there is not exactly one address. */
static char *from_domain(GMimeMessage *message)
{
	InternetAddressList *from = g_mime_message_get_from(message);
	InternetAddress *address;
	const char *text, *at;

	if (from == NULL || internet_address_list_length(from) != 1)
		return NULL;
	address = internet_address_list_get_address(from, 0);
	text = INTERNET_ADDRESS_IS_MAILBOX(address)
		   ? internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address))
		   : NULL;
	at = text == NULL ? NULL : strrchr(text, '@');
	if (at == NULL || at[1] == '\0' || strlen(at + 1) > TEXT_DOMAIN_MAX)
		return NULL;
	return text_domain_copy(at + 1);
}

/* What our own MTA found out (authentic.h). */
static enum authentic verdict(GMimeMessage *message, const char *authserv_id)
{
	GMimeHeaderList *fields = g_mime_object_get_header_list(GMIME_OBJECT(message));
	int count = authserv_id == NULL ? 0 : g_mime_header_list_get_count(fields);
	g_autofree char *from = count == 0 ? NULL : from_domain(message);
	enum authentic verdict = AUTHENTIC_NONE;

	for (int i = 0; i < count; i++) {
		GMimeHeader *field = g_mime_header_list_get_header_at(fields, i);

		if (g_ascii_strcasecmp(g_mime_header_get_name(field), "Authentication-Results") == 0 &&
		    authentic_read(g_mime_header_get_raw_value(field), authserv_id, from, &verdict))
			break;
	}
	return verdict;
}

static gboolean give_header(const struct walk *walk, GMimeMessage *message, GError **error)
{
	g_autofree char *id = clean_or_null(g_mime_message_get_message_id(message), FIELD_MAX_BYTES);
	g_autofree char *subject = clean_or_null(g_mime_message_get_subject(message), FIELD_MAX_BYTES);
	g_autofree char *from =
	    clean_or_null(g_mime_object_get_header(GMIME_OBJECT(message), "From"), FIELD_MAX_BYTES);
	struct mail_header header = { .message_id = id,
		.subject = subject,
		.from = from,
		.authentic = verdict(message, walk->authserv_id) };

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
		return ruad_error_over_limit(
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
		return ruad_error_over_limit(error, "parts inside one another", walk.limits->max_part_depth);
	if (!mailview_init(&view, mail, size, walk.limits, error))
		return FALSE;
	walk.mail = mail;
	walk.size = size;
	walk.view = &view;
	walk.fences = NULL;
	message = parse_message(&view);
	mailview_drop_bytes(&view);
	ok = message == NULL || walk_parsed(&walk, message, depth, error);
	outer->parts = walk.parts;
	g_clear_object(&message);
	mailview_clear(&view);
	return ok;
}

gboolean mail_walk(const guint8 *mail, gsize size, const struct parser_limits *limits,
    const char *authserv_id, const struct mail_visitor *visitor, gpointer user, GError **error)
{
	struct walk walk = { .limits = limits, .authserv_id = authserv_id, .visitor = visitor, .user = user };

	return walk_mail(&walk, mail, size, 1, error);
}
