/*
 * json.h - prints reports as canonical JSON, one document per line.
 *
 * Keys are the names of the XML elements, or of the fields and members of the other reports in snake_case.
 * Absent values are null; lists are always present. After its own keys an aggregate report has what the
 * parser found: "notes", "version", "xmlns", "partial", "records" and "sha256" (of the XML); the others have
 * "sha256" and "notes". If the local MTA judged the mail (lmtp.authserv_id), "authentic" is "pass" or "fail".
 * Records are spooled until the header is known, so memory does not grow with their number.
 */
#pragma once

#include <json-c/json.h>
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

/* Parts of a record or header, transfer full; arrays even if empty. They are also stored in columns
 * (sql/README.md). */
struct json_object *json_reason(const struct aggregate_record *record);
struct json_object *json_auth_results(const struct aggregate_record *record); /* {"dkim":[...],"spf":[...]} */
struct json_object *json_notes(const struct report_note *note, gsize n);
struct json_object *json_strings(const char *const *strings, gsize n);
struct json_object *json_record(const struct aggregate_record *record);

/* A failure or TLS report as the column content stores it: without kind, place, sha256 and notes. Transfer
 * full. */
struct json_object *json_failure(const struct failure_report *failure);
struct json_object *json_tls(const struct tls_report *tls);

/* "failure" if the type is auth-failure (RFC 6591, RFC 9991) or missing; "feedback" for other types of RFC
 * 5965. */
const char *json_failure_kind(const struct failure_report *failure);

/* "none", "pass" or "fail". */
const char *json_authentic(enum authentic authentic);

/* The object as text on one line, without spaces; borrowed from the object. */
const char *json_text(struct json_object *object, gsize *size);
