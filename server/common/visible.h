/*
 * visible.h - text from outside for a terminal or a log: what a reader would not see becomes an escape.
 *
 * Controls (among them ESC and C1, which begin escape sequences), marks that change the direction of text,
 * characters without a width, line separators, unassigned characters. An escape is \u200b or \U000e0001.
 * Combining marks stay. CSV and the page have the same list (sql/api/words.sql, web/src/format.ts).
 */
#pragma once

#include <glib.h>

/* Append character to text: itself, or its escape if a reader would not see it. */
void visible_append(GString *text, gunichar character);

/* text on one line: line ends and tabs are escaped, too. Invalid UTF-8 becomes U+FFFD. Transfer full. */
char *visible_text(const char *text) G_GNUC_WARN_UNUSED_RESULT;

/* The same, but line ends and tabs stay: for messages of several lines. Transfer full. */
char *visible_lines(const char *text) G_GNUC_WARN_UNUSED_RESULT;

/* json[0..size), as json-c writes it, with these characters escaped as JSON does: it has the same value, but
 * what is not UTF-8 becomes U+FFFD. Returns NULL if nothing had to be escaped. *size: that of the result.
 * Transfer full. */
char *visible_json(const char *json, gsize *size) G_GNUC_WARN_UNUSED_RESULT;
