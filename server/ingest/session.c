#include "server/ingest/session.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "parser/error.h"
#include "server/common/log.h"
#include "server/common/net.h"

#define INPUT_SIZE (64 * 1024)        /* bytes read at once */
#define STOP_GRACE G_TIME_SPAN_SECOND /* for a mail in progress, of a server that stops */
#define PEER_SIZE  80                 /* "[IPv6 address]:port" and more */

struct session {
	const struct session_options *options;
	int fd;
	char peer[PEER_SIZE];
	struct lmtp *lmtp;
	gint64 *useful; /* see session_run() */
	gint64 since;   /* monotonic time at which this content, or the commands before it, began */
	gint64 heard;   /* and of the last input */
	gint64 stop;    /* and at which a stopping server waits no longer for it; 0: it does not stop */
	gsize received; /* bytes since then */
	gssize memory;  /* bytes of options->memory that it has */
	guint mails, failed, refused; /* refused: unknown recipients */
};

/* The name of the client in the log. */
static void peer_name(int fd, char *name, gsize size)
{
	char host[NI_MAXHOST], port[NI_MAXSERV];

	if (net_peer(fd, host, port))
		g_snprintf(name, size, "[%s]:%s", host, port);
	else
		g_strlcpy(name, "a local client", size);
}

static gboolean on_recipient(gpointer user, const char *address)
{
	struct session *session = user;

	if (lmtp_recipient_match(session->options->recipients, address))
		return TRUE;
	session->refused++;
	return FALSE;
}

/* Take bytes of the memory that all sessions share. */
static gboolean reserve(gssize *memory, gssize bytes)
{
	if (g_atomic_pointer_add(memory, -bytes) >= bytes)
		return TRUE;
	(void)g_atomic_pointer_add(memory, bytes);
	return FALSE;
}

static gboolean on_room(gpointer user, gsize size)
{
	struct session *session = user;
	gssize more = (gssize)size - session->memory;

	if (more > 0 && !reserve(session->options->memory, more)) {
		log_warning_paced(
		    "memory", "mail from %s put off: lmtp.max_memory is used up", session->peer);
		return FALSE;
	}
	if (more < 0)
		(void)g_atomic_pointer_add(session->options->memory, -more);
	session->memory = (gssize)size;
	return TRUE;
}

static void on_reply(gpointer user, guint code)
{
	const struct session *session = user;

	vitals_add_reply(session->options->vitals, code);
}

/* Log what was refused; there is a line about each mail that was stored. */
static void log_end(const struct session *session)
{
	if (session->failed + session->refused > 0)
		log_info("session with %s: %u mails stored, %u mails failed, %u recipients refused",
		    session->peer, session->mails - session->failed, session->failed, session->refused);
}

/* Append the number of stored reports and the other counts that are not 0 to words, and their names to
 * fields. */
static void say_outcome(const struct intake_counts *counts, struct log_fields *fields, GString *words)
{
	const struct {
		const char *name;
		guint count;
	} rows[] = {
		{ "stored", counts->stored },
		{ "duplicate", counts->duplicates },
		{ "conflict", counts->conflicts },
		{ "unreadable", counts->unreadable },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (i == 0 || rows[i].count > 0)
			g_string_append_printf(
			    words, "%s%u %s", i > 0 ? ", " : "", rows[i].count, rows[i].name);
		if (rows[i].count > 0)
			log_fields_add(fields, FIELD_OUTCOME, rows[i].name);
	}
}

/* Append ", words "value"" if there is a value. */
static void say_id(GString *line, const char *words, const struct log_fields *fields, const char *field)
{
	const char *value = log_fields_get(fields, field);
	g_autofree char *quoted = value != NULL ? log_quote(value) : NULL;

	if (quoted != NULL)
		g_string_append_printf(line, ", %s %s", words, quoted);
}

static void log_mail(
    const struct session *session, const struct intake_counts *counts, struct log_fields *fields)
{
	g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, counts->mail);
	g_autoptr(GString) words = g_string_new(NULL);

	log_fields_add(fields, FIELD_MAIL, number);
	say_outcome(counts, fields, words);
	say_id(words, "queue id", fields, FIELD_QUEUE_ID);
	say_id(words, "Message-ID", fields, FIELD_MESSAGE_ID);
	log_info_about(fields, "mail %s from %s: %s", number, session->peer, words->str);
}

/* Whether the mail has something that was quarantined, and no report that is stored. */
static gboolean is_quarantined(const struct intake_counts *counts)
{
	return counts->stored + counts->duplicates == 0 && counts->conflicts + counts->unreadable > 0;
}

/* Store a mail. Returns its number and the reply, or 0 and why not. */
static gint64 store(
    struct session *session, const struct lmtp_mail *mail, enum lmtp_reply *reply, GError **error)
{
	struct log_fields *fields = log_fields_new();
	struct envelope envelope = {
		.source = "lmtp", .from = mail->from, .recipients = mail->recipients, .fields = fields
	};
	struct intake_counts counts = { 0 };

	if (intake_take(session->options->intake, &envelope, mail->content, mail->size, &counts, error))
		log_mail(session, &counts, fields);
	log_fields_free(fields);
	*reply = is_quarantined(&counts) ? LMTP_QUARANTINED : LMTP_STORED;
	return counts.mail;
}

static gint64 on_mail(gpointer user, const struct lmtp_mail *mail, enum lmtp_reply *replies)
{
	struct session *session = user;
	g_autoptr(GError) error = NULL;
	gint64 number;
	enum lmtp_reply reply = LMTP_STORED;

	session->mails++;
	__atomic_store_n(session->useful, G_MAXINT64, __ATOMIC_RELAXED);
	number = store(session, mail, &reply, &error);
	if (error != NULL) {
		session->failed++;
		log_warning_paced(error->message, "mail from %s not stored, its client keeps it: %s",
		    session->peer, error->message);
		reply = g_error_matches(error, RUAD_ERROR, RUAD_ERROR_FULL) ? LMTP_FULL : LMTP_FAILED;
	}
	for (guint i = 0; i < mail->n_recipients; i++)
		replies[i] = reply;
	return number;
}

/* Send all pending replies. Returns FALSE if the client does not read them. */
static gboolean flush_output(struct session *session)
{
	GString *output = lmtp_output(session->lmtp);
	gsize sent = 0;

	while (sent < output->len) {
		ssize_t n = send(session->fd, output->str + sent, output->len - sent, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			return FALSE;
		if (n > 0)
			sent += (gsize)n;
	}
	g_string_truncate(output, 0);
	return TRUE;
}

enum event { EVENT_NONE, EVENT_INPUT, EVENT_TIMEOUT, EVENT_STOP };

/* The monotonic time at which the client has had its time. */
static gint64 deadline(const struct session *session)
{
	const struct session_options *options = session->options;
	gint64 end = session->heard + options->timeout * G_TIME_SPAN_SECOND;
	gint64 rate = (gint64)MIN(options->min_rate, (guint64)G_MAXINT32);

	if (!lmtp_in_data(session->lmtp))
		return session->since + options->timeout * G_TIME_SPAN_SECOND;
	end = MIN(end, session->since + options->max_time * G_TIME_SPAN_SECOND);
	return MIN(
	    end, session->since + (SESSION_GRACE + (gint64)session->received / rate) * G_TIME_SPAN_SECOND);
}

/* What happened, when poll() ended. The stop descriptor stays readable: it is looked at once. */
static enum event event_of(struct session *session, int ready, const struct pollfd fds[2])
{
	gint64 now = g_get_monotonic_time();

	if (ready > 0 && fds[1].revents && session->stop == 0)
		session->stop = now + STOP_GRACE;
	if (session->stop != 0 && (now >= session->stop || !lmtp_in_data(session->lmtp)))
		return EVENT_STOP;
	if (ready > 0 && fds[0].revents)
		return EVENT_INPUT;
	return now >= deadline(session) ? EVENT_TIMEOUT : EVENT_NONE;
}

static enum event wait_event(struct session *session)
{
	struct pollfd fds[] = { { .fd = session->fd, .events = POLLIN },
		{ .fd = session->stop != 0 ? -1 : session->options->stop_fd, .events = POLLIN } };
	gint64 end = deadline(session);
	gint64 left;

	if (session->stop != 0)
		end = MIN(end, session->stop);
	left = MAX(end - g_get_monotonic_time(), 0);
	return event_of(session, poll(fds, G_N_ELEMENTS(fds), (int)MIN(left / 1000 + 1, G_MAXINT)), fds);
}

/* A phase of the session begins: commands, or content. */
static void phase_begin(struct session *session)
{
	session->since = session->heard = g_get_monotonic_time();
	session->received = 0;
	if (!lmtp_in_data(session->lmtp))
		__atomic_store_n(session->useful, session->since, __ATOMIC_RELAXED);
}

/* Returns FALSE if the client has disconnected. */
static gboolean read_input(struct session *session, char *buffer)
{
	gboolean in_data = lmtp_in_data(session->lmtp);
	guint mails = session->mails;
	ssize_t n;

	do
		n = recv(session->fd, buffer, INPUT_SIZE, 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return FALSE;
	session->heard = g_get_monotonic_time();
	session->received += (gsize)n;
	lmtp_input(session->lmtp, buffer, (gsize)n);
	if (lmtp_in_data(session->lmtp) != in_data || session->mails != mails)
		phase_begin(session);
	return TRUE;
}

static void serve(struct session *session)
{
	g_autofree char *buffer = g_malloc(INPUT_SIZE);

	while (flush_output(session) && !lmtp_ended(session->lmtp)) {
		switch (wait_event(session)) {
		case EVENT_NONE:
			break;
		case EVENT_INPUT:
			if (!read_input(session, buffer))
				return;
			break;
		case EVENT_TIMEOUT:
			lmtp_close(session->lmtp, LMTP_TIMEOUT);
			break;
		case EVENT_STOP:
			lmtp_close(session->lmtp, LMTP_SHUTTING_DOWN);
			break;
		}
	}
}

static void set_socket_options(int fd, guint timeout)
{
	struct timeval patience = { .tv_sec = timeout };
	int on = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* may fail on Unix sockets */
}

void session_run(int fd, const struct session_options *options, gint64 *useful)
{
	static const struct lmtp_handler handler = {
		.room = on_room, .recipient = on_recipient, .replied = on_reply, .mail = on_mail
	};
	struct session session = { .options = options, .fd = fd, .useful = useful };

	peer_name(fd, session.peer, sizeof session.peer);
	set_socket_options(fd, options->timeout);
	vitals_add(options->vitals, VITAL_SESSIONS, 1);
	vitals_add(options->vitals, VITAL_SESSIONS_OPEN, 1);
	session.lmtp = lmtp_new(&options->lmtp, &handler, &session);
	phase_begin(&session);
	serve(&session);
	lmtp_free(session.lmtp);
	vitals_add(options->vitals, VITAL_SESSIONS_OPEN, -1);
	close(fd);
	log_end(&session);
}

void session_refuse(int fd, const struct session_options *options)
{
	static const struct lmtp_handler unused = { 0 };
	struct lmtp *lmtp = lmtp_new(&options->lmtp, &unused, NULL);
	GString *output = lmtp_output(lmtp);

	g_string_truncate(output, 0); /* 421 replaces the greeting */
	lmtp_close(lmtp, LMTP_BUSY);
	vitals_add(options->vitals, VITAL_SESSIONS_REFUSED, 1);
	(void)send(fd, output->str, output->len, MSG_NOSIGNAL | MSG_DONTWAIT);
	lmtp_free(lmtp);
	close(fd);
}
