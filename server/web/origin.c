#include "server/web/origin.h"

#include <string.h>

/* Returns whether origin is "https://HOST", where HOST is that of the request. The scheme is ignored, since a
 * proxy may have removed TLS. */
static gboolean is_own_origin(const char *origin, const char *host)
{
	const char *authority = strstr(origin, "://");

	return authority != NULL && host != NULL && g_ascii_strcasecmp(authority + 3, host) == 0;
}

/*
 * The browser sets Sec-Fetch-Site, which no page can forge and which does not depend on Host, which a proxy
 * may change. Without it (plain HTTP) Origin decides. Programs send neither, and no page can control them.
 */
gboolean origin_is_ours(const struct http_request *request)
{
	if (request->fetch_site != NULL)
		return strcmp(request->fetch_site, "same-origin") == 0 ||
		       strcmp(request->fetch_site, "none") == 0;
	return request->origin == NULL || is_own_origin(request->origin, request->host);
}
