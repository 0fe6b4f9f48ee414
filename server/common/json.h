/*
 * json.h - reports as canonical JSON (DESIGN section 3), one document a line.
 *
 * A line of a mail that our own MTA judged (lmtp.authserv_id) says so: "authentic" is "pass" or "fail".
 *
 * Keys are the names of the XML, or of the fields and members of the other reports in snake_case. What was absent
 * is null, lists are always there. Behind an aggregate report's own keys stand what the parser found out: "notes",
 * "version", "xmlns", "partial", "records" and "sha256" (of the XML); behind another's, "sha256" and "notes". Records
 * are spooled until the header is known, so memory does not grow with their number.
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

/* Parts of a record or header, transfer full; arrays even when empty. They become columns, too (sql/README.md). */
struct json_object *json_reason(const struct aggregate_record *record);
struct json_object *json_auth_results(const struct aggregate_record *record); /* {"dkim":[...],"spf":[...]} */
struct json_object *json_notes(const struct report_note *note, gsize n);
struct json_object *json_strings(const char *const *strings, gsize n);
struct json_object *json_record(const struct aggregate_record *record);

/* A failure or TLS report as the column content has it: without kind, place, sha256 and notes. Transfer full. */
struct json_object *json_failure(const struct failure_report *failure);
struct json_object *json_tls(const struct tls_report *tls);

/* "failure" for what RFC 6591 or RFC 9991 calls one, or does not say; "feedback" for another kind of RFC 5965. */
const char *json_failure_kind(const struct failure_report *failure);

/* "none", "pass" or "fail". */
const char *json_authentic(enum authentic authentic);

/* Its text on one line, without blanks; borrowed from the object. */
const char *json_text(struct json_object *object, gsize *size);
