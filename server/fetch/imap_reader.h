/*
 * imap_reader.h - splits the bytes of an IMAP server into answers: lines, with literals inside them (RFC 9051
 * sections 2.2.2 and 4.3).
 *
 * Everything is bounded, since the server is not trusted. Knows nothing of what an answer means.
 */
#pragma once

#include <glib.h>

#define IMAP_LINE_MAX     (128 * 1024) /* bytes of an answer without its literals; a search has 64 KiB */
#define IMAP_LITERALS_MAX 64           /* of one answer */

/* What becomes of the parts; a callback that fails ends the reading. */
struct imap_sink {
	/* A literal of size bytes begins; line is the answer before it, without "{size}". */
	gboolean (*literal)(const char *line, guint64 size, gpointer user, GError **error);
	/* Bytes of the literal. */
	gboolean (*bytes)(const char *data, gsize size, gpointer user, GError **error);
	/* The answer is complete: without CRLF, each literal replaced by "{}". No NUL bytes. */
	gboolean (*line)(const char *line, gpointer user, GError **error);
	gpointer user;
};

struct imap_reader;

struct imap_reader *imap_reader_new(const struct imap_sink *sink) G_GNUC_WARN_UNUSED_RESULT; /* copied */
void imap_reader_free(struct imap_reader *reader); /* NULL is allowed */

/*
 * Read on. Answers may be split anywhere.
 *
 * RUAD_ERROR_SYNTAX  a NUL byte, a line without CRLF, a literal without a valid size
 * RUAD_ERROR_LIMIT   more than the limits above
 */
gboolean imap_reader_push(
    struct imap_reader *reader, const char *data, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
