/*
 * label.h - a request that labels a source: is it from our own page or a program, and what does it say?
 *
 *   {"label": "mine" | "forwarder" | "not_mine" | null, "note": string | null}
 *
 * A browser that was led here by another site carries the user's password along; it also tells where it comes from. Knows nothing of users
 * or the database.
 */
#pragma once

#include "server/web/http.h"
#include "server/web/problem.h"

#define LABEL_NOTE_MAX 1000 /* characters */

/*
 * *label and *note from the request's body, transfer full; NULL where it says null (or no note at all). FALSE with
 * problem set: 403 it comes from another site, 411, 413 and 415 there is no body to be read, 400 all else.
 */
gboolean label_read(const struct http_request *request, char **label, char **note,
    struct problem *problem) G_GNUC_WARN_UNUSED_RESULT;
