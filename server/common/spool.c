#include "server/common/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "parser/error.h"

#define MEMORY_MAX (1024 * 1024) /* bytes */

struct spool {
	char *folder;
	GString *memory; /* bytes that are not in the file */
	guint64 in_file; /* bytes */
	int fd;          /* -1 until it is needed */
};

static gboolean fail(GError **error, const char *what)
{
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "could not %s: %s", what, g_strerror(errno));
	return FALSE;
}

struct spool *spool_new(const char *folder)
{
	struct spool *spool = g_new0(struct spool, 1);
	spool->folder = g_strdup(folder);
	spool->memory = g_string_new(NULL);
	spool->fd = -1;
	return spool;
}

void spool_clear(struct spool *spool)
{
	g_string_truncate(spool->memory, 0);
	if (spool->fd >= 0)
		close(spool->fd);
	spool->fd = -1;
	spool->in_file = 0;
}

void spool_free(struct spool *spool)
{
	if (spool == NULL)
		return;
	spool_clear(spool);
	g_string_free(spool->memory, TRUE);
	g_free(spool->folder);
	g_free(spool);
}

/* Open an unnamed file in folder, or return -1: not every file system supports O_TMPFILE. */
static int open_nameless(const char *folder)
{
	int fd = open(folder, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
	g_autofree char *name = g_build_filename(folder, "ruad-XXXXXX", NULL);
	if (fd >= 0)
		return fd;
	fd = g_mkstemp_full(name, O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (fd >= 0)
		unlink(name);
	return fd;
}

static gboolean open_file(struct spool *spool, GError **error)
{
	if (spool->folder != NULL)
		spool->fd = open_nameless(spool->folder);
	if (spool->fd < 0)
		spool->fd = open_nameless(g_get_tmp_dir());
	return spool->fd >= 0 || fail(error, "make a temporary file");
}

/* Move the bytes in memory to the end of the file. */
static gboolean flush_memory(struct spool *spool, GError **error)
{
	const char *data = spool->memory->str;
	gsize left = spool->memory->len;
	if (spool->fd < 0 && !open_file(spool, error))
		return FALSE;
	while (left > 0) {
		ssize_t n = write(spool->fd, data, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(error, "write to a temporary file");
		data += n;
		left -= (gsize)n;
	}
	spool->in_file += spool->memory->len;
	g_string_truncate(spool->memory, 0);
	return TRUE;
}

gboolean spool_write(struct spool *spool, const char *data, gsize size, GError **error)
{
	g_string_append_len(spool->memory, data, (gssize)size);
	return spool->memory->len <= MEMORY_MAX || flush_memory(spool, error);
}

guint64 spool_size(const struct spool *spool)
{
	return spool->in_file + spool->memory->len;
}

gboolean spool_in_file(const struct spool *spool)
{
	return spool->fd >= 0;
}

/* Read size bytes of the file. */
static gboolean read_file(int fd, guint64 at, char *data, gsize size, GError **error)
{
	while (size > 0) {
		ssize_t n = pread(fd, data, size, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO; /* the file was truncated */
		if (n <= 0)
			return fail(error, "read a temporary file");
		data += n;
		at += (guint64)n;
		size -= (gsize)n;
	}
	return TRUE;
}

gboolean spool_read(const struct spool *spool, guint64 at, void *data, gsize size, GError **error)
{
	gsize first = at < spool->in_file ? (gsize)MIN(size, spool->in_file - at) : 0;

	g_assert(at + size <= spool_size(spool));
	if (first > 0 && !read_file(spool->fd, at, data, first, error))
		return FALSE;
	if (size > first)
		memcpy(
		    (char *)data + first, spool->memory->str + (at + first - spool->in_file), size - first);
	return TRUE;
}

static gboolean copy_file(int fd, FILE *out, GError **error)
{
	static const gsize piece = 256 * 1024;
	g_autofree char *data = g_malloc(piece);
	off_t at = 0;
	for (;;) {
		ssize_t n = pread(fd, data, piece, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(error, "read a temporary file");
		if (n == 0)
			return TRUE;
		if (fwrite(data, 1, (gsize)n, out) != (gsize)n)
			return fail(error, "write the output");
		at += n;
	}
}

gboolean spool_copy(struct spool *spool, FILE *out, GError **error)
{
	if (spool->fd >= 0 && !copy_file(spool->fd, out, error))
		return FALSE;
	if (fwrite(spool->memory->str, 1, spool->memory->len, out) != spool->memory->len)
		return fail(error, "write the output");
	return TRUE;
}

static ssize_t write_cookie(void *cookie, const char *data, size_t size)
{
	g_autoptr(GError) error = NULL;
	if (spool_write(cookie, data, size, &error))
		return (ssize_t)size;
	errno = ENOSPC;
	return 0;
}

FILE *spool_stream(struct spool *spool)
{
	FILE *stream = fopencookie(spool, "w", (cookie_io_functions_t){ .write = write_cookie });
	g_assert(stream != NULL);
	return stream;
}
