/*
 * Listening sockets: which texts are addresses, and what may exist at the path of a Unix socket.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "parser/error.h"
#include "server/common/net.h"

static const struct {
	const char *words;
	int family; /* 0: refused */
} addresses[] = {
	{ "127.0.0.1:2424", AF_INET },
	{ "0.0.0.0:1", AF_INET },
	{ "127.0.0.1:65535", AF_INET },
	{ "[::1]:80", AF_INET6 },
	{ "[::]:80", AF_INET6 },
	{ "unix:/run/x", AF_UNIX },
	{ "[127.0.0.1:80", 0 },
	{ "", 0 },
	{ ":80", 0 },
	{ "127.0.0.1", 0 },
	{ "127.0.0.1:", 0 },
	{ "127.0.0.1:0", 0 },
	{ "127.0.0.1:65536", 0 },
	{ "127.0.0.1:-1", 0 },
	{ "127.0.0.1: 80", 0 },
	{ "127.0.0.1:80x", 0 },
	{ "127.0.0.256:80", 0 },
	{ "localhost:80", 0 },
	{ "::1:80", 0 },
	{ "[::1:80", 0 },
	{ "[::1]", 0 },
	{ "unix:", 0 },
	{ "unix:run/x", 0 },
};

static void addresses_are_literals_with_a_port_or_absolute_paths(void **state G_GNUC_UNUSED)
{
	for (gsize i = 0; i < G_N_ELEMENTS(addresses); i++) {
		struct net_address address;
		g_autoptr(GError) error = NULL;
		gboolean good = net_parse(addresses[i].words, &address, &error);

		if (good != (addresses[i].family != 0))
			fail_msg("\"%s\": %s", addresses[i].words, good ? "was taken" : error->message);
		if (good)
			assert_int_equal(address.storage.ss_family, addresses[i].family);
		else
			assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX));
	}
}

static void the_path_of_a_unix_socket_has_107_bytes_at_most(void **state G_GNUC_UNUSED)
{
	for (gsize size = 106; size <= 108; size++) {
		g_autofree char *rest = g_strnfill(size - 1, 'x');
		g_autofree char *words = g_strconcat("unix:/", rest, NULL);
		struct net_address address;
		g_autoptr(GError) error = NULL;

		assert_int_equal(net_parse(words, &address, &error), size <= 107);
		if (size == 107)
			assert_string_equal(
			    ((struct sockaddr_un *)&address.storage)->sun_path, words + strlen("unix:"));
	}
}

/* The folder of a test, with the address and path of a socket in it. */
struct place {
	char *folder;
	char *path;
	char *words;
};

static int set_up(void **state)
{
	struct place *place = g_new0(struct place, 1);

	place->folder = g_dir_make_tmp("ruad-net-XXXXXX", NULL);
	place->path = g_build_filename(place->folder, "s", NULL);
	place->words = g_strconcat("unix:", place->path, NULL);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	unlink(place->path);
	rmdir(place->folder);
	g_free(place->folder);
	g_free(place->path);
	g_free(place->words);
	g_free(place);
	return 0;
}

static void a_unix_socket_has_mode_0660_and_is_close_on_exec(void **state)
{
	const struct place *place = *state;
	struct stat status;
	int fd = net_listen(place->words, NULL);

	assert_true(fd >= 0);
	assert_int_equal(stat(place->path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0660);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	net_unlink(place->words);
	assert_int_equal(access(place->path, F_OK), -1);
}

static void the_address_of_a_socket_can_be_parsed_again(void **state)
{
	const struct place *place = *state;
	const char *const words[] = { place->words, "127.0.0.1:0", "[::1]:0" };

	for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
		struct net_address address;
		g_autofree char *bound = NULL;
		int fd;

		if (i == 0) {
			fd = net_listen(words[i], NULL);
		} else {
			struct sockaddr_in6 any = { .sin6_family = AF_INET6,
				.sin6_addr = IN6ADDR_LOOPBACK_INIT };
			struct sockaddr_in old = { .sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

			fd = socket(i == 1 ? AF_INET : AF_INET6, SOCK_STREAM, 0);
			if (bind(fd, i == 1 ? (struct sockaddr *)&old : (struct sockaddr *)&any,
				i == 1 ? sizeof old : sizeof any) != 0) {
				close(fd); /* there may be no IPv6 here */
				continue;
			}
		}
		bound = net_address_of(fd);
		assert_true(net_parse(bound, &address, NULL));
		assert_int_equal(strncmp(bound, words[i], strlen(words[i]) - 1), 0);
		close(fd);
	}
	net_unlink(place->words);
	assert_null(net_address_of(-1));
}

static void a_dead_socket_is_replaced_and_a_live_one_is_not(void **state)
{
	const struct place *place = *state;
	g_autoptr(GError) error = NULL;
	int first = net_listen(place->words, NULL);
	int second;
	int client;

	assert_true(first >= 0);
	assert_int_equal(net_listen(place->words, &error), -1);
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYSTEM));
	client = net_connect(place->words, 1, NULL);
	assert_true(client >= 0);
	close(client);
	close(first);
	second = net_listen(place->words, NULL);
	assert_true(second >= 0);
	close(second);
}

static void a_file_in_the_place_of_a_socket_is_left_alone(void **state)
{
	const struct place *place = *state;
	g_autoptr(GError) error = NULL;
	g_autofree char *content = NULL;

	assert_true(g_file_set_contents(place->path, "precious", -1, NULL));
	assert_int_equal(net_listen(place->words, &error), -1);
	assert_non_null(strstr(error->message, "is not a socket"));
	assert_true(g_file_get_contents(place->path, &content, NULL, NULL));
	assert_string_equal(content, "precious");
}

static void a_taken_port_is_said_with_its_address(void **state G_GNUC_UNUSED)
{
	struct sockaddr_in bound = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(bound);
	int taken = socket(AF_INET, SOCK_STREAM, 0);
	g_autofree char *words = NULL;
	g_autoptr(GError) error = NULL;

	assert_int_equal(bind(taken, (struct sockaddr *)&bound, size), 0);
	assert_int_equal(listen(taken, 1), 0);
	assert_int_equal(getsockname(taken, (struct sockaddr *)&bound, &size), 0);
	words = g_strdup_printf("127.0.0.1:%u", ntohs(bound.sin_port));
	assert_int_equal(net_listen(words, &error), -1);
	assert_non_null(strstr(error->message, words));
	assert_non_null(strstr(error->message, "in use"));
	close(taken);
}

static void a_wrong_address_is_refused_with_its_rule(void **state G_GNUC_UNUSED)
{
	static const char *const wrong[][2] = {
		{ "127.0.0.1", "neither ADDRESS:PORT nor unix:/path" },
		{ "127.0.0.1:0", "the port is not a number from 1 to 65535" },
		{ "::1:80", "not an IP address (IPv6 stands in brackets; names are not looked up)" },
		{ "unix:x", "the path of a Unix socket must be absolute" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *want = g_strdup_printf("address \"%s\": %s", wrong[i][0], wrong[i][1]);
		struct net_address address;

		assert_false(net_parse(wrong[i][0], &address, &error));
		assert_string_equal(error->message, want);
		assert_int_equal(net_listen(wrong[i][0], NULL), -1);
		assert_int_equal(net_connect(wrong[i][0], 1, NULL), -1);
	}
}

/* A TCP socket on a port of this machine that nobody else has, listening or not, and its address. */
static int local_socket(gboolean listening, char **words)
{
	struct sockaddr_in bound = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof bound;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&bound, size), 0);
	if (listening)
		assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&bound, &size), 0);
	*words = g_strdup_printf("127.0.0.1:%u", ntohs(bound.sin_port));
	return fd;
}

static int next_descriptor(void)
{
	int fd = dup(STDERR_FILENO);

	close(fd);
	return fd;
}

static void a_failure_leaves_no_descriptor_open(void **state)
{
	const struct place *place = *state;
	g_autofree char *deaf = NULL, *taken = NULL;
	int one = local_socket(FALSE, &deaf), other = local_socket(TRUE, &taken);
	int live = net_listen(place->words, NULL), before = next_descriptor();
	g_autoptr(GError) refused = NULL, in_use = NULL, again = NULL;
	g_autofree char *want = g_strdup_printf("address \"%s\": cannot connect: Connection refused", deaf);

	assert_int_equal(net_connect(deaf, 5, &refused), -1);
	assert_string_equal(refused->message, want);
	assert_int_equal(net_listen(taken, &in_use), -1);
	assert_true(g_str_has_suffix(in_use->message, ": cannot listen: Address already in use"));
	assert_int_equal(net_listen(place->words, &again), -1);
	assert_true(g_str_has_suffix(again->message, ": cannot listen: Address already in use"));
	assert_int_equal(next_descriptor(), before);
	close(one);
	close(other);
	close(live);
}

static void a_connection_has_time_limits_and_a_peer(void **state)
{
	const struct place *place = *state;
	static const int options[] = { SO_SNDTIMEO, SO_RCVTIMEO };
	g_autofree char *words = NULL, *own = NULL, *peer = NULL;
	g_autoptr(GError) error = NULL;
	int listener = local_socket(TRUE, &words), client = net_connect_to_listener(listener, 7, NULL);
	int accepted = accept(listener, NULL, NULL), local = net_listen(place->words, NULL);
	int visitor = net_connect(place->words, 7, NULL), host_fd = accept(local, NULL, NULL);
	char host[NI_MAXHOST], port[NI_MAXSERV];

	assert_true(client >= 0 && accepted >= 0 && visitor >= 0 && host_fd >= 0);
	assert_true(fcntl(client, F_GETFD) & FD_CLOEXEC);
	for (gsize i = 0; i < G_N_ELEMENTS(options); i++) {
		struct timeval limit = { 0 };
		socklen_t size = sizeof limit;

		assert_int_equal(getsockopt(client, SOL_SOCKET, options[i], &limit, &size), 0);
		assert_int_equal(limit.tv_sec, 7);
	}
	assert_true(net_peer(client, host, port));
	peer = g_strdup_printf("%s:%s", host, port);
	assert_string_equal(peer, words);
	assert_true(net_peer(accepted, host, port));
	own = net_address_of(client);
	g_free(peer);
	peer = g_strdup_printf("%s:%s", host, port);
	assert_string_equal(peer, own);
	assert_false(net_peer(host_fd, host, port)); /* of a Unix socket */
	assert_false(net_peer(listener, host, port));
	assert_null(net_address_of(visitor)); /* it has no name */
	assert_int_equal(net_connect_to_listener(-1, 7, &error), -1);
	assert_string_equal(
	    error->message, "address \"of a listening socket\": unknown: Bad file descriptor");
	close(listener);
	close(client);
	close(accepted);
	close(local);
	close(visitor);
	close(host_fd);
}

static void without_activation_there_are_no_sockets_of_any_name(void **state G_GNUC_UNUSED)
{
	assert_null(net_activated("lmtp"));
}

/* systemd passes sockets as descriptors 3, 4, ... to the process in LISTEN_PID. */
static void activated_sockets_are_found_by_their_name(void **state G_GNUC_UNUSED)
{
	g_autofree char *pid = g_strdup_printf("%d", (int)getpid());
	g_autofree int *lmtp = NULL;
	g_autofree int *http = NULL;
	g_autofree char *other = NULL, *none = NULL;
	int saved[3];

	for (int i = 0; i < 3; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		assert_int_equal(listen(fd, 1), 0);
		saved[i] = fcntl(3 + i, F_DUPFD_CLOEXEC, 10);
		if (fd != 3 + i) {
			assert_int_equal(dup2(fd, 3 + i), 3 + i);
			close(fd);
		}
	}
	g_setenv("LISTEN_PID", pid, TRUE);
	g_setenv("LISTEN_FDS", "3", TRUE);
	g_setenv("LISTEN_FDNAMES", "lmtp:http:lmtp", TRUE);
	lmtp = net_activated("lmtp");
	http = net_activated("http");
	other = net_activated_other((const char *const[]){ "lmtp", NULL });
	none = net_activated_other((const char *const[]){ "http", "lmtp", NULL });
	g_unsetenv("LISTEN_PID");
	for (int i = 0; i < 3; i++) {
		close(3 + i);
		if (saved[i] >= 0) {
			assert_int_equal(dup2(saved[i], 3 + i), 3 + i);
			close(saved[i]);
		}
	}
	assert_non_null(lmtp);
	assert_int_equal(lmtp[0], 3);
	assert_int_equal(lmtp[1], 5);
	assert_int_equal(lmtp[2], -1);
	assert_non_null(http);
	assert_int_equal(http[0], 4);
	assert_int_equal(http[1], -1);
	assert_string_equal(other, "http");
	assert_null(none);
}

/* Descriptors that a supervisor passes by number are checked: each must be a listening socket. */
static void inherited_descriptors_are_listening_sockets(void **state G_GNUC_UNUSED)
{
	int listening = socket(AF_INET, SOCK_STREAM, 0), deaf = socket(AF_INET, SOCK_STREAM, 0);
	g_autofree char *good = g_strdup_printf("%d", listening);
	g_autofree char *bad = g_strdup_printf("%d", deaf);
	char *const good_values[] = { good, good, NULL };
	char *const wrong[][3] = { { NULL }, { bad, NULL }, { good, bad, NULL }, { (char *)"x", NULL },
		{ (char *)"-1", NULL }, { (char *)"", NULL }, { (char *)"99999999999", NULL } };
	g_autoptr(GArray) fds = NULL;

	assert_int_equal(listen(listening, 1), 0);
	fds = net_inherited(good_values, NULL);
	assert_non_null(fds);
	assert_int_equal(fds->len, 2);
	assert_int_equal(g_array_index(fds, int, 1), listening);
	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(GError) error = NULL;

		assert_null(net_inherited(wrong[i], &error));
		assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX));
		assert_true(g_str_has_prefix(error->message, "--listen-fd"));
	}
	assert_null(net_inherited(NULL, NULL));
	close(listening);
	close(deaf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inherited_descriptors_are_listening_sockets),
		cmocka_unit_test(activated_sockets_are_found_by_their_name),
		cmocka_unit_test(addresses_are_literals_with_a_port_or_absolute_paths),
		cmocka_unit_test(the_path_of_a_unix_socket_has_107_bytes_at_most),
		cmocka_unit_test_setup_teardown(
		    a_unix_socket_has_mode_0660_and_is_close_on_exec, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    the_address_of_a_socket_can_be_parsed_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_dead_socket_is_replaced_and_a_live_one_is_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_file_in_the_place_of_a_socket_is_left_alone, set_up, tear_down),
		cmocka_unit_test(a_wrong_address_is_refused_with_its_rule),
		cmocka_unit_test_setup_teardown(a_failure_leaves_no_descriptor_open, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_connection_has_time_limits_and_a_peer, set_up, tear_down),
		cmocka_unit_test(a_taken_port_is_said_with_its_address),
		cmocka_unit_test(without_activation_there_are_no_sockets_of_any_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
