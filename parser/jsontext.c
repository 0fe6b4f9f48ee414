#include "parser/jsontext.h"

#include "parser/kind.h"
#include "parser/text.h"

#include <string.h>

#define REPLACEMENT 0xfffd

void jsontext_init(void)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "seed", json_object_new_int(1));
	json_object_put(object);
}

/* -- encodings -- */

enum encoding { UTF_8, UTF_16LE, UTF_16BE };

/* By the byte order mark or, without one, by where the zero of the first '{' is. */
static enum encoding encoding_of(const guint8 *json, gsize size)
{
	if (size < 2)
		return UTF_8;
	if ((json[0] == 0xff && json[1] == 0xfe) || (json[0] != 0 && json[1] == 0))
		return UTF_16LE;
	if ((json[0] == 0xfe && json[1] == 0xff) || (json[0] == 0 && json[1] != 0))
		return UTF_16BE;
	return UTF_8;
}

static gunichar utf16_unit(const guint8 *at, enum encoding encoding)
{
	return encoding == UTF_16LE ? (gunichar)(at[1] << 8 | at[0]) : (gunichar)(at[0] << 8 | at[1]);
}

static gboolean is_surrogate(gunichar unit, gunichar first)
{
	return unit >= first && unit < first + 0x400;
}

/* Half of a pair alone becomes U+FFFD, as does an odd byte at the end unless it is 0. */
static GString *from_utf16(const guint8 *json, gsize size, enum encoding encoding)
{
	GString *out = g_string_sized_new(size / 2 + 1);
	gsize at = 0;

	for (; at + 1 < size; at += 2) {
		gunichar c = utf16_unit(json + at, encoding), low = 0;

		if (is_surrogate(c, 0xd800) && at + 3 < size)
			low = utf16_unit(json + at + 2, encoding);
		if (is_surrogate(low, 0xdc00)) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			at += 2;
		}
		if (at > 1 || c != 0xfeff)
			g_string_append_unichar(out, c >= 0xd800 && c < 0xe000 ? REPLACEMENT : c);
	}
	if (at < size && json[at] != 0)
		g_string_append_unichar(out, REPLACEMENT);
	return out;
}

/* The text in UTF-8, without byte order mark and without white space and NUL at its ends; repaired where it
 * must be. */
static void take(struct jsontext *text, const guint8 *json, gsize size)
{
	enum encoding encoding = encoding_of(json, size);
	g_autoptr(GString) converted = encoding == UTF_8 ? NULL : from_utf16(json, size, encoding);
	const char *at = converted != NULL ? converted->str : size == 0 ? "" : (const char *)json;
	gsize left = converted == NULL ? size : converted->len;
	gsize blank = kind_blank((const guint8 *)at, left);

	at += blank;
	left -= blank;
	while (left > 0 && (at[left - 1] == '\0' || text_is_space(at[left - 1])))
		left--;
	text->bytes = size;
	text->utf16 = converted != NULL;
	text->repaired = !text_is_clean(at, left);
	text->text = text->repaired ? text_clean(at, left, 3 * left) : g_strndup(at, left);
	text->size = strlen(text->text);
	text->rest = text->text + text->size;
}

/* -- measure -- */

struct scan {
	struct jsontext *text;
	guint depth; /* now */
	jsontext_name_cb name;
	gpointer user;
};

/* The string that begins at its quote: the first byte behind it. White space other than blanks, which JSON
 * has escapes for and versions of json-c treat differently, becomes blanks. */
static char *pass_string(struct jsontext *text, char *at)
{
	for (at++; *at != '\0' && *at != '"'; at++) {
		if (*at == '\\' && at[1] != '\0')
			at++;
		if (text_is_space(*at) && *at != ' ') {
			*at = ' ';
			text->repaired = TRUE;
		}
	}
	return *at == '"' ? at + 1 : at;
}

static char *pass_blanks(char *at)
{
	while (text_is_space(*at))
		at++;
	return at;
}

/* A name is a string before a colon. */
static char *scan_string(struct scan *scan, char *at)
{
	char *end = pass_string(scan->text, at), *next = pass_blanks(end);

	scan->text->items++;
	if (*next != ':')
		return end;
	scan->text->names++;
	if (scan->depth == 1 && scan->name != NULL)
		scan->name(scan->user, at + 1, (gsize)(end - at) - 2);
	return next + 1;
}

static char *scan_open(struct scan *scan, char *at)
{
	scan->text->items++;
	scan->depth++;
	scan->text->depth = MAX(scan->text->depth, scan->depth);
	return at + 1;
}

/* NULL: the first value ends here. */
static char *scan_token(struct scan *scan, char *at)
{
	switch (*at) {
	case '"':
		return scan_string(scan, at);
	case '{':
	case '[':
		return scan_open(scan, at);
	case '}':
	case ']':
		return scan->depth == 0 || --scan->depth == 0 ? NULL : at + 1;
	case ',':
		return at + 1;
	default:
		scan->text->items++;
		return at + MAX(strcspn(at, "\"{}[], \t\r\n"), 1);
	}
}

gsize jsontext_object_size(const guint8 *json, gsize size)
{
	gboolean in_string = FALSE;
	gsize depth = 0;

	for (gsize at = 0; at < size; at++) {
		if (in_string && json[at] == '\\')
			at++;
		else if (json[at] == '"')
			in_string = !in_string;
		else if (!in_string && (json[at] == '{' || json[at] == '['))
			depth++;
		else if (!in_string && (json[at] == '}' || json[at] == ']') && --depth == 0)
			return at + 1;
	}
	return 0;
}

void jsontext_read(
    struct jsontext *text, const guint8 *json, gsize size, jsontext_name_cb name, gpointer user)
{
	struct scan scan = { .text = text, .name = name, .user = user };
	char *at, *next;

	*text = (struct jsontext){ 0 };
	take(text, json, size);
	for (at = text->text; *at != '\0'; at = pass_blanks(next)) {
		next = scan_token(&scan, at);
		if (next == NULL) {
			text->size = (gsize)(at + 1 - text->text);
			text->rest = pass_blanks(at + 1);
			return;
		}
	}
}

void jsontext_clear(struct jsontext *text)
{
	g_clear_pointer(&text->text, g_free);
}

/* -- tree -- */

static gboolean check_size(const struct jsontext *text, const struct parser_limits *limits, GError **error)
{
	gsize max_items = JSONTEXT_ITEMS * (gsize)limits->max_json_items;

	if (text->bytes > limits->max_json)
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_LIMIT,
		    "more than %" G_GSIZE_FORMAT " bytes of JSON", limits->max_json);
	else if (text->depth > limits->max_json_depth)
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_LIMIT,
		    "JSON of more than %u values inside one another", limits->max_json_depth);
	else if (text->items > max_items)
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_LIMIT,
		    "JSON of more than %" G_GSIZE_FORMAT " names and values", max_items);
	else
		return TRUE;
	return FALSE;
}

/* Adds the character of json[0..size) to out as jsontext_ascii() says; its bytes. escaped: a backslash stands
 * before it. */
static gsize add_ascii(GString *out, const char *json, gsize size, gboolean *escaped)
{
	gunichar c = g_utf8_get_char_validated(json, (gssize)size);
	gsize bytes = c < 0x80 || c > 0x10ffff ? 1 : (gsize)g_unichar_to_utf8(c, NULL);

	if (bytes == 1 || *escaped)
		g_string_append_len(out, json, (gssize)bytes);
	else if (c < 0x10000)
		g_string_append_printf(out, "\\u%04x", c);
	else /* a surrogate pair (RFC 8259 section 7) */
		g_string_append_printf(out, "\\u%04x\\u%04x", 0xd7c0 + (c >> 10), 0xdc00 + (c & 0x3ff));
	*escaped = *json == '\\' && !*escaped;
	return bytes;
}

/* Adds json[0..size) until out has that many bytes, or all of it; how far it came. */
static gsize add_ascii_until(GString *out, const char *json, gsize size, gsize bytes)
{
	gboolean escaped = FALSE;
	gsize at = 0;

	while (at < size && out->len < bytes)
		at += add_ascii(out, json + at, size - at, &escaped);
	return at;
}

GString *jsontext_ascii(const char *json, gsize size)
{
	GString *out = g_string_sized_new(size);

	add_ascii_until(out, json, size, G_MAXSIZE);
	return out;
}

/* Where in json that byte of jsontext_ascii() comes from. */
static gsize place_of(const char *json, gsize size, gsize byte)
{
	g_autoptr(GString) out = g_string_new(NULL);

	return add_ascii_until(out, json, size, byte);
}

static struct json_object *make_tree(
    const struct jsontext *text, const struct parser_limits *limits, GError **error)
{
	g_autoptr(GString) ascii = jsontext_ascii(text->text, text->size);
	/* json-c stops one or two before its depth: ours is what counts */
	struct json_tokener *tokener = json_tokener_new_ex((int)limits->max_json_depth + 2);
	struct json_object *tree;
	enum json_tokener_error fault;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	tree = json_tokener_parse_ex(tokener, ascii->str, (int)ascii->len);
	fault = json_tokener_get_error(tokener);
	if (fault == json_tokener_continue)
		fault = json_tokener_error_parse_eof;
	if (tree == NULL)
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "byte %" G_GSIZE_FORMAT ": %s",
		    place_of(text->text, text->size, json_tokener_get_parse_end(tokener)),
		    json_tokener_error_desc(fault));
	json_tokener_free(tokener);
	return tree;
}

/* Members of all objects; calls itself no deeper than max_json_depth. */
static gsize count_names(struct json_object *value)
{
	gsize names = 0;

	if (json_object_is_type(value, json_type_object)) {
		struct json_object_iterator at = json_object_iter_begin(value),
					    end = json_object_iter_end(value);

		names = (gsize)json_object_object_length(value);
		for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
			names += count_names(json_object_iter_peek_value(&at));
	} else if (json_object_is_type(value, json_type_array)) {
		for (gsize i = 0; i < json_object_array_length(value); i++)
			names += count_names(json_object_array_get_idx(value, i));
	}
	return names;
}

struct json_object *jsontext_tree(
    const struct jsontext *text, const struct parser_limits *limits, GError **error)
{
	struct json_object *tree;

	if (!check_size(text, limits, error))
		return NULL;
	tree = make_tree(text, limits, error);
	if (tree != NULL && count_names(tree) != text->names) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
		    "an object has two members of one name (RFC 7493 section 2.3)");
		g_clear_pointer(&tree, json_object_put);
	}
	return tree;
}
