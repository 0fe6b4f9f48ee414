/*
 * store.h - writes what was found in mails (found.h) to the database, one transaction for a batch of mails
 * (sql/ingest/).
 *
 * ruad.ingest() stores the mails and their items and decides which reports are new; then their records are
 * copied to their table, each with the id of its evaluation. Knows nothing of threads or of reconnecting. In
 * every error RUAD_ERROR_SYNTAX means that the database will never accept these rows, RUAD_ERROR_SYSTEM that
 * it may accept them later.
 */
#pragma once

#include "server/database/db.h"
#include "server/ingest/evaluations.h"
#include "server/ingest/found.h"
#include "server/ingest/pace.h"

/* Act as ruad_ingest on a new connection, or as ruad_owner to read stored mail again. */
gboolean store_open(struct db *db, gboolean again, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Bytes of mail that all transactions on db may keep together (retention.max_raw): beyond, store_write()
 * fails with RUAD_ERROR_FULL. G_MAXINT64 is no limit. */
gboolean store_limit_raw(struct db *db, gint64 most, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * A transaction with much in it must not keep small ones waiting for a name or an evaluation that it was the
 * first to use. With aside, a second connection of the same kind, those are committed on their own, before
 * the records that need them; without (NULL) they are part of the transaction. It also rests between its
 * pieces, as pace says.
 */
struct store {
	struct db *db, *aside;             /* of store_open() */
	struct evaluations *known;         /* shared by all transactions of this process */
	struct pace *pace;                 /* NULL for small transactions */
	void (*committing)(gpointer user); /* called when only COMMIT is left; NULL: nobody wants to know */
	gpointer user;
};

/*
 * Write mails[0..n), either all new or all read again, in one transaction, and set their counts. After an
 * error nothing was stored, unless *in_doubt is TRUE: then COMMIT was sent and its reply was lost. Afterwards
 * the connection is ready for the next transaction, or dead, or unusable because another version of ruad
 * migrated the database (*foreign is TRUE).
 */
gboolean store_write(const struct store *store, struct found *const *mails, guint n, gboolean *in_doubt,
    gboolean *foreign, GError **error) G_GNUC_WARN_UNUSED_RESULT;
