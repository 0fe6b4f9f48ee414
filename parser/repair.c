#include "parser/repair.h"

#include "parser/charset.h"
#include "parser/declaration.h"
#include "parser/entities.h"
#include "parser/kind.h"
#include "parser/nesting.h"
#include "parser/notes.h"
#include "parser/text.h"

#include <string.h>

#define DECLARATION 1024 /* bytes in which an XML declaration ends, and those that repeat it */
#define LEAD        64   /* bytes in which kind_lead() knows what it says */

#define PLAIN_DECLARATION "<?xml version=\"1.0\"?>" /* the output's character set is known */

/* What a byte may be. From 0x80 on all are of names: libxml2 decides which really are. */
enum { SPACE = 1, START = 2, NAME = 4, MARK = 8, FIRST = START | NAME };

/* clang-format off */
#define S SPACE
#define N NAME
#define F FIRST
#define M MARK
static const guint8 CLASS[256] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, S, S, 0, 0, S, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	S, 0, 0, 0, 0, 0, M, 0, 0, 0, 0, 0, 0, N, N, 0, /* & - . */
	N, N, N, N, N, N, N, N, N, N, F, 0, M, 0, 0, 0, /* 0-9 : < */
	0, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F,
	F, F, F, F, F, F, F, F, F, F, F, 0, 0, 0, 0, F, /* _ */
	0, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F,
	F, F, F, F, F, F, F, F, F, F, F, 0, 0, 0, 0, 0,
	F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F,
	F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F,
	F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F,
	F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F, F,
};
#undef S
#undef N
#undef F
#undef M
/* clang-format on */

/* windows-1252 from 0x80 to 0x9f; what it leaves open is a control character, as browsers have it. */
static const guint16 WINDOWS_1252[32] = { 0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6,
	0x2030, 0x160, 0x2039, 0x152, 0x8d, 0x17d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013,
	0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e, 0x178 };

enum state {
	DECIDING, /* held: the start, which has the character set */
	PASSING,  /* nothing is repaired any more */
	TEXT,
	REFERENCE, /* held: from '&' on */
	/* held: from '<' on */
	TAG_OPEN,
	TAG_NAME,
	TAG_SPACE,
	TAG_ATTRIBUTE,
	TAG_EQUALS, /* wanted */
	TAG_QUOTE,  /* wanted */
	TAG_VALUE,
	TAG_SLASH,
	TAG_END,
	TAG_END_NAME,
	TAG_END_SPACE,
	TAG_BANG,
	TAG_DONE, /* the byte is the tag's last */
	TAG_NONE, /* the byte shows that '<' starts no tag */
	/* not held, up to their end */
	COMMENT,
	CDATA,
	INSTRUCTION,
	DOCTYPE,
};

/* A repair in the doubtful bytes. */
struct doubted_repair {
	const char *code;
	gsize at; /* of the output */
};

/*
 * End tags seem to be missing, of the elements in names, before a tag that was read. This is known when the
 * element around them ends; or an end tag of one of them comes, and they had elements in them.
 */
struct doubt {
	gboolean open;
	guint depth;           /* of the element around them */
	struct nesting before; /* the elements that are open if no end tag is missing */
	GByteArray *raw;       /* the bytes from that tag on, as they came: at most half of max_tag_bytes */
	GByteArray *output;    /* and the output of these, with the missing end tags */
	GArray *repairs;       /* in it; struct doubted_repair */
	GArray *names;         /* struct nesting_open */
	gboolean refuted;      /* none is missing: once, and never looked for again */
};

struct repair {
	const struct parser_limits *limits;
	const struct repair_visitor *visitor;
	gpointer user;

	struct charset charset; /* of CHARSET_OTHER all is passed on; else the output is UTF-8 */
	gsize n_partial;        /* bytes of partial */

	GByteArray *held;
	GByteArray *junk;
	gsize matched;   /* bytes of the end that COMMENT, CDATA or INSTRUCTION waits for */
	gsize declared;  /* bytes of declarations that are repaired, or 0 */
	guint64 written; /* bytes of the output, also of what was dropped later */
	guint64 behind;  /* of them, up to the end of the last tag */
	guint64 inked;   /* up to the last byte that is not white space, which is ink */

	struct doubt doubt;
	enum state state;
	gboolean rooted;      /* <feedback> is open, or was */
	gboolean cutting;     /* before it: what comes is junk, or will have been */
	gboolean in_schema;   /* a <schema> tag is in the junk */
	gboolean has_doctype; /* it may declare entities */
	struct nesting nesting;
	guint8 quote; /* in TAG_VALUE and DOCTYPE, or 0 */
	guint8 ink;
	guint8 partial[4]; /* a UTF-8 sequence that is not whole yet */
};

/* Remember the last byte that is not white space. */
static void count_written(struct repair *r, const guint8 *data, gsize size)
{
	gsize end = size;

	while (end > 0 && (CLASS[data[end - 1]] & SPACE) != 0)
		end--;
	if (end > 0) {
		r->inked = r->written + end;
		r->ink = data[end - 1];
	}
	r->written += size;
}

static void emit(struct repair *r, const guint8 *data, gsize size)
{
	if (size == 0)
		return;
	count_written(r, data, size);
	if (r->cutting)
		g_byte_array_append(r->junk, data, (guint)size);
	else if (r->doubt.open)
		g_byte_array_append(r->doubt.output, data, (guint)size);
	else
		r->visitor->bytes(r->user, data, size);
}

/* A repair of the next bytes of the output. */
static void repaired(struct repair *r, const char *code)
{
	struct doubted_repair one = { code, r->doubt.output->len };

	if (r->doubt.open)
		g_array_append_val(r->doubt.repairs, one);
	else
		r->visitor->repaired(r->user, code);
}

static void emit_held(struct repair *r)
{
	emit(r, r->held->data, r->held->len);
	g_byte_array_set_size(r->held, 0);
}

/* From here on, and for what is held, nothing is repaired. */
static void pass(struct repair *r)
{
	r->state = PASSING;
	r->cutting = FALSE;
	emit(r, r->junk->data, r->junk->len);
	g_byte_array_set_size(r->junk, 0);
	emit_held(r);
}

static void hold(struct repair *r, guint8 c)
{
	g_byte_array_append(r->held, &c, 1);
	if (r->held->len > r->limits->max_tag_bytes)
		pass(r);
}

/* -- references -- */

/* The size of the reference at data[0] == '&', with its ';'; 0 if it is not one, or incomplete. */
static gsize reference_size(const guint8 *data, gsize size)
{
	gboolean hex = size > 3 && data[1] == '#' && data[2] == 'x';
	gsize first = hex ? 3 : size > 2 && data[1] == '#' ? 2 : 1;
	gsize at = first;

	if (first == 1) {
		if (size < 2 || (CLASS[data[1]] & START) == 0)
			return 0;
		while (at < size && (CLASS[data[at]] & NAME) != 0)
			at++;
	} else {
		while (at < size && (hex ? g_ascii_isxdigit(data[at]) : g_ascii_isdigit(data[at])))
			at++;
	}
	return at > first && at < size && data[at] == ';' ? at + 1 : 0;
}

/* The character of a whole reference that HTML has and XML has not, or 0. A document type might declare it.
 */
static gunichar html_character(const struct repair *r, const guint8 *reference, gsize size)
{
	return r->has_doctype || reference[1] == '#' ? 0 : entities_find(reference + 1, size - 2);
}

static void emit_escaped(struct repair *r, const char *escaped)
{
	repaired(r, NOTE_MARKUP);
	emit(r, (const guint8 *)escaped, strlen(escaped));
}

/* Complete text: no reference continues after it. */
static void emit_text(struct repair *r, const guint8 *data, gsize size)
{
	gsize from = 0;

	for (gsize at = 0; at < size; at++) {
		char character[7] = "&amp;";
		gsize reference;
		gunichar c;

		if (data[at] != '&' || !r->rooted)
			continue;
		reference = reference_size(data + at, size - at);
		c = reference > 0 ? html_character(r, data + at, reference) : 0;
		if (reference > 0 && c == 0)
			continue;
		if (c != 0)
			character[g_unichar_to_utf8(c, character)] = '\0';
		emit(r, data + from, at - from);
		emit_escaped(r, character);
		at += reference > 0 ? reference - 1 : 0;
		from = at + 1;
	}
	emit(r, data + from, size - from);
}

/* Returns TRUE if c was consumed. */
static gboolean reference_byte(struct repair *r, guint8 c)
{
	if ((CLASS[c] & NAME) != 0 || c == '#' || c == ';') {
		hold(r, c);
		if (c != ';' || r->state == PASSING)
			return TRUE;
	}
	emit_text(r, r->held->data, r->held->len);
	g_byte_array_set_size(r->held, 0);
	r->state = TEXT;
	return c == ';';
}

/* -- tags -- */

static gboolean held_starts(const struct repair *r, const char *word)
{
	return r->held->len <= strlen(word) && memcmp(r->held->data, word, r->held->len) == 0;
}

static gboolean held_is(const struct repair *r, const char *word)
{
	return r->held->len == strlen(word) && held_starts(r, word);
}

/* The state after c inside of a start tag's name or between its attributes. */
static enum state tag_between(guint8 c)
{
	if ((CLASS[c] & SPACE) != 0)
		return TAG_SPACE;
	return c == '/' ? TAG_SLASH : c == '>' ? TAG_DONE : TAG_NONE;
}

static enum state tag_open(guint8 c)
{
	if ((CLASS[c] & START) != 0)
		return TAG_NAME;
	return c == '/' ? TAG_END : c == '!' ? TAG_BANG : c == '?' ? INSTRUCTION : TAG_NONE;
}

static enum state tag_value(struct repair *r, guint8 c)
{
	if (c == '<')
		return TAG_NONE;
	return c == r->quote ? TAG_SPACE : TAG_VALUE;
}

static enum state tag_quote(struct repair *r, guint8 c)
{
	r->quote = c;
	return c == '"' || c == '\'' ? TAG_VALUE : (CLASS[c] & SPACE) != 0 ? TAG_QUOTE : TAG_NONE;
}

/* What c makes of a tag. */
static enum state tag_next(struct repair *r, guint8 c)
{
	gboolean space = (CLASS[c] & SPACE) != 0, name = (CLASS[c] & NAME) != 0;
	gboolean start = (CLASS[c] & START) != 0;

	switch (r->state) {
	case TAG_OPEN:
		return tag_open(c);
	case TAG_NAME:
		return name ? TAG_NAME : tag_between(c);
	case TAG_SPACE:
		return start ? TAG_ATTRIBUTE : tag_between(c);
	case TAG_ATTRIBUTE:
		return name ? TAG_ATTRIBUTE : c == '=' ? TAG_QUOTE : space ? TAG_EQUALS : TAG_NONE;
	case TAG_EQUALS:
		return c == '=' ? TAG_QUOTE : space ? TAG_EQUALS : TAG_NONE;
	case TAG_QUOTE:
		return tag_quote(r, c);
	case TAG_VALUE:
		return tag_value(r, c);
	case TAG_SLASH:
		return c == '>' ? TAG_DONE : TAG_NONE;
	case TAG_END:
		return start ? TAG_END_NAME : TAG_NONE;
	case TAG_END_NAME:
		return name ? TAG_END_NAME : c == '>' ? TAG_DONE : space ? TAG_END_SPACE : TAG_NONE;
	case TAG_END_SPACE:
		return c == '>' ? TAG_DONE : space ? TAG_END_SPACE : TAG_NONE;
	default:
		g_assert_not_reached();
	}
}

/* The tag that is held is of an element whose name, without prefix, is this in any case. */
static gboolean held_is_called(const struct repair *r, const char *name)
{
	gsize from = r->held->len > 1 && r->held->data[1] == '/' ? 2 : 1, at = from;

	while (at < r->held->len && (CLASS[r->held->data[at]] & NAME) != 0)
		if (r->held->data[at++] == ':')
			from = at;
	return at - from == strlen(name) &&
	       g_ascii_strncasecmp((const char *)r->held->data + from, name, at - from) == 0;
}

/* A whole tag before the root, which decides what this is. */
static void first_tag(struct repair *r)
{
	gboolean end = r->held->data[1] == '/';

	if (!end && held_is_called(r, "feedback")) {
		if (r->cutting)
			r->visitor->repaired(r->user, NOTE_JUNK);
		r->cutting = FALSE;
		g_byte_array_set_size(r->junk, 0);
		r->rooted = TRUE;
	} else if (!end && held_is_called(r, "schema")) {
		r->cutting = r->in_schema = TRUE;
	} else if (!r->in_schema) {
		pass(r);
	}
}

/* -- end tags that are wrong or missing -- */

static enum nesting_text text_before(const struct repair *r)
{
	return r->inked <= r->behind ? NESTING_BLANK : r->ink == '>' ? NESTING_REST : NESTING_TEXT;
}

/* An end tag for the innermost element, in place of a wrong one or none. */
static void emit_end(struct repair *r)
{
	const struct nesting_open *top = nesting_top(&r->nesting);

	repaired(r, NOTE_UNCLOSED);
	emit(r, (const guint8 *)"</", 2);
	emit(r, (const guint8 *)top->name, top->size);
	emit(r, (const guint8 *)">", 1);
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

static void start_tag(struct repair *r, const guint8 *name, gsize size, gboolean empty)
{
	gboolean late = nesting_is_late(&r->nesting, name, size, text_before(r));

	if (late && !r->doubt.refuted && r->held->len <= r->limits->max_tag_bytes / 2)
		begin_doubt(r);
	if (empty)
		nesting_empty(&r->nesting);
	else
		nesting_start(&r->nesting, name, size);
	emit_text(r, r->held->data, r->held->len);
}

/* An end tag that does not fit. */
static void judge_end_tag(struct repair *r, const guint8 *name, gsize size)
{
	int n = nesting_end(&r->nesting, name, size, text_before(r));

	if (n < 0)
		emit_text(r, r->held->data, r->held->len);
	if (n == 0)
		repaired(r, NOTE_UNCLOSED);
	for (; n > 0; n--) {
		if (n > 1 || !nesting_is(nesting_top(&r->nesting), name, size)) {
			emit_end(r);
			continue;
		}
		nesting_pop(&r->nesting);
		emit_text(r, r->held->data, r->held->len);
	}
}

static void end_tag(struct repair *r, const guint8 *name, gsize size)
{
	const struct nesting_open *top = nesting_top(&r->nesting);

	if (top != NULL && nesting_is(top, name, size)) {
		nesting_pop(&r->nesting);
		emit_text(r, r->held->data, r->held->len);
	} else if (is_doubted(&r->doubt, name, size)) {
		r->doubt.refuted = TRUE;
	} else {
		judge_end_tag(r, name, size);
		r->doubt.refuted |= r->doubt.open && r->nesting.lost;
	}
	if (r->doubt.open && !r->doubt.refuted && r->nesting.depth < r->doubt.depth)
		confirm_doubt(r);
}

/* A whole tag inside of the root. */
static void judge_tag(struct repair *r)
{
	const guint8 *tag = r->held->data;
	gsize from = tag[1] == '/' ? 2 : 1, at = from;

	while ((CLASS[tag[at]] & NAME) != 0) /* the tag ends with '>' */
		at++;
	if (r->nesting.lost)
		emit_text(r, tag, r->held->len);
	else if (from == 2)
		end_tag(r, tag + from, at - from);
	else
		start_tag(r, tag + from, at - from, tag[r->held->len - 2] == '/');
	r->behind = r->written;
}

static void tag_done(struct repair *r)
{
	r->state = TEXT;
	if (!r->rooted)
		first_tag(r);
	if (r->rooted)
		judge_tag(r);
	else
		emit_text(r, r->held->data, r->held->len);
	g_byte_array_set_size(r->held, 0);
}

/* An end tag of the innermost element without its '>'. */
static gboolean is_unclosed(const struct repair *r)
{
	const struct nesting_open *top = r->rooted && !r->nesting.lost ? nesting_top(&r->nesting) : NULL;
	gsize size = r->held->len;

	while (r->state == TAG_END_SPACE && size > 0 && (CLASS[r->held->data[size - 1]] & SPACE) != 0)
		size--;
	return top != NULL && (r->state == TAG_END_NAME || r->state == TAG_END_SPACE) &&
	       nesting_is(top, r->held->data + 2, size - 2);
}

static void close_tag(struct repair *r)
{
	repaired(r, NOTE_UNCLOSED);
	g_byte_array_append(r->held, (const guint8 *)">", 1);
	tag_done(r);
}

static void tag_none(struct repair *r)
{
	r->state = TEXT;
	if (r->rooted) {
		emit_escaped(r, "&lt;");
		emit_text(r, r->held->data + 1, r->held->len - 1);
		g_byte_array_set_size(r->held, 0);
	} else {
		r->cutting = TRUE;
		emit_held(r);
	}
}

/* Between "<!" and the word that says what it is. Returns TRUE if c was consumed. */
static gboolean bang_byte(struct repair *r, guint8 c)
{
	hold(r, c);
	if (r->state == PASSING)
		return TRUE;
	if (held_is(r, "<!--") || held_is(r, "<![CDATA[")) {
		r->state = c == '[' ? CDATA : COMMENT;
		r->matched = 0;
		if (r->state == CDATA && !r->rooted && !r->cutting)
			pass(r);
		emit_held(r);
	} else if (held_is(r, "<!DOCTYPE") && !r->rooted) {
		r->state = DOCTYPE;
		r->has_doctype = TRUE;
		r->quote = 0;
		emit_held(r);
	} else if (!held_starts(r, "<!--") && !held_starts(r, "<![CDATA[") && !held_starts(r, "<!DOCTYPE")) {
		if (!r->rooted) { /* a declaration: not ours to judge */
			pass(r);
			return TRUE;
		}
		g_byte_array_set_size(r->held, r->held->len - 1);
		tag_none(r);
		return FALSE;
	}
	return TRUE;
}

/* Returns TRUE if c was consumed. */
static gboolean tag_byte(struct repair *r, guint8 c)
{
	enum state next;

	if (r->state == TAG_BANG)
		return bang_byte(r, c);
	next = tag_next(r, c);
	if (next == TAG_NONE) {
		if (c == '<' && is_unclosed(r))
			close_tag(r);
		else
			tag_none(r);
		return FALSE;
	}
	r->state = next;
	hold(r, c);
	if (r->state == TAG_DONE) {
		tag_done(r);
	} else if (r->state == INSTRUCTION) {
		r->matched = 0;
		emit_held(r);
	}
	return TRUE;
}

/* -- bytes that need not be held; each function returns how many it took -- */

/* The bytes of a tag without attributes at data[0] == '<'; 0 when it is another, or not whole. */
static gsize plain_tag_size(const guint8 *data, gsize size)
{
	gsize at = size > 1 && data[1] == '/' ? 2 : 1;

	if (at >= size || (CLASS[data[at]] & START) == 0)
		return 0;
	while (at < size && (CLASS[data[at]] & NAME) != 0)
		at++;
	return at < size && data[at] == '>' ? at + 1 : 0;
}

/* The bytes of a whole tag or reference that is written as it is; 0 if it has to be looked at closely. */
static gsize plain_size(struct repair *r, const guint8 *data, gsize size)
{
	gboolean tag = data[0] == '<';
	gsize whole = tag ? plain_tag_size(data, size) : reference_size(data, size);

	if (whole == 0 || whole > r->limits->max_tag_bytes)
		return 0;
	if (tag)
		return !r->doubt.open && nesting_takes(&r->nesting, data, whole) ? whole : 0;
	return html_character(r, data, whole) == 0 ? whole : 0;
}

/* Inside of the root: the common case, and so the fast one. */
static gsize take_content(struct repair *r, const guint8 *data, gsize size)
{
	gsize at = 0, whole;

	for (;;) {
		while (at < size && (CLASS[data[at]] & MARK) == 0)
			at++;
		if (at == size)
			break;
		whole = plain_size(r, data + at, size - at);
		if (whole == 0)
			break;
		if (data[at] == '<')
			r->behind = r->written + at + whole;
		at += whole;
	}
	emit(r, data, at);
	if (at == size)
		return size;
	r->state = data[at] == '<' ? TAG_OPEN : REFERENCE;
	hold(r, data[at]);
	return at + 1;
}

/* Before the root: all but white space is junk. */
static gsize take_prolog(struct repair *r, const guint8 *data, gsize size)
{
	const guint8 *tag = memchr(data, '<', size);
	gsize end = tag != NULL ? (gsize)(tag - data) : size, blank = 0;

	while (blank < end && (CLASS[data[blank]] & SPACE) != 0)
		blank++;
	emit(r, data, blank);
	if (blank < end)
		r->cutting = TRUE;
	emit(r, data + blank, end - blank);
	if (tag == NULL)
		return size;
	r->state = TAG_OPEN;
	hold(r, '<');
	return end + 1;
}

static gsize take_until(struct repair *r, const guint8 *data, gsize size, const char *end)
{
	gsize at = 0;

	while (at < size && end[r->matched] != '\0') {
		guint8 c = data[at++];

		if (c == (guint8)end[r->matched])
			r->matched++;
		else if (c != (guint8)end[0]) /* "--" before another "-" stays matched */
			r->matched = 0;
		else if (r->matched != 2)
			r->matched = 1;
	}
	emit(r, data, at);
	if (end[r->matched] == '\0')
		r->state = TEXT;
	return at;
}

static gsize take_doctype(struct repair *r, const guint8 *data, gsize size)
{
	gsize at = 0;

	while (at < size && r->state == DOCTYPE) {
		guint8 c = data[at];

		if (c == '[' && r->quote == 0)
			break;
		at++;
		if (r->quote != 0)
			r->quote = c == r->quote ? 0 : r->quote;
		else if (c == '"' || c == '\'')
			r->quote = c;
		else if (c == '>')
			r->state = TEXT;
	}
	emit(r, data, at);
	if (at < size && r->state == DOCTYPE)
		pass(r); /* an internal subset is refused anyway */
	return at;
}

static gsize take(struct repair *r, const guint8 *data, gsize size)
{
	switch (r->state) {
	case PASSING:
		emit(r, data, size);
		return size;
	case TEXT:
		return r->rooted ? take_content(r, data, size) : take_prolog(r, data, size);
	case COMMENT:
		return take_until(r, data, size, "-->");
	case CDATA:
		return take_until(r, data, size, "]]>");
	case INSTRUCTION:
		return take_until(r, data, size, "?>");
	case DOCTYPE:
		return take_doctype(r, data, size);
	case REFERENCE:
		return reference_byte(r, *data) ? 1 : 0;
	default:
		return tag_byte(r, *data) ? 1 : 0;
	}
}

static void refute_doubt(struct repair *r);

static void push_markup(struct repair *r, const guint8 *data, gsize size)
{
	while (size > 0) {
		gboolean doubtful = r->doubt.open;
		gsize taken = take(r, data, size);

		if (doubtful && r->doubt.open)
			g_byte_array_append(r->doubt.raw, data, (guint)taken);
		if (r->doubt.open && (r->doubt.refuted || r->doubt.raw->len > r->limits->max_tag_bytes / 2))
			refute_doubt(r);
		data += taken;
		size -= taken;
		if (r->junk->len > r->limits->max_tag_bytes)
			pass(r);
	}
}

/* No end tag was missing, or it cannot be known: read the bytes again. */
static void refute_doubt(struct repair *r)
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
	push_markup(r, raw->data, raw->len);
}

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
	while (at < size && data[at] < 0x80 && (data[at] >= 0x20 || (CLASS[data[at]] & SPACE) != 0))
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

	push_markup(r, (const guint8 *)text, (gsize)g_unichar_to_utf8(c, text));
}

/* One byte that may not stand as it is. */
static void repair_byte(struct repair *r, guint8 c)
{
	if (c >= 0x80 && r->charset.kind == CHARSET_SINGLE && r->charset.upper[c - 0x80] != 0) {
		push_character(r, r->charset.upper[c - 0x80]);
	} else if (c >= 0x80) {
		repaired(r, NOTE_CHARSET);
		push_character(r, c < 0xa0 ? WINDOWS_1252[c - 0x80] : c);
	} else if (r->state == PASSING) {
		emit(r, &c, 1);
	} else {
		repaired(r, NOTE_CONTROL);
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
		push_markup(r, data + from, at - from);
		from = at;
		if (sequence == 0 && !end)
			return size - at;
		if (is_done(r))
			break;
		repair_byte(r, data[at]);
		from = ++at;
	}
	push_markup(r, data + from, size - from);
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
	emit(r, head->data, blank);
	if (lead > blank || r->declared > 0)
		repaired(r, NOTE_JUNK);
	if (r->declared > 0)
		push_markup(r, (const guint8 *)PLAIN_DECLARATION, strlen(PLAIN_DECLARATION));
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
	/* byte by byte, so that the decision does not depend on the pieces */
	while (size > 0 && r->state == DECIDING) {
		g_byte_array_append(r->held, data++, 1);
		size--;
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
		refute_doubt(r);
	closes = r->rooted && (r->state == TAG_END_NAME || r->state == TAG_END_SPACE) &&
		 held_is_called(r, "feedback");
	pass(r);
	if (!closes)
		return;
	r->visitor->repaired(r->user, NOTE_UNCLOSED);
	emit(r, (const guint8 *)">", 1);
}

gboolean repair_is_utf8(const struct repair *r)
{
	return r->charset.kind != CHARSET_OTHER;
}

const char *repair_unknown(const struct repair *r)
{
	return r->charset.unknown;
}
