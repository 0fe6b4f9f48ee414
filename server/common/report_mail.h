/*
 * report_mail.h - a report file in pieces becomes a mail with it as the one attachment, in base64 (RFC 2045,
 * RFC 2183), so that a report that is not a mail takes the same path as mail, with the same limits. Its media
 * type (MAIL_FILE_TYPE) makes the parser read it as the file that it is, so that it may be a copy of another
 * program.
 *
 * Lines end with LF; lmtp_client.h makes CRLF of it. The file's name is kept (RFC 2231): it often says what
 * the report is about. Knows no sockets and touches no file.
 */
#pragma once

#include <glib.h>

#define REPORT_MAIL_HEAD     512 /* bytes from the start that tell a mail from a report file */
#define REPORT_MAIL_NAME_MAX 255 /* bytes of a file's name that are kept; Linux allows no more */

/* Whether the document that begins with head[0..size) is a mail: its first line is a header field or the
 * separator of an mbox. All of it, or REPORT_MAIL_HEAD bytes. */
gboolean report_mail_is_mail(const guint8 *head, gsize size);

struct report_mail;

/* name is that of the file, of any bytes, with or without folders; NULL or "": it has none. */
struct report_mail *report_mail_new(const char *name) G_GNUC_WARN_UNUSED_RESULT;
void report_mail_free(struct report_mail *mail); /* NULL is allowed */

/* Append the next piece of the mail to out: the header comes with the first. */
void report_mail_add(struct report_mail *mail, const guint8 *data, gsize size, GString *out);

/* Append what is left. The mail is complete then. */
void report_mail_end(struct report_mail *mail, GString *out);

/* A whole document as mail: itself if it is one, otherwise wrapped. */
GBytes *report_mail_of(GBytes *document, const char *name) G_GNUC_WARN_UNUSED_RESULT;
