/* test_names.c - forward-confirmed names, by a name server that the test itself plays in a thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/enrich/names.h"
#include "tests/unit/dns/packet.h"

#define QUESTION_MAX 512
#define NXDOMAIN     3
#define SERVFAIL     2

/* What the server answers. A question that no record is for gets NXDOMAIN. */
struct record {
	const char *name;
	const char *text; /* an address or a name; "SERVFAIL": the server cannot find out */
	enum dns_type type;
	guint32 ttl;
};

#define REVERSE(last) last ".2.0.192.in-addr.arpa"
#define REVERSE_6     "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"

static const struct record ZONE[] = {
	/* 192.0.2.1: a name that leads back */
	{ REVERSE("1"), "MX.Example.com", DNS_PTR, 3600 },
	{ "mx.example.com", "192.0.2.1", DNS_A, 600 },
	/* 192.0.2.2: a name that leads elsewhere */
	{ REVERSE("2"), "other.example.com", DNS_PTR, 3600 },
	{ "other.example.com", "192.0.2.99", DNS_A, 600 },
	/* 192.0.2.3: a name that does not exist */
	{ REVERSE("3"), "missing.example.com", DNS_PTR, 3600 },
	/* 192.0.2.4: several names; the first in the alphabet does not lead back */
	{ REVERSE("4"), "c.example.com", DNS_PTR, 3600 },
	{ REVERSE("4"), "b.example.com", DNS_PTR, 3600 },
	{ REVERSE("4"), "a.example.com", DNS_PTR, 3600 },
	{ "a.example.com", "192.0.2.99", DNS_A, 600 },
	{ "b.example.com", "192.0.2.4", DNS_A, 300 },
	{ "c.example.com", "192.0.2.4", DNS_A, 900 },
	/* 192.0.2.5: the server cannot find out its names */
	{ REVERSE("5"), "SERVFAIL", DNS_PTR, 0 },
	/* 192.0.2.6: the server cannot find out where its name leads */
	{ REVERSE("6"), "broken.example.com", DNS_PTR, 3600 },
	{ "broken.example.com", "SERVFAIL", DNS_A, 0 },
	/* 192.0.2.7: one name cannot be looked up, another leads back */
	{ REVERSE("7"), "broken.example.com", DNS_PTR, 3600 },
	{ REVERSE("7"), "works.example.com", DNS_PTR, 3600 },
	{ "works.example.com", "192.0.2.7", DNS_A, 600 },
	/* 192.0.2.8: names that no host can have, and one that it can */
	{ REVERSE("8"), "a b.example.com", DNS_PTR, 3600 },
	{ REVERSE("8"), "host.example.com", DNS_PTR, 3600 },
	{ "host.example.com", "192.0.2.98", DNS_A, 600 },
	{ "host.example.com", "192.0.2.8", DNS_A, 600 },
	/* 192.0.2.9: more names than are looked up; only the last in the alphabet leads back */
	{ REVERSE("9"), "n6.example.com", DNS_PTR, 3600 },
	{ REVERSE("9"), "n1.example.com", DNS_PTR, 3600 },
	{ REVERSE("9"), "n2.example.com", DNS_PTR, 3600 },
	{ REVERSE("9"), "n3.example.com", DNS_PTR, 3600 },
	{ REVERSE("9"), "n4.example.com", DNS_PTR, 3600 },
	{ REVERSE("9"), "n5.example.com", DNS_PTR, 3600 },
	{ "n6.example.com", "192.0.2.9", DNS_A, 600 },
	/* 192.0.2.10: the same, and the last that is looked up leads back */
	{ REVERSE("10"), "n6.example.com", DNS_PTR, 3600 },
	{ REVERSE("10"), "n1.example.com", DNS_PTR, 3600 },
	{ REVERSE("10"), "n2.example.com", DNS_PTR, 3600 },
	{ REVERSE("10"), "n3.example.com", DNS_PTR, 3600 },
	{ REVERSE("10"), "n4.example.com", DNS_PTR, 3600 },
	{ REVERSE("10"), "n50.example.com", DNS_PTR, 3600 },
	{ "n50.example.com", "192.0.2.10", DNS_A, 600 },
	/* 2001:db8::1, whose name has an address of each kind */
	{ REVERSE_6, "six.example.com", DNS_PTR, 3600 },
	{ "six.example.com", "2001:db8::1", DNS_AAAA, 600 },
	{ "six.example.com", "192.0.2.11", DNS_A, 600 },
	/* 192.0.2.11: its name has it, but among addresses of the other kind, too */
	{ REVERSE("11"), "six.example.com", DNS_PTR, 3600 },
};

struct server {
	int udp;
	int stop[2]; /* a pipe: what is written there ends the thread */
	GThread *thread;
	char address[32];
	gint questions; /* atomic */
};

static guint16 read_question(const guint8 *bytes, gsize size, GString *name)
{
	gsize at = 12;

	while (at + 2 < size && bytes[at] != 0) {
		g_string_append_printf(name, "%s%.*s", name->len > 0 ? "." : "", bytes[at], bytes + at + 1);
		at += bytes[at] + 1U;
	}
	return (guint16)(bytes[at + 1] << 8 | bytes[at + 2]);
}

static void add_record(GByteArray *packet, const struct record *record)
{
	guint8 address[16];

	if (record->type == DNS_PTR)
		packet_answer_name(packet, NULL, DNS_PTR, record->ttl, 0, record->text);
	else if (inet_pton(record->type == DNS_A ? AF_INET : AF_INET6, record->text, address) == 1)
		packet_answer(packet, NULL, (guint16)record->type, record->ttl, address,
		    record->type == DNS_A ? 4 : 16);
}

static GByteArray *answer(guint16 id, const char *name, guint16 type)
{
	gboolean failed = FALSE, any = FALSE;
	GByteArray *packet;

	for (gsize i = 0; i < G_N_ELEMENTS(ZONE); i++)
		if (ZONE[i].type == type && g_ascii_strcasecmp(ZONE[i].name, name) == 0) {
			any = TRUE;
			failed = failed || strcmp(ZONE[i].text, "SERVFAIL") == 0;
		}
	packet = packet_new(id, failed ? SERVFAIL : any ? 0 : NXDOMAIN, name, type);
	for (gsize i = 0; i < G_N_ELEMENTS(ZONE) && any && !failed; i++)
		if (ZONE[i].type == type && g_ascii_strcasecmp(ZONE[i].name, name) == 0)
			add_record(packet, &ZONE[i]);
	return packet;
}

static gpointer serve(gpointer data)
{
	struct server *server = data;

	for (;;) {
		struct pollfd fds[] = { { .fd = server->udp, .events = POLLIN },
			{ .fd = server->stop[0], .events = POLLIN } };
		struct sockaddr_in from;
		socklen_t from_size = sizeof from;
		guint8 bytes[QUESTION_MAX];
		g_autoptr(GString) name = g_string_new(NULL);
		g_autoptr(GByteArray) packet = NULL;
		ssize_t size;
		guint16 type;

		if (poll(fds, G_N_ELEMENTS(fds), -1) < 0 || fds[1].revents != 0)
			return NULL;
		size = recvfrom(server->udp, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &from_size);
		if (size < 12)
			continue;
		g_atomic_int_inc(&server->questions);
		type = read_question(bytes, (gsize)size, name);
		packet = answer((guint16)(bytes[0] << 8 | bytes[1]), name->str, type);
		(void)sendto(server->udp, packet->data, packet->len, 0, (struct sockaddr *)&from, from_size);
	}
}

static int begin(void **state)
{
	struct server *server = g_new0(struct server, 1);
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof address;

	server->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (pipe(server->stop) != 0 || bind(server->udp, (struct sockaddr *)&address, size) != 0 ||
	    getsockname(server->udp, (struct sockaddr *)&address, &size) != 0)
		return -1;
	g_snprintf(server->address, sizeof server->address, "127.0.0.1:%u", ntohs(address.sin_port));
	server->thread = g_thread_new("nameserver", serve, server);
	*state = server;
	return 0;
}

static int end(void **state)
{
	struct server *server = *state;

	if (write(server->stop[1], "", 1) != 1)
		return -1;
	g_thread_join(server->thread);
	close(server->udp);
	close(server->stop[0]);
	close(server->stop[1]);
	g_free(server);
	return 0;
}

static struct resolver *resolver_to(const struct server *server)
{
	const struct resolver_options options = {
		.server = server->address, .timeout_ms = 10000, .tries = 1, .concurrency = 50
	};
	struct resolver *resolver = resolver_new(&options, NULL);

	assert_non_null(resolver);
	return resolver;
}

static const struct {
	const char *name, *ip, *want;
	enum name_status status;
	guint32 ttl;
} ROWS[] = {
	{ "a name that leads back, in small letters", "192.0.2.1", "mx.example.com", NAME_FOUND, 600 },
	{ "a name that leads elsewhere", "192.0.2.2", NULL, NAME_NONE, 600 },
	{ "a name that does not exist", "192.0.2.3", NULL, NAME_NONE, 3600 },
	{ "of several, the first in the alphabet that leads back", "192.0.2.4", "b.example.com", NAME_FOUND,
	    300 },
	{ "no answer about the address", "192.0.2.5", NULL, NAME_UNKNOWN, 0 },
	{ "no answer about its name", "192.0.2.6", NULL, NAME_UNKNOWN, 3600 },
	{ "a name that leads back beside one without answer", "192.0.2.7", "works.example.com", NAME_FOUND,
	    600 },
	{ "a name that no host can have", "192.0.2.8", "host.example.com", NAME_FOUND, 600 },
	{ "the sixth name is not looked up", "192.0.2.9", NULL, NAME_NONE, 3600 },
	{ "the fifth name is", "192.0.2.10", "n50.example.com", NAME_FOUND, 600 },
	{ "IPv6", "2001:db8::1", "six.example.com", NAME_FOUND, 600 },
	{ "IPv4 of a name with both", "192.0.2.11", "six.example.com", NAME_FOUND, 600 },
	{ "IPv6 without a name", "2001:db8::2", NULL, NAME_NONE, 0 },
	{ "no name at all", "192.0.2.200", NULL, NAME_NONE, 0 },
	{ "no address", "nonsense", NULL, NAME_NONE, 0 },
};

static void check_row(gsize i, const struct name *name)
{
	if (name->status != ROWS[i].status || g_strcmp0(name->name, ROWS[i].want) != 0 ||
	    name->ttl != ROWS[i].ttl)
		fail_msg("%s: got %d %s %u", ROWS[i].name, name->status,
		    name->name != NULL ? name->name : "-", name->ttl);
}

static void each_address_has_its_own_name(void **state)
{
	struct resolver *resolver = resolver_to(*state);

	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		struct name name = { .ip = ROWS[i].ip };

		names_look_up(resolver, &name, 1);
		check_row(i, &name);
		names_clear(&name, 1);
		assert_null(name.name);
		resolver_forget(resolver);
	}
	resolver_free(resolver);
}

static void many_addresses_at_once_have_the_same_names_as_one_by_one(void **state)
{
	struct resolver *resolver = resolver_to(*state);
	struct name names[G_N_ELEMENTS(ROWS)] = { 0 };

	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++)
		names[i].ip = ROWS[i].ip;
	names_look_up(resolver, names, G_N_ELEMENTS(names));
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++)
		check_row(i, &names[i]);
	names_clear(names, G_N_ELEMENTS(names));
	resolver_free(resolver);
}

static void what_is_no_address_is_not_asked_for(void **state)
{
	struct server *server = *state;
	struct resolver *resolver = resolver_to(server);
	gint before = g_atomic_int_get(&server->questions);
	struct name names[] = { { .ip = "nonsense" }, { .ip = "" }, { .ip = "192.0.2.1/32" } };

	names_look_up(resolver, names, G_N_ELEMENTS(names));
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		assert_int_equal(names[i].status, NAME_NONE);
		assert_null(names[i].name);
	}
	assert_int_equal(g_atomic_int_get(&server->questions), before);
	resolver_free(resolver);
}

/* What a name said of an earlier look-up is not kept. */
static void a_second_look_up_starts_anew(void **state)
{
	struct resolver *resolver = resolver_to(*state);
	struct name name = { .ip = "192.0.2.1" };

	names_look_up(resolver, &name, 1);
	assert_int_equal(name.status, NAME_FOUND);
	names_clear(&name, 1);
	name.ip = "192.0.2.3";
	name.name = (char *)"of another look-up, and not ours to free";
	names_look_up(resolver, &name, 1);
	assert_int_equal(name.status, NAME_NONE);
	assert_null(name.name);
	assert_int_equal(name.ttl, 3600);
	resolver_free(resolver);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_address_has_its_own_name),
		cmocka_unit_test(many_addresses_at_once_have_the_same_names_as_one_by_one),
		cmocka_unit_test(what_is_no_address_is_not_asked_for),
		cmocka_unit_test(a_second_look_up_starts_anew),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
