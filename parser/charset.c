#include "parser/charset.h"

#include "parser/text.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#define NAME_BYTES 40 /* of a character set */

char *charset_declared(const char *declaration, gsize size)
{
	const char *at = g_strstr_len(declaration, (gssize)size, "encoding");
	const char *end = declaration + size, *name;

	if (at == NULL)
		return NULL;
	for (at += strlen("encoding"); at < end && (text_is_space(*at) || strchr("=\"'", *at) != NULL);)
		at++;
	for (name = at; at < end && (g_ascii_isalnum(*at) || strchr("._:-", *at) != NULL);)
		at++;
	return g_strndup(name, MIN((gsize)(at - name), NAME_BYTES));
}

/* The one character that a byte is; 0: none. -1: it is but the start of one. */
static int decode_byte(iconv_t set, guint8 byte)
{
	char in[1] = { (char)byte }, out[8], *from = in, *to = out;
	gsize in_left = 1, out_left = sizeof out;
	gunichar c;

	iconv(set, NULL, NULL, NULL, NULL);
	if (iconv(set, &from, &in_left, &to, &out_left) == (gsize)-1)
		return errno == EINVAL ? -1 : 0;
	c = g_utf8_get_char_validated(out, (gssize)(sizeof out - out_left));
	if (out_left == sizeof out)
		return -1;
	return c <= 0xffff && g_utf8_next_char(out) == to ? (int)c : 0;
}

/* The kind of set, and its characters. */
static enum charset_kind test_set(iconv_t set, guint16 upper[0x80])
{
	gboolean any = FALSE, several = FALSE;

	if (decode_byte(set, '<') != '<')
		return CHARSET_UTF8; /* the declaration could be read, so it is not in this */
	for (guint c = 0; c < 0x100; c++) {
		int character = decode_byte(set, (guint8)c);

		several |= character < 0 || (c < 0x80 && character != (int)c);
		if (c < 0x80 || character < 0xa0) /* what is a control in ISO 8859 is meant as windows-1252 */
			continue;
		upper[c - 0x80] = (guint16)character;
		any = TRUE;
	}
	return several ? CHARSET_OTHER : any ? CHARSET_SINGLE : CHARSET_UTF8;
}

void charset_read(struct charset *charset, const char *declaration, gsize size)
{
	g_autofree char *name = charset_declared(declaration, size);
	gboolean utf8 =
	    name == NULL || g_ascii_strcasecmp(name, "UTF-8") == 0 || g_ascii_strcasecmp(name, "UTF8") == 0;
	iconv_t set = utf8 || *name == '\0' ? (iconv_t)-1 : iconv_open("UTF-8", name);

	charset->kind = CHARSET_UTF8;
	if (set != (iconv_t)-1) {
		charset->kind = test_set(set, charset->upper);
		utf8 = decode_byte(set, '<') == '<';
		iconv_close(set);
	}
	if (charset->kind == CHARSET_UTF8 && !utf8)
		charset->unknown = g_steal_pointer(&name);
}

void charset_clear(struct charset *charset)
{
	g_clear_pointer(&charset->unknown, g_free);
}
