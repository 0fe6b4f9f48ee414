/*
 * site.h - the answer to a request: which room of the site it asks for, and what that room says.
 *
 *   /healthz          the process lives
 *   /readyz           the database answers and its schema is ours
 *   /api/v1/...       routes.h
 *   all else          pages.h
 */
#pragma once

#include "server/web/http.h"

/* An http_handler; user is not used. */
void site_handle(const struct http_request *request, struct http_response *response, gpointer user);
