/*
 * multipart.h - multipart/form-data in pieces (RFC 7578, RFC 2046 section 5.1): the files in it, one after
 * another.
 *
 * Fields that are not files are skipped. The input may be split anywhere. Knows nothing of HTTP.
 */
#pragma once

#include <glib.h>

#define MULTIPART_HEADER_MAX 8192 /* bytes before a file's content; browsers send some 200 */

/* A function that returns FALSE with error set ends the parse with that error. */
struct multipart_handler {
	/* A file begins; name is its filename as sent, "" if it is empty, borrowed. */
	gboolean (*begin)(gpointer user, const char *name, GError **error);
	gboolean (*data)(gpointer user, const guint8 *data, gsize size, GError **error);
	gboolean (*end)(gpointer user, GError **error);
};

/* The boundary in a Content-Type that is multipart/form-data; transfer full. NULL if it is another type, or
 * has no valid boundary. */
char *multipart_boundary(const char *content_type) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the Content-Type is multipart/form-data. */
gboolean multipart_is(const char *content_type);

struct multipart;

/* handler is borrowed. */
struct multipart *multipart_new(
    const char *boundary, const struct multipart_handler *handler, gpointer user) G_GNUC_WARN_UNUSED_RESULT;
void multipart_free(struct multipart *multipart); /* NULL is allowed */

/* RUAD_ERROR_SYNTAX if the bytes are not of that format. */
gboolean multipart_add(
    struct multipart *multipart, const guint8 *data, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* RUAD_ERROR_SYNTAX if the last boundary is missing. */
gboolean multipart_end(const struct multipart *multipart, GError **error) G_GNUC_WARN_UNUSED_RESULT;
