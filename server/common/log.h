/*
 * log.h - messages for the operator: to the journal if standard error is connected to it, else to standard
 * error.
 *
 * A thin layer over GLib's structured log. Callers must escape strings from mails with log_quote(). Libraries
 * do not log; a program logs a failure once, where it decides what to do.
 */
#pragma once

#include <glib.h>

/* Environment variable for child programs: if it is set, verbose is TRUE. */
#define LOG_VERBOSE_VARIABLE "RUAD_VERBOSE"

/* Call it once per process: program is the name in the lines ("ruad-ingest"). verbose logs debug lines
 * too. */
void log_init(const char *program, gboolean verbose);

/* printf-like; the name of the function is the level. */
void log_info(const char *format, ...) G_GNUC_PRINTF(1, 2);
void log_warning(const char *format, ...) G_GNUC_PRINTF(1, 2);
void log_error(const char *format, ...) G_GNUC_PRINTF(1, 2);
void log_debug(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* log_info() of a line that concerns some things, such as mails: in the journal it is found by key
 * ("RUAD_MAIL") and each of values (NULL-terminated), which are our own. */
void log_info_about(const char *key, const char *const *values, const char *format, ...) G_GNUC_PRINTF(3, 4);

/*
 * A warning that may come for each of many mails: of those with the same cause one line a minute is written,
 * and the next one says how many were not. May be called by several threads at once.
 */
void log_warning_paced(const char *cause, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The value made safe to print on one line: control bytes and quotes are escaped, at most 200 bytes. Transfer
 * full. */
char *log_quote(const char *value) G_GNUC_WARN_UNUSED_RESULT;
