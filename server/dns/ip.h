/*
 * ip.h - addresses and networks as bytes: is one inside of the other, and what is left of a network without another.
 */
#pragma once

#include <glib.h>

#define IP_TEXT_SIZE 50 /* bytes of the longest network as text, with its NUL */

/* A network, or, with all bits, an address. */
struct ip_range {
	guint8 bytes[16]; /* IPv4: the first four; bits behind the prefix are 0 */
	guint8 size;      /* 4 or 16 */
	guint8 bits;      /* of the prefix: 0 to 8 * size */
};

/* An address as text; IPv4 inside IPv6 becomes IPv4. FALSE: it is none. */
gboolean ip_parse(const char *text, struct ip_range *ip) G_GNUC_WARN_UNUSED_RESULT;

/* An address of this size (4 or 16 bytes), as it is written. */
gboolean ip_parse_sized(const char *text, guint size, struct ip_range *ip) G_GNUC_WARN_UNUSED_RESULT;

/* Only the first bits of it, at most as many as it has. */
struct ip_range ip_network(struct ip_range ip, guint bits);

/* Whether all of inner is in outer. */
gboolean ip_contains(const struct ip_range *outer, const struct ip_range *inner);

/*
 * What is left of whole without part, which is inside of it and smaller: the networks beside part, appended to rest (struct
 * ip_range), as many as part's prefix is longer.
 */
void ip_subtract(const struct ip_range *whole, const struct ip_range *part, GArray *rest);

/* "192.0.2.0/24" (full addresses, too, with their prefix), and only the address. */
void ip_print_range(const struct ip_range *range, char text[IP_TEXT_SIZE]);
void ip_print(const struct ip_range *ip, char text[IP_TEXT_SIZE]);

/* The name of its PTR records (RFC 1035 section 3.5, RFC 3596 section 2.5). Transfer full. */
char *ip_reverse_name(const struct ip_range *ip) G_GNUC_WARN_UNUSED_RESULT;
