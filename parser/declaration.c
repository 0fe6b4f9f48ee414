#include "parser/declaration.h"

#include "parser/charset.h"
#include "parser/text.h"

#include <string.h>

static gsize skip_blanks(const char *data, gsize size, gsize at)
{
	while (at < size && text_is_space(data[at]))
		at++;
	return at;
}

/* "<?xml", also in another case, and with blanks before the word. */
static gboolean is_declaration(const char *data, gsize size)
{
	gsize at;

	if (size < 2 || memcmp(data, "<?", 2) != 0)
		return FALSE;
	at = skip_blanks(data, size, 2);
	return size - at > 3 && g_ascii_strncasecmp(data + at, "xml", 3) == 0 &&
	       (text_is_space(data[at + 3]) || data[at + 3] == '?');
}

/* Up to its '>', or to the '<' of what follows; 0: it does not end. */
static gsize declaration_size(const char *data, gsize size)
{
	for (gsize at = 2; at < size; at++)
		if (data[at] == '>' || data[at] == '<')
			return data[at] == '>' ? at + 1 : at;
	return 0;
}

/* -- the form of XML 1.0, rules 23 to 32 and 80 -- */

static gboolean is_version(const char *value, gsize size)
{
	if (size < 3 || memcmp(value, "1.", 2) != 0)
		return FALSE;
	for (gsize i = 2; i < size; i++)
		if (!g_ascii_isdigit(value[i]))
			return FALSE;
	return TRUE;
}

static gboolean is_encoding(const char *value, gsize size)
{
	if (size == 0 || !g_ascii_isalpha(value[0]))
		return FALSE;
	for (gsize i = 1; i < size; i++)
		if (!g_ascii_isalnum(value[i]) && strchr("._-", value[i]) == NULL)
			return FALSE;
	return TRUE;
}

static gboolean is_standalone(const char *value, gsize size)
{
	return (size == 3 && memcmp(value, "yes", 3) == 0) || (size == 2 && memcmp(value, "no", 2) == 0);
}

/* Blanks, name = 'value'. Returns where it ends; at when there is another, or none; 0 when it is damaged. */
static gsize pseudo_attribute(
    const char *data, gsize size, gsize at, const char *name, gboolean (*is_value)(const char *, gsize))
{
	gsize word = skip_blanks(data, size, at), n = strlen(name), end;
	char quote;

	if (word == at || size - word < n || memcmp(data + word, name, n) != 0)
		return at;
	word = skip_blanks(data, size, word + n);
	if (word == size || data[word] != '=')
		return 0;
	word = skip_blanks(data, size, word + 1);
	quote = word < size ? data[word] : '\0';
	if (quote != '"' && quote != '\'')
		return 0;
	for (end = ++word; end < size && data[end] != quote;)
		end++;
	return end < size && is_value(data + word, end - word) ? end + 1 : 0;
}

static gboolean is_well_formed(const char *data, gsize size)
{
	gsize version, at;

	if (size < 5 || memcmp(data, "<?xml", 5) != 0)
		return FALSE;
	version = pseudo_attribute(data, size, 5, "version", is_version);
	if (version <= 5)
		return FALSE;
	at = pseudo_attribute(data, size, version, "encoding", is_encoding);
	if (at != 0)
		at = pseudo_attribute(data, size, at, "standalone", is_standalone);
	if (at == 0)
		return FALSE;
	at = skip_blanks(data, size, at);
	return size - at == 2 && memcmp(data + at, "?>", 2) == 0;
}

/* -- several -- */

gboolean declaration_read(const char *data, gsize size, gboolean last, struct declarations *found)
{
	g_autofree char *encoding = NULL;
	gsize at = 0;

	*found = (struct declarations){ .encoding = data };
	if (!last && size < DECLARATION_HEAD)
		return FALSE;
	while (is_declaration(data + at, size - at)) {
		gsize one = declaration_size(data + at, size - at);
		g_autofree char *named = charset_declared(data + at, one);

		if (one == 0 && (!last || at == 0))
			return FALSE;
		if (one == 0 ||
		    (encoding != NULL && named != NULL && g_ascii_strcasecmp(encoding, named) != 0))
			return TRUE;
		found->well_formed = at == 0 && is_well_formed(data, one);
		if (at == 0 || (encoding == NULL && named != NULL)) {
			found->encoding = data + at;
			found->encoding_size = one;
		}
		if (encoding == NULL)
			encoding = g_steal_pointer(&named);
		found->size = at + one;
		at = skip_blanks(data, size, found->size);
		if (!last && size - at < DECLARATION_HEAD)
			return FALSE;
	}
	return TRUE;
}
