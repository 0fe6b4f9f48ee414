/*
 * lmtp_load.c - delivers a folder of mails over LMTP on several connections at once, and says how long it
 * took.
 *
 *   lmtp_load HOST:PORT CONNECTIONS RECIPIENT FOLDER
 *
 * Talks as Postfix does: MAIL, RCPT and DATA in one segment (RFC 2920), the text and its dot in one, and the
 * next mail on the same connection. Everything is read and dot-stuffed before the clock starts; the clock
 * stops with the last reply. Prints "MAILS mails SECONDS s"; any answer but the expected one ends it with
 * status 1.
 */
#include <gio/gio.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

struct load {
	GPtrArray *mails; /* of GBytes: text as it goes over the wire, with the dot */
	const char *address;
	const char *recipient;
	gint next;    /* index of the next mail to take; atomic */
	gint ready;   /* connections that were greeted; atomic */
	gint start;   /* set when all are ready; atomic */
	gint refused; /* atomic */
};

struct session {
	GSocketConnection *connection;
	GDataInputStream *in;
	GOutputStream *out;
};

/* One mail as it goes over the wire: lines end in CRLF, leading dots are doubled, CRLF.CRLF ends it. */
static GBytes *mail_stuff(const char *text)
{
	GString *wire = g_string_new(NULL);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		g_strchomp(*line);
		if (!line[1] && !**line)
			break; /* what follows the last line's end */
		g_string_append_printf(wire, "%s%s\r\n", **line == '.' ? "." : "", *line);
	}
	g_string_append(wire, ".\r\n");
	return g_string_free_to_bytes(wire);
}

static GPtrArray *mails_read(const char *folder, GError **error)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, error);
	if (!dir)
		return NULL;
	g_autoptr(GPtrArray) mails = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	for (const char *name = g_dir_read_name(dir); name; name = g_dir_read_name(dir)) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		g_autofree char *text = NULL;
		if (!g_file_get_contents(path, &text, NULL, error))
			return NULL;
		g_ptr_array_add(mails, mail_stuff(text));
	}
	return g_steal_pointer(&mails);
}

static gboolean session_send(struct session *session, const char *data, gsize size, GError **error)
{
	return g_output_stream_write_all(session->out, data, size, NULL, NULL, error);
}

/* Read one whole reply and compare its code. */
static gboolean session_expect(struct session *session, const char *code, GError **error)
{
	for (;;) {
		g_autofree char *line = g_data_input_stream_read_line(session->in, NULL, NULL, error);
		if (!line) {
			if (!*error)
				g_set_error_literal(
				    error, G_IO_ERROR, G_IO_ERROR_CLOSED, "connection closed");
			return FALSE;
		}
		if (strlen(line) > 3 && line[3] == '-')
			continue;
		if (g_str_has_prefix(line, code))
			return TRUE;
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "expected %s, got \"%s\"", code, line);
		return FALSE;
	}
}

static gboolean session_open(struct session *session, const char *address, GError **error)
{
	g_autoptr(GSocketClient) client = g_socket_client_new();
	session->connection = g_socket_client_connect_to_host(client, address, 2424, NULL, error);
	if (!session->connection)
		return FALSE;
	GSocket *socket = g_socket_connection_get_socket(session->connection);
	g_socket_set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1, NULL);
	session->out = g_io_stream_get_output_stream(G_IO_STREAM(session->connection));
	session->in = g_data_input_stream_new(g_io_stream_get_input_stream(G_IO_STREAM(session->connection)));
	g_data_input_stream_set_newline_type(session->in, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
	static const char hello[] = "LHLO bench.example\r\n";
	return session_expect(session, "220", error) &&
	       session_send(session, hello, sizeof hello - 1, error) && session_expect(session, "250", error);
}

static void session_close(struct session *session)
{
	g_clear_object(&session->in);
	g_clear_object(&session->connection);
}

static gboolean session_deliver(struct session *session, const char *recipient, GBytes *mail, GError **error)
{
	gsize size;
	const char *text = g_bytes_get_data(mail, &size);
	g_autofree char *envelope = g_strdup_printf("MAIL FROM:<reports@bench.example> SIZE=%" G_GSIZE_FORMAT
						    "\r\nRCPT TO:<%s>\r\nDATA\r\n",
	    size, recipient);
	return session_send(session, envelope, strlen(envelope), error) &&
	       session_expect(session, "250", error) && session_expect(session, "250", error) &&
	       session_expect(session, "354", error) && session_send(session, text, size, error) &&
	       session_expect(session, "250", error);
}

/* A connection's thread: greeted, it waits for the start, then takes mails until none is left. */
static gpointer load_run(gpointer user)
{
	struct load *load = user;
	g_autoptr(GError) error = NULL;
	struct session session = { 0 };
	gboolean good = session_open(&session, load->address, &error);
	g_atomic_int_inc(&load->ready);
	while (!g_atomic_int_get(&load->start))
		g_usleep(1000);
	while (good) {
		guint i = (guint)g_atomic_int_add(&load->next, 1);
		if (i >= load->mails->len)
			break;
		good = session_deliver(&session, load->recipient, load->mails->pdata[i], &error);
	}
	if (!good) {
		fprintf(stderr, "lmtp_load: %s\n", error->message);
		g_atomic_int_inc(&load->refused);
	}
	session_close(&session);
	return NULL;
}

/* Seconds from the start of all connections to the last reply. */
static double load_all(struct load *load, guint connections)
{
	g_autofree GThread **threads = g_new0(GThread *, connections);
	for (guint i = 0; i < connections; i++)
		threads[i] = g_thread_new("connection", load_run, load);
	while ((guint)g_atomic_int_get(&load->ready) < connections)
		g_usleep(1000);
	gint64 from = g_get_monotonic_time();
	g_atomic_int_set(&load->start, 1);
	for (guint i = 0; i < connections; i++)
		g_thread_join(threads[i]);
	return (double)(g_get_monotonic_time() - from) / G_USEC_PER_SEC;
}

int main(int argc, char **argv)
{
	guint64 connections;
	if (argc != 5 || !g_ascii_string_to_unsigned(argv[2], 10, 1, 1000, &connections, NULL)) {
		fprintf(stderr, "usage: lmtp_load HOST:PORT CONNECTIONS RECIPIENT FOLDER\n");
		return 2;
	}
	g_autoptr(GError) error = NULL;
	struct load load = { .address = argv[1], .recipient = argv[3] };
	load.mails = mails_read(argv[4], &error);
	if (!load.mails) {
		fprintf(stderr, "lmtp_load: %s\n", error->message);
		return 1;
	}
	double seconds = load_all(&load, (guint)connections);
	printf("%u mails %.3f s\n", load.mails->len, seconds);
	g_ptr_array_unref(load.mails);
	return load.refused ? 1 : 0;
}
