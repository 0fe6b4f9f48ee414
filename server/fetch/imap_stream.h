/*
 * imap_stream.h - a connection to an IMAP server on which the user is signed in.
 *
 * libcurl makes it: TLS with a valid certificate, STARTTLS where the URL begins with imap://, and LOGIN or
 * SASL (RFC 9051 section 6.2). The bytes after that are ours (CURLOPT_CONNECT_ONLY): libcurl's own IMAP
 * commands cut long answers, mark every mail that they fetch as \Seen, and know no IDLE.
 */
#pragma once

#include "server/fetch/account.h"

#define IMAP_STREAM_CONNECT_SECONDS 60 /* until the user is signed in */

struct imap_stream;

/*
 * token is the access token of OAuth 2, or NULL to use the password.
 *
 * RUAD_ERROR_SYNTAX  the server refuses the user or the password
 * RUAD_ERROR_SYSTEM  no connection, no TLS, or no valid certificate
 */
struct imap_stream *imap_stream_open(
    const struct account *account, const char *token, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void imap_stream_close(struct imap_stream *stream); /* NULL is allowed */

gboolean imap_stream_write(
    struct imap_stream *stream, const char *data, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Wait at most for seconds, and read into data[0..size). Returns how much; 0 if there was nothing in time, or
 * wake (a descriptor, or -1) was readable first; -1 with RUAD_ERROR_SYSTEM if the connection is lost.
 */
gssize imap_stream_read(struct imap_stream *stream, char *data, gsize size, guint seconds, int wake,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;
