#include "server/ingest/evaluations.h"

#include <string.h>

struct evaluations {
	GMutex lock;             /* protects all following members */
	guint most;              /* of one generation */
	GHashTable *young, *old; /* of struct evaluation, by key */
	gint64 epoch;
	guint64 ticket; /* of the current content */
};

guint evaluation_key_hash(gconstpointer key)
{
	const struct evaluation_key *k = key;
	guint hash;

	memcpy(&hash, k->hash, sizeof hash);
	return hash ^ (guint)k->domain_id ^ (k->month << 16);
}

gboolean evaluation_key_equal(gconstpointer a, gconstpointer b)
{
	const struct evaluation_key *x = a, *y = b;

	return x->domain_id == y->domain_id && x->month == y->month &&
	       memcmp(x->hash, y->hash, sizeof x->hash) == 0;
}

static GHashTable *generation_new(void)
{
	return g_hash_table_new_full(evaluation_key_hash, evaluation_key_equal, g_free, NULL);
}

struct evaluations *evaluations_new(guint most)
{
	struct evaluations *evaluations = g_new0(struct evaluations, 1);

	g_mutex_init(&evaluations->lock);
	evaluations->most = most / 2;
	evaluations->young = generation_new();
	evaluations->old = generation_new();
	return evaluations;
}

void evaluations_free(struct evaluations *evaluations)
{
	if (evaluations == NULL)
		return;
	g_hash_table_unref(evaluations->young);
	g_hash_table_unref(evaluations->old);
	g_mutex_clear(&evaluations->lock);
	g_free(evaluations);
}

static void forget(struct evaluations *evaluations)
{
	g_hash_table_remove_all(evaluations->young);
	g_hash_table_remove_all(evaluations->old);
	evaluations->ticket++;
}

void evaluations_forget(struct evaluations *evaluations)
{
	g_autoptr(GMutexLocker) G_GNUC_UNUSED locker = g_mutex_locker_new(&evaluations->lock);

	forget(evaluations);
}

guint64 evaluations_enter(struct evaluations *evaluations, gint64 epoch)
{
	g_autoptr(GMutexLocker) G_GNUC_UNUSED locker = g_mutex_locker_new(&evaluations->lock);

	if (evaluations->epoch != epoch)
		forget(evaluations);
	evaluations->epoch = epoch;
	return evaluations->ticket;
}

/* Add evaluation (transfer full) to the young generation. */
static void remember(struct evaluations *evaluations, struct evaluation *evaluation)
{
	if (g_hash_table_size(evaluations->young) >= evaluations->most) {
		g_hash_table_unref(evaluations->old);
		evaluations->old = evaluations->young;
		evaluations->young = generation_new();
	}
	g_hash_table_add(evaluations->young, evaluation);
}

gint64 evaluations_find(struct evaluations *evaluations, guint64 ticket, const struct evaluation_key *key)
{
	g_autoptr(GMutexLocker) G_GNUC_UNUSED locker = g_mutex_locker_new(&evaluations->lock);
	struct evaluation *found;

	if (evaluations->ticket != ticket)
		return 0;
	found = g_hash_table_lookup(evaluations->young, key);
	if (found != NULL)
		return found->id;
	found = g_hash_table_lookup(evaluations->old, key);
	if (found == NULL)
		return 0;
	g_hash_table_steal(evaluations->old, key);
	remember(evaluations, found);
	return found->id;
}

void evaluations_add(struct evaluations *evaluations, guint64 ticket, const struct evaluation *evaluation)
{
	g_autoptr(GMutexLocker) G_GNUC_UNUSED locker = g_mutex_locker_new(&evaluations->lock);

	if (evaluations->ticket == ticket)
		remember(evaluations, g_memdup2(evaluation, sizeof *evaluation));
}
