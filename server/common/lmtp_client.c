#include "server/common/lmtp_client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "parser/error.h"
#include "server/common/net.h"
#include "server/common/visible.h"

#define OUTPUT_PIECE (64 * 1024) /* bytes that are sent at once */
#define TOO_BIG      552
#define CLOSING      421
#define STORED       "stored as mail "
#define QUARANTINED  "quarantined as mail "

struct lmtp_client {
	int fd; /* -1: nothing can be sent any more */
	struct lmtp_client_times times;
	GString *input;  /* received, not yet used */
	GString *output; /* not yet sent */
	char *said;
	guint64 max_size;   /* of a mail, as the server announced it (RFC 1870); 0: it did not */
	gboolean eight_bit; /* the server announced 8BITMIME */

	GPtrArray *answers; /* of this mail's recipients; those of accepted ones follow after the content */
	gboolean open;      /* a transaction that failed is to be reset */
	gboolean in_content;
	gboolean line_start; /* the next byte begins a line */
	gboolean after_cr;   /* the last byte was CR */
};

void lmtp_answer_free(struct lmtp_answer *answer)
{
	if (answer == NULL)
		return;
	g_free(answer->text);
	g_free(answer);
}

/* -- errors -- */

static void hang_up(struct lmtp_client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	client->in_content = FALSE;
}

/* The connection is of no use any more. Always returns FALSE. */
static gboolean fail(struct lmtp_client *client, GError **error, const char *words)
{
	hang_up(client);
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "LMTP server: %s", words);
	return FALSE;
}

/* The server answered a request with code. Always returns FALSE. */
static gboolean fail_reply(struct lmtp_client *client, GError **error, guint code)
{
	int kind = code == TOO_BIG ? RUAD_ERROR_LIMIT : code >= 500 ? RUAD_ERROR_SYNTAX : RUAD_ERROR_SYSTEM;

	if (code == CLOSING || code < 400)
		hang_up(client);
	g_set_error(error, RUAD_ERROR, kind, "LMTP server: %s", client->said);
	return FALSE;
}

/* -- waiting -- */

/* Wait until one of events is ready; deadline is a monotonic time. Returns what is, 0 after the deadline. */
static short wait_for(int fd, short events, gint64 deadline)
{
	for (;;) {
		struct pollfd one = { .fd = fd, .events = events };
		gint64 left = (deadline - g_get_monotonic_time()) / 1000 + 1;
		int ready = left > 0 ? poll(&one, 1, (int)MIN(left, G_MAXINT)) : 0;

		if (ready > 0)
			return one.revents;
		if (ready == 0)
			return 0;
		if (errno != EINTR)
			return POLLERR;
	}
}

static gint64 deadline_in(guint seconds)
{
	return g_get_monotonic_time() + seconds * G_TIME_SPAN_SECOND;
}

/* -- replies -- */

static gboolean receive(struct lmtp_client *client, gint64 deadline, GError **error)
{
	char buffer[1024];
	ssize_t n;

	if (client->fd < 0)
		return fail(client, error, "the connection is closed");
	if (wait_for(client->fd, POLLIN, deadline) == 0)
		return fail(client, error, "no answer in time");
	do
		n = recv(client->fd, buffer, sizeof buffer, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return fail(client, error, g_strerror(errno));
	if (n == 0)
		return fail(client, error, "it closed the connection");
	g_string_append_len(client->input, buffer, n);
	return TRUE;
}

/* The next line without its end, transfer full; NULL on failure. *room: bytes that the reply may still
 * have. */
static char *read_line(struct lmtp_client *client, gsize *room, gint64 deadline, GError **error)
{
	const char *end;
	char *line;
	gsize size;

	while ((end = memchr(client->input->str, '\n', client->input->len)) == NULL)
		if (client->input->len > *room || !receive(client, deadline, error))
			break;
	size = end != NULL ? (gsize)(end - client->input->str) + 1 : client->input->len;
	if (size > *room || end == NULL) {
		if (client->fd >= 0)
			(void)fail(client, error, "its reply is too long");
		return NULL;
	}
	*room -= size;
	line = g_strndup(client->input->str, size - 1);
	g_string_erase(client->input, 0, (gssize)size);
	return g_strchomp(line);
}

/* "250 text", "250-text" or "250". Returns 0 if it is none. */
static guint line_code(const char *line)
{
	guint code;

	if (strspn(line, "0123456789") != 3 || (line[3] != '\0' && line[3] != ' ' && line[3] != '-'))
		return 0;
	code = (guint)(line[0] - '0') * 100 + (guint)(line[1] - '0') * 10 + (guint)(line[2] - '0');
	return code >= 200 && code <= 599 ? code : 0;
}

/* SIZE (RFC 1870) and 8BITMIME (RFC 6152) in a line of the reply to LHLO. */
static void note_extension(struct lmtp_client *client, const char *text)
{
	if (g_ascii_strncasecmp(text, "SIZE ", 5) == 0 &&
	    !g_ascii_string_to_unsigned(text + 5, 10, 0, G_MAXINT64, &client->max_size, NULL))
		client->max_size = 0;
	if (g_ascii_strcasecmp(text, "8BITMIME") == 0)
		client->eight_bit = TRUE;
}

/* Read a reply; returns its code, or 0 on failure. Its last line is said. */
static guint read_reply(struct lmtp_client *client, guint seconds, gboolean is_hello, GError **error)
{
	gint64 deadline = deadline_in(seconds);
	gsize room = LMTP_CLIENT_REPLY_MAX;

	for (;;) {
		g_autofree char *line = read_line(client, &room, deadline, error);
		guint code = line != NULL ? line_code(line) : 0;

		if (code == 0) {
			if (line != NULL)
				(void)fail(client, error, "it does not speak LMTP");
			return 0;
		}
		if (is_hello && line[3] != '\0')
			note_extension(client, line + 4);
		if (line[3] == '-')
			continue;
		g_free(client->said);
		client->said = visible_text(line);
		return code;
	}
}

/* -- sending -- */

/* Send one piece of what waits. A server that speaks while it receives content is about to close. */
static gboolean send_some(struct lmtp_client *client, gsize *sent, GError **error)
{
	short events = client->in_content ? POLLOUT | POLLIN : POLLOUT;
	short ready = client->fd < 0 ? 0 : wait_for(client->fd, events, deadline_in(client->times.connect));
	ssize_t n;

	if (client->fd < 0)
		return fail(client, error, "the connection is closed");
	if (ready == 0)
		return fail(client, error, "it does not read in time");
	if (client->in_content && (ready & (POLLIN | POLLHUP)) != 0) {
		guint code = read_reply(client, client->times.command, FALSE, error);

		if (code != 0)
			(void)fail_reply(client, error, code);
		hang_up(client);
		return FALSE;
	}
	n = send(client->fd, client->output->str + *sent, client->output->len - *sent,
	    MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && errno != EINTR && errno != EAGAIN)
		return fail(client, error, g_strerror(errno));
	*sent += n > 0 ? (gsize)n : 0;
	return TRUE;
}

static gboolean flush(struct lmtp_client *client, GError **error)
{
	gsize sent = 0;

	while (sent < client->output->len)
		if (!send_some(client, &sent, error))
			return FALSE;
	g_string_truncate(client->output, 0);
	return TRUE;
}

/* Send a command; returns the code of its reply, or 0 on failure. */
static guint ask(struct lmtp_client *client, const char *command, GError **error)
{
	g_string_append_printf(client->output, "%s\r\n", command);
	return flush(client, error)
		   ? read_reply(client, client->times.command, g_str_has_prefix(command, "LHLO"), error)
		   : 0;
}

/* The same; every reply but want is a failure. */
static gboolean demand(struct lmtp_client *client, const char *command, guint want, GError **error)
{
	guint code = ask(client, command, error);

	return code == want || (code != 0 && fail_reply(client, error, code));
}

/* -- the connection -- */

static gboolean greet(struct lmtp_client *client, GError **error)
{
	guint code = read_reply(client, client->times.command, FALSE, error);

	if (code == 0)
		return FALSE;
	return code == 220 ? demand(client, "LHLO localhost", 250, error) : fail_reply(client, error, code);
}

struct lmtp_client *lmtp_client_new(
    const char *address, const struct lmtp_client_times *times, GError **error)
{
	int fd = net_connect(address, times->connect, error);
	struct lmtp_client *client;

	if (fd < 0)
		return NULL;
	client = g_new0(struct lmtp_client, 1);
	client->fd = fd;
	client->times = *times;
	client->input = g_string_new(NULL);
	client->output = g_string_new(NULL);
	client->said = g_strdup("");
	client->answers = g_ptr_array_new_with_free_func((GDestroyNotify)lmtp_answer_free);
	if (!greet(client, error))
		g_clear_pointer(&client, lmtp_client_free);
	return client;
}

void lmtp_client_free(struct lmtp_client *client)
{
	static const char quit[] = "QUIT\r\n";

	if (client == NULL)
		return;
	if (client->fd >= 0 && !client->in_content)
		(void)send(client->fd, quit, strlen(quit), MSG_NOSIGNAL | MSG_DONTWAIT);
	hang_up(client);
	g_string_free(client->input, TRUE);
	g_string_free(client->output, TRUE);
	g_free(client->said);
	g_ptr_array_unref(client->answers);
	g_free(client);
}

gboolean lmtp_client_alive(const struct lmtp_client *client)
{
	return client->fd >= 0;
}

const char *lmtp_client_said(const struct lmtp_client *client)
{
	return client->said;
}

/* -- a mail -- */

/* The number in "250 2.0.0 stored as mail 7", where the words are those before it; or 0. */
static gint64 mail_number(const char *text, const char *words)
{
	const char *found = strstr(text, words);
	guint64 number = 0;

	if (found == NULL ||
	    !g_ascii_string_to_unsigned(found + strlen(words), 10, 1, G_MAXINT64, &number, NULL))
		return 0;
	return (gint64)number;
}

static void set_answer(const struct lmtp_client *client, struct lmtp_answer *answer, guint code)
{
	g_free(answer->text);
	answer->code = code;
	answer->text = g_strdup(client->said);
	answer->mail = code == 250 ? mail_number(client->said, QUARANTINED) : 0;
	answer->is_quarantined = answer->mail > 0;
	if (code == 250 && !answer->is_quarantined)
		answer->mail = mail_number(client->said, STORED);
}

static gboolean begin_sender(struct lmtp_client *client, guint64 size, GError **error)
{
	g_autoptr(GString) command = g_string_new("MAIL FROM:<>");

	if (client->open && !demand(client, "RSET", 250, error))
		return FALSE;
	client->open = TRUE;
	if (client->eight_bit)
		g_string_append(command, " BODY=8BITMIME");
	if (client->max_size > 0 && size > 0)
		g_string_append_printf(command, " SIZE=%" G_GUINT64_FORMAT, size);
	return demand(client, command->str, 250, error);
}

/* Whether the text can stand in a command: no line end, no end of the path. */
static gboolean is_plain(const char *recipient)
{
	return recipient[strcspn(recipient, "<>\r\n")] == '\0';
}

static gboolean begin_recipient(struct lmtp_client *client, const char *recipient, GError **error)
{
	g_autofree char *command = g_strdup_printf("RCPT TO:<%s>", recipient);
	struct lmtp_answer *answer;
	guint code;

	if (!is_plain(recipient)) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "recipient \"%s\": no mailbox", recipient);
		return FALSE;
	}
	code = ask(client, command, error);
	if (code == 0)
		return FALSE;
	if (code == CLOSING)
		return fail_reply(client, error, code);
	answer = g_new0(struct lmtp_answer, 1);
	set_answer(client, answer, code);
	g_ptr_array_add(client->answers, answer);
	return TRUE;
}

/* The refusal of all recipients, if there was one: "try again" of one of them counts. */
static guint refusal(const struct lmtp_client *client)
{
	guint worst = 0;

	for (guint i = 0; i < client->answers->len; i++) {
		const struct lmtp_answer *answer = client->answers->pdata[i];

		if (answer->code < 300)
			return 0;
		if (worst == 0 || answer->code < worst)
			worst = answer->code;
	}
	return worst;
}

gboolean lmtp_client_begin(
    struct lmtp_client *client, const char *const *recipients, guint64 size, GError **error)
{
	guint code;

	g_assert(!client->in_content && recipients[0] != NULL);
	g_ptr_array_set_size(client->answers, 0);
	if (!begin_sender(client, size, error))
		return FALSE;
	for (; *recipients != NULL; recipients++)
		if (!begin_recipient(client, *recipients, error))
			return FALSE;
	code = refusal(client);
	if (code != 0)
		return fail_reply(client, error, code);
	if (!demand(client, "DATA", 354, error))
		return FALSE;
	client->in_content = client->line_start = TRUE;
	client->after_cr = FALSE;
	return TRUE;
}

/* Bytes of one line, without LF. */
static void add_text(struct lmtp_client *client, const char *bytes, gsize size)
{
	if (size == 0)
		return;
	if (client->line_start && *bytes == '.')
		g_string_append_c(client->output, '.');
	g_string_append_len(client->output, bytes, (gssize)size);
	client->line_start = FALSE;
	client->after_cr = bytes[size - 1] == '\r';
}

static void end_line(struct lmtp_client *client)
{
	g_string_append(client->output, client->after_cr ? "\n" : "\r\n");
	client->line_start = TRUE;
	client->after_cr = FALSE;
}

gboolean lmtp_client_write(struct lmtp_client *client, const void *data, gsize size, GError **error)
{
	const char *bytes = data;

	if (!client->in_content)
		return fail(client, error, "the connection is closed");
	while (size > 0) {
		gsize part = MIN(size, OUTPUT_PIECE);
		const char *lf = memchr(bytes, '\n', part);
		gsize text = lf != NULL ? (gsize)(lf - bytes) : part;
		gsize used = text + (lf != NULL ? 1 : 0);

		add_text(client, bytes, text);
		if (lf != NULL)
			end_line(client);
		bytes += used;
		size -= used;
		if (client->output->len >= OUTPUT_PIECE && !flush(client, error))
			return FALSE;
	}
	return TRUE;
}

/* RFC 2033 section 4.2: a reply for each recipient that was accepted, in order. */
static gboolean read_answers(struct lmtp_client *client, GError **error)
{
	for (guint i = 0; i < client->answers->len; i++) {
		struct lmtp_answer *answer = client->answers->pdata[i];
		guint code;

		if (answer->code >= 300)
			continue;
		code = read_reply(client, client->times.content, FALSE, error);
		if (code == 0)
			return FALSE;
		if (code == CLOSING)
			return fail_reply(client, error, code);
		set_answer(client, answer, code);
	}
	return TRUE;
}

GPtrArray *lmtp_client_end(struct lmtp_client *client, GError **error)
{
	GPtrArray *answers;

	if (!client->in_content) {
		(void)fail(client, error, "the connection is closed");
		return NULL;
	}
	if (!client->line_start)
		end_line(client);
	g_string_append(client->output, ".\r\n");
	if (!flush(client, error))
		return NULL;
	client->in_content = FALSE;
	if (!read_answers(client, error))
		return NULL;
	client->open = FALSE;
	answers = client->answers;
	client->answers = g_ptr_array_new_with_free_func((GDestroyNotify)lmtp_answer_free);
	return answers;
}

struct lmtp_answer *lmtp_client_send(
    struct lmtp_client *client, const char *recipient, const void *mail, gsize size, GError **error)
{
	const char *const recipients[] = { recipient, NULL };
	g_autoptr(GPtrArray) answers = NULL;

	if (!lmtp_client_begin(client, recipients, size, error) ||
	    !lmtp_client_write(client, mail, size, error))
		return NULL;
	answers = lmtp_client_end(client, error);
	return answers != NULL ? g_ptr_array_steal_index(answers, 0) : NULL;
}

/* '*' and '?' match any text and any character: '*' becomes "ruad", or "localhost" after '@'. */
char *lmtp_client_recipient(const char *pattern)
{
	g_autoptr(GString) address = g_string_new(NULL);
	gboolean needs_domain = strchr(pattern, '@') == NULL;

	for (; *pattern != '\0'; pattern++) {
		gboolean after_at = strchr(address->str, '@') != NULL;

		if (*pattern == '*' && needs_domain) {
			g_string_append(address, "ruad@localhost");
			needs_domain = FALSE;
		} else if (*pattern == '*') {
			g_string_append(address, after_at ? "localhost" : "ruad");
		} else {
			g_string_append_c(address, *pattern == '?' ? 'x' : *pattern);
		}
	}
	return g_string_free(g_steal_pointer(&address), FALSE);
}
