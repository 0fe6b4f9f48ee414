#include "server/web/throttle.h"

#define DOUBLED_MOST 30 /* times; longer delays than any option */

struct entry {
	char *key;
	guint failures;
	gint64 last; /* monotonic time of the last one */
	GList link;  /* in throttle.recent */
};

struct throttle {
	struct throttle_options options;
	GMutex lock;         /* protects the following members */
	GHashTable *entries; /* key (of the entry) -> entry */
	GQueue recent;       /* of struct entry, the last failure first */
};

static void entry_free(gpointer data)
{
	struct entry *entry = data;

	g_free(entry->key);
	g_free(entry);
}

struct throttle *throttle_new(const struct throttle_options *options)
{
	struct throttle *throttle = g_new0(struct throttle, 1);

	throttle->options = *options;
	throttle->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
	g_queue_init(&throttle->recent);
	g_mutex_init(&throttle->lock);
	return throttle;
}

void throttle_free(struct throttle *throttle)
{
	if (throttle == NULL)
		return;
	g_hash_table_unref(throttle->entries);
	g_mutex_clear(&throttle->lock);
	g_free(throttle);
}

static void forget(struct throttle *throttle, struct entry *entry)
{
	g_queue_unlink(&throttle->recent, &entry->link);
	g_hash_table_remove(throttle->entries, entry->key);
}

static void forget_old(struct throttle *throttle, gint64 now)
{
	while (throttle->recent.tail != NULL) {
		struct entry *oldest = throttle->recent.tail->data;

		if (now - oldest->last <= throttle->options.keep &&
		    throttle->recent.length <= throttle->options.keys)
			return;
		forget(throttle, oldest);
	}
}

static gint64 delay_of(const struct throttle_options *options, guint failures)
{
	guint doubled;

	if (failures <= options->free)
		return 0;
	doubled = MIN(failures - options->free - 1, DOUBLED_MOST);
	return options->first > options->most >> doubled ? options->most : options->first << doubled;
}

gint64 throttle_wait(struct throttle *throttle, const char *key, gint64 now)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&throttle->lock);
	const struct entry *entry;

	forget_old(throttle, now);
	entry = g_hash_table_lookup(throttle->entries, key);
	return entry == NULL ? 0 : MAX(0, entry->last + delay_of(&throttle->options, entry->failures) - now);
}

void throttle_failed(struct throttle *throttle, const char *key, gint64 now)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&throttle->lock);
	struct entry *entry = g_hash_table_lookup(throttle->entries, key);

	if (entry == NULL) {
		entry = g_new0(struct entry, 1);
		entry->key = g_strdup(key);
		entry->link.data = entry;
		g_hash_table_insert(throttle->entries, entry->key, entry);
	} else {
		g_queue_unlink(&throttle->recent, &entry->link);
	}
	entry->failures++;
	entry->last = now;
	g_queue_push_head_link(&throttle->recent, &entry->link);
	forget_old(throttle, now);
}

void throttle_passed(struct throttle *throttle, const char *key)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&throttle->lock);
	struct entry *entry = g_hash_table_lookup(throttle->entries, key);

	if (entry != NULL)
		forget(throttle, entry);
}
