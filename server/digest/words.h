/*
 * words.h - the texts of the page, and numbers and days as the page writes them.
 *
 * The texts are those of web/texts/en.json; web/texts.mjs says what is in its braces. Numbers and days are
 * those of web/src/format.ts. Knows nothing of a digest.
 */
#pragma once

#include <glib.h>
#include <json-c/json.h>

/*
 * The text of a topic with its blanks filled in: numbers and times (since, until) as the page writes them,
 * other members of values as they are; a member that is missing or null is empty. Transfer full; NULL if
 * there is no such text.
 */
char *words_fill(const char *topic, const char *key, struct json_object *values) G_GNUC_WARN_UNUSED_RESULT;

/* A stranger's text: what a reader would not see becomes an escape, and what is longer than most characters
 * is cut. NULL is "". Transfer full. */
char *words_clean(const char *text, guint most) G_GNUC_WARN_UNUSED_RESULT;

/* "12,064". Transfer full. */
char *words_count(gint64 n) G_GNUC_WARN_UNUSED_RESULT;

/* "1 message", "2 messages": many is the word for any number but 1. Transfer full. */
char *words_counted(gint64 n, const char *one, const char *many) G_GNUC_WARN_UNUSED_RESULT;

/* "98.1%": 100% only if it is all, 0% only if it is none, a dash of nothing. Transfer full. */
char *words_percent(gint64 part, gint64 whole) G_GNUC_WARN_UNUSED_RESULT;

/* "20 Nov" of a day or time in ISO 8601, with the year if it is not the present one. Transfer full. */
char *words_day(const char *time) G_GNUC_WARN_UNUSED_RESULT;

/* The days of a window, whose day to is not included: "23 Nov – 29 Nov". Transfer full. */
char *words_days(const char *from, const char *to) G_GNUC_WARN_UNUSED_RESULT;
