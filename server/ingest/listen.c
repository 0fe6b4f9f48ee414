#include "server/ingest/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/common/log.h"

#define OUT_OF_FDS_WAIT                                                                                      \
	(100 *                                                                                               \
	    1000) /* microseconds before the next try, when we have no more descriptors                   \
		      */

struct server {
	const struct listen_options *options;
	GMutex lock;
	GCond ended; /* a session has ended */
	guint connections;
};

/* Owned by the session's thread. */
struct connection {
	struct server *server;
	int fd;
};

static void leave(struct server *server)
{
	g_autoptr(GMutexLocker) G_GNUC_UNUSED locker = g_mutex_locker_new(&server->lock);

	server->connections--;
	g_cond_signal(&server->ended);
}

static gboolean enter(struct server *server)
{
	g_autoptr(GMutexLocker) G_GNUC_UNUSED locker = g_mutex_locker_new(&server->lock);

	if (server->connections >= server->options->max_connections)
		return FALSE;
	server->connections++;
	return TRUE;
}

static gpointer connection_main(gpointer user)
{
	g_autofree struct connection *connection = user;

	session_run(connection->fd, &connection->server->options->session);
	leave(connection->server);
	return NULL;
}

static gboolean start_session(struct server *server, int fd)
{
	struct connection *connection = g_new(struct connection, 1);
	g_autoptr(GError) error = NULL;
	GThread *thread;

	*connection = (struct connection){ .server = server, .fd = fd };
	thread = g_thread_try_new("session", connection_main, connection, &error);
	if (!thread) {
		log_warning("connection refused: %s", error->message);
		g_free(connection);
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
			log_warning("cannot accept a connection: %s", g_strerror(errno));
			g_usleep(OUT_OF_FDS_WAIT);
		}
		return; /* anything else: the client has disconnected */
	}
	if (!enter(server)) {
		log_warning("connection refused: lmtp.max_connections are open");
		session_refuse(fd, &server->options->session);
	} else if (!start_session(server, fd)) {
		session_refuse(fd, &server->options->session);
		leave(server);
	}
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

	while (server->connections > 0) {
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
	g_cond_clear(&server->ended);
	g_mutex_clear(&server->lock);
	g_free(server);
	return TRUE;
}
