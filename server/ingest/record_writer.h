/*
 * record_writer.h - the records of new reports into ruad.record, by COPY, each with the id of its evaluation.
 *
 * Evaluations that the database is not known to hold are stored first, by ruad.evaluations(). Blocks are gathered to a
 * chunk of some megabytes, so that memory does not grow with the records.
 */
#pragma once

#include "server/ingest/answer.h"
#include "server/ingest/evaluations.h"

struct record_writer;

/* Within the transaction that is open on db; ticket is that of evaluations_enter(). */
struct record_writer *record_writer_new(
    struct db *db, struct evaluations *known, guint64 ticket) G_GNUC_WARN_UNUSED_RESULT;
void record_writer_free(struct record_writer *writer); /* NULL is allowed */

/* Add a block (transfer full) of a report, which must outlive the writer; and write what is left at the end. Errors are those of db.h. */
gboolean record_writer_add(struct record_writer *writer, struct block *block, const struct new_report *report,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean record_writer_end(struct record_writer *writer, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The transaction was committed: the ids that were learned hold for those to come. */
void record_writer_publish(const struct record_writer *writer);
