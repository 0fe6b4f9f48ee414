#include "server/dns/ip.h"

#include <arpa/inet.h>
#include <string.h>

#include "parser/text.h"

static int family_of(const struct ip_range *ip)
{
	return ip->size == 4 ? AF_INET : AF_INET6;
}

gboolean ip_parse_sized(const char *text, guint size, struct ip_range *ip)
{
	struct ip_range read = { .size = (guint8)size, .bits = (guint8)(8 * size) };

	if (inet_pton(family_of(&read), text, read.bytes) != 1)
		return FALSE;
	*ip = read;
	return TRUE;
}

gboolean ip_parse(const char *text, struct ip_range *ip)
{
	char canonical[TEXT_ADDRESS_SIZE];
	gboolean mapped;

	return text_address(text, canonical, &mapped) &&
	       ip_parse_sized(canonical, strchr(canonical, ':') == NULL ? 4 : 16, ip);
}

struct ip_range ip_network(struct ip_range ip, guint bits)
{
	ip.bits = (guint8)MIN(bits, ip.bits);
	for (guint i = 0; i < ip.size; i++) {
		guint kept = ip.bits <= 8 * i ? 0 : MIN(ip.bits - 8 * i, 8);

		ip.bytes[i] &= (guint8)(0xff00U >> kept);
	}
	return ip;
}

gboolean ip_contains(const struct ip_range *outer, const struct ip_range *inner)
{
	struct ip_range cut = ip_network(*inner, outer->bits);

	return inner->size == outer->size && inner->bits >= outer->bits &&
	       memcmp(cut.bytes, outer->bytes, outer->size) == 0;
}

void ip_subtract(const struct ip_range *whole, const struct ip_range *part, GArray *rest)
{
	for (guint bits = whole->bits + 1U; bits <= part->bits; bits++) {
		struct ip_range beside = ip_network(*part, bits);

		beside.bytes[(bits - 1) / 8] ^= (guint8)(0x80U >> (bits - 1) % 8);
		g_array_append_val(rest, beside);
	}
}

void ip_print(const struct ip_range *ip, char text[IP_TEXT_SIZE])
{
	inet_ntop(family_of(ip), ip->bytes, text, IP_TEXT_SIZE);
}

void ip_print_range(const struct ip_range *range, char text[IP_TEXT_SIZE])
{
	gsize size;

	ip_print(range, text);
	size = strlen(text);
	g_snprintf(text + size, IP_TEXT_SIZE - size, "/%u", range->bits);
}

char *ip_reverse_name(const struct ip_range *ip)
{
	GString *name = g_string_new(NULL);

	for (guint i = ip->size; i > 0; i--) {
		guint8 byte = ip->bytes[i - 1];

		if (ip->size == 4)
			g_string_append_printf(name, "%u.", byte);
		else
			g_string_append_printf(name, "%x.%x.", byte & 15U, byte >> 4);
	}
	g_string_append(name, ip->size == 4 ? "in-addr.arpa" : "ip6.arpa");
	return g_string_free(name, FALSE);
}

gboolean ip_is_private(const struct ip_range *range)
{
	static const struct {
		const char *address;
		guint8 bits;
	} ROWS[] = { { "0.0.0.0", 8 }, { "10.0.0.0", 8 }, { "100.64.0.0", 10 }, { "127.0.0.0", 8 },
		{ "169.254.0.0", 16 }, { "172.16.0.0", 12 }, { "192.168.0.0", 16 }, { "224.0.0.0", 3 },
		{ "::", 127 }, { "fc00::", 7 }, { "fe80::", 10 } };

	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		struct ip_range address, network;

		if (!ip_parse(ROWS[i].address, &address))
			g_assert_not_reached();
		network = ip_network(address, ROWS[i].bits);
		if (network.size == range->size && ip_contains(&network, range))
			return TRUE;
	}
	return FALSE;
}
