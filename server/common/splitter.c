#include "server/common/splitter.h"

#include <string.h>

#include "parser/kind.h"

#define GZIP_BASE64 "H4sI" /* the magic number and method of gzip, in base64 */
#define OBJECT      "{"
#define LIST_NAME   "\"aggregate_reports\""

/* -- the kind -- */

static gsize blank(const char *head, gsize size)
{
	gsize at = 0;

	while (at < size && g_ascii_isspace(head[at]))
		at++;
	return at;
}

static gboolean begins(const char *head, gsize size, const char *word)
{
	return size >= strlen(word) && memcmp(head, word, strlen(word)) == 0;
}

static gboolean is_list(const char *head, gsize size)
{
	gsize at = blank(head, size);

	if (at == size)
		return FALSE;
	head += at;
	size -= at;
	if (begins(head, size, "[")) {
		at = 1 + blank(head + 1, size - 1);
		return at < size && (head[at] == '{' || head[at] == ']');
	}
	if (!begins(head, size, OBJECT))
		return FALSE;
	at = 1 + blank(head + 1, size - 1);
	return begins(head + at, size - at, LIST_NAME);
}

enum splitter_kind splitter_kind_of(const char *head, gsize size)
{
	if (begins(head, size, "-- MySQL dump") || begins(head, size, "-- MariaDB dump") ||
	    begins(head, size, "/*M!") || begins(head, size, "/*!"))
		return SPLITTER_DUMP;
	return is_list(head, size) ? SPLITTER_JSON : SPLITTER_NONE;
}

/* -- JSON -- */

/* Texts are passed over, also those between objects: a brace in them is none. */
static gboolean pass_text(struct splitter *splitter, char byte)
{
	if (splitter->escaped) {
		splitter->escaped = FALSE;
		return TRUE;
	}
	if (splitter->quoted && byte == '\\')
		splitter->escaped = TRUE;
	else if (byte == '"')
		splitter->quoted = !splitter->quoted;
	return splitter->quoted || byte == '"';
}

static enum splitter_step next_json(struct splitter *splitter, char byte)
{
	gboolean within = splitter->depth > 0;

	if (pass_text(splitter, byte))
		return within ? SPLITTER_KEEP : SPLITTER_SKIP;
	if (byte == '[')
		splitter->in_list = TRUE;
	if (!splitter->in_list) /* the brace around parsedmarc's lists */
		return SPLITTER_SKIP;
	if (byte == '{')
		splitter->depth++;
	else if (byte == '}' && within && --splitter->depth == 0)
		return SPLITTER_WHOLE;
	return within || splitter->depth > 0 ? SPLITTER_KEEP : SPLITTER_SKIP;
}

/* -- a dump -- */

/* MySQL's escapes of one character. */
static char unescaped(char byte)
{
	switch (byte) {
	case '0':
		return '\0';
	case 'b':
		return '\b';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case 'Z':
		return '\x1a';
	default:
		return byte;
	}
}

static enum splitter_step keep_value(struct splitter *splitter, char byte, char *out)
{
	if (!splitter->inside)
		splitter->wanted = byte == '<' || byte == GZIP_BASE64[0];
	splitter->inside = TRUE;
	*out = byte;
	return splitter->wanted ? SPLITTER_KEEP : SPLITTER_SKIP;
}

static enum splitter_step end_value(struct splitter *splitter)
{
	gboolean wanted = splitter->wanted;

	splitter->quoted = splitter->inside = splitter->wanted = FALSE;
	return wanted ? SPLITTER_END : SPLITTER_SKIP;
}

/* A quote in a comment is none. */
static void pass_statement(struct splitter *splitter, char byte)
{
	if (byte == '\n') {
		splitter->dashes = 0;
		splitter->in_line = FALSE;
	} else if (byte == '-' && !splitter->in_line && splitter->dashes < 2) {
		splitter->dashes++;
	} else {
		splitter->in_line = TRUE;
		splitter->quoted = byte == '\'' && splitter->dashes < 2;
	}
}

static enum splitter_step next_dump(struct splitter *splitter, char byte, char *out)
{
	if (!splitter->quoted) {
		pass_statement(splitter, byte);
		return SPLITTER_SKIP;
	}
	if (splitter->escaped) {
		splitter->escaped = FALSE;
		return keep_value(splitter, unescaped(byte), out);
	}
	if (byte == '\\') {
		splitter->escaped = TRUE;
		return SPLITTER_SKIP;
	}
	return byte == '\'' ? end_value(splitter) : keep_value(splitter, byte, out);
}

gboolean splitter_is_report(const guint8 *value, gsize size, gboolean *is_base64)
{
	*is_base64 = begins((const char *)value, size, GZIP_BASE64);
	return *is_base64 || kind_is_report_start(value, size);
}

enum splitter_step splitter_next(struct splitter *splitter, char byte, char *out)
{
	*out = byte;
	return splitter->kind == SPLITTER_JSON ? next_json(splitter, byte) : next_dump(splitter, byte, out);
}
