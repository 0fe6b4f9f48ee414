/*
 * site.h - the answer to a request: which room of the site it asks for, and what that room says.
 *
 *   /healthz          the process lives
 *   /readyz           the database answers and its schema is ours
 *   /metrics          numbers for Prometheus
 *   /api/v1/...       api.h
 *   all else          pages.h
 */
#pragma once

#include "server/web/http.h"

/* An http_handler; user is a struct auth. Before any room but the first two stands who may enter. */
void site_handle(const struct http_request *request, struct http_response *response, gpointer user);
