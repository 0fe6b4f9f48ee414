#include "tests/unit/ingest/away.h"

#include <glib/gstdio.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/worker/cm.h"

#define PORT "5432" /* part of the socket's name */

struct away {
	char *folder, *path, *conninfo;
	int fd, stop_fd;
	gint attempts; /* atomic */
	GThread *thread;
};

static gpointer take_and_close(gpointer user)
{
	struct away *away = user;
	struct pollfd fds[] = { { .fd = away->fd, .events = POLLIN },
		{ .fd = away->stop_fd, .events = POLLIN } };

	while (poll(fds, G_N_ELEMENTS(fds), -1) < 0 || !fds[1].revents) {
		int connection = fds[0].revents ? accept4(away->fd, NULL, NULL, SOCK_CLOEXEC) : -1;

		if (connection < 0)
			continue;
		g_atomic_int_inc(&away->attempts);
		close(connection);
	}
	return NULL;
}

struct away *away_new(void)
{
	struct away *away = g_new0(struct away, 1);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	away->folder = g_dir_make_tmp("ruad-away-XXXXXX", NULL);
	away->path = g_strdup_printf("%s/.s.PGSQL." PORT, away->folder);
	away->conninfo = g_strdup_printf("host=%s port=" PORT " user=nobody dbname=none", away->folder);
	assert_true(
	    g_strlcpy(address.sun_path, away->path, sizeof address.sun_path) < sizeof address.sun_path);
	away->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(away->fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(away->fd, 10), 0);
	away->stop_fd = eventfd(0, EFD_CLOEXEC);
	away->thread = g_thread_new("away", take_and_close, away);
	return away;
}

void away_free(struct away *away)
{
	assert_int_equal(eventfd_write(away->stop_fd, 1), 0);
	g_thread_join(away->thread);
	close(away->fd);
	close(away->stop_fd);
	g_unlink(away->path);
	g_rmdir(away->folder);
	g_free(away->folder);
	g_free(away->path);
	g_free(away->conninfo);
	g_free(away);
}

const char *away_conninfo(const struct away *away)
{
	return away->conninfo;
}

guint away_attempts(struct away *away)
{
	return (guint)g_atomic_int_get(&away->attempts);
}
