/*
 * The LMTP client, against a server that follows a script.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "parser/error.h"
#include "server/common/lmtp_client.h"
#include "server/common/net.h"

#define HELLO "250-here\r\n250-SIZE 1000\r\n250 8BITMIME\r\n"
#define OK    "250 2.0.0 ok\r\n"
#define GO    "354 go\r\n"
#define STALL "~" /* neither says nor reads anything more */

/* A server for one connection: it says a line of the script, then waits for a command or for content. */
struct server {
	char *folder, *path, *words;
	int listener;
	const char *const *script; /* NULL-terminated */
	GString *heard;            /* everything, in order */
	GThread *thread;
};

static void hear(struct server *server, int fd, const char *end)
{
	char byte;

	while (recv(fd, &byte, 1, 0) == 1) {
		g_string_append_c(server->heard, byte);
		if (g_str_has_suffix(server->heard->str, end))
			return;
	}
}

static gpointer server_main(gpointer data)
{
	struct server *server = data;
	int fd = accept(server->listener, NULL, NULL);

	for (const char *const *line = server->script; *line != NULL; line++) {
		struct pollfd gone = { .fd = fd };

		if (g_str_equal(*line, STALL))
			(void)poll(&gone, 1, -1);
		else if (send(fd, *line, strlen(*line), MSG_NOSIGNAL) < 0)
			break;
		if (line[1] != NULL || g_str_equal(*line, OK))
			hear(server, fd, g_str_equal(*line, GO) ? "\r\n.\r\n" : "\r\n");
	}
	close(fd);
	return NULL;
}

static struct server *server_new(const char *const *script)
{
	struct server *server = g_new0(struct server, 1);

	server->folder = g_dir_make_tmp("ruad-lmtp-XXXXXX", NULL);
	server->path = g_build_filename(server->folder, "s", NULL);
	server->words = g_strconcat("unix:", server->path, NULL);
	server->listener = net_listen(server->words, NULL);
	assert_true(server->listener >= 0);
	server->script = script;
	server->heard = g_string_new(NULL);
	server->thread = g_thread_new("server", server_main, server);
	return server;
}

/* Returns what the server heard; transfer full. */
static char *server_end(struct server *server)
{
	g_thread_join(server->thread);
	close(server->listener);
	unlink(server->path);
	rmdir(server->folder);
	g_free(server->folder);
	g_free(server->path);
	g_free(server->words);
	char *heard = g_string_free(server->heard, FALSE);
	g_free(server);
	return heard;
}

static const struct lmtp_client_times quick = { .connect = 5, .command = 5, .content = 5 };
static const struct lmtp_client_times hasty = { .connect = 1, .command = 1, .content = 1 };

static void a_mail_is_sent_and_its_number_is_known(void **state G_GNUC_UNUSED)
{
	static const char *const script[] = { "220 here\r\n", HELLO, OK, OK, GO,
		"250 2.0.0 stored as mail 7\r\n", "221 bye\r\n", NULL };
	struct server *server = server_new(script);
	struct lmtp_client *client = lmtp_client_new(server->words, &quick, NULL);
	g_autofree char *heard = NULL;
	struct lmtp_answer *answer;

	assert_non_null(client);
	answer = lmtp_client_send(client, "dmarc@example.net", "A: b\n\nc\n", 8, NULL);
	assert_non_null(answer);
	assert_int_equal(answer->code, 250);
	assert_int_equal(answer->mail, 7);
	assert_string_equal(answer->text, "250 2.0.0 stored as mail 7");
	assert_string_equal(lmtp_client_said(client), answer->text);
	lmtp_answer_free(answer);
	lmtp_client_free(client);
	heard = server_end(server);
	assert_string_equal(heard,
	    "LHLO localhost\r\nMAIL FROM:<> BODY=8BITMIME SIZE=8\r\nRCPT TO:<dmarc@example.net>\r\nDATA\r\n"
	    "A: b\r\n\r\nc\r\n.\r\nQUIT\r\n");
}

static const struct {
	const char *mail;
	const char *sent; /* before the final dot */
} contents[] = {
	{ "", "" },
	{ "a", "a\r\n" },
	{ "a\n", "a\r\n" },
	{ "a\r\n", "a\r\n" },
	{ "a\r", "a\r\n" },
	{ "a\rb", "a\rb\r\n" },
	{ "a\r\r\nb", "a\r\r\nb\r\n" },
	{ ".", "..\r\n" },
	{ ".\n", "..\r\n" },
	{ "..\n", "...\r\n" },
	{ "a\n.\nb\n", "a\r\n..\r\nb\r\n" },
	{ "a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n" },
	{ "a.\n.b", "a.\r\n..b\r\n" },
	{ "\n\n", "\r\n\r\n" },
};

/* Send one mail in pieces; returns what the server heard between DATA and the dot. */
static char *content_of(const char *mail, gsize piece)
{
	static const char *const script[] = { "220 here\r\n", "250 here\r\n", OK, OK, GO, OK, NULL };
	static const char *const to[] = { "a@b", NULL };
	struct server *server = server_new(script);
	struct lmtp_client *client = lmtp_client_new(server->words, &quick, NULL);
	g_autofree char *heard = NULL;
	const char *data;

	assert_true(lmtp_client_begin(client, to, 0, NULL));
	for (gsize at = 0; at < strlen(mail); at += piece)
		assert_true(lmtp_client_write(client, mail + at, MIN(piece, strlen(mail) - at), NULL));
	g_ptr_array_unref(lmtp_client_end(client, NULL));
	lmtp_client_free(client);
	heard = server_end(server);
	data = strstr(heard, "DATA\r\n") + strlen("DATA\r\n");
	assert_true(g_str_has_suffix(data, ".\r\nQUIT\r\n"));
	return g_strndup(data, strlen(data) - strlen(".\r\nQUIT\r\n"));
}

static void lines_end_with_crlf_and_dots_are_doubled_however_it_is_split(void **state G_GNUC_UNUSED)
{
	for (gsize i = 0; i < G_N_ELEMENTS(contents); i++)
		for (gsize piece = 1; piece <= 3; piece++) {
			g_autofree char *sent = content_of(contents[i].mail, piece);

			if (!g_str_equal(sent, contents[i].sent))
				fail_msg("\"%s\": sent \"%s\"", contents[i].mail, sent);
		}
}

static void a_large_mail_arrives_whole(void **state G_GNUC_UNUSED)
{
	g_autoptr(GString) mail = g_string_new(NULL);
	g_autofree char *sent = NULL;

	for (guint i = 0; i < 30000; i++)
		g_string_append_printf(mail, "line %u\r\n", i);
	sent = content_of(mail->str, mail->len);
	assert_string_equal(sent, mail->str);
}

static void each_recipient_has_its_answer(void **state G_GNUC_UNUSED)
{
	static const char *const script[] = { "220 here\r\n", HELLO, OK, OK, "550 5.1.1 nobody\r\n", OK, GO,
		"250 stored as mail 3\r\n250-so\r\n250 2.0.0 stored\r\n", OK, NULL };
	static const char *const to[] = { "a@b", "c@d", "e@f", NULL };
	struct server *server = server_new(script);
	struct lmtp_client *client = lmtp_client_new(server->words, &quick, NULL);
	g_autoptr(GPtrArray) answers = NULL;
	const struct lmtp_answer *answer;

	assert_true(lmtp_client_begin(client, to, 0, NULL));
	answers = lmtp_client_end(client, NULL);
	assert_non_null(answers);
	assert_int_equal(answers->len, 3);
	answer = answers->pdata[0];
	assert_int_equal(answer->mail, 3);
	answer = answers->pdata[1];
	assert_int_equal(answer->code, 550);
	assert_string_equal(answer->text, "550 5.1.1 nobody");
	answer = answers->pdata[2];
	assert_int_equal(answer->code, 250);
	assert_int_equal(answer->mail, 0);
	lmtp_client_free(client);
	g_free(server_end(server));
}

static const struct {
	const char *name;
	const char *script[9];
	int code;
	gboolean alive;
	const char *words;
} failures[] = {
	{ "busy", { "421 4.3.2 busy\r\n" }, RUAD_ERROR_SYSTEM, FALSE, "421 4.3.2 busy" },
	{ "closed", { "220 here\r\n", "" }, RUAD_ERROR_SYSTEM, FALSE, "it closed the connection" },
	{ "not LMTP", { "+OK POP3\r\n" }, RUAD_ERROR_SYSTEM, FALSE, "it does not speak LMTP" },
	{ "code", { "199 what\r\n" }, RUAD_ERROR_SYSTEM, FALSE, "it does not speak LMTP" },
	{ "SMTP", { "220 here\r\n", "502 5.5.1 what\r\n", "" }, RUAD_ERROR_SYNTAX, FALSE, "502 5.5.1 what" },
	{ "4xx to MAIL", { "220 a\r\n", HELLO, "451 4.3.0 later\r\n", OK }, RUAD_ERROR_SYSTEM, TRUE,
	    "451 4.3.0 later" },
	{ "too large", { "220 a\r\n", HELLO, "552 5.3.4 too big\r\n", OK }, RUAD_ERROR_LIMIT, TRUE,
	    "552 5.3.4" },
	{ "nobody", { "220 a\r\n", HELLO, OK, "550 5.1.1 nobody\r\n", OK }, RUAD_ERROR_SYNTAX, TRUE,
	    "550 5.1.1" },
	{ "4xx to DATA", { "220 a\r\n", HELLO, OK, OK, "452 4.3.1 full\r\n", OK }, RUAD_ERROR_SYSTEM, TRUE,
	    "452 4.3.1" },
	{ "no 354", { "220 a\r\n", HELLO, OK, OK, "250 done\r\n", "" }, RUAD_ERROR_SYSTEM, FALSE,
	    "250 done" },
	{ "lost", { "220 a\r\n", HELLO, OK, OK, GO, "" }, RUAD_ERROR_SYSTEM, FALSE,
	    "it closed the connection" },
	{ "shut down", { "220 a\r\n", HELLO, OK, OK, GO, "421 4.3.2 bye\r\n", "" }, RUAD_ERROR_SYSTEM, FALSE,
	    "421 4.3.2 bye" },
	{ "a code of four digits", { "2200 here\r\n" }, RUAD_ERROR_SYSTEM, FALSE, "it does not speak LMTP" },
	{ "a code without blank", { "220x here\r\n" }, RUAD_ERROR_SYSTEM, FALSE, "it does not speak LMTP" },
	{ "a code that is too large", { "600 here\r\n" }, RUAD_ERROR_SYSTEM, FALSE,
	    "it does not speak LMTP" },
	{ "the largest code", { "599 here\r\n" }, RUAD_ERROR_SYNTAX, FALSE, "599 here" },
	{ "the smallest code", { "200 here\r\n" }, RUAD_ERROR_SYSTEM, FALSE, "200 here" },
	{ "half a line", { "220 here" }, RUAD_ERROR_SYSTEM, FALSE, "it closed the connection" },
	{ "399 to MAIL", { "220 a\r\n", HELLO, "399 what\r\n", "" }, RUAD_ERROR_SYSTEM, FALSE, "399 what" },
	{ "400 to MAIL", { "220 a\r\n", HELLO, "400 later\r\n", OK }, RUAD_ERROR_SYSTEM, TRUE, "400 later" },
	{ "499 to MAIL", { "220 a\r\n", HELLO, "499 later\r\n", OK }, RUAD_ERROR_SYSTEM, TRUE, "499 later" },
	{ "500 to MAIL", { "220 a\r\n", HELLO, "500 never\r\n", OK }, RUAD_ERROR_SYNTAX, TRUE, "500 never" },
	{ "421 to RCPT", { "220 a\r\n", HELLO, OK, "421 bye\r\n", "" }, RUAD_ERROR_SYSTEM, FALSE, "421 bye" },
	{ "escapes", { "421 \033[31mred\r\n" }, RUAD_ERROR_SYSTEM, FALSE, "421 \\u001b[31mred" },
};

static void check_failure(guint i)
{
	struct server *server = server_new(failures[i].script);
	g_autoptr(GError) error = NULL;
	struct lmtp_client *client = lmtp_client_new(server->words, &quick, &error);
	struct lmtp_answer *answer = client ? lmtp_client_send(client, "a@b", "x", 1, &error) : NULL;

	if (answer != NULL || !g_error_matches(error, RUAD_ERROR, failures[i].code) ||
	    strstr(error->message, failures[i].words) == NULL)
		fail_msg("%s: %s", failures[i].name, answer ? answer->text : error->message);
	if (client != NULL && lmtp_client_alive(client) != failures[i].alive)
		fail_msg("%s: %s", failures[i].name, failures[i].alive ? "not alive" : "alive");
	lmtp_client_free(client);
	g_free(server_end(server));
}

static void failures_say_whether_to_try_again_and_what_the_server_said(void **state G_GNUC_UNUSED)
{
	for (guint i = 0; i < G_N_ELEMENTS(failures); i++)
		check_failure(i);
}

static void after_a_refusal_the_next_mail_is_sent(void **state G_GNUC_UNUSED)
{
	static const char *const script[] = { "220 a\r\n", "250 a\r\n", OK, "550 5.1.1 nobody\r\n", OK, OK,
		OK, GO, OK, NULL };
	struct server *server = server_new(script);
	struct lmtp_client *client = lmtp_client_new(server->words, &quick, NULL);
	g_autofree char *heard = NULL;
	struct lmtp_answer *answer;

	assert_null(lmtp_client_send(client, "a@b", "x", 1, NULL));
	assert_true(lmtp_client_alive(client));
	answer = lmtp_client_send(client, "c@d", "x", 1, NULL);
	assert_non_null(answer);
	lmtp_answer_free(answer);
	lmtp_client_free(client);
	heard = server_end(server);
	assert_non_null(strstr(heard, "RCPT TO:<a@b>\r\nRSET\r\nMAIL FROM:<>\r\nRCPT TO:<c@d>\r\n"));
}

/* With each kind of reply to LHLO, what MAIL says. */
static void extensions_are_used_if_they_were_announced(void **state G_GNUC_UNUSED)
{
	static const struct {
		const char *hello, *mail;
		guint64 size;
	} rows[] = {
		{ "250-a\r\n250-SIZE 1000\r\n250 8BITMIME\r\n", "MAIL FROM:<> BODY=8BITMIME SIZE=1\r\n", 1 },
		{ "250-a\r\n250-SIZE 1000\r\n250 8BITMIME\r\n", "MAIL FROM:<> BODY=8BITMIME\r\n", 0 },
		{ "250-a\r\n250 size 1\r\n", "MAIL FROM:<> SIZE=1\r\n", 1 },
		{ "250-a\r\n250 SIZE 0\r\n", "MAIL FROM:<>\r\n", 1 },
		{ "250-a\r\n250 SIZE x\r\n", "MAIL FROM:<>\r\n", 1 },
		{ "250-a\r\n250 SIZE\r\n", "MAIL FROM:<>\r\n", 1 },
		{ "250-a\r\n250-\r\n250 8BITMIMEX\r\n", "MAIL FROM:<>\r\n", 1 },
		{ "250\r\n", "MAIL FROM:<>\r\n", 1 },
	};
	static const char *const to[] = { "a@b", NULL };

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *const script[] = { "220 a\r\n", rows[i].hello, OK, OK, GO, "", NULL };
		struct server *server = server_new(script);
		struct lmtp_client *client = lmtp_client_new(server->words, &quick, NULL);
		g_autofree char *heard = NULL,
				*want = g_strconcat("LHLO localhost\r\n", rows[i].mail, "RCPT", NULL);

		assert_true(lmtp_client_begin(client, to, rows[i].size, NULL));
		lmtp_client_free(client);
		heard = server_end(server);
		if (!g_str_has_prefix(heard, want))
			fail_msg("%s: %s", rows[i].hello, heard);
	}
}

/* Of several refusals, one that says "later" counts, wherever it is. */
static void a_mail_that_nobody_takes_is_tried_again_if_one_may_take_it_later(void **state G_GNUC_UNUSED)
{
	static const struct {
		const char *first, *second;
		int code;
	} rows[] = {
		{ "550 no\r\n", "450 later\r\n", RUAD_ERROR_SYSTEM },
		{ "450 later\r\n", "550 no\r\n", RUAD_ERROR_SYSTEM },
		{ "550 no\r\n", "551 no\r\n", RUAD_ERROR_SYNTAX },
	};
	static const char *const to[] = { "a@b", "c@d", NULL };

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *const script[] = { "220 a\r\n", "250 a\r\n", OK, rows[i].first, rows[i].second,
			OK, NULL };
		struct server *server = server_new(script);
		struct lmtp_client *client = lmtp_client_new(server->words, &quick, NULL);
		g_autoptr(GError) error = NULL;

		assert_false(lmtp_client_begin(client, to, 0, &error));
		assert_true(g_error_matches(error, RUAD_ERROR, rows[i].code));
		assert_true(lmtp_client_alive(client));
		lmtp_client_free(client);
		g_free(server_end(server));
	}
}

/* Only "250 ... stored as mail N" has a number. */
static void an_answer_has_a_number_only_of_a_stored_mail(void **state G_GNUC_UNUSED)
{
	static const struct {
		const char *reply;
		gint64 mail;
	} rows[] = {
		{ "250 stored as mail 1\r\n", 1 },
		{ "250 stored as mail 9223372036854775807\r\n", G_MAXINT64 },
		{ "250 stored as mail 0\r\n", 0 },
		{ "250 stored as mail 7x\r\n", 0 },
		{ "251 stored as mail 7\r\n", 0 },
		{ "550 stored as mail 7\r\n", 0 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *const script[] = { "220 a\r\n", "250 a\r\n", OK, OK, GO, rows[i].reply, OK,
			NULL };
		struct server *server = server_new(script);
		struct lmtp_client *client = lmtp_client_new(server->words, &quick, NULL);
		struct lmtp_answer *answer = lmtp_client_send(client, "a@b", "x", 1, NULL);

		assert_non_null(answer);
		assert_int_equal(answer->mail, rows[i].mail);
		lmtp_answer_free(answer);
		lmtp_client_free(client);
		g_free(server_end(server));
	}
	lmtp_answer_free(NULL);
}

static int next_descriptor(void)
{
	int fd = dup(STDERR_FILENO);

	close(fd);
	return fd;
}

static void two_mails_follow_one_another_and_the_socket_is_closed(void **state G_GNUC_UNUSED)
{
	static const char *const script[] = { "220 a\r\n", "250 a\r\n", OK, OK, GO, OK, OK, OK, GO, OK, OK,
		NULL };
	int before = next_descriptor();
	struct server *server = server_new(script);
	struct lmtp_client *client = lmtp_client_new(server->words, &quick, NULL);
	g_autofree char *heard = NULL;

	lmtp_answer_free(lmtp_client_send(client, "a@b", "x", 1, NULL));
	lmtp_answer_free(lmtp_client_send(client, "c@d", "y", 1, NULL));
	lmtp_client_free(client);
	lmtp_client_free(NULL);
	heard = server_end(server);
	assert_string_equal(heard, "LHLO localhost\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\nx\r\n.\r\n"
				   "MAIL FROM:<>\r\nRCPT TO:<c@d>\r\nDATA\r\ny\r\n.\r\nQUIT\r\n");
	assert_int_equal(next_descriptor(), before);
}

static void a_mail_that_was_not_ended_is_not_ended_by_closing(void **state G_GNUC_UNUSED)
{
	static const char *const script[] = { "220 a\r\n", "250 a\r\n", OK, OK, GO, "", NULL };
	static const char *const to[] = { "a@b", NULL };
	struct server *server = server_new(script);
	struct lmtp_client *client = lmtp_client_new(server->words, &quick, NULL);
	g_autofree char *heard = NULL;

	assert_true(lmtp_client_begin(client, to, 0, NULL));
	assert_true(lmtp_client_write(client, "x\n", 2, NULL));
	lmtp_client_free(client);
	heard = server_end(server);
	assert_true(g_str_has_suffix(heard, "DATA\r\n"));
}

static void a_silent_server_is_left_in_time(void **state G_GNUC_UNUSED)
{
	static const char *const script[] = { STALL, NULL };
	struct server *server = server_new(script);
	g_autoptr(GError) error = NULL;

	assert_null(lmtp_client_new(server->words, &hasty, &error));
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYSTEM));
	assert_non_null(strstr(error->message, "no answer in time"));
	g_free(server_end(server));
}

#define CLOSED "LMTP server: the connection is closed"

/* Send 4 MiB to a server that does not read them; returns the words of the failure. */
static char *large_mail_fails(const char *const *script)
{
	static const char *const to[] = { "a@b", NULL };
	struct server *server = server_new(script);
	struct lmtp_client *client = lmtp_client_new(server->words, &hasty, NULL);
	g_autofree char *much = g_strnfill(1 << 22, 'x');
	g_autoptr(GError) error = NULL;
	g_autoptr(GError) late = NULL;

	much[0] = '\n';
	assert_true(lmtp_client_begin(client, to, 0, NULL));
	assert_false(lmtp_client_write(client, much, 1 << 22, &error));
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYSTEM));
	assert_false(lmtp_client_alive(client));
	assert_false(lmtp_client_write(client, much, 1, &late));
	assert_string_equal(late->message, CLOSED);
	g_clear_error(&late);
	assert_null(lmtp_client_end(client, &late));
	assert_string_equal(late->message, CLOSED);
	lmtp_client_free(client);
	g_free(server_end(server));
	return g_strdup(error->message);
}

static void a_server_that_does_not_read_is_left_in_time(void **state G_GNUC_UNUSED)
{
	static const char *const script[] = { "220 a\r\n", "250 a\r\n", OK, OK, "354 now\r\n", STALL, NULL };
	g_autofree char *words = large_mail_fails(script);

	assert_non_null(strstr(words, "it does not read in time"));
}

static void what_a_server_says_within_a_mail_is_heard(void **state G_GNUC_UNUSED)
{
	static const char *const script[] = { "220 a\r\n", "250 a\r\n", OK, OK, "354 now\r\n",
		"421 4.3.2 bye\r\n", STALL, NULL };
	g_autofree char *words = large_mail_fails(script);

	assert_non_null(strstr(words, "421 4.3.2 bye"));
}

/* A greeting of n bytes in two lines. */
static gboolean greeting_is_taken(gsize n)
{
	g_autofree char *first = g_strnfill(n - strlen("220-\r\n220 x\r\n"), 'y');
	g_autofree char *greeting = g_strdup_printf("220-%s\r\n220 x\r\n", first);
	const char *const script[] = { greeting, "250 a\r\n", OK, NULL };
	struct server *server = server_new(script);
	g_autoptr(GError) error = NULL;
	struct lmtp_client *client = lmtp_client_new(server->words, &quick, &error);
	gboolean taken = client != NULL;

	if (!taken)
		assert_non_null(strstr(error->message, "its reply is too long"));
	lmtp_client_free(client);
	g_free(server_end(server));
	return taken;
}

static void a_reply_has_a_bound(void **state G_GNUC_UNUSED)
{
	assert_true(greeting_is_taken(LMTP_CLIENT_REPLY_MAX - 1));
	assert_true(greeting_is_taken(LMTP_CLIENT_REPLY_MAX));
	assert_false(greeting_is_taken(LMTP_CLIENT_REPLY_MAX + 1));
}

static void a_recipient_cannot_add_a_command(void **state G_GNUC_UNUSED)
{
	static const char *const script[] = { "220 a\r\n", "250 a\r\n", OK, OK, NULL };
	struct server *server = server_new(script);
	struct lmtp_client *client = lmtp_client_new(server->words, &quick, NULL);
	g_autoptr(GError) error = NULL;
	g_autofree char *heard = NULL;

	assert_null(lmtp_client_send(client, "a@b>\r\nDATA", "x", 1, &error));
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX));
	lmtp_client_free(client);
	heard = server_end(server);
	assert_null(strstr(heard, "DATA"));
}

static const struct {
	const char *pattern, *address;
} recipients[] = {
	{ "dmarc-sum@*", "dmarc-sum@localhost" },
	{ "dmarc@example.net", "dmarc@example.net" },
	{ "*@example.net", "ruad@example.net" },
	{ "*", "ruad@localhost" },
	{ "dmarc*", "dmarcruad@localhost" },
	{ "dmarc-?@*.example.net", "dmarc-x@localhost.example.net" },
	{ "postmaster", "postmaster" },
};

static void patterns_of_recipients_become_mailboxes(void **state G_GNUC_UNUSED)
{
	for (gsize i = 0; i < G_N_ELEMENTS(recipients); i++) {
		g_autofree char *address = lmtp_client_recipient(recipients[i].pattern);

		assert_string_equal(address, recipients[i].address);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mail_is_sent_and_its_number_is_known),
		cmocka_unit_test(lines_end_with_crlf_and_dots_are_doubled_however_it_is_split),
		cmocka_unit_test(a_large_mail_arrives_whole),
		cmocka_unit_test(each_recipient_has_its_answer),
		cmocka_unit_test(failures_say_whether_to_try_again_and_what_the_server_said),
		cmocka_unit_test(after_a_refusal_the_next_mail_is_sent),
		cmocka_unit_test(extensions_are_used_if_they_were_announced),
		cmocka_unit_test(a_mail_that_nobody_takes_is_tried_again_if_one_may_take_it_later),
		cmocka_unit_test(an_answer_has_a_number_only_of_a_stored_mail),
		cmocka_unit_test(two_mails_follow_one_another_and_the_socket_is_closed),
		cmocka_unit_test(a_mail_that_was_not_ended_is_not_ended_by_closing),
		cmocka_unit_test(a_silent_server_is_left_in_time),
		cmocka_unit_test(a_server_that_does_not_read_is_left_in_time),
		cmocka_unit_test(what_a_server_says_within_a_mail_is_heard),
		cmocka_unit_test(a_reply_has_a_bound),
		cmocka_unit_test(a_recipient_cannot_add_a_command),
		cmocka_unit_test(patterns_of_recipients_become_mailboxes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
