/*
 * message.h - a complete mail (RFC 5322, RFC 2045, RFC 2047) from a subject and a text, or parts.
 *
 * The result is ASCII if the addresses are, its lines have at most 78 characters if these do, and no text of
 * the caller can add a header. Lines end in CRLF. Parts are written, never read: only ruad-parse reads mail.
 */
#pragma once

#include "server/common/settings.h"

/* Headers of a part whose content message_quoted() writes. */
#define MESSAGE_TEXT_HEADERS(subtype)                                                                        \
	"Content-Type: text/" subtype "; charset=utf-8\r\n"                                                  \
	"Content-Transfer-Encoding: quoted-printable\r\n"

struct message {
	const char *from;      /* an address */
	const char *const *to; /* addresses, NULL-terminated; none: the mail names no recipient */
	const char *id;        /* for Message-ID, without angle brackets: message_id() */
	gint64 date;           /* seconds since 1970 */
	const char *subject;   /* UTF-8 */
	const char *text;      /* UTF-8, lines end in \n; or NULL: body */
	const char *type;      /* Content-Type of the body, without CRLF */
	const char *body;      /* as it is sent: parts with their headers */
};

GBytes *message_make(const struct message *message) G_GNUC_WARN_UNUSED_RESULT;

/* Append "name: value" and CRLF. The value may be any text; what is not printable becomes a blank, and what
 * is not ASCII is encoded. name is ASCII, ours, and short. */
void message_header(GString *out, const char *name, const char *value);

/* Append text (UTF-8, lines end in \n) as quoted-printable, and bytes as base64, in lines that end in CRLF.
 */
void message_quoted(GString *out, const char *text);
void message_base64(GString *out, const guint8 *bytes, gsize size);

/* Whether text is an address that may stand in a header and in a command of SMTP as it is. */
gboolean message_is_address(const char *text);

/* The sender of ruad's mails: notify.mail_from, or ruad at this host. Transfer full. */
char *message_sender(const struct settings *settings);

/* A new Message-ID, with the domain of that sender. Transfer full. */
char *message_id(const char *sender);
