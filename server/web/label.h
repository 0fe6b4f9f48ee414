/*
 * label.h - checks and reads a request that labels a source: it must come from our own page or from a
 * program.
 *
 *   {"label": "mine" | "forwarder" | "not_mine" | null, "note": string | null}
 *
 * Knows nothing of users or the database.
 */
#pragma once

#include "server/web/http.h"
#include "server/web/problem.h"

#define LABEL_NOTE_MAX 1000 /* characters */

/*
 * Read *label and *note from the request's body, transfer full; NULL for null (or if there is no note).
 * Returns FALSE with problem set: 403 the request comes from another site; 411, 413 and 415 the body cannot
 * be read; 400 anything else.
 */
gboolean label_read(const struct http_request *request, char **label, char **note,
    struct problem *problem) G_GNUC_WARN_UNUSED_RESULT;
