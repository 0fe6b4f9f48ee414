/*
 * binary.h - rows of ruad.record for COPY in binary form (PostgreSQL manual, COPY, "Binary Format").
 *
 * In binary form the database does not have to parse a time, a date and an address for each row.
 */
#pragma once

#include <glib.h>

/* The columns, in the order of a row. */
#define BINARY_RECORD_COLUMNS                                                                                \
	"begin, report, count, evaluation, day, domain_id, reporter_id, record_no, source_ip"

struct binary_record {
	gint64 begin; /* seconds since 1970 */
	gint64 report;
	gint64 count; /* -1 is NULL */
	gint64 evaluation;
	gint32 day; /* of binary_day() */
	gint32 domain_id;
	gint32 reporter_id; /* NULL unless has_reporter */
	gboolean has_reporter;
	gint32 record_no;
	guint8 address_size;   /* bytes: 4, 16, or 0 for NULL */
	const guint8 *address; /* in network byte order */
};

/* A date as PostgreSQL counts it: days since 2000-01-01 in the Gregorian calendar. */
gint32 binary_day(int year, int month, int day);

/* The bytes before the first row, of a row, and after the last row. */
void binary_begin(GString *out);
void binary_record(GString *out, const struct binary_record *record);
void binary_end(GString *out);
