#include "parser/aggregate.h"

#include "parser/consistency.h"
#include "parser/elements.h"
#include "parser/error.h"
#include "parser/kind.h"
#include "parser/notes.h"
#include "parser/repair.h"
#include "parser/text.h"
#include "parser/values.h"

#include <libxml/parser.h>
#include <nettle/sha2.h>
#include <string.h>

#define CHUNK                                                                                                \
	(16 *                                                                                                \
	    1024) /* bytes given to libxml2 at once; less makes it scan the same start of a tag again and  \
		       again */

#define FREE_PIECES 8 /* of text between two tags; references, sections and our own chunks begin new ones */
#define PIECE_COST  8 /* bytes that each further one counts for: "&#65;" is the shortest */
#define TAGS_COST   5 /* bytes of "<></>" */
#define OTHER_COST  7 /* bytes of "<!---->" */

#define ID_BYTES 8 /* of the SHA-256, in an id that is made of it */

#define NAMESPACE_7489 "http://dmarc.org/dmarc-xml/0.1"

/* What tells the dialects apart (see the header). */
#define ONLY_9990                                                                                            \
	(ELEMENT_BIT(NP) | ELEMENT_BIT(TESTING) | ELEMENT_BIT(DISCOVERY_METHOD) | ELEMENT_BIT(GENERATOR) |   \
	    ELEMENT_BIT(EXTENSION))
#define NOT_DRAFT                                                                                            \
	(ELEMENT_BIT(VERSION) | ELEMENT_BIT(ENVELOPE_FROM) | ELEMENT_BIT(DKIM_SELECTOR) |                    \
	    ELEMENT_BIT(SPF_SCOPE) | ELEMENT_BIT(FO))

#define MAX_REPAIRS 4096 /* that wait for their place; it is found long before */

/* What was repaired, until libxml2 is there and the element is known. */
struct repaired {
	const char *code;
	guint64 at; /* bytes that had come out of the repair */
};

enum state {
	STATE_READING,
	STATE_OTHER,      /* another root */
	STATE_UNREADABLE, /* code and reason say why */
	STATE_FAILED,     /* the sink failed: error */
};

struct aggregate {
	const struct parser_limits *limits;
	const struct report_sink *sink;
	gpointer user;
	const char *place;
	struct hints hints;

	xmlParserCtxtPtr xml;
	struct repair *repair;
	guint64 repaired;    /* bytes that came out of it */
	guint64 blank;       /* of those, the first, that libxml2 does not get */
	GArray *repairs;     /* struct repaired */
	guint n_noted;       /* of them, the first, that are done with */
	GByteArray *pending; /* bytes that libxml2 has not got yet */
	gboolean started;    /* it has got the first */
	guint64 fed;         /* bytes that it has got */
	struct sha256_ctx sha256;

	enum state state;
	const char *code;
	char *reason;
	char *xml_error; /* libxml2's first fatal one */
	int n_names;     /* names that libxml2 knew at that time */
	/* libxml2 gets no more, but what it brought stands, and all bytes count for the hash */
	char *broken;  /* not well-formed any more: why */
	gboolean over; /* something follows the root */
	gboolean forbidden;
	GError *error;

	/* the place in the tree */
	const xmlChar *names[N_ELEMENTS]; /* libxml2's own copies: names are equal when the pointers are */
	struct element_span children[N_ELEMENTS];
	guint64 inside[N_ELEMENTS];
	guint64 required[N_ELEMENTS];
	guint64 later[N_ELEMENTS];
	enum element at;
	guint depth;     /* elements open */
	guint skipping;  /* the depth of the element that is passed over, or 0 */
	guint64 seen;    /* elements met: in the report, and in what is open now of its lists */
	guint64 ever;    /* elements met at all */
	gboolean closed; /* the root is */
	gint64 root_end; /* bytes that libxml2 got up to there */
	GString *after;  /* the first bytes behind it */
	guint64 foreign; /* bytes met that are none of a report's */
	guint pieces;    /* of text since the last tag */
	xmlChar *root_namespace;
	xmlChar *root_prefix; /* when it is bound to no namespace */

	/* the text of the element */
	GString *text;
	gboolean cut;

	/* the findings */
	gboolean begun;
	gpointer homes[N_HOMES];
	struct values report_values;
	struct aggregate_header header;
	GPtrArray *errors;
	struct values record_values;
	struct aggregate_record record;
	GArray *reasons, *dkims, *spfs;
	struct consistency *consistency;
};

/* how it ends before its end */

static void stop(struct aggregate *a, enum state state)
{
	if (a->state != STATE_READING)
		return;
	a->state = state;
	xmlStopParser(a->xml);
}

static void G_GNUC_PRINTF(3, 4) give_up(struct aggregate *a, const char *code, const char *format, ...)
{
	va_list args;

	if (a->state != STATE_READING)
		return;
	a->code = code;
	va_start(args, format);
	a->reason = g_strdup_vprintf(format, args);
	va_end(args);
	stop(a, STATE_UNREADABLE);
}

static gboolean is_blank(const char *text)
{
	return text == NULL || *text == '\0';
}

static gboolean is_halted(const struct aggregate *a)
{
	return a->state != STATE_READING || a->broken != NULL || a->over;
}

/* Whole records of a report that is known stand though the rest is lost. Without an id the whole report, when it
 * comes, could not be told to be the same. */
static gboolean may_be_partial(const struct aggregate *a)
{
	const struct aggregate_header *header = &a->header;
	guint64 wanted = ELEMENT_BIT(REPORT_METADATA) | ELEMENT_BIT(POLICY_PUBLISHED);

	return (a->seen & wanted) == wanted && header->begin >= 0 && header->end >= 0 &&
	       header->records > 0 && header->domain != NULL && *header->domain != '\0' &&
	       header->report_id != NULL && *header->report_id != '\0';
}

/* Forget repairs in what is not read: how much of that was repaired depends on the size of the pieces. */
static void forget_repairs(struct aggregate *a)
{
	g_array_set_size(a->repairs, 0);
	a->n_noted = 0;
}

/* The XML is not well-formed from here on. */
static void break_off(struct aggregate *a, const char *words)
{
	if (is_halted(a))
		return;
	forget_repairs(a);
	if (may_be_partial(a))
		a->broken = g_strdup(words);
	else
		give_up(a, "xml", "%s", words);
}

static void forbid(struct aggregate *a, const char *what)
{
	a->forbidden = TRUE;
	give_up(a, "xml", "line %d: %s: not read from a mail (RFC 9990 section 8.1)",
	    xmlSAX2GetLineNumber(a->xml), what);
}

/* records */

static void record_open(struct aggregate *a)
{
	if (a->header.records >= a->limits->max_records) {
		give_up(a, "limit", "more than %" G_GUINT64_FORMAT " records", a->limits->max_records);
		return;
	}
	values_reset(&a->record_values);
	memset(&a->record, 0, sizeof a->record);
	a->record.count = -1;
	g_array_set_size(a->reasons, 0);
	g_array_set_size(a->dkims, 0);
	g_array_set_size(a->spfs, 0);
}

static void record_close(struct aggregate *a)
{
	struct aggregate_record *record = &a->record;

	if ((a->seen & ELEMENT_BIT(COUNT)) == 0)
		values_note(&a->record_values, NOTE_COUNT, ELEMENTS[COUNT].path, NULL);
	record->reason = (const struct aggregate_reason *)(void *)a->reasons->data;
	record->n_reason = a->reasons->len;
	record->auth_dkim = (const struct auth_result_dkim *)(void *)a->dkims->data;
	record->n_auth_dkim = a->dkims->len;
	record->auth_spf = (const struct auth_result_spf *)(void *)a->spfs->data;
	record->n_auth_spf = a->spfs->len;
	consistency_record(a->consistency, (a->seen & ELEMENT_BIT(POLICY_PUBLISHED)) != 0 ? &a->header : NULL,
	    record, &a->record_values);
	record->note = (const struct report_note *)(void *)a->record_values.notes->data;
	record->n_note = a->record_values.notes->len;
	a->header.records++;
	if (!a->sink->record(a->user, record, &a->error))
		stop(a, STATE_FAILED);
}

/* A new item at the end of a list of the record, all NULL. */
static gpointer list_open(struct aggregate *a, GArray *list)
{
	if (list->len >= a->limits->max_record_items) {
		give_up(a, "limit", "record %" G_GUINT64_FORMAT ": more than %u of %s", a->header.records + 1,
		    a->limits->max_record_items, ELEMENTS[a->at].path);
		return NULL;
	}
	g_array_set_size(list, list->len + 1); /* cleared */
	return list->data + (list->len - 1) * g_array_get_element_size(list);
}

/* elements */

static struct values *values_of(struct aggregate *a, enum element element)
{
	gboolean in_record = element == RECORD || (a->inside[RECORD] & ELEMENT_BIT(element)) != 0;

	return in_record ? &a->record_values : &a->report_values;
}

/* Note what was repaired in the element that is open. end: all of it, else up to where libxml2 is. */
static void note_mends(struct aggregate *a, gboolean end)
{
	guint64 now = end ? G_MAXUINT64 : a->blank + (guint64)MAX(xmlByteConsumed(a->xml), 0);
	enum element at = a->at == ELEMENT_NONE ? FEEDBACK : a->at;

	while (a->n_noted < a->repairs->len) {
		const struct repaired *one = &g_array_index(a->repairs, struct repaired, a->n_noted);

		if (one->at >= now)
			return;
		values_note(values_of(a, at), one->code, ELEMENTS[at].path, NULL);
		a->n_noted++;
	}
	g_array_set_size(a->repairs, 0);
	a->n_noted = 0;
}

static void note_name(struct aggregate *a, enum element element, const xmlChar *name)
{
	values_note(values_of(a, element), NOTE_NAME, ELEMENTS[element].path, (const char *)name);
}

static void keep_namespace(struct aggregate *a, const char *namespace)
{
	gsize size = text_trim(&namespace, strlen(namespace));
	const char *kept =
	    values_keep(&a->report_values, namespace, text_cut(namespace, size, a->limits->max_text));

	a->header.xmlns = kept;
	if (strcmp(kept, NAMESPACE_9990) != 0 && strcmp(kept, NAMESPACE_7489) != 0)
		values_note(&a->report_values, NOTE_NAMESPACE, "feedback", kept);
}

/* The root decides whether this is a report at all. */
static void root_open(
    struct aggregate *a, const xmlChar *name, const xmlChar *prefix, const xmlChar *namespace)
{
	if (g_ascii_strcasecmp((const char *)name, "feedback") != 0) {
		stop(a, STATE_OTHER);
		return;
	}
	a->at = FEEDBACK;
	a->begun = TRUE;
	if (namespace != NULL) {
		a->root_namespace = xmlStrdup(namespace);
		keep_namespace(a, (const char *)namespace);
	} else if (prefix != NULL) {
		a->root_prefix = xmlStrdup(prefix);
	}
	if (name != a->names[FEEDBACK])
		note_name(a, FEEDBACK, name);
	if (!a->sink->report_begin(a->user, a->place, &a->error))
		stop(a, STATE_FAILED);
}

/* Neither in no namespace nor in the root's; a prefix that is bound to none counts as one. */
static gboolean is_foreign(const struct aggregate *a, const xmlChar *prefix, const xmlChar *namespace)
{
	if (namespace != NULL)
		return !xmlStrEqual(namespace, a->root_namespace);
	return prefix != NULL && !xmlStrEqual(prefix, a->root_prefix);
}

static enum element find_child(struct aggregate *a, const xmlChar *name)
{
	struct element_span span = a->children[a->at];
	enum element found;

	for (guint e = span.first; e < span.after; e++)
		if (a->names[e] == name)
			return e;
	found = element_find(a->at, (const char *)name);
	if (found != ELEMENT_NONE && found != RECORD)
		note_name(a, found, name);
	return found;
}

/* Bytes of the tags of an element with a name of that length. */
static gsize tags_cost(gsize name)
{
	return 2 * name + TAGS_COST;
}

/* Things that may be there only once. */
static void check_repeated(struct aggregate *a, enum element element)
{
	if ((a->seen & ELEMENT_BIT(element)) == 0)
		return;
	if (ELEMENTS[element].type != TYPE_LIST)
		a->foreign += tags_cost(strlen(ELEMENTS[element].name));
	if (element == POLICY_PUBLISHED || element == DATE_RANGE)
		give_up(a, "incomplete",
		    "more than one %s: which one counts is not known (RFC 9990 section 3.1.1)",
		    ELEMENTS[element].name);
	else if (ELEMENTS[element].type != TYPE_PARENT && ELEMENTS[element].type != TYPE_LIST)
		values_note(values_of(a, element), NOTE_REPEATED, ELEMENTS[element].path, NULL);
}

/* A reason that is only a word: its type, or else a comment. */
static void reason_text(struct aggregate *a)
{
	const char *text = a->text->str;
	gsize size = text_trim(&text, a->text->len);
	enum element meant;

	if (size == 0 || a->homes[HOME_REASON] == NULL)
		return;
	a->text->str[text - a->text->str + (gssize)size] = '\0';
	meant = values_is_token(REASON_TYPE, text) ? REASON_TYPE : REASON_COMMENT;
	values_note(&a->record_values, NOTE_TOKEN, ELEMENTS[REASON].path, text);
	if ((a->seen & ELEMENT_BIT(meant)) == 0)
		values_store(&a->record_values, meant, a->homes[HOME_REASON], text, size);
	a->seen |= ELEMENT_BIT(meant);
}

static void element_open(struct aggregate *a, enum element element)
{
	if (a->at == REASON)
		reason_text(a);
	if ((a->seen & a->later[element]) != 0)
		values_note(values_of(a, element), NOTE_ORDER, ELEMENTS[element].path, NULL);
	a->at = element;
	g_string_truncate(a->text, 0);
	a->cut = FALSE;
	switch (element) {
	case RECORD:
		record_open(a);
		break;
	case REASON:
		a->homes[HOME_REASON] = list_open(a, a->reasons);
		break;
	case AUTH_DKIM:
		a->homes[HOME_DKIM] = list_open(a, a->dkims);
		break;
	case AUTH_SPF:
		a->homes[HOME_SPF] = list_open(a, a->spfs);
		break;
	default:
		check_repeated(a, element);
		return;
	}
	a->seen &= ~a->inside[element]; /* an item of a list starts anew */
}

static void list_text(struct aggregate *a, const char *text, gsize size)
{
	if (a->errors->len >= a->limits->max_record_items) {
		give_up(a, "limit", "more than %u of %s", a->limits->max_record_items, ELEMENTS[a->at].path);
		return;
	}
	g_ptr_array_add(a->errors, (gpointer)values_keep(&a->report_values, text, size));
}

/* The text of an element is whole. */
static void leaf_close(struct aggregate *a)
{
	const struct element_row *row = &ELEMENTS[a->at];
	struct values *values = values_of(a, a->at);
	const char *text = a->text->str;
	gsize size = text_trim(&text, a->text->len);

	a->text->str[text - a->text->str + (gssize)size] = '\0';
	if (a->cut)
		values_note(values, NOTE_CUT, row->path, NULL);
	if (row->type == TYPE_LIST)
		list_text(a, text, size);
	else if ((a->seen & ELEMENT_BIT(a->at)) == 0)
		values_store(values, a->at, a->homes[row->home], text, size);
	if (values_full(values))
		give_up(a, "limit", "%s %" G_GUINT64_FORMAT ": values of more than %" G_GSIZE_FORMAT " bytes",
		    values == &a->record_values ? "record" : "what stands before record",
		    a->header.records + 1, a->limits->max_record_bytes);
}

/* As far as the report was read. */
static gboolean is_9990(const struct aggregate *a)
{
	const char *xmlns = a->header.xmlns;

	return (xmlns != NULL && strcmp(xmlns, NAMESPACE_9990) == 0) || (a->ever & ONLY_9990) != 0;
}

static void check_required(struct aggregate *a, enum element parent)
{
	guint64 missing = a->required[parent] & ~a->seen;
	struct element_span span = a->children[parent];

	if (parent == AUTH_DKIM && is_9990(a))
		missing |= ELEMENT_BIT(DKIM_SELECTOR) & ~a->seen; /* 7489 could do without */
	for (guint e = span.first; missing != 0 && e < span.after; e++)
		if ((missing & ELEMENT_BIT(e)) != 0)
			values_note(values_of(a, e), NOTE_FIELD_ABSENT, ELEMENTS[e].path, NULL);
}

/* A result that says nothing at all is none. TRUE: it was the last of its list, and is gone. */
static gboolean drop_empty(struct aggregate *a)
{
	GArray *list = a->at == AUTH_DKIM ? a->dkims : a->at == AUTH_SPF ? a->spfs : NULL;
	const char *const *members;

	if (list == NULL || list->len == 0)
		return FALSE;
	G_STATIC_ASSERT(sizeof(struct auth_result_dkim) == 4 * sizeof(char *));
	G_STATIC_ASSERT(sizeof(struct auth_result_spf) == 4 * sizeof(char *));
	members = (const char *const *)(void *)list->data + (gsize)(list->len - 1) * 4;
	for (guint i = 0; i < 4; i++)
		if (!is_blank(members[i]))
			return FALSE;
	g_array_set_size(list, list->len - 1);
	a->foreign += tags_cost(strlen(ELEMENTS[a->at].name));
	values_note(&a->record_values, NOTE_FIELD_ABSENT, ELEMENTS[a->at].path, NULL);
	return TRUE;
}

static void parent_close(struct aggregate *a)
{
	if (a->at == REASON)
		reason_text(a);
	if (!drop_empty(a))
		check_required(a, a->at);
	if (a->at == RECORD)
		record_close(a);
}

static void element_close(struct aggregate *a)
{
	enum element element = a->at;

	if (ELEMENTS[element].type == TYPE_PARENT)
		parent_close(a);
	else
		leaf_close(a);
	g_string_truncate(a->text, 0);
	a->cut = FALSE;
	a->seen |= ELEMENT_BIT(element);
	a->ever |= ELEMENT_BIT(element);
	a->at = ELEMENTS[element].parent;
}

/* what libxml2 calls */

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
	struct aggregate *a = user;
	enum element element;

	(void)namespaces, (void)n_defaulted;
	if (a->state != STATE_READING)
		return;
	a->pieces = 0;
	if (a->repairs->len > 0)
		note_mends(a, FALSE);
	if (++a->depth > a->limits->max_depth) {
		give_up(a, "limit", "more than %u elements inside one another", a->limits->max_depth);
		return;
	}
	if (n_attributes + n_namespaces > (int)a->limits->max_attributes) {
		give_up(a, "limit", "an element with more than %u attributes", a->limits->max_attributes);
		return;
	}
	a->foreign += attributes_cost(attributes, n_attributes);
	if (a->skipping != 0) {
		a->foreign += tags_cost(strlen((const char *)name));
		return;
	}
	if (a->depth == 1) {
		root_open(a, name, prefix, namespace);
		return;
	}
	element = is_foreign(a, prefix, namespace) ? ELEMENT_NONE : find_child(a, name);
	if (element != ELEMENT_NONE) {
		element_open(a, element);
		return;
	}
	a->skipping = a->depth;
	a->foreign += tags_cost(strlen((const char *)name));
}

static void on_end(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *namespace)
{
	struct aggregate *a = user;

	(void)name, (void)prefix, (void)namespace;
	if (a->state != STATE_READING)
		return;
	a->pieces = 0;
	if (a->repairs->len > 0)
		note_mends(a, FALSE);
	if (a->skipping == 0)
		element_close(a);
	else if (a->skipping == a->depth)
		a->skipping = 0;
	if (--a->depth == 0) {
		a->closed = TRUE;
		a->root_end = xmlByteConsumed(a->xml);
	}
}

static void on_text(void *user, const xmlChar *data, int length)
{
	struct aggregate *a = user;
	const char *text = (const char *)data;
	gsize size = (gsize)length, room, fits;

	if (a->state != STATE_READING)
		return;
	if (a->repairs->len > 0)
		note_mends(a, FALSE);
	if (++a->pieces > FREE_PIECES)
		a->foreign += PIECE_COST;
	if (a->skipping != 0 || (ELEMENTS[a->at].type == TYPE_PARENT && a->at != REASON)) {
		a->foreign += text_trim(&text, size);
		return;
	}
	while (a->text->len == 0 && size > 0 && text_is_space(*text)) {
		text++;
		size--;
	}
	if (a->cut)
		a->foreign += size;
	if (a->cut || size == 0)
		return;
	room = a->limits->max_text - a->text->len;
	fits = text_cut(text, size, room);
	g_string_append_len(a->text, text, (gssize)fits);
	text += fits;
	a->cut = text_trim(&text, size - fits) > 0; /* white space at the end is no loss */
}

static void on_comment(void *user, const xmlChar *text)
{
	struct aggregate *a = user;

	a->foreign += strlen((const char *)text) + OTHER_COST;
}

static void on_instruction(void *user, const xmlChar *target, const xmlChar *data)
{
	struct aggregate *a = user;

	a->foreign +=
	    strlen((const char *)target) + (data == NULL ? 0 : strlen((const char *)data)) + OTHER_COST;
}

static void on_doctype(void *user, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
	struct aggregate *a = user;

	(void)name, (void)external, (void)system;
	values_note(&a->report_values, NOTE_DOCTYPE, "feedback", NULL);
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
	struct aggregate *a = user;

	if (error->level == XML_ERR_FATAL && a->xml_error == NULL && error->message != NULL) {
		g_autofree char *words = text_clean_line(error->message, strlen(error->message), 300);

		a->xml_error = g_strdup_printf("line %d: %s", error->line, words);
		a->n_names = xmlDictSize(a->xml->dict);
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

/* feeding */

void aggregate_hint(struct aggregate *a, const struct hints *hints)
{
	a->hints = *hints;
}

/* After each call of libxml2: does it not hold too much, and is it well? */
static void check_xml(struct aggregate *a)
{
	const xmlParserInput *input = a->xml->input;
	/* an invalid byte in some character sets only halts libxml2, without an error */
	gboolean well = a->xml->wellFormed && !a->xml->disableSAX;
	/* what comes behind an error must not count: how much of it libxml2 looks at depends on the pieces */
	int n_names = a->xml_error != NULL ? a->n_names : xmlDictSize(a->xml->dict);

	if (is_halted(a))
		return;
	if (n_names > (int)a->limits->max_names)
		give_up(a, "limit", "more than %u different names", a->limits->max_names);
	else if (!well && a->closed) {
		a->over = TRUE;
		forget_repairs(a);
	} else if (!well)
		break_off(a, a->xml_error != NULL ? a->xml_error : "a byte that is not of its character set");
	else if (input != NULL && input->end - input->cur > (gssize)a->limits->max_tag_bytes)
		give_up(a, "limit", "line %d: a tag, comment or the like of more than %u bytes",
		    xmlSAX2GetLineNumber(a->xml), a->limits->max_tag_bytes);
}

/* Keeps the first bytes behind the root, of those that libxml2 got last. */
static void keep_after(struct aggregate *a, const guint8 *data, gsize size)
{
	gsize skip = (gsize)CLAMP(a->root_end - (gint64)a->fed, 0, (gint64)size);

	if (a->after->len < KIND_HEAD)
		g_string_append_len(
		    a->after, (const char *)data + skip, (gssize)MIN(size - skip, KIND_HEAD - a->after->len));
}

/* The first bytes have come out of the repair, so it knows the character set. */
static void begin_xml(struct aggregate *a)
{
	const char *unknown = repair_unknown(a->repair);

	if (repair_is_utf8(a->repair))
		xmlCtxtUseOptions(a->xml, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC);
	if (unknown != NULL)
		values_note(&a->report_values, NOTE_CHARSET, ELEMENTS[FEEDBACK].path, unknown);
}

static void feed(struct aggregate *a, const guint8 *data, gsize size)
{
	if (!a->started) {
		gsize blank = kind_blank(data, size);

		data += blank;
		size -= blank;
		a->blank += blank;
		a->started = size > 0;
		if (a->started)
			begin_xml(a);
	}
	while (size > 0 && !is_halted(a)) {
		gsize part = MIN(size, CHUNK);

		xmlParseChunk(a->xml, (const char *)data, (int)part, 0);
		check_xml(a);
		if (a->closed)
			keep_after(a, data, part);
		a->fed += part;
		data += part;
		size -= part;
	}
	if (a->over)
		keep_after(a, data, size);
}

static void flush(struct aggregate *a)
{
	feed(a, a->pending->data, a->pending->len);
	g_byte_array_set_size(a->pending, 0);
}

/* What comes out of the repair is gathered to pieces that libxml2 likes. */
static void on_repaired(gpointer user, const guint8 *data, gsize size)
{
	struct aggregate *a = user;
	gsize part;

	if (a->over)
		keep_after(a, data, size);
	if (is_halted(a))
		return;
	a->repaired += size;
	part = a->pending->len > 0 || size < CHUNK ? MIN(size, CHUNK - a->pending->len) : 0;

	g_byte_array_append(a->pending, data, (guint)part);
	if (a->pending->len == CHUNK)
		flush(a);
	if (size - part < CHUNK && a->pending->len == 0)
		g_byte_array_append(a->pending, data + part, (guint)(size - part));
	else
		feed(a, data + part, size - part);
}

static void on_repair(gpointer user, const char *code)
{
	struct aggregate *a = user;
	struct repaired one = { code, a->repaired };

	if (a->n_noted >= MAX_REPAIRS / 2) {
		g_array_remove_range(a->repairs, 0, a->n_noted);
		a->n_noted = 0;
	}
	if (!is_halted(a) && a->repairs->len < MAX_REPAIRS)
		g_array_append_val(a->repairs, one);
}

static const struct repair_visitor REPAIR = { on_repaired, on_repair };

/* making, ending */

static void init_tree(struct aggregate *a)
{
	for (guint e = ELEMENT_NONE; e < N_ELEMENTS; e++) {
		a->names[e] = xmlDictLookup(a->xml->dict, (const xmlChar *)ELEMENTS[e].name, -1);
		a->children[e] = element_children(e);
		a->inside[e] = element_inside(e);
		a->required[e] = element_required(e);
		a->later[e] = element_later(e);
	}
}

struct aggregate *aggregate_new(
    const struct parser_limits *limits, const char *place, const struct report_sink *sink, gpointer user)
{
	struct aggregate *a = g_new0(struct aggregate, 1);
	xmlSAXHandler handler = HANDLER; /* libxml2 wants to write to it, and copies it */

	a->limits = limits;
	a->place = place;
	a->sink = sink;
	a->user = user;
	xmlSetStructuredErrorFunc(NULL, on_stray_error);
	xmlSetGenericErrorFunc(NULL, on_stray_words);
	a->xml = xmlCreatePushParserCtxt(&handler, a, NULL, 0, NULL);
	g_assert(a->xml != NULL);
	xmlCtxtUseOptions(a->xml, XML_PARSE_NONET);
	a->repair = repair_new(limits, &REPAIR, a);
	a->repairs = g_array_new(FALSE, FALSE, sizeof(struct repaired));
	a->pending = g_byte_array_sized_new(CHUNK);
	sha256_init(&a->sha256);
	init_tree(a);
	a->text = g_string_new(NULL);
	a->after = g_string_new(NULL);
	values_init(&a->report_values, limits);
	values_init(&a->record_values, limits);
	a->header.begin = a->header.end = a->header.pct = -1;
	a->errors = g_ptr_array_new();
	a->reasons = g_array_new(FALSE, TRUE, sizeof(struct aggregate_reason));
	a->dkims = g_array_new(FALSE, TRUE, sizeof(struct auth_result_dkim));
	a->spfs = g_array_new(FALSE, TRUE, sizeof(struct auth_result_spf));
	a->consistency = consistency_new();
	a->homes[HOME_HEADER] = &a->header;
	a->homes[HOME_RECORD] = &a->record;
	return a;
}

void aggregate_free(struct aggregate *a)
{
	if (a == NULL)
		return;
	if (a->xml->myDoc != NULL)
		xmlFreeDoc(a->xml->myDoc);
	xmlFreeParserCtxt(a->xml);
	repair_free(a->repair);
	g_array_unref(a->repairs);
	g_byte_array_unref(a->pending);
	g_free(a->reason);
	g_free(a->xml_error);
	g_free(a->broken);
	g_string_free(a->after, TRUE);
	g_clear_error(&a->error);
	xmlFree(a->root_namespace);
	xmlFree(a->root_prefix);
	g_string_free(a->text, TRUE);
	values_clear(&a->report_values);
	values_clear(&a->record_values);
	g_ptr_array_unref(a->errors);
	g_array_unref(a->reasons);
	g_array_unref(a->dkims);
	g_array_unref(a->spfs);
	consistency_free(a->consistency);
	g_free(a);
}

gboolean aggregate_push(struct aggregate *a, const guint8 *data, gsize size)
{
	if (a->state != STATE_READING)
		return FALSE;
	sha256_update(&a->sha256, size, data);
	if (a->broken == NULL)
		repair_push(a->repair, data, size);
	return a->state == STATE_READING;
}

void aggregate_refuse(struct aggregate *a, const char *reason)
{
	a->forbidden = TRUE;
	give_up(a, "limit", "%s", reason);
}

guint64 aggregate_foreign(const struct aggregate *a)
{
	return a->foreign;
}

guint64 aggregate_records(const struct aggregate *a)
{
	return a->header.records;
}

static const char *dialect(const struct aggregate *a)
{
	if (is_9990(a))
		return "rfc9990";
	return a->header.xmlns == NULL && (a->ever & NOT_DRAFT) == 0 ? "draft" : "rfc7489";
}

/* What a date said that was none. */
static void check_date(struct aggregate *a, gint64 date, enum element element)
{
	const char *raw = NULL;

	if (date >= 0)
		return;
	for (guint i = 0; i < a->report_values.notes->len; i++) {
		const struct report_note *note =
		    &g_array_index(a->report_values.notes, struct report_note, i);

		if (strcmp(note->path, ELEMENTS[element].path) == 0 && strcmp(note->code, NOTE_DATE) == 0)
			raw = note->raw;
	}
	if (raw == NULL)
		give_up(a, "incomplete", "no %s (RFC 9990 section 3.1.1)", ELEMENTS[element].path);
	else
		give_up(a, "incomplete", "%s \"%.100s\": not seconds since 1970 (RFC 9990 section 3.1.1)",
		    ELEMENTS[element].path, raw);
}

static void check_complete(struct aggregate *a)
{
	if (is_blank(a->header.domain))
		give_up(a, "incomplete", "no policy_published/domain (RFC 9990 section 3.1.1)");
	check_date(a, a->header.begin, BEGIN);
	check_date(a, a->header.end, END);
}

/* What is lost of the report, and what is no part of it. */
static void note_ends(struct aggregate *a)
{
	a->header.partial = a->broken != NULL;
	if (a->header.partial)
		values_note(&a->report_values, NOTE_PARTIAL, ELEMENTS[FEEDBACK].path, a->broken);
	if (a->over) {
		g_autofree char *start = text_clean_line(a->after->str, a->after->len, 100);

		values_note(&a->report_values, NOTE_AFTER, ELEMENTS[FEEDBACK].path, start);
	}
}

/* Without an id, the content is one: two copies have the same. */
static void make_id(struct aggregate *a)
{
	GString *id = g_string_new("sha256-");

	for (guint i = 0; i < ID_BYTES; i++)
		g_string_append_printf(id, "%02x", a->header.sha256[i]);
	values_note(&a->report_values, NOTE_ID, ELEMENTS[REPORT_ID].path, a->header.report_id);
	a->header.report_id = values_keep(&a->report_values, id->str, id->len);
	g_string_free(id, TRUE);
}

static void finish(struct aggregate *a)
{
	struct aggregate_header *header = &a->header;

	note_ends(a);
	note_mends(a, TRUE);
	if (header->records == 0)
		values_note(&a->report_values, NOTE_EMPTY, "record", NULL);
	consistency_report(header, &a->report_values);
	hints_note(&a->hints, header, &a->report_values);
	header->dialect = dialect(a);
	sha256_digest(&a->sha256, sizeof header->sha256, header->sha256);
	if (is_blank(header->report_id))
		make_id(a);
	header->error = (const char *const *)a->errors->pdata;
	header->n_error = a->errors->len;
	header->note = (const struct report_note *)(void *)a->report_values.notes->data;
	header->n_note = a->report_values.notes->len;
	if (!a->sink->report_end(a->user, header, &a->error))
		a->state = STATE_FAILED;
}

/* libxml2 learns that there is no more. */
static void end_xml(struct aggregate *a)
{
	gboolean in_record = (a->inside[RECORD] & ELEMENT_BIT(a->at)) != 0;
	g_autofree char *words =
	    g_strdup_printf("ends before </%s>", ELEMENTS[in_record ? RECORD : a->at].name);

	xmlParseChunk(a->xml, NULL, 0, 1);
	/* libxml2 may report "extra content" here; the cause is that the input ends early */
	if (a->depth > 0 && (may_be_partial(a) || a->xml->errNo == XML_ERR_DOCUMENT_END))
		break_off(a, words);
	check_xml(a);
	if (!a->closed)
		break_off(a, "ends before its end");
}

enum aggregate_verdict aggregate_end(struct aggregate *a, GError **error)
{
	repair_end(a->repair);
	flush(a);
	if (!a->started)
		give_up(a, "xml", "empty");
	if (!is_halted(a))
		end_xml(a);
	if (a->state == STATE_READING)
		check_complete(a);
	if (a->state == STATE_READING)
		finish(a);
	switch (a->state) {
	case STATE_OTHER:
		return AGGREGATE_OTHER;
	case STATE_UNREADABLE:
		return AGGREGATE_UNREADABLE;
	case STATE_FAILED:
		g_propagate_error(error, g_steal_pointer(&a->error));
		return AGGREGATE_FAILED;
	case STATE_READING:
		break;
	}
	return AGGREGATE_REPORT;
}

gboolean aggregate_begun(const struct aggregate *a)
{
	return a->begun;
}

const char *aggregate_code(const struct aggregate *a)
{
	return a->code;
}

const char *aggregate_reason(const struct aggregate *a)
{
	return a->reason;
}

gboolean aggregate_forbidden(const struct aggregate *a)
{
	return a->forbidden;
}

gboolean aggregate_has_another(const struct aggregate *a)
{
	const guint8 *after = (const guint8 *)a->after->str;

	return a->over && kind_of(after, a->after->len) == KIND_XML &&
	       kind_is_report_like(after, a->after->len);
}
