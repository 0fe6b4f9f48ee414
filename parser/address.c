#include "parser/address.h"

#include "parser/text.h"

#include <string.h>

#define LITERAL_MAX_BYTES 64 /* "[IPv6:...]" */

/* "[192.0.2.1]", "[IPv6:...]" (RFC 5321 section 4.1.3); 0 for what cannot be one. */
static gsize literal_size(const char *text, gsize size)
{
	gsize n = 1;

	while (n < MIN(size, LITERAL_MAX_BYTES) &&
	       (g_ascii_isalnum(text[n]) || text[n] == '.' || text[n] == ':'))
		n++;
	return n < size && text[n] == ']' ? n + 1 : 0;
}

/* Not so an '@' of full width, which may stand for the other one. */
static gboolean is_domain_char(const char *text, gsize size)
{
	if ((guchar)text[0] >= 0x80)
		return size < 3 || memcmp(text, "\xef\xbc\xa0", 3) != 0;
	return g_ascii_isalnum(text[0]) || text[0] == '.' || text[0] == '-' || text[0] == '_';
}

gsize address_domain_size(const char *text, gsize size)
{
	gsize n = 0;

	if (size > 0 && text[0] == '[')
		return literal_size(text, size);
	while (n < size && is_domain_char(text + n, size - n))
		n++;
	return n;
}

/* The state of the scan of one address: what hides separators. */
struct scan {
	gboolean quoted;
	guint comments;
	gboolean angle;
	gboolean literal;
	const char *open, *close; /* of the last <> */
};

/* Scan one character outside quotes and comments. Returns TRUE if it ends the address. */
static gboolean scan_plain(struct scan *scan, const char *at)
{
	switch (*at) {
	case '<':
		scan->angle = TRUE;
		scan->open = at;
		scan->close = NULL;
		break;
	case '>':
		if (scan->angle)
			scan->close = at;
		scan->angle = FALSE;
		break;
	case '[':
	case ']':
		scan->literal = *at == '[';
		break;
	case ',':
	case ';':
	case ':':
		return !scan->angle && !scan->literal;
	default:
		break;
	}
	return FALSE;
}

/* Scan one character, and the one after a backslash. Returns TRUE if it ends the address. */
static gboolean scan_one(struct scan *scan, const char **at, const char *end)
{
	char c = **at;

	if (c == '\\' && (scan->quoted || scan->comments > 0) && *at + 1 < end) {
		(*at)++;
		return FALSE;
	}
	if (c == '"' && scan->comments == 0)
		scan->quoted = !scan->quoted;
	else if (scan->quoted)
		return FALSE;
	else if (c == '(')
		scan->comments++;
	else if (c == ')' && scan->comments > 0)
		scan->comments--;
	else if (scan->comments == 0)
		return scan_plain(scan, *at);
	return FALSE;
}

static gboolean is_comment(const char *text, gsize size)
{
	size = text_trim(&text, size);
	return size == 0 || text[0] == '(';
}

/* Take the address itself to pieces. */
static void split(struct address *address, const char *text, gsize size)
{
	const char *sign = memrchr(text, '@', size);
	const char *rest;
	gsize rest_size;

	address->domain = NULL;
	address->domain_size = 0;
	address->clean = FALSE;
	address->local = text;
	address->local_size = text_trim(&address->local, sign == NULL ? size : (gsize)(sign - text));
	if (sign == NULL)
		return;
	rest = sign + 1;
	rest_size = text_trim(&rest, size - (gsize)(rest - text));
	address->domain = rest;
	address->domain_size = address_domain_size(rest, rest_size);
	address->clean = is_comment(rest + address->domain_size, rest_size - address->domain_size);
}

gboolean address_next(const char **at, gsize *left, struct address *address)
{
	const char *from = *at, *here = from, *end;
	struct scan scan = { .quoted = FALSE };

	if (*left == 0)
		return FALSE;
	end = from + *left;
	while (here < end && !scan_one(&scan, &here, end))
		here++;
	address->end = '\0';
	if (here < end)
		address->end = *here;
	*at = here < end ? here + 1 : end;
	*left = (gsize)(end - *at);
	address->angle = scan.open != NULL;
	address->phrase = from;
	address->phrase_size = text_trim(&address->phrase, address->angle ? (gsize)(scan.open - from) : 0);
	if (scan.open != NULL)
		split(address, scan.open + 1,
		    (gsize)((scan.close == NULL ? here : scan.close) - scan.open - 1));
	else
		split(address, from, (gsize)(here - from));
	return TRUE;
}

char *address_first_domain(const char *value, gsize size)
{
	struct address address;

	while (address_next(&value, &size, &address)) {
		g_autofree char *clean = NULL;

		if (address.domain_size == 0)
			continue;
		clean = text_clean_line(address.domain, address.domain_size, address.domain_size);
		return text_domain_copy(clean);
	}
	return NULL;
}
