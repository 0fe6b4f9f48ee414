/* Each connection gets a session, up to max_connections; a stopping server waits for them. */
#include "server/ingest/listen.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/ingest/client.h"
#include "tests/unit/ingest/fake_intake.h"
#include "tests/unit/ingest/logged.h"
#include "tests/unit/worker/cm.h"

enum { SOCKETS = 2 };

static const char *const recipients[] = { "dmarc@*", NULL };

/* A server in its own thread, with sockets in its own folder. */
struct server {
	char *folder;
	char *paths[SOCKETS];
	int fds[SOCKETS];
	struct listen_options options;
	GThread *thread;
	gint done; /* atomic: listen_run() has returned */
};

static gpointer run(gpointer user)
{
	struct server *server = user;
	gboolean all_ended = listen_run(&server->options);

	g_atomic_int_set(&server->done, 1);
	return GINT_TO_POINTER(all_ended);
}

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	assert_true(g_strlcpy(address.sun_path, path, sizeof address.sun_path) < sizeof address.sun_path);
	return address;
}

static int listening(const char *path)
{
	const struct sockaddr_un address = address_of(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(fd, 10), 0);
	return fd;
}

static void begin(struct server *server, guint max_connections)
{
	*server = (struct server){ .folder = g_dir_make_tmp("ruad-listen-XXXXXX", NULL) };
	for (guint i = 0; i < SOCKETS; i++) {
		server->paths[i] = g_strdup_printf("%s/%u", server->folder, i);
		server->fds[i] = listening(server->paths[i]);
	}
	server->options = (struct listen_options){ .fds = server->fds,
		.n_fds = SOCKETS,
		.max_connections = max_connections,
		.signal_fd = eventfd(0, EFD_CLOEXEC),
		.stop_fd = eventfd(0, EFD_CLOEXEC),
		.session = { .lmtp = OPTIONS,
		    .recipients = recipients,
		    .timeout = 20,
		    .max_time = 20,
		    .min_rate = 1 } };
	server->options.session.stop_fd = server->options.stop_fd;
	server->options.session.intake = fake_intake_new();
	g_free(logged()); /* of the previous test */
	server->thread = g_thread_new("server", run, server);
}

static int client_of(const struct server *server, guint which)
{
	const struct sockaddr_un address = address_of(server->paths[which]);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

static void leave(int client)
{
	client_say(client, "QUIT\r\n");
	client_hears(client, BYE);
	client_hears_the_end(client);
	close(client);
}

static void stop(const struct server *server)
{
	assert_int_equal(eventfd_write(server->options.signal_fd, 1), 0);
}

/* Wait until the server has stopped, and compare the mails. */
static void ends(struct server *server, const char *mails)
{
	g_autofree char *taken = NULL;

	assert_true(GPOINTER_TO_INT(g_thread_join(server->thread)));
	taken = fake_intake_mails(server->options.session.intake);
	assert_string_equal(taken, mails);
	for (guint i = 0; i < SOCKETS; i++) {
		close(server->fds[i]);
		g_unlink(server->paths[i]);
		g_free(server->paths[i]);
	}
	g_rmdir(server->folder);
	g_free(server->folder);
	close(server->options.signal_fd);
	close(server->options.stop_fd);
	fake_intake_free(server->options.session.intake);
}

/* Wait until a message with these words was logged. */
static void assert_logged(const char *words)
{
	g_autoptr(GString) all = g_string_new(NULL);

	for (guint tries = 0; tries < 400; tries++) {
		g_autofree char *lines = logged();

		g_string_append(all, lines);
		if (strstr(all->str, words) != NULL)
			return;
		g_usleep(50000);
	}
	fail_msg("\"%s\" is not in \"%s\"", words, all->str);
}

static void each_socket_is_served(void **state)
{
	struct server server;

	(void)state;
	begin(&server, 10);
	for (guint i = 0; i < 2 * SOCKETS; i++) {
		int client = client_of(&server, i % SOCKETS);

		client_hears(client, GREETING);
		client_say(client, START ".\r\n");
		client_hears(client, BEGUN STORED);
		leave(client);
	}
	stop(&server);
	ends(&server, "lmtp <a@b.example> <dmarc@x.example>: |lmtp <a@b.example> <dmarc@x.example>: |"
		      "lmtp <a@b.example> <dmarc@x.example>: |lmtp <a@b.example> <dmarc@x.example>: |");
}

static void sessions_run_side_by_side(void **state)
{
	struct server server;
	int clients[5];

	(void)state;
	begin(&server, G_N_ELEMENTS(clients));
	for (guint i = 0; i < G_N_ELEMENTS(clients); i++) {
		clients[i] = client_of(&server, i % SOCKETS);
		client_hears(clients[i], GREETING);
	}
	for (guint i = G_N_ELEMENTS(clients); i-- > 0;)
		leave(clients[i]);
	stop(&server);
	ends(&server, "");
}

/* Connect until a session is accepted: the thread of the one that ended may need a moment. */
static int client_once_there_is_room(const struct server *server)
{
	char first = '4';
	int client = -1;

	for (guint tries = 0; first == '4' && tries < 400; tries++) {
		if (client >= 0) {
			close(client);
			g_usleep(50000);
		}
		client = client_of(server, 1);
		assert_int_equal(recv(client, &first, 1, MSG_PEEK), 1);
	}
	return client;
}

static void connections_over_max_connections_are_refused(void **state)
{
	struct server server;
	int first, second, third;

	(void)state;
	begin(&server, 2);
	first = client_of(&server, 0);
	client_hears(first, GREETING);
	second = client_of(&server, 1);
	client_hears(second, GREETING);
	for (guint i = 0; i < 2; i++) { /* refused connections do not count */
		third = client_of(&server, i);
		client_hears(third, BUSY);
		client_hears_the_end(third);
		close(third);
		if (i == 0) /* one line a minute */
			assert_logged("connection refused: lmtp.max_connections are open\n");
	}
	leave(first);
	third = client_once_there_is_room(&server);
	client_hears(third, GREETING);
	leave(second);
	leave(third);
	stop(&server);
	ends(&server, "");
}

static void deliver(int client)
{
	client_say(client, START "hi\r\n.\r\n");
	client_hears(client, BEGUN STORED);
}

/* Of two sessions the one that has delivered nothing for longer; nobody is rejected meanwhile. */
static void a_session_of_no_use_makes_room_for_a_new_one(void **state)
{
	struct server server;
	int first, second, third;

	(void)state;
	begin(&server, 2);
	first = client_of(&server, 0);
	client_hears(first, GREETING);
	second = client_of(&server, 1);
	client_hears(second, GREETING);
	g_usleep(1100 * 1000);
	deliver(first);
	third = client_of(&server, 0);
	client_hears(third, GREETING);
	client_hears_the_end(second);
	client_say(first, "NOOP\r\n");
	client_hears(first, OK);
	leave(first);
	leave(third);
	close(second);
	stop(&server);
	ends(&server, "lmtp <a@b.example> <dmarc@x.example>: hi\r\n|");
}

static void a_stopping_server_ends_idle_sessions_and_accepts_no_more(void **state)
{
	struct server server;
	int first, late;

	(void)state;
	begin(&server, 10);
	first = client_of(&server, 0);
	client_hears(first, GREETING);
	stop(&server);
	client_hears(first, SHUTTING_DOWN);
	client_hears_the_end(first);
	close(first);
	late = client_of(&server, 1); /* stays in the backlog */
	ends(&server, "");
	client_hears_the_end(late);
	close(late);
}

static void a_stopping_server_waits_for_mails_in_progress(void **state)
{
	struct server server;
	int idle, busy;

	(void)state;
	begin(&server, 10);
	busy = client_of(&server, 0);
	client_hears(busy, GREETING);
	client_say(busy, START "half");
	client_hears(busy, BEGUN);
	idle = client_of(&server, 1);
	client_hears(idle, GREETING);
	stop(&server);
	client_hears(idle, SHUTTING_DOWN); /* the server is stopping now */
	client_hears_the_end(idle);
	g_usleep(300000);
	assert_int_equal(g_atomic_int_get(&server.done), 0);
	client_say(busy, " and half\r\n.\r\n");
	client_hears(busy, STORED SHUTTING_DOWN);
	client_hears_the_end(busy);
	ends(&server, "lmtp <a@b.example> <dmarc@x.example>: half and half\r\n|");
	close(busy);
	close(idle);
}

static void a_server_can_stop_before_the_first_connection(void **state)
{
	struct server server;

	(void)state;
	begin(&server, 10);
	stop(&server);
	ends(&server, "");
}

/* The limit allows poll() on the server's sockets, but no new descriptor. */
static void a_server_out_of_descriptors_logs_it_and_recovers(void **state)
{
	struct server server;
	struct rlimit limit, low;
	int client, waiting;
	struct sockaddr_un address;

	(void)state;
	begin(&server, 10);
	client = client_of(&server, 0);
	client_hears(client, GREETING);
	address = address_of(server.paths[1]);
	waiting = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = (struct rlimit){ .rlim_cur = SOCKETS + 1, .rlim_max = limit.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	assert_int_equal(connect(waiting, (const struct sockaddr *)&address, sizeof address), 0);
	assert_logged("cannot accept a connection: Too many open files\n");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	client_hears(waiting, GREETING);
	leave(waiting);
	leave(client);
	stop(&server);
	ends(&server, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_socket_is_served),
		cmocka_unit_test(sessions_run_side_by_side),
		cmocka_unit_test(connections_over_max_connections_are_refused),
		cmocka_unit_test(a_session_of_no_use_makes_room_for_a_new_one),
		cmocka_unit_test(a_stopping_server_ends_idle_sessions_and_accepts_no_more),
		cmocka_unit_test(a_stopping_server_waits_for_mails_in_progress),
		cmocka_unit_test(a_server_can_stop_before_the_first_connection),
		cmocka_unit_test(a_server_out_of_descriptors_logs_it_and_recovers),
	};

	logged_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
