#include "server/common/outcome.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parser/error.h"

/* Times of CLOCK_MONOTONIC, which all processes share; 0: the last mail was stored. */
struct outcome {
	_Atomic gint64 first_failed_at;
	_Atomic gint64 last_failed_at;
};

static gboolean fail_errno(GError **error, const char *what)
{
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "%s: %s", what, g_strerror(errno));
	return FALSE;
}

/* A process that could shrink the memory would end the other one by SIGBUS. */
int outcome_create(GError **error)
{
	int fd = memfd_create("outcome", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && ftruncate(fd, sizeof(struct outcome)) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		return fd;
	fail_errno(error, "cannot make shared memory");
	if (fd >= 0)
		close(fd);
	return -1;
}

struct outcome *outcome_open(int fd, gboolean writable, GError **error)
{
	struct stat status;
	void *memory = MAP_FAILED;

	if (fstat(fd, &status) == 0 && status.st_size == sizeof(struct outcome))
		memory = mmap(NULL, sizeof(struct outcome), writable ? PROT_READ | PROT_WRITE : PROT_READ,
		    MAP_SHARED, fd, 0);
	else
		errno = EINVAL;
	if (memory == MAP_FAILED)
		fail_errno(error, "cannot use the memory for the outcome of mails");
	close(fd);
	return memory == MAP_FAILED ? NULL : memory;
}

void outcome_close(struct outcome *outcome)
{
	if (outcome != NULL)
		munmap(outcome, sizeof(struct outcome));
}

void outcome_tell(struct outcome *outcome, gboolean stored)
{
	gint64 now = stored ? 0 : g_get_monotonic_time();

	if (outcome == NULL)
		return;
	if (stored || atomic_load(&outcome->first_failed_at) == 0)
		atomic_store(&outcome->first_failed_at, now);
	atomic_store(&outcome->last_failed_at, now);
}

gint64 outcome_failing(const struct outcome *outcome)
{
	gint64 now = g_get_monotonic_time();
	gint64 first = outcome != NULL ? atomic_load(&outcome->first_failed_at) : 0;
	gint64 last = outcome != NULL ? atomic_load(&outcome->last_failed_at) : 0;

	if (first == 0 || last == 0 || now - last > OUTCOME_VALID * G_TIME_SPAN_SECOND)
		return -1;
	return (now - first) / G_TIME_SPAN_SECOND;
}
