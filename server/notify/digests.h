/*
 * digests.h - queues the digest of notify.digest for notify.mail_to when it is due.
 *
 * ruad.digest_take() (sql/notify/digest.sql) says when that is, and remembers which digests were queued;
 * server/digest/ makes the mail.
 */
#pragma once

#include "server/common/settings.h"
#include "server/database/db.h"

/* Queue what is due, in the transaction that db is in; often it is nothing. RUAD_ERROR_SYSTEM if the database
 * fails. */
gboolean digests_queue(
    struct db *db, const struct settings *settings, GError **error) G_GNUC_WARN_UNUSED_RESULT;
