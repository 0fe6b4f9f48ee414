/*
 * ip.h - addresses and networks as bytes: whether one contains another, and the difference of two networks.
 */
#pragma once

#include <glib.h>

#define IP_TEXT_SIZE 50 /* bytes of the longest network as text, with its NUL */

/* A network; with all bits, an address. */
struct ip_range {
	guint8 bytes[16]; /* IPv4: the first four; bits after the prefix are 0 */
	guint8 size;      /* 4 or 16 */
	guint8 bits;      /* length of the prefix: 0 to 8 * size */
};

/* Parse an address; an IPv4-mapped IPv6 address becomes IPv4. Returns FALSE if text is not an address. */
gboolean ip_parse(const char *text, struct ip_range *ip) G_GNUC_WARN_UNUSED_RESULT;

/* Parse an address of this size (4 or 16 bytes); IPv4-mapped addresses stay IPv6. */
gboolean ip_parse_sized(const char *text, guint size, struct ip_range *ip) G_GNUC_WARN_UNUSED_RESULT;

/* The network of the first bits of ip; ip itself if it has fewer. */
struct ip_range ip_network(struct ip_range ip, guint bits);

/* Whether no host of the Internet has an address in it: private, local, multicast or reserved. */
gboolean ip_is_private(const struct ip_range *range);

/* Whether outer contains all of inner. */
gboolean ip_contains(const struct ip_range *outer, const struct ip_range *inner);

/*
 * Append to rest (of struct ip_range) the networks of whole without part. part must be inside whole and
 * smaller. The number of networks is the difference of the prefix lengths.
 */
void ip_subtract(const struct ip_range *whole, const struct ip_range *part, GArray *rest);

/* "192.0.2.0/24" (an address gets its prefix too); and only the address. */
void ip_print_range(const struct ip_range *range, char text[IP_TEXT_SIZE]);
void ip_print(const struct ip_range *ip, char text[IP_TEXT_SIZE]);

/* The name of the PTR records of an address (RFC 1035 section 3.5, RFC 3596 section 2.5). Transfer full. */
char *ip_reverse_name(const struct ip_range *ip) G_GNUC_WARN_UNUSED_RESULT;
