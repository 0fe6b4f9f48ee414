/*
 * postgres_words.h - what PostgreSQL's programs say, as one line for a message of ours.
 *
 * Knows the form of their lines; runs nothing.
 */
#pragma once

#include <glib.h>

/* The messages in the log lines of a server whose log_line_prefix is prefix, without prefix and level,
 * joined by "; ". Transfer full; "" if there are none. */
char *postgres_words_messages(const char *log, const char *prefix) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Why a program such as initdb failed: the lines that are errors. Its last line only says what it cleans up
 * afterwards. If no line is an error: the last one. Transfer full.
 */
char *postgres_words_cause(const char *words) G_GNUC_WARN_UNUSED_RESULT;
