/*
 * lmtp.h - one LMTP session: bytes from the client in, replies out (RFC 2033).
 *
 * The rules are those of RFC 5321 with PIPELINING (RFC 2920), ENHANCEDSTATUSCODES (RFC 2034), SIZE (RFC
 * 1870), 8BITMIME (RFC 6152) and SMTPUTF8 (RFC 6531). The input may be split anywhere; the replies are the
 * same. Knows no sockets, no clock and nothing of reports: two functions of the caller check recipients and
 * receive the mail.
 */
#pragma once

#include <glib.h>

#define LMTP_MAX_LINE                                                                                        \
	4096 /* octets of a command line with its CRLF: twice what RFC 5321 4.5.3 and the extensions add up  \
		to */
#define LMTP_MAX_RECIPIENTS 1000 /* of one mail; RFC 5321 4.5.3.1.8 requires 100, Postfix sends 50 */
#define LMTP_MAX_REPLY                                                                                       \
	200 /* octets: Exim's lmtp transport reads a reply of at most about 245 octets, all lines together   \
	     */
#define LMTP_MAX_USELESS                                                                                     \
	100 /* commands between two mails that lead to neither (NOOP, RSET, errors ...); MTAs send a         \
	     * few */
#define LMTP_SMALL_MAIL (1024 * 1024) /* octets of content that need no room() */
#define LMTP_MAX_NAME   64            /* octets of our host's name in a reply; the limit of Linux */

/* All replies except the one to LHLO. */
enum lmtp_reply {
	LMTP_GREETING,
	LMTP_OK,
	LMTP_SENDER_OK,
	LMTP_RECIPIENT_OK,
	LMTP_START_MAIL,
	LMTP_VRFY,
	LMTP_HELP,
	LMTP_BYE,
	LMTP_STORED,
	LMTP_QUARANTINED, /* stored, but nothing in it is a report that could be stored */
	LMTP_FAILED,      /* ruad failed: the client keeps the mail and tries again */
	LMTP_SHUTTING_DOWN,
	LMTP_BUSY,
	LMTP_TIMEOUT,
	LMTP_TOO_MANY_COMMANDS,
	LMTP_NO_ROOM, /* the client keeps the mail and tries again, */
	LMTP_FULL,    /* as it does here */
	LMTP_TOO_MANY_RECIPIENTS,
	LMTP_UNKNOWN_COMMAND,
	LMTP_NOT_LHLO,
	LMTP_LINE_TOO_LONG,
	LMTP_BAD_LINE,
	LMTP_BAD_ARGUMENT,
	LMTP_BAD_SENDER,
	LMTP_BAD_RECIPIENT,
	LMTP_NO_LHLO,
	LMTP_NESTED_MAIL,
	LMTP_NO_MAIL,
	LMTP_NO_RECIPIENT,
	LMTP_UNKNOWN_RECIPIENT,
	LMTP_TOO_BIG,
	LMTP_UNKNOWN_PARAMETER,
	LMTP_REPLIES /* their number */
};

/* Append the reply's line; name is the name of our host. */
void lmtp_reply_append(GString *output, enum lmtp_reply reply, const char *name);

/* A mail with all its recipients, borrowed for the call. */
struct lmtp_mail {
	const char *from; /* reverse-path without <>, "" for the null one; UTF-8 */
	const char *const
	    *recipients;    /* NULL-terminated; in RCPT order, repeated if the client repeats them; UTF-8 */
	guint n_recipients; /* >= 1 */
	const guint8 *content; /* without dot stuffing, line ends unchanged */
	gsize size;            /* octets, <= max_message_size */
};

struct lmtp_handler {
	/* May content of this many octets be kept in memory? It was asked for less before, and for more than
	 * LMTP_SMALL_MAIL only; a refused mail is answered LMTP_NO_ROOM. 0: the content is gone. NULL: it
	 * always may. */
	gboolean (*room)(gpointer user, gsize size);
	/* Returns whether the mailbox exists; address is normalised, see lmtp_address_parse(). */
	gboolean (*recipient)(gpointer user, const char *address);
	/* A reply with this code will be sent. NULL: nobody wants to know. */
	void (*replied)(gpointer user, guint code);
	/* Receive the mail and set replies[0..n_recipients), which are LMTP_FAILED when called. Returns the
	 * number of the mail for the replies LMTP_STORED and LMTP_QUARANTINED, or 0 if they are to have
	 * none. */
	gint64 (*mail)(gpointer user, const struct lmtp_mail *mail, enum lmtp_reply *replies);
};

struct lmtp_options {
	const char *name;       /* of our host; truncated to LMTP_MAX_NAME */
	gsize max_message_size; /* octets, 1 .. G_MAXUINT32 / 2 */
	guint max_recipients;   /* of one mail, >= 1 */
};

struct lmtp;

/* A new session; its output contains the greeting. options are copied, handler is borrowed. */
struct lmtp *lmtp_new(const struct lmtp_options *options, const struct lmtp_handler *handler, gpointer user);
void lmtp_free(struct lmtp *lmtp); /* NULL is allowed */

/* Process bytes of the client; calls handler->mail() once for each mail that ends in them. Ignored after the
 * end. */
void lmtp_input(struct lmtp *lmtp, const char *bytes, gsize size);

/* The replies that were not sent yet, borrowed; the caller sends and truncates them. */
GString *lmtp_output(struct lmtp *lmtp);

/* TRUE after QUIT or lmtp_close(): send the output, then close. */
gboolean lmtp_ended(const struct lmtp *lmtp);

/* TRUE while the content of a mail is being received; between mails the session may be closed without
 * loss. */
gboolean lmtp_in_data(const struct lmtp *lmtp);

/* End the session from our side with LMTP_SHUTTING_DOWN, LMTP_BUSY or LMTP_TIMEOUT. */
void lmtp_close(struct lmtp *lmtp, enum lmtp_reply reply);

/*
 * Read a path, "<...>" at the start of text (RFC 5321 section 4.1.2): its address, transfer full, or NULL if
 * it is invalid. A source route is dropped; a quoted local part that needs no quotes loses them; "<>" is "".
 * An address may lack a domain. *end points after '>'.
 */
char *lmtp_address_parse(const char *text, const char **end) G_GNUC_WARN_UNUSED_RESULT;

/* Returns whether address matches one of patterns (NULL-terminated): '*' and '?' as in a shell, over the
 * whole address; ASCII letters match in either case, in the local part as well. */
gboolean lmtp_recipient_match(const char *const *patterns, const char *address);
