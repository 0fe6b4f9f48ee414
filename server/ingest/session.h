/*
 * session.h - one connection: connects a socket with the LMTP protocol (lmtp.h) and the intake (intake.h).
 *
 * Blocking code for a separate thread. Replies to commands that arrived together are sent together (RFC 2920
 * section 3.2).
 */
#pragma once

#include "server/ingest/intake.h"
#include "server/ingest/lmtp.h"

#define SESSION_GRACE 30 /* seconds before min_rate is asked of a client */

struct session_options {
	struct lmtp_options lmtp;
	const char *const *recipients; /* patterns of our mailboxes */
	guint timeout;                 /* seconds for the commands of a mail, and to read our replies */
	guint max_time;                /* seconds for the content of a mail, */
	guint64 min_rate;              /* which comes with so many bytes a second after SESSION_GRACE */
	gssize *memory;                /* bytes that all sessions may still use for content (atomic) */
	int stop_fd;                   /* readable once the server shuts down; never read from */
	struct intake *intake;
	struct vitals *vitals; /* borrowed, or NULL */
};

/*
 * Serve a connected stream socket until its client disconnects or is too slow, or the server shuts down (a
 * mail in progress has another second); closes it. Everything is borrowed.
 *
 * *useful (atomic) is the monotonic time at which the session was last of use: when it began, or ended a
 * mail; G_MAXINT64 while it stores one.
 */
void session_run(int fd, const struct session_options *options, gint64 *useful);

/* Reject a connection: send 421 and close it, without waiting. */
void session_refuse(int fd, const struct session_options *options);
