#include "parser/plain.h"

#include "parser/text.h"

#include <string.h>

struct scan {
	const struct element_index *index;
	const char *at;
	const char *end;
	gsize max_text;
	struct plain *plain;
};

static gboolean add(
    struct scan *scan, enum plain_kind kind, enum element element, const char *text, gsize size)
{
	if (scan->plain->n == PLAIN_PARTS)
		return FALSE;
	scan->plain->part[scan->plain->n++] = (struct plain_part){
		.kind = (guint8)kind, .element = (guint8)element, .size = (guint32)size, .text = text
	};
	return TRUE;
}

static gboolean take(struct scan *scan, const char *word, gsize size)
{
	if ((gsize)(scan->end - scan->at) < size || memcmp(scan->at, word, size) != 0)
		return FALSE;
	scan->at += size;
	return TRUE;
}

static gboolean take_end_tag(struct scan *scan, enum element element)
{
	return take(scan, "</", 2) && take(scan, ELEMENTS[element].name, scan->index->name_size[element]) &&
	       take(scan, ">", 1);
}

static gboolean is_element_here(struct scan *scan, enum element element)
{
	const char *name = ELEMENTS[element].name;
	gsize size = scan->index->name_size[element];

	return (gsize)(scan->end - scan->at) > size && *scan->at == *name &&
	       (scan->at[size] == '>' || scan->at[size] == '/') && memcmp(scan->at, name, size) == 0;
}

/* The child of parent whose name is next; most often it is the one that follows last. */
static enum element find_child(struct scan *scan, enum element parent, enum element last)
{
	struct element_span span = scan->index->children[parent];
	enum element next = last + 1;

	if (next > span.first && next < span.after && is_element_here(scan, next))
		return next;
	for (guint e = span.first; e < span.after; e++)
		if (is_element_here(scan, e))
			return e;
	return ELEMENT_NONE;
}

/* Neither a reference nor part of "]]>", nor CR, which XML replaces, nor a character that values have to be
 * cleaned of. */
static gboolean is_plain_text(char c)
{
	static const guint64 BELOW_64 = ~(guint64)0xffffffff ^ G_GUINT64_CONSTANT(1) << '<' ^
					G_GUINT64_CONSTANT(1) << '>' ^ G_GUINT64_CONSTANT(1) << '&' ^
					1 << '\n' ^ 1 << '\t';
	guchar u = (guchar)c;

	return u < 64 ? (BELOW_64 >> u & 1) != 0 : u < 0x7f;
}

/* Behind the start tag of a leaf. */
static gboolean take_leaf(struct scan *scan, enum element element)
{
	const char *text = scan->at;
	gsize size;

	while (scan->at < scan->end && is_plain_text(*scan->at))
		scan->at++;
	size = text_trim(&text, (gsize)(scan->at - text));
	return size <= scan->max_text && add(scan, PLAIN_LEAF, element, text, size) &&
	       take_end_tag(scan, element);
}

/* Behind '<' of a start tag of the element. *open: the element that is open then. */
static gboolean take_start(struct scan *scan, enum element element, enum element *open)
{
	gboolean leaf = ELEMENTS[element].type != TYPE_PARENT;

	scan->at += scan->index->name_size[element];
	if (take(scan, "/>", 2))
		return leaf ? add(scan, PLAIN_LEAF, element, "", 0)
			    : add(scan, PLAIN_OPEN, element, NULL, 0) &&
				  add(scan, PLAIN_CLOSE, element, NULL, 0);
	if (!take(scan, ">", 1))
		return FALSE;
	if (leaf)
		return take_leaf(scan, element);
	*open = element;
	return add(scan, PLAIN_OPEN, element, NULL, 0);
}

static gboolean is_wanted(enum element element)
{
	return element == VERSION || element == REPORT_METADATA || element == POLICY_PUBLISHED ||
	       element == RECORD;
}

/* The tags of the element and in it, up to its end tag. */
static gboolean take_element(struct scan *scan, enum element first)
{
	enum element open = FEEDBACK, last = first;

	if (!take_start(scan, first, &open))
		return FALSE;
	while (open != FEEDBACK) {
		while (scan->at < scan->end && text_is_space(*scan->at))
			scan->at++;
		if (scan->end - scan->at < 2 || *scan->at != '<')
			return FALSE;
		if (scan->at[1] == '/') {
			if (!take_end_tag(scan, open) || !add(scan, PLAIN_CLOSE, open, NULL, 0))
				return FALSE;
			last = open;
			open = ELEMENTS[open].parent;
			continue;
		}
		scan->at++;
		last = find_child(scan, open, last);
		if (last == ELEMENT_NONE || !take_start(scan, last, &open))
			return FALSE;
	}
	return TRUE;
}

gsize plain_read(struct plain *plain, const guint8 *data, gsize size, gsize max_text)
{
	struct scan scan = { element_index(), (const char *)data + 1, (const char *)data + size, max_text,
		plain };
	enum element first = find_child(&scan, FEEDBACK, FEEDBACK);

	plain->n = 0;
	/* its end tag is what repair.h has to know */
	if (!is_wanted(first) || !take_element(&scan, first) || scan.at[-2] == '/')
		return 0;
	return (gsize)(scan.at - (const char *)data);
}
