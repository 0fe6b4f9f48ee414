/*
 * session.h - one connection: a socket joined to the LMTP protocol (lmtp.h) and to the intake (intake.h).
 *
 * Blocking code for a thread of its own. Replies to all commands that came together leave together (RFC 2920
 * section 3.2).
 */
#pragma once

#include "server/ingest/intake.h"
#include "server/ingest/lmtp.h"

struct session_options {
	struct lmtp_options lmtp;
	const char *const *recipients; /* patterns of mailboxes that are ours */
	guint timeout;                 /* seconds of silence, and for the client to take our replies */
	int stop_fd;                   /* readable once the server shuts down; never read from */
	struct intake *intake;
};

/*
 * Serve a connected stream socket until its client leaves, falls silent, or the server shuts down (a mail
 * under way is still taken); closes it. All is borrowed.
 */
void session_run(int fd, const struct session_options *options);

/* Turn a connection away: 421 and close, without waiting for anything. */
void session_refuse(int fd, const struct session_options *options);
