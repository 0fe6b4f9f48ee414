/*
 * json_printer.h - a report sink that prints what a document contains as JSON lines (json.h).
 *
 * A line has "kind", "file" and "place", then the report. After its own members an aggregate report has what
 * the parser found: "notes", "version", "xmlns", "partial", "records" and "sha256" (of the XML); the others
 * have "sha256" and "notes". If the local MTA judged the mail (lmtp.authserv_id), "authentic" is "pass" or
 * "fail". Records are spooled until the header is known, so memory does not grow with their number.
 */
#pragma once

#include <stdio.h>

#include "parser/report.h"

struct json_printer;

/* A printer to out (borrowed); file names the document in every line, or is NULL. Write errors are
 * RUAD_ERROR_SYSTEM. */
struct json_printer *json_printer_new(FILE *out, const char *file) G_GNUC_WARN_UNUSED_RESULT;
void json_printer_free(struct json_printer *printer); /* NULL is allowed */

/* The sink, with the printer as user. */
const struct report_sink *json_printer_sink(void);

/* The number of lines with "unreadable" so far. */
guint json_printer_unreadables(const struct json_printer *printer);
