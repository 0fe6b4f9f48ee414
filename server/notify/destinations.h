/*
 * destinations.h - where notices and digests go, by the settings of [notify] and [digest], and how to send
 * something there.
 *
 * A destination has a name: "webhook", or "mail:" and an address. The outbox stores these names.
 */
#pragma once

#include "server/common/settings.h"

#define DESTINATION_MAIL    "mail:"
#define DESTINATION_WEBHOOK "webhook"

/* "mail:ADDRESS" for each address, NULL-terminated. Transfer full, as those below. */
char **destinations_mail(const char *const *addresses);

/* Those of notices: notify.mail_to, and the webhook if there is one. */
char **destinations_notices(const struct settings *settings);

/* These, and those of all digests; each once. */
char **destinations_all(const struct settings *settings);

/* The addresses that get a digest; digest is one of settings_sections(settings, "digest"). Borrowed. */
const char *const *destinations_digest(const struct settings *digest);

/*
 * Send content to a destination: for mail a complete message (RFC 5322), for the webhook a JSON document. key
 * is that of webhook_send(). Returns what was answered, transfer full, or NULL: RUAD_ERROR_SYSTEM.
 */
char *destination_send(const struct settings *settings, const char *destination, const char *key,
    GBytes *content, GError **error) G_GNUC_WARN_UNUSED_RESULT;
