#include "parser/repair_parts.h"

#include "parser/notes.h"

#include <string.h>

static enum nesting_text text_before(const struct repair *r)
{
	return r->inked <= r->behind ? NESTING_BLANK : r->ink == '>' ? NESTING_REST : NESTING_TEXT;
}

/* An end tag for the innermost element, in place of a wrong one or none. */
static void emit_end(struct repair *r)
{
	const struct nesting_open *top = nesting_top(&r->nesting);

	repair_note(r, NOTE_UNCLOSED);
	repair_emit(r, (const guint8 *)"</", 2);
	repair_emit(r, (const guint8 *)top->name, top->size);
	repair_emit(r, (const guint8 *)">", 1);
	nesting_pop(&r->nesting);
}

/* The end tag of the innermost element seems to be missing before the tag that is held. */
static void begin_doubt(struct repair *r)
{
	struct doubt *doubt = &r->doubt;

	if (!doubt->open) {
		doubt->open = TRUE;
		doubt->depth = r->nesting.depth - 1;
		doubt->before = r->nesting;
		g_byte_array_append(doubt->raw, r->held->data, r->held->len);
	}
	doubt->depth = MIN(doubt->depth, r->nesting.depth - 1);
	g_array_append_vals(doubt->names, nesting_top(&r->nesting), 1);
	emit_end(r);
}

static void forget_doubt(struct doubt *doubt)
{
	doubt->open = FALSE;
	g_byte_array_set_size(doubt->raw, 0);
	g_byte_array_set_size(doubt->output, 0);
	g_array_set_size(doubt->repairs, 0);
	g_array_set_size(doubt->names, 0);
}

/* The end tags were missing: write what was held. */
static void confirm_doubt(struct repair *r)
{
	struct doubt *doubt = &r->doubt;
	gsize from = 0;

	for (guint i = 0; i < doubt->repairs->len; i++) {
		const struct doubted_repair *one = &g_array_index(doubt->repairs, struct doubted_repair, i);

		if (one->at > from)
			r->visitor->bytes(r->user, doubt->output->data + from, one->at - from);
		from = one->at;
		r->visitor->repaired(r->user, one->code);
	}
	if (doubt->output->len > from)
		r->visitor->bytes(r->user, doubt->output->data + from, doubt->output->len - from);
	forget_doubt(doubt);
}

/* One of those whose end tag seemed to be missing. */
static gboolean is_doubted(const struct doubt *doubt, const guint8 *name, gsize size)
{
	for (guint i = 0; doubt->open && i < doubt->names->len; i++)
		if (nesting_is(&g_array_index(doubt->names, struct nesting_open, i), name, size))
			return TRUE;
	return FALSE;
}

void repair_start_tag(struct repair *r, const guint8 *name, gsize size, gboolean empty)
{
	gboolean late = nesting_is_late(&r->nesting, name, size, text_before(r));

	if (late && !r->doubt.refuted && r->held->len <= r->limits->max_tag_bytes / 2)
		begin_doubt(r);
	if (empty)
		nesting_empty(&r->nesting);
	else
		nesting_start(&r->nesting, name, size);
	repair_emit_text(r, r->held->data, r->held->len);
}

/* An end tag that does not fit. */
static void judge_end_tag(struct repair *r, const guint8 *name, gsize size)
{
	int n = nesting_end(&r->nesting, name, size, text_before(r));

	if (n < 0)
		repair_emit_text(r, r->held->data, r->held->len);
	if (n == 0)
		repair_note(r, NOTE_UNCLOSED);
	for (; n > 0; n--) {
		if (n > 1 || !nesting_is(nesting_top(&r->nesting), name, size)) {
			emit_end(r);
			continue;
		}
		nesting_pop(&r->nesting);
		repair_emit_text(r, r->held->data, r->held->len);
	}
}

void repair_end_tag(struct repair *r, const guint8 *name, gsize size)
{
	const struct nesting_open *top = nesting_top(&r->nesting);

	if (top != NULL && nesting_is(top, name, size)) {
		nesting_pop(&r->nesting);
		repair_emit_text(r, r->held->data, r->held->len);
	} else if (is_doubted(&r->doubt, name, size)) {
		r->doubt.refuted = TRUE;
	} else {
		judge_end_tag(r, name, size);
		r->doubt.refuted |= r->doubt.open && r->nesting.lost;
	}
	if (r->doubt.open && !r->doubt.refuted && r->nesting.depth < r->doubt.depth)
		confirm_doubt(r);
}

/* No end tag was missing, or it cannot be known: read the bytes again. */
void repair_refute_doubt(struct repair *r)
{
	g_autoptr(GByteArray) raw = g_steal_pointer(&r->doubt.raw);

	r->doubt.raw = g_byte_array_new();
	for (guint i = 0; i < r->doubt.repairs->len; i++) {
		const char *code = g_array_index(r->doubt.repairs, struct doubted_repair, i).code;

		/* of single bytes, which are repaired already */
		if (strcmp(code, NOTE_CHARSET) == 0 || strcmp(code, NOTE_CONTROL) == 0)
			r->visitor->repaired(r->user, code);
	}
	forget_doubt(&r->doubt);
	r->doubt.refuted = TRUE;
	r->nesting = r->doubt.before;
	g_byte_array_set_size(r->held, 0);
	r->state = TEXT;
	repair_push_markup(r, raw->data, raw->len);
}
