#include "server/web/host.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

/* The name or address in host, without port, brackets and the dot of the root. Transfer full. */
static char *name_in(const char *host)
{
	gsize size;

	if (*host == '[')
		return g_strndup(host + 1, strcspn(host + 1, "]"));
	size = strcspn(host, ":");
	if (size > 1 && host[size - 1] == '.')
		size--;
	return g_strndup(host, size);
}

static gboolean is_loopback(const char *name)
{
	struct in_addr ip4;
	struct in6_addr ip6;

	if (inet_pton(AF_INET, name, &ip4) == 1)
		return ntohl(ip4.s_addr) >> 24 == IN_LOOPBACKNET;
	if (inet_pton(AF_INET6, name, &ip6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&ip6);
	return g_ascii_strcasecmp(name, "localhost") == 0;
}

gboolean host_is_ours(const char *host, const char *const *hosts)
{
	g_autofree char *name = host != NULL ? name_in(host) : NULL;

	if (host == NULL || is_loopback(name))
		return TRUE;
	for (gsize i = 0; hosts[i] != NULL; i++)
		if (strcmp(hosts[i], "*") == 0 || g_ascii_strcasecmp(hosts[i], name) == 0)
			return TRUE;
	return FALSE;
}
