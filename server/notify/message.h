/*
 * message.h - a complete mail (RFC 5322, RFC 2045, RFC 2047) from a subject and a text.
 *
 * The result is ASCII if the addresses are, its lines have at most 78 characters if these do, and no text of
 * the caller can add a header.
 */
#pragma once

#include "server/common/settings.h"

struct message {
	const char *from;      /* an address */
	const char *const *to; /* addresses, NULL-terminated, one at least */
	const char *id;        /* for Message-ID, without angle brackets: message_id() */
	gint64 date;           /* seconds since 1970 */
	const char *subject;   /* UTF-8 */
	const char *text;      /* UTF-8, lines end in \n */
};

GBytes *message_make(const struct message *message) G_GNUC_WARN_UNUSED_RESULT;

/* Append "name: value" and CRLF. The value may be any text; what is not printable becomes a blank, and what
 * is not ASCII is encoded. name is ASCII, ours, and short. */
void message_header(GString *out, const char *name, const char *value);

/* The sender of ruad's mails: notify.mail_from, or ruad at this host. Transfer full. */
char *message_sender(const struct settings *settings);

/* A new Message-ID, with the domain of that sender. Transfer full. */
char *message_id(const char *sender);
