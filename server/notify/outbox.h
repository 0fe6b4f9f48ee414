/*
 * outbox.h - messages that wait in the database until their destination has accepted them.
 *
 * A message is queued in the transaction of the change that it reports, and marked as sent right after the
 * destination has accepted it. Only a crash between these two repeats a message: with the same bytes, and so
 * the same Message-ID. The functions are in sql/notify/outbox.sql; destinations.h says what a destination is.
 */
#pragma once

#include "server/common/errands.h"
#include "server/common/settings.h"
#include "server/database/db.h"

/*
 * Queue content for each destination (NULL-terminated), in the transaction that db is in. For mail it is a
 * complete message by RFC 5322 with CRLF and a Message-ID; for the webhook a JSON document. what: a word for
 * people who look at the table, such as "notices" or "digest".
 *
 * *queued is FALSE, and nothing is queued, if too much waits already: try again later.
 */
gboolean outbox_add(struct db *db, const char *what, const char *const *destinations, GBytes *content,
    gboolean *queued, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Remove what waits for destinations that are not among these; logs how many. */
gboolean outbox_keep(
    struct db *db, const char *const *destinations, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Send everything that is due, each in a transaction of its own. What is not accepted stays for a later
 * attempt. failures: destination to the failure that was logged of it last, kept by the caller (both strings
 * with g_free): a failure is logged once for each cause, and once that it is over. errand: counts the
 * messages, or NULL. FALSE: the database failed.
 */
gboolean outbox_send(struct db *db, const struct settings *settings, GHashTable *failures,
    struct errand *errand, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The words of a PostgreSQL array with these strings. Transfer full. */
char *outbox_array(const char *const *strings);
