#include "server/common/errands.h"

#include <stdatomic.h>
#include <string.h>

#include "server/common/shared_memory.h"

struct errand {
	char name[ERRAND_NAME_SIZE];
	_Atomic gint64 counts[ERRAND_COUNTS];
	_Atomic gint64 succeeded_at; /* seconds since 1970 */
};

struct errands {
	struct errand errand[ERRANDS_MAX]; /* those without a name come last */
};

int errands_create(GError **error)
{
	return shared_memory_create("errands", sizeof(struct errands), error);
}

struct errands *errands_open(int fd, gboolean writable, GError **error)
{
	return shared_memory_open(fd, sizeof(struct errands), writable, error);
}

void errands_close(struct errands *errands)
{
	shared_memory_close(errands, sizeof(struct errands));
}

/* Those that read it must get a complete name, whatever a writer does meanwhile. */
char *errand_name(const struct errand *errand)
{
	char *name = g_strndup(errand->name, ERRAND_NAME_SIZE - 1);
	char *valid = g_utf8_make_valid(name, -1);

	g_free(name);
	return valid;
}

int errands_name(struct errands *errands, const char *name)
{
	char cut[ERRAND_NAME_SIZE];

	g_strlcpy(cut, name, sizeof cut);
	for (int i = 0; i < ERRANDS_MAX; i++) {
		struct errand *errand = &errands->errand[i];

		if (*errand->name == '\0')
			memcpy(errand->name, cut, sizeof cut);
		if (strncmp(errand->name, cut, sizeof cut) == 0)
			return i;
	}
	return -1;
}

struct errand *errands_get(struct errands *errands, int number)
{
	if (errands == NULL || number < 0 || number >= ERRANDS_MAX || *errands->errand[number].name == '\0')
		return NULL;
	return &errands->errand[number];
}

void errand_add(struct errand *errand, enum errand_count count, gint64 n)
{
	if (errand != NULL)
		atomic_fetch_add(&errand->counts[count], n);
}

void errand_succeed(struct errand *errand)
{
	if (errand != NULL)
		atomic_store(&errand->succeeded_at, g_get_real_time() / G_USEC_PER_SEC);
}

gint64 errand_get(const struct errand *errand, enum errand_count count)
{
	return atomic_load(&errand->counts[count]);
}

gint64 errand_succeeded_at(const struct errand *errand)
{
	return atomic_load(&errand->succeeded_at);
}
