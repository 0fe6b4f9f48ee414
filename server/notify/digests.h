/*
 * digests.h - queues a digest of [digest] or [digest NAME] for its addresses when it is due.
 *
 * ruad.digest_take() (sql/notify/digest.sql) says when that is, and remembers which digests were queued;
 * server/digest/ makes the mail.
 */
#pragma once

#include "server/common/settings.h"
#include "server/database/db.h"

/* Queue it in the transaction that db is in if it is due; often it is not. digest: one of
 * settings_sections(settings, "digest"). RUAD_ERROR_SYNTAX if digest.user has no role, RUAD_ERROR_SYSTEM if
 * the database fails. */
gboolean digests_queue(
    struct db *db, const struct settings *digest, GError **error) G_GNUC_WARN_UNUSED_RESULT;
