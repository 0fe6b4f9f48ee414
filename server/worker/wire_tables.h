/*
 * wire_tables.h - the structures of report.h that travel, in the order of their members; private to the
 * wire*.c files.
 *
 * A member that is added to report.h needs its row in wire_tables.c, unless it is in one of the lists of
 * members of report.h, and nothing else on the way from the parser to its parent.
 */
#pragma once

#include "server/worker/wire_fields.h"

extern const struct wire_type wire_mail_header;      /* struct mail_header */
extern const struct wire_type wire_aggregate_record; /* struct aggregate_record */
extern const struct wire_type wire_aggregate_header; /* struct aggregate_header */
extern const struct wire_type wire_failure_report;   /* struct failure_report */
extern const struct wire_type wire_tls_report;       /* struct tls_report */
extern const struct wire_type wire_unreadable;       /* struct unreadable */
