#include "server/common/vitals.h"

#include <stdatomic.h>
#include <string.h>

#include "server/common/shared_memory.h"

struct vitals {
	/* times of CLOCK_MONOTONIC, which all processes share; 0: the last mail was stored */
	_Atomic gint64 first_failed_at;
	_Atomic gint64 last_failed_at;

	struct {
		_Atomic gint64 numbers[VITALS];
		_Atomic gint64 replies[VITALS_CODE_MAX - VITALS_CODE_MIN + 1];
		_Atomic gint64 times[VITALS_BOUNDS + 1]; /* in each class; the last one has no upper bound */
		_Atomic gint64 times_sum;                /* microseconds */
	} counted;                                       /* since the writer began */
};

int vitals_create(GError **error)
{
	return shared_memory_create("vitals", sizeof(struct vitals), error);
}

struct vitals *vitals_open(int fd, gboolean writable, GError **error)
{
	struct vitals *memory = shared_memory_open(fd, sizeof(struct vitals), writable, error);

	if (memory != NULL && writable)
		memset(&memory->counted, 0, sizeof memory->counted);
	return memory;
}

void vitals_close(struct vitals *vitals)
{
	shared_memory_close(vitals, sizeof(struct vitals));
}

void vitals_tell(struct vitals *vitals, gboolean stored)
{
	gint64 now = stored ? 0 : g_get_monotonic_time();

	if (vitals == NULL)
		return;
	if (stored || atomic_load(&vitals->first_failed_at) == 0)
		atomic_store(&vitals->first_failed_at, now);
	atomic_store(&vitals->last_failed_at, now);
}

gint64 vitals_failing(const struct vitals *vitals)
{
	gint64 now = g_get_monotonic_time();
	gint64 first = vitals != NULL ? atomic_load(&vitals->first_failed_at) : 0;
	gint64 last = vitals != NULL ? atomic_load(&vitals->last_failed_at) : 0;

	if (first == 0 || last == 0 || now - last > VITALS_VALID * G_TIME_SPAN_SECOND)
		return -1;
	return (now - first) / G_TIME_SPAN_SECOND;
}

/* -- numbers -- */

void vitals_add(struct vitals *vitals, enum vital vital, gint64 n)
{
	if (vitals != NULL)
		atomic_fetch_add(&vitals->counted.numbers[vital], n);
}

void vitals_set(struct vitals *vitals, enum vital vital, gint64 value)
{
	if (vitals != NULL)
		atomic_store(&vitals->counted.numbers[vital], value);
}

gint64 vitals_get(const struct vitals *vitals, enum vital vital)
{
	return vitals != NULL ? atomic_load(&vitals->counted.numbers[vital]) : 0;
}

void vitals_add_reply(struct vitals *vitals, guint code)
{
	if (vitals != NULL && code >= VITALS_CODE_MIN && code <= VITALS_CODE_MAX)
		atomic_fetch_add(&vitals->counted.replies[code - VITALS_CODE_MIN], 1);
}

gint64 vitals_replies(const struct vitals *vitals, guint code)
{
	if (vitals == NULL || code < VITALS_CODE_MIN || code > VITALS_CODE_MAX)
		return 0;
	return atomic_load(&vitals->counted.replies[code - VITALS_CODE_MIN]);
}

gint64 vitals_bound(guint i)
{
	static const gint64 bounds[VITALS_BOUNDS] = { 5000, 10000, 25000, 50000, 100000, 250000, 500000,
		1000000, 5000000, 30000000 };

	return bounds[i];
}

void vitals_add_time(struct vitals *vitals, gint64 time)
{
	guint i = 0;

	if (vitals == NULL)
		return;
	while (i < VITALS_BOUNDS && time > vitals_bound(i))
		i++;
	atomic_fetch_add(&vitals->counted.times[i], 1);
	atomic_fetch_add(&vitals->counted.times_sum, time);
}

gint64 vitals_times(const struct vitals *vitals, guint i)
{
	gint64 n = 0;

	for (guint j = 0; vitals != NULL && j <= i; j++)
		n += atomic_load(&vitals->counted.times[j]);
	return n;
}

gint64 vitals_times_sum(const struct vitals *vitals)
{
	return vitals != NULL ? atomic_load(&vitals->counted.times_sum) : 0;
}
