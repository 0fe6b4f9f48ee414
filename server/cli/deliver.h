/*
 * deliver.h - sends documents to the ruad that runs on this host, over its LMTP socket, for users who may not
 * access its database. A report file becomes a mail (report_mail.h).
 */
#pragma once

#include "server/cli/commands.h"

#define DELIVER_SYSTEMD_SOCKET "unix:/run/ruad-lmtp.sock" /* of ruad-lmtp.socket, whatever lmtp.listen says */

struct deliver;

/* Connect to the first of lmtp.listen and DELIVER_SYSTEMD_SOCKET that answers. RUAD_ERROR_SYSTEM if none
 * does. settings are borrowed. */
struct deliver *deliver_new(const struct settings *settings, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void deliver_free(struct deliver *deliver); /* NULL is allowed */

/*
 * Send a document; name is that of its file, or NULL. Returns COMMAND_OK, COMMAND_TEMPFAIL (keep it and try
 * again), COMMAND_NOBODY or COMMAND_DATA (refused). *words says what became of it; transfer full.
 * *is_quarantined is set with COMMAND_OK: the server stored the mail, but no report in it.
 */
enum command_exit deliver_document(struct deliver *deliver, GBytes *document, const char *name,
    gboolean *is_quarantined, char **words) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the server can still be reached, as far as known: FALSE after two failed connections. */
gboolean deliver_alive(const struct deliver *deliver);
