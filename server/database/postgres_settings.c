#include "server/database/postgres_settings.h"

#define MIB (1024 * 1024)

/* A value that grows with the memory. */
struct share {
	const char *name;
	guint part;              /* memory / part */
	gboolean per_connection; /* divided by the number of connections, too */
	guint64 least;           /* MiB */
	guint64 most;            /* MiB */
	const char *reason;
};

static const struct share shares[] = {
	{ "shared_buffers", 8, FALSE, 16, 2048,
	    "The machine has other work, and the kernel caches files too. 2 GB hold ten million records." },
	{ "effective_cache_size", 2, FALSE, 64, 32768,
	    "Allocates nothing: the planner's guess at how much is cached, here and by the kernel." },
	{ "work_mem", 2, TRUE, 2, 64,
	    "For each sort; twice this for each hash table. All connections sorting at once take half." },
	{ "maintenance_work_mem", 16, FALSE, 16, 256,
	    "For building an index, and for each of three autovacuum workers." },
	{ "max_wal_size", 1, FALSE, 256, 2048,
	    "On disk, and to replay after a crash. A small machine has a small disk." },
};

/* A value that is the same on every machine. */
struct fixed {
	const char *name;
	const char *value;
	const char *reason;
};

static const struct fixed fixed[] = {
	{ "checkpoint_timeout", "15min",
	    "Mail arrives all day, and the first change of a page after a checkpoint logs the whole page." },
	{ "random_page_cost", "1.1",
	    "Cached or on flash, any page costs about as much as the next one. For rotating disks: 4." },
	{ "jit", "off",
	    "Queries are short: compiling one takes longer than it saves, and each connection loads LLVM." },
};

static guint64 share_mib(const struct share *share, guint64 memory, guint connections)
{
	guint64 bytes = memory / share->part / (share->per_connection ? connections : 1);

	return CLAMP(bytes / MIB, share->least, share->most);
}

char *postgres_settings_text(guint64 memory, guint connections)
{
	GString *text = g_string_new(NULL);

	g_assert(connections > 0);
	g_string_append_printf(text,
	    "# Written by ruad at every start, for %" G_GUINT64_FORMAT " MiB of memory: changes are lost.\n"
	    "# Put your own values into " POSTGRES_LOCAL_SETTINGS " in the folder above; see ruad(8).\n\n"
	    "include 'postgresql.conf'\n\n"
	    "# For ruad's own programs, commands and auditors.\nmax_connections = %u\n",
	    memory / MIB, connections);
	for (gsize i = 0; i < G_N_ELEMENTS(shares); i++)
		g_string_append_printf(text, "\n# %s\n%s = %" G_GUINT64_FORMAT "MB\n", shares[i].reason,
		    shares[i].name, share_mib(&shares[i], memory, connections));
	for (gsize i = 0; i < G_N_ELEMENTS(fixed); i++)
		g_string_append_printf(
		    text, "\n# %s\n%s = %s\n", fixed[i].reason, fixed[i].name, fixed[i].value);
	g_string_append(text, "\n# The last value of a setting counts.\n"
			      "include_if_exists '../" POSTGRES_LOCAL_SETTINGS "'\n");
	return g_string_free(text, FALSE);
}
