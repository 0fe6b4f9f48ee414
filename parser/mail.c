#include "parser/mail.h"

#include "parser/authentic.h"
#include "parser/cms.h"
#include "parser/embedded.h"
#include "parser/feedback.h"
#include "parser/kind.h"
#include "parser/mailpart.h"
#include "parser/mailsplit.h"
#include "parser/received.h"
#include "parser/text.h"

#include <gmime/gmime.h>
#include <string.h>

#define MAIL_HEAD       (64 * 1024)     /* bytes in which an attached mail must show its MIME-Version */
#define MIME_VERSION    "mime-version:" /* every mail with parts has it (RFC 2045 section 4) */
#define PGP_MESSAGE     "-----BEGIN PGP MESSAGE-----" /* RFC 9580 section 6.2 */
#define FIELD_MAX_BYTES 1000 /* of Subject and the like: for people to recognise the mail */

struct walk {
	const struct parser_limits *limits;
	const char *authserv_id; /* of our own MTA, or NULL */
	const struct mail_visitor *visitor;
	gpointer user;
	guint parts; /* leaves met */
	guint mails; /* and mails of an mbox, and parts behind a closing boundary */
	/* of the mail that is being walked */
	struct mailpart_source source;
	const char *name;       /* of the leaf whose text is searched, or NULL */
	gboolean declared;      /* a multipart/report around it is of feedback reports (RFC 5965 section 2) */
	GMimeObject *sole;      /* the one part that may be a report, or NULL */
	const char *subject;    /* of that mail */
	const char *tls_domain; /* its TLS-Report-Domain, or that of a mail around it; or NULL */
};

static gboolean walk_object(struct walk *walk, GMimeObject *object, guint depth, GError **error);

static char *clean_or_null(const char *text, gsize max)
{
	return text == NULL ? NULL : text_clean_line(text, strlen(text), max);
}

/* Also a mail that travels encoded inside another: GMime leaves it a leaf. */
static gboolean walk_mail(struct walk *outer, const guint8 *mail, gsize size, guint depth, GError **error);

/* The mails of an mbox, the first of them at depth; or the one mail. */
static gboolean walk_mails(struct walk *walk, const guint8 *mails, gsize size, guint depth, GError **error);

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
	part->declared = walk->declared;
	return walk->visitor->part(walk->user, part, error);
}

static gboolean give_embedded(
    gpointer user, const char *name, gsize name_size, const guint8 *data, gsize size, GError **error)
{
	struct walk *walk = user;
	g_autofree char *clean = name == NULL ? NULL : text_clean_line(name, name_size, MAILPART_NAME_MAX);
	struct mail_part part = { .name = clean != NULL ? clean : walk->name,
		.type = "application/octet-stream",
		.data = data,
		.size = size };

	return give_part(walk, &part, error);
}

/* The field, "name:", is in the header that begins at data. */
static gboolean has_field(const guint8 *data, gsize size, const char *field)
{
	gsize head = MIN(size, MAIL_HEAD), n = strlen(field);

	for (gsize at = 0, line; at < head && data[at] != '\n' && data[at] != '\r'; at += line) {
		if (head - at >= n && g_ascii_strncasecmp((const char *)data + at, field, n) == 0)
			return TRUE;
		line = text_line_size((const char *)data + at, head - at);
	}
	return FALSE;
}

gboolean mail_is_file(const guint8 *data, gsize size)
{
	return mailsplit_is_mbox(data, size) ||
	       (kind_is_field(data, size) &&
		   (has_field(data, size, "from:") || has_field(data, size, "received:") ||
		       has_field(data, size, MIME_VERSION)));
}

/* What is said to be a mail is one: it has a header. In a digest, files without a type are said to be mails
 * (RFC 2046 section 5.1.5). */
static gboolean has_header(const guint8 *data, gsize size)
{
	gboolean is_name = size > 0 && (g_ascii_isalpha(data[0]) || data[0] == '>'); /* not of JSON */

	return is_name && kind_is_field(data, size) && kind_of_document(data, size) == KIND_MAIL;
}

/* A mail that is said to be one, or is attached as a file or a text. */
static gboolean is_mail(const struct mail_part *leaf)
{
	gboolean is_header = strcmp(leaf->type, "text/rfc822-headers") == 0; /* of a bounce */

	if (mailsplit_is_mbox(leaf->data, leaf->size))
		return TRUE;
	if (strcmp(leaf->type, "message/rfc822") == 0)
		return has_header(leaf->data, leaf->size);
	if (is_header || kind_of_document(leaf->data, leaf->size) != KIND_MAIL ||
	    !has_field(leaf->data, leaf->size, MIME_VERSION))
		return FALSE;
	return g_str_has_prefix(leaf->type, "application/") ||
	       (kind_is_field(leaf->data, leaf->size) && has_field(leaf->data, leaf->size, "from:"));
}

static enum mail_feedback_form form_of(enum feedback_role role)
{
	return role == FEEDBACK_PROSE ? MAIL_FEEDBACK_PROSE : MAIL_FEEDBACK_FIELDS;
}

/* A feedback report without other parts beside it. */
static gboolean give_lone_feedback(
    struct walk *walk, const struct mail_part *leaf, enum feedback_role role, GError **error)
{
	struct mail_feedback feedback = {
		.form = form_of(role), .fields = leaf->data, .fields_size = leaf->size
	};

	if (!count_part(walk, error))
		return FALSE;
	feedback.number = walk->parts;
	return walk->visitor->feedback(walk->user, &feedback, error);
}

/* The text begins with this line. */
static gboolean begins_with(const guint8 *data, gsize size, const char *line)
{
	gsize blank = kind_blank(data, size), n = strlen(line);

	return size - blank >= n && memcmp(data + blank, line, n) == 0;
}

/* A leaf whose bytes are decoded, of any kind but a mail. */
static gboolean walk_file(struct walk *walk, struct mail_part *leaf, GError **error)
{
	enum feedback_role role = feedback_alone(leaf->type, leaf->data, leaf->size);
	gboolean ok;

	if (role != FEEDBACK_OTHER)
		return give_lone_feedback(walk, leaf, role, error);
	if (begins_with(leaf->data, leaf->size, PGP_MESSAGE))
		leaf->encrypted = "OpenPGP";
	if (!give_part(walk, leaf, error))
		return FALSE;
	if (leaf->encrypted != NULL || kind_of(leaf->data, leaf->size) != KIND_OTHER)
		return TRUE;
	walk->name = leaf->name;
	ok = embedded_walk(leaf->data, leaf->size, give_embedded, walk, error);
	walk->name = NULL;
	return ok;
}

/* The leaf, or the mail that it is, or that is signed in it. */
static gboolean walk_decoded(struct walk *walk, struct mail_part *leaf, guint depth, GError **error)
{
	g_autoptr(GByteArray) joined = NULL;
	const guint8 *inner;
	gsize inner_size;

	if (is_mail(leaf))
		return walk_mails(walk, leaf->data, leaf->size, depth + 1, error);
	switch (cms_read(leaf->data, leaf->size, &inner, &inner_size, &joined)) {
	case CMS_SIGNED:
		return walk_mail(walk, inner, inner_size, depth + 1, error);
	case CMS_ENCRYPTED:
		leaf->encrypted = "S/MIME";
		break;
	case CMS_NONE:
		break;
	}
	return walk_file(walk, leaf, error);
}

static gboolean walk_leaf(struct walk *walk, GMimePart *part, guint depth, GError **error)
{
	g_autoptr(GByteArray) decoded = NULL;
	g_autofree char *type = mailpart_type(GMIME_OBJECT(part));
	g_autofree char *name = clean_or_null(g_mime_part_get_filename(part), MAILPART_NAME_MAX);
	struct mail_part leaf = { .name = name,
		.type = type,
		.subject = walk->sole == GMIME_OBJECT(part) ? walk->subject : NULL,
		.tls_domain = walk->tls_domain };

	if (!mailpart_raw(&walk->source, part, &leaf.data, &leaf.size))
		return TRUE;
	if (mailpart_is_cut(&walk->source, leaf.data))
		return ruad_error_over_limit(error, "bytes in a header", walk->limits->max_header_bytes);
	decoded = mailpart_decode(part, leaf.data, leaf.size);
	if (decoded != NULL) {
		leaf.data = decoded->data;
		leaf.size = decoded->len;
	}
	return walk_decoded(walk, &leaf, depth, error);
}

/* -- feedback reports -- */

/* The parts of a multipart with feedback reports in it. */
struct report_parts {
	struct walk *walk;
	GMimeMultipart *multipart;
	struct feedback_part *part;
	guint n;
	const char *report_type; /* of the multipart, in lower case, or NULL */
	GByteArray *head;        /* what owns the bytes that head_of() returned last, or NULL */
};

static GMimeObject *object_of(const struct report_parts *parts, const struct feedback_part *part)
{
	return g_mime_multipart_get_part(parts->multipart, (int)(part - parts->part));
}

static gboolean head_of(gpointer user, guint i, const guint8 **data, gsize *size)
{
	struct report_parts *parts = user;

	g_clear_pointer(&parts->head, g_byte_array_unref);
	return mailpart_content(
	    &parts->walk->source, object_of(parts, &parts->part[i]), FEEDBACK_HEAD, data, size, &parts->head);
}

/* Give a report to the visitor. One of fields (or prose) and message may be NULL. */
static gboolean give_feedback(struct report_parts *parts, const struct feedback_part *fields,
    const struct feedback_part *message, GError **error)
{
	struct walk *walk = parts->walk;
	struct mail_feedback feedback = {
		.number = walk->parts, .form = MAIL_FEEDBACK_NONE, .report_type = parts->report_type
	};
	g_autoptr(GByteArray) decoded = NULL;
	g_autoptr(GByteArray) decoded_message = NULL;

	/* a part without bytes of its own leaves NULL */
	if (fields != NULL) {
		feedback.form = form_of(fields->role);
		mailpart_content(&walk->source, object_of(parts, fields), G_MAXSIZE, &feedback.fields,
		    &feedback.fields_size, &decoded);
	}
	if (message != NULL)
		mailpart_content(&walk->source, object_of(parts, message), G_MAXSIZE, &feedback.message,
		    &feedback.message_size, &decoded_message);
	return walk->visitor->feedback(walk->user, &feedback, error);
}

static gboolean walk_feedback(struct report_parts *parts, guint depth, GError **error)
{
	struct walk *walk = parts->walk;
	gboolean only_messages = TRUE;

	for (guint i = 0; i < parts->n; i++)
		only_messages = only_messages && !feedback_is_report(&parts->part[i]);
	for (guint i = 0; i < parts->n; i++) {
		const struct feedback_part *part = &parts->part[i];
		gboolean is_report = feedback_is_report(part);

		if (!is_report && !part->reported && !(only_messages && part->role == FEEDBACK_MESSAGE)) {
			if (!walk_object(walk, object_of(parts, part), depth + 1, error))
				return FALSE;
			continue;
		}
		if (depth + 1 > walk->limits->max_part_depth)
			return ruad_error_over_limit(
			    error, "parts inside one another", walk->limits->max_part_depth);
		if (!count_part(walk, error))
			return FALSE;
		if (is_report && !give_feedback(parts, part, part->message, error))
			return FALSE;
		if (only_messages && !give_feedback(parts, NULL, part, error))
			return FALSE;
	}
	return TRUE;
}

/* *found: there was a feedback report among the children, and all of them were walked. */
static gboolean walk_reports(
    struct walk *walk, GMimeMultipart *multipart, guint depth, gboolean *found, GError **error)
{
	guint n = (guint)MAX(0, g_mime_multipart_get_count(multipart));
	g_autofree struct feedback_part *part = g_new0(struct feedback_part, n);
	g_auto(GStrv) types = g_new0(char *, n + 1);
	g_autofree char *report_type = mailpart_parameter(GMIME_OBJECT(multipart), "report-type");
	struct report_parts parts = { walk, multipart, part, n, report_type, NULL };

	if (report_type != NULL)
		text_lower(report_type);
	for (guint i = 0; i < n; i++)
		part[i].type = types[i] = mailpart_type(object_of(&parts, &part[i]));
	walk->declared |= g_strcmp0(report_type, "feedback-report") == 0;
	*found = feedback_find(part, n, report_type, head_of, &parts);
	g_clear_pointer(&parts.head, g_byte_array_unref);
	return !*found || walk_feedback(&parts, depth, error);
}

/* One more mail or piece that no count of GMime's bounds. */
static gboolean count_mail(struct walk *walk, GError **error)
{
	if (walk->mails >= walk->limits->max_parts)
		return ruad_error_over_limit(error, "mails", walk->limits->max_parts);
	walk->mails++;
	return TRUE;
}

static gboolean is_white(const guint8 *data, gsize size)
{
	const char *text = (const char *)data;

	return text_trim(&text, size) == 0;
}

/* What is in a multipart, but not between its boundaries: parts with another boundary, and texts. */
static gboolean walk_outside(struct walk *walk, const guint8 *text, gsize size, guint depth, GError **error)
{
	struct mailsplit_fence fence = { .declared = walk->source.fences->boundary };
	gboolean ok = TRUE;

	for (gsize at = 0; ok && at < size;) {
		struct mailsplit_piece piece = mailsplit_piece(text, size, at, &fence);

		at = piece.next;
		if (is_white(piece.data, piece.size))
			continue;
		if (piece.is_part)
			ok = count_mail(walk, error) &&
			     walk_mail(walk, piece.data, piece.size, depth + 1, error);
		else
			ok = embedded_walk(piece.data, piece.size, give_embedded, walk, error);
	}
	return ok;
}

/* What gateways append. */
static gboolean walk_epilogue(struct walk *walk, GMimeMultipart *multipart, guint depth, GError **error)
{
	const guint8 *text;
	gsize size;

	return !mailpart_epilogue(&walk->source, multipart, &text, &size) ||
	       walk_outside(walk, text, size, depth, error);
}

static gboolean walk_children(struct walk *walk, GMimeMultipart *multipart, guint depth, GError **error)
{
	int n = g_mime_multipart_get_count(multipart);
	const guint8 *prologue;
	gsize size;
	gboolean found;

	/* without parts, its boundary is not the declared one, so all of it is before the first part */
	mailpart_prologue(&walk->source, multipart, &prologue, &size);
	if (!walk_outside(walk, prologue, size, depth, error))
		return FALSE;
	if (!walk_reports(walk, multipart, depth, &found, error))
		return FALSE;
	for (int i = 0; i < n && !found; i++)
		if (!walk_object(walk, g_mime_multipart_get_part(multipart, i), depth + 1, error))
			return FALSE;
	return walk_epilogue(walk, multipart, depth, error);
}

static gboolean walk_multipart(struct walk *walk, GMimeMultipart *multipart, guint depth, GError **error)
{
	g_autofree char *boundary = mailpart_parameter(GMIME_OBJECT(multipart), "boundary");
	struct mailpart_fence fence = { boundary != NULL ? boundary : "", walk->source.fences };
	gboolean ok;

	walk->source.fences = &fence;
	ok = walk_children(walk, multipart, depth, error);
	walk->source.fences = fence.outer;
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

/* Leaves and inner mails below object, those that stand beside reports or the others; *last is one of
 * them. */
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

/* The one part of a mail that may be a report, whatever it is called when it is alone; NULL: there are
 * several. */
static GMimeObject *sole_part(GMimeObject *object)
{
	GMimeObject *part = NULL;
	guint count = count_leaves(object, FALSE, &part);

	if (count == 0)
		count = count_leaves(object, TRUE, &part);
	return count == 1 ? part : NULL;
}

/* The header of a mail, and what it contains. */
struct message {
	GMimeHeaderList *fields;
	GMimeObject *content; /* or NULL */
};

/* The first field of this name, decoded, or NULL. */
static char *first_field(const struct message *message, const char *name)
{
	GMimeHeader *field = g_mime_header_list_get_header(message->fields, name);

	return field == NULL ? NULL : clean_or_null(g_mime_header_get_value(field), FIELD_MAX_BYTES);
}

/* The last one, or NULL. */
static GMimeHeader *last_field(const struct message *message, const char *name)
{
	for (int i = g_mime_header_list_get_count(message->fields); i > 0; i--) {
		GMimeHeader *field = g_mime_header_list_get_header_at(message->fields, i - 1);

		if (g_ascii_strcasecmp(g_mime_header_get_name(field), name) == 0)
			return field;
	}
	return NULL;
}

static char *subject_of(const struct message *message)
{
	GMimeHeader *field = last_field(message, "Subject");

	return field == NULL ? NULL : clean_or_null(g_mime_header_get_value(field), FIELD_MAX_BYTES);
}

static gboolean walk_message(struct walk *walk, const struct message *message, guint depth, GError **error)
{
	const struct walk outer = *walk;
	g_autofree char *subject = NULL, *tls_domain = NULL;
	gboolean ok;

	if (message->content == NULL)
		return TRUE;
	subject = subject_of(message);
	tls_domain = first_field(message, "TLS-Report-Domain");
	walk->subject = subject;
	if (tls_domain != NULL && *tls_domain != '\0')
		walk->tls_domain = tls_domain;
	walk->sole = sole_part(message->content);
	ok = walk_object(walk, message->content, depth, error);
	walk->declared = outer.declared;
	walk->subject = outer.subject;
	walk->tls_domain = outer.tls_domain;
	walk->sole = outer.sole;
	return ok;
}

/* A mail that GMime found in a part. */
static gboolean walk_inner(struct walk *walk, GMimeMessage *inner, guint depth, GError **error)
{
	struct message message;

	if (inner == NULL)
		return TRUE;
	message.fields = g_mime_object_get_header_list(GMIME_OBJECT(inner));
	message.content = inner->mime_part;
	return walk_message(walk, &message, depth, error);
}

/* What is said to be a mail, or has no type in a digest. */
static gboolean walk_message_part(struct walk *walk, GMimeObject *object, guint depth, GError **error)
{
	g_autoptr(GByteArray) decoded = NULL;
	g_autofree char *name = clean_or_null(
	    g_mime_object_get_content_disposition_parameter(object, "filename"), MAILPART_NAME_MAX);
	struct mail_part leaf = { .type = "message/rfc822", .name = name, .tls_domain = walk->tls_domain };

	if (!mailpart_content(&walk->source, object, G_MAXSIZE, &leaf.data, &leaf.size, &decoded) ||
	    leaf.size == 0 || (has_header(leaf.data, leaf.size) && !mailsplit_is_mbox(leaf.data, leaf.size)))
		return walk_inner(
		    walk, g_mime_message_part_get_message(GMIME_MESSAGE_PART(object)), depth + 1, error);
	if (mailpart_is_base64(leaf.data, leaf.size)) {
		decoded = embedded_decode_base64(leaf.data, leaf.size);
		leaf.data = decoded->data;
		leaf.size = decoded->len;
	}
	if (depth + 1 > walk->limits->max_part_depth)
		return ruad_error_over_limit(error, "parts inside one another", walk->limits->max_part_depth);
	return walk_decoded(walk, &leaf, depth + 1, error);
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
		return walk_message_part(walk, object, depth, error);
	if (GMIME_IS_PART(object))
		return walk_leaf(walk, GMIME_PART(object), depth, error);
	return TRUE;
}

/* The line that an mbox has before a mail, and mail servers pass to commands, or its escaped form. */
static gsize from_line_size(const struct mailview *view)
{
	const char *text = (const char *)view->bytes;

	gboolean is_from = (view->size >= 5 && memcmp(text, "From ", 5) == 0) ||
			   (view->size >= 6 && memcmp(text, ">From ", 6) == 0);

	return is_from ? text_line_size(text, view->size) : 0;
}

/*
 * Parse; the parts are windows on the view's bytes, which may be dropped, but not be read then. NULL: not a
 * mail at all.
 *
 * To GMime the mail is a part whose header has all fields: a GMimeMessage would parse addresses and dates
 * that nobody asks for, which took a quarter of its time.
 */
static GMimeObject *parse_mail(const struct mailview *view)
{
	/* GMime wants an array of its own; it reads only, and gets ours for the time of parsing */
	GByteArray *array = g_byte_array_new_take((guint8 *)(gsize)view->bytes, view->size);
	GMimeStream *stream = g_mime_stream_mem_new_with_byte_array(array);
	GMimeParser *parser;
	GMimeObject *mail;

	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
	g_mime_stream_seek(stream, (gint64)from_line_size(view), GMIME_STREAM_SEEK_SET);
	parser = g_mime_parser_new_with_stream(stream);
	g_mime_parser_set_format(parser, GMIME_FORMAT_MESSAGE);
	g_mime_parser_set_persist_stream(parser, TRUE);
	mail = g_mime_parser_construct_part(parser, NULL);
	g_object_unref(parser);
	g_object_unref(stream);
	g_byte_array_free(array, FALSE);
	return mail;
}

/* The addresses of all fields From. Transfer full. */
static InternetAddressList *from_addresses(const struct message *message)
{
	InternetAddressList *all = internet_address_list_new();

	for (int i = 0; i < g_mime_header_list_get_count(message->fields); i++) {
		GMimeHeader *field = g_mime_header_list_get_header_at(message->fields, i);
		const char *text = g_mime_header_get_raw_value(field);

		if (g_ascii_strcasecmp(g_mime_header_get_name(field), "From") != 0 || text == NULL)
			continue;
		InternetAddressList *some = internet_address_list_parse(NULL, text);
		if (some == NULL)
			continue;
		internet_address_list_append(all, some);
		g_object_unref(some);
	}
	return all;
}

/* As a lower-case A-label name, or NULL. */
static char *address_domain(InternetAddress *address)
{
	const char *text, *at;

	text = INTERNET_ADDRESS_IS_MAILBOX(address)
		   ? internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address))
		   : NULL;
	at = text == NULL ? NULL : strrchr(text, '@');
	if (at == NULL || at[1] == '\0' || strlen(at + 1) > TEXT_DOMAIN_MAX)
		return NULL;
	return text_domain_copy(at + 1);
}

/* The domain of From as a lower-case A-label name, or NULL when there is not exactly one address. */
static char *from_domain(const struct message *message)
{
	InternetAddressList *from = from_addresses(message);
	char *domain = internet_address_list_length(from) == 1
			   ? address_domain(internet_address_list_get_address(from, 0))
			   : NULL;

	g_object_unref(from);
	return domain;
}

/* What our own MTA found out (authentic.h). */
static enum authentic verdict(const struct message *message, const char *authserv_id)
{
	int count = authserv_id == NULL ? 0 : g_mime_header_list_get_count(message->fields);
	g_autofree char *from = count == 0 ? NULL : from_domain(message);
	enum authentic verdict = AUTHENTIC_NONE;

	for (int i = 0; i < count; i++) {
		GMimeHeader *field = g_mime_header_list_get_header_at(message->fields, i);

		if (g_ascii_strcasecmp(g_mime_header_get_name(field), "Authentication-Results") == 0 &&
		    authentic_read(g_mime_header_get_raw_value(field), authserv_id, from, &verdict))
			break;
	}
	return verdict;
}

/* The id in the topmost Received, which the host that received the mail last has added. */
static char *queue_id(const struct message *message)
{
	GMimeHeader *topmost = g_mime_header_list_get_header(message->fields, "Received");

	return topmost == NULL ? NULL : received_id(g_mime_header_get_raw_value(topmost));
}

static char *message_id(const struct message *message)
{
	GMimeHeader *field = last_field(message, "Message-Id");
	const char *text = field == NULL ? NULL : g_mime_header_get_value(field);
	g_autofree char *id = text == NULL ? NULL : g_mime_utils_decode_message_id(text);

	return clean_or_null(id, FIELD_MAX_BYTES);
}

static gboolean give_header(const struct walk *walk, const struct message *message, GError **error)
{
	g_autofree char *id = message_id(message);
	g_autofree char *subject = subject_of(message);
	g_autofree char *from = first_field(message, "From");
	g_autofree char *queued_as = queue_id(message);
	struct mail_header header = { .message_id = id,
		.subject = subject,
		.from = from,
		.queue_id = queued_as,
		.authentic = verdict(message, walk->authserv_id) };

	return walk->visitor->header(walk->user, &header, error);
}

/* Whether all that the view leaves out is after the last part. */
static gboolean is_all_seen(const struct mailview *view, const struct message *message)
{
	return !view->shortened ||
	       (GMIME_IS_MULTIPART(message->content) &&
		   g_mime_multipart_get_epilogue(GMIME_MULTIPART(message->content)) != NULL);
}

static gboolean walk_parsed(struct walk *walk, GMimeObject *mail, guint depth, GError **error)
{
	const struct message message = { g_mime_object_get_header_list(mail), mail };

	if (depth == 1 && !give_header(walk, &message, error))
		return FALSE;
	if (!is_all_seen(walk->source.view, &message))
		return ruad_error_over_limit(
		    error, "lines that look like boundaries of parts", mailview_max_boundaries(walk->limits));
	return walk_message(walk, &message, depth, error);
}

static gboolean walk_mail(struct walk *outer, const guint8 *mail, gsize size, guint depth, GError **error)
{
	struct mailview view;
	struct walk walk = *outer;
	GMimeObject *object;
	gboolean ok;

	if (depth > walk.limits->max_part_depth)
		return ruad_error_over_limit(error, "parts inside one another", walk.limits->max_part_depth);
	if (!mailview_init(&view, mail, size, walk.limits, error))
		return FALSE;
	walk.source = (struct mailpart_source){ .mail = mail, .size = size, .view = &view };
	object = parse_mail(&view);
	mailview_drop_bytes(&view);
	ok = object == NULL || walk_parsed(&walk, object, depth, error);
	outer->parts = walk.parts;
	outer->mails = walk.mails;
	g_clear_object(&object);
	mailview_clear(&view);
	return ok;
}

static gboolean walk_mails(struct walk *walk, const guint8 *mails, gsize size, guint depth, GError **error)
{
	if (!mailsplit_is_mbox(mails, size))
		return walk_mail(walk, mails, size, depth, error);
	for (gsize at = 0, n; at < size; at += n) {
		n = mailsplit_mail(mails + at, size - at);
		if (!count_mail(walk, error) ||
		    !walk_mail(walk, mails + at, n, at == 0 ? depth : MAX(depth, 2), error))
			return FALSE;
	}
	return TRUE;
}

gboolean mail_walk(const guint8 *mail, gsize size, const struct parser_limits *limits,
    const char *authserv_id, const struct mail_visitor *visitor, gpointer user, GError **error)
{
	struct walk walk = { .limits = limits, .authserv_id = authserv_id, .visitor = visitor, .user = user };

	return walk_mails(&walk, mail, size, 1, error);
}
