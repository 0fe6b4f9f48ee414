/*
 * lmtp_client.h - mails in pieces to an LMTP server, its reply for each recipient back (RFC 2033).
 *
 * Blocking; one thread at a time. Every wait has an end: see struct lmtp_client_times. Line ends become CRLF,
 * and dots at the start of a line are doubled (RFC 5321 section 4.5.2). Knows nothing of what a mail
 * contains.
 */
#pragma once

#include <glib.h>

#define LMTP_CLIENT_REPLY_MAX 4096 /* bytes of a reply, all its lines together; ruad's have less than 400 */

/* Seconds. */
struct lmtp_client_times {
	guint connect; /* for the connection, and until the server reads more of a mail */
	guint command; /* for the greeting and the reply to a command */
	guint content; /* for the reply to a mail: the server reads and stores it before */
};

/* RFC 5321 section 4.5.3.2 asks for 5 and 10 minutes; the server is ours and near. */
#define LMTP_CLIENT_TIMES                                                                                    \
	{                                                                                                    \
		.connect = 10, .command = 60, .content = 600                                                 \
	}

/* What the server said of a mail for one recipient. */
struct lmtp_answer {
	guint code;  /* 200..599: 2xx is stored, 4xx is to be tried again later, 5xx is refused */
	char *text;  /* the reply with its code, on one line, without what a reader would not see */
	gint64 mail; /* the number of the stored mail, as ruad says it; 0 if it says none */
	gboolean is_quarantined; /* that mail was stored, but no report in it */
};
void lmtp_answer_free(struct lmtp_answer *answer); /* NULL is allowed */

struct lmtp_client;

/*
 * Connect to address (net.h) and greet the server. All functions below fail with
 *
 * RUAD_ERROR_SYSTEM  the server is not there, silent, busy or not an LMTP server, or it answered 4xx: try
 *                    again later
 * RUAD_ERROR_LIMIT   it answered 552: the mail is too large
 * RUAD_ERROR_SYNTAX  it answered another 5xx; or address is invalid
 *
 * times are copied.
 */
struct lmtp_client *lmtp_client_new(
    const char *address, const struct lmtp_client_times *times, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Closes the connection; a mail that was begun and not ended is not stored. NULL is allowed. */
void lmtp_client_free(struct lmtp_client *client);

/* Whether another mail can be sent after a function failed. */
gboolean lmtp_client_alive(const struct lmtp_client *client);

/* The last reply of the server, as lmtp_answer.text; "" if there was none. Borrowed until the next call. */
const char *lmtp_client_said(const struct lmtp_client *client);

/*
 * Begin a mail with a null reverse-path. recipients (NULL-terminated, at least one) are mailboxes without <>.
 * size is that of the mail if it is known, else 0. Fails if the server refuses every recipient.
 */
gboolean lmtp_client_begin(struct lmtp_client *client, const char *const *recipients, guint64 size,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Add bytes to the mail. */
gboolean lmtp_client_write(
    struct lmtp_client *client, const void *data, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* End the mail. Returns the answers (struct lmtp_answer) in the order of recipients, transfer full; or NULL
 * if the connection was lost: then the mail may be stored, and is a duplicate if it is sent again. */
GPtrArray *lmtp_client_end(struct lmtp_client *client, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Send a whole mail to one recipient: the three functions above. NULL with an error if it could not be sent,
 * or the server refused it before its content; otherwise the answer, transfer full.
 */
struct lmtp_answer *lmtp_client_send(struct lmtp_client *client, const char *recipient, const void *mail,
    gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A mailbox that matches a pattern of [lmtp] recipients; transfer full. */
char *lmtp_client_recipient(const char *pattern) G_GNUC_WARN_UNUSED_RESULT;
