/*
 * json_writer.h - JSON as text, written value by value without a tree: on one line, without spaces (RFC
 * 8259).
 *
 * Each function appends to json, and separates the value from what precedes it. In an object json_name()
 * precedes each value, or a function that writes both. Texts are UTF-8 and are written as they are, except
 * for quotes, backslashes and characters below U+0020. A slash is not escaped.
 */
#pragma once

#include <glib.h>

/* Begin or end an object ('{', '}') or an array ('[', ']'). */
void json_begin(GString *json, char bracket);
void json_end(GString *json, char bracket);

/* The name of the next value. */
void json_name(GString *json, const char *name);

/* A value; a text of NULL is null. */
void json_text(GString *json, const char *value);
void json_number(GString *json, gint64 value);

/* A member of an object. */
void json_text_member(GString *json, const char *name, const char *value);
void json_number_member(GString *json, const char *name, gint64 value);
void json_boolean_member(GString *json, const char *name, gboolean value);
