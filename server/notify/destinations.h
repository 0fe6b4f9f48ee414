/*
 * destinations.h - where notices go, by the settings of [notify], and how to send something there.
 *
 * A destination has a name: "webhook", or "mail:" and an address. The outbox stores these names.
 */
#pragma once

#include "server/common/settings.h"

#define DESTINATION_MAIL    "mail:"
#define DESTINATION_WEBHOOK "webhook"

/* "mail:ADDRESS" for each of notify.mail_to, NULL-terminated. Transfer full. */
char **destinations_mail(const struct settings *settings);

/* These, and the webhook if there is one. Transfer full. */
char **destinations_all(const struct settings *settings);

/*
 * Send content to a destination: for mail a complete message (RFC 5322), for the webhook a JSON document. key
 * is that of webhook_send(). Returns what was answered, transfer full, or NULL: RUAD_ERROR_SYSTEM.
 */
char *destination_send(const struct settings *settings, const char *destination, const char *key,
    GBytes *content, GError **error) G_GNUC_WARN_UNUSED_RESULT;
