/*
 * settings_check.h - settings that are valid one by one but cannot work: lists without an entry, addresses,
 * mailboxes and files.
 *
 * For ruad serve, which starts nothing with them, and ruad config, which reports them before.
 */
#pragma once

#include "server/common/settings.h"

/* Check addresses, mailboxes, and settings that need each other. RUAD_ERROR_SYNTAX names the key and what to
 * write. An empty listen is allowed, since sockets may come from systemd. */
gboolean settings_check(const struct settings *settings, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Check that the files can be read by the current user. RUAD_ERROR_SYNTAX for a file without which a part
 * does not start; for any other a line is added to warnings (char *, transfer full). */
gboolean settings_check_files(
    const struct settings *settings, GPtrArray *warnings, GError **error) G_GNUC_WARN_UNUSED_RESULT;
