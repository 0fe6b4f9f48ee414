#include "server/common/visible.h"

#include <string.h>

/* Default_Ignorable_Code_Point (Unicode) that GLib counts as letters, marks or unassigned:
 * fonts draw nothing for them. */
static const struct {
	gunichar first, last;
} ignorable[] = {
	{ 0x034f, 0x034f },
	{ 0x115f, 0x1160 },
	{ 0x17b4, 0x17b5 },
	{ 0x180b, 0x180f },
	{ 0x3164, 0x3164 },
	{ 0xfe00, 0xfe0f },
	{ 0xffa0, 0xffa0 },
	{ 0xe0000, 0xe0fff },
};

static gboolean is_visible(gunichar character)
{
	GUnicodeType type;

	if (character < 0x7f)
		return character >= 0x20;
	for (gsize i = 0; i < G_N_ELEMENTS(ignorable); i++)
		if (character >= ignorable[i].first && character <= ignorable[i].last)
			return FALSE;
	type = g_unichar_type(character);
	return g_unichar_isprint(character) && type != G_UNICODE_FORMAT && type != G_UNICODE_LINE_SEPARATOR &&
	       type != G_UNICODE_PARAGRAPH_SEPARATOR;
}

void visible_append(GString *text, gunichar character)
{
	if (is_visible(character))
		g_string_append_unichar(text, character);
	else if (character < 0x10000)
		g_string_append_printf(text, "\\u%04x", character);
	else
		g_string_append_printf(text, "\\U%08x", character);
}

/* Characters in kept are not escaped. */
static char *escaped(const char *text, const char *kept)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	GString *out = g_string_sized_new(strlen(valid));

	for (const char *at = valid; *at != '\0'; at = g_utf8_next_char(at)) {
		if (strchr(kept, *at) != NULL)
			g_string_append_c(out, *at);
		else
			visible_append(out, g_utf8_get_char(at));
	}
	return g_string_free(out, FALSE);
}

char *visible_text(const char *text)
{
	return escaped(text, "");
}

char *visible_lines(const char *text)
{
	return escaped(text, "\n\t");
}

/* JSON has no longer escape: a character beyond the first plane is two surrogates (RFC 8259 section 7). What
 * is below U+0020 stands outside of texts. */
static void append_json(GString *json, gunichar character)
{
	if (character < 0x20 || is_visible(character))
		g_string_append_unichar(json, character);
	else if (character < 0x10000)
		g_string_append_printf(json, "\\u%04x", character);
	else
		g_string_append_printf(
		    json, "\\u%04x\\u%04x", 0xd7c0 + (character >> 10), 0xdc00 + (character & 0x3ff));
}

/* The bytes at the start that are below DEL. */
static gsize seen_size(const char *text, gsize size)
{
	gsize at = 0;

	for (; at + 32 <= size; at += 32) { /* without branches, so that it becomes vectors */
		guint8 bad = 0;

		for (gsize i = 0; i < 32; i++)
			bad |= (guchar)text[at + i] >= 0x7f;
		if (bad != 0)
			break;
	}
	while (at < size && (guchar)text[at] < 0x7f)
		at++;
	return at;
}

char *visible_json(const char *json, gsize *size)
{
	const char *end = json + *size;
	const char *at = json;
	GString *out;

	/* the characters of JSON itself are ASCII, and its writer has escaped the others below U+0020 */
	at += seen_size(json, *size);
	if (at == end)
		return NULL;
	out = g_string_sized_new(*size + 64);
	g_string_append_len(out, json, at - json);
	while (at < end) {
		gunichar character = g_utf8_get_char_validated(at, end - at);

		if (character == (gunichar)-1 ||
		    character == (gunichar)-2) { /* a file name may not be UTF-8 */
			append_json(out, 0xfffd);
			at++;
		} else {
			append_json(out, character);
			at = g_utf8_next_char(at);
		}
	}
	*size = out->len;
	return g_string_free(out, FALSE);
}
