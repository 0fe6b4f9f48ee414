/* Sessions over a socket pair: the replies to the client, the mails for the intake, the end, and the log. */
#include "server/ingest/session.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/ingest/client.h"
#include "tests/unit/ingest/fake_intake.h"
#include "tests/unit/ingest/logged.h"
#include "tests/unit/worker/cm.h"

#define MAIL_OF_A "MAIL FROM:<a@b.example>\r\nRCPT TO:<dmarc@x.example>\r\nDATA\r\n"
#define LHLO_LARGE                                                                                           \
	"250-mx.example\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"    \
	"250 SIZE 8000000\r\n"

static const char *const recipients[] = { "dmarc@*", "*@reports.example", NULL };

/* A session in its own thread, and the client's end of its socket. */
struct served {
	struct session_options options;
	gint64 useful; /* see session_run() */
	gssize memory;
	int fd, client;
	GThread *thread;
};

static gpointer serve(gpointer user)
{
	struct served *served = user;

	session_run(served->fd, &served->options, &served->useful);
	return NULL;
}

static void begin_with(
    struct served *served, int fd, int client, guint timeout, guint max_time, gsize max_message_size)
{
	*served = (struct served){ .fd = fd,
		.client = client,
		.options = { .lmtp = OPTIONS,
		    .recipients = recipients,
		    .timeout = timeout,
		    .max_time = max_time,
		    .min_rate = 1024,
		    .stop_fd = eventfd(0, EFD_CLOEXEC),
		    .intake = fake_intake_new() } };
	served->options.lmtp.max_message_size = max_message_size;
	served->memory = 4 * 1024 * 1024;
	served->options.memory = &served->memory;
	g_free(logged()); /* of the previous test */
	served->thread = g_thread_new("session", serve, served);
}

static void begin_on(struct served *served, int fd, int client, guint timeout)
{
	begin_with(served, fd, client, timeout, 600, 1000000);
}

/* The content of a mail has a second. */
static void begin_quick(struct served *served)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	begin_with(served, fds[0], fds[1], 20, 1, 1000000);
	client_hears(served->client, GREETING);
}

/* A mail may have 8,000,000 bytes. */
static void begin_large(struct served *served)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	begin_with(served, fds[0], fds[1], 20, 600, 8000000);
}

static void begin_of_type(struct served *served, int type, guint timeout)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), 0);
	begin_on(served, fds[0], fds[1], timeout);
}

/* Begin a session and read its greeting. */
static void begin(struct served *served, guint timeout)
{
	begin_of_type(served, SOCK_STREAM, timeout);
	client_hears(served->client, GREETING);
}

/* Wait until the session has ended, and compare mails and log. */
static void ends(struct served *served, const char *mails, const char *log)
{
	g_autofree char *taken = NULL, *lines = NULL;

	g_clear_pointer(&served->thread, g_thread_join);
	taken = fake_intake_mails(served->options.intake);
	lines = logged();
	assert_string_equal(taken, mails);
	assert_string_equal(lines, log);
	close(served->client);
	close(served->options.stop_fd);
	fake_intake_free(served->options.intake);
}

#define MAIL "mail 0 from a local client: 0 stored\n"
#define REFUSED(mails, failed, refused)                                                                      \
	"session with a local client: " #mails " mails stored, " #failed " mails failed, " #refused          \
	" recipients refused\n"

static void a_stored_mail_gets_250_for_each_recipient(void **state)
{
	struct served served;

	(void)state;
	begin(&served, 20);
	client_say(served.client,
	    "LHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<dmarc@x.example>\r\nRCPT TO:<a@reports.example>\r\n"
	    "DATA\r\n..hi\r\n.\r\nQUIT\r\n");
	client_hears(served.client, LHLO SENDER RCPT RCPT GO STORED STORED BYE);
	client_hears_the_end(served.client);
	ends(&served, "lmtp <> <dmarc@x.example> <a@reports.example>: .hi\r\n|", MAIL);
}

static void a_mail_that_cannot_be_stored_gets_451_and_the_session_goes_on(void **state)
{
	struct served served;

	(void)state;
	begin(&served, 20);
	served.options.intake->fails = TRUE;
	client_say(served.client, "LHLO me\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<dmarc@x.example>\r\n"
				  "RCPT TO:<dmarc@y.example>\r\nDATA\r\n1\r\n.\r\n");
	client_hears(served.client, LHLO SENDER RCPT RCPT GO FAILED FAILED);
	served.options.intake->fails = FALSE;
	client_say(served.client,
	    "MAIL FROM:<a@b.example>\r\nRCPT TO:<dmarc@x.example>\r\nDATA\r\n2\r\n.\r\nQUIT\r\n");
	client_hears(served.client, SENDER RCPT GO STORED BYE);
	ends(&served,
	    "lmtp <a@b.example> <dmarc@x.example> <dmarc@y.example>: 1\r\n|lmtp <a@b.example> "
	    "<dmarc@x.example>: 2\r\n|",
	    "mail from a local client not stored, its client keeps it: the database is away\n" MAIL REFUSED(
		1, 1, 0));
}

static void recipients_that_are_not_ours_are_refused_and_counted(void **state)
{
	struct served served;

	(void)state;
	begin(&served, 20);
	client_say(served.client,
	    "LHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<nobody@x.example>\r\nRCPT TO:<a@b.reports.example>\r\n"
	    "RCPT TO:<DMARC@x.example>\r\nDATA\r\n.\r\nQUIT\r\n");
	client_hears(served.client, LHLO SENDER UNKNOWN UNKNOWN RCPT GO STORED BYE);
	ends(&served, "lmtp <> <DMARC@x.example>: |", MAIL REFUSED(1, 0, 2));
}

static void a_session_with_only_refused_recipients_is_logged(void **state)
{
	struct served served;

	(void)state;
	begin(&served, 20);
	client_say(served.client, "LHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<nobody@x.example>\r\nQUIT\r\n");
	client_hears(served.client, LHLO SENDER UNKNOWN BYE);
	ends(&served, "", REFUSED(0, 0, 1));
}

static void each_stored_mail_has_a_line_with_its_number_and_ids(void **state)
{
	struct served served;
	g_autofree char *numbers = logged_fields();

	(void)state;
	begin(&served, 20);
	served.options.intake->counts = (struct intake_counts){ 1, 20, 300, 4000, 8 };
	served.options.intake->queue_id = "4Xyz";
	served.options.intake->message_id = "1\n\"2\"@example";
	client_say(served.client, START ".\r\n");
	client_hears(served.client, BEGUN "250 2.0.0 stored as mail 8\r\n");
	served.options.intake->counts = (struct intake_counts){ 0, 1, 0, 0, 9 };
	served.options.intake->queue_id = NULL;
	served.options.intake->message_id = NULL;
	client_say(served.client, START ".\r\n");
	client_hears(served.client, BEGUN "250 2.0.0 stored as mail 9\r\n");
	shutdown(served.client, SHUT_WR);
	client_hears_the_end(served.client);
	ends(&served, "lmtp <a@b.example> <dmarc@x.example>: |lmtp <a@b.example> <dmarc@x.example>: |",
	    "mail 8 from a local client: 1 stored, 20 duplicate, 300 conflict, 4000 unreadable, queue id "
	    "\"4Xyz\", Message-ID \"1\\\\u000a\\\"2\\\"@example\"\n"
	    "mail 9 from a local client: 0 stored, 1 duplicate\n");
	g_free(numbers);
	numbers = logged_fields();
	assert_string_equal(numbers,
	    "RUAD_QUEUE_ID=4Xyz RUAD_MESSAGE_ID=1\\u000a\"2\"@example RUAD_MAIL=8 RUAD_OUTCOME=stored "
	    "RUAD_OUTCOME=duplicate RUAD_OUTCOME=conflict RUAD_OUTCOME=unreadable "
	    "RUAD_MAIL=9 RUAD_OUTCOME=duplicate ");
}

/* The reply says what became of a mail from which no report could be stored. */
static void a_mail_without_a_stored_report_is_quarantined(void **state)
{
	static const struct {
		struct intake_counts counts;
		const char *word;
	} rows[] = {
		{ { 0, 0, 0, 1, 8 }, "quarantined" },
		{ { 0, 0, 1, 0, 8 }, "quarantined" },
		{ { 0, 0, 0, 0, 8 }, "stored" },
		{ { 0, 1, 0, 1, 8 }, "stored" },
		{ { 1, 0, 1, 1, 8 }, "stored" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *heard = g_strdup_printf(BEGUN "250 2.0.0 %s as mail 8\r\n", rows[i].word);
		struct served served;

		begin(&served, 20);
		served.options.intake->counts = rows[i].counts;
		client_say(served.client, START ".\r\n");
		client_hears(served.client, heard);
		shutdown(served.client, SHUT_WR);
		client_hears_the_end(served.client);
		g_clear_pointer(&served.thread, g_thread_join);
		fake_intake_free(served.options.intake);
		close(served.client);
		close(served.options.stop_fd);
	}
}

static void a_session_without_mail_is_not_logged(void **state)
{
	static const char *const words[] = { "", "QUIT\r\n", "LHLO me\r\nNOOP\r\n", "rubbish" };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
		struct served served;

		begin(&served, 20);
		client_say(served.client, words[i]);
		shutdown(served.client, SHUT_WR);
		ends(&served, "", "");
	}
}

static void a_mail_cut_off_by_the_client_is_not_stored(void **state)
{
	struct served served;

	(void)state;
	begin(&served, 20);
	client_say(served.client, START "half a mail\r\n");
	client_hears(served.client, BEGUN);
	shutdown(served.client, SHUT_WR);
	client_hears_the_end(served.client);
	ends(&served, "", "");
}

static void a_client_that_closes_before_the_reply_ends_only_its_session(void **state)
{
	struct served served;

	(void)state;
	begin(&served, 20);
	client_say(served.client, START "hi\r\n.\r\n");
	close(served.client); /* SIGPIPE would end the test */
	served.client = -1;
	ends(&served, "lmtp <a@b.example> <dmarc@x.example>: hi\r\n|", MAIL);
}

static void a_silent_client_gets_421_after_the_timeout(void **state)
{
	struct served served;
	gint64 start = g_get_monotonic_time();

	(void)state;
	begin(&served, 1);
	client_hears(served.client, TIMEOUT);
	client_hears_the_end(served.client);
	assert_true(g_get_monotonic_time() - start >= G_TIME_SPAN_SECOND);
	ends(&served, "", "");
}

static void a_mail_interrupted_by_the_timeout_is_not_stored(void **state)
{
	struct served served;

	(void)state;
	begin(&served, 1);
	client_say(served.client, START "half a mail");
	client_hears(served.client, BEGUN TIMEOUT);
	client_hears_the_end(served.client);
	ends(&served, "", "");
}

/* Each byte is in time, but there is no end of them. */
static void content_that_takes_longer_than_max_time_gets_421(void **state)
{
	struct served served;

	(void)state;
	begin_quick(&served);
	client_say(served.client, START);
	client_hears(served.client, BEGUN);
	for (int i = 0; i < 4; i++) {
		client_say(served.client, "a\r\n");
		g_usleep(200 * 1000);
	}
	client_hears(served.client, TIMEOUT);
	client_hears_the_end(served.client);
	ends(&served, "", "");
}

/* A command now and then does not keep a connection. */
static void commands_that_lead_to_no_mail_get_421_after_the_timeout(void **state)
{
	struct served served;

	(void)state;
	begin(&served, 1);
	for (int i = 0; i < 4; i++) {
		client_say(served.client, "NOOP\r\n");
		client_hears(served.client, OK);
		g_usleep(200 * 1000);
	}
	client_hears(served.client, TIMEOUT);
	client_hears_the_end(served.client);
	ends(&served, "", "");
}

static void say_mail(int client, gsize size)
{
	g_autofree char *line = g_strnfill(1000, 'a');

	client_say(client, "RSET\r\n" MAIL_OF_A);
	client_hears(client, OK SENDER RCPT GO);
	for (gsize i = 0; i < size; i += 1002) {
		client_say(client, line);
		client_say(client, "\r\n");
	}
	client_say(client, ".\r\n");
}

/* Large mails share 4 MiB here; small ones need none of them. */
static void a_mail_without_memory_left_gets_452_and_gives_it_back(void **state)
{
	struct served served;

	(void)state;
	begin_large(&served);
	client_hears(served.client, GREETING);
	client_say(served.client, "LHLO me\r\n");
	client_hears(served.client, LHLO_LARGE);
	say_mail(served.client, 5 * 1024 * 1024); /* takes 8 MiB, as memory doubles */
	client_hears(served.client, "452 4.3.1 no memory for it now, try again later\r\n");
	assert_int_equal(served.memory, 4 * 1024 * 1024);
	say_mail(served.client, 3 * 1024 * 1024);
	client_hears(served.client, STORED);
	assert_int_equal(served.memory, 4 * 1024 * 1024);
	served.memory = 0;
	say_mail(served.client, 1000 * 1000);
	client_hears(served.client, STORED);
	client_say(served.client, "QUIT\r\n");
	client_hears(served.client, BYE);
	client_hears_the_end(served.client);
	assert_int_equal(served.memory, 0);
	g_thread_join(served.thread);
	g_free(logged());
	fake_intake_free(served.options.intake);
	close(served.client);
	close(served.options.stop_fd);
}

static void a_stopping_server_does_not_wait_for_a_mail_that_does_not_come(void **state)
{
	struct served served;
	gint64 start = g_get_monotonic_time();

	(void)state;
	begin(&served, 20);
	client_say(served.client, START "hi\r\n");
	client_hears(served.client, BEGUN);
	assert_int_equal(eventfd_write(served.options.stop_fd, 1), 0);
	client_hears(served.client, SHUTTING_DOWN);
	client_hears_the_end(served.client);
	assert_true(g_get_monotonic_time() - start < 15 * G_TIME_SPAN_SECOND);
	ends(&served, "", "");
}

static void a_stopping_server_sends_421_between_mails(void **state)
{
	struct served served;

	(void)state;
	begin(&served, 20);
	client_say(served.client, START "hi\r\n.\r\n");
	client_hears(served.client, BEGUN STORED);
	assert_int_equal(eventfd_write(served.options.stop_fd, 1), 0);
	client_hears(served.client, SHUTTING_DOWN);
	client_hears_the_end(served.client);
	ends(&served, "lmtp <a@b.example> <dmarc@x.example>: hi\r\n|", MAIL);
}

static void a_stopping_server_accepts_the_mail_in_progress(void **state)
{
	struct served served;

	(void)state;
	begin(&served, 20);
	client_say(served.client, START "hi\r\n");
	client_hears(served.client, BEGUN);
	assert_int_equal(eventfd_write(served.options.stop_fd, 1), 0);
	client_say(served.client, "there\r\n");
	client_say(served.client, ".\r\n");
	client_hears(served.client, STORED SHUTTING_DOWN);
	client_hears_the_end(served.client);
	ends(&served, "lmtp <a@b.example> <dmarc@x.example>: hi\r\nthere\r\n|", MAIL);
}

static void a_new_client_of_a_stopping_server_gets_421(void **state)
{
	struct served served;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	begin_on(&served, fds[0], fds[1], 20);
	assert_int_equal(eventfd_write(served.options.stop_fd, 1), 0);
	client_hears(served.client, GREETING SHUTTING_DOWN);
	client_hears_the_end(served.client);
	ends(&served, "", "");
}

/* On a SOCK_SEQPACKET socket each send() is one packet. */
static void replies_to_pipelined_commands_are_sent_together(void **state)
{
	static const char *const words[] = { START, ".\r\nRSET\r\nNOOP\r\n", "QUIT\r\n" };
	static const char *const replies[] = { BEGUN, STORED OK OK, BYE };
	struct served served;
	char packet[4096];

	(void)state;
	begin_of_type(&served, SOCK_SEQPACKET, 20);
	client_hears(served.client, GREETING);
	for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
		ssize_t n;

		client_say(served.client, words[i]);
		n = recv(served.client, packet, sizeof packet - 1, 0);
		assert_int_equal(n, strlen(replies[i]));
		assert_memory_equal(packet, replies[i], (gsize)n);
	}
	client_hears_the_end(served.client);
	ends(&served, "lmtp <a@b.example> <dmarc@x.example>: |", MAIL);
}

static void a_mail_larger_than_the_buffer_is_stored_complete(void **state)
{
	g_autofree char *content = g_strnfill(300 * 1024, 'x');
	g_autofree char *words = g_strdup_printf(START "%s\r\n.\r\nQUIT\r\n", content);
	g_autofree char *mails = g_strdup_printf("lmtp <a@b.example> <dmarc@x.example>: %s\r\n|", content);
	struct served served;

	(void)state;
	begin(&served, 20);
	client_say(served.client, words);
	client_hears(served.client, BEGUN STORED BYE);
	ends(&served, mails, MAIL);
}

/* Send commands until the session has closed the connection. Returns FALSE if it does not within 20 seconds.
 */
static gboolean send_until_closed(int client)
{
	gint64 start = g_get_monotonic_time();

	while (g_get_monotonic_time() - start < 20 * G_TIME_SPAN_SECOND) {
		if (send(client, "NOOP\r\nNOOP\r\n", 12, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
			continue;
		if (errno != EAGAIN)
			return TRUE;
		g_usleep(1000);
	}
	return FALSE;
}

static void a_client_that_reads_no_replies_is_disconnected_after_the_timeout(void **state)
{
	struct served served;

	(void)state;
	begin(&served, 1);
	assert_true(send_until_closed(served.client));
	ends(&served, "", "");
}

/* Make a TCP connection to ourselves. */
static void connect_over_tcp(int *fd, int *client)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	assert_int_equal(connect(*client, (struct sockaddr *)&address, sizeof address), 0);
	*fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(*fd >= 0);
	close(listener);
}

static void the_log_names_the_address_and_port_of_a_tcp_client(void **state)
{
	struct served served;
	struct sockaddr_in own;
	socklen_t size = sizeof own;
	int fd, client;
	g_autofree char *want = NULL;

	(void)state;
	connect_over_tcp(&fd, &client);
	assert_int_equal(getsockname(client, (struct sockaddr *)&own, &size), 0);
	want = g_strdup_printf(
	    "session with [127.0.0.1]:%u: 0 mails stored, 0 mails failed, 1 recipients refused\n",
	    ntohs(own.sin_port));
	begin_on(&served, fd, client, 20);
	client_say(client, "LHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<nobody@x.example>\r\nQUIT\r\n");
	client_hears(client, GREETING LHLO SENDER UNKNOWN BYE);
	ends(&served, "", want);
}

/* -- refused connections -- */

static const struct session_options refusing = { .lmtp = OPTIONS };

static void a_refused_connection_gets_421_instead_of_the_greeting(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	session_refuse(fds[0], &refusing);
	client_hears(fds[1], BUSY);
	client_hears_the_end(fds[1]);
	close(fds[1]);
}

static void a_connection_is_refused_without_waiting(void **state)
{
	int fds[2];
	gint64 start = g_get_monotonic_time();

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	while (send(fds[0], "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL) > 0) /* fill the buffer */
		;
	session_refuse(fds[0], &refusing);
	close(fds[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	close(fds[1]);
	session_refuse(fds[0], &refusing); /* the client has left; SIGPIPE would end the test */
	assert_true(g_get_monotonic_time() - start < 20 * G_TIME_SPAN_SECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stored_mail_gets_250_for_each_recipient),
		cmocka_unit_test(a_mail_that_cannot_be_stored_gets_451_and_the_session_goes_on),
		cmocka_unit_test(recipients_that_are_not_ours_are_refused_and_counted),
		cmocka_unit_test(a_session_with_only_refused_recipients_is_logged),
		cmocka_unit_test(each_stored_mail_has_a_line_with_its_number_and_ids),
		cmocka_unit_test(a_mail_without_a_stored_report_is_quarantined),
		cmocka_unit_test(a_session_without_mail_is_not_logged),
		cmocka_unit_test(a_mail_cut_off_by_the_client_is_not_stored),
		cmocka_unit_test(a_client_that_closes_before_the_reply_ends_only_its_session),
		cmocka_unit_test(a_silent_client_gets_421_after_the_timeout),
		cmocka_unit_test(a_mail_interrupted_by_the_timeout_is_not_stored),
		cmocka_unit_test(content_that_takes_longer_than_max_time_gets_421),
		cmocka_unit_test(commands_that_lead_to_no_mail_get_421_after_the_timeout),
		cmocka_unit_test(a_mail_without_memory_left_gets_452_and_gives_it_back),
		cmocka_unit_test(a_stopping_server_does_not_wait_for_a_mail_that_does_not_come),
		cmocka_unit_test(a_stopping_server_sends_421_between_mails),
		cmocka_unit_test(a_stopping_server_accepts_the_mail_in_progress),
		cmocka_unit_test(a_new_client_of_a_stopping_server_gets_421),
		cmocka_unit_test(replies_to_pipelined_commands_are_sent_together),
		cmocka_unit_test(a_mail_larger_than_the_buffer_is_stored_complete),
		cmocka_unit_test(a_client_that_reads_no_replies_is_disconnected_after_the_timeout),
		cmocka_unit_test(the_log_names_the_address_and_port_of_a_tcp_client),
		cmocka_unit_test(a_refused_connection_gets_421_instead_of_the_greeting),
		cmocka_unit_test(a_connection_is_refused_without_waiting),
	};

	logged_begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
