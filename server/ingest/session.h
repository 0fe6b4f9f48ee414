/*
 * session.h - one connection: connects a socket with the LMTP protocol (lmtp.h) and the intake (intake.h).
 *
 * Blocking code for a separate thread. Replies to commands that arrived together are sent together (RFC 2920
 * section 3.2).
 */
#pragma once

#include "server/ingest/intake.h"
#include "server/ingest/lmtp.h"

struct session_options {
	struct lmtp_options lmtp;
	const char *const *recipients; /* patterns of our mailboxes */
	guint timeout;                 /* seconds of idle time, and for the client to read our replies */
	int stop_fd;                   /* readable once the server shuts down; never read from */
	struct intake *intake;
};

/*
 * Serve a connected stream socket until its client disconnects or times out, or the server shuts down (a mail
 * in progress is still received); closes it. Everything is borrowed.
 */
void session_run(int fd, const struct session_options *options);

/* Reject a connection: send 421 and close it, without waiting. */
void session_refuse(int fd, const struct session_options *options);
