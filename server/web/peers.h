/*
 * peers.h - the open connections of a server: how many each client has, what each is doing and for how long.
 *
 * A client has a share of the connections. If more are open than allowed, the slowest one of the client with
 * the most is closed. A request that does not arrive in time is closed, too. Thread-safe. Knows nothing of
 * HTTP: it sees sockets and shuts them down, and the library then notices.
 */
#pragma once

#include "server/web/client.h"
#include "server/web/workers.h"

enum peer_phase {
	PEER_READING,  /* a request, or waiting for the next one */
	PEER_HANDLING, /* work is in progress; the socket is not read */
	PEER_SENDING,
};

struct peer; /* one connection */
struct peers;

struct peers_options {
	guint connections; /* at most */
	guint share;       /* of one client; a Unix socket has no limit of its own */
	guint timeout;     /* seconds for a request to arrive, also counted while the connection is idle */
};

struct peers *peers_new(const struct peers_options *options);
void peers_free(struct peers *peers); /* NULL is allowed; no connection may be left */

/* Returns whether a client may open another connection. */
gboolean peers_admit(struct peers *peers, const struct sockaddr *address);

/* A connection was opened; it is in PEER_READING. Closes another one if there are too many. */
struct peer *peers_add(struct peers *peers, int fd, const struct sockaddr *address);

/* Before its descriptor is closed. */
void peers_remove(struct peers *peers, struct peer *peer);

/* Its client; constant. */
const struct client *peer_client(const struct peer *peer);

/* Enter a phase; work (borrowed) is that of PEER_HANDLING, else NULL. */
void peer_enter(struct peers *peers, struct peer *peer, enum peer_phase phase, struct work *work);

/* Close connections on which no request arrived in time, and abandon work whose client has closed its side:
 * call it several times a second. */
void peers_watch(struct peers *peers, struct workers *workers);
