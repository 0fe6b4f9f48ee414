/*
 * spool.h - a buffer of bytes to be read again: the first MiB is in memory; if there are more, all of them
 * are in an unnamed temporary file.
 */
#pragma once

#include <glib.h>
#include <stdio.h>

struct spool;

/* folder (copied) is where the file is created if possible; otherwise, or if it is NULL, in the folder for
 * temporary files. */
struct spool *spool_new(const char *folder) G_GNUC_WARN_UNUSED_RESULT;
void spool_free(struct spool *spool); /* NULL is allowed */

/* Append bytes. RUAD_ERROR_SYSTEM if the temporary folder is full or missing. */
gboolean spool_write(
    struct spool *spool, const char *data, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Write everything to out, in order. */
gboolean spool_copy(struct spool *spool, FILE *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The number of bytes that were appended. */
guint64 spool_size(const struct spool *spool);

/* Returns TRUE once the bytes are in a file. */
gboolean spool_in_file(const struct spool *spool);

/* Read size bytes from position at; they must have been appended. RUAD_ERROR_SYSTEM if the file cannot be
 * read. */
gboolean spool_read(
    const struct spool *spool, guint64 at, void *data, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Remove all bytes. */
void spool_clear(struct spool *spool);

/* A stream that appends; closing it does not change the spool. Never NULL. */
FILE *spool_stream(struct spool *spool) G_GNUC_WARN_UNUSED_RESULT;
