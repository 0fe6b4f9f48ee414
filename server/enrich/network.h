/*
 * network.h - the network that announces an address, and its country, from the admin's MMDB files.
 *
 * Reads the layouts of MaxMind (GeoLite2 ASN, Country, City; those of DB-IP are the same) and of IPinfo (Lite
 * and the older ones). Several files complement each other: the first one with a value decides. A replaced
 * file is opened again. ruad contains no such file.
 */
#pragma once

#include <glib.h>

struct network {
	gint64 asn;      /* 0 .. 4294967295, or -1 if unknown */
	char *as_name;   /* owned; valid UTF-8, or NULL */
	char country[3]; /* ISO 3166, capital letters, or "" */
};

void network_clear(struct network *network);

struct networks;

/* paths: NULL-terminated, borrowed until networks_free(). Opens nothing yet. */
struct networks *networks_new(const char *const *paths);
void networks_free(struct networks *networks); /* NULL is allowed */

/*
 * Open files that are not open, and files that were replaced. If a file cannot be opened, the old one stays
 * in use, and the error is logged once. Returns TRUE if a file was opened, so that its content may be new.
 */
gboolean networks_refresh(struct networks *networks);

/* Fill *network (to be cleared) with what is known about ip, an address as text; with nothing if ip is not an
 * address. */
void networks_look_up(const struct networks *networks, const char *ip, struct network *network);
