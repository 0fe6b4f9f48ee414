/*
 * client.h - who is at the other end of a connection: an address for the log, and a name under which a client
 * is counted.
 *
 * Knows nothing of connections or of HTTP, except the text of X-Forwarded-For.
 */
#pragma once

#include <sys/socket.h>

#include <glib.h>

#define CLIENT_TEXT_MAX 64 /* bytes of an address with its NUL */
#define CLIENT_UNIX     "unix"

struct client {
	char address[CLIENT_TEXT_MAX]; /* "192.0.2.1", "2001:db8::1" or "unix" */
	char name[CLIENT_TEXT_MAX]; /* the same, but of IPv6 the /64 network ("2001:db8::"), which one client
				       has */
};

/* The client at an address; NULL and unknown families are a Unix socket. An IPv4-mapped address is IPv4. */
void client_at(struct client *client, const struct sockaddr *address);

/* The client that a proxy names in X-Forwarded-For: the last address, which the proxy itself appends. Returns
 * FALSE if that is not an address; client is then unchanged. */
gboolean client_forwarded(struct client *client, const char *header) G_GNUC_WARN_UNUSED_RESULT;
