#include "parser/repair_parts.h"

#include "parser/declaration.h"
#include "parser/kind.h"
#include "parser/notes.h"

#include <string.h>

#define DECLARATION 1024 /* bytes in which an XML declaration ends, and those that repeat it */
#define LEAD        64   /* bytes in which kind_lead() knows what it says */
#define STEP        16   /* bytes of the start between two looks at it */

#define PLAIN_DECLARATION "<?xml version=\"1.0\"?>" /* the output's character set is known */

/* windows-1252 from 0x80 to 0x9f; what it leaves open is a control character, as browsers have it. */
static const guint16 WINDOWS_1252[32] = { 0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6,
	0x2030, 0x160, 0x2039, 0x152, 0x8d, 0x17d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013,
	0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e, 0x178 };

/* -- bytes -- */

/* The bytes at the start that XML has as they are, and that are ASCII. */
static gsize clean_size(const guint8 *data, gsize size)
{
	gsize at = 0;

	for (; at + 64 <= size; at += 64) { /* without branches, so that it becomes vectors */
		guint8 bad = 0;

		for (gsize i = 0; i < 64; i++) {
			guint8 c = data[at + i];

			bad |= (guint8)((c >= 0x80) | ((c < 0x20) & (c != '\t') & (c != '\n') & (c != '\r')));
		}
		if (bad != 0)
			break;
	}
	while (at < size && data[at] < 0x80 && (data[at] >= 0x20 || (REPAIR_CLASS[data[at]] & SPACE) != 0))
		at++;
	return at;
}

/* The size of the UTF-8 sequence at the start; 0 if it is incomplete, -1 if it is invalid. */
static int sequence_size(const guint8 *data, gsize size)
{
	gunichar c;

	if (data[0] < 0xc2 || data[0] > 0xf4)
		return -1;
	c = g_utf8_get_char_validated((const char *)data, (gssize)MIN(size, 4));
	/* -2 says "not whole" of a NUL in it, too, however much follows */
	if (c == (gunichar)-2)
		return size < 4 && memchr(data, 0, size) == NULL ? 0 : -1;
	return c == (gunichar)-1 ? -1 : g_unichar_to_utf8(c, NULL);
}

static void push_character(struct repair *r, gunichar c)
{
	char text[6];

	repair_push_markup(r, (const guint8 *)text, (gsize)g_unichar_to_utf8(c, text));
}

/* One byte that may not stand as it is. */
static void repair_byte(struct repair *r, guint8 c)
{
	if (c >= 0x80 && r->charset.kind == CHARSET_SINGLE && r->charset.upper[c - 0x80] != 0) {
		push_character(r, r->charset.upper[c - 0x80]);
	} else if (c >= 0x80) {
		repair_note(r, NOTE_CHARSET);
		push_character(r, c < 0xa0 ? WINDOWS_1252[c - 0x80] : c);
	} else if (r->state == PASSING) {
		repair_emit(r, &c, 1);
	} else {
		repair_note(r, NOTE_CONTROL);
	}
}

/* Bytes come out as they go in. */
static gboolean is_done(const struct repair *r)
{
	return r->state == PASSING && r->charset.kind != CHARSET_SINGLE;
}

/* data[0..size) as far as it can be judged: returns what is left, a sequence that is not whole; at the end
 * all is judged. */
static gsize push_bytes(struct repair *r, const guint8 *data, gsize size, gboolean end)
{
	gsize from = 0, at = 0;

	while (at < size && !is_done(r)) {
		int sequence;

		at += clean_size(data + at, size - at);
		if (at == size)
			break;
		sequence = r->charset.kind == CHARSET_UTF8 ? sequence_size(data + at, size - at) : -1;
		if (sequence > 0) {
			at += (gsize)sequence;
			continue;
		}
		repair_push_markup(r, data + from, at - from);
		from = at;
		if (sequence == 0 && !end)
			return size - at;
		if (is_done(r))
			break;
		repair_byte(r, data[at]);
		from = ++at;
	}
	repair_push_markup(r, data + from, size - from);
	return 0;
}

static void push_judged(struct repair *r, const guint8 *data, gsize size)
{
	gsize left;

	while (r->n_partial > 0 && size > 0) {
		guint8 partial[sizeof r->partial];
		gsize n = r->n_partial + 1;

		memcpy(partial, r->partial, r->n_partial);
		partial[r->n_partial] = *data++;
		size--;
		r->n_partial = push_bytes(r, partial, n, FALSE);
		memcpy(r->partial, partial + n - r->n_partial, r->n_partial);
	}
	left = push_bytes(r, data, size, FALSE);
	if (left > 0) {
		memcpy(r->partial, data + size - left, left);
		r->n_partial = left;
	}
}

/* -- the character set -- */

/* The declarations in the bytes that are held, and what they say. Returns FALSE if more bytes are needed. */
static gboolean decide_declared(struct repair *r, const char *data, gsize size, gboolean last)
{
	struct declarations found;

	if (!declaration_read(data, size, last, &found)) {
		r->state = last ? PASSING : DECIDING;
		return last;
	}
	if (found.size == 0)
		return TRUE;
	charset_read(&r->charset, found.encoding, found.encoding_size);
	if (r->charset.kind == CHARSET_OTHER)
		r->state = PASSING;
	else if (!found.well_formed)
		r->declared = found.size;
	return TRUE;
}

/* Find the character set in the bytes that are held. Returns FALSE if more are needed. */
static gboolean decide(struct repair *r, gboolean end)
{
	gsize size = r->held->len, lead = kind_lead(r->held->data, size);
	const char *data = (const char *)r->held->data + lead;
	gboolean last = end || size >= DECLARATION;

	size -= lead;
	if (!last && (size < 6 || (data[0] != '<' && size < LEAD)))
		return FALSE;
	r->state = TEXT;
	if (size < 4 || memchr(data, 0, 4) != NULL || (guint8)data[0] >= 0xfe || data[0] == 0x4c) {
		r->state = PASSING; /* UTF-16, UTF-32, EBCDIC */
		r->charset.kind = CHARSET_OTHER;
	} else if (memcmp(data, "<?", 2) == 0) {
		return decide_declared(r, data, size, last);
	}
	return TRUE;
}

static void start(struct repair *r, gboolean end)
{
	g_autoptr(GByteArray) head = NULL;
	gsize blank, lead;

	if (!decide(r, end))
		return;
	head = g_steal_pointer(&r->held);
	r->held = g_byte_array_new();
	blank = kind_blank(head->data, head->len); /* with its mark */
	lead = kind_lead(head->data, head->len);
	repair_emit(r, head->data, blank);
	if (lead > blank || r->declared > 0)
		repair_note(r, NOTE_JUNK);
	if (r->declared > 0)
		repair_push_markup(r, (const guint8 *)PLAIN_DECLARATION, strlen(PLAIN_DECLARATION));
	lead += r->declared;
	push_judged(r, head->data + lead, head->len - lead);
}

/* -- public functions -- */

struct repair *repair_new(
    const struct parser_limits *limits, const struct repair_visitor *visitor, gpointer user)
{
	struct repair *r = g_new0(struct repair, 1);

	r->limits = limits;
	r->visitor = visitor;
	r->user = user;
	r->state = DECIDING;
	r->held = g_byte_array_new();
	r->junk = g_byte_array_new();
	nesting_init(&r->nesting);
	r->doubt.raw = g_byte_array_new();
	r->doubt.output = g_byte_array_new();
	r->doubt.repairs = g_array_new(FALSE, FALSE, sizeof(struct doubted_repair));
	r->doubt.names = g_array_new(FALSE, FALSE, sizeof(struct nesting_open));
	return r;
}

void repair_free(struct repair *r)
{
	if (r == NULL)
		return;
	g_byte_array_unref(r->held);
	g_byte_array_unref(r->junk);
	g_byte_array_unref(r->doubt.raw);
	g_byte_array_unref(r->doubt.output);
	g_array_unref(r->doubt.repairs);
	g_array_unref(r->doubt.names);
	charset_clear(&r->charset);
	g_free(r);
}

void repair_push(struct repair *r, const guint8 *data, gsize size)
{
	/* in steps, so that the decision does not depend on the pieces */
	while (size > 0 && r->state == DECIDING) {
		gsize part = MIN(size, STEP - r->held->len % STEP);

		g_byte_array_append(r->held, data, (guint)part);
		data += part;
		size -= part;
		if (r->held->len % STEP == 0)
			start(r, FALSE);
	}
	push_judged(r, data, size);
}

void repair_end(struct repair *r)
{
	gboolean closes;

	if (r->state == DECIDING && r->held->len > 0)
		start(r, TRUE);
	push_bytes(r, r->partial, r->n_partial, TRUE);
	if (r->doubt.open)
		repair_refute_doubt(r);
	closes = r->rooted && (r->state == TAG_END_NAME || r->state == TAG_END_SPACE) &&
		 repair_held_is_called(r, "feedback");
	repair_pass(r);
	if (!closes)
		return;
	r->visitor->repaired(r->user, NOTE_UNCLOSED);
	repair_emit(r, (const guint8 *)">", 1);
}

gboolean repair_is_utf8(const struct repair *r)
{
	return r->charset.kind != CHARSET_OTHER;
}

const char *repair_unknown(const struct repair *r)
{
	return r->charset.unknown;
}
