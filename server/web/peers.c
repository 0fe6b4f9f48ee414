#include "server/web/peers.h"

#include <poll.h>
#include <string.h>

#include "server/common/shares.h"

/* A client that has only closed its sending side looks like one that is gone, so a short request is answered
 * to both. */
#define ABANDONED_AFTER G_USEC_PER_SEC

struct peer {
	int fd;
	struct client client;
	enum peer_phase phase;
	gint64 since; /* monotonic time, of the phase */
	struct work *work;
	gboolean closing; /* was shut down */
};

struct peers {
	struct peers_options options;
	GMutex lock;           /* protects the following members and those of each peer that change */
	GPtrArray *open;       /* of struct peer */
	struct shares *shares; /* of the connections, by the clients' names */
};

struct peers *peers_new(const struct peers_options *options)
{
	struct peers *peers = g_new0(struct peers, 1);

	peers->options = *options;
	peers->open = g_ptr_array_new();
	peers->shares = shares_new();
	g_mutex_init(&peers->lock);
	return peers;
}

void peers_free(struct peers *peers)
{
	if (peers == NULL)
		return;
	g_assert(peers->open->len == 0);
	g_ptr_array_unref(peers->open);
	shares_free(peers->shares);
	g_mutex_clear(&peers->lock);
	g_free(peers);
}

gboolean peers_admit(struct peers *peers, const struct sockaddr *address)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&peers->lock);
	struct client client;

	client_at(&client, address);
	return strcmp(client.name, CLIENT_UNIX) == 0 ||
	       shares_of(peers->shares, client.name) < peers->options.share;
}

/* The library sees the end of the connection and closes it. */
static void shut(struct peer *peer)
{
	peer->closing = TRUE;
	(void)shutdown(peer->fd, SHUT_RDWR);
}

/* Returns whether peer should be closed rather than other: its client has more, or it is slower. */
static gboolean is_worse(const struct peers *peers, const struct peer *peer, const struct peer *other)
{
	guint n = shares_of(peers->shares, peer->client.name);
	guint n_other = other == NULL ? 0 : shares_of(peers->shares, other->client.name);

	return other == NULL || n > n_other || (n == n_other && peer->since < other->since);
}

static void shut_worst(struct peers *peers)
{
	struct peer *worst = NULL;

	for (guint i = 0; i < peers->open->len; i++) {
		struct peer *peer = g_ptr_array_index(peers->open, i);

		if (!peer->closing && peer->phase != PEER_HANDLING && is_worse(peers, peer, worst))
			worst = peer;
	}
	if (worst != NULL)
		shut(worst);
}

struct peer *peers_add(struct peers *peers, int fd, const struct sockaddr *address)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&peers->lock);
	struct peer *peer = g_new0(struct peer, 1);

	peer->fd = fd;
	peer->phase = PEER_READING;
	peer->since = g_get_monotonic_time();
	client_at(&peer->client, address);
	if (peers->open->len >= peers->options.connections)
		shut_worst(peers);
	g_ptr_array_add(peers->open, peer);
	shares_add(peers->shares, peer->client.name);
	return peer;
}

void peers_remove(struct peers *peers, struct peer *peer)
{
	g_mutex_lock(&peers->lock);
	g_ptr_array_remove_fast(peers->open, peer);
	shares_remove(peers->shares, peer->client.name);
	g_mutex_unlock(&peers->lock);
	g_free(peer);
}

const struct client *peer_client(const struct peer *peer)
{
	return &peer->client;
}

void peer_enter(struct peers *peers, struct peer *peer, enum peer_phase phase, struct work *work)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&peers->lock);

	peer->phase = phase;
	peer->work = work;
	peer->since = g_get_monotonic_time();
}

static gboolean is_gone(int fd)
{
	struct pollfd poller = { .fd = fd, .events = POLLRDHUP };

	return poll(&poller, 1, 0) > 0;
}

/* The work of a connection whose client is gone is removed into dropped, or its run is added to runs. */
static void abandon(struct peer *peer, struct workers *workers, GPtrArray *dropped, GArray *runs)
{
	struct work_run run;

	if (workers_abandon(workers, peer->work, &run)) {
		g_ptr_array_add(dropped, peer->work);
		peer->work = NULL;
	} else if (run.serial != 0) {
		g_array_append_val(runs, run);
	}
}

static void look_at(
    struct peers *peers, struct peer *peer, struct workers *workers, GPtrArray *dropped, GArray *runs)
{
	gint64 age = g_get_monotonic_time() - peer->since;

	if (peer->phase == PEER_READING && !peer->closing && age > peers->options.timeout * G_USEC_PER_SEC)
		shut(peer);
	else if (peer->phase == PEER_HANDLING && peer->work != NULL && age > ABANDONED_AFTER &&
		 is_gone(peer->fd))
		abandon(peer, workers, dropped, runs);
}

/* Interrupting may block, so it is done without the lock. */
void peers_watch(struct peers *peers, struct workers *workers)
{
	g_autoptr(GPtrArray) dropped = g_ptr_array_new();
	g_autoptr(GArray) runs = g_array_new(FALSE, FALSE, sizeof(struct work_run));

	g_mutex_lock(&peers->lock);
	for (guint i = 0; i < peers->open->len; i++)
		look_at(peers, g_ptr_array_index(peers->open, i), workers, dropped, runs);
	g_mutex_unlock(&peers->lock);
	for (guint i = 0; i < dropped->len; i++) {
		struct work *work = g_ptr_array_index(dropped, i);

		work->done(work);
	}
	for (guint i = 0; i < runs->len; i++)
		workers_interrupt(workers, &g_array_index(runs, struct work_run, i));
}
