/*
 * json.h - reports as canonical JSON (DESIGN section 3), one document a line.
 *
 * Keys are the names of the XML. What was absent is null, lists are always there. Behind the report's own
 * keys stand what the parser found out: "version", "xmlns", "records" and "sha256" (of the XML). Records are
 * spooled until the header is known, so memory does not grow with their number.
 */
#pragma once

#include <json-c/json.h>
#include <stdio.h>

#include "parser/report.h"

struct json_printer;

/* A printer onto out (borrowed); file names the document in every line, or NULL. Failures to write are
 * RUAD_ERROR_SYSTEM. */
struct json_printer *json_printer_new(FILE *out, const char *file) G_GNUC_WARN_UNUSED_RESULT;
void json_printer_free(struct json_printer *printer); /* NULL is allowed */

/* The sink, with the printer as user. */
const struct report_sink *json_printer_sink(void);

/* How many lines said "unreadable" so far. */
guint json_printer_unreadables(const struct json_printer *printer);

/* Parts of a record or header, transfer full; arrays even when empty. They become columns, too (sql/STAGING.md). */
struct json_object *json_reason(const struct aggregate_record *record);
struct json_object *json_auth_results(const struct aggregate_record *record); /* {"dkim":[...],"spf":[...]} */
struct json_object *json_notes(const struct report_note *note, gsize n);
struct json_object *json_strings(const char *const *strings, gsize n);
struct json_object *json_record(const struct aggregate_record *record);

/* Its text on one line, without blanks; borrowed from the object. */
const char *json_text(struct json_object *object, gsize *size);
