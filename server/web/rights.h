/*
 * rights.h - asks the database which rights `ruad user` gave the user of a request.
 *
 * Each request asks, so that a change applies to the next one.
 */
#pragma once

#include "server/web/answer.h"
#include "server/web/connection.h"
#include "server/web/grant.h"

/* Find the grant of the visit's user; free it with grant_clear(). Outcomes other than CONNECTION_ROWS set
 * error, and the user's rights are unknown. */
enum connection_outcome rights_ask(
    const struct visit *visit, struct grant *grant, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for requests that cannot be answered without it: completes the response and returns FALSE if the
 * rights are unknown. */
gboolean rights_find(const struct visit *visit, struct grant *grant) G_GNUC_WARN_UNUSED_RESULT;
