/*
 * network.h - the network that announces an address, and its country, by MMDB files that the admin has.
 *
 * Reads the layouts of MaxMind (GeoLite2 ASN, Country, City; DB-IP's are the same) and of IPinfo (Lite and the older ones). Several
 * files complete each other: the first that says something counts. A file that was replaced is opened again. ruad ships none.
 */
#pragma once

#include <glib.h>

struct network {
	gint64 asn;      /* 0 .. 4294967295, or -1 when not known */
	char *as_name;   /* owned; valid UTF-8, or NULL */
	char country[3]; /* ISO 3166, capital letters, or "" */
};

void network_clear(struct network *network);

struct networks;

/* paths: NULL-terminated, borrowed until networks_free(). Nothing is opened yet. */
struct networks *networks_new(const char *const *paths);
void networks_free(struct networks *networks); /* NULL is allowed */

/*
 * Open what was not open, and again what is another file by now; a file that cannot be opened leaves what was open before, and is
 * logged once. TRUE when a file was opened, so that what it says may be new.
 */
gboolean networks_refresh(struct networks *networks);

/* Fill *network (to be cleared) with what is known of ip, an address in words; with nothing when that is none. */
void networks_look_up(const struct networks *networks, const char *ip, struct network *network);
