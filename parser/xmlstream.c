#include "parser/xmlstream.h"

#include "parser/kind.h"
#include "parser/notes.h"
#include "parser/plain.h"
#include "parser/repair.h"
#include "parser/text.h"

#include <libxml/parser.h>
#include <string.h>

#define CHUNK       (16 * 1024) /* bytes for libxml2 at once; it rescans a tag with each piece */
#define MAX_REPAIRS 4096        /* that wait for libxml2; their place is found long before */

#define FREE_PIECES 8 /* of text between two tags; references, sections and our own chunks begin new ones */
#define PIECE_COST  8 /* bytes for each further piece: "&#65;" is the shortest */
#define OTHER_COST  7 /* bytes of "<!---->" */

/* A repair that libxml2 has not reached, so its element is unknown. */
struct repaired {
	const char *code;
	guint64 at; /* bytes that repair.h had returned before it */
};

struct xmlstream {
	const struct parser_limits *limits;
	const struct xmlstream_visitor *visitor;
	gpointer user;

	struct repair *repair;
	guint64 repaired;    /* bytes that it returned */
	GArray *repairs;     /* struct repaired */
	guint n_noted;       /* of them, the first, that are done with */
	guint64 blank;       /* bytes at the start that libxml2 does not get */
	GByteArray *pending; /* bytes that libxml2 has not got yet */
	gboolean started;    /* it has got the first */
	guint64 fed;         /* bytes that it has got */

	xmlParserCtxtPtr xml;
	char *xml_error; /* libxml2's first fatal one */
	int n_names;     /* names that libxml2 knew at that time */

	enum xmlstream_state state;
	char *reason;
	guint depth;     /* elements open */
	gboolean bare;   /* the root has no prefix, so that names without one are in its namespace */
	guint pieces;    /* of text since the last tag */
	guint64 extra;   /* see xmlstream_extra() */
	gboolean closed; /* the root is */
	gint64 root_end; /* bytes that libxml2 got up to there */
	GString *after;  /* the first bytes after it */
};

/* -- stopping -- */

void xmlstream_stop(struct xmlstream *s)
{
	if (s->state != XMLSTREAM_READING)
		return;
	s->state = XMLSTREAM_STOPPED;
	xmlStopParser(s->xml);
}

static void G_GNUC_PRINTF(3, 4)
    refuse(struct xmlstream *s, enum xmlstream_state state, const char *format, ...)
{
	va_list args;

	if (s->state != XMLSTREAM_READING)
		return;
	s->state = state;
	va_start(args, format);
	s->reason = g_strdup_vprintf(format, args);
	va_end(args);
	xmlStopParser(s->xml);
}

/* The line at which libxml2 is. */
static int line_of(const struct xmlstream *s)
{
	return xmlSAX2GetLineNumber(s->xml);
}

static void forbid(struct xmlstream *s, const char *what)
{
	refuse(s, XMLSTREAM_FORBIDDEN, "line %d: %s: not read from a mail (RFC 9990 section 8.1)", line_of(s),
	    what);
}

/* Forget repairs in what is not parsed: how much of that was repaired depends on the size of the pieces. */
static void forget_repairs(struct xmlstream *s)
{
	g_array_set_size(s->repairs, 0);
	s->n_noted = 0;
}

static void break_off(struct xmlstream *s, const char *words)
{
	if (s->state != XMLSTREAM_READING)
		return;
	forget_repairs(s);
	s->state = XMLSTREAM_BROKEN;
	s->reason = g_strdup(words);
}

/* -- repairs -- */

/* Give the notes on repairs up to where libxml2 is; all: on the others too. */
static void note_repairs(struct xmlstream *s, gboolean all)
{
	guint64 now = all ? G_MAXUINT64 : s->blank + (guint64)MAX(xmlByteConsumed(s->xml), 0);

	while (s->n_noted < s->repairs->len) {
		const struct repaired *one = &g_array_index(s->repairs, struct repaired, s->n_noted);

		if (one->at >= now)
			return;
		s->visitor->note(s->user, one->code, NULL);
		s->n_noted++;
	}
	forget_repairs(s);
}

static void on_repair(gpointer user, const char *code)
{
	struct xmlstream *s = user;
	struct repaired one = { code, s->repaired };

	if (s->n_noted >= MAX_REPAIRS / 2) {
		g_array_remove_range(s->repairs, 0, s->n_noted);
		s->n_noted = 0;
	}
	if (s->state == XMLSTREAM_READING && s->repairs->len < MAX_REPAIRS)
		g_array_append_val(s->repairs, one);
}

/* -- callbacks of libxml2 -- */

/* Bytes of attributes: none is read. */
static gsize attributes_cost(const xmlChar **attributes, int n)
{
	gsize cost = 0;

	for (int i = 0; i < n; i++, attributes += 5)
		cost += strlen((const char *)attributes[0]) + (gsize)(attributes[4] - attributes[3]) + 4;
	return cost;
}

static void on_start(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *namespace,
    int n_namespaces, const xmlChar **namespaces, int n_attributes, int n_defaulted,
    const xmlChar **attributes)
{
	struct xmlstream *s = user;

	(void)namespaces, (void)n_defaulted;
	if (s->state != XMLSTREAM_READING)
		return;
	s->pieces = 0;
	if (s->repairs->len > 0)
		note_repairs(s, FALSE);
	if (++s->depth > s->limits->max_depth) {
		refuse(s, XMLSTREAM_LIMIT, "more than %u elements inside one another", s->limits->max_depth);
		return;
	}
	if (n_attributes + n_namespaces > (int)s->limits->max_attributes) {
		refuse(
		    s, XMLSTREAM_LIMIT, "an element with more than %u attributes", s->limits->max_attributes);
		return;
	}
	s->extra += attributes_cost(attributes, n_attributes);
	if (s->depth == 1)
		s->bare = prefix == NULL;
	if (!s->visitor->start(s->user, (const char *)name, (const char *)prefix, (const char *)namespace))
		xmlstream_stop(s);
}

static void on_end(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *namespace)
{
	struct xmlstream *s = user;

	(void)name, (void)prefix, (void)namespace;
	if (s->state != XMLSTREAM_READING)
		return;
	s->pieces = 0;
	if (s->repairs->len > 0)
		note_repairs(s, FALSE);
	if (!s->visitor->end(s->user))
		xmlstream_stop(s);
	if (--s->depth == 0) {
		s->closed = TRUE;
		s->root_end = xmlByteConsumed(s->xml);
	}
}

static void on_text(void *user, const xmlChar *text, int size)
{
	struct xmlstream *s = user;

	if (s->state != XMLSTREAM_READING)
		return;
	if (s->repairs->len > 0)
		note_repairs(s, FALSE);
	if (++s->pieces > FREE_PIECES)
		s->extra += PIECE_COST;
	if (!s->visitor->text(s->user, (const char *)text, (gsize)size))
		xmlstream_stop(s);
}

static void on_comment(void *user, const xmlChar *text)
{
	struct xmlstream *s = user;

	s->extra += strlen((const char *)text) + OTHER_COST;
}

static void on_instruction(void *user, const xmlChar *target, const xmlChar *data)
{
	struct xmlstream *s = user;

	s->extra +=
	    strlen((const char *)target) + (data == NULL ? 0 : strlen((const char *)data)) + OTHER_COST;
}

static void on_doctype(void *user, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
	struct xmlstream *s = user;

	(void)name, (void)external, (void)system;
	s->visitor->note(s->user, NOTE_DOCTYPE, NULL);
}

static void on_entity_decl(void *user, const xmlChar *name, int type, const xmlChar *public_id,
    const xmlChar *system_id, xmlChar *content)
{
	(void)name, (void)type, (void)public_id, (void)system_id, (void)content;
	forbid(user, "declaration of an entity");
}

static void on_notation_decl(
    void *user, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id)
{
	(void)name, (void)public_id, (void)system_id;
	forbid(user, "declaration of a notation");
}

static void on_attribute_decl(void *user, const xmlChar *element, const xmlChar *name, int type, int kind,
    const xmlChar *value, xmlEnumerationPtr tree)
{
	(void)element, (void)name, (void)type, (void)kind, (void)value;
	xmlFreeEnumeration(tree); /* the handler owns it */
	forbid(user, "declaration of an attribute");
}

static void on_element_decl(void *user, const xmlChar *name, int type, xmlElementContentPtr content)
{
	(void)name, (void)type, (void)content;
	forbid(user, "declaration of an element");
}

static void on_unparsed_entity_decl(void *user, const xmlChar *name, const xmlChar *public_id,
    const xmlChar *system_id, const xmlChar *notation)
{
	(void)name, (void)public_id, (void)system_id, (void)notation;
	forbid(user, "declaration of an entity");
}

static xmlEntityPtr on_get_entity(void *user, const xmlChar *name)
{
	(void)name;
	forbid(user, "reference to an entity that XML does not predefine");
	return NULL;
}

static xmlEntityPtr on_get_parameter_entity(void *user, const xmlChar *name)
{
	(void)name;
	forbid(user, "reference to a parameter entity");
	return NULL;
}

static void on_reference(void *user, const xmlChar *name)
{
	(void)name;
	forbid(user, "reference to an entity that XML does not predefine");
}

/* libxml2 changed the type of its error handlers in 2.12. */
#if LIBXML_VERSION >= 21200
static void on_error(void *user, const xmlError *error)
#else
static void on_error(void *user, xmlErrorPtr error)
#endif
{
	struct xmlstream *s = user;

	if (error->level == XML_ERR_FATAL && s->xml_error == NULL && error->message != NULL) {
		g_autofree char *words = text_clean_line(error->message, strlen(error->message), 300);

		s->xml_error = g_strdup_printf("line %d: %s", error->line, words);
		s->n_names = xmlDictSize(s->xml->dict);
	}
}

/* For what libxml2 says outside of any document: it would print it. */
#if LIBXML_VERSION >= 21200
static void on_stray_error(void *user, const xmlError *error)
#else
static void on_stray_error(void *user, xmlErrorPtr error)
#endif
{
	(void)user, (void)error;
}

static void G_GNUC_PRINTF(2, 3) on_stray_words(void *user, const char *format, ...)
{
	(void)user, (void)format;
}

static const xmlSAXHandler HANDLER = {
	.initialized = XML_SAX2_MAGIC,
	.startElementNs = on_start,
	.endElementNs = on_end,
	.characters = on_text,
	.ignorableWhitespace = on_text,
	.cdataBlock = on_text,
	.comment = on_comment,
	.processingInstruction = on_instruction,
	.internalSubset = on_doctype,
	.entityDecl = on_entity_decl,
	.notationDecl = on_notation_decl,
	.attributeDecl = on_attribute_decl,
	.elementDecl = on_element_decl,
	.unparsedEntityDecl = on_unparsed_entity_decl,
	.getEntity = on_get_entity,
	.getParameterEntity = on_get_parameter_entity,
	.reference = on_reference,
	.serror = on_error,
};

/* -- feeding -- */

/* After each call of libxml2: is the document well-formed, and does libxml2 hold no more than allowed? */
static void check_xml(struct xmlstream *s)
{
	const xmlParserInput *input = s->xml->input;
	/* an invalid byte in some character sets only halts libxml2, without an error */
	gboolean well = s->xml->wellFormed && !s->xml->disableSAX;
	/* names after an error must not count: how many libxml2 reads depends on the pieces */
	int n_names = s->xml_error != NULL ? s->n_names : xmlDictSize(s->xml->dict);

	if (s->state != XMLSTREAM_READING)
		return;
	if (n_names > (int)s->limits->max_names)
		refuse(s, XMLSTREAM_LIMIT, "more than %u different names", s->limits->max_names);
	else if (!well && s->closed) {
		s->state = XMLSTREAM_OVER;
		forget_repairs(s);
	} else if (!well)
		break_off(s, s->xml_error != NULL ? s->xml_error : "a byte that is not of its character set");
	else if (input != NULL && input->end - input->cur > (gssize)s->limits->max_tag_bytes)
		refuse(s, XMLSTREAM_LIMIT, "line %d: a tag, comment or the like of more than %u bytes",
		    line_of(s), s->limits->max_tag_bytes);
}

/* Pass on the bytes after the root, of those that libxml2 got last, and keep the first ones. */
static void keep_after(struct xmlstream *s, const guint8 *data, gsize size)
{
	gsize skip = (gsize)CLAMP(s->root_end - (gint64)s->fed, 0, (gint64)size);

	s->visitor->after(s->user, data + skip, size - skip);
	if (s->after->len < KIND_HEAD)
		g_string_append_len(
		    s->after, (const char *)data + skip, (gssize)MIN(size - skip, KIND_HEAD - s->after->len));
}

/* repair.h has returned the first bytes, so it knows the character set. */
static void begin_xml(struct xmlstream *s)
{
	const char *unknown = repair_unknown(s->repair);

	if (repair_is_utf8(s->repair))
		xmlCtxtUseOptions(s->xml, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC);
	if (unknown != NULL)
		s->visitor->note(s->user, NOTE_CHARSET, unknown);
}

static void feed(struct xmlstream *s, const guint8 *data, gsize size)
{
	if (!s->started) {
		gsize blank = kind_blank(data, size);

		data += blank;
		size -= blank;
		s->blank += blank;
		s->started = size > 0;
		if (s->started)
			begin_xml(s);
	}
	while (size > 0 && s->state == XMLSTREAM_READING) {
		gsize part = MIN(size, CHUNK);

		xmlParseChunk(s->xml, (const char *)data, (int)part, 0);
		check_xml(s);
		if (s->closed)
			keep_after(s, data, part);
		s->fed += part;
		data += part;
		size -= part;
	}
	if (s->state == XMLSTREAM_OVER)
		keep_after(s, data, size);
}

static void feed_pending(struct xmlstream *s)
{
	feed(s, s->pending->data, s->pending->len);
	g_byte_array_set_size(s->pending, 0);
}

/* Gather what repair.h returns into pieces of the size that suits libxml2. */
static void on_repaired(gpointer user, const guint8 *data, gsize size)
{
	struct xmlstream *s = user;
	gsize part;

	if (s->state == XMLSTREAM_OVER)
		keep_after(s, data, size);
	if (s->state != XMLSTREAM_READING)
		return;
	s->repaired += size;
	part = s->pending->len > 0 || size < CHUNK ? MIN(size, CHUNK - s->pending->len) : 0;

	g_byte_array_append(s->pending, data, (guint)part);
	if (s->pending->len == CHUNK)
		feed_pending(s);
	if (size - part < CHUNK && s->pending->len == 0)
		g_byte_array_append(s->pending, data + part, (guint)(size - part));
	else
		feed(s, data + part, size - part);
}

/* -- elements that need no XML parser -- */

static gsize skip_space(const guint8 *data, gsize size, gsize at)
{
	while (at < size && text_is_space((char)data[at]))
		at++;
	return at;
}

/* Whether libxml2 has parsed all that precedes, but for white space, and is directly inside of the root. */
static gboolean is_in_step(struct xmlstream *s)
{
	const xmlParserInput *input = s->xml->input;
	gsize left;

	feed_pending(s);
	if (s->state != XMLSTREAM_READING || s->depth != 1 || !s->bare || s->repairs->len > 0 ||
	    input == NULL)
		return FALSE;
	left = (gsize)(input->end - input->cur);
	return skip_space(input->cur, left, 0) == left;
}

static int count_lines(const guint8 *data, gsize size)
{
	int lines = 0;

	for (gsize at = 0; at < size; at++)
		lines += data[at] == '\n';
	return lines;
}

static gsize on_elements(gpointer user, const guint8 *data, gsize size)
{
	struct xmlstream *s = user;
	enum xmlstream_plain taken = XMLSTREAM_TAKEN;
	gsize at = 0, end = 0;

	if (s->limits->max_depth < PLAIN_DEPTH || s->limits->max_tag_bytes < PLAIN_TAG)
		return 0;
	while (taken == XMLSTREAM_TAKEN && at < size && data[at] == '<') {
		gsize one = s->visitor->find_plain(s->user, data + at, size - at);

		if (one == 0 || (end == 0 && !is_in_step(s)))
			break;
		taken = s->visitor->take_plain(s->user);
		if (taken == XMLSTREAM_NOT_TAKEN)
			break;
		end = at + one;
		at = skip_space(data, size, end);
	}
	if (end > 0) /* libxml2's messages name lines, too */
		s->xml->input->line += count_lines(data, end);
	if (taken == XMLSTREAM_TAKEN_LAST)
		xmlstream_stop(s);
	return end;
}

static const struct repair_visitor REPAIR = { on_repaired, on_repair, on_elements };

struct xmlstream *xmlstream_new(
    const struct parser_limits *limits, const struct xmlstream_visitor *visitor, gpointer user)
{
	struct xmlstream *s = g_new0(struct xmlstream, 1);
	xmlSAXHandler handler = HANDLER; /* libxml2 wants to write to it, and copies it */

	s->limits = limits;
	s->visitor = visitor;
	s->user = user;
	xmlSetStructuredErrorFunc(NULL, on_stray_error);
	xmlSetGenericErrorFunc(NULL, on_stray_words);
	s->xml = xmlCreatePushParserCtxt(&handler, s, NULL, 0, NULL);
	g_assert(s->xml != NULL);
	xmlCtxtUseOptions(s->xml, XML_PARSE_NONET);
	s->repair = repair_new(limits, &REPAIR, s);
	s->repairs = g_array_new(FALSE, FALSE, sizeof(struct repaired));
	s->pending = g_byte_array_sized_new(CHUNK);
	s->after = g_string_new(NULL);
	return s;
}

void xmlstream_free(struct xmlstream *s)
{
	if (s == NULL)
		return;
	if (s->xml->myDoc != NULL)
		xmlFreeDoc(s->xml->myDoc);
	xmlFreeParserCtxt(s->xml);
	repair_free(s->repair);
	g_array_unref(s->repairs);
	g_byte_array_unref(s->pending);
	g_free(s->xml_error);
	g_free(s->reason);
	g_string_free(s->after, TRUE);
	g_free(s);
}

const char *xmlstream_name(struct xmlstream *s, const char *name)
{
	return (const char *)xmlDictLookup(s->xml->dict, (const xmlChar *)name, -1);
}

void xmlstream_push(struct xmlstream *s, const guint8 *data, gsize size)
{
	if (s->state == XMLSTREAM_READING || s->state == XMLSTREAM_OVER)
		repair_push(s->repair, data, size);
}

void xmlstream_flush(struct xmlstream *s)
{
	repair_end(s->repair);
	feed_pending(s);
}

void xmlstream_end(struct xmlstream *s, const char *early, gboolean prefer_early)
{
	if (!s->started)
		break_off(s, "empty");
	if (s->state != XMLSTREAM_READING)
		return;
	xmlParseChunk(s->xml, NULL, 0, 1);
	/* libxml2 may report "extra content" here; the cause is that the input ends early */
	if (s->depth > 0 && (prefer_early || s->xml->errNo == XML_ERR_DOCUMENT_END))
		break_off(s, early);
	check_xml(s);
	if (!s->closed)
		break_off(s, "ends early");
	if (s->state == XMLSTREAM_READING)
		note_repairs(s, TRUE);
}

enum xmlstream_state xmlstream_state(const struct xmlstream *s)
{
	return s->state;
}

const char *xmlstream_reason(const struct xmlstream *s)
{
	return s->reason;
}

guint64 xmlstream_extra(const struct xmlstream *s)
{
	return s->extra;
}

const char *xmlstream_after(const struct xmlstream *s, gsize *size)
{
	*size = s->state == XMLSTREAM_OVER ? s->after->len : 0;
	return s->after->str;
}
