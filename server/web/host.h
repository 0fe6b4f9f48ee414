/*
 * host.h - decides whether the Host of a request is one under which this server may be asked.
 *
 * A page of another site can give its own name the address of this server (DNS rebinding). The browser then
 * regards both as the same site, but still sends that name as Host (RFC 9110 section 7.2).
 */
#pragma once

#include <glib.h>

/*
 * host: the header, or NULL. Returns TRUE for localhost and loopback addresses, for a name in hosts
 * (NULL-terminated; "*" is every name), and if there is no header: browsers always send it. The port does not
 * matter.
 */
gboolean host_is_ours(const char *host, const char *const *hosts);
