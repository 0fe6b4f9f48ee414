#include "server/common/shared_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parser/error.h"

static void fail_errno(GError **error, const char *what)
{
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "%s: %s", what, g_strerror(errno));
}

int shared_memory_create(const char *name, gsize size, GError **error)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && ftruncate(fd, (off_t)size) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		return fd;
	fail_errno(error, "cannot make shared memory");
	if (fd >= 0)
		close(fd);
	return -1;
}

gpointer shared_memory_open(int fd, gsize size, gboolean writable, GError **error)
{
	struct stat status;
	gpointer memory = MAP_FAILED;

	if (fstat(fd, &status) == 0 && status.st_size == (off_t)size)
		memory = mmap(NULL, size, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
	else
		errno = EINVAL;
	if (memory == MAP_FAILED)
		fail_errno(error, "cannot use the shared memory for numbers");
	close(fd);
	return memory == MAP_FAILED ? NULL : memory;
}

void shared_memory_close(gpointer memory, gsize size)
{
	if (memory != NULL)
		munmap(memory, size);
}
