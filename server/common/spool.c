#include "server/common/spool.h"

#include <errno.h>
#include <unistd.h>

#include "parser/error.h"

#define MEMORY_MAX (1024 * 1024) /* bytes */

struct spool {
	GString *memory; /* what is not in the file */
	int fd;          /* -1 until it is needed */
};

static gboolean fail(GError **error, const char *what)
{
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "could not %s: %s", what, g_strerror(errno));
	return FALSE;
}

struct spool *spool_new(void)
{
	struct spool *spool = g_new0(struct spool, 1);
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
}

void spool_free(struct spool *spool)
{
	if (spool == NULL)
		return;
	spool_clear(spool);
	g_string_free(spool->memory, TRUE);
	g_free(spool);
}

static gboolean open_file(struct spool *spool, GError **error)
{
	g_autofree char *name = NULL;
	g_autoptr(GError) problem = NULL;
	spool->fd = g_file_open_tmp("ruad-XXXXXX", &name, &problem);
	if (spool->fd < 0) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "%s", problem->message);
		return FALSE;
	}
	unlink(name);
	return TRUE;
}

/* Move the memory's bytes to the file's end. */
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
	g_string_truncate(spool->memory, 0);
	return TRUE;
}

gboolean spool_write(struct spool *spool, const char *data, gsize size, GError **error)
{
	g_string_append_len(spool->memory, data, (gssize)size);
	return spool->memory->len <= MEMORY_MAX || flush_memory(spool, error);
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
