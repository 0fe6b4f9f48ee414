/* The resolver before a name server that the test itself plays, by UDP and TCP, in the same thread. */
#include "parser/error.h"
#include "server/dns/resolver.h"
#include "tests/unit/dns/packet.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define QUESTION_MAX 512
#define WAIT_MS      10000 /* for what must come */

/* A query that was received. */
struct asked {
	guint16 id;
	char name[256];
	guint16 type;
	gboolean authentic; /* the AD bit is set: whether the answer is shall be said */
	struct sockaddr_in from;
	int stream; /* the connection, by TCP */
};

struct server {
	int udp, tcp;
	char address[32];
	struct resolver *resolver;
	GString *answers; /* of callbacks: "name status text;" */
};

static int bound_socket(int type, guint16 port, guint16 *bound)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&address, size) != 0) {
		close(fd);
		return -1;
	}
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*bound = ntohs(address.sin_port);
	return fd;
}

static void begin(struct server *server, guint concurrency, guint timeout_ms)
{
	struct resolver_options options = { server->address, timeout_ms, 1, concurrency, NULL };
	guint16 port = 0;

	*server = (struct server){ .tcp = -1, .answers = g_string_new(NULL) };
	while (server->tcp < 0) {
		server->udp = bound_socket(SOCK_DGRAM, 0, &port);
		server->tcp = bound_socket(SOCK_STREAM, port, &port);
		if (server->tcp < 0)
			close(server->udp);
	}
	assert_int_equal(listen(server->tcp, 5), 0);
	g_snprintf(server->address, sizeof(server->address), "127.0.0.1:%u", port);
	server->resolver = resolver_new(&options, NULL);
	assert_non_null(server->resolver);
}

static void end(struct server *server)
{
	resolver_free(server->resolver);
	close(server->udp);
	close(server->tcp);
	g_string_free(server->answers, TRUE);
}

static void read_question(const guint8 *bytes, gsize size, struct asked *asked)
{
	GString *name = g_string_new(NULL);
	gsize at = 12;

	assert_true(size > at);
	asked->id = (guint16)(bytes[0] << 8 | bytes[1]);
	asked->authentic = (bytes[3] & 0x20) != 0;
	while (at < size && bytes[at] != 0) {
		g_string_append_printf(name, "%s%.*s", name->len > 0 ? "." : "", bytes[at], bytes + at + 1);
		at += bytes[at] + 1U;
	}
	g_strlcpy(asked->name, name->str, sizeof(asked->name));
	asked->type = (guint16)(bytes[at + 1] << 8 | bytes[at + 2]);
	g_string_free(name, TRUE);
}

/* The next question by UDP, if there is one within ms. */
static gboolean receive(struct server *server, int ms, struct asked *asked)
{
	struct pollfd wait = { .fd = server->udp, .events = POLLIN };
	guint8 bytes[QUESTION_MAX];
	socklen_t size = sizeof(asked->from);
	ssize_t n;

	if (poll(&wait, 1, ms) != 1)
		return FALSE;
	n = recvfrom(server->udp, bytes, sizeof(bytes), 0, (struct sockaddr *)&asked->from, &size);
	assert_true(n > 0);
	asked->stream = -1;
	read_question(bytes, (gsize)n, asked);
	return TRUE;
}

static void send_packet(struct server *server, const struct asked *asked, GByteArray *packet)
{
	assert_int_equal(sendto(server->udp, packet->data, packet->len, 0,
			     (const struct sockaddr *)&asked->from, sizeof(asked->from)),
	    packet->len);
	g_byte_array_unref(packet);
}

static void answer_text(struct server *server, const struct asked *asked, const char *text)
{
	GByteArray *packet = packet_new(asked->id, 0, asked->name, asked->type);

	packet_answer_text(packet, 300, text);
	send_packet(server, asked, packet);
}

/* Let the resolver work until nothing has happened for a while. */
static void turn(struct server *server)
{
	struct pollfd fds[RESOLVER_DESCRIPTORS];
	int timeout;

	for (;;) {
		guint n = resolver_descriptors(server->resolver, fds, &timeout);

		if (poll(fds, n, 20) <= 0)
			break;
		resolver_process(server->resolver, fds, n);
	}
	resolver_process(server->resolver, NULL, 0);
}

static void note(gpointer user, enum dns_type type, const char *name, const struct dns_answer *answer)
{
	struct server *server = user;

	g_string_append_printf(server->answers, "%s %s %d %s;", dns_type_word(type), name, answer->status,
	    answer->n_records > 0 ? answer->records[0].text : "-");
}

static void note_authentic(
    gpointer user, enum dns_type type G_GNUC_UNUSED, const char *name, const struct dns_answer *answer)
{
	g_string_append_printf(((struct server *)user)->answers, "%s %d;", name, answer->authentic);
}

static void a_server_is_asked_whether_it_validated_and_believed_if_it_was_named(void **state)
{
	static const char *const NAMES[] = { "safe.example", "open.example", "" };
	static const guint8 SOA[22] = { 0 };
	struct server server;

	(void)state;
	begin(&server, 3, 5000);
	for (gsize i = 0; i < G_N_ELEMENTS(NAMES); i++) {
		struct asked asked = { 0 };
		GByteArray *packet;

		resolver_ask(server.resolver, DNS_SOA, NAMES[i], note_authentic, &server);
		turn(&server);
		assert_true(receive(&server, WAIT_MS, &asked));
		assert_true(asked.authentic);
		assert_string_equal(asked.name, NAMES[i]);
		packet = packet_new(asked.id, 0, asked.name, asked.type);
		if (i != 1)
			packet_authentic(packet);
		packet_answer(packet, NULL, DNS_SOA, 300, SOA, sizeof(SOA));
		send_packet(&server, &asked, packet);
		turn(&server);
	}
	assert_string_equal(server.answers->str, "safe.example 1;open.example 0; 1;");
	end(&server);
}

static void many_questions_are_under_way_at_once(void **state)
{
	struct server server;
	struct asked asked[3] = { { 0 } }, more = { 0 };

	(void)state;
	begin(&server, 3, 5000);
	for (guint i = 0; i < 5; i++) {
		g_autofree char *name = g_strdup_printf("n%u.example", i);

		resolver_ask(server.resolver, DNS_TXT, name, note, &server);
	}
	turn(&server);
	assert_int_equal(resolver_pending(server.resolver), 5);
	for (guint i = 0; i < 3; i++)
		assert_true(receive(&server, WAIT_MS, &asked[i]));
	assert_false(receive(&server, 50, &more)); /* the others wait */
	answer_text(&server, &asked[2], "two");
	answer_text(&server, &asked[0], "zero");
	turn(&server);
	assert_string_equal(server.answers->str, "TXT n2.example 0 two;TXT n0.example 0 zero;");
	for (guint i = 0; i < 2; i++) {
		assert_true(receive(&server, WAIT_MS, &more));
		answer_text(&server, &more, "more");
	}
	answer_text(&server, &asked[1], "one");
	turn(&server);
	assert_int_equal(resolver_pending(server.resolver), 0);
	assert_int_equal(resolver_asked(server.resolver), 5);
	assert_int_equal(resolver_answered_count(server.resolver), 5);
	end(&server);
}

static void nothing_is_asked_twice(void **state)
{
	struct server server;
	struct asked asked = { 0 }, more = { 0 };

	(void)state;
	begin(&server, 10, 5000);
	resolver_ask(server.resolver, DNS_TXT, "a.example", note, &server);
	resolver_ask(server.resolver, DNS_TXT, "A.Example", note, &server); /* under way */
	turn(&server);
	assert_true(receive(&server, WAIT_MS, &asked));
	answer_text(&server, &asked, "x");
	turn(&server);
	resolver_ask(server.resolver, DNS_TXT, "a.example", note, &server); /* known */
	assert_string_equal(server.answers->str, "TXT a.example 0 x;TXT a.example 0 x;TXT a.example 0 x;");
	assert_int_equal(resolver_look_up(server.resolver, DNS_TXT, "a.EXAMPLE")->status, DNS_OK);
	assert_false(receive(&server, 50, &more));
	resolver_forget(server.resolver);
	resolver_ask(server.resolver, DNS_TXT, "a.example", note, &server);
	turn(&server);
	assert_true(receive(&server, WAIT_MS, &more));
	end(&server);
}

static void silence_is_a_time_out_and_a_closed_port_is_unreachable(void **state)
{
	struct sockaddr_in self = { .sin_family = AF_INET };
	struct server server;
	guint16 port = 0;
	int fd;

	(void)state;
	begin(&server, 10, 200);
	assert_int_equal(resolver_look_up(server.resolver, DNS_TXT, "a.example")->status, DNS_TIMEOUT);
	assert_int_equal(resolver_answered_count(server.resolver), 0);
	end(&server);

	begin(&server, 10, 200);
	resolver_free(server.resolver);
	fd = bound_socket(
	    SOCK_DGRAM, 0, &port); /* which takes from itself only: for others, the port is closed */
	self.sin_port = htons(port);
	self.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (const struct sockaddr *)&self, sizeof(self)), 0);
	g_snprintf(server.address, sizeof(server.address), "127.0.0.1:%u", port);
	server.resolver = resolver_new(&(struct resolver_options){ server.address, 200, 1, 1, NULL }, NULL);
	assert_int_equal(resolver_look_up(server.resolver, DNS_TXT, "a.example")->status, DNS_UNREACHABLE);
	close(fd);
	end(&server);
}

static void errors_of_the_server_are_told(void **state)
{
	static const struct {
		guint rcode;
		enum dns_status want;
	} rows[] = { { 2, DNS_SERVFAIL }, { 3, DNS_NXDOMAIN }, { 5, DNS_REFUSED }, { 0, DNS_NODATA } };
	struct server server;

	(void)state;
	begin(&server, 10, 5000);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *name = g_strdup_printf("n%zu.example", i);
		g_autofree char *want = g_strdup_printf("A %s %d -;", name, rows[i].want);
		struct asked asked = { 0 };

		resolver_ask(server.resolver, DNS_A, name, note, &server);
		turn(&server);
		assert_true(receive(&server, WAIT_MS, &asked));
		send_packet(&server, &asked, packet_new(asked.id, rows[i].rcode, asked.name, asked.type));
		turn(&server);
		assert_string_equal(server.answers->str, want);
		g_string_truncate(server.answers, 0);
	}
	end(&server);
}

/* Of the right id, but cut off within the record. */
static void an_answer_that_cannot_be_read_is_malformed(void **state)
{
	struct server server;
	struct asked asked = { 0 };
	GByteArray *packet;

	(void)state;
	begin(&server, 10, 2000);
	resolver_ask(server.resolver, DNS_TXT, "a.example", note, &server);
	turn(&server);
	assert_true(receive(&server, WAIT_MS, &asked));
	packet = packet_new(asked.id, 0, asked.name, asked.type);
	packet_answer_text(packet, 300, "text");
	g_byte_array_set_size(packet, packet->len - 3);
	send_packet(&server, &asked, packet);
	turn(&server);
	assert_string_equal(server.answers->str, "TXT a.example 7 -;");
	end(&server);
}

/* A forger who guesses the name but not the id is not listened to. */
static void an_answer_with_another_id_is_passed_over(void **state)
{
	struct server server;
	struct asked asked = { 0 }, forged;

	(void)state;
	begin(&server, 10, 5000);
	resolver_ask(server.resolver, DNS_TXT, "a.example", note, &server);
	turn(&server);
	assert_true(receive(&server, WAIT_MS, &asked));
	forged = asked;
	forged.id ^= 1;
	answer_text(&server, &forged, "forged");
	turn(&server);
	assert_string_equal(server.answers->str, "");
	answer_text(&server, &asked, "true");
	turn(&server);
	assert_string_equal(server.answers->str, "TXT a.example 0 true;");
	end(&server);
}

static void accept_question(struct server *server, struct asked *asked)
{
	guint8 bytes[QUESTION_MAX];
	ssize_t n = 0;

	asked->stream = accept(server->tcp, NULL, NULL);
	assert_true(asked->stream >= 0);
	for (guint i = 0; i < 100 && n <= 2; i++) {
		turn(server);
		n = recv(asked->stream, bytes, sizeof(bytes), MSG_DONTWAIT);
	}
	assert_true(n > 2);
	read_question(bytes + 2, (gsize)n - 2, asked);
}

static void a_truncated_answer_is_asked_for_by_tcp(void **state)
{
	g_autofree char *text = g_strnfill(250, 'x');
	struct server server;
	struct asked asked = { 0 };
	GByteArray *packet;
	guint8 size[2];

	(void)state;
	begin(&server, 10, 5000);
	resolver_ask(server.resolver, DNS_TXT, "a.example", note, &server);
	turn(&server);
	assert_true(receive(&server, WAIT_MS, &asked));
	packet = packet_new(asked.id, 0, asked.name, asked.type);
	packet_truncate(packet);
	send_packet(&server, &asked, packet);
	turn(&server);
	accept_question(&server, &asked);
	packet = packet_new(asked.id, 0, asked.name, asked.type);
	for (guint i = 0; i < 20; i++)
		packet_answer_text(packet, 300, text);
	size[0] = (guint8)(packet->len >> 8);
	size[1] = (guint8)packet->len;
	assert_int_equal(send(asked.stream, size, 2, 0), 2);
	assert_int_equal(send(asked.stream, packet->data, packet->len, 0), packet->len);
	turn(&server);
	assert_int_equal(resolver_look_up(server.resolver, DNS_TXT, "a.example")->n_records, 20);
	close(asked.stream);
	g_byte_array_unref(packet);
	end(&server);
}

static void a_budget_bounds_questions_but_not_what_is_known(void **state)
{
	struct server server;
	struct asked asked = { 0 };

	(void)state;
	begin(&server, 10, 5000);
	resolver_budget(server.resolver, 2, 0);
	resolver_ask(server.resolver, DNS_TXT, "a.example", note, &server);
	turn(&server);
	assert_true(receive(&server, WAIT_MS, &asked));
	answer_text(&server, &asked, "x");
	turn(&server);
	resolver_ask(server.resolver, DNS_TXT, "b.example", note, &server);
	resolver_ask(server.resolver, DNS_TXT, "c.example", note, &server); /* one too many */
	resolver_ask(server.resolver, DNS_TXT, "a.example", note, &server);
	assert_string_equal(server.answers->str, "TXT a.example 0 x;TXT c.example 9 -;TXT a.example 0 x;");
	assert_int_equal(resolver_look_up(server.resolver, DNS_TXT, "d.example")->status, DNS_BUDGET);
	resolver_budget(server.resolver, 1, 0);
	resolver_ask(server.resolver, DNS_TXT, "c.example", note, &server); /* it was not kept */
	turn(&server);
	assert_int_equal(resolver_pending(server.resolver), 2);
	end(&server);
}

static void a_budget_bounds_time(void **state)
{
	struct server server;
	gint64 began = g_get_monotonic_time();

	(void)state;
	begin(&server, 10, 60000);
	resolver_budget(server.resolver, 0, 1);
	assert_int_equal(resolver_look_up(server.resolver, DNS_TXT, "a.example")->status, DNS_TIMEOUT);
	assert_int_equal(resolver_look_up(server.resolver, DNS_TXT, "b.example")->status, DNS_TIMEOUT);
	assert_true(g_get_monotonic_time() - began < 5 * G_USEC_PER_SEC);
	end(&server);
}

static void names_that_cannot_be_are_not_asked_for(void **state)
{
	struct server server;
	struct asked asked = { 0 };

	(void)state;
	begin(&server, 10, 5000);
	resolver_ask(server.resolver, DNS_TXT, "a..example", note, &server);
	assert_int_equal(resolver_look_up(server.resolver, DNS_TXT, "")->status, DNS_BAD_NAME);
	assert_string_equal(server.answers->str, "TXT a..example 8 -;");
	assert_false(receive(&server, 50, &asked));
	end(&server);
}

/* Each answer asks the next question. */
static void ask_on(gpointer user, enum dns_type type, const char *name, const struct dns_answer *answer)
{
	struct server *server = user;

	if (answer->status == DNS_OK && strlen(name) < 20) {
		g_autofree char *next = g_strconcat("x", name, NULL);

		resolver_ask(server->resolver, type, next, ask_on, server);
	}
}

static void an_answer_may_lead_to_questions(void **state)
{
	struct server server;
	struct asked asked = { 0 };
	guint questions = 0;

	(void)state;
	begin(&server, 1, 5000);
	resolver_ask(server.resolver, DNS_TXT, "a.example", ask_on, &server);
	turn(&server);
	while (receive(&server, 50, &asked)) {
		questions++;
		answer_text(&server, &asked, "x");
		turn(&server);
	}
	assert_int_equal(questions, 12); /* of 9 to 20 bytes */
	assert_int_equal(resolver_pending(server.resolver), 0);
	end(&server);
}

static void servers_are_addresses(void **state)
{
	static const char *const GOOD[] = { "192.0.2.53", "192.0.2.53:5353", "2001:db8::53",
		"[2001:db8::53]:5353", "[::1]" };
	static const char *const BAD[] = { "", "localhost", "dns.example:53", "192.0.2.53:", "192.0.2.53:0",
		"192.0.2.53:70000", "192.0.2.53,192.0.2.54", "unix:/run/x", "[2001:db8::53", "192.0.2" };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(GOOD); i++) {
		struct resolver *resolver =
		    resolver_new(&(struct resolver_options){ GOOD[i], 1000, 1, 1, NULL }, NULL);

		assert_non_null(resolver);
		resolver_free(resolver);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(BAD); i++) {
		g_autoptr(GError) error = NULL;

		assert_null(resolver_new(&(struct resolver_options){ BAD[i], 1000, 1, 1, NULL }, &error));
		assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX));
	}
}

static gboolean is_trusted(const char *path, const char *server, const char *resolv_conf)
{
	struct resolver *resolver;
	gboolean trusted;

	assert_true(g_file_set_contents(path, resolv_conf, -1, NULL));
	resolver = resolver_new(&(struct resolver_options){ server, 1000, 1, 1, path }, NULL);
	assert_non_null(resolver);
	trusted = resolver_is_trusted(resolver);
	resolver_free(resolver);
	return trusted;
}

static void servers_of_the_system_are_believed_if_all_are_at_loopback_addresses(void **state)
{
	static const struct {
		const char *resolv_conf;
		gboolean want;
	} ROWS[] = {
		{ "nameserver 127.0.0.1\n", TRUE },
		{ "nameserver 127.0.0.53\nnameserver 127.255.255.254\n", TRUE },
		{ "nameserver ::1\n", TRUE },
		{ "nameserver ::1\nnameserver 127.0.0.1\n", TRUE },
		{ "nameserver 126.0.0.1\n", FALSE },
		{ "nameserver 128.0.0.1\n", FALSE },
		{ "nameserver 192.0.2.127\n", FALSE },
		{ "nameserver ::2\n", FALSE },
		{ "nameserver 2001:db8::1\n", FALSE },
		{ "nameserver 127.0.0.1\nnameserver 192.0.2.53\n", FALSE },
		{ "nameserver 192.0.2.53\nnameserver 127.0.0.1\n", FALSE },
		{ "nameserver ::1\nnameserver 2001:db8::1\n", FALSE },
		{ "nameserver 2001:db8::1\nnameserver ::1\n", FALSE },
	};
	g_autofree char *path = NULL;
	int fd = g_file_open_tmp("ruad-resolv.XXXXXX", &path, NULL);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++)
		if (is_trusted(path, NULL, ROWS[i].resolv_conf) != ROWS[i].want)
			fail_msg("%s", ROWS[i].resolv_conf);
	assert_true(is_trusted(path, "192.0.2.53", "nameserver 192.0.2.54\n")); /* named by the options */
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_is_asked_whether_it_validated_and_believed_if_it_was_named),
		cmocka_unit_test(many_questions_are_under_way_at_once),
		cmocka_unit_test(nothing_is_asked_twice),
		cmocka_unit_test(silence_is_a_time_out_and_a_closed_port_is_unreachable),
		cmocka_unit_test(errors_of_the_server_are_told),
		cmocka_unit_test(an_answer_that_cannot_be_read_is_malformed),
		cmocka_unit_test(an_answer_with_another_id_is_passed_over),
		cmocka_unit_test(a_truncated_answer_is_asked_for_by_tcp),
		cmocka_unit_test(a_budget_bounds_questions_but_not_what_is_known),
		cmocka_unit_test(a_budget_bounds_time),
		cmocka_unit_test(names_that_cannot_be_are_not_asked_for),
		cmocka_unit_test(an_answer_may_lead_to_questions),
		cmocka_unit_test(servers_are_addresses),
		cmocka_unit_test(servers_of_the_system_are_believed_if_all_are_at_loopback_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
