/*
 * smtp.h - hands a complete message (RFC 5322) to a mail server by SMTP, with libcurl.
 *
 * Knows nothing of what the message says. Messages are queued with outbox_add() (outbox.h), from where
 * ruad-notify sends them; only `ruad notify --test` sends directly.
 */
#pragma once

#include "server/common/settings.h"

#define SMTP_SECONDS 120 /* for all of it */

/* How to reach the mail server; everything is borrowed. */
struct smtp_route {
	const char *url;      /* smtp:// or smtps://, with host and port */
	const char *user;     /* "": no authentication */
	const char *password; /* of that user */
	gboolean starttls;    /* with smtp://: refuse to continue without TLS */
	const char *ca_file;  /* "": the certification authorities of the system */
	const char *from;     /* envelope sender, an address */
};

/* The route that [notify] says. from: notify.mail_from, or what stands for it (message_sender()). */
struct smtp_route smtp_route_of(const struct settings *settings, const char *from);

/*
 * Send message to one address. Returns what the server said in the end ("250 2.0.0 queued"), transfer full,
 * or NULL: RUAD_ERROR_SYSTEM, the message was not accepted; a later attempt may succeed.
 */
char *smtp_send(const struct smtp_route *route, const char *address, GBytes *message,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;
