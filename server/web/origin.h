/*
 * origin.h - whether a request that changes something comes from our own page or from a program.
 *
 * If another site makes a browser send a request, the browser adds the user's password, but it also tells the
 * origin.
 */
#pragma once

#include "server/web/http.h"

gboolean origin_is_ours(const struct http_request *request);
