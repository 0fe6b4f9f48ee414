/*
 * site.h - dispatches a request to a section of the site.
 *
 *   /healthz          the process is alive
 *   /readyz           ready.h
 *   /metrics          metrics for Prometheus
 *   /api/v1/...       api.h
 *   /logout           makes browsers forget the password (AUTH_BASIC)
 *   anything else     pages.h
 */
#pragma once

#include "server/web/auth.h"
#include "server/web/http.h"

struct site {
	struct auth *auth;
	const char *const *hosts; /* names under which it may be asked without authentication (host.h) */
};

/*
 * An http_handler; user is a struct site. All sections except the first two require authentication. If there
 * is none (AUTH_NONE), they answer only under our own hosts. The API is closed to pages of other sites.
 */
void site_handle(const struct http_request *request, struct http_response *response, gpointer user);

/* The same for a listener that has only the first two sections. */
void site_handle_health(const struct http_request *request, struct http_response *response, gpointer user);

/* Returns whether the request is for one of the first two sections, whose answers must not wait. */
gboolean site_is_urgent(const struct http_request *request);

/* Returns whether the request is for a file of the page, and needs no authentication, which may block: to
 * look at a password takes long on purpose. user is a struct site. */
gboolean site_is_instant(const struct http_request *request, gpointer user);

/* An http_handler that answers 503 with Retry-After, since there is no room for the request. */
void site_refuse(const struct http_request *request, struct http_response *response, gpointer user);
