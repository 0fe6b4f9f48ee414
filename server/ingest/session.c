#include "server/ingest/session.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/common/log.h"

#define INPUT_SIZE (64 * 1024) /* bytes read at once */
#define PEER_SIZE  80          /* "[IPv6 address]:port" and more */

struct session {
	const struct session_options *options;
	int fd;
	char peer[PEER_SIZE];
	struct lmtp *lmtp;
	guint mails, failed, refused; /* refused: unknown recipients */
	struct intake_counts counts;
};

/* The name of the client in the log. */
static void peer_name(int fd, char *name, gsize size)
{
	struct sockaddr_storage address = { 0 };
	socklen_t length = sizeof address;
	char host[NI_MAXHOST], port[NI_MAXSERV];

	if (getpeername(fd, (struct sockaddr *)&address, &length) != 0 || address.ss_family == AF_UNIX ||
	    getnameinfo((struct sockaddr *)&address, length, host, sizeof host, port, sizeof port,
		NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		g_strlcpy(name, "a local client", size);
	else
		g_snprintf(name, size, "[%s]:%s", host, port);
}

static gboolean on_recipient(gpointer user, const char *address)
{
	struct session *session = user;

	if (lmtp_recipient_match(session->options->recipients, address))
		return TRUE;
	session->refused++;
	return FALSE;
}

static void count(struct intake_counts *sum, const struct intake_counts *more)
{
	sum->stored += more->stored;
	sum->duplicates += more->duplicates;
	sum->conflicts += more->conflicts;
	sum->unreadable += more->unreadable;
}

static void on_mail(gpointer user, const struct lmtp_mail *mail, enum lmtp_reply *replies)
{
	struct session *session = user;
	struct envelope envelope = { .source = "lmtp", .from = mail->from, .recipients = mail->recipients };
	struct intake_counts counts = { 0 };
	g_autoptr(GError) error = NULL;

	session->mails++;
	if (!intake_take(session->options->intake, &envelope, mail->content, mail->size, &counts, &error)) {
		session->failed++;
		log_warning(
		    "mail from %s not stored, its client keeps it: %s", session->peer, error->message);
		return;
	}
	count(&session->counts, &counts);
	for (guint i = 0; i < mail->n_recipients; i++)
		replies[i] = LMTP_STORED;
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

enum event { EVENT_INPUT, EVENT_TIMEOUT, EVENT_STOP };

/* The next event. A shutdown does not interrupt a mail whose content is being received. */
static enum event wait_event(const struct session *session)
{
	struct pollfd fds[] = { { .fd = session->fd, .events = POLLIN },
		{ .fd = session->options->stop_fd, .events = POLLIN } };
	nfds_t n = lmtp_in_data(session->lmtp) ? 1 : 2;
	int ready;

	do
		ready = poll(fds, n, (int)session->options->timeout * 1000);
	while (ready < 0 && errno == EINTR);
	if (ready == 0)
		return EVENT_TIMEOUT;
	return n == 2 && fds[1].revents ? EVENT_STOP : EVENT_INPUT;
}

/* Returns FALSE if the client has disconnected. */
static gboolean read_input(struct session *session, char *buffer)
{
	ssize_t n;

	do
		n = recv(session->fd, buffer, INPUT_SIZE, 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return FALSE;
	lmtp_input(session->lmtp, buffer, (gsize)n);
	return TRUE;
}

static void serve(struct session *session)
{
	g_autofree char *buffer = g_malloc(INPUT_SIZE);

	while (flush_output(session) && !lmtp_ended(session->lmtp)) {
		switch (wait_event(session)) {
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

/* Log one line per session, but none for a client that only checked whether we are running. */
static void log_counts(const struct session *session)
{
	const struct intake_counts *counts = &session->counts;

	if (session->mails + session->refused == 0)
		return;
	log_info("session with %s: %u mails, %u reports stored, %u duplicates, %u conflicts, %u unreadable, "
		 "%u mails failed, %u recipients refused",
	    session->peer, session->mails, counts->stored, counts->duplicates, counts->conflicts,
	    counts->unreadable, session->failed, session->refused);
}

static void set_socket_options(int fd, guint timeout)
{
	struct timeval patience = { .tv_sec = timeout };
	int on = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* may fail on Unix sockets */
}

void session_run(int fd, const struct session_options *options)
{
	static const struct lmtp_handler handler = { .recipient = on_recipient, .mail = on_mail };
	struct session session = { .options = options, .fd = fd };

	peer_name(fd, session.peer, sizeof session.peer);
	set_socket_options(fd, options->timeout);
	session.lmtp = lmtp_new(&options->lmtp, &handler, &session);
	serve(&session);
	lmtp_free(session.lmtp);
	close(fd);
	log_counts(&session);
}

void session_refuse(int fd, const struct session_options *options)
{
	static const struct lmtp_handler unused = { 0 };
	struct lmtp *lmtp = lmtp_new(&options->lmtp, &unused, NULL);
	GString *output = lmtp_output(lmtp);

	g_string_truncate(output, 0); /* 421 replaces the greeting */
	lmtp_close(lmtp, LMTP_BUSY);
	(void)send(fd, output->str, output->len, MSG_NOSIGNAL | MSG_DONTWAIT);
	lmtp_free(lmtp);
	close(fd);
}
