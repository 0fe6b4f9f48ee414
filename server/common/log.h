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

/* What a line concerns, such as a mail: in the journal it is found by the name and value of each field. */
struct log_fields;

#define LOG_FIELD_VALUES 20 /* of one name; a mail can have thousands of reports */

struct log_fields *log_fields_new(void) G_GNUC_WARN_UNUSED_RESULT;
void log_fields_free(struct log_fields *fields); /* NULL is allowed */

/* Add a field. name: "RUAD_MAIL", borrowed. value: may come from outside; control characters are escaped, and
 * it is cut after 200 bytes. No effect if it is NULL or empty, if that field is there already, or if the name
 * has LOG_FIELD_VALUES values. */
void log_fields_add(struct log_fields *fields, const char *name, const char *value);

/* The first value of this name, borrowed, or NULL. */
const char *log_fields_get(const struct log_fields *fields, const char *name);

/* Remove the fields with this name. */
void log_fields_remove(struct log_fields *fields, const char *name);

/* log_info() with these fields. */
void log_info_about(const struct log_fields *fields, const char *format, ...) G_GNUC_PRINTF(2, 3);

/*
 * A warning that may come for each of many mails: of those with the same cause one line a minute is written,
 * and the next one says how many were not. May be called by several threads at once.
 */
void log_warning_paced(const char *cause, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The value made safe to print on one line: control bytes and quotes are escaped, at most 200 bytes. Transfer
 * full. */
char *log_quote(const char *value) G_GNUC_WARN_UNUSED_RESULT;
