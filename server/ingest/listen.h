/*
 * listen.h - accepts connections on listening sockets and runs a thread for each, up to a limit.
 */
#pragma once

#include "server/ingest/session.h"

#define LISTEN_GRACE 30 /* seconds for mail in progress when the server stops */

struct listen_options {
	const int *fds; /* listening stream sockets; borrowed */
	guint n_fds;
	guint max_connections; /* beyond, one that is of no use for a second makes room, or a new one is
				  answered 421 */
	int signal_fd;         /* readable when the server must stop */
	int stop_fd;           /* an eventfd: made readable for the sessions */
	struct session_options session;
};

/*
 * Serve until signal_fd is readable; then stop accepting connections and let the sessions finish. Returns
 * TRUE when all have ended, FALSE if some have not after LISTEN_GRACE seconds.
 */
gboolean listen_run(const struct listen_options *options);
