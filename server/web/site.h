/*
 * site.h - dispatches a request to a section of the site.
 *
 *   /healthz          the process is alive
 *   /readyz           the database answers and has the right schema
 *   /metrics          metrics for Prometheus
 *   /api/v1/...       api.h
 *   anything else     pages.h
 */
#pragma once

#include "server/web/http.h"

/* An http_handler; user is a struct auth. All sections except the first two require authentication. */
void site_handle(const struct http_request *request, struct http_response *response, gpointer user);
