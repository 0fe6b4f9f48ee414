#include "server/web/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static void set_ip4(struct client *client, const void *address)
{
	inet_ntop(AF_INET, address, client->address, CLIENT_TEXT_MAX);
	g_strlcpy(client->name, client->address, CLIENT_TEXT_MAX);
}

static void set_ip6(struct client *client, const struct in6_addr *address)
{
	struct in6_addr network = *address;

	if (IN6_IS_ADDR_V4MAPPED(address)) {
		set_ip4(client, &address->s6_addr[12]);
		return;
	}
	inet_ntop(AF_INET6, address, client->address, CLIENT_TEXT_MAX);
	if (!IN6_IS_ADDR_LOOPBACK(address))
		memset(&network.s6_addr[8], 0, 8);
	inet_ntop(AF_INET6, &network, client->name, CLIENT_TEXT_MAX);
}

void client_at(struct client *client, const struct sockaddr *address)
{
	if (address != NULL && address->sa_family == AF_INET) {
		set_ip4(client, &((const struct sockaddr_in *)(gconstpointer)address)->sin_addr);
	} else if (address != NULL && address->sa_family == AF_INET6) {
		set_ip6(client, &((const struct sockaddr_in6 *)(gconstpointer)address)->sin6_addr);
	} else {
		g_strlcpy(client->address, CLIENT_UNIX, CLIENT_TEXT_MAX);
		g_strlcpy(client->name, CLIENT_UNIX, CLIENT_TEXT_MAX);
	}
}

gboolean client_forwarded(struct client *client, const char *header)
{
	const char *comma = strrchr(header, ',');
	g_autofree char *text = g_strstrip(g_strdup(comma != NULL ? comma + 1 : header));
	struct in_addr ip4;
	struct in6_addr ip6;

	if (inet_pton(AF_INET, text, &ip4) == 1)
		set_ip4(client, &ip4);
	else if (inet_pton(AF_INET6, text, &ip6) == 1)
		set_ip6(client, &ip6);
	else
		return FALSE;
	return TRUE;
}
