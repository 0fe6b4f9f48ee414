#include "server/web/peers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define MOST  6
#define SHARE 4

/* An address of a client. */
union address {
	struct sockaddr any;
	struct sockaddr_in ip4;
	struct sockaddr_in6 ip6;
	struct sockaddr_un path;
};

static union address address_of(const char *text)
{
	union address address = { .path = { .sun_family = AF_UNIX } };

	if (inet_pton(AF_INET, text, &address.ip4.sin_addr) == 1)
		address.ip4.sin_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &address.ip6.sin6_addr) == 1)
		address.ip6.sin6_family = AF_INET6;
	return address;
}

/* A connection, and the client's end of it. */
struct end {
	struct peer *peer;
	int fds[2];
};

static struct end open_end(struct peers *peers, const char *from)
{
	union address address = address_of(from);
	struct end end;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, end.fds), 0);
	end.peer = peers_add(peers, end.fds[0], &address.any);
	return end;
}

static void close_end(struct peers *peers, struct end *end)
{
	peers_remove(peers, end->peer);
	close(end->fds[0]);
	close(end->fds[1]);
}

static gboolean is_shut(const struct end *end)
{
	char byte;

	return recv(end->fds[1], &byte, 1, MSG_DONTWAIT) == 0;
}

static gboolean admits(struct peers *peers, const char *from)
{
	union address address = address_of(from);

	return peers_admit(peers, &address.any);
}

static struct peers *with_timeout(guint timeout)
{
	return peers_new(&(struct peers_options){ .connections = MOST, .share = SHARE, .timeout = timeout });
}

static void a_client_has_its_share_of_the_connections(void **state)
{
	struct peers *peers = with_timeout(60);
	struct end ends[SHARE];

	(void)state;
	for (gsize i = 0; i < SHARE; i++) {
		assert_true(admits(peers, "192.0.2.1"));
		ends[i] = open_end(peers, i % 2 ? "192.0.2.1" : "::ffff:192.0.2.1");
	}
	assert_false(admits(peers, "192.0.2.1"));
	assert_true(admits(peers, "192.0.2.2"));
	assert_true(admits(peers, "/a/socket"));
	close_end(peers, &ends[0]);
	assert_true(admits(peers, "192.0.2.1"));
	for (gsize i = 1; i < SHARE; i++)
		close_end(peers, &ends[i]);
	peers_free(peers);
}

static void the_slowest_of_the_client_with_the_most_makes_room(void **state)
{
	struct peers *peers = with_timeout(60);
	struct end few[2];
	struct end many[4];
	struct end next[2];

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(few); i++)
		few[i] = open_end(peers, "192.0.2.2");
	for (gsize i = 0; i < G_N_ELEMENTS(many); i++) {
		many[i] = open_end(peers, "192.0.2.1");
		g_usleep(2000);
	}
	peer_enter(peers, many[0].peer, PEER_HANDLING, NULL);
	peer_enter(peers, many[1].peer, PEER_SENDING, NULL); /* just now */
	next[0] = open_end(peers, "192.0.2.3");
	assert_true(is_shut(&many[2]));
	next[1] = open_end(peers, "192.0.2.4");
	assert_true(is_shut(&many[3]));
	for (gsize i = 0; i < 2; i++) {
		assert_false(is_shut(&few[i]));
		assert_false(is_shut(&many[i]));
		assert_false(is_shut(&next[i]));
	}
	for (gsize i = 0; i < 2; i++) {
		close_end(peers, &few[i]);
		close_end(peers, &next[i]);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(many); i++)
		close_end(peers, &many[i]);
	peers_free(peers);
}

static void a_request_has_a_time_to_arrive(void **state)
{
	struct peers *peers = with_timeout(0);
	struct end reading = open_end(peers, "192.0.2.1");
	struct end sending = open_end(peers, "192.0.2.1");
	struct end handling = open_end(peers, "192.0.2.1");

	(void)state;
	peer_enter(peers, sending.peer, PEER_SENDING, NULL);
	peer_enter(peers, handling.peer, PEER_HANDLING, NULL);
	g_usleep(2000);
	peers_watch(peers, NULL);
	assert_true(is_shut(&reading));
	assert_false(is_shut(&sending));
	assert_false(is_shut(&handling));
	close_end(peers, &reading);
	close_end(peers, &sending);
	close_end(peers, &handling);
	peers_free(peers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_has_its_share_of_the_connections),
		cmocka_unit_test(the_slowest_of_the_client_with_the_most_makes_room),
		cmocka_unit_test(a_request_has_a_time_to_arrive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
