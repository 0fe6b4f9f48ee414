#include "parser/parse.h"

#include "parser/aggregate.h"
#include "parser/embedded.h"
#include "parser/error.h"
#include "parser/failure.h"
#include "parser/hints.h"
#include "parser/jsontext.h"
#include "parser/kind.h"
#include "parser/mail.h"
#include "parser/msg.h"
#include "parser/orgdomain.h"
#include "parser/parsedmarc.h"
#include "parser/remainder.h"
#include "parser/roots.h"
#include "parser/text.h"
#include "parser/tls.h"
#include "parser/unpack.h"

#include <gmime/gmime.h>
#include <iconv.h>
#include <libxml/parser.h>
#include <string.h>

/* What all JSON of a mail may cost us and who stores it, in max_json and max_json_items. */
#define JSON_TEXTS 4

#define XML_PIECE  (64 * 1024) /* bytes of XML between two looks at what it has brought */
#define NAME_BYTES 200         /* of a member's name in a place */
#define TEXT_MAX   (1 << 20)   /* bytes of a text in an archive that are searched for reports */

#define TOO_LARGE  "archives in archives of more bytes than are gathered for one mail"
#define TOO_MANY   "more mails in files of Outlook than are read for one mail"
#define TOO_NESTED "archives inside one another, more than are unpacked"

/* The state of one parse_document(). */
struct parse {
	const struct parser_options *options;
	const struct parser_limits *limits; /* of options */
	const struct report_sink *sink;
	gpointer user;
	struct unpack_budget budget;
	gboolean is_mail;   /* the document is one */
	gboolean is_file;   /* what is read now is a file of the administrator, which may be a copy */
	gboolean exhausted; /* the budget is used up: the rest of the mail stays as it is */
	gboolean failed;    /* the sink did; its error is on its way up */
	gsize inner;        /* bytes gathered of archives in archives and of .msg, <= max_inner */
	guint64 xml_bytes;  /* read of all reports, and of other XML that was not recognised at once */
	guint64 foreign;    /* of those, the bytes that are not part of finished reports */
	guint64 records;    /* of reports that are over */
	guint64 json_bytes; /* of all JSON, and ... */
	guint64 json_items; /* ... names and values of TLS reports that are over */
	guint findings;     /* reports and unreadables passed on */
	struct remainder remainder; /* the leaves of mails */
	gboolean placeholder;       /* an archive with a word in place of a report was seen */
};

static gboolean read_bytes(struct parse *p, const char *place, const struct hints *hints, const guint8 *data,
    gsize size, guint nesting, GError **error);

/* A mail or an mbox that is in an archive. */
static gboolean read_inner_mail(
    struct parse *p, const char *place, const guint8 *mail, gsize size, guint nesting, GError **error);

static gboolean quarantine(
    struct parse *p, const char *place, const char *code, const char *reason, GError **error)
{
	g_autofree char *words = text_clean_line(reason, strlen(reason), p->limits->max_text);
	struct unreadable unreadable = { place, code, words };

	p->findings++;
	if (p->sink->unreadable(p->user, &unreadable, error))
		return TRUE;
	p->failed = TRUE;
	return FALSE;
}

/* A layer's error to the sink; format_code: what a breach of the layer's format is called. */
static gboolean quarantine_error(
    struct parse *p, const char *place, const char *format_code, const GError *fault, GError **error)
{
	gboolean limit = g_error_matches(fault, RUAD_ERROR, RUAD_ERROR_LIMIT);

	p->exhausted |= limit;
	return quarantine(p, place, limit ? "limit" : format_code, fault->message, error);
}

/* What was asked for is too much for any mail: the rest is not unpacked, not even to pass over it, as a zip
 * whose sizes follow its members needs. */
static void exhaust(struct parse *p)
{
	p->exhausted = TRUE;
	p->budget.bytes = 0;
}

/* -- a stream of bytes: a MIME part, a file or an archive member -- */

enum route {
	ROUTE_UNKNOWN, /* too few bytes yet */
	ROUTE_XML,
	ROUTE_ARCHIVE, /* gathered, then walked */
	ROUTE_JSON,    /* gathered, then read */
	ROUTE_MAIL,    /* of an archive; likewise */
	ROUTE_TEXT,    /* of an archive; its start is gathered, then searched */
	ROUTE_NONE,    /* of no use */
};

struct stream {
	struct parse *parse;
	char *place;
	struct hints hints;
	char *name;    /* what hints.name is, when it is the stream's own; or NULL */
	guint nesting; /* archives around it */
	enum route route;
	gboolean report_like;
	gboolean barren;    /* XML beyond max_record_xml or max_foreign */
	gboolean too_large; /* an archive or a mail beyond max_inner */
	GByteArray *head;   /* while unknown; and what is gathered */
	struct aggregate *aggregate;
	struct roots roots; /* reports inside of XML that is none */
	GByteArray *text;   /* such XML, to be searched; or NULL */
	gboolean searched;  /* for files in a text, by mail.h */
};

static void stream_open(
    struct stream *stream, struct parse *parse, char *place, const struct hints *hints, guint nesting)
{
	*stream = (struct stream){ .parse = parse,
		.place = place,
		.hints = *hints,
		.nesting = nesting,
		.head = g_byte_array_new() };
}

static void stream_clear(struct stream *stream)
{
	g_clear_pointer(&stream->place, g_free);
	g_clear_pointer(&stream->name, g_free);
	g_clear_pointer(&stream->head, g_byte_array_unref);
	g_clear_pointer(&stream->text, g_byte_array_unref);
	g_clear_pointer(&stream->aggregate, aggregate_free);
}

/* Blanks, comments and foreign elements pack a thousand times and cost a second for 50 MB: XML that brings
 * next to no records, or much besides them, is not read on. NULL: it is. */
static const char *why_barren(const struct parse *p, const struct aggregate *aggregate)
{
	guint64 own = p->records + aggregate_records(aggregate);
	guint64 records = own + PARSER_FREE_RECORDS;

	if (p->xml_bytes / p->limits->max_record_xml >= records &&
	    p->xml_bytes > p->limits->max_record_xml * records)
		return "too many bytes of XML for its records";
	if (p->foreign + aggregate_foreign(aggregate) > p->limits->max_foreign + own * PARSER_RECORD_FOREIGN)
		return "too many bytes of XML that are none of its records'";
	return NULL;
}

/* Keep the start of a text. Returns FALSE if that is all. */
static gboolean take_text(GByteArray *text, const guint8 *data, gsize size)
{
	gsize room = TEXT_MAX - MIN(text->len, TEXT_MAX);

	g_byte_array_append(text, data, (guint)MIN(size, room));
	return size < room;
}

/* XML of which the root is another, or is not yet known: reports may be inside of it. */
static void take_other(struct stream *stream, const guint8 *data, gsize size)
{
	roots_push(&stream->roots, data, size);
	if (stream->text == NULL)
		stream->text = g_byte_array_new();
	take_text(stream->text, data, size);
}

static gboolean push_xml(struct stream *stream, const guint8 *data, gsize size)
{
	struct parse *p = stream->parse;

	while (size > 0) {
		gsize part = MIN(size, XML_PIECE);
		gboolean more = aggregate_push(stream->aggregate, data, part);
		const char *why;

		if (!aggregate_begun(stream->aggregate))
			take_other(stream, data, part);
		if (!more && !aggregate_is_none(stream->aggregate))
			return FALSE;
		p->xml_bytes += part;
		why = why_barren(p, stream->aggregate);
		if (why != NULL) {
			stream->barren = TRUE;
			exhaust(p);
			aggregate_refuse(stream->aggregate, why);
			return FALSE;
		}
		data += part;
		size -= part;
	}
	return TRUE;
}

/* That many bytes more of an archive in an archive may be gathered. */
static gboolean take_inner(struct stream *stream, gsize size)
{
	struct parse *p = stream->parse;

	stream->too_large = size > p->limits->max_inner - p->inner;
	if (stream->too_large)
		exhaust(p);
	else
		p->inner += size;
	return !stream->too_large;
}

/* Keep one byte more than allowed, to see that it is too large. */
static gboolean take_json(struct stream *stream, const guint8 *data, gsize size)
{
	gsize max = stream->parse->limits->max_json, had = stream->head->len;

	if (had <= max)
		g_byte_array_append(stream->head, data, (guint)MIN(size, max + 1 - had));
	return stream->head->len <= max;
}

/* Pass bytes to the reader that was chosen. Returns FALSE if it needs no more. */
static gboolean stream_route(struct stream *stream, const guint8 *data, gsize size)
{
	switch (stream->route) {
	case ROUTE_XML:
		return push_xml(stream, data, size);
	case ROUTE_ARCHIVE:
	case ROUTE_MAIL:
		if (!take_inner(stream, size))
			return FALSE;
		g_byte_array_append(stream->head, data, (guint)size);
		return TRUE;
	case ROUTE_JSON:
		return take_json(stream, data, size);
	case ROUTE_TEXT:
		return take_text(stream->head, data, size);
	case ROUTE_UNKNOWN:
	case ROUTE_NONE:
		break;
	}
	return FALSE;
}

/* What a file of an archive may be that is neither packed nor a report. */
static enum route route_of_other(const guint8 *data, gsize size)
{
	if (kind_is_field(data, size))
		return ROUTE_MAIL;
	return size == 0 || memchr(data, '\0', size) != NULL ? ROUTE_NONE : ROUTE_TEXT;
}

/* What the bytes are, of which data[0..size) are the first. */
static enum route stream_choose(struct stream *stream, const guint8 *data, gsize size)
{
	struct parse *p = stream->parse;
	gsize head = MIN(size, KIND_HEAD);
	enum kind kind = kind_of(data, head);

	if (kind_is_container(kind))
		return ROUTE_ARCHIVE;
	switch (kind) {
	case KIND_XML:
		stream->report_like = kind_is_report_like(data, head);
		stream->aggregate = aggregate_new(p->limits, stream->place, p->sink, p->user);
		aggregate_hint(stream->aggregate, &stream->hints);
		return ROUTE_XML;
	case KIND_JSON:
		return ROUTE_JSON;
	default:
		return stream->nesting > 0 && !stream->searched ? route_of_other(data, head) : ROUTE_NONE;
	}
}

/* The bytes of the head to the reader that they want. */
static gboolean stream_begin(struct stream *stream)
{
	g_autoptr(GByteArray) head = g_steal_pointer(&stream->head);

	stream->head = g_byte_array_new();
	stream->route = stream_choose(stream, head->data, head->len);
	if (stream->route == ROUTE_NONE)
		g_byte_array_append(stream->head, head->data, head->len); /* is_placeholder() looks at it */
	return stream_route(stream, head->data, head->len);
}

/* Read the next bytes. Returns FALSE if no more are needed. */
static gboolean stream_push(struct stream *stream, const guint8 *data, gsize size)
{
	gsize part;

	if (stream->route != ROUTE_UNKNOWN)
		return stream_route(stream, data, size);
	if (stream->head->len == 0 && size >= KIND_HEAD) {
		stream->route = stream_choose(stream, data, size);
		return stream_route(stream, data, size);
	}
	part = MIN(size, KIND_HEAD - stream->head->len);
	g_byte_array_append(stream->head, data, (guint)part);
	if (stream->head->len < KIND_HEAD)
		return TRUE;
	return stream_begin(stream) && (part == size || stream_route(stream, data + part, size - part));
}

/* Yahoo and AOL pack this word when there is nothing to report. */
static gboolean is_placeholder(const struct stream *stream)
{
	const char *text = (const char *)stream->head->data;
	gsize size = stream->head->len;

	if (stream->nesting == 0 || size > 64)
		return FALSE;
	size = text_trim(&text, size);
	return size == strlen("unused") && g_ascii_strncasecmp(text, "unused", size) == 0;
}

static gboolean quarantine_others(struct stream *stream, guint64 n, const char *where, GError **error)
{
	g_autofree char *reason = n == 1
				      ? g_strdup_printf("another document %s", where)
				      : g_strdup_printf("%" G_GUINT64_FORMAT " other documents %s", n, where);

	return n == 0 || quarantine(stream->parse, stream->place, "xml", reason, error);
}

static gboolean read_text(
    struct stream *stream, const guint8 *data, gsize size, guint64 *documents, GError **error);

/* XML that is no report, perhaps with some inside. */
static gboolean none_close(struct stream *stream, GError **error)
{
	guint64 read = 0;

	return (stream->text == NULL ||
		   read_text(stream, stream->text->data, stream->text->len, &read, error)) &&
	       quarantine_others(stream, stream->roots.n - MIN(read, stream->roots.n),
		   "inside of XML or HTML that is not a report: not read", error);
}

/* A report is over, perhaps with others behind it. */
static gboolean report_close(struct stream *stream, GError **error)
{
	guint64 others = aggregate_others(stream->aggregate), read = 0;
	gsize size;
	const guint8 *after = aggregate_after(stream->aggregate, &size);

	stream->parse->findings++;
	/* a report that was cut off there would be taken for a truncated one */
	return (size == AGGREGATE_AFTER_MAX || read_text(stream, after, size, &read, error)) &&
	       quarantine_others(stream, others - MIN(read, others),
		   "behind the report's end: only the first is read", error);
}

static gboolean xml_close(struct stream *stream, const GError *broken, GError **error)
{
	struct parse *p = stream->parse;
	struct aggregate *a = stream->aggregate;

	p->records += aggregate_records(a);
	p->foreign += aggregate_foreign(a);
	if (broken != NULL && !stream->barren && (stream->report_like || aggregate_begun(a)))
		return quarantine_error(p, stream->place, "archive", broken, error);
	switch (aggregate_end(a, error)) {
	case AGGREGATE_REPORT:
		return report_close(stream, error);
	case AGGREGATE_UNREADABLE:
		if (stream->report_like || aggregate_begun(a) || aggregate_forbidden(a))
			return quarantine(p, stream->place, aggregate_code(a), aggregate_reason(a), error);
		return none_close(stream, error);
	case AGGREGATE_OTHER:
		return none_close(stream, error);
	case AGGREGATE_FAILED:
		break;
	}
	p->failed = TRUE;
	return FALSE;
}

/* The text in which files are looked for. */
struct text {
	struct parse *parse;
	const struct stream *stream; /* that it comes from */
	guint64 documents;           /* of XML that were read */
};

static gboolean text_file(
    gpointer user, const char *name, gsize name_size, const guint8 *data, gsize size, GError **error)
{
	struct text *text = user;
	struct parse *p = text->parse;
	const char *place = text->stream->place;

	(void)name, (void)name_size;
	if (p->exhausted)
		return TRUE;
	if (p->budget.members == 0) {
		exhaust(p);
		return quarantine(
		    p, place, "limit", "more files in a text than are read for one mail", error);
	}
	p->budget.members--;
	text->documents += kind_of(data, size) == KIND_XML;
	return read_bytes(p, place, &text->stream->hints, data, size, text->stream->nesting, error);
}

/* Files that are in a text which is in an archive, or behind a report. */
static gboolean read_text(
    struct stream *stream, const guint8 *data, gsize size, guint64 *documents, GError **error)
{
	struct text text = { stream->parse, stream, 0 };
	gboolean ok = embedded_walk(data, size, text_file, &text, error);

	*documents = text.documents;
	return ok;
}

/* A file that was gathered from an archive. */
static gboolean inner_close(struct stream *stream, GError **error)
{
	struct parse *p = stream->parse;
	const GByteArray *bytes = stream->head;
	guint64 documents;

	if (stream->too_large)
		return quarantine(p, stream->place, "limit", TOO_LARGE, error);
	if (stream->route == ROUTE_MAIL && mail_is_file(bytes->data, bytes->len))
		return read_inner_mail(p, stream->place, bytes->data, bytes->len, stream->nesting, error);
	if (stream->route == ROUTE_MAIL || stream->route == ROUTE_TEXT)
		return read_text(stream, bytes->data, bytes->len, &documents, error);
	return read_bytes(
	    p, stream->place, &stream->hints, stream->head->data, stream->head->len, stream->nesting, error);
}

static gboolean tell_tls(struct parse *p, const char *place, const struct tls *tls, GError **error)
{
	if (tls_report(tls) == NULL)
		return quarantine(p, place, tls_code(tls), tls_reason(tls), error);
	p->findings++;
	if (p->sink->tls(p->user, place, tls_report(tls), error))
		return TRUE;
	p->failed = TRUE;
	return FALSE;
}

static gboolean exhaust_json(struct stream *stream, GError **error)
{
	exhaust(stream->parse);
	return quarantine(
	    stream->parse, stream->place, "limit", "more JSON than is read for one mail", error);
}

static gboolean tell_failure(
    struct parse *p, const char *place, const struct mail_feedback *feedback, GError **error)
{
	g_autoptr(GError) fault = NULL;
	struct failure *failure = failure_read(feedback, p->options, &fault);

	if (failure == NULL)
		return quarantine(p, place, "limit", fault->message, error);
	p->findings++;
	p->failed = !p->sink->failure(p->user, place, failure_report(failure), error);
	failure_free(failure);
	return !p->failed;
}

static gboolean tell_copy(struct stream *stream, const struct parsedmarc *copy, GError **error)
{
	const struct hints hints = { .now = stream->hints.now, .copy_of = copy->program };
	const guint8 *text = (const guint8 *)copy->text->str;
	const struct mail_feedback feedback = { .form = MAIL_FEEDBACK_FIELDS,
		.fields = text,
		.fields_size = copy->text->len,
		.message = copy->message != NULL ? (const guint8 *)copy->message->str : NULL,
		.message_size = copy->message != NULL ? copy->message->len : 0,
		.copy_of = copy->program };
	struct tls *tls;
	gboolean ok;

	if (copy->kind == PARSEDMARC_AGGREGATE)
		return read_bytes(
		    stream->parse, stream->place, &hints, text, copy->text->len, stream->nesting, error);
	if (copy->kind == PARSEDMARC_FAILURE)
		return tell_failure(stream->parse, stream->place, &feedback, error);
	tls = tls_read(text, copy->text->len, NULL, stream->parse->limits);
	tls_note_copy(tls, copy->program);
	ok = tell_tls(stream->parse, stream->place, tls, error);
	tls_free(tls);
	return ok;
}

/* The copy of a report that another program keeps. Only in files, also in those that ruad has put into a
 * mail: what reporters send has other forms. *is_copy: json is one. */
static gboolean read_copy(
    struct stream *stream, const guint8 *json, gsize size, gboolean *is_copy, GError **error)
{
	struct parse *p = stream->parse;
	g_autoptr(GError) fault = NULL;
	struct parsedmarc copy;
	gboolean ok = TRUE;

	*is_copy = TRUE;
	if (!parsedmarc_read(json, size, p->limits, &copy, &fault))
		return quarantine_error(p, stream->place, "json", fault, error);
	*is_copy = copy.kind != PARSEDMARC_NONE;
	if (*is_copy) {
		p->json_items += copy.items;
		ok = tell_copy(stream, &copy, error);
	}
	parsedmarc_clear(&copy);
	return ok;
}

/* One JSON text with one report; domain as in tls.h. */
static gboolean read_json(
    struct stream *stream, const guint8 *json, gsize size, const char *domain, GError **error)
{
	struct parse *p = stream->parse;
	guint64 max_items = (guint64)JSON_TEXTS * JSONTEXT_ITEMS * p->limits->max_json_items;
	struct tls *tls;
	gboolean is_copy = FALSE;
	gboolean ok = TRUE;

	if (p->json_items > max_items)
		return exhaust_json(stream, error);
	if (p->is_file) {
		ok = read_copy(stream, json, size, &is_copy, error);
		if (is_copy || !ok)
			return ok;
	}
	tls = tls_read(json, size, domain, p->limits);
	if (tls != NULL && tls_report(tls) != NULL)
		p->json_items += tls_items(tls);
	if (p->json_items > max_items)
		ok = exhaust_json(stream, error);
	else if (tls != NULL)
		ok = tell_tls(p, stream->place, tls, error);
	tls_free(tls);
	return ok;
}

/* Between objects of a list, or of a text with an object on each line. */
static gsize json_gap(const guint8 *json, gsize size)
{
	gsize at = 0;

	while (at < size && (text_is_space((char)json[at]) || json[at] == ',' || json[at] == '\x1e'))
		at++;
	return at;
}

/* How many bytes the next JSON text has: an object if another one follows, else all that is left. *after:
 * what follows is not another one. */
static gsize next_object(const guint8 *json, gsize size, gsize *after)
{
	gsize lead = kind_blank(json, size), end, next;

	*after = size;
	if (lead == size || json[lead] != '{')
		return size;
	end = lead + jsontext_object_size(json + lead, size - lead);
	if (end == lead)
		return size;
	next = end + json_gap(json + end, size - end);
	if (next < size && json[next] == '{')
		return end;
	*after = next;
	return size;
}

static gboolean json_close(struct stream *stream, GError **error)
{
	struct parse *p = stream->parse;
	const guint8 *json = stream->head->data;
	gsize size = stream->head->len;
	gboolean ok = TRUE;
	guint64 documents;
	g_autofree char *domain = hints_domain(&stream->hints);

	p->json_bytes += size;
	if (p->json_bytes > (guint64)JSON_TEXTS * p->limits->max_json)
		return exhaust_json(stream, error);
	if (size > p->limits->max_json) /* not complete */
		return read_json(stream, json, size, domain, error);
	for (gsize at = 0, n, after; ok && at < size; at += n + json_gap(json + at + n, size - at - n)) {
		n = next_object(json + at, size - at, &after);
		ok = read_json(stream, json + at, n, domain, error) &&
		     read_text(stream, json + at + after, n - MIN(after, n), &documents, error);
	}
	return ok;
}

/* End the stream; broken as in unpack.h, or NULL. Returns FALSE if the sink failed. */
static gboolean stream_close(struct stream *stream, const GError *broken, GError **error)
{
	if (stream->route == ROUTE_UNKNOWN)
		stream_begin(stream);
	if (stream->route == ROUTE_XML)
		return xml_close(stream, broken, error);
	if (broken != NULL && !stream->too_large)
		return quarantine_error(stream->parse, stream->place, "archive", broken, error);
	stream->parse->placeholder |= is_placeholder(stream);
	if (stream->route == ROUTE_ARCHIVE || stream->route == ROUTE_MAIL || stream->route == ROUTE_TEXT)
		return inner_close(stream, error);
	if (stream->route == ROUTE_JSON)
		return json_close(stream, error);
	return TRUE;
}

/* -- archives -- */

struct members {
	struct parse *parse;
	const char *place; /* of the archive */
	struct hints hints;
	guint nesting; /* of the members */
	struct stream stream;
};

static gboolean member_begin(gpointer user, const char *name, GError **error)
{
	struct members *members = user;
	g_autofree char *clean = name == NULL ? NULL : text_clean_line(name, strlen(name), NAME_BYTES);
	gboolean named = clean != NULL && *clean != '\0';

	(void)error;
	stream_open(&members->stream, members->parse,
	    named ? g_strconcat(members->place, ": ", clean, NULL) : g_strdup(members->place),
	    &members->hints, members->nesting);
	if (named)
		members->stream.hints.name = members->stream.name = g_steal_pointer(&clean);
	return TRUE;
}

static enum unpack_next member_piece(gpointer user, const guint8 *data, gsize size, GError **error)
{
	struct members *members = user;

	(void)error;
	return stream_push(&members->stream, data, size) ? UNPACK_MORE : UNPACK_SKIP;
}

static gboolean member_end(gpointer user, const GError *broken, GError **error)
{
	struct members *members = user;
	gboolean ok = stream_close(&members->stream, broken, error);

	stream_clear(&members->stream);
	return ok;
}

static const struct unpack_visitor MEMBERS = { member_begin, member_piece, member_end };

/* A zip with one member, as the end of its directory says (APPNOTE 4.3.16). */
static gboolean holds_one(const guint8 *zip, gsize size)
{
	const guint8 *end = zip + (size < 22 ? 0 : size - 22);

	return size >= 22 && memcmp(end, "PK\5\6", 4) == 0 && end[10] == 1 && end[11] == 0;
}

static gboolean read_archive(struct parse *p, const char *place, const struct hints *hints,
    const guint8 *data, gsize size, enum kind kind, guint nesting, GError **error)
{
	struct members members = {
		.parse = p, .place = place, .hints.domain = hints->domain, .nesting = nesting + 1
	};
	g_autoptr(GError) fault = NULL;

	if (kind == KIND_ZIP ? holds_one(data, size) : !unpack_has_names(kind))
		members.hints = *hints;
	if (nesting >= p->limits->max_nesting)
		return quarantine(p, place, "limit", TOO_NESTED, error);
	if (unpack_walk(data, size, kind, &p->budget, &MEMBERS, &members, &fault))
		return TRUE;
	stream_clear(&members.stream);
	if (p->failed) {
		g_propagate_error(error, g_steal_pointer(&fault));
		return FALSE;
	}
	return quarantine_error(p, place, "archive", fault, error);
}

/* A file of OLE2, and the mail in it if Outlook saved one. Both are held in memory. */
static gboolean read_ole2(
    struct parse *p, const char *place, const guint8 *data, gsize size, guint nesting, GError **error)
{
	gsize room = p->limits->max_inner - p->inner;
	g_autoptr(GError) fault = NULL;
	g_autoptr(GBytes) mail = NULL;

	if (nesting >= p->limits->max_nesting)
		return quarantine(p, place, "limit", TOO_NESTED, error);
	if (size > room || p->budget.members == 0) {
		exhaust(p);
		return quarantine(p, place, "limit", size > room ? TOO_LARGE : TOO_MANY, error);
	}
	mail = msg_read(data, size, &fault);
	if (mail != NULL) {
		p->budget.members--;
		p->inner += MIN(room, size + g_bytes_get_size(mail));
		if (!read_inner_mail(
			p, place, g_bytes_get_data(mail, NULL), g_bytes_get_size(mail), nesting + 1, error))
			return FALSE;
	}
	return fault == NULL || quarantine_error(p, place, "archive", fault, error);
}

/* Bytes that are all there, of any kind but a mail or an archive. searched: as in struct stream. */
static gboolean read_plain(struct parse *p, const char *place, const struct hints *hints, const guint8 *data,
    gsize size, guint nesting, gboolean searched, GError **error)
{
	struct stream stream;
	gboolean ok;

	stream_open(&stream, p, g_strdup(place), hints, nesting);
	stream.searched = searched;
	stream_push(&stream, data, size);
	ok = stream_close(&stream, NULL, error);
	stream_clear(&stream);
	return ok;
}

static gboolean read_bytes(struct parse *p, const char *place, const struct hints *hints, const guint8 *data,
    gsize size, guint nesting, GError **error)
{
	enum kind kind = kind_of(data, size);

	if (kind == KIND_OLE2)
		return read_ole2(p, place, data, size, nesting, error);
	if (kind_is_archive(kind))
		return read_archive(p, place, hints, data, size, kind, nesting, error);
	return read_plain(p, place, hints, data, size, nesting, FALSE, error);
}

/* -- mails -- */

/* The mail that is walked. */
struct letter {
	struct parse *parse;
	const char *place;       /* in an archive; NULL: it is the document */
	guint nesting;           /* archives around it */
	const char *authserv_id; /* as in mail.h */
};

static char *place_of(const struct letter *letter, guint part, const char *name)
{
	const char *outer = letter->place != NULL ? letter->place : "", *colon = *outer != '\0' ? ": " : "";

	return g_strdup_printf(
	    "%s%spart %u%s%s", outer, colon, part, name != NULL ? ": " : "", name != NULL ? name : "");
}

/* Only the document's own header counts. */
static gboolean mail_header(gpointer user, const struct mail_header *header, GError **error)
{
	struct letter *letter = user;
	struct parse *p = letter->parse;

	if (letter->place != NULL)
		return TRUE;
	remainder_subject(&p->remainder, header->subject);
	if (p->sink->mail(p->user, header, error))
		return TRUE;
	p->failed = TRUE;
	return FALSE;
}

static gboolean mail_part(gpointer user, const struct mail_part *part, GError **error)
{
	struct letter *letter = user;
	struct parse *p = letter->parse;
	const char *name = part->name != NULL && *part->name != '\0' ? part->name : NULL;
	const struct hints hints = { part->subject, name, part->tls_domain, p->options->now, NULL };
	g_autofree char *place = place_of(letter, part->number, name);

	if (letter->place == NULL)
		p->is_file = strcmp(part->type, MAIL_FILE_TYPE) == 0;
	remainder_add(&p->remainder, part);
	if (p->exhausted)
		return TRUE;
	if (part->encrypted != NULL) {
		g_autofree char *reason = g_strconcat(part->encrypted, ": encrypted, cannot be read", NULL);

		return quarantine(p, place, "encrypted", reason, error);
	}
	if (kind_is_container(kind_of(part->data, part->size)))
		return read_bytes(p, place, &hints, part->data, part->size, letter->nesting, error);
	return read_plain(p, place, &hints, part->data, part->size, letter->nesting, TRUE, error);
}

static gboolean mail_feedback(gpointer user, const struct mail_feedback *feedback, GError **error)
{
	struct letter *letter = user;
	g_autofree char *place = place_of(letter, feedback->number, NULL);

	return tell_failure(letter->parse, place, feedback, error);
}

static const struct mail_visitor PARTS = { mail_header, mail_part, mail_feedback };

static gboolean read_letter(struct letter *letter, const guint8 *mail, gsize size, GError **error)
{
	struct parse *p = letter->parse;
	g_autoptr(GError) fault = NULL;

	if (mail_walk(mail, size, p->limits, letter->authserv_id, &PARTS, letter, &fault))
		return TRUE;
	if (p->failed) {
		g_propagate_error(error, g_steal_pointer(&fault));
		return FALSE;
	}
	return quarantine_error(p, letter->place != NULL ? letter->place : "mail", "mime", fault, error);
}

static gboolean read_mail(struct parse *p, const guint8 *mail, gsize size, GError **error)
{
	struct letter letter = { .parse = p, .authserv_id = p->options->authserv_id };

	return read_letter(&letter, mail, size, error);
}

/* A mail that was made of a .msg. Whoever saved it can have changed its header, so none of its fields is our
 * MTA's. fault: why it lacks something, or NULL. */
static gboolean read_saved_mail(struct parse *p, GBytes *mail, const GError *fault, GError **error)
{
	struct letter letter = { .parse = p };

	return read_letter(&letter, g_bytes_get_data(mail, NULL), g_bytes_get_size(mail), error) &&
	       (fault == NULL || quarantine_error(p, "mail", "archive", fault, error));
}

static gboolean read_inner_mail(
    struct parse *p, const char *place, const guint8 *mail, gsize size, guint nesting, GError **error)
{
	struct letter letter = { .parse = p, .place = place, .nesting = nesting };

	return read_letter(&letter, mail, size, error);
}

/* -- a document -- */

static gboolean tell_nothing_found(struct parse *p, gsize size, GError **error)
{
	const char *place = p->is_mail ? "mail" : "file";
	gboolean unrelated = p->is_mail && p->remainder.n > 0 && !p->remainder.is_candidate;
	g_autofree char *words = NULL;

	if (p->placeholder)
		return quarantine(p, place, "placeholder",
		    "an archive of the word \"unused\": the reporter had nothing to report", error);
	if (size == 0)
		words = g_strdup("no bytes at all");
	else if (p->remainder.n > 0)
		words = remainder_words(&p->remainder);
	else
		words = g_strdup("not a DMARC report");
	return quarantine(p, place, unrelated ? "unrelated" : "no-report", words, error);
}

/* What a document of size bytes may unpack to. */
static guint64 unpacked_bytes(const struct parser_limits *limits, gsize size)
{
	return MIN(limits->max_unpacked, MAX(limits->free_unpacked, (guint64)size * limits->max_ratio));
}

gboolean parse_document(const guint8 *document, gsize size, const struct parser_options *options,
    const struct report_sink *sink, gpointer user, GError **error)
{
	const struct parser_limits *limits = &options->limits;
	struct parse p = { .options = options,
		.limits = limits,
		.sink = sink,
		.user = user,
		.budget = { unpacked_bytes(limits, size), limits->max_members } };
	const struct hints nothing = { .now = options->now };
	g_autoptr(GError) fault = NULL;
	enum kind kind = kind_of_document(document, size);
	g_autoptr(GBytes) saved = kind == KIND_OLE2 ? msg_read(document, size, &fault) : NULL;
	gboolean ok;

	p.is_mail = kind == KIND_MAIL || saved != NULL;
	p.is_file = !p.is_mail;
	remainder_init(&p.remainder);
	if (kind == KIND_MAIL)
		ok = size == 0 || read_mail(&p, document, size, error);
	else if (saved != NULL)
		ok = read_saved_mail(&p, saved, fault, error);
	else
		ok = read_bytes(&p, "file", &nothing, document, size, 0, error);
	if (ok && p.findings == 0)
		ok = tell_nothing_found(&p, size, error);
	remainder_clear(&p.remainder);
	return ok;
}

/* Character sets that a report may be in; each is a file of the C library until it is open. */
static const char *const CHARSETS[] = { "UTF-16", "UTF-16LE", "UTF-16BE", "US-ASCII", "ISO-8859-1",
	"ISO-8859-2", "ISO-8859-3", "ISO-8859-4", "ISO-8859-5", "ISO-8859-6", "ISO-8859-7", "ISO-8859-8",
	"ISO-8859-9", "ISO-8859-10", "ISO-8859-13", "ISO-8859-14", "ISO-8859-15", "ISO-8859-16",
	"WINDOWS-1250", "WINDOWS-1251", "WINDOWS-1252", "WINDOWS-1253", "WINDOWS-1254", "WINDOWS-1255",
	"WINDOWS-1256", "WINDOWS-1257", "WINDOWS-1258", "KOI8-R", "KOI8-U", "SHIFT_JIS", "EUC-JP",
	"ISO-2022-JP", "EUC-KR", "GB2312", "GBK", "GB18030", "BIG5" };

void parse_init(void)
{
	static gsize done;
	/* never read: open is all that they must be */
	static G_GNUC_UNUSED void *volatile tables[G_N_ELEMENTS(CHARSETS)][2];

	if (!g_once_init_enter(&done))
		return;
	xmlInitParser();
	g_mime_init();
	orgdomain_init();
	jsontext_init();
	for (gsize i = 0; i < G_N_ELEMENTS(CHARSETS); i++) {
		tables[i][0] = iconv_open("UTF-8", CHARSETS[i]);
		tables[i][1] = iconv_open(CHARSETS[i], "UTF-8");
	}
	g_once_init_leave(&done, 1);
}
