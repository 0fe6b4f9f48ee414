#include "server/common/shares.h"

struct shares {
	GHashTable *counts; /* client -> number */
};

struct shares *shares_new(void)
{
	struct shares *shares = g_new0(struct shares, 1);

	shares->counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return shares;
}

void shares_free(struct shares *shares)
{
	if (shares == NULL)
		return;
	g_hash_table_unref(shares->counts);
	g_free(shares);
}

guint shares_of(const struct shares *shares, const char *client)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(shares->counts, client));
}

static void set(struct shares *shares, const char *client, guint count)
{
	g_hash_table_insert(shares->counts, g_strdup(client), GUINT_TO_POINTER(count));
}

void shares_add(struct shares *shares, const char *client)
{
	set(shares, client, shares_of(shares, client) + 1);
}

void shares_remove(struct shares *shares, const char *client)
{
	guint count = shares_of(shares, client);

	g_assert(count > 0);
	if (count > 1)
		set(shares, client, count - 1);
	else
		g_hash_table_remove(shares->counts, client);
}
