#include "server/ingest/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/common/log.h"
#include "server/common/net.h"
#include "server/common/shares.h"

#define OUT_OF_FDS_WAIT (100 * 1000)       /* microseconds before the next try, without a free descriptor */
#define EVICT_AGE       G_TIME_SPAN_SECOND /* of a session that may have to make room for a new one */
#define EVICT_WAIT      (500 * G_TIME_SPAN_MILLISECOND)

struct server {
	const struct listen_options *options;
	GMutex lock;
	GCond ended;            /* a session has ended */
	GPtrArray *connections; /* struct connection, of the sessions that run */
	struct shares *shares;  /* of the connections */
};

/* Owned by the session's thread, but for what the lock guards. */
struct connection {
	struct server *server;
	int fd;
	int handle;       /* the same socket; only to shut it down */
	gint64 useful;    /* atomic: see session_run() */
	gboolean evicted; /* it has to leave; under the lock */
	char *client;     /* its address, or its user on a Unix socket */
};

/* Transfer full. */
static char *client_of(int fd)
{
	struct ucred user = { 0 };
	socklen_t size = sizeof user;
	char host[NI_MAXHOST], port[NI_MAXSERV];

	if (net_peer(fd, host, port))
		return g_strdup(host);
	(void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &user, &size);
	return g_strdup_printf("user %u", (guint)user.uid);
}

static void leave(struct connection *connection)
{
	struct server *server = connection->server;
	g_autoptr(GMutexLocker) G_GNUC_UNUSED locker = g_mutex_locker_new(&server->lock);

	g_ptr_array_remove_fast(server->connections, connection);
	shares_remove(server->shares, connection->client);
	g_cond_signal(&server->ended);
	close(connection->handle);
	g_free(connection->client);
	g_free(connection);
}

/* A session may have to make room for client if it has been of no use for a while, or if its own client has
 * two more connections. */
static gboolean is_evictable(
    const struct server *server, const struct connection *connection, const char *client, gint64 now)
{
	gint64 useful = __atomic_load_n(&connection->useful, __ATOMIC_RELAXED);

	return !connection->evicted && useful != G_MAXINT64 &&
	       (useful < now - EVICT_AGE ||
		   shares_of(server->shares, connection->client) > shares_of(server->shares, client) + 1);
}

/* Of two, the session of the client with more connections goes first, then the one that has been of no use
 * for longer. */
static gboolean goes_before(
    const struct server *server, const struct connection *connection, const struct connection *other)
{
	guint share = shares_of(server->shares, connection->client),
	      others = shares_of(server->shares, other->client);

	if (share != others)
		return share > others;
	return __atomic_load_n(&connection->useful, __ATOMIC_RELAXED) <
	       __atomic_load_n(&other->useful, __ATOMIC_RELAXED);
}

/* Shut down a session to make room for client. Returns FALSE if there is none that may be. */
static gboolean evict(struct server *server, const char *client)
{
	gint64 now = g_get_monotonic_time();
	struct connection *victim = NULL;

	for (guint i = 0; i < server->connections->len; i++) {
		struct connection *connection = server->connections->pdata[i];

		if (is_evictable(server, connection, client, now) &&
		    (!victim || goes_before(server, connection, victim)))
			victim = connection;
	}
	if (!victim)
		return FALSE;
	victim->evicted = TRUE;
	(void)shutdown(victim->handle, SHUT_RDWR);
	return TRUE;
}

/* Wait for room among the connections: clients that do not get on with their mail may not keep others out. */
static gboolean make_room(struct server *server, const char *client)
{
	gint64 end = g_get_monotonic_time() + EVICT_WAIT;

	if (server->connections->len >= server->options->max_connections && !evict(server, client))
		return FALSE;
	while (server->connections->len >= server->options->max_connections)
		if (!g_cond_wait_until(&server->ended, &server->lock, end))
			return FALSE;
	return TRUE;
}

/* NULL if there is no room; errno is 0 then. */
static struct connection *enter(struct server *server, int fd)
{
	g_autoptr(GMutexLocker) G_GNUC_UNUSED locker = g_mutex_locker_new(&server->lock);
	g_autofree char *client = client_of(fd);
	struct connection *connection;
	int handle;

	if (!make_room(server, client)) {
		errno = 0;
		return NULL;
	}
	handle = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (handle < 0)
		return NULL;
	shares_add(server->shares, client);
	connection = g_new0(struct connection, 1);
	*connection = (struct connection){ .server = server,
		.fd = fd,
		.handle = handle,
		.useful = g_get_monotonic_time(),
		.client = g_steal_pointer(&client) };
	g_ptr_array_add(server->connections, connection);
	return connection;
}

static gpointer connection_main(gpointer user)
{
	struct connection *connection = user;

	session_run(connection->fd, &connection->server->options->session, &connection->useful);
	leave(connection);
	return NULL;
}

static gboolean start_session(struct server *server, int fd)
{
	struct connection *connection = enter(server, fd);
	g_autoptr(GError) error = NULL;
	GThread *thread;

	if (!connection) {
		log_warning_paced("connections", "connection refused: %s",
		    errno != 0 ? g_strerror(errno) : "lmtp.max_connections are open");
		return FALSE;
	}
	thread = g_thread_try_new("session", connection_main, connection, &error);
	if (!thread) {
		log_warning_paced("thread", "connection refused: %s", error->message);
		leave(connection);
		return FALSE;
	}
	g_thread_unref(thread);
	return TRUE;
}

static void take_connection(struct server *server, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			log_warning_paced("accept", "cannot accept a connection: %s", g_strerror(errno));
			g_usleep(OUT_OF_FDS_WAIT);
		}
		return; /* anything else: the client has disconnected */
	}
	if (!start_session(server, fd))
		session_refuse(fd, &server->options->session);
}

/* The signal is the last element of fds. */
static void accept_until_stopped(struct server *server, struct pollfd *fds, nfds_t n)
{
	while (!fds[n - 1].revents) {
		if (poll(fds, n, -1) < 0)
			continue;
		for (nfds_t i = 0; i + 1 < n && !fds[n - 1].revents; i++) {
			if (fds[i].revents)
				take_connection(server, fds[i].fd);
		}
	}
}

static gboolean wait_for_sessions(struct server *server)
{
	g_autoptr(GMutexLocker) G_GNUC_UNUSED locker = g_mutex_locker_new(&server->lock);
	gint64 end = g_get_monotonic_time() + LISTEN_GRACE * G_TIME_SPAN_SECOND;

	while (server->connections->len > 0) {
		if (!g_cond_wait_until(&server->ended, &server->lock, end))
			return FALSE;
	}
	return TRUE;
}

gboolean listen_run(const struct listen_options *options)
{
	struct server *server = g_new0(struct server, 1);
	g_autofree struct pollfd *fds = g_new0(struct pollfd, options->n_fds + 1);

	server->options = options;
	g_mutex_init(&server->lock);
	g_cond_init(&server->ended);
	server->connections = g_ptr_array_new();
	server->shares = shares_new();
	for (guint i = 0; i < options->n_fds; i++) {
		/* a client that disconnects between poll() and accept() must not block us */
		(void)fcntl(options->fds[i], F_SETFL, O_NONBLOCK);
		fds[i] = (struct pollfd){ .fd = options->fds[i], .events = POLLIN };
	}
	fds[options->n_fds] = (struct pollfd){ .fd = options->signal_fd, .events = POLLIN };

	accept_until_stopped(server, fds, options->n_fds + 1);
	(void)eventfd_write(options->stop_fd, 1);
	if (!wait_for_sessions(server))
		return FALSE; /* sessions still use it */
	g_ptr_array_unref(server->connections);
	shares_free(server->shares);
	g_cond_clear(&server->ended);
	g_mutex_clear(&server->lock);
	g_free(server);
	return TRUE;
}
