/*
 * json.h - reports and their parts as canonical JSON: what ruad parse prints and the database stores.
 *
 * Keys are the names of the XML elements, or of the fields and members of the other reports in snake_case.
 * Absent values are null; lists are always present, even if empty. Each function appends to json, as those of
 * json_writer.h do.
 */
#pragma once

#include "parser/report.h"
#include "server/common/json_writer.h"

/* Values: parts of a record or header, some of which are columns (sql/README.md). */
void json_reasons(GString *json, const struct aggregate_record *record);
void json_auth_results(GString *json, const struct aggregate_record *record); /* {"dkim":[...],"spf":[...]} */
void json_notes(GString *json, const struct report_note *note, gsize n);
void json_strings(GString *json, const char *const *strings, gsize n);
void json_record(GString *json, const struct aggregate_record *record);

/* Members: a report without its kind, place, sha256 and notes, and for an aggregate report without its
 * records and what the parser found. The objects of the other two are the column content. */
void json_aggregate_members(GString *json, const struct aggregate_header *header);
void json_failure_members(GString *json, const struct failure_report *failure);
void json_tls_members(GString *json, const struct tls_report *tls);

/* The member "sha256", in hexadecimal digits. */
void json_sha256_member(GString *json, const guint8 sha256[32]);

/* "failure" if the type is auth-failure (RFC 6591, RFC 9991) or missing; "feedback" for other types of RFC
 * 5965. */
const char *json_failure_kind(const struct failure_report *failure);

/* "none", "pass" or "fail". */
const char *json_authentic(enum authentic authentic);
