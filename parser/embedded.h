/*
 * embedded.h - files inside a text: in uuencode (POSIX), as in mails before MIME, or in base64 without a MIME
 * header, as broken MIME leaves it.
 *
 * base64 is recognised by the first line, which must begin like a gzip, a zip, the XML of a report, a JSON
 * object or the fields of a feedback report. The XML of an aggregate report or the JSON of a TLS report may
 * also be in the text as it is, as in a mail that was forwarded, and may begin within a line; records that
 * follow the end of such XML go with it. Knows nothing of MIME.
 */
#pragma once

#include <glib.h>

/* Called with each file. name: from uuencode, not NUL-terminated, any bytes, or NULL. data: borrowed for the
 * call, size > 0. Returning FALSE with error set ends the walk with that error. */
typedef gboolean (*embedded_cb)(
    gpointer user, const char *name, gsize name_size, const guint8 *data, gsize size, GError **error);

/* Walk the files in text[0..size), in order. Fails only if found fails. */
gboolean embedded_walk(const guint8 *text, gsize size, embedded_cb found, gpointer user,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether text begins with base64 of this kind. */
gboolean embedded_is_base64(const guint8 *text, gsize size);

/* Whether the text is nothing but base64: complete lines of it, the first of the usual length. */
gboolean embedded_is_all_base64(const guint8 *text, gsize size);

/* Whether a text that is declared as base64 has too many other characters to be that. */
gboolean embedded_is_no_base64(const guint8 *text, gsize size);

/* Decode base64, and skip other characters; padding ends only a group of four. Transfer full. */
GByteArray *embedded_decode_base64(const guint8 *text, gsize size) G_GNUC_WARN_UNUSED_RESULT;
