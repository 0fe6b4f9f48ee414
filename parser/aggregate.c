#include "parser/aggregate.h"

#include "parser/aggregate_tree.h"
#include "parser/kind.h"
#include "parser/notes.h"
#include "parser/text.h"

#include <nettle/sha2.h>
#include <string.h>

#define ID_BYTES 8 /* of the SHA-256, in an id that is made of it */

struct aggregate {
	struct xmlstream *xml;
	struct aggregate_tree tree;
	struct sha256_ctx sha256;
	struct hints hints;
	gboolean partial;   /* truncated: its complete records are kept, and all bytes count for the hash */
	gboolean forbidden; /* see aggregate_forbidden() */
};

struct aggregate *aggregate_new(
    const struct parser_limits *limits, const char *place, const struct report_sink *sink, gpointer user)
{
	struct aggregate *a = g_new0(struct aggregate, 1);

	aggregate_tree_init(&a->tree, limits, place, sink, user);
	a->xml = xmlstream_new(limits, &AGGREGATE_TREE, &a->tree);
	a->tree.stream = a->xml;
	sha256_init(&a->sha256);
	return a;
}

void aggregate_free(struct aggregate *a)
{
	if (a == NULL)
		return;
	xmlstream_free(a->xml);
	aggregate_tree_clear(&a->tree);
	g_free(a);
}

void aggregate_hint(struct aggregate *a, const struct hints *hints)
{
	a->hints = *hints;
}

static gboolean is_blank(const char *text)
{
	return text == NULL || *text == '\0';
}

/* Keep the complete records of a truncated report when its identity is known. Without an id the complete
 * report, when it comes, could not be recognised as the same. */
static gboolean may_be_partial(const struct aggregate *a)
{
	const struct aggregate_header *header = &a->tree.header;
	guint64 wanted = ELEMENT_BIT(REPORT_METADATA) | ELEMENT_BIT(POLICY_PUBLISHED);

	return (a->tree.seen & wanted) == wanted && header->begin >= 0 && header->end >= 0 &&
	       header->records > 0 && !is_blank(header->domain) && !is_blank(header->report_id);
}

/* Decide what becomes of the report where the XML ended before its end. */
static void check_stream(struct aggregate *a)
{
	const char *reason = xmlstream_reason(a->xml);

	if (a->tree.verdict != AGGREGATE_REPORT || a->partial)
		return;
	switch (xmlstream_state(a->xml)) {
	case XMLSTREAM_BROKEN:
		a->partial = may_be_partial(a);
		if (!a->partial)
			aggregate_tree_give_up(&a->tree, "xml", "%s", reason);
		break;
	case XMLSTREAM_FORBIDDEN:
		a->forbidden = TRUE;
		aggregate_tree_give_up(&a->tree, "xml", "%s", reason);
		break;
	case XMLSTREAM_LIMIT:
		aggregate_tree_give_up(&a->tree, "limit", "%s", reason);
		break;
	case XMLSTREAM_READING:
	case XMLSTREAM_STOPPED:
	case XMLSTREAM_OVER:
		break;
	}
}

gboolean aggregate_push(struct aggregate *a, const guint8 *data, gsize size)
{
	if (a->tree.verdict != AGGREGATE_REPORT)
		return FALSE;
	sha256_update(&a->sha256, size, data);
	xmlstream_push(a->xml, data, size);
	check_stream(a);
	return a->tree.verdict == AGGREGATE_REPORT;
}

void aggregate_refuse(struct aggregate *a, const char *reason)
{
	a->forbidden = TRUE;
	aggregate_tree_give_up(&a->tree, "limit", "%s", reason);
	xmlstream_stop(a->xml);
}

guint64 aggregate_foreign(const struct aggregate *a)
{
	return a->tree.foreign + xmlstream_extra(a->xml);
}

guint64 aggregate_records(const struct aggregate *a)
{
	return a->tree.header.records;
}

/* -- the end -- */

/* Give up if a date of the range is missing or invalid. */
static void check_date(struct aggregate *a, gint64 date, enum element element)
{
	const char *raw = NULL;

	if (date >= 0)
		return;
	for (guint i = 0; i < a->tree.report_values.notes->len; i++) {
		const struct report_note *note =
		    &g_array_index(a->tree.report_values.notes, struct report_note, i);

		if (strcmp(note->path, ELEMENTS[element].path) == 0 && strcmp(note->code, NOTE_DATE) == 0)
			raw = note->raw;
	}
	if (raw == NULL)
		aggregate_tree_give_up(
		    &a->tree, "incomplete", "no %s (RFC 9990 section 3.1.1)", ELEMENTS[element].path);
	else
		aggregate_tree_give_up(&a->tree, "incomplete",
		    "%s \"%.100s\": not seconds since 1970 (RFC 9990 section 3.1.1)", ELEMENTS[element].path,
		    raw);
}

/* J1: the mail says what domain a report without one is about, if it says so twice. */
static void derive_domain(struct aggregate *a)
{
	g_autofree char *domain = hints_agreed_domain(&a->hints);

	if (domain == NULL || *domain == '\0')
		return;
	a->tree.header.domain = values_keep(
	    &a->tree.report_values, domain, text_cut(domain, strlen(domain), a->tree.limits->max_text));
	values_note(
	    &a->tree.report_values, NOTE_NO_DOMAIN, ELEMENTS[POLICY_DOMAIN].path, a->tree.header.domain);
}

static void check_complete(struct aggregate *a)
{
	if (is_blank(a->tree.header.domain))
		derive_domain(a);
	if (is_blank(a->tree.header.domain))
		aggregate_tree_give_up(
		    &a->tree, "incomplete", "no policy_published/domain (RFC 9990 section 3.1.1)");
	check_date(a, a->tree.header.begin, BEGIN);
	check_date(a, a->tree.header.end, END);
}

/* Note that the report is truncated, or that something follows it. */
static void note_ends(struct aggregate *a)
{
	gsize size;
	const char *after = xmlstream_after(a->xml, &size);

	a->tree.header.partial = a->partial;
	if (a->partial)
		values_note(
		    &a->tree.report_values, NOTE_PARTIAL, ELEMENTS[FEEDBACK].path, xmlstream_reason(a->xml));
	if (xmlstream_state(a->xml) == XMLSTREAM_OVER) {
		g_autofree char *start = text_clean_line(after, size, 100);

		values_note(&a->tree.report_values, NOTE_AFTER, ELEMENTS[FEEDBACK].path, start);
	}
}

/* Make an id of the content, so that copies have the same. */
static void make_id(struct aggregate *a)
{
	GString *id = g_string_new("sha256-");

	for (guint i = 0; i < ID_BYTES; i++)
		g_string_append_printf(id, "%02x", a->tree.header.sha256[i]);
	values_note(&a->tree.report_values, NOTE_ID, ELEMENTS[REPORT_ID].path, a->tree.header.report_id);
	a->tree.header.report_id = values_keep(&a->tree.report_values, id->str, id->len);
	g_string_free(id, TRUE);
}

static void finish(struct aggregate *a)
{
	struct aggregate_header *header = &a->tree.header;

	note_ends(a);
	if (header->records == 0)
		values_note(&a->tree.report_values, NOTE_EMPTY, "record", NULL);
	consistency_report(header, a->hints.now, &a->tree.report_values);
	hints_note(&a->hints, header, &a->tree.report_values);
	header->dialect = aggregate_tree_dialect(&a->tree);
	sha256_digest(&a->sha256, sizeof header->sha256, header->sha256);
	if (is_blank(header->report_id))
		make_id(a);
	header->error = (const char *const *)a->tree.errors->pdata;
	header->n_error = a->tree.errors->len;
	header->note = (const struct report_note *)(void *)a->tree.report_values.notes->data;
	header->n_note = a->tree.report_values.notes->len;
	if (!a->tree.sink->report_end(a->tree.user, header, &a->tree.error))
		a->tree.verdict = AGGREGATE_FAILED;
}

/* The input ends, perhaps within an element. */
static void end_xml(struct aggregate *a)
{
	g_autofree char *early = NULL;

	xmlstream_flush(a->xml);
	check_stream(a);
	early = g_strdup_printf("ends before </%s>", ELEMENTS[aggregate_tree_open(&a->tree)].name);
	xmlstream_end(a->xml, early, may_be_partial(a));
	check_stream(a);
}

enum aggregate_verdict aggregate_end(struct aggregate *a, GError **error)
{
	end_xml(a);
	if (a->tree.verdict == AGGREGATE_REPORT)
		check_complete(a);
	if (a->tree.verdict == AGGREGATE_REPORT)
		finish(a);
	if (a->tree.verdict == AGGREGATE_FAILED)
		g_propagate_error(error, g_steal_pointer(&a->tree.error));
	return a->tree.verdict;
}

gboolean aggregate_begun(const struct aggregate *a)
{
	return a->tree.begun;
}

const char *aggregate_code(const struct aggregate *a)
{
	return a->tree.code;
}

const char *aggregate_reason(const struct aggregate *a)
{
	return a->tree.reason;
}

gboolean aggregate_forbidden(const struct aggregate *a)
{
	return a->forbidden;
}

const guint8 *aggregate_after(const struct aggregate *a, gsize *size)
{
	*size = xmlstream_state(a->xml) == XMLSTREAM_OVER ? a->tree.after->len : 0;
	return a->tree.after->data;
}

gboolean aggregate_is_none(const struct aggregate *a)
{
	return a->tree.verdict != AGGREGATE_REPORT && !a->tree.begun && !a->forbidden;
}

guint64 aggregate_others(const struct aggregate *a)
{
	gsize size;
	const guint8 *after = (const guint8 *)xmlstream_after(a->xml, &size);

	if (size == 0)
		return 0;
	if (a->tree.others.n == 0 && kind_of(after, size) == KIND_XML && kind_is_report_like(after, size))
		return 1; /* a declaration only */
	return a->tree.others.n;
}
