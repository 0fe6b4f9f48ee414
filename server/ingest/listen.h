/*
 * listen.h - accepts connections on listening sockets and runs a thread for each, up to a number.
 */
#pragma once

#include "server/ingest/session.h"

#define LISTEN_GRACE 30 /* seconds for mails that are under way when the server stops */

struct listen_options {
	const int *fds; /* listening stream sockets; borrowed */
	guint n_fds;
	guint max_connections; /* more are answered 421 */
	int signal_fd;         /* readable once the server is to stop */
	int stop_fd;           /* an eventfd: made readable for the sessions */
	struct session_options session;
};

/*
 * Serve until signal_fd is readable; then take no more connections, let the sessions end what is under way,
 * and return TRUE when all have ended, FALSE when some had not after LISTEN_GRACE seconds.
 */
gboolean listen_run(const struct listen_options *options);
