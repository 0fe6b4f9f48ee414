/*
 * records.h - the records of a mail's aggregate reports, kept compact until the database has said which reports are new.
 *
 * Of a record its address and count are its own; the rest, its evaluation, repeats, and is kept once in each block. A block
 * has records of one report, some 256 KiB of them, and their evaluations, so that it can be written alone: neither many
 * records nor many different evaluations take memory, only space in a file without a name (spool.h).
 */
#pragma once

#include "parser/report.h"
#include "server/ingest/evaluations.h"

struct records;

/* folder is that of spool_new(). */
struct records *records_new(const char *folder);
void records_free(struct records *records); /* NULL is allowed */

/* Forget everything. */
void records_clear(struct records *records);

/*
 * Add a record of a report; records of a report follow one another, and so do the numbers of reports.
 *
 * RUAD_ERROR_SYNTAX  source_ip is not an address
 * RUAD_ERROR_SYSTEM  the temporary folder is full or away
 */
gboolean records_add(struct records *records, guint report, const struct aggregate_record *record,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* No more records come. RUAD_ERROR_SYSTEM as above. */
gboolean records_end(struct records *records, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Bytes of the blocks, and whether they outgrew memory. */
guint64 records_size(const struct records *records);
gboolean records_in_file(const struct records *records);

struct block_record {
	gint64 count;        /* messages, -1 when unknown */
	guint32 evaluation;  /* index among those of the block */
	guint8 address_size; /* bytes: 0 when unknown, 4 or 16 */
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
	char *text; /* that evaluations point to */
};

void block_free(struct block *block);

/* Read the block that begins at *at, which is 0 at first, and move *at behind it. *block, transfer full, is NULL after the last one. */
gboolean records_next(const struct records *records, guint64 *at, struct block **block,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;
