/*
 * log.h - what ruad says to its operator: to the journal when standard error is connected to it, else to standard error.
 *
 * A thin layer over GLib's structured log. Strings from mails are escaped before they get
 * here only by log_quote(). Libraries do not log; a program logs a failure once, where it decides what to do.
 */
#pragma once

#include <glib.h>

/* Environment: set, it is as if verbose were TRUE, for child programs. */
#define LOG_VERBOSE_VARIABLE "RUAD_VERBOSE"

/* Once per process: program's name for the lines ("ruad-ingest"). verbose shows debug lines too. */
void log_init(const char *program, gboolean verbose);

/* printf-like; the level is in the name. */
void log_info(const char *format, ...) G_GNUC_PRINTF(1, 2);
void log_warning(const char *format, ...) G_GNUC_PRINTF(1, 2);
void log_error(const char *format, ...) G_GNUC_PRINTF(1, 2);
void log_debug(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* value, safe to print on one line: control bytes and quotes escaped, at most 200 bytes. Transfer full. */
char *log_quote(const char *value) G_GNUC_WARN_UNUSED_RESULT;
