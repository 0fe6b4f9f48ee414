#include "parser/nesting.h"

#include <string.h>

#define NOT_YET -1
#define FOREIGN ((gint8)ELEMENT_NONE) /* no element of the schema in its place */

G_STATIC_ASSERT(N_ELEMENTS < G_MAXINT8);

void nesting_init(struct nesting *n)
{
	memset(n, 0, sizeof *n);
	n->index = element_index();
}

const struct nesting_open *nesting_top(const struct nesting *n)
{
	return n->depth > 0 ? &n->open[n->depth - 1] : NULL;
}

gboolean nesting_is(const struct nesting_open *open, const guint8 *name, gsize size)
{
	return open->size == size && memcmp(open->name, name, size) == 0;
}

/* -- what an element is -- */

/* The part behind the prefix. */
static gsize local_part(const guint8 *name, gsize size)
{
	const guint8 *colon = memchr(name, ':', size);

	return colon != NULL ? (gsize)(colon - name) + 1 : 0;
}

static gint8 find(const struct nesting *n, gint8 parent, const guint8 *name, gsize size)
{
	gsize local = local_part(name, size);
	struct element_span span;
	g_autofree char *word = NULL;

	if (parent == FOREIGN)
		return FOREIGN;
	name += local;
	size -= local;
	span = n->index->children[parent];
	for (guint e = span.first; e < span.after; e++)
		if (n->index->name_size[e] == size && memcmp(ELEMENTS[e].name, name, size) == 0)
			return (gint8)e;
	word = g_strndup((const char *)name, size);
	return (gint8)element_find((enum element)parent, word);
}

/* The root is a feedback, whatever it is called: repair.h found it. */
static gint8 element_at(struct nesting *n, guint i)
{
	struct nesting_open *open = &n->open[i];

	if (open->element == NOT_YET)
		open->element = i == 0
				    ? (gint8)FEEDBACK
				    : find(n, element_at(n, i - 1), (const guint8 *)open->name, open->size);
	return open->element;
}

/* A leaf, or an unknown element in the place of one; without elements in it, as they should be. */
static gboolean is_leaf(struct nesting *n, guint i)
{
	gint8 element = element_at(n, i);

	if (n->open[i].inner)
		return FALSE;
	if (element != FOREIGN)
		return ELEMENTS[element].type != TYPE_PARENT;
	return element_at(n, i - 1) != FOREIGN;
}

static guint8 folded(guint8 c)
{
	return (guint8)g_ascii_tolower((char)c);
}

static gboolean is_separator(guint8 c)
{
	return c == '-' || c == '_';
}

/* The same word in another spelling. */
static gboolean is_like(const struct nesting_open *open, const guint8 *name, gsize size)
{
	const guint8 *ours = (const guint8 *)open->name;
	gsize i = local_part(ours, open->size), j = local_part(name, size);

	for (;; i++, j++) {
		while (i < open->size && is_separator(ours[i]))
			i++;
		while (j < size && is_separator(name[j]))
			j++;
		if (i == open->size || j == size)
			return i == open->size && j == size;
		if (folded(ours[i]) != folded(name[j]))
			return FALSE;
	}
}

static gboolean is_known(const guint8 *name, gsize size)
{
	gsize local = local_part(name, size);
	g_autofree char *word = g_strndup((const char *)name + local, size - local);

	return element_named(word) != ELEMENT_NONE;
}

/* -- tags -- */

/* A parent whose end tag may be missing before the next element of its own parent. */
static gboolean is_of_header(gint8 element)
{
	return element == (gint8)DATE_RANGE || element == (gint8)REPORT_METADATA ||
	       element == (gint8)POLICY_PUBLISHED;
}

/* Only in these cases may nesting_is_late() say so. */
static gboolean may_be_late(const struct nesting *n)
{
	return n->depth > 1 && (n->opened || is_of_header(n->open[n->depth - 1].element));
}

gboolean nesting_takes(struct nesting *n, const guint8 *tag, gsize size)
{
	if (n->lost)
		return TRUE;
	if (tag[1] == '/') {
		if (n->depth == 0 || !nesting_is(&n->open[n->depth - 1], tag + 2, size - 3))
			return FALSE;
		nesting_pop(n);
		return TRUE;
	}
	if (may_be_late(n) && nesting_is_late(n, tag + 1, size - 2, NESTING_TEXT))
		return FALSE;
	nesting_start(n, tag + 1, size - 2);
	return TRUE;
}

void nesting_start(struct nesting *n, const guint8 *name, gsize size)
{
	struct nesting_open *open = &n->open[n->depth];

	n->opened = TRUE;
	n->lost = n->lost || n->depth == NESTING_DEPTH || size > NESTING_NAME;
	if (n->lost)
		return;
	if (n->depth > 0)
		n->open[n->depth - 1].inner = TRUE;
	memcpy(open->name, name, size);
	open->size = (guint8)size;
	open->element = NOT_YET;
	open->inner = FALSE;
	n->depth++;
	if (n->depth < NESTING_DEPTH)
		n->open[n->depth].size = 0; /* nothing ended in it yet */
}

void nesting_empty(struct nesting *n)
{
	n->opened = FALSE;
	if (!n->lost && n->depth > 0)
		n->open[n->depth - 1].inner = TRUE;
}

void nesting_pop(struct nesting *n)
{
	n->opened = FALSE;
	n->depth--;
	n->lost = n->depth == 0; /* what follows the root is not read */
}

gboolean nesting_is_late(struct nesting *n, const guint8 *name, gsize size, enum nesting_text text)
{
	guint top = n->depth - 1;
	gint8 element;

	if (n->lost || !may_be_late(n))
		return FALSE;
	element = element_at(n, top); /* also for the next tag, whatever the text is */
	if (element == FOREIGN || text == NESTING_REST)
		return FALSE;
	if (ELEMENTS[element].type == TYPE_PARENT &&
	    (!is_of_header(element) || find(n, element, name, size) != FOREIGN))
		return FALSE;
	return find(n, element_at(n, top - 1), name, size) != FOREIGN;
}

/* The innermost open element of this name, counted from the innermost, which is 1; 0: there is none. */
static guint find_open(const struct nesting *n, const guint8 *name, gsize size)
{
	for (guint i = n->depth; i-- > 0;)
		if (nesting_is(&n->open[i], name, size))
			return n->depth - i;
	for (guint i = n->depth; i-- > 0;)
		if (is_like(&n->open[i], name, size))
			return n->depth - i;
	return 0;
}

/* All end tags of the n innermost elements but the outermost of them are missing, and only those that
 * tell nothing of where they belong: of leaves, and of what is in the header. */
static gboolean may_end(struct nesting *n, guint count, enum nesting_text text)
{
	guint outer = n->depth - count;
	gint8 element = element_at(n, outer);

	if (text == NESTING_REST || element == FOREIGN || element == (gint8)FEEDBACK ||
	    element == (gint8)RECORD || ELEMENTS[element].type != TYPE_PARENT)
		return FALSE;
	for (guint i = outer + 1; i < n->depth; i++)
		if (!is_leaf(n, i) && element_at(n, i) != (gint8)DATE_RANGE)
			return FALSE;
	return TRUE;
}

/* The end tag repeats the one before it, whose entry is still there. A record is not in the header. */
static gboolean is_repeated(struct nesting *n, const guint8 *name, gsize size)
{
	return !n->opened && n->depth < NESTING_DEPTH && nesting_is(&n->open[n->depth], name, size) &&
	       element_at(n, n->depth) != (gint8)RECORD;
}

int nesting_end(struct nesting *n, const guint8 *name, gsize size, enum nesting_text text)
{
	guint count, top = n->depth - 1;
	gint8 element;

	if (n->lost || n->depth == 0) {
		n->lost = TRUE;
		return -1;
	}
	count = find_open(n, name, size);
	if (count == 1 || (count > 1 && may_end(n, count, text)))
		return (int)count;
	if (count == 0 && text == NESTING_BLANK && is_repeated(n, name, size))
		return 0;
	element = element_at(n, top);
	/* an unknown name ends what can be nothing but ended here */
	if (count == 0 && top > 0 &&
	    (is_leaf(n, top) || (element != FOREIGN && element != (gint8)RECORD && !is_known(name, size))))
		return 1;
	n->lost = TRUE;
	return -1;
}
