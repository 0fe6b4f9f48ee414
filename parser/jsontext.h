/*
 * jsontext.h - a JSON text (RFC 8259) from a mail: measured, then parsed into a tree by json-c.
 *
 * json-c takes 800 bytes for each "{}", and silently keeps the last of two members with the same name, which
 * RFC 7493 section 2.3 forbids. So one pass over the text counts names, values and depth before a tree is
 * made, and the names are counted again in the tree. Knows nothing of reports.
 */
#pragma once

#include <json-c/json.h>

#include "parser/error.h"
#include "parser/limits.h"

/* JSON names and values for each of max_json_items: a failure detail with all members has 17, most have
 * 11. */
#define JSONTEXT_ITEMS 8

struct jsontext {
	char *text;        /* UTF-8 without control characters, NUL-terminated */
	gsize size;        /* bytes to the end of the first value; all if it does not end */
	const char *rest;  /* what follows that value, without white space and NUL; "" if nothing does */
	gsize bytes;       /* as received */
	gsize items;       /* names and values */
	gsize names;       /* of members */
	guint depth;       /* objects and arrays inside one another */
	gboolean utf16;    /* it was UTF-16 */
	gboolean repaired; /* invalid UTF-8 or control characters were replaced */
};

/* Called with each name of the outermost object, as it is between its quotes. */
typedef void (*jsontext_name_cb)(gpointer user, const char *name, gsize size);

/* Call once per process, before privileges are dropped: json-c reads a random seed with its first object. */
void jsontext_init(void);

/* Measure json[0..size): UTF-8 or UTF-16, with or without byte order mark. Never fails: text that is not JSON
 * is measured too. */
void jsontext_read(
    struct jsontext *text, const guint8 *json, gsize size, jsontext_name_cb name, gpointer user);
void jsontext_clear(struct jsontext *text);

/* The size of the object that begins at json[0] == '{' in UTF-8, or 0 if it does not end. */
gsize jsontext_object_size(const guint8 *json, gsize size);

/*
 * The same JSON in ASCII: other characters become \u escapes, which mean the same in strings and are equally
 * wrong elsewhere. json-c 0.18 in strict mode takes such characters for control characters. What is not
 * UTF-8, or is escaped by a backslash, stays. Transfer full.
 */
GString *jsontext_ascii(const char *json, gsize size) G_GNUC_WARN_UNUSED_RESULT;

/*
 * The tree of the first value. Transfer full (json_object_put); NULL on failure.
 *
 * RUAD_ERROR_LIMIT   more bytes, depth, names and values than limits allow; no tree was made
 * RUAD_ERROR_SYNTAX  json-c's message, or an object has a member twice
 */
struct json_object *jsontext_tree(const struct jsontext *text, const struct parser_limits *limits,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;
