#include "parser/repair_parts.h"

#include "parser/entities.h"
#include "parser/notes.h"

#include <string.h>

/* clang-format off */
#define S SPACE
#define N NAME
#define F FIRST
#define M MARK
const guint8 REPAIR_CLASS[256] = {
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

/* -- output -- */

/* Remember the last byte that is not white space. */
static void count_written(struct repair *r, const guint8 *data, gsize size)
{
	gsize end = size;

	while (end > 0 && (REPAIR_CLASS[data[end - 1]] & SPACE) != 0)
		end--;
	if (end > 0) {
		r->inked = r->written + end;
		r->ink = data[end - 1];
	}
	r->written += size;
}

void repair_emit(struct repair *r, const guint8 *data, gsize size)
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
void repair_note(struct repair *r, const char *code)
{
	struct doubted_repair one = { code, r->doubt.output->len };

	if (r->doubt.open)
		g_array_append_val(r->doubt.repairs, one);
	else
		r->visitor->repaired(r->user, code);
}

static void emit_held(struct repair *r)
{
	repair_emit(r, r->held->data, r->held->len);
	g_byte_array_set_size(r->held, 0);
}

/* From here on, and for what is held, nothing is repaired. */
void repair_pass(struct repair *r)
{
	r->state = PASSING;
	r->cutting = FALSE;
	repair_emit(r, r->junk->data, r->junk->len);
	g_byte_array_set_size(r->junk, 0);
	emit_held(r);
}

static void hold(struct repair *r, guint8 c)
{
	g_byte_array_append(r->held, &c, 1);
	if (r->held->len > r->limits->max_tag_bytes)
		repair_pass(r);
}

/* -- references -- */

/* The size of the reference at data[0] == '&', with its ';'; 0 if it is not one, or incomplete. */
static gsize reference_size(const guint8 *data, gsize size)
{
	gboolean hex = size > 3 && data[1] == '#' && data[2] == 'x';
	gsize first = hex ? 3 : size > 2 && data[1] == '#' ? 2 : 1;
	gsize at = first;

	if (first == 1) {
		if (size < 2 || (REPAIR_CLASS[data[1]] & START) == 0)
			return 0;
		while (at < size && (REPAIR_CLASS[data[at]] & NAME) != 0)
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

/* A whole reference by number to a character that XML forbids. */
static gboolean is_forbidden(const guint8 *reference, gsize size)
{
	gboolean hex;
	guint64 c;

	if (size < 4 || reference[1] != '#')
		return FALSE;
	hex = reference[2] == 'x';
	c = g_ascii_strtoull((const char *)reference + (hex ? 3 : 2), NULL, hex ? 16 : 10); /* up to ';' */
	return c < ' ' && c != '\t' && c != '\n' && c != '\r';
}

static void emit_escaped(struct repair *r, const char *escaped)
{
	repair_note(r, NOTE_MARKUP);
	repair_emit(r, (const guint8 *)escaped, strlen(escaped));
}

/* Complete text: no reference continues after it. */
void repair_emit_text(struct repair *r, const guint8 *data, gsize size)
{
	gsize from = 0;

	for (gsize at = 0; at < size; at++) {
		char character[7] = "&amp;";
		gsize reference;
		gunichar c;

		if (data[at] != '&' || !r->rooted)
			continue;
		reference = reference_size(data + at, size - at);
		if (is_forbidden(data + at, reference)) {
			repair_emit(r, data + from, at - from);
			repair_note(r, NOTE_CONTROL);
			at += reference - 1;
			from = at + 1;
			continue;
		}
		c = reference > 0 ? html_character(r, data + at, reference) : 0;
		if (reference > 0 && c == 0)
			continue;
		if (c != 0)
			character[g_unichar_to_utf8(c, character)] = '\0';
		repair_emit(r, data + from, at - from);
		emit_escaped(r, character);
		at += reference > 0 ? reference - 1 : 0;
		from = at + 1;
	}
	repair_emit(r, data + from, size - from);
}

/* Returns TRUE if c was consumed. */
static gboolean reference_byte(struct repair *r, guint8 c)
{
	if ((REPAIR_CLASS[c] & NAME) != 0 || c == '#' || c == ';') {
		hold(r, c);
		if (c != ';' || r->state == PASSING)
			return TRUE;
	}
	repair_emit_text(r, r->held->data, r->held->len);
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
	if ((REPAIR_CLASS[c] & SPACE) != 0)
		return TAG_SPACE;
	return c == '/' ? TAG_SLASH : c == '>' ? TAG_DONE : TAG_NONE;
}

static enum state tag_open(guint8 c)
{
	if ((REPAIR_CLASS[c] & START) != 0)
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
	return c == '"' || c == '\'' ? TAG_VALUE : (REPAIR_CLASS[c] & SPACE) != 0 ? TAG_QUOTE : TAG_NONE;
}

/* What c makes of a tag. */
static enum state tag_next(struct repair *r, guint8 c)
{
	gboolean space = (REPAIR_CLASS[c] & SPACE) != 0, name = (REPAIR_CLASS[c] & NAME) != 0;
	gboolean start = (REPAIR_CLASS[c] & START) != 0;

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
gboolean repair_held_is_called(const struct repair *r, const char *name)
{
	gsize from = r->held->len > 1 && r->held->data[1] == '/' ? 2 : 1, at = from;

	while (at < r->held->len && (REPAIR_CLASS[r->held->data[at]] & NAME) != 0)
		if (r->held->data[at++] == ':')
			from = at;
	return at - from == strlen(name) &&
	       g_ascii_strncasecmp((const char *)r->held->data + from, name, at - from) == 0;
}

/* A whole tag before the root, which decides what this is. */
static void first_tag(struct repair *r)
{
	gboolean end = r->held->data[1] == '/';

	if (!end && repair_held_is_called(r, "feedback")) {
		if (r->cutting)
			r->visitor->repaired(r->user, NOTE_JUNK);
		r->cutting = FALSE;
		g_byte_array_set_size(r->junk, 0);
		r->rooted = TRUE;
	} else if (!end && repair_held_is_called(r, "schema")) {
		r->cutting = r->in_schema = TRUE;
	} else if (!r->in_schema) {
		repair_pass(r);
	}
}

/* A whole tag inside of the root. */
static void judge_tag(struct repair *r)
{
	const guint8 *tag = r->held->data;
	gsize from = tag[1] == '/' ? 2 : 1, at = from;

	while ((REPAIR_CLASS[tag[at]] & NAME) != 0) /* the tag ends with '>' */
		at++;
	if (r->nesting.lost)
		repair_emit_text(r, tag, r->held->len);
	else if (from == 2)
		repair_end_tag(r, tag + from, at - from);
	else
		repair_start_tag(r, tag + from, at - from, tag[r->held->len - 2] == '/');
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
		repair_emit_text(r, r->held->data, r->held->len);
	g_byte_array_set_size(r->held, 0);
}

/* An end tag of the innermost element without its '>'. */
static gboolean is_unclosed(const struct repair *r)
{
	const struct nesting_open *top = r->rooted && !r->nesting.lost ? nesting_top(&r->nesting) : NULL;
	gsize size = r->held->len;

	while (r->state == TAG_END_SPACE && size > 0 && (REPAIR_CLASS[r->held->data[size - 1]] & SPACE) != 0)
		size--;
	return top != NULL && (r->state == TAG_END_NAME || r->state == TAG_END_SPACE) &&
	       nesting_is(top, r->held->data + 2, size - 2);
}

static void close_tag(struct repair *r)
{
	repair_note(r, NOTE_UNCLOSED);
	g_byte_array_append(r->held, (const guint8 *)">", 1);
	tag_done(r);
}

static void tag_none(struct repair *r)
{
	r->state = TEXT;
	if (r->rooted) {
		emit_escaped(r, "&lt;");
		repair_emit_text(r, r->held->data + 1, r->held->len - 1);
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
			repair_pass(r);
		emit_held(r);
	} else if (held_is(r, "<!DOCTYPE") && !r->rooted) {
		r->state = DOCTYPE;
		r->has_doctype = TRUE;
		r->quote = 0;
		emit_held(r);
	} else if (!held_starts(r, "<!--") && !held_starts(r, "<![CDATA[") && !held_starts(r, "<!DOCTYPE")) {
		if (!r->rooted) { /* a declaration: not ours to judge */
			repair_pass(r);
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

	if (at >= size || (REPAIR_CLASS[data[at]] & START) == 0)
		return 0;
	while (at < size && (REPAIR_CLASS[data[at]] & NAME) != 0)
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
	return html_character(r, data, whole) == 0 && !is_forbidden(data, whole) ? whole : 0;
}

/* Offer what is directly inside of the root, at data[0] == '<', to the visitor. Returns how much it took. */
static gsize offer_elements(struct repair *r, const guint8 *data, gsize size)
{
	gsize taken = r->visitor->elements(r->user, data, size), name = 1;

	if (taken == 0)
		return 0;
	count_written(r, data, taken);
	r->behind = r->written;
	while (data[taken - name - 1] != '/')
		name++;
	nesting_start(&r->nesting, data + taken - name, name - 1);
	nesting_pop(&r->nesting);
	return taken;
}

static gboolean may_offer(const struct repair *r)
{
	return r->visitor->elements != NULL && r->nesting.depth == 1 && !r->nesting.lost && !r->doubt.open &&
	       !r->has_doctype;
}

/* Inside of the root: the common case, and so the fast one. */
static gsize take_content(struct repair *r, const guint8 *data, gsize size)
{
	gsize from = 0, at = 0, whole;

	for (;;) {
		while (at < size && (REPAIR_CLASS[data[at]] & MARK) == 0)
			at++;
		if (at == size)
			break;
		if (data[at] == '<' && may_offer(r)) {
			repair_emit(r, data + from, at - from);
			from = at;
			at += offer_elements(r, data + at, size - at);
			if (at > from) {
				from = at;
				continue;
			}
		}
		whole = plain_size(r, data + at, size - at);
		if (whole == 0)
			break;
		if (data[at] == '<')
			r->behind = r->written + (at - from) + whole;
		at += whole;
	}
	repair_emit(r, data + from, at - from);
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

	while (blank < end && (REPAIR_CLASS[data[blank]] & SPACE) != 0)
		blank++;
	repair_emit(r, data, blank);
	if (blank < end)
		r->cutting = TRUE;
	repair_emit(r, data + blank, end - blank);
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
	repair_emit(r, data, at);
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
	repair_emit(r, data, at);
	if (at < size && r->state == DOCTYPE)
		repair_pass(r); /* an internal subset is refused anyway */
	return at;
}

static gsize take(struct repair *r, const guint8 *data, gsize size)
{
	switch (r->state) {
	case PASSING:
		repair_emit(r, data, size);
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

void repair_push_markup(struct repair *r, const guint8 *data, gsize size)
{
	while (size > 0) {
		gboolean doubtful = r->doubt.open;
		gsize taken = take(r, data, size);

		if (doubtful && r->doubt.open)
			g_byte_array_append(r->doubt.raw, data, (guint)taken);
		if (r->doubt.open && (r->doubt.refuted || r->doubt.raw->len > r->limits->max_tag_bytes / 2))
			repair_refute_doubt(r);
		data += taken;
		size -= taken;
		if (r->junk->len > r->limits->max_tag_bytes)
			repair_pass(r);
	}
}
