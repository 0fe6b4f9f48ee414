/*
 * store.h - what was found in mails (found.h) into the database, one transaction for a batch of mails (sql/ingest/).
 *
 * ruad.ingest() takes the mails and what is in them and says which reports are new; then the records of these go where they
 * stay by COPY, each with the id of its evaluation. Knows nothing of threads or of when to connect again. In every error
 * RUAD_ERROR_SYNTAX means that the database will never take these rows, RUAD_ERROR_SYSTEM that it may take them later.
 */
#pragma once

#include "server/database/db.h"
#include "server/ingest/evaluations.h"
#include "server/ingest/found.h"

/* Act as ruad_ingest on a new connection, or to read stored mails again as ruad_owner. */
gboolean store_open(struct db *db, gboolean again, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Write mails[0..n), all new or all read again, in one transaction, and set their counts. After an error nothing was stored, unless
 * *in_doubt is TRUE: then COMMIT was sent and its answer lost. The connection is fit for the next transaction, or dead, or
 * of no more use because the database was migrated by another version of ruad (*foreign is TRUE).
 */
gboolean store_write(struct db *db, struct evaluations *known, struct found *const *mails, guint n,
    gboolean *in_doubt, gboolean *foreign, GError **error) G_GNUC_WARN_UNUSED_RESULT;
