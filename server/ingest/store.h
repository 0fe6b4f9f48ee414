/*
 * store.h - what was found in mails as rows in the database (sql/STAGING.md).
 *
 * A struct store_mail collects the rows of one mail as text for COPY, by way of its report_sink; then a batch
 * of them is written in one transaction, or a single large one is streamed. Knows nothing of threads or of
 * when to connect again. In every error RUAD_ERROR_SYNTAX means that the database will never take these rows,
 * RUAD_ERROR_SYSTEM that it may take them later.
 */
#pragma once

#include "server/common/db.h"
#include "server/ingest/intake.h"

struct store_mail;

/* Called when more than INTAKE_SMALL bytes of rows wait; takes them by store_stream_put(). An error ends the
 * parse. */
typedef gboolean (*store_spill_cb)(gpointer user, struct store_mail *mail, GError **error);

/* The rows of document; all is borrowed until store_mail_free(). Of options, what is asked of authenticity counts. */
struct store_mail *store_mail_new(const struct intake_options *options, const struct envelope *envelope,
    const guint8 *document, gsize size, store_spill_cb spill, gpointer user);
void store_mail_free(struct store_mail *mail); /* NULL is allowed */

/* The sink that fills a struct store_mail, given to it as user. */
const struct report_sink *store_sink(void);

/*
 * Forget all that was found; the mail is one unreadable item with this code and reason. bare leaves out
 * whatever came from the outside: the envelope and the mail's own header.
 */
void store_mail_refuse(struct store_mail *mail, const char *code, const char *reason, gboolean bare);

/* Bytes of rows that wait. */
gsize store_mail_bytes(const struct store_mail *mail);

/* Valid once written. */
const struct intake_counts *store_mail_counts(const struct store_mail *mail);

/* Act as ruad_ingest on a new connection, or to read stored mails again as ruad_owner, and make its staging
 * tables. */
gboolean store_open(struct db *db, gboolean again, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Write mails[0..n), all new or all read again, in one transaction. After an error nothing was stored, unless *in_doubt is TRUE: then
 * COMMIT was sent and its answer lost. The connection is fit for the next transaction, or dead.
 */
gboolean store_write(struct db *db, struct store_mail *const *mails, guint n, gboolean *in_doubt,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One mail in a transaction of its own, rows as they come: begin, any number of puts, then end or abort.
 * After an error it is aborted already. */
gboolean store_stream_begin(struct db *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean store_stream_put(struct db *db, struct store_mail *mail, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean store_stream_end(
    struct db *db, struct store_mail *mail, gboolean *in_doubt, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void store_stream_abort(struct db *db, struct store_mail *mail);
