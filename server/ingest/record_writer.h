/*
 * record_writer.h - writes the records of new reports to ruad.record, by COPY, each with the id of its
 * evaluation.
 *
 * Evaluations that may not be in the database are stored first, by ruad.evaluations(). Blocks are collected
 * to a chunk of a megabyte, so that memory does not grow with the number of records.
 */
#pragma once

#include "server/ingest/answer.h"
#include "server/ingest/evaluations.h"
#include "server/ingest/pace.h"

struct record_writer;

/* A writer for the transaction that is open on db; ticket is that of evaluations_enter(). Evaluations are
 * stored over aside, which is db or another connection. pace, if it is not NULL, says when: statements are
 * then short pieces of it. */
struct record_writer *record_writer_new(struct db *db, struct db *aside, struct evaluations *known,
    guint64 ticket, struct pace *pace) G_GNUC_WARN_UNUSED_RESULT;
void record_writer_free(struct record_writer *writer); /* NULL is allowed */

/* Add a block (transfer full) of a report, which must outlive the writer; at the end write what is left.
 * Errors are those of db.h. */
gboolean record_writer_add(struct record_writer *writer, struct block *block, const struct new_report *report,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean record_writer_end(struct record_writer *writer, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Call it after the commit: the learned ids are then used by later transactions. */
void record_writer_publish(const struct record_writer *writer);
