#include "server/web/query.h"

#include <string.h>

#include "parser/error.h"

static void pair_free(gpointer data)
{
	struct query_pair *pair = data;

	g_free(pair->name);
	g_free(pair->value);
	g_free(pair);
}

/*
 * Percent-decode text[0..size); plus means that '+' is a space (forms). what names the text in errors.
 */
static char *decode(const char *text, gsize size, gboolean plus, const char *what, GError **error)
{
	g_autofree char *plain = g_malloc(size + 1);
	gsize n = 0;

	for (gsize i = 0; i < size; i++) {
		char byte = text[i];

		if (byte == '%') {
			int high = size - i > 2 ? g_ascii_xdigit_value(text[i + 1]) : -1;
			int low = size - i > 2 ? g_ascii_xdigit_value(text[i + 2]) : -1;

			if (high < 0 || low < 0 || high + low == 0) {
				g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
				    "%s: '%%' must be followed by two hex digits that are not 00 (RFC 3986 "
				    "section 2.1)",
				    what);
				return NULL;
			}
			byte = (char)(high << 4 | low);
			i += 2;
		} else if (byte == '+' && plus) {
			byte = ' ';
		}
		plain[n++] = byte;
	}
	plain[n] = '\0';
	if (!g_utf8_validate(plain, (gssize)n, NULL)) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "%s: not UTF-8", what);
		return NULL;
	}
	return g_steal_pointer(&plain);
}

/* An encoded '/' would make two paths look the same, so it is an error. */
static char *decode_path(const char *text, gsize size, GError **error)
{
	for (gsize i = 0; i + 2 < size; i++) {
		if (g_ascii_strncasecmp(text + i, "%2f", 3) == 0) {
			g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "path: \"%%2F\" is not allowed");
			return NULL;
		}
	}
	return decode(text, size, FALSE, "path", error);
}

static struct query_pair *pair_parse(const char *text, gsize size, GError **error)
{
	const char *equals = memchr(text, '=', size);
	gsize name_size = equals != NULL ? (gsize)(equals - text) : size;
	gsize rest = equals != NULL ? name_size + 1 : size;
	g_autofree char *name = decode(text, name_size, TRUE, "a parameter's name", error);
	g_autofree char *value = NULL;
	struct query_pair *pair;

	if (name == NULL)
		return NULL;
	value = decode(text + rest, size - rest, TRUE, "a parameter's value", error);
	if (value == NULL)
		return NULL;
	pair = g_new(struct query_pair, 1);
	pair->name = g_steal_pointer(&name);
	pair->value = g_steal_pointer(&value);
	return pair;
}

static gboolean pairs_parse(GPtrArray *pairs, const char *text, GError **error)
{
	while (*text != '\0') {
		gsize size = strcspn(text, "&");

		if (size > 0) {
			struct query_pair *pair;

			if (pairs->len == QUERY_PAIRS_MAX) {
				g_set_error(error, RUAD_ERROR, RUAD_ERROR_LIMIT, "more than %d parameters",
				    QUERY_PAIRS_MAX);
				return FALSE;
			}
			pair = pair_parse(text, size, error);
			if (pair == NULL)
				return FALSE;
			g_ptr_array_add(pairs, pair);
		}
		text += size;
		text += *text == '&';
	}
	return TRUE;
}

/* The position of the path in target: the absolute form is for proxies, but servers must accept it (RFC 9112
 * section 3.2.2). */
static const char *path_start(const char *target)
{
	static const char *const schemes[] = { "http://", "https://" };

	for (gsize i = 0; i < G_N_ELEMENTS(schemes); i++)
		if (g_ascii_strncasecmp(target, schemes[i], strlen(schemes[i])) == 0) {
			target += strlen(schemes[i]);
			target += strcspn(target, "/?");
			break;
		}
	return target;
}

static gboolean target_parse(struct query *query, const char *target, GError **error)
{
	const char *path = path_start(target);
	gsize size = strcspn(path, "?");

	query->path = size == 0 && path != target ? g_strdup("/") : decode_path(path, size, error);
	if (query->path == NULL)
		return FALSE;
	if (query->path[0] != '/') {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "path: must begin with '/'");
		return FALSE;
	}
	return path[size] == '\0' || pairs_parse(query->pairs, path + size + 1, error);
}

struct query *query_parse(const char *target, GError **error)
{
	struct query *query = g_new0(struct query, 1);

	query->pairs = g_ptr_array_new_with_free_func(pair_free);
	if (!target_parse(query, target, error)) {
		query_free(query);
		return NULL;
	}
	return query;
}

void query_free(struct query *query)
{
	if (query == NULL)
		return;
	g_free(query->path);
	g_ptr_array_unref(query->pairs);
	g_free(query);
}
