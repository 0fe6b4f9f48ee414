/*
 * webhook.h - sends a JSON document to a URL by HTTP, with libcurl. Knows nothing of what it says.
 */
#pragma once

#include "server/common/settings.h"

#define WEBHOOK_SECONDS 30 /* for all of it */

/* Which document a service expects: the words of notify.webhook_format, in that order. */
enum webhook_format {
	WEBHOOK_GENERIC,
	WEBHOOK_SLACK,
	WEBHOOK_TEAMS,
	WEBHOOK_MATRIX,
};

/* Everything is borrowed. */
struct webhook_route {
	const char *url;
	const char *token; /* for Authorization: Bearer; "": none */
	enum webhook_format format;
};

/* The route that [notify] says. */
struct webhook_route webhook_route_of(const struct settings *settings);

/*
 * Send document; by POST, or for Matrix by PUT to the URL and a key of the transaction. key: the same for
 * each attempt with this document, and no other; the receiver may know a repetition by it. Returns what the
 * server said ("status 200: ok"), transfer full, or NULL: RUAD_ERROR_SYSTEM, it was not accepted.
 */
char *webhook_send(const struct webhook_route *route, const char *key, GBytes *document,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;
