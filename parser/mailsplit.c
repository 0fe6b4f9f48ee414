#include "parser/mailsplit.h"

#include "parser/text.h"

#include <string.h>

/* -- mbox -- */

/* "Name:" with characters that a name may have (RFC 5322 section 2.2). */
static gboolean is_field(const guint8 *line, gsize size)
{
	gsize at = 0;

	while (at < size && line[at] > ' ' && line[at] < 0x7f && line[at] != ':')
		at++;
	return at > 0 && at < size && line[at] == ':';
}

/* Digits on both sides of a colon. */
gboolean mailsplit_is_timed(const guint8 *line, gsize size)
{
	size = text_line_size((const char *)line, size);
	for (gsize at = 1; at + 1 < size; at++)
		if (line[at] == ':' && g_ascii_isdigit(line[at - 1]) && g_ascii_isdigit(line[at + 1]))
			return TRUE;
	return FALSE;
}

gboolean mailsplit_is_separator(const guint8 *data, gsize size, gboolean timed)
{
	gsize line;

	if (size < 5 || memcmp(data, "From ", 5) != 0)
		return FALSE;
	line = text_line_size((const char *)data, size);
	return !timed || (mailsplit_is_timed(data, line) && is_field(data + line, size - line));
}

gboolean mailsplit_is_mbox(const guint8 *data, gsize size)
{
	return mailsplit_is_separator(data, size, TRUE);
}

gsize mailsplit_mail(const guint8 *mbox, gsize size)
{
	gboolean blank = FALSE;
	gsize at = 0;

	while (at < size) {
		if (blank && mailsplit_is_mbox(mbox + at, size - at))
			return at;
		gsize line = text_line_size((const char *)mbox + at, size - at);

		blank = text_is_blank_line((const char *)mbox + at, line);
		at += line;
	}
	return size;
}

/* -- behind a multipart -- */

/* A field of MIME, as a part's header has it. */
static gboolean is_mime_field(const guint8 *line, gsize size)
{
	static const char *const STARTS[] = { "content-", "mime-version:" };

	for (gsize i = 0; i < G_N_ELEMENTS(STARTS); i++)
		if (size > strlen(STARTS[i]) &&
		    g_ascii_strncasecmp((const char *)line, STARTS[i], strlen(STARTS[i])) == 0)
			return TRUE;
	return FALSE;
}

static gboolean is_of(const guint8 *line, gsize size, const void *boundary, gsize n)
{
	return n > 0 && size >= n + 2 && memcmp(line + 2, boundary, n) == 0;
}

/* Whether line[0..size) is a boundary line; left: bytes to the end of the text. */
static gboolean is_boundary(const guint8 *line, gsize size, gsize left, struct mailsplit_fence *fence)
{
	const char *text = (const char *)line;
	gboolean opens, known;

	if (size < 3 || line[0] != '-' || line[1] != '-' || line[2] <= ' ')
		return FALSE;
	known = is_of(line, size, fence->declared, strlen(fence->declared)) ||
		is_of(line, size, fence->opened, fence->opened_size);
	opens = is_mime_field(line + size, left - size);
	if (!known && (!opens || fence->opened != NULL))
		return FALSE;
	fence->is_part = opens;
	/* the next one may be of another multipart only if this one closes */
	fence->opened = opens ? line + 2 : NULL;
	fence->opened_size = opens ? text_trim(&text, size) - 2 : 0;
	return TRUE;
}

struct mailsplit_piece mailsplit_piece(
    const guint8 *text, gsize size, gsize at, struct mailsplit_fence *fence)
{
	struct mailsplit_piece piece = {
		.data = text + at, .size = size - at, .is_part = fence->is_part, .next = size
	};

	for (gsize line = 0, end = at; end < size; end += line) {
		line = text_line_size((const char *)text + end, size - end);
		if (is_boundary(text + end, line, size - end, fence)) {
			piece.size = end - at;
			piece.next = end + line;
			break;
		}
	}
	return piece;
}
