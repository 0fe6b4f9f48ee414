/*
 * spool.h - bytes put aside to be read once more: the first MiB in memory, all of them in a temporary file without a name
 * when they become more.
 */
#pragma once

#include <glib.h>
#include <stdio.h>

struct spool;

/* folder, copied, is where a file goes if that is possible; else, or if it is NULL, to the folder of temporary files. */
struct spool *spool_new(const char *folder) G_GNUC_WARN_UNUSED_RESULT;
void spool_free(struct spool *spool); /* NULL is allowed */

/* Append. RUAD_ERROR_SYSTEM when the temporary folder is full or away. */
gboolean spool_write(
    struct spool *spool, const char *data, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Write everything to out, in order. */
gboolean spool_copy(struct spool *spool, FILE *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Bytes that were appended. */
guint64 spool_size(const struct spool *spool);

/* TRUE once they became too many for memory. */
gboolean spool_in_file(const struct spool *spool);

/* Read size bytes that begin at; they were appended. RUAD_ERROR_SYSTEM when the file cannot be read. */
gboolean spool_read(
    const struct spool *spool, guint64 at, void *data, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Forget everything. */
void spool_clear(struct spool *spool);

/* A stream that appends; closing it leaves the spool as it is. Never NULL. */
FILE *spool_stream(struct spool *spool) G_GNUC_WARN_UNUSED_RESULT;
