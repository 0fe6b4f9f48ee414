/*
 * records.h - the records of a mail's aggregate reports, in compact form until the database has decided which
 * reports are new.
 *
 * Only address and count differ in every record; the rest, its evaluation, repeats and is stored once in each
 * block. A block has records of one report, about 256 KiB, with their evaluations, so that it can be written
 * alone: neither many records nor many different evaluations need memory, only space in an unnamed file
 * (spool.h).
 */
#pragma once

#include "parser/report.h"
#include "server/ingest/evaluations.h"

struct records;

/* folder is that of spool_new(). */
struct records *records_new(const char *folder);
void records_free(struct records *records); /* NULL is allowed */

/* Remove everything. */
void records_clear(struct records *records);

/*
 * Add a record of a report; the records of a report are added together, and reports in ascending order.
 *
 * RUAD_ERROR_SYNTAX  source_ip is not an address
 * RUAD_ERROR_SYSTEM  the temporary folder is full or missing
 */
gboolean records_add(struct records *records, guint report, const struct aggregate_record *record,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Call it after the last record. RUAD_ERROR_SYSTEM as above. */
gboolean records_end(struct records *records, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The number of records, and of bytes of their blocks, and whether these are in a file. */
guint64 records_count(const struct records *records);
guint64 records_size(const struct records *records);
gboolean records_in_file(const struct records *records);

struct block_record {
	gint64 count;        /* messages, -1 if unknown */
	guint32 evaluation;  /* index among those of the block */
	guint8 address_size; /* bytes: 0 if unknown, 4 or 16 */
	guint8 address[16];  /* in network byte order */
};

struct block_evaluation {
	guint8 hash[EVALUATION_HASH]; /* of all its values */
	const char *fields; /* of ruad.new_evaluation after domain_id and day, as of literal.h; borrowed */
	gsize size;
};

/* A block that was read back. */
struct block {
	guint report;
	gint32 first_no; /* of its first record, from 1 in its report */
	guint n_evaluations;
	guint n_records;
	struct block_evaluation *evaluations;
	struct block_record *records;
	char *text; /* evaluations point into it */
};

void block_free(struct block *block);

/* Read the block at *at, which is 0 at first, and advance *at. *block, transfer full, is NULL after the last
 * one. */
gboolean records_next(const struct records *records, guint64 *at, struct block **block,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;
