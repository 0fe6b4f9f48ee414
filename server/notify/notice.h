/*
 * notice.h - notices as texts for people: subject and text of a mail, and lines for a chat.
 *
 * The database has made the texts of reports visible and short (ruad.notice_text()). They still may be
 * whatever a stranger wants: message.h and notice_hook.h escape what their formats interpret.
 */
#pragma once

#include "server/common/settings.h"

/* The columns of ruad.notices_take(), borrowed. */
struct notice {
	const char *event; /* new, worse, resolved, or test */
	const char *key;
	const char *kind;
	const char *domain; /* or NULL */
	const char *source; /* or NULL */
	const char *severity;
	const char *title;
	const char *evidence;
	const char *action;
	const char *since;      /* RFC 3339 */
	const char *gone_since; /* the same; NULL: it is present */
};

/* The notices of one message, sorted by event. */
struct notices {
	const struct notice *notice;
	gsize n;          /* one at least */
	const char *host; /* the name of this machine */
};

/* The notice of `ruad notify --test`. */
extern const struct notice notice_of_test;

/* One line, without "[ruad]". Transfer full. */
char *notice_subject(const struct notices *notices);

/* The text of the mail. Transfer full. */
char *notice_text(const struct notices *notices);

/* One notice in one line, with what to do. Transfer full. */
char *notice_line(const struct notice *notice);

/* The whole mail, with a Message-ID of its own, to notify.mail_to. Transfer full. */
GBytes *notice_message(const struct settings *settings, const struct notices *notices);
