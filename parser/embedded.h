/*
 * embedded.h - the files that stand in a text: in uuencode (POSIX), as mails had them before MIME, or in base64 without
 * a header, as MIME that broke on the way leaves them.
 *
 * base64 counts where a line begins as that of a gzip, a zip, the XML of a report, a JSON object or the fields of a
 * feedback report does. Knows nothing of MIME.
 */
#pragma once

#include <glib.h>

/* A file. name: from uuencode, not NUL-terminated and of any bytes, or NULL; data: borrowed for the call, size > 0.
 * FALSE with error set ends the walk. */
typedef gboolean (*embedded_cb)(
    gpointer user, const char *name, gsize name_size, const guint8 *data, gsize size, GError **error);

/* Walk the files in text[0..size), in order. Fails only when found did. */
gboolean embedded_walk(const guint8 *text, gsize size, embedded_cb found, gpointer user,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The text begins with such base64. */
gboolean embedded_is_base64(const guint8 *text, gsize size);

/* Decode base64, passing over all that is none of it; padding only ends a group of four. Transfer full. */
GByteArray *embedded_decode_base64(const guint8 *text, gsize size) G_GNUC_WARN_UNUSED_RESULT;
