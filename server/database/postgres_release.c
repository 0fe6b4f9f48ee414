#include "server/database/postgres_release.h"

/* A release, and the next one, which has another PostgreSQL and removes the old one. */
static const struct {
	const char *os;
	const char *release;
	const char *next;
	guint version;
	guint next_version;
} releases[] = {
	{ "debian", "12", "Debian 13", 15, 17 },
};

char *postgres_release_advice(const char *os, const char *release, guint version)
{
	for (gsize i = 0; i < G_N_ELEMENTS(releases); i++)
		if (g_strcmp0(os, releases[i].os) == 0 && g_strcmp0(release, releases[i].release) == 0 &&
		    version == releases[i].version)
			return g_strdup_printf(
			    "run `ruad database dump FILE` before an upgrade to %s: it has PostgreSQL %u, "
			    "which "
			    "cannot open the data of PostgreSQL %u; afterwards run `ruad database restore "
			    "--replace FILE`",
			    releases[i].next, releases[i].next_version, version);
	return NULL;
}
