/*
 * jsontext.h - a JSON text (RFC 8259) as mail brings it, measured and then made a tree by json-c.
 *
 * json-c takes 800 bytes for each "{}" and, of two members with one name, the last without a word (RFC 7493 section
 * 2.3 forbids such). So one pass over the text counts names, values and depth before a tree is made, and the names
 * are counted again in the tree. Knows nothing of reports.
 */
#pragma once

#include <json-c/json.h>

#include "parser/error.h"
#include "parser/limits.h"

/* JSON names and values for each of max_json_items: a failure detail with all its members has 17, most have 11. */
#define JSONTEXT_ITEMS 8

struct jsontext {
	char *text;        /* UTF-8 without control characters, NUL-terminated */
	gsize size;        /* bytes of it to the end of the first value; all, where that does not end */
	const char *rest;  /* what stands behind that value but white space and NUL: "" when nothing does */
	gsize bytes;       /* as they came */
	gsize items;       /* names and values */
	gsize names;       /* of members */
	guint depth;       /* objects and arrays inside one another */
	gboolean utf16;    /* it was */
	gboolean repaired; /* bytes that are no UTF-8, or control characters, were replaced */
};

/* Each name of the outermost object, as it stands between its quotes. */
typedef void (*jsontext_name_cb)(gpointer user, const char *name, gsize size);

/* Once per process, before rights are given up: json-c draws the seed of its hashes with its first object. */
void jsontext_init(void);

/* Measure json[0..size): UTF-8 or UTF-16, with or without byte order mark. Never fails: what is no JSON has some
 * measure, too. */
void jsontext_read(
    struct jsontext *text, const guint8 *json, gsize size, jsontext_name_cb name, gpointer user);
void jsontext_clear(struct jsontext *text);

/*
 * The same JSON in ASCII: characters beyond it as \u escapes, which mean the same in strings, and are as wrong elsewhere.
 * json-c 0.18, when strict, takes such characters themselves for control characters. What is not UTF-8, or follows a
 * backslash that escapes it, stays as it is. Transfer full.
 */
GString *jsontext_ascii(const char *json, gsize size) G_GNUC_WARN_UNUSED_RESULT;

/*
 * The tree of the first value. Transfer full (json_object_put); NULL on failure.
 *
 * RUAD_ERROR_LIMIT   more bytes, depth, names and values than limits allow; no tree was made
 * RUAD_ERROR_SYNTAX  json-c's words, or the name of a member twice in one object
 */
struct json_object *jsontext_tree(const struct jsontext *text, const struct parser_limits *limits,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;
