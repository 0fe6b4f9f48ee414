#include "parser/aggregate_tree.h"

#include "parser/notes.h"
#include "parser/text.h"

#include <string.h>

#define TAGS_COST 5 /* bytes of "<></>" */

#define NAMESPACE_7489 "http://dmarc.org/dmarc-xml/0.1"

/* What distinguishes the dialects (aggregate.h). */
#define ONLY_9990                                                                                            \
	(ELEMENT_BIT(NP) | ELEMENT_BIT(TESTING) | ELEMENT_BIT(DISCOVERY_METHOD) | ELEMENT_BIT(GENERATOR) |   \
	    ELEMENT_BIT(EXTENSION))
#define NOT_DRAFT                                                                                            \
	(ELEMENT_BIT(VERSION) | ELEMENT_BIT(ENVELOPE_FROM) | ELEMENT_BIT(DKIM_SELECTOR) |                    \
	    ELEMENT_BIT(SPF_SCOPE) | ELEMENT_BIT(FO))

void aggregate_tree_init(struct aggregate_tree *tree, const struct parser_limits *limits, const char *place,
    const struct report_sink *sink, gpointer user)
{
	tree->limits = limits;
	tree->place = place;
	tree->sink = sink;
	tree->user = user;
	tree->index = element_index();
	tree->text = g_string_new(NULL);
	values_init(&tree->report_values, limits);
	values_init(&tree->record_values, limits);
	tree->header.begin = tree->header.end = tree->header.pct = -1;
	tree->after = g_byte_array_new();
	tree->errors = g_ptr_array_new();
	tree->reasons = g_array_new(FALSE, TRUE, sizeof(struct aggregate_reason));
	tree->dkims = g_array_new(FALSE, TRUE, sizeof(struct auth_result_dkim));
	tree->spfs = g_array_new(FALSE, TRUE, sizeof(struct auth_result_spf));
	tree->consistency = consistency_new();
	tree->homes[HOME_HEADER] = &tree->header;
	tree->homes[HOME_RECORD] = &tree->record;
}

void aggregate_tree_clear(struct aggregate_tree *tree)
{
	g_free(tree->reason);
	g_clear_error(&tree->error);
	g_free(tree->root_namespace);
	g_free(tree->root_prefix);
	g_string_free(tree->text, TRUE);
	values_clear(&tree->report_values);
	values_clear(&tree->record_values);
	g_byte_array_unref(tree->after);
	g_ptr_array_unref(tree->errors);
	g_array_unref(tree->reasons);
	g_array_unref(tree->dkims);
	g_array_unref(tree->spfs);
	consistency_free(tree->consistency);
}

/* -- giving up -- */

static void stop(struct aggregate_tree *a, enum aggregate_verdict verdict)
{
	if (a->verdict == AGGREGATE_REPORT)
		a->verdict = verdict;
}

void aggregate_tree_give_up(struct aggregate_tree *a, const char *code, const char *format, ...)
{
	va_list args;

	if (a->verdict != AGGREGATE_REPORT)
		return;
	a->code = code;
	va_start(args, format);
	a->reason = g_strdup_vprintf(format, args);
	va_end(args);
	stop(a, AGGREGATE_UNREADABLE);
}

/* -- records -- */

static void record_open(struct aggregate_tree *a)
{
	if (a->header.records >= a->limits->max_records) {
		aggregate_tree_give_up(
		    a, "limit", "more than %" G_GUINT64_FORMAT " records", a->limits->max_records);
		return;
	}
	values_reset(&a->record_values);
	memset(&a->record, 0, sizeof a->record);
	a->record.count = -1;
	g_array_set_size(a->reasons, 0);
	g_array_set_size(a->dkims, 0);
	g_array_set_size(a->spfs, 0);
}

static void record_close(struct aggregate_tree *a)
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
		stop(a, AGGREGATE_FAILED);
}

/* Append an item to a list of the record; its members are NULL. Returns NULL if the list keeps no more. */
static gpointer list_open(struct aggregate_tree *a, GArray *list)
{
	if (list->len >= a->limits->max_record_items || values_full(&a->record_values)) {
		values_note(&a->record_values, NOTE_LIST_CUT, ELEMENTS[a->at].path, NULL);
		return NULL;
	}
	g_array_set_size(list, list->len + 1); /* cleared */
	return list->data + (list->len - 1) * g_array_get_element_size(list);
}

/* -- elements -- */

static struct values *values_of(struct aggregate_tree *a, enum element element)
{
	gboolean in_record = element == RECORD || (a->index->inside[RECORD] & ELEMENT_BIT(element)) != 0;

	return in_record ? &a->record_values : &a->report_values;
}

static void note_name(struct aggregate_tree *a, enum element element, const char *name)
{
	values_note(values_of(a, element), NOTE_NAME, ELEMENTS[element].path, name);
}

static void keep_namespace(struct aggregate_tree *a, const char *namespace)
{
	gsize size = text_trim(&namespace, strlen(namespace));
	const char *kept =
	    values_keep(&a->report_values, namespace, text_cut(namespace, size, a->limits->max_text));

	a->header.xmlns = kept;
	if (strcmp(kept, NAMESPACE_9990) != 0 && strcmp(kept, NAMESPACE_7489) != 0)
		values_note(&a->report_values, NOTE_NAMESPACE, "feedback", kept);
}

/* The root decides whether this is a report. */
static void root_open(struct aggregate_tree *a, const char *name, const char *prefix, const char *namespace)
{
	if (g_ascii_strcasecmp(name, "feedback") != 0) {
		stop(a, AGGREGATE_OTHER);
		return;
	}
	a->at = FEEDBACK;
	a->begun = TRUE;
	if (namespace != NULL) {
		a->root_namespace = g_strdup(namespace);
		keep_namespace(a, namespace);
	} else if (prefix != NULL) {
		a->root_prefix = g_strdup(prefix);
	}
	if (strcmp(name, ELEMENTS[FEEDBACK].name) != 0)
		note_name(a, FEEDBACK, name);
	if (!a->sink->report_begin(a->user, a->place, &a->error))
		stop(a, AGGREGATE_FAILED);
}

enum origin {
	OF_ROOT,    /* in no namespace, or the root's */
	OF_DIALECT, /* in that of another dialect */
	FOREIGN,
};

/* An unbound prefix counts as a namespace. */
static enum origin origin_of(const struct aggregate_tree *a, const char *prefix, const char *namespace)
{
	if (namespace == NULL)
		return prefix == NULL || g_strcmp0(prefix, a->root_prefix) == 0 ? OF_ROOT : FOREIGN;
	if (g_strcmp0(namespace, a->root_namespace) == 0)
		return OF_ROOT;
	return strcmp(namespace, NAMESPACE_9990) == 0 || strcmp(namespace, NAMESPACE_7489) == 0 ? OF_DIALECT
												: FOREIGN;
}

static void intern_names(struct aggregate_tree *a)
{
	for (guint e = ELEMENT_NONE; e < N_ELEMENTS; e++)
		a->names[e] = xmlstream_name(a->stream, ELEMENTS[e].name);
}

static enum element find_child(struct aggregate_tree *a, const char *name)
{
	struct element_span span = a->index->children[a->at];
	enum element found;

	if (a->names[ELEMENT_NONE] == NULL)
		intern_names(a);
	for (guint e = span.first; e < span.after; e++)
		if (a->names[e] == name)
			return e;
	found = element_find(a->at, name);
	if (found != ELEMENT_NONE && found != RECORD)
		note_name(a, found, name);
	return found;
}

/* Bytes of the two tags of an element with a name of this length. */
static gsize tags_cost(gsize name)
{
	return 2 * name + TAGS_COST;
}

/* Elements that may occur once. */
static void check_repeated(struct aggregate_tree *a, enum element element)
{
	if ((a->seen & ELEMENT_BIT(element)) == 0)
		return;
	if (ELEMENTS[element].type != TYPE_LIST)
		a->foreign += tags_cost(strlen(ELEMENTS[element].name));
	if (element == POLICY_PUBLISHED || element == DATE_RANGE)
		aggregate_tree_give_up(a, "incomplete",
		    "more than one %s: which one counts is not known (RFC 9990 section 3.1.1)",
		    ELEMENTS[element].name);
	else if (ELEMENTS[element].type != TYPE_PARENT && ELEMENTS[element].type != TYPE_LIST)
		values_note(values_of(a, element), NOTE_REPEATED, ELEMENTS[element].path, NULL);
}

/* A reason that is only a word: its type if it is a known one, else a comment. */
static void reason_text(struct aggregate_tree *a)
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

static void clear_text(struct aggregate_tree *a)
{
	if (a->text->len > 0)
		g_string_truncate(a->text, 0);
	a->cut = FALSE;
}

static void element_open(struct aggregate_tree *a, enum element element)
{
	if (a->at == REASON)
		reason_text(a);
	if ((a->seen & a->index->later[element]) != 0)
		values_note(values_of(a, element), NOTE_ORDER, ELEMENTS[element].path, NULL);
	a->at = element;
	clear_text(a);
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
	a->seen &= ~a->index->inside[element]; /* each item of a list has its own elements */
}

static void list_text(struct aggregate_tree *a, const char *text, gsize size)
{
	if (a->errors->len >= a->limits->max_record_items || values_full(&a->report_values)) {
		values_note(&a->report_values, NOTE_LIST_CUT, ELEMENTS[a->at].path, NULL);
		a->foreign += size;
		return;
	}
	g_ptr_array_add(a->errors, (gpointer)values_keep(&a->report_values, text, size));
}

/* The text of an element is complete. */
static void leaf_close(struct aggregate_tree *a)
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
	else if (a->homes[row->home] == NULL)
		a->foreign += size; /* of an item that is not kept */
	else if ((a->seen & ELEMENT_BIT(a->at)) == 0)
		values_store(values, a->at, a->homes[row->home], text, size);
}

/* As far as the report was read. */
static gboolean is_9990(const struct aggregate_tree *a)
{
	const char *xmlns = a->header.xmlns;

	return (xmlns != NULL && strcmp(xmlns, NAMESPACE_9990) == 0) || (a->ever & ONLY_9990) != 0;
}

static void check_required(struct aggregate_tree *a, enum element parent)
{
	guint64 missing = a->index->required[parent] & ~a->seen;
	struct element_span span = a->index->children[parent];

	if (parent == AUTH_DKIM && is_9990(a))
		missing |= ELEMENT_BIT(DKIM_SELECTOR) & ~a->seen; /* optional in RFC 7489 */
	for (guint e = span.first; missing != 0 && e < span.after; e++)
		if ((missing & ELEMENT_BIT(e)) != 0)
			values_note(values_of(a, e), NOTE_FIELD_ABSENT, ELEMENTS[e].path, NULL);
}

/* Remove the last result of its list if it has no value. Returns TRUE if it did. */
static gboolean drop_empty(struct aggregate_tree *a)
{
	GArray *list = a->at == AUTH_DKIM ? a->dkims : a->at == AUTH_SPF ? a->spfs : NULL;
	const char *const *members;

	if (list == NULL)
		return FALSE;
	G_STATIC_ASSERT(sizeof(struct auth_result_dkim) == 4 * sizeof(char *));
	G_STATIC_ASSERT(sizeof(struct auth_result_spf) == 4 * sizeof(char *));
	members = (const char *const *)(void *)list->data + (gsize)(list->len - 1) * 4;
	for (guint i = 0; i < 4; i++)
		if (members[i] != NULL && *members[i] != '\0')
			return FALSE;
	g_array_set_size(list, list->len - 1);
	a->foreign += tags_cost(strlen(ELEMENTS[a->at].name));
	values_note(&a->record_values, NOTE_FIELD_ABSENT, ELEMENTS[a->at].path, NULL);
	return TRUE;
}

/* The element is an item of a list that keeps no more (T2). */
static gboolean is_left_out(const struct aggregate_tree *a)
{
	gboolean item = a->at == REASON || a->at == AUTH_DKIM || a->at == AUTH_SPF;

	return item && a->homes[ELEMENTS[a->index->children[a->at].first].home] == NULL;
}

static void parent_close(struct aggregate_tree *a)
{
	if (a->at == REASON)
		reason_text(a);
	if (is_left_out(a))
		a->foreign += tags_cost(strlen(ELEMENTS[a->at].name));
	else if (!drop_empty(a))
		check_required(a, a->at);
	if (a->at == RECORD)
		record_close(a);
}

static void element_close(struct aggregate_tree *a)
{
	enum element element = a->at;

	if (ELEMENTS[element].type == TYPE_PARENT)
		parent_close(a);
	else
		leaf_close(a);
	clear_text(a);
	a->seen |= ELEMENT_BIT(element);
	a->ever |= ELEMENT_BIT(element);
	a->at = ELEMENTS[element].parent;
}

/* -- elements in a wrong place -- */

/* A record in an element of feedback that is not known, as <records>. */
static gboolean is_wrapped_record(const struct aggregate_tree *a, const char *name)
{
	return a->skipping > 0 && !a->nested && a->at == FEEDBACK && element_find(FEEDBACK, name) == RECORD;
}

/* The record is read; then the rest of what is around it is skipped. */
static void wrapped_open(struct aggregate_tree *a)
{
	values_note(&a->report_values, NOTE_PLACE, ELEMENTS[RECORD].path, NULL);
	a->around = a->skipping;
	a->skipping = 0;
	element_open(a, RECORD);
}

/* Note an element of ours that is skipped because of its place or namespace. */
static void note_skipped(
    struct aggregate_tree *a, const char *name, enum origin origin, const char *namespace)
{
	enum element element = element_named(name);
	struct values *values = values_of(a, element == RECORD ? FEEDBACK : a->at);

	if (origin == FOREIGN && element == RECORD && a->at == FEEDBACK)
		values_note(values, NOTE_NAMESPACE, ELEMENTS[RECORD].path, namespace);
	else if (element == FEEDBACK ||
		 (origin != FOREIGN && element != ELEMENT_NONE && (a->skipping == 0 || element == RECORD)))
		values_note(values, NOTE_PLACE, ELEMENTS[element].path, ELEMENTS[a->at].name);
}

static void skip(struct aggregate_tree *a, const char *name)
{
	a->skipping++;
	a->nested |= element_named(name) == FEEDBACK;
	a->foreign += tags_cost(strlen(name));
}

/* -- callbacks of the XML stream -- */

static gboolean on_start(gpointer user, const char *name, const char *prefix, const char *namespace)
{
	struct aggregate_tree *a = user;
	enum element element = ELEMENT_NONE;
	enum origin origin;

	if (a->skipping == 0 && a->at == ELEMENT_NONE) {
		root_open(a, name, prefix, namespace);
		return a->verdict == AGGREGATE_REPORT;
	}
	origin = origin_of(a, prefix, namespace);
	if (a->skipping == 0 && origin != FOREIGN)
		element = find_child(a, name);
	if (element != ELEMENT_NONE && !(element == RECORD && a->nested)) {
		if (origin == OF_DIALECT && !a->mixed)
			values_note(&a->report_values, NOTE_NAMESPACE, ELEMENTS[element].path, namespace);
		a->mixed |= origin == OF_DIALECT;
		element_open(a, element);
	} else if (origin != FOREIGN && is_wrapped_record(a, name)) {
		wrapped_open(a);
	} else {
		note_skipped(a, name, origin, namespace != NULL ? namespace : prefix);
		skip(a, name);
	}
	return a->verdict == AGGREGATE_REPORT;
}

static gboolean on_end(gpointer user)
{
	struct aggregate_tree *a = user;

	if (a->skipping > 0) {
		a->skipping--;
		return TRUE;
	}
	element_close(a);
	if (a->at == FEEDBACK) {
		a->skipping = a->around;
		a->around = 0;
	}
	return a->verdict == AGGREGATE_REPORT;
}

static gboolean on_text(gpointer user, const char *text, gsize size)
{
	struct aggregate_tree *a = user;
	gsize room, fits;

	if (a->skipping != 0 || (ELEMENTS[a->at].type == TYPE_PARENT && a->at != REASON)) {
		a->foreign += text_trim(&text, size);
		return TRUE;
	}
	while (a->text->len == 0 && size > 0 && text_is_space(*text)) {
		text++;
		size--;
	}
	if (a->cut)
		a->foreign += size;
	if (a->cut || size == 0)
		return TRUE;
	room = a->limits->max_text - a->text->len;
	fits = text_cut(text, size, room);
	g_string_append_len(a->text, text, (gssize)fits);
	text += fits;
	a->cut = text_trim(&text, size - fits) > 0; /* white space at the end is no loss */
	return TRUE;
}

static gsize find_plain(gpointer user, const guint8 *data, gsize size)
{
	struct aggregate_tree *a = user;

	return plain_read(&a->plain, data, size, a->limits->max_text);
}

static void take_part(struct aggregate_tree *a, const struct plain_part *part)
{
	if (part->kind != PLAIN_CLOSE)
		element_open(a, part->element);
	if (part->kind == PLAIN_LEAF) {
		g_string_set_size(a->text, part->size);
		memcpy(a->text->str, part->text, part->size);
	}
	if (part->kind != PLAIN_OPEN)
		element_close(a);
}

static enum xmlstream_plain take_plain(gpointer user)
{
	struct aggregate_tree *a = user;

	if (a->nested) /* another report's record? */
		return XMLSTREAM_NOT_TAKEN;
	for (guint i = 0; i < a->plain.n && a->verdict == AGGREGATE_REPORT; i++)
		take_part(a, &a->plain.part[i]);
	return a->verdict == AGGREGATE_REPORT ? XMLSTREAM_TAKEN : XMLSTREAM_TAKEN_LAST;
}

static void on_note(gpointer user, const char *code, const char *raw)
{
	struct aggregate_tree *a = user;
	enum element at = a->at == ELEMENT_NONE ? FEEDBACK : a->at;

	values_note(values_of(a, at), code, ELEMENTS[at].path, raw);
}

static void on_after(gpointer user, const guint8 *data, gsize size)
{
	struct aggregate_tree *a = user;

	roots_push(&a->others, data, size);
	g_byte_array_append(a->after, data, (guint)MIN(size, AGGREGATE_AFTER_MAX - a->after->len));
}

const struct xmlstream_visitor AGGREGATE_TREE = { on_start, on_end, on_text, find_plain, take_plain, on_note,
	on_after };

/* -- the end -- */

enum element aggregate_tree_open(const struct aggregate_tree *a)
{
	return (a->index->inside[RECORD] & ELEMENT_BIT(a->at)) != 0 ? RECORD : a->at;
}

const char *aggregate_tree_dialect(const struct aggregate_tree *a)
{
	if (is_9990(a))
		return "rfc9990";
	return a->header.xmlns == NULL && (a->ever & NOT_DRAFT) == 0 ? "draft" : "rfc7489";
}
