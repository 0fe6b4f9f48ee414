#include "parser/received.h"

#include "parser/scan.h"

#include <string.h>

/* Read a word, or the string or address that stands for one. Returns FALSE at the date or the end. */
static gboolean read_word(struct scan *scan, GString *word)
{
	g_string_truncate(word, 0);
	scan_blank(scan);
	if (*scan->at == '\0' || *scan->at == ';')
		return FALSE;
	while (strchr(" \t\r\n;(", *scan->at) == NULL) { /* also ends at the NUL */
		if (*scan->at == '"')
			scan_quoted(scan, word);
		else
			g_string_append_c(word, *scan->at++);
	}
	return TRUE;
}

/* Visible ASCII: also '.', '@' and what else is in a msg-id. */
static gboolean is_id(const GString *word)
{
	for (gsize i = 0; i < word->len; i++)
		if (!g_ascii_isgraph(word->str[i]))
			return FALSE;
	return word->len > 0 && word->len <= RECEIVED_ID_MAX;
}

/* "<1@x>" is the id 1@x. */
static void drop_brackets(GString *word)
{
	if (word->len < 2 || word->str[0] != '<' || word->str[word->len - 1] != '>')
		return;
	g_string_truncate(word, word->len - 1);
	g_string_erase(word, 0, 1);
}

char *received_id(const char *field)
{
	struct scan scan = { .at = field };
	g_autoptr(GString) name = g_string_new(NULL);
	g_autoptr(GString) value = g_string_new(NULL);

	while (read_word(&scan, name) && read_word(&scan, value)) {
		if (g_ascii_strcasecmp(name->str, "id") != 0)
			continue;
		drop_brackets(value);
		return !scan.broken && is_id(value) ? g_strndup(value->str, value->len) : NULL;
	}
	return NULL;
}
