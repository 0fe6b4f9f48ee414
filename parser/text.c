#include "parser/text.h"

#include <arpa/inet.h>
#include <string.h>

#define LABEL_MAX 63 /* octets (RFC 1035 section 2.3.4) */

gsize text_trim(const char **text, gsize size)
{
	const char *at = *text;

	while (size > 0 && text_is_space(at[0])) {
		at++;
		size--;
	}
	while (size > 0 && text_is_space(at[size - 1]))
		size--;
	*text = at;
	return size;
}

gsize text_line_size(const char *text, gsize size)
{
	const char *end = memchr(text, '\n', size);

	return end == NULL ? size : (gsize)(end - text) + 1;
}

gboolean text_is_blank_line(const char *line, gsize size)
{
	return (size == 1 && line[0] == '\n') || (size == 2 && line[0] == '\r' && line[1] == '\n');
}

gsize text_cut(const char *text, gsize size, gsize max)
{
	if (size <= max)
		return size;
	/* 10xxxxxx continues a character: the boundary is before its first byte */
	while (max > 0 && ((guchar)text[max] & 0xc0) == 0x80)
		max--;
	return max;
}

/* C0 (but white space), DEL and, as UTF-8, C1. */
static gboolean is_control(gunichar c)
{
	return (c < 0x20 && !text_is_space((char)c)) || (c >= 0x7f && c < 0xa0);
}

gboolean text_is_clean(const char *text, gsize size)
{
	gboolean ascii = TRUE;

	for (gsize i = 0; i < size; i++) {
		guchar c = (guchar)text[i];

		if (c >= 0x80)
			ascii = FALSE;
		else if (is_control(c))
			return FALSE;
	}
	if (ascii)
		return TRUE;
	if (!g_utf8_validate_len(text, size, NULL))
		return FALSE;
	for (const char *at = text; at < text + size; at = g_utf8_next_char(at))
		if (is_control(g_utf8_get_char(at)))
			return FALSE;
	return TRUE;
}

/* The character at text, or U+FFFD if it is invalid or a control character. *used: its size. */
static gunichar next_clean(const char *text, gsize size, gsize *used)
{
	gunichar c = g_utf8_get_char_validated(text, (gssize)MIN(size, 6));

	*used = 1;
	if (c == (gunichar)-1 || c == (gunichar)-2 || c == 0)
		return 0xfffd;
	*used = (gsize)(g_utf8_next_char(text) - text);
	return is_control(c) ? 0xfffd : c;
}

char *text_clean(const char *text, gsize size, gsize max)
{
	GString *clean = g_string_sized_new(MIN(size, max));

	while (size > 0 && clean->len <= max) {
		gsize used;

		g_string_append_unichar(clean, next_clean(text, size, &used));
		text += used;
		size -= used;
	}
	g_string_truncate(clean, text_cut(clean->str, clean->len, max));
	return g_string_free(clean, FALSE);
}

char *text_clean_line(const char *text, gsize size, gsize max)
{
	GString *line = g_string_sized_new(MIN(size, max));
	gboolean gap = FALSE;

	size = text_trim(&text, size);
	while (size > 0 && line->len <= max) {
		gsize used = 1;
		gunichar c = (guchar)*text;

		if (c >= 0x7f || c < 0x20)
			c = next_clean(text, size, &used);
		if (c < 0x80 && text_is_space((char)c)) {
			gap = TRUE;
		} else {
			if (gap)
				g_string_append_c(line, ' ');
			if (c < 0x80)
				g_string_append_c(line, (char)c);
			else
				g_string_append_unichar(line, c);
			gap = FALSE;
		}
		text += used;
		size -= used;
	}
	size = text_cut(line->str, line->len, max);
	while (size > 0 && line->str[size - 1] == ' ')
		size--;
	g_string_truncate(line, size);
	return g_string_free(line, FALSE);
}

enum text_number text_number(const char *text, gint64 *value)
{
	gboolean negative = *text == '-';
	enum text_number kind = TEXT_INTEGER;
	guint64 sum = 0;
	const char *at = text + (negative ? 1 : 0);

	if (!g_ascii_isdigit(*at))
		return TEXT_NOT_A_NUMBER;
	for (; g_ascii_isdigit(*at); at++) {
		sum = sum * 10 + (guint64)(*at - '0');
		if (sum > G_MAXINT64)
			return TEXT_NOT_A_NUMBER;
	}
	if (*at == '.') {
		kind = TEXT_WHOLE;
		for (at++; g_ascii_isdigit(*at); at++)
			if (*at != '0')
				kind = TEXT_FRACTION;
	}
	if (*at != '\0')
		return TEXT_NOT_A_NUMBER;
	*value = negative ? -(gint64)sum : (gint64)sum;
	return kind;
}

gboolean text_lower(char *text)
{
	gboolean changed = FALSE;

	for (; *text != '\0'; text++)
		if (g_ascii_isupper(*text)) {
			*text = g_ascii_tolower(*text);
			changed = TRUE;
		}
	return changed;
}

/* IDNA takes the square of a label's length, and A-labels have at most 63 letters, one at least for each
 * character. */
static gboolean has_long_label(const char *text)
{
	gsize letters = 0;

	for (; *text != '\0'; text++) {
		if (*text == '.')
			letters = 0;
		else if (((guchar)*text & 0xc0) != 0x80 && ++letters > LABEL_MAX)
			return TRUE;
	}
	return FALSE;
}

char *text_domain(const char *text)
{
	gsize size = 0;
	gboolean capitals = FALSE, ascii = TRUE;
	char *domain = NULL;

	for (; text[size] != '\0'; size++) {
		capitals |= g_ascii_isupper(text[size]);
		ascii &= (guchar)text[size] < 0x80;
	}
	if (ascii && !capitals && (size == 0 || text[size - 1] != '.'))
		return NULL;
	if (!ascii && !has_long_label(text))
		domain = g_hostname_to_ascii(text);
	if (domain == NULL)
		domain = g_strdup(text);
	text_lower(domain);
	size = strlen(domain);
	if (size > 1 && domain[size - 1] == '.')
		domain[size - 1] = '\0';
	if (strcmp(domain, text) == 0)
		g_clear_pointer(&domain, g_free);
	return domain;
}

char *text_domain_copy(const char *text)
{
	char *domain = text_domain(text);

	return domain == NULL ? g_strdup(text) : domain;
}

gboolean text_ipv4(const char *text, guint32 *address)
{
	guint32 sum = 0;

	for (guint i = 0; i < 4; i++) {
		const char *digits = text;
		guint32 number = 0;

		while (g_ascii_isdigit(*text) && text - digits < 3)
			number = number * 10 + (guint32)(*text++ - '0');
		if (text == digits || number > 255 || (*digits == '0' && text - digits > 1) ||
		    *text != (i < 3 ? '.' : '\0'))
			return FALSE;
		text += i < 3 ? 1 : 0;
		sum = sum << 8 | number;
	}
	*address = sum;
	return TRUE;
}

gboolean text_address(const char *text, char canonical[TEXT_ADDRESS_SIZE], gboolean *mapped)
{
	guint32 v4;
	struct in6_addr v6;

	*mapped = FALSE;
	if (text_ipv4(text, &v4)) {
		memcpy(canonical, text, strlen(text) + 1);
		return TRUE;
	}
	if (inet_pton(AF_INET6, text, &v6) != 1)
		return FALSE;
	if (!IN6_IS_ADDR_V4MAPPED(&v6))
		return inet_ntop(AF_INET6, &v6, canonical, TEXT_ADDRESS_SIZE) != NULL;
	*mapped = TRUE;
	return inet_ntop(AF_INET, &v6.s6_addr[12], canonical, TEXT_ADDRESS_SIZE) != NULL;
}
