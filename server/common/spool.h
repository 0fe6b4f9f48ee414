/*
 * spool.h - bytes put aside to be read once more: the first MiB in memory, all of them in an unlinked
 * temporary file when they become more.
 */
#pragma once

#include <glib.h>
#include <stdio.h>

struct spool;

struct spool *spool_new(void) G_GNUC_WARN_UNUSED_RESULT;
void spool_free(struct spool *spool); /* NULL is allowed */

/* Append. RUAD_ERROR_SYSTEM when the temporary folder is full or away. */
gboolean spool_write(
    struct spool *spool, const char *data, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Write everything to out, in order. */
gboolean spool_copy(struct spool *spool, FILE *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Forget everything. */
void spool_clear(struct spool *spool);

/* A stream that appends; closing it leaves the spool as it is. Never NULL. */
FILE *spool_stream(struct spool *spool) G_GNUC_WARN_UNUSED_RESULT;
