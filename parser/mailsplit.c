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
static gboolean has_time(const guint8 *line, gsize size)
{
	for (gsize at = 1; at + 1 < size; at++)
		if (line[at] == ':' && g_ascii_isdigit(line[at - 1]) && g_ascii_isdigit(line[at + 1]))
			return TRUE;
	return FALSE;
}

gboolean mailsplit_is_mbox(const guint8 *data, gsize size)
{
	gsize line;

	if (size < 5 || memcmp(data, "From ", 5) != 0)
		return FALSE;
	line = text_line_size((const char *)data, size);
	return has_time(data, line) && is_field(data + line, size - line);
}

static gboolean is_blank(const guint8 *line, gsize size)
{
	return line[0] == '\n' || (size == 2 && line[0] == '\r' && line[1] == '\n');
}

gsize mailsplit_mail(const guint8 *mbox, gsize size)
{
	gboolean blank = FALSE;
	gsize at = 0;

	while (at < size) {
		if (blank && mailsplit_is_mbox(mbox + at, size - at))
			return at;
		gsize line = text_line_size((const char *)mbox + at, size - at);

		blank = is_blank(mbox + at, line);
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

/* Whether line[0..size) is a boundary line; left: bytes to the end of the text. */
static gboolean is_boundary(const guint8 *line, gsize size, gsize left, const char *boundary, gboolean *opens)
{
	gsize n = strlen(boundary);

	if (size < 3 || line[0] != '-' || line[1] != '-' || line[2] <= ' ')
		return FALSE;
	*opens = is_mime_field(line + size, left - size);
	return *opens || (n > 0 && size >= n + 2 && memcmp(line + 2, boundary, n) == 0);
}

struct mailsplit_piece mailsplit_piece(
    const guint8 *text, gsize size, gsize at, const char *boundary, gboolean *is_part)
{
	struct mailsplit_piece piece = {
		.data = text + at, .size = size - at, .is_part = *is_part, .next = size
	};

	for (gsize line = 0, end = at; end < size; end += line) {
		line = text_line_size((const char *)text + end, size - end);
		if (is_boundary(text + end, line, size - end, boundary, is_part)) {
			piece.size = end - at;
			piece.next = end + line;
			break;
		}
	}
	return piece;
}
